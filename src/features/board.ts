// The board keeps the latest of everything: bars by timeframe, indicators fed once each, and who is due.
// A higher bar exists only once it is closed.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { assert } from '../domain/errors.ts';
import type { BookEvent, FundingAnnounced, MarketEvent } from '../domain/event.ts';
import {
  isJoint,
  isOnBooks,
  isOnFunding,
  timeframeOf,
  type AnyFeatureSpec,
  type AnyIndicator,
  type BarView,
  type EventIndicator,
  type FeatureSpec,
  type Indicator,
  type JointFeatureSpec,
  type JointIndicator,
} from '../domain/feature.ts';
import type { TimeMs } from '../domain/time.ts';

interface OpenBar {
  at: TimeMs;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

const emptyBar = (): OpenBar => ({ at: NaN, open: NaN, high: NaN, low: NaN, close: NaN, volume: NaN });

/** One instrument on one timeframe, with the indicators that live on it. */
export class Series implements Stateful {
  readonly instrument: number;
  readonly timeframeMs: TimeMs;
  readonly #baseMs: TimeMs;
  readonly #forming: OpenBar = emptyBar();
  /** When the forming bar closes; NaN when none is forming. */
  #formingEnd: TimeMs = NaN;
  readonly #indicators: Indicator[] = [];
  readonly #keys = new Map<string, Indicator>();
  /** Those of which this is a leg. */
  readonly #joints: JointSeries[] = [];
  /** The last closed bar. Reused: copy what you keep. */
  readonly bar: OpenBar = emptyBar();
  /** Bars closed so far, the warm-up included. */
  closed = 0;

  constructor(instrument: number, timeframeMs: TimeMs, baseMs: TimeMs) {
    this.instrument = instrument;
    this.timeframeMs = timeframeMs;
    this.#baseMs = baseMs;
  }

  /** The indicator of this spec, created at its first use and shared after. */
  indicator(spec: FeatureSpec): Indicator {
    const known = this.#keys.get(spec.key);
    if (known !== undefined) return known;
    const made = spec.create();
    this.#keys.set(spec.key, made);
    this.#indicators.push(made);
    return made;
  }

  join(joint: JointSeries): void {
    this.#joints.push(joint);
  }

  /** Takes a bar of the base timeframe. True when a bar of this timeframe has closed with it. */
  push(event: MarketEvent): boolean {
    if (this.timeframeMs === this.#baseMs) {
      const bar = this.bar;
      bar.at = event.happenedAt;
      bar.open = event.open;
      bar.high = event.high;
      bar.low = event.low;
      bar.close = event.close;
      bar.volume = event.volume;
      this.#close();
      return true;
    }
    let closedLate = false;
    const openAt = event.happenedAt - this.#baseMs;
    // Base bars were missing: what was forming closed without us, and is known only now.
    if (openAt >= this.#formingEnd) {
      this.#closeForming();
      closedLate = true;
    }
    const forming = this.#forming;
    if (Number.isNaN(this.#formingEnd)) {
      this.#formingEnd = (Math.floor(openAt / this.timeframeMs) + 1) * this.timeframeMs;
      forming.open = event.open;
      forming.high = event.high;
      forming.low = event.low;
      forming.volume = event.volume;
    } else {
      if (event.high > forming.high) forming.high = event.high;
      if (event.low < forming.low) forming.low = event.low;
      forming.volume += event.volume;
    }
    forming.close = event.close;
    if (event.happenedAt < this.#formingEnd) return closedLate;
    this.#closeForming();
    return true;
  }

  #closeForming(): void {
    const { bar } = this;
    const forming = this.#forming;
    bar.at = this.#formingEnd;
    bar.open = forming.open;
    bar.high = forming.high;
    bar.low = forming.low;
    bar.close = forming.close;
    bar.volume = forming.volume;
    this.#formingEnd = NaN;
    this.#close();
  }

  #close(): void {
    this.closed++;
    const indicators = this.#indicators;
    for (let index = 0; index < indicators.length; index++) indicators[index]?.update(this.bar);
    for (let index = 0; index < this.#joints.length; index++) this.#joints[index]?.legClosed(this.bar.at);
  }

  save(out: ByteWriter): void {
    out.number(this.#formingEnd);
    for (const bar of [this.#forming, this.bar]) {
      for (const value of [bar.at, bar.open, bar.high, bar.low, bar.close, bar.volume]) out.number(value);
    }
    out.count(this.closed);
    for (const indicator of this.#indicators) indicator.save(out);
  }

  restore(from: ByteReader): void {
    this.#formingEnd = from.number();
    for (const bar of [this.#forming, this.bar]) {
      bar.at = from.number();
      bar.open = from.number();
      bar.high = from.number();
      bar.low = from.number();
      bar.close = from.number();
      bar.volume = from.number();
    }
    this.closed = from.count();
    for (const indicator of this.#indicators) indicator.restore(from);
  }
}

/** Several instruments on one timeframe, with the indicators that live on all of them: a bar of it is a close that every leg has. */
export class JointSeries implements Stateful {
  readonly legs: readonly Series[];
  readonly #bars: readonly BarView[];
  readonly #indicators: JointIndicator[] = [];
  readonly #keys = new Map<string, JointIndicator>();
  #at: TimeMs = NaN;
  /** Bars that all legs had, the warm-up included. */
  closed = 0;

  constructor(legs: readonly Series[]) {
    this.legs = legs;
    this.#bars = legs.map(({ bar }) => bar);
    for (const leg of legs) leg.join(this);
  }

  /** The indicator of this spec, created at its first use and shared after. */
  indicator(spec: JointFeatureSpec): JointIndicator {
    const known = this.#keys.get(spec.key);
    if (known !== undefined) return known;
    const made = spec.create();
    this.#keys.set(spec.key, made);
    this.#indicators.push(made);
    return made;
  }

  legClosed(at: TimeMs): void {
    for (let leg = 0; leg < this.#bars.length; leg++) if (this.#bars[leg]?.at !== at) return;
    if (this.#at === at) return;
    this.#at = at;
    this.closed++;
    for (let index = 0; index < this.#indicators.length; index++) this.#indicators[index]?.update(this.#bars);
  }

  save(out: ByteWriter): void {
    out.number(this.#at);
    out.count(this.closed);
    for (const indicator of this.#indicators) indicator.save(out);
  }

  restore(from: ByteReader): void {
    this.#at = from.number();
    this.closed = from.count();
    for (const indicator of this.#indicators) indicator.restore(from);
  }
}

/** What one instrument says beside its bars, with the indicators that live on it. */
export class EventSeries<E> implements Stateful {
  readonly #indicators: EventIndicator<E>[] = [];
  readonly #keys = new Map<string, EventIndicator<E>>();
  /** Events so far, those of the warm-up included. */
  closed = 0;

  /** The indicator of this spec, created at its first use and shared after. */
  indicator(spec: { readonly key: string; create(): EventIndicator<E> }): EventIndicator<E> {
    const known = this.#keys.get(spec.key);
    if (known !== undefined) return known;
    const made = spec.create();
    this.#keys.set(spec.key, made);
    this.#indicators.push(made);
    return made;
  }

  push(event: E): void {
    this.closed++;
    for (let index = 0; index < this.#indicators.length; index++) this.#indicators[index]?.update(event);
  }

  save(out: ByteWriter): void {
    out.count(this.closed);
    for (const indicator of this.#indicators) indicator.save(out);
  }

  restore(from: ByteReader): void {
    this.closed = from.count();
    for (const indicator of this.#indicators) indicator.restore(from);
  }
}

/** A feature that lives, and where: it is warm once that has closed often enough. */
export interface Living {
  readonly lives: { readonly closed: number };
  readonly indicator: AnyIndicator;
}

/** All series of a run. Series and indicators are declared before the first event. */
export class Board implements Stateful {
  readonly #baseMs: TimeMs;
  readonly #byInstrument: Series[][];
  readonly #all: Series[] = [];
  readonly #joints: JointSeries[] = [];
  /** By instrument, where a feature was declared on them. */
  readonly #books: (EventSeries<BookEvent> | undefined)[] = [];
  readonly #funding: (EventSeries<FundingAnnounced> | undefined)[] = [];

  constructor(instrumentCount: number, baseTimeframeMs: TimeMs) {
    this.#baseMs = baseTimeframeMs;
    this.#byInstrument = Array.from({ length: instrumentCount }, () => []);
  }

  series(instrument: number, timeframeMs: TimeMs): Series {
    const list = this.#byInstrument[instrument] ?? [];
    const known = list.find((each) => each.timeframeMs === timeframeMs);
    if (known !== undefined) return known;
    const made = new Series(instrument, timeframeMs, this.#baseMs);
    list.push(made);
    this.#all.push(made);
    return made;
  }

  /** The series of several instruments together, in the order of a subject's legs. */
  joint(instruments: readonly number[], timeframeMs: TimeMs): JointSeries {
    const legs = instruments.map((instrument) => this.series(instrument, timeframeMs));
    const known = this.#joints.find((each) => each.legs.length === legs.length && each.legs.every((leg, index) => leg === legs[index]));
    if (known !== undefined) return known;
    const made = new JointSeries(legs);
    this.#joints.push(made);
    return made;
  }

  /** Brings a declared feature of a subject to life: the indicator, and what has to be seen before it is warm. */
  feature(spec: AnyFeatureSpec, subject: readonly number[], ownTimeframeMs: TimeMs): Living {
    const timeframeMs = timeframeOf(spec, ownTimeframeMs);
    if (isJoint(spec)) {
      const joint = this.joint(subject, timeframeMs);
      return { lives: joint, indicator: joint.indicator(spec) };
    }
    const instrument = subject[spec.leg ?? 0];
    assert(instrument !== undefined, 'a feature is on a leg of its subject');
    if (isOnBooks(spec)) {
      const books = (this.#books[instrument] ??= new EventSeries());
      return { lives: books, indicator: books.indicator(spec) };
    }
    if (isOnFunding(spec)) {
      const funding = (this.#funding[instrument] ??= new EventSeries());
      return { lives: funding, indicator: funding.indicator(spec) };
    }
    const series = this.series(instrument, timeframeMs);
    return { lives: series, indicator: series.indicator(spec) };
  }

  /** The books of an instrument, where a feature lives on them. */
  booksOf(instrument: number): EventSeries<BookEvent> | undefined {
    return this.#books[instrument];
  }

  fundingOf(instrument: number): EventSeries<FundingAnnounced> | undefined {
    return this.#funding[instrument];
  }

  ofInstrument(instrument: number): readonly Series[] {
    return this.#byInstrument[instrument] ?? [];
  }

  save(out: ByteWriter): void {
    for (const series of this.#all) series.save(out);
    for (const joint of this.#joints) joint.save(out);
    for (const events of [...this.#books, ...this.#funding]) events?.save(out);
  }

  restore(from: ByteReader): void {
    for (const series of this.#all) series.restore(from);
    for (const joint of this.#joints) joint.restore(from);
    for (const events of [...this.#books, ...this.#funding]) events?.restore(from);
  }
}

/** The longest run of base bars that any declared feature needs before it speaks. */
export function warmupBars(specs: readonly (readonly [Pick<FeatureSpec, 'warmup'>, TimeMs])[], baseTimeframeMs: TimeMs): number {
  let bars = 0;
  for (const [spec, timeframeMs] of specs) {
    // One more higher bar: the first one seen may have begun before the first base bar.
    const multiple = timeframeMs / baseTimeframeMs;
    bars = Math.max(bars, multiple === 1 ? spec.warmup : (spec.warmup + 1) * multiple);
  }
  return bars;
}
