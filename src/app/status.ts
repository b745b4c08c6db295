// The status of a running session: folded from its journal and read off its parts.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { format, toNumber, ZERO_AMOUNT, ZERO_QUANTITY, add, subtract } from '../domain/decimal.ts';
import { minutes } from '../council/minutes.ts';
import type { DecisionTaken, Entry } from '../domain/entry.ts';
import { formatTime, type TimeMs } from '../domain/time.ts';
import type { RunPlan } from '../engine/plan.ts';
import type { LatencyStatus, PositionStatus, RunStatus } from './run-handle.ts';
import type { SessionParts, SessionVenue } from './session-parts.ts';

type AnyParts = SessionParts<SessionVenue>;

/** How many of the latest alerts and minutes are shown. */
const SHOWN = 20;
const CURVE_POINTS = 300;
/** How finely the loop's lag is measured: a delay of less is not seen. */
const LAG_RESOLUTION_MS = 20;
/** The lag is that of so long, at least, and of twice that at most. */
const LAG_WINDOW_MS = 60_000;

/** What of the journal a status shows that no other view keeps. */
export class StatusNotes {
  readonly alerts: { readonly at: string; readonly rule: string; readonly why: string }[] = [];
  readonly #decisions: DecisionTaken[] = [];
  #events = 0;
  #since = performance.now();
  eventsPerSecond = 0;
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  #lagSince = performance.now();
  #lagBefore = 0;

  constructor() {
    this.#lag.enable();
  }

  /** The longest that the process was held up in the last minute or two: nobody was heard meanwhile, whether a venue or an operator. */
  get loopLagMs(): number {
    return Math.round(Math.max(this.#lagBefore, this.#longestLag()));
  }

  #longestLag(): number {
    // The monitor measures from one timer to the next, and in nanoseconds; before its first timer it knows nothing.
    return this.#lag.count === 0 ? 0 : Math.max(0, this.#lag.max / 1e6 - LAG_RESOLUTION_MS);
  }

  /** The session is over: nothing is measured any more. */
  end(): void {
    this.#lag.disable();
  }

  fold(entry: Entry): void {
    if (entry.kind === 'alert.raised') push(this.alerts, { at: formatTime(entry.at), rule: entry.rule, why: entry.why });
    else if (entry.kind === 'halt.latched') push(this.alerts, { at: formatTime(entry.at), rule: 'halt', why: entry.cause });
    else if (entry.kind === 'pause.began') push(this.alerts, { at: formatTime(entry.at), rule: 'pause', why: entry.cause });
    else if (entry.kind === 'mind.failed') push(this.alerts, { at: formatTime(entry.at), rule: 'mind', why: entry.because });
    else if (entry.kind === 'feed.lost' || entry.kind === 'feed.restored') {
      push(this.alerts, { at: formatTime(entry.at), rule: entry.kind, why: entry.reason });
    } else if (entry.kind === 'decision.taken' && (entry.changes.length > 0 || entry.rulings.length > 0)) {
      push(this.#decisions, entry);
    }
  }

  /** The words of the latest decisions, oldest first. */
  minutes({ sleeves, minds, council: settings }: RunPlan): { readonly at: string; readonly words: string }[] {
    const parts = { sleeveNames: sleeves.map((sleeve) => sleeve.name), sourceNames: minds.map((mind) => mind.name), settings };
    return this.#decisions.map((decision) => ({ at: formatTime(decision.at), words: minutes(decision, parts) }));
  }

  refuse(why: string): void {
    this.tell('feed refused', why);
  }

  /** What is out of the ordinary and in no journal. */
  tell(rule: string, why: string): void {
    push(this.alerts, { at: formatTime(Date.now()), rule, why });
  }

  /** Once a slice: how fast events pass, over the last second or so. */
  tick(sequence: number): void {
    const now = performance.now();
    if (now - this.#since < 1_000) return;
    if (now - this.#lagSince > LAG_WINDOW_MS) {
      this.#lagBefore = this.#longestLag();
      this.#lag.reset();
      this.#lagSince = now;
    }
    this.eventsPerSecond = Math.round(((sequence - this.#events) * 1_000) / (now - this.#since));
    this.#events = sequence;
    this.#since = now;
  }
}

function push<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > SHOWN) list.shift();
}

export interface StatusFrame {
  readonly runId: string;
  readonly folder: string;
  readonly startedAtMs: TimeMs;
  readonly isStopping: boolean;
  readonly isOver: boolean;
  readonly isWarm: boolean;
  readonly latency: LatencyStatus | null;
}

export function statusOf(parts: AnyParts, notes: StatusNotes, frame: StatusFrame): RunStatus {
  const { engine, plan, ledger } = parts;
  const { portfolio, account } = engine;
  const { equity } = portfolio;
  const curve = parts.equity.curve();
  const stride = Math.max(1, Math.ceil(curve.length / CURVE_POINTS));
  const closed = [...ledger.trades()];
  const rulings: Record<string, number> = {};
  for (const [rule, counts] of ledger.rulingCounts()) rulings[rule] = counts.clamps + counts.halts + counts.refusals;
  return {
    runId: frame.runId,
    state: stateOf(parts, frame),
    haltCause: engine.haltCause,
    at: formatTime(engine.at),
    atMs: engine.at,
    startedAtMs: frame.startedAtMs,
    symbols: plan.instruments.map((instrument) => instrument.symbol),
    strategies: [...new Set(plan.minds.map((mind) => mind.name.split(' ')[0] ?? mind.name))],
    capital: format(plan.capital),
    transferred: format(subtract(portfolio.totalGiven(), plan.capital)),
    basisEquity: parts.equity.basis,
    equity,
    cash: format(portfolio.totalCash()),
    peakEquity: account.peakEquity,
    drawdownRatio: Math.max(0, 1 - equity / account.peakEquity),
    dayLossRatio: Math.max(0, 1 - equity / account.dayStartEquity),
    feesPaid: format(portfolio.fees.reduce((sum, fee) => add(sum, fee), ZERO_AMOUNT)),
    fundingPaid: format(portfolio.funding.reduce((sum, each) => add(sum, each), ZERO_AMOUNT)),
    closedTrades: closed.length,
    winningTrades: closed.filter((trade) => toNumber(trade.pnl) > 0).length,
    stopOuts: ledger.stopOuts,
    rulings,
    alerts: [...notes.alerts],
    positions: positionsOf(parts),
    openOrders: engine.desk.tracker.open.length,
    events: engine.sequence,
    eventsPerSecond: notes.eventsPerSecond,
    loopLagMs: notes.loopLagMs,
    latency: frame.latency,
    staleSymbols: plan.instruments.flatMap((instrument, index) => (engine.market.stale[index] === 1 ? [instrument.symbol] : [])),
    suspendedMinds: engine.minds.flatMap((mind) => (mind.suspended ? [mind.name] : [])),
    minutes: notes.minutes(plan),
    equityCurve: curve.flatMap((point, index) =>
      index % stride === 0 || index === curve.length - 1 ? [[point.at, point.equity] as const] : [],
    ),
    folder: frame.folder,
    pid: process.pid,
  };
}

function stateOf({ engine }: AnyParts, frame: StatusFrame): RunStatus['state'] {
  if (frame.isOver) return 'ended';
  if (frame.isStopping) return 'stopping';
  if (engine.account.halted) return 'halted';
  if (!frame.isWarm) return 'warming-up';
  return engine.account.paused ? 'paused' : 'running';
}

function positionsOf({ engine, plan }: AnyParts): readonly PositionStatus[] {
  const { portfolio, desk, holdings } = engine;
  return Array.from({ length: holdings.count }, (_, holding): PositionStatus[] => {
    const held = portfolio.held[holding] ?? 0;
    if (held === 0) return [];
    const sleeve = holdings.sleeve[holding] ?? 0;
    const instrument = holdings.instrument[holding] ?? 0;
    const mark = portfolio.mark[instrument] ?? NaN;
    const entryPrice = portfolio.entryPrice[holding] ?? NaN;
    const stop = desk.wants.stopPrice[sleeve] ?? NaN;
    return [
      {
        sleeve: plan.sleeves[sleeve]?.name ?? '',
        symbol: plan.instruments[instrument]?.symbol ?? '',
        quantity: format(portfolio.quantity[holding] ?? ZERO_QUANTITY),
        entryPrice,
        mark,
        unrealisedPnl: held * (mark - entryPrice),
        stopPrice: Number.isNaN(stop) ? null : stop,
        stopRestsAt: desk.restsAtVenue(sleeve) ? 'venue' : 'engine',
      },
    ];
  }).flat();
}
