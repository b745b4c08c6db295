// Promise 7: cutting the tape at any moment, and falsifying everything after it, leaves whatever was said up to then as it was, bit for bit.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../src/domain/bars.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { MINUTE_MS, type TimeMs } from '../../src/domain/time.ts';
import {
  atr,
  bollinger,
  columns,
  donchian,
  ema,
  realisedVolatility,
  rsi,
  sma,
  standardDeviation,
  volatilityRatio,
  zScore,
} from '../../src/features/catalog.ts';
import { Random } from '../../src/quant/random.ts';
import { bars, closeOf, slice, TestSession, textOf, walk, type SessionParts } from '../support/session.ts';
import { anyWorld, partsOf, trials } from './worlds.ts';

/** Everything after so many rows is another market: other prices, other volumes, no trace of the old one. */
function falsified(history: BarColumns, rows: number, seed: number): BarColumns {
  const random = new Random(seed + 7);
  const copy = slice(history, 0, history.openAt.length);
  for (let row = rows; row < copy.openAt.length; row++) {
    const base = 1 + random.uniform() * 1_000;
    copy.open[row] = base;
    copy.close[row] = base * (0.9 + random.uniform() * 0.2);
    copy.high[row] = base * 1.2;
    copy.low[row] = base * 0.8;
    copy.volume[row] = random.uniform() * 1e6;
  }
  return copy;
}

/** Rows that have closed by then. */
function rowsBy(history: BarColumns, at: TimeMs): number {
  return history.openAt.filter((openAt) => openAt + MINUTE_MS <= at).length;
}

/** What we said, and not what a venue answered: its fills may look one bar ahead, a mind's words may not. */
function isOurs(entry: Entry): boolean {
  return (
    entry.kind === 'decision.taken' || entry.kind === 'order.intended' || entry.kind === 'order.refused' || entry.kind === 'mind.failed'
  );
}

/** Words about the time up to `at`, and every feature and opinion as they stood after each event up to then. */
async function wordsUpTo(parts: SessionParts, at: TimeMs): Promise<readonly string[]> {
  const run = new TestSession(parts);
  const words: string[] = [];
  run.onEntry = (entry) => {
    if (entry.at <= at && isOurs(entry)) words.push(textOf(entry));
  };
  run.onEvent = (event) => {
    if (event.at > at || event.kind !== 'bar.closed') return;
    const { engine } = run;
    const { market } = engine;
    const figures = [market.atrRatio, market.percentB, market.volatility, market.volatilityRatio].flatMap((column) => [...column]);
    const opinions = engine.minds.map(({ opinion }) => opinion);
    words.push(`${event.at} ${event.instrument} ${figures.join(' ')} ${JSON.stringify(opinions)}`);
  };
  await run.run();
  return words;
}

describe('what is said at a moment depends on nothing after it', () => {
  test('decisions, opinions, features and orders up to then, with the future cut off or falsified', async (context) => {
    const parameters = trials(30);
    const counts = { decisions: 0, words: 0 };
    const property = fc.asyncProperty(anyWorld(160), fc.double({ min: 0.05, max: 0.95, noNaN: true }), async (world, cut) => {
      const parts = partsOf(world);
      const at = closeOf(Math.floor(world.count * cut));
      // The bar that holds an order's fill is the venue's to know: up to there the past must be the same.
      const pastOf = (history: BarColumns): number => rowsBy(history, at + 1) + 1;
      const whole = await wordsUpTo(parts, at);
      const cutOff = await wordsUpTo({ ...parts, bars: parts.bars.map((history) => slice(history, 0, pastOf(history))) }, at);
      assert.deepEqual(cutOff, whole, 'the tape cut off');
      const other = await wordsUpTo(
        { ...parts, bars: parts.bars.map((history, index) => falsified(history, pastOf(history), world.seed + index)) },
        at,
      );
      assert.deepEqual(other, whole, 'the future falsified');
      counts.words += whole.length;
      counts.decisions += whole.filter((word) => word.includes('decision.taken')).length;
    });
    await fc.assert(property, parameters);
    context.diagnostic(`seed ${parameters.seed}: ${JSON.stringify(counts)}`);
    assert.ok(counts.decisions > 30, `the worlds decide, ${counts.decisions} times`);
  });

  test('a mind is told nothing of the bar in which its order fills', async () => {
    const quotes = walk({ seed: 5, count: 60 });
    const heard = async (last: number): Promise<readonly (readonly number[])[]> => {
      const words: number[][] = [];
      const history = bars(quotes);
      const run = new TestSession({
        // Only the bar after the decision is falsified: the venue fills there.
        bars: [falsified(history, last, last)],
        sleeves: [
          {
            minds: [
              {
                features: { fast: ema(5) },
                says: (bar, { at, bars: [closed], features }) => {
                  if (bar < last) words.push([at, closed?.close ?? NaN, features['fast']?.value ?? NaN]);
                  return bar % 7 === 0 ? 1 : -1;
                },
              },
            ],
          },
        ],
        policy: 'none',
      });
      await run.run();
      return words;
    };
    const truth = await heard(60);
    for (const last of [20, 21, 22, 27, 28]) assert.deepEqual(await heard(last), truth.slice(0, (await heard(last)).length));
  });
});

/** Any feature of the catalog, its outputs by name. */
type Feature = Parameters<typeof columns>[0];

const FEATURES: readonly Feature[] = [
  sma(5),
  ema(7),
  rsi(6),
  atr(5),
  bollinger(8, 2),
  standardDeviation(6),
  zScore(6),
  realisedVolatility(6),
  volatilityRatio(4, 9),
  donchian(5),
] as unknown as readonly Feature[];

describe('features are one implementation', () => {
  for (const feature of FEATURES) {
    test(`${feature.key}: what lives in the engine is what the columns say, and cutting the future changes neither`, async () => {
      const history = bars(walk({ seed: 11, count: 120, holes: 0.05, jumps: 0.05 }));
      const whole = columns(feature, history);
      const lived: Record<string, number[]> = {};
      const run = new TestSession({
        bars: [history],
        sleeves: [
          {
            minds: [
              {
                features: { feature },
                says: (_, { features }) => {
                  for (const output of feature.outputs)
                    (lived[output] ??= []).push(Number((features['feature'] as unknown as Record<string, number>)[output]));
                  return 0;
                },
              },
            ],
          },
        ],
      });
      await run.run();
      for (const output of feature.outputs) {
        const column = [...(whole[output] ?? [])];
        assert.deepEqual(lived[output], column.slice(feature.warmup - 1), `${output} lived`);
        for (const rows of [1, 17, 60, 119]) {
          const cut = columns(feature, slice(history, 0, rows));
          assert.deepEqual([...(cut[output] ?? [])], column.slice(0, rows), `${output} of ${rows} rows`);
          const other = columns(feature, falsified(history, rows, rows));
          assert.deepEqual([...(other[output] ?? [])].slice(0, rows), column.slice(0, rows), `${output} before another future`);
        }
      }
    });
  }
});
