// Generators of any entry, for property tests.
import fc from 'fast-check';
import * as exact from '../domain/decimal.ts';
import type { Entry, EntryKind } from '../domain/entry.ts';
import type { Fill } from '../domain/event.ts';
import type { Forecast, Protection } from '../domain/opinion.ts';
import { EXECUTION_ALGORITHMS, type OrderIntent } from '../domain/order.ts';
import type { EntryOf } from './sample-entries.ts';

// A byte order mark at the beginning of a text is lost by TextDecoder; no text of ours begins with one.
const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((value) => !value.startsWith('\u{feff}'));
const time = fc.oneof(fc.integer({ min: 0, max: 4_102_444_800_000 }), fc.constant(Infinity));
const number = fc.double();
const index = fc.oneof(fc.nat({ max: 300 }), fc.maxSafeNat());
/** Digits of 1e-12 units, within a 64-bit integer and beyond it. */
const units = fc.oneof(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 18n }), fc.bigInt()).map((value) => `${value}e-12`);
const price = units.map((value) => exact.price(value));
const quantity = units.map((value) => exact.quantity(value));
const amount = units.map((value) => exact.amount(value));
const numbers = fc.array(number, { maxLength: 4 });

const anyFill: fc.Arbitrary<Fill> = fc.record(
  {
    id: text,
    price,
    quantity,
    fee: amount,
    liquidity: fc.constantFrom('maker', 'taker'),
    feeCoin: fc.record({ currency: text, quantity }),
  },
  { requiredKeys: ['id', 'price', 'quantity', 'fee', 'liquidity'] },
);
const anyShares = fc.array(fc.record({ sleeve: index, leg: index, quantity }), { maxLength: 3 });
const anyIntent = fc.letrec<{ intent: OrderIntent }>((tie) => ({
  intent: fc.record(
    {
      id: text,
      at: time,
      instrument: index,
      side: fc.constantFrom('buy', 'sell'),
      type: fc.constantFrom('market', 'limit', 'post-only', 'stop', 'take-profit', 'trailing'),
      role: fc.constantFrom('target', 'stop', 'disaster'),
      quantity,
      limitPrice: fc.option(price, { nil: undefined }),
      stopPrice: fc.option(price, { nil: undefined }),
      reduceOnly: fc.boolean(),
      wholePosition: fc.boolean(),
      shares: anyShares,
      attached: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant([]), fc.array(tie('intent'), { maxLength: 2 })),
      trailBy: price,
      timeInForce: fc.constantFrom('ioc', 'fok'),
      pairedWith: text,
      budget: amount,
      positionSide: fc.constantFrom('long', 'short'),
    },
    {
      requiredKeys: [
        'id',
        'at',
        'instrument',
        'side',
        'type',
        'role',
        'quantity',
        'limitPrice',
        'stopPrice',
        'reduceOnly',
        'wholePosition',
        'shares',
        'attached',
      ],
    },
  ),
})).intent;
const anyProtection: fc.Arbitrary<Protection> = fc.record(
  { stopRatio: number, targetRatio: number, trailR: number, trailRatio: number },
  { requiredKeys: [] },
);
const anyForecast: fc.Arbitrary<Forecast> = fc.record(
  {
    kind: fc.constant('forecast'),
    stance: number,
    confidence: number,
    expectedReturn: number,
    horizonMs: time,
    protection: anyProtection,
    legs: numbers,
  },
  { requiredKeys: ['kind', 'stance', 'confidence'] },
);
const anyOpinion = fc.oneof(anyForecast, fc.record({ kind: fc.constant('abstention'), because: text }));
const anyNote = fc.record({ source: index, stance: number, confidence: number, abstained: fc.boolean(), zScore: number, because: text });
const POOL_OUTCOMES = ['single', 'pooled', 'all-abstained', 'no-consensus', 'expired', 'held', 'cooldown'] as const;
const anyChange = fc.record({
  sleeve: index,
  stanceBefore: number,
  stance: number,
  quantities: fc.array(quantity, { maxLength: 3 }),
  opinions: fc.array(anyNote, { maxLength: 3 }),
  pool: fc.option(fc.record({ outcome: fc.constantFrom(...POOL_OUTCOMES), voices: index, agreeing: index, agreement: number }), {
    nil: undefined,
  }),
});
const anyRuling = fc.record({ rule: text, kind: fc.constantFrom('clamp', 'halt'), why: text, scales: numbers });

const kind = <K extends EntryKind>(name: K): fc.Arbitrary<K> => fc.constant(name);
const orderReport = <K extends EntryKind>(name: K) =>
  fc.record({
    kind: kind(name),
    at: time,
    happenedAt: time,
    instrument: index,
    order: text,
    reason: text,
    fill: fc.option(anyFill, { nil: undefined }),
  });
const feedReport = <K extends EntryKind>(name: K) =>
  fc.record({ kind: kind(name), at: time, happenedAt: time, instrument: fc.integer({ min: -1, max: 500 }), reason: text });

/** By kind, so that a kind without a generator does not compile. */
export const ANY: { readonly [K in EntryKind]: fc.Arbitrary<EntryOf<K>> } = {
  'order.accepted': orderReport('order.accepted'),
  'order.rejected': orderReport('order.rejected'),
  'order.cancelled': orderReport('order.cancelled'),
  'order.expired': orderReport('order.expired'),
  'order.filled': orderReport('order.filled'),
  'order.amended': fc.record({
    kind: kind('order.amended'),
    at: time,
    happenedAt: time,
    instrument: index,
    order: text,
    asked: price,
    stopPrice: price,
    reason: text,
  }),
  'order.repriced': fc.record({
    kind: kind('order.repriced'),
    at: time,
    happenedAt: time,
    instrument: index,
    order: text,
    limitPrice: price,
    quantity,
    reason: text,
  }),
  'funding.paid': fc.record({ kind: kind('funding.paid'), at: time, happenedAt: time, instrument: index, amount, rate: number }),
  'position.liquidated': fc.record({
    kind: kind('position.liquidated'),
    at: time,
    happenedAt: time,
    instrument: index,
    side: fc.constantFrom('buy', 'sell'),
    fill: anyFill,
    insurance: amount,
    deleveraged: amount,
  }),
  'account.reported': fc
    .record({
      kind: kind('account.reported'),
      at: time,
      happenedAt: time,
      instrument: fc.integer({ min: -1, max: 500 }),
      side: fc.constantFrom('buy', 'sell'),
      reason: text,
      found: fc.oneof(
        fc.record({ fill: fc.option(anyFill, { nil: undefined }) }),
        fc.record({ fill: fc.constant(undefined), money: amount }),
      ),
    })
    .map(({ found, ...report }) => ({ ...report, ...found })),
  'feed.lost': feedReport('feed.lost'),
  'feed.restored': feedReport('feed.restored'),
  'operator.spoke': fc.record({
    kind: kind('operator.spoke'),
    at: time,
    happenedAt: time,
    command: fc.constantFrom('halt', 'resume', 'flatten', 'close'),
    argument: text,
    by: text,
  }),
  'opinion.formed': fc.record({ kind: kind('opinion.formed'), at: time, happenedAt: time, source: index, opinion: anyOpinion }),
  'mind.failed': fc.record({ kind: kind('mind.failed'), at: time, source: index, because: text }),
  'decision.taken': fc.record({
    kind: kind('decision.taken'),
    at: time,
    id: index,
    equity: number,
    changes: fc.array(anyChange, { maxLength: 3 }),
    rulings: fc.array(anyRuling, { maxLength: 3 }),
  }),
  'order.intended': fc.record({
    kind: kind('order.intended'),
    at: time,
    intent: anyIntent,
    costRatio: number,
    algorithm: fc.constantFrom(...EXECUTION_ALGORITHMS),
  }),
  'amend.intended': fc.record({
    kind: kind('amend.intended'),
    at: time,
    intent: fc.record({ at: time, instrument: index, order: text, stopPrice: price }),
  }),
  'cancel.intended': fc.record({
    kind: kind('cancel.intended'),
    at: time,
    intent: fc.record({ at: time, instrument: index, order: text }),
  }),
  'order.refused': fc.record({ kind: kind('order.refused'), at: time, order: text, instrument: index, rule: text, why: text }),
  'crossing.made': fc.record({ kind: kind('crossing.made'), at: time, instrument: index, price, parts: anyShares }),
  'halt.latched': fc.record({ kind: kind('halt.latched'), at: time, cause: text }),
  'halt.released': fc.record({ kind: kind('halt.released'), at: time, by: text }),
  'pause.began': fc.record({ kind: kind('pause.began'), at: time, until: time, cause: text }),
  'pause.ended': fc.record({ kind: kind('pause.ended'), at: time }),
  'day.started': fc.record({ kind: kind('day.started'), at: time, equity: number }),
  'alert.raised': fc.record({ kind: kind('alert.raised'), at: time, rule: text, why: text }),
  'sleeve.stopped': fc.record({ kind: kind('sleeve.stopped'), at: time, sleeve: index, because: text }),
  'sleeve.rearmed': fc.record({ kind: kind('sleeve.rearmed'), at: time, sleeve: index }),
  'sleeve.closed': fc.record({ kind: kind('sleeve.closed'), at: time, sleeve: index, because: text }),
  'stop.moved': fc.record({ kind: kind('stop.moved'), at: time, sleeve: index, stopPrice: number }),
  'shares.changed': fc.record({ kind: kind('shares.changed'), at: time, shares: numbers, because: text }),
  'ticket.opened': fc.record({
    kind: kind('ticket.opened'),
    at: time,
    instrument: index,
    algorithm: fc.constantFrom('limit-first', 'iceberg', 'twap', 'vwap', 'pov', 'almgren-chriss'),
    side: fc.constantFrom('buy', 'sell'),
    quantity,
    arrivalPrice: number,
  }),
  'cash.transferred': fc.record({ kind: kind('cash.transferred'), at: time, amount, equity: number }),
  'ticket.closed': fc.record({ kind: kind('ticket.closed'), at: time, instrument: index, because: text }),
  'mind.suspended': fc.record({ kind: kind('mind.suspended'), at: time, source: index, because: text }),
  'run.ended': fc.record({
    kind: kind('run.ended'),
    at: time,
    cause: fc.constantFrom('ended', 'until', 'stopped'),
    stateHash: text,
    equity: number,
    cash: amount,
  }),
};

/** Cloned, because the generator also makes objects without a prototype. */
export const anyEntry: fc.Arbitrary<Entry> = fc.oneof(...Object.values<fc.Arbitrary<Entry>>(ANY)).map((entry) => structuredClone(entry));
