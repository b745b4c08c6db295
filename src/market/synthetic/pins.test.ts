// The default market, digit for digit. Sessions, replays and figures in the documents depend on it: a new stream, a new asset or a new
// option must leave every one of these as it is.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ByteWriter } from '../../domain/bytes.ts';
import { HOUR_MS, SECOND_MS } from '../../domain/time.ts';
import { syntheticMarket } from './market.ts';
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
