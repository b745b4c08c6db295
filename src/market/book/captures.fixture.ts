// The captures of the shared data as columns: gzipped CSV as it was recorded, times put right by `clockOffset`. For tests alone.
import { createReadStream, readFileSync } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { ASK, BID, type BookDeltaColumns, type BookSnapshotColumns, type TradeColumns } from '../../domain/book.ts';
import { clockOffset } from './clock-offset.ts';

export interface TickerColumns {
  readonly update: Float64Array;
  readonly bid: Float64Array;
  readonly bidQuantity: Float64Array;
  readonly ask: Float64Array;
  readonly askQuantity: Float64Array;
}

/** Chunk by chunk: no whole file in memory, and only the fields. */
async function eachRow(path: string, width: number, take: (fields: readonly string[]) => void): Promise<void> {
  let rest = '';
  let isHeader = true;
  const stream = createReadStream(path).pipe(createGunzip()).setEncoding('latin1');
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (isHeader) {
        isHeader = false;
        continue;
      }
      const fields = line.trimEnd().split(',');
      if (fields.length !== width) throw new Error(`${path}: found ${JSON.stringify(line)}, expected ${width} fields`);
      take(fields);
    }
  }
  if (rest !== '') throw new Error(`${path} does not end with a line`);
}

/** Nanoseconds in words: a double of all their digits is off by a quarter of a microsecond, this one by an eighth. */
function milliseconds(nanoseconds: string | undefined): number {
  return Number(`${nanoseconds?.slice(0, -6)}.${nanoseconds?.slice(-6)}`);
}

function sideOf(word: string | undefined): number {
  if (word === 'bid' || word === 'buy') return BID;
  if (word === 'ask' || word === 'sell') return ASK;
  throw new Error(`found side ${word}, expected bid, ask, buy or sell`);
}

/** Columns of numbers that grow by rows. */
async function columnsOf(path: string, width: number, read: (fields: readonly string[]) => readonly number[]): Promise<Float64Array[]> {
  const columns: number[][] = [];
  await eachRow(path, width, (fields) => {
    const values = read(fields);
    for (let index = 0; index < values.length; index++) (columns[index] ??= []).push(values[index] ?? NaN);
  });
  return columns.map((column) => Float64Array.from(column));
}

export interface Capture {
  readonly deltas: BookDeltaColumns;
  readonly snapshots: BookSnapshotColumns;
  readonly offsetMs: number;
}

const EMPTY = new Float64Array(0);

/** @param path without `_book_deltas.csv.gz` */
export async function readCapture(path: string): Promise<Capture> {
  const [local = EMPTY, happenedAt = EMPTY, firstUpdate = EMPTY, lastUpdate = EMPTY, side = EMPTY, price = EMPTY, quantity = EMPTY] =
    await columnsOf(`${path}_book_deltas.csv.gz`, 7, (fields) => [
      milliseconds(fields[0]),
      Number(fields[1]),
      Number(fields[2]),
      Number(fields[3]),
      sideOf(fields[4]),
      Number(fields[5]),
      Number(fields[6]),
    ]);
  const [localOf = EMPTY, last = EMPTY, sides = EMPTY, prices = EMPTY, quantities = EMPTY] = await columnsOf(
    `${path}_book_snapshot.csv.gz`,
    5,
    (fields) => [milliseconds(fields[0]), Number(fields[1]), sideOf(fields[2]), Number(fields[3]), Number(fields[4])],
  );
  const offsetMs = clockOffset(local, happenedAt);
  const shift = (times: Float64Array): Float64Array => times.map((at) => at + offsetMs);
  return {
    deltas: { at: shift(local), happenedAt, firstUpdate, lastUpdate, side: Int8Array.from(side), price, quantity },
    // An answer by REST has no time of the venue's own.
    snapshots: {
      at: shift(localOf),
      happenedAt: shift(localOf),
      lastUpdate: last,
      side: Int8Array.from(sides),
      price: prices,
      quantity: quantities,
    },
    offsetMs,
  };
}

export async function readTicker(path: string): Promise<TickerColumns> {
  const [update = EMPTY, bid = EMPTY, bidQuantity = EMPTY, ask = EMPTY, askQuantity = EMPTY] = await columnsOf(
    `${path}_book_ticker.csv.gz`,
    7,
    (fields) => fields.slice(2).map(Number),
  );
  return { update, bid, bidQuantity, ask, askQuantity };
}

/** @param offsetMs of the book's capture: one clock for all of its files */
export async function readTrades(path: string, offsetMs: number): Promise<TradeColumns> {
  const [at = EMPTY, happenedAt = EMPTY, id = EMPTY, price = EMPTY, quantity = EMPTY, takerSide = EMPTY] = await columnsOf(
    `${path}_trades.csv.gz`,
    7,
    (fields) => [
      milliseconds(fields[0]) + offsetMs,
      Number(fields[1]),
      Number(fields[2]),
      Number(fields[3]),
      Number(fields[4]),
      sideOf(fields[5]),
    ],
  );
  return { at, happenedAt, id, price, quantity, takerSide: Int8Array.from(takerSide) };
}

interface BybitLine {
  readonly type: 'snapshot' | 'delta';
  readonly ts: number;
  readonly cts: number;
  readonly data: { readonly b: readonly [string, string][]; readonly a: readonly [string, string][]; readonly u: number };
}

/** Lines of Bybit's public archive. It has no time of arrival: what the venue sent at `ts` is taken to be known then. */
export function readBybit(path: string): Pick<Capture, 'deltas' | 'snapshots'> {
  const rows: Record<BybitLine['type'], number[][]> = { snapshot: [], delta: [] };
  for (const text of readFileSync(path, 'utf8').trimEnd().split('\n')) {
    const { type, ts, cts, data } = JSON.parse(text) as BybitLine;
    for (const [side, levels] of [
      [BID, data.b],
      [ASK, data.a],
    ] as const) {
      for (const [price, quantity] of levels) rows[type].push([ts, cts, data.u, side, Number(price), Number(quantity)]);
    }
  }
  const column = (type: BybitLine['type'], index: number): Float64Array => Float64Array.from(rows[type], (row) => row[index] ?? NaN);
  const columns = (type: BybitLine['type']) => ({
    at: column(type, 0),
    happenedAt: column(type, 1),
    lastUpdate: column(type, 2),
    side: Int8Array.from(column(type, 3)),
    price: column(type, 4),
    quantity: column(type, 5),
  });
  return { deltas: { ...columns('delta'), firstUpdate: column('delta', 2) }, snapshots: columns('snapshot') };
}
