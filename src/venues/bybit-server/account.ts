// One account of the venue: its orders, its positions, its money. Matching and cash are a simulated venue of its own over the same market
// events: accounts do not trade with each other. Triggers, take-profits, stop-losses and trailing stops wait here and become plain orders.
import {
  absolute,
  add,
  amount as readAmount,
  amountFrom,
  compare,
  format,
  isZero,
  negate,
  notional,
  priceFrom,
  proportion,
  quantity as readQuantity,
  roundToStep,
  signOf,
  smaller,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_QUANTITY,
  type Amount,
  type Price,
  type Quantity,
  quantityFrom,
} from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { Event, Fill, FundingReport, LiquidationReport, MarketEvent, OrderReport } from '../../domain/event.ts';
import type { MarketSource } from '../../domain/ports.ts';
import type { TimeMs } from '../../domain/time.ts';
import { SimulatedVenue } from '../simulated/venue.ts';
import { AccountBooks, type Held } from './account-books.ts';
import type { AccountSettings, Surroundings } from './account-surroundings.ts';
import { cancellationOf, refusalOf, WOULD_TAKE } from './answers.ts';
import type { Listing } from './listing.ts';
import { checkBrackets, checkPrice, checkQuantity, checkTrigger, given, reducible, stopKinds, type StopKind } from './order-checks.ts';
import { Position } from './position.ts';
import { CODES, parameterError, Refusal } from './refusal.ts';
import type { AmendRequest, CancelAllRequest, CancelRequest, CreateRequest, TradingStopRequest } from './requests.ts';
import {
  intentOf,
  isOpen,
  leaves,
  newOrder,
  orderEventRow,
  type Brackets,
  type ServedOrder,
  type Tolerance,
  type Trigger,
} from './served-order.ts';
import type { PrivateEvent, WireCancelType, WireCategory, WireMarginMode, WirePositionIdx, WireSide, WireTriggerBy } from './wire.ts';

const DEFAULT_LEVERAGE = 10;
/** No bound of its own: what an account may hold is reckoned here, by the leverage of each symbol. */
const UNBOUNDED_LEVERAGE = 1_000;
/** Closed orders that /order/realtime still knows. */
const CLOSED_IN_REALTIME = 500;
const KEPT_ORDERS = 10_000;
/** From submission to arrival in the simulated venue, which is at least this: a request is sent a moment before it is answered. */
const ON_THE_WAY_MS = 1;

const ONE = readQuantity('1');
/** Bybit's, of one symbol. */
const MOST_ORDERS = 500;
const MOST_STOPS = 10;

/** Which orders are meant: of every market unless one is said. */
type CancelFilter = Partial<CancelAllRequest>;

/** Who trades without being asked: the venue itself, or somebody else who has the account. */
type OtherHand = 'liquidation' | 'deleveraging' | 'manual';

export class Account {
  readonly settings: AccountSettings;
  readonly #around: Surroundings;
  readonly books: AccountBooks;
  /** By listing: its one position, or in hedge mode the long one; the short ones are beside them. Spot has none that is ever open. */
  readonly positions: readonly Position[];
  readonly #shorts: readonly Position[];
  #held: readonly Held[] = [];
  /** Positions in both directions are held beside each other: for the whole account, where Bybit has it for each symbol. */
  isHedged = false;
  readonly leverages: number[];
  marginMode: WireMarginMode = 'REGULAR_MARGIN';
  /** By product, milliseconds after which its orders are cancelled once the last guarded stream is gone; none that was not asked for. */
  readonly disconnectWindowsMs = new Map<WireCategory, number>();
  #venue: SimulatedVenue;
  #watches: readonly MarketSource[] = [];
  readonly #orders = new Map<string, ServedOrder>();
  /** Every order in order of creation; the oldest closed ones are forgotten. */
  readonly #all: ServedOrder[] = [];
  readonly #linkIds = new Set<string>();
  /** By instrument: what waits for a price. */
  readonly #untriggered: readonly Set<ServedOrder>[];
  #orderNumber = 0;
  /** Orders closed before this number are gone from /order/realtime: a restart of the service forgets them. */
  #forgottenBefore = 0;
  /** The order whose answer is awaited right now, and what the venue said against it. */
  #placing: ServedOrder | undefined;
  #refusal: Refusal | undefined;
  #amendRefusal: string | undefined;
  readonly #events: PrivateEvent[] = [];

  constructor(settings: AccountSettings, around: Surroundings) {
    this.settings = settings;
    this.#around = around;
    this.positions = around.listings.map(() => new Position());
    this.#shorts = around.listings.map(() => new Position());
    this.#held = this.#heldNow();
    this.leverages = around.listings.map(({ maxLeverage }) => Math.min(DEFAULT_LEVERAGE, maxLeverage));
    this.#untriggered = around.listings.map(() => new Set<ServedOrder>());
    this.#venue = this.#openVenue(settings.capital);
    this.books = new AccountBooks(this, around);
  }

  #openVenue(capital: Amount): SimulatedVenue {
    const { instruments, sources, baseTimeframeMs, slippageRatio, rules, now, current, listings } = this.#around;
    const isIsolated = this.isIsolated;
    const venue = new SimulatedVenue({
      instruments,
      baseTimeframeMs,
      capital,
      slippageRatio,
      latencyMs: ON_THE_WAY_MS,
      maximumLeverage: isIsolated ? (this.leverages[0] ?? DEFAULT_LEVERAGE) : UNBOUNDED_LEVERAGE,
      // Whose coins they are is reckoned here: the matching knows neither fees in coins nor what was transferred.
      allowSpotShort: true,
      positions: this.isHedged ? 'hedge' : 'netting',
      rules: { ...rules, margin: isIsolated ? 'isolated' : 'cross' },
      notBefore: now,
    });
    this.#watches = sources.map((source) =>
      venue.watching({
        instrument: source.instrument,
        peekAt: () => source.peekAt(),
        take: current,
        nextBar: () => source.nextBar(),
        get ended() {
          return source.ended;
        },
      }),
    );
    for (const { index, last } of listings) if (last > 0) venue.see(priceSeen(index, last, now()));
    return venue;
  }

  get isIsolated(): boolean {
    switch (this.marginMode) {
      case 'ISOLATED_MARGIN':
        return true;
      case 'REGULAR_MARGIN':
      // Its offsets between spot and perpetuals are not reckoned: it margins as cross does.
      case 'PORTFOLIO_MARGIN':
        return false;
    }
  }

  /** Every position in perpetuals. */
  get held(): readonly Held[] {
    return this.#held;
  }

  #heldNow(): readonly Held[] {
    const perpetuals = this.#around.listings.filter(({ category }) => category === 'linear');
    const of = (positions: readonly Position[], idx: WirePositionIdx) => (listing: Listing) => {
      const position = positions[listing.index];
      if (position === undefined) throw new Error('broken invariant: every listing has a position');
      return { listing, position, idx };
    };
    if (!this.isHedged) return perpetuals.map(of(this.positions, 0));
    return perpetuals.flatMap((listing) => [of(this.positions, 1)(listing), of(this.#shorts, 2)(listing)]);
  }

  heldOf(listing: Listing, idx: WirePositionIdx): Held {
    const held = this.#held.find((each) => each.listing === listing && each.idx === idx);
    if (held === undefined) throw new Error('broken invariant: a position is asked for as the account keeps it');
    return held;
  }

  /** @throws Refusal 10001 where the account keeps its positions otherwise */
  #askedFor(listing: Listing, idx: WirePositionIdx = 0): Held {
    const held = this.#held.find((each) => each.listing === listing && each.idx === idx);
    if (held === undefined) throw parameterError('position idx not match position mode');
    return held;
  }

  /** The venue demands something else of it from now on, or pays something else. */
  instrumentChanged(index: number, instrument: Instrument): void {
    this.#venue.instrumentChanged(index, instrument);
  }

  /** Cash with the notional of positions taken out, as the matching has it. */
  get cash(): Amount {
    return this.#venue.cash;
  }

  /** By instrument, signed, as the matching has it. */
  get matched(): readonly Quantity[] {
    return this.#venue.position;
  }

  /** What has happened since it was last asked. */
  takeEvents(): readonly PrivateEvent[] {
    return this.#events.splice(0);
  }

  // ---- time ----------------------------------------------------------------------------------------------------------

  peekAt(): TimeMs {
    return this.#venue.peekAt();
  }

  /** Carries out what the matching has due. Only after a finite `peekAt`. */
  act(): void {
    this.#handle(this.#venue.take());
  }

  /** The current market event reaches the matching, and then what waits for prices. */
  seen(event: MarketEvent): void {
    this.#watches[event.instrument]?.take();
    this.look(event.instrument);
  }

  /** Looks whether a price has come to what waits for it. */
  look(instrument: number): void {
    const waiting = this.#untriggered[instrument];
    if (waiting === undefined || waiting.size === 0) return;
    for (const order of waiting) if (waiting.has(order) && this.#isDue(order)) this.#fire(order);
  }

  #settle(): void {
    while (this.#venue.peekAt() <= this.#around.now()) this.act();
  }

  // ---- orders in -----------------------------------------------------------------------------------------------------

  /** @throws Refusal */
  create(request: CreateRequest): ServedOrder {
    const listing = this.#listed(request.symbol, request.category);
    mustTrade(listing);
    const linkId = request.orderLinkId ?? '';
    const isSpot = listing.category === 'spot';
    if (linkId !== '' && this.#linkIds.has(linkId))
      throw isSpot
        ? new Refusal(CODES.spotLinkIdTaken, 'Duplicate clientOrderId')
        : new Refusal(CODES.linkIdTaken, 'OrderLinkedID is duplicate');
    this.#mustHaveRoom(listing, request.triggerPrice !== undefined && request.triggerPrice !== '');
    const order = isSpot ? this.#spotOrderOf(request, listing, linkId) : this.#orderOf(request, listing, linkId);
    this.#mustBePaid(order);
    if (order.trigger === undefined) this.#place(order);
    else {
      this.#enlist(order);
      this.#tell(order);
    }
    if (linkId !== '') this.#linkIds.add(linkId);
    return order;
  }

  /** @throws Refusal 110009, 110020 */
  #mustHaveRoom(listing: Listing, isConditional: boolean): void {
    let open = 0;
    for (const order of this.#all) {
      if (isOpen(order) && order.listing === listing && order.createType === 'CreateByUser')
        if (isConditional === (order.status === 'Untriggered')) open++;
    }
    if (open < (isConditional ? MOST_STOPS : MOST_ORDERS)) return;
    throw isConditional
      ? new Refusal(CODES.tooManyStops, 'The number of stop orders exceeds the maximum allowable limit')
      : new Refusal(CODES.tooManyOrders, `Not allowed to have more than ${MOST_ORDERS} active orders`);
  }

  /** What an order needs is there: of a stop nothing, until it is triggered. @throws Refusal 110007, 170131 */
  #mustBePaid(order: ServedOrder): void {
    if (order.listing.category === 'spot') {
      if (order.trigger !== undefined && !order.isOccupying) return;
      const { coin, quantity: needed } = needsOf(order, this.#around.slippageRatio);
      if (compare(needed, this.books.freeOf(coin)) > 0) throw new Refusal(CODES.spotLacksBalance, 'Insufficient balance.');
    } else if (order.trigger === undefined && !order.reduceOnly && !this.books.canAfford(order)) throw lacksMargin();
  }

  /** Spot: nothing is reduced, fees are taken from what is received, and a purchase at the market may name what it costs. */
  #spotOrderOf(request: CreateRequest, listing: Listing, linkId: string): ServedOrder {
    const { side, orderType: type } = request;
    const isBracketed = given(request.takeProfit) !== undefined || given(request.stopLoss) !== undefined;
    if (isBracketed && (type !== 'Limit' || given(request.triggerPrice) !== undefined))
      throw parameterError('takeProfit and stopLoss on spot come with a limit order');
    const limit = given(request.price);
    const price = type === 'Limit' ? checkPrice(limit, listing, 'price') : undefined;
    if (type === 'Limit' && price === undefined) throw parameterError('params error: price is required');
    const brackets = price === undefined ? undefined : checkBrackets(request, listing, side, price);
    const trigger = checkTrigger(request, listing);
    const reference = price ?? trigger?.price ?? marketPrice(listing, side, this.#around.slippageRatio);
    const unit = request.marketUnit ?? (side === 'Buy' ? 'quoteCoin' : 'baseCoin');
    const isByCost = type === 'Market' && unit === 'quoteCoin';
    const budget = isByCost ? amountOf(request.qty) : undefined;
    const text = budget === undefined ? request.qty : format(quantityFor(budget, reference, listing));
    const quantity = checkQuantity(text, listing);
    if (compare(notional(reference, quantity), listing.instrument.minimumNotional) < 0 && !isEnough(budget, listing))
      throw new Refusal(CODES.spotBelowAmount, 'Order value exceeded lower limit.');
    return this.#made({
      listing,
      side,
      type,
      quantity,
      linkId,
      price,
      timeInForce: type === 'Market' ? 'IOC' : (request.timeInForce ?? 'GTC'),
      trigger,
      budget,
      marketUnit: isByCost ? 'quoteCoin' : 'baseCoin',
      brackets,
      isOccupying: request.orderFilter === 'tpslOrder',
      smpType: request.smpType ?? 'None',
      tolerance: this.#toleranceOf(request, listing),
    });
  }

  /** @throws Refusal 10001 */
  #toleranceOf(
    { orderType, side, slippageTolerance, slippageToleranceType: kind }: CreateRequest,
    listing: Listing,
  ): Tolerance | undefined {
    const text = given(slippageTolerance);
    if (text === undefined || kind === undefined || orderType !== 'Market') return undefined;
    const [value, tick] = [Number(text), listing.instrument.tick];
    const isFine = kind === 'TickSize' ? Number.isInteger(value) && value >= 1 && value <= 10_000 : value >= 0.01 && value <= 10;
    if (!isFine) throw parameterError(`params error: slippageTolerance ${text} is out of range`);
    const distance = kind === 'TickSize' ? value * toNumber(tick) : (listing.last * value) / 100;
    const isBuy = side === 'Buy';
    return { type: kind, text, price: priceFrom(listing.last + (isBuy ? distance : -distance), tick, isBuy ? 'down' : 'up') };
  }

  #orderOf(request: CreateRequest, listing: Listing, linkId: string): ServedOrder {
    const { side, orderType: type } = request;
    const { position, idx: positionIdx } = this.#askedFor(listing, request.positionIdx);
    const isClosing = request.closeOnTrigger === true;
    const reduceOnly = request.reduceOnly === true || isClosing;
    const limit = given(request.price);
    const price = type === 'Limit' ? checkPrice(limit, listing, 'price') : undefined;
    if (type === 'Limit' && price === undefined) throw parameterError('params error: price is required');
    const trigger = checkTrigger(request, listing);
    const quantity = this.#quantityOf(request, listing, position, reduceOnly, price ?? trigger?.price);
    const brackets = checkBrackets(request, listing, side, price ?? priceFrom(listing.last, listing.instrument.tick, 'nearest'));
    if (reduceOnly && trigger === undefined && position.side !== (side === 'Sell' ? 1 : -1)) {
      throw new Refusal(CODES.reduceOnly, 'current position is zero, cannot fix reduce-only order qty');
    }
    const isMarket = type === 'Market';
    return this.#made({
      listing,
      side,
      type,
      quantity,
      linkId,
      price,
      timeInForce: isMarket ? 'IOC' : (request.timeInForce ?? 'GTC'),
      reduceOnly,
      closeOnTrigger: isClosing,
      trigger,
      brackets,
      positionIdx,
      smpType: request.smpType ?? 'None',
      tolerance: this.#toleranceOf(request, listing),
    });
  }

  #quantityOf(request: CreateRequest, listing: Listing, position: Position, reduceOnly: boolean, reference: Price | undefined): Quantity {
    // Of a reduce-only order 0 is all there is.
    if (reduceOnly && Number(request.qty) === 0) {
      const held = absolute(position.quantity);
      if (isZero(held)) throw new Refusal(CODES.reduceOnly, 'current position is zero, cannot fix reduce-only order qty');
      return held;
    }
    const quantity = checkQuantity(request.qty, listing);
    const price = reference === undefined ? listing.last : toNumber(reference);
    if (!reduceOnly && price * toNumber(quantity) < toNumber(listing.instrument.minimumNotional)) {
      throw new Refusal(
        CODES.belowNotional,
        'Order does not meet minimum order value ' + toNumber(listing.instrument.minimumNotional) + 'USDT',
      );
    }
    return reduceOnly && request.triggerPrice === undefined
      ? smaller(quantity, reducible(position.quantity, request.side, quantity))
      : quantity;
  }

  #made(parts: Omit<Parameters<typeof newOrder>[0], 'number' | 'id' | 'createdAt'>): ServedOrder {
    return newOrder({ ...parts, number: ++this.#orderNumber, id: this.#around.nextId(), createdAt: this.#around.now() });
  }

  #enlist(order: ServedOrder): void {
    this.#orders.set(order.id, order);
    this.#all.push(order);
    if (order.trigger !== undefined && order.status === 'Untriggered') this.#untriggered[order.listing.index]?.add(order);
    if (this.#all.length > 2 * KEPT_ORDERS) this.#forget();
  }

  /** Lets go of the oldest that are closed. */
  #forget(): void {
    const kept = this.#all.splice(0, KEPT_ORDERS).filter((order) => {
      if (isOpen(order)) return true;
      this.#orders.delete(order.id);
      return false;
    });
    this.#all.unshift(...kept);
  }

  /** Sends it to the matching and waits for what that says at once. @throws Refusal where it is refused at the door */
  #place(order: ServedOrder): void {
    const matching = this.#selfMatches(order);
    this.#enlist(order);
    if (matching.length > 0 && order.smpType !== 'CancelMaker') {
      order.smpOrderId = matching[0]?.id ?? '';
      this.#end(order, 'Cancelled', 'CancelBySmp');
    } else this.#send(order);
    if (order.smpType !== 'CancelTaker') for (const resting of matching) this.#cancelSelfMatch(resting, order);
  }

  #send(order: ServedOrder): void {
    this.#placing = order;
    this.#refusal = undefined;
    this.#submit(order);
    this.#placing = undefined;
    const refusal = this.#takeRefusal();
    if (refusal === undefined) return;
    this.#orders.delete(order.id);
    this.#all.splice(this.#all.indexOf(order), 1);
    throw refusal;
  }

  /** Resting limits of the same account that it would trade with, where it says that it must not. A market order is held to the last price. */
  #selfMatches({ smpType, listing, side, price }: ServedOrder): readonly ServedOrder[] {
    if (smpType === 'None') return [];
    const reach = price === undefined ? listing.last : toNumber(price);
    return this.#all.filter((other) => {
      if (!isOpen(other) || other.listing !== listing || other.side === side || other.status === 'Untriggered') return false;
      const level = other.price === undefined ? NaN : toNumber(other.price);
      return side === 'Buy' ? level <= reach : level >= reach;
    });
  }

  #cancelSelfMatch(resting: ServedOrder, taker: ServedOrder): void {
    if (!isOpen(resting)) return;
    resting.smpOrderId = taker.id;
    this.#cancel(resting, 'CancelBySmp');
  }

  #takeRefusal(): Refusal | undefined {
    const refusal = this.#refusal;
    this.#refusal = undefined;
    return refusal;
  }

  #submit(order: ServedOrder): void {
    this.#venue.submit(intentOf(order, this.#around.now() - ON_THE_WAY_MS));
    this.#settle();
  }

  /** @throws Refusal */
  amend(request: AmendRequest): ServedOrder {
    const order = this.#openOrder(request);
    const { listing } = order;
    const price = checkPrice(given(request.price), listing, 'price');
    const triggerPrice = checkPrice(given(request.triggerPrice), listing, 'triggerPrice');
    const text = given(request.qty);
    const quantity = text === undefined ? undefined : checkQuantity(text, listing);
    if (order.status === 'Untriggered') {
      if (triggerPrice !== undefined && order.trigger !== undefined) order.trigger.price = triggerPrice;
      if (price !== undefined && order.type === 'Limit') order.price = price;
      if (quantity !== undefined) order.quantity = quantity;
    } else if (price !== undefined || quantity !== undefined) this.#reprice(order, price, quantity);
    if (given(request.takeProfit) !== undefined || given(request.stopLoss) !== undefined) {
      if (listing.category === 'spot') throw parameterError('takeProfit and stopLoss of a spot order are not amended');
      const reference = order.price ?? priceFrom(listing.last, listing.instrument.tick, 'nearest');
      order.brackets = mergedBrackets(order.brackets, request, checkBrackets(request, listing, order.side, reference));
    }
    this.#tell(order);
    return order;
  }

  #reprice(order: ServedOrder, price: Price | undefined, quantity: Quantity | undefined): void {
    const limitPrice = price ?? order.price;
    if (limitPrice === undefined) throw goneFrom(order.listing, 'replace');
    this.#mustAffordMore(order, limitPrice, quantity ?? order.quantity);
    this.#amendRefusal = undefined;
    this.#venue.amend({
      at: this.#around.now() - ON_THE_WAY_MS,
      instrument: order.listing.index,
      order: order.id,
      limitPrice,
      quantity: quantity ?? order.quantity,
    });
    this.#settle();
    const words = this.#takeAmendRefusal();
    if (words !== undefined && words !== '') throw refusalOf(words);
  }

  #mustAffordMore(order: ServedOrder, price: Price, quantity: Quantity): void {
    if (order.listing.category === 'spot') {
      const [before, after] = [needsOf(order), needsOf({ ...order, price, quantity })];
      if (compare(subtract(after.quantity, before.quantity), this.books.freeOf(after.coin)) > 0)
        throw new Refusal(CODES.spotLacksBalance, 'Insufficient balance.');
      return;
    }
    const more = subtract(quantity, order.quantity);
    if (!order.reduceOnly && signOf(more) > 0 && !this.books.canAfford({ ...order, quantity: more, price })) throw lacksMargin();
  }

  #takeAmendRefusal(): string | undefined {
    const words = this.#amendRefusal;
    this.#amendRefusal = undefined;
    return words;
  }

  /** @throws Refusal 110001 */
  cancel(request: CancelRequest): ServedOrder {
    const order = this.#openOrder(request);
    this.#cancel(order, 'CancelByUser');
    return order;
  }

  /** Of both markets unless one is said. */
  cancelAll(request: CancelFilter, cancelType: WireCancelType = 'CancelByUser'): readonly ServedOrder[] {
    const cancelled = this.#all.filter((order) => isOpen(order) && isWithin(order, request));
    for (const order of cancelled) if (isOpen(order)) this.#cancel(order, cancelType);
    return cancelled;
  }

  #cancel(order: ServedOrder, cancelType: WireCancelType): void {
    if (order.status === 'Untriggered') {
      this.#end(order, 'Deactivated', cancelType);
      return;
    }
    order.cancelType = cancelType;
    this.#venue.cancel({ at: this.#around.now() - ON_THE_WAY_MS, instrument: order.listing.index, order: order.id });
    this.#settle();
  }

  /** By orderId, or by orderLinkId. @throws Refusal 110001 where none is open */
  #openOrder({ category, symbol, orderId = '', orderLinkId = '' }: CancelRequest): ServedOrder {
    const listing = this.#listed(symbol, category);
    if (orderId === '' && orderLinkId === '') throw parameterError('params error: orderId or orderLinkId is required');
    const order =
      orderId === '' ? this.#all.findLast((each) => each.linkId === orderLinkId && orderLinkId !== '') : this.#orders.get(orderId);
    if (order === undefined || !isOpen(order) || order.isHidden || order.listing !== listing) throw goneFrom(listing, 'cancel');
    return order;
  }

  // ---- what is set for a position ------------------------------------------------------------------------------------

  /** @throws Refusal */
  setLeverage(symbol: string, buy: string, sell: string): void {
    const listing = this.#listed(symbol);
    const leverage = Number(buy);
    if (Number(sell) !== leverage) throw parameterError('buy leverage must equal sell leverage: it is one for both sides here');
    if (!(leverage >= 1 && leverage <= listing.maxLeverage)) {
      throw new Refusal(CODES.overLeverage, `cannot set leverage gt maxLeverage by risk limit ${listing.maxLeverage}`);
    }
    if (this.leverages[listing.index] === leverage) throw new Refusal(CODES.leverageSame, 'leverage not modified');
    if (this.isIsolated) {
      // The matching knows one leverage for isolated positions, and none can be changed under one.
      this.#mustBeIdle();
      this.leverages.fill(leverage);
      this.#venue = this.#openVenue(this.#venue.cash);
      return;
    }
    const before = this.leverages[listing.index] ?? leverage;
    this.leverages[listing.index] = leverage;
    if (this.books.available() < 0 && leverage < before) {
      this.leverages[listing.index] = before;
      throw lacksMargin();
    }
    for (const held of this.#held) if (held.listing === listing && held.position.side !== 0) this.#tellPosition(held);
  }

  /** For the whole account. @throws Refusal */
  setMarginMode(asked: WireMarginMode): void {
    const isIsolated = asked === 'ISOLATED_MARGIN';
    if (asked === this.marginMode) throw new Refusal(CODES.marginModeSame, 'Cross/isolated margin mode is not modified');
    this.#mustBeIdle();
    this.marginMode = asked;
    if (isIsolated) this.leverages.fill(Math.min(...this.leverages));
    this.#venue = this.#openVenue(this.#venue.cash);
  }

  /** For the whole account. @throws Refusal 110024, 110025, 110028 */
  setPositionMode(isHedged: boolean): void {
    if (isHedged === this.isHedged) throw new Refusal(CODES.positionModeSame, 'Position mode is not modified');
    this.#mustBeIdle();
    this.isHedged = isHedged;
    this.#held = this.#heldNow();
    this.#venue = this.#openVenue(this.#venue.cash);
  }

  #mustBeIdle(): void {
    if (this.#held.some(({ position: { side } }) => side !== 0))
      throw new Refusal(CODES.hasPosition, 'You have an existing position, so the mode cannot be switched');
    if (this.#all.some(isOpen)) throw new Refusal(CODES.hasOrders, 'You have existing orders, so the mode cannot be switched');
  }

  /** Take-profit, stop-loss and trailing stop of a position; '0' takes one away. @throws Refusal */
  setTradingStop(request: TradingStopRequest): void {
    const listing = this.#listed(request.symbol, 'linear');
    const held = this.#askedFor(listing, request.positionIdx);
    const { position } = held;
    if (position.side === 0) throw parameterError('can not set tp/sl/ts for zero position');
    const side: WireSide = position.side > 0 ? 'Buy' : 'Sell';
    const reference = priceFrom(listing.last, listing.instrument.tick, 'nearest');
    const brackets = checkBrackets(request, listing, side, reference);
    const distance = checkPrice(given(request.trailingStop), listing, 'trailingStop');
    const activePrice = checkPrice(given(request.activePrice), listing, 'activePrice');
    const sizes = [request.tpSize, request.slSize].map((size) => {
      const text = given(size);
      return text === undefined ? undefined : checkQuantity(text, listing);
    });
    let hasChanged = false;
    if (brackets !== undefined && brackets.isPartial) {
      hasChanged = this.#addPartialStops(held, brackets, sizes[0] ?? sizes[1] ?? absolute(position.quantity));
    } else {
      for (const kind of ['TakeProfit', 'StopLoss'] as const) {
        const level = kind === 'TakeProfit' ? request.takeProfit : request.stopLoss;
        if (level === undefined || level === '') continue;
        if (this.#setStop(held, kind, brackets)) hasChanged = true;
      }
    }
    if (request.trailingStop !== undefined && request.trailingStop !== '' && this.#setTrail(held, distance, activePrice)) hasChanged = true;
    if (!hasChanged) throw new Refusal(CODES.stopsSame, 'not modified');
    position.updatedAt = this.#around.now();
    this.#tellPosition(held);
    this.look(listing.index);
  }

  /** The stop of that kind which follows the whole position. */
  stopOf({ listing, idx }: Held, kind: StopKind): ServedOrder | undefined {
    for (const order of this.#untriggered[listing.index] ?? [])
      if (order.isForPosition && order.positionIdx === idx && order.trigger?.kind === kind) return order;
    return undefined;
  }

  /** @returns whether anything was changed */
  #setStop(held: Held, kind: 'TakeProfit' | 'StopLoss', brackets: Brackets | undefined): boolean {
    const level = kind === 'TakeProfit' ? brackets?.takeProfit : brackets?.stopLoss;
    const limit = kind === 'TakeProfit' ? brackets?.tpLimitPrice : brackets?.slLimitPrice;
    const by = (kind === 'TakeProfit' ? brackets?.tpTriggerBy : brackets?.slTriggerBy) ?? 'LastPrice';
    const standing = this.stopOf(held, kind);
    if (level === undefined) {
      if (standing !== undefined) this.#end(standing, 'Deactivated', 'CancelByUser');
      return standing !== undefined;
    }
    if (standing?.trigger !== undefined && standing.trigger.by === by && standing.price === limit) {
      if (compare(standing.trigger.price, level) === 0) return false;
      standing.trigger.price = level;
      this.#tell(standing);
      return true;
    }
    if (standing !== undefined) this.#end(standing, 'Deactivated', 'CancelByUser');
    this.#addStop(held, { kind, level, by, limit, quantity: undefined });
    return true;
  }

  #addPartialStops(held: Held, brackets: Brackets, quantity: Quantity): boolean {
    const { takeProfit, stopLoss, tpTriggerBy, slTriggerBy, tpLimitPrice, slLimitPrice } = brackets;
    if (takeProfit !== undefined)
      this.#addStop(held, { kind: 'PartialTakeProfit', level: takeProfit, by: tpTriggerBy, limit: tpLimitPrice, quantity });
    if (stopLoss !== undefined)
      this.#addStop(held, { kind: 'PartialStopLoss', level: stopLoss, by: slTriggerBy, limit: slLimitPrice, quantity });
    return takeProfit !== undefined || stopLoss !== undefined;
  }

  #addStop(
    { listing, position, idx: positionIdx }: Held,
    {
      kind,
      level,
      by,
      limit,
      quantity,
      trail,
    }: {
      readonly kind: StopKind;
      readonly level: Price;
      readonly by: WireTriggerBy;
      readonly limit: Price | undefined;
      /** Undefined follows the position. */
      readonly quantity: Quantity | undefined;
      readonly trail?: NonNullable<Trigger['trail']>;
    },
  ): void {
    const isLong = position.side > 0;
    const rises = stopKinds[kind].isTarget === isLong;
    const trigger: Trigger = { price: level, direction: rises ? 1 : 2, by, kind, ...(trail === undefined ? {} : { trail }) };
    const order = this.#made({
      linkId: '',
      listing,
      side: isLong ? 'Sell' : 'Buy',
      type: limit === undefined ? 'Market' : 'Limit',
      price: limit,
      quantity: quantity ?? absolute(position.quantity),
      reduceOnly: true,
      closeOnTrigger: true,
      createType: stopKinds[kind].createType,
      trigger,
      isForPosition: quantity === undefined,
      positionIdx,
    });
    this.#enlist(order);
    this.#tell(order);
  }

  #setTrail(held: Held, distance: Price | undefined, activePrice: Price | undefined): boolean {
    const { listing } = held;
    const standing = this.stopOf(held, 'TrailingStop');
    if (standing !== undefined) this.#end(standing, 'Deactivated', 'CancelByUser');
    if (distance === undefined) return standing !== undefined;
    const isLong = held.position.side > 0;
    const from = activePrice ?? priceFrom(listing.last, listing.instrument.tick, 'nearest');
    const level = isLong ? subtract(from, distance) : add(from, distance);
    // Without a price that arms it, it trails from now on.
    const trail = { distance, activePrice, best: activePrice === undefined ? listing.last : NaN };
    this.#addStop(held, { kind: 'TrailingStop', level, by: 'LastPrice', limit: undefined, quantity: undefined, trail });
    return true;
  }

  // ---- triggers ------------------------------------------------------------------------------------------------------

  #isDue(order: ServedOrder): boolean {
    const { trigger, listing } = order;
    if (trigger === undefined) return false;
    const price = trigger.by === 'MarkPrice' ? listing.mark : trigger.by === 'IndexPrice' ? listing.indexPrice : listing.last;
    if (trigger.trail !== undefined && !this.#trails(order, trigger, trigger.trail, price)) return false;
    const level = toNumber(trigger.price);
    return trigger.direction === 1 ? price >= level : price <= level;
  }

  /** Moves the trigger behind the best price. @returns whether it is armed */
  #trails(order: ServedOrder, trigger: Trigger, trail: NonNullable<Trigger['trail']>, price: number): boolean {
    const sells = order.side === 'Sell';
    if (Number.isNaN(trail.best)) {
      const active = toNumber(trail.activePrice ?? trigger.price);
      if (sells ? price < active : price > active) return false;
      trail.best = price;
    }
    trail.best = sells ? Math.max(trail.best, price) : Math.min(trail.best, price);
    const best = priceFrom(trail.best, order.listing.instrument.tick, 'nearest');
    const level = sells ? subtract(best, trail.distance) : add(best, trail.distance);
    if (compare(level, trigger.price) === 0) return true;
    trigger.price = level;
    order.updatedAt = this.#around.now();
    return true;
  }

  #fire(order: ServedOrder): void {
    const { listing } = order;
    this.#untriggered[listing.index]?.delete(order);
    order.status = 'Triggered';
    this.#tell(order);
    if (order.rival !== undefined && isOpen(order.rival)) this.#end(order.rival, 'Deactivated', 'CancelByTpSlTsClear');
    if (order.reduceOnly) {
      const held = this.heldOf(listing, order.positionIdx).position.quantity;
      const most = reducible(held, order.side, order.isForPosition ? absolute(held) : order.quantity);
      if (isZero(most)) {
        this.#end(order, 'Cancelled', 'CancelByReduceOnly');
        return;
      }
      order.quantity = most;
    }
    // Nothing was put aside for it while it waited.
    if (!order.reduceOnly && !this.#isPayable(order)) {
      order.rejectReason = 'EC_Others';
      this.#end(order, 'Rejected', 'UNKNOWN');
      return;
    }
    order.status = 'New';
    this.#submit(order);
  }

  /** Before it is submitted: what it has put aside for itself is not counted twice. */
  #isPayable(order: ServedOrder): boolean {
    if (order.listing.category === 'linear') return this.books.canAfford(order);
    if (order.isOccupying) return true;
    const { coin } = needsOf(order);
    // It is open by now, and its needs are put aside already.
    return compare(this.books.balanceOf(coin), this.locked(coin)) >= 0;
  }

  // ---- what the venue itself does --------------------------------------------------------------------------------------

  /** A position changed by somebody else: nobody hears of an order. @param change signed */
  changeByHand(listing: Listing, change: Quantity, idx: WirePositionIdx = 0): void {
    this.#byVenue(listing, change, 'manual', listing.category === 'spot' ? 0 : this.#askedFor(listing, idx).idx);
  }

  /** Closes the position as a liquidation or a deleveraging does: both, where there are a long and a short one. */
  closeByForce(listing: Listing, origin: 'liquidation' | 'deleveraging'): void {
    const open = this.#held.filter((each) => each.listing === listing && each.position.side !== 0);
    if (open.length === 0) throw parameterError('the position is zero');
    const { category, symbol } = listing;
    this.cancelAll({ category, symbol }, origin === 'liquidation' ? 'CancelAllBeforeLiq' : 'CancelAllBeforeAdl');
    for (const { position, idx } of open) this.#byVenue(listing, negate(position.quantity), origin, idx);
  }

  /** An order fills once more than it was to: beyond its quantity, or after its end. By either of its ids. @throws Refusal 110001 */
  fillAgain(named: string, quantity: Quantity): void {
    const order = this.#all.findLast(({ id, linkId }) => id === named || linkId === named);
    if (order === undefined) throw new Refusal(CODES.orderGone, 'order not exists');
    const change = order.side === 'Buy' ? quantity : negate(quantity);
    this.#byVenue(order.listing, change, 'manual', order.positionIdx, order);
  }

  #byVenue(listing: Listing, change: Quantity, origin: OtherHand, positionIdx: WirePositionIdx, standsFor?: ServedOrder): void {
    const order = this.#made({
      linkId: '',
      listing,
      side: signOf(change) > 0 ? 'Buy' : 'Sell',
      type: 'Market',
      quantity: absolute(change),
      createType: origin === 'liquidation' ? 'CreateByLiq' : origin === 'deleveraging' ? 'CreateByAdl_PassThrough' : 'CreateByUser',
      reduceOnly: origin !== 'manual',
      isHidden: origin === 'manual',
      positionIdx,
      standsFor,
    });
    this.#place(order);
  }

  /** Money that comes or goes beside trading, now. The matching's margin does not know of it. */
  transfer(coin: string, amount: Amount): void {
    this.books.transfer(coin, amount);
    this.#tellWallet();
  }

  /** Funding of every position in it now, by its rate, or so much for the first that is open. */
  fundNow(listing: Listing, amount: Amount | undefined): void {
    const held = this.#held.filter((each) => each.listing === listing);
    const open = held.filter(({ position }) => position.side !== 0);
    const [first] = open.length > 0 ? open : held;
    if (first === undefined) throw parameterError('it has no funding');
    // Longs pay a positive rate.
    const owed = ({ position }: Held): Amount => negate(amountFrom(toNumber(position.quantity) * listing.mark * listing.fundingRate));
    for (const each of amount === undefined ? open : [first]) {
      this.books.fundNow(each, amount ?? owed(each));
      for (const event of this.books.takeExecutions()) this.#events.push(event);
      this.#tellPosition(each);
    }
    this.#tellWallet();
  }

  /** Its service has restarted: /order/realtime knows no closed order any more. */
  restarted(): void {
    this.#forgottenBefore = this.#orderNumber;
  }

  // ---- reports -------------------------------------------------------------------------------------------------------

  #handle(report: Event): void {
    switch (report.kind) {
      case 'order.accepted': {
        const order = this.#orders.get(report.order);
        if (order !== undefined) this.#tell(order);
        return;
      }
      case 'order.filled': {
        const order = this.#orders.get(report.order);
        if (order === undefined || report.fill === undefined) return;
        if (order.standsFor !== undefined) order.status = 'Filled';
        this.#filled(order.standsFor ?? order, report.fill, report.at);
        return;
      }
      case 'order.rejected':
        this.#rejected(report);
        return;
      case 'order.cancelled':
      case 'order.expired':
        this.#cancelled(report);
        return;
      case 'order.repriced': {
        const order = this.#orders.get(report.order);
        if (order === undefined) return;
        this.#amendRefusal = report.reason;
        order.price = report.limitPrice;
        order.quantity = report.quantity;
        return;
      }
      case 'funding.paid':
        this.#funded(report);
        return;
      case 'position.liquidated':
        this.#liquidated(report);
        return;
      default:
        // Everything else is of a market or of a session, which no venue says.
        throw new Error(`broken invariant: the simulated venue said ${report.kind}`);
    }
  }

  #rejected({ order: id, reason }: OrderReport): void {
    const order = this.#orders.get(id);
    if (order === undefined) return;
    // Bybit acknowledges it, and cancels it then.
    if (WOULD_TAKE.test(reason)) {
      order.rejectReason = 'EC_PostOnlyWillTakeLiquidity';
      this.#end(order, 'Cancelled', 'UNKNOWN');
    } else if (order === this.#placing) this.#refusal = refusalOf(reason);
    else {
      order.rejectReason = 'EC_Others';
      this.#end(order, 'Rejected', 'UNKNOWN');
    }
  }

  #cancelled({ kind, order: id, reason }: OrderReport): void {
    const order = this.#orders.get(id);
    if (order === undefined || !isOpen(order)) return;
    const { cancelType, rejectReason } = cancellationOf(kind === 'order.expired' ? 'expired' : reason);
    order.rejectReason = rejectReason;
    this.#end(order, 'Cancelled', order.cancelType === 'UNKNOWN' ? cancelType : order.cancelType);
  }

  #end(order: ServedOrder, status: 'Cancelled' | 'Deactivated' | 'Rejected', cancelType: WireCancelType): void {
    this.#untriggered[order.listing.index]?.delete(order);
    // On spot what has filled in part has a status of its own.
    order.status =
      status === 'Cancelled' && order.listing.category === 'spot' && !isZero(order.filled) ? 'PartiallyFilledCanceled' : status;
    order.cancelType = cancelType;
    this.#tell(order);
    this.#guardCoins(order);
  }

  #filled(order: ServedOrder, fill: Fill, at: TimeMs): void {
    const { listing } = order;
    const isFirst = isZero(order.filled);
    const wasOpen = isOpen(order);
    this.books.book(order, fill, at);
    if (wasOpen) order.status = compare(order.filled, order.quantity) >= 0 ? 'Filled' : 'PartiallyFilled';
    this.#tell(order);
    for (const event of this.books.takeExecutions()) this.#events.push(event);
    if (order.createType === 'CreateByLiq') this.#around.onLiquidation(listing, order.side, fill.quantity, fill.price);
    if (listing.category === 'linear') {
      const held = this.heldOf(listing, order.positionIdx);
      this.#positionChanged(held);
      if (isFirst && order.brackets !== undefined) this.#attach(order, order.brackets, held);
      this.#tellPosition(held);
    } else this.#guardCoins(order);
    this.#tellWallet();
  }

  /**
   * A limit order on spot that is over brings its take-profit and stop-loss for what it has received. Simplified: they are two orders, of which
   * the one that is triggered ends the other, and each can be cancelled alone.
   */
  #guardCoins({ brackets, listing, side, filled, fee, status }: ServedOrder): void {
    if (listing.category !== 'spot' || brackets === undefined || (status !== 'Filled' && status !== 'PartiallyFilledCanceled')) return;
    const received = roundToStep(
      side === 'Buy' ? subtract(filled, quantityFrom(toNumber(fee), listing.instrument.lot, 'up')) : filled,
      listing.instrument.lot,
    );
    if (compare(received, listing.instrument.minimumQuantity) < 0) return;
    const { takeProfit, stopLoss, tpLimitPrice, slLimitPrice } = brackets;
    const kind = takeProfit !== undefined && stopLoss !== undefined ? 'BidirectionalTpslOrder' : 'tpslOrder';
    const [first, second] = [
      { level: takeProfit, limit: tpLimitPrice, isTarget: true },
      { level: stopLoss, limit: slLimitPrice, isTarget: false },
    ].flatMap(({ level, limit, isTarget }) => {
      if (level === undefined) return [];
      const direction = isTarget === (side === 'Buy') ? 1 : 2;
      const order = this.#made({
        linkId: '',
        listing,
        side: side === 'Buy' ? 'Sell' : 'Buy',
        type: limit === undefined ? 'Market' : 'Limit',
        price: limit,
        quantity: received,
        createType: isTarget ? 'CreateByTakeProfit' : 'CreateByStopLoss',
        trigger: { price: level, direction, by: 'LastPrice', kind },
        isOccupying: true,
      });
      return [order];
    });
    if (first !== undefined && second !== undefined) [first.rival, second.rival] = [second, first];
    for (const order of [first, second]) {
      if (order === undefined) continue;
      this.#enlist(order);
      this.#tell(order);
    }
  }

  /** With its first fill an order brings its take-profit and stop-loss to the position, where the position is on its side. */
  #attach({ side, quantity }: ServedOrder, brackets: Brackets, held: Held): void {
    if (held.position.side !== (side === 'Buy' ? 1 : -1)) return;
    if (brackets.isPartial) {
      this.#addPartialStops(held, brackets, quantity);
      return;
    }
    if (brackets.takeProfit !== undefined) this.#setStop(held, 'TakeProfit', brackets);
    if (brackets.stopLoss !== undefined) this.#setStop(held, 'StopLoss', brackets);
  }

  /** What was set for a position ends with it, and follows it while it lasts. */
  #positionChanged({ listing, idx, position: { quantity, side } }: Held): void {
    for (const order of this.#untriggered[listing.index] ?? []) {
      if (order.createType === 'CreateByUser' || order.positionIdx !== idx) continue;
      if (side === 0) this.#end(order, 'Deactivated', 'CancelByTpSlTsClear');
      else if ((order.side === 'Sell') !== side > 0) this.#end(order, 'Deactivated', 'CancelByPzSideCh');
      else if (order.isForPosition && compare(order.quantity, absolute(quantity)) !== 0) {
        order.quantity = absolute(quantity);
        this.#tell(order);
      }
    }
  }

  #funded({ instrument, amount, rate, at }: FundingReport): void {
    const listing = this.#around.listings[instrument];
    if (listing === undefined) return;
    // Longs pay a positive rate, and shorts receive it.
    const isLong = signOf(amount) * Math.sign(rate) < 0;
    const held = this.heldOf(listing, this.isHedged ? (isLong ? 1 : 2) : 0);
    this.books.fund(held, amount, rate, at);
    for (const event of this.books.takeExecutions()) this.#events.push(event);
    this.#tellPosition(held);
    this.#tellWallet();
  }

  /** Orders are cancelled first; what the matching says of them afterwards is known already. */
  #liquidated({ instrument, side, fill, at }: LiquidationReport): void {
    const listing = this.#around.listings[instrument];
    if (listing === undefined) return;
    const positionIdx = this.isHedged ? (side === 'sell' ? 1 : 2) : 0;
    for (const order of this.#all)
      if (isOpen(order) && order.listing === listing && order.positionIdx === positionIdx)
        this.#end(order, order.status === 'Untriggered' ? 'Deactivated' : 'Cancelled', 'CancelAllBeforeLiq');
    const order = this.#made({
      linkId: '',
      listing,
      side: side === 'buy' ? 'Buy' : 'Sell',
      type: 'Market',
      quantity: fill.quantity,
      createType: 'CreateByLiq',
      reduceOnly: true,
      positionIdx,
    });
    this.#enlist(order);
    this.#filled(order, fill, at);
  }

  // ---- what is told --------------------------------------------------------------------------------------------------

  #tell(order: ServedOrder): void {
    order.updatedAt = this.#around.now();
    if (!order.isHidden) this.#events.push({ topic: 'order', row: orderEventRow(order) });
  }

  #tellPosition(held: Held): void {
    this.#events.push({ topic: 'position', row: this.books.positionEventRow(held) });
  }

  #tellWallet(): void {
    this.#events.push({ topic: 'wallet', row: this.books.walletRow() });
  }

  // ---- what is asked -------------------------------------------------------------------------------------------------

  /** Orders that anybody hears of, oldest first. */
  get orders(): readonly ServedOrder[] {
    return this.#all.filter((order) => !order.isHidden);
  }

  openOrders(): readonly ServedOrder[] {
    return this.#all.filter((order) => isOpen(order) && !order.isHidden);
  }

  /** Open orders and the last that were closed, as /order/realtime has them. */
  recentOrders(): readonly ServedOrder[] {
    const orders = this.orders;
    const closed = orders.filter((order) => !isOpen(order) && order.number > this.#forgottenBefore).slice(-CLOSED_IN_REALTIME);
    const known = new Set(closed);
    return orders.filter((order) => isOpen(order) || known.has(order));
  }

  /** Quote currency that open orders have put aside, as an estimate. */
  orderMargin(): number {
    let sum = 0;
    for (const order of this.#all) {
      if (!isOpen(order) || order.reduceOnly || order.status === 'Untriggered' || order.listing.category === 'spot') continue;
      // What is against its side of a hedge only reduces it.
      if (order.positionIdx === (order.side === 'Buy' ? 2 : 1)) continue;
      const price = order.price === undefined ? order.listing.last : toNumber(order.price);
      sum += (price * toNumber(leaves(order))) / (this.leverages[order.listing.index] ?? 1);
    }
    return sum;
  }

  locked(coin: string): Amount {
    let sum = ZERO_AMOUNT;
    for (const order of this.#all) {
      if (order.listing.category !== 'spot' || !isOpen(order) || order.isHidden) continue;
      if (order.status === 'Untriggered' && !order.isOccupying) continue;
      // What its rival has put aside is the same.
      if (order.rival !== undefined && isOpen(order.rival) && order.rival.number < order.number) continue;
      const needs = needsOf(order);
      if (needs.coin === coin) sum = add(sum, needs.quantity);
    }
    return sum;
  }

  #listed(symbol: string, category = 'linear'): Listing {
    const listing = this.#around.listings.find((each) => each.symbol === symbol && each.category === category);
    if (listing === undefined) throw parameterError('Not supported symbols');
    return listing;
  }
}

function lacksMargin(): Refusal {
  return new Refusal(CODES.lacksMargin, 'ab not enough for new order');
}

/** Not before it trades, and not any more after. @throws Refusal 110066, 110074 */
function mustTrade({ status }: Listing): void {
  if (status === 'PreLaunch' || status === 'PendingOpen') throw new Refusal(CODES.notNow, 'Trading is currently not allowed.');
  if (status !== 'Trading') throw new Refusal(CODES.notLive, 'This contract is not live');
}

function goneFrom({ category }: Listing, verb: string): Refusal {
  return category === 'spot'
    ? new Refusal(CODES.spotOrderGone, 'Order does not exist.')
    : new Refusal(CODES.orderGone, `order not exists or too late to ${verb}`);
}

/** Of an order on spot, what has to be there for what is left of it. */
function needsOf(
  { listing, side, price, trigger, quantity, filled, budget, value }: ServedOrder,
  slippageRatio = 0,
): { readonly coin: string; readonly quantity: Amount } {
  const left = compare(filled, quantity) < 0 ? subtract(quantity, filled) : ZERO_QUANTITY;
  if (side === 'Sell') return { coin: listing.instrument.base, quantity: readAmount(format(left)) };
  const coin = listing.instrument.quote;
  if (budget !== undefined) return { coin, quantity: subtract(budget, value) };
  const reference = price ?? trigger?.price ?? marketPrice(listing, side, slippageRatio);
  return { coin, quantity: notional(reference, left) };
}

/** The price at which a market order would fill now. */
function marketPrice({ last, instrument: { tick } }: Listing, side: WireSide, slippageRatio: number): Price {
  return side === 'Buy' ? priceFrom(last * (1 + slippageRatio), tick, 'up') : priceFrom(last * (1 - slippageRatio), tick, 'down');
}

/** As many lots as so much pays for. */
function quantityFor(budget: Amount, price: Price, { instrument: { lot } }: Listing): Quantity {
  return roundToStep(proportion(ONE, budget, readAmount(format(price))), lot);
}

function isEnough(budget: Amount | undefined, { instrument: { minimumNotional } }: Listing): boolean {
  return budget !== undefined && compare(budget, minimumNotional) >= 0;
}

/** @throws Refusal 170137 */
function amountOf(text: string): Amount {
  if (!(Number(text) > 0) || (text.split('.')[1] ?? '').length > 8)
    throw new Refusal(CODES.spotQuantity, 'Order quantity has too many decimals.');
  return readAmount(text);
}

function isWithin({ listing, trigger }: ServedOrder, { category, symbol, baseCoin, settleCoin, orderFilter }: CancelFilter): boolean {
  if (category !== undefined && listing.category !== category) return false;
  if (symbol !== undefined && symbol !== '' && listing.symbol !== symbol) return false;
  if (baseCoin !== undefined && baseCoin !== '' && listing.instrument.base !== baseCoin) return false;
  if (settleCoin !== undefined && settleCoin !== '' && listing.instrument.quote !== settleCoin) return false;
  return orderFilter === undefined || (orderFilter === 'Order') === (trigger === undefined);
}

/** What an amendment leaves out stays; '0' takes it away. */
function mergedBrackets(before: Brackets | undefined, request: AmendRequest, asked: Brackets | undefined): Brackets {
  const isPartial = asked?.isPartial ?? before?.isPartial ?? false;
  const take = given(request.takeProfit) === undefined ? before : asked;
  const stop = given(request.stopLoss) === undefined ? before : asked;
  return {
    takeProfit: take?.takeProfit,
    tpTriggerBy: take?.tpTriggerBy ?? 'LastPrice',
    tpLimitPrice: take?.tpLimitPrice,
    stopLoss: stop?.stopLoss,
    slTriggerBy: stop?.slTriggerBy ?? 'LastPrice',
    slLimitPrice: stop?.slLimitPrice,
    isPartial,
  };
}

function priceSeen(instrument: number, price: number, at: TimeMs): MarketEvent {
  return {
    kind: 'trade.printed',
    at,
    happenedAt: at,
    instrument,
    open: price,
    high: price,
    low: price,
    close: price,
    volume: 0,
    warmup: false,
  };
}
