// The adapter is held to the contract that the simulated venue is held to: minute bars around 100, served by the simulated Bybit venue.
import type { BarColumns } from '../../domain/bars.ts';
import { amount, price, quantity, toNumber } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import type { MarketSource } from '../../domain/ports.ts';
import { BarSource } from '../../market/bar-source.ts';
import { Random } from '../../quant/random.ts';
import { Exchange } from '../bybit-server/exchange.ts';
import { BybitServer } from '../bybit-server/server.ts';
import type { InstrumentSurroundings } from '../bybit-server/served-market.ts';
import { listedFrom } from './bybit-orders.ts';
import { instrumentRowSchema } from './bybit-rows.ts';
import { BybitVenue, defaultBybitVenueSettings } from './bybit-venue.ts';
import { redactor } from './credentials.ts';
import { holdsVenueContract, type VenueSubject } from '../../../test/contracts/venue.contract.ts';
import { SteppedTimers } from '../../../test/support/stepped-timers.ts';
import { CREDENTIALS, START } from '../../../test/support/adapter-bench.ts';
import { SimulatedWire } from '../../../test/support/simulated-bybit-wire.ts';

const MINUTE = 60_000;
const CONNECTED_MS = 20_000;

const X: Instrument = {
  venue: 'bybit',
  symbol: 'X/USDT:USDT',
  kind: 'linear',
  base: 'X',
  quote: 'USDT',
  tick: price('0.01'),
  lot: quantity('0.001'),
  minimumQuantity: quantity('0.001'),
  minimumNotional: amount('1'),
  takerFeeRate: 0.001,
  makerFeeRate: 0.0002,
  fundingRate: 0,
  fundingIntervalMs: 0,
};

/** A quiet wave around 100. */
function wave(): MarketSource {
  const rows = 300;
  const column = (of: (row: number) => number): Float64Array => Float64Array.from({ length: rows }, (_, row) => of(row));
  const level = (row: number): number => Math.round(10_000 + 50 * Math.sin(row / 3)) / 100;
  const bars: BarColumns = {
    openAt: column((row) => START + (row - 1) * MINUTE),
    open: column((row) => level(row)),
    high: column((row) => Math.max(level(row), level(row + 1)) + 0.1),
    low: column((row) => Math.min(level(row), level(row + 1)) - 0.1),
    close: column((row) => level(row + 1)),
    volume: column(() => 1),
  };
  const source = new BarSource({ instrument: 0, timeframeMs: MINUTE, from: START, chunks: [bars] });
  source.peekAt();
  return source;
}

/** A tick of spread around the last price. */
function surroundings({ tick }: Instrument): InstrumentSurroundings {
  const state = { last: NaN };
  return {
    get markPrice() {
      return state.last;
    },
    get indexPrice() {
      return state.last;
    },
    openInterest: 1,
    fundingRate: undefined,
    advance(_at, last) {
      state.last = last;
    },
    top(side, prices, quantities) {
      prices[0] = side > 0 ? state.last : state.last + toNumber(tick);
      quantities[0] = 1;
      return 1;
    },
  };
}

holdsVenueContract('bybit through the adapter', async (): Promise<VenueSubject> => {
  const timers = new SteppedTimers();
  const exchange = new Exchange({
    market: { instruments: [X], sources: [wave()], surroundings: [surroundings(X)], baseTimeframeMs: MINUTE },
    accounts: [{ name: 'account', uid: 1, ...CREDENTIALS, capital: amount('100000') }],
    from: START,
    seed: 1,
    slippageRatio: 0,
    rules: {},
  });
  const server = new BybitServer({ exchange, seed: 1, hasFaults: false });
  const { recvWindowMs } = defaultBybitVenueSettings;
  const wire = new SimulatedWire({ server, credentials: CREDENTIALS, timers, random: new Random(1), startAt: START, recvWindowMs });
  wire.latencyMs = [1, 1];
  const now = (): number => START + timers.now();
  const venue = new BybitVenue({
    instruments: [X],
    listed: exchange.listings.map((listing, index) => listedFrom(instrumentRowSchema.parse(listing.info()), index, 'linear')),
    wire,
    timers,
    random: new Random(1),
    settings: defaultBybitVenueSettings,
    runId: 'contract',
    since: START,
    capital: amount('100000'),
    now,
    notBefore: () => 0,
    lastPrice: () => exchange.listings[0]?.last ?? NaN,
    disasterPrice: () => NaN,
    redact: redactor(CREDENTIALS),
    foreign: 'flag',
    isGuarded: false,
    mayOpen: () => undefined,
    onNotice: () => undefined,
  });
  const pass = async (to: number): Promise<void> => {
    while (now() < to) {
      exchange.advance(now());
      server.tick(now());
      // Whenever something may be under way by the millisecond, otherwise as the server ticks.
      await timers.advance(Math.min(to - now(), now() % MINUTE < 100 ? 1 : 20));
    }
  };
  venue.start();
  await pass(START + CONNECTED_MS);
  const market = wave();
  // It sees what comes after the connection.
  while (market.peekAt() < START + CONNECTED_MS) market.take();
  return { venue, market, pass };
});
