// What the quantities at the top of a book say of the next price. A book's sides are columns, the best level first; nothing is kept.

/** The quantity bid less the quantity asked among both, -1..1; 0 where there is neither. */
function imbalance(bid: number, ask: number): number {
  const both = bid + ask;
  return both > 0 ? (bid - ask) / both : 0;
}

/** Imbalance of the best `levels` levels of each side together, -1 (asks alone) to 1 (bids alone). A side may be shorter than that. */
export function bookImbalance(bidQuantities: Float64Array, askQuantities: Float64Array, levels: number): number {
  let bid = 0;
  let ask = 0;
  for (let level = 0; level < levels; level++) {
    bid += bidQuantities[level] ?? 0;
    ask += askQuantities[level] ?? 0;
  }
  return imbalance(bid, ask);
}

/** The same for every depth at once: element k of `into` becomes the imbalance of the best k + 1 levels. Returns `into`. */
export function imbalanceByLevel(bidQuantities: Float64Array, askQuantities: Float64Array, into: Float64Array): Float64Array {
  let bid = 0;
  let ask = 0;
  for (let level = 0; level < into.length; level++) {
    bid += bidQuantities[level] ?? 0;
    ask += askQuantities[level] ?? 0;
    into[level] = imbalance(bid, ask);
  }
  return into;
}

/**
 * The touch, each side weighted by the quantity on the other: where much is bid and little asked, the price lies near the ask (Gatheral and
 * Oomen 2010; not Stoikov's martingale price of 2018, which has to be fitted). The mid where both quantities are 0.
 */
export function microprice(bidPrice: number, bidQuantity: number, askPrice: number, askQuantity: number): number {
  const both = bidQuantity + askQuantity;
  return both > 0 ? bidPrice + (askPrice - bidPrice) * (bidQuantity / both) : (bidPrice + askPrice) / 2;
}
