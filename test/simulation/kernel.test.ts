// The kernels of a sweep against the engine: the same strategy, parameters and bars, and trade for trade the same fills and marks.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assemblePlan } from '../../src/app/assemble.ts';
import { parseConfig } from '../../src/app/config.ts';
import { unfilteredInstrument } from '../../src/app/recipe.ts';
import { parseParameters } from '../../src/app/registry.ts';
import type { BarColumns } from '../../src/domain/bars.ts';
import { amount, toNumber } from '../../src/domain/decimal.ts';
import { DAY_MS, HOUR_MS, type TimeMs } from '../../src/domain/time.ts';
import { Engine } from '../../src/engine/engine.ts';
import { run } from '../../src/engine/run.ts';
import { SimulatedClock } from '../../src/engine/simulated-clock.ts';
import { strategies } from '../../src/forecasts/strategies/index.ts';
import { ALL_IN, type SweepAccount } from '../../src/lab/sweep/account.ts';
import { walkBars } from '../../src/lab/sweep/bars.fixture.ts';
import { runColumn } from '../../src/lab/sweep/run-column.ts';
import { sweepStrategyNamed, SWEEP_STRATEGIES } from '../../src/lab/sweep/strategies.ts';
import type { SweepPoint } from '../../src/lab/sweep/strategy.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import { Random } from '../../src/quant/random.ts';
import { SimulatedVenue } from '../../src/venues/simulated/venue.ts';
import { needs, sharedPath } from '../support/needs.ts';
import { slice } from '../support/session.ts';

const ROUNDS = 200;
const TOLERANCE = 1e-9;
const ROUND_STOPS = [0, 0.01, 0.02, 0.03, 0.05, 0.1];

interface Traded {
  readonly bar: number;
  readonly quantity: number;
  readonly price: number;
  readonly fee: number;
}

/** What `ballast backtest --sizing all-in --no-risk --warmup none` does, without its files. */
async function byEngine(
  name: string,
  point: SweepPoint,
  bars: BarColumns,
  { capital, feeRate, slippageRatio, stopSlippageRatio, fill }: SweepAccount,
): Promise<{ readonly fills: readonly Traded[]; readonly equity: Float64Array }> {
  const strategy = strategies.find((each) => each.name === name);
  assert.ok(strategy !== undefined, name);
  const plan = assemblePlan({
    config: parseConfig(`venue: { feeRate: ${feeRate} }`),
    instruments: [unfilteredInstrument('any', 'BTC/USDT', 'test')],
    baseTimeframeMs: HOUR_MS,
    strategies: [{ strategy, parameters: parseParameters(strategy, point) }],
    capital: amount(String(capital)),
    noRisk: true,
    sizing: 'all-in',
    mindFailure: 'stop',
  });
  const venue = new SimulatedVenue({
    instruments: plan.instruments,
    baseTimeframeMs: HOUR_MS,
    capital: plan.capital,
    slippageRatio,
    latencyMs: 1,
    maximumLeverage: 1,
    allowSpotShort: false,
    rules: { fill, stopSlippageRatio },
    notBefore: () => engine.earliestNext,
  });
  const fills: Traded[] = [];
  const sides = new Map<string, { readonly sign: 1 | -1; readonly isAtClose: boolean }>();
  const equity = new Float64Array(bars.close.length).fill(NaN);
  let closed = 0;
  let closedAt: TimeMs = NaN;
  const engine = new Engine({
    plan,
    venue,
    onBar(at, value) {
      closedAt = at;
      equity[closed++] = value;
    },
    // What is traded at a close is in its mark; what a stop trades inside the next bar is not.
    onFill(at, value) {
      if (fill === 'close' && at < closedAt + HOUR_MS) equity[closed - 1] = value;
    },
    recorder: {
      market: () => undefined,
      commit: () => undefined,
      entry(entry) {
        if (entry.kind === 'order.intended') {
          const { id, side, role, attached } = entry.intent;
          sides.set(id, { sign: side === 'buy' ? 1 : -1, isAtClose: role === 'target' && fill === 'close' });
          for (const stop of attached) sides.set(stop.id, { sign: -1, isAtClose: false });
        }
        if (entry.kind !== 'order.filled' || entry.fill === undefined) return;
        const { sign, isAtClose } = sides.get(entry.order) ?? assert.fail(`a fill of ${entry.order}`);
        const { quantity, price, fee } = entry.fill;
        const bar = isAtClose ? closed - 1 : closed;
        fills.push({ bar, quantity: sign * toNumber(quantity), price: toNumber(price), fee: toNumber(fee) });
      },
    },
  });
  const source = new BarSource({ instrument: 0, timeframeMs: HOUR_MS, from: 0, chunks: [bars] });
  await run({ engine, clock: new SimulatedClock(), sources: [venue, venue.watching(source)] });
  return { fills, equity };
}

async function assertEqual(name: string, point: SweepPoint, bars: BarColumns, account: SweepAccount, place: string): Promise<number> {
  const kernel = runColumn(sweepStrategyNamed(name), point, bars, account, HOUR_MS);
  const engine = await byEngine(name, point, bars, account);
  const words = `${place}: ${name} ${JSON.stringify(point)} ${account.fill}`;
  for (const [index, expected] of kernel.fills.entries()) {
    const found = engine.fills[index] ?? assert.fail(`${words}: no fill ${index} in the engine, expected ${JSON.stringify(expected)}`);
    assert.equal(found.bar, expected.bar, `${words}: fill ${index} found ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`);
    for (const field of ['quantity', 'price', 'fee'] as const) assertNear(found[field], expected[field], `${words}: ${field} ${index}`);
  }
  assert.equal(engine.fills.length, kernel.fills.length, words);
  for (const [bar, expected] of kernel.equity.entries()) assertNear(engine.equity[bar] ?? NaN, expected, `${words}: equity at ${bar}`);
  return kernel.fills.length;
}

function assertNear(found: number, expected: number, place: string): void {
  assert.ok(Math.abs(found - expected) <= TOLERANCE * Math.abs(expected), `${place}: found ${found}, expected ${expected}`);
}

/** A rule of fills is drawn where the two agree on it: the stop of a run is measured from the close on which it decided. */
function drawn(name: string, random: Random): { readonly point: SweepPoint; readonly account: SweepAccount } {
  const isCross = name === 'sma-cross';
  const fast = 1 + random.integer(30);
  // Round ones too: they put stops on prices that bars touch.
  const round = ROUND_STOPS[random.integer(ROUND_STOPS.length)] ?? 0;
  const stop = random.bernoulli(0.5) ? round : 0.002 + 0.1 * random.uniform();
  const point: SweepPoint = isCross
    ? { fast, slow: fast + 1 + random.integer(120) }
    : {
        window: 2 + random.integer(30),
        entryBelow: 15 + 30 * random.uniform(),
        exitAbove: 50 + 30 * random.uniform(),
        stop,
        trailing: random.bernoulli(0.5),
      };
  const isFree = random.bernoulli(0.2);
  const account: SweepAccount = {
    capital: 10_000,
    feeRate: isFree ? 0 : 0.001,
    slippageRatio: isFree ? 0 : 0.0005,
    stopSlippageRatio: random.bernoulli(0.5) ? 0 : 0.0002,
    fill: (isCross || stop === 0) && random.bernoulli(0.5) ? 'next-open' : 'close',
    sizing: ALL_IN,
  };
  return { point, account };
}

/** Hours of a walk, with holes of up to ten of them. */
function synthetic(seed: number, random: Random): BarColumns {
  const count = 100 + random.integer(1_400);
  const walk = walkBars(seed, count, 0.002 + 0.03 * random.uniform());
  let openAt = Date.UTC(2021, 0, 1);
  const times = Float64Array.from({ length: count }, () => (openAt += HOUR_MS * (random.bernoulli(0.01) ? 2 + random.integer(9) : 1)));
  return { ...walk, openAt: times, volume: new Float64Array(count).fill(1) };
}

function real(symbol: string): BarColumns {
  const rows = gunzipSync(readFileSync(sharedPath(`data/2_intraday/1h_spot/${symbol}_1h.csv.gz`)))
    .toString()
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const column = (place: number): Float64Array => Float64Array.from(rows, (row) => Number(row[place]));
  return {
    openAt: Float64Array.from(rows, ([at = '']) => Date.parse(at)),
    open: column(1),
    high: column(2),
    low: column(3),
    close: column(4),
    volume: column(5),
  };
}

async function compare(t: TestContext, name: string, barsOf: (round: number, random: Random) => BarColumns): Promise<void> {
  const random = new Random(11);
  let fills = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const { point, account } = drawn(name, random);
    fills += await assertEqual(name, point, barsOf(round, random), account, `round ${round}`);
  }
  t.diagnostic(`${name}: ${fills} fills`);
  assert.ok(fills > 2_000, `${fills} fills`);
}

for (const { name } of SWEEP_STRATEGIES) {
  test(`${name}: the kernel is the engine, on synthetic bars`, (t) => compare(t, name, synthetic));

  test(`${name}: the kernel is the engine, on real bars`, { skip: needs('shared data') }, async (t) => {
    const series = [real('BTCUSDT'), real('ETHUSDT')];
    await compare(t, name, (round, random) => {
      const bars = series[round % series.length] ?? assert.fail('there are two');
      // Two years in a few rounds, a month or two in the others.
      const rows = round < 4 ? (2 * 365 * DAY_MS) / HOUR_MS : 500 + random.integer(1_000);
      const start = random.integer(bars.close.length - rows);
      return slice(bars, start, start + rows);
    });
  });
}
