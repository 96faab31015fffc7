// Addresses within the page: `#/tools/grep?range=24h`. Pure.

/**
 * @typedef {object} Route
 * @property {string} view which view, `overview` if none is named
 * @property {string[]} rest what follows it: `['grep']`
 * @property {Record<string, string>} query
 */

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    // A lone `%` typed by hand stands for itself.
    return text;
  }
}

/**
 * @param {string} hash with or without `#`
 * @returns {Route}
 */
export function parseRoute(hash) {
  const text = hash.replace(/^#?\/?/, '');
  const mark = text.indexOf('?');
  const path = mark < 0 ? text : text.slice(0, mark);
  const [view = '', ...rest] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decoded);
  // A prototype-less record: `?__proto__=…` is a name like any other.
  /** @type {Record<string, string>} */
  const query = Object.create(null);
  if (mark >= 0) {
    for (const [name, value] of new URLSearchParams(text.slice(mark + 1))) query[name] = value;
  }
  return { view: view || 'overview', rest, query };
}

/**
 * The address of a view; what is empty in `query` is left out.
 * @param {string} view
 * @param {readonly (string | number)[]} [rest]
 * @param {Record<string, string | number | null | undefined>} [query]
 */
export function formatRoute(view, rest = [], query = {}) {
  const path = [view, ...rest].map((part) => encodeURIComponent(String(part))).join('/');
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return `#/${path}${text ? `?${text}` : ''}`;
}

/**
 * Names as one text of an address, whatever they hold; of none: `,`.
 * @param {Iterable<string>} names
 */
export function joined(names) {
  return [...names].map(encodeURIComponent).join(',') || ',';
}

/**
 * The names that such a text is of.
 * @param {string | undefined} text
 * @returns {string[]}
 */
export function parted(text) {
  return (text ?? '')
    .split(',')
    .filter((part) => part !== '')
    .map(decoded);
}
