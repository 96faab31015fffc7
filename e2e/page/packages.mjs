// The pinned packages and the browser, from where `cargo xtask page` has put them.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** A named place of the environment; what runs these files without it says so. */
export function place(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: \`cargo xtask page\` runs this`);
  return path.resolve(value);
}

/** Where `node_modules` lies, and everything that a run leaves behind. */
export const folder = place('TACHOGRAPH_PAGE_FOLDER');
/** The root of the workspace. */
export const root = place('TACHOGRAPH_PAGE_ROOT');
/** The binary under test. */
export const tacho = place('TACHOGRAPH_PAGE_TACHO');

const require = createRequire(path.join(folder, 'from-here.cjs'));

export const { chromium } = require('playwright-core');
export const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
export const tsc = require.resolve('typescript/bin/tsc');

/** A module of the page, as the browser loads it. */
export const ofPage = (name) => import(path.join(root, 'crates/serve/page', name));
