import { basename } from 'node:path';
import { formatSpan, formatTime } from '../../domain/time.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { ImportReport } from '../../market/history/import.ts';
import type { RecordKind } from '../../market/history/kinds.ts';
import type { RecordMergeReport } from '../../market/history/record-store.ts';
import { counted } from '../../domain/words.ts';
import { defaulted, defineCommand, done, optional, type Context } from '../definition.ts';
import { StagedProgress } from '../staged-progress.ts';
import { table } from '../terminal.ts';
import * as values from '../values.ts';
import { seriesOfName, type NameRequest } from '../file-names.ts';
import { FORMATS, KINDS_OF, VENUE_OF, kindParser, type Format } from '../data-kinds.ts';

const VENUE = '--venue <name>';
const TIMEFRAME = '--timeframe <span>';
const SYMBOL = '--symbol <symbol>';
const AUTO = 'auto';

export const dataImport = defineCommand({
  about: 'Reads files of market data, plain, gzipped or zipped, and merges them into the store, all of them or none.',
  details: [
    'Where the store has a row of the same key (a bar of the same time, a trade of the same id), the new one wins, and what it replaces is kept and counted as corrected. Importing a file again changes nothing.',
    'Formats: csv has a header, whose columns are guessed. binance is its public archive (klines, trades, aggTrades, fundingRate, metrics, mark price klines, bookTicker), with a header or none. freqtrade is its JSON and feather. coinmetrics is its CSV of metrics, a day a row. deribit is option chains in CSV, or with --kind option-trades the trades of options. bybit-archive is its public trades and its order books in JSON lines. capture is what was recorded live, with local times; the files of one capture are imported together, because they share a clock, and where that runs early their local times are shifted by what it is behind.',
    'With --symbol auto each file says by its name what it is of, such as BTCUSDT_1h.csv in a folder 1h_spot: files of one series are one import, and a table tells what became what. What a name leaves open is refused before anything is read: spot and perpetual are often called the same, and --market tells them apart.',
    'A row that is dated with a day is known 12 hours after that day has ended, and one with an hour when it says, unless --lag says how long it takes. A metric that differs from what is stored is a restatement: it becomes a version of its own, known from --vintage on, so that a backtest of the time before does not see it.',
  ],
  words: [{ spec: '<files...>', about: 'the files; together they are one import, unless --symbol is auto' }],
  flags: {
    format: defaulted('--format <name>', `one of ${FORMATS.join(', ')}`, values.oneOf(...FORMATS), 'csv'),
    kind: optional('--kind <name>', 'what they hold; left out, bars, or what the format is for', kindParser),
    symbol: optional(
      SYMBOL,
      'such as BTC/USDT, BTC/USDT:USDT for the linear perpetual, or BTC for metrics and options; auto: by the name of each file',
      (text, place) => (text === AUTO ? text : values.subject(text, place)),
    ),
    market: optional('--market <kind>', 'with --symbol auto: spot or linear, where the names do not say', values.oneOf('spot', 'linear')),
    timeframe: optional(TIMEFRAME, 'length of the bars: 1m, 15m, 1h, 1d', values.timeframe),
    venue: optional(VENUE, 'where the data come from, such as binance, or the source of metrics', values.word),
    columns: optional('--columns <names>', 'what the header calls a column: time=open_time,volume=vol', values.word),
    lag: optional('--lag <span>', 'how long after it happened a row was known', values.span),
    vintage: optional('--vintage <time>', 'when the metrics were published (default: now)', values.time),
  },
  examples: [
    'ballast data import BTCUSDT_1h.csv.gz --symbol BTC/USDT --timeframe 1h --venue binance',
    'ballast data import 2023-*.csv --symbol BTC/USDT --timeframe 1m --venue mine --columns time=Date,volume="Volume BTC"',
    'ballast data import 1h_spot/*.csv.gz --symbol auto --venue binance',
    'ballast data import BTCUSDT-trades-2025-01.zip --format binance --kind trades --symbol BTC/USDT',
    'ballast data import btc.csv --format coinmetrics --symbol BTC --vintage 2026-03-23',
  ],
  async run({ flags, words }, context) {
    const kind = flags.kind ?? KINDS_OF[flags.format][0];
    if (!KINDS_OF[flags.format].includes(kind)) {
      throw values.argumentError('--kind', `${kind} with --format ${flags.format}`, `one of ${KINDS_OF[flags.format].join(', ')}`);
    }
    if (flags.format === 'capture' && flags.kind !== undefined) {
      throw values.argumentError('--kind', 'it with --format capture', 'none: the header of each file says what it holds');
    }
    const { timeframe: timeframeMs, lag: lagMs, vintage: vintageMs, market } = flags;
    const given = {
      files: words,
      format: flags.format,
      symbol: values.needed(flags.symbol, SYMBOL, 'such as BTC/USDT, BTC for metrics and options, or auto'),
      venue: values.needed(flags.venue ?? VENUE_OF[flags.format], VENUE, 'where the data come from, such as binance'),
      columns: flags.columns,
      timeframeMs,
      lagMs,
      vintageMs,
    };
    if (market !== undefined && given.symbol !== AUTO) throw values.argumentError('--market', 'it with a symbol', 'it with --symbol auto');
    if (kind === 'bars') {
      for (const [flag, value] of [
        ['--lag', lagMs],
        ['--vintage', vintageMs],
      ] as const) {
        if (value !== undefined) throw values.argumentError(flag, 'it with bars', 'none: a bar is known when it closes');
      }
    } else if (vintageMs !== undefined && kind !== 'metric')
      throw values.argumentError('--vintage', `it with ${kind}`, 'it with metrics only');
    const one = (series: Given): Promise<Imported> =>
      kind === 'bars' ? importBarFiles(series, context) : importRecordFiles({ ...series, kind }, context);
    if (given.symbol !== AUTO) {
      const { documents, text } = await one(given);
      return done(kind === 'bars' ? documents[0] : documents, text);
    }
    return importByName(given, { kind, market, timeframeMs }, one, context);
  },
});

interface Given {
  readonly files: readonly string[];
  readonly format: Format;
  readonly symbol: string;
  readonly venue: string;
  readonly columns: string | undefined;
  readonly timeframeMs: TimeMs | undefined;
  readonly lagMs: TimeMs | undefined;
  readonly vintageMs: TimeMs | undefined;
}

/** What became of files: a document for each series, and the words for all. */
interface Imported {
  readonly documents: readonly ImportedSeries[];
  readonly text: string;
}

interface ImportedSeries {
  readonly kind: string;
  readonly venue: string;
  readonly symbol: string;
  readonly timeframe?: string;
  readonly from: string;
  readonly to: string;
  readonly rowsRead: number;
  readonly added: number;
  readonly unchanged: number;
  readonly corrected: number;
}

/** One import after the other, a series each: every name is understood before the first file is read. */
async function importByName(
  given: Given,
  request: NameRequest,
  one: (series: Given) => Promise<Imported>,
  { terminal }: Context,
): Promise<ReturnType<typeof done>> {
  const bySeries = new Map<string, Given>();
  for (const file of given.files) {
    const named = seriesOfName(file, request);
    const key = `${named.symbol} ${named.timeframeMs}`;
    bySeries.set(key, { ...given, ...named, files: [...(bySeries.get(key)?.files ?? []), file] });
  }
  const imported: (ImportedSeries & { readonly files: readonly string[] })[] = [];
  const words = (): string => {
    const head = ['files', 'became', 'venue', 'symbol', 'bars', 'from', 'to', 'rows', 'new', 'unchanged', 'corrected'];
    const rows = imported.map(({ files, kind, venue, symbol, timeframe = '', from, to, rowsRead, added, unchanged, corrected }) => [
      files.length === 1 ? basename(files[0] ?? '') : `${basename(files[0] ?? '')} and ${counted(files.length - 1, 'other')}`,
      ...[kind, venue, symbol, timeframe, from, to],
      ...[rowsRead, added, unchanged, corrected].map(String),
    ]);
    return table(head, rows, [7, 8, 9, 10]);
  };
  for (const series of bySeries.values()) {
    try {
      const { documents } = await one(series);
      imported.push(...documents.map((document) => ({ ...document, files: series.files })));
    } catch (error) {
      if (imported.length > 0) terminal.stderr.write(`imported before it failed:\n${words()}\n`);
      throw error;
    }
  }
  return done(imported, words());
}

async function importBarFiles(given: Given, { home, terminal }: Context): Promise<Imported> {
  const timeframeMs = values.needed(given.timeframeMs, TIMEFRAME, 'length of the bars: 1m, 15m, 1h, 1d');
  const { importBars } = await import('../../market/history/import.ts');
  const { openStore } = await import('../../market/history/store.ts');
  const { BAR_LAYOUT, parseColumnNames } = await import('../../market/history/columns.ts');
  const { symbol, venue, files, format } = given;
  values.symbol(symbol, '--symbol');
  const columns = given.columns === undefined ? undefined : parseColumnNames(given.columns, BAR_LAYOUT);
  const progress = new StagedProgress(terminal, { place: 'data import', whole: 'the files', nothing: 'nothing was imported' });
  const store = await openStore(home);
  try {
    const report = await importBars({
      store,
      files,
      format: format === 'binance' || format === 'freqtrade' ? format : 'csv',
      venue,
      symbol,
      timeframeMs,
      columns,
      importedAt: Date.now(),
      onProgress: (step) => progress.update(step.stage, step.done, step.total),
    });
    progress.end();
    return barOutcome({ venue, symbol, timeframe: formatSpan(timeframeMs) }, report);
  } finally {
    progress.release();
    await store.close();
  }
}

function barOutcome(series: { venue: string; symbol: string; timeframe: string }, report: ImportReport): Imported {
  const { rowsRead, added, unchanged, corrected, duplicates, holes, missingBars, fromMs, toMs } = report;
  const [from, to] = [formatTime(fromMs), formatTime(toMs)];
  const document = { kind: 'bars', ...series, rowsRead, added, unchanged, corrected, duplicates, gaps: holes, missingBars, from, to };
  const lines = [
    `${series.venue} ${series.symbol} ${series.timeframe}: ${from} to ${to}`,
    `rows ${rowsRead}: new ${added}, unchanged ${unchanged}, corrected ${corrected}${duplicates > 0 ? `, said twice ${duplicates}` : ''}`,
    holes === 0 ? 'gaps none' : `gaps ${holes}, ${counted(missingBars, 'bar')} missing`,
  ];
  return { documents: [document], text: lines.join('\n') };
}

async function importRecordFiles(given: Given & { readonly kind: RecordKind }, { home, terminal }: Context): Promise<Imported> {
  const { importRecords } = await import('../../market/history/record-import.ts');
  const { openRecords } = await import('../../market/history/record-store.ts');
  const { parseColumnNames } = await import('../../market/history/columns.ts');
  const { RECORD_LAYOUTS } = await import('../../market/history/layouts.ts');
  const columns = given.columns === undefined ? undefined : parseColumnNames(given.columns, RECORD_LAYOUTS[given.kind]);
  const progress = new StagedProgress(terminal, { place: 'data import', whole: 'the files', nothing: 'nothing was imported' });
  const store = await openRecords(home);
  try {
    const reports = await importRecords({
      ...given,
      store,
      columns,
      importedAt: Date.now(),
      onProgress: (stage, rows, total) => progress.update(stage, rows, total),
    });
    progress.end();
    return recordOutcome(reports);
  } finally {
    progress.release();
    await store.close();
  }
}

/** One document for each series: a capture fills several. */
function recordOutcome(reports: readonly RecordMergeReport[]): Imported {
  const documents = reports.map(({ firstMs, lastMs, ...report }) => ({ ...report, from: formatTime(firstMs), to: formatTime(lastMs) }));
  const rows = documents.map((each) => [
    each.kind,
    each.venue,
    each.symbol,
    each.from,
    each.to,
    ...[each.rowsRead, each.added, each.unchanged, each.corrected, each.restated, each.duplicates].map(String),
  ]);
  const head = ['kind', 'venue', 'symbol', 'from', 'to', 'rows', 'new', 'unchanged', 'corrected', 'restated', 'twice'];
  return { documents, text: table(head, rows, [5, 6, 7, 8, 9, 10]) };
}
