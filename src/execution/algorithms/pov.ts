// Percentage of volume: as fast as the market trades, by a fixed part of it.
import { quantityFrom, smaller, type Quantity } from '../../domain/decimal.ts';

/**
 * What is let go once `volume` was traded: at most what is left. The part is of what others trade; of all that is traded with ours it is
 * ratio / (1 + ratio).
 */
export function followedQuantity(left: Quantity, volume: number, participationRatio: number, lot: Quantity): Quantity {
  return smaller(left, quantityFrom(volume * participationRatio, lot, 'toward-zero'));
}
