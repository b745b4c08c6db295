// Pairs whose relation is estimated over and over, tested for coming back from far out, and measured over as long as they take to come back.
import { z } from 'zod';
import type { Abstention, Opinion, Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { pairSpread } from '../../features/subject-catalog.ts';
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

const parameters = z
  .strictObject({
    ...formationParameters({ shortest: 50, formation: 500, formations: 20 }),
    lookBackHalfLives: z
      .number()
      .min(0.5)
      .max(100)
      .default(5)
      .describe('how long the spread is looked back on for its middle and its deviation, in half-lives of the last formation'),
    ...levelParameters({ exitZ: 0.5, stopZ: 3.5, maximumHolding: 120 }),
    ...TEST_PARAMETERS,
  })
  .refine(doLevelsAscend, LEVELS_ASCEND)
  .refine(({ entryPValue, exitPValue }) => entryPValue <= exitPValue, TESTS_ASCEND);

export type DynamicPairsParameters = z.infer<typeof parameters>;

/**
 * Dynamic cointegration after Tadi and Kortchemski (2021), Evaluation of dynamic cointegration-based pairs trading strategy in the
 * cryptocurrency market: short formations, estimated anew often; the test of Kapetanios, Shin and Snell (2006) of residuals, whose
 * alternative is a spread that wanders near its middle and is drawn back from far out, as costs of trading make it; the half-life of the
 * fitted process sets over how many bars the z-score is measured. The paper trades at best bid and ask by the minute; this trades bars.
 */
export const dynamicPairs = defineStrategy({
  name: 'dynamic-pairs',
  about: 'pairs estimated anew often, tested by KSS, measured over the half-lives that they take to come back',
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

function features({ formation, formations, lookBackHalfLives, ...chosen }: DynamicPairsParameters) {
  return {
    spread: pairSpread({
      formation,
      every: barsBetween(formation, formations),
      levels: levelsOf(chosen),
      test: 'kss',
      by: { kind: 'look-back', halfLives: lookBackHalfLives },
    }),
  };
}

function judged(
  { bars, features: { spread }, sleeve }: Evidence<ReturnType<typeof features>>,
  chosen: DynamicPairsParameters,
): Judgement | Abstention {
  return judge(spread, bars, sleeve.side, chosen, {
    entry: (found) => againstEntry(found, chosen) ?? againstOneSide(found),
    hold: (found) => againstHolding(found, chosen),
  });
}
