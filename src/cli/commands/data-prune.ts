import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import { kindParser } from '../data-kinds.ts';
import { defineCommand, done, optional, required, toggle } from '../definition.ts';
import { table } from '../terminal.ts';
import * as values from '../values.ts';

export const dataPrune = defineCommand({
  about: 'Removes what is older than you keep: the months of a series that had ended by then. What was corrected in them stays.',
  details: ['A month goes whole, so that up to a month more than asked for is kept. Without a filter it means every series of every kind.'],
  flags: {
    keep: required('--keep <span>', 'how much to keep, counted back from now: 365d, 52w', values.span),
    dryRun: toggle('--dry-run', 'only says what would go'),
    kind: optional('--kind <name>', 'only bars, only trades, …', kindParser),
    symbol: optional('--symbol <symbol>', 'only this one, such as BTC/USDT', values.subject),
    timeframe: optional('--timeframe <span>', 'only bars of this length: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'only those of this venue', values.word),
  },
  examples: ['ballast data prune --keep 365d --dry-run', 'ballast data prune --keep 90d --kind book-delta'],
  async run({ flags }, { home }) {
    const { openStore } = await import('../../market/history/store.ts');
    const { openRecords } = await import('../../market/history/record-store.ts');
    const beforeMs = Date.now() - flags.keep;
    const store = await openStore(home);
    const records = await openRecords(home);
    try {
      const isChosen = (kind: string, { venue, symbol }: { readonly venue: string; readonly symbol: string }): boolean =>
        (flags.kind ?? kind) === kind && (flags.symbol ?? symbol) === symbol && (flags.venue ?? venue) === venue;
      const pruned: Pruned[] = [];
      let found = 0;
      for (const series of await store.list()) {
        if (!isChosen('bars', series) || (flags.timeframe ?? series.timeframeMs) !== series.timeframeMs) continue;
        found += 1;
        const { venue, symbol, timeframeMs } = series;
        const months = await store.prune({ venue, symbol, timeframeMs }, beforeMs, flags.dryRun);
        if (months.length > 0) pruned.push({ kind: 'bars', venue, symbol, timeframe: formatSpan(timeframeMs), months });
      }
      for (const series of flags.timeframe === undefined ? await records.list() : []) {
        if (!isChosen(series.kind, series)) continue;
        found += 1;
        const { kind, venue, symbol } = series;
        const months = await records.prune({ kind, venue, symbol }, beforeMs, flags.dryRun);
        if (months.length > 0) pruned.push({ kind, venue, symbol, timeframe: null, months });
      }
      if (found === 0) {
        throw new BallastError({
          code: 'SERIES_UNKNOWN',
          place: 'data prune',
          found: `no such series under ${records.root}`,
          expected: 'stored ones: ballast data ls lists them',
          exitCode: 2,
        });
      }
      const document = { before: formatTime(beforeMs), isDryRun: flags.dryRun, series: pruned };
      return done(document, textOf(document.before, flags.dryRun, pruned));
    } finally {
      await store.close();
      await records.close();
    }
  },
});

interface Pruned {
  readonly kind: string;
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe: string | null;
  /** Oldest first: `2021-01`. */
  readonly months: readonly string[];
}

function textOf(before: string, isDryRun: boolean, pruned: readonly Pruned[]): string {
  if (pruned.length === 0) return `no month ended before ${before}`;
  const rows = pruned.map(({ kind, venue, symbol, timeframe, months }) => {
    return [kind, venue, symbol, timeframe ?? '', months[0] ?? '', months.at(-1) ?? '', String(months.length)];
  });
  const verb = isDryRun ? 'would go' : 'went';
  return `${table(['kind', 'venue', 'symbol', 'bars', 'first', 'last', 'months'], rows, [6])}\nended before ${before}: ${verb}`;
}
