// How the columns of each kind are called in the CSV of exchanges, archives and captures, and how files of Binance without a header begin.
import { BAR_LAYOUT, EXPECTED_TIME, TIME_GUESSES as BAR_TIME_GUESSES } from './columns.ts';
import type { CsvLayout, Field, FieldType } from './columns.ts';
import type { RecordKind } from './kinds.ts';

type Guesses = readonly string[];

function field(role: string, type: FieldType, guesses: Guesses, expected: string, isOptional = false): Field {
  return { role, type, guesses, expected, isOptional };
}

const price = (role: string, guesses: Guesses, isOptional = false): Field =>
  field(role, 'number', guesses, 'a finite price above 0', isOptional);
const quantity = (role: string, guesses: Guesses): Field => field(role, 'number', guesses, 'a finite quantity of 0 or more');
const update = (role: string, guesses: Guesses): Field => field(role, 'number', guesses, 'the number of an update');
const optional = (role: string, ...guesses: string[]): Field => field(role, 'number', guesses, 'a finite number or nothing', true);

/** What our own export calls it comes first. */
const TIME_GUESSES = ['happened_at', ...BAR_TIME_GUESSES];
/** When it was received, where somebody listened. */
const LOCAL = field('local', 'time', ['local_ns', 'local_time', 'local_timestamp', 'received_at', 'at'], EXPECTED_TIME, true);
const TIME = field('time', 'time', TIME_GUESSES, EXPECTED_TIME);
const BOOK_SIDE = field('side', 'side', ['side', 'book_side'], 'bid or ask');

const OPTION_NAME = field('instrument', 'word', ['instrument', 'instrument_name', 'symbol'], 'the name of an option', true);
const EXPIRY = field('expiry', 'time', ['expiry', 'expiration', 'expiration_timestamp'], EXPECTED_TIME);
const RIGHT = field('right', 'side', ['type', 'option_type', 'right'], 'C or P');
const STRIKE = price('strike', ['strike', 'strike_price']);

export const RECORD_LAYOUTS: Readonly<Record<RecordKind, CsvLayout>> = {
  trades: {
    fields: [
      LOCAL,
      field('time', 'time', ['trade_time_ms', 'trade_time', 'transact_time', 'time_ms', ...TIME_GUESSES], EXPECTED_TIME),
      field('id', 'id', ['trade_id', 'agg_trade_id', 'trdmatchid', 'tradeid', 'id'], 'the number or UUID of a trade'),
      price('price', ['price', 'p']),
      quantity('quantity', ['quantity', 'qty', 'size', 'amount', 'volume', 'q']),
      field('takerSide', 'side', ['taker_side', 'side'], 'buy or sell', true),
      field('buyerRested', 'buyer-rested', ['is_buyer_maker', 'isbuyermaker', 'm'], 'true or false', true),
    ],
    marks: ['time', 'price', 'quantity'],
  },
  'book-delta': {
    fields: [
      LOCAL,
      field('time', 'time', ['event_time_ms', 'event_time', 'transaction_time_ms', ...TIME_GUESSES], EXPECTED_TIME),
      update('firstUpdate', ['first_update_id', 'first_update', 'first_id']),
      update('lastUpdate', ['last_update_id', 'last_update', 'final_update_id', 'last_id']),
      BOOK_SIDE,
      price('price', ['price']),
      quantity('quantity', ['quantity', 'qty', 'size', 'amount']),
    ],
    marks: ['firstUpdate', 'lastUpdate', 'price'],
  },
  'book-snapshot': {
    fields: [
      LOCAL,
      field('time', 'time', ['event_time_ms', 'event_time', 'transaction_time_ms', ...TIME_GUESSES], EXPECTED_TIME, true),
      update('lastUpdate', ['last_update_id', 'last_update', 'final_update_id', 'last_id']),
      BOOK_SIDE,
      price('price', ['price']),
      quantity('quantity', ['quantity', 'qty', 'size', 'amount']),
    ],
    marks: ['lastUpdate', 'price'],
  },
  ticker: {
    fields: [
      LOCAL,
      field(
        'time',
        'time',
        ['transaction_time_ms', 'transaction_time', 'event_time_ms', 'event_time', ...TIME_GUESSES],
        EXPECTED_TIME,
        true,
      ),
      update('update', ['update_id', 'update', 'u']),
      price('bid', ['bid', 'bid_price', 'best_bid_price', 'best_bid']),
      quantity('bidQuantity', ['bid_qty', 'bid_quantity', 'best_bid_qty', 'bid_size']),
      price('ask', ['ask', 'ask_price', 'best_ask_price', 'best_ask']),
      quantity('askQuantity', ['ask_qty', 'ask_quantity', 'best_ask_qty', 'ask_size']),
    ],
    marks: ['bid', 'ask'],
  },
  funding: {
    fields: [
      field('time', 'time', ['calc_time', 'funding_time', ...TIME_GUESSES], EXPECTED_TIME),
      field(
        'rate',
        'number',
        ['funding_rate', 'last_funding_rate', 'fundingrate', 'rate'],
        'a funding rate as a fraction between -1 and 1',
      ),
    ],
    marks: ['time', 'rate'],
  },
  'open-interest': {
    fields: [
      field('time', 'time', ['create_time', ...TIME_GUESSES], EXPECTED_TIME),
      optional('quantity', 'sum_open_interest', 'open_interest', 'open_interest_quantity'),
      optional('value', 'sum_open_interest_value', 'open_interest_value', 'open_interest_usd', 'open_interest_usd_all_exchanges'),
    ],
    marks: ['time'],
  },
  mark: { fields: [TIME, price('price', ['mark_close', 'mark_price', 'price', 'close'], true)], marks: ['time', 'price'] },
  index: { fields: [TIME, price('price', ['index_close', 'index_price', 'price', 'close'], true)], marks: ['time', 'price'] },
  metric: {
    fields: [TIME],
    marks: ['time'],
    others: (header) => field(header, 'number', [header], 'a finite number or nothing', true),
  },
  'option-chain': {
    fields: [
      field('time', 'time', ['snapshot_ts', 'snapshot_after', 'committed_at', ...TIME_GUESSES], EXPECTED_TIME),
      OPTION_NAME,
      EXPIRY,
      RIGHT,
      STRIKE,
      optional('underlying', 'underlying_price', 'underlying', 'forward_parity_usd'),
      optional('index', 'index_price', 'index'),
      ...['mark', 'bid', 'ask', 'last'].flatMap((name) => {
        const word = name === 'mark' ? 'mark_price' : name;
        // Without a word on it: our own export is in dollars, Deribit's answers call theirs prices and mean coins.
        return [optional(name, `${word}_usd`, name), optional(`${name}Coin`, `${word}_coin`, `${name}_price`)];
      }),
      ...['mark', 'bid', 'ask'].flatMap((name) => [
        optional(`${name}Volatility`, `${name}_volatility`),
        optional(`${name}VolatilityPercent`, `${name}_iv_pct`, `${name}_iv`),
      ]),
      optional('openInterest', 'open_interest'),
      ...['delta', 'gamma', 'vega', 'theta'].map((greek) => optional(greek, greek)),
    ],
    marks: ['time', 'strike', 'expiry'],
  },
  'option-trades': {
    fields: [
      TIME,
      field('id', 'id', ['trade_id', 'id'], 'the number of a trade'),
      OPTION_NAME,
      EXPIRY,
      RIGHT,
      STRIKE,
      optional('price', 'price_usd', 'price'),
      optional('priceCoin', 'price_coin'),
      quantity('quantity', ['quantity', 'amount', 'size', 'contracts']),
      field('takerSide', 'side', ['taker_side', 'side', 'direction'], 'buy or sell'),
      optional('mark', 'mark_price_usd', 'mark_usd', 'mark'),
      optional('markCoin', 'mark_price_coin', 'mark_price_btc', 'mark_price_eth', 'mark_price'),
      optional('volatility', 'volatility'),
      optional('volatilityPercent', 'iv_pct', 'iv'),
      optional('underlying', 'underlying_price', 'index_price', 'underlying'),
      field('block', 'word', ['block', 'blocktrade_ids', 'block_trade_id'], 'the name of a block', true),
      field('combo', 'word', ['combo', 'combo_id'], 'the name of a combination', true),
    ],
    marks: ['time', 'id', 'strike'],
  },
};

const BAR_NAMES = [
  'open_time',
  'open',
  'high',
  'low',
  'close',
  'volume',
  'close_time',
  'quote_volume',
  'count',
  'taker_buy_volume',
  'taker_buy_quote_volume',
  'ignore',
];
const TRADE_NAMES = ['id', 'price', 'qty', 'quote_qty', 'time', 'is_buyer_maker', 'is_best_match'];
const AGGREGATE_NAMES = [
  'agg_trade_id',
  'price',
  'quantity',
  'first_trade_id',
  'last_trade_id',
  'transact_time',
  'is_buyer_maker',
  'is_best_match',
];
const TICKER_NAMES = ['update_id', 'best_bid_price', 'best_bid_qty', 'best_ask_price', 'best_ask_qty', 'transaction_time', 'event_time'];

/** What the columns of Binance's archive are called in those of its files that do not say so: spot always, futures before 2022. */
export function binanceNames(kind: RecordKind | 'bars', texts: readonly string[]): readonly string[] | undefined {
  if (!/^\d+$/.test(texts[0] ?? '')) return undefined;
  if (kind === 'ticker') return TICKER_NAMES.slice(0, texts.length);
  if (kind !== 'trades') return texts.length >= 6 ? BAR_NAMES.slice(0, texts.length) : undefined;
  // Both have five to eight columns. Only in single trades is the sixth a word.
  const isAggregate = !/^(true|false)$/i.test(texts[5] ?? '');
  return (isAggregate ? AGGREGATE_NAMES : TRADE_NAMES).slice(0, texts.length);
}

/** The layout of a kind in the format of Binance's archive. */
export function binanceLayout(kind: RecordKind | 'bars'): CsvLayout {
  const layout = kind === 'bars' ? BAR_LAYOUT : RECORD_LAYOUTS[kind];
  return { ...layout, namesOf: (texts) => binanceNames(kind, texts) };
}

/** What a file of a capture holds, by its header. Undefined when it is none. */
export function captureKind(header: readonly string[]): RecordKind | undefined {
  const has = (name: string): boolean => header.includes(name);
  if (has('first_update_id')) return 'book-delta';
  if (has('last_update_id')) return 'book-snapshot';
  if (has('trade_id')) return 'trades';
  return has('bid') && has('ask') ? 'ticker' : undefined;
}
