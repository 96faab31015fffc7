// Addresses: each is a view that can be handed on, and Back leads back.

import { oddities, open, settled } from '../browser.mjs';
import { fortnight, until } from '../servers.mjs';
import { views } from '../views.mjs';

const SOME = ['overview', 'tool', 'sessions', 'trace', 'sql-result'];

export async function checks(browser) {
  const server = await fortnight();
  return [
    ['a link shows what its maker saw', () => reproduced(browser, server)],
    ['Back and Forward lead through views, ranges and what was drilled into', () => back(browser, server)],
    ['an address that leads nowhere says so', () => nowhere(browser, server)],
    ['a range that is picked stays from view to view', () => kept(browser, server)],
  ];
}

/** What a view says, without what changes by itself. */
async function said(page) {
  await settled(page);
  const text = await page.locator('main').innerText();
  return text.replaceAll(/\d+\s(s|min|h|d) ago|now/g, 'ago').replaceAll(/rows in [\d.]+\s\w+/g, 'rows');
}

async function reproduced(browser, server) {
  const wrong = [];
  const to = new Date(Date.now() - 3_600_000).toISOString();
  const from = new Date(Date.now() - 100 * 3_600_000).toISOString();
  const range = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`;
  const page = await open(browser, server.url);
  // Each kind of view once: what they are made of is the same in the others.
  const some = (await views(server)).filter(({ name }) => SOME.includes(name));
  for (const { name, hash } of some) {
    await page.evaluate((to) => (location.hash = to), `${hash}${hash.includes('?') ? '&' : '?'}${range}`);
    const first = await said(page);
    const other = await open(browser, page.url());
    const second = await said(other);
    if (first !== second) wrong.push(`${name}: ${difference(first, second)}`);
    if (first.trim() === '') wrong.push(`${name}: it says nothing`);
    wrong.push(...(await oddities(other)).map((what) => `${name}: ${what}`));
    await other.context().close();
  }
  await page.context().close();
  return wrong;
}

function difference(first, second) {
  const [a, b] = [first.split('\n'), second.split('\n')];
  const at = a.findIndex((line, place) => line !== b[place]);
  return `"${a[at]}" became "${b[at]}"`;
}

async function back(browser, server) {
  const page = await open(browser, `${server.url}/#/overview`);
  await settled(page);
  const nav = page.getByRole('navigation', { name: 'Views' });
  const seen = [new URL(page.url()).hash];
  const went = async () => {
    await until('another address', () => new URL(page.url()).hash !== seen.at(-1));
    await settled(page);
    seen.push(new URL(page.url()).hash);
  };
  await nav.getByRole('link', { name: 'Tools' }).click();
  await went();
  await page.getByRole('button', { name: '7d', exact: true }).click();
  await went();
  await page.getByRole('row').getByRole('link').first().click();
  await went();
  const wrong = [];
  for (const expected of seen.slice(0, -1).reverse()) {
    await page.goBack();
    await settled(page);
    if (new URL(page.url()).hash !== expected) wrong.push(`Back leads to ${page.url()}, not ${expected}`);
  }
  await page.goForward();
  await settled(page);
  if (new URL(page.url()).hash !== seen[1]) wrong.push(`Forward leads to ${page.url()}`);
  const here = await page.locator('nav [aria-current="page"]').innerText();
  if (!here.startsWith('Tools')) wrong.push(`the nav says ${here}`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function nowhere(browser, server) {
  const wrong = [];
  const page = await open(browser, server.url, { expected: ['404'] });
  for (const hash of ['#/nothing', '#/tools/no-such-tool', '#/trace/session/none', '#/trace/id/00', '#/%', '#/tools?from=x&to=y', '#/sql?q=select%20nothing%20from%20nowhere']) {
    await page.evaluate((to) => (location.hash = to), hash);
    const text = await said(page);
    if (text.trim().length < 10) wrong.push(`${hash}: it says nothing`);
    for (const nonsense of ['NaN', 'undefined', 'Invalid']) if (text.includes(nonsense)) wrong.push(`${hash}: it says ${nonsense}`);
  }
  wrong.push(...(await oddities(page)).filter((what) => !what.includes('/api/v1/sql')));
  await page.context().close();
  return wrong;
}

async function kept(browser, server) {
  const page = await open(browser, `${server.url}/#/overview`);
  await settled(page);
  await page.getByRole('button', { name: '24h', exact: true }).click();
  await settled(page);
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Caches' }).click();
  await settled(page);
  const wrong = page.url().includes('range=24h') ? [] : [`the address is ${page.url()}`];
  const pressed = await page.getByRole('button', { name: '24h', exact: true }).getAttribute('aria-pressed');
  if (pressed !== 'true') wrong.push('the picker shows another range');
  await page.context().close();
  return wrong;
}
