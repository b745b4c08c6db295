// How fast funding is paid: what longs have paid shorts lately, a day.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { BallastError } from '../../domain/errors.ts';
import type { FundingAnnounced } from '../../domain/event.ts';
import type { FundingFeatureSpec, FundingIndicator } from '../../domain/feature.ts';
import { DAY_MS } from '../../domain/time.ts';
import { RollingSum } from '../../quant/rolling.ts';

const MOST_SETTLEMENTS = 10_000;

/**
 * Mean of the last settled rates, as a ratio of the position's value a day: by the time that they took, so that a change of the venue's
 * interval changes nothing. NaN before there are so many. O(1) a settlement.
 */
export class FundingPace implements FundingIndicator {
  readonly warmup: number;
  value = NaN;
  readonly #rates: RollingSum;
  /** When each of the rates in the window was settled, and the one before them, in a ring. */
  readonly #at: Float64Array;
  #seen = 0;

  constructor(settlements: number) {
    this.warmup = settlements + 1;
    this.#rates = new RollingSum(settlements);
    this.#at = new Float64Array(settlements + 1).fill(NaN);
  }

  update({ settlesAt, rate }: FundingAnnounced): void {
    this.#rates.push(rate);
    const { length } = this.#at;
    this.#at[this.#seen % length] = settlesAt;
    this.#seen++;
    if (this.#seen < length) return;
    const tookMs = settlesAt - (this.#at[this.#seen % length] ?? NaN);
    this.value = tookMs > 0 ? (this.#rates.sum * DAY_MS) / tookMs : NaN;
  }

  save(out: ByteWriter): void {
    out.number(this.value);
    out.count(this.#seen);
    out.numbers(this.#at);
    this.#rates.save(out);
  }

  restore(from: ByteReader): void {
    this.value = from.number();
    this.#seen = from.count();
    from.numbers(this.#at);
    this.#rates.restore(from);
  }
}

/** A feature of a leg's funding. @throws BallastError FEATURE_MALFORMED */
export function fundingPace(settlements: number): FundingFeatureSpec<FundingPace> {
  const key = `fundingPace(${settlements})`;
  if (!Number.isInteger(settlements) || settlements < 1 || settlements > MOST_SETTLEMENTS) {
    const expected = `a whole number of settlements from 1 to ${MOST_SETTLEMENTS}`;
    throw new BallastError({ code: 'FEATURE_MALFORMED', place: `feature ${key}`, found: String(settlements), expected, exitCode: 2 });
  }
  return { key, input: 'funding', warmup: settlements + 1, create: () => new FundingPace(settlements) };
}

/** The same on another leg. */
export function fundingPaceOf(leg: number, settlements: number): FundingFeatureSpec<FundingPace> {
  return { ...fundingPace(settlements), leg };
}
