// A rule as a form has it: to and from the API's shape, what it says in words,
// and at which field a complaint belongs. Pure.

import { ABSURD, count, money, number } from '../format.js';

/**
 * @typedef {{name: string, metric_name: string, source: string, family: string, condition: string,
 *   threshold: number, window_seconds: number, for_seconds: number, cooldown_seconds: number,
 *   severity: string, description: string, labels: Record<string, string>, group: string,
 *   enabled: boolean, min_count?: number, channels?: string[], builtin?: boolean, origin?: string,
 *   created_at?: string, state?: string | null, series?: Record<string, number>, open?: number,
 *   unwatched?: number}} Rule
 * state: the worst of its alerts; series: how many are in each; open: how many
 * fired and are not resolved; unwatched: how many series of it nobody watches
 */
/**
 * @typedef {{name: string, metric_name: string, source: string, family: string, stat: string, op: string,
 *   number: string, window: string, wait: string, cooldown: string, severity: string, description: string,
 *   labels: string, group: string, least: string, channels: string, enabled: boolean}} Form
 * every field as it is typed
 */

/** Where rules are changed, with the name in the query: as a part of a path, `..` would be another path. */
export const RULES = 'alerts/rules';

export const STATS = /** @type {const} */ ({
  avg: 'mean',
  min: 'smallest value',
  max: 'largest value',
  p50: 'median',
  p95: '95th percentile',
  p99: '99th percentile',
  sum: 'sum',
  count: 'number of values',
  rate: 'values a second',
  ratio: 'failed share',
});

/** Those of what is called calls. */
const OF_CALLS = { count: 'number', rate: 'number a second' };

/** Figures that are in no unit, whatever is watched. */
const UNITLESS = ['count', 'rate', 'ratio'];

export const OPS = /** @type {const} */ ({
  '>': 'above',
  '>=': 'at least',
  '<': 'below',
  '<=': 'at most',
  '==': 'equal to',
  '!=': 'other than',
});

/**
 * Families, and what is watched in each; `of`: what of it, where its name does
 * not tell.
 * @type {Record<string, {label: string, name: string, unit: string, of?: string}>}
 */
export const FAMILIES = {
  metric: { label: 'Metric', name: 'metric', unit: '' },
  tool: { label: 'Tool', name: 'tool', unit: 'ms' },
  model: { label: 'Model', name: 'model', unit: 'ms' },
  model_tokens: { label: 'Model tokens', name: 'model', unit: 'tokens', of: 'tokens' },
  model_cost: { label: 'Model cost', name: 'model', unit: 'USD', of: 'cost' },
  cache: { label: 'Cache', name: 'cache', unit: '' },
  agent: { label: 'Agent', name: 'agent', unit: 'ms' },
  agent_tool: { label: 'Agent tool calls', name: 'agent', unit: 'ms', of: 'tool calls' },
  agent_model: { label: 'Agent model calls', name: 'agent', unit: 'ms', of: 'model calls' },
  agent_cost: { label: 'Agent cost', name: 'agent', unit: 'USD', of: 'cost' },
  query: { label: 'Query', name: 'type of query', unit: 'ms' },
  selection: { label: 'Agent selection', name: 'selection', unit: '' },
  error: { label: 'Error', name: 'error type', unit: '' },
  discovery: { label: 'Discovery', name: 'discovery', unit: 'ms' },
  profile: { label: 'Profile', name: 'profile', unit: 'ms' },
  loss: { label: 'Lost events', name: 'reason', unit: '' },
  event: { label: 'Event type', name: 'event type', unit: '' },
};

/** A rule without what the API tells of it besides, and does not take. @param {Rule} rule */
export function ownOf({ builtin, origin, state, series, open, unwatched, ...own }) {
  return own;
}

/** States in which it matters how many alerts of a rule are. */
const COUNTED = ['firing', 'pending', 'open', 'resolved'];

/**
 * How a rule stands, and how many of its alerts do where it has several; and of
 * how many series nobody knows.
 * @param {Rule} rule
 * @returns {{state: string, part: string}}
 */
export function stands({ enabled, state, series = {}, open = 0, unwatched = 0 }) {
  if (!enabled) return { state: 'off', part: '' };
  const left = unwatched > 0 ? `${count(unwatched)} not watched` : '';
  if (!state) return { state: 'unseen', part: left };
  // Whatever is open and neither fires nor is pending has no data.
  const now = state === 'no_data' && open > 0 ? 'open' : state;
  const all = Object.values(series).reduce((sum, n) => sum + n, 0);
  const n = now === 'open' ? open : (series[now] ?? 0);
  const part = all > 1 && COUNTED.includes(now) ? `${count(n)} of ${count(all)}` : '';
  return { state: now, part: [part, left].filter(Boolean).join(', ') };
}

/**
 * How often rules are looked at.
 * @param {readonly Rule[]} rules those that are on
 */
export function pace(rules) {
  const far = rules.filter((rule) => rule.window_seconds > LIVE_WINDOW).length;
  if (rules.length === 0) return 'none is looked at';
  if (far === 0) return 'looked at each second';
  return far === rules.length ? 'looked at each minute' : `looked at each second, ${count(far)} each minute`;
}

/** The longest window, seconds: a year. */
const MOST_WINDOW = 366 * 86_400;
/** Up to so many seconds are looked at each second, of the live series. */
export const LIVE_WINDOW = 3600;

export const SEVERITIES = ['info', 'warning', 'critical'];

/** @type {Form} */
export const BLANK = {
  name: '',
  family: 'tool',
  metric_name: '*',
  source: '',
  stat: 'p95',
  op: '>',
  number: '',
  window: '300',
  wait: '0',
  cooldown: '3600',
  severity: 'warning',
  description: '',
  labels: '',
  group: '',
  least: '1',
  channels: '',
  enabled: true,
};

/**
 * @param {Rule} rule
 * @returns {Form}
 */
export function form(rule) {
  const { stat, op } = partsOf(rule.condition) ?? BLANK;
  return {
    name: rule.name,
    family: rule.family,
    metric_name: rule.metric_name,
    source: rule.source,
    stat,
    op,
    // The threshold counts where the two differ.
    number: String(rule.threshold),
    window: String(rule.window_seconds),
    wait: String(rule.for_seconds),
    cooldown: String(rule.cooldown_seconds),
    severity: rule.severity,
    description: rule.description,
    labels: Object.entries(rule.labels)
      .map(([key, value]) => `${key}=${closed(value)}`)
      .join(', '),
    group: rule.group,
    least: String(rule.min_count ?? 1),
    channels: (rule.channels ?? []).join(', '),
    enabled: rule.enabled,
  };
}

/** @param {string} condition */
function partsOf(condition) {
  const [, stat, op] = /^\s*(\w+)\s*(>=|<=|==|!=|≥|≤|≠|>|<)/.exec(condition) ?? [];
  if (!stat || !op) return null;
  return { stat, op: { '≥': '>=', '≤': '<=', '≠': '!=' }[op] ?? op };
}

/**
 * The body of the request that stores a rule; what a form does not show is
 * kept. What is no number goes out as
 * text, so that the server is the one that says what is wrong with it.
 * @param {Form} form
 */
export function body(form) {
  const threshold = numeric(form.number);
  return {
    name: form.name.trim(),
    family: form.family,
    metric_name: form.metric_name.trim(),
    source: form.source.trim(),
    condition: condition(form),
    threshold,
    window_seconds: numeric(form.window),
    for_seconds: numeric(form.wait),
    cooldown_seconds: numeric(form.cooldown),
    severity: form.severity,
    description: form.description.trim(),
    labels: labels(form.labels).found,
    group: form.group.trim(),
    min_count: numeric(form.least),
    channels: listed(form.channels),
    enabled: form.enabled,
  };
}

/** @param {Form} form */
export function condition(form) {
  return `${form.stat} ${form.op} ${form.number.trim()}`;
}

/**
 * What is wrong, field by field, as far as one can tell without the server.
 * @param {Form} form
 * @returns {Partial<Record<keyof Form, string>>}
 */
export function check(form) {
  /** @type {Partial<Record<keyof Form, string>>} */
  const wrong = {};
  if (!form.name.trim()) wrong.name = 'A rule needs a name.';
  if (!form.metric_name.trim()) wrong.metric_name = 'Name what is watched, or * for each there is.';
  if (form.family === 'metric' && !form.source.trim()) wrong.source = 'A metric has a source, such as system.';
  if (!Number.isFinite(strict(form.number))) wrong.number = 'Give a number, such as 100 or 0.05.';
  if (!whole(form.window, 1, MOST_WINDOW)) wrong.window = `Whole seconds from 1 to ${MOST_WINDOW}, a year.`;
  if (!whole(form.wait, 0)) wrong.wait = 'Whole seconds from 0.';
  if (!whole(form.cooldown, 0)) wrong.cooldown = 'Whole seconds from 0.';
  if (!whole(form.least, 1, 1_000_000)) wrong.least = 'A whole number from 1.';
  const { bad } = labels(form.labels);
  if (bad !== null) wrong.labels = `“${bad}” is not key=value.`;
  return wrong;
}

/**
 * At which field a complaint of the server belongs: it names the field, or the
 * condition's column.
 * @param {string} detail
 * @param {Form} form
 * @returns {keyof Form | null}
 */
export function field(detail, form) {
  const column = /condition .*column (\d+)/s.exec(detail)?.[1];
  if (column) return at(Number(column), form);
  /** @type {Record<string, keyof Form>} */
  const names = {
    threshold: 'number',
    window_seconds: 'window',
    for_seconds: 'wait',
    cooldown_seconds: 'cooldown',
    min_count: 'least',
    condition: 'stat',
  };
  const named = /[`']([a-z_]+)[`']/.exec(detail)?.[1] ?? '';
  if (named in names) return names[named];
  return named in BLANK ? /** @type {keyof Form} */ (named) : null;
}

/**
 * @param {number} column of the condition, from 1
 * @param {Form} form
 * @returns {keyof Form}
 */
function at(column, form) {
  if (column <= form.stat.length) return 'stat';
  return column <= form.stat.length + 1 + form.op.length ? 'op' : 'number';
}

/** What its number is in; empty: in no unit, or in that of the metric. @param {Pick<Form, 'family' | 'stat'>} form */
export function unitOf({ family, stat }) {
  return UNITLESS.includes(stat) ? '' : (FAMILIES[family]?.unit ?? '');
}

/**
 * What a rule or an alert compares, and the figures of it in their unit.
 * @param {{family: string, condition: string, threshold: number | null}} one
 * @param {string} [measured] the unit of a metric, as UCUM writes it
 * @returns {{condition: string, told: (value: number) => string}}
 */
export function figuresOf({ family, condition, threshold }, measured = '') {
  const parts = partsOf(condition);
  const stat = parts?.stat ?? '';
  const unit = unitOf({ family, stat }) || (UNITLESS.includes(stat) ? '' : symbol(measured));
  const told = (/** @type {number} */ value) => (unit === 'USD' ? money(value) : inUnit(value, stat, unit, number));
  // The threshold counts where the two differ.
  if (!parts || threshold === null) return { condition, told };
  return { condition: `${stat} ${parts.op} ${inUnit(threshold, stat, unit, exact)}`, told };
}

const digits = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 12 });

/** To twelve digits: a threshold that is rounded is another. @param {number} value */
function exact(value) {
  return Math.abs(value) < ABSURD ? digits.format(value) : number(value);
}

/**
 * @param {number} value
 * @param {string} stat
 * @param {string} unit
 * @param {(value: number) => string} told
 */
function inUnit(value, stat, unit, told) {
  if (stat === 'ratio') return `${told(value * 100)}\u00a0%`;
  if (stat === 'rate') return `${told(value)}\u00a0/s`;
  if (unit === 'USD') return `${value < 0 ? '-' : ''}$${told(Math.abs(value))}`;
  return unit ? `${told(value)}\u00a0${unit}` : told(value);
}

/** What people write for a unit; `1` and `{things}` are none. @param {string} ucum */
function symbol(ucum) {
  return /^1$|[{}]/.test(ucum) ? '' : ucum.replace(/By\b/, 'B');
}

/**
 * Rules by their groups, in the order they come in, those of none first.
 * @param {readonly Rule[]} rules
 * @returns {[string, Rule[]][]}
 */
export function grouped(rules) {
  const groups = new Map([['', /** @type {Rule[]} */ ([])]]);
  for (const rule of rules) {
    const of = groups.get(rule.group) ?? [];
    groups.set(rule.group, [...of, rule]);
  }
  return [...groups].filter(([, of]) => of.length > 0);
}

/**
 * The rule in one sentence.
 * @param {Form} form
 */
export function words(form) {
  const { name, of } = FAMILIES[form.family] ?? { name: form.family };
  const hits = form.family === 'cache' && form.stat === 'ratio';
  const called = of?.endsWith('calls') ? { ...STATS, ...OF_CALLS } : STATS;
  const stat = hits ? 'hit share' : (called[/** @type {keyof typeof STATS} */ (form.stat)] ?? form.stat);
  const op = OPS[/** @type {keyof typeof OPS} */ (form.op)] ?? form.op;
  const every = form.metric_name.trim() === '*';
  const which = every ? `any ${name}` : `${name} ${form.metric_name.trim() || '…'}`;
  const what = of ? `${of} of ${which}` : which;
  const source = form.source.trim() ? ` of ${form.source.trim()}` : '';
  const unit = unitOf(form);
  const number = `${form.number.trim() || '…'}${unit ? ` ${unit}` : ''}`;
  const wait = strict(form.wait) > 0 ? `, for ${span(strict(form.wait))} on end` : '';
  return `Fires when the ${stat} of ${what}${source} over the last ${span(strict(form.window))} is ${op} ${number}${wait}.`;
}

/**
 * Seconds as people say them.
 * @param {number} seconds
 */
export function span(seconds) {
  if (!Number.isFinite(seconds) || seconds < 0) return '…';
  const [size, unit] =
    seconds >= 2 * 86_400 && seconds % 86_400 === 0
      ? [86_400, 'd']
      : seconds >= 3600 && seconds % 3600 === 0
        ? [3600, 'h']
        : seconds >= 60 && seconds % 60 === 0
          ? [60, 'min']
          : [1, 's'];
  return `${seconds / size} ${unit}`;
}

/** What lies between commas; those within quotes part nothing. */
const PARTS = /(?:[^,\n"]|"(?:[^"]|"")*"|")+/g;

/**
 * A value that a list of labels can hold: in quotes where it would end there.
 * @param {string} value
 */
function closed(value) {
  return /[,\n"]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

/** @param {string} text */
function opened(text) {
  return text.length > 1 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}

/**
 * @param {string} text
 * @returns {{found: Record<string, string>, bad: string|null}}
 */
export function labels(text) {
  /** @type {[string, string][]} */
  const pairs = [];
  const parts = (text.match(PARTS) ?? []).map((part) => part.trim()).filter(Boolean);
  for (const part of parts) {
    const at = part.indexOf('=');
    if (at >= 1) pairs.push([part.slice(0, at).trim(), opened(part.slice(at + 1).trim())]);
  }
  const bad = parts.find((part) => part.indexOf('=') < 1) ?? null;
  return { found: Object.fromEntries(pairs), bad };
}

/** @param {string} text */
function listed(text) {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
}

/**
 * @param {string} text
 * @returns {number | string} the text itself where it is no number
 */
function numeric(text) {
  const value = strict(text);
  return Number.isFinite(value) ? value : text;
}

/** @param {string} text */
function strict(text) {
  return text.trim() === '' ? NaN : Number(text);
}

/**
 * @param {string} text
 * @param {number} least
 * @param {number} [most]
 */
function whole(text, least, most = Number.MAX_SAFE_INTEGER) {
  const value = strict(text);
  return Number.isInteger(value) && value >= least && value <= most;
}
