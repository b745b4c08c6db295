// What every sleeve wants: frozen stance, target quantities, stop, latch. Decisions and reflexes change it; the planner orders the difference.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { ZERO_QUANTITY, type Quantity } from '../domain/decimal.ts';
import type { Holdings } from '../domain/sleeve.ts';

export class Wants implements Stateful {
  /** By holding, signed: frozen with the opinion, at that moment's equity and price. */
  readonly target: Quantity[];
  /** By holding: the last target of its sleeve that was not flat in every leg. How far each leg is towards it should be alike in all. */
  readonly whole: Float64Array;
  /** By sleeve: the pooled stance behind the target. */
  readonly stance: Float64Array;
  /** By sleeve: the side on which it was stopped or closed, until it re-arms; 0 when armed. */
  readonly latchedSide: Int8Array;
  /** By sleeve: the side that the levels below protect: of the position, or while a flip is on its way of the one that is coming. */
  readonly levelSide: Int8Array;
  /** By sleeve: distance of the stop from the price at the freeze, as a ratio. */
  readonly stopRatio: Float64Array;
  /** By sleeve: where its stop is now; for a pair, on the log spread; NaN when it has none. */
  readonly stopPrice: Float64Array;
  /** By sleeve: the price (log spread for a pair) at the freeze that opened the position. */
  readonly openedPrice: Float64Array;
  /** By sleeve: one R, the first distance between price and stop. */
  readonly initialRisk: Float64Array;
  /** By sleeve: how many R the trailing stop keeps behind; NaN for none. */
  readonly trailR: Float64Array;
  /** By sleeve: how far the stop is kept behind the best price, as a ratio of it, in place of `trailR`; NaN for none. */
  readonly trailRatio: Float64Array;
  /** By sleeve: the best price since the position opened. */
  readonly bestPrice: Float64Array;
  /** By sleeve: when its position opened, and when its last one closed; NaN for never. */
  readonly heldSince: Float64Array;
  readonly closedAt: Float64Array;
  /** By instrument: level of the disaster stop of the side that is held, set when it opens or flips, then only tightened; NaN for none. */
  readonly disasterPrice: Float64Array;

  constructor(sleeveCount: number, holdings: Holdings, instrumentCount: number) {
    const unknown = (): Float64Array => new Float64Array(sleeveCount).fill(NaN);
    this.target = Array.from({ length: holdings.count }, () => ZERO_QUANTITY);
    this.whole = new Float64Array(holdings.count);
    this.stance = new Float64Array(sleeveCount);
    this.latchedSide = new Int8Array(sleeveCount);
    this.levelSide = new Int8Array(sleeveCount);
    this.stopRatio = unknown();
    this.stopPrice = unknown();
    this.openedPrice = unknown();
    this.initialRisk = unknown();
    this.trailR = unknown();
    this.trailRatio = unknown();
    this.bestPrice = unknown();
    this.heldSince = unknown();
    this.closedAt = unknown();
    this.disasterPrice = new Float64Array(instrumentCount).fill(NaN);
  }

  #columns(): readonly Float64Array[] {
    return [
      this.whole,
      this.stance,
      this.stopRatio,
      this.stopPrice,
      this.openedPrice,
      this.initialRisk,
      this.trailR,
      this.trailRatio,
      this.bestPrice,
      this.heldSince,
      this.closedAt,
      this.disasterPrice,
    ];
  }

  save(out: ByteWriter): void {
    for (const value of this.target) out.decimal(value);
    for (const column of this.#columns()) out.numbers(column);
    for (const sides of [this.latchedSide, this.levelSide]) for (const side of sides) out.byte(side + 1);
  }

  restore(from: ByteReader): void {
    for (let holding = 0; holding < this.target.length; holding++) this.target[holding] = from.decimal();
    for (const column of this.#columns()) from.numbers(column);
    for (const sides of [this.latchedSide, this.levelSide])
      for (let sleeve = 0; sleeve < sides.length; sleeve++) sides[sleeve] = from.byte() - 1;
  }
}
