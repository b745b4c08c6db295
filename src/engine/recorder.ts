// Where the loop keeps what it was told and what it concluded, before it acts on either.
import type { Entry } from '../domain/entry.ts';
import type { TapeEvent } from '../domain/event.ts';

export interface Recorder {
  /** To the tape: prices, books, rates and timers, in the order in which the loop saw them. */
  market(event: TapeEvent): void;
  /** To the journal: everything that we owe or decided. */
  entry(entry: Entry, sequence: number): void;
  /** Durable before anything leaves the process. */
  commit(): void;
}
