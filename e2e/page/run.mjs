// The page in a browser, beside what the API says: `cargo xtask page` runs it, with the
// names of checks, or all. Ends with a line of results, as `cargo test` does.
//
// checks/NAME.mjs exports `checks`: a list of [what is so, how it is tried], each tried by
// itself; one that throws, or returns a list with something in it, has failed.

import { launch } from './browser.mjs';
import { stopAll } from './servers.mjs';

const PARTS = ['code', 'cut-off', 'looks', 'twins', 'keyboard', 'links', 'empty', 'hostile', 'odd', 'discovery', 'alerts', 'trace', 'faults', 'token'];
/** So many checks at once: as many as the machine of the tests has cores. */
const HANDS = 2;

const wanted = process.argv.slice(2);
const parts = PARTS.filter((part) => wanted.length === 0 || wanted.some((name) => part.startsWith(name)));
const browser = await launch();
const began = Date.now();
const queue = [];
for (const part of parts) {
  const { checks } = await import(`./checks/${part}.mjs`);
  queue.push(...(await checks(browser)).map(([what, tried]) => [`${part}: ${what}`, tried]));
}
let passed = 0;
let failed = 0;

async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) {
    const [what, tried] = next;
    const from = Date.now();
    let wrong;
    try {
      wrong = (await tried()) ?? [];
    } catch (error) {
      // Without the browser's own talk, which says nothing of the page.
      wrong = [String(error.stack ?? error).replace(/\nBrowser logs:[^]*/, '')];
    }
    const took = `${((Date.now() - from) / 1000).toFixed(1)} s`;
    if (wrong.length === 0) {
      passed += 1;
      console.log(`  ok      ${what} (${took})`);
    } else {
      failed += 1;
      console.log(`  FAILED  ${what} (${took})\n${wrong.map((line) => `            ${line}`).join('\n')}`);
    }
  }
}

await Promise.all(Array.from({ length: HANDS }, work));
await browser.close();
await stopAll();
const word = failed ? 'FAILED' : 'ok';
const took = ((Date.now() - began) / 1000).toFixed(0);
console.log(`test result: ${word}. ${passed} passed; ${failed} failed; of the page, in ${took} s`);
process.exitCode = failed ? 1 : 0;
