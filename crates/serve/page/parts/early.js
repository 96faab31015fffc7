// What is not in all there is, because no clock can have been right about it.

import { counted } from '../format.js';
import { html } from '../html.js';
import { setRange, useEarly } from '../state.js';

export function Early() {
  const early = useEarly();
  if (early === null) return null;
  const { events, from, to } = early;
  const show = () => {
    setRange({ from: `${from}T00:00:00.000Z`, to: `${to}T00:00:00.000Z` });
    // The button goes with what it tells of.
    document.getElementById('main')?.focus();
  };
  const are = events === 1 ? 'is' : 'are';
  return html`<p class="early muted small">
    ${`${counted(events, 'event')} ${are} dated before 2000, the first ${from}, and ${are} not in “all”.`}
    <button type="button" class="button small" onClick=${show}>${events === 1 ? 'Show it' : 'Show them'}</button>
  </p>`;
}
