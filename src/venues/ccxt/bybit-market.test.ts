// The public streams on stepped time, without a network: bars without a hole, books that are one or none.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BYBIT_BOOK, BookSync } from '../../market/book/book-sync.ts';
import { MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { AdapterBench, START } from '../../../test/support/adapter-bench.ts';
import { BybitMarket, type BybitMarketParts, type MarketMessage } from './bybit-market.ts';

const LINEAR = '/v5/public/linear';

class Watch {
  readonly bench = new AdapterBench();
  readonly messages: MarketMessage[] = [];
  readonly said: string[] = [];
  readonly notices: string[] = [];
  readonly books = [new BookSync(BYBIT_BOOK, Infinity), new BookSync(BYBIT_BOOK, Infinity)];
  readonly market: BybitMarket;

  constructor(also: BybitMarketParts['also'] = []) {
    const { bench } = this;
    this.market = new BybitMarket({
      instruments: bench.instruments,
      wire: bench.wire,
      timers: bench.timers,
      random: new Random(1),
      timeframeMs: MINUTE_MS,
      also,
      deadlineMs: 5 * SECOND_MS,
      pingMs: 10 * SECOND_MS,
      since: [START, START],
      warmsUp: false,
      onMessage: (message) => this.messages.push(message),
      onBook: (instrument, message) => this.books[instrument]?.receive(message) === 'resync',
      onBookLost: (instrument) => void this.books[instrument]?.interrupt(),
      onLost: () => this.said.push('lost'),
      onRestored: () => this.said.push('restored'),
      onNotice: (words) => this.notices.push(words),
    });
    this.market.start();
  }

  /** Minutes at which the bars of an instrument opened, in the order in which they were said. */
  minutes(symbol = 'BTC/USDT:USDT'): number[] {
    return this.messages.flatMap((each) =>
      each.kind === 'bar.closed' && each.symbol === symbol ? [(each.openAt - START) / MINUTE_MS] : [],
    );
  }

  async advance(ms: number): Promise<void> {
    await this.bench.advance(ms);
  }

  /** What the book says and what the venue has. */
  tops(): readonly (number | undefined)[] {
    const book = this.books[0]?.book;
    return [book?.bestBid, this.bench.exchange.listings[0]?.last];
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, minute) => minute);

describe('the public streams', () => {
  test('say every closed bar once, in order, of every instrument', async () => {
    const watch = new Watch();
    await watch.advance(20 * SECOND_MS);
    watch.bench.stepped.move(0, 61_000);
    await watch.advance(3 * MINUTE_MS);
    assert.deepEqual(watch.minutes(), upTo(3));
    assert.deepEqual(watch.minutes('ETH/USDT:USDT'), upTo(3));
    const first = watch.messages.find((each) => each.kind === 'bar.closed' && each.symbol === 'BTC/USDT:USDT');
    assert.ok(first?.kind === 'bar.closed');
    assert.deepEqual([first.open, first.high, first.low, first.close], [60_000, 61_000, 60_000, 61_000]);
    assert.deepEqual([watch.said, watch.notices], [[], []]);
  });

  test('F21, F25: bars that closed while the network was away come before the next, without a hole and none twice', async () => {
    const watch = new Watch();
    await watch.advance(90 * SECOND_MS);
    watch.bench.wire.cut(true);
    await watch.advance(4 * MINUTE_MS);
    assert.deepEqual([watch.minutes(), watch.said], [upTo(1), ['lost']]);
    watch.bench.wire.cut(false);
    await watch.advance(2 * MINUTE_MS);
    assert.deepEqual(watch.minutes(), upTo(7));
    assert.deepEqual(watch.said, ['lost', 'restored']);
  });

  test('F25: a bar that the stream skipped, said twice or later corrected leaves one bar of each minute', async () => {
    const watch = new Watch();
    await watch.advance(70 * SECOND_MS);
    watch.bench.fault({ kind: 'no-data', where: 'kline' });
    await watch.advance(50 * SECOND_MS);
    watch.bench.clearFaults();
    await watch.advance(3 * MINUTE_MS);
    const row = { start: START, open: '1', high: '2', low: '1', close: '2', volume: '1', confirm: true };
    watch.bench.wire.inject({ topic: 'kline.1.BTCUSDT', data: [row] }, LINEAR);
    await watch.advance(SECOND_MS);
    assert.deepEqual(watch.minutes(), upTo(watch.minutes().length));
    assert.ok(watch.minutes().length >= 4);
  });

  test('F25: a bar that is corrected after it was told is told as another version, once each, and stays what it was', async () => {
    const watch = new Watch();
    await watch.advance(130 * SECOND_MS);
    assert.deepEqual([watch.minutes(), watch.market.corrected], [upTo(2), 0]);
    const at = START + MINUTE_MS;
    const row = { start: at, open: '60000', high: '60500', low: '60000', close: '60500', volume: '5', confirm: true };
    const inject = (changes: object): void => watch.bench.wire.inject({ topic: 'kline.1.BTCUSDT', data: [{ ...row, ...changes }] }, LINEAR);
    inject({});
    inject({});
    inject({ confirm: false, close: '60400' });
    await watch.advance(SECOND_MS);
    assert.equal(watch.market.corrected, 1, 'the same again, and one that is not closed, are no versions');
    inject({ close: '60250' });
    await watch.advance(SECOND_MS);
    assert.deepEqual([watch.minutes(), watch.market.corrected], [upTo(2), 2]);
    const told = watch.messages.filter((each) => each.kind === 'bar.closed' && each.openAt === at && each.symbol === 'BTC/USDT:USDT');
    assert.deepEqual(
      told.map((each) => (each.kind === 'bar.closed' ? each.close : NaN)),
      [60_000],
    );
    const notices = watch.notices.filter((words) => words.includes('corrected'));
    assert.equal(notices.length, 2);
    assert.match(
      notices[0] ?? '',
      /the bar of 2026-01-05T00:01:00.000Z after it was told: high 60000 became 60500, close 60000 became 60500/,
    );
    assert.match(notices[1] ?? '', /close 60500 became 60250; what was decided stays/);
  });

  test('F20: a topic that may not be silent and is ends the connection, though pings are answered', async () => {
    const watch = new Watch(['marks']);
    await watch.advance(SECOND_MS);
    assert.ok(watch.messages.some((each) => each.kind === 'mark.changed' && each.price === 60_000));
    watch.bench.fault({ kind: 'no-data', where: 'tickers.ETHUSDT' });
    await watch.advance(15 * SECOND_MS);
    assert.ok(
      watch.notices.some((words) => /tickers\.\w+ has said nothing for 10\d* ms|tickers\.\w+ has said nothing for 1\d+ ms/.test(words)),
    );
    assert.equal(watch.said[0], 'lost');
  });

  test('F23: a gap in a book is no book, until a snapshot that is asked for has mended it', async () => {
    const watch = new Watch(['books']);
    await watch.advance(SECOND_MS);
    assert.deepEqual(watch.tops(), [60_000, 60_000]);
    watch.bench.fault({ kind: 'drop-deltas', where: 'orderbook.50.BTCUSDT', times: 1 });
    watch.bench.stepped.move(0, 60_100);
    await watch.advance(200);
    watch.bench.stepped.move(0, 60_200);
    await watch.advance(SECOND_MS);
    const counts = watch.books[0]?.counts;
    assert.deepEqual([counts?.gaps, counts?.resyncs], [1, 1]);
    assert.deepEqual(watch.tops(), [60_200, 60_200]);
    assert.equal(watch.books[1]?.counts.gaps, 0);
  });

  test('F23: a crossed book and one that makes no sense are mended the same way; a restart begins it anew', async () => {
    const watch = new Watch(['books']);
    await watch.advance(SECOND_MS);
    const next = (watch.books[0]?.lastUpdate ?? NaN) + 1;
    const frame = {
      topic: 'orderbook.50.BTCUSDT',
      type: 'delta',
      ts: watch.bench.now,
      data: { s: 'BTCUSDT', b: [['70000', '1']], a: [], u: next },
    };
    watch.bench.wire.inject(frame, LINEAR);
    await watch.advance(SECOND_MS);
    assert.equal(watch.books[0]?.counts.crossings, 1);
    watch.bench.wire.inject({ ...frame, data: { ...frame.data, b: [['-1', 'NaN']] } }, LINEAR);
    await watch.advance(SECOND_MS);
    assert.equal(watch.market.malformed, 1);
    watch.bench.act({ act: 'restart' });
    watch.bench.stepped.move(0, 60_300);
    await watch.advance(SECOND_MS);
    assert.equal(watch.books[0]?.state, 'in-sync');
    assert.deepEqual(watch.tops(), [60_300, 60_300]);
  });

  test('F24: rows that cannot be are not believed', async () => {
    const watch = new Watch(['trades']);
    await watch.advance(SECOND_MS);
    const trades = watch.messages.filter(({ kind }) => kind === 'trade.printed').length;
    assert.ok(trades > 0);
    watch.bench.exchange.listings[0]?.trades.splice(0);
    const row = { T: watch.bench.now, s: 'BTCUSDT', S: 'Buy', v: '1', p: '60000' };
    for (const bad of [{ ...row, p: '-1' }, { ...row, p: 'NaN' }, { ...row, v: '0' }, { ...row, p: '9'.repeat(30) }, null]) {
      watch.bench.wire.inject({ topic: 'publicTrade.BTCUSDT', data: [bad] }, LINEAR);
    }
    watch.bench.wire.inject({ topic: 'kline.1.BTCUSDT', data: [{ start: START, open: '1', confirm: 'yes' }] }, LINEAR);
    await watch.advance(100);
    assert.equal(watch.market.malformed, 6);
    assert.ok(watch.messages.every((each) => each.kind !== 'trade.printed' || each.price < 70_000));
  });
});
