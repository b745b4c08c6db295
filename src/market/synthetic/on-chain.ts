// Made-up on-chain series of one asset: inflows to venues, which rise before falls, and active addresses, which rise after any jump.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { HOUR_MS, MINUTE_MS, type TimeMs } from '../../domain/time.ts';
import { portableExp, Random } from '../../quant/random.ts';
import type { SyntheticAsset } from './assets.ts';
import { BAR_WIDTH, Model, pathOf, type AssetPath } from './model.ts';
import { checkOptions, type CheckedOptions, type SyntheticMarketOptions } from './options.ts';
import { checkOnChain, type OnChainParameters } from './parameters.ts';

/** Of one period. */
export interface OnChainEntry {
  /** When it is known: some time after the period. */
  readonly at: TimeMs;
  /** End of the period. */
  readonly happenedAt: TimeMs;
  /** Coins sent to venues in the period. */
  readonly inflow: number;
  /** Addresses that were active in the period. */
  readonly activeAddresses: number;
}

/** Noise of both series reverts with this half-life. */
export const NOISE_HALF_LIFE_PERIODS = 6;
/** Typical inflow, as a ratio of the typical volume. */
export const INFLOW_RATIO = 0.05;
/** Typical number of active addresses in an hour. */
export const ADDRESSES_PER_HOUR = 20_000;
/** Keeps what many jumps together add to a logarithm where its exponential is a sane number. */
const LOG_LIMIT = 4;

/** @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN */
export function syntheticOnChain(options: SyntheticMarketOptions, symbol: string): SyntheticOnChain {
  const checked = checkOptions({ ...options, assets: [symbol] });
  const [asset] = checked.assets;
  if (asset === undefined) throw new RangeError(`there was no asset ${symbol}, expected checkOptions to have refused it`);
  return new SyntheticOnChain(checked, asset);
}

/** Period by period from the market's start, for ever. A chain goes on when a venue delists its coin. */
export class SyntheticOnChain implements Stateful {
  readonly #model: Model;
  readonly #path: AssetPath;
  readonly #random: Random;
  readonly #parameters: OnChainParameters;
  readonly #startAt: TimeMs;
  readonly #periodMs: TimeMs;
  readonly #barsInPeriod: number;
  readonly #typicalInflow: number;
  readonly #row = new Float64Array(BAR_WIDTH);
  readonly #memory: number;
  /** Sums of the jumps of each period, and of their sizes, as rings that reach from the lag behind to the lead ahead. */
  readonly #sums: Float64Array;
  readonly #sizes: Float64Array;
  #period = 0;
  #scanned = 0;
  #inflowNoise = NaN;
  #addressNoise = NaN;

  constructor(options: CheckedOptions, asset: SyntheticAsset) {
    const { seed, startAt, timeframeMs, onChain } = options;
    checkOnChain(onChain, timeframeMs);
    const { symbol } = asset.instrument;
    this.#model = new Model(options, [asset]);
    this.#path = pathOf(this.#model, symbol);
    this.#random = new Random(seed).fork(`on-chain ${symbol}`);
    this.#parameters = onChain;
    this.#startAt = startAt;
    this.#periodMs = onChain.periodHours * HOUR_MS;
    this.#barsInPeriod = this.#periodMs / timeframeMs;
    this.#typicalInflow = asset.minuteVolume * 60 * onChain.periodHours * INFLOW_RATIO;
    this.#memory = portableExp(-Math.LN2 / NOISE_HALF_LIFE_PERIODS);
    const reach = onChain.inflowLeadPeriods + onChain.addressLagPeriods + 1;
    this.#sums = new Float64Array(reach);
    this.#sizes = new Float64Array(reach);
    this.#inflowNoise = 0;
    this.#addressNoise = 0;
  }

  /** The next period's entry. */
  step(): OnChainEntry {
    const { inflowLeadPeriods, inflowGain, addressLagPeriods, addressGain, noiseDeviation, publicationMinutes } = this.#parameters;
    const period = this.#period++;
    while (this.#scanned <= period + inflowLeadPeriods) this.#scan();
    this.#random.seek(period);
    const noise = noiseDeviation * Math.sqrt(1 - this.#memory * this.#memory);
    this.#inflowNoise = this.#inflowNoise * this.#memory + noise * this.#random.normal();
    this.#addressNoise = this.#addressNoise * this.#memory + noise * this.#random.normal();
    const reach = this.#sums.length;
    const fall = -(this.#sums[(period + inflowLeadPeriods) % reach] ?? NaN) / 0.01;
    // Before the market's start nothing jumped: the ring is empty there.
    const size = period < addressLagPeriods ? 0 : (this.#sizes[(period - addressLagPeriods) % reach] ?? NaN) / 0.01;
    const happenedAt = this.#startAt + (period + 1) * this.#periodMs;
    return {
      at: happenedAt + publicationMinutes * MINUTE_MS,
      happenedAt,
      inflow: this.#typicalInflow * bounded(this.#inflowNoise + inflowGain * fall),
      activeAddresses: Math.round(ADDRESSES_PER_HOUR * this.#parameters.periodHours * bounded(this.#addressNoise + addressGain * size)),
    };
  }

  save(out: ByteWriter): void {
    this.#model.save(out);
    out.count(this.#period);
    out.count(this.#scanned);
    out.number(this.#inflowNoise);
    out.number(this.#addressNoise);
    out.numbers(this.#sums);
    out.numbers(this.#sizes);
  }

  /** Into one of the same options and symbol. */
  restore(from: ByteReader): void {
    this.#model.restore(from);
    this.#period = from.count();
    this.#scanned = from.count();
    this.#inflowNoise = from.number();
    this.#addressNoise = from.number();
    from.numbers(this.#sums);
    from.numbers(this.#sizes);
  }

  #scan(): void {
    let [sum, size] = [0, 0];
    for (let bar = 0; bar < this.#barsInPeriod; bar++) {
      this.#model.step(this.#row, 0);
      sum += this.#path.jump;
      size += Math.abs(this.#path.jump);
    }
    const place = this.#scanned++ % this.#sums.length;
    this.#sums[place] = sum;
    this.#sizes[place] = size;
  }
}

function bounded(log: number): number {
  return portableExp(Math.min(LOG_LIMIT, Math.max(-LOG_LIMIT, log)));
}
