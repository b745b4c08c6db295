// Bets on the way back to the mean: how many deviations the close has strayed, against a threshold that rises when the market wakes up.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { atr, ema, volatilityRatio, zScore } from '../../features/catalog.ts';
import { sideOf, stopRatioOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_WINDOW = 5_000;
/** Thresholds stay within these multiples of `entryZ`: noise in a dead market is no stretch, and a storm must not put one out of reach. */
const LOWEST_THRESHOLD = 0.75;
const HIGHEST_THRESHOLD = 2;

// Defaults: in a plain simulation over six coins, hourly, 2018-2024, at 0.11 % a fill, betting against every stretch lost on both sides at
// all settings. Betting only on stretches that go against the longer trend broke even or gained a little with a window of 96, on BTC as
// well. So the trend is asked, and the stop is wide: stops inside the noise of a stretch cost more than they saved.
const parameters = z
  .strictObject({
    window: z.int().min(2).max(LONGEST_WINDOW).default(96).describe('bars of the mean and the deviation'),
    entryZ: z.number().min(0.1).max(10).default(2).describe('deviations from the mean from which a return is bet on, in usual volatility'),
    exitZ: z.number().min(-5).max(5).default(0).describe('deviations from the mean at which the bet is closed; below 0 is beyond the mean'),
    adaptation: z
      .number()
      .min(0)
      .max(2)
      .default(0.5)
      .describe('how much entryZ follows the volatility ratio: 0 not at all, 1 in proportion'),
    shortWindow: z.int().min(2).max(LONGEST_WINDOW).default(12).describe('returns of the volatility now'),
    longWindow: z.int().min(3).max(LONGEST_WINDOW).default(96).describe('returns of the usual volatility'),
    trendWindow: z.int().min(1).max(LONGEST_WINDOW).default(400).describe('bars of the exponential mean that tells the longer trend'),
    withTrend: z.boolean().default(true).describe('whether to buy only above the longer trend and to sell only below it'),
    atrWindow: z.int().min(1).max(LONGEST_WINDOW).default(14).describe('bars of the average true range'),
    stopAtr: z.number().min(0.1).max(50).default(6).describe('distance of the stop from entry, in average true ranges'),
    short: z.boolean().default(true).describe('whether stretches upward are bet against too; on spot that means flat either way'),
  })
  .refine(({ shortWindow, longWindow }) => shortWindow < longWindow, {
    path: ['shortWindow'],
    error: 'expected fewer returns than longWindow has',
  })
  .refine(({ entryZ, exitZ }) => exitZ < LOWEST_THRESHOLD * entryZ, {
    path: ['exitZ'],
    error: `expected less than ${LOWEST_THRESHOLD} x entryZ, the lowest that a threshold can become: a bet cannot end before it begins`,
  });

export type MeanReversionParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the mean, the volatility or the range are not known yet');
const STILL = abstain('nothing has moved: there is no range to measure a stretch or a stop by');

/**
 * Long when the close has fallen an entry threshold below its mean, short when it has risen as far above, closed near the mean. The stance is
 * a whole one or none: growing with the stretch would add to a position the more wrong it is. The way back to the mean is what is hoped
 * for, not what is expected, so no expected return is claimed.
 */
export const meanReversion = defineStrategy({
  name: 'mean-reversion',
  about: 'bets on the way back to the mean after a stretch, against thresholds that rise with volatility',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: { stretch, volatility, trend, range }, sleeve }, chosen): Opinion {
    if (range.value === 0) return STILL;
    const bar = bars[0];
    const level = -stretch.value;
    const threshold = thresholdOf(volatility.value, chosen);
    const stopRatio = stopRatioOf(chosen.stopAtr, range.value, bar);
    if (bar === undefined || !Number.isFinite(level + volatility.value + trend.value) || !(stopRatio > 0)) return UNKNOWN;
    return {
      kind: 'forecast',
      stance: stanceOf(level, threshold, bar.close - trend.value, sleeve.side, chosen),
      confidence: UNCALIBRATED,
      protection: { stopRatio },
    };
  },
  explain,
});

function features({ window, shortWindow, longWindow, trendWindow, atrWindow }: MeanReversionParameters) {
  return {
    stretch: zScore(window),
    volatility: volatilityRatio(shortWindow, longWindow),
    trend: ema(trendWindow),
    range: atr(atrWindow),
  };
}

function thresholdOf(ratio: number, { entryZ, adaptation }: MeanReversionParameters): number {
  const followed = 1 + adaptation * (ratio - 1);
  return entryZ * Math.min(Math.max(followed, LOWEST_THRESHOLD), HIGHEST_THRESHOLD);
}

/** The trend has a say in entering only: a bet that is on is closed at the mean or by its stop. */
function stanceOf(level: number, threshold: number, aboveTrend: number, held: Side, chosen: MeanReversionParameters): Side {
  const side = sideOf(level, threshold, chosen.exitZ, held);
  if (side === held) return side;
  if (side < 0 && !chosen.short) return 0;
  return chosen.withTrend && side * aboveTrend < 0 ? 0 : side;
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: MeanReversionParameters): Reasons {
  const opinion = meanReversion.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { stretch, volatility, trend, range } = evidence.features;
  const threshold = thresholdOf(volatility.value, chosen);
  const stopRatio = opinion.protection?.stopRatio ?? NaN;
  const stop = opinion.stance === 0 ? '' : `; the stop is ${chosen.stopAtr} average true ranges (${(100 * stopRatio).toFixed(2)} %) away`;
  return {
    because: `the close is ${Math.abs(stretch.value).toFixed(2)} deviations ${stretch.value < 0 ? 'below' : 'above'} its mean of ${
      chosen.window
    } bars: ${verdict(opinion.stance, stretch.value, threshold, chosen)}${stop}`,
    numbers: {
      zScore: stretch.value,
      threshold,
      volatilityRatio: volatility.value,
      trend: trend.value,
      atr: range.value,
      stopRatio,
      stance: opinion.stance,
    },
  };
}

function verdict(stance: number, stretch: number, threshold: number, { exitZ, short }: MeanReversionParameters): string {
  const limit = threshold.toFixed(2);
  const beyond = Math.abs(stretch) >= threshold;
  if (stance === 0 && !beyond) return `no stretch, which takes ${limit} at this volatility`;
  if (stance === 0 && stretch > 0 && !short) return 'a stretch upward, and those are not bet against';
  if (stance === 0) return `a stretch beyond ${limit}, but the longer trend goes the same way`;
  if (beyond && stretch * stance < 0) return `a stretch beyond ${limit}: the way back is bet on`;
  return `the return that was bet on is not complete before ${exitZ}`;
}
