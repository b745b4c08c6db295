import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BookEvent } from '../../domain/event.ts';
import { forecaster, type Evidence } from '../../domain/strategy.ts';
import { BookPressure, bookPressure } from '../../features/order-flow/book-pressure.ts';
import { emptyTouch } from '../../market/book/book-touch.ts';
import { Random } from '../../quant/random.ts';
import { bookImbalance } from './book-imbalance.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  bookImbalance,
  fc.record({
    smoothingMs: fc.integer({ min: 1, max: 100_000_000 }).map((value) => Math.min(value, 86_400_000)),
    horizonMs: fc.constantFrom(3_600_000, 7_200_000),
    entry: fc.double({ min: 0.01, max: 1, noNaN: true }),
    exit: fc.constantFrom(-1, -0.2, 0),
    minimumHoldMs: fc.constantFrom(0, 10_000, 7_200_000),
    short: fc.boolean(),
  }),
);

const WINDOWS = { smoothingMs: 1_000, horizonMs: 5_000, memoryMs: 600_000 };
const STEP_MS = 250;

/** A book whose lean is followed by `slope` times it in log return of the mid, over the horizon, beside noise. */
function leaning(slope: number, steps: number, seed: number): BookEvent[] {
  const random = new Random(seed);
  const leans = Array.from({ length: steps }, () => 2 * random.uniform() - 1);
  // Held for long enough that the smoothed lean is the lean.
  const leanAt = (step: number): number => leans[Math.floor(step / 40)] ?? 0;
  const perStep = slope / (WINDOWS.horizonMs / STEP_MS);
  let log = Math.log(100);
  return Array.from({ length: steps }, (_, step) => {
    log += perStep * leanAt(step) + 1e-6 * (random.uniform() - 0.5);
    const mid = Math.exp(log);
    return { ...emptyTouch(0), at: 1e12 + step * STEP_MS, bidPrice: mid - 0.01, askPrice: mid + 0.01, imbalance: leanAt(step) };
  });
}

describe('the pressure of a book', () => {
  test('learns what leans are followed by, from pairs whose horizon is over', () => {
    for (const slope of [0.001, -0.0005]) {
      const pressure = new BookPressure(WINDOWS);
      for (const event of leaning(slope, 20_000, 3)) pressure.update(event);
      // Where a lean ends within the horizon less of it is seen than it would have come to.
      assert.ok(Math.sign(pressure.slope) === Math.sign(slope));
      assert.ok(Math.abs(pressure.slope) > 0.5 * Math.abs(slope) && Math.abs(pressure.slope) < 1.05 * Math.abs(slope), `${pressure.slope}`);
      assert.ok(Math.abs(pressure.value - pressure.slope * pressure.imbalance) < 1e-15);
    }
  });

  test('is the regression that a plain recomputation finds', () => {
    const events = leaning(0.002, 3_000, 11);
    const pressure = new BookPressure(WINDOWS);
    const smooth: number[] = [];
    for (const event of events) {
      pressure.update(event);
      smooth.push(pressure.imbalance);
    }
    let [squares, products, lean] = [0, 0, NaN];
    const horizon = WINDOWS.horizonMs / STEP_MS;
    events.forEach((event, step) => {
      const kept = 2 ** (-STEP_MS / WINDOWS.smoothingMs);
      lean = step === 0 ? event.imbalance : kept * lean + (1 - kept) * event.imbalance;
      assert.ok(Math.abs(lean - (smooth[step] ?? NaN)) < 1e-12);
      const past = step - horizon;
      if (past < 0) return;
      const weight = 2 ** ((-(events.length - 1 - step) * STEP_MS) / WINDOWS.memoryMs);
      const then = events[past];
      const mid = (each: BookEvent | undefined): number => ((each?.bidPrice ?? NaN) + (each?.askPrice ?? NaN)) / 2;
      squares += weight * (smooth[past] ?? NaN) ** 2;
      products += weight * (smooth[past] ?? NaN) * Math.log(mid(event) / mid(then));
    });
    assert.ok(Math.abs(pressure.slope / (products / squares) - 1) < 1e-9);
    assert.equal(pressure.pairs, events.length - horizon);
  });

  test('forgets what waited when the book is lost, and says nothing until it is one again', () => {
    const events = leaning(0.001, 2_000, 5);
    const pressure = new BookPressure(WINDOWS);
    for (const event of events) pressure.update(event);
    const { pairs, slope } = pressure;
    pressure.update({ ...emptyTouch(0), at: (events.at(-1)?.at ?? 0) + 1 });
    assert.ok([pressure.value, pressure.imbalance, pressure.mid, pressure.spreadRatio].every(Number.isNaN));
    const later = { ...(events.at(-1) ?? emptyTouch(0)), at: (events.at(-1)?.at ?? 0) + 60_000 };
    pressure.update(later);
    assert.equal(pressure.pairs, pairs, 'no return is measured across the gap');
    assert.ok(Math.abs(pressure.slope / slope - 1) < 1e-12);
    assert.equal(pressure.imbalance, later.imbalance);
  });

  test('goes on after it was restored as if nothing had been', () => {
    const events = leaning(0.001, 9_000, 9);
    const spec = bookPressure(WINDOWS);
    const [whole, first] = [spec.create(), spec.create()];
    for (const event of events) whole.update(event);
    for (const event of events.slice(0, 5_000)) first.update(event);
    const out = new ByteWriter(64);
    first.save(out);
    const second = spec.create();
    second.restore(new ByteReader(out.view()));
    for (const event of events.slice(5_000)) second.update(event);
    const [left, right] = [new ByteWriter(64), new ByteWriter(64)];
    whole.save(left);
    second.save(right);
    assert.deepEqual(right.view(), left.view());
  });
});

test('no lean is gone with while leans have been wrong, but for a side that is held already', () => {
  const asked = forecaster(bookImbalance, bookImbalance.parameters.parse({ minimumHoldMs: 0 }));
  const bar = { at: 0, open: 1, high: 1, low: 1, close: 1, volume: 1 };
  const said = (lean: number, slope: number, side: -1 | 0 | 1): [number, number | undefined, string] => {
    const shown = { imbalance: lean, value: slope * lean, slope, spreadRatio: 1e-4 };
    const sleeve = { side, stance: side, entryPrice: 1, heldSince: 0 };
    const evidence = { at: 1, bars: [bar], features: { pressure: Object.assign(bookPressure(WINDOWS).create(), shown) }, sleeve };
    const opinion = asked.opine(evidence);
    assert.ok(opinion.kind === 'forecast');
    return [opinion.stance, opinion.expectedReturn, asked.explain(evidence).because.replace(/.*: /, '')];
  };
  assert.deepEqual(said(0.5, 0.01, 0), [1, 0.005, 'long']);
  assert.deepEqual(said(-0.5, 0.01, 0), [-1, -0.005, 'short']);
  for (const lean of [0.5, -0.5]) assert.deepEqual(said(lean, -0.01, 0), [0, 0, 'no side, because such leans have been wrong']);
  assert.deepEqual(said(0.5, -0.01, 1), [1, -0.005, 'long as it is'], 'what it expects by now is a loss, and says so');
});

test('a side is kept for its least time, and then left where the lean has gone', () => {
  const asked = forecaster(bookImbalance, bookImbalance.parameters.parse({ minimumHoldMs: 10_000 }));
  const bar = { at: 0, open: 1, high: 1, low: 1, close: 1, volume: 1 };
  const pressure = Object.assign(bookPressure(WINDOWS).create(), { imbalance: -0.1, value: -1e-5, slope: 1e-4, spreadRatio: 1e-4 });
  const evidence = (at: number): Evidence => ({
    at,
    bars: [bar],
    features: { pressure },
    sleeve: { side: 1, stance: 1, entryPrice: 1, heldSince: 1_000 },
  });
  const stance = (at: number): number | string => {
    const opinion = asked.opine(evidence(at));
    return opinion.kind === 'forecast' ? opinion.stance : opinion.because;
  };
  assert.deepEqual([stance(10_999), stance(11_000)], [1, 0]);
  assert.match(asked.explain(evidence(5_000)).because, /held for its least time/);
});
