// What every session of the loop shares, whatever its market and its venue: a run folder that is its own, recovery, the operator's words,
// snapshots, its end and its summary. `paper.ts` and `live.ts` choose the parts.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { ByteWriter, type Stateful } from '../domain/bytes.ts';
import type { Amount } from '../domain/decimal.ts';
import type { RunEnded, RunOutcome } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import type { OperatorCommand } from '../domain/event.ts';
import type { MarketSource, Source } from '../domain/ports.ts';
import { formatTime, NEVER, type TimeMs } from '../domain/time.ts';
import { counted } from '../domain/words.ts';
import type { Inbox } from '../engine/inbox.ts';
import { run } from '../engine/run.ts';
import type { SystemClock } from '../engine/system-clock.ts';
import type { Journal } from '../journal/journal.ts';
import { sessionSummary } from '../views/report.ts';
import { alertAddress, openAlerts, type Alerts } from './alerts.ts';
import { openControl } from './control.ts';
import type { Recipe } from './recipe.ts';
import type { LatencyStatus, RunHandle, RunStatus } from './run-handle.ts';
import { lockRun } from './run-lock.ts';
import { createRun, journalPath, letGo, newRunId, setRunStatus, type RunFolder } from './runs.ts';
import { mustBeSameRecipe, recover, reopenJournal, saveSnapshot, type SessionParts, type SessionVenue } from './session-parts.ts';
import { BELIEVED } from './session-recorder.ts';
import { statusOf, type StatusNotes } from './status.ts';
import { systemTimers } from './system-timers.ts';

/** Events between two snapshots: what a recovery has to follow again at most. */
const EVENTS_A_SNAPSHOT = 20_000;
/** Where only such events have come as may be lost, the disk is waited for this often. */
const PASSING_MS = 10_000;

export interface SessionResult {
  readonly runId: string;
  readonly folder: string;
  readonly outcome: RunOutcome;
  readonly stateHash: string;
  readonly venueHash: string;
  readonly status: RunStatus;
  readonly summary: string;
}

export interface SessionStarted {
  readonly runId: string;
  readonly folder: string;
  readonly resumed: boolean;
}

/** How a session is asked for, and whom it tells. */
export interface SessionRequest {
  /** Wall time of this process. */
  readonly forMs?: number | undefined;
  readonly signal: AbortSignal;
  readonly onStart?: ((handle: RunHandle, info: SessionStarted) => void) | undefined;
}

/** A run folder that this process has to itself. */
export interface HeldRun {
  readonly runId: string;
  readonly folder: string;
  readonly isResumed: boolean;
  /** What was recorded of it; undefined where it is new, or was killed before its journal was whole: nothing had happened yet. */
  readonly journal: Journal | undefined;
}

export interface HoldRunRequest {
  readonly home: string;
  readonly recipe: Recipe;
  readonly configHash: string;
  /** To be gone on with; undefined begins a new one. */
  readonly unfinished: RunFolder | undefined;
  readonly onNotice: (words: string) => void;
}

/** Takes a run, or makes one, and holds it while `body` lasts. @throws BallastError RUN_ALIVE, RUN_OTHER_RECIPE, RUN_UNWRITABLE */
export async function holdRun<Result>(
  { home, recipe, configHash, unfinished, onNotice }: HoldRunRequest,
  body: (run: HeldRun) => Promise<Result>,
): Promise<Result> {
  const runId = unfinished?.runId ?? newRunId(home, recipe.kind);
  const folder = unfinished?.folder ?? createRun(home, runId, configHash, recipe);
  const lock = lockRun(folder);
  if (lock === undefined) throw runAlive(folder, 'its lock in the hands of another process');
  try {
    const isResumed = unfinished !== undefined;
    const journal = isResumed && existsSync(journalPath(folder)) ? reopenJournal(folder, onNotice) : undefined;
    if (journal !== undefined) mustBeSameRecipe(journal, configHash, folder);
    return await body({ runId, folder, isResumed, journal });
  } finally {
    lock.release();
  }
}

export function runAlive(folder: string, found: string): BallastError {
  return new BallastError({
    code: 'RUN_ALIVE',
    place: folder,
    found,
    expected: 'one process for a run',
    remedy: 'look at it with `ballast status`, or end it first',
  });
}

/** Where a session goes on, for who sees it started again. `followed` of the engine's events were not in its snapshot. */
export function resumedWords(
  runId: string,
  { at, sequence }: { readonly at: TimeMs; readonly sequence: number },
  followed: number,
): string {
  if (sequence === 0) return `resumed ${runId} from its beginning: it had recorded no event yet`;
  const where = `resumed ${runId} at market time ${formatTime(at)}, where its recording of ${counted(sequence, 'event')} ends`;
  const since =
    followed === sequence ? 'all of them were' : `the last ${followed}, since its latest snapshot, ${followed === 1 ? 'was' : 'were'}`;
  const how = followed === 0 ? 'they are those of its latest snapshot' : `${since} gone through again to get there`;
  return `${where}: positions, orders and money are as they were then (${how})`;
}

/** The market of a session, and what its venue has to do with the world. */
export interface World {
  /** A market that makes the same events again, with its sources of prices and of books as the engine sees them, by instrument; undefined for one that does not come again. */
  readonly again:
    | { readonly market: Stateful; readonly sources: readonly MarketSource[]; readonly books: readonly (Source | undefined)[] }
    | undefined;
  /** Beside the venue's reports and the operator's words, in order of precedence at equal times. */
  readonly sources: readonly Source[];
  /** From when on decisions are taken; NEVER where the first event of a feed says so. */
  readonly from: TimeMs;
  /** Events later than this are left where they are, and the session ends. */
  readonly until?: TimeMs | undefined;
  /** After a recovery: market time goes on. */
  goOn(): void;
  /** The loop is about to begin: wires are dialled. @throws whatever keeps it from beginning */
  open(): Promise<void> | void;
  /** It is over, however it ended. */
  close(): void;
  /** Somebody has asked the session to end: what has to come before. True once nothing has; asked between slices until then. */
  mayStop?(): boolean;
  /** Something is held or stands at the venue: the run is not over, whatever ended the process. */
  hasBusiness?(): boolean;
  /** What is sent leaves when this process lets go of its thread. */
  readonly sendsLater?: boolean;
  /** Between slices. */
  onSlice?(): void;
  /** Events so far that may be lost with the process: nothing was owed because of them, and newer ones say the same. */
  passing?(): number;
  latency?(): LatencyStatus;
}

export interface SessionSetting<V extends SessionVenue & Source> {
  readonly request: SessionRequest;
  readonly run: HeldRun;
  readonly parts: SessionParts<V>;
  readonly clock: SystemClock;
  readonly notes: StatusNotes;
  /** The operator's words, and whoever wakes the clock. */
  readonly inbox: Inbox;
  readonly world: World;
  readonly onNotice: (words: string) => void;
}

/** Somebody asked for it; it came by itself with something left to look after; or nothing is left of the run. */
type SessionEnd = 'asked' | 'holding' | 'over';

export class Session<V extends SessionVenue & Source> {
  readonly #setting: SessionSetting<V>;
  readonly #sources: readonly Source[];
  readonly #alerts: Alerts;
  readonly #startedAt = Date.now();
  #snapshotAt = 0;
  /** Up to where the tape is believed: events of the loop, those of them that may be lost, and by the monotonic clock. */
  readonly #believed = { sequence: 0, passing: 0, at: -Infinity };
  #isJournalBehind = false;
  #isStopping = false;
  #isOver = false;
  /** It had said its last word, and was killed before run.json said so too. */
  #ended: RunEnded | undefined;
  readonly #answers: { readonly sequence: number; readonly resolve: () => void }[] = [];

  constructor(setting: SessionSetting<V>) {
    this.#setting = setting;
    const { run: held, parts, inbox, world, notes, onNotice } = setting;
    const address = alertAddress(parts.recipe.config, process.env);
    this.#alerts = openAlerts({ address, runId: held.runId, timers: systemTimers, onNotice });
    this.#sources = [parts.venue, inbox, ...world.sources];
    parts.journal.onEntry((entry) => {
      notes.fold(entry);
      this.#alerts.fold(entry);
    });
  }

  /** To its end. A run that was begun before is recovered first. Something that breaks leaves it unfinished. */
  async live(): Promise<SessionResult> {
    const { run: held, parts, onNotice } = this.#setting;
    setRunStatus(held.folder, 'running');
    try {
      if (held.isResumed) onNotice(resumedWords(held.runId, parts.engine, this.#recover()));
      return await this.#run();
    } catch (cause) {
      this.#alerts.broke(parts.engine.at, cause);
      this.#abandon();
      throw cause;
    } finally {
      await this.#alerts.close();
    }
  }

  /** All state is on disk: what comes after is followed from here. @returns whether it is; false while the venue knows more than the loop */
  saveSnapshot(): boolean {
    const { parts, world } = this.#setting;
    if (!saveSnapshot(parts, world.again?.market)) return false;
    this.#snapshotAt = parts.engine.sequence;
    return true;
  }

  /** A person is told of what is in no journal, wherever he looks. */
  alert(rule: string, why: string): void {
    const { parts, notes, onNotice } = this.#setting;
    notes.tell(rule, why);
    this.#alerts.raised(parts.engine.at, rule, why);
    onNotice(why);
  }

  #recover(): number {
    const { parts, notes, world, onNotice } = this.#setting;
    const { engine, journal } = parts;
    for (const row of journal.rows()) {
      notes.fold(row.entry);
      if (row.entry.kind === 'run.ended') this.#ended = row.entry;
    }
    const followed = recover(parts, world.again?.market, world.again?.sources ?? [], onNotice, world.again?.books);
    this.#snapshotAt = engine.sequence;
    // An interrupted run has said what its state was; from here on it is another.
    journal.setMeta('stateHash', '');
    world.goOn();
    return followed;
  }

  async #run(): Promise<SessionResult> {
    if (this.#ended !== undefined) return this.#finish(this.#ended.cause, 'over');
    const { request, run: held, parts, clock, world } = this.#setting;
    const handle = this.#handle();
    const control = await openControl(held.folder, handle);
    const stop = (): void => this.#stop();
    request.signal.addEventListener('abort', stop, { once: true });
    if (request.signal.aborted) stop();
    let isTimeUp = false;
    const timer =
      request.forMs === undefined
        ? undefined
        : setTimeout(() => {
            isTimeUp = true;
            stop();
          }, request.forMs);
    try {
      await world.open();
      request.onStart?.(handle, { runId: held.runId, folder: held.folder, resumed: held.isResumed });
      const outcome = await run({
        engine: parts.engine,
        clock,
        sources: this.#sources,
        until: world.until ?? NEVER,
        sendsLater: world.sendsLater === true,
        isStopping: () => this.#isStopping && world.mayStop?.() !== false,
        onSlice: () => this.#afterSlice(),
      });
      const isAsked = outcome === 'stopped' && !isTimeUp;
      return this.#finish(outcome, isAsked ? 'asked' : world.hasBusiness?.() === true ? 'holding' : 'over');
    } finally {
      this.#isOver = true;
      this.#setting.notes.end();
      clearTimeout(timer);
      request.signal.removeEventListener('abort', stop);
      world.close();
      this.#answer();
      await control.close();
    }
  }

  #stop(): void {
    this.#isStopping = true;
    this.#setting.inbox.wake();
  }

  #afterSlice(): void {
    const { parts, notes, world } = this.#setting;
    const { engine, recorder, journal, tape } = parts;
    notes.tick(engine.sequence);
    this.#watchJournal(journal);
    // What an operator asked for is on the disk before he is told that it is done: a halt with nothing to close sends nothing that would put it there.
    if (this.#answers.length > 0) recorder.commit();
    this.#answer();
    world.onSlice?.();
    if (engine.sequence - this.#snapshotAt >= EVENTS_A_SNAPSHOT && this.saveSnapshot()) return;
    if (world.again !== undefined || this.#mayWait()) return;
    // A feed does not come again: everything up to here is to be believed, the journal's rows included.
    if (journal.getMeta(BELIEVED) !== String(tape.offset)) recorder.believe();
    this.#believed.sequence = engine.sequence;
    this.#believed.passing = world.passing?.() ?? 0;
    this.#believed.at = performance.now();
  }

  #watchJournal({ isBehind, path }: Journal): void {
    if (isBehind === this.#isJournalBehind) return;
    this.#isJournalBehind = isBehind;
    this.#setting.onNotice(
      isBehind
        ? `another process holds ${path}: what is owed is written beside it, and the run goes on`
        : `${path} is free again and has what was written beside it`,
    );
  }

  /** Whether what came since it was last believed may wait for the disk. */
  #mayWait(): boolean {
    const { parts, world } = this.#setting;
    const came = parts.engine.sequence - this.#believed.sequence;
    const passing = (world.passing?.() ?? 0) - this.#believed.passing;
    return came === passing && performance.now() - this.#believed.at < PASSING_MS;
  }

  #answer(): void {
    const { sequence } = this.#setting.parts.engine;
    for (let index = this.#answers.length - 1; index >= 0; index--) {
      const waiting = this.#answers[index];
      if (waiting === undefined || (!this.#isOver && (this.#setting.inbox.hasWords || sequence < waiting.sequence))) continue;
      this.#answers.splice(index, 1);
      waiting.resolve();
    }
  }

  #handle(): RunHandle {
    return {
      status: () => this.#status(),
      command: (command, argument, by) => this.#command(command, argument, by),
      stop: () => this.#stop(),
    };
  }

  #command(command: OperatorCommand, argument: string, by: string): Promise<void> {
    const { parts, inbox } = this.#setting;
    return new Promise<void>((resolve, reject) => {
      if (this.#isOver) {
        reject(new Error('the session has ended'));
        return;
      }
      if (command === 'close' && !parts.plan.sleeves.some((sleeve) => sleeve.name === argument)) {
        const names = parts.plan.sleeves.map((sleeve) => sleeve.name).join(', ');
        reject(new Error(`no sleeve is named ${JSON.stringify(argument)}; there are ${names}`));
        return;
      }
      inbox.post({ kind: 'operator.spoke', command, argument, by });
      this.#answers.push({ sequence: parts.engine.sequence + 1, resolve });
    });
  }

  #status(): RunStatus {
    const { run: held, parts, notes, world } = this.#setting;
    return statusOf(parts, notes, {
      runId: held.runId,
      folder: held.folder,
      startedAtMs: this.#startedAt,
      isStopping: this.#isStopping,
      isOver: this.#isOver,
      isWarm: world.from === NEVER ? parts.engine.sequence > 0 : parts.engine.at > world.from,
      latency: world.latency?.() ?? null,
    });
  }

  #finish(outcome: RunOutcome, end: SessionEnd): SessionResult {
    const { parts, run: held } = this.#setting;
    const status = end === 'over' ? 'finished' : 'interrupted';
    const { engine, venue, journal, tape, recorder, configHash, plan, ledger } = parts;
    const stateHash = engine.stateHash(configHash);
    const { equity } = engine.portfolio;
    if (this.#ended === undefined) this.saveSnapshot();
    if (this.#ended !== undefined) mustBeStateAtEnd(this.#ended, stateHash, held.folder);
    else if (status === 'finished') {
      const cash: Amount = engine.portfolio.totalCash();
      recorder.entry({ kind: 'run.ended', at: engine.at, cause: outcome, stateHash, equity, cash }, engine.sequence);
      recorder.commit();
    }
    journal.setMeta('stateHash', stateHash);
    this.#isOver = true;
    const result: SessionResult = {
      runId: held.runId,
      folder: held.folder,
      outcome,
      stateHash,
      venueHash: hashOf(venue),
      status: this.#status(),
      summary: sessionSummary({
        ended: wordsFor(outcome, end),
        capital: plan.capital,
        currency: plan.instruments[0]?.quote ?? '',
        equity,
        basis: parts.equity.basis,
        ledger,
        marks: Array.from(engine.portfolio.mark, (last) => ({ first: NaN, last })),
        folder: held.folder,
      }),
    };
    tape.close();
    journal.close();
    setRunStatus(held.folder, status);
    return result;
  }

  /** Something broke: what is recorded stays, the run stays unfinished. */
  #abandon(): void {
    this.#isOver = true;
    const { parts, run: held, onNotice } = this.#setting;
    const { tape, journal } = parts;
    letGo([() => tape.close(), () => journal.close(), () => setRunStatus(held.folder, 'interrupted')], onNotice);
  }
}

/** SHA-256 of everything that survives with it. */
function hashOf(state: Stateful): string {
  const out = new ByteWriter(1 << 12);
  state.save(out);
  return createHash('sha256').update(out.view()).digest('hex');
}

/** @throws BallastError REPLAY_MISMATCH */
function mustBeStateAtEnd({ at, stateHash: expected }: RunEnded, found: string, folder: string): void {
  if (found === expected) return;
  const remedy = 'the code, the strategy file or the recording has changed since; what was recorded stays as it is';
  throw new BallastError({ code: 'REPLAY_MISMATCH', place: `${folder}, state at its end, ${formatTime(at)}`, found, expected, remedy });
}

function wordsFor(outcome: RunOutcome, end: SessionEnd): string {
  if (end === 'asked') return 'stopped by the operator; the same command goes on with it';
  const cause = outcome === 'until' ? 'reached its bar' : outcome === 'stopped' ? 'its time was up' : 'the market ended';
  return end === 'over' ? cause : `${cause}, and something is still held or stands at the venue; the same command goes on with it`;
}
