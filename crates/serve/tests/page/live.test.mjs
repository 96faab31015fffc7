import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EMPTY, applied, backoff, createLive, liveName, seriesKey } from '../../page/live.js';

const series = (/** @type {string} */ name, count = 1) => ({ source: '', name, count });
const snapshot = (/** @type {number} */ seq, /** @type {any} */ families = {}) => ({ type: 'snapshot', seq, families });
const delta = (/** @type {number} */ seq, /** @type {any} */ rest) => ({ type: 'delta', seq, ...rest });

test('a snapshot and its deltas make the next snapshot', () => {
  let model = applied(EMPTY, {
    ...snapshot(5, { tool: [series('a'), series('b')] }),
    overview: { active_sessions: 1 },
  });
  const kept = model.families.tool[1];
  model = applied(model, delta(6, { families: { tool: [series('a', 2), series('c')] } }));
  assert.deepEqual(
    model.families.tool.map(({ name, count }) => [name, count]),
    [
      ['a', 2],
      ['b', 1],
      ['c', 1],
    ],
  );
  // What did not change is the object that it was, so that it is not drawn again.
  assert.equal(model.families.tool[1], kept);
  assert.deepEqual(model.overview, { active_sessions: 1 });
  model = applied(
    model,
    delta(7, {
      gone: {
        tool: [
          ['', 'a'],
          ['', 'none'],
        ],
      },
      overview: { active_sessions: 2 },
    }),
  );
  assert.deepEqual(
    model.families.tool.map(({ name }) => name),
    ['b', 'c'],
  );
  assert.deepEqual(model.overview, { active_sessions: 2 });
  model = applied(model, delta(8, { families: { tool: [series('a', 9)] } }));
  assert.deepEqual(
    model.families.tool.map(({ name }) => name),
    ['b', 'c', 'a'],
  );
  model = applied(model, snapshot(3, { model: [] }));
  assert.deepEqual([model.seq, model.families], [3, { model: [] }]);
});

test('what is old, out of order or no message changes nothing', () => {
  const model = applied(EMPTY, snapshot(5, { tool: [series('a')] }));
  for (const message of [
    delta(5, { families: { tool: [] } }),
    delta(4, { gone: { tool: [['', 'a']] } }),
    { type: 'word' },
    {},
  ]) {
    assert.equal(applied(model, message), model);
  }
});

test('series are told apart by source and name', () => {
  assert.equal(seriesKey({ source: 'a', name: 'b' }), seriesKey(['a', 'b']));
  assert.notEqual(seriesKey(['a', 'b/c']), seriesKey(['a/b', 'c']));
  assert.equal(seriesKey({ source: null, name: 'b' }), seriesKey(['', 'b']));
});

test('attempts come ever less often, and not all at once', () => {
  const middle = [0, 1, 2, 3, 4, 5, 6, 99].map((attempt) => backoff(attempt, 0.5));
  assert.deepEqual(middle, [500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  assert.deepEqual([backoff(0, 0), backoff(0, 1)], [375, 625]);
});

/** A world in which time goes on when it is told to. */
function world({ reachable = true } = {}) {
  const it = {
    now: 0,
    /** @type {any[]} */ timers: [],
    /** @type {any[]} */ sockets: [],
    /** @type {any[]} */ polls: [],
    /** @type {any[]} */ told: [],
    reachable,
    /** @type {any} */ answer: null,
    open(/** @type {string[]} */ families, /** @type {number | null} */ after) {
      const socket = {
        families,
        after,
        readyState: 1,
        closed: false,
        close: () => (socket.closed = true),
        onmessage: (_) => {},
        onclose: () => {},
        onopen: () => {},
      };
      it.sockets.push(socket);
      return socket;
    },
    async poll(/** @type {string[]} */ families) {
      it.polls.push(families);
      if (it.answer === null) throw new Error('nobody there');
      return it.answer;
    },
    later(/** @type {() => void} */ call, /** @type {number} */ ms) {
      const timer = { call, at: it.now + ms };
      it.timers.push(timer);
      return timer;
    },
    cancel: (/** @type {any} */ timer) => (it.timers = it.timers.filter((other) => other !== timer)),
    frame: (/** @type {() => void} */ call) => call(),
    async pass(/** @type {number} */ ms) {
      const end = it.now + ms;
      for (;;) {
        const next = it.timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
        if (!next) break;
        it.now = next.at;
        it.cancel(next);
        next.call();
        await new Promise((done) => setImmediate(done));
      }
      it.now = end;
    },
    last: () => it.sockets.at(-1),
    say: (/** @type {any} */ message) => it.last().onmessage({ data: JSON.stringify(message) }),
  };
  const live = createLive(it, (model, state) => it.told.push([state, model.seq]));
  return { it, live };
}

test('a lost connection is made again from where it was', async () => {
  const { it, live } = world();
  live.want(['tool', 'model', 'tool']);
  assert.deepEqual([it.last().families, it.last().after], [['model', 'tool'], null]);
  it.say(snapshot(7, { tool: [series('a')] }));
  assert.equal(live.state, 'live');
  it.last().onclose();
  assert.equal(live.state, 'reconnecting');
  // What was known stays.
  assert.equal(live.model.families.tool.length, 1);
  await it.pass(700);
  assert.deepEqual([it.sockets.length, it.last().after], [2, 7]);
  it.say(delta(9, { families: { tool: [series('b')] } }));
  assert.equal(live.state, 'live');
  assert.equal(live.model.families.tool.length, 2);
});

test('silence is a broken line', async () => {
  const { it, live } = world();
  live.want(['tool']);
  it.say(snapshot(1));
  await it.pass(14_000);
  assert.equal(it.sockets.length, 1);
  it.say(delta(2, {}));
  await it.pass(14_000);
  assert.deepEqual([it.sockets.length, live.state], [1, 'live']);
  await it.pass(2_000);
  assert.ok(it.sockets[0].closed && it.sockets.length === 2);
});

test('without WebSockets it asks every two seconds, and tries again', async () => {
  const { it, live } = world();
  it.answer = snapshot(3, { tool: [series('a')] });
  live.want(['tool']);
  for (let at = 0; at < 3; at += 1) {
    it.last().onclose();
    await it.pass(1300);
  }
  assert.equal(live.state, 'live');
  assert.equal(it.sockets.length, 3);
  const before = it.polls.length;
  await it.pass(6_000);
  assert.equal(it.polls.length, before + 3);
  await it.pass(14_000);
  assert.ok(it.sockets.length >= 4, 'it tries a WebSocket again');
});

test('nobody there is told as that, and found again', async () => {
  const { it, live } = world();
  live.want(['tool']);
  for (let at = 0; at < 3; at += 1) {
    it.last().onclose();
    await it.pass(1300);
  }
  assert.equal(live.state, 'offline');
  const before = it.sockets.length;
  await it.pass(30_000);
  assert.ok(it.sockets.length > before);
  it.say(snapshot(1));
  assert.equal(live.state, 'live');
});

test('paused means that nothing is asked and nothing heard', async () => {
  const { it, live } = world();
  live.want(['tool']);
  it.say(snapshot(1));
  live.pause();
  assert.equal(live.state, 'paused');
  assert.ok(it.last().closed);
  it.sockets[0].onmessage({ data: JSON.stringify(delta(2, {})) });
  it.sockets[0].onclose();
  await it.pass(60_000);
  assert.deepEqual([it.sockets.length, it.polls.length, live.model.seq, live.state], [1, 0, 1, 'paused']);
  live.want(['model']);
  assert.equal(it.sockets.length, 1);
  live.resume();
  assert.deepEqual([it.sockets.length, it.last().families], [2, ['model']]);
});

test('another choice is another stream', () => {
  const { it, live } = world();
  live.want(['tool']);
  it.say(snapshot(5));
  live.want(['tool']);
  assert.equal(it.sockets.length, 1);
  live.want(['tool', 'cache']);
  assert.deepEqual([it.sockets.length, it.last().after], [2, null]);
  assert.ok(it.sockets[0].closed);
});

test('what is no JSON is not heard', () => {
  const { it, live } = world();
  live.want(['tool']);
  it.last().onmessage({ data: 'hello' });
  assert.equal(live.state, 'connecting');
});

test('one that is not open yet is closed when it is', () => {
  const { it, live } = world();
  live.want(['tool']);
  const first = it.last();
  first.readyState = 0;
  live.want(['tool', 'cache']);
  assert.ok(!first.closed, 'browsers complain of that');
  first.onopen();
  assert.ok(first.closed);
});

test('a long name is told by its beginning', () => {
  const check = (name, expected) => assert.equal(liveName(name), expected, name.slice(0, 20));
  check('grep', 'grep');
  check('x'.repeat(256), 'x'.repeat(256));
  check('x'.repeat(10_000), 'x'.repeat(256));
  check(`x${'é'.repeat(200)}`, `x${'é'.repeat(127)}`);
  check('🙂'.repeat(100), '🙂'.repeat(64));
  check(`ab${'🙂'.repeat(100)}`, `ab${'🙂'.repeat(63)}`);
  check(`\ufeff${'x'.repeat(300)}`, `\ufeff${'x'.repeat(253)}`);
});
