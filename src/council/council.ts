// The opinions of one sleeve's sources become one stance, by arithmetic that anyone can repeat. Words are in minutes.ts.
import type { PoolNote, PoolOutcome } from '../domain/entry.ts';
import type { Opinion } from '../domain/opinion.ts';
import type { TimeMs } from '../domain/time.ts';
import type { AllocationMethod } from './allocation.ts';

export interface CouncilSettings {
  /** How many sources must be on the pooled side; a sleeve with fewer sources needs all of them. Default 1. */
  readonly minimumConsensus: number;
  /** A position is not closed or turned by opinion before it was held this long. Default 0. */
  readonly minimumHoldMs: TimeMs;
  /** After a position is closed none is opened for this long. Default 0. */
  readonly cooldownMs: TimeMs;
  /** How the sleeves' total share of equity is divided. Default `equal`: every sleeve keeps the share that it was given. */
  readonly allocation: AllocationMethod;
  /** Days of paper returns that it is computed from, and from one time to the next. Defaults 60 and 7. */
  readonly allocationWindowDays: number;
  readonly allocationCadenceDays: number;
}

export const defaultCouncilSettings: CouncilSettings = {
  minimumConsensus: 1,
  minimumHoldMs: 0,
  cooldownMs: 0,
  allocation: 'equal',
  allocationWindowDays: 60,
  allocationCadenceDays: 7,
};

/** Written by `pool` and then by `temper`. Reused by its owner: copy what you keep. */
export interface Pooled extends PoolNote {
  /** `hold`: keep what is held and add nothing. Not the same as a stance of 0, which makes flat. */
  kind: 'stance' | 'hold';
  outcome: PoolOutcome;
  /** In [-1, 1]: what the sleeve should follow. 0 under `hold`. */
  stance: number;
  /** In [-1, 1]: what the sources came to, before holding time and cooldown. What a stopped sleeve re-arms on. */
  pooledStance: number;
  /** In [0, 1]: the probability that the pooled side is right, as the sources give it. 0 when neutral. */
  confidence: number;
  /** The opinion whose legs, protection and horizon go with the stance: the heaviest on the pooled side; -1 when there is none. */
  leader: number;
  voices: number;
  agreeing: number;
  agreement: number;
}

/** An object for `pool` to write into. */
export function emptyPooled(): Pooled {
  return {
    kind: 'hold',
    outcome: 'all-abstained',
    stance: 0,
    pooledStance: 0,
    confidence: 0,
    leader: -1,
    voices: 0,
    agreeing: 0,
    agreement: 1,
  };
}

/**
 * Pools one opinion, weight and expiry for each source of a sleeve, in the same order.
 *
 * A source takes no part while it has no opinion, abstains, weighs nothing, or says what is no stance or no confidence. The others are averaged
 * by weight x confidence; the average shrinks by how much they contradict each other, |sum of w c s| / sum of w c |s|; without enough of them
 * on its side it is neutral. An expired forecast is a voice for flat. A sleeve with one source follows it as it is: its confidence is for
 * sizing, and there is nobody to agree with.
 */
export function pool(
  opinions: readonly (Opinion | undefined)[],
  weights: readonly number[],
  expiresAt: ArrayLike<TimeMs>,
  at: TimeMs,
  settings: CouncilSettings,
  into: Pooled,
): Pooled {
  into.agreement = 1;
  if (opinions.length === 1) return poolSingle(opinions[0], weights[0] ?? 0, at >= (expiresAt[0] ?? Infinity), into);

  let voices = 0;
  let alive = 0;
  let weighted = 0;
  let mass = 0;
  let contested = 0;
  let boldest = 0;
  for (let index = 0; index < opinions.length; index++) {
    const opinion = opinions[index];
    const weight = weights[index] ?? 0;
    if (!takesPart(opinion, weight)) continue;
    voices++;
    const isExpired = at >= (expiresAt[index] ?? Infinity);
    if (!isExpired) alive++;
    const pull = weight * opinion.confidence;
    const stance = isExpired ? 0 : opinion.stance;
    weighted += pull * stance;
    contested += pull * Math.abs(stance);
    if (Math.abs(stance) > boldest) boldest = Math.abs(stance);
    mass += pull;
  }
  into.voices = voices;
  if (voices === 0) return conclude(into, 'hold', 'all-abstained', 0);
  if (alive === 0) return conclude(into, 'stance', 'expired', 0);

  const average = mass > 0 ? weighted / mass : 0;
  into.agreement = contested > 0 ? Math.abs(weighted) / contested : 1;
  const side = Math.sign(average);
  if (side === 0) return conclude(into, 'stance', 'pooled', 0);
  // Rounding must not make the pool bolder than its boldest voice.
  conclude(into, 'stance', 'pooled', side * Math.min(Math.abs(average * into.agreement), boldest));
  followSide(opinions, weights, expiresAt, at, side, into);
  if (into.agreeing >= Math.min(settings.minimumConsensus, opinions.length)) return into;
  into.outcome = 'no-consensus';
  into.stance = into.pooledStance = into.confidence = 0;
  into.leader = -1;
  return into;
}

/** What a sleeve has done, for the discipline of time. */
export interface SleeveTimes {
  readonly side: -1 | 0 | 1;
  /** When the present side was opened. */
  readonly heldSince: TimeMs;
  /** When the last position was closed, by whatever; NaN when none was. */
  readonly closedAt: TimeMs;
  /** Its stop was hit: it is not held any longer for its age. */
  readonly stopped: boolean;
}

/**
 * Minimum holding time and cooldown, which only ever make a sleeve do less. Reducing on the same side is not leaving. An expired forecast and a
 * stop override the holding time: nobody stands behind the position any more. With a cooldown a turn closes first and opens when it is over.
 */
export function temper(pooled: Pooled, sleeve: SleeveTimes, at: TimeMs, settings: CouncilSettings): Pooled {
  if (pooled.kind === 'hold') return pooled;
  const side = Math.sign(pooled.stance);
  if (sleeve.side !== 0) {
    if (side === sleeve.side) return pooled;
    if (at - sleeve.heldSince < settings.minimumHoldMs && !sleeve.stopped && pooled.outcome !== 'expired') {
      pooled.kind = 'hold';
      pooled.outcome = 'held';
      pooled.stance = 0;
      return pooled;
    }
  }
  const mayOpen = settings.cooldownMs === 0 || (sleeve.side === 0 && !(at - sleeve.closedAt < settings.cooldownMs));
  if (side !== 0 && !mayOpen) {
    pooled.outcome = 'cooldown';
    pooled.stance = 0;
  }
  return pooled;
}

/**
 * Whether a sleeve that was stopped on a side may open again: once its sources are neutral or on the other side. An abstention proves
 * nothing, and the flat that a cooldown makes is not their doing.
 */
export function rearms(pooled: Readonly<Pooled>, stoppedSide: -1 | 1): boolean {
  return pooled.voices > 0 && Math.sign(pooled.pooledStance) !== stoppedSide;
}

type Spoken = Extract<Opinion, { kind: 'forecast' }>;

function takesPart(opinion: Opinion | undefined, weight: number): opinion is Spoken {
  if (opinion === undefined || opinion.kind === 'abstention' || !(weight > 0)) return false;
  return Math.abs(opinion.stance) <= 1 && opinion.confidence >= 0 && opinion.confidence <= 1;
}

function poolSingle(opinion: Opinion | undefined, weight: number, isExpired: boolean, into: Pooled): Pooled {
  if (!takesPart(opinion, weight)) {
    into.voices = 0;
    return conclude(into, 'hold', 'all-abstained', 0);
  }
  into.voices = 1;
  if (isExpired) return conclude(into, 'stance', 'expired', 0);
  // Adding zero makes 0 of -0, which would be other bytes in a hash.
  conclude(into, 'stance', 'single', opinion.stance + 0);
  if (opinion.stance === 0) return into;
  into.confidence = opinion.confidence;
  into.leader = 0;
  into.agreeing = 1;
  return into;
}

function conclude(into: Pooled, kind: Pooled['kind'], outcome: PoolOutcome, stance: number): Pooled {
  into.kind = kind;
  into.outcome = outcome;
  into.stance = stance;
  into.pooledStance = stance;
  into.confidence = 0;
  into.leader = -1;
  into.agreeing = 0;
  return into;
}

/** Certainty would outvote everyone in log-odds; nobody's record proves more than this. */
const MAXIMUM_PROBABILITY = 0.99;

/** Who is on the pooled side, who leads it, and how probable it is: the weighted mean of log-odds, the pool that is fair to strong evidence. */
function followSide(
  opinions: readonly (Opinion | undefined)[],
  weights: readonly number[],
  expiresAt: ArrayLike<TimeMs>,
  at: TimeMs,
  side: number,
  into: Pooled,
): void {
  let logOdds = 0;
  let mass = 0;
  let heaviest = 0;
  for (let index = 0; index < opinions.length; index++) {
    const opinion = opinions[index];
    const weight = weights[index] ?? 0;
    if (!takesPart(opinion, weight)) continue;
    mass += weight;
    const own = at >= (expiresAt[index] ?? Infinity) ? 0 : Math.sign(opinion.stance);
    // A neutral voice gives the side even odds.
    if (own === 0) continue;
    const probability = Math.max(1 - MAXIMUM_PROBABILITY, Math.min(MAXIMUM_PROBABILITY, opinion.confidence));
    logOdds += weight * own * side * Math.log(probability / (1 - probability));
    if (own !== side) continue;
    into.agreeing++;
    const pull = weight * opinion.confidence * Math.abs(opinion.stance);
    if (pull > heaviest) {
      heaviest = pull;
      into.leader = index;
    }
  }
  into.confidence = 1 / (1 + Math.exp(-logOdds / mass));
}
