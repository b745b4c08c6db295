// Several timeframes from one stream of bars: a higher bar exists only once it is closed, whatever is missing, against a naive recomputation.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import type { MarketEvent } from '../domain/event.ts';
import type { BarView, JointFeatureSpec, JointIndicator } from '../domain/feature.ts';
import { MINUTE_MS, type TimeMs } from '../domain/time.ts';
import { Board, warmupBars, type Series } from './board.ts';
import { ema, on, sma } from './catalog.ts';

const START = Date.UTC(2026, 0, 5);

/** The bar of this minute, with prices that tell bars apart. */
function minute(number: number, instrument = 0): MarketEvent {
  const base = 100 + ((number * 37) % 23);
  const happenedAt = START + (number + 1) * MINUTE_MS;
  return {
    kind: 'bar.closed',
    at: happenedAt,
    happenedAt,
    instrument,
    open: base,
    high: base + 2 + (number % 3),
    low: base - 2 - (number % 5),
    close: base + 1,
    volume: 1 + (number % 7),
    warmup: false,
  };
}

function copyOf({ at, open, high, low, close, volume }: BarView): BarView {
  return { at, open, high, low, close, volume };
}

/** All higher bars of a history, reckoned at once: one for each span in which there was a bar. */
function resampled(events: readonly MarketEvent[], timeframeMs: TimeMs): BarView[] {
  const spans = Map.groupBy(events, ({ happenedAt }) => Math.floor((happenedAt - MINUTE_MS) / timeframeMs));
  return [...spans].map(([span, inside]) => ({
    at: (span + 1) * timeframeMs,
    open: inside[0]?.open ?? NaN,
    high: Math.max(...inside.map(({ high }) => high)),
    low: Math.min(...inside.map(({ low }) => low)),
    close: inside.at(-1)?.close ?? NaN,
    volume: inside.reduce((sum, { volume }) => sum + volume, 0),
  }));
}

const anyMinutes = fc
  .uniqueArray(fc.nat({ max: 300 }), { minLength: 1, maxLength: 200 })
  .map((numbers) => numbers.toSorted((left, right) => left - right));

function closesOf(series: Series, events: readonly MarketEvent[]): { readonly bar: BarView; readonly knownAt: TimeMs }[] {
  const closes: { bar: BarView; knownAt: TimeMs }[] = [];
  for (const event of events) if (series.push(event)) closes.push({ bar: copyOf(series.bar), knownAt: event.at });
  return closes;
}

describe('a higher timeframe', () => {
  test('closes with its last bar, and is what all of its bars come to', () => {
    const series = new Board(1, MINUTE_MS).series(0, 5 * MINUTE_MS);
    const events = Array.from({ length: 23 }, (_, number) => minute(number));
    assert.deepEqual(
      closesOf(series, events).map(({ bar }) => bar),
      resampled(events, 5 * MINUTE_MS).slice(0, 4),
    );
    assert.equal(series.closed, 4);
  });

  test('is known late, and never early, when its last bars are missing', () => {
    const series = new Board(1, MINUTE_MS).series(0, 5 * MINUTE_MS);
    const closes = closesOf(
      series,
      [0, 1, 2, 11, 12].map((number) => minute(number)),
    );
    assert.deepEqual(
      closes.map(({ bar, knownAt }) => [bar.at - START, knownAt - START]),
      [[5 * MINUTE_MS, 12 * MINUTE_MS]],
    );
  });

  test('that closes late in the same bar as the next one shows the next one, and both have been counted', () => {
    const series = new Board(1, MINUTE_MS).series(0, 5 * MINUTE_MS);
    const closes = closesOf(
      series,
      [0, 9].map((number) => minute(number)),
    );
    assert.deepEqual(
      closes.map(({ bar }) => bar.at - START),
      [10 * MINUTE_MS],
    );
    assert.equal(series.closed, 2);
  });

  test('never differs from a recomputation over what had arrived, with whatever bars missing', () => {
    fc.assert(
      fc.property(anyMinutes, fc.constantFrom(2, 3, 5, 15, 60), (numbers, multiple) => {
        const timeframeMs = multiple * MINUTE_MS;
        const series = new Board(1, MINUTE_MS).series(0, timeframeMs);
        const seen: MarketEvent[] = [];
        for (const number of numbers) {
          const event = minute(number);
          seen.push(event);
          const closed = series.push(event);
          // Closed by now are the spans that end by this bar's close, and nothing later.
          const expected = resampled(seen, timeframeMs).filter((bar) => bar.at <= event.happenedAt);
          assert.equal(series.closed, expected.length);
          if (closed) assert.deepEqual(copyOf(series.bar), expected.at(-1));
          assert.ok(!(series.bar.at > event.happenedAt), 'nobody sees a bar before it is closed');
        }
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  test('feeds each of its indicators once with each of its bars', () => {
    fc.assert(
      fc.property(anyMinutes, (numbers) => {
        const series = new Board(1, MINUTE_MS).series(0, 5 * MINUTE_MS);
        const mean = series.indicator(sma(3));
        const events = numbers.map((number) => minute(number));
        for (const event of events) series.push(event);
        const naive = resampled(events, 5 * MINUTE_MS)
          .slice(0, series.closed)
          .slice(-3);
        if (naive.length < 3) assert.ok(Number.isNaN(mean.value));
        else assert.ok(Math.abs(mean.value - naive.reduce((sum, { close }) => sum + close, 0) / 3) < 1e-9);
      }),
      { numRuns: 100, seed: 2 },
    );
  });
});

describe('the base timeframe', () => {
  test('is passed on as it is, with the time at which it was so out there', () => {
    const series = new Board(1, MINUTE_MS).series(0, MINUTE_MS);
    const late = { ...minute(3), at: START + 5 * MINUTE_MS + 700 };
    assert.equal(series.push(late), true);
    assert.equal(series.bar.at, late.happenedAt);
  });
});

describe('the board', () => {
  test('has one series for an instrument and a timeframe, and one indicator for a feature on it', () => {
    const board = new Board(2, MINUTE_MS);
    const series = board.series(0, 5 * MINUTE_MS);
    assert.equal(board.series(0, 5 * MINUTE_MS), series);
    assert.notEqual(board.series(1, 5 * MINUTE_MS), series);
    assert.equal(series.indicator(ema(7)), series.indicator(ema(7)));
    assert.notEqual(series.indicator(ema(7)), series.indicator(ema(8)));
    assert.deepEqual(board.ofInstrument(0), [series]);
  });

  test('saved in the middle of a forming bar and restored, goes on as if nothing had been', () => {
    fc.assert(
      fc.property(anyMinutes, fc.double({ min: 0, max: 1, noNaN: true }), (numbers, part) => {
        const build = (): { board: Board; series: Series } => {
          const board = new Board(1, MINUTE_MS);
          const series = board.series(0, 15 * MINUTE_MS);
          series.indicator(ema(3));
          return { board, series };
        };
        const whole = build();
        const first = build();
        const second = build();
        const place = Math.floor(part * numbers.length);
        for (const number of numbers) whole.series.push(minute(number));
        for (const number of numbers.slice(0, place)) first.series.push(minute(number));
        const bytes = savedOf(first.board);
        second.board.restore(new ByteReader(bytes));
        for (const number of numbers.slice(place)) second.series.push(minute(number));
        assert.deepEqual(savedOf(second.board), savedOf(whole.board));
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  test('asks for as many base bars as the longest feature needs, and one higher bar more that may have begun before', () => {
    assert.equal(
      warmupBars(
        [
          [ema(20), MINUTE_MS],
          [on({ timeframeMs: 15 * MINUTE_MS }, sma(3)), 15 * MINUTE_MS],
        ],
        MINUTE_MS,
      ),
      60,
    );
    assert.equal(warmupBars([], MINUTE_MS), 0);
  });
});

function savedOf(board: Board): Uint8Array {
  const out = new ByteWriter();
  board.save(out);
  return out.view().slice();
}

/** Remembers how far apart the legs closed. */
class Gap implements JointIndicator {
  readonly warmup = 1;
  value = NaN;
  readonly seen: (readonly [TimeMs, number])[] = [];

  update(legs: readonly BarView[]): void {
    this.value = (legs[0]?.close ?? NaN) - (legs[1]?.close ?? NaN);
    this.seen.push([legs[0]?.at ?? NaN, this.value]);
  }

  save(out: ByteWriter): void {
    out.number(this.value);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
  }
}

const gap: JointFeatureSpec<Gap> = { key: 'gap', isJoint: true, warmup: 1, create: () => new Gap() };

describe('several legs together', () => {
  test('have a bar where all of them have one, once, whichever comes last', () => {
    fc.assert(
      fc.property(anyMinutes, anyMinutes, fc.boolean(), (left, right, isLeftFirst) => {
        const board = new Board(2, MINUTE_MS);
        const joint = board.joint([1, 0], MINUTE_MS);
        const indicator = joint.indicator(gap) as Gap;
        assert.equal(board.joint([1, 0], MINUTE_MS), joint);
        assert.notEqual(board.joint([0, 1], MINUTE_MS), joint);
        const events = [...left.map((number) => minute(number, 0)), ...right.map((number) => minute(number + 1_000, 1))].map((event) => ({
          ...event,
          happenedAt: event.instrument === 1 ? event.happenedAt - 1_000 * MINUTE_MS : event.happenedAt,
        }));
        const inOrder = events.toSorted(
          (one, other) => one.happenedAt - other.happenedAt || (isLeftFirst ? 1 : -1) * (one.instrument - other.instrument),
        );
        for (const event of inOrder) for (const series of board.ofInstrument(event.instrument)) series.push(event);
        const both = left.filter((number) => right.includes(number));
        assert.equal(joint.closed, both.length);
        assert.deepEqual(
          indicator.seen,
          both.map((number) => [minute(number).happenedAt, minute(number + 1_000).close - minute(number).close]),
        );
      }),
    );
  });

  test('go on after they were restored as if nothing had been', () => {
    const make = (): { board: Board; indicator: Gap } => {
      const board = new Board(2, MINUTE_MS);
      return { board, indicator: board.joint([0, 1], 2 * MINUTE_MS).indicator(gap) as Gap };
    };
    const push = (board: Board, number: number, instrument: number): void => {
      for (const series of board.ofInstrument(instrument)) series.push(minute(number, instrument));
    };
    const whole = make();
    for (let number = 0; number < 5; number++) for (const leg of [0, 1]) push(whole.board, number, leg);
    push(whole.board, 5, 0);
    const out = new ByteWriter(64);
    whole.board.save(out);
    const again = make();
    again.board.restore(new ByteReader(out.view()));
    assert.equal(again.indicator.value, whole.indicator.value);
    for (const { board } of [whole, again]) push(board, 5, 1);
    assert.deepEqual(again.indicator.seen, whole.indicator.seen.slice(-1));
  });
});
