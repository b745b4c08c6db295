// Long from the bar on whose close the relative strength has fallen below a level, until it is above another or the stop is reached.
import { z } from 'zod';
import { abstain, type Opinion, type Protection, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { previous, rsi } from '../../features/catalog.ts';
import { UNCALIBRATED } from './level.ts';

const LONGEST_WINDOW = 5_000;

const parameters = z
  .strictObject({
    window: z.int().min(1).max(LONGEST_WINDOW).default(14).describe('bars of the relative strength index'),
    entryBelow: z.number().min(0).max(100).default(30).describe('strength below which weakness is bought, once it falls there'),
    exitAbove: z.number().min(0).max(100).default(70).describe('strength above which it is sold'),
    stop: z.number().min(0).lt(1).default(0.03).describe('distance of the stop, as a ratio of price; 0 is none of its own'),
    trailing: z.boolean().default(false).describe('whether the stop follows the highest high'),
  })
  .refine(({ entryBelow, exitAbove }) => entryBelow < exitAbove, { path: ['entryBelow'], error: 'expected less than exitAbove' });

export type RsiStopParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the relative strength is not known yet');

/**
 * Buys weakness when it comes and sells strength, long or flat: a yardstick, and what `ballast sweep` tries with the same parameters. The
 * first value of the index has not fallen from anywhere. After a stop the index has to leave its level before it can fall below it again.
 */
export const rsiStop = defineStrategy({
  name: 'rsi-stop',
  about: 'long when the RSI falls below one level, flat when it rises above another, with a fixed or trailing stop',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: { strength, strengthBefore }, sleeve }, chosen): Opinion {
    if (!Number.isFinite(strength.value + strengthBefore.value) || !((bars[0]?.close ?? NaN) > 0)) return UNKNOWN;
    const isEntered = strength.value < chosen.entryBelow && strengthBefore.value >= chosen.entryBelow;
    const isKept = sleeve.side > 0 && strength.value <= chosen.exitAbove;
    return { kind: 'forecast', stance: isEntered || isKept ? 1 : 0, confidence: UNCALIBRATED, protection: protectionOf(chosen) };
  },
  explain,
});

function features({ window }: RsiStopParameters) {
  return { strength: rsi(window), strengthBefore: previous(rsi(window)) };
}

function protectionOf({ stop, trailing }: RsiStopParameters): Protection {
  if (stop === 0) return {};
  return trailing ? { stopRatio: stop, trailRatio: stop } : { stopRatio: stop };
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: RsiStopParameters): Reasons {
  const opinion = rsiStop.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { strength, strengthBefore } = evidence.features;
  return {
    because: `the relative strength is ${strength.value.toFixed(1)} after ${strengthBefore.value.toFixed(1)}: ${verdict(evidence, opinion.stance, chosen)}`,
    numbers: { strength: strength.value, strengthBefore: strengthBefore.value, stance: opinion.stance },
  };
}

function verdict(
  { features: { strength }, sleeve }: Evidence<ReturnType<typeof features>>,
  stance: number,
  { entryBelow, exitAbove, stop, trailing }: RsiStopParameters,
): string {
  const protection = stop === 0 ? '' : `; the stop is ${(100 * stop).toFixed(2)} % away${trailing ? ' and follows the highest high' : ''}`;
  if (stance > 0 && sleeve.side > 0) return `the position is held until it is above ${exitAbove}${protection}`;
  if (stance > 0) return `it has fallen below ${entryBelow}, which is bought${protection}`;
  if (sleeve.side > 0) return `above ${exitAbove}, which is sold`;
  return strength.value < entryBelow ? `below ${entryBelow}, but not since this bar` : `not below ${entryBelow}`;
}
