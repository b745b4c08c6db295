// The data commands as people use them, on files made here: what they say, what they refuse, and what a kill leaves.
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FORMATS, KINDS, KINDS_OF } from '../../src/cli/data-kinds.ts';
import { fakeTerminal } from '../../src/cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { amount, price, quantity } from '../../src/domain/decimal.ts';
import { keepFilters } from '../../src/market/history/filters.ts';
import { RECORD_KINDS } from '../../src/market/history/kinds.ts';
import { Random } from '../../src/quant/random.ts';
import { startBallast, temporaryFolder } from '../support/run-app.ts';
import { ROOT } from '../support/source-tree.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function ballast(home: string, ...words: readonly string[]): Promise<Ended> {
  const terminal = fakeTerminal();
  const exitCode = await runCommandLine([...words, '--home', home], terminal);
  return { exitCode, stdout: terminal.stdout.text(), stderr: terminal.stderr.text() };
}

async function json<Document>(home: string, ...words: readonly string[]): Promise<Document> {
  const { exitCode, stdout, stderr } = await ballast(home, ...words, '--json');
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout) as Document;
}

function barsCsv(from: number, rows: number, lift: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const price = 100 + lift + (row % 7);
    return `${new Date(from + row * HOUR_MS).toISOString()},${price},${price + 2},${price - 2},${price + 1},${row % 5}`;
  });
  return `time,open,high,low,close,volume\n${lines.join('\n')}\n`;
}

function written(home: string, name: string, text: string): string {
  const path = join(home, name);
  writeFileSync(path, text);
  return path;
}

describe('the data commands', () => {
  test('know every kind and format that the store has', () => {
    assert.deepEqual([...KINDS].toSorted(), ['bars', ...RECORD_KINDS].toSorted());
    for (const format of FORMATS) assert.ok(KINDS_OF[format].every((kind) => KINDS.includes(kind)));
  });

  test('import, list, check, export and prune every kind side by side', async () => {
    const home = temporaryFolder('data');
    const at = Date.parse('2024-01-30T00:00:00Z');
    const bars = written(home, 'bars.csv', barsCsv(at, 72, 0));
    await json(home, 'data', 'import', bars, '--symbol', 'BTC/USDT', '--timeframe', '1h', '--venue', 'mine');
    const holed = Array.from({ length: 30 }, (_, row) => row).filter((row) => row !== 7 && row !== 8);
    const funding = written(home, 'f.csv', `time,rate\n${holed.map((row) => `${at + row * 8 * HOUR_MS},0.0001`).join('\n')}\n`);
    await json(home, 'data', 'import', funding, '--kind', 'funding', '--symbol', 'BTC/USDT:USDT', '--venue', 'mine');
    const deltas = [[1, 5], [6, 6], ...Array.from({ length: 20 }, (_, row) => [7 + row, 7 + row]), [30, 31]].map(
      ([first, last], row) => `${at + row},${first},${last},bid,99.5,${row}`,
    );
    const book = written(home, 'b.csv', `time,first_update_id,last_update_id,side,price,qty\n${deltas.join('\n')}\n`);
    await json(home, 'data', 'import', book, '--kind', 'book-delta', '--symbol', 'BTC/USDT', '--venue', 'mine');
    const ticker = written(home, 't.csv', `time,update_id,bid,bid_qty,ask,ask_qty\n${at},1,100,1,101,1\n${at + 1},2,102,1,101,1\n`);
    await json(home, 'data', 'import', ticker, '--kind', 'ticker', '--symbol', 'BTC/USDT', '--venue', 'mine');

    const listed = await ballast(home, 'data', 'ls');
    assert.match(listed.stdout, /kind +venue +symbol +bars +from +to +rows +missing +corrected/);
    assert.match(listed.stdout, /bars +mine +BTC\/USDT +1h +2024-01-30T00:00:00Z +2024-02-02T00:00:00Z +72 +0 +0/);
    assert.match(listed.stdout, /funding +mine +BTC\/USDT:USDT +2024-01-30T00:00:00Z +2024-02-08T16:00:00Z +28 +0/);
    assert.equal((await json<unknown[]>(home, 'data', 'ls', '--kind', 'ticker')).length, 1);
    assert.match((await ballast(home, 'data', 'ls', '--kind', 'metric')).stdout, /^no metric under .*; import some/);

    const checks = await json<Record<string, unknown>[]>(home, 'data', 'check');
    const found = (kind: string): Record<string, unknown> => checks.find((check) => check['kind'] === kind) ?? assert.fail(kind);
    assert.equal(found('bars')['qualityRatio'], (72 - 0) / 72);
    const { holes, missing, qualityRatio, intervalMs } = found('funding');
    assert.deepEqual(
      { holes, missing, qualityRatio, intervalMs },
      { holes: 1, missing: 2, qualityRatio: 28 / 30, intervalMs: 8 * HOUR_MS },
    );
    assert.deepEqual([found('book-delta')['chainBreaks'], found('book-delta')['qualityRatio']], [1, 22 / 23]);
    assert.deepEqual([found('ticker')['crossedRows'], found('ticker')['qualityRatio']], [1, 1 / 2]);
    const text = (await ballast(home, 'data', 'check')).stdout;
    assert.match(text, /book-delta mine BTC\/USDT\n {2}2024-01-30T00:00:00\.022Z {2}chain-break: updates 30 to 31 after 26/);
    assert.match(text, /2024-02-01T08:00:00Z {2}hole: 2 missing/);

    const out = join(home, 'out.csv');
    const exported = await json<{ rows: number }>(home, 'data', 'export', '--kind', 'ticker', '--symbol', 'BTC/USDT', '--out', out);
    assert.equal(exported.rows, 2);
    assert.equal(readFileSync(out, 'utf8').split('\n')[1], `${at},${at},1,100,1,101,1`);

    const january = Date.parse('2024-02-10');
    const keep = `${Math.floor((Date.now() - january) / DAY_MS)}d`;
    const rehearsed = await json<{ series: unknown[] }>(home, 'data', 'prune', '--keep', keep, '--dry-run');
    assert.equal(rehearsed.series.length, 4);
    assert.equal((await json<{ rows: number }[]>(home, 'data', 'ls', '--kind', 'bars'))[0]?.rows, 72);
    assert.match(
      (await ballast(home, 'data', 'prune', '--keep', keep)).stdout,
      /bars +mine +BTC\/USDT +1h +2024-01 +2024-01 +1\n[\s\S]*: went/,
    );
    assert.deepEqual(
      (await json<{ kind: string; rows: number }[]>(home, 'data', 'ls')).map(({ kind, rows }) => [kind, rows]),
      [
        ['bars', 24],
        ['funding', 22],
      ],
    );
    assert.match((await ballast(home, 'data', 'prune', '--keep', keep)).stdout, /^no month ended before/);
  });

  test('list what venues demand of orders below what is stored', async () => {
    const home = temporaryFolder('data');
    const told = { tick: price('0.1'), lot: quantity('0.001'), minimumQuantity: quantity('0.002'), minimumNotional: amount('5') };
    const name = { venue: 'bybit', symbol: 'BTC/USDT:USDT' };
    await keepFilters(home, name, { ...told, contractSize: 1 }, () => Promise.resolve(Date.parse('2026-01-31')));
    const { stdout } = await ballast(home, 'data', 'ls');
    assert.match(stdout, /^venue +instrument +from +tick +lot +least quantity +least notional +contract\n/);
    assert.match(stdout, /bybit +BTC\/USDT:USDT +2026-01-31T00:00:00Z +0\.1 +0\.001 +0\.002 +5 +1/);
    const bars = written(home, 'bars.csv', barsCsv(Date.parse('2024-01-30'), 3, 0));
    await json(home, 'data', 'import', bars, '--symbol', 'BTC/USDT', '--timeframe', '1h', '--venue', 'mine');
    assert.match((await ballast(home, 'data', 'ls')).stdout, /bars +mine[\s\S]*\n\nvenue +instrument/);
    const [listed] = await json<Record<string, unknown>[]>(home, 'data', 'ls', '--kind', 'instrument');
    assert.deepEqual(listed, {
      kind: 'instrument',
      ...name,
      versions: [
        { from: '2026-01-31T00:00:00Z', tick: '0.1', lot: '0.001', minimumQuantity: '0.002', minimumNotional: '5', contractSize: 1 },
      ],
    });
  });

  test('import many symbols at once by the names of their files, tell what became what, and guess nothing', async () => {
    const home = temporaryFolder('data');
    const folder = join(home, '1h_spot');
    mkdirSync(folder);
    const at = Date.parse('2024-01-01T00:00:00Z');
    const files = [
      ['BTCUSDT_1h_2024-01.csv', at, 0],
      ['BTCUSDT_1h_2024-02.csv', at + 48 * HOUR_MS, 0],
      ['ETH-USDT_1h.csv', at, 5],
    ] as const;
    const paths = files.map(([name, from, lift]) => written(folder, name, barsCsv(from, 48, lift)));
    const words = ['data', 'import', ...paths, '--symbol', 'auto', '--venue', 'mine'];
    const { stdout } = await ballast(home, ...words);
    assert.match(stdout, /^files +became +venue +symbol +bars/);
    assert.match(stdout, /^BTCUSDT_1h_2024-01\.csv and 1 other +bars +mine +BTC\/USDT +1h .* 96 +96 +0 +0$/m);
    assert.match(stdout, /^ETH-USDT_1h\.csv +bars +mine +ETH\/USDT +1h .* 48 +48 +0 +0$/m);
    const again = await json<{ symbol: string; files: string[]; unchanged: number }[]>(home, ...words);
    assert.deepEqual(
      again.map(({ symbol, files: own, unchanged }) => [symbol, own.length, unchanged]),
      [
        ['BTC/USDT', 2, 96],
        ['ETH/USDT', 1, 48],
      ],
    );
    // One name that leaves something open, and nothing is imported of the others either.
    const open = written(home, 'SOLUSDT_1h.csv', barsCsv(at, 48, 0));
    const more = written(folder, 'ADAUSDT_1h.csv', barsCsv(at, 48, 0));
    const refused = await ballast(home, 'data', 'import', more, open, '--symbol', 'auto', '--venue', 'mine');
    assert.deepEqual([refused.exitCode, refused.stdout], [2, '']);
    assert.match(refused.stderr, /SOLUSDT_1h\.csv: found nothing that says whether it is spot or a perpetual/);
    assert.equal((await json<unknown[]>(home, 'data', 'ls')).length, 2);
    const broken = written(folder, 'XRPUSDT_1h.csv', 'time,open,high,low,close,volume\n2024-01-01T00:00:00Z,1,1,1,1,-1\n');
    const halfway = await ballast(home, 'data', 'import', more, broken, '--symbol', 'auto', '--venue', 'mine');
    assert.equal(halfway.exitCode, 1);
    assert.match(halfway.stderr, /imported before it failed:\n[\s\S]*ADAUSDT_1h\.csv +bars[\s\S]*XRPUSDT_1h\.csv:2/);
  });

  test('take feather, and count what a second import corrects', async () => {
    const home = temporaryFolder('data');
    const { files } = JSON.parse(readFileSync(join(ROOT, 'test/golden/freqtrade-files.json'), 'utf8')) as {
      files: Record<string, { feather: string }>;
    };
    const path = join(home, 'BTC_USDT-5m.feather');
    writeFileSync(path, Buffer.from(files['bars-lz4']?.feather ?? '', 'base64'));
    const series = ['--symbol', 'BTC/USDT', '--timeframe', '5m', '--venue', 'binance'];
    assert.equal((await json<{ added: number }>(home, 'data', 'import', path, '--format', 'freqtrade', ...series)).added, 150);
    const one = written(home, 'one.csv', 'time,open,high,low,close,volume\n2021-01-30T00:00:00Z,1,100,1,99,5\n');
    assert.equal((await json<{ corrected: number }>(home, 'data', 'import', one, ...series)).corrected, 1);
    assert.equal((await json<{ corrections: number }[]>(home, 'data', 'ls'))[0]?.corrections, 1);
    assert.equal((await json<{ corrections: number }[]>(home, 'data', 'check'))[0]?.corrections, 1);
  });

  for (const [words, message] of [
    ['import a.csv --symbol BTC/USDT --timeframe 1h', /^error: --venue: found nothing, expected --venue <name>/],
    ['import a.csv --venue v --symbol BTC/USDT', /^error: --timeframe: found nothing/],
    [
      'import a.csv --format coinmetrics --kind trades --symbol BTC',
      /^error: --kind: found trades with --format coinmetrics, expected one of metric/,
    ],
    ['import a.csv --format capture --kind trades --symbol BTC/USDT --venue v', /^error: --kind: found it with --format capture/],
    ['import a.csv --kind funding --symbol BTC/USDT:USDT --venue v --vintage 2026-01-01', /^error: --vintage: found it with funding/],
    ['import a.csv --symbol BTC/USDT --timeframe 1h --venue v --market spot', /^error: --market: found it with a symbol/],
    ['import a.csv --symbol BTC/USDT --timeframe 1h --venue v --lag 1h', /^error: --lag: found it with bars/],
    ['import a.csv --kind funding --symbol btc --venue v', /^error: --symbol: found "btc"/],
    ['import a.csv --kind orders --symbol BTC/USDT --venue v', /^error: --kind: found "orders", expected one of bars, trades/],
    ['import a.csv --format xls --symbol BTC/USDT --venue v', /^error: --format: found "xls", expected one of csv, binance/],
    ['export --kind funding --symbol BTC/USDT:USDT', /found no funding at all under .*, expected an imported history/],
    ['export --symbol BTC/USDT', /^error: --timeframe: found nothing/],
    ['check --kind funding', /^error: data check: found no funding at all under/],
    ['prune --keep 1d --symbol BTC/USDT', /^error: data prune: found no such series/],
    ['prune', /^error: --keep: found nothing/],
  ] as const) {
    test(`ballast data ${words} is exit 2 and one message`, async () => {
      const home = temporaryFolder('data');
      const { exitCode, stdout, stderr } = await ballast(home, 'data', ...words.split(' '));
      assert.deepEqual([exitCode, stdout], [2, '']);
      assert.match(stderr, message);
      assert.equal(existsSync(join(home, 'data')), false, 'nothing was made');
    });
  }

  test('kill -9 at a random moment of an import leaves the old state or the new one, for bars and for the rest', async (context) => {
    const from = Date.parse('2020-01-01T00:00:00Z');
    const random = new Random(20_261_121);
    const tradesCsv = (price: number): string => {
      const rows = Array.from({ length: 12_000 }, (_, row) => `${from + row * HOUR_MS},${row},${price},1,buy`);
      return `time,id,price,qty,side\n${rows.join('\n')}\n`;
    };
    let killed = 0;
    for (const kind of ['bars', 'trades'] as const) {
      const home = temporaryFolder('kill');
      const csv = (lift: number): string => (kind === 'bars' ? barsCsv(from, 12_000, lift) : tradesCsv(5 + lift));
      const [old, later] = [written(home, 'old.csv', csv(0)), written(home, 'new.csv', csv(3))];
      const series = ['--symbol', 'BTC/USDT', '--venue', 'mine', '--kind', kind, ...(kind === 'bars' ? ['--timeframe', '1h'] : [])];
      const contents = async (): Promise<string> => {
        const out = join(home, 'out.csv');
        await json(home, 'data', 'export', ...series, '--out', out);
        return readFileSync(out, 'utf8');
      };
      await json(home, 'data', 'import', old, ...series);
      const before = await contents();
      const begun = performance.now();
      assert.equal((await startBallast(home, 'data', 'import', later, ...series).ended).code, 0);
      const wholeMs = performance.now() - begun;
      const after = await contents();
      assert.notEqual(before, after);
      for (let round = 0; round < 3; round += 1) {
        // Back to the old state, then killed somewhere in its second half, where it writes.
        await json(home, 'data', 'import', old, ...series);
        const program = startBallast(home, 'data', 'import', later, ...series);
        await new Promise((resolve) => setTimeout(resolve, wholeMs * (0.4 + 0.6 * random.uniform())));
        program.kill();
        if ((await program.ended).signal === 'SIGKILL') killed += 1;
        const found = await contents();
        assert.ok(found === before || found === after, `round ${round} of ${kind} left something between`);
        assert.equal(existsSync(join(home, 'data/.import')), false);
      }
    }
    context.diagnostic(`${killed} of 6 were killed before their end`);
    assert.ok(killed > 0);
  });
});
