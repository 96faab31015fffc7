// What views stand in.

import { html } from '../html.js';
import { Loading, Problem } from './states.js';
import { Table } from './table.js';

/**
 * A view of an answer: what is wrong in its place where there is none, and above
 * it where it is not up to date.
 * @param {{asked: import('../state.js').Asked, children?: any}} props
 */
export function Framed({ asked, children }) {
  const { answer, error, stale, reload } = asked;
  if (error && answer === null) return html`<${Problem} error=${error} retry=${reload} />`;
  return html`
    <div class=${stale === null ? 'view' : 'view stale'}>
      ${stale !== null && html`<${Problem} error=${error} retry=${reload} since=${stale} />`} ${children}
    </div>
  `;
}

/**
 * A table on a card, or what stands there meanwhile.
 * @param {Record<string, any>} props those of the table
 *   ready: whether there is an answer; height: of what stands there until then, pixels
 */
export function Listed({ ready = true, height = 240, ...table }) {
  return html`
    <section class="card flush">
      ${ready ? html`<${Table} ...${table} />` : html`<${Loading} height=${height} />`}
    </section>
  `;
}
