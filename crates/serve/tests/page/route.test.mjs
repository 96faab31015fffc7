import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatRoute, joined, parseRoute, parted } from '../../page/route.js';

test('an address says which view, of what, and how', () => {
  for (const [hash, view, rest, query] of [
    ['', 'overview', [], {}],
    ['#', 'overview', [], {}],
    ['#/', 'overview', [], {}],
    ['#/tools', 'tools', [], {}],
    ['#/tools/grep?range=24h', 'tools', ['grep'], { range: '24h' }],
    ['#/tools/a%2Fb%20%3F%23?x=1&y=a%26b', 'tools', ['a/b ?#'], { x: '1', y: 'a&b' }],
    ['#/trace/session/s1', 'trace', ['session', 's1'], {}],
    ['#/sql?q=select+1', 'sql', [], { q: 'select 1' }],
    ['#/%', '%', [], {}],
    ['#//tools//', 'tools', [], {}],
  ]) {
    const route = parseRoute(hash);
    assert.deepEqual([route.view, route.rest, { ...route.query }], [view, rest, query], hash);
  }
});

test('names of objects are names like any other', () => {
  const { query } = parseRoute('#/x?__proto__=1&constructor=2');
  assert.equal(query['__proto__'], '1');
  assert.equal(query['constructor'], '2');
  assert.equal(query['toString'], undefined);
});

test('whatever a name holds, its address leads back to it', () => {
  const names = [
    'grep',
    'a/b',
    '../..',
    '%41',
    '<script>alert(1)</script>',
    '\u202Eabc',
    '😀',
    '?x=1#y',
    'a&b=c',
    ' ',
    '.',
    'é',
  ];
  for (const name of names) {
    const there = parseRoute(formatRoute('tools', [name], { from: name, none: null, empty: '' }));
    assert.deepEqual(there.rest, [name]);
    assert.deepEqual({ ...there.query }, { from: name });
  }
});

test('names are joined so that they come apart again', () => {
  for (const names of [['a'], ['a', 'b'], ['a,b', '%2C', ''], [',', '😀', '__proto__']]) {
    const there = parseRoute(formatRoute('x', [], { of: joined(names) }));
    assert.deepEqual(
      parted(there.query['of']),
      names.filter((name) => name !== ''),
    );
  }
  assert.deepEqual([joined([]), parted(','), parted(undefined), parted('%')], [',', [], [], ['%']]);
});
