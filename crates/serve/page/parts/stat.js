import { Spark } from '../charts/spark.js';
import { html } from '../html.js';

/**
 * One figure, large.
 * @param {object} props
 * @param {string} props.label
 * @param {string} props.value as it is to be read, with its unit
 * @param {any} [props.note] a few words on it
 * @param {'bad' | 'warn' | 'good'} [props.tone] of the note; its words say the same
 * @param {readonly (number | null)[]} [props.spark] how it went
 * @param {string} [props.href] where there is more
 */
export function Stat({ label, value, note, tone, spark, href }) {
  // One point, or a line along the bottom, tells nothing.
  const known = spark?.filter((value) => value !== null) ?? [];
  const shown = known.length > 1 && known.some((value) => value !== 0);
  const inside = html`
    <span class="label">${label}</span>
    <span class="value" title=${value}>${value}</span>
    <span
      class=${`note ${tone ? `tone-${tone}` : ''}`}
      title=${typeof note === 'string' && note !== '' ? note : undefined}
      >${note ?? ''}</span
    >
    ${spark && html`<span class="trend">${shown && html`<${Spark} values=${spark} />`}</span>`}
  `;
  return href ? html`<a class="stat" href=${href}>${inside}</a>` : html`<div class="stat">${inside}</div>`;
}
