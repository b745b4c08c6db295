// Strategies on spreads in the real engine: legs that lack bars, that end, that stand still, that copy each other, that are only looked at.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BarColumns } from '../../src/domain/bars.ts';
import { isZero } from '../../src/domain/decimal.ts';
import { forecaster, type Strategy } from '../../src/domain/strategy.ts';
import { HOUR_MS } from '../../src/domain/time.ts';
import { boundLegs, columnsOf } from '../../src/features/pairs/legs.fixture.ts';
import { basket } from '../../src/forecasts/strategies/basket.ts';
import { copulaPairs } from '../../src/forecasts/strategies/copula-pairs.ts';
import { distancePairs } from '../../src/forecasts/strategies/distance-pairs.ts';
import { dynamicPairs } from '../../src/forecasts/strategies/dynamic-pairs.ts';
import { pairs } from '../../src/forecasts/strategies/pairs.ts';
import { TestSession } from '../support/session.ts';

const BARS = 700;
/** From here on something is wrong. */
const TURN = 400;

interface Tried {
  readonly strategy: Strategy<unknown>;
  readonly parameters: object;
  readonly legs: number;
}

const TRIED: readonly Tried[] = [
  { strategy: pairs, parameters: { formation: 200 }, legs: 2 },
  { strategy: pairs, parameters: { formation: 200, hedge: 'kalman' }, legs: 2 },
  { strategy: dynamicPairs, parameters: { formation: 200 }, legs: 2 },
  { strategy: basket, parameters: { formation: 200, maximumGross: 50 }, legs: 3 },
  { strategy: distancePairs, parameters: { formation: 200, trading: 100 }, legs: 4 },
  { strategy: copulaPairs, parameters: { formation: 200, trading: 100, opening: 0.3 }, legs: 4 },
];

interface Lived {
  readonly run: TestSession;
  /** What the mind had said last, after every bar: words of an abstention, or none. */
  readonly abstentions: readonly string[];
  readonly stances: readonly number[];
}

async function live({ strategy, parameters, legs }: Tried, columns: readonly BarColumns[]): Promise<Lived> {
  const asked = forecaster(strategy, strategy.parameters.parse(parameters), legs);
  const run = new TestSession({
    bars: columns,
    startAt: 0,
    baseTimeframeMs: HOUR_MS,
    policy: 'none',
    // What comes back earns something where nothing is paid: a leg on the wrong side would not.
    instruments: columns.map(() => ({ takerFeeRate: 0 })),
    sleeves: [
      {
        instruments: columns.map((_, leg) => leg),
        minds: [
          {
            name: asked.name,
            features: asked.features,
            says: (_, evidence) => asked.opine(evidence),
            explains: (evidence) => asked.explain(evidence),
          },
        ],
      },
    ],
  });
  const abstentions: string[] = [];
  const stances: number[] = [];
  run.onPrice = ({ instrument }) => {
    if (instrument !== 0) return;
    const opinion = run.engine.minds[0]?.opinion;
    abstentions.push(opinion?.kind === 'abstention' ? opinion.because : '');
    stances.push(opinion?.kind === 'forecast' ? opinion.stance : NaN);
  };
  await run.run();
  return { run, abstentions, stances };
}

function without(columns: BarColumns, isThere: (bar: number) => boolean): BarColumns {
  const part = (column: Float64Array): Float64Array => column.filter((_, bar) => isThere(bar));
  const { openAt, open, high, low, close, volume } = columns;
  return { openAt: part(openAt), open: part(open), high: part(high), low: part(low), close: part(close), volume: part(volume) };
}

/** The last leg is another. */
function withLast(columns: readonly BarColumns[], change: (last: BarColumns) => BarColumns): BarColumns[] {
  return columns.map((each, leg) => (leg === columns.length - 1 ? change(each) : each));
}

for (const tried of TRIED) {
  const { strategy, parameters, legs } = tried;
  const name = 'hedge' in parameters ? `${strategy.name} by Kalman` : strategy.name;
  const history = boundLegs({ bars: BARS, legs, halfLife: 6 });

  test(`${name}: it trades all its legs at once, is never left with one, and names what it expects`, async () => {
    const { run, stances } = await live(tried, history);
    assert.ok(stances.includes(1) && stances.includes(-1), 'it takes both sides at some time');
    const closed = run.of('sleeve.closed').map(({ because }) => because);
    assert.deepEqual(closed, [], 'a leg that is only looked at is no leg that is missing');
    for (const { changes } of run.of('decision.taken')) {
      for (const { stance, quantities } of changes) {
        const traded = quantities.filter((quantity) => !isZero(quantity)).length;
        assert.equal(traded, stance === 0 ? 0 : strategy.name === 'basket' ? 3 : 2);
      }
    }
    assert.ok(run.engine.portfolio.equity > 10_000, `equity ${run.engine.portfolio.equity}`);
    if (strategy.name === 'copula-pairs') assert.equal(run.held(0), '0');
  });

  test(`${name}: a leg without a bar is abstained from, with the reason, and the next bar is as if nothing had been`, async () => {
    const holes = new Set([TURN, TURN + 1, TURN + 30]);
    const { run, abstentions } = await live(
      tried,
      withLast(history, (last) => without(last, (bar) => !holes.has(bar))),
    );
    // Seen at the next bar, before it is asked again.
    for (const hole of holes) assert.match(abstentions[hole + 1] ?? '', /a leg has no bar for this close/);
    assert.equal(abstentions.filter((words, bar) => bar > TURN && words !== '').length, holes.size);
    assert.deepEqual(run.of('mind.failed'), []);
  });

  test(`${name}: a leg that is delisted ends in an abstention, and what is held of the others is closed`, async () => {
    const { run, abstentions } = await live(
      tried,
      withLast(history, (last) => without(last, (bar) => bar < TURN)),
    );
    assert.ok(abstentions.slice(TURN + 1, TURN + 3).every((words) => /a leg has no bar/.test(words)));
    for (let leg = 0; leg < legs - 1; leg++) assert.equal(run.held(leg), '0', `leg ${leg}`);
    assert.deepEqual(run.of('mind.failed'), []);
  });

  test(`${name}: legs that stand still, or copy each other, are abstained from with the reason`, async () => {
    const still = await live(
      tried,
      history.map(({ close }) => columnsOf(close.map((price, bar) => (bar < TURN ? price : (close[TURN] ?? price))))),
    );
    assert.match(still.abstentions.at(-1) ?? '', /does not move/);
    const [walk] = history;
    assert.ok(walk !== undefined);
    const copies = await live(
      tried,
      history.map(() => walk),
    );
    const words = copies.abstentions.at(-1) ?? '';
    // Of copies of the reference the copula strategy has no candidate, and says so in a neutral forecast.
    if (strategy.name === 'copula-pairs') assert.equal(copies.stances.at(-1), 0);
    else assert.match(words, /copy of|singular/);
    for (const { run } of [still, copies]) assert.deepEqual(run.of('mind.failed'), []);
    assert.ok(copies.run.of('order.intended').length === 0);
  });
}
