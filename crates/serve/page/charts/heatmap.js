// When work happens: weekdays by hours, one cell each. Arrow keys go from cell to cell.

import { counted } from '../format.js';
import { html, useMemo, useRef, useState } from '../html.js';
import { DAYS, bounds, busiest, strength } from './heatmap-grid.js';

/** @typedef {import('./heatmap-grid.js').Grid} Grid */

const LAST_DAY = DAYS.length - 1;
const LAST_HOUR = 23;

/** @param {number} hour */
export const clock = (hour) => `${String(hour).padStart(2, '0')}:00`;

/**
 * @param {{grid: Grid, label: string, one: string, many: string}} props
 *   `one` and `many`: what is counted, such as `tool call` and `tool calls`
 */
export function Heatmap({ grid, label, one, many }) {
  const steps = useMemo(() => bounds(grid), [grid]);
  const peak = useMemo(() => busiest(grid), [grid]);
  const [moved, setAt] = useState(/** @type {[number, number] | null} */ (null));
  const at = moved ?? (peak ? [peak.day, peak.hour] : [0, 9]);
  const [shown, setShown] = useState(/** @type {[number, number] | null} */ (null));
  const table = useRef(/** @type {HTMLTableElement | null} */ (null));

  const says = (/** @type {number} */ day, /** @type {number} */ hour) => {
    const cell = grid.cells[day]?.[hour] ?? { count: 0, failed: 0 };
    const failed = cell.failed > 0 ? `, ${counted(cell.failed, 'failed', 'failed')}` : '';
    return `${DAYS[day]} ${clock(hour)}–${clock(hour + 1)}: ${counted(cell.count, one, many)}${failed}`;
  };
  const go = (/** @type {number} */ day, /** @type {number} */ hour) => {
    setAt([day, hour]);
    const cell = table.current?.querySelector(`[data-at="${day}-${hour}"]`);
    if (cell instanceof HTMLElement) cell.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const [day = 0, hour = 0] = at;
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowUp: [Math.max(day - 1, 0), hour],
      ArrowDown: [Math.min(day + 1, LAST_DAY), hour],
      ArrowLeft: [day, Math.max(hour - 1, 0)],
      ArrowRight: [day, Math.min(hour + 1, LAST_HOUR)],
      Home: [day, 0],
      End: [day, LAST_HOUR],
      PageUp: [0, hour],
      PageDown: [LAST_DAY, hour],
    };
    const move = moves[event.key];
    if (event.key === 'Escape' && document.activeElement instanceof HTMLElement) document.activeElement.blur();
    if (!move || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(...move);
  };
  const [day = 0, hour = 0] = shown ?? at;
  return html`<div class="heat">
    <table
      class="heat-grid"
      role="grid"
      aria-label=${label}
      ref=${table}
      onKeyDown=${onKeyDown}
      onMouseLeave=${() => setShown(null)}
    >
      <thead>
        <tr>
          <td class="heat-corner"></td>
          ${Array.from({ length: 24 }, (_, hour) => html`<th scope="col" key=${hour}>${hour % 3 === 0 ? String(hour).padStart(2, '0') : html`<span class="hidden">${hour}</span>`}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${grid.cells.map(
          (cells, day) =>
            html`<tr key=${day}>
              <th scope="row"><abbr title=${DAYS[day]}>${DAYS[day]?.slice(0, 3)}</abbr></th>
              ${cells.map(
                (cell, hour) =>
                  html`<td
                    key=${hour}
                    class=${`heat-${strength(cell.count, steps)}`}
                    data-at=${`${day}-${hour}`}
                    tabindex=${at[0] === day && at[1] === hour ? 0 : -1}
                    aria-label=${says(day, hour)}
                    onFocus=${() => {
                      setAt([day, hour]);
                      setShown([day, hour]);
                    }}
                    onMouseEnter=${() => setShown([day, hour])}
                  ></td>`,
              )}
            </tr>`,
        )}
      </tbody>
    </table>
    <div class="heat-foot">
      <p class="heat-says" aria-hidden="true">${says(day, hour)}</p>
      <ul class="heat-legend" aria-label=${`Strengths: ${many} in the hour`}>
        <li><span class="heat-swatch heat-0"></span>0</li>
        ${steps.map((bound, step) => {
          const from = (steps[step - 1] ?? 0) + 1;
          const text = from >= bound ? String(bound) : `${from}–${bound}`;
          return html`<li key=${step}><span class=${`heat-swatch heat-${strength(bound, steps)}`}></span>${text}</li>`;
        })}
      </ul>
    </div>
  </div>`;
}
