// What goes on now, of one stream for the whole page.

import { ask, locked, socketAddress } from '../api.js';
import { useEffect } from '../html.js';
import { EMPTY, createLive } from '../live.js';
import { createStore, useStore } from '../store.js';

/** @typedef {import('../live.js').LiveModel & {state: import('../live.js').LiveState}} LiveNow */

const now = createStore(/** @type {LiveNow} */ ({ ...EMPTY, state: 'connecting' }));
/** Whether nothing is refreshed. */
export const paused = createStore(false);
/** Who wants which families. @type {Map<object, readonly string[]>} */
const wanted = new Map();
const WINDOW_SECONDS = 300;
/** Always: so that most views share a stream, and the growth of any is seen. */
const USUAL = ['agent', 'cache', 'model', 'tool'];

/** When the newest work is of that the stream told of: while it comes, figures are asked for again. */
export const grown = createStore('');
/** Counts how often the server was found again: what failed meanwhile is asked for at once. */
export const returned = createStore(0);
/** What the machine measures comes all the time and is no work. */
const WORK = ['tool', 'model', 'cache', 'agent', 'query'];

/** @param {import('../live.js').LiveModel} model */
function newest({ families }) {
  let last = grown.get();
  for (const family of WORK) {
    for (const series of families[family] ?? []) {
      const at = series['latest_at'];
      // Of one form and zone, so that their order is that of texts.
      if (typeof at === 'string' && at > last) last = at;
    }
  }
  return last;
}

const live = createLive(
  {
    open: (families, after) =>
      new WebSocket(socketAddress('api/v1/stream', { families: families.join(), window: WINDOW_SECONDS, after })),
    poll: (families) => ask('stream', { families: families.join(), window: WINDOW_SECONDS }),
    later: (call, ms) => setTimeout(call, ms),
    cancel: (id) => clearTimeout(id),
    // A page that nobody sees has no frames.
    frame: (call) => (document.hidden ? setTimeout(call, 250) : requestAnimationFrame(call)),
  },
  (model, state) => {
    if (state === 'live' && now.get().state !== 'live') returned.set(returned.get() + 1);
    now.set({ ...model, state });
    grown.set(newest(model));
  },
);

let choosing = false;
/** Once for all that a view's parts want. */
function choose() {
  if (choosing) return;
  choosing = true;
  queueMicrotask(() => {
    choosing = false;
    if (!locked.get()) live.want([...USUAL, ...wanted.values()].flat());
  });
}
locked.watch(() => {
  if (locked.get()) return live.close();
  choose();
});
addEventListener('online', () => live.retry());

/** No refresh until `resume`; what is shown stays. */
export function pause() {
  paused.set(true);
  live.pause();
}

export function resume() {
  paused.set(false);
  live.resume();
}

/** Tries to connect at once. */
export function reconnect() {
  live.retry();
}

/**
 * What goes on now, of these families over five minutes: `tool`, `model`, `metric`, …
 * @param {readonly string[]} families
 * @returns {LiveNow}
 */
export function useLive(families) {
  const list = families.join();
  useEffect(() => {
    const me = {};
    wanted.set(me, list === '' ? [] : list.split(','));
    choose();
    return () => {
      wanted.delete(me);
      choose();
    };
  }, [list]);
  return useStore(now);
}

/**
 * How many alerts fire: the lists of the stream end somewhere.
 * @param {LiveNow} live
 */
export function firingNow({ alerts, overview }) {
  return overview?.['alerts_firing'] ?? alerts?.firing.length ?? 0;
}
