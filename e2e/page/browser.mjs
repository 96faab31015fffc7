// Chromium, and pages in it that note whatever is not as it should be.

import { axe, chromium, place } from './packages.mjs';
import { PATIENCE_MS } from './servers.mjs';

/** A page that goes nowhere yet, so that its world can be changed before. */
export const ABOUT = 'about:blank';
const WIDE = { width: 1280, height: 800 };
const SMALL = { width: 360, height: 740 };
export const SIZES = { wide: WIDE, small: SMALL };

/** Starts the browser; without the sandbox, which a container does not allow. */
export function launch(env = {}) {
  return chromium.launch({
    executablePath: place('TACHOGRAPH_PAGE_BROWSER'),
    env: { ...process.env, ...env },
    args: ['--no-sandbox', '--disable-gpu', '--font-render-hinting=none', '--force-color-profile=srgb'],
  });
}

/** Notes in the page itself what its policy refuses. */
function listen() {
  window.refused = [];
  addEventListener('securitypolicyviolation', (event) => {
    window.refused.push(`${event.violatedDirective} ${event.blockedURI} ${event.sourceFile ?? ''}:${event.lineNumber}`);
  });
}

/**
 * A page of its own, with what it said in `odd`: console, errors, failed requests.
 * @param expected texts of the console that a check brings about itself
 */
export async function open(browser, url, { size = WIDE, dark = false, expected = [], ...more } = {}) {
  const context = await browser.newContext({
    viewport: size,
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
    locale: 'en-US',
    timezoneId: 'UTC',
    ...more,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.odd = [];
  page.asking = new Set();
  const odd = (what) => {
    if (!expected.some((part) => what.includes(part))) page.odd.push(what);
  };
  page.on('console', (said) => odd(`${said.type()}: ${said.text()} (${said.location().url})`));
  page.on('pageerror', (error) => odd(`error: ${error.stack ?? error}`));
  page.on('dialog', (dialog) => {
    page.odd.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  // Where a check decides itself where to go, that is no other place.
  const outside = (request) => url !== ABOUT && !request.url().startsWith(new URL(url).origin) && !request.url().startsWith('data:');
  page.on('request', (request) => {
    if (outside(request)) page.odd.push(`asks elsewhere: ${request.url()}`);
    page.asking.add(request);
  });
  page.on('requestfinished', (request) => page.asking.delete(request));
  page.on('requestfailed', (request) => page.asking.delete(request));
  await page.addInitScript(listen);
  await page.goto(url, { waitUntil: 'load' });
  return page;
}

/** Waits until a view stands: nothing is asked, nothing is a placeholder, nothing moves. */
export async function settled(page, ms = PATIENCE_MS) {
  const began = Date.now();
  let quiet = 0;
  for (;;) {
    const busy = await page.evaluate(() => document.querySelector('main [aria-busy="true"]') !== null || !document.querySelector('main')?.textContent.trim());
    quiet = busy || page.asking.size > 0 ? 0 : quiet + 1;
    if (quiet >= 4) return;
    if (Date.now() - began > ms) {
      const asking = [...page.asking].map((request) => request.url()).join(' ');
      throw new Error(`the view does not come to rest: ${busy ? 'something loads' : ''} ${asking}`);
    }
    await page.waitForTimeout(25);
  }
}

/** What the page said and should not have, and what its policy refused. */
export async function oddities(page) {
  return [...page.odd, ...(await page.evaluate(() => window.refused))];
}

/** What axe finds: rule and places. */
export async function violations(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, help, nodes }) => {
      const places = nodes.slice(0, 3).map((node) => `${node.target.join(' ')} ${(node.any[0]?.message ?? '').slice(0, 160)}`);
      return `${id}: ${help} (${nodes.length}): ${places.join(' | ')}`;
    });
  });
  return found;
}

/** What is wrong with how it lies there: things that axe does not look at. */
export function layout(page) {
  return page.evaluate(() => {
    const wrong = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) {
      const wide = [...document.querySelectorAll('body *')].filter((element) => {
        const box = element.getBoundingClientRect();
        return box.right > root.clientWidth + 1 && box.width > 0 && !element.closest('.hidden');
      });
      const first = wide.slice(0, 3).map((element) => `${element.tagName}.${element.className}`);
      wrong.push(`the page scrolls sideways: ${root.scrollWidth} > ${root.clientWidth}: ${first.join(', ')}`);
    }
    for (const canvas of document.querySelectorAll('main canvas')) {
      const box = canvas.getBoundingClientRect();
      if (box.width === 0) continue;
      const name = canvas.closest('figure')?.id ?? canvas.className;
      if (canvas.width === 0 || canvas.height === 0) {
        wrong.push(`${name}: no canvas to draw on`);
        continue;
      }
      // Read from a copy: reading the page's own canvas twice makes Chromium warn of the page.
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext('2d', { willReadFrequently: true });
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, copy.width, copy.height);
      let drawn = 0;
      for (let at = 3; at < data.length; at += 4) drawn += data[at] > 0 ? 1 : 0;
      if (drawn < 50) wrong.push(`${name}: a blank canvas (${drawn} points)`);
    }
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const small = new Set();
    const cut = new Set();
    while (walker.nextNode()) {
      const element = walker.currentNode.parentElement;
      const text = walker.currentNode.textContent.trim();
      if (!text || !element.checkVisibility?.({ visibilityProperty: true, opacityProperty: true })) continue;
      if (element.closest('.hidden, script, style, svg, [aria-hidden="true"]')) continue;
      const style = getComputedStyle(element);
      if (parseFloat(style.fontSize) < 10) small.add(`${style.fontSize} ${text.slice(0, 30)}`);
      const cuts = style.overflowX === 'hidden' && element.scrollWidth > element.clientWidth + 1;
      if (cuts && style.textOverflow !== 'ellipsis') cut.add(`${element.tagName}.${element.className} ${text.slice(0, 30)}`);
    }
    for (const one of [...small].slice(0, 3)) wrong.push(`too small to read: ${one}`);
    for (const one of [...cut].slice(0, 3)) wrong.push(`cut off without a sign: ${one}`);
    return wrong;
  });
}
