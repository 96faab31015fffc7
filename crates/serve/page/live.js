// What goes on now: one WebSocket for the whole page, and asking every two
// seconds where there can be none. The upper half is pure.

/** @typedef {{name: string, source?: string | null, [figure: string]: unknown}} Series one series of `/api/v1/live` */
/**
 * @typedef {object} LiveModel what is known of now
 * @property {number} seq of the last message
 * @property {string | null} timestamp of the last message
 * @property {Record<string, Series[]>} families
 * @property {Record<string, number | null> | null} overview
 * @property {{firing: any[], pending: any[]} | null} alerts
 */
/**
 * @typedef {object} LiveMessage
 * @property {string} [type] `snapshot`, `delta`, or what is none of our business
 * @property {number} [seq]
 * @property {string} [timestamp]
 * @property {Record<string, Series[]>} [families]
 * @property {Record<string, string[][]>} [gone] source and name of those that are no more
 * @property {Record<string, number | null>} [overview]
 * @property {{firing: any[], pending: any[]}} [alerts]
 */
/** @typedef {'connecting' | 'live' | 'paused' | 'reconnecting' | 'offline'} LiveState */

/** @type {LiveModel} */
export const EMPTY = { seq: 0, timestamp: null, families: {}, overview: null, alerts: null };

/**
 * What tells one series of a family from the others: a letter no name has is
 * between its source and its name.
 * @param {Series | readonly string[]} series a series, or its source and name
 */
export function seriesKey(series) {
  const [source, name] = 'name' in series ? [series.source, series.name] : series;
  return `${source ?? ''}\n${name ?? ''}`;
}

/** Of a longer name the stream tells the beginning, bytes in UTF-8. */
const MOST_NAME = 256;

/**
 * What the stream calls what has that name.
 * @param {string} name
 */
export function liveName(name) {
  // Of no letter there are more than three bytes for each unit of JavaScript's.
  if (name.length * 3 <= MOST_NAME) return name;
  const bytes = new TextEncoder().encode(name);
  if (bytes.length <= MOST_NAME) return name;
  let end = MOST_NAME;
  // Not within a letter.
  while ((Number(bytes[end]) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(0, end));
}

/**
 * The model after a message. A snapshot stands for itself; a delta replaces the
 * series it names and keeps the others, as the objects they were. What came
 * before already, out of order, or is no such message leaves it as it is.
 * @param {LiveModel} model
 * @param {LiveMessage} message
 * @returns {LiveModel}
 */
export function applied(model, message) {
  const snapshot = message.type === 'snapshot';
  if (!snapshot && message.type !== 'delta') return model;
  const seq = message.seq ?? model.seq;
  if (!snapshot && seq <= model.seq) return model;
  const families = snapshot ? {} : { ...model.families };
  for (const [family, series] of Object.entries(message.families ?? {})) {
    families[family] = snapshot ? series : merged(families[family] ?? [], series);
  }
  for (const [family, keys] of Object.entries(snapshot ? {} : (message.gone ?? {}))) {
    const gone = new Set(keys.map(seriesKey));
    families[family] = (families[family] ?? []).filter((one) => !gone.has(seriesKey(one)));
  }
  return {
    seq,
    timestamp: message.timestamp ?? model.timestamp,
    families,
    overview: message.overview ?? (snapshot ? null : model.overview),
    alerts: message.alerts ?? (snapshot ? null : model.alerts),
  };
}

/**
 * @param {Series[]} before
 * @param {Series[]} changed
 */
function merged(before, changed) {
  const left = new Map(changed.map((series) => [seriesKey(series), series]));
  const out = before.map((series) => {
    const key = seriesKey(series);
    const now = left.get(key);
    left.delete(key);
    return now ?? series;
  });
  return [...out, ...left.values()];
}

/**
 * How long to wait before the next attempt, milliseconds: doubling from half a
 * second to fifteen, spread by a quarter so that pages do not all come at once.
 * @param {number} attempt 0 for the first after a loss
 * @param {number} [chance] 0..1
 */
export function backoff(attempt, chance = Math.random()) {
  const base = Math.min(500 * 2 ** Math.min(attempt, 10), 15_000);
  return Math.round(base * (0.75 + 0.5 * chance));
}

const POLL_MS = 2000;
/** The server says something every five seconds; a longer silence is a broken line. */
const SILENCE_MS = 15_000;
/** Attempts in vain after which is asked instead. */
const PATIENCE = 2;

/**
 * What the connection needs of the world, so that tests can be the world.
 * @typedef {object} World
 * @property {(families: string[], after: number | null) => {readyState: number, close: () => void, onmessage: any, onclose: any, onopen: any}} open a WebSocket
 * @property {(families: string[]) => Promise<LiveMessage>} poll a snapshot
 * @property {(call: () => void, ms: number) => unknown} later
 * @property {(id: any) => void} cancel
 * @property {(call: () => void) => void} frame calls before the next picture
 */

/**
 * @param {World} world
 * @param {(model: LiveModel, state: LiveState) => void} changed called at most once a frame
 */
export function createLive(world, changed) {
  let model = EMPTY;
  /** @type {LiveState} */
  let state = 'connecting';
  /** @type {ReturnType<World['open']> | null} */
  let socket = null;
  /** @type {unknown} */
  let timer = null;
  /** @type {string[] | null} */
  let families = null;
  let attempt = 0;
  let due = false;
  // Counts connections: what a former one still says is not heard.
  let turn = 0;

  const tell = () => {
    if (due) return;
    due = true;
    world.frame(() => {
      due = false;
      changed(model, state);
    });
  };
  /** @param {LiveState} next */
  const become = (next) => {
    if (state === next) return;
    state = next;
    tell();
  };
  const hangUp = () => {
    turn += 1;
    if (timer !== null) world.cancel(timer);
    timer = null;
    const old = socket;
    socket = null;
    if (old === null) return;
    // To close one that is not open yet is an error in the eyes of browsers.
    if (old.readyState === 0) old.onopen = () => old.close();
    else old.close();
  };
  /** @param {LiveMessage} message */
  const hear = (message) => {
    const next = applied(model, message);
    if (next !== model) {
      model = next;
      tell();
    }
  };

  function connect() {
    if (families === null) return;
    hangUp();
    const mine = turn;
    let heard = false;
    /** @type {ReturnType<World['open']>} */
    let opened;
    try {
      opened = world.open(families, model.seq > 0 ? model.seq : null);
    } catch {
      lost();
      return;
    }
    socket = opened;
    const listen = () => {
      if (timer !== null) world.cancel(timer);
      timer = world.later(() => {
        hangUp();
        lost();
      }, SILENCE_MS);
    };
    listen();
    opened.onmessage = (/** @type {{data: unknown}} */ event) => {
      if (mine !== turn) return;
      /** @type {LiveMessage} */
      let message;
      try {
        message = JSON.parse(String(event.data));
      } catch {
        return;
      }
      heard = true;
      attempt = 0;
      become('live');
      hear(message);
      listen();
    };
    opened.onclose = () => {
      if (mine !== turn) return;
      hangUp();
      // A connection that said something was one; the next begins at once.
      if (heard) attempt = 0;
      lost();
    };
  }

  function lost() {
    attempt += 1;
    if (state !== 'offline') become(attempt > 1 || state === 'live' ? 'reconnecting' : state);
    if (attempt > PATIENCE) void poll();
    else timer = world.later(connect, backoff(attempt - 1));
  }

  /** Asks instead, and now and then tries whether there is a WebSocket again. */
  async function poll() {
    const mine = turn;
    try {
      const message = await world.poll(families ?? []);
      if (mine !== turn) return;
      // It stands for itself, whatever the numbers of a server before it were.
      hear({ ...message, type: 'snapshot' });
      become('live');
      attempt += 1;
      const again = attempt % 8 === 0 ? connect : poll;
      timer = world.later(() => void again(), POLL_MS);
    } catch {
      if (mine !== turn) return;
      become('offline');
      timer = world.later(connect, backoff(attempt));
    }
  }

  return {
    /**
     * From now on of these families.
     * @param {Iterable<string>} wanted
     */
    want(wanted) {
      const next = [...new Set(wanted)].sort();
      if (families !== null && next.join() === families.join()) return;
      families = next;
      // Its numbers count the messages of the other choice.
      model = { ...model, seq: 0 };
      if (state !== 'paused') connect();
    },
    pause() {
      hangUp();
      become('paused');
    },
    resume() {
      if (state !== 'paused') return;
      attempt = 0;
      become('connecting');
      connect();
    },
    /** Tries at once instead of when its time comes. */
    retry() {
      if (state === 'paused' || state === 'live') return;
      attempt = 0;
      become('reconnecting');
      connect();
    },
    close() {
      hangUp();
      families = null;
    },
    get state() {
      return state;
    },
    get model() {
      return model;
    },
  };
}
