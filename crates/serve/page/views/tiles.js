import { duration } from '../format.js';
import { html } from '../html.js';
import { Stat } from '../parts/stat.js';
import { values } from './series.js';

/**
 * The median of durations, and what but few exceed: how they were and how they went.
 * @param {{spread: import('../types.d.ts').Spread | null | undefined, timeline: any}} props
 */
export function Durations({ spread, timeline }) {
  return html`
    <${Stat}
      label="p50"
      value=${duration(spread?.p50)}
      note=${spread ? `mean ${duration(spread.mean)}` : ''}
      spark=${values(timeline, (bucket) => bucket.p50)}
    />
    <${Stat}
      label="p95"
      value=${duration(spread?.p95)}
      note=${spread ? `p99 ${duration(spread.p99)}` : ''}
      spark=${values(timeline, (bucket) => bucket.p95)}
    />
  `;
}
