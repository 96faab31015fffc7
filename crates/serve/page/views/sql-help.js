// What can be asked, what was asked, and statements to begin with.

import { html, useMemo, useState } from '../html.js';
import { Loading, Problem } from '../parts/states.js';
import { useAnswer } from '../state.js';

/** Statements to begin with. @type {[string, string][]} */
const EXAMPLES = [
  [
    'Calls an hour, by tool',
    `select date_bin(interval '1 hour', timestamp) as hour, tool, count(*) as calls
from tool_calls
where timestamp > now() - interval '2 days'
group by 1, 2
order by 1`,
  ],
  [
    'Why tools fail',
    `select tool, error_type, count(*) as failures
from tool_calls
where not success
group by 1, 2
order by failures desc`,
  ],
  [
    'Cost a day, by model',
    `select date_bin(interval '1 day', timestamp) as day, model, sum(cost_usd) as usd
from llm_calls
group by 1, 2
order by 1`,
  ],
  [
    'The slowest calls',
    `select timestamp, tool, duration_ms, session_id
from tool_calls
order by duration_ms desc nulls last
limit 50`,
  ],
  [
    'Alerts that fired',
    `select timestamp, rule, source, severity, status, value
from alerts
order by timestamp desc
limit 100`,
  ],
];

const COLUMNS = `select table_name, column_name, data_type from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`;

/**
 * @param {{onInsert: (name: string) => void, onUse: (statement: string) => void, history: string[], onForget: () => void}} props
 */
export function Help({ onInsert, onUse, history, onForget }) {
  const [open, setOpen] = useState(/** @type {'tables' | 'examples' | 'history' | null} */ (null));
  const tab = (/** @type {'tables' | 'examples' | 'history'} */ name, /** @type {string} */ label) =>
    html`<button
      type="button"
      class="button small quiet"
      aria-expanded=${open === name ? 'true' : 'false'}
      aria-controls="sql-help"
      onClick=${() => setOpen(open === name ? null : name)}
    >
      ${label}
    </button>`;
  return html`<div class="help">
    <div class="buttons">
      ${tab('tables', 'Tables and columns')} ${tab('examples', 'Examples')}
      ${history.length > 0 && tab('history', `Used before (${history.length})`)}
    </div>
    <div id="sql-help" class="help-body" hidden=${open === null}>
      ${open === 'tables' && html`<${Tables} onInsert=${onInsert} />`}
      ${
        open === 'examples' &&
        html`<ul class="statements">
          ${EXAMPLES.map(
            ([label, statement]) =>
              html`<li key=${label}>
                <button type="button" class="statement" onClick=${() => onUse(statement)}>
                  <strong>${label}</strong><code>${statement}</code>
                </button>
              </li>`,
          )}
        </ul>`
      }
      ${
        open === 'history' &&
        html`<ul class="statements">
            ${history.map(
              (statement) =>
                html`<li key=${statement}>
                  <button type="button" class="statement" onClick=${() => onUse(statement)}>
                    <code>${statement.slice(0, 600)}</code>
                  </button>
                </li>`,
            )}
          </ul>
          <button
            type="button"
            class="button small"
            onClick=${() => {
              onForget();
              setOpen(null);
            }}
          >
            Forget them
          </button>`
      }
    </div>
  </div>`;
}

/** @param {{onInsert: (name: string) => void}} props */
function Tables({ onInsert }) {
  const { answer, error, loading, reload } = useAnswer('sql', { query: COLUMNS }, { every: 0 });
  const tables = useMemo(() => grouped(Array.isArray(answer) ? answer : []), [answer]);
  const [name, setName] = useState('events');
  if (error && !answer) return html`<${Problem} error=${error} retry=${reload} />`;
  if (loading) return html`<${Loading} height=${180} />`;
  const columns = tables.get(name) ?? [];
  return html`<div class="tables">
    <label class="field inline"
      >Table
      <select class="input" value=${name} onChange=${(/** @type {any} */ event) => setName(event.currentTarget.value)}>
        ${[...tables.keys()].map((table) => html`<option key=${table} value=${table}>${table}</option>`)}
      </select>
    </label>
    <button type="button" class="button small" onClick=${() => onInsert(name)}>${`Insert ${name}`}</button>
    <ul class="columns" aria-label=${`Columns of ${name}`}>
      ${columns.map(
        (column) =>
          html`<li key=${column.name}>
            <button type="button" class="column" title="Insert at the cursor" onClick=${() => onInsert(column.name)}>
              <code>${column.name}</code> <span class="muted">${column.type}</span>
            </button>
          </li>`,
      )}
    </ul>
  </div>`;
}

/**
 * @param {any[]} rows
 * @returns {Map<string, {name: string, type: string}[]>}
 */
function grouped(rows) {
  /** @type {Map<string, {name: string, type: string}[]>} */
  const tables = new Map();
  for (const { table_name: table, column_name: name, data_type: type } of rows) {
    const columns = tables.get(table) ?? [];
    columns.push({ name, type: kind(type) });
    tables.set(table, columns);
  }
  return tables;
}

/**
 * A type as people call it.
 * @param {string} type of Arrow
 */
function kind(type) {
  if (type.startsWith('Timestamp')) return 'time';
  if (type.startsWith('List')) return 'list';
  if (/Utf8/.test(type)) return 'text';
  if (/^U?Int/.test(type)) return 'whole number';
  if (/^Float/.test(type)) return 'number';
  return type === 'Boolean' ? 'true or false' : type;
}
