// What really happened in a synthetic market, recomputed from its seed: what a detector of regimes, jumps or pairs is scored against.
import { HOUR_MS, type TimeMs } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { ALL_ASSETS, STUDY_ASSETS, SYNTHETIC_ASSETS } from './assets.ts';
import { BAR_WIDTH, barsUntilDelisting, Model } from './model.ts';
import { checkOptions, type CheckedOptions, type SyntheticMarketOptions } from './options.ts';
import { REGIMES, type Regime } from './regimes.ts';
import { breakSpells } from './spells.ts';

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

/** From inclusive, until exclusive, on the bar's open. */
export interface Interval {
  readonly from: TimeMs;
  readonly until: TimeMs;
}

/** A pair that breaks: in a break its constant moves, and stays where it then is. */
export interface BrokenPairTruth extends PairTruth {
  /** By how much the constant has moved until the bar's close: log(follower) - hedgeRatio x log(leader) is constant + anchor + spread. */
  readonly anchor: Float64Array;
  /** Those that begin within the bars that were asked for. */
  readonly breaks: readonly Interval[];
}

/** The follower moves with what its leader did `lagMs` earlier, and on its own beside it. */
export interface LeadTruth {
  readonly leader: string;
  readonly follower: string;
  readonly lagMs: TimeMs;
  readonly beta: number;
}

export interface DelistingTruth {
  readonly symbol: string;
  readonly collapseFrom: TimeMs;
  /** Close of its last bar. */
  readonly at: TimeMs;
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
  /** The same for the assets that are for studies, chosen or not, in the order of STUDY_ASSETS, and what is particular to them. */
  readonly studies: readonly AssetTruth[];
  readonly brokenPairs: readonly BrokenPairTruth[];
  readonly leads: readonly LeadTruth[];
  readonly delistings: readonly DelistingTruth[];
}

export interface GroundTruthOptions extends Pick<SyntheticMarketOptions, 'seed' | 'startAt' | 'timeframeMs' | 'studies'> {
  readonly bars: number;
}

/** What is known of the assets for studies without running anything. Breaks are those that begin in the first `bars` bars. */
export function studyTruth(
  { seed, startAt, timeframeMs, studies }: Pick<CheckedOptions, 'seed' | 'startAt' | 'timeframeMs' | 'studies'>,
  bars: number,
): { breaks: ReadonlyMap<string, readonly Interval[]>; leads: readonly LeadTruth[]; delistings: readonly DelistingTruth[] } {
  const root = new Random(seed);
  const breaks = new Map<string, readonly Interval[]>();
  const leads: LeadTruth[] = [];
  const delistings: DelistingTruth[] = [];
  for (const {
    instrument: { symbol },
    drive,
  } of STUDY_ASSETS) {
    if (drive.kind === 'breaking pair') {
      const spells = breakSpells(root.fork(`asset ${symbol}`), timeframeMs, studies).before(bars * timeframeMs);
      breaks.set(
        symbol,
        spells.map(({ fromMs, untilMs }) => ({ from: startAt + fromMs, until: startAt + untilMs })),
      );
    }
    if (drive.kind === 'lagging') {
      leads.push({ leader: drive.leader, follower: symbol, lagMs: studies.lagBars * timeframeMs, beta: drive.beta });
    }
    if (drive.kind === 'doomed') {
      const at = startAt + barsUntilDelisting(studies, timeframeMs) * timeframeMs;
      const collapseFrom = at - Math.round((studies.collapseHours * HOUR_MS) / timeframeMs) * timeframeMs;
      delistings.push({ symbol, collapseFrom, at });
    }
  }
  return { breaks, leads, delistings };
}

/** @throws BallastError SYNTHETIC_OPTION_INVALID */
export function groundTruth({ bars, ...options }: GroundTruthOptions): GroundTruth {
  const checked = checkOptions(options);
  const { startAt, timeframeMs } = checked;
  const model = new Model(checked, ALL_ASSETS);
  const column = (): Float64Array => new Float64Array(bars);
  const factor = { level: column(), volatility: column(), jump: column() };
  const columns = model.paths.map(({ asset, leader }) => ({
    symbol: asset.instrument.symbol,
    volatility: column(),
    jump: column(),
    spread: 'hedgeRatio' in asset.drive && leader !== undefined ? column() : undefined,
    anchor: asset.drive.kind === 'breaking pair' ? column() : undefined,
  }));
  const truth = { openAt: column(), regime: new Uint8Array(bars) };
  const annual = Math.sqrt(model.barsPerYear);
  const row = new Float64Array(ALL_ASSETS.length * BAR_WIDTH);
  for (let bar = 0; bar < bars; bar++) {
    model.step(row, 0);
    truth.openAt[bar] = startAt + bar * timeframeMs;
    truth.regime[bar] = model.factor.regime;
    factor.level[bar] = model.factor.level;
    factor.volatility[bar] = model.factor.deviation * annual;
    factor.jump[bar] = model.factor.jump;
    model.paths.forEach((path, index) => {
      const made = columns[index];
      if (made === undefined) return;
      made.volatility[bar] = path.deviation * annual;
      made.jump[bar] = path.jump;
      if (made.spread !== undefined) made.spread[bar] = path.spread;
      if (made.anchor !== undefined) made.anchor[bar] = path.anchor;
    });
  }
  const { breaks, leads, delistings } = studyTruth(checked, bars);
  const pairs: PairTruth[] = [];
  const brokenPairs: BrokenPairTruth[] = [];
  model.paths.forEach(({ asset: { drive, instrument } }, index) => {
    const { spread, anchor } = columns[index] ?? {};
    if (!('hedgeRatio' in drive) || spread === undefined) return;
    const { leader, hedgeRatio, spreadDeviation, spreadHalfLifeMs } = drive;
    const pair = { leader, follower: instrument.symbol, hedgeRatio, spreadDeviation, spreadHalfLifeMs, spread };
    if (anchor === undefined) pairs.push(pair);
    else brokenPairs.push({ ...pair, anchor, breaks: breaks.get(instrument.symbol) ?? [] });
  });
  const assets = columns.map(({ symbol, volatility, jump }) => ({ symbol, volatility, jump }));
  return {
    ...truth,
    regimeNames: REGIMES.map(({ name }) => name),
    factor,
    assets: assets.slice(0, SYNTHETIC_ASSETS.length),
    pairs,
    studies: assets.slice(SYNTHETIC_ASSETS.length),
    brokenPairs,
    leads,
    delistings,
  };
}
