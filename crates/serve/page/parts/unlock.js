// Asks for the server's token.

import { setToken } from '../api.js';
import { html, useState } from '../html.js';

export function Unlock() {
  const [text, setText] = useState('');
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
          value=${text}
          onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
        />
      </label>
      <div><button type="submit" class="button primary">Open</button></div>
    </form>
  `;
}
