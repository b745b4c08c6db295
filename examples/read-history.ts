// Reading stored history in a program of your own: what a perpetual earned, and what its funding took. Real data come with `ballast data
// download` and `ballast data import`; here ten days of the synthetic market and a funding rate of our own are stored first.
import { DAY_MS, formatTime, HOUR_MS, MINUTE_MS, syntheticMarket } from 'ballast';
import { flawsInWords, Inspector, openBars, openRecords, type BarColumns } from 'ballast/history';

const home = process.env['BALLAST_HOME'] ?? '.';
const series = { venue: 'example', symbol: 'BTC/USDT:USDT', timeframeMs: MINUTE_MS };
const from = Date.UTC(2026, 0, 1);

const bars = await openBars(home);
const records = await openRecords(home);
try {
  await bars.merge(series, syntheticDays(10));
  const settlements = Float64Array.from({ length: 30 }, (_, index) => from + (index + 1) * 8 * HOUR_MS);
  const columns = new Map([
    ['at', settlements],
    ['happenedAt', settlements],
    ['rate', settlements.map((_, index) => 0.0001 * Math.sin(index / 5))],
  ]);
  const { venue, symbol } = series;
  const funding = { kind: 'funding', venue, symbol, rows: settlements.length, columns, placeOf: (row: number) => `row ${row}` } as const;
  await records.merge([funding], { importedAt: Date.now() });

  for (const stored of await bars.list()) {
    console.log(`${stored.venue} ${stored.symbol}: ${stored.rows} bars, ${formatTime(stored.fromMs)} to ${formatTime(stored.toMs)}`);
  }

  // A range as arrays, in one piece: here the last week.
  const week = { fromMs: from + 3 * DAY_MS, toMs: from + 10 * DAY_MS };
  const { close } = await bars.load({ ...series, ...week });
  const { rate } = await records.load({ kind: 'funding', venue, symbol, ...week });
  const [first = NaN, last = NaN] = [close[0], close.at(-1)];
  const paid = rate.reduce((sum, each) => sum + each, 0);
  console.log(`held for a week: ${(100 * (last / first - 1)).toFixed(2)} %, less funding of ${(100 * paid).toFixed(3)} %`);

  // All of it in pieces, however long it is: what `ballast data check` does.
  const inspector = new Inspector(MINUTE_MS);
  for await (const piece of bars.stream(series, 1_000)) inspector.add(piece);
  const inspection = inspector.result();
  console.log(`quality ${inspection.qualityRatio}: ${flawsInWords(inspection) || 'nothing is wrong with it'}`);
} finally {
  await bars.close();
  await records.close();
}

/** Minutes of the synthetic market as columns. */
function syntheticDays(days: number): BarColumns {
  const { sources } = syntheticMarket({ seed: 7, startAt: from, timeframeMs: MINUTE_MS, assets: [series.symbol] });
  const [source] = sources;
  const rows = days * (DAY_MS / MINUTE_MS);
  const column = (): Float64Array => new Float64Array(rows);
  const made = { openAt: column(), open: column(), high: column(), low: column(), close: column(), volume: column() };
  for (let row = 0; row < rows;) {
    const event = source?.take();
    if (event?.kind !== 'bar.closed') continue;
    made.openAt[row] = event.at - MINUTE_MS;
    made.open[row] = event.open;
    made.high[row] = event.high;
    made.low[row] = event.low;
    made.close[row] = event.close;
    made.volume[row] = event.volume;
    row += 1;
  }
  return made;
}
