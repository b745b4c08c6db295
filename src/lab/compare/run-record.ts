// A run as it is compared: its orders with what became of them, the bars that it saw, and when it was halted. A fold over its recording.
import { toNumber } from '../../domain/decimal.ts';
import { isMarketEvent, type LiquidationReport, type MarketEvent, type OrderReport } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { OrderIntent, OrderRole, OrderType, Side } from '../../domain/order.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { RecordedStep } from '../../journal/recording.ts';

/** An order that was sent or that filled, with all of its fills. Estimates: what is owed exactly stands in the journal. */
export interface Execution {
  readonly order: string;
  readonly symbol: string;
  readonly side: Side;
  readonly role: OrderRole | 'liquidation';
  readonly type: OrderType;
  /** Of a target when it was sent; of a stop, which may rest for long, when it filled or was refused. */
  readonly at: TimeMs;
  readonly sentAt: TimeMs;
  readonly quantity: number;
  /** Trigger of a stop, otherwise the last price when it was sent: what slippage is measured against. */
  readonly reference: number;
  /** Of the account, at the decision behind it; NaN where there was none yet. */
  readonly equity: number;
  readonly filled: number;
  readonly fills: number;
  /** Average; NaN without a fill. */
  readonly price: number;
  readonly fee: number;
  /** NaN without a fill. */
  readonly firstFillAt: TimeMs;
  readonly lastFillAt: TimeMs;
  /** The words of whoever did not take it, venue or gate two; empty otherwise. */
  readonly refusal: string;
}

/** What gate two did not let out: of such an order only the instrument is known. */
export interface Refusal {
  readonly at: TimeMs;
  readonly symbol: string;
  readonly rule: string;
  readonly why: string;
}

/** Bars of one instrument, in the order of their close. */
export interface SeenBars {
  readonly closeAt: readonly TimeMs[];
  /** Open, high, low and close, one after the other for each bar. */
  readonly prices: readonly number[];
}

export const PRICES_A_BAR = 4;

/** From when to when nothing could be opened; the end is Infinity where it never ended. */
export interface Standstill {
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly cause: string;
}

export interface RunRecord {
  readonly runId: string;
  readonly instruments: readonly Instrument[];
  readonly baseTimeframeMs: TimeMs;
  /** On which its strategies decide. */
  readonly timeframeMs: TimeMs;
  /** Close of the first bar after the warm-up, and the last event's time; NaN where there was none. */
  readonly from: TimeMs;
  readonly to: TimeMs;
  /** By `at`. */
  readonly executions: readonly Execution[];
  readonly refusals: readonly Refusal[];
  /** By symbol. */
  readonly bars: ReadonlyMap<string, SeenBars>;
  readonly standstills: readonly Standstill[];
  /** Crossings between sleeves, which no venue saw and which are not compared. */
  readonly crossings: number;
}

export type RunSubject = Pick<RunRecord, 'runId' | 'instruments' | 'baseTimeframeMs' | 'timeframeMs'>;

/** An order while its reports come in. */
interface Draft {
  readonly intent: OrderIntent;
  readonly sentAt: TimeMs;
  readonly equity: number;
  quantity: number;
  reference: number;
  filled: number;
  fills: number;
  paid: number;
  lastPrice: number;
  fee: number;
  firstFillAt: TimeMs;
  lastFillAt: TimeMs;
  refusal: string;
  refusedAt: TimeMs;
}

/** Folds a recording. @throws whatever the steps throw: a journal or a tape that is damaged */
export function readRun(subject: RunSubject, steps: Iterable<RecordedStep>): RunRecord {
  const { instruments } = subject;
  const symbolOf = (instrument: number): string => instruments[instrument]?.symbol ?? '';
  const bars = instruments.map(() => ({ closeAt: [] as TimeMs[], prices: [] as number[] }));
  const last = instruments.map(() => NaN);
  const drafts = new Map<string, Draft>();
  const executions: Execution[] = [];
  const refusals: Refusal[] = [];
  const standstills: { from: TimeMs; to: TimeMs; cause: string }[] = [];
  let [from, to, equity, crossings] = [NaN, NaN, NaN, 0];

  const price = (event: MarketEvent): void => {
    if (event.kind === 'mark.changed') return;
    last[event.instrument] = event.close;
    if (event.kind !== 'bar.closed') return;
    if (!event.warmup && Number.isNaN(from)) from = event.happenedAt;
    const seen = bars[event.instrument];
    seen?.closeAt.push(event.happenedAt);
    seen?.prices.push(event.open, event.high, event.low, event.close);
  };
  const register = (intent: OrderIntent, sentAt: TimeMs): void => {
    const reference = intent.stopPrice === undefined ? (last[intent.instrument] ?? NaN) : toNumber(intent.stopPrice);
    drafts.set(intent.id, { intent, sentAt, equity, quantity: toNumber(intent.quantity), reference, ...UNFILLED });
    for (const stop of intent.attached) register(stop, sentAt);
  };
  const report = (event: OrderReport): void => {
    const draft = drafts.get(event.order);
    if (draft === undefined) return;
    if (event.kind === 'order.rejected')
      Object.assign(draft, { refusal: event.reason === '' ? 'without a reason' : event.reason, refusedAt: event.at });
    if (event.fill === undefined) return;
    draft.filled += toNumber(event.fill.quantity);
    draft.paid += toNumber(event.fill.price) * toNumber(event.fill.quantity);
    draft.lastPrice = toNumber(event.fill.price);
    draft.fee += toNumber(event.fill.fee);
    draft.fills++;
    if (draft.fills === 1) draft.firstFillAt = event.at;
    draft.lastFillAt = event.at;
  };

  for (const { event, outputs } of steps) {
    if (event !== undefined) {
      to = event.at;
      if (isMarketEvent(event)) price(event);
      else if (event.kind === 'position.liquidated')
        executions.push(liquidation(event, symbolOf(event.instrument), equity, last[event.instrument]));
      else if (event.kind === 'order.amended') {
        const draft = drafts.get(event.order);
        if (draft !== undefined) draft.reference = toNumber(event.stopPrice);
      } else if (event.kind === 'order.repriced') {
        const draft = drafts.get(event.order);
        if (draft !== undefined) draft.quantity = toNumber(event.quantity);
      } else if ('order' in event && 'fill' in event) report(event);
    }
    for (const entry of outputs) {
      if (entry.kind === 'decision.taken') equity = entry.equity;
      else if (entry.kind === 'order.intended') register(entry.intent, entry.at);
      else if (entry.kind === 'order.refused') {
        refusals.push({ at: entry.at, symbol: symbolOf(entry.instrument), rule: entry.rule, why: entry.why });
      } else if (entry.kind === 'crossing.made') crossings++;
      else if (entry.kind === 'halt.latched') standstills.push({ from: entry.at, to: Infinity, cause: `a halt: ${entry.cause}` });
      else if (entry.kind === 'pause.began') standstills.push({ from: entry.at, to: entry.until, cause: `a pause: ${entry.cause}` });
      else if (entry.kind === 'halt.released') for (const still of standstills) still.to = Math.min(still.to, entry.at);
    }
  }
  for (const draft of drafts.values()) {
    const execution = executionOf(draft, symbolOf(draft.intent.instrument));
    if (execution !== undefined) executions.push(execution);
  }
  return {
    ...subject,
    from,
    to,
    executions: executions.toSorted((left, right) => left.at - right.at),
    refusals,
    bars: new Map(bars.map((seen, instrument) => [symbolOf(instrument), seen])),
    standstills,
    crossings,
  };
}

const UNFILLED = { filled: 0, fills: 0, paid: 0, lastPrice: NaN, fee: 0, firstFillAt: NaN, lastFillAt: NaN, refusal: '', refusedAt: NaN };

/** A stop that neither filled nor was refused did nothing: most never do. */
function executionOf(draft: Draft, symbol: string): Execution | undefined {
  const { intent, sentAt, equity, quantity, reference, filled, fills, paid, lastPrice, fee, firstFillAt, lastFillAt, refusal, refusedAt } =
    draft;
  const isTarget = intent.role === 'target';
  if (!isTarget && fills === 0 && refusal === '') return undefined;
  return {
    order: intent.id,
    symbol,
    side: intent.side,
    role: intent.role,
    type: intent.type,
    at: isTarget ? sentAt : fills > 0 ? firstFillAt : refusedAt,
    sentAt,
    quantity,
    reference,
    equity,
    filled,
    fills,
    // Of a single fill to the digit.
    price: fills <= 1 ? lastPrice : paid / filled,
    fee,
    firstFillAt,
    lastFillAt,
    refusal,
  };
}

function liquidation({ at, side, fill }: LiquidationReport, symbol: string, equity: number, last: number | undefined): Execution {
  const quantity = toNumber(fill.quantity);
  return {
    order: fill.id,
    symbol,
    side,
    role: 'liquidation',
    type: 'market',
    at,
    sentAt: at,
    quantity,
    reference: last ?? NaN,
    equity,
    filled: quantity,
    fills: 1,
    price: toNumber(fill.price),
    fee: toNumber(fill.fee),
    firstFillAt: at,
    lastFillAt: at,
    refusal: '',
  };
}
