// Settled funding rates as events: known when they are settled, and not before.
import type { FundingAnnounced } from '../domain/event.ts';
import type { FundingRates } from '../domain/funding.ts';
import type { Source } from '../domain/ports.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';

export interface FundingSourceParts {
  readonly instrument: number;
  readonly rates: FundingRates;
  /** What is settled at or before this is of the warm-up. */
  readonly from: TimeMs;
  /** Nothing after this is said. */
  readonly until: TimeMs;
}

export class FundingSource implements Source {
  readonly #rates: FundingRates;
  readonly #from: TimeMs;
  readonly #until: TimeMs;
  readonly #event: FundingAnnounced;
  #row = 0;

  constructor({ instrument, rates, from, until }: FundingSourceParts) {
    this.#rates = rates;
    this.#from = from;
    this.#until = until;
    this.#event = { kind: 'funding.announced', at: NaN, happenedAt: NaN, instrument, rate: NaN, settlesAt: NaN, warmup: false };
  }

  get ended(): boolean {
    return this.peekAt() === NEVER;
  }

  peekAt(): TimeMs {
    const at = this.#rates.at[this.#row] ?? NEVER;
    return at > this.#until ? NEVER : at;
  }

  take(): FundingAnnounced {
    const event = this.#event;
    const at = this.peekAt();
    event.at = at;
    event.happenedAt = at;
    event.settlesAt = at;
    event.rate = this.#rates.rate[this.#row++] ?? NaN;
    event.warmup = at <= this.#from;
    return event;
  }
}
