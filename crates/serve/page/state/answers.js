// What the API answers, asked again while it grows.

import { ask, locked } from '../api.js';
import { useEffect, useState } from '../html.js';
import { lengthOf } from '../range.js';
import { createStore, useStore } from '../store.js';
import { grown, paused, returned } from './now.js';
import { USUAL, createRounds, patience } from './rounds.js';

/** @typedef {import('../range.js').Params} Params */
/** @typedef {import('../api.js').ApiError} ApiError */

/** @typedef {{begun: number, at: number, took: number, answer: any}} Kept */
/** What was answered, so that coming back to a view shows it at once. @type {Map<string, Kept>} */
const kept = new Map();
const MOST_KEPT = 200;
/** Questions under way: what two parts of a view ask is asked once. @type {Map<string, Promise<any>>} */
const underWay = new Map();

/**
 * @param {string} key
 * @param {string} name
 * @param {Params} params
 * @param {boolean} anew something was changed: what is under way does not know of it yet
 */
function asked(key, name, params, anew) {
  const already = underWay.get(key);
  if (already && !anew) return already;
  const begun = performance.now();
  const answer = ask(name, params)
    .then((found) => {
      // What was asked earlier and comes later is older.
      if ((kept.get(key)?.begun ?? 0) > begun) return found;
      kept.delete(key);
      kept.set(key, { begun, at: Date.now(), took: performance.now() - begun, answer: found });
      // The oldest goes first.
      for (const old of kept.keys()) {
        if (kept.size <= MOST_KEPT) break;
        kept.delete(old);
      }
      return found;
    })
    .finally(() => {
      if (underWay.get(key) === answer) underWay.delete(key);
    });
  underWay.set(key, answer);
  return answer;
}

/** Questions whose answer is still that of another range: what is shown is not what was chosen. */
export const turning = createStore(0);

/** What is asked again together, by seconds between two times. @type {Map<number, ReturnType<typeof createRounds>>} */
const rounds = new Map();
const world = {
  now: () => Date.now(),
  later: (/** @type {() => void} */ call, /** @type {number} */ ms) => setTimeout(call, ms),
  cancel: (/** @type {any} */ id) => clearTimeout(id),
  unseen: () => document.hidden,
};
// While work goes on, as soon as what is shown has had its time.
grown.watch(() => rounds.forEach((some) => some.grow()));
// What was due while nobody looked was left out.
document.addEventListener('visibilitychange', () => rounds.forEach((some) => some.plan()));

/** @param {number} every seconds */
function roundsOf(every) {
  const found = rounds.get(every) ?? createRounds(world, every * 1000);
  rounds.set(every, found);
  return found;
}

/** What stays the same while only the range changes. @param {string} name @param {Params} params */
function subject(name, params) {
  const { range: _range, since: _since, until: _until, ...rest } = params;
  return keyOf(name, rest);
}

/** @param {string} name @param {Params} params */
function keyOf(name, params) {
  const pairs = Object.entries(params).filter(([, value]) => value !== undefined && value !== null);
  return `${name} ${JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))}`;
}

/**
 * @typedef {object} Asked
 * @property {any} answer the last there was; `null`: none yet
 * @property {ApiError | null} error of the last time it was asked
 * @property {boolean} loading there is no answer yet
 * @property {number | null} stale since when what is shown is not up to date, milliseconds since 1970
 * @property {() => void} reload
 */

/**
 * Asks the API, and again every so often; the last answer stays until there is
 * another, and while a new range is asked for.
 * @param {string | null} name of the question; `null`: asks nothing
 * @param {Params | null} params `null`: not yet
 * @param {{every?: number}} [options] seconds between two times; while more comes in
 *   fewer, unless they are more than usual; 0: once
 * @returns {Asked}
 */
export function useAnswer(name, params, { every = USUAL } = {}) {
  const waiting = name === null || params === null;
  const key = waiting ? '' : keyOf(name, params);
  const [, draw] = useState(0);
  const [box] = useState(() => ({
    key: '',
    subject: '',
    /** What is kept is of. */ of: '',
    /** @type {Kept | null} */ kept: null,
    /** @type {ApiError | null} */ error: null,
    /** When it failed last. */ failed: 0,
    turn: 0,
    done: 0,
  }));
  const still = useStore(paused);
  const open = !useStore(locked);
  if (!waiting && box.key !== key) {
    const same = subject(name, params);
    const held = kept.get(key);
    if (held) box.of = key;
    box.kept = held ?? (same === box.subject ? box.kept : null);
    box.error = null;
    box.key = key;
    box.subject = same;
  }
  useEffect(() => {
    if (waiting || !open) return;
    let gone = false;
    const length = lengthOf(String(params['range'] ?? ''));
    const other = box.kept !== null && box.of !== key;
    if (other) turning.set(turning.get() + 1);
    let turned = !other;
    const turn = () => {
      if (!turned) turning.set(turning.get() - 1);
      turned = true;
    };
    /** @type {unknown} */
    let failure = null;
    const question = async (anew = false) => {
      failure = null;
      try {
        await asked(key, name, params, anew);
      } catch (error) {
        failure = error;
        box.failed = Date.now();
      }
    };
    const show = () => {
      if (gone) return;
      if (failure === null) {
        box.kept = kept.get(key) ?? box.kept;
        box.of = key;
      } else if (box.of !== key) {
        // Figures of another range are none of this one.
        box.kept = null;
      }
      box.error = /** @type {ApiError | null} */ (failure);
      turn();
      draw((n) => n + 1);
    };
    /** @type {(() => void) | undefined} */
    let leave;
    const join = () => {
      if (gone || every === 0 || still || leave) return;
      leave = roundsOf(every).join({
        // A server that has too much to do is not asked the more for it.
        asked: () => Math.max(kept.get(key)?.at ?? 0, box.failed),
        wait: () => patience({ every, took: kept.get(key)?.took ?? 0, length }),
        ask: question,
        show,
      });
    };
    const once = async (anew = false) => {
      await question(anew);
      show();
      join();
    };
    const found = returned.watch(() => {
      if (box.error !== null) void once();
    });
    const held = kept.get(key);
    const fresh = held && Date.now() - held.at < Math.max(every, 1) * 1000;
    const forced = box.turn !== box.done;
    box.done = box.turn;
    if (forced || !held || (!fresh && !still)) void once(forced);
    else {
      // Another part of the view asked, and was answered after this one was drawn.
      if (box.kept !== held) show();
      join();
    }
    return () => {
      gone = true;
      turn();
      leave?.();
      found();
    };
  }, [key, waiting, every, still, open, box.turn]);
  const answered = !waiting && box.kept !== null;
  return {
    answer: answered ? box.kept?.answer : null,
    error: waiting ? null : box.error,
    loading: !answered && box.error === null,
    stale: answered && box.error !== null ? (box.kept?.at ?? null) : null,
    reload: () => {
      box.turn += 1;
      draw((n) => n + 1);
    },
  };
}
