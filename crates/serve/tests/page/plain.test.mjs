import assert from 'node:assert/strict';
import { test } from 'node:test';

import { plain } from '../../page/format.js';
import { html } from '../../page/html.js';

const MARKS = '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069';
const TOLD = [...MARKS].map((mark) => `\\u{${mark.charCodeAt(0).toString(16)}}`).join('');

test('marks that turn the order of letters are told by their numbers', () => {
  const check = (text, expected) => assert.equal(plain(text), expected);
  check('\u202eevil\u2066name', '\\u{202e}evil\\u{2066}name');
  check(MARKS, TOLD);
  // Letters of their own direction, joined letters, and what is none of it.
  for (const text of ['שלום עולם', 'مرحبا', '👩‍👩‍👧', 'می\u200cخواهم', '\\u{202e}', '']) check(text, text);
});

test('every text of a template is plain, and what is not read stays', () => {
  const Name = () => null;
  const inner = html`<bdi>${MARKS}</bdi>`;
  const drawn = html`
    <a href=${`#/tools/${MARKS}`} title=${MARKS} aria-label=${MARKS} key=${MARKS}>
      ${[inner, [`${MARKS}!`]]}<option value=${MARKS}>${MARKS}</option>
      <${Name} text=${MARKS}>${MARKS}<//>
    </a>
  `;
  const { props, key } = drawn;
  assert.deepEqual([props.href, props.title, props['aria-label'], key], [`#/tools/${MARKS}`, TOLD, TOLD, MARKS]);
  const [[bdi, [text]], option, name] = props.children;
  assert.equal(bdi, inner);
  assert.deepEqual([bdi.props.children, text], [TOLD, `${TOLD}!`]);
  assert.deepEqual([option.props.value, option.props.children], [MARKS, TOLD]);
  assert.deepEqual([name.props.text, name.props.children], [MARKS, TOLD]);
  // A template of several elements, and one of text alone.
  assert.deepEqual(html`<p>${MARKS}</p>${MARKS}`[1], TOLD);
  assert.equal(html`${MARKS}`, TOLD);
});
