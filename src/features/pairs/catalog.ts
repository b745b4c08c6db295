// What strategies on several legs declare: joint features, by their settings. The catalog of one leg is beside, in ../catalog.ts.
import type { JointFeatureSpec } from '../../domain/feature.ts';
import { BasketSpread, type BasketSettings } from './basket-spread.ts';
import { CopulaPair, type CopulaPairSettings } from './copula-pair.ts';
import { DistanceSpread, type DistanceSettings } from './distance-spread.ts';
import { PairSpread, type PairSettings } from './pair-spread.ts';
import { warmupOf } from './formed-spread.ts';

export { flawWords } from './flaw.ts';

/** A pair's spread as a strategy declares it. */
export function pairSpread(settings: PairSettings): JointFeatureSpec<PairSpread> {
  return {
    key: `pairSpread(${JSON.stringify(settings)})`,
    isJoint: true,
    warmup: warmupOf(settings.formation, settings.every),
    create: () => new PairSpread(settings),
  };
}

/** A basket's spread as a strategy declares it. */
export function basketSpread(settings: BasketSettings): JointFeatureSpec<BasketSpread> {
  return {
    key: `basketSpread(${JSON.stringify(settings)})`,
    isJoint: true,
    warmup: warmupOf(settings.formation, settings.every),
    create: () => new BasketSpread(settings),
  };
}

/** The nearest pair's spread as a strategy declares it. */
export function distanceSpread(settings: DistanceSettings): JointFeatureSpec<DistanceSpread> {
  return {
    key: `distanceSpread(${JSON.stringify(settings)})`,
    isJoint: true,
    warmup: warmupOf(settings.formation, settings.trading),
    create: () => new DistanceSpread(settings),
  };
}

/** The week's pair as a strategy declares it. */
export function copulaPair(settings: CopulaPairSettings): JointFeatureSpec<CopulaPair> {
  return {
    key: `copulaPair(${JSON.stringify(settings)})`,
    isJoint: true,
    warmup: warmupOf(settings.formation, settings.trading),
    create: () => new CopulaPair(settings),
  };
}
