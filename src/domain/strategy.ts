// The plug of a strategy: one file, one parameter schema, declared features, a pure opinion.
import type { BarView, FeatureSpecs, Features } from './feature.ts';
import type { Opinion, Reasons } from './opinion.ts';
import type { TimeMs } from './time.ts';

/** The part of zod that the domain needs to know of a parameter schema. */
export interface ParameterSchema<Parameters> {
  parse(value: unknown): Parameters;
}

/** What a strategy may know of its own sleeve. */
export interface OwnSleeve {
  /** Sign of the held position: -1, 0 or 1. */
  readonly side: -1 | 0 | 1;
  /** The frozen stance behind the position. */
  readonly stance: number;
  /** Average entry price of the first leg that is held; NaN when flat. */
  readonly entryPrice: number;
  readonly heldSince: TimeMs;
}

/** All that an opinion may depend on. Reused: copy what you keep. */
export interface Evidence<Specs extends FeatureSpecs = FeatureSpecs> {
  readonly at: TimeMs;
  /** The last closed bar of each leg, on the strategy's timeframe. */
  readonly bars: readonly BarView[];
  readonly features: Features<Specs>;
  readonly sleeve: OwnSleeve;
}

/**
 * A strategy is a pure function of its evidence: state lives in declared features, so that it is saved, restored and hashed.
 * The engine keeps it silent until every declared feature is warm.
 */
export interface Strategy<Parameters = never, Specs extends FeatureSpecs = FeatureSpecs> {
  readonly name: string;
  /** One line for `ballast strategies`. */
  readonly about: string;
  /** How many legs its subject has: 1, 2 for a pair, or a range of them for a basket. */
  readonly legs: number | LegRange;
  /** What it is asked at: the closes of its bars unless said, or every change of its books as well. */
  readonly cadence?: 'books';
  readonly parameters: ParameterSchema<Parameters>;
  features(parameters: Parameters, legs: number): Specs;
  opine(evidence: Evidence<Specs>, parameters: Parameters): Opinion;
  explain(evidence: Evidence<Specs>, parameters: Parameters): Reasons;
}

export interface LegRange {
  readonly least: number;
  readonly most: number;
}

export function legRange({ legs }: Pick<Strategy, 'legs'>): LegRange {
  return typeof legs === 'number' ? { least: legs, most: legs } : legs;
}

/** A strategy with its parameters bound, for subjects of so many legs: what the engine asks. */
export interface Forecaster {
  readonly name: string;
  readonly legs: number;
  readonly cadence?: 'books';
  readonly features: FeatureSpecs;
  opine(evidence: Evidence): Opinion;
  explain(evidence: Evidence): Reasons;
}

/** Binds parameters once they are parsed, for the least number of legs unless said. */
export function forecaster<Parameters, Specs extends FeatureSpecs>(
  strategy: Strategy<Parameters, Specs>,
  parameters: Parameters,
  legs: number = legRange(strategy).least,
): Forecaster {
  return {
    name: strategy.name,
    legs,
    ...(strategy.cadence !== undefined && { cadence: strategy.cadence }),
    features: strategy.features(parameters, legs),
    // The engine built the features from this strategy's own specs, so the evidence has their shape.
    opine: (evidence) => strategy.opine(evidence as unknown as Evidence<Specs>, parameters),
    explain: (evidence) => strategy.explain(evidence as unknown as Evidence<Specs>, parameters),
  };
}

/** Lets the compiler infer the types of parameters and features. */
export function defineStrategy<Parameters, const Specs extends FeatureSpecs>(
  strategy: Strategy<Parameters, Specs>,
): Strategy<Parameters, Specs> {
  return strategy;
}
