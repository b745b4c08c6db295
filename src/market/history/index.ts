// The second entry of the package, `ballast/history`: reading what is stored, from a program of one's own. Apart from `ballast` itself,
// because a strategy needs no history, and a history needs a database: DuckDB is loaded with the first row that is read.
//
// `load` gives typed arrays over shared memory, `stream` pieces of them; ranges are from inclusive, to exclusive: of bars on their open
// time, of all else on the time at which a row was known. Close a store when you are done with it.

// Bars.
export { openStore as openBars } from './store.ts';
export type { BarRange, BarStore, SeriesQuery, StoredSeries } from './store.ts';
export type { BarColumns } from '../../domain/bars.ts';
export { flawsInWords, Inspector } from './inspection.ts';
export type { Finding, FindingKind, Inspection } from './inspection.ts';

// Everything else: trades, books, tickers, funding, open interest, marks, indices, metrics, options.
export { openRecords } from './record-store.ts';
export type { RecordRange, RecordStore, SeriesNotes, StoredRecords } from './record-store.ts';
export { RECORD_KINDS } from './kinds.ts';
export type { ColumnsByKind, RecordKind, RecordSeries } from './kinds.ts';

// What venues demanded of orders, and since when.
export { filtersAt } from '../../domain/instrument.ts';
export type { FilterVersion } from '../../domain/instrument.ts';
export { listFilters, readFilters } from './filters.ts';
export type { StoredFilters } from './filters.ts';
