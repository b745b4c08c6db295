// Trading on Bybit V5 (linear perpetuals and spot): commands in, reports out. Three ways lead to the truth about an order: the answer to the
// command, the private stream, and being asked. None of them alone is believed to be complete, and each may come first. An answer that does not
// come proves nothing: the order is in doubt, and the venue is asked under the order's own id until it says what became of it.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import {
  absolute,
  add,
  amount,
  compare,
  format,
  isZero,
  negate,
  notional,
  priceFrom,
  quantity,
  quantityFrom,
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
import { assert } from '../../domain/errors.ts';
import type { Fill, OrderReport } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { AmendIntent, CancelIntent, LimitAmendIntent, OrderIntent } from '../../domain/order.ts';
import type { Source, Timers, Venue } from '../../domain/ports.ts';
import { MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { Alarm } from './alarm.ts';
import { pauseAfter } from './backoff.ts';
import { Batches } from './batches.ts';
import { OUTDATED, type Judged } from './bybit-codes.ts';
import {
  changesOf,
  createRequest,
  feeInQuote,
  isPositionStop,
  isSamePrice,
  limitOnTick,
  listedFrom,
  positionStopRequest,
  triggerOnTick,
  type Listed,
  type Parameters,
} from './bybit-orders.ts';
import {
  executionRowSchema,
  idsSchema,
  instrumentRowSchema,
  listSchema,
  orderRowSchema,
  positionRowSchema,
  walletRowSchema,
  wrongWith,
  type ExecutionRow,
  type OrderRow,
  type PositionRow,
  type TradeRow,
} from './bybit-rows.ts';
import { Calls, type Call, type Outcome } from './calls.ts';
import { ClockSkew } from './clock-skew.ts';
import { ExecutionMemory } from './execution-memory.ts';
import type { Amendment, KeptOrder } from './kept-order.ts';
import { hasEnded, isEntry, KeptOrders, priorityOf, Waiting, type Whereabouts } from './kept-orders.ts';
import { MoneyCheck, stepWords } from './money-check.ts';
import { isEnded, merged } from './order-progress.ts';
import { OrderSocket } from './order-socket.ts';
import { ReportQueue, type AdapterReport } from './report-queue.ts';
import { Stream, type Frame } from './stream.ts';
import { PRIORITY, type Budget, type Priority } from './turns.ts';
import type { VenueWire } from './venue-wire.ts';

export interface BybitVenueSettings {
  /** The venue takes no request that is older than this when it arrives, by its clock. */
  readonly recvWindowMs: number;
  /** How long what it has taken may be missing from what it says when it is asked. */
  readonly propagationMs: number;
  /** For one request and its whole answer. */
  readonly deadlineMs: number;
  /** Between two reconciliations. */
  readonly reconcileMs: number;
  /** Between two looks at the instruments' filters. */
  readonly refreshMs: number;
  readonly pingMs: number;
  /** Clocks that differ by more let nothing in. */
  readonly mostSkewMs: number;
  /** Which way orders, amendments and cancels take: `socket` is the venue's own for them while it is open, and REST otherwise. */
  readonly orderEntry: 'rest' | 'socket';
}

export const defaultBybitVenueSettings: BybitVenueSettings = {
  recvWindowMs: 5 * SECOND_MS,
  propagationMs: SECOND_MS,
  deadlineMs: 5 * SECOND_MS,
  reconcileMs: 30 * SECOND_MS,
  refreshMs: 10 * MINUTE_MS,
  pingMs: 10 * SECOND_MS,
  mostSkewMs: 500,
  orderEntry: 'rest',
};

/** Each is called once, and never where the request does not leave. */
export interface OrderWatch {
  /** The venue's allowance lets it go. */
  readonly onTurn: () => void;
  /** Its last byte has been given to the network. */
  readonly onGiven: () => void;
}

export interface BybitVenueParts {
  readonly instruments: readonly Instrument[];
  /** By instrument, as the venue lists them now. */
  readonly listed: readonly Listed[];
  readonly wire: VenueWire;
  readonly timers: Timers;
  /** Of pauses. */
  readonly random: Random;
  readonly settings: BybitVenueSettings;
  /** Of the run: its orders carry it, and what does not carry it is not ours. Letters, digits and dashes. */
  readonly runId: string;
  /** Executions of before this are not ours. */
  readonly since: TimeMs;
  /** What the run was given of the account's money. */
  readonly capital: Amount;
  /** Market time now, and the earliest time that the loop can still take. */
  readonly now: () => TimeMs;
  readonly notBefore: () => TimeMs;
  /** Time of the earliest price that the loop has not taken yet, so that reports go before it; NEVER, or absent, where none waits. */
  readonly marketWaitsSince?: () => TimeMs;
  /** Of an instrument; NaN where nobody knows. */
  readonly lastPrice: (instrument: number) => number;
  /** Where the position of that side is, or would be, stopped: every order that may open takes it along. NaN for nowhere. */
  readonly disasterPrice: (instrument: number, side: -1 | 1) => number;
  readonly redact: (words: string) => string;
  /**
   * What is done about trades and positions that are not of this run: `flag` tells of them, and nothing opens in the instrument until they are
   * gone; `adopt` books them, so that the run has them from then on.
   */
  readonly foreign: 'flag' | 'adopt';
  /** The venue cancels our orders when this process is not heard any more: its stream must name the topic that says so. */
  readonly isGuarded: boolean;
  /** Why this process may not open anything, whatever the venue says; undefined where it may. Asked before every order that opens. */
  readonly mayOpen: () => string | undefined;
  /** The loop gives an order; what this returns hears what becomes of its request. */
  readonly onOrder?: () => OrderWatch;
  /** For a person: what is out of the ordinary. */
  readonly onNotice: (words: string) => void;
}

/** The stream says what became of a command after this, or it is asked. */
const GRACE_MS = SECOND_MS;
/** An execution that a query found and the stream has not said for so long: the stream is deaf. */
const DEAF_MS = 5 * SECOND_MS;
/** How long the first reconciliation waits for the stream. */
const STREAM_FIRST_MS = 500;
/** Of a period between two reconciliations, where orders were under way while the first was made. */
const UNSETTLED_RATIO = 0.25;
/** A position that differs is looked at again after this before anybody is told. */
const SECOND_LOOK_MS = 2 * SECOND_MS;
const CLOCK_MS = MINUTE_MS;
/** The same fill under two ids has one time. */
const TWIN_MS = SECOND_MS;
const TOPICS = ['order', 'execution', 'position', 'wallet'];
/** A stream that names it is what the venue's dead man's switch listens to. */
const GUARD_TOPIC = 'dcp.future';
/** The ids of orders begin with the id of their run. */
const OTHER_RUN = /^live-\d{8}-\d{6}/;
const PAGE = 50;
const EXECUTIONS_PAGE = 100;
/** More pages than that of anything is not what a session leaves behind. */
const MOST_PAGES = 100;
/** More reports than that which the loop has not taken: it does not keep up, and nothing may open until it has. */
const MOST_REPORTS = 1_000;

export class BybitVenue implements Venue, Source, Stateful {
  readonly #parts: BybitVenueParts;
  readonly #reports: ReportQueue;
  readonly #calls: Calls;
  readonly #batches: Batches;
  readonly #stream: Stream;
  readonly #socket: OrderSocket | undefined;
  readonly #alarm: Alarm;
  readonly #skew = new ClockSkew();
  readonly #executions: ExecutionMemory;
  readonly #orders: KeptOrders;
  /** By instrument. */
  #listed: readonly Listed[];
  readonly #net: Quantity[];
  /** By instrument: how often the venue's position was not ours, and since when nothing new may open there. */
  readonly #mismatches: number[];
  /** By instrument: what is held, as a position was last told when it was asked for. */
  readonly #costs: Amount[];
  readonly #money: MoneyCheck;
  /** Executions that were believed so far: nothing has happened while it stands. */
  #believed = 0;
  /** Orders that are not ours and were told. */
  readonly #strangers = new Set<string>();
  /** By coin: the whole balance, and what of it no order has put aside; nothing where nobody knows. */
  readonly #balances = new Map<string, Quantity>();
  readonly #available = new Map<string, Quantity>();
  /** By coin, on spot: what the account had beside what this process has traded, once it has looked; and what that was, fees in the coin taken out. */
  readonly #coinsBeside = new Map<string, Quantity>();
  readonly #coinsTraded = new Map<string, Quantity>();
  /** Why nothing may open any more, until a person has looked. */
  #refusedFor = '';
  #bannedFor = '';
  #isStarted = false;
  #isReconciling = false;
  /** By the timers: what has been reconciled up to, and when the next things are due. */
  #reconciledAt = NaN;
  #reconcileAt = Infinity;
  #refreshAt = Infinity;
  #clockAt = Infinity;
  #reconcileFailures = 0;
  readonly #told = new Set<string>();
  readonly #counts = {
    duplicates: 0,
    twins: 0,
    overfills: 0,
    malformed: 0,
    foreign: 0,
    reconciliations: 0,
    deafStreams: 0,
  };

  constructor(parts: BybitVenueParts) {
    const { wire, timers, random, settings, redact, instruments, now, notBefore, runId } = parts;
    this.#parts = parts;
    this.#money = new MoneyCheck(parts.capital);
    this.#listed = parts.listed;
    this.#net = instruments.map(() => ZERO_QUANTITY);
    this.#mismatches = instruments.map(() => 0);
    this.#costs = instruments.map(() => ZERO_AMOUNT);
    this.#executions = new ExecutionMemory(parts.since);
    this.#reports = new ReportQueue(now, notBefore, parts.marketWaitsSince);
    this.#alarm = new Alarm(timers, () => this.#ring());
    const { recvWindowMs, pingMs } = settings;
    this.#orders = new KeptOrders({
      runId,
      reports: this.#reports,
      timers,
      random,
      now,
      redact,
      onNotice: (words) => this.#notice(words),
      recvWindowMs,
      propagationMs: settings.propagationMs,
      isStarted: () => this.#isStarted,
      placeOf: (_order, venueId) => venueId,
      find: (order) => (this.#isPositionStop(order) ? this.#findPositionStop(order) : this.#find(order)),
      onFound: (order) => this.#found(order),
      onAbsent: (order) => this.#isPositionStop(order) && this.#absentPositionStop(order),
      send: (order) => this.#create(order),
      onEnded: (order) => this.#letGo(order),
      onSchedule: () => this.#arm(),
    });
    this.#socket =
      settings.orderEntry === 'socket'
        ? new OrderSocket({ wire, timers, random, recvWindowMs, pingMs, redact, onNotice: (words) => this.#notice(words) })
        : undefined;
    this.#calls = new Calls({
      wire,
      socket: this.#socket,
      timers,
      deadlineMs: settings.deadlineMs,
      redact,
      onTime: (venueAt, wallAt, roundTripMs) => this.#measured(venueAt - wallAt, roundTripMs),
      onJudged: (judged) => this.#judged(judged),
    });
    this.#batches = new Batches(this.#calls, redact);
    this.#stream = new Stream({
      name: 'the private stream of bybit',
      dial: wire.dialPrivate,
      timers,
      random,
      topics: parts.isGuarded ? [...TOPICS, GUARD_TOPIC] : TOPICS,
      login: () => wire.login(),
      pingMs,
      // Nothing happens for hours on a quiet account: that it is not deaf is found by reconciliation.
      staleMs: () => Infinity,
      onFrame: (frame) => this.#onFrame(frame),
      onActive: () => this.#reconcileSoon(0),
      onLost: (why) => this.#notice(`the private stream is lost: ${why}; entries wait until it is back and everything is reconciled`),
      onRefused: (words) => {
        this.#notice(redact(words));
        // Whatever a text that could not be read was to say.
        this.#reconcileSoon(GRACE_MS);
      },
    });
  }

  // ---- Source ----------------------------------------------------------------------------------------------------------

  peekAt(): TimeMs {
    return this.#reports.peekAt();
  }

  take(): AdapterReport {
    return this.#reports.take();
  }

  get ended(): boolean {
    return this.#reports.ended;
  }

  hasUnheard(): boolean {
    return !this.#reports.ended;
  }

  onArrival(wake: () => void): void {
    this.#reports.onArrival(wake);
  }

  // ---- life ------------------------------------------------------------------------------------------------------------

  /** From here on commands leave. Whatever a recovery has brought along is asked about first. */
  start(): void {
    const now = this.#parts.timers.now();
    this.#isStarted = true;
    this.#orders.begin();
    this.#clockAt = now;
    this.#refreshAt = now + this.#parts.settings.refreshMs;
    this.#stream.start();
    this.#socket?.start();
    // At once where the stream comes up: what is asked before that would have to be asked again after it.
    this.#reconcileSoon(STREAM_FIRST_MS);
  }

  /** Nothing leaves any more, and nothing is heard. What is at the venue stays there. */
  stop(): void {
    this.#isStarted = false;
    this.#stream.stop();
    this.#socket?.stop();
    this.#calls.close();
    this.#alarm.set(Infinity);
  }

  /** Why nothing new may be opened in an instrument right now; undefined where it may. What closes and protects is never blocked. */
  blockOf(instrument: number): string | undefined {
    const { timers, settings } = this.#parts;
    const listed = this.#listed[instrument];
    const forbidden = this.#parts.mayOpen();
    if (forbidden !== undefined) return forbidden;
    if (this.#refusedFor !== '') return `the venue has refused the key: ${this.#refusedFor}`;
    if (this.#calls.turns.frozenUntil > timers.now()) return `the venue wants to be left alone: ${this.#bannedFor}`;
    if (this.#reports.waiting > MOST_REPORTS) return `${this.#reports.waiting} reports wait for the loop, which does not keep up`;
    if (!this.isReconciled) return 'the account is not reconciled since the private stream was lost';
    if (this.#skew.leastMs > settings.mostSkewMs) return `the clocks differ by at least ${Math.round(this.#skew.leastMs)} ms`;
    if (listed?.isTrading !== true) return 'the instrument does not trade';
    if ((this.#mismatches[instrument] ?? 0) >= 2) return 'the position at the venue is not ours';
    const doubted = this.#orders.inDoubt(instrument);
    return doubted === undefined ? undefined : `order ${doubted.intent.id} is in doubt`;
  }

  /** Everything that was missed while the stream was away has been asked for. */
  get isReconciled(): boolean {
    return this.#stream.state === 'active' && this.#reconciledAt >= this.#stream.activeSince;
  }

  /** The venue's position by our own ledger, signed. */
  net(instrument: number): Quantity {
    return this.#net[instrument] ?? ZERO_QUANTITY;
  }

  /** Of a coin in the wallet, as the venue last said it; undefined where it has not. */
  balance(coin: string): Quantity | undefined {
    return this.#balances.get(coin);
  }

  /** For whoever watches: what was repaired, refused and found. */
  get counts() {
    const { doubts, notReceived, resent } = this.#orders;
    return { ...this.#counts, doubts, notReceived, resent };
  }

  /** Orders take the socket for them now. */
  get hasOrderSocket(): boolean {
    return this.#socket?.carries('/v5/order/create') === true;
  }

  /** Connections of the private stream so far. */
  get dials(): number {
    return this.#stream.dials;
  }

  // ---- Venue: commands in ------------------------------------------------------------------------------------------------

  submit(intent: OrderIntent): void {
    const order = this.#orders.keep(intent);
    if (this.#isStarted) this.#create(order);
    else order.phase = 'in-doubt';
  }

  cancel({ order: id, instrument }: CancelIntent): void {
    const order = this.#orders.stillOpen(id, instrument);
    if (order === undefined) return;
    order.cancel = 'wanted';
    if (!this.#isStarted) return;
    if (order.phase === 'attached' && !this.#isPositionStop(order) && this.#orders.mayHaveLeft(order)) this.#orders.askFirst(order);
    if (order.phase === 'queued') this.#orders.end(order, 'order.cancelled', 'before it was sent');
    else if (order.phase === 'attached' && !this.#isPositionStop(order))
      this.#orders.end(order, 'order.cancelled', 'before it came to rest');
    else if (order.phase !== 'attached') void this.#sendCancel(order);
  }

  amend(intent: AmendIntent | LimitAmendIntent): void {
    const order = this.#orders.stillOpen(intent.order, intent.instrument);
    if (order === undefined) return;
    order.nextAmendment =
      'stopPrice' in intent
        ? { kind: 'stop', stopPrice: intent.stopPrice, sentAt: Infinity }
        : { kind: 'limit', limitPrice: intent.limitPrice, quantity: intent.quantity, sentAt: Infinity };
    if (!this.#isStarted) return;
    // A stop that has not left yet leaves as it is to stand.
    if (order.phase === 'attached' && order.nextAmendment.kind === 'stop' && !this.#isPositionStop(order)) {
      const { stopPrice } = order.nextAmendment;
      order.intent = { ...order.intent, stopPrice };
      order.nextAmendment = undefined;
      this.#sayAmended(order, { kind: 'stop', stopPrice, sentAt: Infinity }, '');
    } else this.#amendNext(order);
  }

  // ---- recovery ----------------------------------------------------------------------------------------------------------

  /** A report that a run has recorded: heard again by a new process, before it starts. */
  recall(report: AdapterReport): void {
    assert(!this.#isStarted, 'a venue is brought along before it starts');
    if (report.kind === 'funding.paid') {
      this.#executions.believe(paymentId(report.instrument, report.happenedAt, report.amount), report.happenedAt);
      this.#money.booked(report.amount);
      return;
    }
    if (report.kind === 'position.liquidated' || report.kind === 'account.reported') {
      const { fill } = report;
      if (report.kind === 'account.reported' && report.money !== undefined) this.#money.counted(report.money);
      if (fill === undefined) return;
      this.#executions.believe(fill.id, report.happenedAt);
      this.#move(report.instrument, report.side, fill);
      return;
    }
    this.#orders.recall(report, (order, fill) => {
      if (!this.#executions.believe(fill.id, report.happenedAt)) return false;
      this.#move(report.instrument, order.intent.side, fill);
      return true;
    });
  }

  save(out: ByteWriter): void {
    this.#executions.save(out);
    this.#money.save(out);
    for (const quantity of this.#net) out.decimal(quantity);
    this.#orders.save(out, () => undefined);
  }

  restore(from: ByteReader): void {
    this.#executions.restore(from);
    this.#money.restore(from);
    for (let instrument = 0; instrument < this.#net.length; instrument++) this.#net[instrument] = from.decimal();
    this.#orders.restore(from, () => undefined);
  }

  // ---- creating ----------------------------------------------------------------------------------------------------------

  #listedOf({ intent }: KeptOrder): Listed {
    const listed = this.#listed[intent.instrument];
    assert(listed !== undefined, 'every instrument of the run is listed');
    return listed;
  }

  #isPositionStop(order: KeptOrder): boolean {
    return isPositionStop(order.intent, this.#listedOf(order));
  }

  #create(order: KeptOrder): void {
    const { intent } = order;
    const opens = isEntry(intent);
    const block = opens ? this.blockOf(intent.instrument) : undefined;
    if (block !== undefined) {
      this.#orders.end(order, 'order.rejected', `nothing may open: ${block}`);
      return;
    }
    if (this.#isPositionStop(order)) {
      void this.#setPositionStop(order);
      return;
    }
    const listed = this.#listedOf(order);
    const base = this.#parts.instruments[intent.instrument]?.base ?? '';
    const composed = createRequest(intent, listed, {
      linkId: order.linkId,
      lastPrice: this.#parts.lastPrice(intent.instrument),
      available: listed.category === 'spot' ? this.#freeCoin(order, base) : undefined,
      disasterPrice: opens ? this.#parts.disasterPrice(intent.instrument, intent.side === 'buy' ? 1 : -1) : NaN,
    });
    if (composed.kind === 'refused') {
      this.#orders.end(order, 'order.rejected', composed.reason);
      return;
    }
    void this.#send(order, composed.parameters, this.#parts.onOrder?.());
  }

  /**
   * On spot, how much of a coin an order may sell: by our own ledger of it, which no message overtakes, less what other orders have put aside,
   * and with what its entry is still to bring. Where the venue's wallet differs, no more than that. Undefined before it was asked for.
   */
  #freeCoin({ parent, intent }: KeptOrder, coin: string): Quantity | undefined {
    const beside = this.#coinsBeside.get(coin);
    const inWallet = this.#available.get(coin);
    if (beside === undefined) return inWallet;
    let free = add(beside, this.#coinsTraded.get(coin) ?? ZERO_QUANTITY);
    for (const other of this.#orders) {
      const { side, type, instrument, quantity } = other.intent;
      if (other.phase === 'ended' || other.phase === 'attached' || other.intent === intent || side === 'buy') continue;
      if ((type === 'limit' || type === 'post-only') && this.#parts.instruments[instrument]?.base === coin)
        free = subtract(free, subtract(quantity, other.filled));
    }
    if (parent !== undefined && parent.phase !== 'ended' && parent.intent.side === 'buy' && parent.intent.budget === undefined) {
      const { takerFeeRate = 0, lot = ZERO_QUANTITY } = this.#parts.instruments[intent.instrument] ?? {};
      const toCome = subtract(parent.intent.quantity, parent.filled);
      if (signOf(toCome) > 0) free = add(free, quantityFrom(toNumber(toCome) * (1 - takerFeeRate), lot, 'down'));
    }
    const isDoubted = (this.#mismatches[intent.instrument] ?? 0) > 0;
    if (isDoubted && inWallet !== undefined) free = smaller(free, inWallet);
    return signOf(free) < 0 ? ZERO_QUANTITY : free;
  }

  async #send(order: KeptOrder, parameters: Parameters, watch: OrderWatch | undefined): Promise<void> {
    const { timers } = this.#parts;
    const waiting = new Waiting(order, timers, (instrument) => this.blockOf(instrument));
    const outcome = await this.#batches.ask({
      parameters,
      budget: 'create',
      priority: priorityOf(order.intent),
      isWanted: () => waiting.isWanted,
      onSent: () => {
        waiting.sent();
        watch?.onTurn();
      },
      onGiven: watch?.onGiven,
    });
    if (outcome.kind === 'unsent') {
      if (order.phase === 'queued') this.#orders.end(order, 'order.rejected', waiting.words);
      return;
    }
    this.#created(order, outcome);
  }

  #created(order: KeptOrder, judged: Judged): void {
    // The stream, or a query, was faster than the answer.
    if (order.phase === 'ended') return;
    switch (judged.kind) {
      case 'answered': {
        const ids = idsSchema.safeParse(judged.result);
        if (!ids.success) {
          this.#orders.doubt(order, 'an answer without an id');
          return;
        }
        order.isAcknowledged = true;
        this.#orders.identify(order, ids.data.orderId);
        if (order.phase === 'sent') order.phase = 'known';
        this.#letGo(order);
        // An acknowledgement says that it was received; what became of it is said by the stream.
        if (order.progress === undefined) this.#orders.lookIn(order, GRACE_MS);
        void this.#sendCancel(order);
        return;
      }
      case 'refused':
        if (OUTDATED.includes(judged.code)) this.#refreshAt = this.#parts.timers.now();
        if (judged.code === 10001) this.#notice(`order ${order.intent.id} was malformed for the venue: ${judged.words}`);
        if (order.progress === undefined) this.#orders.end(order, 'order.rejected', judged.words);
        this.#arm();
        return;
      case 'unauthorised':
        if (order.progress === undefined) this.#orders.end(order, 'order.rejected', judged.words);
        return;
      case 'taken':
        this.#orders.doubt(order, 'the venue has an order of this id already');
        return;
      case 'unchanged':
      case 'gone':
      case 'unknown':
        this.#orders.doubt(order, 'words' in judged ? judged.words : judged.kind);
    }
  }

  // ---- the stop of a position --------------------------------------------------------------------------------------------

  /** Setting it twice is setting it once, so what is in doubt is simply set again. */
  async #setPositionStop(order: KeptOrder): Promise<void> {
    const { timers } = this.#parts;
    const { stopPrice, instrument, side } = order.intent;
    assert(stopPrice !== undefined, 'a stop has a trigger');
    const listed = this.#listedOf(order);
    order.phase = 'queued';
    const outcome = await this.#post(
      '/v5/position/trading-stop',
      positionStopRequest(listed, triggerOnTick(stopPrice, listed.tick, order.intent)),
      'stops',
      PRIORITY.protect,
      {
        isWanted: () => order.phase === 'queued',
        onSent: () => {
          order.phase = 'sent';
          order.sentAt = timers.now();
        },
      },
    );
    if (outcome.kind === 'unsent' || hasEnded(order)) return;
    switch (outcome.kind) {
      case 'answered':
      case 'unchanged':
        order.isAcknowledged = true;
        order.phase = 'known';
        this.#inherit(order);
        this.#letGo(order);
        this.#orders.lookIn(order, GRACE_MS);
        return;
      case 'refused':
      case 'unauthorised': {
        const net = this.#net[instrument] ?? ZERO_QUANTITY;
        // Its position may have been closed or turned while nobody was here: what was traded then is asked for first.
        if (Number.isNaN(this.#reconciledAt)) this.#orders.doubt(order, outcome.words);
        else if (signOf(net) === (side === 'sell' ? 1 : -1)) this.#orders.end(order, 'order.rejected', outcome.words);
        else this.#orders.end(order, 'order.cancelled', 'its position is gone');
        return;
      }
      case 'taken':
      case 'gone':
      case 'unknown':
        this.#orders.doubt(order, 'words' in outcome ? outcome.words : outcome.kind);
    }
  }

  /** A position has one stop. The one that was there is this one now, and what it was before has ended. */
  #inherit(order: KeptOrder): void {
    for (const other of this.#orders) {
      if (other === order || other.phase === 'ended' || !this.#isPositionStop(other) || other.intent.instrument !== order.intent.instrument)
        continue;
      if (other.intent.side !== order.intent.side || other.phase === 'attached' || other.phase === 'queued') continue;
      const { venueId } = other;
      this.#orders.end(other, 'order.cancelled', `replaced by ${order.intent.id}`);
      if (venueId !== '') this.#orders.identify(order, venueId);
    }
  }

  /** Whose the stop of a position is that carries no id of ours: the newest that waits for one. */
  #positionStopFor(instrument: number, side: OrderRow['side']): KeptOrder | undefined {
    let found: KeptOrder | undefined;
    for (const order of this.#orders) {
      if (order.phase === 'ended' || order.intent.instrument !== instrument || order.venueId !== '') continue;
      if (wireSide(order.intent) === side && this.#isPositionStop(order)) found = order;
    }
    return found;
  }

  // ---- cancelling --------------------------------------------------------------------------------------------------------

  /** What protects stays until everything that was sent to protect the same instrument stands, or is known not to. */
  #mustStay({ intent }: KeptOrder): boolean {
    if (intent.role === 'target') return false;
    for (const other of this.#orders) {
      const { phase, cancel } = other;
      if (other.intent.instrument !== intent.instrument || other.intent.role === 'target' || other.intent.id === intent.id) continue;
      if (cancel === 'no' && (phase === 'queued' || phase === 'sent' || phase === 'in-doubt')) return true;
    }
    return false;
  }

  /** Something that protects is settled: what had to stay for its sake may go. */
  #letGo({ intent }: KeptOrder): void {
    if (intent.role === 'target' || !this.#isStarted) return;
    for (const other of this.#orders) {
      if (
        other.intent.instrument === intent.instrument &&
        other.cancel === 'wanted' &&
        (other.phase === 'known' || other.phase === 'in-doubt')
      ) {
        void this.#sendCancel(other);
      }
    }
  }

  async #sendCancel(order: KeptOrder): Promise<void> {
    if (order.cancel !== 'wanted' || this.#mustStay(order)) return;
    const { intent } = order;
    if (this.#isPositionStop(order)) {
      this.#cancelPositionStop(order);
      return;
    }
    order.cancel = 'asked';
    const listed = this.#listedOf(order);
    const outcome = await this.#batches.ask({
      parameters: { category: listed.category, symbol: listed.symbol, ...nameOf(order, listed) },
      budget: 'cancel',
      priority: PRIORITY.cancel,
    });
    if (outcome.kind === 'unsent' || hasEnded(order)) return;
    // Whatever was said, the order has ended only when the venue says so.
    if (outcome.kind !== 'answered') order.cancel = 'wanted';
    if (outcome.kind === 'refused' || outcome.kind === 'unauthorised')
      this.#notice(`cancelling ${intent.id} was refused: ${outcome.words}`);
    this.#orders.lookIn(
      order,
      outcome.kind === 'answered' ? GRACE_MS : outcome.kind === 'gone' ? 0 : pauseAfter(order.looks, this.#parts.random),
    );
  }

  /**
   * The venue knows one stop of a position, which goes with it, and which of two orders it is that stands there may be known to nobody. So none is
   * ever taken away from a position: the one that stays is set, and until there is one, this one stays.
   */
  #cancelPositionStop(order: KeptOrder): void {
    const { instrument, side } = order.intent;
    if (signOf(this.#net[instrument] ?? ZERO_QUANTITY) !== (side === 'sell' ? 1 : -1)) {
      this.#orders.end(order, 'order.cancelled', 'its position is gone');
      return;
    }
    for (const other of this.#orders) {
      if (other === order || other.phase !== 'known' || other.cancel !== 'no') continue;
      if (other.intent.instrument !== instrument || other.intent.side !== side || !this.#isPositionStop(other)) continue;
      this.#orders.end(order, 'order.cancelled', `replaced by ${other.intent.id}`);
      other.venueId = '';
      if (order.venueId !== '') this.#orders.identify(other, order.venueId);
      void this.#setPositionStop(other);
      return;
    }
  }

  // ---- amending ----------------------------------------------------------------------------------------------------------

  /** One at a time; of those that wait the last one counts. */
  #amendNext(order: KeptOrder): void {
    const { nextAmendment: next } = order;
    if (next === undefined || order.amendment !== undefined || order.progress === undefined || order.phase !== 'known') return;
    order.nextAmendment = undefined;
    order.amendment = next;
    void this.#sendAmendment(order, next);
  }

  async #sendAmendment(order: KeptOrder, amendment: Amendment): Promise<void> {
    const { timers } = this.#parts;
    const listed = this.#listedOf(order);
    const name = { category: listed.category, symbol: listed.symbol, ...nameOf(order, listed) };
    const onSent = (): void => {
      amendment.sentAt = timers.now();
    };
    const isWanted = (): boolean => order.phase === 'known';
    let outcome: Outcome;
    if (amendment.kind === 'limit') {
      const terms = { price: format(limitOnTick(amendment.limitPrice, listed.tick, order.intent.side)), qty: format(amendment.quantity) };
      outcome = await this.#post('/v5/order/amend', { ...name, ...terms }, 'amend', PRIORITY.close, { onSent, isWanted });
    } else {
      const level = triggerOnTick(amendment.stopPrice, listed.tick, order.intent);
      outcome = this.#isPositionStop(order)
        ? await this.#post('/v5/position/trading-stop', positionStopRequest(listed, level), 'stops', PRIORITY.protect, { onSent, isWanted })
        : await this.#post('/v5/order/amend', { ...name, triggerPrice: format(level) }, 'amend', PRIORITY.protect, { onSent, isWanted });
    }
    if (outcome.kind === 'unsent' || hasEnded(order) || order.amendment !== amendment) return;
    switch (outcome.kind) {
      case 'unchanged':
        this.#amended(order, '');
        return;
      case 'refused':
      case 'unauthorised':
        this.#amended(order, outcome.words);
        return;
      case 'answered':
        this.#orders.lookIn(order, GRACE_MS);
        return;
      case 'gone':
        this.#orders.lookIn(order, 0);
        return;
      case 'taken':
      case 'unknown':
        this.#notice(`amending ${order.intent.id} is in doubt: ${'words' in outcome ? outcome.words : outcome.kind}`);
        this.#orders.lookIn(order, pauseAfter(0, this.#parts.random));
    }
  }

  /** An entry that has filled brings the level that it left with, which may be further away by now: the stop of a position is never loosened. */
  #putBack(order: KeptOrder): void {
    const { intent, progress, amendment, nextAmendment, cancel } = order;
    const level = progress?.triggerPrice;
    if (!this.#isPositionStop(order) || amendment !== undefined || nextAmendment !== undefined || cancel !== 'no') return;
    if (intent.stopPrice === undefined || level === undefined) return;
    const asked = triggerOnTick(intent.stopPrice, this.#listedOf(order).tick, intent);
    if (compare(level, asked) === (intent.side === 'sell' ? -1 : 1))
      order.nextAmendment = { kind: 'stop', stopPrice: intent.stopPrice, sentAt: Infinity };
  }

  /** Whether the order stands as it was asked to. */
  #standsAsAsked(order: KeptOrder, amendment: Amendment): boolean {
    const { progress } = order;
    const { tick } = this.#listedOf(order);
    if (progress === undefined) return false;
    if (amendment.kind === 'stop') return isSamePrice(progress.triggerPrice, triggerOnTick(amendment.stopPrice, tick, order.intent));
    return (
      isSamePrice(progress.limitPrice, limitOnTick(amendment.limitPrice, tick, order.intent.side)) &&
      compare(progress.quantity, amendment.quantity) === 0
    );
  }

  /** The answer to an amendment: it stands, or what stood before does. */
  #amended(order: KeptOrder, reason: string): void {
    const { amendment, progress, intent } = order;
    if (amendment === undefined) return;
    order.amendment = undefined;
    const isDone = reason === '';
    if (amendment.kind === 'stop') {
      const stopPrice = isDone ? amendment.stopPrice : (progress?.triggerPrice ?? intent.stopPrice);
      order.intent = stopPrice === undefined ? intent : { ...intent, stopPrice };
    } else if (isDone) order.intent = { ...intent, limitPrice: amendment.limitPrice, quantity: amendment.quantity };
    this.#sayAmended(order, amendment, reason);
    this.#amendNext(order);
  }

  #sayAmended(order: KeptOrder, amendment: Amendment, reason: string): void {
    const { id, instrument, stopPrice, limitPrice, quantity } = order.intent;
    const common = { happenedAt: order.progress?.updatedAt ?? this.#parts.now(), instrument, order: id, reason };
    if (amendment.kind === 'stop') {
      this.#reports.push({ kind: 'order.amended', ...common, asked: amendment.stopPrice, stopPrice: stopPrice ?? amendment.stopPrice });
    } else this.#reports.push({ kind: 'order.repriced', ...common, limitPrice: limitPrice ?? amendment.limitPrice, quantity });
  }

  // ---- what the venue says -------------------------------------------------------------------------------------------------

  #onFrame({ topic = '', data }: Frame): void {
    const [name] = topic.split('.');
    const rows: readonly unknown[] = Array.isArray(data) ? data : [];
    if (rows.length === 0) this.#malformed(topic, 'a frame without rows');
    for (const row of rows) {
      switch (name) {
        case 'order':
          this.#onOrderRow(row);
          break;
        case 'execution':
          this.#onExecutionRow(row, categoryOf(row), 'stream');
          break;
        case 'position':
          this.#onPositionRow(row, false);
          break;
        case 'wallet':
          this.#onWalletRow(row);
          break;
        case 'dcp':
          break;
        default:
          this.#malformed(topic, 'a topic that nobody asked for');
      }
    }
  }

  /** @returns the order it speaks of, where that is ours */
  #onOrderRow(raw: unknown): KeptOrder | undefined {
    const read = orderRowSchema.safeParse(raw);
    if (!read.success) {
      this.#malformed('a row of orders', wrongWith(read.error));
      return undefined;
    }
    const row = read.data;
    const order = this.#orderOf(row);
    if (order === undefined) {
      this.#onStranger(row);
      return undefined;
    }
    // A venue that amends by cancelling and creating again: the half that was cancelled is not the order any more.
    if (order.venueId !== '' && order.venueId !== row.orderId && isEnded(row.orderStatus)) return order;
    this.#orders.identify(order, row.orderId);
    const before = order.progress;
    const progress = merged(before, row);
    if (progress === before) {
      // It says nothing new but that the order is there.
      if (order.phase === 'in-doubt') this.#orders.known(order);
      // It is seen again: the cancel of what nobody counts on was lost.
      else if (order.phase === 'ended' && !isEnded(progress.status)) this.#callBack(order);
      return order;
    }
    order.progress = progress;
    if (order.phase === 'ended') {
      if (!isEnded(progress.status)) this.#disown(order);
      return order;
    }
    if (order.phase !== 'known') this.#orders.known(order);
    order.lookAt = order.amendment === undefined && order.cancel === 'no' ? Infinity : order.lookAt;
    if (!order.isReported && !isEnded(progress.status)) {
      order.isReported = true;
      // A fill that overtook it has said so already.
      if (isZero(order.filled))
        this.#orders.say('order.accepted', {
          id: order.intent.id,
          instrument: order.intent.instrument,
          reason: '',
          happenedAt: progress.updatedAt,
        });
    }
    if (order.amendment !== undefined && this.#standsAsAsked(order, order.amendment)) this.#amended(order, '');
    else {
      this.#putBack(order);
      this.#amendNext(order);
    }
    if (!isEnded(progress.status)) {
      void this.#sendCancel(order);
      this.#letGo(order);
    }
    if (compare(progress.filled, order.filled) > 0) this.#orders.lookIn(order, GRACE_MS);
    this.#orders.conclude(order);
    return order;
  }

  /** An order that stands in an instrument of ours and is not ours: it is told once, and left to whoever placed it. */
  #onStranger({ symbol, orderId, orderLinkId, orderStatus, stopOrderType }: OrderRow): void {
    const instrument = this.#listed.findIndex((each) => each.symbol === symbol);
    if (instrument < 0 || isEnded(orderStatus) || this.#strangers.has(orderId)) return;
    // The stop of a position has no name: until it is known which of ours it is, it may be one of them.
    if (orderLinkId === '' && stopOrderType !== '' && stopOrderType !== 'UNKNOWN') return;
    this.#strangers.add(orderId);
    this.#tell(instrument, `${symbol}: order ${orderId} stands there and is ${this.#whose(orderLinkId)}; it is left as it is`);
  }

  #whose(linkId: string): string {
    if (linkId.startsWith(`${this.#parts.runId}-`)) return 'of this run, which does not remember it';
    return OTHER_RUN.test(linkId) ? `of another run of Ballast, ${linkId}` : 'of another hand';
  }

  /** What is told of the account, and no trade. */
  #tell(instrument: number, words: string, money?: Amount): void {
    this.#notice(words);
    this.#reports.push({
      kind: 'account.reported',
      happenedAt: this.#parts.now(),
      instrument,
      side: 'buy',
      fill: undefined,
      ...(money === undefined ? {} : { money }),
      reason: this.#parts.redact(words),
    });
  }

  /** It was reported as ended and is alive: the engine does not count on it, so it goes. What it fills meanwhile is reported. */
  #disown(order: KeptOrder): void {
    this.#notice(`order ${order.intent.id} was reported as ended and stands at the venue; it is cancelled`);
    this.#callBack(order);
  }

  #callBack(order: KeptOrder): void {
    const { category, symbol } = this.#listedOf(order);
    void this.#post('/v5/order/cancel', { category, symbol, orderId: order.venueId }, 'cancel', PRIORITY.cancel);
  }

  #orderOf(row: Pick<OrderRow, 'orderId' | 'orderLinkId' | 'stopOrderType' | 'symbol' | 'side'>): KeptOrder | undefined {
    const known = this.#orders.at(row.orderId) ?? this.#orders.byLinkId(row.orderLinkId);
    if (known !== undefined) return known;
    if (row.orderLinkId !== '' || row.stopOrderType !== 'StopLoss') return undefined;
    const instrument = this.#listed.findIndex(({ symbol, category }) => symbol === row.symbol && category === 'linear');
    return this.#positionStopFor(instrument, row.side);
  }

  /** @returns its time at the venue; undefined where it is none */
  #onExecutionRow(raw: unknown, category: string | undefined, via: 'stream' | 'query'): TimeMs | undefined {
    const read = executionRowSchema.safeParse(raw);
    if (!read.success) {
      this.#malformed('a row of executions', wrongWith(read.error));
      return undefined;
    }
    const row = read.data;
    const instrument = this.#listed.findIndex(
      (each) => each.symbol === row.symbol && (category === undefined || each.category === category),
    );
    // The account may trade other things beside ours.
    if (instrument < 0) return row.execTime;
    // Of before the run: whatever it has made is what the run has found. An order of ours is of the run, though the venue's clock be behind.
    if (row.execTime < this.#parts.since && !this.#isOfOurs(row)) return row.execTime;
    const id = row.execType === 'Funding' ? paymentId(instrument, row.execTime, negate(row.execFee)) : row.execId;
    if (this.#executions.has(id)) {
      // Queries overlap on purpose; a stream should not repeat itself.
      if (via === 'stream') this.#counts.duplicates++;
      return row.execTime;
    }
    if (row.execType === 'Funding') this.#onFunding(row, instrument);
    else if (row.execType === 'Trade') this.#onTrade(row, instrument, via);
    else this.#onForced(row, instrument);
    return row.execTime;
  }

  #isOfOurs(row: ExecutionRow): boolean {
    if (row.execType === 'Funding') return false;
    return this.#orders.at(row.orderId) !== undefined || this.#orders.byLinkId(row.orderLinkId) !== undefined;
  }

  #onFunding(row: Extract<ExecutionRow, { execType: 'Funding' }>, instrument: number): void {
    const paid = negate(row.execFee);
    this.#believe(paymentId(instrument, row.execTime, paid), row.execTime);
    this.#money.booked(paid);
    this.#reports.push({ kind: 'funding.paid', happenedAt: row.execTime, instrument, amount: paid, rate: row.feeRate });
  }

  /** Closed by the venue itself: a liquidation, or a deleveraging for somebody else's. */
  #onForced(row: TradeRow, instrument: number): void {
    this.#believe(row.execId, row.execTime);
    const side = row.side === 'Buy' ? 'buy' : 'sell';
    const fill = this.#fillOf(row, instrument);
    this.#move(instrument, side, fill);
    this.#notice(
      `${row.symbol}: ${row.execType === 'BustTrade' ? 'liquidated' : 'deleveraged'} ${format(row.execQty)} at ${format(row.execPrice)}`,
    );
    this.#reports.push({
      kind: 'position.liquidated',
      happenedAt: row.execTime,
      instrument,
      side,
      fill,
      insurance: ZERO_AMOUNT,
      deleveraged: ZERO_AMOUNT,
    });
  }

  #onTrade(row: TradeRow, instrument: number, via: 'stream' | 'query'): void {
    const order = this.#orderOf(row);
    const { execId, execTime, execQty, execPrice } = row;
    if (order !== undefined && this.#isTwin(order, row, via)) {
      this.#counts.twins++;
      this.#believe(execId, execTime);
      this.#notice(`execution ${execId} of order ${order.intent.id} is one that was booked under another id`);
      return;
    }
    this.#believe(execId, execTime);
    const fill = this.#fillOf(row, instrument);
    if (order === undefined) {
      // Somebody else trades on this account.
      this.#counts.foreign++;
      const words = `${row.symbol}: ${row.side === 'Buy' ? 'bought' : 'sold'} ${format(execQty)} at ${format(execPrice)} by order ${row.orderId}, which is not ours`;
      if (this.#parts.foreign === 'adopt') this.#adopt(instrument, row.side === 'Buy' ? 'buy' : 'sell', fill, execTime, words);
      else this.#tell(instrument, words);
      this.#reconcileSoon(SECOND_LOOK_MS);
      return;
    }
    const { intent } = order;
    this.#orders.identify(order, row.orderId);
    order.filled = add(order.filled, execQty);
    order.fills.push({ id: execId, price: execPrice, quantity: execQty, at: execTime, via });
    this.#move(instrument, intent.side, fill);
    this.#moveCoins(row, instrument);
    if (intent.budget === undefined && !intent.wholePosition && compare(order.filled, intent.quantity) > 0) {
      this.#counts.overfills++;
      this.#notice(`order ${intent.id} has filled ${format(order.filled)} of ${format(intent.quantity)}`);
    }
    if (via === 'query' && this.#stream.state === 'active') this.#listen(execTime);
    this.#orders.say('order.filled', { id: intent.id, instrument, reason: '', happenedAt: execTime, fill });
    if (order.phase !== 'ended') {
      if (order.phase !== 'known') {
        order.phase = 'known';
        this.#orders.lookIn(order, GRACE_MS);
      }
      this.#orders.conclude(order);
    }
    this.#release(order);
  }

  /** With an entry's first fill its stops begin to rest: the venue has set the position's itself, the others leave now. */
  #release(entry: KeptOrder): void {
    for (const { id } of entry.intent.attached) {
      const stop = this.#orders.get(id);
      if (stop === undefined || stop.phase !== 'attached' || stop.lookAt !== Infinity) continue;
      if (this.#isPositionStop(stop)) this.#orders.lookIn(stop, GRACE_MS);
      else if (this.#orders.mayHaveLeft(stop)) this.#orders.askFirst(stop);
      else this.#create(stop);
    }
  }

  #fillOf(row: TradeRow, instrument: number): NonNullable<OrderReport['fill']> {
    const traded = this.#parts.instruments[instrument];
    assert(traded !== undefined, 'every listed instrument is one of the run');
    const { execId, execPrice, execQty, execFee, feeCurrency, isMaker } = row;
    const fee = feeInQuote(execFee, feeCurrency, traded, execPrice);
    return { id: execId, price: execPrice, quantity: execQty, fee, liquidity: isMaker ? 'maker' : 'taker' };
  }

  /**
   * The same fill from the other way, under another id. Price, quantity and time can agree for two real fills too: it is one and the same only
   * where the order's own rows say that no more has filled than is booked.
   */
  #isTwin(order: KeptOrder, { execPrice, execQty, execTime }: TradeRow, via: 'stream' | 'query'): boolean {
    const { progress, filled: booked, fills } = order;
    if (progress === undefined || compare(add(booked, execQty), progress.filled) <= 0) return false;
    return fills.some(
      (fill) =>
        fill.via !== via &&
        compare(fill.price, execPrice) === 0 &&
        compare(fill.quantity, execQty) === 0 &&
        Math.abs(fill.at - execTime) <= TWIN_MS,
    );
  }

  /** A query has found what the stream should have said long ago. */
  #listen(happenedAt: TimeMs): void {
    const { wire, timers } = this.#parts;
    const ageMs = wire.venueNow() - happenedAt;
    if (ageMs < DEAF_MS || timers.now() - this.#stream.activeSince < ageMs) return;
    this.#counts.deafStreams++;
    this.#stream.redial(`it did not say what a query found, ${Math.round(ageMs)} ms old`);
  }

  #believe(id: string, at: TimeMs): void {
    this.#believed++;
    this.#executions.believe(id, at);
  }

  #move(instrument: number, side: OrderIntent['side'], { price, quantity, fee }: Fill): void {
    const net = this.#net[instrument] ?? ZERO_QUANTITY;
    const paid = notional(price, quantity);
    const after = side === 'buy' ? add(net, quantity) : subtract(net, quantity);
    this.#net[instrument] = after;
    this.#money.booked(subtract(side === 'buy' ? negate(paid) : paid, fee));
    if (this.#isStarted && !isZero(net) && signOf(after) !== signOf(net)) this.#askAboutStops(instrument);
  }

  /** A position took its stop with it: where the stream does not say so, the next position would be taken for protected by it. */
  #askAboutStops(instrument: number): void {
    for (const order of this.#orders) {
      if (order.intent.instrument !== instrument || order.phase !== 'known' || order.lookAt !== Infinity) continue;
      if (this.#isPositionStop(order)) this.#orders.lookIn(order, GRACE_MS);
    }
  }

  /** Whoever held the other side is smaller by it; what is beyond that is somebody's position from now on. Two lives, two reports. */
  #adopt(instrument: number, side: OrderIntent['side'], fill: Fill, happenedAt: TimeMs, words: string): void {
    this.#notice(`${words}; it is adopted`);
    const net = this.#net[instrument] ?? ZERO_QUANTITY;
    const isAgainst = signOf(net) === (side === 'sell' ? 1 : -1);
    const closing = isAgainst ? smaller(absolute(net), fill.quantity) : ZERO_QUANTITY;
    const opening = subtract(fill.quantity, closing);
    const reason = this.#parts.redact(`${words}; it is adopted`);
    const book = (part: Fill): void => {
      this.#move(instrument, side, part);
      this.#reports.push({ kind: 'account.reported', happenedAt, instrument, side, fill: part, reason });
    };
    if (isZero(opening) || isZero(closing)) book(fill);
    else {
      book({ ...fill, quantity: closing });
      book({ ...fill, id: `${fill.id}-opens`, quantity: opening, fee: ZERO_AMOUNT });
    }
  }

  /** On spot a buyer's fee is taken from what he receives. */
  #moveCoins({ side, execQty, execFee, feeCurrency }: TradeRow, instrument: number): void {
    const { base = '' } = this.#parts.instruments[instrument] ?? {};
    if (this.#listed[instrument]?.category !== 'spot') return;
    const traded = this.#coinsTraded.get(base) ?? ZERO_QUANTITY;
    const moved = side === 'Buy' ? add(traded, execQty) : subtract(traded, execQty);
    this.#coinsTraded.set(base, feeCurrency === base ? subtract(moved, quantity(format(execFee))) : moved);
  }

  /** On spot balances are the positions: what the wallet has of a coin must be what it had, and what was traded. */
  #compareCoins(): void {
    for (const { instrument, category, symbol } of this.#listed) {
      if (category !== 'spot' || this.#orders.isMoving(instrument)) continue;
      const { base = '' } = this.#parts.instruments[instrument] ?? {};
      // A coin that was never there has no row.
      const held = this.#balances.get(base) ?? ZERO_QUANTITY;
      const traded = this.#coinsTraded.get(base) ?? ZERO_QUANTITY;
      const beside = this.#coinsBeside.get(base);
      if (beside === undefined) this.#coinsBeside.set(base, subtract(held, traded));
      else if (compare(held, add(beside, traded)) === 0) this.#agrees(instrument);
      else {
        this.#coinsDiffer(instrument, symbol, held, add(beside, traded));
        this.#reconcileSoon(SECOND_LOOK_MS);
      }
    }
  }

  /** @param isAsked it answers a question, and is not older than that */
  #onPositionRow(raw: unknown, isAsked: boolean): void {
    const read = positionRowSchema.safeParse(raw);
    if (!read.success) {
      this.#malformed('a row of positions', wrongWith(read.error));
      return;
    }
    const { symbol, side, size, positionValue } = read.data;
    const instrument = this.#listed.findIndex((each) => each.symbol === symbol && each.category === 'linear');
    if (instrument < 0) return;
    const held = side === 'Sell' ? negate(size) : size;
    if (isAsked) this.#costs[instrument] = side === 'Sell' ? negate(positionValue) : positionValue;
    if (compare(held, this.#net[instrument] ?? ZERO_QUANTITY) === 0) {
      if (isAsked) this.#agrees(instrument);
      return;
    }
    // Executions come after the position that they make: a difference counts once it has been asked for, twice.
    if (isAsked && !this.#orders.isMoving(instrument)) this.#differs(instrument, read.data, held);
    this.#reconcileSoon(SECOND_LOOK_MS);
  }

  #agrees(instrument: number): void {
    if ((this.#mismatches[instrument] ?? 0) >= 2)
      this.#notice(`${this.#listed[instrument]?.symbol ?? ''}: the position at the venue is ours again`);
    this.#mismatches[instrument] = 0;
  }

  #differs(instrument: number, row: PositionRow, held: Quantity): void {
    const times = (this.#mismatches[instrument] ?? 0) + 1;
    this.#mismatches[instrument] = times;
    if (times !== 2) return;
    const net = this.#net[instrument] ?? ZERO_QUANTITY;
    const words = `${row.symbol}: the venue holds ${format(held)}, this run ${format(net)}`;
    const price = this.#priceOfDifference(instrument, row, net, held);
    if (this.#parts.foreign === 'flag' || price === undefined) {
      this.#tell(instrument, `${words}; nothing opens there until they agree`);
      return;
    }
    const difference = subtract(held, net);
    const id = `adopted-${row.symbol}-${format(net)}-${format(held)}-${row.updatedTime}`;
    const fill: Fill = { id, price, quantity: absolute(difference), fee: ZERO_AMOUNT, liquidity: 'taker' };
    const at = this.#parts.now();
    this.#executions.believe(id, at);
    this.#mismatches[instrument] = 0;
    this.#adopt(instrument, signOf(difference) > 0 ? 'buy' : 'sell', fill, at, words);
  }

  /** Nothing is adopted of coins: what one that came was bought for nobody says. */
  #coinsDiffer(instrument: number, symbol: string, held: Quantity, own: Quantity): void {
    const times = (this.#mismatches[instrument] ?? 0) + 1;
    this.#mismatches[instrument] = times;
    if (times !== 2) return;
    this.#tell(instrument, `${symbol}: the venue holds ${format(held)}, this run ${format(own)}; nothing opens there until they agree`);
  }

  /** Of what was there before anybody looked, what it has cost; of what came or went since, where the market is. */
  #priceOfDifference(instrument: number, { avgPrice, markPrice }: PositionRow, net: Quantity, held: Quantity): Price | undefined {
    const isNew = isZero(net) || signOf(net) === -signOf(held);
    if (isNew && avgPrice !== undefined) return avgPrice;
    return markPrice ?? this.#listedPrice(instrument);
  }

  #listedPrice(instrument: number): Price | undefined {
    const last = this.#parts.lastPrice(instrument);
    const tick = this.#listed[instrument]?.tick;
    return last > 0 && tick !== undefined ? priceFrom(last, tick, 'nearest') : undefined;
  }

  /** @returns wallet balances by coin */
  #onWalletRow(raw: unknown): readonly (readonly [string, Quantity])[] {
    const read = walletRowSchema.safeParse(raw);
    if (!read.success) {
      this.#malformed('a row of the wallet', wrongWith(read.error));
      return [];
    }
    for (const { coin, walletBalance, locked } of read.data.coin) {
      this.#balances.set(coin, walletBalance);
      this.#available.set(coin, subtract(walletBalance, locked));
    }
    return read.data.coin.map(({ coin, walletBalance }) => [coin, walletBalance]);
  }

  /** It is not believed, and whatever it was to say is asked for. */
  #malformed(what: string, why: string): void {
    this.#counts.malformed++;
    this.#notice(`${what} was not believed: ${why}`);
    this.#reconcileSoon(GRACE_MS);
  }

  // ---- asking about an order -----------------------------------------------------------------------------------------------

  /** Open orders first, then those that have ended: what has ended may be gone from the first, and what is new not yet in the second. */
  async #find(order: KeptOrder): Promise<Whereabouts> {
    const { category, symbol } = this.#listedOf(order);
    const name = order.venueId === '' ? { orderLinkId: order.linkId } : { orderId: order.venueId };
    for (const path of ['/v5/order/realtime', '/v5/order/history']) {
      const rows = await this.#get(path, { category, symbol, ...name }, PRIORITY.doubt);
      if (rows === undefined) return 'unknown';
      if (rows.some((row) => this.#onOrderRow(row) === order)) return 'found';
    }
    return 'absent';
  }

  async #findPositionStop(order: KeptOrder): Promise<Whereabouts> {
    if (order.venueId !== '') return this.#find(order);
    const { category, symbol } = this.#listedOf(order);
    const rows = await this.#pages('/v5/order/realtime', { category, symbol }, PRIORITY.doubt);
    if (rows === undefined) return 'unknown';
    return rows.some((row) => this.#onOrderRow(row) === order) ? 'found' : 'absent';
  }

  async #found(order: KeptOrder): Promise<void> {
    const { timers, random, settings } = this.#parts;
    const { progress, amendment, intent } = order;
    if (progress === undefined) return;
    if (compare(progress.filled, order.filled) > 0) {
      const { category, symbol } = this.#listedOf(order);
      const rows = await this.#pages('/v5/execution/list', { category, symbol, orderId: order.venueId }, PRIORITY.doubt, EXECUTIONS_PAGE);
      for (const row of rows?.toReversed() ?? []) this.#onExecutionRow(row, category, 'query');
      if (hasEnded(order)) return;
      if (compare(progress.filled, order.filled) > 0) this.#orders.lookIn(order, pauseAfter(order.looks++, random));
    }
    if (amendment !== undefined && !this.#standsAsAsked(order, amendment)) {
      // Not yet, or not at all.
      const provenAt = amendment.sentAt + settings.recvWindowMs + settings.propagationMs;
      if (timers.now() > provenAt) this.#amended(order, `the venue never received it; ${intent.id} stands as it was`);
      else this.#orders.lookIn(order, Math.min(provenAt - timers.now() + 1, pauseAfter(order.looks++, random)));
    }
    if (order.cancel !== 'no' && !isEnded(progress.status)) {
      // It was lost on its way, or has not been carried out yet. Asking twice for a cancel does no harm.
      order.cancel = 'wanted';
      await this.#sendCancel(order);
    }
  }

  /** There is none at the venue: it is set, as long as there is a position to protect. */
  #absentPositionStop(order: KeptOrder): true {
    const { instrument, side } = order.intent;
    const net = this.#net[instrument] ?? ZERO_QUANTITY;
    if (signOf(net) !== (side === 'sell' ? 1 : -1)) this.#orders.end(order, 'order.cancelled', 'its position is gone');
    else if (order.cancel !== 'no') this.#orders.end(order, 'order.cancelled', 'it never came to rest');
    else {
      this.#orders.resent++;
      void this.#setPositionStop(order);
    }
    return true;
  }

  // ---- reconciliation ------------------------------------------------------------------------------------------------------

  #reconcileSoon(ms: number): void {
    if (!this.#isStarted) return;
    this.#reconcileAt = Math.min(this.#reconcileAt, this.#parts.timers.now() + ms);
    this.#arm();
  }

  /** Executions, then open orders, then positions: each explains what comes after it. */
  async #reconcile(): Promise<void> {
    const { timers, settings, random } = this.#parts;
    const beganAt = timers.now();
    this.#isReconciling = true;
    this.#reconcileAt = Infinity;
    const believed = this.#believed;
    const wallet = await this.#askForAll(beganAt);
    const isDone = wallet !== undefined;
    this.#isReconciling = false;
    if (!this.#isStarted) return;
    if (isDone) {
      this.#reconciledAt = beganAt;
      this.#reconcileFailures = 0;
      this.#counts.reconciliations++;
      const isStill = believed === this.#believed && this.#listed.every(({ instrument }) => !this.#orders.isMoving(instrument));
      // What moves money and what is told of it are not of one moment: it is looked at again before a whole period has passed.
      if (!isStill) this.#reconcileSoon(settings.reconcileMs * UNSETTLED_RATIO);
      else if (this.#mismatches.every((times) => times === 0)) this.#compareMoney(wallet);
    }
    this.#reconcileSoon(isDone ? settings.reconcileMs : pauseAfter(this.#reconcileFailures++, random));
    // The stream came back while this was under way: what it missed may lie after what was asked for.
    if (isDone && this.#stream.state === 'active' && !this.isReconciled) this.#reconcileSoon(0);
  }

  /** @returns wallet balances by coin; undefined where something was not answered */
  async #askForAll(beganAt: number): Promise<ReadonlyMap<string, Quantity> | undefined> {
    const categories = new Set(this.#listed.map(({ category }) => category));
    let newestAt = 0;
    for (const category of categories) {
      const rows = await this.#pages(
        '/v5/execution/list',
        { category, startTime: Math.floor(this.#executions.askFrom) },
        PRIORITY.look,
        EXECUTIONS_PAGE,
      );
      if (rows === undefined) return undefined;
      // Newest first, as the venue lists them.
      for (const row of rows.toReversed()) newestAt = Math.max(newestAt, this.#onExecutionRow(row, category, 'query') ?? 0);
    }
    this.#executions.completed(newestAt);
    for (const { category, symbol, instrument } of this.#listed) {
      const rows = await this.#pages('/v5/order/realtime', { category, symbol }, PRIORITY.look);
      if (rows === undefined) return undefined;
      const listed = new Set(rows.map((row) => this.#onOrderRow(row)));
      this.#orders.lookForMissing(instrument, listed, beganAt - GRACE_MS);
    }
    for (const { category, symbol } of this.#listed) {
      if (category === 'spot') continue;
      const rows = await this.#get('/v5/position/list', { category, symbol }, PRIORITY.look);
      if (rows === undefined) return undefined;
      // A symbol that is asked for has its row, a flat one too: no row is no answer, and not flat.
      if (rows.length === 0) {
        this.#notice(`${symbol}: the report of positions is empty, which is not the same as flat`);
        return undefined;
      }
      for (const row of rows) this.#onPositionRow(row, true);
    }
    return this.#askForWallet();
  }

  async #askForWallet(): Promise<ReadonlyMap<string, Quantity> | undefined> {
    const rows = await this.#get('/v5/account/wallet-balance', { accountType: 'UNIFIED' }, PRIORITY.look);
    if (rows === undefined) return undefined;
    const wallet = new Map(rows.flatMap((row) => this.#onWalletRow(row)));
    this.#compareCoins();
    return wallet;
  }

  /** Only where nothing else is held than positions whose cost the venue says. */
  #compareMoney(wallet: ReadonlyMap<string, Quantity>): void {
    const { instruments } = this.#parts;
    const [first] = instruments;
    const isComparable = instruments.every(({ kind, quote }) => kind === 'linear' && quote === first?.quote);
    const balance = wallet.get(first?.quote ?? '');
    if (!isComparable || balance === undefined) return;
    let venueCash = amount(format(balance));
    let held = 0;
    for (const cost of this.#costs) {
      venueCash = subtract(venueCash, cost);
      held += Math.abs(toNumber(cost));
    }
    const step = this.#money.compare(venueCash, held);
    if (this.#money.isInDoubt) this.#reconcileSoon(SECOND_LOOK_MS);
    if (step === undefined) return;
    this.#tell(-1, stepWords(step), step.beside);
  }

  /** Filters change, and instruments are taken from the list. */
  async #refresh(): Promise<void> {
    this.#refreshAt = this.#parts.timers.now() + this.#parts.settings.refreshMs;
    for (const before of this.#listed) {
      const rows = await this.#get(
        '/v5/market/instruments-info',
        { category: before.category, symbol: before.symbol },
        PRIORITY.look,
        false,
      );
      if (rows === undefined) continue;
      const row = instrumentRowSchema.safeParse(rows[0]);
      const after = row.success ? listedFrom(row.data, before.instrument, before.category) : { ...before, isTrading: false };
      const changes = changesOf(before, after);
      if (changes === '') continue;
      this.#notice(`${before.symbol} has changed: ${changes}`);
      this.#listed = this.#listed.map((each) => (each.instrument === before.instrument ? after : each));
      this.#reconcileSoon(0);
    }
    // What does not trade may trade again soon.
    if (this.#listed.some(({ isTrading }) => !isTrading)) this.#refreshAt = this.#parts.timers.now() + this.#parts.settings.reconcileMs;
    this.#arm();
  }

  // ---- requests ------------------------------------------------------------------------------------------------------------

  #post(
    path: string,
    parameters: Parameters,
    budget: Budget,
    priority: Priority,
    hooks: Pick<Call, 'isWanted' | 'onSent' | 'onGiven'> = {},
  ): Promise<Outcome> {
    return this.#calls.ask({ method: 'POST', path, parameters, isPrivate: true, budget, priority, ...hooks });
  }

  /** Rows of a list, not yet read; undefined where there was no answer. */
  async #get(path: string, parameters: Parameters, priority: Priority, isPrivate = true): Promise<readonly unknown[] | undefined> {
    return (await this.#page(path, parameters, priority, isPrivate))?.list;
  }

  async #page(path: string, parameters: Parameters, priority: Priority, isPrivate = true) {
    const budget = isPrivate ? 'query' : 'market';
    const outcome = await this.#calls.ask({ method: 'GET', path, parameters, isPrivate, budget, priority });
    if (outcome.kind !== 'answered') return undefined;
    const read = listSchema.safeParse(outcome.result);
    if (!read.success) this.#notice(`${path} was answered with ${wrongWith(read.error)}`);
    return read.data;
  }

  async #pages(path: string, parameters: Parameters, priority: Priority, limit = PAGE): Promise<readonly unknown[] | undefined> {
    const rows: unknown[] = [];
    let cursor = '';
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const page = await this.#page(path, { ...parameters, limit, ...(cursor === '' ? {} : { cursor }) }, priority);
      if (page === undefined) return undefined;
      rows.push(...page.list);
      if (page.nextPageCursor === '' || page.nextPageCursor === cursor || page.list.length < limit) return rows;
      cursor = page.nextPageCursor;
    }
    this.#notice(`${path} has more than ${MOST_PAGES} pages`);
    return undefined;
  }

  #measured(aheadMs: number, roundTripMs: number): void {
    this.#skew.measured(this.#parts.timers.now(), aheadMs, roundTripMs);
    this.#parts.wire.setClock(Math.round(this.#skew.aheadMs));
    const { leastMs } = this.#skew;
    if (leastMs > this.#parts.settings.mostSkewMs) {
      this.#tellOnce(
        'skew',
        `this machine's clock and the venue's differ by ${Math.round(this.#skew.aheadMs)} ms: nothing opens until they agree`,
      );
    } else this.#told.delete('skew');
  }

  #judged(judged: Judged): void {
    if (judged.kind === 'unauthorised' && this.#refusedFor === '') {
      this.#refusedFor = judged.words;
      this.#notice(`the venue has refused the key: ${judged.words}; nothing opens any more`);
    }
    if (judged.kind !== 'unknown') return;
    if (judged.isBan === true) {
      this.#bannedFor = judged.words;
      this.#notice(`the venue has banned this address for ${Math.ceil((judged.pauseMs ?? 0) / SECOND_MS)} s: ${judged.words}`);
    } else if (judged.pauseMs !== undefined) this.#bannedFor = judged.words;
    if (judged.isClock === true) {
      this.#skew.forget();
      this.#clockAt = this.#parts.timers.now();
      this.#arm();
    }
  }

  #notice(words: string): void {
    this.#parts.onNotice(words);
  }

  #tellOnce(what: string, words: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#notice(words);
  }

  // ---- time ----------------------------------------------------------------------------------------------------------------

  #ring(): void {
    if (!this.#isStarted) return;
    const now = this.#parts.timers.now();
    this.#orders.look();
    if (this.#clockAt <= now) {
      this.#clockAt = now + CLOCK_MS;
      void this.#calls.ask({
        method: 'GET',
        path: '/v5/market/time',
        parameters: {},
        isPrivate: false,
        budget: 'market',
        priority: PRIORITY.look,
      });
    }
    if (this.#refreshAt <= now) void this.#refresh();
    if (this.#reconcileAt <= now && !this.#isReconciling) void this.#reconcile();
    this.#arm();
  }

  #arm(): void {
    if (!this.#isStarted) return;
    this.#alarm.set(Math.min(this.#clockAt, this.#refreshAt, this.#isReconciling ? Infinity : this.#reconcileAt, this.#orders.dueAt));
  }
}

/** What a report of a payment still says after a restart: the venue's id is not in it, and there is one payment of a position at a time. */
function paymentId(instrument: number, at: TimeMs, paid: Amount): string {
  return `funding ${instrument} ${at} ${format(paid)}`;
}

function wireSide({ side }: OrderIntent): OrderRow['side'] {
  return side === 'buy' ? 'Buy' : 'Sell';
}

/** By our own id, which is known before the venue's. A stop of a position has only the venue's. */
function nameOf({ venueId, linkId, intent }: KeptOrder, listed: Listed): Parameters {
  const name: Parameters = isPositionStop(intent, listed) ? { orderId: venueId } : { orderLinkId: linkId };
  const isSpotStop = listed.category === 'spot' && (intent.type === 'stop' || intent.type === 'take-profit');
  return isSpotStop ? { ...name, orderFilter: 'StopOrder' } : name;
}

/** Rows of a stream say which of the venue's markets they are of. */
function categoryOf(row: unknown): string | undefined {
  return typeof row === 'object' && row !== null && 'category' in row && typeof row.category === 'string' ? row.category : undefined;
}
