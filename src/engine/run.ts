// The loop. One for every mode: only the clock, the sources and the venue differ.
import type { RunOutcome } from '../domain/entry.ts';
import type { Clock, Source } from '../domain/ports.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';
import type { Engine } from './engine.ts';
import { inlineMore } from './inlining.ts';

export interface Session {
  readonly engine: Engine;
  readonly clock: Clock;
  /** In order of precedence at equal times: the venue's reports first. */
  readonly sources: readonly Source[];
  /** Events later than this are left where they are, and the run ends. */
  readonly until?: TimeMs;
  /** Asked between slices: true ends the run cleanly. */
  readonly isStopping?: () => boolean;
  /** Called between slices: snapshots, displays. */
  readonly onSlice?: () => void;
  /** What is sent leaves when this process lets go of its thread: a slice ends with it, and nothing else is done before it has left. */
  readonly sendsLater?: boolean;
  /** Runs a slice; a guard may end one that a strategy holds for ever. */
  readonly guard?: (slice: () => void) => void;
}

/** How many events between two looks at the wall clock, at most. A slice begins with one and doubles. */
const EVENTS_A_LOOK = 128;
/** The same where minds are asked that are not known to answer in time: few enough that a slow one does not hold the slice. */
const STRANGERS_EVENTS_A_LOOK = 16;

/** Runs until the sources end, `until` is reached, or somebody asks it to stop. Where it breaks, entries that are open are called back first. */
export async function run(session: Session): Promise<RunOutcome> {
  inlineMore();
  try {
    return await turns(session);
  } catch (cause) {
    session.engine.abandon();
    throw cause;
  }
}

async function turns(session: Session): Promise<RunOutcome> {
  const { clock, sources, engine } = session;
  for (;;) {
    const state = guardedTurn(session);
    if (state === 'sent') await clock.pause();
    session.onSlice?.();
    if (state === 'ended' || state === 'until') return state;
    if (session.isStopping?.() === true) return 'stopped';
    if (state === 'wait') await clock.wait(sources, engine.timerBound);
    else if (state === 'slice') await clock.pause();
    if (session.isStopping?.() === true) return 'stopped';
  }
}

type TurnEnd = 'slice' | 'sent' | 'wait' | 'ended' | 'until';

function guardedTurn(session: Session): TurnEnd {
  if (session.guard === undefined) return turn(session);
  const ended: { state: TurnEnd } = { state: 'slice' };
  session.guard(() => {
    ended.state = turn(session);
  });
  return ended.state;
}

/** Handles what is due, for one slice of wall time. */
function turn({ clock, sources, engine, until = NEVER, sendsLater = false }: Session): TurnEnd {
  clock.beginSlice();
  const asksStrangers = engine.minds.some((mind) => !mind.isTrusted);
  // Where an operator may speak, he must be heard between two answers of a mind that thinks for long each time.
  const mostEvents = engine.guardsMinds && asksStrangers ? 1 : asksStrangers ? STRANGERS_EVENTS_A_LOOK : EVENTS_A_LOOK;
  let stride = 1;
  let untilLook = 1;
  for (;;) {
    if (sendsLater && engine.takeSent()) return 'sent';
    const choice = clock.next(sources, engine.timerBound);
    // Most choices are numbers, and are told apart from words by their type: words are compared by a call.
    const isSource = typeof choice === 'number';
    // The instant is over once the next event is known to be later, or none is known: one decision for all of it.
    if (engine.isOpen && !(!isSource && choice === 'wait' ? isLoading(sources) : clock.nextAt <= engine.at)) {
      // What was sent may be answered before what was next, and an opinion that was formed may expire before it.
      if (engine.closeInstant() || engine.timerBound < clock.nextAt) continue;
    }
    if (!isSource && choice === 'ended') return 'ended';
    if (clock.nextAt > until && clock.nextAt !== NEVER) return 'until';
    if (isSource) {
      const source = sources[choice];
      if (source !== undefined) engine.handle(source.take());
    } else if (choice === 'wait') return 'wait';
    // The bound was cheap; now it is made exact.
    else if (engine.nextTimer() <= clock.nextAt) engine.ring();
    if (--untilLook > 0) continue;
    if (clock.sliceIsOver()) return 'slice';
    stride = Math.min(2 * stride, mostEvents);
    untilLook = stride;
  }
}

/** What is on its way has a place in the order, perhaps within this instant: when it comes must not change what is decided. */
function isLoading(sources: readonly Source[]): boolean {
  return sources.some((source) => source.peekAt() === NEVER && source.isLoading === true);
}
