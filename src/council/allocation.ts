// How the sleeves' total share of equity is divided among them: by what each would have earned, day by day, on a share of one. A sleeve's
// paper return is of its own making (its stances, its sizing) and of nothing that its share does: one that gets nothing is measured on.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import type { Holdings, Sleeve } from '../domain/sleeve.ts';
import { percent } from '../domain/words.ts';
import { bayesSteinMeans, ledoitWolf } from '../quant/covariance.ts';
import { hierarchicalWeights, meanVarianceWeights, minimumVarianceWeights, riskParityWeights } from '../quant/portfolio-weights.ts';

/** `equal` leaves every sleeve the share that it was given: see `AllocationSettings`. */
export const ALLOCATION_METHODS = ['equal', 'hrp', 'erc', 'minimum-variance', 'mean-variance'] as const;
export type AllocationMethod = (typeof ALLOCATION_METHODS)[number];

/** Weights that sum to 1, one for each column. */
type Weighing = (columns: readonly Float64Array[], made: readonly Float64Array[], riskAversion: number) => Float64Array;

const WEIGHINGS: Readonly<Record<Exclude<AllocationMethod, 'equal'>, { readonly name: string; readonly weigh: Weighing }>> = {
  hrp: { name: 'hierarchical risk parity', weigh: (columns) => hierarchicalWeights(ledoitWolf(columns).covariance) },
  erc: { name: 'equal contributions to risk', weigh: (columns) => riskParityWeights(ledoitWolf(columns).covariance) },
  'minimum-variance': { name: 'minimum variance', weigh: (columns) => minimumVarianceWeights(ledoitWolf(columns).covariance) },
  'mean-variance': {
    name: 'mean and variance',
    weigh: (columns, made, riskAversion) => {
      const { covariance } = ledoitWolf(columns);
      return meanVarianceWeights(bayesSteinMeans(made, covariance).means, covariance, riskAversion);
    },
  },
};

/** Of weights that sum to 1: what is further off was computed from a covariance that is too nearly singular. */
const ROUNDING = 1e-9;

export interface AllocationSettings {
  readonly method: Exclude<AllocationMethod, 'equal'>;
  /** Days of paper returns that are looked at; a sleeve takes part once it has as many. At least 2. */
  readonly windowDays: number;
  /** Days from one allocation to the next. */
  readonly cadenceDays: number;
  /** For mean-variance: 1 is the growth of wealth, higher is less daring. */
  readonly riskAversion: number;
}

/** Shares that are to hold from now on. */
export interface Allocated {
  /** By sleeve, ratio of equity. */
  readonly shares: readonly number[];
  readonly because: string;
}

/**
 * The shares of all sleeves, and what they are computed from. A sleeve's exposure is what it asked for on a share of one, when it last took a
 * side. Two returns are kept of each day: of that exposure throughout, which is what its risk is known from (whoever sits out most days
 * would otherwise look safe), and of the time in which it stood behind it, which is what it has made. Costs are in neither.
 */
export class Allocation implements Stateful {
  /** By sleeve: its share of equity now. */
  readonly shares: Float64Array;
  readonly #settings: AllocationSettings;
  readonly #sleeves: readonly Sleeve[];
  readonly #holdings: Holdings;
  /** By instrument: last known price. */
  readonly #mark: Float64Array;
  /** By holding: weight that a share of one would have, and the price from which it has not been reckoned yet. */
  readonly #exposure: Float64Array;
  readonly #reckoned: Float64Array;
  /** By sleeve: 1 while it stands behind its exposure. */
  readonly #isIn: Uint8Array;
  /** By sleeve: the share that its target was granted once every rule had spoken; 0 for none. */
  readonly #granted: Float64Array;
  /** By sleeve: returns of today so far. */
  readonly #earned: Float64Array;
  readonly #made: Float64Array;
  /** By sleeve: days since it first took a side. */
  readonly #days: Float64Array;
  /** By sleeve, then day of the window: a ring. */
  readonly #columns: readonly Float64Array[];
  readonly #madeColumns: readonly Float64Array[];
  #closedDays = 0;

  constructor(settings: AllocationSettings, sleeves: readonly Sleeve[], holdings: Holdings, mark: Float64Array) {
    this.#settings = settings;
    this.#sleeves = sleeves;
    this.#holdings = holdings;
    this.#mark = mark;
    this.shares = Float64Array.from(sleeves, ({ shareRatio }) => shareRatio);
    this.#exposure = new Float64Array(holdings.count);
    this.#reckoned = new Float64Array(holdings.count).fill(NaN);
    this.#isIn = new Uint8Array(sleeves.length);
    this.#granted = new Float64Array(sleeves.length);
    this.#earned = new Float64Array(sleeves.length);
    this.#made = new Float64Array(sleeves.length);
    this.#days = new Float64Array(sleeves.length);
    const ring = (): Float64Array => new Float64Array(settings.windowDays);
    this.#columns = sleeves.map(ring);
    this.#madeColumns = sleeves.map(ring);
  }

  /**
   * A sleeve was decided anew.
   * @param unitWeight what its stance asks for on a share of one; 0 for flat
   * @param legs ratio of each leg
   * @param weights what it was given, by leg
   */
  decided(sleeve: number, unitWeight: number, legs: readonly number[], weights: readonly number[]): void {
    this.#reckon(sleeve);
    const first = this.#holdings.first[sleeve] ?? 0;
    this.#isIn[sleeve] = unitWeight === 0 ? 0 : 1;
    let granted = 0;
    for (let leg = 0; leg < legs.length; leg++) {
      const exposure = unitWeight * (legs[leg] ?? 0);
      // Out of it, a sleeve is measured by what it held last.
      if (unitWeight !== 0) this.#exposure[first + leg] = exposure;
      if (exposure !== 0) granted = Math.max(granted, Math.abs((weights[leg] ?? 0) / exposure));
    }
    this.#granted[sleeve] = granted;
  }

  /** A sleeve was stopped or closed: it does not stand behind its exposure any more. */
  left(sleeve: number): void {
    this.#reckon(sleeve);
    this.#isIn[sleeve] = 0;
    this.#granted[sleeve] = 0;
  }

  /** A standing target was scaled. */
  scaled(sleeve: number, scale: number): void {
    this.#granted[sleeve] = (this.#granted[sleeve] ?? 0) * scale;
  }

  /** What is left of a sleeve's standing target where its share has shrunk beyond the tolerance; 1 where it has not. */
  cutOf(sleeve: number, toleranceRatio: number): number {
    const granted = this.#granted[sleeve] ?? 0;
    const share = this.shares[sleeve] ?? 0;
    return granted > share * toleranceRatio ? share / granted : 1;
  }

  /** Books what the exposure earned since it was last looked at. A price that is not known yet has earned nothing. */
  #reckon(sleeve: number): void {
    const first = this.#holdings.first[sleeve] ?? 0;
    const instruments = this.#sleeves[sleeve]?.instruments ?? [];
    let earned = 0;
    for (let leg = 0; leg < instruments.length; leg++) {
      const mark = this.#mark[instruments[leg] ?? 0] ?? NaN;
      const moved = mark / (this.#reckoned[first + leg] ?? NaN) - 1;
      if (Number.isFinite(moved)) earned += (this.#exposure[first + leg] ?? 0) * moved;
      this.#reckoned[first + leg] = mark;
    }
    this.#earned[sleeve] = (this.#earned[sleeve] ?? 0) + earned;
    if (this.#isIn[sleeve] === 1) this.#made[sleeve] = (this.#made[sleeve] ?? 0) + earned;
  }

  /** A day is over. What is to hold from now on, where this is a day of allocation and anything would change. @throws RangeError of the weights */
  closeDay(): Allocated | undefined {
    const { windowDays, cadenceDays } = this.#settings;
    const row = this.#closedDays % windowDays;
    for (let sleeve = 0; sleeve < this.#sleeves.length; sleeve++) {
      this.#reckon(sleeve);
      const column = this.#columns[sleeve];
      const made = this.#madeColumns[sleeve];
      if (column !== undefined) column[row] = this.#earned[sleeve] ?? 0;
      if (made !== undefined) made[row] = this.#made[sleeve] ?? 0;
      if (this.#hasSpoken(sleeve)) this.#days[sleeve] = (this.#days[sleeve] ?? 0) + 1;
      this.#earned[sleeve] = 0;
      this.#made[sleeve] = 0;
    }
    this.#closedDays++;
    if (this.#closedDays < windowDays || (this.#closedDays - windowDays) % cadenceDays !== 0) return undefined;
    return this.#allocate();
  }

  #hasSpoken(sleeve: number): boolean {
    const first = this.#holdings.first[sleeve] ?? 0;
    const legs = this.#sleeves[sleeve]?.instruments.length ?? 0;
    for (let leg = 0; leg < legs; leg++) if (this.#exposure[first + leg] !== 0) return true;
    return false;
  }

  /** Sleeves with a whole window behind them divide what was given to them together; each of the others has what it was given. */
  #allocate(): Allocated | undefined {
    const { method, windowDays, riskAversion } = this.#settings;
    const taking = this.#sleeves.flatMap((_, sleeve) => (this.#takesPart(sleeve) ? [sleeve] : []));
    if (taking.length < 2) return undefined;
    const { name, weigh } = WEIGHINGS[method];
    const inOrder = (ring: Float64Array): Float64Array => ring.map((_, day) => ring[(this.#closedDays + day) % windowDays] ?? NaN);
    const weights = weigh(
      taking.map((sleeve) => inOrder(this.#columns[sleeve] ?? new Float64Array())),
      taking.map((sleeve) => inOrder(this.#madeColumns[sleeve] ?? new Float64Array())),
      riskAversion,
    );
    const sum = weights.reduce((all, weight) => all + weight, 0);
    if (!(Math.abs(sum - 1) < ROUNDING && weights.every((weight) => weight > -ROUNDING))) {
      throw new RangeError(`${method} weights of ${weights.join(', ')}, expected shares of 1`);
    }
    const total = taking.reduce((sum, sleeve) => sum + (this.#sleeves[sleeve]?.shareRatio ?? 0), 0);
    const shares = this.#sleeves.map(({ shareRatio }) => shareRatio);
    // An optimum at a bound may be a rounding error below it.
    taking.forEach((sleeve, place) => (shares[sleeve] = total * Math.max(0, (weights[place] ?? NaN) / sum)));
    if (shares.every((share, sleeve) => share === this.shares[sleeve])) return undefined;
    const words = this.#sleeves.map((sleeve, index) => `${sleeve.name} ${percent(shares[index] ?? NaN)}`).join(', ');
    return { shares, because: `${name} of ${windowDays} days: ${words}` };
  }

  /** It had an exposure all through the window, and the price of something in it moved. */
  #takesPart(sleeve: number): boolean {
    const column = this.#columns[sleeve];
    return (this.#days[sleeve] ?? 0) >= this.#settings.windowDays && column !== undefined && column.some((value) => value !== column[0]);
  }

  #numbers(): readonly Float64Array[] {
    const { shares } = this;
    return [
      shares,
      this.#exposure,
      this.#reckoned,
      this.#granted,
      this.#earned,
      this.#made,
      this.#days,
      ...this.#columns,
      ...this.#madeColumns,
    ];
  }

  save(out: ByteWriter): void {
    for (const values of this.#numbers()) out.numbers(values);
    for (const flag of this.#isIn) out.byte(flag);
    out.count(this.#closedDays);
  }

  restore(from: ByteReader): void {
    for (const values of this.#numbers()) from.numbers(values);
    for (let sleeve = 0; sleeve < this.#isIn.length; sleeve++) this.#isIn[sleeve] = from.byte();
    this.#closedDays = from.count();
  }
}
