// Long from the bar on whose close the fast mean has come to stand above the slow one, until it stands below.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { previous, sma } from '../../features/catalog.ts';
import { UNCALIBRATED } from './level.ts';

const LONGEST_WINDOW = 5_000;

const parameters = z
  .strictObject({
    fast: z.int().min(1).max(LONGEST_WINDOW).default(10).describe('bars of the fast simple mean'),
    slow: z.int().min(2).max(LONGEST_WINDOW).default(50).describe('bars of the slow simple mean'),
  })
  .refine(({ fast, slow }) => fast < slow, { path: ['fast'], error: 'expected fewer bars than slow has' });

export type SmaCrossParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the means are not known yet');

/**
 * The textbook's cross, long or flat, without a stop of its own: a yardstick, and what `ballast sweep` tries with the same parameters. A mean
 * that begins above the other has not crossed it; nor has one that was above when a stop ended the position.
 */
export const smaCross = defineStrategy({
  name: 'sma-cross',
  about: 'long when the fast simple mean of closes crosses above the slow one, flat when it crosses below',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: { fast, slow, fastBefore, slowBefore }, sleeve }): Opinion {
    if (!Number.isFinite(fast.value + slow.value + fastBefore.value + slowBefore.value) || !((bars[0]?.close ?? NaN) > 0)) return UNKNOWN;
    const isEntered = fast.value > slow.value && fastBefore.value <= slowBefore.value;
    const isKept = sleeve.side > 0 && fast.value >= slow.value;
    return { kind: 'forecast', stance: isEntered || isKept ? 1 : 0, confidence: UNCALIBRATED };
  },
  explain,
});

function features({ fast, slow }: SmaCrossParameters) {
  return { fast: sma(fast), slow: sma(slow), fastBefore: previous(sma(fast)), slowBefore: previous(sma(slow)) };
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: SmaCrossParameters): Reasons {
  const opinion = smaCross.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { fast, slow, fastBefore, slowBefore } = evidence.features;
  const side = fast.value > slow.value ? 'above' : fast.value < slow.value ? 'below' : 'level with';
  const wasAbove = fastBefore.value > slowBefore.value;
  const verdict =
    opinion.stance > 0
      ? wasAbove || fast.value <= slow.value
        ? 'the position is held until it is below'
        : 'it has crossed'
      : side === 'above'
        ? 'it did not cross with this bar, and nothing is held'
        : 'no reason to be long';
  return {
    because: `the mean of ${chosen.fast} bars stands ${side} that of ${chosen.slow}: ${verdict}`,
    numbers: {
      fast: fast.value,
      slow: slow.value,
      fastBefore: fastBefore.value,
      slowBefore: slowBefore.value,
      stance: opinion.stance,
    },
  };
}
