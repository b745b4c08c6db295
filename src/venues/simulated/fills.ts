// The bar-fill rule: which resting order a bar reaches, how soon, and at what price. Pure.
import type { MarketEvent } from '../../domain/event.ts';
import type { OrderIntent } from '../../domain/order.ts';

type Bar = Readonly<Pick<MarketEvent, 'open' | 'high' | 'low' | 'close'>>;

/** How a bar comes to an order. Numbers, because it is asked of every resting order with every bar. */
export type Reach = 0 | 1 | 2 | 3 | 4 | 5;
/** Stops, which come first in a bar: one that sells as the market falls, one that buys as it rises. Both at a touch. */
const STOP_BELOW = 0;
const STOP_ABOVE = 1;
/** Take-profits, at a touch too. */
const TARGET_BELOW = 2;
const TARGET_ABOVE = 3;
/** A buy limit and a sell limit. */
const LIMIT_BELOW = 4;
const LIMIT_ABOVE = 5;

/** Market orders have none that is ever asked. */
export function reachOf({ type, side }: OrderIntent): Reach {
  const sells = side === 'sell';
  if (type === 'stop' || type === 'trailing') return sells ? STOP_BELOW : STOP_ABOVE;
  if (type === 'take-profit') return sells ? TARGET_ABOVE : TARGET_BELOW;
  return sells ? LIMIT_ABOVE : LIMIT_BELOW;
}

export function isStop(reach: Reach): boolean {
  return reach <= STOP_ABOVE;
}

/** The market falls to its level; every other is one that the market rises to. Beyond its level a bar never comes to it. */
export function reachesFromAbove(reach: Reach): boolean {
  return reach === STOP_BELOW || reach === TARGET_BELOW || reach === LIMIT_BELOW;
}

/**
 * The bar comes to the order. A limit fills when the market goes beyond it: by any price, or by `through` more, or touches it where `isTouch`;
 * where the bar opens on its better side it fills at once.
 */
export function isReached(reach: Reach, level: number, bar: Bar, through: number, isTouch: boolean): boolean {
  switch (reach) {
    case STOP_BELOW:
    case TARGET_BELOW:
      return bar.low <= level;
    case STOP_ABOVE:
    case TARGET_ABOVE:
      return bar.high >= level;
    case LIMIT_BELOW:
      return bar.open < level || (isTouch ? bar.low <= level : bar.low < level - through);
    case LIMIT_ABOVE:
      return bar.open > level || (isTouch ? bar.high >= level : bar.high > level + through);
  }
}

/** What the market gave when the trigger was reached: the level, or the open that was beyond it. */
export function triggeredPrice(reach: Reach, level: number, { open }: Bar): number {
  return reach === STOP_BELOW || reach === TARGET_BELOW ? Math.min(open, level) : Math.max(open, level);
}

/**
 * Where a trailing stop stands after a bar: behind its best price. Of the bar in which it came to rest only the close is known to be after it.
 * Not on the tick, and never further away than it was.
 */
export function trailedLevel(side: OrderIntent['side'], level: number, trailBy: number, bar: Bar, isWholeBar: boolean): number {
  if (side === 'sell') return Math.max(level, (isWholeBar ? bar.high : bar.close) - trailBy);
  return Math.min(level, (isWholeBar ? bar.low : bar.close) + trailBy);
}
