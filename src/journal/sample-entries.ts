// One entry of every kind, for tests.
import { amount, price, quantity } from '../domain/decimal.ts';
import type { Entry, EntryKind } from '../domain/entry.ts';
import type { Fill } from '../domain/event.ts';
import type { OrderIntent, Share } from '../domain/order.ts';

/** Not `Extract`: several kinds can share an interface. */
export type EntryOf<K extends EntryKind> = Entry extends infer E
  ? E extends { readonly kind: infer J }
    ? K extends J
      ? E & { readonly kind: K }
      : never
    : never
  : never;

const at = 1_700_000_000_000;
const fill: Fill = {
  id: 'f-1',
  price: price('64123.5'),
  quantity: quantity('0.123'),
  fee: amount('-3.2'),
  liquidity: 'taker',
};
const shares: readonly Share[] = [
  { sleeve: 0, leg: 0, quantity: quantity('0.2') },
  { sleeve: 3, leg: 1, quantity: quantity('-0.077') },
];
const stop: OrderIntent = {
  id: '7-2',
  at,
  instrument: 1,
  side: 'sell',
  type: 'stop',
  role: 'disaster',
  quantity: quantity('0.123'),
  limitPrice: undefined,
  stopPrice: price('60000'),
  reduceOnly: true,
  wholePosition: true,
  shares: [],
  attached: [],
};
const intent: OrderIntent = {
  ...stop,
  id: '7-1',
  side: 'buy',
  type: 'post-only',
  role: 'target',
  limitPrice: price('64000'),
  stopPrice: undefined,
  reduceOnly: false,
  wholePosition: false,
  pairedWith: '7-3',
  budget: amount('8000'),
  shares,
  attached: [stop],
};
const report = { at, happenedAt: at - 5, instrument: 1, order: '7-1', reason: '', fill: undefined };

export const SAMPLES: { readonly [K in EntryKind]: EntryOf<K> } = {
  'order.accepted': { kind: 'order.accepted', ...report },
  'order.rejected': { kind: 'order.rejected', ...report, reason: 'minimum notional is 5 USDT' },
  'order.cancelled': { kind: 'order.cancelled', ...report, reason: 'by us' },
  'order.expired': { kind: 'order.expired', ...report, reason: 'the tape ended' },
  'order.filled': { kind: 'order.filled', ...report, fill },
  'order.amended': {
    kind: 'order.amended',
    at,
    happenedAt: at - 5,
    instrument: 1,
    order: '7-2',
    asked: price('61000'),
    stopPrice: price('61000'),
    reason: '',
  },
  'order.repriced': {
    kind: 'order.repriced',
    at,
    happenedAt: at - 5,
    instrument: 1,
    order: '7-1',
    limitPrice: price('63990'),
    quantity: quantity('0.2'),
    reason: '',
  },
  'funding.paid': { kind: 'funding.paid', at, happenedAt: at, instrument: 2, amount: amount('-0.000000000001'), rate: 0.0001 },
  'position.liquidated': {
    kind: 'position.liquidated',
    at,
    happenedAt: at,
    instrument: 1,
    side: 'sell',
    fill,
    insurance: amount('3.5'),
    deleveraged: amount('0'),
  },
  'account.reported': {
    kind: 'account.reported',
    at,
    happenedAt: at,
    instrument: -1,
    side: 'buy',
    fill,
    reason: 'a trade by another hand',
  },
  'feed.lost': { kind: 'feed.lost', at, happenedAt: at, instrument: -1, reason: 'socket closed' },
  'feed.restored': { kind: 'feed.restored', at, happenedAt: at, instrument: 0, reason: '' },
  'operator.spoke': { kind: 'operator.spoke', at, happenedAt: at, command: 'close', argument: 'trend', by: 'Jürgen' },
  'opinion.formed': {
    kind: 'opinion.formed',
    at,
    happenedAt: at - 900,
    source: 4,
    opinion: {
      kind: 'forecast',
      stance: -0.5,
      confidence: 0.6,
      horizonMs: 3_600_000,
      protection: { stopRatio: 0.03, trailR: 2, trailRatio: 0.04 },
      legs: [1, -0.8],
    },
  },
  'mind.failed': { kind: 'mind.failed', at, source: 4, because: 'took 3 s' },
  'decision.taken': {
    kind: 'decision.taken',
    at,
    id: 7,
    equity: 10_000.25,
    changes: [
      {
        sleeve: 0,
        stanceBefore: 0,
        stance: 0.5,
        quantities: [quantity('0.123'), quantity('-0.000000000001')],
        opinions: [{ source: 0, stance: 0.5, confidence: 0.6, abstained: false, zScore: -2.25, because: 'fast over slow → 25 %' }],
        pool: { outcome: 'pooled', voices: 2, agreeing: 1, agreement: 0.5 },
      },
    ],
    rulings: [{ rule: 'position limit', kind: 'clamp', why: '31 % of equity, at most 25 %', scales: [0.8, 1] }],
  },
  'order.intended': { kind: 'order.intended', at, intent, costRatio: 0.0011, algorithm: 'market' },
  'amend.intended': { kind: 'amend.intended', at, intent: { at, instrument: 1, order: '7-2', stopPrice: price('61000') } },
  'cancel.intended': { kind: 'cancel.intended', at, intent: { at, instrument: 1, order: '7-1' } },
  'order.refused': { kind: 'order.refused', at, order: '7-1', instrument: 1, rule: 'collar', why: '3 % from the mark' },
  'crossing.made': { kind: 'crossing.made', at, instrument: 1, price: price('64000'), parts: shares },
  'halt.latched': { kind: 'halt.latched', at, cause: 'drawdown 25 %' },
  'halt.released': { kind: 'halt.released', at, by: 'operator' },
  'pause.began': { kind: 'pause.began', at, until: Infinity, cause: 'daily loss 5 %' },
  'pause.ended': { kind: 'pause.ended', at },
  'day.started': { kind: 'day.started', at, equity: 9_876.5 },
  'alert.raised': { kind: 'alert.raised', at, rule: 'daily loss', why: '4 %' },
  'sleeve.stopped': { kind: 'sleeve.stopped', at, sleeve: 2, because: 'stop at 60,000' },
  'sleeve.rearmed': { kind: 'sleeve.rearmed', at, sleeve: 2 },
  'sleeve.closed': { kind: 'sleeve.closed', at, sleeve: 2, because: 'operator' },
  'stop.moved': { kind: 'stop.moved', at, sleeve: 2, stopPrice: 61_234.5 },
  'shares.changed': { kind: 'shares.changed', at, shares: [0.625, 0.375], because: 'hierarchical risk parity' },
  'ticket.opened': {
    kind: 'ticket.opened',
    at,
    instrument: 1,
    algorithm: 'limit-first',
    side: 'sell',
    quantity: quantity('0.75'),
    arrivalPrice: 64_000.5,
  },
  'cash.transferred': { kind: 'cash.transferred', at, amount: amount('-250.5'), equity: 10_123.75 },
  'ticket.closed': { kind: 'ticket.closed', at, instrument: 1, because: 'done' },
  'mind.suspended': { kind: 'mind.suspended', at, source: 4, because: 'failed three times' },
  'run.ended': {
    kind: 'run.ended',
    at,
    cause: 'ended',
    stateHash: 'ab12',
    equity: 10_400.5,
    cash: amount('10400.5'),
  },
};
