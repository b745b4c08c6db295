// The default market, digit for digit. Sessions, replays and figures in the documents depend on it: a new stream, a new asset or a new
// option must leave every one of these as it is.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ByteWriter } from '../../domain/bytes.ts';
import { HOUR_MS, SECOND_MS } from '../../domain/time.ts';
import { STUDY_ASSETS } from './assets.ts';
import { syntheticBook } from './book.ts';
import { syntheticDerivatives } from './derivatives.ts';
import { syntheticHeadlines } from './headlines.ts';
import { interruptionTruth } from './interruptions.ts';
import { syntheticMarket } from './market.ts';
import { syntheticOnChain } from './on-chain.ts';
import type { SyntheticMarketOptions } from './options.ts';
import { groundTruth } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const ROUNDS = 3_000;

const PINS: readonly (readonly [Omit<SyntheticMarketOptions, 'startAt'>, string])[] = [
  [{ seed: 1 }, 'b73aea798367ac5c62423a378a9a08f6abb9581839ea01b5c9338ddab1abae27'],
  [{ seed: 1, tradesPerBar: 0 }, 'e6e823c79c36122bfb7af969f15a3f19c56f2397ebcf9255f60ee5b585928c4e'],
  [{ seed: 20_261_120, tradesPerBar: 20 }, 'b62d5b282673870d5147559b666e4478453e7571791b5f1bd9e4bd6d238e69eb'],
  [{ seed: 7, timeframeMs: HOUR_MS }, 'b7f7e513f82d2517681590401acf2ae9ff1c13c950e5882f0bfc78269a44c6c1'],
  [
    { seed: Number.MAX_SAFE_INTEGER, timeframeMs: SECOND_MS, assets: ['DOGE/USDT:USDT', 'BTC/USDT:USDT'] },
    '80ac187d11414ef72b2248916fa31f6b6059947845d2f8fe1b1c388edb461622',
  ],
];

for (const [options, digest] of PINS) {
  test(`bars, trades and saved state are those of the first version for ${JSON.stringify(options)}`, () => {
    const market = syntheticMarket({ startAt: START, ...options });
    const bytes = new ByteWriter();
    for (let round = 0; round < ROUNDS; round++) {
      for (const source of market.sources) {
        const { kind, warmup, at, happenedAt, instrument, open, high, low, close, volume } = source.take();
        bytes.text(kind);
        bytes.flag(warmup);
        for (const value of [at, happenedAt, instrument, open, high, low, close, volume]) bytes.number(value);
      }
    }
    market.save(bytes);
    assert.equal(createHash('sha256').update(bytes.view()).digest('hex'), digest);
  });
}

test('the truth of the default market is that of the first version', () => {
  const truth = groundTruth({ seed: 1, startAt: START, bars: ROUNDS });
  const bytes = new ByteWriter();
  bytes.numbers(truth.openAt);
  bytes.bytes(truth.regime);
  for (const column of [truth.factor.level, truth.factor.volatility, truth.factor.jump]) bytes.numbers(column);
  for (const { symbol, volatility, jump } of truth.assets) {
    bytes.text(symbol);
    bytes.numbers(volatility);
    bytes.numbers(jump);
  }
  for (const { leader, follower, spread } of truth.pairs) {
    bytes.text(`${follower} ${leader}`);
    bytes.numbers(spread);
  }
  assert.equal(createHash('sha256').update(bytes.view()).digest('hex'), '863bde3eb4661dffd7668e3922b46511abfcee6e44ba39d71dac3cba38b314e6');
});

const BTC = 'BTC/USDT:USDT';
const HOURLY = { seed: 1, startAt: START, timeframeMs: HOUR_MS };

/** The first of every stream beside bars and trades. When one is changed on purpose, its new digest belongs here. */
const STREAMS: readonly (readonly [string, string, (bytes: ByteWriter) => void])[] = [
  [
    'the order book',
    '508ca864d284288d8c508a293b88e0556eca4e65d43f9b90773d01054f4ba740',
    (bytes) => {
      const book = syntheticBook({ seed: 1, startAt: START }, BTC);
      for (let bar = 0; bar < 30; bar++) {
        const { snapshot, deltas, trades } = book.step();
        for (const columns of [snapshot ?? {}, deltas, trades]) {
          for (const column of Object.values(columns) as (Float64Array | Int8Array)[]) bytes.numbers(Float64Array.from(column));
        }
      }
    },
  ],
  [
    'mark, index, funding and open interest',
    'a74e9d8b6290d704da2a451507e6c6ae0bf59634c91bbbb9bbde9fad4453ff8f',
    (bytes) => {
      const derivatives = syntheticDerivatives({ seed: 1, startAt: START }, BTC);
      for (let bar = 0; bar < ROUNDS; bar++) {
        const { at, indexPrice, markPrice, openInterest, fundings, fundingRate } = derivatives.step();
        for (const value of [at, indexPrice, markPrice, openInterest]) bytes.number(value);
        bytes.numbers(fundingRate.subarray(0, fundings));
      }
    },
  ],
  [
    'headlines',
    'fdeb454040ad1bcc93c2288238971e2af6e86a59a22ddcdc98f9d0004fa11a9f',
    (bytes) => {
      const headlines = syntheticHeadlines(HOURLY);
      for (let bar = 0; bar < ROUNDS; bar++) {
        for (const { headline, truth } of headlines.step()) {
          bytes.text(`${headline.id} ${headline.outlet} ${headline.title} ${truth.kind}`);
          for (const value of [headline.at, headline.happenedAt, truth.sentiment, truth.jump]) bytes.number(value);
        }
      }
    },
  ],
  [
    'on-chain series',
    'd73e4215daed4c441f08f42874f31c3767c0b46dcd0f7f1aadac1e139beea72f',
    (bytes) => {
      const series = syntheticOnChain(HOURLY, BTC);
      for (let period = 0; period < ROUNDS; period++) {
        const { at, inflow, activeAddresses } = series.step();
        for (const value of [at, inflow, activeAddresses]) bytes.number(value);
      }
    },
  ],
  [
    'the assets for studies',
    '067bb177968de932cbd2743b462b97c5367871ca46bf12bb2027b95e6422eb6e',
    (bytes) => {
      const { sources } = syntheticMarket({ ...HOURLY, assets: STUDY_ASSETS.map(({ instrument }) => instrument.symbol) });
      for (const source of sources) {
        for (let taken = 0; taken < ROUNDS; taken++) {
          const { at, close, volume } = source.take();
          for (const value of [at, close, volume]) bytes.number(value);
        }
      }
    },
  ],
  [
    'outages and gaps',
    'be1967282ae3d5f05c32150f2f244ed4cf56f14b46fe4ff5bba73d31104fa1bb',
    (bytes) => {
      const { outages, gaps } = interruptionTruth({ seed: 1, startAt: START }, 100_000);
      for (const { from, until } of [...outages, ...[...gaps.values()].flat()]) bytes.numbers(Float64Array.of(from, until));
    },
  ],
];

for (const [name, digest, write] of STREAMS) {
  test(`${name} of seed 1 are the same on every machine and day`, () => {
    const bytes = new ByteWriter();
    write(bytes);
    assert.equal(createHash('sha256').update(bytes.view()).digest('hex'), digest);
  });
}
