// What stands where there are no figures: not yet, none, or a problem.

import { ApiError, guarded } from '../api.js';
import { time } from '../format.js';
import { html, useEffect, useState } from '../html.js';
import { serverAddress, useAnswer } from '../state.js';
import { useStore } from '../store.js';
import { byCurl, byOtlp } from './first-event.js';

/**
 * A placeholder of the final height; for what comes at once it is not drawn.
 * @param {{height?: number}} props pixels
 */
export function Loading({ height = 160 }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return html`
    <div class=${late ? 'skeleton' : ''} style=${{ height: `${height}px` }} aria-busy="true">
      <span class="hidden">${late ? 'Loading' : ''}</span>
    </div>
  `;
}

/**
 * What went wrong, where, and the way out.
 * @param {{error: unknown, retry?: (() => void) | undefined, since?: number | null, shown?: string}} props
 *   since: since when what is shown is not up to date; shown: the words before it
 */
export function Problem({ error, retry, since, shown = 'What is shown is of' }) {
  const known = error instanceof ApiError ? error : null;
  const title = known ? known.title : 'This part of the page broke';
  const detail = known ? known.detail : String(error instanceof Error ? error.message : error);
  return html`
    <div class="card problem" role="alert">
      <h2>${sentence(title)}</h2>
      <p>${detail}</p>
      ${known?.hint && html`<p class="hint">${known.hint}</p>`}
      ${since && html`<p class="hint">${`${shown} ${time(since)}.`}</p>`}
      ${retry && html`<button type="button" class="button" onClick=${retry}>Retry</button>`}
    </div>
  `;
}

/** @param {string} text */
function sentence(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * Nothing recorded yet, and the ways to record something.
 * @param {{title?: string, children?: any}} props children: instead of the usual words
 */
export function Empty({ title = 'Nothing recorded yet', children }) {
  return html`
    <div class="card empty">
      <h2>${title}</h2>
      ${children ? html`<p class="muted">${children}</p>` : html`<${Ways} />`}
    </div>
  `;
}

/** Three ways to send a first event. */
function Ways() {
  // A port that is not the server's would be worse than a moment without one.
  const server = useAnswer('server', {}, { every: 0 });
  const token = useStore(guarded);
  const otlp = byOtlp(new URL(serverAddress('')), server.answer?.listeners ?? null, token);
  return html`
    <p class="muted">Send a first event in one of three ways; it shows up here by itself.</p>
    <h3>From any language</h3>
    <${Code} label="Command to send an event" text=${byCurl(serverAddress('api/v1/events'), token)} />
    <h3>From an agent or SDK that speaks OpenTelemetry</h3>
    ${
      server.loading
        ? html`<${Loading} height=${62} />`
        : otlp === null
          ? html`<p class="note-line">This server has no door for OTLP open; what <code>curl</code> sends it takes.</p>`
          : html`<${Code} label="Settings for OpenTelemetry" text=${otlp} />`
    }
    ${server.error && html`<p class="note-line">4318 is the usual port; <code>tacho start</code> says which it is here.</p>`}
    ${token && html`<p class="note-line">TOKEN stands for what is in the file <code>token</code> in the server's home.</p>`}
    <h3>From Rust</h3>
    <${Code}
      label="Rust code to record a call"
      text=${'let recorder = tachograph::init();\nlet found = recorder.tool("search").time(|| find("x"));'}
    />
  `;
}

/** @param {{label: string, text: string}} props */
function Code({ label, text }) {
  return html`<pre class="code" tabindex="0" aria-label=${label}>${text}</pre>`;
}
