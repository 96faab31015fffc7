import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cell, csv } from '../../page/views/csv.js';
import {
  axes,
  chart,
  chosenOf,
  chosenText,
  columns as columnsOf,
  even,
  offset,
  parse,
  place,
  remember,
  seconds,
} from '../../page/views/sql-result.js';

/** The columns of rows that have the names of the first. */
const columns = (rows) => columnsOf({ names: Object.keys(rows[0] ?? {}), rows });

/** An answer of the API. */
const body = (names, rows) => JSON.stringify({ columns: names.map((name) => ({ name })), rows });

test('cells are quoted, and no text is a formula', () => {
  const check = (value, expected) => assert.equal(cell(value), expected);
  check(null, '');
  check(undefined, '');
  check('', '""');
  check('plain', 'plain');
  check('a,b', '"a,b"');
  check('say "hi"', '"say ""hi"""');
  check('two\nlines', '"two\nlines"');
  check('=1+1', "'=1+1");
  check('+x', "'+x");
  check('-1+cmd', "'-1+cmd");
  check('-', "'-");
  check('-x', "'-x");
  check('@cmd', "'@cmd");
  check('\tx', "'\tx");
  check('\r=x', '"\'\r=x"');
  check("'=1", "''=1");
  check("'quoted'", "'quoted'");
  check('=HYPERLINK("x","y")', '"\'=HYPERLINK(""x"",""y"")"');
  check(-5, '-5');
  // What is too large for a number, or was told as text, is a number all the same.
  check('-1794738371297729001', '-1794738371297729001');
  check('-12.50', '-12.50');
  check('+1.5e3', '+1.5e3');
  check(1.5, '1.5');
  check(true, 'true');
  check(['a', 'b'], '"[""a"",""b""]"');
});

test('a file has a header and the rows in its order', () => {
  const rows = [
    { a: 1, b: 'x' },
    { b: '=y', a: null },
  ];
  assert.equal(csv([{ name: 'a' }, { name: 'b' }], rows), "a,b\n1,x\n,'=y\n");
  assert.equal(csv([], []), '\n');
});

test('what columns are made of', () => {
  const rows = [
    {
      at: '2026-11-29T08:00:00.5+00:00',
      day: '2026-11-29',
      n: 1,
      name: 'a',
      yes: true,
      list: ['x'],
      none: null,
      mixed: 1,
    },
    { at: null, day: '2026-11-30', n: -2.5, name: '2026', yes: false, list: null, none: null, mixed: 'x' },
  ];
  const found = Object.fromEntries(columns(rows).map(({ name, type }) => [name, type]));
  assert.deepEqual(found, {
    at: 'time',
    day: 'time',
    n: 'number',
    name: 'text',
    yes: 'boolean',
    list: 'json',
    none: 'empty',
    mixed: 'json',
  });
  assert.deepEqual(columns([]), []);
});

test('whole numbers beyond what a double holds are not rounded', () => {
  const big = (n) => `{"columns": [{"name": "big"}, {"name": "small"}, {"name": "real"}], "rows": [[${n}, 5, 1e300]]}`;
  const table = parse(big('1794738371297729001'));
  const { rows } = table;
  const exact = process.versions.node.split('.').map(Number)[0] >= 21;
  if (exact) assert.equal(rows[0].big, '1794738371297729001');
  assert.deepEqual([rows[0].small, rows[0].real], [5, 1e300]);
  assert.equal(columnsOf(table)[0].type, 'number');
  assert.throws(() => parse('[]'));
});

test('columns keep their order and their values, whatever they are called', () => {
  const check = (names, expected) => {
    const table = parse(body(names, [names.map((_, at) => at)]));
    const told = columnsOf(table).map(({ name }) => [name, table.rows[0]?.[name]]);
    assert.deepEqual(
      told,
      expected.map((name, at) => [name, at]),
    );
  };
  check(['b', '2', 'a', '1'], ['b', '2', 'a', '1']);
  check(['id', 'id', 'id'], ['id', 'id (2)', 'id (3)']);
  check(['id', 'id', 'id (2)'], ['id', 'id (3)', 'id (2)']);
  check(['__proto__', 'constructor', ''], ['__proto__', 'constructor', '']);
  assert.deepEqual(columnsOf(parse(body(['none'], []))), [{ name: 'none', type: 'empty', distinct: 0 }]);
});

test('what is drawn stands in an address, and only where it is not drawn anyway', () => {
  const rows = [{ t: '2026-11-29', day: '2026-11-28', tool: 'a', n: 1, 'a,b': 2 }];
  const may = axes(columns(rows));
  const first = { x: 't', y: ['n'], by: 'tool' };
  assert.deepEqual(may?.first, first);
  const check = (chosen, text) => {
    assert.deepEqual(chosenText(chosen, first), text);
    const query = Object.fromEntries(Object.entries(text).filter(([, value]) => value !== null));
    assert.deepEqual(chosenOf(query, may), chosen);
  };
  check(first, { x: null, y: null, by: null });
  check({ ...first, y: ['n', 'a,b'] }, { x: null, y: 'n,a%2Cb', by: null });
  check({ ...first, y: [] }, { x: null, y: ',', by: null });
  check({ ...first, by: null }, { x: null, y: null, by: ',' });
  check({ x: 'day', y: ['a,b'], by: null }, { x: 'day', y: 'a%2Cb', by: ',' });
  check({ x: 'tool', y: ['n'], by: null }, { x: 'tool', y: 'n', by: ',' });
  // Of another statement.
  assert.deepEqual(chosenOf({ x: 'gone', y: 'gone', by: 'n' }, may), { x: 't', y: ['n'], by: null });
});

test('what can be drawn, and what is looked at first', () => {
  const check = (row, expected) => {
    const found = axes(columns([row]));
    assert.deepEqual(found && found.first, expected);
  };
  check({ t: '2026-11-29', n: 1 }, { x: 't', y: ['n'], by: null });
  check({ t: '2026-11-29', tool: 'a', n: 1, m: 2 }, { x: 't', y: ['n'], by: 'tool' });
  check({ tool: 'a', n: 1 }, { x: 'tool', y: ['n'], by: null });
  check({ n: 1, m: 2 }, null);
  check({ a: 'x', b: 'y' }, null);
});

test('lines have one place for each instant, in order', () => {
  const rows = [
    { t: '2026-11-29T10:00:00Z', tool: 'a', n: 2 },
    { t: '2026-11-29T09:00:00Z', tool: 'b', n: 5 },
    { t: '2026-11-29T09:00:00Z', tool: 'a', n: 1 },
    { t: null, tool: 'a', n: 9 },
  ];
  const found = chart(rows, columns(rows), { x: 't', y: ['n'], by: 'tool' });
  assert.deepEqual(found, {
    kind: 'line',
    x: 't',
    labels: [seconds('2026-11-29T09:00:00Z'), seconds('2026-11-29T10:00:00Z')],
    series: [
      { label: 'b', values: [5, null] },
      { label: 'a', values: [1, 2] },
    ],
    left: 0,
  });
  // Rows of one time in one line are added up, and that is said.
  const one = chart(rows, columns(rows), { x: 't', y: ['n'], by: null });
  assert.deepEqual([one?.series[0].values, one?.added], [[6, 2], true]);
  const holes = [{ t: '1970-01-01', n: null }, { t: '1970-01-02', n: 5 }];
  const holed = chart(holes, columns(holes), { x: 't', y: ['n'], by: null });
  assert.deepEqual(holed?.series[0].values, [null, 5]);
  const many = Array.from({ length: 9 }, (_, n) => ({ t: '2026-11-29', tool: `${n}`, n }));
  const cut = chart(many, columns(many), { x: 't', y: ['n'], by: 'tool' });
  assert.deepEqual([cut?.series.length, cut?.left, cut?.series[0].label], [6, 3, '8']);
});

test('bars are in the order of the rows, and say how many are left', () => {
  const rows = Array.from({ length: 50 }, (_, n) => ({ tool: `t${n}`, n }));
  const found = chart(rows, columns(rows), { x: 'tool', y: ['n'], by: null });
  assert.deepEqual([found?.kind, found?.labels.length, found?.left], ['bars', 40, 10]);
  assert.equal(chart(rows, columns(rows), { x: 'tool', y: [], by: null }), null);
  assert.equal(chart(rows, columns(rows), { x: 'gone', y: ['n'], by: null }), null);
});

test('times without an offset are UTC', () => {
  const check = (text, expected) => assert.equal(seconds(text), expected, text);
  check('1970-01-02', 86_400);
  check('1970-01-01T00:00:10', 10);
  check('1970-01-01 00:00:10', 10);
  check('1970-01-01T01:00:00+01:00', 0);
  check('soon', NaN);
});

test('where a statement goes wrong', () => {
  const detail = 'SQL error: ParserError("Expected: an SQL statement, found: selec at Line: 2, Column: 3")';
  assert.deepEqual(place(detail), { line: 2, column: 3 });
  assert.equal(place('table not found'), null);
  assert.equal(offset('ab\ncdef', { line: 2, column: 3 }), 5);
  assert.equal(offset('ab', { line: 9, column: 3 }), 2);
});

test('a statement is remembered once, the newest first', () => {
  const check = (history, statement, expected) => assert.deepEqual(remember(history, statement, 2), expected);
  check([], ' select 1 ', ['select 1']);
  check(['a', 'b'], 'b', ['b', 'a']);
  check(['a', 'b'], 'c', ['c', 'a']);
  check(['a'], '  ', ['a']);
  check(['a'], 'x'.repeat(9000), ['a']);
});

test('a line shows where there is nothing', () => {
  const check = (times, expected) => assert.deepEqual(even(times), expected);
  check([], []);
  check([5], [5]);
  check([0, 60, 240], [0, 60, 120, 180, 240]);
  // At any time: they stay as they are.
  check([0, 60, 250], [0, 60, 250]);
  check([0, 1, 1e6], [0, 1, 1e6]);
});
