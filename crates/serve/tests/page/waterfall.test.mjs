import assert from 'node:assert/strict';
import { test } from 'node:test';

import { absent, began, busyShare, endedAt, flatten, nest, time } from '../../page/charts/waterfall-rows.js';
import { idle, instant, pan, place, says, scale, ticks, zoom, zoomOf, zoomText } from '../../page/charts/waterfall-scale.js';

/** @param {number} second */
const at = (second) => new Date(Date.UTC(2026, 10, 29, 8, 0, second)).toISOString();

/** An event of a second from `start` on. */
const event = (name, start, more = {}) => ({
  start: start === null ? null : at(start),
  timestamp: start === null ? null : at(start + 1),
  duration_ms: 1000,
  event_type: 'tool_call',
  name,
  source: null,
  status: 'ok',
  error_type: null,
  span_id: null,
  parent_id: null,
  tokens: null,
  cost_usd: null,
  ...more,
});

/** Rows as `depth name`. */
const shape = (events, closed = new Set(), shown = undefined) =>
  flatten(nest(events).roots, closed, shown).map((row) => `${row.depth} ${row.label}`);

test('what happened within what', () => {
  const check = (events, rows) => assert.deepEqual(shape(events), rows);
  check([], []);
  check([event('b', 2), event('a', 1)], ['0 a', '0 b']);
  const parent = event('parent', 1, { span_id: 'p', event_type: 'query' });
  check(
    [event('c', 3, { parent_id: 'p' }), parent, event('d', 2, { parent_id: 'p' })],
    ['0 query, parent', '1 d', '1 c'],
  );
  // A child that began before its parent stays its child: clocks differ.
  check([event('early', 0, { parent_id: 'p' }), parent], ['0 query, parent', '1 early']);
  // Parents that were not recorded: a row of their own if they hold several.
  check([event('a', 1, { parent_id: 'x' }), event('b', 2, { parent_id: 'x' })], ['0 x', '1 a', '1 b']);
  check([event('a', 1, { parent_id: 'x' }), event('b', 2)], ['0 a', '0 b']);
  // One without a time is last.
  check([event('none', null), event('b', 2)], ['0 b', '0 none']);
  // The end of a session lasts as long as the session.
  const session = event('long', 0, { event_type: 'session_end', timestamp: at(60) });
  check([event('a', 1), session, event('b', 2)], ['0 session, long', '1 a', '1 b']);
  // Two sessions hold nothing: whose would it be?
  check([session, event('other', 0, { event_type: 'session_end' })], ['0 session, long', '0 session, other']);
});

test('an event without an id is told by when it ended and what it is called', () => {
  const twins = [event('a', 1), event('b', 1), event('a', 1.5), event('none', null)];
  const { roots } = nest([...twins, event('c', 2, { parent_id: 'p' }), event('d', 3, { parent_id: 'p' })]);
  const check = (when, name, label) => assert.equal(endedAt(roots, when, name)?.label, label);
  check(at(2), 'a', 'a');
  check(at(2), 'b', 'b');
  check(at(2), undefined, 'a');
  // However many digits it is written with.
  check(at(2).replace('.000Z', '.000000000Z'), 'b', 'b');
  check(at(2).replace('.000Z', '.000001Z'), 'b', undefined);
  check(at(2), 'c', undefined);
  for (const nothing of [undefined, '', 'nonsense']) check(nothing, 'none', undefined);
});

test('circles lose nothing', () => {
  const check = (events) => assert.equal(shape(events).length, events.length);
  check([event('self', 1, { span_id: 'a', parent_id: 'a' })]);
  check([event('a', 1, { span_id: 'a', parent_id: 'b' }), event('b', 2, { span_id: 'b', parent_id: 'a' })]);
  check([
    event('a', 1, { span_id: 'a', parent_id: 'c' }),
    event('b', 2, { span_id: 'b', parent_id: 'a' }),
    event('c', 3, { span_id: 'c', parent_id: 'b' }),
    event('a again', 4, { span_id: 'a', parent_id: 'c' }),
  ]);
});

test('of two events of one span the longer holds the other', () => {
  const query = event('query', 1, { span_id: 'q', event_type: 'query', timestamp: at(9) });
  const choice = event('choice', 1, { span_id: 'q', event_type: 'agent_selection', timestamp: at(1) });
  assert.deepEqual(shape([choice, query, event('call', 2, { parent_id: 'q' })]), [
    '0 query, query',
    '1 selection, choice',
    '1 call',
  ]);
});

test('a chain of ten thousand is no deeper than memory', () => {
  const chain = Array.from({ length: 10_000 }, (_, n) =>
    event(`${n}`, 1, { span_id: `${n}`, parent_id: n ? `${n - 1}` : null }),
  );
  const rows = flatten(nest(chain).roots, new Set());
  assert.equal(rows.at(-1)?.depth, 9_999);
});

test('rows are hidden below what is closed, and by what is wanted', () => {
  const events = [
    event('parent', 1, { span_id: 'p' }),
    event('good', 2, { parent_id: 'p' }),
    event('bad', 3, { parent_id: 'p', status: 'failed' }),
    event('other', 4),
  ];
  assert.deepEqual(shape(events, new Set(['p'])), ['0 parent', '0 other']);
  assert.deepEqual(
    shape(events, new Set(), (row) => row.failed),
    ['0 parent', '1 bad'],
  );
});

test('a row keeps its name, whatever else is recorded before it', () => {
  const keys = (events) => flatten(nest(events).roots, new Set()).map((row) => `${row.label} ${row.key}`);
  const own = [
    event('a', 5, { span_id: 's1' }),
    event('twin', 6, { span_id: 's1' }),
    event('none', 7),
    event('none', 8),
    event('long', 9, { span_id: 'x'.repeat(129) }),
    event('in a group', 10, { parent_id: 'gone' }),
    event('in it, too', 11, { parent_id: 'gone' }),
  ];
  const before = keys(own);
  assert.equal(new Set(before.map((line) => line.split(' ').at(-1))).size, before.length);
  assert.deepEqual(before.slice(0, 2), ['a s1', 'twin s1~2']);
  assert.match(before[2] ?? '', /^none ~[0-9a-z]+$/);
  assert.match(before[4] ?? '', /^long ~[0-9a-z]+$/);
  assert.ok(before.includes('gone gone'));
  const later = keys([event('early', 1), event('early', 2, { span_id: 's0' }), ...own]);
  assert.deepEqual(later.slice(2), before);
  // A span that is called like the twin of another.
  const odd = ['s', 's~2', 's'].map((span_id, at) => event(`${at}`, at, { span_id }));
  assert.deepEqual(
    nest(odd)
      .roots.flatMap((row) => [row, ...row.children])
      .map((row) => row.key)
      .sort(),
    ['s', 's~2', 's~3'],
  );
});

test('what is in sight stands in an address, folded or not', () => {
  const window = { from: 1000, to: 11_000 };
  const spans = [
    { from: 1000, to: 2000 },
    { from: 10_000, to: 11_000 },
  ];
  const [plain, folded] = [scale(window, spans, false), scale(window, spans, true)];
  const told = zoomText({ low: 250, high: 750.5 }, plain);
  assert.equal(told, '250..750.5');
  assert.deepEqual(zoomOf(told, plain), { low: 250, high: 750.5 });
  assert.deepEqual(zoomOf(told, folded), { low: 250, high: 750.5 });
  const end = zoomOf('9250..9750', folded);
  assert.equal(zoomText(end ?? { low: 0, high: 0 }, folded), '9250..9750');
  for (const text of [undefined, '', '5', '..', '9..3', 'x..y', '..5', '-5..20000', 'NaN..9']) {
    assert.equal(zoomOf(text, plain), null, text);
  }
});

test('totals are of what is known', () => {
  const llm = { event_type: 'llm_call', tokens: 10, cost_usd: 0.5, parent_id: 'x' };
  const end = { event_type: 'session_end', tokens: 7000, timestamp: at(60) };
  const found = nest([event('a', 1, llm), event('b', 2, llm), event('s', 0, end)]);
  assert.deepEqual([found.tokens, found.cost, found.failed], [20, 1, 0]);
  const [group] = found.roots[0].children;
  assert.deepEqual([group.event, group.tokens, group.cost, group.calls], [null, 20, 1, 2]);
  const none = nest([event('a', 1)]);
  assert.deepEqual([none.tokens, none.cost], [null, null]);
});

test('parents that are worth asking for', () => {
  const events = [
    event('a', 1, { parent_id: 'x' }),
    event('b', 1, { parent_id: 'x' }),
    event('c', 1, { parent_id: 'y', span_id: 'z' }),
    event('d', 1, { parent_id: 'z' }),
  ];
  assert.deepEqual(absent(events), ['x', 'y']);
});

test('times keep their microseconds', () => {
  const check = (text, ms) => assert.equal(time(text), ms);
  check('1970-01-01T00:00:01.5Z', 1500);
  check('1970-01-01T00:00:01.500250+00:00', 1500.25);
  check('', null);
  check(null, null);
  check('yesterday', null);
});

test('an instant and its place', () => {
  const check = (made, pairs) => {
    for (const [time, placed] of pairs) {
      assert.ok(Math.abs(place(made, time) - placed) < 1e-6, `${time} is at ${place(made, time)}`);
    }
  };
  const window = { from: 1000, to: 2000 };
  check(scale(window, [], false), [
    [1000, 0],
    [1500, 500],
    [2000, 1000],
    [9, 0],
    [9999, 1000],
  ]);
  // Nothing runs from 1100 to 1900: 200 ms of work, and a fold of 1.5 % of it.
  const busy = [
    { from: 1000, to: 1100 },
    { from: 1900, to: 2000 },
  ];
  const folded = scale(window, busy, true);
  check(folded, [
    [1050, 50],
    [1100, 100],
    [1500, 101.5],
    [1900, 103],
    [2000, 203],
  ]);
  for (const time of [1000, 1020, 1500, 1950, 2000]) {
    assert.ok(Math.abs(instant(folded, place(folded, time)) - time) < 1e-6, `${time}`);
  }
  // An instant is a window, too.
  assert.ok(scale({ from: 5, to: 5 }, [], true).length > 0);
});

test('where nothing runs', () => {
  const check = (busy, gaps) => {
    const spans = busy.map(([from, to]) => ({ from, to }));
    assert.deepEqual(
      idle({ from: 0, to: 10 }, spans).map(({ from, to }) => [from, to]),
      gaps,
    );
  };
  check([], [[0, 10]]);
  check([[0, 10]], []);
  check(
    [
      [2, 4],
      [3, 6],
    ],
    [
      [0, 2],
      [6, 10],
    ],
  );
  check(
    [
      [5, 8],
      [1, 9],
    ],
    [
      [0, 1],
      [9, 10],
    ],
  );
  check(
    [
      [-5, 2],
      [12, 20],
    ],
    [[2, 10]],
  );
});

test('marks of the axis are round, few, and not within folds', () => {
  const made = scale({ from: 500, to: 10_500 }, [], false);
  assert.deepEqual(
    ticks(made, 0, made.length, 5).map((tick) => tick.offset),
    [0, 2000, 4000, 6000, 8000, 10000],
  );
  assert.deepEqual(
    ticks(made, 1000, 1001, 4).map((tick) => tick.offset),
    [1000, 1000.5, 1001],
  );
  const folded = scale(
    { from: 0, to: 100_000 },
    [
      { from: 0, to: 900 },
      { from: 99_000, to: 100_000 },
    ],
    true,
  );
  // So many that folds would have room for some.
  for (const tick of ticks(folded, 0, folded.length, 400)) {
    assert.ok(tick.offset <= 900 || tick.offset >= 99_000, `${tick.offset}`);
  }
  assert.deepEqual(ticks(made, 5, 5, 5), []);
});

test('a mark says what its step asks for', () => {
  const check = (offset, step, text) => assert.equal(says(offset, step), text);
  check(0, 1000, '0');
  check(135_000, 15_000, '2 min 15 s');
  check(120_000, 60_000, '2 min');
  check(3_660_000, 60_000, '1 h 1 min');
  check(125_200, 200, '125.2 s');
  check(2500, 500, '2.5 s');
  check(40, 20, '40 ms');
  check(0.5, 0.1, '500 µs');
});

test('a view stays within the scale', () => {
  const check = (view, low, high) => {
    assert.ok(Math.abs(view.low - low) < 1e-9 && Math.abs(view.high - high) < 1e-9, JSON.stringify(view));
  };
  check(zoom({ low: 0, high: 100 }, 0.5, 50, 100), 25, 75);
  check(zoom({ low: 0, high: 100 }, 0.5, 100, 100), 50, 100);
  check(zoom({ low: 25, high: 75 }, 9, 50, 100), 0, 100);
  check(pan({ low: 0, high: 50 }, 0.5, 100), 25, 75);
  check(pan({ low: 0, high: 50 }, -3, 100), 0, 50);
  check(pan({ low: 40, high: 90 }, 3, 100), 50, 100);
});

test('when an event began is told whatever its duration says', () => {
  const end = '2026-05-01T12:00:02.000250+00:00';
  const check = (ms, told) => assert.equal(began(end, ms), told, String(ms));
  check(1500, '2026-05-01T12:00:00.500Z');
  check(0, '2026-05-01T12:00:02.000Z');
  for (const odd of [null, -1, 1e300, 1e12 + 1, NaN, Infinity]) check(odd, end);
  assert.equal(Date.parse(began(end, 1e12)), Date.parse(end) - 1e12);
  assert.equal(began('no time', 5), 'no time');
});

test('how much of the time is work', () => {
  const share = (events) => Number(busyShare(nest(events)).toFixed(9));
  assert.equal(share([event('a', 0), event('b', 9)]), 0.2);
  assert.equal(share([event('a', 0), event('b', 0)]), 1);
  // A session lasts whatever runs in it.
  const session = event('session', 0, { event_type: 'session_end', timestamp: at(10) });
  assert.equal(share([session, event('a', 0)]), 0.1);
  assert.equal(share([]), 1);
});
