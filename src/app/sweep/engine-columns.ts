// Columns by the engine itself: any strategy, with the rules, sizes and fills of `ballast backtest`.
import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { Constraint } from '../../lab/sweep/grid.ts';
import type { BarStore } from '../../market/history/store.ts';
import { fillRows } from '../../views/report.ts';
import { draftRecipe } from '../backtest.ts';
import type { Config } from '../config.ts';
import { recipeHash, withParameters } from '../recipe.ts';
import { parseParameters, strategyNamed, type NamedStrategy } from '../registry.ts';
import { describeSchema, issuesOf } from '../schema-findings.ts';
import { runEngineColumn } from './engine-column.ts';
import { EnginePool } from './engine-pool.ts';
import { rangeEmpty, type PreparedSweep, type SweepOrder } from './prepared.ts';

/** @throws BallastError STRATEGY_UNKNOWN and its like, ARGUMENT_INVALID, RANGE_EMPTY, SERIES_UNKNOWN, VENUE_AMBIGUOUS, PLAN_IMPOSSIBLE */
export async function engineColumns(order: SweepOrder, config: Config, store: BarStore): Promise<PreparedSweep> {
  const { home, symbols, timeframeMs, workers, warmup = 'auto', drawdownLimit = Infinity } = order;
  const named = await strategyNamed(order.strategy, home);
  const venues = symbols.map((symbol) => store.resolve({ symbol, venue: order.venue, timeframeMs }));
  const { strategy, path, digest } = named;
  // Every column brings its own parameters.
  const use = { strategy: path ?? strategy.name, parameters: {}, ...(digest === undefined ? {} : { digest }) };
  const recipe = await draftRecipe(order, config, store, venues, use);
  if (recipe.market.source !== 'history') throw new Error('broken invariant: a sweep runs on history');
  const { from, to } = recipe.market;
  // What a column warms up with depends on its parameters, and a search has not found these yet: all bars before the range are at hand.
  const fromMs = warmup === 'none' ? from : undefined;
  const bars = await Promise.all(
    symbols.map((symbol, index) => store.load({ venue: venues[index] ?? '', symbol, timeframeMs, fromMs, toMs: to })),
  );
  const [first] = bars;
  const count = first?.openAt.reduce((total, at) => total + Number(at >= from), 0) ?? 0;
  if (count === 0) throw rangeEmpty({ symbol: symbols.join(', '), timeframeMs, fromMs: from, toMs: to });
  return {
    subject: {
      strategy: strategy.name,
      path: 'engine',
      venue: [...new Set(venues)].join(', '),
      symbols,
      timeframe: formatSpan(timeframeMs),
      from: formatTime(from),
      to: formatTime(to),
      bars: count,
      account: {
        capital: Number(recipe.capital),
        feeRates: recipe.instruments.map(({ takerFeeRate }) => config.venue.feeRate ?? takerFeeRate),
        slippageRatio: recipe.config.venue.slippageRatio,
        stopSlippageRatio: recipe.config.venue.stopSlippageRatio,
        fill: recipe.config.venue.fill,
        sizing: recipe.config.sizing,
        noRisk: recipe.noRisk,
        warmup,
        seed: recipe.seed,
        allowSpotShort: recipe.allowSpotShort,
      },
    },
    series: recipe.instruments.map(({ venue, symbol }) => `${venue}:${symbol}`),
    identity: { path: 'engine', recipe: recipeHash(recipe), warmup },
    columns: bars.flatMap(({ openAt, open, high, low, close, volume }) => [openAt, open, high, low, close, volume]),
    constraint: constraintOf(named),
    fields: describeSchema(strategy.parameters)?.properties ?? {},
    pool: () => new EnginePool(workers, { home, recipe, warmup, bars, drawdownLimit }),
    async fillsOf(params) {
      const column = await withParameters(recipe, params, warmup, home);
      const ran = await runEngineColumn({ ...column, bars, drawdownLimit: Infinity, isStopping: () => order.signal.aborted });
      order.signal.throwIfAborted();
      return ran === undefined ? [] : fillRows(ran.ledger);
    },
    // The one that a backtest with the same parameters has: run both ways, it is one trial.
    trialId: async (params) => recipeHash((await withParameters(recipe, params, warmup, home)).recipe),
  };
}

/** What of a schema are rules between parameters: a grid leaves out what breaks them, and anything else that is wrong is an error. */
function constraintOf({ strategy }: NamedStrategy): Constraint {
  return {
    constraint: `what the rules between the parameters of ${strategy.name} allow`,
    meets(point) {
      try {
        parseParameters(strategy, point);
        return true;
      } catch (error) {
        const issues = error instanceof BallastError ? issuesOf(error.cause) : undefined;
        if (issues !== undefined && issues.length > 0 && issues.every(({ code }) => code === 'custom')) return false;
        throw error;
      }
    },
  };
}
