import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BLANK, FAMILIES, body, check, field, figuresOf, form, grouped, labels, ownOf, pace, span, stands, unitOf, words } from '../../page/views/alert-rule.js';

const rule = {
  name: 'Slow Tool',
  metric_name: '*',
  source: '',
  family: 'tool',
  condition: 'p95 ≥ 30000',
  threshold: 20000,
  window_seconds: 900,
  for_seconds: 60,
  cooldown_seconds: 3600,
  severity: 'warning',
  description: 'slow',
  labels: { team: 'agents', tier: '1' },
  group: 'tool',
  enabled: true,
};

test('a rule comes back from the form as it was', () => {
  const back = body(form(rule));
  assert.deepEqual([back.min_count, back.channels], [1, []]);
  // The threshold counts where the two differ, and ≥ is written >=.
  assert.deepEqual(back, { ...rule, condition: 'p95 >= 20000', min_count: 1, channels: [] });
});

test('labels of every value, a least count and channels come back as they were', () => {
  const whole = {
    ...rule,
    condition: 'p95 >= 20000',
    labels: { runbook: 'stop, then call=ops', note: 'say "hi"', lines: 'a\nb', edge: ' x ', none: '', quoted: '"x"' },
    min_count: 20,
    channels: ['ops', 'mail'],
  };
  assert.deepEqual(check(form(whole)), {});
  assert.deepEqual(body(form(whole)), whole);
});

test('what is no number is for the server to name', () => {
  const sent = body({ ...BLANK, name: ' x ', number: 'many', window: '', wait: '5' });
  assert.deepEqual([sent.name, sent.threshold, sent.window_seconds, sent.for_seconds], ['x', 'many', '', 5]);
});

test('each field says what is wrong with it', () => {
  const good = { ...BLANK, name: 'x', number: '5' };
  assert.deepEqual(check(good), {});
  const wrong = (change, key) => assert.deepEqual(Object.keys(check({ ...good, ...change })), [key]);
  wrong({ name: '  ' }, 'name');
  wrong({ metric_name: '' }, 'metric_name');
  wrong({ family: 'metric' }, 'source');
  wrong({ number: '' }, 'number');
  wrong({ number: 'NaN' }, 'number');
  wrong({ number: '1e999' }, 'number');
  wrong({ window: '0' }, 'window');
  wrong({ window: '31622401' }, 'window');
  assert.deepEqual(check({ ...good, window: '31622400' }), {});
  wrong({ window: '1.5' }, 'window');
  wrong({ wait: '-1' }, 'wait');
  wrong({ cooldown: 'x' }, 'cooldown');
  wrong({ labels: 'team' }, 'labels');
});

test('a complaint of the server stands at its field', () => {
  const typed = { ...BLANK, stat: 'p95', op: '>=', number: 'abc' };
  const at = (detail, key) => assert.equal(field(detail, typed), key, detail);
  at('`window_seconds` must be a whole number of seconds', 'window');
  at('`threshold` must be a number', 'number');
  at("Missing required fields: ['source', 'condition']", 'source');
  at('`severity` is one of info, warning, critical', 'severity');
  const condition = (column) =>
    `the condition "p95 >= abc" is not \`<stat> <op> <number>\`: column ${column}: no; such as`;
  at(condition(1), 'stat');
  at(condition(5), 'op');
  at(condition(8), 'number');
  at('the disk is full', null);
});

test('a rule in one sentence', () => {
  const says = (change, text) => assert.equal(words({ ...BLANK, number: '5', ...change }), text);
  says({}, 'Fires when the 95th percentile of any tool over the last 5 min is above 5 ms.');
  says(
    { family: 'metric', metric_name: 'cpu', source: 'system', stat: 'avg', op: '>=', wait: '90', window: '3600' },
    'Fires when the mean of metric cpu of system over the last 1 h is at least 5, for 90 s on end.',
  );
  says(
    { family: 'cache', stat: 'ratio', op: '<', number: '0.5' },
    'Fires when the hit share of any cache over the last 5 min is below 0.5.',
  );
  says(
    { stat: 'count', number: '', metric_name: 'grep' },
    'Fires when the number of values of tool grep over the last 5 min is above ….',
  );
});

test('what is watched of an agent or a model is told apart', () => {
  const says = (family, stat, text) => {
    const found = words({ ...BLANK, family, stat, number: '5' });
    assert.equal(found, `Fires when the ${text}`, `${family} ${stat}`);
  };
  says('agent', 'p95', '95th percentile of any agent over the last 5 min is above 5 ms.');
  says('agent_tool', 'p95', '95th percentile of tool calls of any agent over the last 5 min is above 5 ms.');
  says('agent_model', 'avg', 'mean of model calls of any agent over the last 5 min is above 5 ms.');
  says('agent_tool', 'count', 'number of tool calls of any agent over the last 5 min is above 5.');
  says('agent_model', 'rate', 'number a second of model calls of any agent over the last 5 min is above 5.');
  says('agent_tool', 'ratio', 'failed share of tool calls of any agent over the last 5 min is above 5.');
  says('agent_cost', 'sum', 'sum of cost of any agent over the last 5 min is above 5 USD.');
  says('model_cost', 'sum', 'sum of cost of any model over the last 5 min is above 5 USD.');
  says('model_tokens', 'sum', 'sum of tokens of any model over the last 5 min is above 5 tokens.');
  says('invented', 'sum', 'sum of any invented over the last 5 min is above 5.');
  // No two families read the same.
  const all = Object.keys(FAMILIES).map((family) => words({ ...BLANK, family, stat: 'max', number: '5' }));
  assert.equal(new Set(all).size, all.length, all.join('\n'));
  assert.deepEqual(
    ['agent_cost', 'agent_tool', 'metric', 'invented'].map((family) => unitOf({ ...BLANK, family })),
    ['USD', 'ms', '', ''],
  );
  assert.equal(unitOf({ ...BLANK, family: 'agent_cost', stat: 'count' }), '');
});

test('how a rule stands is what the API says of all its alerts', () => {
  const says = (told, state, part = '') => assert.deepEqual(stands({ ...rule, ...told }), { state, part }, JSON.stringify(told));
  const series = { firing: 1, pending: 0, resolved: 0, no_data: 24, inactive: 1001 };
  says({ state: 'firing', series, open: 1 }, 'firing', '1 of 1,026');
  says({ state: 'firing', series: { firing: 1 }, open: 1 }, 'firing');
  says({ state: 'pending', series: { pending: 2, inactive: 1 }, open: 0 }, 'pending', '2 of 3');
  says({ state: 'no_data', series: { no_data: 5 }, open: 2 }, 'open', '2 of 5');
  says({ state: 'no_data', series: { no_data: 5 }, open: 0 }, 'no_data');
  says({ state: 'inactive', series: { inactive: 5, no_data: 2 }, open: 0 }, 'inactive');
  says({ state: 'firing', series, open: 1, unwatched: 3334 }, 'firing', '1 of 1,026, 3,334 not watched');
  says({ state: 'inactive', series, unwatched: 1 }, 'inactive', '1 not watched');
  says({ state: null, series: {}, unwatched: 12 }, 'unseen', '12 not watched');
  says({ state: null, series: {}, open: 0 }, 'unseen');
  says({ state: null, series: {}, open: 0, enabled: false }, 'off');
});

test('how often rules are looked at', () => {
  const says = (windows, text) => assert.equal(pace(windows.map((window_seconds) => ({ ...rule, window_seconds }))), text);
  says([], 'none is looked at');
  says([60, 3600], 'looked at each second');
  says([3601], 'looked at each minute');
  says([60, 3601, 86_400], 'looked at each second, 2 each minute');
});

test('what the API tells of a rule does not go back to it', () => {
  const told = { ...rule, builtin: true, origin: 'builtin', state: 'firing', series: { firing: 1 }, open: 1, unwatched: 0 };
  assert.deepEqual(ownOf(told), rule);
});

test('labels as they are typed', () => {
  const read = (text, found, bad = null) => assert.deepEqual(labels(text), { found, bad });
  read('', {});
  read('a=1, b = x=y,\nc=', { a: '1', b: 'x=y', c: '' });
  read('a=1, =2', { a: '1' }, '=2');
  read('a="x, y=z", b="say ""hi""", c="', { a: 'x, y=z', b: 'say "hi"', c: '"' });
  assert.deepEqual(Object.keys(labels('__proto__=1').found), ['__proto__']);
});

test('seconds as people say them', () => {
  const says = (seconds, text) => assert.equal(span(seconds), text);
  says(90, '90 s');
  says(300, '5 min');
  says(7200, '2 h');
  says(86400, '24 h');
  says(604800, '7 d');
  says(NaN, '…');
});

test('figures are in the unit of what is watched', () => {
  const told = (family, condition, threshold, value, measured) => {
    const figures = figuresOf({ family, condition, threshold }, measured);
    return [figures.condition, figures.told(value)].map((text) => text.replaceAll('\u00a0', ' '));
  };
  const cases = [
    [['tool', 'p95 ≥ 30000', 30000, 31234.5], ['p95 >= 30,000 ms', '31,235 ms']],
    [['tool', 'ratio > 0.2', 0.2, 0.0512], ['ratio > 20 %', '5.12 %']],
    [['cache', 'ratio < 0.00001', 0.00001, 1], ['ratio < 0.001 %', '100 %']],
    [['tool', 'rate > 5', 5, 7.25], ['rate > 5 /s', '7.25 /s']],
    [['tool', 'count > 10', 10, 1234], ['count > 10', '1,234']],
    [['model_cost', 'sum > 10', 10, 12.345], ['sum > $10', '$12.35']],
    [['agent_cost', 'sum > -1', -1, 0], ['sum > -$1', '$0.00']],
    [['model_tokens', 'sum > 5000', 5000, 7000], ['sum > 5,000 tokens', '7,000 tokens']],
    [['metric', 'avg > 90', 90, 96.25], ['avg > 90', '96.25']],
    [['metric', 'avg > 90', 90, 96.25, '%'], ['avg > 90 %', '96.25 %']],
    [['metric', 'max > 1', 1, 2, 'MiBy/s'], ['max > 1 MiB/s', '2 MiB/s']],
    [['metric', 'max > 1', 1, 2, '1'], ['max > 1', '2']],
    [['metric', 'max > 1', 1, 2, '{requests}'], ['max > 1', '2']],
    [['metric', 'count > 1', 1, 2, 'By'], ['count > 1', '2']],
    // The threshold counts where the two differ, and is not rounded.
    [['tool', 'p95 > 1', 12345.678, 12345.678], ['p95 > 12,345.678 ms', '12,346 ms']],
    // What nobody can take apart stays as it is.
    [['tool', 'slow', 5, 5], ['slow', '5 ms']],
    [['tool', 'avg > 5', null, 5], ['avg > 5', '5 ms']],
  ];
  for (const [given, wanted] of cases) assert.deepEqual(told(...given), wanted, given.join(' '));
});

test('rules stand under their groups, those of none first', () => {
  const of = (name, group) => ({ ...rule, name, group });
  const names = (rules) => grouped(rules).map(([group, some]) => [group, some.map(({ name }) => name)]);
  assert.deepEqual(names([of('a', 'x'), of('b', ''), of('c', 'y'), of('d', 'x')]), [
    ['', ['b']],
    ['x', ['a', 'd']],
    ['y', ['c']],
  ]);
  assert.deepEqual(names([of('a', ''), of('b', '')]), [['', ['a', 'b']]]);
  assert.deepEqual(names([]), []);
});
