import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as format from '../../page/format.js';

/** No-break spaces as spaces, so that expectations can be read. */
const plain = (/** @type {unknown} */ text) => String(text).replaceAll('\u00a0', ' ');

function check(name, told, cases) {
  test(name, () => {
    for (const [value, text] of cases) assert.equal(plain(told(value)), text, String(value));
    for (const none of [null, undefined, Number.NaN, Infinity, -Infinity, '12']) {
      assert.equal(told(none), '–', `${name} of ${none}`);
    }
  });
}

// As crates/model/src/render/human_tests.rs has them.
check('durations', format.duration, [
  [0, '0 ms'],
  [-0, '0 ms'],
  [4e-7, '<1 ns'],
  [0.000001, '1.0 ns'],
  [0.00085, '850 ns'],
  [0.0009994, '999 ns'],
  [0.0009996, '1.0 µs'],
  [0.0012, '1.2 µs'],
  [0.9996, '1.0 ms'],
  [12.34, '12.3 ms'],
  [99.96, '100 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [85576, '85.6 s'],
  [89999, '90.0 s'],
  [90000, '1.5 min'],
  [5399999, '90.0 min'],
  [7200000, '2.0 h'],
  [172800000, '2.0 d'],
  [63e9, '729 d'],
  [63115200000, '2.0 y'],
  [-1.5, '-1.5 ms'],
]);

check('sizes', format.bytes, [
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99949, '99.9 kB'],
  [999499, '999 kB'],
  [999500, '1.0 MB'],
  [3400000, '3.4 MB'],
  [2e15, '2.0 PB'],
]);

check('counts', format.count, [
  [0, '0'],
  [1000, '1,000'],
  [-21150, '-21,150'],
  [9999499, '9,999,499'],
  [9999500, '10.0 M'],
  [93199802, '93.2 M'],
  [1.5, '1.5'],
  [8.1e14, '810 T'],
  [2 ** 63, '9.2e18'],
  [-3e300, '-3.0e300'],
]);

check('tokens', format.tokens, [
  [9840, '9,840'],
  [999499, '999,499'],
  [999500, '1.0 M'],
  [7880674, '7.9 M'],
  [2 ** 63, '9.2e18'],
]);

check('money', format.money, [
  [0, '$0.00'],
  [0.00001, '<$0.0001'],
  [0.0358, '$0.0358'],
  [0.0996, '$0.0996'],
  [0.42, '$0.42'],
  [1234.56, '$1,234.56'],
  [-3, '-$3.00'],
  [999999.99, '$999,999.99'],
  [999999.995, '$1.0 M'],
  [12e6, '$12.0 M'],
  [-4.2e9, '-$4.2 G'],
  [1e300, '$1.0e300'],
]);

// Nearly none is not none, and nearly all is not all.
check('ratios', format.percent, [
  [0, '0.0 %'],
  [0.0004, '<0.1 %'],
  [0.0005, '0.1 %'],
  [0.973, '97.3 %'],
  [0.9994, '99.9 %'],
  [0.9996, '>99.9 %'],
  [1, '100.0 %'],
  [-7385.18, '-738518.0 %'],
  [1e300, '1.0e302 %'],
]);

check('rates', format.rate, [
  [0, '0 /s'],
  [12.34, '12.3 /s'],
  [0.1, '0.1 /s'],
  [0.05, '3.0 /min'],
  [0.0001, '0.4 /h'],
]);

test('times are local, and none where there is none', () => {
  const at = new Date(2026, 10, 8, 4, 3, 2, 7);
  assert.equal(plain(format.time(at)), '2026-11-08 04:03');
  assert.equal(plain(format.time(at, { precise: true })), '2026-11-08 04:03:02.007');
  assert.equal(plain(format.time(at.toISOString())), '2026-11-08 04:03');
  assert.equal(plain(format.time('2026-11-08T04:03:02.123456789+00:00', { precise: true })).slice(-4), '.123');
  for (const none of [null, undefined, '', 'soon', Number.NaN]) assert.equal(format.time(none), '–');
});

test('how long ago', () => {
  const now = Date.UTC(2026, 10, 8);
  for (const [past, text] of [
    [0, 'now'],
    [4900, 'now'],
    [12e3, '12 s ago'],
    [89e3, '89 s ago'],
    [5 * 60e3, '5 min ago'],
    [3 * 3600e3, '3 h ago'],
    [49 * 3600e3, '2 d ago'],
    [-60e3, 'in 60 s'],
  ]) {
    assert.equal(plain(format.ago(now - past, now)), text);
  }
  assert.equal(format.ago(null, now), '–');
});

test('how a figure compares with an earlier one', () => {
  for (const [now, before, text] of [
    [112, 100, '+12 %'],
    [97, 100, '-3 %'],
    [300, 100, '3.0 times'],
    [100.2, 100, 'as before'],
    [1, 0, '–'],
    [null, 1, '–'],
    [1, null, '–'],
  ]) {
    assert.equal(plain(format.delta(now, before)), text, `${now} ${before}`);
  }
});

test('counts have their nouns', () => {
  assert.equal(format.counted(1, 'call'), '1 call');
  assert.equal(format.counted(1234, 'call'), '1,234 calls');
  assert.equal(format.counted(0, 'miss', 'misses'), '0 misses');
});

test('figures are told in their units', () => {
  for (const [unit, value, text] of [
    ['ms', 1200, '1.2 s'],
    ['usd', 3, '$3.00'],
    ['ratio', 0.5, '50.0 %'],
    ['percent', 50, '50.0 %'],
    ['bytes', 3.4e6, '3.4 MB'],
    ['count', 3, '3'],
    ['per_second', 2, '2.0 /s'],
    ['number', 0.123456, '0.1235'],
    [undefined, 12345.6, '12,346'],
  ]) {
    assert.equal(plain(format.inUnit(unit)(value)), text, String(unit));
  }
});

test('what measurements are in is told as it is everywhere', () => {
  const told = (unit, value) => {
    const { unit: as, times } = format.measuredIn(unit);
    return plain(format.inUnit(as)(value * times));
  };
  for (const [unit, value, text] of [
    ['s', 0.32, '320 ms'],
    ['ms', 12.34, '12.3 ms'],
    ['us', 850, '850 µs'],
    ['ns', 850, '850 ns'],
    ['By', 3_400_000, '3.4 MB'],
    ['KiBy', 2, '2.0 kB'],
    ['MiB', 716.6, '751 MB'],
    ['GiBy', 2, '2.1 GB'],
    ['MiB/s', 5.8, '6.1 MB/s'],
    ['By/s', 0, '0 B/s'],
    ['%', 250, '250.0 %'],
    ['Cel', 21.5, '21.5'],
    [null, 3.4, '3.4'],
    [undefined, 12, '12'],
    ['<script>', 12, '12'],
  ]) {
    assert.equal(told(unit, value), text, String(unit));
  }
});

test('a column of figures has one form', () => {
  const check = (unit, values, texts) => {
    const told = format.inColumn(unit, values);
    assert.equal(plain(values.map(told).join('|')), texts, unit);
  };
  check('count', [24_500_000, 8_914_046, 1234, 12, 0, null], '24.5 M|8.9 M|1.2 k|12|0|–');
  check('count', [8_914_046, 1234], '8,914,046|1,234');
  check('tokens', [4_600_000, 793_169, 999.6], '4.6 M|793 k|1.0 k');
  check('tokens', [793_169, 12], '793,169|12');
  check('usd', [12_345_678, 1234.5, -20_000, 0.42], '$12.3 M|$1.2 k|-$20.0 k|$0.42');
  check('usd', [1234.5, 0.42], '$1,234.50|$0.42');
  check('count', [2 ** 63, 1234], '9.2e18|1.2 k');
  check('ms', [1200, 3e9], '1.2 s|34.7 d');
  check(undefined, [12_345_678], '12,345,678');
});
