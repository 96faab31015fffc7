// A run that is cut off: by a signal, or by an error that nobody caught.

import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { PATIENCE_MS, home, until } from '../servers.mjs';

const servers = JSON.stringify(new URL('../servers.mjs', import.meta.url).href);

const WAYS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  [null, 1],
];

/** Whether there is such a process. */
function lives(id) {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

async function cut([signal, code]) {
  // A run of its own: it starts a server, tells its id, and stays until it is ended or fails.
  const then = signal ? 'setInterval(() => {}, 1000)' : 'throw new Error("on purpose")';
  const text = `const { Server } = await import(${servers});
    const { child } = await Server.start(${JSON.stringify(home(`cut-off-${signal ?? 'error'}`))});
    console.log(child.pid);
    ${then};`;
  const run = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(run, 'exit');
  let said = '';
  run.stdout.on('data', (some) => {
    said += some;
  });
  let id = 0;
  try {
    await until('the server is told', () => said.endsWith('\n'));
    id = Number(said);
    if (signal) run.kill(signal);
    const [status] = await ended;
    const wrong = status === code ? [] : [`it ends with ${status}, not ${code}`];
    await until('the server has ended', () => !lives(id), PATIENCE_MS);
    return wrong;
  } finally {
    run.kill('SIGKILL');
    // Where the check fails, what it looked for is still there.
    if (id > 0 && lives(id)) process.kill(id, 'SIGKILL');
  }
}

export function checks() {
  return WAYS.map((way) => [`after ${way[0] ?? 'an error'} no server is left`, () => cut(way)]);
}
