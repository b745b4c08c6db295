// Bets on the way back to what was paid on average, where the market's own past says that there is enough of a way back.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { atr, barSpan, vwapDeviation as strayFromVwap } from '../../features/catalog.ts';
import { sideOf, stopRatioOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_WINDOW = 5_000;

const parameters = z
  .strictObject({
    window: z.int().min(2).max(LONGEST_WINDOW).default(24).describe('bars of the volume-weighted price'),
    history: z.int().min(10).max(LONGEST_WINDOW).default(168).describe('bars of which the deviations and what they keep are measured'),
    entryDeviations: z
      .number()
      .min(0.1)
      .max(20)
      .default(2.5)
      .describe('deviations from the volume-weighted price from which a bet is taken'),
    exitDeviations: z.number().min(-5).max(5).default(0).describe('deviations at which it is closed; below 0 is beyond the price'),
    horizonBars: z.int().min(1).max(LONGEST_WINDOW).default(24).describe('bars over which the way back is reckoned'),
    leastReturn: z.number().min(0).max(1).default(0.0033).describe('expected return, as a ratio, without which no bet is taken'),
    atrWindow: z.int().min(1).max(LONGEST_WINDOW).default(14).describe('bars of the average true range'),
    stopAtr: z.number().min(0.1).max(50).default(6).describe('distance of the stop from entry, in average true ranges'),
    short: z.boolean().default(true).describe('whether to bet against a close above the price too; on spot that means flat either way'),
  })
  .refine(({ entryDeviations, exitDeviations }) => exitDeviations < entryDeviations, {
    path: ['exitDeviations'],
    error: 'expected less than entryDeviations: a bet cannot end before it begins',
  });

export type VwapDeviationParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the volume-weighted price, the range or the length of a bar are not known yet');
const STILL = abstain('nothing has moved: there is no range to measure a deviation or a stop by');

/**
 * Long when the close lies so many deviations below the volume-weighted price of the last bars, short when as far above, closed near it. What
 * of a deviation is left one bar later is measured on the past (a regression through it): the expected return is the deviation less what
 * is left of it at the horizon, before costs and with the price itself standing still. It is as good as that regression. A deviation that
 * nothing brings back is no bet, however large. The default of `leastReturn` is one and a half round trips at 0.06 % fee and 0.05 % slippage.
 */
export const vwapDeviation = defineStrategy({
  name: 'vwap-deviation',
  about: 'bets on the way back to the volume-weighted price after a deviation, where the past says it comes back',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: { stray, range, span }, sleeve }, chosen): Opinion {
    if (range.value === 0) return STILL;
    const stopRatio = stopRatioOf(chosen.stopAtr, range.value, bars[0]);
    const expectedReturn = expectedReturnOf(stray.ratio, stray.persistence, chosen);
    const horizonMs = chosen.horizonBars * span.value;
    if (
      !Number.isFinite(stray.value + stray.ratio + stray.persistence + 100 * expectedReturn + horizonMs) ||
      !(horizonMs > 0) ||
      !(stopRatio > 0)
    )
      return UNKNOWN;
    return {
      kind: 'forecast',
      stance: stanceOf(stray.value, expectedReturn, sleeve.side, chosen),
      confidence: UNCALIBRATED,
      expectedReturn,
      horizonMs,
      protection: { stopRatio },
    };
  },
  explain,
});

function features({ window, history, atrWindow }: VwapDeviationParameters) {
  return { stray: strayFromVwap(window, history), range: atr(atrWindow), span: barSpan() };
}

/** Of the price, signed: nothing where a deviation has usually stayed or grown, all of it where it has usually turned. */
function expectedReturnOf(ratio: number, persistence: number, { horizonBars }: VwapDeviationParameters): number {
  const kept = Math.max(0, Math.min(1, persistence)) ** horizonBars;
  return ((1 - kept) * -ratio) / (1 + ratio);
}

/** What is expected has a say in entering only: a bet that is on is closed at the price or by its stop. */
function stanceOf(deviations: number, expectedReturn: number, held: Side, chosen: VwapDeviationParameters): Side {
  const side = sideOf(-deviations, chosen.entryDeviations, chosen.exitDeviations, held);
  if (side === held) return side;
  if (side < 0 && !chosen.short) return 0;
  return side * expectedReturn >= chosen.leastReturn ? side : 0;
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: VwapDeviationParameters): Reasons {
  const opinion = vwapDeviation.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { stray, range } = evidence.features;
  const { stance, expectedReturn = NaN, protection: { stopRatio = NaN } = {} } = opinion;
  const stop = stance === 0 ? '' : `; the stop is ${chosen.stopAtr} average true ranges (${(100 * stopRatio).toFixed(2)} %) away`;
  return {
    because: `the close is ${Math.abs(stray.value).toFixed(2)} deviations ${stray.value < 0 ? 'below' : 'above'} the volume-weighted price of ${
      chosen.window
    } bars, of which the next ${chosen.horizonBars} should bring back ${(100 * Math.abs(expectedReturn)).toFixed(2)} %: ${verdict(stance, stray.value, chosen)}${stop}`,
    numbers: {
      deviations: stray.value,
      ratio: stray.ratio,
      persistence: stray.persistence,
      expectedReturn,
      atr: range.value,
      stopRatio,
      stance,
    },
  };
}

function verdict(
  stance: number,
  deviations: number,
  { entryDeviations, exitDeviations, leastReturn, short }: VwapDeviationParameters,
): string {
  const beyond = Math.abs(deviations) >= entryDeviations;
  if (stance === 0 && !beyond) return `no bet, which takes ${entryDeviations}`;
  if (stance === 0 && deviations > 0 && !short) return 'closes above it are not bet against';
  if (stance === 0) return `too little, less than ${(100 * leastReturn).toFixed(2)} %`;
  if (beyond && deviations * stance < 0) return 'the way back is bet on';
  return `the way back that was bet on is not complete before ${exitDeviations}`;
}
