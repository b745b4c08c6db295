// The statistics of research: Monte Carlo against numpy where there is one, overfitting, data snooping, a walk-forward.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import type { BarColumns } from '../../src/domain/bars.ts';
import { DAY_MS, HOUR_MS } from '../../src/domain/time.ts';
import { ALL_IN } from '../../src/lab/sweep/account.ts';
import { parseGrid } from '../../src/lab/sweep/grid.ts';
import { smaCross } from '../../src/lab/sweep/sma-cross.ts';
import { Sweeper } from '../../src/lab/sweep/sweeper.ts';
import { combinatorialChoice } from '../../src/lab/validate/combinatorial-choice.ts';
import { dataSnooping } from '../../src/lab/validate/data-snooping.ts';
import { monteCarlo } from '../../src/lab/validate/monte-carlo.ts';
import { probabilityOfOverfitting } from '../../src/lab/validate/overfitting.ts';
import { sweepEvaluator } from '../../src/lab/validate/sweep-evaluator.ts';
import { walkForward } from '../../src/lab/validate/walk-forward.ts';
import { Random } from '../../src/quant/random.ts';
import { circularBlockBootstrap, permutation, stationaryBootstrap, type Resample } from '../../src/quant/resampling.ts';
import type { Figure } from '../figure.ts';
import { medianOf, ownMs, timed, type Timing } from '../measure.ts';
import { ROOT } from '../programs.ts';
import type { Section } from '../section.ts';

const PATHS = 1_000;
const DAYS = 1_000;
const BLOCK = 10;
/** Ten milliseconds each: the first calls are those of the compiler. */
const WARMUPS = 10;
const REPEATS = 21;
const TRIALS = 100;
const TRIAL_DAYS = 2_000;
const WALK_YEARS = 7;

export const statistics: Section = {
  name: 'statistics',
  title: `Statistics: Monte Carlo of ${PATHS.toLocaleString('en')} paths of ${DAYS.toLocaleString('en')} days, tests of ${TRIALS} trials of ${TRIAL_DAYS.toLocaleString('en')} days`,
  rows: [
    { name: 'monte-carlo', measure: measureMonteCarlo },
    { name: 'overfitting', measure: measureOverfitting },
    { name: 'snooping', measure: measureSnooping },
    { name: 'walk-forward', measure: measureWalkForward },
  ],
};

async function measureMonteCarlo(): Promise<readonly Figure[]> {
  const returns = dailyReturns(DAYS, new Random(1));
  const draw = new Random(2);
  const kinds: readonly (readonly [string, Resample, number | undefined])[] = [
    ['independent days', stationaryBootstrap(1, draw), 1],
    [`circular blocks of ${BLOCK}`, circularBlockBootstrap(BLOCK, draw), BLOCK],
    [`stationary blocks around ${BLOCK}`, stationaryBootstrap(BLOCK, draw), undefined],
    ['another order', permutation(draw), undefined],
  ];
  const figures: Figure[] = [];
  for (const [name, resample, block] of kinds) {
    const timing = await repeated(WARMUPS, REPEATS, () => monteCarlo(returns, PATHS, resample));
    figures.push({ name: `Monte Carlo, ${name}`, value: ownMs(timing), unit: 'ms', better: 'less', cpu: timing.cpuMs, floor: 10 });
    if (block === undefined) continue;
    const peerMs = numpyMs(block);
    figures.push(
      peerMs === undefined
        ? { name: `  numpy over it, ${name}`, value: NaN, unit: 'x', better: 'more', note: 'python3 has no numpy' }
        : {
            name: `  numpy over it, ${name}`,
            value: peerMs / timing.cpuMs,
            unit: 'x',
            better: 'more',
            floor: 3,
            note: `numpy ${peerMs.toFixed(1)} ms of CPU`,
          },
    );
  }
  return figures;
}

/** CPU time of the same in numpy, undefined where python3 has none. */
function numpyMs(block: number): number | undefined {
  const words = [join(ROOT, 'bench/peers/monte_carlo.py'), PATHS, DAYS, block, REPEATS].map(String);
  const { status, stdout } = spawnSync('python3', words, { encoding: 'utf8', env: { ...process.env, OMP_NUM_THREADS: '1' } });
  return status === 0 ? Number(stdout) : undefined;
}

async function measureOverfitting(): Promise<readonly Figure[]> {
  const columns = trials();
  const timing = await repeated(1, 5, () => probabilityOfOverfitting(columns, 16));
  return [
    { name: 'CSCV, 16 blocks, 12,870 combinations', value: ownMs(timing), unit: 'ms', better: 'less', cpu: timing.cpuMs, floor: 2_000 },
  ];
}

async function measureSnooping(): Promise<readonly Figure[]> {
  const settings = { blockLength: BLOCK, replications: 1_000, resample: stationaryBootstrap(BLOCK, new Random(3)) };
  const columns = trials();
  const timing = await repeated(1, 5, () => dataSnooping(columns, settings));
  return [{ name: 'reality check and SPA, 1,000 replications', value: ownMs(timing), unit: 'ms', better: 'less', cpu: timing.cpuMs }];
}

/** A grid of two parameters over ten windows, each four tests long, and then all of it with hindsight. */
async function measureWalkForward(): Promise<readonly Figure[]> {
  const bars = yearsOfBars(WALK_YEARS * 8_760);
  const points = parseGrid('fast=5..45:10,slow=20..180:20', 'grid').filter((point) => smaCross.meets(point));
  const account = {
    capital: 10_000,
    feeRate: 0.001,
    slippageRatio: 0.0005,
    stopSlippageRatio: 0.0005,
    fill: 'next-open',
    sizing: ALL_IN,
  } as const;
  const sweeper = new Sweeper(availableParallelism());
  const evaluator = sweepEvaluator({ strategy: smaCross, bars, account, timeframeMs: HOUR_MS, sweeper });
  const windows = { folds: 10, trainTests: 4, isAnchored: false, embargoBars: 24 } as const;
  const { timing } = await timed(async () => {
    await walkForward({ ...windows, bars, timeframeMs: HOUR_MS, periodMs: DAY_MS, points, objective: 'sharpe', evaluator });
    const columns: Float64Array[] = [];
    for (const point of points) columns.push((await evaluator.test(point, { first: 0, end: bars.close.length })).returns);
    probabilityOfOverfitting(columns, 16);
    combinatorialChoice(columns, 10, 2, 26);
    const settings = { blockLength: BLOCK, replications: 1_000, resample: stationaryBootstrap(BLOCK, new Random(3)) };
    dataSnooping(columns, settings);
  });
  await sweeper.close();
  return [
    {
      name: `walk-forward, ${points.length} combinations, 10 folds, ${WALK_YEARS} years of hours`,
      value: ownMs(timing),
      unit: 'ms',
      better: 'less',
      cpu: timing.cpuMs,
      floor: 10_000,
      note: 'cold, with CSCV, CPCV, SPA and reality check of all combinations',
    },
  ];
}

function yearsOfBars(rows: number): BarColumns {
  const random = new Random(5);
  const column = (): Float64Array => new Float64Array(rows);
  const bars = { openAt: column(), open: column(), high: column(), low: column(), close: column(), volume: column().fill(1) };
  let price = 100;
  for (let row = 0; row < rows; row++) {
    bars.openAt[row] = Date.UTC(2018, 0, 1) + row * HOUR_MS;
    bars.open[row] = price;
    const before = price;
    price *= 1 + 0.008 * random.normal();
    bars.close[row] = price;
    bars.high[row] = Math.max(before, price);
    bars.low[row] = Math.min(before, price);
  }
  return bars;
}

function trials(): Float64Array[] {
  const random = new Random(4);
  return Array.from({ length: TRIALS }, () => dailyReturns(TRIAL_DAYS, random));
}

function dailyReturns(days: number, random: Random): Float64Array {
  return Float64Array.from({ length: days }, () => 0.001 + 0.02 * random.normal());
}

async function repeated(warmups: number, repeats: number, work: () => unknown): Promise<Timing> {
  const timings: Timing[] = [];
  for (let repeat = -warmups; repeat < repeats; repeat++) {
    const { timing } = await timed(work);
    if (repeat >= 0) timings.push(timing);
  }
  return medianOf(timings);
}
