// Who lives on books, and what is said where there are none.
import { BallastError } from '../domain/errors.ts';
import { isOnBooks } from '../domain/feature.ts';
import type { RunPlan } from '../engine/plan.ts';

/** Instruments on whose books a mind lives. */
export function instrumentsOnBooks(plan: RunPlan): ReadonlySet<number> {
  const seen = plan.minds.flatMap(({ sleeve, forecaster: { features } }) =>
    Object.values(features).flatMap((spec) => {
      const instrument = isOnBooks(spec) ? plan.sleeves[sleeve]?.instruments[spec.leg ?? 0] : undefined;
      return instrument === undefined ? [] : [instrument];
    }),
  );
  return new Set(seen);
}

/** @param found what the run has instead @throws BallastError BOOKS_MISSING where a strategy lives on books */
export function mustNeedNoBooks(plan: RunPlan, found: string, remedy: string): void {
  const mind = plan.minds.find(({ forecaster: { features } }) => Object.values(features).some(isOnBooks));
  if (mind === undefined) return;
  throw new BallastError({
    code: 'BOOKS_MISSING',
    place: `strategy ${mind.name}`,
    found,
    expected: 'one on books: it lives on them',
    remedy,
    exitCode: 2,
  });
}
