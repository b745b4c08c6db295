// Prices of two venues as one best bid and offer: where a taker comes out best once each venue's own fee is paid.
import { ConsolidatedBest } from 'ballast';

const best = new ConsolidatedBest([
  { name: 'bybit', takerFeeRate: 0.00055, staleAfterMs: 5_000 },
  { name: 'binance', takerFeeRate: 0.0005, staleAfterMs: 5_000 },
]);
best.quote(0, 1_000, 60_000, 1, 60_000.1, 2);
best.quote(1, 1_000, 59_999, 3, 60_001, 1);
const { bid, ask } = best.best(1_500);
console.log(`sell at ${best.venues[bid.venue]?.name} for ${bid.net}, buy at ${best.venues[ask.venue]?.name} for ${ask.net}`);
