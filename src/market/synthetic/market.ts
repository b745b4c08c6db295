// The embedded market: several correlated assets out of one seed, as live sources that never end.
//
// A common factor with regimes (calm, trend up or down, crash, recovery), volatility that clusters, fat tails, jumps, betas, and two
// cointegrated pairs. Market time only: nothing here reads a clock or an unseeded generator. Parameters, units and formulae are in
// docs/reference/synthetic-market.md; the truth behind a path is recomputed by `groundTruth`.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { BallastError } from '../../domain/errors.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { Random } from '../../quant/random.ts';
import { STUDY_ASSETS } from './assets.ts';
import { Minutes } from './minutes.ts';
import { lifeOf, Model } from './model.ts';
import { checkOptions, type CheckedOptions, type SyntheticMarketOptions } from './options.ts';
import { SyntheticSource } from './source.ts';
import { TradePath } from './trades.ts';
import { groundTruth, type GroundTruth } from './truth.ts';

/** Raised when the model changes: a state from another version would continue into another market. */
const VERSION = 1;

/**
 * A market of its own: two calls with the same options give the same events, bit for bit, on every machine.
 * @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN
 */
export function syntheticMarket(options: SyntheticMarketOptions): SyntheticMarket {
  return new SyntheticMarket(checkOptions(options));
}

/** The state is the model's, the bars not yet delivered by every source, and where each source stands, in the middle of a minute too. */
export class SyntheticMarket implements Stateful {
  readonly instruments: readonly Instrument[];
  /** One per instrument, in their order. Take from all of them by time, the lower index first at equal times. */
  readonly sources: readonly SyntheticSource[];
  readonly #options: CheckedOptions;
  readonly #minutes: Minutes;

  constructor(options: CheckedOptions) {
    const { seed, timeframeMs, tradesPerBar, assets } = options;
    this.#options = options;
    this.instruments = assets.map(({ instrument }) => instrument);
    this.#minutes = new Minutes(new Model(options, assets), assets.length);
    const root = new Random(seed);
    this.sources = assets.map((asset, index) => {
      const { instrument } = asset;
      const random = root.fork(`trades ${instrument.symbol}`);
      const trades = tradesPerBar === 0 ? undefined : new TradePath(instrument, tradesPerBar, timeframeMs, random);
      return new SyntheticSource(index, this.#minutes, trades, options, lifeOf(asset, options));
    });
  }

  /** What really happened in the first `bars` bars. Computed from the seed, not remembered. */
  truth(bars: number): GroundTruth {
    const { seed, startAt, timeframeMs, studies } = this.#options;
    return groundTruth({ seed, startAt, timeframeMs, studies, bars });
  }

  save(out: ByteWriter): void {
    out.text(this.#identity());
    this.#minutes.save(out);
    for (const source of this.sources) source.save(out);
  }

  /** @throws BallastError SYNTHETIC_STATE_MISMATCH when the state is of a market with other options */
  restore(from: ByteReader): void {
    const found = from.text();
    if (found !== this.#identity()) {
      throw new BallastError({
        code: 'SYNTHETIC_STATE_MISMATCH',
        place: 'synthetic market',
        found: `the state of ${found}`,
        expected: this.#identity(),
        remedy: 'resume with the options the run was started with, or start a new run',
      });
    }
    this.#minutes.restore(from);
    for (const source of this.sources) source.restore(from);
  }

  #identity(): string {
    const { seed, startAt, timeframeMs, tradesPerBar, assets, studies } = this.#options;
    const symbols = this.instruments.map(({ symbol }) => symbol).join(',');
    const made = `version ${VERSION}, seed ${seed}, startAt ${startAt}, timeframeMs ${timeframeMs}, tradesPerBar ${tradesPerBar}`;
    // Only where they matter: the state of a market without them reads as it always did.
    const ofStudies = assets.some((asset) => STUDY_ASSETS.includes(asset)) ? `, studies ${JSON.stringify(studies)}` : '';
    return `${made}, assets ${symbols}${ofStudies}`;
  }
}
