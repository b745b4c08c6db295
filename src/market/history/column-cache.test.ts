import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { freshHeader, sourceState } from './column-cache.ts';
import { COLUMN_NAMES } from './parquet.ts';
import type { BarStore } from './store.ts';
import { ballastError, HOURLY, openedStore, sameBars, temporaryFolder, walk } from './test-bars.ts';

const QUARTER = walk('2021-01-01T00:00:00Z', 90 * 24);

interface Fixture {
  readonly home: string;
  readonly store: BarStore;
  readonly folder: string;
  readonly february: string;
}

async function loadedQuarter(context: TestContext): Promise<Fixture> {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  await store.merge(HOURLY, QUARTER);
  sameBars(await store.load(HOURLY), QUARTER);
  const folder = join(home, 'data/bars/binance/BTC-USDT/1h');
  return { home, store, folder, february: join(folder, '.cache/2021-02.columns') };
}

/** Whether reading came from copies alone: without its Parquet file's content nothing else could have answered. */
async function isCached({ folder }: Fixture, month: string): Promise<boolean> {
  const file = { month, path: join(folder, `${month}.parquet`) };
  const source = sourceState(file);
  return source !== undefined && freshHeader(file, source) !== undefined;
}

test('a load leaves a copy of each month, and the next one reads it into shared memory', async (context) => {
  const quarter = await loadedQuarter(context);
  assert.deepEqual(readdirSync(join(quarter.folder, '.cache')), ['2021-01.columns', '2021-02.columns', '2021-03.columns']);
  const bars = await quarter.store.load(HOURLY);
  sameBars(bars, QUARTER);
  for (const name of COLUMN_NAMES) assert.ok(bars[name].buffer instanceof SharedArrayBuffer, `${name} is in shared memory`);
});

test('what is cached is what is stored, for any range', async (context) => {
  const { store } = await loadedQuarter(context);
  const startAt = QUARTER.openAt[0] ?? 0;
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -30, max: 2200 }), fc.integer({ min: -30, max: 2200 }), async (from, to) => {
      const bars = await store.load({ ...HOURLY, fromMs: startAt + from * HOUR_MS, toMs: startAt + to * HOUR_MS });
      const [first, last] = [Math.max(0, from), Math.max(0, from, Math.min(to, QUARTER.openAt.length))];
      for (const name of COLUMN_NAMES) assert.deepEqual([...bars[name]], [...QUARTER[name].subarray(first, last)]);
    }),
    { numRuns: 25 },
  );
});

test('a copy is stale as soon as its month has changed, by us or by somebody else', async (context) => {
  const quarter = await loadedQuarter(context);
  const march = walk('2021-03-20T00:00:00Z', 24, HOUR_MS, 5);
  await quarter.store.merge(HOURLY, march);
  assert.equal(await isCached(quarter, '2021-02'), true, 'nothing has changed in February');
  assert.equal(await isCached(quarter, '2021-03'), false);
  const row = QUARTER.openAt.indexOf(march.openAt[0] ?? NaN);
  assert.equal((await quarter.store.load(HOURLY)).close[row], march.close[0]);
  assert.equal(await isCached(quarter, '2021-03'), true);

  // A file of another store with as many bars, put in place with the old one's size and time of change.
  const other = await openedStore(context, temporaryFolder(context));
  await other.merge(HOURLY, walk('2021-01-01T00:00:00Z', 90 * 24, HOUR_MS, 3));
  const [path, from] = [join(quarter.folder, '2021-02.parquet'), join(other.root, 'binance/BTC-USDT/1h/2021-02.parquet')];
  const { mtime } = statSync(path);
  copyFileSync(from, path);
  utimesSync(path, mtime, mtime);
  assert.equal((await quarter.store.load(HOURLY)).open[31 * 24], (await other.load(HOURLY)).open[31 * 24]);
});

test('a copy that was torn, damaged or emptied is made again, wherever it was hurt', async (context) => {
  const quarter = await loadedQuarter(context);
  const whole = readFileSync(quarter.february);
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(7), fc.boolean(), async (byte, bit, isTorn) => {
      const bytes = Buffer.from(whole);
      bytes[byte] = (bytes[byte] ?? 0) ^ (1 << bit);
      writeFileSync(quarter.february, bytes);
      if (isTorn) truncateSync(quarter.february, byte);
      sameBars(await quarter.store.load(HOURLY), QUARTER);
      assert.deepEqual(readFileSync(quarter.february), whole);
    }),
    { numRuns: 40 },
  );
  const part = { ...HOURLY, fromMs: Date.parse('2021-02-03'), toMs: Date.parse('2021-02-05') };
  writeFileSync(quarter.february, Buffer.alloc(whole.length));
  assert.equal((await quarter.store.load(part)).openAt.length, 48);
  assert.deepEqual(readFileSync(quarter.february), whole);
});

test('without its copies a series is as it was, and a damaged file is not hidden by a copy', async (context) => {
  const quarter = await loadedQuarter(context);
  rmSync(join(quarter.folder, '.cache'), { recursive: true });
  sameBars(await quarter.store.load(HOURLY), QUARTER);
  const path = join(quarter.folder, '2021-02.parquet');
  const bytes = readFileSync(path);
  bytes[300] = (bytes[300] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  assert.equal((await ballastError(() => quarter.store.load(HOURLY))).code, 'STORE_FILE_CORRUPT');
});

test('where no copy can be written, loading goes on without', async (context) => {
  const { home, store, folder } = await loadedQuarter(context);
  rmSync(join(folder, '.cache'), { recursive: true });
  writeFileSync(join(folder, '.cache'), 'no folder');
  sameBars(await store.load(HOURLY), QUARTER);
  assert.equal(statSync(join(folder, '.cache')).isFile(), true);
  const again = await openedStore(context, home);
  for await (const chunk of again.stream(HOURLY, 100)) assert.ok(chunk.openAt.length > 0);
});

test('a process killed while it writes copies leaves none that is wrong', async (context) => {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  const year = walk('2019-01-01T00:00:00Z', 600 * 24, HOUR_MS);
  await store.merge(HOURLY, year);
  const folder = join(home, 'data/bars/binance/BTC-USDT/1h');
  const program = `
    const { openStore } = await import(${JSON.stringify(import.meta.resolve('./store.ts'))});
    const store = await openStore(${JSON.stringify(home)});
    const { rmSync } = await import('node:fs');
    for (;;) {
      await store.load(${JSON.stringify(HOURLY)});
      console.log('loaded');
      rmSync(${JSON.stringify(join(folder, '.cache'))}, { recursive: true, force: true });
    }`;
  for (const waitMs of [1, 7, 23, 41]) {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    child.kill('SIGKILL');
    await once(child, 'close');
    const bars: BarColumns = await store.load(HOURLY);
    sameBars(bars, year);
  }
  // What was half written is gone once its month has been written again.
  const partial = join(folder, '.cache/2019-02.columns.1.partial');
  mkdirSync(join(folder, '.cache'), { recursive: true });
  writeFileSync(partial, 'half');
  rmSync(join(folder, '.cache/2019-02.columns'));
  await store.load({ ...HOURLY, fromMs: Date.parse('2019-02-01'), toMs: Date.parse('2019-02-01') + DAY_MS });
  assert.equal(existsSync(partial), false);
});
