// At which price each position is liquidated: looked up again only where something has changed, because it is asked with every bar.
import { signOf, toNumber, ZERO_QUANTITY } from '../../domain/decimal.ts';
import type { MarketEvent } from '../../domain/event.ts';
import type { Account } from './account.ts';

/** Derived from account and marks: no state of its own. */
export class LiquidationLevels {
  readonly #account: Account;
  /** By instrument: last prices. */
  readonly #marks: Float64Array;
  /** NaN where no price liquidates. */
  readonly #level: Float64Array;
  readonly #isStale: Uint8Array;

  constructor(account: Account, marks: Float64Array) {
    this.#account = account;
    this.#marks = marks;
    this.#level = new Float64Array(marks.length).fill(NaN);
    this.#isStale = new Uint8Array(marks.length).fill(1);
  }

  changed(instrument: number): void {
    this.#isStale[instrument] = 1;
  }

  allChanged(): void {
    this.#isStale.fill(1);
  }

  /** How far the market went from the bar's open to get there, as a stop is ranked. Infinity where it did not. */
  rank(instrument: number, { open, high, low }: Readonly<MarketEvent>): number {
    const level = this.at(instrument);
    const isLong = this.#isLong(instrument);
    if (Number.isNaN(level) || (isLong ? low > level : high < level)) return Infinity;
    return Math.max(0, isLong ? open - level : level - open);
  }

  /** Where the position is closed in a bar that liquidates it: at its level, or at the open that was beyond it. */
  priceIn(instrument: number, { open }: Readonly<MarketEvent>): number {
    const level = this.at(instrument);
    return this.#isLong(instrument) ? Math.min(open, level) : Math.max(open, level);
  }

  #isLong(instrument: number): boolean {
    return signOf(this.#account.position[instrument] ?? ZERO_QUANTITY) > 0;
  }

  /** NaN where no price liquidates. */
  at(instrument: number): number {
    if (this.#isStale[instrument] === 1) {
      const price = this.#account.liquidationPrice(instrument, this.#marks);
      this.#level[instrument] = price === undefined ? NaN : toNumber(price);
      this.#isStale[instrument] = 0;
    }
    return this.#level[instrument] ?? NaN;
  }
}
