import { DAY_MS } from '../../domain/time.ts';
import { defineCommand, defaulted, optional, required, type Outcome } from '../definition.ts';
import { listenForEnd } from '../ending.ts';
import { Progress } from '../progress.ts';
import { printable, table } from '../terminal.ts';
import * as values from '../values.ts';
import type { Downloaded, DownloadedSeries, DownloadRange } from '../../app/download.ts';

const DEFAULT_DAYS = 90;

export const dataDownload = defineCommand({
  about:
    'Brings stored bars up to what a venue has: asks for the missing head, tail and holes alone, and stores what is complete as it goes.',
  details: [
    'Public data: no key is needed. Only bars that are closed by the clock of the venue are stored. Ended by Ctrl-C, a failure or a kill, the next run goes on where it was. What the venue has corrected among the last bars replaces what is stored, and is counted.',
    'The limits of the venue are kept, with half of them left to other programs; a pause that it asks for is waited for.',
  ],
  flags: {
    venue: required('--venue <name>', 'bybit or binance', values.oneOf('bybit', 'binance')),
    symbols: required('--symbols <symbols>', 'such as BTC/USDT,ETH/USDT:USDT: spot, and the linear perpetual', values.symbols),
    timeframe: defaulted('--timeframe <span>', 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe, '1m'),
    days: optional(
      '--days <number>',
      `the last days (${DEFAULT_DAYS} when no range is named)`,
      values.wholeNumber({ least: 1, most: 10_000 }),
    ),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive (default: now)', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
  },
  examples: [
    'ballast data download --venue bybit --symbols BTC/USDT:USDT,ETH/USDT:USDT --timeframe 1m --days 90',
    'ballast data download --venue binance --symbols BTC/USDT --timeframe 1h --from 2021-01-01 --to 2023-01-01 --json',
  ],
  async run({ flags }, { home, configFile, terminal }) {
    const range = rangeOf(flags);
    const { loadConfig } = await import('../../app/config.ts');
    const { download } = await import('../../app/download.ts');
    const config = loadConfig({ home, file: configFile });
    let progress: Progress | undefined;
    const say = (words: string): void => {
      progress?.end();
      terminal.stderr.write(`${printable(words)}\n`);
    };
    const ending = listenForEnd(
      (by) => say(`${by}: storing what is complete; a second signal does not wait`),
      () => progress?.end(),
    );
    try {
      const result = await download({
        home,
        config,
        venue: flags.venue,
        symbols: flags.symbols,
        timeframeMs: flags.timeframe,
        range,
        signal: ending.signal,
        onNotice: say,
        onSeries(symbol) {
          progress?.end();
          progress = new Progress(terminal.stderr, symbol);
        },
        onProgress: ({ doneBars, bars }) => progress?.update(doneBars, bars),
      });
      progress?.end();
      return outcomeOf(result);
    } finally {
      progress?.end();
      ending.release();
    }
  },
});

/** @throws BallastError ARGUMENT_INVALID */
function rangeOf(flags: Parameters<typeof values.rangeOf>[0] & { readonly days: number | undefined }): DownloadRange {
  const { fromMs, toMs } = values.rangeOf(flags);
  if (fromMs === undefined && toMs === undefined) return { days: flags.days ?? DEFAULT_DAYS };
  if (flags.days !== undefined && fromMs !== undefined) {
    throw values.argumentError('--days', 'a beginning as well', 'either --days or --from');
  }
  if (fromMs !== undefined) return { fromMs, toMs };
  return { fromMs: (toMs ?? NaN) - (flags.days ?? DEFAULT_DAYS) * DAY_MS, toMs };
}

function outcomeOf(result: Downloaded): Outcome {
  const { series, isInterrupted } = result;
  const words = isInterrupted ? ['ended before its end: what is complete is stored, and the next run goes on from there'] : [];
  // Whoever chains commands must not go on with half of the bars.
  return {
    exitCode: isInterrupted ? 1 : 0,
    document: result,
    text: [...(series.length > 0 ? [seriesTable(series)] : []), ...words].join('\n'),
  };
}

function seriesTable(series: readonly DownloadedSeries[]): string {
  const head = ['venue', 'symbol', 'bars', 'from', 'to', 'new', 'unchanged', 'corrected', 'not there', 'missing'];
  const rows = series.map((each) => [
    each.venue,
    each.symbol,
    each.timeframe,
    each.from,
    each.to,
    ...[each.added, each.unchanged, each.corrected, each.voidBars, each.missingBars].map(String),
  ]);
  return table(head, rows, [5, 6, 7, 8, 9]);
}
