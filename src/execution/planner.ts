// One planner for decisions and reflexes: it orders the difference between what is wanted and what is held, working or in doubt.
import {
  absolute,
  add,
  compare,
  isZero,
  notional,
  priceFrom,
  roundToStep,
  signOf,
  subtract,
  toNumber,
  ZERO_QUANTITY,
  type Price,
  type Quantity,
} from '../domain/decimal.ts';
import type { Instrument } from '../domain/instrument.ts';
import { filledShares, type OrderIntent, type Share, type Side } from '../domain/order.ts';
import type { Holdings, PortfolioView } from '../domain/sleeve.ts';
import type { TimeMs } from '../domain/time.ts';

/** What one instrument needs: a crossing among sleeves, then one order for the net remainder. */
export interface Plan {
  readonly instrument: number;
  /** Signed parts that sum to zero; empty when no sleeves offset each other. */
  readonly crossing: readonly Share[];
  readonly crossingPrice: Price | undefined;
  /** Signed: what the order should bring. Zero for none. */
  readonly quantity: Quantity;
  readonly shares: readonly Share[];
}

export interface PlanInput {
  readonly instruments: readonly Instrument[];
  readonly holdings: Holdings;
  readonly target: readonly Quantity[];
  readonly pending: readonly Quantity[];
  readonly portfolio: PortfolioView;
  /** By instrument: last known price. */
  readonly mark: Float64Array;
  /** A standing difference below this fraction of the target is drift and is not traded. */
  readonly rebalanceBandRatio: number;
  /** By holding: 1 where the band does not hold, because it follows another one to the lot. Nowhere where it is absent. */
  readonly isExact?: Uint8Array;
}

/** A want that is worth acting on: what `target` asks beyond what is held and pending. */
function wanted(input: PlanInput, holding: number): Quantity {
  const target = input.target[holding] ?? ZERO_QUANTITY;
  const expected = add(input.portfolio.quantity[holding] ?? ZERO_QUANTITY, input.pending[holding] ?? ZERO_QUANTITY);
  const difference = subtract(target, expected);
  if (isZero(difference) || isZero(target) || signOf(target) !== signOf(expected) || input.isExact?.[holding] === 1) return difference;
  const drift = Math.abs(toNumber(difference));
  return drift < input.rebalanceBandRatio * Math.abs(toNumber(target)) ? ZERO_QUANTITY : difference;
}

const NO_SHARES: readonly Share[] = [];

/** Of a single want all or the rounded part; the common case, without the arithmetic of division. */
function takeFrom(wants: Share[], quantity: Quantity, lot: Quantity): readonly Share[] {
  const [only] = wants;
  if (only === undefined || wants.length > 1)
    return take(
      wants.filter((want) => !isZero(want.quantity)),
      absolute(quantity),
      lot,
    );
  return [compare(only.quantity, quantity) === 0 ? only : { ...only, quantity }];
}

/** Takes `total` (positive) from wants of one side, in proportion and in whole lots. What is left of each stays in `wants`. */
function take(wants: Share[], total: Quantity, lot: Quantity): Share[] {
  const parts = filledShares(wants, total, lot);
  const taken: Share[] = [];
  wants.forEach((want, index) => {
    const quantity = parts[index] ?? ZERO_QUANTITY;
    if (!isZero(quantity)) taken.push({ ...want, quantity });
    wants[index] = { ...want, quantity: subtract(want.quantity, quantity) };
  });
  return taken;
}

/** What to do about one instrument; undefined when nothing. Pure. */
export function plan(input: PlanInput, instrument: number): Plan | undefined {
  const owners = input.holdings.ofInstrument[instrument] ?? [];
  let buys: Share[] | undefined;
  let sells: Share[] | undefined;
  let bought = ZERO_QUANTITY;
  let sold = ZERO_QUANTITY;
  for (const holding of owners) {
    const quantity = wanted(input, holding);
    const sign = signOf(quantity);
    if (sign === 0) continue;
    const share: Share = { sleeve: input.holdings.sleeve[holding] ?? 0, leg: input.holdings.leg[holding] ?? 0, quantity };
    if (sign > 0) {
      if (buys === undefined) buys = [share];
      else buys.push(share);
      bought = add(bought, quantity);
    } else {
      if (sells === undefined) sells = [share];
      else sells.push(share);
      sold = subtract(sold, quantity);
    }
  }
  if (buys === undefined && sells === undefined) return undefined;
  const traded = input.instruments[instrument];
  if (traded === undefined) return undefined;
  let crossing = NO_SHARES;
  let crossingPrice: Price | undefined;
  if (buys !== undefined && sells !== undefined) {
    const crossed = compare(bought, sold) <= 0 ? bought : sold;
    crossing = [...take(buys, crossed, traded.lot), ...take(sells, crossed, traded.lot)];
    crossingPrice = priceFrom(input.mark[instrument] ?? NaN, traded.tick, 'nearest');
  }
  const net = subtract(bought, sold);
  const quantity = roundToStep(net, traded.lot);
  if (isZero(quantity)) return crossing.length === 0 ? undefined : { instrument, crossing, crossingPrice, quantity, shares: NO_SHARES };
  const shares = takeFrom((signOf(net) > 0 ? buys : sells) ?? [], quantity, traded.lot);
  return { instrument, crossing, crossingPrice, quantity, shares };
}

/** Below the venue's minimum an order is not sent at all: the difference is dust until the target changes. */
export function isDust(instrument: Instrument, quantity: Quantity, mark: number, reducing: boolean): boolean {
  const size = absolute(quantity);
  if (compare(size, instrument.minimumQuantity) < 0) return true;
  if (reducing || isZero(instrument.minimumNotional) || !Number.isFinite(mark)) return false;
  return compare(notional(priceFrom(mark, instrument.tick, 'nearest'), size), instrument.minimumNotional) < 0;
}

export function sideOf(quantity: Quantity): Side {
  return signOf(quantity) > 0 ? 'buy' : 'sell';
}

/** An order to be recorded and sent. */
export function marketOrder(
  id: string,
  at: TimeMs,
  instrument: number,
  quantity: Quantity,
  shares: readonly Share[],
  reduceOnly: boolean,
  attached: readonly OrderIntent[],
): OrderIntent {
  return {
    id,
    at,
    instrument,
    side: sideOf(quantity),
    type: 'market',
    role: 'target',
    quantity: absolute(quantity),
    limitPrice: undefined,
    stopPrice: undefined,
    reduceOnly,
    wholePosition: false,
    shares,
    attached,
  };
}

/** A protective stop that rests at the venue. */
export function stopOrder(
  id: string,
  at: TimeMs,
  instrument: number,
  closing: Quantity,
  stopPrice: Price,
  shares: readonly Share[],
  wholePosition: boolean,
): OrderIntent {
  return {
    id,
    at,
    instrument,
    side: sideOf(closing),
    type: 'stop',
    role: wholePosition ? 'disaster' : 'stop',
    quantity: absolute(closing),
    limitPrice: undefined,
    stopPrice,
    reduceOnly: true,
    wholePosition,
    shares,
    attached: [],
  };
}
