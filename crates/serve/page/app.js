// The shell: nav, top bar, and the view that the address names.

import { ApiError, guarded, locked, serverNow } from './api.js';
import { ago, keepTime, plain } from './format.js';
import { html, render, useEffect, useErrorBoundary, useRef, useState } from './html.js';
import { Early } from './parts/early.js';
import { Name } from './parts/name.js';
import { RangePicker } from './parts/range-picker.js';
import { Empty, Loading, Problem } from './parts/states.js';
import { Unlock } from './parts/unlock.js';
import {
  firingNow,
  link,
  pause,
  paused,
  reconnect,
  resume,
  turning,
  useAnswer,
  useBlank,
  useLive,
  useRange,
  useRoute,
  useTheme,
} from './state.js';
import { useStore } from './store.js';
import { verdict } from './verdict.js';

/** In the nav, in this order. @type {[string, string][]} */
const NAV = [
  ['overview', 'Overview'],
  ['tools', 'Tools'],
  ['agents', 'Agents'],
  ['models', 'Models and cost'],
  ['caches', 'Caches'],
  ['sessions', 'Sessions'],
  ['queries', 'Queries'],
  ['system', 'System'],
  ['alerts', 'Alerts'],
  ['sql', 'SQL'],
];
/** A trace is one of the sessions'. */
const PARENT = new Map([['trace', 'sessions']]);
const KNOWN = new Set([...NAV.map(([view]) => view), ...PARENT.keys()]);

/** Views of what agents did: without any of it they say how to begin. */
const OF_WORK = new Set(['overview', 'tools', 'agents', 'models', 'caches', 'sessions', 'queries']);

/** Views that the range is nothing to. */
const TIMELESS = new Set(['trace', 'alerts', 'sql']);

/** @typedef {{title: string, default: (props: {route: import('./route.js').Route}) => any}} View */
/** Views that are there already, so that going back shows them at once. @type {Map<string, View>} */
const loaded = new Map();

function App() {
  const route = useRoute();
  const shut = useStore(locked);
  const late = useLate();
  const first = useRef(true);
  const heading = useRef(/** @type {HTMLElement | null} */ (null));
  const place = [route.view, ...route.rest].join('/');
  useEffect(() => {
    if (first.current) {
      first.current = false;
      return;
    }
    // Another view is another page: it is read from its top.
    scrollTo(0, 0);
    heading.current?.focus();
  }, [place]);
  return html`
    <a class="skip" href="#main" onClick=${skip}>Skip to the figures</a>
    <div class="shell">
      <${Nav} view=${route.view} />
      <${Top} route=${route} heading=${heading} />
      <main class=${`main ${late && !TIMELESS.has(route.view) ? 'turning' : ''}`} id="main" tabindex="-1">
        ${!shut && !TIMELESS.has(route.view) && html`<${Early} />`}
        ${shut ? html`<${Unlock} />` : html`<${Stage} key=${route.view} route=${route} />`}
      </main>
    </div>
  `;
}

/** Milliseconds in which most answers are there: what stands so long is not dimmed. */
const LATE_MS = 250;

/** Whether what is shown is still of another range than the chosen one, for longer than a blink. */
function useLate() {
  const under = useStore(turning) > 0;
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!under) return setLate(false);
    const timer = setTimeout(() => setLate(true), LATE_MS);
    return () => clearTimeout(timer);
  }, [under]);
  return under && late;
}

/** The hash is the address of the view, so it cannot lead to a part of it. @param {any} event */
function skip(event) {
  event.preventDefault();
  document.getElementById('main')?.focus();
}

/** @param {{view: string}} props */
function Nav({ view }) {
  const firing = firingNow(useLive([]));
  const here = PARENT.get(view) ?? view;
  const open = !useStore(guarded);
  const strip = useRef(/** @type {HTMLElement | null} */ (null));
  // On a narrow screen the views stand in a strip that is wider than it.
  useEffect(() => {
    const list = strip.current;
    const at = list?.querySelector('[aria-current]');
    if (!list || !at) return;
    const middle = (/** @type {Element} */ one) => one.getBoundingClientRect().left + one.getBoundingClientRect().width / 2;
    list.scrollLeft += middle(at) - middle(list);
  }, [here]);
  return html`
    <nav class="nav" aria-label="Views" ref=${strip}>
      <a class="brand" href=${link('overview')}>
        <svg
          viewBox="0 0 18 18"
          aria-hidden="true"
          focusable="false"
          fill="none"
          stroke="currentColor"
          stroke-width="1.8"
          stroke-linecap="round"
        >
          <path d="M3.2 13.6a7 7 0 1 1 11.6 0" />
          <path d="M9 10.2l3.2-3.6" />
        </svg>
        Tachograph
      </a>
      <ul>
        ${NAV.map(
          ([name, label]) => html`
            <li key=${name}>
              <a href=${link(name)} aria-current=${name === here ? 'page' : undefined}>
                ${label}
                ${name === 'alerts' && firing > 0 && html`<span class="number" title="firing">${firing}<span class="hidden"> firing</span></span>`}
              </a>
            </li>
          `,
        )}
      </ul>
      ${open &&
      html`
        <div class="foot">
          <ul>
            <li><a href="api/v1">API</a></li>
            <li><a href="api/v1/openapi.json">OpenAPI</a></li>
          </ul>
        </div>
      `}
    </nav>
  `;
}

/** @param {{route: import('./route.js').Route, heading: any}} props */
function Top({ route, heading }) {
  const label = NAV.find(([name]) => name === (PARENT.get(route.view) ?? route.view))?.[1] ?? 'Tachograph';
  // A name may have slashes in it that whoever typed the address left as they are.
  const last = route.view === 'trace' ? route.rest.at(-1) : route.rest.join('/');
  useEffect(() => {
    document.title = `${last ? `${plain(last.slice(0, 60))} · ` : ''}${label} · Tachograph`;
  }, [label, last]);
  return html`
    <header class="top">
      <h1 tabindex="-1" ref=${heading}>
        ${last ? html`<span class="crumb"><a href=${link(PARENT.get(route.view) ?? route.view)}>${label}</a> / </span><${Name} text=${last} />` : label}
      </h1>
      <${Verdict} />
      <div class="right">
        ${!TIMELESS.has(route.view) && html`<${RangePicker} />`}
        <${Refresh} />
        <${ThemeSwitch} />
      </div>
    </header>
  `;
}

function Verdict() {
  const { query } = useRange();
  const { answer } = useAnswer('health', query);
  const firing = firingNow(useLive([]));
  const { tone, word, sentence, of } = verdict(answer, firing);
  return html`
    <a class="verdict" href=${of === 'discovery' ? link('agents', [], { show: of }) : link(of)} title=${sentence}>
      <span class=${`mark ${tone}`} aria-hidden="true"></span>
      <span class="hidden">State: </span>${word}
    </a>
  `;
}

const STATES = {
  connecting: ['none', 'connecting'],
  live: ['good', 'live'],
  paused: ['none', 'paused'],
  reconnecting: ['warn', 'reconnecting'],
  offline: ['bad', 'offline'],
};

function Refresh() {
  const { state, timestamp } = useLive([]);
  const still = useStore(paused);
  const [tone, word] = STATES[still ? 'paused' : state];
  const [act, doing] =
    still || state === 'live' || state === 'connecting'
      ? still
        ? [resume, 'Go on refreshing']
        : [pause, 'Stop refreshing']
      : [reconnect, 'Connect again'];
  const since = timestamp && state !== 'live' ? `; the last figures came ${ago(timestamp)}` : '';
  return html`
    <button type="button" class="button" title=${`${doing}${since}`} onClick=${act}>
      <span class=${`mark ${tone}`} aria-hidden="true"></span>
      <span role="status">${word}</span>
      <span class="hidden">. ${doing}</span>
    </button>
  `;
}

/** What is seen: the sun, or the moon. */
const SHADES = {
  light: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.1 1.1M11.9 11.9 13 13M3 13l1.1-1.1M11.9 4.1 13 3',
  dark: 'M13.8 9.6A6 6 0 0 1 6.4 2.2 6 6 0 1 0 13.8 9.6z',
};

function ThemeSwitch() {
  const { theme, shade, turn } = useTheme();
  const about = `Theme: ${shade}${theme === 'system' ? ', as the system' : ''}. Change to ${shade === 'dark' ? 'light' : 'dark'}`;
  return html`
    <button type="button" class="button icon" aria-label=${about} title=${about} onClick=${turn}>
      <svg
        viewBox="0 0 16 16"
        fill="none"
        stroke="currentColor"
        stroke-width="1.3"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        <path d=${SHADES[shade]} />
      </svg>
    </button>
  `;
}

/** @param {{route: import('./route.js').Route}} props */
function Stage({ route }) {
  const [view, setView] = useState(loaded.get(route.view) ?? null);
  const [failed, setFailed] = useState(/** @type {unknown} */ (null));
  const blank = useBlank();
  const [broken, mend] = useErrorBoundary();
  useEffect(() => {
    if (view !== null || !KNOWN.has(route.view)) return;
    let gone = false;
    import(`./views/${route.view}.js`).then(
      (/** @type {View} */ found) => {
        loaded.set(route.view, found);
        if (!gone) setView(found);
      },
      (error) => {
        if (!gone) setFailed(error);
      },
    );
    return () => {
      gone = true;
    };
  }, [route.view]);
  if (!KNOWN.has(route.view)) {
    return html`<div class="card">
      <h2>There is no view of that name</h2>
      <p><a href=${link('overview')}>Overview</a></p>
    </div>`;
  }
  if (failed) return html`<${Missing} error=${failed} />`;
  if (broken) return html`<${Problem} error=${broken} retry=${mend} />`;
  if (blank && OF_WORK.has(route.view)) return html`<div class="view"><${Empty} /></div>`;
  if (view === null) return html`<${Loading} height=${400} />`;
  return html`<${view.default} route=${route} />`;
}

/**
 * A part of the page that did not come: the server is gone, or is of another version
 * than the page. Loads the page anew when a server that was gone is back.
 * @param {{error: unknown}} props
 */
function Missing({ error }) {
  const { state, timestamp } = useLive([]);
  const gone = useRef(false);
  useEffect(() => {
    if (state === 'live' && gone.current) location.reload();
    gone.current = state !== 'live';
  }, [state]);
  const up = state === 'live';
  const problem = up
    ? new ApiError(0, 'this view could not be loaded', String(error), 'The server may be of another version by now: Retry loads its page.')
    : new ApiError(
        0,
        'the server does not answer',
        `${location.host} did not answer, so this view could not be loaded.`,
        'See whether tacho start still runs; the page comes back with it.',
      );
  return html`<${Problem}
    error=${problem}
    retry=${() => location.reload()}
    since=${up || timestamp === null ? null : Date.parse(timestamp)}
    shown="The last figures came at"
  />`;
}

// What events say of time is by the server's clock.
keepTime(serverNow);
const root = document.getElementById('app');
if (root) {
  // What stands there until the modules have come.
  root.textContent = '';
  render(html`<${App} />`, root);
}
