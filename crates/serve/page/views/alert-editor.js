// A rule as a form, with what it says in words and what it would find now.

import { ApiError, send } from '../api.js';
import { counted } from '../format.js';
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { Name } from '../parts/name.js';
import { Problem } from '../parts/states.js';
import { useAnswer, useNames } from '../state.js';
import {
  BLANK,
  FAMILIES,
  LIVE_WINDOW,
  OPS,
  RULES,
  SEVERITIES,
  STATS,
  body,
  check,
  field,
  figuresOf,
  form as formOf,
  ownOf,
  unitOf,
  words,
} from './alert-rule.js';
import { matches } from './alert-preview.js';

/** @typedef {import('./alert-rule.js').Rule} Rule */
/** @typedef {import('./alert-rule.js').Form} Form */

/** Families whose series are told apart by a source, too. */
const SOURCED = ['metric', 'model', 'model_tokens', 'model_cost', 'profile', 'loss'];
/** Series that the preview shows. */
const SHOWN = 6;

/**
 * @param {{rule: Rule | null, rules: Rule[], channels: string[], onDone: () => void, onCancel: () => void}} props rule: null for a new one
 */
export function Editor({ rule, rules, channels, onDone, onCancel }) {
  const [form, setForm] = useState(() => (rule ? formOf(rule) : BLANK));
  /** Fields that were left once: only they complain while one still types. */
  const [left, setLeft] = useState(/** @type {Set<string>} */ (new Set()));
  const [told, setTold] = useState(/** @type {{at: keyof Form | null, error: unknown} | null} */ (null));
  const [busy, setBusy] = useState(false);
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  const wrong = check(form);
  useEffect(() => {
    card.current?.scrollIntoView({ block: 'nearest' });
    const first = card.current?.querySelector('input:not([disabled]), select');
    if (first instanceof HTMLElement) first.focus({ preventScroll: true });
  }, []);
  const set = (/** @type {Partial<Form>} */ change) => {
    setForm({ ...form, ...change });
    setTold(null);
  };
  const save = async () => {
    setLeft(new Set(Object.keys(BLANK)));
    const [first] = Object.keys(wrong);
    if (first) {
      focus(first);
      return;
    }
    setBusy(true);
    setTold(null);
    try {
      // One that is there keeps its name to the letter.
      const name = rule?.name ?? form.name.trim();
      await send('PUT', RULES, { ...(rule && ownOf(rule)), ...body(form), name }, { name });
      onDone();
    } catch (error) {
      const at = error instanceof ApiError && error.status === 400 ? field(error.detail, form) : null;
      setTold({ at, error });
      setBusy(false);
      if (at) focus(at);
    }
  };
  const focus = (/** @type {string} */ key) => {
    const element = card.current?.querySelector(`[name="${key}"]`);
    if (element instanceof HTMLElement) element.focus();
  };
  const says = (/** @type {keyof Form} */ key) => {
    if (told?.at === key && told.error instanceof ApiError) return told.error.detail;
    return left.has(key) ? (wrong[key] ?? '') : '';
  };
  const replaces = rule === null && rules.find((one) => one.name === form.name.trim());
  const family = FAMILIES[form.family];
  const sourced = SOURCED.includes(form.family);
  const live = useAnswer('live', { family: form.family, window: clamp(form.window) }, { every: 5 });
  const series = useMemo(() => live.answer?.series ?? [], [live.answer]);
  const props = { form, set, says, onLeave: (/** @type {string} */ key) => setLeft(new Set([...left, key])) };
  return html`<section class="card editor-card" aria-label=${rule ? 'Edit rule' : 'New rule'} ref=${card}>
    <form
      novalidate
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        void save();
      }}
    >
      <h2>${rule ? html`Edit <bdi>${rule.name}</bdi>` : 'New rule'}</h2>
      <p class="condition-words">${words(form)}</p>
      <div class="form-grid">
        <${Text}
          ...${props}
          key="name"
          of="name"
          label="Name"
          wide
          disabled=${rule !== null}
          hint=${replaces ? 'There is a rule of this name; saving replaces it.' : ''}
        />
        <${Choice}
          ...${props}
          key="family"
          of="family"
          label="Watches"
          options=${Object.entries(FAMILIES).map(([key, { label }]) => [key, label])}
          onPick=${(/** @type {string} */ key) => set({ family: key, source: '', metric_name: key === 'metric' ? '' : '*' })}
        />
        <${Text}
          ...${props}
          key="metric_name"
          of="metric_name"
          label=${family ? `Which ${family.name}` : 'Which'}
          list=${[...new Set(series.map((/** @type {any} */ one) => one.name))]}
          hint="* is each there is, with an alert of its own"
        />
        ${sourced && html`<${Text} ...${props} key="source" of="source" label=${form.family.startsWith('model') ? 'Provider' : 'Source'} list=${[...new Set(series.map((/** @type {any} */ one) => one.source))].filter(Boolean)} hint=${form.family === 'metric' ? 'where it is measured' : 'empty: any'} />`}
        <${Choice}
          ...${props}
          key="stat"
          of="stat"
          label="Figure"
          options=${Object.entries(STATS).map(([key, label]) => [key, `${key} – ${key === 'ratio' && form.family === 'cache' ? 'hit share' : label}`])}
        />
        <${Choice}
          ...${props}
          key="op"
          of="op"
          label="Is"
          options=${Object.entries(OPS).map(([key, label]) => [key, `${key} ${label}`])}
        />
        <${Text}
          ...${props}
          key="number"
          of="number"
          label=${['Number', form.stat === 'ratio' ? '0 to 1' : unitOf(form)].filter(Boolean).join(', ')}
          mode="decimal"
          hint=${form.stat === 'ratio' ? '0 to 1' : ''}
        />
        <${Text} ...${props} key="window" of="window" label="Over the last, s" mode="numeric" hint="up to a year; beyond 3600 looked at each minute" />
        <${Text} ...${props} key="wait" of="wait" label="For at least, s" mode="numeric" hint="0: fires at once" />
        <${Text} ...${props} key="cooldown" of="cooldown" label="Told again after, s" mode="numeric" />
        <${Choice}
          ...${props}
          key="severity"
          of="severity"
          label="Severity"
          options=${SEVERITIES.map((name) => [name, name])}
        />
        <${Text} ...${props} key="labels" of="labels" label="Labels" hint="team=agents, tier=1" />
        <${Text}
          ...${props}
          key="least"
          of="least"
          label="From so many values on"
          mode="numeric"
          hint="of fewer nothing is said"
        />
        ${
          channels.length > 0 &&
          html`<${Text} ...${props} key="channels" of="channels" label="Channels" list=${channels} hint="empty: all" />`
        }
        <${Text} ...${props} key="description" of="description" label="Description" wide />
      </div>
      <${Preview} form=${form} series=${series} />
      ${told && told.at === null && html`<${Problem} error=${told.error} />`}
      <div class="buttons form-end">
        <button type="submit" class="button primary" disabled=${busy}>Save</button>
        <button type="button" class="button" onClick=${onCancel}>Cancel</button>
        <label class="check"
          ><input
            type="checkbox"
            checked=${form.enabled}
            onChange=${(/** @type {any} */ event) => set({ enabled: event.currentTarget.checked })}
          />
          Watched</label
        >
      </div>
    </form>
  </section>`;
}

/**
 * @typedef {{form: Form, set: (change: Partial<Form>) => void, says: (key: keyof Form) => string, onLeave: (key: string) => void,
 *   of: Exclude<keyof Form, 'enabled'>, label: string, hint?: string, wide?: boolean, disabled?: boolean}} FieldProps
 */

/** @param {FieldProps & {mode?: string, list?: string[]}} props */
function Text({ form, set, says, onLeave, of, label, hint = '', wide = false, disabled = false, mode, list }) {
  const called = useNames();
  const wrong = says(of);
  return html`<label class=${`field${wide ? ' wide' : ''}`}>
    ${label}
    <input
      class="input"
      name=${of}
      value=${form[of]}
      disabled=${disabled}
      inputmode=${mode}
      autocomplete="off"
      list=${list ? `list-${of}` : undefined}
      aria-invalid=${wrong ? 'true' : undefined}
      aria-describedby=${`says-${of}`}
      onInput=${(/** @type {any} */ event) => set({ [of]: event.currentTarget.value })}
      onBlur=${() => onLeave(of)}
    />
    ${list && html`<datalist id=${`list-${of}`}>${list.slice(0, 200).map((name) => html`<option key=${name} value=${name}>${called(name) === name ? '' : called(name)}</option>`)}</datalist>`}
    <span class=${`field-note${wrong ? ' tone-bad' : ''}`} id=${`says-${of}`}>${wrong || hint}</span>
  </label>`;
}

/** @param {FieldProps & {options: [string, string][], onPick?: (key: string) => void}} props */
function Choice({ form, set, says, of, label, options, onPick }) {
  const wrong = says(of);
  return html`<label class="field">
    ${label}
    <select
      class="input"
      name=${of}
      value=${form[of]}
      aria-invalid=${wrong ? 'true' : undefined}
      aria-describedby=${`says-${of}`}
      onChange=${(/** @type {any} */ event) => (onPick ? onPick(event.currentTarget.value) : set({ [of]: event.currentTarget.value }))}
    >
      ${options.map(([key, text]) => html`<option key=${key} value=${key}>${text}</option>`)}
    </select>
    <span class=${`field-note${wrong ? ' tone-bad' : ''}`} id=${`says-${of}`}>${wrong}</span>
  </label>`;
}

/** @param {{form: Form, series: any[]}} props */
function Preview({ form, series }) {
  const called = useNames();
  const found = matches(form, series);
  if (form.number.trim() === '') return null;
  const rule = { family: form.family, condition: `${form.stat} ${form.op}`, threshold: null };
  // Live series reach no farther back.
  if (Number(form.window) > LIVE_WINDOW) {
    return html`<div class="preview">
      <p role="status">What it finds over more than an hour shows within a minute after it is saved.</p>
    </div>`;
  }
  const over = found.filter((one) => one.holds).length;
  const text =
    found.length === 0
      ? 'Now: nothing of it came within the window.'
      : `Now: ${over === 0 ? 'it would not hold' : `it would hold for ${over}`} of ${counted(found.length, 'series', 'series')}.`;
  return html`<div class="preview">
    <p role="status">${text}</p>
    ${
      found.length > 0 &&
      html`<ul>
        ${found.slice(0, SHOWN).map(
          (one) =>
            html`<li key=${`${one.source}/${one.name}`}>
              <${Name} text=${one.source ? `${one.source} / ${one.name}` : called(one.name)} />
              <span class=${one.holds ? 'tone-bad' : 'muted'}
                >${`${figuresOf(rule, one.unit).told(one.value)}${one.holds ? ', holds' : ''}`}</span
              >
            </li>`,
        )}
      </ul>`
    }
  </div>`;
}

/** @param {string} text */
function clamp(text) {
  const seconds = Math.round(Number(text));
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), LIVE_WINDOW) : 300;
}
