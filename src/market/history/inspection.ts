// What is wrong with stored bars: holes, bars without trade, bars that cannot be right, two coins under one symbol. It changes nothing.
import type { BarColumns } from '../../domain/bars.ts';
import { DAY_MS, type TimeMs } from '../../domain/time.ts';
import { counted } from '../../domain/words.ts';
import { breakFault, EXCURSION_RATIO, shapeFault, SPIKE_RATIO, spikeFault, type BarValues } from '../quality.ts';

export type FindingKind =
  /** Bars are missing between two that are there. */
  | 'hole'
  /** Nothing was traded for a while: open, high, low and close are one price, and the volume is zero. */
  | 'flat'
  /** Numbers that are no prices, or a low above its high. */
  | 'malformed'
  /** Far away from both neighbours: the data's fault and not the market's. */
  | 'spike'
  /** Two neighbours without a hole between them that do not touch. */
  | 'break'
  /** After days without bars the price is another altogether: perhaps another coin under the same symbol. */
  | 'another-coin'
  /** A bar that does not open after the one before it. */
  | 'disorder';

export interface Finding {
  readonly kind: FindingKind;
  /** Open time of the first bar concerned; of a hole, of the first bar that is missing. */
  readonly fromMs: TimeMs;
  /** How many bars, one after the other: missing ones for a hole. */
  readonly bars: number;
  readonly words: string;
}

export interface Inspection {
  readonly rows: number;
  readonly holes: number;
  readonly missingBars: number;
  /** Bars with a volume of zero, flat or not. */
  readonly zeroVolumeBars: number;
  readonly flatBars: number;
  readonly malformedBars: number;
  readonly spikes: number;
  readonly breaks: number;
  /** Bars that do not open after the one before: said twice, or out of order. */
  readonly disorderedBars: number;
  /** More than one when the symbol seems to have been given to another coin. */
  readonly coins: number;
  /** Sound bars over all that should be there, in 0..1; 0 when two coins stand under one symbol, which no share of bars excuses. */
  readonly qualityRatio: number;
  /** In order of time; neighbours of a kind are one. */
  readonly findings: readonly Finding[];
}

/** So long without a bar that a symbol may have been given to another coin; outages of venues are hours. */
const RELISTING_MS = 3 * DAY_MS;

interface OpenedBar extends BarValues {
  readonly openAt: TimeMs;
}

interface Run {
  kind: FindingKind;
  fromMs: TimeMs;
  bars: number;
  words: string;
}

/** What is wrong, in a line: `27 holes with 123 bars missing, 16 bars without a trade`; empty when nothing is. */
export function flawsInWords(inspection: Inspection): string {
  const { holes, missingBars, flatBars, malformedBars, spikes, breaks, disorderedBars, coins } = inspection;
  const counts: readonly (readonly [number, string])[] = [
    [coins - 1, `${coins} coins under one symbol`],
    [disorderedBars, `${counted(disorderedBars, 'bar')} out of order`],
    [malformedBars, counted(malformedBars, 'malformed bar')],
    [spikes, counted(spikes, 'spike')],
    [breaks, `${counted(breaks, 'break')} between neighbours`],
    [holes, `${counted(holes, 'hole')} with ${counted(missingBars, 'bar')} missing`],
    [flatBars, `${counted(flatBars, 'bar')} without a trade`],
  ];
  return counts.flatMap(([count, words]) => (count > 0 ? [words] : [])).join(', ');
}

function barAt({ openAt, open, high, low, close, volume }: BarColumns, row: number): OpenedBar {
  return {
    openAt: openAt[row] ?? NaN,
    open: open[row] ?? NaN,
    high: high[row] ?? NaN,
    low: low[row] ?? NaN,
    close: close[row] ?? NaN,
    volume: volume[row] ?? NaN,
  };
}

/** Takes a series chunk by chunk, oldest first, and keeps one bar of it. */
export class Inspector {
  readonly #timeframeMs: TimeMs;
  readonly #findings: Run[] = [];
  #rows = 0;
  #holes = 0;
  #missing = 0;
  #zeroVolume = 0;
  #flat = 0;
  #malformed = 0;
  #spikes = 0;
  #breaks = 0;
  #disordered = 0;
  #coins = 1;
  /** The bar whose neighbours are not both known yet, and the close before it where there is a sound one without a hole between. */
  #waiting: OpenedBar | undefined;
  #before: number | undefined;
  #isAfterSpike = false;
  /** Counted once, however many faults a bar has. */
  #unsound = 0;
  #lastUnsoundAt: TimeMs = NaN;

  constructor(timeframeMs: TimeMs) {
    this.#timeframeMs = timeframeMs;
  }

  add(bars: BarColumns): void {
    const rows = bars.openAt.length;
    for (let row = 0; row < rows;) {
      this.#take(barAt(bars, row));
      row++;
      const end = this.#endOfQuiet(bars, row);
      if (end === row) continue;
      // Nothing is to be said of the bar that waits nor of those up to the last of these, which waits in its place.
      this.#rows += end - row;
      this.#isAfterSpike = false;
      this.#waiting = barAt(bars, end - 1);
      this.#before = bars.close[end - 2] ?? NaN;
      row = end;
    }
  }

  /**
   * Nearly all bars follow the one before them, are traded, sound and near it. The first row from `from` on that does not, where the one
   * before `from` does: looked at in columns, which takes a fifth of judging bar by bar.
   */
  #endOfQuiet({ openAt, open, high, low, close, volume }: BarColumns, from: number): number {
    if (from < 2) return from;
    const timeframeMs = this.#timeframeMs;
    for (let row = from - 1; row < openAt.length; row++) {
      const before = close[row - 1] ?? NaN;
      const first = open[row] ?? NaN;
      const top = high[row] ?? NaN;
      const bottom = low[row] ?? NaN;
      const last = close[row] ?? NaN;
      const traded = volume[row] ?? NaN;
      const isQuiet =
        (openAt[row] ?? NaN) - (openAt[row - 1] ?? NaN) === timeframeMs &&
        traded > 0 &&
        traded < Infinity &&
        bottom > 0 &&
        bottom <= first &&
        bottom <= last &&
        first <= top &&
        last <= top &&
        top < Infinity &&
        // Then neither a spike, whatever comes after it, nor a break.
        top <= before * SPIKE_RATIO &&
        bottom * SPIKE_RATIO >= before &&
        first <= before * EXCURSION_RATIO &&
        first * EXCURSION_RATIO >= before;
      if (!isQuiet) return Math.max(from, row);
    }
    return openAt.length;
  }

  #take(bar: OpenedBar): void {
    this.#rows++;
    const last = this.#waiting;
    let before: number | undefined;
    if (last !== undefined) {
      let after: number | undefined;
      const missing = Math.round((bar.openAt - last.openAt) / this.#timeframeMs) - 1;
      if (bar.openAt <= last.openAt) {
        this.#disordered++;
        this.#find('disorder', bar.openAt, 1, 'does not open after the bar before it');
        this.#countUnsound(bar.openAt);
      } else if (missing > 0) {
        this.#holes++;
        this.#missing += missing;
        this.#findings.push({
          kind: 'hole',
          fromMs: last.openAt + this.#timeframeMs,
          bars: missing,
          words: `${counted(missing, 'bar')} missing`,
        });
        const jump = breakFault(bar.open, last.close);
        if (jump !== undefined && missing * this.#timeframeMs >= RELISTING_MS) {
          this.#coins++;
          this.#find('another-coin', bar.openAt, 1, `found ${jump.found} and the hole, expected the same coin to go on near it`);
        }
      } else {
        after = bar.open;
        before = shapeFault(last) === undefined ? last.close : undefined;
      }
      this.#judge(last, after);
    }
    this.#waiting = bar;
    this.#before = before;
  }

  /** With both neighbours known, or known not to be there. */
  #judge(bar: OpenedBar, after: number | undefined): void {
    const followsSpike = this.#isAfterSpike;
    this.#isAfterSpike = false;
    if (bar.volume === 0) this.#zeroVolume++;
    const shape = shapeFault(bar);
    if (shape !== undefined) {
      this.#malformed++;
      this.#find('malformed', bar.openAt, 1, `found ${shape.found}, expected ${shape.expected}`);
      this.#countUnsound(bar.openAt);
      return;
    }
    if (bar.volume === 0 && bar.open === bar.close && bar.high === bar.low) {
      this.#flat++;
      this.#find('flat', bar.openAt, 1, `no trade at ${bar.close}`);
      this.#countUnsound(bar.openAt);
    }
    if (this.#before === undefined) return;
    const spike = after === undefined ? undefined : spikeFault(bar, this.#before, after);
    if (spike !== undefined) {
      this.#spikes++;
      this.#isAfterSpike = true;
      this.#find('spike', bar.openAt, 1, `found ${spike.found}, expected ${spike.expected}`);
      this.#countUnsound(bar.openAt);
      return;
    }
    // What two bars disagree about is a fault of neither alone; the way back from a spike is no fault at all.
    const jump = followsSpike ? undefined : breakFault(bar.open, this.#before);
    if (jump === undefined) return;
    this.#breaks++;
    this.#find('break', bar.openAt, 1, `found ${jump.found}, expected ${jump.expected}`);
  }

  #countUnsound(at: TimeMs): void {
    if (this.#lastUnsoundAt !== at) this.#unsound++;
    this.#lastUnsoundAt = at;
  }

  #find(kind: FindingKind, fromMs: TimeMs, bars: number, words: string): void {
    const last = this.#findings.at(-1);
    if (kind !== 'hole' && last?.kind === kind && fromMs === last.fromMs + last.bars * this.#timeframeMs) last.bars += bars;
    else this.#findings.push({ kind, fromMs, bars, words });
  }

  /** Call once, after the last chunk. */
  result(): Inspection {
    if (this.#waiting !== undefined) this.#judge(this.#waiting, undefined);
    const expected = this.#rows + this.#missing;
    return {
      rows: this.#rows,
      holes: this.#holes,
      missingBars: this.#missing,
      zeroVolumeBars: this.#zeroVolume,
      flatBars: this.#flat,
      malformedBars: this.#malformed,
      spikes: this.#spikes,
      breaks: this.#breaks,
      disorderedBars: this.#disordered,
      coins: this.#coins,
      qualityRatio: this.#coins > 1 || expected === 0 ? 0 : (this.#rows - this.#unsound) / expected,
      findings: this.#findings.toSorted((one, other) => one.fromMs - other.fromMs),
    };
  }
}
