// What every source of one instrument's prices must keep, whoever makes them: a tape, a generator, a feed.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteReader, ByteWriter, type Stateful } from '../../src/domain/bytes.ts';
import type { MarketEvent } from '../../src/domain/event.ts';
import type { MarketSource } from '../../src/domain/ports.ts';
import { NEVER } from '../../src/domain/time.ts';

export interface SourceSubject {
  readonly source: MarketSource;
  /** Whatever must be saved with it; undefined for a source that does not come again. */
  readonly state?: Stateful;
}

/** Takes up to `count` events, copied. */
function take(source: MarketSource, count: number): MarketEvent[] {
  const events: MarketEvent[] = [];
  while (events.length < count && source.peekAt() !== NEVER) events.push({ ...(source.take() as MarketEvent) });
  return events;
}

export function holdsMarketSourceContract(name: string, make: () => SourceSubject): void {
  describe(`the contract of a market source: ${name}`, () => {
    it('says the time of the event that it then gives, in order of time', () => {
      const { source } = make();
      let last = -Infinity;
      for (let taken = 0; taken < 200 && source.peekAt() !== NEVER; taken++) {
        const at = source.peekAt();
        assert.equal(source.peekAt(), at, 'looking changes nothing');
        const event = source.take() as MarketEvent;
        assert.equal(event.at, at);
        assert.ok(event.at >= last, 'time does not run back');
        assert.ok(event.happenedAt <= event.at, 'nothing is known before it happened');
        assert.equal(event.instrument, source.instrument);
        last = event.at;
      }
    });

    it('gives the bar that it had shown ahead, and showing does not disturb the event in hand', () => {
      const { source } = make();
      for (let bars = 0; bars < 50 && source.peekAt() !== NEVER;) {
        const ahead = source.nextBar();
        assert.ok(ahead !== undefined, 'a bar is known while something is');
        const shown = { ...ahead };
        const event = source.take() as MarketEvent;
        const copy = { ...event };
        source.nextBar();
        assert.deepEqual({ ...event }, copy);
        if (copy.kind !== 'bar.closed') continue;
        assert.deepEqual({ ...shown, at: copy.at }, copy);
        bars++;
      }
    });

    it('brings believable bars', () => {
      for (const event of take(make().source, 500)) {
        assert.ok(event.low > 0 && event.low <= event.open && event.low <= event.close);
        assert.ok(event.high >= event.open && event.high >= event.close && Number.isFinite(event.high) && event.volume >= 0);
      }
    });

    it('goes on where it was saved, in another instance', () => {
      const first = make();
      if (first.state === undefined) return;
      take(first.source, 123);
      const bytes = new ByteWriter();
      first.state.save(bytes);
      const second = make();
      assert.ok(second.state !== undefined);
      second.state.restore(new ByteReader(bytes.view()));
      assert.deepEqual(take(second.source, 100), take(first.source, 100));
    });
  });
}
