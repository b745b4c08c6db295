// Holds the spot and is short the perpetual while longs pay shorts enough for it: what is earned is funding, and the price is nobody's bet.
import { z } from 'zod';
import { abstain, type Opinion, type Reasons } from '../../domain/opinion.ts';
import { defineStrategy, type Evidence } from '../../domain/strategy.ts';
import { DAY_MS } from '../../domain/time.ts';
import { fundingPaceOf } from '../../features/subject-catalog.ts';
import { sideOf, UNCALIBRATED, type Side } from './level.ts';

const parameters = z
  .strictObject({
    settlements: z.int().min(1).max(10_000).default(21).describe('settled rates that are averaged: a week of eight hours each'),
    entryPerDay: z
      .number()
      .min(0)
      .max(0.1)
      .default(0.0004)
      .describe('funding a day, as a ratio of the position, from which it is collected'),
    exitPerDay: z.number().min(-0.1).max(0.1).default(0.0001).describe('funding a day at which the collecting ends'),
    holdingDays: z
      .number()
      .min(0.1)
      .max(365)
      .default(30)
      .describe('for how long the rates of now are expected to hold: what is expected to be earned'),
    stopRatio: z.number().min(0.001).max(0.5).default(0.05).describe('what both legs together may lose, as a ratio of the spot leg'),
    reverse: z
      .boolean()
      .default(false)
      .describe('whether to sell the spot and hold the perpetual where shorts pay longs; on spot that takes a loan'),
  })
  .refine(({ entryPerDay, exitPerDay }) => exitPerDay <= entryPerDay, {
    path: ['exitPerDay'],
    error: 'expected at most entryPerDay: what is not yet collected cannot be left',
  });

export type FundingCarryParameters = z.infer<typeof parameters>;

const UNKNOWN = abstain('a price is missing, or too few rates were settled to know what is paid a day');
/** As much of the perpetual short as of the spot long. */
const LEGS: readonly number[] = [1, -1];

/**
 * The first leg is the spot, the second its perpetual. Long the first and short the second while the mean of the last settled rates pays
 * `entryPerDay`, left at `exitPerDay`. Expected is what these rates would pay in `holdingDays`, which is what the costs of four fills are held
 * against. After Schmeling, Schrimpf and Todorov, "Crypto carry" (2023), where most of it is gone after costs and crashes.
 */
export const fundingCarry = defineStrategy({
  name: 'funding-carry',
  about: 'holds the spot against its perpetual while longs pay shorts: the first leg spot, the second the perpetual',
  legs: 2,
  parameters,
  features,
  opine({ bars, features: { pace }, sleeve }, chosen): Opinion {
    const isPriced = (bars[0]?.close ?? NaN) > 0 && (bars[1]?.close ?? NaN) > 0;
    if (!isPriced || !(Math.abs(pace.value) < 1)) return UNKNOWN;
    const stance = stanceOf(pace.value, sleeve.side, chosen);
    return {
      kind: 'forecast',
      stance,
      confidence: UNCALIBRATED,
      expectedReturn: pace.value * chosen.holdingDays,
      horizonMs: chosen.holdingDays * DAY_MS,
      protection: { stopRatio: chosen.stopRatio },
      legs: LEGS,
    };
  },
  explain,
});

function features({ settlements }: FundingCarryParameters) {
  return { pace: fundingPaceOf(1, settlements) };
}

type Seen = Evidence<ReturnType<typeof features>>;

function stanceOf(pace: number, held: Side, { entryPerDay, exitPerDay, reverse }: FundingCarryParameters): Side {
  const side = sideOf(pace, entryPerDay, exitPerDay, held);
  return side < 0 && !reverse ? 0 : side;
}

function explain(evidence: Seen, chosen: FundingCarryParameters): Reasons {
  const opinion = fundingCarry.opine(evidence, chosen);
  if (opinion.kind === 'abstention') return { because: opinion.because, numbers: {} };
  const { value } = evidence.features.pace;
  const paid = `the last ${chosen.settlements} settlements paid ${(1e4 * Math.abs(value)).toFixed(2)} basis points a day to ${
    value < 0 ? 'longs' : 'shorts'
  }`;
  return { because: `${paid}: ${verdict(opinion.stance, evidence, chosen)}`, numbers: { fundingPerDay: value, stance: opinion.stance } };
}

function verdict(stance: number, { features: { pace } }: Seen, { entryPerDay, exitPerDay, reverse }: FundingCarryParameters): string {
  if (stance === 0 && pace.value <= -entryPerDay && !reverse) return 'the spot is not sold for it';
  if (stance === 0) return `nothing to hold for it, which takes ${(1e4 * entryPerDay).toFixed(2)}`;
  const held = stance > 0 ? 'the spot is held against the perpetual' : 'the perpetual is held against the spot';
  return pace.value * stance >= entryPerDay ? held : `${held} until ${(1e4 * exitPerDay).toFixed(2)}`;
}
