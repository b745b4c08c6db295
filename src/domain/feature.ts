// Features are declared as specs and lived as indicators: one implementation for live and for columns.
import type { Stateful } from './bytes.ts';
import type { BookEvent, FundingAnnounced } from './event.ts';

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

/** What lives on something other than bars: `value` is NaN until `warmup` events were seen. */
export interface EventIndicator<E> extends Stateful {
  readonly value: number;
  readonly warmup: number;
  /** Reused: copy what you keep. */
  update(event: E): void;
}

/** A declared feature of the books, or of the funding rates, of one leg. */
interface EventFeatureSpec<Input extends string, E, I extends EventIndicator<E>> {
  /** Equal keys on one instrument share one indicator. */
  readonly key: string;
  readonly input: Input;
  /** In events, not bars. */
  readonly warmup: number;
  create(): I;
  /** Leg of the sleeve's subject; 0 unless said. */
  readonly leg?: number;
}

export type BookIndicator = EventIndicator<BookEvent>;
export type FundingIndicator = EventIndicator<FundingAnnounced>;
export type BookFeatureSpec<I extends BookIndicator = BookIndicator> = EventFeatureSpec<'book', BookEvent, I>;
export type FundingFeatureSpec<I extends FundingIndicator = FundingIndicator> = EventFeatureSpec<'funding', FundingAnnounced, I>;
export type BarFeatureSpec = FeatureSpec | JointFeatureSpec;
export type AnyFeatureSpec = BarFeatureSpec | BookFeatureSpec | FundingFeatureSpec;
export type AnyIndicator = Indicator | JointIndicator | BookIndicator | FundingIndicator;

export type FeatureSpecs = Readonly<Record<string, AnyFeatureSpec>>;
/** What a strategy reads: the living indicators under the names it declared. */
export type Features<Specs extends FeatureSpecs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends { create(): infer I } ? Readonly<I> : never;
};

export function isJoint(spec: AnyFeatureSpec): spec is JointFeatureSpec {
  return 'isJoint' in spec;
}

export function isOnBooks(spec: AnyFeatureSpec): spec is BookFeatureSpec {
  return 'input' in spec && spec.input === 'book';
}

export function isOnFunding(spec: AnyFeatureSpec): spec is FundingFeatureSpec {
  return 'input' in spec && spec.input === 'funding';
}

/** On which bars it lives: its own, or those of who declares it. */
export function timeframeOf(spec: AnyFeatureSpec, own: number): number {
  return isOnBars(spec) ? (spec.timeframeMs ?? own) : own;
}

/** Fed by bars, of one leg or of all. */
export function isOnBars(spec: AnyFeatureSpec): spec is BarFeatureSpec {
  return !('input' in spec);
}
