// What a run is made of, once `app/` has chosen its parts.
import type { CouncilSettings } from '../council/council.ts';
import type { Amount } from '../domain/decimal.ts';
import type { RiskRule } from '../domain/decision.ts';
import type { Instrument } from '../domain/instrument.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import type { Forecaster } from '../domain/strategy.ts';
import type { TimeMs } from '../domain/time.ts';
import type { DeskSettings } from '../execution/desk.ts';
import type { RiskPolicy } from '../risk/policy.ts';
import type { SizingMethod } from '../risk/sizing.ts';

/** A source of opinion, bound to the sleeve in which it speaks. */
export interface MindPlan {
  readonly name: string;
  readonly forecaster: Forecaster;
  readonly sleeve: number;
  readonly timeframeMs: TimeMs;
  /** Its weight in the sleeve's council. */
  readonly weight: number;
  /** A strategy of our own, known to answer in time; a user's is asked under a guard where one is given. */
  readonly isTrusted: boolean;
}

export interface RunPlan {
  readonly instruments: readonly Instrument[];
  readonly sleeves: readonly Sleeve[];
  readonly minds: readonly MindPlan[];
  /** Timeframe of the bars that the sources bring; every other is a multiple of it. */
  readonly baseTimeframeMs: TimeMs;
  readonly capital: Amount;
  readonly policy: RiskPolicy;
  readonly rules: readonly RiskRule[];
  readonly sizing: SizingMethod;
  readonly council: CouncilSettings;
  readonly desk: DeskSettings;
  /** How much worse than the mark an order at the market is expected to fill, as a ratio of price: for the estimate of its cost. */
  readonly expectedSlippageRatio: number;
  /** A stance must move by this much, or change its sign, before a target is computed anew. */
  readonly stanceStep: number;
  /** Research only: a negative stance on spot sells short instead of meaning flat. */
  readonly allowSpotShort: boolean;
  /** How long a barrier waits for the other bars of a close. */
  readonly graceMs: TimeMs;
  /** A forecast lives for this many bars of its source's timeframe unless it is renewed. */
  readonly opinionLifeBars: number;
  /** A strategy that breaks its contract stops the run, or is suspended once it did so `strikes` times. */
  readonly mindFailure: { readonly action: 'stop' | 'suspend'; readonly strikes: number };
}
