// Fills become positions and cash. The ledger is exact and kept by sleeve; the float mirrors beside it are what a bar touches.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import {
  absolute,
  add,
  compare,
  isZero,
  larger,
  negate,
  notional,
  proportion,
  quantityFrom,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../domain/decimal.ts';
import { assert } from '../domain/errors.ts';
import { scaledShares, type Share, type Side } from '../domain/order.ts';
import type { Holdings, PortfolioView, Sleeve } from '../domain/sleeve.ts';

/** Shares of one holding in a trade: signed quantity at a price, with the part of the fee. */
export interface Booking {
  readonly holding: number;
  readonly quantity: Quantity;
}

export class Portfolio implements PortfolioView, Stateful {
  readonly #holdings: Holdings;
  readonly #sleeveCount: number;
  /** By instrument: the lot in which a disaster fill is divided; not rounded where there is none. */
  readonly #lots: readonly Quantity[];
  readonly quantity: Quantity[];
  readonly held: Float64Array;
  readonly net: Quantity[];
  /** Float mirror of `net`. */
  readonly netHeld: Float64Array;
  readonly entryPrice: Float64Array;
  /** Signed cost of what is held, by holding: what was paid less what was closed at average cost. */
  readonly cost: Amount[];
  readonly cash: Amount[];
  /** By sleeve, and of no sleeve last: what it was given, at the start and by transfers, less what transfers took. */
  readonly givenCash: Amount[];
  /** What `givenCash` was before any transfer. */
  readonly #startingCash: readonly Amount[];
  /** Paid, by sleeve. */
  readonly fees: Amount[];
  /** Received less paid, by sleeve. */
  readonly funding: Amount[];
  /** Before fees and funding, by sleeve. */
  readonly realised: Amount[];
  readonly mark: Float64Array;
  #equity = NaN;

  /** The capital is split by the sleeves' shares; what no sleeve has is the reserve, the last entry of `cash`. */
  constructor(sleeves: readonly Sleeve[], holdings: Holdings, instrumentCount: number, capital: Amount, lots: readonly Quantity[] = []) {
    this.#holdings = holdings;
    this.#lots = lots;
    this.#sleeveCount = sleeves.length;
    this.quantity = Array.from({ length: holdings.count }, () => ZERO_QUANTITY);
    this.held = new Float64Array(holdings.count);
    this.entryPrice = new Float64Array(holdings.count).fill(NaN);
    this.cost = Array.from({ length: holdings.count }, () => ZERO_AMOUNT);
    this.net = Array.from({ length: instrumentCount }, () => ZERO_QUANTITY);
    this.netHeld = new Float64Array(instrumentCount);
    this.mark = new Float64Array(instrumentCount).fill(NaN);
    this.cash = [];
    let rest = capital;
    const one = quantityFrom(1, ZERO_QUANTITY, 'nearest');
    for (const sleeve of sleeves) {
      // Downward, so that three thirds are never more than there is.
      const part = proportion(capital, quantityFrom(sleeve.shareRatio, ZERO_QUANTITY, 'down'), one);
      this.cash.push(part);
      rest = subtract(rest, part);
    }
    this.cash.push(rest);
    this.givenCash = [...this.cash];
    this.#startingCash = [...this.cash];
    const zeros = (): Amount[] => Array.from({ length: sleeves.length }, () => ZERO_AMOUNT);
    this.fees = zeros();
    this.funding = zeros();
    this.realised = zeros();
    this.remark();
  }

  /** Cash plus everything held at its last mark: an estimate, moved with every mark. */
  get equity(): number {
    return this.#equity;
  }

  /** A price moved: the float mirrors follow. No allocation, no exact arithmetic. */
  markAt(instrument: number, price: number): void {
    const held = this.netHeld[instrument] ?? 0;
    if (held !== 0) this.#equity += held * (price - (this.mark[instrument] ?? NaN));
    this.mark[instrument] = price;
  }

  /** Recomputes the estimate of equity from the ledger, so that float drift never outlives a trade. */
  remark(): void {
    let equity = toNumber(this.totalCash());
    for (let instrument = 0; instrument < this.net.length; instrument++) {
      const held = this.netHeld[instrument] ?? 0;
      if (held !== 0) equity += held * (this.mark[instrument] ?? NaN);
    }
    this.#equity = equity;
  }

  totalCash(): Amount {
    return sumOf(this.cash);
  }

  /**
   * Books a trade of one instrument among holdings. Its notional is rounded once, for the whole, as a venue does; of that and of the fee
   * the last holding gets what the others leave, so that the sleeves sum to the portfolio, and the portfolio to the venue, to the last digit.
   */
  book(instrument: number, bookings: readonly Booking[], price: Price, fee: Amount): void {
    const [only] = bookings;
    for (const { holding } of bookings) {
      assert(this.#holdings.instrument[holding] === instrument, 'a booking is of its own instrument');
    }
    if (only !== undefined && bookings.length === 1) this.#change(only.holding, only.quantity, price, notional(price, only.quantity), fee);
    else this.#divide(bookings, price, fee);
    this.#refreshNet(instrument);
    this.remark();
  }

  #divide(bookings: readonly Booking[], price: Price, fee: Amount): void {
    let turnover = ZERO_QUANTITY;
    let whole = ZERO_QUANTITY;
    for (const { quantity } of bookings) {
      turnover = add(turnover, absolute(quantity));
      whole = add(whole, quantity);
    }
    let feeRest = fee;
    let paidRest = notional(price, whole);
    for (let index = 0; index < bookings.length; index++) {
      const booking = bookings[index];
      assert(booking !== undefined, 'bookings are dense');
      const isLast = index === bookings.length - 1;
      const paid = isLast ? paidRest : notional(price, booking.quantity);
      const part = isLast || isZero(turnover) ? feeRest : proportion(fee, absolute(booking.quantity), turnover);
      paidRest = subtract(paidRest, paid);
      feeRest = subtract(feeRest, part);
      this.#change(booking.holding, booking.quantity, price, paid, part);
    }
  }

  /**
   * A disaster stop acts on the net position: every sleeve in the instrument shrinks by the same fraction, at that price.
   * `side` is the order's own; without it, the one that closes what is held.
   */
  bookDisaster(instrument: number, filled: Quantity, price: Price, fee: Amount, side?: Side): readonly Booking[] {
    const bookings = this.disasterBookings(instrument, filled, side);
    this.book(instrument, bookings, price, fee);
    return bookings;
  }

  /** By how much each sleeve of the instrument shrinks when `filled` (positive) of the net position was closed. */
  disasterBookings(instrument: number, filled: Quantity, side?: Side): readonly Booking[] {
    const net = this.net[instrument] ?? ZERO_QUANTITY;
    const sells = side === undefined ? signOf(net) > 0 : side === 'sell';
    const closing = sells ? negate(filled) : filled;
    // A report that overtook the one of the entry finds nothing to shrink on its side. It is real money all the same: the first holding
    // takes it, and the planner puts it right.
    if (signOf(net) !== -signOf(closing)) return [{ holding: this.#holdings.ofInstrument[instrument]?.[0] ?? 0, quantity: closing }];
    const owners = this.#ownersOf(instrument);
    const held = owners.map((holding) => this.quantity[holding] ?? ZERO_QUANTITY);
    const changes = scaledShares(held, filled, this.#lots[instrument] ?? ZERO_QUANTITY);
    return owners.map((holding, index) => ({ holding, quantity: changes[index] ?? ZERO_QUANTITY }));
  }

  #ownersOf(instrument: number): readonly number[] {
    return (this.#holdings.ofInstrument[instrument] ?? []).filter((holding) => !isZero(this.quantity[holding] ?? ZERO_QUANTITY));
  }

  /** Sleeves trade among themselves. @throws when the parts do not sum to zero. */
  cross(instrument: number, parts: readonly Share[], price: Price): void {
    let sum = ZERO_QUANTITY;
    for (const part of parts) sum = add(sum, part.quantity);
    assert(isZero(sum), 'the parts of a crossing sum to zero');
    this.book(
      instrument,
      parts.map((part) => ({ holding: (this.#holdings.first[part.sleeve] ?? 0) + part.leg, quantity: part.quantity })),
      price,
      ZERO_AMOUNT,
    );
  }

  /** A payment on the net position, divided among its sleeves in proportion to what they hold; the remainder to the last. */
  payFunding(instrument: number, payment: Amount): void {
    const net = this.net[instrument] ?? ZERO_QUANTITY;
    const owners = this.#ownersOf(instrument);
    let rest = payment;
    owners.forEach((holding, index) => {
      const part = index === owners.length - 1 || isZero(net) ? rest : proportion(payment, this.quantity[holding] ?? ZERO_QUANTITY, net);
      rest = subtract(rest, part);
      const sleeve = this.#holdings.sleeve[holding] ?? 0;
      this.cash[sleeve] = add(this.cash[sleeve] ?? ZERO_AMOUNT, part);
      this.funding[sleeve] = add(this.funding[sleeve] ?? ZERO_AMOUNT, part);
    });
    // Flat by the time the payment arrived: it is still money, and belongs to nobody's sleeve.
    if (owners.length === 0) this.cash[this.#sleeveCount] = add(this.cash[this.#sleeveCount] ?? ZERO_AMOUNT, payment);
    this.remark();
  }

  /** The capital and what transfers have made of it. */
  totalGiven(): Amount {
    return sumOf(this.givenCash);
  }

  /**
   * Money leaves the run (negative), or what had left comes back: cash and nothing else, no profit, fee or funding. It is taken from each
   * sleeve, and from what no sleeve has, in proportion to what it would have if all it holds were closed at cost: the cash of a perpetual is
   * less by its whole notional, and says nothing of what is free. It is given back in proportion to what was taken. The last that has a part
   * gets the remainder, so that the sleeves sum to the portfolio to the last digit, and have what they had once all has come back.
   */
  transfer(amount: Amount): void {
    const weights = this.cash.map((_, part) => {
      const taken = subtract(this.#startingCash[part] ?? ZERO_AMOUNT, this.givenCash[part] ?? ZERO_AMOUNT);
      return larger(signOf(amount) > 0 ? taken : this.#atCost(part), ZERO_AMOUNT);
    });
    const whole = sumOf(weights);
    // Where nobody has anything left, what no sleeve has is short of it.
    const isNobodys = isZero(whole);
    const last = isNobodys ? weights.length - 1 : weights.findLastIndex((weight) => !isZero(weight));
    let rest = amount;
    for (let part = isNobodys ? last : 0; part <= last; part++) {
      const share = part === last ? rest : proportion(amount, weights[part] ?? ZERO_AMOUNT, whole);
      rest = subtract(rest, share);
      this.cash[part] = add(this.cash[part] ?? ZERO_AMOUNT, share);
      this.givenCash[part] = add(this.givenCash[part] ?? ZERO_AMOUNT, share);
    }
    this.remark();
  }

  /** What a sleeve, or what no sleeve has, would have in cash if everything it holds were closed at what it cost. */
  #atCost(part: number): Amount {
    let sum = this.cash[part] ?? ZERO_AMOUNT;
    for (let holding = 0; holding < this.cost.length; holding++) {
      if (this.#holdings.sleeve[holding] === part) sum = add(sum, this.cost[holding] ?? ZERO_AMOUNT);
    }
    return sum;
  }

  #change(holding: number, change: Quantity, price: Price, paid: Amount, fee: Amount): void {
    const sleeve = this.#holdings.sleeve[holding] ?? 0;
    const before = this.quantity[holding] ?? ZERO_QUANTITY;
    this.cash[sleeve] = subtract(subtract(this.cash[sleeve] ?? ZERO_AMOUNT, paid), fee);
    this.fees[sleeve] = add(this.fees[sleeve] ?? ZERO_AMOUNT, fee);
    const after = add(before, change);
    const sideBefore = signOf(before);
    const cost = this.cost[holding] ?? ZERO_AMOUNT;
    if (sideBefore === 0 || sideBefore === signOf(change)) {
      this.cost[holding] = add(cost, paid);
    } else {
      const excess = compare(absolute(change), absolute(before));
      // A flip is divided at flat: what closes realises, the rest is the cost of the new side.
      const closedPaid = excess > 0 ? notional(price, negate(before)) : paid;
      const costOut = excess >= 0 ? cost : proportion(cost, absolute(change), absolute(before));
      // Selling brings what was paid, negated; what it had cost leaves with it.
      this.realised[sleeve] = subtract(subtract(this.realised[sleeve] ?? ZERO_AMOUNT, closedPaid), costOut);
      this.cost[holding] = add(subtract(cost, costOut), subtract(paid, closedPaid));
    }
    this.quantity[holding] = after;
    const held = toNumber(after);
    this.held[holding] = held;
    this.entryPrice[holding] = held === 0 ? NaN : toNumber(this.cost[holding] ?? ZERO_AMOUNT) / held;
  }

  #refreshNet(instrument: number): void {
    let net = ZERO_QUANTITY;
    for (const holding of this.#holdings.ofInstrument[instrument] ?? []) net = add(net, this.quantity[holding] ?? ZERO_QUANTITY);
    this.net[instrument] = net;
    this.netHeld[instrument] = toNumber(net);
  }

  save(out: ByteWriter): void {
    for (const list of [this.quantity, this.net, this.cost, this.cash, this.givenCash, this.fees, this.funding, this.realised]) {
      for (const value of list) out.decimal(value);
    }
    out.numbers(this.entryPrice);
    out.numbers(this.mark);
    out.number(this.#equity);
  }

  restore(from: ByteReader): void {
    for (const list of [this.quantity, this.net]) {
      for (let index = 0; index < list.length; index++) list[index] = from.decimal();
    }
    for (const list of [this.cost, this.cash, this.givenCash, this.fees, this.funding, this.realised]) {
      for (let index = 0; index < list.length; index++) list[index] = from.decimal();
    }
    from.numbers(this.entryPrice);
    from.numbers(this.mark);
    this.#equity = from.number();
    for (let holding = 0; holding < this.quantity.length; holding++) this.held[holding] = toNumber(this.quantity[holding] ?? ZERO_QUANTITY);
    for (let instrument = 0; instrument < this.net.length; instrument++)
      this.netHeld[instrument] = toNumber(this.net[instrument] ?? ZERO_QUANTITY);
  }
}

/** A loop, for `remark`, which is called after every trade. */
function sumOf(amounts: readonly Amount[]): Amount {
  let sum = ZERO_AMOUNT;
  for (let part = 0; part < amounts.length; part++) sum = add(sum, amounts[part] ?? ZERO_AMOUNT);
  return sum;
}
