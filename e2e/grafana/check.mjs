// Type-checks the dashboards against Grafana's own types (`@grafana/schema`):
//
//     node check.mjs FOLDER DASHBOARD.json...
//
// FOLDER holds `shape.ts` and `node_modules`. Then it breaks the first dashboard in
// several ways, of which each has to be found.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const [folder, ...dashboards] = process.argv.slice(2);
const ts = createRequire(path.join(path.resolve(folder), 'check.cjs'))('typescript');

const OPTIONS = {
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  target: ts.ScriptTarget.ES2022,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  types: [],
};

/** Each breaks a dashboard; what it is called says how. */
const BREAKS = {
  'a key that no dashboard has': (board) => (board.refreshes = '5s'),
  'an id, which is of one database': (board) => (board.id = 7),
  'a kind of panel that is not there': (board) => (of(board, 'stat').type = 'status'),
  'a panel without a description': (board) => delete of(board, 'stat').description,
  'a panel without a unit': (board) => delete of(board, 'stat').fieldConfig.defaults.unit,
  'a wrong word among options': (board) => (of(board, 'stat').options.graphMode = 'bars'),
  'an option that is not there': (board) => (of(board, 'timeseries').options.legends = {}),
  'a wrong way to draw': (board) =>
    (of(board, 'timeseries').fieldConfig.defaults.custom.drawStyle = 'lines'),
  'thresholds without steps': (board) =>
    delete of(board, 'timeseries').fieldConfig.defaults.thresholds.steps,
  'a width in words': (board) => (of(board, 'timeseries').gridPos.w = '8'),
  'a fixed data source': (board) => (of(board, 'stat').datasource.uid = 'mine'),
  'a query without an expression': (board) => delete of(board, 'stat').targets[0].expr,
  'a variable of an unknown kind': (board) => (board.templating.list[0].type = 'source'),
  'a time of refresh that is not there': (board) => (board.templating.list[0].refresh = 9),
};

let passed = 0;
let failed = 0;

/** The first panel of a kind. */
function of(board, type) {
  const found = board.panels.find((panel) => panel.type === type);
  if (!found) throw new Error(`no ${type} to break`);
  return found;
}

/** What each of the boards has wrong, by name. */
function faults(boards) {
  const names = Object.keys(boards);
  const files = names.map((_, at) => path.join(folder, `board-${at}.ts`));
  names.forEach((name, at) => {
    // A literal in the text, so that keys too many are found as well.
    const text = JSON.stringify(boards[name], null, 1);
    const source = `import type { Ours } from './shape';\nexport const board = ${text} satisfies Ours;\n`;
    fs.writeFileSync(files[at], source);
  });
  const program = ts.createProgram(files, OPTIONS);
  const general = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  const shape = program.getSourceFile(path.join(folder, 'shape.ts'));
  general.push(...program.getSemanticDiagnostics(shape));
  if (general.length > 0) throw new Error(said(general[0]));
  const found = names.map((name, at) => {
    const file = program.getSourceFile(files[at]);
    const all = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)];
    return [name, all.map(said)];
  });
  return Object.fromEntries(found);
}

function said(diagnostic) {
  const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n  ');
  if (!diagnostic.file) return text;
  const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start);
  // The text has one line before the JSON, which has as many lines as the file.
  return `line ${line}: ${text}`;
}

function check(what, holds, detail) {
  if (holds) {
    passed += 1;
    console.log(`  ok      ${what}`);
  } else {
    failed += 1;
    console.log(`  FAILED  ${what}${detail ? `\n${detail}` : ''}`);
  }
}

const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));
const boards = Object.fromEntries(dashboards.map((file) => [path.basename(file), read(file)]));
for (const [name, wrong] of Object.entries(faults(boards))) {
  check(`${name} is a dashboard of Grafana's`, wrong.length === 0, wrong.join('\n'));
}
const broken = Object.entries(BREAKS).map(([what, breaks]) => {
  const board = read(dashboards[0]);
  breaks(board);
  return [what, board];
});
for (const [what, wrong] of Object.entries(faults(Object.fromEntries(broken)))) {
  check(`found: ${what}`, wrong.length > 0);
}
const word = failed ? 'FAILED' : 'ok';
console.log(`test result: ${word}. ${passed} passed; ${failed} failed; of the dashboards' types`);
process.exitCode = failed ? 1 : 0;
