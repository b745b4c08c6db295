// Which leg of a pair goes first where orders may wait: the one that is harder to trade. It rests; the others follow what was filled of it.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import type { Sleeve } from '../domain/sleeve.ts';

/** What a new bar counts in the average: as many bars as make a mean of twenty. */
const WEIGHT = 2 / 21;

export class LegOrder implements Stateful {
  /** By sleeve: the leg that goes first while its target is pursued; -1 where all go at once. */
  readonly lead: Int8Array;
  readonly #sleeves: readonly Sleeve[];
  /** By instrument: value traded a bar, on average; NaN before the first. */
  readonly #tradedValue: Float64Array;

  constructor(sleeves: readonly Sleeve[], instrumentCount: number) {
    this.#sleeves = sleeves;
    this.lead = new Int8Array(sleeves.length).fill(-1);
    this.#tradedValue = new Float64Array(instrumentCount).fill(NaN);
  }

  barClosed(instrument: number, close: number, volume: number): void {
    const before = this.#tradedValue[instrument] ?? NaN;
    const value = close * volume;
    this.#tradedValue[instrument] = Number.isNaN(before) ? value : before + WEIGHT * (value - before);
  }

  /** Of the legs that have something to trade, the one whose instrument trades least; what has not traded yet trades nothing. */
  choose(sleeve: number, moves: (leg: number) => boolean): void {
    const instruments = this.#sleeves[sleeve]?.instruments ?? [];
    let lead = -1;
    let least = Infinity;
    if (instruments.length > 1) {
      for (let leg = 0; leg < instruments.length; leg++) {
        if (!moves(leg)) continue;
        const known = this.#tradedValue[instruments[leg] ?? 0] ?? NaN;
        const value = Number.isNaN(known) ? 0 : known;
        if (value < least) [lead, least] = [leg, value];
      }
    }
    this.lead[sleeve] = lead;
  }

  save(out: ByteWriter): void {
    for (const leg of this.lead) out.byte(leg + 1);
    out.numbers(this.#tradedValue);
  }

  restore(from: ByteReader): void {
    for (let sleeve = 0; sleeve < this.lead.length; sleeve++) this.lead[sleeve] = from.byte() - 1;
    from.numbers(this.#tradedValue);
  }
}
