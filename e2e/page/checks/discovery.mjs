// Agents that are looked up and loaded: figures as the API has them, and the ways there.

import { SIZES, layout, oddities, open, settled, violations } from '../browser.mjs';
import { ofPage } from '../packages.mjs';
import { Server, fortnight, home } from '../servers.mjs';

const { count, duration, percent } = await ofPage('format.js');
const { parsed } = await ofPage('views/csv.js');

const DAYS = 14;

/** A fortnight in which agents were looked up and loaded, and nothing else was done. */
function lookUps() {
  return Array.from({ length: 600 }, (_, at) => {
    const timestamp = new Date(Date.now() - at * 30 * 60_000).toISOString();
    const hit = at % 3 > 0;
    if (at % 5 === 0) return [{ timestamp, event_type: 'agent_discovery', operation: 'list_agents', duration_ms: 0.4 + at / 1000, cache_hit: false, agent_count: 9 }];
    const fetched = { timestamp, event_type: 'agent_discovery', operation: 'get_agent', duration_ms: hit ? 0.003 : 1.5, cache_hit: hit, agent_count: 1 };
    const loaded = { timestamp, event_type: 'agent_load', agent: `agent-${at % 7}`, load_time_ms: 1.25, content_size_bytes: 4000, estimated_tokens: 1000 };
    return hit ? [fetched] : [fetched, loaded];
  }).flat();
}

export async function checks(browser) {
  const [only, one] = await Promise.all([Server.start(home('discovery')), Server.start(home('no-discovery'))]);
  await only.send(lookUps());
  await one.send([{ event_type: 'tool_call', tool: 'there', duration_ms: 3, success: true }]);
  const demo = await fortnight();
  return [
    ['an overview of nothing else is not called empty, and leads to it', () => alone(browser, only)],
    ['its figures are those of the API', () => figures(browser, only)],
    ['a target that is missed leads to it', () => missed(browser, demo)],
    ['where there is none it says how to record some, to who asks for it', () => none(browser, one)],
  ];
}

const section = (page) => page.getByRole('region', { name: 'Agent discovery', exact: true });

/** Whether the heading is what one sees first. */
async function isThere(page) {
  await page.waitForFunction(() => {
    const top = document.querySelector('#discovery')?.getBoundingClientRect().top ?? -1;
    return top >= 0 && top < 120 && document.activeElement?.id === 'discovery-title';
  });
}

async function alone(browser, server) {
  const wrong = [];
  const { discovery } = await server.ask('discovery', { days: DAYS });
  const page = await open(browser, `${server.url}/#/overview?range=14d`);
  await settled(page);
  await section(page).locator('canvas').first().waitFor();
  const text = await page.locator('main').innerText();
  if (text.includes('Nothing was called')) wrong.push('it says that nothing was called');
  const said = `agents were looked up ${count(discovery.total_operations)} times`;
  if (!text.includes(said)) wrong.push(`it does not say ${said}`);
  if (text.includes('No calls in this time')) wrong.push('it shows charts of nothing');
  await page.locator('.state-card').getByRole('link', { name: 'Agent discovery' }).click();
  await isThere(page);
  await settled(page);
  wrong.push(...(await violations(page)), ...(await layout(page)));
  await page.setViewportSize(SIZES.small);
  await settled(page);
  wrong.push(...(await layout(page)));
  // A part of the page has an address of its own.
  const other = await open(browser, page.url(), { size: SIZES.small });
  await isThere(other);
  await other.context().close();
  await page.evaluate(() => (location.hash = '#/caches?range=14d'));
  await settled(page);
  if (!(await page.locator('main').innerText()).includes('agent cache')) wrong.push('the caches do not say where the agent cache is');
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function figures(browser, server) {
  const answer = await fetch(`${server.url}/api/v1/discovery?days=${DAYS}&format=csv`);
  const api = new Map(parsed(await answer.text()).map(([, name, metric, value]) => [`${name} ${metric}`, Number(value)]));
  const page = await open(browser, `${server.url}/#/agents?range=14d&show=discovery`);
  await settled(page);
  const wrong = [];
  const same = (what, is, should) => is.replaceAll(/\s/g, ' ') !== should.replaceAll(/\s/g, ' ') && wrong.push(`${what} is ${is}, the API says ${should}`);
  for (const operation of ['get_agent', 'list_agents']) {
    const cells = await section(page).getByRole('row').filter({ hasText: operation }).locator('th, td').allInnerTexts();
    const told = (metric) => duration(api.get(`${operation} ${metric}`));
    [count(api.get(`${operation} count`)), told('p50_ms'), told('p95_ms'), told('p99_ms')].forEach((should, at) => same(`${operation}, ${at}`, cells[at + 1] ?? '', should));
  }
  const stat = (label) => section(page).locator('.stat', { hasText: label }).first().locator('.value').innerText();
  same('p95', await stat('p95 of look-ups'), duration(api.get(' p95_ms')));
  const { cache_performance: cache } = await server.ask('cache_performance', { days: DAYS });
  same('the hit rate', await stat('Agent cache hits'), percent(cache.cache_hits / cache.total_lookups));
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function missed(browser, server) {
  const page = await open(browser, `${server.url}/#/tools?range=14d`);
  await settled(page);
  await page.locator('a.verdict').filter({ hasText: 'missed' }).click();
  await isThere(page);
  await settled(page);
  const wrong = [];
  const text = await section(page).innerText();
  if (!/target above 80\.0\s%, missed/.test(text)) wrong.push(`it does not say which: ${text.slice(0, 300)}`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function none(browser, server) {
  const wrong = [];
  const page = await open(browser, `${server.url}/#/agents?show=discovery`);
  await settled(page);
  const text = await section(page).innerText();
  if (!text.includes('agent_discovery')) wrong.push(`it says ${text}`);
  await page.evaluate(() => (location.hash = '#/agents'));
  await settled(page);
  if (await section(page).count()) wrong.push('it is shown to who did not ask for it');
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}
