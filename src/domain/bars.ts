// Bars as columns: how history is handed over.

/** Equal-length columns, oldest first. `openAt` is each bar's open time in UTC milliseconds. */
export interface BarColumns {
  readonly openAt: Float64Array;
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
  readonly volume: Float64Array;
}
