// What carrying orders out by each algorithm costs against plain market orders, net of fees: on the synthetic market with its book, and on
// captured books. A mind that knows nothing turns a position over at random moments, the same for every algorithm; the venue matches against
// the book, level by level, with a place in the queue for what rests (nothing of it reacts to us). The figures are printed; of all algorithms,
// over more seeds, with BALLAST_EXECUTION_COSTS=all.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { BarColumns } from '../../src/domain/bars.ts';
import type { BookDeltaColumns, BookSnapshotColumns, TradeColumns } from '../../src/domain/book.ts';
import { price, quantity } from '../../src/domain/decimal.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import { MINUTE_MS, SECOND_MS, type TimeMs } from '../../src/domain/time.ts';
import type { ExecutionSettings } from '../../src/execution/tickets.ts';
import { BookMessages } from '../../src/market/book/book-messages.ts';
import { BINANCE_FUTURES_BOOK, BINANCE_SPOT_BOOK, BYBIT_BOOK, type BookRules } from '../../src/market/book/book-sync.ts';
import { readCapture, readTrades } from '../../src/market/book/captures.fixture.ts';
import { syntheticBook } from '../../src/market/synthetic/book.ts';
import { Random } from '../../src/quant/random.ts';
import type { BookTape } from '../../src/venues/simulated/book-records.ts';
import type { ExecutionRow } from '../../src/views/transaction-costs.ts';
import { TradeLedger } from '../../src/views/trades.ts';
import { needs, sharedPath } from '../support/needs.ts';
import { single, TestSession } from '../support/session.ts';

interface Market {
  readonly instrument: Partial<Instrument>;
  readonly bars: BarColumns;
  readonly timeframeMs: TimeMs;
  readonly tape: () => BookTape;
  /** Notional of one unit of stance. */
  readonly notional: number;
  /** A new mood every so many bars. */
  readonly moodBars: number;
}

const IS_WHOLE = process.env['BALLAST_EXECUTION_COSTS'] === 'all';
const SEEDS = IS_WHOLE ? [1, 2, 3, 4, 5, 6] : [1, 2];
const FEES = { takerFeeRate: 0.0005, makerFeeRate: 0.0002 };
const PLAIN = { postOnly: false, slices: 5, urgency: 1.5, participationRatio: 0.1, displayRatio: 0.25 };

/** Bars out of trades; where nothing was traded, the last price. */
function barsOf({ happenedAt, price: traded, quantity: amounts }: TradeColumns, timeframeMs: TimeMs): BarColumns {
  const first = Math.ceil((happenedAt[0] ?? NaN) / timeframeMs) * timeframeMs;
  const count = Math.floor(((happenedAt.at(-1) ?? NaN) - first) / timeframeMs);
  const column = (): Float64Array => new Float64Array(count);
  const bars = { openAt: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
  let row = 0;
  let last = NaN;
  for (; (happenedAt[row] ?? NaN) < first; row++) last = traded[row] ?? NaN;
  for (let bar = 0; bar < count; bar++) {
    const openAt = first + bar * timeframeMs;
    bars.openAt[bar] = openAt;
    let [open, high, low, volume] = [NaN, last, last, 0];
    for (; (happenedAt[row] ?? Infinity) < openAt + timeframeMs; row++) {
      last = traded[row] ?? NaN;
      if (Number.isNaN(open)) [open, high, low] = [last, last, last];
      high = Math.max(high, last);
      low = Math.min(low, last);
      volume += amounts[row] ?? 0;
    }
    bars.open[bar] = Number.isNaN(open) ? last : open;
    [bars.high[bar], bars.low[bar], bars.close[bar], bars.volume[bar]] = [high, low, last, volume];
  }
  return bars;
}

/** Long or short at random, from bar to bar known by number alone. */
function moods(seed: number, moodBars: number): (bar: number) => number {
  const random = new Random(seed);
  const sides: number[] = [];
  return (bar) => {
    const mood = Math.floor(bar / moodBars);
    while (sides.length <= mood) sides.push(random.uniform() < 0.5 ? -1 : 1);
    return sides[mood] ?? 0;
  };
}

async function costsOn(market: Market, seed: number, execution: ExecutionSettings | undefined): Promise<ExecutionRow> {
  const { bars, timeframeMs, tape, instrument, notional, moodBars } = market;
  const run = new TestSession({
    instruments: [{ ...instrument, ...FEES }],
    bars: [bars],
    baseTimeframeMs: timeframeMs,
    startAt: bars.openAt[0] ?? NaN,
    sleeves: [single(0, moods(seed, moodBars))],
    capital: String(10 * notional),
    policy: 'none',
    desk: execution === undefined ? {} : { execution },
    venue: { latencyMs: 20, rules: { queueModel: 'risk-averse' }, books: [tape()] },
  });
  const ledger = new TradeLedger({ instruments: run.plan.instruments, sleeves: run.plan.sleeves });
  let sequence = 0;
  run.onEntry = (entry) => ledger.entry(entry, ++sequence);
  run.onPrice = (event) => ledger.price(event);
  await run.run();
  // What a stop closed goes out at the market beside every algorithm; the row asked for is the one that decides.
  const row = ledger.executionCosts().find(({ algorithm }) => algorithm === (execution?.algorithm ?? 'market'));
  return row ?? assert.fail(`nothing was decided by ${execution?.algorithm ?? 'market'}`);
}

interface Averaged {
  readonly totalBps: number;
  readonly words: string;
}

/** Over seeds, by notional. */
async function averaged(market: Market, seeds: readonly number[], execution: ExecutionSettings | undefined): Promise<Averaged> {
  const rows: ExecutionRow[] = [];
  for (const seed of seeds) rows.push(await costsOn(market, seed, execution));
  const wanted = rows.reduce((sum, row) => sum + (row.wanted ?? 0), 0);
  const mean = (of: (row: ExecutionRow) => number | null): number =>
    rows.reduce((sum, row) => sum + (of(row) ?? 0) * (row.wanted ?? 0), 0) / wanted;
  const totalBps = mean((row) => row.totalBps);
  const parts = [
    `${rows.reduce((sum, row) => sum + row.decided, 0)} decided`,
    `${(100 * mean((row) => row.makerRatio)).toFixed(0)} % maker`,
    `slippage ${mean((row) => row.slippageBps).toFixed(2)}`,
    `fee ${mean((row) => row.feeBps).toFixed(2)}`,
    `missed ${mean((row) => row.opportunityBps).toFixed(2)}`,
    `expected ${mean((row) => row.expectedBps).toFixed(2)}`,
  ];
  return { totalBps, words: `${totalBps.toFixed(2)} bp (${parts.join(', ')})` };
}

async function compared(t: TestContext, market: Market, seeds: readonly number[], horizonMs: TimeMs): Promise<ReadonlyMap<string, number>> {
  const gains = new Map<string, number>();
  const plain = await averaged(market, seeds, undefined);
  t.diagnostic(`market: ${plain.words}`);
  const all: readonly (readonly [string, Partial<ExecutionSettings> & Pick<ExecutionSettings, 'algorithm'>])[] = [
    ['limit-first', { algorithm: 'limit-first' }],
    ['limit-first, post-only', { algorithm: 'limit-first', postOnly: true }],
    ['iceberg', { algorithm: 'iceberg' }],
    ['twap', { algorithm: 'twap' }],
    ['vwap', { algorithm: 'vwap' }],
    ['pov', { algorithm: 'pov' }],
    ['almgren-chriss', { algorithm: 'almgren-chriss' }],
  ];
  for (const [name, settings] of IS_WHOLE ? all : all.slice(0, 2)) {
    const { totalBps, words } = await averaged(market, seeds, { ...PLAIN, horizonMs, ...settings });
    gains.set(name, plain.totalBps - totalBps);
    t.diagnostic(`${name}: ${words}; ${(plain.totalBps - totalBps).toFixed(2)} bp better than market orders, net of fees`);
  }
  return gains;
}

const CAPTURES: readonly (readonly [string, BookRules, Partial<Instrument>])[] = [
  ['binance_usdm_BTCUSDT_2024-08-08', BINANCE_FUTURES_BOOK, { tick: price('0.1'), lot: quantity('0.001') }],
  ['binance_spot_BTCUSDT_2024-08-08_09', BINANCE_SPOT_BOOK, { tick: price('0.01'), lot: quantity('0.00001') }],
];

describe('on captured books', { skip: needs('shared data') }, () => {
  for (const [name, rules, instrument] of CAPTURES) {
    test(name, async (t) => {
      const path = sharedPath(`data/3_tick/${name}`);
      const capture = await readCapture(path);
      const trades = await readTrades(path, capture.offsetMs);
      const tape = (): BookTape => ({ messages: new BookMessages(capture.deltas, capture.snapshots), trades: [trades].values(), rules });
      const bars = barsOf(trades, SECOND_MS);
      const market = { instrument, bars, timeframeMs: SECOND_MS, tape, notional: 30_000, moodBars: 20 };
      const gains = await compared(t, market, SEEDS, 10 * SECOND_MS);
      assert.ok((gains.get('limit-first') ?? NaN) > 0, 'a limit at the last price first, the market after it, costs less');
    });
  }
});

const DAY_BARS = IS_WHOLE ? 1_440 : 480;

/** A day of one synthetic asset, or a third of it: its book, the trades out of it, and the bars of these. */
function syntheticDay(seed: number): Market {
  const startAt = Date.UTC(2026, 0, 1);
  const book = syntheticBook(
    { seed, startAt, tradesPerBar: 60, book: { levels: 20, updateMs: 1_000, snapshotBars: DAY_BARS } },
    'BTC/USDT:USDT',
  );
  const deltas: number[][] = [[], [], [], [], [], [], []];
  const trades: number[][] = [[], [], [], []];
  let snapshots: BookSnapshotColumns | undefined;
  for (let bar = 0; bar < DAY_BARS; bar++) {
    const step = book.step();
    const { at, happenedAt, firstUpdate, lastUpdate, side, price: levels, quantity: amounts } = step.deltas;
    for (const [index, column] of [at, happenedAt, firstUpdate, lastUpdate, side, levels, amounts].entries())
      deltas[index]?.push(...column);
    for (const [index, column] of [step.trades.at, step.trades.price, step.trades.quantity, step.trades.side].entries())
      trades[index]?.push(...column);
    const { snapshot } = step;
    if (snapshot !== undefined && snapshots === undefined) {
      snapshots = {
        at: snapshot.at.slice(),
        happenedAt: snapshot.happenedAt.slice(),
        lastUpdate: snapshot.lastUpdate.slice(),
        side: snapshot.side.slice(),
        price: snapshot.price.slice(),
        quantity: snapshot.quantity.slice(),
      };
    }
  }
  const [at, happenedAt, firstUpdate, lastUpdate, side, levels, amounts] = deltas.map((column) => Float64Array.from(column));
  const [tradedAt, tradedPrice, tradedQuantity, takers] = trades.map((column) => Float64Array.from(column));
  assert(at && happenedAt && firstUpdate && lastUpdate && side && levels && amounts && snapshots);
  assert(tradedAt && tradedPrice && tradedQuantity && takers);
  const columns: BookDeltaColumns = {
    at,
    happenedAt,
    firstUpdate,
    lastUpdate,
    side: Int8Array.from(side),
    price: levels,
    quantity: amounts,
  };
  const printed: TradeColumns = {
    at: tradedAt,
    happenedAt: tradedAt,
    id: tradedAt.map((_, row) => row),
    price: tradedPrice,
    quantity: tradedQuantity,
    takerSide: Int8Array.from(takers),
  };
  const kept = snapshots;
  return {
    instrument: { tick: price('0.1'), lot: quantity('0.001') },
    bars: barsOf(printed, MINUTE_MS),
    timeframeMs: MINUTE_MS,
    tape: () => ({ messages: new BookMessages(columns, kept), trades: [printed].values(), rules: BYBIT_BOOK }),
    notional: 30_000,
    moodBars: 5,
  };
}

test('on the synthetic market', async (t) => {
  const gains = await compared(t, syntheticDay(1), SEEDS, 3 * MINUTE_MS);
  assert.ok((gains.get('limit-first') ?? NaN) > 0, 'a limit at the last price first, the market after it, costs less');
});
