import { html } from '../html.js';

/**
 * A name from outside: whatever it holds, it stays text, keeps to its place and
 * its own direction, and is told whole on hovering.
 * @param {{text: string | null | undefined, href?: string | null, none?: string}} props
 *   none: what stands there without a name
 */
export function Name({ text, href, none = 'unknown' }) {
  if (text === null || text === undefined || text === '') return html`<span class="muted">${none}</span>`;
  // A title of ten thousand letters covers the screen.
  const title = text.length > 500 ? `${text.slice(0, 500)}…` : text;
  const name = html`<bdi>${text}</bdi>`;
  return href
    ? html`<a class="name-cut" href=${href} title=${title}>${name}</a>`
    : html`<span class="name-cut" title=${title}>${name}</span>`;
}
