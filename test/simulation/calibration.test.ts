// Whether the statistics against overfitting mean what they say: rates over seeds, on noise and on planted skill.
//
// BALLAST_CALIBRATION_SEEDS sets how many seeds: 1000 for the figures that are promised, fewer in every test run.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dataSnooping } from '../../src/lab/validate/data-snooping.ts';
import { probabilityOfOverfitting } from '../../src/lab/validate/overfitting.ts';
import { deflatedSharpe, sharpeSample } from '../../src/lab/validate/sharpe-ratio.ts';
import { Random } from '../../src/quant/random.ts';
import { stationaryBootstrap } from '../../src/quant/resampling.ts';
import { mean, variance } from '../../src/quant/statistics.ts';

const SEEDS = Number(process.env['BALLAST_CALIBRATION_SEEDS'] ?? 80);
const NOMINAL = 0.05;
const TRIALS = 20;

interface World {
  readonly days: number;
  /** How much of a day's return is left the next day. */
  readonly memory: number;
  readonly blockLength: number;
  /** Sharpe ratio of a day that one trial, and only one, really has. */
  readonly skill: number;
}

/** The trial with skill, where there is one. */
const SKILLED = 7;

interface Verdicts {
  readonly deflated: readonly number[];
  readonly realityCheck: readonly number[];
  readonly superior: readonly number[];
  readonly overfitting: readonly number[];
  readonly best: readonly number[];
}

function returnsOf({ days, memory, skill }: World, random: Random): Float64Array[] {
  // A variance of 1 whatever the memory.
  const shock = Math.sqrt(1 - memory ** 2);
  return Array.from({ length: TRIALS }, (_, trial) => {
    let last = random.normal();
    return Float64Array.from({ length: days }, () => {
      last = memory * last + shock * random.normal();
      return 0.02 * (last + (trial === SKILLED ? skill : 0));
    });
  });
}

function verdictsOf(world: World): Verdicts {
  const found = {
    deflated: [] as number[],
    realityCheck: [] as number[],
    superior: [] as number[],
    overfitting: [] as number[],
    best: [] as number[],
  };
  for (let seed = 0; seed < SEEDS; seed++) {
    const random = new Random(seed);
    const columns = returnsOf(world, random.fork('returns'));
    const sharpes = columns.map((column) => sharpeSample(column).sharpe);
    const best = sharpes.indexOf(Math.max(...sharpes));
    const trials = { count: TRIALS, variance: (variance(sharpes) * TRIALS) / (TRIALS - 1) };
    const snooping = dataSnooping(columns, {
      blockLength: world.blockLength,
      replications: 199,
      resample: stationaryBootstrap(world.blockLength, random.fork('bootstrap')),
    });
    found.best.push(best);
    found.deflated.push(deflatedSharpe(sharpeSample(columns[best] ?? new Float64Array()), trials).probability);
    found.realityCheck.push(snooping.realityCheck);
    found.superior.push(snooping.superiorAbility.consistent);
    found.overfitting.push(probabilityOfOverfitting(columns, 8).probability);
  }
  return found;
}

function rate(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length;
}

/** Three standard errors above the nominal rate of as many seeds. */
const MOST = NOMINAL + 3 * Math.sqrt((NOMINAL * (1 - NOMINAL)) / SEEDS);

/** Three standard errors of the mean. */
function halfWidth(values: readonly number[]): number {
  return 3 * Math.sqrt(variance(values) / (values.length - 1));
}

describe(`over ${SEEDS} seeds, ${TRIALS} trials`, () => {
  test('noise: what is accepted is accepted at its nominal rate at most, and choosing is worth nothing', (t) => {
    const found = verdictsOf({ days: 250, memory: 0, blockLength: 1, skill: 0 });
    const rates = {
      deflated: rate(found.deflated, (probability) => probability > 1 - NOMINAL),
      realityCheck: rate(found.realityCheck, (value) => value <= NOMINAL),
      superior: rate(found.superior, (value) => value <= NOMINAL),
      overfitting: mean(found.overfitting),
    };
    t.diagnostic(JSON.stringify(rates));
    for (const accepted of [rates.deflated, rates.realityCheck, rates.superior]) assert.ok(accepted <= MOST, JSON.stringify(rates));
    assert.ok(Math.abs(rates.overfitting - 0.5) < halfWidth(found.overfitting), JSON.stringify(rates));
    // A test that never accepts would pass the above.
    assert.ok(rates.superior > 0, JSON.stringify(rates));
  });

  test('noise with memory: blocks keep the rate where single rows do not', (t) => {
    const world = { days: 600, memory: 0.4, skill: 0 };
    const blocks = rate(verdictsOf({ ...world, blockLength: 10 }).superior, (value) => value <= NOMINAL);
    const single = rate(verdictsOf({ ...world, blockLength: 1 }).superior, (value) => value <= NOMINAL);
    t.diagnostic(JSON.stringify({ blocks, single }));
    // The studentised test is asymptotic: blocks come near the nominal rate from above.
    assert.ok(blocks < MOST + 0.05, `${blocks}`);
    assert.ok(single > blocks + 0.1, `${single}`);
  });

  test('planted skill is found', (t) => {
    const found = verdictsOf({ days: 250, memory: 0, blockLength: 1, skill: 0.35 });
    const rates = {
      deflated: rate(found.deflated, (probability) => probability > 1 - NOMINAL),
      realityCheck: rate(found.realityCheck, (value) => value <= NOMINAL),
      superior: rate(found.superior, (value) => value <= NOMINAL),
      overfitting: mean(found.overfitting),
      best: rate(found.best, (trial) => trial === SKILLED),
    };
    t.diagnostic(JSON.stringify(rates));
    assert.ok(rates.superior > 0.9 && rates.realityCheck > 0.9 && rates.deflated > 0.7 && rates.best > 0.95, JSON.stringify(rates));
    assert.ok(rates.overfitting < 0.05, JSON.stringify(rates));
  });
});
