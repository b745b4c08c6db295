// From config, instruments and strategies to the plan of a run: who speaks where, and with what share of equity.
import type { Amount } from '../domain/decimal.ts';
import { BallastError } from '../domain/errors.ts';
import { isOnBars } from '../domain/feature.ts';
import { instrumentId, type Instrument } from '../domain/instrument.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import { forecaster, legRange, type Forecaster, type Strategy } from '../domain/strategy.ts';
import { formatSpan, type TimeMs } from '../domain/time.ts';
import { counted } from '../domain/words.ts';
import type { MindPlan, RunPlan } from '../engine/plan.ts';
import type { DeskSettings } from '../execution/desk.ts';
import { strategies as builtIn } from '../forecasts/strategies/index.ts';
import { warmupBars as longestWarmup } from '../features/board.ts';
import { realisedVolatility } from '../features/catalog.ts';
import { defaultRules } from '../risk/rules/default-rules.ts';
import type { SizingMethod } from '../risk/sizing.ts';
import type { Config, StrategyEntry } from './config-schema.ts';
import { parseParameters, strategyNamed } from './registry.ts';

/** A strategy and where it speaks. */
export interface PlannedStrategy {
  readonly strategy: Strategy<unknown>;
  /** As its schema gives them: see `parseParameters`. */
  readonly parameters: unknown;
  /** Symbols, or `venue:symbol` where two venues have the same; all instruments unless said. */
  readonly symbols?: readonly string[] | undefined;
  /** For a strategy with several legs: its subjects, pairs and baskets of symbols. All of `symbols` in one unless said. */
  readonly pairs?: readonly (readonly string[])[] | undefined;
  /** The run's decision timeframe unless said. */
  readonly timeframeMs?: TimeMs | undefined;
  /** In its sleeve's council; 1 unless said. */
  readonly weight?: number | undefined;
  /** Share of equity of each of its sleeves; what is not given out is divided equally among the others. */
  readonly shareRatio?: number | undefined;
  /** Strategies that name the same council share one sleeve for each subject. */
  readonly council?: string | undefined;
}

export interface PlanRequest {
  readonly config: Config;
  readonly instruments: readonly Instrument[];
  readonly baseTimeframeMs: TimeMs;
  /** Timeframe on which strategies decide; the base unless said. */
  readonly timeframeMs?: TimeMs | undefined;
  readonly strategies: readonly PlannedStrategy[];
  readonly capital: Amount;
  /**
   * Nothing that acts by itself: no gate rules, no stops but the strategies' own, no disaster stop, no order called back because its feed is
   * silent, and no forecast that lapses.
   */
  readonly noRisk?: boolean | undefined;
  /** The config's unless said. */
  readonly sizing?: SizingMethod | undefined;
  readonly allowSpotShort?: boolean | undefined;
  /** A strategy that breaks its contract stops the run, or is suspended after the config's strikes. `suspend` unless said. */
  readonly mindFailure?: RunPlan['mindFailure']['action'] | undefined;
  /** No stop rests at the venue: the engine holds each. */
  readonly holdsStops?: boolean | undefined;
}

/**
 * The plan of a run. Its instruments have the config's fee rate where there is one: hand `plan.instruments` to the venue, not the ones given.
 * @throws BallastError PLAN_IMPOSSIBLE when strategies, instruments, timeframes and shares do not fit together
 */
export function assemblePlan(request: PlanRequest): RunPlan {
  const {
    config,
    baseTimeframeMs,
    capital,
    noRisk = false,
    sizing = config.sizing,
    allowSpotShort = false,
    mindFailure = 'suspend',
    holdsStops = false,
  } = request;
  const instruments = request.instruments.map((instrument) => withFeeRate(instrument, config.venue.feeRate));
  const { sleeves, minds } = layOutSleeves(request, instruments);
  const isAllIn = sizing === 'all-in';
  const { mostFailedCloses, ...desk } = config.desk;
  if (isAllIn) demandOneSpotSleeve(sleeves, instruments, allowSpotShort);
  const { stanceStep, graceMs, opinionLifeBars } = config.decision;
  return {
    instruments,
    sleeves,
    minds,
    baseTimeframeMs,
    capital,
    policy: noRisk ? { ...config.risk, staleIntervals: Infinity } : config.risk,
    rules: noRisk
      ? []
      : defaultRules(
          config.risk,
          instruments.map(({ symbol }) => symbol),
        ),
    sizing,
    council: config.council,
    desk: {
      ...desk,
      ...(noRisk ? { disasterRatio: NaN, pairDisasterRatio: NaN } : { mostFailedCloses }),
      ...(isAllIn && { buysByBudget: true }),
      ...(holdsStops && { holdsStops: true }),
      ...executionOf(config, baseTimeframeMs, isAllIn),
    },
    expectedSlippageRatio: config.venue.slippageRatio,
    stanceStep,
    allowSpotShort,
    graceMs,
    opinionLifeBars: noRisk ? Infinity : opinionLifeBars,
    mindFailure: { action: mindFailure, strikes: config.minds.strikes },
  };
}

/** Nothing where everything goes out at the market. */
function executionOf({ execution }: Config, baseTimeframeMs: TimeMs, isAllIn: boolean): Pick<DeskSettings, 'execution'> {
  const { algorithm, horizonMs } = execution;
  if (algorithm === 'market') return {};
  if (isAllIn) throw impossible('execution.algorithm', algorithm, 'market with sizing all-in: a budget is spent where it fills');
  if ((algorithm === 'limit-first' || algorithm === 'iceberg') && horizonMs < baseTimeframeMs) {
    const expected = `at least ${formatSpan(baseTimeframeMs)}, a bar: only its close says whether a limit was reached`;
    throw impossible('execution.horizonMs', formatSpan(horizonMs), expected);
  }
  return { execution: { ...execution, algorithm } };
}

/** All of the cash can be had once, and a short has no price that cash could pay for. */
function demandOneSpotSleeve(sleeves: readonly Sleeve[], instruments: readonly Instrument[], allowSpotShort: boolean): void {
  const expected = 'one strategy on one spot symbol, long or flat: it spends all of the cash';
  if (sleeves.length !== 1) throw impossible('sizing all-in', `${sleeves.length} sleeves`, expected);
  const kind = instruments[sleeves[0]?.instruments[0] ?? 0]?.kind;
  if (kind !== 'spot' || sleeves[0]?.instruments.length !== 1) {
    throw impossible('sizing all-in', kind === 'spot' ? 'a pair' : 'a perpetual', expected);
  }
  if (allowSpotShort) throw impossible('sizing all-in', '--allow-spot-short', expected);
}

/** Entries of `paper.strategies` with their strategies loaded and their parameters checked. */
export async function plannedStrategies(entries: readonly StrategyEntry[], home: string): Promise<readonly PlannedStrategy[]> {
  const planned: PlannedStrategy[] = [];
  for (const { strategy: name, parameters, ...where } of entries) {
    const { strategy } = await strategyNamed(name, home);
    planned.push({ ...where, strategy, parameters: parseParameters(strategy, parameters) });
  }
  return planned;
}

/** The rules of risk look at this and at nothing that takes longer, on each instrument's decision timeframe. */
const LONGEST_RULE_FEATURE = realisedVolatility(100);

/** How many base bars before the first decision make every declared feature warm, those of the rules among them. */
export function warmupBars(plan: RunPlan): number {
  const needs: (readonly [{ readonly warmup: number }, TimeMs])[] = [];
  for (const { forecaster: asked, timeframeMs } of plan.minds) {
    if (plan.rules.length > 0) needs.push([LONGEST_RULE_FEATURE, timeframeMs]);
    // What lives on books and rates is warm after so many of those, whatever bars there were.
    for (const spec of Object.values(asked.features)) if (isOnBars(spec)) needs.push([spec, spec.timeframeMs ?? timeframeMs]);
  }
  return longestWarmup(needs, plan.baseTimeframeMs);
}

/** A sleeve while it is being put together. */
interface Draft {
  readonly name: string;
  readonly instruments: readonly number[];
  readonly sources: number[];
  shareRatio: number | undefined;
}

function layOutSleeves(request: PlanRequest, instruments: readonly Instrument[]): { sleeves: Sleeve[]; minds: MindPlan[] } {
  const { strategies, baseTimeframeMs, timeframeMs: decisionMs = baseTimeframeMs } = request;
  if (strategies.length === 0) throw impossible('strategies', 'none', 'at least one');
  const drafts: Draft[] = [];
  const councils = new Map<string, Draft>();
  const minds: MindPlan[] = [];
  for (const planned of strategies) {
    const { strategy, timeframeMs = decisionMs, weight = 1, shareRatio, council } = planned;
    const place = `strategy ${strategy.name}`;
    if (!(timeframeMs > 0) || timeframeMs % baseTimeframeMs !== 0) {
      throw impossible(
        `timeframe of ${place}`,
        formatSpan(timeframeMs),
        `a multiple of ${formatSpan(baseTimeframeMs)}, the bars that there are`,
      );
    }
    if (shareRatio !== undefined && !(shareRatio > 0 && shareRatio <= 1)) {
      throw impossible(`share of ${place}`, String(shareRatio), 'above 0 and at most 1');
    }
    for (const subject of subjectsOf(planned, instruments)) {
      const bound = bind(planned, subject.length);
      const symbols = subject.map((instrument) => nameOf(instruments, instrument)).join(' ');
      const key = `${council} ${subject.join(' ')}`;
      let draft = council === undefined ? undefined : councils.get(key);
      if (draft === undefined) {
        draft = {
          name: unusedName(`${council ?? strategy.name} ${symbols}`, drafts),
          instruments: subject,
          sources: [],
          shareRatio: undefined,
        };
        drafts.push(draft);
        if (council !== undefined) councils.set(key, draft);
      }
      if (shareRatio !== undefined && draft.shareRatio !== undefined && draft.shareRatio !== shareRatio) {
        throw impossible(`share of sleeve ${draft.name}`, `${draft.shareRatio} and ${shareRatio}`, 'one share for all that speak in it');
      }
      draft.shareRatio = shareRatio ?? draft.shareRatio;
      draft.sources.push(minds.length);
      minds.push({
        name: unusedName(`${strategy.name} ${symbols}`, minds),
        forecaster: bound,
        sleeve: drafts.indexOf(draft),
        timeframeMs,
        weight,
        // Ours answer in time; a user's own is guarded, whatever its name.
        isTrusted: builtIn.includes(strategy),
      });
    }
  }
  return { sleeves: withShares(drafts), minds };
}

/** What is not given out is divided equally; together they are never more than all of equity. */
function withShares(drafts: readonly Draft[]): Sleeve[] {
  const given = drafts.reduce((sum, { shareRatio }) => sum + (shareRatio ?? 0), 0);
  const unnamed = drafts.filter(({ shareRatio }) => shareRatio === undefined).length;
  // Three tenths and seven tenths are a little more than one to a double.
  if (given > 1 + 1e-9) throw impossible('shares of the sleeves', `${given} in all`, 'at most 1');
  const rest = Math.max(0, 1 - given) / unnamed;
  if (unnamed > 0 && rest < 1e-9) {
    throw impossible('shares of the sleeves', `nothing left for ${unnamed} of ${drafts.length}`, 'less than 1 in all, or a share for each');
  }
  return drafts.map(({ name, instruments, sources, shareRatio }) => ({ name, shareRatio: shareRatio ?? rest, instruments, sources }));
}

function bind({ strategy, parameters }: PlannedStrategy, legs: number): Forecaster {
  try {
    return forecaster(strategy, parameters, legs);
  } catch (cause) {
    const found =
      cause instanceof BallastError
        ? cause.message
        : `an exception from features: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw impossible(`strategy ${strategy.name}`, found, 'features that can be made from its parameters', cause);
  }
}

/** By sleeve: the indexes of its legs' instruments. */
function subjectsOf({ strategy, symbols, pairs }: PlannedStrategy, instruments: readonly Instrument[]): readonly (readonly number[])[] {
  const place = `strategy ${strategy.name}`;
  const { least, most } = legRange(strategy);
  const all = instruments.map((_, instrument) => nameOf(instruments, instrument));
  if (most === 1) {
    if (pairs !== undefined) throw impossible(place, 'pairs of symbols', 'symbols: it looks at one instrument');
    return once(symbols ?? all, place).map((symbol) => [indexOf(symbol, instruments, place)]);
  }
  const subjects = pairs ?? [symbols ?? all];
  once(
    subjects.map((subject) => subject.join(' ')),
    place,
  );
  const odd = subjects.find(({ length }) => length < least || length > most);
  if (odd !== undefined) {
    const expected = `${least === most ? least : `${least} to ${most}`}, its legs, or pairs that name them`;
    throw impossible(place, counted(odd.length, 'symbol'), expected);
  }
  return subjects.map((subject) => once(subject, place).map((symbol) => indexOf(symbol, instruments, place)));
}

function once(names: readonly string[], place: string): readonly string[] {
  const twice = names.find((name, position) => names.indexOf(name) !== position);
  if (twice !== undefined) throw impossible(place, `${twice} twice`, 'each once');
  return names;
}

function indexOf(symbol: string, instruments: readonly Instrument[], place: string): number {
  const matches = instruments.flatMap((instrument, index) =>
    instrument.symbol === symbol || instrumentId(instrument) === symbol ? [index] : [],
  );
  const [index, another] = matches;
  if (index !== undefined && another === undefined) return index;
  const names = instruments.map((_, each) => nameOf(instruments, each)).join(', ');
  throw impossible(place, index === undefined ? `symbol ${symbol}` : `symbol ${symbol} of ${matches.length} venues`, `one of ${names}`);
}

/** The symbol, with its venue where two venues have it. */
function nameOf(instruments: readonly Instrument[], index: number): string {
  const instrument = instruments[index];
  if (instrument === undefined) return '';
  const isUnique = instruments.every((each, position) => position === index || each.symbol !== instrument.symbol);
  return isUnique ? instrument.symbol : instrumentId(instrument);
}

/** `trend BTC/USDT:USDT`; the same strategy a second time is `trend BTC/USDT:USDT #2`. */
function unusedName(name: string, taken: readonly { readonly name: string }[]): string {
  let unused = name;
  for (let count = 2; taken.some((each) => each.name === unused); count++) unused = `${name} #${count}`;
  return unused;
}

function withFeeRate(instrument: Instrument, feeRate: number | null): Instrument {
  return feeRate === null ? instrument : { ...instrument, takerFeeRate: feeRate, makerFeeRate: feeRate };
}

function impossible(place: string, found: string, expected: string, cause?: unknown): BallastError {
  return new BallastError({ code: 'PLAN_IMPOSSIBLE', place, found, expected, cause, exitCode: 2 });
}
