// Whether the entries know anything: the same round trips, held as long and paid for as dearly, entered at random.
import type { Random } from '../../quant/random.ts';

export interface PlacedLeg {
  /** Row of `prices`. */
  readonly instrument: number;
  /** Bars after the trip's first entry, and bars held. */
  readonly offset: number;
  readonly bars: number;
  readonly side: 1 | -1;
  /** Paid of the entry's notional for being held: funding. Negative is received. */
  readonly holdingCost: number;
}

/** A round trip with all its legs. */
export interface PlacedTrip {
  readonly sleeve: string;
  readonly legs: readonly PlacedLeg[];
  /** What it made of its entry's notional, net, the legs added. */
  readonly returnRatio: number;
}

export interface RandomEntrySettings {
  readonly placements: number;
  readonly feeRate: number;
  readonly slippageRatio: number;
  readonly random: Random;
}

export interface RandomEntry {
  readonly trips: number;
  readonly placements: number;
  /** Mean net return of a trip. */
  readonly observed: number;
  /** Of the means of the placements. */
  readonly randomMean: number;
  readonly random95: number;
  /** Share of the placements, the run itself among them, that did as well: small where the entries know something. */
  readonly pValue: number;
  /** Part of the bars in which a sleeve was in a trip, the largest of them: near 1 there is no elsewhere to enter at. */
  readonly exposureRatio: number;
}

/**
 * A permutation test (Masters 2018, Permutation and randomization tests for trading system development): the trips of each sleeve are put
 * in a random order at places drawn uniformly from the free bars, never two at once, so that sides, holding times, costs and exposure stay as they were and only the
 * moment changes. A drift that anybody would have had by being as long in the market is in the placements as well, and explains nothing.
 * A trip counts by its return, whatever its size. Exits move with their entries: a stop is an exit after so many bars, which a random
 * trip does not have; a run that lives by its stops has them to show here.
 * @param prices opens by instrument on one regular grid of bars, what is missing filled
 * @returns undefined where there are no trips or no room to place them
 */
export function randomEntryTest(
  prices: readonly Float64Array[],
  trips: readonly PlacedTrip[],
  { placements, feeRate, slippageRatio, random }: RandomEntrySettings,
): RandomEntry | undefined {
  const bars = prices[0]?.length ?? 0;
  const sleeves = Map.groupBy(trips, (trip) => trip.sleeve);
  const spans = [...sleeves.values()].map((ofSleeve) => ofSleeve.map(spanOf));
  const exposure = spans.map((lengths) => lengths.reduce((sum, length) => sum + length, 0) / bars);
  // An exit needs a bar to be priced at.
  if (trips.length === 0 || exposure.some((ratio) => !(ratio < 1 - 1 / bars))) return undefined;
  const observed = trips.reduce((sum, trip) => sum + trip.returnRatio, 0) / trips.length;
  const means = new Float64Array(placements);
  let asGood = 1;
  for (let placement = 0; placement < placements; placement++) {
    let sum = 0;
    for (const ofSleeve of sleeves.values()) sum += placed(prices, ofSleeve, bars, feeRate, slippageRatio, random);
    const mean = sum / trips.length;
    means[placement] = mean;
    if (mean >= observed) asGood++;
  }
  means.sort();
  return {
    trips: trips.length,
    placements,
    observed,
    randomMean: means.reduce((sum, mean) => sum + mean, 0) / placements,
    random95: means[Math.ceil(0.95 * placements) - 1] ?? NaN,
    pValue: asGood / (placements + 1),
    exposureRatio: Math.max(...exposure),
  };
}

function spanOf({ legs }: PlacedTrip): number {
  return Math.max(...legs.map((leg) => leg.offset + leg.bars));
}

/** Sum of the returns of the trips in a random order, each after so many of the free bars as it drew, the lowest draw first. */
function placed(
  prices: readonly Float64Array[],
  trips: readonly PlacedTrip[],
  bars: number,
  feeRate: number,
  slippageRatio: number,
  random: Random,
): number {
  const order = trips.slice();
  for (let left = order.length; left > 1; left--) {
    const other = random.integer(left);
    const moved = order[left - 1];
    const chosen = order[other];
    if (moved === undefined || chosen === undefined) continue;
    order[left - 1] = chosen;
    order[other] = moved;
  }
  const free = bars - 1 - trips.reduce((sum, trip) => sum + spanOf(trip), 0);
  const gaps = Int32Array.from(order, () => random.integer(free + 1)).sort();
  let sum = 0;
  let taken = 0;
  order.forEach((trip, index) => {
    const start = (gaps[index] ?? NaN) + taken;
    for (const { instrument, offset, bars: held, side, holdingCost } of trip.legs) {
      const series = prices[instrument];
      const entry = (series?.[start + offset] ?? NaN) * (1 + side * slippageRatio);
      const exit = (series?.[start + offset + held] ?? NaN) * (1 - side * slippageRatio);
      sum += side * (exit / entry - 1) - feeRate * (1 + exit / entry) - holdingCost;
    }
    taken += spanOf(trip);
  });
  return sum;
}
