// Stretches of time that can be looked at, and how the API is asked for them. Pure.

import { DAY, HOUR, MINUTE } from './format.js';

/** Those to choose from, the shortest first; `null`: as long as there is anything. */
export const RANGES = /** @type {const} */ ([
  ['15m', 15 * MINUTE],
  ['1h', HOUR],
  ['6h', 6 * HOUR],
  ['24h', DAY],
  ['7d', 7 * DAY],
  ['14d', 14 * DAY],
  ['30d', 30 * DAY],
  ['all', null],
]);

/** @typedef {'15m' | '1h' | '6h' | '24h' | '7d' | '14d' | '30d' | 'all'} RangeName */
/** @typedef {Record<string, string | number | boolean | null | undefined>} Params */

const LENGTHS = new Map(/** @type {[string, number | null][]} */ (RANGES.map(([name, ms]) => [name, ms])));

/**
 * @param {string | undefined} text
 * @returns {text is RangeName}
 */
export function isRange(text) {
  return text !== undefined && LENGTHS.has(text);
}

/**
 * Milliseconds; `null`: all there is, or no range.
 * @param {string} range
 */
export function lengthOf(range) {
  return LENGTHS.get(range) ?? null;
}

/**
 * Parameters that the API understands in the place of `range`; a `range` is
 * asked for as it is at the moment of asking, so that its name stays the same
 * while its time goes on.
 * @param {Params} params
 * @param {number} now milliseconds since 1970
 * @param {number | null} first the earliest there is, for `all`
 * @returns {Params}
 */
export function expanded(params, now, first) {
  const { range, ...rest } = params;
  if (range === undefined || range === null) return rest;
  const length = lengthOf(String(range));
  if (length === null) {
    if (first === null) return { ...rest, days: 36500 };
    return { ...rest, since: new Date(first).toISOString() };
  }
  if (length % DAY === 0) return { ...rest, days: length / DAY };
  if (length % HOUR === 0) return { ...rest, hours: length / HOUR };
  return { ...rest, since: new Date(now - length).toISOString() };
}

/**
 * Where a range lies.
 * @param {string} range
 * @param {number} now
 * @param {number | null} first
 * @returns {{from: number, to: number}}
 */
export function spanOf(range, now, first) {
  const length = lengthOf(range);
  if (length !== null) return { from: now - length, to: now };
  return { from: Math.min(first ?? now - 30 * DAY, now), to: now };
}

/** Clocks that were never set begin in 1970; agents did not work before this. */
const PLAUSIBLE = '2000-01-01';

/**
 * @typedef {object} Early events of days on which no agent can have worked
 * @property {number} events
 * @property {string} from the first of these days
 * @property {string} to the day after the last
 */

/**
 * Where what is recorded begins, and what is told to be of long before: a single
 * event of a clock that was never set would make all there is half a century wide.
 * @param {readonly {date: string, events: number}[]} days in order
 * @returns {{first: number | null, early: Early | null}} first: milliseconds since 1970
 */
export function beginning(days) {
  const odd = days.filter(({ date }) => date < PLAUSIBLE);
  const last = odd.at(-1);
  // Where nothing else is there, that is what there is.
  const kept = odd.length < days.length;
  const first = Date.parse((kept ? days[odd.length] : days[0])?.date ?? '');
  return {
    first: Number.isFinite(first) ? first : null,
    early:
      last && odd[0] && kept
        ? {
            events: odd.reduce((sum, { events }) => sum + events, 0),
            from: odd[0].date,
            to: new Date(Date.parse(last.date) + DAY).toISOString().slice(0, 10),
          }
        : null,
  };
}

/**
 * An instant with its offset, in UTC; `null`: the text is no time.
 * @param {string | undefined} text
 */
export function isoOf(text) {
  const at = Date.parse(text ?? '');
  return Number.isFinite(at) ? new Date(at).toISOString() : null;
}

/** Calls that make a picture; fewer are a few dots. */
const ENOUGH = 200;

/**
 * The range to begin with: the shortest that holds the newest work and enough
 * of it to be worth a picture.
 * @param {readonly {from: string, count: number, unknown: number}[]} buckets of a timeline of everything
 * @param {number} bucketMs their length
 * @param {number} now
 * @returns {RangeName | null} `null`: there is nothing in these buckets
 */
export function firstRange(buckets, bucketMs, now) {
  // Measurements of the machine come all the time and tell no outcome; work does.
  const worked = buckets.filter((bucket) => bucket.count > bucket.unknown);
  const held = worked.length > 0 ? worked : buckets.filter((bucket) => bucket.count > 0);
  if (held.length === 0) return null;
  const figure = worked.length > 0 ? work : every;
  const total = held.reduce((sum, bucket) => sum + figure(bucket), 0);
  const wanted = Math.min(ENOUGH, total);
  for (const [name, length] of RANGES) {
    if (length === null || length < HOUR) continue;
    // A stretch that lies in it by half does count.
    const inside = held.filter((bucket) => Date.parse(bucket.from) + bucketMs / 2 >= now - length);
    if (inside.reduce((sum, bucket) => sum + figure(bucket), 0) >= wanted) return name;
  }
  return 'all';
}

/** @param {{count: number, unknown: number}} bucket */
const work = (bucket) => bucket.count - bucket.unknown;
/** @param {{count: number}} bucket */
const every = (bucket) => bucket.count;
