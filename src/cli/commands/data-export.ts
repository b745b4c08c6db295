import { formatSpan, formatTime } from '../../domain/time.ts';
import { defineCommand, done, optional, required } from '../definition.ts';
import * as values from '../values.ts';

export const dataExport = defineCommand({
  about: 'Writes stored bars as CSV: times in ISO-8601 UTC, numbers in the shortest text that reads back the same.',
  details: ['Without --out the bars go to stdout. From is inclusive, to exclusive, on the open time of bars.'],
  flags: {
    symbol: required('--symbol <symbol>', 'such as BTC/USDT', values.symbol),
    timeframe: required('--timeframe <span>', 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'whose bars; may be left out when one stored venue has them', values.word),
    from: optional('--from <time>', 'first bar: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    out: optional('--out <file>', 'instead of stdout; it appears whole or not at all', values.word),
  },
  examples: ['ballast data export --symbol BTC/USDT --timeframe 1h --from 2021-01-01 --to 2021-02-01 --out january.csv'],
  async run({ flags }, { home, isJson, terminal }) {
    const { symbol, timeframe: timeframeMs, out } = flags;
    if (isJson && out === undefined) {
      throw values.argumentError('--json', 'no --out', 'a file for the bars: stdout is for the document');
    }
    const range = values.rangeOf(flags);
    const { exportBars } = await import('../../market/history/export.ts');
    const { openStore } = await import('../../market/history/store.ts');
    const store = await openStore(home);
    const venue = store.resolve({ symbol, venue: flags.venue, timeframeMs });
    const { rows, fromMs, toMs } = await exportBars({ store, venue, symbol, timeframeMs, ...range, to: out ?? terminal.stdoutStream });
    const document = {
      venue,
      symbol,
      timeframe: formatSpan(timeframeMs),
      rows,
      from: fromMs === undefined ? null : formatTime(fromMs),
      to: toMs === undefined ? null : formatTime(toMs),
      file: out ?? null,
    };
    const words = rows === 0 ? 'no bars in this range' : `${rows} bars, ${document.from} to ${document.to}`;
    if (out === undefined) {
      // A reader who has seen enough (`| head`) does not want to hear how much there was.
      if (!terminal.stdout.isGone) terminal.stderr.write(`${words}\n`);
      return done(document, '');
    }
    return done(document, `${words}, in ${out}`);
  },
});
