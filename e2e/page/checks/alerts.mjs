// Alerts and their rules: whatever rules are called, and however many alerts there are.

import { SIZES, layout, oddities, open, settled, violations } from '../browser.mjs';
import { Server, home, until } from '../servers.mjs';

/** Names that an address could take for something else. */
const NAMES = ['.', '..', '%2e%2e', 'a/../b?c#d', '<img src=x>', '\u202eevil', '+ &='];
/** Marks that turn the order of letters are told by their numbers. */
const toldOf = (name) => name.replace('\u202e', '\\u{202e}');
const MANY = 130;
/** More tools than alerts are listed, and so many rules of each that there are more than are watched. */
const CROWD = 1005;
const CROWDS = 11;
/** Those that are shown at first. */
const FEW = 10;

export function checks(browser) {
  return [
    ['a rule of any name is made, turned off and removed', () => named(browser)],
    [`of ${MANY} alerts that fire a few are shown, and all on demand`, () => many(browser)],
    ['a rule that fires says so, also where its alerts are not listed', () => crowded(browser)],
    ['series that nobody watches are told of, although nothing fires', () => unwatched(browser)],
    ['a channel of any name is tried', () => channels(browser)],
    ['rules of agents say what they watch', () => agents(browser)],
    ['rules stand whole beside what can be done with them, and so do long errors', () => whole(browser)],
  ];
}

async function named(browser) {
  const server = await Server.start(home('rules'));
  const page = await open(browser, `${server.url}/#/alerts`);
  await settled(page);
  const own = async () => (await server.ask('alerts')).rules.filter((rule) => rule.origin === 'api');
  const wrong = [];
  for (const name of NAMES) {
    await page.getByRole('button', { name: 'New rule' }).click();
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.locator('input[name="number"]').fill('5');
    await page.getByRole('button', { name: 'Save' }).click();
    await until(`${name} is kept`, async () => (await own()).some((rule) => rule.name === name && rule.enabled));
    await page.getByRole('switch', { name: `Watch ${toldOf(name)}`, exact: true }).click();
    await until(`${name} is off`, async () => (await own()).some((rule) => rule.name === name && !rule.enabled));
    await page.getByRole('button', { name: `Edit ${toldOf(name)}`, exact: true }).click();
    await page.locator('input[name="number"]').fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await until(`${name} is changed`, async () => (await own()).some((rule) => rule.name === name && rule.threshold === 7));
    await page.getByRole('button', { name: `Delete ${toldOf(name)}`, exact: true }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await until(`${name} is gone`, async () => (await own()).length === 0);
  }
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

/** Makes a rule: of how often each tool is called, unless told otherwise. */
async function keep(server, { name, ...more }) {
  const rule = { name, family: 'tool', source: '', metric_name: '*', condition: 'count > 0', threshold: 0, window_seconds: 3600, ...more };
  const kept = await fetch(`${server.url}/api/v1/alerts/rules?name=${encodeURIComponent(name)}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rule),
  });
  if (!kept.ok) throw new Error(`${kept.status}: ${await kept.text()}`);
}

/** A call of each of so many tools. */
const calls = (many) => Array.from({ length: many }, (_, at) => ({ event_type: 'tool_call', tool: `tool-${at}`, duration_ms: 1, success: true }));

/** What the table of rules says of one: its state. */
const stateOf = (page, name) => page.getByRole('row').filter({ has: page.getByRole('switch', { name: `Watch ${name}`, exact: true }) }).locator('.state-word').innerText();

async function many(browser) {
  const server = await Server.start(home('many'));
  await keep(server, { name: 'any' });
  await server.send(calls(MANY));
  await until('all of them fire', async () => (await server.ask('alerts')).totals.firing === MANY);
  const page = await open(browser, `${server.url}/#/alerts`);
  await settled(page);
  const firing = page.locator('.alert-firing');
  const wrong = [];
  const counts = async (shown) => {
    await until(`${shown} are shown`, async () => (await firing.count()) === shown);
    const text = await page.locator('main').innerText();
    if (!text.includes(`${shown} of ${MANY} firing`)) wrong.push(`it does not say ${shown} of ${MANY} firing`);
  };
  await counts(FEW);
  const badge = await page.locator('nav .number').innerText();
  if (!badge.startsWith(String(MANY))) wrong.push(`the nav says ${badge}`);
  await page.getByRole('button', { name: 'Show 100 more' }).click();
  await counts(FEW + 100);
  // By keys: who presses what vanishes goes on in the list.
  await page.getByRole('button', { name: 'Show 20 more firing', exact: true }).press('Enter');
  await counts(MANY);
  const focus = await until('the focus is somewhere', () =>
    page.evaluate(() => document.activeElement !== document.body && document.activeElement?.getAttribute('aria-label')),
  );
  if (focus !== 'firing') wrong.push(`the focus is on ${focus}`);
  await page.reload();
  await settled(page);
  await counts(MANY);
  await page.getByRole('button', { name: 'Show fewer' }).click();
  await counts(FEW);
  wrong.push(...(await layout(page)), ...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

/** More than are listed, and one that matters less than all of them. */
async function crowded(browser) {
  const server = await Server.start(home('crowded'));
  await keep(server, { name: 'grave', severity: 'critical' });
  await keep(server, { name: 'slight', severity: 'info', metric_name: 'tool-7' });
  await server.send(calls(CROWD));
  await until('all of them fire', async () => (await server.ask('alerts')).totals.firing === CROWD + 1);
  const { alerts } = await server.ask('alerts');
  const wrong = alerts.some(({ rule }) => rule === 'slight') ? ['the slight one is listed: this checks nothing'] : [];
  const page = await open(browser, `${server.url}/#/alerts`);
  await settled(page);
  for (const [name, says] of [
    ['slight', 'firing'],
    ['grave', 'firing 1,005 of 1,005'],
  ]) {
    const state = (await stateOf(page, name)).replaceAll(/\s+/g, ' ');
    if (state !== says) wrong.push(`${name}: it says ${state}`);
  }
  wrong.push(...(await layout(page)), ...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function unwatched(browser) {
  const server = await Server.start(home('unwatched'));
  for (let at = 0; at < CROWDS; at += 1) await keep(server, { name: `rule-${at}`, condition: 'count > 1000', threshold: 1000 });
  await server.send(calls(CROWD));
  const all = CROWD * CROWDS;
  const { unwatched: some } = await until('there are too many', async () => {
    const told = await server.ask('alerts');
    return told.unwatched > 0 && Object.values(told.rules).length > 0 && sum(told.totals) + told.unwatched >= all && told;
  });
  const page = await open(browser, `${server.url}/#/alerts`);
  await settled(page);
  const text = await page.getByRole('region', { name: 'Now' }).innerText();
  const wrong = [];
  const told = `${some.toLocaleString('en-US')} more series are not watched`;
  for (const part of ['No alert fires', told]) if (!text.includes(part)) wrong.push(`it does not say: ${part}, but ${text}`);
  wrong.push(...(await layout(page)), ...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

/** Alerts in any of the states. */
const sum = (totals) => ['firing', 'pending', 'resolved', 'no_data', 'inactive'].reduce((all, state) => all + totals[state], 0);

async function channels(browser) {
  const settings = ['alert_channels:', ...NAMES.map((name) => `  ${JSON.stringify(name)}: {kind: exec, command: ["true"]}`)];
  const server = await Server.start(home('channels'), [], 0, `${settings.join('\n')}\n`);
  const page = await open(browser, `${server.url}/#/alerts`);
  await settled(page);
  const wrong = [];
  const told = page.getByRole('region', { name: 'Channels' }).locator('[role="status"]');
  for (const name of NAMES) {
    await page.getByRole('button', { name: `Send a test to ${toldOf(name)}`, exact: true }).click();
    await until(`${name} is tried`, async () => (await told.innerText()).startsWith(`${toldOf(name)} took a test`)).catch((error) => wrong.push(error.message));
  }
  wrong.push(...(await layout(page)), ...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function agents(browser) {
  const server = await Server.start(home('agents'));
  const work = { agent: 'researcher', success: true };
  await server.send([
    { ...work, event_type: 'tool_call', tool: 'grep', duration_ms: 1500 },
    { ...work, event_type: 'llm_call', provider: 'anthropic', model: 'opus', duration_ms: 900, cost_usd: 0.25, input_tokens: 5, output_tokens: 5 },
  ]);
  const page = await open(browser, `${server.url}/#/alerts`);
  await settled(page);
  await page.getByRole('button', { name: 'New rule' }).click();
  const editor = page.getByRole('region', { name: 'New rule' });
  await editor.locator('input[name="number"]').fill('0.1');
  const wrong = [];
  for (const [family, stat, number, sentence, found] of [
    ['agent_tool', 'p95', 'Number, ms', 'the 95th percentile of tool calls of any agent', '1,500\u00a0ms, holds'],
    ['agent_tool', 'count', 'Number', 'the number of tool calls of any agent', '1, holds'],
    ['agent_model', 'avg', 'Number, ms', 'the mean of model calls of any agent', '900\u00a0ms, holds'],
    ['agent_cost', 'sum', 'Number, USD', 'the sum of cost of any agent', '$0.25, holds'],
  ]) {
    await editor.locator('select[name="family"]').selectOption(family);
    await editor.locator('select[name="stat"]').selectOption(stat);
    const text = await until(`what ${family} finds`, async () => {
      const now = await editor.innerText();
      return now.includes('would hold for 1 of 1') && now.includes(found) && now;
    }, 20_000).catch(() => editor.innerText());
    for (const part of [number, sentence, 'Which agent', found]) if (!text.includes(part)) wrong.push(`${family} ${stat}: it does not say ${part}`);
    if (/Provider|Source/.test(text)) wrong.push(`${family}: it asks for a source`);
  }
  wrong.push(...(await layout(page)), ...(await oddities(page)), ...(await violations(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function whole(browser) {
  const server = await Server.start(home('whole'));
  // Built-in ones become rules of the API, which can be deleted, too.
  for (const rule of (await server.ask('alerts')).rules) await keep(server, { ...rule, enabled: true });
  const page = await open(browser, 'about:blank', { size: SIZES.wide });
  await page.route(/\/alerts(\?|$)/, async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    for (const rule of body.rules) Object.assign(rule, { state: 'resolved', series: { resolved: 2, inactive: 1 } });
    await route.fulfill({ response, json: body });
  });
  await page.goto(`${server.url}/#/alerts`);
  await settled(page);
  const wrong = [];
  const box = page.getByRole('region', { name: 'Rules' });
  await box.getByText('2 of 3').first().waitFor();
  const [needs, has] = await box.evaluate((one) => [one.scrollWidth, one.clientWidth]);
  if (needs > has) wrong.push(`the table needs ${needs} px and has ${has}`);
  const cut = await box.locator('th, .name-cut').evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent));
  if (cut.length > 0) wrong.push(`cut: ${cut}`);
  await page.getByRole('button', { name: 'New rule' }).click();
  await page.getByLabel('Name', { exact: true }).fill('n'.repeat(300));
  await page.locator('input[name="number"]').fill('5');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('256 characters').waitFor();
  for (const size of Object.values(SIZES)) {
    await page.setViewportSize(size);
    await settled(page);
    wrong.push(...(await layout(page)).map((what) => `${size.width}: ${what}`));
  }
  await page.context().close();
  await server.stop();
  return wrong;
}
