// Recovery is the normal start, and a replay is a recovery without an end: recorded events, in their recorded order, through the same engine.
import { BallastError } from '../domain/errors.ts';
import { isMarketEvent, type AccountReport, type BookEvent, type Event, type MarketEvent, type VenueReport } from '../domain/event.ts';
import type { MarketSource, Source } from '../domain/ports.ts';
import { NEVER } from '../domain/time.ts';
import type { Engine } from '../engine/engine.ts';
import type { Journal } from '../journal/journal.ts';
import type { RecordedStep } from '../journal/recording.ts';
import { BELIEVED, type ComparingRecorder } from './session-recorder.ts';

/** What of a venue a recovery needs. */
export interface FollowedVenue {
  /** What the run has recorded of it, heard again. */
  recall(report: VenueReport | AccountReport): void;
  /** A price that does not come again: only a venue inside this process fills by it. */
  see?(event: MarketEvent): void;
  /** It has said what the loop has not heard yet, and its state knows of it already: no moment for a snapshot. */
  hasUnheard?(): boolean;
}

export interface FollowParts {
  readonly engine: Engine;
  readonly recorder: ComparingRecorder;
  /** Filled in as failures are read, for the engine to look at. */
  readonly knownFailures: Map<number, ReadonlyMap<number, string>>;
  /** The venue of this process, to be brought along; undefined in a replay. */
  readonly venue: FollowedVenue | undefined;
  /** By instrument: sources that make the same events again, as the engine sees them; undefined for one that does not come again. */
  readonly sources: readonly (MarketSource | undefined)[];
  /** By instrument: the same for looks at its book; none unless said. */
  readonly books?: readonly (Source | undefined)[];
  readonly onEvent?: (handled: number) => void;
}

/**
 * Feeds the steps to the engine, compares what it says, and brings venue and sources along. The last instant is left open.
 * @returns how many events were handled
 * @throws BallastError REPLAY_MISMATCH, SOURCE_DIVERGED
 */
export function follow(steps: Iterable<RecordedStep>, parts: FollowParts): number {
  const { engine, recorder, knownFailures } = parts;
  let handled = 0;
  for (const { event, sequence, outputs, failures } of steps) {
    if (event !== undefined) {
      // An instant is over once the next event is known to be later.
      if (engine.isOpen && event.at > engine.at) engine.closeInstant();
      recorder.settle();
      // What was said in the step before is compared; its failures are not needed any more.
      knownFailures.clear();
    }
    if (failures.length > 0) knownFailures.set(sequence, new Map(failures.map((failure) => [failure.source, failure.because])));
    recorder.expect({ outputs, failures, sequence });
    if (event === undefined) continue;
    bringAlong(event, parts);
    engine.handle(event);
    handled++;
    parts.onEvent?.(handled);
  }
  return handled;
}

function bringAlong(event: Event, { venue, sources, books }: FollowParts): void {
  if (venue === undefined) return;
  if (event.kind === 'funding.paid' || event.kind === 'position.liquidated' || event.kind === 'account.reported' || 'order' in event) {
    venue.recall(event);
  } else if (isMarketEvent(event)) {
    const source = sources[event.instrument];
    if (source === undefined) venue.see?.(event);
    else mustEqual(nextOf(source), event, ['close', 'volume']);
  } else if (event.kind === 'book.changed') {
    const source = books?.[event.instrument];
    if (source !== undefined) mustEqual(nextOf(source), event, ['bidPrice', 'askPrice', 'imbalance']);
  }
}

function nextOf(source: Source): Event | undefined {
  return source.peekAt() === NEVER ? undefined : source.take();
}

/** A generator that goes on with another market than it had recorded would fill orders in one that never was. */
function mustEqual<E extends MarketEvent | BookEvent>(made: Event | undefined, recorded: E, fields: readonly (keyof E & string)[]): void {
  const { kind, at, instrument } = recorded;
  if (made?.kind === kind && made.at === at && fields.every((field) => Object.is((made as E)[field], recorded[field]))) return;
  const words = (event: Event): string =>
    `${event.kind} at ${event.at}, ${fields.map((field) => `${field} ${String((event as E)[field])}`).join(', ')}`;
  throw new BallastError({
    code: 'SOURCE_DIVERGED',
    place: `instrument ${instrument} at ${at}`,
    found: made === undefined ? 'nothing' : words(made),
    expected: words(recorded),
    remedy: 'the market source has changed since the run was recorded: start a new run',
  });
}

/**
 * How far the tape of a killed run is to be believed: what stands after the journal's last word may lack reports that came between.
 * `snapshotOffset` is where its snapshot was taken, before which everything is known.
 */
export function believedEnd(journal: Journal, snapshotOffset: number): number {
  return Math.max(snapshotOffset, journal.lastTapeOffset, Number(journal.getMeta(BELIEVED) ?? 0));
}
