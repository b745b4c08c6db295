// Ends a question to a strategy that never returns. `node:vm` starts a thread for each, and waits for its beginning and its end: on a busy machine
// that took longer than all the rest of an order. The inspector's watch is one thread for all questions, and nobody waits for it.
import { Session } from 'node:inspector';
import { guarded } from './guard.ts';

/** Watches that have not run out yet, a few hundred bytes each. Whoever asks more often within a timeout waits for a thread again. */
const MOST_WATCHES = 20_000;

const holder = globalThis as { __ballastAsked?: () => void };

/**
 * About 10 µs beside what the question takes. What is returned throws ERR_SCRIPT_EXECUTION_TIMEOUT where it takes longer, as `guarded` does, and
 * whatever the question throws; one question does not ask another.
 */
export function questionGuard(timeoutMs: number): (question: () => void) => void {
  const session = new Session();
  session.connect();
  const evaluation = { expression: 'globalThis.__ballastAsked()', timeout: timeoutMs, silent: true };
  let since = -Infinity;
  let watches = 0;
  return (question) => {
    const now = performance.now();
    if (now - since > timeoutMs) {
      since = now;
      watches = 0;
    }
    if (++watches > MOST_WATCHES) {
      guarded(question, timeoutMs);
      return;
    }
    const outcome: { hasEnded: boolean; failure?: { readonly cause: unknown } } = { hasEnded: false };
    holder.__ballastAsked = () => {
      try {
        question();
      } catch (cause) {
        // Kept as it is: the inspector would make text of it. What is ended from outside comes by no catch.
        outcome.failure = { cause };
      }
      outcome.hasEnded = true;
    };
    session.post('Runtime.evaluate', evaluation);
    delete holder.__ballastAsked;
    if (outcome.failure !== undefined) throw outcome.failure.cause;
    if (outcome.hasEnded) return;
    throw Object.assign(new Error(`Script execution timed out after ${timeoutMs}ms`), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
  };
}
