// What agents are called. Events hold hashes of their names; the server tells
// those whose definitions lie on its machine.

import { ask } from '../api.js';
import { createStore, useStore } from '../store.js';

const HASH = /^[0-9a-f]{16}$/;
/** Agents may be indexed while the page is open. */
const FRESH_MS = 60_000;

const known = createStore(/** @type {ReadonlyMap<string, string>} */ (new Map()));
let asked = Number.NEGATIVE_INFINITY;

/**
 * Tells what a hash stands for, where that is known, and any other text as it
 * is. Asks the server when it is first wanted, and again after a while.
 * @returns {(text: string) => string}
 */
export function useNames() {
  const names = useStore(known);
  return (text) => {
    if (!HASH.test(text)) return text;
    void refresh();
    return names.get(text) ?? text;
  };
}

async function refresh() {
  const now = performance.now();
  if (now - asked < FRESH_MS) return;
  asked = now;
  try {
    const { names } = await ask('agent_names', {});
    known.set(new Map(Object.entries(names)));
  } catch {
    // Hashes stand for themselves until it is asked again.
  }
}
