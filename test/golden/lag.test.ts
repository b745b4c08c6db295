// The time-shift test of look-ahead against scipy: see lag-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { HOUR_MS } from '../../src/domain/time.ts';
import { lagTest } from '../../src/lab/lookahead/lag.ts';

interface Golden {
  readonly open: readonly number[];
  readonly stance: readonly (number | null)[];
  readonly column: readonly (number | null)[];
  readonly earned: Readonly<Record<string, number>>;
  readonly foretold: Readonly<Record<string, number>>;
}

const golden = JSON.parse(readFileSync(new URL('lag.json', import.meta.url), 'utf8')) as Golden;
const numbers = (values: readonly (number | null)[]): Float64Array => Float64Array.from(values, (value) => value ?? NaN);
const open = numbers(golden.open);
const bars = { openAt: open.map((_, row) => row * HOUR_MS), open, high: open, low: open, close: open, volume: open };
const world = { legs: [bars], timeframeMs: HOUR_MS };
const trace = {
  failure: undefined,
  columns: new Map([
    ['stance', numbers(golden.stance)],
    ['column', numbers(golden.column)],
  ]),
};

for (const [column, expected] of [
  ['stance', golden.earned],
  ['column', golden.foretold],
] as const) {
  test(`${column}: the t statistics of scipy`, () => {
    const { scores } = lagTest(trace, world, column, 'close');
    assert.equal(scores.length, Object.keys(expected).length);
    for (const { lagBars, score } of scores) {
      const golden = expected[lagBars] ?? NaN;
      assert.ok(Math.abs(score / golden - 1) < 1e-9, `lag ${lagBars}: found ${score}, expected ${golden}`);
    }
  });
}
