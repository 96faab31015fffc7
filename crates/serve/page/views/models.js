import { address, isAskable } from '../api.js';
import { Bars } from '../charts/bars.js';
import { Line } from '../charts/line.js';
import { count, counted, duration, integer, money, percent, tokens } from '../format.js';
import { html, useMemo } from '../html.js';
import { Framed, Listed } from '../parts/frame.js';
import { Stat } from '../parts/stat.js';
import { link, useAnswer, useRange } from '../state.js';
import { Calls, Cost, Latency, Timed, Tokens } from './charts.js';
import { Absent, Callers, Classes, Failures } from './one.js';
import { alongside, outcome, peak, ratio, spent, stretch, total, values, valuesAt } from './series.js';
import { Durations } from './tiles.js';

export const title = 'Models and cost';

/** @typedef {import('../types.d.ts').Model} Model */

const BUCKETS = 120;
/** Models that are drawn apart; as many as there are colours. */
const APART = 6;

/** @param {Model} model */
const nameOf = (model) => `${model.provider ?? 'unknown'}/${model.model ?? 'unknown'}`;

/** @param {Model} model */
const subjectOf = (model) => ({ kind: 'llm_call', name: model.model ?? 'unknown', source: model.provider ?? 'unknown' });

/** Whether its timeline can be asked for: one that cannot keeps those of others from nobody. @param {Model} model */
const isDrawable = (model) => isAskable(address('api/v1/timeline', subjectOf(model)));

/** @param {{route: import('../route.js').Route}} props */
export default function View({ route }) {
  const [provider, ...rest] = route.rest;
  // Names of models may have slashes in them.
  const model = rest.join('/');
  return provider !== undefined && model !== ''
    ? html`<${One} key=${`${provider}/${model}`} provider=${provider} model=${model} />`
    : html`<${All} />`;
}

function All() {
  const { query } = useRange();
  const asked = useAnswer('models', query && { ...query, limit: 1000 });
  const timeline = useAnswer('timeline', query && { ...query, kind: 'llm_call', buckets: BUCKETS });
  const found = asked.answer?.models;
  const whole = alongside(asked.answer, timeline.answer)?.models;
  const models = /** @type {Model[]} */ (found?.models ?? []);
  const rows = useMemo(() => rowsOf(models), [found]);
  return html`
    <${Framed} asked=${asked}>
      <${Stats} found=${found} timeline=${timeline.answer?.timeline} />
      <${Apart} models=${models} of=${asked.answer} />
      <div class="row two">
        <${Tokens} id="tokens" title="Tokens" asked=${timeline} whole=${whole?.tokens} sync="models" />
        <${Calls} id="calls" title="Calls" asked=${timeline} whole=${whole?.calls} sync="models" />
      </div>
      <${Listed}
        ready=${found !== undefined}
        caption="Models"
        columns=${COLUMNS}
        rows=${rows}
        sort=${{ key: 'cost', down: true }}
        empty="No model calls in this time."
      />
    <//>
  `;
}

/** @param {{found: any, timeline: any}} props */
function Stats({ found, timeline }) {
  const calls = found ? outcome(found.calls) : null;
  const used = found?.tokens;
  const priced = (found?.models ?? []).reduce(
    (/** @type {number} */ sum, /** @type {Model} */ model) => sum + model.priced_calls,
    0,
  );
  const unpriced = calls ? calls.all - priced : 0;
  return html`
    <div class="stats">
      <${Stat}
        label="Cost"
        value=${priced > 0 ? money(found.cost_usd) : '–'}
        note=${calls ? (unpriced > 0 ? `${counted(unpriced, 'call')} without a price` : 'every call has a price') : ''}
        spark=${values(timeline, spent('cost_usd'))}
      />
      <${Stat} label="Cost of a call" value=${priced > 0 ? money(found.cost_usd / priced) : '–'} note="mean" />
      <${Stat}
        label="Tokens in"
        value=${tokens(used?.input)}
        note=${used ? `${percent(ratio(used.cache_read, used.input))} cached` : ''}
        spark=${values(timeline, spent('input_tokens'))}
      />
      <${Stat}
        label="Tokens out"
        value=${tokens(used?.output)}
        note=${used && used.reasoning > 0 ? `${tokens(used.reasoning)} reasoning` : ''}
        spark=${values(timeline, spent('output_tokens'))}
      />
      <${Stat}
        label="Calls"
        value=${count(calls?.all)}
        note=${found ? counted(found.models.length, 'model') : ''}
        spark=${values(timeline, (bucket) => bucket.count)}
      />
      <${Stat}
        label="Error rate"
        value=${percent(calls?.failing)}
        note=${found ? counted(found.calls.failed, 'failure') : ''}
      />
    </div>
  `;
}

/**
 * Timelines of up to six models: hooks are called as often each time.
 * @param {readonly Model[]} models
 * @param {number} buckets
 */
function useApart(models, buckets) {
  const { query } = useRange();
  return Array.from({ length: APART }, (_, at) => {
    const model = models[at];
    const params =
      model && query
        ? { ...query, ...subjectOf(model), buckets }
        : null;
    return useAnswer('timeline', params);
  }).slice(0, Math.max(models.length, 1));
}

/**
 * Cost and latency, model by model.
 * @param {{models: readonly Model[], of: any}} props of: the answer that told of them
 */
function Apart({ models, of }) {
  const dearest = useMemo(
    () =>
      [...models]
        .filter(isDrawable)
        .sort((a, b) => (b.cost_usd ?? 0) - (a.cost_usd ?? 0) || outcome(b.calls).all - outcome(a.calls).all)
        .slice(0, APART),
    [of],
  );
  const asked = useApart(dearest, BUCKETS);
  if (of !== null && dearest.length === 0) return null;
  const whole = asked.every((one) => alongside(of, one.answer) !== null);
  /**
   * @param {import('../format.js').Unit} unit
   * @param {number[]} x
   * @param {readonly import('../types.d.ts').Timeline[]} timelines
   * @param {(bucket: import('../types.d.ts').Bucket) => number | null} figure
   */
  const series = (unit, x, timelines, figure) =>
    dearest.map((model, at) => ({
      key: `of${at}`,
      label: nameOf(model),
      unit,
      values: valuesAt(timelines[at], x, figure),
      tone: `series-${at + 1}`,
    }));
  const cost = (/** @type {number[]} */ x, /** @type {import('../types.d.ts').Timeline[]} */ ...timelines) => {
    const list = series('usd', x, timelines, (bucket) => bucket.cost_usd);
    const most = peak(
      x,
      x.map((_, at) => total(list.map((one) => one.values[at] ?? null))),
    );
    const all = whole
      ? total(dearest.map((model) => (model.priced_calls > 0 ? model.cost_usd : null)))
      : total(list.flatMap((one) => one.values));
    const said = most
      ? `${money(all)} by ${stretch(timelines[0])}; the most on ${most.when}: ${money(most.value)}.`
      : 'No costs are known in this time.';
    const left = models.filter((model) => !isDrawable(model)).length;
    const more = models.length - left > APART ? ` The ${APART} that cost the most of ${models.length}.` : '';
    const without = left > 0 ? ` Without ${counted(left, 'model')} of too long a name to be asked for.` : '';
    return { sentence: said + more + without, table: list, as: Bars, series: list, unit: /** @type {const} */ ('usd') };
  };
  const late = (/** @type {number[]} */ x, /** @type {import('../types.d.ts').Timeline[]} */ ...timelines) => {
    const list = series('ms', x, timelines, (bucket) => bucket.p95);
    const p95 = (/** @type {Model | undefined} */ model) => model?.duration_ms?.p95 ?? 0;
    const [slowest] = [...dearest].sort((a, b) => p95(b) - p95(a));
    const said = !whole
      ? ''
      : slowest?.duration_ms
      ? `${nameOf(slowest)} is the slowest: p95 is ${duration(slowest.duration_ms.p95)}.`
      : 'No durations were recorded in this time.';
    return { sentence: said, table: list, as: Line, series: list, unit: /** @type {const} */ ('ms') };
  };
  const beside = useMemo(() => ({}), [dearest, whole]);
  return html`
    <div class="row two">
      <${Timed} id="cost" title="Cost by model" asked=${asked} draw=${cost} beside=${beside} none="" sync="models" />
      <${Timed}
        id="latency"
        title="p95 of calls by model"
        asked=${asked}
        draw=${late}
        beside=${beside}
        none=""
        sync="models"
      />
    </div>
  `;
}

/** @param {readonly Model[]} models */
function rowsOf(models) {
  return models.map((model) => ({
    name: nameOf(model),
    provider: model.provider,
    model: model.model,
    count: outcome(model.calls).all,
    failing: outcome(model.calls).failing,
    input: model.tokens.input,
    cached: ratio(model.tokens.cache_read, model.tokens.input),
    written: model.tokens.cache_write,
    output: model.tokens.output,
    p50: model.duration_ms?.p50 ?? null,
    p95: model.duration_ms?.p95 ?? null,
    each: model.priced_calls > 0 ? (model.cost_usd ?? 0) / model.priced_calls : null,
    cost: model.priced_calls > 0 ? model.cost_usd : null,
  }));
}

/** @type {import('../parts/table.js').Column[]} */
const COLUMNS = [
  {
    key: 'name',
    label: 'Model',
    unit: 'name',
    link: (row) => link('models', [row.provider ?? 'unknown', row.model ?? 'unknown']),
  },
  { key: 'count', label: 'Calls', unit: 'count' },
  { key: 'failing', label: 'Error rate', unit: 'ratio' },
  { key: 'input', label: 'Tokens in', unit: 'tokens' },
  { key: 'cached', label: 'From cache', unit: 'ratio' },
  { key: 'written', label: 'Cache writes', unit: 'tokens' },
  { key: 'output', label: 'Tokens out', unit: 'tokens' },
  { key: 'p50', label: 'p50', unit: 'ms' },
  { key: 'p95', label: 'p95', unit: 'ms' },
  { key: 'each', label: 'A call', unit: 'usd' },
  { key: 'cost', label: 'Cost', unit: 'usd', bar: true },
];

/** @param {{provider: string, model: string}} props */
function One({ provider, model: name }) {
  const { query } = useRange();
  const asked = useAnswer('models', query && { ...query, name, source: provider });
  const timeline = useAnswer(
    'timeline',
    query && { ...query, kind: 'llm_call', name, source: provider, buckets: BUCKETS },
  );
  const found = asked.answer?.models;
  /** @type {Model | null} */
  const model = found?.models[0] ?? null;
  const whole = alongside(asked.answer, timeline.answer) && model;
  if (found && model === null)
    return html`<div class="view">
      <${Absent} what="models" name=${`${provider}/${name}`} back=${link('models')} />
    </div>`;
  const subject = { kind: /** @type {const} */ ('llm_call'), name, source: provider };
  const calls = model ? outcome(model.calls) : null;
  const spread = model?.duration_ms;
  const drawn = timeline.answer?.timeline;
  return html`
    <${Framed} asked=${asked}>
      <div class="stats">
        <${Stat}
          label="Cost"
          value=${model && model.priced_calls > 0 ? money(model.cost_usd) : '–'}
          note=${model && model.priced_calls > 0 ? `${money((model.cost_usd ?? 0) / model.priced_calls)} a call` : ''}
          spark=${values(drawn, spent('cost_usd'))}
        />
        <${Stat}
          label="Tokens in"
          value=${tokens(model?.tokens.input)}
          note=${model ? `${percent(ratio(model.tokens.cache_read, model.tokens.input))} cached` : ''}
          spark=${values(drawn, spent('input_tokens'))}
        />
        <${Stat}
          label="Tokens out"
          value=${tokens(model?.tokens.output)}
          note=${calls && model ? `${integer(model.tokens.output / Math.max(calls.all, 1))} a call` : ''}
          spark=${values(drawn, spent('output_tokens'))}
        />
        <${Stat}
          label="Calls"
          value=${count(calls?.all)}
          note=${model ? counted(model.calls.failed, 'failure') : ''}
          spark=${values(drawn, (bucket) => bucket.count)}
        />
        <${Durations} spread=${spread} timeline=${drawn} />
      </div>
      <div class="row two">
        <${Latency} id="latency" title="Latency" asked=${timeline} spread=${whole?.duration_ms} sync="model" />
        <${Cost}
          id="cost"
          title="Cost"
          asked=${timeline}
          whole=${whole && whole.priced_calls > 0 ? whole.cost_usd : null}
          sync="model"
        />
      </div>
      <div class="row two">
        <${Tokens} id="tokens" title="Tokens" asked=${timeline} whole=${whole?.tokens} sync="model" />
        <${Calls} id="calls" title="Calls" asked=${timeline} whole=${whole?.calls} sync="model" />
      </div>
      <div class="row two start">
        <${Classes} subject=${subject} />
        <${Callers} subject=${subject} />
      </div>
      <${Failures} subject=${subject} />
    <//>
  `;
}
