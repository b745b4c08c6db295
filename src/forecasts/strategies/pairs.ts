// Engle and Granger's pairs: two prices that are cointegrated, traded against each other when their spread is stretched.
import { z } from 'zod';
import type { Abstention, Opinion, Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { pairSpread } from '../../features/subject-catalog.ts';
import type { PairSpread } from '../../features/pairs/pair-spread.ts';
import {
  againstEntry,
  againstHolding,
  againstOneSide,
  barsBetween,
  doLevelsAscend,
  forecastOf,
  formationParameters,
  judge,
  levelParameters,
  LEVELS_ASCEND,
  levelsOf,
  reasonsOf,
  TEST_PARAMETERS,
  TESTS_ASCEND,
  type Judgement,
} from './spread.ts';

// Defaults: six weeks of hours are long enough for Engle and Granger's test to see half-lives of two days, and 2.0, 0.5 and 3.5 deviations are the
// field's own. None of them was tuned: docs/guides/pairs.md says what they earned.
const parameters = z
  .strictObject({
    ...formationParameters({ shortest: 50, formation: 1_000, formations: 10 }),
    hedge: z
      .enum(['ols', 'kalman'])
      .default('ols')
      .describe('the hedge ratio: by least squares of the last formation, or followed bar by bar by a Kalman filter'),
    kalmanMemory: z.int().min(2).max(1_000_000).default(1_000).describe('bars over which the Kalman filter forgets'),
    ...levelParameters({ exitZ: 0.5, stopZ: 3.5, maximumHolding: 240 }),
    ...TEST_PARAMETERS,
    minimumRSquared: z
      .number()
      .min(0)
      .max(1)
      .default(0.5)
      .describe("the least share of the first leg's movement that the second has to explain"),
  })
  .refine(doLevelsAscend, LEVELS_ASCEND)
  .refine(({ entryPValue, exitPValue }) => entryPValue <= exitPValue, TESTS_ASCEND);

export type PairsParameters = z.infer<typeof parameters>;

/**
 * Log of the first leg on log of the second over the formation; its residuals tested by Engle and Granger (1987) with MacKinnon's
 * distribution of residuals. Long the spread below its middle, short above it, a whole stance or none. Left when the spread is back,
 * stretched too far or too long, or when a later formation finds the relation broken.
 */
export const pairs = defineStrategy({
  name: 'pairs',
  about: 'trades two cointegrated prices against each other when their spread is stretched (Engle and Granger)',
  legs: 2,
  parameters,
  features,
  opine(evidence, chosen): Opinion {
    return forecastOf(evidence.features.spread, judged(evidence, chosen));
  },
  explain(evidence, chosen): Reasons {
    const { spread } = evidence.features;
    const { hedgeRatio, pValue, rSquared } = spread;
    return reasonsOf(spread, judged(evidence, chosen), { hedgeRatio, pValue, rSquared });
  },
});

function features({ formation, formations, hedge, kalmanMemory, ...chosen }: PairsParameters) {
  return {
    spread: pairSpread({
      formation,
      every: barsBetween(formation, formations),
      levels: levelsOf(chosen),
      test: 'engle-granger',
      by: hedge === 'kalman' ? { kind: 'kalman', memory: kalmanMemory } : { kind: 'formation' },
    }),
  };
}

function judged(
  { bars, features: { spread }, sleeve }: Evidence<ReturnType<typeof features>>,
  chosen: PairsParameters,
): Judgement | Abstention {
  return judge(spread, bars, sleeve.side, chosen, {
    entry: (found) => againstEntry(found, chosen) ?? againstExplaining(found, chosen.minimumRSquared) ?? againstOneSide(found),
    hold: (found) => againstHolding(found, chosen),
  });
}

function againstExplaining({ rSquared }: Readonly<PairSpread>, minimumRSquared: number): string | undefined {
  return rSquared >= minimumRSquared ? undefined : `the second leg explains too little of the first, less than ${minimumRSquared}`;
}
