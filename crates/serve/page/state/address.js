// Where the page is: the view, what it is of, and what stands in the query.

import { formatRoute, parseRoute } from '../route.js';
import { createStore, useStore } from '../store.js';

/** @typedef {import('../route.js').Route} Route */

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
