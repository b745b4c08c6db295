// Journal and tape put together again: what the loop was told, in the order in which it was told, and what it said at each place.
import type { Entry, JournalRow, MindFailed, OutputEntry, RunEnded } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import type { AccountReport, Event, FeedReport, LetterArrived, OperatorSpoke, VenueReport } from '../domain/event.ts';
import type { TapeReader } from './tape.ts';

/** A place in a recording: after so many events, of which so many are on the tape. */
export interface RecordedPlace {
  readonly sequence: number;
  readonly tapeOffset: number;
}

/** One event and what came of it. */
export interface RecordedStep extends RecordedPlace {
  /** Reused where it comes from the tape: copy what you keep. Undefined for what was said before the first event after the starting place. */
  readonly event: Event | undefined;
  /** Minds that broke their contract here: given to a replay, never recomputed. */
  readonly failures: readonly MindFailed[];
  /** What a replay must say again, in this order. */
  readonly outputs: readonly OutputEntry[];
  /** The run's last word, after this step: it is about the run, and no engine says it. */
  readonly end: RunEnded | undefined;
}

const NO_FAILURES: readonly MindFailed[] = [];
const NO_OUTPUTS: readonly OutputEntry[] = [];

/** An entry that is an event of the loop. `mind.failed` is an input too, but no event: it happens within one. */
export function isRecordedEvent(entry: Entry): entry is VenueReport | AccountReport | FeedReport | OperatorSpoke | LetterArrived {
  switch (entry.kind) {
    case 'order.accepted':
    case 'order.rejected':
    case 'order.cancelled':
    case 'order.expired':
    case 'order.filled':
    case 'order.amended':
    case 'order.repriced':
    case 'funding.paid':
    case 'position.liquidated':
    case 'account.reported':
    case 'feed.lost':
    case 'feed.restored':
    case 'operator.spoke':
    case 'opinion.formed':
      return true;
    default:
      return false;
  }
}

/**
 * The steps after a place: from the beginning, or from a snapshot, with `journal.rowsFrom(snapshot.rows)` for rows.
 * Every event has its number: an event in the journal brings it along, the events between are the tape's next records. Tape records
 * behind the last row are steps as well: they were recorded, and the process ended before it said anything of them.
 * @throws BallastError RECORDING_BROKEN, TAPE_SHORT, TAPE_PRUNED, TAPE_DAMAGED
 */
export function* readRecording(
  rows: Iterable<JournalRow>,
  tape: TapeReader,
  from: RecordedPlace = { sequence: 0, tapeOffset: 0 },
): Generator<RecordedStep, void, undefined> {
  let { sequence, tapeOffset } = from;
  tape.seek(tapeOffset);
  const journal = rows[Symbol.iterator]();
  try {
    let row = nextRow(journal);
    let event: Event | undefined;
    for (;;) {
      let failures: MindFailed[] | undefined;
      let outputs: OutputEntry[] | undefined;
      let end: RunEnded | undefined;
      for (; row !== undefined && row.sequence <= sequence; row = nextRow(journal)) {
        if (row.sequence < sequence || row.tapeOffset !== tapeOffset)
          throw broken(row, `sequence ${sequence} after ${tapeOffset} tape records`);
        const { entry } = row;
        if (isRecordedEvent(entry)) throw broken(row, `one event at sequence ${sequence}`);
        if (entry.kind === 'mind.failed') (failures ??= []).push(entry);
        else if (entry.kind === 'run.ended') end = entry;
        else (outputs ??= []).push(entry);
      }
      if (event !== undefined || failures !== undefined || outputs !== undefined || end !== undefined) {
        yield { sequence, tapeOffset, event, failures: failures ?? NO_FAILURES, outputs: outputs ?? NO_OUTPUTS, end };
      }
      sequence++;
      if (row !== undefined && row.sequence === sequence && isRecordedEvent(row.entry)) {
        if (row.tapeOffset !== tapeOffset) throw broken(row, `${tapeOffset} tape records before it`);
        event = row.entry;
        row = nextRow(journal);
        continue;
      }
      event = tape.next();
      if (event === undefined) {
        if (row === undefined) return;
        throw new BallastError({
          code: 'TAPE_SHORT',
          place: `tape after record ${tapeOffset}`,
          found: 'its end',
          expected: `${row.tapeOffset} records, which the journal's row at sequence ${row.sequence} comes after`,
          remedy: 'the end of the tape is missing: restore its newest segment from a copy, or begin at an older snapshot',
        });
      }
      tapeOffset++;
    }
  } finally {
    // Whoever stops early must not leave the journal's cursor open.
    journal.return?.();
  }
}

function nextRow(rows: Iterator<JournalRow>): JournalRow | undefined {
  const next = rows.next();
  return next.done === true ? undefined : next.value;
}

function broken(row: JournalRow, expected: string): BallastError {
  return new BallastError({
    code: 'RECORDING_BROKEN',
    place: `journal row ${row.entry.kind} at sequence ${row.sequence}`,
    found: `sequence ${row.sequence} after ${row.tapeOffset} tape records`,
    expected,
    remedy: 'journal and tape are not of one run, or one of them was cut',
  });
}
