// Against statsmodels: test/golden/cointegration.test.ts and test/e2e/pairs.test.ts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Random } from '../../quant/random.ts';
import { joinLogs, type ClosingPrices } from './join.ts';
import { allPairs, eitherWay, PAIR_METHODS, scanPairs, type PairMethod, type PairScan } from './scan.ts';
import { textChart, svgChart } from './spread-drawing.ts';
import { studyPair } from './study.ts';

const BARS = 800;

/** Leader, a follower bound to it, a stranger, a coin that does not move, a copy of the leader, and one that is young. */
function market(seed: number): ClosingPrices[] {
  const random = new Random(seed);
  const openAt = Float64Array.from({ length: BARS }, (_, bar) => bar * 3_600_000);
  const names = ['LEADER', 'FOLLOWER', 'STRANGER', 'STILL', 'COPY', 'YOUNG'];
  const columns = names.map(() => new Float64Array(BARS));
  let [leader, rest, stranger] = [5, 0, 3];
  for (let bar = 0; bar < BARS; bar++) {
    leader += 0.01 * random.normal();
    rest = 0.9 * rest + 0.004 * random.normal();
    stranger += 0.012 * random.normal();
    [leader, 0.3 + 1.4 * leader + rest, stranger, 1, leader, leader].forEach((log, index) => {
      const column = columns[index];
      if (column !== undefined) column[bar] = Math.exp(log);
    });
  }
  return names.map((symbol, index) => {
    const from = symbol === 'YOUNG' ? BARS - 60 : 0;
    return { symbol, openAt: openAt.subarray(from), close: (columns[index] ?? new Float64Array(0)).subarray(from) };
  });
}

function scanned(symbols: readonly string[], method?: PairMethod): PairScan {
  return scanPairs({ prices: market(7), pairs: allPairs(symbols), method, fillCost: (symbol) => (symbol === 'LEADER' ? 0.001 : 0.002) });
}

test('the pair that is one is found, first, by every method, and its figures are what was planted', () => {
  for (const method of [undefined, ...PAIR_METHODS]) {
    const { pairs, missing, series } = scanned(['STRANGER', 'LEADER', 'FOLLOWER'], method);
    const [first, ...others] = pairs;
    assert.ok(first !== undefined && first.isCointegrated, `found by ${method}`);
    assert.deepEqual([first.a, first.b, first.bars, missing.length], ['LEADER', 'FOLLOWER', BARS, 0]);
    assert.deepEqual(
      others.map(({ isCointegrated }) => isCointegrated),
      [false, false],
    );
    assert.ok(Math.abs(first.bOnA.beta - 1.4) < 0.05, `hedge ratio ${first.bOnA.beta}`);
    // 0.9 a bar is a half-life of 6.6; a sample's is shorter.
    assert.ok((first.halfLifeBars ?? 0) > 3 && (first.halfLifeBars ?? 0) < 8, `half-life ${first.halfLifeBars}`);
    const [own, other] = first.explained === 'a' ? [0.001, 0.002] : [0.002, 0.001];
    assert.ok(Math.abs(first.spreadCost - 2 * (own + first.hedgeRatio * other)) < 1e-12);
    // In a quarter of the bars KSS sees less than the others.
    assert.ok((first.stability ?? 0) > (method === 'kss' ? 0.2 : 0.5), `stability ${first.stability}`);
    assert.ok(others.every(({ stability }) => (stability ?? 1) < 0.2));
    assert.deepEqual(
      series.map(({ symbol, adf }) => [symbol, adf.pValue > 0.05]),
      [
        ['LEADER', true],
        ['FOLLOWER', true],
        ['STRANGER', true],
      ],
    );
    for (const { pValue, qValue } of pairs) assert.ok(qValue >= pValue - 1e-12 && qValue <= 1);
  }
});

test('one method gives its own figures only', () => {
  const keys = (method: PairMethod): boolean[] => {
    const [row] = scanned(['LEADER', 'FOLLOWER'], method).pairs;
    return [row?.aOnB.statistic !== undefined, row?.johansen !== undefined, row?.aOnB.kss !== undefined];
  };
  assert.deepEqual(PAIR_METHODS.map(keys), [
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ]);
});

test('what cannot be tested is missing, with the reason', () => {
  const { pairs, missing } = scanned(['LEADER', 'STILL', 'COPY', 'YOUNG', 'NOBODY']);
  assert.deepEqual(pairs, []);
  const reasons = new Map(missing.map(({ a, b, because }) => [`${a} ${b}`, because]));
  assert.equal(reasons.get('LEADER STILL'), 'a price that does not move');
  assert.equal(reasons.get('LEADER COPY'), 'the one is a copy of the other');
  assert.equal(reasons.get('LEADER YOUNG'), '60 bars in common, 100 are needed');
  assert.equal(reasons.get('LEADER NOBODY'), 'no bars of NOBODY');
  assert.equal(missing.length, 10);
});

test('the better of two directions counts twice', () => {
  assert.deepEqual([eitherWay(0.01, 0.6), eitherWay(0.7, 0.6)], [0.02, 1]);
});

test('a join has the times of both, in order, and nothing else', () => {
  const times = fc.uniqueArray(fc.nat(60), { maxLength: 40 }).map((all) => all.toSorted((one, other) => one - other));
  fc.assert(
    fc.property(times, times, (one, other) => {
      const of = (openAt: readonly number[], scale: number): ClosingPrices => {
        return { symbol: '', openAt: Float64Array.from(openAt), close: Float64Array.from(openAt, (at) => scale * (at + 1)) };
      };
      const joined = joinLogs(of(one, 2), of(other, 3));
      const common = one.filter((at) => other.includes(at));
      assert.deepEqual(Array.from(joined.openAt), common);
      assert.deepEqual(
        Array.from(joined.a),
        common.map((at) => Math.log(2 * (at + 1))),
      );
      assert.deepEqual(
        Array.from(joined.b),
        common.map((at) => Math.log(3 * (at + 1))),
      );
    }),
  );
});

test('the z-score of a bar knows only the bars before it and itself', () => {
  const [leader, follower] = market(3);
  assert.ok(leader !== undefined && follower !== undefined);
  const joined = joinLogs(leader, follower);
  const study = studyPair(joined, 50, { a: 0.001, b: 0.001 });
  assert.ok(study.zScore.subarray(0, 49).every(Number.isNaN) && study.zScore.subarray(49).every(Number.isFinite));
  const bar = 300;
  const window = study.spread.subarray(bar - 49, bar + 1);
  const mean = window.reduce((sum, value) => sum + value, 0) / 50;
  const deviation = Math.sqrt(window.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 49);
  assert.ok(Math.abs((study.zScore[bar] ?? NaN) - ((study.spread[bar] ?? NaN) - mean) / deviation) < 1e-9);
  assert.ok(study.thresholds !== null && study.thresholds.exit - study.thresholds.entry > study.spreadCost);
});

test('thresholds of two that are not shown to be cointegrated come with a warning', () => {
  const [leader, follower, stranger] = market(3);
  assert.ok(leader !== undefined && follower !== undefined && stranger !== undefined);
  const costs = { a: 0.001, b: 0.001 };
  assert.equal(studyPair(joinLogs(leader, follower), 50, costs).warning, null);
  const { warning, pValue } = studyPair(joinLogs(leader, stranger), 50, costs);
  assert.match(warning ?? '', new RegExp(`^not shown to be cointegrated \\(p ${pValue.toFixed(3)}, above 0\\.05\\)`));
});

test('what is called cointegrated holds in both directions and in more than one window, whatever its q-value', () => {
  let [held, refused] = [0, 0];
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Random(seed);
    const openAt = Float64Array.from({ length: BARS }, (_, bar) => bar * 3_600_000);
    // Two walks, of which one carries a quickly reverting part: whatever explains it seems to.
    let [walk, other] = [0, 0];
    const noisy = openAt.map(() => Math.exp((walk += 0.005 * random.normal()) + 0.03 * random.normal()));
    const clean = openAt.map(() => Math.exp((other += 0.01 * random.normal())));
    const prices = [
      { symbol: 'NOISY', openAt, close: noisy },
      { symbol: 'CLEAN', openAt, close: clean },
    ];
    const { pairs } = scanPairs({ prices, pairs: [['NOISY', 'CLEAN']], method: undefined, fillCost: () => 0 });
    for (const { qValue, isCointegrated, aOnB, bOnA, stability } of pairs) {
      if (qValue > 0.05) continue;
      held++;
      const isBoth = Math.max(aOnB.pValue ?? 1, bOnA.pValue ?? 1) <= 0.01 && (stability ?? 0) >= 2 / 7;
      assert.equal(isCointegrated, isBoth);
      if (!isCointegrated) refused++;
    }
  }
  assert.ok(held >= 5 && refused > held / 2, `${refused} of ${held} refused`);
});

test('a chart has its rows and columns, its ends and its levels; what is unknown is empty', () => {
  const values = Float64Array.from({ length: 300 }, (_, index) => (index < 100 ? NaN : Math.sin(index / 20)));
  const lines = textChart(values, { columns: 30, rows: 9, decimals: 1, levels: [0] }).split('\n');
  assert.equal(lines.length, 9);
  assert.match(lines[0] ?? '', /^ 1\.0 │/);
  assert.match(lines[4] ?? '', /^ 0\.0 │·{10}/);
  assert.match(lines[8] ?? '', /^-1\.0 │/);
  assert.ok(lines.every((line) => !line.slice(6, 16).includes('█')));
  const svg = svgChart(
    Float64Array.from(values, (_, index) => index * 60_000),
    [{ title: 'a < b', values, decimals: 2, levels: [0] }],
  );
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 1000 260"/);
  assert.match(svg, /a &lt; b/);
  assert.ok(!svg.includes('NaN') && !svg.includes('Infinity'));
});
