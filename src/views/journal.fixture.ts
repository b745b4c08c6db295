// Journal entries as the engine writes them, for the tests of views.
import { absolute, amount, price, quantity, signOf, type Quantity } from '../domain/decimal.ts';
import type { DecisionTaken, Entry, StateChange } from '../domain/entry.ts';
import { sumOfShares, type OrderIntent, type OrderRole, type Share, type Side } from '../domain/order.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import { TradeLedger, type LedgerSubject } from './trades.ts';

export const HOUR = 3_600_000;
export const START = Date.UTC(2021, 0, 1);

/** Two sleeves in bitcoin, one of them alone; a pair of bitcoin and the perpetual of ether. */
export const SLEEVES: readonly Sleeve[] = [
  { name: 'trend', shareRatio: 0.4, instruments: [0], sources: [0] },
  { name: 'reversion', shareRatio: 0.3, instruments: [0], sources: [1] },
  { name: 'pair', shareRatio: 0.2, instruments: [0, 1], sources: [2] },
];
export const SUBJECT: LedgerSubject = {
  instruments: [
    { symbol: 'BTC/USDT', quote: 'USDT' },
    { symbol: 'ETH/USDT:USDT', quote: 'USDT' },
  ],
  sleeves: SLEEVES,
};

export interface Sent {
  readonly instrument?: number;
  readonly role?: OrderRole;
  /** Of a stop that has no shares. */
  readonly side?: Side;
  readonly attached?: readonly OrderIntent[];
}

/** An order whose quantity and side are those of its shares: `[sleeve, leg, signed quantity]`. */
export function intentOf(id: string, at: number, shares: readonly (readonly [number, number, string])[], sent: Sent = {}): OrderIntent {
  const divided: Share[] = shares.map(([sleeve, leg, text]) => ({ sleeve, leg, quantity: quantity(text) }));
  return intentFrom(id, at, divided, sumOfShares(divided), sent);
}

export function intentFrom(id: string, at: number, shares: readonly Share[], total: Quantity, sent: Sent = {}): OrderIntent {
  const role = sent.role ?? 'target';
  return {
    id,
    at,
    instrument: sent.instrument ?? 0,
    side: sent.side ?? (signOf(total) < 0 ? 'sell' : 'buy'),
    type: role === 'target' ? 'market' : 'stop',
    role,
    quantity: absolute(total),
    limitPrice: undefined,
    stopPrice: role === 'target' ? undefined : price('1'),
    reduceOnly: role !== 'target',
    wholePosition: role === 'disaster',
    shares,
    attached: sent.attached ?? [],
  };
}

/** Writes a journal of one's own, an hour between events, into a ledger. */
export class Story {
  readonly ledger: TradeLedger;
  at = START;
  #sequence = 0;
  #fills = 0;
  #orders = 0;

  constructor(subject: LedgerSubject = SUBJECT) {
    this.ledger = new TradeLedger(subject);
  }

  /** Of one event: all at one time. */
  tell(...entries: readonly Entry[]): void {
    this.#sequence++;
    for (const entry of entries) this.ledger.entry(entry, this.#sequence);
  }

  pass(hours = 1): this {
    this.at += hours * HOUR;
    return this;
  }

  /** A bar of an instrument that closes now. */
  bar(instrument: number, low: number, high: number, close: number): this {
    const { at } = this;
    this.ledger.price({
      kind: 'bar.closed',
      at,
      happenedAt: at,
      instrument,
      open: close,
      high,
      low,
      close,
      volume: 1,
      warmup: false,
    });
    return this;
  }

  intend(shares: readonly (readonly [number, number, string])[], sent: Sent = {}): OrderIntent {
    const intent = intentOf(`1-${++this.#orders}`, this.at, shares, sent);
    this.tell({ kind: 'order.intended', at: this.at, intent, costRatio: NaN, algorithm: 'market' });
    return intent;
  }

  fill(intent: OrderIntent, at: string, fee = '0', part?: string, id = `f${++this.#fills}`): Entry {
    const filled = part === undefined ? intent.quantity : quantity(part);
    return {
      kind: 'order.filled',
      at: this.at,
      happenedAt: this.at,
      instrument: intent.instrument,
      order: intent.id,
      reason: '',
      fill: { id, price: price(at), quantity: filled, fee: amount(fee), liquidity: 'taker' },
    };
  }

  /** An order and its fill, each an event of its own. */
  trade(shares: readonly (readonly [number, number, string])[], at: string, fee = '0', sent: Sent = {}): void {
    const intent = this.intend(shares, sent);
    this.tell(this.fill(intent, at, fee));
  }

  say(change: StateChange): void {
    this.tell(change);
  }

  decide(sleeve: number, stance: number, quantities: readonly string[], more: Partial<DecisionTaken> = {}, zScore = NaN): void {
    const opinions = [{ source: 0, stance, confidence: 0.6, abstained: false, zScore, because: '' }];
    const pool = { outcome: 'single', voices: 1, agreeing: 1, agreement: 1 } as const;
    const changes = [{ sleeve, stanceBefore: 0, stance, quantities: quantities.map((text) => quantity(text)), opinions, pool }];
    this.tell({ kind: 'decision.taken', at: this.at, id: 1, equity: 1, changes, rulings: [], ...more });
  }
}
