// What the figures come to, in plain words: whether there is an edge after costs, what the costs took, and what to beware of.
import { counted, percent } from '../domain/words.ts';
import { DAY_MS, formatTime, HOUR_MS, type TimeMs } from '../domain/time.ts';
import type { EquitySummary } from './equity.ts';
import { MINIMUM_TRADES, roundTrips, type Metrics } from './metrics.ts';
import { againstThreshold, money } from './text.ts';
import type { TradeLedger } from './trades.ts';

/** Below this many standard errors from zero a mean return may be luck. */
const TOLD_FROM_LUCK = 2;

/** First the edge, then the costs, then holding; each only where the figures can say it. */
export function verdict(figures: Metrics): string[] {
  if (figures.trades === 0 && figures.orders === 0) return ['it never traded: there is nothing to judge'];
  return [edge(figures), costs(figures), holding(figures)].filter((words) => words !== undefined);
}

/**
 * There is no edge after costs when the closed trades lost net, when the account did not grow, or when it grew by a mean return of less
 * than TOLD_FROM_LUCK standard errors; the first that holds is said. Trades that lost before any cost had none to begin with.
 */
function edge(figures: Metrics): string {
  const { trades, totalReturn, returnTStatistic } = figures;
  const net = (figures.expectancy ?? 0) * trades;
  if (trades > 0 && net <= 0) {
    const { before, names } = profitBeforeCosts(figures);
    if (before <= 0) return `no edge: the closed trades lost ${money(-before)} before any cost`;
    return `no edge after costs: the closed trades made ${money(before)} before ${names}, and ${money(net)} after them`;
  }
  if (totalReturn <= 0) return 'no edge after costs: the account did not grow';
  if (returnTStatistic === null) return 'it made money, in too few returns to say more';
  const errors = `${againstThreshold(returnTStatistic, TOLD_FROM_LUCK, 1)} standard errors from zero`;
  return returnTStatistic < TOLD_FROM_LUCK
    ? `no edge after costs that can be told from luck: it made money, with a mean return ${errors}, where it takes ${TOLD_FROM_LUCK}`
    : `it made money, with a mean return ${errors}: in this sample, on these parameters`;
}

/** Of closed trades: the one profit that every sentence measures costs by. Slippage is among the costs where the ledger was told prices. */
function profitBeforeCosts({ pnlBeforeCosts, grossPnl }: Metrics): { before: number; names: string } {
  return pnlBeforeCosts === null
    ? { before: grossPnl, names: 'fees and funding' }
    : { before: pnlBeforeCosts, names: 'fees, slippage and funding' };
}

/** What share of the profit before costs each cost took; of a loss, how much the costs added to it. */
function costs({ trades, expectancy, pnlBeforeCosts, feeShare, slippageShare, fundingShare }: Metrics): string | undefined {
  if (pnlBeforeCosts === null || expectancy === null) return undefined;
  if (feeShare === null || slippageShare === null || fundingShare === null) {
    return `costs took a further ${money(pnlBeforeCosts - expectancy * trades)}`;
  }
  const parts = [share('fees', feeShare), share('slippage', slippageShare), share('funding', fundingShare)];
  const left = 1 - feeShare - slippageShare - fundingShare;
  return `of ${money(pnlBeforeCosts)} made before costs ${parts.join(', ')}: ${left > 0 ? `${percent(left)} was left` : 'nothing was left'}`;
}

function share(name: string, ratio: number): string {
  return `${name} ${ratio < 0 ? 'gave' : 'took'} ${percent(Math.abs(ratio))}`;
}

function holding({ totalReturn, buyAndHoldReturn }: Metrics): string | undefined {
  if (buyAndHoldReturn === null) return undefined;
  const ahead = totalReturn - buyAndHoldReturn;
  return `buying and holding returned ${percent(buyAndHoldReturn)}: this run is ${percent(Math.abs(ahead))} ${ahead >= 0 ? 'ahead' : 'behind'}`;
}

export interface WarningParts {
  readonly equity: EquitySummary;
  readonly ledger: TradeLedger;
  /** Of the run, as the report has it. */
  readonly from: TimeMs;
  readonly to: TimeMs;
  readonly allowSpotShort: boolean;
  readonly noRisk: boolean;
}

export function warnings({ equity, ledger, from, to, allowSpotShort, noRisk }: WarningParts, figures: Metrics): string[] {
  const { trades, bestTrade } = figures;
  const net = (figures.expectancy ?? 0) * trades;
  const words: string[] = [];
  const { variance, instants, lowestEquity } = equity;
  if (instants === 0) words.push('no bar was marked: the range holds no data');
  else if (instants > 1 && variance === 0) words.push('equity is flat: it never moved');
  if (trades === 0) words.push('no trade was closed');
  else if (trades < MINIMUM_TRADES) {
    words.push(`too few trades: ${trades} closed, and fewer than ${MINIMUM_TRADES} say little about the next one`);
  }
  if (trades > 1 && net > 0 && bestTrade !== null && bestTrade >= net) {
    words.push(`one trade makes the profit: without the best (${money(bestTrade)}) the closed trades come to ${money(net - bestTrade)}`);
  }
  const { before, names } = profitBeforeCosts(figures);
  // Of closed trades like the profit, not of all fills: what is open has not made its profit yet.
  const fees = roundTrips(ledger).reduce((sum, trip) => sum + trip.fees, 0);
  if (before > 0 && fees > before) {
    words.push(`fees of ${money(fees)} exceed the ${money(before)} that the closed trades made before ${names}`);
  }
  if (lowestEquity <= 0) words.push('equity fell to zero or below: a real account would have been liquidated');
  const open = ledger.openTrades().length;
  if (open > 0) {
    words.push(`${open} ${open === 1 ? 'position is' : 'positions are'} still open and marked at the last price: no exit was paid for`);
  }
  words.push(...haltWarnings(ledger, from, to));
  if (allowSpotShort) words.push('spot was allowed to be sold short: research only, no venue does this');
  if (noRisk) words.push('the rules of risk and all else that acts by itself were left out (--no-risk): research only');
  return words;
}

/** One a halt. The last says how much of the run was spent under it, where it was not released. */
function haltWarnings(ledger: TradeLedger, from: TimeMs, to: TimeMs): string[] {
  const { haltTimes, haltCauses, isHalted, lastFillAt } = ledger;
  return haltTimes.map((at, index) => {
    // Midnight is the day itself: a bar of a day closes then.
    const halted = `halted on ${formatTime(at).replace('T00:00:00Z', '')}: ${haltCauses[index] ?? ''}`;
    if (!isHalted || index < haltTimes.length - 1) return halted;
    // What was held is closed after the halt, so the last fill may be later than it.
    const idleMs = to - (lastFillAt > at ? lastFillAt : at);
    return idleMs < HOUR_MS ? halted : `${halted}; nothing was traded for the last ${partOf(idleMs, to - from)}`;
  });
}

const MONTH_MS = (365.2425 * DAY_MS) / 12;

/** In the largest unit of which the part has two, rounded: `26 months of 84`. */
function partOf(partMs: number, wholeMs: number): string {
  const [unitMs, unit] = partMs >= 2 * MONTH_MS ? [MONTH_MS, 'month'] : partMs >= 2 * DAY_MS ? [DAY_MS, 'day'] : [HOUR_MS, 'hour'];
  return `${counted(Math.round(partMs / unitMs), unit)} of ${Math.round(wholeMs / unitMs)}`;
}
