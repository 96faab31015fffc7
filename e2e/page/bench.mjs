// What the page costs, measured in Chromium: `cargo xtask bench page/NAME` runs it with the
// release binary, `cargo xtask page bench NAME` with that of the tests. Each row is a line
// of JSON: what, asked, measured.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { gzipSync } from 'node:zlib';

import { launch, open, settled } from './browser.mjs';
import { tacho } from './packages.mjs';
import { Server, clean, demo, home, own, until, wait } from './servers.mjs';
import { NAV } from './views.mjs';

/** The present in milliseconds, finer than Date.now(), and the same as in the browser. */
const now = () => performance.timeOrigin + performance.now();

const row = (what, asked, measured) => console.log(JSON.stringify({ what, asked, measured }));
const ms = (value) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;

function part(all, share) {
  const sorted = [...all].sort((a, b) => a - b);
  return sorted[Math.round(share * (sorted.length - 1))];
}

const BENCHES = { 'first-paint': firstPaint, weight, visible, live, month };

/** From the start of the process to what is seen, each time with a cold cache. */
async function firstPaint(browser) {
  const at = demo('first-paint');
  const [paints, figures] = [[], []];
  for (let round = 0; round < 9; round += 1) {
    const ready = `${at}.ready.json`;
    fs.rmSync(ready, { force: true });
    const doors = ['', 'otlp-grpc-', 'otlp-http-', 'json-', 'prometheus-'].flatMap((door) => [`--${door}port`, '0']);
    const began = now();
    const child = own(spawn(tacho, ['--home', at, 'start', ...doors, '--ready-file', ready], { env: clean(at), stdio: 'ignore' }));
    while (!fs.existsSync(ready)) await wait(1);
    const { dashboard } = JSON.parse(fs.readFileSync(ready, 'utf8'));
    const page = await open(browser, `http://${dashboard}/`);
    const painted = await page.evaluate(
      () =>
        new Promise((done) => {
          const look = (list) => {
            const paint = list.getEntriesByName('first-contentful-paint')[0];
            if (paint) done(performance.timeOrigin + paint.startTime);
          };
          new PerformanceObserver(look).observe({ type: 'paint', buffered: true });
        }),
    );
    paints.push(painted - began);
    await page.locator('main canvas').first().waitFor();
    figures.push(now() - began);
    await page.context().close();
    child.kill('SIGTERM');
    await new Promise((done) => child.on('exit', done));
  }
  row('start of the process to the first contentful paint', '≤ 500 ms', `${ms(part(paints, 0.5))} (worst of 9: ${ms(Math.max(...paints))})`);
  row('start of the process to the first chart, a fortnight', '–', ms(part(figures, 0.5)));
}

/** Every file of the page, as it goes over the wire. */
async function weight(browser) {
  const server = await Server.start(demo('weight'));
  const page = await open(browser, 'about:blank');
  const files = new Map();
  const read = [];
  let beginning = null;
  page.on('response', (response) => {
    const url = new URL(response.url());
    if (url.protocol.startsWith('http') && !url.pathname.includes('/api/v1')) {
      read.push(response.body().then((body) => files.set(url.pathname, gzipSync(body, { level: 9 }).length)));
    }
  });
  await page.goto(server.url);
  await settled(page);
  await Promise.all(read);
  const total = () => [...files.values()].reduce((sum, bytes) => sum + bytes, 0);
  beginning = [files.size, total()];
  for (const view of NAV) {
    await page.evaluate((to) => (location.hash = `#/${to}`), view);
    await settled(page);
  }
  await page.evaluate(() => (location.hash = '#/sessions'));
  await settled(page);
  await page.locator('tbody a').first().click();
  await settled(page);
  await Promise.all(read);
  const kilo = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
  row('the whole page, all views, gzip', '≤ 150 kB', `${kilo(total())} in ${files.size} files`);
  row('of which the overview needs', '–', `${kilo(beginning[1])} in ${beginning[0]} files`);
  await page.context().close();
  await server.stop();
}

/** From the acknowledgement of an event to its name on the screen. */
async function visible(browser) {
  const server = await Server.start(home('visible'));
  await server.send([{ event_type: 'tool_call', tool: 'before', duration_ms: 1, success: true }]);
  const page = await open(browser, `${server.url}/#/tools`);
  await settled(page);
  await page.getByText('before').first().waitFor();
  // Noted with the picture that shows it.
  await page.evaluate(() => {
    window.shown = {};
    let left = '';
    new MutationObserver(() => {
      const text = document.querySelector('main').textContent;
      for (const [name] of text.matchAll(/probe-\d+-/g)) {
        if (name in window.shown) continue;
        window.shown[name] = null;
        requestAnimationFrame(() => requestAnimationFrame(() => (window.shown[name] = performance.timeOrigin + performance.now())));
      }
      left = text;
    }).observe(document.querySelector('main'), { childList: true, subtree: true, characterData: true });
    return left;
  });
  const took = [];
  for (let round = 0; round < 100; round += 1) {
    const name = `probe-${round}-`;
    await server.send([{ event_type: 'tool_call', tool: name, duration_ms: 1.5, success: true }]);
    const acknowledged = now();
    const shown = await until(`${name} is on the screen`, () => page.evaluate((of) => window.shown[of] ?? 0, name), 35_000);
    took.push(shown - acknowledged);
    // Not in step with the stream's beat.
    await wait(50 + (round * 37) % 200);
  }
  row('acknowledged to on screen', 'p99 ≤ 300 ms', `p50 ${ms(part(took, 0.5))}, p99 ${ms(part(took, 0.99))}`);
  await page.context().close();
  await server.stop();
}

/** What ten thousand events a second cost the page that shows them. */
async function live(browser) {
  const seconds = Number(process.env.TACHOGRAPH_PAGE_SECONDS ?? 20);
  const perSecond = 10_000;
  const batch = 500;
  const server = await Server.start(home('live'));
  const events = Array.from({ length: batch }, (_, at) =>
    at % 3 === 0
      ? { event_type: 'llm_call', provider: 'anthropic', model: `model-${at % 5}`, duration_ms: 400 + at, success: true, input_tokens: 900, output_tokens: 80, cost_usd: 0.004 }
      : { event_type: 'tool_call', tool: `tool-${at % 40}`, duration_ms: 1 + (at % 97), success: at % 50 !== 0 },
  );
  const body = JSON.stringify(events);
  const post = () => fetch(`${server.url}/api/v1/events`, { method: 'POST', headers: { 'content-type': 'application/json' }, body }).then((answer) => answer.text());
  await post();
  const page = await open(browser, `${server.url}/#/overview?range=15m`);
  await settled(page);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('Performance.enable');
  const metrics = async () => {
    const { metrics: all } = await cdp.send('Performance.getMetrics');
    return Object.fromEntries(all.map(({ name, value }) => [name, value]));
  };
  const heap = async () => {
    await cdp.send('HeapProfiler.collectGarbage');
    return (await metrics()).JSHeapUsedSize;
  };
  let sent = 0;
  const flow = async (until) => {
    const began = now();
    const from = sent;
    while (now() < until) {
      const due = from + ((now() - began) / 1000) * perSecond;
      if (sent >= due) await wait(5);
      else {
        await post();
        sent += batch;
      }
    }
  };
  // Charts and tables have their size before it is measured.
  await flow(now() + 5000);
  const before = await heap();
  const [first, began, sentBefore] = [await metrics(), now(), sent];
  await flow(began + seconds * 1000);
  const [last, took] = [await metrics(), (now() - began) / 1000];
  const rate = (sent - sentBefore) / took;
  const after = await heap();
  const busy = (last.TaskDuration - first.TaskDuration) / took;
  const growth = (after - before) / 1e6;
  row(`main thread busy at ${Math.round(rate / 100) * 100} events/s for ${Math.round(took)} s`, '≤ 20 %', `${(busy * 100).toFixed(1)} % (scripts ${(((last.ScriptDuration - first.ScriptDuration) / took) * 100).toFixed(1)} %)`);
  row('growth of the heap in that time', 'flat', `${growth < 0 ? '' : '+'}${growth.toFixed(2)} MB, from ${(before / 1e6).toFixed(1)} MB`);
  await page.context().close();
  await server.stop();
}

/** Each view over thirty days of a large store, the server warm or not. */
async function month(browser) {
  const at = process.env.TACHOGRAPH_PAGE_HOME;
  const end = process.env.TACHOGRAPH_PAGE_END;
  if (!at || !end) throw new Error('`cargo xtask bench page/month` says which store');
  const server = await Server.start(at);
  const range = `from=${encodeURIComponent(new Date(Date.parse(end) - 30 * 86_400_000).toISOString())}&to=${encodeURIComponent(end)}`;
  const page = await open(browser, `${server.url}/#/sql?${range}`);
  await settled(page);
  const took = async (view) => {
    const began = now();
    await page.evaluate((to) => (location.hash = to), `#/${view}?${range}`);
    await page.waitForFunction(
      (to) => location.hash.startsWith(to) && document.querySelector('main h2') && !document.querySelector('main [aria-busy="true"]') && document.querySelector('main canvas, main table'),
      `#/${view}`,
      { polling: 'raf', timeout: 120_000 },
    );
    return now() - began;
  };
  for (const view of NAV.filter((name) => !['sql', 'alerts'].includes(name))) {
    const first = await took(view);
    const again = [];
    for (let round = 0; round < 3; round += 1) {
      // Without what the page remembers.
      await page.reload();
      await page.evaluate((to) => (location.hash = to), `#/sql?${range}`);
      await settled(page);
      again.push(await took(view));
    }
    row(`${view} over 30 days of 10 M events, interactive`, '≤ 300 ms', `${ms(part(again, 0.5))} (first ${ms(first)})`);
  }
  await page.context().close();
  await server.stop();
}

const browser = await launch();
try {
  for (const name of process.argv.slice(2)) await BENCHES[name](browser);
} finally {
  await browser.close();
}
