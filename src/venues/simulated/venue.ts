// A venue inside the process: orders on bar data, stops attached to entries, fees, slippage, latency, filters, funding.
// It may look one bar ahead to fill; nobody else may. Its state is its own, saved and hashed apart from the engine's.
import { createHash } from 'node:crypto';
import { ASK, BID } from '../../domain/book.ts';
import { ByteWriter, type ByteReader } from '../../domain/bytes.ts';
import {
  absolute,
  add,
  amountFrom,
  compare,
  format,
  isZero,
  negate,
  notional,
  payable,
  priceFrom,
  quantityFrom,
  proportion,
  signOf,
  smaller,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_PRICE,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import type { Event, Fill, FundingReport, MarketEvent, OrderReport, VenueReport } from '../../domain/event.ts';
import { FundingCalendar, type FundingRates } from '../../domain/funding.ts';
import type { Instrument } from '../../domain/instrument.ts';
import {
  isConditional,
  type AmendIntent,
  type CancelIntent,
  type LimitAmendIntent,
  type OrderIntent,
  type Side,
} from '../../domain/order.ts';
import type { EmbeddedVenue, MarketSource, Source } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import { Account } from './account.ts';
import { BookMarket } from './book-market.ts';
import type { BookTape } from './book-records.ts';
import { DatedFilters } from './dated-filters.ts';
import { FeeCoinPrices } from './fee-coin.ts';
import { FeeSchedule } from './fees.ts';
import { isReached, isStop, reachesFromAbove, trailedLevel, triggeredPrice } from './fills.ts';
import { malformation, priceMalformation } from './filters.ts';
import { latencyFrom, responseFrom } from './latency.ts';
import { LiquidationLevels } from './liquidation-levels.ts';
import { readArrival, restOf, writeArrival, type Arrival, type OpenOrder } from './open-order.ts';
import { Queue } from '../../domain/queue.ts';
import { OrderLists } from './order-lists.ts';
import { readReport, writeReport } from './report-bytes.ts';
import { defaultRules, type MatchingRules } from './rules.ts';
import { slippageOf } from './slippage.ts';
import { WatchedSource } from './watched-source.ts';

export interface SimulatedVenueSettings {
  readonly instruments: readonly Instrument[];
  readonly baseTimeframeMs: TimeMs;
  readonly capital: Amount;
  /** A market order fills this much worse, as a ratio of price; a triggered stop too, unless the rules say otherwise. */
  readonly slippageRatio: number;
  /** From submission to the venue's answer, at least 1. */
  readonly latencyMs: TimeMs;
  /** Gross exposure over equity beyond which the venue refuses an increase. */
  readonly maximumLeverage: number;
  /** Research only: spot may be sold without being held. */
  readonly allowSpotShort: boolean;
  /**
   * `hedge` keeps a long and a short position of each perpetual beside each other, and every order in one names which (`positionSide`): what
   * is against its side only reduces it. `netting` (the default) keeps one, and no order names any. The engine's desk nets.
   */
  readonly positions?: 'netting' | 'hedge';
  /** By instrument: the books and trades against which its orders match; where there are none they match against its bars. */
  readonly books?: readonly (BookTape | undefined)[];
  /** By instrument: funding as it was settled; the instrument's own rate on its grid where there is none. */
  readonly fundingRates?: readonly (FundingRates | undefined)[];
  /** How it matches and margins; what is not said has its default. */
  readonly rules?: Partial<MatchingRules>;
  /** The earliest time an event may still carry: a live loop may be past the time at which something happened. */
  readonly notBefore: () => TimeMs;
}

type DueKind = 'waiting' | 'trigger' | 'book' | 'liquidation' | 'funding';

const ONE = amountFrom(1);
/** The venue's words for a cancel that was asked for; every other cancel is its own doing. */
const ASKED_FOR = 'asked for';
const HAD_ENDED = 'it had already ended';
const LACKS_MARGIN = 'insufficient margin';
const LIQUIDATED = 'its position was liquidated';
const NOTHING_TO_TAKE = { ioc: 'immediate or cancel: nothing to take', fok: 'fill or kill: not all of it is there' } as const;
const REST_NOT_THERE = 'immediate or cancel: the rest is not there';
const BUDGET_SPENT = 'its budget is spent';
const PAIR_FILLED = 'its pair has filled';
const SELF_TRADE = 'self-trade prevention';
const WOULD_TAKE = 'post-only: it would have taken liquidity';
const NOTHING_TO_REDUCE = 'reduce-only: there is no position to reduce';

export class SimulatedVenue implements EmbeddedVenue, Source {
  readonly #settings: SimulatedVenueSettings;
  readonly #watched: (MarketSource | undefined)[];
  readonly #orders: OrderLists;
  readonly #arrivals = new Queue<Arrival>();
  readonly #reports = new Queue<VenueReport>();
  readonly #account: Account;
  readonly #fees: FeeSchedule;
  readonly #feeCoin: FeeCoinPrices | undefined;
  readonly #latencyOf: (message: number) => TimeMs;
  /** What answers take; undefined where they are heard as they are given. */
  readonly #responseOf: ((answer: number) => TimeMs) | undefined;
  readonly #filters: DatedFilters;
  /** By instrument: as its filters are now. */
  readonly #traded: readonly Instrument[];
  readonly #isHedged: boolean;
  /** By instrument: its market where that is a tape of books. */
  readonly #books: readonly (BookMarket | undefined)[];
  readonly #hasBooks: boolean;
  /** An order is taking level after level: what is left of it is not known yet. */
  #isSweeping = false;
  readonly #rules: MatchingRules;
  /** Positions may be liquidated. */
  readonly #hasMargin: boolean;
  readonly #isTouch: boolean;
  readonly #levels: LiquidationLevels;
  readonly #last: Float64Array;
  /** By instrument: price of the last trade inside the bar that is forming; NaN when none was seen. */
  readonly #lastTrade: Float64Array;
  /** By instrument: the first boundary at which what is held pays or receives; NEVER while flat. */
  readonly #nextFunding: Float64Array;
  /** By instrument. */
  readonly #funding: readonly FundingCalendar[];
  /** By instrument: how much further than its price the market must go to fill a limit. */
  readonly #through: Float64Array;
  readonly #sharesVolume: boolean;
  /** A fill cannot be priced before its bar is known. */
  readonly #needsBar: boolean;
  /** By instrument: what our fills have taken of the bar that is coming. */
  readonly #consumed: Quantity[];
  /** Messages that were sent: the next one's latency. */
  #sent = 0;
  // With a latency of answers: how many were given, when the venue acted last, and when the last of its answers is heard.
  #answered = 0;
  #actedAt: TimeMs = 0;
  #heardAt: TimeMs = 0;
  #fills = 0;
  /** Time of the last price seen or, without a latency of answers, report given. */
  #lastAt: TimeMs = 0;
  // What is due next beside arrivals, by instrument and over all: derived, looked up again only where something has changed.
  readonly #dueAt: Float64Array;
  readonly #dueKind: DueKind[];
  readonly #isStale: Uint8Array;
  #anyStale = true;
  #due: TimeMs = NEVER;
  #dueInstrument = 0;
  /** By instrument: within these prices a bar comes to nothing that rests. NaN where that is not known. */
  readonly #quietAbove: Float64Array;
  readonly #quietBelow: Float64Array;
  /** Rank of the stop that `#firstTriggered` found last; Infinity when it found a limit, or nothing. */
  #firstRank = Infinity;

  constructor(settings: SimulatedVenueSettings) {
    this.#settings = settings;
    const { instruments } = settings;
    this.#watched = instruments.map(() => undefined);
    this.#orders = new OrderLists(instruments.length);
    const { capital, maximumLeverage: leverage } = settings;
    this.#rules = { ...defaultRules, ...settings.rules };
    this.#hasMargin = this.#rules.margin === 'isolated' || this.#rules.margin === 'cross';
    this.#isTouch = this.#rules.tradeThroughTicks === 0;
    this.#isHedged = settings.positions === 'hedge';
    // A hedged account has as many positions again: the short ones.
    const positions = this.#isHedged ? [...instruments, ...instruments] : instruments;
    this.#filters = new DatedFilters(positions, this.#rules.filters);
    this.#traded = this.#filters.current;
    this.#account = new Account({ instruments: this.#traded, capital, leverage, rules: this.#rules, isHedged: this.#isHedged });
    this.#fees = new FeeSchedule(instruments, this.#rules.feeTiers);
    this.#feeCoin = this.#rules.feeCoin === undefined ? undefined : new FeeCoinPrices(this.#rules.feeCoin);
    this.#latencyOf = latencyFrom(this.#rules, settings.latencyMs);
    this.#responseOf = responseFrom(this.#rules);
    const { volumeShareRatio, slippageModel } = this.#rules;
    this.#through = new Float64Array(instruments.length);
    this.#measureThrough();
    this.#sharesVolume = volumeShareRatio > 0;
    this.#needsBar = this.#sharesVolume || slippageModel !== 'fixed';
    this.#consumed = instruments.map(() => ZERO_QUANTITY);
    this.#last = new Float64Array(positions.length).fill(NaN);
    this.#levels = new LiquidationLevels(this.#account, this.#last);
    this.#lastTrade = new Float64Array(instruments.length).fill(NaN);
    this.#nextFunding = new Float64Array(positions.length).fill(NEVER);
    this.#funding = instruments.map((_, index) => new FundingCalendar(settings.fundingRates?.[index]));
    this.#books = instruments.map((_, index) => this.#bookOf(settings.books?.[index], index));
    this.#hasBooks = this.#books.some((book) => book !== undefined);
    this.#dueAt = new Float64Array(instruments.length).fill(NEVER);
    this.#dueKind = instruments.map(() => 'trigger');
    this.#isStale = new Uint8Array(instruments.length).fill(1);
    this.#quietAbove = new Float64Array(instruments.length).fill(NaN);
    this.#quietBelow = new Float64Array(instruments.length).fill(NaN);
  }

  #bookOf(tape: BookTape | undefined, index: number): BookMarket | undefined {
    if (tape === undefined) return undefined;
    const [resting, waiting] = [this.#orders.resting[index] ?? [], this.#orders.waiting[index] ?? []];
    const instrument = (): Instrument => this.#instrumentAt(index);
    return new BookMarket({ tape, resting, waiting, instrument, rules: this.#rules });
  }

  #instrumentAt(index: number): Instrument {
    const instrument = this.#traded[index];
    if (instrument === undefined) throw new Error('broken invariant: an order names an instrument of the venue');
    return instrument;
  }

  /** By instrument, signed; in a hedged account the long positions, and after them the short ones. */
  get position(): readonly Quantity[] {
    return this.#account.position;
  }

  /** Everything that was received less what was paid. */
  get cash(): Amount {
    return this.#account.cash;
  }

  // ---- what it watches -----------------------------------------------------------------------------------------------

  /** The source as the engine sees it; the venue sees the same prices, and the next bar where it is known. */
  watching(source: MarketSource): MarketSource {
    this.#watched[source.instrument] = source;
    const saw = (event: MarketEvent): void => this.#seen(event);
    if (this.#responseOf === undefined) return new WatchedSource(source, { saw });
    return new WatchedSource(source, { expects: (at) => this.#catchUp(at), saw });
  }

  #seen(event: MarketEvent): void {
    const { instrument } = event;
    this.#lastAt = event.at;
    if (event.at >= this.#filters.nextAt) this.#changeFilters(event.at);
    this.#last[instrument] = event.close;
    if (this.#isHedged) this.#last[instrument + this.#watched.length] = event.close;
    if (this.#hasBooks && this.#books[instrument] !== undefined) {
      // Venues come first at one time: of what has happened until now everything was said.
      this.#reachBook(instrument, event.at + 1);
      if (this.#hasMargin) this.#markMoved(instrument);
      this.#lookAgain(instrument);
      return;
    }
    if (event.kind === 'trade.printed') this.#lastTrade[instrument] = event.close;
    if (event.kind === 'bar.closed') {
      this.#lastTrade[instrument] = NaN;
      if (this.#sharesVolume) this.#barPassed(event);
      if (this.#orders.hasTrailing) this.#trail(event);
      if (this.#hasMargin) this.#markMoved(instrument);
      // Only an instrument in which something waits or rests can owe another event because of a bar.
      if (this.#staysQuiet(instrument)) return;
      if (this.#orders.isBusy(instrument)) this.#lookAgain(instrument);
    }
    if (this.#watched[instrument]?.ended === true) this.#lookAgain(instrument);
  }

  /** The bar that comes next is known to come to nothing that rests: what was found when it was last looked stands. */
  #staysQuiet(instrument: number): boolean {
    const above = this.#quietAbove[instrument] ?? NaN;
    if (Number.isNaN(above)) return false;
    const bar = this.#watched[instrument]?.nextBar();
    return bar !== undefined && bar.low > above && bar.high < (this.#quietBelow[instrument] ?? NaN);
  }

  /** Its volume is gone. What it triggered and could not fill waits for the next as a market order. */
  #barPassed(bar: MarketEvent): void {
    const { instrument } = bar;
    this.#consumed[instrument] = ZERO_QUANTITY;
    for (const order of [...(this.#orders.resting[instrument] ?? [])]) {
      if (!isConditional(order.intent.type) || order.arrivedAt >= bar.happenedAt || !isReached(order.reach, order.level, bar, 0, false))
        continue;
      this.#orders.wait(order);
    }
  }

  /** Half a tick short of the last, so that a double beside its tick is still on it; of one tick any price beyond will do. */
  #measureThrough(): void {
    const { tradeThroughTicks } = this.#rules;
    for (let index = 0; index < this.#through.length; index++) {
      const tick = tradeThroughTicks > 1 ? toNumber(this.#instrumentAt(index).tick) : 0;
      this.#through[index] = Math.max(0, tradeThroughTicks - 0.5) * tick;
    }
  }

  /** What rests keeps its price and its quantity: only what arrives is held to the new ones. */
  #changeFilters(at: TimeMs): void {
    this.#filters.reach(at);
    this.#filtersMoved();
    this.#isStale.fill(1);
    this.#anyStale = true;
  }

  #filtersMoved(): void {
    this.#measureThrough();
    this.#levels.allChanged();
  }

  #trail(bar: MarketEvent): void {
    const { instrument, happenedAt } = bar;
    const tick = this.#traded[instrument]?.tick;
    for (const order of this.#orders.resting[instrument] ?? []) {
      const { intent, level, arrivedAt } = order;
      if (intent.trailBy === undefined || tick === undefined || arrivedAt >= happenedAt) continue;
      const isWholeBar = arrivedAt <= happenedAt - this.#settings.baseTimeframeMs;
      const trailed = trailedLevel(intent.side, level, toNumber(intent.trailBy), bar, isWholeBar);
      if (trailed === level) continue;
      const stopPrice = priceFrom(trailed, tick, intent.side === 'sell' ? 'down' : 'up');
      order.intent = { ...intent, stopPrice };
      order.level = toNumber(stopPrice);
    }
  }

  /** A mark has moved: with cross margin it moves the level of every other position. */
  #markMoved(instrument: number): void {
    for (let index = 0; index < this.position.length; index++) {
      if (!this.#account.isMargined(index)) continue;
      if (index === instrument) this.#lookAgain(index);
      else if (this.#rules.margin === 'cross') this.#levelMoved(index);
      else if (this.#instrumentOf(index) === instrument) this.#lookAgain(instrument);
    }
  }

  #levelMoved(position: number): void {
    this.#levels.changed(position);
    this.#lookAgain(this.#instrumentOf(position));
  }

  /** What a trade or a payment of one position changes of the levels: its own, and with cross margin everybody's. */
  #levelsMoved(position: number): void {
    if (!this.#hasMargin) return;
    if (this.#rules.margin === 'cross') for (let index = 0; index < this.position.length; index++) this.#levelMoved(index);
    else this.#levelMoved(position);
  }

  /** Which position an order is of. */
  #positionOf({ instrument, positionSide }: OrderIntent): number {
    return this.#isHedged && positionSide === 'short' ? instrument + this.#watched.length : instrument;
  }

  #instrumentOf(position: number): number {
    return position < this.#watched.length ? position : position - this.#watched.length;
  }

  #heldBy(intent: OrderIntent): Quantity {
    return this.position[this.#positionOf(intent)] ?? ZERO_QUANTITY;
  }

  #lookAgain(instrument: number): void {
    this.#isStale[instrument] = 1;
    this.#anyStale = true;
  }

  /** The first boundary at or after `from`: whoever holds a position at the boundary pays. */
  #boundary(instrument: number, from: TimeMs): TimeMs {
    return this.#funding[instrument]?.nextAt(from, this.#traded[instrument]?.fundingIntervalMs ?? 0) ?? NEVER;
  }

  // ---- orders in -----------------------------------------------------------------------------------------------------

  /** Nothing of an intent is ever written: what becomes of the order here is in intents of its own. */
  submit(intent: OrderIntent): void {
    this.#arrivals.push({ at: this.#arrivalOf(intent.at), instrument: intent.instrument, what: 'order', intent: this.#received(intent) });
  }

  /** In a hedged account what is against the side of its position can only reduce it, whatever it says itself. */
  #received(intent: OrderIntent): OrderIntent {
    if (!this.#isHedged) return intent;
    const { side, positionSide } = intent;
    const isAgainst = positionSide !== undefined && (positionSide === 'long') === (side === 'sell');
    const reduceOnly = intent.reduceOnly || isAgainst;
    return { ...intent, reduceOnly, attached: intent.attached.map((each) => this.#received(each)) };
  }

  amend(intent: AmendIntent | LimitAmendIntent): void {
    const { instrument, order: target } = intent;
    const at = this.#arrivalOf(intent.at);
    if ('stopPrice' in intent) this.#arrivals.push({ at, instrument, what: 'amend', target, stopPrice: intent.stopPrice });
    else this.#arrivals.push({ at, instrument, what: 'reprice', target, limitPrice: intent.limitPrice, quantity: intent.quantity });
  }

  cancel({ at, order: target, instrument }: CancelIntent): void {
    this.#arrivals.push({ at: this.#arrivalOf(at), instrument, what: 'cancel', target });
  }

  /** Messages arrive in the order in which they were sent. */
  #arrivalOf(at: TimeMs): TimeMs {
    return Math.max(at + this.#latencyOf(this.#sent++), this.#arrivals.last()?.at ?? 0);
  }

  // ---- reports out ---------------------------------------------------------------------------------------------------

  get ended(): boolean {
    return this.#reports.length === 0 && this.#arrivals.length === 0 && this.#orders.size === 0 && this.#tapeHasEnded();
  }

  peekAt(): TimeMs {
    const said = this.#reports.at(0);
    if (said !== undefined) return said.at;
    const due = this.#nextDue();
    if (due === NEVER) return NEVER;
    const notBefore = this.#settings.notBefore();
    if (this.#responseOf !== undefined) {
      return Math.max(Math.max(due, this.#actedAt) + this.#responseOf(this.#answered), this.#heardAt, notBefore);
    }
    // Of a feed, what is owed may be known only after later prices were seen.
    return Math.max(due, this.#lastAt, notBefore);
  }

  /** When it acts next, by its own time. */
  #nextDue(): TimeMs {
    if (this.#anyStale) this.#schedule();
    const arrival = this.#arrivals.at(0);
    if (arrival !== undefined) return Math.min(this.#due, arrival.at);
    if (this.#due < NEVER || this.#orders.size === 0 || !this.#tapeHasEnded()) return this.#due;
    return Math.max(this.#lastAt, this.#actedAt) + 1;
  }

  /** Before a price is seen: does what is due until then. What it says of that is still on its way. */
  #catchUp(until: TimeMs): void {
    while (this.#nextDue() <= until) this.#actInTime();
  }

  /** Acts at its own time, and says so when its answer has arrived: answers arrive in the order in which they were given. */
  #actInTime(): void {
    const given = this.#reports.length;
    this.#actedAt = Math.max(this.#nextDue(), this.#actedAt);
    this.#act(this.#actedAt);
    this.#delay(given);
  }

  #delay(from: number): void {
    for (let index = from; index < this.#reports.length; index++) {
      const report = this.#reports.at(index);
      if (report === undefined || this.#responseOf === undefined) continue;
      const arrivesAt = report.happenedAt + this.#responseOf(this.#answered++);
      this.#heardAt = Math.max(arrivesAt, this.#heardAt, this.#settings.notBefore());
      this.#reports.replace(index, { ...report, at: this.#heardAt });
    }
  }

  take(): Event {
    if (this.#reports.length === 0) {
      if (this.#responseOf === undefined) this.#act(this.peekAt());
      else this.#actInTime();
    }
    const report = this.#reports.shift();
    if (report === undefined) throw new Error('broken invariant: the venue announced an event and had none');
    // What is heard late tells nothing of the time at the venue.
    if (this.#responseOf === undefined) this.#lastAt = report.at;
    return report;
  }

  /** Carries out what is due first. Every act ends in at least one report. */
  #act(at: TimeMs): void {
    const arrival = this.#arrivals.at(0);
    const isArrival = arrival !== undefined && arrival.at <= this.#due;
    // It may be late: what was due before they changed is done by those before.
    const filtersAt = isArrival ? at : Math.min(this.#due, at);
    if (filtersAt >= this.#filters.nextAt) this.#changeFilters(filtersAt);
    this.#carryOut(isArrival ? arrival : undefined, at);
    if (at >= this.#filters.nextAt) this.#changeFilters(at);
  }

  #carryOut(arrival: Arrival | undefined, at: TimeMs): void {
    if (arrival !== undefined) {
      this.#arrivals.shift();
      this.#reachBook(arrival.instrument, arrival.at);
      if (arrival.what === 'order') this.#arrive(arrival.intent, at);
      else this.#answer(arrival, at);
      return;
    }
    if (this.#due === NEVER) {
      this.#expireAll(at);
      return;
    }
    const instrument = this.#dueInstrument;
    switch (this.#dueKind[instrument] ?? 'trigger') {
      case 'waiting':
        this.#fillWaiting(instrument, at);
        break;
      case 'trigger':
        this.#trigger(instrument, at);
        break;
      case 'book':
        this.#playBook(instrument, at);
        break;
      case 'liquidation':
        this.#liquidateFirst(instrument, at);
        break;
      case 'funding': {
        const position = this.#firstFunded(instrument);
        this.#reachBook(instrument, (this.#nextFunding[position] ?? at) + 1);
        this.#payFunding(position, at, this.#fundingOwed(position));
        break;
      }
    }
  }

  /** Finds what is due next beside arrivals. */
  #schedule(): void {
    this.#anyStale = false;
    this.#due = NEVER;
    for (let instrument = 0; instrument < this.#dueAt.length; instrument++) {
      if (this.#isStale[instrument] === 1) this.#look(instrument);
      const dueAt = this.#dueAt[instrument] ?? NEVER;
      if (dueAt >= this.#due) continue;
      this.#due = dueAt;
      this.#dueInstrument = instrument;
    }
  }

  /**
   * What one instrument owes next. Where its filters change before that, what it owes by the new ones, from then on: what was found is done
   * by the filters of its own time.
   */
  #look(instrument: number): void {
    this.#isStale[instrument] = 0;
    this.#dueAt[instrument] = NEVER;
    this.#quietAbove[instrument] = NaN;
    const source = this.#watched[instrument];
    if (source === undefined || source.ended) return;
    this.#lookNow(instrument, source);
    const { nextAt } = this.#filters;
    if (nextAt === NEVER || (this.#dueAt[instrument] ?? NEVER) < nextAt) return;
    const seenUntil = this.#books[instrument] === undefined ? (source.nextBar()?.at ?? 0) : source.peekAt();
    if (seenUntil === NEVER || seenUntil < nextAt) return;
    this.#filters.during(nextAt, () => {
      this.#filtersMoved();
      this.#look(instrument);
      this.#dueAt[instrument] = Math.max(this.#dueAt[instrument] ?? NEVER, nextAt);
    });
    this.#quietAbove[instrument] = NaN;
    this.#filtersMoved();
  }

  /** One bar ahead where orders rest or wait. At equal times fills come before funding. */
  #lookNow(instrument: number, source: MarketSource): void {
    const book = this.#books[instrument];
    if (book !== undefined) {
      this.#lookAtBook(instrument, book, source.peekAt());
      this.#offer(instrument, this.#nextFunding[this.#firstFunded(instrument)] ?? NEVER, 'funding');
      return;
    }
    const resting = this.#orders.resting[instrument] ?? [];
    const waiting = this.#orders.waiting[instrument]?.[0];
    const isMargined = this.#hasMargin && this.#isMargined(instrument);
    if (resting.length > 0 || waiting !== undefined || isMargined) {
      const bar = source.nextBar();
      if (bar === undefined) {
        // Not known yet: look again at the next question.
        this.#lookAgain(instrument);
      } else this.#lookAt(instrument, bar, waiting, isMargined);
    }
    this.#offer(instrument, this.#nextFunding[this.#firstFunded(instrument)] ?? NEVER, 'funding');
  }

  #lookAt(instrument: number, bar: Readonly<MarketEvent>, waiting: OpenOrder | undefined, isMargined: boolean): void {
    // Without volume that is left nothing fills; only a liquidation does not ask for it.
    const left = this.#sharesVolume ? this.#available(instrument, bar) : undefined;
    const canFill = left === undefined || !isZero(left);
    if (canFill && waiting !== undefined && waiting.arrivedAt < bar.happenedAt) {
      this.#offer(instrument, Math.max(bar.happenedAt - this.#settings.baseTimeframeMs, waiting.arrivedAt), 'waiting');
    }
    const first = this.#firstTriggered(instrument, bar);
    const liquidationRank = isMargined ? this.#liquidationRank(instrument, bar) : Infinity;
    // At one distance the liquidation is first: whoever is liquidated has no orders any more.
    if (liquidationRank < Infinity && liquidationRank <= this.#firstRank) this.#offer(instrument, bar.at, 'liquidation');
    else if (canFill && first !== undefined) this.#offer(instrument, bar.at, 'trigger');
    else if (waiting === undefined && !isMargined && left === undefined) this.#findQuiet(instrument);
  }

  /** Between the nearest levels on either side: as long as those stand, a bar need only be held against two numbers. */
  #findQuiet(instrument: number): void {
    if (this.#orders.hasTrailing || this.#filters.nextAt !== NEVER) return;
    let above = -Infinity;
    let below = Infinity;
    const resting = this.#orders.resting[instrument] ?? [];
    for (let index = 0; index < resting.length; index++) {
      const order = resting[index];
      if (order === undefined) continue;
      if (!reachesFromAbove(order.reach)) below = Math.min(below, order.level);
      else above = Math.max(above, order.level);
    }
    this.#quietAbove[instrument] = above;
    this.#quietBelow[instrument] = below;
  }

  #offer(instrument: number, at: TimeMs, kind: DueKind): void {
    if (at >= (this.#dueAt[instrument] ?? NEVER)) return;
    this.#dueAt[instrument] = at;
    this.#dueKind[instrument] = kind;
  }

  #tapeHasEnded(): boolean {
    for (const source of this.#watched) if (source !== undefined && !source.ended) return false;
    return true;
  }

  /**
   * What it demands of an instrument, or pays on it, is this from now on. Whoever runs the venue says so, and says it again to one that was
   * restored: it is no part of its state.
   */
  instrumentChanged(index: number, instrument: Instrument): void {
    this.#filters.replace(index, instrument);
    if (this.#isHedged) this.#filters.replace(index + this.#watched.length, instrument);
    this.#filtersMoved();
    this.#lookAgain(index);
  }

  // ---- recovery ------------------------------------------------------------------------------------------------------

  /** A price that a recording holds: seen, without a source that could be asked for it again. */
  see(event: MarketEvent): void {
    this.#seen(event);
  }

  /**
   * Brings this venue to where it was after it had said `report`, from the recorded words alone: which price it knew at that moment
   * is not known any more. What one act said in several reports is still queued when the first of them is recalled.
   * @throws BallastError VENUE_DIVERGED when it could not have said that
   */
  recall(report: VenueReport): void {
    if (this.#reports.length === 0) {
      this.#actAgain(report);
      if (this.#responseOf !== undefined) {
        this.#actedAt = Math.max(report.happenedAt, this.#actedAt);
        this.#delay(0);
      }
    }
    const said = this.#reports.shift();
    if (said === undefined || said.kind !== report.kind || ('order' in said && 'order' in report && said.order !== report.order)) {
      throw new BallastError({
        code: 'VENUE_DIVERGED',
        place: `simulated venue at ${report.at}`,
        found: `${report.kind} in the recording`,
        expected: said === undefined ? 'nothing' : said.kind,
        remedy: 'the recording and the snapshot are not of one run',
      });
    }
    if (this.#responseOf === undefined) this.#lastAt = report.at;
  }

  #actAgain(report: VenueReport): void {
    const { happenedAt: at, instrument } = report;
    if (at >= this.#filters.nextAt) this.#changeFilters(at);
    const book = this.#books[instrument];
    if (report.kind === 'funding.paid') {
      this.#reachBook(instrument, (this.#nextFunding[this.#firstFunded(instrument)] ?? at) + 1);
      this.#payFunding(this.#firstFunded(instrument), at, report.amount);
      return;
    }
    if (report.kind === 'position.liquidated' && book === undefined) {
      const isShort = this.#isHedged && report.side === 'buy';
      this.#liquidate(isShort ? instrument + this.#watched.length : instrument, at, report.fill.price);
      return;
    }
    if (report.kind === 'order.expired') {
      this.#expireAll(at);
      return;
    }
    const isAnswer =
      report.kind === 'order.amended' ||
      report.kind === 'order.repriced' ||
      (report.kind === 'order.cancelled' && (report.reason === ASKED_FOR || report.reason === HAD_ENDED));
    const order = report.kind === 'position.liquidated' ? undefined : report.order;
    const arrival = this.#arrivals.take((each) =>
      each.what === 'order' ? !isAnswer && each.intent.id === order : isAnswer && each.target === order,
    );
    if (arrival !== undefined) {
      this.#reachBook(instrument, arrival.at);
      if (arrival.what !== 'order') this.#answer(arrival, at, 'reason' in report ? report.reason : '');
      // A tape of books is there again: what it gave then it gives now.
      else if (book !== undefined) this.#arrive(arrival.intent, at);
      else if ('fill' in report && report.kind !== 'position.liquidated') this.#arriveAgain(arrival.intent, report);
      return;
    }
    if (book !== undefined) {
      if (book.dueAt(at, this.#liquidationLevels(instrument)) < NEVER) this.#playBook(instrument, at);
      return;
    }
    if (report.kind === 'order.amended' || report.kind === 'order.repriced' || report.kind === 'position.liquidated') return;
    const open = this.#orders.get(report.order);
    if (open === undefined) return;
    if (report.fill !== undefined) this.#fill(open, report.fill.price, at, report.fill.liquidity, report.fill.quantity);
    else this.#cancelled(open, at, report.reason);
  }

  #arriveAgain(intent: OrderIntent, report: OrderReport): void {
    if (report.kind === 'order.rejected') {
      this.#report('order.rejected', intent, report.happenedAt, report.reason);
      return;
    }
    const at = report.happenedAt;
    const order = this.#orders.open(intent, at);
    const prevented = this.#selfTrades(intent);
    if (report.fill !== undefined) this.#fill(order, report.fill.price, at, report.fill.liquidity, report.fill.quantity);
    else if (report.kind === 'order.cancelled') this.#cancelled(order, at, report.reason);
    else this.#accept(order, at);
    this.#cancelPrevented(prevented, at);
  }

  // ---- arrivals ------------------------------------------------------------------------------------------------------

  #arrive(intent: OrderIntent, at: TimeMs): void {
    const refusal = this.#refusal(intent, at);
    if (refusal !== undefined) {
      this.#report('order.rejected', intent, at, refusal);
      return;
    }
    const order = this.#orders.open(intent, at);
    const prevented = this.#selfTrades(intent);
    const { selfTrade } = this.#rules;
    if (prevented.length > 0 && selfTrade !== 'cancel-resting') this.#cancelled(order, at, SELF_TRADE);
    else this.#enter(order, at);
    this.#cancelPrevented(prevented, at);
  }

  /** Fills at once what takes at once; the rest comes to rest or waits, or ends if it may not. */
  #enter(order: OpenOrder, at: TimeMs): void {
    const { intent } = order;
    const book = this.#books[intent.instrument];
    if (book !== undefined) {
      this.#enterBook(order, book, at);
      return;
    }
    const { type, side, timeInForce, instrument } = intent;
    const price = type === 'market' || timeInForce !== undefined ? this.#priceNow(instrument, at) : undefined;
    const isIn = price !== undefined && (type === 'market' || !(side === 'buy' ? order.level < price : order.level > price));
    if (isIn && this.#takes(order, price, at)) return;
    if (timeInForce === undefined) this.#accept(order, at);
    else this.#cancelled(order, at, NOTHING_TO_TAKE[timeInForce]);
  }

  /** Resting limits of one's own with which this order would trade: a market order is held to the last price. */
  #selfTrades({ instrument, side, type, limitPrice }: OrderIntent): readonly OpenOrder[] {
    if (this.#rules.selfTrade === 'allow' || isConditional(type)) return [];
    const market = this.#books[instrument]?.bestOf(side === 'buy' ? ASK : BID) ?? this.#last[instrument] ?? NaN;
    const price = limitPrice === undefined ? market : toNumber(limitPrice);
    return (this.#orders.resting[instrument] ?? []).filter(
      ({ intent, level }) => intent.side !== side && !isConditional(intent.type) && (side === 'buy' ? level <= price : level >= price),
    );
  }

  #cancelPrevented(prevented: readonly OpenOrder[], at: TimeMs): void {
    if (this.#rules.selfTrade === 'cancel-incoming') return;
    for (const order of prevented) if (this.#orders.has(order.intent.id)) this.#cancelled(order, at, SELF_TRADE);
  }

  #accept(order: OpenOrder, at: TimeMs): void {
    const { intent } = order;
    this.#lookAgain(intent.instrument);
    if (intent.type === 'market') this.#orders.wait(order);
    else this.#orders.rest(order);
    this.#report('order.accepted', intent, at, '');
    // Its position may have been closed while it was on its way.
    if (intent.wholePosition) this.#endWholePositionStops(intent.instrument, at);
  }

  #malformation(intent: OrderIntent, instrument: Instrument): string | undefined {
    if (this.#orders.has(intent.id)) return `duplicate client order id ${intent.id}`;
    const hasSide = intent.positionSide !== undefined;
    if (hasSide !== (this.#isHedged && instrument.kind === 'linear'))
      return hasSide ? 'there is one position of it, which has no side' : 'there is a long and a short position, and it names neither';
    return malformation(intent, instrument);
  }

  /** What no venue would take; said with its reason. */
  #refusal(intent: OrderIntent, at: TimeMs): string | undefined {
    const instrument = this.#traded[intent.instrument];
    if (instrument === undefined) return 'unknown instrument';
    const malformed = this.#malformation(intent, instrument);
    if (malformed !== undefined) return malformed;
    for (const stop of intent.attached) {
      const why = this.#malformation(stop, instrument);
      if (why !== undefined) return `attached ${stop.id}: ${why}`;
    }
    if (intent.type === 'post-only' && this.#wouldTake(intent, at)) return WOULD_TAKE;
    return this.#overreach(intent, instrument);
  }

  /** What the account does not allow: to sell or reduce what is not held, to buy what cannot be paid. */
  #overreach(intent: OrderIntent, instrument: Instrument): string | undefined {
    const { quantity } = intent;
    const position = this.#heldBy(intent);
    if (intent.reduceOnly) {
      // A stop may come to rest for a position that is still on its way.
      if (!isConditional(intent.type) && signOf(position) !== (intent.side === 'sell' ? 1 : -1)) return NOTHING_TO_REDUCE;
      return undefined;
    }
    if (this.#isCashSale(intent) && compare(quantity, position) > 0) {
      return `insufficient balance: ${format(position)} ${instrument.base} held, ${format(quantity)} to sell`;
    }
    const reference = intent.limitPrice ?? intent.stopPrice ?? this.#reference(intent.instrument, instrument);
    if (reference === undefined) return undefined;
    if (!isZero(instrument.minimumNotional)) {
      const value = notional(reference, quantity);
      if (compare(value, instrument.minimumNotional) < 0)
        return `notional ${format(value)} is below the minimum ${format(instrument.minimumNotional)}`;
    }
    return this.#unaffordable(intent, instrument, reference);
  }

  /** On spot, and for cash, what is not held cannot be sold. */
  #isCashSale({ instrument, side }: OrderIntent): boolean {
    if (side === 'buy') return false;
    if (this.#rules.margin === 'cash') return true;
    return this.#traded[instrument]?.kind === 'spot' && !this.#settings.allowSpotShort;
  }

  #reference(instrumentIndex: number, instrument: Instrument): Price | undefined {
    const last = this.#last[instrumentIndex] ?? NaN;
    return last > 0 ? priceFrom(last, instrument.tick, 'nearest') : undefined;
  }

  #unaffordable(intent: OrderIntent, instrument: Instrument, reference: Price): string | undefined {
    if (this.#rules.margin === 'cash' || (instrument.kind === 'spot' && !this.#settings.allowSpotShort)) {
      const value = notional(reference, intent.quantity);
      // A budget is cut to the cash where it is spent.
      const isPayable = intent.budget === undefined ? compare(value, this.cash) <= 0 : signOf(this.cash) > 0;
      if (intent.side === 'sell' || isPayable) return undefined;
      return `insufficient balance: ${format(this.cash)} ${instrument.quote} free, ${format(value)} needed`;
    }
    const signed = intent.side === 'buy' ? intent.quantity : negate(intent.quantity);
    if (this.#rules.margin === 'isolated' && instrument.kind === 'linear') {
      return this.#account.lacksMargin(this.#positionOf(intent), signed, reference, ZERO_AMOUNT) ? LACKS_MARGIN : undefined;
    }
    let gross = 0;
    let grossBefore = 0;
    for (let index = 0; index < this.position.length; index++) {
      const held = this.position[index] ?? ZERO_QUANTITY;
      const last = this.#last[index] ?? 0;
      grossBefore += Math.abs(toNumber(held)) * (Number.isNaN(last) ? 0 : last);
      const after = index === this.#positionOf(intent) ? add(held, signed) : held;
      gross += Math.abs(toNumber(after)) * (Number.isNaN(last) ? 0 : last);
    }
    if (gross <= grossBefore || gross <= this.#settings.maximumLeverage * this.equity()) return undefined;
    return `insufficient margin: exposure ${gross.toFixed(2)} over equity ${this.equity().toFixed(2)} exceeds leverage ${this.#settings.maximumLeverage}`;
  }

  /** Cash plus positions at their last prices. */
  equity(): number {
    return this.#account.equity(this.#last);
  }

  /**
   * The last trade seen since the last bar closed, or the open of the bar that contains `at`; undefined when neither is known. Where orders
   * fill at the close, the last price.
   */
  #priceNow(instrument: number, at: TimeMs): number | undefined {
    if (this.#rules.fill === 'close') {
      const last = this.#last[instrument] ?? NaN;
      return last > 0 ? last : undefined;
    }
    const bar = this.#watched[instrument]?.nextBar();
    if (this.#needsBar && bar === undefined) return undefined;
    // In a gap of the data there is no price until the next bar opens.
    if (bar !== undefined && (at >= bar.happenedAt || at < bar.happenedAt - this.#settings.baseTimeframeMs)) return undefined;
    const trade = this.#lastTrade[instrument] ?? NaN;
    return Number.isNaN(trade) ? bar?.open : trade;
  }

  #wouldTake(intent: OrderIntent, at: TimeMs): boolean {
    const book = this.#books[intent.instrument];
    const price =
      book?.bestOf(intent.side === 'buy' ? ASK : BID) ?? this.#priceNow(intent.instrument, at) ?? this.#last[intent.instrument] ?? NaN;
    const limit = intent.limitPrice === undefined ? NaN : toNumber(intent.limitPrice);
    return intent.side === 'buy' ? limit >= price : limit <= price;
  }

  /** What was asked about an order that is there already. @param recorded the venue's words where this is only recalled */
  #answer(arrival: Exclude<Arrival, { readonly what: 'order' }>, at: TimeMs, recorded?: string): void {
    const { target, instrument } = arrival;
    const order = this.#orders.get(target);
    if (order === undefined) {
      this.#reports.push({ kind: 'order.cancelled', at, happenedAt: at, instrument, order: target, reason: HAD_ENDED, fill: undefined });
    } else if (arrival.what === 'cancel') this.#cancelled(order, at, ASKED_FOR);
    else if (arrival.what === 'amend') this.#amendNow(order, arrival.stopPrice, at);
    else this.#repriceNow(order, arrival, at, recorded);
  }

  /** Amended in place: it keeps its rank among the orders that rest. */
  #amendNow(order: OpenOrder, stopPrice: Price, at: TimeMs): void {
    const { intent } = order;
    const { id, instrument } = intent;
    const reason = this.#amendRefusal(intent, stopPrice);
    if (reason === '') {
      order.intent = { ...intent, stopPrice };
      order.level = toNumber(stopPrice);
    }
    this.#lookAgain(instrument);
    const stands = reason === '' ? stopPrice : (intent.stopPrice ?? stopPrice);
    this.#reports.push({
      kind: 'order.amended',
      at,
      happenedAt: at,
      instrument: intent.instrument,
      order: id,
      asked: stopPrice,
      stopPrice: stands,
      reason,
    });
  }

  #amendRefusal({ type, instrument }: OrderIntent, stopPrice: Price): string {
    if (!isConditional(type)) return `a ${type} order has no trigger`;
    const tick = this.#traded[instrument]?.tick;
    return tick === undefined ? '' : priceMalformation(stopPrice, tick);
  }

  /** Less of it at the same price keeps its place; a new price, or more of it, is as if it had just arrived. */
  #repriceNow(
    order: OpenOrder,
    { limitPrice, quantity }: Pick<LimitAmendIntent, 'limitPrice' | 'quantity'>,
    at: TimeMs,
    recorded?: string,
  ): void {
    const { intent } = order;
    const { id, instrument } = intent;
    const amended = { ...intent, limitPrice, quantity };
    const reason = recorded ?? this.#repriceRefusal(order, amended, at);
    if (reason === '') {
      const losesPlace = order.level !== toNumber(limitPrice) || compare(quantity, intent.quantity) > 0;
      order.intent = amended;
      order.level = toNumber(limitPrice);
      if (losesPlace) this.#orders.toEnd(order, at);
    }
    this.#lookAgain(instrument);
    const stands = { limitPrice: order.intent.limitPrice ?? limitPrice, quantity: order.intent.quantity };
    this.#reports.push({ kind: 'order.repriced', at, happenedAt: at, instrument, order: id, ...stands, reason });
    const book = this.#books[instrument];
    if (book !== undefined && reason === '') this.#sweep(order, book, at, 'taker');
  }

  #repriceRefusal(order: OpenOrder, amended: OrderIntent, at: TimeMs): string {
    const { type, instrument: index, limitPrice } = amended;
    const instrument = this.#traded[index];
    if (instrument === undefined || limitPrice === undefined || (type !== 'limit' && type !== 'post-only'))
      return `a ${type} order has no limit`;
    const malformed = malformation(amended, instrument);
    if (malformed !== undefined) return malformed;
    if (compare(amended.quantity, order.filled) <= 0) return `${format(order.filled)} of it has filled already`;
    if (type === 'post-only' && this.#wouldTake(amended, at)) return WOULD_TAKE;
    return amended.reduceOnly
      ? ''
      : (this.#overreach({ ...amended, quantity: subtract(amended.quantity, order.filled) }, instrument) ?? '');
  }

  // ---- fills ---------------------------------------------------------------------------------------------------------

  #fillWaiting(instrument: number, at: TimeMs): void {
    const order = this.#orders.waiting[instrument]?.[0];
    const bar = this.#watched[instrument]?.nextBar();
    if (order === undefined || bar === undefined) throw new Error('broken invariant: a waiting order and its bar are there');
    this.#takes(order, bar.open, at);
  }

  #trigger(instrument: number, at: TimeMs): void {
    const bar = this.#watched[instrument]?.nextBar();
    const order = bar === undefined ? undefined : this.#firstTriggered(instrument, bar);
    if (order === undefined || bar === undefined) throw new Error('broken invariant: a triggered order and its bar are there');
    const { intent, level } = order;
    if (isConditional(intent.type)) {
      this.#takes(order, triggeredPrice(order.reach, level, bar), at);
      return;
    }
    const limitPrice = intent.limitPrice;
    if (limitPrice === undefined) throw new Error('broken invariant: a limit order has a price');
    const better = intent.side === 'buy' ? bar.open < level : bar.open > level;
    const tick = this.#traded[instrument]?.tick;
    const price = better && tick !== undefined ? priceFrom(bar.open, tick, intent.side === 'buy' ? 'up' : 'down') : limitPrice;
    // Marketable where the bar opened: it took; otherwise the market came to it.
    this.#fill(order, price, at, better ? 'taker' : 'maker', this.#available(instrument, bar));
  }

  /**
   * Fills at the market what there is to take, slipped, but never beyond the order's limit.
   * @returns false, and nothing done, where there is nothing, or not all for an order that takes all or nothing
   */
  #takes(order: OpenOrder, price: number, at: TimeMs): boolean {
    const { intent } = order;
    const { instrument, side, limitPrice, timeInForce, budget } = intent;
    const fixedRatio = (isStop(order.reach) ? this.#rules.stopSlippageRatio : null) ?? this.#settings.slippageRatio;
    const wanted =
      budget === undefined
        ? this.#wanted(order)
        : this.#affordable(intent, budget, this.#slipped(instrument, side, price, intent.quantity, fixedRatio), at);
    // At a better price than that of all of it a lot more may be had; whoever asks for none gets none.
    if (budget !== undefined && isZero(wanted)) {
      this.#cancelled(order, at, isZero(order.filled) ? 'insufficient balance' : BUDGET_SPENT);
      return true;
    }
    let quantity = wanted;
    if (this.#sharesVolume) {
      const bar = this.#watched[instrument]?.nextBar();
      quantity = smaller(wanted, bar === undefined ? ZERO_QUANTITY : (this.#available(instrument, bar) ?? wanted));
      if (!isZero(wanted) && (isZero(quantity) || (timeInForce === 'fok' && compare(quantity, wanted) < 0))) return false;
    }
    let slipped = this.#slipped(instrument, side, price, quantity, fixedRatio);
    if (limitPrice !== undefined && (side === 'buy' ? compare(slipped, limitPrice) > 0 : compare(slipped, limitPrice) < 0))
      slipped = limitPrice;
    this.#fill(order, slipped, at, 'taker', quantity);
    return true;
  }

  /** What the order may still fill: not more than is held where it only reduces, or sells what must be held. */
  #wanted(order: OpenOrder): Quantity {
    const { intent } = order;
    const rest = restOf(order);
    // What was held while a sale on spot came to rest need not be held any more.
    if (!intent.reduceOnly && !this.#isCashSale(intent)) return rest;
    const position = this.#heldBy(intent);
    const reducible = signOf(position) === (intent.side === 'sell' ? 1 : -1) ? absolute(position) : ZERO_QUANTITY;
    return intent.wholePosition ? reducible : smaller(rest, reducible);
  }

  /** What a budget pays for at this price, its fee included, from the cash there is. */
  #affordable({ instrument }: OrderIntent, budget: Amount, price: Price, at: TimeMs): Quantity {
    const lot = this.#traded[instrument]?.lot ?? ZERO_QUANTITY;
    return payable(smaller(budget, this.cash), price, this.#fees.rateOf(instrument, 'taker', at), lot);
  }

  /** What is left for us of the bar's volume; undefined is without bound. */
  #available(instrument: number, bar: Readonly<MarketEvent>): Quantity | undefined {
    const lot = this.#traded[instrument]?.lot;
    if (!this.#sharesVolume || lot === undefined) return undefined;
    const share = quantityFrom(this.#rules.volumeShareRatio * bar.volume, lot, 'down');
    const consumed = this.#consumed[instrument] ?? ZERO_QUANTITY;
    return compare(share, consumed) > 0 ? subtract(share, consumed) : ZERO_QUANTITY;
  }

  /** Stops before targets; of several the nearest to the open; then by arrival. */
  #firstTriggered(instrument: number, bar: Readonly<MarketEvent>): OpenOrder | undefined {
    let first: OpenOrder | undefined;
    let firstRank = Infinity;
    let isFirstStop = false;
    const through = this.#through[instrument] ?? 0;
    const resting = this.#orders.resting[instrument] ?? [];
    for (let index = 0; index < resting.length; index++) {
      const order = resting[index];
      if (order === undefined || order.arrivedAt >= bar.happenedAt) continue;
      const { reach, level } = order;
      const isStopping = isStop(reach);
      if ((isFirstStop && !isStopping) || !isReached(reach, level, bar, through, this.#isTouch)) continue;
      // A stop through which the bar has opened is at no distance; a limit, or a target, is ordered by how far it is either way.
      const distance = reach === 0 ? bar.open - level : level - bar.open;
      const rank = isStopping ? Math.max(0, distance) : Math.abs(distance);
      if (rank < firstRank || (isStopping && !isFirstStop)) {
        firstRank = rank;
        isFirstStop = isStopping;
        first = order;
      }
    }
    this.#firstRank = isFirstStop ? firstRank : Infinity;
    return first;
  }

  /** Against us: a buy pays more, a sale brings less; then onto the tick, in the same direction. */
  #slipped(instrument: number, side: Side, price: number, quantity: Quantity, fixedRatio: number): Price {
    const tick = this.#traded[instrument]?.tick;
    if (tick === undefined) throw new Error('broken invariant: an order names an instrument of the venue');
    const volume = this.#needsBar ? (this.#watched[instrument]?.nextBar()?.volume ?? 0) : 0;
    const ratio = this.#needsBar ? slippageOf(this.#rules, fixedRatio, toNumber(quantity), volume) : fixedRatio;
    return side === 'buy' ? priceFrom(price * (1 + ratio), tick, 'up') : priceFrom(price * (1 - ratio), tick, 'down');
  }

  /** @param available at most so much; undefined is without bound */
  #fill(order: OpenOrder, price: Price, at: TimeMs, liquidity: Fill['liquidity'], available?: Quantity): void {
    const { intent } = order;
    const { instrument } = intent;
    const position = this.#positionOf(intent);
    const held = this.position[position] ?? ZERO_QUANTITY;
    const wanted = intent.budget === undefined ? this.#wanted(order) : this.#affordable(intent, intent.budget, price, at);
    if (isZero(wanted)) {
      this.#cancelled(order, at, intent.reduceOnly ? NOTHING_TO_REDUCE : 'insufficient balance');
      return;
    }
    const quantity = available === undefined ? wanted : smaller(wanted, available);
    const value = notional(price, quantity);
    const owed = this.#fees.feeOf(instrument, value, liquidity, at);
    const paid = this.#feeCoin?.paid(owed, at);
    const fee = paid?.cost ?? owed;
    const change = intent.side === 'buy' ? quantity : negate(quantity);
    if (!intent.reduceOnly && this.#lacks(position, change, price, value, fee)) {
      this.#cancelled(order, at, LACKS_MARGIN);
      return;
    }
    this.#account.trade(position, change, price, value, fee);
    this.#fees.traded(value, at);
    this.#positionChanged(position, held, at);
    const isFirst = isZero(order.filled);
    order.filled = add(order.filled, quantity);
    // Of its own copy: what is left of it.
    if (intent.budget !== undefined) order.intent = { ...intent, budget: subtract(intent.budget, add(value, fee)) };
    if (this.#sharesVolume) this.#consumed[instrument] = add(this.#consumed[instrument] ?? ZERO_QUANTITY, quantity);
    const feeCoin = paid === undefined ? undefined : { feeCoin: paid.coin };
    const fill: Fill = { id: `f${++this.#fills}`, price, quantity, fee, liquidity, ...feeCoin };
    this.#reports.push({ kind: 'order.filled', at, happenedAt: at, instrument, order: intent.id, reason: '', fill });
    // Whoever sent a budget takes the order for filled once its estimate is.
    const isDone = compare(quantity, wanted) >= 0 || (intent.budget !== undefined && compare(order.filled, intent.quantity) >= 0);
    if (!isDone) this.#goesOn(order, at);
    else {
      this.#end(order);
      // Every order ends by a word: a fill of all that it asked for, or this.
      if (compare(order.filled, intent.quantity) < 0) {
        const why = intent.budget === undefined ? 'insufficient balance' : BUDGET_SPENT;
        this.#report('order.cancelled', intent, at, intent.reduceOnly ? 'reduce-only: the position is closed' : why);
      }
    }
    if (isFirst) {
      for (const attached of intent.attached) {
        const stop = this.#orders.get(attached.id);
        if (stop === undefined) continue;
        // As if it had been there as long as its entry: it is tested against the bar in which that has filled.
        stop.arrivedAt = order.arrivedAt;
        this.#orders.rest(stop);
      }
    }
    if (this.#orders.hasPairs || intent.pairedWith !== undefined) this.#takeFromPair(order, quantity, at);
    this.#endWholePositionStops(instrument, at);
  }

  /** The market had less than it wanted: a limit rests on, what is at the market waits for the next bar, and what may not wait ends. */
  #goesOn(order: OpenOrder, at: TimeMs): void {
    const { intent } = order;
    this.#lookAgain(intent.instrument);
    if (this.#isSweeping) return;
    if (intent.timeInForce !== undefined) this.#cancelled(order, at, REST_NOT_THERE);
    else if (isConditional(intent.type) || intent.type === 'market') this.#orders.wait(order);
  }

  /** What one of a pair fills is not there for the other. */
  #takeFromPair({ intent }: OpenOrder, quantity: Quantity, at: TimeMs): void {
    for (const other of this.#orders.all()) {
      if (other.intent.id !== intent.pairedWith && other.intent.pairedWith !== intent.id) continue;
      other.taken = add(other.taken, quantity);
      if (signOf(restOf(other)) <= 0) this.#cancelled(other, at, PAIR_FILLED);
    }
  }

  /** A whole-position stop ends with its position, as on the real venues that have it. */
  #endWholePositionStops(instrument: number, at: TimeMs): void {
    const resting = this.#orders.resting[instrument] ?? [];
    for (let place = 0; place < resting.length; place++) {
      const order = resting[place];
      if (order?.intent.wholePosition !== true) continue;
      const side = signOf(this.#heldBy(order.intent));
      if (side !== 0 && (order.intent.side === 'sell') === side > 0) continue;
      // The next one comes to its place.
      this.#end(order);
      place--;
      this.#report('order.cancelled', order.intent, at, 'its position is closed');
    }
  }

  #positionChanged(position: number, before: Quantity, at: TimeMs): void {
    this.#levelsMoved(position);
    if (isZero(this.position[position] ?? ZERO_QUANTITY)) this.#nextFunding[position] = NEVER;
    else if (isZero(before)) this.#nextFunding[position] = this.#boundary(this.#instrumentOf(position), at);
  }

  /** What a fill would need and the account has not, where margin is posted or everything is paid in full. */
  #lacks(position: number, change: Quantity, price: Price, value: Amount, fee: Amount): boolean {
    switch (this.#rules.margin) {
      case 'isolated':
        return this.#traded[position]?.kind === 'linear' && this.#account.lacksMargin(position, change, price, fee);
      case 'cash':
        return signOf(change) > 0 && compare(add(value, fee), this.cash) > 0;
      default:
        return false;
    }
  }

  #cancelled(order: OpenOrder, at: TimeMs, reason: string): void {
    this.#end(order);
    this.#report('order.cancelled', order.intent, at, reason);
  }

  #end(order: OpenOrder): void {
    this.#lookAgain(order.intent.instrument);
    this.#orders.end(order);
  }

  /** On the price at the boundary: the close of the bar that ends there, where it is known; else the last. Longs pay a positive rate. */
  #fundingOwed(position: number): Amount {
    const traded = this.#traded[position];
    if (traded === undefined) return ZERO_AMOUNT;
    const instrument = this.#instrumentOf(position);
    const bar = this.#watched[instrument]?.nextBar();
    const boundary = this.#nextFunding[position] ?? NaN;
    const isOfBoundary = bar !== undefined && this.#books[instrument] === undefined && bar.happenedAt === boundary;
    const rate = this.#funding[instrument]?.rateAt(boundary, this.#traded[instrument]?.fundingRate ?? 0) ?? 0;
    const price = priceFrom(isOfBoundary ? bar.close : (this.#last[position] ?? NaN), traded.tick, 'nearest');
    return negate(proportion(notional(price, this.position[position] ?? ZERO_QUANTITY), amountFrom(rate), ONE));
  }

  /** Of the positions in an instrument the one whose boundary is next, the long one first. */
  #firstFunded(instrument: number): number {
    if (!this.#isHedged) return instrument;
    const short = instrument + this.#watched.length;
    return (this.#nextFunding[short] ?? NEVER) < (this.#nextFunding[instrument] ?? NEVER) ? short : instrument;
  }

  #payFunding(position: number, at: TimeMs, amount: Amount): void {
    const instrument = this.#instrumentOf(position);
    this.#lookAgain(instrument);
    const boundary = this.#nextFunding[position] ?? at;
    this.#nextFunding[position] = this.#boundary(instrument, boundary + 1);
    this.#account.fund(position, amount);
    this.#levelsMoved(position);
    const rate = this.#funding[instrument]?.rateAt(boundary, this.#traded[instrument]?.fundingRate ?? 0) ?? 0;
    const report: FundingReport = { kind: 'funding.paid', at, happenedAt: at, instrument, amount, rate };
    this.#reports.push(report);
  }

  // ---- tapes of books ------------------------------------------------------------------------------------------------

  /** No further than the market has been asked to go: what is sent at its next event may come before what the tape has after it. */
  #lookAtBook(instrument: number, book: BookMarket, until: TimeMs): void {
    book.changed();
    if (!this.#orders.isBusy(instrument) && !(this.#hasMargin && this.#isMargined(instrument))) return;
    // Not known yet: look again at the next question.
    if (until === NEVER) this.#lookAgain(instrument);
    else this.#offer(instrument, book.dueAt(until, this.#liquidationLevels(instrument)), 'book');
  }

  #liquidationLevels(instrument: number): readonly [long: number, short: number] {
    const levelOf = (position: number, sign: number): number =>
      this.#account.isMargined(position) && signOf(this.position[position] ?? ZERO_QUANTITY) === sign ? this.#levels.at(position) : NaN;
    return [levelOf(instrument, 1), levelOf(this.#isHedged ? instrument + this.#watched.length : instrument, -1)];
  }

  /** The tape up to a time, of which nothing came. */
  #reachBook(instrument: number, before: TimeMs): void {
    const book = this.#books[instrument];
    if (book === undefined) return;
    book.reach(before);
    this.#settleBook(instrument, book);
  }

  #settleBook(instrument: number, book: BookMarket): void {
    for (const order of book.triggered()) this.#orders.wait(order);
    this.#lookAgain(instrument);
    if (Number.isNaN(book.lastTrade)) return;
    this.#last[instrument] = book.lastTrade;
    if (this.#isHedged) this.#last[instrument + this.#watched.length] = book.lastTrade;
    if (this.#rules.margin === 'cross') this.#levels.allChanged();
  }

  /** A trade comes to resting limits, then to liquidations and triggers; the other side of a book comes to what waits, then to limits. */
  #playBook(instrument: number, at: TimeMs): void {
    const book = this.#books[instrument];
    if (book === undefined) throw new Error('broken invariant: a book that is played is there');
    // As they were looked ahead with.
    const levels = this.#liquidationLevels(instrument);
    const isTrade = book.happen();
    this.#settleBook(instrument, book);
    if (isTrade) {
      this.#hit(book, at);
      this.#liquidateOn(instrument, book.lastTrade, levels, at);
    }
    for (const order of [...(this.#orders.waiting[instrument] ?? [])]) {
      if (this.#orders.has(order.intent.id)) this.#sweep(order, book, at, 'taker');
    }
    for (const order of book.crossed()) if (this.#orders.has(order.intent.id)) this.#sweep(order, book, at, 'maker');
  }

  #hit(book: BookMarket, at: TimeMs): void {
    const { hits, quantity } = book.hits();
    let left = quantity;
    for (const { order, quantity: most } of hits) {
      const { id, limitPrice } = order.intent;
      const available = smaller(most, left);
      if (limitPrice === undefined || isZero(available) || !this.#orders.has(id)) continue;
      const before = order.filled;
      this.#fill(order, limitPrice, at, 'maker', available);
      left = subtract(left, subtract(order.filled, before));
    }
  }

  #liquidateOn(instrument: number, trade: number, [long, short]: readonly [long: number, short: number], at: TimeMs): void {
    const price = priceFrom(trade, ZERO_PRICE, 'nearest');
    const shortPosition = this.#isHedged ? instrument + this.#watched.length : instrument;
    if (trade <= long && this.#account.isMargined(instrument)) this.#liquidate(instrument, at, price);
    if (trade >= short && this.#account.isMargined(shortPosition)) this.#liquidate(shortPosition, at, price);
  }

  /** Takes level after level up to its limit: at their prices as it comes, at its own where the book has come to it. */
  #sweep(order: OpenOrder, book: BookMarket, at: TimeMs, liquidity: Fill['liquidity']): void {
    const { id, side, limitPrice } = order.intent;
    const from = side === 'buy' ? ASK : BID;
    this.#isSweeping = true;
    for (const { price, quantity } of book.offers(from, limitPrice)) {
      const before = order.filled;
      this.#fill(order, liquidity === 'maker' ? (limitPrice ?? price) : price, at, liquidity, quantity);
      book.take(from, price, subtract(order.filled, before));
      if (!this.#orders.has(id)) break;
    }
    this.#isSweeping = false;
  }

  /** A limit rests with what it does not take; what is at the market waits for a book that has the rest. */
  #enterBook(order: OpenOrder, book: BookMarket, at: TimeMs): void {
    const { id, type, timeInForce } = order.intent;
    if (type !== 'market' && timeInForce === undefined) {
      this.#accept(order, at);
      if (type === 'limit') this.#sweep(order, book, at, 'taker');
      return;
    }
    if (timeInForce !== 'fok' || this.#isAllThere(order, book)) this.#sweep(order, book, at, 'taker');
    if (!this.#orders.has(id)) return;
    if (!isZero(order.filled)) this.#goesOn(order, at);
    else if (timeInForce === undefined) this.#accept(order, at);
    else this.#cancelled(order, at, NOTHING_TO_TAKE[timeInForce]);
  }

  #isAllThere(order: OpenOrder, book: BookMarket): boolean {
    const { side, limitPrice } = order.intent;
    let rest = this.#wanted(order);
    for (const { quantity } of book.offers(side === 'buy' ? ASK : BID, limitPrice)) {
      rest = subtract(rest, smaller(quantity, rest));
      if (isZero(rest)) return true;
    }
    return false;
  }

  // ---- liquidation ---------------------------------------------------------------------------------------------------

  #isMargined(instrument: number): boolean {
    return this.#account.isMargined(instrument) || (this.#isHedged && this.#account.isMargined(instrument + this.#watched.length));
  }

  /** How far the coming bar goes before it liquidates a position of the instrument. */
  #liquidationRank(instrument: number, bar: Readonly<MarketEvent>): number {
    const rank = this.#account.isMargined(instrument) ? this.#levels.rank(instrument, bar) : Infinity;
    return this.#isHedged ? Math.min(rank, this.#shortRank(instrument, bar)) : rank;
  }

  #shortRank(instrument: number, bar: Readonly<MarketEvent>): number {
    const short = instrument + this.#watched.length;
    return this.#account.isMargined(short) ? this.#levels.rank(short, bar) : Infinity;
  }

  /** Where the coming bar liquidates both, the one to which it comes first, then the long one. */
  #liquidateFirst(instrument: number, at: TimeMs): void {
    const bar = this.#watched[instrument]?.nextBar();
    if (bar === undefined) throw new Error('broken invariant: a liquidation and its bar are there');
    const isShort =
      this.#isHedged && (!this.#account.isMargined(instrument) || this.#shortRank(instrument, bar) < this.#levels.rank(instrument, bar));
    const position = isShort ? instrument + this.#watched.length : instrument;
    // At its level, or at the open that was beyond it; closed at the market, so slipped.
    const held = this.position[position] ?? ZERO_QUANTITY;
    const level = this.#levels.priceIn(position, bar);
    this.#liquidate(
      position,
      at,
      this.#slipped(instrument, signOf(held) > 0 ? 'sell' : 'buy', level, absolute(held), this.#settings.slippageRatio),
    );
  }

  /** Closes the whole position at once, as real venues do in their lowest bracket, and then cancels what rests or waits for it. */
  #liquidate(position: number, at: TimeMs, price: Price): void {
    const instrument = this.#instrumentOf(position);
    const held = this.position[position] ?? ZERO_QUANTITY;
    const { fee, insurance, deleveraged } = this.#account.liquidate(position, price, this.#last);
    const fill: Fill = {
      id: `f${++this.#fills}`,
      price,
      quantity: absolute(held),
      fee: subtract(fee, add(insurance, deleveraged)),
      liquidity: 'taker',
    };
    const side = signOf(held) > 0 ? 'sell' : 'buy';
    this.#reports.push({ kind: 'position.liquidated', at, happenedAt: at, instrument, side, fill, insurance, deleveraged });
    this.#positionChanged(position, held, at);
    for (const list of [this.#orders.resting[instrument], this.#orders.waiting[instrument]]) {
      for (const order of [...(list ?? [])]) if (this.#positionOf(order.intent) === position) this.#cancelled(order, at, LIQUIDATED);
    }
  }

  /** The tape has ended: what is still open is named and ends. */
  #expireAll(at: TimeMs): void {
    for (const order of this.#orders.all()) {
      if (!this.#orders.has(order.intent.id)) continue;
      this.#end(order);
      this.#report('order.expired', order.intent, at, 'the tape ended');
    }
  }

  #report(kind: OrderReport['kind'], intent: OrderIntent, at: TimeMs, reason: string): void {
    this.#reports.push({ kind, at, happenedAt: at, instrument: intent.instrument, order: intent.id, reason, fill: undefined });
  }

  // ---- state ---------------------------------------------------------------------------------------------------------

  /** Ids of the orders that rest or wait here, for tests and displays. */
  openOrders(): readonly OrderIntent[] {
    return this.#orders.all().map((order) => order.intent);
  }

  stateHash(): string {
    const out = new ByteWriter(1 << 12);
    this.save(out);
    return createHash('sha256').update(out.view()).digest('hex');
  }

  save(out: ByteWriter): void {
    this.#account.save(out);
    out.numbers(this.#last);
    out.numbers(this.#lastTrade);
    out.numbers(this.#nextFunding);
    // Its day is reckoned when it is asked for; whether it was must not be told from the bytes.
    this.#fees.reach(this.#lastAt);
    this.#fees.save(out);
    if (this.#sharesVolume) for (const consumed of this.#consumed) out.decimal(consumed);
    out.count(this.#sent);
    out.count(this.#fills);
    out.number(this.#lastAt);
    if (this.#responseOf !== undefined) {
      out.count(this.#answered);
      out.number(this.#actedAt);
      out.number(this.#heardAt);
    }
    this.#orders.save(out);
    for (const book of this.#books) book?.save(out);
    out.count(this.#arrivals.length);
    for (const arrival of this.#arrivals) writeArrival(out, arrival);
    out.count(this.#reports.length);
    for (const report of this.#reports) writeReport(out, report);
  }

  restore(from: ByteReader): void {
    this.#account.restore(from);
    from.numbers(this.#last);
    from.numbers(this.#lastTrade);
    from.numbers(this.#nextFunding);
    this.#fees.restore(from);
    if (this.#sharesVolume) for (let index = 0; index < this.#consumed.length; index++) this.#consumed[index] = from.decimal();
    this.#sent = from.count();
    this.#fills = from.count();
    this.#lastAt = from.number();
    if (this.#responseOf !== undefined) {
      this.#answered = from.count();
      this.#actedAt = from.number();
      this.#heardAt = from.number();
    }
    this.#filters.rewind();
    this.#filters.reach(Math.max(this.#lastAt, this.#actedAt));
    this.#measureThrough();
    this.#orders.restore(from);
    for (const book of this.#books) book?.restore(from);
    this.#arrivals.clear();
    for (let left = from.count(); left > 0; left--) this.#arrivals.push(readArrival(from));
    this.#reports.clear();
    for (let left = from.count(); left > 0; left--) this.#reports.push(readReport(from));
    this.#isStale.fill(1);
    this.#levels.allChanged();
    this.#anyStale = true;
  }
}
