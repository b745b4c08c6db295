// Bets that two markets which move together close a gap between their strengths, where a longer timeframe shows the gap too.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { parseSpan } from '../../domain/time.ts';
import { atr, on, rsi } from '../../features/catalog.ts';
import { returnCorrelation } from '../../features/subject-catalog.ts';
import { areOfOneClose, sideOf, stopRatioOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_WINDOW = 5_000;
/** The second leg is at least and at most so much of the first: beyond it one leg would be the whole bet. */
const [LEAST_RATIO, MOST_RATIO] = [0.25, 4];

const parameters = z
  .strictObject({
    correlationWindow: z.int().min(10).max(LONGEST_WINDOW).default(168).describe('returns of the correlation'),
    leastCorrelation: z.number().min(0).max(1).default(0.6).describe('correlation below which both do not belong together'),
    strengthWindow: z.int().min(2).max(LONGEST_WINDOW).default(14).describe('bars of both relative strength indices, on both timeframes'),
    entryGap: z.number().min(1).max(100).default(12).describe('points of relative strength between both from which the gap is bet on'),
    exitGap: z.number().min(-50).max(99).default(3).describe('points at which the gap is closed; below 0 is beyond it'),
    confirmGap: z.number().min(0).max(100).default(3).describe('points to the same side that the longer timeframe must show at entry'),
    longer: z.enum(['15m', '1h', '4h', '12h', '1d', '7d']).default('4h').describe('the longer timeframe: a multiple of the own one'),
    atrWindow: z.int().min(1).max(LONGEST_WINDOW).default(14).describe('bars of the average true ranges'),
    stopAtr: z.number().min(0.1).max(50).default(4).describe("loss at which both legs are closed, in the first leg's average true ranges"),
  })
  .refine(({ entryGap, exitGap }) => exitGap < entryGap, {
    path: ['exitGap'],
    error: 'expected less than entryGap: a gap cannot be closed before it is open',
  });

export type CorrelationDivergenceParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the correlation, a strength, a range or a price are not known yet');
const STILL = abstain('one of the two has not moved: there is no strength to compare and no range to measure a stop by');
const APART = abstain('the two have no bar of one close: strengths of two times are not compared');

/**
 * Long the weaker and short the stronger of two correlated markets, once their relative strength indices stand apart on this timeframe and,
 * less so, on a longer one; closed when the gap is, or when they do not move together any more. The second leg is the first times the slope
 * of its returns on the second's, so that what moves both cancels. A gap between strengths is no price, so no expected return is claimed.
 */
export const correlationDivergence = defineStrategy({
  name: 'correlation-divergence',
  about: 'bets that two correlated markets close a gap between their RSIs that a longer timeframe confirms',
  legs: 2,
  parameters,
  features,
  opine({ bars, features: seen, sleeve }, chosen): Opinion {
    if (seen.firstRange.value === 0 || seen.secondRange.value === 0) return STILL;
    if (!areOfOneClose(bars)) return APART;
    const stopRatio = stopRatioOf(chosen.stopAtr, seen.firstRange.value, bars[0]);
    const gap = seen.first.value - seen.second.value;
    const longerGap = seen.firstLonger.value - seen.secondLonger.value;
    const isKnown = Number.isFinite(gap + longerGap + seen.together.value + seen.together.beta + seen.secondRange.value);
    if (!isKnown || !(stopRatio > 0) || !((bars[1]?.close ?? NaN) > 0)) return UNKNOWN;
    return {
      kind: 'forecast',
      stance: stanceOf(gap, longerGap, seen.together.value, sleeve.side, chosen),
      confidence: UNCALIBRATED,
      protection: { stopRatio },
      legs: [1, -ratioOf(seen.together.beta)],
    };
  },
  explain,
});

function features({ correlationWindow, strengthWindow, longer, atrWindow }: CorrelationDivergenceParameters) {
  const strength = rsi(strengthWindow);
  const timeframeMs = parseSpan(longer, 'longer');
  return {
    together: returnCorrelation(correlationWindow),
    first: strength,
    second: on({ leg: 1 }, strength),
    firstLonger: on({ timeframeMs }, strength),
    secondLonger: on({ leg: 1, timeframeMs }, strength),
    firstRange: atr(atrWindow),
    secondRange: on({ leg: 1 }, atr(atrWindow)),
  };
}

/** How much of the second leg stands against one of the first. */
function ratioOf(beta: number): number {
  return Math.min(Math.max(beta, LEAST_RATIO), MOST_RATIO);
}

function stanceOf(gap: number, longerGap: number, correlation: number, held: Side, chosen: CorrelationDivergenceParameters): Side {
  if (correlation < chosen.leastCorrelation) return 0;
  const side = sideOf(-gap, chosen.entryGap, chosen.exitGap, held);
  if (side === held) return side;
  return -longerGap * side >= chosen.confirmGap ? side : 0;
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: CorrelationDivergenceParameters): Reasons {
  const opinion = correlationDivergence.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { together, first, second, firstLonger, secondLonger } = evidence.features;
  const gap = first.value - second.value;
  const longerGap = firstLonger.value - secondLonger.value;
  const { stance, protection: { stopRatio = NaN } = {} } = opinion;
  return {
    because: `the strength of the first is ${first.value.toFixed(1)}, of the second ${second.value.toFixed(1)} (on the longer timeframe ${firstLonger.value.toFixed(1)} and ${secondLonger.value.toFixed(1)}), their correlation ${together.value.toFixed(2)}: ${verdict(stance, gap, longerGap, together.value, chosen)}`,
    numbers: { gap, longerGap, correlation: together.value, ratio: ratioOf(together.beta), stopRatio, stance },
  };
}

function verdict(stance: number, gap: number, longerGap: number, correlation: number, chosen: CorrelationDivergenceParameters): string {
  const { leastCorrelation, entryGap, confirmGap } = chosen;
  if (correlation < leastCorrelation) return `they do not move together, which takes ${leastCorrelation}`;
  if (stance !== 0) return stance > 0 ? 'the first is bought, the second sold' : 'the first is sold, the second bought';
  if (Math.abs(gap) < entryGap) return `no gap, which takes ${entryGap} points`;
  return `the longer timeframe does not confirm it: ${Math.abs(longerGap).toFixed(1)} points, where it takes ${confirmGap} to the same side`;
}
