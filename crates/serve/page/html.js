// What draws: the one place that names the vendored file. Nothing in a text can turn
// what stands around it: see `plain`.

import { plain } from './format.js';
import { html as markup } from './vendor/htm-preact-3.1.1/standalone.module.js';

export {
  Component,
  h,
  render,
  useCallback,
  useEffect,
  useErrorBoundary,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState,
} from './vendor/htm-preact-3.1.1/standalone.module.js';
/** @typedef {import('./vendor/htm-preact-3.1.1/standalone.module.js').VNode} VNode */
/** @typedef {import('./vendor/htm-preact-3.1.1/standalone.module.js').Child} Child */
/**
 * @template T
 * @typedef {import('./vendor/htm-preact-3.1.1/standalone.module.js').Ref<T>} Ref
 */

/** Attributes that are read; others, such as addresses and values, stay as they are. */
const READ = ['title', 'aria-label', 'placeholder'];
/** Elements that are plain already, and stand in another template now. @type {WeakSet<object>} */
const done = new WeakSet();

/**
 * What a template says, every text in it made plain.
 * @param {TemplateStringsArray} strings
 * @param {...unknown} values
 * @returns {VNode}
 */
export function html(strings, ...values) {
  return made(markup(strings, ...values));
}

/** @param {any} node text, an element, a list, or what draws nothing @returns {any} */
function made(node) {
  if (typeof node === 'string') return plain(node);
  if (Array.isArray(node)) return node.map(made);
  const props = node?.props;
  if (!props || done.has(node)) return node;
  done.add(node);
  // What a view is given it puts into a template of its own.
  if (typeof node.type === 'string') {
    for (const name of READ) if (typeof props[name] === 'string') props[name] = plain(props[name]);
  }
  if (props.children !== undefined) props.children = made(props.children);
  return node;
}
