// How much the past of one column says about the next row of another that its own past does not.
import { Random } from './random.ts';
import { averageRanks } from './rank-correlation.ts';
import { permutation } from './resampling.ts';

/** Bins of equally many rows, by rank: 0 for the lowest. Equal values share one. @throws RangeError unless 2 to 256 bins */
export function quantileBins(values: ArrayLike<number>, bins: number): Uint8Array {
  if (!Number.isInteger(bins) || bins < 2 || bins > 256) throw new RangeError(`${bins} bins, expected a whole number from 2 to 256`);
  return Uint8Array.from(averageRanks(values), (rank) => Math.min(bins - 1, Math.floor(((rank - 0.5) * bins) / values.length)));
}

/**
 * Transfer entropy (Schreiber, 2000) from `source` to `target` with one row of history of each, in nats, from the frequencies of bins. Of a
 * finite sample it is above 0 even where nothing is transferred, by about (bins - 1)^2 bins / (2 rows): see `transferEntropy`.
 * @param source @param target numbers of bins, such as `quantileBins` gives them, of one length of at least 2
 * @throws RangeError where they are not
 */
export function binnedTransferEntropy(source: Uint8Array, target: Uint8Array): number {
  if (source.length !== target.length || source.length < 2) {
    throw new RangeError(`columns of ${source.length} and ${target.length} rows, expected the same, at least 2`);
  }
  const width = 1 + source.reduce((most, bin) => Math.max(most, bin), 0);
  const depth = 1 + target.reduce((most, bin) => Math.max(most, bin), 0);
  const all = new Float64Array(depth * depth * width);
  const [moves, before, pasts] = [new Float64Array(depth * depth), new Float64Array(depth * width), new Float64Array(depth)];
  for (let row = 1; row < target.length; row++) {
    const [next, past, other] = [target[row] ?? 0, target[row - 1] ?? 0, source[row - 1] ?? 0];
    add(all, (next * depth + past) * width + other);
    add(moves, next * depth + past);
    add(before, past * width + other);
    add(pasts, past);
  }
  let sum = 0;
  for (let next = 0; next < depth; next++) {
    for (let past = 0; past < depth; past++) {
      for (let other = 0; other < width; other++) {
        const count = all[(next * depth + past) * width + other] ?? 0;
        if (count === 0) continue;
        sum +=
          count * Math.log((count * (pasts[past] ?? NaN)) / ((before[past * width + other] ?? NaN) * (moves[next * depth + past] ?? NaN)));
      }
    }
  }
  return Math.max(0, sum / (target.length - 1));
}

function add(counts: Float64Array, place: number): void {
  counts[place] = (counts[place] ?? NaN) + 1;
}

export interface TransferEntropy {
  /** Nats. */
  readonly entropy: number;
  /** Less the mean of shuffled sources: what is left when chance has been taken out, and may be below 0 (Marschinski and Kantz, 2002). */
  readonly effective: number;
  /** Share of shuffled sources with as much, the true one counted among them: at least 1 / (shuffles + 1). */
  readonly pValue: number;
}

export interface TransferSettings {
  /** Of each column, by rank: 2 to 256. Few: with b bins there are b^3 cells to fill. */
  readonly bins: number;
  /** From 1. */
  readonly shuffles: number;
  readonly seed: number;
}

/**
 * From `source` to `target`, both in returns, against shuffles of the source. A shuffled source has lost its own memory as well: where the
 * two have a common driver, or volatility comes in spells in both, a small p-value does not say that the one moves the other.
 * @throws RangeError where the columns are not of one length of at least 2, or a setting is out of its range
 */
export function transferEntropy(
  source: ArrayLike<number>,
  target: ArrayLike<number>,
  { bins, shuffles, seed }: TransferSettings,
): TransferEntropy {
  if (!Number.isInteger(shuffles) || shuffles < 1) throw new RangeError(`${shuffles} shuffles, expected a whole number from 1`);
  const [from, to] = [quantileBins(source, bins), quantileBins(target, bins)];
  const entropy = binnedTransferEntropy(from, to);
  const shuffledRows = permutation(new Random(seed));
  const rows = new Int32Array(from.length);
  let [sum, asMuch] = [0, 0];
  for (let shuffle = 0; shuffle < shuffles; shuffle++) {
    shuffledRows(shuffle, rows);
    const chance = binnedTransferEntropy(
      Uint8Array.from(rows, (row) => from[row] ?? 0),
      to,
    );
    sum += chance;
    if (chance >= entropy) asMuch++;
  }
  return { entropy, effective: entropy - sum / shuffles, pValue: (asMuch + 1) / (shuffles + 1) };
}
