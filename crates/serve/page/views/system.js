import { Line } from '../charts/line.js';
import { ago, bytes, count, duration, inUnit, number, percent, rate, time } from '../format.js';
import { html, useMemo } from '../html.js';
import { Figure } from '../parts/figure.js';
import { Name } from '../parts/name.js';
import { Stat } from '../parts/stat.js';
import { Loading, Problem } from '../parts/states.js';
import { Table } from '../parts/table.js';
import { link, useAnswer, useLive, useRange } from '../state.js';
import { scaled, seriesOf, byProcess } from './system-figures.js';

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
  const chosen = { source: route.query['source'], name: route.query['metric'] };
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
    ${chosen.source && chosen.name && html`<${Chosen} range=${range} source=${chosen.source} name=${chosen.name} all=${all} />`}
    <div class="row two">
      <${Percent} id="cpu" title="Processor" range=${range} name="cpu_usage_percent" all=${all} />
      <${Percent} id="memory" title="Memory used" range=${range} name="memory_usage_percent" all=${all} />
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
const perSecond = (mib) => (typeof mib === 'number' ? `${bytes(mib * 1_048_576)}/s` : '–');

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
  return series ? `${bytes(series.latest * 1_048_576)} available` : quiet;
}

/**
 * @param {Range} range
 * @param {string} name
 * @param {string} [source]
 */
function useTimeline(range, name, source = 'system') {
  return useAnswer('timeline', range.query && { ...range.query, kind: 'metric', source, name, buckets: 120 });
}

/**
 * Mean and p95 of a timeline; as long as it is the same, its chart is not drawn again.
 * @param {any} answer
 */
function useMeasured(answer) {
  return useMemo(() => {
    const rows = scaled(answer, 1);
    return {
      rows,
      x: rows.map((row) => row.at),
      series: [
        { label: 'mean', values: rows.map((row) => row.mean), fill: true },
        { label: 'p95', values: rows.map((row) => row.p95), tone: 'p99', dash: /** @type {const} */ ('dashed') },
      ],
    };
  }, [answer]);
}

/** @param {{id: string, title: string, range: Range, name: string, all: any[]}} props */
function Percent({ id, title, range, name, all }) {
  const asked = useTimeline(range, name);
  const whole = all.find((one) => one.source === 'system' && one.name === name);
  const { rows, x, series } = useMeasured(asked.answer);
  return html`<${Figure}
    id=${id}
    title=${title}
    stale=${asked.stale !== null}
    sentence=${whole?.value ? `Mean ${percentOf(whole.value.mean)}, p95 ${percentOf(whole.value.p95)}, at most ${percentOf(whole.value.max)}.` : 'Not measured in this time.'}
    columns=${[WHEN, { key: 'mean', label: 'Mean', unit: 'percent' }, { key: 'p50', label: 'p50', unit: 'percent' }, { key: 'p95', label: 'p95', unit: 'percent' }, { key: 'count', label: 'Measurements', unit: 'count' }]}
    rows=${rows}
  >
    ${body(
      asked,
      () =>
        html`<${Line}
          x=${x}
          unit="percent"
          most=${100}
          label=${title}
          sync="system"
          height=${160}
          series=${series}
        />`,
    )}
  </${Figure}>`;
}

/** @param {{id: string, title: string, range: Range, names: string[], labels: string[], all: any[]}} props */
function Flow({ id, title, range, names, labels, all }) {
  const MIB = 1_048_576;
  const first = useTimeline(range, names[0] ?? '');
  const second = useTimeline(range, names[1] ?? '');
  const rows = useMemo(() => {
    // Each is asked for in its own time, so that one may begin a stretch later.
    const other = new Map(scaled(second.answer, MIB).map((row) => [row.at, row.mean]));
    return scaled(first.answer, MIB).map((row) => ({
      from: row.from,
      at: row.at,
      a: row.mean,
      b: other.get(row.at) ?? null,
    }));
  }, [first.answer, second.answer]);
  // As long as they are the same, the chart is not drawn again.
  const drawn = useMemo(
    () => ({
      x: rows.map((row) => row.at),
      series: [
        { label: labels[0] ?? '', values: rows.map((row) => row.a) },
        {
          label: labels[1] ?? '',
          values: rows.map((row) => row.b),
          tone: 'series-2',
          dash: /** @type {const} */ ('dashed'),
        },
      ],
    }),
    [rows],
  );
  const told = names.map((name, at) => {
    const whole = all.find((one) => one.source === 'system' && one.name === name);
    return whole?.value ? `${labels[at]} ${perSecond(whole.value.mean)}` : null;
  });
  const said = told.filter(Boolean).join(', ');
  return html`<${Figure}
    id=${id}
    title=${`${title}, bytes a second`}
    stale=${first.stale !== null}
    sentence=${said ? `Mean ${said}.` : 'Not measured in this time.'}
    columns=${[WHEN, { key: 'a', label: labels[0] ?? '', unit: 'bytes' }, { key: 'b', label: labels[1] ?? '', unit: 'bytes' }]}
    rows=${rows}
  >
    ${body(
      first,
      () =>
        html`<${Line}
          x=${drawn.x}
          unit="bytes"
          label=${title}
          sync="system"
          height=${160}
          series=${drawn.series}
        />`,
    )}
  </${Figure}>`;
}

/** @type {import('../parts/table.js').Column} */
const WHEN = { key: 'from', label: 'From', unit: 'text', format: (at) => time(at) };

/**
 * @param {import('../state.js').Asked} asked
 * @param {() => any} chart
 */
function body(asked, chart) {
  if (asked.error && !asked.answer) return html`<${Problem} error=${asked.error} retry=${asked.reload} />`;
  return asked.loading ? html`<${Loading} height=${180} />` : chart();
}

/** @param {{range: Range, source: string, name: string, all: any[]}} props */
function Chosen({ range, source, name, all }) {
  const asked = useTimeline(range, name, source);
  const whole = all.find((one) => one.source === source && one.name === name);
  const { rows, x, series } = useMeasured(asked.answer);
  return html`<${Figure}
    id="chosen"
    title=${html`<${Name} text=${name} /> of <${Name} text=${source} />`}
    name=${`${name.slice(0, 200)} of ${source.slice(0, 200)}`}
    stale=${asked.stale !== null}
    sentence=${whole?.value ? `Mean ${number(whole.value.mean)}, p95 ${number(whole.value.p95)}, at most ${number(whole.value.max)}.` : 'Not measured in this time.'}
    columns=${[WHEN, { key: 'mean', label: 'Mean', unit: 'number' }, { key: 'p50', label: 'p50', unit: 'number' }, { key: 'p95', label: 'p95', unit: 'number' }, { key: 'count', label: 'Measurements', unit: 'count' }]}
    rows=${rows}
  >
    ${body(
      asked,
      () =>
        html`<${Line}
          x=${x}
          unit="number"
          label=${name.slice(0, 200)}
          height=${180}
          series=${series}
        />`,
    )}
  </${Figure}>`;
}

/** @param {{all: any[], now: any[]}} props */
function Processes({ all, now }) {
  const rows = byProcess(all, now);
  return html`<section class="card flush">
    <${Table}
      caption="Processes of agents"
      columns=${[
        {
          key: 'name',
          label: 'Process',
          unit: 'name',
          link: (/** @type {any} */ row) =>
            link('system', [], { source: 'process', metric: `${row.name}_cpu_percent` }),
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
    />
  </section>`;
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
      html`<section class="card flush">
        <${Table}
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
        />
      </section>`
    }
  `;
}

/** @param {{all: any[], loading: boolean, more: number}} props */
function Measurements({ all, loading, more }) {
  if (loading) return html`<${Loading} height=${240} />`;
  const rows = all.map((one) => ({
    key: `${one.source}/${one.name}`,
    name: one.name,
    source: one.source,
    type: one.type,
    points: one.points,
    mean: one.value?.mean ?? null,
    p95: one.value?.p95 ?? null,
    max: one.value?.max ?? null,
    last: one.last,
  }));
  return html`<section class="card flush">
    <${Table}
      caption="All measurements"
      id=${(/** @type {any} */ row) => row.key}
      more=${more}
      columns=${[
        {
          key: 'name',
          label: 'Metric',
          unit: 'name',
          link: (/** @type {any} */ row) => link('system', [], { source: row.source, metric: row.name }),
        },
        { key: 'source', label: 'Source', unit: 'name' },
        { key: 'type', label: 'Type', unit: 'text' },
        { key: 'points', label: 'Measurements', unit: 'count' },
        { key: 'mean', label: 'Mean', unit: 'number', format: inUnit('number') },
        { key: 'p95', label: 'p95', unit: 'number' },
        { key: 'max', label: 'Most', unit: 'number' },
        { key: 'last', label: 'Latest', unit: 'text', align: 'right', format: (/** @type {string} */ at) => ago(at) },
      ]}
      rows=${rows}
      empty="Nothing was measured in this time."
      note="Figures are in the unit of whoever measured."
    />
  </section>`;
}
