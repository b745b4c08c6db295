// The rows of Bybit V5 that this venue says, as its documentation and the `bybit-api` package type them. Numbers are decimal texts; `''` is
// what Bybit says where there is nothing.

/** The venue's own markets: linear perpetuals, and spot. */
export type WireCategory = 'linear' | 'spot';
export type WireSide = 'Buy' | 'Sell';
export type WireOrderType = 'Market' | 'Limit';
export type WireTimeInForce = 'GTC' | 'IOC' | 'FOK' | 'PostOnly';
export type WireTriggerBy = 'LastPrice' | 'IndexPrice' | 'MarkPrice';
export type WireOrderStatus =
  | 'New'
  | 'PartiallyFilled'
  | 'PartiallyFilledCanceled'
  | 'Filled'
  | 'Cancelled'
  | 'Rejected'
  | 'Untriggered'
  | 'Triggered'
  | 'Deactivated';
export type WireCreateType =
  | 'CreateByUser'
  | 'CreateByStopOrder'
  | 'CreateByTakeProfit'
  | 'CreateByPartialTakeProfit'
  | 'CreateByStopLoss'
  | 'CreateByPartialStopLoss'
  | 'CreateByTrailingStop'
  | 'CreateByLiq'
  | 'CreateByAdl_PassThrough';
export type WireCancelType =
  | 'UNKNOWN'
  | 'CancelByUser'
  | 'CancelByReduceOnly'
  | 'CancelAllBeforeLiq'
  | 'CancelAllBeforeAdl'
  | 'CancelByAdmin'
  | 'CancelByTpSlTsClear'
  | 'CancelByPzSideCh'
  | 'CancelBySmp'
  | 'CancelByDCP';
export type WireRejectReason =
  | 'EC_NoError'
  | 'EC_Others'
  | 'EC_PerCancelRequest'
  | 'EC_PostOnlyWillTakeLiquidity'
  | 'EC_NoImmediateQtyToFill'
  | 'EC_NoEnoughQtyToFill';
export type WireStopOrderType =
  | 'Stop'
  | 'TakeProfit'
  | 'StopLoss'
  | 'TrailingStop'
  | 'PartialTakeProfit'
  | 'PartialStopLoss'
  | 'tpslOrder'
  | 'BidirectionalTpslOrder';
export type WireSmpType = 'None' | 'CancelMaker' | 'CancelTaker' | 'CancelBoth';
/** 0 is the one position of one-way mode, 1 the long and 2 the short one of hedge mode. */
export type WirePositionIdx = 0 | 1 | 2;
export type WireExecType = 'Trade' | 'Funding' | 'BustTrade' | 'AdlTrade';
export type WireTpslMode = 'Full' | 'Partial';
export type WireMarginMode = 'REGULAR_MARGIN' | 'ISOLATED_MARGIN' | 'PORTFOLIO_MARGIN';
export type WireInstrumentStatus = 'PreLaunch' | 'PendingOpen' | 'Trading' | 'Settling' | 'Delivering' | 'Closed';
export type WireMarketUnit = 'baseCoin' | 'quoteCoin';
export type WireLogType = 'TRADE' | 'SETTLEMENT' | 'LIQUIDATION' | 'ADL' | 'TRANSFER_IN' | 'TRANSFER_OUT';

/** What REST and the private stream say of an order alike. */
export interface OrderRow {
  readonly orderId: string;
  readonly orderLinkId: string;
  readonly blockTradeId: '';
  readonly symbol: string;
  readonly price: string;
  readonly qty: string;
  readonly side: WireSide;
  readonly isLeverage: '0';
  readonly positionIdx: WirePositionIdx;
  readonly orderStatus: WireOrderStatus;
  readonly createType: WireCreateType;
  readonly cancelType: WireCancelType;
  readonly rejectReason: WireRejectReason;
  readonly avgPrice: string;
  readonly leavesQty: string;
  readonly leavesValue: string;
  readonly cumExecQty: string;
  readonly cumExecValue: string;
  readonly cumExecFee: string;
  readonly timeInForce: WireTimeInForce;
  readonly orderType: WireOrderType;
  readonly stopOrderType: WireStopOrderType | '';
  readonly ocoTriggerType: '';
  readonly orderIv: '';
  readonly marketUnit: WireMarketUnit;
  readonly slippageToleranceType: 'UNKNOWN' | 'TickSize' | 'Percent';
  readonly slippageTolerance: string;
  readonly triggerPrice: string;
  readonly triggerDirection: 0 | 1 | 2;
  readonly triggerBy: WireTriggerBy | '';
  readonly takeProfit: string;
  readonly stopLoss: string;
  readonly tpTriggerBy: WireTriggerBy | '';
  readonly slTriggerBy: WireTriggerBy | '';
  /** Absent on spot: ccxt takes a row that has it for one of a contract. */
  readonly tpslMode?: WireTpslMode | '';
  readonly tpLimitPrice: string;
  readonly slLimitPrice: string;
  readonly lastPriceOnCreated: string;
  readonly basePrice: string;
  readonly reduceOnly: boolean;
  readonly closeOnTrigger: boolean;
  readonly placeType: '';
  readonly smpType: WireSmpType;
  readonly smpGroup: number;
  readonly smpOrderId: string;
  readonly createdTime: string;
  readonly updatedTime: string;
  readonly extraFees: '';
  readonly cumFeeDetail: Readonly<Record<string, string>>;
}

/** On the private stream. */
export interface OrderEventRow extends OrderRow {
  readonly category: WireCategory;
  readonly closedPnl: string;
  readonly feeCurrency: string;
}

export interface ExecutionRow {
  readonly symbol: string;
  readonly orderId: string;
  readonly orderLinkId: string;
  readonly side: WireSide;
  readonly orderPrice: string;
  readonly orderQty: string;
  readonly leavesQty: string;
  readonly createType: WireCreateType | '';
  readonly orderType: WireOrderType;
  readonly stopOrderType: WireStopOrderType | '';
  readonly execFee: string;
  readonly execFeeV2: '';
  readonly feeCurrency: string;
  readonly execId: string;
  readonly execPrice: string;
  readonly execQty: string;
  readonly execPnl: string;
  readonly execType: WireExecType;
  readonly execValue: string;
  readonly execTime: string;
  readonly isMaker: boolean;
  readonly feeRate: string;
  readonly tradeIv: '';
  readonly markIv: '';
  readonly markPrice: string;
  readonly indexPrice: string;
  readonly underlyingPrice: '';
  readonly blockTradeId: '';
  readonly closedSize: string;
  readonly extraFees: '';
  readonly seq: number;
}

export interface ExecutionEventRow extends ExecutionRow {
  readonly category: WireCategory;
  readonly isLeverage: '0';
  readonly marketUnit: WireMarketUnit | '';
}

export interface FastExecutionRow {
  readonly category: WireCategory;
  readonly symbol: string;
  readonly execId: string;
  readonly execPrice: string;
  readonly execQty: string;
  readonly orderId: string;
  readonly isMaker: boolean;
  readonly orderLinkId: string;
  readonly side: WireSide;
  readonly execTime: string;
  readonly seq: number;
}

/** Shared by REST, which calls the average `avgPrice`, and the stream, which calls it `entryPrice`. */
export interface PositionFields {
  readonly positionIdx: WirePositionIdx;
  readonly riskId: number;
  readonly riskLimitValue: string;
  readonly symbol: string;
  readonly side: WireSide | '';
  readonly size: string;
  readonly positionValue: string;
  readonly tradeMode: 0 | 1;
  readonly autoAddMargin: 0;
  readonly positionStatus: 'Normal';
  readonly leverage: string;
  readonly breakEvenPrice: string;
  readonly markPrice: string;
  readonly liqPrice: string;
  readonly bustPrice: string;
  readonly positionIM: string;
  readonly positionMM: string;
  readonly positionIMByMp: string;
  readonly positionMMByMp: string;
  readonly positionBalance: string;
  readonly tpslMode: WireTpslMode;
  readonly takeProfit: string;
  readonly stopLoss: string;
  readonly trailingStop: string;
  readonly sessionAvgPrice: '';
  readonly delta: '';
  readonly gamma: '';
  readonly vega: '';
  readonly theta: '';
  readonly unrealisedPnl: string;
  readonly curRealisedPnl: string;
  readonly cumRealisedPnl: string;
  readonly adlRankIndicator: number;
  readonly isReduceOnly: false;
  readonly mmrSysUpdatedTime: '';
  readonly leverageSysUpdatedTime: '';
  readonly createdTime: string;
  readonly updatedTime: string;
  readonly openTime: number;
  readonly seq: number;
}

export interface PositionRow extends PositionFields {
  readonly avgPrice: string;
}

export interface PositionEventRow extends PositionFields {
  readonly category: 'linear';
  readonly entryPrice: string;
}

export interface CoinRow {
  readonly coin: string;
  readonly equity: string;
  readonly usdValue: string;
  readonly walletBalance: string;
  readonly free: string;
  readonly locked: string;
  readonly spotHedgingQty: string;
  readonly borrowAmount: string;
  readonly availableToBorrow: string;
  readonly availableToWithdraw: string;
  readonly accruedInterest: string;
  readonly totalOrderIM: string;
  readonly totalPositionIM: string;
  readonly totalPositionMM: string;
  readonly unrealisedPnl: string;
  readonly cumRealisedPnl: string;
  readonly bonus: string;
  readonly marginCollateral: true;
  readonly collateralSwitch: true;
  readonly spotBorrow: string;
}

export interface WalletRow {
  readonly accountType: 'UNIFIED';
  readonly accountLTV: string;
  readonly accountIMRate: string;
  readonly accountMMRate: string;
  readonly accountIMRateByMp: string;
  readonly accountMMRateByMp: string;
  readonly totalInitialMarginByMp: string;
  readonly totalMaintenanceMarginByMp: string;
  readonly totalEquity: string;
  readonly totalWalletBalance: string;
  readonly totalMarginBalance: string;
  readonly totalAvailableBalance: string;
  readonly totalPerpUPL: string;
  readonly totalInitialMargin: string;
  readonly totalMaintenanceMargin: string;
  readonly coin: CoinRow[];
}

export interface ClosedPnlRow {
  readonly symbol: string;
  readonly orderId: string;
  readonly side: WireSide;
  readonly qty: string;
  readonly orderPrice: string;
  readonly orderType: WireOrderType;
  readonly execType: WireExecType;
  readonly closedSize: string;
  readonly openFee: string;
  readonly closeFee: string;
  readonly cumEntryValue: string;
  readonly avgEntryPrice: string;
  readonly cumExitValue: string;
  readonly avgExitPrice: string;
  readonly closedPnl: string;
  readonly fillCount: string;
  readonly leverage: string;
  readonly createdTime: string;
  readonly updatedTime: string;
}

export interface LogRow {
  readonly id: string;
  readonly symbol: string;
  readonly category: WireCategory;
  readonly side: WireSide | 'None';
  readonly transactionTime: string;
  readonly type: WireLogType;
  readonly qty: string;
  readonly size: string;
  readonly currency: string;
  readonly tradePrice: string;
  readonly funding: string;
  readonly fee: string;
  readonly cashFlow: string;
  readonly change: string;
  readonly cashBalance: string;
  readonly feeRate: string;
  readonly bonusChange: '';
  readonly tradeId: string;
  readonly orderId: string;
  readonly orderLinkId: string;
  readonly extraFees: '';
  readonly transSubType: '';
}

export interface TradeRow {
  readonly execId: string;
  readonly symbol: string;
  readonly price: string;
  readonly size: string;
  readonly side: WireSide;
  readonly time: string;
  readonly isBlockTrade: false;
  readonly isRPITrade: false;
  readonly seq: string;
}

/** Of the public streams: their fields are as short as they are there. */
export interface BookData {
  readonly s: string;
  readonly b: [string, string][];
  readonly a: [string, string][];
  readonly u: number;
  readonly seq: number;
}

export interface TradeData {
  readonly T: number;
  readonly s: string;
  readonly S: WireSide;
  readonly v: string;
  readonly p: string;
  readonly L: 'PlusTick' | 'MinusTick';
  readonly i: string;
  readonly BT: boolean;
  readonly RPI: boolean;
  readonly seq: number;
}

export interface KlineData {
  readonly start: number;
  readonly end: number;
  readonly interval: string;
  readonly open: string;
  readonly close: string;
  readonly high: string;
  readonly low: string;
  readonly volume: string;
  readonly turnover: string;
  readonly confirm: boolean;
  readonly timestamp: number;
}

export interface LiquidationData {
  readonly T: number;
  readonly s: string;
  readonly S: WireSide;
  readonly v: string;
  readonly p: string;
}

/** What a private stream carries. */
export type PrivateEvent =
  | { readonly topic: 'order'; readonly row: OrderEventRow }
  | { readonly topic: 'execution'; readonly row: ExecutionEventRow }
  | { readonly topic: 'execution.fast'; readonly row: FastExecutionRow }
  | { readonly topic: 'position'; readonly row: PositionEventRow }
  | { readonly topic: 'wallet'; readonly row: WalletRow };

export type PrivateTopic = PrivateEvent['topic'];
