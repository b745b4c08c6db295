// Before the first decision only bars matter: the trades of the warm-up are left out, and the tape stays five times smaller.
import type { MarketEvent } from '../domain/event.ts';
import type { MarketSource } from '../domain/ports.ts';
import type { TimeMs } from '../domain/time.ts';

export function withoutWarmupTrades(source: MarketSource): MarketSource {
  /** Takes trades away until the next event is a bar, or the warm-up is over. */
  function skip(): TimeMs {
    for (;;) {
      const at = source.peekAt();
      const bar = source.nextBar();
      if (bar === undefined || !bar.warmup || at >= bar.at) return at;
      source.take();
    }
  }
  return {
    instrument: source.instrument,
    peekAt: skip,
    take: (): MarketEvent => {
      skip();
      return source.take() as MarketEvent;
    },
    nextBar: () => source.nextBar(),
    get ended() {
      return source.ended;
    },
    onArrival: (wake) => source.onArrival?.(wake),
  };
}
