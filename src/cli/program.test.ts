import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { failureSchema } from '../api/contract.ts';
import { BallastError } from '../domain/errors.ts';
import { catalog } from './catalog.ts';
import { fakeTerminal } from './fake-terminal.fixture.ts';
import { failureOf } from './failure.ts';
import { parseWords, runCommandLine } from './program.ts';

interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function say(line: string, environment: Readonly<Record<string, string>> = {}): Promise<Said> {
  const terminal = fakeTerminal(environment);
  const exitCode = await runCommandLine(
    line.split(' ').filter((word) => word !== ''),
    terminal,
  );
  return { exitCode, stdout: terminal.stdout.text(), stderr: terminal.stderr.text() };
}

function emptyHome(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'ballast-cli-'));
  t.after(() => rmSync(home, { recursive: true }));
  return home;
}

const BACKTEST = 'backtest --strategy trend --symbols BTC/USDT --timeframe 1h';

describe('words that are wrong', () => {
  for (const [line, message] of [
    ['papr', /^error: ballast: found the unknown command "papr", .*did you mean paper\?/],
    ['data imprt', /^error: ballast data: found the unknown command "imprt", .*did you mean import\?/],
    ['data', /^error: ballast data: found no further word, expected one of its commands/],
    ['data --json', /^error: ballast data: found no further word/],
    ['paper --sed 1', /^error: ballast paper: found the unknown option --sed, .*did you mean/],
    ['paper -x', /^error: ballast paper: found the unknown option -x, /],
    ['--seed 1 paper', /^error: ballast: found the unknown option --seed, /],
    ['backtest --strateg x', /found the unknown option --strateg, .*did you mean --strategy\?/],
    ['backtest --strategy trend --symbols BTC/USDT', /^error: --timeframe: found nothing, expected --timeframe <spans>/],
    ['paper --seed', /^error: --seed: found no value, expected --seed <number>/],
    ['paper --seed --port 0', /^error: --seed: found no value before --port, expected a value/],
    ['paper --seed x', /^error: --seed: found "x", expected a whole number/],
    ['paper --speed -1', /^error: --speed: found "-1", expected market seconds per second/],
    ['paper --venue bybit', /^error: --venue: found "bybit", expected simulated/],
    ['paper --port 70000', /^error: --port: found "70000", expected a whole number from 0 to 65535/],
    ['paper --for 10', /^error: --for: found "10", expected a whole number and a unit/],
    ['paper --until-bars 0', /^error: --until-bars: found "0"/],
    ['paper now', /^error: ballast paper: found "now", expected no word after the command/],
    ['replay', /^error: ballast replay: found no further word, expected <run> after the command/],
    ['replay a b', /^error: ballast replay: found "b", expected only <run>/],
    ['close', /^error: ballast close: found no further word, expected <sleeve>/],
    ['data import --symbol BTC/USDT --timeframe 1h --venue x', /^error: ballast data import: found no further word, expected <files>/],
    [`${BACKTEST} --from 2023-01-01 --to 2021-01-01`, /^error: --from, --to: found a reversed range/],
    [`${BACKTEST} --from 2021-01-01 --to 2021-01-01`, /^error: --from, --to: found an empty range/],
    [`${BACKTEST} --timerange 20210101-20200101`, /^error: --timerange: found a reversed range/],
    [`${BACKTEST} --fee abc`, /^error: --fee: found "abc", expected a number from -0.01 to 0.5/],
    [`${BACKTEST} --fill mid`, /^error: --fill: found "mid", expected one of next-open, close/],
    [`${BACKTEST} --sizing huge`, /^error: --sizing: found "huge", expected one of risk, fixed/],
    [`${BACKTEST} --warmup some`, /^error: --warmup: found "some", expected one of auto, none/],
    ['backtest --strategy trend --symbols BTC/USDT --timeframe 7x', /^error: --timeframe: found "7x", expected a whole number and a unit/],
    ['backtest --strategy trend --symbols BTC --timeframe 1h', /^error: --symbols: found "BTC", expected BASE\/QUOTE/],
    ['data export --symbol BTC/USDT --timeframe 1h --json', /^error: --json: found no --out, expected a file for the rows/],
    ['doctor --home --json', /^error: --home: found no value before --json/],
  ] as const) {
    test(`ballast ${line} is exit 2 and one message`, async () => {
      const { exitCode, stdout, stderr } = await say(line);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /, 'no stack trace');
      assert.equal(stderr.trimEnd().split('\n').length, 1, 'one line');
      assert.equal(exitCode, 2);
      if (line.includes('--json')) {
        const { error } = failureSchema.parse(JSON.parse(stdout));
        assert.ok(stderr.includes(error.found), 'the document says the same');
      } else assert.equal(stdout, '');
    });
  }

  test('an empty folder is no home', async () => {
    const parsed = await parseWords(['doctor', '--home', '']);
    assert.ok(parsed.kind === 'command');
    await assert.rejects(async () => parsed.run(fakeTerminal()), /--home: found "", expected a path/);
  });
});

describe('help', () => {
  test('is the answer to no words, to --help and to help', async () => {
    for (const line of ['', '--help', 'help']) {
      const { exitCode, stdout, stderr } = await say(line);
      assert.equal(exitCode, 0);
      assert.equal(stderr, '');
      for (const { name } of catalog) assert.ok(stdout.includes(`\n  ${name.split(' ')[0] ?? ''} `), `${name} is listed`);
    }
  });

  for (const { name } of catalog) {
    test(`of ${name} shows its options, those of every command, and examples that can be parsed`, async () => {
      const { exitCode, stdout } = await say(`${name} --help`);
      assert.equal(exitCode, 0);
      assert.match(stdout, new RegExp(`^Usage: ballast ${name} `));
      for (const option of ['--json', '--config <file>', '--home <dir>']) assert.ok(stdout.includes(option), option);
      assert.equal((await say(`help ${name}`)).stdout, stdout, 'the same by the word help');
      const examples = [...(stdout.split('Examples:\n')[1] ?? '').matchAll(/^ {2}ballast (.*)$/gm)].map((match) => match[1] ?? '');
      assert.ok(examples.length > 0, 'it has examples');
      for (const example of examples) {
        const words = [...example.matchAll(/(?:[^\s"]|"[^"]*")+/g)].map(([word]) => word.replaceAll('"', ''));
        const parsed = await parseWords(words);
        assert.equal(parsed.kind, 'command', example);
      }
    });
  }

  test('--version is the version of the package', async () => {
    assert.match((await say('--version')).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});

describe('options of every command', () => {
  test('stand before or after the name of the command', async (t) => {
    const home = emptyHome(t);
    for (const line of [`--json --home ${home} strategies`, `strategies --home ${home} --json`]) {
      const { exitCode, stdout } = await say(line);
      assert.equal(exitCode, 0);
      const listed = JSON.parse(stdout) as readonly { readonly name: string }[];
      assert.ok(listed.some(({ name }) => name === 'trend'));
    }
  });

  test('--home goes before BALLAST_HOME, and an empty BALLAST_HOME is none', async (t) => {
    const home = emptyHome(t);
    const other = join(home, 'other');
    assert.match((await say('status', { BALLAST_HOME: home })).stderr, new RegExp(`^error: ${home}: found no running session`));
    assert.match((await say(`status --home ${other}`, { BALLAST_HOME: home })).stderr, new RegExp(`^error: ${other}: `));
    assert.match((await say('status', { BALLAST_HOME: '' })).stderr, new RegExp(`^error: ${process.cwd()}: `));
  });
});

describe('commands without what they need', () => {
  for (const line of ['status', 'halt', 'resume', 'flatten', 'close trend', 'replay paper-1']) {
    test(`${line} is exit 1 where no run is`, async (t) => {
      const { exitCode, stderr, stdout } = await say(`${line} --home ${emptyHome(t)} --json`);
      assert.equal(exitCode, 1);
      assert.match(stderr, /^error: .*found no/);
      failureSchema.parse(JSON.parse(stdout));
    });
  }

  test('a backtest without stored bars is exit 2 and says how to import them', async (t) => {
    const { exitCode, stderr } = await say(`${BACKTEST} --home ${emptyHome(t)}`);
    assert.equal(exitCode, 2);
    assert.match(
      stderr,
      /found no bars at all .*\(import it: ballast data import FILE .*, or download it: ballast data download --symbols BTC\/USDT --timeframe 1h --venue NAME/,
    );
  });

  test('a config that is not there is exit 2', async (t) => {
    const { exitCode, stderr } = await say(`${BACKTEST} --home ${emptyHome(t)} --config missing.yaml`);
    assert.equal(exitCode, 2);
    assert.match(stderr, /^error: --config missing\.yaml: found no such file/);
  });

  test('an import of a file that is not there names it', async (t) => {
    const { exitCode, stderr } = await say(`data import missing.csv --symbol BTC/USDT --timeframe 1h --venue x --home ${emptyHome(t)}`);
    assert.equal(exitCode, 2);
    assert.match(stderr, /^error: missing\.csv: found no such file or folder, expected a file that can be read/);
  });
});

describe('what fails', () => {
  const expected = new BallastError({
    code: 'DISK_FULL',
    place: 'journal',
    found: 'no space',
    expected: 'some',
    remedy: 'free it',
    exitCode: 2,
  });

  test('an error for people is one message, with a stack trace only for --debug', () => {
    const { exitCode, message, document } = failureOf(expected, false);
    assert.equal(message, 'error: journal: found no space, expected some (free it)\n');
    assert.equal(exitCode, 2);
    assert.deepEqual(document, { error: { code: 'DISK_FULL', place: 'journal', found: 'no space', expected: 'some', remedy: 'free it' } });
    assert.match(failureOf(expected, true).message, /\n\s+at .*program\.test\.ts/);
  });

  test('a bug says that it is one, and where only for --debug', () => {
    const bug = new TypeError('x is not a function', { cause: new Error('deeper') });
    const { exitCode, message, document } = failureOf(bug, false);
    assert.equal(exitCode, 1);
    assert.match(message, /^error: x is not a function\nthis is a bug in Ballast\n/);
    assert.doesNotMatch(message, /\n\s+at /);
    assert.equal(document.error.code, 'BUG');
    assert.match(failureOf(bug, true).message, /\n\s+at [\s\S]*caused by: Error: deeper/);
    assert.match(failureOf('thrown text', false).message, /^error: thrown text\nthis is a bug/);
  });
});
