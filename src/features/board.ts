// The board keeps the latest of everything: bars by timeframe, indicators fed once each, and who is due.
// A higher bar exists only once it is closed.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import type { MarketEvent } from '../domain/event.ts';
import type { FeatureSpec, Indicator } from '../domain/feature.ts';
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

/** All series of a run. Series and indicators are declared before the first event. */
export class Board implements Stateful {
  readonly #baseMs: TimeMs;
  readonly #byInstrument: Series[][];
  readonly #all: Series[] = [];

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

  ofInstrument(instrument: number): readonly Series[] {
    return this.#byInstrument[instrument] ?? [];
  }

  save(out: ByteWriter): void {
    for (const series of this.#all) series.save(out);
  }

  restore(from: ByteReader): void {
    for (const series of this.#all) series.restore(from);
  }
}

/** The longest run of base bars that any declared feature needs before it speaks. */
export function warmupBars(specs: readonly (readonly [FeatureSpec, TimeMs])[], baseTimeframeMs: TimeMs): number {
  let bars = 0;
  for (const [spec, timeframeMs] of specs) {
    // One more higher bar: the first one seen may have begun before the first base bar.
    const multiple = timeframeMs / baseTimeframeMs;
    bars = Math.max(bars, multiple === 1 ? spec.warmup : (spec.warmup + 1) * multiple);
  }
  return bars;
}
