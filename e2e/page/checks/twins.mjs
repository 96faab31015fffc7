// The table beside each chart tells the API's numbers: asked of the API here, told as
// the page tells numbers, and compared cell by cell.

import { oddities, open, settled } from '../browser.mjs';
import { ofPage } from '../packages.mjs';
import { fortnight } from '../servers.mjs';
import { NAV } from '../views.mjs';

const { bytes, count, duration, inUnit, money, percent } = await ofPage('format.js');
const { timeLabel } = await ofPage('charts/axes.js');

const MIB = 1_048_576;
const BUCKETS = 120;
const TOOL = 'web_fetch';
const MODEL = ['anthropic', 'claude-opus'];

const share = (part, whole) => (typeof part === 'number' && whole > 0 ? part / whole : null);
const scaled = (value, factor) => (value === null ? null : value * factor);

/** What a column tells of a stretch of a timeline, by its label. */
const STRETCH = {
  From: (bucket, step) => timeLabel(Date.parse(bucket.from) / 1000, step),
  p50: (bucket) => duration(bucket.p50),
  p95: (bucket) => duration(bucket.p95),
  p99: (bucket) => duration(bucket.p99),
  calls: (bucket) => count(bucket.count),
  queries: (bucket) => count(bucket.count),
  sessions: (bucket) => count(bucket.count),
  'look-ups': (bucket) => count(bucket.count),
  loads: (bucket) => count(bucket.count),
  failed: (bucket) => count(bucket.failed),
  'error rate': (bucket) => percent(share(bucket.failed, bucket.count - bucket.unknown)),
  'tokens in': (bucket) => count(bucket.input_tokens),
  'tokens out': (bucket) => count(bucket.output_tokens),
  cost: (bucket) => money(bucket.cost_usd),
  'hit rate': (bucket) => percent(share(bucket.hits, bucket.hits + bucket.misses)),
  hits: (bucket) => count(bucket.hits),
  misses: (bucket) => count(bucket.misses),
};

/** The same of what a machine measured. */
const MEASURED = {
  From: STRETCH.From,
  mean: (bucket) => inUnit('percent')(bucket.mean),
  p50: (bucket) => inUnit('percent')(bucket.p50),
  p95: (bucket) => inUnit('percent')(bucket.p95),
  measurements: (bucket) => count(bucket.count),
};

/** Rows of a timeline, in the columns of the table. */
const timed = (params, told = STRETCH) => async (ask, labels) => {
  const { timeline } = await ask('timeline', { buckets: BUCKETS, ...params });
  return timeline.buckets.map((bucket) => labels.map((label) => cell(told, label)(bucket, timeline.bucket_seconds)));
};

const metric = (name) => timed({ kind: 'metric', source: 'system', name }, MEASURED);

/** Two metrics side by side. */
const flow = (names, labels) => async (ask) => {
  const both = [];
  for (const name of names) both.push((await ask('timeline', { buckets: BUCKETS, kind: 'metric', source: 'system', name })).timeline);
  const [{ buckets, bucket_seconds: step }] = both;
  return buckets.map((bucket, at) => [STRETCH.From(bucket, step), ...labels.map((_, of) => bytes(scaled(both[of].buckets[at].mean, MIB)))]);
};

/** One figure of several models, a column each. */
const apart = (figure) => async (ask, labels) => {
  const { models } = await ask('models');
  const columns = [];
  for (const label of labels.slice(1)) {
    const model = models.models.find(({ provider, model }) => `${provider}/${model}` === label);
    if (!model) throw new Error(`a model that the API does not know: ${label}`);
    const { timeline } = await ask('timeline', { buckets: BUCKETS, kind: 'llm_call', name: model.model, source: model.provider });
    columns.push(timeline);
  }
  const [{ buckets, bucket_seconds }] = columns;
  return buckets.map((bucket, at) => [STRETCH.From(bucket, bucket_seconds), ...columns.map((of) => figure(of.buckets[at]))]);
};

/** Weekdays and hours. */
async function usage(ask) {
  const { timeline } = await ask('timeline', { kind: 'tool_call', buckets: 500 });
  if (timeline.bucket_seconds > 3600) throw new Error('stretches are longer than the hours of the heatmap');
  const days = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
  const cells = days.flatMap((day) => Array.from({ length: 24 }, (_, hour) => ({ day, hour, count: 0, failed: 0 })));
  for (const bucket of timeline.buckets) {
    const at = new Date(bucket.from);
    const into = cells[((at.getUTCDay() + 6) % 7) * 24 + at.getUTCHours()];
    into.count += bucket.count;
    into.failed += bucket.failed;
  }
  return cells.map(({ day, hour, count: all, failed }) => [`${day} ${String(hour).padStart(2, '0')}:00`, count(all), count(failed)]);
}

/** By view: each of its figures, and how its rows come from the API. */
const TWINS = {
  overview: {
    'tool-latency': timed({ kind: 'tool_call' }),
    'model-latency': timed({ kind: 'llm_call' }),
    'tool-calls': timed({ kind: 'tool_call' }),
    'model-calls': timed({ kind: 'llm_call' }),
    tokens: timed({ kind: 'llm_call' }),
    cost: timed({ kind: 'llm_call' }),
    hits: timed({ kind: 'cache' }),
  },
  tools: { latency: timed({ kind: 'tool_call' }), calls: timed({ kind: 'tool_call' }) },
  tool: { latency: timed({ kind: 'tool_call', name: TOOL }), calls: timed({ kind: 'tool_call', name: TOOL }) },
  agents: {
    usage,
    'agent-cache': timed({ kind: 'agent_discovery', name: 'get_agent' }),
    'agent-loads': timed({ kind: 'agent_load' }),
  },
  models: {
    cost: apart((bucket) => money(bucket.cost_usd)),
    latency: apart((bucket) => duration(bucket.p95)),
    tokens: timed({ kind: 'llm_call' }),
    calls: timed({ kind: 'llm_call' }),
  },
  model: Object.fromEntries(['latency', 'cost', 'tokens', 'calls'].map((id) => [id, timed({ kind: 'llm_call', name: MODEL[1], source: MODEL[0] })])),
  caches: {
    hits: timed({ kind: 'cache' }),
    lookups: timed({ kind: 'cache' }),
    'hits-of-file_cache': timed({ kind: 'cache', name: 'file_cache' }),
    'hits-of-semantic_cache': timed({ kind: 'cache', name: 'semantic_cache' }),
  },
  queries: { latency: timed({ kind: 'query' }), calls: timed({ kind: 'query' }) },
  system: {
    cpu: metric('cpu_usage_percent'),
    memory: metric('memory_usage_percent'),
    disk: flow(['disk_read_mb_per_sec', 'disk_write_mb_per_sec'], ['read', 'written']),
    network: flow(['network_received_mb_per_sec', 'network_sent_mb_per_sec'], ['received', 'sent']),
  },
};

function cell(told, label) {
  if (!(label in told)) throw new Error(`a column that nothing is known of: ${label}`);
  return told[label];
}

export async function checks(browser) {
  const server = await fortnight();
  const { storage } = await server.ask('health', { days: 14 });
  const latest = Date.parse(storage.latest);
  // Whole hours, so that page and API mean the same stretches.
  const until = new Date(Math.floor(latest / 3_600_000) * 3_600_000).toISOString();
  const since = new Date(Date.parse(until) - 10 * 86_400_000).toISOString();
  const views = [...NAV.map((name) => [name, `#/${name}`]), ['tool', `#/tools/${TOOL}`]];
  views.push(['model', `#/models/${MODEL.join('/')}`]);
  return views.map(([name, hash]) => [`the tables of ${name}`, () => compare(browser, server, name, hash, { since, until })]);
}

async function compare(browser, server, name, hash, window) {
  const range = `from=${encodeURIComponent(window.since)}&to=${encodeURIComponent(window.until)}`;
  const page = await open(browser, `${server.url}/${hash}?${range}`);
  await settled(page);
  const wrong = [];
  const ask = (question, params) => server.ask(question, { ...window, ...params });
  const known = TWINS[name] ?? {};
  const ids = await page.evaluate(() => [...document.querySelectorAll('figure')].filter((figure) => figure.querySelector('figcaption button[aria-expanded]')).map((figure) => figure.id));
  for (const id of ids) if (!(id in known)) wrong.push(`${id}: a table that is compared with nothing`);
  for (const [id, expected] of Object.entries(known)) {
    const figure = page.locator(`figure[id="${id}"]`);
    if ((await figure.count()) === 0) {
      wrong.push(`${id}: no such figure`);
      continue;
    }
    await figure.locator('figcaption button[aria-expanded]').click();
    const table = await figure.locator('.twin table').evaluate((element) => ({
      labels: [...element.querySelectorAll('thead th')].map((head) => head.textContent.replace(/[↑↓]/g, '').trim()),
      rows: [...element.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((one) => one.textContent)),
    }));
    const rows = await expected(ask, table.labels);
    if (rows.length === 0 || rows.length !== table.rows.length) wrong.push(`${id}: ${table.rows.length} rows, the API has ${rows.length}`);
    const plain = (text) => String(text).replaceAll(/\s+/g, ' ').trim();
    const differ = rows.flatMap((row, at) => row.map((text, column) => [at, column, plain(text), plain(table.rows[at]?.[column])])).filter(([, , a, b]) => a !== b);
    for (const [at, column, should, is] of differ.slice(0, 3)) wrong.push(`${id}, row ${at}, ${table.labels[column]}: ${is}, the API says ${should}`);
    if (differ.length > 3) wrong.push(`${id}: ${differ.length} cells differ`);
    // A table of nothing but dashes would be equal to anything.
    if (!rows.some((row) => row.slice(1).some((text) => /[1-9]/.test(text)))) wrong.push(`${id}: no figures at all`);
  }
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}
