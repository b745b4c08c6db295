// Figures of a column: sums while its bars pass, ratios once at the end. The names are those of a run's report.
import { known, ROUNDING } from '../../views/daily.ts';
import { MINIMUM_RETURNS, type Metrics } from '../../views/metrics.ts';
import type { OrderLog } from './order-log.ts';

/** In the order in which a column's figures lie in memory. */
export const METRIC_NAMES = [
  'totalReturn',
  'finalEquity',
  'sharpe',
  'sortino',
  'maxDrawdown',
  'calmar',
  'orders',
  'trades',
  'winRate',
  'profitFactor',
  'expectancy',
  'feesPaid',
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];
/** As of `Metrics`: null is "cannot be said". */
export type ColumnMetrics = Readonly<Pick<Metrics, MetricName>>;

/** What of a sum of squares is left by rounding where every return is the same. */
const SPREAD_ROUNDING = 1e-12;

/** Sums over the returns and the trades of one column. Reused from column to column. */
export class ColumnSums {
  /** Of the returns, one a bar, the first against the capital. */
  returnSum = NaN;
  returnSquares = NaN;
  downsideSquares = NaN;
  maxDrawdown = NaN;
  finalEquity = NaN;
  orders = 0;
  trades = 0;
  wins = 0;
  won = NaN;
  /** Not above 0. */
  lost = NaN;
  fees = NaN;
  readonly #drawdownLimit: number;

  constructor(drawdownLimit = Infinity) {
    this.#drawdownLimit = drawdownLimit;
    this.clear();
  }

  /** It has fallen further than anybody would bear; a drawdown never gets less, so that no later bar can mend it. */
  get isHopeless(): boolean {
    return this.maxDrawdown > this.#drawdownLimit;
  }

  clear(): void {
    this.returnSum = this.returnSquares = this.downsideSquares = this.maxDrawdown = this.finalEquity = 0;
    this.orders = this.trades = this.wins = this.won = this.lost = this.fees = 0;
  }

  trade(pnl: number): void {
    this.trades++;
    if (pnl > 0) {
      this.wins++;
      this.won += pnl;
    } else {
      this.lost += pnl;
    }
  }

  return(ratio: number): void {
    this.returnSum += ratio;
    this.returnSquares += ratio * ratio;
    if (ratio < 0) this.downsideSquares += ratio * ratio;
  }

  /** @param perYear bars a year @param into at `offset` and after it, by METRIC_NAMES; not finite is "cannot be said" */
  write(capital: number, bars: number, perYear: number, into: Float64Array, offset: number): void {
    const totalReturn = this.finalEquity / capital - 1;
    const hasReturns = bars >= MINIMUM_RETURNS;
    const mean = this.returnSum / bars;
    const squares = this.returnSquares - this.returnSum * mean;
    const deviation = squares > this.returnSquares * SPREAD_ROUNDING ? Math.sqrt(squares / (bars - 1)) : 0;
    const downside = Math.sqrt(this.downsideSquares / bars);
    const annualReturn = (1 + totalReturn) ** (perYear / bars) - 1;
    into[offset] = totalReturn;
    into[offset + 1] = this.finalEquity;
    into[offset + 2] = hasReturns && deviation > ROUNDING ? (mean / deviation) * Math.sqrt(perYear) : NaN;
    into[offset + 3] = hasReturns && downside > ROUNDING ? (mean / downside) * Math.sqrt(perYear) : NaN;
    into[offset + 4] = this.maxDrawdown;
    into[offset + 5] = hasReturns ? annualReturn / this.maxDrawdown : NaN;
    into[offset + 6] = this.orders;
    into[offset + 7] = this.trades;
    into[offset + 8] = this.wins / this.trades;
    into[offset + 9] = this.won / -this.lost;
    into[offset + 10] = (this.won + this.lost) / this.trades;
    into[offset + 11] = this.fees;
  }
}

/** Sums up a simulated column. */
export function sumUp(capital: number, equity: Float64Array, orders: OrderLog, sums: ColumnSums): void {
  sums.clear();
  sumReturns(capital, equity, orders, sums);
  sumTrades(orders, sums);
}

/** Only over the bars of which a position was held: between them equity does not move, and its returns are 0. */
function sumReturns(capital: number, equity: Float64Array, { length, bar: bars }: OrderLog, sums: ColumnSums): void {
  const count = equity.length;
  let previous = capital;
  let sum = 0;
  let squares = 0;
  let downside = 0;
  let peak = capital;
  let deepest = 0;
  // Below this a fall is the deepest yet: a comparison a bar, a division only where it is.
  let floor = capital;
  let bar = 0;
  for (let entry = 0; entry < length; entry += 2) {
    // A position that is turned around is left and entered on one bar.
    bar = Math.max(bar, bars[entry] ?? NaN);
    const end = entry + 1 < length ? (bars[entry + 1] ?? NaN) + 1 : count;
    for (; bar < end; bar++) {
      const value = equity[bar] ?? NaN;
      const ratio = value / previous - 1;
      // min(ratio, 0), exactly, without asking: nobody foretells the sign of a return, least of all a processor.
      const loss = (ratio - Math.abs(ratio)) * 0.5;
      previous = value;
      sum += ratio;
      squares += ratio * ratio;
      downside += loss * loss;
      if (value < floor) {
        deepest = 1 - value / peak;
        floor = value;
      } else if (value > peak) {
        peak = value;
        floor = value * (1 - deepest);
      }
    }
  }
  sums.returnSum = sum;
  sums.returnSquares = squares;
  sums.downsideSquares = downside;
  sums.maxDrawdown = deepest;
  sums.finalEquity = previous;
}

function sumTrades({ length, quantity, price, fee }: OrderLog, sums: ColumnSums): void {
  sums.orders = length;
  for (let row = 0; row < length; row++) sums.fees += fee[row] ?? NaN;
  for (let entry = 0; entry + 1 < length; entry += 2) {
    const moved = (quantity[entry] ?? NaN) * ((price[entry + 1] ?? NaN) - (price[entry] ?? NaN));
    sums.trade(moved - (fee[entry] ?? NaN) - (fee[entry + 1] ?? NaN));
  }
}

/** The figures that `write` left at an offset. */
export function metricsAt(from: Float64Array, offset: number): ColumnMetrics {
  const at = (place: number): number => from[offset + place] ?? NaN;
  return {
    totalReturn: at(0),
    finalEquity: at(1),
    sharpe: known(at(2)),
    sortino: known(at(3)),
    maxDrawdown: at(4),
    calmar: known(at(5)),
    orders: at(6),
    trades: at(7),
    winRate: known(at(8)),
    profitFactor: known(at(9)),
    expectancy: known(at(10)),
    feesPaid: at(11),
  };
}
