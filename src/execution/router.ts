// Where to take what is needed when several venues have it: by what stands in each book, what each asks as a fee, and how far away it is.
// Numbers only. Nobody calls it in a session yet: a run trades each instrument at one venue, and a live one will ask when it has several.
import type { Side } from '../domain/order.ts';

/** A venue as it was last seen. */
export interface VenueBook {
  /** The side that would be taken, best first: asks of a buyer, bids of a seller. */
  readonly levels: readonly { readonly price: number; readonly quantity: number }[];
  readonly takerFeeRate: number;
  /** From here to its matching. */
  readonly latencyMs: number;
}

export interface Route {
  /** Index in the venues. */
  readonly venue: number;
  readonly quantity: number;
  /** The worst level that is taken: the limit to send it with. */
  readonly limitPrice: number;
  /** Money paid, or for a seller received: notional with fee and delay. */
  readonly value: number;
}

const YEAR_MS = 365 * 86_400_000;

/**
 * What a delay is expected to cost, as a ratio of price. What stands there is taken by others when the price moves against us, and no better when
 * it moves for us: the mean of the bad half of a random walk, sigma x sqrt(t) / sqrt(2 pi).
 * @param volatility of a year, as a ratio
 */
export function delayCostRatio(latencyMs: number, volatility: number): number {
  return volatility * Math.sqrt(latencyMs / YEAR_MS / (2 * Math.PI));
}

/**
 * The cheapest way to take `quantity` over the venues: level by level, the next one always the cheapest that is left with its fee and its delay.
 * As a venue's levels only get worse, no other division is cheaper. Quantities are not rounded: whoever sends them rounds to each venue's lot.
 * @returns a route for each venue that gets a part, in their order; together less than `quantity` where the books hold less
 */
export function route(side: Side, quantity: number, venues: readonly VenueBook[], volatility: number): readonly Route[] {
  const sign = side === 'buy' ? 1 : -1;
  const levels = venues.flatMap(({ levels: stands, takerFeeRate, latencyMs }, venue) => {
    const costRatio = takerFeeRate + delayCostRatio(latencyMs, volatility);
    return stands.map(({ price, quantity: most }) => ({ venue, price, most, latencyMs, value: price * (1 + sign * costRatio) }));
  });
  // At equal cost the nearer venue.
  levels.sort((left, right) => sign * (left.value - right.value) || left.latencyMs - right.latencyMs || left.venue - right.venue);
  const routes = venues.map((_, venue) => ({ venue, quantity: 0, limitPrice: NaN, value: 0 }));
  let left = quantity;
  for (const { venue, price, most, value } of levels) {
    const taken = Math.min(left, most);
    const way = routes[venue];
    if (!(taken > 0) || way === undefined) continue;
    left -= taken;
    way.quantity += taken;
    way.limitPrice = price;
    way.value += taken * value;
  }
  return routes.filter((way) => way.quantity > 0);
}
