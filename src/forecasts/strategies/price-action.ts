// Reads bars as a floor trader would: what this bar refused, engulfed or swept, and whether the swings agree.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { atr, barPattern, liquiditySweep, pinBar, previous, swings } from '../../features/catalog.ts';
import { stopRatioOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_WINDOW = 5_000;

const parameters = z.strictObject({
  swingBars: z.int().min(1).max(500).default(5).describe('bars on each side of a turning point'),
  shadowRatio: z.number().min(0.51).max(1).default(0.6).describe('part of its bar that the shadow of a pin bar takes at least'),
  leastPoints: z
    .int()
    .min(1)
    .max(6)
    .default(3)
    .describe('of the six points for one side, how many more than for the other it takes to enter'),
  atrWindow: z.int().min(1).max(LONGEST_WINDOW).default(14).describe('bars of the average true range'),
  stopAtr: z.number().min(0.1).max(50).default(2.5).describe('distance of the stop from entry, in average true ranges'),
  short: z.boolean().default(true).describe('whether falls are followed too; on spot that means flat either way'),
});

export type PriceActionParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the patterns, the swings or the range are not known yet');
const STILL = abstain('nothing has moved: there is no bar to read and no range to measure a stop by');

/**
 * Six readings have a point each, for the side that they speak for: a hammer or a pin bar (a price was refused), an engulfing bar, a marubozu
 * (nobody stood against it), either of these two after a doji (indecision that ended), a sweep of the last swing level that closed back
 * inside, and the structure (higher highs and higher lows, or lower of both). The side that leads by `leastPoints`, at least one of them a
 * matter of this bar, is taken. It is left when the close breaks the last swing level that held it, when the structure turns against it, or
 * when the other side is taken.
 *
 * Points are counted, not weighed: which of them foretell anything has no answer that would hold for long, and no expected return is
 * claimed.
 */
export const priceAction = defineStrategy({
  name: 'price-action',
  about: 'counts what bars say (hammer, pin bar, engulfing, marubozu, doji, sweeps) with the structure of the swings',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: seen, sleeve }, chosen): Opinion {
    if (seen.range.value === 0) return STILL;
    const bar = bars[0];
    const stopRatio = stopRatioOf(chosen.stopAtr, seen.range.value, bar);
    if (bar === undefined || !isKnown(seen) || !(stopRatio > 0)) return UNKNOWN;
    return {
      kind: 'forecast',
      stance: stanceOf(seen, bar.close, sleeve.side, chosen),
      confidence: UNCALIBRATED,
      protection: { stopRatio },
    };
  },
  explain,
});

function features({ swingBars, shadowRatio, atrWindow }: PriceActionParameters) {
  return {
    hammer: barPattern('hammer'),
    pin: pinBar(shadowRatio),
    engulfing: barPattern('engulfing'),
    marubozu: barPattern('marubozu'),
    dojiBefore: previous(barPattern('doji')),
    sweep: liquiditySweep(swingBars),
    structure: swings(swingBars),
    range: atr(atrWindow),
  };
}

type Seen = Evidence<ReturnType<typeof features>>['features'];

type Reading = 'refusal' | 'engulfing' | 'marubozu' | 'afterDoji' | 'sweep' | 'structure';
/** The side for which each reading speaks. */
type Readings = Readonly<Record<Reading, number>>;

function isKnown({ hammer, pin, engulfing, marubozu, dojiBefore, sweep, structure }: Seen): boolean {
  return Number.isFinite(hammer.value + pin.value + engulfing.value + marubozu.value + dojiBefore.value + sweep.value + structure.value);
}

function readingsOf({ hammer, pin, engulfing, marubozu, dojiBefore, sweep, structure }: Seen): Readings {
  return {
    refusal: Math.sign(Math.sign(hammer.value) + Math.sign(pin.value)),
    engulfing: Math.sign(engulfing.value),
    marubozu: Math.sign(marubozu.value),
    afterDoji: dojiBefore.value === 0 ? 0 : Math.sign(Math.sign(engulfing.value) + Math.sign(marubozu.value)),
    sweep: Math.sign(sweep.value),
    structure: Math.sign(structure.value),
  };
}

function stanceOf(seen: Seen, close: number, held: Side, chosen: PriceActionParameters): Side {
  const side = setupOf(readingsOf(seen), chosen);
  if (side !== 0 && (side > 0 || chosen.short)) return side;
  // The other side was set up, and is not traded.
  if (side === -held) return 0;
  return isBroken(seen, close, held) ? 0 : held;
}

/** Of both sides the one that leads by enough; none where this bar has said nothing. */
function setupOf({ refusal, engulfing, marubozu, afterDoji, sweep, structure }: Readings, { leastPoints }: PriceActionParameters): Side {
  const now = refusal + engulfing + marubozu + afterDoji + sweep;
  const points = now + structure;
  if (points >= leastPoints && now > 0) return 1;
  return points <= -leastPoints && now < 0 ? -1 : 0;
}

/** Levels are NaN before there was a swing: then there is none to break. */
function isBroken({ structure }: Seen, close: number, held: Side): boolean {
  if (held === 0) return true;
  return structure.value * held < 0 || (held > 0 ? close < structure.low : close > structure.high);
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: PriceActionParameters): Reasons {
  const opinion = priceAction.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { features: seen, sleeve } = evidence;
  const readings = readingsOf(seen);
  const points = Object.values(readings).reduce((sum, side) => sum + side, 0);
  const { stance, protection: { stopRatio = NaN } = {} } = opinion;
  const stop = stance === 0 ? '' : `; the stop is ${chosen.stopAtr} average true ranges (${(100 * stopRatio).toFixed(2)} %) away`;
  return {
    because: `${wordsOf(readings)}: ${verdict(stance, sleeve.side, setupOf(readings, chosen), chosen)}${stop}`,
    numbers: { ...readings, points, atr: seen.range.value, stopRatio, stance },
  };
}

/** In the order in which they are told. */
const NAMES: Readonly<Record<Reading, string>> = {
  refusal: 'a price refused',
  engulfing: 'the last body engulfed',
  marubozu: 'a body without shadows',
  afterDoji: 'the end of indecision',
  sweep: 'a swing level swept',
  structure: 'the structure of the swings',
};

function wordsOf(readings: Readings): string {
  const told = (side: Side): string[] =>
    Object.entries(NAMES)
      .filter(([name]) => readings[name as Reading] === side)
      .map(([, words]) => words);
  const sides = [
    { words: told(1), side: 'for a rise' },
    { words: told(-1), side: 'for a fall' },
  ];
  const spoken = sides.filter(({ words }) => words.length > 0).map(({ words, side }) => `${side} speak ${words.join(', ')}`);
  return spoken.length === 0 ? 'the bar and the swings say nothing' : spoken.join('; ');
}

function verdict(stance: number, held: Side, setup: Side, { leastPoints }: PriceActionParameters): string {
  if (stance !== 0) return setup === stance ? `enough, a lead of ${leastPoints} points` : 'what is held is held until its level breaks';
  if (setup !== 0) return 'enough for a fall, and falls are not followed';
  if (held !== 0) return 'the level or the structure behind what was held is broken';
  return `not enough, which takes a lead of ${leastPoints} points`;
}
