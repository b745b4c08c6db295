// A source whose prices the venue sees before the engine does.
import type { MarketEvent } from '../../domain/event.ts';
import type { MarketSource } from '../../domain/ports.ts';
import type { TimeMs } from '../../domain/time.ts';

/** What the venue does about a price before anybody else hears of it. */
export interface Watcher {
  /** Before it is taken: its time. Absent where nothing is done then. */
  readonly expects?: (at: TimeMs) => void;
  readonly saw: (event: MarketEvent) => void;
}

/** A class, not a literal with getters: of those every one after the first has a form of its own, and the loop would look up by name at every event. */
export class WatchedSource implements MarketSource {
  readonly instrument: number;
  readonly #source: MarketSource;
  readonly #watcher: Watcher;

  constructor(source: MarketSource, watcher: Watcher) {
    this.instrument = source.instrument;
    this.#source = source;
    this.#watcher = watcher;
  }

  get ended(): boolean {
    return this.#source.ended;
  }

  get isLoading(): boolean {
    return this.#source.isLoading === true;
  }

  peekAt(): TimeMs {
    return this.#source.peekAt();
  }

  take(): MarketEvent {
    const { expects } = this.#watcher;
    if (expects !== undefined) expects(this.#source.peekAt());
    const event = this.#source.take() as MarketEvent;
    this.#watcher.saw(event);
    return event;
  }

  nextBar(): Readonly<MarketEvent> | undefined {
    return this.#source.nextBar();
  }

  onArrival(wake: () => void): void {
    this.#source.onArrival?.(wake);
  }
}
