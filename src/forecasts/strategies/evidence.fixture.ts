// Evidence made by hand: features that show what a test says, on one bar of each leg.
import type { BarView } from '../../domain/feature.ts';
import { forecaster, type Evidence, type Strategy } from '../../domain/strategy.ts';
import { HOUR_MS } from '../../domain/time.ts';

export interface Shown {
  /** By feature: its `value`, or several outputs by name. */
  readonly features: Readonly<Record<string, number | Readonly<Record<string, number>>>>;
  /** Of each leg; 100 unless said. */
  readonly closes?: readonly number[];
  /** When each leg's bar closed; all at one hour unless said. */
  readonly closedAt?: readonly number[];
  readonly side?: -1 | 0 | 1;
  readonly heldSince?: number;
}

/** What the strategy would see, were its features to show that. Features that are not named show what they show before the first bar. */
export function evidenceOf<Parameters>(strategy: Strategy<Parameters>, parameters: Parameters, shown: Shown): Evidence<never> {
  const bound = forecaster(strategy, parameters);
  const features = Object.fromEntries(
    Object.entries(bound.features).map(([name, spec]) => {
      const says = shown.features[name];
      const outputs = typeof says === 'number' ? { value: says } : (says ?? {});
      const indicator = spec.create();
      for (const [output, value] of Object.entries(outputs)) {
        Object.defineProperty(indicator, output, { value, configurable: true, enumerable: true });
      }
      return [name, indicator];
    }),
  );
  const bars = Array.from({ length: bound.legs }, (_, leg): BarView => {
    const close = shown.closes?.[leg] ?? 100;
    return { at: shown.closedAt?.[leg] ?? HOUR_MS, open: close, high: close, low: close, close, volume: 1 };
  });
  const side = shown.side ?? 0;
  const sleeve = { side, stance: side, entryPrice: side === 0 ? NaN : 100, heldSince: shown.heldSince ?? 0 };
  // The features are those of the strategy's own specs, which the type of a strategy in general does not name.
  return { at: HOUR_MS, bars, features, sleeve } as unknown as Evidence<never>;
}
