// What a recorded session proves, folded from its journal and its tape: they are gone through again, so that figures which the recording does
// not carry are not believed.
import { toNumber } from '../domain/decimal.ts';
import type { DecisionTaken, Entry } from '../domain/entry.ts';
import type { Venue } from '../domain/ports.ts';
import { DAY_MS, type TimeMs } from '../domain/time.ts';
import { Engine } from '../engine/engine.ts';
import type { Recorder } from '../engine/recorder.ts';
import { Journal } from '../journal/journal.ts';
import { readRecording } from '../journal/recording.ts';
import { TapeReader } from '../journal/tape.ts';
import { mean } from '../quant/statistics.ts';
import { dailyReturns } from '../views/daily.ts';
import { EquityRecorder } from '../views/equity.ts';
import { roundTrips } from '../views/metrics.ts';
import { TradeLedger } from '../views/trades.ts';
import { configHash, resultSettings } from './config.ts';
import { planOf, type Recipe } from './recipe.ts';
import { believedEnd, follow } from './recovery.ts';
import { upTo } from './replay.ts';
import { journalPath, tapePath, type RunFolder } from './runs.ts';
import { ComparingRecorder } from './session-recorder.ts';
import { telling } from './session-parts.ts';

export interface RunRecord {
  readonly runId: string;
  /** Of market time, from the first bar after the warm-up to the last. */
  readonly days: number;
  /** Between the closes of UTC days. */
  readonly daily: Float64Array;
  readonly returnRatio: number;
  readonly drawdownRatio: number;
  /** Closed round trips. */
  readonly trades: number;
  /** NaN without any. */
  readonly winRatio: number;
  /** Mean distance between what opinions said to expect of a round trip and what it brought; NaN where none said. */
  readonly roiError: number;
  /** Closed round trips of which an opinion had said what to expect. */
  readonly predicted: number;
}

/** Who decides, on what, and within which limits: runs of one set are the same strategies, wherever they ran and with how much. */
export function strategySetHash(recipe: Recipe): string {
  const { strategies, instruments, timeframeMs, baseTimeframeMs, noRisk } = recipe;
  const { venue: _simulated, ...settings } = resultSettings(recipe.config);
  const symbols = instruments.map(({ symbol }) => symbol);
  return configHash({ strategies, symbols, timeframeMs, baseTimeframeMs, noRisk, ...settings });
}

const NOBODY: Venue = { submit: () => undefined, amend: () => undefined, cancel: () => undefined };

/** @throws BallastError REPLAY_MISMATCH, STRATEGY_CHANGED, JOURNAL_DAMAGED and whatever journal and tape have to say of themselves */
export async function readRunRecord(run: RunFolder, home: string): Promise<RunRecord> {
  const plan = await planOf(run.recipe, home);
  const journal = Journal.open(journalPath(run.folder), { readOnly: true });
  try {
    const [damage] = journal.damage;
    if (damage !== undefined) throw damage;
    const tape = TapeReader.open(tapePath(run.folder), journal);
    const comparing = new ComparingRecorder();
    const equity = new EquityRecorder({ capital: toNumber(plan.capital), intervalMs: plan.baseTimeframeMs });
    const ledger = new TradeLedger({ instruments: plan.instruments, sleeves: plan.sleeves });
    const expected = new Expectations();
    const span = { from: NaN, to: NaN };
    const knownFailures = new Map<number, ReadonlyMap<number, string>>();
    const recorder: Recorder = {
      market: (event) => comparing.market(event),
      entry(entry, sequence) {
        expected.note(entry, engine);
        comparing.entry(entry, sequence);
      },
      commit: () => undefined,
    };
    const engine = new Engine({
      plan,
      recorder,
      venue: NOBODY,
      knownFailures,
      onPrice: (event) => ledger.price(event),
      onBar(at, value) {
        if (Number.isNaN(span.from)) span.from = at;
        span.to = at;
        equity.record(at, value);
      },
      onTransfer: (before, after) => equity.transfer(before, after),
    });
    const steps = upTo(readRecording(journal.rows(), tape), believedEnd(journal, 0));
    follow(telling(steps, ledger), { engine, recorder: comparing, knownFailures, venue: undefined, sources: [] });
    if (comparing.outstanding > 0) engine.closeInstant();
    comparing.settle();
    return recordOf(run.runId, { equity, ledger, expected, span, sleeves: plan.sleeves.map(({ name }) => name) });
  } finally {
    journal.close();
  }
}

interface Folded {
  readonly equity: EquityRecorder;
  readonly ledger: TradeLedger;
  readonly expected: Expectations;
  readonly span: { readonly from: TimeMs; readonly to: TimeMs };
  readonly sleeves: readonly string[];
}

function recordOf(runId: string, { equity, ledger, expected, span, sleeves }: Folded): RunRecord {
  const summary = equity.summary();
  const trips = roundTrips(ledger);
  const errors = trips.flatMap((trip) => {
    const said = expected.of(sleeves.indexOf(trip.sleeve), trip.openedAt);
    return said === undefined ? [] : [Math.abs(said - trip.returnRatio)];
  });
  return {
    runId,
    days: Number.isNaN(span.from) ? 0 : (span.to - span.from) / DAY_MS,
    daily: dailyReturns(summary.basis, summary.daily),
    returnRatio: summary.finalEquity / summary.basis - 1,
    drawdownRatio: summary.maxDrawdownRatio,
    trades: trips.length,
    winRatio: trips.filter(({ pnl }) => pnl > 0).length / trips.length,
    roiError: mean(Float64Array.from(errors)),
    predicted: errors.length,
  };
}

/** By sleeve: what was expected of it, decision by decision. */
class Expectations {
  readonly #said = new Map<number, { readonly at: TimeMs; readonly expected: number | undefined }[]>();

  /** At a decision: the mean of what the sources on its side expect of that side. */
  note(entry: Entry, engine: Engine): void {
    if (entry.kind !== 'decision.taken') return;
    for (const { sleeve, stance } of (entry satisfies DecisionTaken).changes) {
      const of: number[] = [];
      for (const source of engine.plan.sleeves[sleeve]?.sources ?? []) {
        const opinion = engine.minds[source]?.opinion;
        if (opinion?.kind === 'forecast' && opinion.expectedReturn !== undefined && Math.sign(opinion.stance) === Math.sign(stance))
          of.push(Math.sign(stance) * opinion.expectedReturn);
      }
      const list = this.#said.get(sleeve) ?? [];
      list.push({ at: entry.at, expected: of.length === 0 ? undefined : mean(Float64Array.from(of)) });
      this.#said.set(sleeve, list);
    }
  }

  /** Of the last decision before a trip was opened. */
  of(sleeve: number, openedAt: TimeMs): number | undefined {
    return this.#said.get(sleeve)?.findLast(({ at }) => at <= openedAt)?.expected;
  }
}
