// Without a mouse: everything can be reached and done, and where one is can be seen.

import { oddities, open, settled } from '../browser.mjs';
import { fortnight, until } from '../servers.mjs';
import { NAV } from '../views.mjs';

export async function checks(browser) {
  const server = await fortnight();
  return [
    ['the first Tab is a way past the nav', () => skip(browser, server)],
    ['Tab goes through each view in the order of reading, and the focus is seen', () => walk(browser, server)],
    ['Enter opens a view, a row and a table; Back returns', () => enter(browser, server)],
    ['arrows move along a chart and are told, Escape leaves', () => chart(browser, server)],
    ['the range is picked with keys, and Escape leaves the form', () => range(browser, server)],
    ['the theme is switched with keys and remembered', () => theme(browser, server)],
  ];
}

/** What has the focus. */
const focus = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const style = getComputedStyle(element);
    const box = element.getBoundingClientRect();
    const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== 'none';
    const path = [...document.querySelectorAll('*')].indexOf(element);
    return {
      path,
      name: `${element.tagName.toLowerCase()}.${element.className} "${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 40)}"`,
      ring,
      seen: box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
      tabindex: element.tabIndex,
    };
  });

async function skip(browser, server) {
  const page = await open(browser, `${server.url}/#/overview`);
  await settled(page);
  await page.keyboard.press('Tab');
  const first = await focus(page);
  const wrong = [];
  if (!first?.name.includes('Skip')) wrong.push(`it is ${first?.name}`);
  if (!first?.seen || !first?.ring) wrong.push('it is not seen');
  await page.keyboard.press('Enter');
  const inside = await page.evaluate(() => document.activeElement?.closest('main') !== null);
  if (!inside) wrong.push('it does not lead into the view');
  if (!page.url().endsWith('#/overview')) wrong.push(`it changes the address: ${page.url()}`);
  await page.context().close();
  return wrong;
}

async function walk(browser, server) {
  const wrong = [];
  const page = await open(browser, `${server.url}/#/overview`);
  for (const view of NAV) {
    await page.evaluate((to) => (location.hash = `#/${to}`), view);
    await settled(page);
    // From the very beginning: a view that was gone to has its heading focused.
    await page.evaluate(() => {
      document.querySelector('.skip').focus();
      document.activeElement?.blur();
      scrollTo(0, 0);
    });
    const count = await page.evaluate(() => document.querySelectorAll('a[href], button, input, textarea, select, [tabindex="0"]').length);
    let last = -1;
    let stops = 0;
    for (; stops < Math.min(count + 2, 140); stops += 1) {
      await page.keyboard.press('Tab');
      const here = await focus(page);
      if (here === null || here.path < last) break;
      last = here.path;
      if (!here.ring) wrong.push(`${view}: no sign of the focus on ${here.name}`);
      if (!here.seen) wrong.push(`${view}: the focus is out of sight on ${here.name}`);
      if (here.tabindex > 0) wrong.push(`${view}: an order of its own at ${here.name}`);
    }
    if (stops < 18) wrong.push(`${view}: a walk of only ${stops} steps`);
  }
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong.slice(0, 12);
}

/** Tabs until something has the focus. */
async function reach(page, what, is) {
  for (let step = 0; step < 150; step += 1) {
    if (await page.evaluate(is)) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not reach ${what}`);
}

async function enter(browser, server) {
  const page = await open(browser, `${server.url}/#/overview`);
  await settled(page);
  await reach(page, 'the nav', () => document.activeElement?.getAttribute('href')?.startsWith('#/tools') ?? false);
  await page.keyboard.press('Enter');
  await until('the view', () => page.url().includes('#/tools'));
  await settled(page);
  const wrong = [];
  const heading = await focus(page);
  if (!heading?.name.startsWith('h1')) wrong.push(`a new view does not begin at its heading but at ${heading?.name}`);
  await reach(page, 'a row', () => document.activeElement?.closest('tbody a') !== null);
  await page.keyboard.press('Enter');
  await until('the tool', () => page.url().includes('#/tools/'));
  await settled(page);
  await reach(page, 'a table', () => document.activeElement?.getAttribute('aria-expanded') === 'false' && document.activeElement.closest('figure') !== null);
  await page.keyboard.press('Enter');
  await page.locator('figure .twin:not([hidden]) table').first().waitFor();
  await page.goBack();
  await settled(page);
  if (!/#\/tools(\?|$)/.test(page.url())) wrong.push(`Back leads to ${page.url()}`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  return wrong;
}

async function chart(browser, server) {
  const page = await open(browser, `${server.url}/#/overview`);
  await settled(page);
  await reach(page, 'a chart', () => document.activeElement?.classList.contains('chart') ?? false);
  const told = () => page.evaluate(() => document.activeElement?.querySelector('[aria-live]')?.textContent ?? '');
  const heard = [];
  for (const key of ['End', 'ArrowLeft', 'ArrowLeft', 'Home', 'ArrowRight']) {
    await page.keyboard.press(key);
    heard.push(await until(`${key} tells something else`, async () => {
      const now = await told();
      return now !== '' && now !== heard.at(-1) ? now : '';
    }));
  }
  const wrong = heard.every((text) => /\d/.test(text)) ? [] : [`no figures: ${heard.join(' / ')}`];
  await page.keyboard.press('Escape');
  if (await page.evaluate(() => document.activeElement?.classList.contains('chart') ?? false)) wrong.push('Escape stays');
  await page.context().close();
  return wrong;
}

async function range(browser, server) {
  const page = await open(browser, `${server.url}/#/overview`);
  await settled(page);
  await reach(page, 'the range', () => document.activeElement?.textContent?.trim() === '7d');
  await page.keyboard.press('Space');
  await until('the range', () => page.url().includes('range=7d'));
  await settled(page);
  await reach(page, 'another range', () => document.activeElement?.textContent?.trim() === 'Custom');
  await page.keyboard.press('Enter');
  const wrong = [];
  if (!(await page.evaluate(() => document.activeElement?.tagName === 'INPUT'))) wrong.push('the form does not take the focus');
  await page.keyboard.press('Escape');
  const closed = await page.evaluate(() => document.activeElement?.textContent?.trim() === 'Custom');
  if (!closed) wrong.push('Escape does not return to the button');
  await page.context().close();
  return wrong;
}

async function theme(browser, server) {
  const wrong = [];
  for (const dark of [false, true]) {
    const page = await open(browser, `${server.url}/#/overview`, { dark });
    await settled(page);
    const ground = () => page.evaluate(() => getComputedStyle(document.querySelector('h1')).color);
    const reached = () => reach(page, 'the theme', () => document.activeElement?.getAttribute('aria-label')?.startsWith('Theme') ?? false);
    await reached();
    const usual = await ground();
    await page.keyboard.press('Enter');
    // Each press turns to the other one, the first as well.
    const other = await ground();
    if (other === usual) wrong.push(`the first press changes nothing on a ${dark ? 'dark' : 'light'} system`);
    await page.reload();
    await settled(page);
    if ((await ground()) !== other) wrong.push('it is forgotten');
    await reached();
    await page.keyboard.press('Enter');
    if ((await ground()) !== usual) wrong.push('the second press does not turn back');
    // And it follows the system again.
    await page.emulateMedia({ colorScheme: dark ? 'light' : 'dark' });
    if ((await ground()) !== other) wrong.push('it does not follow the system again');
    wrong.push(...(await oddities(page)));
    await page.context().close();
  }
  return wrong;
}
