// The stretch of time that is looked at: a row of usual ones, and any other.

import { RANGES } from '../range.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { setRange, useRange } from '../state.js';

/** @param {number} ms */
function local(ms) {
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 16);
}

export function RangePicker() {
  const now = useRange();
  const [open, setOpen] = useState(false);
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const button = useRef(/** @type {HTMLButtonElement | null} */ (null));
  const first = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    if (open) first.current?.focus();
  }, [open]);
  const toggle = () => {
    setFrom(local(now.from));
    setTo(local(now.to));
    setOpen(!open);
  };
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  /** @param {any} event */
  const apply = (event) => {
    event.preventDefault();
    if (!(Date.parse(from) < Date.parse(to))) return;
    setRange({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
    close();
  };
  const wrong = from !== '' && to !== '' && !(Date.parse(from) < Date.parse(to));
  return html`
    <div class="segments" role="group" aria-label="Time range">
      ${RANGES.map(
        ([name]) => html`
          <button type="button" key=${name} aria-pressed=${String(now.range === name)} onClick=${() => setRange(name)}>
            ${name}
          </button>
        `,
      )}
      <button
        type="button"
        ref=${button}
        aria-expanded=${String(open)}
        aria-controls="range-custom"
        aria-pressed=${String(now.range === 'custom')}
        onClick=${toggle}
      >
        Custom
      </button>
    </div>
    <form
      id="range-custom"
      class="custom"
      hidden=${!open}
      onSubmit=${apply}
      onKeyDown=${(/** @type {any} */ event) => event.key === 'Escape' && close()}
    >
      <label class="field">
        From
        <input
          class="input"
          type="datetime-local"
          required
          ref=${first}
          value=${from}
          onInput=${(/** @type {any} */ event) => setFrom(event.currentTarget.value)}
        />
      </label>
      <label class="field">
        To
        <input
          class="input"
          type="datetime-local"
          required
          value=${to}
          onInput=${(/** @type {any} */ event) => setTo(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button primary" disabled=${wrong}>Apply</button>
      ${wrong && html`<p class="tone-bad" role="alert">From must be before To.</p>`}
    </form>
  `;
}
