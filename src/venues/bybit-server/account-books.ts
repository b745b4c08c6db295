// The books of one account: what each fill, payment and transfer did, and the wallet and positions as they stand. What was paid is exact;
// what a mark or a leverage goes into is an estimate.
import {
  absolute,
  add,
  amountFrom,
  format,
  isZero,
  negate,
  notional,
  priceFrom,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  type Amount,
  type Quantity,
} from '../../domain/decimal.ts';
import type { Fill } from '../../domain/event.ts';
import type { TimeMs } from '../../domain/time.ts';
import { bracketsFrom, defaultTiers, liquidationPrice, maintenanceOf, type Brackets as MarginBrackets } from '../simulated/margin.ts';
import type { Surroundings } from './account-surroundings.ts';
import { rateText, type Listing } from './listing.ts';
import type { StopKind } from './order-checks.ts';
import type { Position } from './position.ts';
import { Records, type Numbered } from './records.ts';
import { averageText, textOrZero, type ServedOrder } from './served-order.ts';
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
  WireExecType,
  WireLogType,
} from './wire.ts';

/** Whose books they are. */
export interface Holder {
  readonly positions: readonly Position[];
  readonly leverages: readonly number[];
  readonly isIsolated: boolean;
  readonly cash: Amount;
  orderMargin(): number;
  stopOf(listing: Listing, kind: StopKind): ServedOrder | undefined;
}

export interface ExecutionRecord extends Numbered {
  readonly at: TimeMs;
  readonly row: ExecutionRow;
}
export interface ClosedPnlRecord extends Numbered {
  readonly at: TimeMs;
  readonly row: ClosedPnlRow;
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
  /** What came or went beside trading. */
  #adjusted: Amount = ZERO_AMOUNT;
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
    for (const { cost } of this.#holder.positions) balance = add(balance, cost);
    return balance;
  }

  // ---- what happens --------------------------------------------------------------------------------------------------

  /** Books a fill: order, position, execution, closed result, log. */
  book(order: ServedOrder, fill: Fill, at: TimeMs): void {
    const { listing, isHidden } = order;
    const position = this.#positionOf(listing);
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
    const row = this.#executionRow(order, fill, { execType, at, feeRate, value, closed: closing.quantity, net });
    // Nobody hears of what another hand has done but by the position, the wallet and the log.
    if (!isHidden) this.#execute(row, at);
    if (!isHidden && !isZero(closing.quantity)) {
      const { entryValue, exitValue, openFee, closeFee, quantity } = closing;
      this.closings.push({
        number: row.seq,
        at,
        row: {
          symbol: listing.symbol,
          orderId: order.id,
          side: order.side,
          qty: format(order.quantity),
          orderPrice: row.orderPrice,
          orderType: order.type,
          execType,
          closedSize: format(quantity),
          openFee: format(openFee),
          closeFee: format(closeFee),
          cumEntryValue: format(entryValue),
          avgEntryPrice: averageText(entryValue, quantity),
          cumExitValue: format(exitValue),
          avgExitPrice: averageText(exitValue, quantity),
          closedPnl: format(net),
          fillCount: '1',
          leverage: this.#leverageText(listing),
          createdTime: String(at),
          updatedTime: String(at),
        },
      });
    }
    this.#write({
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

  /** A payment at a boundary, which the matching has made: positive is received. */
  fund(listing: Listing, amount: Amount, rate: number, at: TimeMs): void {
    const position = this.#positionOf(listing);
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
    this.#execute(row, at);
    this.#write({
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

  /** Money beside trading: funding of a position now, or a transfer where there is no listing. */
  adjust(amount: Amount, listing: Listing | undefined): void {
    const at = this.#around.now();
    this.#adjusted = add(this.#adjusted, amount);
    if (listing !== undefined) {
      this.fund(listing, amount, listing.fundingRate, at);
      return;
    }
    this.#write({
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
    }: {
      readonly execType: WireExecType;
      readonly at: TimeMs;
      readonly feeRate: string;
      readonly value: Amount;
      readonly closed: Quantity;
      readonly net: Amount;
    },
  ): ExecutionRow {
    const { listing } = order;
    return {
      symbol: listing.symbol,
      orderId: order.id,
      orderLinkId: order.linkId,
      side: order.side,
      orderPrice: order.price === undefined ? listing.priceText(order.lastPriceOnCreated) : format(order.price),
      orderQty: format(order.quantity),
      leavesQty: format(subtract(order.quantity, order.filled)),
      createType: order.createType,
      orderType: order.type,
      stopOrderType: order.trigger?.kind ?? '',
      execFee: format(fill.fee),
      execFeeV2: '',
      feeCurrency: listing.instrument.quote,
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

  #execute(row: ExecutionRow, at: TimeMs): void {
    this.executions.push({ number: row.seq, at, row });
    const event: ExecutionEventRow = { ...row, category: 'linear', isLeverage: '0', marketUnit: '' };
    this.#fresh.push({ topic: 'execution', row: event });
    // The fast stream has trades alone, and leaves the client's id of what made out.
    if (row.execType === 'Funding') return;
    const { symbol, execId, execPrice, execQty, orderId, isMaker, side, execTime, seq } = row;
    const orderLinkId = isMaker ? '' : row.orderLinkId;
    this.#fresh.push({
      topic: 'execution.fast',
      row: { category: 'linear', symbol, execId, execPrice, execQty, orderId, isMaker, orderLinkId, side, execTime, seq },
    });
  }

  #write({
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
        category: 'linear',
        side,
        transactionTime: String(at),
        type,
        qty,
        size: listing === undefined ? '0' : format(this.#positionOf(listing).quantity),
        currency: this.#currency,
        tradePrice,
        funding: isZero(funding) ? '' : format(funding),
        fee: format(fee),
        cashFlow: format(cashFlow),
        change: format(change),
        cashBalance: format(this.walletBalance),
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

  /** Signed result of an open position at the mark. */
  #unrealised(listing: Listing): number {
    const { quantity, cost } = this.#positionOf(listing);
    return isZero(quantity) ? 0 : toNumber(quantity) * listing.mark - toNumber(cost);
  }

  /** What a position puts aside: its value at the mark over its leverage. */
  #initialMargin(listing: Listing): number {
    const { quantity, cost } = this.#positionOf(listing);
    const value = this.#holder.isIsolated ? Math.abs(toNumber(cost)) : Math.abs(toNumber(quantity)) * listing.mark;
    return value / this.#leverageOf(listing);
  }

  #maintenanceMargin(listing: Listing): number {
    const { quantity } = this.#positionOf(listing);
    if (isZero(quantity)) return 0;
    const value = amountFrom(Math.abs(toNumber(quantity)) * listing.mark);
    return toNumber(maintenanceOf(value, this.#margins[listing.index] ?? []));
  }

  #sum(of: (listing: Listing) => number): number {
    return this.#around.listings.reduce((sum, listing) => sum + of(listing), 0);
  }

  /** What is free for new orders, as an estimate. */
  available(): number {
    const unrealised = this.#holder.isIsolated ? 0 : this.#sum((listing) => this.#unrealised(listing));
    return toNumber(this.walletBalance) + unrealised - this.#sum((listing) => this.#initialMargin(listing)) - this.#holder.orderMargin();
  }

  /** Its margin and fee are free, as an estimate. */
  canAfford({ listing, side, quantity, price }: Pick<ServedOrder, 'listing' | 'side' | 'quantity' | 'price'>): boolean {
    const held = toNumber(this.#positionOf(listing).quantity);
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
  #liquidationText(listing: Listing): string {
    const { quantity, cost } = this.#positionOf(listing);
    if (isZero(quantity)) return '';
    const price = liquidationPrice(
      {
        quantity,
        cost,
        behind: this.#behind(listing),
        brackets: this.#margins[listing.index] ?? [],
        basis: this.#around.rules.maintenanceBasis ?? 'mark',
      },
      listing.instrument.tick,
    );
    return price === undefined || isZero(price) ? '' : format(price);
  }

  #behind(listing: Listing): Amount {
    if (this.#holder.isIsolated) return amountFrom(this.#initialMargin(listing));
    let behind = this.walletBalance;
    for (const other of this.#around.listings) {
      if (other === listing || isZero(this.#positionOf(other).quantity)) continue;
      const { quantity, cost } = this.#positionOf(other);
      const value = notional(priceFrom(other.last, other.instrument.tick, 'nearest'), quantity);
      const needs = maintenanceOf(absolute(value), this.#margins[other.index] ?? []);
      behind = subtract(add(behind, subtract(value, cost)), needs);
    }
    return behind;
  }

  positionRow(listing: Listing): PositionRow {
    const { quantity, cost } = this.#positionOf(listing);
    return { ...this.#positionFields(listing), avgPrice: isZero(quantity) ? '0' : averageText(absolute(cost), absolute(quantity)) };
  }

  positionEventRow(listing: Listing): PositionEventRow {
    const { avgPrice, ...fields } = this.positionRow(listing);
    return { ...fields, category: 'linear', entryPrice: avgPrice };
  }

  #positionFields(listing: Listing): PositionFields {
    const position = this.#positionOf(listing);
    const { quantity, cost, side } = position;
    const isFlat = side === 0;
    const initial = moneyText(this.#initialMargin(listing));
    const maintenance = moneyText(this.#maintenanceMargin(listing));
    const stop = (kind: StopKind): string => textOrZero(this.#holder.stopOf(listing, kind)?.trigger?.price);
    const trail = this.#holder.stopOf(listing, 'TrailingStop')?.trigger?.trail;
    return {
      positionIdx: 0,
      riskId: 1,
      riskLimitValue: listing.tiers[0]?.upTo ?? '0',
      symbol: listing.symbol,
      side: isFlat ? '' : side > 0 ? 'Buy' : 'Sell',
      size: format(absolute(quantity)),
      positionValue: isFlat ? '0' : format(absolute(cost)),
      tradeMode: this.#holder.isIsolated ? 1 : 0,
      autoAddMargin: 0,
      positionStatus: 'Normal',
      leverage: this.#leverageText(listing),
      breakEvenPrice: '',
      markPrice: listing.priceText(listing.mark),
      liqPrice: this.#liquidationText(listing),
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
      unrealisedPnl: isFlat ? '0' : moneyText(this.#unrealised(listing)),
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
    const unrealised = this.#sum((listing) => this.#unrealised(listing));
    const equity = toNumber(balance) + unrealised;
    const positionMargin = this.#sum((listing) => this.#initialMargin(listing));
    const orderMargin = this.#holder.orderMargin();
    const initial = positionMargin + orderMargin;
    const maintenance = this.#sum((listing) => this.#maintenanceMargin(listing));
    const rate = (margin: number): string => (equity > 0 ? margin / equity : 0).toFixed(4);
    const realised = this.#holder.positions.reduce((sum, { everRealised }) => add(sum, everRealised), ZERO_AMOUNT);
    const coin: CoinRow = {
      coin: this.#currency,
      equity: moneyText(equity),
      usdValue: moneyText(equity),
      walletBalance: format(balance),
      free: '',
      locked: '0',
      spotHedgingQty: '0',
      borrowAmount: '0',
      availableToBorrow: '',
      availableToWithdraw: moneyText(Math.max(0, this.available())),
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
      totalWalletBalance: format(balance),
      totalMarginBalance: moneyText(equity),
      totalAvailableBalance: moneyText(Math.max(0, this.available())),
      totalPerpUPL: moneyText(unrealised),
      totalInitialMargin: moneyText(initial),
      totalMaintenanceMargin: moneyText(maintenance),
      coin: [coin],
    };
  }

  #positionOf(listing: Listing): Position {
    const position = this.#holder.positions[listing.index];
    if (position === undefined) throw new Error('broken invariant: every listing has a position');
    return position;
  }
}

function execTypeOf({ createType }: ServedOrder): WireExecType {
  return createType === 'CreateByLiq' ? 'BustTrade' : createType === 'CreateByAdl_PassThrough' ? 'AdlTrade' : 'Trade';
}
