// Buys where it is cheaper and sells where it is dearer, when the difference is worth the costs of both legs, there and back.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { barSpan } from '../../features/catalog.ts';
import { premium } from '../../features/subject-catalog.ts';
import { areOfOneClose, sideOf, UNCALIBRATED, type Side } from './level.ts';

/** Two legs, each bought and sold once. */
const FILLS = 4;

const parameters = z
  .strictObject({
    window: z.int().min(1).max(100_000).default(168).describe('bars of the usual premium'),
    feeRate: z.number().min(0).max(0.1).default(0.0006).describe('fee of a fill, as a ratio of notional'),
    slippageRatio: z.number().min(0).max(0.1).default(0.0005).describe('slippage of a fill, as a ratio of price'),
    entryMultiple: z
      .number()
      .min(1)
      .max(100)
      .default(1.5)
      .describe('of the costs of both round trips, what the premium must exceed the usual one by'),
    exitMultiple: z.number().min(-1).max(100).default(0.1).describe('of the same costs, below which the premium is gone'),
    stopRatio: z
      .number()
      .min(0.0005)
      .max(0.9)
      .default(0.03)
      .describe('loss of both legs together at which both are closed, of the notional of one'),
  })
  .refine(({ entryMultiple, exitMultiple }) => exitMultiple < entryMultiple, {
    path: ['exitMultiple'],
    error: 'expected less than entryMultiple: a premium cannot be gone before it is there',
  });

export type CrossVenueArbitrageParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the premium, the usual one or a price are not known yet');
const APART = abstain('the venues have no bar of one close: a premium between two times is none');

const EQUAL_AND_OPPOSITE = [1, -1] as const;

/**
 * One asset at two venues (or a spot market and its perpetual), the first leg being the one whose premium is looked at. Nothing is moved
 * between the venues: the dearer is sold, the cheaper bought for as much, and both are closed when the premium has come back to its usual
 * size. That it does is the bet; a venue that nobody can withdraw from any more has a premium too, and the stop on both legs together bounds
 * what that costs. How long one leg may stand alone is bounded by the desk.
 *
 * The expected return is the whole of what the premium exceeds the usual one by, before costs, of the first leg less the second; the usual
 * premium is of the past as well, so by the end of the window at the latest nothing would be left to expect.
 */
export const crossVenueArbitrage = defineStrategy({
  name: 'cross-venue-arbitrage',
  about: 'sells the dearer and buys the cheaper of two venues when the premium exceeds the costs of both legs',
  legs: 2,
  parameters,
  features,
  opine({ bars, features: { dearer, span }, sleeve }, chosen): Opinion {
    if (!areOfOneClose(bars)) return APART;
    const excess = dearer.value - dearer.usual;
    const horizonMs = chosen.window * span.value;
    const isPriced = bars.length === 2 && bars.every(({ close }) => close > 0);
    if (!isPriced || !Number.isFinite(100 * (dearer.value + dearer.usual) + 100 * excess + horizonMs) || !(horizonMs > 0)) return UNKNOWN;
    const costs = costsOf(chosen);
    return {
      kind: 'forecast',
      stance: stanceOf(excess, costs, sleeve.side, chosen),
      confidence: UNCALIBRATED,
      expectedReturn: 0 - excess,
      horizonMs,
      protection: { stopRatio: chosen.stopRatio },
      legs: EQUAL_AND_OPPOSITE,
    };
  },
  explain,
});

function features({ window }: CrossVenueArbitrageParameters) {
  return { dearer: premium(window), span: barSpan() };
}

/** Of both legs, there and back, as a ratio of the notional of one. */
function costsOf({ feeRate, slippageRatio }: CrossVenueArbitrageParameters): number {
  return FILLS * (feeRate + slippageRatio);
}

/** Without costs any premium would do, but none is not one. */
function stanceOf(excess: number, costs: number, held: Side, { entryMultiple, exitMultiple }: CrossVenueArbitrageParameters): Side {
  return excess === 0 ? 0 : sideOf(-excess, entryMultiple * costs, exitMultiple * costs, held);
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: CrossVenueArbitrageParameters): Reasons {
  const opinion = crossVenueArbitrage.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { dearer } = evidence.features;
  const excess = dearer.value - dearer.usual;
  const costs = costsOf(chosen);
  const percent = (ratio: number): string => `${(100 * ratio).toFixed(3)} %`;
  return {
    because: `the first venue is ${percent(Math.abs(dearer.value))} ${dearer.value < 0 ? 'cheaper' : 'dearer'} where ${percent(
      dearer.usual,
    )} is usual, and both round trips cost ${percent(costs)}: ${verdict(opinion.stance, excess, costs, chosen)}`,
    numbers: { premium: dearer.value, usual: dearer.usual, excess, costs, stopRatio: chosen.stopRatio, stance: opinion.stance },
  };
}

function verdict(stance: number, excess: number, costs: number, { entryMultiple, exitMultiple }: CrossVenueArbitrageParameters): string {
  if (stance === 0) return `not worth it, which takes ${entryMultiple} times the costs`;
  const sides = stance > 0 ? 'the first is bought, the second sold' : 'the first is sold, the second bought';
  return Math.abs(excess) >= entryMultiple * costs ? sides : `${sides} until less than ${exitMultiple} times the costs is left`;
}
