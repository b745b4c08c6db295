// The scan against the truth of the synthetic market: pairs that are planted, one of which breaks at known times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '../../domain/time.ts';
import { syntheticMarket } from '../../market/synthetic/market.ts';
import { groundTruth } from '../../market/synthetic/truth.ts';
import type { ClosingPrices } from './join.ts';
import { allPairs, scanPairs } from './scan.ts';

const START = Date.UTC(2026, 0, 1);
const DAYS = 360;
const BARS = DAYS * 24;
const WINDOW = 40 * 24;
const STEP = 16 * 24;
const SYMBOLS = ['BTC', 'ETH', 'SOL', 'XRP', 'LTC', 'DOGE', 'AVAX', 'ADA'].map((base) => `${base}/USDT:USDT`);

/** Three of seven windows, each of 240 bars: a lucky spell is in one or two. */
const STABLE = 3 / 7;
/** Standard deviations of its spread by which the constant of a pair has moved within a window, from which on it is none. */
const BROKEN = 3;

test('planted pairs are found while they hold, and dropped once they have broken', (context) => {
  const counts = { found: 0, right: 0, planted: 0, broken: 0, brokenFound: 0, brokenStable: 0, undecided: 0, stable: 0, stableRight: 0 };
  for (const seed of [1, 2]) {
    const options = { seed, startAt: START, timeframeMs: HOUR_MS, studies: { breakEveryDays: 90 } };
    const { sources } = syntheticMarket({ ...options, tradesPerBar: 0, assets: SYMBOLS });
    const openAt = Float64Array.from({ length: BARS }, (_, bar) => START + bar * HOUR_MS);
    const prices = sources.map((_, index): ClosingPrices => {
      return { symbol: SYMBOLS[index] ?? '', openAt, close: new Float64Array(BARS) };
    });
    // The sources step together.
    for (let bar = 0; bar < BARS; bar++) sources.forEach((source, index) => prices[index]?.close.fill(source.take().close, bar, bar + 1));
    const truth = groundTruth({ ...options, bars: BARS });
    const always = new Set(truth.pairs.map(({ leader, follower }) => [leader, follower].toSorted().join()));
    const [breaking] = truth.brokenPairs;
    assert.ok(breaking !== undefined);
    const fragile = [breaking.leader, breaking.follower].toSorted().join();
    for (let start = 0; start + WINDOW <= BARS; start += STEP) {
      const end = start + WINDOW;
      const anchor = breaking.anchor.subarray(start, end);
      const moved = (Math.max(...anchor) - Math.min(...anchor)) / breaking.spreadDeviation;
      const { pairs } = scanPairs({
        prices: prices.map((each) => ({ ...each, openAt: openAt.subarray(start, end), close: each.close.subarray(start, end) })),
        pairs: allPairs(SYMBOLS),
        method: 'engle-granger',
        fillCost: () => 0,
      });
      for (const { a, b, isCointegrated, stability } of pairs) {
        const name = [a, b].toSorted().join();
        // A window that a break only grazes is neither.
        if (name === fragile && moved > 0 && moved <= BROKEN) {
          counts.undecided++;
          continue;
        }
        const isPlanted = always.has(name) || (name === fragile && moved === 0);
        if (isPlanted) counts.planted++;
        if (name === fragile && moved > BROKEN) {
          counts.broken++;
          if (isCointegrated) counts.brokenFound++;
          if (isCointegrated && (stability ?? 0) >= STABLE) counts.brokenStable++;
        }
        if (!isCointegrated) continue;
        counts.found++;
        if (isPlanted) counts.right++;
        if (stability === null || stability < STABLE) continue;
        counts.stable++;
        if (isPlanted) counts.stableRight++;
      }
    }
  }
  const { found, right, planted, broken, brokenFound, brokenStable, undecided, stable, stableRight } = counts;
  const [precision, recall, dropped] = [right / found, right / planted, 1 - brokenFound / broken];
  context.diagnostic(`precision ${precision.toFixed(3)} of ${found} found, recall ${recall.toFixed(3)} of ${planted} planted`);
  context.diagnostic(
    `with a stability of 3/7 at least: precision ${(stableRight / stable).toFixed(3)} of ${stable}, recall ${(stableRight / planted).toFixed(3)}`,
  );
  context.diagnostic(
    `dropped in ${dropped.toFixed(3)} of ${broken} windows with a break (${undecided} that one only grazes left out), with that stability in ${(1 - brokenStable / broken).toFixed(3)}`,
  );
  assert.ok(planted > 80 && broken > 10);
  assert.ok(recall >= 0.95, `recall ${recall}`);
  assert.ok(dropped >= 0.8, `dropped ${dropped}`);
  // Not 95 %: most of the others' movement is in short spells of high volatility, of which a test of unit roots sees few, and says "related"
  // too often. Windows show it: such a pair holds in one of them, not in three.
  assert.ok(precision >= 0.65, `precision ${precision}`);
  assert.ok(stableRight / stable >= 0.9, `precision of stable ones ${stableRight / stable}`);
});
