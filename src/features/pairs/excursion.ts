// A spread on its way out and back: when it may be traded, and when it has had its chance. A function of the z-scores alone.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';

/** In deviations, the exit below the entry and the entry below the stop. */
export interface ExcursionLevels {
  readonly entry: number;
  readonly exit: number;
  readonly stop: number;
  /** Bars after which one that has not come back has had its chance. */
  readonly longest: number;
}

/**
 * Begins at `entry`, ends at `exit`. One that reached the stop, or took too long, is spent: it is not traded any more, and no other begins
 * on its side before it has ended. Without that the bar after a stop would enter again.
 */
export class Excursion implements Stateful {
  readonly #levels: ExcursionLevels;
  /** Of the z-score; 0 where there is none. */
  side: -1 | 0 | 1 = 0;
  /** Since it began. */
  bars = 0;
  isSpent = false;

  constructor(levels: ExcursionLevels) {
    this.#levels = levels;
  }

  /** One that may be traded. */
  get isOpen(): boolean {
    return this.side !== 0 && !this.isSpent;
  }

  /** What is not a number says nothing, and takes no time. */
  push(zScore: number): void {
    if (Number.isNaN(zScore)) return;
    const { entry, exit, stop, longest } = this.#levels;
    if (this.side !== 0) this.bars++;
    if (zScore * this.side <= exit) {
      this.side = zScore >= entry ? 1 : zScore <= -entry ? -1 : 0;
      this.bars = 0;
      this.isSpent = false;
    }
    if (this.side !== 0 && (zScore * this.side >= stop || this.bars >= longest)) this.isSpent = true;
  }

  /** Whatever it was, it is over. */
  end(): void {
    this.side = 0;
    this.bars = 0;
    this.isSpent = false;
  }

  save(out: ByteWriter): void {
    out.byte(this.side + 1);
    out.count(this.bars);
    out.flag(this.isSpent);
  }

  restore(from: ByteReader): void {
    const side = from.byte() - 1;
    this.side = side > 0 ? 1 : side < 0 ? -1 : 0;
    this.bars = from.count();
    this.isSpent = from.flag();
  }
}
