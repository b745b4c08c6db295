// What every clock must keep: the earliest known event that is due, sources before timers, the lower index first.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Event } from '../../src/domain/event.ts';
import type { Clock, Source } from '../../src/domain/ports.ts';
import { NEVER, type TimeMs } from '../../src/domain/time.ts';

class Times implements Source {
  readonly #times: TimeMs[];
  isLoading = false;
  readonly #wakes: (() => void)[] = [];

  constructor(...times: TimeMs[]) {
    this.#times = times;
  }
  get ended(): boolean {
    return this.#times.length === 0 && !this.isLoading;
  }
  peekAt(): TimeMs {
    return this.#times[0] ?? NEVER;
  }
  take(): Event {
    const at = this.#times.shift() ?? NaN;
    return { kind: 'timer.rang', at, happenedAt: at, timer: 0 };
  }
  onArrival(wake: () => void): void {
    this.#wakes.push(wake);
  }
  arrive(at: TimeMs): void {
    this.#times.push(at);
    for (const wake of this.#wakes.splice(0)) wake();
  }
}

/** `make(at)`: a clock for which everything up to `at` is due. */
export function holdsClockContract(name: string, make: (at: TimeMs) => Clock): void {
  describe(`the contract of a clock: ${name}`, () => {
    it('takes the earliest event, and at equal times the lower index', () => {
      const clock = make(100);
      const sources = [new Times(50, 60), new Times(40, 50)];
      const order: number[] = [];
      for (let index = 0; index < 4; index++) {
        const choice = clock.next(sources, NEVER);
        assert.ok(typeof choice === 'number');
        assert.equal(clock.nextAt, sources[choice]?.peekAt());
        order.push(choice);
        sources[choice]?.take();
      }
      assert.deepEqual(order, [1, 0, 1, 0]);
      assert.equal(clock.next(sources, NEVER), 'ended');
    });

    it('lets a timer ring before a later event and after one of the same time', () => {
      const clock = make(100);
      assert.equal(clock.next([new Times(50)], 49), 'timer');
      assert.equal(clock.nextAt, 49);
      assert.equal(clock.next([new Times(50)], 50), 0);
    });

    it('does not run ahead of a source whose next event is on its way', () => {
      const clock = make(100);
      const loading = new Times();
      loading.isLoading = true;
      assert.equal(clock.next([new Times(50), loading], NEVER), 'wait');
    });

    it('never runs back', () => {
      const clock = make(100);
      clock.next([new Times(70)], NEVER);
      assert.ok(clock.now() >= 70);
    });

    it('is woken by an arrival', async () => {
      const clock = make(100);
      const source = new Times();
      source.isLoading = true;
      const waiting = clock.wait([source], NEVER);
      source.arrive(80);
      await waiting;
      assert.equal(clock.next([source], NEVER), 0);
    });

    it('ends a slice after 20 ms of wall time, and pauses for a macrotask', async () => {
      const clock = make(100);
      clock.beginSlice();
      assert.equal(clock.sliceIsOver(), false);
      await new Promise((resolve) => setTimeout(resolve, 25));
      assert.equal(clock.sliceIsOver(), true);
      await clock.pause();
    });
  });
}
