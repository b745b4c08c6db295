// The venue without a wire: funding, isolated margin, what the matching says in words, and that the same seed and calls are the same rows.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { amount } from '../../domain/decimal.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { BTC, ETH, START_PRICES, steppedInstruments, SteppedMarket, STEP_MS } from '../../../test/support/stepped-market.ts';
import type { Account } from './account.ts';
import { cancellationOf, refusalOf, WOULD_TAKE } from './answers.ts';
import { Exchange } from './exchange.ts';
import { createSchema, read, tradingStopSchema } from './requests.ts';
import type { PrivateEvent } from './wire.ts';

const BOUNDARY = Date.UTC(2026, 0, 1, 8);

class World {
  readonly stepped: SteppedMarket;
  readonly exchange: Exchange;
  readonly account: Account;
  readonly told: PrivateEvent[] = [];

  constructor(startAt: number, parts: Partial<ConstructorParameters<typeof Exchange>[0]> = {}, stepMs = STEP_MS) {
    this.stepped = new SteppedMarket(steppedInstruments(), startAt, START_PRICES, stepMs);
    const settings = { name: 'one', uid: 1, key: 'key', secret: 'secret', capital: amount('100000') };
    const from = startAt + 2 * stepMs;
    this.exchange = new Exchange({
      market: this.stepped.market,
      accounts: [settings],
      from,
      seed: 1,
      slippageRatio: 0,
      rules: {},
      ...parts,
    });
    const [account] = this.exchange.accounts;
    if (account === undefined) throw new Error('found no account, expected one');
    this.account = account;
  }

  pass(ms: number): void {
    this.exchange.advance(this.exchange.now + ms);
    this.told.push(...this.account.takeEvents());
  }

  move(price: number): void {
    this.stepped.move(0, price);
    this.pass(3 * STEP_MS);
  }

  order(fields: object) {
    const order = this.account.create(read(createSchema, { category: 'linear', symbol: 'BTCUSDT', orderType: 'Market', ...fields }));
    this.told.push(...this.account.takeEvents());
    return order;
  }

  get wallet(): number {
    return Number(this.account.books.walletRow().totalWalletBalance);
  }
}

describe('funding', () => {
  test('is paid by who holds at the boundary, at the rate that the boundary before has settled', () => {
    const world = new World(BOUNDARY - 1_000);
    world.stepped.setFunding(0, 0.0003);
    world.order({ side: 'Buy', qty: '1' });
    const before = world.wallet;
    world.pass(2_000);
    assert.equal(world.exchange.now > BOUNDARY, true);
    const [paid] = world.told.filter(({ topic }) => topic === 'execution').slice(-1);
    assert.ok(paid?.topic === 'execution');
    assert.deepEqual([paid.row.execType, paid.row.execFee, paid.row.feeRate], ['Funding', '6', '0.0001']);
    assert.equal(world.wallet, before - 6);
    assert.deepEqual(world.exchange.listings[0]?.fundings, [{ at: BOUNDARY, rate: 0.0001 }]);
    assert.equal(world.exchange.listings[0]?.fundingRate, 0.0003, 'what holds from now on');
    assert.equal(world.exchange.listings[0]?.nextFundingAt(world.exchange.now), BOUNDARY + 8 * HOUR_MS);
  });

  test('another interval begins with the boundary that was announced', () => {
    const world = new World(BOUNDARY - 10_000, {}, 1_000);
    world.order({ side: 'Sell', qty: '1' });
    const before = world.wallet;
    const listing = world.exchange.listing('BTCUSDT');
    world.exchange.changeFundingInterval(listing, HOUR_MS);
    assert.equal(listing.instrument.fundingIntervalMs, 8 * HOUR_MS);
    world.pass(20_000);
    assert.equal(world.wallet, before + 6);
    assert.equal(listing.nextFundingAt(world.exchange.now), BOUNDARY + HOUR_MS);
    world.pass(HOUR_MS);
    assert.equal(world.wallet, before + 12);
    assert.deepEqual(
      listing.fundings.map(({ at }) => at),
      [BOUNDARY, BOUNDARY + HOUR_MS],
    );
  });
});

describe('isolated margin', () => {
  test('a position can lose what was posted for it, and no more', () => {
    const world = new World(BOUNDARY + 1_000);
    world.account.setMarginMode('ISOLATED_MARGIN');
    world.order({ side: 'Buy', qty: '1' });
    const row = world.account.books.positionRow(world.account.heldOf(world.exchange.listing('BTCUSDT'), 0));
    assert.deepEqual([row.tradeMode, row.positionIM, row.leverage], [1, '6000', '10']);
    const expected = Number(row.liqPrice);
    world.move(expected + 50);
    assert.equal(world.account.positions[0]?.side, 1);
    world.move(expected - 50);
    assert.equal(world.account.positions[0]?.side, 0);
    assert.ok(world.wallet >= 100_000 - 6_000 - 60, `${world.wallet} left`);
    assert.throws(() => world.order({ side: 'Buy', qty: '20' }), { retCode: 110007 });
  });

  test('leverage and mode change only while nothing is held and nothing is open', () => {
    const world = new World(BOUNDARY + 1_000);
    world.account.setMarginMode('ISOLATED_MARGIN');
    world.account.setLeverage('BTCUSDT', '20', '20');
    assert.deepEqual(world.account.leverages, [20, 20], 'one for all in isolated margin');
    const { id } = world.order({ side: 'Buy', qty: '0.1', orderType: 'Limit', price: '50000' });
    assert.throws(() => world.account.setMarginMode('REGULAR_MARGIN'), { retCode: 110028 });
    world.account.cancel({ category: 'linear', symbol: 'BTCUSDT', orderId: id });
    world.account.setMarginMode('REGULAR_MARGIN');
    assert.throws(() => world.account.setMarginMode('REGULAR_MARGIN'), { retCode: 110026 });
    world.account.setMarginMode('PORTFOLIO_MARGIN');
    assert.equal(world.account.isIsolated, false);
  });
});

describe('what an account can afford', () => {
  test('is asked of an order, of more of it, of one that triggers, and of a lower leverage', () => {
    const world = new World(BOUNDARY + 1_000);
    const limit = { side: 'Buy', orderType: 'Limit', price: '50000' };
    // Ten times 100,000, less fees, is 19.8 at 50,000.
    assert.throws(() => world.order({ ...limit, qty: '20' }), { retCode: 110007 });
    const { id, ...order } = world.order({ ...limit, qty: '15' });
    assert.equal(order.status, 'New');
    const amend = { category: 'linear', symbol: 'BTCUSDT', orderId: id } as const;
    assert.throws(() => world.account.amend({ ...amend, qty: '25' }), { retCode: 110007 });
    assert.throws(() => world.account.setLeverage('BTCUSDT', '5', '5'), { retCode: 110007 });
    assert.equal(world.account.leverages[0], 10);
    const waiting = world.order({ side: 'Buy', qty: '10', triggerPrice: '60100', triggerDirection: 1 });
    world.move(60_200);
    assert.deepEqual([waiting.status, waiting.rejectReason, world.account.positions[0]?.side], ['Rejected', 'EC_Others', 0]);
    world.account.cancel(amend);
    assert.equal(world.order({ side: 'Buy', qty: '10' }).status, 'Filled');
    // What closes it and opens as much the other way needs no more.
    assert.equal(world.order({ side: 'Sell', qty: '19' }).status, 'Filled');
  });
});

describe('fills in parts', () => {
  test('rest until they are whole, and what is left when they are cancelled is not filled', () => {
    // Five are traded in a bar: two and a half of them may be ours.
    const world = new World(BOUNDARY + 1_000, { rules: { volumeShareRatio: 0.5 } });
    world.account.setLeverage('BTCUSDT', '100', '100');
    const order = world.order({ side: 'Buy', qty: '6', orderType: 'Limit', price: '60100' });
    world.pass(STEP_MS);
    assert.equal(order.status, 'PartiallyFilled');
    world.account.cancel({ category: 'linear', symbol: 'BTCUSDT', orderId: order.id });
    assert.equal(order.status, 'Cancelled');
    const row = world.account.recentOrders().find(({ id }) => id === order.id);
    assert.ok(row !== undefined && Number(row.filled) > 0 && world.account.positions[0]?.quantity === order.filled);
  });
});

describe('stops', () => {
  test('of several that are due at once the position is closed only once', () => {
    const world = new World(BOUNDARY + 1_000);
    world.order({ side: 'Buy', qty: '1', stopLoss: '59000' });
    world.account.setTradingStop(read(tradingStopSchema, { category: 'linear', symbol: 'BTCUSDT', trailingStop: '500' }));
    world.order({ side: 'Sell', qty: '1', triggerPrice: '59200', triggerDirection: 2, reduceOnly: true });
    world.move(58_000);
    assert.equal(world.account.positions[0]?.side, 0);
    assert.deepEqual(world.account.openOrders(), []);
    const filled = world.account.orders.filter(({ status }) => status === 'Filled');
    assert.equal(filled.length, 2, 'the entry and one of the stops');
  });

  test('trail a short from below', () => {
    const world = new World(BOUNDARY + 1_000);
    world.order({ side: 'Sell', qty: '1' });
    world.account.setTradingStop(read(tradingStopSchema, { category: 'linear', symbol: 'BTCUSDT', trailingStop: '100' }));
    for (const price of [59_900, 59_800, 59_850]) world.move(price);
    const listing = world.exchange.listing('BTCUSDT');
    assert.equal(world.account.stopOf(world.account.heldOf(listing, 0), 'TrailingStop')?.trigger?.direction, 1);
    assert.equal(world.account.positions[0]?.side, -1);
    world.move(59_900);
    assert.equal(world.account.positions[0]?.side, 0, '100 above the best of 59,800');
  });

  test('flipping the position takes the old side’s stops away', () => {
    const world = new World(BOUNDARY + 1_000);
    world.order({ side: 'Buy', qty: '1', stopLoss: '59000', takeProfit: '61000' });
    world.order({ side: 'Sell', qty: '3' });
    assert.deepEqual(world.account.openOrders(), []);
    assert.equal(world.account.positions[0]?.side, -1);
  });
});

describe('the matching’s words', () => {
  test('become Bybit’s', () => {
    const codes = [
      'insufficient margin: exposure 1.00 over equity 1.00 exceeds leverage 1',
      'insufficient margin',
      'reduce-only: there is no position to reduce',
      'notional 1 is below the minimum 5',
      'duplicate client order id x',
    ].map((words) => refusalOf(words).retCode);
    assert.deepEqual(codes, [110007, 110007, 110017, 110094, 10001]);
    assert.ok(WOULD_TAKE.test('post-only: it would have taken liquidity'));
    assert.deepEqual(cancellationOf('some word of tomorrow'), { cancelType: 'UNKNOWN', rejectReason: 'EC_Others' });
  });

  test('are those: each is said by the matching itself', () => {
    const world = new World(BOUNDARY + 1_000);
    const limit = { orderType: 'Limit', side: 'Buy', qty: '0.1', price: '50000' };
    const said = (fields: object): string => {
      const { cancelType, rejectReason } = world.order({ ...limit, ...fields });
      return `${cancelType} ${rejectReason}`;
    };
    assert.equal(said({ timeInForce: 'IOC' }), 'UNKNOWN EC_NoImmediateQtyToFill');
    assert.equal(said({ timeInForce: 'FOK' }), 'UNKNOWN EC_NoEnoughQtyToFill');
    assert.equal(said({ timeInForce: 'PostOnly', price: '60500' }), 'UNKNOWN EC_PostOnlyWillTakeLiquidity');
    const cancelled = world.order(limit);
    world.account.cancel({ category: 'linear', symbol: 'BTCUSDT', orderId: cancelled.id });
    assert.deepEqual(
      [cancelled.status, cancelled.cancelType, cancelled.rejectReason],
      ['Cancelled', 'CancelByUser', 'EC_PerCancelRequest'],
    );
    // Two orders that reduce the same position: the second finds nothing left.
    world.order({ side: 'Buy', qty: '0.1' });
    const [one, other] = ['60300', '60400'].map((price) => world.order({ ...limit, side: 'Sell', price, reduceOnly: true }));
    world.move(60_500);
    assert.deepEqual([one?.status, other?.status, other?.cancelType], ['Filled', 'Cancelled', 'CancelByReduceOnly']);
  });
});

test('the same seed, market and calls give the same rows, ids included', () => {
  const run = (): string => {
    const world = new World(BOUNDARY + 1_000);
    world.order({ side: 'Buy', qty: '0.5', stopLoss: '59000', takeProfit: '60800' });
    world.order({ side: 'Sell', qty: '0.1', orderType: 'Limit', price: '60400' });
    for (const price of [60_200, 60_500, 60_900]) world.move(price);
    return JSON.stringify(world.told);
  };
  assert.equal(run(), run());
});

test('an account asks for symbols, and an unknown one is refused', () => {
  const world = new World(BOUNDARY + 1_000);
  assert.throws(() => world.order({ side: 'Buy', qty: '1', symbol: 'NOPEUSDT' }), { retCode: 10001 });
  assert.deepEqual(
    world.exchange.listings.map(({ instrument }) => instrument.symbol),
    [BTC, ETH],
  );
});
