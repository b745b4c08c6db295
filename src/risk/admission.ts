// Gate two: the last line before any order, reflexes included. Cancels never come here: they are always lawful.
//
// What bounds whom: a reduce-only order cannot make a position larger, the venue sees to that, so it is never refused for money, for an old
// or unknown price, for its rate or for a halt. A protective stop that is not reduce-only (it may raise the net when sleeves oppose each
// other) is never refused for its rate or for an old or unknown price. Nonsense is refused from everyone.
import { percent } from '../domain/words.ts';
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import type { AccountView, MarketView } from '../domain/decision.ts';
import { compare, format, isZero, notional, roundToStep, signOf, toNumber, type Price } from '../domain/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import { isConditional, type OrderIntent } from '../domain/order.ts';
import { MINUTE_MS, type TimeMs } from '../domain/time.ts';
import { exceeds, TOLERANCE } from './exposure.ts';
import type { RiskPolicy } from './policy.ts';

export interface Refusal {
  readonly rule: string;
  readonly why: string;
}

export function createAdmission(policy: RiskPolicy, instruments: readonly Instrument[]): Admission {
  return new Admission(policy, instruments);
}

/** Owns the bucket of order tokens, which fills in market time, so that a replay refuses the same orders. */
export class Admission implements Stateful {
  readonly #policy: RiskPolicy;
  readonly #instruments: readonly Instrument[];
  #tokens: number;
  #filledAt: TimeMs = 0;

  constructor(policy: RiskPolicy, instruments: readonly Instrument[]) {
    this.#policy = policy;
    this.#instruments = instruments;
    this.#tokens = policy.orderBurst;
  }

  /** Why the order must not go out; undefined when it may, and then it has taken its token. */
  admit(intent: OrderIntent, market: MarketView, account: AccountView): Refusal | undefined {
    const instrument = this.#instruments[intent.instrument];
    if (instrument === undefined) return refuse('nonsense', `there is no instrument ${intent.instrument}`);
    return (
      malformation(intent, instrument) ??
      (account.halted && !intent.reduceOnly ? refuse('halted', 'the run is halted: only reduce-only orders go out') : undefined) ??
      this.#againstMarket(intent, market) ??
      (intent.reduceOnly ? undefined : this.#againstEquity(intent, market, account)) ??
      belowMinimum(intent, instrument, market) ??
      this.#overRate(intent)
    );
  }

  save(out: ByteWriter): void {
    out.number(this.#tokens);
    out.number(this.#filledAt);
  }

  restore(from: ByteReader): void {
    this.#tokens = from.number();
    this.#filledAt = from.number();
  }

  #againstMarket(intent: OrderIntent, market: MarketView): Refusal | undefined {
    const mark = market.mark[intent.instrument] ?? NaN;
    const isKnown = mark > 0;
    const isStale = market.stale[intent.instrument] !== 0;
    if (!isKnown || isStale) {
      // Its price cannot be judged, but a way out never waits for a feed.
      if (intent.reduceOnly || isProtective(intent)) return undefined;
      return isKnown ? refuse('stale-data', 'the last price is too old') : refuse('no-mark', `the mark was ${mark}, expected a price`);
    }
    if (intent.limitPrice === undefined) return undefined;
    const distance = Math.abs(toNumber(intent.limitPrice) - mark);
    if (!exceeds(distance, this.#policy.collarRatio * mark)) return undefined;
    const found = `limit ${format(intent.limitPrice)} is ${percent(distance / mark)} from the mark ${mark}`;
    return refuse('price-collar', `${found}, the collar is ${percent(this.#policy.collarRatio)}`);
  }

  #againstEquity(intent: OrderIntent, market: MarketView, account: AccountView): Refusal | undefined {
    const ratio = estimatedNotional(intent, market) / account.equity;
    // Written so that equity that is zero, negative or no number buys nothing.
    if (ratio <= this.#policy.fatFingerRatio * (1 + TOLERANCE) && account.equity > 0) return undefined;
    return refuse(
      'fat-finger',
      `notional is ${percent(ratio)} of equity ${account.equity}, the limit is ${percent(this.#policy.fatFingerRatio)}`,
    );
  }

  #overRate(intent: OrderIntent): Refusal | undefined {
    const { ordersPerMinute, orderBurst } = this.#policy;
    const elapsed = intent.at - this.#filledAt;
    if (elapsed > 0) {
      this.#tokens = Math.min(orderBurst, this.#tokens + (elapsed * ordersPerMinute) / MINUTE_MS);
      this.#filledAt = intent.at;
    }
    // A token that lacks a rounding error is a token.
    if (this.#tokens < 1 - 1e-9 && !intent.reduceOnly && !isProtective(intent)) {
      return refuse('order-rate', `more than ${orderBurst} orders at once or ${ordersPerMinute} a minute`);
    }
    this.#tokens = Math.max(0, this.#tokens - 1);
    return undefined;
  }
}

function refuse(rule: string, why: string): Refusal {
  return { rule, why };
}

function isProtective(intent: OrderIntent): boolean {
  return intent.role !== 'target';
}

/** What no venue would take, whatever the market: said here, with its reason, instead of by a rejection a round trip later. */
function malformation(intent: OrderIntent, instrument: Instrument): Refusal | undefined {
  const { quantity, type } = intent;
  if (signOf(quantity) <= 0) return refuse('nonsense', `quantity was ${format(quantity)}, expected more than zero`);
  // A stop on the whole position is as large as the position by then, however small that is.
  if (!intent.wholePosition && compare(quantity, roundToStep(quantity, instrument.lot)) !== 0) {
    return refuse('lot', `quantity ${format(quantity)} is not a multiple of the lot ${format(instrument.lot)}`);
  }
  if (!intent.wholePosition && compare(quantity, instrument.minimumQuantity) < 0) {
    return refuse('minimum-quantity', `quantity ${format(quantity)} is below the minimum ${format(instrument.minimumQuantity)}`);
  }
  const needsLimit = type === 'limit' || type === 'post-only';
  const badPrice =
    malformedPrice('limit', needsLimit, intent.limitPrice, instrument) ??
    malformedPrice('stop', isConditional(type), intent.stopPrice, instrument);
  if (badPrice !== undefined) return badPrice;
  // An entry whose stop the venue would refuse would be naked.
  for (const stop of intent.attached) {
    const refusal =
      stop.instrument === intent.instrument ? malformation(stop, instrument) : refuse('nonsense', 'it is of another instrument');
    if (refusal !== undefined) return refuse(refusal.rule, `attached ${stop.role} ${stop.id}: ${refusal.why}`);
  }
  return undefined;
}

function malformedPrice(name: string, needed: boolean, price: Price | undefined, instrument: Instrument): Refusal | undefined {
  if (price === undefined) return needed ? refuse('nonsense', `there is no ${name} price`) : undefined;
  if (!needed) return refuse('nonsense', `a ${name} price of ${format(price)} means nothing for this type of order`);
  if (signOf(price) <= 0) return refuse('nonsense', `${name} price was ${format(price)}, expected more than zero`);
  if (compare(price, roundToStep(price, instrument.tick)) === 0) return undefined;
  return refuse('tick', `${name} price ${format(price)} is not a multiple of the tick ${format(instrument.tick)}`);
}

/** Closing a remainder must be possible, so reduce-only orders may be of any worth. */
function belowMinimum(intent: OrderIntent, instrument: Instrument, market: MarketView): Refusal | undefined {
  const { minimumNotional } = instrument;
  if (intent.reduceOnly || isZero(minimumNotional)) return undefined;
  const price = intent.limitPrice ?? intent.stopPrice;
  const isBelow =
    price === undefined
      ? estimatedNotional(intent, market) < toNumber(minimumNotional)
      : compare(notional(price, intent.quantity), minimumNotional) < 0;
  if (!isBelow) return undefined;
  return refuse('minimum-notional', `notional ${estimatedNotional(intent, market)} is below the minimum ${format(minimumNotional)}`);
}

/** At the price the order names, otherwise at the mark. */
function estimatedNotional(intent: OrderIntent, market: MarketView): number {
  const price = intent.limitPrice ?? intent.stopPrice;
  return toNumber(intent.quantity) * (price === undefined ? (market.mark[intent.instrument] ?? NaN) : toNumber(price));
}
