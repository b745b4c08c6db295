import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { crc32, deflateRawSync, gzipSync } from 'node:zlib';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { exportRecords } from './export.ts';
import { importBars } from './import.ts';
import type { RecordKind } from './kinds.ts';
import { importRecords, type RecordImportRequest } from './record-import.ts';
import { openRecords, type RecordMergeReport, type RecordStore } from './record-store.ts';
import { ballastError, HOURLY, openedStore, temporaryFolder } from './test-bars.ts';

const AT = Date.parse('2025-01-02T03:04:05.678Z');
const IMPORTED_AT = Date.parse('2026-11-21');

interface Bench {
  readonly home: string;
  readonly store: RecordStore;
  file(content: string | Uint8Array, name?: string): string;
  take(content: string | Uint8Array, request?: Partial<RecordImportRequest>): Promise<RecordMergeReport>;
}

async function bench(context: TestContext, defaults: Partial<RecordImportRequest> = {}): Promise<Bench> {
  const home = temporaryFolder(context);
  const store = await openRecords(home);
  context.after(() => store.close());
  let files = 0;
  const file = (content: string | Uint8Array, name = `${(files += 1)}.csv`): string => {
    const path = join(home, name);
    writeFileSync(path, content);
    return path;
  };
  return {
    home,
    store,
    file,
    async take(content, request = {}) {
      const series = { format: 'csv', kind: 'trades', venue: 'binance', symbol: 'BTC/USDT', importedAt: IMPORTED_AT } as const;
      const [report] = await importRecords({ store, files: [file(content)], ...series, ...defaults, ...request });
      return report ?? assert.fail('no report');
    },
  };
}

/** A zip archive of one deflated file. */
function zipped(name: string, text: string): Buffer {
  const content = Buffer.from(text);
  const packed = deflateRawSync(content);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(8, 4);
  shared.writeUInt32LE(crc32(content), 10);
  shared.writeUInt32LE(packed.length, 14);
  shared.writeUInt32LE(content.length, 18);
  shared.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), shared, Buffer.from(name), packed]);
  const entry = Buffer.concat([Buffer.from('PK\u0001\u0002\u0014\0'), shared, Buffer.alloc(14), Buffer.from(name)]);
  const end = Buffer.alloc(22);
  end.write('PK\u0005\u0006');
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

test("Binance's archive is read in every dress: zipped or not, with a header or none, in milliseconds or microseconds", async (context) => {
  const rows = (micros: boolean): string =>
    [0, 1, 2]
      .map((row) => `${100 + row},61000.5,0.25,15250.1,${(AT + row) * (micros ? 1000 : 1)},${row === 1 ? 'True' : 'False'},True`)
      .join('\n');
  const header = 'id,price,qty,quote_qty,time,is_buyer_maker,is_best_match\n';
  for (const content of [
    rows(false),
    rows(true),
    header + rows(true),
    zipped('BTCUSDT-trades-2025-01.csv', rows(true)),
    gzipSync(rows(false)),
  ]) {
    const { take, store } = await bench(context, { format: 'binance' });
    assert.equal((await take(content)).added, 3);
    const trades = await store.load({ kind: 'trades', venue: 'binance', symbol: 'BTC/USDT' });
    assert.deepEqual(Array.from(trades.at), [AT, AT + 1, AT + 2]);
    assert.deepEqual([Array.from(trades.id), Array.from(trades.takerSide), trades.quantity[0]], [[100, 101, 102], [1, -1, 1], 0.25]);
    assert.ok(trades.price.buffer instanceof SharedArrayBuffer && trades.takerSide instanceof Int8Array);
  }
});

test('bars of its archive come zipped and without a header, too', async (context) => {
  const { home, file } = await bench(context);
  const store = await openedStore(context, home);
  const open = Date.parse('2025-01-01T00:00:00Z');
  const line = (row: number): string => `${(open + row * HOUR_MS) * 1000},1,3,1,2,5,${open + row * HOUR_MS + HOUR_MS - 1},10,4,2,4,0`;
  const path = file(zipped('BTCUSDT-1h-2025-01.csv', [0, 1, 2].map(line).join('\n')), 'k.zip');
  const report = await importBars({ store, files: [path], format: 'binance', ...HOURLY });
  assert.deepEqual([report.added, report.fromMs, report.toMs], [3, open, open + 3 * HOUR_MS]);
  const bad = file(zipped('BTCUSDT-1h-2025-01.csv', [line(0), line(1).replace(',3,1,2,', ',0,1,2,')].join('\n')), 'bad.zip');
  const error = await ballastError(() => importBars({ store, files: [bad], format: 'binance', ...HOURLY }));
  assert.equal(error.place, `${bad}/BTCUSDT-1h-2025-01.csv:2`);
});

test('aggregate and single trades are numbered differently and never mixed', async (context) => {
  const { take } = await bench(context, { format: 'binance' });
  await take(`7,61000,1,101,103,${AT},true,true\n8,61001,2,104,104,${AT + 5},false,true`);
  const error = await ballastError(() => take(`200,61000,1,61000,${AT},true,true`));
  assert.equal(error.code, 'GRAIN_MIXED');
  assert.equal((await take(`8,61001,2,104,104,${AT + 5},false,true`)).unchanged, 1);
});

test("Bybit's public trades come in by UUID, its seconds to the microsecond", async (context) => {
  const { take, store } = await bench(context, { format: 'bybit-archive', venue: 'bybit', symbol: 'BTC/USDT:USDT' });
  const text = [
    'timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional',
    '1735787045.678901,BTCUSDT,Sell,0.001,61000.5,ZeroMinusTick,00c706e1-ba52-5bb0-98d0-bf694bdc69f7,1,1,1',
    '1735787045.7,BTCUSDT,Buy,0.002,61001,PlusTick,ff000000-0000-5bb0-98d0-bf694bdc69f7,1,1,1',
  ].join('\n');
  assert.equal((await take(gzipSync(text))).added, 2);
  assert.equal((await take(text)).unchanged, 2);
  const trades = await store.load({ kind: 'trades', venue: 'bybit', symbol: 'BTC/USDT:USDT' });
  assert.deepEqual(Array.from(trades.at), [1_735_787_045_678.901, 1_735_787_045_700]);
  assert.deepEqual(Array.from(trades.takerSide), [-1, 1]);
  assert.ok(trades.id.every((id) => Number.isSafeInteger(id)) && trades.id[0] !== trades.id[1]);
});

test('a fault is named with its file and line, and the store stays as it was', async (context) => {
  const cases: readonly (readonly [RecordKind, string, string, RegExp])[] = [
    ['trades', 'time,id,price,qty,side', `${AT},2,0,1,buy`, /:3: found price 0, expected a finite price above 0/],
    ['trades', 'time,id,price,qty,side', `${AT},2,5,1,both`, /:3: found takerSide "both", expected buy or sell/],
    ['trades', 'time,id,price,qty,side', `${AT},x,5,1,buy`, /:3: found id "x", expected the number or UUID of a trade/],
    ['trades', 'time,id,price,qty,side', `tomorrow,3,5,1,buy`, /:3: found time "tomorrow", expected ISO-8601/],
    ['trades', 'time,id,price,qty,side', `${AT},1,6,1,buy`, /:3: found other values for the "id" of .*:2, expected the same values/],
    ['trades', 'time,id,price,qty,side', `${AT},2,5,1`, /:3: found 4 columns, expected 5/],
    ['funding', 'time,funding_rate', `${AT},1.5`, /:3: found rate 1.5, expected a funding rate as a fraction/],
    ['funding', 'time,funding_rate', `${AT},`, /:3: found rate "", expected a funding rate/],
    ['book-delta', 'time,first_update_id,last_update_id,side,price,qty', `${AT},9,8,bid,5,1`, /:3: found updates 9 to 8/],
    ['metric', 'time,AdrActCnt', '2021-01-01,many', /:3: found AdrActCnt "many", expected a finite number or nothing/],
  ];
  for (const [kind, header, row, message] of cases) {
    const { take, store, home } = await bench(context, { kind });
    const good: Partial<Record<RecordKind, string>> = {
      trades: `${AT},1,5,1,buy`,
      funding: `${AT - HOUR_MS},0.0001`,
      'book-delta': `${AT},1,2,bid,5,1`,
      metric: '2021-01-02,5',
    };
    const error = await ballastError(() => take(`${header}\n${good[kind] ?? ''}\n${row}\n`));
    assert.match(error.message, message);
    assert.match(error.message, /nothing was imported/);
    assert.deepEqual(await store.list(), []);
    assert.equal(existsSync(join(home, 'data/.import')), false);
  }
  const { take } = await bench(context);
  assert.equal((await ballastError(() => take('time,price\n1,2'))).code, 'COLUMNS_UNKNOWN');
  assert.equal((await ballastError(() => take('a,b\n', { format: 'capture' }))).code, 'KIND_UNKNOWN');
  assert.equal((await ballastError(() => take('PK\u0003\u0004 no archive'))).code, 'FILE_UNREADABLE');
  assert.equal(
    (await ballastError(() => take('{"type":"delta"}\n', { format: 'bybit-archive', kind: 'book-delta' }))).code,
    'CSV_ROW_CORRUPT',
  );
});

test('what is said of a day is known hours after it has ended, and what is said of an instant then', async (context) => {
  const { take, store } = await bench(context, { kind: 'metric', symbol: 'BTC' });
  await take('time,a\n2021-01-01,1\n');
  await take('time,b\n2021-01-01T05:00:00Z,1\n');
  await take('time,c\n2021-01-01,1\n', { lagMs: HOUR_MS });
  const { name, at } = await store.load({ kind: 'metric', venue: 'binance', symbol: 'BTC' });
  const day = Date.parse('2021-01-01');
  assert.deepEqual(Object.fromEntries(name.map((each, row) => [each, (at[row] ?? 0) - day])), {
    a: DAY_MS + 12 * HOUR_MS,
    b: 5 * HOUR_MS,
    c: DAY_MS + HOUR_MS,
  });
});

test('a restated metric is a version of its own, which nobody could know before its vintage', async (context) => {
  const { take, store } = await bench(context, { kind: 'metric', symbol: 'BTC', format: 'coinmetrics' });
  const csv = (flow: number): string => `time,Flow,Count\n2021-01-01,${flow},7\n2021-01-02,5,\n`;
  const [march, june] = [Date.parse('2022-03-01'), Date.parse('2022-06-01')];
  assert.deepEqual(report(await take(csv(1), { vintageMs: march })), [3, 0, 0]);
  assert.deepEqual(report(await take(csv(2), { vintageMs: june })), [1, 2, 1]);
  for (const [flow, vintageMs] of [
    [1, march],
    [2, june],
  ] as const) {
    assert.deepEqual(report(await take(csv(flow), { vintageMs })), [0, 3, 0], 'the same vintage again says nothing new');
  }
  // Back to the first value, in a vintage without a date: it is known from the import on.
  assert.deepEqual(report(await take(csv(1))), [1, 2, 1]);
  const flows = async (toMs: number): Promise<number[]> => {
    const { name, happenedAt, value } = await store.load({ kind: 'metric', venue: 'binance', symbol: 'BTC', toMs });
    return Array.from(value.filter((_, row) => name[row] === 'Flow' && happenedAt[row] === Date.parse('2021-01-01')));
  };
  assert.deepEqual(await flows(Date.parse('2021-01-02T12:00:00Z')), []);
  assert.deepEqual(await flows(june), [1]);
  assert.deepEqual(await flows(june + 1), [1, 2]);
  assert.deepEqual(await flows(IMPORTED_AT + 1), [1, 2, 1]);
  assert.equal((await store.list())[0]?.corrections, 0, 'a restatement corrects nothing');
});

function report({ added, unchanged, restated }: RecordMergeReport): number[] {
  return [added, unchanged, restated];
}

test('a clock that runs early is set right for the whole capture, and a right one is left alone', async (context) => {
  const trades = (earlyMs: number): string =>
    `local_ns,trade_time_ms,trade_id,price,qty,taker_side\n${AT - earlyMs + 3}000000,${AT},1,5,1,buy\n${AT - earlyMs + 1009}500000,${AT + 1000},2,5,1,buy\n`;
  const ticker = (earlyMs: number): string =>
    `local_ns,transaction_time_ms,update_id,bid,bid_qty,ask,ask_qty\n${AT - earlyMs + 20}000000,,1,4,1,5,1\n`;
  for (const earlyMs of [0, 1270]) {
    const { store, file } = await bench(context);
    const files = [file(trades(earlyMs)), file(ticker(earlyMs))];
    const series = { venue: 'binance', symbol: 'BTC/USDT' };
    await importRecords({ store, files, format: 'capture', kind: 'trades', ...series, importedAt: 0 });
    const { at, happenedAt } = await store.load({ kind: 'trades', ...series });
    const quotes = await store.load({ kind: 'ticker', ...series });
    const [offset] = (await store.list()).flatMap(({ notes }) => notes.captures.map(({ clockOffsetMs }) => clockOffsetMs));
    assert.ok(at.every((each, row) => each >= (happenedAt[row] ?? NaN)));
    // The quickest message arrives at once, and the ticker, which has no time of the venue, keeps its distance to it.
    assert.equal(offset, earlyMs === 0 ? undefined : earlyMs - 3);
    assert.deepEqual([(at[1] ?? 0) - (at[0] ?? 0), (quotes.at[0] ?? 0) - (at[0] ?? 0)], [1006.5, 17]);
    assert.equal(quotes.happenedAt[0], quotes.at[0]);
  }
});

test('a correction keeps what it replaced; an export comes back in as it was', async (context) => {
  const { take, store, home } = await bench(context);
  const csv = (price: string): string => `time,id,price,qty,side\n${AT},1,${price},1,buy\n${AT}.25,2,0.1,3,sell\n`;
  await take(csv('5'));
  assert.deepEqual([(await take(csv('6'))).corrected, (await store.list())[0]?.corrections], [1, 1]);
  const series = { kind: 'trades', venue: 'binance', symbol: 'BTC/USDT' } as const;
  const out = join(home, 'out.csv');
  assert.equal((await exportRecords({ store, ...series, to: out })).rows, 2);
  assert.equal((await take(readFileSync(out))).unchanged, 2);
  assert.equal(store.resolve({ kind: 'trades', symbol: 'BTC/USDT' }), 'binance');
  assert.equal((await ballastError(() => store.load({ ...series, venue: 'other' }))).code, 'SERIES_UNKNOWN');
  assert.deepEqual(await store.prune(series, Date.parse('2025-02-01'), false), ['2025-01']);
  assert.deepEqual(await store.list(), []);
});

test('option chains and trades of options are in dollars and ratios, and their exports come back in as they were', async (context) => {
  const { take, store, home } = await bench(context, { venue: 'deribit', symbol: 'BTC' });
  const expiry = Date.parse('2025-03-28T08:00:00Z');
  await take(
    'snapshot_ts,instrument,expiry,type,strike,index_price,mark_price_coin,mark_iv_pct,bid_iv_pct,ask_iv_pct,bid_coin,ask_coin,open_interest,delta\n' +
      '2025-01-02T03:04:05Z,BTC-28MAR25-90000-C,2025-03-28T08:00:00Z,C,90000,100000,0.15,60,0,61,0,0.16,12.5,0.7\n',
    { kind: 'option-chain' },
  );
  const trades =
    'timestamp,trade_id,side,instrument,expiry,type,strike,price_coin,price_usd,mark_price_btc,iv_pct,size,underlying_price,blocktrade_ids,combo_id\n' +
    '2025-01-02T03:04:00Z,7,SELL,BTC-28MAR25-90000-P,2025-03-28T08:00:00Z,P,90000,0.01,,0.011,55.5,0.3,100000,,\n' +
    '2025-01-02T03:04:00Z,6,BUY,,2025-03-28T08:00:00Z,C,90000,0.15,15000,0,0,2,100000,BLOCK-1,"BTC-CS-28MAR25-90000_95000"\n';
  await take(trades, { kind: 'option-trades' });
  const chain = await store.load({ kind: 'option-chain', venue: 'deribit', symbol: 'BTC' });
  assert.deepEqual(
    [chain.mark[0], chain.bid[0], chain.ask[0], chain.markVolatility[0], chain.bidVolatility[0], chain.right[0], chain.expiry[0]],
    [15_000, NaN, 16_000, 0.6, NaN, 1, expiry],
  );
  const sold = await store.load({ kind: 'option-trades', venue: 'deribit', symbol: 'BTC' });
  assert.deepEqual([...sold.id], [6, 7]);
  assert.deepEqual(sold.instrument, ['BTC-2025-03-28-90000-C', 'BTC-28MAR25-90000-P']);
  assert.deepEqual(
    [[...sold.price], [...sold.takerSide], [...sold.right]],
    [
      [15_000, 1000],
      [1, -1],
      [1, -1],
    ],
  );
  assert.deepEqual(
    [[...sold.volatility], [...sold.mark]],
    [
      [NaN, 0.555],
      [0, 1100],
    ],
  );
  assert.deepEqual(
    [sold.block, sold.combo],
    [
      ['BLOCK-1', ''],
      ['BTC-CS-28MAR25-90000_95000', ''],
    ],
  );
  for (const kind of ['option-chain', 'option-trades'] as const) {
    const out = join(home, `${kind}.csv`);
    await exportRecords({ store, kind, venue: 'deribit', symbol: 'BTC', to: out });
    const { added, unchanged, corrected } = await take(readFileSync(out), { kind });
    assert.deepEqual([added, unchanged, corrected], [0, kind === 'option-chain' ? 1 : 2, 0], kind);
  }
  for (const [sound, unsound] of [
    [',15000,', ',0,'],
    [',0.3,', ',-0.3,'],
    [',0.01,,', ',,,'],
  ] as const) {
    assert.equal((await ballastError(() => take(trades.replace(sound, unsound), { kind: 'option-trades' }))).code, 'CSV_ROW_CORRUPT');
  }
});

test('rows known after a later month has begun come in the order in which they were known', async (context) => {
  const { take, store } = await bench(context, { kind: 'metric', symbol: 'BTC', format: 'coinmetrics' });
  const days = Array.from({ length: 70 }, (_, day) => new Date(Date.parse('2021-01-01') + day * DAY_MS).toISOString().slice(0, 10));
  await take(`time,a\n${days.map((day, row) => `${day},${row}`).join('\n')}\n`, { vintageMs: 0 });
  await take(`time,a\n${days.map((day, row) => `${day},${row + 0.5}`).join('\n')}\n`, { vintageMs: Date.parse('2021-03-15') });
  const { at } = await store.load({ kind: 'metric', venue: 'binance', symbol: 'BTC' });
  assert.equal(at.length, 140);
  assert.ok(at.every((each, row) => row === 0 || each >= (at[row - 1] ?? NaN)));
  let rows = 0;
  for await (const part of store.stream({ kind: 'metric', venue: 'binance', symbol: 'BTC' }, 7)) rows += part.at.length;
  assert.equal(rows, 140);
});
