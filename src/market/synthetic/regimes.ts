// The moods of the common factor: a Markov chain whose states differ in drift, volatility and jumps.
import { portableExp } from '../../quant/random.ts';

export type Regime = 'calm' | 'trend-up' | 'trend-down' | 'crash' | 'recovery';

export interface RegimeParameters {
  readonly name: Regime;
  /** Stays are geometric in bars, memoryless, with this mean. */
  readonly meanHours: number;
  /** Log drift of the factor, times a strength drawn at entry from 0.5 to 1.5. Before centring: see `meanDriftPerHour`. */
  readonly driftPerHour: number;
  /** Multiplies the factor's base volatility. */
  readonly volatilityFactor: number;
  readonly jumpsPerDay: number;
  /** Mean and standard deviation of a jump of the factor, in log price. */
  readonly jumpMean: number;
  readonly jumpDeviation: number;
  /** What follows, with which probability. Sums to 1. */
  readonly next: Readonly<Partial<Record<Regime, number>>>;
}

export const REGIMES: readonly RegimeParameters[] = [
  {
    name: 'calm',
    meanHours: 30,
    driftPerHour: 0,
    volatilityFactor: 0.75,
    jumpsPerDay: 0.3,
    jumpMean: 0,
    jumpDeviation: 0.006,
    next: { 'trend-up': 0.45, 'trend-down': 0.42, crash: 0.13 },
  },
  {
    name: 'trend-up',
    meanHours: 30,
    driftPerHour: 0.0011,
    volatilityFactor: 0.8,
    jumpsPerDay: 0.4,
    jumpMean: 0.001,
    jumpDeviation: 0.006,
    next: { calm: 0.65, 'trend-down': 0.28, crash: 0.07 },
  },
  {
    name: 'trend-down',
    meanHours: 26,
    driftPerHour: -0.0011,
    volatilityFactor: 0.9,
    jumpsPerDay: 0.5,
    jumpMean: -0.001,
    jumpDeviation: 0.007,
    next: { calm: 0.6, 'trend-up': 0.28, crash: 0.12 },
  },
  {
    name: 'crash',
    meanHours: 5,
    driftPerHour: -0.008,
    volatilityFactor: 2.8,
    jumpsPerDay: 10,
    jumpMean: -0.009,
    jumpDeviation: 0.01,
    next: { recovery: 0.9, 'trend-down': 0.1 },
  },
  {
    name: 'recovery',
    meanHours: 24,
    driftPerHour: 0.0016,
    volatilityFactor: 1.4,
    jumpsPerDay: 1.5,
    jumpMean: 0.001,
    jumpDeviation: 0.008,
    next: { calm: 0.55, 'trend-up': 0.45 },
  },
];

/**
 * The chain's long-run share of time in each regime, in the order of REGIMES.
 * By walking the chain that halts half of the time, which has the same shares of visits and cannot oscillate.
 */
export function regimeShares(): number[] {
  let visits = REGIMES.map(() => 1 / REGIMES.length);
  for (let round = 0; round < 500; round++) {
    const after = visits.map((share) => share / 2);
    REGIMES.forEach((from, index) => {
      REGIMES.forEach((to, target) => {
        after[target] = (after[target] ?? 0) + ((visits[index] ?? 0) * (from.next[to.name] ?? 0)) / 2;
      });
    });
    visits = after;
  }
  const hours = REGIMES.map((regime, index) => (visits[index] ?? 0) * regime.meanHours);
  const total = hours.reduce((sum, value) => sum + value, 0);
  return hours.map((value) => value / total);
}

/** What drift and jumps add up to over a long time. The model takes it off in every regime, so that a long market neither rises nor falls. */
export function meanDriftPerHour(): number {
  return regimeShares().reduce((sum, share, index) => {
    const regime = REGIMES[index];
    return regime === undefined ? sum : sum + share * (regime.driftPerHour + (regime.jumpsPerDay / 24) * regime.jumpMean);
  }, 0);
}

/** Probability that something that happens `rate` times an hour happens within `hours`. */
export function chanceWithin(rate: number, hours: number): number {
  return 1 - portableExp(-rate * hours);
}
