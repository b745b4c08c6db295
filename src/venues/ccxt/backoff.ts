// How long to wait before the next attempt: longer each time, and never in step with anybody else.
import type { Random } from '../../quant/random.ts';
import { SECOND_MS } from '../../domain/time.ts';

export const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30 * SECOND_MS;
/** A pause is so much shorter or longer than its turn, by chance. */
const JITTER = 0.2;

/** Doubles from a quarter of a second to half a minute, give or take a fifth. @param attempt from 0 */
export function pauseAfter(attempt: number, random: Random): number {
  const plain = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(attempt, 20));
  return Math.round(plain * (1 - JITTER + 2 * JITTER * random.uniform()));
}
