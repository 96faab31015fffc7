import assert from 'node:assert/strict';
import { test } from 'node:test';

import { h, render } from '../../page/html.js';
import { createStore, useStore } from '../../page/store.js';

/** A place to draw into for what draws nothing. */
const place = () => /** @type {any} */ ({ childNodes: [], firstChild: null, namespaceURI: null });
/** Until effects have run and what they want is drawn. */
const rest = () => new Promise((done) => setTimeout(done, 150));

test('whoever watches a store shows what it holds', async () => {
  // What happens, by when it does; which values are drawn for it.
  const check = async (what, first, { before = [], after = [] }, last) => {
    const store = createStore(first);
    const drawn = [];
    const root = place();
    const View = () => {
      drawn.push(useStore(store));
      return null;
    };
    render(h(View, null), root);
    for (const value of before) store.set(value);
    await rest();
    for (const value of after) store.set(value);
    await rest();
    assert.equal(drawn.at(-1), last, what);
    render(null, root);
    await rest();
    const many = drawn.length;
    store.set('nobody looks');
    await rest();
    assert.equal(drawn.length, many, `${what}: it is drawn after it left`);
  };
  await check('it stays', 1, {}, 1);
  await check('it changes while it is watched', 1, { after: [2] }, 2);
  await check('it changes between drawing and watching', 1, { before: [2] }, 2);
  await check('to nothing', 1, { before: [null] }, null);
  await check('there and back', 1, { before: [2], after: [1] }, 1);
  await check('many times', 1, { before: [2, 3], after: [4, 5] }, 5);
});
