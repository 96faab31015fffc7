import assert from 'node:assert/strict';
import { test } from 'node:test';

// What a browser has, as far as asking needs it.
globalThis.document = /** @type {any} */ ({ baseURI: 'http://127.0.0.1:1/' });
const { address, ask, isAskable, locked, refused, setToken } = await import('../../page/api.js');

/** Holds what is asked, each until it is answered. */
function server() {
  const asked = [];
  globalThis.fetch = /** @type {any} */ (
    (_url, init) =>
      new Promise((done) => {
        const answer = (status, body = '{}') => done(new Response(body, { status }));
        asked.push({ token: init.headers.authorization ?? null, answer });
      })
  );
  return asked;
}

/** Whether it failed; how does not matter here. */
const failed = (promise) => promise.then(() => false, () => true);

test('a wrong token is told from a missing one', async () => {
  const asked = server();
  const first = failed(ask('tools'));
  await null;
  asked[0].answer(401);
  assert.equal(await first, true);
  assert.deepEqual([locked.get(), refused.get()], [true, false]);

  setToken('wrong');
  assert.deepEqual([locked.get(), refused.get()], [false, false]);
  const second = failed(ask('tools'));
  assert.equal(asked[1].token, 'Bearer wrong');
  asked[1].answer(401);
  assert.equal(await second, true);
  assert.deepEqual([locked.get(), refused.get()], [true, true]);
});

test('what was asked with the token before says nothing of the one that is there', async () => {
  const asked = server();
  setToken('wrong');
  const late = failed(ask('tools'));
  setToken('right');
  asked[0].answer(401);
  assert.equal(await late, true);
  assert.deepEqual([locked.get(), refused.get()], [false, false]);
});

test('a token that no header holds is not the server\'s, and is not kept', async () => {
  const kept = new Map([['tachograph.token', 'before']]);
  const given = (text) => new URL(`http://127.0.0.1:1/?token=${encodeURIComponent(text)}#/tools`).href;
  globalThis.sessionStorage = /** @type {any} */ ({
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  });
  for (const [at, text] of ['Ключ', 'a\u0001b', 'a\nb', 'schlüssel'].entries()) {
    const asked = server();
    globalThis.location = /** @type {any} */ ({ href: given(text) });
    globalThis.history = /** @type {any} */ ({ state: null, replaceState: (_state, _title, to) => (location.href = to.href) });
    const page = await import(`../../page/api.js?given=${at}`);
    assert.equal(location.href, 'http://127.0.0.1:1/#/tools');
    const first = failed(page.ask('tools'));
    assert.equal(asked[0].token, null);
    asked[0].answer(401);
    assert.equal(await first, true);
    assert.deepEqual([page.locked.get(), page.refused.get()], [true, true], text);

    page.setToken('wrong');
    page.locked.set(true);
    page.setToken(text);
    assert.deepEqual([page.locked.get(), page.refused.get()], [true, true], text);
    assert.deepEqual([...kept.values()], ['wrong']);
    // One that an earlier page kept.
    kept.set('tachograph.token', text);
    const again = await import(`../../page/api.js?kept=${at}`);
    void failed(again.ask('tools'));
    assert.equal(asked.at(-1).token, null);
  }
  for (const name of ['location', 'history', 'sessionStorage']) delete globalThis[name];
});

test('names that no address holds are not asked for', async () => {
  const check = (params, expected) => assert.equal(isAskable(address('api/v1/timeline', params)), expected);
  check({ name: 'x' }, true);
  check({ name: 'x'.repeat(10_000), source: 'x'.repeat(10_000) }, true);
  check({ name: 'x'.repeat(20_000) }, false);
  check({ name: 'é'.repeat(5000), source: 'é'.repeat(5000) }, true);
  check({ name: 'é'.repeat(10_000), source: 'é'.repeat(10_000) }, false);
  // Statements are no names.
  check({ query: 'x'.repeat(20_000) }, true);
  const asked = server();
  await assert.rejects(ask('timeline', { name: 'x'.repeat(20_000) }), { status: 414, title: /too long/ });
  assert.equal(asked.length, 0);
  // Who refuses one, the server or a proxy, does so without a word.
  const unread = ask('timeline', { name: 'x' });
  asked[0].answer(414, '');
  await assert.rejects(unread, { status: 414, title: /too long/, hint: /SQL/ });
});

test('a question in CSV is answered by text', async () => {
  const asked = server();
  const found = ask('discovery', { format: 'csv' });
  asked[0].answer(200, 'a,b');
  assert.equal(await found, 'a,b');
});
