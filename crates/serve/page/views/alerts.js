import { ago, count, counted, time } from '../format.js';
import { html, useEffect, useMemo, useRef, useState } from '../html.js';
import { Name } from '../parts/name.js';
import { Stat } from '../parts/stat.js';
import { Loading, Problem } from '../parts/states.js';
import { send } from '../api.js';
import { setQuery, useAnswer, useLive, useNames, useRoute } from '../state.js';
import { Channels, SilenceForm, Silences } from './alert-quiet.js';
import { FAMILIES, RULES, figuresOf, form, grouped, ownOf, pace, span, stands, words } from './alert-rule.js';
import { Editor } from './alert-editor.js';

/** @typedef {import('./alert-rule.js').Rule} Rule */

export const title = 'Alerts';

/** Seconds: alerts are looked at each second. */
const EVERY = 5;
/** What is measured changes its unit hardly ever. */
const SELDOM = 60;

/** @typedef {(one: {family: string, source: string, name: string}) => string | undefined} UnitOf */

/**
 * The units of metrics, as those who measure tell them; asked only where there are
 * rules of metrics.
 * @param {readonly Rule[]} rules
 * @returns {UnitOf}
 */
function useUnits(rules) {
  const wanted = rules.some((rule) => rule.family === 'metric');
  const { answer } = useAnswer(wanted ? 'live' : null, { family: 'metric', window: 3600 }, { every: SELDOM });
  const key = (/** @type {any} */ { source, name }) => `${source}\n${name}`;
  const units = useMemo(
    () => new Map((answer?.series ?? []).map((/** @type {any} */ one) => [key(one), one.unit ?? ''])),
    [answer],
  );
  return (one) => (one.family === 'metric' ? units.get(key(one)) : undefined);
}

/** @param {{route: import('../route.js').Route}} _props */
export default function View(_props) {
  const { answer, error, loading, stale, reload } = useAnswer('alerts', {}, { every: EVERY });
  const [edited, setEdited] = useState(/** @type {Rule | 'new' | null} */ (null));
  const unitOf = useUnits(answer?.rules ?? []);
  const opener = useRef(/** @type {Element | null} */ (null));
  // What the stream tells of first is asked for at once, so that both say the same.
  const { alerts: streamed } = useLive([]);
  const told = [...(streamed?.firing ?? []), ...(streamed?.pending ?? [])]
    .map(({ rule, source, name, state }) => `${rule}\n${source}\n${name}\n${state}`)
    .join('\n\n');
  const before = useRef(told);
  useEffect(() => {
    if (before.current === told) return;
    before.current = told;
    if (answer) reload();
  }, [told]);
  if (error && !answer) return html`<${Problem} error=${error} retry=${reload} />`;
  if (loading) return html`<div class="view"><${Loading} height=${92} /><${Loading} height=${420} /></div>`;
  const by = answer.totals;
  const on = answer.rules.filter((/** @type {Rule} */ rule) => rule.enabled);
  const edit = (/** @type {Rule | 'new'} */ rule) => {
    opener.current = document.activeElement;
    setEdited(rule);
  };
  const close = () => {
    setEdited(null);
    // Back to where one came from, once that can be pressed again.
    const from = opener.current;
    requestAnimationFrame(() => from instanceof HTMLElement && from.focus());
  };
  const done = () => {
    close();
    reload();
  };
  return html`<div class=${`view${stale ? ' stale' : ''}`}>
    ${error && html`<${Problem} error=${error} retry=${reload} since=${stale} />`}
    ${
      answer.enabled === false &&
      html`<div class="card problem">
        <h2>Alerts are turned off</h2>
        <p>No rule is looked at. The setting <code>enable_alerts</code> turns them on.</p>
      </div>`
    }
    ${(answer.notes ?? []).map((/** @type {string} */ note) => html`<div class="card problem" key=${note}><p>${note}</p></div>`)}
    <div class="stats">
      <${Stat}
        label="Firing"
        value=${count(by.firing)}
        tone=${by.firing ? 'bad' : 'good'}
        note=${by.firing ? 'too much now' : 'nothing is too much'}
      />
      <${Stat} label="Pending" value=${count(by.pending)} note="not for long enough yet" />
      <${Stat} label="Resolved" value=${count(by.resolved)} note="within 15 minutes" />
      <${Stat}
        label="Without data"
        value=${count(by.no_data)}
        tone=${by.open_without_data ? 'warn' : undefined}
        note=${by.open_without_data ? `${count(by.open_without_data)} fired before` : 'nothing came in'}
      />
      <${Stat} label="Rules on" value=${`${count(on.length)} of ${count(answer.rules.length)}`} note=${pace(on)} />
    </div>
    <${Now} unitOf=${unitOf} alerts=${answer.alerts} totals=${by} unwatched=${answer.unwatched ?? 0} silences=${answer.silences} reload=${reload} />
    ${edited !== null && html`<${Editor} key=${edited === 'new' ? '' : edited.name} rule=${edited === 'new' ? null : edited} rules=${answer.rules} channels=${(answer.channels ?? []).map((/** @type {any} */ one) => one.name)} onDone=${done} onCancel=${close} />`}
    <${Rules} rules=${answer.rules} unitOf=${unitOf} edited=${edited} onEdit=${edit} reload=${reload} />
    <div class="row two">
      ${answer.silences && html`<${Silences} silences=${answer.silences} rules=${answer.rules} reload=${reload} />`}
      ${answer.channels && html`<${Channels} channels=${answer.channels} reload=${reload} />`}
    </div>
  </div>`;
}

/** The mark and the words of a state. @type {Record<string, [string, string]>} */
const STATES = {
  firing: ['bad', 'firing'],
  pending: ['warn', 'pending'],
  resolved: ['good', 'resolved'],
  no_data: ['none', 'no data'],
  open: ['warn', 'no data, fired before'],
  inactive: ['good', 'all well'],
  unseen: ['none', 'not looked at'],
  off: ['none', 'off'],
};

/** @param {{state: string, part?: string}} props part: of how many, where there are more */
function State({ state, part = '' }) {
  const [tone, word] = STATES[state] ?? ['none', state];
  return html`<span class=${`state-word${state === 'firing' ? ' tone-bad' : ''}`}
    ><span class=${`mark ${tone}`} aria-hidden="true"></span>${word}${part && html` <span class="muted small">${part}</span>`}</span
  >`;
}

/**
 * What is told of at the top, the worst first: its name among the totals, how
 * many of it are shown at first, and which alerts are of it.
 * @type {{key: string, word: string, few: number, of: (alert: any) => boolean}[]}
 */
const GROUPS = [
  { key: 'firing', word: 'firing', few: 10, of: ({ state }) => state === 'firing' },
  { key: 'pending', word: 'pending', few: 5, of: ({ state }) => state === 'pending' },
  {
    key: 'open_without_data',
    word: 'without data that fired before',
    few: 5,
    of: ({ state, open }) => open && state === 'no_data',
  },
  { key: 'resolved', word: 'resolved', few: 5, of: ({ state }) => state === 'resolved' },
];
/** So many more are shown each time. */
const STEP = 100;

/** @param {{alerts: any[], totals: Record<string, number>, unwatched: number, silences: any[] | undefined, unitOf: UnitOf, reload: () => void}} props */
function Now({ alerts, totals, unwatched, silences, unitOf, reload }) {
  // Of these nobody knows whether anything is too much.
  const crowd =
    unwatched > 0 &&
    html`<span class="tone-warn"
      >${`${counted(unwatched, 'more series', 'more series')} ${unwatched === 1 ? 'is' : 'are'} not watched: there are too many.`}</span
    >`;
  if (!alerts.some((alert) => GROUPS.some(({ of }) => of(alert)))) {
    return html`<section class="card" aria-label="Now">
      <h2>Now</h2>
      <p class="muted">No alert fires, is pending, or was resolved in the last 15 minutes.</p>
      ${crowd && html`<p>${crowd}</p>`}
    </section>`;
  }
  return html`<section class="card flush" aria-label="Now">
    <div class="table-head"><h2>Now</h2></div>
    ${GROUPS.map((group) => html`<${Group} key=${group.key} group=${group} alerts=${alerts.filter(group.of)} total=${totals[group.key] ?? 0} silences=${silences} unitOf=${unitOf} reload=${reload} />`)}
    ${crowd && html`<p class="table-foot">${crowd}</p>`}
  </section>`;
}

/**
 * Alerts of one state: the first of them, and the rest on demand.
 * @param {{group: typeof GROUPS[number], alerts: any[], total: number, silences: any[] | undefined, unitOf: UnitOf, reload: () => void}} props
 *   total: of all there are, listed by the API or not
 */
function Group({ group: { key, word, few }, alerts, total, silences, unitOf, reload }) {
  const { query } = useRoute();
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const asked = Number(query[key]);
  const shown = alerts.slice(0, asked > few ? asked : few);
  const rest = alerts.length - shown.length;
  if (alerts.length === 0) return null;
  const show = (/** @type {number | null} */ many) => (/** @type {any} */ event) => {
    const pressed = event.currentTarget;
    setQuery({ [key]: many });
    // Who pressed a button that is no longer there goes on in the list.
    requestAnimationFrame(() => pressed.isConnected || list.current?.focus());
  };
  return html`
    <ul class="alerts-now" aria-label=${word} tabindex="-1" ref=${list}>
      ${shown.map((alert) => html`<${Alert} key=${`${alert.rule}\n${alert.source}\n${alert.name}`} alert=${alert} silences=${silences} unit=${unitOf(alert)} reload=${reload} />`)}
    </ul>
    ${
      (total > shown.length || shown.length > few) &&
      html`<div class="table-foot split">
        <span>${`${count(shown.length)} of ${count(Math.max(total, alerts.length))} ${word}${rest === 0 && total > alerts.length ? '; the others are not listed' : ''}`}</span>
        <span class="buttons">
          ${shown.length > few && html`<button type="button" class="button small" aria-label=${`Show fewer ${word}`} onClick=${show(null)}>Show fewer</button>`}
          ${rest > 0 && html`<button type="button" class="button small" aria-label=${`Show ${count(Math.min(rest, STEP))} more ${word}`} onClick=${show(shown.length + STEP)}>${`Show ${count(Math.min(rest, STEP))} more`}</button>`}
        </span>
      </div>`
    }
  `;
}

/** @param {{alert: any, silences: any[] | undefined, unit: string | undefined, reload: () => void}} props */
function Alert({ alert, silences, unit, reload }) {
  const called = useNames();
  const { condition, told } = figuresOf(alert, unit);
  const [quiet, setQuiet] = useState(false);
  const silenced = alert.silenced_until !== null && alert.silenced_until !== undefined;
  const labels = Object.entries(alert.labels ?? {});
  const at = { resolved: alert.resolved_at, no_data: alert.since }[String(alert.state)] ?? alert.fired_at ?? alert.since;
  return html`<li class=${`alert-now alert-${alert.state}`}>
    <div class="alert-state"><${State} state=${alert.state} /><span class="muted">${alert.severity}</span></div>
    <div class="alert-what">
      <p class="apart">
        <strong><bdi>${alert.rule}</bdi></strong>
        ${alert.name && alert.name !== '*' && html`<${Name} text=${alert.source ? `${alert.source} / ${alert.name}` : called(alert.name)} />`}
      </p>
      <p class="muted">
        ${`${condition}: ${alert.value === null ? 'no value' : `${told(alert.value)} now`}`}
        ${alert.description && html` · <bdi>${alert.description}</bdi>`}
      </p>
      ${alert.state === 'no_data' && html`<p class="tone-warn">${`It fired ${ago(alert.fired_at)}; nobody knows how it is now.`}</p>`}
      ${labels.length > 0 && html`<p class="labels">${labels.map(([key, value]) => html`<span class="label-chip" key=${key}><bdi>${`${key}=${value}`}</bdi></span>`)}</p>`}
      ${silenced && html`<p class="tone-warn">${`Silenced until ${time(alert.silenced_until)}.`}</p>`}
      ${
        quiet &&
        html`<${SilenceForm}
          rule=${alert.rule}
          source=${alert.source}
          name=${alert.name}
          onDone=${() => {
            setQuiet(false);
            reload();
          }}
          onCancel=${() => setQuiet(false)}
        />`
      }
    </div>
    <div class="alert-when">
      <span title=${time(at, { precise: true })}
        >${`${alert.state === 'resolved' ? 'resolved' : 'since'} ${ago(at)}`}</span
      >
    </div>
    ${silences && !silenced && alert.state !== 'resolved' && !quiet && html`<button type="button" class="button small" aria-label=${`Silence ${alert.rule}`} onClick=${() => setQuiet(true)}>Silence</button>`}
  </li>`;
}

/**
 * @param {{rules: Rule[], unitOf: UnitOf, edited: Rule | 'new' | null, onEdit: (rule: Rule | 'new') => void, reload: () => void}} props
 */
function Rules({ rules, unitOf, edited, onEdit, reload }) {
  const [error, setError] = useState(/** @type {unknown} */ (null));
  const [busy, setBusy] = useState(/** @type {string | null} */ (null));
  const [sure, setSure] = useState(/** @type {string | null} */ (null));
  const act = async (/** @type {Rule} */ rule, /** @type {() => Promise<unknown>} */ what) => {
    if (busy !== null) return;
    setBusy(rule.name);
    setError(null);
    try {
      await what();
      reload();
    } catch (failed) {
      setError(failed);
    } finally {
      setBusy(null);
      setSure(null);
    }
  };
  const turn = (/** @type {Rule} */ rule) =>
    act(rule, () => send('PUT', RULES, { ...ownOf(rule), enabled: !rule.enabled }, { name: rule.name }));
  const remove = (/** @type {Rule} */ rule) => act(rule, () => send('DELETE', RULES, undefined, { name: rule.name }));
  const row = (/** @type {Rule} */ rule) => {
    const own = rule.origin === 'api';
    const { state, part } = stands(rule);
    return html`<tr key=${rule.name} class=${rule.enabled ? '' : 'off'}>
      <td>
        <button
          type="button"
          class="switch"
          role="switch"
          aria-checked=${rule.enabled ? 'true' : 'false'}
          aria-label=${`Watch ${rule.name}`}
          aria-disabled=${busy !== null ? 'true' : undefined}
          onClick=${() => turn(rule)}
        >
          <span></span>
        </button>
      </td>
      <th scope="row" title=${`${rule.name}: ${words(form(rule))}`}>
        <span class="apart"
          ><bdi>${rule.name}</bdi
          ><span class="muted small">${ORIGINS[/** @type {keyof typeof ORIGINS} */ (rule.origin)] ?? rule.origin}</span></span
        >
      </th>
      <td><${State} state=${state} part=${part} /></td>
      <td class="apart">
        ${rule.family !== 'metric' && html`<span class="muted">${FAMILIES[rule.family]?.label ?? rule.family}</span>`}
        <${Name}
          text=${rule.metric_name === '*' ? 'each' : rule.source ? `${rule.source} / ${rule.metric_name}` : rule.metric_name}
        />
      </td>
      <td class="apart">
        <span class="mono">${figuresOf(rule, unitOf({ ...rule, name: rule.metric_name })).condition}</span>
        <span class="muted"
          >${`over ${span(rule.window_seconds)}${rule.for_seconds > 0 ? `, for ${span(rule.for_seconds)}` : ''}`}</span
        >
      </td>
      <td>${rule.severity}</td>
      <td class="right">
        ${
          sure === rule.name
            ? html`<span class="buttons">
                <button
                  type="button"
                  class="button small danger"
                  disabled=${busy !== null}
                  onClick=${() => remove(rule)}
                >
                  Delete it
                </button>
                <button type="button" class="button small" onClick=${() => setSure(null)}>Keep it</button>
              </span>`
            : html`<span class="buttons">
                <button
                  type="button"
                  class="button small quiet"
                  aria-label=${`Edit ${rule.name}`}
                  onClick=${() => onEdit(rule)}
                >
                  Edit
                </button>
                ${own && html`<button type="button" class="button small quiet" aria-label=${`Delete ${rule.name}`} onClick=${() => setSure(rule.name)}>Delete</button>`}
              </span>`
        }
      </td>
    </tr>`;
  };
  return html`<section class="card flush">
    <div class="table-head">
      <h2>Rules</h2>
      <button type="button" class="button small" disabled=${edited === 'new'} onClick=${() => onEdit('new')}>
        New rule
      </button>
    </div>
    ${error !== null && html`<${Problem} error=${error} />`}
    <div class="table-box" role="region" tabindex="0" aria-label="Rules">
      <table class="table rules">
        <caption class="hidden">
          Rules
        </caption>
        <thead>
          <tr>
            <th scope="col">On</th>
            <th scope="col">Rule</th>
            <th scope="col">State</th>
            <th scope="col">Watches</th>
            <th scope="col">Condition</th>
            <th scope="col">Severity</th>
            <th scope="col"><span class="hidden">Change</span></th>
          </tr>
        </thead>
        ${grouped(rules).map(
          ([group, of]) =>
            html`<tbody key=${group}>
              ${group && html`<tr class="group"><th scope="rowgroup" colspan="7"><bdi>${group}</bdi></th></tr>`}
              ${of.map(row)}
            </tbody>`,
        )}
      </table>
    </div>
    <p class="table-foot">
      A built-in rule, or one of config.yaml, that is changed here becomes a rule of the API; deleting that brings the
      former back.
    </p>
  </section>`;
}

const ORIGINS = /** @type {Record<string, string>} */ ({ builtin: 'built in', config: 'config.yaml', api: 'by the API' });
