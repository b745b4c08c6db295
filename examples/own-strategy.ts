// A strategy of your own: one file anywhere. `ballast backtest --strategy examples/own-strategy.ts ...` runs it.
import { abstain, atr, defineStrategy, ema, rsi, z } from 'ballast';

export default defineStrategy({
  name: 'dip-buyer',
  about: 'buys weakness within an upward trend, and sells the recovery',
  legs: 1,
  // At once the check of the config, the help on the command line and the space of a sweep.
  parameters: z.strictObject({
    trendWindow: z.int().min(2).max(5_000).default(100).describe('bars of the mean that tells the trend'),
    rsiWindow: z.int().min(2).max(500).default(7).describe('bars of the relative strength index'),
    buyBelow: z.number().min(1).max(99).default(40).describe('strength below which a dip is bought'),
    sellAbove: z.number().min(1).max(99).default(65).describe('strength above which it is sold'),
    stopAtr: z.number().min(0.1).max(50).default(3).describe('distance of the stop, in average true ranges'),
  }),
  // State lives in declared features: nothing is asked before all of them are warm.
  features: ({ trendWindow, rsiWindow }) => ({ trend: ema(trendWindow), strength: rsi(rsiWindow), range: atr(14) }),
  // A pure function of its evidence: the same evidence, the same opinion.
  opine({ bars, features, sleeve }, { buyBelow, sellAbove, stopAtr }) {
    const close = bars[0]?.close ?? NaN;
    const strength = features.strength.value;
    const stopRatio = (stopAtr * features.range.value) / close;
    const isKnown = Number.isFinite(strength + features.trend.value) && stopRatio > 0 && stopRatio < 1;
    if (!isKnown) return abstain('nothing moves, or nothing is known');
    const isDip = close > features.trend.value && strength < buyBelow;
    const isHeld = sleeve.side > 0 && strength < sellAbove;
    return { kind: 'forecast', stance: isDip || isHeld ? 1 : 0, confidence: 0.5, protection: { stopRatio } };
  },
  explain({ bars, features }, { buyBelow, sellAbove }) {
    const [strength, trend] = [features.strength.value, features.trend.value];
    if (!Number.isFinite(strength) || !Number.isFinite(trend)) return { because: 'nothing is known', numbers: {} };
    const side = (bars[0]?.close ?? NaN) > trend ? 'above' : 'below';
    return {
      because: `the close is ${side} its trend, the strength is ${strength.toFixed(0)}: bought below ${buyBelow}, sold above ${sellAbove}`,
      numbers: { strength, trend },
    };
  },
});
