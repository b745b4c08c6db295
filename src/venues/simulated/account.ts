// The money at the venue: cash, positions, and with margin what stands behind each. Exact; one trade is one change of it.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import {
  absolute,
  add,
  amountFrom,
  compare,
  isZero,
  larger,
  negate,
  notional,
  priceFrom,
  proportion,
  signOf,
  smaller,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { bracketsFrom, defaultTiers, liquidationPrice, maintenanceOf, type Brackets, type MarginedPosition } from './margin.ts';
import type { MatchingRules } from './rules.ts';

const ONE = amountFrom(1);

export interface AccountParts {
  readonly instruments: readonly Instrument[];
  readonly capital: Amount;
  /** What a position's notional is divided by for the margin that it posts. */
  readonly leverage: number;
  readonly rules: MatchingRules;
  /** The second half of the instruments are the first once more, for the short positions in them. */
  readonly isHedged: boolean;
}

/** What became of the margin of a position that was liquidated. */
export interface Liquidation {
  /** The venue's, at most what was left. */
  readonly fee: Amount;
  readonly insurance: Amount;
  readonly deleveraged: Amount;
}

export class Account implements Stateful {
  readonly #instruments: readonly Instrument[];
  readonly #rules: MatchingRules;
  readonly #leverage: Amount;
  readonly #brackets: readonly Brackets[];
  readonly #hasMargin: boolean;
  /** From a long position to the short one of its instrument, and back; 0 where there is one position. */
  readonly #toTwin: number;
  readonly #liquidationFeeRate: Amount;
  /** By instrument, signed. */
  readonly position: Quantity[];
  /** Everything that was received less what was paid, notional included. */
  cash: Amount;
  /** By instrument, with margin only: average cost x position, signed. */
  readonly #cost: Amount[];
  /** By instrument: the margin posted for an isolated position. */
  readonly #posted: Amount[];
  /** What the insurance fund holds. */
  #fund: Amount;

  constructor({ instruments, capital, leverage, rules, isHedged }: AccountParts) {
    this.#toTwin = isHedged ? instruments.length / 2 : 0;
    this.#instruments = instruments;
    this.#rules = rules;
    this.#leverage = amountFrom(leverage);
    this.#hasMargin = rules.margin === 'isolated' || rules.margin === 'cross';
    this.#brackets = this.#hasMargin
      ? instruments.map(({ symbol }) => bracketsFrom(symbol, rules.marginTiers[symbol] ?? defaultTiers(symbol)))
      : [];
    this.#liquidationFeeRate = amountFrom(rules.liquidationFeeRate);
    this.position = instruments.map(() => ZERO_QUANTITY);
    this.cash = capital;
    this.#cost = instruments.map(() => ZERO_AMOUNT);
    this.#posted = instruments.map(() => ZERO_AMOUNT);
    this.#fund = amountFrom(Number.isFinite(rules.insuranceFund) ? rules.insuranceFund : 0);
  }

  /** This position may be liquidated. */
  isMargined(instrument: number): boolean {
    return this.#hasMargin && this.#instruments[instrument]?.kind === 'linear' && !isZero(this.position[instrument] ?? ZERO_QUANTITY);
  }

  /** Books a trade. @param change signed: positive buys @param value its notional, never negative */
  trade(instrument: number, change: Quantity, price: Price, value: Amount, fee: Amount): void {
    const before = this.position[instrument] ?? ZERO_QUANTITY;
    const paid = signOf(change) < 0 ? negate(value) : value;
    this.position[instrument] = add(before, change);
    this.cash = subtract(subtract(this.cash, paid), fee);
    if (this.#hasMargin && this.#instruments[instrument]?.kind === 'linear') this.#margin(instrument, before, change, price, paid);
  }

  #margin(instrument: number, before: Quantity, change: Quantity, price: Price, paid: Amount): void {
    const closed = closedBy(before, change);
    const { cost, posted } = this.#shareOf(instrument, before, closed);
    const opened = isZero(closed) ? paid : subtract(paid, notional(price, closed));
    this.#cost[instrument] = add(subtract(this.#cost[instrument] ?? ZERO_AMOUNT, cost), opened);
    const fresh = this.#rules.margin === 'isolated' ? this.#initial(absolute(opened)) : ZERO_AMOUNT;
    this.#posted[instrument] = add(subtract(this.#posted[instrument] ?? ZERO_AMOUNT, posted), fresh);
  }

  /** What leaves with a part of the position: its cost and its posted margin. @param closed signed as the trade that closes it */
  #shareOf(instrument: number, before: Quantity, closed: Quantity): { readonly cost: Amount; readonly posted: Amount } {
    if (isZero(closed)) return { cost: ZERO_AMOUNT, posted: ZERO_AMOUNT };
    const [part, whole] = [absolute(closed), absolute(before)];
    return {
      cost: proportion(this.#cost[instrument] ?? ZERO_AMOUNT, part, whole),
      posted: proportion(this.#posted[instrument] ?? ZERO_AMOUNT, part, whole),
    };
  }

  #initial(value: Amount): Amount {
    return proportion(value, ONE, this.#leverage);
  }

  /** Money that no position has posted: of the linear positions only the result is in it. */
  #free(): Amount {
    let free = this.cash;
    for (let index = 0; index < this.#cost.length; index++) {
      free = subtract(add(free, this.#cost[index] ?? ZERO_AMOUNT), this.#posted[index] ?? ZERO_AMOUNT);
    }
    return free;
  }

  /** A trade would post more margin than is free once what it closes has been let go. For isolated margin. */
  lacksMargin(instrument: number, change: Quantity, price: Price, fee: Amount): boolean {
    const before = this.position[instrument] ?? ZERO_QUANTITY;
    const closed = closedBy(before, change);
    const opened = subtract(change, closed);
    if (isZero(opened)) return false;
    const { cost, posted } = this.#shareOf(instrument, before, closed);
    // Closing brings what was posted and its result: what it sells for less what it had cost.
    const released = subtract(posted, add(cost, notional(price, closed)));
    return compare(this.#initial(absolute(notional(price, opened))), subtract(add(this.#free(), released), fee)) > 0;
  }

  /** Received less paid. What the free balance cannot pay of an isolated position's funding is taken from its margin, as Bybit does. */
  fund(instrument: number, payment: Amount): void {
    this.cash = add(this.cash, payment);
    if (this.#rules.margin !== 'isolated' || signOf(payment) >= 0) return;
    const free = this.#free();
    if (signOf(free) >= 0) return;
    const taken = smaller(smaller(negate(free), negate(payment)), this.#posted[instrument] ?? ZERO_AMOUNT);
    this.#posted[instrument] = subtract(this.#posted[instrument] ?? ZERO_AMOUNT, taken);
  }

  /** The position as margin sees it. @param marks by instrument: last prices of the others */
  #margined(instrument: number, marks: Float64Array): MarginedPosition {
    return {
      quantity: this.position[instrument] ?? ZERO_QUANTITY,
      cost: this.#cost[instrument] ?? ZERO_AMOUNT,
      behind: this.#behind(instrument, marks),
      brackets: this.#brackets[instrument] ?? [],
      basis: this.#rules.maintenanceBasis,
      ...this.#twinOf(instrument, marks),
    };
  }

  /** With cross margin the other position in the same instrument, whose value moves with it. */
  #twinOf(instrument: number, marks: Float64Array): Pick<MarginedPosition, 'twin'> | undefined {
    const other = this.#twin(instrument);
    const quantity = this.position[other] ?? ZERO_QUANTITY;
    if (other === instrument || isZero(quantity) || this.#rules.margin !== 'cross') return undefined;
    return { twin: { quantity, cost: this.#cost[other] ?? ZERO_AMOUNT, mark: marks[instrument] ?? NaN } };
  }

  #twin(instrument: number): number {
    return instrument < this.#toTwin ? instrument + this.#toTwin : instrument - this.#toTwin;
  }

  #behind(instrument: number, marks: Float64Array): Amount {
    if (this.#rules.margin === 'isolated') return this.#posted[instrument] ?? ZERO_AMOUNT;
    return subtract(
      add(this.#worthWithout(instrument, marks), this.#cost[instrument] ?? ZERO_AMOUNT),
      this.#needsWithout(instrument, marks),
    );
  }

  /** Cash and the positions in every other instrument at its last price. */
  #worthWithout(instrument: number, marks: Float64Array): Amount {
    let worth = this.cash;
    for (let other = 0; other < this.position.length; other++) {
      if (other !== instrument && other !== this.#twin(instrument)) worth = add(worth, this.#valueAt(other, marks));
    }
    return worth;
  }

  #needsWithout(instrument: number, marks: Float64Array): Amount {
    let needs = ZERO_AMOUNT;
    for (let other = 0; other < this.position.length; other++) {
      if (other === instrument || other === this.#twin(instrument) || !this.isMargined(other)) continue;
      const value = this.#rules.maintenanceBasis === 'entry' ? (this.#cost[other] ?? ZERO_AMOUNT) : this.#valueAt(other, marks);
      needs = add(needs, maintenanceOf(absolute(value), this.#brackets[other] ?? []));
    }
    return needs;
  }

  #valueAt(instrument: number, marks: Float64Array): Amount {
    const position = this.position[instrument] ?? ZERO_QUANTITY;
    const tick = this.#instruments[instrument]?.tick;
    if (isZero(position) || tick === undefined) return ZERO_AMOUNT;
    return notional(priceFrom(marks[instrument] ?? NaN, tick, 'nearest'), position);
  }

  /** Where the position is liquidated; undefined where no price does it. Only for one that is margined. */
  liquidationPrice(instrument: number, marks: Float64Array): Price | undefined {
    const tick = this.#instruments[instrument]?.tick;
    return tick === undefined ? undefined : liquidationPrice(this.#margined(instrument, marks), tick);
  }

  /** Closes the whole position at a price. The fee takes at most what is left of the margin; what is lost beyond it others bear. */
  liquidate(instrument: number, price: Price, marks: Float64Array): Liquidation {
    const held = this.position[instrument] ?? ZERO_QUANTITY;
    const value = notional(price, held);
    const left =
      this.#rules.margin === 'isolated'
        ? subtract(add(this.#posted[instrument] ?? ZERO_AMOUNT, value), this.#cost[instrument] ?? ZERO_AMOUNT)
        : add(add(this.#worthWithout(instrument, marks), value), this.#twinAt(instrument, price));
    const asked = proportion(absolute(value), this.#liquidationFeeRate, ONE);
    const fee = smaller(asked, larger(left, ZERO_AMOUNT));
    const lacking = larger(negate(left), ZERO_AMOUNT);
    const insurance = this.#rules.insuranceFund === Infinity ? lacking : smaller(lacking, this.#fund);
    this.#fund = subtract(add(this.#fund, fee), insurance);
    this.trade(instrument, negate(held), price, notional(price, absolute(held)), subtract(fee, lacking));
    return { fee, insurance, deleveraged: subtract(lacking, insurance) };
  }

  #twinAt(instrument: number, price: Price): Amount {
    const other = this.#twin(instrument);
    return other === instrument ? ZERO_AMOUNT : notional(price, this.position[other] ?? ZERO_QUANTITY);
  }

  /** Cash plus positions at these prices. An estimate. */
  equity(marks: Float64Array): number {
    let equity = toNumber(this.cash);
    for (let index = 0; index < this.position.length; index++) {
      const held = toNumber(this.position[index] ?? ZERO_QUANTITY);
      if (held !== 0) equity += held * (marks[index] ?? NaN);
    }
    return equity;
  }

  save(out: ByteWriter): void {
    for (const position of this.position) out.decimal(position);
    out.decimal(this.cash);
    if (!this.#hasMargin) return;
    for (const cost of this.#cost) out.decimal(cost);
    for (const posted of this.#posted) out.decimal(posted);
    out.decimal(this.#fund);
  }

  restore(from: ByteReader): void {
    for (let index = 0; index < this.position.length; index++) this.position[index] = from.decimal();
    this.cash = from.decimal();
    if (!this.#hasMargin) return;
    for (const list of [this.#cost, this.#posted]) for (let index = 0; index < list.length; index++) list[index] = from.decimal();
    this.#fund = from.decimal();
  }
}

/** The part of a trade that closes, signed as the trade. */
function closedBy(before: Quantity, change: Quantity): Quantity {
  if (signOf(before) === 0 || signOf(before) === signOf(change)) return ZERO_QUANTITY;
  return compare(absolute(change), absolute(before)) >= 0 ? negate(before) : change;
}
