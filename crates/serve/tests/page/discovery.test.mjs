import assert from 'node:assert/strict';
import { test } from 'node:test';

import { csv, parsed } from '../../page/views/csv.js';
import { figuresOf } from '../../page/views/discovery-figures.js';

test('figures of discovery come to their last digit', () => {
  const text = [
    'section,name,metric,value',
    'discovery,,operations,84252',
    'discovery,,p95_ms,1.0268420683340396',
    'discovery,get_agent,count,58210',
    'discovery,get_agent,p50_ms,0.003',
    'discovery,get_agent,hit_ratio,0.869',
    'discovery,"a, ""b""",count,3',
    'discovery,"a, ""b""",p99_ms,',
    'discovery,__proto__,count,1',
    'discovery,get_agent,constructor,1',
    '',
  ].join('\n');
  const { all, operations } = figuresOf(text);
  assert.deepEqual(all, { count: 84252, p95: 1.0268420683340396 });
  assert.deepEqual(operations, [
    { name: 'get_agent', count: 58210, p50: 0.003, hits: 0.869 },
    { name: 'a, "b"', count: 3, p99: null },
    { name: '__proto__', count: 1 },
  ]);
  assert.deepEqual(figuresOf('section,name,metric,value\n'), { all: {}, operations: [] });
  assert.deepEqual(figuresOf(''), { all: {}, operations: [] });
});

test('a CSV is read as it is written', () => {
  const check = (text, lines) => assert.deepEqual(parsed(text), lines, JSON.stringify(text));
  check('', []);
  check('a', [['a']]);
  check('a,b\n', [['a', 'b']]);
  check('a,\r\n,b\r\n', [['a', ''], ['', 'b']]);
  check('"a\n""b""",,""', [['a\n"b"', '', '']]);
  check('a,b\n\nc', [['a', 'b'], [''], ['c']]);
  const rows = [{ x: 'a,b' }, { x: 'two\nlines' }, { x: '"' }, { x: '' }];
  assert.deepEqual(parsed(csv([{ name: 'x' }], rows)).slice(1), rows.map(({ x }) => [x]));
});
