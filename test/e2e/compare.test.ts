// Promise 5, told apart: two recorded runs of one period, the second with one thing planted, and `ballast diff` names it.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { compareTwoRuns, type RunComparison } from '../../src/app/compare-runs.ts';
import { loadConfig } from '../../src/app/config.ts';
import { runPaper } from '../../src/app/paper.ts';
import { planOf, recipeHash, unfilteredInstrument, writeInstrument, writeStrategy, type Recipe } from '../../src/app/recipe.ts';
import { createRun, journalPath, runNamed, setRunStatus, tapePath } from '../../src/app/runs.ts';
import { openParts } from '../../src/app/session-parts.ts';
import { fakeTerminal } from '../../src/cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import type { BarColumns } from '../../src/domain/bars.ts';
import { run } from '../../src/engine/run.ts';
import { SimulatedClock } from '../../src/engine/simulated-clock.ts';
import { Journal } from '../../src/journal/journal.ts';
import { TapeReader } from '../../src/journal/tape.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import { barsOf, MINUTE_MS, START } from '../support/feed-server.ts';
import { temporaryHome } from '../support/run-app.ts';

const SYMBOL = 'BTC/USDT:USDT';
const BARS = 4_000;
const FROM = START + 200 * MINUTE_MS;
const home = temporaryHome('compare');

function columns(): BarColumns {
  const bars = barsOf(9, 0, BARS);
  const column = (index: number): Float64Array => Float64Array.from(bars, (bar) => bar.prices[index] ?? NaN);
  const openAt = Float64Array.from(bars, (bar) => bar.openAt);
  return { openAt, open: column(0), high: column(1), low: column(2), close: column(3), volume: new Float64Array(BARS).fill(10) };
}

const recipe: Recipe = {
  kind: 'backtest',
  config: loadConfig({ home, file: undefined }),
  instruments: [writeInstrument(unfilteredInstrument('test', SYMBOL, 'test'))],
  baseTimeframeMs: MINUTE_MS,
  timeframeMs: 5 * MINUTE_MS,
  strategies: [await writeStrategy({ strategy: 'trend', parameters: { fast: 5, slow: 15 } }, home)],
  capital: '10000',
  noRisk: false,
  allowSpotShort: false,
  seed: 1,
  market: { source: 'history', from: FROM, to: START + BARS * MINUTE_MS, warmupFrom: START },
  mindFailure: 'stop',
};

let count = 0;

/** Runs a recipe as a backtest does, and leaves its folder. */
async function recorded(of: Recipe, bars: BarColumns, from = FROM): Promise<string> {
  const runId = `run-${++count}`;
  const configHash = recipeHash(of);
  const folder = createRun(home, runId, configHash, of);
  const parts = openParts({ folder, plan: await planOf(of, home), recipe: of, configHash, durability: 'at-end', askTimeoutMs: 0 });
  const { engine, venue, journal, tape, recorder } = parts;
  const source = new BarSource({ instrument: 0, timeframeMs: MINUTE_MS, from, chunks: [bars] });
  const cause = await run({ engine, clock: new SimulatedClock(), sources: [venue, venue.watching(source)] });
  const { equity } = engine.portfolio;
  const stateHash = engine.stateHash(configHash);
  recorder.entry({ kind: 'run.ended', at: engine.at, cause, stateHash, equity, cash: engine.portfolio.totalCash() }, engine.sequence);
  tape.close();
  journal.close();
  setRunStatus(folder, 'finished');
  return runId;
}

const first = await recorded(recipe, columns());

type VenueConfig = Recipe['config']['venue'];
const withVenue = (venue: Partial<VenueConfig>): Recipe => ({
  ...recipe,
  config: { ...recipe.config, venue: { ...recipe.config.venue, ...venue } },
});

async function against(of: Recipe, bars = columns(), from = FROM): Promise<RunComparison> {
  return compareTwoRuns(home, first, await recorded(of, bars, from));
}

/** The first run against one of which the strategy never enters: every order of it is one of its own. */
const alone = await against({
  ...recipe,
  strategies: [await writeStrategy({ strategy: 'trend', parameters: { fast: 5, slow: 15, entrySeparation: 20 } }, home)],
});

/** Of the fifth order of the first run. */
const fifthSentAt = Date.parse(alone.differences[4]?.a?.sentAt ?? '');
const fifthRow = columns().openAt.indexOf(fifthSentAt);

function without(row: number): BarColumns {
  const { openAt, open, high, low, close, volume } = columns();
  const others = (column: Float64Array): Float64Array => column.filter((_, index) => index !== row);
  return { openAt: others(openAt), open: others(open), high: others(high), low: others(low), close: others(close), volume: others(volume) };
}

function withOpen(row: number, factor: number): BarColumns {
  const bars = columns();
  bars.open[row] = (bars.open[row] ?? NaN) * factor;
  bars.high[row] = Math.max(bars.high[row] ?? NaN, bars.open[row] ?? NaN);
  return bars;
}

describe('two runs', () => {
  test('the same twice is parity 1, without a difference', async () => {
    const comparison = await against(recipe);
    assert.equal(comparison.parity, 1);
    assert.deepEqual(comparison.differences, []);
    assert.ok(comparison.same > 20, `${comparison.same} orders`);
    assert.deepEqual(comparison.settings, []);
    assert.deepEqual([comparison.onlyA, comparison.onlyB, comparison.outside], [0, 0, 0]);
  });

  test('that have nothing in common are parity 0: the second has another opinion', () => {
    assert.equal(alone.parity, 0);
    assert.equal(alone.onlyA, alone.a.orders);
    assert.deepEqual(alone.settings, [{ field: 'strategies.0.parameters.entrySeparation', a: 1, b: 20 }]);
    const [entry, exit] = alone.differences;
    assert.deepEqual([entry?.cause, entry?.b], ['opinion', null]);
    assert.equal(exit?.cause, 'carried over', 'what was never opened is not closed');
  });

  test('turned round, they say the same of each other', async () => {
    const second = await recorded(withVenue({ slippageRatio: 0.002 }), columns());
    const [one, other] = [compareTwoRuns(home, first, second), compareTwoRuns(home, second, first)];
    assert.equal(one.parity, other.parity);
    assert.deepEqual(
      one.differences.map(({ cause, money }) => [cause, money]),
      other.differences.map(({ cause, money }) => [cause, -money]),
    );
  });
});

describe('a planted difference is named', () => {
  /** What the second run has, the cause of the first difference, its words, and the orders that are the same before it. */
  const planted: Readonly<Record<string, readonly [run: () => Promise<RunComparison>, cause: string, words: RegExp, same: number]>> = {
    'more slippage': [() => against(withVenue({ slippageRatio: 0.002 })), 'price', /slipped 5\.00 bp and 20\.00 bp/, 0],
    'another fee': [() => against(withVenue({ feeRate: 0.001 })), 'fee', /paid 6\.00 bp and 10\.00 bp/, 0],
    'a minute of latency': [() => against(withVenue({ latencyMs: 60_000 })), 'latency', /after 1 ms and after 60000 ms/, 0],
    'less than a bar of latency': [() => against(withVenue({ latencyMs: 900 })), 'latency', /after 1 ms and after 900 ms/, 0],
    'partial fills': [() => against(withVenue({ volumeShareRatio: 0.9 })), 'partial fill', /in one fill, and .* in 4 fills/, 0],
    'an order that is rejected': [() => against(withVenue({ margin: 'cash' })), 'rejected order', /second run: insufficient balance/, 0],
    'a step of quantity': [() => against(withInstrument({ lot: '0.001' })), 'rounding', /a step is 0\.001/, 0],
    'a step of price': [() => against(withInstrument({ tick: '0.01' })), 'rounding', /a step is 0\.01/, 0],
    'the bar of a fill missed': [() => against(recipe, without(fifthRow)), 'missed bar', /second run has not seen the bar/, 4],
    'the bar of a decision missed': [() => against(recipe, without(fifthRow - 1)), 'missed bar', /second run has not seen the bar/, 4],
    'other prices of a bar': [() => against(recipe, withOpen(fifthRow, 1.001)), 'market data', /has other prices/, 4],
    'a halt': [
      () => against(withRisk({ drawdownAlertRatio: 0.001, drawdownHalveRatio: 0.0015, drawdownHaltRatio: 0.002 })),
      'halt',
      /second run stood still/,
      2,
    ],
    'twice the capital': [() => against({ ...recipe, capital: '20000' }), 'carried over', /equity was 10000\.00 and 20000\.00/, 0],
  };
  for (const [name, [compare, cause, words, same]] of Object.entries(planted)) {
    test(`${name}: ${cause}`, async () => {
      const { differences, causes, parity } = await compare();
      const [difference] = differences;
      assert.equal(difference?.cause, cause);
      assert.match(difference.findings[0]?.words ?? '', words);
      assert.ok(parity !== null && parity < 1 && parity > 0, `parity ${parity}`);
      const before = alone.differences.filter(({ at }) => at < difference.at).length;
      assert.equal(before, same, 'what comes before it is the same');
      // What follows follows from it: never a cause that was not planted.
      for (const other of Object.keys(causes)) assert.ok([cause, 'carried over'].includes(other), other);
    });
  }

  test('one bar missed costs one order, and the score says how little of the whole that is', async () => {
    const { causes, parity, differences } = await against(recipe, without(fifthRow));
    assert.equal(causes['missed bar']?.count, 1);
    assert.ok((parity ?? 0) > 0.99);
    const [missed] = differences;
    assert.ok(missed !== undefined && missed.a !== null && missed.b !== null);
    // It filled a minute later, one fifth of a bar of the strategy, at the price of then.
    const gap = Math.abs((missed.a.price ?? NaN) - (missed.b.price ?? NaN)) / Math.max(missed.a.price ?? NaN, missed.b.price ?? NaN);
    const late = (Date.parse(missed.b.filledAt ?? '') - Date.parse(missed.a.filledAt ?? '')) / (5 * MINUTE_MS);
    assert.ok(Math.abs(missed.agreement - (1 - gap / 0.01) * (1 - late)) < 1e-9);
    const filled = missed.a.filled * ((missed.b.price ?? NaN) - (missed.a.price ?? NaN)) * (missed.side === 'sell' ? 1 : -1);
    assert.ok(Math.abs(missed.money - (filled - (missed.b.fee - missed.a.fee))) < 1e-6, 'money is what price and fee made of it');
  });

  test('slippage costs what the score takes: 15 basis points are 15 hundredths of a percent', async () => {
    const { differences } = await against(withVenue({ slippageRatio: 0.002 }));
    assert.ok(Math.abs((differences[0]?.agreement ?? 0) - 0.85) < 0.001);
  });
});

describe('runs of another length', () => {
  test('are compared where both were, and what one held before is told', async () => {
    const later = await against(recipe, columns(), FROM + 300 * MINUTE_MS);
    assert.ok(later.outside > 0);
    assert.equal(later.from, new Date(FROM + 301 * MINUTE_MS).toISOString().replace('.000', ''));
    for (const cause of Object.keys(later.causes)) assert.ok(['carried over', 'opinion'].includes(cause), cause);
  });

  test('of another time have nothing to compare: exit code 1', async () => {
    const bars = columns();
    const shifted = { ...bars, openAt: bars.openAt.map((at) => at + BARS * MINUTE_MS) };
    const runId = await recorded(recipe, shifted, FROM + BARS * MINUTE_MS);
    const terminal = fakeTerminal();
    assert.equal(await runCommandLine(['diff', first, runId, '--home', home], terminal), 1);
    assert.match(terminal.stderr.text(), /expected a symbol and a time that both have/);
  });
});

test('a paper session on the synthetic market, and the backtest of the bars that it recorded', async (t) => {
  const paper = await runPaper({
    home,
    seed: 5,
    speed: Infinity,
    untilBars: 2_000,
    strategies: ['trend'],
    symbols: [SYMBOL],
    timeframeMs: 5 * MINUTE_MS,
    fresh: true,
    signal: new AbortController().signal,
  });
  const session = runNamed(home, paper.runId);
  const from = session.recipe.market.source === 'synthetic' ? session.recipe.market.from : NaN;
  const runId = await recorded({ ...session.recipe, kind: 'backtest' }, barsOnTape(session.folder), from);
  const comparison = compareTwoRuns(home, paper.runId, runId);
  assert.deepEqual(comparison.settings, []);
  assert.ok(comparison.a.orders > 10, `${comparison.a.orders} orders`);
  assert.deepEqual([comparison.onlyA, comparison.onlyB], [0, 0]);
  t.diagnostic(`parity ${comparison.parity} over ${comparison.a.orders} orders: ${JSON.stringify(comparison.causes)}`);
  // The session saw the trades between those bars as well, and does nothing because of them that the bars do not tell, but for stops.
  assert.equal(comparison.parity, 1, JSON.stringify(comparison.causes));
  const dearer = {
    ...session.recipe,
    kind: 'backtest' as const,
    config: withVenue({ ...session.recipe.config.venue, slippageRatio: 0.003 }).config,
  };
  const { causes, settings } = compareTwoRuns(home, paper.runId, await recorded(dearer, barsOnTape(session.folder), from));
  assert.deepEqual(
    settings.map(({ field }) => field),
    ['venue.slippageRatio'],
  );
  assert.ok((causes.price?.count ?? 0) > 5 && (causes.price?.money ?? 0) < 0, JSON.stringify(causes));
});

describe('as a command', () => {
  test('a table for a person, a document for a program, exit code 0 whatever differs', async () => {
    const second = await recorded(withVenue({ slippageRatio: 0.002 }), columns());
    const terminal = fakeTerminal();
    assert.equal(await runCommandLine(['diff', first, second, '--home', home], terminal), 0);
    const text = terminal.stdout.text();
    assert.match(text, /^parity 0\.8\d{3}$/m);
    assert.match(text, /^orders: 0 the same, 38 different, 0 only in A, 0 only in B$/m);
    assert.match(text, /^ {2}venue\.slippageRatio +0\.0005 +0\.002$/m);
    assert.match(text, /price: [\d.]+ and [\d.]+: slipped 5\.00 bp and 20\.00 bp/);
    const json = fakeTerminal();
    assert.equal(await runCommandLine(['diff', first, second, '--json', '--home', home], json), 0);
    const document = JSON.parse(json.stdout.text()) as RunComparison;
    assert.equal(document.differences.length, 38);
    assert.deepEqual([document.a.runId, document.b.runId], [first, second]);
  });

  test('a run that is not there, or whose journal is gone, is exit code 1; a word too few is 2', async () => {
    const unknown = fakeTerminal();
    assert.equal(await runCommandLine(['diff', first, 'no-such-run', '--home', home], unknown), 1);
    assert.match(unknown.stderr.text(), /no-such-run/);
    const broken = await recorded(recipe, columns());
    rmSync(journalPath(runNamed(home, broken).folder));
    assert.equal(await runCommandLine(['diff', first, broken, '--home', home], fakeTerminal()), 1);
    assert.equal(await runCommandLine(['diff', first, '--home', home], fakeTerminal()), 2);
  });
});

function withInstrument(steps: { readonly lot?: string; readonly tick?: string }): Recipe {
  return { ...recipe, instruments: recipe.instruments.map((instrument) => ({ ...instrument, ...steps })) };
}

function withRisk(risk: Partial<Recipe['config']['risk']>): Recipe {
  return { ...recipe, config: { ...recipe.config, risk: { ...recipe.config.risk, ...risk } } };
}

/** The bars that a run recorded, warm-up and all. */
function barsOnTape(folder: string): BarColumns {
  const journal = Journal.open(journalPath(folder), { readOnly: true });
  const tape = TapeReader.open(tapePath(folder), journal);
  journal.close();
  const rows: number[][] = [];
  for (let event = tape.next(); event !== undefined; event = tape.next()) {
    if (event.kind === 'bar.closed')
      rows.push([event.happenedAt - MINUTE_MS, event.open, event.high, event.low, event.close, event.volume]);
  }
  const column = (index: number): Float64Array => Float64Array.from(rows, (row) => row[index] ?? NaN);
  return { openAt: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) };
}
