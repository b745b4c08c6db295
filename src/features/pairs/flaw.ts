// Why nothing can be said of prices together: numbers, because a feature shows numbers, and their words.
import { standardDeviation } from '../../quant/statistics.ts';

export const FLAW = { none: 0, unknown: 1, still: 2, copy: 3, singular: 4, cold: 5 } as const;
export type Flaw = (typeof FLAW)[keyof typeof FLAW];

const WORDS: Readonly<Record<number, string>> = {
  [FLAW.unknown]: 'the close of a leg is no price',
  [FLAW.still]: 'the price of a leg does not move: there is nothing to relate',
  [FLAW.copy]: 'one leg is a copy of the others: there is no spread between them',
  [FLAW.singular]: 'the formation has no solution: its prices are singular',
  [FLAW.cold]: 'the formation is not complete yet',
};

/** Undefined of none. */
export function flawWords(flaw: number): string | undefined {
  return flaw === FLAW.none ? undefined : (WORDS[flaw] ?? 'the spread is not known');
}

/** Rounding, as a part of what it rounds. */
const ROUNDING = 1e-10;

/** Of logarithms: one does not move, beyond their rounding. */
export function isStill(logs: ArrayLike<number>): boolean {
  return !(standardDeviation(logs) >= ROUNDING);
}

/** What a relation leaves is rounding beside what it explains. */
export function isCopy(residuals: ArrayLike<number>, explained: ArrayLike<number>): boolean {
  return standardDeviation(residuals) < ROUNDING * standardDeviation(explained);
}
