import { formatSpan, formatTime } from '../../domain/time.ts';
import type { StoredFilters, writtenFilters } from '../../market/history/filters.ts';
import type { StoredRecords } from '../../market/history/record-store.ts';
import type { StoredSeries } from '../../market/history/store.ts';
import { KINDS, type Kind } from '../data-kinds.ts';
import { defineCommand, done, optional } from '../definition.ts';
import { table } from '../terminal.ts';
import { oneOf } from '../values.ts';

interface Listed {
  readonly kind: Kind;
  readonly venue: string;
  readonly symbol: string;
  /** Null for all but bars. */
  readonly timeframe: string | null;
  readonly from: string;
  readonly to: string;
  readonly rows: number;
  /** Between the first and the last bar; null for all but bars. */
  readonly missingBars: number | null;
  readonly corrections: number;
  /** Of captures: by how much their local times were shifted, in milliseconds. */
  readonly clockOffsetsMs?: readonly number[];
}

/** What a venue demands of orders, since when. */
interface ListedFilters {
  readonly kind: 'instrument';
  readonly venue: string;
  readonly symbol: string;
  /** Oldest first. */
  readonly versions: readonly ReturnType<typeof writtenFilters>[];
}

export const dataLs = defineCommand({
  about:
    'Lists what is stored: whose, which, from when to when, how many, how many bars are missing between the first and the last, and how many rows a later import corrected. Below, what venues demand of orders, since when: a backtest keeps to it, unless without rules.',
  flags: {
    kind: optional('--kind <name>', 'only bars, only trades, …, or only the demands of venues: instrument', oneOf(...KINDS, 'instrument')),
  },
  examples: ['ballast data ls', 'ballast data ls --kind bars --json'],
  async run({ flags }, { home }) {
    const { openStore } = await import('../../market/history/store.ts');
    const { openRecords } = await import('../../market/history/record-store.ts');
    const { listFilters, writtenFilters: write } = await import('../../market/history/filters.ts');
    const store = await openStore(home);
    const records = await openRecords(home);
    const { kind } = flags;
    try {
      const bars = kind === undefined || kind === 'bars' ? (await store.list()).map(ofBars) : [];
      const others = kind === 'bars' || kind === 'instrument' ? [] : (await records.list(kind)).map(ofRecords);
      const filters = kind === undefined || kind === 'instrument' ? listFilters(home).map((each) => ofFilters(each, write)) : [];
      const series = [...bars, ...others];
      const document = [...series, ...filters];
      if (document.length === 0) {
        const what = kind ?? 'data';
        return done(document, `no ${what} under ${records.root}; import some: ballast data import FILE …, or ballast data download`);
      }
      const tables = [table(HEAD, series.map(rowOf), [6, 7, 8]), table(FILTERS_HEAD, filters.flatMap(rowsOf), [3, 4, 5, 6, 7])];
      return done(document, tables.filter((_, index) => (index === 0 ? series : filters).length > 0).join('\n\n'));
    } finally {
      await store.close();
      await records.close();
    }
  },
});

const HEAD = ['kind', 'venue', 'symbol', 'bars', 'from', 'to', 'rows', 'missing', 'corrected'];

function ofBars({ venue, symbol, timeframeMs, fromMs, toMs, rows, corrections }: StoredSeries): Listed {
  return {
    kind: 'bars',
    venue,
    symbol,
    timeframe: formatSpan(timeframeMs),
    from: formatTime(fromMs),
    to: formatTime(toMs),
    rows,
    missingBars: Math.round((toMs - fromMs) / timeframeMs) - rows,
    corrections,
  };
}

function ofRecords({ kind, venue, symbol, firstMs, lastMs, rows, corrections, notes }: StoredRecords): Listed {
  return {
    kind,
    venue,
    symbol,
    timeframe: null,
    from: formatTime(firstMs),
    to: formatTime(lastMs),
    rows,
    missingBars: null,
    corrections,
    ...(notes.captures.length > 0 && { clockOffsetsMs: notes.captures.map(({ clockOffsetMs }) => clockOffsetMs) }),
  };
}

function rowOf(each: Listed): string[] {
  const { kind, venue, symbol, timeframe, from, to, rows, missingBars, corrections } = each;
  return [kind, venue, symbol, timeframe ?? '', from, to, String(rows), String(missingBars ?? ''), String(corrections)];
}

const FILTERS_HEAD = ['venue', 'instrument', 'from', 'tick', 'lot', 'least quantity', 'least notional', 'contract'];

function ofFilters({ venue, symbol, versions }: StoredFilters, write: typeof writtenFilters): ListedFilters {
  return { kind: 'instrument', venue, symbol, versions: versions.map(write) };
}

function rowsOf({ venue, symbol, versions }: ListedFilters): string[][] {
  return versions.map(({ from, tick, lot, minimumQuantity, minimumNotional, contractSize }) => [
    ...[venue, symbol, from, tick, lot, minimumQuantity, minimumNotional],
    String(contractSize),
  ]);
}
