// Ends a strategy that never returns: JavaScript that spins cannot be interrupted from inside, but the engine's watchdog can.
import { Script } from 'node:vm';

/** A slice of the loop takes 20 ms; one that takes this long is held by a strategy that does not return. */
export const SLICE_TIMEOUT_MS = 10_000;

const holder = globalThis as { __ballastGuarded?: () => void };
const script = new Script('globalThis.__ballastGuarded()');

/** Runs the body; throws ERR_SCRIPT_EXECUTION_TIMEOUT when it takes longer. About 90 µs a call, and milliseconds on a busy machine: for a slice. */
export function guarded(body: () => void, timeoutMs: number): void {
  const outer = holder.__ballastGuarded;
  holder.__ballastGuarded = body;
  try {
    script.runInThisContext({ timeout: timeoutMs });
  } finally {
    if (outer === undefined) delete holder.__ballastGuarded;
    else holder.__ballastGuarded = outer;
  }
}

export function isTimeout(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
}
