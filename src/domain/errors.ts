// The one error that a person is meant to read. A bug is an assertion; an expected outcome is a value; this is the world being wrong.

export interface ErrorParts {
  /** Stable and documented in docs/reference/errors.md. */
  readonly code: string;
  /** Where: a file and line, a config field, a flag, a run. */
  readonly place: string;
  readonly found: string;
  readonly expected: string;
  /** What to do about it, where that is not plain from `expected`. */
  readonly remedy?: string;
  readonly cause?: unknown;
  /** 2 for bad arguments or config, 1 for everything else. */
  readonly exitCode?: 1 | 2;
}

/** Says the place, what was found, what was expected and what to do. Printed without a stack trace. */
export class BallastError extends Error {
  readonly code: string;
  readonly place: string;
  readonly found: string;
  readonly expected: string;
  readonly remedy: string | undefined;
  readonly exitCode: 1 | 2;

  constructor(parts: ErrorParts) {
    const remedy = parts.remedy === undefined ? '' : ` (${parts.remedy})`;
    super(`${parts.place}: found ${parts.found}, expected ${parts.expected}${remedy}`, { cause: parts.cause });
    this.name = 'BallastError';
    this.code = parts.code;
    this.place = parts.place;
    this.found = parts.found;
    this.expected = parts.expected;
    this.remedy = parts.remedy;
    this.exitCode = parts.exitCode ?? 1;
  }
}

/** A bug if it does not hold: the process stops and says where. */
export function assert(condition: boolean, whatMustHold: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${whatMustHold}`);
}

/** For the default branch of a switch over a closed union. */
export function unreachable(value: never): never {
  throw new Error(`broken invariant: unreachable value ${JSON.stringify(value)}`);
}
