// How a long command is asked to end: a first signal lets it drain, a second one does not wait.
import { constants } from 'node:os';

export interface Ending {
  /** Aborts with the first request to end. */
  readonly signal: AbortSignal;
  /** Gives the signals back. */
  release(): void;
}

const FORCED_EXIT = 128 + constants.signals.SIGINT;

/** The part of `process` that is listened to. */
export interface Signals {
  on(name: string, listener: () => void): unknown;
  off(name: string, listener: () => void): unknown;
  exit(code: number): unknown;
}

/** `onAsked` says so to the user, with what asked; `onForced` puts the terminal back in order. */
export function listenForEnd(onAsked: (by: string) => void, onForced: () => void = () => {}, signals: Signals = process): Ending {
  const controller = new AbortController();
  const ask = (by: string, mayForce: boolean): void => {
    if (!controller.signal.aborted) {
      onAsked(by);
      controller.abort();
    } else if (mayForce) {
      onForced();
      signals.exit(FORCED_EXIT);
    }
  };
  const listeners: (readonly [string, () => void])[] = [
    ...(['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => [name, () => ask(name, true)] as const),
    // The launcher is gone and nobody is left to ask: drain. It follows a signal as often as it comes alone, so it forces nothing.
    ['disconnect', () => ask('the end of the launcher', false)],
  ];
  for (const [name, listener] of listeners) signals.on(name, listener);
  return {
    signal: controller.signal,
    release() {
      for (const [name, listener] of listeners) signals.off(name, listener);
    },
  };
}
