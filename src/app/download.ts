// Bars from real venues into the store, and what the venues demand of orders: once, as `data download` asks, and round after round, as `data collect` does for what the config lists.
import { BallastError } from '../domain/errors.ts';
import type { Timers } from '../domain/ports.ts';
import { DAY_MS, formatSpan, formatTime, type TimeMs } from '../domain/time.ts';
import { downloadSeries, type DownloadProgress, type DownloadReport } from '../market/history/download.ts';
import { keepFilters } from '../market/history/filters.ts';
import { openStore, type BarStore } from '../market/history/store.ts';
import { openOfBar } from '../market/quality.ts';
import type { ClientId } from '../venues/ccxt/client.ts';
import { openHistory, type ListedHistory } from '../venues/ccxt/history.ts';
import type { Config } from './config.ts';
import { systemTimers } from './system-timers.ts';

/** The last days, or from inclusive, to exclusive; a bound that is left out is now. */
export type DownloadRange = { readonly days: number } | { readonly fromMs: TimeMs; readonly toMs: TimeMs | undefined };

interface Surroundings {
  readonly home: string;
  readonly config: Config;
  readonly signal: AbortSignal;
  readonly onSeries?: ((symbol: string) => void) | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly onNotice: (words: string) => void;
  /** For the tests. */
  readonly timers?: Timers | undefined;
}

export interface DownloadRequest extends Surroundings {
  readonly venue: ClientId;
  readonly symbols: readonly string[];
  readonly timeframeMs: TimeMs;
  readonly range: DownloadRange;
}

/** What became of one series, as it is printed. */
export interface DownloadedSeries {
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  readonly added: number;
  readonly unchanged: number;
  readonly corrected: number;
  readonly pages: number;
  readonly voidBars: number;
  readonly missingBars: number;
}

export interface Downloaded {
  readonly series: readonly DownloadedSeries[];
  /** It was ended before its end; what is complete is stored. */
  readonly isInterrupted: boolean;
}

/**
 * Nothing is asked for before every symbol is known to be listed.
 * @throws BallastError what `openHistory` and `downloadSeries` throw; what was complete before is stored
 */
export async function download(request: DownloadRequest): Promise<Downloaded> {
  const { home, venue, symbols, timeframeMs, range, signal } = request;
  const store = await openStore(home);
  const series: DownloadedSeries[] = [];
  try {
    const history = await historyOf({ venue, symbols, timeframeMs }, request);
    for (const symbol of symbols) history.check(symbol, timeframeMs);
    for (const symbol of symbols) series.push(await oneSeries(store, history, { symbol, timeframeMs, range }, request));
  } catch (error) {
    // Whatever the end that was asked for did to what was on its way.
    if (!signal.aborted) throw error;
  } finally {
    await store.close();
  }
  return { series, isInterrupted: signal.aborted };
}

export interface FailedSeries {
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly error: { readonly code: string; readonly message: string };
}

export interface Round {
  readonly series: readonly DownloadedSeries[];
  readonly failures: readonly FailedSeries[];
}

interface WantedSeries {
  readonly symbol: string;
  readonly timeframeMs: TimeMs;
  readonly range: DownloadRange;
}

/** These say that the venue is not to be had at all, and not only one of its series. */
const WHOLE_VENUE: readonly string[] = ['VENUE_UNREACHABLE', 'VENUE_BUSY'];

/**
 * One round over everything in `data.collect`. A series that cannot be had is told of, and the others go on.
 * @throws BallastError COLLECT_NOTHING when the config lists nothing
 */
export async function collectRound(request: Surroundings): Promise<Round> {
  const { home, config, signal } = request;
  checkCollect(config);
  const series: DownloadedSeries[] = [];
  const failures: FailedSeries[] = [];
  const store = await openStore(home);
  try {
    for (const { venue, symbols, timeframesMs, days } of config.data.collect) {
      const wanted = symbols.flatMap((symbol) => timeframesMs.map((timeframeMs) => ({ symbol, timeframeMs, range: { days } })));
      // Set once the venue itself fails: its other series would wait for nothing.
      let gone: BallastError | undefined;
      let history: ListedHistory | undefined;
      for (const each of wanted) {
        try {
          if (gone !== undefined) throw gone;
          history ??= await historyOf({ venue, symbols }, request);
          history.check(each.symbol, each.timeframeMs);
          series.push(await oneSeries(store, history, each, request));
        } catch (error) {
          if (signal.aborted) return { series, failures };
          if (!(error instanceof BallastError)) throw error;
          if (WHOLE_VENUE.includes(error.code)) gone = error;
          const { code, message } = error;
          failures.push({ venue, symbol: each.symbol, timeframe: formatSpan(each.timeframeMs), error: { code, message } });
        }
      }
    }
  } finally {
    await store.close();
  }
  return { series, failures };
}

/** @throws BallastError COLLECT_NOTHING */
export function checkCollect(config: Config): void {
  if (config.data.collect.length > 0) return;
  throw new BallastError({
    code: 'COLLECT_NOTHING',
    place: 'data.collect of the config',
    found: 'an empty list',
    expected: 'at least one venue with its symbols',
    remedy: 'for example: data: { collect: [{ venue: bybit, symbols: [BTC/USDT:USDT] }] }',
    exitCode: 2,
  });
}

export interface CollectRequest extends Surroundings {
  /** From the beginning of a round to that of the next; at once when a round takes longer. */
  readonly everyMs: TimeMs;
  readonly onBegin?: (() => void) | undefined;
  readonly onRound: (round: Round) => void;
}

/** Rounds until the signal ends it. @returns how many */
export async function collect(request: CollectRequest): Promise<number> {
  const { timers = systemTimers, signal, everyMs, onBegin, onRound } = request;
  checkCollect(request.config);
  let rounds = 0;
  while (!signal.aborted) {
    const dueAt = timers.now() + everyMs;
    onBegin?.();
    onRound(await collectRound(request));
    rounds++;
    const pauseMs = Math.max(0, dueAt - timers.now());
    await timers.sleep(pauseMs, signal).catch((error: unknown) => {
      // The end that is waited for.
      if (!signal.aborted) throw error;
    });
  }
  return rounds;
}

async function historyOf(
  wanted: { readonly venue: ClientId; readonly symbols: readonly string[]; readonly timeframeMs?: TimeMs },
  request: Surroundings,
): Promise<ListedHistory> {
  const { config, signal, onNotice, timers = systemTimers } = request;
  return openHistory({ ...wanted, address: config.data.addresses[wanted.venue] ?? undefined, timers, signal, onNotice });
}

async function oneSeries(
  store: BarStore,
  history: ListedHistory,
  { symbol, timeframeMs, range }: WantedSeries,
  { home, timers = systemTimers, signal, onSeries, onProgress, onNotice }: Surroundings,
): Promise<DownloadedSeries> {
  onSeries?.(symbol);
  const before = await keepFilters(home, { venue: history.venue, symbol }, history.filters(symbol), () => history.now());
  if (typeof before === 'object') {
    onNotice(`${history.venue} demands something else of orders of ${symbol} than on ${formatTime(before.fromMs)}: ballast data ls`);
  }
  const report = await downloadSeries({
    store,
    history,
    timers,
    symbol,
    timeframeMs,
    range(now) {
      if (!('days' in range)) return { fromMs: range.fromMs, toMs: range.toMs ?? now };
      // Whole days of bars, up to the last that is closed.
      const toMs = openOfBar(now, timeframeMs);
      return { fromMs: toMs - range.days * DAY_MS, toMs };
    },
    signal,
    onProgress,
  });
  return written(history.venue, symbol, timeframeMs, report);
}

function written(venue: string, symbol: string, timeframeMs: TimeMs, { fromMs, toMs, ...counts }: DownloadReport): DownloadedSeries {
  return { venue, symbol, timeframe: formatSpan(timeframeMs), from: formatTime(fromMs), to: formatTime(toMs), ...counts };
}
