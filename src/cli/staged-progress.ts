// Progress of what reads and then writes into the store.
import { BallastError } from '../domain/errors.ts';
import { listenForEnd, type Ending } from './ending.ts';
import { Progress } from './progress.ts';
import type { Terminal } from './terminal.ts';

/** In the words of the message to whoever asked it to end: the command, what it has to come to the end of, and what it leaves behind. */
export interface Work {
  readonly place: string;
  readonly whole: string;
  readonly nothing: string;
}

/**
 * A bar of progress for each stage, and between two steps the place where work that was asked to end does so: what was read is merged
 * whole or not at all, and the last step is before it is published.
 */
export class StagedProgress {
  readonly #terminal: Terminal;
  readonly #work: Work;
  #stage = '';
  #progress: Progress | undefined;
  readonly #ending: Ending;

  constructor(terminal: Terminal, work: Work) {
    this.#terminal = terminal;
    this.#work = work;
    this.#ending = listenForEnd(
      (by) => {
        this.end();
        terminal.stderr.write(`${by}: ending; a second signal does not wait\n`);
      },
      () => this.end(),
    );
  }

  /** @throws BallastError IMPORT_STOPPED where it was asked to end */
  update(stage: string, finished: number, total: number): void {
    if (this.#ending.signal.aborted) {
      const { place, whole, nothing } = this.#work;
      throw new BallastError({
        code: 'IMPORT_STOPPED',
        place,
        found: `a stop while ${stage}`,
        expected: `to come to the end of ${whole}`,
        remedy: `${nothing}; the same command begins again`,
      });
    }
    if (stage !== this.#stage) {
      this.end();
      this.#stage = stage;
      this.#progress = new Progress(this.#terminal.stderr, stage);
    }
    this.#progress?.update(finished, total);
  }

  end(): void {
    this.#progress?.end();
  }

  /** Ends it, and gives the signals back. */
  release(): void {
    this.end();
    this.#ending.release();
  }
}
