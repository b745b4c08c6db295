// A strategy that learns of each bar one bar late: what is left of an edge that lives by being first, or by seeing what it should not.
import { isJoint, isOnBars, type AnyFeatureSpec, type BarView } from '../../domain/feature.ts';
import { abstain } from '../../domain/opinion.ts';
import type { Evidence, Forecaster } from '../../domain/strategy.ts';

/**
 * Its bars and features are those of so many bars before, each on its own timeframe; what it knows of its own sleeve is of now, so that it
 * never acts on a position that it does not have. Decisions, fills and stops are as ever. Not to be resumed: what waits is not state of the run.
 */
export function lagged(forecaster: Forecaster, lagBars: number): Forecaster {
  const waiting: (readonly BarView[])[] = [];
  const late = (evidence: Evidence): Evidence | undefined => {
    if (waiting.at(-1)?.[0]?.at !== evidence.bars[0]?.at) waiting.push(evidence.bars.map(copyOf));
    if (waiting.length > lagBars + 1) waiting.shift();
    const [bars] = waiting;
    return bars === undefined || waiting.length <= lagBars ? undefined : { ...evidence, bars };
  };
  return {
    name: forecaster.name,
    legs: forecaster.legs,
    features: Object.fromEntries(Object.entries(forecaster.features).map(([name, spec]) => [name, laggedSpec(spec, lagBars)])),
    opine(evidence) {
      const seen = late(evidence);
      return seen === undefined ? abstain('the bars are still on their way') : forecaster.opine(seen);
    },
    explain(evidence) {
      const seen = late(evidence);
      return seen === undefined ? { because: 'the bars are still on their way', numbers: {} } : forecaster.explain(seen);
    },
  };
}

function laggedSpec(spec: AnyFeatureSpec, lagBars: number): AnyFeatureSpec {
  // Books and rates do not wait for a bar: they are as early as ever.
  if (!isOnBars(spec)) return spec;
  const late = { key: `${spec.key} ${lagBars} late`, warmup: spec.warmup + lagBars };
  return isJoint(spec)
    ? { ...spec, ...late, create: () => fedLate(spec.create(), lagBars, (bars: readonly BarView[]) => bars.map(copyOf)) }
    : { ...spec, ...late, create: () => fedLate(spec.create(), lagBars, copyOf) };
}

/** The indicator itself, with all that it can be asked, whose bars wait. */
function fedLate<Fed, I extends { update(fed: Fed): void }>(indicator: I, lagBars: number, copy: (fed: Fed) => Fed): I {
  const update = indicator.update.bind(indicator);
  const waiting: Fed[] = [];
  // Nothing else of it: an indicator may count by its own `warmup`.
  return Object.defineProperty(indicator, 'update', {
    value(fed: Fed): void {
      waiting.push(copy(fed));
      const due = waiting.length > lagBars ? waiting.shift() : undefined;
      if (due !== undefined) update(due);
    },
  });
}

function copyOf({ at, open, high, low, close, volume }: BarView): BarView {
  return { at, open, high, low, close, volume };
}
