import assert from 'node:assert/strict';
import { test } from 'node:test';

// What a browser has, as far as asking needs it.
const nothing = () => {};
globalThis.document = /** @type {any} */ ({ baseURI: 'http://127.0.0.1:1/', hidden: false, addEventListener: nothing });
globalThis.addEventListener = nothing;
const { h, render } = await import('../../page/html.js');
const { useAnswer } = await import('../../page/state/answers.js');

/** A place to draw into for what draws nothing. */
const place = () => /** @type {any} */ ({ childNodes: [], firstChild: null, namespaceURI: null });
/** Until effects have run and what they want is drawn. */
const rest = () => new Promise((done) => setTimeout(done, 150));

/** Part of a view that asks; what it has drawn, the last of it last. */
function part(name) {
  const drawn = [];
  const View = () => {
    drawn.push(useAnswer(name, {}, { every: 0 }).answer);
    return null;
  };
  render(h(View, null), place());
  return drawn;
}

test('what two parts ask is asked once, and both show it, whenever the second comes', async () => {
  const check = async (name, when) => {
    let answer = nothing;
    let asked = 0;
    globalThis.fetch = /** @type {any} */ (
      () => {
        asked += 1;
        return new Promise((done) => (answer = () => done(new Response('{"told":1}'))));
      }
    );
    const first = part(name);
    await rest();
    const second = when === 'after' ? null : part(name);
    if (when === 'long before') await rest();
    answer();
    await rest();
    for (const drawn of [first, second ?? part(name)]) assert.deepEqual(drawn.at(-1), { told: 1 }, when);
    assert.equal(asked, 1, when);
  };
  await check('one', 'long before');
  await check('two', 'before it watches');
  await check('three', 'after');
});
