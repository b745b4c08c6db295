// Promise 9: whatever is wrong from outside, the command says where, what was found, what was expected and what to do; nothing is lost.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  ballast,
  document,
  onlyRun,
  seeded,
  startBallast,
  tapeBytes,
  temporaryFolder,
  temporaryHome,
  until,
  type Ended,
} from '../support/run-app.ts';
import { journalFacts, readRows } from './journal-facts.ts';
import { resultOf, sessionWords, type SessionResult } from './killed-session.ts';

/** The words of a failure, as every command says them. */
const SENTENCE = /^error: .+: found .+, expected .+/m;

function mustFail(ended: Ended, exitCode: 1 | 2, ...patterns: readonly RegExp[]): void {
  const { code, stdout, stderr } = ended;
  assert.equal(code, exitCode, stderr + stdout);
  assert.match(stderr, SENTENCE);
  for (const pattern of patterns) assert.match(stderr, pattern);
  assert.doesNotMatch(stderr, /^\s+at .+:\d+/m, 'no stack trace');
  assert.doesNotMatch(stderr, /this is a bug/);
}

// ---- history -------------------------------------------------------------------------------------------------------------

const HEADER = 'open_time,open,high,low,close,volume';
const HOUR_MS = 3_600_000;
const FROM = Date.UTC(2024, 0, 1);

function csv(name: string, change: { readonly row: number; readonly text: (row: string) => string } | undefined): string {
  const random = seeded(1);
  let close = 100;
  const rows = Array.from({ length: 3_000 }, (_, index) => {
    const open = close;
    close = open * (1 + (random() - 0.495) * 0.02);
    const [high, low] = [Math.max(open, close) * 1.001, Math.min(open, close) * 0.999];
    return `${FROM + index * HOUR_MS},${open},${high},${low},${close},10`;
  });
  if (change !== undefined) rows[change.row] = change.text(rows[change.row] ?? '');
  const path = join(home, name);
  writeFileSync(path, `${HEADER}\n${rows.join('\n')}\n`);
  return path;
}

const SERIES = ['--symbol', 'X/USDT', '--timeframe', '1h', '--venue', 'mine'];
const home = temporaryHome('bad-input');

function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }).toSorted((left, right) =>
    left.name < right.name ? -1 : 1,
  )) {
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex');
}

before(async () => {
  await document(home, 'data', 'import', csv('good.csv', undefined), ...SERIES);
});

describe('data import', () => {
  const scaled = (row: string, factor: number): string =>
    row
      .split(',')
      .map((field, column) => (column > 0 && column < 5 ? String(Number(field) * factor) : field))
      .join(',');
  const rows: Readonly<Record<string, { readonly text: (row: string) => string; readonly found: RegExp }>> = {
    'a row that is none': { text: () => '2024-garbage,??', found: /found time "2024-garbage"/ },
    'a price that is no number': {
      text: (row) => row.replace(/,[^,]+/, ',NaN'),
      found: /found open "NaN", expected a finite price above 0/,
    },
    'a negative price': { text: (row) => row.replace(/,[^,]+/, ',-100'), found: /found open -100, expected a finite price above 0/ },
    'a price 1000 times too high': { text: (row) => scaled(row, 1_000), found: /a spike beside .+, expected a price within 20x/ },
    'a low above its high': { text: (row) => row.replace(/^(\d+,[^,]+),[^,]+/, '$1,0.5'), found: /expected low <= open, close <= high/ },
  };
  for (const [name, { text, found }] of Object.entries(rows)) {
    test(`names ${name} by file and line, and leaves the store as it was`, async () => {
      const file = csv('corrupt.csv', { row: 1_500, text });
      const stored = digestOf(join(home, 'data'));
      // The second file of two: nothing of the first may stay either.
      mustFail(
        await ballast(home, 'data', 'import', file, '--symbol', 'Y/USDT', '--timeframe', '1h', '--venue', 'mine'),
        1,
        /corrupt\.csv:1502: /,
        found,
      );
      mustFail(
        await ballast(home, 'data', 'import', join(home, 'good.csv'), file, ...SERIES),
        1,
        /corrupt\.csv:1502: /,
        /nothing was imported/,
      );
      assert.equal(digestOf(join(home, 'data')), stored, 'the store is as it was');
    });
  }
});

// ---- arguments and config ------------------------------------------------------------------------------------------------

describe('arguments and config', () => {
  const backtest = (...words: readonly string[]) => ['backtest', '--symbols', 'X/USDT', '--timeframe', '1h', ...words];
  const trend = ['--strategy', 'trend'];
  const cases: readonly (readonly [name: string, words: readonly string[], ...patterns: readonly RegExp[]])[] = [
    ['an unknown symbol', ['backtest', '--symbols', 'NO/SUCH', '--timeframe', '1h', ...trend], /NO\/SUCH/, /X\/USDT/, /import it/],
    ['an unknown strategy', backtest('--strategy', 'nosuch'), /"nosuch", expected one of trend, [a-z, -]+mean-reversion/],
    ['a strategy file that is not there', backtest('--strategy', './nosuch.ts'), /nosuch\.ts: found no such file/],
    ['an unknown timeframe', ['backtest', '--symbols', 'X/USDT', '--timeframe', '7x', ...trend], /--timeframe: found "7x"/],
    [
      'a timeframe that is not stored',
      ['backtest', '--symbols', 'X/USDT', '--timeframe', '5m', ...trend],
      /expected one of mine X\/USDT 1h/,
    ],
    ['a reversed range', backtest(...trend, '--from', '2024-02-01', '--to', '2024-01-01'), /reversed range/],
    ['an empty range', backtest(...trend, '--from', '2024-02-01', '--to', '2024-02-01'), /empty range/],
    ['a range without bars', backtest(...trend, '--from', '2030-01-01', '--to', '2030-02-01'), /a range within 2024-01-01/],
    ['a time that is none', backtest(...trend, '--from', 'soon'), /--from: found "soon"/],
    ['an unknown parameter', backtest(...trend, '--params', 'fats=5'), /parameter fats of trend/, /expected fast/],
    [
      'an unknown symbol of the synthetic market',
      ['paper', '--symbols', 'NO/SUCH', '--port', '0'],
      /"NO\/SUCH", expected one of BTC\/USDT:USDT/,
    ],
    [
      'a feed that is no address',
      ['paper', '--feed', 'nonsense', '--port', '0'],
      /--feed: found "nonsense", expected an address such as ws:/,
    ],
    ['a feed with a speed', ['paper', '--feed', 'ws://127.0.0.1:1', '--speed', '60', '--port', '0'], /--speed with --feed/],
    ['a feed with an end', ['paper', '--feed', 'ws://127.0.0.1:1', '--until-bars', '60', '--port', '0'], /--until-bars with --feed/],
  ];
  for (const [name, words, ...patterns] of cases) {
    test(`${name} is exit 2 and names itself`, async () => mustFail(await ballast(home, ...words), 2, ...patterns));
  }

  const configs: readonly (readonly [name: string, text: string, ...patterns: readonly RegExp[]])[] = [
    ['that is no YAML', 'risk: [1,2\n', /config\.yaml:2:1: found YAML that cannot be read/],
    [
      'with a text for a number',
      'risk:\n  positionRatio: lots\n',
      /config\.yaml:2:18, risk\.positionRatio: found "lots", expected a number/,
    ],
    ['with an unknown name', 'risk:\n  positonRatio: 0.2\n', /risk\.positonRatio/, /unknown name/],
    ['with numbers that contradict each other', 'venue:\n  maximumLeverage: 1\n', /venue\.maximumLeverage/, /risk\.leverageRatio/],
  ];
  for (const [name, text, ...patterns] of configs) {
    test(`a config ${name} is exit 2, for a backtest and for a session, and names file and field`, async () => {
      const config = join(home, 'config.yaml');
      writeFileSync(config, text);
      mustFail(await ballast(home, ...backtest(...trend), '--config', config), 2, ...patterns);
      mustFail(await ballast(home, 'paper', '--port', '0', '--config', config), 2, ...patterns);
    });
  }

  /** Node's own recursive mkdir asks there for ever. */
  const skip = existsSync('/proc/self') ? false : 'only where the kernel shows processes as folders';
  test('a home that cannot be made ends at once with its name, whatever would have written to it', { skip, timeout: 60_000 }, async (t) => {
    const file = join(home, 'bars-of-a-home.csv');
    writeFileSync(file, `${HEADER}\n${FROM},1,1,1,1,1\n`);
    const importing = ['data', 'import', file, '--venue', 'made', '--symbol', 'BTC/USDT', '--timeframe', '1h'];
    for (const words of [['paper', '--for', '2s', '--port', '0'], importing]) {
      for (const place of ['/proc/x', '/proc']) {
        const program = startBallast(place, ...words);
        t.after(() => program.kill());
        mustFail(await program.ended, 1, new RegExp(`${place}/(runs|data)`), /no such file or folder/);
      }
    }
  });

  test('a home that is a file, or lies below one, is exit 2 for every command', async () => {
    const file = join(home, 'home.txt');
    writeFileSync(file, 'a file');
    const importing = ['data', 'import', file, '--venue', 'made', '--symbol', 'BTC/USDT', '--timeframe', '1h'];
    for (const words of [['paper'], ['status'], ['halt'], ['data', 'ls'], ['strategies'], ['doctor'], ['replay', 'latest'], importing]) {
      mustFail(await ballast(file, ...words), 2, /home\.txt: found a file, expected a folder for --home/);
    }
    mustFail(await ballast(join(file, 'below'), 'status'), 2, /below: found the file .*home\.txt above it/);
    assert.equal(readFileSync(file, 'utf8'), 'a file');
  });

  test('operator commands without a session and a replay without a run are exit 1', async () => {
    for (const command of ['status', 'halt', 'flatten', 'resume'])
      mustFail(await ballast(home, command), 1, /no running session/, /ballast paper/);
    mustFail(await ballast(home, 'replay', 'nosuch'), 1, /run "nosuch"/);
  });
});

// ---- strategies ----------------------------------------------------------------------------------------------------------

/** What it does from its 21st answer on, when it is asked and when it is to say why. */
const BREAKS = {
  throws: { asked: `throw new Error('out of ideas');`, why: '' },
  spins: { asked: 'for (;;) {}', why: '' },
  'blocks-for-two-seconds': { asked: 'const until = Date.now() + 2_000; while (Date.now() < until) {}', why: '' },
  'answers-nonsense': { asked: `return { kind: 'forecast', stance: 'up', confidence: 2 } as never;`, why: '' },
  'answers-nothing': { asked: 'return undefined as never;', why: '' },
  'promises-and-fails': { asked: `return Promise.reject(new Error('later')) as never;`, why: '' },
  'explains-for-ever': { asked: '', why: 'for (;;) {}' },
} as const;

function broken(name: keyof typeof BREAKS): string {
  const path = join(home, `${name}.ts`);
  writeFileSync(
    path,
    `import { defineStrategy, ema, z } from 'ballast';
let asked = 0;
export default defineStrategy({
  name: '${name}',
  about: 'breaks on purpose',
  legs: 1,
  parameters: z.strictObject({}),
  features: () => ({ mean: ema(5) }),
  opine({ at }) {
    asked++;
    if (asked > 20) { ${BREAKS[name].asked} }
    // By the bar: a replay does not ask again what failed, and would count otherwise.
    return { kind: 'forecast', stance: Math.floor(at / 60000) % 2 === 0 ? 1 : -1, confidence: 0.5 };
  },
  explain() {
    if (asked > 20) { ${BREAKS[name].why} }
    return { because: 'it was asked', numbers: {} };
  },
});
`,
  );
  return path;
}

describe('a strategy of a user that breaks', () => {
  for (const name of ['throws', 'answers-nonsense', 'answers-nothing', 'promises-and-fails'] as const) {
    test(`and ${name} fails a backtest with exit 1, strategy and bar`, async () => {
      const words = ['backtest', '--strategy', broken(name), '--symbols', 'X/USDT', '--timeframe', '1h', '--warmup', 'none'];
      mustFail(await ballast(home, ...words), 1, new RegExp(`strategy ${name} X/USDT at 2024-01-02T01:00:00Z`), /mend the strategy/);
    });
  }

  test('and spins fails a backtest with exit 1, strategy and bar', async () => {
    const words = ['backtest', '--strategy', broken('spins'), '--symbols', 'X/USDT', '--timeframe', '1h', '--warmup', 'none'];
    mustFail(await ballast(home, ...words), 1, /strategy spins X\/USDT near 2024-01-02T01:00:00Z: found no answer within 10 s/);
  });

  /** What takes long is cut off after `minds.timeoutMs`, and shows as lag of the loop. */
  const SLOW: ReadonlySet<string> = new Set(['spins', 'blocks-for-two-seconds', 'explains-for-ever']);

  for (const name of [
    'throws',
    'spins',
    'blocks-for-two-seconds',
    'answers-nonsense',
    'promises-and-fails',
    'explains-for-ever',
  ] as const) {
    test(`F47: and ${name} is suspended in a session, which lives, trades on and replays`, async () => {
      const sessionHome = temporaryHome('strikes', 'paper:\n  timeframeMs: 1m\n  warmupMs: 1d\n');
      const words = sessionWords(5, 400, ['--strategy', `trend,${broken(name)}`]);
      const session = startBallast(sessionHome, ...words);
      // One that is held up for ever does not hear a signal either.
      const timer = setTimeout(() => session.kill(), 60_000);
      const ended = await session.ended;
      clearTimeout(timer);
      const result = resultOf(ended, words) as SessionResult & {
        status: { suspendedMinds: string[]; positions: { sleeve: string }[]; loopLagMs: number };
      };
      assert.deepEqual(
        result.status.suspendedMinds,
        ['BTC', 'ETH', 'SOL'].map((base) => `${name} ${base}/USDT:USDT`),
      );
      assert.ok(!result.status.positions.some((position) => position.sleeve.startsWith(name)), 'its sleeves are flat');
      const { rows } = readRows(result.folder);
      const suspendedAt = rows.findLastIndex(({ entry }) => entry.kind === 'mind.suspended');
      const after = rows.slice(suspendedAt).filter(({ entry }) => entry.kind === 'order.filled').length;
      assert.ok(after > 5, `the others trade on, found ${after} fills`);
      assert.ok(!SLOW.has(name) || result.status.loopLagMs >= 150, `a lag of ${result.status.loopLagMs} ms`);
      assert.deepEqual(journalFacts(result.folder, 1).faults, []);
      assert.equal((await ballast(sessionHome, 'replay', 'latest')).code, 0);
    });
  }

  test('F47: and spins for ever again leaves a session that obeys a halt in time', async (t) => {
    const sessionHome = temporaryHome(
      'spins',
      'paper:\n  timeframeMs: 1m\n  warmupMs: 1d\n  symbols: [BTC/USDT:USDT]\nminds:\n  strikes: 1000\n',
    );
    const session = startBallast(
      sessionHome,
      'paper',
      '--seed',
      '5',
      '--speed',
      '600',
      '--port',
      '0',
      '--json',
      '--strategy',
      `trend,${broken('spins')}`,
    );
    t.after(() => session.kill());
    await until('the strategy spins', () => /timed out/.test(session.said()), 60_000);
    const address = /page (http:\/\/[\d.:]+)/.exec(session.said())?.[1] ?? '';
    const before = performance.now();
    const response = await fetch(`${address}/commands/halt`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
      signal: AbortSignal.timeout(10_000),
    });
    const tookMs = performance.now() - before;
    t.diagnostic(`halted after ${tookMs.toFixed(0)} ms`);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /"state":"halted"/);
    // Well below a second where nothing else runs.
    assert.ok(tookMs < 10_000, `a halt in time, found ${tookMs.toFixed(0)} ms`);
    session.kill('SIGINT');
    assert.equal((await session.ended).code, 0);
  });
});

// ---- journal and tape ----------------------------------------------------------------------------------------------------

/** Words in the reasons of every decision of mean reversion: where they are, there are rows. */
const ROW_WORDS = 'the close is ';

/** Flips a bit of some row in the middle of the journal: in the file, or in SQLite's log while that is not folded into it. */
function flipRow(folder: string): void {
  for (const name of ['journal.sqlite', 'journal.sqlite-wal']) {
    const path = join(folder, name);
    if (!existsSync(path)) continue;
    const bytes = readFileSync(path);
    // Where in the file SQLite has put the rows is its own affair: of all of them the middle one.
    const places: number[] = [];
    for (let at = bytes.indexOf(ROW_WORDS, 0, 'latin1'); at >= 0; at = bytes.indexOf(ROW_WORDS, at + 1, 'latin1')) places.push(at);
    const middle = places[places.length >> 1];
    if (middle !== undefined) return flip(path, middle);
  }
  assert.fail(`no rows found in ${folder}`);
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at] = (bytes[at] ?? 0) ^ 0x10;
  writeFileSync(path, bytes);
}

describe('a damaged recording', () => {
  const UNTIL_BARS = 6_000;
  const CONFIG = 'paper:\n  timeframeMs: 5m\n  warmupMs: 1d\n';
  const words = sessionWords(5, UNTIL_BARS);
  let whole: SessionResult;
  const wholeHome = temporaryHome('damaged', CONFIG);
  const killedHome = temporaryHome('damaged-killed', CONFIG);

  before(async () => {
    whole = resultOf(await ballast(wholeHome, ...words), words);
    // One that was killed a good way on, to be damaged in many copies.
    const killed = startBallast(killedHome, ...words);
    await until('half of the tape', () => tapeBytes(onlyRun(killedHome) ?? '') > tapeBytes(whole.folder) / 2);
    killed.kill();
    await killed.ended;
    assert.ok(existsSync(join(onlyRun(killedHome) ?? '', 'journal.sqlite')));
  });

  function copyOf(from: string): { readonly home: string; readonly folder: string } {
    const copy = temporaryHome('damaged-copy', CONFIG);
    const run = onlyRun(from) ?? '';
    const folder = join(copy, 'runs', basename(run));
    cpSync(run, folder, { recursive: true });
    return { home: copy, folder };
  }

  const damages: Readonly<Record<string, { readonly file: string; readonly damage: (path: string) => void }>> = {
    'a journal with a flipped bit': { file: 'journal.sqlite', damage: (path) => flipRow(join(path, '..')) },
    'a truncated journal': { file: 'journal.sqlite', damage: (path) => truncateSync(path, Math.floor(statSync(path).size / 2)) },
    'an empty journal': { file: 'journal.sqlite', damage: (path) => truncateSync(path, 0) },
    'a tape with a flipped bit': { file: 'tape/000001.tape', damage: (path) => flip(path, Math.floor(statSync(path).size / 2)) },
    'a truncated tape': { file: 'tape/000001.tape', damage: (path) => truncateSync(path, Math.floor(statSync(path).size / 2)) },
    'a tape that is gone': { file: 'tape/000001.tape', damage: (path) => rmSync(path) },
  };
  for (const [name, { file, damage }] of Object.entries(damages)) {
    test(`F32: ${name} fails a replay with exit 1, names the file, and is left as it is`, async () => {
      const { home: copy, folder } = copyOf(wholeHome);
      damage(join(folder, file));
      const before = digestOf(folder);
      mustFail(await ballast(copy, 'replay', 'latest'), 1, new RegExp(file.replace('.', '\\.')));
      assert.equal(digestOf(folder), before, 'nothing was changed');
    });
  }

  test('F32: a journal that was damaged while nobody ran is set aside, and the session goes on from its clean part to the same end', async () => {
    const { home: copy, folder } = copyOf(killedHome);
    flipRow(folder);
    const ended = await ballast(copy, ...words);
    const result = resultOf(ended, words);
    assert.match(ended.stderr, /the damaged journal is kept as .+damaged-\d/);
    assert.equal(result.runId, basename(folder));
    assert.deepEqual([result.stateHash, result.venueHash], [whole.stateHash, whole.venueHash]);
    assert.deepEqual(journalFacts(result.folder, 1).faults, []);
    assert.ok(
      readdirSync(folder).some((each) => each.includes('damaged')),
      'the damaged file is kept',
    );
  });

  test('F32: a tape that is shorter than the journal says is exit 1 for a resumed session, with what to do', async () => {
    const { home: copy, folder } = copyOf(killedHome);
    for (const name of readdirSync(join(folder, 'tape'))) truncateSync(join(folder, 'tape', name), 64 * 100);
    mustFail(await ballast(copy, ...words), 1, /tape/, /restore|--fresh/);
  });
});

// ---- a full disk ---------------------------------------------------------------------------------------------------------

describe('a full disk', () => {
  const disk = temporaryFolder('tiny');
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'ignore' }).status === 0;
  if (!mounted) console.log('SKIPPED: needs to mount a small disk: run the tests as root, where mount is allowed');
  after(() => {
    if (mounted) spawnSync('umount', [disk]);
  });

  test(
    'F33: ends a session with exit 1 and the file that did not fit; with room again it goes on to the end of one that had it all along',
    { skip: !mounted },
    async () => {
      const words = sessionWords(5, 6_000);
      mkdirSync(join(disk, 'home'));
      mustFail(await ballast(join(disk, 'home'), ...words), 1, /tape|journal/, /full/, /start the run again/);
      spawnSync('mount', ['-o', 'remount,size=100m', disk]);
      const resumed = resultOf(await ballast(join(disk, 'home'), ...words), words);
      const reference = resultOf(await ballast(temporaryHome('roomy'), ...words), words);
      assert.deepEqual([resumed.stateHash, resumed.venueHash], [reference.stateHash, reference.venueHash]);
    },
  );

  test('ends a backtest and an import with exit 1 and leaves the store as it was', { skip: !mounted }, async () => {
    const full = join(disk, 'full');
    mkdirSync(full);
    copyFileSync(join(home, 'good.csv'), join(full, 'good.csv'));
    await document(full, 'data', 'import', join(full, 'good.csv'), ...SERIES);
    const used = Number(spawnSync('du', ['-sk', disk], { encoding: 'utf8' }).stdout.split('\t')[0]);
    spawnSync('mount', ['-o', `remount,size=${used + 40}k`, disk]);
    const stored = digestOf(join(full, 'data'));
    mustFail(
      await ballast(full, 'data', 'import', join(full, 'good.csv'), '--symbol', 'Z/USDT', '--timeframe', '1h', '--venue', 'mine'),
      1,
    );
    assert.equal(digestOf(join(full, 'data')), stored);
    mustFail(await ballast(full, 'backtest', '--strategy', 'trend', '--symbols', 'X/USDT', '--timeframe', '1h'), 1, /full/);
  });
});
