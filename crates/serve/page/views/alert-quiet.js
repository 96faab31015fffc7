// Silences, and the channels that alerts are told over.

import { send } from '../api.js';
import { ago, duration, time } from '../format.js';
import { html, useState } from '../html.js';
import { Name } from '../parts/name.js';
import { Problem } from '../parts/states.js';

/** Minutes, and what they are called. @type {[number, string][]} */
const LENGTHS = [
  [60, '1 h'],
  [240, '4 h'],
  [1440, '24 h'],
];
const MOST_MINUTES = 60 * 24 * 30;

/**
 * @param {{rule: string, source?: string | undefined, name?: string | undefined, onDone: () => void, onCancel: () => void}} props
 */
export function SilenceForm({ rule, source, name, onDone, onCancel }) {
  const [own, setOwn] = useState('');
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [busy, setBusy] = useState(false);
  const minutes = Number(own) * 60;
  const fits = own.trim() !== '' && minutes >= 1 && minutes <= MOST_MINUTES;
  const silence = async (/** @type {number} */ minutes) => {
    setBusy(true);
    setError(null);
    try {
      await send('POST', 'alerts/silences', {
        rule,
        ...(source ? { source } : {}),
        ...(name ? { name } : {}),
        minutes: Math.round(minutes),
      });
      onDone();
    } catch (failed) {
      setError(failed);
      setBusy(false);
    }
  };
  return html`<form
    class="silence"
    aria-label=${`Silence ${rule}`}
    onSubmit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      if (fits) void silence(minutes);
    }}
    onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && onCancel()}
  >
    <span class="muted">Silence for</span>
    ${LENGTHS.map(([minutes, label]) => html`<button key=${label} type="button" class="button small" disabled=${busy} onClick=${() => silence(minutes)}>${label}</button>`)}
    <label class="field inline"
      >or hours
      <input
        class="input hours"
        inputmode="decimal"
        value=${own}
        onInput=${(/** @type {any} */ event) => setOwn(event.currentTarget.value)}
    /></label>
    <button type="submit" class="button small" disabled=${busy || !fits}>Silence</button>
    <button type="button" class="button small quiet" onClick=${onCancel}>Cancel</button>
    ${error !== null && html`<${Problem} error=${error} />`}
  </form>`;
}

/** @param {{silences: any[], rules: any[], reload: () => void}} props */
export function Silences({ silences, rules, reload }) {
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [busy, setBusy] = useState(/** @type {string | null} */ (null));
  const [rule, setRule] = useState('');
  const remove = async (/** @type {string} */ id) => {
    setBusy(id);
    setError(null);
    try {
      await send('DELETE', `alerts/silences/${encodeURIComponent(id)}`);
      reload();
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(null);
    }
  };
  return html`<section class="card flush" aria-label="Silences">
    <div class="table-head">
      <h2>Silences</h2>
      <label class="field inline"
        >Silence
        <select
          class="input"
          value=${rule}
          onChange=${(/** @type {any} */ event) => setRule(event.currentTarget.value)}
        >
          <option value="">a rule…</option>
          <option value="*">every rule</option>
          ${rules.map((one) => html`<option key=${one.name} value=${one.name}>${one.name.slice(0, 80)}</option>`)}
        </select>
      </label>
    </div>
    ${
      rule &&
      html`<div class="in-card">
        <${SilenceForm}
          key=${rule}
          rule=${rule}
          onDone=${() => {
            setRule('');
            reload();
          }}
          onCancel=${() => setRule('')}
        />
      </div>`
    }
    ${error !== null && html`<${Problem} error=${error} />`}
    ${
      silences.length === 0
        ? html`<p class="table-foot plain">Nothing is silenced.</p>`
        : html`<ul class="lines">
            ${silences.map(
              (one) =>
                html`<li key=${one.id}>
                  <span class="grow apart"
                    ><strong><bdi>${one.rule === '*' ? 'Every rule' : one.rule}</bdi></strong>
                    ${one.name && html`<${Name} text=${one.source ? `${one.source} / ${one.name}` : one.name} />`}
                    <span class="muted"
                      >${`until ${time(one.until)}, ${ago(one.until)}`}${one.by ? html`, by <bdi>${one.by}</bdi>` : ''}</span
                    ></span
                  >
                  <button
                    type="button"
                    class="button small"
                    disabled=${busy !== null}
                    aria-label=${`End the silence of ${one.rule}`}
                    onClick=${() => remove(String(one.id))}
                  >
                    End
                  </button>
                </li>`,
            )}
          </ul>`
    }
  </section>`;
}

/** @param {{channels: any[], reload: () => void}} props */
export function Channels({ channels, reload }) {
  const [busy, setBusy] = useState(/** @type {string | null} */ (null));
  const [told, setTold] = useState(/** @type {{name: string, took: number | null, error: unknown} | null} */ (null));
  const test = async (/** @type {string} */ name) => {
    setBusy(name);
    setTold(null);
    try {
      // As a part of a path, `..` would be another path.
      const found = await send('POST', 'alerts/test', undefined, { name });
      setTold({ name, took: found?.took_ms ?? null, error: null });
    } catch (error) {
      setTold({ name, took: null, error });
    } finally {
      setBusy(null);
      reload();
    }
  };
  return html`<section class="card flush" aria-label="Channels">
    <div class="table-head"><h2>Channels</h2></div>
    ${
      channels.length === 0
        ? html`<p class="table-foot plain">
            Alerts are told here and in the log only. Channels (e-mail, Slack, webhook, Alertmanager, …) are set in
            config.yaml.
          </p>`
        : html`<ul class="lines">
            ${channels.map(
              (one) =>
                html`<li key=${one.name}>
                  <span
                    class=${`mark ${one.last_error ? 'bad' : one.last_ok ? 'good' : 'none'}`}
                    aria-hidden="true"
                  ></span>
                  <span class="grow apart">
                    <strong><bdi>${one.name}</bdi></strong> <span class="muted">${one.kind}</span>
                    <span class="line-note muted"
                      >${[one.last_ok ? `last told ${ago(one.last_ok)}` : 'nothing told yet', one.waiting > 0 && `${one.waiting} waiting`, one.undelivered > 0 && `${one.undelivered} never told`].filter(Boolean).join(', ')}</span
                    >
                    ${one.last_error && html`<span class="line-note tone-bad"><bdi>${one.last_error}</bdi>${one.last_error_at ? `, ${ago(one.last_error_at)}` : ''}</span>`}
                  </span>
                  <button
                    type="button"
                    class="button small"
                    disabled=${busy !== null}
                    aria-label=${`Send a test to ${one.name}`}
                    onClick=${() => test(one.name)}
                  >
                    ${busy === one.name ? 'Sending…' : 'Send a test'}
                  </button>
                </li>`,
            )}
          </ul>`
    }
    <div role="status">
      ${told && told.error === null && html`<p class="table-foot">${`${told.name} took a test in ${duration(told.took)}.`}</p>`}
    </div>
    ${told && told.error !== null && html`<${Problem} error=${told.error} />`}
  </section>`;
}
