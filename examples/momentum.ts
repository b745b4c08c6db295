// A strategy of your own: time-series momentum, long while the price is above what it was so many bars ago (Moskowitz, Ooi, Pedersen 2012).
import { abstain, atr, defineStrategy, rateOfChange, z } from 'ballast';

export default defineStrategy({
  name: 'momentum',
  about: 'long while the return of the last bars is above a threshold, flat while it is below the threshold with its sign changed',
  legs: 1,
  parameters: z.strictObject({
    window: z.int().min(2).max(5_000).default(336).describe('bars of the return'),
    threshold: z.number().min(0).max(10).default(0.02).describe('part of the price that the return must be beyond zero, either way'),
    stopAtr: z.number().min(0.1).max(50).default(6).describe('distance of the stop, in average true ranges'),
  }),
  features: ({ window }) => ({ change: rateOfChange(window), range: atr(14) }),
  opine({ bars, features: { change, range }, sleeve }, { threshold, stopAtr }) {
    const stopRatio = (stopAtr * range.value) / (bars[0]?.close ?? NaN);
    if (!Number.isFinite(change.value) || !(stopRatio > 0 && stopRatio < 1)) return abstain('nothing moves, or nothing is known');
    const isRising = change.value > threshold;
    const isHeld = sleeve.side > 0 && change.value > -threshold;
    return { kind: 'forecast', stance: isRising || isHeld ? 1 : 0, confidence: 0.5, protection: { stopRatio } };
  },
  explain({ features: { change } }, { window, threshold }) {
    if (!Number.isFinite(change.value)) return { because: 'the return is not known yet', numbers: {} };
    const side = change.value > threshold ? 'above' : change.value < -threshold ? 'below' : 'within';
    return {
      because: `the price has changed by ${change.value.toPrecision(3)} of itself in ${window} bars, ${side} the threshold of ${threshold}`,
      numbers: { change: change.value, threshold },
    };
  },
});
