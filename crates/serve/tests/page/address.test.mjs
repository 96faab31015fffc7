import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

/** A browser as far as addresses go: its entries, and which of them one is at. */
const entries = ['#/sessions'];
let at = 0;
let writes = 0;
const world = Object.assign(new EventTarget(), {
  history: {
    state: null,
    pushState: (_state, _title, hash) => {
      entries.splice(at + 1, entries.length, hash);
      at += 1;
    },
    replaceState: (_state, _title, hash) => {
      writes += 1;
      entries[at] = hash;
    },
  },
});
const root = new EventTarget();
Object.defineProperty(world, 'location', { get: () => ({ hash: entries[at] }) });
Object.defineProperty(globalThis, 'location', { get: () => ({ hash: entries[at] }) });
globalThis.history = world.history;
globalThis.document = { documentElement: root };
globalThis.addEventListener = (...rest) => world.addEventListener(...rest);
mock.timers.enable({ apis: ['setTimeout'] });
const { go, linkEvent, route, setQuery } = await import('../../page/state/address.js');

const hear = (name, more = {}, target = world) => target.dispatchEvent(Object.assign(new Event(name), more));
function walk(steps) {
  at += steps;
  hear('hashchange');
}
const type = (text) => setQuery({ find: text }, { replace: true });

test('what is typed once stands in the address at once, and Back loses nothing', () => {
  go('#/tools');
  type('web');
  assert.equal(entries[at], '#/tools?find=web');
  walk(-1);
  assert.equal(route().view, 'sessions');
  walk(1);
  assert.equal(route().query['find'], 'web');
  mock.timers.tick(1000);
  assert.deepEqual(entries, ['#/sessions', '#/tools?find=web']);
});

test('of what is typed fast, some is written, and the last is', () => {
  writes = 0;
  for (let n = 1; n <= 20; n += 1) {
    type('x'.repeat(n));
    mock.timers.tick(100);
  }
  assert.ok(writes <= 6, `${writes} times in two seconds`);
  assert.equal(route().query['find'].length, 20);
  mock.timers.tick(400);
  assert.equal(entries[at], `#/tools?find=${'x'.repeat(20)}`);
  // After a rest the first is written at once again.
  mock.timers.tick(400);
  type('y');
  assert.equal(entries[at], '#/tools?find=y');
});

test('on the way to Back what is due is written', () => {
  const check = (name, more, target, written) => {
    mock.timers.tick(1000);
    type('a');
    type(`b-${name}`);
    assert.equal(entries[at], '#/tools?find=a', name);
    hear(name, more, target);
    assert.equal(entries[at], written ? `#/tools?find=b-${name}` : '#/tools?find=a', name);
  };
  check('keydown', { altKey: true }, world, true);
  check('keydown', { metaKey: true }, world, true);
  check('pointerdown', {}, world, true);
  check('click', {}, world, true);
  check('pagehide', {}, world, true);
  check('mouseleave', {}, root, true);
  // To type is not to leave.
  check('keydown', { key: 'a' }, world, false);
});

test('another view keeps what was written before it, and is a step', () => {
  mock.timers.tick(1000);
  type('a');
  type('ab');
  go('#/caches');
  assert.deepEqual(entries.slice(-2), ['#/tools?find=ab', '#/caches']);
  walk(-1);
  assert.equal(route().query['find'], 'ab');
});

test('an event has its address within its session, else its trace', () => {
  go('#/tools/web?range=7d');
  const timestamp = '2026-11-29T08:00:00.000001Z';
  const none = { session_id: null, trace_id: null, id: null, timestamp, name: 'web' };
  const check = (row, href) => assert.equal(linkEvent({ ...none, ...row }), href);
  check({}, null);
  check({ id: 'i' }, null);
  check({ session_id: 's', trace_id: 't', id: 'i' }, '#/trace/session/s?range=7d&span=i');
  check({ session_id: '', trace_id: 't', id: 'i' }, '#/trace/id/t?range=7d&span=i');
  check({ session_id: 's/1' }, '#/trace/session/s%2F1?range=7d&at=2026-11-29T08%3A00%3A00.000001Z&name=web');
  check({ trace_id: 't', name: null }, '#/trace/id/t?range=7d&at=2026-11-29T08%3A00%3A00.000001Z');
});
