// Johansen's basket: three legs or more whose most likely relation is traded when it is stretched.
import { z } from 'zod';
import type { Abstention, Opinion, Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { basketSpread } from '../../features/subject-catalog.ts';
import { MOST_COLUMNS } from '../../quant/johansen.ts';
import {
  againstEntry,
  againstHolding,
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
    ...formationParameters({ shortest: 100, formation: 1_000, formations: 10 }),
    ...levelParameters({ exitZ: 0.5, stopZ: 3.5, maximumHolding: 240 }),
    ...TEST_PARAMETERS,
    maximumGross: z
      .number()
      .min(1)
      .max(1_000)
      .default(6)
      .describe('money in all legs for one in the first beyond which a relation is no basket: it hangs on a difference of large positions'),
  })
  .refine(doLevelsAscend, LEVELS_ASCEND)
  .refine(({ entryPValue, exitPValue }) => entryPValue <= exitPValue, TESTS_ASCEND);

export type BasketParameters = z.infer<typeof parameters>;

/**
 * Johansen (1991), trace test with a constant and one earlier change, on the logs of all legs: the vector of the largest eigenvalue is the
 * basket, the p-value that of no relation at all (Doornik's approximation). Traded as `pairs` is.
 */
export const basket = defineStrategy({
  name: 'basket',
  about: 'trades the most likely relation of three prices or more when it is stretched (Johansen)',
  legs: { least: 3, most: MOST_COLUMNS },
  parameters,
  features,
  opine(evidence, chosen): Opinion {
    return forecastOf(evidence.features.spread, judged(evidence, chosen));
  },
  explain(evidence, chosen): Reasons {
    const { spread } = evidence.features;
    const { pValue, grossRatio, rank } = spread;
    const ratios = Object.fromEntries(spread.legs.slice(1).map((ratio, index) => [`hedgeRatio${index + 1}`, -ratio]));
    return reasonsOf(spread, judged(evidence, chosen), { ...ratios, pValue, grossRatio, rank });
  },
});

function features({ formation, formations, ...chosen }: BasketParameters, legs: number) {
  return { spread: basketSpread({ legs, formation, every: barsBetween(formation, formations), levels: levelsOf(chosen) }) };
}

function judged(
  { bars, features: { spread }, sleeve }: Evidence<ReturnType<typeof features>>,
  chosen: BasketParameters,
): Judgement | Abstention {
  return judge(spread, bars, sleeve.side, chosen, {
    entry: (found) => {
      const against = againstEntry(found, chosen);
      return (
        against ??
        (found.grossRatio <= chosen.maximumGross ? undefined : `its legs come to more than ${chosen.maximumGross} times the first`)
      );
    },
    hold: (found) => againstHolding(found, chosen),
  });
}
