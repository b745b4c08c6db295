// A series brought up to what its venue has. Only what is missing is asked for (the head, the tail, the holes), in pages, a few at a time; what
// is complete is stored every few seconds, so that a killed download goes on from there. The venue's clock says which bars are closed.
import { join } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import type { BarRow, Timers, VenueHistory } from '../../domain/ports.ts';
import { DAY_MS, formatSpan, formatTime, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import { isAligned, openOfBar, shapeFault } from '../quality.ts';
import { cut, joined, lengthMs, without, type Span } from './download-ranges.ts';
import { readVoids, VOIDS_FILE, writeVoids } from './download-voids.ts';
import { COLUMN_NAMES } from './parquet.ts';
import { seriesFolder, type SeriesId } from './series.ts';
import { emptyColumns, type BarStore, type MergeReport } from './store.ts';

/** Pages on their way at once: enough that the venue's limit binds and not the distance to it. */
const PAGES_AT_ONCE = 4;
/** Bars in memory, and time since the last ones were stored, from which what is complete is stored. */
const STORE_BARS = 50_000;
const STORE_EVERY_MS = 5 * SECOND_MS;
/** The last stored bars come again with the tail, at no cost: what a venue corrects, it corrects soon. */
const OVERLAP_BARS = 100;
/** What is missing for longer is looked at in days first: a venue may have listed the symbol years later, or taken it off years ago. */
const LONG_PAGES = 2;
/** Younger voids are not believed for good: what was late may come yet. */
const SETTLED_MS = DAY_MS;
/** While another process stores something. */
const BUSY_PAUSE_MS = 2 * SECOND_MS;
const BUSY_ATTEMPTS = 15;
const CHUNK_ROWS = 65_536;

export interface DownloadProgress {
  readonly doneBars: number;
  readonly bars: number;
}

export interface SeriesDownload {
  readonly store: BarStore;
  readonly history: VenueHistory;
  readonly timers: Timers;
  readonly symbol: string;
  readonly timeframeMs: TimeMs;
  /** Of the bars' open times; what is not closed yet at the venue is left out. */
  readonly range: (venueNow: TimeMs) => Span;
  /** Ends it: what is complete is stored. */
  readonly signal: AbortSignal;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

export interface DownloadReport extends MergeReport {
  /** Open time of the first bar that was wanted. */
  readonly fromMs: TimeMs;
  /** Close time of the last. */
  readonly toMs: TimeMs;
  /** Pages that were asked for. */
  readonly pages: number;
  /** Bars of the range that the venue does not have. */
  readonly voidBars: number;
  /** Bars of the range that were not asked for, because the download was ended. */
  readonly missingBars: number;
}

/**
 * @throws BallastError what the venue's history and the store throw, VENUE_ANSWER_MALFORMED for bars that cannot be, DOWNLOAD_EMPTY when the
 * venue has none of the bars. What was complete before is stored.
 */
export async function downloadSeries(request: SeriesDownload): Promise<DownloadReport> {
  const { history, symbol, timeframeMs } = request;
  const series: SeriesId = { venue: history.venue, symbol, timeframeMs };
  const now = await history.now();
  const wanted = closedPart(request.range(now), timeframeMs, now);
  return new Download(request, series, wanted, now).run();
}

/** Whole bars of the range that are closed. Of a range without any an empty one. */
function closedPart({ fromMs, toMs }: Span, timeframeMs: TimeMs, now: TimeMs): Span {
  const up = (at: TimeMs): TimeMs => openOfBar(at + timeframeMs - 1, timeframeMs);
  const from = up(fromMs);
  return { fromMs: from, toMs: Math.max(from, Math.min(up(toMs), openOfBar(now, timeframeMs))) };
}

class Download {
  readonly #request: SeriesDownload;
  readonly #series: SeriesId;
  readonly #wanted: Span;
  readonly #now: TimeMs;
  readonly #voidsPath: string;
  /** Spans that are still to be asked for. */
  readonly #open: Span[] = [];
  #voids: Span[] = [];
  /** Answered and not stored yet, in the order in which they came. */
  #rows: BarRow[] = [];
  #storedAt: number;
  #storing: Promise<void> = Promise.resolve();
  #pages = 0;
  #doneMs = 0;
  #totalMs = 0;
  #hasFailed = false;
  readonly #merged = { added: 0, unchanged: 0, corrected: 0 };

  constructor(request: SeriesDownload, series: SeriesId, wanted: Span, now: TimeMs) {
    this.#request = request;
    this.#series = series;
    this.#wanted = wanted;
    this.#now = now;
    this.#voidsPath = join(request.store.root, seriesFolder(series), VOIDS_FILE);
    this.#storedAt = request.timers.now();
  }

  async run(): Promise<DownloadReport> {
    const { history, timeframeMs, signal } = this.#request;
    const known = readVoids(this.#voidsPath);
    this.#voids = [...known];
    const missing = without(await this.#unstored(), known);
    let failures: unknown[] = [];
    try {
      const asked = await this.#withoutUnlisted(missing);
      this.#totalMs = lengthMs(missing);
      this.#doneMs = this.#totalMs - lengthMs(asked);
      this.#open.push(...cut(this.#withOverlap(asked), history.pageBars * timeframeMs));
      const ends = await Promise.allSettled(Array.from({ length: PAGES_AT_ONCE }, () => this.#work()));
      failures = ends.filter((end) => end.status === 'rejected').map(({ reason }) => reason as unknown);
    } catch (error) {
      failures = [error];
    }
    // Whatever happened: what is complete is kept.
    await this.#store();
    if (lengthMs(without(this.#voids, known)) > 0) await this.#keepVoids();
    // An end that was asked for is no failure.
    if (failures.length > 0 && !signal.aborted) throw failures[0];
    return this.#report(await this.#unstored());
  }

  #report(unstored: readonly Span[]): DownloadReport {
    const { timeframeMs } = this.#request;
    const { fromMs, toMs } = this.#wanted;
    const bars = (spans: readonly Span[]): number => lengthMs(spans) / timeframeMs;
    const missing = without(unstored, this.#voids);
    const absent = without(unstored, missing);
    if (lengthMs(absent) === toMs - fromMs) throw this.#empty('no bar', 'bars: the symbol may have been listed later, or be gone');
    return { ...this.#merged, fromMs, toMs, pages: this.#pages, voidBars: bars(absent), missingBars: bars(missing) };
  }

  /** The wanted range has nothing. */
  #empty(found: string, expected: string): BallastError {
    const { history, symbol, timeframeMs } = this.#request;
    const { fromMs, toMs } = this.#wanted;
    return new BallastError({
      code: 'DOWNLOAD_EMPTY',
      place: `${history.venue} ${symbol} ${formatSpan(timeframeMs)}`,
      found: `${found} from ${formatTime(fromMs)} to ${formatTime(toMs)}, at ${formatTime(this.#now)} of the venue`,
      expected,
      remedy: 'ask for another range',
      exitCode: 2,
    });
  }

  /** What of the wanted is not stored. */
  async #unstored(): Promise<Span[]> {
    const { store, timeframeMs } = this.#request;
    const { fromMs, toMs } = this.#wanted;
    if (fromMs >= toMs) throw this.#empty('no closed bar', 'a range with at least one');
    const gaps: Span[] = [];
    let next = fromMs;
    try {
      for await (const { openAt } of store.stream({ ...this.#series, fromMs, toMs }, CHUNK_ROWS)) {
        for (const at of openAt) {
          if (at > next) gaps.push({ fromMs: next, toMs: at });
          next = at + timeframeMs;
        }
      }
    } catch (error) {
      // Nothing of it is stored yet.
      if (!(error instanceof BallastError) || error.code !== 'SERIES_UNKNOWN') throw error;
    }
    return joined([...gaps, { fromMs: next, toMs }]);
  }

  /** Leaves out, of the long spans, the days before the first and after the last that has a bar. */
  async #withoutUnlisted(missing: readonly Span[]): Promise<Span[]> {
    const { history, timeframeMs } = this.#request;
    for (const span of missing) {
      if (timeframeMs >= DAY_MS || span.toMs - span.fromMs <= LONG_PAGES * history.pageBars * timeframeMs) continue;
      const days = await this.#days(span);
      const first = days[0];
      // Today's day may not be there yet.
      const lastMs = (days.at(-1) ?? NaN) + 2 * DAY_MS;
      this.#addVoid({ fromMs: span.fromMs, toMs: Math.min(span.toMs, first ?? Infinity) });
      this.#addVoid({ fromMs: Math.max(span.fromMs, lastMs), toMs: span.toMs });
    }
    return without(missing, this.#voids);
  }

  /** The days on which the venue has bars. */
  async #days({ fromMs, toMs }: Span): Promise<TimeMs[]> {
    const { history, symbol } = this.#request;
    const days: TimeMs[] = [];
    const whole = { fromMs: openOfBar(fromMs, DAY_MS), toMs: openOfBar(toMs + DAY_MS - 1, DAY_MS) };
    for (const part of cut([whole], history.pageBars * DAY_MS)) {
      for (const [openAt] of await this.#ask({ symbol, timeframeMs: DAY_MS, ...part })) days.push(openAt);
    }
    return days;
  }

  #withOverlap(spans: readonly Span[]): Span[] {
    const { timeframeMs } = this.#request;
    const tail = spans.at(-1);
    if (tail === undefined || tail.toMs !== this.#wanted.toMs) return [...spans];
    const fromMs = Math.max(this.#wanted.fromMs, tail.fromMs - OVERLAP_BARS * timeframeMs);
    // Where nothing is stored before it, there is nothing to correct.
    return joined([...spans, ...without([{ fromMs, toMs: tail.toMs }], this.#voids)]);
  }

  /** One of those who ask for pages: takes the next span that is open until there is none. */
  async #work(): Promise<void> {
    const { signal, timers } = this.#request;
    for (let span = this.#open.shift(); span !== undefined && !this.#hasFailed && !signal.aborted; span = this.#open.shift()) {
      try {
        await this.#fill(span);
        if (this.#rows.length >= STORE_BARS || timers.now() - this.#storedAt >= STORE_EVERY_MS) await this.#store();
      } catch (error) {
        this.#hasFailed = true;
        throw error;
      }
    }
  }

  async #fill(span: Span): Promise<void> {
    const { symbol, timeframeMs } = this.#request;
    const rows = await this.#ask({ symbol, timeframeMs, ...span });
    const first = rows[0];
    const last = rows.at(-1);
    if (first === undefined || last === undefined) {
      this.#addVoid(span);
      this.#progress(span);
      return;
    }
    for (const row of rows) this.#rows.push(row);
    const answered = { fromMs: first[0], toMs: last[0] + timeframeMs };
    // Between two bars of one answer nothing was left out. Before the first and after the last it may have been cut.
    let next = answered.fromMs;
    for (const [at] of rows) {
      this.#addVoid({ fromMs: next, toMs: at });
      next = at + timeframeMs;
    }
    this.#progress(answered);
    this.#open.unshift(...without([span], [answered]));
  }

  /** In order, each bar once, none of outside the page. An empty answer is believed when it is given twice. */
  async #ask(page: Parameters<VenueHistory['page']>[0]): Promise<BarRow[]> {
    for (let attempt = 1; ; attempt++) {
      this.#pages++;
      const rows = this.#judged(await this.#request.history.page(page), page);
      if (rows.length > 0 || attempt === 2) return rows;
    }
  }

  /** @throws BallastError VENUE_ANSWER_MALFORMED */
  #judged(rows: readonly BarRow[], { symbol, timeframeMs, fromMs, toMs }: Parameters<VenueHistory['page']>[0]): BarRow[] {
    const inside = rows.filter(([openAt]) => !(openAt < fromMs) && !(openAt >= toMs)).toSorted(([one], [other]) => one - other);
    const result: BarRow[] = [];
    for (const row of inside) {
      const [openAt, open, high, low, close, volume] = row;
      const previous = result.at(-1);
      const fault = isAligned(openAt, timeframeMs)
        ? shapeFault({ open, high, low, close, volume })
        : { found: 'its time', expected: `a multiple of ${formatSpan(timeframeMs)}` };
      const isSaidTwice = previous?.[0] === openAt;
      const contradicts = isSaidTwice && !row.every((value, index) => value === previous[index]);
      if (fault === undefined && !contradicts) {
        if (!isSaidTwice) result.push(row);
        continue;
      }
      throw new BallastError({
        code: 'VENUE_ANSWER_MALFORMED',
        place: `${this.#series.venue} ${symbol} ${formatSpan(timeframeMs)}`,
        found: `${fault?.found ?? 'two bars that differ'} at ${formatTime(openAt)}`,
        expected: fault?.expected ?? 'one bar of one time',
        remedy: 'nothing of this answer was stored; run it again, and report it when it stays',
      });
    }
    return result;
  }

  #addVoid(span: Span): void {
    if (span.fromMs < span.toMs) this.#voids.push(span);
  }

  #progress(done: Span): void {
    const { timeframeMs, onProgress } = this.#request;
    this.#doneMs += done.toMs - done.fromMs;
    onProgress?.({ doneBars: Math.min(this.#doneMs, this.#totalMs) / timeframeMs, bars: this.#totalMs / timeframeMs });
  }

  /** One at a time; those who ask meanwhile wait, so that memory stays bounded. */
  #store(): Promise<void> {
    this.#storing = this.#storing.then(() => this.#storeRows());
    return this.#storing;
  }

  async #storeRows(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#storedAt = this.#request.timers.now();
    if (rows.length === 0) return;
    const bars = columnsOf(rows);
    for (let attempt = 1; ; attempt++) {
      try {
        const { added, unchanged, corrected } = await this.#request.store.merge(this.#series, bars, { correctedAt: this.#storedAt });
        this.#merged.added += added;
        this.#merged.unchanged += unchanged;
        this.#merged.corrected += corrected;
        return;
      } catch (error) {
        const isBusy = error instanceof BallastError && error.code === 'STORE_BUSY';
        if (!isBusy || attempt === BUSY_ATTEMPTS) throw error;
        // Not ended by the signal: what was downloaded is to be stored.
        await this.#request.timers.sleep(BUSY_PAUSE_MS);
      }
    }
  }

  async #keepVoids(): Promise<void> {
    const young = { fromMs: this.#now - SETTLED_MS, toMs: Infinity };
    await writeVoids(this.#voidsPath, without(this.#voids, [young]));
  }
}

/** In order, each time once; of two that are asked for again, the later one. */
function columnsOf(rows: readonly BarRow[]): ReturnType<typeof emptyColumns> {
  const sorted = rows.toSorted(([one], [other]) => one - other);
  const kept = sorted.filter(([openAt], index) => sorted[index + 1]?.[0] !== openAt);
  const bars = emptyColumns(kept.length);
  for (const [place, row] of kept.entries()) for (const [column, name] of COLUMN_NAMES.entries()) bars[name][place] = row[column] ?? NaN;
  return bars;
}
