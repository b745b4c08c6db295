// A strategy of your own: buys a new high of the Donchian channel, and leaves at its middle. Turtles did it with days.
import { abstain, atr, defineStrategy, donchian, z } from 'ballast';

export default defineStrategy({
  name: 'channel-breakout',
  about: 'long from a new high of the channel until the close falls below its middle',
  legs: 1,
  parameters: z.strictObject({
    window: z.int().min(2).max(5_000).default(120).describe('bars of the channel'),
    stopAtr: z.number().min(0.1).max(50).default(4).describe('distance of the stop, in average true ranges'),
  }),
  features: ({ window }) => ({ channel: donchian(window), range: atr(14) }),
  opine({ bars, features: { channel, range }, sleeve }, { stopAtr }) {
    const [bar] = bars;
    const stopRatio = (stopAtr * range.value) / (bar?.close ?? NaN);
    if (bar === undefined || !Number.isFinite(channel.value) || !(stopRatio > 0 && stopRatio < 1)) {
      return abstain('nothing moves, or nothing is known');
    }
    // The newest bar is in the window: its high is the channel's when it is a new one.
    const isBreakout = bar.high === channel.upper;
    const isHeld = sleeve.side > 0 && bar.close >= channel.value;
    return { kind: 'forecast', stance: isBreakout || isHeld ? 1 : 0, confidence: 0.5, protection: { stopRatio } };
  },
  explain({ bars, features: { channel } }, { window }) {
    const { upper, lower, value: middle } = channel;
    const close = bars[0]?.close ?? NaN;
    if (!Number.isFinite(upper + lower + middle + close)) return { because: 'the channel is not known yet', numbers: {} };
    return {
      because: `the close is ${close < middle ? 'below' : 'above'} the middle of its channel of ${window} bars`,
      numbers: { close, upper, middle, lower },
    };
  },
});
