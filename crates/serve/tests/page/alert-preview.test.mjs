import assert from 'node:assert/strict';
import { test } from 'node:test';

import { holds, matches } from '../../page/views/alert-preview.js';
import { BLANK } from '../../page/views/alert-rule.js';

const series = (name, more = {}) => ({
  name,
  source: '',
  count: 10,
  failed: 2,
  values: 8,
  avg: 5,
  p95: 9,
  rate_per_second: 0.5,
  ...more,
});

test('a condition holds as the server has it', () => {
  const check = (op, value, threshold, expected) => assert.equal(holds(op, value, threshold), expected, `${value} ${op} ${threshold}`);
  check('>', 5, 5, false);
  check('>=', 5, 5, true);
  check('<', 4.9, 5, true);
  check('<=', 5.1, 5, false);
  check('==', 5.0005, 5, true);
  check('==', 5.002, 5, false);
  check('!=', 5.0005, 5, false);
  check('!=', 6, 5, true);
  check('>', 5, NaN, false);
});

test('what a rule would find now', () => {
  const live = [series('a'), series('b', { p95: 50 }), series('c', { p95: null }), series('d', { source: 'x' })];
  const check = (change, expected) => {
    const found = matches({ ...BLANK, number: '10', ...change }, live);
    assert.deepEqual(
      found.map((one) => [one.name, one.value, one.holds]),
      expected,
    );
  };
  // What holds comes first; where there is no figure nothing is said.
  check({}, [
    ['b', 50, true],
    ['a', 9, false],
    ['d', 9, false],
  ]);
  check({ metric_name: 'a' }, [['a', 9, false]]);
  check({ source: 'x' }, [['d', 9, false]]);
  check({ metric_name: 'a', stat: 'ratio', number: '0.1' }, [['a', 0.2, true]]);
  check({ metric_name: 'a', stat: 'ratio', family: 'cache', number: '0.1' }, [['a', 5, true]]);
  check({ metric_name: 'a', stat: 'rate' }, [['a', 0.5, false]]);
  check({ metric_name: 'a', least: '8' }, [['a', 9, false]]);
  check({ metric_name: 'a', least: '9' }, []);
  check({ metric_name: 'nothing' }, []);
});
