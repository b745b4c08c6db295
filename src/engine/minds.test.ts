// The mind: when it is asked, what becomes of an answer that does not come, is late, or is nonsense.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BallastError } from '../domain/errors.ts';
import { abstain } from '../domain/opinion.ts';
import type { Evidence } from '../domain/strategy.ts';
import { MINUTE_MS } from '../domain/time.ts';
import { ema, on } from '../features/catalog.ts';
import {
  bars,
  closeOf,
  flat,
  forecast,
  operator,
  session,
  single,
  stances,
  TestSession,
  type Quote,
  type SessionParts,
} from '../../test/support/session.ts';

const HOLE: Quote = undefined;

/** Records the closes for which it was asked, as bar numbers of its first leg. */
function witness(answer: (bar: number) => unknown = () => 0): {
  asked: [number, number][];
  says: (bar: number, evidence: Evidence) => unknown;
} {
  const asked: [number, number][] = [];
  return {
    asked,
    says: (bar, evidence) => {
      asked.push([bar, evidence.at]);
      return answer(bar);
    },
  };
}

test('a mind is silent until every declared feature is warm', async () => {
  const mind = witness();
  await session({
    bars: [bars(flat(30, 100))],
    sleeves: [single(0, mind.says, { features: { fast: ema(4), slow: on({ timeframeMs: 5 * MINUTE_MS }, ema(3)) } })],
  });
  assert.equal(mind.asked[0]?.[0], 14, 'three bars of five minutes');
});

test('warm-up bars form features and ask nobody', async () => {
  const mind = witness(() => 1);
  const run = await session({
    bars: [bars(flat(20, 100))],
    from: closeOf(9),
    sleeves: [single(0, mind.says, { features: { fast: ema(4) } })],
  });
  assert.equal(mind.asked[0]?.[0], 10);
  assert.equal(run.of('decision.taken')[0]?.at, closeOf(10));
});

test('a mind on four bars is asked on the close of the fourth and sees that bar', async () => {
  const seen: number[][] = [];
  await session({
    bars: [bars([1, 2, 3, 4, 5, 6, 7, 8].map((base): Quote => [base, base + 0.5, base - 0.5, base + 0.25]))],
    sleeves: [
      single(
        0,
        (_, { at, bars: [bar] }) => {
          seen.push([at, bar?.open ?? NaN, bar?.high ?? NaN, bar?.low ?? NaN, bar?.close ?? NaN, bar?.volume ?? NaN]);
          return 0;
        },
        { timeframeMs: 4 * MINUTE_MS },
      ),
    ],
  });
  assert.deepEqual(seen, [
    [closeOf(3), 1, 4.5, 0.5, 4.25, 4],
    [closeOf(7), 5, 8.5, 4.5, 8.25, 4],
  ]);
});

test('a mind of two legs is asked once, when the bars of both have arrived', async () => {
  const mind = witness();
  const run = await session({
    bars: [bars(flat(5, 100)), bars(flat(5, 50))],
    sleeves: [{ instruments: [0, 1], minds: [mind] }],
  });
  assert.deepEqual(
    mind.asked,
    [0, 1, 2, 3, 4].map((bar) => [bar, closeOf(bar)]),
  );
  assert.equal(run.of('decision.taken').length, 0);
});

for (const [late, name] of [
  [0, 'first'],
  [1, 'second'],
] as const) {
  test(`when the ${name} leg has no bar the mind abstains after the grace, and is not asked about half of it`, async () => {
    const mind = witness((bar) => (bar < 1 ? 0 : 1));
    const quotes = [flat(8, 100), flat(8, 50)].map((list, leg): Quote[] => list.map((at, bar) => (leg === late && bar === 3 ? HOLE : at)));
    const run = new TestSession({ bars: quotes.map((list) => bars(list)), sleeves: [{ instruments: [0, 1], minds: [mind] }] });
    const grace: [number, string][] = [];
    run.onEvent = (event) => {
      if (event.kind === 'timer.rang') grace.push([event.at, run.engine.minds[0]?.opinion?.kind ?? '']);
    };
    await run.run();
    assert.deepEqual(
      mind.asked.map(([bar]) => bar),
      [0, 1, 2, 4, 5, 6, 7],
    );
    assert.deepEqual(grace, [[closeOf(3) + 2_000, 'abstention']]);
    assert.equal(run.of('decision.taken').length, 1, 'an abstention holds what is held');
  });
}

test('an abstention holds and adds nothing', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, 90, 110, 100, 100, 100])],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : bar === 1 ? forecast(0.5, { protection: { stopRatio: 0.35 } }) : abstain('unsure')))],
    plan: { opinionLifeBars: 20 },
  });
  assert.equal(run.of('decision.taken').length, 1);
  assert.equal(run.held(0), '5');
});

test('an abstention does not prolong the forecast before it: when that expires the sleeve is flat', async () => {
  const run = await session({
    bars: [bars(flat(10, 100))],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : bar === 1 ? 1 : abstain('unsure')))],
  });
  const [, flatDecision] = run.of('decision.taken');
  assert.equal(flatDecision?.at, closeOf(4));
  assert.equal(flatDecision?.changes[0]?.pool?.outcome, 'expired');
  assert.equal(run.held(0), '0');
});

test('a forecast expires in the middle of a hole in the data, and its mind is not asked again about the old bar', async () => {
  const mind = witness((bar) => (bar < 1 ? 0 : 1));
  const run = await session({
    bars: [bars([...flat(3, 100), HOLE, HOLE, HOLE, HOLE, HOLE, ...flat(4, 100)]), bars(flat(12, 50))],
    sleeves: [single(0, mind.says)],
  });
  assert.deepEqual(
    mind.asked.map(([bar]) => bar),
    [0, 1, 2, 8, 9, 10, 11],
  );
  assert.deepEqual(
    run.of('decision.taken').map(({ at, changes }) => [run.barAt(at), changes[0]?.stance]),
    [
      [1, 1],
      [5, 0],
      [8, 1],
    ],
    'three bars after bar 2 nobody stands by it any more',
  );
});

test('an expiry between two bars comes before the later bar', async () => {
  const run = new TestSession({
    bars: [bars([...flat(3, 100), HOLE, HOLE, ...flat(3, 100)])],
    sleeves: [single(0, stances([0, 1]))],
    plan: { opinionLifeBars: 1 },
  });
  await run.run();
  const times = run.events.map(({ at }) => at);
  assert.deepEqual(
    times,
    times.toSorted((left, right) => left - right),
  );
  assert.ok(run.events.some((event) => event.kind === 'timer.rang' && event.at === closeOf(3) && event.happenedAt === closeOf(3)));
});

const NONSENSE: readonly [string, unknown, RegExp][] = [
  ['NaN as stance', NaN, /a stance of NaN/],
  ['a stance of 2', 2, /a stance of 2, expected a stance from -1 to 1/],
  ['a stance in words', { kind: 'forecast', stance: '0.5', confidence: 1 }, /a stance of "0.5"/],
  ['no stance', { kind: 'forecast', stance: null, confidence: 1 }, /a stance of null/],
  ['a confidence of 7', forecast(1, { confidence: 7 }), /a confidence of 7/],
  ['undefined', undefined, /the answer undefined/],
  ['a word', 'buy', /the answer "buy"/],
  ['a promise', Promise.resolve(1), /the answer/],
  ['an abstention without words', { kind: 'abstention' }, /an abstention because of undefined/],
  ['an expected return in words', { ...forecast(1), expectedReturn: '0.01' }, /an expected return of "0.01", expected a finite ratio/],
  ['an expected return of no number', forecast(1, { expectedReturn: NaN }), /an expected return of NaN/],
  ['a stop beyond the price', forecast(1, { protection: { stopRatio: 1.5 } }), /a stop ratio of 1.5/],
  ['a stop in words', { ...forecast(1), protection: 'tight' }, /a protection of "tight"/],
  ['a trail of no number', forecast(1, { protection: { trailR: NaN } }), /a trailR of (NaN|null)/],
  [
    'a trail beyond the price',
    forecast(1, { protection: { trailRatio: 1 } }),
    /a trail ratio of 1, expected a trail ratio between 0 and 1/,
  ],
  ['legs that are not its own', forecast(1, { legs: [1, -1] }), /leg ratios \[1,-1\]/],
  ['legs in words', { ...forecast(1), legs: 'x' }, /leg ratios "x"/],
];

for (const [name, answer, found] of NONSENSE) {
  test(`${name} stops a run that may stop, naming the strategy and the bar`, async () => {
    const parts: SessionParts = {
      bars: [bars(flat(6, 100))],
      sleeves: [single(0, (bar) => (bar < 2 ? 0 : answer), { name: 'wizard' })],
    };
    await assert.rejects(session(parts), (error) => {
      assert.ok(error instanceof BallastError, String(error));
      assert.equal(error.code, 'MIND_FAILED');
      assert.match(error.place, /strategy wizard at 2026-01-05T00:03:00Z \(bar closed 2026-01-05T00:03:00Z\)/);
      assert.match(error.message, found);
      return true;
    });
  });

  test(`${name} is an abstention where a run goes on`, async () => {
    const run = await session({
      bars: [bars(flat(6, 100))],
      sleeves: [single(0, (bar) => (bar === 0 ? 0 : bar === 2 ? answer : 1))],
      plan: { mindFailure: { action: 'suspend', strikes: 3 } },
    });
    const [failed] = run.of('mind.failed');
    assert.equal(failed?.at, closeOf(2));
    assert.match(failed?.because ?? '', found);
    assert.equal(run.of('mind.failed').length, 1);
    assert.equal(run.held(0), '10', 'what was held is held');
  });
}

test('what a mind throws is told with the strategy and the bar', async () => {
  const parts: SessionParts = {
    bars: [bars(flat(6, 100))],
    sleeves: [
      single(
        0,
        () => {
          throw new TypeError('x is not a function');
        },
        { name: 'wizard' },
      ),
    ],
  };
  await assert.rejects(session(parts), /strategy wizard at 2026-01-05T00:01:00Z .*an exception: x is not a function/);
});

test('F47: after the last strike a mind is suspended, its sleeve flat, and it is never asked again', async () => {
  const mind = witness((bar) => {
    if (bar < 3) return 1;
    throw new Error('out of ideas');
  });
  const run = await session({
    bars: [bars(flat(12, 100))],
    sleeves: [single(0, mind.says)],
    plan: { mindFailure: { action: 'suspend', strikes: 2 }, opinionLifeBars: 50 },
  });
  assert.equal(run.of('mind.failed').length, 2);
  const [suspended] = run.of('mind.suspended');
  assert.equal(suspended?.at, closeOf(4));
  assert.match(suspended?.because ?? '', /failed 2 times, last: .*out of ideas/);
  assert.equal(mind.asked.at(-1)?.[0], 4);
  assert.equal(run.held(0), '0');
  assert.equal(run.of('order.filled').at(-1)?.at, closeOf(4) + 1);
});

test('F47: a mind that throws delays no reflex of the same event', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, 100, [100, 100, 60, 60], ...flat(4, 60)])],
    sleeves: [
      single(0, (bar) => (bar < 1 ? 0 : forecast(1, { protection: { stopRatio: 0.9 } }))),
      single(0, (bar) => {
        if (bar === 4) throw new Error('at the worst of times');
        return 0;
      }),
    ],
    policy: { fixedRatio: 1, positionRatio: 1, riskPerTradeRatio: 1, heatRatio: 1, fatFingerRatio: 2 },
    plan: { mindFailure: { action: 'suspend', strikes: 3 } },
    desk: { disasterRatio: 0.93, disasterGapRatio: 0.02 },
  });
  const [halt] = run.of('halt.latched');
  const [exit] = run.of('order.intended').filter(({ intent }) => intent.reduceOnly && intent.role === 'target');
  assert.equal(halt?.at, closeOf(4));
  assert.equal(exit?.at, closeOf(4));
  const kinds = run.entries.filter(({ at }) => at === closeOf(4)).map(({ kind }) => kind);
  assert.ok(kinds.indexOf('order.intended') < kinds.indexOf('mind.failed'), `the body first: ${kinds.join(', ')}`);
});

test('in the run that stops, the reflex has gone out before', async () => {
  const run = new TestSession({
    bars: [bars(flat(6, 100))],
    sleeves: [
      single(0, (bar) => {
        if (bar === 3) throw new Error('too late');
        return bar < 1 ? 0 : 1;
      }),
    ],
    words: [operator(closeOf(3), 'flatten')],
  });
  await assert.rejects(run.run(), /too late/);
  assert.ok(run.of('order.intended').some(({ at, intent }) => at === closeOf(3) && intent.reduceOnly && intent.role === 'target'));
});

for (const [name, explains] of [
  ['throws', (): unknown => assert.fail('no words')],
  ['answers nothing', (): unknown => undefined],
  ['answers nonsense', (): unknown => ({ because: 7 })],
] as const) {
  test(`a mind whose explanation ${name} is still followed`, async () => {
    const run = await session({
      bars: [bars(flat(4, 100))],
      sleeves: [{ instruments: [0], minds: [{ says: stances([0, 1]), explains }] }],
    });
    assert.match(run.of('decision.taken')[0]?.changes[0]?.opinions[0]?.because ?? '', /no reasons/);
    assert.equal(run.held(0), '10');
  });
}

test('who is not known to answer in time gives reasons where somebody reads them: as it changes something, or when a halt is released on it', async () => {
  const explained: number[] = [];
  const explains = ({ at }: Evidence): unknown => {
    explained.push(at);
    return { because: `as of ${at}`, numbers: {} };
  };
  const released = closeOf(3) + 5_000;
  const run = await session({
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, stances([0, 1]), { explains, isTrusted: false })],
    words: [operator(closeOf(3) + 10, 'halt'), operator(released, 'resume')],
  });
  assert.deepEqual(explained, [closeOf(1), released]);
  assert.deepEqual(
    run.of('decision.taken').map(({ at, changes }) => [at, changes[0]?.opinions[0]?.because]),
    [
      [closeOf(1), `as of ${closeOf(1)}`],
      [released, `as of ${released}`],
    ],
  );
});

test('a letter is an opinion where it arrives, and its mind is not asked for another', async () => {
  const mind = witness(() => 0);
  const run = await session({
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, mind.says, { timeframeMs: 4 * MINUTE_MS })],
    words: [{ kind: 'opinion.formed', at: closeOf(4) + 10, happenedAt: closeOf(4), source: 0, opinion: forecast(1) }],
  });
  const [decision] = run.of('decision.taken');
  assert.equal(decision?.at, closeOf(4) + 10);
  assert.deepEqual(
    mind.asked.map(([, at]) => at),
    [closeOf(3), closeOf(7)],
  );
});

test('a mind knows its own sleeve and no other', async () => {
  const known: unknown[] = [];
  await session({
    bars: [bars(flat(6, 100))],
    sleeves: [
      single(0, stances([0, -1])),
      single(0, (bar, { sleeve }) => {
        known.push([sleeve.side, sleeve.stance, Math.round(sleeve.entryPrice), sleeve.heldSince]);
        return bar < 2 ? 0 : 1;
      }),
    ],
  });
  assert.deepEqual(known, [
    [0, 0, NaN, NaN],
    [0, 0, NaN, NaN],
    [0, 0, NaN, NaN],
    [1, 1, 100, closeOf(2) + 1],
    [1, 1, 100, closeOf(2) + 1],
    [1, 1, 100, closeOf(2) + 1],
  ]);
});

test('a strategy for two legs in a sleeve of one is refused by name', () => {
  const parts: SessionParts = {
    bars: [bars(flat(2, 100)), bars(flat(2, 50))],
    sleeves: [{ instruments: [0, 1], minds: [{ says: () => 0, name: 'pairs' }] }],
  };
  const { plan } = new TestSession(parts);
  assert.equal(plan.minds[0]?.forecaster.legs, 2);
  assert.throws(
    () => new TestSession({ ...parts, sleeves: [single(0, () => 0, { name: 'far', features: { other: on({ leg: 1 }, ema(3)) } })] }),
    /strategy far, feature other: found leg 1/,
  );
});

test('how stretched the reasons say the subject is stands in the decision, and nothing where they name no number of that name', async () => {
  const noted = async (explains: () => unknown): Promise<number | undefined> => {
    const run = await session({ bars: [bars(flat(4, 100))], sleeves: [single(0, (bar) => (bar < 1 ? 0 : 1), { explains })] });
    return run.of('decision.taken')[0]?.changes[0]?.opinions[0]?.zScore;
  };
  assert.equal(await noted(() => ({ because: 'stretched', numbers: { zScore: -2.5 } })), -2.5);
  for (const numbers of [{}, { zScore: 'much' }, undefined, null]) assert.equal(await noted(() => ({ because: 'so', numbers })), NaN);
});
