// Addresses: each is a view that can be handed on, and Back leads back.

import { oddities, open, settled } from '../browser.mjs';
import { fortnight, until, wait } from '../servers.mjs';
import { views } from '../views.mjs';

const SOME = ['overview', 'tool', 'sessions', 'trace', 'sql-result'];

export async function checks(browser) {
  const server = await fortnight();
  return [
    ['a link shows what its maker saw', () => reproduced(browser, server)],
    ...(await choices(server)).map(([what, hash, act]) => [`${what} stands in the address, and Back undoes it`, () => chosen(browser, server, hash, act)]),
    ['the tables of charts stand in the address', () => tables(browser, server)],
    ['what is typed and walked through stands in the address', () => walked(browser, server)],
    ['what is typed just before Back is there again', () => typed(browser, server)],
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

/** What can be chosen in views, and how. */
async function choices(server) {
  const all = await views(server);
  const at = (name) => all.find((view) => view.name === name).hash;
  const fold = (page) => page.getByRole('checkbox', { name: 'Fold idle time' });
  return [
    ['only sessions with failures', at('sessions'), (page) => page.getByRole('checkbox', { name: 'Only with failures' }).check()],
    ['the order of a table', at('tools'), (page) => page.getByRole('columnheader', { name: 'p95', exact: true }).getByRole('button').click()],
    ['what a heatmap counts', at('agents'), (page) => page.locator('#usage select').nth(1).selectOption('llm_call')],
    ['whose work a heatmap counts', at('agents'), (page) => page.locator('#usage select').first().selectOption({ index: 1 })],
    ['what is drawn of a result', at('sql-result'), (page) => page.getByRole('group', { name: 'Figures' }).getByRole('checkbox').nth(1).check()],
    ['the selected span', at('trace'), (page) => page.locator('.wf-row').nth(3).click()],
    ['the kinds of a trace', at('trace'), (page) => page.locator('.kinds button').first().click()],
    ['whether idle time is folded', at('trace'), async (page) => fold(page).setChecked(!(await fold(page).isChecked()))],
  ];
}

/** How a view stands: what it says, and what of it is chosen. */
async function stands(page) {
  const text = await said(page);
  const chosen = await page.evaluate(() =>
    [...document.querySelectorAll('main :is(input, select, [aria-sort], [aria-expanded], [aria-pressed], [aria-selected="true"])')].map((one) =>
      [one.tagName, one.value, one.checked, ...['sort', 'expanded', 'pressed'].map((name) => one.getAttribute(`aria-${name}`)), one.id].join(' '),
    ),
  );
  return [text, ...chosen].join('\n');
}

async function chosen(browser, server, hash, act) {
  const page = await open(browser, `${server.url}/${hash}`);
  const before = await stands(page);
  await act(page);
  const after = await stands(page);
  const wrong = after === before ? ['nothing changed'] : [];
  const other = await open(browser, page.url());
  const there = await stands(other);
  if (there !== after) wrong.push(`by a link: ${difference(after, there)}`);
  await other.context().close();
  await page.goBack();
  const back = await stands(page);
  if (back !== before) wrong.push(`Back: ${difference(before, back)}`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

/** Until the address, which follows a moment later, has that part and rests. */
function written(page, part) {
  return until(`${part} in the address`, async () => {
    const before = page.url();
    await wait(600);
    return before.includes(part) && page.url() === before;
  });
}

async function tables(browser, server) {
  // Of a time that does not go on meanwhile.
  const at = (hours) => encodeURIComponent(new Date(Date.now() - hours * 3_600_000).toISOString());
  const page = await open(browser, `${server.url}/#/tools?from=${at(100)}&to=${at(1)}`);
  await settled(page);
  // All of them in one moment: none is lost.
  await page.evaluate(() => document.querySelectorAll('figcaption button').forEach((button) => button.click()));
  await written(page, 'tables=');
  const after = await stands(page);
  const other = await open(browser, page.url());
  const there = await stands(other);
  const wrong = there === after ? [] : [difference(after, there)];
  const drawn = await other.locator('.twin:not([hidden]) table').count();
  if (drawn !== (await other.locator('figure').count())) wrong.push(`${drawn} tables are open`);
  await other.context().close();
  await page.context().close();
  return wrong;
}

/** Much in a short time: the address follows, and Back leads out of it at once. */
async function walked(browser, server) {
  const all = await views(server);
  const trace = all.find(({ name }) => name === 'trace').hash;
  const page = await open(browser, `${server.url}/#/sessions?range=14d`);
  await settled(page);
  const some = (await page.locator('tbody th').nth(2).innerText()).slice(0, 8);
  const found = `find.sessions=${encodeURIComponent(some)}`;
  await page.getByLabel('Filter Sessions').pressSequentially(some);
  await written(page, found);
  const wrong = [];
  const rows = await page.locator('tbody tr').count();
  await page.evaluate((to) => (location.hash = to), trace);
  await settled(page);
  await page.locator('.wf').focus();
  for (let step = 0; step < 60; step += 1) await page.keyboard.press('ArrowDown');
  for (let step = 0; step < 12; step += 1) await page.keyboard.press('+');
  const row = await page.locator('.wf-chosen .wf-label').innerText();
  await written(page, 'zoom=');
  const other = await open(browser, page.url());
  await settled(other);
  const there = await other.locator('.wf-chosen .wf-label').innerText();
  if (there !== row) wrong.push(`the link leads to ${there}, not ${row}`);
  const ticks = (of) => of.locator('.wf-tick').allInnerTexts();
  if (String(await ticks(other)) !== String(await ticks(page))) wrong.push('the link shows another stretch');
  await other.context().close();
  await page.goBack();
  await settled(page);
  if (await page.locator('.wf-chosen').count()) wrong.push('Back does not close the details');
  await page.goBack();
  await settled(page);
  if (!page.url().includes(found)) wrong.push(`Back leads to ${page.url()}`);
  if ((await page.locator('tbody tr').count()) !== rows) wrong.push('the filter is lost');
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function typed(browser, server) {
  const page = await open(browser, `${server.url}/#/tools?range=14d`);
  await settled(page);
  await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Sessions' }).click();
  await settled(page);
  const field = page.getByLabel('Filter Sessions');
  await field.fill('a1');
  await page.goBack();
  await until('the tools', () => page.url().includes('#/tools'));
  await settled(page);
  await page.goForward();
  await until('the sessions', () => page.url().includes('#/sessions'));
  await settled(page);
  const found = await field.inputValue();
  const wrong = found === 'a1' ? [] : [`the filter is "${found}", the address ${page.url()}`];
  wrong.push(...(await oddities(page)));
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
