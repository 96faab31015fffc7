// The rows of a waterfall: what happened within what. Pure: no DOM.

import { idle } from './waterfall-scale.js';

/**
 * An event as `trace` tells it.
 * @typedef {{start: string|null, timestamp: string|null, duration_ms: number|null, event_type: string,
 *   name: string|null, source: string|null, status: string|null, error_type: string|null,
 *   span_id: string|null, parent_id: string|null, tokens: number|null, cost_usd: number|null}} Event
 */
/**
 * @typedef {'session'|'query'|'model'|'tool'|'cache'|'agent'|'metric'|'other'} Kind
 */
/**
 * A row before it is put anywhere. `id` is its place among all for now, `key`
 * what it is called in an address.
 * @typedef {{id: number, key: string, event: Event|null, kind: Kind, label: string, from: number|null, to: number|null,
 *   failed: boolean, children: Node[], tokens: number|null, cost: number|null, calls: number}} Node
 */
/** @typedef {Node & {depth: number, open: boolean}} Row */

/** @type {Record<string, Kind>} */
const KINDS = {
  session_start: 'session',
  session_end: 'session',
  query: 'query',
  agent_selection: 'query',
  llm_call: 'model',
  tool_call: 'tool',
  tool_usage: 'tool',
  cache: 'cache',
  cache_operation: 'cache',
  agent_load: 'agent',
  agent_usage: 'agent',
  agent_discovery: 'agent',
  metric: 'metric',
};

/** Every kind, in the order of the legend. @type {Kind[]} */
export const ORDER = ['session', 'query', 'model', 'tool', 'cache', 'agent', 'metric', 'other'];

/**
 * @param {string} eventType
 * @returns {Kind}
 */
export function kindOf(eventType) {
  return KINDS[eventType] ?? 'other';
}

/**
 * @param {Event} event
 */
export function failed(event) {
  return event.status === 'failed' || event.status === 'error' || event.event_type === 'error';
}

/**
 * The ids of parents that no event bears: worth asking for.
 * @param {Event[]} events
 * @returns {string[]}
 */
export function absent(events) {
  const there = new Set(events.map((event) => event.span_id));
  const wanted = events.map((event) => event.parent_id).filter((id) => id && !there.has(id));
  return [...new Set(/** @type {string[]} */ (wanted))];
}

/**
 * Nests events by their parents. A parent that was not recorded is a row of
 * its own if it has several children. Events that name each other in a circle
 * are nested as far as that goes, and none is lost.
 * @param {Event[]} events
 * @returns {{roots: Node[], from: number, to: number, failed: number, tokens: number|null, cost: number|null}}
 */
export function nest(events) {
  const called = names();
  const nodes = events.map((event, id) => node(event, id, called(calledBy(event))));
  /** @type {Map<string, Node>} */
  const bySpan = new Map();
  for (const one of nodes) {
    const id = one.event?.span_id;
    if (!id) continue;
    const other = bySpan.get(id);
    // Of two that bear one id, the one that lasted holds what is within.
    if (!other || length(one) > length(other)) bySpan.set(id, one);
  }
  /** @type {Map<string, Node[]>} */
  const orphans = new Map();
  /** @type {Node[]} */
  let roots = [];
  /** @type {Map<Node, Node>} */
  const parents = new Map();
  for (const one of nodes) {
    const { span_id: own, parent_id: above } = /** @type {Event} */ (one.event);
    const twin = own ? bySpan.get(own) : undefined;
    const parent = above && above !== own ? bySpan.get(above) : twin !== one ? twin : undefined;
    if (parent && parent !== one && !within(parent, one, parents)) {
      parents.set(one, parent);
      parent.children.push(one);
    } else if (above && above !== own && !bySpan.has(above)) {
      orphans.set(above, [...(orphans.get(above) ?? []), one]);
    } else {
      roots.push(one);
    }
  }
  let id = nodes.length;
  for (const [parent, children] of orphans) {
    if (children.length === 1) roots.push(children[0]);
    else roots.push(group(id++, called(parent), parent, children));
  }
  roots = underSession(roots);
  sort(roots);
  const times = nodes.filter((one) => one.from !== null);
  const from = Math.min(...times.map((one) => /** @type {number} */ (one.from)));
  const to = Math.max(...times.map((one) => /** @type {number} */ (one.to)));
  roots.forEach(sumUp);
  return {
    roots,
    from: times.length ? from : 0,
    to: times.length ? to : 0,
    failed: nodes.filter((one) => one.failed).length,
    tokens: total(nodes.filter((one) => one.kind === 'model').map((one) => one.event?.tokens)),
    cost: total(nodes.map((one) => one.event?.cost_usd)),
  };
}

/** A longer span than this is no name for an address. */
const MOST_NAME = 128;

/**
 * What an event is called by whoever hands on a link: its span, else by what it
 * says, so that events that come before it later change nothing.
 * @param {Event} event
 */
function calledBy(event) {
  const span = event.span_id;
  if (span && span.length <= MOST_NAME) return span;
  const { event_type, start, timestamp, name, source } = event;
  return `~${hash(JSON.stringify([span, event_type, start, timestamp, name, source]))}`;
}

/**
 * Names of which none is given twice: of those that would be, the later ones
 * are numbered.
 * @returns {(name: string) => string}
 */
function names() {
  /** @type {Map<string, number>} */
  const given = new Map();
  return (name) => {
    let own = name;
    for (let n = (given.get(name) ?? 0) + 1; given.has(own); n += 1) {
      given.set(name, n);
      own = `${name}~${n}`;
    }
    given.set(own, given.get(own) ?? 1);
    return own;
  };
}

/**
 * FNV-1a of 32 bits over its letters, in base 36.
 * @param {string} text
 */
function hash(text) {
  let found = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) found = Math.imul(found ^ text.charCodeAt(at), 0x01000193);
  return (found >>> 0).toString(36);
}

/**
 * Which event ended then, of those of a name where one is told.
 * @param {Node[]} nodes
 * @param {string | undefined} at
 * @param {string | undefined} name
 */
export function endedAt(nodes, at, name) {
  const when = time(at);
  if (when === null) return undefined;
  return nodes.find(({ event }) => event && time(event.timestamp) === when && (!name || event.name === name));
}

/**
 * The rows that are seen, top down.
 * @param {Node[]} roots
 * @param {ReadonlySet<string>} closed keys of rows whose children are hidden
 * @param {(node: Node) => boolean} [shown] which rows are wanted; those above a wanted one are shown, too
 * @returns {Row[]}
 */
export function flatten(roots, closed, shown) {
  /** @type {Row[]} */
  const rows = [];
  /** @type {Map<Node, boolean>} */
  const memo = new Map();
  /** @type {(node: Node) => boolean} */
  const wanted = (node) => {
    if (!shown) return true;
    let known = memo.get(node);
    if (known === undefined) {
      known = shown(node) || node.children.some(wanted);
      memo.set(node, known);
    }
    return known;
  };
  // Depth is what events say it is: no recursion.
  const stack = roots.map((node) => ({ node, depth: 0 })).reverse();
  for (let next = stack.pop(); next; next = stack.pop()) {
    const { node, depth } = next;
    if (!wanted(node)) continue;
    const open = node.children.length > 0 && !closed.has(node.key);
    rows.push({ ...node, depth, open });
    if (!open) continue;
    for (let at = node.children.length - 1; at >= 0; at -= 1) {
      stack.push({ node: node.children[at], depth: depth + 1 });
    }
  }
  return rows;
}

/**
 * What runs, each with its time: not the session, which always does, nor what
 * only holds others.
 * @param {Node[]} roots
 * @returns {{from: number, to: number}[]}
 */
export function busy(roots) {
  /** @type {{from: number, to: number}[]} */
  const spans = [];
  const stack = [...roots];
  for (let node = stack.pop(); node; node = stack.pop()) {
    stack.push(...node.children);
    if (node.event && node.event.event_type !== 'session_end' && node.from !== null && node.to !== null) {
      spans.push({ from: node.from, to: node.to });
    }
  }
  return spans;
}

/**
 * In which share of the time something ran.
 * @param {{roots: Node[], from: number, to: number}} found
 */
export function busyShare({ roots, from, to }) {
  if (to <= from) return 1;
  const gaps = idle({ from, to }, busy(roots));
  return 1 - gaps.reduce((sum, gap) => sum + gap.to - gap.from, 0) / (to - from);
}

/**
 * @param {Event} event
 * @param {number} id
 * @param {string} key
 * @returns {Node}
 */
function node(event, id, key) {
  const end = time(event.timestamp);
  const start = time(event.start) ?? end;
  const from = start === null ? end : end === null ? start : Math.min(start, end);
  const to = end === null ? from : Math.max(end, from ?? end);
  return {
    id,
    key,
    event,
    kind: kindOf(event.event_type),
    label: labelOf(event),
    from,
    to,
    failed: failed(event),
    children: [],
    tokens: event.tokens,
    cost: event.cost_usd,
    calls: 1,
  };
}

/**
 * A name; of what would be told by its type alone, the type with it.
 * @param {Event} event
 */
function labelOf({ event_type: type, name }) {
  const words = {
    session_start: 'session began',
    session_end: 'session',
    agent_selection: 'selection',
    query: 'query',
  };
  const word = words[/** @type {keyof typeof words} */ (type)];
  if (word === undefined) return name ?? type;
  return name && type !== 'session_start' ? `${word}, ${name}` : word;
}

/**
 * Milliseconds with their fraction: `Date` knows no microseconds.
 * @param {string|null|undefined} text
 * @returns {number|null}
 */
export function time(text) {
  if (!text) return null;
  const whole = Date.parse(text);
  if (Number.isNaN(whole)) return null;
  const digits = /\.(\d+)/.exec(text)?.[1].slice(3) ?? '';
  return digits ? whole + Number(`0.${digits}`) : whole;
}

/** Milliseconds: longer than this nothing takes, as the API has it. */
const LONGEST = 1e12;

/**
 * When an event began that was recorded at its end. A duration that is negative
 * or absurd tells nothing.
 * @param {string} timestamp
 * @param {number|null} duration milliseconds
 */
export function began(timestamp, duration) {
  const end = time(timestamp);
  const told = end !== null && duration !== null && duration >= 0 && duration <= LONGEST;
  return told ? new Date(end - duration).toISOString() : timestamp;
}

/**
 * @param {number} id
 * @param {string} key
 * @param {string} parent
 * @param {Node[]} children
 * @returns {Node}
 */
function group(id, key, parent, children) {
  const times = children.filter((child) => child.from !== null);
  return {
    id,
    key,
    event: null,
    kind: 'other',
    label: parent,
    from: times.length ? Math.min(...times.map((child) => /** @type {number} */ (child.from))) : null,
    to: times.length ? Math.max(...times.map((child) => /** @type {number} */ (child.to))) : null,
    failed: false,
    children,
    tokens: null,
    cost: null,
    calls: 0,
  };
}

/**
 * Where exactly one session's end is among the roots, the session holds the rest.
 * @param {Node[]} roots
 */
function underSession(roots) {
  const ends = roots.filter((one) => one.event?.event_type === 'session_end');
  if (ends.length !== 1 || roots.length === 1) return roots;
  const [session] = ends;
  if (length(session) <= 0) return roots;
  session.children.push(...roots.filter((one) => one !== session));
  return [session];
}

/**
 * Whether `node` is within `other`, or is it.
 * @param {Node} node
 * @param {Node} other
 * @param {Map<Node, Node>} parents
 */
function within(node, other, parents) {
  for (let at = /** @type {Node|undefined} */ (node); at; at = parents.get(at)) {
    if (at === other) return true;
  }
  return false;
}

/** @param {Node[]} nodes */
function sort(nodes) {
  const stack = [nodes];
  for (let list = stack.pop(); list; list = stack.pop()) {
    list.sort((a, b) => (a.from ?? Infinity) - (b.from ?? Infinity) || length(b) - length(a) || a.id - b.id);
    for (const one of list) if (one.children.length) stack.push(one.children);
  }
}

/**
 * What rows without an event of their own hold in all.
 * @param {Node} root
 */
function sumUp(root) {
  if (root.event) {
    root.children.filter((child) => !child.event).forEach(sumUp);
    return;
  }
  const models = root.children.filter((child) => child.kind === 'model');
  root.tokens = total(models.map((child) => child.tokens));
  root.cost = total(root.children.map((child) => child.cost));
  root.calls = root.children.length;
}

/**
 * @param {(number|null|undefined)[]} values
 * @returns {number|null} null where none is known
 */
function total(values) {
  const known = /** @type {number[]} */ (values.filter((value) => typeof value === 'number'));
  return known.length ? known.reduce((sum, value) => sum + value, 0) : null;
}

/** @param {Node} node */
function length(node) {
  return node.from === null || node.to === null ? -1 : node.to - node.from;
}
