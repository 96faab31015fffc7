import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RANGES, beginning, expanded, firstRange, isRange, isoOf, lengthOf, spanOf } from '../../page/range.js';

const NOW = Date.UTC(2026, 10, 29, 10);
const HOUR = 3600e3;

test('a range becomes what the API understands', () => {
  for (const [range, asked] of [
    ['15m', { since: '2026-11-29T09:45:00.000Z' }],
    ['1h', { hours: 1 }],
    ['6h', { hours: 6 }],
    ['24h', { days: 1 }],
    ['14d', { days: 14 }],
    ['all', { since: '2026-11-01T00:00:00.000Z' }],
  ]) {
    const first = Date.UTC(2026, 10, 1);
    assert.deepEqual(expanded({ kind: 'tool_call', range }, NOW, first), { kind: 'tool_call', ...asked }, range);
  }
  assert.deepEqual(expanded({ range: 'all' }, NOW, null), { days: 36500 });
  assert.deepEqual(expanded({ since: 'x', kind: 'y' }, NOW, null), { since: 'x', kind: 'y' });
});

test('every range has its place', () => {
  for (const [name, length] of RANGES) {
    assert.ok(isRange(name));
    assert.equal(lengthOf(name), length);
    const { from, to } = spanOf(name, NOW, NOW - 99 * 24 * HOUR);
    assert.equal(to, NOW);
    assert.equal(from, NOW - (length ?? 99 * 24 * HOUR), name);
  }
  assert.ok(!isRange('2h') && !isRange('') && !isRange(undefined) && !isRange('toString'));
  // What is of the future does not turn it around.
  assert.ok(spanOf('all', NOW, NOW + HOUR).from <= NOW);
});

/** Buckets of an hour, the last of which is the hour of now. */
const hours = (/** @type {[number, number, number][]} */ ...filled) =>
  filled.map(([ago, count, unknown]) => ({ from: new Date(NOW - (ago + 1) * HOUR).toISOString(), count, unknown }));

test('one begins with the shortest range that shows something', () => {
  for (const [buckets, range] of [
    [hours(), null],
    [hours([0, 0, 0]), null],
    // Enough in the last hour, whatever was before.
    [hours([0, 250, 0], [100, 250, 0]), '1h'],
    // A few, and more before.
    [hours([0, 30, 0], [4, 250, 0]), '6h'],
    [hours([20, 250, 0]), '24h'],
    [hours([160, 250, 0]), '7d'],
    [hours([300, 250, 0]), '14d'],
    // As few as there are.
    [hours([0, 1, 0]), '1h'],
    [hours([3, 1, 0]), '6h'],
    [hours([0, 1, 0], [30, 1, 0]), '7d'],
    // Measurements of the machine are no work …
    [hours([0, 5000, 5000], [30, 40, 0]), '7d'],
    // … unless there is nothing else.
    [hours([0, 5000, 5000]), '1h'],
    // It is not in the last hour but for its very end.
    [hours([1.4, 300, 0]), '6h'],
  ]) {
    assert.equal(firstRange(buckets, HOUR, NOW), range, JSON.stringify(buckets));
  }
});

test('an instant by hand has its offset', () => {
  const check = (text, expected) => assert.equal(isoOf(text), expected, text);
  check('2026-11-29T10:00:00+02:00', '2026-11-29T08:00:00.000Z');
  check('2026-11-29T10:00', new Date(2026, 10, 29, 10).toISOString());
  check('soon', null);
  check('', null);
  check(undefined, null);
});

test('all there is begins where a clock can have been right', () => {
  const days = (...dates) => dates.map((date, at) => ({ date, events: at + 1 }));
  const at = (date) => Date.parse(`${date}T00:00:00Z`);
  assert.deepEqual(beginning([]), { first: null, early: null });
  assert.deepEqual(beginning(days('2000-01-01', '2026-11-01')), { first: at('2000-01-01'), early: null });
  assert.deepEqual(beginning(days('1970-01-01', '1999-12-31', '2026-11-01')), {
    first: at('2026-11-01'),
    early: { events: 3, from: '1970-01-01', to: '2000-01-01' },
  });
  // Where there is nothing else, it is all there is.
  assert.deepEqual(beginning(days('1970-01-01', '1970-01-03')), { first: at('1970-01-01'), early: null });
  // What is left out can be asked for as a stretch of its own, whole.
  assert.deepEqual(beginning(days('1970-01-01', '2026-11-01')).early, { events: 1, from: '1970-01-01', to: '1970-01-02' });
});
