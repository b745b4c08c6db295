// Trading at any venue that ccxt knows, with plain orders (market, limit, post-only, stops where the venue has them): commands in, reports out.
// There is no private stream: what becomes of an order is found by asking, again and again, and after every trouble. ccxt knows paths,
// parameters and shapes; what its answers prove is decided here, by the rules that Bybit's adapter keeps: an order carries its own id, an
// answer that does not come proves nothing, a fill is booked once, an end comes after all of its fills, and nothing is sent again that may stand.
//
// Simplified: orders are not amended in place (an amendment is refused, and what stood stands), a stop of the whole position rests as a plain
// reduce-only stop of its quantity, and funding is not read: it is in the balance. Of a fee in a third coin the worth in quote currency is an
// estimate by the instrument's rate. Money that comes or goes is found on spot where fees are taken in money; a balance of perpetuals has funding
// and, at many venues, the results of what is open in it, so that nobody can say what of it was moved.
import type { Exchange } from 'ccxt';
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import {
  add,
  amount as readAmount,
  amountFrom,
  compare,
  format,
  negate,
  notional,
  priceFrom,
  quantity as readQuantity,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Quantity,
} from '../../domain/decimal.ts';
import { assert } from '../../domain/errors.ts';
import type { Fill } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { isConditional, type AmendIntent, type CancelIntent, type LimitAmendIntent, type OrderIntent } from '../../domain/order.ts';
import type { Source, Timers, Venue } from '../../domain/ports.ts';
import { MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import { Alarm } from './alarm.ts';
import { pauseAfter } from './backoff.ts';
import type { Judged } from './bybit-codes.ts';
import { createRequest, feeInQuote, type Listed } from './bybit-orders.ts';
import { wrongWith } from './bybit-rows.ts';
import { judgeFailure } from './ccxt-judge.ts';
import { inContracts, readBalances, readOrder, readPosition, readTrade, type CcxtTrade } from './ccxt-rows.ts';
import { ExecutionMemory } from './execution-memory.ts';
import type { KeptOrder } from './kept-order.ts';
import { hasEnded, isEntry, KeptOrders, priorityOf, Waiting, type Whereabouts } from './kept-orders.ts';
import { MoneyCheck, stepWords } from './money-check.ts';
import { isEnded, merged } from './order-progress.ts';
import { ReportQueue, type AdapterReport } from './report-queue.ts';
import { PRIORITY, Turns, type Budget, type Priority } from './turns.ts';
import { z } from 'zod';

export interface CcxtVenueSettings {
  /** A request that is older than this when it arrives is not carried out, where the venue knows such a window; elsewhere it is taken so. */
  readonly recvWindowMs: number;
  /** How long what it has taken may be missing from what it says when it is asked. */
  readonly propagationMs: number;
  /** For one request and its whole answer. */
  readonly deadlineMs: number;
  /** Between two reconciliations: how late a fill of a resting order may be heard. */
  readonly pollMs: number;
  /** What the venue allows of questions; half of it is used. ccxt keeps to the venue's own weights beside. */
  readonly queriesASecond: number;
}

export const defaultCcxtVenueSettings: CcxtVenueSettings = {
  recvWindowMs: 5 * SECOND_MS,
  propagationMs: 2 * SECOND_MS,
  deadlineMs: 5 * SECOND_MS,
  pollMs: 5 * SECOND_MS,
  queriesASecond: 10,
};

/** An instrument as ccxt lists it now. */
export interface CcxtListed extends Listed {
  /** ccxt's symbol. */
  readonly unified: string;
  /** Base currency in one of the venue's contracts; 1 on spot. */
  readonly contractSize: Quantity;
  /** What the venue calls our own id of an order, where ccxt does not translate it. */
  readonly linkParameter: 'clientOrderId' | 'client_order_id';
  /** A market order that buys names what it may cost: one of a quantity leaves as a limit that does not rest. */
  readonly buysByCost: boolean;
  /** Most trades of one page. */
  readonly tradesPage: number;
  /** Conditional orders are in lists of their own. */
  readonly hasOwnTriggerLists: boolean;
  readonly hasStops: boolean;
}

export interface CcxtVenueParts {
  readonly instruments: readonly Instrument[];
  readonly listed: readonly CcxtListed[];
  readonly client: Exchange;
  readonly timers: Timers;
  readonly random: Random;
  readonly settings: CcxtVenueSettings;
  /** Of the run: its orders carry it. */
  readonly runId: string;
  /** Executions of before this are not ours. */
  readonly since: TimeMs;
  /** What the run was given of the account's money; undefined where that cannot be counted: on anything but spot with its fees in money. */
  readonly capital?: Amount | undefined;
  /** Why this process may not open anything, whatever the venue says; undefined where it may. */
  readonly mayOpen?: () => string | undefined;
  readonly now: () => TimeMs;
  readonly notBefore: () => TimeMs;
  /** Of an instrument; NaN where nobody knows. */
  readonly lastPrice: (instrument: number) => number;
  readonly redact: (words: string) => string;
  /** For a person: what is out of the ordinary. */
  readonly onNotice: (words: string) => void;
  /** Gives up what is on its way. */
  readonly onStop: () => void;
}

type Params = Readonly<Record<string, string | number | boolean>>;

type Outcome<Value> =
  | { readonly kind: 'answered'; readonly value: Value }
  | Exclude<Judged, { readonly kind: 'answered' | 'unchanged' }>
  | { readonly kind: 'unsent' };

/** What was just sent is looked at so soon. */
const GRACE_MS = 250;
const SECOND_LOOK_MS = 2 * SECOND_MS;
const CLOCK_MS = 10 * MINUTE_MS;
/** A reconciliation that is older than so many polls is none. */
const STALE_POLLS = 4;
const PAGE = 100;
const MOST_PAGES = 50;
/** How much worse than the last price a purchase may be that leaves as a limit. */
const MOST_SLIPPAGE_RATIO = 0.01;

export class CcxtVenue implements Venue, Source, Stateful {
  readonly #parts: CcxtVenueParts;
  readonly #reports: ReportQueue;
  readonly #alarm: Alarm;
  readonly #turns: Turns;
  readonly #executions: ExecutionMemory;
  readonly #orders: KeptOrders;
  /** Orders that wait in a list of conditional ones. */
  readonly #triggers = new Set<KeptOrder>();
  readonly #net: Quantity[];
  readonly #mismatches: number[];
  /** By coin, on spot: what the account had beside what this process has traded, and what that was. */
  readonly #coinsBeside = new Map<string, Quantity>();
  readonly #coinsTraded = new Map<string, Quantity>();
  readonly #balances = new Map<string, Quantity>();
  /** Undefined where nobody can count it. */
  readonly #money: MoneyCheck | undefined;
  /** Trades that may be of an order whose venue's id is not known yet: asked for again from here on. */
  #deferredFrom = Infinity;
  #refusedFor = '';
  #isStarted = false;
  #isReconciling = false;
  #reconciledAt = -Infinity;
  #reconcileAt = Infinity;
  #clockAt = Infinity;
  #failures = 0;
  readonly #told = new Set<string>();
  readonly #counts = { overfills: 0, malformed: 0, foreign: 0, reconciliations: 0 };

  constructor(parts: CcxtVenueParts) {
    const { timers, instruments, now, notBefore, runId, random, redact, settings } = parts;
    this.#parts = parts;
    this.#money = parts.capital === undefined ? undefined : new MoneyCheck(parts.capital);
    this.#net = instruments.map(() => ZERO_QUANTITY);
    this.#mismatches = instruments.map(() => 0);
    this.#executions = new ExecutionMemory(parts.since);
    this.#reports = new ReportQueue(now, notBefore);
    this.#alarm = new Alarm(timers, () => this.#ring());
    this.#turns = new Turns(timers, { query: settings.queriesASecond });
    this.#orders = new KeptOrders({
      runId,
      reports: this.#reports,
      timers,
      random,
      now,
      redact,
      onNotice: (words) => this.#notice(words),
      recvWindowMs: settings.recvWindowMs,
      propagationMs: settings.propagationMs,
      isStarted: () => this.#isStarted,
      // Ids of some venues are unique within a market only.
      placeOf: (order, venueId) => `${this.#listedOf(order).unified} ${venueId}`,
      find: (order) => (order.venueId === '' ? this.#findByLinkId(order) : this.#findByVenueId(order)),
      onFound: (order) => this.#found(order),
      onAbsent: () => false,
      send: (order) => this.#create(order),
      onEnded: (order) => this.#triggers.delete(order),
      onSchedule: () => this.#arm(),
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
    this.#reconcileSoon(0);
  }

  /** Nothing leaves any more, and nothing is heard. What is at the venue stays there. */
  stop(): void {
    this.#isStarted = false;
    this.#alarm.set(Infinity);
    this.#turns.close();
    this.#parts.onStop();
  }

  /** The venue wants to hear nothing for so long. */
  freeze(ms: number): void {
    this.#turns.freeze(ms);
  }

  /** Why nothing new may be opened in an instrument right now; undefined where it may. What closes and protects is never blocked. */
  blockOf(instrument: number): string | undefined {
    const forbidden = this.#parts.mayOpen?.();
    if (forbidden !== undefined) return forbidden;
    if (this.#refusedFor !== '') return `the venue has refused the key: ${this.#refusedFor}`;
    if (this.#turns.frozenUntil > this.#parts.timers.now()) return 'the venue wants to be left alone';
    if (!this.isReconciled) return 'the account is not reconciled';
    if (this.#parts.listed[instrument]?.isTrading !== true) return 'the instrument does not trade';
    if ((this.#mismatches[instrument] ?? 0) >= 2) return 'the position at the venue is not ours';
    const doubted = this.#orders.inDoubt(instrument);
    return doubted === undefined ? undefined : `order ${doubted.intent.id} is in doubt`;
  }

  /** The venue has said lately what is there. */
  get isReconciled(): boolean {
    const { timers, settings } = this.#parts;
    return timers.now() - this.#reconciledAt <= STALE_POLLS * settings.pollMs + settings.deadlineMs;
  }

  /** The venue's position by our own ledger, signed. */
  net(instrument: number): Quantity {
    return this.#net[instrument] ?? ZERO_QUANTITY;
  }

  /** Of a coin, as the venue last said it; undefined where it has not. */
  balance(coin: string): Quantity | undefined {
    return this.#balances.get(coin);
  }

  /** For whoever watches: what was repaired, refused and found. */
  get counts() {
    const { doubts, notReceived, resent } = this.#orders;
    return { ...this.#counts, doubts, notReceived, resent };
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
    if (order.phase === 'attached' && this.#orders.mayHaveLeft(order)) this.#orders.askFirst(order);
    if (order.phase === 'queued') this.#orders.end(order, 'order.cancelled', 'before it was sent');
    else if (order.phase === 'attached') this.#orders.end(order, 'order.cancelled', 'before it came to rest');
    else void this.#sendCancel(order);
  }

  amend(intent: AmendIntent | LimitAmendIntent): void {
    const { instrument } = intent;
    const order = this.#orders.stillOpen(intent.order, instrument);
    if (order === undefined) return;
    const { stopPrice, limitPrice, quantity } = order.intent;
    const happenedAt = this.#parts.now();
    if ('stopPrice' in intent && order.phase === 'attached') {
      // It leaves as it is to stand.
      order.intent = { ...order.intent, stopPrice: intent.stopPrice };
      const moved = { asked: intent.stopPrice, stopPrice: intent.stopPrice };
      this.#reports.push({ kind: 'order.amended', happenedAt, instrument, order: intent.order, ...moved, reason: '' });
      return;
    }
    const common = { happenedAt, instrument, order: intent.order, reason: `${this.#name} does not change orders in place` };
    if ('stopPrice' in intent)
      this.#reports.push({ kind: 'order.amended', ...common, asked: intent.stopPrice, stopPrice: stopPrice ?? intent.stopPrice });
    else this.#reports.push({ kind: 'order.repriced', ...common, limitPrice: limitPrice ?? intent.limitPrice, quantity });
  }

  // ---- recovery ----------------------------------------------------------------------------------------------------------

  /** A report that a run has recorded: heard again by a new process, before it starts. */
  recall(report: AdapterReport): void {
    assert(!this.#isStarted, 'a venue is brought along before it starts');
    if (report.kind === 'account.reported' && report.money !== undefined) this.#money?.counted(report.money);
    // Trades and payments of nobody's order are not said by this adapter.
    if (report.kind === 'funding.paid' || report.kind === 'position.liquidated' || report.kind === 'account.reported') return;
    this.#orders.recall(report, (order, fill) => {
      if (!this.#executions.believe(fill.id, report.happenedAt)) return false;
      this.#move(report.instrument, order.intent.side, fill);
      return true;
    });
  }

  save(out: ByteWriter): void {
    this.#executions.save(out);
    this.#money?.save(out);
    for (const quantity of this.#net) out.decimal(quantity);
    this.#orders.save(out, (order) => out.flag(this.#triggers.has(order)));
  }

  restore(from: ByteReader): void {
    this.#executions.restore(from);
    this.#money?.restore(from);
    for (let instrument = 0; instrument < this.#net.length; instrument++) this.#net[instrument] = from.decimal();
    this.#triggers.clear();
    this.#orders.restore(from, (order) => {
      if (from.flag()) this.#triggers.add(order);
    });
  }

  // ---- creating ----------------------------------------------------------------------------------------------------------

  get #name(): string {
    return this.#parts.client.id;
  }

  #listedOf({ intent }: KeptOrder): CcxtListed {
    const listed = this.#parts.listed[intent.instrument];
    assert(listed !== undefined, 'every instrument of the run is listed');
    return listed;
  }

  #create(order: KeptOrder): void {
    const { intent } = order;
    const listed = this.#listedOf(order);
    const block = isEntry(intent) ? this.blockOf(intent.instrument) : undefined;
    if (block !== undefined) {
      this.#orders.end(order, 'order.rejected', `nothing may open: ${block}`);
      return;
    }
    if (isConditional(intent.type) && !listed.hasStops) {
      this.#orders.end(order, 'order.rejected', `${this.#name} has no stop orders in this market`);
      return;
    }
    // Steps, sizes and the least worth of an order are checked by the same rules everywhere; what is attached leaves by itself.
    const composed = createRequest({ ...intent, attached: [] }, listed, {
      linkId: order.linkId,
      lastPrice: this.#parts.lastPrice(intent.instrument),
      available: listed.category === 'spot' ? this.#freeCoin(order) : undefined,
    });
    if (composed.kind === 'refused') {
      this.#orders.end(order, 'order.rejected', composed.reason);
      return;
    }
    const { client } = this.#parts;
    const { budget } = intent;
    if (budget !== undefined && client.has['createMarketBuyOrderWithCost'] !== true) {
      this.#orders.end(order, 'order.rejected', `${this.#name} does not buy by cost`);
      return;
    }
    const { parameters } = composed;
    const size = toNumberText(inContracts(composed.quantity, listed.contractSize));
    const asLimit = listed.buysByCost && intent.side === 'buy' && parameters['orderType'] === 'Market' && budget === undefined;
    const limit = asLimit ? this.#worstPrice(listed) : parameters['price'];
    if (asLimit && limit === undefined) {
      this.#orders.end(
        order,
        'order.rejected',
        `${this.#name} buys at the market by cost only, and there is no price yet to make a limit of`,
      );
      return;
    }
    const price = limit === undefined ? undefined : toNumberText(readQuantity(String(limit)));
    const params = {
      [listed.linkParameter]: order.linkId,
      ...paramsOf(intent, parameters),
      ...(asLimit ? { timeInForce: 'IOC' } : {}),
    };
    const type = price === undefined ? 'market' : 'limit';
    void this.#send(order, () =>
      budget === undefined
        ? client.createOrder(listed.unified, type, intent.side, size, price, params)
        : client.createMarketBuyOrderWithCost(listed.unified, toNumberText(readQuantity(String(parameters['qty']))), params),
    );
  }

  /** As far as a purchase at the market may go. */
  #worstPrice({ instrument, tick }: CcxtListed): string | undefined {
    const last = this.#parts.lastPrice(instrument);
    return last > 0 ? format(priceFrom(last * (1 + MOST_SLIPPAGE_RATIO), tick, 'up')) : undefined;
  }

  async #send(order: KeptOrder, work: () => Promise<unknown>): Promise<void> {
    const { timers } = this.#parts;
    const waiting = new Waiting(order, timers, (instrument) => this.blockOf(instrument));
    const outcome = await this.#ask('create', priorityOf(order.intent), work, {
      isWanted: () => waiting.isWanted,
      onSent: () => waiting.sent(),
    });
    if (outcome.kind === 'unsent') {
      if (order.phase === 'queued') this.#orders.end(order, 'order.rejected', waiting.words);
      return;
    }
    // It left no later than now.
    order.sentAt = timers.now();
    this.#created(order, outcome);
  }

  #created(order: KeptOrder, outcome: Exclude<Outcome<unknown>, { kind: 'unsent' }>): void {
    if (order.phase === 'ended' || !this.#isStarted) return;
    switch (outcome.kind) {
      case 'answered': {
        const ids = z.object({ id: z.string().min(1) }).safeParse(outcome.value);
        if (!ids.success) {
          this.#orders.doubt(order, 'an answer without an id');
          return;
        }
        order.isAcknowledged = true;
        if (isConditional(order.intent.type) && this.#listedOf(order).hasOwnTriggerLists) this.#triggers.add(order);
        this.#orders.identify(order, ids.data.id);
        order.phase = 'known';
        this.#orders.lookIn(order, GRACE_MS);
        void this.#sendCancel(order);
        return;
      }
      case 'refused':
      case 'unauthorised':
        if (order.progress === undefined) this.#orders.end(order, 'order.rejected', outcome.words);
        return;
      case 'taken':
        this.#orders.doubt(order, 'the venue has an order of this id already');
        return;
      case 'gone':
      case 'unknown':
        this.#orders.doubt(order, outcome.words);
    }
  }

  /** On spot, what of a coin may be sold: by the ledger of our own trades, less what resting sales have put aside. */
  #freeCoin({ intent }: KeptOrder): Quantity | undefined {
    const coin = this.#parts.instruments[intent.instrument]?.base ?? '';
    const beside = this.#coinsBeside.get(coin);
    if (beside === undefined) return undefined;
    let free = add(beside, this.#coinsTraded.get(coin) ?? ZERO_QUANTITY);
    for (const { intent: other, phase, filled } of this.#orders) {
      if (phase === 'ended' || phase === 'attached' || other === intent || other.side === 'buy') continue;
      if ((other.type === 'limit' || other.type === 'post-only') && this.#parts.instruments[other.instrument]?.base === coin)
        free = subtract(free, subtract(other.quantity, filled));
    }
    return compare(free, ZERO_QUANTITY) < 0 ? ZERO_QUANTITY : free;
  }

  // ---- cancelling --------------------------------------------------------------------------------------------------------

  async #sendCancel(order: KeptOrder): Promise<void> {
    // Without the venue's id there is nothing to cancel yet: it is being asked for.
    if (order.cancel !== 'wanted' || order.venueId === '') return;
    order.cancel = 'asked';
    const { client } = this.#parts;
    const { unified } = this.#listedOf(order);
    const outcome = await this.#ask('cancel', PRIORITY.cancel, () =>
      client.cancelOrder(order.venueId, unified, this.#triggerParams(order)),
    );
    if (outcome.kind === 'unsent' || hasEnded(order)) return;
    // Whatever was said, the order has ended only when the venue says so.
    if (outcome.kind !== 'answered') order.cancel = 'wanted';
    this.#orders.lookIn(order, outcome.kind === 'answered' ? GRACE_MS : pauseAfter(order.looks, this.#parts.random));
  }

  #triggerParams(order: KeptOrder): Params {
    return this.#triggers.has(order) ? { trigger: true } : {};
  }

  // ---- what the venue says -------------------------------------------------------------------------------------------------

  /** @returns the order it speaks of, where that is ours */
  #onOrder(raw: unknown, listed: CcxtListed, isTrigger: boolean): KeptOrder | undefined {
    const read = this.#read('a row of orders', () => readOrder(raw, listed.contractSize));
    if (read === undefined || read.row.symbol !== listed.unified) return undefined;
    const { row, becameId } = read;
    const order = this.#orders.at(`${listed.unified} ${row.orderId}`) ?? this.#orders.byLinkId(row.orderLinkId);
    if (order === undefined || order.intent.instrument !== listed.instrument) return undefined;
    if (isTrigger && becameId !== '') {
      // It has been triggered: from here on it is the order that it has become.
      this.#triggers.delete(order);
      this.#orders.identify(order, becameId);
      order.phase = 'known';
      this.#orders.lookIn(order, 0);
      return order;
    }
    if (isTrigger) this.#triggers.add(order);
    if (order.venueId !== '' && order.venueId !== row.orderId) return order;
    this.#orders.identify(order, row.orderId);
    const progress = merged(order.progress, row);
    if (progress === order.progress) return order;
    order.progress = progress;
    if (order.phase === 'ended') return order;
    if (order.phase !== 'known') this.#orders.known(order);
    if (!order.isReported && !isEnded(progress.status)) {
      order.isReported = true;
      this.#orders.say('order.accepted', {
        id: order.intent.id,
        instrument: order.intent.instrument,
        reason: '',
        happenedAt: progress.updatedAt || this.#parts.now(),
      });
    }
    if (!isEnded(progress.status)) void this.#sendCancel(order);
    if (compare(progress.filled, order.filled) > 0) this.#orders.lookIn(order, 0);
    this.#orders.conclude(order);
    return order;
  }

  /** @returns false where it may be of an order whose id at the venue is not known yet */
  #onTrade(raw: unknown, listed: CcxtListed): boolean {
    const trade = this.#read('a row of trades', () => readTrade(raw, listed.contractSize));
    if (trade === undefined || this.#executions.has(trade.id)) return true;
    const { instrument } = listed;
    const order = this.#orders.at(`${listed.unified} ${trade.orderId}`);
    if (order === undefined && this.#isNameless(instrument, trade.at)) {
      this.#deferredFrom = Math.min(this.#deferredFrom, trade.at);
      return false;
    }
    // Of before the run. An order of ours is of the run, though the venue's clock be behind.
    if (order === undefined && trade.at < this.#parts.since) return true;
    this.#executions.believe(trade.id, trade.at);
    const fill = this.#fillOf(trade, instrument);
    if (order === undefined) {
      this.#counts.foreign++;
      this.#notice(`${listed.unified}: ${format(trade.quantity)} were traded by an order that is not ours, ${trade.orderId}`);
      this.#reports.push({
        kind: 'order.filled',
        happenedAt: trade.at,
        instrument,
        order: trade.orderId,
        reason: 'not an order of this run',
        fill,
      });
      return true;
    }
    const { intent } = order;
    order.filled = add(order.filled, trade.quantity);
    this.#move(instrument, intent.side, fill);
    this.#moveCoins(trade, listed);
    if (intent.budget === undefined && compare(order.filled, intent.quantity) > 0) {
      this.#counts.overfills++;
      this.#notice(`order ${intent.id} has filled ${format(order.filled)} of ${format(intent.quantity)}`);
    }
    this.#orders.say('order.filled', { id: intent.id, instrument, reason: '', happenedAt: trade.at, fill });
    if (order.phase !== 'ended') this.#orders.conclude(order);
    this.#release(order);
    this.#endWithPosition(instrument);
    return true;
  }

  /** It may be of something of ours that is at the venue under an id that we have not heard: of a stop, only until that has been looked at. */
  #isNameless(instrument: number, at: TimeMs): boolean {
    const { now, settings } = this.#parts;
    for (const { intent, phase, venueId } of this.#orders) {
      if (intent.instrument === instrument && venueId === '' && (phase === 'sent' || phase === 'in-doubt')) return true;
    }
    const isYoung = now() - at < 3 * settings.pollMs + settings.propagationMs;
    return isYoung && [...this.#triggers].some(({ intent }) => intent.instrument === instrument);
  }

  /** With an entry's first fill its stops leave. */
  #release(entry: KeptOrder): void {
    for (const { id } of entry.intent.attached) {
      const stop = this.#orders.get(id);
      if (stop?.phase !== 'attached') continue;
      if (this.#orders.mayHaveLeft(stop)) this.#orders.askFirst(stop);
      else this.#create(stop);
    }
  }

  /** Nobody else ends a stop of the whole position here when that is gone, and it would meet the next one. */
  #endWithPosition(instrument: number): void {
    const net = signOf(this.net(instrument));
    for (const order of this.#orders) {
      const { intent, phase, cancel } = order;
      if (intent.instrument !== instrument || !intent.wholePosition || cancel !== 'no') continue;
      if (phase === 'ended' || phase === 'attached' || net === (intent.side === 'sell' ? 1 : -1)) continue;
      order.cancel = 'wanted';
      void this.#sendCancel(order);
    }
  }

  #fillOf({ id, price, quantity, fee, isMaker }: CcxtTrade, instrument: number): Fill {
    const traded = this.#parts.instruments[instrument];
    assert(traded !== undefined, 'every listed instrument is one of the run');
    const liquidity = isMaker ? 'maker' : 'taker';
    const rate = isMaker ? traded.makerFeeRate : traded.takerFeeRate;
    const common = { id, price, quantity, liquidity } as const;
    if (fee !== undefined && (fee.currency === traded.base || fee.currency === traded.quote))
      return { ...common, fee: feeInQuote(fee.cost, fee.currency, traded, price) };
    const estimate = amountFrom(toNumber(notional(price, quantity)) * rate);
    if (fee === undefined) return { ...common, fee: estimate };
    return { ...common, fee: estimate, feeCoin: { currency: fee.currency, quantity: readQuantity(format(fee.cost)) } };
  }

  #move(instrument: number, side: OrderIntent['side'], { price, quantity, fee, feeCoin }: Fill): void {
    const net = this.#net[instrument] ?? ZERO_QUANTITY;
    const paid = notional(price, quantity);
    this.#net[instrument] = side === 'buy' ? add(net, quantity) : subtract(net, quantity);
    this.#money?.booked(subtract(side === 'buy' ? negate(paid) : paid, feeCoin === undefined ? fee : ZERO_AMOUNT));
  }

  #moveCoins({ side, quantity, fee }: CcxtTrade, { instrument, category }: CcxtListed): void {
    if (category !== 'spot') return;
    const { base = '' } = this.#parts.instruments[instrument] ?? {};
    const moved = add(this.#coinsTraded.get(base) ?? ZERO_QUANTITY, side === 'buy' ? quantity : negate(quantity));
    this.#coinsTraded.set(base, fee?.currency === base ? subtract(moved, readQuantity(format(fee.cost))) : moved);
  }

  /** Undefined, and told, where it is none. */
  #read<Value>(what: string, reader: () => Value): Value | undefined {
    try {
      return reader();
    } catch (error) {
      if (!(error instanceof z.ZodError)) throw error;
      this.#counts.malformed++;
      this.#notice(`${what} was not believed: ${wrongWith(error)}`);
      return undefined;
    }
  }

  // ---- asking about an order -----------------------------------------------------------------------------------------------

  async #findByVenueId(order: KeptOrder): Promise<Whereabouts> {
    const { client } = this.#parts;
    const listed = this.#listedOf(order);
    if (client.has['fetchOrder'] !== true) return this.#findByLinkId(order);
    const isTrigger = this.#triggers.has(order);
    const outcome = await this.#ask('query', PRIORITY.doubt, () =>
      client.fetchOrder(order.venueId, listed.unified, this.#triggerParams(order)),
    );
    if (outcome.kind === 'gone') return 'absent';
    if (outcome.kind !== 'answered') return 'unknown';
    return this.#onOrder(outcome.value, listed, isTrigger) === order ? 'found' : 'unknown';
  }

  /** Open orders first, then those that have ended: what has ended is gone from the first, and what is new may not be in the second yet. */
  async #findByLinkId(order: KeptOrder): Promise<Whereabouts> {
    const listed = this.#listedOf(order);
    const isConditionalOrder = isConditional(order.intent.type) && listed.hasOwnTriggerLists;
    for (const fetchRows of this.#listsOf(listed, isConditionalOrder, order.sentAt)) {
      const outcome = await this.#ask('query', PRIORITY.doubt, fetchRows);
      if (outcome.kind !== 'answered') return 'unknown';
      if (outcome.value.some((row) => this.#onOrder(row, listed, isConditionalOrder) === order)) return 'found';
    }
    return 'absent';
  }

  /** Every list in which an order may be, as this venue has them. */
  #listsOf({ unified }: CcxtListed, isTrigger: boolean, sentAt: number): readonly (() => Promise<readonly unknown[]>)[] {
    const { client, timers, now } = this.#parts;
    const params = isTrigger ? { trigger: true } : {};
    // What this machine and the venue call now may differ.
    const since = Math.floor(now() - (timers.now() - Math.max(sentAt, 0)) - MINUTE_MS);
    const lists = [() => client.fetchOpenOrders(unified, undefined, undefined, params)];
    if (client.has['fetchOrders'] === true) lists.push(() => client.fetchOrders(unified, since, PAGE, params));
    else if (client.has['fetchCanceledAndClosedOrders'] === true)
      lists.push(() => client.fetchCanceledAndClosedOrders(unified, since, PAGE, params));
    else {
      if (client.has['fetchClosedOrders'] === true) lists.push(() => client.fetchClosedOrders(unified, since, PAGE, params));
      if (client.has['fetchCanceledOrders'] === true) lists.push(() => client.fetchCanceledOrders(unified, since, PAGE, params));
    }
    return lists;
  }

  async #found(order: KeptOrder): Promise<void> {
    const { random } = this.#parts;
    const { progress } = order;
    if (progress === undefined) return;
    if (compare(progress.filled, order.filled) > 0) {
      await this.#askForTrades(this.#listedOf(order), PRIORITY.doubt);
      if (hasEnded(order)) return;
      if (compare(progress.filled, order.filled) > 0) this.#orders.lookIn(order, pauseAfter(order.looks++, random));
    } else if (!isEnded(progress.status) && order.intent.type === 'market') this.#orders.lookIn(order, pauseAfter(order.looks++, random));
    if (order.cancel !== 'no' && !isEnded(progress.status)) {
      // It was lost on its way, or has not been carried out yet. Asking twice for a cancel does no harm.
      order.cancel = 'wanted';
      await this.#sendCancel(order);
    }
  }

  // ---- reconciliation ------------------------------------------------------------------------------------------------------

  #reconcileSoon(ms: number): void {
    if (!this.#isStarted) return;
    this.#reconcileAt = Math.min(this.#reconcileAt, this.#parts.timers.now() + ms);
    this.#arm();
  }

  /** Trades, then open orders, then what is held: each explains what comes after it. */
  async #reconcile(): Promise<void> {
    const { timers, settings, random } = this.#parts;
    const beganAt = timers.now();
    this.#isReconciling = true;
    this.#reconcileAt = Infinity;
    const traded = this.#money?.cash;
    const isDone = await this.#askForAll(beganAt);
    this.#isReconciling = false;
    if (!this.#isStarted) return;
    if (isDone) {
      // A trade that this look has found may be in the balance or not.
      if (this.#money !== undefined && traded === this.#money.cash) this.#compareMoney(this.#money);
      this.#reconciledAt = beganAt;
      this.#failures = 0;
      this.#counts.reconciliations++;
    }
    this.#reconcileSoon(isDone ? settings.pollMs : pauseAfter(this.#failures++, random));
  }

  async #askForAll(beganAt: number): Promise<boolean> {
    const { client, listed } = this.#parts;
    for (const each of listed) {
      if (!(await this.#askForTrades(each, PRIORITY.look))) return false;
      this.#endWithPosition(each.instrument);
      const seen = new Set<KeptOrder | undefined>();
      for (const params of each.hasOwnTriggerLists ? [{}, { trigger: true }] : [{}]) {
        const open = await this.#ask('query', PRIORITY.look, () => client.fetchOpenOrders(each.unified, undefined, undefined, params));
        if (open.kind !== 'answered') return false;
        for (const row of open.value) seen.add(this.#onOrder(row, each, 'trigger' in params));
      }
      this.#orders.lookForMissing(each.instrument, seen, beganAt);
    }
    const linear = listed.filter(({ category }) => category === 'linear');
    if (linear.length > 0 && !(await this.#askForPositions(linear))) return false;
    return this.#askForBalances();
  }

  /** From the last that is known on, with an overlap. */
  async #askForTrades(listed: CcxtListed, priority: Priority): Promise<boolean> {
    const { client } = this.#parts;
    let since = Math.floor(Math.min(this.#executions.askFrom, this.#deferredFrom));
    this.#deferredFrom = Infinity;
    let isWhole = true;
    for (let pages = 0; pages < MOST_PAGES; pages++) {
      const outcome = await this.#ask('query', priority, () => client.fetchMyTrades(listed.unified, since, listed.tradesPage));
      if (outcome.kind !== 'answered') return false;
      // Oldest first, as ccxt sorts them.
      for (const row of outcome.value) if (!this.#onTrade(row, listed)) isWhole = false;
      const last = outcome.value.at(-1)?.timestamp;
      if (outcome.value.length < listed.tradesPage || last === undefined || !(last > since))
        return isWhole || this.#lookForNameless(listed.instrument);
      since = last;
    }
    this.#notice(`${listed.unified} has more than ${MOST_PAGES} pages of trades`);
    return false;
  }

  /** Trades wait for their order's name. */
  #lookForNameless(instrument: number): boolean {
    for (const order of this.#orders) {
      const { intent, phase, venueId, isLooking } = order;
      if (intent.instrument !== instrument || isLooking || phase === 'ended' || phase === 'attached' || phase === 'queued') continue;
      if (venueId === '' || this.#triggers.has(order)) this.#orders.lookIn(order, 0);
    }
    return true;
  }

  async #askForPositions(linear: readonly CcxtListed[]): Promise<boolean> {
    const { client } = this.#parts;
    const outcome = await this.#ask('query', PRIORITY.look, () => client.fetchPositions(linear.map(({ unified }) => unified)));
    if (outcome.kind !== 'answered') return false;
    const held = new Map<string, Quantity>();
    for (const raw of outcome.value) {
      const listed = linear.find(({ unified }) => unified === raw.symbol);
      const read = listed === undefined ? undefined : this.#read('a row of positions', () => readPosition(raw, listed.contractSize));
      if (read !== undefined) held.set(read.symbol, add(held.get(read.symbol) ?? ZERO_QUANTITY, read.held));
    }
    // Many venues list only what is held: a symbol without a row is flat, or the list is wrong, and it is looked at twice.
    for (const { instrument, unified } of linear)
      this.#compare(instrument, unified, held.get(unified) ?? ZERO_QUANTITY, this.net(instrument));
    return true;
  }

  async #askForBalances(): Promise<boolean> {
    const { client, listed, instruments } = this.#parts;
    const outcome = await this.#ask('query', PRIORITY.look, () => client.fetchBalance());
    if (outcome.kind !== 'answered') return false;
    const balances = this.#read('the balances', () => readBalances(outcome.value));
    if (balances === undefined) return false;
    this.#balances.clear();
    for (const [coin, held] of balances) this.#balances.set(coin, held);
    for (const { instrument, category, unified } of listed) {
      const { base = '' } = instruments[instrument] ?? {};
      if (category !== 'spot' || this.#orders.isMoving(instrument)) continue;
      const held = balances.get(base) ?? ZERO_QUANTITY;
      const traded = this.#coinsTraded.get(base) ?? ZERO_QUANTITY;
      const beside = this.#coinsBeside.get(base);
      if (beside === undefined) this.#coinsBeside.set(base, subtract(held, traded));
      else this.#compare(instrument, unified, held, add(beside, traded));
    }
    return true;
  }

  /** While nothing is under way, and coins are what our trades have made of them. */
  #compareMoney(money: MoneyCheck): void {
    const { instruments } = this.#parts;
    const [first] = instruments;
    const balance = this.#balances.get(first?.quote ?? '');
    const isComparable = instruments.every(({ kind, quote }) => kind === 'spot' && quote === first?.quote);
    const isAtRest = this.#mismatches.every((times, instrument) => times === 0 && !this.#orders.isMoving(instrument));
    if (balance === undefined || !isComparable || !isAtRest) return;
    const step = money.compare(readAmount(format(balance)), 0);
    if (step === undefined) return;
    const { now, redact } = this.#parts;
    const words = redact(stepWords(step));
    this.#notice(words);
    this.#reports.push({
      kind: 'account.reported',
      happenedAt: now(),
      instrument: -1,
      side: 'buy',
      fill: undefined,
      money: step.beside,
      reason: words,
    });
  }

  /** A difference counts once it was found twice, while nothing moves. */
  #compare(instrument: number, symbol: string, held: Quantity, own: Quantity): void {
    if (compare(held, own) === 0) {
      if ((this.#mismatches[instrument] ?? 0) >= 2) this.#notice(`${symbol}: the position at the venue is ours again`);
      this.#mismatches[instrument] = 0;
      return;
    }
    this.#reconcileSoon(Math.min(SECOND_LOOK_MS, this.#parts.settings.pollMs));
    if (this.#orders.isMoving(instrument)) return;
    const times = (this.#mismatches[instrument] ?? 0) + 1;
    this.#mismatches[instrument] = times;
    if (times === 2)
      this.#notice(`${symbol}: the venue holds ${format(held)}, this run ${format(own)}; nothing opens there until they agree`);
  }

  // ---- requests ------------------------------------------------------------------------------------------------------------

  /** In its turn, and judged. Never rejects for what a venue or a network does. */
  async #ask<Value>(
    budget: Budget,
    priority: Priority,
    work: () => Promise<Value>,
    { isWanted, onSent }: { readonly isWanted?: () => boolean; readonly onSent?: () => void } = {},
  ): Promise<Outcome<Value>> {
    await this.#turns.take(budget, priority);
    if (!this.#isStarted || isWanted?.() === false) return { kind: 'unsent' };
    onSent?.();
    try {
      return { kind: 'answered', value: await work() };
    } catch (error) {
      const judged = judgeFailure(error, this.#parts.redact);
      this.#judged(judged, budget);
      return judged;
    }
  }

  #judged(judged: ReturnType<typeof judgeFailure>, budget: Budget): void {
    if (!this.#isStarted) return;
    if (judged.kind === 'unauthorised' && this.#refusedFor === '') {
      this.#refusedFor = judged.words;
      this.#notice(`the venue has refused the key: ${judged.words}; nothing opens any more`);
    }
    if (judged.kind !== 'unknown') return;
    if (judged.pauseMs !== undefined) this.#turns.freeze(judged.pauseMs, budget);
    if (judged.isClock === true) {
      this.#clockAt = this.#parts.timers.now();
      this.#arm();
    }
    this.#reconcileSoon(SECOND_MS);
  }

  /** Signatures carry the venue's time. */
  async #measureClock(): Promise<void> {
    const { client, timers } = this.#parts;
    this.#clockAt = timers.now() + CLOCK_MS;
    if (client.has['fetchTime'] !== true) return;
    const outcome = await this.#ask('market', PRIORITY.look, () => client.loadTimeDifference());
    if (outcome.kind !== 'answered' && outcome.kind !== 'unsent') this.#clockAt = timers.now() + pauseAfter(3, this.#parts.random);
    this.#arm();
  }

  #notice(words: string): void {
    const { onNotice, redact } = this.#parts;
    const safe = redact(words);
    // What stays as it is is told once.
    if (this.#told.has(safe)) return;
    this.#told.add(safe);
    onNotice(safe);
  }

  // ---- time ----------------------------------------------------------------------------------------------------------------

  #ring(): void {
    if (!this.#isStarted) return;
    const now = this.#parts.timers.now();
    this.#orders.look();
    if (this.#clockAt <= now) void this.#measureClock();
    if (this.#reconcileAt <= now && !this.#isReconciling) void this.#reconcile();
    this.#arm();
  }

  #arm(): void {
    if (!this.#isStarted) return;
    this.#alarm.set(Math.min(this.#clockAt, this.#isReconciling ? Infinity : this.#reconcileAt, this.#orders.dueAt));
  }
}

/** What ccxt calls it. @param composed what was checked, on the venue's steps */
function paramsOf({ type, timeInForce, reduceOnly }: OrderIntent, composed: Readonly<Record<string, string | number | boolean>>): Params {
  const trigger = composed['triggerPrice'];
  const levels =
    trigger === undefined
      ? {}
      : reduceOnly
        ? { [type === 'stop' ? 'stopLossPrice' : 'takeProfitPrice']: trigger }
        : { triggerPrice: trigger, triggerDirection: composed['triggerDirection'] === 2 ? 'below' : 'above' };
  return {
    ...levels,
    ...(type === 'post-only' ? { postOnly: true } : {}),
    ...(timeInForce === undefined ? {} : { timeInForce: timeInForce.toUpperCase() }),
    ...(composed['reduceOnly'] === true ? { reduceOnly: true } : {}),
  };
}

/** ccxt types numbers and takes texts, which keep every digit. */
function toNumberText(value: Quantity): number {
  return format(value) as unknown as number;
}
