// The truth of a synthetic market as events instead of columns, to be written as JSON: what happened, when, and what told of it.
import { formatTime, HOUR_MS, MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import { ALL_ASSETS, type SyntheticAsset } from './assets.ts';
import { syntheticHeadlines, type HeadlineKind } from './headlines.ts';
import { interruptionTruth } from './interruptions.ts';
import { BAR_WIDTH, Model } from './model.ts';
import { checkOptions, type SyntheticMarketOptions } from './options.ts';
import { REGIMES, type Regime } from './regimes.ts';
import { studyTruth, type Interval } from './truth.ts';

/** ISO-8601 UTC; from inclusive, until exclusive. */
export interface TimeRange {
  readonly from: string;
  readonly until: string;
}

/**
 * Plain data, ready for JSON. Times are ISO-8601 UTC, or whole milliseconds where a name ends in `Ms`. Regimes, jumps, breaks, leads and
 * delistings are the whole market's, whichever assets are chosen; gaps and headlines are those of the chosen assets.
 */
export interface TruthDocument {
  readonly seed: number;
  readonly timeframeMs: TimeMs;
  readonly range: TimeRange;
  readonly regimes: readonly (TimeRange & { readonly regime: Regime })[];
  /** `at` is the open of the bar with the jump. Without a symbol it is the factor's, and every asset has its part of it. Log size. */
  readonly jumps: readonly { readonly at: string; readonly symbol?: string; readonly jump: number }[];
  readonly pairs: readonly {
    readonly leader: string;
    readonly follower: string;
    readonly hedgeRatio: number;
    readonly spreadDeviation: number;
    readonly spreadHalfLifeMs: TimeMs;
    readonly breaks: readonly TimeRange[];
  }[];
  readonly leads: readonly { readonly leader: string; readonly follower: string; readonly lagMs: TimeMs; readonly beta: number }[];
  readonly delistings: readonly { readonly symbol: string; readonly collapseFrom: string; readonly at: string }[];
  readonly outages: readonly TimeRange[];
  readonly gaps: Readonly<Record<string, readonly TimeRange[]>>;
  readonly headlines: readonly {
    readonly id: string;
    readonly at: string;
    readonly kind: HeadlineKind;
    readonly sentiment: number;
    readonly jump: number;
    readonly jumpBarAt?: string;
  }[];
  /** By how much `at` of a headline comes before the open, or after the close, of its jump's bar. */
  readonly headlineTiming: { readonly leadMs: TimeMs; readonly lagMs: TimeMs; readonly deliveryMs: TimeMs };
  /** Inflows of a period tell of the jumps that begin `inflowLeadMs` after the period did; addresses of those `addressLagMs` before. */
  readonly onChainTiming: {
    readonly periodMs: TimeMs;
    readonly inflowLeadMs: TimeMs;
    readonly addressLagMs: TimeMs;
    readonly publicationMs: TimeMs;
  };
}

/** Runs the model once over `bars` bars. Memory grows with what happened, not with the bars. @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN */
export function truthDocument(options: SyntheticMarketOptions, bars: number): TruthDocument {
  const checked = checkOptions(options);
  const { seed, startAt, timeframeMs, headlines, onChain } = checked;
  const timeOf = (bar: number): string => formatTime(startAt + bar * timeframeMs);
  const model = new Model(checked, ALL_ASSETS);
  const row = new Float64Array(ALL_ASSETS.length * BAR_WIDTH);
  const regimes: { regime: Regime; from: string; until: string }[] = [];
  const jumps: { at: string; symbol?: string; jump: number }[] = [];
  const stream = syntheticHeadlines(options);
  const published: TruthDocument['headlines'][number][] = [];
  let [regime, since] = [-1, 0];
  const endRegime = (bar: number): void => {
    const name = REGIMES[regime]?.name;
    if (name !== undefined) regimes.push({ regime: name, from: timeOf(since), until: timeOf(bar) });
    since = bar;
  };
  for (let bar = 0; bar < bars; bar++) {
    model.step(row, 0);
    if (model.factor.regime !== regime) {
      endRegime(bar);
      regime = model.factor.regime;
    }
    if (model.factor.jump !== 0) jumps.push({ at: timeOf(bar), jump: model.factor.jump });
    for (const { asset, ownJump } of model.paths) {
      if (ownJump !== 0) jumps.push({ at: timeOf(bar), symbol: asset.instrument.symbol, jump: ownJump });
    }
    for (const { headline, truth } of stream.step()) {
      const { kind, sentiment, jump, jumpBarAt } = truth;
      const of = { id: headline.id, at: formatTime(headline.at), kind, sentiment, jump };
      published.push(jumpBarAt === undefined ? of : { ...of, jumpBarAt: formatTime(jumpBarAt) });
    }
  }
  endRegime(bars);

  const { breaks, leads, delistings } = studyTruth(checked, bars);
  const { outages, gaps } = interruptionTruth(options, bars);
  return {
    seed,
    timeframeMs,
    range: { from: timeOf(0), until: timeOf(bars) },
    regimes,
    jumps,
    pairs: ALL_ASSETS.flatMap((asset) => pairOf(asset, breaks)),
    leads,
    delistings: delistings.map(({ symbol, collapseFrom, at }) => ({ symbol, collapseFrom: formatTime(collapseFrom), at: formatTime(at) })),
    outages: outages.map(asText),
    gaps: Object.fromEntries(Array.from(gaps, ([symbol, intervals]) => [symbol, intervals.map(asText)])),
    headlines: published,
    headlineTiming: {
      leadMs: headlines.leadMinutes * MINUTE_MS,
      lagMs: headlines.lagMinutes * MINUTE_MS,
      deliveryMs: headlines.deliverySeconds * SECOND_MS,
    },
    onChainTiming: {
      periodMs: onChain.periodHours * HOUR_MS,
      inflowLeadMs: onChain.inflowLeadPeriods * onChain.periodHours * HOUR_MS,
      addressLagMs: onChain.addressLagPeriods * onChain.periodHours * HOUR_MS,
      publicationMs: onChain.publicationMinutes * MINUTE_MS,
    },
  };
}

function pairOf({ instrument, drive }: SyntheticAsset, breaks: ReadonlyMap<string, readonly Interval[]>): TruthDocument['pairs'] {
  if (!('hedgeRatio' in drive)) return [];
  const { leader, hedgeRatio, spreadDeviation, spreadHalfLifeMs } = drive;
  const broken = breaks.get(instrument.symbol) ?? [];
  return [{ leader, follower: instrument.symbol, hedgeRatio, spreadDeviation, spreadHalfLifeMs, breaks: broken.map(asText) }];
}

function asText({ from, until }: Interval): TimeRange {
  return { from: formatTime(from), until: formatTime(until) };
}
