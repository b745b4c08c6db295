// Features are declared as specs and lived as indicators: one implementation for live and for columns.
import type { Stateful } from './bytes.ts';

/** The bar that an indicator is fed. Reused: copy what you keep. */
export interface BarView {
  /** When the bar closed: the earliest time at which it may be known. */
  readonly at: number;
  readonly open: number;
  readonly high: number;
  readonly low: number;
  readonly close: number;
  readonly volume: number;
}

/** Incremental, O(1) a bar. `value` is NaN until `warmup` bars were seen. */
export interface Indicator extends Stateful {
  readonly value: number;
  /** How many bars until the first value that is not NaN. */
  readonly warmup: number;
  update(bar: BarView): void;
}

/** A declared feature: which indicator, on which leg and timeframe of the subject. */
export interface FeatureSpec<I extends Indicator = Indicator> {
  /** Unique text of kind and parameters, such as `ema(12)`: equal keys on one series share one indicator. */
  readonly key: string;
  readonly warmup: number;
  create(): I;
  /** Leg of the sleeve's subject; 0 unless said. */
  readonly leg?: number;
  /** A multiple of the strategy's own timeframe; the higher bar exists only once it is closed. */
  readonly timeframeMs?: number;
}

/**
 * What lives on all legs of a subject together, such as a hedge ratio. Incremental; `value` is NaN until `warmup` bars were seen that every
 * leg had: a close that one leg lacks is no bar for it.
 */
export interface JointIndicator extends Stateful {
  readonly value: number;
  readonly warmup: number;
  /** The bars of one close, in the order of the subject's legs. Reused: copy what you keep. */
  update(bars: readonly BarView[]): void;
}

/** A declared feature of all legs together. */
export interface JointFeatureSpec<I extends JointIndicator = JointIndicator> {
  /** Equal keys on the same legs and timeframe share one indicator. */
  readonly key: string;
  readonly isJoint: true;
  readonly warmup: number;
  create(): I;
  /** A multiple of the strategy's own timeframe; the higher bar exists only once it is closed. */
  readonly timeframeMs?: number;
}

export type FeatureSpecs = Readonly<Record<string, FeatureSpec | JointFeatureSpec>>;
/** What a strategy reads: the living indicators under the names it declared. */
export type Features<Specs extends FeatureSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends { create(): infer I } ? Readonly<I> : never;
};

export function isJoint(spec: FeatureSpec | JointFeatureSpec): spec is JointFeatureSpec {
  return 'isJoint' in spec;
}
