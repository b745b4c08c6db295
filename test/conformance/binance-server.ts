// Binance's private and public REST protocol, spot and USD-M futures, as its documentation has it: paths, parameters, signatures, shapes and
// codes, with one symbol, one account and a price that a test sets. Good for what a trading client asks; no streams. On demand it misbehaves.
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type BinanceMarket = 'spot' | 'usdm';

/** Instead of the answer, or after what was asked was done. */
export type BinanceFault =
  /** Nothing is done, and the connection is cut. */
  | 'lose'
  /** It is done, and the connection is cut. */
  | 'accept-reset'
  /** It is done, and a page of HTML comes with status 200. */
  | 'accept-html'
  /** It is done, and the answer says that nobody knows. */
  | 'accept-unknown'
  | { readonly status: number; readonly code: number; readonly words: string; readonly retryAfterSeconds?: number };

interface Order {
  readonly orderId: number;
  readonly clientOrderId: string;
  readonly side: 'BUY' | 'SELL';
  readonly type: string;
  readonly timeInForce: string;
  readonly price: number;
  readonly stopPrice: number;
  readonly quantity: number;
  readonly reduceOnly: boolean;
  readonly isAlgo: boolean;
  filled: number;
  value: number;
  status: 'NEW' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELED' | 'REJECTED' | 'EXPIRED' | 'TRIGGERED';
  readonly time: number;
  updatedAt: number;
  actualOrderId: string;
}

interface Trade {
  readonly id: number;
  readonly orderId: number;
  readonly side: 'BUY' | 'SELL';
  readonly price: number;
  readonly quantity: number;
  readonly isMaker: boolean;
  readonly time: number;
}

type Parameters = ReadonlyMap<string, string>;
interface Answer {
  readonly status: number;
  readonly json: unknown;
}

const SYMBOL = 'BTCUSDT';
const ORDER_TYPES = {
  spot: ['LIMIT', 'LIMIT_MAKER', 'MARKET', 'STOP_LOSS', 'STOP_LOSS_LIMIT', 'TAKE_PROFIT', 'TAKE_PROFIT_LIMIT'],
  usdm: ['LIMIT', 'MARKET', 'STOP', 'STOP_MARKET', 'TAKE_PROFIT', 'TAKE_PROFIT_MARKET', 'TRAILING_STOP_MARKET'],
} as const;
const FEE_RATE = { spot: 0.001, usdm: 0.0005 } as const;
const STEP = { spot: 0.00001, usdm: 0.001 } as const;
const round = (value: number): number => Number(value.toFixed(10));
const text = (value: number): string => round(value).toFixed(8);

export class BinanceServer {
  readonly requests: { readonly route: string; readonly parameters: Parameters }[] = [];
  /** The first fault whose path is the request's acts, and is over. */
  readonly faults: { readonly route: string; readonly fault: BinanceFault }[] = [];
  price = 60_000;
  /** Part of an incoming order that finds somebody; the rest of a market order expires, that of a limit rests. */
  fillRatio = 1;
  /** Market seconds per second: bars and trades are of its own time, requests of the wall's. */
  pace = 1;
  /** What the key may do, as `apiRestrictions` says it. */
  readonly rights = {
    ipRestrict: true,
    enableReading: true,
    enableFutures: true,
    enableSpotAndMarginTrading: true,
    enableWithdrawals: false,
    enableInternalTransfer: false,
    permitsUniversalTransfer: false,
  };
  /** What its clock is ahead of this machine's. */
  aheadMs = 0;
  readonly balances = new Map<string, number>([
    ['USDT', 100_000],
    ['BTC', 0],
  ]);
  position = 0;
  /** A long and a short position beside each other. */
  isHedged = false;
  readonly #market: BinanceMarket;
  readonly #credentials: { readonly key: string; readonly secret: string };
  readonly #orders: Order[] = [];
  readonly #trades: Trade[] = [];
  readonly #server: Server;
  readonly #startedAt = Date.now();
  #ids = 1_000;

  constructor(market: BinanceMarket, credentials: { readonly key: string; readonly secret: string }) {
    this.#market = market;
    this.#credentials = credentials;
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

  /** Orders under a client's id. */
  named(clientOrderId: string): readonly Readonly<Order>[] {
    return this.#orders.filter((order) => order.clientOrderId === clientOrderId);
  }

  get open(): readonly Readonly<Order>[] {
    return this.#orders.filter(isOpen);
  }

  /** The market goes there: what waits for it fills, or is triggered. */
  move(price: number): void {
    this.price = price;
    for (const order of this.#orders.filter(isOpen)) {
      if (order.stopPrice > 0 && order.status === 'NEW') {
        const rises = (order.side === 'BUY') === order.type.startsWith('STOP');
        if (rises ? price >= order.stopPrice : price <= order.stopPrice) this.#trigger(order);
      } else if (order.price > 0 && (order.side === 'BUY' ? price < order.price : price > order.price))
        this.#fill(order, order.quantity - order.filled, order.price, true);
    }
  }

  /** A part of what rests finds somebody, at its own price. */
  fillPart(clientOrderId: string, quantity: number): void {
    const order = this.#orders.find((each) => each.clientOrderId === clientOrderId && isOpen(each));
    if (order === undefined) throw new Error(`found no open order ${clientOrderId}`);
    this.#fill(order, quantity, order.price, true);
  }

  /** Somebody else trades on the account. */
  tradeByHand(side: 'BUY' | 'SELL', quantity: number): void {
    this.#fill(this.#made({ side, type: 'MARKET', quantity, clientOrderId: `web_${this.#ids}` }), quantity, this.price, false);
  }

  #now(): number {
    return Date.now() + this.aheadMs;
  }

  #marketNow(): number {
    return this.#now() + Math.floor((this.pace - 1) * (Date.now() - this.#startedAt));
  }

  // ---- HTTP ------------------------------------------------------------------------------------------------------------

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://binance');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const signedText = [url.search.slice(1), Buffer.concat(chunks).toString('utf8')].filter((part) => part !== '').join('&');
    const parameters: Parameters = new Map(new URLSearchParams(signedText));
    const route = `${request.method} ${url.pathname}`;
    this.requests.push({ route, parameters });
    const index = this.faults.findIndex((each) => route.startsWith(each.route));
    const fault = index < 0 ? undefined : this.faults.splice(index, 1)[0]?.fault;
    if (fault === 'lose') {
      request.socket.destroy();
      return;
    }
    if (typeof fault === 'object') {
      const headers = {
        'content-type': 'application/json',
        ...(fault.retryAfterSeconds === undefined ? {} : { 'retry-after': String(fault.retryAfterSeconds) }),
      };
      response.writeHead(fault.status, headers).end(JSON.stringify({ code: fault.code, msg: fault.words }));
      return;
    }
    const answer = this.#answer(route, parameters, signedText, request.headers['x-mbx-apikey']);
    if (fault === 'accept-reset') request.socket.destroy();
    else if (fault === 'accept-html') response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>maintenance</body></html>');
    else if (fault === 'accept-unknown') {
      const words = 'Timeout waiting for response from backend server. Send status unknown; execution status unknown.';
      response.writeHead(408, { 'content-type': 'application/json' }).end(JSON.stringify({ code: -1007, msg: words }));
    } else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json));
  }

  #answer(route: string, parameters: Parameters, signedText: string, key: string | string[] | undefined): Answer {
    const isSpot = this.#market === 'spot';
    const path = route.replace(isSpot ? '/api/v3/' : /\/fapi\/v[123]\//, '');
    const open = this.#public(path, parameters);
    if (open !== undefined) return { status: 200, json: open };
    if (key !== this.#credentials.key) return refusal(401, -2015, 'Invalid API-key, IP, or permissions for action.');
    const at = signedText.lastIndexOf('&signature=');
    const sign = createHmac('sha256', this.#credentials.secret).update(signedText.slice(0, at)).digest('hex');
    if (at < 0 || sign !== parameters.get('signature')) return refusal(400, -1022, 'Signature for this request is not valid.');
    const timestamp = Number(parameters.get('timestamp'));
    if (timestamp > this.#now() + 1_000 || timestamp < this.#now() - Number(parameters.get('recvWindow') ?? 5_000))
      return refusal(400, -1021, 'Timestamp for this request is outside of the recvWindow.');
    return this.#private(path, parameters);
  }

  #public(path: string, parameters: Parameters): unknown {
    const limit = Number(parameters.get('limit') ?? 5);
    switch (path) {
      case 'GET time':
        return { serverTime: this.#now() };
      case 'GET ping':
        return {};
      case 'GET exchangeInfo':
        return { timezone: 'UTC', serverTime: this.#now(), rateLimits: [], exchangeFilters: [], symbols: [this.#symbol()] };
      case 'GET depth': {
        const levels = (sign: number): string[][] =>
          Array.from({ length: Math.min(limit, 10) }, (_, level) => [text(this.price + sign * (level + 0.5)), text(1 + level)]);
        return { lastUpdateId: this.#ids, E: this.#now(), T: this.#now(), bids: levels(-1), asks: levels(1) };
      }
      case 'GET klines': {
        const minute = 60_000;
        const first = Number(parameters.get('startTime') ?? this.#marketNow() - limit * minute);
        const opens = Array.from({ length: limit }, (_, row) => Math.ceil(first / minute) * minute + row * minute).filter(
          (at) => at <= this.#marketNow(),
        );
        const price = text(this.price);
        return opens.map((at) => [at, price, price, price, price, '5.0', at + minute - 1, '300000', 10, '2.5', '150000', '0']);
      }
      case 'GET aggTrades':
        return [{ a: 7, p: text(this.price), q: '0.5', f: 7, l: 7, T: this.#now(), m: false, M: true }];
      default:
        return undefined;
    }
  }

  #symbol(): object {
    const step = text(STEP[this.#market]);
    const filters = [
      { filterType: 'PRICE_FILTER', minPrice: '0.10', maxPrice: '1000000', tickSize: '0.10' },
      { filterType: 'LOT_SIZE', minQty: step, maxQty: '9000', stepSize: step },
      { filterType: 'MARKET_LOT_SIZE', minQty: step, maxQty: '100', stepSize: step },
    ];
    const common = { symbol: SYMBOL, status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT', orderTypes: ORDER_TYPES[this.#market] };
    if (this.#market === 'usdm') {
      return {
        ...common,
        pair: SYMBOL,
        contractType: 'PERPETUAL',
        contractStatus: 'TRADING',
        deliveryDate: 4_133_404_800_000,
        onboardDate: 1_569_398_400_000,
        marginAsset: 'USDT',
        pricePrecision: 2,
        quantityPrecision: 3,
        baseAssetPrecision: 8,
        quotePrecision: 8,
        underlyingType: 'COIN',
        timeInForce: ['GTC', 'IOC', 'FOK', 'GTX'],
        filters: [...filters, { filterType: 'MIN_NOTIONAL', notional: '100' }],
      };
    }
    return {
      ...common,
      baseAssetPrecision: 8,
      quotePrecision: 8,
      quoteAssetPrecision: 8,
      icebergAllowed: true,
      ocoAllowed: true,
      quoteOrderQtyMarketAllowed: true,
      isSpotTradingAllowed: true,
      isMarginTradingAllowed: false,
      permissions: [],
      permissionSets: [['SPOT']],
      filters: [...filters, { filterType: 'NOTIONAL', minNotional: '5', applyMinToMarket: true, maxNotional: '9000000' }],
    };
  }

  #private(path: string, parameters: Parameters): Answer {
    const isDone = (json: unknown): Answer => ({ status: 200, json });
    switch (path) {
      // Of the key and the account as a whole: on the host of spot, whatever is traded.
      case 'GET /sapi/v1/account/apiRestrictions':
        return isDone(this.rights);
      case 'GET /api/v3/account':
        return isDone({ uid: 354_937_868, canTrade: true, accountType: 'SPOT', balances: [], updateTime: this.#now() });
      case 'GET /sapi/v1/asset/tradeFee':
        return isDone([{ symbol: SYMBOL, makerCommission: String(FEE_RATE.spot), takerCommission: String(FEE_RATE.spot) }]);
      case 'GET commissionRate':
        return isDone({ symbol: SYMBOL, makerCommissionRate: String(FEE_RATE.usdm), takerCommissionRate: String(FEE_RATE.usdm) });
      case 'GET positionSide/dual':
        return isDone({ dualSidePosition: this.isHedged });
      case 'POST marginType':
        return this.position === 0
          ? isDone({ code: 200, msg: 'success' })
          : refusal(400, -4048, 'Margin type cannot be changed if there exists position.');
      case 'POST leverage':
        return isDone({ leverage: Number(parameters.get('leverage')), maxNotionalValue: '1000000', symbol: SYMBOL });
      case 'POST order':
        return this.#create(parameters, false);
      case 'POST algoOrder':
        return this.#create(parameters, true);
      case 'GET order':
        return this.#asked(parameters, false);
      case 'GET algoOrder':
        return this.#asked(parameters, true);
      case 'DELETE order':
        return this.#cancel(parameters, false);
      case 'DELETE algoOrder':
        return this.#cancel(parameters, true);
      case 'GET openOrders':
        return isDone(this.#orders.filter((order) => isOpen(order) && !order.isAlgo).map((order) => this.#row(order)));
      case 'GET openAlgoOrders':
        return isDone(this.#orders.filter((order) => isOpen(order) && order.isAlgo).map((order) => this.#row(order)));
      case 'GET allOrders':
        return isDone(this.#orders.filter(({ isAlgo }) => !isAlgo).map((order) => this.#row(order)));
      case 'GET allAlgoOrders':
        return isDone(this.#orders.filter(({ isAlgo }) => isAlgo).map((order) => this.#row(order)));
      case 'GET myTrades':
      case 'GET userTrades': {
        const since = Number(parameters.get('startTime') ?? 0);
        return isDone(
          this.#trades
            .filter(({ time }) => time >= since)
            .slice(0, Number(parameters.get('limit') ?? 500))
            .map((trade) => this.#tradeRow(trade)),
        );
      }
      case 'GET positionRisk':
        return isDone(this.position === 0 ? [] : [this.#positionRow()]);
      case 'GET leverageBracket':
        return isDone([
          {
            symbol: SYMBOL,
            brackets: [{ bracket: 1, initialLeverage: 125, notionalCap: 50_000, notionalFloor: 0, maintMarginRatio: 0.004, cum: 0 }],
          },
        ]);
      case 'GET account':
        return isDone(this.#account());
      default:
        return refusal(404, -1, `${path} is not served`);
    }
  }

  #account(): object {
    if (this.#market === 'spot') {
      const locked = (coin: string): number =>
        this.#orders
          .filter((order) => isOpen(order) && order.stopPrice === 0)
          .reduce((sum, { side, price, quantity, filled }) => {
            if (coin === 'USDT' && side === 'BUY') return sum + price * (quantity - filled);
            return coin === 'BTC' && side === 'SELL' ? sum + quantity - filled : sum;
          }, 0);
      const balances = [...this.balances].map(([asset, total]) => ({
        asset,
        free: text(total - locked(asset)),
        locked: text(locked(asset)),
      }));
      return {
        makerCommission: 10,
        takerCommission: 10,
        canTrade: true,
        accountType: 'SPOT',
        uid: 354_937_868,
        balances,
        permissions: ['SPOT'],
        updateTime: this.#now(),
      };
    }
    const balance = text(this.balances.get('USDT') ?? 0);
    const asset = { asset: 'USDT', walletBalance: balance, crossWalletBalance: balance, availableBalance: balance, marginBalance: balance };
    return { totalWalletBalance: balance, availableBalance: balance, assets: [asset], positions: [] };
  }

  #positionRow(): object {
    const notional = text(this.position * this.price);
    return {
      symbol: SYMBOL,
      positionSide: 'BOTH',
      positionAmt: text(this.position),
      entryPrice: text(this.price),
      markPrice: text(this.price),
      unRealizedProfit: '0',
      liquidationPrice: '0',
      notional,
      marginAsset: 'USDT',
      isolatedMargin: '0',
      initialMargin: '600',
      maintMargin: '24',
      updateTime: this.#now(),
    };
  }

  // ---- orders ----------------------------------------------------------------------------------------------------------

  #made(parts: Pick<Order, 'side' | 'type' | 'quantity' | 'clientOrderId'> & Partial<Order>): Order {
    const time = this.#marketNow();
    const order: Order = {
      timeInForce: 'GTC',
      price: 0,
      stopPrice: 0,
      reduceOnly: false,
      isAlgo: false,
      filled: 0,
      value: 0,
      status: 'NEW',
      actualOrderId: '',
      time,
      updatedAt: time,
      ...parts,
      orderId: ++this.#ids,
    };
    this.#orders.push(order);
    return order;
  }

  #create(parameters: Parameters, isAlgo: boolean): Answer {
    const clientOrderId = parameters.get(isAlgo ? 'clientAlgoId' : 'newClientOrderId') ?? `auto-${this.#ids}`;
    const isTaken = this.#orders.some((order) => order.clientOrderId === clientOrderId && (this.#market === 'usdm' || isOpen(order)));
    if (isTaken && this.#market === 'usdm') return refusal(400, -4116, 'ClientOrderId is duplicated.');
    if (isTaken) return refusal(400, -2010, 'Duplicate order sent.');
    const side = parameters.get('side') === 'SELL' ? 'SELL' : 'BUY';
    const type = parameters.get('type') ?? '';
    const cost = Number(parameters.get('quoteOrderQty') ?? 0);
    const step = STEP[this.#market];
    const quantity = cost > 0 ? Math.floor(cost / this.price / step) * step : Number(parameters.get('quantity') ?? 0);
    const price = Number(parameters.get('price') ?? 0);
    const stopPrice = Number(parameters.get(isAlgo ? 'triggerPrice' : 'stopPrice') ?? 0);
    const timeInForce = parameters.get('timeInForce') ?? 'GTC';
    if (Math.abs(quantity / step - Math.round(quantity / step)) > 1e-6)
      return refusal(400, -1111, 'Precision is over the maximum defined for this asset.');
    const reduceOnly = parameters.get('reduceOnly') === 'true';
    const isMarketable = price === 0 || (side === 'BUY' ? price >= this.price : price <= this.price);
    const isPostOnly = type === 'LIMIT_MAKER' || timeInForce === 'GTX';
    if (isPostOnly && isMarketable)
      return this.#market === 'spot'
        ? refusal(400, -2010, 'Order would immediately match and take.')
        : refusal(400, -5022, 'Due to the order could not be executed as maker, the Post Only order will be rejected.');
    if (this.#market === 'spot' && side === 'SELL' && stopPrice === 0 && quantity > (this.balances.get('BTC') ?? 0) + 1e-9)
      return refusal(400, -2010, 'Account has insufficient balance for requested action.');
    if (reduceOnly && stopPrice === 0 && (side === 'SELL' ? this.position <= 0 : this.position >= 0))
      return refusal(400, -2022, 'ReduceOnly Order is rejected.');
    const order = this.#made({ side, type, quantity, clientOrderId, price, stopPrice, timeInForce, reduceOnly, isAlgo });
    if (stopPrice === 0) this.#match(order, isMarketable);
    return { status: 200, json: this.#row(order) };
  }

  #match(order: Order, isMarketable: boolean): void {
    if (isMarketable) {
      const whole = order.reduceOnly ? Math.min(order.quantity, Math.abs(this.position)) : order.quantity;
      const step = STEP[this.#market];
      const part = Math.round((whole * this.fillRatio) / step) * step;
      if (order.timeInForce !== 'FOK' || part >= order.quantity) this.#fill(order, part, this.price, false);
    }
    const mayRest = order.price > 0 && order.timeInForce !== 'IOC' && order.timeInForce !== 'FOK';
    if (!mayRest && isOpen(order)) order.status = 'EXPIRED';
  }

  #trigger(order: Order): void {
    if (!order.isAlgo) {
      this.#fill(order, order.quantity, this.price, false);
      return;
    }
    // A conditional order of futures becomes another order, with another id.
    const { side, quantity, reduceOnly } = order;
    const became = this.#made({ side, type: 'MARKET', quantity, reduceOnly, clientOrderId: `algo-${order.orderId}` });
    order.status = 'TRIGGERED';
    order.actualOrderId = String(became.orderId);
    this.#match(became, true);
  }

  #fill(order: Order, quantity: number, price: number, isMaker: boolean): void {
    if (!(quantity > 0)) return;
    order.filled = round(order.filled + quantity);
    order.value = round(order.value + quantity * price);
    order.status = order.filled >= order.quantity - 1e-9 ? 'FILLED' : 'PARTIALLY_FILLED';
    order.updatedAt = this.#marketNow();
    const { side, orderId } = order;
    this.#trades.push({ id: ++this.#ids, orderId, side, price, quantity, isMaker, time: this.#marketNow() });
    const sign = side === 'BUY' ? 1 : -1;
    const add = (coin: string, amount: number): void => void this.balances.set(coin, round((this.balances.get(coin) ?? 0) + amount));
    const rate = FEE_RATE[this.#market];
    if (this.#market === 'usdm') {
      this.position = round(this.position + sign * quantity);
      add('USDT', -quantity * price * rate);
      return;
    }
    add('BTC', sign * quantity - (side === 'BUY' ? quantity * rate : 0));
    add('USDT', -sign * quantity * price - (side === 'SELL' ? quantity * price * rate : 0));
  }

  #find(parameters: Parameters, isAlgo: boolean): Order | undefined {
    const id = Number(parameters.get(isAlgo ? 'algoId' : 'orderId') ?? NaN);
    const named = parameters.get(isAlgo ? 'clientAlgoId' : 'origClientOrderId');
    return this.#orders.findLast(
      (order) => order.isAlgo === isAlgo && (named === undefined ? order.orderId === id : order.clientOrderId === named),
    );
  }

  #asked(parameters: Parameters, isAlgo: boolean): Answer {
    const order = this.#find(parameters, isAlgo);
    return order === undefined ? refusal(400, -2013, 'Order does not exist.') : { status: 200, json: this.#row(order) };
  }

  #cancel(parameters: Parameters, isAlgo: boolean): Answer {
    const order = this.#find(parameters, isAlgo);
    if (order === undefined || !isOpen(order)) return refusal(400, -2011, 'Unknown order sent.');
    order.status = 'CANCELED';
    order.updatedAt = this.#marketNow();
    return { status: 200, json: this.#row(order) };
  }

  #row(order: Order): object {
    const { orderId, clientOrderId, side, type, timeInForce, price, stopPrice, quantity, filled, value, status, time, updatedAt } = order;
    if (order.isAlgo) {
      const common = { algoId: orderId, clientAlgoId: clientOrderId, algoType: 'CONDITIONAL', orderType: type, symbol: SYMBOL, side };
      const ids = { actualOrderId: order.actualOrderId, algoStatus: status, triggerPrice: text(stopPrice) };
      return { ...common, ...ids, timeInForce, quantity: text(quantity), price: text(price), createTime: time, updateTime: updatedAt };
    }
    return {
      symbol: SYMBOL,
      orderId,
      orderListId: -1,
      clientOrderId,
      price: text(price),
      stopPrice: text(stopPrice),
      origQty: text(quantity),
      executedQty: text(filled),
      ...(this.#market === 'spot'
        ? { cummulativeQuoteQty: text(value), transactTime: updatedAt, isWorking: true, origQuoteOrderQty: '0' }
        : {
            cumQuote: text(value),
            avgPrice: text(filled > 0 ? value / filled : 0),
            reduceOnly: order.reduceOnly,
            positionSide: 'BOTH',
            origType: type,
          }),
      status,
      timeInForce,
      type,
      side,
      time,
      updateTime: updatedAt,
    };
  }

  #tradeRow({ id, orderId, side, price, quantity, isMaker, time }: Trade): object {
    const rate = FEE_RATE[this.#market];
    const isBase = this.#market === 'spot' && side === 'BUY';
    const common = {
      symbol: SYMBOL,
      id,
      orderId,
      price: text(price),
      qty: text(quantity),
      quoteQty: text(price * quantity),
      commission: text(isBase ? quantity * rate : price * quantity * rate),
      commissionAsset: isBase ? 'BTC' : 'USDT',
      time,
    };
    return this.#market === 'spot'
      ? { ...common, orderListId: -1, isBuyer: side === 'BUY', isMaker, isBestMatch: true }
      : { ...common, side, buyer: side === 'BUY', maker: isMaker, positionSide: 'BOTH', realizedPnl: '0', marginAsset: 'USDT' };
  }
}

function isOpen({ status }: Readonly<Order>): boolean {
  return status === 'NEW' || status === 'PARTIALLY_FILLED';
}

function refusal(status: number, code: number, words: string): Answer {
  return { status, json: { code, msg: words } };
}
