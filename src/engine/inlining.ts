// How the loop is compiled. What happens to an order goes through hundreds of small functions, and V8 compiles at most 920 bytes of others into
// one: with three times as much numbers stay in registers from one to the next, exact ones too, where each call would put them on the heap.
import { setFlagsFromString } from 'node:v8';
import { isMainThread } from 'node:worker_threads';

/** Bytes of bytecode: of one function that is compiled into another, and of all that are. */
const INLINED = { 'max-inlined-bytecode-size': 1_500, 'max-inlined-bytecode-size-cumulative': 3_000 } as const;

/**
 * Lets more be compiled into what calls it, from now on and in the whole process: it changes how fast code is, never what it does. Only where
 * the process has one loop; in a pool of threads nobody may write what another reads.
 */
export function inlineMore(): void {
  if (!isMainThread) return;
  for (const [flag, bytes] of Object.entries(INLINED)) setFlagsFromString(`--${flag}=${bytes}`);
}
