// What a finished run has to be told of beyond its own figures: its parameters, its bars, and the histories that it might have had.
import { isZero, toNumber } from '../domain/decimal.ts';
import { DAY_MS, type TimeMs } from '../domain/time.ts';
import type { BarColumns } from '../domain/bars.ts';
import { fillFacts, type FillFacts } from '../lab/validate/fill-facts.ts';
import { Random } from '../quant/random.ts';
import { stationaryBootstrap } from '../quant/resampling.ts';
import { monteCarlo, pathOf } from '../lab/validate/monte-carlo.ts';
import { dailyReturns } from '../views/daily.ts';
import type { EquityRecorder } from '../views/equity.ts';
import { MINIMUM_RETURNS, roundTrips } from '../views/metrics.ts';
import { counted, percent } from '../domain/words.ts';
import { money } from '../views/text.ts';
import type { TradeLedger } from '../views/trades.ts';
import { keptTogether } from './monte-carlo.ts';
import type { Recipe } from './recipe.ts';

/** Closed trades for each parameter below which the parameters know more than the data: ten, as for the coefficients of a regression. */
export const TRADES_A_PARAMETER = 10;
/** Part of all orders from which on their refusals are told. */
const REFUSED_SHARE = 0.05;
/** Part of a bar's volume beyond which a fill would have moved its price. */
export const CAPACITY_SHARE = 0.01;
/** As `ballast montecarlo` has by default, so that both say the same. */
const PATHS = 1_000;
const SEED = 1;

export interface FinishedRun {
  readonly recipe: Recipe;
  readonly ledger: TradeLedger;
  readonly equity: EquityRecorder;
  /** By instrument, in the order of time. */
  readonly bars: readonly (Iterable<BarColumns> | AsyncIterable<BarColumns>)[];
  readonly timeframeMs: TimeMs;
  readonly currency: string;
}

export async function runWarnings(run: FinishedRun): Promise<string[]> {
  const { recipe, ledger, timeframeMs, currency } = run;
  const refused = refusalWarning(ledger.count('order.rejected'), ledger.count('order.intended'));
  if (ledger.fillCount === 0) return refused;
  const { capital, basis, daily } = run.equity.summary();
  const facts = await factsOf(run);
  // What a book gave somebody gave, whatever the bars say.
  const isOnBooks = recipe.market.source === 'history' && recipe.market.books === true;
  const returns = timeframeMs <= DAY_MS ? dailyReturns(basis, daily) : new Float64Array();
  return [
    ...refused,
    ...assumptionWarnings(recipe, ledger),
    ...parameterWarning(parametersOf(recipe), roundTrips(ledger).length),
    ...fillWarnings(isOnBooks ? { ...facts, stale: 0 } : facts, { capital, currency }),
    ...drawdownWarning(returns),
  ];
}

/** What was asked for and was not had, and what nobody said and was taken for granted. */
export function assumptionWarnings(
  { config, noRisk, instruments, market }: Pick<Recipe, 'config' | 'noRisk' | 'instruments' | 'market'>,
  ledger: Pick<TradeLedger, 'rulingCounts' | 'funding'>,
): string[] {
  const clamped = [...ledger.rulingCounts()].filter(([, { clamps }]) => clamps > 0).map(([rule]) => rule);
  const funding = market.source === 'history' ? market.funding : undefined;
  const assumed = instruments.filter(({ kind }, index) => kind === 'linear' && (funding?.[index] ?? null) === null);
  const rates = new Set(assumed.map(({ fundingRate }) => percent(fundingRate)));
  return [
    ...(config.sizing === 'all-in' && !noRisk && clamped.length > 0
      ? [`all-in was not all in: the rules of risk cut it (${clamped.join(', ')}); --no-risk leaves them out`]
      : []),
    ...(isZero(ledger.funding) || assumed.length === 0
      ? []
      : [
          `funding of ${assumed.map(({ symbol }) => symbol).join(', ')} was paid at an assumed ${[...rates].join(', ')} at every boundary: no rates are stored`,
        ]),
  ];
}

export function factsOf({ ledger, bars, timeframeMs }: Pick<FinishedRun, 'ledger' | 'bars' | 'timeframeMs'>): Promise<FillFacts> {
  const fills = bars.map((): { at: TimeMs; quantity: number }[] => []);
  for (const { instrument, at, quantity } of ledger.fills()) fills[instrument]?.push({ at, quantity: toNumber(quantity) });
  return fillFacts(
    bars.map((each, instrument) => ({ bars: each, fills: fills[instrument] ?? [] })),
    timeframeMs,
  );
}

/** Numbers and switches of all strategies: what could have been set otherwise. */
export function parametersOf({ strategies }: Recipe): number {
  return strategies.reduce((count, { parameters }) => {
    if (typeof parameters !== 'object' || parameters === null) return count;
    return count + Object.values(parameters).filter((value) => typeof value === 'number' || typeof value === 'boolean').length;
  }, 0);
}

export function parameterWarning(parameters: number, trades: number): string[] {
  if (trades === 0 || parameters === 0 || trades >= TRADES_A_PARAMETER * parameters) return [];
  return [
    `too many parameters for the data: ${counted(parameters, 'parameter')} and ${counted(trades, 'closed trade')}, where it takes ${TRADES_A_PARAMETER} trades for each`,
  ];
}

/** A few come with stops that are too late; from some on what was traded is not what was decided. */
export function refusalWarning(refused: number, sent: number): string[] {
  if (refused === 0 || refused < REFUSED_SHARE * sent) return [];
  return [
    `refused orders: the venue refused ${counted(refused, 'order')} of ${sent.toLocaleString('en')}, so that what was decided is not what was traded; the journal has its reasons`,
  ];
}

export function fillWarnings(
  { fills, stale, largestVolumeShare, volumeShare95 }: FillFacts,
  { capital, currency }: { readonly capital: number; readonly currency: string },
): string[] {
  const words: string[] = [];
  if (stale > 0) {
    words.push(
      `stale fills: ${stale} of ${fills} were in bars without volume or after a hole in the bars, at a price that nobody may have given`,
    );
  }
  if (largestVolumeShare !== null && volumeShare95 !== null && largestVolumeShare > CAPACITY_SHARE) {
    const fits =
      volumeShare95 > CAPACITY_SHARE
        ? `; ${money((capital * CAPACITY_SHARE) / volumeShare95)} ${currency} would keep 95 % of the fills within that`
        : '';
    words.push(
      `capacity: the largest fill was ${percent(largestVolumeShare)} of its bar's volume, one in twenty ${percent(volumeShare95)} or more; beyond ${percent(CAPACITY_SHARE)} prices would have moved${fits}`,
    );
  }
  return words;
}

/** Beyond the band is a fall that the same returns in other blocks hardly have: losses came in longer rows than the blocks keep together. */
function drawdownWarning(returns: Float64Array): string[] {
  if (returns.length < MINIMUM_RETURNS) return [];
  const { maxDrawdown } = pathOf(returns);
  const { stationary } = keptTogether(returns);
  const { p95 } = monteCarlo(returns, PATHS, stationaryBootstrap(stationary, new Random(SEED).fork('stationary'))).maxDrawdown;
  if (maxDrawdown <= p95) return [];
  return [
    `drawdown beyond the Monte Carlo band: ${percent(maxDrawdown)} between the closes of days, where 95 % of ${PATHS.toLocaleString('en')} other histories of the same returns stay within ${percent(p95)}`,
  ];
}
