// The engine: one event in, state folded, reflexes run, orders out; one decision an instant. It owns the parts of a run and
// passes the data along between the stages, which do not know each other. The order of things is in `handle` and `closeInstant`.
import { createHash } from 'node:crypto';
import { Allocation } from '../council/allocation.ts';
import { emptyPooled, pool, rearms, temper, type Pooled } from '../council/council.ts';
import { ByteWriter, type ByteReader, type Stateful } from '../domain/bytes.ts';
import {
  format,
  isZero,
  quantityFrom,
  signOf,
  smaller,
  subtract,
  toNumber,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
} from '../domain/decimal.ts';
import type { AccountView, Decision, MarketView, Target } from '../domain/decision.ts';
import type { OpinionNote, SleeveChange, StateChange } from '../domain/entry.ts';
import { assert, BallastError } from '../domain/errors.ts';
import type {
  AccountReport,
  BookEvent,
  Event,
  Fill,
  LetterArrived,
  LiquidationReport,
  MarketEvent,
  OperatorSpoke,
  OrderReport,
  TimerRang,
  VenueReport,
} from '../domain/event.ts';
import type { AmendIntent, CancelIntent, ExecutionAlgorithm, OrderIntent, Share, Side } from '../domain/order.ts';
import type { Venue } from '../domain/ports.ts';
import { layOut, type Holdings } from '../domain/sleeve.ts';
import { DAY_MS, NEVER, startOfDay, type TimeMs } from '../domain/time.ts';
import { percent } from '../domain/words.ts';
import type { Forecast, Opinion } from '../domain/opinion.ts';
import { expectedCostRatio, roundTripCostRatio } from '../execution/costs.ts';
import { Desk } from '../execution/desk.ts';
import { Board, type Series } from '../features/board.ts';
import { atr, bollinger, volatilityRatio } from '../features/catalog.ts';
import type { Indicator } from '../domain/feature.ts';
import { Portfolio } from '../portfolio/portfolio.ts';
import { createAdmission, type Admission } from '../risk/admission.ts';
import { emptyReview, review } from '../risk/gate.ts';
import { isWorthItsCost, MINIMUM_EDGE } from '../risk/rules/minimum-edge.ts';
import { requestedWeight, stopDistance } from '../risk/sizing.ts';
import { Mind } from './mind.ts';
import type { RunPlan } from './plan.ts';
import type { Recorder } from './recorder.ts';

/** Windows of the features that the rules of risk look at, in bars of an instrument's decision timeframe. */
const RULE_WINDOWS = { atr: 14, bollinger: 20, bollingerMultiple: 2, shortVolatility: 10, longVolatility: 100 };

export interface EngineParts {
  readonly plan: RunPlan;
  readonly recorder: Recorder;
  readonly venue: Venue;
  /** Told of the equity after every closed bar. */
  readonly onBar?: (at: TimeMs, equity: number) => void;
  /** Told of the equity after every fill. */
  readonly onFill?: (at: TimeMs, equity: number) => void;
  /** Told of the equity around a transfer of cash: what it is measured against moves with it. */
  readonly onTransfer?: (before: number, after: number) => void;
  /** Told of every price after the warm-up, once the body has looked at it and before anything is ordered because of it. */
  readonly onPrice?: (event: MarketEvent) => void;
  /** Runs a question to a mind that is not trusted to return; throws when it does not. */
  readonly guard?: (question: () => void) => void;
  /** In a replay: the places at which a mind is known to have failed, by sequence. */
  readonly knownFailures?: ReadonlyMap<number, ReadonlyMap<number, string>>;
}

/** What the rules watch of one instrument. */
interface RuleFeatures {
  readonly series: Series;
  readonly atr: Indicator;
  readonly bands: Indicator & { readonly percentB: number };
  readonly volatility: Indicator & { readonly long: number };
  /** From a bar's volatility to a year's. */
  readonly yearFactor: number;
}

export class Engine implements Stateful {
  readonly plan: RunPlan;
  readonly holdings: Holdings;
  readonly board: Board;
  readonly portfolio: Portfolio;
  readonly desk: Desk;
  readonly minds: readonly Mind[];
  readonly #recorder: Recorder;
  readonly #venue: Venue;
  readonly #onBar: ((at: TimeMs, equity: number) => void) | undefined;
  readonly #onFilled: ((at: TimeMs, equity: number) => void) | undefined;
  readonly #onTransfer: ((before: number, after: number) => void) | undefined;
  readonly #tellPrice: ((event: MarketEvent) => void) | undefined;
  readonly #knownFailures: ReadonlyMap<number, ReadonlyMap<number, string>> | undefined;
  readonly #guard: ((question: () => void) => void) | undefined;
  readonly #admission: Admission;
  readonly #ruleFeatures: readonly (RuleFeatures | undefined)[];
  /** By instrument and position of its series on the board: minds that subscribe to it. */
  readonly #subscribers: readonly (readonly (readonly number[])[])[];
  /** By instrument: minds that are asked at every change of its book. */
  readonly #watchers: readonly (readonly number[])[];
  readonly market: { -readonly [Key in keyof MarketView]: MarketView[Key] };
  readonly account: { -readonly [Key in keyof AccountView]: AccountView[Key] };
  /** Time of the event being handled, or the last one handled. */
  at: TimeMs = 0;
  /** Events handled so far. */
  sequence = 0;
  /** Nothing at or before this instant may come any more: its decision was taken. */
  closedInstant: TimeMs = -1;
  /** True once the first bar after the warm-up was seen. */
  #begun = false;
  haltCause = '';
  #pausedUntil: TimeMs = NaN;
  #alertedDrawdown = false;
  #alertedDay = false;
  #nextDay: TimeMs = NEVER;
  /** By instrument: time of its last market event; NaN before the first. */
  readonly #lastSeen: Float64Array;
  readonly #staleMs: TimeMs;
  /** The equity below which something has to be said. */
  #floor = NaN;
  /** A lower bound of the next timer: cheap to compare on every event, made exact when it is reached. */
  timerBound: TimeMs = NEVER;
  readonly #ring: TimerRang = { kind: 'timer.rang', at: 0, happenedAt: 0, timer: 0 };
  /** Minds to be pooled at the end of this instant, and how many. A truncated array would be made anew for every bar. */
  readonly #due: Int32Array;
  #dueCount = 0;
  readonly #isDue: Uint8Array;
  /** By mind: 1 when a close made it due, so that it is asked; 0 when it is only pooled anew. */
  readonly #mustAsk: Uint8Array;
  readonly #isLegged: number[] = [];
  #reviewStanding = false;
  /** What goes out at the end of the event, and how much of it there is: a truncated array would be made anew each time. */
  readonly #outbox: (OrderIntent | AmendIntent | CancelIntent | undefined)[] = [];
  #outgoing = 0;
  #hasSent = false;
  readonly #reviewed = emptyReview();
  /** By sleeve: what its sources came to when it was last pooled, and the arrays that are pooled. */
  readonly #pooled: readonly Pooled[];
  readonly #voices: readonly {
    readonly opinions: (Opinion | undefined)[];
    readonly weights: readonly number[];
    readonly expiresAt: Float64Array;
  }[];
  /** By sleeve: its only source; undefined where it has several. */
  readonly #solo: readonly (Mind | undefined)[];
  /** By sleeve: 1 when a leg is spot, where a negative stance means flat. */
  readonly #isLongOnly: Uint8Array;
  /** By sleeve: 1 when its stance has changed and its target is to be computed anew. */
  readonly #isFresh: Uint8Array;
  /** By instrument: half the spread of its book as a ratio of price; 0 while none is known. */
  readonly #halfSpread: Float64Array;
  /** By sleeve: 1 when its target was held back because too little was expected of it, so that it is computed anew once enough is. */
  readonly #awaitsEdge: Uint8Array;
  /** The sleeves' shares of equity where they are divided anew now and then; undefined where each keeps its own. */
  readonly #allocation: Allocation | undefined;
  // What minds are asked; made once, because it is asked at every close.
  readonly #isIdle = (mind: Mind, forecast: Forecast): boolean => !this.account.halted && this.#changesNothing(mind.sleeve, forecast);
  readonly #askNow = (mind: Mind): void => mind.ask(this.at, this.#isIdle);
  readonly #explainNow = (mind: Mind): void => mind.explainLast(this.at);

  constructor(parts: EngineParts) {
    const { plan } = parts;
    this.plan = plan;
    this.#recorder = parts.recorder;
    this.#venue = parts.venue;
    this.#onBar = parts.onBar;
    this.#onFilled = parts.onFill;
    this.#onTransfer = parts.onTransfer;
    this.#tellPrice = parts.onPrice;
    this.#knownFailures = parts.knownFailures;
    this.#guard = parts.guard;
    const instruments = plan.instruments.length;
    this.holdings = layOut(plan.sleeves, instruments);
    this.board = new Board(instruments, plan.baseTimeframeMs);
    const lots = plan.instruments.map((each) => each.lot);
    this.portfolio = new Portfolio(plan.sleeves, this.holdings, instruments, plan.capital, lots);
    const unknown = (): Float64Array => new Float64Array(instruments).fill(NaN);
    this.market = {
      at: 0,
      mark: this.portfolio.mark,
      barAt: unknown(),
      stale: new Uint8Array(instruments),
      percentB: unknown(),
      volatilityRatio: unknown(),
      atrRatio: unknown(),
      volatility: unknown(),
    };
    const equity = this.portfolio.equity;
    this.account = {
      equity,
      peakEquity: equity,
      dayStartEquity: equity,
      drawdownRatio: 0,
      dayLossRatio: 0,
      halted: false,
      paused: false,
    };
    this.desk = new Desk(plan.instruments, plan.sleeves, this.holdings, this.portfolio, this.portfolio.mark, plan.desk, {
      send: (intent, algorithm) => this.#send(intent, algorithm),
      amend: (intent, amended) => this.#amend(intent, amended),
      cancel: (intent) => this.#cancel(intent),
      cross: (instrument, shares, price, at) => this.#cross(instrument, shares, price, at),
      say: (change) => this.#say(change),
    });
    const { allocation: method, allocationWindowDays: windowDays, allocationCadenceDays: cadenceDays } = plan.council;
    if (method !== 'equal') {
      const settings = { method, windowDays, cadenceDays, riskAversion: 1 / plan.policy.kellyFraction };
      this.#allocation = new Allocation(settings, plan.sleeves, this.holdings, this.portfolio.mark);
    }
    this.#admission = createAdmission(plan.policy, plan.instruments);
    this.minds = plan.minds.map((mind) => {
      const sleeve = plan.sleeves[mind.sleeve];
      assert(sleeve !== undefined, `mind ${mind.name} speaks in a sleeve that exists`);
      return new Mind(mind, sleeve, this.board, plan.baseTimeframeMs);
    });
    this.#ruleFeatures = plan.instruments.map((_, instrument) => this.#declareRuleFeatures(instrument));
    this.#subscribers = plan.instruments.map((_, instrument) =>
      this.board
        .ofInstrument(instrument)
        .map((series) => this.minds.flatMap((mind, index) => (mind.series.includes(series) ? [index] : []))),
    );
    this.#watchers = plan.instruments.map((_, instrument) =>
      this.minds.flatMap((mind, index) =>
        mind.looksAtBooks && plan.sleeves[mind.sleeve]?.instruments.includes(instrument) === true ? [index] : [],
      ),
    );
    this.#lastSeen = unknown();
    this.#staleMs = plan.policy.staleIntervals * plan.baseTimeframeMs;
    this.#isDue = new Uint8Array(this.minds.length);
    // Twice as many as there are minds: one that is suspended while it is asked is to be pooled once more.
    this.#due = new Int32Array(2 * this.minds.length);
    this.#mustAsk = new Uint8Array(this.minds.length);
    this.#pooled = plan.sleeves.map(() => emptyPooled());
    this.#voices = plan.sleeves.map((sleeve) => ({
      opinions: sleeve.sources.map(() => undefined),
      weights: sleeve.sources.map((source) => plan.minds[source]?.weight ?? 0),
      expiresAt: new Float64Array(sleeve.sources.length),
    }));
    this.#isFresh = new Uint8Array(plan.sleeves.length);
    this.#awaitsEdge = new Uint8Array(plan.sleeves.length);
    this.#halfSpread = new Float64Array(instruments);
    this.#solo = plan.sleeves.map(({ sources }) => (sources.length === 1 ? this.minds[sources[0] ?? 0] : undefined));
    this.#isLongOnly = Uint8Array.from(plan.sleeves, (sleeve) =>
      !plan.allowSpotShort && sleeve.instruments.some((instrument) => plan.instruments[instrument]?.kind === 'spot') ? 1 : 0,
    );
    this.#setFloor();
  }

  /** The decision timeframe of an instrument is the shortest on which a mind looks at it. */
  #declareRuleFeatures(instrument: number): RuleFeatures | undefined {
    if (this.plan.rules.length === 0) return undefined;
    let shortest = Infinity;
    for (const mind of this.minds) {
      if (mind.series.some((series) => series.instrument === instrument)) shortest = Math.min(shortest, mind.timeframeMs);
    }
    if (shortest === Infinity) return undefined;
    const series = this.board.series(instrument, shortest);
    return {
      series,
      atr: series.indicator(atr(RULE_WINDOWS.atr)),
      bands: series.indicator(bollinger(RULE_WINDOWS.bollinger, RULE_WINDOWS.bollingerMultiple)) as Indicator & {
        readonly percentB: number;
      },
      volatility: series.indicator(volatilityRatio(RULE_WINDOWS.shortVolatility, RULE_WINDOWS.longVolatility)) as Indicator & {
        readonly long: number;
      },
      yearFactor: Math.sqrt((365 * DAY_MS) / shortest),
    };
  }

  /** A question to a mind that is not trusted ends by itself: somebody waits for what comes after it. */
  get guardsMinds(): boolean {
    return this.#guard !== undefined;
  }

  /** The warm-up is over: the first bar after it was seen. */
  get hasBegun(): boolean {
    return this.#begun;
  }

  /** The earliest time that the next event may carry: not before the last one, and not within an instant that was decided. */
  get earliestNext(): TimeMs {
    return Math.max(this.at, this.closedInstant + 1);
  }

  // ---- one event ---------------------------------------------------------------------------------------------------

  /** Keeps the event, folds it, and lets the body react at once. */
  handle(event: Event): void {
    this.#reach(event.at);
    switch (event.kind) {
      case 'bar.closed':
        this.#recorder.market(event);
        this.#onBarClosed(event);
        // Most timers are put off with every bar. Made exact here, the bound is not reached before the next one, and the loop has no turn for
        // nothing.
        if (this.timerBound < event.at + this.plan.baseTimeframeMs) this.nextTimer();
        break;
      case 'trade.printed':
      case 'mark.changed':
        this.#recorder.market(event);
        this.#onPrice(event);
        break;
      case 'book.changed':
        this.#recorder.market(event);
        this.#onBook(event);
        break;
      case 'funding.announced':
        this.#recorder.market(event);
        this.board.fundingOf(event.instrument)?.push(event);
        break;
      case 'timer.rang':
        this.#recorder.market(event);
        this.#onTimer(event);
        break;
      case 'funding.paid':
      case 'position.liquidated':
      case 'order.accepted':
      case 'order.amended':
      case 'order.repriced':
      case 'order.rejected':
      case 'order.cancelled':
      case 'order.expired':
      case 'order.filled':
        this.#recorder.entry(event, this.sequence);
        this.#onReport(event);
        break;
      case 'account.reported':
        this.#recorder.entry(event, this.sequence);
        this.#onAccount(event);
        break;
      case 'feed.lost':
      case 'feed.restored':
        this.#recorder.entry(event, this.sequence);
        for (let instrument = 0; instrument < this.market.stale.length; instrument++) {
          if (event.instrument !== -1 && event.instrument !== instrument) continue;
          if (event.kind === 'feed.lost') this.#distrust(instrument);
          else this.#trustAgain(instrument);
        }
        break;
      case 'operator.spoke':
        this.#recorder.entry(event, this.sequence);
        this.#onOperator(event);
        break;
      case 'opinion.formed':
        this.#recorder.entry(event, this.sequence);
        this.#onLetter(event);
        break;
    }
    this.#actOn();
  }

  /** The earliest timer, which has come: apart from other events, whose forms are few enough for compiled code to tell apart. */
  ring(): void {
    const event = this.takeTimer();
    this.#reach(event.at);
    this.#recorder.market(event);
    this.#onTimer(event);
    this.#actOn();
  }

  #reach(at: TimeMs): void {
    if (at < this.at) throw new Error(`broken invariant: events come in order of time, one of ${at} after ${this.at}`);
    this.at = at;
    this.market.at = at;
    this.sequence++;
  }

  #actOn(): void {
    if (this.desk.isDirty) this.#order();
    if (this.#outgoing > 0) this.#flush();
  }

  #order(): void {
    this.desk.order(this.at);
    if (this.desk.nextTicketAt < this.timerBound) this.timerBound = this.desk.nextTicketAt;
  }

  #onBarClosed(event: MarketEvent): void {
    const { instrument } = event;
    this.#seen(event);
    this.market.barAt[instrument] = event.happenedAt;
    this.portfolio.markAt(instrument, event.close);
    const series = this.board.ofInstrument(instrument);
    const subscribers = this.#subscribers[instrument];
    for (let position = 0; position < series.length; position++) {
      const each = series[position];
      if (each === undefined || !each.push(event)) continue;
      if (event.warmup) continue;
      const minds = subscribers?.[position];
      if (minds !== undefined) for (let index = 0; index < minds.length; index++) this.#barFor(minds[index] ?? 0, each.bar.at);
    }
    if (event.warmup) return;
    if (!this.#begun) this.#begin();
    this.#checkAccount();
    this.desk.onPrice(event);
    this.#checkLimits(instrument);
    if (this.#isLegged.length > 0) this.#checkLegged();
    this.#tellPrice?.(event);
    this.#onBar?.(event.at, this.portfolio.equity);
  }

  #onPrice(event: MarketEvent): void {
    this.#seen(event);
    this.portfolio.markAt(event.instrument, event.close);
    if (event.warmup) return;
    this.#checkAccount();
    this.desk.onPrice(event);
    if (this.#isLegged.length > 0) this.#checkLegged();
    this.#tellPrice?.(event);
  }

  /** Nothing is paid at a book that is only looked at: it moves features, and who looks at books is asked. */
  #onBook(event: BookEvent): void {
    const { instrument, bidPrice, askPrice } = event;
    const halfSpread = (askPrice - bidPrice) / (askPrice + bidPrice);
    this.#halfSpread[instrument] = Number.isNaN(halfSpread) ? 0 : halfSpread;
    const books = this.board.booksOf(instrument);
    if (books === undefined) return;
    books.push(event);
    if (event.warmup) return;
    const watchers = this.#watchers[instrument];
    if (watchers === undefined) return;
    for (let position = 0; position < watchers.length; position++) {
      const index = watchers[position] ?? 0;
      if (this.minds[index]?.suspended !== false) continue;
      this.#mustAsk[index] = 1;
      this.#makeDue(index);
    }
  }

  #seen(event: MarketEvent): void {
    const { instrument } = event;
    this.#lastSeen[instrument] = event.at;
    if (this.market.stale[instrument] === 1) this.market.stale[instrument] = 0;
    const staleAt = event.at + this.#staleMs;
    if (staleAt < this.timerBound) this.timerBound = staleAt;
  }

  /** The first bar after the warm-up: the first day starts, and the account is what it is. */
  #begin(): void {
    this.#begun = true;
    const offset = this.plan.policy.dayStartMs;
    this.#nextDay = startOfDay(this.at - offset) + offset + DAY_MS;
    if (this.#nextDay < this.timerBound) this.timerBound = this.#nextDay;
  }

  /** The barrier: a mind is due once all its bars of a close are there, or when the grace of the first one has passed. */
  #barFor(index: number, closeAt: TimeMs): void {
    const mind = this.minds[index];
    if (mind === undefined || mind.suspended || mind.askedFor === closeAt) return;
    if (mind.series.length === 1 || mind.hasAll(closeAt)) {
      mind.askedFor = closeAt;
      mind.graceAt = NEVER;
      this.#mustAsk[index] = 1;
      this.#makeDue(index);
    } else if (mind.graceAt === NEVER) {
      mind.graceAt = this.at + this.plan.graceMs;
      if (mind.graceAt < this.timerBound) this.timerBound = mind.graceAt;
    }
  }

  #makeDue(index: number): void {
    if (this.#isDue[index] === 1) return;
    this.#isDue[index] = 1;
    this.#due[this.#dueCount++] = index;
  }

  // ---- the account -------------------------------------------------------------------------------------------------

  #checkAccount(): void {
    const equity = this.portfolio.equity;
    const { account } = this;
    if (equity > account.peakEquity) {
      account.peakEquity = equity;
      this.#alertedDrawdown = false;
      this.#setFloor();
    }
    if (equity <= this.#floor) this.#sound();
  }

  /** What the rules watch, brought up to date: a decision looks at it, a bar that decides nothing does not. */
  marketNow(): MarketView {
    for (let instrument = 0; instrument < this.#ruleFeatures.length; instrument++) {
      const features = this.#ruleFeatures[instrument];
      if (features === undefined) continue;
      this.market.percentB[instrument] = features.bands.percentB;
      this.market.volatilityRatio[instrument] = features.volatility.value;
      this.market.atrRatio[instrument] = features.atr.value / features.series.bar.close;
      this.market.volatility[instrument] = features.volatility.long * features.yearFactor;
    }
    return this.market;
  }

  /** Brings the account's figures up to date for the gates. */
  #refreshAccount(): void {
    const { account } = this;
    const equity = this.portfolio.equity;
    account.equity = equity;
    account.drawdownRatio = Math.max(0, 1 - equity / account.peakEquity);
    account.dayLossRatio = Math.max(0, 1 - equity / account.dayStartEquity);
  }

  /** Equity has fallen through a level: alert, pause or halt. */
  #sound(): void {
    this.#refreshAccount();
    const { account, at } = this;
    const { policy } = this.plan;
    if (this.plan.rules.length > 0) {
      if (!account.halted && account.drawdownRatio >= policy.drawdownHaltRatio) {
        this.#say({
          kind: 'halt.latched',
          at,
          cause: `drawdown ${percent(account.drawdownRatio)} reached ${percent(policy.drawdownHaltRatio)}`,
        });
      }
      if (!this.#alertedDrawdown && account.drawdownRatio >= policy.drawdownAlertRatio) {
        this.#say({
          kind: 'alert.raised',
          at,
          rule: 'drawdown',
          why: `drawdown ${percent(account.drawdownRatio)} reached ${percent(policy.drawdownAlertRatio)}`,
        });
      }
      if (!this.#alertedDay && account.dayLossRatio >= policy.dailyLossAlertRatio) {
        this.#say({
          kind: 'alert.raised',
          at,
          rule: 'daily-loss',
          why: `the day's loss ${percent(account.dayLossRatio)} reached ${percent(policy.dailyLossAlertRatio)}`,
        });
      }
      if (!account.paused && account.dayLossRatio >= policy.dailyLossPauseRatio) {
        this.#say({
          kind: 'pause.began',
          at,
          until: this.#nextDay,
          cause: `the day's loss ${percent(account.dayLossRatio)} reached ${percent(policy.dailyLossPauseRatio)}`,
        });
      }
    }
    this.#setFloor();
  }

  /** The highest level that has not been sounded yet. */
  #setFloor(): void {
    const { account } = this;
    const { policy } = this.plan;
    let floor = -Infinity;
    if (this.plan.rules.length > 0) {
      if (!account.halted) floor = Math.max(floor, account.peakEquity * (1 - policy.drawdownHaltRatio));
      if (!this.#alertedDrawdown) floor = Math.max(floor, account.peakEquity * (1 - policy.drawdownAlertRatio));
      if (!this.#alertedDay) floor = Math.max(floor, account.dayStartEquity * (1 - policy.dailyLossAlertRatio));
      if (!account.paused) floor = Math.max(floor, account.dayStartEquity * (1 - policy.dailyLossPauseRatio));
    }
    this.#floor = floor;
  }

  /** Standing positions are cut only beyond the limit's tolerance: a cheap look whether that is so anywhere. */
  #checkLimits(instrument: number): void {
    const net = this.portfolio.netHeld[instrument] ?? 0;
    if (net === 0 || this.plan.rules.length === 0) return;
    const { policy } = this.plan;
    const equity = this.portfolio.equity;
    const owners = this.holdings.ofInstrument[instrument] ?? [];
    let gross = owners.length === 1 ? Math.abs(net) : 0;
    if (owners.length > 1) for (const holding of owners) gross += Math.abs(this.portfolio.held[holding] ?? 0);
    const mark = this.portfolio.mark[instrument] ?? NaN;
    if (gross * mark > policy.positionRatio * policy.standingToleranceRatio * equity) {
      this.#reviewStanding = true;
      return;
    }
    // Of one instrument it is all there is, and less than what was looked at.
    if (this.holdings.ofInstrument.length === 1 && policy.leverageRatio >= policy.positionRatio) return;
    let total = 0;
    for (let holding = 0; holding < this.holdings.count; holding++) {
      total += Math.abs(this.portfolio.held[holding] ?? 0) * (this.portfolio.mark[this.holdings.instrument[holding] ?? 0] ?? 0);
    }
    if (total > policy.leverageRatio * policy.standingToleranceRatio * equity) this.#reviewStanding = true;
  }

  #checkLegged(): void {
    for (let index = this.#isLegged.length - 1; index >= 0; index--) {
      const sleeve = this.#isLegged[index] ?? 0;
      if (Number.isNaN(this.desk.leggedSince[sleeve] ?? NaN)) this.#isLegged.splice(index, 1);
      else this.desk.checkLeggedLoss(sleeve, this.portfolio.equity, this.at);
    }
  }

  // ---- reports, operator, letters, timers ----------------------------------------------------------------------------

  #onReport(report: VenueReport): void {
    if (report.kind === 'funding.paid') {
      this.portfolio.payFunding(report.instrument, report.amount);
      this.#checkAccount();
      return;
    }
    if (report.kind === 'position.liquidated') {
      this.#onLiquidation(report);
      return;
    }
    const { tracker } = this.desk;
    const found =
      report.kind === 'order.amended'
        ? tracker.amended(report)
        : report.kind === 'order.repriced'
          ? tracker.repriced(report)
          : tracker.report(report);
    if (found === undefined) {
      this.#say({
        kind: 'alert.raised',
        at: this.at,
        rule: 'unknown-order',
        why: `${report.kind} for ${report.order}, which this run never sent`,
      });
      return;
    }
    if (found.news === 'none') return;
    if (report.kind === 'order.repriced') return;
    if (report.kind === 'order.amended') {
      if (found.news === 'news') this.desk.notMoved(found.order, this.at);
      return;
    }
    if (report.fill !== undefined) {
      this.#onFill(report, found.order.intent, found.parts);
      this.#onFilled?.(this.at, this.portfolio.equity);
    }
    if (found.news === 'news') this.desk.afterReport(report, found.order, this.at);
  }

  #onFill(report: OrderReport, intent: OrderIntent, parts: readonly { holding: number; quantity: Quantity }[]): void {
    const { fill, instrument } = report;
    assert(fill !== undefined, 'a filled order carries a fill');
    if (intent.role === 'disaster') {
      this.#closedAtVenue(instrument, fill, intent.side, `disaster stop ${intent.id} filled at the venue`);
      return;
    }
    this.portfolio.book(instrument, parts, fill.price, fill.fee);
    const price = toNumber(fill.price);
    for (const booking of parts) this.#booked(booking.holding, price);
    this.#checkAccount();
  }

  /** The net position was closed, or a part of it: every sleeve in the instrument shrinks with it and is stopped. */
  #closedAtVenue(instrument: number, fill: Fill, side: Side, because: string): void {
    const stopped = new Set(
      (this.holdings.ofInstrument[instrument] ?? [])
        .filter((holding) => this.portfolio.held[holding] !== 0)
        .map((holding) => this.holdings.sleeve[holding] ?? 0),
    );
    const bookings = this.portfolio.bookDisaster(instrument, fill.quantity, fill.price, fill.fee, side);
    for (const sleeve of stopped) this.#say({ kind: 'sleeve.stopped', at: this.at, sleeve, because });
    const price = toNumber(fill.price);
    for (const booking of bookings) this.#booked(booking.holding, price);
    this.#checkAccount();
  }

  #onLiquidation({ instrument, side, fill, insurance, deleveraged }: LiquidationReport): void {
    const symbol = this.plan.instruments[instrument]?.symbol ?? '';
    const borne = isZero(insurance) ? '' : `; the insurance fund bore ${format(insurance)}`;
    const taken = isZero(deleveraged) ? '' : `; ${format(deleveraged)} was taken from the other side`;
    const why = `${format(fill.quantity)} ${symbol} liquidated at ${format(fill.price)}${borne}${taken}`;
    this.#say({ kind: 'alert.raised', at: this.at, rule: 'liquidation', why });
    this.#closedAtVenue(instrument, fill, side, 'liquidated by the venue');
    this.desk.protect(instrument, this.at);
  }

  /** Nothing of this run's explains it. Where it is adopted, sleeves shrink by it, or the first holding of the instrument has it now. */
  #onAccount({ instrument, side, fill, money, reason }: AccountReport): void {
    this.#say({ kind: 'alert.raised', at: this.at, rule: 'account', why: reason });
    if (money !== undefined) this.#onMoney(money);
    if (fill === undefined) return;
    const net = signOf(this.portfolio.net[instrument] ?? ZERO_QUANTITY);
    if (net === (side === 'sell' ? 1 : -1)) this.#closedAtVenue(instrument, fill, side, 'closed by another hand');
    else this.#adopt(instrument, side, fill);
    this.desk.protect(instrument, this.at);
  }

  /**
   * The run's own money is its capital, or all that there is where that is less: what goes is first what was beside the capital, and what comes
   * back is the run's up to its capital. Nobody's deposit makes a run larger than it was allowed to be.
   */
  #onMoney(money: Amount): void {
    const amount = subtract(smaller(this.plan.capital, money), this.portfolio.totalGiven());
    if (isZero(amount)) return;
    this.#say({ kind: 'cash.transferred', at: this.at, amount, equity: this.portfolio.equity });
    this.#checkAccount();
  }

  /**
   * Losses are measured from equities of before, which move in proportion: a transfer is neither a loss nor makes one smaller. Of nothing
   * there is no proportion: a run whose money is all gone has lost all of it, until it comes back.
   */
  #transfer(amount: Amount): void {
    const { account, portfolio } = this;
    const before = portfolio.equity;
    portfolio.transfer(amount);
    const after = portfolio.equity;
    if (before > 0 && after > 0) {
      account.peakEquity *= after / before;
      account.dayStartEquity *= after / before;
    }
    this.#onTransfer?.(before, after);
  }

  /** The sleeve stands by it as by a decision of its own, until its sources say otherwise. */
  #adopt(instrument: number, side: Side, fill: Fill): void {
    const price = toNumber(fill.price);
    // Protection is reckoned from a price: what there is before the first bar is the one at which it was bought.
    if (Number.isNaN(this.portfolio.mark[instrument] ?? NaN)) this.portfolio.markAt(instrument, price);
    const bookings = this.portfolio.bookDisaster(instrument, fill.quantity, fill.price, fill.fee, side);
    for (const { holding } of bookings) {
      const sleeve = this.holdings.sleeve[holding] ?? 0;
      // Half a pair is nothing that a pair can stand by: it is closed like any leg that is too much.
      if (this.plan.sleeves[sleeve]?.instruments.length === 1) {
        const quantity = this.portfolio.quantity[holding] ?? ZERO_QUANTITY;
        const stopRatio = this.plan.rules.length > 0 ? this.plan.policy.stopRatio : NaN;
        this.desk.freeze(sleeve, { quantities: [quantity], stance: signOf(quantity), stopRatio, trailR: NaN });
      }
      this.#booked(holding, price);
    }
    this.#checkAccount();
  }

  #booked(holding: number, price: number): void {
    this.desk.afterBooking(holding, price, this.at);
    const sleeve = this.holdings.sleeve[holding] ?? 0;
    this.#refreshOwn(sleeve);
    if (Number.isNaN(this.desk.leggedSince[sleeve] ?? NaN)) return;
    if (!this.#isLegged.includes(sleeve)) this.#isLegged.push(sleeve);
    this.timerBound = Math.min(this.timerBound, this.desk.leggedDue(sleeve));
  }

  #cross(instrument: number, parts: readonly Share[], price: Price, at: TimeMs): void {
    this.#recorder.entry({ kind: 'crossing.made', at, instrument, price, parts }, this.sequence);
    this.portfolio.cross(instrument, parts, price);
    for (const part of parts) this.#booked((this.holdings.first[part.sleeve] ?? 0) + part.leg, toNumber(price));
  }

  #onOperator(event: OperatorSpoke): void {
    const { at } = event;
    switch (event.command) {
      case 'halt':
        if (!this.account.halted) this.#say({ kind: 'halt.latched', at, cause: `operator ${event.by}` });
        break;
      case 'resume':
        if (this.account.halted) this.#say({ kind: 'halt.released', at, by: event.by });
        break;
      case 'flatten':
        this.plan.sleeves.forEach((_, sleeve) =>
          this.#say({ kind: 'sleeve.closed', at, sleeve, because: `operator ${event.by} flattened everything` }),
        );
        break;
      case 'close': {
        const sleeve = this.plan.sleeves.findIndex((each) => each.name === event.argument);
        if (sleeve >= 0) this.#say({ kind: 'sleeve.closed', at, sleeve, because: `operator ${event.by} closed it` });
        else this.#say({ kind: 'alert.raised', at, rule: 'operator', why: `no sleeve is named ${JSON.stringify(event.argument)}` });
        break;
      }
    }
  }

  #onLetter(letter: LetterArrived): void {
    const mind = this.minds[letter.source];
    if (mind === undefined || mind.suspended) return;
    try {
      mind.take(letter.opinion, this.at);
    } catch (cause) {
      this.#mindFailed(letter.source, cause);
      return;
    }
    this.#renew(mind);
    this.#makeDue(letter.source);
  }

  /** A feed is lost or silent: entries are called back, nothing increases until it speaks again. */
  #distrust(instrument: number): void {
    if (this.market.stale[instrument] === 1) return;
    this.market.stale[instrument] = 1;
    this.desk.cancelEntries(this.at, instrument);
  }

  /** The wire is up again: what is known is trusted only if it is not too old by now; otherwise the next price brings trust back. */
  #trustAgain(instrument: number): void {
    const staleAt = (this.#lastSeen[instrument] ?? NaN) + this.#staleMs;
    if (!(staleAt > this.at)) return;
    this.market.stale[instrument] = 0;
    if (staleAt < this.timerBound) this.timerBound = staleAt;
  }

  // Timers, by index: the day; then by instrument its silence; by mind its expiry and its grace; by sleeve its one-legged time; by
  // instrument its ticket.

  /** The earliest due time, exactly. */
  nextTimer(): TimeMs {
    this.timerBound = this.#earliestTimer();
    return this.timerBound;
  }

  #earliestTimer(): TimeMs {
    const instruments = this.plan.instruments.length;
    const minds = this.minds.length;
    let earliest = this.#nextDay;
    let which = 0;
    for (let instrument = 0; instrument < instruments; instrument++) {
      if (this.market.stale[instrument] === 1) continue;
      const due = (this.#lastSeen[instrument] ?? NaN) + this.#staleMs;
      if (due < earliest) {
        earliest = due;
        which = 1 + instrument;
      }
    }
    for (let index = 0; index < minds; index++) {
      const mind = this.minds[index];
      if (mind === undefined) continue;
      if (mind.isAlive && mind.expiresAt < earliest) {
        earliest = mind.expiresAt;
        which = 1 + instruments + index;
      }
      if (mind.graceAt < earliest) {
        earliest = mind.graceAt;
        which = 1 + instruments + minds + index;
      }
    }
    for (let index = 0; index < this.#isLegged.length; index++) {
      const sleeve = this.#isLegged[index] ?? 0;
      const due = this.desk.leggedDue(sleeve);
      if (due < earliest) {
        earliest = due;
        which = 1 + instruments + 2 * minds + sleeve;
      }
    }
    if (this.desk.nextTicketAt < earliest) {
      earliest = this.desk.nextTicketAt;
      which = 1 + instruments + 2 * minds + this.plan.sleeves.length + this.#ticketDueAt(earliest);
    }
    this.#ring.timer = which;
    return earliest;
  }

  /** Apart from the look at every timer: a closure over its variables would move them to the heap at each. */
  #ticketDueAt(at: TimeMs): number {
    return this.plan.instruments.findIndex((_, instrument) => this.desk.ticketDueAt(instrument) === at);
  }

  /** The event of the earliest timer, not before the last event handled. Call after `nextTimer`. */
  takeTimer(): TimerRang {
    const due = this.#earliestTimer();
    const ring = this.#ring;
    ring.happenedAt = due;
    ring.at = Math.max(due, this.earliestNext);
    return ring;
  }

  #onTimer(event: TimerRang): void {
    const instruments = this.plan.instruments.length;
    const minds = this.minds.length;
    const { timer } = event;
    if (timer === 0) {
      this.#nextDay += DAY_MS;
      if (this.account.paused) this.#say({ kind: 'pause.ended', at: this.at });
      this.#say({ kind: 'day.started', at: this.at, equity: this.portfolio.equity });
      if (this.#allocation !== undefined) this.#allocate(this.#allocation);
    } else if (timer <= instruments) this.#distrust(timer - 1);
    else if (timer <= instruments + minds) {
      const index = timer - 1 - instruments;
      this.minds[index]?.expire(this.at);
      this.#makeDue(index);
    } else if (timer <= instruments + 2 * minds) {
      const index = timer - 1 - instruments - minds;
      const mind = this.minds[index];
      if (mind !== undefined) {
        mind.graceAt = NEVER;
        mind.abstain('a leg has no bar for this close', this.at);
        this.#makeDue(index);
      }
    } else if (timer > instruments + 2 * minds + this.plan.sleeves.length) {
      this.desk.ringTicket(timer - 1 - instruments - 2 * minds - this.plan.sleeves.length, this.at);
    } else {
      const sleeve = timer - 1 - instruments - 2 * minds;
      const since = this.desk.leggedSince[sleeve] ?? NaN;
      this.#say({ kind: 'sleeve.closed', at: this.at, sleeve, because: `only one leg of the pair was filled for ${this.at - since} ms` });
      this.desk.leggedSince[sleeve] = NaN;
    }
    this.nextTimer();
  }

  /** A day of paper returns is over; shares change where it is their day. Weights that do not exist leave them as they are. */
  #allocate(allocation: Allocation): void {
    const { at } = this;
    try {
      const allocated = allocation.closeDay();
      if (allocated !== undefined) this.#say({ kind: 'shares.changed', at, ...allocated });
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      this.#say({ kind: 'alert.raised', at, rule: 'allocation', why: `the shares stay as they are: ${cause.message}` });
    }
  }

  // ---- state changes -------------------------------------------------------------------------------------------------

  /** Records a change of state, then folds it. The only way in which reflexes change anything. */
  #say(change: StateChange): void {
    this.#recorder.entry(change, this.sequence);
    const { account } = this;
    switch (change.kind) {
      case 'halt.latched':
        account.halted = true;
        this.haltCause = change.cause;
        for (let sleeve = 0; sleeve < this.plan.sleeves.length; sleeve++) this.#allocation?.left(sleeve);
        break;
      case 'halt.released':
        account.halted = false;
        this.haltCause = '';
        // Re-armed by hand: the operator accepts the loss, so the peak is today's equity.
        account.peakEquity = this.portfolio.equity;
        this.#alertedDrawdown = false;
        for (let index = 0; index < this.minds.length; index++) this.#makeDue(index);
        break;
      case 'pause.began':
        account.paused = true;
        this.#pausedUntil = change.until;
        break;
      case 'pause.ended':
        account.paused = false;
        this.#pausedUntil = NaN;
        break;
      case 'day.started':
        account.dayStartEquity = change.equity;
        this.#alertedDay = false;
        break;
      case 'alert.raised':
        if (change.rule === 'drawdown') this.#alertedDrawdown = true;
        if (change.rule === 'daily-loss') this.#alertedDay = true;
        break;
      case 'mind.suspended': {
        const mind = this.minds[change.source];
        if (mind !== undefined) {
          mind.suspended = true;
          mind.expire(this.at);
          this.#makeDue(change.source);
        }
        break;
      }
      case 'sleeve.stopped':
      case 'sleeve.closed':
        this.#allocation?.left(change.sleeve);
        break;
      case 'cash.transferred':
        this.#transfer(change.amount);
        break;
      case 'shares.changed':
        this.#allocation?.shares.set(change.shares);
        // What is over its new share is cut at the end of this instant; all else waits until its sleeve decides anew.
        for (let sleeve = 0; sleeve < change.shares.length; sleeve++) if (this.#cutOf(sleeve) < 1) this.#reviewStanding = true;
        break;
      default:
        break;
    }
    this.desk.apply(change);
    // A release makes every sleeve decide anew: its stance is nothing again.
    if (change.kind === 'halt.released') this.plan.sleeves.forEach((_, sleeve) => this.#refreshOwn(sleeve));
    this.#setFloor();
  }

  get pausedUntil(): TimeMs {
    return this.#pausedUntil;
  }

  // ---- the decision --------------------------------------------------------------------------------------------------

  /** Something waits for the end of this instant. */
  get isOpen(): boolean {
    return this.#dueCount > 0 || this.#reviewStanding || this.desk.isSpreadDue;
  }

  /** All that can be known of this instant is known: the due minds are asked, and one decision is taken. True when something was sent. */
  closeInstant(): boolean {
    this.closedInstant = this.at;
    if (this.desk.isSpreadDue) this.desk.watchSpreads(this.at);
    const due = this.#due;
    let changes = 0;
    for (let position = 0; position < this.#dueCount; position++) {
      const index = due[position] ?? 0;
      this.#isDue[index] = 0;
      const mind = this.minds[index];
      if (mind === undefined) continue;
      // An expired, suspended or incomplete mind was made due to be pooled anew, not to be asked.
      if (this.#mustAsk[index] === 1) {
        this.#mustAsk[index] = 0;
        if (!mind.suspended && mind.isWarm && this.#question(index, mind, this.#askNow)) this.#renew(mind);
      } else if (mind.owesReasons) this.#question(index, mind, this.#explainNow);
    }
    if (!this.account.halted) {
      for (let position = 0; position < this.#dueCount; position++) {
        const mind = this.minds[due[position] ?? 0];
        if (mind === undefined) continue;
        if (mind.isIdle) mind.isIdle = false;
        else if (this.#wantsChange(mind.sleeve)) changes++;
      }
    }
    this.#dueCount = 0;
    const mustReview = changes > 0 || (this.#reviewStanding && !this.account.halted);
    this.#reviewStanding = false;
    if (mustReview) this.#decide();
    if (this.desk.isDirty) this.#order();
    if (this.#outgoing === 0) return false;
    this.#flush();
    return true;
  }

  /** Asks a mind for something, guarded where it is not trusted. False when it failed, now or in the recording. */
  #question(index: number, mind: Mind, ask: (mind: Mind) => void): boolean {
    const failures = this.#knownFailures;
    const known = failures === undefined || failures.size === 0 ? undefined : failures.get(this.sequence)?.get(index);
    if (known !== undefined) {
      this.#countFailure(index, known);
      return false;
    }
    try {
      if (mind.isTrusted || this.#guard === undefined) ask(mind);
      else this.#guard(() => ask(mind));
    } catch (cause) {
      this.#mindFailed(index, cause);
      return false;
    }
    return true;
  }

  /** What the sleeve's minds may know of it. Brought up to date when it changes, not when they ask. */
  #refreshOwn(sleeve: number): void {
    const sources = this.plan.sleeves[sleeve]?.sources ?? [];
    for (const source of sources) {
      const own = this.minds[source]?.own;
      if (own === undefined) continue;
      own.side = this.desk.sideHeld(sleeve);
      own.stance = this.desk.wants.stance[sleeve] ?? 0;
      own.entryPrice = this.#entryOf(sleeve);
      own.heldSince = this.desk.wants.heldSince[sleeve] ?? NaN;
    }
  }

  /** Of the first leg that is held. */
  #entryOf(sleeve: number): number {
    const first = this.holdings.first[sleeve] ?? 0;
    const legs = this.plan.sleeves[sleeve]?.instruments.length ?? 0;
    for (let holding = first; holding < first + legs; holding++)
      if (this.portfolio.held[holding] !== 0) return this.portfolio.entryPrice[holding] ?? NaN;
    return NaN;
  }

  #renew(mind: Mind): void {
    // An expired one speaks for flat without being alive.
    if (mind.opinion?.kind !== 'forecast' || !mind.isAlive) return;
    mind.expiresAt = this.at + this.plan.opinionLifeBars * mind.timeframeMs;
    if (mind.expiresAt < this.timerBound) this.timerBound = mind.expiresAt;
  }

  #mindFailed(index: number, cause: unknown): void {
    const because = cause instanceof Error ? cause.message : String(cause);
    if (this.plan.mindFailure.action === 'stop') {
      throw cause instanceof BallastError
        ? cause
        : new BallastError({
            code: 'MIND_FAILED',
            place: `strategy ${this.minds[index]?.name ?? index}`,
            found: because,
            expected: 'an answer in time',
            cause,
          });
    }
    this.#countFailure(index, because);
  }

  /** A failure is an abstention; after the last strike the mind is suspended and its sleeve made flat. */
  #countFailure(index: number, because: string): void {
    const mind = this.minds[index];
    if (mind === undefined) return;
    this.#recorder.entry({ kind: 'mind.failed', at: this.at, source: index, because }, this.sequence);
    mind.abstain(because, this.at);
    mind.failures++;
    if (mind.failures >= this.plan.mindFailure.strikes && !mind.suspended) {
      this.#say({ kind: 'mind.suspended', at: this.at, source: index, because: `failed ${mind.failures} times, last: ${because}` });
    }
  }

  /** Pools the sleeve's opinions. True when its target must be computed anew. */
  #wantsChange(sleeve: number): boolean {
    const { wants } = this.desk;
    if (this.#stands(sleeve)) return false;
    const pooled = this.#pool(sleeve);
    const latched = wants.latchedSide[sleeve] ?? 0;
    if (latched !== 0) {
      if (!rearms(pooled, latched > 0 ? 1 : -1)) return false;
      this.#say({ kind: 'sleeve.rearmed', at: this.at, sleeve });
    }
    if (pooled.kind === 'hold') return false;
    const { stance } = pooled;
    const frozen = wants.stance[sleeve] ?? 0;
    const isSame = Math.sign(stance) === Math.sign(frozen) && Math.abs(stance - frozen) < this.plan.stanceStep - 1e-12;
    if (isSame && (this.#awaitsEdge[sleeve] === 0 || !this.#hasEdge(sleeve))) return false;
    this.#isFresh[sleeve] = 1;
    return true;
  }

  /** Its leading forecast expects enough of a trade now. */
  #hasEdge(sleeve: number): boolean {
    const cost = this.#roundTripCost(sleeve, this.#leader(sleeve).legs);
    return isWorthItsCost(this.#expectedReturn(sleeve), cost, this.plan.policy.edgeMultiple);
  }

  /** What the leading forecast expects of the side that the sleeve takes; NaN where it names nothing. */
  #expectedReturn(sleeve: number): number {
    const { opinion } = this.#leader(sleeve);
    const ofSubject = opinion?.kind === 'forecast' ? (opinion.expectedReturn ?? NaN) : NaN;
    return Math.sign(this.#pooled[sleeve]?.stance ?? 0) * ofSubject;
  }

  #roundTripCost(sleeve: number, legs: readonly number[]): number {
    const subject = this.plan.sleeves[sleeve]?.instruments ?? [];
    return roundTripCostRatio(legs, subject, this.plan.instruments, this.plan.expectedSlippageRatio, this.#halfSpread);
  }

  /** The common case, without pooling: the sleeve's only source says what is frozen already, or what it was stopped on. */
  #stands(sleeve: number): boolean {
    const mind = this.#solo[sleeve];
    const opinion = mind?.opinion;
    return opinion?.kind === 'forecast' && this.at < (mind?.expiresAt ?? NEVER) && this.#changesNothing(sleeve, opinion);
  }

  /** What the sleeve's only source says is frozen already, or what it was stopped on. */
  #changesNothing(sleeve: number, forecast: Forecast): boolean {
    if (this.#solo[sleeve] === undefined || this.#awaitsEdge[sleeve] === 1) return false;
    const { wants } = this.desk;
    const stance = forecast.stance < 0 && this.#isLongOnly[sleeve] === 1 ? 0 : forecast.stance;
    const latched = wants.latchedSide[sleeve] ?? 0;
    // A stopped sleeve waits until its source was neutral or on the other side.
    if (latched !== 0) return Math.sign(stance) === latched;
    const frozen = wants.stance[sleeve] ?? 0;
    if (stance === frozen) return true;
    return Math.sign(stance) === Math.sign(frozen) && Math.abs(stance - frozen) < this.plan.stanceStep - 1e-12;
  }

  #pool(sleeve: number): Pooled {
    const pooled = this.#pooled[sleeve];
    const voices = this.#voices[sleeve];
    const plan = this.plan.sleeves[sleeve];
    assert(pooled !== undefined && voices !== undefined && plan !== undefined, 'only sleeves of the plan are pooled');
    const { sources } = plan;
    for (let position = 0; position < sources.length; position++) {
      const mind = this.minds[sources[position] ?? 0];
      voices.opinions[position] = mind?.opinion;
      voices.expiresAt[position] = mind?.expiresAt ?? NEVER;
    }
    const settings = this.plan.council;
    pool(voices.opinions, voices.weights, voices.expiresAt, this.at, settings, pooled);
    // On spot a negative stance means flat.
    if (pooled.stance < 0 && this.#isLongOnly[sleeve] === 1) pooled.stance = 0;
    if (settings.minimumHoldMs > 0 || settings.cooldownMs > 0) {
      const { wants } = this.desk;
      temper(
        pooled,
        {
          side: this.desk.sideHeld(sleeve),
          heldSince: wants.heldSince[sleeve] ?? NaN,
          closedAt: wants.closedAt[sleeve] ?? NaN,
          stopped: wants.latchedSide[sleeve] !== 0,
        },
        this.at,
        settings,
      );
    }
    return pooled;
  }

  /** One decision: the complete target portfolio, through gate one, frozen, recorded. */
  #decide(): void {
    this.marketNow();
    this.#refreshAccount();
    const { account } = this;
    // Loops, here and in what follows: a list that a callback fills changes its kind with the first number, by a call.
    const targets: Target[] = [];
    for (let sleeve = 0; sleeve < this.plan.sleeves.length; sleeve++) targets.push(this.#targetOf(sleeve));
    const decision: Decision = { id: this.desk.beginDecision(), at: this.at, targets };
    const { approved, rulings } = review(decision, this.market, account, this.plan.rules, this.#reviewed);
    const changes: SleeveChange[] = [];
    for (let sleeve = 0; sleeve < targets.length; sleeve++) {
      const asked = targets[sleeve];
      const given = approved.targets[sleeve];
      const pooled = this.#pooled[sleeve];
      if (asked === undefined || given === undefined || pooled === undefined) continue;
      const stanceBefore = this.desk.wants.stance[sleeve] ?? 0;
      if (asked.fresh) {
        const quantities = this.#quantities(given);
        const { stance } = pooled;
        const stopRatio = this.plan.rules.length > 0 || !Number.isNaN(this.#ownStop(sleeve)) ? given.stopRatio : NaN;
        const trailRatio = this.#protectionOf(sleeve)?.trailRatio ?? NaN;
        this.desk.freeze(sleeve, { quantities, stance, stopRatio, trailR: this.#trailOf(sleeve), trailRatio });
        this.#isFresh[sleeve] = 0;
        this.#awaitsEdge[sleeve] = given.clampedBy?.includes(MINIMUM_EDGE) === true ? 1 : 0;
        this.#refreshOwn(sleeve);
        const { outcome, voices, agreeing, agreement } = pooled;
        const opinions = this.#notes(sleeve);
        changes.push({ sleeve, stanceBefore, stance, quantities, opinions, pool: { outcome, voices, agreeing, agreement } });
        this.#allocation?.decided(sleeve, this.#requestedWeight(sleeve, 1), this.#leader(sleeve).legs, given.weights);
        continue;
      }
      const cut = this.#cutOf(sleeve);
      if (cut < 1 || (given !== asked && given.weights.some((weight, leg) => Math.abs(weight) < Math.abs(asked.weights[leg] ?? 0)))) {
        const quantities = this.#quantities(given);
        this.desk.shrink(sleeve, quantities);
        this.#allocation?.scaled(sleeve, cut * (this.#reviewed.scales[sleeve] ?? 1));
        changes.push({ sleeve, stanceBefore, stance: stanceBefore, quantities, opinions: [], pool: undefined });
      }
    }
    if (changes.length > 0 || rulings.length > 0) {
      const { equity } = account;
      this.#recorder.entry({ kind: 'decision.taken', at: this.at, id: decision.id, equity, changes, rulings }, this.sequence);
    }
    const halt = rulings.find((ruling) => ruling.kind === 'halt');
    if (halt !== undefined && !account.halted) this.#say({ kind: 'halt.latched', at: this.at, cause: `${halt.rule}: ${halt.why}` });
  }

  #targetOf(sleeve: number): Target {
    const { account, portfolio } = this;
    const plan = this.plan.sleeves[sleeve];
    assert(plan !== undefined, 'targets name sleeves that exist');
    const first = this.holdings.first[sleeve] ?? 0;
    const { instruments } = plan;
    const heldWeights: number[] = [];
    const weights: number[] = [];
    for (let leg = 0; leg < instruments.length; leg++) {
      const held = portfolio.held[first + leg] ?? 0;
      heldWeights.push(held === 0 ? 0 : (held * (portfolio.mark[instruments[leg] ?? 0] ?? NaN)) / account.equity);
    }
    const { wants } = this.desk;
    if (this.#isFresh[sleeve] === 0) {
      const cut = this.#cutOf(sleeve);
      for (let leg = 0; leg < instruments.length; leg++) {
        const target = wants.target[first + leg] ?? ZERO_QUANTITY;
        const mark = portfolio.mark[instruments[leg] ?? 0] ?? NaN;
        weights.push(signOf(target) === 0 ? 0 : (cut * toNumber(target) * mark) / account.equity);
      }
      const stopRatio = wants.stopRatio[sleeve] ?? NaN;
      return {
        sleeve,
        fresh: false,
        weights,
        heldWeights,
        instruments,
        stopRatio: Number.isNaN(stopRatio) ? this.plan.policy.stopRatio : stopRatio,
        expectedReturn: NaN,
        roundTripCostRatio: NaN,
      };
    }
    const { legs } = this.#leader(sleeve);
    const weight = this.#requestedWeight(sleeve, this.#allocation?.shares[sleeve] ?? plan.shareRatio);
    for (let leg = 0; leg < legs.length; leg++) weights.push(weight * (legs[leg] ?? NaN));
    return {
      sleeve,
      fresh: true,
      weights,
      heldWeights,
      instruments,
      stopRatio: this.#stopDistance(sleeve),
      expectedReturn: this.#expectedReturn(sleeve),
      roundTripCostRatio: this.#roundTripCost(sleeve, legs),
    };
  }

  /** What the sleeve's pooled stance asks for on a share of equity, before any limit, for each leg's ratio to multiply. */
  #requestedWeight(sleeve: number, shareRatio: number): number {
    const { opinion } = this.#leader(sleeve);
    const pooled = this.#pooled[sleeve];
    return requestedWeight(this.plan.sizing, this.plan.policy, {
      stance: pooled?.stance ?? 0,
      shareRatio,
      stopRatio: this.#stopDistance(sleeve),
      targetRatio: (opinion?.kind === 'forecast' ? opinion.protection?.targetRatio : undefined) ?? NaN,
      volatility: this.market.volatility[this.#sizedOn(sleeve)] ?? NaN,
      confidence: pooled?.confidence ?? 0,
    });
  }

  /** Instrument of the first leg that is traded: its notional is what a stop on the spread is a ratio of. */
  #sizedOn(sleeve: number): number {
    const { legs } = this.#leader(sleeve);
    const instruments = this.plan.sleeves[sleeve]?.instruments ?? [];
    for (let leg = 0; leg < instruments.length; leg++) if (legs[leg] !== 0) return instruments[leg] ?? 0;
    return instruments[0] ?? 0;
  }

  #stopDistance(sleeve: number): number {
    const own = this.#ownStop(sleeve);
    const atrRatio = this.market.atrRatio[this.#sizedOn(sleeve)] ?? NaN;
    return stopDistance(this.plan.policy, atrRatio, Number.isNaN(own) ? undefined : own);
  }

  /** What is left of a standing target whose sleeve's share has shrunk; 1 where shares do not move. */
  #cutOf(sleeve: number): number {
    return this.#allocation?.cutOf(sleeve, this.plan.policy.standingToleranceRatio) ?? 1;
  }

  /** The source whose protection and leg ratios stand for the sleeve: the heaviest on the pooled side. */
  #leader(sleeve: number): Mind {
    const solo = this.#solo[sleeve];
    if (solo !== undefined) return solo;
    const sources = this.plan.sleeves[sleeve]?.sources ?? [];
    const leader = this.minds[sources[Math.max(0, this.#pooled[sleeve]?.leader ?? 0)] ?? 0];
    assert(leader !== undefined, 'a sleeve has a source');
    return leader;
  }

  #protectionOf(sleeve: number): Forecast['protection'] {
    const { opinion } = this.#leader(sleeve);
    return opinion?.kind === 'forecast' ? opinion.protection : undefined;
  }

  /** The stop distance that the strategy itself names; NaN when it leaves it to the policy. */
  #ownStop(sleeve: number): number {
    return this.#protectionOf(sleeve)?.stopRatio ?? NaN;
  }

  #trailOf(sleeve: number): number {
    const own = this.#protectionOf(sleeve)?.trailR ?? NaN;
    if (!Number.isNaN(own)) return own;
    return this.plan.rules.length > 0 && this.plan.policy.trailR > 0 ? this.plan.policy.trailR : NaN;
  }

  #quantities({ weights, instruments }: Target): readonly Quantity[] {
    const quantities: Quantity[] = [];
    for (let leg = 0; leg < weights.length; leg++)
      quantities.push(this.#quantity(instruments[leg] ?? 0, (weights[leg] ?? NaN) * this.account.equity));
    return quantities;
  }

  /** The door from a weight to a quantity: toward zero, on the venue's lot. */
  #quantity(instrument: number, value: number): Quantity {
    const traded = this.plan.instruments[instrument];
    const mark = this.portfolio.mark[instrument] ?? NaN;
    if (traded === undefined || value === 0 || !(mark > 0)) return ZERO_QUANTITY;
    return quantityFrom(value / mark, traded.lot, 'toward-zero');
  }

  #notes(sleeve: number): readonly OpinionNote[] {
    const notes: OpinionNote[] = [];
    for (const source of this.plan.sleeves[sleeve]?.sources ?? []) {
      const mind = this.minds[source];
      if (mind === undefined) continue;
      const { opinion } = mind;
      const forecast = opinion?.kind === 'forecast' ? opinion : undefined;
      const { because, zScore } = mind.explain(this.at);
      notes.push({
        source,
        stance: forecast?.stance ?? 0,
        confidence: forecast?.confidence ?? 0,
        abstained: forecast === undefined,
        zScore,
        because,
      });
    }
    return notes;
  }

  // ---- out -------------------------------------------------------------------------------------------------------------

  /** Gate two, then the journal, then the outbox. */
  #send(intent: OrderIntent, algorithm: ExecutionAlgorithm = 'market'): boolean {
    if (!this.#isAdmitted(intent)) return false;
    const traded = this.plan.instruments[intent.instrument];
    assert(traded !== undefined, 'orders are of instruments that exist');
    const costRatio = expectedCostRatio(intent, traded, this.plan.expectedSlippageRatio);
    this.#recorder.entry({ kind: 'order.intended', at: this.at, intent, costRatio, algorithm }, this.sequence);
    this.#outbox[this.#outgoing++] = intent;
    return true;
  }

  /** The same for an order that rests, judged as it will stand. */
  #amend(intent: AmendIntent, amended: OrderIntent): boolean {
    if (!this.#isAdmitted(amended)) return false;
    this.#recorder.entry({ kind: 'amend.intended', at: this.at, intent }, this.sequence);
    this.#outbox[this.#outgoing++] = intent;
    return true;
  }

  #isAdmitted(intent: OrderIntent): boolean {
    if (this.plan.rules.length === 0) return true;
    this.#refreshAccount();
    const refusal = this.#admission.admit(intent, this.market, this.account);
    if (refusal === undefined) return true;
    const { id: order, instrument } = intent;
    this.#recorder.entry({ kind: 'order.refused', at: this.at, order, instrument, rule: refusal.rule, why: refusal.why }, this.sequence);
    return false;
  }

  #cancel(intent: CancelIntent): void {
    this.#recorder.entry({ kind: 'cancel.intended', at: this.at, intent }, this.sequence);
    this.#outbox[this.#outgoing++] = intent;
  }

  /** Durable first, then out. */
  #flush(): void {
    this.#recorder.commit();
    this.#hasSent = true;
    for (let index = 0; index < this.#outgoing; index++) {
      const intent = this.#outbox[index];
      this.#outbox[index] = undefined;
      if (intent === undefined) continue;
      if (!('order' in intent)) this.#venue.submit(intent);
      else if ('stopPrice' in intent) this.#venue.amend(intent);
      else this.#venue.cancel(intent);
    }
    this.#outgoing = 0;
  }

  /** Whether anything was sent since this was asked. */
  takeSent(): boolean {
    const hasSent = this.#hasSent;
    this.#hasSent = false;
    return hasSent;
  }

  /**
   * The run cannot go on: its journal takes nothing more, or something else broke. What was not recorded is not sent, and every order that
   * could still open something is called back, unrecorded: a cancel is always lawful. What closes and protects stays at the venue.
   */
  abandon(): void {
    const unsent = new Set(
      this.#outbox.slice(0, this.#outgoing).map((intent) => (intent === undefined || 'order' in intent ? '' : intent.id)),
    );
    this.#outgoing = 0;
    for (const { intent } of this.desk.tracker.open) {
      const { id, instrument, role, reduceOnly } = intent;
      if (role === 'target' && !reduceOnly && !unsent.has(id)) this.#venue.cancel({ at: this.at, instrument, order: id });
    }
  }

  // ---- state -----------------------------------------------------------------------------------------------------------

  save(out: ByteWriter): void {
    this.marketNow();
    out.number(this.at);
    out.count(this.sequence);
    out.number(this.closedInstant);
    out.flag(this.#begun);
    this.portfolio.save(out);
    this.board.save(out);
    this.desk.save(out);
    for (const mind of this.minds) mind.save(out);
    this.#admission.save(out);
    const { market, account } = this;
    for (const column of [market.barAt, market.percentB, market.volatilityRatio, market.atrRatio, market.volatility, this.#lastSeen]) {
      out.numbers(column);
    }
    for (const flag of market.stale) out.byte(flag);
    out.number(account.peakEquity);
    out.number(account.dayStartEquity);
    out.flag(account.halted);
    out.flag(account.paused);
    out.text(this.haltCause);
    out.number(this.#pausedUntil);
    out.flag(this.#alertedDrawdown);
    out.flag(this.#alertedDay);
    out.number(this.#nextDay);
    out.flag(this.#reviewStanding);
    out.count(this.#isLegged.length);
    for (const sleeve of this.#isLegged) out.count(sleeve);
    out.numbers(this.#halfSpread);
    for (const flag of this.#awaitsEdge) out.byte(flag);
    this.#allocation?.save(out);
    out.count(this.#dueCount);
    for (const index of this.#due.subarray(0, this.#dueCount)) {
      out.count(index);
      out.byte(this.#mustAsk[index] ?? 0);
    }
  }

  restore(from: ByteReader): void {
    this.at = from.number();
    this.market.at = this.at;
    this.sequence = from.count();
    this.closedInstant = from.number();
    this.#begun = from.flag();
    this.portfolio.restore(from);
    this.board.restore(from);
    this.desk.restore(from);
    for (const mind of this.minds) mind.restore(from);
    this.#admission.restore(from);
    const { market, account } = this;
    for (const column of [market.barAt, market.percentB, market.volatilityRatio, market.atrRatio, market.volatility, this.#lastSeen]) {
      from.numbers(column);
    }
    for (let instrument = 0; instrument < market.stale.length; instrument++) market.stale[instrument] = from.byte();
    account.peakEquity = from.number();
    account.dayStartEquity = from.number();
    account.halted = from.flag();
    account.paused = from.flag();
    this.haltCause = from.text();
    this.#pausedUntil = from.number();
    this.#alertedDrawdown = from.flag();
    this.#alertedDay = from.flag();
    this.#nextDay = from.number();
    this.#reviewStanding = from.flag();
    this.#isLegged.length = 0;
    for (let left = from.count(); left > 0; left--) this.#isLegged.push(from.count());
    from.numbers(this.#halfSpread);
    for (let sleeve = 0; sleeve < this.#awaitsEdge.length; sleeve++) this.#awaitsEdge[sleeve] = from.byte();
    this.#allocation?.restore(from);
    this.#dueCount = 0;
    this.#isDue.fill(0);
    this.#mustAsk.fill(0);
    for (let left = from.count(); left > 0; left--) {
      const index = from.count();
      this.#makeDue(index);
      this.#mustAsk[index] = from.byte();
    }
    this.plan.sleeves.forEach((_, sleeve) => this.#refreshOwn(sleeve));
    this.#refreshAccount();
    this.#setFloor();
    this.nextTimer();
  }

  /** SHA-256 of the canonical bytes of everything above: equal state, equal hash, in any process. */
  stateHash(configHash: string): string {
    const out = new ByteWriter(1 << 16);
    out.text(configHash);
    this.save(out);
    return createHash('sha256').update(out.view()).digest('hex');
  }
}
