// The assets of the synthetic market: what can be traded, and how each one's price is driven.
import { amount, price, quantity } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { HOUR_MS } from '../../domain/time.ts';

/** Moves with the common factor and, beside it, on its own. */
export interface FactorDrive {
  readonly kind: 'factor';
  /** How many per cent the price moves when the factor moves one. */
  readonly beta: number;
  /** Annual volatility of what the factor does not explain, before jumps; 0.3 is 30 %. */
  readonly ownVolatility: number;
}

/** Cointegrated with its leader: log(price) = constant + hedgeRatio x log(leader's price) + spread, the spread reverting to 0. */
export interface PairDrive {
  readonly kind: 'pair';
  /** Symbol of an asset that stands earlier in the table. */
  readonly leader: string;
  readonly hedgeRatio: number;
  /** Stationary standard deviation of the spread where the factor's volatility is at its base, in log price; 0.01 is about 1 %. */
  readonly spreadDeviation: number;
  readonly spreadHalfLifeMs: number;
}

/** A pair whose relation breaks at known times: see `StudyParameters`. */
export interface BreakingPairDrive extends Omit<PairDrive, 'kind'> {
  readonly kind: 'breaking pair';
}

/** Does today, bar by bar, what its leader did some bars ago, and moves on its own beside it: see `StudyParameters`. */
export interface LaggingDrive extends Omit<FactorDrive, 'kind'> {
  readonly kind: 'lagging';
  /** Symbol of an asset that stands earlier in the table. `beta` is on its moves. */
  readonly leader: string;
}

/** As a factor-driven asset, until it collapses and is taken off the market: see `StudyParameters`. */
export interface DoomedDrive extends Omit<FactorDrive, 'kind'> {
  readonly kind: 'doomed';
}

export interface SyntheticAsset {
  readonly instrument: Instrument;
  /** What headlines call it. */
  readonly title: string;
  readonly startPrice: number;
  /** Typical volume of one minute, in base currency. */
  readonly minuteVolume: number;
  readonly drive: FactorDrive | PairDrive | BreakingPairDrive | LaggingDrive | DoomedDrive;
}

/** What an asset follows, or undefined. */
export function leaderOf({ drive }: SyntheticAsset): string | undefined {
  return 'leader' in drive ? drive.leader : undefined;
}

function perpetual(base: string, tick: string, lot: string): Instrument {
  return {
    venue: 'simulated',
    symbol: `${base}/USDT:USDT`,
    kind: 'linear',
    base,
    quote: 'USDT',
    tick: price(tick),
    lot: quantity(lot),
    minimumQuantity: quantity(lot),
    minimumNotional: amount('5'),
    takerFeeRate: 0.0006,
    makerFeeRate: 0.0002,
    fundingRate: 0.0001,
    fundingIntervalMs: 8 * HOUR_MS,
  };
}

/** The market unless assets are chosen. A leader stands before its follower: the model steps them in this order. */
export const SYNTHETIC_ASSETS: readonly SyntheticAsset[] = [
  {
    instrument: perpetual('BTC', '0.1', '0.001'),
    title: 'Bitcoin',
    startPrice: 60_000,
    minuteVolume: 12,
    drive: { kind: 'factor', beta: 1, ownVolatility: 0.15 },
  },
  {
    instrument: perpetual('ETH', '0.01', '0.01'),
    title: 'Ethereum',
    startPrice: 3_000,
    minuteVolume: 200,
    drive: { kind: 'pair', leader: 'BTC/USDT:USDT', hedgeRatio: 1.05, spreadDeviation: 0.01, spreadHalfLifeMs: 8 * HOUR_MS },
  },
  {
    instrument: perpetual('SOL', '0.01', '0.1'),
    title: 'Solana',
    startPrice: 150,
    minuteVolume: 3_000,
    drive: { kind: 'factor', beta: 1.15, ownVolatility: 0.38 },
  },
  {
    instrument: perpetual('XRP', '0.0001', '0.1'),
    title: 'XRP',
    startPrice: 2,
    minuteVolume: 150_000,
    drive: { kind: 'factor', beta: 0.95, ownVolatility: 0.42 },
  },
  {
    instrument: perpetual('LTC', '0.01', '0.1'),
    title: 'Litecoin',
    startPrice: 90,
    minuteVolume: 1_500,
    drive: { kind: 'factor', beta: 0.95, ownVolatility: 0.3 },
  },
  {
    instrument: perpetual('DOGE', '0.00001', '1'),
    title: 'Dogecoin',
    startPrice: 0.15,
    minuteVolume: 1_000_000,
    drive: { kind: 'pair', leader: 'LTC/USDT:USDT', hedgeRatio: 1.05, spreadDeviation: 0.011, spreadHalfLifeMs: 6 * HOUR_MS },
  },
];

/** For studies: in the market only where they are chosen by name. */
export const STUDY_ASSETS: readonly SyntheticAsset[] = [
  {
    instrument: perpetual('AVAX', '0.001', '0.1'),
    title: 'Avalanche',
    startPrice: 35,
    minuteVolume: 4_000,
    drive: { kind: 'breaking pair', leader: 'SOL/USDT:USDT', hedgeRatio: 0.95, spreadDeviation: 0.012, spreadHalfLifeMs: 8 * HOUR_MS },
  },
  {
    instrument: perpetual('ADA', '0.0001', '1'),
    title: 'Cardano',
    startPrice: 0.6,
    minuteVolume: 200_000,
    drive: { kind: 'lagging', leader: 'BTC/USDT:USDT', beta: 1, ownVolatility: 0.3 },
  },
  {
    instrument: perpetual('LUNA', '0.0001', '0.01'),
    title: 'Terra',
    startPrice: 80,
    minuteVolume: 800,
    drive: { kind: 'doomed', beta: 1.1, ownVolatility: 0.5 },
  },
];

/** As the others are, and in the market only where it is chosen by name: what was made before it was there stays as it was. */
const FURTHER_ASSETS: readonly SyntheticAsset[] = [
  {
    instrument: perpetual('LINK', '0.001', '0.1'),
    title: 'Chainlink',
    startPrice: 14,
    minuteVolume: 9_000,
    drive: { kind: 'factor', beta: 1.05, ownVolatility: 0.4 },
  },
];

export const ALL_ASSETS: readonly SyntheticAsset[] = [...SYNTHETIC_ASSETS, ...STUDY_ASSETS, ...FURTHER_ASSETS];
