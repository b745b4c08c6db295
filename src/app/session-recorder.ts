// The loop's memory on disk: prices and timers to the tape, everything owed to the journal, in an order that a kill cannot break.
import { ByteWriter } from '../domain/bytes.ts';
import type { Entry, OutputEntry } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import type { TapeEvent } from '../domain/event.ts';
import { formatTime } from '../domain/time.ts';
import type { Recorder } from '../engine/recorder.ts';
import { encodeRow } from '../journal/codec.ts';
import type { Journal, TapeTail } from '../journal/journal.ts';
import { isRecordedEvent, type RecordedStep } from '../journal/recording.ts';
import type { TapeWriter } from '../journal/tape.ts';
import { SpreadOfTimes } from './spread-of-times.ts';

/** The tape goes to its file before its own buffer is full, so that it never gets ahead of the journal by itself. */
const FLUSH_RECORDS = 2_048;
/** What came since the tape was last on the disk goes into the journal with each commit: this bounds it, to 16 KiB. */
const SYNC_RECORDS = 256;
/** The journal's own word for how much of the tape is believed. */
export const BELIEVED = 'tapeOffset';

export class SessionRecorder implements Recorder {
  readonly #journal: Journal;
  readonly #tape: TapeWriter;
  readonly #isDurable: boolean;
  #unflushed = 0;
  #unsynced = 0;
  /** Up to where a commit has made the tape durable; NaN before the first. */
  #durableEnd = NaN;
  /** Of what was owed before something could leave. */
  readonly commits = new SpreadOfTimes();
  /** The last one, by the monotonic clock; NaN before it. */
  readonly lastCommit = { beganAt: NaN, endedAt: NaN };

  constructor(journal: Journal, tape: TapeWriter, isDurable: boolean) {
    this.#journal = journal;
    this.#tape = tape;
    this.#isDurable = isDurable;
    // The end of the tape cannot go into a file that another process holds.
    journal.beforeAhead(() => tape.sync());
  }

  market(event: TapeEvent): void {
    this.#tape.append(event);
    if (++this.#unflushed >= FLUSH_RECORDS || this.#tape.isSegmentFull) this.flush();
    if (!this.#isDurable || ++this.#unsynced < SYNC_RECORDS) return;
    this.#unsynced = 0;
    this.#tape.startSync();
  }

  entry(entry: Entry, sequence: number): void {
    this.#journal.append(entry, sequence, this.#tape.offset);
  }

  /**
   * One wait for the disk. The tape goes to its file first, because a row must never name a record that is not there; and what of it is not known
   * to be on the disk goes into the journal with the rows, so that a power cut cannot part them.
   */
  commit(): void {
    if (!this.#isDurable) return this.#journal.commit();
    const began = performance.now();
    this.#journal.commit(this.#tail());
    this.lastCommit.beganAt = began;
    this.lastCommit.endedAt = performance.now();
    this.commits.add(this.lastCommit.endedAt - began);
  }

  /** The same where nothing waits for it, with the length up to which the tape is believed from then on. */
  believe(): void {
    this.#journal.commitWith(BELIEVED, String(this.#tape.offset), this.#tail());
    this.#journal.foldLog();
  }

  /** Undefined where a commit before has it. */
  #tail(): TapeTail | undefined {
    this.#unflushed = 0;
    const tail = this.#tape.tail();
    if (this.#tape.offset === this.#durableEnd) return undefined;
    this.#durableEnd = this.#tape.offset;
    return tail.bytes.length > 0 ? tail : undefined;
  }

  /** To the files, without waiting for the disk: survives the process, not the machine. */
  flush(): void {
    this.#unflushed = 0;
    this.#tape.flush();
    this.#journal.commit();
  }
}

/** Compares what an engine says now with what a recording holds, and goes on to `beyond` once the recording is used up. */
export class ComparingRecorder implements Recorder {
  readonly #expected: OutputEntry[] = [];
  readonly #left = new ByteWriter();
  readonly #right = new ByteWriter();
  #sequence = 0;
  /** Failures of minds that the recording has at this place: said again, and not kept twice. */
  #failures = 0;
  /** Said beyond what the recording holds of its last event: new words if it ends here, a difference if it goes on. */
  readonly #surplus: { readonly entry: Entry; readonly sequence: number }[] = [];
  #beyond: Recorder | undefined;
  compared = 0;

  expect({ outputs, failures, sequence }: Pick<RecordedStep, 'outputs' | 'failures' | 'sequence'>): void {
    this.#sequence = sequence;
    this.#failures = failures.length;
    for (const output of outputs) this.#expected.push(output);
  }

  /** The recording is used up: from here on new words go there. */
  goOn(beyond: Recorder): void {
    this.#beyond = beyond;
    for (const { entry, sequence } of this.#surplus.splice(0)) beyond.entry(entry, sequence);
  }

  /** Everything that was recorded up to here has been said again. @throws BallastError REPLAY_MISMATCH */
  settle(): void {
    const missing = this.#expected[0];
    if (missing !== undefined) throw mismatch(this.#sequence, missing, 'nothing', describeEntry(missing));
    const [more] = this.#surplus;
    if (more !== undefined) throw mismatch(more.sequence, more.entry, describeEntry(more.entry), 'nothing');
  }

  /** Words of the recording that were not said again yet. */
  get outstanding(): number {
    return this.#expected.length + this.#failures;
  }

  market(event: TapeEvent): void {
    this.#beyond?.market(event);
  }

  entry(entry: Entry, sequence: number): void {
    if (isRecordedEvent(entry)) {
      // Before the recording is used up it came from there.
      this.#beyond?.entry(entry, sequence);
      return;
    }
    if (entry.kind === 'mind.failed' && this.#failures > 0) {
      this.#failures--;
      return;
    }
    const expected = entry.kind === 'mind.failed' ? undefined : this.#expected.shift();
    if (expected === undefined) {
      if (this.#beyond === undefined) this.#surplus.push({ entry, sequence });
      else this.#beyond.entry(entry, sequence);
      return;
    }
    this.#left.clear();
    this.#right.clear();
    encodeRow(this.#left, entry, sequence, 0);
    encodeRow(this.#right, expected, sequence, 0);
    if (Buffer.compare(this.#left.view(), this.#right.view()) !== 0) {
      throw mismatch(sequence, entry, describeEntry(entry), describeEntry(expected));
    }
    this.compared++;
  }

  commit(): void {
    this.#beyond?.commit();
  }
}

function mismatch(sequence: number, entry: Entry, found: string, expected: string): BallastError {
  return new BallastError({
    code: 'REPLAY_MISMATCH',
    place: `event ${sequence} at ${formatTime(entry.at)}`,
    found,
    expected,
    remedy: 'the code, the strategy file or the recording has changed since',
  });
}

function describeEntry(entry: Entry): string {
  return JSON.stringify(entry, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
