// A venue's filters as they were: tick, lot and minima change at dated instants, and an order is held to those of the moment it arrives.
import { amountFrom, priceFrom, quantityFrom, ZERO_PRICE, ZERO_QUANTITY } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';

/** What holds of a symbol from a moment on; what is not said stays as it was before. A symbol that is not traded is passed over. */
export interface DatedFilter {
  readonly symbol: string;
  /** Inclusive. */
  readonly from: TimeMs;
  /** Quote currency; 0 is no filter, here and below. */
  readonly tick?: number | undefined;
  /** Base currency. */
  readonly lot?: number | undefined;
  readonly minimumQuantity?: number | undefined;
  /** Quote currency. */
  readonly minimumNotional?: number | undefined;
}

/** The instruments as they are at the time that was reached last. Derived from that time: no state of its own. */
export class DatedFilters {
  /** By instrument, and once more for the short positions of a hedged account. Replaced in place. */
  readonly current: Instrument[];
  readonly #first: readonly Instrument[];
  /** In order of time. */
  readonly #dated: readonly DatedFilter[];
  #next = 0;
  /** When something changes next: until then nobody need ask. */
  nextAt: TimeMs;

  constructor(instruments: readonly Instrument[], dated: readonly DatedFilter[]) {
    this.#first = instruments;
    this.current = [...instruments];
    this.#dated = dated.toSorted((left, right) => left.from - right.from);
    this.nextAt = this.#dated[0]?.from ?? NEVER;
  }

  /** Makes them what they were at `at`, which is not before the time reached last. */
  reach(at: TimeMs): void {
    while (at >= this.nextAt) {
      const change = this.#dated[this.#next++];
      this.nextAt = this.#dated[this.#next]?.from ?? NEVER;
      if (change === undefined) return;
      for (let index = 0; index < this.current.length; index++) {
        const instrument = this.current[index];
        if (instrument?.symbol === change.symbol) this.current[index] = { ...instrument, ...stepsOf(change) };
      }
    }
  }

  /** Does something as if it were `at`, which is not before the time reached last. */
  during(at: TimeMs, look: () => void): void {
    const before = [...this.current];
    const [next, nextAt] = [this.#next, this.nextAt];
    this.reach(at);
    look();
    for (const [index, instrument] of before.entries()) this.current[index] = instrument;
    [this.#next, this.nextAt] = [next, nextAt];
  }

  /** Another version of one, whenever its dated filters change. */
  replace(index: number, instrument: Instrument): void {
    this.current[index] = instrument;
  }

  /** As if no time had passed. */
  rewind(): void {
    for (let index = 0; index < this.current.length; index++) {
      const instrument = this.#first[index];
      if (instrument !== undefined) this.current[index] = instrument;
    }
    this.#next = 0;
    this.nextAt = this.#dated[0]?.from ?? NEVER;
  }
}

function stepsOf({ tick, lot, minimumQuantity, minimumNotional }: DatedFilter): Partial<Instrument> {
  return {
    ...(tick === undefined ? undefined : { tick: priceFrom(tick, ZERO_PRICE, 'nearest') }),
    ...(lot === undefined ? undefined : { lot: quantityFrom(lot, ZERO_QUANTITY, 'nearest') }),
    ...(minimumQuantity === undefined ? undefined : { minimumQuantity: quantityFrom(minimumQuantity, ZERO_QUANTITY, 'nearest') }),
    ...(minimumNotional === undefined ? undefined : { minimumNotional: amountFrom(minimumNotional) }),
  };
}
