// Two histories at the times that both have: the logarithms of their closes.
import type { TimeMs } from '../../domain/time.ts';

/** Rows by open time, ascending, each once. */
export interface ClosingPrices {
  readonly symbol: string;
  readonly openAt: Float64Array;
  readonly close: Float64Array;
}

/** Columns of one length. */
export interface JoinedLogs {
  readonly openAt: Float64Array;
  readonly a: Float64Array;
  readonly b: Float64Array;
}

/** Inner join on the open time. */
export function joinLogs(a: ClosingPrices, b: ClosingPrices): JoinedLogs {
  const most = Math.min(a.openAt.length, b.openAt.length);
  const [openAt, logA, logB] = [new Float64Array(most), new Float64Array(most), new Float64Array(most)];
  let [rows, one, other] = [0, 0, 0];
  while (one < a.openAt.length && other < b.openAt.length) {
    const [at, otherAt]: [TimeMs, TimeMs] = [a.openAt[one] ?? NaN, b.openAt[other] ?? NaN];
    if (at === otherAt) {
      openAt[rows] = at;
      logA[rows] = Math.log(a.close[one++] ?? NaN);
      logB[rows++] = Math.log(b.close[other++] ?? NaN);
    } else if (at < otherAt) one++;
    else other++;
  }
  return { openAt: openAt.subarray(0, rows), a: logA.subarray(0, rows), b: logB.subarray(0, rows) };
}
