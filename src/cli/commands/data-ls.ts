import { formatSpan, formatTime } from '../../domain/time.ts';
import type { StoredRecords } from '../../market/history/record-store.ts';
import type { StoredSeries } from '../../market/history/store.ts';
import { kindParser, type Kind } from '../data-kinds.ts';
import { defineCommand, done, optional } from '../definition.ts';
import { table } from '../terminal.ts';

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

export const dataLs = defineCommand({
  about:
    'Lists what is stored: whose, which, from when to when, how many, how many bars are missing between the first and the last, and how many rows a later import corrected.',
  flags: { kind: optional('--kind <name>', 'only bars, only trades, …', kindParser) },
  examples: ['ballast data ls', 'ballast data ls --kind bars --json'],
  async run({ flags }, { home }) {
    const { openStore } = await import('../../market/history/store.ts');
    const { openRecords } = await import('../../market/history/record-store.ts');
    const store = await openStore(home);
    const records = await openRecords(home);
    try {
      const bars = flags.kind === undefined || flags.kind === 'bars' ? (await store.list()).map(ofBars) : [];
      const others = flags.kind === 'bars' ? [] : (await records.list(flags.kind)).map(ofRecords);
      const document = [...bars, ...others];
      if (document.length === 0) {
        const what = flags.kind ?? 'data';
        return done(document, `no ${what} under ${records.root}; import some: ballast data import FILE …`);
      }
      return done(document, table(HEAD, document.map(rowOf), [6, 7, 8]));
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
