// Every view, by its address within the page.

/** Those of the nav, in its order. */
export const NAV = ['overview', 'tools', 'agents', 'models', 'caches', 'sessions', 'queries', 'system', 'alerts', 'sql'];

/** All of them for a store: also what is drilled into. */
export async function views(server) {
  const { session_list: listed } = await server.ask('session_list', { days: 30 });
  const session = listed.sessions[0].session;
  return [
    ...NAV.map((name) => ({ name, hash: `#/${name}` })),
    { name: 'tool', hash: '#/tools/web_fetch' },
    { name: 'model', hash: '#/models/anthropic/claude-opus' },
    { name: 'trace', hash: `#/trace/session/${encodeURIComponent(session)}` },
    { name: 'sql-result', hash: `#/sql?q=${encodeURIComponent(STATEMENT)}` },
  ];
}

export const STATEMENT =
  "select date_trunc('day', timestamp) as day, count(*) as calls, avg(duration_ms) as ms from tool_calls group by 1 order by 1";
