import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ROOT } from '../../../test/support/source-tree.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { importBars } from './import.ts';
import { unpackLz4 } from './lz4.ts';
import { openRecords } from './record-store.ts';
import { importRecords } from './record-import.ts';
import type { RecordKind } from './kinds.ts';
import { ballastError, openedStore, temporaryFolder } from './test-bars.ts';

/** Written and read back by pandas and pyarrow: see the script beside it. */
const GOLDEN = JSON.parse(readFileSync(join(ROOT, 'test/golden/freqtrade-files.json'), 'utf8')) as {
  readonly files: Readonly<Record<string, { readonly feather: string; readonly rows: readonly (readonly (number | string | null)[])[] }>>;
};
const FIVE = { venue: 'binance', symbol: 'BTC/USDT', timeframeMs: 5 * MINUTE_MS };

function golden(name: string): { readonly bytes: Buffer; readonly rows: readonly (readonly (number | string | null)[])[] } {
  const file = GOLDEN.files[name];
  assert.ok(file !== undefined, name);
  return { bytes: Buffer.from(file.feather, 'base64'), rows: file.rows };
}

function written(context: TestContext, name: string, content: string | Uint8Array): string {
  const path = join(temporaryFolder(context), name);
  writeFileSync(path, content);
  return path;
}

for (const packing of ['lz4', 'zstd', 'uncompressed']) {
  test(`bars in feather, ${packing}, come in as pandas reads them`, async (context) => {
    const { bytes, rows } = golden(`bars-${packing}`);
    const store = await openedStore(context, temporaryFolder(context));
    const report = await importBars({ store, files: [written(context, 'a.feather', bytes)], format: 'freqtrade', ...FIVE });
    assert.equal(report.added, rows.length);
    const { openAt, open, high, low, close, volume } = await store.load(FIVE);
    assert.deepEqual(
      rows,
      Array.from(openAt, (at, row) => [at, open[row], high[row], low[row], close[row], volume[row]]),
    );
  });
}

test('bars in JSON come in the same', async (context) => {
  const { rows } = golden('bars-lz4');
  const store = await openedStore(context, temporaryFolder(context));
  await importBars({ store, files: [written(context, 'a.json', JSON.stringify(rows))], format: 'freqtrade', ...FIVE });
  assert.deepEqual(
    Array.from((await store.load(FIVE)).close),
    rows.map((row) => row[4]),
  );
});

async function records(context: TestContext, kind: RecordKind, file: string, timeframeMs?: number) {
  const store = await openRecords(temporaryFolder(context));
  context.after(() => store.close());
  const series = { kind, venue: 'binance', symbol: 'BTC/USDT:USDT' };
  const reports = await importRecords({ store, files: [file], format: 'freqtrade', ...series, importedAt: 0, timeframeMs });
  return { store, series, reports };
}

test('trades in feather come in with their sides and ids, and funding rates out of the open', async (context) => {
  const trades = golden('trades-lz4');
  const { store, series } = await records(context, 'trades', written(context, 't.feather', trades.bytes));
  const columns = await store.load({ ...series, kind: 'trades' });
  assert.deepEqual(
    Array.from(columns.at, (at, row) => [at, String(columns.id[row]), columns.takerSide[row], columns.price[row], columns.quantity[row]]),
    trades.rows.map(([at, id, , side, price, amount]) => [at, id, side === 'buy' ? 1 : -1, price, amount]),
  );
  const funding = golden('funding-lz4');
  const paid = await records(context, 'funding', written(context, 'f.feather', funding.bytes));
  assert.deepEqual(
    Array.from((await paid.store.load({ ...paid.series, kind: 'funding' })).rate),
    funding.rows.map((row) => row[1]),
  );
});

test('the mark of a bar is its close, known when it closes', async (context) => {
  const bars = [[Date.parse('2021-01-01'), 1, 4, 1, 3, 0]];
  const { store, series } = await records(context, 'mark', written(context, 'm.json', JSON.stringify(bars)), HOUR_MS);
  const marks = await store.load({ ...series, kind: 'mark' });
  assert.deepEqual([marks.price[0], marks.at[0], marks.happenedAt[0]], [3, ...Array<number>(2).fill(Date.parse('2021-01-01T01:00:00Z'))]);
});

test('what is no file of freqtrade, or has a row that is none, is named with its place', async (context) => {
  const { bytes } = golden('bars-lz4');
  const bad: readonly (readonly [string | Uint8Array, RegExp])[] = [
    ['{"a": 1}', /found JSON that is no list of lists/],
    ['[[1612000000000,1,', /expected JSON or feather as freqtrade writes it/],
    [bytes.subarray(0, 2000), /expected a whole feather file/],
    [JSON.stringify([[Date.parse('2021-01-01'), 1, 2, 1, null, 5]]), /a\.feather:1: found close null, expected a finite price above 0/],
    [JSON.stringify([[Date.parse('2021-01-01'), 3, 2, 1, 2, 5]]), /a\.feather:1: found open 3, high 2/],
  ];
  for (const [content, message] of bad) {
    const store = await openedStore(context, temporaryFolder(context));
    const path = written(context, 'a.feather', content);
    const error = await ballastError(() => importBars({ store, files: [path], format: 'freqtrade', ...FIVE }));
    assert.ok(error.message.startsWith(path), error.message);
    assert.match(error.message, message);
    assert.deepEqual(await store.list(), []);
  }
});

test('LZ4 that is cut off or reaches before its beginning is no data', () => {
  const frame = Buffer.from('04224d18604073', 'hex');
  const block = Buffer.from([0x10, 0x61, 0x01, 0x00]);
  const framed = (bytes: Buffer): Buffer => {
    const size = Buffer.alloc(4);
    size.writeUInt32LE(bytes.length);
    return Buffer.concat([frame, size, bytes, Buffer.alloc(4)]);
  };
  // One literal, then four copies of it: the shortest copy that overlaps itself.
  assert.equal(Buffer.from(unpackLz4(framed(block))).toString(), 'aaaaa');
  assert.throws(() => unpackLz4(framed(Buffer.from([0x10, 0x61, 0x02, 0x00]))), RangeError);
  assert.throws(() => unpackLz4(framed(block).subarray(0, 12)), RangeError);
  assert.throws(() => unpackLz4(Buffer.from('not a frame')), RangeError);
});
