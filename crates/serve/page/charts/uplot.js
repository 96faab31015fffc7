// uPlot as its makers minify it: a classic script of index.html, half as large
// as their module.

/** @type {typeof import('../vendor/uplot-1.6.32/uPlot.js')} */
const uPlot = Reflect.get(globalThis, 'uPlot');
export default uPlot;
