// A desk with everything around it made of cardboard: a ledger, and a venue that answers late, in parts, twice or not in order, as a seed
// has it. What the engine does with a report is done here too, so that the desk is tested without the engine.
import assert from 'node:assert/strict';
import {
  absolute,
  add,
  amount,
  compare,
  isZero,
  negate,
  price,
  priceFrom,
  quantity,
  roundToStep,
  signOf,
  smaller,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Price,
  type Quantity,
} from '../../src/domain/decimal.ts';
import type { StateChange } from '../../src/domain/entry.ts';
import type { Fill, MarketEvent, OrderAmended, OrderReport } from '../../src/domain/event.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { AmendIntent, CancelIntent, OrderIntent, Share } from '../../src/domain/order.ts';
import { isOpen } from '../../src/domain/order.ts';
import { layOut, type Holdings, type Sleeve } from '../../src/domain/sleeve.ts';
import { NEVER, type TimeMs } from '../../src/domain/time.ts';
import { Desk, type DeskOutput, type DeskSettings } from '../../src/execution/desk.ts';
import { awaitsParent } from '../../src/execution/tracker.ts';
import { Portfolio } from '../../src/portfolio/portfolio.ts';

export function testInstrument(symbol: string, changes: Partial<Instrument> = {}): Instrument {
  return {
    venue: 'scripted',
    symbol,
    kind: 'linear',
    base: symbol,
    quote: 'USDT',
    tick: price('0.01'),
    lot: quantity('0.001'),
    minimumQuantity: quantity('0.001'),
    minimumNotional: amount('0'),
    takerFeeRate: 0,
    makerFeeRate: 0,
    fundingRate: 0,
    fundingIntervalMs: 0,
    ...changes,
  };
}

export const DESK_SETTINGS: DeskSettings = {
  rebalanceBandRatio: 0.05,
  disasterRatio: 0.2,
  pairDisasterRatio: 0.4,
  disasterGapRatio: 0.05,
  maximumLeggedMs: 1_000,
  maximumLeggedLossRatio: 0.01,
};

interface VenueOrder {
  intent: OrderIntent;
  filled: Quantity;
  /** An attached stop waits for the first fill of its entry. */
  isResting: boolean;
}

export interface ScriptedParts {
  readonly instruments?: readonly Instrument[];
  readonly sleeves: readonly Sleeve[];
  readonly settings?: Partial<DeskSettings>;
  readonly marks?: readonly number[];
}

export class ScriptedVenue implements DeskOutput {
  readonly instruments: readonly Instrument[];
  readonly holdings: Holdings;
  readonly portfolio: Portfolio;
  readonly desk: Desk;
  at: TimeMs = 1;
  /** Gate two's answer. */
  refuses: (intent: OrderIntent) => boolean = () => false;
  readonly sent: OrderIntent[] = [];
  readonly amends: AmendIntent[] = [];
  readonly cancels: CancelIntent[] = [];
  readonly crossings: { instrument: number; parts: readonly Share[]; price: Price }[] = [];
  readonly said: StateChange[] = [];
  /** On the way to the venue. */
  readonly inbox: (OrderIntent | AmendIntent | CancelIntent)[] = [];
  /** On the way back. */
  readonly outbox: (OrderReport | OrderAmended)[] = [];
  /** What the venue has. */
  readonly orders = new Map<string, VenueOrder>();
  readonly position: Quantity[];
  isHalted = false;
  #fills = 0;

  constructor({ instruments = [testInstrument('X'), testInstrument('Y')], sleeves, settings, marks = [100, 50] }: ScriptedParts) {
    this.instruments = instruments;
    this.holdings = layOut(sleeves, instruments.length);
    const lots = instruments.map((each) => each.lot);
    this.portfolio = new Portfolio(sleeves, this.holdings, instruments.length, amount('100000'), lots);
    marks.forEach((mark, instrument) => this.portfolio.markAt(instrument, mark));
    this.desk = new Desk(instruments, sleeves, this.holdings, this.portfolio, this.portfolio.mark, { ...DESK_SETTINGS, ...settings }, this);
    this.position = instruments.map(() => ZERO_QUANTITY);
  }

  // ---- what the desk asks --------------------------------------------------------------------------------------------

  send(intent: OrderIntent): boolean {
    if (this.refuses(intent)) return false;
    this.sent.push(intent);
    this.inbox.push(intent);
    return true;
  }

  amend(intent: AmendIntent, amended: OrderIntent): boolean {
    if (this.refuses(amended)) return false;
    this.amends.push(intent);
    this.inbox.push(intent);
    return true;
  }

  cancel(intent: CancelIntent): void {
    this.cancels.push(intent);
    this.inbox.push(intent);
  }

  cross(instrument: number, parts: readonly Share[], crossedAt: Price, at: TimeMs): void {
    this.crossings.push({ instrument, parts, price: crossedAt });
    this.portfolio.cross(instrument, parts, crossedAt);
    for (const part of parts) this.desk.afterBooking((this.holdings.first[part.sleeve] ?? 0) + part.leg, toNumber(crossedAt), at);
  }

  say(change: StateChange): void {
    this.said.push(change);
    if (change.kind === 'halt.latched') this.isHalted = true;
    if (change.kind === 'halt.released') this.isHalted = false;
    this.desk.apply(change);
  }

  // ---- what a test does ----------------------------------------------------------------------------------------------

  /** Freezes the target of a sleeve, one text for each leg. */
  want(
    sleeve: number,
    quantities: readonly string[],
    changes: { stance?: number; stopRatio?: number; trailR?: number; trailRatio?: number } = {},
  ): void {
    const targets = quantities.map((text) => quantity(text));
    const stance = changes.stance ?? Math.sign(toNumber(targets[0] ?? ZERO_QUANTITY));
    this.desk.beginDecision();
    const { stopRatio = 0.05, trailR = NaN, trailRatio = NaN } = changes;
    this.desk.freeze(sleeve, { quantities: targets, stance, stopRatio, trailR, trailRatio });
  }

  order(): void {
    this.desk.order(this.at);
  }

  halt(): void {
    this.say({ kind: 'halt.latched', at: this.at, cause: 'test' });
    this.order();
  }

  /** A bar closes: the mark, engine-held stops, retries. */
  bar(instrument: number, close: number, low = close, high = close, volume = 1): void {
    this.at++;
    this.portfolio.markAt(instrument, close);
    const event: MarketEvent = {
      kind: 'bar.closed',
      at: this.at,
      happenedAt: this.at,
      instrument,
      open: close,
      high,
      low,
      close,
      volume,
      warmup: false,
    };
    this.desk.onPrice(event);
    // The end of the instant, as the engine has it.
    if (this.desk.isSpreadDue) this.desk.watchSpreads(event.at);
    this.order();
  }

  /** Market time passes to the next ticket that is due; false when none is. */
  ring(): boolean {
    const dueAt = this.desk.nextTicketAt;
    if (dueAt === NEVER) return false;
    this.at = Math.max(this.at, dueAt);
    this.instruments.forEach((_, instrument) => {
      if (this.desk.ticketDueAt(instrument) <= this.at) this.desk.ringTicket(instrument, this.at);
    });
    this.order();
    return true;
  }

  /** The venue takes what is at `index` of the inbox. */
  arrive(index = 0, answer: 'accept' | 'reject' = 'accept'): void {
    const next = this.inbox[index];
    // A cancel or an amendment never overtakes its own order.
    const own = next !== undefined && 'order' in next ? this.inbox.findIndex((sent) => 'id' in sent && names(sent, next.order)) : -1;
    const [intent] = this.inbox.splice(own >= 0 ? own : index, 1);
    if (intent === undefined) return;
    if ('order' in intent) {
      const order = this.orders.get(intent.order);
      if (order === undefined) this.#answer('order.cancelled', intent.order, intent.instrument, 'it had already ended');
      else if ('stopPrice' in intent) this.#amended(order, intent, answer);
      else this.#cancelled(order, 'asked for');
      return;
    }
    const reduces = signOf(this.position[intent.instrument] ?? ZERO_QUANTITY) === (intent.side === 'sell' ? 1 : -1);
    if (answer === 'reject' || (intent.reduceOnly && intent.type !== 'stop' && !reduces)) {
      this.#answer('order.rejected', intent.id, intent.instrument, 'scripted');
      return;
    }
    this.orders.set(intent.id, { intent, filled: ZERO_QUANTITY, isResting: true });
    for (const stop of intent.attached) this.orders.set(stop.id, { intent: stop, filled: ZERO_QUANTITY, isResting: false });
    this.#answer('order.accepted', intent.id, intent.instrument, '');
    this.#endWholePositionStops(intent.instrument);
  }

  /** Fills `wanted` of an order, or all; reduce-only orders shrink, and end with the position. */
  fill(id: string, wanted?: Quantity, at?: number): void {
    const order = this.orders.get(id);
    if (order === undefined || !order.isResting) return;
    const { intent } = order;
    const { instrument } = intent;
    const held = this.position[instrument] ?? ZERO_QUANTITY;
    const sign = intent.side === 'sell' ? 1 : -1;
    const reducible = signOf(held) === sign ? absolute(held) : ZERO_QUANTITY;
    const left = intent.wholePosition ? reducible : subtract(intent.quantity, order.filled);
    const most = intent.reduceOnly ? smaller(left, reducible) : left;
    if (isZero(most)) return this.#cancelled(order, 'reduce-only: there is no position to reduce');
    const part = wanted === undefined ? most : smaller(wanted, most);
    const wasFirst = isZero(order.filled);
    order.filled = add(order.filled, part);
    this.position[instrument] = sign > 0 ? subtract(held, part) : add(held, part);
    const tick = this.instruments[instrument]?.tick ?? price('0.01');
    const paid = priceFrom(at ?? this.portfolio.mark[instrument] ?? NaN, tick, 'nearest');
    const fill: Fill = { id: `f${++this.#fills}`, price: paid, quantity: part, fee: ZERO_AMOUNT, liquidity: 'taker' };
    this.outbox.push({ kind: 'order.filled', at: this.at, happenedAt: this.at, instrument, order: id, reason: '', fill });
    if (wasFirst) for (const stop of intent.attached) this.#rest(stop.id);
    const isDone = intent.wholePosition ? compare(part, left) === 0 : compare(order.filled, intent.quantity) === 0;
    if (isDone) {
      this.orders.delete(id);
      if (compare(order.filled, intent.quantity) < 0) this.#answer('order.cancelled', id, instrument, 'the position is closed');
    } else if (intent.reduceOnly && compare(part, most) === 0) this.#cancelled(order, 'reduce-only: the position is closed');
    this.#endWholePositionStops(instrument);
  }

  /** The report at `index` of the outbox reaches us. */
  deliver(index = 0, isRepeated = false): void {
    const report = isRepeated ? this.outbox[index] : this.outbox.splice(index, 1)[0];
    if (report === undefined) return;
    this.tell(report);
  }

  /** What the engine does with a report. */
  tell(report: OrderReport | OrderAmended): void {
    if (report.kind === 'order.amended') {
      const amended = this.desk.tracker.amended(report);
      if (amended?.news === 'news') this.desk.notMoved(amended.order, this.at);
      this.order();
      return;
    }
    this.at++;
    const found = this.desk.tracker.report(report);
    if (found === undefined || found.news === 'none') return;
    const { intent } = found.order;
    const { fill, instrument } = report;
    if (fill !== undefined) {
      let bookings = found.parts;
      if (intent.role === 'disaster') {
        const held = (this.holdings.ofInstrument[instrument] ?? []).filter((holding) => this.portfolio.held[holding] !== 0);
        bookings = this.portfolio.bookDisaster(instrument, fill.quantity, fill.price, fill.fee, intent.side);
        for (const sleeve of new Set(held.map((holding) => this.holdings.sleeve[holding] ?? 0))) {
          this.say({ kind: 'sleeve.stopped', at: this.at, sleeve, because: 'disaster' });
        }
      } else this.portfolio.book(instrument, found.parts, fill.price, fill.fee);
      for (const booking of bookings) this.desk.afterBooking(booking.holding, toNumber(fill.price), this.at);
    }
    if (found.news === 'news') this.desk.afterReport(report, found.order, this.at);
    this.order();
  }

  /** Everything on its way arrives, in order, and everything at work is filled; bars close until nothing more happens. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      this.pump();
      const before = this.sent.length;
      this.instruments.forEach((_, instrument) => this.bar(instrument, this.portfolio.mark[instrument] ?? NaN));
      if (this.ring()) continue;
      if (this.sent.length === before && this.inbox.length === 0 && this.outbox.length === 0) return;
    }
    assert.fail('200 rounds of answers and the desk still has something to say');
  }

  /** Everything on its way arrives, in order, and what is at work is filled; no bar closes. */
  pump(): void {
    for (let round = 0; round < 2_000; round++) {
      if (this.outbox.length > 0) this.deliver();
      else if (this.inbox.length > 0) this.arrive();
      else {
        const open = [...this.orders.values()].find(({ intent, filled }) => intent.role === 'target' || !isZero(filled));
        if (open === undefined) return;
        this.fill(open.intent.id);
      }
    }
    assert.fail('2,000 reports and still more to come: the desk and the venue chase each other');
  }

  /** Stops that rest at the venue, by role. */
  resting(role: 'stop' | 'disaster', instrument = 0): readonly OrderIntent[] {
    return [...this.orders.values()]
      .filter((order) => order.isResting && order.intent.role === role && order.intent.instrument === instrument)
      .map((order) => order.intent);
  }

  /** What must hold at every moment. */
  check(): void {
    const { tracker } = this.desk;
    const pending = tracker.pending.map(() => ZERO_QUANTITY);
    for (const order of tracker.open) {
      const { id } = order.intent;
      assert.equal(order.intent.id, id);
      assert.ok(isOpen(order.state), `${id} is listed as open and is ${order.state}`);
      if (!order.counted) continue;
      order.intent.shares.forEach((share, index) => {
        const holding = (this.holdings.first[share.sleeve] ?? 0) + share.leg;
        const rest = subtract(share.quantity, order.shareFilled[index] ?? ZERO_QUANTITY);
        pending[holding] = add(pending[holding] ?? ZERO_QUANTITY, rest);
      });
    }
    assert.deepEqual(tracker.pending, pending, 'pending is the sum of the counted rests');
    for (const { parts } of this.crossings) {
      assert.ok(isZero(parts.reduce((sum, part) => add(sum, part.quantity), ZERO_QUANTITY)), 'the parts of a crossing sum to zero');
    }
    this.portfolio.quantity.forEach((held, holding) => {
      const lot = this.instruments[this.holdings.instrument[holding] ?? 0]?.lot ?? ZERO_QUANTITY;
      assert.equal(compare(roundToStep(held, lot), held), 0, 'every sleeve holds whole lots');
    });
  }

  #rest(id: string): void {
    const stop = this.orders.get(id);
    if (stop !== undefined) stop.isResting = true;
  }

  #cancelled(order: VenueOrder, reason: string): void {
    const { intent } = order;
    this.orders.delete(intent.id);
    if (isZero(order.filled)) for (const stop of intent.attached) this.orders.delete(stop.id);
    this.#answer('order.cancelled', intent.id, intent.instrument, reason);
  }

  #amended(order: VenueOrder, { at: _, ...asked }: AmendIntent, answer: 'accept' | 'reject'): void {
    const stood = order.intent.stopPrice ?? asked.stopPrice;
    const stopPrice = answer === 'accept' ? asked.stopPrice : stood;
    order.intent = { ...order.intent, stopPrice };
    const reason = answer === 'accept' ? '' : 'scripted';
    this.outbox.push({ kind: 'order.amended', at: this.at, happenedAt: this.at, ...asked, asked: asked.stopPrice, stopPrice, reason });
  }

  #endWholePositionStops(instrument: number): void {
    const side = signOf(this.position[instrument] ?? ZERO_QUANTITY);
    for (const order of this.orders.values()) {
      if (!order.intent.wholePosition || !order.isResting || order.intent.instrument !== instrument) continue;
      if (side !== (order.intent.side === 'sell' ? 1 : -1)) this.#cancelled(order, 'its position is closed');
    }
  }

  #answer(kind: OrderReport['kind'], order: string, instrument: number, reason: string): void {
    this.outbox.push({ kind, at: this.at, happenedAt: this.at, instrument, order, reason, fill: undefined });
  }
}

function names(intent: OrderIntent, id: string): boolean {
  return intent.id === id || intent.attached.some((stop) => stop.id === id);
}

/** The protective stop of a sleeve as the tracker knows it: open, come to rest, not being cancelled. */
export function livingStops(venue: ScriptedVenue, role: 'stop' | 'disaster', instrument: number): readonly OrderIntent[] {
  return venue.desk.tracker.open
    .filter(
      (order) =>
        order.intent.role === role && order.intent.instrument === instrument && order.state !== 'cancelling' && !awaitsParent(order),
    )
    .map((order) => order.intent);
}

/** Signed: what an order does to a position. */
export function signedQuantity(intent: OrderIntent): Quantity {
  return intent.side === 'buy' ? intent.quantity : negate(intent.quantity);
}
