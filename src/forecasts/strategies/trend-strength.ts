// Follows a trend that relative strength confirms and that has not run hot yet, with a stop in average true ranges.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { atr, ema, rsi } from '../../features/catalog.ts';
import { sideOf, stopRatioOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_WINDOW = 5_000;
/** Relative strength where risers and fallers balance. */
const EVEN = 50;

const parameters = z
  .strictObject({
    fast: z.int().min(1).max(LONGEST_WINDOW).default(21).describe('bars of the fast exponential mean'),
    slow: z.int().min(2).max(LONGEST_WINDOW).default(55).describe('bars of the slow exponential mean'),
    strengthWindow: z.int().min(2).max(LONGEST_WINDOW).default(14).describe('bars of the relative strength index'),
    leastStrength: z
      .number()
      .min(50)
      .max(99)
      .default(55)
      .describe('relative strength from which a rise is joined; a fall from 100 less that'),
    mostStrength: z.number().min(51).max(100).default(75).describe('relative strength from which it is too late to join a rise'),
    atrWindow: z.int().min(1).max(LONGEST_WINDOW).default(14).describe('bars of the average true range'),
    separation: z.number().min(0).max(20).default(0.5).describe('average true ranges between the means from which a trend is joined'),
    stopAtr: z.number().min(0.1).max(50).default(3).describe('distance of the stop from entry, in average true ranges'),
    trailR: z.number().min(0.1).max(100).default(5).describe('once one R is won, trail the stop by this many R'),
    short: z.boolean().default(true).describe('whether a falling trend is followed too; on spot that means flat either way'),
  })
  .refine(({ fast, slow }) => fast < slow, { path: ['fast'], error: 'expected fewer bars than slow has' })
  .refine(({ leastStrength, mostStrength }) => leastStrength < mostStrength, {
    path: ['leastStrength'],
    error: 'expected less than mostStrength: it cannot be too late before it is time',
  });

export type TrendStrengthParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the means, the strength or the range are not known yet');
const STILL = abstain('nothing has moved: there is no range to measure a trend or a stop by');

/**
 * Long while the fast mean stands above the slow one, joined only where relative strength says that the market rises and has not run hot; the
 * mirror for short. Left at the cross of the means: strength has a say in joining only, or every pause would end a trend. That nothing long
 * is added in a waterfall is the rule of risk `antiKnife`, for this strategy as for any. How far a trend will go is not known, so no
 * expected return is claimed.
 */
export const trendStrength = defineStrategy({
  name: 'trend-strength',
  about: 'follows the cross of two exponential means where relative strength confirms it and has not run hot',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: { fast, slow, strength, range }, sleeve }, chosen): Opinion {
    if (range.value === 0) return STILL;
    const separation = (fast.value - slow.value) / range.value;
    const stopRatio = stopRatioOf(chosen.stopAtr, range.value, bars[0]);
    if (!Number.isFinite(separation + strength.value) || !(stopRatio > 0)) return UNKNOWN;
    return {
      kind: 'forecast',
      stance: stanceOf(separation, strength.value, sleeve.side, chosen),
      confidence: UNCALIBRATED,
      protection: { stopRatio, trailR: chosen.trailR },
    };
  },
  explain,
});

function features({ fast, slow, strengthWindow, atrWindow }: TrendStrengthParameters) {
  return { fast: ema(fast), slow: ema(slow), strength: rsi(strengthWindow), range: atr(atrWindow) };
}

function stanceOf(separation: number, strength: number, held: Side, chosen: TrendStrengthParameters): Side {
  const side = sideOf(separation, chosen.separation, 0, held);
  if (side === held) return side;
  if (side < 0 && !chosen.short) return 0;
  return isConfirmed(side, strength, chosen) ? side : 0;
}

function isConfirmed(side: Side, strength: number, { leastStrength, mostStrength }: TrendStrengthParameters): boolean {
  const own = EVEN + side * (strength - EVEN);
  return own >= leastStrength && own < mostStrength;
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: TrendStrengthParameters): Reasons {
  const opinion = trendStrength.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { fast, slow, strength, range } = evidence.features;
  const separation = (fast.value - slow.value) / range.value;
  const stopRatio = opinion.protection?.stopRatio ?? NaN;
  const stop = opinion.stance === 0 ? '' : `; the stop is ${chosen.stopAtr} ranges (${(100 * stopRatio).toFixed(2)} %) away`;
  return {
    because: `the mean of ${chosen.fast} bars stands ${Math.abs(separation).toFixed(2)} average true ranges ${
      separation < 0 ? 'below' : 'above'
    } that of ${chosen.slow}, the relative strength is ${strength.value.toFixed(1)}: ${verdict(opinion.stance, separation, strength.value, chosen)}${stop}`,
    numbers: {
      separation,
      strength: strength.value,
      fast: fast.value,
      slow: slow.value,
      atr: range.value,
      stopRatio,
      stance: opinion.stance,
    },
  };
}

function verdict(
  stance: number,
  apart: number,
  strength: number,
  { separation, leastStrength, mostStrength, short }: TrendStrengthParameters,
): string {
  if (stance !== 0) return `the trend is ${stance > 0 ? 'up' : 'down'}`;
  if (Math.abs(apart) < separation) return `no trend, which takes ${separation}`;
  if (apart < 0 && !short) return 'the trend is down, and falling trends are not followed';
  const side = apart < 0 ? -1 : 1;
  const own = EVEN + side * (strength - EVEN);
  if (own >= mostStrength) return `too late, from ${side > 0 ? mostStrength : 100 - mostStrength} on`;
  return `not confirmed, which takes ${side > 0 ? leastStrength : 100 - leastStrength}`;
}
