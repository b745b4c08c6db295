import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { FundingAnnounced } from '../../domain/event.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { FundingPace } from '../../features/funding/funding-pace.ts';
import { fundingCarry } from './funding-carry.ts';
import { holdsStrategyContract } from './strategy.contract.ts';

holdsStrategyContract(
  fundingCarry,
  fc.record({
    settlements: fc.integer({ min: 1, max: 40 }),
    entryPerDay: fc.double({ min: 0.0002, max: 0.1, noNaN: true }),
    exitPerDay: fc.double({ min: -0.1, max: 0.0002, noNaN: true }),
    reverse: fc.boolean(),
  }),
);

function settled(settlesAt: number, rate: number): FundingAnnounced {
  return { kind: 'funding.announced', at: settlesAt, happenedAt: settlesAt, instrument: 0, rate, settlesAt, warmup: false };
}

test('the pace of funding is what was paid a day, whatever the interval was', () => {
  const pace = new FundingPace(6);
  let at = Date.UTC(2024, 0, 1);
  const push = (hours: number, rate: number): void => pace.update(settled((at += hours * HOUR_MS), rate));
  for (let count = 0; count < 6; count++) push(8, 0.0003);
  assert.ok(Number.isNaN(pace.value), 'six rates have five distances');
  push(8, 0.0003);
  assert.ok(Math.abs(pace.value - 0.0009) < 1e-15);
  // Half the interval at half the rate is the same a day, also while both are in the window.
  for (let count = 0; count < 9; count++) {
    push(4, 0.00015);
    assert.ok(Math.abs(pace.value - 0.0009) < 1e-15, `${count}: ${pace.value}`);
  }
  const out = new ByteWriter(64);
  pace.save(out);
  const again = new FundingPace(6);
  again.restore(new ByteReader(out.view()));
  for (const each of [pace, again]) each.update(settled(at + 8 * HOUR_MS, -0.001));
  assert.equal(again.value, pace.value);
});
