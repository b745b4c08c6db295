// A recipe, otherwise: the same run with other fees, with evidence that comes late, with parameters a step away.
import { lagged } from '../lab/validate/lagged-forecaster.ts';
import type { SweepPoint } from '../lab/sweep/strategy.ts';
import type { RunPlan } from '../engine/plan.ts';
import { BallastError } from '../domain/errors.ts';
import { parameterFields, parseParameters, strategyNamed } from './registry.ts';
import type { HistoryRecipe } from './rerun.ts';

/** Every rate so many times as high: those of the instruments, that of the config, those of tiers. */
export function withFeesTimes(recipe: HistoryRecipe, times: number): HistoryRecipe {
  const { config, instruments } = recipe;
  const { feeRate, feeTiers } = config.venue;
  return {
    ...recipe,
    instruments: instruments.map((each) => ({
      ...each,
      takerFeeRate: each.takerFeeRate * times,
      makerFeeRate: each.makerFeeRate * times,
    })),
    config: {
      ...config,
      venue: {
        ...config.venue,
        feeRate: feeRate === null ? null : feeRate * times,
        feeTiers: feeTiers.map((tier) => ({
          ...tier,
          takerFeeRate: tier.takerFeeRate * times,
          makerFeeRate: tier.makerFeeRate * times,
        })),
      },
    },
  };
}

/** One rate for every fill. */
export function withFee(recipe: HistoryRecipe, feeRate: number): HistoryRecipe {
  return withVenue(recipe, { feeRate, feeTiers: [] });
}

export function withVenue(recipe: HistoryRecipe, venue: Partial<HistoryRecipe['config']['venue']>): HistoryRecipe {
  return { ...recipe, config: { ...recipe.config, venue: { ...recipe.config.venue, ...venue } } };
}

/** What a fill of the first instrument pays, as a taker and without tiers. */
export function feeRateOf({ config, instruments }: HistoryRecipe): number {
  return config.venue.feeRate ?? instruments[0]?.takerFeeRate ?? 0;
}

export function withLag(plan: RunPlan, lagBars: number): RunPlan {
  return { ...plan, minds: plan.minds.map((mind) => ({ ...mind, forecaster: lagged(mind.forecaster, lagBars) })) };
}

export function withParameters(recipe: HistoryRecipe, parameters: unknown): HistoryRecipe {
  return { ...recipe, strategies: recipe.strategies.map((use, index) => (index === 0 ? { ...use, parameters } : use)) };
}

/** From a value to the next that is tried: a quarter more, or a fifth less; of whole numbers at least 1, of zero a quarter of one. */
const STEP = 1.25;

export interface NumericParameter {
  readonly name: string;
  readonly value: number;
  /** The value so many steps away. */
  at(steps: number): number;
}

/** The numbers among the parameters of the recipe's first strategy. */
export async function numericParameters({ strategies }: HistoryRecipe, home: string): Promise<NumericParameter[]> {
  const [use] = strategies;
  if (use === undefined || typeof use.parameters !== 'object' || use.parameters === null) return [];
  const { strategy } = await strategyNamed(use.strategy, home);
  const types = new Map(parameterFields(strategy).map(({ name, type }) => [name, type]));
  return Object.entries(use.parameters).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value !== 'number') return [];
    const isWhole = types.get(name) === 'integer';
    return [{ name, value, at: (steps: number): number => stepped(value, steps, isWhole) }];
  });
}

function stepped(value: number, steps: number, isWhole: boolean): number {
  if (steps === 0) return value;
  if (value === 0) return isWhole ? steps : steps / 4;
  const moved = value * STEP ** steps;
  if (!isWhole) return Number(moved.toPrecision(6));
  const whole = Math.round(moved);
  // Of small numbers a quarter is less than one.
  return Math.sign(steps) * (whole - value) >= Math.abs(steps) ? whole : value + steps;
}

/** The parameters of the recipe's first strategy with some of them changed; undefined where its schema does not allow it. */
export async function changedParameters(recipe: HistoryRecipe, home: string, changes: SweepPoint): Promise<unknown> {
  const [use] = recipe.strategies;
  if (use === undefined || typeof use.parameters !== 'object') return undefined;
  const { strategy } = await strategyNamed(use.strategy, home);
  try {
    return parseParameters(strategy, { ...use.parameters, ...changes });
  } catch (refusal) {
    if (refusal instanceof BallastError && refusal.code === 'PARAMETERS_INVALID') return undefined;
    throw refusal;
  }
}
