// Histories at the times that all have: the logarithms of their closes.

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
  const { openAt, logs } = joinAllLogs([a, b]);
  const [logA = new Float64Array(0), logB = new Float64Array(0)] = logs;
  return { openAt, a: logA, b: logB };
}

/** Inner join on the open time: one column for each history, in their order. */
export function joinAllLogs(prices: readonly ClosingPrices[]): { readonly openAt: Float64Array; readonly logs: readonly Float64Array[] } {
  const most = Math.min(...prices.map(({ openAt }) => openAt.length));
  const openAt = new Float64Array(most);
  const logs = prices.map(() => new Float64Array(most));
  const places = prices.map(() => 0);
  for (let rows = 0; ;) {
    // All go on to the latest of the times at which they stand, until that is one time.
    const latest = Math.max(...prices.map((each, index) => each.openAt[places[index] ?? 0] ?? Infinity));
    if (latest === Infinity || Number.isNaN(latest))
      return { openAt: openAt.subarray(0, rows), logs: logs.map((column) => column.subarray(0, rows)) };
    let isCommon = true;
    prices.forEach((each, index) => {
      let place = places[index] ?? 0;
      while ((each.openAt[place] ?? Infinity) < latest) place++;
      places[index] = place;
      if (each.openAt[place] !== latest) isCommon = false;
    });
    if (!isCommon) continue;
    openAt[rows] = latest;
    prices.forEach((each, index) => {
      const column = logs[index];
      if (column !== undefined) column[rows] = Math.log(each.close[places[index] ?? 0] ?? NaN);
      places[index] = (places[index] ?? 0) + 1;
    });
    rows++;
  }
}
