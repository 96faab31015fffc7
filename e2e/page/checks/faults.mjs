// What may happen to a page that stays open: the server goes and comes back, the
// WebSocket is slow or refused, clocks differ, the server fails.

import { ABOUT, oddities, open, settled } from '../browser.mjs';
import { Server, home, until, wait } from '../servers.mjs';

const LOST = ['WebSocket', 'ERR_CONNECTION_REFUSED', 'Failed to load resource', 'ERR_CONNECTION_RESET', 'ERR_EMPTY_RESPONSE'];

const call = (tool, more = {}) => ({ event_type: 'tool_call', tool, duration_ms: 4, success: true, ...more });

export function checks(browser) {
  return [
    ['a server that is restarted is found again, and nothing counts twice', () => restarted(browser)],
    ['a WebSocket that is refused is asked instead', () => refused(browser)],
    ['a WebSocket that is dropped comes back', () => dropped(browser)],
    ['a WebSocket that says nothing for a while catches up', () => slow(browser)],
    ['while work goes on, figures and charts say the same', () => together(browser)],
    ['while a chart is late, its sentence speaks of one range', () => late(browser)],
    ['events ahead of now break nothing', () => ahead(browser)],
    ['a page whose clock is wrong shows the present', () => skewed(browser)],
    ['a server that fails says so, and Retry mends it', () => failing(browser)],
  ];
}

/** What the button of the top bar says: live, reconnecting, … */
const state = (page) => page.locator('header [role="status"]').first().innerText();
const becomes = (page, word) => until(`it says ${word}`, async () => (await state(page)) === word);

/** A tool's row: its name, its calls and how they ended; not its share of all. */
async function row(page, tool) {
  const found = page.getByRole('row').filter({ hasText: tool }).first();
  if (!(await found.count())) return '';
  return (await found.locator('th, td').allInnerTexts()).slice(0, 4).join(' ');
}

async function restarted(browser) {
  const at = home('restarted');
  let server = await Server.start(at);
  const { port } = server;
  await server.send([call('before'), call('before'), call('before')]);
  const page = await open(browser, `${server.url}/#/tools?range=1h`, { expected: LOST });
  await settled(page);
  await becomes(page, 'live');
  const before = await until('its row', () => row(page, 'before'));
  await server.stop();
  await until('it says that nothing comes', async () => ['reconnecting', 'offline'].includes(await state(page)));
  const wrong = [];
  if ((await row(page, 'before')) !== before) wrong.push('what was shown is gone');
  server = await Server.start(at, [], port);
  await becomes(page, 'live');
  await server.send([call('after')]);
  await until('what comes then is seen', () => row(page, 'after'));
  const again = await row(page, 'before');
  if (again !== before) wrong.push(`counted anew: ${again}, before: ${before}`);
  if (await page.getByRole('row').filter({ hasText: 'before' }).count() !== 1) wrong.push('there are two rows of one tool');
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

/** A page on a server of its own, whose WebSockets go through `route`. */
async function behind(browser, name, route, inside) {
  const server = await Server.start(home(name));
  await server.send([call('there')]);
  const page = await open(browser, ABOUT, { expected: LOST });
  await page.routeWebSocket(/\/api\/v1\/stream/, route);
  await page.goto(`${server.url}/#/tools`);
  await settled(page);
  await inside(page, server);
  const wrong = await oddities(page);
  await page.context().close();
  await server.stop();
  return wrong;
}

function refused(browser) {
  const refuse = (socket) => socket.close({ code: 1011, reason: 'no' });
  return behind(browser, 'refused', refuse, async (page, server) => {
    await becomes(page, 'live');
    await server.send([call('asked-for')]);
    await until('it is seen all the same', () => row(page, 'asked-for'));
  });
}

function dropped(browser) {
  const sockets = [];
  const pass = (socket) => {
    sockets.push(socket);
    socket.connectToServer();
  };
  return behind(browser, 'dropped', pass, async (page, server) => {
    await becomes(page, 'live');
    for (let time = 0; time < 3; time += 1) {
      await sockets.at(-1).close({ code: 1001 });
      const had = sockets.length;
      await until('another WebSocket', () => sockets.length > had);
      await becomes(page, 'live');
    }
    await server.send([call('after-three')]);
    await until('it is seen', () => row(page, 'after-three'));
  });
}

function slow(browser) {
  const late = (socket) => {
    const server = socket.connectToServer();
    let chain = Promise.resolve();
    server.onMessage((message) => {
      chain = chain.then(() => wait(400)).then(() => socket.send(message));
    });
  };
  return behind(browser, 'slow', late, async (page, server) => {
    await becomes(page, 'live');
    for (let at = 0; at < 10; at += 1) await server.send([call(`late-${at}`)]);
    await until('the last is seen', () => row(page, 'late-9'));
  });
}

async function together(browser) {
  const server = await Server.start(home('together'));
  await server.send([call('busy')]);
  const page = await open(browser, `${server.url}/#/tools?range=1h&tables=calls`);
  await settled(page);
  await becomes(page, 'live');
  let working = true;
  const work = (async () => {
    for (let at = 0; working; at += 1) {
      await server.send([call('busy'), call(`tool-${at % 7}`, { success: at % 5 > 0 })]);
      await wait(20);
    }
  })();
  /** The figure, what its chart says, and the sums of its table and of the tools'. */
  const told = () =>
    page.evaluate(() => {
      const number = (text) => Number((text ?? '').replaceAll(/[^0-9.]/g, ''));
      const sum = (cells) => [...cells].reduce((sum, cell) => sum + number(cell.textContent), 0);
      const stat = [...document.querySelectorAll('.stat')].find((one) => one.querySelector('.label').textContent === 'Calls');
      return {
        stat: number(stat?.querySelector('.value').textContent),
        sentence: number(document.querySelector('#calls .says').textContent.split(' ')[0]),
        rows: sum(document.querySelectorAll('main > .view > section tbody td:nth-child(2)')),
        table: sum(document.querySelectorAll('#calls .twin tbody td:nth-child(2)')),
      };
    });
  const wrong = [];
  const seen = new Set();
  const began = Date.now();
  let apart = 0;
  while (Date.now() - began < 8000 || seen.size < 4) {
    const { stat, sentence, rows, table } = await told();
    seen.add(stat);
    if (stat !== sentence || stat !== rows) wrong.push(`${stat} calls, ${sentence} by the chart, ${rows} by the tools`);
    apart = Math.max(apart, Math.abs(stat - table));
    await wait(50);
  }
  working = false;
  await work;
  // The stretches are asked for in the same moment, not in the same statement.
  if (apart > 60) wrong.push(`the chart is ${apart} calls apart`);
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong.slice(0, 5);
}

async function late(browser) {
  const server = await Server.start(home('late'));
  const ago = (hours) => new Date(Date.now() - hours * 3_600_000).toISOString();
  const of = (n, hours, success) => Array.from({ length: n }, (_, at) => call(`tool-${at}`, { timestamp: ago(hours), success }));
  await server.send([...of(7, 0.2, true), ...of(5, 100, false)]);
  const page = await open(browser, `${server.url}/#/tools?range=1h`);
  await settled(page);
  let release = () => {};
  const held = new Promise((done) => (release = done));
  await page.route(/\/api\/v1\/timeline/, async (route) => {
    await held;
    await route.continue();
  });
  const stat = () => page.locator('.stat', { hasText: 'Calls' }).first().locator('.value').innerText();
  const says = () => page.locator('#calls .says').innerText();
  const wrong = [];
  const before = await says();
  if (!before.startsWith('7 calls, none failed')) wrong.push(`at first it says ${before}`);
  await page.getByRole('button', { name: '7d', exact: true }).click();
  await until('the figure of the week', async () => (await stat()) === '12');
  const meanwhile = await says();
  if (meanwhile !== before) wrong.push(`meanwhile it says ${meanwhile}`);
  release();
  await until('the sentence of the week', async () => (await says()).startsWith('12 calls, 5 failed'));
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}

async function ahead(browser) {
  const server = await Server.start(home('ahead'));
  const at = (minutes) => new Date(Date.now() + minutes * 60e3).toISOString();
  const events = [-50, -5, 0, 3, 90, 2000].map((minutes) => call(`minute-${minutes}`, { timestamp: at(minutes) }));
  await server.send(events);
  const wrong = [];
  for (const view of ['overview', 'tools', 'sessions', 'tools/minute-90']) {
    const page = await open(browser, `${server.url}/#/${view}`);
    await settled(page);
    const text = await page.locator('main').innerText();
    for (const nonsense of ['NaN', 'Infinity', 'Invalid', 'undefined']) {
      if (text.includes(nonsense)) wrong.push(`${view} says ${nonsense}`);
    }
    if (view === 'tools' && !text.includes('minute-0')) wrong.push('what is of now is not shown');
    wrong.push(...(await oddities(page)).map((what) => `${view}: ${what}`));
    await page.context().close();
  }
  await server.stop();
  return wrong;
}

async function skewed(browser) {
  const server = await Server.start(home('skewed'));
  await server.send([call('of-now')]);
  const wrong = [];
  for (const hours of [-30, 30]) {
    const page = await open(browser, ABOUT, {});
      await page.clock.setSystemTime(Date.now() + hours * 3_600_000);
    await page.goto(`${server.url}/#/tools`);
    await settled(page);
    if (!(await row(page, 'of-now'))) wrong.push(`${hours} h: what is of now is not shown`);
    await page.context().close();
  }
  await server.stop();
  return wrong;
}

async function failing(browser) {
  const server = await Server.start(home('failing'));
  await server.send([call('behind-it')]);
  const page = await open(browser, ABOUT, { expected: LOST });
  let fails = true;
  const problem = { title: 'the disk is full', detail: 'there is no room in the home', hint: 'make room', status: 503 };
  await page.route(/\/api\/v1\/(?!stream|events)/, (route) =>
    fails ? route.fulfill({ status: 503, contentType: 'application/problem+json', body: JSON.stringify(problem) }) : route.continue(),
  );
  await page.goto(`${server.url}/#/tools`);
  const wrong = [];
  const alert = page.locator('main [role="alert"]').first();
  await alert.waitFor();
  const text = (await alert.innerText()).toLowerCase();
  for (const part of [problem.title, problem.detail, problem.hint]) if (!text.includes(part)) wrong.push(`it does not say: ${part}`);
  fails = false;
  await alert.getByRole('button', { name: 'Retry' }).click();
  await until('its row', () => row(page, 'behind-it'));
  wrong.push(...(await oddities(page)));
  await page.context().close();
  await server.stop();
  return wrong;
}
