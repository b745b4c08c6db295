import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { BallastError } from '../../domain/errors.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { correlation } from '../../quant/statistics.ts';
import { syntheticOnChain, type OnChainEntry, type SyntheticOnChain } from './on-chain.ts';
import { groundTruth } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const BTC = 'BTC/USDT:USDT';
const HOURLY = { startAt: START, timeframeMs: HOUR_MS };

function take(from: SyntheticOnChain, periods: number): OnChainEntry[] {
  return Array.from({ length: periods }, () => from.step());
}

for (const seed of [1, 2, 3]) {
  test(`seed ${seed}: inflows lead the jumps by their lead, addresses follow them by their lag, and neither by any other time`, () => {
    const periods = 365 * 24;
    const entries = take(syntheticOnChain({ ...HOURLY, seed }, BTC), periods);
    const { assets } = groundTruth({ ...HOURLY, seed, bars: periods });
    const jump = assets[0]?.jump ?? new Float64Array(0);
    const inflow = Float64Array.from(entries, (entry) => Math.log(entry.inflow));
    const addresses = Float64Array.from(entries, (entry) => Math.log(entry.activeAddresses));
    // Correlation of a column with the jumps `lead` hours later.
    const withJumps = (column: Float64Array, jumps: Float64Array, lead: number): number => {
      const [first, end] = [50, periods - 50];
      return correlation(column.subarray(first, end), jumps.subarray(first + lead, end + lead));
    };
    const [inflowPeak, addressPeak] = [withJumps(inflow, jump, 6), withJumps(addresses, jump.map(Math.abs), -12)];
    assert.ok(inflowPeak < -0.4, `inflow at its lead: ${inflowPeak}`);
    assert.ok(addressPeak > 0.2, `addresses at their lag: ${addressPeak}`);
    for (let lead = -15; lead <= 15; lead++) {
      // Jumps of a crash stand close together, so that other times share a little of it.
      const ofInflow = withJumps(inflow, jump, lead);
      if (lead !== 6) assert.ok(Math.abs(ofInflow) < -0.5 * inflowPeak, `inflow at ${lead}: ${ofInflow} of ${inflowPeak}`);
      const ofAddresses = withJumps(addresses, jump.map(Math.abs), lead);
      if (lead !== -12) assert.ok(ofAddresses < 0.6 * addressPeak, `addresses at ${lead}: ${ofAddresses} of ${addressPeak}`);
    }
  });
}

test('an entry is known some time after its period, and before the first jump that it tells of', () => {
  const entries = take(syntheticOnChain({ seed: 1, startAt: START }, BTC), 48);
  entries.forEach(({ at, happenedAt, inflow, activeAddresses }, period) => {
    assert.equal(happenedAt, START + (period + 1) * HOUR_MS);
    assert.equal(at, happenedAt + 20 * MINUTE_MS);
    assert.ok(at < START + (period + 6) * HOUR_MS);
    assert.ok(inflow > 0 && Number.isInteger(activeAddresses) && activeAddresses > 0);
  });
});

test('a series saved and restored at any period continues', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(60), (seed, periods) => {
      const options = { ...HOURLY, seed, onChain: { periodHours: 2, publicationMinutes: 5 } };
      const running = syntheticOnChain(options, 'DOGE/USDT:USDT');
      take(running, periods);
      const saved = new ByteWriter();
      running.save(saved);
      const resumed = syntheticOnChain(options, 'DOGE/USDT:USDT');
      resumed.restore(new ByteReader(saved.view()));
      assert.deepEqual(take(resumed, 40), take(running, 40));
    }),
    { numRuns: 20 },
  );
});

test('parameters that would know the future too late, or cut bars, are refused', () => {
  const wrong = [
    [{ ...HOURLY, onChain: { inflowLeadPeriods: 2, publicationMinutes: 61 } }, /onChain\.publicationMinutes: found 61/],
    [{ startAt: START, timeframeMs: 7 * MINUTE_MS }, /onChain\.periodHours: found 1, expected a multiple of the timeframe/],
  ] as const;
  for (const [options, message] of wrong) {
    const startAt = Math.ceil(START / options.timeframeMs) * options.timeframeMs;
    assert.throws(
      () => syntheticOnChain({ seed: 1, ...options, startAt }, BTC),
      (error) => error instanceof BallastError && message.test(error.message),
    );
  }
});
