// A backtest on stored books, from files to the report: on a market made up here, whose book is known by hand, and on a captured one.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { needs, sharedPath } from '../../test/support/needs.ts';
import { ballast, document, temporaryFolder, temporaryHome } from '../../test/support/run-app.ts';
import { BallastError } from '../domain/errors.ts';
import { DAY_MS, HOUR_MS, parseTime, SECOND_MS, type TimeMs } from '../domain/time.ts';
import { buildBars } from '../market/history/build.ts';
import { importRecords } from '../market/history/record-import.ts';
import { openRecords } from '../market/history/record-store.ts';
import { openStore } from '../market/history/store.ts';
import { reportText, type ReportDocument } from '../views/report.ts';
import { runBacktest, type BacktestRequest } from './backtest.ts';
import { replayRun } from './replay.ts';
import { bookRulesOf } from './stored-books.ts';
import { validateRun } from './validation.ts';

const START = Date.parse('2025-01-02T03:00:00Z');
const LEVELS = 8;
const EACH = 30;
/** Steps in which a message is missing, and in which a snapshot comes again. */
const LOST = 100;
const FOUND = 120;

/** How far apart its steps are, how many there are, and whether a message is missing. */
interface Market {
  readonly stepMs: TimeMs;
  readonly steps: number;
  readonly isBroken: boolean;
}

const SECONDS: Market = { stepMs: SECOND_MS, steps: 240, isBroken: true };
const HOURS: Market = { stepMs: HOUR_MS, steps: 40 * 24, isBroken: false };

/** In tenths of a dollar, up and down again. */
function bidOf(step: number): number {
  return 1000 + Math.round(40 * Math.sin(step / 15));
}

/** Eight levels a side, a tenth apart, around a spread of a tenth; all of them said anew in every step. A trade a step takes the ask. */
function madeUp({ stepMs, steps, isBroken }: Market): Readonly<Record<'deltas' | 'snapshot' | 'trades', string>> {
  const deltas = ['local_ns,event_time_ms,first_update_id,last_update_id,side,price,qty'];
  const snapshot = ['local_ns,last_update_id,side,price,qty'];
  const trades = ['local_ns,trade_time_ms,trade_id,price,qty,taker_side,order_type'];
  const levels = (step: number): string[] =>
    Array.from({ length: 2 * LEVELS }, (_, index) => {
      const tenths = index < LEVELS ? bidOf(step) - index : bidOf(step) + 1 + index - LEVELS;
      return `${index < LEVELS ? 'bid' : 'ask'},${tenths / 10}`;
    });
  for (let step = 0; step < steps; step++) {
    const happenedAt = START + step * stepMs + 100;
    const update = step + 1;
    const now = levels(step);
    if (step === 0 || (isBroken && step === FOUND))
      for (const level of now) snapshot.push(`${happenedAt}000000,${update},${level},${EACH}`);
    else if (!isBroken || step !== LOST) {
      const gone = levels(step - 1).filter((level) => !now.includes(level));
      for (const row of [...gone.map((level) => `${level},0`), ...now.map((level) => `${level},${EACH}`)]) {
        deltas.push(`${happenedAt}000000,${happenedAt},${update},${update},${row}`);
      }
    }
    const tradedAt = happenedAt + 400;
    trades.push(`${tradedAt}000000,${tradedAt},${step + 1},${(bidOf(step) + 1) / 10},1,buy,`);
  }
  return { deltas: deltas.join('\n'), snapshot: snapshot.join('\n'), trades: trades.join('\n') };
}

/** A home with the files of a capture, and bars out of its trades. */
async function withCapture(name: string, files: readonly string[], symbol: string, timeframeMs: TimeMs): Promise<string> {
  const home = temporaryHome(name, 'venue:\n  queueModel: power\n');
  const records = await openRecords(home);
  const bars = await openStore(home);
  await importRecords({ store: records, files, format: 'capture', kind: 'trades', venue: 'binance', symbol, importedAt: 1 });
  await buildBars({ bars, records, symbol, timeframeMs });
  await bars.close();
  await records.close();
  return home;
}

function withMadeUp(name: string, market: Market): Promise<string> {
  const folder = temporaryFolder(name);
  const files = Object.entries(madeUp(market)).map(([part, text]) => {
    const file = join(folder, `${part}.csv`);
    writeFileSync(file, text);
    return file;
  });
  return withCapture(name, files, 'BTC/USDT', market.stepMs);
}

const CROSS = {
  strategy: 'sma-cross',
  parameters: 'fast=3,slow=9',
  symbols: ['BTC/USDT'],
  timeframeMs: SECOND_MS,
  sizing: 'all-in',
  noRisk: true,
  warmup: 'none',
  seed: 1,
  allowSpotShort: false,
  books: true,
} as const;

test('orders take the stored book level by level, and the report says for how long there was none', async () => {
  const home = await withMadeUp('books', SECONDS);
  const run = await runBacktest({ ...CROSS, home });
  assert.equal(run.config['queueModel'], 'power');
  // Without a book from the message after the one that is missing, until the snapshot.
  const withoutBookMs = (FOUND - LOST - 1) * SECOND_MS;
  const span = parseTime(run.to) - parseTime(run.from);
  assert.deepEqual(run.books, [{ symbol: 'BTC/USDT', withoutBookMs, withoutBookRatio: withoutBookMs / span }]);
  assert.ok(
    run.warnings.some((warning) => warning.startsWith('no book of BTC/USDT for 7.9')),
    run.warnings.join('\n'),
  );
  assert.match(reportText(run), /matched against books and trades, queue model power/);
  const [first] = run.fills;
  const bought = run.fills.filter(({ at }) => at === first?.at);
  assert.ok(first !== undefined && bought.length >= 3, 'ten thousand are more than three levels');
  // The book that was told of last: each step has its own.
  const step = Math.floor((parseTime(first.at) - START - 100) / SECOND_MS);
  for (const [level, { side, price, quantity }] of bought.entries()) {
    assert.deepEqual([side, Number(price)], ['buy', (bidOf(step) + 1 + level) / 10]);
    if (level < bought.length - 1) assert.equal(Number(quantity), EACH);
    else assert.ok(Number(quantity) <= EACH);
  }
  const again = await runBacktest({ ...CROSS, home });
  assert.equal(again.stateHash, run.stateHash);
  assert.deepEqual(readdirSync(join(home, 'data', '.books')), [], 'what was laid out is gone');
  const { matches, stateHash } = await replayRun({ home, runId: run.runId });
  assert.deepEqual([matches, stateHash], [true, run.stateHash], 'a replay needs no books');
  // Without books the same orders fill at one price, and nothing says that there was a book.
  const onBars = await runBacktest({ ...CROSS, home, books: false });
  assert.equal(onBars.fills.filter(({ at }) => at === onBars.fills[0]?.at).length, 1);
  assert.equal(onBars.books, undefined);
  assert.doesNotMatch(reportText(onBars), /book/);
  // A range that begins within the recording begins with the snapshot before it.
  const within = await runBacktest({ ...CROSS, home, fromMs: START + 180 * SECOND_MS });
  assert.equal(within.books?.[0]?.withoutBookMs, 0);
});

test('what would run it again on bars says that it cannot', async () => {
  const home = await withMadeUp('books-again', HOURS);
  const run = await runBacktest({ ...CROSS, home, timeframeMs: HOUR_MS });
  assert.equal(run.books?.[0]?.withoutBookMs, 0, 'numbers that follow prove that there was nothing to say for an hour');
  const { rerun, notRerun } = await validateRun({ home, runId: run.runId, seed: 1, drawdownLimit: 0.3 });
  assert.equal(rerun, null);
  assert.match(notRerun ?? '', /orders that were matched against books/);
  const { code, stderr } = await ballast(home, 'stress', run.runId);
  assert.deepEqual([code, /orders that were matched against books/.test(stderr)], [1, true], stderr);
});

test('a range without books, and books that nobody can put together, have no run', async () => {
  const home = await withMadeUp('books-missing', SECONDS);
  const refused = async (request: Partial<BacktestRequest>): Promise<string> => {
    try {
      await runBacktest({ ...CROSS, home, ...request });
    } catch (error) {
      assert.ok(error instanceof BallastError && error.exitCode === 2, String(error));
      return `${error.code} ${error.message}`;
    }
    assert.fail('it ran');
  };
  // Bars of a day without books, and of venues without any.
  const flat = new Float64Array(60).fill(100);
  const store = await openStore(home);
  for (const venue of ['binance', 'mine', 'bybit']) {
    const openAt = flat.map((_, row) => START + DAY_MS + row * SECOND_MS);
    await store.merge(
      { venue, symbol: 'BTC/USDT', timeframeMs: SECOND_MS },
      { openAt, open: flat, high: flat, low: flat, close: flat, volume: flat },
    );
  }
  await store.close();
  const tomorrow = { venue: 'binance', fromMs: START + DAY_MS };
  assert.match(await refused(tomorrow), /^BOOKS_MISSING .*found book-delta from 2025-01-02.* some within the range/);
  assert.match(await refused({ venue: 'bybit' }), /^BOOKS_MISSING .*found no book-delta stored/);
  assert.match(await refused({ venue: 'mine' }), /^BOOK_RULES_UNKNOWN .*found books of mine, expected binance/);
  assert.match(await refused({ ...tomorrow, fill: 'close' }), /^ARGUMENT_INVALID .*--books: found --fill close/);
  // Between the message that is missing and the snapshot.
  const lost = { venue: 'binance', fromMs: START + (LOST + 5) * SECOND_MS, toMs: START + (FOUND - 5) * SECOND_MS };
  assert.match(await refused(lost), /^BOOKS_MISSING .*no book could be put together/);
  assert.equal(existsSync(join(home, 'runs')), false, 'no run was begun');
  // Before the first one; what was laid out until then is gone.
  await assert.rejects(runBacktest({ ...CROSS, home, venue: 'binance', signal: AbortSignal.abort() }), { code: 'RUN_STOPPED' });
  assert.deepEqual(readdirSync(join(home, 'data', '.books')), []);
});

test('the numbers of a book are those of its venue', () => {
  const rules = (venue: string, kind: 'spot' | 'linear'): string => {
    const { sequence, snapshots } = bookRulesOf({ venue, symbol: 'BTC/USDT', kind });
    return `${sequence} ${snapshots}`;
  };
  assert.equal(rules('binance', 'spot'), 'adjacent asked');
  assert.equal(rules('binance-mine', 'linear'), 'linked asked');
  assert.equal(rules('bybit_archive', 'linear'), 'adjacent streamed');
});

/** The book of a capture as its lines have it, before a moment: quantities by price. Written again here, and from the text. */
function bookBefore(name: string, at: number, offsetMs: number): { readonly bid: Map<number, number>; readonly ask: Map<number, number> } {
  const linesOf = (part: string): string[] =>
    gunzipSync(readFileSync(sharedPath(`data/3_tick/${name}_${part}.csv.gz`)))
      .toString()
      .trim()
      .split('\n')
      .slice(1);
  const book = { bid: new Map<number, number>(), ask: new Map<number, number>() };
  let last = 0;
  const put = (side: string | undefined, price: string | undefined, quantity: string | undefined): void => {
    const levels = side === 'bid' ? book.bid : book.ask;
    if (Number(quantity) === 0) levels.delete(Number(price));
    else levels.set(Number(price), Number(quantity));
  };
  for (const line of linesOf('book_snapshot')) {
    const [localNs, update, ...level] = line.split(',');
    assert.ok(Number(localNs) / 1e6 + offsetMs < at);
    last = Number(update);
    put(level[0], level[1], level[2]);
  }
  for (const line of linesOf('book_deltas')) {
    const [, happenedAt, , update, ...level] = line.split(',');
    if (Number(update) > last && Number(happenedAt) < at) put(level[0], level[1], level[2]);
  }
  return book;
}

test('on a capture every level that the first order took is the next of the book', { skip: needs('shared data') }, async () => {
  const name = 'binance_usdm_BTCUSDT_2024-08-08';
  const files = ['trades', 'book_deltas', 'book_snapshot'].map((part) => sharedPath(`data/3_tick/${name}_${part}.csv.gz`));
  const symbol = 'BTC/USDT:USDT';
  const home = await withCapture('books-capture', files, symbol, SECOND_MS);
  const order = ['--strategy', 'trend', '--symbols', symbol, '--timeframe', '1s', '--warmup', 'none', '--capital', '1000000', '--books'];
  const run = await document<ReportDocument>(home, 'backtest', ...order);
  assert.deepEqual(run.books, [{ symbol, withoutBookMs: 0, withoutBookRatio: 0 }]);
  const [first] = run.fills;
  assert.ok(first !== undefined);
  const taken = run.fills.filter(({ at }) => at === first.at);
  assert.ok(taken.length > 3, `${taken.length} levels`);
  const isBuy = first.side === 'buy';
  const book = bookBefore(name, parseTime(first.at), 1273);
  const offered = [...(isBuy ? book.ask : book.bid)].toSorted(([one], [other]) => (isBuy ? one - other : other - one));
  for (const [index, { price, quantity }] of taken.entries()) {
    const [level, there = NaN] = offered[index] ?? [];
    assert.equal(Number(price), level);
    if (index < taken.length - 1) assert.ok(Math.abs(Number(quantity) - there) < 1e-9, `${quantity} of ${there} at ${price}`);
    else assert.ok(Number(quantity) <= there);
  }
});
