// The life of a trade, from a bar to a stop and back in, and who may hold what: sleeves, crossings, the disaster stop, funding.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultCouncilSettings } from '../council/council.ts';
import { minutes } from '../council/minutes.ts';
import { ByteReader } from '../domain/bytes.ts';
import { format, toNumber } from '../domain/decimal.ts';
import type { BookEvent } from '../domain/event.ts';
import type { OrderIntent } from '../domain/order.ts';
import { abstain, type Opinion } from '../domain/opinion.ts';
import { HOUR_MS, MINUTE_MS } from '../domain/time.ts';
import { bars, closeOf, flat, forecast, operator, session, single, stances, TestSession, START } from '../../test/support/session.ts';

/** Orders to hold something, not to protect it. */
function entries(run: TestSession): OrderIntent[] {
  return run.of('order.intended').flatMap(({ intent }) => (intent.role === 'target' ? [intent] : []));
}

test('a bar becomes an opinion, a decision, an order with its stops attached, a fill at the next open, a stop-out inside a bar', async () => {
  const run = await session({
    // Closes at 100 on bar 2; opens at 101 on bar 3; falls through the stop inside bar 5.
    bars: [bars([100, 100, 100, [101, 102, 100, 102], [102, 103, 101, 103], [103, 103, 95, 96], ...flat(3, 96)])],
    sleeves: [single(0, stances([0, 0, 1]))],
  });
  assert.deepEqual(run.kinds(), ['decision.taken', 'order.intended', 'order.filled', 'order.filled', 'sleeve.stopped', 'order.cancelled']);
  const [decision] = run.of('decision.taken');
  assert.equal(decision?.at, closeOf(2));
  assert.deepEqual(
    decision?.changes.map(({ stanceBefore, stance }) => [stanceBefore, stance]),
    [[0, 1]],
  );
  const [entry] = entries(run);
  assert.equal(entry?.side, 'buy');
  // A tenth of 10,000 at 100.
  assert.equal(format(entry.quantity), '10');
  assert.deepEqual(
    entry.attached.map(({ role, stopPrice, reduceOnly }) => [role, stopPrice === undefined ? NaN : toNumber(stopPrice), reduceOnly]),
    [
      ['stop', 97, true],
      ['disaster', 90, true],
    ],
  );
  const [entered, stopped] = run.of('order.filled');
  assert.equal(entered?.at, closeOf(2) + 1, 'the answer takes a millisecond');
  assert.equal(toNumber(entered?.fill?.price ?? assert.fail()), 101, 'a market order fills at the open of the bar that contains it');
  assert.equal(stopped?.at, closeOf(5));
  assert.equal(toNumber(stopped?.fill?.price ?? assert.fail()), 97, 'a stop fills at its level inside the bar');
  assert.equal(run.held(0), '0');
  // 10 x (97 - 101) less 0.1 % of 1010 and of 970.
  assert.equal(format(run.engine.portfolio.totalCash()), '9958.02');
});

test('a stop that the market opens beyond fills at the open', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, 100, [90.5, 91, 90.4, 91], 91, 91])],
    sleeves: [single(0, stances([0, 0, 1]))],
  });
  assert.equal(toNumber(run.of('order.filled')[1]?.fill?.price ?? assert.fail()), 90.5);
});

test('a stopped sleeve stays out while its mind keeps its side, and re-arms once the mind was neutral', async () => {
  const crash = [100, 100, 100, 100, [100, 100, 95, 95] as const, ...flat(12, 95)];
  const stubborn = await session({ bars: [bars(crash)], sleeves: [single(0, stances([0, 1]))] });
  assert.equal(stubborn.of('sleeve.stopped').length, 1);
  assert.equal(stubborn.of('sleeve.rearmed').length, 0);
  assert.equal(entries(stubborn).length, 1);

  const patient = await session({ bars: [bars(crash)], sleeves: [single(0, stances([0, 1, 1, 1, 1, 1, 0, 1]))] });
  const [rearmed] = patient.of('sleeve.rearmed');
  assert.equal(rearmed?.at, closeOf(6));
  assert.deepEqual(
    entries(patient).map(({ at }) => at),
    [closeOf(1), closeOf(7)],
  );
});

test('a stopped sleeve re-arms at once for the other side', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, 100, [100, 100, 95, 95], ...flat(8, 95)])],
    sleeves: [single(0, stances([0, 1, 1, 1, 1, -1]))],
  });
  assert.deepEqual(
    entries(run).map(({ at, side }) => [at, side]),
    [
      [closeOf(1), 'buy'],
      [closeOf(5), 'sell'],
    ],
  );
});

test('an abstention and an unchanged side do not re-arm a stopped sleeve', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, 100, [100, 100, 95, 95], ...flat(8, 95)])],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : bar % 2 === 0 ? abstain('unsure') : 0.5 + (bar % 3) / 6))],
  });
  assert.equal(run.of('sleeve.stopped').length, 1);
  assert.equal(run.of('sleeve.rearmed').length, 0);
});

test('a stance that moves by less than the step changes nothing, one that moves by the step is a decision', async () => {
  const run = await session({
    bars: [bars(flat(10, 100))],
    sleeves: [single(0, stances([0, 0.5, 0.7, 0.74, 0.3, 0.75, 0.75]))],
  });
  assert.deepEqual(
    run.of('decision.taken').map(({ at, changes }) => [run.barAt(at), changes[0]?.stance]),
    [
      [1, 0.5],
      [5, 0.75],
    ],
  );
});

test('a change of sign is a decision however small it is', async () => {
  const run = await session({ bars: [bars(flat(8, 100))], sleeves: [single(0, stances([0, 0.1, -0.1, -0.1, 0]))] });
  assert.deepEqual(
    run.of('decision.taken').map(({ changes }) => changes[0]?.stance),
    [0.1, -0.1, 0],
  );
});

test('drift inside the band places no order', async () => {
  const rising = Array.from({ length: 30 }, (_, index) => 100 * 1.01 ** index);
  const run = await session({ bars: [bars(rising)], sleeves: [single(0, stances([0, 1]))] });
  assert.equal(entries(run).length, 1);
});

test('the order of a flip closes one side and opens the other, with the stop of the new side', async () => {
  const run = await session({ bars: [bars(flat(8, 100))], sleeves: [single(0, stances([0, 1, 1, -1]))] });
  const [, flip] = entries(run);
  assert.equal(flip?.side, 'sell');
  assert.equal(format(flip.quantity), '19.999', 'the tenth of the equity that fees have left, and what was held');
  assert.deepEqual(
    flip.attached.map(({ role, side }) => [role, side]),
    [
      ['stop', 'buy'],
      ['disaster', 'buy'],
    ],
  );
  assert.equal(run.held(0), '-9.999');
});

test('a trailing stop follows in whole steps of R', async () => {
  const run = await session({
    bars: [bars([100, 100, 100, [100, 103.5, 100, 103.5], [103.5, 106.5, 103, 106.5], 106.5, [106.5, 106.5, 102, 102.5], 102.5, 102.5])],
    sleeves: [single(0, stances([0, 0, 1]))],
    policy: { trailR: 1 },
  });
  // One R is 3: at 103 the stop is at the entry, at 106 one R above it.
  assert.deepEqual(
    run.of('stop.moved').map(({ at, stopPrice }) => [run.barAt(at), Math.round(stopPrice * 1e6) / 1e6]),
    [
      [3, 100],
      [4, 103],
    ],
  );
  assert.equal(toNumber(run.of('order.filled')[1]?.fill?.price ?? assert.fail()), 103);
});

test("the forecast's own stop replaces the policy's", async () => {
  const run = await session({
    bars: [bars(flat(6, 100))],
    sleeves: [single(0, (bar) => (bar < 2 ? 0 : forecast(1, { protection: { stopRatio: 0.07 } })))],
  });
  const stop = entries(run)[0]?.attached[0]?.stopPrice;
  assert.equal(toNumber(stop ?? assert.fail()), 93);
});

test('on spot a negative stance is flat', async () => {
  const run = await session({
    instruments: [{ kind: 'spot', symbol: 'A/USDT' }],
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, stances([-1, -1, 1, 1, -1]))],
  });
  assert.deepEqual(
    entries(run).map(({ at, side, quantity }) => [run.barAt(at), side, format(quantity)]),
    [
      [2, 'buy', '10'],
      [4, 'sell', '10'],
    ],
  );
  assert.equal(run.held(0), '0');
});

test('spot is sold short only where that is allowed', async () => {
  const run = await session({
    instruments: [{ kind: 'spot', symbol: 'A/USDT' }],
    bars: [bars(flat(6, 100))],
    sleeves: [single(0, stances([0, -1]))],
    plan: { allowSpotShort: true },
  });
  assert.equal(run.held(0), '-10');
});

test('three minds of one sleeve become one stance, one decision and one order', async () => {
  const mind = (name: string, stance: number, weight: number) => ({ name, says: stances([0, stance]), weight });
  const run = await session({
    bars: [bars(flat(6, 100))],
    sleeves: [{ instruments: [0], minds: [mind('bull', 1, 2), mind('bear', -0.5, 1), mind('cow', 0.5, 1)] }],
  });
  const decisions = run.of('decision.taken');
  assert.equal(decisions.length, 1);
  const [change] = decisions[0]?.changes ?? [];
  // Average (2 - 0.5 + 0.5) / 4, shrunk by agreement 2 / 3.
  assert.ok(Math.abs((change?.stance ?? NaN) - 1 / 3) < 1e-12, `stance ${change?.stance}`);
  assert.deepEqual(
    change?.opinions.map(({ stance }) => stance),
    [1, -0.5, 0.5],
  );
  const { voices, agreeing } = change?.pool ?? {};
  assert.deepEqual([voices, agreeing], [3, 2]);
  const names = { sleeveNames: ['herd'], sourceNames: ['bull', 'bear', 'cow'], settings: defaultCouncilSettings };
  assert.match(minutes(decisions[0] ?? assert.fail(), names), /bull .*bear .*cow/s);
  assert.equal(entries(run).length, 1);
});

test('sleeves that offset each other cross at the last close, without a fee, with every part journaled', async () => {
  const run = await session({
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, stances([0, 1, 1, -1])), single(0, stances([0, 0, 0, 1]), { shareRatio: 0.5 })],
  });
  const [crossing] = run.of('crossing.made');
  assert.ok(crossing !== undefined);
  assert.equal(toNumber(crossing.price), 100);
  assert.deepEqual(
    crossing.parts.map(({ sleeve, quantity }) => [sleeve, format(quantity)]),
    [
      [1, '4.999'],
      [0, '-4.999'],
    ],
  );
  assert.equal(format(run.engine.portfolio.fees[1] ?? assert.fail()), '0');
  assert.equal(run.held(1), '4.999');
  assert.equal(run.held(0), '-9.999');
});

test('a sleeve that opens against another finds nobody to cross with', async () => {
  const run = await session({
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, stances([0, 1])), single(0, stances([0, 0, 0, -1]), { shareRatio: 0.5 })],
  });
  assert.equal(run.of('crossing.made').length, 0);
  assert.deepEqual([run.held(0), run.held(1)], ['10', '-4.999']);
});

test('between opposite sleeves the engine holds the stops, and acts on the close of the bar that hit them', async () => {
  const run = await session({
    bars: [bars([...flat(6, 100), [100, 100, 96, 97], ...flat(4, 97)])],
    sleeves: [single(0, stances([0, 1])), single(0, stances([0, 0, 0, -1]), { shareRatio: 0.5 })],
  });
  const [stopped] = run.of('sleeve.stopped');
  assert.equal(stopped?.sleeve, 0);
  assert.equal(stopped.at, closeOf(6));
  assert.match(stopped.because, /held by the engine/);
  assert.equal(run.held(0), '0');
  assert.equal(run.held(1), '-4.999');
});

test('a disaster stop that fills takes its part of every sleeve in the instrument and stops them all', async () => {
  const run = await session({
    // Down by a fifth between two bars: beyond both sleeves' stops and beyond the disaster stop.
    bars: [bars([...flat(6, 100), [80, 81, 79, 80], ...flat(4, 80)])],
    sleeves: [
      single(0, (bar) => (bar < 1 ? 0 : forecast(1, { protection: { stopRatio: 0.15 } }))),
      single(0, (bar) => (bar < 3 ? 0 : forecast(-1, { protection: { stopRatio: 0.15 } })), { shareRatio: 0.5 }),
    ],
  });
  const stops = run.of('sleeve.stopped');
  assert.deepEqual(
    stops.map(({ sleeve }) => sleeve),
    [0, 1],
  );
  assert.ok(stops.every(({ because }) => because.startsWith('disaster stop')));
  assert.equal(run.held(0), '0');
  assert.equal(run.held(1), '0');
  assert.equal(format(run.venue.position[0] ?? assert.fail()), '0');
  assert.equal(format(run.venue.cash), format(run.engine.portfolio.totalCash()));
});

test('F40: a liquidation is booked to every sleeve in the instrument at the gap price, stops them all and says what others bore', async () => {
  const run = await session({
    bars: [bars([...flat(6, 100), [90, 91, 89, 90], ...flat(4, 90)])],
    sleeves: [
      single(0, (bar) => (bar < 1 ? 0 : forecast(1, { protection: { stopRatio: 0.2 } }))),
      single(0, (bar) => (bar < 3 ? 0 : forecast(-1, { protection: { stopRatio: 0.2 } })), { shareRatio: 0.5 }),
    ],
    venue: { maximumLeverage: 20, rules: { margin: 'isolated' } },
  });
  const [liquidation] = run.of('position.liquidated');
  assert.ok(liquidation !== undefined);
  // 5.001 net from 100, 5 % of it posted: liquidated below 95.5, closed at the open of the gap, and what was lost beyond the margin is not ours.
  assert.equal(format(liquidation.fill.price), '90');
  assert.equal(format(liquidation.insurance), '25.005');
  assert.deepEqual(
    run.of('sleeve.stopped').map(({ sleeve, because }) => [sleeve, because]),
    [
      [0, 'liquidated by the venue'],
      [1, 'liquidated by the venue'],
    ],
  );
  assert.match(
    run.of('alert.raised').find(({ rule }) => rule === 'liquidation')?.why ?? '',
    /liquidated at 90; the insurance fund bore 25\.005$/,
  );
  assert.deepEqual([run.held(0), run.held(1), format(run.venue.position[0] ?? assert.fail())], ['0', '0', '0']);
  assert.equal(format(run.venue.cash), format(run.engine.portfolio.totalCash()));
});

test('funding is booked to the sleeves that hold, at its boundary and at no other time', async () => {
  const run = await session({
    instruments: [{ fundingRate: 0.0001, fundingIntervalMs: HOUR_MS }],
    bars: [bars(flat(130, 100))],
    sleeves: [single(0, stances([0, 1]))],
  });
  assert.deepEqual(
    run.of('funding.paid').map(({ at, amount }) => [at, format(amount)]),
    [
      [START + HOUR_MS, '-0.1'],
      [START + 2 * HOUR_MS, '-0.1'],
    ],
  );
  assert.equal(format(run.engine.portfolio.funding[0] ?? assert.fail()), '-0.2');
});

test('boundaries that passed while nothing was held owe no funding', async () => {
  const run = await session({
    instruments: [{ fundingRate: 0.0001, fundingIntervalMs: HOUR_MS }],
    bars: [bars(flat(250, 100))],
    sleeves: [single(0, (bar) => (bar < 190 ? 0 : 1))],
  });
  assert.deepEqual(
    run.of('funding.paid').map(({ at }) => at),
    [START + 4 * HOUR_MS],
  );
});

test('an order that is open when the tape ends expires by name, and the run ends', async () => {
  const made = new TestSession({ bars: [bars(flat(6, 100))], sleeves: [single(0, stances([0, 1]))] });
  assert.equal(await made.run({ until: Infinity }), 'ended');
  assert.deepEqual(
    made.of('order.expired').map(({ order, reason }) => [order, reason]),
    [
      ['1-2', 'the tape ended'],
      ['1-3', 'the tape ended'],
    ],
  );
});

test('a run with a position in a perpetual ends with its tape', async () => {
  const made = new TestSession({
    instruments: [{ fundingRate: 0.0001, fundingIntervalMs: HOUR_MS }],
    bars: [bars(flat(70, 100))],
    sleeves: [single(0, stances([0, 1]))],
  });
  assert.equal(await made.run({ until: Infinity }), 'ended');
  assert.equal(made.of('funding.paid').length, 1);
});

test('a pair opens both legs with one decision and closes both when its spread has lost too much', async () => {
  const run = await session({
    bars: [bars([...flat(6, 100), 99, 98, 97, 96, ...flat(4, 96)]), bars(flat(14, 50))],
    sleeves: [{ instruments: [0, 1], minds: [{ says: stances([0, 1]) }] }],
  });
  const [long, short] = entries(run);
  assert.deepEqual([long?.instrument, long?.side, short?.instrument, short?.side], [0, 'buy', 1, 'sell']);
  const [stopped] = run.of('sleeve.stopped');
  assert.equal(stopped?.at, closeOf(8), 'three per cent of the first leg');
  assert.match(stopped?.because ?? '', /the spread lost/);
  assert.deepEqual([run.held(0, 0), run.held(0, 1)], ['0', '0']);
});

test('a pair whose legs fall together is not stopped, whichever of their bars comes first', async () => {
  // Eight per cent in one bar, which one leg alone would not survive.
  const falling = (from: number): number[] => [...flat(6, from), 0.92 * from, ...flat(5, 0.92 * from)];
  for (const [first, second] of [
    [100, 50],
    [50, 100],
  ] as const) {
    const run = await session({
      bars: [bars(falling(first)), bars(falling(second))],
      sleeves: [{ instruments: [0, 1], minds: [{ says: stances([0, 1]) }] }],
    });
    assert.deepEqual(run.of('sleeve.stopped'), []);
    assert.deepEqual([Number(run.held(0, 0)) > 0, Number(run.held(0, 1)) < 0], [true, true]);
  }
});

test('a pair whose second leg is refused gives up the first at once', async () => {
  const run = await session({
    bars: [bars(flat(8, 100)), bars(flat(8, 50))],
    sleeves: [{ instruments: [0, 1], minds: [{ says: stances([0, 1]) }] }],
    // The venue lends enough for one leg.
    venue: { maximumLeverage: 0.15 },
  });
  assert.match(run.of('sleeve.closed')[0]?.because ?? '', /a leg of the pair was refused/);
  assert.deepEqual([run.held(0, 0), run.held(0, 1)], ['0', '0']);
});

test('F30: a pair of which one leg stands alone is closed after its time, not after its bar', async () => {
  const run = await session({
    // The second instrument has no bar to fill in.
    bars: [bars(flat(12, 100)), bars([...flat(2, 50), undefined, undefined, undefined, ...flat(7, 50)])],
    sleeves: [{ instruments: [0, 1], minds: [{ says: (bar) => (bar === 1 ? 1 : 0) }] }],
    desk: { maximumLeggedMs: 5_000 },
  });
  const [closed] = run.of('sleeve.closed');
  assert.equal(closed?.at, closeOf(1) + 1 + 5_000);
  assert.match(closed?.because ?? '', /only one leg/);
  assert.deepEqual([run.held(0, 0), run.held(0, 1)], ['0', '0']);
});

test("an operator's word between two bars is obeyed between two bars", async () => {
  const at = closeOf(3) + 17_500;
  const run = await session({
    bars: [bars(flat(8, 100))],
    sleeves: [single(0, stances([0, 1]))],
    words: [operator(at, 'flatten')],
  });
  const [, exit] = run.of('order.filled').filter(({ fill }) => fill !== undefined);
  assert.equal(exit?.at, at + 1);
  assert.equal(exit.at % MINUTE_MS, 17_501);
  assert.equal(run.held(0), '0');
});

// ---- expected edge ---------------------------------------------------------------------------------------------------------

/** A forecast that expects so much of the instrument, in a market of 0.1 % taker fee: a round trip of one leg costs 0.2 %, and 1.5 x that is 0.3 %. */
function expecting(stance: number, expectedReturn: number): Opinion {
  return forecast(stance, { expectedReturn });
}

test('a trade whose expected return is below the multiple of its cost is not taken, and taken once enough is expected of the same side', async () => {
  const run = await session({
    bars: [bars(flat(10, 100))],
    sleeves: [single(0, (bar) => (bar < 1 ? 0 : expecting(1, bar < 5 ? 0.002_9 : 0.003)))],
    policy: { edgeMultiple: 1.5 },
  });
  assert.deepEqual(
    run.of('decision.taken').map(({ at, rulings, changes }) => [run.barAt(at), rulings.map(({ rule }) => rule), changes[0]?.stance]),
    [
      [1, ['minimum-edge'], 1],
      [5, [], 1],
    ],
    'what was held back is said once',
  );
  assert.equal(run.of('decision.taken')[0]?.rulings[0]?.why, '0.29 % is expected and 0.30 % needed, 1.5 x the 0.20 % of a round trip');
  assert.deepEqual(
    entries(run).map(({ at, quantity }) => [run.barAt(at), format(quantity)]),
    [[5, '10']],
  );
});

test('a held position is closed, reduced and stopped however little is expected of it, and a turn without edge only closes', async () => {
  const says = [
    0,
    expecting(1, 0.01),
    expecting(1, 0.01),
    expecting(0.5, 0),
    expecting(-1, -0.001),
    expecting(-1, 0.01),
    expecting(-1, -0.01),
    0,
  ];
  const run = await session({ bars: [bars(flat(10, 100))], sleeves: [single(0, (bar) => says[bar] ?? 0)] });
  assert.deepEqual(
    entries(run).map(({ at, side, reduceOnly }) => [run.barAt(at), side, reduceOnly]),
    [
      [1, 'buy', false],
      [3, 'sell', true],
      [4, 'sell', true],
      [6, 'sell', false],
      [7, 'buy', true],
    ],
  );
  assert.equal(run.held(0), '0');
});

test('a side is held against what it expects for itself: the sign of the subject turned by the stance', async () => {
  const run = await session({
    bars: [bars(flat(10, 100))],
    sleeves: [single(0, (bar) => [0, expecting(1, -0.5), expecting(-1, 0.5), expecting(-1, -0.003), 0][bar] ?? 0)],
    policy: { edgeMultiple: 1.5 },
  });
  assert.deepEqual(
    run.of('decision.taken').flatMap(({ at, rulings }) => rulings.map(({ why }) => [run.barAt(at), why.slice(0, 20)])),
    [
      [1, '-50.00 % is expected'],
      [2, '-50.00 % is expected'],
    ],
  );
  assert.deepEqual(
    entries(run).map(({ at, side, reduceOnly }) => [run.barAt(at), side, reduceOnly]),
    [
      [3, 'sell', false],
      [4, 'buy', true],
    ],
  );
});

test('where a book is known half its spread is part of the cost, and no longer once the book is lost', async () => {
  const book = (bar: number, bidPrice: number, askPrice: number): BookEvent => {
    const at = closeOf(bar) - 1;
    return {
      kind: 'book.changed',
      at,
      happenedAt: at,
      instrument: 0,
      bidPrice,
      bidQuantity: 1,
      askPrice,
      askQuantity: 1,
      imbalance: 0,
      warmup: false,
    };
  };
  const run = await session({
    bars: [bars(flat(10, 100))],
    sleeves: [single(0, (bar) => (bar < 2 ? 0 : expecting(1, 0.004)))],
    words: [book(1, 99.9, 100.1), book(5, NaN, NaN)],
    policy: { edgeMultiple: 1.5 },
  });
  assert.deepEqual(
    run.of('decision.taken').map(({ at, rulings }) => [run.barAt(at), rulings[0]?.why]),
    [
      [2, '0.40 % is expected and 0.60 % needed, 1.5 x the 0.40 % of a round trip'],
      [5, undefined],
    ],
  );
});

test('the cost of a pair is that of both legs, by their ratios', async () => {
  const run = (expectedReturn: number): Promise<TestSession> =>
    session({
      bars: [bars(flat(6, 100)), bars(flat(6, 50))],
      sleeves: [{ instruments: [0, 1], minds: [{ says: (bar) => (bar < 1 ? 0 : forecast(1, { expectedReturn, legs: [1, -0.5] })) }] }],
      policy: { edgeMultiple: 1 },
    });
  // 2 x 0.1 % x (1 + 0.5).
  assert.equal(entries(await run(0.002_99)).length, 0);
  assert.equal(entries(await run(0.003)).length, 2);
});

test('what waits for edge is part of the state: a session that is restored while it waits takes the trade when the other does', async () => {
  const parts = {
    bars: [bars(flat(10, 100))],
    sleeves: [single(0, (bar: number) => (bar < 1 ? 0 : expecting(1, bar < 5 ? 0.001 : 0.01)))],
  };
  const whole = await session(parts);
  const first = new TestSession(parts);
  await first.run({ until: closeOf(3) });
  const second = new TestSession(parts);
  second.restore(new ByteReader(first.snapshot()));
  await second.run();
  assert.equal(entries(second).length, 1);
  assert.equal(second.stateHash, whole.stateHash);
});
