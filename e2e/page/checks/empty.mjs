// A store with nothing in it, the first event, and a store with only one.

import { spawnSync } from 'node:child_process';

import { SIZES, layout, oddities, open, settled, violations } from '../browser.mjs';
import { Server, home } from '../servers.mjs';
import { NAV } from '../views.mjs';

/** Less than passes from one round of questions to the next: it is the stream that tells of it. */
const SOON_MS = 20_000;
const EVENT = { event_type: 'tool_call', tool: 'first-of-all', duration_ms: 12.5, success: true };

export async function checks(browser) {
  const [empty, one] = await Promise.all([Server.start(home('empty')), Server.start(home('one'))]);
  await one.send([EVENT]);
  return [
    ...NAV.map((name) => [`${name} of an empty store`, () => stands(browser, empty, name, true)]),
    ...NAV.map((name) => [`${name} of one event`, () => stands(browser, one, name)]),
    ['an empty store says how to send the first event, as it is to be typed', () => ways(browser)],
    ['the first event is seen as it comes, without a reload', () => first(browser)],
  ];
}

async function stands(browser, server, name, axe = false) {
  const page = await open(browser, `${server.url}/#/${name}`, { size: SIZES.small });
  await settled(page);
  const wrong = [...(await layout(page)), ...(await oddities(page))];
  // One event looks as many do.
  if (axe) wrong.push(...(await violations(page)));
  const text = await page.locator('main').innerText();
  for (const nonsense of ['NaN', 'undefined', 'Infinity', '[object', 'Invalid Date']) {
    if (text.includes(nonsense)) wrong.push(`it says ${nonsense}`);
  }
  await page.context().close();
  return wrong;
}

async function ways(browser) {
  const server = await Server.start(home('ways'));
  const page = await open(browser, server.url);
  await settled(page);
  const text = await page.locator('main').innerText();
  const wanted = [`curl ${server.url}/api/v1/events`, 'OTEL_EXPORTER_OTLP_ENDPOINT', 'tachograph::init()'];
  const wrong = wanted.filter((part) => !text.includes(part)).map((part) => `it does not say ${part}`);
  const otlp = /OTEL_EXPORTER_OTLP_ENDPOINT=(\S+)/.exec(text)?.[1];
  const taken = await fetch(`${otlp}/v1/traces`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  if (!taken.ok) wrong.push(`${otlp} is no door for OTLP: ${taken.status}`);
  const command = await page.getByLabel('Command to send an event').innerText();
  const ran = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  if (ran.status !== 0) wrong.push(`the command fails: ${ran.status}: ${ran.stderr}`);
  await page.locator('main canvas').first().waitFor();
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function first(browser) {
  const server = await Server.start(home('first'));
  const page = await open(browser, `${server.url}/#/tools`);
  await settled(page);
  await server.send([EVENT]);
  const sent = Date.now();
  await page.getByText(EVENT.tool).first().waitFor();
  const took = Date.now() - sent;
  const wrong = await oddities(page);
  if (took > SOON_MS) wrong.push(`it took ${took} ms`);
  await page.context().close();
  await server.stop();
  return wrong;
}
