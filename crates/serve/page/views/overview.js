import { serverNow } from '../api.js';
import { DAY, ago, count, counted, duration, money, percent, rate, tokens as tokenCount } from '../format.js';
import { html, useEffect, useState } from '../html.js';
import { Listed } from '../parts/frame.js';
import { Name } from '../parts/name.js';
import { Stat } from '../parts/stat.js';
import { Loading, Problem } from '../parts/states.js';
import { firingNow, link, linkHere, useAnswer, useLive, useRange, useRoute } from '../state.js';
import { verdict } from '../verdict.js';
import { over, went } from './changes.js';
import { Calls, Cost, HitRate, Latency, Tokens } from './charts.js';
import { alongside, hitRatio, outcome, ratio, spent, total, values } from './series.js';

export const title = 'Overview';

/** Sparks say as much with half as many points. */
const BUCKETS = 120;
const SYNC = 'overview';
/** Seconds between two times that days are compared. */
const DAILY = 120;
/** Of what got worse, so many are told of. */
const WORST = 3;

export default function View() {
  const range = useRange();
  const { query } = range;
  const ask = (/** @type {string} */ name, /** @type {object} */ params = {}) =>
    useAnswer(name, query && { ...query, ...params });
  const health = ask('health');
  const tools = ask('tools');
  const models = ask('models');
  const tooled = ask('timeline', { kind: 'tool_call', buckets: BUCKETS });
  const modelled = ask('timeline', { kind: 'llm_call', buckets: BUCKETS });
  const cached = ask('timeline', { kind: 'cache', buckets: BUCKETS });
  const sessions = ask('session_list', { limit: 8 });
  const discovery = ask('discovery').answer?.discovery;
  const loaded = ask('token_savings').answer?.token_savings;
  const found = discovery && loaded ? foundOf(discovery, loaded) : null;
  const compared = over(range);
  const changes = useAnswer('changes', compared.params, { every: DAILY });
  const live = useLive([]);

  const idle = isIdle(tools.answer, models.answer);
  const alone = idle && found !== null && found.lookUps + found.loads > 0 && looked(cached) === 0;

  if (health.error && !health.answer) return html`<${Problem} error=${health.error} retry=${health.reload} />`;
  return html`
    <div class="view">
      <${State}
        health=${health.answer}
        live=${live}
        changes=${changes.answer?.changes ?? null}
        compared=${compared.words}
        idle=${idle}
        found=${found}
      />
      ${
        alone
          ? html`<${Discovered} />`
          : html`
              <${Charts} tools=${tools} models=${models} tooled=${tooled} modelled=${modelled} cached=${cached} />
              <div class="row two">
                <${TopTools} asked=${tools} />
                <${Latest} asked=${sessions} />
              </div>
            `
      }
      ${alone && sessions.answer?.session_list.sessions.length > 0 && html`<${Latest} asked=${sessions} />`}
    </div>
  `;
}

/**
 * Figures and charts of calls.
 * @param {Record<'tools' | 'models' | 'tooled' | 'modelled' | 'cached', import('../state.js').Asked>} props
 */
function Charts({ tools, models, tooled, modelled, cached }) {
  const ofTools = alongside(tools.answer, tooled.answer)?.tools;
  const ofModels = alongside(models.answer, modelled.answer)?.models;
  return html`
    <${Stats}
      tools=${tools.answer?.tools}
      models=${models.answer?.models}
      tooled=${tooled.answer?.timeline}
      modelled=${modelled.answer?.timeline}
      cached=${cached.answer?.timeline}
    />
    <div class="row two">
      <${Latency}
        id="tool-latency"
        title="Latency of tool calls"
        asked=${tooled}
        spread=${ofTools?.duration_ms}
        sync=${SYNC}
      />
      <${Latency} id="model-latency" title="Latency of model calls" asked=${modelled} sync=${SYNC} />
    </div>
    <div class="row two">
      <${Calls} id="tool-calls" title="Tool calls" asked=${tooled} whole=${ofTools?.calls} sync=${SYNC} />
      <${Calls}
        id="model-calls"
        title="Model calls"
        asked=${modelled}
        whole=${ofModels?.calls}
        sync=${SYNC}
      />
    </div>
    <div class="row three">
      <${Tokens}
        id="tokens"
        title="Tokens"
        asked=${modelled}
        whole=${ofModels?.tokens}
        height=${150}
        sync=${SYNC}
      />
      <${Cost}
        id="cost"
        title="Cost"
        asked=${modelled}
        whole=${priced(ofModels) > 0 ? ofModels.cost_usd : null}
        height=${150}
        sync=${SYNC}
      />
      <${HitRate} id="hits" title="Cache hit rate" asked=${cached} height=${150} sync=${SYNC} />
    </div>
  `;
}

/** Look-ups of caches. @param {import('../state.js').Asked} cached a timeline; null: not known yet */
function looked({ answer }) {
  if (answer === null) return null;
  return total(values(answer.timeline, (/** @type {import('../types.d.ts').Bucket} */ bucket) => (bucket.hits ?? 0) + (bucket.misses ?? 0))) ?? 0;
}

/**
 * What stands in the place of figures and charts where agents were looked up and
 * nothing was called: the part of the agents' page that tells of it. Most have no
 * need of it, so it comes when it is wanted.
 */
function Discovered() {
  const [part, setPart] = useState(/** @type {typeof import('./discovery.js') | null} */ (null));
  useEffect(() => {
    let gone = false;
    // Without it the link above still leads there.
    import('./discovery.js').then((found) => !gone && setPart(found), () => {});
    return () => {
      gone = true;
    };
  }, []);
  return part === null ? html`<${Loading} height=${420} />` : html`<${part.Standing} />`;
}

/** Whether nothing was called in this time. @param {any} tools @param {any} models */
function isIdle(tools, models) {
  return tools?.tools.tools.length === 0 && models?.models.models.length === 0;
}

/**
 * What was done besides calls: agents were looked up and loaded.
 * @typedef {{lookUps: number, loads: number, hits: number | null}} Found hits: of the agent cache, 0..=1
 */

/** @param {any} discovery the answer to it @param {any} loaded that to `token_savings` @returns {Found} */
function foundOf(discovery, loaded) {
  const hits = discovery.by_operation['get_agent']?.cache_hit_rate;
  return {
    lookUps: discovery.total_operations,
    loads: loaded.total_agents_loaded,
    hits: typeof hits === 'number' ? hits / 100 : null,
  };
}

/** @param {{idle: boolean, found: Found | null}} props */
function Besides({ idle, found }) {
  if (found === null) return null;
  const { lookUps, loads, hits } = found;
  if (lookUps + loads === 0) {
    if (!idle) return null;
    return html`<p class="muted">Nothing was called in this time. <a href=${link('overview', [], { range: 'all' })}>Look at all there is</a></p>`;
  }
  const cache = hits === null ? '' : `; hit rate of their cache ${percent(hits)}`;
  const said = `${idle ? 'No tool or model was called in this time; agents' : 'Agents'} were looked up ${counted(lookUps, 'time')} and loaded ${counted(loads, 'time')}${cache}.`;
  return html`<p class="muted">${said} <a href=${link('agents', [], { show: 'discovery' })}>Agent discovery</a></p>`;
}

/**
 * @param {{health: any, live: import('../state.js').LiveNow, idle: boolean, found: Found | null, compared: string,
 *   changes: import('../types.d.ts').Change[] | null}} props compared: over which days changes are looked for
 */
function State({ health, live, changes, compared, idle, found }) {
  const all = useRoute().query['worse'] === 'all';
  if (health === null) return html`<${Loading} height=${92} />`;
  const firing = live.alerts?.firing ?? [];
  const pending = live.alerts?.pending ?? [];
  const now = live.overview;
  const { tone, sentence } = verdict(health, firingNow(live));
  const worse = (changes ?? []).filter((change) => change.worse);
  const more = all ? 0 : worse.length - WORST;
  return html`
    <section class="card state-card" aria-label="State">
      <div class="split">
        <p class="sentence"><span class=${`mark ${tone}`} aria-hidden="true"></span>${sentence}</p>
        ${now && html`<p class="muted">${present(now)}</p>`}
      </div>
      <${Besides} idle=${idle} found=${found} />
      <ul class="facts">
        ${[...firing, ...pending].slice(0, 5).map(
          (alert) => html`
            <li key=${`${alert.rule} ${alert.source} ${alert.name}`}>
              <span class=${`tag ${alert.state === 'firing' ? 'bad' : 'warn'}`}>${alert.state ?? 'firing'}</span>
              <a href=${link('alerts')}><bdi>${alert.rule}</bdi></a>
              ${alert.name && html`<${Name} text=${alert.name} />`}
              <span class="muted">since ${ago(alert.since ?? alert.fired_at)}</span>
            </li>
          `,
        )}
      </ul>
      ${
        worse.length > 0 &&
        html`
          <h2 class="facts-head">What got worse <span class="muted">${compared}</span></h2>
          <ul class="facts">
            ${worse.slice(0, all ? worse.length : WORST).map(
              (change) => html`
                <li key=${`${change.event_type} ${change.name} ${change.figure} ${change.since}`}>
                  <span class="tag warn">worse</span>
                  <${Name} text=${change.name} href=${changed(change)} />
                  <span>${went(change)}</span>
                  <span class="muted">${`${change.finding === 'outlier' ? 'on' : 'since'} ${change.since}`}</span>
                </li>
              `,
            )}
            ${more > 0 && html`<li><a href=${linkHere({ worse: 'all' })}>${`and ${more} more`}</a></li>`}
          </ul>
        `
      }
    </section>
  `;
}

/** What goes on now; a cost that nobody knows is not told. @param {Record<string, number | null>} now */
function present(now) {
  const cost = now['cost_per_hour'];
  const parts = [`${rate(now['events_per_second'])} events`, counted(now['active_sessions'], 'active session')];
  return `Now ${[...parts, ...(typeof cost === 'number' ? [`${money(cost)} an hour`] : [])].join(', ')}`;
}

/**
 * The day of it and those around it, a week for what goes on since.
 * @param {import('../types.d.ts').Change} change
 * @returns {Record<string, string>}
 */
function around({ finding, since }) {
  const day = Date.parse(since);
  if (!Number.isFinite(day)) return {};
  const [before, after] = finding === 'outlier' ? [1, 2] : [7, 7];
  const at = (/** @type {number} */ ms) => new Date(ms).toISOString();
  return { from: at(day - before * DAY), to: at(Math.min(day + after * DAY, serverNow())) };
}

/** Where there is more on it. @param {import('../types.d.ts').Change} change */
function changed(change) {
  const when = around(change);
  if (change.event_type === 'tool_call') return link('tools', [change.name], when);
  if (change.event_type === 'llm_call') {
    const [provider = '', ...model] = change.name.split('/');
    return link('models', model.length > 0 ? [provider, model.join('/')] : [], when);
  }
  if (change.event_type === 'cache') return link('caches', [], when);
  if (change.event_type === 'query') return link('queries', [], when);
  return null;
}

/** @param {any} props */
function Stats({ tools, models, tooled, modelled, cached }) {
  const of = tools ? outcome(tools.calls) : null;
  const asked = models ? outcome(models.calls).all : null;
  const failing = of?.failing ?? null;
  const refused = models ? outcome(models.calls).failing : null;
  const hits = total(values(cached, (bucket) => bucket.hits));
  const lookups = (hits ?? 0) + (total(values(cached, (bucket) => bucket.misses)) ?? 0);
  const tokens = models && models.tokens.input + models.tokens.output;
  const known = priced(models);
  return html`
    <div class="stats">
      <${Stat}
        label="Tool calls"
        value=${count(of?.all)}
        note=${told(failing)}
        tone=${(failing ?? 0) > 0.05 ? 'bad' : undefined}
        spark=${values(tooled, (bucket) => bucket.count)}
        href=${link('tools')}
      />
      <${Stat}
        label="p95 of tool calls"
        value=${duration(tools?.duration_ms?.p95)}
        note=${tools?.duration_ms ? `p50 ${duration(tools.duration_ms.p50)}` : ''}
        spark=${values(tooled, (bucket) => bucket.p95)}
        href=${link('tools')}
      />
      <${Stat}
        label="Model calls"
        value=${count(asked)}
        note=${told(refused)}
        tone=${(refused ?? 0) > 0.05 ? 'bad' : undefined}
        spark=${values(modelled, (bucket) => bucket.count)}
        href=${link('models')}
      />
      <${Stat}
        label="Tokens"
        value=${tokenCount(tokens)}
        note=${tokens ? `${tokenCount(models.tokens.output)} out` : ''}
        spark=${values(modelled, (bucket) => (bucket.input_tokens ?? 0) + (bucket.output_tokens ?? 0))}
        href=${link('models')}
      />
      <${Stat}
        label="Cost"
        value=${models && known === 0 && asked ? '–' : money(models?.cost_usd)}
        note=${asked ? (known < asked ? `${counted(asked - known, 'call')} without a price` : `${money(models.cost_usd / asked)} a call`) : ''}
        spark=${values(modelled, spent('cost_usd'))}
        href=${link('models')}
      />
      <${Stat}
        label="Cache hit rate"
        value=${percent(ratio(hits, lookups))}
        note=${lookups > 0 ? counted(lookups, 'look-up') : cached ? 'no look-ups' : ''}
        spark=${values(cached, hitRatio)}
        href=${link('caches')}
      />
    </div>
  `;
}

/** Calls whose cost is known. @param {any} models */
function priced(models) {
  return (models?.models ?? []).reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.priced_calls, 0);
}

/** @param {number | null | undefined} failing */
function told(failing) {
  if (failing === null || failing === undefined) return '';
  return failing === 0 ? 'none failed' : `${percent(failing)} failed`;
}

/** @type {import('../parts/table.js').Column[]} */
const TOOLS = [
  { key: 'name', label: 'Tool', unit: 'name', link: (row) => link('tools', [row.name]) },
  { key: 'time', label: 'Time', unit: 'ms', bar: true },
  { key: 'count', label: 'Calls', unit: 'count' },
  { key: 'failing', label: 'Failed', unit: 'ratio' },
  { key: 'p95', label: 'p95', unit: 'ms' },
];

/** @param {{asked: import('../state.js').Asked}} props */
function TopTools({ asked }) {
  const all = asked.answer?.tools.tools;
  const rows = (all ?? []).map((/** @type {import('../types.d.ts').Tool} */ tool) => ({
    name: tool.name,
    time: tool.duration_ms?.sum ?? null,
    count: outcome(tool.calls).all,
    failing: outcome(tool.calls).failing,
    p95: tool.duration_ms?.p95 ?? null,
  }));
  const top = rows.sort((/** @type {any} */ a, /** @type {any} */ b) => (b.time ?? 0) - (a.time ?? 0)).slice(0, 8);
  return html`
    <${Listed}
      ready=${all !== undefined}
      height=${330}
      caption="Tools that take the most time"
      columns=${TOOLS}
      rows=${top}
      sort=${{ key: 'time', down: true }}
      empty="No tool calls in this time."
    />
  `;
}

/** @type {import('../parts/table.js').Column[]} */
const SESSIONS = [
  { key: 'session', label: 'Session', unit: 'name', link: (row) => link('trace', ['session', row.session]) },
  { key: 'last', label: 'Last event', unit: 'text', format: (value) => ago(value) },
  { key: 'events', label: 'Events', unit: 'count' },
  { key: 'failed', label: 'Failed', unit: 'count' },
  { key: 'tokens', label: 'Tokens', unit: 'tokens' },
  { key: 'cost_usd', label: 'Cost', unit: 'usd' },
];

/** @param {{asked: import('../state.js').Asked}} props */
function Latest({ asked }) {
  const rows = asked.answer?.session_list.sessions;
  return html`
    <${Listed}
      ready=${rows !== undefined}
      height=${330}
      caption="Latest sessions"
      columns=${SESSIONS}
      rows=${rows ?? []}
      sort=${{ key: 'last', down: true }}
      empty="No sessions in this time."
    />
  `;
}
