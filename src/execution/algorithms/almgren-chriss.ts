// Almgren and Chriss, "Optimal execution of portfolio transactions", Journal of Risk 3 (2001), 5-39: the schedule that is cheapest for a given
// risk, where permanent and temporary impact are linear in the rate of trading and the price is a random walk. Numbers of equations are theirs.

/** In any unit of money, quantity and time, so long as it is one. */
export interface ImpactModel {
  /** Of the price, in money a unit for the square root of a unit of time. */
  readonly volatility: number;
  /** Money a unit that every unit traded moves the price for good: gamma. */
  readonly permanentImpact: number;
  /** Money a unit for every unit traded in a unit of time: eta. */
  readonly temporaryImpact: number;
  /** Money a unit that every trade costs whatever its quantity, such as half the spread and the fee: epsilon. */
  readonly fixedCost: number;
}

export interface ExecutionProblem extends ImpactModel {
  readonly quantity: number;
  /** Time until nothing must be left, and into how many equal intervals it is divided. */
  readonly horizon: number;
  readonly slices: number;
  /** What a unit of variance is worth in money: lambda. At 0 the schedule is the time-weighted one. */
  readonly riskAversion: number;
}

/** Temporary impact less what the permanent one takes within an interval: eta tilde, below (8). Above 0, or there is no best schedule. */
function effectiveImpact({ temporaryImpact, permanentImpact, horizon, slices }: ExecutionProblem): number {
  return temporaryImpact - (permanentImpact * horizon) / slices / 2;
}

/** Kappa of (16): how fast it pays to trade, a time constant of the market and not of the quantity. */
export function urgencyRate(problem: ExecutionProblem): number {
  const { riskAversion, volatility, horizon, slices } = problem;
  const interval = horizon / slices;
  const squared = (riskAversion * volatility * volatility) / effectiveImpact(problem);
  return Math.acosh((squared * interval * interval) / 2 + 1) / interval;
}

/**
 * Slices by (18), as parts of the quantity.
 * @param urgency kappa times the horizon, without a unit: at 0 all slices are equal, at 3 the first of ten is 27 % of the quantity
 */
export function almgrenChrissWeights(slices: number, urgency: number): Float64Array {
  const weights = new Float64Array(slices);
  let sum = 0;
  for (let slice = 0; slice < slices; slice++) {
    // Divided by e^urgency, so that great urgency overflows nothing.
    const exponent = urgency * (1 - (slice + 0.5) / slices);
    const weight = Math.exp(exponent - urgency) + Math.exp(-exponent - urgency);
    weights[slice] = weight;
    sum += weight;
  }
  for (let slice = 0; slice < slices; slice++) weights[slice] = (weights[slice] ?? 0) / sum;
  return weights;
}

/** Mean and variance of what the schedule costs beyond the price at its start, in money: (8) and (5), for any schedule of parts. */
export function expectedShortfall(problem: ExecutionProblem, weights: Float64Array): { readonly mean: number; readonly variance: number } {
  const { quantity, permanentImpact, fixedCost, volatility, horizon, slices } = problem;
  const interval = horizon / slices;
  let squares = 0;
  let heldSquares = 0;
  let held = quantity;
  for (const weight of weights) {
    const traded = weight * quantity;
    held -= traded;
    squares += traded * traded;
    heldSquares += held * held;
  }
  return {
    mean: (permanentImpact * quantity * quantity) / 2 + fixedCost * Math.abs(quantity) + (effectiveImpact(problem) / interval) * squares,
    variance: volatility * volatility * interval * heldSquares,
  };
}
