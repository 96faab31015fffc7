// Servers under test: on free ports of loopback, each on a home of its own, stopped by
// their id.

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { folder, tacho } from './packages.mjs';

/** For whatever must come: a build server may be slow, and how fast things are is the benches' to say. */
export const PATIENCE_MS = 120_000;
const SHUT = ['--otlp-grpc-port', '--otlp-http-port', '--json-port', '--prometheus-port'];

const homes = path.join(folder, 'homes');
const running = new Set();
/** Processes that were started here and have not ended. */
const children = new Set();

/** Takes charge of a process: however this one ends, that ends too. */
export function own(child) {
  children.add(child);
  child.on('exit', () => children.delete(child));
  return child;
}

// Also after an exception that nobody caught; nothing can be waited for here.
process.on('exit', () => children.forEach((child) => child.kill('SIGTERM')));
for (const [signal, code] of [['SIGHUP', 129], ['SIGINT', 130], ['SIGTERM', 143]]) process.on(signal, () => process.exit(code));

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));

/** Waits until something is so, and returns it. */
export async function until(what, is, ms = PATIENCE_MS) {
  const began = Date.now();
  for (;;) {
    const so = await is();
    if (so) return so;
    if (Date.now() - began > ms) throw new Error(`never: ${what}`);
    await wait(20);
  }
}

/** An empty home of that name. */
export function home(name) {
  const at = path.join(homes, name);
  fs.rmSync(at, { recursive: true, force: true });
  fs.mkdirSync(at, { recursive: true });
  return at;
}

/** A home with the demo's fortnight, up to now or to an instant. */
export function demo(name, asOf) {
  const at = home(name);
  const clock = asOf ? ['--as-of', asOf] : [];
  const made = spawnSync(tacho, ['--home', at, ...clock, 'demo', '--no-serve'], { encoding: 'utf8', env: clean(at) });
  if (made.status !== 0) throw new Error(`tacho demo: ${made.status}: ${made.stderr}`);
  return at;
}

/** Nothing of this machine's settings reaches what is tested. */
export function clean(at) {
  return { PATH: process.env.PATH, HOME: path.dirname(at) };
}

/** A server; `stop()` it. */
export class Server {
  /** Starts `tacho start` on a home, and waits until it answers; settings: more of config.yaml. */
  static async start(at, args = [], port = 0, settings = '') {
    const server = new Server();
    server.home = at;
    const ready = `${at}.ready.json`;
    fs.rmSync(ready, { force: true });
    const doors = SHUT.flatMap((flag) => [flag, '0']);
    const line = ['--home', at, 'start', '--port', String(port), ...doors, '--ready-file', ready, ...args];
    const log = fs.openSync(`${at}.log`, 'a');
    // This machine's own metrics would differ from one look to the next.
    fs.writeFileSync(path.join(at, 'config.yaml'), `collect_system: false\n${settings}`);
    server.child = own(spawn(tacho, line, { env: clean(at), stdio: ['ignore', 'ignore', log] }));
    fs.closeSync(log);
    server.ended = new Promise((done) => server.child.on('exit', done));
    running.add(server);
    server.child.on('exit', () => running.delete(server));
    await until('the server is ready', () => {
      if (server.child.exitCode !== null) throw new Error(`tacho start: ${fs.readFileSync(`${at}.log`, 'utf8')}`);
      return fs.existsSync(ready);
    });
    server.doors = JSON.parse(fs.readFileSync(ready, 'utf8'));
    server.url = `http://${server.doors.dashboard}`;
    server.port = Number(server.doors.dashboard.split(':').pop());
    return server;
  }

  /** Asks it to leave, and waits until it has. */
  async stop() {
    this.child.kill('SIGTERM');
    await this.ended;
  }

  /** An answer of the API. */
  async ask(name, params = {}, token) {
    const query = new URLSearchParams(Object.entries(params).filter(([, value]) => value !== undefined));
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await fetch(`${this.url}/api/v1/${name}?${query}`, { headers });
    const body = await answer.json();
    if (!answer.ok) throw new Error(`${name}: ${answer.status}: ${JSON.stringify(body)}`);
    return body;
  }

  /** Sends events; returns when they are stored. */
  async send(events) {
    const answer = await fetch(`${this.url}/api/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    });
    const body = await answer.text();
    if (!answer.ok) throw new Error(`events: ${answer.status}: ${body}`);
    return JSON.parse(body);
  }
}

let shared;

/** The demo's fortnight, served once for all checks that only look at it. */
export function fortnight() {
  shared ??= Server.start(demo('fortnight'));
  return shared;
}

/** Ends what a failed check may have left behind. */
export async function stopAll() {
  await Promise.all([...running].map((server) => server.stop()));
}
