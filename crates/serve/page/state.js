// What views are drawn from: the address, the range, answers, what goes on now,
// the theme.

import { address } from './api.js';

export { go, link, linkEvent, linkHere, route, setQuery, useRoute } from './state/address.js';
export { turning, useAnswer } from './state/answers.js';
export { useNames } from './state/names.js';
export { firingNow, pause, paused, reconnect, resume, useLive } from './state/now.js';
export { setRange, useBlank, useEarly, useRange } from './state/range.js';
export { useTheme } from './state/theme.js';

/** @typedef {import('./route.js').Route} Route */
/** @typedef {import('./range.js').Params} Params */
/** @typedef {import('./api.js').ApiError} ApiError */
/** @typedef {import('./state/range.js').Range} Range */
/** @typedef {import('./state/answers.js').Asked} Asked */
/** @typedef {import('./state/now.js').LiveNow} LiveNow */
/** @typedef {import('./state/theme.js').Theme} Theme */

/**
 * An address of the server's that a person may copy, such as for `curl`.
 * @param {string} path
 */
export function serverAddress(path) {
  return address(path).href;
}
