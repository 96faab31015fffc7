// Alerts and their rules: whatever rules are called, and however many alerts there are.

import { layout, oddities, open, settled } from '../browser.mjs';
import { Server, home, until } from '../servers.mjs';

/** Names that an address could take for something else. */
const NAMES = ['.', '..', '%2e%2e', 'a/../b?c#d', '<img src=x>', '\u202eevil', '+ &='];
const MANY = 130;
/** Those that are shown at first. */
const FEW = 10;

export function checks(browser) {
  return [
    ['a rule of any name is made, turned off and removed', () => named(browser)],
    [`of ${MANY} alerts that fire a few are shown, and all on demand`, () => many(browser)],
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
    await page.getByRole('switch', { name: `Watch ${name}`, exact: true }).click();
    await until(`${name} is off`, async () => (await own()).some((rule) => rule.name === name && !rule.enabled));
    await page.getByRole('button', { name: `Edit ${name}`, exact: true }).click();
    await page.locator('input[name="number"]').fill('7');
    await page.getByRole('button', { name: 'Save' }).click();
    await until(`${name} is changed`, async () => (await own()).some((rule) => rule.name === name && rule.threshold === 7));
    await page.getByRole('button', { name: `Delete ${name}`, exact: true }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await until(`${name} is gone`, async () => (await own()).length === 0);
  }
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function many(browser) {
  const server = await Server.start(home('many'));
  const rule = { name: 'any', family: 'tool', source: '', metric_name: '*', condition: 'count > 0', threshold: 0, window_seconds: 3600 };
  const kept = await fetch(`${server.url}/api/v1/alerts/rules?name=any`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(rule),
  });
  if (!kept.ok) throw new Error(`${kept.status}: ${await kept.text()}`);
  await server.send(Array.from({ length: MANY }, (_, at) => ({ event_type: 'tool_call', tool: `tool-${at}`, duration_ms: 1, success: true })));
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
  await page.getByRole('button', { name: 'Show 20 more' }).click();
  await counts(MANY);
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
