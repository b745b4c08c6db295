// The command line as people start it: through the launcher, in a process of its own, in a folder of its own.
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { failureSchema, runStatusSchema } from '../../src/api/contract.ts';
import { ROOT } from '../support/source-tree.ts';

const LAUNCHER = join(ROOT, 'bin/ballast.js');
/** A launcher that believes in an old Node starts the pinned one. */
const OLD = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;

let home = '';
before(() => (home = mkdtempSync(join(tmpdir(), 'ballast-e2e-'))));
after(() => rmSync(home, { recursive: true }));

interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function ballast(...words: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, ...words], {
    cwd: home,
    env: { ...process.env, BALLAST_HOME: '' },
    encoding: 'utf8',
  });
  return { exitCode: status, stdout, stderr };
}

interface Started {
  readonly process: ChildProcess;
  /** Resolves once the output matches. */
  readonly says: (pattern: RegExp) => Promise<RegExpMatchArray>;
  readonly ends: Promise<Ended>;
}

function start(...words: readonly string[]): Started {
  const child = spawn(process.execPath, [LAUNCHER, ...words], { cwd: home, env: { ...process.env, BALLAST_HOME: '' } });
  let stdout = '';
  let stderr = '';
  const listeners = new Set<() => void>();
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', () => listeners.forEach((listener) => listener()));
  const ends = new Promise<Ended>((resolve) => child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr })));
  const says = (pattern: RegExp): Promise<RegExpMatchArray> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const match = (stdout + stderr).match(pattern);
        if (match === null) return;
        listeners.delete(look);
        resolve(match);
      };
      listeners.add(look);
      look();
      void ends.then(() => reject(new Error(`it ended without ${pattern}:\n${stdout}${stderr}`)));
    });
  return { process: child, says, ends };
}

/** The quickest of six starts: what other programs on this machine take away is not the program's. */
function quickestMs(...words: readonly string[]): number {
  const times = Array.from({ length: 6 }, () => {
    const began = performance.now();
    const { status } = spawnSync(process.execPath, words, { cwd: home });
    assert.equal(status, 0);
    return performance.now() - began;
  });
  return Math.min(...times);
}

/** What a bare start of the pinned Node takes on a quiet machine, with a reserve. */
const BARE_START_MS = 50;

describe('help', () => {
  test('is there within 150 ms under the pinned Node, and within 300 ms through the launcher', (t) => {
    // On a machine where Node alone takes longer, so may everything.
    const busy = Math.max(1, quickestMs('--eval', '0') / BARE_START_MS);
    const pinned = quickestMs(LAUNCHER, '--help');
    const launched = quickestMs('--import', OLD, LAUNCHER, '--help');
    t.diagnostic(
      `pinned Node ${pinned.toFixed(0)} ms, launcher ${launched.toFixed(0)} ms, on a machine ${busy.toFixed(1)} times as busy as it may be`,
    );
    assert.ok(pinned < 150 * busy, `found ${pinned.toFixed(0)} ms under the pinned Node`);
    assert.ok(launched < 300 * busy, `found ${launched.toFixed(0)} ms through the launcher`);
  });

  test('loads nothing that a command alone needs', () => {
    const { stdout } = spawnSync(process.execPath, ['--import', LOADED_MODULES, LAUNCHER, '--help'], { cwd: home, encoding: 'utf8' });
    const loaded = stdout.split('\n').filter((line) => line.startsWith('loaded '));
    assert.ok(loaded.length > 0, 'the modules were listed');
    const packages = loaded.filter((line) => line.includes('/node_modules/') && !line.includes('/commander/'));
    assert.deepEqual(packages, []);
    const ours = loaded.filter((line) => line.includes('/src/') && !/\/src\/(cli\/[\w-]+|domain\/(errors|words))\.ts$/.test(line));
    assert.deepEqual(ours, []);
  });
});

/** Prints every file that Node loads. */
const LOADED_MODULES = `data:text/javascript,${encodeURIComponent(`
import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { if (url.startsWith('file:')) console.log('loaded ' + url); return next(url, context); } });
`)}`;

describe('an error', () => {
  for (const [line, message] of [
    ['papr', /did you mean paper\?/],
    ['paper --speeed 3', /did you mean --speed\?/],
    ['backtest --strategy trend --symbols BTC/USDT --timeframe 9q', /^error: --timeframe: found "9q"/],
    ['backtest --strategy trend --symbols BTC/USDT --timeframe 1h --from 2023-01-01 --to 2021-01-01', /a reversed range/],
    ['backtest --strategy nope --symbols BTC/USDT --timeframe 1h', /^error: /],
    ['paper --config nowhere.yaml', /^error: --config nowhere\.yaml: found no such file/],
    ['paper --strategy nope --port 0', /^error: strategy: found "nope", expected one of trend, [a-z, -]+mean-reversion/],
    ['paper --symbols FOO/BAR --port 0', /found "FOO\/BAR", expected one of/],
  ] as const) {
    test(`of ballast ${line} is exit 2 with one message and no stack trace`, () => {
      for (const json of [[], ['--json']]) {
        const { exitCode, stdout, stderr } = ballast(...line.split(' '), ...json);
        assert.equal(exitCode, 2, stderr);
        assert.match(stderr, message);
        assert.doesNotMatch(stderr, /\n\s+at |ExperimentalWarning/);
        if (json.length === 0) assert.equal(stdout, '');
        else failureSchema.parse(JSON.parse(stdout));
      }
    });
  }

  test('of a config names file, line, column and field', () => {
    writeFileSync(join(home, 'wrong.yaml'), 'risk:\n  leverageRatio: lots\n');
    const { exitCode, stderr, stdout } = ballast('doctor', '--config', 'wrong.yaml', '--json');
    assert.equal(exitCode, 1, 'for the doctor it is a finding');
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly { readonly subject: string; readonly isWell: boolean }[] };
    assert.deepEqual(
      findings.filter(({ isWell }) => !isWell).map(({ subject }) => subject),
      ['config'],
      'and one only, though the port is in the config too',
    );
    const { stderr: said, exitCode: code } = ballast('paper', '--config', 'wrong.yaml', '--port', '0');
    assert.equal(code, 2);
    assert.match(said, /wrong\.yaml:2:18, risk\.leverageRatio: found "lots", expected a number/);
    assert.equal(stderr, '');
  });
});

describe('data, backtest and replay', () => {
  before(() => {
    const rows = ['open_time,open,high,low,close,volume'];
    let price = 100;
    for (let hour = 0; hour < 24 * 60; hour++) {
      const open = price;
      price *= 1 + 0.01 * Math.sin(hour / 20);
      const [low, high] = [Math.min(open, price) * 0.999, Math.max(open, price) * 1.001];
      rows.push([new Date(Date.UTC(2021, 0, 1, hour)).toISOString(), open, high, low, price, 10].join(','));
    }
    writeFileSync(join(home, 'bars.csv'), `${rows.join('\n')}\n`);
  });

  test('bars are imported, run and exported, each with one JSON document on stdout', () => {
    const imported = ballast('data', 'import', 'bars.csv', '--symbol', 'AAA/USDT', '--timeframe', '1h', '--venue', 'mine', '--json');
    assert.equal(imported.exitCode, 0, imported.stderr);
    const report = JSON.parse(imported.stdout) as Record<string, unknown>;
    assert.deepEqual([report['rowsRead'], report['added'], report['gaps']], [1_440, 1_440, 0]);
    const again = ballast('data', 'import', 'bars.csv', '--symbol', 'AAA/USDT', '--timeframe', '1h', '--venue', 'mine');
    assert.match(again.stdout, /rows 1440: new 0, unchanged 1440, corrected 0/);

    const run = ballast(
      'backtest',
      '--strategy',
      'trend',
      '--symbols',
      'AAA/USDT',
      '--timeframe',
      '1h',
      '--timerange',
      '20210115-20210225',
      '--json',
    );
    assert.equal(run.exitCode, 0, run.stderr);
    const document = JSON.parse(run.stdout) as Record<string, unknown>;
    for (const field of ['runId', 'stateHash', 'metrics', 'trades', 'fills', 'equity', 'rulings']) assert.ok(field in document, field);
    assert.deepEqual(JSON.parse(readFileSync(join(home, 'runs', String(document['runId']), 'report.json'), 'utf8')), document);

    const replayed = ballast('replay', String(document['runId']), '--json');
    assert.equal(replayed.exitCode, 0, replayed.stderr);
    assert.equal((JSON.parse(replayed.stdout) as Record<string, unknown>)['stateHash'], document['stateHash']);

    const exported = ballast('data', 'export', '--symbol', 'AAA/USDT', '--timeframe', '1h', '--to', '2021-01-02');
    assert.equal(exported.exitCode, 0, exported.stderr);
    assert.equal(exported.stdout.trimEnd().split('\n').length, 25);
    assert.match(exported.stderr, /^24 bars/);
  });

  test('a reader that has seen enough ends an export quietly', () => {
    const { stdout, stderr, status } = spawnSync(
      'sh',
      ['-c', '"$0" "$1" data export --symbol AAA/USDT --timeframe 1h | head -n 1', process.execPath, LAUNCHER],
      { cwd: home, encoding: 'utf8' },
    );
    assert.equal(status, 0);
    assert.equal(stdout, 'open_time,open,high,low,close,volume\n');
    assert.doesNotMatch(stderr, /EPIPE|error/);
  });

  test('a backtest of a range without bars is exit 2', () => {
    const words = ['--strategy', 'trend', '--symbols', 'AAA/USDT', '--timeframe', '1h', '--from', '2030-01-01', '--to', '2031-01-01'];
    const { exitCode, stderr } = ballast('backtest', ...words);
    assert.equal(exitCode, 2);
    assert.match(stderr, /found no 1h bars of AAA\/USDT .*expected a range within 2021-01-01/);
  });
});

describe('a session', { timeout: 120_000 }, () => {
  test('is started, looked at, told, ended by Ctrl-C and gone on with', async () => {
    const session = start('paper', '--speed', '3600', '--port', '0', '--seed', '5');
    const [, runId = ''] = await session.says(/^run (\S+) in /m);
    const [, address = ''] = await session.says(/page (http:\S+)/);

    const { runId: shown } = runStatusSchema.parse(await (await fetch(`${address}/status`)).json());
    assert.equal(shown, runId);
    const status = ballast('status', '--json');
    assert.equal(runStatusSchema.parse(JSON.parse(status.stdout)).runId, runId);
    assert.match(ballast('halt').stdout, /halt was heard/);
    assert.equal(runStatusSchema.parse(JSON.parse(ballast('status', '--json').stdout)).state, 'halted');
    assert.match(ballast('resume').stdout, /resume was heard/);
    assert.equal(ballast('close', 'nobody').exitCode, 1);
    assert.equal(ballast('flatten').exitCode, 0);

    session.process.kill('SIGINT');
    const ended = await session.ends;
    assert.equal(ended.exitCode, 0, ended.stderr);
    assert.match(ended.stdout, /SIGINT: ending cleanly/);
    assert.match(ended.stdout, /run folder/);
    assert.equal(ballast('status').exitCode, 1, 'nobody answers any more');

    const resumed = start('paper', '--speed', '3600', '--port', '0', '--seed', '5', '--for', '1s', '--json');
    const { exitCode, stdout, stderr } = await resumed.ends;
    assert.equal(exitCode, 0, stderr);
    assert.match(stderr, new RegExp(`going on with run ${runId}, which was interrupted`));
    const document = JSON.parse(stdout) as { readonly runId: string; readonly status: unknown };
    assert.equal(document.runId, runId);
    runStatusSchema.parse(document.status);
  });

  test('with a port that is asked for and taken is exit 2 before anything is begun', async (t) => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const address = other.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const empty = join(home, 'empty');
    const { exitCode, stderr } = ballast('paper', '--port', port, '--home', empty);
    assert.equal(exitCode, 2);
    assert.match(stderr, new RegExp(`^error: --port: found port ${port} taken, expected a free port`));
    assert.equal(existsSync(join(empty, 'runs')), false);

    writeFileSync(join(home, 'port.yaml'), `api:\n  port: ${port}\n`);
    const session = start('paper', '--config', 'port.yaml', '--home', join(home, 'other'), '--speed', '3600', '--for', '1s');
    const ended = await session.ends;
    assert.equal(ended.exitCode, 0, 'a port of the config is worth less than a session');
    assert.match(ended.stdout, new RegExp(`no page: .*port ${port} taken`));
  });
});

describe('the doctor', () => {
  test('finds nothing wrong in an empty home and writes nothing to it', () => {
    const empty = join(home, 'nothing');
    const { exitCode, stdout } = ballast('doctor', '--home', empty, '--json');
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly { readonly subject: string; readonly isWell: boolean }[] };
    assert.deepEqual(
      findings.map(({ subject }) => subject),
      ['node', 'home', 'config', 'stored bars', 'runs', 'free space', 'port'],
    );
    const wrong = findings.filter(({ isWell, subject }) => !isWell && subject !== 'port');
    assert.deepEqual(wrong, []);
    assert.equal(exitCode, findings.every(({ isWell }) => isWell) ? 0 : 1);
    assert.equal(existsSync(empty), false);
  });

  test('finds a journal that cannot be read; a home that is a file is refused as by every command', (t) => {
    const runs = ballast('doctor', '--json');
    assert.match(runs.stdout, /"subject":"runs","isWell":true/);
    const journal = join(latestFolder(), 'journal.sqlite');
    const kept = readFileSync(journal);
    t.after(() => writeFileSync(journal, kept));
    writeFileSync(journal, 'this is no database, and long enough to be read as a header of one: '.repeat(20));
    const broken = ballast('doctor');
    assert.equal(broken.exitCode, 1);
    assert.match(broken.stdout, /wrong +runs +.*journal\.sqlite: .*expected a journal that SQLite can read/);

    writeFileSync(join(home, 'file'), '');
    const noFolder = ballast('doctor', '--home', join(home, 'file'));
    assert.equal(noFolder.exitCode, 2);
    assert.match(noFolder.stderr, /^error: .*file: found a file, expected a folder for --home/);
  });
});

function latestFolder(): string {
  const { runId } = JSON.parse(ballast('replay', 'latest', '--json').stdout) as { readonly runId: string };
  return join(home, 'runs', runId);
}
