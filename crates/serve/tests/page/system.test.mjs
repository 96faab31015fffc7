import assert from 'node:assert/strict';
import { test } from 'node:test';

import { byProcess, seriesOf } from '../../page/views/system-figures.js';
import { between, quoted, within } from '../../page/views/window.js';

test('a process is a row, whatever its name', () => {
  const metric = (name, value, source = 'process') => ({
    source,
    name,
    latest: value,
    value: { mean: value, max: value },
  });
  const all = [
    metric('a_count_cpu_percent', 5),
    metric('_count', 1),
    metric('b_memory_mb', 2),
    metric('c_cpu_percent', 1, 'system'),
  ];
  const rows = byProcess(all, [metric('a_count_count', 3)]);
  assert.deepEqual(
    rows.map((row) => [row.name, row.count, row.cpuMean, row.memoryMost]),
    [
      ['a_count', 3, 5, null],
      ['b', null, null, 2 * 1_048_576],
    ],
  );
  assert.equal(seriesOf(all, 'system')('c_cpu_percent')?.latest, 1);
  assert.equal(seriesOf(all, 'system')('toString'), undefined);
});

test('a window as SQL has it', () => {
  const check = (range, query, text) => assert.equal(within({ range, query }), text);
  check('all', {}, '');
  check('', null, '');
  check('15m', {}, " AND timestamp >= now() - interval '15 minutes'");
  check('24h', {}, " AND timestamp >= now() - interval '24 hours'");
  check('30d', {}, " AND timestamp >= now() - interval '30 days'");
  const since = '1970-01-01T00:00:00.000Z';
  check('custom', { since }, ` AND timestamp >= '${since}'`);
  check('custom', { until: since }, ` AND timestamp < '${since}'`);
  assert.equal(between(0, 1000), ` AND timestamp >= '${since}' AND timestamp < '1970-01-01T00:00:01.000Z'`);
});

test('no text ends its quotes', () => {
  const check = (text, expected) => assert.equal(quoted(text), expected);
  check('a', "'a'");
  check("a' OR '1'='1", "'a'' OR ''1''=''1'");
});
