// Stored trades become stored bars of time. Read once, in pieces, judged whole, then merged whole or not at all, as an import is.
//
// The store is keyed by timeframe and by open times that are multiples of it: bars by count, volume or turnover have neither, and are for code
// (`../bar-builder.ts`).
import type { BarColumns } from '../../domain/bars.ts';
import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime, MINUTE_MS } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import { BarBuilder, type TradeBar } from '../bar-builder.ts';
import { openOfBar, SPIKE_RATIO } from '../quality.ts';
import { RawRows } from './csv.ts';
import { firstSpike } from './import.ts';
import { COLUMN_NAMES } from './parquet.ts';
import type { RecordStore } from './record-store.ts';
import type { BarStore, MergeReport } from './store.ts';

export interface BuildRequest {
  readonly bars: BarStore;
  readonly records: RecordStore;
  /** May be left out when one stored venue has trades of the symbol. */
  readonly venue?: string | undefined;
  readonly symbol: string;
  readonly timeframeMs: TimeMs;
  /** The trades are whole from here on: without it the bar of the first one is left out. */
  readonly fromMs?: TimeMs | undefined;
  /** The trades are whole up to here: without it the bar of the last one is left out. */
  readonly toMs?: TimeMs | undefined;
  /** Wall time, kept with the bars that are replaced. */
  readonly builtAt?: TimeMs | undefined;
  /** Trades while reading, months while writing. May throw, and then nothing was stored. */
  readonly onProgress?: ((stage: 'reading' | 'writing', done: number, total: number) => void) | undefined;
}

export interface BuildReport extends MergeReport {
  readonly venue: string;
  readonly trades: number;
  readonly bars: number;
  /** Of the bars, those in which nothing was traded: the last close four times. */
  readonly emptyBars: number;
  /** Places where numbers of trades are missing: the bars that they touch are left out. */
  readonly holes: number;
  /** Trades that arrived after a trade of a later bar, and are in none. */
  readonly lateTrades: number;
  /** Open time of the first bar. */
  readonly fromMs: TimeMs;
  /** Close time of the last. */
  readonly toMs: TimeMs;
}

const CHUNK_ROWS = 65_536;
/** What happened within a range may have become known so much later. */
export const LATEST_ARRIVAL_MS = MINUTE_MS;

/**
 * Where trades are numbered one by one, a number that is missing ends what is known: the bars that the hole touches are left out, and spans
 * without a trade are bars of volume 0. Trades with other ids prove neither, and a span without one gives no bar. In the store a bar that was
 * built is like any other: where there is one of the same time, the new one wins, and what it replaces is kept.
 * @throws BallastError TRADES_MISSING, VENUE_AMBIGUOUS, TRADES_CORRUPT, what `stream` and `merge` throw
 */
export async function buildBars(request: BuildRequest): Promise<BuildReport> {
  const { bars: store, records, timeframeMs, symbol } = request;
  const stored = (await records.list('trades')).filter((each) => each.symbol === symbol && each.venue === (request.venue ?? each.venue));
  if (stored.length === 0) throw noTrades(request.venue, symbol, 'none stored');
  const venue = records.resolve({ kind: 'trades', symbol, venue: request.venue });
  const rows = stored.reduce((sum, each) => sum + each.rows, 0);
  const series = { kind: 'trades', venue, symbol } as const;
  const { fromMs, toMs } = request;
  const building = new Building(request);
  const untilMs = toMs === undefined ? undefined : toMs + LATEST_ARRIVAL_MS;
  let read = 0;
  for await (const { at, happenedAt, id, price, quantity, takerSide } of records.stream({ ...series, fromMs, toMs: untilMs }, CHUNK_ROWS)) {
    building.look(id);
    for (let row = 0; row < at.length; row++) {
      building.push(at[row] ?? NaN, happenedAt[row] ?? NaN, id[row] ?? NaN, price[row] ?? NaN, quantity[row] ?? NaN, takerSide[row] ?? 0);
    }
    read += at.length;
    request.onProgress?.('reading', read, rows);
  }
  if (building.trades === 0) throw noTrades(venue, symbol, `none from ${timeOr(fromMs, 'the first')} to ${timeOr(toMs, 'the last')}`);
  const { bars, emptyBars, holes, lateTrades } = building.end();
  const count = bars.openAt.length;
  if (count === 0) {
    const span = formatSpan(timeframeMs);
    throw noTrades(venue, symbol, `${building.trades}, and no bar of ${span} of which all are certain to be there`);
  }
  const spike = firstSpike(bars, timeframeMs, SPIKE_RATIO);
  if (spike !== undefined) {
    throw new BallastError({
      code: 'TRADES_CORRUPT',
      place: `trades ${venue} ${symbol} at ${formatTime(bars.openAt[spike.row] ?? NaN)}`,
      ...spike.fault,
      remedy: 'import the trades of that time again, corrected; no bar was stored',
    });
  }
  const merged = await store.merge({ venue, symbol, timeframeMs }, bars, {
    correctedAt: request.builtAt,
    onProgress: (done, total) => request.onProgress?.('writing', done, total),
  });
  const [first = NaN, last = NaN] = [bars.openAt[0], bars.openAt.at(-1)];
  return { venue, ...merged, trades: building.trades, bars: count, emptyBars, holes, lateTrades, fromMs: first, toMs: last + timeframeMs };
}

class Building {
  readonly #rows = new RawRows(COLUMN_NAMES.length);
  readonly #row = new Float64Array(COLUMN_NAMES.length);
  readonly #spanMs: TimeMs;
  /** Open of the first bar after the epoch: weeks begin on a Monday. */
  readonly #originMs: TimeMs;
  readonly #fromMs: TimeMs;
  readonly #toMs: TimeMs;
  /** Whether trades are numbered one by one; undefined before the first. */
  #isNumbered: boolean | undefined;
  #builder: BarBuilder | undefined;
  /** Bars that open before are not whole. */
  #wholeFrom: TimeMs;
  #lastId = NaN;
  #lastAt: TimeMs = NaN;
  trades = 0;
  #emptyBars = 0;
  #holes = 0;
  #lateTrades = 0;

  constructor({ timeframeMs, fromMs = -Infinity, toMs = Infinity }: BuildRequest) {
    this.#spanMs = timeframeMs;
    this.#originMs = openOfBar(timeframeMs * 2, timeframeMs) % timeframeMs;
    this.#fromMs = fromMs;
    this.#toMs = toMs;
    this.#wholeFrom = fromMs;
  }

  /** Ids of trades that come: by the first of them it is judged whether they are numbers. */
  look(ids: Float64Array): void {
    this.#isNumbered ??= ids.every((id, row) => row === 0 || id > (ids[row - 1] ?? NaN));
  }

  push(at: TimeMs, happenedAt: TimeMs, id: number, price: number, quantity: number, takerSide: number): void {
    if (!(happenedAt >= this.#fromMs && happenedAt < this.#toMs)) return;
    const isAfterHole = this.#isNumbered === true && id > this.#lastId + 1;
    if (isAfterHole) this.#holes++;
    if (this.#builder === undefined || isAfterHole) {
      const isBeginning = this.#builder === undefined && this.#fromMs > -Infinity;
      if (!isBeginning) this.#wholeFrom = openOfBar(happenedAt, this.#spanMs) + this.#spanMs;
      this.#lateTrades += this.#builder?.lateTrades ?? 0;
      // What was forming is not known to be whole: it goes with its builder.
      this.#builder = this.#fresh();
    }
    if (!(id <= this.#lastId)) this.#lastId = id;
    if (!(happenedAt <= this.#lastAt)) this.#lastAt = happenedAt;
    this.trades++;
    this.#builder.push(at - this.#originMs, happenedAt - this.#originMs, price, quantity, takerSide);
  }

  #fresh(): BarBuilder {
    const empty = this.#isNumbered === true ? 'flat' : 'none';
    return new BarBuilder({ by: 'time', spanMs: this.#spanMs, empty }, (bar) => this.#keep(bar));
  }

  #keep({ openAt: shifted, open, high, low, close, volume, trades }: Readonly<TradeBar>): void {
    const openAt = shifted + this.#originMs;
    if (openAt < this.#wholeFrom || openAt + this.#spanMs > this.#toMs) return;
    if (trades === 0) this.#emptyBars++;
    const row = this.#row;
    row[0] = openAt;
    row[1] = open;
    row[2] = high;
    row[3] = low;
    row[4] = close;
    row[5] = volume;
    this.#rows.push(row, 0);
  }

  end(): { readonly bars: BarColumns; readonly emptyBars: number; readonly holes: number; readonly lateTrades: number } {
    const lastCloses = openOfBar(this.#lastAt, this.#spanMs) + this.#spanMs;
    // Where the trades are said to be whole up to the end of it, the last bar is; what comes after it nobody knows.
    if (lastCloses <= this.#toMs && this.#toMs < Infinity) this.#builder?.advance(lastCloses - this.#originMs);
    const none = new Float64Array();
    const [openAt = none, open = none, high = none, low = none, close = none, volume = none] = this.#rows.columns();
    const lateTrades = this.#lateTrades + (this.#builder?.lateTrades ?? 0);
    return { bars: { openAt, open, high, low, close, volume }, emptyBars: this.#emptyBars, holes: this.#holes, lateTrades };
  }
}

function timeOr(at: TimeMs | undefined, words: string): string {
  return at === undefined ? words : formatTime(at);
}

function noTrades(venue: string | undefined, symbol: string, found: string): BallastError {
  return new BallastError({
    code: 'TRADES_MISSING',
    place: `trades ${venue === undefined ? '' : `${venue} `}${symbol}`,
    found,
    expected: 'trades over more than a whole bar',
    remedy: `import them: ballast data import FILE --kind trades --symbol ${symbol} --venue ${venue ?? 'NAME'}; ballast data ls --kind trades tells what there is`,
    exitCode: 2,
  });
}
