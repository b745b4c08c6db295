// A session that lives on books on the embedded market: its fills are of the book that the seed makes, it looks as often as is said, is the same
// run twice, and goes on where it was interrupted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRows } from '../../test/e2e/journal-facts.ts';
import { temporaryHome } from '../../test/support/run-app.ts';
import { format } from '../domain/decimal.ts';
import type { BookEvent } from '../domain/event.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../domain/time.ts';
import { Journal } from '../journal/journal.ts';
import { TapeReader } from '../journal/tape.ts';
import { syntheticBook } from '../market/synthetic/book.ts';
import { replayRun } from './replay.ts';
import { runPaper, type PaperRequest } from './paper.ts';
import { journalPath, runNamed, tapePath } from './runs.ts';
import type { SessionResult } from './session.ts';

const SYMBOL = 'BTC/USDT:USDT';
const BARS = 30;
/** Nothing is refused for its costs. */
const CONFIG = 'risk: { edgeMultiple: 0 }\npaper: { warmupMs: 2d }\n';
const START = Date.UTC(2026, 0, 1);
const FROM = START + 48 * HOUR_MS;

function session(home: string, more: Partial<PaperRequest> = {}): Promise<SessionResult> {
  return runPaper({
    home,
    strategies: ['book-imbalance'],
    symbols: [SYMBOL],
    seed: 5,
    speed: Infinity,
    untilBars: BARS,
    capital: '1000000',
    fresh: false,
    signal: new AbortController().signal,
    ...more,
  });
}

/** The book just before a moment: one that was begun as the session's is, and put together in a map. */
function offeredBefore(at: number, side: number): (readonly [price: number, quantity: number])[] {
  const book = syntheticBook({ seed: 5, startAt: START, tradesPerBar: 4, book: { updateMs: 2 * SECOND_MS } }, SYMBOL);
  book.beginAt((FROM - 4 * HOUR_MS - START) / MINUTE_MS);
  const levels = new Map<number, number>();
  for (let isFirst = true; ; isFirst = false) {
    const { openAt, snapshot, deltas } = book.step();
    if (isFirst) {
      for (const [row, price] of (snapshot?.price ?? []).entries())
        if (snapshot?.side[row] === side) levels.set(price, snapshot.quantity[row] ?? NaN);
    }
    for (const [row, price] of deltas.price.entries()) {
      if ((deltas.at[row] ?? NaN) >= at) return [...levels].toSorted(([one], [other]) => side * (other - one));
      if (deltas.side[row] !== side) continue;
      if (deltas.quantity[row] === 0) levels.delete(price);
      else levels.set(price, deltas.quantity[row] ?? NaN);
    }
    assert.ok(openAt < at);
  }
}

function looksOf(folder: string): BookEvent[] {
  const journal = Journal.open(journalPath(folder), { readOnly: true });
  try {
    const tape = TapeReader.open(tapePath(folder), journal);
    const looks: BookEvent[] = [];
    for (let event = tape.next(); event !== undefined; event = tape.next()) if (event.kind === 'book.changed') looks.push({ ...event });
    return looks;
  } finally {
    journal.close();
  }
}

test('orders take the made book level by level, and a session that goes on ends as one that was never interrupted', async () => {
  const home = temporaryHome('paper-books', CONFIG);
  const whole = await session(home);
  const { rows } = readRows(whole.folder);

  const fills = rows.flatMap(({ entry }) => (entry.kind === 'order.filled' ? [entry] : []));
  const first = fills[0];
  const order = rows.flatMap(({ entry }) => (entry.kind === 'order.intended' && entry.intent.id === first?.order ? [entry.intent] : []))[0];
  assert.ok(first !== undefined && order?.type === 'market');
  const taken = fills.filter((fill) => fill.order === order.id);
  assert.ok(taken.length > 3, `${taken.length} levels`);
  const offered = offeredBefore(first.happenedAt, order.side === 'buy' ? -1 : 1);
  for (const [index, { fill }] of taken.entries()) {
    const [price, quantity = NaN] = offered[index] ?? [];
    assert.ok(fill !== undefined);
    assert.equal(Number(format(fill.price)), price);
    if (index < taken.length - 1) assert.equal(Number(format(fill.quantity)), quantity);
    else assert.ok(Number(format(fill.quantity)) <= quantity);
  }

  const looks = looksOf(whole.folder);
  const inRange = looks.filter(({ at }) => at > FROM);
  // Thirty updates a minute, and the trades between them.
  assert.ok(inRange.length >= 30 * BARS && inRange.length <= 34 * BARS, `${inRange.length} looks`);
  assert.ok((looks[0]?.at ?? NaN) <= FROM - 4 * HOUR_MS + MINUTE_MS && looks.every(({ at, warmup }) => warmup === at <= FROM));
  assert.ok(looks.every(({ bidPrice, askPrice, imbalance }) => bidPrice < askPrice && Math.abs(imbalance) <= 1));

  const again = temporaryHome('paper-books-again', CONFIG);
  const controller = new AbortController();
  const half = await session(again, {
    signal: controller.signal,
    onStart: (handle) => {
      const look = setInterval(() => {
        if (handle.status().atMs < FROM + (BARS / 2) * MINUTE_MS) return;
        clearInterval(look);
        controller.abort();
      }, 1);
    },
  });
  // Where it was quicker than a look at it, it has ended already.
  const resumed = half.outcome === 'stopped' ? await session(again) : half;
  assert.equal(resumed.runId, half.runId);
  assert.deepEqual([resumed.stateHash, resumed.venueHash], [whole.stateHash, whole.venueHash]);
  assert.deepEqual(readRows(resumed.folder).rows.length, rows.length);
  assert.deepEqual(looksOf(resumed.folder), looks);

  const replayed = await replayRun({ home, runId: whole.runId });
  assert.deepEqual([replayed.matches, replayed.stateHash], [true, whole.stateHash]);
});

test('a session in which nobody asks for books has none', async () => {
  const home = temporaryHome('paper-no-books', CONFIG);
  const { folder, runId } = await session(home, { strategies: ['trend'], untilBars: 20 });
  assert.deepEqual(looksOf(folder), []);
  const { market } = runNamed(home, runId).recipe;
  assert.ok(market.source === 'synthetic' && !('books' in market));
});
