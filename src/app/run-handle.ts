// What a running session shows and obeys: the API, the control socket and the terminal know nothing else of it.
import type { OperatorCommand } from '../domain/event.ts';
import type { TimeMs } from '../domain/time.ts';

export interface PositionStatus {
  readonly sleeve: string;
  readonly symbol: string;
  /** Signed decimal string. */
  readonly quantity: string;
  readonly entryPrice: number;
  readonly mark: number;
  readonly unrealisedPnl: number;
  /** NaN is null in JSON: a pair has none. */
  readonly stopPrice: number | null;
  readonly stopRestsAt: 'venue' | 'engine';
}

/**
 * What the time of an order because of a book is made of, in order: from the frame's text until the loop took the book; until what was decided was
 * to be committed; the durable commit; until the venue's allowance of requests gave it its turn; signed, written, and its last byte with the system.
 */
export const ORDER_STAGES = ['wait', 'decide', 'commit', 'turn', 'write'] as const;
export type OrderStage = (typeof ORDER_STAGES)[number];

/** Of the latest, and of the latest few thousand; null before the first. */
export interface StageTimes {
  readonly lastMs: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
}

/** How long a live session's orders take, in milliseconds of wall time, of the latest few thousand; null before the first. */
export interface LatencyStatus {
  /** Of the latest order: within live.latency.alertMs, over it, or over live.latency.haltMs. */
  readonly level: 'kept' | 'slow' | 'halted';
  readonly orders: number;
  /** Entries that were not sent because the book that they answered was too old. */
  readonly refused: number;
  /** From the frame, or whatever the order answers, until the system has taken the last byte of its request. */
  readonly lastMs: number | null;
  /** Of the first order of this process: nothing of its way may have been walked before. */
  readonly firstMs: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** What of it the durable commit of the intent took. */
  readonly commitP50Ms: number | null;
  readonly commitP99Ms: number | null;
  /** Of orders because of a book. */
  readonly stages: Readonly<Record<OrderStage, StageTimes>>;
  /** Events of books that the loop has not taken yet: two for each instrument at most. */
  readonly bookEventsWaiting: number;
}

export interface RunStatus {
  readonly runId: string;
  readonly state: 'warming-up' | 'running' | 'halted' | 'paused' | 'stopping' | 'ended';
  readonly haltCause: string;
  /** Market time, ISO-8601 UTC. */
  readonly at: string;
  readonly atMs: TimeMs;
  readonly startedAtMs: TimeMs;
  readonly symbols: readonly string[];
  readonly strategies: readonly string[];
  readonly capital: string;
  /** Exact: what has come back less what left of the run's own money. */
  readonly transferred: string;
  /** What the equity is measured against: the capital, on the footing of after the last transfer. */
  readonly basisEquity: number;
  readonly equity: number;
  readonly cash: string;
  readonly peakEquity: number;
  readonly drawdownRatio: number;
  readonly dayLossRatio: number;
  readonly feesPaid: string;
  readonly fundingPaid: string;
  readonly closedTrades: number;
  readonly winningTrades: number;
  readonly stopOuts: number;
  /** By rule of either gate: how often it clamped, refused or halted. */
  readonly rulings: Readonly<Record<string, number>>;
  readonly alerts: readonly { readonly at: string; readonly rule: string; readonly why: string }[];
  readonly positions: readonly PositionStatus[];
  readonly openOrders: number;
  readonly events: number;
  readonly eventsPerSecond: number;
  /** The longest hold-up of the process in the last minute or two, wall time. */
  readonly loopLagMs: number;
  /** Null where no order leaves this machine. */
  readonly latency: LatencyStatus | null;
  readonly staleSymbols: readonly string[];
  readonly suspendedMinds: readonly string[];
  /** The latest decisions' minutes, newest last. */
  readonly minutes: readonly { readonly at: string; readonly words: string }[];
  /** Thinned, for a small chart. */
  readonly equityCurve: readonly (readonly [TimeMs, number])[];
  readonly folder: string;
  readonly pid: number;
}

export interface RunHandle {
  status(): RunStatus;
  /** Puts an operator's word before the loop. Resolves once the loop has handled it. */
  command(command: OperatorCommand, argument: string, by: string): Promise<void>;
  /** Asks the session to drain and end. */
  stop(): void;
}
