// At which prices the volume of a window was traded.
import type { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BarView, Indicator } from '../../domain/feature.ts';
import { demandVolume, typicalPrice } from './price.ts';

/** What is called the value area: the part of the volume that lies closest around the point of control. */
const AREA_SHARE = 0.7;

/**
 * Volume by price over the last n bars. Prices are cut into rows of equal ratio, one grid for all time, and a bar's volume belongs to the
 * row of its typical price. `value` is the point of control, the middle of the row with the most volume (of equal ones the lowest; where
 * nothing was traded the newest bar's). `areaLow` and `areaHigh` are the edges of the value area: from the point of control up or down to
 * whichever next row has more (up if equal) until 0.7 of the volume is inside; rows in which no bar lies are passed over.
 *
 * A bar costs what it takes to shift the occupied rows, and asking costs a look at each of them: their number depends on how far the
 * market went, not on the window.
 */
export class VolumeProfile implements Indicator {
  readonly warmup: number;
  readonly #rowWidth: number = NaN;
  /** By slot of the ring: in which row a bar lies, and its volume. */
  readonly #barRows: Float64Array;
  readonly #barVolumes: Float64Array;
  /** Occupied rows from the lowest up, with how many bars and how much volume each has. */
  readonly #rows: Float64Array;
  readonly #counts: Float64Array;
  readonly #volumes: Float64Array;
  #occupied = 0;
  #position = 0;
  #full = false;
  #newestRow = NaN;
  #control = NaN;
  #areaLow = NaN;
  #areaHigh = NaN;
  #isSettled = false;

  constructor(window: number, rowRatio: number) {
    this.warmup = window;
    this.#rowWidth = Math.log1p(rowRatio);
    this.#barRows = new Float64Array(window);
    this.#barVolumes = new Float64Array(window);
    this.#rows = new Float64Array(window + 1);
    this.#counts = new Float64Array(window + 1);
    this.#volumes = new Float64Array(window + 1);
  }

  get value(): number {
    this.#settle();
    return this.#control;
  }
  get areaLow(): number {
    this.#settle();
    return this.#areaLow;
  }
  get areaHigh(): number {
    this.#settle();
    return this.#areaHigh;
  }

  update(bar: BarView): void {
    const row = Math.floor(Math.log(typicalPrice(bar)) / this.#rowWidth);
    const volume = demandVolume(bar.volume);
    const slot = this.#position;
    if (this.#full) this.#take(this.#barRows[slot] ?? NaN, this.#barVolumes[slot] ?? NaN);
    this.#barRows[slot] = row;
    this.#barVolumes[slot] = volume;
    this.#give(row, volume);
    this.#newestRow = row;
    this.#isSettled = false;
    if (slot + 1 < this.#barRows.length) {
      this.#position = slot + 1;
      return;
    }
    this.#position = 0;
    this.#full = true;
    this.#sumAnew();
  }

  save(out: ByteWriter): void {
    out.count(this.#position);
    out.flag(this.#full);
    out.number(this.#newestRow);
    out.numbers(this.#barRows);
    out.numbers(this.#barVolumes);
    out.count(this.#occupied);
    for (let index = 0; index < this.#occupied; index++) {
      out.number(this.#rows[index] ?? NaN);
      out.number(this.#counts[index] ?? NaN);
      out.number(this.#volumes[index] ?? NaN);
    }
  }

  restore(from: ByteReader): void {
    this.#position = from.count();
    this.#full = from.flag();
    this.#newestRow = from.number();
    from.numbers(this.#barRows);
    from.numbers(this.#barVolumes);
    this.#occupied = from.count();
    for (let index = 0; index < this.#occupied; index++) {
      this.#rows[index] = from.number();
      this.#counts[index] = from.number();
      this.#volumes[index] = from.number();
    }
    this.#isSettled = false;
  }

  /** The first occupied row that does not lie below. */
  #find(row: number): number {
    let low = 0;
    let high = this.#occupied;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle] ?? NaN) < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #give(row: number, volume: number): void {
    const at = this.#find(row);
    if (at === this.#occupied || this.#rows[at] !== row) {
      this.#shift(at + 1, at);
      this.#occupied++;
      this.#rows[at] = row;
      this.#counts[at] = 0;
      this.#volumes[at] = 0;
    }
    this.#counts[at] = (this.#counts[at] ?? NaN) + 1;
    this.#volumes[at] = (this.#volumes[at] ?? NaN) + volume;
  }

  #take(row: number, volume: number): void {
    const at = this.#find(row);
    const count = (this.#counts[at] ?? NaN) - 1;
    this.#counts[at] = count;
    this.#volumes[at] = (this.#volumes[at] ?? NaN) - volume;
    if (count > 0) return;
    this.#shift(at, at + 1);
    this.#occupied--;
  }

  #shift(target: number, from: number): void {
    this.#rows.copyWithin(target, from, this.#occupied);
    this.#counts.copyWithin(target, from, this.#occupied);
    this.#volumes.copyWithin(target, from, this.#occupied);
  }

  /** Once a window: what was lost in taking volumes out again lives no longer than that. */
  #sumAnew(): void {
    this.#volumes.fill(0, 0, this.#occupied);
    for (let slot = 0; slot < this.#barRows.length; slot++) {
      const at = this.#find(this.#barRows[slot] ?? NaN);
      this.#volumes[at] = (this.#volumes[at] ?? NaN) + (this.#barVolumes[slot] ?? NaN);
    }
  }

  #settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    if (!this.#full) {
      this.#control = NaN;
      this.#areaLow = NaN;
      this.#areaHigh = NaN;
      return;
    }
    const volumes = this.#volumes;
    const last = this.#occupied - 1;
    let control = this.#find(this.#newestRow);
    let total = 0;
    let most = 0;
    for (let index = 0; index <= last; index++) {
      const volume = volumes[index] ?? NaN;
      total += volume;
      if (volume > most) {
        most = volume;
        control = index;
      }
    }
    let low = control;
    let high = control;
    let inside = most;
    while (inside < AREA_SHARE * total && (low > 0 || high < last)) {
      const above = high < last ? (volumes[high + 1] ?? NaN) : -Infinity;
      const below = low > 0 ? (volumes[low - 1] ?? NaN) : -Infinity;
      if (above >= below) high++;
      else low--;
      inside += Math.max(above, below);
    }
    this.#control = Math.exp(((this.#rows[control] ?? NaN) + 0.5) * this.#rowWidth);
    this.#areaLow = Math.exp((this.#rows[low] ?? NaN) * this.#rowWidth);
    this.#areaHigh = Math.exp(((this.#rows[high] ?? NaN) + 1) * this.#rowWidth);
  }
}
