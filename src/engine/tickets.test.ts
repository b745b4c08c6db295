// A ticket in a whole session: the loop, the timers, the venue and the journal around it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format } from '../domain/decimal.ts';
import { MINUTE_MS } from '../domain/time.ts';
import type { ExecutionSettings } from '../execution/tickets.ts';
import {
  bars,
  closeOf,
  flat,
  operator,
  session,
  single,
  stances,
  type Quote,
  type SessionParts,
  type TestSession,
} from '../../test/support/session.ts';

const EXECUTION: ExecutionSettings = {
  algorithm: 'limit-first',
  horizonMs: 3 * MINUTE_MS,
  postOnly: false,
  slices: 3,
  urgency: 0,
  participationRatio: 0.1,
  displayRatio: 0.5,
};

/** Long from the close of bar 1 on, at 100. */
function entering(
  quotes: readonly Quote[],
  execution: Partial<ExecutionSettings> = {},
  more: Partial<SessionParts> = {},
): Promise<TestSession> {
  return session({
    bars: [bars([100, 100, ...quotes])],
    sleeves: [single(0, stances([0, 1]))],
    instruments: [{ takerFeeRate: 0.001, makerFeeRate: 0.0002 }],
    desk: { execution: { ...EXECUTION, ...execution } },
    ...more,
  });
}

const fills = (run: TestSession): unknown[] =>
  run.of('order.filled').map(({ at, fill }) => [run.barAt(at), fill === undefined ? '' : format(fill.price), fill?.liquidity]);
const intended = (run: TestSession): unknown[] =>
  run
    .of('order.intended')
    .flatMap(({ at, intent, algorithm, costRatio }) =>
      intent.role === 'target' ? [[run.barAt(at), intent.type, algorithm, costRatio]] : [],
    );

test('a limit fills as maker in the bar that passes it, and the journal tells the ticket with it', async () => {
  const run = await entering([[100.5, 101, 100.2, 100.6], [100.6, 101, 99, 100.8], 101, 101, 101, 101]);
  assert.deepEqual(intended(run), [[1, 'limit', 'limit-first', 0.0002]]);
  assert.deepEqual(fills(run), [[3, '100', 'maker']]);
  assert.deepEqual(
    run.of('ticket.opened').map(({ at, side, arrivalPrice, quantity: size }) => [run.barAt(at), side, arrivalPrice, format(size)]),
    [[1, 'buy', 100, '10']],
  );
  assert.deepEqual(
    run.of('ticket.closed').map(({ at, because }) => [run.barAt(at), because]),
    [[3, 'nothing is left of it']],
  );
});

test('what the market runs away from is called back by the timer and bought at the market', async () => {
  const run = await entering([[100.5, 101, 100.2, 101], 102, 103, 104, 105]);
  assert.deepEqual(
    run.of('cancel.intended').map(({ at }) => at),
    [closeOf(1) + 3 * MINUTE_MS],
  );
  assert.deepEqual(intended(run), [
    [1, 'limit', 'limit-first', 0.0002],
    [4, 'market', 'limit-first', 0.001],
  ]);
  assert.deepEqual(fills(run), [[4, '103', 'taker']]);
});

test('slices go out by timers of their own', async () => {
  const run = await entering([101, 102, 103, 104], { algorithm: 'twap' });
  assert.deepEqual(fills(run), [
    [1, '100', 'taker'],
    [2, '101', 'taker'],
    [3, '102', 'taker'],
  ]);
  assert.equal(run.held(0), '10');
});

test('a halt calls back what rests within its event, and nothing is bought any more', async () => {
  const at = closeOf(2) + 10;
  const run = await entering([[100.5, 101, 100.2, 101], 102, 103, 104, 105], {}, { words: [operator(at, 'halt')] });
  assert.deepEqual(
    run.of('cancel.intended').map((cancel) => cancel.at),
    [at],
  );
  assert.deepEqual([intended(run).length, run.held(0), run.of('ticket.closed').length], [1, '0', 1]);
});

test('a feed that is lost calls back what would add, and what then goes out on an old price is refused', async () => {
  const lost = { kind: 'feed.lost', at: closeOf(2) + 10, happenedAt: closeOf(2) + 10, instrument: 0, reason: 'a test' } as const;
  const run = await entering([[100.5, 101, 100.2, 101], ...flat(4, 101)], {}, { words: [lost] });
  assert.deepEqual([run.of('cancel.intended').length, run.of('order.refused').map(({ rule }) => rule)], [1, ['stale-data']]);
  assert.deepEqual([run.held(0), run.of('ticket.closed').length], ['0', 1]);
});

test('a pair rests its thinner leg; the other follows its fill at the market, a millisecond later and not before', async () => {
  const quiet = flat(8, 100);
  const run = await session({
    // Both trade one unit a bar: the second instrument half of the first one's value.
    bars: [bars(quiet), bars([50, 50, [49.8, 49.9, 49.5, 49.8], [49.8, 51, 49.8, 50.2], ...flat(4, 50.2)])],
    sleeves: [{ instruments: [0, 1], minds: [{ says: stances([0, 1]) }] }],
    desk: { execution: EXECUTION },
  });
  assert.deepEqual(
    run.of('order.intended').flatMap(({ at, intent: { role, instrument, type, side, quantity: size } }) => {
      return role === 'target' ? [[run.barAt(at), instrument, type, side, format(size)]] : [];
    }),
    [
      [1, 1, 'limit', 'sell', '20'],
      [3, 0, 'market', 'buy', '10'],
    ],
  );
  const [thin, thick] = run.of('order.filled');
  assert.deepEqual([thin?.instrument, thin?.at, thin?.fill?.liquidity], [1, closeOf(3), 'maker']);
  assert.deepEqual([thick?.instrument, thick?.at, thick?.fill?.liquidity], [0, closeOf(3) + 1, 'taker']);
  assert.deepEqual([run.held(0, 0), run.held(0, 1), run.of('sleeve.closed').length], ['10', '-20', 0]);
});
