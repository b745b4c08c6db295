// Stretches of time that are known from the seed alone, at any time and without running anything: breaks of a pair, outages, gaps.
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import type { InterruptionParameters, StudyParameters } from './parameters.ts';

/** Half-open, in milliseconds after the market's start. */
export interface Spell {
  readonly fromMs: TimeMs;
  readonly untilMs: TimeMs;
}

export interface SpellPace {
  /** There is one spell in every stretch of this length; 0 for none at all. */
  readonly everyMs: TimeMs;
  /** Mean length: each is drawn from half of it to one and a half. */
  readonly lengthMs: TimeMs;
  /** Begin and end are multiples of this. */
  readonly stepMs: TimeMs;
}

/** One spell in every equal stretch of time, drawn from the stretch's own index: no memory, and no end. */
export class Spells {
  readonly #random: Random;
  readonly #pace: SpellPace;
  // The stretch that was last asked for, and its spell. NaN first, so that V8 keeps the fields as doubles.
  #stretch = -1;
  #fromMs = NaN;
  #untilMs = NaN;

  constructor(random: Random, pace: SpellPace) {
    this.#random = random;
    this.#pace = pace;
  }

  /** The number of the spell that holds this time, or -1. */
  spellAt(elapsedMs: TimeMs): number {
    const { everyMs } = this.#pace;
    if (everyMs === 0 || elapsedMs < 0) return -1;
    const stretch = Math.floor(elapsedMs / everyMs);
    this.#draw(stretch);
    return elapsedMs >= this.#fromMs && elapsedMs < this.#untilMs ? stretch : -1;
  }

  /** End of that spell. */
  untilOf(spell: number): TimeMs {
    this.#draw(spell);
    return this.#untilMs;
  }

  /** All that begin before `elapsedMs`. */
  before(elapsedMs: TimeMs): Spell[] {
    const { everyMs } = this.#pace;
    const spells: Spell[] = [];
    if (everyMs === 0) return spells;
    for (let stretch = 0; stretch * everyMs < elapsedMs; stretch++) {
      this.#draw(stretch);
      if (this.#fromMs < elapsedMs) spells.push({ fromMs: this.#fromMs, untilMs: this.#untilMs });
    }
    return spells;
  }

  #draw(stretch: number): void {
    if (stretch === this.#stretch) return;
    const { everyMs, lengthMs, stepMs } = this.#pace;
    this.#stretch = stretch;
    this.#random.seek(stretch);
    const steps = Math.max(1, Math.round((lengthMs * (0.5 + this.#random.uniform())) / stepMs));
    // A stretch need not be a multiple of the step: its first step begins in it, and the last place from which a spell ends in it.
    const first = Math.ceil((stretch * everyMs) / stepMs);
    const places = Math.floor(((stretch + 1) * everyMs) / stepMs) - steps - first + 1;
    const from = first + Math.floor(this.#random.uniform() * Math.max(1, places));
    this.#fromMs = from * stepMs;
    this.#untilMs = (from + steps) * stepMs;
  }
}

/** When the relation of a breaking pair does not hold. @param random of the asset */
export function breakSpells(random: Random, timeframeMs: TimeMs, { breakEveryDays, breakHours }: StudyParameters): Spells {
  return new Spells(random.fork('breaks'), { everyMs: breakEveryDays * DAY_MS, lengthMs: breakHours * HOUR_MS, stepMs: timeframeMs });
}

/** When the venue's feed is silent; what happens meanwhile arrives late. @param root of the market's seed */
export function outageSpells(root: Random, { outageEveryHours, outageMinutes }: InterruptionParameters): Spells {
  return new Spells(root.fork('outages'), { everyMs: outageEveryHours * HOUR_MS, lengthMs: outageMinutes * MINUTE_MS, stepMs: 1000 });
}

/** Bars of one instrument that never arrive, with their trades. @param root of the market's seed */
export function gapSpells(root: Random, symbol: string, timeframeMs: TimeMs, { gapEveryHours, gapBars }: InterruptionParameters): Spells {
  return new Spells(root.fork(`gaps ${symbol}`), {
    everyMs: gapEveryHours * HOUR_MS,
    lengthMs: gapBars * timeframeMs,
    stepMs: timeframeMs,
  });
}
