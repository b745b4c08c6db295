// Coinbase's Advanced Trade REST protocol, as its documentation has it: paths, shapes, refusals and tokens (JWT, ES256), with one product, one
// portfolio and a price that a test sets. Good for what a trading client asks on spot; no streams. On demand it misbehaves.
import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BinanceFault } from './binance-server.ts';

interface Order {
  readonly id: string;
  readonly clientOrderId: string;
  readonly side: 'BUY' | 'SELL';
  /** As the client sent it: the venue says it back. */
  readonly configuration: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** 0 at the market. */
  readonly price: number;
  readonly stopPrice: number;
  readonly quantity: number;
  filled: number;
  value: number;
  status: 'OPEN' | 'FILLED' | 'CANCELLED';
  readonly time: number;
}

interface Fill {
  readonly id: string;
  readonly order: Order;
  readonly price: number;
  readonly quantity: number;
  readonly isMaker: boolean;
  readonly time: number;
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const PRODUCT = 'BTC-USD';
const FEE_RATE = 0.001;
const STEP = 1e-8;
const MINUTE_MS = 60_000;
const ROOT = '/api/v3/brokerage/';
const round = (value: number): number => Number(value.toFixed(10));

/** A name and a key in PEM, as Coinbase gives them out. */
export function coinbaseKeys(): { readonly key: string; readonly secret: string } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    key: 'organizations/of-the-test/apiKeys/key-of-the-test',
    secret: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  };
}

export class CoinbaseServer {
  readonly requests: { readonly route: string }[] = [];
  /** The first fault whose path is the request's acts, and is over. */
  readonly faults: { readonly route: string; readonly fault: BinanceFault }[] = [];
  price = 60_000;
  aheadMs = 0;
  /** Market seconds per second: bars, orders and fills are of its own time, requests of the wall's. */
  pace = 1;
  /** What the key may do. */
  readonly rights = {
    can_view: true,
    can_trade: true,
    can_transfer: false,
    portfolio_uuid: 'portfolio-of-the-test',
    portfolio_type: 'DEFAULT',
  };
  readonly balances = new Map<string, number>([
    ['USD', 100_000],
    ['BTC', 0],
  ]);
  readonly #key: string;
  readonly #public: KeyObject;
  readonly #orders: Order[] = [];
  readonly #fills: Fill[] = [];
  readonly #server: Server;
  readonly #startedAt = Date.now();
  #ids = 1_000;

  constructor({ key, secret }: { readonly key: string; readonly secret: string }) {
    this.#key = key;
    this.#public = createPublicKey(secret);
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this.address;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  // ---- what a test does ------------------------------------------------------------------------------------------------

  named(clientOrderId: string): readonly Readonly<Order>[] {
    return this.#orders.filter((order) => order.clientOrderId === clientOrderId);
  }

  get open(): readonly Readonly<Order>[] {
    return this.#orders.filter(({ status }) => status === 'OPEN');
  }

  /** The market goes there: what waits for it fills. */
  move(price: number): void {
    this.price = price;
    for (const order of this.#orders) {
      if (order.status === 'OPEN' && (order.side === 'BUY' ? price < order.price : price > order.price))
        this.#fill(order, order.quantity - order.filled, order.price, true);
    }
  }

  /** A part of what rests finds somebody, at its own price. */
  fillPart(clientOrderId: string, quantity: number): void {
    const order = this.#orders.find((each) => each.clientOrderId === clientOrderId && each.status === 'OPEN');
    if (order === undefined) throw new Error(`found no open order ${clientOrderId}`);
    this.#fill(order, quantity, order.price, true);
  }

  /** Somebody else trades on the portfolio. */
  tradeByHand(side: 'BUY' | 'SELL', quantity: number): void {
    const order = this.#made({ side, quantity, clientOrderId: `web-${this.#ids}`, configuration: { market_market_ioc: {} }, price: 0 });
    this.#fill(order, quantity, this.price, false);
  }

  #marketNow(): number {
    return Date.now() + this.aheadMs + Math.floor((this.pace - 1) * (Date.now() - this.#startedAt));
  }

  // ---- HTTP ------------------------------------------------------------------------------------------------------------

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.address);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const route = `${request.method} ${url.pathname}`;
    this.requests.push({ route });
    const index = this.faults.findIndex((each) => route.startsWith(each.route));
    const fault = index < 0 ? undefined : this.faults.splice(index, 1)[0]?.fault;
    if (fault === 'lose') {
      request.socket.destroy();
      return;
    }
    const say = (status: number, json: unknown, headers: Readonly<Record<string, string>> = {}): void =>
      void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(json));
    if (typeof fault === 'object') {
      const headers = fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) };
      say(fault.status, { error: fault.status === 401 ? 'unauthorized' : 'unknown', message: fault.words }, headers);
      return;
    }
    const body = (text === '' ? {} : JSON.parse(text)) as Readonly<Record<string, unknown>>;
    const { status, json } = this.#answer(route, url.searchParams, body, request.headers.authorization ?? '');
    if (fault === 'accept-reset') request.socket.destroy();
    else if (fault === 'accept-html') response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>maintenance</body></html>');
    else if (fault === 'accept-unknown') say(503, { error: 'unavailable', message: 'upstream timeout' });
    else say(status, json);
  }

  #answer(route: string, query: URLSearchParams, body: Readonly<Record<string, unknown>>, authorization: string): Answer {
    const now = Date.now() + this.aheadMs;
    if (route === 'GET /v2/time') return done({ data: { iso: new Date(now).toISOString(), epoch: Math.floor(now / 1_000) } });
    const path = route.replace(ROOT, '');
    if (path === 'GET market/products') return done({ products: query.has('product_type') ? [] : [this.#product()], num_products: 1 });
    if (path === `GET market/products/${PRODUCT}/candles`) return done({ candles: this.#candles(query) });
    if (!this.#isOurs(authorization, route, now)) return { status: 401, json: { error: 'unauthorized', message: 'Unauthorized' } };
    return this.#private(path, query, body);
  }

  /** ES256 over header and payload, for this request and nothing else, and not for long. */
  #isOurs(authorization: string, route: string, now: number): boolean {
    const [header = '', payload = '', signature = ''] = authorization.replace(/^Bearer /, '').split('.');
    const read = (part: string): Record<string, unknown> =>
      JSON.parse(Buffer.from(part === '' ? 'e30' : part, 'base64url').toString('utf8')) as Record<string, unknown>;
    const [head, claims] = [read(header), read(payload)];
    const key = { key: this.#public, dsaEncoding: 'ieee-p1363' } as const;
    if (!verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) return false;
    const [method = '', path = ''] = route.split(' ');
    return (
      head['alg'] === 'ES256' &&
      head['kid'] === this.#key &&
      claims['sub'] === this.#key &&
      claims['uri'] === `${method} ${this.address}${path}` &&
      Number(claims['nbf']) * 1_000 <= now + MINUTE_MS &&
      Number(claims['exp']) * 1_000 > now
    );
  }

  #product(): object {
    return {
      product_id: PRODUCT,
      price: String(this.price),
      base_increment: '0.00000001',
      quote_increment: '0.01',
      price_increment: '0.01',
      quote_min_size: '1',
      quote_max_size: '150000000',
      base_min_size: '0.00000001',
      base_max_size: '3400',
      status: 'online',
      trading_disabled: false,
      product_type: 'SPOT',
      quote_currency_id: 'USD',
      base_currency_id: 'BTC',
      alias: '',
      alias_to: [],
    };
  }

  /** Newest first, of the span that was asked for: no more than 350. */
  #candles(query: URLSearchParams): readonly object[] {
    const [start, end] = [Number(query.get('start')) * 1_000, Math.min(Number(query.get('end')) * 1_000, this.#marketNow())];
    const first = Math.ceil(start / MINUTE_MS) * MINUTE_MS;
    const price = String(this.price);
    return Array.from({ length: Math.max(0, Math.min(350, Math.floor((end - first) / MINUTE_MS) + 1)) }, (_, row) => ({
      start: String((first + row * MINUTE_MS) / 1_000),
      open: price,
      high: price,
      low: price,
      close: price,
      volume: '5',
    })).toReversed();
  }

  #private(path: string, query: URLSearchParams, body: Readonly<Record<string, unknown>>): Answer {
    switch (path) {
      case 'GET key_permissions':
        return done(this.rights);
      case 'GET transaction_summary':
        return done({ fee_tier: { pricing_tier: 'Test', taker_fee_rate: String(FEE_RATE), maker_fee_rate: String(FEE_RATE) } });
      case 'GET accounts':
        return done({ accounts: [...this.balances].map(([coin, total]) => this.#account(coin, total)), has_next: false, cursor: '' });
      case 'POST orders':
        return this.#create(body);
      case 'POST orders/batch_cancel':
        return done({ results: (body['order_ids'] as readonly string[]).map((id) => this.#cancel(id)) });
      case 'GET orders/historical/batch': {
        const status = query.get('order_status');
        const since = Date.parse(query.get('start_date') ?? '1970-01-01T00:00:00Z');
        const asked = this.#orders.filter((order) => (status === null || order.status === status) && order.time >= since);
        return done({ orders: asked.toReversed().map(rowOf), has_next: false, cursor: '' });
      }
      case 'GET orders/historical/fills': {
        const since = Date.parse(query.get('start_sequence_timestamp') ?? '1970-01-01T00:00:00Z');
        const asked = this.#fills.filter(({ time }) => time >= since).toReversed();
        return done({ fills: asked.slice(0, Number(query.get('limit') ?? 100)).map(fillRow), cursor: '' });
      }
      default: {
        const order = this.#orders.find(({ id }) => path === `GET orders/historical/${id}`);
        return order === undefined
          ? { status: 404, json: { error: 'NOT_FOUND', message: `${path} is not there` } }
          : done({ order: rowOf(order) });
      }
    }
  }

  #hold(coin: string): number {
    return this.open.reduce((sum, { side, price, quantity, filled }) => {
      if (side === 'BUY') return coin === 'USD' ? sum + price * (quantity - filled) : sum;
      return coin === 'BTC' ? sum + quantity - filled : sum;
    }, 0);
  }

  #account(coin: string, total: number): object {
    const hold = round(this.#hold(coin));
    const amount = (value: number): object => ({ value: value.toFixed(8), currency: coin });
    return {
      uuid: `account-${coin}`,
      name: `${coin} Wallet`,
      currency: coin,
      available_balance: amount(total - hold),
      hold: amount(hold),
      type: coin === 'USD' ? 'ACCOUNT_TYPE_FIAT' : 'ACCOUNT_TYPE_CRYPTO',
      active: true,
      ready: true,
    };
  }

  // ---- orders ----------------------------------------------------------------------------------------------------------

  #made(parts: Pick<Order, 'side' | 'quantity' | 'clientOrderId' | 'configuration' | 'price'>): Order {
    const time = this.#marketNow();
    const order: Order = { stopPrice: 0, filled: 0, value: 0, status: 'OPEN', time, ...parts, id: `order-${++this.#ids}` };
    this.#orders.push(order);
    return order;
  }

  #create(body: Readonly<Record<string, unknown>>): Answer {
    const { client_order_id: named } = body;
    const clientOrderId = typeof named === 'string' ? named : '';
    // An id that is taken is answered with the order that has it.
    const known = this.#orders.find((order) => order.clientOrderId === clientOrderId);
    if (known !== undefined) return created(known);
    const side = body['side'] === 'SELL' ? 'SELL' : 'BUY';
    const configuration = body['order_configuration'] as Order['configuration'];
    const [type, asked] = Object.entries(configuration)[0] ?? ['', {}];
    const price = Number(asked['limit_price'] ?? 0);
    const quantity = asked['quote_size'] === undefined ? Number(asked['base_size']) : Number(asked['quote_size']) / this.price;
    const refusal = (error: string): Answer =>
      done({ success: false, error_response: { error, message: error, error_details: '' }, order_configuration: configuration });
    if (!/^(market_market_ioc|sor_limit_ioc|limit_limit_gtc|limit_limit_fok)$/.test(type))
      return refusal('UNSUPPORTED_ORDER_CONFIGURATION');
    if (!(quantity > 0) || Math.abs(quantity / STEP - Math.round(quantity / STEP)) > 1e-4) return refusal('INVALID_SIZE_PRECISION');
    const isMarketable = price === 0 || (side === 'BUY' ? price >= this.price : price <= this.price);
    if (asked['post_only'] === true && isMarketable) return refusal('INVALID_LIMIT_PRICE_POST_ONLY');
    const coin = side === 'BUY' ? 'USD' : 'BTC';
    const needed = side === 'BUY' ? quantity * (isMarketable ? this.price : price) : quantity;
    if (needed > (this.balances.get(coin) ?? 0) - this.#hold(coin) + 1e-9) return refusal('INSUFFICIENT_FUND');
    const order = this.#made({ side, quantity, clientOrderId, configuration, price });
    if (isMarketable) this.#fill(order, quantity, this.price, false);
    else if (type !== 'limit_limit_gtc') order.status = 'CANCELLED';
    return created(order);
  }

  #cancel(id: string): object {
    const order = this.#orders.find((each) => each.id === id);
    if (order?.status !== 'OPEN') return { success: false, failure_reason: 'UNKNOWN_CANCEL_ORDER', order_id: id };
    order.status = 'CANCELLED';
    return { success: true, failure_reason: 'UNKNOWN_CANCEL_FAILURE_REASON', order_id: id };
  }

  #fill(order: Order, quantity: number, price: number, isMaker: boolean): void {
    order.filled = round(order.filled + quantity);
    order.value = round(order.value + quantity * price);
    if (order.filled >= order.quantity - 1e-10) order.status = 'FILLED';
    this.#fills.push({ id: `trade-${++this.#ids}`, order, price, quantity, isMaker, time: this.#marketNow() });
    const sign = order.side === 'BUY' ? 1 : -1;
    const add = (coin: string, amount: number): void => void this.balances.set(coin, round((this.balances.get(coin) ?? 0) + amount));
    add('BTC', sign * quantity);
    // Fees are in money, whatever is traded.
    add('USD', -sign * quantity * price - quantity * price * FEE_RATE);
  }
}

function done(json: unknown): Answer {
  return { status: 200, json };
}

function created({ id, side, clientOrderId, configuration }: Order): Answer {
  const response = { order_id: id, product_id: PRODUCT, side, client_order_id: clientOrderId };
  return done({ success: true, success_response: response, order_configuration: configuration });
}

function rowOf(order: Order): object {
  const { id, clientOrderId, side, configuration, quantity, filled, value, status, time } = order;
  return {
    order_id: id,
    product_id: PRODUCT,
    user_id: 'user-of-the-test',
    order_configuration: configuration,
    side,
    client_order_id: clientOrderId,
    status,
    time_in_force: 'limit_limit_gtc' in configuration ? 'GOOD_UNTIL_CANCELLED' : 'IMMEDIATE_OR_CANCEL',
    created_time: new Date(time).toISOString(),
    completion_percentage: String((100 * filled) / quantity),
    filled_size: filled.toFixed(8),
    average_filled_price: String(filled > 0 ? value / filled : 0),
    filled_value: String(value),
    total_fees: String(round(value * FEE_RATE)),
    order_type: 'market_market_ioc' in configuration ? 'MARKET' : 'LIMIT',
    product_type: 'SPOT',
  };
}

function fillRow({ id, order, price, quantity, isMaker, time }: Fill): object {
  return {
    entry_id: `entry-${id}`,
    trade_id: id,
    order_id: order.id,
    trade_time: new Date(time).toISOString(),
    trade_type: 'FILL',
    price: String(price),
    size: quantity.toFixed(8),
    commission: String(round(quantity * price * FEE_RATE)),
    product_id: PRODUCT,
    sequence_timestamp: new Date(time).toISOString(),
    liquidity_indicator: isMaker ? 'MAKER' : 'TAKER',
    size_in_quote: false,
    side: order.side,
  };
}
