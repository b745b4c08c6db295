// The bar-fill rule: which resting order a bar reaches, how soon, and at what price. Pure.
import type { MarketEvent } from '../../domain/event.ts';
import type { OrderIntent } from '../../domain/order.ts';

type Bar = Readonly<Pick<MarketEvent, 'open' | 'high' | 'low' | 'close'>>;

/** Against us: it triggers as the market moves away from what we want. Of a bar these come first. */
export function isStop(type: OrderIntent['type']): boolean {
  return type === 'stop' || type === 'trailing';
}

/** A stop, or a trailing one, triggers at a touch of its level; a take-profit too, from the other side. */
export function isTriggered({ type, side }: OrderIntent, level: number, { high, low }: Bar): boolean {
  return (side === 'sell') === isStop(type) ? low <= level : high >= level;
}

/**
 * A limit fills when the market goes beyond it: by any price, or by `through` more, or touches it where `isTouch`. Where the bar opens on its
 * better side it fills at once.
 */
export function isReached(side: OrderIntent['side'], level: number, { open, high, low }: Bar, through: number, isTouch: boolean): boolean {
  if (side === 'sell') return open > level || (isTouch ? high >= level : high > level + through);
  return open < level || (isTouch ? low <= level : low < level - through);
}

/** What the market gave when the trigger was reached: the level, or the open that was beyond it. */
export function triggeredPrice({ type, side }: OrderIntent, level: number, { open }: Bar): number {
  return (side === 'sell') === isStop(type) ? Math.min(open, level) : Math.max(open, level);
}

/**
 * Where a trailing stop stands after a bar: behind its best price. Of the bar in which it came to rest only the close is known to be after it.
 * Not on the tick, and never further away than it was.
 */
export function trailedLevel(side: OrderIntent['side'], level: number, trailBy: number, bar: Bar, isWholeBar: boolean): number {
  if (side === 'sell') return Math.max(level, (isWholeBar ? bar.high : bar.close) - trailBy);
  return Math.min(level, (isWholeBar ? bar.low : bar.close) + trailBy);
}
