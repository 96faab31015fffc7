// Where the page is: the view, what it is of, and what stands in the query. All
// that changes what is seen stands there, so that a link shows the same.

import { formatRoute, parseRoute } from '../route.js';
import { createStore, useStore } from '../store.js';

/** @typedef {import('../route.js').Route} Route */
/** @typedef {Record<string, string | number | null | undefined>} Change */

const routes = createStore(parseRoute(location.hash));

/** Browsers take only so many changes of an address: of what is typed or walked through, one in so long. */
const PAUSE_MS = 400;
/** The address that stands there in a moment. @type {string | null} */
let due = null;
/** Runs for so long after a change. @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Writes what is due. */
function settle() {
  clearTimeout(timer);
  timer = undefined;
  if (due === null) return;
  history.replaceState(history.state, '', due);
  due = null;
  // What follows this close waits its turn.
  timer = setTimeout(settle, PAUSE_MS);
}

// Whoever goes elsewhere comes back to what was there last. When Back is told of, it
// is too late: the address is another's by then. So what is on the way to it counts.
addEventListener('click', settle, { capture: true });
addEventListener('pointerdown', settle, { capture: true });
addEventListener('pagehide', settle);
document.documentElement.addEventListener('mouseleave', settle);
addEventListener('keydown', ({ altKey, metaKey }) => (altKey || metaKey) && settle(), { capture: true });
// Only links, Back and what is typed into the address come this way.
addEventListener('hashchange', () => {
  clearTimeout(timer);
  timer = undefined;
  due = null;
  routes.set(parseRoute(location.hash));
});

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
 * @param {Change} [query]
 */
export function link(view, rest = [], query = {}) {
  const { range, from, to } = routes.get().query;
  const kept = 'range' in query || 'from' in query ? {} : { range, from, to };
  return formatRoute(view, rest, { ...kept, ...query });
}

/**
 * The address of an event where it happened: within its session, else its trace.
 * One that has no id is told by when it ended and what it is called.
 * @param {any} row of a statement in SQL
 * @returns {string | null} null: it is in neither
 */
export function linkEvent({ session_id, trace_id, id, timestamp, name }) {
  const within = session_id ? ['session', session_id] : trace_id ? ['id', trace_id] : null;
  return within && link('trace', within, id ? { span: id } : { at: timestamp, name });
}

/**
 * The address of what is seen with a part of its query changed; `null` leaves it out.
 * @param {Change} change
 */
export function linkHere(change) {
  const { view, rest, query } = routes.get();
  return formatRoute(view, rest, { ...query, ...change });
}

/**
 * Goes there.
 * @param {string} href as `link` makes them
 * @param {{replace?: boolean}} [options] replace: Back does not come here again
 */
export function go(href, { replace = false } = {}) {
  // To go where one is would be a Back that leads nowhere.
  if (href === (due ?? location.hash)) return;
  if (replace) {
    due = href;
    // The first at once: there may be no second.
    if (timer === undefined) settle();
  } else {
    settle();
    history.pushState(null, '', href);
  }
  routes.set(parseRoute(href));
}

/**
 * Changes a part of the query of the address; `null` leaves it out.
 * @param {Change} change
 * @param {{replace?: boolean}} [options]
 */
export function setQuery(change, options = {}) {
  go(linkHere(change), options);
}
