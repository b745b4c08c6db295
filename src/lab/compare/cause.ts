// Why an order of one run is not as its counterpart: read off both recordings. What the market showed comes before what the venue did with
// it, and that before what follows from earlier differences.
import { toNumber } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { formatTime, type TimeMs } from '../../domain/time.ts';
import type { Pair } from './align.ts';
import { PRICES_A_BAR, type Execution, type RunRecord, type SeenBars } from './run-record.ts';

/** The first three are where it begins; of the others the one that takes most comes first. */
export const CAUSES = [
  /** The venue or gate two did not take it in one run. */
  'rejected order',
  /** One run has not seen a bar that the other has. */
  'missed bar',
  /** One run was halted or paused. */
  'halt',
  /** Both have seen the bar, with other prices. */
  'market data',
  /** Not all of it filled in one run. */
  'partial fill',
  /** Decided, or answered by the venue, later: filled in another bar, or at another time in the same. */
  'latency',
  /** Another price in the same bar: slippage. */
  'price',
  'fee',
  /** By less than a step of quantity or price. */
  'rounding',
  /** Another equity, position or stop level, because of an earlier difference or other capital. */
  'carried over',
  /** The strategies said something else. */
  'opinion',
] as const;
export type Cause = (typeof CAUSES)[number];

export interface Finding {
  readonly cause: Cause;
  readonly words: string;
  /** What it takes of the agreement of the two orders, in [0, 1]; an estimate where several causes are in one price. */
  readonly lost: number;
}

/** How many of `CAUSES` are beginnings. */
const ROOTS = 3;
/** A difference of price and fee of this much of the price, and two orders have nothing in common. */
export const WORST_COST_RATIO = 0.01;

export interface Circumstances {
  readonly pair: Pair;
  readonly a: RunRecord;
  readonly b: RunRecord;
  /** By symbol: the first bar, the warm-up's among them, that one run has not seen or has seen otherwise. */
  readonly unlikeBars: ReadonlyMap<string, UnlikeBar>;
  /** By symbol: what each run held before this pair. */
  readonly heldA: ReadonlyMap<string, number>;
  readonly heldB: ReadonlyMap<string, number>;
  readonly toleranceMs: TimeMs;
}

/** Nothing where both are the same. */
export function causesOf(circumstances: Circumstances): readonly Finding[] {
  const { a, b } = circumstances.pair;
  const found = a === undefined || b === undefined ? ofAbsence(circumstances, a ?? b) : ofDifference(circumstances, a, b);
  // Once each: what was said of it first is nearest to it.
  const once = found.filter(({ cause }, index) => found.findIndex((other) => other.cause === cause) === index);
  const rank = ({ cause }: Finding): number => Math.min(CAUSES.indexOf(cause), ROOTS);
  return once.toSorted(
    (left, right) => rank(left) - rank(right) || right.lost - left.lost || CAUSES.indexOf(left.cause) - CAUSES.indexOf(right.cause),
  );
}

// ---- one of them is not there --------------------------------------------------------------------------------------

function ofAbsence(circumstances: Circumstances, there: Execution | undefined): Finding[] {
  if (there === undefined) return [];
  const { pair, a, b, unlikeBars, heldA, heldB, toleranceMs } = circumstances;
  const isInA = pair.a !== undefined;
  const lacking = isInA ? b : a;
  const name = isInA ? 'the second run' : 'the first run';
  const { symbol, at } = there;
  const refusal = lacking.refusals.find((each) => each.symbol === symbol && Math.abs(each.at - at) <= toleranceMs);
  if (refusal !== undefined)
    return [{ cause: 'rejected order', words: `${name} did not let it out: ${refusal.rule}, ${refusal.why}`, lost: 1 }];
  if (there.refusal !== '' && there.filled === 0)
    return [{ cause: 'rejected order', words: `refused: ${there.refusal}; ${name} did not send it`, lost: 1 }];
  const still = lacking.standstills.find((each) => each.from <= at && at < each.to);
  if (still !== undefined) return [{ cause: 'halt', words: `${name} stood still because of ${still.cause}`, lost: 1 }];
  const recent = firstUnlike(a, b, symbol, at - 3 * toleranceMs, at);
  if (recent !== undefined) return [{ ...recent.finding, lost: 1 }];
  const [inA, inB] = [heldA.get(symbol) ?? 0, heldB.get(symbol) ?? 0];
  if (inA !== inB)
    return [{ cause: 'carried over', words: `before it the first run held ${number(inA)}, the second ${number(inB)}`, lost: 1 }];
  const earlier = unlikeBars.get(symbol);
  if (earlier !== undefined && earlier.closeAt <= at) return [{ ...earlier.finding, lost: 1 }];
  return [{ cause: 'opinion', words: `${name} did not want it`, lost: 1 }];
}

// ---- both are there ------------------------------------------------------------------------------------------------

function ofDifference(circumstances: Circumstances, one: Execution, other: Execution): Finding[] {
  const found: Finding[] = [];
  const { a, b } = circumstances;
  if ((one.refusal !== '' || other.refusal !== '') && one.refusal !== other.refusal) {
    const [name, words] = one.refusal === '' ? ['second', other.refusal] : ['first', one.refusal];
    return [{ cause: 'rejected order', words: `refused in the ${name} run: ${words}`, lost: 1 }];
  }
  if (same(one, other)) return [];
  const baseMs = Math.max(a.baseTimeframeMs, b.baseTimeframeMs);
  const lastAt = Math.max(one.at, other.at, one.lastFillAt || 0, other.lastFillAt || 0);
  const bar = firstUnlike(a, b, one.symbol, Math.min(one.sentAt, other.sentAt) - baseMs, lastAt + baseMs)?.finding;
  if (bar !== undefined) found.push(bar);
  const isMissed = bar?.cause === 'missed bar';
  const losses = lossesOf(circumstances, one, other, baseMs);
  found.push(...ofQuantity(circumstances, one, other, losses), ...ofTime(one, other, baseMs, losses, isMissed));
  if (Math.abs(one.price / other.price - 1) > SAME_RATIO && one.filled > 0 && other.filled > 0) {
    const price = ofPrice(circumstances, one, other, losses);
    if (price !== undefined && !(isMissed && price.cause === 'price')) found.push(price);
  }
  const [feeA, feeB] = [feeRateOf(one), feeRateOf(other)];
  if (Math.abs(feeA - feeB) > SAME_RATIO && one.filled > 0 && other.filled > 0) {
    const lost = Math.min(1, Math.abs(feeA - feeB) / WORST_COST_RATIO);
    found.push({ cause: 'fee', words: `paid ${basisPoints(feeA)} and ${basisPoints(feeB)} of notional`, lost });
  }
  return found.length > 0 ? found : [{ cause: 'rounding', words: 'differs in the last digits alone', lost: 0 }];
}

/** What time and price take of the agreement, and whether the fills are in other bars: then the price is that of another time. */
interface Losses {
  readonly time: number;
  readonly price: number;
  readonly isOtherBar: boolean;
}

function lossesOf({ toleranceMs }: Circumstances, one: Execution, other: Execution, baseMs: TimeMs): Losses {
  return {
    time: Math.min(1, Math.abs(one.lastFillAt - other.lastFillAt) / toleranceMs) || 0,
    price: Math.min(1, Math.abs(one.price - other.price) / Math.max(one.price, other.price) / WORST_COST_RATIO) || 0,
    isOtherBar: (['firstFillAt', 'lastFillAt'] as const).some((at) => Math.floor(one[at] / baseMs) !== Math.floor(other[at] / baseMs)),
  };
}

function withinOne(lost: number): number {
  return Math.min(1, lost);
}

/** Averages of several fills, and rates of rounded fees, differ by this much though nothing does. */
const SAME_RATIO = 1e-9;

function same(one: Execution, other: Execution): boolean {
  const equal = (left: number, right: number): boolean => left === right || (Number.isNaN(left) && Number.isNaN(right));
  return (
    one.at === other.at &&
    one.quantity === other.quantity &&
    one.filled === other.filled &&
    equal(one.price, other.price) &&
    one.fee === other.fee &&
    equal(one.firstFillAt, other.firstFillAt) &&
    equal(one.lastFillAt, other.lastFillAt)
  );
}

function ofQuantity({ a, b, unlikeBars }: Circumstances, one: Execution, other: Execution, losses: Losses): Finding[] {
  const found: Finding[] = [];
  const [shareA, shareB] = [one.filled / one.quantity, other.filled / other.quantity];
  if (shareA !== shareB || one.fills !== other.fills) {
    const part = ({ filled, quantity, fills }: Execution): string =>
      `${number(filled)} of ${number(quantity)} in ${fills === 1 ? 'one fill' : `${fills} fills`}`;
    const unfilled = 1 - Math.min(shareA, shareB) / Math.max(shareA, shareB);
    const lost = withinOne(unfilled + (losses.isOtherBar ? losses.time + losses.price : 0));
    found.push({ cause: 'partial fill', words: `filled ${part(one)}, and ${part(other)}`, lost });
  }
  if (one.quantity === other.quantity) return found;
  const lost = 1 - Math.min(one.quantity, other.quantity) / Math.max(one.quantity, other.quantity);
  const asked = `asked for ${number(one.quantity)} and ${number(other.quantity)}`;
  const equities = `equity was ${money(one.equity)} and ${money(other.equity)}`;
  const lot = Math.max(stepOf(a, one.symbol, 'lot'), stepOf(b, one.symbol, 'lot'));
  if (Math.abs(one.quantity - other.quantity) <= lot * (1 + SAME_RATIO)) {
    return [...found, { cause: 'rounding', words: `${asked}: a step is ${number(lot)}`, lost }];
  }
  const equityRatio = other.equity / one.equity;
  const isByEquity = Math.abs(other.quantity / one.quantity - equityRatio) <= 0.5 * Math.abs(equityRatio - 1) + SAME_RATIO;
  // A stop closes what there is.
  if (one.role !== 'target' || isByEquity) return [...found, { cause: 'carried over', words: `${asked}: ${equities}`, lost }];
  const earlier = unlikeBars.get(one.symbol);
  if (earlier !== undefined && earlier.closeAt <= Math.max(one.at, other.at)) {
    return [...found, { cause: earlier.finding.cause, words: `${asked}, and features remember: ${earlier.finding.words}`, lost }];
  }
  return [...found, { cause: equityRatio === 1 ? 'opinion' : 'carried over', words: `${asked}: ${equities}`, lost }];
}

function ofTime(one: Execution, other: Execution, baseMs: TimeMs, losses: Losses, isMissed: boolean): Finding[] {
  const found: Finding[] = [];
  const lost = withinOne(losses.time + (losses.isOtherBar ? losses.price : 0));
  const later = other.at - one.at;
  const isTarget = one.role === 'target' && other.role === 'target';
  if (!isTarget) {
    // A stop fills when the market comes, whenever it was sent.
    const words = `filled at ${formatTime(one.at)} and at ${formatTime(other.at)}`;
    return later === 0 ? [] : [{ cause: Math.abs(later) < baseMs ? 'latency' : 'carried over', words, lost }];
  }
  if (later !== 0) {
    const words = `the ${later > 0 ? 'second' : 'first'} run decided ${number(Math.abs(later))} ms later`;
    if (Math.abs(later) < baseMs) found.push({ cause: 'latency', words, lost });
    // A limit that equity crosses is crossed at another bar with another equity.
    else if (!isMissed) found.push({ cause: one.equity === other.equity ? 'opinion' : 'carried over', words, lost });
  }
  const [answerA, answerB] = [one.firstFillAt - one.sentAt, other.firstFillAt - other.sentAt];
  if (answerA !== answerB && one.filled > 0 && other.filled > 0 && !(isMissed && Math.abs(answerA - answerB) >= baseMs)) {
    found.push({ cause: 'latency', words: `filled after ${number(answerA)} ms and after ${number(answerB)} ms`, lost });
  }
  return found;
}

function ofPrice({ a, b }: Circumstances, one: Execution, other: Execution, losses: Losses): Finding | undefined {
  const tick = Math.max(stepOf(a, one.symbol, 'tick'), stepOf(b, one.symbol, 'tick'));
  const words = `${number(one.price)} and ${number(other.price)}`;
  const lost = losses.price;
  if (Math.abs(one.price - other.price) <= tick * (1 + SAME_RATIO))
    return { cause: 'rounding', words: `${words}: a step is ${number(tick)}`, lost };
  // Its lateness, or its parts, say why already.
  if (losses.isOtherBar && one.role === 'target') return undefined;
  const [slipA, slipB] = [slipOf(one), slipOf(other)];
  if (one.role !== 'target' && one.reference !== other.reference && Math.abs(slipA - slipB) < LIKE_SLIP_RATIO) {
    return { cause: 'carried over', words: `${words}: triggers stood at ${number(one.reference)} and ${number(other.reference)}`, lost };
  }
  return { cause: 'price', words: `${words}: slipped ${basisPoints(slipA)} and ${basisPoints(slipB)}`, lost };
}

/** A tenth of a basis point: below it two stops slipped alike, and their triggers make the difference. */
const LIKE_SLIP_RATIO = 1e-5;

/** How much worse than its reference it filled, as a ratio. */
function slipOf({ price, reference, side }: Execution): number {
  return (price / reference - 1) * (side === 'buy' ? 1 : -1);
}

/** Fee over notional; 0 without a fill. */
export function feeRateOf({ fee, filled, price }: Execution): number {
  return filled === 0 ? 0 : fee / (filled * price);
}

// ---- what the market showed ----------------------------------------------------------------------------------------

/** A bar that one run has not seen, or that both have seen otherwise. */
export interface UnlikeBar {
  readonly closeAt: TimeMs;
  readonly finding: Finding;
}

/** The first bar of a symbol that closed within a span, the end included, and is not the same in both runs. */
export function firstUnlike(a: RunRecord, b: RunRecord, symbol: string, after: TimeMs, until: TimeMs): UnlikeBar | undefined {
  const [ofA, ofB] = [a.bars.get(symbol), b.bars.get(symbol)];
  if (ofA === undefined || ofB === undefined) return undefined;
  // Before either run's first bar nothing is missing, only not asked for; nor after its last.
  const first = Math.max(after, (ofA.closeAt[0] ?? Infinity) - 1, (ofB.closeAt[0] ?? Infinity) - 1);
  const last = Math.min(until, ofA.closeAt.at(-1) ?? 0, ofB.closeAt.at(-1) ?? 0);
  let [rowA, rowB] = [rowAfter(ofA, first), rowAfter(ofB, first)];
  for (;;) {
    const [atA, atB] = [ofA.closeAt[rowA] ?? Infinity, ofB.closeAt[rowB] ?? Infinity];
    const closeAt = Math.min(atA, atB);
    if (!(closeAt <= last)) return undefined;
    if (atA !== atB) {
      const words = `the ${atA < atB ? 'second' : 'first'} run has not seen the bar that closed ${formatTime(closeAt)}`;
      return { closeAt, finding: { cause: 'missed bar', words, lost: 1 } };
    }
    const ratio = unlikeRatio(ofA, rowA, ofB, rowB);
    if (ratio > 0) {
      const words = `the bar that closed ${formatTime(closeAt)} has other prices, by ${basisPoints(ratio)} at the most`;
      return { closeAt, finding: { cause: 'market data', words, lost: Math.min(1, ratio / WORST_COST_RATIO) } };
    }
    rowA++;
    rowB++;
  }
}

/** The largest difference of two bars' prices, as a ratio; 0 for the same. */
function unlikeRatio(a: SeenBars, rowA: number, b: SeenBars, rowB: number): number {
  let largest = 0;
  for (let price = 0; price < PRICES_A_BAR; price++) {
    const [one, other] = [a.prices[rowA * PRICES_A_BAR + price] ?? NaN, b.prices[rowB * PRICES_A_BAR + price] ?? NaN];
    if (one !== other) largest = Math.max(largest, Math.abs(other / one - 1));
  }
  return largest;
}

function rowAfter({ closeAt }: SeenBars, at: TimeMs): number {
  let [low, high] = [0, closeAt.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((closeAt[middle] ?? 0) > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

function stepOf({ instruments }: RunRecord, symbol: string, step: 'lot' | 'tick'): number {
  const instrument: Instrument | undefined = instruments.find((each) => each.symbol === symbol);
  return instrument === undefined ? 0 : toNumber(instrument[step]);
}

function number(value: number): string {
  return String(Number(value.toPrecision(10)));
}

function money(value: number): string {
  return value.toFixed(2);
}

function basisPoints(ratio: number): string {
  return `${(ratio * 10_000).toFixed(2)} bp`;
}
