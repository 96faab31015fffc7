// The last answer stays while the next is under way.

import { useEffect, useRef } from '../html.js';
import { useAnswer } from '../state.js';

/** Milliseconds until a statement that found no place is asked for again. */
const AGAIN = 5000;

/**
 * Rows of a statement in SQL. While time goes on the statement is another one
 * each time; what it answered last stays until there is a newer answer, as long
 * as `subject` is the same.
 * @param {string | null} query null: asks nothing
 * @param {string} subject what it is about, without the time
 * @param {number} [limit] rows
 */
export function useRows(query, subject, limit = 10_000) {
  const asked = useAnswer(query === null ? null : 'sql', query === null ? null : { query, limit }, { every: 0 });
  const last = useRef({ subject: '', rows: /** @type {any[] | null} */ (null) });
  if (last.current.subject !== subject) last.current = { subject, rows: null };
  if (Array.isArray(asked.answer)) last.current.rows = asked.answer;
  const full = asked.error?.status === 429;
  useEffect(() => {
    if (!full) return;
    const timer = setTimeout(asked.reload, AGAIN);
    return () => clearTimeout(timer);
  }, [full, asked.error]);
  return { ...asked, rows: last.current.rows };
}
