// The page's own code: its types, and what of it needs no browser.

import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import { root, tsc } from '../packages.mjs';

const page = path.join(root, 'crates/serve/page');

/** What a program says when it fails; nothing when it does not. */
function failing(args) {
  return new Promise((done) => {
    execFile(process.execPath, args, { cwd: page, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      done(error ? [(stdout + stderr).trim().split('\n').slice(0, 60).join('\n            ')] : []);
    });
  });
}

/** Those files below a folder that end so. */
function below(folder, end) {
  const all = fs.existsSync(folder) ? fs.readdirSync(folder, { recursive: true }) : [];
  return all.filter((name) => name.endsWith(end)).map((name) => path.join(folder, name));
}

export function checks() {
  const tests = [...below(path.join(root, 'crates/serve/tests/page'), '.mjs'), ...below(page, '.test.mjs')];
  return [
    ['its types hold', () => failing([tsc, '--project', page])],
    ['its pure modules do what their tests say', () => (tests.length ? failing(['--test', ...tests]) : ['there are no tests'])],
  ];
}
