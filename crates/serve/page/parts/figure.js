import { html } from '../html.js';
import { joined, parted } from '../route.js';
import { route, setQuery, useRoute } from '../state.js';
import { Table } from './table.js';

/**
 * A chart with what it says in a sentence, and the same figures as a table.
 * @param {object} props
 * @param {string} props.id of its own on the page
 * @param {any} props.title
 * @param {string} [props.name] the title for those who hear the page, where it is no text
 * @param {any} [props.sentence] what the chart says
 * @param {readonly import('./table.js').Column[]} [props.columns] of the table
 * @param {readonly any[] | (() => readonly any[])} [props.rows] those of the chart; a function is asked when the table is opened
 * @param {boolean} [props.stale] what is shown is not up to date
 * @param {any} props.children the chart
 */
export function Figure({ id, title, name = title, sentence, columns, rows, stale = false, children }) {
  const open = parted(useRoute().query['tables']).includes(id);
  const toggle = () => {
    const others = parted(route().query['tables']).filter((one) => one !== id);
    const next = open ? others : [...others, id];
    // Another way to look at the same is no step to go back.
    setQuery({ tables: next.length > 0 ? joined(next) : null }, { replace: true });
  };
  const twin = columns && rows ? { columns, rows: open ? (typeof rows === 'function' ? rows() : rows) : [] } : null;
  return html`
    <figure class=${`card figure ${stale ? 'stale' : ''}`} id=${id} aria-labelledby=${`${id}-title`}>
      <figcaption>
        <div>
          <h2 id=${`${id}-title`}>${title}</h2>
          <p class="says">${sentence ?? ''}</p>
        </div>
        ${
          twin &&
          html`
            <button
              type="button"
              class="button small quiet"
              aria-expanded=${String(open)}
              aria-controls=${`${id}-table`}
              aria-label=${`Table of ${name}`}
              onClick=${toggle}
            >
              Table
            </button>
          `
        }
      </figcaption>
      <div class="figure-body" hidden=${open}>${children}</div>
      <div id=${`${id}-table`} class="twin" hidden=${!open}>
        ${open && twin && html`<${Table} caption=${name} at=${id} quiet columns=${twin.columns} rows=${twin.rows} id=${(/** @type {any} */ _row, /** @type {number} */ at) => at} />`}
      </div>
    </figure>
  `;
}
