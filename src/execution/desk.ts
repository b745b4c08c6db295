// Where wants become orders: freezing, planning, protection and latches of every sleeve. Decisions and reflexes meet here.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import {
  absolute,
  add,
  compare,
  format,
  isZero,
  negate,
  notional,
  larger,
  priceFrom,
  quantityFrom,
  roundToStep,
  smaller,
  signOf,
  subtract,
  toNumber,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../domain/decimal.ts';
import type { StateChange } from '../domain/entry.ts';
import type { MarketEvent, OrderReport } from '../domain/event.ts';
import type { Instrument } from '../domain/instrument.ts';
import {
  filledShares,
  isOpen,
  sumOfShares,
  type AmendIntent,
  type CancelIntent,
  type OrderIntent,
  type Share,
  type TicketAlgorithm,
} from '../domain/order.ts';
import type { Holdings, PortfolioView, Sleeve } from '../domain/sleeve.ts';
import { NEVER, type TimeMs } from '../domain/time.ts';
import { LegOrder } from './leg-order.ts';
import { isDust, marketOrder, plan, sideOf, stopOrder, type Plan, type PlanInput } from './planner.ts';
import { Tickets, type ExecutionSettings, type Ticket } from './tickets.ts';
import { awaitsParent, OrderTracker, type TrackedOrder } from './tracker.ts';
import { Wants } from './wants.ts';

export interface DeskSettings {
  readonly rebalanceBandRatio: number;
  /** First distance of the disaster stop from the price, at least; it always lies beyond every sleeve stop. NaN for none. */
  readonly disasterRatio: number;
  /** The same where everything that stands in the instrument is a leg that another leg of its sleeve stands against; at least the above. */
  readonly pairDisasterRatio: number;
  /** How far beyond the furthest sleeve stop the disaster stop is kept. */
  readonly disasterGapRatio: number;
  /** A pair may hold one leg only for this long. */
  readonly maximumLeggedMs: TimeMs;
  /** And lose at most this fraction of equity meanwhile. */
  readonly maximumLeggedLossRatio: number;
  /** No stop rests at the venue: the engine holds each at every price, and nothing protects what is held while it is away. */
  readonly holdsStops?: boolean;
  /** So many closes and stops of an instrument in a row that failed halt the run; absent for no bound, where nothing acts by itself. */
  readonly mostFailedCloses?: number;
  /** What is bought names what it may cost, and its quantity is computed where it fills. For one sleeve on spot. */
  readonly buysByBudget?: boolean;
  /** How what is needed is carried out; at the market, at once, where it is absent. */
  readonly execution?: ExecutionSettings;
}

/** What the desk asks of the engine. */
export interface DeskOutput {
  /** Gate two, the journal, the outbox. False when gate two refused. @param algorithm of the ticket whose order it is; none at the market */
  send(intent: OrderIntent, algorithm?: TicketAlgorithm): boolean;
  /** As `send`, for the order as it will stand. */
  amend(intent: AmendIntent, amended: OrderIntent): boolean;
  cancel(intent: CancelIntent): void;
  cross(instrument: number, parts: readonly Share[], price: Price, at: TimeMs): void;
  say(change: StateChange): void;
}

/** What a decision freezes for one sleeve. */
export interface Frozen {
  readonly quantities: readonly Quantity[];
  readonly stance: number;
  readonly stopRatio: number;
  readonly trailR: number;
  readonly trailRatio?: number;
}

/** What one order is to bring, signed, and to whom. */
type Needed = Pick<Plan, 'instrument' | 'quantity' | 'shares'>;

const REFUSED_BY_GATE = 'gate two refused it';
/** What cannot be closed is tried again after twice as many bars each time, and after so many at most. */
const LONGEST_PAUSE_BARS = 64;

/** Where an instrument has no tick, or a very small one: how far a limit order that would have taken is moved back. */
const SMALLEST_STEP_RATIO = 1e-4;

/** A pair is on one leg where its legs are this far apart on their way, as a part of the whole. */
const LEGGED_PART = 0.25;

export class Desk implements Stateful {
  readonly wants: Wants;
  readonly tracker: OrderTracker;
  readonly #instruments: readonly Instrument[];
  readonly #sleeves: readonly Sleeve[];
  readonly #holdings: Holdings;
  readonly #portfolio: PortfolioView;
  readonly #mark: Float64Array;
  readonly #settings: DeskSettings;
  readonly #out: DeskOutput;
  readonly #planInput: PlanInput;
  /** By instrument: something changed that the planner has not seen. */
  readonly #dirty: Uint8Array;
  #anyDirty = false;
  /** By instrument: a close or a stop was refused, or the venue ended it; it is asked for again with the next bar, never at once. */
  readonly #retry: Uint8Array;
  /** By instrument: closes and stops in a row that were refused, or that the venue ended by itself; and for how many bars nothing is tried. */
  readonly #failedCloses: Int32Array;
  readonly #pauseBars: Int32Array;
  /** By instrument: 1 once it was said that what is left of a position cannot be closed. */
  readonly #isDustMarked: Uint8Array;
  /** By instrument: side of the net position as last protected, so that openings and flips are noticed. */
  readonly #netSide: Int8Array;
  /** By sleeve: since when only some legs of a pair are where they should be; NaN when all are. */
  readonly leggedSince: Float64Array;
  /** By sleeve with several legs: 1 when a price of one has come, so that its spread is looked at once those of the others have. */
  readonly #spreadDue: Uint8Array;
  isSpreadDue = false;
  /** By holding: side held, as last seen, so that openings and flips are noticed. */
  readonly #side: Int8Array;
  /** While stops are brought in line: those that are to be cancelled when the new ones were sent. */
  #superfluous: TrackedOrder[] | undefined;
  /** What is worked; undefined where everything goes out at once. */
  readonly #tickets: Tickets | undefined;
  /** Which leg of a pair rests first; undefined where nothing rests. By holding: what is aimed at now, and 1 where it follows another leg. */
  readonly #legOrder: LegOrder | undefined;
  readonly #aim: Quantity[] = [];
  readonly #isFollowing: Uint8Array;
  /** By sleeve: 1 when it has one leg. */
  readonly #isSingleLegged: Uint8Array;
  #decision = 0;
  #orders = 0;
  #halted = false;

  constructor(
    instruments: readonly Instrument[],
    sleeves: readonly Sleeve[],
    holdings: Holdings,
    portfolio: PortfolioView,
    mark: Float64Array,
    settings: DeskSettings,
    out: DeskOutput,
  ) {
    this.#instruments = instruments;
    this.#sleeves = sleeves;
    this.#holdings = holdings;
    this.#portfolio = portfolio;
    this.#mark = mark;
    this.#settings = settings;
    this.#out = out;
    this.wants = new Wants(sleeves.length, holdings, instruments.length);
    this.tracker = new OrderTracker(
      holdings,
      instruments.map((each) => each.lot),
    );
    this.#planInput = {
      instruments,
      holdings,
      target: this.wants.target,
      pending: this.tracker.pending,
      portfolio,
      mark,
      rebalanceBandRatio: settings.rebalanceBandRatio,
    };
    this.#isFollowing = new Uint8Array(holdings.count);
    if (settings.execution !== undefined) {
      this.#tickets = new Tickets(settings.execution, instruments);
      const { algorithm } = settings.execution;
      const rests = algorithm === 'limit-first' || algorithm === 'iceberg';
      if (rests && sleeves.some((sleeve) => sleeve.instruments.length > 1)) {
        this.#legOrder = new LegOrder(sleeves, instruments.length);
        this.#aim = [...this.wants.target];
        this.#planInput = { ...this.#planInput, target: this.#aim, isExact: this.#isFollowing };
      }
    }
    this.#isSingleLegged = Uint8Array.from(sleeves, (sleeve) => (sleeve.instruments.length === 1 ? 1 : 0));
    this.#dirty = new Uint8Array(instruments.length);
    this.#retry = new Uint8Array(instruments.length);
    this.#failedCloses = new Int32Array(instruments.length);
    this.#pauseBars = new Int32Array(instruments.length);
    this.#isDustMarked = new Uint8Array(instruments.length);
    this.#netSide = new Int8Array(instruments.length);
    this.leggedSince = new Float64Array(sleeves.length).fill(NaN);
    this.#spreadDue = new Uint8Array(sleeves.length);
    this.#side = new Int8Array(holdings.count);
  }

  get decision(): number {
    return this.#decision;
  }

  /** True when the planner has something to look at. */
  get isDirty(): boolean {
    return this.#anyDirty;
  }

  /** Begins a decision: its id names the orders that follow, until the next. */
  beginDecision(): number {
    this.#decision++;
    this.#orders = 0;
    return this.#decision;
  }

  #nextId(): string {
    return `${this.#decision}-${++this.#orders}`;
  }

  #touch(instrument: number): void {
    this.#dirty[instrument] = 1;
    this.#anyDirty = true;
  }

  #touchSleeve(sleeve: number): void {
    for (const instrument of this.#sleeves[sleeve]?.instruments ?? []) this.#touch(instrument);
  }

  /** Side of the sleeve's position: of its quantity, or for a pair of the stance behind it. 0 when flat. */
  sideHeld(sleeve: number): -1 | 0 | 1 {
    if (this.isFlat(sleeve)) return 0;
    if (this.#isSingle(sleeve)) return signOf(this.#portfolio.quantity[this.#holdings.first[sleeve] ?? 0] ?? ZERO_QUANTITY);
    // A pair that is going flat has no stance any more; the side of its levels stays until it is.
    const side = this.wants.levelSide[sleeve] ?? 0;
    return side < 0 || (side === 0 && (this.wants.stance[sleeve] ?? 0) < 0) ? -1 : 1;
  }

  /** Side that the sleeve will have once everything on its way has arrived: what a new opinion is compared with. */
  #sideComing(sleeve: number): -1 | 0 | 1 {
    if (!this.#isSingle(sleeve)) return this.sideHeld(sleeve);
    return signOf(this.#expected(this.#holdings.first[sleeve] ?? 0));
  }

  /** What the holding will be once everything on its way has arrived. */
  #expected(holding: number): Quantity {
    return add(this.#portfolio.quantity[holding] ?? ZERO_QUANTITY, this.tracker.pending[holding] ?? ZERO_QUANTITY);
  }

  isFlat(sleeve: number): boolean {
    const first = this.#holdings.first[sleeve] ?? 0;
    const legs = this.#sleeves[sleeve]?.instruments.length ?? 0;
    for (let leg = 0; leg < legs; leg++) if ((this.#portfolio.held[first + leg] ?? 0) !== 0) return false;
    return true;
  }

  #wantsAny(sleeve: number): boolean {
    const first = this.#holdings.first[sleeve] ?? 0;
    const legs = this.#sleeves[sleeve]?.instruments.length ?? 0;
    for (let leg = 0; leg < legs; leg++) if (!isZero(this.wants.target[first + leg] ?? ZERO_QUANTITY)) return true;
    return false;
  }

  /** Whether the sleeve's position protects itself by a stop on price, which a pair's does not: its stop is on the spread. */
  #isSingle(sleeve: number): boolean {
    return this.#isSingleLegged[sleeve] === 1;
  }

  /** Freezes what an approved decision gave a sleeve. */
  freeze(sleeve: number, frozen: Frozen): void {
    const { wants } = this;
    const first = this.#holdings.first[sleeve] ?? 0;
    const sideBefore = this.#sideComing(sleeve);
    wants.stance[sleeve] = frozen.stance;
    let wantsAny = false;
    frozen.quantities.forEach((quantity, leg) => {
      wants.target[first + leg] = quantity;
      if (!isZero(quantity)) wantsAny = true;
    });
    if (wantsAny) this.#noteWhole(sleeve);
    this.#chooseLead(sleeve);
    const sideWanted = wantsAny ? Math.sign(frozen.stance) : 0;
    if (sideWanted !== 0 && (sideWanted !== sideBefore || sideWanted !== wants.levelSide[sleeve])) {
      // A pair has no stop on a price: its loss is watched on the spread, against `stopRatio`.
      const level = this.#isSingle(sleeve) ? (this.#mark[this.#sleeves[sleeve]?.instruments[0] ?? 0] ?? NaN) : NaN;
      const risk = level * frozen.stopRatio;
      wants.levelSide[sleeve] = sideWanted;
      wants.stopRatio[sleeve] = frozen.stopRatio;
      wants.openedPrice[sleeve] = level;
      wants.initialRisk[sleeve] = risk;
      const trailRatio = frozen.trailRatio ?? NaN;
      // Of the price, not of the risk: as a trail by ratio reckons it, to the last bit. A trail without a stop begins at its own distance.
      wants.stopPrice[sleeve] = level * (1 - sideWanted * (Number.isNaN(frozen.stopRatio) ? trailRatio : frozen.stopRatio));
      wants.trailR[sleeve] = frozen.trailR;
      wants.trailRatio[sleeve] = trailRatio;
      wants.bestPrice[sleeve] = level;
    }
    this.#touchSleeve(sleeve);
  }

  /** Shrinks a standing target after a clamp. */
  shrink(sleeve: number, quantities: readonly Quantity[]): void {
    const first = this.#holdings.first[sleeve] ?? 0;
    quantities.forEach((quantity, leg) => {
      this.wants.target[first + leg] = quantity;
    });
    if (quantities.some((quantity) => !isZero(quantity))) this.#noteWhole(sleeve);
    this.#chooseLead(sleeve);
    this.#touchSleeve(sleeve);
  }

  #noteWhole(sleeve: number): void {
    const first = this.#holdings.first[sleeve] ?? 0;
    const legs = this.#sleeves[sleeve]?.instruments.length ?? 0;
    for (let holding = first; holding < first + legs; holding++)
      this.wants.whole[holding] = toNumber(this.wants.target[holding] ?? ZERO_QUANTITY);
  }

  #chooseLead(sleeve: number): void {
    const first = this.#holdings.first[sleeve] ?? 0;
    this.#legOrder?.choose(sleeve, (leg) => {
      // A leg that is to be left out has no part that others could follow.
      const isWhole = this.wants.whole[first + leg] !== 0;
      const held = this.#portfolio.quantity[first + leg] ?? ZERO_QUANTITY;
      return isWhole && compare(held, this.wants.target[first + leg] ?? ZERO_QUANTITY) !== 0;
    });
  }

  /** Makes a sleeve flat and latches it: it re-arms only once its stance was neutral or on the other side. */
  latch(sleeve: number): void {
    const { wants } = this;
    const held = this.sideHeld(sleeve);
    const stance = wants.stance[sleeve] ?? 0;
    const side = held !== 0 ? held : stance > 0 ? 1 : stance < 0 ? -1 : 0;
    // Flat and without a stance it has no side to be latched on; what it was latched on before stands.
    if (side !== 0) wants.latchedSide[sleeve] = side;
    this.#flatten(sleeve);
  }

  #flatten(sleeve: number): void {
    const first = this.#holdings.first[sleeve] ?? 0;
    for (let leg = 0; leg < (this.#sleeves[sleeve]?.instruments.length ?? 0); leg++) this.wants.target[first + leg] = ZERO_QUANTITY;
    this.#touchSleeve(sleeve);
  }

  /** Everything to flat, entries cancelled, nothing that is being cancelled counted. */
  halt(at: TimeMs): void {
    this.#halted = true;
    for (let sleeve = 0; sleeve < this.#sleeves.length; sleeve++) this.#flatten(sleeve);
    this.cancelTargets(at, () => true, true);
  }

  /** The latch of the halt is released: every sleeve decides anew. */
  resume(): void {
    this.#halted = false;
    this.wants.stance.fill(0);
    this.#failedCloses.fill(0);
    this.#pauseBars.fill(0);
  }

  /** Asks the venue to cancel the open target orders that `which` names. */
  cancelTargets(at: TimeMs, which: (order: TrackedOrder) => boolean, uncount: boolean): void {
    for (const order of this.tracker.open) {
      if (order.intent.role !== 'target' || !which(order)) continue;
      if (order.state !== 'cancelling') this.#out.cancel({ at, instrument: order.intent.instrument, order: order.intent.id });
      this.tracker.cancelling(order, uncount);
      this.#touch(order.intent.instrument);
    }
  }

  /** Everything in flight that adds exposure in an instrument is called back: its feed cannot be trusted. */
  cancelEntries(at: TimeMs, instrument: number): void {
    this.cancelTargets(at, (order) => order.intent.instrument === instrument && !order.intent.reduceOnly, this.#halted);
  }

  // ---- planning ----------------------------------------------------------------------------------------------------

  /** Orders what is wanted and neither held nor on its way. */
  order(at: TimeMs): void {
    // A refusal withdraws targets, which may make other instruments dirty: few rounds, each only shrinks what is wanted.
    while (this.#anyDirty) {
      this.#anyDirty = false;
      for (let instrument = 0; instrument < this.#dirty.length; instrument++) {
        if (this.#dirty[instrument] === 0) continue;
        this.#dirty[instrument] = 0;
        if (this.#tickets !== undefined && !this.#mayPlan(this.#tickets, instrument, at)) continue;
        const planned = this.#planOf(instrument);
        if (planned !== undefined) this.#carryOut(planned, at);
        if (this.#tickets !== undefined) this.#closeIfDone(this.#tickets, instrument, at);
      }
    }
  }

  #planOf(instrument: number): Plan | undefined {
    if (this.#legOrder !== undefined) {
      for (const holding of this.#holdings.ofInstrument[instrument] ?? []) this.#takeAim(this.#legOrder, holding);
    }
    return plan(this.#planInput, instrument);
  }

  /**
   * What is aimed at now. While the first leg of a pair has not come as far as it is to come, the others aim at the same part of their way, and
   * never away from where they are to be. Nothing waits for what a reflex has closed, or under a halt.
   */
  #takeAim({ lead: leads }: LegOrder, holding: number): void {
    const { target: targets, whole } = this.wants;
    const target = targets[holding] ?? ZERO_QUANTITY;
    this.#aim[holding] = target;
    this.#isFollowing[holding] = 0;
    const sleeve = this.#holdings.sleeve[holding] ?? 0;
    const leg = leads[sleeve] ?? -1;
    const lead = (this.#holdings.first[sleeve] ?? 0) + leg;
    if (leg < 0 || lead === holding || this.#halted || this.wants.latchedSide[sleeve] !== 0) return;
    this.#isFollowing[holding] = 1;
    const { quantity } = this.#portfolio;
    const reached = quantity[lead] ?? ZERO_QUANTITY;
    if (compare(reached, targets[lead] ?? ZERO_QUANTITY) === 0) return;
    this.#aim[holding] = this.#alongside(holding, toNumber(reached) / (whole[lead] ?? NaN));
  }

  /** The target, but for a leg that waits for another. */
  #wantedNow(holding: number): Quantity {
    if (this.#legOrder === undefined) return this.wants.target[holding] ?? ZERO_QUANTITY;
    this.#takeAim(this.#legOrder, holding);
    return this.#aim[holding] ?? ZERO_QUANTITY;
  }

  /** So much of a holding's whole, between where it is once everything has arrived and where it is to be: what is on its way is not undone. */
  #alongside(holding: number, part: number): Quantity {
    const target = this.wants.target[holding] ?? ZERO_QUANTITY;
    const expected = this.#expected(holding);
    const lot = this.#instruments[this.#holdings.instrument[holding] ?? 0]?.lot ?? ZERO_QUANTITY;
    const wanted = quantityFrom(part * (this.wants.whole[holding] ?? 0), lot, 'toward-zero');
    return larger(smaller(expected, target), smaller(larger(expected, target), wanted));
  }

  #carryOut(planned: Plan, at: TimeMs): void {
    const { instrument, crossing, crossingPrice } = planned;
    const crosses = crossing.length > 0 && crossingPrice !== undefined;
    if (crosses) this.#out.cross(instrument, crossing, crossingPrice, at);
    if (!isZero(planned.quantity)) this.#sendTarget(planned, at);
    // Sleeves hold something else now, and no report will say so.
    if (crosses) this.protect(instrument, at);
  }

  #sendTarget(planned: Plan, at: TimeMs): void {
    const tickets = this.#tickets;
    if (tickets === undefined || this.#halted) {
      this.#sendNow(planned, at);
      return;
    }
    const { instrument, shares } = planned;
    // What a reflex has closed waits for no better price, nor do legs of pairs, which must come together, but for the one that goes first.
    const mayWait = ({ sleeve, leg }: Share): boolean => this.#isSingle(sleeve) || this.#legOrder?.lead[sleeve] === leg;
    const waiting = shares.filter((share) => mayWait(share) && this.wants.latchedSide[share.sleeve] === 0);
    const urgent = shares.filter((share) => !waiting.includes(share));
    if (urgent.length > 0) this.#sendNow({ instrument, quantity: sumOfShares(urgent), shares: urgent }, at);
    if (waiting.length > 0) this.#workOn(tickets, { instrument, quantity: sumOfShares(waiting), shares: waiting }, at);
  }

  #sendNow({ instrument, quantity, shares }: Needed, at: TimeMs, algorithm?: TicketAlgorithm, price?: Price): void {
    const traded = this.#instruments[instrument];
    if (traded === undefined) return;
    const net = this.#portfolio.net[instrument] ?? ZERO_QUANTITY;
    const closes = signOf(net) === -signOf(quantity);
    // Under halt only what closes the net may go out; a fill that is still coming is closed when it comes.
    if (this.#halted && !closes) return;
    const reduceOnly = closes && (this.#halted || compare(absolute(quantity), absolute(net)) <= 0);
    if (isDust(traded, quantity, this.#mark[instrument] ?? NaN, reduceOnly)) {
      if (closes && compare(absolute(quantity), absolute(net)) === 0) this.#markDust(instrument, traded, net, at);
      return;
    }
    this.#isDustMarked[instrument] = 0;
    const id = this.#nextId();
    const attached = this.#attachments(instrument, quantity, shares, at);
    const sent = marketOrder(id, at, instrument, quantity, shares, reduceOnly, attached);
    const type = this.#settings.execution?.postOnly === true ? 'post-only' : 'limit';
    const order = price === undefined ? sent : ({ ...sent, type, limitPrice: price } as const);
    const byBudget = this.#settings.buysByBudget === true && order.side === 'buy' && !reduceOnly;
    const intent = byBudget ? { ...order, budget: this.#worth(traded, order) } : order;
    if (this.#out.send(intent, algorithm)) this.tracker.submitted(intent);
    else this.#refused(intent, REFUSED_BY_GATE, at);
  }

  /** What is left of a position is too little for the venue to take: it stays, is said once, and goes with the next position that is closed. */
  #markDust(instrument: number, { symbol, minimumQuantity }: Instrument, net: Quantity, at: TimeMs): void {
    if (this.#isDustMarked[instrument] === 1) return;
    this.#isDustMarked[instrument] = 1;
    const why = `${format(net)} ${symbol} is left of a position that was closed, less than the ${format(minimumQuantity)} that the venue takes`;
    this.#out.say({ kind: 'alert.raised', at, rule: 'dust', why });
  }

  /** At the mark, which is what the decision had in mind. */
  #worth({ tick }: Instrument, { instrument, quantity }: OrderIntent): Amount {
    return notional(priceFrom(this.#mark[instrument] ?? NaN, tick, 'nearest'), quantity);
  }

  /** The stops that begin to rest with the entry's first fill: of each sleeve that opens, and of the net if it opens or flips. */
  #attachments(instrument: number, quantity: Quantity, shares: readonly Share[], at: TimeMs): readonly OrderIntent[] {
    const attached: OrderIntent[] = [];
    const traded = this.#instruments[instrument];
    if (traded === undefined || this.#settings.holdsStops === true) return attached;
    const side = signOf(quantity);
    if (this.#isOneSided(instrument)) {
      for (const { sleeve, leg, quantity: part } of shares) {
        if (!this.#isSingle(sleeve)) continue;
        const holding = this.#holdings.first[sleeve] ?? 0;
        const target = this.wants.target[holding] ?? ZERO_QUANTITY;
        if (signOf(target) !== side || signOf(this.#portfolio.quantity[holding] ?? ZERO_QUANTITY) === side) continue;
        const stopPrice = this.#stopPrice(sleeve, side, traded);
        if (stopPrice === undefined || compare(absolute(target), traded.minimumQuantity) < 0) continue;
        // Of a slice, what is held once it has come.
        const coming = this.#tickets === undefined ? target : add(this.#expected(holding), part);
        if (signOf(coming) !== side) continue;
        const closing = negate(coming);
        attached.push(stopOrder(this.#nextId(), at, instrument, closing, stopPrice, [{ sleeve, leg, quantity: closing }], false));
      }
    }
    const net = this.#portfolio.net[instrument] ?? ZERO_QUANTITY;
    let after = add(net, quantity);
    for (const holding of this.#holdings.ofInstrument[instrument] ?? []) after = add(after, this.tracker.pending[holding] ?? ZERO_QUANTITY);
    if (signOf(after) !== side || signOf(net) === side || this.#isDisasterComing(instrument, side)) return attached;
    const level = this.#disasterLevel(instrument, side);
    if (level > 0) {
      attached.push(stopOrder(this.#nextId(), at, instrument, negate(after), priceFrom(level, traded.tick, 'nearest'), [], true));
    }
    return attached;
  }

  /** An entry on its way already brings the disaster stop of that side. */
  #isDisasterComing(instrument: number, side: -1 | 0 | 1): boolean {
    const { open } = this.tracker;
    for (let place = 0; place < open.length; place++) {
      const order = open[place];
      if (order === undefined) continue;
      const { intent } = order;
      if (intent.wholePosition && intent.instrument === instrument && sideProtected(intent) === side && awaitsParent(order)) return true;
    }
    return false;
  }

  /**
   * Where the stop of the net rests on that side, or would. Every order that may open takes it along to a venue that can hold it: the position
   * may be gone, or the order that is to bring its stop lost or late, when it fills, and nobody may be alive to notice. NaN for none.
   */
  disasterPrice(instrument: number, side: -1 | 1): number {
    const standing = this.#netSide[instrument] === side ? (this.wants.disasterPrice[instrument] ?? NaN) : NaN;
    return standing > 0 ? standing : this.#disasterLevel(instrument, side);
  }

  /** The sleeve's stop on the venue's tick; undefined when it has none that could rest for a position on that side. */
  #stopPrice(sleeve: number, side: -1 | 0 | 1, traded: Instrument): Price | undefined {
    const level = this.wants.stopPrice[sleeve] ?? NaN;
    if (this.wants.levelSide[sleeve] !== side || !(level > 0)) return undefined;
    const stopPrice = priceFrom(level, traded.tick, 'nearest');
    return signOf(stopPrice) > 0 ? stopPrice : undefined;
  }

  /** As far from the price as is asked, and beyond the stop of every sleeve on that side. */
  #disasterLevel(instrument: number, side: -1 | 0 | 1): number {
    const { disasterRatio, pairDisasterRatio, disasterGapRatio } = this.#settings;
    const firstRatio = this.#isHedged(instrument) ? pairDisasterRatio : disasterRatio;
    let level = (this.#mark[instrument] ?? NaN) * (1 - side * firstRatio);
    for (const holding of this.#holdings.ofInstrument[instrument] ?? []) {
      const sleeve = this.#holdings.sleeve[holding] ?? 0;
      const stop = this.wants.stopPrice[sleeve] ?? NaN;
      if (!this.#isSingle(sleeve) || this.wants.levelSide[sleeve] !== side || !(stop > 0)) continue;
      const isConcerned =
        signOf(this.wants.target[holding] ?? ZERO_QUANTITY) === side || signOf(this.#portfolio.quantity[holding] ?? ZERO_QUANTITY) === side;
      const beyond = stop * (1 - side * disasterGapRatio);
      if (isConcerned && side * (level - beyond) > 0) level = beyond;
    }
    return level;
  }

  /** Everything that stands in the instrument, wanted or held, is a leg of a hedged sleeve. @param but a holding that is not looked at */
  #isHedged(instrument: number, but = -1): boolean {
    let isAny = false;
    for (const holding of this.#holdings.ofInstrument[instrument] ?? []) {
      if (holding === but || (isZero(this.wants.target[holding] ?? ZERO_QUANTITY) && (this.#portfolio.held[holding] ?? 0) === 0)) continue;
      if (!this.#hasSeveralLegs(this.#holdings.sleeve[holding] ?? 0)) return false;
      isAny = true;
    }
    return isAny;
  }

  /** What is traded of the sleeve is more than one leg: what one loses another should win, and its loss is watched on the spread. */
  #hasSeveralLegs(sleeve: number): boolean {
    const first = this.#holdings.first[sleeve] ?? 0;
    let legs = 0;
    for (let leg = 0; leg < (this.#sleeves[sleeve]?.instruments.length ?? 0); leg++) if (this.wants.whole[first + leg] !== 0) legs++;
    return legs > 1;
  }

  /** What stands alone has joined the legs of hedged sleeves: the disaster stop comes as near as it would have been set for it. */
  #drawNear(holding: number): void {
    const instrument = this.#holdings.instrument[holding] ?? 0;
    const side = signOf(this.#portfolio.net[instrument] ?? ZERO_QUANTITY);
    const level = this.wants.disasterPrice[instrument] ?? NaN;
    if (side === 0 || !this.#isHedged(instrument, holding)) return;
    const near = this.#disasterLevel(instrument, side);
    if (side * (near - level) > 0) this.wants.disasterPrice[instrument] = near;
  }

  /**
   * Gate two refused, or the venue rejected. What would have reduced a sleeve stays wanted and is asked for again with the next bar; what
   * would have increased it is withdrawn.
   */
  #refused(intent: OrderIntent, reason: string, at: TimeMs): void {
    let isWithdrawn = false;
    let isClose = false;
    for (const { sleeve, leg } of intent.shares) {
      const holding = (this.#holdings.first[sleeve] ?? 0) + leg;
      const expected = this.#expected(holding);
      const target = this.wants.target[holding] ?? ZERO_QUANTITY;
      const kept = this.#withoutIncrease(holding);
      this.wants.target[holding] = kept;
      if (compare(kept, target) !== 0) isWithdrawn = true;
      if (compare(kept, expected) !== 0) isClose = true;
      if (compare(kept, target) !== 0 && !this.#isSingle(sleeve)) {
        this.#out.say({ kind: 'sleeve.closed', at, sleeve, because: `a leg of the pair was refused (order ${intent.id})` });
      }
    }
    if (isClose) this.#closeFailed(intent, reason, at);
    // The others may be on one side again, and no report will say so.
    if (isWithdrawn) this.protect(intent.instrument, at);
    // Its ticket may be done with that; what is to be asked for again waits for the next bar.
    if (this.#tickets !== undefined && this.#retry[intent.instrument] !== 1) this.#touch(intent.instrument);
  }

  /**
   * A way out, or what protects, did not come to be, or not to stay: it is asked for again with the next bar. After so many in a row somebody
   * has to look: the run halts, says why, and from then on asks less and less often.
   * @returns how many in a row; 0 where there is no bound
   */
  #closeFailed({ id, instrument, role }: OrderIntent, reason: string, at: TimeMs): number {
    this.#retry[instrument] = 1;
    const { mostFailedCloses: most } = this.#settings;
    if (most === undefined) return 0;
    const failed = (this.#failedCloses[instrument] ?? 0) + 1;
    this.#failedCloses[instrument] = failed;
    if (failed > most) this.#pauseBars[instrument] = Math.min(LONGEST_PAUSE_BARS, 2 ** Math.min(failed - most, 30));
    if (failed !== most) return failed;
    const what = `${failed} orders in a row that close or protect ${this.#instruments[instrument]?.symbol ?? ''} failed`;
    const why = `${what}; the last, ${role === 'target' ? 'close' : role === 'stop' ? 'stop' : 'disaster stop'} ${id}: ${reason}`;
    this.#out.say({ kind: 'alert.raised', at, rule: 'failed-closes', why });
    if (!this.#halted) this.#out.say({ kind: 'halt.latched', at, cause: why });
    return failed;
  }

  #forgetFailures(instrument: number): void {
    this.#failedCloses[instrument] = 0;
    this.#pauseBars[instrument] = 0;
  }

  /** The venue has ended, by itself and unfilled, what was to close or to protect, and nothing else has taken its place. */
  #isLost({ intent, filled }: TrackedOrder): boolean {
    const { instrument, role, reduceOnly, wholePosition } = intent;
    if (!isZero(filled)) return false;
    const net = signOf(this.#portfolio.net[instrument] ?? ZERO_QUANTITY);
    if (role === 'target') return reduceOnly && !isLimit(intent) && net === sideProtected(intent);
    if (wholePosition) return net === sideProtected(intent) && !this.#hasDisasterStop(instrument, net);
    return intent.shares.some(({ sleeve }) => this.sideHeld(sleeve) === sideProtected(intent) && !this.restsAtVenue(sleeve));
  }

  #hasDisasterStop(instrument: number, side: -1 | 1): boolean {
    for (const order of this.tracker.open) {
      if (order.intent.wholePosition && isRestingStop(order, instrument) && sideProtected(order.intent) === side) return true;
    }
    return false;
  }

  /** Something that closes is on its way, or a stop that nobody has confirmed. */
  #isClosing(instrument: number): boolean {
    for (const { intent, state } of this.tracker.open) {
      if (intent.instrument === instrument && intent.reduceOnly && (intent.role === 'target' || state === 'submitted')) return true;
    }
    return false;
  }

  /** The target of a holding as far as it does not go beyond what is held and on its way. */
  #withoutIncrease(holding: number): Quantity {
    const expected = this.#expected(holding);
    const target = this.wants.target[holding] ?? ZERO_QUANTITY;
    if (signOf(target) !== signOf(expected)) return ZERO_QUANTITY;
    return compare(absolute(target), absolute(expected)) < 0 ? target : expected;
  }

  // ---- tickets -------------------------------------------------------------------------------------------------------

  /** When the clock has something to do for a ticket; of all, or of one instrument's. */
  get nextTicketAt(): TimeMs {
    return this.#tickets?.nextDueAt ?? NEVER;
  }
  ticketDueAt(instrument: number): TimeMs {
    return this.#tickets?.dueAt(instrument) ?? NEVER;
  }

  /** The next slice is due, or patience is over: what rests is called back, and what is left of it goes out at the market. */
  ringTicket(instrument: number, at: TimeMs): void {
    if (this.#tickets?.ring(instrument) === true) this.cancelTargets(at, (order) => isRestingChild(order, instrument), false);
    this.#touch(instrument);
  }

  /**
   * Whether an instrument with a ticket may be planned. Not while its resting orders are being called back: counted, they would be closed
   * before they are held. Where something must go out now they are not counted any more, and a fill of theirs is dealt with when it comes.
   */
  #mayPlan(tickets: Tickets, instrument: number, at: TimeMs): boolean {
    const ticket = tickets.of(instrument);
    if (ticket === undefined) return true;
    const isUrgent = this.#halted || this.#mustActNow(instrument);
    if (!ticket.isCalledBack && (this.#halted || !this.#standsBy(ticket, instrument))) ticket.isCalledBack = true;
    if (ticket.isCalledBack) this.cancelTargets(at, (order) => isRestingChild(order, instrument), isUrgent);
    // It was touched by that, and it is looked at now.
    this.#dirty[instrument] = 0;
    if (!isUrgent && this.#isBeingCalledBack(instrument)) return false;
    ticket.isCalledBack = false;
    return true;
  }

  #isBeingCalledBack(instrument: number): boolean {
    for (const order of this.tracker.open) if (isRestingChild(order, instrument) && order.state === 'cancelling') return true;
    return false;
  }

  /** A sleeve that a reflex has made flat holds something that no order is closing, but for orders that rest. */
  #mustActNow(instrument: number): boolean {
    const resting = this.#restingIn(instrument);
    return (this.#holdings.ofInstrument[instrument] ?? []).some((holding) => {
      const sleeve = this.#holdings.sleeve[holding] ?? 0;
      return this.wants.latchedSide[sleeve] !== 0 && !isZero(this.#wantedBut(resting, holding));
    });
  }

  /** By holding, signed: what orders that rest may still bring. */
  #restingIn(instrument: number): ReadonlyMap<number, Quantity> {
    const resting = new Map<number, Quantity>();
    for (const order of this.tracker.open) {
      if (!isRestingChild(order, instrument)) continue;
      order.intent.shares.forEach(({ sleeve, leg, quantity }, index) => {
        const holding = (this.#holdings.first[sleeve] ?? 0) + leg;
        const rest = subtract(quantity, order.shareFilled[index] ?? ZERO_QUANTITY);
        resting.set(holding, add(resting.get(holding) ?? ZERO_QUANTITY, rest));
      });
    }
    return resting;
  }

  /** What a holding wants beyond what it has and what is on its way, orders that rest apart. */
  #wantedBut(resting: ReadonlyMap<number, Quantity>, holding: number): Quantity {
    const expected = subtract(this.#expected(holding), resting.get(holding) ?? ZERO_QUANTITY);
    return subtract(this.wants.target[holding] ?? ZERO_QUANTITY, expected);
  }

  /** What rests for the ticket is still wanted of every sleeve that has a part in it, and nobody wants the opposite. */
  #standsBy({ side }: Ticket, instrument: number): boolean {
    const resting = this.#restingIn(instrument);
    for (const [holding, rest] of resting) {
      const wanted = this.#wantedBut(resting, holding);
      const sleeve = this.#holdings.sleeve[holding] ?? 0;
      // It went first, and another leg of its pair does now.
      const isBehind = !this.#isSingle(sleeve) && this.#legOrder?.lead[sleeve] !== this.#holdings.leg[holding];
      if (
        isBehind ||
        this.wants.latchedSide[sleeve] !== 0 ||
        (!isZero(rest) && (signOf(wanted) !== side || compare(absolute(wanted), absolute(rest)) < 0))
      )
        return false;
    }
    const planned = this.#planOf(instrument);
    return planned === undefined || resting.size === 0 || signOf(planned.quantity) !== -side;
  }

  /** Everything that was wanted is held, or is not wanted any more, and nothing is on its way. */
  #closeIfDone(tickets: Tickets, instrument: number, at: TimeMs): void {
    const ticket = tickets.of(instrument);
    if (ticket === undefined || this.#dirty[instrument] === 1) return;
    for (const { intent } of this.tracker.open) if (intent.role === 'target' && intent.instrument === instrument) return;
    const planned = this.#planOf(instrument);
    const isLeft = planned !== undefined && signOf(planned.quantity) === ticket.side;
    if (isLeft && !this.#isDust(instrument, planned.quantity)) return;
    this.#out.say({ kind: 'ticket.closed', at, instrument, because: isLeft ? 'the rest is dust' : 'nothing is left of it' });
  }

  #isDust(instrument: number, quantity: Quantity): boolean {
    const traded = this.#instruments[instrument];
    const net = this.#portfolio.net[instrument] ?? ZERO_QUANTITY;
    const reduces = signOf(net) === -signOf(quantity) && compare(absolute(quantity), absolute(net)) <= 0;
    return traded === undefined || isDust(traded, quantity, this.#mark[instrument] ?? NaN, reduces);
  }

  /** Lets go what the ticket's algorithm says is to go now. */
  #workOn(tickets: Tickets, needed: Needed, at: TimeMs): void {
    const { instrument, quantity, shares } = needed;
    const traded = this.#instruments[instrument];
    if (traded === undefined || this.#isDust(instrument, quantity)) return;
    const side = signOf(quantity);
    const before = tickets.of(instrument);
    if (before !== undefined && before.side !== side)
      this.#out.say({ kind: 'ticket.closed', at, instrument, because: 'the opposite is wanted' });
    if (tickets.of(instrument) === undefined) {
      const { algorithm } = tickets.settings;
      const arrivalPrice = this.#mark[instrument] ?? NaN;
      this.#out.say({
        kind: 'ticket.opened',
        at,
        instrument,
        algorithm,
        side: sideOf(quantity),
        quantity: absolute(quantity),
        arrivalPrice,
      });
    }
    const ticket = tickets.of(instrument);
    if (ticket === undefined) return;
    const left = absolute(quantity);
    const child = tickets.child(instrument, ticket, left, this.#restingIn(instrument).size > 0);
    if (child === undefined) return;
    const signed = (size: Quantity): Quantity => (side < 0 ? negate(size) : size);
    const rest = subtract(left, child.quantity);
    // What would be too little to send later goes along now.
    const isWhole = isZero(rest) || this.#isDust(instrument, signed(rest));
    const isSent = isWhole || !(isZero(child.quantity) || this.#isDust(instrument, signed(child.quantity)));
    tickets.released(ticket, isSent);
    if (!isSent) return;
    const part = isWhole ? needed : { instrument, quantity: signed(child.quantity), shares: partOf(shares, child.quantity, traded.lot) };
    this.#sendNow(part, at, tickets.settings.algorithm, child.isLimit ? this.#restingPrice(ticket, traded, instrument) : undefined);
  }

  /** The last price, or as many steps behind it as the venue would not take. */
  #restingPrice({ side, failures }: Ticket, { tick }: Instrument, instrument: number): Price {
    const mark = this.#mark[instrument] ?? NaN;
    const behind = failures * Math.max(toNumber(tick), mark * SMALLEST_STEP_RATIO);
    return priceFrom(mark - side * behind, tick, side > 0 ? 'down' : 'up');
  }

  /** An order of a ticket that could not rest is no refusal of what is wanted. True when that is what has happened. */
  #couldNotRest(report: OrderReport, { intent }: TrackedOrder): boolean {
    const ticket = this.#tickets?.of(intent.instrument);
    if (ticket === undefined || intent.role !== 'target' || !isLimit(intent)) return false;
    if (report.kind === 'order.rejected') this.#tickets?.failed(ticket, intent.type === 'post-only');
    else if (report.kind === 'order.cancelled' && !ticket.isCalledBack && !ticket.isCrossing) this.#tickets?.failed(ticket, false);
    else return false;
    this.#touch(intent.instrument);
    return report.kind === 'order.rejected';
  }

  /** Nothing may increase for a while: what is left of tickets that would is not wanted any more. */
  #withdrawTickets(at: TimeMs): void {
    this.#instruments.forEach((_, instrument) => {
      if (this.#tickets?.of(instrument) === undefined) return;
      this.cancelTargets(at, (order) => isRestingChild(order, instrument) && !order.intent.reduceOnly, true);
      for (const holding of this.#holdings.ofInstrument[instrument] ?? []) {
        if (this.#isSingle(this.#holdings.sleeve[holding] ?? 0)) this.wants.target[holding] = this.#withoutIncrease(holding);
      }
      this.#touch(instrument);
      this.protect(instrument, at);
    });
    if (this.#legOrder !== undefined)
      for (let sleeve = 0; sleeve < this.#sleeves.length; sleeve++) this.#withdrawLegs(this.#legOrder, sleeve);
  }

  /** What is left of a pair that would increase by its first leg is not wanted any more: the others come as far as that has come. */
  #withdrawLegs({ lead: leads }: LegOrder, sleeve: number): void {
    const leg = leads[sleeve] ?? -1;
    const first = this.#holdings.first[sleeve] ?? 0;
    const lead = first + leg;
    if (leg < 0 || this.wants.latchedSide[sleeve] !== 0) return;
    const kept = this.#withoutIncrease(lead);
    if (compare(kept, this.wants.target[lead] ?? ZERO_QUANTITY) === 0) return;
    const part = toNumber(kept) / (this.wants.whole[lead] ?? NaN);
    for (let other = 0; other < (this.#sleeves[sleeve]?.instruments.length ?? 0); other++) {
      if (other !== leg) this.wants.target[first + other] = this.#alongside(first + other, part);
    }
    this.wants.target[lead] = kept;
    if (this.#wantsAny(sleeve)) this.#noteWhole(sleeve);
    this.#touchSleeve(sleeve);
  }

  // ---- what came back ----------------------------------------------------------------------------------------------

  /** After a report was booked: latches, withdrawals and protection that follow from it. */
  afterReport(report: OrderReport, order: TrackedOrder, at: TimeMs): void {
    const { intent } = order;
    if (intent.budget !== undefined && !isOpen(order.state) && !isZero(order.filled)) this.#boughtAll(intent);
    if (this.#tickets !== undefined && this.#couldNotRest(report, order)) return;
    if (report.kind === 'order.rejected') {
      if (intent.role === 'target') this.#refused(intent, report.reason, at);
      else this.#unprotected(intent, report.reason, at);
      return;
    }
    if (report.kind === 'order.filled' && intent.reduceOnly) this.#forgetFailures(intent.instrument);
    if (report.kind === 'order.expired') {
      // The venue ended it by a rule of its own: asked again at once, it would be ended at once.
      this.#retry[intent.instrument] = 1;
      if (this.#isLost(order)) this.#closeFailed(intent, report.reason, at);
      return;
    }
    // The first time it is asked for again at once: what protects has no time to lose.
    if (report.kind === 'order.cancelled' && this.#isLost(order) && this.#closeFailed(intent, report.reason, at) > 1) return;
    // It ended with its position, which is protected by another one, or gone.
    const net = signOf(this.#portfolio.net[intent.instrument] ?? ZERO_QUANTITY);
    if (report.kind === 'order.cancelled' && intent.wholePosition && sideProtected(intent) !== net) return;
    if (report.kind === 'order.filled' && intent.role === 'stop') this.#stoppedAtVenue(intent, at);
    this.#touch(intent.instrument);
    this.protect(intent.instrument, at);
  }

  /** What the budget has paid for is what is wanted, unless it is not wanted any more. */
  #boughtAll({ shares }: OrderIntent): void {
    for (const { sleeve, leg } of shares) {
      const holding = (this.#holdings.first[sleeve] ?? 0) + leg;
      if (signOf(this.wants.target[holding] ?? ZERO_QUANTITY) > 0) {
        this.wants.target[holding] = this.#portfolio.quantity[holding] ?? ZERO_QUANTITY;
      }
    }
  }

  #stoppedAtVenue(stop: OrderIntent, at: TimeMs): void {
    for (const { sleeve, leg } of stop.shares) {
      const wanted = signOf(this.wants.target[(this.#holdings.first[sleeve] ?? 0) + leg] ?? ZERO_QUANTITY);
      // What the sleeve wants is on the other side already: the stop has closed what was on its way out.
      if (this.wants.latchedSide[sleeve] !== 0 || wanted === -sideProtected(stop)) continue;
      this.#out.say({ kind: 'sleeve.stopped', at, sleeve, because: `stop ${stop.id} filled at the venue` });
    }
  }

  /** A stop that the venue will not hold leaves the position naked at the venue: close it, whatever the reason. */
  #unprotected(stop: OrderIntent, reason: string, at: TimeMs): void {
    for (const holding of this.#holdings.ofInstrument[stop.instrument] ?? []) {
      const sleeve = this.#holdings.sleeve[holding] ?? 0;
      const isConcerned = stop.wholePosition || stop.shares.some((share) => share.sleeve === sleeve);
      if (isConcerned && !this.isFlat(sleeve)) {
        this.#out.say({ kind: 'sleeve.closed', at, sleeve, because: `its protective stop ${stop.id} was rejected: ${reason}` });
      }
    }
  }

  /** Notices what a booking did to a sleeve: opened, flipped, closed, one leg or all. */
  afterBooking(holding: number, price: number, at: TimeMs): void {
    const sleeve = this.#holdings.sleeve[holding] ?? 0;
    const side = signOf(this.#portfolio.quantity[holding] ?? ZERO_QUANTITY);
    const before = this.#side[holding] ?? 0;
    this.#side[holding] = side;
    if (side !== before) {
      if (before === 0 && !this.#hasSeveralLegs(sleeve)) this.#drawNear(holding);
      if (side !== 0 && (before !== 0 || Number.isNaN(this.wants.heldSince[sleeve] ?? NaN))) {
        this.wants.heldSince[sleeve] = at;
        // A trail by ratio begins where its stop was measured from.
        if (this.#isSingle(sleeve) && Number.isNaN(this.wants.trailRatio[sleeve] ?? NaN)) this.wants.bestPrice[sleeve] = price;
      }
      if (this.isFlat(sleeve)) {
        this.wants.heldSince[sleeve] = NaN;
        this.wants.closedAt[sleeve] = at;
        if (!this.#wantsAny(sleeve)) {
          this.wants.stopPrice[sleeve] = NaN;
          this.wants.levelSide[sleeve] = 0;
        }
      }
    }
    if (this.#isSingle(sleeve)) return;
    this.#watchLegs(sleeve, at);
    // What has come of the first leg lets the others go.
    if (this.#legOrder !== undefined) this.#touchSleeve(sleeve);
  }

  /** Some legs are far ahead of others: filled alone, flipped alone, closed alone, or held where none is wanted any more. */
  #watchLegs(sleeve: number, at: TimeMs): void {
    const first = this.#holdings.first[sleeve] ?? 0;
    const legs = this.#sleeves[sleeve]?.instruments.length ?? 0;
    let least = Infinity;
    let most = -Infinity;
    for (let holding = first; holding < first + legs; holding++) {
      const held = this.#portfolio.held[holding] ?? 0;
      const whole = this.wants.whole[holding] ?? 0;
      if (whole === 0) {
        // A leg that is left out takes no part; what is held of it has nothing to stand against.
        if (held === 0) continue;
        [least, most] = [0, 1];
        break;
      }
      const part = held / whole;
      if (part < least) least = part;
      if (part > most) most = part;
    }
    if (!(most - least > LEGGED_PART)) this.leggedSince[sleeve] = NaN;
    else if (Number.isNaN(this.leggedSince[sleeve] ?? NaN)) this.leggedSince[sleeve] = at;
  }

  leggedDue(sleeve: number): TimeMs {
    const since = this.leggedSince[sleeve] ?? NaN;
    return Number.isNaN(since) ? NEVER : since + this.#settings.maximumLeggedMs;
  }

  /** The money bound of a half-filled pair. */
  checkLeggedLoss(sleeve: number, equity: number, at: TimeMs): void {
    // Said once: what is latched is on its way out.
    if (this.wants.latchedSide[sleeve] !== 0) return;
    const first = this.#holdings.first[sleeve] ?? 0;
    const legs = this.#sleeves[sleeve]?.instruments ?? [];
    let loss = 0;
    legs.forEach((instrument, leg) => {
      const held = this.#portfolio.held[first + leg] ?? 0;
      if (held !== 0) loss -= held * ((this.#mark[instrument] ?? NaN) - (this.#portfolio.entryPrice[first + leg] ?? NaN));
    });
    if (loss > this.#settings.maximumLeggedLossRatio * equity) {
      this.#out.say({ kind: 'sleeve.closed', at, sleeve, because: `one leg of the pair lost ${loss.toFixed(2)} before the other filled` });
    }
  }

  /** When all of an instrument's sleeves are on one side, their stops may rest at the venue. */
  #isOneSided(instrument: number): boolean {
    let side = 0;
    for (const holding of this.#holdings.ofInstrument[instrument] ?? []) {
      // What is wanted decides; what is held counts while it is on its way out.
      const wanted = signOf(this.#wantedNow(holding));
      const sign = wanted !== 0 ? wanted : signOf(this.#portfolio.quantity[holding] ?? ZERO_QUANTITY);
      if (sign === 0) continue;
      if (side !== 0 && sign !== side) return false;
      side = sign;
    }
    return true;
  }

  /** Whether a stop of the sleeve rests at the venue; otherwise the engine holds it, whatever the reason. */
  restsAtVenue(sleeve: number): boolean {
    const instrument = this.#sleeves[sleeve]?.instruments[0] ?? 0;
    const { open } = this.tracker;
    for (let place = 0; place < open.length; place++) {
      const order = open[place];
      if (order !== undefined && order.intent.shares[0]?.sleeve === sleeve && isRestingStop(order, instrument)) return true;
    }
    return false;
  }

  #restsAt(sleeve: number, side: 1 | -1, stop: number): boolean {
    const instrument = this.#sleeves[sleeve]?.instruments[0] ?? 0;
    const traded = this.#instruments[instrument];
    if (traded === undefined) return false;
    const wanted = priceFrom(stop, traded.tick, 'nearest');
    const { open } = this.tracker;
    for (let place = 0; place < open.length; place++) {
      const order = open[place];
      if (order === undefined || order.intent.shares[0]?.sleeve !== sleeve || !isRestingStop(order, instrument)) continue;
      const { stopPrice } = order.intent;
      if (stopPrice !== undefined && sideProtected(order.intent) === side && side * compare(stopPrice, wanted) >= 0) return true;
    }
    return false;
  }

  /** Brings the stops at the venue in line with what is held: everything new first, then what is superfluous is cancelled. */
  protect(instrument: number, at: TimeMs): void {
    const traded = this.#instruments[instrument];
    const owners = this.#holdings.ofInstrument[instrument];
    if (traded === undefined || owners === undefined) return;
    for (let index = 0; index < owners.length; index++) {
      const holding = owners[index] ?? 0;
      if (this.#isSingle(this.#holdings.sleeve[holding] ?? 0)) this.#protectSleeve(holding, traded, instrument, at);
    }
    this.#protectNet(instrument, traded, at);
    const superfluous = this.#superfluous;
    if (superfluous === undefined) return;
    this.#superfluous = undefined;
    for (const order of superfluous) {
      this.#out.cancel({ at, instrument, order: order.intent.id });
      this.tracker.cancelling(order, false);
    }
  }

  #protectSleeve(holding: number, traded: Instrument, instrument: number, at: TimeMs): void {
    const sleeve = this.#holdings.sleeve[holding] ?? 0;
    const held = this.#portfolio.quantity[holding] ?? ZERO_QUANTITY;
    const side = signOf(held);
    const isOneSided = this.#isOneSided(instrument);
    // While an order is on its way its stop is of all that it brings, and one that is larger than what is held does: set anew with every level
    // that fills it would be eight times in a moment, and what only reduces the venue cuts to what is there. Spot knows no such orders.
    const pending = this.tracker.pending[holding] ?? ZERO_QUANTITY;
    const isComing = traded.kind === 'linear' && side !== 0 && !isZero(pending);
    const closing = roundToStep(negate(isComing && signOf(pending) === side ? add(held, pending) : held), traded.lot);
    const size = absolute(closing);
    const canRest = this.#settings.holdsStops !== true && isOneSided && side !== 0 && compare(size, traded.minimumQuantity) >= 0;
    const stopPrice = canRest ? this.#stopPrice(sleeve, side, traded) : undefined;
    let isProtected = false;
    let outdated: TrackedOrder[] | undefined;
    const { open } = this.tracker;
    for (let place = 0; place < open.length; place++) {
      const order = open[place];
      if (order === undefined || !isRestingStop(order, instrument)) continue;
      const { intent } = order;
      if (intent.wholePosition || intent.shares[0]?.sleeve !== sleeve) continue;
      const more = compare(intent.quantity, size);
      const isEnough = more === 0 || (isComing && more > 0);
      if (sideProtected(intent) !== side) this.#drop(order);
      // A stop that has begun to fill is on its way to close everything.
      else if (order.counted) isProtected = true;
      else if (!isOneSided) this.#drop(order);
      else if (!isProtected && stopPrice !== undefined && isEnough && isAt(intent, stopPrice)) isProtected = true;
      else if (!isProtected && stopPrice !== undefined && isEnough && order.state === 'working') {
        this.#move(order, stopPrice, at);
        isProtected = true;
      } else (outdated ??= []).push(order);
    }
    // A sleeve that is being closed keeps the stop it has in line with what is left, and asks for none where it has none.
    if (!isProtected && stopPrice !== undefined && (this.wants.latchedSide[sleeve] === 0 || outdated !== undefined)) {
      const share: Share = { sleeve, leg: 0, quantity: closing };
      isProtected = this.#sendStop(stopOrder(this.#nextId(), at, instrument, closing, stopPrice, [share], false));
    }
    // Without a better one, the old one stays.
    if (isProtected && outdated !== undefined) for (const order of outdated) this.#drop(order);
  }

  /** To be cancelled once everything new was sent. */
  #drop(order: TrackedOrder): void {
    if (this.#superfluous === undefined) this.#superfluous = [order];
    else this.#superfluous.push(order);
  }

  #protectNet(instrument: number, traded: Instrument, at: TimeMs): void {
    const net = this.#portfolio.net[instrument] ?? ZERO_QUANTITY;
    const side = signOf(net);
    if (side !== this.#netSide[instrument]) {
      this.#netSide[instrument] = side;
      this.wants.disasterPrice[instrument] = NaN;
    }
    let level = this.wants.disasterPrice[instrument] ?? NaN;
    let current: TrackedOrder | undefined;
    const { open } = this.tracker;
    for (let place = 0; place < open.length; place++) {
      const order = open[place];
      if (order === undefined || !isRestingStop(order, instrument)) continue;
      const { stopPrice, wholePosition } = order.intent;
      // The venue ends a whole-position stop with its position.
      if (!wholePosition || stopPrice === undefined || sideProtected(order.intent) !== side) continue;
      const isTightest = current?.intent.stopPrice === undefined || side * compare(stopPrice, current.intent.stopPrice) > 0;
      if (current !== undefined) this.#drop(isTightest ? current : order);
      if (isTightest) current = order;
      // A level that came with the entry is the first one.
      if (Number.isNaN(level) || side * (toNumber(stopPrice) - level) > 0) level = toNumber(stopPrice);
    }
    if (side === 0 || this.#settings.holdsStops === true) return;
    const safe = this.#disasterLevel(instrument, side);
    // Half the gap: often enough to follow, rarely enough not to chatter.
    const follows = side * (safe - level) > (this.#settings.disasterGapRatio / 2) * level && this.#mayTighten(instrument, side);
    if (Number.isNaN(level) || follows) level = safe;
    if (!(level > 0)) return;
    this.wants.disasterPrice[instrument] = level;
    const stopPrice = priceFrom(level, traded.tick, 'nearest');
    if (current !== undefined && isAt(current.intent, stopPrice)) return;
    if (current?.state === 'working') {
      this.#move(current, stopPrice, at);
      return;
    }
    const isSent = this.#sendStop(stopOrder(this.#nextId(), at, instrument, negate(net), stopPrice, [], true));
    if (isSent && current !== undefined) this.#drop(current);
  }

  /** Where something is held without a stop on price, or against the net, the disaster stop stays where it was set. */
  #mayTighten(instrument: number, side: -1 | 0 | 1): boolean {
    for (const holding of this.#holdings.ofInstrument[instrument] ?? []) {
      const held = signOf(this.#portfolio.quantity[holding] ?? ZERO_QUANTITY);
      const sleeve = this.#holdings.sleeve[holding] ?? 0;
      if (held === 0) continue;
      const hasStop = this.wants.levelSide[sleeve] === side && (this.wants.stopPrice[sleeve] ?? NaN) > 0;
      if (held !== side || !this.#isSingle(sleeve) || !hasStop) return false;
    }
    return true;
  }

  /** A stop that rests is moved, never taken away and set again. Where that is refused, the old one goes on to protect. */
  #move(order: TrackedOrder, stopPrice: Price, at: TimeMs): void {
    const { id, instrument } = order.intent;
    const amended = { ...order.intent, at, stopPrice };
    if (this.#out.amend({ at, instrument, order: id, stopPrice }, amended)) this.tracker.amending(order, amended);
    else this.#retry[instrument] = 1;
  }

  /** The venue refused to move a stop: what it has still protects, and the next bar asks again. */
  notMoved({ intent }: TrackedOrder, at: TimeMs): void {
    const { instrument } = intent;
    this.#retry[instrument] = 1;
    const side = sideProtected(intent);
    const mark = this.#mark[instrument] ?? NaN;
    for (const { sleeve } of intent.shares) {
      const stop = this.wants.stopPrice[sleeve] ?? NaN;
      // The price has passed where it was to be moved to: a venue says no to that, and the old trigger may never be reached.
      if (this.wants.levelSide[sleeve] === side && this.sideHeld(sleeve) === side && side * (mark - stop) <= 0)
        this.#stopHeld(sleeve, stop, at);
    }
  }

  #sendStop(intent: OrderIntent): boolean {
    if (!this.#out.send(intent)) {
      this.#closeFailed(intent, REFUSED_BY_GATE, intent.at);
      return false;
    }
    this.tracker.submitted(intent);
    return true;
  }

  // ---- the body: on every price ---------------------------------------------------------------------------------------

  /** Stops that the engine holds, at every price; trailing and retries, with every bar. */
  onPrice(event: MarketEvent): void {
    const { instrument, at } = event;
    // A trade may reach a stop. It must not move one: the same bar's earlier low would then trigger it.
    const isBar = event.kind === 'bar.closed';
    const owners = this.#holdings.ofInstrument[instrument] ?? [];
    for (let index = 0; index < owners.length; index++) {
      const holding = owners[index] ?? 0;
      const held = this.#portfolio.held[holding] ?? 0;
      if (held === 0) continue;
      const sleeve = this.#holdings.sleeve[holding] ?? 0;
      if (!this.#isSingle(sleeve)) {
        this.#spreadDue[sleeve] = 1;
        this.isSpreadDue = true;
        continue;
      }
      // While a flip is on its way the levels are those of the coming side.
      if (this.wants.levelSide[sleeve] !== Math.sign(held)) continue;
      const stop = this.wants.stopPrice[sleeve] ?? NaN;
      if (held > 0) {
        if (event.low <= stop && !this.#restsAt(sleeve, 1, stop)) this.#stopHeld(sleeve, stop, at);
        else if (isBar && event.high > (this.wants.bestPrice[sleeve] ?? NaN)) this.#trail(sleeve, 1, event.high, at);
      } else if (event.high >= stop && !this.#restsAt(sleeve, -1, stop)) this.#stopHeld(sleeve, stop, at);
      else if (isBar && event.low < (this.wants.bestPrice[sleeve] ?? NaN)) this.#trail(sleeve, -1, event.low, at);
    }
    if (!isBar) return;
    this.#retryAt(instrument, at);
    this.#legOrder?.barClosed(instrument, event.close, event.volume);
    if (this.#tickets?.barClosed(instrument, event.happenedAt, event.volume) === true) this.#touch(instrument);
  }

  #retryAt(instrument: number, at: TimeMs): void {
    const failed = this.#failedCloses[instrument] ?? 0;
    if (this.#retry[instrument] !== 1) {
      // A bar in which nothing failed: what comes later is no part of this row.
      if (failed !== 0 && !this.#isClosing(instrument)) this.#forgetFailures(instrument);
      return;
    }
    const pause = this.#pauseBars[instrument] ?? 0;
    if (pause > 0) {
      this.#pauseBars[instrument] = pause - 1;
      return;
    }
    this.#retry[instrument] = 0;
    this.#touch(instrument);
    this.protect(instrument, at);
  }

  #stopHeld(sleeve: number, stop: number, at: TimeMs): void {
    if (this.wants.latchedSide[sleeve] !== 0) return;
    this.#out.say({ kind: 'sleeve.stopped', at, sleeve, because: `stop at ${stop} held by the engine` });
  }

  /** The best price is a new one: by ratio the stop follows at once, by steps with each whole R won. */
  #trail(sleeve: number, side: 1 | -1, best: number, at: TimeMs): void {
    const { wants } = this;
    wants.bestPrice[sleeve] = best;
    const opened = wants.openedPrice[sleeve] ?? NaN;
    const trailRatio = wants.trailRatio[sleeve] ?? NaN;
    const moved = Number.isNaN(trailRatio) ? this.#stepped(sleeve, side, best) : best * (1 - side * trailRatio);
    if (Number.isNaN(moved) || side * (moved - (wants.stopPrice[sleeve] ?? NaN)) <= 1e-9 * opened) return;
    this.#out.say({ kind: 'stop.moved', at, sleeve, stopPrice: moved });
    this.protect(this.#sleeves[sleeve]?.instruments[0] ?? 0, at);
  }

  /** Step trailing: `trailR` behind the whole R won. NaN where the stop stays. */
  #stepped(sleeve: number, side: 1 | -1, best: number): number {
    const { wants } = this;
    const risk = wants.initialRisk[sleeve] ?? NaN;
    const trailR = wants.trailR[sleeve] ?? NaN;
    if (Number.isNaN(trailR) || !(risk > 0)) return NaN;
    const opened = wants.openedPrice[sleeve] ?? NaN;
    const won = Math.floor((side * (best - opened)) / risk);
    return won < 1 ? NaN : opened + side * (won - trailR) * risk;
  }

  /** All prices of this instant are known: the bars of all legs among them, which come one after the other. */
  watchSpreads(at: TimeMs): void {
    this.isSpreadDue = false;
    for (let sleeve = 0; sleeve < this.#spreadDue.length; sleeve++) {
      if (this.#spreadDue[sleeve] === 0) continue;
      this.#spreadDue[sleeve] = 0;
      this.#watchSpread(sleeve, at);
    }
  }

  /**
   * A pair's stop acts on the spread and closes all legs at once. Measured as what its legs lost of the notional of the first that is traded, as
   * far as the pair is held: a leg that came alone has the size of the others' part of it.
   */
  #watchSpread(sleeve: number, at: TimeMs): void {
    if (this.wants.latchedSide[sleeve] !== 0) return;
    const first = this.#holdings.first[sleeve] ?? 0;
    const instruments = this.#sleeves[sleeve]?.instruments ?? [];
    let won = 0;
    let part = 0;
    let base = NaN;
    for (let leg = 0; leg < instruments.length; leg++) {
      const held = this.#portfolio.held[first + leg] ?? 0;
      const whole = this.wants.whole[first + leg] ?? 0;
      const mark = this.#mark[instruments[leg] ?? 0] ?? NaN;
      const entry = this.#portfolio.entryPrice[first + leg] ?? NaN;
      if (held !== 0) won += held * (mark - entry);
      if (whole === 0) continue;
      part = Math.max(part, Math.abs(held / whole));
      if (Number.isNaN(base)) base = Math.abs(whole) * (held === 0 ? mark : entry);
    }
    const lost = -won / (part * base);
    if (lost >= (this.wants.stopRatio[sleeve] ?? NaN)) {
      this.#out.say({ kind: 'sleeve.stopped', at, sleeve, because: `the spread lost ${(lost * 100).toFixed(2)} % of its first leg` });
    }
  }

  /** Folds a state change that concerns the desk. */
  apply(change: StateChange): void {
    switch (change.kind) {
      case 'halt.latched':
        this.halt(change.at);
        break;
      case 'halt.released':
        this.resume();
        break;
      case 'sleeve.stopped':
      case 'sleeve.closed':
        this.latch(change.sleeve);
        break;
      case 'sleeve.rearmed':
        this.wants.latchedSide[change.sleeve] = 0;
        break;
      case 'stop.moved':
        this.wants.stopPrice[change.sleeve] = change.stopPrice;
        break;
      case 'ticket.opened':
        this.#tickets?.open(change);
        break;
      case 'ticket.closed':
        this.#tickets?.close(change.instrument);
        break;
      case 'pause.began':
        if (this.#tickets !== undefined) this.#withdrawTickets(change.at);
        break;
      default:
        break;
    }
  }

  save(out: ByteWriter): void {
    this.wants.save(out);
    this.tracker.save(out);
    for (const flags of [this.#dirty, this.#retry, this.#isDustMarked]) for (const flag of flags) out.byte(flag);
    for (const counts of [this.#failedCloses, this.#pauseBars]) for (const count of counts) out.count(count);
    for (const side of this.#netSide) out.byte(side + 1);
    out.numbers(this.leggedSince);
    for (const side of this.#side) out.byte(side + 1);
    out.count(this.#decision);
    out.count(this.#orders);
    out.flag(this.#halted);
    out.flag(this.#anyDirty);
    for (const flag of this.#spreadDue) out.byte(flag);
    this.#tickets?.save(out);
    this.#legOrder?.save(out);
  }

  restore(from: ByteReader): void {
    this.wants.restore(from);
    this.tracker.restore(from);
    for (const flags of [this.#dirty, this.#retry, this.#isDustMarked])
      for (let index = 0; index < flags.length; index++) flags[index] = from.byte();
    for (const counts of [this.#failedCloses, this.#pauseBars])
      for (let index = 0; index < counts.length; index++) counts[index] = from.count();
    for (let instrument = 0; instrument < this.#netSide.length; instrument++) this.#netSide[instrument] = from.byte() - 1;
    from.numbers(this.leggedSince);
    for (let holding = 0; holding < this.#side.length; holding++) this.#side[holding] = from.byte() - 1;
    this.#decision = from.count();
    this.#orders = from.count();
    this.#halted = from.flag();
    this.#anyDirty = from.flag();
    for (let sleeve = 0; sleeve < this.#spreadDue.length; sleeve++) this.#spreadDue[sleeve] = from.byte();
    this.isSpreadDue = this.#spreadDue.includes(1);
    this.#tickets?.restore(from);
    this.#legOrder?.restore(from);
  }
}

/** A limit order that a ticket lets rest, as long as it counts. */
function isRestingChild({ intent, counted }: TrackedOrder, instrument: number): boolean {
  return counted && intent.role === 'target' && intent.instrument === instrument && isLimit(intent);
}

function isLimit({ type }: OrderIntent): boolean {
  return type === 'limit' || type === 'post-only';
}

/** What a slice of an order brings to each share: its proportion, in whole lots. */
function partOf(shares: readonly Share[], quantity: Quantity, lot: Quantity): readonly Share[] {
  const parts = filledShares(shares, quantity, lot);
  return shares.flatMap((share, index) => {
    const part = parts[index] ?? ZERO_QUANTITY;
    return isZero(part) ? [] : [{ ...share, quantity: part }];
  });
}

/** A protective stop that rests at the venue, or will when it has heard of it. */
function isRestingStop(order: TrackedOrder, instrument: number): boolean {
  const { intent } = order;
  return intent.role !== 'target' && intent.instrument === instrument && order.state !== 'cancelling' && !awaitsParent(order);
}

function isAt({ stopPrice }: OrderIntent, wanted: Price): boolean {
  return stopPrice !== undefined && compare(stopPrice, wanted) === 0;
}

/** The side of a position that a stop closes. */
function sideProtected(stop: OrderIntent): -1 | 1 {
  return stop.side === 'sell' ? 1 : -1;
}
