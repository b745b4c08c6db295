// A million bars leave no trace: what a window says at their end is what a fresh one says of the last bars alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BarColumns } from '../../domain/bars.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, FeatureSpec, Indicator } from '../../domain/feature.ts';
import { Random } from '../../quant/random.ts';
import * as catalog from '../catalog.ts';
import { columns, type CatalogSpec } from '../catalog.ts';

const BARS = 1_000_000;
const CRASH = 900_000;
const TAIL = 3_000;

/** A walk that falls to a thousandth late in its life: what a sum kept of the high prices would be much beside the low ones. */
function longWalk(): BarColumns {
  const random = new Random(42);
  const column = (): Float64Array => new Float64Array(BARS);
  const bars = { openAt: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
  let last = 50_000;
  for (let index = 0; index < BARS; index++) {
    const start = index === CRASH ? last / 1_000 : last;
    // Held where it is, so that a million steps lead nowhere.
    const home = index < CRASH ? 50_000 : 50;
    last = start * (1 + 0.01 * (random.uniform() - 0.5) + 0.0005 * (home / start - 1));
    bars.openAt[index] = index * 60_000;
    bars.open[index] = start;
    bars.high[index] = Math.max(start, last) * (1 + 0.002 * random.uniform());
    bars.low[index] = Math.min(start, last) * (1 - 0.002 * random.uniform());
    bars.close[index] = last;
    bars.volume[index] = index === CRASH - 1 ? 1e12 : random.uniform();
  }
  return bars;
}

const bars = longWalk();
const last = (column: Float64Array): Float64Array => column.subarray(BARS - TAIL);
const tail: BarColumns = {
  openAt: last(bars.openAt),
  open: last(bars.open),
  high: last(bars.high),
  low: last(bars.low),
  close: last(bars.close),
  volume: last(bars.volume),
};

/** Its value alone, whatever else it has. */
function valueOf({ key, warmup, create }: FeatureSpec): CatalogSpec<Indicator> {
  return { key, warmup, create, outputs: ['value'] };
}

/** What is of a window, and what forgets: the exponential kind over windows that are short beside the tail. */
const forgetful: readonly FeatureSpec[] = [
  catalog.wma(50),
  catalog.hma(50),
  catalog.kama(10),
  catalog.cci(50),
  catalog.mfi(14),
  catalog.chaikinMoneyFlow(20),
  catalog.chaikinOscillator(3, 10),
  catalog.rollingVwap(50),
  catalog.ultimateOscillator(7, 14, 28),
  catalog.stochastic(14, 3, 3),
  catalog.adx(14),
  catalog.yangZhang(30),
  catalog.volumeProfile(100, 0.001),
];

for (const spec of forgetful) {
  test(`${spec.key} after a million bars is what a fresh one says of the last ${TAIL}`, () => {
    const old = columns(valueOf(spec), bars).value.subarray(BARS - 100);
    const fresh = columns(valueOf(spec), tail).value.subarray(TAIL - 100);
    const largest = fresh.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    fresh.forEach((expected, index) => {
      assert.ok(Math.abs((old[index] ?? NaN) - expected) <= 1e-10 * largest, `${old[index]}, expected ${expected}`);
    });
  });
}

test('on-balance volume after a million bars is the exact sum, to the last digits', () => {
  // Eighths add up exactly in doubles, however many there are.
  const exact = { ...bars, volume: bars.volume.map((volume) => Math.floor(Math.min(volume, 1) * 1_000) / 8) };
  const tenths = { ...bars, volume: exact.volume.map((volume) => volume * 0.8) };
  const expected = (columns(catalog.obv(), exact).value.at(-1) ?? NaN) * 0.8;
  const found = columns(catalog.obv(), tenths).value.at(-1) ?? NaN;
  assert.ok(Math.abs(found - expected) <= 1e-13 * 50_000_000, `found ${found}, expected ${expected}`);
});

test('directional movement comes to rest with the market, instead of dividing what has all but vanished', () => {
  const moving = 200;
  const still = (column: Float64Array): Float64Array => column.slice(0, 30_000).fill(column[moving] ?? NaN, moving);
  const price = still(bars.close);
  const high = still(bars.high).fill(price.at(-1) ?? NaN, moving);
  const low = still(bars.low).fill(price.at(-1) ?? NaN, moving);
  const found = columns(catalog.adx(14), { openAt: price, open: price, high, low, close: price, volume: price });
  assert.ok((found.plus[moving - 1] ?? NaN) > 0);
  assert.deepEqual([found.plus.at(-1), found.minus.at(-1)], [0, 0]);
  assert.ok((found.value.at(-1) ?? NaN) >= 0 && (found.value.at(-1) ?? NaN) <= 100);
  assert.equal(found.value.at(-1), found.value.at(-1_000), 'nothing changes where nothing moves');
});

test('no feature writes more state than its windows hold', () => {
  const bar: BarView = { at: 60_000, open: 1, high: 2, low: 1, close: 2, volume: 1 };
  const wide: readonly FeatureSpec[] = [catalog.aroon(100), catalog.cci(100), catalog.volumeProfile(100, 0.01), catalog.swings(50)];
  for (const spec of wide) {
    const indicator = spec.create();
    for (let index = 0; index < 10_000; index++) indicator.update({ ...bar, low: 1 - (index % 97) / 200, high: 2 + (index % 89) / 100 });
    const out = new ByteWriter();
    indicator.save(out);
    assert.ok(out.length < 100 * 8 * 8, `${spec.key} wrote ${out.length} bytes`);
    const copy = spec.create();
    copy.restore(new ByteReader(out.view()));
    assert.equal(copy.value, indicator.value);
  }
});
