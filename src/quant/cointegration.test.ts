// Against statsmodels, arch and scipy: test/golden/cointegration.test.ts. Size and power: test/simulation/pairs.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { engleGranger, relationOf } from './cointegration.ts';
import { falseDiscoveryRates } from './false-discovery.ts';
import { gregoryHansen, gregoryHansenCritical } from './gregory-hansen.ts';
import { johansen } from './johansen.ts';
import { laggedRegression, longestLag } from './lagged-regression.ts';
import { leastSquares } from './linear-model.ts';
import { optimalThresholds, ornsteinUhlenbeckOf, reversionOf } from './ornstein-uhlenbeck.ts';
import { Random } from './random.ts';
import { hurstExponent, varianceRatio } from './random-walk.ts';
import { smoothTransition, transitionCritical, transitionProbability } from './smooth-transition.ts';
import { changesOf, kpss, levelsOf, phillipsPerron } from './unit-root.ts';

function walk(random: Random, length: number, start = 0): Float64Array {
  let level = start;
  return Float64Array.from({ length }, () => (level += random.normal()));
}

test('the table of products gives what a regression of all columns gives, whatever the lags and the terms', () => {
  fc.assert(
    fc.property(
      fc.nat(1_000_000),
      fc.integer({ min: 0, max: 11 }),
      fc.constantFrom('none' as const, 'constant' as const, 'trend' as const),
      (seed, lags, terms) => {
        const values = walk(new Random(seed), 80, 50);
        const changes = changesOf(values);
        const found = laggedRegression(changes, levelsOf(values, terms).subarray(0, -1), terms, lags);
        const rows = changes.length - lags;
        const columns = [values.slice(lags, lags + rows)];
        for (let lag = 1; lag <= lags; lag++) columns.push(changes.slice(lags - lag, lags - lag + rows));
        if (terms !== 'none') columns.push(new Float64Array(rows).fill(1));
        if (terms === 'trend') columns.push(Float64Array.from({ length: rows }, (_, row) => row));
        const { tStatistics, coefficients } = leastSquares(changes.subarray(lags), columns);
        assert.ok(Math.abs(found.statistic - (tStatistics[0] ?? NaN)) < 1e-8 * (1 + Math.abs(found.statistic)));
        assert.ok(Math.abs(found.slope - (coefficients[0] ?? NaN)) < 1e-8);
        assert.deepEqual([found.lags, found.observations], [lags, rows]);
      },
    ),
    { numRuns: 60 },
  );
});

test('the unit of a price does not matter, nor where a log price lies', () => {
  const random = new Random(9);
  const [x, rest] = [walk(random, 300), walk(random, 300)];
  const y = x.map((value, row) => 2 * value + 0.3 * (rest[row] ?? NaN));
  const found = engleGranger(y, x);
  const moved = engleGranger(
    y.map((value) => 7 + value),
    x.map((value) => 1000 * value - 3),
  );
  assert.ok(Math.abs(found.statistic / moved.statistic - 1) < 1e-9);
  assert.ok(Math.abs(found.beta / (1000 * moved.beta) - 1) < 1e-10);
  assert.ok(Math.abs(found.residuals.reduce((sum, value) => sum + value, 0)) < 1e-9);
});

test('of a copy nothing is left to be tested; a column that does not vary is refused', () => {
  const x = walk(new Random(2), 200, 1000);
  const copy = engleGranger(
    x.map((value) => 3 * value + 1),
    x,
  );
  assert.ok(Number.isNaN(copy.statistic) && Number.isNaN(copy.pValue));
  assert.throws(() => engleGranger(x, new Float64Array(200).fill(5)), /does not vary/);
  assert.throws(() => relationOf(x, x.subarray(1)), /200 and 199 rows/);
  assert.throws(() => engleGranger(x.subarray(0, 12), x.subarray(20, 32), 20), /expected at least/);
});

test('the longest lag is Schwert’s, and leaves rows', () => {
  assert.deepEqual([longestLag(100, 'constant'), longestLag(4_344, 'none'), longestLag(20, 'trend')], [12, 31, 7]);
});

test('Johansen finds one relation among three columns, a second about as often as its level, and refuses what it cannot take', () => {
  const seeds = 100;
  let second = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const random = new Random(seed);
    const [one, other] = [walk(random, 400), walk(random, 400)];
    const third = one.map((value, row) => 0.5 * value - 2 * (other[row] ?? NaN) + random.normal());
    const { tracePValues, vectors } = johansen([third, one, other]);
    assert.ok((tracePValues[0] ?? 1) < 0.001);
    if ((tracePValues[1] ?? 1) < 0.05) second++;
    const [vector] = vectors;
    assert.equal(vector?.[0], 1);
    assert.ok(Math.abs((vector?.[1] ?? NaN) + 0.5) < 0.2 && Math.abs((vector?.[2] ?? NaN) - 2) < 0.2, vector?.join(', '));
  }
  assert.ok(second <= 15, `${second} of ${seeds}`);
  const random = new Random(6);
  const [one, other] = [walk(random, 600), walk(random, 600)];
  assert.throws(() => johansen([one]), /1 columns, expected 2 to 12/);
  assert.throws(() => johansen([one, one]), /repeats/);
  assert.throws(() => johansen([one.subarray(0, 8), other.subarray(0, 8)], 2), /8 rows and 2 lags/);
});

test('Gregory and Hansen find a break that Engle and Granger do not survive, and keep their size', () => {
  const random = new Random(12);
  const x = walk(random, 300);
  let rest = 0;
  const y = x.map((value, row) => value + (row >= 170 ? 12 : 0) + (rest = 0.5 * rest + random.normal()));
  assert.ok(engleGranger(y, x).pValue > 0.05);
  const { dickeyFuller, phillips } = gregoryHansen(y, x, 'level');
  for (const { statistic, breakAt } of [dickeyFuller, phillips]) {
    assert.ok(statistic < gregoryHansenCritical(0.01, 'level'), `statistic ${statistic}`);
    assert.ok(Math.abs(breakAt - 170) <= 3, `break at ${breakAt}`);
  }
  const seeds = 60;
  let rejected = 0;
  for (let seed = 0; seed < seeds; seed++) {
    const own = new Random(seed);
    if (gregoryHansen(walk(own, 120), walk(own, 120), 'level', 0, 0).dickeyFuller.statistic < gregoryHansenCritical(0.1, 'level'))
      rejected++;
  }
  // Asymptotic values: a few rows reject a little more. Four standard errors beyond twice the level.
  assert.ok(rejected / seeds < 0.2 + 4 * Math.sqrt((0.1 * 0.9) / seeds) && rejected > 0, `rejected ${rejected} of ${seeds}`);
});

test('the p-values of KSS and its critical values say the same, and rise with the statistic', () => {
  for (const kind of ['none', 'constant', 'trend', 'residual'] as const) {
    for (const level of [0.01, 0.05, 0.1] as const) {
      const found = transitionProbability(transitionCritical(level, kind), kind);
      assert.ok(Math.abs(found / level - 1) < 0.11, `${kind}: ${found} at ${level}`);
    }
    let before = 0;
    for (let statistic = -12; statistic < 6; statistic += 0.05) {
      const found = transitionProbability(statistic, kind);
      assert.ok(found >= before && found <= 1);
      before = found;
    }
  }
  assert.ok(Number.isNaN(transitionProbability(NaN, 'none')));
});

test('KSS rejects about 5 % of walks, and sees what comes back from far out', () => {
  const found = (from: (random: Random) => Float64Array): number => {
    let rejected = 0;
    for (let seed = 0; seed < 400; seed++) {
      if (smoothTransition(from(new Random(seed)), 'constant').pValue < 0.05) rejected++;
    }
    return rejected / 400;
  };
  const size = found((random) => walk(random, 300));
  assert.ok(Math.abs(size - 0.05) < 0.05, `size ${size}`);
  const power = found((random) => {
    let level = 0;
    return Float64Array.from({ length: 300 }, () => (level += -level * (1 - Math.exp(-0.005 * level * level)) + random.normal()));
  });
  assert.ok(power > 0.9, `power ${power}`);
});

test('what does not come back has no half-life, and what overshoots no process', () => {
  const away = Float64Array.from({ length: 50 }, (_, index) => 1.1 ** index);
  assert.deepEqual([reversionOf(away).halfLife, reversionOf(away).halfLifeLinear, ornsteinUhlenbeckOf(away)], [null, null, undefined]);
  const random = new Random(3);
  let level = 1;
  const over = Float64Array.from({ length: 200 }, () => (level = -0.5 * level + random.normal()));
  const { halfLife, halfLifeLinear } = reversionOf(over);
  assert.ok(halfLife === null && halfLifeLinear !== null && ornsteinUhlenbeckOf(over) === undefined);
});

test('the thresholds are a maximum, widen with the cost, and are none where the cost is beyond all movement', () => {
  const process = { speed: 0.05, middle: 0.3, volatility: 0.004 };
  let before = 0;
  for (const cost of [1e-5, 1e-4, 1e-3, 1e-2, 3e-2]) {
    const found = optimalThresholds(process, cost);
    assert.ok(found !== undefined);
    assert.ok(Math.abs(found.exit - 0.3 - (0.3 - found.entry)) < 1e-12, 'as far on either side');
    assert.ok(found.exit - found.entry > Math.max(cost, before) && found.expectedReturn > 0);
    before = found.exit - found.entry;
  }
  assert.equal(optimalThresholds(process, 10), undefined);
  assert.throws(() => optimalThresholds(process, 0), /expected all above 0/);
});

test('false discovery rates: none below its p-value, in its order, untested ones left out', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 }), (pValues) => {
      const rates = falseDiscoveryRates(pValues);
      const order = pValues.map((_, index) => index).toSorted((one, other) => (pValues[one] ?? NaN) - (pValues[other] ?? NaN));
      order.forEach((index, rank) => {
        assert.ok((rates[index] ?? NaN) >= (pValues[index] ?? NaN) - 1e-15 && (rates[index] ?? NaN) <= 1);
        if (rank > 0) assert.ok((rates[index] ?? NaN) >= (rates[order[rank - 1] ?? 0] ?? NaN));
      });
      const withGap = falseDiscoveryRates([NaN, ...pValues]);
      assert.ok(Number.isNaN(withGap[0]));
      assert.deepEqual(withGap.subarray(1), rates);
    }),
  );
});

test('a walk has a variance ratio of 1 and an exponent of a half; what comes back has less, what trends more', () => {
  const random = new Random(8);
  const levels = walk(random, 4_000);
  const ratio = varianceRatio(levels, 10);
  assert.ok(Math.abs(ratio.ratio - 1) < 0.15 && ratio.pValue > 0.01);
  assert.ok(Math.abs(hurstExponent(changesOf(levels)) - 0.5) < 0.06);
  let level = 0;
  const back = Float64Array.from({ length: 4_000 }, () => (level = 0.7 * level + random.normal()));
  assert.ok(varianceRatio(back, 10).statistic < -5 && hurstExponent(changesOf(back)) < 0.3);
  let pace = 0;
  const trending = Float64Array.from({ length: 4_000 }, () => {
    pace = 0.9 * pace + random.normal();
    return (level += pace);
  });
  assert.ok(varianceRatio(trending, 10).statistic > 5 && hurstExponent(changesOf(trending)) > 0.6);
});

test('too few numbers are refused', () => {
  const few = Float64Array.of(1, 2, 1, 3);
  assert.throws(() => phillipsPerron(few), /4 values/);
  assert.throws(() => kpss(few, 'constant', 4), /4 values and 4 lags/);
  assert.throws(() => varianceRatio(few, 4), /4 levels and a span of 4/);
  assert.throws(() => hurstExponent(few), /4 changes/);
  assert.throws(() => smoothTransition(few, 'none', 3), /expected at least/);
});
