// Against statsmodels, scipy and pyvinecopulib on real bars: test/e2e/pairs.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../quant/random.ts';
import { scanCopulas, type CopulaRow, type CopulaScan } from './copula-scan.ts';
import { joinAllLogs, type ClosingPrices } from './join.ts';
import { allPairs } from './scan.ts';

const BARS = 700;
const NAMES = ['BTC', 'TWIN', 'SISTER', 'LONER', 'MIRROR', 'STRANGER', 'STILL', 'YOUNG'];

/** A reference; two coins that leave it together, one by itself, one against them; a stranger, one that does not move, and one that is young. */
function market(seed: number): ClosingPrices[] {
  const random = new Random(seed);
  const openAt = Float64Array.from({ length: BARS }, (_, bar) => bar * 3_600_000);
  const columns = NAMES.map(() => new Float64Array(BARS));
  let [base, common, own, stranger] = [8, 0, 0, 3];
  for (let bar = 0; bar < BARS; bar++) {
    base += 0.01 * random.normal();
    common = 0.85 * common + 0.005 * random.normal();
    own = 0.85 * own + 0.005 * random.normal();
    stranger += 0.012 * random.normal();
    const noise = (): number => 0.002 * random.normal();
    const logs = [base, 0.9 * base + common + noise(), 1.2 * base + common + noise(), base + own, 1.1 * base - common + noise()];
    [...logs, stranger, 1, base + noise()].forEach((log, index) => {
      const column = columns[index];
      if (column !== undefined) column[bar] = Math.exp(log);
    });
  }
  return NAMES.map((symbol, index) => {
    const from = symbol === 'YOUNG' ? BARS - 60 : 0;
    return { symbol, openAt: openAt.subarray(from), close: (columns[index] ?? new Float64Array(0)).subarray(from) };
  });
}

function scanned(seed: number, symbols: readonly string[]): CopulaScan {
  const prices = market(seed);
  const reference = prices.find(({ symbol }) => symbol === 'BTC');
  assert.ok(reference !== undefined);
  return scanCopulas({ prices, reference, pairs: allPairs(symbols), fillCost: (symbol) => (symbol === 'TWIN' ? 0.001 : 0.002) });
}

function named(rows: readonly CopulaRow[], a: string, b: string): CopulaRow {
  const row = rows.find((each) => each.a === a && each.b === b);
  assert.ok(row !== undefined);
  return row;
}

test('coins that leave the reference together come first, those that leave it alone after them, strangers last', () => {
  let strangers = 0;
  for (const seed of [1, 2, 3]) {
    const { pairs } = scanned(seed, ['TWIN', 'STRANGER', 'LONER', 'SISTER', 'MIRROR']);
    const [first] = pairs;
    assert.ok(first !== undefined && first.a === 'TWIN' && first.b === 'SISTER' && first.isCointegrated);
    assert.ok(first.tau > 0.5, `tau ${first.tau}`);
    assert.ok(Math.abs(named(pairs, 'TWIN', 'LONER').tau) < 0.2 && named(pairs, 'TWIN', 'MIRROR').tau < -0.4);
    // 1.2 / 0.9 the other way round: betas are of the reference on the coins.
    assert.ok(Math.abs(first.hedgeRatio - 0.9 / 1.2) < 0.05, `hedge ratio ${first.hedgeRatio}`);
    assert.ok((first.stability ?? 0) > 0.5 && (first.halfLifeBars ?? Infinity) < 3);
    assert.ok(Math.abs(first.spreadCost - 2 * (0.001 + first.hedgeRatio * 0.002)) < 1e-12);
    for (const row of pairs) {
      assert.equal(row.pValue, Math.max(row.legs.a.pValue, row.legs.b.pValue));
      assert.ok(row.qValue >= row.pValue && row.last.first > 0 && row.last.first < 1 && row.last.second > 0 && row.last.second < 1);
    }
    if (pairs.some((row) => row.isCointegrated && row.b === 'STRANGER') || named(pairs, 'STRANGER', 'LONER').isCointegrated) strangers++;
    // One spread with a large tau is no pair: the gate is before the rank.
    const places = pairs.map(({ isCointegrated }) => isCointegrated);
    assert.deepEqual(
      places,
      places.toSorted((one, other) => Number(other) - Number(one)),
    );
  }
});

test('what the ranking takes for near is what the trade leaves open least: its spread is the narrower beside that of each coin', () => {
  const { pairs } = scanned(4, ['TWIN', 'SISTER', 'LONER']);
  const openOf = ({ legs, spreadDeviation }: CopulaRow): number => spreadDeviation * Math.abs(legs.a.beta);
  assert.ok(openOf(named(pairs, 'TWIN', 'SISTER')) < 0.5 * openOf(named(pairs, 'TWIN', 'LONER')));
});

test('what cannot be tested is missing, with the reason', () => {
  const { pairs, missing } = scanned(1, ['BTC', 'TWIN', 'STILL', 'YOUNG', 'NOBODY']);
  assert.deepEqual(pairs, []);
  const reasons = new Map(missing.map(({ a, b, because }) => [`${a} ${b}`, because]));
  assert.equal(reasons.get('BTC TWIN'), 'BTC is the reference');
  assert.equal(reasons.get('TWIN STILL'), 'a price that does not move');
  assert.equal(reasons.get('TWIN YOUNG'), '60 bars in common with BTC, 100 are needed');
  assert.equal(reasons.get('TWIN NOBODY'), 'no bars of NOBODY');
});

test('a join of three has the times of all, in order', () => {
  const times = fc.uniqueArray(fc.nat(40), { maxLength: 30 }).map((all) => all.toSorted((one, other) => one - other));
  fc.assert(
    fc.property(times, times, times, (...columns) => {
      const { openAt, logs } = joinAllLogs(
        columns.map((each, index) => {
          return { symbol: '', openAt: Float64Array.from(each), close: Float64Array.from(each, (at) => (index + 1) * (at + 1)) };
        }),
      );
      const [one, other, third] = columns;
      const common = one.filter((at) => other.includes(at) && third.includes(at));
      assert.deepEqual(Array.from(openAt), common);
      logs.forEach((column, index) =>
        assert.deepEqual(
          Array.from(column),
          common.map((at) => Math.log((index + 1) * (at + 1))),
        ),
      );
    }),
  );
});
