// Promise 5, parity: one tape of bars, once on the clock that jumps and once on the clock that waits: the same orders and the same cash.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadConfig } from '../../src/app/config.ts';
import { planOf, recipeHash, unfilteredInstrument, writeInstrument, writeStrategy, type Recipe } from '../../src/app/recipe.ts';
import { openParts } from '../../src/app/session-parts.ts';
import type { BarColumns } from '../../src/domain/bars.ts';
import { format } from '../../src/domain/decimal.ts';
import type { Clock } from '../../src/domain/ports.ts';
import { run } from '../../src/engine/run.ts';
import { SimulatedClock } from '../../src/engine/simulated-clock.ts';
import { SystemClock } from '../../src/engine/system-clock.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import { barsOf, MINUTE_MS, START } from '../support/feed-server.ts';
import { temporaryFolder, temporaryHome } from '../support/run-app.ts';
import { journalFacts, readRows } from './journal-facts.ts';

const SYMBOLS = ['BTC/USDT', 'ETH/USDT:USDT'];
const BARS = 4_000;
const WARMUP_BARS = 500;
const FROM = START + WARMUP_BARS * MINUTE_MS;
/** 4,000 minutes in about two seconds of the wall. */
const PACED = 120_000;

const home = temporaryHome('parity');

async function recipeOf(): Promise<Recipe> {
  const strategies = [
    await writeStrategy({ strategy: 'trend', parameters: { fast: 5, slow: 15 } }, home),
    await writeStrategy({ strategy: 'mean-reversion', parameters: { window: 20, trendWindow: 40, longWindow: 20, shortWindow: 5 } }, home),
  ];
  return {
    kind: 'backtest',
    config: loadConfig({ home, file: undefined }),
    instruments: SYMBOLS.map((symbol) => writeInstrument(unfilteredInstrument('test', symbol, 'test'))),
    baseTimeframeMs: MINUTE_MS,
    timeframeMs: 5 * MINUTE_MS,
    strategies,
    capital: '10000',
    noRisk: false,
    allowSpotShort: false,
    seed: 1,
    market: { source: 'history', from: FROM, to: START + BARS * MINUTE_MS, warmupFrom: START },
    mindFailure: 'stop',
  };
}

function columns(instrument: number): BarColumns {
  const bars = barsOf(9, instrument, BARS);
  const column = (index: number): Float64Array => Float64Array.from(bars, (bar) => bar.prices[index] ?? NaN);
  const openAt = Float64Array.from(bars, (bar) => bar.openAt);
  return { openAt, open: column(0), high: column(1), low: column(2), close: column(3), volume: new Float64Array(BARS).fill(10) };
}

async function through(clock: Clock) {
  const recipe = await recipeOf();
  const plan = await planOf(recipe, home);
  const folder = temporaryFolder('parity-run');
  const parts = openParts({ folder, plan, recipe, configHash: recipeHash(recipe), durability: 'at-end', askTimeoutMs: 0 });
  const { engine, venue, journal, tape } = parts;
  const sources = SYMBOLS.map(
    (_, instrument) => new BarSource({ instrument, timeframeMs: MINUTE_MS, from: FROM, chunks: [columns(instrument)] }),
  );
  const outcome = await run({ engine, clock, sources: [venue, ...sources.map((source) => venue.watching(source))] });
  const result = {
    outcome,
    cash: format(engine.portfolio.totalCash()),
    stateHash: engine.stateHash(recipeHash(recipe)),
    venueHash: venue.stateHash(),
  };
  tape.close();
  journal.close();
  const orders = readRows(folder).rows.flatMap(({ entry }) => (entry.kind === 'order.intended' ? [entry.intent] : []));
  return { ...result, orders, facts: journalFacts(join(folder), 1) };
}

test('a tape through the clock of a backtest and through the clock of a session gives the same orders, cash, state and journal', async (t) => {
  const backtest = await through(new SimulatedClock());
  assert.equal(backtest.outcome, 'ended');
  assert.deepEqual(backtest.facts.faults, []);
  assert.ok(backtest.facts.fills > 50, `a tape that is traded, found ${backtest.facts.fills} fills`);
  t.diagnostic(`${backtest.orders.length} orders, ${backtest.facts.fills} fills, final cash ${backtest.cash}`);

  assert.deepEqual(await through(new SystemClock(START, Infinity)), backtest, 'as fast as it goes');
  assert.deepEqual(await through(new SystemClock(START, PACED)), backtest, `${PACED} market seconds a second`);
});
