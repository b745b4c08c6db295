// The consolidated best bid and offer of one instrument over several venues: on each side the venue where a taker comes out best once its own
// fee is paid. A venue that has not spoken for too long drops out, and so does one whose own book is crossed. Numbers only, by columns.
import { BallastError } from '../domain/errors.ts';
import type { TimeMs } from '../domain/time.ts';

/** Who quotes. */
export interface QuotingVenue {
  readonly name: string;
  /** Ratio of notional. */
  readonly takerFeeRate: number;
  /** Its word counts for so long. */
  readonly staleAfterMs: number;
}

/** One side of the consolidated book. The object is used again: copy what you keep. */
export interface ConsolidatedSide {
  /** Index in the venues; -1 where nobody quotes. */
  venue: number;
  /** As it is quoted; NaN where nobody quotes. */
  price: number;
  /** Base currency. */
  quantity: number;
  /** What a seller receives and a buyer pays for one, the taker's fee included. */
  net: number;
}

export interface ConsolidatedQuote {
  readonly bid: Readonly<ConsolidatedSide>;
  readonly ask: Readonly<ConsolidatedSide>;
}

export class ConsolidatedBest {
  readonly venues: readonly QuotingVenue[];
  readonly #bid: Float64Array;
  readonly #bidQuantity: Float64Array;
  readonly #ask: Float64Array;
  readonly #askQuantity: Float64Array;
  readonly #at: Float64Array;
  readonly #best = { bid: nobody(), ask: nobody() };

  /** @throws BallastError QUOTING_VENUE_INVALID */
  constructor(venues: readonly QuotingVenue[]) {
    for (const { name, takerFeeRate, staleAfterMs } of venues) {
      if (takerFeeRate > -1 && takerFeeRate < 1 && staleAfterMs > 0) continue;
      throw new BallastError({
        code: 'QUOTING_VENUE_INVALID',
        place: name,
        found: `takerFeeRate ${takerFeeRate}, staleAfterMs ${staleAfterMs}`,
        expected: 'a ratio between -1 and 1, and a time above 0',
      });
    }
    this.venues = venues;
    const column = (fill: number): Float64Array => new Float64Array(venues.length).fill(fill);
    this.#bid = column(NaN);
    this.#bidQuantity = column(0);
    this.#ask = column(NaN);
    this.#askQuantity = column(0);
    this.#at = column(-Infinity);
  }

  /** What a venue quotes from `at` on; NaN, or no quantity, on a side where it quotes nothing. An older word than its last says nothing. */
  quote(venue: number, at: TimeMs, bid: number, bidQuantity: number, ask: number, askQuantity: number): void {
    if (at < (this.#at[venue] ?? Infinity)) return;
    this.#at[venue] = at;
    const isCrossed = bid >= ask;
    this.#bid[venue] = isCrossed || !(bidQuantity > 0) ? NaN : bid;
    this.#bidQuantity[venue] = bidQuantity;
    this.#ask[venue] = isCrossed || !(askQuantity > 0) ? NaN : ask;
    this.#askQuantity[venue] = askQuantity;
  }

  /** Its stream is lost: what it said counts no more. */
  lost(venue: number): void {
    this.#at[venue] = -Infinity;
  }

  /** The best of both sides at a time. At equal net prices the larger quantity, then the venue that stands first. */
  best(at: TimeMs): ConsolidatedQuote {
    const { bid, ask } = this.#best;
    clear(bid);
    clear(ask);
    for (let venue = 0; venue < this.venues.length; venue++) {
      const { takerFeeRate, staleAfterMs } = this.venues[venue] as QuotingVenue;
      if (!(at - (this.#at[venue] ?? -Infinity) <= staleAfterMs)) continue;
      const [bidPrice, askPrice] = [this.#bid[venue] ?? NaN, this.#ask[venue] ?? NaN];
      if (bidPrice > 0) better(bid, 1, venue, bidPrice, this.#bidQuantity[venue] ?? 0, bidPrice * (1 - takerFeeRate));
      if (askPrice > 0) better(ask, -1, venue, askPrice, this.#askQuantity[venue] ?? 0, askPrice * (1 + takerFeeRate));
    }
    return this.#best;
  }
}

function nobody(): ConsolidatedSide {
  return { venue: -1, price: NaN, quantity: 0, net: NaN };
}

function clear(side: ConsolidatedSide): void {
  side.venue = -1;
  side.price = NaN;
  side.quantity = 0;
  side.net = NaN;
}

/** @param sign 1 where more is better */
function better(side: ConsolidatedSide, sign: 1 | -1, venue: number, price: number, quantity: number, net: number): void {
  const ahead = sign * (net - side.net);
  if (side.venue >= 0 && !(ahead > 0 || (ahead === 0 && quantity > side.quantity))) return;
  side.venue = venue;
  side.price = price;
  side.quantity = quantity;
  side.net = net;
}
