import assert from 'node:assert/strict';
import { test } from 'node:test';

import { figureLabels, logSplits, steps, timeLabel, timeLabels } from '../../page/charts/axes.js';
import { sparkPaths } from '../../page/charts/spark.js';
import { orderOf, orderText, slug, sorted } from '../../page/parts/order.js';
import { over } from '../../page/views/changes.js';
import { against, ahead, alongside, failureRatio, hitRatio, isWide, peak, ratio, spent, stretch, total, twin, valuesAt } from '../../page/views/series.js';
import { targetOf, verdict } from '../../page/verdict.js';
import { stacked } from '../../page/charts/stack.js';

const plain = (/** @type {unknown} */ text) => String(text).replaceAll('\u00a0', ' ');

test('axes of figures say no more digits than tell', () => {
  for (const [unit, splits, labels] of [
    ['ms', [0, 200, 400], '0|200 ms|400 ms'],
    ['ms', [0, 60000, 120000], '0|1 min|2 min'],
    ['count', [0, 500, 1000], '0|500|1 k'],
    ['tokens', [0, 2.5e6], '0|2.5 M'],
    ['usd', [0, 0.5, 1], '$0|$0.5|$1.0'],
    ['usd', [0, 25, 50], '$0|$25|$50'],
    ['ratio', [0, 0.5, 1], '0|50 %|100 %'],
    ['percent', [0, 50], '0|50 %'],
    ['bytes', [0, 1e6], '0|1 MB'],
    ['bytes_per_second', [0, 1e6], '0|1 MB/s'],
    ['usd', [0, 5e5, 1e6], '$0|$500 k|$1 M'],
    ['count', [0, 2e12], '0|2 T'],
    // What is no figure takes no room.
    ['tokens', [0, 7.5e18], '0|7.5e18'],
    ['usd', [0, 1e300], '$0|$1.0e300'],
    ['percent', [0, 1e300], '0|1.0e300 %'],
  ]) {
    assert.equal(plain(figureLabels(unit, splits).join('|')), labels, unit);
  }
});

test('logarithmic axes of durations count as clocks do', () => {
  assert.deepEqual(logSplits('ms', 5, 2e5), [10, 100, 1e3, 1e4, 6e4]);
  assert.deepEqual(logSplits('count', 0.5, 200), [1, 10, 100]);
});

test('steps are round in their unit', () => {
  assert.ok(steps('count')?.every(Number.isInteger));
  const long = steps('ms') ?? [];
  assert.deepEqual(
    [...long].sort((a, b) => a - b),
    long,
  );
  assert.ok(long.includes(3.6e6));
  assert.equal(steps('ratio'), undefined);
});

test('axes of time name the day where it changes', () => {
  const at = (/** @type {number} */ day, /** @type {number} */ hour) => new Date(2026, 10, day, hour).getTime() / 1000;
  assert.deepEqual(timeLabels([at(8, 12), at(8, 18), at(9, 0), at(9, 6)], 21600), ['12:00', '18:00', '9 Nov', '06:00']);
  assert.deepEqual(timeLabels([at(8, 12)], 1), ['12:00:00']);
  const utc = (/** @type {number} */ year, /** @type {number} */ month, /** @type {number} */ day) =>
    Date.UTC(year, month, day) / 1000;
  assert.deepEqual(timeLabels([utc(2026, 11, 31), utc(2027, 0, 1)], 86400, true), ['31 Dec', '1 Jan 2027']);
  // A stretch of a whole day is one of UTC, wherever one looks.
  assert.equal(timeLabel(utc(2026, 10, 8), 86400), 'Sun 8 Nov');
  assert.equal(timeLabel(at(8, 12), 3600), 'Sun 8 Nov 12:00');
});

test('a trend breaks off where there is nothing, and one point is seen', () => {
  assert.deepEqual(sparkPaths([null, null]), { line: '', area: '' });
  assert.deepEqual(sparkPaths([null, 5, null]), { line: 'M50.0 1.0h1', area: '' });
  assert.deepEqual(sparkPaths([0, 2, null, 1, NaN, undefined, 2, 0, 2]), {
    line: 'M0.0 23.0L12.5 1.0M37.5 12.0h1M75.0 1.0L87.5 23.0L100.0 1.0',
    area: '',
  });
  // One that is known later on has its ground below it alone.
  assert.deepEqual(sparkPaths([null, 0, 2]), { line: 'M50.0 23.0L100.0 1.0', area: 'M50.0 24L50.0 23.0L100.0 1.0L100.0 24Z' });
  assert.ok(!sparkPaths([1, 1, 1]).line.includes('NaN'));
});

test('stacks are sums of what is known', () => {
  assert.deepEqual(
    stacked([
      [1, null, 3],
      [2, 2, null],
    ]),
    [
      [1, null, 3],
      [3, 2, 3],
    ],
  );
  assert.deepEqual(stacked([]), []);
});

test('rows without a figure come last, whichever way', () => {
  const rows = [{ n: 2 }, { n: null }, { n: 10 }, { n: undefined }, { n: 1 }];
  const of = (/** @type {boolean} */ down) => sorted(rows, (row) => row.n, down).map((row) => row.n ?? '–');
  assert.deepEqual(of(false), [1, 2, 10, '–', '–']);
  assert.deepEqual(of(true), [10, 2, 1, '–', '–']);
  const names = sorted([{ n: 'b10' }, { n: 'b9' }, { n: 'A' }], (row) => row.n, false);
  assert.deepEqual(
    names.map((row) => row.n),
    ['A', 'b9', 'b10'],
  );
});

test('an order stands in an address, and only of columns that are there', () => {
  for (const [text, sort] of [
    ['calls', { key: 'calls', down: false }],
    ['-calls', { key: 'calls', down: true }],
    ['-0', { key: '0', down: true }],
    ['gone', null],
    ['-', null],
    ['', null],
    [undefined, null],
  ]) {
    const found = orderOf(text, ['calls', '0']);
    assert.deepEqual(found, sort, text);
    if (found) assert.equal(orderText(found), text);
  }
  for (const [caption, name] of [
    ['Latest failures', 'latest-failures'],
    ['p95 of calls, by model!', 'p95-of-calls-by-model'],
    ['', ''],
  ]) {
    assert.equal(slug(caption), name);
  }
});

test('changes are looked for in the range, or in as many days as it takes', () => {
  const day = 86_400_000;
  const now = Date.UTC(2026, 10, 29, 12);
  const check = (range, length, query, params, words) => {
    const found = over({ range, from: now - length, to: now, query });
    assert.deepEqual(found.params, params, range);
    assert.match(plain(found.words), words, range);
  };
  check('7d', 7 * day, { range: '7d' }, { range: '7d' }, /^in the last 7 days$/);
  check('all', 90 * day, { range: 'all' }, { range: 'all' }, /^in the last 90 days$/);
  check('24h', day, { range: '24h' }, { range: '14d' }, /^in the last 14 days; this range has too few days/);
  check('all', 3 * day, { range: 'all' }, { range: '14d' }, /^in the last 14 days; /);
  const [since, until] = [new Date(now - 9 * day).toISOString(), new Date(now).toISOString()];
  check('custom', 9 * day, { since, until }, { since, until }, /^from 2026-11-20 .* to 2026-11-29 /);
  check('custom', 9 * day, { since, until: undefined }, { since, until: undefined }, /^since 2026-11-20 /);
  const fortnight = new Date(now - 14 * day).toISOString();
  check('custom', 3 * day, { since, until }, { since: fortnight, until }, /^in the 14 days to 2026-11-29 .*; /);
  check('custom', 3 * day, { since, until: undefined }, { range: '14d' }, /^in the last 14 days; /);
  check('', 14 * day, null, null, /^$/);
});

const bucket = (/** @type {any} */ rest) => ({
  from: '2026-11-08T00:00:00Z',
  count: 0,
  failed: 0,
  unknown: 0,
  hits: null,
  misses: null,
  ...rest,
});

test('no figure is taken for 0', () => {
  assert.equal(hitRatio(bucket({})), null);
  assert.equal(hitRatio(bucket({ hits: 3, misses: 1 })), 0.75);
  assert.equal(failureRatio(bucket({ count: 4, unknown: 4 })), null);
  assert.equal(failureRatio(bucket({ count: 5, failed: 1, unknown: 1 })), 0.25);
  // Nothing called costs nothing; what was called without a price costs nobody knows what.
  assert.equal(spent('cost_usd')(bucket({})), 0);
  assert.equal(spent('cost_usd')(bucket({ count: 2 })), null);
  assert.equal(spent('cost_usd')(bucket({ count: 2, cost_usd: 0.5 })), 0.5);
  assert.equal(ratio(1, 0), null);
  assert.equal(ratio(null, 3), null);
  assert.equal(total([null, null]), null);
  assert.equal(total([null, 2, 3]), 5);
  assert.equal(peak([0, 1], [null, null]), null);
  assert.equal(peak([0, 3600], [3, 7])?.value, 7);
  assert.equal(against(1, null), '');
});

test('figures far apart want a logarithmic axis', () => {
  assert.ok(isWide([[1, null], [100]]));
  assert.ok(!isWide([[1, 0], [30]]));
  assert.ok(!isWide([[], [null]]));
});

test('what is in the future is not drawn, and told', () => {
  assert.equal(ahead([]), '');
  assert.equal(ahead([null, { later: 0 }]), '');
  assert.equal(ahead([{ later: 1 }]), ' Not drawn: 1 event in the future.');
  assert.equal(plain(ahead([{ later: 1 }, null, { later: 1 }])), ' Not drawn: 2 events in the future.');
});

test('stretches have words', () => {
  for (const [seconds, text] of [
    [1, 'second'],
    [60, 'minute'],
    [10800, '3 hours'],
    [86400, 'day'],
    [604800, '7 days'],
  ]) {
    assert.equal(stretch({ bucket_seconds: seconds }), text);
  }
});

test('a table has the rows of its chart', () => {
  const { columns, rows } = twin([0, 3600], [{ key: 'p50', label: 'p50', unit: 'ms', values: [1, null] }]);
  assert.deepEqual(
    columns.map(({ key }) => key),
    ['at', 'p50'],
  );
  assert.deepEqual(rows(), [
    { at: 0, p50: 1 },
    { at: 3600, p50: null },
  ]);
});

test('a figure of the whole time stands only beside a timeline of that time', () => {
  const now = Date.UTC(2026, 10, 29, 12);
  const ago = (/** @type {number} */ hours) => new Date(now - hours * 3_600_000).toISOString();
  const seconds = (/** @type {number} */ n) => n / 3600;
  const check = (what, [from, to], [since, until], step, fits) => {
    const answer = { about: { from, to }, tools: {} };
    const timeline = { about: { from: since, to: until }, timeline: { bucket_seconds: step } };
    assert.equal(alongside(answer, timeline), fits ? answer : null, what);
  };
  check('the same', [ago(24), null], [ago(24), null], 900, true);
  check('asked a moment later', [ago(24), null], [ago(24 - seconds(2)), null], 900, true);
  check('asked a stretch later', [ago(0.25), null], [ago(0.25 - seconds(11)), null], 10, false);
  check('another range', [ago(24), null], [ago(168), null], 7200, false);
  check('another range, both with an end', [ago(24), ago(2)], [ago(24), ago(1)], 900, false);
  check('one goes on', [ago(24), ago(2)], [ago(24), null], 900, false);
  check('long stretches make no two ranges one', [ago(720), null], [ago(700), null], 86_400, false);
  check('all there is', [null, null], [null, null], 86_400, true);
  check('all there is, and a part', [null, null], [ago(24), null], 900, false);
  assert.equal(alongside(null, { about: {}, timeline: {} }), null);
  assert.equal(alongside({ about: {} }, null), null);
});

test('the verdict says what is wrong', () => {
  const good = { name: 'search p95', value: 2, unit: 'ms', target: 10, status: 'good' };
  const late = { name: 'search p95', value: 12, unit: 'ms', target: 10, status: 'warning' };
  const low = { name: 'cache hit rate', value: 12, unit: 'percent', target: 80, status: 'bad' };
  for (const [health, firing, tone, word, sentence] of [
    [null, 0, 'none', '–', ''],
    [null, 1, 'bad', '1 alert firing', '1 alert is firing.'],
    [{ verdict: 'operational', checks: [good, good] }, 0, 'good', 'Healthy', 'All 2 targets are met.'],
    [
      { verdict: 'good_so_far', checks: [good] },
      0,
      'good',
      'Healthy',
      'The one target is met, others have no data yet.',
    ],
    [
      { verdict: 'missed', checks: [good, late] },
      0,
      'warn',
      '1 target missed',
      '1 of 2 targets is missed: search p95 is 12.0 ms (target below 10.0 ms).',
    ],
    [
      { verdict: 'missed', checks: [late, low] },
      0,
      'bad',
      '2 targets missed',
      '2 of 2 targets are missed: search p95 is 12.0 ms (target below 10.0 ms) and hit rate of the agent cache is 12.0 % (target above 80.0 %).',
    ],
    [{ verdict: 'no_data', checks: [] }, 0, 'none', 'No data', 'Nothing was recorded in this time.'],
    [
      { verdict: 'no_targets', checks: [] },
      0,
      'none',
      'No targets',
      'What was recorded in this time has no targets to be held against.',
    ],
    // What fires is what counts.
    [
      { verdict: 'operational', checks: [good] },
      1234,
      'bad',
      '1,234 alerts firing',
      '1,234 alerts are firing. The one target is met.',
    ],
  ]) {
    const found = verdict(health, firing);
    assert.deepEqual([found.tone, found.word, plain(found.sentence)], [tone, word, sentence]);
  }
});

test('the verdict leads to what it is of', () => {
  const checks = [{ name: 'cache hit rate', value: 69.2, unit: 'percent', target: 80, status: 'warning' }];
  assert.equal(verdict({ verdict: 'missed', checks }, 0).of, 'discovery');
  assert.equal(verdict({ verdict: 'missed', checks }, 2).of, 'alerts');
  assert.equal(verdict({ verdict: 'operational', checks: [] }, 0).of, 'overview');
  assert.equal(verdict(null, 0).of, 'overview');
});

test('a target is told beside its figure', () => {
  const checks = [
    { name: 'get_agent p95', value: 1.3, unit: 'ms', target: 5, status: 'good' },
    { name: 'cache hit rate', value: 69.2, unit: 'percent', target: 80, status: 'warning' },
  ];
  const says = (name) => plain(targetOf({ checks }, name)?.says);
  assert.equal(says('get_agent p95'), 'below 5.0 ms');
  assert.equal(says('cache hit rate'), 'above 80.0 %, missed');
  assert.equal(targetOf({ checks }, 'search p95'), null);
  assert.equal(targetOf(null, 'search p95'), null);
});

test('timelines that were asked for a moment apart stand at the same times', () => {
  const later = { buckets: [60, 120].map((at) => ({ from: new Date(at * 1000).toISOString(), count: at })) };
  const counts = (x) => valuesAt(/** @type {any} */ (later), x, (bucket) => bucket.count);
  assert.deepEqual(counts([0, 60]), [null, 60]);
  assert.deepEqual(counts([60, 120]), [60, 120]);
  assert.deepEqual(valuesAt(null, [0], () => 1), [null]);
});
