// Long traces and many sessions: what is shown of them says that it is a part.

import { oddities, open, settled } from '../browser.mjs';
import { Server, fortnight, home, until } from '../servers.mjs';

/** As many as a trace shows, and those that it does not; the last of all failed. */
const SHOWN = 2000;
const MANY = 2500;
const spanOf = (at) => `sp${String(at).padStart(6, '0')}`;

export async function checks(browser) {
  const server = await fortnight();
  const long = await longOne();
  return [
    ['what is counted of a long trace says of how much of it', () => counted(browser, long)],
    ['a link to an event beyond what is loaded shows it', () => linked(browser, long)],
    ['a link to an event that is nowhere says so', () => lost(browser, long, server)],
    ['a failure opens the call, with an id or without, in its session or its trace', () => opened(browser)],
    ['the link of the latest session keeps what was chosen', () => permanent(browser, server)],
    ['tiles of sessions say what they are of, whoever worked', () => tiles(browser, server)],
  ];
}

async function longOne() {
  const server = await Server.start(home('long-trace'));
  const from = Date.now() - MANY * 1000;
  const events = Array.from({ length: MANY }, (_, at) => ({
    event_type: 'tool_call',
    tool: `tool-${at}`,
    duration_ms: 5,
    success: at < MANY - 1,
    session_id: 'long',
    span_id: spanOf(at),
    timestamp: new Date(from + at * 1000).toISOString(),
  }));
  for (let at = 0; at < MANY; at += 500) await server.send(events.slice(at, at + 500));
  const { sessions } = (await server.ask('session_list')).session_list;
  server.hash = `#/trace/session/${sessions[0].session}`;
  return server;
}

/** A tile: its figure and its note. */
async function tile(page, label) {
  const found = page.locator('.stat').filter({ has: page.locator('.label', { hasText: new RegExp(`^${label}$`) }) });
  const note = found.locator('.note');
  return { value: await found.locator('.value').innerText(), note: await note.innerText(), tone: await note.getAttribute('class') };
}

async function counted(browser, server) {
  const page = await open(browser, `${server.url}/${server.hash}`);
  await settled(page);
  const wrong = [];
  for (const label of ['Length', 'Failures', 'Tokens', 'Cost']) {
    const { note, tone } = await tile(page, label);
    if (!note.includes('of the first 2,000')) wrong.push(`${label}: it says ${note}`);
    if (tone.includes('good')) wrong.push(`${label}: it is well, although only a part is known`);
  }
  const all = await tile(page, 'Events');
  if (all.value !== '2,500') wrong.push(`${all.value} events`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function linked(browser, server) {
  const last = MANY - 1;
  const page = await open(browser, `${server.url}/${server.hash}?span=${spanOf(last)}`);
  await settled(page);
  const panel = page.getByRole('complementary', { name: 'Selected event' });
  await panel.waitFor();
  const text = await panel.innerText();
  const wrong = [];
  for (const part of [`tool-${last}`, 'failed', spanOf(last)]) if (!text.includes(part)) wrong.push(`the details do not say ${part}`);
  const row = await page.locator('.wf-chosen .wf-label').innerText();
  if (row !== `tool-${last}`) wrong.push(`the row says ${row}`);
  const failures = await tile(page, 'Failures');
  if (failures.value !== '0') wrong.push(`${failures.value} failures ${failures.note}`);
  // It stays when another is looked at.
  await page.locator('.wf').press('Home');
  await until('another row', async () => (await page.locator('.wf-chosen .wf-label').innerText()) !== row);
  await page.locator('.wf').press('End');
  await until('its row again', async () => (await page.locator('.wf-chosen .wf-label').innerText()) === row);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function lost(browser, long, short) {
  const { sessions } = (await short.ask('session_list', { days: 30, limit: 1 })).session_list;
  const wrong = [];
  for (const [where, says] of [
    [`${long.url}/${long.hash}?span=sp-of-nobody`, 'nor stored'],
    [`${long.url}/${long.hash}?span=~12345`, 'not among those loaded'],
    [`${short.url}/#/trace/session/${sessions[0].session}?span=sp-of-nobody`, 'not in this session'],
  ]) {
    const page = await open(browser, where);
    await settled(page);
    const told = page.locator('.trace [role="status"]');
    const text = (await told.count()) ? await told.innerText() : 'nothing';
    if (!text.includes(says)) wrong.push(`${where}: it says ${text}`);
    wrong.push(...(await oddities(page)));
    await page.context().close();
  }
  return wrong;
}

async function opened(browser) {
  const server = await Server.start(home('opened'));
  const from = Date.now() - 600_000;
  const call = (seconds, more) => ({ event_type: 'tool_call', tool: 'web', duration_ms: 5, success: false, timestamp: new Date(from + seconds * 1000).toISOString(), ...more });
  await server.send([
    ...Array.from({ length: 9 }, (_, at) => call(at, { session_id: 'alone', success: true })),
    call(4, { session_id: 'alone', tool: 'other' }),
    call(20, { session_id: 'alone', error_type: 'NoId' }),
    call(30, { session_id: 'both', trace_id: 'a'.repeat(32), span_id: 'b'.repeat(16), error_type: 'WithId' }),
    call(40, { trace_id: 'a'.repeat(32), span_id: 'c'.repeat(16), error_type: 'OfTrace' }),
    call(50, { error_type: 'OfNothing' }),
  ]);
  const page = await open(browser, server.url);
  const wrong = [];
  const panel = page.getByRole('complementary', { name: 'Selected event' });
  for (const [error, where] of [
    ['NoId', '/session/'],
    ['WithId', '/session/'],
    ['OfTrace', '/id/'],
    ['OfNothing', null],
  ]) {
    await page.evaluate(() => (location.hash = '#/tools/web?range=1h'));
    await settled(page);
    const row = page.locator('tr', { has: page.locator('td', { hasText: error }) }).last();
    await row.waitFor();
    if (where === null) {
      if (await row.locator('a').count()) wrong.push(`${error}: it leads to ${await row.locator('a').first().getAttribute('href')}`);
      continue;
    }
    await row.getByRole('link').first().click();
    await panel.waitFor();
    const text = await panel.innerText();
    if (!text.includes(error)) wrong.push(`${error}: the details say ${text}`);
    if (!page.url().includes(`#/trace${where}`)) wrong.push(`${error}: it leads to ${page.url()}`);
    if (error !== 'WithId') continue;
    await page.getByRole('button', { name: 'Every stored field' }).click();
    await page.locator('.stored').getByRole('link').click();
    await until('its trace', () => page.url().includes('#/trace/id/'));
    await settled(page);
    await panel.waitFor();
  }
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function permanent(browser, server) {
  const page = await open(browser, `${server.url}/#/trace?kinds=tool&fold=0&zoom=0..60000`);
  await settled(page);
  await page.locator('.wf-row').nth(2).click();
  const chosen = async (of) => [
    await of.locator('.wf-chosen .wf-label').innerText(),
    ...(await of.locator('.wf-tick').allInnerTexts()),
    ...(await of.locator('.kinds [aria-pressed="true"]').allInnerTexts()),
    await of.getByRole('checkbox', { name: 'Fold idle time' }).isChecked(),
  ];
  const before = String(await chosen(page));
  await page.getByRole('link', { name: 'Permanent link' }).click();
  await until('the address', () => page.url().includes('/trace/session/'));
  await settled(page);
  const wrong = [];
  const after = (await page.locator('.wf-chosen').count()) ? String(await chosen(page)) : 'nothing chosen';
  if (after !== before) wrong.push(`${before} became ${after}`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function tiles(browser, server) {
  const { agents } = (await server.ask('agents', { days: 14 })).agents;
  const wrong = [];
  for (const [agent, median] of [
    ['', 'of those that ended'],
    [agents[0].agent, 'from beginning to last event, of the 100 latest'],
  ]) {
    const page = await open(browser, `${server.url}/#/sessions?range=14d${agent && `&agent=${agent}`}`);
    await settled(page);
    for (const [label, part] of [
      ['Median length', median],
      ['Tokens a session', 'mean, of model calls, of the 100 latest'],
    ]) {
      const { note } = await tile(page, label);
      if (!note.includes(part)) wrong.push(`${label}, ${agent ? 'of one agent' : 'of all'}: it says ${note}`);
    }
    wrong.push(...(await oddities(page)));
    await page.context().close();
  }
  return wrong;
}
