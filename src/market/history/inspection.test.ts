// Stored bars looked through: every flaw is found where it was put. That real files have the flaws that their collectors counted, and no
// others, is looked at through the command line: test/e2e/history.test.ts.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { DAY_MS, HOUR_MS } from '../../domain/time.ts';
import { Inspector, type Inspection } from './inspection.ts';

const START = Date.UTC(2024, 0, 1);
type Row = readonly [openAt: number, open: number, high: number, low: number, close: number, volume: number];

const quiet = (hour: number, price = 100, volume = 5): Row => [START + hour * HOUR_MS, price, price * 1.01, price * 0.99, price, volume];
const quietHours = (count: number, from = 0, price = 100): Row[] => Array.from({ length: count }, (_, index) => quiet(from + index, price));

function columns(rows: readonly Row[]): BarColumns {
  const column = (field: number): Float64Array => Float64Array.from(rows, (row) => row[field] ?? NaN);
  return { openAt: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) };
}

/** In chunks of every size, which must make no difference. */
function inspect(rows: readonly Row[]): Inspection {
  const results = [1, 3, rows.length].map((size) => {
    const inspector = new Inspector(HOUR_MS);
    for (let start = 0; start < rows.length; start += size) inspector.add(columns(rows.slice(start, start + size)));
    return inspector.result();
  });
  for (const result of results) assert.deepEqual(result, results[0]);
  return results[0] ?? assert.fail();
}

const found = ({ findings }: Inspection): unknown[] => findings.map(({ kind, fromMs, bars }) => [kind, (fromMs - START) / HOUR_MS, bars]);

describe('an inspection', () => {
  test('finds nothing in sound bars', () => {
    const result = inspect(quietHours(50));
    assert.deepEqual(result.findings, []);
    assert.deepEqual([result.rows, result.qualityRatio, result.coins], [50, 1, 1]);
  });

  test('of no bars gives no quality', () => {
    assert.deepEqual([inspect([quiet(0)]).qualityRatio, new Inspector(HOUR_MS).result().qualityRatio], [1, 0]);
  });

  test('counts a hole by its missing bars, and judges nobody by a neighbour on its other side', () => {
    const result = inspect([...quietHours(5), ...quietHours(5, 8, 3_000)]);
    assert.deepEqual(found(result), [['hole', 5, 3]]);
    assert.deepEqual([result.holes, result.missingBars, result.qualityRatio], [1, 3, 10 / 13]);
  });

  test('tells neighbouring flat bars once, and bars without volume that moved apart from them', () => {
    const flat = (hour: number): Row => [START + hour * HOUR_MS, 100, 100, 100, 100, 0];
    const result = inspect([...quietHours(3), flat(3), flat(4), quiet(5, 100, 0), flat(6), quiet(7)]);
    assert.deepEqual(found(result), [
      ['flat', 3, 2],
      ['flat', 6, 1],
    ]);
    assert.deepEqual([result.flatBars, result.zeroVolumeBars], [3, 4]);
  });

  test('tells a spike once, not as a way there and a way back', () => {
    const result = inspect([...quietHours(4), quiet(4, 100_000), ...quietHours(4, 5)]);
    assert.deepEqual(found(result), [['spike', 4, 1]]);
    assert.deepEqual([result.spikes, result.breaks, result.qualityRatio], [1, 0, 8 / 9]);
  });

  test('tells a bar that is elsewhere while its neighbours agree as a spike, from double on; not a move that goes on, nor a wick', () => {
    for (const price of [10_00, 210, 45]) {
      const result = inspect([...quietHours(4), quiet(4, price), ...quietHours(4, 5)]);
      assert.deepEqual(found(result), [['spike', 4, 1]], String(price));
    }
    assert.deepEqual(found(inspect([...quietHours(4), quiet(4, 180), ...quietHours(4, 5)])), []);
    assert.deepEqual(found(inspect([...quietHours(4), quiet(4, 300), ...quietHours(4, 5, 300)])), []);
    assert.deepEqual(found(inspect([...quietHours(4), [START + 4 * HOUR_MS, 100, 900, 9, 100, 1], ...quietHours(4, 5)])), []);
  });

  test('tells a price that jumps and stays as a break between two bars that are sound', () => {
    const result = inspect([...quietHours(4), ...quietHours(4, 4, 9_000)]);
    assert.deepEqual(found(result), [['break', 4, 1]]);
    assert.equal(result.qualityRatio, 1);
  });

  test('takes another price after days of silence for another coin, and gives the whole no quality', () => {
    const days = (3 * DAY_MS) / HOUR_MS;
    assert.equal(inspect([...quietHours(4), ...quietHours(4, 3 + days, 9_000)]).coins, 1, 'an hour less');
    const result = inspect([...quietHours(4), ...quietHours(4, 4 + days, 9_000)]);
    assert.deepEqual(found(result), [
      ['hole', 4, days],
      ['another-coin', 4 + days, 1],
    ]);
    assert.deepEqual([result.coins, result.qualityRatio], [2, 0]);
  });

  test('tells what is no bar, and what does not follow', () => {
    const result = inspect([quiet(0), [START + HOUR_MS, 100, 90, 110, 100, 1], [START + 2 * HOUR_MS, NaN, 1, 1, 1, 1], quiet(3), quiet(3)]);
    assert.deepEqual(found(result), [
      ['malformed', 1, 2],
      ['disorder', 3, 1],
    ]);
    assert.deepEqual([result.malformedBars, result.disorderedBars, result.qualityRatio], [2, 1, 2 / 5]);
  });

  test('says the same in chunks as bar by bar, whatever is wrong with the bars', () => {
    const bar = fc.record({
      hours: fc.constantFrom(1, 1, 1, 1, 1, 1, 0, 2, 100),
      price: fc.constantFrom(100, 100, 100, 101, 99, 2_500, 4, 0, NaN),
      reach: fc.constantFrom(1.01, 1.01, 1, 0.9, 30),
      volume: fc.constantFrom(5, 5, 5, 0, -1, Infinity),
    });
    fc.assert(
      fc.property(fc.array(bar, { minLength: 1, maxLength: 40 }), (drawn) => {
        let hour = 0;
        inspect(
          drawn.map(({ hours, price, reach, volume }): Row => {
            hour += hours;
            return [START + hour * HOUR_MS, price, price * reach, price / reach, price, volume];
          }),
        );
      }),
    );
  });
});
