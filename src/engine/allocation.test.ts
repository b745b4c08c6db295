// Shares of equity that are divided anew: when, how it is told, and what is traded because of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, toNumber } from '../domain/decimal.ts';
import { DAY_MS, HOUR_MS } from '../domain/time.ts';
import {
  bars,
  closeOf,
  forecast,
  session,
  single,
  START,
  type SessionParts,
  type TestMind,
  type TestSession,
} from '../../test/support/session.ts';

const BAR_MS = 6 * HOUR_MS;

/** Up and down by so much, in another rhythm each. */
function swinging(move: number, rhythm: number): ReturnType<typeof bars> {
  let last = 100;
  const closes = Array.from({ length: 40 }, (_, bar) => (last *= bar % rhythm === 0 ? 1 - move * (rhythm - 1) : 1 + move));
  return bars(closes, { timeframeMs: BAR_MS });
}

/** Two sleeves of half of equity each: one in a calm market, one in a market that moves four times as much. */
function twoSleeves(says: readonly [TestMind['says'], TestMind['says']], more: Partial<SessionParts> = {}): SessionParts {
  return {
    bars: [swinging(0.002, 3), swinging(0.008, 5)],
    baseTimeframeMs: BAR_MS,
    sleeves: says.map((each, instrument) => ({
      name: ['calm', 'wild'][instrument] ?? '',
      instruments: [instrument],
      shareRatio: 0.5,
      minds: [{ says: each }],
    })),
    policy: { stopRatio: 0.3, stopAtr: 50, dailyLossPauseRatio: 0.9, dailyLossAlertRatio: 0.9 },
    council: { allocation: 'erc', allocationWindowDays: 3, allocationCadenceDays: 100 },
    ...more,
  };
}

const always = (): number => 1;

function ordersOf(run: TestSession, instrument: number): (readonly [bar: number, side: string, quantity: number])[] {
  return run.of('order.intended').flatMap(({ at, intent: { role, instrument: of, side, quantity } }) => {
    return role === 'target' && of === instrument ? [[Math.floor((at - START) / BAR_MS) - 1, side, toNumber(quantity)] as const] : [];
  });
}

test('shares are divided at the end of the day on which the window is full, and told in words and numbers', async () => {
  const run = await session(twoSleeves([always, always]));
  const changes = run.of('shares.changed');
  assert.equal(changes.length, 1);
  const [{ at, shares, because } = assert.fail()] = changes;
  // The first day is over when the first bar after it is seen: the session begins with the close of the first bar.
  assert.equal(at, START + 3 * DAY_MS);
  const [calm = NaN, wild = NaN] = shares;
  assert.ok(Math.abs(calm + wild - 1) < 1e-12 && calm > 0.6, `${calm} and ${wild}`);
  assert.equal(because, `equal contributions to risk of 3 days: calm ${(calm * 100).toFixed(2)} %, wild ${(wild * 100).toFixed(2)} %`);
});

test('a larger share is not traded until its sleeve decides anew, and a smaller one is cut to it at once, beyond the tolerance', async () => {
  // The calm one turns on bar 20.
  const run = await session(twoSleeves([(bar) => (bar < 20 ? 1 : -1), always]));
  const [{ shares: [calm = NaN, wild = NaN], at } = assert.fail()] = run.of('shares.changed');
  const [bought, turned, ...rest] = ordersOf(run, 0);
  assert.deepEqual([bought?.slice(0, 2), turned?.slice(0, 2), rest], [[0, 'buy'], [20, 'sell'], []]);
  // A tenth of the sleeve's share of 10,000, and what was held; prices and equity have hardly moved.
  const asked = (turned?.[2] ?? NaN) - (bought?.[2] ?? NaN);
  assert.ok(Math.abs(asked / ((1_000 * calm) / 100) - 1) < 0.05, `asked ${asked} on a share of ${calm}`);

  const [entry, cut, ...others] = ordersOf(run, 1);
  assert.deepEqual([entry?.slice(0, 2), cut?.slice(0, 2), others], [[0, 'buy'], [11, 'sell'], []]);
  const left = (entry?.[2] ?? NaN) - (cut?.[2] ?? NaN);
  assert.ok(Math.abs(left / (entry?.[2] ?? NaN) - wild / 0.5) < 0.001, `left ${left} of ${entry?.[2]} on a share of ${wild}`);
  assert.equal(run.held(1), format(run.engine.desk.wants.target[1] ?? assert.fail()));
  const decision = run.of('decision.taken').find((taken) => taken.at === at);
  assert.deepEqual(
    decision?.changes.map(({ sleeve, stanceBefore, stance, pool }) => [sleeve, stanceBefore, stance, pool]),
    [[1, 1, 1, undefined]],
    'it is a decision like any other cut of what stands',
  );
});

test('within the tolerance nothing is traded because of a share', async () => {
  const run = await session(
    twoSleeves([always, always], {
      policy: { stopRatio: 0.3, stopAtr: 50, dailyLossPauseRatio: 0.9, dailyLossAlertRatio: 0.9, standingToleranceRatio: 2 },
    }),
  );
  assert.ok((run.of('shares.changed')[0]?.shares[1] ?? 1) > 0.25, 'less than half of what it was');
  assert.deepEqual([ordersOf(run, 0).length, ordersOf(run, 1).length], [1, 1]);
});

test('equal is the default: every sleeve keeps its share, and no state is kept', async () => {
  const parts = twoSleeves([always, always], { council: {} });
  const run = await session(parts);
  assert.deepEqual(run.of('shares.changed'), []);
  assert.deepEqual([ordersOf(run, 0).length, ordersOf(run, 1).length], [1, 1]);
});

test('a sleeve that was stopped does not stand behind its exposure, and what is left of nothing is not cut', async () => {
  const run = await session(
    twoSleeves([always, (bar) => forecast(bar < 3 ? 0 : 1, { protection: { stopRatio: 0.01 } })], {
      council: { allocation: 'minimum-variance', allocationWindowDays: 3, allocationCadenceDays: 1 },
    }),
  );
  assert.ok(run.of('sleeve.stopped').length > 0);
  assert.ok(run.of('shares.changed').length > 3);
  assert.equal(
    run
      .of('decision.taken')
      .flatMap(({ changes }) => changes)
      .filter(({ sleeve, pool }) => sleeve === 1 && pool === undefined).length,
    0,
  );
});

test('where the weights do not exist the shares stay as they are, and that is told', async () => {
  // The same market twice in two days: nothing is left of the second once the first is known.
  const run = await session({
    ...twoSleeves([always, always]),
    sleeves: [single(0, always, { shareRatio: 0.5 }), single(0, always, { shareRatio: 0.5 })],
    council: { allocation: 'minimum-variance', allocationWindowDays: 2, allocationCadenceDays: 100 },
  });
  assert.deepEqual(run.of('shares.changed'), []);
  const [alert] = run.of('alert.raised');
  assert.equal(alert?.rule, 'allocation');
  assert.match(alert.why, /^the shares stay as they are: a matrix that is not positive definite/);
  assert.ok(alert.at > closeOf(1, BAR_MS));
});
