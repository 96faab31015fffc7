// The theme's colours, for what is painted rather than styled.

/** @type {HTMLElement | null} */
let probe = null;

/**
 * A colour of theme.css as a canvas takes it, in the shade of now.
 * @param {string} name such as `accent`
 * @returns {string}
 */
export function colour(name) {
  if (probe === null) {
    probe = document.createElement('span');
    probe.hidden = true;
    document.body.append(probe);
  }
  // A property of its own holds `light-dark(…)` as it stands; only a colour is settled.
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

/**
 * The same, see-through.
 * @param {string} name
 * @param {number} alpha 0..1
 */
export function faded(name, alpha) {
  const [r = 0, g = 0, b = 0] = (colour(name).match(/[\d.]+/g) ?? []).map(Number);
  return `rgb(${r} ${g} ${b} / ${alpha})`;
}
