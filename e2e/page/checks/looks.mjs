// Every view in light and dark, wide and small, on the demo's data.

import { SIZES, layout, oddities, open, settled, violations } from '../browser.mjs';
import { fortnight } from '../servers.mjs';
import { views } from '../views.mjs';

export async function checks(browser) {
  const server = await fortnight();
  const all = await views(server);
  return all.flatMap(({ name, hash }) =>
    Object.entries(SIZES).map(([size, viewport]) => [`${name}, ${size}, light and dark`, () => look(browser, server, hash, viewport)]),
  );
}

async function look(browser, server, hash, size) {
  const wrong = [];
  const page = await open(browser, `${server.url}/${hash}`, { size });
  await settled(page);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await settled(page);
    const found = [...(await violations(page)), ...(await layout(page))];
    wrong.push(...found.map((what) => `${colorScheme}: ${what}`));
  }
  // The tables beside the charts have to fit, too.
  await page.evaluate(() => document.querySelectorAll('figcaption button[aria-expanded="false"]').forEach((button) => button.click()));
  await settled(page);
  const found = [...(await violations(page)), ...(await layout(page))];
  wrong.push(...found.map((what) => `tables: ${what}`), ...(await oddities(page)));
  await page.context().close();
  return wrong;
}
