// Closed trades, fills and counts: a fold over the journal's entries. It divides fills, fees and funding among sleeves exactly as the
// ledger does, so that what it says of the trades sums to the portfolio to the last digit. Told the market's prices as well, it knows what
// each trade went through and what its fills cost beyond the price they were sent at.
import { RecordBytes, type ByteReader, type ByteWriter, type Stateful } from '../domain/bytes.ts';
import {
  absolute,
  add,
  compare,
  isZero,
  larger,
  negate,
  notional,
  proportion,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_PRICE,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../domain/decimal.ts';
import type { DecisionTaken, Entry, EntryKind, TicketOpened } from '../domain/entry.ts';
import { assert } from '../domain/errors.ts';
import type { MarketEvent, OrderReport } from '../domain/event.ts';
import type { Instrument } from '../domain/instrument.ts';
import { filledShares, scaledShares, type ExecutionAlgorithm, type OrderIntent, type OrderRole, type Side } from '../domain/order.ts';
import { layOut, type Holdings, type Sleeve } from '../domain/sleeve.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';
import { TransactionCosts, type Arrival, type ExecutionRow } from './transaction-costs.ts';
import { IdMap } from '../domain/id-map.ts';
import { EndedOrders } from '../domain/ended-orders.ts';

/**
 * What ended a trade. `opinion` is a decision; `risk rule` a decision in which a rule took what the opinion asked for;
 * `one leg` a pair of which only one leg was filled; `unprotected` a position whose stop the venue would not hold.
 */
export type ExitKind =
  | 'opinion'
  | 'risk rule'
  | 'stop'
  | 'trailing stop'
  | 'spread stop'
  | 'disaster stop'
  | 'liquidation'
  | 'halt'
  | 'operator'
  | 'one leg'
  | 'unprotected';

const EXITS: readonly ExitKind[] = [
  'opinion',
  'risk rule',
  'stop',
  'trailing stop',
  'spread stop',
  'disaster stop',
  'halt',
  'operator',
  'one leg',
  'unprotected',
  'liquidation',
];

/** Where a sleeve's stops were. `none` is: the journal shows no stop of it. */
export type StopsPlace = 'venue' | 'engine' | 'venue and engine' | 'none';

interface TradeHead {
  readonly sleeve: string;
  readonly symbol: string;
  /** Index in the run's instruments. */
  readonly instrument: number;
  readonly side: 'long' | 'short';
  /** Number of the sleeve's round trip. The legs of a pair share it; with a single leg every trade has its own. */
  readonly round: number;
  readonly openedAt: TimeMs;
  /** Average over everything that was added. */
  readonly entryPrice: Price;
  /** The most that was held; positive. */
  readonly quantity: Quantity;
  readonly fees: Amount;
  /** Received less paid. */
  readonly funding: Amount;
  /**
   * What its fills cost beyond the price at which their orders were sent: the stop's own level, otherwise the last price of the instrument.
   * Within the prices, so within the P&L; negative where they were better. An estimate; NaN where prices were not told.
   */
  readonly slippage: number;
}

/** From flat to flat, of one leg of one sleeve. A flip ends one trade and begins the next. */
export interface ClosedTrade extends TradeHead {
  readonly closedAt: TimeMs;
  /** Average over everything that was taken off. */
  readonly exitPrice: Price;
  /** Net of fees and funding. */
  readonly pnl: Amount;
  readonly exit: ExitKind;
  /**
   * Furthest that the price went against the average entry, over it; at least 0, and NaN where prices were not told (MAE). Seen are the
   * trade's own fills and whatever was known while it was open: bars that closed by then, so the bar in which it ended counts with its fill only.
   */
  readonly maxAdverseRatio: number;
  /** Furthest that the price went in its favour, in the same way (MFE). */
  readonly maxFavourableRatio: number;
}

export interface OpenTrade extends TradeHead {
  /** Signed: what is held now. */
  readonly held: Quantity;
  /** What its fills brought less what they cost, fees and funding included: its P&L once what is held is added at a price. */
  readonly cash: Amount;
}

export interface FillRecord {
  readonly at: TimeMs;
  readonly symbol: string;
  readonly instrument: number;
  readonly side: Side;
  readonly price: Price;
  readonly quantity: Quantity;
  readonly fee: Amount;
  readonly feeCurrency: string;
}

/** Money of the run that left the account, or came back: neither won nor lost. */
export interface TransferRecord {
  readonly at: TimeMs;
  /** Positive is received. */
  readonly amount: Amount;
  /** At the marks, before it. */
  readonly equity: number;
}

export interface FundingRecord {
  readonly at: TimeMs;
  readonly symbol: string;
  /** Negative is paid by us. */
  readonly amount: Amount;
}

export interface RulingCount {
  clamps: number;
  halts: number;
  /** Orders that gate two did not let out. */
  refusals: number;
}

export interface LedgerSubject {
  readonly instruments: readonly (Pick<Instrument, 'symbol' | 'quote'> & Partial<Pick<Instrument, 'lot'>>)[];
  readonly sleeves: readonly Sleeve[];
}

/** A trade that is not over. */
interface Running {
  readonly round: number;
  readonly isLong: boolean;
  readonly openedAt: TimeMs;
  entryPrice: Price;
  entered: Quantity;
  exitPrice: Price;
  exited: Quantity;
  most: Quantity;
  /** Received less paid in its fills, without fees. */
  proceeds: Amount;
  fees: Amount;
  funding: Amount;
  // Estimates, NaN where prices were not told.
  slippage: number;
  lowest: number;
  highest: number;
}

/** A fill, or a crossing, apart from how much of it is whose. */
interface Deal {
  readonly price: Price;
  readonly at: TimeMs;
  readonly role: Ender;
  /** The price as an estimate, and by how much it is above the one at which the order was sent. */
  readonly estimate: number;
  readonly slip: number;
}

interface Order {
  readonly intent: OrderIntent;
  /** The price that its fills are measured against. */
  sentAt: number;
  /** What it was decided at: its ticket's, or its own; undefined for a protective stop. */
  readonly arrival: TicketArrival | undefined;
  readonly costRatio: number;
  filled: Quantity;
  /** Signed, by position in the intent's shares. */
  readonly shareFilled: Quantity[];
  /** The venue has said something of this order itself: it did not end with its entry. */
  isSpokenOf: boolean;
  /** NEVER while it is open. */
  endedAt: TimeMs;
  /** Its first fill, and the others where there are any. */
  fillId: string;
  moreFillIds: string[] | undefined;
}

/** An arrival, and how much of what was decided at it has come. The price of an order of its own is an estimate that only prices tell. */
interface TicketArrival extends Arrival {
  price: number;
  wanted: number;
  filled: number;
}

/** What a change of a holding is due to: an order by its role, or the venue. */
type Ender = OrderRole | 'liquidation' | 'another hand';

/** Of an order with a single share, which is never divided. */
const UNDIVIDED: Quantity[] = [];

/** Estimates that a closed trade has beside its record: slippage, and the lowest and highest price. */
const ESTIMATES = 3;

export class TradeLedger implements Stateful {
  readonly #instruments: LedgerSubject['instruments'];
  readonly #sleeves: readonly Sleeve[];
  readonly #holdings: Holdings;
  readonly #quantity: Quantity[];
  readonly #running: (Running | undefined)[];
  /** By holding: round of its last trade. By sleeve: the last round begun. */
  readonly #lastRound: Uint32Array;
  readonly #rounds: Uint32Array;
  /** Those that may still trade, and those that ended last. */
  readonly #orders = new IdMap<Order>();
  readonly #memory = new EndedOrders<Order>((order) => this.#orders.delete(order.intent.id));
  /** Why a sleeve would be closed by an order that says nothing of it. */
  readonly #cause: ExitKind[];
  /** By sleeve: z-score of its last decision, NaN where none was named; and of sleeves with several legs entry and exit, by round. */
  readonly #zScore: Float64Array;
  readonly #zScores: readonly number[][];
  /** By sleeve, 1 when so: its stop has moved since it opened; it is stopped and has not decided since; where its stops were seen. */
  readonly #hasTrailed: Uint8Array;
  readonly #isStopped: Uint8Array;
  readonly #restedAtVenue: Uint8Array;
  readonly #heldByEngine: Uint8Array;
  /** Sequence of the last operator's word, of the last rejection of a protective stop, of the last fill of one: what is said in the same event is due to it. */
  #operatorAt = -1;
  #unprotectedAt = -1;
  #disasterAt = -1;
  #liquidatedAt = -1;
  #otherHandAt = -1;
  #stopFilledAt = -1;
  readonly #counts = new Map<EntryKind, { entries: number }>();
  /** A hand's doing, and few. */
  readonly #transfers: TransferRecord[] = [];
  readonly #rulings = new Map<string, RulingCount>();
  readonly #alerts = new Map<string, number>();
  readonly #haltCauses: string[] = [];
  readonly #haltTimes: TimeMs[] = [];
  #isHalted = false;
  #stopOuts = 0;
  // Records as bytes: a fill is 40 of them, an object with three exact numbers several times that.
  readonly #tradeBytes = new RecordBytes();
  readonly #fillBytes = new RecordBytes();
  readonly #fundingBytes = new RecordBytes();
  #tradeCount = 0;
  #fillCount = 0;
  #fees = ZERO_AMOUNT;
  #funding = ZERO_AMOUNT;
  /** By instrument: money of no trade. */
  readonly #reserve: Amount[];
  /** By instrument: its last price, NaN before the first, and how many trades are running. */
  readonly #mark: Float64Array;
  readonly #runningOf: Uint32Array;
  /** Of closed trades, ESTIMATES each, doubled when it is full. */
  #estimates = new Float64Array(ESTIMATES * 64);
  #slippage = 0;
  readonly #costs = new TransactionCosts();
  /** By instrument: what is being worked. */
  readonly #tickets: (TicketArrival | undefined)[];
  #heldHoldings = 0;
  #heldSince: TimeMs = NaN;
  #exposedMs = 0;

  constructor(subject: LedgerSubject) {
    this.#instruments = subject.instruments;
    this.#sleeves = subject.sleeves;
    this.#holdings = layOut(subject.sleeves, subject.instruments.length);
    const { count } = this.#holdings;
    const sleeves = subject.sleeves.length;
    this.#quantity = Array.from({ length: count }, () => ZERO_QUANTITY);
    this.#running = Array.from({ length: count }, () => undefined);
    this.#lastRound = new Uint32Array(count);
    this.#rounds = new Uint32Array(sleeves);
    this.#cause = subject.sleeves.map(() => 'opinion');
    this.#zScore = new Float64Array(sleeves).fill(NaN);
    this.#zScores = subject.sleeves.map(() => []);
    this.#hasTrailed = new Uint8Array(sleeves);
    this.#isStopped = new Uint8Array(sleeves);
    this.#restedAtVenue = new Uint8Array(sleeves);
    this.#heldByEngine = new Uint8Array(sleeves);
    this.#reserve = subject.instruments.map(() => ZERO_AMOUNT);
    this.#mark = new Float64Array(subject.instruments.length).fill(NaN);
    this.#tickets = subject.instruments.map(() => undefined);
    this.#runningOf = new Uint32Array(subject.instruments.length);
  }

  /**
   * A price of the market after the warm-up, in the engine's order: after what was recorded before it, before what was recorded of it.
   * Marks of a venue are no prices that anybody traded at, and are passed over.
   */
  price({ kind, instrument, high, low, close }: MarketEvent): void {
    if (kind === 'mark.changed') return;
    this.#mark[instrument] = close;
    if (this.#runningOf[instrument] === 0) return;
    const holdings = this.#holdings.ofInstrument[instrument] ?? [];
    for (let index = 0; index < holdings.length; index++) {
      const running = this.#running[holdings[index] ?? 0];
      if (running === undefined) continue;
      if (low < running.lowest) running.lowest = low;
      if (high > running.highest) running.highest = high;
    }
  }

  /** One entry, in the journal's order. The signature of the engine's recorder: both may be told at once. */
  entry(entry: Entry, sequence: number): void {
    const { kind } = entry;
    const count = this.#counts.get(kind);
    if (count === undefined) this.#counts.set(kind, { entries: 1 });
    else count.entries++;
    switch (kind) {
      case 'order.intended':
        this.#intended(entry.intent, entry.costRatio, entry.algorithm);
        break;
      case 'ticket.opened':
        this.#ticketOpened(entry);
        break;
      case 'ticket.closed':
        this.#ticketClosed(entry.instrument);
        break;
      case 'order.filled':
        this.#filled(entry, sequence);
        break;
      case 'order.amended': {
        const order = this.#orders.get(entry.order);
        if (order !== undefined) order.sentAt = toNumber(entry.stopPrice);
        break;
      }
      case 'order.rejected':
      case 'order.cancelled':
      case 'order.expired':
        this.#over(entry, sequence);
        break;
      case 'crossing.made':
        this.#book(
          entry.parts.map((part) => this.#holdingOf(part.sleeve, part.leg)),
          entry.parts.map((part) => part.quantity),
          { price: entry.price, at: entry.at, role: 'target', estimate: toNumber(entry.price), slip: 0 },
          ZERO_AMOUNT,
        );
        break;
      case 'position.liquidated':
        this.#keepFill(entry.at, entry.instrument, entry.side, entry.fill.price, entry.fill.quantity, entry.fill.fee);
        this.#liquidatedAt = sequence;
        this.#scaleAll(
          entry.instrument,
          entry.side,
          entry.fill.quantity,
          // Nobody sent it, so that it slipped from nothing.
          { price: entry.fill.price, at: entry.at, role: 'liquidation', estimate: toNumber(entry.fill.price), slip: 0 },
          entry.fill.fee,
        );
        break;
      case 'account.reported':
        if (entry.fill === undefined) break;
        this.#keepFill(entry.at, entry.instrument, entry.side, entry.fill.price, entry.fill.quantity, entry.fill.fee);
        this.#otherHandAt = sequence;
        this.#scaleAll(
          entry.instrument,
          entry.side,
          entry.fill.quantity,
          { price: entry.fill.price, at: entry.at, role: 'another hand', estimate: toNumber(entry.fill.price), slip: 0 },
          entry.fill.fee,
        );
        break;
      case 'cash.transferred':
        this.#transfers.push({ at: entry.at, amount: entry.amount, equity: entry.equity });
        break;
      case 'funding.paid':
        this.#fund(entry.instrument, entry.amount, entry.at);
        break;
      case 'decision.taken':
        this.#decided(entry);
        break;
      case 'order.refused':
        this.#ruling(entry.rule).refusals++;
        break;
      case 'sleeve.stopped':
        this.#stopped(entry.sleeve, sequence);
        break;
      case 'sleeve.rearmed':
        this.#isStopped[entry.sleeve] = 0;
        break;
      case 'sleeve.closed':
        this.#cause[entry.sleeve] =
          this.#operatorAt === sequence ? 'operator' : this.#unprotectedAt === sequence ? 'unprotected' : 'one leg';
        break;
      case 'stop.moved':
        this.#hasTrailed[entry.sleeve] = 1;
        break;
      case 'operator.spoke':
        this.#operatorAt = sequence;
        break;
      case 'halt.latched':
        this.#isHalted = true;
        this.#haltCauses.push(entry.cause);
        this.#haltTimes.push(entry.at);
        for (let sleeve = 0; sleeve < this.#cause.length; sleeve++) {
          // What was being closed already keeps its own reason.
          if (this.#cause[sleeve] === 'opinion' || this.#cause[sleeve] === 'risk rule') this.#cause[sleeve] = 'halt';
        }
        break;
      case 'halt.released':
        this.#isHalted = false;
        break;
      case 'alert.raised':
        this.#alerts.set(entry.rule, (this.#alerts.get(entry.rule) ?? 0) + 1);
        break;
      default:
        break;
    }
  }

  // ---- what the journal says of intentions ---------------------------------------------------------------------------

  #decided(decision: DecisionTaken): void {
    for (const change of decision.changes) {
      // Without opinions a standing target was cut; with a stance and nothing to hold, a rule took all of it.
      const isTaken = change.stance !== 0 && change.quantities.every((quantity) => isZero(quantity));
      this.#cause[change.sleeve] = change.opinions.length === 0 || isTaken ? 'risk rule' : 'opinion';
      this.#zScore[change.sleeve] = change.opinions.find(({ zScore }) => !Number.isNaN(zScore))?.zScore ?? NaN;
      if (change.opinions.length > 0) this.#isStopped[change.sleeve] = 0;
    }
    for (const ruling of decision.rulings) {
      const count = this.#ruling(ruling.rule);
      if (ruling.kind === 'halt') count.halts++;
      else count.clamps++;
    }
  }

  #stopped(sleeve: number, sequence: number): void {
    const isPair = (this.#sleeves[sleeve]?.instruments.length ?? 1) > 1;
    if (this.#disasterAt === sequence) this.#cause[sleeve] = 'disaster stop';
    else if (this.#liquidatedAt === sequence) this.#cause[sleeve] = 'liquidation';
    else if (this.#otherHandAt === sequence) this.#cause[sleeve] = 'operator';
    else {
      if (this.#stopFilledAt !== sequence) this.#heldByEngine[sleeve] = 1;
      this.#cause[sleeve] = isPair ? 'spread stop' : this.#hasTrailed[sleeve] === 1 ? 'trailing stop' : 'stop';
    }
    // A stop that fills in parts is one stop-out.
    if (this.#isStopped[sleeve] === 0) this.#stopOuts++;
    this.#isStopped[sleeve] = 1;
  }

  #ruling(rule: string): RulingCount {
    let count = this.#rulings.get(rule);
    if (count === undefined) this.#rulings.set(rule, (count = { clamps: 0, halts: 0, refusals: 0 }));
    return count;
  }

  #ticketOpened({ instrument, algorithm, side, quantity, arrivalPrice: price }: TicketOpened): void {
    const ticket: TicketArrival = { algorithm, price, side: side === 'buy' ? 1 : -1, wanted: toNumber(quantity), filled: 0 };
    this.#tickets[instrument] = ticket;
    this.#costs.decided(ticket, ticket.wanted);
  }

  #ticketClosed(instrument: number): void {
    const ticket = this.#tickets[instrument];
    if (ticket === undefined) return;
    this.#tickets[instrument] = undefined;
    if (ticket.filled < ticket.wanted) this.#costs.missed(ticket, this.#mark[instrument] ?? NaN, ticket.wanted - ticket.filled);
  }

  /** An order at the market was decided when it was sent. */
  #arrivalOf({ instrument, side, quantity, role }: OrderIntent, algorithm: ExecutionAlgorithm): TicketArrival | undefined {
    if (role !== 'target') return undefined;
    this.#costs.ordered(algorithm);
    const ticket = this.#tickets[instrument];
    if (algorithm !== 'market' && ticket !== undefined) return ticket;
    const price = this.#mark[instrument] ?? NaN;
    const arrival: TicketArrival = { algorithm, price, side: side === 'buy' ? 1 : -1, wanted: toNumber(quantity), filled: 0 };
    this.#costs.decided(arrival, arrival.wanted);
    return arrival;
  }

  #intended(intent: OrderIntent, costRatio: number, algorithm: ExecutionAlgorithm): void {
    const { shares } = intent;
    this.#orders.set(intent.id, {
      intent,
      arrival: this.#arrivalOf(intent, algorithm),
      costRatio,
      sentAt: intent.stopPrice === undefined ? (this.#mark[intent.instrument] ?? NaN) : toNumber(intent.stopPrice),
      filled: ZERO_QUANTITY,
      shareFilled: shares.length > 1 ? shares.map(() => ZERO_QUANTITY) : UNDIVIDED,
      isSpokenOf: false,
      endedAt: NEVER,
      fillId: '',
      moreFillIds: undefined,
    });
    if (intent.role === 'stop') for (const share of shares) this.#restedAtVenue[share.sleeve] = 1;
    for (const stop of intent.attached) this.#intended(stop, NaN, 'market');
  }

  // ---- what venues report --------------------------------------------------------------------------------------------

  #over(report: OrderReport, sequence: number): void {
    const order = this.#orders.get(report.order);
    if (order === undefined) return;
    order.isSpokenOf = true;
    if (report.kind === 'order.rejected' && order.intent.role !== 'target') this.#unprotectedAt = sequence;
    this.#end(order, report.at);
  }

  #end(order: Order, at: TimeMs): void {
    if (order.endedAt !== NEVER) return;
    this.#memory.remember(order, at);
    const { arrival } = order;
    // What a budget buys is an estimate until it has bought it.
    if (arrival?.algorithm === 'market' && arrival.filled < arrival.wanted && order.intent.budget === undefined) {
      this.#costs.missed(arrival, this.#mark[order.intent.instrument] ?? NaN, arrival.wanted - arrival.filled);
    }
    // Stops attached to an entry that never filled never came to rest: they end with it.
    if (!isZero(order.filled)) return;
    for (const stop of order.intent.attached) {
      const attached = this.#orders.get(stop.id);
      if (attached !== undefined) this.#end(attached, at);
    }
  }

  #filled(report: OrderReport, sequence: number): void {
    const order = this.#orders.get(report.order);
    const { fill, instrument, at } = report;
    if (order === undefined || fill === undefined) return;
    // A fill id belongs to one order, so that the order knows which it has seen.
    if (order.fillId === fill.id || order.moreFillIds?.includes(fill.id) === true) return;
    if (order.fillId === '') order.fillId = fill.id;
    else (order.moreFillIds ??= []).push(fill.id);
    order.isSpokenOf = true;
    const { intent } = order;
    const { price, fee } = fill;
    const { side, role } = intent;
    this.#keepFill(at, instrument, side, price, fill.quantity, fee);
    const estimate = toNumber(price);
    // Without prices nothing is known of any fill, of a stop's either: a sum of some of them would pass for all.
    const slip = Number.isNaN(this.#mark[instrument] ?? NaN) ? NaN : estimate - order.sentAt;
    this.#slippage += slip * toNumber(fill.quantity) * (side === 'sell' ? -1 : 1);
    const { arrival } = order;
    if (arrival !== undefined) {
      const filled = toNumber(fill.quantity);
      arrival.filled += filled;
      const more = arrival.filled - arrival.wanted;
      if (more > 0) {
        arrival.wanted = arrival.filled;
        this.#costs.grown(arrival, more);
      }
      this.#costs.filled(arrival, estimate, filled, toNumber(fee), fill.liquidity === 'maker', order.costRatio);
    }
    const deal: Deal = { price, at, role, estimate, slip };
    if (role === 'disaster') {
      this.#disasterAt = sequence;
      this.#scaleAll(instrument, side, fill.quantity, deal, fee);
    } else {
      if (role === 'stop') this.#stopFilledAt = sequence;
      this.#divide(order, fill.quantity, deal, fee);
    }
    const isFirst = isZero(order.filled);
    order.filled = add(order.filled, fill.quantity);
    // The fill was late: the stops that had ended with their entry rest after all, as the order tracker has it.
    if (isFirst && order.endedAt !== NEVER) {
      for (const stop of intent.attached) {
        const attached = this.#orders.get(stop.id);
        if (attached !== undefined && !attached.isSpokenOf && attached.endedAt !== NEVER) this.#memory.revived(attached);
      }
    }
    if (compare(order.filled, intent.quantity) >= 0) this.#end(order, at);
  }

  /** The cumulative fill is divided by the frozen shares, the remainder to the last; the last fill completes every share. */
  #divide(order: Order, quantity: Quantity, deal: Deal, fee: Amount): void {
    const { shares, side } = order.intent;
    const only = shares[0];
    if (only === undefined) return;
    if (shares.length === 1) {
      const change = side === 'sell' ? negate(quantity) : quantity;
      this.#change(this.#holdingOf(only.sleeve, only.leg), change, deal, notional(deal.price, change), fee);
      return;
    }
    const all = filledShares(shares, add(order.filled, quantity), this.#lotOf(order.intent.instrument));
    const holdings: number[] = [];
    const parts: Quantity[] = [];
    for (let index = 0; index < shares.length; index++) {
      const share = shares[index] ?? only;
      const upTo = all[index] ?? ZERO_QUANTITY;
      const part = subtract(upTo, order.shareFilled[index] ?? ZERO_QUANTITY);
      order.shareFilled[index] = upTo;
      if (isZero(part)) continue;
      holdings.push(this.#holdingOf(share.sleeve, share.leg));
      parts.push(part);
    }
    this.#book(holdings, parts, deal, fee);
  }

  /** A disaster stop acts on the net position: every sleeve in the instrument shrinks by the same fraction. */
  #scaleAll(instrument: number, side: Side, filled: Quantity, deal: Deal, fee: Amount): void {
    const { owners, net } = this.#ownersOf(instrument);
    const closing = side === 'sell' ? negate(filled) : filled;
    // A report that overtook the one of the entry finds nothing to shrink: the first holding takes it, as it does in the portfolio.
    if (signOf(net) !== -signOf(closing)) {
      this.#book([this.#holdings.ofInstrument[instrument]?.[0] ?? 0], [closing], deal, fee);
      return;
    }
    const held = owners.map((holding) => this.#quantity[holding] ?? ZERO_QUANTITY);
    this.#book(owners, scaledShares(held, filled, this.#lotOf(instrument)), deal, fee);
  }

  #lotOf(instrument: number): Quantity {
    return this.#instruments[instrument]?.lot ?? ZERO_QUANTITY;
  }

  /** The fee is divided by absolute quantity, the notional is that of the whole; of both the remainder goes to the last. */
  #book(holdings: readonly number[], parts: readonly Quantity[], deal: Deal, fee: Amount): void {
    const { price } = deal;
    let turnover = ZERO_QUANTITY;
    let whole = ZERO_QUANTITY;
    for (const part of parts) {
      turnover = add(turnover, absolute(part));
      whole = add(whole, part);
    }
    let rest = fee;
    let notionalRest = notional(price, whole);
    for (let index = 0; index < parts.length; index++) {
      const part = parts[index] ?? ZERO_QUANTITY;
      const isLast = index === parts.length - 1;
      const value = isLast ? notionalRest : notional(price, part);
      const paid = isLast || isZero(turnover) ? rest : proportion(fee, absolute(part), turnover);
      notionalRest = subtract(notionalRest, value);
      rest = subtract(rest, paid);
      this.#change(holdings[index] ?? 0, part, deal, value, paid);
    }
  }

  #fund(instrument: number, amount: Amount, at: TimeMs): void {
    this.#funding = add(this.#funding, amount);
    const out = this.#fundingBytes.next();
    out.number(at);
    out.count(instrument);
    out.decimal(amount);
    const { owners, net } = this.#ownersOf(instrument);
    let rest = amount;
    owners.forEach((holding, index) => {
      const isLast = index === owners.length - 1 || isZero(net);
      const part = isLast ? rest : proportion(amount, this.#quantity[holding] ?? ZERO_QUANTITY, net);
      rest = subtract(rest, part);
      const running = this.#running[holding];
      if (running !== undefined) running.funding = add(running.funding, part);
    });
    // Flat by the time the payment arrived: it is nobody's.
    if (owners.length === 0) this.#keep(instrument, amount);
  }

  #keep(instrument: number, amount: Amount): void {
    this.#reserve[instrument] = add(this.#reserve[instrument] ?? ZERO_AMOUNT, amount);
  }

  #ownersOf(instrument: number): { owners: readonly number[]; net: Quantity } {
    let net = ZERO_QUANTITY;
    const owners = (this.#holdings.ofInstrument[instrument] ?? []).filter((holding) => {
      const quantity = this.#quantity[holding] ?? ZERO_QUANTITY;
      net = add(net, quantity);
      return !isZero(quantity);
    });
    return { owners, net };
  }

  #holdingOf(sleeve: number, leg: number): number {
    return (this.#holdings.first[sleeve] ?? 0) + leg;
  }

  // ---- trades --------------------------------------------------------------------------------------------------------

  #change(holding: number, change: Quantity, deal: Deal, paid: Amount, fee: Amount): void {
    const before = this.#quantity[holding] ?? ZERO_QUANTITY;
    const running = this.#running[holding];
    if (isZero(change)) {
      // The remainder of a fee can fall to a share that rounding left with nothing.
      if (running !== undefined) running.fees = add(running.fees, fee);
      else this.#keep(this.#holdings.instrument[holding] ?? 0, negate(fee));
      return;
    }
    this.#quantity[holding] = add(before, change);
    if (running === undefined) {
      this.#begin(holding, change, deal, paid, fee);
      return;
    }
    const { price, at, role, slip, estimate } = deal;
    if (estimate < running.lowest) running.lowest = estimate;
    if (estimate > running.highest) running.highest = estimate;
    if (signOf(before) === signOf(change)) {
      running.entered = add(running.entered, absolute(change));
      running.entryPrice = averaged(running.entryPrice, price, absolute(change), running.entered);
      running.most = larger(running.most, absolute(add(before, change)));
      running.proceeds = subtract(running.proceeds, paid);
      running.fees = add(running.fees, fee);
      running.slippage += slip * toNumber(change);
      return;
    }
    const excess = compare(absolute(change), absolute(before));
    // A flip is divided at flat: money and fee of the closing part to the old trade, the rest to the new one.
    const closed = excess > 0 ? negate(before) : change;
    const closedPaid = excess > 0 ? notional(price, closed) : paid;
    const closedFee = excess > 0 ? proportion(fee, absolute(closed), absolute(change)) : fee;
    running.exited = add(running.exited, absolute(closed));
    running.exitPrice = averaged(running.exitPrice, price, absolute(closed), running.exited);
    running.proceeds = subtract(running.proceeds, closedPaid);
    running.fees = add(running.fees, closedFee);
    running.slippage += slip * toNumber(closed);
    if (excess < 0) return;
    this.#finish(holding, running, at, this.#exitOf(this.#holdings.sleeve[holding] ?? 0, role));
    if (excess > 0) this.#begin(holding, subtract(change, closed), deal, subtract(paid, closedPaid), subtract(fee, closedFee));
  }

  #exitOf(sleeve: number, role: Ender): ExitKind {
    if (role === 'liquidation') return role;
    if (role === 'another hand') return 'operator';
    if (role === 'disaster') return 'disaster stop';
    if (role === 'stop') return this.#hasTrailed[sleeve] === 1 ? 'trailing stop' : 'stop';
    return this.#cause[sleeve] ?? 'opinion';
  }

  #begin(holding: number, change: Quantity, { price, at, estimate, slip }: Deal, paid: Amount, fee: Amount): void {
    const instrument = this.#holdings.instrument[holding] ?? 0;
    const seen = Number.isNaN(this.#mark[instrument] ?? NaN) ? NaN : estimate;
    const sleeve = this.#holdings.sleeve[holding] ?? 0;
    const size = absolute(change);
    this.#hasTrailed[sleeve] = 0;
    const round = this.#roundFor(holding, sleeve);
    this.#lastRound[holding] = round;
    this.#running[holding] = {
      round,
      isLong: signOf(change) > 0,
      openedAt: at,
      entryPrice: price,
      entered: size,
      exitPrice: ZERO_PRICE,
      exited: ZERO_QUANTITY,
      most: size,
      proceeds: negate(paid),
      fees: fee,
      funding: ZERO_AMOUNT,
      slippage: slip * toNumber(change),
      lowest: seen,
      highest: seen,
    };
    this.#runningOf[instrument] = (this.#runningOf[instrument] ?? 0) + 1;
    if (this.#heldHoldings++ === 0) this.#heldSince = at;
  }

  /** A leg joins the round that another leg has begun since this leg's last trade; otherwise it begins the sleeve's next. */
  #roundFor(holding: number, sleeve: number): number {
    const first = this.#holdings.first[sleeve] ?? 0;
    const legs = this.#sleeves[sleeve]?.instruments.length ?? 1;
    const last = this.#lastRound[holding] ?? 0;
    for (let other = first; other < first + legs; other++) {
      const round = this.#running[other]?.round ?? 0;
      if (other !== holding && round > last) return round;
    }
    if (legs > 1) this.#zScores[sleeve]?.push(this.#zScore[sleeve] ?? NaN, NaN);
    return (this.#rounds[sleeve] = (this.#rounds[sleeve] ?? 0) + 1);
  }

  /** Of a round of a sleeve with several legs: z-scores that the decisions named which opened it and which ended it; NaN for none. */
  zScoresOf(sleeve: number, round: number): { readonly entryZScore: number; readonly exitZScore: number } {
    const scores = this.#zScores[sleeve] ?? [];
    return { entryZScore: scores[2 * round - 2] ?? NaN, exitZScore: scores[2 * round - 1] ?? NaN };
  }

  #finish(holding: number, running: Running, at: TimeMs, exit: ExitKind): void {
    const instrument = this.#holdings.instrument[holding] ?? 0;
    this.#running[holding] = undefined;
    this.#runningOf[instrument] = (this.#runningOf[instrument] ?? 0) - 1;
    this.#keepEstimates(running);
    const sleeve = this.#holdings.sleeve[holding] ?? 0;
    const scores = this.#zScores[sleeve];
    // What no decision has ended has no score at its end: a stop does not ask how stretched the spread is.
    const isDecided = exit === 'opinion' || exit === 'risk rule';
    if (scores !== undefined && scores.length > 0) scores[2 * running.round - 1] = isDecided ? (this.#zScore[sleeve] ?? NaN) : NaN;
    if (--this.#heldHoldings === 0) this.#exposedMs += at - this.#heldSince;
    const out = this.#tradeBytes.next();
    out.count(holding);
    out.count(running.round);
    out.flag(running.isLong);
    out.number(running.openedAt);
    out.number(at);
    out.decimal(running.entryPrice);
    out.decimal(running.exitPrice);
    out.decimal(running.most);
    out.decimal(add(subtract(running.proceeds, running.fees), running.funding));
    out.decimal(running.fees);
    out.decimal(running.funding);
    out.byte(EXITS.indexOf(exit));
    this.#tradeCount++;
  }

  #keepEstimates({ slippage, lowest, highest }: Running): void {
    const place = this.#tradeCount * ESTIMATES;
    if (place === this.#estimates.length) {
      const longer = new Float64Array(place * 2);
      longer.set(this.#estimates);
      this.#estimates = longer;
    }
    this.#estimates[place] = slippage;
    this.#estimates[place + 1] = lowest;
    this.#estimates[place + 2] = highest;
  }

  #keepFill(at: TimeMs, instrument: number, side: Side, price: Price, quantity: Quantity, fee: Amount): void {
    const out = this.#fillBytes.next();
    out.number(at);
    out.count(instrument);
    out.flag(side === 'sell');
    out.decimal(price);
    out.decimal(quantity);
    out.decimal(fee);
    this.#fillCount++;
    this.#fees = add(this.#fees, fee);
  }

  // ---- what is read --------------------------------------------------------------------------------------------------

  /** Closed trades in the order in which they closed. */
  *trades(): Generator<ClosedTrade, void> {
    let place = 0;
    for (const from of recordsOf(this.#tradeBytes)) {
      const holding = from.count();
      const instrument = this.#holdings.instrument[holding] ?? 0;
      const record = {
        sleeve: this.#sleeveName(this.#holdings.sleeve[holding] ?? 0),
        symbol: this.#symbol(instrument),
        instrument,
        round: from.count(),
        side: from.flag() ? 'long' : 'short',
        openedAt: from.number(),
        closedAt: from.number(),
        entryPrice: from.decimal<Price>(),
        exitPrice: from.decimal<Price>(),
        quantity: from.decimal<Quantity>(),
        pnl: from.decimal<Amount>(),
        fees: from.decimal<Amount>(),
        funding: from.decimal<Amount>(),
        exit: EXITS[from.byte()] ?? 'opinion',
        slippage: this.#estimates[place] ?? NaN,
      } as const;
      const entry = toNumber(record.entryPrice);
      const below = excursion(entry - (this.#estimates[place + 1] ?? NaN), entry);
      const above = excursion((this.#estimates[place + 2] ?? NaN) - entry, entry);
      const isLong = record.side === 'long';
      yield { ...record, maxAdverseRatio: isLong ? below : above, maxFavourableRatio: isLong ? above : below };
      place += ESTIMATES;
    }
  }

  /** What is held still, by sleeve and leg. */
  openTrades(): OpenTrade[] {
    return this.#running.flatMap((running, holding) => {
      if (running === undefined) return [];
      const instrument = this.#holdings.instrument[holding] ?? 0;
      return {
        sleeve: this.#sleeveName(this.#holdings.sleeve[holding] ?? 0),
        symbol: this.#symbol(instrument),
        instrument,
        side: running.isLong ? 'long' : 'short',
        round: running.round,
        openedAt: running.openedAt,
        entryPrice: running.entryPrice,
        quantity: running.most,
        held: this.#quantity[holding] ?? ZERO_QUANTITY,
        fees: running.fees,
        funding: running.funding,
        slippage: running.slippage,
        cash: add(subtract(running.proceeds, running.fees), running.funding),
      };
    });
  }

  /** Fills at venues, each once, in the order in which we heard of them. Crossings are not among them. */
  *fills(): Generator<FillRecord, void> {
    for (const from of recordsOf(this.#fillBytes)) {
      const at = from.number();
      const instrument = from.count();
      yield {
        at,
        symbol: this.#symbol(instrument),
        instrument,
        side: from.flag() ? 'sell' : 'buy',
        price: from.decimal(),
        quantity: from.decimal(),
        fee: from.decimal(),
        feeCurrency: this.#instruments[instrument]?.quote ?? '',
      };
    }
  }

  *fundingPayments(): Generator<FundingRecord, void> {
    for (const from of recordsOf(this.#fundingBytes))
      yield { at: from.number(), symbol: this.#symbol(from.count()), amount: from.decimal() };
  }

  get transfers(): readonly TransferRecord[] {
    return this.#transfers;
  }
  /** What transfers came to: received less taken. */
  get transferred(): Amount {
    return this.#transfers.reduce((sum, { amount }) => add(sum, amount), ZERO_AMOUNT);
  }

  #sleeveName(sleeve: number): string {
    return this.#sleeves[sleeve]?.name ?? '';
  }

  #symbol(instrument: number): string {
    return this.#instruments[instrument]?.symbol ?? '';
  }

  /** Legs, from flat to flat. A pair's round trip is two of them. */
  get tradeCount(): number {
    return this.#tradeCount;
  }
  get fillCount(): number {
    return this.#fillCount;
  }
  /** How often a sleeve was stopped, by its own stop or by the disaster stop. */
  get stopOuts(): number {
    return this.#stopOuts;
  }
  get fees(): Amount {
    return this.#fees;
  }
  /** Received less paid. */
  get funding(): Amount {
    return this.#funding;
  }
  /** Money of no trade: funding that came when nothing was held any more. */
  get unallocated(): Amount {
    return this.#reserve.reduce((sum, part) => add(sum, part), ZERO_AMOUNT);
  }
  /** The same, of one instrument. */
  unallocatedOf(instrument: number): Amount {
    return this.#reserve[instrument] ?? ZERO_AMOUNT;
  }
  /** What all fills cost beyond the prices at which their orders were sent. NaN where prices were not told; 0 before the first fill. */
  get slippage(): number {
    return this.#slippage;
  }
  get instruments(): LedgerSubject['instruments'] {
    return this.#instruments;
  }
  get sleeves(): readonly Sleeve[] {
    return this.#sleeves;
  }
  /** Notional of all fills: summed when it is asked for, an estimate. */
  get turnover(): number {
    let turnover = 0;
    for (const fill of this.fills()) turnover += toNumber(fill.price) * toNumber(fill.quantity);
    return turnover;
  }
  /** By algorithm: what orders cost against the prices at which they were decided. */
  executionCosts(): ExecutionRow[] {
    return this.#costs.rows();
  }
  get crossings(): number {
    return this.count('crossing.made');
  }
  get isHalted(): boolean {
    return this.#isHalted;
  }
  get haltCauses(): readonly string[] {
    return this.#haltCauses;
  }
  /** When each was latched, in the order of `haltCauses`. */
  get haltTimes(): readonly TimeMs[] {
    return this.#haltTimes;
  }
  /** NaN before the first fill. */
  get lastFillAt(): TimeMs {
    let at = NaN;
    for (const fill of this.fills()) at = fill.at;
    return at;
  }

  /** How many entries of a kind the journal had. */
  count(kind: EntryKind): number {
    return this.#counts.get(kind)?.entries ?? 0;
  }

  /** By kind, in alphabetical order. */
  counts(): Record<string, number> {
    return sorted([...this.#counts].map(([kind, { entries }]) => [kind, entries] as const));
  }
  /** By rule, both gates together. */
  rulings(): Record<string, number> {
    return sorted([...this.#rulings].map(([rule, { clamps, halts, refusals }]) => [rule, clamps + halts + refusals] as const));
  }
  rulingCounts(): ReadonlyMap<string, Readonly<RulingCount>> {
    return this.#rulings;
  }
  /** By rule. */
  alerts(): Record<string, number> {
    return sorted(this.#alerts);
  }

  /** By sleeve, where the journal shows its stops to have been: at the venue, or watched by the engine. A pair's is on the spread. */
  stopPlaces(): Record<string, StopsPlace> {
    return Object.fromEntries(
      this.#sleeves.map((sleeve, index): [string, StopsPlace] => {
        const isRested = this.#restedAtVenue[index] === 1;
        const isHeld = this.#heldByEngine[index] === 1;
        return [sleeve.name, isRested ? (isHeld ? 'venue and engine' : 'venue') : isHeld ? 'engine' : 'none'];
      }),
    );
  }

  /** What it learned from prices: the rest is folded again from the journal's rows. */
  save(out: ByteWriter): void {
    out.numbers(this.#mark);
    out.number(this.#slippage);
    out.numbers(this.#estimates.subarray(0, this.#tradeCount * ESTIMATES));
    for (const running of this.#running) {
      if (running === undefined) continue;
      out.number(running.slippage);
      out.number(running.lowest);
      out.number(running.highest);
    }
    out.numbers(Float64Array.from(this.#orders.values(), (order) => order.sentAt));
    this.#costs.save(out);
  }

  /** Into a ledger that was told the same rows, and of the market nothing. */
  restore(from: ByteReader): void {
    from.numbers(this.#mark);
    this.#slippage = from.number();
    const estimates = from.numbers();
    assert(estimates.length === this.#tradeCount * ESTIMATES, 'a snapshot of the trades is of the rows before it');
    this.#estimates.set(estimates);
    for (const running of this.#running) {
      if (running === undefined) continue;
      running.slippage = from.number();
      running.lowest = from.number();
      running.highest = from.number();
    }
    const sentAt = from.numbers();
    assert(sentAt.length === this.#orders.size, 'a snapshot of the orders is of the rows before it');
    let index = 0;
    for (const order of this.#orders.values()) {
      order.sentAt = sentAt[index++] ?? NaN;
      if (order.arrival?.algorithm === 'market') order.arrival.price = order.sentAt;
    }
    this.#costs.restore(from);
  }

  /** How long anything was held, up to `now`. */
  exposedMs(now: TimeMs): TimeMs {
    return this.#exposedMs + (this.#heldHoldings > 0 ? Math.max(0, now - this.#heldSince) : 0);
  }
}

/** A reader at the beginning of each record. */
function* recordsOf(records: RecordBytes): Generator<ByteReader, void> {
  for (const from of records.readers()) while (!from.ended) yield from;
}

/** How far a price went, over the entry. The entry is rounded and may lie beyond the only price there was by that much. */
function excursion(distance: number, entry: number): number {
  return distance < 0 || entry === 0 ? 0 : distance / entry;
}

/** The average once `part` of `total` came at `price`. Exact while all came at one price. */
function averaged(average: Price, price: Price, part: Quantity, total: Quantity): Price {
  return add(average, proportion(subtract(price, average), part, total));
}

function sorted(counts: Iterable<readonly [string, number]>): Record<string, number> {
  return Object.fromEntries([...counts].toSorted(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0)));
}

/** P&L over what was put in at the most: an estimate. */
export function returnRatio(trade: ClosedTrade): number {
  const invested = toNumber(notional(trade.entryPrice, trade.quantity));
  return invested === 0 ? 0 : toNumber(trade.pnl) / invested;
}
