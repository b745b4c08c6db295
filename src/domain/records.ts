// What markets and their observers say besides bars, trades and books, as columns: best prices, funding, open interest, marks, metrics
// from outside, option chains. In all of them `at` is when we could know it and `happenedAt` when it was so out there, both in UTC
// milliseconds, with a fraction where the source has one. NaN where the source says nothing.

/** Best bid and ask after each change. */
export interface TickerColumns {
  readonly at: Float64Array;
  /** Where the venue does not say, the same as `at`. */
  readonly happenedAt: Float64Array;
  /** The venue's number of the change. */
  readonly update: Float64Array;
  readonly bid: Float64Array;
  readonly bidQuantity: Float64Array;
  readonly ask: Float64Array;
  readonly askQuantity: Float64Array;
}

/** What longs paid to shorts at each settlement, as a fraction of the notional: 0.0001 is one basis point. */
export interface FundingColumns {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  readonly rate: Float64Array;
}

export interface OpenInterestColumns {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  /** In contracts or coins, as the venue counts. */
  readonly quantity: Float64Array;
  /** In the quote currency. */
  readonly value: Float64Array;
}

/** Mark or index prices. */
export interface PriceColumns {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  readonly price: Float64Array;
}

/**
 * Metrics from outside: on-chain, macro, sentiment. `happenedAt` is the beginning of the day (or of whatever span) that the value is of. A
 * value that its source restated stands again as a row of its own, with the `at` of the restatement: at any time the last row with that
 * name and `happenedAt` that was known by then is the one to believe.
 */
export interface MetricColumns {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  /** As its source calls it: `AdrActCnt`. */
  readonly name: readonly string[];
  readonly value: Float64Array;
}

/** Snapshots of option chains, a row for each instrument. Prices in US dollars, those of inverse options too. */
export interface OptionChainColumns {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  /** As its venue calls it: `BTC-27DEC24-100000-C`. */
  readonly instrument: readonly string[];
  /** UTC milliseconds. */
  readonly expiry: Float64Array;
  readonly strike: Float64Array;
  /** 1 call, -1 put. */
  readonly right: Int8Array;
  /** Forward or future of the expiry, and the index, in US dollars. */
  readonly underlying: Float64Array;
  readonly index: Float64Array;
  readonly mark: Float64Array;
  readonly bid: Float64Array;
  readonly ask: Float64Array;
  readonly last: Float64Array;
  /** Per annum: 0.65 is 65 %. */
  readonly markVolatility: Float64Array;
  readonly bidVolatility: Float64Array;
  readonly askVolatility: Float64Array;
  readonly openInterest: Float64Array;
  readonly delta: Float64Array;
  readonly gamma: Float64Array;
  readonly vega: Float64Array;
  readonly theta: Float64Array;
}

/** Trades of all options of an asset. Prices in US dollars, those of inverse options too. */
export interface OptionTradeColumns {
  readonly at: Float64Array;
  readonly happenedAt: Float64Array;
  /** The venue's number of the trade. */
  readonly id: Float64Array;
  /** As its venue calls it: `BTC-27DEC24-100000-C`. */
  readonly instrument: readonly string[];
  /** UTC milliseconds. */
  readonly expiry: Float64Array;
  readonly strike: Float64Array;
  /** 1 call, -1 put. */
  readonly right: Int8Array;
  readonly price: Float64Array;
  /** In contracts, as the venue counts: one of Deribit's is one coin. */
  readonly quantity: Float64Array;
  /** 1 where the buyer took, -1 where the seller did. */
  readonly takerSide: Int8Array;
  /** The venue's own price of the option at that moment. */
  readonly mark: Float64Array;
  /** Implied by the price; per annum: 0.65 is 65 %. */
  readonly volatility: Float64Array;
  /** What the venue took for the price of the coin. */
  readonly underlying: Float64Array;
  /** The block or the combination that it was a leg of, whose legs are priced together; empty for a trade by itself. */
  readonly block: readonly string[];
  readonly combo: readonly string[];
}
