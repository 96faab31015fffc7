// What nobody means to send and somebody does: names as long as a file, figures beyond
// reason; and addresses and moments that are not as they should be.

import fs from 'node:fs';
import path from 'node:path';

import { SIZES, layout, oddities, open, settled } from '../browser.mjs';
import { Server, home, until } from '../servers.mjs';

const LONG = 'X'.repeat(10_000);
/** Longer than an address takes. */
const LONGEST = 'é'.repeat(15_000);
const LOST = ['WebSocket', 'ERR_CONNECTION_REFUSED', 'Failed to load resource', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE'];

export function checks(browser) {
  return [
    ['a name of 10 kB breaks no view, and is listed once', () => long(browser)],
    ['figures beyond reason keep to their place', () => absurd(browser)],
    ['a view that is opened when the server is gone says so', () => away(browser)],
    ['sessions without an id are counted', () => nameless(browser)],
    ['events in the future are told where they are not drawn', () => future(browser)],
    ['a name with slashes is one name', () => slashes(browser)],
    ['of the ranges one is chosen, and none where it is nothing to what is shown', () => ranges(browser)],
  ];
}

/** As another process writes them: whatever the server itself would cut. */
function appended(at) {
  const timestamp = new Date(Date.now() - 30_000).toISOString();
  const model = (name, cost_usd) => ({ timestamp, event_type: 'llm_call', provider: name, model: name, input_tokens: 9, output_tokens: 1, cost_usd, duration_ms: 900, success: true });
  const events = [
    { timestamp, event_type: 'tool_call', tool: 'grep', duration_ms: 5, success: true },
    { timestamp, event_type: 'tool_call', tool: LONG, duration_ms: 5, success: true },
    model('short', 0.5),
    model(LONG, 1),
    model(LONGEST, 2),
    { timestamp, event_type: 'metric', source: LONG, name: LONG, type: 'gauge', value: 7, unit: 'ms' },
  ];
  fs.writeFileSync(path.join(at, 'events.jsonl'), events.map((event) => `${JSON.stringify(event)}\n`).join(''));
}

async function long(browser) {
  const at = home('long');
  appended(at);
  const server = await Server.start(at);
  const page = await open(browser, `${server.url}/#/models?range=1h`);
  await settled(page);
  const wrong = [];
  const stands = async (what) => wrong.push(...(await layout(page)).map((one) => `${what}: ${one}`));
  if (await page.locator('main [role="alert"]').count()) wrong.push(`models: ${await page.locator('main [role="alert"]').first().innerText()}`);
  if (!(await page.locator('#cost .says').innerText()).includes('Without 1 model')) wrong.push('it does not say which model is not drawn');
  await stands('models');
  await page.evaluate((hash) => (location.hash = hash), `#/system?range=1h&source=${LONG}&metric=${LONG}`);
  await settled(page);
  await page.locator('#chosen canvas').waitFor();
  await stands('system');
  await page.evaluate(() => (location.hash = '#/tools?range=1h'));
  await settled(page);
  const rows = page.locator('main > .view > section tbody tr');
  await until('both tools of the last minutes', async () => (await rows.locator('td:nth-child(3)').allInnerTexts()).every((text) => text === '1'));
  const calls = await rows.locator('td:nth-child(2)').allInnerTexts();
  if (calls.join() !== '1,1') wrong.push(`tools: calls are ${calls}`);
  await stands('tools');
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function absurd(browser) {
  const server = await Server.start(home('absurd'));
  const most = '9223372036854775807';
  const events = [
    `{"event_type":"llm_call","provider":"a","model":"m","cost_usd":1e300,"input_tokens":${most},"output_tokens":${most},"duration_ms":1e300,"success":true}`,
    '{"event_type":"llm_call","provider":"a","model":"m","cost_usd":12000000,"input_tokens":9,"duration_ms":1,"success":true}',
    '{"event_type":"tool_call","tool":"t","duration_ms":1e300,"success":true}',
    '{"event_type":"metric","source":"s","name":"m","type":"gauge","value":1e300,"unit":"%"}',
  ];
  const answer = await fetch(`${server.url}/api/v1/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `[${events}]` });
  if (!answer.ok) throw new Error(await answer.text());
  const wrong = [];
  for (const size of Object.values(SIZES)) {
    const page = await open(browser, `${server.url}/#/overview?range=1h`, { size });
    for (const hash of ['#/overview?range=1h', '#/models?range=1h&tables=tokens,cost', '#/system?range=1h&source=s&metric=m']) {
      await page.evaluate((to) => (location.hash = to), hash);
      await settled(page);
      wrong.push(...(await layout(page)).map((what) => `${hash}, ${size.width}: ${what}`));
      const text = await page.locator('main').innerText();
      for (const nonsense of ['NaN', 'Infinity', 'undefined']) if (text.includes(nonsense)) wrong.push(`${hash}: it says ${nonsense}`);
      const wide = /[\d,]{20,}/.exec(text);
      if (wide) wrong.push(`${hash}: it says ${wide[0].slice(0, 60)}`);
    }
    wrong.push(...(await oddities(page)));
    await page.context().close();
  }
  await server.stop();
  return wrong;
}

async function away(browser) {
  const server = await Server.start(home('away'));
  await server.send([{ event_type: 'tool_call', tool: 'there', duration_ms: 3, success: true }]);
  const page = await open(browser, `${server.url}/#/tools`, { expected: LOST });
  await settled(page);
  const state = page.locator('header [role="status"]').first();
  await until('it is live', async () => (await state.innerText()) === 'live');
  await server.stop();
  await until('it is not', async () => (await state.innerText()) !== 'live');
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Caches' }).click();
  const alert = page.locator('main [role="alert"]').first();
  await alert.waitFor();
  const text = await alert.innerText();
  const wrong = ['The server does not answer', 'The last figures came at 20'].filter((part) => !text.includes(part)).map((part) => `it does not say ${part}: ${text}`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function slashes(browser) {
  const server = await Server.start(home('slashes'));
  await server.send([{ event_type: 'llm_call', provider: 'a', model: 'b/c/d', input_tokens: 9, duration_ms: 3, success: true }]);
  const page = await open(browser, `${server.url}/#/models/a/b/c/d`);
  await settled(page);
  const wrong = [];
  const heading = await page.getByRole('heading', { level: 1 }).innerText();
  if (!heading.endsWith('a/b/c/d')) wrong.push(`the title is ${heading}`);
  if (!(await page.locator('main canvas').count())) wrong.push(`it says ${await page.locator('main').innerText()}`);
  await page.evaluate(() => (location.hash = '#/models/a/x/y'));
  await page.getByText('No calls of').waitFor();
  const text = await page.locator('main').innerText();
  if (!text.includes('a/x/y')) wrong.push(`it speaks of ${text}`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function ranges(browser) {
  const server = await Server.start(home('ranges'));
  await server.send([{ event_type: 'tool_call', tool: 'there', duration_ms: 3, success: true }]);
  const page = await open(browser, `${server.url}/#/tools?range=7d`);
  await settled(page);
  const group = page.getByRole('group', { name: 'Time range' });
  await group.getByRole('button', { name: 'Custom' }).click();
  const looks = await group.getByRole('button').evaluateAll((all) => all.map((one) => [one.textContent.trim(), getComputedStyle(one).color, getComputedStyle(one).fontWeight].join(' ')));
  const chosen = looks.find((look) => look.startsWith('7d'))?.slice('7d '.length);
  const like = looks.filter((look) => look.endsWith(chosen));
  const wrong = like.length === 1 ? [] : [`these look chosen: ${like}`];
  for (const view of ['alerts', 'sql']) {
    await page.evaluate((to) => (location.hash = `#/${to}?range=7d`), view);
    await settled(page);
    if (await group.count()) wrong.push(`${view}: ranges that do nothing`);
  }
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function nameless(browser) {
  const server = await Server.start(home('nameless'));
  const events = Array.from({ length: 5 }, () => [
    { event_type: 'session_start', session_type: 'lazy_loaded', initial_tokens: 9 },
    { event_type: 'session_end', session_duration_seconds: 150, total_tokens_loaded: 9, agents_loaded: 1 },
  ]);
  await server.send(events.flat());
  const page = await open(browser, `${server.url}/#/sessions?range=1h`);
  await settled(page);
  const wrong = [];
  const stat = await page.locator('.stat', { hasText: 'Sessions' }).first().innerText();
  if (!stat.includes('5') || !stat.includes('without an id')) wrong.push(`the figure says ${stat}`);
  if (!(await page.locator('main').innerText()).includes('cannot be listed')) wrong.push('the table does not say why it is empty');
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function future(browser) {
  const server = await Server.start(home('future'));
  const call = (hours) => ({ event_type: 'tool_call', tool: 'clock', duration_ms: 5, success: true, timestamp: new Date(Date.now() + hours * 3_600_000).toISOString() });
  await server.send([call(-0.01), call(3), call(20 * 24)]);
  const page = await open(browser, `${server.url}/#/tools?range=1h`);
  const wrong = [];
  for (const id of ['calls', 'latency']) {
    const says = page.locator(`#${id} .says`);
    await says.filter({ hasText: /\S/ }).waitFor();
    await settled(page);
    const text = await says.innerText();
    if (!text.endsWith('Not drawn: 2 events in the future.')) wrong.push(`${id}: it says ${text}`);
  }
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}
