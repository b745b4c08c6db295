// The kinds of data besides bars: their columns, what makes two rows the same one, and where they are stored:
// `<home>/data/<kind>/<venue>/<symbol>/<YYYY-MM>.parquet`, by the month of `happenedAt`.
import { join } from 'node:path';
import type { BookDeltaColumns, BookSnapshotColumns, TradeColumns } from '../../domain/book.ts';
import { BallastError } from '../../domain/errors.ts';
import type {
  FundingColumns,
  MetricColumns,
  OpenInterestColumns,
  OptionChainColumns,
  OptionTradeColumns,
  PriceColumns,
  TickerColumns,
} from '../../domain/records.ts';
import { checkVenue } from './series.ts';

export interface ColumnsByKind {
  readonly trades: TradeColumns;
  readonly 'book-delta': BookDeltaColumns;
  readonly 'book-snapshot': BookSnapshotColumns;
  readonly ticker: TickerColumns;
  readonly funding: FundingColumns;
  readonly 'open-interest': OpenInterestColumns;
  readonly mark: PriceColumns;
  readonly index: PriceColumns;
  readonly metric: MetricColumns;
  readonly 'option-chain': OptionChainColumns;
  readonly 'option-trades': OptionTradeColumns;
}

export type RecordKind = keyof ColumnsByKind;

/** `optional` numbers may be absent, which is NaN in memory and NULL in Parquet; `side` is 1 or -1. */
export type ColumnType = 'time' | 'count' | 'number' | 'optional' | 'side' | 'text';

export interface KindSpec {
  /** In the order of the files. */
  readonly columns: Readonly<Record<string, ColumnType>>;
  /** Rows that agree in these are one row: importing it again changes nothing, and other values correct it. */
  readonly key: readonly string[];
  /** Rows known at the same time stand in this order, and after that in the order of arrival. */
  readonly order: readonly string[];
  /** A row that differs from the one in force becomes a version of its own, with its own `at`, and corrects nothing. */
  readonly hasVersions: boolean;
}

const TIMES = { at: 'time', happenedAt: 'time' } as const;
const LEVEL = { side: 'side', price: 'number', quantity: 'number' } as const;
const OPTION = { instrument: 'text', expiry: 'time', strike: 'number', right: 'side' } as const;
const PRICE = {
  columns: { ...TIMES, price: 'number' },
  key: ['happenedAt'],
  order: ['happenedAt'],
  hasVersions: false,
} as const satisfies KindSpec;

export const KINDS: Readonly<{
  [Kind in RecordKind]: KindSpec & { readonly columns: Readonly<Record<keyof ColumnsByKind[Kind], ColumnType>> };
}> = {
  trades: {
    columns: { ...TIMES, id: 'count', price: 'number', quantity: 'number', takerSide: 'side' },
    key: ['id'],
    order: ['happenedAt', 'id'],
    hasVersions: false,
  },
  'book-delta': {
    columns: { ...TIMES, firstUpdate: 'count', lastUpdate: 'count', ...LEVEL },
    key: ['lastUpdate', 'side', 'price'],
    order: ['lastUpdate'],
    hasVersions: false,
  },
  'book-snapshot': {
    columns: { ...TIMES, lastUpdate: 'count', ...LEVEL },
    key: ['lastUpdate', 'side', 'price'],
    order: ['lastUpdate'],
    hasVersions: false,
  },
  ticker: {
    columns: { ...TIMES, update: 'count', bid: 'number', bidQuantity: 'number', ask: 'number', askQuantity: 'number' },
    key: ['update'],
    order: ['update'],
    hasVersions: false,
  },
  funding: { columns: { ...TIMES, rate: 'number' }, key: ['happenedAt'], order: ['happenedAt'], hasVersions: false },
  'open-interest': {
    columns: { ...TIMES, quantity: 'optional', value: 'optional' },
    key: ['happenedAt'],
    order: ['happenedAt'],
    hasVersions: false,
  },
  mark: PRICE,
  index: PRICE,
  metric: {
    columns: { ...TIMES, name: 'text', value: 'number' },
    key: ['name', 'happenedAt'],
    order: ['happenedAt', 'name'],
    hasVersions: true,
  },
  'option-chain': {
    columns: {
      ...TIMES,
      ...OPTION,
      underlying: 'optional',
      index: 'optional',
      mark: 'optional',
      bid: 'optional',
      ask: 'optional',
      last: 'optional',
      markVolatility: 'optional',
      bidVolatility: 'optional',
      askVolatility: 'optional',
      openInterest: 'optional',
      delta: 'optional',
      gamma: 'optional',
      vega: 'optional',
      theta: 'optional',
    },
    key: ['happenedAt', 'instrument'],
    order: ['happenedAt', 'instrument'],
    hasVersions: false,
  },
  'option-trades': {
    columns: {
      ...TIMES,
      id: 'count',
      ...OPTION,
      price: 'number',
      quantity: 'number',
      takerSide: 'side',
      mark: 'optional',
      volatility: 'optional',
      underlying: 'optional',
      block: 'text',
      combo: 'text',
    },
    key: ['id'],
    order: ['happenedAt', 'id'],
    hasVersions: false,
  },
};

export const RECORD_KINDS = Object.keys(KINDS) as readonly RecordKind[];

export interface RecordSeries {
  readonly kind: RecordKind;
  /** Who says so: a venue, or the source of a metric such as coinmetrics. */
  readonly venue: string;
  /** ccxt's spelling, or for metrics and option chains the asset alone: `BTC`. */
  readonly symbol: string;
}

const SUBJECT = /^[A-Z0-9]+(?:\/[A-Z0-9]+(?::[A-Z0-9]+)?)?$/;
const SUBJECT_FOLDER = /^[A-Z0-9]+(?:-[A-Z0-9]+(?:_[A-Z0-9]+)?)?$/;

/** Unlike what can be traded here, what can be stored may be inverse (`BTC/USD:BTC`) or an asset alone. @throws BallastError SYMBOL_MALFORMED */
export function checkSubject(symbol: string, place = 'symbol'): string {
  if (SUBJECT.test(symbol)) return symbol;
  throw new BallastError({
    code: 'SYMBOL_MALFORMED',
    place,
    found: JSON.stringify(symbol),
    expected: 'BASE/QUOTE, BASE/QUOTE:SETTLE for a perpetual, or an asset alone such as BTC for its metrics and options',
    exitCode: 2,
  });
}

/** `trades/binance/BTC-USDT`. @throws BallastError SYMBOL_MALFORMED, VENUE_MALFORMED */
export function recordFolder({ kind, venue, symbol }: RecordSeries): string {
  checkSubject(symbol);
  return join(kind, checkVenue(venue), symbol.replace('/', '-').replace(':', '_'));
}

/** The symbol of a folder's name, or undefined where the folder is not ours. */
export function subjectOfFolder(name: string): string | undefined {
  return SUBJECT_FOLDER.test(name) ? name.replace('-', '/').replace('_', ':') : undefined;
}

/** `happenedAt` is `happened_at` in the files. */
export function storedName(column: string): string {
  return column.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The same in SQL, which has words of its own. */
export function quotedName(column: string): string {
  return `"${storedName(column)}"`;
}
