// A market of one seed, as the simulated exchange serves it: a walk that now and then jumps, in bars of a minute with trades between them.
import type { MarketEvent } from '../../domain/event.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { toNumber } from '../../domain/decimal.ts';
import type { MarketSource } from '../../domain/ports.ts';
import { MINUTE_MS, NEVER, type TimeMs } from '../../domain/time.ts';
import type { Random } from '../../quant/random.ts';
import type { InstrumentSurroundings, ServedMarket } from '../../venues/bybit-server/served-market.ts';

export interface MarketShape {
  readonly instruments: readonly Instrument[];
  readonly startAt: TimeMs;
  readonly bars: number;
  /** The last so many of them stand still. */
  readonly quietBars: number;
  readonly tradesPerBar: number;
  /** Standard deviation of a bar's return, about. */
  readonly volatility: number;
  /** Of a bar that jumps by up to three percent. */
  readonly jumpChance: number;
  readonly firstPrices: readonly number[];
}

const LEVELS = 5;
const VOLUME_A_BAR = 50;

export interface WalkedMarket extends ServedMarket {
  readonly sources: readonly WalkedSource[];
}

export function walkedMarket(shape: MarketShape, random: Random): WalkedMarket {
  const { instruments } = shape;
  return {
    instruments,
    sources: instruments.map(
      (instrument, index) => new WalkedSource(index, eventsOf(shape, instrument, index, random.fork(`walk ${index}`))),
    ),
    surroundings: instruments.map((instrument) => new OneTick(instrument)),
    baseTimeframeMs: MINUTE_MS,
  };
}

function eventsOf(shape: MarketShape, { tick }: Instrument, instrument: number, random: Random): MarketEvent[] {
  const { startAt, bars, quietBars, tradesPerBar, volatility, jumpChance, firstPrices } = shape;
  const step = toNumber(tick);
  const onTick = (price: number): number => Number((Math.max(1, Math.round(price / step)) * step).toFixed(8));
  const events: MarketEvent[] = [];
  let last = onTick(firstPrices[instrument] ?? 100);
  for (let bar = 0; bar < bars; bar++) {
    const openAt = startAt + bar * MINUTE_MS;
    const open = last;
    const isQuiet = bar >= bars - quietBars;
    let [high, low] = [open, open];
    for (let number = 0; number <= tradesPerBar; number++) {
      const isClose = number === tradesPerBar;
      const draw = random.uniform() + random.uniform() + random.uniform() + random.uniform() - 2;
      const jump = random.uniform() < jumpChance / (tradesPerBar + 1) ? (random.uniform() - 0.5) * 0.06 : 0;
      if (!isQuiet) last = onTick(last * (1 + (draw * volatility) / Math.sqrt(tradesPerBar + 1) / 0.577 + jump));
      high = Math.max(high, last);
      low = Math.min(low, last);
      const at = isClose ? openAt + MINUTE_MS : openAt + Math.floor(((number + 1) * MINUTE_MS) / (tradesPerBar + 1));
      const common = { at, happenedAt: at, instrument, close: last, warmup: false };
      const volume = VOLUME_A_BAR / (tradesPerBar + 1);
      if (isClose) events.push({ kind: 'bar.closed', ...common, open, high, low, volume: VOLUME_A_BAR });
      else events.push({ kind: 'trade.printed', ...common, open: last, high: last, low: last, volume });
    }
  }
  return events;
}

export class WalkedSource implements MarketSource {
  readonly instrument: number;
  readonly events: readonly MarketEvent[];
  #next = 0;

  constructor(instrument: number, events: readonly MarketEvent[]) {
    this.instrument = instrument;
    this.events = events;
  }

  get ended(): boolean {
    return this.#next >= this.events.length;
  }

  peekAt(): TimeMs {
    return this.events[this.#next]?.at ?? NEVER;
  }

  take(): MarketEvent {
    const event = this.events[this.#next++];
    if (event === undefined) throw new Error('broken invariant: a source is asked for its time first');
    return event;
  }

  nextBar(): MarketEvent | undefined {
    for (let ahead = this.#next; ; ahead++) {
      const event = this.events[ahead];
      if (event === undefined || event.kind === 'bar.closed') return event;
    }
  }
}

/** One tick of spread around the last price, which is mark and index too. */
class OneTick implements InstrumentSurroundings {
  readonly #tick: number;
  #last = NaN;
  readonly openInterest = 0;
  readonly fundingRate = undefined;

  constructor({ tick }: Instrument) {
    this.#tick = toNumber(tick);
  }

  get markPrice(): number {
    return this.#last;
  }

  get indexPrice(): number {
    return this.#last;
  }

  advance(_at: TimeMs, last: number): void {
    this.#last = last;
  }

  top(side: number, prices: Float64Array, quantities: Float64Array): number {
    const count = this.#last > 0 ? Math.min(LEVELS, prices.length) : 0;
    for (let level = 0; level < count; level++) {
      prices[level] = (side > 0 ? this.#last : this.#last + this.#tick) - side * level * this.#tick;
      quantities[level] = VOLUME_A_BAR;
    }
    return count;
  }
}
