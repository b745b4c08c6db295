// What a synthetic market is asked for, checked once.
import { BallastError } from '../../domain/errors.ts';
import { DAY_MS, formatTime, MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import { ALL_ASSETS, SYNTHETIC_ASSETS, type SyntheticAsset } from './assets.ts';
import { FLOOR_LOTS } from './model.ts';
import { checkParameters, checkStudies, reject, type SyntheticParameters } from './parameters.ts';

/** The groups that belong to streams beside bars and trades: see `parameters.ts` for each field's unit, default and range. */
type ParameterGroups = { readonly [Group in keyof SyntheticParameters]?: Partial<SyntheticParameters[Group]> | undefined };

/** One type for everything that a synthetic market can be asked for, whichever of its streams is wanted. */
export interface SyntheticMarketOptions extends ParameterGroups {
  /** A whole number from 0 to 2^53 - 1. One seed, one market. */
  readonly seed: number;
  /** Open time of the first bar: a multiple of `timeframeMs` since the epoch. */
  readonly startAt: TimeMs;
  /** Length of a bar, from a second to a day; a minute unless said. The same seed with another length is another market. */
  readonly timeframeMs?: TimeMs | undefined;
  /** Trades before each bar: 0 for none, else 4 to 100; 4 unless said. The bars are the same either way. */
  readonly tradesPerBar?: number | undefined;
  /**
   * Symbols of SYNTHETIC_ASSETS and STUDY_ASSETS, in the order of the instruments; all of SYNTHETIC_ASSETS unless said. A symbol's path is
   * the same whichever are chosen.
   */
  readonly assets?: readonly string[] | undefined;
  /** Bars that open before this, and their trades, are marked as warm-up; none unless said. */
  readonly from?: TimeMs | undefined;
}

export interface CheckedOptions extends SyntheticParameters {
  readonly seed: number;
  readonly startAt: TimeMs;
  readonly timeframeMs: TimeMs;
  readonly tradesPerBar: number;
  readonly assets: readonly SyntheticAsset[];
  readonly from: TimeMs;
}

/** @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN */
export function checkOptions(options: SyntheticMarketOptions): CheckedOptions {
  const { seed, startAt, timeframeMs = MINUTE_MS, tradesPerBar = 4, from = startAt } = options;
  if (!Number.isSafeInteger(seed) || seed < 0) reject('seed', seed, 'a whole number from 0 to 2^53 - 1');
  if (!Number.isInteger(timeframeMs) || timeframeMs < SECOND_MS || timeframeMs > DAY_MS) {
    reject('timeframeMs', timeframeMs, `whole milliseconds from ${SECOND_MS} to ${DAY_MS}`);
  }
  if (!Number.isSafeInteger(startAt) || startAt < 0 || startAt % timeframeMs !== 0) {
    const before = Math.floor(startAt / timeframeMs) * timeframeMs;
    const nearest = Number.isSafeInteger(before) && before >= 0 ? `, such as ${before} (${formatTime(before)})` : '';
    reject('startAt', startAt, `a multiple of the timeframe (${timeframeMs} ms) since the epoch${nearest}`);
  }
  if (!Number.isFinite(from)) reject('from', from, 'a time in milliseconds');
  const isTradeCount = Number.isInteger(tradesPerBar) && (tradesPerBar === 0 || (tradesPerBar >= 4 && tradesPerBar <= FLOOR_LOTS));
  if (!isTradeCount) reject('tradesPerBar', tradesPerBar, `0, or a whole number from 4 to ${FLOOR_LOTS}`);
  const assets = options.assets === undefined ? SYNTHETIC_ASSETS : options.assets.map(assetOf);
  if (assets.length === 0) reject('assets', 0, 'at least one symbol');
  if (new Set(assets).size !== assets.length) reject('assets', options.assets?.join(', ') ?? '', 'each symbol once');
  const parameters = {
    studies: checkParameters('studies', options.studies),
    book: checkParameters('book', options.book),
    derivatives: checkParameters('derivatives', options.derivatives),
    headlines: checkParameters('headlines', options.headlines),
    onChain: checkParameters('onChain', options.onChain),
    interruptions: checkParameters('interruptions', options.interruptions),
  };
  checkStudies(parameters.studies, timeframeMs);
  return { seed, startAt, timeframeMs, tradesPerBar, assets, from, ...parameters };
}

function assetOf(symbol: string): SyntheticAsset {
  const asset = ALL_ASSETS.find(({ instrument }) => instrument.symbol === symbol);
  if (asset !== undefined) return asset;
  throw new BallastError({
    code: 'SYNTHETIC_ASSET_UNKNOWN',
    place: 'synthetic market',
    found: JSON.stringify(symbol),
    expected: `one of ${ALL_ASSETS.map(({ instrument }) => instrument.symbol).join(', ')}`,
    exitCode: 2,
  });
}
