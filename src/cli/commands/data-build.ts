import { formatSpan, formatTime } from '../../domain/time.ts';
import { counted } from '../../domain/words.ts';
import { defineCommand, done, optional, required } from '../definition.ts';
import { StagedProgress } from '../staged-progress.ts';
import { table } from '../terminal.ts';
import * as values from '../values.ts';

export const dataBuild = defineCommand({
  about: 'Builds bars out of stored trades and stores them, of each symbol all of them or none.',
  details: [
    'A bar is built where every trade of it is certain to be there: not that of the first trade or of the last, unless --from or --to say that the trades are whole from there or up to there, and none that a missing number of a trade touches. Where trades are numbered one by one, a span without a trade is a bar without volume; where they have other ids, it is no bar.',
    'In the store a bar that was built is like one that was imported: where there is a bar of the same time, the new one wins, and what it replaces is kept and counted as corrected. Building again changes nothing.',
    'Bars of time only. The store is by timeframe and open time, which bars by count, volume or turnover do not have: these are for code (BarBuilder).',
  ],
  flags: {
    symbols: required('--symbols <symbols>', 'such as BTC/USDT,ETH/USDT', values.symbols),
    timeframe: required('--timeframe <span>', 'length of the bars: 1s, 1m, 15m, 1h', values.timeframe),
    venue: optional('--venue <name>', 'whose trades; may be left out when one stored venue has them', values.word),
    from: optional('--from <time>', 'the trades are whole from here on: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'up to here, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
  },
  examples: [
    'ballast data build --symbols BTC/USDT --venue binance --timeframe 1s',
    'ballast data build --symbols BTC/USDT,ETH/USDT --timeframe 1m --timerange 20250101-20250201',
  ],
  async run({ flags }, { home, terminal }) {
    const { symbols, venue, timeframe: timeframeMs } = flags;
    const range = values.rangeOf(flags);
    const { buildBars } = await import('../../market/history/build.ts');
    const { openRecords } = await import('../../market/history/record-store.ts');
    const { openStore } = await import('../../market/history/store.ts');
    const progress = new StagedProgress(terminal, { place: 'data build', whole: 'the trades', nothing: 'no bar was stored' });
    const records = await openRecords(home);
    const bars = await openStore(home);
    const timeframe = formatSpan(timeframeMs);
    const built: Built[] = [];
    try {
      for (const symbol of symbols) {
        try {
          const { fromMs, toMs, ...report } = await buildBars({
            bars,
            records,
            venue,
            symbol,
            timeframeMs,
            ...range,
            builtAt: Date.now(),
            onProgress: (stage, finished, total) => progress.update(`${symbol} ${stage}`, finished, total),
          });
          built.push({ symbol, timeframe, ...report, from: formatTime(fromMs), to: formatTime(toMs) });
        } catch (error) {
          progress.end();
          if (built.length > 0) terminal.stderr.write(`built before it failed:\n${words(built)}\n`);
          throw error;
        }
      }
      progress.end();
      return done(built, words(built));
    } finally {
      progress.release();
      await bars.close();
      await records.close();
    }
  },
});

interface Built {
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string;
  readonly from: string;
  readonly to: string;
  readonly trades: number;
  readonly bars: number;
  readonly emptyBars: number;
  readonly holes: number;
  readonly lateTrades: number;
  readonly added: number;
  readonly unchanged: number;
  readonly corrected: number;
}

function words(built: readonly Built[]): string {
  const head = ['venue', 'symbol', 'bars', 'from', 'to', 'trades', 'built', 'empty', 'new', 'unchanged', 'corrected'];
  const rows = built.map((each) => [
    ...[each.venue, each.symbol, each.timeframe, each.from, each.to],
    ...[each.trades, each.bars, each.emptyBars, each.added, each.unchanged, each.corrected].map(String),
  ]);
  const notes = built.flatMap(({ symbol, holes, lateTrades }) => [
    ...(holes > 0 ? [`${symbol}: ${counted(holes, 'hole')} in the numbers of its trades, whose bars are left out`] : []),
    ...(lateTrades > 0
      ? [`${symbol}: ${counted(lateTrades, 'trade')} came after a trade of a later bar, and ${lateTrades === 1 ? 'is' : 'are'} in none`]
      : []),
  ]);
  return [table(head, rows, [5, 6, 7, 8, 9, 10]), ...notes].join('\n');
}
