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

/** Snapshots of option chains, a row for each instrument. Prices in the quote currency of the option: BTC for Deribit's inverse ones. */
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
