// Asking the server. Every address is relative to the page's own.

import { beginning, expanded } from './range.js';
import { createStore } from './store.js';

/** @typedef {import('./range.js').Params} Params */

/** What went wrong, and the way out where one is known. */
export class ApiError extends Error {
  /**
   * @param {number} status of HTTP; 0: there was no answer at all
   * @param {string} title
   * @param {string} detail
   * @param {string} [hint]
   * @param {Record<string, unknown>} [problem] the whole document, with its members
   */
  constructor(status, title, detail, hint = '', problem = {}) {
    super(detail || title);
    this.name = 'ApiError';
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.hint = hint;
    this.problem = problem;
  }
}

const TOKEN = 'tachograph.token';

/** Whether the server asks for a token that this page does not have. */
export const locked = createStore(false);

/** Whether the token that this page has is not the server's. */
export const refused = createStore(false);

/** A header holds no other characters: whatever has some is no server's token. @param {string | null} text */
const isSendable = (text) => text === null || /^[\x20-\x7e]*$/.test(text);

/** Whether a token was given that cannot even be sent. */
let unsendable = false;
let token = takeToken();
/** Whether the server asks for one at all: a link alone opens nothing of its API then. */
export const guarded = createStore(token !== null);
/** How far the server's clock is ahead of this one, milliseconds. */
let skew = 0;

/**
 * The token in the address goes out of sight: into this tab's own storage, so
 * that it is in no bookmark and in no history.
 */
function takeToken() {
  if (typeof location === 'undefined') return null;
  const address = new URL(location.href);
  const given = address.searchParams.get('token');
  unsendable = !isSendable(given);
  try {
    if (given === null) {
      const kept = sessionStorage.getItem(TOKEN);
      return isSendable(kept) ? kept : null;
    }
    if (unsendable) sessionStorage.removeItem(TOKEN);
    else sessionStorage.setItem(TOKEN, given);
  } catch {
    // Without storage it lives as long as the page.
  }
  if (given !== null) {
    address.searchParams.delete('token');
    history.replaceState(history.state, '', address);
  }
  return unsendable ? null : given;
}

/**
 * Asks with this token from now on.
 * @param {string} text
 */
export function setToken(text) {
  if (!isSendable(text)) {
    refused.set(true);
    return;
  }
  unsendable = false;
  token = text;
  try {
    sessionStorage.setItem(TOKEN, text);
  } catch {
    // As above.
  }
  refused.set(false);
  locked.set(false);
}

/** The present by the server's clock, milliseconds since 1970. */
export function serverNow() {
  return Date.now() + skew;
}

/**
 * The address of something of the server's, such as `api/v1/tools`.
 * @param {string} path
 * @param {Params} [params]
 */
export function address(path, params = {}) {
  const url = new URL(path, document.baseURI);
  url.hash = '';
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  return url;
}

/**
 * The address of a WebSocket, which can send no header: the token stands in it.
 * @param {string} path
 * @param {Params} params
 */
export function socketAddress(path, params) {
  const url = address(path, token === null ? params : { ...params, token });
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url;
}

/** The server takes addresses of 64 KiB less two, and names of 16 Ki letters. */
const LONGEST = 65_000;
const LONGEST_NAME = 16_384;

/**
 * Whether the server takes such an address: names from outside stand in it, and
 * those of files that others write are as long as they please.
 * @param {URL} url
 */
export function isAskable(url) {
  const names = ['name', 'source'].map((name) => url.searchParams.get(name) ?? '');
  return url.href.length <= LONGEST && names.every((name) => name.length <= LONGEST_NAME);
}

/** For an address that is too long: whoever does not take it, the server or a proxy, answers without a word. */
const tooLong = () =>
  new ApiError(
    414,
    'the name is too long to be asked for',
    'It stands in the address of the question, which the server takes up to 64 KiB, and names up to 16 384 letters.',
    "SQL finds it by its beginning: where name like 'beginning%'.",
  );

/**
 * @param {string} method
 * @param {URL} url
 * @param {{body?: unknown, signal?: AbortSignal | undefined, accept?: string}} [options]
 * @returns {Promise<Response>}
 */
async function request(method, url, { body, signal, accept = 'application/json' } = {}) {
  if (!isAskable(url)) throw tooLong();
  /** @type {Record<string, string>} */
  const headers = { accept };
  const sent = token;
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  /** @type {RequestInit} */
  const init = { method, headers, cache: 'no-store', credentials: 'same-origin' };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    headers['content-type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  /** @type {Response} */
  let response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    if (signal?.aborted) throw error;
    const where = `${url.host} did not answer`;
    throw new ApiError(0, 'the server cannot be reached', where, 'See whether tacho start still runs.');
  }
  const date = Date.parse(response.headers.get('date') ?? '');
  // A `Date` has whole seconds: less than two tell nothing.
  if (Number.isFinite(date)) skew = Math.abs(date - Date.now()) > 2000 ? date - Date.now() : 0;
  if (!response.ok) throw await failure(response, sent);
  return response;
}

/**
 * @param {Response} response
 * @param {string | null} sent the token that it was asked with
 */
async function failure(response, sent) {
  if (response.status === 414) return tooLong();
  /** @type {Record<string, unknown>} */
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // No problem document, so the status has to do.
  }
  const text = (/** @type {string} */ name) => (typeof problem[name] === 'string' ? problem[name] : '');
  // What was asked with the token before tells nothing of this one.
  if (response.status === 401 && sent === token) {
    guarded.set(true);
    refused.set(sent !== null || unsendable);
    locked.set(true);
  }
  let hint = text('hint');
  const meant = problem['did_you_mean'];
  if (!hint && typeof meant === 'string') hint = `Did you mean ${meant}?`;
  const wait = problem['retry_after_seconds'];
  if (!hint && typeof wait === 'number') hint = `Try again in ${wait} s.`;
  const title = text('title') || response.statusText || `status ${response.status}`;
  return new ApiError(response.status, title, text('detail'), hint, problem);
}

/**
 * @typedef {object} Extent what there is at all
 * @property {number | null} first the earliest day with events that can be true, milliseconds since 1970
 * @property {import('./range.js').Early | null} early events of days before that
 * @property {boolean} work whether any of them is of an agent's work, not only of the machine
 */

/** What is recorded although nobody works. */
const IDLE = new Set(['metric', 'alert']);
/** No event can be of before. */
const BEGINNING = '1677-09-22T00:00:00Z';
/** Asked for once in ten minutes. @type {{at: number, extent: Promise<Extent>} | null} */
let held = null;

/**
 * What there is at all.
 * @returns {Promise<Extent>}
 */
export function extent() {
  if (held === null || Date.now() - held.at > 600e3) {
    const found = request('GET', address('api/v1/usage', { since: BEGINNING }))
      .then((response) => response.json())
      .then(({ usage }) => {
        const work = usage.kinds.some((/** @type {{name: string}} */ kind) => !IDLE.has(kind.name));
        return { ...beginning(usage.days), work };
      });
    const asked = { at: Date.now(), extent: found };
    held = asked;
    found.catch(() => {
      if (held === asked) held = null;
    });
  }
  return held.extent;
}

/**
 * What the server answers to a question.
 * @param {string} name of the question, such as `tools`
 * @param {Params} [params] a `range` in it (see useRange) becomes what the API understands;
 *   with the `format` `csv` the answer is text
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function ask(name, params = {}, { signal } = {}) {
  const first = params['range'] === 'all' ? (await extent()).first : null;
  const url = address(`api/v1/${name}`, expanded(params, serverNow(), first));
  const response = await request('GET', url, { signal });
  return await (params['format'] === 'csv' ? response.text() : response.json());
}

/**
 * The same in another form, such as `csv`, for keeping.
 * @param {string} name
 * @param {Params} params
 * @param {'csv' | 'json' | 'markdown' | 'text'} form
 * @returns {Promise<Blob>}
 */
export async function askAs(name, params, form) {
  const first = params['range'] === 'all' ? (await extent()).first : null;
  const all = { ...expanded(params, serverNow(), first), format: form };
  const response = await request('GET', address(`api/v1/${name}`, all), { accept: '*/*' });
  return await response.blob();
}

/**
 * Changes something.
 * @param {'POST' | 'PUT' | 'DELETE'} method
 * @param {string} path below `/api/v1/`, such as `alerts/rules`, its parts encoded
 * @param {unknown} [body] sent as JSON
 * @param {Params} [params]
 * @returns {Promise<any>} what the server says; `null`: nothing
 * @throws {ApiError}
 */
export async function send(method, path, body, params = {}) {
  const response = await request(method, address(`api/v1/${path}`, params), { body });
  const text = await response.text();
  return text === '' ? null : JSON.parse(text);
}

/**
 * Runs a statement in SQL. The table comes as it was sent: whole numbers in
 * it may be larger than JavaScript's.
 * @param {string} statement
 * @param {number} limit rows
 * @param {AbortSignal} signal
 * @returns {Promise<{body: string, more: boolean}>} more: there are more rows than were asked for
 * @throws {ApiError}
 */
export async function query(statement, limit, signal) {
  const response = await request('POST', address('api/v1/sql', { format: 'table' }), {
    body: { query: statement, limit },
    signal,
    accept: '*/*',
  });
  return { body: await response.text(), more: response.headers.get('tachograph-truncated') === 'true' };
}
