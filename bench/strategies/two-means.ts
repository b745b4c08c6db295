// The strategy of the benchmarks: the sign of one mean of closes over another, and nothing else.
import { defineStrategy, ema, z } from 'ballast';

export const strategy = defineStrategy({
  name: 'two-means',
  about: 'long while a fast mean is above a slow one, short otherwise',
  legs: 1,
  parameters: z.strictObject({
    fast: z.int().min(1).describe('bars of the fast mean'),
    slow: z.int().min(1).describe('bars of the slow mean'),
    stopRatio: z.number().gt(0).lt(1).optional().describe('a stop of its own, instead of the one of the rules'),
  }),
  features: ({ fast, slow }) => ({ fast: ema(fast), slow: ema(slow) }),
  opine({ features }, { stopRatio }) {
    const stance = features.fast.value > features.slow.value ? 1 : -1;
    if (stopRatio === undefined) return { kind: 'forecast', stance, confidence: 0.5 };
    return { kind: 'forecast', stance, confidence: 0.5, protection: { stopRatio, trailR: 100 } };
  },
  explain({ features }) {
    const [fast, slow] = [features.fast.value, features.slow.value];
    return { because: `the fast mean ${fast > slow ? 'is above' : 'is not above'} the slow one`, numbers: { fast, slow } };
  },
});
