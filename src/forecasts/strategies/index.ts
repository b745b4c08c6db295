// The built-in strategies. A user's own is a file anywhere, loaded by its path, that ends in `export default defineStrategy({ ... })` or
// `export const strategy = defineStrategy({ ... })`; inside this repository exports have the strategy's own name.
import type { Strategy } from '../../domain/strategy.ts';
import { basket } from './basket.ts';
import { bookImbalance } from './book-imbalance.ts';
import { copulaPairs } from './copula-pairs.ts';
import { correlationDivergence } from './correlation-divergence.ts';
import { crossVenueArbitrage } from './cross-venue-arbitrage.ts';
import { distancePairs } from './distance-pairs.ts';
import { donchianEnsemble } from './donchian-ensemble.ts';
import { dynamicPairs } from './dynamic-pairs.ts';
import { fundingCarry } from './funding-carry.ts';
import { leadLag } from './lead-lag.ts';
import { meanReversion } from './mean-reversion.ts';
import { pairs } from './pairs.ts';
import { priceAction } from './price-action.ts';
import { rsiStop } from './rsi-stop.ts';
import { smaCross } from './sma-cross.ts';
import { trendStrength } from './trend-strength.ts';
import { trend } from './trend.ts';
import { vwapDeviation } from './vwap-deviation.ts';

/** In the order in which they are listed. Names are unique. */
export const strategies: readonly Strategy<unknown>[] = [
  trend,
  trendStrength,
  donchianEnsemble,
  meanReversion,
  vwapDeviation,
  priceAction,
  correlationDivergence,
  leadLag,
  crossVenueArbitrage,
  smaCross,
  rsiStop,
  bookImbalance,
  fundingCarry,
  pairs,
  basket,
  dynamicPairs,
  copulaPairs,
  distancePairs,
];
