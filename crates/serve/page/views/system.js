import { Line } from '../charts/line.js';
import { MIB, NONE, ago, bytes, count, duration, inUnit, measuredIn, percent, rate } from '../format.js';
import { html, useMemo } from '../html.js';
import { Listed } from '../parts/frame.js';
import { Name } from '../parts/name.js';
import { Stat } from '../parts/stat.js';
import { Loading, Problem } from '../parts/states.js';
import { linkHere, useAnswer, useLive, useRange } from '../state.js';
import { Timed } from './charts.js';
import { total, values, valuesAt } from './series.js';
import { byProcess, seriesOf } from './system-figures.js';

/** @typedef {import('../state.js').Range} Range */

export const title = 'System';

const FAMILIES = ['metric'];

/** @param {{route: import('../route.js').Route}} props */
export default function View({ route }) {
  const range = useRange();
  const live = useLive(FAMILIES);
  const metrics = useAnswer('metrics', range.query && { ...range.query, limit: 1000 });
  const now = seriesOf(live.families['metric'] ?? [], 'system');
  const quiet = live.timestamp === null ? '' : 'not measured now';
  const all = useMemo(() => metrics.answer?.metrics?.series ?? [], [metrics.answer]);
  const { source, metric: name } = route.query;
  return html`<div class="view">
    <h2 class="section">The machine now, and on average over five minutes</h2>
    <div class="stats">
      <${Stat}
        label="Processor"
        value=${percentOf(now('cpu_usage_percent')?.latest)}
        note=${over(now('cpu_usage_percent'), percentOf, quiet)}
      />
      <${Stat}
        label="Memory used"
        value=${percentOf(now('memory_usage_percent')?.latest)}
        note=${free(now('memory_available_mb'), quiet)}
      />
      <${Stat}
        label="Disk, read"
        value=${perSecond(now('disk_read_mb_per_sec')?.latest)}
        note=${over(now('disk_read_mb_per_sec'), perSecond, quiet)}
      />
      <${Stat}
        label="Disk, written"
        value=${perSecond(now('disk_write_mb_per_sec')?.latest)}
        note=${over(now('disk_write_mb_per_sec'), perSecond, quiet)}
      />
      <${Stat}
        label="Network, received"
        value=${perSecond(now('network_received_mb_per_sec')?.latest)}
        note=${over(now('network_received_mb_per_sec'), perSecond, quiet)}
      />
      <${Stat}
        label="Network, sent"
        value=${perSecond(now('network_sent_mb_per_sec')?.latest)}
        note=${over(now('network_sent_mb_per_sec'), perSecond, quiet)}
      />
    </div>
    ${
      source &&
      name &&
      html`<${Measured}
        key=${`${source}\n${name}`}
        id="chosen"
        title=${html`<${Name} text=${name} /> of <${Name} text=${source} />`}
        called=${`${name.slice(0, 200)} of ${source.slice(0, 200)}`}
        range=${range}
        source=${source}
        name=${name}
        all=${all}
        unit="its own"
      />`
    }
    <div class="row two">
      <${Measured} id="cpu" title="Processor" range=${range} name="cpu_usage_percent" all=${all} />
      <${Measured} id="memory" title="Memory used" range=${range} name="memory_usage_percent" all=${all} />
      <${Flow}
        id="disk"
        title="Disk"
        range=${range}
        names=${['disk_read_mb_per_sec', 'disk_write_mb_per_sec']}
        labels=${['read', 'written']}
        all=${all}
      />
      <${Flow}
        id="network"
        title="Network"
        range=${range}
        names=${['network_received_mb_per_sec', 'network_sent_mb_per_sec']}
        labels=${['received', 'sent']}
        all=${all}
      />
    </div>
    <${Processes} all=${all} now=${live.families['metric'] ?? []} />
    <${Server} live=${live} />
    ${metrics.error && !metrics.answer ? html`<${Problem} error=${metrics.error} retry=${metrics.reload} />` : html`<${Measurements} all=${all} loading=${metrics.loading} more=${metrics.answer?.metrics?.more ?? 0} />`}
  </div>`;
}

/** @param {number | null | undefined} value */
const percentOf = (value) => percent(value === null || value === undefined ? value : value / 100);
/** @param {number | null | undefined} mib */
const perSecond = (mib) => (typeof mib === 'number' ? `${bytes(mib * MIB)}/s` : '–');

/**
 * @param {any} series
 * @param {(value: number | null | undefined) => string} told
 * @param {string} quiet said where there is nothing
 */
function over(series, told, quiet) {
  return series ? `mean ${told(series.avg)}` : quiet;
}

/**
 * @param {any} series
 * @param {string} quiet
 */
function free(series, quiet) {
  return series ? `${bytes(series.latest * MIB)} available` : quiet;
}

/**
 * @param {Range} range
 * @param {string} name
 * @param {string} [source]
 */
function useTimeline(range, name, source = 'system') {
  return useAnswer('timeline', range.query && { ...range.query, kind: 'metric', source, name, buckets: 120 });
}

/** @param {any[]} all @param {string} source @param {string} name */
const figuresOf = (all, source, name) => all.find((one) => one.source === source && one.name === name)?.value;

/**
 * One metric over time: mean and p95, with how it was in all of the time.
 * @param {object} props
 * @param {string} props.id
 * @param {any} props.title
 * @param {string} [props.called] the title for those who hear the page, where it is no text
 * @param {Range} props.range
 * @param {string} [props.source]
 * @param {string} props.name
 * @param {any[]} props.all every metric of the time
 * @param {'percent' | 'its own'} [props.unit]
 */
function Measured({ id, title, called, range, source = 'system', name, all, unit: of = 'percent' }) {
  const asked = useTimeline(range, name, source);
  const whole = figuresOf(all, source, name);
  const { unit, times } =
    of === 'percent'
      ? { unit: /** @type {const} */ ('percent'), times: 1 }
      : measuredIn(all.find((one) => one.source === source && one.name === name)?.unit);
  const told = (/** @type {number | null | undefined} */ figure) => inUnit(unit)(scaled(figure, times));
  const draw = (/** @type {number[]} */ _x, /** @type {import('../types.d.ts').Timeline} */ timeline) => {
    const mean = values(timeline, (bucket) => scaled(bucket.mean, times));
    if (total(mean) === null) return null;
    const p95 = values(timeline, (bucket) => scaled(bucket.p95, times));
    return {
      sentence: whole ? `Mean ${told(whole.mean)}, p95 ${told(whole.p95)}, at most ${told(whole.max)}.` : '',
      table: [
        { key: 'mean', label: 'mean', unit, values: mean },
        { key: 'p50', label: 'p50', unit, values: values(timeline, (bucket) => scaled(bucket.p50, times)) },
        { key: 'p95', label: 'p95', unit, values: p95 },
        {
          key: 'count',
          label: 'measurements',
          unit: /** @type {const} */ ('count'),
          values: values(timeline, (bucket) => bucket.count),
        },
      ],
      as: Line,
      series: [
        { label: 'mean', values: mean, fill: true },
        { label: 'p95', values: p95, tone: 'p99', dash: 'dashed' },
      ],
      unit,
      ...(unit === 'percent' ? { most: 100 } : {}),
    };
  };
  return html`<${Timed}
    id=${id}
    title=${title}
    name=${called}
    asked=${asked}
    draw=${draw}
    beside=${whole}
    none="Not measured in this time."
    height=${160}
    sync="system"
  />`;
}

/** @param {{id: string, title: string, range: Range, names: [string, string], labels: [string, string], all: any[]}} props */
function Flow({ id, title, range, names, labels, all }) {
  const asked = [useTimeline(range, names[0]), useTimeline(range, names[1])];
  const wholes = names.map((name) => figuresOf(all, 'system', name));
  const draw = (/** @type {number[]} */ x, /** @type {import('../types.d.ts').Timeline[]} */ ...timelines) => {
    const lists = timelines.map((timeline) =>
      // Each is asked for in its own time, so that one may begin a stretch later.
      valuesAt(timeline, x, (bucket) => (bucket.mean === null ? null : bucket.mean * MIB)),
    );
    if (lists.every((list) => total(list) === null)) return null;
    const said = wholes.map((whole, at) => whole && `${labels[at]} ${perSecond(whole.mean)}`).filter(Boolean);
    const series = lists.map((list, at) => ({
      key: `of${at}`,
      label: labels[at] ?? '',
      unit: /** @type {const} */ ('bytes'),
      values: list,
      ...(at > 0 ? { tone: 'series-2', dash: 'dashed' } : {}),
    }));
    return {
      sentence: said.length > 0 ? `Mean ${said.join(', ')}.` : '',
      table: series,
      as: Line,
      series,
      unit: /** @type {const} */ ('bytes'),
    };
  };
  return html`<${Timed}
    id=${id}
    title=${`${title}, bytes a second`}
    asked=${asked}
    draw=${draw}
    beside=${all}
    none="Not measured in this time."
    height=${160}
    sync="system"
  />`;
}

/** @param {{all: any[], now: any[]}} props */
function Processes({ all, now }) {
  const rows = byProcess(all, now);
  return html`<${Listed}
    caption="Processes of agents"
    columns=${[
      {
        key: 'name',
        label: 'Process',
        unit: 'name',
        link: (/** @type {any} */ row) =>
          linkHere({ source: 'process', metric: `${row.name}_cpu_percent` }),
      },
      { key: 'count', label: 'Running now', unit: 'count' },
      { key: 'cpu', label: 'Processor now', unit: 'percent' },
      { key: 'cpuMean', label: 'Processor, mean', unit: 'percent' },
      { key: 'memory', label: 'Memory now', unit: 'bytes' },
      { key: 'memoryMost', label: 'Memory, most', unit: 'bytes' },
    ]}
    rows=${rows}
    empty="None of the processes that are looked for ran in this time; the setting collect_processes names them."
    note=${rows.length > 0 ? '100 % is one processor.' : undefined}
  />`;
}

/** @param {{live: import('../state.js').LiveNow}} props */
function Server({ live }) {
  const health = useAnswer('health', {});
  const server = useAnswer('server', {}, { every: 5 });
  const storage = health.answer?.storage;
  const door = server.answer;
  const overview = live.overview;
  const refused = door
    ? door.signals.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.overloaded + one.failed, 0)
    : null;
  const stored = door
    ? door.signals.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.stored, 0)
    : null;
  return html`
    <h2 class="section">This server</h2>
    ${server.error && !door && html`<${Problem} error=${server.error} retry=${server.reload} />`}
    ${
      door?.refusing &&
      html`<div class="card problem" role="alert">
        <h2>Nothing is stored</h2>
        <p>${door.refusing}</p>
      </div>`
    }
    <div class="stats">
      <${Stat}
        label="Events"
        value=${rate(overview?.['events_per_second'])}
        note=${stored === null ? '' : `${count(stored)} stored`}
      />
      <${Stat}
        label="Refused"
        value=${count(refused)}
        tone=${refused ? 'bad' : undefined}
        note=${refused === null ? '' : refused > 0 ? 'requests turned away' : 'none turned away'}
      />
      <${Stat}
        label="On disk"
        value=${bytes(storage ? storage.log_bytes + storage.segment_bytes + storage.rollup_bytes : null)}
        note=${storage ? `${count(storage.log_events + storage.segment_events)} events` : ''}
      />
      <${Stat}
        label="Not sealed yet"
        value=${bytes(storage?.log_bytes)}
        note=${storage ? `${count(storage.log_events)} events in ${count(storage.log_files)} ${storage.log_files === 1 ? 'log' : 'logs'}` : ''}
      />
      <${Stat}
        label="Segments"
        value=${count(storage?.segments)}
        note=${storage ? `${bytes(storage.segment_bytes)}, rollups ${bytes(storage.rollup_bytes)}` : ''}
      />
      <${Stat}
        label="Running for"
        value=${duration(door ? door.uptime_seconds * 1000 : null)}
        note=${door ? `version ${door.version}` : ''}
      />
    </div>
    ${
      door &&
      html`<${Listed}
        caption="What came in since the start"
        columns=${[
          { key: 'signal', label: 'As', unit: 'text' },
          { key: 'requests', label: 'Requests', unit: 'count' },
          { key: 'body_bytes', label: 'Bytes', unit: 'bytes' },
          { key: 'records', label: 'Records', unit: 'count' },
          { key: 'stored', label: 'Stored events', unit: 'count', bar: true },
          { key: 'duplicates', label: 'Told before', unit: 'count' },
          { key: 'rejected', label: 'Wrong', unit: 'count' },
          { key: 'overloaded', label: 'Refused, too much', unit: 'count' },
          { key: 'failed', label: 'Refused by the disk', unit: 'count' },
        ]}
        rows=${door.signals}
        note=${`${count(door.connections)} connections now; ${count(door.requests_denied)} requests denied by host, origin or token; a commit took ${duration(door.commit_mean_ms)} on average.${storage?.latest ? ` Latest event ${ago(storage.latest)}.` : ''}`}
      />`
    }
  `;
}

/** @param {{all: any[], loading: boolean, more: number}} props */
function Measurements({ all, loading, more }) {
  if (loading) return html`<${Loading} height=${240} />`;
  const rows = all.map((one) => {
    const { unit, times } = measuredIn(one.unit);
    return {
      key: `${one.source}/${one.name}`,
      name: one.name,
      source: one.source,
      type: one.type,
      measured: one.unit ?? null,
      unit,
      points: one.points,
      mean: scaled(one.value?.mean, times),
      p95: scaled(one.value?.p95, times),
      max: scaled(one.value?.max, times),
      last: one.last,
    };
  });
  const told = (/** @type {number | null} */ value, /** @type {any} */ row) => inUnit(row.unit)(value);
  return html`<${Listed}
    caption="All measurements"
    id=${(/** @type {any} */ row) => row.key}
    more=${more}
    columns=${[
      {
        key: 'name',
        label: 'Metric',
        unit: 'name',
        link: (/** @type {any} */ row) => linkHere({ source: row.source, metric: row.name }),
      },
      { key: 'source', label: 'Source', unit: 'name' },
      { key: 'type', label: 'Type', unit: 'text' },
      {
        key: 'measured',
        label: 'Unit',
        unit: 'text',
        format: (/** @type {string | null} */ unit) => html`<${Name} text=${unit === '1' ? null : unit} none=${NONE} />`,
      },
      { key: 'points', label: 'Measurements', unit: 'count' },
      { key: 'mean', label: 'Mean', unit: 'number', format: told },
      { key: 'p95', label: 'p95', unit: 'number', format: told },
      { key: 'max', label: 'Most', unit: 'number', format: told },
      { key: 'last', label: 'Latest', unit: 'text', align: 'right', format: (/** @type {string} */ at) => ago(at) },
    ]}
    rows=${rows}
    empty="Nothing was measured in this time."
    note="The unit is that of whoever measured; durations, sizes and percentages are told as everywhere, other figures in it."
  />`;
}

/**
 * @param {number | null | undefined} figure
 * @param {number} times
 */
function scaled(figure, times) {
  return figure === null || figure === undefined ? null : figure * times;
}
