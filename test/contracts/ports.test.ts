import { amount, price, quantity } from '../../src/domain/decimal.ts';
import type { BarColumns } from '../../src/domain/bars.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import { SimulatedClock } from '../../src/engine/simulated-clock.ts';
import { SystemClock } from '../../src/engine/system-clock.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import { Feed } from '../../src/market/feed/feed.ts';
import { syntheticMarket } from '../../src/market/synthetic/market.ts';
import { withoutWarmupTrades } from '../../src/market/warmup.ts';
import { SimulatedVenue } from '../../src/venues/simulated/venue.ts';
import { holdsClockContract } from './clock.contract.ts';
import { holdsMarketSourceContract } from './market-source.contract.ts';
import { holdsEmbeddedVenueContract } from './venue.contract.ts';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

/** A quiet wave around 100. */
function wave(rows: number): BarColumns {
  const column = (of: (row: number) => number): Float64Array => Float64Array.from({ length: rows }, (_, row) => of(row));
  const level = (row: number): number => Math.round(10_000 + 50 * Math.sin(row / 3)) / 100;
  return {
    openAt: column((row) => START + row * MINUTE),
    open: column((row) => level(row)),
    high: column((row) => Math.max(level(row), level(row + 1)) + 0.1),
    low: column((row) => Math.min(level(row), level(row + 1)) - 0.1),
    close: column((row) => level(row + 1)),
    volume: column(() => 1),
  };
}

holdsMarketSourceContract('bars in memory', () => {
  const source = new BarSource({ instrument: 0, timeframeMs: MINUTE, from: START, chunks: [wave(300), wave(0)] });
  return { source, state: source };
});
holdsMarketSourceContract('the synthetic market, with trades', () => {
  const market = syntheticMarket({ seed: 3, startAt: START, assets: ['ETH/USDT:USDT'] });
  const [source] = market.sources;
  if (source === undefined) throw new Error('the market has the asset that was asked for');
  return { source, state: market };
});
holdsMarketSourceContract('the synthetic market without the trades of its warm-up', () => {
  const market = syntheticMarket({ seed: 3, startAt: START, assets: ['ETH/USDT:USDT'], from: START + 60 * MINUTE });
  const [source] = market.sources;
  if (source === undefined) throw new Error('the market has the asset that was asked for');
  return { source: withoutWarmupTrades(source), state: market };
});
holdsMarketSourceContract('a feed', () => {
  const feed = new Feed({
    symbols: ['X/USDT'],
    baseTimeframeMs: MINUTE,
    now: () => START,
    notBefore: () => 0,
    latest: () => Infinity,
    onTime: () => undefined,
    onRefused: (why) => {
      throw new Error(why);
    },
  });
  const bars = wave(300);
  bars.openAt.forEach((openAt, row) => {
    const at = (column: Float64Array): number => column[row] ?? NaN;
    const { open, high, low, close, volume } = bars;
    feed.receive(
      JSON.stringify({
        kind: 'bar.closed',
        symbol: 'X/USDT',
        openAt,
        open: at(open),
        high: at(high),
        low: at(low),
        close: at(close),
        volume: at(volume),
      }),
    );
  });
  const [source] = feed.sources;
  if (source === undefined) throw new Error('the feed has the symbol that was asked for');
  return { source };
});

holdsClockContract('of a tape', () => new SimulatedClock());
holdsClockContract('of the system, as fast as it goes', (at) => new SystemClock(at, Infinity));
holdsClockContract('of the system, paced', (at) => new SystemClock(at, 60));

const INSTRUMENT: Instrument = {
  venue: 'simulated',
  symbol: 'X/USDT:USDT',
  kind: 'linear',
  base: 'X',
  quote: 'USDT',
  tick: price('0.01'),
  lot: quantity('0.001'),
  minimumQuantity: quantity('0.001'),
  minimumNotional: amount('5'),
  takerFeeRate: 0.0006,
  makerFeeRate: 0.0002,
  fundingRate: 0.0001,
  fundingIntervalMs: 28_800_000,
};

holdsEmbeddedVenueContract('simulated', () => {
  const venue = new SimulatedVenue({
    instruments: [INSTRUMENT],
    baseTimeframeMs: MINUTE,
    capital: amount('100000'),
    slippageRatio: 0.0005,
    latencyMs: 1,
    maximumLeverage: 10,
    allowSpotShort: false,
    notBefore: () => 0,
  });
  return { venue, market: venue.watching(new BarSource({ instrument: 0, timeframeMs: MINUTE, from: START, chunks: [wave(300)] })) };
});
