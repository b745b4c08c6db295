// Two runs side by side: both recordings read again, aligned and explained.
import { ByteReader } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import { formatTime } from '../domain/time.ts';
import type { Pair } from '../lab/compare/align.ts';
import type { Cause, Finding } from '../lab/compare/cause.ts';
import { commonPeriod, compareRuns, type Comparison } from '../lab/compare/compare.ts';
import { readRun, type Execution, type RunRecord } from '../lab/compare/run-record.ts';
import { Journal } from '../journal/journal.ts';
import { readRecording } from '../journal/recording.ts';
import { TapeReader } from '../journal/tape.ts';
import { resultSettings } from './config.ts';
import { readInstrument } from './recipe.ts';
import { believedEnd } from './recovery.ts';
import { upTo } from './replay.ts';
import { journalPath, runNamed, tapePath, type RunFolder } from './runs.ts';

export interface ComparedRun {
  readonly runId: string;
  readonly kind: string;
  readonly from: string;
  readonly to: string;
  /** Orders that were sent or filled, in all of the run. */
  readonly orders: number;
  readonly crossings: number;
}

/** One order as a document has it: times as texts, and null where there was no fill. */
export interface ComparedOrder {
  readonly order: string;
  readonly sentAt: string;
  readonly quantity: number;
  readonly filled: number;
  readonly price: number | null;
  readonly fee: number;
  readonly filledAt: string | null;
  readonly refusal: string;
}

export interface ComparedDifference {
  readonly at: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
  readonly role: Execution['role'];
  readonly cause: Cause;
  /** All causes with their words, the weightiest first. */
  readonly findings: readonly Finding[];
  readonly agreement: number;
  /** In quote currency: what the second run has more by price and fee on what both filled. */
  readonly money: number;
  readonly a: ComparedOrder | null;
  readonly b: ComparedOrder | null;
}

export interface RunComparison extends Pick<Comparison, 'parity' | 'same' | 'onlyA' | 'onlyB' | 'causes' | 'outside'> {
  readonly a: ComparedRun;
  readonly b: ComparedRun;
  /** The period that both have. */
  readonly from: string;
  readonly to: string;
  /** Settings that determine results and differ, by their path in the recipe. */
  readonly settings: readonly { readonly field: string; readonly a: unknown; readonly b: unknown }[];
  readonly differences: readonly ComparedDifference[];
}

/** @throws BallastError RUN_UNKNOWN, RUNS_APART, JOURNAL_DAMAGED, TAPE_DAMAGED and their like */
export function compareTwoRuns(home: string, nameA: string, nameB: string): RunComparison {
  const [folderA, folderB] = [runNamed(home, nameA), runNamed(home, nameB)];
  const [a, b] = [readFolder(folderA), readFolder(folderB)];
  const period = commonPeriod(a, b);
  const shared = a.instruments.filter(({ symbol }) => b.instruments.some((other) => other.symbol === symbol));
  if (!(period.from < period.to) || shared.length === 0) {
    const said = ({ instruments, from, to }: RunRecord): string =>
      `${instruments.map(({ symbol }) => symbol).join(', ')} ${Number.isNaN(from) ? 'without a bar' : `from ${formatTime(from)} to ${formatTime(to)}`}`;
    throw new BallastError({
      code: 'RUNS_APART',
      place: `runs ${a.runId} and ${b.runId}`,
      found: `${said(a)}, and ${said(b)}`,
      expected: 'a symbol and a time that both have',
    });
  }
  const { parity, same, onlyA, onlyB, causes, outside, from, to, differences } = compareRuns(a, b);
  return {
    a: summary(a, folderA),
    b: summary(b, folderB),
    from: formatTime(from),
    to: formatTime(to),
    parity,
    same,
    onlyA,
    onlyB,
    outside,
    causes,
    settings: unlike(settingsOf(folderA), settingsOf(folderB)),
    differences: differences.map((difference) => ({
      at: formatTime(difference.at),
      ...subjectOf(difference),
      cause: difference.findings[0].cause,
      findings: difference.findings,
      agreement: difference.agreement,
      money: difference.money,
      a: orderOf(difference.a),
      b: orderOf(difference.b),
    })),
  };
}

/** The journal and the tape as far as they are to be believed, as a replay reads them. */
function readFolder({ folder, runId, recipe }: RunFolder): RunRecord {
  const journal = Journal.open(journalPath(folder), { readOnly: true });
  try {
    const [damage] = journal.damage;
    if (damage !== undefined) throw damage;
    const tape = TapeReader.open(tapePath(folder), journal);
    const snapshot = journal.lastSnapshot();
    // A session that ended by itself has closed both files; of any other the tape may be further than what the journal vouches for.
    const hasEnded = (journal.getMeta('stateHash') ?? '') !== '';
    const believed = hasEnded ? Infinity : believedEnd(journal, snapshot === undefined ? 0 : new ByteReader(snapshot.bytes).count());
    const timeframes = recipe.strategies.map(({ timeframeMs }) => timeframeMs ?? recipe.timeframeMs);
    const subject = {
      runId,
      instruments: recipe.instruments.map(readInstrument),
      baseTimeframeMs: recipe.baseTimeframeMs,
      timeframeMs: Math.max(...timeframes),
    };
    return readRun(subject, upTo(readRecording(journal.rows(), tape), believed));
  } finally {
    journal.close();
  }
}

function summary({ runId, from, to, executions, crossings }: RunRecord, { recipe }: RunFolder): ComparedRun {
  return { runId, kind: recipe.kind, from: formatTime(from), to: formatTime(to), orders: executions.length, crossings };
}

function subjectOf({ a, b }: Pair): Pick<ComparedDifference, 'symbol' | 'side' | 'role'> {
  const { symbol = '', side = 'buy', role = 'target' } = a ?? b ?? {};
  return { symbol, side, role };
}

function orderOf(execution: Execution | undefined): ComparedOrder | null {
  if (execution === undefined) return null;
  const { order, sentAt, quantity, filled, price, fee, lastFillAt, refusal } = execution;
  return {
    order,
    sentAt: formatTime(sentAt),
    quantity,
    filled,
    price: Number.isNaN(price) ? null : price,
    fee,
    filledAt: Number.isNaN(lastFillAt) ? null : formatTime(lastFillAt),
    refusal,
  };
}

/** What determines results, but for where the bars came from, which the recordings say better. */
function settingsOf({ recipe }: RunFolder): unknown {
  const { config, market: _market, kind: _kind, mindFailure: _mindFailure, ...rest } = recipe;
  return { ...rest, ...resultSettings(config) };
}

function unlike(a: unknown, b: unknown, field = ''): { field: string; a: unknown; b: unknown }[] {
  if (Object.is(a, b)) return [];
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const names = new Set([...Object.keys(a), ...Object.keys(b)]);
    return [...names].flatMap((name) => unlike(Reflect.get(a, name), Reflect.get(b, name), field === '' ? name : `${field}.${name}`));
  }
  return [{ field, a: a ?? null, b: b ?? null }];
}
