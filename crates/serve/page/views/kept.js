// Rows of a statement that a view asks for besides the questions of the API.

import { useEffect } from '../html.js';
import { useAnswer } from '../state.js';

/** Milliseconds until a statement that found no place is asked for again. */
const AGAIN = 5000;

/**
 * Rows of a statement in SQL; one that finds no place among others is asked for again.
 * @param {string | null} query null: asks nothing
 * @param {{limit?: number, every?: number}} [options] rows, and seconds between two times; 0: once
 */
export function useRows(query, { limit = 10_000, every = 0 } = {}) {
  const asked = useAnswer(query === null ? null : 'sql', query === null ? null : { query, limit }, { every });
  const full = asked.error?.status === 429;
  useEffect(() => {
    if (!full) return;
    const timer = setTimeout(asked.reload, AGAIN);
    return () => clearTimeout(timer);
  }, [full, asked.error]);
  return { ...asked, rows: /** @type {any[] | null} */ (Array.isArray(asked.answer) ? asked.answer : null) };
}
