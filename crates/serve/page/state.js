// What views are drawn from: the address, the range, answers, what goes on now, the theme.

import { address, ask, extent, locked, serverNow, socketAddress } from './api.js';
import { useEffect, useMemo, useState } from './html.js';
import { EMPTY, createLive } from './live.js';
import { firstRange, isRange, lengthOf, spanOf } from './range.js';
import { formatRoute, parseRoute } from './route.js';
import { createStore, remember, remembered, useStore } from './store.js';

/** @typedef {import('./route.js').Route} Route */
/** @typedef {import('./range.js').Params} Params */
/** @typedef {import('./api.js').ApiError} ApiError */

// ---- The address

const routes = createStore(parseRoute(location.hash));
addEventListener('hashchange', () => routes.set(parseRoute(location.hash)));

/** Where the page is. @returns {Route} */
export function route() {
  return routes.get();
}

/** The same, drawn again when it changes. @returns {Route} */
export function useRoute() {
  return useStore(routes);
}

/**
 * The address of a view; the range stays as it is unless `query` names another.
 * @param {string} view
 * @param {(string | number)[]} [rest]
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export function link(view, rest = [], query = {}) {
  const { range, from, to } = routes.get().query;
  const kept = 'range' in query || 'from' in query ? {} : { range, from, to };
  return formatRoute(view, rest, { ...kept, ...query });
}

/**
 * Goes there.
 * @param {string} href as `link` makes them
 * @param {{replace?: boolean}} [options] replace: Back does not come here again
 */
export function go(href, { replace = false } = {}) {
  if (replace) {
    history.replaceState(history.state, '', href);
    routes.set(parseRoute(href));
  } else {
    location.hash = href;
  }
}

/**
 * Changes a part of the query of the address; `null` leaves it out.
 * @param {Record<string, string | number | null>} change
 * @param {{replace?: boolean}} [options]
 */
export function setQuery(change, options = {}) {
  const { view, rest, query } = routes.get();
  go(formatRoute(view, rest, { ...query, ...change }), options);
}

// ---- The range

/** The range where the address names none; `null`: not known yet. */
const usual = createStore(/** @type {string | null} */ (null));
/** When the earliest events are of; `undefined`: not asked for. */
const earliest = createStore(/** @type {number | null | undefined} */ (undefined));
/** Beats while anything is refreshed, so that what is relative to now goes on. */
const beat = createStore(0);
setInterval(() => {
  if (!paused.get() && !document.hidden) beat.set(beat.get() + 1);
}, 30_000);

/** Whether no agent's work was ever recorded; `null`: not known yet. */
const blank = createStore(/** @type {boolean | null} */ (null));
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
    blank.set(nothing);
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
  const first = useStore(earliest);
  const custom = query['from'] && Number.isFinite(Date.parse(query['from'])) ? query['from'] : null;
  const until = query['to'] && Number.isFinite(Date.parse(query['to'])) ? query['to'] : null;
  const name = custom || until ? 'custom' : isRange(query['range']) ? query['range'] : standing;
  useEffect(() => {
    if (name === null) void look();
  }, [name === null]);
  useEffect(() => {
    if (name !== 'all' || first !== undefined) return;
    extent().then(
      ({ first: at }) => earliest.set(at),
      () => earliest.set(null),
    );
  }, [name, first]);
  return useMemo(() => {
    const now = serverNow();
    if (name === 'custom') {
      const from = custom ? Date.parse(custom) : now - 86_400_000;
      const to = until ? Date.parse(until) : now;
      return { range: 'custom', from, to, query: { since: custom ?? undefined, until: until ?? undefined } };
    }
    if (name === null) return { range: '', ...spanOf('24h', now, null), query: null };
    return { range: name, ...spanOf(name, now, first ?? null), query: { range: name } };
  }, [name, custom, until, beats, first]);
}

/**
 * Looks at another stretch: by name, or from and to (ISO or local time).
 * @param {string | {from: string, to?: string | null}} range
 */
export function setRange(range) {
  if (typeof range === 'string') setQuery({ range, from: null, to: null });
  else setQuery({ range: null, from: range.from, to: range.to ?? null });
}

// ---- Answers

/** @typedef {{at: number, took: number, answer: any}} Kept */
/** What was answered, so that coming back to a view shows it at once. @type {Map<string, Kept>} */
const kept = new Map();
const MOST_KEPT = 200;
/** Questions under way: what two parts of a view ask is asked once. @type {Map<string, Promise<any>>} */
const underWay = new Map();

/**
 * @param {string} key
 * @param {string} name
 * @param {Params} params
 */
function asked(key, name, params) {
  const already = underWay.get(key);
  if (already) return already;
  const begun = Date.now();
  const answer = ask(name, params)
    .then((found) => {
      kept.delete(key);
      kept.set(key, { at: Date.now(), took: Date.now() - begun, answer: found });
      // The oldest goes first.
      for (const old of kept.keys()) {
        if (kept.size <= MOST_KEPT) break;
        kept.delete(old);
      }
      return found;
    })
    .finally(() => underWay.delete(key));
  underWay.set(key, answer);
  return answer;
}

/** Of the time, one part in so many is spent on asking again for what grows. */
const SHARE = 25;

/**
 * How long an answer is good enough while work goes on, milliseconds: longer
 * where it is dear, and where the range is so long that little is seen of it.
 * @param {Kept | null} last
 * @param {Params} params
 */
function patience(last, params) {
  const length = lengthOf(String(params['range'] ?? ''));
  const least = length !== null && length <= 6 * 3600e3 ? 1000 : 5000;
  return Math.max(least, (last?.took ?? 0) * SHARE);
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
 * @param {{every?: number}} [options] seconds between two times; 0: once
 * @returns {Asked}
 */
export function useAnswer(name, params, { every = 30 } = {}) {
  const waiting = name === null || params === null;
  const key = waiting ? '' : keyOf(name, params);
  const [, draw] = useState(0);
  const [box] = useState(() => ({
    key: '',
    subject: '',
    /** @type {Kept | null} */ kept: null,
    /** @type {ApiError | null} */ error: null,
    turn: 0,
    done: 0,
  }));
  const still = useStore(paused);
  const open = !useStore(locked);
  if (!waiting && box.key !== key) {
    const same = subject(name, params);
    box.kept = kept.get(key) ?? (same === box.subject ? box.kept : null);
    box.error = null;
    box.key = key;
    box.subject = same;
  }
  useEffect(() => {
    if (waiting || !open) return;
    let gone = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    let timer;
    const once = async () => {
      try {
        await asked(key, name, params);
        if (gone) return;
        box.kept = kept.get(key) ?? box.kept;
        box.error = null;
      } catch (error) {
        if (gone) return;
        box.error = /** @type {ApiError} */ (error);
      }
      draw((n) => n + 1);
      clearTimeout(timer);
      if (every > 0 && !still) timer = setTimeout(again, every * 1000);
    };
    const again = () => {
      // Nobody looks: when somebody does, see below.
      if (!document.hidden) void once();
    };
    const seen = () => {
      const old = Date.now() - (box.kept?.at ?? 0) > every * 1000;
      if (!document.hidden && every > 0 && !still && old) void once();
    };
    // While work goes on, as soon as what is shown has had its time.
    const grow = () => {
      if (every === 0 || still || document.hidden) return;
      clearTimeout(timer);
      const due = (box.kept?.at ?? 0) + patience(box.kept, params) - Date.now();
      timer = setTimeout(again, Math.min(Math.max(due, 0), every * 1000));
    };
    const stop = grown.watch(grow);
    document.addEventListener('visibilitychange', seen);
    const held = kept.get(key);
    const fresh = held && Date.now() - held.at < Math.max(every, 1) * 1000;
    const forced = box.turn !== box.done;
    box.done = box.turn;
    if (forced || !held || (!fresh && !still)) void once();
    else if (every > 0 && !still) timer = setTimeout(again, held.at + every * 1000 - Date.now());
    return () => {
      gone = true;
      clearTimeout(timer);
      stop();
      document.removeEventListener('visibilitychange', seen);
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

// ---- What goes on now

/** @typedef {import('./live.js').LiveModel & {state: import('./live.js').LiveState}} LiveNow */

const now = createStore(/** @type {LiveNow} */ ({ ...EMPTY, state: 'connecting' }));
/** Whether nothing is refreshed. */
export const paused = createStore(false);
/** Who wants which families. @type {Map<object, readonly string[]>} */
const wanted = new Map();
const WINDOW_SECONDS = 300;
/** Always: so that most views share a stream, and the growth of any is seen. */
const USUAL = ['agent', 'cache', 'model', 'tool'];

/** When the newest work is of that the stream told of: while it comes, figures are asked for again. */
const grown = createStore('');
/** What the machine measures comes all the time and is no work. */
const WORK = ['tool', 'model', 'cache', 'agent', 'query'];

/** @param {import('./live.js').LiveModel} model */
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
    now.set({ ...model, state });
    grown.set(newest(model));
    // The first of all work.
    if (grown.get() !== '') blank.set(false);
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
  void look();
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
  beat.set(beat.get() + 1);
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

// ---- The theme

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
 * The theme that was chosen, the shade it comes to, and how to choose another.
 * @returns {{theme: Theme, shade: 'light' | 'dark', setTheme: (next: Theme) => void}}
 */
export function useTheme() {
  const theme = useStore(themes);
  return { theme, shade: useStore(shades), setTheme };
}

/** @param {Theme} next */
function setTheme(next) {
  const root = document.documentElement;
  if (next === 'system') root.removeAttribute('data-theme');
  else root.setAttribute('data-theme', next);
  remember('theme', next === 'system' ? null : next);
  themes.set(next);
}

/**
 * An address of the server's that a person may copy, such as for `curl`.
 * @param {string} path
 */
export function serverAddress(path) {
  return address(path).href;
}
