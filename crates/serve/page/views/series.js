// A timeline as what charts, tables and sentences are made of. Pure.

import { timeLabel } from '../charts/axes.js';
import { counted, delta } from '../format.js';

/** @typedef {import('../types.d.ts').Timeline} Timeline */
/** @typedef {import('../types.d.ts').Bucket} Bucket */
/** @typedef {(number | null)[]} Values */
/** @typedef {import('../parts/table.js').Column} Column */

/** @type {never[]} */
const NONE = [];

/**
 * When stretches begin, in seconds since 1970.
 * @param {Timeline | null | undefined} timeline
 * @returns {number[]}
 */
export function times(timeline) {
  return timeline ? timeline.buckets.map((bucket) => Date.parse(bucket.from) / 1000) : NONE;
}

/**
 * A figure of each stretch.
 * @param {Timeline | null | undefined} timeline
 * @param {(bucket: Bucket) => number | null} figure
 * @returns {Values}
 */
export function values(timeline, figure) {
  return timeline ? timeline.buckets.map(figure) : NONE;
}

/**
 * A figure of the stretches that begin then; a timeline that was asked for a
 * moment later may begin with another.
 * @param {Timeline | null | undefined} timeline
 * @param {readonly number[]} x seconds since 1970
 * @param {(bucket: Bucket) => number | null} figure
 * @returns {Values}
 */
export function valuesAt(timeline, x, figure) {
  const found = values(timeline, figure);
  const by = new Map(times(timeline).map((at, here) => [at, found[here] ?? null]));
  return x.map((at) => by.get(at) ?? null);
}

/** Milliseconds that what is asked together may lie apart. */
const APART_MS = 60_000;

/**
 * An answer, where it is of the time that a timeline is of: each comes in its
 * own time, and one of them may still be of another range.
 * @param {any} answer
 * @param {any} timeline the whole answer, too
 * @returns {any} null: it is of another, or one of them is not there
 */
export function alongside(answer, timeline) {
  if (!answer || !timeline) return null;
  const apart = Math.min(timeline.timeline.bucket_seconds * 1000, APART_MS);
  const same = (/** @type {'from' | 'to'} */ end) => {
    const [one, other] = [answer.about[end], timeline.about[end]];
    return one === other || Math.abs(Date.parse(one) - Date.parse(other)) <= apart;
  };
  return same('from') && same('to') ? answer : null;
}

/**
 * A figure that adds up: where nothing was called it is 0, and unknown only where
 * what was called does not tell it.
 * @param {'sum' | 'cost_usd' | 'input_tokens' | 'output_tokens'} key
 * @returns {(bucket: Bucket) => number | null}
 */
export function spent(key) {
  return (bucket) => bucket[key] ?? (bucket.count === 0 ? 0 : null);
}

/** The part of look-ups that a cache answered. @param {Bucket} bucket */
export function hitRatio(bucket) {
  return ratio(bucket.hits, (bucket.hits ?? 0) + (bucket.misses ?? 0));
}

/** The part that failed, of those that say how they ended. @param {Bucket} bucket */
export function failureRatio(bucket) {
  return ratio(bucket.failed, bucket.count - bucket.unknown);
}

/**
 * How many there were, and which part of those that say how they ended failed.
 * @param {import('../types.d.ts').Outcomes} calls
 */
export function outcome({ succeeded, failed, unknown }) {
  return { all: succeeded + failed + unknown, failing: ratio(failed, succeeded + failed) };
}

/**
 * @param {number | null | undefined} part
 * @param {number} whole
 */
export function ratio(part, whole) {
  return typeof part === 'number' && whole > 0 ? part / whole : null;
}

/**
 * @param {Values} list
 * @returns {number | null} `null`: there is none to add up
 */
export function total(list) {
  let sum = null;
  for (const value of list) if (value !== null) sum = (sum ?? 0) + value;
  return sum;
}

/**
 * The largest, and when it was.
 * @param {readonly number[]} x
 * @param {Values} list
 * @returns {{value: number, when: string} | null}
 */
export function peak(x, list) {
  let at = -1;
  list.forEach((value, here) => {
    if (value !== null && (at < 0 || value > Number(list[at]))) at = here;
  });
  if (at < 0) return null;
  const step = x.length > 1 ? Number(x[1]) - Number(x[0]) : 60;
  return { value: Number(list[at]), when: timeLabel(Number(x[at]), step) };
}

/**
 * Whether figures lie so far apart that a plain axis shows but the largest.
 * @param {readonly Values[]} lists
 */
export function isWide(lists) {
  const known = lists
    .flat()
    .filter((value) => value !== null && value > 0)
    .map(Number);
  return known.length > 1 && Math.max(...known) > 40 * Math.min(...known);
}

/**
 * What timelines leave out as it is in the future, though figures of the whole
 * time may count it; empty: nothing is.
 * @param {readonly (Timeline | null)[]} timelines
 */
export function ahead(timelines) {
  const later = timelines.reduce((sum, timeline) => sum + (timeline?.later ?? 0), 0);
  return later > 0 ? ` Not drawn: ${counted(later, 'event')} in the future.` : '';
}

/**
 * How the later half compares with the earlier: `+12 % on the time before`.
 * @param {number | null | undefined} now
 * @param {number | null | undefined} before
 */
export function against(now, before) {
  const told = delta(now, before);
  return told === '–'
    ? ''
    : told === 'as before'
      ? 'as in the time before'
      : `${told} ${told.endsWith('times') ? 'that of' : 'on'} the time before`;
}

/**
 * Rows of a table that says what a chart shows, and the columns for the time
 * and for each series.
 * @param {readonly number[]} x
 * @param {readonly {key: string, label: string, unit: import('../format.js').Unit, values: Values}[]} series
 * @returns {{columns: Column[], rows: () => any[]}}
 */
export function twin(x, series) {
  const step = x.length > 1 ? Number(x[1]) - Number(x[0]) : 60;
  return {
    columns: [
      { key: 'at', label: 'From', unit: 'text', format: (seconds) => timeLabel(seconds, step) },
      ...series.map(({ key, label, unit }) => ({ key, label, unit })),
    ],
    rows: () =>
      x.map((at, here) => {
        /** @type {Record<string, number | null>} */
        const row = { at };
        for (const { key, values: list } of series) row[key] = list[here] ?? null;
        return row;
      }),
  };
}

/**
 * How long a stretch is, in words: `3 h`.
 * @param {Timeline | null | undefined} timeline
 */
export function stretch(timeline) {
  const seconds = timeline?.bucket_seconds ?? 0;
  for (const [length, one] of /** @type {const} */ ([
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ])) {
    if (seconds >= length && seconds % length === 0) {
      const many = seconds / length;
      return many === 1 ? one : `${many} ${one}s`;
    }
  }
  return '';
}
