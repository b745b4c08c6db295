// Follows breakouts of nine channels at once, and holds less of what moves more.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { atr, donchianEnsemble as joinedChannels, realisedVolatility } from '../../features/catalog.ts';
import { stopRatioOf, UNCALIBRATED } from './level.ts';

/** The channels of the paper, in days. */
const CHANNEL_DAYS = [5, 10, 20, 30, 60, 90, 150, 250, 360] as const;
const DAYS_A_YEAR = 365;

const parameters = z
  .strictObject({
    barsPerDay: z.int().min(1).max(1_440).default(1).describe('bars that make a day of the channels: 1 on daily bars, 24 on hourly ones'),
    shortestDays: z.int().min(2).max(360).default(5).describe('no channel shorter than this, in days'),
    longestDays: z.int().min(5).max(360).default(360).describe('no channel longer than this, in days'),
    targetVolatility: z.number().min(0.01).max(5).default(0.25).describe('volatility a year that a whole stance may have, as a ratio'),
    volatilityDays: z.int().min(2).max(360).default(90).describe('days of which the volatility is measured'),
    atrWindow: z.int().min(1).max(5_000).default(14).describe('bars of the average true range'),
    stopAtr: z.number().min(0.1).max(50).default(8).describe('distance of the stop from entry, in average true ranges'),
  })
  .refine((chosen) => daysOf(chosen).length > 0, {
    path: ['shortestDays'],
    error: `expected days that leave one of the channels of ${CHANNEL_DAYS.join(', ')} days`,
  });

export type DonchianEnsembleParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the channels, the volatility or the range are not known yet');
const STILL = abstain('nothing has moved: there is no channel to break out of and no range to measure a stop by');

/**
 * The ensemble of Zarattini, Pagani and Barbon (2025): long, never short, by the part of nine channels that the close has broken out of,
 * scaled to a target volatility. Where the paper holds up to twice the capital in a calm market, a stance ends at 1.
 *
 * The channels leave at closes, by stops of their own that only rise. The stop at the venue lies far beyond them, for what happens between
 * two closes. That a breakout goes on is hoped for, not measured, so no expected return is claimed.
 */
export const donchianEnsemble = defineStrategy({
  name: 'donchian-ensemble',
  about: 'long by the part of nine channels that the close has broken out of, scaled to a target volatility',
  legs: 1,
  parameters,
  features,
  opine({ bars, features: { joined, volatility, range } }, chosen): Opinion {
    if (range.value === 0) return STILL;
    const stopRatio = stopRatioOf(chosen.stopAtr, range.value, bars[0]);
    const stance = joined.value * scaleOf(volatility.value, chosen);
    const isKnown = volatility.value >= 0 && Number.isFinite(100 * yearly(volatility.value, chosen.barsPerDay));
    if (!isKnown || !(stance >= 0 && stance <= 1 && stopRatio > 0)) return UNKNOWN;
    return { kind: 'forecast', stance, confidence: UNCALIBRATED, protection: { stopRatio } };
  },
  explain,
});

function features(chosen: DonchianEnsembleParameters) {
  const { barsPerDay, volatilityDays, atrWindow } = chosen;
  return {
    joined: joinedChannels(daysOf(chosen).map((days) => days * barsPerDay)),
    volatility: realisedVolatility(volatilityDays * barsPerDay),
    range: atr(atrWindow),
  };
}

function daysOf({ shortestDays, longestDays }: { readonly shortestDays: number; readonly longestDays: number }): readonly number[] {
  return CHANNEL_DAYS.filter((days) => days >= shortestDays && days <= longestDays);
}

/** What a whole stance comes to at this volatility of a bar. */
function scaleOf(volatility: number, { targetVolatility, barsPerDay }: DonchianEnsembleParameters): number {
  return Math.min(1, targetVolatility / yearly(volatility, barsPerDay));
}

function yearly(volatility: number, barsPerDay: number): number {
  return volatility * Math.sqrt(DAYS_A_YEAR * barsPerDay);
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: DonchianEnsembleParameters): Reasons {
  const opinion = donchianEnsemble.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { joined, volatility, range } = evidence.features;
  const channels = daysOf(chosen);
  const scale = scaleOf(volatility.value, chosen);
  const stopRatio = opinion.protection?.stopRatio ?? NaN;
  const count = Math.round(joined.value * channels.length);
  return {
    because:
      count === 0
        ? `the close has broken out of none of ${channels.length} channels`
        : `the close has broken out of ${count} of ${channels.length} channels; at a volatility of ${(100 * yearly(volatility.value, chosen.barsPerDay)).toFixed(0)} % a year a whole stance is ${scale.toFixed(2)}; the stop is ${chosen.stopAtr} average true ranges (${(100 * stopRatio).toFixed(2)} %) away`,
    numbers: { joined: joined.value, volatility: volatility.value, scale, atr: range.value, stopRatio, stance: opinion.stance },
  };
}
