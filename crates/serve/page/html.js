// What draws: the one place that names the vendored file.

export {
  Component,
  h,
  html,
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
