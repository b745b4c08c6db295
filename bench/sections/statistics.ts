// The statistics of research: Monte Carlo against numpy where there is one, overfitting, data snooping.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { dataSnooping } from '../../src/lab/validate/data-snooping.ts';
import { monteCarlo } from '../../src/lab/validate/monte-carlo.ts';
import { probabilityOfOverfitting } from '../../src/lab/validate/overfitting.ts';
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

export const statistics: Section = {
  name: 'statistics',
  title: `Statistics: Monte Carlo of ${PATHS.toLocaleString('en')} paths of ${DAYS.toLocaleString('en')} days, tests of ${TRIALS} trials of ${TRIAL_DAYS.toLocaleString('en')} days`,
  rows: [
    { name: 'monte-carlo', measure: measureMonteCarlo },
    { name: 'overfitting', measure: measureOverfitting },
    { name: 'snooping', measure: measureSnooping },
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
