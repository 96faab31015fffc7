import assert from 'node:assert/strict';
import { test } from 'node:test';

import { USUAL, createRounds, patience } from '../../page/state/rounds.js';

/** A world whose time goes on only when it is told to. */
function world() {
  let now = 1_000_000;
  let unseen = false;
  /** @type {{at: number, call: () => void}[]} */
  let timers = [];
  return {
    now: () => now,
    unseen: () => unseen,
    later: (call, ms) => {
      const timer = { at: now + ms, call };
      timers.push(timer);
      return timer;
    },
    cancel: (timer) => {
      timers = timers.filter((one) => one !== timer);
    },
    hide: (yes) => {
      unseen = yes;
    },
    /** So many milliseconds go by. */
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        await settled();
        const [next] = timers.filter((one) => one.at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers = timers.filter((one) => one !== next);
        now = Math.max(now, next.at);
        next.call();
      }
      now = end;
      await settled();
    },
  };
}

/** Until promises have been heard. */
const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

/** Something that is asked, takes so long, and notes what happens to it. */
function member(at, log, name, { takes = 0, wait = 1000 } = {}) {
  let asked = at.now();
  return {
    asked: () => asked,
    wait: () => wait,
    ask: () => {
      log.push(`ask ${name}`);
      return new Promise((done) => {
        const answer = () => {
          asked = at.now();
          done(undefined);
        };
        if (takes === 0) answer();
        else at.later(answer, takes);
      });
    },
    show: () => log.push(`show ${name}`),
  };
}

const taken = (log) => log.splice(0).join(', ');

test('what is on one page is asked at once and shown at once', async () => {
  const at = world();
  const log = [];
  const rounds = createRounds(at, 30_000);
  rounds.join(member(at, log, 'tile'));
  await at.pass(10_000);
  rounds.join(member(at, log, 'chart', { takes: 500 }));
  await at.pass(19_999);
  assert.equal(taken(log), '');
  await at.pass(1);
  // The tile waits for the chart.
  assert.equal(taken(log), 'ask tile, ask chart');
  await at.pass(500);
  assert.equal(taken(log), 'show tile, show chart');
});

test('while work goes on it is asked again as soon as the dearest allows', async () => {
  const at = world();
  const log = [];
  const rounds = createRounds(at, 30_000);
  rounds.join(member(at, log, 'cheap', { wait: 1000 }));
  rounds.join(member(at, log, 'dear', { wait: 5000 }));
  rounds.grow();
  await at.pass(4999);
  assert.equal(taken(log), '');
  await at.pass(1);
  assert.equal(taken(log), 'ask cheap, ask dear, show cheap, show dear');
  // Nothing new: at leisure.
  await at.pass(29_999);
  assert.equal(taken(log), '');
  await at.pass(1);
  assert.equal(taken(log), 'ask cheap, ask dear, show cheap, show dear');
  // However dear: no later than that.
  rounds.join(member(at, log, 'dearest', { wait: 90_000 }));
  rounds.grow();
  await at.pass(30_000);
  assert.equal(taken(log), 'ask cheap, ask dear, ask dearest, show cheap, show dear, show dearest');
});

test('how long an answer is good enough while work goes on', () => {
  const hour = 3_600_000;
  const check = (of, ms) => assert.equal(patience({ every: USUAL, took: 0, length: hour, ...of }), ms, JSON.stringify(of));
  check({}, 1000);
  check({ length: 6 * hour }, 1000);
  check({ length: 7 * hour }, 5000);
  check({ length: null }, 5000);
  // What is dear is asked for less often.
  check({ took: 400 }, 10_000);
  check({ took: 400, length: null }, 10_000);
  check({ every: 5 }, 1000);
  // What is asked rarely is not asked the more for it.
  check({ every: 60 }, 60_000);
  check({ every: 120, took: 10 }, 120_000);
});

test('what is asked rarely is asked rarely, however much comes', async () => {
  const at = world();
  const log = [];
  const rounds = createRounds(at, 120_000);
  rounds.join(member(at, log, 'days', { wait: patience({ every: 120, took: 20, length: null }) }));
  for (let second = 0; second < 119; second += 1) {
    rounds.grow();
    await at.pass(1000);
  }
  assert.equal(taken(log), '');
  await at.pass(1000);
  assert.equal(taken(log), 'ask days, show days');
});

test('for what takes very long the others do not wait, and it is not asked twice', async () => {
  const at = world();
  const log = [];
  const rounds = createRounds(at, 10_000);
  rounds.join(member(at, log, 'quick'));
  const leave = rounds.join(member(at, log, 'slow', { takes: 25_000 }));
  await at.pass(10_000);
  assert.equal(taken(log), 'ask quick, ask slow');
  await at.pass(2000);
  assert.equal(taken(log), 'show quick');
  await at.pass(8000);
  assert.equal(taken(log), 'ask quick, show quick');
  await at.pass(10_000);
  assert.equal(taken(log), 'ask quick, show quick');
  await at.pass(5000);
  assert.equal(taken(log), 'show slow');
  leave();
  await at.pass(5000);
  assert.equal(taken(log), 'ask quick, show quick');
});

test('what left is not shown, and nobody is asked for nobody', async () => {
  const at = world();
  const log = [];
  const rounds = createRounds(at, 10_000);
  const leave = rounds.join(member(at, log, 'gone', { takes: 100 }));
  await at.pass(10_000);
  leave();
  await at.pass(60_000);
  assert.equal(taken(log), 'ask gone');
  rounds.join(member(at, log, 'hidden'));
  at.hide(true);
  rounds.grow();
  await at.pass(60_000);
  assert.equal(taken(log), '');
  at.hide(false);
  rounds.plan();
  await at.pass(0);
  assert.equal(taken(log), 'ask hidden, show hidden');
});
