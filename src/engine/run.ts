// The loop. One for every mode: only the clock, the sources and the venue differ.
import type { Clock, Source } from '../domain/ports.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';
import type { Engine } from './engine.ts';

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
  /** Runs a slice; a guard may end one that a strategy holds for ever. */
  readonly guard?: (slice: () => void) => void;
}

export type RunOutcome = 'ended' | 'until' | 'stopped';

/** How many events between two looks at the wall clock. */
const EVENTS_A_LOOK = 128;

/** Runs until the sources end, `until` is reached, or somebody asks it to stop. */
export async function run(session: Session): Promise<RunOutcome> {
  const { clock, sources, engine } = session;
  for (;;) {
    const state = guardedTurn(session);
    session.onSlice?.();
    if (state === 'ended' || state === 'until') return state;
    if (session.isStopping?.() === true) return 'stopped';
    if (state === 'wait') await clock.wait(sources, engine.timerBound);
    else await clock.pause();
    if (session.isStopping?.() === true) return 'stopped';
  }
}

type TurnEnd = 'slice' | 'wait' | 'ended' | 'until';

function guardedTurn(session: Session): TurnEnd {
  if (session.guard === undefined) return turn(session);
  const ended: { state: TurnEnd } = { state: 'slice' };
  session.guard(() => {
    ended.state = turn(session);
  });
  return ended.state;
}

/** Handles what is due, for one slice of wall time. */
function turn({ clock, sources, engine, until = NEVER }: Session): TurnEnd {
  clock.beginSlice();
  // A mind of somebody's may think for long each time: between two of its answers an operator must be heard.
  const asksStrangers = engine.minds.some((mind) => !mind.isTrusted);
  let hasAsked = false;
  for (let handled = 1; ; handled++) {
    const choice = clock.next(sources, engine.timerBound);
    // The instant is over once the next event is known to be later, or none is known: one decision for all of it.
    if (engine.isOpen && !(choice === 'wait' ? isLoading(sources) : clock.nextAt <= engine.at)) {
      hasAsked = asksStrangers;
      // What was sent may be answered before what was next, and an opinion that was formed may expire before it.
      if (engine.closeInstant() || engine.timerBound < clock.nextAt) continue;
    }
    if (choice === 'ended') return 'ended';
    if (clock.nextAt > until && clock.nextAt !== NEVER) return 'until';
    if (choice === 'wait') return 'wait';
    if (choice === 'timer') {
      // The bound was cheap; now it is made exact.
      if (engine.nextTimer() <= clock.nextAt) engine.handle(engine.takeTimer());
    } else {
      const source = sources[choice];
      if (source !== undefined) engine.handle(source.take());
    }
    if ((hasAsked || handled % EVENTS_A_LOOK === 0) && clock.sliceIsOver()) return 'slice';
    hasAsked = false;
  }
}

/** What is on its way has a place in the order, perhaps within this instant: when it comes must not change what is decided. */
function isLoading(sources: readonly Source[]): boolean {
  return sources.some((source) => source.peekAt() === NEVER && source.isLoading === true);
}
