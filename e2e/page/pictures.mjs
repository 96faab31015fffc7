// The pictures under docs/pictures: every view of the demo, light, dark and on a small
// screen; with names, only those views. The demo's clock stands still at NOW (libfaketime),
// so that the same page gives the same pictures.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { ABOUT, SIZES, launch, oddities, open, settled } from './browser.mjs';
import { folder, place, root, tacho } from './packages.mjs';
import { clean, home, own, until } from './servers.mjs';
import { views } from './views.mjs';

const NOW = '2026-03-19T15:40:00Z';
const OUT = path.join(root, 'docs/pictures');
/** What a picture shows at most, of a page that is longer. */
const LONGEST = { wide: 1400, small: 1400, first: 1100 };
const QUALITY = 0.8;
const KINDS = [
  { kind: 'light', size: 'wide', dark: false },
  { kind: 'dark', size: 'wide', dark: true },
  { kind: '360', size: 'small', dark: false },
];

/** `tacho demo`, as everybody sees it, at an instant that does not pass. */
async function stage() {
  const at = home('pictures');
  const env = {
    ...clean(at),
    TZ: 'UTC',
    LD_PRELOAD: place('TACHOGRAPH_PAGE_FAKETIME'),
    FAKETIME: NOW.replace('T', ' ').replace('Z', ''),
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const log = fs.openSync(`${at}.log`, 'w');
  const child = own(spawn(tacho, ['--home', at, 'demo', '--serve', '--no-open', '--port', '0'], { env, stdio: ['ignore', log, log] }));
  const lock = path.join(at, 'server.lock');
  const told = await until('the demo serves', () => {
    if (child.exitCode !== null) throw new Error(`tacho demo: ${fs.readFileSync(`${at}.log`, 'utf8')}`);
    return fs.existsSync(lock) && fs.readFileSync(lock, 'utf8');
  }, 60_000);
  const url = `http://${JSON.parse(told).dashboard}`;
  const ask = async (name, params) => (await fetch(`${url}/api/v1/${name}?${new URLSearchParams(params)}`)).json();
  // What the invented team does is in the log, and in what lives, before anything is drawn.
  await until('live figures', async () => (await ask('live', { family: 'tool', window: 300 })).series?.length > 0);
  return { url, ask, stop: () => child.kill('SIGTERM') };
}

/** Chromium itself makes the file small: as WebP, which for such pictures is half of PNG. */
async function small(maker, png) {
  const text = await maker.evaluate(async ([base64, quality]) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height);
    canvas.getContext('2d').drawImage(image, 0, 0);
    const webp = await canvas.convertToBlob({ type: 'image/webp', quality });
    const bytes = new Uint8Array(await webp.arrayBuffer());
    return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  }, [png.toString('base64'), QUALITY]);
  return Buffer.from(text, 'base64');
}

async function take(browser, server, { hash }, { size, dark }, longest, scale) {
  const page = await open(browser, ABOUT, { size: SIZES[size], dark, deviceScaleFactor: scale });
  await page.clock.setFixedTime(NOW);
  // The whole story; the views themselves begin with what is newest.
  await page.goto(`${server.url}/${hash}${hash.includes('?') ? '&' : '?'}range=14d`);
  await settled(page);
  await page.waitForTimeout(600);
  await settled(page);
  const wrong = await oddities(page);
  if (wrong.length > 0) throw new Error(`${hash}: ${wrong.join('\n')}`);
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  // As high as what it shows, so that nothing sticks amid it.
  await page.setViewportSize({ width: SIZES[size].width, height: Math.min(Math.max(height, SIZES[size].height), longest) });
  await settled(page);
  const png = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  await page.context().close();
  return png;
}

const wanted = process.argv.slice(2);
const fonts = path.join(root, 'e2e/page/fonts.conf');
const browser = await launch({ FONTCONFIG_FILE: fonts });
const server = await stage();
const maker = await (await browser.newContext()).newPage();
fs.mkdirSync(OUT, { recursive: true });
const seen = path.join(folder, 'pictures');
fs.mkdirSync(seen, { recursive: true });
let total = 0;
try {
  for (const view of await views(server)) {
    if (wanted.length > 0 && !wanted.some((name) => view.name.startsWith(name))) continue;
    for (const kind of KINDS) {
      // The first picture that anybody sees is sharp on every screen.
      const first = view.name === 'overview' && kind.size === 'wide';
      const png = await take(browser, server, view, kind, LONGEST[first ? 'first' : kind.size], first ? 2 : 1);
      const file = await small(maker, png);
      fs.writeFileSync(path.join(seen, `${view.name}-${kind.kind}.png`), png);
      fs.writeFileSync(path.join(OUT, `${view.name}-${kind.kind}.webp`), file);
      total += file.length;
      console.log(`${view.name}-${kind.kind}.webp  ${(file.length / 1000).toFixed(0)} kB`);
    }
  }
} finally {
  await browser.close();
  server.stop();
}
console.log(`${(total / 1e6).toFixed(2)} MB in docs/pictures`);
