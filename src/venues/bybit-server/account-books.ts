// The books of one account: what each fill, payment and transfer did, and the wallet and positions as they stand. What was paid is exact;
// what a mark or a leverage goes into is an estimate.
import {
  absolute,
  add,
  amount,
  amountFrom,
  compare,
  format,
  isZero,
  larger,
  negate,
  notional,
  priceFrom,
  proportion,
  signOf,
  smaller,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Quantity,
} from '../../domain/decimal.ts';
import type { Fill } from '../../domain/event.ts';
import type { TimeMs } from '../../domain/time.ts';
import {
  bracketsFrom,
  defaultTiers,
  liquidationPrice,
  maintenanceOf,
  type Brackets as MarginBrackets,
  type MarginedPosition,
} from '../simulated/margin.ts';
import type { Surroundings } from './account-surroundings.ts';
import { rateText, type Listing } from './listing.ts';
import type { StopKind } from './order-checks.ts';
import type { Closing, Position } from './position.ts';
import { Records, type Numbered } from './records.ts';
import { averageText, feeCoinOf, priceOnWire, textOrZero, type ServedOrder } from './served-order.ts';
import type {
  ClosedPnlRow,
  CoinRow,
  ExecutionEventRow,
  ExecutionRow,
  LogRow,
  PositionEventRow,
  PositionFields,
  PositionRow,
  PrivateEvent,
  WalletRow,
  WireCategory,
  WireExecType,
  WireLogType,
  WirePositionIdx,
} from './wire.ts';

/** A position of an account: the one of its listing, or the long or the short one. */
export interface Held {
  readonly listing: Listing;
  readonly position: Position;
  readonly idx: WirePositionIdx;
}

/** Whose books they are. */
export interface Holder {
  /** Every position in perpetuals, flat ones too. */
  readonly held: readonly Held[];
  heldOf(listing: Listing, idx: WirePositionIdx): Held;
  readonly leverages: readonly number[];
  readonly isIsolated: boolean;
  readonly cash: Amount;
  orderMargin(): number;
  /** Of a coin, what open orders on spot have put aside. */
  locked(coin: string): Amount;
  stopOf(held: Held, kind: StopKind): ServedOrder | undefined;
}

export interface ExecutionRecord extends Numbered {
  readonly at: TimeMs;
  readonly category: WireCategory;
  readonly row: ExecutionRow;
}
export interface ClosedPnlRecord extends Numbered {
  readonly at: TimeMs;
  /** One for each order: replaced when more of it closes. */
  row: ClosedPnlRow;
}

/** What an order has closed so far. */
interface ClosedByOrder {
  readonly record: ClosedPnlRecord;
  quantity: Quantity;
  entryValue: Amount;
  exitValue: Amount;
  openFee: Amount;
  closeFee: Amount;
  net: Amount;
  fills: number;
}
export interface LogRecord extends Numbered {
  readonly at: TimeMs;
  readonly row: LogRow;
}

/** Estimates of money, with Bybit's eight decimals. */
function moneyText(value: number): string {
  return (Math.abs(value) < 5e-9 ? 0 : value).toFixed(8).replace(/\.?0+$/, '');
}

export class AccountBooks {
  readonly #holder: Holder;
  readonly #around: Surroundings;
  readonly #margins: readonly MarginBrackets[];
  readonly executions = new Records<ExecutionRecord>();
  readonly closings = new Records<ClosedPnlRecord>();
  readonly log = new Records<LogRecord>();
  /** Of the currency of account, what came or went beside trading, and what fees on spot that were paid in other coins would have been. */
  #adjusted: Amount = ZERO_AMOUNT;
  /** By coin: what spot has brought. */
  readonly #coins = new Map<string, Amount>();
  readonly #closed = new WeakMap<ServedOrder, ClosedByOrder>();
  readonly #fresh: PrivateEvent[] = [];

  constructor(holder: Holder, around: Surroundings) {
    this.#holder = holder;
    this.#around = around;
    this.#margins = around.listings.map(({ instrument }) => bracketsFrom(instrument.symbol, defaultTiers(instrument.symbol)));
  }

  /** Executions that were booked since it was last asked, as the streams carry them. */
  takeExecutions(): readonly PrivateEvent[] {
    return this.#fresh.splice(0);
  }

  /** Exact: everything that was received less everything that was paid, results of open positions apart. */
  get walletBalance(): Amount {
    let balance = add(this.#holder.cash, this.#adjusted);
    for (const { position } of this.#holder.held) balance = add(balance, position.cost);
    return balance;
  }

  /** Exact, of any coin. */
  balanceOf(coin: string): Amount {
    return coin === this.#currency ? this.walletBalance : (this.#coins.get(coin) ?? ZERO_AMOUNT);
  }

  /** What of a coin an order on spot may take. Of the currency of account also no more than stands behind no position. */
  freeOf(coin: string): Amount {
    const free = subtract(this.balanceOf(coin), this.#holder.locked(coin));
    return coin === this.#currency ? smaller(free, amountFrom(Math.max(0, this.available()))) : free;
  }

  // ---- what happens --------------------------------------------------------------------------------------------------

  /** Books a fill: order, position, execution, closed result, log. */
  book(order: ServedOrder, fill: Fill, at: TimeMs): void {
    const { listing, isHidden } = order;
    if (listing.category === 'spot') {
      this.#bookSpot(order, fill, at);
      return;
    }
    const { position } = this.#holder.heldOf(listing, order.positionIdx);
    const change = order.side === 'Buy' ? fill.quantity : negate(fill.quantity);
    const value = notional(fill.price, fill.quantity);
    const closing = position.trade(change, fill.price, fill.fee, at);
    const net = subtract(subtract(closing.result, closing.openFee), closing.closeFee);
    order.filled = add(order.filled, fill.quantity);
    order.value = add(order.value, value);
    order.fee = add(order.fee, fill.fee);
    if (!isZero(closing.quantity)) order.closedPnl = add(order.closedPnl, net);
    const execType = execTypeOf(order);
    const feeRate = rateText(toNumber(fill.fee) / toNumber(value));
    const row = this.#executionRow(order, fill, { execType, at, feeRate, value, closed: closing.quantity, net, fee: fill.fee });
    // Nobody hears of what another hand has done but by the position, the wallet and the log.
    if (!isHidden) this.#execute(row, at, order);
    if (!isHidden && !isZero(closing.quantity)) this.#close(order, closing, net, row, at);
    this.#write({
      currency: this.#currency,
      type: execType === 'BustTrade' ? 'LIQUIDATION' : execType === 'AdlTrade' ? 'ADL' : 'TRADE',
      listing,
      at,
      number: row.seq,
      side: order.side,
      qty: row.execQty,
      tradePrice: row.execPrice,
      fee: fill.fee,
      cashFlow: closing.result,
      funding: ZERO_AMOUNT,
      feeRate,
      tradeId: row.execId,
      orderId: order.id,
      orderLinkId: order.linkId,
    });
  }

  /** Of what an order has closed there is one row. */
  #close(order: ServedOrder, closing: Closing, net: Amount, execution: ExecutionRow, at: TimeMs): void {
    const { listing } = order;
    let closed = this.#closed.get(order);
    if (closed === undefined) {
      const record = { number: execution.seq, at, row: EMPTY_CLOSING };
      this.closings.push(record);
      const nothing = { entryValue: ZERO_AMOUNT, exitValue: ZERO_AMOUNT, openFee: ZERO_AMOUNT, closeFee: ZERO_AMOUNT, net: ZERO_AMOUNT };
      closed = { record, quantity: ZERO_QUANTITY, ...nothing, fills: 0 };
      this.#closed.set(order, closed);
    }
    closed.quantity = add(closed.quantity, closing.quantity);
    closed.entryValue = add(closed.entryValue, closing.entryValue);
    closed.exitValue = add(closed.exitValue, closing.exitValue);
    closed.openFee = add(closed.openFee, closing.openFee);
    closed.closeFee = add(closed.closeFee, closing.closeFee);
    closed.net = add(closed.net, net);
    closed.fills++;
    closed.record.row = {
      symbol: listing.symbol,
      orderId: order.id,
      side: order.side,
      qty: format(order.quantity),
      orderPrice: execution.orderPrice,
      orderType: order.type,
      execType: execution.execType,
      closedSize: format(closed.quantity),
      openFee: format(closed.openFee),
      closeFee: format(closed.closeFee),
      cumEntryValue: format(closed.entryValue),
      avgEntryPrice: averageText(closed.entryValue, closed.quantity),
      cumExitValue: format(closed.exitValue),
      avgExitPrice: averageText(closed.exitValue, closed.quantity),
      closedPnl: format(closed.net),
      fillCount: String(closed.fills),
      leverage: this.#leverageText(listing),
      createdTime: String(closed.record.at),
      updatedTime: String(at),
    };
  }

  /** Two coins change hands. A buyer's fee is taken from what he receives, at the rate that the matching has reckoned in quote currency. */
  #bookSpot(order: ServedOrder, fill: Fill, at: TimeMs): void {
    const { listing, isHidden, side } = order;
    const { base, quote } = listing.instrument;
    const isBuy = side === 'Buy';
    const value = notional(fill.price, fill.quantity);
    const traded = amount(format(fill.quantity));
    const fee = isBuy ? proportion(traded, fill.fee, value) : fill.fee;
    order.filled = add(order.filled, fill.quantity);
    order.value = add(order.value, value);
    order.fee = add(order.fee, fee);
    this.#coins.set(base, add(this.balanceOf(base), isBuy ? subtract(traded, fee) : negate(traded)));
    // The matching has taken it in quote currency.
    if (isBuy) this.#adjusted = add(this.#adjusted, fill.fee);
    const feeRate = rateText(toNumber(fill.fee) / toNumber(value));
    const row = this.#executionRow(order, fill, { execType: 'Trade', at, feeRate, value, closed: ZERO_QUANTITY, net: ZERO_AMOUNT, fee });
    if (!isHidden) this.#execute(row, at, order);
    const common = {
      type: 'TRADE' as const,
      listing,
      at,
      side,
      qty: row.execQty,
      tradePrice: row.execPrice,
      funding: ZERO_AMOUNT,
      feeRate,
      tradeId: row.execId,
      orderId: order.id,
      orderLinkId: order.linkId,
    };
    const ofBase = { cashFlow: isBuy ? traded : negate(traded), fee: isBuy ? fee : ZERO_AMOUNT };
    const ofQuote = { cashFlow: isBuy ? negate(value) : value, fee: isBuy ? ZERO_AMOUNT : fee };
    this.#write({ ...common, ...ofBase, number: row.seq, currency: base });
    this.#write({ ...common, ...ofQuote, number: this.#around.nextSequence(), currency: quote });
  }

  /** A payment at a boundary, which the matching has made: positive is received. */
  fund({ listing, position }: Held, amount: Amount, rate: number, at: TimeMs): void {
    position.fund(amount, at);
    const seq = this.#around.nextSequence();
    const held = absolute(position.quantity);
    const value = notional(priceFrom(listing.last, listing.instrument.tick, 'nearest'), held);
    const fee = negate(amount);
    const side = position.side > 0 ? 'Buy' : 'Sell';
    const row: ExecutionRow = {
      symbol: listing.symbol,
      orderId: this.#around.nextId(),
      orderLinkId: '',
      side,
      orderPrice: '0',
      orderQty: '0',
      leavesQty: '0',
      createType: '',
      orderType: 'Market',
      stopOrderType: '',
      execFee: format(fee),
      execFeeV2: '',
      feeCurrency: listing.instrument.quote,
      execId: this.#around.nextId(),
      execPrice: listing.priceText(listing.mark),
      execQty: format(held),
      execPnl: '0',
      execType: 'Funding',
      execValue: format(value),
      execTime: String(at),
      isMaker: false,
      feeRate: rateText(rate),
      tradeIv: '',
      markIv: '',
      markPrice: listing.priceText(listing.mark),
      indexPrice: listing.priceText(listing.indexPrice),
      underlyingPrice: '',
      blockTradeId: '',
      closedSize: '0',
      extraFees: '',
      seq,
    };
    this.#execute(row, at, undefined);
    this.#write({
      currency: this.#currency,
      type: 'SETTLEMENT',
      listing,
      at,
      number: seq,
      side,
      qty: row.execQty,
      tradePrice: row.execPrice,
      fee: ZERO_AMOUNT,
      cashFlow: ZERO_AMOUNT,
      funding: amount,
      feeRate: rateText(rate),
      tradeId: row.execId,
      orderId: row.orderId,
      orderLinkId: '',
    });
  }

  /** Money beside trading: funding of a position now. */
  fundNow(held: Held, amount: Amount): void {
    this.#adjusted = add(this.#adjusted, amount);
    this.fund(held, amount, held.listing.fundingRate, this.#around.now());
  }

  /** Of any coin. */
  transfer(coin: string, amount: Amount): void {
    const at = this.#around.now();
    if (coin === this.#currency) this.#adjusted = add(this.#adjusted, amount);
    else this.#coins.set(coin, add(this.balanceOf(coin), amount));
    this.#write({
      currency: coin,
      type: signOf(amount) < 0 ? 'TRANSFER_OUT' : 'TRANSFER_IN',
      listing: undefined,
      at,
      number: this.#around.nextSequence(),
      side: 'None',
      qty: format(absolute(amount)),
      tradePrice: '',
      fee: ZERO_AMOUNT,
      cashFlow: amount,
      funding: ZERO_AMOUNT,
      feeRate: '',
      tradeId: '',
      orderId: '',
      orderLinkId: '',
    });
  }

  #executionRow(
    order: ServedOrder,
    fill: Fill,
    {
      execType,
      at,
      feeRate,
      value,
      closed,
      net,
      fee,
    }: {
      readonly execType: WireExecType;
      readonly at: TimeMs;
      readonly feeRate: string;
      readonly value: Amount;
      readonly closed: Quantity;
      readonly net: Amount;
      /** In what it is paid in. */
      readonly fee: Amount;
    },
  ): ExecutionRow {
    const { listing } = order;
    return {
      symbol: listing.symbol,
      orderId: order.id,
      orderLinkId: order.linkId,
      side: order.side,
      orderPrice: priceOnWire(order),
      orderQty: format(order.quantity),
      leavesQty: format(compare(order.filled, order.quantity) < 0 ? subtract(order.quantity, order.filled) : ZERO_QUANTITY),
      createType: order.createType,
      orderType: order.type,
      stopOrderType: order.trigger?.kind ?? '',
      execFee: format(fee),
      execFeeV2: '',
      feeCurrency: feeCoinOf(order),
      execId: this.#around.nextId(),
      execPrice: format(fill.price),
      execQty: format(fill.quantity),
      execPnl: isZero(closed) ? '0' : format(net),
      execType,
      execValue: format(value),
      execTime: String(at),
      isMaker: fill.liquidity === 'maker',
      feeRate,
      tradeIv: '',
      markIv: '',
      markPrice: listing.priceText(listing.mark),
      indexPrice: listing.priceText(listing.indexPrice),
      underlyingPrice: '',
      blockTradeId: '',
      closedSize: format(closed),
      extraFees: '',
      seq: this.#around.nextSequence(),
    };
  }

  #execute(row: ExecutionRow, at: TimeMs, order: ServedOrder | undefined): void {
    const category = order?.listing.category ?? 'linear';
    this.executions.push({ number: row.seq, at, category, row });
    const marketUnit = category === 'spot' && order?.type === 'Market' ? order.marketUnit : '';
    const event: ExecutionEventRow = { ...row, category, isLeverage: '0', marketUnit };
    this.#fresh.push({ topic: 'execution', row: event });
    // The fast stream has trades alone, and leaves the client's id of what made out.
    if (row.execType === 'Funding') return;
    const { symbol, execId, execPrice, execQty, orderId, isMaker, side, execTime, seq } = row;
    const orderLinkId = isMaker ? '' : row.orderLinkId;
    this.#fresh.push({
      topic: 'execution.fast',
      row: { category, symbol, execId, execPrice, execQty, orderId, isMaker, orderLinkId, side, execTime, seq },
    });
  }

  #write({
    currency,
    type,
    listing,
    at,
    number,
    side,
    qty,
    tradePrice,
    fee,
    cashFlow,
    funding,
    feeRate,
    tradeId,
    orderId,
    orderLinkId,
  }: {
    readonly currency: string;
    readonly type: WireLogType;
    readonly listing: Listing | undefined;
    readonly at: TimeMs;
    readonly fee: Amount;
    readonly cashFlow: Amount;
    readonly funding: Amount;
  } & Numbered &
    Pick<LogRow, 'side' | 'qty' | 'tradePrice' | 'feeRate' | 'tradeId' | 'orderId' | 'orderLinkId'>): void {
    const change = subtract(add(cashFlow, funding), fee);
    this.log.push({
      number,
      at,
      row: {
        id: `${number}`,
        symbol: listing?.symbol ?? '',
        category: listing?.category ?? 'linear',
        side,
        transactionTime: String(at),
        type,
        qty,
        size: listing === undefined || listing.category === 'spot' ? '0' : format(this.#netOf(listing)),
        currency,
        tradePrice,
        funding: isZero(funding) ? '' : format(funding),
        fee: format(fee),
        cashFlow: format(cashFlow),
        change: format(change),
        cashBalance: format(this.balanceOf(currency)),
        feeRate,
        bonusChange: '',
        tradeId,
        orderId,
        orderLinkId,
        extraFees: '',
        transSubType: '',
      },
    });
  }

  // ---- how it stands -------------------------------------------------------------------------------------------------

  get #currency(): string {
    return this.#around.listings[0]?.instrument.quote ?? 'USDT';
  }

  #netOf(listing: Listing): Quantity {
    return this.#holder.held.reduce((net, each) => (each.listing === listing ? add(net, each.position.quantity) : net), ZERO_QUANTITY);
  }

  /** What coins of spot are worth at their last prices: they stand behind positions in full. */
  #worthOf(coin: string): number {
    const listing = this.#around.listings.find(({ category, instrument }) => category === 'spot' && instrument.base === coin);
    return toNumber(this.balanceOf(coin)) * (listing?.last ?? 0);
  }

  /** Signed result of an open position at the mark. */
  #unrealised({ listing, position: { quantity, cost } }: Held): number {
    return isZero(quantity) ? 0 : toNumber(quantity) * listing.mark - toNumber(cost);
  }

  /** What a position puts aside: its value at the mark over its leverage. */
  #initialMargin({ listing, position: { quantity, cost } }: Held): number {
    // Before the market's first price there is no mark.
    if (isZero(quantity)) return 0;
    const value = this.#holder.isIsolated ? Math.abs(toNumber(cost)) : Math.abs(toNumber(quantity)) * listing.mark;
    return value / this.#leverageOf(listing);
  }

  #maintenanceMargin({ listing, position: { quantity } }: Held): number {
    if (isZero(quantity)) return 0;
    const value = amountFrom(Math.abs(toNumber(quantity)) * listing.mark);
    return toNumber(maintenanceOf(value, this.#margins[listing.index] ?? []));
  }

  #sum(of: (held: Held) => number): number {
    return this.#holder.held.reduce((sum, held) => sum + of(held), 0);
  }

  #worthOfCoins(): number {
    let worth = 0;
    for (const coin of this.#coins.keys()) worth += this.#worthOf(coin);
    return worth;
  }

  /** What is free for new orders, as an estimate. */
  available(): number {
    const { isIsolated } = this.#holder;
    const behind = isIsolated ? 0 : this.#sum((held) => this.#unrealised(held)) + this.#worthOfCoins();
    const balance = toNumber(this.walletBalance) - toNumber(this.#holder.locked(this.#currency));
    return balance + behind - this.#sum((held) => this.#initialMargin(held)) - this.#holder.orderMargin();
  }

  /** Its margin and fee are free, as an estimate. */
  canAfford({
    listing,
    side,
    quantity,
    price,
    positionIdx,
  }: Pick<ServedOrder, 'listing' | 'side' | 'quantity' | 'price' | 'positionIdx'>): boolean {
    const held = toNumber(this.#holder.heldOf(listing, positionIdx).position.quantity);
    // What is against its side of a hedge only reduces it.
    if (positionIdx === (side === 'Buy' ? 2 : 1)) return true;
    const asked = toNumber(quantity);
    const closes = side === 'Buy' ? Math.max(0, -held) : Math.max(0, held);
    // What it closes gives as much free.
    const opened = asked - 2 * Math.min(asked, closes);
    if (opened <= 0) return true;
    const reference = price === undefined ? listing.last : toNumber(price);
    return opened * reference * (1 / this.#leverageOf(listing) + listing.instrument.takerFeeRate) <= this.available();
  }

  #leverageOf(listing: Listing): number {
    return this.#holder.leverages[listing.index] ?? 1;
  }

  #leverageText(listing: Listing): string {
    return String(this.#leverageOf(listing));
  }

  /** Where the matching would liquidate it, by its own rule over last prices; '' where no price does. */
  #liquidationText(held: Held): string {
    const { listing } = held;
    const { quantity, cost } = held.position;
    if (isZero(quantity)) return '';
    const price = liquidationPrice(
      {
        quantity,
        cost,
        behind: this.#behind(held),
        brackets: this.#margins[listing.index] ?? [],
        basis: this.#around.rules.maintenanceBasis ?? 'mark',
        ...this.#twinOf(held),
      },
      listing.instrument.tick,
    );
    return price === undefined || isZero(price) ? '' : format(price);
  }

  /** With cross margin the other position of a hedge moves with it. */
  #twinOf({ listing, idx }: Held): Pick<MarginedPosition, 'twin'> | undefined {
    if (idx === 0 || this.#holder.isIsolated) return undefined;
    const { quantity, cost } = this.#holder.heldOf(listing, idx === 1 ? 2 : 1).position;
    return isZero(quantity) ? undefined : { twin: { quantity, cost, mark: listing.last } };
  }

  #behind(held: Held): Amount {
    if (this.#holder.isIsolated) return amountFrom(this.#initialMargin(held));
    let behind = add(this.walletBalance, amountFrom(this.#worthOfCoins()));
    for (const { listing: other, position } of this.#holder.held) {
      if (other === held.listing || isZero(position.quantity)) continue;
      const { quantity, cost } = position;
      const value = notional(priceFrom(other.last, other.instrument.tick, 'nearest'), quantity);
      const needs = maintenanceOf(absolute(value), this.#margins[other.index] ?? []);
      behind = subtract(add(behind, subtract(value, cost)), needs);
    }
    return behind;
  }

  positionRow(held: Held): PositionRow {
    const { quantity, cost } = held.position;
    return { ...this.#positionFields(held), avgPrice: isZero(quantity) ? '0' : averageText(absolute(cost), absolute(quantity)) };
  }

  positionEventRow(held: Held): PositionEventRow {
    const { avgPrice, ...fields } = this.positionRow(held);
    return { ...fields, category: 'linear', entryPrice: avgPrice };
  }

  #positionFields(held: Held): PositionFields {
    const { listing, position, idx } = held;
    const { quantity, cost, side } = position;
    const isFlat = side === 0;
    const initial = moneyText(this.#initialMargin(held));
    const maintenance = moneyText(this.#maintenanceMargin(held));
    const stop = (kind: StopKind): string => textOrZero(this.#holder.stopOf(held, kind)?.trigger?.price);
    const trail = this.#holder.stopOf(held, 'TrailingStop')?.trigger?.trail;
    return {
      positionIdx: idx,
      riskId: 1,
      riskLimitValue: listing.tiers[0]?.upTo ?? '0',
      symbol: listing.symbol,
      // A side of a hedge is itself, flat or not.
      side: isFlat ? (idx === 1 ? 'Buy' : idx === 2 ? 'Sell' : '') : side > 0 ? 'Buy' : 'Sell',
      size: format(absolute(quantity)),
      positionValue: isFlat ? '0' : format(absolute(cost)),
      tradeMode: this.#holder.isIsolated ? 1 : 0,
      autoAddMargin: 0,
      positionStatus: 'Normal',
      leverage: this.#leverageText(listing),
      breakEvenPrice: '',
      markPrice: listing.priceText(listing.mark),
      liqPrice: this.#liquidationText(held),
      bustPrice: '',
      positionIM: isFlat ? '0' : initial,
      positionMM: isFlat ? '0' : maintenance,
      positionIMByMp: isFlat ? '0' : initial,
      positionMMByMp: isFlat ? '0' : maintenance,
      positionBalance: this.#holder.isIsolated ? initial : '0',
      tpslMode: 'Full',
      takeProfit: stop('TakeProfit'),
      stopLoss: stop('StopLoss'),
      trailingStop: textOrZero(trail?.distance),
      sessionAvgPrice: '',
      delta: '',
      gamma: '',
      vega: '',
      theta: '',
      unrealisedPnl: isFlat ? '0' : moneyText(this.#unrealised(held)),
      curRealisedPnl: format(position.realised),
      cumRealisedPnl: format(position.everRealised),
      adlRankIndicator: isFlat ? 0 : 2,
      isReduceOnly: false,
      mmrSysUpdatedTime: '',
      leverageSysUpdatedTime: '',
      createdTime: String(position.openedAt),
      updatedTime: String(position.updatedAt),
      openTime: isFlat ? 0 : position.openedAt,
      seq: this.#around.nextSequence(),
    };
  }

  walletRow(): WalletRow {
    const balance = this.walletBalance;
    const unrealised = this.#sum((held) => this.#unrealised(held));
    const ofCurrency = toNumber(balance) + unrealised;
    const equity = ofCurrency + this.#worthOfCoins();
    const positionMargin = this.#sum((held) => this.#initialMargin(held));
    const orderMargin = this.#holder.orderMargin();
    const initial = positionMargin + orderMargin;
    const maintenance = this.#sum((held) => this.#maintenanceMargin(held));
    const rate = (margin: number): string => (equity > 0 ? margin / equity : 0).toFixed(4);
    const realised = this.#holder.held.reduce((sum, { position }) => add(sum, position.everRealised), ZERO_AMOUNT);
    const coin: CoinRow = {
      coin: this.#currency,
      equity: moneyText(ofCurrency),
      usdValue: moneyText(ofCurrency),
      walletBalance: format(balance),
      free: '',
      locked: format(this.#holder.locked(this.#currency)),
      spotHedgingQty: '0',
      borrowAmount: '0',
      availableToBorrow: '',
      availableToWithdraw: format(larger(ZERO_AMOUNT, this.freeOf(this.#currency))),
      accruedInterest: '0',
      totalOrderIM: moneyText(orderMargin),
      totalPositionIM: moneyText(positionMargin),
      totalPositionMM: moneyText(maintenance),
      unrealisedPnl: moneyText(unrealised),
      cumRealisedPnl: format(realised),
      bonus: '0',
      marginCollateral: true,
      collateralSwitch: true,
      spotBorrow: '0',
    };
    return {
      accountType: 'UNIFIED',
      accountLTV: '0',
      accountIMRate: rate(initial),
      accountMMRate: rate(maintenance),
      accountIMRateByMp: rate(initial),
      accountMMRateByMp: rate(maintenance),
      totalInitialMarginByMp: moneyText(initial),
      totalMaintenanceMarginByMp: moneyText(maintenance),
      totalEquity: moneyText(equity),
      totalWalletBalance: this.#coins.size === 0 ? format(balance) : moneyText(toNumber(balance) + this.#worthOfCoins()),
      totalMarginBalance: moneyText(equity),
      totalAvailableBalance: moneyText(Math.max(0, this.available())),
      totalPerpUPL: moneyText(unrealised),
      totalInitialMargin: moneyText(initial),
      totalMaintenanceMargin: moneyText(maintenance),
      coin: [coin, ...[...this.#coins.keys()].map((each) => this.#coinRow(each))],
    };
  }

  #coinRow(coin: string): CoinRow {
    const balance = format(this.balanceOf(coin));
    return {
      coin,
      equity: balance,
      usdValue: moneyText(this.#worthOf(coin)),
      walletBalance: balance,
      free: '',
      locked: format(this.#holder.locked(coin)),
      spotHedgingQty: '0',
      borrowAmount: '0',
      availableToBorrow: '',
      availableToWithdraw: format(larger(ZERO_AMOUNT, this.freeOf(coin))),
      accruedInterest: '0',
      totalOrderIM: '0',
      totalPositionIM: '0',
      totalPositionMM: '0',
      unrealisedPnl: '0',
      cumRealisedPnl: '0',
      bonus: '0',
      marginCollateral: true,
      collateralSwitch: true,
      spotBorrow: '0',
    };
  }
}

/** Before the first fill that closed is booked into it. */
const EMPTY_CLOSING: ClosedPnlRow = {
  symbol: '',
  orderId: '',
  side: 'Buy',
  qty: '0',
  orderPrice: '0',
  orderType: 'Market',
  execType: 'Trade',
  closedSize: '0',
  openFee: '0',
  closeFee: '0',
  cumEntryValue: '0',
  avgEntryPrice: '',
  cumExitValue: '0',
  avgExitPrice: '',
  closedPnl: '0',
  fillCount: '0',
  leverage: '0',
  createdTime: '0',
  updatedTime: '0',
};

function execTypeOf({ createType }: ServedOrder): WireExecType {
  return createType === 'CreateByLiq' ? 'BustTrade' : createType === 'CreateByAdl_PassThrough' ? 'AdlTrade' : 'Trade';
}
