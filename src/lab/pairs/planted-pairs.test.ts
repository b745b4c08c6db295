// The scan against the truth of the synthetic market: pairs that are planted, one of which breaks at known times.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS } from '../../domain/time.ts';
import { syntheticMarket } from '../../market/synthetic/market.ts';
import { groundTruth } from '../../market/synthetic/truth.ts';
import type { ClosingPrices } from './join.ts';
import { allPairs, FALSE_DISCOVERY_RATE, scanPairs } from './scan.ts';

const START = Date.UTC(2026, 0, 1);
const DAYS = 360;
const BARS = DAYS * 24;
const WINDOW = 40 * 24;
const STEP = 16 * 24;
const SYMBOLS = ['BTC', 'ETH', 'SOL', 'XRP', 'LTC', 'DOGE', 'AVAX', 'ADA'].map((base) => `${base}/USDT:USDT`);

/** Those of which the thresholds of the scan were not chosen: by seeds 1 to 6. */
const SEEDS = [7, 8];
/** A share of windows that is more than the scan demands. */
const STABLE = 3 / 7;
/** Standard deviations of its spread by which the constant of a pair has moved within a window, from which on it is none. */
const BROKEN = 3;

test('planted pairs are found while they hold, and dropped once they have broken', (context) => {
  const counts = {
    found: 0,
    right: 0,
    planted: 0,
    broken: 0,
    brokenFound: 0,
    undecided: 0,
    alone: 0,
    aloneRight: 0,
    stable: 0,
    stableRight: 0,
  };
  for (const seed of SEEDS) {
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
      for (const { a, b, qValue, isCointegrated, stability } of pairs) {
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
        }
        // As the scan judged before: by the rate of false discoveries alone.
        if (qValue <= FALSE_DISCOVERY_RATE) {
          counts.alone++;
          if (isPlanted) counts.aloneRight++;
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
  const { found, right, planted, broken, brokenFound, undecided, alone, aloneRight, stable, stableRight } = counts;
  const [precision, recall, dropped] = [right / found, right / planted, 1 - brokenFound / broken];
  context.diagnostic(`precision ${precision.toFixed(3)} of ${found} found, recall ${recall.toFixed(3)} of ${planted} planted`);
  context.diagnostic(
    `by the q-value alone: precision ${(aloneRight / alone).toFixed(3)} of ${alone}, recall ${(aloneRight / planted).toFixed(3)}; with a stability of 3/7 at least: precision ${(stableRight / stable).toFixed(3)} of ${stable}, recall ${(stableRight / planted).toFixed(3)}`,
  );
  context.diagnostic(`dropped in ${dropped.toFixed(3)} of ${broken} windows with a break (${undecided} that one only grazes left out)`);
  assert.ok(planted > 80 && broken > 10);
  assert.ok(recall >= 0.9, `recall ${recall}`);
  assert.ok(dropped >= 0.8, `dropped ${dropped}`);
  // The rest are legs that both carry a reverting part of their own, and spells that fill more than one window.
  assert.ok(precision >= 0.8, `precision ${precision}`);
  assert.ok(precision > aloneRight / alone, 'what is demanded beside the q-value pays');
});
