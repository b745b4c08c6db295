// Margin of linear perpetuals: how much must stay behind a position, and the price at which that is used up. Pure arithmetic; whose money it
// is stands in account.ts.
//
// The rule, as Bybit ("Liquidation Price (USDT Contract)") and Binance ("How to Calculate Liquidation Price of USDⓈ-M Futures Contracts")
// publish it: a position is liquidated at the price at which what is behind it, its unrealised loss deducted, is no more than its maintenance
// margin. That margin is a rate of the position's value less a deduction, both by tiers of the value, so that it grows without a step.
// Bybit's page reckons it on the value at entry, Binance's on the value at that price.
import {
  absolute,
  add,
  amountFrom,
  compare,
  isZero,
  notional,
  priceFrom,
  proportion,
  signOf,
  subtract,
  toNumber,
  ZERO_AMOUNT,
  ZERO_PRICE,
  type Amount,
  type Price,
  type Quantity,
} from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import { parseSymbol } from '../../domain/instrument.ts';

/** One bracket of value: from the one before, up to this. */
export interface MarginTier {
  /** Value of the position in quote currency, inclusive; Infinity for the last. */
  readonly upTo: number;
  readonly maintenanceRate: number;
}

/** A bracket as it is reckoned with. */
interface Bracket {
  readonly upTo: number;
  readonly upToExact: Amount | undefined;
  readonly rate: number;
  readonly rateExact: Amount;
  /** Binance's maintenance amount, Bybit's deduction: what makes the margin grow without a step from bracket to bracket. */
  readonly deduction: Amount;
}

/** Brackets in order; made by `bracketsFrom`. */
export type Brackets = readonly Bracket[];

/** On which value of the position maintenance is reckoned: at the mark (Binance), or at entry (Bybit's page). */
export type MaintenanceBasis = 'mark' | 'entry';

/** Binance's brackets for USDT perpetuals as its worked example of early 2021 has them: BTC, ETH, and what it had for other large coins. */
const BTC_TIERS: readonly MarginTier[] = tiers(
  [50_000, 0.004],
  [250_000, 0.005],
  [1_000_000, 0.01],
  [10_000_000, 0.025],
  [20_000_000, 0.05],
  [50_000_000, 0.1],
  [100_000_000, 0.125],
  [200_000_000, 0.15],
  [300_000_000, 0.25],
  [Infinity, 0.5],
);
const ETH_TIERS: readonly MarginTier[] = tiers(
  [10_000, 0.005],
  [100_000, 0.0065],
  [500_000, 0.01],
  [1_000_000, 0.02],
  [2_000_000, 0.05],
  [5_000_000, 0.1],
  [10_000_000, 0.125],
  [20_000_000, 0.15],
  [Infinity, 0.25],
);
const OTHER_TIERS: readonly MarginTier[] = tiers(
  [10_000, 0.0065],
  [50_000, 0.01],
  [250_000, 0.02],
  [1_000_000, 0.05],
  [2_000_000, 0.1],
  [5_000_000, 0.125],
  [10_000_000, 0.15],
  [Infinity, 0.25],
);

function tiers(...pairs: readonly (readonly [upTo: number, maintenanceRate: number])[]): readonly MarginTier[] {
  return pairs.map(([upTo, maintenanceRate]) => ({ upTo, maintenanceRate }));
}

/** The tiers of a symbol for which none were given. */
export function defaultTiers(symbol: string): readonly MarginTier[] {
  const { base } = parseSymbol(symbol);
  return base === 'BTC' ? BTC_TIERS : base === 'ETH' ? ETH_TIERS : OTHER_TIERS;
}

const ONE = amountFrom(1);

/**
 * Deductions of the tiers, each from the one before: floor of the bracket x the step of the rate, on top of the deduction before.
 * @throws BallastError MARGIN_TIERS_INVALID when they do not rise, or do not end at Infinity
 */
export function bracketsFrom(symbol: string, given: readonly MarginTier[]): Brackets {
  const brackets: Bracket[] = [];
  let floor = 0;
  let rateBefore = ZERO_AMOUNT;
  let deduction = ZERO_AMOUNT;
  for (const { upTo, maintenanceRate } of given) {
    const rateExact = amountFrom(maintenanceRate);
    if (!(upTo > floor) || compare(rateExact, rateBefore) <= 0 || maintenanceRate >= 1) throw tiersInvalid(symbol, given);
    if (floor > 0) deduction = add(deduction, proportion(amountFrom(floor), subtract(rateExact, rateBefore), ONE));
    const upToExact = upTo === Infinity ? undefined : amountFrom(upTo);
    brackets.push({ upTo, upToExact, rate: maintenanceRate, rateExact, deduction });
    floor = upTo;
    rateBefore = rateExact;
  }
  if (floor !== Infinity) throw tiersInvalid(symbol, given);
  return brackets;
}

function tiersInvalid(symbol: string, given: readonly MarginTier[]): BallastError {
  return new BallastError({
    code: 'MARGIN_TIERS_INVALID',
    place: `margin tiers of ${symbol}`,
    found: JSON.stringify(given.map(({ upTo, maintenanceRate }) => [upTo === Infinity ? 'Infinity' : upTo, maintenanceRate])),
    expected: 'values and rates that rise from tier to tier, rates below 1, the last value Infinity',
    exitCode: 2,
  });
}

/** Maintenance margin of a position of this value (positive), exactly. */
export function maintenanceOf(value: Amount, brackets: Brackets): Amount {
  for (const { upToExact, rateExact, deduction } of brackets) {
    if (upToExact === undefined || compare(value, upToExact) <= 0) return subtract(proportion(value, rateExact, ONE), deduction);
  }
  return ZERO_AMOUNT;
}

/** What is needed to know when a position is liquidated. */
export interface MarginedPosition {
  /** Signed. */
  readonly quantity: Quantity;
  /** Signed: what was paid for it, average cost x quantity. */
  readonly cost: Amount;
  /** What is behind it beside its own result: isolated, the margin posted for it; cross, all that the account has over the others' needs. */
  readonly behind: Amount;
  readonly brackets: Brackets;
  readonly basis: MaintenanceBasis;
  /** The position of the other side in the same instrument, where one margin is behind both: with its cost, and the last price of both. */
  readonly twin?: { readonly quantity: Quantity; readonly cost: Amount; readonly mark: number };
}

/** What is left of what is behind the position at this price. */
export function remainingAt(price: Price, { quantity, cost, behind, twin }: MarginedPosition): Amount {
  const remaining = add(behind, subtract(notional(price, quantity), cost));
  return twin === undefined ? remaining : add(remaining, notional(price, twin.quantity));
}

/** At this price what is left is no more than the maintenance margin. */
export function isUsedUpAt(price: Price, position: MarginedPosition): boolean {
  const { twin } = position;
  const own = maintenanceAt(price, position, position);
  const needed = twin === undefined ? own : add(own, maintenanceAt(price, twin, position));
  return compare(remainingAt(price, position), needed) <= 0;
}

function maintenanceAt(
  price: Price,
  { quantity, cost }: Pick<MarginedPosition, 'quantity' | 'cost'>,
  { basis, brackets }: Pick<MarginedPosition, 'basis' | 'brackets'>,
): Amount {
  return maintenanceOf(absolute(basis === 'entry' ? cost : notional(price, quantity)), brackets);
}

/**
 * Where that is, as an estimate off the tick: Binance's formula, with its rule that the bracket is that of the value at this price. NaN, or
 * not positive, where it is at no price.
 */
export function liquidationEstimate({ quantity, cost, behind, brackets, basis }: MarginedPosition): number {
  const held = toNumber(quantity);
  const size = Math.abs(held);
  const paid = toNumber(cost);
  const margin = toNumber(behind);
  if (basis === 'entry') return (paid - margin + toNumber(maintenanceOf(absolute(cost), brackets))) / held;
  let floor = 0;
  for (const { upTo, rate, deduction } of brackets) {
    const price = (paid - margin - toNumber(deduction)) / (held - size * rate);
    // The margin has no step, so that a value just beside its bracket is the same price.
    if (size * price >= floor * (1 - 1e-12) && size * price <= upTo * (1 + 1e-12)) return price;
    floor = upTo;
  }
  return NaN;
}

/**
 * The price at which the position is liquidated, on the tick: for a long the highest at which its margin is used up, for a short the
 * lowest, zero where it is used up at every price. Undefined when no price above zero does it.
 */
export function liquidationPrice(position: MarginedPosition, tick: Price): Price | undefined {
  if (position.twin !== undefined) return hedgedLiquidationPrice(position, position.twin.mark, tick);
  const estimate = liquidationEstimate(position);
  const isLong = signOf(position.quantity) > 0;
  if (!(estimate > 0)) return isLong ? undefined : ZERO_PRICE;
  let price = priceFrom(estimate, tick, isLong ? 'down' : 'up');
  if (isZero(tick)) return price;
  // The estimate is a double: the exact rule says which of its neighbours it is.
  const inward = (from: Price): Price => (isLong ? add(from, tick) : subtract(from, tick));
  const outward = (from: Price): Price => (isLong ? subtract(from, tick) : add(from, tick));
  while (!isUsedUpAt(price, position)) price = outward(price);
  while (isUsedUpAt(inward(price), position)) price = inward(price);
  return isLong && compare(price, ZERO_PRICE) <= 0 ? undefined : price;
}

/**
 * The same where a long and a short share one margin: what remains is linear in the price and the maintenance of both convex, so the prices
 * at which the margin lasts are one interval. It ends for the long below the last price and for the short above it; where it is used up at
 * that already, it ends there.
 */
function hedgedLiquidationPrice(position: MarginedPosition, mark: number, tick: Price): Price | undefined {
  const isLong = signOf(position.quantity) > 0;
  const last = priceFrom(mark, tick, 'nearest');
  if (isUsedUpAt(last, position)) return last;
  // Far beyond any price at which a margin that was posted in this market could be used up.
  let lost = isLong ? ZERO_PRICE : priceFrom(mark * 1_024, tick, 'nearest');
  if (!isUsedUpAt(lost, position)) return undefined;
  let safe = last;
  for (;;) {
    const middle = priceFrom((toNumber(safe) + toNumber(lost)) / 2, tick, 'nearest');
    if (compare(middle, safe) === 0 || compare(middle, lost) === 0) break;
    if (isUsedUpAt(middle, position)) lost = middle;
    else safe = middle;
  }
  return isLong && compare(lost, ZERO_PRICE) <= 0 ? undefined : lost;
}
