// A table that can be sorted, filtered and walked through; its rows keep their
// identity while figures change. How it is sorted and filtered stands in the address.

import { NONE, inColumn } from '../format.js';
import { html, useMemo } from '../html.js';
import { setQuery, useNames, useRoute } from '../state.js';
import { Name } from './name.js';
import { orderOf, orderText, slug, sorted } from './order.js';

/** Rows that are drawn at most. */
const MOST = 1000;
/** From so many rows on there is a box to filter by. */
const MANY = 10;

/**
 * @typedef {object} Column
 * @property {string} key of the row's member
 * @property {string} label
 * @property {import('../format.js').Unit | 'text' | 'name'} [unit] how it is told; `name`: a name from outside
 * @property {'left' | 'right'} [align] numbers stand right unless told otherwise
 * @property {(value: any, row: any) => any} [format] instead of the unit's
 * @property {(row: any) => string | null} [link] where it leads
 * @property {boolean | ((row: any) => number | null)} [bar] a bar beside it: of the largest, or 0..1
 * @property {boolean} [sortable] `false`: it cannot be sorted by
 * @property {(row: any) => any} [value] what it is sorted by, instead of the member
 */
/** @typedef {import('./order.js').Sort} Sort */

/** @param {Column} column */
const isText = (column) => column.unit === 'text' || column.unit === 'name';
/** @param {Column} column */
const right = (column) => (column.align ?? (isText(column) ? 'left' : 'right')) === 'right';

/**
 * @param {object} props
 * @param {string} props.caption what the table is of
 * @param {string} [props.at] what it is called in the address, where that is not its caption
 * @param {boolean} [props.quiet] the caption is only for those who hear the page
 * @param {readonly Column[]} props.columns the first one names the row
 * @param {readonly any[]} props.rows
 * @param {(row: any, at: number) => string | number} [props.id] what keeps a row itself; else the first column
 * @param {Sort | null} [props.sort] at first
 * @param {any} [props.empty] said when there are no rows
 * @param {any} [props.note] said below; of a list, each on a line of its own
 * @param {number} [props.more] how many more there are than rows
 */
export function Table({
  caption,
  at = slug(caption),
  quiet = false,
  columns,
  rows,
  id,
  sort = null,
  empty = 'Nothing in this time.',
  note,
  more = 0,
}) {
  const { query } = useRoute();
  const asked = query[`sort.${at}`];
  const filter = query[`find.${at}`] ?? '';
  const called = useNames();
  const order = useMemo(() => {
    const keys = columns.filter(({ sortable }) => sortable !== false).map(({ key }) => key);
    return orderOf(asked, keys) ?? sort;
  }, [asked, columns, sort?.key, sort?.down]);
  const filtered = useMemo(() => {
    const wanted = filter.trim().toLowerCase();
    const texts = columns.filter(isText);
    const found = wanted
      ? rows.filter((row) =>
          texts.some(({ key }) => {
            const text = String(row[key] ?? '');
            return `${text} ${called(text)}`.toLowerCase().includes(wanted);
          }),
        )
      : rows;
    const by = order && columns.find(({ key }) => key === order.key);
    if (!by) return found;
    return sorted(found, by.value ?? ((row) => row[by.key]), order.down ?? false);
  }, [rows, columns, filter, order]);
  const shown = filtered.slice(0, MOST);
  const hidden = filtered.length - shown.length + (filter ? 0 : more);
  const largest = useMemo(() => maxima(columns, rows), [columns, rows]);
  const tellers = useMemo(() => formsOf(columns, rows), [columns, rows]);
  const first = columns[0]?.key ?? '';
  // What is filtered by can be taken away, however few rows there are by now.
  const filterable = !quiet && (filter !== '' || rows.length > MANY) && columns.some(({ unit }) => unit === 'name');
  /** @param {Column} column */
  const turn = (column) => {
    const same = order?.key === column.key;
    const next = { key: column.key, down: same ? !order.down : !isText(column) };
    const usual = sort !== null && orderText(next) === orderText(sort);
    setQuery({ [`sort.${at}`]: usual ? null : orderText(next) });
  };
  return html`
    ${
      !quiet &&
      html`
        <div class="table-head">
          <h2>${caption}</h2>
          ${
            filterable &&
            html`
              <input
                class="input filter"
                type="search"
                placeholder="Filter"
                aria-label=${`Filter ${caption}`}
                value=${filter}
                onInput=${(/** @type {any} */ event) => setQuery({ [`find.${at}`]: event.currentTarget.value || null }, { replace: true })}
              />
            `
          }
        </div>
      `
    }
    <div class="table-box" role="region" tabindex="0" aria-label=${caption}>
      <table class="table">
        <caption class="hidden">
          ${caption}
        </caption>
        <thead>
          <tr>
            ${columns.map((column) => {
              const here = order?.key === column.key;
              const way = here ? (order.down ? 'descending' : 'ascending') : undefined;
              return html`
                <th key=${column.key} scope="col" class=${right(column) ? 'right' : ''} aria-sort=${way}>
                  ${
                    column.sortable === false
                      ? column.label
                      : html`
                          <button type="button" onClick=${() => turn(column)}>
                            ${column.label}<span class="arrow" aria-hidden="true"
                              >${here ? (order.down ? '↓' : '↑') : ''}</span
                            >
                          </button>
                        `
                  }
                </th>
              `;
            })}
          </tr>
        </thead>
        <tbody>
          ${shown.map((row, place) => {
            const href = columns.map((column) => column.link?.(row)).find(Boolean) ?? null;
            return html`
              <tr
                key=${id ? id(row, place) : String(row[first])}
                class=${href ? 'linked' : ''}
                onClick=${href ? follow : undefined}
              >
                ${columns.map((column, place) => cell(column, row, place === 0, largest.get(column.key) ?? 0, tellers))}
              </tr>
            `;
          })}
        </tbody>
      </table>
    </div>
    ${shown.length === 0 && html`<p class="table-foot">${filter ? `Nothing matches “${filter}”.` : empty}</p>`}
    ${hidden > 0 && html`<p class="table-foot">${`${shown.length.toLocaleString('en-US')} rows are shown, ${hidden.toLocaleString('en-US')} more are not.`}</p>`}
    ${[note].flat().map((one) => one && html`<p class="table-foot">${one}</p>`)}
  `;
}

/**
 * A click anywhere on a row is one on its link, unless it is on something of
 * its own or marks text.
 * @param {any} event
 */
function follow(event) {
  if (event.defaultPrevented || event.target.closest('a, button, input')) return;
  if (String(getSelection() ?? '') !== '') return;
  event.currentTarget.querySelector('a')?.click();
}

/**
 * @param {readonly Column[]} columns
 * @param {readonly any[]} rows
 */
function maxima(columns, rows) {
  /** @type {Map<string, number>} */
  const found = new Map();
  for (const { key, bar } of columns) {
    if (bar !== true) continue;
    found.set(
      key,
      rows.reduce((most, row) => Math.max(most, Number(row[key]) || 0), 0),
    );
  }
  return found;
}

/** @typedef {Map<string, (value: any) => string>} Tellers how the figures of each column are told */

/**
 * @param {readonly Column[]} columns
 * @param {readonly any[]} rows
 * @returns {Tellers}
 */
function formsOf(columns, rows) {
  const figures = columns.filter((column) => !isText(column) && !column.format);
  return new Map(
    figures.map(({ key, unit }) => [
      key,
      inColumn(
        /** @type {import('../format.js').Unit} */ (unit),
        rows.map((row) => row[key]),
      ),
    ]),
  );
}

/**
 * @param {Column} column
 * @param {any} row
 * @param {boolean} heads
 * @param {number} largest
 * @param {Tellers} tellers
 */
function cell(column, row, heads, largest, tellers) {
  const value = row[column.key];
  const shown = told(column, value, row, tellers);
  const share =
    typeof column.bar === 'function' ? column.bar(row) : column.bar && largest > 0 ? Number(value) / largest : null;
  const inside =
    share === null || !Number.isFinite(share)
      ? shown
      : html`<span class="barred"
          ><span>${shown}</span
          ><span class="bar" aria-hidden="true"
            >${share > 0 && html`<span style=${{ width: `${Math.min(Math.max(share, 0), 1) * 100}%` }}></span>`}</span
          ></span
        >`;
  const name = `${right(column) ? 'right' : ''} ${isText(column) ? 'text' : ''} ${shown === NONE ? 'none' : ''}`.trim();
  return heads
    ? html`<th key=${column.key} scope="row" class=${name}>${inside}</th>`
    : html`<td key=${column.key} class=${name}>${inside}</td>`;
}

/**
 * @param {Column} column
 * @param {any} value
 * @param {any} row
 * @param {Tellers} tellers
 */
function told(column, value, row, tellers) {
  const href = column.link?.(row) ?? null;
  if (column.unit === 'name') {
    const text = column.format ? column.format(value, row) : value;
    return html`<${Name} text=${text} href=${href} />`;
  }
  const text = column.format
    ? column.format(value, row)
    : column.unit === 'text'
      ? (value ?? NONE)
      : tellers.get(column.key)?.(value);
  return href ? html`<a href=${href}>${text}</a>` : text;
}
