// Strategies, features and columns in files of their own, each with one leak planted, through the command as its users have it.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { FoundLeak, LookaheadDocument } from '../../src/app/lookahead.ts';
import { fakeTerminal } from '../../src/cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { isOnBars } from '../../src/domain/feature.ts';
import { forecaster } from '../../src/domain/strategy.ts';
import { strategies } from '../../src/forecasts/strategies/index.ts';
import { ballast, temporaryFolder, temporaryHome } from '../support/run-app.ts';
import { ROOT } from '../support/source-tree.ts';

const home = temporaryFolder('lookahead');

async function command(
  ...words: readonly string[]
): Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }> {
  const terminal = fakeTerminal();
  const exitCode = await runCommandLine(['lookahead', ...words, '--home', home], terminal);
  return { exitCode, stdout: terminal.stdout.text(), stderr: terminal.stderr.text() };
}

async function examined(
  ...words: readonly string[]
): Promise<{ readonly exitCode: number; readonly document: LookaheadDocument; readonly leaks: readonly FoundLeak[] }> {
  const { exitCode, stdout, stderr } = await command(...words, '--bars', '150', '--json');
  assert.notEqual(stdout, '', stderr);
  const document = JSON.parse(stdout) as LookaheadDocument;
  return { exitCode, document, leaks: document.subjects.flatMap(({ leaks }) => leaks) };
}

const planted = (name: string): string => join(ROOT, 'test', 'leaks', `${name}.ts`);

describe('planted leaks', () => {
  /** By file: the kind, the column that leaks first, and what it reads. */
  const expected: Readonly<Record<string, readonly [kind: string, column: string, reads: RegExp]>> = {
    'as-of-join': ['as-of join', 'number', /releases\.csv$/],
    'next-release': ['outside future', 'number', /releases\.csv$/],
    // Its file has the bar that has opened and is not over: opened is not known.
    'own-future': ['as-of join', 'number', /bars\.json$/],
    'outside-columns': ['as-of join', 'as-of', /^releases$/],
    'module-state': ['module state', 'number', /^$/],
    'wall-clock': ['not repeatable', 'number', /^$/],
    'own-bar': ['own bar', 'leaking', /^high of BTC\/USDT:USDT$/],
    model: ['in-sample', 'feature', /^$/],
    features: ['as-of join', 'release', /releases\.csv$/],
  };
  for (const [name, [kind, column, reads]] of Object.entries(expected)) {
    test(`${name}: ${kind}, of ${column}, from its first bar on`, async () => {
      const { exitCode, leaks, document } = await examined(planted(name), '--cuts', '20');
      assert.equal(exitCode, 1);
      assert.equal(document.isClean, false);
      const [first] = leaks;
      assert.ok(first !== undefined);
      assert.deepEqual([first.kind, first.column, first.bar], [kind, column, 0]);
      assert.match(first.reads[0] ?? '', reads);
      assert.match(first.at, /^\d{4}-\d\d-\d\dT\d\d:00:00Z$/);
    });
  }

  test('of columns beside each other only those that leak are named', async () => {
    const { leaks } = await examined(planted('outside-columns'), '--cuts', '20');
    assert.deepEqual([...new Set(leaks.map(({ column }) => column))], ['as-of']);
    const { leaks: ofFeatures } = await examined(planted('features'), '--cuts', '20');
    assert.ok(ofFeatures.every(({ column }) => column.startsWith('release')));
  });

  test('a label is called one, beside the bars that were learned from', async () => {
    const { leaks } = await examined(planted('model'));
    assert.deepEqual(
      leaks.map(({ kind }) => kind),
      ['in-sample', 'label'],
    );
  });

  test('a way to data that cannot be watched is no clean bill', async () => {
    const { exitCode, document } = await examined(planted('database'));
    assert.equal(exitCode, 1);
    assert.deepEqual(document.subjects[0]?.unwatched, ['node:sqlite']);
    assert.deepEqual(document.subjects[0].leaks, []);
  });
});

describe('packages', () => {
  const folder = join(home, 'with-packages');
  const pack = (name: string, files: Readonly<Record<string, string>>): void => {
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(join(folder, 'node_modules', name), { recursive: true });
      writeFileSync(join(folder, 'node_modules', name, file), text);
    }
  };
  pack('pure', {
    'package.json': '{"type":"module","exports":"./index.js"}',
    'index.js': "export { twice } from './twice.js';",
    'twice.js': 'export const twice = (x) => 2 * x;',
  });
  pack('reader', {
    'package.json': '{"main":"index.js"}',
    'index.js': "module.exports = require('./deep.js');",
    'deep.js': "require('fs'); exports.twice = (x) => 2 * x;",
  });
  for (const [name, unwatched] of [
    ['pure', []],
    ['reader', ['the package reader, which has node:fs']],
  ] as const) {
    test(`${name}: ${unwatched.length === 0 ? 'mathematics is no way to data' : 'one that reads files cannot be watched'}`, async () => {
      const file = join(folder, `${name}.ts`);
      writeFileSync(file, `import { twice } from '${name}';\nexport const columns = ({ close }) => close.map(twice);\n`);
      for (let time = 0; time < 2; time++) {
        const { document, exitCode } = await examined(file, '--cuts', '5');
        assert.deepEqual(document.subjects[0]?.unwatched, unwatched);
        assert.deepEqual([exitCode, document.subjects[0].leaks], [unwatched.length, []]);
      }
    });
  }
});

describe('what does not leak', () => {
  const onBars = strategies.filter((strategy) =>
    Object.values(forecaster(strategy, strategy.parameters.parse({})).features).every(isOnBars),
  );

  test('what lives on books and rates is told that there are none here', async () => {
    for (const name of ['book-imbalance', 'funding-carry']) {
      assert.ok(!onBars.some((strategy) => strategy.name === name));
      const { code, stderr } = await ballast(temporaryHome('lookahead-fed'), 'lookahead', name);
      assert.equal(code, 2);
      assert.match(stderr, /found one that lives on books or funding rates, expected features of bars/);
    }
  });

  for (const { name } of onBars) {
    test(`${name} is clean`, async () => {
      // The fits of many copulas would take longer than all the others together.
      const lighter = name === 'copula-pairs' ? ['--params', 'formation=120,trading=120'] : [];
      const { exitCode, document } = await examined(name, '--cuts', '10', ...lighter);
      assert.equal(exitCode, 0);
      assert.deepEqual(document.subjects[0]?.leaks, []);
      assert.deepEqual(document.subjects[0].notes, []);
    });
  }

  test('a join by when it was known is clean, and its file was looked at', async () => {
    const { exitCode, document } = await examined(planted('known-join'), '--cuts', '20');
    assert.equal(exitCode, 0);
    assert.ok((document.subjects[0]?.outsideCuts ?? 0) > 10);
  });

  test("the documentation's own strategy is clean, whatever its parameters", async () => {
    const file = join(ROOT, 'examples', 'own-strategy.ts');
    assert.equal((await examined(file, '--params', 'trendWindow=20', '--cuts', '10')).exitCode, 0);
  });

  test('a packed file is no file without times: it cannot be watched', async () => {
    const { exitCode, document } = await examined(planted('packed-bars'));
    assert.equal(exitCode, 1);
    assert.match(document.subjects[0]?.unwatched.join() ?? '', /packed-bars\.csv\.gz \(packed data\)/);
  });

  test('a file without times is left as it is, and that is said', async () => {
    const { exitCode, document } = await examined(planted('weights'));
    assert.equal(exitCode, 0);
    assert.match(document.subjects[0]?.notes.join() ?? '', /weights\.json, in which no rows with times were found/);
  });
});

describe('as a command', () => {
  test('the words name the leak, its column, its first bar and what it reads', async () => {
    const { exitCode, stdout } = await command(planted('own-bar'), '--bars', '100');
    assert.equal(exitCode, 1);
    assert.match(stdout, /own bar: leaking at 2026-01-01T00:00:00Z \(bar 0\) is used at a bar's open/);
    assert.match(stdout, /1 bar ahead, reads high of BTC\/USDT:USDT/);
    assert.match(stdout, /NOT clean$/m);
  });

  test('stored bars instead of the synthetic market', async () => {
    const rows = Array.from({ length: 400 }, (_, row) => {
      const price = 100 + 10 * Math.sin(row / 7) + (row % 5);
      return `${Date.UTC(2024, 0, 1) + row * 3_600_000},${price},${price + 2},${price - 2},${price + 1},${10 + row}`;
    });
    const file = join(home, 'bars.csv');
    writeFileSync(file, ['time,open,high,low,close,volume', ...rows].join('\n'));
    const words = ['--format', 'csv', '--venue', 'test', '--symbol', 'BTC/USDT', '--timeframe', '1h', '--home', home];
    assert.equal(await runCommandLine(['data', 'import', file, ...words], fakeTerminal()), 0);
    const stored = ['--symbols', 'BTC/USDT', '--timeframe', '1h'] as const;
    const { document, leaks } = await examined(planted('own-bar'), ...stored, '--from', '2024-01-02');
    assert.deepEqual([document.market, leaks[0]?.kind, leaks[0]?.at], ['stored', 'own bar', '2024-01-02T00:00:00Z']);
    assert.equal((await examined('trend', ...stored, '--cuts', '5')).exitCode, 0);
    const pair = await command('trend', '--symbols', 'BTC/USDT,ETH/USDT');
    assert.equal(pair.exitCode, 2);
    assert.match(pair.stderr, /--symbols: found BTC\/USDT, ETH\/USDT, expected one symbol/);
    const few = await command('trend', ...stored, '--to', '2024-01-02');
    assert.match(few.stderr, /found 24 bars that all of BTC\/USDT have, expected at least 100/);
    assert.equal(few.exitCode, 2);
  });

  test('what is wrong with the words or the file is said, with exit code 2', async () => {
    const nothing = join(home, 'nothing.ts');
    writeFileSync(nothing, 'export const answer = 42;\n');
    const short = join(home, 'short.ts');
    writeFileSync(short, 'export const columns = (bars) => bars.close.slice(1);\n');
    for (const [words, message] of [
      [['no-such'], /no-such/],
      [[nothing], /found the exports answer, expected a strategy as default or `strategy`/],
      [[short], /found \d+ values for \d+ bars, expected a Float64Array/],
      [['trend', '--from', '2024-01-01'], /--symbols/],
      [['trend', '--bars', '5'], /--bars/],
    ] as const) {
      const { exitCode, stderr } = await command(...words);
      assert.equal(exitCode, 2, stderr);
      assert.match(stderr, message);
    }
  });

  test('what throws on the true bars is told by name and time, with exit code 1', async () => {
    const file = join(home, 'throws.ts');
    writeFileSync(file, "export const columns = () => { throw new Error('no idea'); };\n");
    const { exitCode, stderr } = await command(file);
    assert.equal(exitCode, 1);
    assert.match(stderr, /columns columns: found no idea, expected an answer at every bar/);
  });
});
