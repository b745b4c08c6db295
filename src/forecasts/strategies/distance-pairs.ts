// Gatev's distance: of several prices the two that lay nearest to each other, traded when they part. The plain baseline of the others.
import { z } from 'zod';
import type { Abstention, Opinion, Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { distanceSpread } from '../../features/subject-catalog.ts';
import {
  doLevelsAscend,
  forecastOf,
  judge,
  levelParameters,
  LEVELS_ASCEND,
  levelsOf,
  LONGEST_FORMATION,
  reasonsOf,
  type Judgement,
} from './spread.ts';

/** All pairs of them are looked at in a formation. */
const MOST_LEGS = 20;

// Defaults: half as long traded as formed, entered at two deviations and left where the two meet, as the paper has it. It knows no stop; a sleeve has
// to have one, so it is far away.
const parameters = z
  .strictObject({
    formation: z.int().min(20).max(LONGEST_FORMATION).default(1_000).describe('bars on which the nearest pair is found'),
    trading: z.int().min(1).max(LONGEST_FORMATION).default(500).describe('bars until the next formation, which ends every trade'),
    ...levelParameters({ exitZ: 0, stopZ: 6, maximumHolding: 500 }),
  })
  .refine(doLevelsAscend, LEVELS_ASCEND);

export type DistancePairsParameters = z.infer<typeof parameters>;

/**
 * Gatev, Goetzmann and Rouwenhorst (2006): the pair with the smallest sum of squared differences of normalised prices is bought and sold
 * in equal parts when the two are `entryZ` deviations apart, until they meet or the period ends. Nothing is tested: what is near may still
 * wander.
 */
export const distancePairs = defineStrategy({
  name: 'distance-pairs',
  about: 'trades the nearest two of its prices against each other when they part (Gatev): the plain baseline',
  legs: { least: 2, most: MOST_LEGS },
  parameters,
  features,
  opine(evidence, chosen): Opinion {
    return forecastOf(evidence.features.spread, judged(evidence, chosen));
  },
  explain(evidence, chosen): Reasons {
    const { spread } = evidence.features;
    const { first, second, distance } = spread;
    return reasonsOf(spread, judged(evidence, chosen), { firstLeg: first, secondLeg: second, distance });
  },
});

function features({ formation, trading, ...chosen }: DistancePairsParameters, legs: number) {
  return { spread: distanceSpread({ legs, formation, trading, levels: levelsOf(chosen) }) };
}

function judged(
  { bars, features: { spread }, sleeve }: Evidence<ReturnType<typeof features>>,
  chosen: DistancePairsParameters,
): Judgement | Abstention {
  const hasTurned = (): string | undefined => (spread.age === 0 ? 'a period has ended, and another pair may be the nearest' : undefined);
  return judge(spread, bars, sleeve.side, chosen, { entry: hasTurned, hold: hasTurned });
}
