import { formatSpan, formatTime } from '../../domain/time.ts';
import { kindParser } from '../data-kinds.ts';
import { defineCommand, done, optional, required } from '../definition.ts';
import type { ExportReport } from '../../market/history/export.ts';
import type { Terminal } from '../terminal.ts';
import * as values from '../values.ts';

const TIMEFRAME = '--timeframe <span>';

export const dataExport = defineCommand({
  about: 'Writes what is stored as CSV, numbers in the shortest text that reads back the same.',
  details: [
    'Without --out it goes to stdout. From is inclusive, to exclusive: on the open time of bars, and on the time at which everything else was known. Times of bars are written in ISO-8601 UTC, all others in UTC milliseconds, because they have fractions.',
  ],
  flags: {
    symbol: required('--symbol <symbol>', 'such as BTC/USDT', values.subject),
    timeframe: optional(TIMEFRAME, 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe),
    kind: optional('--kind <name>', 'trades, funding, …; left out, bars', kindParser),
    venue: optional('--venue <name>', 'whose; may be left out when one stored venue has it', values.word),
    from: optional('--from <time>', 'the beginning: 2021-01-01, 20210101 or an ISO-8601 time', values.time),
    to: optional('--to <time>', 'end, exclusive', values.time),
    timerange: optional('--timerange <range>', 'both at once: 20210101-20230101', values.timeRange),
    out: optional('--out <file>', 'instead of stdout; it appears whole or not at all', values.word),
  },
  examples: [
    'ballast data export --symbol BTC/USDT --timeframe 1h --from 2021-01-01 --to 2021-02-01 --out january.csv',
    'ballast data export --kind funding --symbol BTC/USDT:USDT --out funding.csv',
  ],
  async run({ flags }, { home, isJson, terminal }) {
    const { symbol, out, kind = 'bars' } = flags;
    if (isJson && out === undefined) {
      throw values.argumentError('--json', 'no --out', 'a file for the rows: stdout is for the document');
    }
    const range = values.rangeOf(flags);
    const to = out ?? terminal.stdoutStream;
    const { exportBars, exportRecords } = await import('../../market/history/export.ts');
    if (kind !== 'bars') {
      const { openRecords } = await import('../../market/history/record-store.ts');
      const store = await openRecords(home);
      try {
        const venue = store.resolve({ kind, symbol, venue: flags.venue });
        const report = await exportRecords({ store, kind, venue, symbol, ...range, to });
        return outcome({ kind, venue, symbol, timeframe: null }, report, out, terminal);
      } finally {
        await store.close();
      }
    }
    values.symbol(symbol, '--symbol');
    const timeframeMs = values.needed(flags.timeframe, TIMEFRAME, 'length of the bars: 1m, 15m, 1h, 1d');
    const { openStore } = await import('../../market/history/store.ts');
    const store = await openStore(home);
    try {
      const venue = store.resolve({ symbol, venue: flags.venue, timeframeMs });
      const report = await exportBars({ store, venue, symbol, timeframeMs, ...range, to });
      return outcome({ kind, venue, symbol, timeframe: formatSpan(timeframeMs) }, report, out, terminal);
    } finally {
      await store.close();
    }
  },
});

interface Exported {
  readonly kind: string;
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string | null;
}

function outcome(
  series: Exported,
  { rows, fromMs, toMs }: ExportReport,
  out: string | undefined,
  terminal: Terminal,
): ReturnType<typeof done> {
  const document = {
    ...series,
    rows,
    from: fromMs === undefined ? null : formatTime(fromMs),
    to: toMs === undefined ? null : formatTime(toMs),
    file: out ?? null,
  };
  const noun = series.kind === 'bars' ? 'bars' : `rows of ${series.kind}`;
  const words = rows === 0 ? `no ${noun} in this range` : `${rows} ${noun}, ${document.from} to ${document.to}`;
  if (out !== undefined) return done(document, `${words}, in ${out}`);
  // A reader who has seen enough (`| head`) does not want to hear how much there was.
  if (!terminal.stdout.isGone) terminal.stderr.write(`${words}\n`);
  return done(document, '');
}
