// Every strategy at once: one session of the synthetic market in which all built-in strategies that can live there trade the same instruments.
// Each has what it holds, the venue has the net of it, and what sleeves want of each other they trade among themselves.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { runPaper } from '../../src/app/paper.ts';
import { replayRun } from '../../src/app/replay.ts';
import type { SessionResult } from '../../src/app/session.ts';
import { quantity as quantityOf } from '../../src/domain/decimal.ts';
import type { JournalRow } from '../../src/domain/entry.ts';
import type { Share } from '../../src/domain/order.ts';
import { legRange } from '../../src/domain/strategy.ts';
import { strategies } from '../../src/forecasts/strategies/index.ts';
import { temporaryHome } from '../support/run-app.ts';
import { journalFacts, readRows, units } from './journal-facts.ts';

/**
 * A session on the synthetic market has perpetuals: no settled rates, no spot beside them. It has books where a strategy lives on them, and then all
 * orders take those: `src/app/paper-books.test.ts`.
 */
const ELSEWHERE = ['book-imbalance', 'funding-carry', 'cross-venue-arbitrage'];
const SYMBOLS = ['BTC/USDT:USDT', 'ETH/USDT:USDT', 'LTC/USDT:USDT'] as const;

const CAPITAL = 1_000_000;

const together = strategies.filter(({ name }) => !ELSEWHERE.includes(name));

/** On one leg it speaks on every symbol, on two on the first two, else on all three. */
function entryOf(strategy: (typeof strategies)[number]): object {
  const { least } = legRange(strategy);
  return { strategy: strategy.name, ...(least > 1 && { pairs: [SYMBOLS.slice(0, least)] }) };
}

function configOf(): string {
  const paper = {
    symbols: SYMBOLS,
    baseTimeframeMs: '1m',
    timeframeMs: '5m',
    warmupMs: '1d',
    capital: CAPITAL,
    strategies: together.map(entryOf),
  };
  return JSON.stringify({ paper, risk: { maximumPositions: 100, edgeMultiple: 0 } });
}

describe('every built-in strategy in one session', () => {
  const home = temporaryHome('every-strategy', configOf());
  let session: SessionResult;
  let rows: readonly JournalRow[];

  before(async () => {
    session = await runPaper({
      home,
      seed: 3,
      speed: Infinity,
      untilBars: 3_000,
      fresh: true,
      signal: new AbortController().signal,
      onNotice: () => undefined,
    });
    ({ rows } = readRows(session.folder));
  });

  test('all of them are asked, and most take sides of their own', () => {
    assert.equal(session.outcome, 'until');
    assert.deepEqual(
      session.status.strategies,
      together.map(({ name }) => name),
    );
    const active = new Set(sleeveRows(session.summary).map(({ strategy }) => strategy));
    assert.ok(active.size >= 8, [...active].join(' '));
  });

  test('the last words tell what each made of it, and the parts come to the whole', () => {
    const parts = sleeveRows(session.summary);
    const told = moneyOf(/^ {2}TOTAL +(-?[\d,.]+) /m.exec(session.summary)?.[1]);
    const sum = parts.reduce((total, { profit }) => total + profit, 0);
    assert.ok(Math.abs(sum - told) < 0.005 * (parts.length + 1), `${sum} of ${told}`);
    assert.ok(Math.abs(session.status.equity - CAPITAL - told) < 0.006, `${session.status.equity - CAPITAL} of ${told}`);
    for (const symbol of SYMBOLS) assert.ok(parts.filter(({ name }) => name.endsWith(symbol)).length >= 3, `several trade ${symbol}`);
  });

  test('what they want of each other they cross without an order, and an order at the venue is the net of the rest', () => {
    const crossings = rows.flatMap(({ entry }) => (entry.kind === 'crossing.made' ? [entry] : []));
    assert.ok(crossings.length > 0);
    for (const { parts } of crossings) {
      assert.ok(new Set(parts.map(({ sleeve }) => sleeve)).size > 1);
      assert.equal(sumOf(parts), 0n);
    }
    const shared: number[] = [];
    const sides = new Map<string, string>();
    for (const { entry } of rows) {
      if (entry.kind !== 'order.intended' || entry.intent.role !== 'target') continue;
      const { id, instrument, side, quantity, shares } = entry.intent;
      assert.equal(sumOf(shares), side === 'buy' ? units(quantity) : -units(quantity), `order ${id} is the sum of its shares`);
      for (const share of shares)
        assert.equal(units(share.quantity) > 0n, side === 'buy', `order ${id} holds nothing that another share undoes`);
      shared.push(shares.length);
      const place = `${id.split('-')[0]} ${instrument} ${entry.at}`;
      assert.equal(sides.get(place) ?? side, side, `one decision buys or sells instrument ${instrument}, not both`);
      sides.set(place, side);
    }
    assert.ok(Math.max(...shared) > 1, 'some order is of several sleeves');
  });

  test('what the venue filled is what the sleeves hold, some against each other', () => {
    const { faults } = journalFacts(session.folder, 1);
    assert.deepEqual(faults, []);
    const filled = SYMBOLS.map(() => 0n);
    const sides = new Map<string, -1n | 1n>();
    for (const { entry } of rows) {
      if (entry.kind === 'order.intended')
        for (const { id, side } of [entry.intent, ...entry.intent.attached]) sides.set(id, side === 'buy' ? 1n : -1n);
      if (entry.kind !== 'order.filled' || entry.fill === undefined) continue;
      filled[entry.instrument] = (filled[entry.instrument] ?? 0n) + (sides.get(entry.order) ?? 0n) * units(entry.fill.quantity);
    }
    const { positions } = session.status;
    const both = SYMBOLS.filter((symbol) => {
      const signs = positions.filter((position) => position.symbol === symbol).map(({ quantity }) => quantity.startsWith('-'));
      return new Set(signs).size === 2;
    });
    assert.ok(both.length > 0, 'at the end some symbol is held long by one sleeve and short by another');
    SYMBOLS.forEach((symbol, instrument) => {
      const held = positions.filter((position) => position.symbol === symbol).map(({ quantity }) => units(quantityOf(quantity)));
      assert.equal(
        held.reduce((sum, each) => sum + each, 0n),
        filled[instrument],
        symbol,
      );
    });
  });

  test('a replay says every word again and comes to the same state', async () => {
    const replayed = await replayRun({ home, runId: session.runId });
    assert.deepEqual([replayed.matches, replayed.mismatch], [true, undefined]);
    assert.equal(replayed.stateHash, session.stateHash);
  });
});

interface SleeveRow {
  readonly name: string;
  readonly strategy: string;
  readonly profit: number;
}

/** Of the table by sleeve: the name, which has single spaces only, and the fifth number after it. */
function sleeveRows(summary: string): SleeveRow[] {
  const [, text = ''] = summary.split('BY SLEEVE\n');
  return text
    .split('\n')
    .slice(1)
    .filter((line) => !line.startsWith('  TOTAL'))
    .map((line) => {
      const [name = '', , , , , profit] = line.trim().split(/ {2,}/);
      return { name, strategy: name.split(' ')[0] ?? '', profit: moneyOf(profit) };
    });
}

function moneyOf(words: string | undefined): number {
  return Number(words?.replaceAll(',', ''));
}

function sumOf(shares: readonly Share[]): bigint {
  return shares.reduce((sum, share) => sum + units(share.quantity), 0n);
}
