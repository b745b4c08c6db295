// A feed with faults, at times that are known: the synthetic market, but at times silent and then late, and at times with bars missing.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import type { MarketEvent } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { MarketSource } from '../../domain/ports.ts';
import { NEVER, type TimeMs } from '../../domain/time.ts';
import { Random } from '../../quant/random.ts';
import { SyntheticMarket } from './market.ts';
import { checkOptions, type CheckedOptions, type SyntheticMarketOptions } from './options.ts';
import { checkInterruptions } from './parameters.ts';
import { emptyBar, type SyntheticSource } from './source.ts';
import { gapSpells, outageSpells, type Spells } from './spells.ts';
import type { Interval } from './truth.ts';

/** What is wrong with a feed, and when. From inclusive, until exclusive. */
export interface InterruptionTruth {
  /** Of all instruments at once. What happens in one is known at its end, not before. */
  readonly outages: readonly Interval[];
  /** By symbol: bars that open in one, and their trades, never arrive. */
  readonly gaps: ReadonlyMap<string, readonly Interval[]>;
}

/**
 * The market of `syntheticMarket` with the same events, of which some come late and some never.
 * @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN
 */
export function interruptedMarket(options: SyntheticMarketOptions): InterruptedMarket {
  return new InterruptedMarket(checkOptions(options));
}

/** The interruptions that begin in the first `bars` bars. @throws BallastError SYNTHETIC_OPTION_INVALID, SYNTHETIC_ASSET_UNKNOWN */
export function interruptionTruth(options: SyntheticMarketOptions, bars: number): InterruptionTruth {
  const { seed, startAt, timeframeMs, assets, interruptions } = checkOptions(options);
  checkInterruptions(interruptions, timeframeMs);
  const root = new Random(seed);
  const intervals = (spells: Spells): Interval[] =>
    spells.before(bars * timeframeMs).map(({ fromMs, untilMs }) => ({ from: startAt + fromMs, until: startAt + untilMs }));
  return {
    outages: intervals(outageSpells(root, interruptions)),
    gaps: new Map(assets.map(({ instrument: { symbol } }) => [symbol, intervals(gapSpells(root, symbol, timeframeMs, interruptions))])),
  };
}

/** Its state is the market's: the interruptions are known from the seed. */
export class InterruptedMarket implements Stateful {
  readonly instruments: readonly Instrument[];
  readonly sources: readonly InterruptedSource[];
  readonly #market: SyntheticMarket;

  constructor(options: CheckedOptions) {
    const { seed, startAt, timeframeMs, interruptions } = options;
    checkInterruptions(interruptions, timeframeMs);
    const root = new Random(seed);
    this.#market = new SyntheticMarket(options);
    this.instruments = this.#market.instruments;
    this.sources = this.#market.sources.map((source, index) => {
      const outages = outageSpells(root, interruptions);
      const gaps = gapSpells(root, this.instruments[index]?.symbol ?? '', timeframeMs, interruptions);
      return new InterruptedSource(source, { startAt, outages, gaps });
    });
  }

  save(out: ByteWriter): void {
    this.#market.save(out);
  }

  /** With the same interruptions: they are no part of the state. @throws BallastError SYNTHETIC_STATE_MISMATCH */
  restore(from: ByteReader): void {
    this.#market.restore(from);
    for (const source of this.sources) source.skip();
  }
}

export class InterruptedSource implements MarketSource {
  readonly instrument: number;
  readonly #source: SyntheticSource;
  readonly #startAt: TimeMs;
  readonly #outages: Spells;
  readonly #gaps: Spells;
  // Copies, because the market's source reuses its own and has gone on past what is lost.
  readonly #event: MarketEvent;
  readonly #bar: MarketEvent;

  constructor(source: SyntheticSource, { startAt, outages, gaps }: { startAt: TimeMs; outages: Spells; gaps: Spells }) {
    this.instrument = source.instrument;
    this.#source = source;
    this.#startAt = startAt;
    this.#outages = outages;
    this.#gaps = gaps;
    this.#event = emptyBar(source.instrument);
    this.#bar = emptyBar(source.instrument);
    this.skip();
  }

  get ended(): boolean {
    return this.#source.ended;
  }

  peekAt(): TimeMs {
    return this.#knownAt(this.#source.peekAt());
  }

  take(): MarketEvent {
    const event = Object.assign(this.#event, this.#source.take());
    event.at = this.#knownAt(event.happenedAt);
    this.skip();
    return event;
  }

  nextBar(): Readonly<MarketEvent> | undefined {
    const bar = this.#source.nextBar();
    if (bar === undefined) return undefined;
    const copy = Object.assign(this.#bar, bar);
    copy.at = this.#knownAt(bar.happenedAt);
    return copy;
  }

  /** Passes over what never arrives: whole bars, with their trades. */
  skip(): void {
    // An event belongs to the bar that it comes after the open of, and at the latest at the close of: a millisecond before it is in the bar.
    while (!this.#source.ended && this.#gaps.spellAt(this.#source.peekAt() - 1 - this.#startAt) >= 0) this.#source.take();
  }

  #knownAt(happenedAt: TimeMs): TimeMs {
    if (happenedAt === NEVER) return NEVER;
    const outage = this.#outages.spellAt(happenedAt - this.#startAt);
    return outage < 0 ? happenedAt : this.#startAt + this.#outages.untilOf(outage);
  }
}
