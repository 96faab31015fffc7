// A server that asks for a token: the page takes it from the address, and out of it.

import fs from 'node:fs';
import path from 'node:path';

import { oddities, open, settled, violations } from '../browser.mjs';
import { Server, home } from '../servers.mjs';

const EVENT = { event_type: 'tool_call', tool: 'behind-a-token', duration_ms: 3, success: true };

export async function checks(browser) {
  const at = home('token');
  const server = await Server.start(at, ['--require-token']);
  const token = fs.readFileSync(path.join(at, 'token'), 'utf8').trim();
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const sent = await fetch(`${server.url}/api/v1/events`, { method: 'POST', headers, body: JSON.stringify([EVENT]) });
  if (!sent.ok) throw new Error(`${sent.status}: ${await sent.text()}`);
  return [
    ['with it, the page opens and the address forgets it', () => withIt(browser, server, token)],
    ['without it, the page says what is missing', () => without(browser, server)],
    ['with another, the page says that it is another', () => another(browser, server, token)],
  ];
}

async function withIt(browser, server, token) {
  const page = await open(browser, `${server.url}/?token=${token}#/tools`);
  await settled(page);
  await page.getByText(EVENT.tool).first().waitFor();
  const wrong = await oddities(page);
  const address = page.url();
  if (address.includes(token) || address.includes('token=')) wrong.push(`it stays in the address: ${address}`);
  if (!address.includes('#/tools')) wrong.push(`the view is lost: ${address}`);
  const links = await page.evaluate(() => [...document.querySelectorAll('a')].map((link) => link.href));
  if (links.some((link) => link.includes(token))) wrong.push('it is in a link');
  await page.reload();
  await settled(page);
  await page.getByText(EVENT.tool).first().waitFor();
  await page.context().close();
  return wrong;
}

async function without(browser, server) {
  const page = await open(browser, `${server.url}/#/tools`, { expected: ['401', 'WebSocket'] });
  await page.getByText(/token/i).first().waitFor();
  const wrong = await oddities(page);
  if (await page.getByText(EVENT.tool).count()) wrong.push('it shows what it must not');
  await page.context().close();
  return wrong;
}

async function another(browser, server, token) {
  const wrong = [];
  for (const address of [`${server.url}/#/tools`, `${server.url}/?token=WRONG#/tools`, `${server.url}/?token=%D0%9A%E2%80%AE#/tools`]) {
    const page = await open(browser, address, { expected: ['401', 'WebSocket'] });
    const field = page.getByLabel('Token');
    const alert = page.locator('main').getByRole('alert');
    await field.waitFor();
    if (address.includes('?token=')) await alert.waitFor();
    else {
      if (await alert.count()) wrong.push(`before anything is typed it says ${await alert.innerText()}`);
      // No header holds this one.
      await field.fill('Ключ');
      await page.getByRole('button', { name: 'Open' }).click();
      await alert.waitFor();
      await page.reload();
      await field.fill('wrong');
      await page.getByRole('button', { name: 'Open' }).click();
      await alert.waitFor();
    }
    const said = await alert.innerText();
    if (!said.includes("not this server's token")) wrong.push(`it says ${said}`);
    wrong.push(...(await violations(page)));
    await field.fill(token);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText(EVENT.tool).first().waitFor();
    wrong.push(...(await oddities(page)));
    await page.context().close();
  }
  return wrong;
}
