import { formatSpan, formatTime } from '../../domain/time.ts';
import { defineCommand, done, optional, required } from '../definition.ts';
import { Progress } from '../progress.ts';
import * as values from '../values.ts';

export const dataImport = defineCommand({
  about: 'Reads bars from CSV or CSV.gz files with a header and merges them into the store, all of them or none.',
  details: [
    'Columns are guessed from the header. Where the store has a bar of the same time, the new one wins and is counted as corrected.',
  ],
  words: [{ spec: '<files...>', about: 'CSV or CSV.gz files; together they are one import' }],
  flags: {
    symbol: required('--symbol <symbol>', 'such as BTC/USDT, or BTC/USDT:USDT for the linear perpetual', values.symbol),
    timeframe: required('--timeframe <span>', 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe),
    venue: required('--venue <name>', 'where the bars come from, such as binance', values.word),
    columns: optional('--columns <names>', 'what the header calls a column: time=open_time,volume=vol', values.word),
  },
  examples: [
    'ballast data import BTCUSDT_1h.csv.gz --symbol BTC/USDT --timeframe 1h --venue binance',
    'ballast data import 2023-*.csv --symbol BTC/USDT --timeframe 1m --venue mine --columns time=Date,volume="Volume BTC"',
  ],
  async run({ flags, words }, { home, terminal }) {
    const { importBars } = await import('../../market/history/import.ts');
    const { openStore } = await import('../../market/history/store.ts');
    const { parseColumnNames } = await import('../../market/history/columns.ts');
    const columns = flags.columns === undefined ? undefined : parseColumnNames(flags.columns);
    const { symbol, venue, timeframe: timeframeMs } = flags;
    let progress = new Progress(terminal.stderr, 'reading');
    let stage = 'reading';
    try {
      const report = await importBars({
        store: await openStore(home),
        files: words,
        venue,
        symbol,
        timeframeMs,
        columns,
        onProgress(step) {
          if (step.stage !== stage) {
            progress.end();
            stage = step.stage;
            progress = new Progress(terminal.stderr, stage);
          }
          progress.update(step.done, step.total);
        },
      });
      progress.end();
      const { rowsRead, added, unchanged, corrected, duplicates, holes, missingBars, fromMs, toMs } = report;
      const document = {
        venue,
        symbol,
        timeframe: formatSpan(timeframeMs),
        rowsRead,
        added,
        unchanged,
        corrected,
        duplicates,
        gaps: holes,
        missingBars,
        from: formatTime(fromMs),
        to: formatTime(toMs),
      };
      const lines = [
        `${venue} ${symbol} ${document.timeframe}: ${document.from} to ${document.to}`,
        `rows ${rowsRead}: new ${added}, unchanged ${unchanged}, corrected ${corrected}${duplicates > 0 ? `, said twice ${duplicates}` : ''}`,
        holes === 0 ? 'gaps none' : `gaps ${holes}, ${missingBars} bars missing`,
      ];
      return done(document, lines.join('\n'));
    } finally {
      progress.end();
    }
  },
});
