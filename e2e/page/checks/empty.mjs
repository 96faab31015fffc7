// A store with nothing in it, the first event, and a store with only one.

import { SIZES, layout, oddities, open, settled, violations } from '../browser.mjs';
import { Server, home } from '../servers.mjs';
import { NAV } from '../views.mjs';

const EVENT = { event_type: 'tool_call', tool: 'first-of-all', duration_ms: 12.5, success: true };

export async function checks(browser) {
  const [empty, one] = await Promise.all([Server.start(home('empty')), Server.start(home('one'))]);
  await one.send([EVENT]);
  return [
    ...NAV.map((name) => [`${name} of an empty store`, () => stands(browser, empty, name, true)]),
    ...NAV.map((name) => [`${name} of one event`, () => stands(browser, one, name)]),
    ['an empty store says how to send the first event', () => ways(browser, empty)],
    ['the first event is seen within a second', () => first(browser)],
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

async function ways(browser, server) {
  const page = await open(browser, server.url);
  await settled(page);
  const text = await page.locator('main').innerText();
  const wanted = [`curl ${server.url}/api/v1/events`, 'OTEL_EXPORTER_OTLP_ENDPOINT', 'tachograph::init()'];
  const wrong = wanted.filter((part) => !text.includes(part)).map((part) => `it does not say ${part}`);
  await page.context().close();
  return wrong;
}

async function first(browser) {
  const server = await Server.start(home('first'));
  const page = await open(browser, `${server.url}/#/tools`);
  await settled(page);
  await server.send([EVENT]);
  await page.getByText(EVENT.tool).first().waitFor();
  const wrong = await oddities(page);
  await page.context().close();
  await server.stop();
  return wrong;
}
