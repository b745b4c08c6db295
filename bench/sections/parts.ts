// The parts alone: features, the synthetic market, the store.
import { rmSync } from 'node:fs';
import { DAY_MS, MINUTE_MS } from '../../src/domain/time.ts';
import type { FeatureSpec } from '../../src/domain/feature.ts';
import {
  atr,
  bollinger,
  donchian,
  ema,
  realisedVolatility,
  rsi,
  sma,
  standardDeviation,
  volatilityRatio,
  zScore,
} from '../../src/features/catalog.ts';
import { openStore } from '../../src/market/history/store.ts';
import { syntheticMarket } from '../../src/market/synthetic/market.ts';
import type { Figure } from '../figure.ts';
import { medianOf, ownMs, timed, type Timing } from '../measure.ts';
import type { Section } from '../section.ts';
import { Walk } from '../walk.ts';
import { makeYear, YEAR_BARS, YEAR_SERIES } from '../year.ts';

const UPDATES = 1_000_000;
const SYNTHETIC_BARS = 200_000;
const WARMUPS = 1;
const REPEATS = 5;

export const parts: Section = {
  name: 'parts',
  title: 'Parts alone',
  rows: [
    { name: 'features', measure: measureFeatures },
    { name: 'synthetic', measure: measureSynthetic },
    { name: 'history', measure: measureHistory },
  ],
};

async function repeated(work: () => unknown): Promise<Timing> {
  const timings: Timing[] = [];
  for (let repeat = -WARMUPS; repeat < REPEATS; repeat++) {
    const { timing } = await timed(work);
    if (repeat >= 0) timings.push(timing);
  }
  return medianOf(timings);
}

async function measureFeatures(): Promise<readonly Figure[]> {
  const bars = new Walk(7).next(UPDATES);
  const specs: readonly FeatureSpec[] = [
    sma(20),
    ema(20),
    rsi(14),
    atr(14),
    bollinger(20, 2),
    standardDeviation(20),
    zScore(20),
    realisedVolatility(100),
    volatilityRatio(10, 100),
    donchian(20),
  ];
  const figures: Figure[] = [];
  for (const spec of specs) {
    const timing = await repeated(() => {
      const indicator = spec.create();
      const bar = { at: 0.5, open: NaN, high: NaN, low: NaN, close: NaN, volume: NaN };
      for (let row = 0; row < UPDATES; row++) {
        bar.at = (bars.openAt[row] ?? NaN) + MINUTE_MS;
        bar.open = bars.open[row] ?? NaN;
        bar.high = bars.high[row] ?? NaN;
        bar.low = bars.low[row] ?? NaN;
        bar.close = bars.close[row] ?? NaN;
        bar.volume = bars.volume[row] ?? NaN;
        indicator.update(bar);
      }
      return indicator.value;
    });
    figures.push({
      name: spec.key,
      value: (ownMs(timing) / UPDATES) * 1e6,
      unit: 'ns/update',
      better: 'less',
      cpu: (timing.cpuMs / UPDATES) * 1e6,
    });
  }
  return figures;
}

async function measureSynthetic(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const assets = ['BTC/USDT:USDT', 'ETH/USDT:USDT', 'SOL/USDT:USDT'];
  for (const tradesPerBar of [0, 4]) {
    const events = SYNTHETIC_BARS * (1 + tradesPerBar);
    const timing = await repeated(() => {
      const market = syntheticMarket({ seed: 1, startAt: Math.ceil(Date.UTC(2026, 0, 1) / DAY_MS) * DAY_MS, tradesPerBar, assets });
      for (let taken = 0; taken < events; taken++) {
        let next = market.sources[0];
        for (const source of market.sources) if (next === undefined || source.peekAt() < next.peekAt()) next = source;
        next?.take();
      }
    });
    figures.push({
      name: `synthetic market, ${assets.length} instruments, ${tradesPerBar === 0 ? 'bars' : 'bars and trades'}`,
      value: (events / ownMs(timing)) * 1000,
      unit: 'events/s',
      better: 'more',
      cpu: (events / timing.cpuMs) * 1000,
    });
  }
  return figures;
}

async function measureHistory(): Promise<readonly Figure[]> {
  const home = await makeYear();
  const store = await openStore(home);
  try {
    const timing = await repeated(() => store.load(YEAR_SERIES));
    const { wallMs, cpuMs } = timing;
    return [{ name: `load ${YEAR_BARS.toLocaleString('en')} stored bars`, value: wallMs, unit: 'ms', better: 'less', cpu: cpuMs }];
  } finally {
    await store.close();
    rmSync(home, { recursive: true, force: true });
  }
}
