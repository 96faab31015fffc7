import { html } from '../html.js';
import { useNames } from '../state.js';

/**
 * A name from outside: whatever it holds, it stays text, keeps to its place and
 * its own direction, and is told whole on hovering. A hash of an agent's name is
 * told by the name where that is known.
 * @param {{text: string | null | undefined, href?: string | null, none?: string}} props
 *   none: what stands there without a name
 */
export function Name({ text, href, none = 'unknown' }) {
  const called = useNames();
  if (text === null || text === undefined || text === '') return html`<span class="muted">${none}</span>`;
  const own = called(text);
  // A title of ten thousand letters covers the screen.
  const whole = text.length > 500 ? `${text.slice(0, 500)}…` : text;
  const title = own === text ? whole : `${own}, stored as ${text}`;
  const name = html`<bdi>${own}</bdi>`;
  return href
    ? html`<a class="name-cut" href=${href} title=${title}>${name}</a>`
    : html`<span class="name-cut" title=${title}>${name}</span>`;
}
