// Names that want to be more than names: nothing of them runs, and the layout holds.

import { SIZES, layout, oddities, open, settled, violations } from '../browser.mjs';
import { Server, home } from '../servers.mjs';
import { NAV } from '../views.mjs';

/** Marks in it turn the order of the letters around. */
const TURNING = '\u202eevil\u2066name';
const NAMES = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "';alert(1)//",
  'javascript:alert(1)',
  '{{constructor.constructor("alert(1)")()}}',
  '__proto__',
  'constructor',
  '../../etc/passwd?a=b&c=d#e',
  '%E0%A4%A',
  TURNING,
  'שלום עולם של כלים',
  '🙂👩‍👩‍👧‍👦🏳️‍🌈',
  'a'.repeat(10_000),
  'two\nlines\tand a tab',
  ' ',
];

export async function checks(browser) {
  const server = await Server.start(home('hostile'));
  const sent = await server.send(NAMES.flatMap(events));
  if (!(sent.accepted > NAMES.length * 3)) throw new Error(`too little was taken: ${JSON.stringify(sent).slice(0, 500)}`);
  const { tools } = await server.ask('tools', { days: 1 });
  const names = tools.tools.map((tool) => tool.name ?? tool.tool);
  const views = [
    ...NAV.map((name) => [name, `#/${name}`]),
    ...names.filter((_, at) => at % 2 === 0).map((name, at) => [`tool ${at}`, `#/tools/${encodeURIComponent(name)}`]),
    ...[...NAMES.slice(0, 2), TURNING].map((name, at) => [`trace ${at}`, `#/trace/session/${encodeURIComponent(name)}`]),
    ['statement', `#/sql?q=${encodeURIComponent('select tool, agent, session_id from tool_calls')}`],
  ];
  return views.map(([name, hash]) => [`${name} with hostile names`, () => stands(browser, server, hash)]);
}

/** One of each kind, by that name. */
function events(name, at) {
  const session_id = name;
  const agent = name;
  return [
    { event_type: 'session_start', session_id, session_type: name },
    { event_type: 'tool_call', tool: name, agent, session_id, duration_ms: 5 + at, success: at % 2 === 0, error_type: at % 2 ? name : undefined },
    { event_type: 'llm_call', provider: name, model: name, agent, session_id, input_tokens: 100, output_tokens: 10, cost_usd: 0.01, duration_ms: 900, success: true },
    { event_type: 'cache', cache: name, operation: 'miss', hit: false, duration_ms: 1 },
    { event_type: 'agent_load', agent, duration_ms: 2, size_bytes: 900 },
    { event_type: 'metric', source: name, name, type: 'gauge', value: 7, unit: name },
    { event_type: 'query', id: `q${at}`, agent_type: name, duration_ms: 800, success: true, status: name },
  ];
}

async function stands(browser, server, hash) {
  const expected = hash.startsWith('#/trace') ? ['404'] : [];
  const page = await open(browser, `${server.url}/${hash}`, { size: SIZES.small, expected });
  await settled(page);
  const wrong = [...(await violations(page)), ...(await layout(page)), ...(await oddities(page))];
  const made = await page.evaluate(() => document.querySelectorAll('main script, main img, main iframe, main [onerror]').length);
  if (made > 0) wrong.push('a name became markup');
  const shows = ['tools', 'models', 'caches'].some((view) => hash === `#/${view}`);
  // Most of the names are stored as hashes; this one is a word.
  const told = await page.evaluate((name) => document.querySelector('main').textContent.includes(name), 'constructor');
  if (shows && !told) wrong.push('the names are not there');
  const turning = await page.evaluate(() => {
    const read = (one) => ['title', 'aria-label', 'placeholder'].map((name) => one.getAttribute(name) ?? '');
    const texts = [document.title, document.body.textContent, ...[...document.querySelectorAll('body *')].flatMap(read)];
    return texts.find((text) => /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(text))?.slice(0, 200);
  });
  if (turning) wrong.push(`marks turn the order of letters: ${JSON.stringify(turning)}`);
  await page.setViewportSize(SIZES.wide);
  await settled(page);
  wrong.push(...(await layout(page)).map((what) => `wide: ${what}`));
  await page.context().close();
  return wrong;
}
