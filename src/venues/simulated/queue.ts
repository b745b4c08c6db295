// Where a resting limit stands in the queue of its price, on a book that tells only how much rests there in all. Pure arithmetic.
//
// As in hftbacktest (its RiskAdverseQueueModel and ProbQueueModel), after Moallemi's answer at quant.stackexchange.com/questions/3782 and
// Rigtorp, "Estimating order queue position" (2013): whoever arrives stands behind all that rests at the price. A trade at the price takes
// from the front. When the rest of the level shrinks, somebody cancelled, and the models differ in where he stood.
import { portableLog } from '../../quant/random.ts';

/**
 * `none` fills by how far the market goes through a limit (`tradeThroughTicks`). `risk-averse` believes that every cancel was behind us: only
 * trades move us forward, and a level that has become smaller than what was ahead of us. `power` and `log` believe that a share of it was behind us:
 * f(behind) / (f(behind) + f(ahead)), with f(x) = x^queuePower or log(1 + x).
 */
export type QueueModel = 'none' | 'risk-averse' | 'power' | 'log';

export interface QueueRules {
  readonly queueModel: QueueModel;
  /** For `power`: a whole number from 1 on. 1 spreads cancels evenly over the queue; more puts them where more rests. */
  readonly queuePower: number;
}

/** The place of one order in its level. In base currency, estimates. */
export interface Place {
  /** What rests at the price before us. */
  ahead: number;
  /** What rests there in all, without us. */
  total: number;
  /** What has traded there since the level changed last: that much of the next change is no cancel. */
  traded: number;
}

/** The share of a cancel that was behind us; undefined for the models that ask for none. */
export type ShareBehind = (ahead: number, behind: number) => number;

export function shareBehind({ queueModel, queuePower }: QueueRules): ShareBehind | undefined {
  if (queueModel === 'power') return (ahead, behind) => ratio(power(behind, queuePower), power(ahead, queuePower));
  if (queueModel === 'log') return (ahead, behind) => ratio(portableLog(1 + behind), portableLog(1 + ahead));
  return undefined;
}

function ratio(behind: number, ahead: number): number {
  return behind === 0 ? 0 : behind / (behind + ahead);
}

/** By multiplication, which is the same on every machine. */
function power(base: number, exponent: number): number {
  let result = base;
  for (let factor = 1; factor < exponent; factor++) result *= base;
  return result;
}

/** A trade at the price. @returns how much of it came past all that was ahead, and so to us */
export function takeTrade(place: Place, quantity: number): number {
  const past = quantity - place.ahead;
  place.ahead = past > 0 ? 0 : -past;
  place.traded += quantity;
  return past > 0 ? past : 0;
}

/** The level has another total. */
export function takeChange(place: Place, total: number, share: ShareBehind | undefined): void {
  const { ahead } = place;
  if (share !== undefined) {
    const cancelled = place.total - total - place.traded;
    if (cancelled > 0) {
      const behind = Math.max(0, place.total - ahead);
      const part = share(ahead, behind) * cancelled;
      // What is believed of those behind and is more than they had was ahead.
      place.ahead = Math.max(0, ahead - (cancelled - part) + Math.min(0, behind - part));
    }
  }
  place.ahead = Math.min(place.ahead, total);
  place.total = total;
  place.traded = 0;
}
