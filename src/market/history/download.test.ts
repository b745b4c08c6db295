import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { seeded } from '../../../test/support/run-app.ts';
import { VirtualTimers } from '../../../test/support/virtual-timers.ts';
import type { BarPage, BarRow, VenueHistory } from '../../domain/ports.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, type TimeMs } from '../../domain/time.ts';
import { downloadSeries, type DownloadReport } from './download.ts';
import type { Span } from './download-ranges.ts';
import { VOIDS_FILE } from './download-voids.ts';
import type { BarStore } from './store.ts';
import { ballastError, openedStore, temporaryFolder } from './test-bars.ts';

const START = Date.UTC(2026, 0, 5);
const SERIES = { venue: 'scripted', symbol: 'BTC/USDT', timeframeMs: MINUTE_MS };

interface Script {
  /** Whether the venue has a minute. */
  readonly has?: (openAt: TimeMs) => boolean;
  readonly now?: TimeMs;
  readonly pageBars?: number;
  /** What it makes of the rows of a page of minutes, which is the `count`th. */
  readonly answer?: (rows: BarRow[], page: BarPage, count: number) => readonly BarRow[] | Promise<readonly BarRow[]>;
}

interface Scripted extends VenueHistory {
  readonly pages: BarPage[];
}

function barAt(openAt: TimeMs, lift = 0): BarRow {
  const price = 100 + ((openAt / MINUTE_MS) % 13) + lift;
  return [openAt, price, price + 2, price - 2, price + 1, (openAt / MINUTE_MS) % 7];
}

function scripted({ has = () => true, now = START + 30 * DAY_MS, pageBars = 100, answer = (rows) => rows }: Script = {}): Scripted {
  const pages: BarPage[] = [];
  return {
    venue: SERIES.venue,
    pageBars,
    pages,
    check: () => undefined,
    now: () => Promise.resolve(now),
    async page(page) {
      pages.push(page);
      const rows: BarRow[] = [];
      for (let at = page.fromMs; at < page.toMs; at += page.timeframeMs) {
        const step = page.timeframeMs === MINUTE_MS ? MINUTE_MS : HOUR_MS;
        let isThere = false;
        for (let part = at; part < at + page.timeframeMs && !isThere; part += step) isThere = has(part);
        if (isThere) rows.push(barAt(at));
      }
      return page.timeframeMs === MINUTE_MS
        ? answer(rows, page, pages.filter(({ timeframeMs }) => timeframeMs === MINUTE_MS).length)
        : rows;
    },
  };
}

interface Run {
  readonly history: VenueHistory;
  readonly store: BarStore;
  readonly span: Span;
  readonly signal?: AbortSignal;
}

function run({ history, store, span, signal = new AbortController().signal }: Run): Promise<DownloadReport> {
  const { symbol, timeframeMs } = SERIES;
  return downloadSeries({ store, history, timers: new VirtualTimers(), symbol, timeframeMs, range: () => span, signal });
}

async function stored(store: BarStore): Promise<number[]> {
  return [...(await store.load(SERIES)).openAt];
}

function minutes(span: Span, has: (openAt: TimeMs) => boolean = () => true): number[] {
  const all: number[] = [];
  for (let at = span.fromMs; at < span.toMs; at += MINUTE_MS) if (has(at)) all.push(at);
  return all;
}

async function newStore(context: TestContext): Promise<BarStore> {
  return openedStore(context, temporaryFolder(context));
}

const span = (fromMinute: number, toMinute: number): Span => ({
  fromMs: START + fromMinute * MINUTE_MS,
  toMs: START + toMinute * MINUTE_MS,
});

describe('a download', () => {
  test('stores the same bars, whatever the venue does to its pages', async (context) => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 60 }), async (seed, mostRows) => {
        const random = seeded(seed);
        const outages = [span(40, 41), span(90, 130), span(255, 257)];
        const has = (at: TimeMs): boolean => at >= START + 7 * MINUTE_MS && !outages.some(({ fromMs, toMs }) => at >= fromMs && at < toMs);
        const emptied = new Set<TimeMs>();
        const history = scripted({
          has,
          answer(rows, page) {
            // Once it has nothing for a page where it has something.
            if (random() < 0.2 && !emptied.has(page.fromMs)) {
              emptied.add(page.fromMs);
              return [];
            }
            // The oldest or the newest of them, in any order, one said twice, one that nobody asked for.
            const kept = random() < 0.5 ? rows.slice(0, mostRows) : rows.slice(-mostRows);
            const said = [...kept, ...kept.slice(0, 1), barAt(page.toMs), barAt(page.fromMs - MINUTE_MS)];
            return said.toSorted(() => random() - 0.5);
          },
        });
        const store = await openedStore(context, temporaryFolder(context));
        const report = await run({ history, store, span: span(0, 320) });
        assert.deepEqual(await stored(store), minutes(span(0, 320), has));
        assert.equal(report.missingBars, 0);
        assert.equal(report.voidBars, 7 + 1 + 40 + 2);
        await store.close();
      }),
      { numRuns: 12 },
    );
  });

  test('asks for nothing that is stored: head, hole and tail, and the last bars once more with the tail', async (context) => {
    const store = await newStore(context);
    await run({ history: scripted(), store, span: span(200, 300) });
    await run({ history: scripted(), store, span: span(350, 600) });
    const history = scripted();
    const report = await run({ history, store, span: span(150, 720) });
    const asked = history.pages.map(({ fromMs, toMs }) => [(fromMs - START) / MINUTE_MS, (toMs - START) / MINUTE_MS]);
    assert.deepEqual(
      asked.toSorted(([one = 0], [other = 0]) => one - other),
      [
        [150, 200],
        [300, 350],
        [500, 600],
        [600, 700],
        [700, 720],
      ],
    );
    assert.deepEqual([report.added, report.unchanged, report.corrected], [50 + 50 + 120, 100, 0]);
    const again = scripted();
    await run({ history: again, store, span: span(150, 720) });
    assert.equal(again.pages.length, 0);
  });

  test('takes over what the venue corrected among its last bars, and counts it', async (context) => {
    const store = await newStore(context);
    await run({ history: scripted(), store, span: span(0, 300) });
    const wrong = START + 290 * MINUTE_MS;
    const history = scripted({ answer: (rows) => rows.map((row) => (row[0] === wrong ? barAt(wrong, 5) : row)) });
    const report = await run({ history, store, span: span(0, 310) });
    assert.deepEqual([report.added, report.unchanged, report.corrected], [10, 99, 1]);
    const { close } = await store.load({ ...SERIES, fromMs: wrong, toMs: wrong + MINUTE_MS });
    assert.equal(close[0], barAt(wrong, 5)[4]);
  });

  test('leaves out the bar that is still open by the clock of the venue', async (context) => {
    const store = await newStore(context);
    const report = await run({ history: scripted({ now: START + 10 * MINUTE_MS + 59_999 }), store, span: span(0, 60) });
    assert.equal(report.toMs, START + 10 * MINUTE_MS);
    assert.deepEqual(await stored(store), minutes(span(0, 10)));
  });

  test('looks at days first where much is missing, and asks for no page before the listing or after the end', async (context) => {
    const store = await newStore(context);
    const [listed, gone] = [START + 5 * DAY_MS + 17 * HOUR_MS, START + 6 * DAY_MS + 3 * HOUR_MS];
    const has = (at: TimeMs): boolean => at >= listed && at < gone;
    const whole = { fromMs: START, toMs: START + 20 * DAY_MS };
    const history = scripted({ has, pageBars: 1_000 });
    const report = await run({ history, store, span: whole });
    assert.deepEqual(await stored(store), minutes(whole, has));
    assert.equal(report.voidBars, (20 * DAY_MS - (gone - listed)) / MINUTE_MS);
    // One page of days, and three days of minutes, where what is empty is asked for twice: 29 pages would be the whole.
    assert.ok(history.pages.length <= 14, `${history.pages.length} pages`);
    const again = scripted({ has, pageBars: 1_000 });
    await run({ history: again, store, span: whole });
    assert.equal(again.pages.length, 0, 'what is nowhere is remembered');
  });

  test('does not believe for good that the bars of the last day are nowhere', async (context) => {
    const store = await newStore(context);
    const now = START + 3 * HOUR_MS;
    const late = START + HOUR_MS;
    await run({ history: scripted({ now, has: (at) => at !== late }), store, span: span(0, 180) });
    const report = await run({ history: scripted({ now }), store, span: span(0, 180) });
    assert.deepEqual([report.added, report.voidBars], [1, 0]);
  });

  test('does without the notes of what is nowhere, and is not led astray by damaged ones', async (context) => {
    const home = temporaryFolder(context);
    const store = await openedStore(context, home);
    const has = (at: TimeMs): boolean => at !== START + 50 * MINUTE_MS;
    await run({ history: scripted({ has }), store, span: span(0, 100) });
    const notes = join(home, 'data', 'bars', 'scripted', 'BTC-USDT', '1m', VOIDS_FILE);
    assert.ok(existsSync(notes), readFileSync(notes, 'utf8'));
    for (const text of ['', '{"voids":[[1', '{"voids":"all"}']) {
      writeFileSync(notes, text);
      const history = scripted({ has });
      const report = await run({ history, store, span: span(0, 100) });
      assert.deepEqual([history.pages.length, report.voidBars, report.missingBars], [2, 1, 0]);
    }
  });

  test('is an error where the venue has nothing at all, or nothing is closed yet', async (context) => {
    const store = await newStore(context);
    const nothing = await ballastError(() => run({ history: scripted({ has: () => false }), store, span: span(0, 500) }));
    assert.deepEqual([nothing.code, nothing.place, nothing.exitCode], ['DOWNLOAD_EMPTY', 'scripted BTC/USDT 1m', 2]);
    const early = await ballastError(() => run({ history: scripted({ now: START }), store, span: span(0, 500) }));
    assert.match(early.message, /no closed bar .* at 2026-01-05T00:00:00Z of the venue/);
  });

  for (const [words, row] of [
    ['a low above the high', [START, 100, 99, 101, 100, 1]],
    ['a price of 0', [START, 100, 101, 0, 100, 1]],
    ['a price that is none', [START, 100, 101, NaN, 100, 1]],
    ['a negative volume', [START, 100, 101, 99, 100, -1]],
    ['a time between two bars', [START + 1, 100, 101, 99, 100, 1]],
    ['another bar of the same time', [START, 100, 107, 93, 100, 1]],
  ] as const) {
    test(`refuses ${words}, stores nothing of that answer, and keeps the others`, async (context) => {
      const store = await newStore(context);
      const history = scripted({ answer: (rows, page) => (page.fromMs === START ? [...rows, row] : rows) });
      const error = await ballastError(() => run({ history, store, span: span(0, 150) }));
      assert.equal(error.code, 'VENUE_ANSWER_MALFORMED');
      assert.match(error.place, /scripted BTC\/USDT 1m/);
      const kept = await stored(store);
      assert.deepEqual(kept, minutes(span(100, 150)));
    });
  }

  test('keeps what is complete when it fails, and goes on from there', async (context) => {
    const store = await newStore(context);
    const failing = scripted({
      answer(rows, _, count) {
        if (count > 5) throw new Error('the network is gone');
        return rows;
      },
    });
    await assert.rejects(run({ history: failing, store, span: span(0, 1_000) }), /the network is gone/);
    assert.deepEqual(await stored(store), minutes(span(0, 500)));
    const history = scripted();
    await run({ history, store, span: span(0, 1_000) });
    assert.equal(history.pages.length, 1 + 6, 'a page of days, five that are missing, and the overlap');
    assert.deepEqual(await stored(store), minutes(span(0, 1_000)));
  });

  test('ends when it is told to, with what is complete', async (context) => {
    const store = await newStore(context);
    const controller = new AbortController();
    const history = scripted({
      answer(rows, _, count) {
        if (count === 7) controller.abort();
        controller.signal.throwIfAborted();
        return rows;
      },
    });
    const report = await run({ history, store, span: span(0, 1_000), signal: controller.signal });
    assert.equal(report.missingBars, 1_000 - report.added);
    assert.deepEqual(await stored(store), minutes(span(0, 600)));
  });

  test('waits for another import that holds the store', async (context) => {
    const home = temporaryFolder(context);
    const store = await openedStore(context, home);
    const other = await openedStore(context, home);
    let merges = 0;
    const slow: BarStore = Object.create(store, {
      merge: {
        value: async (...given: Parameters<BarStore['merge']>) => {
          merges++;
          if (merges > 1) return store.merge(...given);
          // The other one is in the middle of it.
          const [held] = await Promise.allSettled([store.merge(...given), other.merge(...given)]).then((ends) =>
            ends.filter((end) => end.status === 'rejected'),
          );
          throw held?.reason;
        },
      },
      stream: { value: store.stream.bind(store) },
      root: { value: store.root },
    }) as BarStore;
    const report = await run({ history: scripted(), store: slow, span: span(0, 50) });
    assert.equal(merges, 2);
    assert.equal(report.unchanged, 50);
  });
});
