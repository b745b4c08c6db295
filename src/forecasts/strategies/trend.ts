// Follows the trend: how far a fast mean stands from a slow one, measured in average true ranges, with a stop measured in the same.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { atr, ema } from '../../features/catalog.ts';
import { sideOf, stopRatioOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_WINDOW = 5_000;

// Defaults: in a plain simulation over eight coins, hourly, 2018-2024, at 0.11 % a fill, what mattered was a separation of 0.5 to 1.5 before
// entry (half the trades of a plain cross, a smaller drawdown), leaving only at the cross, and a trail too wide to end trends. These are
// round numbers from that plateau, not its peak; wider stops did better still, but twice the range is the house's rule.
const parameters = z
  .strictObject({
    fast: z.int().min(1).max(LONGEST_WINDOW).default(12).describe('bars of the fast exponential mean'),
    slow: z.int().min(2).max(LONGEST_WINDOW).default(48).describe('bars of the slow exponential mean'),
    atrWindow: z.int().min(1).max(LONGEST_WINDOW).default(14).describe('bars of the average true range'),
    entrySeparation: z.number().min(0).max(20).default(1).describe('average true ranges between the means from which a trend is joined'),
    exitSeparation: z.number().min(-20).max(20).default(0).describe('average true ranges between the means at which it is left'),
    stopAtr: z.number().min(0.1).max(50).default(2).describe('distance of the stop from entry, in average true ranges'),
    trailR: z.number().min(0.1).max(100).default(10).describe('once one R is won, trail the stop by this many R'),
    short: z.boolean().default(true).describe('whether a falling trend is followed too; on spot that means flat either way'),
  })
  .refine(({ fast, slow }) => fast < slow, { path: ['fast'], error: 'expected fewer bars than slow has' })
  .refine(({ entrySeparation, exitSeparation }) => exitSeparation <= entrySeparation, {
    path: ['exitSeparation'],
    error: 'expected at most entrySeparation: a trend cannot be left before it is joined',
  });

export type TrendParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the means or the range are not known yet');
const STILL = abstain('nothing has moved: there is no range to measure a trend or a stop by');

/**
 * Long while the fast mean stands above the slow one, short while below: joined once they are `entrySeparation` apart, left at
 * `exitSeparation`. The stance is a whole one or none: a cross says which side, and how far apart the means are says little about how far
 * the trend will go, so neither a size nor an expected return is claimed.
 */
export const trend = defineStrategy({
  name: 'trend',
  about: 'follows the cross of two exponential means once they stand apart, with a stop in average true ranges',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: { fast, slow, range }, sleeve }, chosen): Opinion {
    if (range.value === 0) return STILL;
    const separation = (fast.value - slow.value) / range.value;
    const stopRatio = stopRatioOf(chosen.stopAtr, range.value, bars[0]);
    if (!Number.isFinite(separation) || !(stopRatio > 0)) return UNKNOWN;
    return {
      kind: 'forecast',
      stance: stanceOf(separation, sleeve.side, chosen),
      confidence: UNCALIBRATED,
      protection: { stopRatio, trailR: chosen.trailR },
    };
  },
  explain,
});

function features({ fast, slow, atrWindow }: TrendParameters) {
  return { fast: ema(fast), slow: ema(slow), range: atr(atrWindow) };
}

function stanceOf(separation: number, held: Side, { entrySeparation, exitSeparation, short }: TrendParameters): Side {
  const side = sideOf(separation, entrySeparation, exitSeparation, held);
  return side < 0 && !short ? 0 : side;
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: TrendParameters): Reasons {
  const opinion = trend.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { fast, slow, range } = evidence.features;
  const separation = (fast.value - slow.value) / range.value;
  const stopRatio = opinion.protection?.stopRatio ?? NaN;
  const where = `the mean of ${chosen.fast} bars stands ${Math.abs(separation).toFixed(2)} average true ranges ${
    separation < 0 ? 'below' : 'above'
  } that of ${chosen.slow}`;
  return {
    because: `${where}: ${verdict(opinion.stance, separation, chosen)}${
      opinion.stance === 0 ? '' : `; the stop is ${chosen.stopAtr} ranges (${(100 * stopRatio).toFixed(2)} %) away`
    }`,
    numbers: { separation, fast: fast.value, slow: slow.value, atr: range.value, stopRatio, stance: opinion.stance },
  };
}

function verdict(stance: number, separation: number, { entrySeparation, exitSeparation, short }: TrendParameters): string {
  if (stance === 0 && separation <= -entrySeparation && !short) return 'the trend is down, and falling trends are not followed';
  if (stance === 0) return `no trend, which takes ${entrySeparation}`;
  if (separation * stance >= entrySeparation) return `the trend is ${stance > 0 ? 'up' : 'down'}`;
  return `less than the ${entrySeparation} that it takes to join a trend, more than the ${exitSeparation} at which the held one is left`;
}
