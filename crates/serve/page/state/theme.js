// Light or dark.

import { createStore, remember, remembered, useStore } from '../store.js';

/** @typedef {'system' | 'light' | 'dark'} Theme */

const dark = matchMedia('(prefers-color-scheme: dark)');
const themes = createStore(themeOf(remembered('theme')));
/** Changes whenever colours do. */
const shades = createStore(shade());
themes.watch(() => shades.set(shade()));
dark.addEventListener('change', () => shades.set(shade()));

/** @param {string | null} text @returns {Theme} */
function themeOf(text) {
  return text === 'light' || text === 'dark' ? text : 'system';
}

/** @returns {'light' | 'dark'} */
function shade() {
  const theme = themes.get();
  return theme === 'system' ? (dark.matches ? 'dark' : 'light') : theme;
}

/**
 * The theme that was chosen, the shade it comes to, and how to turn to the other
 * one: back to the system where that is the system's.
 * @returns {{theme: Theme, shade: 'light' | 'dark', turn: () => void}}
 */
export function useTheme() {
  const theme = useStore(themes);
  return { theme, shade: useStore(shades), turn };
}

function turn() {
  const other = shade() === 'dark' ? 'light' : 'dark';
  const usual = dark.matches ? 'dark' : 'light';
  setTheme(other === usual ? 'system' : other);
}

/** @param {Theme} next */
function setTheme(next) {
  const root = document.documentElement;
  if (next === 'system') root.removeAttribute('data-theme');
  else root.setAttribute('data-theme', next);
  remember('theme', next === 'system' ? null : next);
  themes.set(next);
}
