// The venue behind the wire: one market, its listings, and accounts that each match on it by themselves. It reads no clock: whoever serves
// it says how far the market has come.
import { createHash } from 'node:crypto';
import type { Price, Quantity } from '../../domain/decimal.ts';
import { isMarketEvent, type MarketEvent } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import type { MatchingRules } from '../simulated/rules.ts';
import type { AccountSettings, Surroundings } from './account-surroundings.ts';
import { Account } from './account.ts';
import { Listing } from './listing.ts';
import { parameterError } from './refusal.ts';
import type { ServedMarket } from './served-market.ts';
import type { WireCategory, WireInstrumentStatus, WireSide } from './wire.ts';

export interface ExchangeParts {
  readonly market: ServedMarket;
  readonly accounts: readonly AccountSettings[];
  /** Everything of the market up to this is history: accounts begin here. */
  readonly from: TimeMs;
  /** Of ids. */
  readonly seed: number;
  /** A market order fills this much worse, as a ratio of price. */
  readonly slippageRatio: number;
  /** Margin is the account's to choose; everything else of the matching stands here. */
  readonly rules: Partial<Omit<MatchingRules, 'margin'>>;
}

export interface PublicLiquidation {
  readonly number: number;
  readonly at: TimeMs;
  readonly side: WireSide;
  readonly quantity: Quantity;
  readonly price: Price;
}

const KEPT_LIQUIDATIONS = 200;

export class Exchange {
  readonly listings: readonly Listing[];
  readonly accounts: readonly Account[];
  readonly #market: ServedMarket;
  /** By listing. */
  readonly liquidations: readonly PublicLiquidation[][];
  readonly #seed: number;
  /** What the matching of all accounts reads: entries are replaced where filters or funding change. */
  readonly #instruments: Instrument[];
  readonly #nextFunding: TimeMs[];
  readonly #askedInterval: (TimeMs | undefined)[];
  #now: TimeMs = 0;
  #current: MarketEvent | undefined;
  #sequence = 0;
  #ids = 0;

  constructor({ market, accounts, from, seed, slippageRatio, rules }: ExchangeParts) {
    this.#market = market;
    this.#seed = seed;
    this.#instruments = [...market.instruments];
    this.listings = market.instruments.map((instrument, index) => {
      const surroundings = market.surroundings[index];
      if (surroundings === undefined) throw new Error('broken invariant: every instrument has its surroundings');
      return new Listing(index, instrument, surroundings, market.baseTimeframeMs);
    });
    this.liquidations = this.listings.map(() => []);
    this.#nextFunding = this.listings.map(() => NaN);
    this.#askedInterval = this.listings.map(() => undefined);
    this.accounts = [];
    this.advance(from);
    const around: Surroundings = {
      now: () => this.#now,
      listings: this.listings,
      instruments: this.#instruments,
      sources: market.sources,
      baseTimeframeMs: market.baseTimeframeMs,
      slippageRatio,
      rules,
      current: () => this.#current as MarketEvent,
      nextSequence: () => ++this.#sequence,
      nextId: () => this.nextId(),
      onLiquidation: (listing, side, quantity, price) => this.#liquidated(listing, side, quantity, price),
    };
    this.accounts = accounts.map((settings) => new Account(settings, around));
  }

  /** Market time: nothing later has happened here. */
  get now(): TimeMs {
    return this.#now;
  }

  /** The market has said its last word. */
  get ended(): boolean {
    return this.#market.sources.every(({ ended }) => ended);
  }

  /** As a UUID, out of the seed and a count. */
  nextId(): string {
    const digest = createHash('sha256')
      .update(`${this.#seed} ${++this.#ids}`)
      .digest('hex');
    return [digest.slice(0, 8), digest.slice(8, 12), digest.slice(12, 16), digest.slice(16, 20), digest.slice(20, 32)].join('-');
  }

  account(key: string): Account | undefined {
    return this.accounts.find(({ settings }) => settings.key === key);
  }

  /** @throws Refusal 10001 */
  listing(symbol: string, category: WireCategory = 'linear'): Listing {
    const listing = this.listings.find((each) => each.symbol === symbol && each.category === category);
    if (listing === undefined) throw parameterError('Not supported symbols');
    return listing;
  }

  // ---- time ----------------------------------------------------------------------------------------------------------

  /**
   * Lets everything happen that is due up to `to`: at equal times what the matching owes comes before the next price.
   * @param most events, so that nobody waits behind a long way
   * @returns whether it has got there
   */
  advance(to: TimeMs, most = Infinity): boolean {
    for (let handled = 0; handled < most; handled++) {
      const source = this.#earliestSource();
      const marketAt = source?.peekAt() ?? NEVER;
      const account = this.#earliestAccount();
      const accountAt = account?.peekAt() ?? NEVER;
      const nextAt = Math.min(marketAt, accountAt);
      if (nextAt > to || nextAt === NEVER) {
        if (to !== NEVER) this.#now = Math.max(this.#now, to);
        for (const { surroundings, last } of this.listings) if (last > 0) surroundings.advance(this.#now, last);
        return true;
      }
      if (account !== undefined && accountAt <= marketAt) {
        this.#now = Math.max(this.#now, accountAt);
        account.act();
      } else if (source !== undefined) {
        const event = source.take();
        if (isMarketEvent(event)) this.#happened(event);
      }
    }
    return false;
  }

  #happened(event: MarketEvent): void {
    this.#now = Math.max(this.#now, event.at);
    this.#current = event;
    const listing = this.listings[event.instrument];
    if (listing === undefined) return;
    this.#passBoundary(listing, event.at);
    listing.seen(event, ++this.#sequence);
    for (const account of this.accounts) account.seen(event);
  }

  /** After a boundary has been paid the next rate holds, and the interval that was asked for. */
  #passBoundary(listing: Listing, at: TimeMs): void {
    const boundary = this.#nextFunding[listing.index] ?? NaN;
    const asked = this.#askedInterval[listing.index];
    // A moment before: who pays at the boundary then reckons the next one by it.
    if (asked !== undefined && at >= boundary - 2 * this.#market.baseTimeframeMs) {
      this.#askedInterval[listing.index] = undefined;
      this.changeInstrument(listing, { fundingIntervalMs: asked });
    }
    if (at <= boundary) return;
    if (!Number.isNaN(boundary)) listing.funded(boundary);
    this.#nextFunding[listing.index] = listing.nextFundingAt(at - 1);
    const { fundingRate } = listing.surroundings;
    if (fundingRate !== undefined) this.changeInstrument(listing, { fundingRate });
  }

  #earliestSource() {
    let earliest: ServedMarket['sources'][number] | undefined;
    for (const source of this.#market.sources) {
      if (source.peekAt() < (earliest?.peekAt() ?? NEVER)) earliest = source;
    }
    return earliest;
  }

  #earliestAccount(): Account | undefined {
    let earliest: Account | undefined;
    for (const account of this.accounts) if (account.peekAt() < (earliest?.peekAt() ?? NEVER)) earliest = account;
    return earliest;
  }

  #liquidated(listing: Listing, side: WireSide, quantity: Quantity, price: Price): void {
    const list = this.liquidations[listing.index];
    list?.push({ number: ++this.#sequence, at: this.#now, side, quantity, price });
    if (list !== undefined && list.length > KEPT_LIQUIDATIONS) list.splice(0, KEPT_LIQUIDATIONS / 2);
  }

  // ---- what the venue may change -------------------------------------------------------------------------------------

  /** Filters or the funding rate of a listing, from now on. */
  changeInstrument(listing: Listing, change: Partial<Instrument>): void {
    const changed = { ...listing.instrument, ...change };
    listing.changeInstrument(changed);
    this.#instruments[listing.index] = changed;
    for (const account of this.accounts) account.instrumentChanged(listing.index, changed);
  }

  /** From the next boundary on, which was announced and stays. */
  changeFundingInterval(listing: Listing, intervalMs: TimeMs): void {
    this.#askedInterval[listing.index] = intervalMs;
  }

  changeStatus(listing: Listing, status: WireInstrumentStatus): void {
    listing.status = status;
    if (status === 'Trading') return;
    for (const account of this.accounts) account.cancelAll({ category: listing.category, symbol: listing.symbol }, 'CancelByAdmin');
  }
}
