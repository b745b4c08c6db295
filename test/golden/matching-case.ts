// A few bars or a few records of a book, a few orders in words, and what the simulated venue says of them: the language of
// matching-cases.test.ts and book-cases.test.ts.
import assert from 'node:assert/strict';
import { ASK, BID, type BookMessage } from '../../src/domain/book.ts';
import { amount, format, price, quantity } from '../../src/domain/decimal.ts';
import { isMarketEvent, type VenueReport } from '../../src/domain/event.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { OrderIntent, OrderType } from '../../src/domain/order.ts';
import type { Source } from '../../src/domain/ports.ts';
import { MINUTE_MS, NEVER } from '../../src/domain/time.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import type { BookTape } from '../../src/venues/simulated/book-records.ts';
import { SimulatedVenue, type SimulatedVenueSettings } from '../../src/venues/simulated/venue.ts';

export const PERPETUAL: Instrument = {
  venue: 'test',
  symbol: 'X/USDT:USDT',
  kind: 'linear',
  base: 'X',
  quote: 'USDT',
  tick: price('0.01'),
  lot: quantity('0.001'),
  minimumQuantity: quantity('0.001'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.001,
  makerFeeRate: 0.0005,
  fundingRate: 0,
  fundingIntervalMs: 0,
};
export const SPOT: Instrument = { ...PERPETUAL, symbol: 'X/USDT', kind: 'spot' };

export interface Case {
  /** Bars of a minute after the first, which is `100 101 99 100`: open, high, low, close, and volume where it is not 100; `-` is a hole. */
  readonly bars: readonly string[];
  /**
   * What is sent when so many bars have closed: `1 a: buy 2 limit 99 ioc | s: sell 2 stop 90 reduce`, the second being attached;
   * `2 cancel a`, `2 move s 95` (a trigger), `2 reprice a 98.5 3`.
   */
  readonly sends: readonly string[];
  /** What is said up to the close of the last bar. A reason is compared where one is given. */
  readonly says: readonly string[];
  readonly settings?: Partial<SimulatedVenueSettings>;
  /**
   * A tape of books in place of the bars, by milliseconds: `0 whole bid 99 5 98 9 ask 101 5`, `60500 bid 99 3 ask 101 0`,
   * `60500 sell 2 at 99` (a trade by its taker), `61000 lost`. The bars still tell the time.
   */
  readonly book?: readonly string[];
  /** Words begin with the milliseconds at which they are heard. */
  readonly isTimed?: boolean;
  /** Cash at the end, where it is asked. */
  readonly cash?: string;
}

const TYPES: readonly string[] = ['limit', 'post-only', 'stop', 'take-profit', 'trailing'];

/** `s: sell 2 trailing 90 by 5 reduce pair t`. */
function orderFrom(text: string, at: number, attached: readonly OrderIntent[]): OrderIntent {
  const [id = '', rest = ''] = text.split(': ');
  const [side = '', size = '', ...more] = rest.split(' ');
  const after = (word: string): string | undefined => (more.includes(word) ? more[more.indexOf(word) + 1] : undefined);
  const type = (more.find((word) => TYPES.includes(word)) ?? 'market') as OrderType;
  const level = type === 'market' ? undefined : price(after(type) ?? '');
  const [by, pairedWith] = [after('by'), after('pair')];
  const force = more.includes('ioc') ? 'ioc' : more.includes('fok') ? 'fok' : undefined;
  const isLimit = type === 'limit' || type === 'post-only';
  return {
    id,
    at,
    instrument: more.includes('#1') ? 1 : 0,
    side: side === 'buy' ? 'buy' : 'sell',
    type,
    role: more.includes('whole') ? 'disaster' : 'target',
    quantity: quantity(size),
    limitPrice: isLimit ? level : undefined,
    stopPrice: isLimit ? undefined : level,
    ...(by === undefined ? {} : { trailBy: price(by) }),
    ...(pairedWith === undefined ? {} : { pairedWith }),
    ...(force === undefined ? {} : { timeInForce: force }),
    ...(more.includes('long') ? { positionSide: 'long' } : more.includes('short') ? { positionSide: 'short' } : {}),
    reduceOnly: more.includes('reduce') || more.includes('whole'),
    wholePosition: more.includes('whole'),
    shares: [],
    attached,
  };
}

function send(venue: SimulatedVenue, text: string, at: number): void {
  const [word = '', order = '', ...numbers] = text.split(' ');
  if (word === 'cancel') return venue.cancel({ at, instrument: 0, order });
  if (word === 'move') return venue.amend({ at, instrument: 0, order, stopPrice: price(numbers[0] ?? '') });
  if (word === 'reprice') {
    return venue.amend({ at, instrument: 0, order, limitPrice: price(numbers[0] ?? ''), quantity: quantity(numbers[1] ?? '') });
  }
  const [entry = '', ...attached] = text.split(' | ');
  venue.submit(
    orderFrom(
      entry,
      at,
      attached.map((each) => orderFrom(each, at, [])),
    ),
  );
}

function wordsOf(report: VenueReport): string {
  switch (report.kind) {
    case 'funding.paid':
      return `funding ${format(report.amount)}`;
    case 'position.liquidated': {
      const { side, fill, insurance, deleveraged } = report;
      const borne = `insurance ${format(insurance)} deleveraged ${format(deleveraged)}`;
      return `liquidated ${side} ${format(fill.quantity)} at ${format(fill.price)} fee ${format(fill.fee)} ${borne}`;
    }
    case 'order.amended':
      return `amended ${report.order} to ${format(report.stopPrice)}: ${report.reason}`;
    case 'order.repriced':
      return `repriced ${report.order} to ${format(report.quantity)} at ${format(report.limitPrice)}: ${report.reason}`;
    default: {
      const { fill, order, reason } = report;
      const coin = fill?.feeCoin === undefined ? '' : ` fee ${format(fill.feeCoin.quantity)} ${fill.feeCoin.currency}`;
      const traded = fill === undefined ? '' : ` ${format(fill.quantity)} at ${format(fill.price)} ${fill.liquidity}${coin}`;
      return `${report.kind.slice('order.'.length)} ${order}${traded}: ${reason}`;
    }
  }
}

function sourceOf(instrument: number, bars: readonly string[]): BarSource {
  const rows = ['100 101 99 100', ...bars].flatMap((bar, minute) =>
    bar === '-' ? [] : [[minute * MINUTE_MS, ...bar.split(' ').map(Number)]],
  );
  const column = (at: number, otherwise = NaN): Float64Array => Float64Array.from(rows, (row) => row[at] ?? otherwise);
  const columns = { openAt: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5, 100) };
  return new BarSource({ instrument, timeframeMs: MINUTE_MS, chunks: [columns], from: 0 });
}

/** The rows of `bid 99 5 98 9 ask 101 5`. */
function rowsFrom(words: readonly string[]): number[][] {
  const rows: number[][] = [];
  let side = BID;
  for (let index = 0; index < words.length; index++) {
    if (words[index] === 'bid') side = BID;
    else if (words[index] === 'ask') side = ASK;
    else rows.push([side, Number(words[index]), Number(words[++index])]);
  }
  return rows;
}

export function tapeFrom(lines: readonly string[]): BookTape {
  const messages: BookMessage[] = [];
  const trades: number[][] = [];
  let update = 0;
  for (const line of lines) {
    const [time = '', ...words] = line.split(' ');
    const at = Number(time);
    if (words[0] === 'buy' || words[0] === 'sell') {
      trades.push([at, Number(words[3]), Number(words[1]), words[0] === 'buy' ? BID : ASK]);
      continue;
    }
    const isWhole = words[0] === 'whole';
    // A number is left out.
    if (words[0] === 'lost') update++;
    const rows = words[0] === 'lost' ? [] : rowsFrom(isWhole ? words.slice(1) : words);
    const column = (of: number): Float64Array => Float64Array.from(rows, (row) => row[of] ?? NaN);
    const levels = { side: Int8Array.from(column(0)), price: column(1), quantity: column(2) };
    const numbers = { firstUpdate: ++update, lastUpdate: update, previousUpdate: NaN };
    messages.push({ kind: isWhole ? 'snapshot' : 'delta', at, happenedAt: at, ...numbers, levels, from: 0, to: rows.length });
  }
  const column = (of: number): Float64Array => Float64Array.from(trades, (row) => row[of] ?? NaN);
  const ids = Float64Array.from(trades, (_, id) => id);
  const takerSide = Int8Array.from(column(3));
  return {
    messages: { next: () => messages.shift() },
    trades: [{ at: column(0), happenedAt: column(0), id: ids, price: column(1), quantity: column(2), takerSide }].values(),
    rules: { sequence: 'adjacent', snapshots: 'asked' },
  };
}

/** A reason is compared where one is expected. */
function sameWords(said: string, wanted: string): boolean {
  return wanted.includes(': ') ? said === wanted : said.slice(0, said.indexOf(': ') < 0 ? undefined : said.indexOf(': ')) === wanted;
}

/** Plays a case, and holds it to what it should say. */
export function holds(each: Case): void {
  const { said, cash } = played(each);
  const shown = said.map((words, index) =>
    sameWords(words, each.says[index] ?? '') ? (each.says[index] ?? '') : words.replace(/: $/, ''),
  );
  assert.deepEqual(shown, each.says);
  if (each.cash !== undefined) assert.equal(cash, each.cash);
}

/** Plays a case. @returns what was said, with reasons, and the cash at the end */
export function played({ bars, sends, settings = {}, book, isTimed = false }: Case): { said: readonly string[]; cash: string } {
  let closed = -1;
  const instruments = settings.instruments ?? [PERPETUAL];
  const venue = new SimulatedVenue({
    instruments,
    baseTimeframeMs: MINUTE_MS,
    capital: amount('10000'),
    slippageRatio: 0,
    latencyMs: 1,
    maximumLeverage: 10,
    allowSpotShort: false,
    notBefore: () => closed + 1,
    ...(book === undefined ? {} : { books: [tapeFrom(book)] }),
    ...settings,
  });
  const markets = instruments.map((_, instrument) => venue.watching(sourceOf(instrument, bars)));
  const said: string[] = [];
  const until = (time: number): void => {
    for (;;) {
      let first: Source = venue;
      for (const market of markets) if (market.peekAt() < first.peekAt()) first = market;
      const at = first.peekAt();
      if (at === NEVER || at > time) return;
      const event = first.take();
      if (!isMarketEvent(event)) said.push(`${isTimed ? `${event.at} ` : ''}${wordsOf(event as VenueReport)}`);
    }
  };
  for (const line of sends) {
    const [minute = ''] = line.split(' ', 1);
    const at = Number(minute) * MINUTE_MS;
    until(at);
    closed = at;
    send(venue, line.slice(minute.length + 1), at);
  }
  until((bars.length + 1) * MINUTE_MS);
  return { said, cash: format(venue.cash) };
}
