// Work that takes a while: it shows how far it is, drains at the first signal, and leaves the terminal in order however it ends.
import { listenForEnd } from './ending.ts';
import { Progress } from './progress.ts';
import type { Output } from './terminal.ts';

/** @param label what stands before the bar @param work its result, once the bar is gone */
export async function longWork<Result>(
  output: Output,
  label: string,
  work: (onProgress: (finished: number, total: number) => void, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const progress = new Progress(output, label);
  const ending = listenForEnd(
    (by) => {
      progress.end();
      output.write(`${by}: ending; a second signal does not wait\n`);
    },
    () => progress.end(),
  );
  try {
    return await work((finished, total) => progress.update(finished, total), ending.signal);
  } finally {
    progress.end();
    ending.release();
  }
}
