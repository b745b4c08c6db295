// All that was asked of a run, as one answer in plain words. Nothing here computes: it only says what the figures come to.
import { counted, percent } from '../../domain/words.ts';
import { plain } from '../../views/text.ts';
import type { CostPoint } from './cost-sensitivity.ts';
import type { ParameterSurface } from './parameter-surface.ts';
import type { RandomEntry } from './random-entry.ts';
import type { Regime } from './regimes.ts';

/** From this probability on something is believed. */
export const CONFIDENCE = 0.95;
/** Fees may rise by half before an edge has no margin left: venues change theirs, and fills are worse than a bar says. */
const COST_MARGIN = 1.5;
/** Of the neighbours of good parameters so many should be good as well. */
const PLATEAU_SHARE = 0.8;
/** What of the best parameters' Sharpe ratio their neighbours should have. */
const PLATEAU_RATIO = 0.5;
/** Of the halves of history in which neighbours were chosen. */
const MOST_LOST_CHOICES = 0.25;
const LEAST_TRADES = 30;

/** What one test says. Null where it could not be made. */
export interface TestOutcome {
  readonly name: string;
  readonly passes: boolean | null;
  readonly words: string;
}

export interface ValidationVerdict {
  /**
   * `nothing`: it never traded. `no-edge`: it lost after costs. `luck`: it gained, and nothing tells that from luck. `fragile`: it is
   * unlikely to be luck, and something else would take it away. `stands`: no test speaks against it.
   */
  readonly kind: 'nothing' | 'no-edge' | 'luck' | 'fragile' | 'stands';
  readonly headline: string;
  /** What lies behind it, the most important first. */
  readonly because: readonly string[];
  readonly tests: readonly TestOutcome[];
}

export interface VerdictFacts {
  readonly metrics: {
    readonly totalReturn: number;
    readonly maxDrawdown: number;
    readonly trades: number;
    readonly orders: number;
    readonly expectancy: number | null;
    readonly bestTrade: number | null;
    readonly buyAndHoldReturn: number | null;
  };
  readonly years: number;
  readonly returns: number;
  readonly trials: { readonly count: number };
  readonly annualSharpe: number | null;
  readonly deflatedSharpe: { readonly probability: number } | null;
  readonly minimumTrackRecord: number | null;
  readonly minimumBacktestYears: number;
  readonly monteCarlo: { readonly gate: { readonly drawdown95: number; readonly limit: number; readonly passes: boolean } };
  readonly rerun: {
    readonly randomEntry: RandomEntry | null;
    readonly costs: {
      readonly feeRate: number;
      readonly points: readonly CostPoint[];
      readonly breakEvenFeeRate: number | null;
      readonly freeReturn: number;
    };
    readonly lag: readonly { readonly lagBars: number; readonly totalReturn: number; readonly sharpe: number | null }[];
    readonly parameters: {
      readonly surface: ParameterSurface;
      readonly overfitting: { readonly probability: number; readonly lossProbability: number } | null;
      readonly superiorAbility: number | null;
    } | null;
    readonly regimes: readonly Regime[];
    readonly warnings: readonly string[];
  } | null;
  readonly notRerun: string | null;
}

export function verdictOf(facts: VerdictFacts): ValidationVerdict {
  const { metrics } = facts;
  const tests = [...luckTests(facts), ...rerunTests(facts)];
  const holding = holdingWords(metrics);
  if (metrics.orders === 0) return { kind: 'nothing', headline: 'Nothing to judge: it never traded.', because: [], tests: [] };
  const net = (metrics.expectancy ?? 0) * metrics.trades;
  if (metrics.totalReturn <= 0 || (metrics.trades > 0 && net <= 0)) {
    return { kind: 'no-edge', headline: 'No edge after costs.', because: [lossWords(facts), ...holding, ...regimeWords(facts)], tests };
  }
  const failed = tests.filter((each) => each.passes === false);
  const lucky = failed.filter(({ name }) => LUCK.includes(name));
  if (lucky.length > 0) {
    return {
      kind: 'luck',
      headline: 'No edge after costs that can be told from luck.',
      because: [
        `it made ${percent(metrics.totalReturn)} after costs, but:`,
        ...lucky.map(({ words }) => words),
        ...othersOf(failed, lucky),
        ...holding,
        ...regimeWords(facts),
      ],
      tests,
    };
  }
  if (failed.length > 0) {
    return {
      kind: 'fragile',
      headline: `It made money that luck does not explain, and ${counted(failed.length, 'test')} would take it away.`,
      because: [...failed.map(({ words }) => words), ...holding, ...regimeWords(facts)],
      tests,
    };
  }
  const made = tests.filter((each) => each.passes === true).length;
  const open = tests.length - made;
  return {
    kind: 'stands',
    headline: `Nothing here speaks against an edge after costs: it passes ${open === 0 ? `all ${made} tests` : `the ${made} tests that could be made; ${open} could not`}.`,
    because: [
      'all of it is in sample, on these parameters: ballast walkforward and a paper session are the next tests',
      ...holding,
      ...regimeWords(facts),
    ],
    tests,
  };
}

/** What many verdicts come to. */
export function summaryOf(verdicts: readonly Pick<ValidationVerdict, 'kind'>[]): string[] {
  const of = (kind: ValidationVerdict['kind']): number => verdicts.filter((verdict) => verdict.kind === kind).length;
  const [lost, lucky, fragile, standing, idle] = [of('no-edge'), of('luck'), of('fragile'), of('stands'), of('nothing')];
  const counts = [
    `${lost} of ${counted(verdicts.length, 'run')} lost after costs`,
    `${lucky} gained by no more than luck explains`,
    `${fragile} by more, but not through every test`,
    `nothing speaks against ${standing}`,
    ...(idle > 0 ? [`${idle} never traded`] : []),
  ].join(', ');
  const judged = verdicts.length - idle;
  if (judged === 0) return [`${counts}.`];
  const without = lost + lucky;
  return [
    `${counts}.`,
    without === judged
      ? 'None of them has an edge after costs that these figures can show.'
      : 2 * without > judged
        ? 'Most of them have no edge after costs that these figures can show.'
        : `${without} of ${judged} have no edge after costs that these figures can show.`,
  ];
}

const DEFLATED = 'deflated Sharpe ratio';
const RANDOM = 'random entries';
const RECORD = 'track record';
const TRADES = 'number of trades';
const CHOICE = 'best of its neighbours';
/** Failing one of these, a gain may be chance alone. */
const LUCK: readonly string[] = [DEFLATED, RANDOM, RECORD, TRADES, CHOICE];

function luckTests({
  metrics,
  trials,
  deflatedSharpe,
  minimumTrackRecord,
  minimumBacktestYears,
  returns,
  years,
  monteCarlo,
}: VerdictFacts): TestOutcome[] {
  const count = Math.max(1, trials.count);
  const { drawdown95, limit, passes } = monteCarlo.gate;
  const net = (metrics.expectancy ?? 0) * metrics.trades;
  return [
    {
      name: TRADES,
      passes: metrics.trades >= LEAST_TRADES,
      words: `${counted(metrics.trades, 'closed trade')}, where fewer than ${LEAST_TRADES} say little`,
    },
    {
      name: DEFLATED,
      passes: deflatedSharpe === null ? null : deflatedSharpe.probability >= CONFIDENCE,
      words:
        deflatedSharpe === null
          ? 'the returns do not vary'
          : `the probability that its Sharpe ratio is above that of the best of ${counted(count, 'worthless trial')} is ${percent(deflatedSharpe.probability)}, where 95 % is asked`,
    },
    {
      name: RECORD,
      passes: minimumTrackRecord !== null && returns >= minimumTrackRecord,
      words:
        minimumTrackRecord === null
          ? 'no track record would be long enough: the Sharpe ratio is not above 0'
          : `a track record of ${counted(returns, 'return')}, where a Sharpe ratio like this one needs ${Math.ceil(minimumTrackRecord)}`,
    },
    {
      name: 'length of the data',
      passes: years >= minimumBacktestYears,
      words: `${plain(years)} years of data for ${counted(count, 'trial')}, which need ${plain(minimumBacktestYears)}`,
    },
    {
      name: 'without the best trade',
      passes: metrics.bestTrade === null || metrics.trades < 2 || net <= 0 ? null : metrics.bestTrade < net,
      words:
        metrics.bestTrade !== null && metrics.bestTrade < net
          ? `the best trade made ${percent(metrics.bestTrade / net)} of the profit`
          : 'one trade makes the profit: without it the closed trades lose',
    },
    {
      name: 'Monte Carlo drawdown',
      passes,
      words: `95 % of other histories of its returns stay within a drawdown of ${percent(drawdown95)}, where ${percent(limit)} is the limit`,
    },
  ];
}

function rerunTests({ rerun }: VerdictFacts): TestOutcome[] {
  if (rerun === null) return [];
  const { randomEntry, costs, lag, parameters } = rerun;
  const late = lag.find((point) => point.lagBars === 1);
  const own = lag.find((point) => point.lagBars === 0);
  return [
    {
      name: RANDOM,
      passes: randomEntry === null ? null : randomEntry.pValue <= 1 - CONFIDENCE,
      words:
        randomEntry === null
          ? 'there is no room to enter elsewhere'
          : `a trade made ${percent(randomEntry.observed)}, trades entered at random and held as long ${percent(randomEntry.randomMean)}, and ${percent(randomEntry.pValue)} of such sets did as well, where at most 5 % may`,
    },
    {
      name: 'margin for costs',
      passes: costs.breakEvenFeeRate === null || costs.breakEvenFeeRate >= COST_MARGIN * costs.feeRate,
      words:
        costs.breakEvenFeeRate === null
          ? `the account grows at every fee up to ${percent(costs.points.at(-1)?.feeRate ?? 0)}`
          : `the edge dies at a fee of ${percent(costs.breakEvenFeeRate)} a fill; it paid ${percent(costs.feeRate)}`,
    },
    {
      name: 'one bar late',
      passes: late === undefined ? null : late.totalReturn > 0,
      words:
        late === undefined || own === undefined
          ? 'not tried'
          : `told of every bar one bar late it makes ${percent(late.totalReturn)} instead of ${percent(own.totalReturn)}`,
    },
    ...parameterTests(parameters),
  ];
}

function parameterTests(parameters: NonNullable<VerdictFacts['rerun']>['parameters']): TestOutcome[] {
  if (parameters === null) return [];
  const { surface, superiorAbility, overfitting } = parameters;
  const own = surface.cells[0];
  const isLevel =
    own?.value !== null && own !== undefined && own.neighbourMedian !== null && own.neighbourMedian >= PLATEAU_RATIO * own.value;
  return [
    {
      name: 'neighbouring parameters',
      passes: surface.cells.length < 3 ? null : surface.positiveShare >= PLATEAU_SHARE && isLevel,
      words: `${percent(surface.positiveShare)} of ${counted(surface.cells.length, 'run')} of neighbouring parameters have a Sharpe ratio above 0, the next ones ${own?.neighbourMedian === null || own === undefined ? 'none that can be said' : `${plain(own.neighbourMedian)} in the middle`} where it has ${own?.value === null || own === undefined ? 'none' : plain(own.value)}`,
    },
    {
      name: CHOICE,
      passes: superiorAbility === null ? null : superiorAbility <= 1 - CONFIDENCE,
      words:
        superiorAbility === null
          ? 'the neighbours do not differ'
          : `the best of these runs beats cash by as much with a probability of ${percent(superiorAbility)} if none of them has an edge (SPA), where at most 5 % may`,
    },
    {
      name: 'choosing parameters',
      passes: overfitting === null ? null : overfitting.lossProbability < MOST_LOST_CHOICES,
      words:
        overfitting === null
          ? 'the neighbours do not differ'
          : `chosen on one half of history, the best of these runs lost in the other in ${percent(overfitting.lossProbability)} of the cases, where less than ${percent(MOST_LOST_CHOICES)} is asked, and was in its worse half in ${percent(overfitting.probability)} (PBO: 50 % is no choice at all, as among near copies)`,
    },
  ];
}

function othersOf(failed: readonly TestOutcome[], said: readonly TestOutcome[]): string[] {
  const others = failed.filter((each) => !said.includes(each));
  return others.length === 0 ? [] : ['and beyond luck:', ...others.map(({ words }) => words)];
}

function lossWords({ metrics, rerun }: VerdictFacts): string {
  const lost =
    metrics.totalReturn <= 0
      ? `the account returned ${percent(metrics.totalReturn)}`
      : 'the closed trades lost, and what is still open makes the gain';
  if (rerun === null) return lost;
  const { freeReturn } = rerun.costs;
  return freeReturn > 0
    ? `${lost}; without fees and slippage it would have made ${percent(freeReturn)}: costs are more than the edge`
    : `${lost}, and without fees and slippage it would have returned ${percent(freeReturn)}: there was none to begin with`;
}

function holdingWords({ totalReturn, maxDrawdown, buyAndHoldReturn }: VerdictFacts['metrics']): string[] {
  if (buyAndHoldReturn === null) return [];
  const side = totalReturn >= buyAndHoldReturn ? 'more' : 'less';
  return [
    `buying and holding returned ${percent(buyAndHoldReturn)}: this made ${side}, ${percent(totalReturn)}, with a drawdown of ${percent(maxDrawdown)}`,
  ];
}

function regimeWords({ rerun }: VerdictFacts): string[] {
  const known = (rerun?.regimes ?? []).filter((regime) => regime.name !== 'not known yet');
  const [best] = known.toSorted((one, other) => other.returnRatio - one.returnRatio);
  const won = known.filter((regime) => regime.returnRatio > 0);
  if (best === undefined || won.length === known.length) return [];
  if (won.length === 0) return [`it lost in each of the ${known.length} kinds of market`];
  return [
    `it gained in ${won.length} of ${known.length} kinds of market only, most where the market was ${best.name}: ${percent(best.returnRatio)} in ${counted(best.days, 'day')}`,
  ];
}
