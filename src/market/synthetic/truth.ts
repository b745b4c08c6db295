// What really happened in a synthetic market, recomputed from its seed: what a detector of regimes, jumps or pairs is scored against.
import type { TimeMs } from '../../domain/time.ts';
import { BAR_WIDTH, Model } from './model.ts';
import { checkOptions, type SyntheticMarketOptions } from './options.ts';
import { SYNTHETIC_ASSETS } from './assets.ts';
import { REGIMES, type Regime } from './regimes.ts';

export interface AssetTruth {
  readonly symbol: string;
  /** Annual volatility of the diffusion in that bar; 0.6 is 60 %. */
  readonly volatility: Float64Array;
  /** Log size of the jump in that bar, the factor's part included; 0 where there was none. */
  readonly jump: Float64Array;
}

export interface PairTruth {
  readonly leader: string;
  readonly follower: string;
  readonly hedgeRatio: number;
  /** Stationary standard deviation of the spread. */
  readonly spreadDeviation: number;
  readonly spreadHalfLifeMs: TimeMs;
  /** log(follower) - hedgeRatio x log(leader) - the same of their start prices, at the close, before rounding to ticks. */
  readonly spread: Float64Array;
}

/** Columns, one entry per bar, oldest first. */
export interface GroundTruth {
  readonly openAt: Float64Array;
  /** Index in `regimeNames`. */
  readonly regime: Uint8Array;
  readonly regimeNames: readonly Regime[];
  readonly factor: { readonly level: Float64Array; readonly volatility: Float64Array; readonly jump: Float64Array };
  /** Every asset of the market, chosen or not, in the order of SYNTHETIC_ASSETS. */
  readonly assets: readonly AssetTruth[];
  readonly pairs: readonly PairTruth[];
}

export interface GroundTruthOptions extends Pick<SyntheticMarketOptions, 'seed' | 'startAt' | 'timeframeMs'> {
  readonly bars: number;
}

/** @throws BallastError SYNTHETIC_OPTION_INVALID */
export function groundTruth({ bars, ...options }: GroundTruthOptions): GroundTruth {
  const { seed, startAt, timeframeMs } = checkOptions(options);
  const model = new Model(seed, timeframeMs, SYNTHETIC_ASSETS);
  const column = (): Float64Array => new Float64Array(bars);
  const factor = { level: column(), volatility: column(), jump: column() };
  const assets = model.paths.map(({ asset }) => ({ symbol: asset.instrument.symbol, volatility: column(), jump: column() }));
  const spreads = model.paths.map(({ leader }) => (leader === undefined ? undefined : column()));
  const truth = { openAt: column(), regime: new Uint8Array(bars) };
  const annual = Math.sqrt(model.barsPerYear);
  const row = new Float64Array(SYNTHETIC_ASSETS.length * BAR_WIDTH);
  for (let bar = 0; bar < bars; bar++) {
    model.step(row, 0);
    truth.openAt[bar] = startAt + bar * timeframeMs;
    truth.regime[bar] = model.factor.regime;
    factor.level[bar] = model.factor.level;
    factor.volatility[bar] = model.factor.deviation * annual;
    factor.jump[bar] = model.factor.jump;
    model.paths.forEach((path, index) => {
      const columns = assets[index];
      if (columns === undefined) return;
      columns.volatility[bar] = path.deviation * annual;
      columns.jump[bar] = path.jump;
      const spread = spreads[index];
      if (spread !== undefined) spread[bar] = path.spread;
    });
  }
  return {
    ...truth,
    regimeNames: REGIMES.map(({ name }) => name),
    factor,
    assets,
    pairs: model.paths.flatMap(({ asset: { drive, instrument } }, index): PairTruth[] => {
      const spread = spreads[index];
      if (drive.kind !== 'pair' || spread === undefined) return [];
      const { leader, hedgeRatio, spreadDeviation, spreadHalfLifeMs } = drive;
      return [{ leader, follower: instrument.symbol, hedgeRatio, spreadDeviation, spreadHalfLifeMs, spread }];
    }),
  };
}
