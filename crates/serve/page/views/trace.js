import { ORDER, absent, began, busy, busyShare, endedAt, nest, time as instantOf } from '../charts/waterfall-rows.js';
import { scale, zoom, zoomOf, zoomText } from '../charts/waterfall-scale.js';
import { Waterfall } from '../charts/waterfall.js';
import { count, counted, duration, money, time } from '../format.js';
import { html, useMemo, useRef } from '../html.js';
import { Name } from '../parts/name.js';
import { Stat } from '../parts/stat.js';
import { Empty, Loading, Problem } from '../parts/states.js';
import { joined, parted } from '../route.js';
import { link, linkEvent, setQuery, useAnswer, useRoute } from '../state.js';
import { useRows } from './kept.js';
import { quoted } from './window.js';

/** @typedef {import('../charts/waterfall-rows.js').Node} Node */

export const title = 'Trace';

/** Events that are asked for; the answer says how many more there are. */
const MOST = 2000;
/** Parents that are asked for by name. */
const MOST_PARENTS = 500;
/** Events of one name beyond those. */
const MOST_ALIKE = 20;
/** Less of the time than this is work: idle stretches are folded. */
const MOSTLY_IDLE = 0.3;

/** @param {{route: import('../route.js').Route}} props */
export default function View({ route }) {
  const [by, id] = route.rest;
  const named = id !== undefined && (by === 'session' || by === 'id');
  const latest = useRows(
    named ? null : `SELECT session_id FROM events WHERE session_id <> '' ORDER BY timestamp DESC LIMIT 1`,
  );
  const session = named ? (by === 'session' ? id : null) : (latest.rows?.[0]?.session_id ?? null);
  const trace = named && by === 'id' ? id : null;
  const known = session !== null || trace !== null;
  const { answer, error, loading, stale, reload } = useAnswer('trace', known ? { session, trace, limit: MOST } : null);
  if (!named && latest.rows?.length === 0) return html`<${Empty} />`;
  if (latest.error) return html`<${Problem} error=${latest.error} retry=${latest.reload} />`;
  if (error && !answer) return html`<${Problem} error=${error} retry=${reload} />`;
  if (loading || !known) return html`<div class="view"><${Loading} height=${92} /><${Loading} height=${520} /></div>`;
  const what = session !== null ? 'session' : 'trace';
  const name = session ?? trace ?? '';
  if (answer.trace.events.length === 0) {
    return html`<${Empty} title=${`No event of this ${what}`}>
      ${`Nothing that was recorded names the ${what} ${name.slice(0, 200)}. It may have been deleted, or its id is another one. `}
      <a href=${link('sessions')}>All sessions</a>
    </${Empty}>`;
  }
  return html`<div class=${`view${stale ? ' stale' : ''}`}>
    ${error && html`<${Problem} error=${error} retry=${reload} since=${stale} />`}
    <${Found}
      key=${`${what} ${name}`}
      events=${answer.trace.events}
      more=${answer.trace.more}
      what=${what}
      name=${name}
      latest=${!named}
    />
  </div>`;
}

/**
 * @param {{events: import('../charts/waterfall-rows.js').Event[], more: number, what: 'session' | 'trace', name: string, latest: boolean}} props
 */
function Found({ events, more, what, name, latest }) {
  const { query } = useRoute();
  const { span, at, name: called } = query;
  // What has no id of its own is told by when it ended.
  const named = (/** @type {Node[]} */ nodes) =>
    span === undefined ? endedAt(nodes, at, called) : nodes.find((one) => one.key === span);
  const parents = useParents(events);
  // What is counted is the beginning, whatever else is shown of a longer one.
  const first = useMemo(() => nest([...events, ...parents.events]), [events, parents.events]);
  const there = useMemo(() => flat(first.roots), [first]);
  const lost = parents.ready && !named(there) ? (span ?? at ?? null) : null;
  const beyond = useBeyond(more > 0 && lost !== null ? conditionOf(query) : null, what, name);
  const found = useMemo(
    () => (beyond.events.length > 0 ? nest([...events, ...parents.events, ...beyond.events]) : first),
    [first, beyond.events],
  );
  const hidden = more - beyond.events.length;
  const part = more > 0 ? `of the first ${count(events.length)}` : '';
  const folded = query['fold'];
  // Where hardly anything runs, what runs would be a hair.
  const fold = folded === undefined ? busyShare(found) < MOSTLY_IDLE : folded === '1';
  const scaled = useMemo(() => scale(found, busy(found.roots), fold), [found, fold]);
  const zoomed = useMemo(() => zoomOf(query['zoom'], scaled), [query['zoom'], scaled]);
  const kinds = useMemo(() => {
    const named = parted(query['kinds']);
    return new Set(ORDER.filter((kind) => named.includes(kind)));
  }, [query['kinds']]);
  const closed = useMemo(() => new Set(parted(query['closed'])), [query['closed']]);
  const onlyFailed = query['failures'] === '1';
  const panel = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = useMemo(() => {
    if (kinds.size === 0 && !onlyFailed) return undefined;
    return (/** @type {Node} */ node) =>
      (kinds.size === 0 || (node.event !== null && kinds.has(node.kind))) && (!onlyFailed || node.failed);
  }, [kinds, onlyFailed]);
  const all = useMemo(() => flat(found.roots), [found]);
  const node = named(all) ?? null;
  const selected = node?.key ?? span ?? null;
  const failures = all.filter((one) => one.failed);
  const tally = ORDER.map((kind) => ({ kind, n: all.filter((one) => one.event && one.kind === kind).length })).filter(
    ({ n }) => n > 0,
  );
  const calls = all.filter((one) => one.kind === 'tool' || one.kind === 'model').length;

  // To open and to close the details is a step that Back undoes, to walk along is none.
  const setSelected = (/** @type {string | null} */ key) =>
    setQuery({ span: key, at: null, name: null, fields: null }, { replace: key !== null && selected !== null });
  const setZoomed = (/** @type {{low: number, high: number} | null} */ view) =>
    setQuery({ zoom: view && zoomText(view, scaled) }, { replace: true });
  const nearer = (/** @type {number} */ factor) => {
    const view = zoomed ?? { low: 0, high: scaled.length };
    const next = zoom(view, factor, (view.low + view.high) / 2, scaled.length);
    setZoomed(next.high - next.low >= scaled.length ? null : next);
  };
  const nextFailure = () => {
    const at = failures.findIndex((one) => one.key === selected);
    const next = failures[(at + 1) % failures.length];
    if (next) setSelected(next.key);
  };
  const turn = (/** @type {import('../charts/waterfall-rows.js').Kind} */ kind) => {
    const next = new Set(kinds);
    if (next.has(kind)) next.delete(kind);
    else next.add(kind);
    setQuery({ kinds: next.size > 0 ? joined(next) : null });
  };
  return html` <div class="split">
      <p class="sentence trace-title">
        ${latest ? `Latest ${what} ` : `${what.charAt(0).toUpperCase()}${what.slice(1)} `}
        <${Name} text=${name} />
      </p>
      ${latest ? html`<a href=${link('trace', ['session', name], query)}>Permanent link</a>` : html`<a href=${link('sessions')}>All sessions</a>`}
    </div>
    <div class="stats">
      <${Stat} label="Length" value=${duration(first.to - first.from)} note=${`${time(first.from)}${part && ', '}${part}`} />
      <${Stat}
        label="Events"
        value=${count(events.length + more)}
        note=${more > 0 ? `the first ${count(events.length)} are shown` : counted(calls, 'call')}
      />
      <${Stat}
        label="Failures"
        value=${count(first.failed)}
        tone=${first.failed > 0 ? 'bad' : part ? undefined : 'good'}
        note=${part || (first.failed > 0 ? 'marked in the rows' : 'none')}
      />
      <${Stat} label="Tokens" value=${count(first.tokens)} note=${`of model calls${part && ', '}${part}`} />
      <${Stat}
        label="Cost"
        value=${money(first.cost)}
        note=${`${first.cost === null ? 'no call says' : 'as far as known'}${part && ', '}${part}`}
      />
    </div>
    <section class="card trace" aria-label="Waterfall">
      <div class="controls">
        <ul class="kinds" aria-label="Kinds of event">
          ${tally.map(
            ({ kind, n }) =>
              html`<li key=${kind}>
                <button
                  type="button"
                  class="chip"
                  aria-pressed=${kinds.has(kind) ? 'true' : 'false'}
                  onClick=${() => turn(kind)}
                >
                  <span class=${`wf-mark wf-${kind}`} aria-hidden="true"></span>${kind}
                  <span class="muted">${count(n)}</span>
                </button>
              </li>`,
          )}
        </ul>
        <span class="right-side">
          ${
            failures.length > 0 &&
            html` <label class="check"
                ><input
                  type="checkbox"
                  checked=${onlyFailed}
                  onChange=${(/** @type {any} */ event) => setQuery({ failures: event.currentTarget.checked ? 1 : null })}
                />
                Only failures</label
              >
              <button type="button" class="button small" onClick=${nextFailure}>Next failure</button>`
          }
          <label class="check"
            ><input
              type="checkbox"
              checked=${fold}
              onChange=${(/** @type {any} */ event) => setQuery({ fold: event.currentTarget.checked ? 1 : 0, zoom: null })}
            />
            Fold idle time</label
          >
          <button type="button" class="button small" aria-label="Zoom in" onClick=${() => nearer(0.5)}>+</button>
          <button type="button" class="button small" aria-label="Zoom out" disabled=${zoomed === null} onClick=${() => nearer(2)}>−</button>
          <button type="button" class="button small" disabled=${zoomed === null} onClick=${() => setZoomed(null)}>
            Fit
          </button>
        </span>
      </div>
      ${
        lost !== null && !node && !beyond.loading && beyond.error === null &&
        html`<p class="trace-lost tone-warn" role="status">
          ${`This link leads to an event that is not ${more > 0 ? `among those loaded, nor stored by its name` : `in this ${what}`}: `}<${Name}
            text=${lost}
          />
        </p>`
      }
      ${beyond.error && html`<${Problem} error=${beyond.error} retry=${beyond.reload} />`}
      <div class=${`trace-split${node ? ' with-panel' : ''}`}>
        <${Waterfall}
          roots=${found.roots}
          time=${scaled}
          shown=${shown}
          label=${`Waterfall of the ${what}: ${counted(events.length + beyond.events.length, 'event')}`}
          selected=${selected}
          onSelect=${setSelected}
          onEnter=${() => panel.current?.focus()}
          closed=${closed}
          onClose=${(/** @type {Set<string>} */ next) => setQuery({ closed: next.size > 0 ? joined(next) : null }, { replace: true })}
          zoomed=${zoomed}
          onZoom=${setZoomed}
        />
        ${node && html`<${Panel} key=${node.key} node=${node} from=${found.from} what=${what} name=${name} all=${all} every=${query['fields'] === 'all'} onSelect=${setSelected} panel=${panel} />`}
      </div>
      <p class="note-line">
        ${hidden > 0 ? html`<strong>${`${counted(hidden, 'event')} more ${hidden === 1 ? 'is' : 'are'} not shown.`}</strong> ` : ''}
        Drag over the bars to zoom, double-click for all. Keys: arrows, + − 0 zoom, Shift ← → along, Enter details, Esc
        back.
      </p>
    </section>`;
}

/**
 * @param {{node: Node, from: number, what: 'session' | 'trace', name: string, all: Node[], every: boolean,
 *   onSelect: (key: string | null) => void, panel: {current: HTMLElement | null}}} props
 *   every: whether every stored field is shown
 */
function Panel({ node, from, what, name, all, every, onSelect, panel }) {
  const { event } = node;
  const parent = event?.parent_id
    ? all.find((one) => one !== node && one.event?.span_id === event.parent_id)
    : undefined;
  const length = node.from !== null && node.to !== null ? node.to - node.from : null;
  const offset = node.from === null ? null : node.from - from;
  /** @type {[string, any][]} */
  const fields = event
    ? [
        ['Type', event.event_type],
        ['Source', event.source],
        ['Outcome', outcome(event)],
        ['Error', event.error_type],
        ['Began', node.from === null ? 'not recorded' : `${duration(offset)} after the beginning`],
        ['At', node.from === null ? null : time(node.from, { precise: true })],
        ['Took', event.duration_ms === null ? 'not recorded' : duration(event.duration_ms)],
        ['Tokens', event.tokens === null ? null : count(event.tokens)],
        ['Cost', event.cost_usd === null ? null : money(event.cost_usd)],
        ['Span', event.span_id && html`<${Name} text=${event.span_id} />`],
        [
          'Within',
          parent
            ? html`<button type="button" class="linklike" onClick=${() => onSelect(parent.key)}>
                <${Name} text=${parent.label} />
              </button>`
            : event.parent_id && html`<${Name} text=${event.parent_id} />`,
        ],
      ]
    : [
        ['What', 'A span that others name as theirs; no event of it was recorded.'],
        ['Holds', counted(node.calls, 'event')],
        ['From first to last', duration(length)],
        ['Tokens', node.tokens === null ? null : count(node.tokens)],
        ['Cost', node.cost === null ? null : money(node.cost)],
      ];
  const close = () => {
    onSelect(null);
    const tree = document.querySelector('.wf');
    if (tree instanceof HTMLElement) tree.focus();
  };
  return html`<aside
    class="panel"
    aria-label="Selected event"
    tabindex="-1"
    ref=${panel}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'Escape') close();
    }}
  >
    <div class="split">
      <h2><${Name} text=${node.label} /></h2>
      <button type="button" class="button small quiet" onClick=${close} aria-label="Close the details">Close</button>
    </div>
    <${Fields} fields=${fields} />
    ${event && (every ? html`<${Stored} event=${event} what=${what} name=${name} />` : html`<button type="button" class="button small" onClick=${() => setQuery({ fields: 'all' })}>Every stored field</button>`)}
  </aside>`;
}

/** @param {{fields: [string, any][]}} props */
function Fields({ fields }) {
  return html`<dl class="fields">
    ${fields
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(
        ([label, value]) =>
          html`<div key=${label}>
            <dt>${label}</dt>
            <dd><bdi>${value}</bdi></dd>
          </div>`,
      )}
  </dl>`;
}

/** @param {{event: import('../charts/waterfall-rows.js').Event, what: 'session' | 'trace', name: string}} props */
function Stored({ event, what, name }) {
  // Of events that are alike in all of this any will do.
  const of =
    event.event_type === 'query' || event.event_type === 'agent_selection'
      ? `id = ${quoted(event.span_id ?? '')}`
      : `${what}_id = ${quoted(name)}`;
  const query =
    `SELECT * FROM events WHERE ${of} AND event_type = ${quoted(event.event_type)} AND timestamp = ${quoted(event.timestamp ?? '')}` +
    (event.name === null ? ' AND name IS NULL' : ` AND name = ${quoted(event.name)}`) +
    (event.span_id === null ? '' : ` AND id = ${quoted(event.span_id)}`);
  const { rows, error, reload } = useRows(query, { limit: 1 });
  if (error) return html`<${Problem} error=${error} retry=${reload} />`;
  if (rows === null) return html`<${Loading} height=${120} />`;
  const [row] = rows;
  if (!row) return html`<p class="muted">The event is no longer stored.</p>`;
  const other = what === 'session' ? 'trace' : 'session';
  /** @type {[string, any][]} */
  const fields = Object.entries(row)
    .filter(([, value]) => value !== null)
    .map(([key, value]) => [
      key,
      key === `${other}_id`
        ? html`<${Name} text=${value} href=${linkEvent({ ...row, [`${what}_id`]: null })} />`
        : typeof value === 'object'
          ? JSON.stringify(value)
          : String(value),
    ]);
  return html`<h3>Every stored field</h3>
    <div class="stored"><${Fields} fields=${fields} /></div>`;
}

/**
 * The events that others name as their parents and that bear no session: what
 * was asked, and who was chosen.
 * @param {import('../charts/waterfall-rows.js').Event[]} events
 * @returns {{events: import('../charts/waterfall-rows.js').Event[], ready: boolean}}
 */
function useParents(events) {
  const ids = useMemo(
    () =>
      absent(events)
        .filter((id) => id.length <= 128)
        .slice(0, MOST_PARENTS),
    [events],
  );
  const query = ids.length > 0 ? `${EVENTS} id IN (${ids.map(quoted).join(', ')})` : null;
  const { rows, loading } = useRows(query);
  const found = useMemo(() => (rows ?? []).map(asEvent), [rows]);
  return { events: found, ready: query === null || !loading };
}

/** Rows that `asEvent` takes. */
const EVENTS =
  'SELECT id, timestamp, event_type, name, agent, source, success, status, error_type, duration_ms, tokens, input_tokens, output_tokens, cost_usd, parent_id ' +
  'FROM events WHERE';

/**
 * Which events a link names; null: it says nothing that could be asked for.
 * @param {Record<string, string | undefined>} query of the address
 */
function conditionOf({ span, at, name }) {
  // One without a span of its own has no name to ask for.
  if (span !== undefined) return span.startsWith('~') ? null : `id = ${quoted(span)}`;
  if (at === undefined || instantOf(at) === null) return null;
  return `timestamp = ${quoted(at)}${name ? ` AND name = ${quoted(name)}` : ''}`;
}

/**
 * What a link names and lies beyond what is loaded. It stays until another does.
 * @param {string | null} condition null: nothing is missing
 * @param {'session' | 'trace'} what
 * @param {string} name
 */
function useBeyond(condition, what, name) {
  const last = useRef(/** @type {string | null} */ (null));
  last.current = condition ?? last.current;
  const query = last.current && `${EVENTS} ${what}_id = ${quoted(name)} AND ${last.current}`;
  const { rows, error, loading, reload } = useRows(query, { limit: MOST_ALIKE });
  const events = useMemo(() => (rows ?? []).map(asEvent), [rows]);
  return { events, error, loading: query !== null && loading, reload };
}

/**
 * @param {any} row
 * @returns {import('../charts/waterfall-rows.js').Event}
 */
function asEvent(row) {
  const known = row.input_tokens !== null || row.output_tokens !== null;
  return {
    start: began(row.timestamp, row.duration_ms),
    timestamp: row.timestamp,
    duration_ms: row.duration_ms,
    event_type: row.event_type,
    // What was asked has no name; who answered is what one wants to see.
    name: row.name ?? (row.event_type === 'query' ? row.agent : null),
    source: row.source,
    status: row.success === true ? 'ok' : row.success === false ? 'failed' : row.status,
    error_type: row.error_type,
    span_id: row.id,
    parent_id: row.parent_id,
    tokens: known ? (row.input_tokens ?? 0) + (row.output_tokens ?? 0) : row.tokens,
    cost_usd: row.cost_usd,
  };
}

/** @param {import('../charts/waterfall-rows.js').Event} event */
function outcome(event) {
  if (event.status === null) return 'not told';
  return html`<span class=${event.status === 'failed' ? 'tone-bad' : ''}>${event.status}</span>`;
}

/** @param {Node[]} roots */
function flat(roots) {
  /** @type {Node[]} */
  const all = [];
  const stack = [...roots].reverse();
  for (let node = stack.pop(); node; node = stack.pop()) {
    all.push(node);
    stack.push(...[...node.children].reverse());
  }
  return all;
}
