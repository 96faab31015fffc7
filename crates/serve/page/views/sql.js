import { ApiError, query } from '../api.js';
import { Line } from '../charts/line.js';
import { count, counted, duration } from '../format.js';
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { Name } from '../parts/name.js';
import { Problem } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { go, link, setQuery, useRoute } from '../state.js';
import { remember as keep, remembered } from '../store.js';
import { csv } from './csv.js';
import { Help } from './sql-help.js';
import {
  MOST_BARS,
  MOST_SERIES,
  axes,
  chart,
  chosenOf,
  chosenText,
  columns,
  offset,
  parse,
  place,
  remember,
  word,
} from './sql-result.js';

/** @typedef {import('./sql-result.js').Column} Column */
/** @typedef {{rows: import('./sql-result.js').Row[], columns: Column[], more: boolean, ms: number, statement: string}} Result */

export const title = 'SQL';

const HISTORY = 'sql.history';
/** Rows that are fetched; a statement may ask for fewer. */
const MOST = 10_000;
const FIRST = `select tool, count(*) as calls, count(*) filter (where not success) as failed,
  avg(duration_ms) as mean_ms
from tool_calls
group by tool
order by calls desc`;

/** @param {{route: import('../route.js').Route}} props */
export default function View({ route }) {
  const asked = route.query['q'] ?? null;
  const [text, setText] = useState(asked ?? history()[0] ?? FIRST);
  const [result, setResult] = useState(/** @type {Result | null} */ (null));
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [running, setRunning] = useState(/** @type {{abort: AbortController, since: number} | null} */ (null));
  const [past, setPast] = useState(history);
  const [cancelled, setCancelled] = useState(false);
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const under = useRef(/** @type {AbortController | null} */ (null));

  const run = async (/** @type {string} */ statement) => {
    under.current?.abort();
    const abort = new AbortController();
    under.current = abort;
    const since = performance.now();
    setRunning({ abort, since });
    setError(null);
    setCancelled(false);
    try {
      const { body, more } = await query(statement, MOST, abort.signal);
      const table = parse(body);
      setResult({ rows: table.rows, columns: columns(table), more, ms: performance.now() - since, statement });
      const next = remember(history(), statement);
      keep(HISTORY, JSON.stringify(next));
      setPast(next);
    } catch (failed) {
      if (abort.signal.aborted) setCancelled(under.current === abort);
      else {
        setError(failed);
        setResult(null);
      }
    } finally {
      if (under.current === abort) {
        under.current = null;
        setRunning(null);
      }
    }
  };
  // A link runs what it says: it can only read, and only so long.
  useEffect(() => {
    if (asked === null) return;
    setText(asked);
    void run(asked);
  }, [asked]);
  useEffect(() => () => under.current?.abort(), []);

  const submit = () => {
    const statement = area.current?.value.trim() ?? '';
    if (statement === '') return;
    if (statement === asked) void run(statement);
    else go(link('sql', [], { q: statement }));
  };
  const insert = (/** @type {string} */ name) => {
    const field = area.current;
    if (!field) return;
    field.focus();
    field.setRangeText(name, field.selectionStart, field.selectionEnd, 'end');
    setText(field.value);
  };
  const at = error instanceof ApiError ? place(error.detail) : null;
  const show = () => {
    const field = area.current;
    if (!field || !at) return;
    const from = offset(field.value, at);
    field.focus();
    field.setSelectionRange(from, Math.min(from + 1, field.value.length));
  };
  return html`<div class="view">
    <section class="card editor" aria-label="Statement">
      <label class="hidden" for="statement">Statement in SQL</label>
      <textarea
        id="statement"
        class="input mono"
        ref=${area}
        rows=${Math.min(Math.max(text.split('\n').length + 1, 4), 18)}
        spellcheck="false"
        autocapitalize="off"
        autocomplete="off"
        aria-describedby="statement-keys"
        value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          submit();
        }}
      ></textarea>
      <div class="split">
        <div class="buttons">
          <button
            type="button"
            class="button primary"
            disabled=${running !== null || text.trim() === ''}
            onClick=${submit}
          >
            Run
          </button>
          ${running && html`<button type="button" class="button" onClick=${() => running.abort.abort()}>Cancel</button>`}
          <span role="status" class="muted">
            ${running ? html`<${Running} since=${running.since} />` : cancelled ? 'Cancelled.' : result ? summary(result) : ''}
          </span>
          ${result && !running && result.rows.length > 0 && html`<button type="button" class="button small" onClick=${() => save(result)}>Download CSV</button>`}
        </div>
        <span id="statement-keys" class="note-line">Ctrl or ⌘ with Enter runs it. It can only read.</span>
      </div>
      <${Help}
        onInsert=${insert}
        onUse=${(/** @type {string} */ statement) => {
          setText(statement);
          area.current?.focus();
        }}
        history=${past}
        onForget=${() => {
          keep(HISTORY, null);
          setPast([]);
        }}
      />
    </section>
    ${
      error !== null &&
      html`<div>
        <${Problem}
          error=${error}
          retry=${error instanceof ApiError && (error.status === 429 || error.status === 0) ? submit : undefined}
        />
        ${at && html`<p class="after-problem"><button type="button" class="button small" onClick=${show}>${`Go to line ${at.line}, column ${at.column}`}</button></p>`}
      </div>`
    }
    ${result && html`<${Drawn} key=${result.statement} result=${result} />`}
    ${result && html`<${Rows} key=${`rows ${result.statement}`} result=${result} />`}
  </div>`;
}

/** @returns {string[]} */
function history() {
  try {
    const found = JSON.parse(remembered(HISTORY) ?? '[]');
    return Array.isArray(found) ? found.filter((one) => typeof one === 'string') : [];
  } catch {
    // What is there is not ours.
    return [];
  }
}

/** @param {{since: number}} props */
function Running({ since }) {
  const [, draw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => draw((n) => n + 1), 200);
    return () => clearInterval(timer);
  }, []);
  return html`<span aria-hidden="true">${`Running for ${((performance.now() - since) / 1000).toFixed(1)} s`}</span
    ><span class="hidden">Running</span>`;
}

/** @param {Result} result */
function summary({ rows, more, ms }) {
  return `${more ? 'The first ' : ''}${counted(rows.length, 'row')} in ${duration(ms)}${more ? '; there are more' : ''}.`;
}

/** @param {Result} result */
function save({ rows, columns }) {
  const blob = new Blob([csv(columns, rows)], { type: 'text/csv;charset=utf-8' });
  const href = URL.createObjectURL(blob);
  const anchor = document.createElement('a');
  anchor.href = href;
  anchor.download = 'tachograph.csv';
  anchor.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** @param {{result: Result}} props */
function Rows({ result }) {
  const { rows, columns, more } = result;
  if (rows.length === 0) return html`<p class="card muted">The statement found no rows.</p>`;
  const numbered = useMemo(() => rows.map((row, at) => ({ row, at })), [rows]);
  return html`<section class="card flush">
    <${Table}
      caption="Result"
      id=${(/** @type {any} */ entry) => entry.at}
      columns=${columns.map((column, at) => tableColumn(column, at))}
      rows=${numbered}
      note=${more ? `The server has more rows than ${count(MOST)}; narrow the statement, or use tacho sql.` : undefined}
    />
  </section>`;
}

/**
 * @param {Column} column
 * @param {number} at
 * @returns {import('../parts/table.js').Column}
 */
function tableColumn({ name, type }, at) {
  const numeric = type === 'number';
  return {
    key: String(at),
    label: name.length > 60 ? `${name.slice(0, 60)}…` : name,
    unit: 'text',
    align: numeric ? 'right' : 'left',
    // Those that are too large for a number are text.
    value: (entry) => (numeric && entry.row[name] !== null ? Number(entry.row[name]) : entry.row[name]),
    format: (_value, entry) => shown(entry.row[name]),
  };
}

/** @param {unknown} value */
function shown(value) {
  if (value === null || value === undefined) return html`<span class="muted">null</span>`;
  // Numbers to the last digit: what was asked for is shown as it is.
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return value === '' ? html`<span class="muted">empty</span>` : html`<${Name} text=${word(value)} />`;
}

/** @param {{result: Result}} props */
function Drawn({ result }) {
  const { query } = useRoute();
  const may = useMemo(() => axes(result.columns), [result]);
  const chosen = useMemo(() => may && chosenOf(query, may), [may, query['x'], query['y'], query['by']]);
  const drawn = useMemo(() => chosen && chart(result.rows, result.columns, chosen), [result, chosen]);
  if (!may || !chosen || result.rows.length < 2) return null;
  const set = (/** @type {Partial<typeof chosen>} */ change) =>
    setQuery(chosenText({ ...chosen, ...change }, may.first));
  const names = may.x.filter((column) => column.type !== 'time' && column.name !== chosen.x);
  const isTime = may.x.find((column) => column.name === chosen.x)?.type === 'time';
  return html`<section class="card">
    <div class="controls">
      <h2>Chart</h2>
      <label class="field inline"
        >Across
        <select
          class="input"
          value=${chosen.x}
          onChange=${(/** @type {any} */ event) => set({ x: event.currentTarget.value, by: null })}
        >
          ${may.x.map((column) => html`<option key=${column.name} value=${column.name}>${column.name.slice(0, 60)}</option>`)}
        </select>
      </label>
      ${
        isTime &&
        names.length > 0 &&
        html`<label class="field inline"
          >A line for each
          <select
            class="input"
            value=${chosen.by ?? ''}
            onChange=${(/** @type {any} */ event) => set({ by: event.currentTarget.value || null })}
          >
            <option value="">–</option>
            ${names.map((column) => html`<option key=${column.name} value=${column.name}>${column.name.slice(0, 60)}</option>`)}
          </select>
        </label>`
      }
      <fieldset class="checks">
        <legend class="muted">Figures</legend>
        ${may.y.map(
          (column) =>
            html`<label class="check" key=${column.name}>
              <input
                type="checkbox"
                checked=${chosen.y.includes(column.name)}
                onChange=${(/** @type {any} */ event) => set({ y: event.currentTarget.checked ? [...chosen.y, column.name] : chosen.y.filter((name) => name !== column.name) })}
              />
              <bdi>${column.name.slice(0, 60)}</bdi>
            </label>`,
        )}
      </fieldset>
    </div>
    ${drawn === null ? html`<p class="muted">Choose a figure.</p>` : drawn.kind === 'line' ? html`<${Lines} drawn=${drawn} />` : html`<${CategoryBars} drawn=${drawn} />`}
    ${drawn?.added && html`<p class="note-line">Rows of one time are added up, which is right for counts and sums, not for means or percentiles: choose a line for each, or group by less.</p>`}
    ${drawn && drawn.left > 0 && html`<p class="note-line">${drawn.kind === 'line' ? `The ${MOST_SERIES} largest are drawn, ${counted(drawn.left, 'line')} not.` : `The first ${MOST_BARS} are drawn, ${count(drawn.left)} not.`}</p>`}
  </section>`;
}

/** @param {{drawn: import('./sql-result.js').Chart}} props */
function Lines({ drawn }) {
  const x = /** @type {number[]} */ (drawn.labels);
  return html`<${Line} x=${x} series=${drawn.series} unit="number" label="Chart of the result" height=${220} />`;
}

/** @param {{drawn: import('./sql-result.js').Chart}} props */
function CategoryBars({ drawn }) {
  const most = Math.max(0, ...drawn.series.flatMap((one) => one.values.map((value) => Math.abs(value ?? 0))));
  return html`<div
    class="cbars"
    role="img"
    aria-label=${`Bars of ${drawn.series.map((one) => one.label).join(', ')} by ${drawn.x}; the table below has the figures`}
  >
    ${drawn.labels.map(
      (label, at) =>
        html`<div class="cbar" key=${at}>
          <span class="cbar-label"><${Name} text=${String(label)} /></span>
          <span class="cbar-lanes">
            ${drawn.series.map((one, series) => {
              const value = one.values[at] ?? null;
              return html`<span class="cbar-lane" key=${one.label}>
                <span
                  class=${`cbar-fill cbar-${series + 1}`}
                  style=${{ width: `${most > 0 ? (Math.abs(value ?? 0) / most) * 100 : 0}%` }}
                ></span>
                <span class="cbar-value"
                  >${value === null ? '–' : String(Number(value.toPrecision(6)))}${drawn.series.length > 1 ? html` <bdi class="muted">${one.label.slice(0, 40)}</bdi>` : ''}</span
                >
              </span>`;
            })}
          </span>
        </div>`,
    )}
  </div>`;
}
