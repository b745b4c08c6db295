// Volume-weighted: slices in proportion to what is usually traded at that time of day (Konishi, "Optimal slice of a VWAP trade", 2002: the
// expected profile is the best schedule where volume and price are independent).
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { DAY_MS, MINUTE_MS, type TimeMs } from '../../domain/time.ts';

const BUCKET_MS = 15 * MINUTE_MS;
const BUCKETS = DAY_MS / BUCKET_MS;

/** What an instrument trades by quarter of an hour of the UTC day: the mean over the bars of the run so far. */
export class VolumeProfile implements Stateful {
  readonly #volume = new Float64Array(BUCKETS);
  readonly #seenMs = new Float64Array(BUCKETS);
  #lastAt: TimeMs = NaN;

  /** A bar that closed at `closedAt`; of the first only the time counts, since nobody says when it opened. */
  add(closedAt: TimeMs, volume: number): void {
    const from = this.#lastAt;
    this.#lastAt = closedAt;
    const spanMs = closedAt - from;
    // After a gap of a day nobody knows when it was traded.
    if (!(spanMs > 0) || spanMs > DAY_MS) return;
    for (let at = from; at < closedAt;) {
      const bucket = bucketOf(at);
      const until = Math.min(closedAt, nextBucket(at));
      this.#volume[bucket] = (this.#volume[bucket] ?? 0) + (volume * (until - at)) / spanMs;
      this.#seenMs[bucket] = (this.#seenMs[bucket] ?? 0) + until - at;
      at = until;
    }
  }

  /** Of what is traded from `from` on within `horizonMs`, what falls into each of so many equal intervals. All equal where nothing is known. */
  weights(from: TimeMs, horizonMs: TimeMs, slices: number): Float64Array {
    const weights = new Float64Array(slices);
    let sum = 0;
    const usual = this.#usualRate();
    for (let slice = 0; slice < slices; slice++) {
      const weight = this.#expected(from + (slice * horizonMs) / slices, from + ((slice + 1) * horizonMs) / slices, usual);
      weights[slice] = weight;
      sum += weight;
    }
    for (let slice = 0; slice < slices; slice++) weights[slice] = sum > 0 ? (weights[slice] ?? 0) / sum : 1 / slices;
    return weights;
  }

  #expected(from: number, to: number, usual: number): number {
    let volume = 0;
    for (let at = from; at < to;) {
      const bucket = bucketOf(at);
      const until = Math.min(to, nextBucket(at));
      const seenMs = this.#seenMs[bucket] ?? 0;
      volume += (until - at) * (seenMs > 0 ? (this.#volume[bucket] ?? 0) / seenMs : usual);
      at = until;
    }
    return volume;
  }

  /** Over the whole day: what a quarter of an hour that was never seen is taken to trade. */
  #usualRate(): number {
    let volume = 0;
    let seenMs = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      volume += this.#volume[bucket] ?? 0;
      seenMs += this.#seenMs[bucket] ?? 0;
    }
    return seenMs > 0 ? volume / seenMs : 0;
  }

  save(out: ByteWriter): void {
    out.numbers(this.#volume);
    out.numbers(this.#seenMs);
    out.number(this.#lastAt);
  }

  restore(from: ByteReader): void {
    from.numbers(this.#volume);
    from.numbers(this.#seenMs);
    this.#lastAt = from.number();
  }
}

function bucketOf(at: number): number {
  return Math.floor(at / BUCKET_MS) % BUCKETS;
}

function nextBucket(at: number): number {
  return (Math.floor(at / BUCKET_MS) + 1) * BUCKET_MS;
}
