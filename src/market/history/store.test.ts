import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { doublesOf } from './duck.ts';
import { emptyColumns } from './store.ts';
import type { BarStore } from './store.ts';
import { ballastError, HOURLY, openedStore, sameBars, temporaryFolder, walk } from './test-bars.ts';

const QUARTER = walk('2021-01-01T00:00:00Z', 90 * 24);

async function quarterStore(context: TestContext): Promise<{ store: BarStore; home: string; folder: string }> {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  await store.merge(HOURLY, QUARTER);
  return { store, home, folder: join(home, 'data/bars/binance/BTC-USDT/1h') };
}

function rowsOf(bars: BarColumns, from: number, to: number): BarColumns {
  const part = emptyColumns(Math.max(0, to - from));
  for (const name of ['openAt', 'open', 'high', 'low', 'close', 'volume'] as const)
    part[name].set(bars[name].subarray(from, Math.max(from, to)));
  return part;
}

test('bars come back as they went in, from one Parquet file a month', async (context) => {
  const { store, folder } = await quarterStore(context);
  assert.deepEqual(readdirSync(folder), ['2021-01.parquet', '2021-02.parquet', '2021-03.parquet']);
  sameBars(await store.load(HOURLY), QUARTER);
});

test('a range holds its first instant and not its last', async (context) => {
  const { store } = await quarterStore(context);
  const startAt = QUARTER.openAt[0] ?? 0;
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: -30, max: 2200 }),
      fc.integer({ min: -30, max: 2200 }),
      fc.integer({ min: 1, max: 3000 }),
      async (from, to, chunkRows) => {
        const range = { ...HOURLY, fromMs: startAt + from * HOUR_MS, toMs: startAt + to * HOUR_MS };
        const expected = rowsOf(QUARTER, Math.max(0, from), Math.min(QUARTER.openAt.length, Math.max(0, to)));
        sameBars(await store.load(range), expected);
        let rows = 0;
        for await (const chunk of store.stream(range, chunkRows)) {
          sameBars(chunk, rowsOf(expected, rows, Math.min(rows + chunkRows, expected.openAt.length)));
          rows += chunk.openAt.length;
        }
        assert.equal(rows, expected.openAt.length);
      },
    ),
    { numRuns: 15 },
  );
});

test('a stream may be left before its end, and others go on beside it', async (context) => {
  const { store } = await quarterStore(context);
  for await (const chunk of store.stream(HOURLY, 10)) {
    sameBars(chunk, rowsOf(QUARTER, 0, 10));
    break;
  }
  const loads = await Promise.all([store.load(HOURLY), store.load(HOURLY), store.list()]);
  sameBars(loads[1], QUARTER);
});

test('merging adds, leaves and corrects, and says how many of each', async (context) => {
  const { store, folder } = await quarterStore(context);
  const before = statSync(join(folder, '2021-02.parquet'));
  assert.deepEqual(await store.merge(HOURLY, QUARTER), { added: 0, unchanged: 2160, corrected: 0 });
  assert.equal(statSync(join(folder, '2021-02.parquet')).ino, before.ino, 'a month that says nothing new is not written again');

  const march = walk('2021-03-20T00:00:00Z', 24 * 24, HOUR_MS, 5);
  assert.deepEqual(await store.merge(HOURLY, march), { added: 12 * 24, unchanged: 0, corrected: 12 * 24 });
  assert.equal(statSync(join(folder, '2021-02.parquet')).ino, before.ino);
  const merged = await store.load(HOURLY);
  sameBars(rowsOf(merged, 78 * 24, merged.openAt.length), march);
  sameBars(rowsOf(merged, 0, 78 * 24), rowsOf(QUARTER, 0, 78 * 24));
});

test('merging in any order and overlap ends with the last word on every bar', async (context) => {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  const piece = fc.record({
    from: fc.nat(1500),
    rows: fc.integer({ min: 1, max: 900 }),
    step: fc.integer({ min: 1, max: 3 }),
    lift: fc.nat(3),
  });
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 3 }), async (pieces) => {
      const series = { ...HOURLY, venue: `venue${(run += 1)}` };
      const expected = new Map<number, number>();
      for (const { from, rows, step, lift } of pieces) {
        const at = Date.parse('2021-01-01') + from * HOUR_MS;
        const bars = walk(new Date(at).toISOString(), rows, step * HOUR_MS, lift);
        const corrected = bars.openAt.filter((openAt, row) => expected.has(openAt) && expected.get(openAt) !== bars.open[row]).length;
        const report = await store.merge(series, bars);
        // Another open at the same time is a correction; the same open may still differ in its close.
        assert.ok(report.corrected >= corrected);
        assert.equal(report.added, bars.openAt.filter((openAt) => !expected.has(openAt)).length);
        assert.equal(report.added + report.unchanged + report.corrected, rows);
        bars.openAt.forEach((openAt, row) => expected.set(openAt, bars.open[row] ?? NaN));
      }
      const stored = await store.load(series);
      const sorted = [...expected].toSorted(([a], [b]) => a - b);
      assert.deepEqual(
        Array.from(stored.openAt),
        sorted.map(([openAt]) => openAt),
      );
      assert.deepEqual(
        Array.from(stored.open),
        sorted.map(([, open]) => open),
      );
    }),
    { numRuns: 12 },
  );
});

test('the list names every series with its range, and what is not a month of bars is left alone', async (context) => {
  const { store, folder, home } = await quarterStore(context);
  await store.merge({ venue: 'bybit', symbol: 'BTC/USDT:USDT', timeframeMs: MINUTE_MS }, walk('2022-05-31T23:50:00Z', 20, MINUTE_MS));
  await store.merge({ ...HOURLY, timeframeMs: DAY_MS }, walk('2020-02-28T00:00:00Z', 3, DAY_MS));
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  mkdirSync(join(folder, '.cache'));
  mkdirSync(join(home, 'data/bars/Some Folder/x'), { recursive: true });
  mkdirSync(join(home, 'data/bars/binance/ETH-USDT/1h'), { recursive: true });
  assert.deepEqual(await store.list(), [
    { ...HOURLY, fromMs: Date.parse('2021-01-01'), toMs: Date.parse('2021-04-01'), rows: 2160, corrections: 0 },
    { ...HOURLY, timeframeMs: DAY_MS, fromMs: Date.parse('2020-02-28'), toMs: Date.parse('2020-03-02'), rows: 3, corrections: 0 },
    {
      venue: 'bybit',
      symbol: 'BTC/USDT:USDT',
      timeframeMs: MINUTE_MS,
      fromMs: Date.parse('2022-05-31T23:50Z'),
      toMs: Date.parse('2022-06-01T00:10Z'),
      rows: 20,
      corrections: 0,
    },
  ]);
});

test('a store that is not there yet is empty, and looking does not make it', async (context) => {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  assert.deepEqual(await store.list(), []);
  const error = await ballastError(() => store.resolve(HOURLY));
  assert.equal(error.exitCode, 2);
  assert.match(
    error.message,
    /^binance BTC\/USDT 1h: found no bars at all under .*data\/bars, expected an imported history \(import it: ballast data import FILE/,
  );
  assert.deepEqual(readdirSync(home), []);
});

test('the venue may be left out where one has the bars; otherwise the error says what there is', async (context) => {
  const { store } = await quarterStore(context);
  await store.merge({ ...HOURLY, symbol: 'ETH/USDT', timeframeMs: 5 * MINUTE_MS }, walk('2021-01-01T00:00:00Z', 3, 5 * MINUTE_MS));
  assert.equal(store.resolve({ symbol: 'BTC/USDT', timeframeMs: HOUR_MS }), 'binance');
  await store.merge({ ...HOURLY, venue: 'bybit' }, walk('2021-01-01T00:00:00Z', 3));
  assert.equal(store.resolve({ ...HOURLY, venue: 'bybit' }), 'bybit');

  const messageOf = async (query: { symbol: string; venue?: string; timeframeMs: number }): Promise<string> => {
    const error = await ballastError(() => store.resolve(query));
    assert.equal(error.exitCode, 2);
    return error.message;
  };
  assert.equal(
    await messageOf({ symbol: 'BTC/USDT', timeframeMs: HOUR_MS }),
    'BTC/USDT 1h: found bars of 2 venues: binance, bybit, expected exactly one, or the venue named (add --venue binance)',
  );
  const importIt = (rest: string): string => {
    const download = `ballast data download ${rest.replace('--symbol', '--symbols')}`;
    return `(import it: ballast data import FILE ${rest}, or download it: ${download})`;
  };
  assert.equal(
    await messageOf({ symbol: 'BTC/USDT', timeframeMs: MINUTE_MS }),
    `BTC/USDT 1m: found no such bars, expected one of binance BTC/USDT 1h, bybit BTC/USDT 1h ${importIt('--symbol BTC/USDT --timeframe 1m --venue NAME')}`,
  );
  assert.equal(
    await messageOf({ symbol: 'ETH/USDT', venue: 'bybit', timeframeMs: 5 * MINUTE_MS }),
    `bybit ETH/USDT 5m: found no such bars, expected one of binance ETH/USDT 5m ${importIt('--symbol ETH/USDT --timeframe 5m --venue bybit')}`,
  );
  assert.equal(
    await messageOf({ symbol: 'DOGE/USDT', timeframeMs: HOUR_MS }),
    `DOGE/USDT 1h: found no bars of this symbol, expected a stored symbol: BTC/USDT, ETH/USDT ${importIt('--symbol DOGE/USDT --timeframe 1h --venue NAME')}`,
  );
  assert.equal((await ballastError(() => store.load({ ...HOURLY, venue: 'kraken' }))).code, 'SERIES_UNKNOWN');
});

test('a venue or a symbol that would not be a safe path is refused before anything is touched', async (context) => {
  const store = await openedStore(context, temporaryFolder(context));
  const bars = walk('2021-01-01T00:00:00Z', 3);
  for (const venue of ['../x', 'Binance', '', 'a/b', '.hidden']) {
    assert.equal((await ballastError(() => store.merge({ ...HOURLY, venue }, bars))).code, 'VENUE_MALFORMED');
  }
  assert.equal((await ballastError(() => store.merge({ ...HOURLY, symbol: '../BTC' }, bars))).code, 'SYMBOL_MALFORMED');
});

test('a home folder may have any name', async (context) => {
  const home = join(temporaryFolder(context), "it's [a] *odd* a=b? home");
  const store = await openedStore(context, home);
  await store.merge(HOURLY, QUARTER);
  sameBars(await store.load(HOURLY), QUARTER);
  assert.equal((await store.list())[0]?.rows, 2160);
});

test('a file that was truncated, emptied, replaced, renamed or removed is named, with the remedy', async (context) => {
  const { store, folder } = await quarterStore(context);
  const path = join(folder, '2021-02.parquet');
  const whole = readFileSync(path);
  const damages: Record<string, () => void> = {
    truncated: () => truncateSync(path, whole.length - 100),
    halved: () => truncateSync(path, whole.length / 2),
    emptied: () => writeFileSync(path, ''),
    replaced: () => writeFileSync(path, 'open_at,open\n'),
    renamed: () => renameSync(join(folder, '2021-01.parquet'), path),
  };
  for (const [name, damage] of Object.entries(damages)) {
    damage();
    const error = await ballastError(() => store.load(HOURLY));
    assert.equal(error.code, 'STORE_FILE_CORRUPT', name);
    assert.equal(error.place, path, name);
    assert.equal(error.exitCode, 1);
    assert.match(error.message, /move the file away and import the data of its month again/);
    assert.equal((await ballastError(() => store.merge(HOURLY, QUARTER))).place, path, name);
    if (name !== 'renamed') assert.equal((await ballastError(() => store.list())).place, path, name);
    writeFileSync(path, whole);
  }
  // As the remedy says.
  rmSync(path);
  assert.equal((await store.merge(HOURLY, QUARTER)).added, 31 * 24 + 28 * 24);
  sameBars(await store.load(HOURLY), QUARTER);
});

test('one flipped bit is found wherever it changes a bar', async (context) => {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  const bars = walk('2021-01-01T00:00:00Z', 100);
  await store.merge(HOURLY, bars);
  const path = join(home, 'data/bars/binance/BTC-USDT/1h/2021-01.parquet');
  const whole = readFileSync(path);
  let found = 0;
  for (let at = 0; at < whole.length; at += 29) {
    const flipped = Uint8Array.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8));
    writeFileSync(path, flipped);
    const outcome = await store.load(HOURLY).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      const error = await ballastError(() => Promise.reject(outcome));
      assert.equal(error.place, path);
      found += 1;
    } else sameBars(await store.load(HOURLY), bars);
  }
  assert.ok(found > 50, `${found} flips found`);
});

test('a column is read the same with and without the typed array inside the vector', async () => {
  const { DOUBLE, DuckDBDataChunk } = await import('@duckdb/node-api');
  const chunk = DuckDBDataChunk.create([DOUBLE], 3);
  const vector = chunk.getColumnVector(0);
  [1.5, 2.5, 3.5].forEach((value, row) => vector.setItem(row, value));
  assert.ok(Reflect.get(vector, 'items') instanceof Float64Array, 'the fast way is open in this version of DuckDB');
  assert.deepEqual(doublesOf(vector), Float64Array.of(1.5, 2.5, 3.5));
  const plain: unknown = { itemCount: 3, getItem: (row: number) => row + 1.5 };
  assert.deepEqual(doublesOf(plain as typeof vector), Float64Array.of(1.5, 2.5, 3.5));
});

test('a file that another tool wrote is read, though nothing vouches for it', async (context) => {
  const { store, folder } = await quarterStore(context);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const path = join(folder, '2021-04.parquet');
  const openAt = Date.parse('2021-04-01');
  await connection.run(`COPY (SELECT ${openAt}::BIGINT AS open_at, 1 AS open, 2 AS high, 1 AS low, 2 AS close, 0 AS volume) TO '${path}'`);
  const bars = await store.load({ ...HOURLY, fromMs: openAt });
  assert.deepEqual([bars.openAt[0], bars.high[0], bars.openAt.length], [openAt, 2, 1]);
  await connection.run(`COPY (SELECT ${openAt}::BIGINT AS open_at, 1 AS open) TO '${path}'`);
  assert.equal((await ballastError(() => store.load(HOURLY))).place, path);
});

test('F25: what a merge replaces is kept with the time of the correction, however often', async (context) => {
  const { store, folder } = await quarterStore(context);
  const path = join(folder, 'corrections.parquet');
  await store.merge(HOURLY, QUARTER, { correctedAt: 1 });
  assert.equal((await store.list())[0]?.corrections, 0, 'the same again corrects nothing');
  for (const [lift, correctedAt] of [
    [5, Date.parse('2026-01-01')],
    [7, undefined],
  ] as const) {
    await store.merge(HOURLY, walk('2021-01-31T20:00:00Z', 8, HOUR_MS, lift), { correctedAt });
  }
  assert.equal((await store.list())[0]?.corrections, 16);
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const result = await connection.runAndReadAll(`SELECT corrected_at::DOUBLE, open_at::DOUBLE, "open" FROM read_parquet('${path}')`);
  const row = QUARTER.openAt.indexOf(Date.parse('2021-01-31T20:00:00Z'));
  const open = QUARTER.open[row] ?? NaN;
  assert.deepEqual(result.getRows()[0], [Date.parse('2026-01-01'), QUARTER.openAt[row], open]);
  assert.deepEqual(result.getRows()[8], [null, QUARTER.openAt[row], walk('2021-01-31T20:00:00Z', 1, HOUR_MS, 5).open[0]]);
});

test('pruning takes whole months, and says which it would take', async (context) => {
  const { store, folder } = await quarterStore(context);
  await store.load(HOURLY);
  const before = Date.parse('2021-03-02');
  assert.deepEqual(await store.prune(HOURLY, before, true), ['2021-01', '2021-02']);
  sameBars(await store.load(HOURLY), QUARTER);
  assert.deepEqual(await store.prune(HOURLY, before, false), ['2021-01', '2021-02']);
  assert.deepEqual(readdirSync(folder), ['.cache', '2021-03.parquet']);
  assert.deepEqual(readdirSync(join(folder, '.cache')), ['2021-03.columns']);
  sameBars(await store.load(HOURLY), rowsOf(QUARTER, 59 * 24, 90 * 24));
  assert.deepEqual(await store.prune(HOURLY, before, false), []);
});
