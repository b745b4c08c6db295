// `npm run coverage`: all tests with Node's own coverage, then the share of lines that ran, by folder, against what is asked.
// A line counts when there is code on it: not blank, no comment, no erased type. A file that no test loads counts with nothing run.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { relative } from 'node:path/posix';
import { readSource } from '../test/support/source-text.ts';
import { filesBelow, isTest, ROOT } from '../test/support/source-tree.ts';

/** Least share of lines, 0..1. */
const OVERALL = 0.85;
const BY_FOLDER: Readonly<Record<string, number>> = {
  domain: 0.95,
  engine: 0.95,
  risk: 0.95,
  execution: 0.95,
  portfolio: 0.95,
  journal: 0.95,
};

interface Count {
  lines: number;
  run: number;
}

const folder = mkdtempSync(join(tmpdir(), 'ballast-coverage-'));
try {
  process.exitCode = main(join(folder, 'lcov.info'));
} finally {
  rmSync(folder, { recursive: true });
}

function main(report: string): number {
  const tests = spawnSync(
    process.execPath,
    [
      '--no-warnings',
      '--test',
      '--test-concurrency=2',
      '--experimental-test-coverage',
      '--test-coverage-include=src/**/*.ts',
      '--test-coverage-exclude=src/**/*.{test,contract}.ts',
      '--test-reporter=dot',
      '--test-reporter-destination=stdout',
      '--test-reporter=lcov',
      `--test-reporter-destination=${report}`,
      'src/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    { cwd: ROOT, stdio: 'inherit' },
  );
  const runLines = readReport(readFileSync(report, 'utf8'));
  const folders = new Map<string, Count>();
  const files: { path: string; count: Count }[] = [];
  for (const path of filesBelow('src', '.ts').filter((name) => !isTest(name))) {
    const count = countLines(readFileSync(join(ROOT, path), 'utf8'), runLines.get(path));
    files.push({ path, count });
    const name = path.split('/').length > 2 ? (path.split('/')[1] ?? '') : 'src';
    const sum = folders.get(name) ?? { lines: 0, run: 0 };
    folders.set(name, { lines: sum.lines + count.lines, run: sum.run + count.run });
  }
  const isEnough = print(folders, files);
  if (tests.status !== 0) console.log('\nfound failing tests, expected none (npm test shows them)');
  return isEnough && tests.status === 0 ? 0 : 1;
}

/** By path from the root, the lines that ran: `SF:` names the file, `DA:line,count` a line. */
function readReport(text: string): ReadonlyMap<string, ReadonlySet<number>> {
  const files = new Map<string, Set<number>>();
  let lines = new Set<number>();
  for (const row of text.split('\n')) {
    if (row.startsWith('SF:')) {
      const path = row.slice(3).replaceAll('\\', '/');
      const name = path.startsWith('/') || path.includes(':') ? relative(ROOT, path) : path;
      lines = files.get(name) ?? new Set();
      files.set(name, lines);
    }
    const [line, count] = row.startsWith('DA:') ? row.slice(3).split(',') : [];
    if (Number(count) > 0) lines.add(Number(line));
  }
  return files;
}

function countLines(source: string, runLines: ReadonlySet<number> | undefined): Count {
  const count = { lines: 0, run: 0 };
  const { text } = readSource(stripTypeScriptTypes(source));
  for (const [index, line] of text.split('\n').entries()) {
    // Punctuation alone runs with the line that it ends.
    if (!/\w/.test(line)) continue;
    count.lines++;
    if (runLines?.has(index + 1) === true) count.run++;
  }
  return count;
}

function print(folders: ReadonlyMap<string, Count>, files: readonly { path: string; count: Count }[]): boolean {
  let isEnough = true;
  const total: Count = { lines: 0, run: 0 };
  const row = (name: string, count: Count, least: number | undefined): void => {
    const share = count.lines === 0 ? 1 : count.run / count.lines;
    const isShort = least !== undefined && share < least;
    isEnough &&= !isShort;
    const asked = least === undefined ? '' : percent(least);
    console.log(
      `${name.padEnd(12)}${String(count.lines).padStart(8)}${percent(share).padStart(10)}${asked.padStart(10)}${isShort ? '  SHORT' : ''}`,
    );
  };
  console.log(`\n${'folder'.padEnd(12)}${'lines'.padStart(8)}${'run'.padStart(10)}${'asked'.padStart(10)}`);
  for (const [name, count] of folders) {
    row(name, count, BY_FOLDER[name]);
    total.lines += count.lines;
    total.run += count.run;
  }
  row('overall', total, OVERALL);
  const missing = (count: Count): number => count.lines - count.run;
  const worst = files.filter(({ count }) => missing(count) > 0).toSorted((left, right) => missing(right.count) - missing(left.count));
  if (worst.length > 0) console.log('\nmost lines that never ran:');
  for (const { path, count } of worst.slice(0, 10))
    console.log(`${String(missing(count)).padStart(6)} of ${String(count.lines).padStart(4)}  ${path}`);
  return isEnough;
}

function percent(share: number): string {
  return `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}
