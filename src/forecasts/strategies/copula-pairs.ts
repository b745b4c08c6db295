// Two coins that keep to a reference coin, traded against each other when a copula finds both of their spreads to it unusual.
import { z } from 'zod';
import { abstain, type Abstention, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { copulaPair, flawWords } from '../../features/subject-catalog.ts';
import type { Side } from './level.ts';
import { forecastOf, hasPrices, LONGEST_FORMATION, outlookOf, reasonsOf, type Judgement } from './spread.ts';

const MOST_LEGS = 40;
/** Positions are given up before the money of a leg is gone. */
const WIDEST_STOP_RATIO = 0.95;

// Defaults: three weeks of hours and one, as the paper has it, with the trigger that it reports as its best.
const parameters = z
  .strictObject({
    formation: z.int().min(50).max(LONGEST_FORMATION).default(504).describe('bars on which the pair is chosen and its copula fitted'),
    trading: z.int().min(1).max(LONGEST_FORMATION).default(168).describe('bars until the next formation, which ends every trade'),
    test: z
      .enum(['engle-granger', 'kss'])
      .default('engle-granger')
      .describe('whether a coin keeps to the reference: by Engle and Granger, or by Kapetanios, Shin and Snell'),
    pValue: z.number().min(0).max(1).default(0.1).describe('the largest probability that it does not, at which it is a candidate'),
    opening: z
      .number()
      .min(0.001)
      .max(0.499)
      .default(0.2)
      .describe('a trade opens with one probability below it and the other above 1 less it'),
    closing: z.number().min(0.001).max(0.499).default(0.1).describe('it closes when both probabilities are within this of a half'),
    stopDeviations: z
      .number()
      .min(0.1)
      .max(100)
      .default(4)
      .describe('what the position may lose, in deviations of its spread; the paper has no stop, a sleeve has to have one'),
  })
  .refine(({ opening, closing }) => opening + closing < 0.5, {
    path: ['opening'],
    error: 'expected less than a half less closing: a trade cannot open where it closes',
  });

export type CopulaPairsParameters = z.infer<typeof parameters>;

/**
 * Tadi and Witzany (2025), Copula-based trading of cointegrated cryptocurrency pairs (doi 10.1186/s40854-024-00702-7), on bars. The first leg is
 * the reference, which is looked at and never traded: in the difference of two spreads to it, it cancels. With S1 and S2 the spreads of the
 * chosen coins, h(1|2) below `opening` and h(2|1) above 1 - `opening` buys the second coin and sells the first, the mirror image the other
 * way, in the ratios of their betas; both near a half closes, and so does the end of the period.
 *
 * Other than in the paper: residuals are tested by p-values of residuals, which are stricter; five families of copulas and their rotations and not
 * ten; and the position has a stop.
 */
export const copulaPairs = defineStrategy({
  name: 'copula-pairs',
  about: 'the two coins that keep best to a reference (the first symbol), traded when a copula finds both unusual (Tadi and Witzany)',
  legs: { least: 3, most: MOST_LEGS },
  parameters,
  features,
  opine(evidence, chosen): Opinion {
    return forecastOf(evidence.features.pair, judged(evidence, chosen));
  },
  explain(evidence, chosen): Reasons {
    const { pair } = evidence.features;
    const { firstProbability, secondProbability, candidates, pValue, pair: found } = pair;
    const coins =
      found === undefined
        ? undefined
        : { firstLeg: found.one.leg, secondLeg: found.other.leg, hedgeRatio: found.one.beta / found.other.beta };
    return reasonsOf(pair, judged(evidence, chosen), { ...coins, pValue, candidates, firstProbability, secondProbability });
  },
});

function features({ formation, trading, test, pValue }: CopulaPairsParameters, legs: number) {
  return { pair: copulaPair({ legs, formation, trading, test, mostPValue: pValue }) };
}

const UNPRICED = abstain('the close of a leg is not known');
const UNMEASURED = abstain('how unusual the spreads are is not known');

function judged(
  { bars, features: { pair }, sleeve }: Evidence<ReturnType<typeof features>>,
  chosen: CopulaPairsParameters,
): Judgement | Abstention {
  if (!hasPrices(bars, pair.legs.length)) return UNPRICED;
  const words = flawWords(pair.flaw);
  if (Number.isNaN(pair.value)) return words === undefined ? UNMEASURED : abstain(words);
  const { firstProbability, secondProbability } = pair;
  if (!Number.isFinite(firstProbability + secondProbability)) return UNMEASURED;
  const stopRatio = Math.min(chosen.stopDeviations * pair.deviation, WIDEST_STOP_RATIO);
  const { stance, because } = sideOf(pair, sleeve.side, chosen);
  return outlookOf(pair, stance, because, stopRatio, chosen.trading - pair.age);
}

interface Unusual {
  readonly hasPair: number;
  readonly age: number;
  readonly firstProbability: number;
  readonly secondProbability: number;
}

function sideOf(
  { hasPair, age, firstProbability: first, secondProbability: second }: Unusual,
  held: Side,
  { opening, closing }: CopulaPairsParameters,
): { readonly stance: Side; readonly because: string } {
  if (age === 0) return { stance: 0, because: 'a period has ended: its trade is closed, and the next pair is traded from the next bar on' };
  if (hasPair === 0) return { stance: 0, because: 'fewer than two coins keep to the reference: there is no pair in this period' };
  const where = `probability ${first.toFixed(3)} of the first spread, the second known, and ${second.toFixed(3)} of the second`;
  if (first < opening && second > 1 - opening) return { stance: 1, because: `${where}: the first is low and the second high` };
  if (first > 1 - opening && second < opening) return { stance: -1, because: `${where}: the first is high and the second low` };
  if (held === 0) return { stance: 0, because: `${where}: not below ${opening} and above ${1 - opening}` };
  if (Math.abs(first - 0.5) < closing && Math.abs(second - 0.5) < closing) return { stance: 0, because: `${where}: both are usual again` };
  return { stance: held, because: `${where}: not both within ${closing} of a half yet` };
}
