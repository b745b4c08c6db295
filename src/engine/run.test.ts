// The loop itself: where it ends, who may interrupt it, and when words from outside are heard.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MINUTE_MS, NEVER, type TimeMs } from '../domain/time.ts';
import { bars, closeOf, flat, single, stances, START, TestSession } from '../../test/support/session.ts';
import { Inbox } from './inbox.ts';
import { run } from './run.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { SystemClock } from './system-clock.ts';

function quiet(count: number, more: Partial<ConstructorParameters<typeof TestSession>[0]> = {}): TestSession {
  return new TestSession({ bars: [bars(flat(count, 100))], sleeves: [single(0, stances([0, 1]))], ...more });
}

describe('the loop', () => {
  test('ends at a market position, with the decision of that instant taken', async () => {
    const made = quiet(10);
    assert.equal(await made.run({ until: closeOf(1) }), 'until');
    assert.equal(made.engine.at, closeOf(1));
    assert.equal(made.of('decision.taken').length, 1);
    assert.equal(made.of('order.filled').length, 0);
    assert.equal(await made.run({ until: closeOf(1) + 1 }), 'until', 'and goes on from there');
    assert.equal(made.of('order.filled').length, 1);
  });

  test('in two parts is the same as in one', async () => {
    const whole = quiet(20);
    await whole.run();
    const parts = quiet(20);
    for (let bar = 0; bar < 20; bar++) await parts.run({ until: closeOf(bar) });
    assert.equal(parts.stateHash, whole.stateHash);
    assert.deepEqual(parts.entries, whole.entries);
  });

  test('stops between two slices when it is asked to', async () => {
    const made = quiet(5_000);
    let slices = 0;
    const clock = new SimulatedClock();
    const outcome = await run({
      engine: made.engine,
      clock: Object.assign(clock, { sliceIsOver: () => true }),
      sources: made.sources,
      onSlice: () => slices++,
      isStopping: () => slices >= 3,
    });
    assert.equal(outcome, 'stopped');
    assert.ok(made.events.length < 1_000, `${made.events.length} events`);
  });

  test('lets go of the thread with an order, before it does anything else, where that is when an order leaves', async () => {
    const made = quiet(10);
    const clock = new SimulatedClock();
    const done: string[] = [];
    const pause = clock.pause.bind(clock);
    clock.pause = () => {
      done.push(`lets go, ${made.of('order.intended').length} intended, ${made.of('order.filled').length} filled`);
      return pause();
    };
    await run({ engine: made.engine, clock, sources: made.sources, sendsLater: true, onSlice: () => done.push('between slices') });
    assert.deepEqual(done.slice(0, 2), ['lets go, 1 intended, 0 filled', 'between slices']);
    const whole = quiet(10);
    await run({ engine: whole.engine, clock: new SimulatedClock(), sources: whole.sources });
    assert.deepEqual(made.entries, whole.entries, 'and what happens is the same');
  });

  test('lets signals and timers of the process through under any backlog', async () => {
    const made = quiet(30_000);
    let rang = 0;
    const timer = setInterval(() => rang++, 5);
    await made.run();
    clearInterval(timer);
    assert.ok(rang > 0);
  });

  test('runs every slice under its guard, which may end one', async () => {
    const made = quiet(20);
    let slices = 0;
    const guarded = run({
      engine: made.engine,
      clock: new SimulatedClock(),
      sources: made.sources,
      until: closeOf(19),
      guard: (slice) => {
        slices++;
        slice();
      },
    });
    assert.equal(await guarded, 'until');
    assert.ok(slices > 0);
    const held = run({
      engine: quiet(20).engine,
      clock: new SimulatedClock(),
      sources: quiet(20).sources,
      guard: () => {
        throw new Error('held for ever');
      },
    });
    await assert.rejects(held, /held for ever/);
  });
});

describe('words from outside', () => {
  test('are placed where they arrive, after what was decided and never before what was handled', async () => {
    const made = quiet(20);
    const clock = new SimulatedClock();
    const inbox = new Inbox(
      () => clock.now(),
      () => made.engine.earliestNext,
    );
    const posted: TimeMs[] = [];
    made.onEvent = (event) => {
      if (event.kind === 'operator.spoke' || posted.length >= 5) return;
      posted.push(event.at);
      inbox.post({ kind: 'operator.spoke', command: 'close', argument: 'nobody', by: 'tester' });
    };
    await run({ engine: made.engine, clock, sources: [...made.sources, inbox], until: closeOf(19) });
    const heard = made.of('operator.spoke').map(({ at }) => at);
    assert.equal(heard.length, 5);
    heard.forEach((at, index) => assert.ok(at >= (posted[index] ?? NaN)));
    const times = made.events.map(({ at }) => at);
    assert.deepEqual(
      times,
      times.toSorted((left, right) => left - right),
    );
  });

  test('that come after a timer are not before it', async () => {
    // A hole, so that the timer of the silence rings by itself.
    const made = new TestSession({
      bars: [bars([100, 100, undefined, undefined, undefined, undefined, undefined, 100])],
      sleeves: [single(0, () => 0)],
    });
    const clock = new SimulatedClock();
    const inbox = new Inbox(
      () => clock.now(),
      () => made.engine.earliestNext,
    );
    made.onEvent = (event) => {
      if (event.kind === 'timer.rang') inbox.post({ kind: 'operator.spoke', command: 'halt', argument: '', by: 'tester' });
    };
    await run({ engine: made.engine, clock, sources: [...made.sources, inbox], until: closeOf(7) });
    assert.equal(made.of('operator.spoke')[0]?.at, closeOf(1) + 3 * MINUTE_MS);
  });

  test('wake the clock that waits', async () => {
    const made = quiet(3);
    const clock = new SystemClock(START, 1);
    const inbox = new Inbox(
      () => clock.now(),
      () => made.engine.earliestNext,
    );
    let isStopping = false;
    const done = run({ engine: made.engine, clock, sources: [...made.sources, inbox], isStopping: () => isStopping });
    const startedAt = performance.now();
    setTimeout(() => inbox.post({ kind: 'operator.spoke', command: 'halt', argument: '', by: 'tester' }), 20);
    setTimeout(() => {
      isStopping = true;
      inbox.wake();
    }, 60);
    assert.equal(await done, 'stopped');
    assert.equal(made.engine.account.halted, true, 'within one event, a minute before the next bar');
    assert.ok(performance.now() - startedAt < 900);
  });

  test('are forgotten by nobody and remembered by the inbox only once: it does not grow while a clock waits', () => {
    const inbox = new Inbox(
      () => 5,
      () => 0,
    );
    let woken = 0;
    for (let turn = 0; turn < 1_000; turn++) inbox.onArrival(() => woken++);
    inbox.post({ kind: 'operator.spoke', command: 'halt', argument: '', by: 'tester' });
    assert.equal(woken, 1);
    // An operator is obeyed where the loop stands, however far it is behind its clock.
    assert.equal(inbox.peekAt(), 0);
    const { at, happenedAt } = inbox.take();
    assert.deepEqual([at, happenedAt], [0, 5]);
    assert.equal(inbox.peekAt(), NEVER);
  });
});

describe('the system clock', () => {
  test('waits for what is known and not due', async () => {
    const made = quiet(4);
    const clock = new SystemClock(START, 6_000);
    const startedAt = performance.now();
    await made.run({ clock });
    const wallMs = performance.now() - startedAt;
    assert.ok(wallMs >= 38, `four minutes at 6,000 market seconds a second took ${wallMs} ms`);
  });

  test('F41: never tells a time before what it has handed out', () => {
    const clock = new SystemClock(START, 1);
    const made = quiet(4);
    clock.anchor(closeOf(3));
    assert.notEqual(clock.next(made.sources, NEVER), 'wait');
    assert.ok(clock.now() >= closeOf(0));
    clock.next(made.sources, START + 5);
    assert.ok(clock.now() >= closeOf(0));
  });

  test('rings a timer while no source has anything', () => {
    const clock = new SystemClock(START, 1_000);
    const idle = { ended: false, peekAt: () => NEVER, take: () => assert.fail('nothing to take') };
    assert.equal(clock.next([idle], START), 'timer');
    assert.equal(clock.next([idle], START + 1e9), 'wait');
    assert.equal(clock.next([{ ...idle, ended: true }], START + 1e9), 'ended');
  });
});

test('a trade that is told late does not hide that a later bar was seen: whoever goes on with a feed asks for what comes after it', () => {
  const { engine } = quiet(4);
  const values = { instrument: 0, open: 100, high: 100, low: 100, close: 100, volume: 1, warmup: false };
  engine.handle({ kind: 'bar.closed', at: closeOf(1), happenedAt: closeOf(1), ...values });
  engine.handle({ kind: 'trade.printed', at: closeOf(1) + 5, happenedAt: closeOf(0) - 5, ...values });
  assert.equal(engine.market.barAt[0], closeOf(1));
});
