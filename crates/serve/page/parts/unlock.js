// Asks for the server's token.

import { refused, setToken } from '../api.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { useStore } from '../store.js';

export function Unlock() {
  const [text, setText] = useState('');
  const wrong = useStore(refused);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // Whoever has just typed one types the next.
  useEffect(() => {
    if (wrong) field.current?.focus();
  }, [wrong]);
  /** @param {any} event */
  const enter = (event) => {
    event.preventDefault();
    if (text.trim() !== '') setToken(text.trim());
  };
  return html`
    <form class="card view narrow" onSubmit=${enter}>
      <h2>This server asks for its token</h2>
      <p class="muted">It is in the file <code>token</code> in the server's home. It is kept in this tab alone.</p>
      <label class="field">
        Token
        <input
          class="input"
          type="password"
          autocomplete="off"
          spellcheck="false"
          required
          ref=${field}
          aria-invalid=${wrong ? 'true' : undefined}
          aria-describedby=${wrong ? 'token-wrong' : undefined}
          value=${text}
          onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
        />
      </label>
      ${wrong && html`<p class="tone-bad" id="token-wrong" role="alert">That is not this server's token.</p>`}
      <div><button type="submit" class="button primary">Open</button></div>
    </form>
  `;
}
