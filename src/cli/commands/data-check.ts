import { BallastError } from '../../domain/errors.ts';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { FindingKind, Inspection } from '../../market/history/inspection.ts';
import type { RecordFindingKind, RecordInspection } from '../../market/history/record-inspection.ts';
import type { StoredRecords } from '../../market/history/record-store.ts';
import type { StoredSeries } from '../../market/history/store.ts';
import { kindParser, type Kind } from '../data-kinds.ts';
import { defineCommand, done, optional } from '../definition.ts';
import { Progress } from '../progress.ts';
import { table } from '../terminal.ts';
import * as values from '../values.ts';

/** Rows of a chunk: a few megabytes, whatever the length of the history. */
const CHUNK_ROWS = 65_536;
/** Findings shown of each series; `--json` has all of them. */
const SHOWN = 5;

export const dataCheck = defineCommand({
  about: 'Looks through what is stored for what a backtest would stumble over, and gives each series a quality from 0 to 1.',
  details: [
    'Of bars: holes, bars without trade, malformed bars, spikes, breaks between neighbours, and another coin under the same symbol. Quality is the share of sound bars among all that should be there; two coins under one symbol have none.',
    'Of the rest: what is missing from a series with a rhythm (funding, open interest, marks, metrics) or a numbering (trades), books whose changes do not follow on, crossed prices, expired options, rows that were known before they happened or are there twice. Quality is (expected - missing - unsound) / expected, of times, numbers, messages or rows.',
    'Findings are no failure: it exits 0. Nothing is changed.',
  ],
  flags: {
    kind: optional('--kind <name>', 'only bars, only trades, …', kindParser),
    symbol: optional('--symbol <symbol>', 'only this one, such as BTC/USDT', values.subject),
    timeframe: optional('--timeframe <span>', 'only bars of this length: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional('--venue <name>', 'only those of this venue', values.word),
  },
  examples: ['ballast data check', 'ballast data check --symbol LUNA/USDT --json', 'ballast data check --kind funding'],
  async run({ flags }, { home, terminal }) {
    const { openStore } = await import('../../market/history/store.ts');
    const { openRecords } = await import('../../market/history/record-store.ts');
    const { Inspector } = await import('../../market/history/inspection.ts');
    const { inspectRecords } = await import('../../market/history/record-inspection.ts');
    const store = await openStore(home);
    const records = await openRecords(home);
    const progress = new Progress(terminal.stderr, 'checking');
    try {
      // Footers of thousands of months are read only where they may be meant.
      const allBars = (flags.kind ?? 'bars') === 'bars' ? await store.list() : [];
      const allRecords = flags.kind === 'bars' || flags.timeframe !== undefined ? [] : await records.list(flags.kind);
      const isChosen = (kind: Kind, { venue, symbol }: { readonly venue: string; readonly symbol: string }): boolean =>
        (flags.kind ?? kind) === kind && (flags.symbol ?? symbol) === symbol && (flags.venue ?? venue) === venue;
      const bars = allBars.filter((series) => isChosen('bars', series) && (flags.timeframe ?? series.timeframeMs) === series.timeframeMs);
      const others = allRecords.filter((series) => isChosen(series.kind, series));
      if (bars.length + others.length === 0) throw nothingToCheck(records.root, flags.kind, allBars.length + allRecords.length === 0);
      const total = [...bars, ...others].reduce((rows, series) => rows + series.rows, 0);
      let seen = 0;
      const advance = (rows: number): void => {
        seen += rows;
        progress.update(seen, total);
      };
      const document: Checked[] = [];
      for (const series of bars) {
        const { venue, symbol, timeframeMs } = series;
        const inspector = new Inspector(timeframeMs);
        for await (const chunk of store.stream({ venue, symbol, timeframeMs }, CHUNK_ROWS)) {
          inspector.add(chunk);
          advance(chunk.openAt.length);
        }
        document.push(checkedBars(series, inspector.result()));
      }
      for (const series of others) document.push(checkedRecords(series, await inspectRecords(records, series, advance)));
      progress.end();
      return done(document, textOf(document));
    } finally {
      progress.end();
      await store.close();
      await records.close();
    }
  },
});

interface Identity {
  readonly venue: string;
  readonly symbol: string;
  readonly from: string;
  readonly to: string;
  /** Rows that a later import replaced. */
  readonly corrections: number;
}

interface CheckedBars extends Identity, Omit<Inspection, 'findings'> {
  readonly kind: 'bars';
  readonly timeframe: string;
  readonly findings: readonly { readonly kind: FindingKind; readonly from: string; readonly bars: number; readonly words: string }[];
}

interface CheckedRecords extends Identity, Omit<RecordInspection, 'findings' | 'intervalMs'> {
  readonly kind: StoredRecords['kind'];
  readonly intervalMs: number | null;
  readonly findings: readonly {
    readonly kind: RecordFindingKind;
    readonly from: string | null;
    readonly count: number;
    readonly words: string;
  }[];
}

type Checked = CheckedBars | CheckedRecords;

function checkedBars({ venue, symbol, timeframeMs, fromMs, toMs, corrections }: StoredSeries, inspection: Inspection): CheckedBars {
  const { findings, ...counts } = inspection;
  return {
    kind: 'bars',
    venue,
    symbol,
    timeframe: formatSpan(timeframeMs),
    from: formatTime(fromMs),
    to: formatTime(toMs),
    corrections,
    ...counts,
    findings: findings.map(({ kind, fromMs: from, bars, words }) => ({ kind, from: formatTime(from), bars, words })),
  };
}

function checkedRecords(
  { kind, venue, symbol, firstMs, lastMs, corrections }: StoredRecords,
  inspection: RecordInspection,
): CheckedRecords {
  const { findings, intervalMs, ...counts } = inspection;
  return {
    kind,
    venue,
    symbol,
    from: formatTime(firstMs),
    to: formatTime(lastMs),
    corrections,
    intervalMs: intervalMs ?? null,
    ...counts,
    findings: findings.map(({ fromMs, ...finding }) => ({ ...finding, from: Number.isNaN(fromMs) ? null : formatTime(fromMs) })),
  };
}

function nothingToCheck(root: string, kind: Kind | undefined, isEmpty: boolean): BallastError {
  return new BallastError({
    code: 'SERIES_UNKNOWN',
    place: 'data check',
    found: isEmpty ? `no ${kind ?? 'data'} at all under ${root}` : 'no such series',
    expected: isEmpty ? 'an imported history' : 'stored ones: ballast data ls lists them',
    remedy: isEmpty ? 'import some: ballast data import FILE …' : 'name one of them, or none for all',
    exitCode: 2,
  });
}

function textOf(document: readonly Checked[]): string {
  const bars = document.filter((each) => each.kind === 'bars');
  const others = document.filter((each) => each.kind !== 'bars');
  return [...(bars.length > 0 ? [barTable(bars)] : []), ...(others.length > 0 ? [recordTable(others)] : [])].join('\n\n');
}

function barTable(document: readonly CheckedBars[]): string {
  const head = ['venue', 'symbol', 'bars', 'rows', 'holes', 'missing', 'no volume', 'flat', 'wrong', 'coins', 'quality'];
  const rows = document.map((each) => [
    each.venue,
    each.symbol,
    each.timeframe,
    ...[each.rows, each.holes, each.missingBars, each.zeroVolumeBars, each.flatBars].map(String),
    String(each.malformedBars + each.spikes + each.breaks + each.disorderedBars),
    String(each.coins),
    quality(each.qualityRatio),
  ]);
  const details = document.flatMap(({ venue, symbol, timeframe, findings }) => {
    if (findings.length === 0) return [];
    // What is wrong before what is missing, the largest first.
    const worst = findings.toSorted((one, other) => rank(one.kind) - rank(other.kind) || other.bars - one.bars).slice(0, SHOWN);
    return [
      `\n${venue} ${symbol} ${timeframe}`,
      ...worst.map(({ kind, from, bars, words }) => `  ${from}  ${kind}${bars > 1 && kind !== 'hole' ? `, ${bars} bars` : ''}: ${words}`),
      ...andMore(findings.length - worst.length),
    ];
  });
  return [table(head, rows, [3, 4, 5, 6, 7, 8, 9, 10]), ...details].join('\n');
}

function recordTable(document: readonly CheckedRecords[]): string {
  const head = ['kind', 'venue', 'symbol', 'every', 'rows', 'holes', 'missing', 'wrong', 'restated', 'quality'];
  const rows = document.map((each) => [
    each.kind,
    each.venue,
    each.symbol,
    each.intervalMs === null ? '' : formatSpan(each.intervalMs),
    ...[each.rows, each.holes, each.missing].map(String),
    String(each.duplicates + each.earlyRows + each.disorderedRows + each.chainBreaks + each.crossedRows + each.expiredRows),
    String(each.restatedRows),
    quality(each.qualityRatio),
  ]);
  const details = document.flatMap(({ kind, venue, symbol, findings }) => {
    if (findings.length === 0) return [];
    const isLack = (found: RecordFindingKind): boolean => found === 'hole' || found === 'blank';
    const worst = findings.toSorted((one, other) => Number(isLack(one.kind)) - Number(isLack(other.kind)) || other.count - one.count);
    return [
      `\n${kind} ${venue} ${symbol}`,
      ...worst.slice(0, SHOWN).map((each) => {
        return `  ${each.from ?? 'anywhere'}  ${each.kind}${each.count > 1 && each.kind !== 'hole' ? `, ${each.count} rows` : ''}: ${each.words}`;
      }),
      ...andMore(findings.length - SHOWN),
    ];
  });
  return [table(head, rows, [4, 5, 6, 7, 8, 9]), ...details].join('\n');
}

function andMore(rest: number): string[] {
  return rest > 0 ? [`  and ${rest} more: --json has all of them`] : [];
}

/** Down, so that only a series without a finding is whole. */
function quality(ratio: number): string {
  return (Math.floor(ratio * 10_000) / 10_000).toFixed(4);
}

const ORDER: readonly FindingKind[] = ['another-coin', 'disorder', 'malformed', 'spike', 'break', 'hole', 'flat'];

function rank(kind: FindingKind): number {
  return ORDER.indexOf(kind);
}
