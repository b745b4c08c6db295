// The columns of a sweep as somebody would write them in an afternoon: one loop over the bars, a few variables, nothing shared. All in or flat,
// orders at the close. What the kernels of src/lab/sweep must equal, and the measure of speed where there is no other peer.

export interface PlainBars {
  readonly open: Float64Array;
  readonly high: Float64Array;
  readonly low: Float64Array;
  readonly close: Float64Array;
}

export interface PlainAccount {
  readonly capital: number;
  readonly feeRate: number;
  readonly slippageRatio: number;
  /** For the Sharpe ratio. */
  readonly perYear: number;
}

export interface PlainFigures {
  readonly totalReturn: number;
  readonly sharpe: number;
  readonly maxDrawdown: number;
  readonly orders: number;
}

class PlainColumn {
  cash: number;
  held = 0;
  orders = 0;
  readonly #account: PlainAccount;
  readonly #returns: number[] = [];
  #last: number;
  #peak: number;
  #deepest = 0;

  constructor(account: PlainAccount) {
    this.#account = account;
    this.cash = this.#last = this.#peak = account.capital;
  }

  buy(price: number): void {
    const { feeRate, slippageRatio } = this.#account;
    this.held = this.cash / (price * (1 + slippageRatio) * (1 + feeRate));
    this.cash = 0;
    this.orders++;
  }

  sell(price: number, slippageRatio = this.#account.slippageRatio): void {
    this.cash = this.held * price * (1 - slippageRatio) * (1 - this.#account.feeRate);
    this.held = 0;
    this.orders++;
  }

  mark(price: number): void {
    const equity = this.cash + this.held * price;
    this.#returns.push(equity / this.#last - 1);
    this.#last = equity;
    this.#peak = Math.max(this.#peak, equity);
    this.#deepest = Math.max(this.#deepest, 1 - equity / this.#peak);
  }

  figures(): PlainFigures {
    const { capital, perYear } = this.#account;
    const count = this.#returns.length;
    let sum = 0;
    for (const each of this.#returns) sum += each;
    const mean = sum / count;
    let squares = 0;
    for (const each of this.#returns) squares += (each - mean) ** 2;
    const sharpe = (mean / Math.sqrt(squares / (count - 1))) * Math.sqrt(perYear);
    return { totalReturn: this.#last / capital - 1, sharpe, maxDrawdown: this.#deepest, orders: this.orders };
  }
}

export function plainCross({ close }: PlainBars, fast: number, slow: number, account: PlainAccount): PlainFigures {
  const column = new PlainColumn(account);
  let fastSum = 0;
  let slowSum = 0;
  let before = NaN;
  for (let bar = 0; bar < close.length; bar++) {
    const price = close[bar] ?? NaN;
    fastSum += price - (bar >= fast ? (close[bar - fast] ?? NaN) : 0);
    slowSum += price - (bar >= slow ? (close[bar - slow] ?? NaN) : 0);
    const difference = bar >= slow - 1 ? fastSum / fast - slowSum / slow : NaN;
    if (column.held === 0 && difference > 0 && before <= 0) column.buy(price);
    else if (column.held > 0 && difference < 0 && before >= 0) column.sell(price);
    before = difference;
    column.mark(price);
  }
  return column.figures();
}

export interface PlainRsiStop {
  readonly window: number;
  readonly entryBelow: number;
  readonly exitAbove: number;
  readonly stop: number;
  readonly trailing: boolean;
}

export function plainRsiStop({ open, high, low, close }: PlainBars, rules: PlainRsiStop, account: PlainAccount): PlainFigures {
  const { window, entryBelow, exitAbove, stop, trailing } = rules;
  const column = new PlainColumn(account);
  let gain = 0;
  let loss = 0;
  let before = NaN;
  let best = NaN;
  for (let bar = 0; bar < close.length; bar++) {
    const price = close[bar] ?? NaN;
    const change = bar === 0 ? 0 : price - (close[bar - 1] ?? NaN);
    const isSeed = bar <= window;
    gain = isSeed ? gain + Math.max(change, 0) / window : (gain * (window - 1) + Math.max(change, 0)) / window;
    loss = isSeed ? loss + Math.max(-change, 0) / window : (loss * (window - 1) + Math.max(-change, 0)) / window;
    const index = bar >= window ? 100 - 100 / (1 + gain / loss) : NaN;
    const stopPrice = best * (1 - stop);
    if (column.held > 0 && (low[bar] ?? NaN) <= stopPrice) {
      column.sell(Math.min(open[bar] ?? NaN, stopPrice), 0);
    } else if (column.held > 0) {
      if (trailing) best = Math.max(best, high[bar] ?? NaN);
      if (index > exitAbove && before <= exitAbove) column.sell(price);
    } else if (index < entryBelow && before >= entryBelow) {
      column.buy(price);
      best = price;
    }
    before = index;
    column.mark(price);
  }
  return column.figures();
}
