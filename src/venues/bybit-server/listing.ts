// One instrument as the venue lists it: filters, prices, bars, trades, funding. Everything that is public of it except the book's stream.
import { format, toNumber } from '../../domain/decimal.ts';
import type { MarketEvent } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, NEVER, type TimeMs } from '../../domain/time.ts';
import { defaultTiers, type MarginTier } from '../simulated/margin.ts';
import { MinuteSeries, type SeriesBar } from './minute-series.ts';
import type { InstrumentSurroundings } from './served-market.ts';
import type { TradeRow, WireCategory, WireInstrumentStatus, WireSide } from './wire.ts';

/** Bybit keeps a thousand public trades. */
const KEPT_TRADES = 1_000;
const KEPT_FUNDINGS = 2_000;
/** Rows of open interest, one every five minutes: a week. */
const KEPT_INTEREST = 2_016;
export const INTEREST_STEP_MS = 5 * MINUTE_MS;
/** A market order may be so many times the instrument's smallest quantity. */
const MOST_LOTS = 1_000_000;
const MOST_TICKS = 19_999_998;

export interface PublicTrade {
  readonly id: string;
  readonly at: TimeMs;
  readonly price: number;
  readonly quantity: number;
  /** Of the taker, by the tick rule: the source of the prices knows no sides. */
  readonly side: WireSide;
  readonly isUp: boolean;
  readonly seq: number;
}

export interface RiskTier {
  readonly id: number;
  readonly upTo: string;
  readonly maintenanceRate: number;
  readonly initialRate: number;
  readonly maxLeverage: number;
  readonly isLowest: boolean;
}

/** Initial margin is twice the maintenance of its tier, as in Bybit's tables. */
export function riskTiersOf(tiers: readonly MarginTier[]): readonly RiskTier[] {
  return tiers.map(({ upTo, maintenanceRate }, index) => ({
    id: index + 1,
    upTo: upTo === Infinity ? '9999999999' : String(upTo),
    maintenanceRate,
    initialRate: 2 * maintenanceRate,
    maxLeverage: Math.max(1, Math.floor(1 / (2 * maintenanceRate) + 1e-9)),
    isLowest: index === 0,
  }));
}

/** `0.001` has three. */
export function decimalsOf(step: string): number {
  return step.includes('.') ? step.length - step.indexOf('.') - 1 : 0;
}

export class Listing {
  /** Bybit's spelling: BTCUSDT, on spot as for the perpetual. */
  readonly symbol: string;
  readonly category: WireCategory;
  readonly index: number;
  /** As it is now: filters and funding may be changed while it is listed. */
  instrument: Instrument;
  readonly surroundings: InstrumentSurroundings;
  readonly tiers: readonly RiskTier[];
  status: WireInstrumentStatus = 'Trading';
  readonly trades: PublicTrade[] = [];
  /** Number of the newest trade: who streams remembers how far it has read. */
  tradeCount = 0;
  readonly fundings: { readonly at: TimeMs; readonly rate: number }[] = [];
  readonly interest: { readonly at: TimeMs; readonly quantity: number }[] = [];
  readonly prices = new MinuteSeries();
  readonly marks = new MinuteSeries();
  readonly indexes = new MinuteSeries();
  readonly premiums = new MinuteSeries();
  last = NaN;
  isUp = true;
  /** What was traded since the last bar closed. */
  #forming: SeriesBar | undefined;
  readonly #baseTimeframeMs: TimeMs;
  #priceDecimals = 0;
  #quantityDecimals = 0;

  constructor(index: number, instrument: Instrument, surroundings: InstrumentSurroundings, baseTimeframeMs: TimeMs) {
    this.index = index;
    this.symbol = `${instrument.base}${instrument.quote}`;
    this.category = instrument.kind;
    this.instrument = instrument;
    this.surroundings = surroundings;
    this.tiers = riskTiersOf(defaultTiers(instrument.symbol));
    this.#baseTimeframeMs = baseTimeframeMs;
    this.changeInstrument(instrument);
  }

  changeInstrument(instrument: Instrument): void {
    this.instrument = instrument;
    this.#priceDecimals = decimalsOf(format(instrument.tick));
    this.#quantityDecimals = decimalsOf(format(instrument.lot));
  }

  /** A price of the market. @param seq the venue's number for it */
  seen(event: MarketEvent, seq: number): void {
    const { at, close, volume } = event;
    if (event.kind === 'trade.printed') this.#traded(at, close, volume, seq);
    else if (event.kind === 'bar.closed') this.#closed(event, seq);
    this.last = close;
  }

  #traded(at: TimeMs, price: number, quantity: number, seq: number): void {
    if (price !== this.last) this.isUp = !(price < this.last);
    this.tradeCount++;
    const side = this.isUp ? 'Buy' : 'Sell';
    this.trades.push({ id: `${this.symbol}-${this.tradeCount}`, at, price, quantity, side, isUp: this.isUp, seq });
    if (this.trades.length > 2 * KEPT_TRADES) this.trades.splice(0, KEPT_TRADES);
    const part = { open: price, high: price, low: price, close: price, volume: quantity, turnover: price * quantity };
    if (this.#forming === undefined)
      this.#forming = { openAt: Math.floor((at - 1) / this.#baseTimeframeMs) * this.#baseTimeframeMs, ...part };
    else {
      const forming = this.#forming;
      forming.high = Math.max(forming.high, price);
      forming.low = Math.min(forming.low, price);
      forming.close = price;
      forming.volume += quantity;
      forming.turnover += price * quantity;
    }
  }

  #closed({ happenedAt, at, open, high, low, close, volume }: MarketEvent, seq: number): void {
    // A market that says bars and no trades is one trade a bar for who watches trades.
    if (this.#forming === undefined && volume > 0) this.#traded(at, close, volume, seq);
    const turnover = this.#forming?.turnover ?? (volume * (open + high + low + close)) / 4;
    this.#forming = undefined;
    const openAt = happenedAt - this.#baseTimeframeMs;
    this.prices.add(openAt, { open, high, low, close, volume, turnover });
    this.surroundings.advance(at, close);
    const { markPrice, indexPrice, openInterest } = this.surroundings;
    this.marks.addPrice(openAt, markPrice);
    this.indexes.addPrice(openAt, indexPrice);
    this.premiums.addPrice(openAt, close / indexPrice - 1);
    if (at % INTEREST_STEP_MS === 0) {
      this.interest.push({ at, quantity: openInterest });
      if (this.interest.length > 2 * KEPT_INTEREST) this.interest.splice(0, KEPT_INTEREST);
    }
  }

  /** A funding boundary has passed, at the rate that held. */
  funded(at: TimeMs): void {
    this.fundings.push({ at, rate: this.fundingRate });
    if (this.fundings.length > 2 * KEPT_FUNDINGS) this.fundings.splice(0, KEPT_FUNDINGS);
  }

  get forming(): SeriesBar | undefined {
    return this.#forming;
  }

  get mark(): number {
    return this.surroundings.markPrice;
  }

  get indexPrice(): number {
    return this.surroundings.indexPrice;
  }

  get fundingRate(): number {
    return this.instrument.fundingRate;
  }

  /** The boundary that comes after `at`. */
  nextFundingAt(at: TimeMs): TimeMs {
    const interval = this.instrument.fundingIntervalMs;
    // Spot has none, and never comes to one.
    if (interval === 0) return this.category === 'spot' ? NEVER : (Math.floor(at / (8 * HOUR_MS)) + 1) * 8 * HOUR_MS;
    return (Math.floor(at / interval) + 1) * interval;
  }

  get maxLeverage(): number {
    return this.tiers[0]?.maxLeverage ?? 1;
  }

  /** The largest quantity of one order, as a number. */
  get mostQuantity(): number {
    return toNumber(this.instrument.minimumQuantity) * MOST_LOTS;
  }

  /** The highest price that a limit may have. */
  get mostPrice(): number {
    return toNumber(this.instrument.tick) * MOST_TICKS || Infinity;
  }

  /** An estimate on the tick's decimals. */
  priceText(price: number): string {
    return Number.isFinite(price) ? price.toFixed(this.#priceDecimals) : '';
  }

  quantityText(quantity: number): string {
    return quantity.toFixed(this.#quantityDecimals);
  }

  /** Step of what a spot order may cost, and what it may cost at least and at most. */
  get quoteStep(): string {
    return `0.${'0'.repeat(Math.min(11, this.#priceDecimals + this.#quantityDecimals) - 1)}1`;
  }

  // ---- what REST says of it ------------------------------------------------------------------------------------------

  spotInfo() {
    const { instrument } = this;
    const most = this.quantityText(this.mostQuantity);
    return {
      symbolId: this.index + 1,
      symbol: this.symbol,
      symbolType: '' as const,
      baseCoin: instrument.base,
      quoteCoin: instrument.quote,
      innovation: '0' as const,
      status: this.status,
      marginTrading: 'none' as const,
      stTag: '0' as const,
      lotSizeFilter: {
        basePrecision: format(instrument.lot),
        quotePrecision: this.quoteStep,
        minOrderQty: format(instrument.minimumQuantity),
        maxOrderQty: most,
        minOrderAmt: format(instrument.minimumNotional),
        maxOrderAmt: '9999999999',
        maxLimitOrderQty: most,
        maxMarketOrderQty: most,
        postOnlyMaxLimitOrderSize: most,
      },
      priceFilter: { tickSize: format(instrument.tick) },
      riskParameters: { priceLimitRatioX: '0.01', priceLimitRatioY: '0.02' },
      forbidUplWithdrawal: false,
    };
  }

  /** What the stream of spot says; REST has the best prices beside it. */
  spotTicker(at: TimeMs) {
    const { symbol, lastPrice, highPrice24h, lowPrice24h, prevPrice24h, volume24h, turnover24h, price24hPcnt, indexPrice } =
      this.ticker(at);
    return {
      symbol,
      lastPrice,
      highPrice24h,
      lowPrice24h,
      prevPrice24h,
      volume24h,
      turnover24h,
      price24hPcnt,
      usdIndexPrice: indexPrice,
    };
  }

  info() {
    const { instrument } = this;
    const tick = format(instrument.tick);
    const most = this.quantityText(this.mostQuantity);
    const launchedAt = this.prices.first?.openAt ?? 0;
    return {
      symbolId: this.index + 1,
      symbol: this.symbol,
      contractType: 'LinearPerpetual' as const,
      status: this.status,
      baseCoin: instrument.base,
      quoteCoin: instrument.quote,
      settleCoin: instrument.quote,
      symbolType: '' as const,
      launchTime: String(launchedAt),
      deliveryTime: '0',
      deliveryFeeRate: '',
      priceScale: String(decimalsOf(tick)),
      leverageFilter: { minLeverage: '1', maxLeverage: `${this.maxLeverage}.00`, leverageStep: '0.01' },
      priceFilter: { minPrice: tick, maxPrice: this.priceText(this.mostPrice), tickSize: tick },
      lotSizeFilter: {
        maxOrderQty: most,
        minOrderQty: format(instrument.minimumQuantity),
        qtyStep: format(instrument.lot),
        postOnlyMaxOrderQty: most,
        maxMktOrderQty: most,
        minNotionalValue: format(instrument.minimumNotional),
      },
      unifiedMarginTrade: true,
      fundingInterval: instrument.fundingIntervalMs / MINUTE_MS,
      copyTrading: 'none' as const,
      upperFundingRate: '0.0075',
      lowerFundingRate: '-0.0075',
      riskParameters: { priceLimitRatioX: '0.01', priceLimitRatioY: '0.02' },
      isPreListing: false,
      preListingInfo: null,
      displayName: '',
    };
  }

  /** The whole ticker, every field a text; a stream says what has changed of it. */
  ticker(at: TimeMs) {
    const day = this.prices.since(at - DAY_MS);
    const hour = this.prices.since(at - HOUR_MS);
    const prices = new Float64Array(1);
    const quantities = new Float64Array(1);
    const best = (side: 1 | -1): [string, string] => {
      const isThere = this.status === 'Trading' && this.surroundings.top(side, prices, quantities) > 0;
      return isThere ? [this.priceText(prices[0] ?? NaN), this.quantityText(quantities[0] ?? 0)] : ['', ''];
    };
    const [bid1Price, bid1Size] = best(1);
    const [ask1Price, ask1Size] = best(-1);
    const opened = day?.open ?? this.last;
    const { openInterest } = this.surroundings;
    return {
      symbol: this.symbol,
      tickDirection: this.isUp ? 'PlusTick' : 'MinusTick',
      lastPrice: this.priceText(this.last),
      indexPrice: this.priceText(this.indexPrice),
      markPrice: this.priceText(this.mark),
      prevPrice24h: this.priceText(opened),
      price24hPcnt: (this.last / opened - 1).toFixed(6),
      highPrice24h: this.priceText(day?.high ?? this.last),
      lowPrice24h: this.priceText(day?.low ?? this.last),
      prevPrice1h: this.priceText(hour?.open ?? this.last),
      openInterest: this.quantityText(openInterest),
      openInterestValue: (openInterest * this.mark).toFixed(2),
      turnover24h: (day?.turnover ?? 0).toFixed(4),
      volume24h: this.quantityText(day?.volume ?? 0),
      fundingRate: rateText(this.fundingRate),
      nextFundingTime: String(this.nextFundingAt(at)),
      predictedDeliveryPrice: '',
      basisRate: '',
      basisRateYear: '',
      fundingIntervalHour: String(this.instrument.fundingIntervalMs / HOUR_MS),
      fundingCap: '0.0075',
      deliveryFeeRate: '',
      deliveryTime: '0',
      bid1Price,
      bid1Size,
      ask1Price,
      ask1Size,
      preOpenPrice: '',
      preQty: '',
      curPreListingPhase: '',
      basis: '',
    };
  }

  tradeRow({ id, price, quantity, side, at, seq }: PublicTrade): TradeRow {
    return {
      execId: id,
      symbol: this.symbol,
      price: this.priceText(price),
      size: this.quantityText(quantity),
      side,
      time: String(at),
      isBlockTrade: false,
      isRPITrade: false,
      seq: String(seq),
    };
  }
}

/** Without an exponent and without trailing zeros. */
export function rateText(rate: number): string {
  return rate.toFixed(8).replace(/\.?0+$/, '');
}
