import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BookDeltaColumns, BookSnapshotColumns } from '../../domain/book.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { toNumber } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import type { MarketEvent } from '../../domain/event.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { mean } from '../../quant/statistics.ts';
import { ALL_ASSETS } from './assets.ts';
import { syntheticBook, type BookStep, type SyntheticBook } from './book.ts';
import { syntheticMarket } from './market.ts';
import { groundTruth } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const BTC = 'BTC/USDT:USDT';
const SYMBOLS = ALL_ASSETS.map(({ instrument }) => instrument.symbol);

function at(column: ArrayLike<number>, row: number): number {
  return column[row] ?? NaN;
}

/** A book as a consumer keeps it: from a snapshot and deltas, and from nothing else. */
class Replayed {
  readonly bids = new Map<number, number>();
  readonly asks = new Map<number, number>();
  update = NaN;

  side(side: number): Map<number, number> {
    return side === 1 ? this.bids : this.asks;
  }

  best(side: number): number {
    return side === 1 ? Math.max(-Infinity, ...this.bids.keys()) : Math.min(Infinity, ...this.asks.keys());
  }

  load({ side, price, quantity, lastUpdate }: BookSnapshotColumns): void {
    this.bids.clear();
    this.asks.clear();
    price.forEach((value, row) => this.side(at(side, row)).set(value, at(quantity, row)));
    this.update = at(lastUpdate, 0);
  }

  apply({ side, price, quantity }: BookDeltaColumns, row: number): void {
    const levels = this.side(at(side, row));
    if (at(quantity, row) > 0) levels.set(at(price, row), at(quantity, row));
    else assert.ok(levels.delete(at(price, row)), `row ${row} removes a level that is not there`);
  }
}

/** Applies a bar's rows and tells what lies between two messages. */
function replay(
  book: Replayed,
  { deltas }: BookStep,
  onRow: (row: number) => void,
  onMessage: (update: number, row: number, rows: number) => void,
): void {
  for (let row = 0; row < deltas.at.length;) {
    const update = at(deltas.lastUpdate, row);
    assert.equal(at(deltas.firstUpdate, row), book.update + 1, 'messages follow on each other without a hole');
    const first = row;
    for (; row < deltas.at.length && at(deltas.lastUpdate, row) === update; row++) {
      assert.equal(at(deltas.firstUpdate, row), at(deltas.firstUpdate, first));
      book.apply(deltas, row);
      onRow(row);
    }
    assert.equal(update - book.update, row - first, 'one id for each row');
    book.update = update;
    onMessage(update, first, row - first);
  }
}

test('the book is never crossed, its ids have no hole, and every trade is taken out of its best level', () => {
  const shapes = fc.record({
    seed: fc.maxSafeNat(),
    symbol: fc.constantFrom(...SYMBOLS),
    tradesPerBar: fc.constantFrom(0, 4, 20),
    timeframeMs: fc.constantFrom(1000, MINUTE_MS, HOUR_MS),
    levels: fc.constantFrom(2, 7, 20),
    spreadRatio: fc.constantFrom(0, 0.000_05, 0.002),
  });
  fc.assert(
    fc.property(shapes, ({ seed, symbol, tradesPerBar, timeframeMs, levels, spreadRatio }) => {
      const updateMs = timeframeMs / 60;
      const options = {
        seed,
        startAt: START,
        tradesPerBar,
        timeframeMs,
        book: { levels, spreadRatio, updateMs: Math.ceil(updateMs), snapshotBars: 5 },
      };
      const made = syntheticBook(options, symbol);
      const market = syntheticMarket({ ...options, assets: [symbol] });
      const [source] = market.sources;
      const [instrument] = market.instruments;
      assert.ok(source && instrument);
      const book = new Replayed();
      let last = START;
      for (let bar = 0; bar < 16; bar++) {
        const step = made.step();
        const { snapshot, deltas, trades } = step;
        assert.equal(step.openAt, START + bar * timeframeMs);
        assert.equal(snapshot !== undefined, bar % 5 === 0);
        if (snapshot !== undefined) {
          if (bar > 0) {
            const before = new Replayed();
            before.load(snapshot);
            assert.deepEqual(
              [before.bids, before.asks, before.update],
              [book.bids, book.asks, book.update],
              'a snapshot is what the deltas had led to',
            );
          }
          book.load(snapshot);
          assert.deepEqual(
            [...book.bids.keys()],
            [...book.bids.keys()].sort((left, right) => right - left),
          );
          assert.deepEqual(
            [...book.asks.keys()],
            [...book.asks.keys()].sort((left, right) => left - right),
          );
          assert.ok(snapshot.at.every((value) => value === step.openAt));
        }
        let trade = 0;
        let wanted: number | undefined;
        /** Whether the book as it stands is the one that the next trade was taken from. */
        const meetTrade = (): void => {
          if (trade === trades.at.length || at(trades.lastUpdate, trade) !== book.update) return;
          const price = at(trades.price, trade);
          const side = -at(trades.side, trade);
          assert.equal(book.best(side), price, 'a trade is at the best price of the other side');
          const resting = book.side(side).get(price) ?? 0;
          assert.ok(resting >= at(trades.quantity, trade) - 1e-9);
          wanted = resting - at(trades.quantity, trade);
          trade++;
        };
        // The touch may have been there with the bar before.
        meetTrade();
        replay(
          book,
          step,
          (row) => {
            assert.ok(book.best(1) < book.best(-1), 'crossed');
            assert.ok(at(deltas.at, row) >= last && at(deltas.at, row) <= step.openAt + timeframeMs);
            assert.equal(at(deltas.happenedAt, row), at(deltas.at, row));
            last = at(deltas.at, row);
            const ticks = at(deltas.price, row) / toNumber(instrument.tick);
            const lots = at(deltas.quantity, row) / toNumber(instrument.lot);
            assert.ok(ticks > 0.5 && Math.abs(ticks - Math.round(ticks)) < 1e-4 && lots >= 0 && Math.abs(lots - Math.round(lots)) < 1e-4);
          },
          (_update, first, rows) => {
            const prices = Array.from({ length: rows }, (_, row) => at(deltas.side, first + row) * at(deltas.price, first + row));
            assert.equal(new Set(prices).size, rows, 'no level has two rows in one message');
            assert.ok(book.bids.size <= levels && book.asks.size <= levels);
            if (wanted !== undefined) {
              // The trade's own message: one row, the level less what was taken.
              assert.equal(rows, 1);
              assert.equal(at(deltas.price, first), at(trades.price, trade - 1));
              assert.ok(Math.abs(at(deltas.quantity, first) - wanted) < 1e-6);
              wanted = undefined;
            }
            meetTrade();
          },
        );
        assert.equal(trade, tradesPerBar);
        assert.equal(wanted, undefined);
        const printed = Array.from({ length: tradesPerBar + 1 }, (): MarketEvent => ({ ...source.take() }));
        const closed = printed.pop();
        assert.deepEqual(
          printed.map(({ kind, at: when, close, volume }) => [kind, when, close, volume]),
          printed.map((_, index) => ['trade.printed', at(trades.at, index), at(trades.price, index), at(trades.quantity, index)]),
        );
        assert.ok(closed?.kind === 'bar.closed');
        const middle = (book.best(1) + book.best(-1)) / 2;
        assert.ok(
          Math.abs(middle / closed.close - 1) < 0.02 + 4 * spreadRatio * 40,
          `the middle ${middle} is near the close ${closed.close}`,
        );
      }
    }),
    { numRuns: 40 },
  );
});

test('updates come at their rate, trades beside them', () => {
  const book = syntheticBook({ seed: 4, startAt: START, tradesPerBar: 0, book: { updateMs: 250 } }, BTC);
  for (let bar = 0; bar < 10; bar++) {
    const { openAt, deltas } = book.step();
    const times = [...new Set(deltas.at)];
    assert.deepEqual(
      times,
      Array.from({ length: 240 }, (_, update) => openAt + (update + 1) * 250),
    );
    assert.equal(new Set(deltas.lastUpdate).size, 240);
  }
});

interface Shape {
  readonly spread: number;
  readonly depth: number;
  readonly levels: number;
}

/** Of the book after each bar. */
function shapes(book: SyntheticBook, bars: number): Shape[] {
  const replayed = new Replayed();
  const sum = (levels: Map<number, number>): number => [...levels.values()].reduce((total, value) => total + value, 0);
  return Array.from({ length: bars }, () => {
    const step = book.step();
    if (step.snapshot !== undefined) replayed.load(step.snapshot);
    replay(
      replayed,
      step,
      () => undefined,
      () => undefined,
    );
    const [bid, ask] = [replayed.best(1), replayed.best(-1)];
    return {
      spread: (ask - bid) / ask,
      depth: sum(replayed.bids) + sum(replayed.asks),
      levels: replayed.bids.size + replayed.asks.size,
    };
  });
}

// Seeds with a crash on the first day.
for (const seed of [4, 23, 52]) {
  test(`seed ${seed}: the book vanishes in a crash and is there again a day later`, () => {
    const bars = 3 * 1440;
    const options = { seed, startAt: START, book: { updateMs: 10_000 } };
    const made = shapes(syntheticBook(options, BTC), bars);
    const { regime, regimeNames } = groundTruth({ seed, startAt: START, bars });
    const [calm, crash] = [regimeNames.indexOf('calm'), regimeNames.indexOf('crash')];
    // Ten minutes in, so that depth has had the time to go.
    const inCrash = made.filter((_, bar) => bar >= 10 && regime.subarray(bar - 10, bar + 1).every((value) => value === crash));
    const inCalm = made.filter((_, bar) => regime[bar] === calm);
    const afterwards = Array.from(regime).lastIndexOf(crash) + 1440;
    const after = made.slice(afterwards, afterwards + 60);
    assert.ok(
      inCrash.length > 30 && inCalm.length > 1_000 && after.length > 0,
      `${inCrash.length} bars of crash, ${after.length} after one`,
    );
    const of = (rows: Shape[], field: keyof Shape): number => mean(rows.map((row) => row[field]));
    assert.ok(of(inCrash, 'depth') < 0.1 * of(inCalm, 'depth'), `depth was ${of(inCrash, 'depth')} of ${of(inCalm, 'depth')}`);
    assert.ok(of(inCrash, 'spread') > 4 * of(inCalm, 'spread'), `spread was ${of(inCrash, 'spread')} of ${of(inCalm, 'spread')}`);
    assert.ok(of(inCrash, 'levels') < 0.5 * of(inCalm, 'levels'));
    assert.ok(of(after, 'depth') > 0.3 * of(inCalm, 'depth'), `depth afterwards was ${of(after, 'depth')} of ${of(inCalm, 'depth')}`);
    assert.ok(of(after, 'spread') < 3 * of(inCalm, 'spread'));
  });
}

function bytes(of: SyntheticBook): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  of.save(out);
  return out.view().slice();
}

function copied({ snapshot, deltas, trades, openAt }: BookStep): unknown {
  const columns = (of: object): unknown => Object.entries(of).map(([name, column]) => [name, [...(column as Float64Array)]]);
  return [openAt, snapshot === undefined ? undefined : columns(snapshot), columns(deltas), columns(trades)];
}

test('a book saved and restored at any bar continues bit for bit', () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(...SYMBOLS), fc.nat(80), (seed, symbol, bars) => {
      const options = { seed, startAt: START, book: { updateMs: 6_000, snapshotBars: 7 } };
      const running = syntheticBook(options, symbol);
      for (let bar = 0; bar < bars; bar++) running.step();
      const resumed = syntheticBook(options, symbol);
      resumed.restore(new ByteReader(bytes(running)));
      assert.deepEqual(bytes(resumed), bytes(running));
      for (let bar = 0; bar < 10; bar++) assert.deepEqual(copied(resumed.step()), copied(running.step()));
      assert.equal(resumed.depthRatio, running.depthRatio);
    }),
    { numRuns: 20 },
  );
});

test('a book is the same whichever assets are chosen beside it', () => {
  const first = syntheticBook({ seed: 5, startAt: START }, 'ETH/USDT:USDT');
  const second = syntheticBook({ seed: 5, startAt: START, assets: ['XRP/USDT:USDT'] }, 'ETH/USDT:USDT');
  for (let bar = 0; bar < 20; bar++) assert.deepEqual(copied(first.step()), copied(second.step()));
});

test('the book of a delisted instrument ends with its last bar', () => {
  const book = syntheticBook(
    { seed: 1, startAt: START, timeframeMs: HOUR_MS, studies: { delistedAfterDays: 1, collapseHours: 6 } },
    'LUNA/USDT:USDT',
  );
  for (let bar = 0; bar < 24; bar++) {
    assert.equal(book.ended, false);
    book.step();
  }
  assert.equal(book.ended, true);
  assert.throws(() => book.step(), /delisted/);
});

test('more updates than a bar can hold are refused', () => {
  assert.throws(
    () => syntheticBook({ seed: 1, startAt: START, timeframeMs: 24 * HOUR_MS }, BTC),
    (error) => error instanceof BallastError && /book\.updateMs: found 500, expected at least 8640/.test(error.message),
  );
});
