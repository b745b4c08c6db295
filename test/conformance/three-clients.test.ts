// The flows of a trading client, each carried out by three of them that do not know each other: ccxt (REST and streams), bybit-api (REST and its
// socket for orders) and this project's own adapter, over REST and over the socket for orders. Every one trades on an account of its own, side by
// side on one market, and all three watch each of the accounts: what they see of one account must be the same, and the accounts must end with the
// same orders, fills, position and balance. A stop that trails the adapter moves by itself, as the engine does
// (docs/decisions/2026-11-22-trailing-stops-are-moved.md).
//
// The numbers are the rows of the list of independent cases that the flows are taken from: 1 what ccxt's own fixtures send, 2 what its parser
// makes of answers, 3 what its streams are told, 4 kinds of order events, 5 ambiguous and refused commands, 6 life of an order, funding and
// cancel-all of a connector's tests, 7 the types of bybit-api (wire-types.test.ts), 8 both clients in one test, compared.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { RestClientV5, WebsocketAPIClient } from 'bybit-api';
import type { pro } from 'ccxt';
import { format, price, quantity, type Quantity } from '../../src/domain/decimal.ts';
import type { AdapterReport } from '../../src/venues/ccxt/report-queue.ts';
import type { OrderIntent } from '../../src/domain/order.ts';
import { NEVER } from '../../src/domain/time.ts';
import type { BybitVenue } from '../../src/venues/ccxt/bybit-venue.ts';
import { orderOf } from '../contracts/venue.contract.ts';
import { disaster } from '../support/adapter-bench.ts';
import { BTC, START_PRICES, STEP_MS, steppedInstruments } from '../support/stepped-market.ts';
import { agree, Bench, gather, until } from './clients.ts';

type Ccxt = InstanceType<typeof pro.bybit>;
type Side = 'buy' | 'sell';

/** One order as every client can say it. Of what the venue sets for a position none has the name. */
interface SeenOrder {
  readonly name: string;
  readonly side: Side;
  readonly quantity: number;
  readonly filled: number;
  readonly average: number;
  readonly isOpen: boolean;
}
interface SeenFill {
  readonly side: Side;
  readonly price: number;
  readonly quantity: number;
  readonly fee: number;
  readonly isMaker: boolean;
}
interface Seen {
  readonly orders: readonly SeenOrder[];
  readonly fills: readonly SeenFill[];
  readonly position: number;
  readonly balance: number;
}

interface Limit {
  readonly side: Side;
  readonly quantity: string;
  readonly price: string;
  readonly kind?: 'post-only' | 'ioc' | 'fok';
}

/** What a flow asks of whoever trades. Names are the client's own ids. */
interface Trader {
  market(name: string, side: Side, quantity: string, more?: { readonly reduces?: boolean; readonly stopLoss?: string }): Promise<void>;
  limit(name: string, order: Limit): Promise<void>;
  conditional(name: string, side: Side, quantity: string, trigger: string, reduces: boolean): Promise<void>;
  amend(name: string, to: { readonly price: string; readonly quantity: string }): Promise<void>;
  cancel(name: string): Promise<void>;
  batch(orders: readonly (Limit & { readonly name: string })[]): Promise<void>;
  cancelAll(names: readonly string[]): Promise<void>;
  /** A take-profit of the position, and its stop-loss away. */
  takeProfit(name: string, side: Side, quantity: string, level: string): Promise<void>;
  /** Over the socket for orders, where the client has one. */
  overSocket(name: string, order: Limit): Promise<void>;
  /** Whether the venue said no. */
  refuses(name: string, order: Limit): Promise<boolean>;
  /** Follows the best price at this distance until the position is closed; the test moves the market by what it returns. */
  trail(name: string, distance: number): Promise<(best: number) => Promise<void>>;
}

const PREFIX = 'own-';
const linear = { category: 'linear', symbol: 'BTCUSDT' } as const;
const capital = (side: Side): 'Buy' | 'Sell' => (side === 'buy' ? 'Buy' : 'Sell');
const TIME_IN_FORCE = { 'post-only': 'PostOnly', ioc: 'IOC', fok: 'FOK' } as const;

// ---- who trades --------------------------------------------------------------------------------------------------------

function byCcxt(ccxt: Ccxt): Trader {
  const ids = new Map<string, string>();
  const named = (name: string) => ({ clientOrderId: PREFIX + name });
  const kept = (name: string, { id }: { readonly id?: string | undefined }): void => void ids.set(name, id ?? '');
  const kindOf = ({ kind }: Limit) =>
    kind === 'post-only' ? { postOnly: true } : kind === undefined ? {} : { timeInForce: TIME_IN_FORCE[kind] };
  const limit = async (name: string, order: Limit): Promise<void> =>
    kept(
      name,
      await ccxt.createOrder(BTC, 'limit', order.side, Number(order.quantity), Number(order.price), { ...named(name), ...kindOf(order) }),
    );
  return {
    limit,
    async market(name, side, amount, { reduces = false, stopLoss } = {}) {
      const stop = stopLoss === undefined ? {} : { stopLoss: { triggerPrice: Number(stopLoss) } };
      const more = { ...named(name), ...(reduces ? { reduceOnly: true } : {}), ...stop };
      kept(name, await ccxt.createOrder(BTC, 'market', side, Number(amount), undefined, more));
    },
    async conditional(name, side, amount, trigger, reduces) {
      const direction = side === 'sell' ? 'below' : 'above';
      const more = { ...named(name), triggerPrice: Number(trigger), triggerDirection: direction, ...(reduces ? { reduceOnly: true } : {}) };
      kept(name, await ccxt.createOrder(BTC, 'market', side, Number(amount), undefined, more));
    },
    async amend(name, to) {
      await ccxt.editOrder(ids.get(name) ?? '', BTC, 'limit', 'buy', Number(to.quantity), Number(to.price));
    },
    async cancel(name) {
      await ccxt.cancelOrder(ids.get(name) ?? '', BTC);
    },
    async batch(orders) {
      await ccxt.createOrders(
        orders.map((each) => ({
          symbol: BTC,
          type: 'limit',
          side: each.side,
          amount: Number(each.quantity),
          price: Number(each.price),
          params: named(each.name),
        })),
      );
    },
    async cancelAll() {
      await ccxt.cancelAllOrders(BTC);
    },
    async takeProfit(_name, side, _amount, level) {
      // Both of a position at once: a new take-profit, and no stop-loss.
      await ccxt.privatePostV5PositionTradingStop({ ...linear, positionIdx: 0, takeProfit: level, stopLoss: '0', side: capital(side) });
    },
    async overSocket(name, { side, quantity: amount, price: at }) {
      kept(name, await ccxt.createOrderWs(BTC, 'limit', side, Number(amount), Number(at), named(name)));
    },
    async refuses(name, order) {
      return limit(name, order).then(
        () => false,
        () => true,
      );
    },
    async trail(_name, distance) {
      await ccxt.createOrder(BTC, 'market', 'sell', 0.1, undefined, { trailingAmount: String(distance) });
      return () => Promise.resolve();
    },
  };
}

function byBybitApi(rest: RestClientV5, socket: WebsocketAPIClient): Trader {
  const rowOf = (name: string, { side, quantity: qty, price: at, kind }: Limit) => ({
    symbol: 'BTCUSDT',
    side: capital(side),
    orderType: 'Limit' as const,
    qty,
    price: at,
    orderLinkId: PREFIX + name,
    ...(kind === undefined ? {} : { timeInForce: TIME_IN_FORCE[kind] }),
  });
  const done = ({ retCode, retMsg }: { readonly retCode: number; readonly retMsg: string }): void => assert.equal(retCode, 0, retMsg);
  return {
    async limit(name, order) {
      done(await rest.submitOrder({ category: 'linear', ...rowOf(name, order) }));
    },
    async market(name, side, qty, { reduces = false, stopLoss } = {}) {
      const stop = stopLoss === undefined ? {} : { stopLoss };
      const row = { ...linear, side: capital(side), orderType: 'Market' as const, qty, orderLinkId: PREFIX + name, reduceOnly: reduces };
      done(await rest.submitOrder({ ...row, ...stop }));
    },
    async conditional(name, side, qty, triggerPrice, reduceOnly) {
      const row = { ...linear, side: capital(side), orderType: 'Market' as const, qty, orderLinkId: PREFIX + name, reduceOnly };
      done(await rest.submitOrder({ ...row, triggerPrice, triggerDirection: side === 'sell' ? 2 : 1 }));
    },
    async amend(name, { price: at, quantity: qty }) {
      done(await rest.amendOrder({ ...linear, orderLinkId: PREFIX + name, price: at, qty }));
    },
    async cancel(name) {
      done(await rest.cancelOrder({ ...linear, orderLinkId: PREFIX + name }));
    },
    async batch(orders) {
      done(
        await rest.batchSubmitOrders(
          'linear',
          orders.map((each) => rowOf(each.name, each)),
        ),
      );
    },
    async cancelAll() {
      done(await rest.cancelAllOrders(linear));
    },
    async takeProfit(_name, _side, _amount, level) {
      done(await rest.setTradingStop({ ...linear, positionIdx: 0, takeProfit: level, stopLoss: '0' }));
    },
    async overSocket(name, order) {
      assert.equal((await socket.submitNewOrder({ category: 'linear', ...rowOf(name, order) })).retCode, 0);
    },
    async refuses(name, order) {
      return (await rest.submitOrder({ category: 'linear', ...rowOf(name, order) })).retCode !== 0;
    },
    async trail(_name, distance) {
      done(await rest.setTradingStop({ ...linear, positionIdx: 0, trailingStop: String(distance) }));
      return () => Promise.resolve();
    },
  };
}

/** The adapter of one account, and what it has said. */
class Adapter {
  readonly venue: BybitVenue;
  readonly notices: string[];
  readonly #reports: AdapterReport[] = [];
  readonly #intents = new Map<string, OrderIntent>();

  constructor(venue: BybitVenue, notices: string[]) {
    this.venue = venue;
    this.notices = notices;
  }

  get reports(): readonly AdapterReport[] {
    while (this.venue.peekAt() !== NEVER) this.#reports.push(this.venue.take());
    return this.#reports;
  }

  kindsOf(name: string): readonly string[] {
    return this.reports.flatMap((report) => ('order' in report && report.order === name ? [report.kind] : []));
  }

  async #submit(name: string, parts: Partial<OrderIntent>): Promise<void> {
    const intent = orderOf(name, Date.now(), parts);
    for (const each of [intent, ...intent.attached]) this.#intents.set(each.id, each);
    this.venue.submit(intent);
    await until(
      `an answer about ${name}`,
      () => this.kindsOf(name).length,
      (said) => said > 0,
    );
  }

  /** Its way through the flows. */
  get trader(): Trader {
    const limit = (name: string, { side, quantity: amount, price: at, kind }: Limit): Promise<void> =>
      this.#submit(name, {
        side,
        type: kind === 'post-only' ? 'post-only' : 'limit',
        quantity: quantity(amount),
        limitPrice: price(at),
        ...(kind === 'ioc' || kind === 'fok' ? { timeInForce: kind } : {}),
      });
    const cancel = async (name: string): Promise<void> => {
      this.venue.cancel({ at: Date.now(), instrument: 0, order: name });
      await until(
        `${name} cancelled`,
        () => this.kindsOf(name),
        (said) => said.includes('order.cancelled'),
      );
    };
    return {
      limit,
      cancel,
      market: (name, side, amount, { reduces = false, stopLoss } = {}) => {
        const stop = stopLoss === undefined ? [] : [disaster(`${name}-stop`, Date.now(), stopLoss, { quantity: quantity(amount) })];
        return this.#submit(name, { side, quantity: quantity(amount), reduceOnly: reduces, attached: stop });
      },
      conditional: (name, side, amount, trigger, reduces) =>
        this.#submit(name, {
          side,
          type: 'stop',
          role: reduces ? 'stop' : 'target',
          quantity: quantity(amount),
          stopPrice: price(trigger),
          reduceOnly: reduces,
        }),
      amend: async (name, to) => {
        this.venue.amend({ at: Date.now(), instrument: 0, order: name, limitPrice: price(to.price), quantity: quantity(to.quantity) });
        const intent = this.#intents.get(name);
        if (intent !== undefined) this.#intents.set(name, { ...intent, quantity: quantity(to.quantity) });
        await until(
          `${name} amended`,
          () => this.kindsOf(name),
          (said) => said.includes('order.repriced'),
        );
      },
      // In one instant, as the engine hands over what it wants.
      batch: async (orders) => {
        await Promise.all(orders.map((each) => limit(each.name, each)));
      },
      cancelAll: async (names) => {
        await Promise.all(names.map(cancel));
      },
      // The stop of the position stays with it: the adapter never takes it away.
      takeProfit: (name, side, amount, level) =>
        this.#submit(name, { side, type: 'take-profit', quantity: quantity(amount), stopPrice: price(level), reduceOnly: true }),
      overSocket: limit,
      refuses: async (name, order) => {
        await limit(name, order);
        return this.kindsOf(name).includes('order.rejected');
      },
      trail: async (name, distance) => {
        const level = (best: number) => price(String(best - distance));
        await this.#submit(name, {
          side: 'sell',
          type: 'stop',
          role: 'stop',
          quantity: quantity('0.1'),
          stopPrice: level(START),
          reduceOnly: true,
        });
        return async (best) => {
          this.venue.amend({ at: Date.now(), instrument: 0, order: name, stopPrice: level(best) });
          await until(
            'a stop that has moved',
            () => this.kindsOf(name).filter((kind) => kind === 'order.amended').length,
            (moved) => moved > 0,
          );
        };
      },
    };
  }

  /** Its own orders by name, every fill of the account, position and balance. */
  seen(): Seen {
    const fills: SeenFill[] = [];
    const orders: SeenOrder[] = [];
    const sideOf = new Map([...this.#intents].map(([id, { side }]) => [id, side]));
    for (const report of this.reports) {
      // What others trade on its account it adopts.
      if (report.kind === 'account.reported' && report.fill !== undefined) fills.push(seenFill(report.side, report.fill));
      else if (report.kind === 'position.liquidated') fills.push(seenFill(report.side, report.fill));
      else if (report.kind === 'order.filled' && report.fill !== undefined) {
        const side = sideOf.get(report.order);
        // Of somebody else's order it does not know the side.
        fills.push(seenFill(side ?? 'buy', report.fill));
      }
    }
    for (const [name, intent] of this.#intents) {
      // The stop of a position has no name at the venue.
      if (intent.wholePosition) continue;
      const said = this.reports.filter((report) => 'order' in report && report.order === name);
      if (said.some(({ kind }) => kind === 'order.rejected') && !this.#wasTaken(name)) continue;
      const own = said.flatMap((report) => (report.kind === 'order.filled' && report.fill !== undefined ? [report.fill] : []));
      const filled = own.reduce((sum, fill) => sum + Number(format(fill.quantity)), 0);
      const value = own.reduce((sum, fill) => sum + Number(format(fill.quantity)) * Number(format(fill.price)), 0);
      const whole = Number(format(intent.quantity));
      const hasEnded = said.some(({ kind }) => kind === 'order.cancelled' || kind === 'order.rejected') || filled >= whole - 1e-9;
      orders.push({
        name,
        side: intent.side,
        quantity: whole,
        filled: round(filled),
        average: filled === 0 ? 0 : round(value / filled),
        isOpen: !hasEnded,
      });
    }
    return {
      orders: byName(orders),
      fills: byPrice(fills),
      position: Number(format(this.venue.net(0))),
      balance: Number(format(this.venue.balance('USDT') ?? quantity('0'))),
    };
  }

  /** The venue had it: a post-only order is acknowledged and then cancelled. */
  #wasTaken(name: string): boolean {
    return this.reports.some((report) => 'order' in report && report.order === name && /EC_/.test('reason' in report ? report.reason : ''));
  }
}

const round = (value: number): number => Number(value.toFixed(9));
const byName = (orders: readonly SeenOrder[]): readonly SeenOrder[] => orders.toSorted((one, other) => one.name.localeCompare(other.name));
const byPrice = (fills: readonly SeenFill[]): readonly SeenFill[] =>
  fills.toSorted(
    (one, other) => one.price - other.price || one.quantity - other.quantity || one.fee - other.fee || one.side.localeCompare(other.side),
  );

function seenFill(
  side: Side,
  fill: {
    readonly price: Parameters<typeof format>[0];
    readonly quantity: Quantity;
    readonly fee: Parameters<typeof format>[0];
    readonly liquidity: string;
  },
): SeenFill {
  return {
    side,
    price: Number(format(fill.price)),
    quantity: Number(format(fill.quantity)),
    fee: Number(format(fill.fee)),
    isMaker: fill.liquidity === 'maker',
  };
}

async function seenByCcxt(ccxt: Ccxt): Promise<Seen> {
  const rows = [...(await ccxt.fetchOpenOrders(BTC)), ...(await ccxt.fetchCanceledAndClosedOrders(BTC, undefined, 50))];
  const trades = await ccxt.fetchMyTrades(BTC, undefined, 100);
  const [position] = await ccxt.fetchPositions([BTC]);
  const balance = await ccxt.fetchBalance();
  return {
    orders: byName(
      rows.flatMap(({ clientOrderId = '', side, amount = 0, filled = 0, average = 0, status }) =>
        clientOrderId === '' || clientOrderId === undefined
          ? []
          : [
              {
                name: clientOrderId.slice(PREFIX.length),
                side: side === 'buy' ? ('buy' as const) : ('sell' as const),
                quantity: amount,
                filled,
                average: round(average),
                isOpen: status === 'open',
              },
            ],
      ),
    ),
    fills: byPrice(
      trades.map(({ side, price: at = 0, amount, fee, takerOrMaker }) => ({
        side: side === 'buy' ? ('buy' as const) : ('sell' as const),
        price: at,
        quantity: amount ?? 0,
        fee: fee?.cost ?? 0,
        isMaker: takerOrMaker === 'maker',
      })),
    ),
    position: (position?.contracts ?? 0) * (position?.side === 'short' ? -1 : 1),
    balance: balance['USDT']?.total ?? 0,
  };
}

async function seenByBybitApi(rest: RestClientV5): Promise<Seen> {
  const { list: open } = (await rest.getActiveOrders({ ...linear, limit: 50 })).result;
  const { list: ended } = (await rest.getHistoricOrders({ ...linear, limit: 50 })).result;
  const { list: executions } = (await rest.getExecutionList({ ...linear, execType: 'Trade', limit: 100 })).result;
  const [position] = (await rest.getPositionInfo(linear)).result.list;
  const [wallet] = (await rest.getWalletBalance({ accountType: 'UNIFIED', coin: 'USDT' })).result.list;
  const side = (text: string): Side => (text === 'Buy' ? 'buy' : 'sell');
  return {
    orders: byName(
      [...open, ...ended].flatMap((row) =>
        row.orderLinkId === ''
          ? []
          : [
              {
                name: row.orderLinkId.slice(PREFIX.length),
                side: side(row.side),
                quantity: Number(row.qty),
                filled: Number(row.cumExecQty),
                average: round(Number(row.avgPrice)),
                isOpen: open.includes(row),
              },
            ],
      ),
    ),
    fills: byPrice(
      executions.map((row) => ({
        side: side(row.side),
        price: Number(row.execPrice),
        quantity: Number(row.execQty),
        fee: Number(row.execFee),
        isMaker: row.isMaker,
      })),
    ),
    position: Number(position?.size ?? 0) * (position?.side === 'Sell' ? -1 : 1),
    balance: Number(wallet?.coin[0]?.walletBalance ?? 0),
  };
}

// ---- the three accounts ------------------------------------------------------------------------------------------------

const SEATS = ['ccxt', 'bybit-api', 'adapter', 'adapter over its socket'] as const;

interface Seat {
  readonly name: (typeof SEATS)[number];
  readonly key: string;
  readonly trader: Trader;
  readonly ccxt: Ccxt;
  readonly rest: RestClientV5;
  readonly adapter: Adapter;
  /** Rows that ccxt's streams have told. */
  readonly streamed: { readonly trades: readonly { readonly id?: string | undefined }[] };
}

const [START = 0] = START_PRICES;
/** A bar has five of it, and all of them may be ours: what is more fills in parts. */
const bench = new Bench(
  SEATS.length,
  { rules: { volumeShareRatio: 1 } },
  { instruments: steppedInstruments().slice(0, 1), prices: [START] },
);
let seats: readonly Seat[] = [];

/** What has reached the venue: over HTTP its path, over the socket for orders its operation; whose it was, and what it said. */
const arrived: { readonly key: string; readonly what: string; readonly text: string }[] = [];
const { request, receive } = { request: bench.server.request.bind(bench.server), receive: bench.server.receive.bind(bench.server) };
bench.server.request = (asked, now) => {
  const key = asked.headers['x-bapi-api-key'] ?? '';
  arrived.push({ key, what: asked.path, text: asked.body });
  // Each account from a machine of its own: what one address may ask is less than all of them look.
  return request({ ...asked, address: key === '' ? asked.address : key }, now);
};
bench.server.receive = (session, text, now) => {
  if (session.kind === 'trade') {
    const { op } = JSON.parse(text) as { readonly op: string };
    arrived.push({ key: session.account?.settings.key ?? '', what: op, text });
  }
  receive(session, text, now);
};

/** By seat: what of these has reached the venue with any of those names in it. */
function reached(whats: readonly string[], name: string): readonly string[] {
  return seats.map(
    ({ key }) => arrived.find((each) => each.key === key && whats.includes(each.what) && each.text.includes(name))?.what ?? '',
  );
}

before(async () => {
  await bench.open();
  seats = await Promise.all(
    SEATS.map(async (name): Promise<Seat> => {
      const account = bench.account();
      const notices: string[] = [];
      const [ccxt, rest, adapter] = [
        await bench.ccxt(account),
        bench.rest(account),
        new Adapter(await bench.adapter(account, notices, name === 'adapter over its socket' ? 'socket' : 'rest'), notices),
      ];
      const trader = name === 'ccxt' ? byCcxt(ccxt) : name === 'bybit-api' ? byBybitApi(rest, bench.tradeSocket(account)) : adapter.trader;
      const streamed = { trades: gather(() => ccxt.watchMyTrades()) };
      const orders = gather(() => ccxt.watchOrders());
      // What is subscribed first is heard by the time the second is.
      await until(
        'a stream that is subscribed',
        async () => {
          const { id = '' } = await ccxt.createOrder(BTC, 'limit', 'buy', 0.01, 1_000);
          await ccxt.cancelOrder(id, BTC);
          await new Promise((resolve) => setTimeout(resolve, 200));
          return orders.length;
        },
        (heard) => heard > 0,
      );
      return { name, key: account.key, trader, ccxt, rest, adapter, streamed };
    }),
  );
});
after(() => bench.close());

/** The market goes there, and every conditional order has been looked at. */
async function go(to: number): Promise<void> {
  bench.stepped.move(0, to);
  await until(
    `BTC at ${to}`,
    () => bench.exchange.listings[0]?.last,
    (last) => last === to,
  );
  await new Promise((resolve) => setTimeout(resolve, 2 * STEP_MS + 20));
}

/** Every client does it on its own account. */
async function each(act: (trader: Trader) => Promise<void>): Promise<void> {
  await Promise.all(seats.map(({ trader }) => act(trader)));
}

/** All three clients see each account alike, and the accounts are alike. @returns how it is */
async function allSee(): Promise<Seen> {
  // Each look is ten requests of each account, which has fifty a second.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return agree(
    async () => {
      const views: Seen[] = [];
      for (const { name, ccxt, rest, adapter, streamed } of seats) {
        const seen = await seenByBybitApi(rest);
        assert.deepEqual(await seenByCcxt(ccxt), seen, `${name}: ccxt and bybit-api`);
        const own = adapter.seen();
        assert.equal(own.balance, seen.balance, `${name}: balance of the adapter`);
        const terms = ({ price: at, quantity: size, fee, isMaker }: SeenFill) => ({ at, size, fee, isMaker });
        // Of what others trade on its account it knows no order.
        assert.deepEqual(own.fills.map(terms), seen.fills.map(terms), `${name}: fills of the adapter`);
        if (name.startsWith('adapter')) assert.deepEqual(own, seen, `all of the ${name}`);
        assert.equal(new Set(streamed.trades.map(({ id }) => id)).size, seen.fills.length, `${name}: fills of the stream`);
        views.push(seen);
      }
      const [first] = views;
      assert.ok(first !== undefined);
      // Whose take-profit, trailing stop or refused order had a name of its own differs between clients; what it did does not.
      const common = (seen: Seen): Seen => ({ ...seen, orders: seen.orders.filter(({ name }) => !name.startsWith('own way')) });
      for (const [index, seen] of views.entries())
        assert.deepEqual(common(seen), common(first), `${seats[index]?.name} and ${seats[0]?.name}`);
      return first;
    },
    300,
    6_000,
  );
}

function orderNamed(seen: Seen, name: string): SeenOrder {
  return seen.orders.find((order) => order.name === name) ?? assert.fail(`an order ${name}`);
}

describe('three clients, an account for each way of theirs, one market', { timeout: 60_000 }, () => {
  test('1, 2, 3, 8: a market order in and a reduce-only one out', async () => {
    await each((trader) => trader.market('in', 'buy', '0.1'));
    const opened = await allSee();
    assert.deepEqual([opened.position, orderNamed(opened, 'in').average], [0.1, START]);
    await go(START + 100);
    await each((trader) => trader.market('out', 'sell', '0.1', { reduces: true }));
    assert.equal((await allSee()).position, 0);
  });

  test('1, 6: a limit that rests is amended and cancelled', async () => {
    await each((trader) => trader.limit('resting', { side: 'buy', quantity: '0.01', price: '50000' }));
    await each((trader) => trader.amend('resting', { price: '50500', quantity: '0.02' }));
    assert.deepEqual([orderNamed(await allSee(), 'resting').quantity, orderNamed(await allSee(), 'resting').isOpen], [0.02, true]);
    await each((trader) => trader.cancel('resting'));
    assert.equal(orderNamed(await allSee(), 'resting').isOpen, false);
  });

  test('1, 4: post-only that would take, immediate-or-cancel and fill-or-kill', async () => {
    await go(START);
    await each((trader) => trader.limit('crossing', { side: 'buy', quantity: '0.01', price: '60500', kind: 'post-only' }));
    await each((trader) => trader.limit('away-ioc', { side: 'buy', quantity: '0.01', price: '59000', kind: 'ioc' }));
    await each((trader) => trader.limit('away-fok', { side: 'buy', quantity: '0.01', price: '59000', kind: 'fok' }));
    await each((trader) => trader.limit('taken', { side: 'sell', quantity: '0.01', price: '59500', kind: 'fok' }));
    await each((trader) => trader.market('back', 'buy', '0.01'));
    const seen = await allSee();
    assert.deepEqual(
      ['crossing', 'away-ioc', 'away-fok', 'taken'].map((name) => orderNamed(seen, name).filled),
      [0, 0, 0, 0.01],
    );
    assert.equal(seen.position, 0);
  });

  test('4, 6: a limit fills in parts as maker; of one that may not wait the rest is cancelled', async () => {
    await each((trader) => trader.limit('in-parts', { side: 'buy', quantity: '12', price: '10000' }));
    await each((trader) => trader.cancel('in-parts'));
    await each((trader) => trader.limit('parts', { side: 'buy', quantity: '12', price: '59900' }));
    // One bar through it has five.
    await go(59_800);
    await until(
      'all of it filled for everybody',
      () => bench.exchange.accounts.map(({ positions }) => Number(format(positions[0]?.quantity ?? quantity('0')))),
      (held) => held.every((size) => size === 12),
    );
    const seen = await allSee();
    assert.ok(seen.fills.filter(({ quantity: size }) => size >= 2).length >= 3, 'in three parts at least');
    await each((trader) => trader.limit('rest', { side: 'sell', quantity: '12', price: '59850' }));
    bench.stepped.move(0, 59_900);
    await until(
      'a part',
      () => bench.exchange.accounts.map(({ positions }) => Number(format(positions[0]?.quantity ?? quantity('0')))),
      (held) => held.every((size) => size < 12),
    );
    await until(
      'all of it',
      () => bench.exchange.accounts.map(({ positions }) => Number(format(positions[0]?.quantity ?? quantity('0')))),
      (held) => held.every((size) => size === 0),
    );
    assert.equal((await allSee()).position, 0);
    await go(START);
    await each((trader) => trader.limit('a-part', { side: 'buy', quantity: '8', price: '60500', kind: 'ioc' }));
    const { filled, isOpen, quantity: whole } = orderNamed(await allSee(), 'a-part');
    assert.deepEqual([filled, isOpen, whole], [5, false, 8]);
    await each((trader) => trader.market('a-part-out', 'sell', '5', { reduces: true }));
    assert.equal((await allSee()).position, 0);
  });

  test('1, 4: a conditional order triggers on its side', async () => {
    await go(START);
    await each((trader) => trader.conditional('breakout', 'buy', '0.05', '60200', false));
    await each((trader) => trader.conditional('never', 'sell', '0.05', '50000', false));
    assert.equal(orderNamed(await allSee(), 'breakout').isOpen, true);
    await go(60_250);
    const seen = await allSee();
    assert.deepEqual([seen.position, orderNamed(seen, 'breakout').filled], [0.05, 0.05]);
    await each((trader) => trader.cancel('never'));
    await each((trader) => trader.market('breakout-out', 'sell', '0.05', { reduces: true }));
    assert.equal((await allSee()).position, 0);
  });

  test('1, 4: a stop-loss comes with the entry and closes the position', async () => {
    await go(START);
    await each((trader) => trader.market('protected', 'buy', '0.1', { stopLoss: '59500' }));
    assert.equal((await allSee()).position, 0.1);
    for (const { rest } of seats) assert.equal((await rest.getPositionInfo(linear)).result.list[0]?.stopLoss, '59500');
    await go(59_400);
    assert.equal((await allSee()).position, 0);
  });

  test('1, 4: a take-profit closes the position', async () => {
    await go(START);
    await each((trader) => trader.market('entry', 'buy', '0.1', { stopLoss: '59000' }));
    await allSee();
    await each((trader) => trader.takeProfit('own way of profit', 'sell', '0.1', '60400'));
    await go(60_500);
    assert.equal((await allSee()).position, 0);
    for (const { rest } of seats) assert.equal((await rest.getActiveOrders(linear)).result.list.length, 0);
  });

  test('1: a stop that trails closes behind the best price', async () => {
    await go(START);
    await each((trader) => trader.market('trailed', 'buy', '0.1'));
    await allSee();
    const moves = await Promise.all(seats.map(({ trader }) => trader.trail('own way of trailing', 200)));
    await go(60_300);
    await Promise.all(moves.map((move) => move(60_300)));
    await go(60_150);
    assert.equal((await allSee()).position, 0.1, '150 behind');
    await go(60_050);
    assert.equal((await allSee()).position, 0);
  });

  test('1, 6: a batch, and all of them cancelled', async () => {
    await go(START);
    const orders = [50_000, 51_000, 52_000].map((at, index) => ({
      name: `batch-${index}`,
      side: 'buy' as const,
      quantity: '0.01',
      price: String(at),
    }));
    await each((trader) => trader.batch(orders));
    assert.equal((await allSee()).orders.filter(({ isOpen }) => isOpen).length, 3);
    const create = ['/v5/order/create-batch', 'order.create-batch'];
    assert.deepEqual(reached(create, `${PREFIX}batch-2`), [create[0], create[0], create[0], create[1]]);
    const cancelled = arrived.length;
    await each((trader) => trader.cancelAll(orders.map(({ name }) => name)));
    assert.equal((await allSee()).orders.filter(({ isOpen }) => isOpen).length, 0);
    const cancels = arrived.slice(cancelled).filter(({ what }) => what.includes('cancel'));
    assert.deepEqual(
      seats.map(({ key }) => cancels.flatMap((cancel) => (cancel.key === key ? [cancel.what] : []))),
      [['/v5/order/cancel-all'], ['/v5/order/cancel-all'], ['/v5/order/cancel-batch'], ['order.cancel-batch']],
    );
  });

  test('1, 3: order entry over WebSocket', async () => {
    await each((trader) => trader.overSocket('by-socket', { side: 'buy', quantity: '0.01', price: '60500', kind: 'ioc' }));
    const opened = await allSee();
    assert.deepEqual([opened.position, orderNamed(opened, 'by-socket').filled], [0.01, 0.01]);
    // The other adapter has been told to go over REST.
    const ways = ['order.create', '/v5/order/create'];
    assert.deepEqual(reached(ways, `${PREFIX}by-socket`), ['order.create', 'order.create', '/v5/order/create', 'order.create']);
    await each((trader) => trader.overSocket('socket-resting', { side: 'buy', quantity: '0.01', price: '50000' }));
    const at = arrived.length;
    const last = seats.at(-1);
    await last?.trader.amend('socket-resting', { price: '50500', quantity: '0.02' });
    await last?.trader.cancel('socket-resting');
    await Promise.all(
      seats.slice(0, -1).map(async ({ trader }) => {
        await trader.amend('socket-resting', { price: '50500', quantity: '0.02' });
        await trader.cancel('socket-resting');
      }),
    );
    const byLast = arrived.slice(at).flatMap(({ key, what }) => (key === last?.key && /amend|cancel/.test(what) ? [what] : []));
    assert.deepEqual(byLast, ['order.amend', 'order.cancel']);
    await each((trader) => trader.market('socket-out', 'sell', '0.01', { reduces: true }));
    assert.equal((await allSee()).position, 0);
  });

  test('5: what the rules of the instrument refuse is refused for all of them, and leaves nothing', async () => {
    const before = await allSee();
    for (const [name, order] of [
      ['own way too small', { side: 'buy', quantity: '0.0001', price: '50000' }],
      ['own way too cheap', { side: 'buy', quantity: '0.001', price: '1000' }],
      ['own way too large', { side: 'buy', quantity: '99999', price: '50000' }],
    ] as const) {
      const refused = await Promise.all(seats.map(({ trader }) => trader.refuses(name, order)));
      assert.deepEqual(refused, [true, true, true, true], name);
    }
    assert.deepEqual(await allSee(), before);
  });

  test('6: funding is paid by all of them alike', async () => {
    await each((trader) => trader.market('funded', 'buy', '0.1'));
    const before = await allSee();
    for (const { key } of seats) bench.exchange.account(key)?.fundNow(bench.exchange.listing('BTCUSDT'), undefined);
    await until(
      'funding on every stream',
      () => seats.map(({ adapter }) => adapter.reports.filter(({ kind }) => kind === 'funding.paid').length),
      (paid) => paid.every((times) => times === 1),
    );
    const after_ = await allSee();
    assert.equal(round(before.balance - after_.balance), 0.6, '0.1 at 60,000 and one in ten thousand');
    for (const { ccxt } of seats) assert.equal((await ccxt.fetchFundingHistory(BTC)).length, 1);
    await each((trader) => trader.market('funded-out', 'sell', '0.1', { reduces: true }));
    assert.equal((await allSee()).position, 0);
  });

  test('the adapter told nobody of anything but of orders that are not its own', () => {
    for (const { adapter, name } of seats) {
      const strange = adapter.notices.filter((words) => !/ours|this run|another hand/.test(words));
      assert.deepEqual(strange, [], name);
      // Before it began ccxt had tried out its streams there.
      const own = adapter.notices.filter((words) => !words.includes('of another hand'));
      if (name.startsWith('adapter')) assert.deepEqual(own, []);
    }
  });
});
