// The body: drawdown, the day's loss, silence, a lost feed, an operator. All of it acts within one event, whatever the cadence of the minds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ByteReader } from '../domain/bytes.ts';
import { format, price, quantity, ZERO_AMOUNT } from '../domain/decimal.ts';
import type { Entry } from '../domain/entry.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import {
  bars,
  closeOf,
  counted,
  feed,
  flat,
  forecast,
  operator,
  session,
  single,
  stances,
  START,
  TestSession,
  type Quote,
  type SessionParts,
} from '../../test/support/session.ts';

/** Everything in one long, and a venue that lends: so that a fall of the price is a fall of equity. */
function exposed(quotes: readonly Quote[], more: Partial<SessionParts> = {}): SessionParts {
  return {
    bars: [bars(quotes)],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : forecast(1, { protection: { stopRatio: 0.9 } })))],
    ...more,
    policy: {
      fixedRatio: 1,
      positionRatio: 1,
      riskPerTradeRatio: 1,
      heatRatio: 1,
      fatFingerRatio: 2,
      dailyLossAlertRatio: 0.99,
      dailyLossPauseRatio: 0.99,
      ...(more.policy === 'none' ? {} : more.policy),
    },
    desk: { disasterRatio: 0.93, disasterGapRatio: 0.02, ...more.desk },
  };
}

function alerts(run: TestSession, rule: string): Entry[] {
  return run.of('alert.raised').filter((alert) => alert.rule === rule);
}

test('a drawdown of 12 % is alerted once, on the event that reached it', async () => {
  const run = await session(exposed([100, 100, 100, 95, 89, 88, 87.5, 88, 87.5]));
  assert.deepEqual(
    alerts(run, 'drawdown').map(({ at }) => run.barAt(at)),
    [5],
  );
  assert.equal(run.of('halt.latched').length, 0);
});

test('the alert is armed again by a new peak', async () => {
  const run = await session(exposed([100, 100, 100, 87, 101, 102, 88]));
  assert.deepEqual(
    alerts(run, 'drawdown').map(({ at }) => run.barAt(at)),
    [3, 6],
  );
});

test('from a drawdown of 15 % fresh targets get half of their size, what stands is left alone', async () => {
  const says = (bar: number): number => [0, 1, 1, 1, 0.5][Math.min(bar, 4)] ?? 0;
  const run = await session(
    exposed([100, 100, 100, 84, 84, 84, 84], {
      sleeves: [single(0, (bar) => forecast(says(bar), { protection: { stopRatio: 0.9 } }))],
    }),
  );
  const [, halved] = run.of('decision.taken');
  assert.deepEqual(
    halved?.rulings.map(({ rule, scales }) => [rule, scales]),
    [['drawdown-halve', [0.5]]],
  );
  assert.equal(run.barAt(halved?.at ?? NaN), 4);
  const quantity = Number(run.held(0));
  assert.ok(Math.abs(quantity - (0.25 * run.engine.portfolio.equity) / 84) < 0.05, `half of a half: ${quantity}`);
});

test('a drawdown of 25 % halts within the event, closes everything, and stays latched', async () => {
  const run = await session(exposed([100, 100, 100, 90, 74, 74, 80, 90, 110, 120]));
  const [halt] = run.of('halt.latched');
  assert.equal(run.barAt(halt?.at ?? NaN), 4);
  assert.match(halt?.cause ?? '', /drawdown/);
  const [, exit] = run.of('order.intended').filter(({ intent }) => intent.role === 'target');
  assert.equal(exit?.at, halt?.at);
  assert.equal(exit?.intent.reduceOnly, true);
  assert.equal(run.held(0), '0');
  assert.equal(run.engine.account.halted, true);
  assert.equal(run.of('halt.latched').length, 1, 'a latched halt is one row, not one a bar');
  assert.equal(run.of('order.intended').filter(({ at }) => at > (exit?.at ?? 0)).length, 0);
});

test('F50: a latched halt survives saving and restoring, and resuming re-arms from the equity of that day', async () => {
  const quotes = [100, 100, 100, 90, 74, ...flat(10, 74)];
  const resumed = exposed(quotes, { words: [operator(closeOf(9) + 5, 'resume')] });
  const first = new TestSession(resumed);
  let bytes: Uint8Array | undefined;
  first.onEvent = (event) => {
    if (bytes === undefined && event.at > closeOf(7)) bytes = first.snapshot();
  };
  await first.run();
  const second = new TestSession(resumed);
  second.restore(new ByteReader(bytes ?? assert.fail('there was a bar after the halt')));
  assert.equal(second.engine.account.halted, true);
  assert.match(second.engine.haltCause, /drawdown/);
  await second.run();
  assert.equal(second.of('halt.released').length, 1);
  assert.equal(second.engine.account.halted, false);
  assert.ok(
    Math.abs(second.engine.account.peakEquity - second.engine.portfolio.equity) < 50,
    'the peak is what was left, less the fee of going back in',
  );
  const [entry] = second.of('order.intended');
  assert.equal(entry?.at, closeOf(9) + 5, 'what the minds last said counts again, in the same event');
  assert.equal(second.stateHash, first.stateHash);
});

test("a day's loss of 4 % is alerted, of 5 % pauses until the next UTC day", async () => {
  const startAt = START + DAY_MS - 8 * MINUTE_MS;
  const says = (_: number, { at }: { at: number }): unknown =>
    at < startAt + 2 * MINUTE_MS ? 0 : forecast(at < startAt + 6 * MINUTE_MS ? 0.5 : 1, { protection: { stopRatio: 0.9 } });
  const run = await session(
    exposed([], {
      bars: [bars([100, 100, 100, 91.5, 89.5, 89.5, 89.5, 89.5, 89.5, 89.5, 89.5], { startAt })],
      startAt,
      sleeves: [single(0, says)],
      policy: { dailyLossAlertRatio: 0.04, dailyLossPauseRatio: 0.05 },
    }),
  );
  const bar = (at: number | undefined): number => Math.round(((at ?? NaN) - startAt) / MINUTE_MS) - 1;
  assert.deepEqual(
    alerts(run, 'daily-loss').map(({ at }) => bar(at)),
    [3],
  );
  const [began] = run.of('pause.began');
  const [ended] = run.of('pause.ended');
  assert.equal(bar(began?.at), 4);
  assert.equal(began?.until, START + DAY_MS);
  assert.equal(ended?.at, START + DAY_MS);
  assert.deepEqual(
    run.of('day.started').map(({ at }) => at),
    [START + DAY_MS],
  );
  const rulings = run.of('decision.taken').flatMap(({ at, rulings: list }) => list.map(({ rule }) => [bar(at), rule]));
  assert.deepEqual(rulings, [[5, 'daily-pause']], 'the stance that grew within the pause got no more than was held');
});

test('a standing position is cut only beyond its limit x 1.1, and then to the limit', async () => {
  const grown = (to: number): SessionParts => ({
    bars: [bars([100, 100, 100, 104, 108, to, to, to])],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : forecast(1, { protection: { stopRatio: 0.9 } })))],
    policy: { fixedRatio: 0.25, riskPerTradeRatio: 1, heatRatio: 1 },
    desk: { disasterRatio: 0.93, disasterGapRatio: 0.02 },
  });
  const within = await session(grown(113));
  assert.equal(within.of('decision.taken').length, 1, '0.25 x 1.13 of an equity that grew is 27.3 %');
  const beyond = await session(grown(115));
  const [, cut] = beyond.of('decision.taken');
  assert.deepEqual(
    cut?.rulings.map(({ rule }) => rule),
    ['position-limit'],
  );
  assert.equal(cut?.changes[0]?.opinions.length, 0, 'no opinion asked for it');
  const { equity, mark, held } = beyond.engine.portfolio;
  const weight = ((held[0] ?? NaN) * (mark[0] ?? NaN)) / equity;
  assert.ok(weight <= 0.25 && weight > 0.249, `weight ${weight}`);
});

test('a clamp is released only by a changed opinion', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, ...flat(4, 92), ...flat(4, 100)])],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : forecast(bar < 8 ? 0.6 : 1, { protection: { stopRatio: 0.9 } })))],
    policy: { fixedRatio: 0.6, riskPerTradeRatio: 1, heatRatio: 1 },
    desk: { disasterRatio: 0.93, disasterGapRatio: 0.02 },
  });
  const decisions = run.of('decision.taken');
  assert.deepEqual(
    decisions.map(({ at, rulings }) => [run.barAt(at), rulings.map(({ rule }) => rule)]),
    [
      [1, ['position-limit']],
      [8, ['position-limit']],
    ],
    'room that the falling price made is not taken until the opinion changed',
  );
});

test('a feed that is silent for three of its intervals blocks what would increase; the next bar brings trust back', async () => {
  const hole = [undefined, undefined, undefined, undefined, undefined];
  const run = await session({
    // The second instrument keeps the time while the first is silent.
    bars: [bars([100, 100, ...hole, ...flat(6, 100)]), bars(flat(13, 50))],
    sleeves: [single(0, (bar) => (bar < 7 ? 0 : 1)), { instruments: [0, 1], minds: [{ says: () => 0 }] }],
  });
  const stale: [number, number][] = [];
  const watched = new TestSession({
    bars: [bars([100, 100, ...hole, ...flat(6, 100)]), bars(flat(13, 50))],
    sleeves: [single(0, (bar) => (bar < 7 ? 0 : 1))],
  });
  watched.onEvent = ({ at }) => {
    const isStale = watched.engine.market.stale[0] ?? NaN;
    if (stale.at(-1)?.[1] !== isStale) stale.push([at, isStale]);
  };
  await watched.run();
  assert.deepEqual(stale, [
    [closeOf(0), 0],
    [closeOf(1) + 3 * MINUTE_MS, 1],
    [closeOf(7), 0],
  ]);
  assert.equal(run.held(0), '10', 'and then it trades');
});

test('F21: an order that would increase on a stale price is refused by gate two, one that closes is not', async () => {
  const silence = Array.from({ length: 8 }, () => undefined);
  const run = await session({
    bars: [bars([100, 100, 100, 100, ...silence, ...flat(4, 100)]), bars(flat(16, 50))],
    sleeves: [single(0, stances([0, 1])), { instruments: [1, 0], minds: [{ says: (bar) => (bar < 9 ? 0 : 1) }] }],
    words: [operator(closeOf(9) + 10, 'close', 'sleeve-0')],
    plan: { opinionLifeBars: 100 },
  });
  const exits = run.of('order.intended').filter(({ at }) => at === closeOf(9) + 10);
  assert.deepEqual(
    exits.map(({ intent }) => [intent.side, intent.reduceOnly]),
    [['sell', true]],
  );
  assert.equal(run.held(0), '0');
});

test('a lost feed calls entries back within the event, and a restored one lets them in again', async () => {
  const lostAt = closeOf(1) + 100;
  const run = await session({
    bars: [bars(flat(10, 100))],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : bar < 4 ? 1 : bar < 6 ? 0 : 1))],
    words: [feed(lostAt, 'feed.lost'), feed(closeOf(1) + 900, 'feed.restored')],
    venue: { latencyMs: 30_000 },
  });
  assert.deepEqual(
    run
      .of('cancel.intended')
      .map(({ at }) => at)
      .slice(0, 1),
    [lostAt],
  );
  assert.equal(run.engine.market.stale[0], 0);
  assert.equal(run.held(0), '9.998', 'the forecast of bar 6 found its way in');
});

test('a feed that comes back after a long silence is trusted with its next price and not before', async () => {
  const silence = Array.from({ length: 6 }, () => undefined);
  const run = new TestSession({
    bars: [bars([100, 100, ...silence, 100, 100]), bars(flat(10, 50))],
    sleeves: [single(0, () => 0)],
    words: [feed(closeOf(1) + 1, 'feed.lost', 0), feed(closeOf(6) + 1, 'feed.restored', 0)],
  });
  const stale = new Map<number, number>();
  run.onEvent = ({ at }) => {
    stale.set(at, run.engine.market.stale[0] ?? NaN);
  };
  await run.run();
  assert.equal(stale.get(closeOf(1) + 1), 1);
  assert.equal(stale.get(closeOf(6) + 1), 1);
  assert.equal(stale.get(closeOf(8)), 0);
});

test('a feed that comes back soon is trusted at once, and its silence is timed from its last price', async () => {
  const silence = Array.from({ length: 6 }, () => undefined);
  const run = new TestSession({
    bars: [bars([100, 100, ...silence, 100, 100]), bars(flat(10, 50))],
    sleeves: [single(0, () => 0)],
    words: [feed(closeOf(1) + 1, 'feed.lost', 0), feed(closeOf(1) + 5_000, 'feed.restored', 0)],
  });
  const stale: [number, number][] = [];
  run.onEvent = ({ at }) => {
    const isStale = run.engine.market.stale[0] ?? NaN;
    if (stale.at(-1)?.[1] !== isStale) stale.push([at, isStale]);
  };
  await run.run();
  assert.deepEqual(stale, [
    [closeOf(0), 0],
    [closeOf(1) + 1, 1],
    [closeOf(1) + 5_000, 0],
    [closeOf(1) + 3 * MINUTE_MS, 1],
    [closeOf(8), 0],
  ]);
});

for (const command of ['halt', 'flatten', 'close'] as const) {
  test(`the operator's ${command} acts within one event while the only mind thinks every four hours`, async () => {
    const at = START + 9 * HOUR_MS + 13 * MINUTE_MS + 7_000;
    const run = await session({
      bars: [bars(flat(720, 100))],
      sleeves: [single(0, (bar) => (bar < 1 ? 0 : 1), { timeframeMs: 4 * HOUR_MS })],
      words: [operator(at, command, command === 'close' ? 'sleeve-0' : '')],
    });
    const [, exit] = run.of('order.intended').filter(({ intent }) => intent.role === 'target');
    assert.equal(exit?.at, at);
    assert.equal(run.of('order.filled').at(-1)?.at, at + 1);
    assert.equal(run.held(0), '0');
    assert.equal(run.of('order.intended').filter((order) => order.at > at).length, 0, 'and nothing goes back in');
  });
}

test('resume lets the minds count again within its event', async () => {
  const at = START + 9 * HOUR_MS + 13 * MINUTE_MS;
  const run = await session({
    bars: [bars(flat(660, 100))],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : 1), { timeframeMs: 4 * HOUR_MS })],
    words: [operator(at + 1_000, 'halt'), operator(at + 2_000, 'resume')],
  });
  const targets = run.of('order.intended').filter(({ intent }) => intent.role === 'target');
  assert.deepEqual(
    targets.map((order) => order.at),
    [START + 8 * HOUR_MS, at + 1_000, at + 2_000],
  );
  assert.notEqual(run.held(0), '0');
});

test('F50: a halt with an entry in flight calls it back, and closes what fills nevertheless', async () => {
  const run = await session({
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, stances([0, 1]))],
    words: [operator(closeOf(1) + 400, 'halt')],
    venue: { latencyMs: 500 },
  });
  assert.equal(run.of('cancel.intended')[0]?.at, closeOf(1) + 400);
  assert.equal(run.of('order.filled').length, 2, 'the entry was faster than its cancel');
  assert.equal(run.of('order.filled')[1]?.at, closeOf(1) + 1_000);
  assert.equal(run.held(0), '0');
  assert.ok(
    run
      .of('order.intended')
      .slice(1)
      .every(({ intent }) => intent.reduceOnly),
  );
});

test('F50: killed with an order in flight under a halt, the next process is halted, and closes what that order filled', async () => {
  const parts: SessionParts = {
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, stances([0, 1]))],
    words: [operator(closeOf(1) + 400, 'halt')],
    venue: { latencyMs: 500 },
  };
  const first = new TestSession(parts);
  let bytes: Uint8Array | undefined;
  first.onEvent = (event) => {
    // The halt is latched, the entry has not been heard of.
    if (event.kind === 'operator.spoke') bytes = first.snapshot();
  };
  await first.run();
  const second = new TestSession(parts);
  second.restore(new ByteReader(bytes ?? assert.fail('somebody said halt')));
  assert.deepEqual([second.engine.account.halted, second.held(0)], [true, '0']);
  await second.run();
  assert.equal(second.of('order.filled').length, 2, 'the entry was faster than its cancel, and was closed');
  assert.deepEqual([second.engine.account.halted, second.held(0)], [true, '0']);
  assert.ok(second.of('order.intended').every(({ intent }) => intent.reduceOnly));
  assert.equal(second.stateHash, first.stateHash);
});

test('F19: a report of an order that nobody knows any more is an alert, and is booked to nobody', async () => {
  const run = new TestSession({ bars: [bars(flat(6, 100))], sleeves: [single(0, () => 0)] });
  await run.run({ until: closeOf(3) });
  const { at } = run.engine;
  run.engine.handle({
    kind: 'order.filled',
    at,
    happenedAt: at,
    instrument: 0,
    order: 'purged-1',
    reason: '',
    fill: { id: 'late', price: price('100'), quantity: quantity('1'), fee: ZERO_AMOUNT, liquidity: 'taker' },
  });
  const [alert] = alerts(run, 'unknown-order');
  assert.ok(alert?.kind === 'alert.raised');
  assert.equal(alert.why, 'order.filled for purged-1, which this run never sent');
  assert.ok(
    run.entries.some((entry) => entry.kind === 'order.filled' && entry.order === 'purged-1'),
    'the journal has it',
  );
  assert.equal(run.held(0), '0');
});

test('a sleeve that does not exist is an alert, not an end', async () => {
  const run = await session({
    bars: [bars(flat(4, 100))],
    sleeves: [single(0, () => 0)],
    words: [operator(closeOf(1) + 1, 'close', 'nobody')],
  });
  assert.match(run.of('alert.raised')[0]?.why ?? '', /no sleeve is named "nobody"/);
});

test('an operator who flattens does not unlatch a sleeve that was stopped before', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, 100, [100, 100, 95, 95], ...flat(10, 95)])],
    sleeves: [single(0, stances([0, 1]))],
    words: [operator(closeOf(6) + 1, 'halt'), operator(closeOf(7) + 1, 'resume'), operator(closeOf(7) + 2, 'flatten')],
  });
  assert.equal(run.of('sleeve.stopped').length, 1);
  assert.equal(run.of('sleeve.rearmed').length, 0);
  assert.equal(run.of('order.filled').length, 2, 'in once, out once');
});

test('without rules nothing alerts, pauses or halts', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, 70, 50, 40, 30])],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : 1))],
    policy: 'none',
    sizing: 'all-in',
    desk: { disasterRatio: 0.9 },
  });
  assert.deepEqual(
    run.kinds().filter((kind) => kind === 'alert.raised' || kind === 'halt.latched' || kind === 'pause.began'),
    [],
  );
  assert.equal(format(run.engine.portfolio.quantity[0] ?? assert.fail()), '100');
});

// ---- money by another hand -----------------------------------------------------------------------------------------------

/** With the limits of the day where they usually are. */
const DAILY = { dailyLossAlertRatio: 0.04, dailyLossPauseRatio: 0.05 };

test('F36: a withdrawal of 30 % is a transfer: no drawdown, no loss of the day, and what is too much for what is left is cut', async () => {
  const run = await session(exposed([...flat(4, 100), ...flat(4, 100)], { words: [counted(closeOf(3) + 5, '7000')], policy: DAILY }));
  const { portfolio, account } = run.engine;
  const [transfer, ...more] = run.of('cash.transferred');
  assert.deepEqual(more, []);
  assert.deepEqual([format(transfer?.amount ?? ZERO_AMOUNT), transfer?.at], ['-3000', closeOf(3) + 5]);
  assert.equal(format(portfolio.totalGiven()), '7000');
  assert.deepEqual([run.of('halt.latched'), run.of('pause.began'), alerts(run, 'drawdown'), alerts(run, 'daily-loss')], [[], [], [], []]);
  assert.equal(alerts(run, 'account').length, 1);
  assert.ok(Math.abs(Number(run.held(0)) * 100 - 7_000) < 50, `of the money that is left: ${run.held(0)}`);
  assert.ok(Math.abs(account.peakEquity - 7_000) < 10 && Math.abs(account.dayStartEquity - 7_000) < 10, 'in proportion');
});

test('F36: after a withdrawal losses are measured from what was left, and halt and pause where they always do', async () => {
  const words = [counted(closeOf(3) + 5, '7000')];
  const paused = await session(exposed([100, 100, 100, 100, 100, 97, 96.5, 94.5, 94.5], { words, policy: DAILY }));
  const plain = await session(exposed([100, 100, 100, 100, 100, 97, 96.5, 94.5, 94.5], { policy: DAILY }));
  assert.deepEqual(
    paused.of('pause.began').map(({ at }) => paused.barAt(at)),
    plain.of('pause.began').map(({ at }) => plain.barAt(at)),
  );
  assert.equal(paused.of('pause.began').length, 1);
  const halted = await session(exposed([100, 100, 100, 100, 100, 90, 80, 74, 74], { words }));
  const [halt] = halted.of('halt.latched');
  assert.deepEqual([halted.barAt(halt?.at ?? NaN), /drawdown/.test(halt?.cause ?? '')], [7, true]);
});

test('F36: what comes back hides no drawdown, and nothing beyond the capital is taken', async () => {
  const words = [counted(closeOf(3) + 5, '6000'), counted(closeOf(5) + 5, '250000'), counted(closeOf(5) + 10, '99999')];
  let before = NaN;
  const run = new TestSession(exposed([100, 100, 100, 100, 100, 89, 89, 89, 74], { words }));
  const drawdown = (): number => 1 - run.engine.portfolio.equity / run.engine.account.peakEquity;
  run.onEvent = (event) => {
    if (event.kind === 'bar.closed' && event.at === closeOf(5)) before = drawdown();
    if (event.kind === 'account.reported' && event.at > closeOf(5))
      assert.ok(Math.abs(drawdown() - before) < 0.001, `${drawdown()} of ${before}`);
  };
  await run.run();
  assert.ok(before > 0.1);
  assert.deepEqual(
    run.of('cash.transferred').map(({ amount }) => format(amount)),
    ['-4000', '4000'],
  );
  assert.equal(format(run.engine.portfolio.totalGiven()), '10000');
});

test('F36: hearing it again, or hearing that more is there than the run was given, books nothing', async () => {
  const words = [counted(closeOf(2) + 5, '10000'), counted(closeOf(3) + 5, '50000'), counted(closeOf(4) + 5, '9000')];
  const run = await session(exposed(flat(9, 100), { words: [...words, counted(closeOf(5) + 5, '9000')] }));
  assert.deepEqual(
    run.of('cash.transferred').map(({ amount }) => format(amount)),
    ['-1000'],
  );
});

test('F36: a run whose money is all gone halts, and what comes back is measured from where it was', async () => {
  const words = [counted(closeOf(3) + 5, '0'), counted(closeOf(5) + 5, '10000')];
  const run = await session(exposed(flat(9, 100), { words }));
  assert.equal(run.of('halt.latched')[0]?.at, closeOf(3) + 5);
  assert.equal(format(run.engine.portfolio.totalGiven()), '10000');
  assert.ok(run.engine.account.peakEquity > 9_900 && run.engine.account.peakEquity <= 10_000);
});

test('F36: killed on either side of a transfer a run goes on to the same state, and books it once', async () => {
  const parts = exposed([100, 100, 101, 99, 98, 99, 97, 96, 95, 96], {
    words: [counted(closeOf(3) + 5, '6400.5'), counted(closeOf(6) + 5, '8000')],
    policy: DAILY,
  });
  const whole = await session(parts);
  for (const killAt of [closeOf(3), closeOf(3) + 5, closeOf(5), closeOf(6) + 5]) {
    const first = new TestSession(parts);
    let bytes: Uint8Array | undefined;
    first.onEvent = (event) => {
      if (bytes === undefined && event.at >= killAt) bytes = first.snapshot();
    };
    await first.run();
    const second = new TestSession(parts);
    second.restore(new ByteReader(bytes ?? assert.fail('it was killed')));
    await second.run();
    assert.equal(second.stateHash, whole.stateHash);
    const after = killAt >= closeOf(6) + 5 ? 0 : killAt >= closeOf(3) + 5 ? 1 : 2;
    assert.equal(second.of('cash.transferred').length, after);
  }
});
