import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bounds, busiest, grid, hourly, strength } from '../../page/charts/heatmap-grid.js';

/** @param {string} zone @param {() => void} body */
function inZone(zone, body) {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    body();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

test('hours are those of the clock of whoever looks', () => {
  const check = (zone, from, day, hour) =>
    inZone(zone, () => {
      const { cells, total } = grid([{ from, count: 3, failed: 1 }]);
      assert.deepEqual(cells[day][hour], { count: 3, failed: 1 }, `${zone} ${from}`);
      assert.equal(total, 3);
    });
  check('UTC', '2026-11-29T23:00:00+00:00', 6, 23);
  check('Europe/Berlin', '2026-11-29T23:00:00+00:00', 0, 0);
  check('America/New_York', '2026-11-30T04:00:00+00:00', 6, 23);
  check('Asia/Kolkata', '2026-11-29T18:30:00Z', 0, 0);
  // Summer time: the same hour of UTC is another of the clock.
  check('Europe/Berlin', '2026-07-06T10:00:00Z', 0, 12);
  check('Europe/Berlin', '2026-01-05T10:00:00Z', 0, 11);
});

test('what happened adds up, and what has no time is left out', () => {
  const stretches = [
    { from: '2026-11-23T10:00:00Z', count: 5, failed: 1 },
    { from: '2026-11-30T10:00:00Z', count: 7, failed: 0 },
    { from: 'soon', count: 100, failed: 100 },
  ];
  inZone('UTC', () => {
    const found = grid(stretches);
    assert.deepEqual(found.cells[0][10], { count: 12, failed: 1 });
    assert.deepEqual([found.most, found.total, found.failed], [12, 12, 1]);
    assert.deepEqual(busiest(found), { day: 0, hour: 10, cell: { count: 12, failed: 1 } });
  });
  const none = grid([]);
  assert.deepEqual([none.most, none.total, busiest(none), bounds(none)], [0, 0, null, []]);
});

test('one busy hour does not make the others pale', () => {
  const at = (hour) => `2026-11-23T${String(hour).padStart(2, '0')}:00:00Z`;
  inZone('UTC', () => {
    const stretches = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10_001].map((count, hour) => ({
      from: at(hour),
      count,
      failed: 0,
    }));
    const found = bounds(grid(stretches));
    assert.deepEqual(found, [2, 4, 6, 8, 11_000]);
    const check = (count, expected) => assert.equal(strength(count, found), expected, `${count}`);
    check(0, 0);
    check(1, 1);
    check(2, 1);
    check(3, 2);
    check(10_001, 5);
    check(99_999, 5);
  });
  const same = bounds(grid([{ from: at(1), count: 7, failed: 0 }]));
  assert.deepEqual(same, [7]);
  // The strongest there is, however few there are.
  assert.deepEqual([strength(7, same), strength(1, [3, 7]), strength(7, [3, 7])], [5, 3, 5]);
});

test('a long window is asked for in pieces that touch and do not overlap', () => {
  const HOUR = 3_600_000;
  const check = (from, to, pieces) => {
    const windows = hourly(from, to);
    assert.equal(windows.length, pieces);
    assert.equal(windows[0].from, from);
    assert.equal(windows.at(-1).to, to);
    windows.slice(1).forEach((window, at) => assert.equal(window.from, windows[at].to));
    for (const window of windows) {
      const touched = Math.ceil(window.to / HOUR) - Math.floor(window.from / HOUR);
      assert.ok(touched <= 500, `${touched}`);
    }
  };
  check(HOUR / 2, 10 * HOUR, 1);
  check(0, 498 * HOUR, 1);
  check(1, 499 * HOUR, 2);
  check(HOUR / 3, 24 * 90 * HOUR + 5, 5);
  assert.deepEqual(hourly(5, 5), []);
});
