// Plain orders through unmodified ccxt at servers that speak Binance's protocol, spot and USD-M, and Coinbase's: what is said once and booked
// once whatever the wire does. In wall time, over loopback.
import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { systemTimers } from '../../app/system-timers.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { amount, format, price, quantity } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import type { AdapterReport } from './report-queue.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { OrderIntent } from '../../domain/order.ts';
import { NEVER } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import type { CcxtVenue } from './ccxt-venue.ts';
import { judgeFailure } from './ccxt-judge.ts';
import { openCcxtVenue, type OpenCcxtVenueOptions } from './open-ccxt-venue.ts';
import { orderOf } from '../../../test/contracts/venue.contract.ts';
import { BinanceServer } from '../../../test/conformance/binance-server.ts';
import { coinbaseKeys, CoinbaseServer } from '../../../test/conformance/coinbase-server.ts';

type Market = 'usdm' | 'spot' | 'coinbase';
type AnyServer = BinanceServer | CoinbaseServer;

const COINBASE_KEYS = coinbaseKeys();
const CREDENTIALS = { key: 'key-of-the-test', secret: 'secret-of-the-test' };
const QUICK = { recvWindowMs: 1_000, propagationMs: 100, deadlineMs: 2_000, pollMs: 300, queriesASecond: 80 };
const EXCHANGE = { usdm: 'binanceusdm', spot: 'binance', coinbase: 'coinbase' } as const;
const CREATE = { usdm: 'POST /fapi/v1/order', spot: 'POST /api/v3/order', coinbase: 'POST /api/v3/brokerage/orders' } as const;
const CANCEL = {
  usdm: 'DELETE /fapi/v1/order',
  spot: 'DELETE /api/v3/order',
  coinbase: 'POST /api/v3/brokerage/orders/batch_cancel',
} as const;
const SYMBOL = { usdm: 'BTC/USDT:USDT', spot: 'BTC/USDT', coinbase: 'BTC/USD' } as const;

function instrumentOf(market: Market): Instrument {
  const isSpot = market !== 'usdm';
  return {
    venue: EXCHANGE[market],
    symbol: SYMBOL[market],
    kind: isSpot ? 'spot' : 'linear',
    base: 'BTC',
    quote: market === 'coinbase' ? 'USD' : 'USDT',
    tick: price('0.1'),
    lot: quantity(isSpot ? '0.00001' : '0.001'),
    minimumQuantity: quantity(isSpot ? '0.00001' : '0.001'),
    minimumNotional: amount('5'),
    takerFeeRate: isSpot ? 0.001 : 0.0005,
    makerFeeRate: isSpot ? 0.001 : 0.0002,
    fundingRate: 0,
    fundingIntervalMs: isSpot ? 0 : 8 * 3_600_000,
  };
}

class World {
  readonly server: AnyServer;
  readonly venue: CcxtVenue;
  readonly notices: string[];
  readonly reports: AdapterReport[] = [];

  constructor(server: AnyServer, venue: CcxtVenue, notices: string[]) {
    this.server = server;
    this.venue = venue;
    this.notices = notices;
  }

  said(order: string): string[] {
    while (this.venue.peekAt() !== NEVER) this.reports.push(this.venue.take());
    return this.reports.flatMap((report) => {
      if (!('order' in report) || report.order !== order) return [];
      const fill = report.kind === 'order.filled' && report.fill !== undefined ? ` ${format(report.fill.quantity)}` : '';
      return [`${report.kind.replace('order.', '')}${fill}`];
    });
  }

  reasonOf(order: string): string {
    const report = this.reports.findLast((each) => 'order' in each && each.order === order);
    return report !== undefined && 'reason' in report ? report.reason : '';
  }

  async until(what: string, isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + 10_000;
    while (!isSo()) {
      this.said('');
      if (performance.now() > deadline)
        assert.fail(`expected ${what}, found ${JSON.stringify([this.reports.map((each) => each.kind), this.notices])}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  submit(id: string, parts: Partial<OrderIntent> = {}): void {
    this.venue.submit(orderOf(id, Date.now(), { quantity: quantity('0.01'), ...parts }));
  }

  /** Once nothing is against it: under load the venue may not have said lately what is there. */
  async enter(id: string, parts: Partial<OrderIntent> = {}): Promise<void> {
    await this.until('no block', () => this.venue.blockOf(0) === undefined);
    this.submit(id, parts);
  }

  cancel(order: string): void {
    this.venue.cancel({ at: Date.now(), instrument: 0, order });
  }

  net(): string {
    return format(this.venue.net(0));
  }
}

async function openVenue(
  context: TestContext,
  market: Market,
  address: string,
  notices: string[],
  more: Partial<OpenCcxtVenueOptions> = {},
): Promise<CcxtVenue> {
  const prefix = EXCHANGE[market].toUpperCase();
  const { key, secret } = market === 'coinbase' ? COINBASE_KEYS : CREDENTIALS;
  const venue = await openCcxtVenue({
    exchange: EXCHANGE[market],
    environment: { [`${prefix}_API_KEY`]: key, [`${prefix}_API_SECRET`]: secret },
    address,
    instruments: [instrumentOf(market)],
    timers: systemTimers,
    random: new Random(1),
    settings: QUICK,
    runId: 'run',
    since: Date.now() - 1_000,
    now: () => Date.now(),
    notBefore: () => 0,
    lastPrice: () => 60_000,
    onNotice: (words) => notices.push(words),
    signal: new AbortController().signal,
    ...more,
  });
  context.after(() => venue.stop());
  return venue;
}

async function open(context: TestContext, market: Market, more: Partial<OpenCcxtVenueOptions> = {}): Promise<World> {
  const server = market === 'coinbase' ? new CoinbaseServer(COINBASE_KEYS) : new BinanceServer(market, CREDENTIALS);
  const address = await server.listen();
  const notices: string[] = [];
  const venue = await openVenue(context, market, address, notices, more);
  context.after(() => server.close());
  const world = new World(server, venue, notices);
  venue.start();
  await world.until('a reconciled venue', () => venue.isReconciled);
  return world;
}

describe('plain orders through ccxt', { timeout: 60_000, concurrency: 2 }, () => {
  for (const market of ['usdm', 'spot', 'coinbase'] as const) {
    const create = CREATE[market];
    describe(market === 'coinbase' ? 'Coinbase' : `Binance ${market}`, { timeout: 50_000, concurrency: 4 }, () => {
      test('market and limit orders fill, rest and are cancelled; each fill is booked once', async (context) => {
        const world = await open(context, market);
        await world.enter('1-1');
        await world.until('a fill', () => world.said('1-1').includes('filled 0.01'));
        assert.equal(world.net(), '0.01');
        await world.enter('1-2', { type: 'limit', limitPrice: price('50000.077') });
        await world.until('a resting order', () => world.said('1-2').includes('accepted'));
        assert.equal(world.server.open[0]?.price, market === 'coinbase' ? 50_000.07 : 50_000, 'on the tick, and no worse');
        world.server.fillPart('run-1-2', 0.004);
        await world.until('a part', () => world.said('1-2').includes('filled 0.004'));
        world.cancel('1-2');
        await world.until('an end', () => world.said('1-2').includes('cancelled'));
        assert.deepEqual(world.said('1-2'), ['accepted', 'filled 0.004', 'cancelled']);
        // Polls overlap on purpose.
        const before = world.venue.counts.reconciliations;
        await world.until('more polls', () => world.venue.counts.reconciliations > before + 1);
        assert.equal(world.net(), '0.014');
        assert.equal(world.venue.blockOf(0), undefined);
        assert.deepEqual(world.notices, []);
        const fills = world.reports.flatMap((report) => (report.kind === 'order.filled' && report.fill !== undefined ? [report.fill] : []));
        assert.equal(format(fills[0]?.fee ?? amount('0')), market === 'usdm' ? '0.3' : '0.6', 'in quote currency');
      });

      test('what an order of ours fills counts, though by the clock of the venue the run had not begun', async (context) => {
        const world = await open(context, market, { since: Date.now() + 10_000 });
        await world.enter('1-1');
        await world.until('a fill', () => world.said('1-1').includes('filled 0.01'));
        assert.equal(world.net(), '0.01');
      });

      test('a lost answer, one of HTML, and one that says unknown leave the order in doubt until it is found: one order, one fill', async (context) => {
        const world = await open(context, market);
        for (const [index, fault] of (['accept-reset', 'accept-html', 'accept-unknown'] as const).entries()) {
          const id = `${index + 1}-1`;
          world.server.faults.push({ route: create, fault });
          await world.enter(id);
          await world.until('doubt', () => world.venue.counts.doubts === index + 1);
          await world.until('a fill', () => world.said(id).includes('filled 0.01'));
          assert.equal(world.server.named(`run-${id}`).length, 1);
        }
        assert.equal(world.net(), '0.03');
        assert.equal(world.venue.counts.foreign, 0);
        await world.until('no block', () => world.venue.blockOf(0) === undefined);
      });

      test('a request that was lost is proven not to have arrived: an entry is refused, a stop is sent again', async (context) => {
        const world = await open(context, market);
        world.server.faults.push({ route: create, fault: 'lose' });
        await world.enter('1-1');
        await world.until('doubt', () => world.venue.blockOf(0) === 'order 1-1 is in doubt');
        world.submit('1-2');
        await world.until('a refusal', () => world.said('1-2').includes('rejected'));
        assert.match(world.reasonOf('1-2'), /in doubt/);
        await world.until('a proof', () => world.said('1-1').includes('rejected'));
        assert.match(world.reasonOf('1-1'), /never received/);
        assert.equal(world.server.named('run-1-1').length, 0);
        await world.enter('2-1');
        await world.until('a fill', () => world.said('2-1').includes('filled 0.01'));
        world.server.faults.push({ route: create, fault: 'lose' });
        await world.enter('2-2', {
          side: 'sell',
          role: 'stop',
          type: 'limit',
          limitPrice: price('70000'),
          quantity: quantity('0.009'),
          reduceOnly: true,
        });
        await world.until('it rests', () => world.said('2-2').includes('accepted'));
        assert.equal(world.venue.counts.resent, 1);
        assert.equal(world.server.named('run-2-2').length, 1);
      });

      test('an id that is taken is our own order, and no refusal', async (context) => {
        const world = await open(context, market);
        world.server.faults.push({ route: create, fault: 'accept-reset' });
        await world.enter('1-1', { type: 'limit', limitPrice: price('50000') });
        await world.until('it is found', () => world.said('1-1').includes('accepted'));
        // As a process that has sent it before and does not know.
        const notices: string[] = [];
        const again = await openVenue(context, market, world.server.address, notices);
        const other = new World(world.server, again, notices);
        again.start();
        await other.until('a reconciled venue', () => again.isReconciled);
        await other.enter('1-1', { type: 'limit', limitPrice: price('50000') });
        await other.until('it is found', () => other.said('1-1').includes('accepted'));
        assert.equal(world.server.named('run-1-1').length, 1);
      });

      test('a cancel that races a fill, and one whose answer is lost', async (context) => {
        const world = await open(context, market);
        await world.enter('1-1', { type: 'limit', limitPrice: price('50000') });
        await world.until('it rests', () => world.said('1-1').includes('accepted'));
        world.server.move(49_000);
        world.cancel('1-1');
        await world.until('the fill wins', () => world.said('1-1').includes('filled 0.01'));
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert.deepEqual(world.said('1-1'), ['accepted', 'filled 0.01']);
        await world.enter('1-2', { type: 'limit', limitPrice: price('40000') });
        await world.until('it rests', () => world.said('1-2').includes('accepted'));
        world.server.faults.push({ route: CANCEL[market], fault: 'accept-reset' });
        world.cancel('1-2');
        await world.until('an end', () => world.said('1-2').includes('cancelled'));
        assert.equal(world.server.open.length, 0);
      });

      test('what the venue refuses is refused once; limits of requests freeze it, and a refused key lets nothing in', async (context) => {
        const world = await open(context, market);
        await world.enter('1-1', { type: 'post-only', limitPrice: price('61000') });
        await world.until('a refusal', () => world.said('1-1').includes('rejected'));
        await world.enter('1-2', { quantity: quantity('0.0000001') });
        await world.until('a refusal', () => world.said('1-2').includes('rejected'));
        assert.equal(world.server.named('run-1-2').length, 0, 'it never left');
        world.server.faults.push({ route: create, fault: { status: 429, code: -1003, words: 'Too many requests.', retryAfterSeconds: 1 } });
        await world.enter('1-3');
        await world.until('a freeze', () => /left alone|in doubt/.test(world.venue.blockOf(0) ?? ''));
        const [asked, at] = [world.server.requests.length, performance.now()];
        await new Promise((resolve) => setTimeout(resolve, 500));
        assert.ok(
          world.server.requests.length <= asked + 1 || performance.now() - at > 1_000,
          'nobody asks while it wants to be left alone',
        );
        await world.until('a proof', () => world.said('1-3').includes('rejected'));
        await world.until('no block', () => world.venue.blockOf(0) === undefined);
        world.server.faults.push({ route: create, fault: { status: 401, code: -2014, words: 'API-key format invalid.' } });
        await world.enter('1-4');
        await world.until('a refusal', () => world.said('1-4').includes('rejected'));
        world.submit('1-5');
        await world.until('a refusal', () => world.said('1-5').includes('rejected'));
        assert.match(world.reasonOf('1-5'), /refused the key/);
        const lines = COINBASE_KEYS.secret.split('\n').filter((line) => line.length > 20 && !line.startsWith('-'));
        for (const words of world.notices) {
          assert.doesNotMatch(words, /key-of-the-test|secret-of-the-test|eyJ/);
          for (const line of lines) assert.ok(!words.includes(line));
        }
      });

      test('what another hand trades is found and lets nothing in; a clock that is off is measured', async (context) => {
        const world = await open(context, market);
        await world.enter('1-1');
        await world.until('a fill', () => world.said('1-1').includes('filled 0.01'));
        world.server.tradeByHand('BUY', 0.02);
        await world.until('a block', () => world.venue.blockOf(0) === 'the position at the venue is not ours');
        world.submit('1-2');
        await world.until('a refusal', () => world.said('1-2').includes('rejected'));
        assert.equal(world.venue.counts.foreign, 1);
        world.server.tradeByHand('SELL', market === 'spot' ? 0.01998 : 0.02);
        await world.until('agreement', () => world.venue.blockOf(0) === undefined);
        world.server.aheadMs = 20_000;
        await world.enter('1-3', { type: 'limit', limitPrice: price('40000'), side: 'buy', role: 'stop' });
        await world.until('it rests', () => world.said('1-3').includes('accepted'));
      });

      test('a new process goes on where the old one was killed, and books what filled meanwhile', async (context) => {
        const world = await open(context, market);
        await world.enter('1-1', { type: 'limit', limitPrice: price('50000') });
        await world.until('it rests', () => world.said('1-1').includes('accepted'));
        const bytes = new ByteWriter();
        world.venue.save(bytes);
        world.venue.stop();
        world.server.move(49_000);
        const notices: string[] = [];
        const next = new World(world.server, await openVenue(context, market, world.server.address, notices), notices);
        next.venue.restore(new ByteReader(bytes.view()));
        next.venue.start();
        await next.until('the fill', () => next.said('1-1').includes('filled 0.01'));
        assert.equal(next.net(), '0.01');
      });

      if (market === 'coinbase') {
        test('a purchase at the market is a limit that does not rest, and a stop is refused', async (context) => {
          const world = await open(context, market);
          await world.enter('1-1');
          await world.until('a fill', () => world.said('1-1').includes('filled 0.01'));
          const [bought] = (world.server as CoinbaseServer).named('run-1-1');
          assert.deepEqual(bought?.configuration, { sor_limit_ioc: { base_size: '0.01', limit_price: '60600' } });
          const stop = { side: 'sell', type: 'stop', role: 'stop', stopPrice: price('58000'), reduceOnly: true } as const;
          await world.enter('1-2', stop);
          await world.until('a refusal', () => world.said('1-2').includes('rejected'));
          assert.match(world.reasonOf('1-2'), /no stop orders/);
          await world.enter('1-3', { side: 'sell', reduceOnly: true });
          await world.until('it is sold', () => world.said('1-3').includes('filled 0.01'));
          assert.equal(world.server.balances.get('BTC'), 0);
        });

        test('F36: money that goes is found beside what was traded, and a process that has heard of it says it no more', async (context) => {
          const capital = amount('100000');
          const world = await open(context, market, { capital });
          const { balances } = world.server;
          const counted = (reports: readonly AdapterReport[]): readonly string[] =>
            reports.flatMap((report) => (report.kind === 'account.reported' && report.money !== undefined ? [format(report.money)] : []));
          const polls = async (of: World, count: number): Promise<void> => {
            const until = of.venue.counts.reconciliations + count;
            await of.until('more polls', () => of.venue.counts.reconciliations >= until);
          };
          await world.enter('1-1');
          await world.until('a fill', () => world.said('1-1').includes('filled 0.01'));
          await polls(world, 3);
          assert.deepEqual(counted(world.reports), [], 'what was bought, and its fee, is no transfer');
          balances.set('USD', (balances.get('USD') ?? NaN) - 30_000);
          await world.until('it is found', () => counted(world.reports).length > 0);
          assert.deepEqual(counted(world.reports), ['70000']);
          assert.match(world.notices.join(), /30000 have gone that no trade of this run explains/);
          world.venue.stop();
          // A new process, that has read what was recorded.
          const again = await openVenue(context, market, world.server.address, world.notices, { capital });
          const other = new World(world.server, again, world.notices);
          other.submit('1-1');
          for (const report of world.reports) again.recall(report);
          again.start();
          await other.until('a reconciled venue', () => again.isReconciled);
          await polls(other, 2);
          assert.deepEqual([counted(other.reports), other.net()], [[], '0.01']);
        });
        return;
      }
      test('stops rest with the entry, and close it', async (context) => {
        const world = await open(context, market);
        const stop = orderOf('1-2', Date.now(), {
          side: 'sell',
          type: 'stop',
          role: 'stop',
          quantity: quantity('0.01'),
          stopPrice: price('58000'),
          reduceOnly: true,
        });
        await world.enter('1-1', { attached: [stop] });
        await world.until('a stop', () => world.server.open.length === 1);
        assert.deepEqual([world.server.open[0]?.stopPrice, world.server.open[0]?.side], [58_000, 'SELL']);
        await world.until('that rests', () => world.said('1-2').includes('accepted'));
        world.server.move(57_000);
        const sold = market === 'spot' ? 'filled 0.00999' : 'filled 0.01';
        await world.until('it has closed', () => world.said('1-2').includes(sold));
        assert.equal(world.venue.counts.foreign, 0);
        await world.until('no block', () => world.venue.blockOf(0) === undefined);
      });
    });
  }
});

test('an exchange that ccxt does not know, and keys that are not there, are wrong arguments', async (context) => {
  const open_ = (exchange: string) =>
    openVenue(context, 'usdm', 'http://127.0.0.1:1', [], { exchange, environment: { NOBODY_API_KEY: 'a', NOBODY_API_SECRET: 'b' } });
  await assert.rejects(open_('nobody'), (error) => error instanceof BallastError && error.code === 'VENUE_UNKNOWN' && error.exitCode === 2);
  await assert.rejects(
    open_('kraken'),
    (error) => error instanceof BallastError && error.code === 'CREDENTIALS_MISSING' && /KRAKEN_API_KEY/.test(error.message),
  );
});

test('a failure is a refusal only by a class that no venue earns by accident', () => {
  class ExchangeError extends Error {}
  class InvalidOrder extends ExchangeError {}
  class OrderNotFound extends InvalidOrder {}
  class OperationFailed extends Error {}
  class NetworkError extends OperationFailed {}
  class RequestTimeout extends NetworkError {}
  const judged = (error: unknown): string => judgeFailure(error, (words) => words).kind;
  assert.equal(judged(new InvalidOrder('bad price')), 'refused');
  assert.equal(judged(new InvalidOrder('binance {"code":-4116,"msg":"ClientOrderId is duplicated."}')), 'taken');
  assert.equal(judged(new OrderNotFound('gone')), 'gone');
  assert.equal(judged(new RequestTimeout('late')), 'unknown');
  assert.equal(judged(new ExchangeError('a code that nobody knows')), 'unknown');
  assert.equal(judged(new InvalidOrder('execution status unknown')), 'unknown');
  const refusal = (error: string): string => `coinbase {"success":false,"error_response":{"error":"${error}","message":""}}`;
  assert.equal(judged(new ExchangeError(refusal('INVALID_LIMIT_PRICE_POST_ONLY'))), 'refused');
  assert.equal(judged(new ExchangeError(refusal('UNKNOWN_FAILURE_REASON'))), 'unknown');
  assert.equal(judged(new TypeError('of an answer that is none')), 'unknown');
});
