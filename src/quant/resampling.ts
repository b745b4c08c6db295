// Which observations another history would have had: rows drawn from a sample in blocks, or put into another order.
// Rows, not values: what is drawn together for one column is drawn together for all, so that columns stay synchronous.
import { portableLog, portableLogs, type Random } from './random.ts';

/**
 * Writes the row numbers of one replication, each from 0 to `into.length` - 1, in their new order. Replication i is the same whenever it is
 * asked for, and whatever was asked before it.
 */
export type Resample = (replication: number, into: Int32Array) => void;

/** Numbers drawn at once, so that they stay in typed arrays. */
const BATCH = 1024;
/**
 * From a 32-bit word to a part of 1. Rows are scaled from words, not rejected: of a million rows one is drawn at most 0.03 % more often
 * than another.
 */
const WORD_PART = 2 ** -32;

/**
 * Blocks of geometric length around `blockLength` from anywhere, the end of the sample joined to its beginning, so that what is drawn is
 * stationary: Politis and Romano (1994). A length of 1 draws independent rows.
 * @throws RangeError where the length is below 1
 */
export function stationaryBootstrap(blockLength: number, random: Random): Resample {
  checkBlockLength(blockLength);
  if (blockLength === 1) return independentRows(random);
  // By the ln of the probability that a block goes on after a row, the logarithm of a uniform number becomes a geometric one.
  const perRow = 1 / portableLog(1 - 1 / blockLength);
  return blocks(random, blockLength, (lengths, drawn) => {
    random.fillOpen(lengths, 0, drawn);
    portableLogs(lengths, 0, drawn);
    for (let block = 0; block < drawn; block++) lengths[block] = 1 + Math.floor((lengths[block] ?? NaN) * perRow);
  });
}

/**
 * Blocks of one length from anywhere, the end of the sample joined to its beginning: Politis and Romano (1992). The length is rounded up,
 * and the last block is cut where the sample is full.
 * @throws RangeError where the length is below 1
 */
export function circularBlockBootstrap(blockLength: number, random: Random): Resample {
  checkBlockLength(blockLength);
  const whole = Math.ceil(blockLength);
  if (whole === 1) return independentRows(random);
  return blocks(random, whole, (lengths, drawn) => lengths.fill(whole, 0, drawn));
}

/**
 * Every row once, in an order of which each is equally likely (Fisher and Yates). Nothing that hangs together in time stays together:
 * losses that came in a row are spread out, so that drawdowns come out too small wherever losses cluster.
 */
export function permutation(random: Random): Resample {
  const words = new Uint32Array(BATCH);
  return (replication, into) => {
    random.seek(replication);
    const count = into.length;
    for (let row = 0; row < count; row++) into[row] = row;
    for (let left = count; left > 1;) {
      const drawn = Math.min(BATCH, left - 1);
      random.fillUint32(words, 0, drawn);
      for (let index = 0; index < drawn; index++) {
        const other = ((words[index] ?? 0) * (left * WORD_PART)) | 0;
        left--;
        const moved = into[left] ?? 0;
        into[left] = into[other] ?? 0;
        into[other] = moved;
      }
    }
  };
}

/** Blocks of one row: what `blocks` would draw, in half the time. */
function independentRows(random: Random): Resample {
  const words = new Uint32Array(BATCH);
  return (replication, into) => {
    random.seek(replication);
    const count = into.length;
    for (let place = 0; place < count;) {
      const drawn = Math.min(BATCH, count - place);
      random.fillUint32(words, 0, drawn);
      for (let index = 0; index < drawn; index++) into[place++] = ((words[index] ?? 0) * (count * WORD_PART)) | 0;
    }
  };
}

function blocks(random: Random, blockLength: number, drawLengths: (lengths: Float64Array, drawn: number) => void): Resample {
  const starts = new Uint32Array(BATCH);
  const lengths = new Float64Array(BATCH);
  return (replication, into) => {
    random.seek(replication);
    const count = into.length;
    for (let place = 0; place < count;) {
      const drawn = Math.min(BATCH, Math.ceil((count - place) / blockLength));
      random.fillUint32(starts, 0, drawn);
      drawLengths(lengths, drawn);
      for (let block = 0; block < drawn && place < count; block++) {
        let row = ((starts[block] ?? 0) * (count * WORD_PART)) | 0;
        const end = place + (Math.min(count - place, lengths[block] ?? 0) | 0);
        while (place < end) {
          into[place++] = row++;
          // The end of the sample is joined to its beginning.
          if (row === count) row = 0;
        }
      }
    }
  };
}

function checkBlockLength(blockLength: number): void {
  if (!(blockLength >= 1)) throw new RangeError(`a block was ${blockLength} long, expected at least 1`);
}
