// A value that views may watch.

import { useEffect, useState } from './html.js';

/**
 * @template T
 * @typedef {{get: () => T, set: (next: T) => void, watch: (call: () => void) => () => void}} Store
 */

/**
 * @template T
 * @param {T} initial
 * @returns {Store<T>}
 */
export function createStore(initial) {
  let value = initial;
  /** @type {Set<() => void>} */
  const watchers = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const call of [...watchers]) call();
    },
    watch(call) {
      watchers.add(call);
      return () => watchers.delete(call);
    },
  };
}

/**
 * The value as it is now; draws again when it changes.
 * @template T
 * @param {Store<T>} store
 * @returns {T}
 */
export function useStore(store) {
  const [, draw] = useState(0);
  const drawn = store.get();
  useEffect(() => {
    const again = () => draw((n) => n + 1);
    // It may have changed between drawing and this.
    if (!Object.is(drawn, store.get())) again();
    return store.watch(again);
  }, [store]);
  return drawn;
}

/**
 * What the browser remembers for this page; private windows may refuse.
 * @param {string} key
 * @returns {string | null}
 */
export function remembered(key) {
  try {
    return localStorage.getItem(`tachograph.${key}`);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string | null} value `null`: forgets it
 */
export function remember(key, value) {
  try {
    if (value === null) localStorage.removeItem(`tachograph.${key}`);
    else localStorage.setItem(`tachograph.${key}`, value);
  } catch {
    // Then it is not remembered; nothing else depends on it.
  }
}
