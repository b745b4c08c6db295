// Kinds and formats of the data commands, by name: help and parsing need no more than these words. A test holds them to the store's own.
import type { RecordFormat } from '../market/history/record-import.ts';
import type { RecordKind } from '../market/history/kinds.ts';
import { oneOf } from './values.ts';

export type Kind = 'bars' | RecordKind;
export type Format = RecordFormat;

export const KINDS = [
  'bars',
  'trades',
  'book-delta',
  'book-snapshot',
  'ticker',
  'funding',
  'open-interest',
  'mark',
  'index',
  'metric',
  'option-chain',
  'option-trades',
] as const satisfies readonly Kind[];

export const kindParser = oneOf(...KINDS);

export const FORMATS = [
  'csv',
  'binance',
  'freqtrade',
  'coinmetrics',
  'deribit',
  'bybit-archive',
  'capture',
] as const satisfies readonly Format[];

/** Which kinds a format has; the first is meant where none is named. */
export const KINDS_OF: Readonly<Record<Format, readonly [Kind, ...Kind[]]>> = {
  csv: KINDS,
  binance: ['bars', 'trades', 'ticker', 'funding', 'open-interest', 'mark', 'index'],
  freqtrade: ['bars', 'trades', 'funding', 'mark', 'index'],
  coinmetrics: ['metric'],
  deribit: ['option-chain', 'option-trades'],
  'bybit-archive': ['trades', 'book-delta', 'book-snapshot'],
  capture: ['trades', 'book-delta', 'book-snapshot', 'ticker'],
};

/** Whose data a format is, where it is only one's. */
export const VENUE_OF: Readonly<Partial<Record<Format, string>>> = {
  binance: 'binance',
  coinmetrics: 'coinmetrics',
  deribit: 'deribit',
  'bybit-archive': 'bybit',
};
