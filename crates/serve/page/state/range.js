// The stretch of time that is looked at, and whether there is anything at all.

import { ask, extent, locked, serverNow } from '../api.js';
import { DAY } from '../format.js';
import { useEffect, useMemo } from '../html.js';
import { firstRange, isRange, isoOf, spanOf } from '../range.js';
import { createStore, useStore } from '../store.js';
import { setQuery, useRoute } from './address.js';
import { grown, paused } from './now.js';

/** @typedef {import('../range.js').Params} Params */

/** The range where the address names none; `null`: not known yet. */
const usual = createStore(/** @type {string | null} */ (null));
/** When the earliest events are of, and those too early to be true; `undefined`: not asked for. */
const earliest = createStore(/** @type {Pick<import('../api.js').Extent, 'first' | 'early'> | undefined} */ (undefined));
/** Beats while anything is refreshed, so that what is relative to now goes on. */
const beat = createStore(0);
const next = () => {
  if (!paused.get() && !document.hidden) beat.set(beat.get() + 1);
};
setInterval(next, 30_000);
paused.watch(next);

/** Whether no agent's work was ever recorded; `null`: not known yet. */
const blank = createStore(/** @type {boolean | null} */ (null));
// The first of all work.
grown.watch(() => blank.set(false));
// Without a token nothing could be looked at.
locked.watch(() => {
  if (!locked.get()) void look();
});
let looking = false;

/** Looks which range shows something, and whether there is anything at all. */
async function look() {
  if (looking || usual.get() !== null) return;
  looking = true;
  const hours = 14 * 24;
  try {
    const { timeline } = await ask('timeline', { hours, buckets: hours });
    const near = firstRange(timeline.buckets, timeline.bucket_seconds * 1000, serverNow());
    const worked = timeline.buckets.some((/** @type {any} */ bucket) => bucket.count > bucket.unknown);
    const nothing = !worked && !(await extent()).work;
    blank.set(nothing && grown.get() === '');
    usual.set(nothing ? '1h' : (near ?? 'all'));
  } catch {
    // The views say what is wrong; without a token it is asked again with one.
    if (!locked.get()) usual.set('24h');
  } finally {
    looking = false;
  }
}

/**
 * Whether no agent's work was ever recorded; false until that is known.
 * @returns {boolean}
 */
export function useBlank() {
  useEffect(() => void look(), []);
  return useStore(blank) === true;
}

/**
 * @typedef {object} Range
 * @property {string} range its name, or `custom`; empty until it is known
 * @property {number} from milliseconds since 1970
 * @property {number} to
 * @property {Params | null} query to be merged into a question's parameters; `null`: not known yet
 */

/**
 * The stretch of time that is looked at.
 * @returns {Range}
 */
export function useRange() {
  const { query } = useRoute();
  const standing = useStore(usual);
  const beats = useStore(beat);
  const held = useStore(earliest);
  const first = held?.first ?? null;
  // Without an offset it is local time here, and would be UTC there.
  const custom = isoOf(query['from']);
  const until = isoOf(query['to']);
  const name = custom || until ? 'custom' : isRange(query['range']) ? query['range'] : standing;
  useEffect(() => {
    if (name === null) void look();
  }, [name === null]);
  useEffect(() => {
    if (name !== 'all' || held !== undefined) return;
    extent().then(
      (found) => earliest.set(found),
      () => earliest.set({ first: null, early: null }),
    );
  }, [name, held]);
  return useMemo(() => {
    const now = serverNow();
    if (name === 'custom') {
      const from = custom ? Date.parse(custom) : now - DAY;
      const to = until ? Date.parse(until) : now;
      return { range: 'custom', from, to, query: { since: custom ?? undefined, until: until ?? undefined } };
    }
    if (name === null) return { range: '', ...spanOf('24h', now, null), query: null };
    return { range: name, ...spanOf(name, now, first), query: { range: name } };
  }, [name, custom, until, beats, first]);
}

/**
 * Events that are of too long ago to be in all there is, where that is looked at.
 * @returns {import('../range.js').Early | null}
 */
export function useEarly() {
  const { range } = useRange();
  const held = useStore(earliest);
  return range === 'all' ? (held?.early ?? null) : null;
}

/**
 * Looks at another stretch: by name, or from and to (ISO or local time).
 * @param {string | {from: string, to?: string | null}} range
 */
export function setRange(range) {
  if (typeof range === 'string') setQuery({ range, from: null, to: null });
  else setQuery({ range: null, from: range.from, to: range.to ?? null });
}
