// Everything that determines a run's results, as plain data: written with the run, hashed, and enough to build the same run again.
import { z } from 'zod';
import { amount, format, price, quantity } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import { parseSymbol, type Instrument } from '../domain/instrument.ts';
import type { RunPlan } from '../engine/plan.ts';
import { assemblePlan, warmupBars, type PlannedStrategy } from './assemble.ts';
import { configHash, resultSettings, type Config } from './config.ts';
import { configSchema } from './config-schema.ts';
import { parseParameters, strategyNamed } from './registry.ts';

const instrumentSchema = z.strictObject({
  venue: z.string(),
  symbol: z.string(),
  kind: z.enum(['spot', 'linear']),
  base: z.string(),
  quote: z.string(),
  tick: z.string(),
  lot: z.string(),
  minimumQuantity: z.string(),
  minimumNotional: z.string(),
  takerFeeRate: z.number(),
  makerFeeRate: z.number(),
  fundingRate: z.number(),
  fundingIntervalMs: z.number(),
});

const strategyUseSchema = z.strictObject({
  /** A built-in name, or the absolute path of a file. */
  strategy: z.string(),
  /** SHA-256 of that file: another text is another strategy. */
  digest: z.string().optional(),
  parameters: z.unknown(),
  symbols: z.array(z.string()).optional(),
  pairs: z.array(z.array(z.string()).readonly()).readonly().optional(),
  timeframeMs: z.number().optional(),
  weight: z.number().optional(),
  shareRatio: z.number().optional(),
  council: z.string().optional(),
});

export type RecipeStrategy = z.infer<typeof strategyUseSchema>;

const marketSchema = z.discriminatedUnion('source', [
  z.strictObject({
    source: z.literal('synthetic'),
    seed: z.number(),
    startAt: z.number(),
    from: z.number(),
    tradesPerBar: z.number(),
    /** There are books beside its bars, and orders match against them; there are none unless said. */
    books: z.literal(true).optional(),
  }),
  z.strictObject({
    source: z.literal('history'),
    from: z.number(),
    to: z.number(),
    warmupFrom: z.number(),
    /** Orders match against the stored books and trades; against the bars unless said. */
    books: z.literal(true).optional(),
    /** By instrument: settled funding rates on a grid of times, null where none was settled; an assumed rate unless said. */
    funding: z
      .array(z.strictObject({ first: z.number(), stepMs: z.number(), rates: z.array(z.number().nullable()).readonly() }).nullable())
      .readonly()
      .optional(),
  }),
  z.strictObject({ source: z.literal('feed') }),
  z.strictObject({
    source: z.literal('venue'),
    /** `bybit`, or ccxt's id. */
    venue: z.string(),
    site: z.enum(['main', 'testnet', 'demo']),
    /** The venue's own number of the account. */
    account: z.string(),
    /** Number of the stage, from 0, and what all stages together are a part of: `capital` is what this one has of it. */
    stage: z.int(),
    wholeCapital: z.string(),
    /** No stop rests there: the engine holds each. */
    holdsStops: z.literal(true).optional(),
  }),
]);

/** Real orders on a venue of the world outside. */
export type VenueMarket = Extract<z.infer<typeof marketSchema>, { readonly source: 'venue' }>;

/** The embedded market. */
export type SyntheticRecipe = Extract<z.infer<typeof marketSchema>, { readonly source: 'synthetic' }>;

export const recipeSchema = z.strictObject({
  kind: z.enum(['backtest', 'paper', 'live']),
  config: configSchema,
  instruments: z.array(instrumentSchema).min(1),
  baseTimeframeMs: z.number(),
  timeframeMs: z.number(),
  strategies: z.array(strategyUseSchema).min(1),
  capital: z.string(),
  noRisk: z.boolean(),
  allowSpotShort: z.boolean(),
  seed: z.number(),
  market: marketSchema,
  mindFailure: z.enum(['stop', 'suspend']),
});

export type Recipe = Readonly<Omit<z.infer<typeof recipeSchema>, 'config'>> & { readonly config: Config };

export function writeInstrument(instrument: Instrument): Recipe['instruments'][number] {
  const { tick, lot, minimumQuantity, minimumNotional } = instrument;
  return {
    ...instrument,
    tick: format(tick),
    lot: format(lot),
    minimumQuantity: format(minimumQuantity),
    minimumNotional: format(minimumNotional),
  };
}

export function readInstrument(written: Recipe['instruments'][number]): Instrument {
  return {
    ...written,
    tick: price(written.tick),
    lot: quantity(written.lot),
    minimumQuantity: quantity(written.minimumQuantity),
    minimumNotional: amount(written.minimumNotional),
  };
}

/** Of everything but where the process runs and how fast the market passes. */
export function recipeHash(recipe: Recipe): string {
  const { config, ...rest } = recipe;
  return configHash({ ...rest, ...resultSettings(config) });
}

/** Finds a strategy, checks its parameters and writes both down. @throws BallastError exitCode 2 */
export async function writeStrategy(use: Omit<RecipeStrategy, 'digest'>, home: string): Promise<RecipeStrategy> {
  const { strategy, path, digest } = await strategyNamed(use.strategy, home);
  return {
    ...use,
    strategy: path ?? strategy.name,
    parameters: parseParameters(strategy, use.parameters),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Builds the plan that a recipe describes; a user's strategy is loaded from its file again. @throws BallastError STRATEGY_CHANGED */
export async function planOf(recipe: Recipe, home: string): Promise<RunPlan> {
  const strategies: PlannedStrategy[] = [];
  for (const { strategy: name, digest, parameters, ...use } of recipe.strategies) {
    const named = await strategyNamed(name, home);
    if (named.digest !== digest) {
      throw new BallastError({
        code: 'STRATEGY_CHANGED',
        place: name,
        found: `a file with digest ${named.digest ?? 'none'}`,
        expected: digest ?? 'a built-in strategy',
        remedy: 'the run was made with another text of it: restore that, or start a new run',
      });
    }
    strategies.push({ strategy: named.strategy, parameters: parseParameters(named.strategy, parameters), ...use });
  }
  return assemblePlan({
    config: recipe.config,
    instruments: recipe.instruments.map(readInstrument),
    baseTimeframeMs: recipe.baseTimeframeMs,
    timeframeMs: recipe.timeframeMs,
    strategies,
    capital: amount(recipe.capital),
    noRisk: recipe.noRisk,
    allowSpotShort: recipe.allowSpotShort,
    mindFailure: recipe.mindFailure,
    holdsStops: recipe.market.source === 'venue' && recipe.market.holdsStops === true,
  });
}

/** A recipe over history from as many bars before its range on as its strategies want, and its plan. `none` starts cold. */
export async function withWarmup(draft: Recipe, warmup: 'auto' | 'none', home: string): Promise<{ recipe: Recipe; plan: RunPlan }> {
  const plan = await planOf(draft, home);
  const { market } = draft;
  if (market.source !== 'history') throw new Error('broken invariant: a feed and a synthetic market have their own beginning');
  const warmupMs = warmup === 'none' ? 0 : warmupBars(plan) * draft.baseTimeframeMs;
  return { recipe: { ...draft, market: { ...market, warmupFrom: market.from - warmupMs } }, plan };
}

/** The same recipe with other parameters of its only strategy, warmed up as these want. @throws BallastError PARAMETERS_INVALID */
export async function withParameters(
  draft: Recipe,
  parameters: unknown,
  warmup: 'auto' | 'none',
  home: string,
): Promise<{ recipe: Recipe; plan: RunPlan }> {
  const [only, ...others] = draft.strategies;
  if (only === undefined || others.length > 0) throw new Error('broken invariant: a sweep is of one strategy');
  const { strategy } = await strategyNamed(only.strategy, home);
  return withWarmup({ ...draft, strategies: [{ ...only, parameters: parseParameters(strategy, parameters) }] }, warmup, home);
}

/** What is assumed of an instrument whose venue was not asked: common fees, and no filters. */
export function unfilteredInstrument(venue: string, symbol: string, place: string): Instrument {
  const parts = parseSymbol(symbol, place);
  const isLinear = parts.kind === 'linear';
  return {
    venue,
    symbol,
    ...parts,
    tick: price('0'),
    lot: quantity('0'),
    minimumQuantity: quantity('0'),
    minimumNotional: amount('0'),
    takerFeeRate: isLinear ? 0.0006 : 0.001,
    makerFeeRate: isLinear ? 0.0002 : 0.001,
    fundingRate: isLinear ? 0.0001 : 0,
    fundingIntervalMs: isLinear ? 28_800_000 : 0,
  };
}
