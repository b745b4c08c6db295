// The built-in strategies. A user's own is a file anywhere, loaded by its path, that ends in `export default defineStrategy({ ... })` or
// `export const strategy = defineStrategy({ ... })`; inside this repository exports have the strategy's own name.
import type { Strategy } from '../../domain/strategy.ts';
import { bookImbalance } from './book-imbalance.ts';
import { fundingCarry } from './funding-carry.ts';
import { meanReversion } from './mean-reversion.ts';
import { rsiStop } from './rsi-stop.ts';
import { smaCross } from './sma-cross.ts';
import { trend } from './trend.ts';

/** In the order in which they are listed. Names are unique. */
export const strategies: readonly Strategy<unknown>[] = [trend, meanReversion, smaCross, rsiStop, bookImbalance, fundingCarry];
