// A backtest over columns in memory: the recipe, the plan, the parts and the loop of `ballast backtest`, step by step as `runBacktest` has
// them, with arrays where the command reads its store. Journal and tape are written to a folder of their own.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultConfig, type Config } from '../src/app/config.ts';
import { planOf, recipeHash, unfilteredInstrument, writeInstrument, writeStrategy, type Recipe } from '../src/app/recipe.ts';
import { createRun, newRunId, setRunStatus } from '../src/app/runs.ts';
import { openParts, type SessionParts } from '../src/app/session-parts.ts';
import type { BarColumns } from '../src/domain/bars.ts';
import type { RunOutcome } from '../src/domain/entry.ts';
import { MINUTE_MS, type TimeMs } from '../src/domain/time.ts';
import type { RunPlan } from '../src/engine/plan.ts';
import { run } from '../src/engine/run.ts';
import { SimulatedClock } from '../src/engine/simulated-clock.ts';
import { BarSource } from '../src/market/bar-source.ts';
import { WALK_START } from './walk.ts';

export const STRATEGY_FILE = join(import.meta.dirname, 'strategies/two-means.ts');
export const CAPITAL = 100_000;

export interface BacktestCase {
  readonly fast: number;
  readonly slow: number;
  readonly instruments: number;
  /** Of the bars that the strategy looks at; the market's are minutes. */
  readonly timeframeMs?: TimeMs;
  /** As of `--fee` and `--slippage`; the config's unless said. */
  readonly feeRate?: number;
  readonly slippageRatio?: number;
  /** All rules are there and none of them binds: what a plain loop can follow. */
  readonly isUnbound?: boolean;
}

export interface BacktestOutcome {
  readonly equity: number;
  readonly fills: number;
  /** Words to the venue about orders that begin or move: new ones, without the stops attached to them, and amendments. */
  readonly orders: number;
  readonly rows: number;
  readonly haltCause: string;
  readonly journalBytes: number;
  readonly tapeBytes: number;
}

/** What is the same for every run of a case. */
export interface PreparedBacktest {
  readonly home: string;
  readonly recipe: Recipe;
  readonly plan: RunPlan;
  readonly configHash: string;
}

/** A sleeve's weight when nothing binds: with the strategy's own stop it risks less than a trade may. */
export const UNBOUND_RATIO = 0.02;
const UNBOUND_STOP_RATIO = 0.9;

export function configOf({ feeRate, slippageRatio, isUnbound }: BacktestCase): Config {
  const config = defaultConfig();
  const venue = { ...config.venue, feeRate: feeRate ?? config.venue.feeRate, slippageRatio: slippageRatio ?? config.venue.slippageRatio };
  if (isUnbound !== true) return { ...config, venue };
  const antiKnife = { ...config.risk.antiKnife, percentB: -5 };
  return { ...config, venue, sizing: 'fixed', risk: { ...config.risk, fixedRatio: UNBOUND_RATIO, antiKnife } };
}

export async function prepareBacktest(subject: BacktestCase, bars: number): Promise<PreparedBacktest> {
  const { fast, slow, instruments, timeframeMs = MINUTE_MS, isUnbound } = subject;
  const home = mkdtempSync(join(tmpdir(), 'ballast-bench-'));
  const parameters = { fast, slow, ...(isUnbound === true ? { stopRatio: UNBOUND_STOP_RATIO } : {}) };
  const recipe: Recipe = {
    kind: 'backtest',
    config: configOf(subject),
    instruments: Array.from({ length: instruments }, (_, index) =>
      writeInstrument(unfilteredInstrument('bench', `B${index}/USDT:USDT`, 'bench')),
    ),
    baseTimeframeMs: MINUTE_MS,
    timeframeMs,
    strategies: [await writeStrategy({ strategy: STRATEGY_FILE, parameters }, home)],
    capital: String(CAPITAL),
    noRisk: false,
    allowSpotShort: false,
    seed: 1,
    market: { source: 'history', from: WALK_START, to: WALK_START + bars * MINUTE_MS, warmupFrom: WALK_START },
    mindFailure: 'stop',
  };
  return { home, recipe, plan: await planOf(recipe, home), configHash: recipeHash(recipe) };
}

export function removeHome({ home }: PreparedBacktest): void {
  rmSync(home, { recursive: true, force: true });
}

/** By instrument: chunks in order of time. */
export type Chunks = AsyncIterable<BarColumns> | Iterable<BarColumns>;

/** A run of a million bars leaves a hundred megabytes. */
export function removeRuns({ home }: PreparedBacktest): void {
  rmSync(join(home, 'runs'), { recursive: true, force: true });
}

/** From opening journal and tape to both closed. */
export async function runBacktest(
  { home, recipe, plan, configHash }: PreparedBacktest,
  chunks: readonly Chunks[],
): Promise<BacktestOutcome> {
  mkdirSync(home, { recursive: true });
  const folder = createRun(home, newRunId(home, 'backtest'), configHash, recipe);
  const parts = openParts({ folder, plan, recipe, configHash, durability: 'at-end', askTimeoutMs: 0 });
  const { engine, venue, ledger, journal, tape } = parts;
  try {
    const sources = chunks.map((each, instrument) => new BarSource({ instrument, timeframeMs: MINUTE_MS, from: WALK_START, chunks: each }));
    const cause = await run({
      engine,
      clock: new SimulatedClock(),
      sources: [venue, ...sources.map((source) => venue.watching(source))],
    });
    record(parts, cause);
    tape.close();
    journal.close();
    setRunStatus(folder, 'finished');
    return {
      equity: engine.portfolio.equity,
      fills: ledger.fillCount,
      orders: ledger.count('order.intended') + ledger.count('amend.intended'),
      rows: journal.rowCount,
      haltCause: engine.haltCause,
      journalBytes: statSync(journal.path).size,
      tapeBytes: bytesBelow(tape.directory),
    };
  } finally {
    tape.close();
    journal.close();
  }
}

function record({ engine, recorder, configHash }: SessionParts, cause: RunOutcome): void {
  const { portfolio, at } = engine;
  const end = {
    kind: 'run.ended',
    at,
    cause,
    stateHash: engine.stateHash(configHash),
    equity: portfolio.equity,
    cash: portfolio.totalCash(),
  } as const;
  recorder.entry(end, engine.sequence);
}

export function bytesBelow(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}
