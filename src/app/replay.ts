// A replay: the journal and the tape of a run, through a fresh engine without a venue. The same decisions, the same orders, the same state.
import { ByteReader } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import type { Venue } from '../domain/ports.ts';
import { formatTime } from '../domain/time.ts';
import { Engine } from '../engine/engine.ts';
import { Journal } from '../journal/journal.ts';
import { readRecording, type RecordedStep } from '../journal/recording.ts';
import { TapeReader } from '../journal/tape.ts';
import { planOf } from './recipe.ts';
import { believedEnd, follow } from './recovery.ts';
import { journalPath, runNamed, tapePath, type RunStatusWord } from './runs.ts';
import { ComparingRecorder } from './session-recorder.ts';

export interface ReplayRequest {
  readonly home: string;
  readonly runId: string;
  readonly onProgress?: (events: number) => void;
}

export interface ReplayResult {
  readonly runId: string;
  readonly events: number;
  readonly decisions: number;
  readonly orders: number;
  /** Everything the run said was said again, and the state at its end is the same where the run recorded one. */
  readonly matches: boolean;
  /** How the run stands: of one that is not `finished` the recording is compared up to `comparedTo`, where it ends, and no further. */
  readonly status: RunStatusWord;
  readonly isAlive: boolean;
  /** Market time of the last event that was gone through; undefined where none was recorded. */
  readonly comparedTo: string | undefined;
  readonly stateHash: string;
  /** Undefined for a run that was killed. */
  readonly recordedStateHash: string | undefined;
  /** The first difference, in words. */
  readonly mismatch: string | undefined;
}

const NOBODY: Venue = {
  submit: () => undefined,
  amend: () => undefined,
  cancel: () => undefined,
};

/** Runs it again. A difference is a finding, not an error. @throws BallastError RUN_UNKNOWN, STRATEGY_CHANGED, JOURNAL_DAMAGED, TAPE_DAMAGED and their like */
export async function replayRun({ home, runId, onProgress }: ReplayRequest): Promise<ReplayResult> {
  const recorded = runNamed(home, runId);
  const plan = await planOf(recorded.recipe, home);
  const journal = Journal.open(journalPath(recorded.folder), { readOnly: true });
  try {
    const [damage] = journal.damage;
    if (damage !== undefined) throw damage;
    const tape = TapeReader.open(tapePath(recorded.folder), journal);
    const recorder = new ComparingRecorder();
    const knownFailures = new Map<number, ReadonlyMap<number, string>>();
    const engine = new Engine({ plan, recorder, venue: NOBODY, knownFailures });
    const counts = { decisions: 0, orders: 0, handled: 0 };
    const lastSaid = journal.getMeta('stateHash');
    // Empty once the run has gone on after it.
    let recordedStateHash = lastSaid === '' ? undefined : lastSaid;
    const snapshot = journal.lastSnapshot();
    // A run that ended by itself has closed both files; a killed one has a tape that is further than its journal.
    const believed =
      recordedStateHash === undefined
        ? believedEnd(journal, snapshot === undefined ? 0 : new ByteReader(snapshot.bytes).count())
        : Infinity;
    const steps = counting(upTo(readRecording(journal.rows(), tape), believed), counts, (hash) => {
      recordedStateHash = hash;
    });
    let mismatch: string | undefined;
    try {
      follow(steps, {
        engine,
        recorder,
        knownFailures,
        venue: undefined,
        sources: [],
        onEvent: (handled) => {
          counts.handled = handled;
          if (handled % 65_536 === 0) onProgress?.(handled);
        },
      });
      // A run that reached its end has closed its last instant, one that was stopped perhaps not: its words and its hash say which.
      const isUnlike = recordedStateHash !== undefined && recordedStateHash !== engine.stateHash(recorded.configHash);
      if (recorder.outstanding > 0 || (isUnlike && engine.isOpen)) engine.closeInstant();
      recorder.settle();
    } catch (cause) {
      if (!(cause instanceof BallastError) || cause.code !== 'REPLAY_MISMATCH') throw cause;
      mismatch = cause.message;
    }
    const stateHash = engine.stateHash(recorded.configHash);
    if (mismatch === undefined && recordedStateHash !== undefined && recordedStateHash !== stateHash) {
      mismatch = `state after ${counts.handled} events: found hash ${stateHash}, expected ${recordedStateHash}`;
    }
    return {
      runId: recorded.runId,
      events: counts.handled,
      decisions: counts.decisions,
      orders: counts.orders,
      matches: mismatch === undefined,
      status: recorded.status,
      isAlive: recorded.isAlive,
      comparedTo: counts.handled === 0 ? undefined : formatTime(engine.at),
      stateHash,
      recordedStateHash,
      mismatch,
    };
  } finally {
    journal.close();
  }
}

/** The steps of a recording up to so many records of its tape. */
export function* upTo(steps: Iterable<RecordedStep>, tapeOffset: number): Generator<RecordedStep> {
  for (const step of steps) {
    if (step.tapeOffset > tapeOffset) return;
    yield step;
  }
}

/** Counts what passes, and tells the run's last word. */
function* counting(
  steps: Iterable<RecordedStep>,
  counts: { decisions: number; orders: number },
  onEnd: (stateHash: string) => void,
): Generator<RecordedStep> {
  for (const step of steps) {
    for (const output of step.outputs) {
      if (output.kind === 'decision.taken') counts.decisions++;
      else if (output.kind === 'order.intended') counts.orders++;
    }
    if (step.end !== undefined) onEnd(step.end.stateHash);
    yield step;
  }
}
