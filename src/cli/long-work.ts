// Work that takes a while: it shows how far it is, drains at the first signal, and leaves the terminal in order however it ends.
import { listenForEnd } from './ending.ts';
import { Progress } from './progress.ts';
import type { Output } from './terminal.ts';

/** How far work is. A stage of it has a bar of its own, under its own name. */
export type OnProgress = (finished: number, total: number, stage?: string) => void;

/** @param label what stands before the bar @param work its result, once the bar is gone */
export async function longWork<Result>(
  output: Output,
  label: string,
  work: (onProgress: OnProgress, signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  let shown = label;
  let progress = new Progress(output, label);
  const ending = listenForEnd(
    (by) => {
      progress.end();
      output.write(`${by}: ending; a second signal does not wait\n`);
    },
    () => progress.end(),
  );
  const onProgress: OnProgress = (finished, total, stage = label) => {
    if (stage !== shown) {
      progress.end();
      progress = new Progress(output, stage);
      shown = stage;
    }
    progress.update(finished, total);
  };
  try {
    return await work(onProgress, ending.signal);
  } finally {
    progress.end();
    ending.release();
  }
}
