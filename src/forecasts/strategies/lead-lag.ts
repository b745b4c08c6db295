// Trades what follows, by what leads it: a move of the leader that the follower has not made yet.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { atr, barSpan, on } from '../../features/catalog.ts';
import { catchUp } from '../../features/subject-catalog.ts';
import { areOfOneClose, stopRatioOf, UNCALIBRATED, type Side } from './level.ts';

const LONGEST_WINDOW = 5_000;

const parameters = z.strictObject({
  moveBars: z.int().min(1).max(500).default(3).describe('bars over which the leader has moved'),
  horizonBars: z.int().min(1).max(500).default(6).describe('bars in which the follower is given time to catch up'),
  window: z
    .int()
    .min(10)
    .max(LONGEST_WINDOW)
    .default(500)
    .describe('pairs of a lead and what came after it, by which the catching up is measured'),
  leastT: z.number().min(0).max(20).default(2).describe('t statistic of the catching up without which it is not believed'),
  leastReturn: z.number().min(0).max(1).default(0.0033).describe('expected return, as a ratio, without which nothing is done'),
  atrWindow: z.int().min(1).max(LONGEST_WINDOW).default(14).describe("bars of the follower's average true range"),
  stopAtr: z.number().min(0.1).max(50).default(3).describe('distance of the stop from entry, in average true ranges'),
  short: z.boolean().default(true).describe('whether falls are followed too; on spot that means flat either way'),
});

export type LeadLagParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('the lead, what is caught up of leads, or the range are not known yet');
const STILL = abstain('the follower has not moved: there is no range to measure a stop by');
const APART = abstain('leader and follower have no bar of one close: a lead between two times is none');

/** The leader is looked at, the follower is traded. */
const FOLLOWER_ONLY = [0, 1] as const;

/**
 * The first leg leads, the second is traded. What of a lead (the leader's return less the follower's, over `moveBars`) the follower has made
 * up within `horizonBars` is measured by regression on the past; it has to be positive, with a t statistic of `leastT` after a correction for
 * overlap. The expected return is that share of the lead now, before costs: as good as the regression, and it can vanish as soon as others
 * trade it. Held until the horizon is over, unless a new lead renews or turns it.
 */
export const leadLag = defineStrategy({
  name: 'lead-lag',
  about: 'trades a follower by the moves of its leader that it has not made yet, as far as it used to make them',
  legs: 2,
  parameters,
  features,
  opine(evidence, chosen): Opinion {
    const { bars, features: seen, at, sleeve } = evidence;
    if (seen.range.value === 0) return STILL;
    if (!areOfOneClose(bars)) return APART;
    const stopRatio = stopRatioOf(chosen.stopAtr, seen.range.value, bars[1]);
    const expectedReturn = Math.expm1(seen.lead.slope * seen.lead.value);
    const horizonMs = chosen.horizonBars * seen.span.value;
    const isKnown = Number.isFinite(100 * seen.lead.value + seen.lead.slope + seen.lead.tStatistic + 100 * expectedReturn + horizonMs);
    if (!isKnown || !(horizonMs > 0) || !(stopRatio > 0) || !((bars[0]?.close ?? NaN) > 0)) return UNKNOWN;
    const fresh = sideOfLead(seen, expectedReturn, chosen);
    const isInTime = at - sleeve.heldSince < horizonMs;
    return {
      kind: 'forecast',
      stance: fresh !== 0 ? fresh : isInTime ? sleeve.side : 0,
      confidence: UNCALIBRATED,
      expectedReturn,
      horizonMs,
      protection: { stopRatio },
      legs: FOLLOWER_ONLY,
    };
  },
  explain,
});

function features({ moveBars, horizonBars, window, atrWindow }: LeadLagParameters) {
  return { lead: catchUp(moveBars, horizonBars, window), range: on({ leg: 1 }, atr(atrWindow)), span: barSpan() };
}

type Seen = Evidence<ReturnType<typeof features>>['features'];

function sideOfLead({ lead }: Seen, expectedReturn: number, { leastT, leastReturn, short }: LeadLagParameters): Side {
  if (!(lead.slope > 0 && lead.tStatistic >= leastT && Math.abs(expectedReturn) >= leastReturn)) return 0;
  if (expectedReturn > 0) return 1;
  return expectedReturn < 0 && short ? -1 : 0;
}

function explain(evidence: Evidence<ReturnType<typeof features>>, chosen: LeadLagParameters): Reasons {
  const opinion = leadLag.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { lead, range } = evidence.features;
  const { stance, expectedReturn = NaN, protection: { stopRatio = NaN } = {} } = opinion;
  const stop = stance === 0 ? '' : `; the stop is ${chosen.stopAtr} average true ranges (${(100 * stopRatio).toFixed(2)} %) away`;
  return {
    because: `the leader is ${(100 * Math.abs(lead.value)).toFixed(2)} % ${lead.value < 0 ? 'below' : 'ahead of'} the follower over ${
      chosen.moveBars
    } bars, of which ${lead.slope.toFixed(2)} (t ${lead.tStatistic.toFixed(1)}) used to follow within ${chosen.horizonBars}: ${verdict(
      stance,
      sideOfLead(evidence.features, expectedReturn, chosen),
      evidence.features,
      chosen,
    )}${stop}`,
    numbers: { lead: lead.value, slope: lead.slope, tStatistic: lead.tStatistic, expectedReturn, atr: range.value, stopRatio, stance },
  };
}

function verdict(stance: number, fresh: Side, { lead }: Seen, { leastT, leastReturn }: LeadLagParameters): string {
  if (fresh !== 0) return 'the follower is expected to catch up';
  if (stance !== 0) return 'the time that it was given is not over';
  if (!(lead.slope > 0 && lead.tStatistic >= leastT)) return `not to be believed, which takes a t of ${leastT}`;
  return `nothing that is traded, which takes ${(100 * leastReturn).toFixed(2)} %`;
}
