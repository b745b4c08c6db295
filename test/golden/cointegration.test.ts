// What statsmodels, arch, nolds and scipy say of the same columns. See cointegration-golden.py; and the golden values of the shared folder.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { engleGranger, relationOf } from '../../src/quant/cointegration.ts';
import { falseDiscoveryRates } from '../../src/quant/false-discovery.ts';
import { gammaTail, logGamma } from '../../src/quant/gamma-distribution.ts';
import { gregoryHansen } from '../../src/quant/gregory-hansen.ts';
import { johansen } from '../../src/quant/johansen.ts';
import { leastSquares } from '../../src/quant/linear-model.ts';
import { optimalThresholds, ornsteinUhlenbeckOf, reversionOf } from '../../src/quant/ornstein-uhlenbeck.ts';
import { hurstExponent, varianceRatio } from '../../src/quant/random-walk.ts';
import { ExpandingRegression, RollingRegression } from '../../src/quant/rolling-regression.ts';
import { smoothTransition, transitionProbability } from '../../src/quant/smooth-transition.ts';
import { augmentedDickeyFuller, changesOf, kpss, phillipsPerron } from '../../src/quant/unit-root.ts';
import { dickeyFullerCritical, dickeyFullerProbability } from '../../src/quant/unit-root-distribution.ts';
import { needs, sharedPath } from '../support/needs.ts';

const names = z.enum(['leader', 'follower', 'stranger', 'third', 'noise']);
const terms = z.enum(['none', 'constant', 'trend']);
const relationTerms = z.enum(['constant', 'trend']);
const line = z.object({
  at: z.number(),
  intercept: z.number(),
  slope: z.number(),
  interceptError: z.number(),
  slopeError: z.number(),
  rSquared: z.number(),
});
const best = z.tuple([z.number(), z.number()]);
const rows = z.array(z.array(z.number()));
const golden = z
  .object({
    length: z.number(),
    last: z.record(names, z.number()),
    ols: z.object({
      coefficients: z.array(z.number()),
      standardErrors: z.array(z.number()),
      tStatistics: z.array(z.number()),
      rSquared: z.number(),
      squares: z.number(),
    }),
    window: z.number(),
    rolling: z.array(line),
    expanding: z.array(line),
    dickeyFuller: z.array(
      z.object({
        column: names,
        terms,
        by: z.enum(['aic', 'bic', 't']),
        statistic: z.number(),
        pValue: z.number(),
        lags: z.number(),
        observations: z.number(),
        critical: z.tuple([z.number(), z.number(), z.number()]),
      }),
    ),
    phillipsPerron: z.array(
      z.object({
        column: names,
        terms,
        asked: z.number().nullable(),
        statistic: z.number(),
        coefficientStatistic: z.number(),
        pValue: z.number(),
        lags: z.number(),
      }),
    ),
    kpss: z.array(
      z.object({
        column: names,
        terms: relationTerms,
        asked: z.number().nullable(),
        statistic: z.number(),
        pValue: z.number(),
        lags: z.number(),
      }),
    ),
    surfaces: z.array(
      z.object({
        terms,
        variables: z.literal([1, 2, 3]),
        statistic: z.number(),
        pValue: z.number(),
        critical: z.tuple([z.number(), z.number(), z.number()]).nullable(),
      }),
    ),
    varianceRatio: z.array(z.object({ column: names, span: z.number(), ratio: z.number(), statistic: z.number(), pValue: z.number() })),
    hurst: z.array(z.object({ column: names, exponent: z.number(), levels: z.number() })),
    engleGranger: z.array(
      z.object({
        explained: names,
        other: names,
        terms: relationTerms,
        by: z.enum(['aic', 'bic']).nullable(),
        statistic: z.number(),
        pValue: z.number(),
        critical: z.tuple([z.number(), z.number(), z.number()]),
      }),
    ),
    smoothTransition: z.array(
      z.object({
        case: z.enum(['none', 'constant', 'trend', 'residual']),
        asked: z.number().nullable(),
        statistic: z.number(),
        lags: z.number(),
      }),
    ),
    johansen: z.array(
      z.object({
        columns: z.array(names),
        terms,
        lags: z.number(),
        eigenvalues: z.array(z.number()),
        trace: z.array(z.number()),
        maxEigen: z.array(z.number()),
        traceCritical: rows,
        maxEigenCritical: rows,
        vector: z.array(z.number()),
      }),
    ),
    gregoryHansen: z.array(
      z.object({
        column: z.enum(['step', 'turned']),
        shift: z.enum(['level', 'level-with-trend', 'regime']),
        dickeyFuller: best,
        phillips: best,
      }),
    ),
    reversion: z.object({
      fits: z.record(z.enum(['noise', 'residual']), z.record(z.string(), z.number())),
      thresholds: z.array(
        z.object({
          speed: z.number(),
          middle: z.number(),
          volatility: z.number(),
          cost: z.number(),
          entry: z.number(),
          expectedSteps: z.number(),
          stepsVariance: z.number(),
          expectedReturn: z.number(),
          returnVariance: z.number(),
        }),
      ),
    }),
    falseDiscovery: z.object({ pValues: z.array(z.number()), rates: z.array(z.number()) }),
    gamma: z.array(z.tuple([z.number(), z.number(), z.number(), z.number()])),
    power: z.object({
      seeds: z.number(),
      length: z.number(),
      halfLives: z.record(z.string(), z.object({ memory: z.number(), rejected: z.array(z.number()) })),
    }),
  })
  .parse(read('cointegration.json'));

function read(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as unknown;
}

function* deviates(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    let sum = -6;
    for (let draw = 0; draw < 12; draw++) {
      state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
      sum += (state + 0.5) / 4_294_967_296;
    }
    yield sum;
  }
}

const made = ((): Record<z.infer<typeof names>, Float64Array> => {
  const draws = deviates(20_261_122);
  const next = (): number => draws.next().value;
  const column = (): Float64Array => new Float64Array(golden.length);
  const columns = { leader: column(), follower: column(), stranger: column(), third: column(), noise: column() };
  let [leader, rest, stranger, beside] = [9, 0, 4, 0];
  for (let row = 0; row < golden.length; row++) {
    leader += 0.02 * next();
    rest = 0.85 * rest + 0.01 * next();
    stranger += 0.001 + 0.03 * next();
    beside = 0.6 * beside + 0.02 * next();
    columns.leader[row] = leader;
    columns.follower[row] = 0.5 + 1.2 * leader + rest;
    columns.stranger[row] = stranger;
    columns.third[row] = 0.7 * leader - 0.4 * stranger + beside;
    columns.noise[row] = beside;
  }
  return columns;
})();

const LEVELS = [0.01, 0.05, 0.1] as const;

/** Relative, with an absolute floor for what is next to nothing. */
function assertNear(found: number, wanted: number, what: string, tolerance = 1e-8, floor = 1e-14): void {
  const isNear = Math.abs(found - wanted) <= tolerance * Math.abs(wanted) + floor;
  assert.ok(isNear, `${what} was ${found}, the witness says ${wanted}`);
}

function assertAllNear(found: ArrayLike<number>, wanted: ArrayLike<number>, what: string, tolerance = 1e-8, floor = 1e-14): void {
  assert.equal(found.length, wanted.length, what);
  for (let index = 0; index < wanted.length; index++)
    assertNear(found[index] ?? NaN, wanted[index] ?? NaN, `${what} ${index}`, tolerance, floor);
}

test('the witness and the tests speak of the same columns, to the last bit', () => {
  for (const name of names.options) assert.equal(made[name].at(-1), golden.last[name]);
});

describe('regressions', () => {
  test('least squares by QR has the coefficients, errors, t and R2 of statsmodels', () => {
    const time = Float64Array.from({ length: golden.length }, (_, row) => row - (golden.length - 1) / 2);
    const found = leastSquares(made.follower, [new Float64Array(golden.length).fill(1), made.leader, time]);
    assertAllNear(found.coefficients, golden.ols.coefficients, 'coefficient');
    assertAllNear(found.standardErrors, golden.ols.standardErrors, 'standard error');
    assertAllNear(found.tStatistics, golden.ols.tStatistics, 't');
    assertNear(found.rSquared, golden.ols.rSquared, 'R2');
    assertNear(found.squares, golden.ols.squares, 'squares');
  });

  for (const [name, regression, wanted] of [
    ['rolling', new RollingRegression(golden.window), golden.rolling],
    ['expanding', new ExpandingRegression(), golden.expanding],
  ] as const) {
    test(`the ${name} line is that of statsmodels at every step that was asked for`, () => {
      let met = 0;
      for (let row = 0; row < golden.length; row++) {
        regression.push(made.leader[row] ?? NaN, made.follower[row] ?? NaN);
        for (const { at, ...figures } of wanted) {
          if (at !== row) continue;
          met++;
          for (const [figure, value] of Object.entries(figures)) {
            assertNear(regression.line[figure as keyof typeof figures], value, `${figure} at ${at}`);
          }
        }
      }
      assert.equal(met, wanted.length);
    });
  }
});

describe('unit roots', () => {
  test('Dickey-Fuller with lags by AIC, BIC and t is that of statsmodels, without terms, with a constant, with a trend', () => {
    assert.equal(golden.dickeyFuller.length, 27);
    for (const { column, terms: of, by, critical, ...wanted } of golden.dickeyFuller) {
      const what = `${column}, ${of}, ${by}`;
      const found = augmentedDickeyFuller(made[column], { by }, of);
      assert.deepEqual([found.lags, found.observations], [wanted.lags, wanted.observations], what);
      assertNear(found.statistic, wanted.statistic, what);
      assertNear(found.pValue, wanted.pValue, `p of ${what}`);
      for (const [index, level] of LEVELS.entries()) {
        assertNear(dickeyFullerCritical(1, level, found.observations, of), critical[index] ?? NaN, `${what}, ${level}`);
      }
    }
  });

  test('Phillips-Perron is that of arch', () => {
    assert.equal(golden.phillipsPerron.length, 18);
    for (const { column, terms: of, asked, ...wanted } of golden.phillipsPerron) {
      const what = `${column}, ${of}, ${asked}`;
      const found = phillipsPerron(made[column], of, asked ?? undefined);
      assert.equal(found.lags, wanted.lags, what);
      assertNear(found.statistic, wanted.statistic, what);
      assertNear(found.coefficientStatistic, wanted.coefficientStatistic, `rho of ${what}`);
      assertNear(found.pValue, wanted.pValue, `p of ${what}`);
    }
  });

  test('KPSS with automatic and with given lags is that of statsmodels', () => {
    assert.equal(golden.kpss.length, 12);
    for (const { column, terms: of, asked, ...wanted } of golden.kpss) {
      const found = kpss(made[column], of, asked ?? undefined);
      assert.equal(found.lags, wanted.lags);
      assertNear(found.statistic, wanted.statistic, `${column}, ${of}`);
      assertNear(found.pValue, wanted.pValue, `p of ${column}, ${of}`);
    }
  });

  test('p-values and critical values are MacKinnon’s, but for the one entry that the libraries have wrong', () => {
    for (const { terms: of, variables, statistic, pValue, critical } of golden.surfaces) {
      assertNear(dickeyFullerProbability(statistic, variables, of), pValue, `p of ${statistic}, ${variables}, ${of}`);
      for (const [index, level] of LEVELS.entries()) {
        const found = dickeyFullerCritical(variables, level, 250, of);
        if (critical === null) assert.ok(Number.isNaN(found));
        else if (variables === 2 && of === 'constant' && level === 0.01)
          assertNear(found - (critical[index] ?? NaN), 11 / 250 ** 2, 'the error', 1e-9);
        else assertNear(found, critical[index] ?? NaN, `${level}, ${variables}, ${of}`);
      }
    }
  });

  test('the variance ratio is that of arch, Hurst’s exponent that of nolds', () => {
    for (const { column, span, ratio, statistic, pValue } of golden.varianceRatio) {
      const found = varianceRatio(made[column], span);
      assertNear(found.ratio, ratio, `ratio of ${column} over ${span}`);
      assertNear(found.statistic, statistic, `statistic of ${column} over ${span}`);
      assertNear(found.pValue, pValue, `p of ${column} over ${span}`);
    }
    for (const { column, exponent, levels } of golden.hurst) {
      assertNear(hurstExponent(changesOf(made[column])), exponent, `exponent of the changes of ${column}`);
      assertNear(hurstExponent(made[column]), levels, `exponent of ${column}`);
    }
  });
});

describe('cointegration', () => {
  test('Engle-Granger is that of statsmodels, both ways, with a constant and with a trend', () => {
    assert.equal(golden.engleGranger.length, 24);
    for (const { explained, other, terms: of, by, statistic, pValue, critical } of golden.engleGranger) {
      const what = `${explained} on ${other}, ${of}, ${by}`;
      const found = engleGranger(made[explained], made[other], by === null ? 1 : { by }, of);
      assertNear(found.statistic, statistic, what);
      assertNear(found.pValue, pValue, `p of ${what}`);
      assertAllNear(found.critical.slice(1), critical.slice(1), `critical of ${what}`);
      if (of === 'trend') assertNear(found.critical[0], critical[0], `1 % of ${what}`);
    }
  });

  test('KSS is the regression of the paper by statsmodels, with given lags and by AIC', () => {
    const residual = relationOf(made.follower, made.leader).residuals;
    const values = { none: made.noise, constant: made.leader, trend: made.stranger, residual };
    for (const { case: of, asked, statistic, lags } of golden.smoothTransition) {
      const found = smoothTransition(values[of], of, asked ?? { by: 'aic' });
      assert.equal(found.lags, lags, of);
      assertNear(found.statistic, statistic, `${of}, ${asked}`);
    }
  });

  test('the distribution of KSS is the simulated one, and has the published quantiles', () => {
    const simulated = z
      .object({
        probabilities: z.array(z.number()),
        quantiles: z.record(z.enum(['none', 'constant', 'trend', 'residual']), z.array(z.number())),
      })
      .parse(read('kss-null.json'));
    for (const [of, quantiles] of Object.entries(simulated.quantiles)) {
      for (const [index, quantile] of quantiles.entries()) {
        const wanted = simulated.probabilities[index] ?? NaN;
        assertNear(transitionProbability(quantile, of as keyof typeof simulated.quantiles), wanted, `${of} at ${quantile}`, 1e-6);
      }
    }
    const published = { none: [-2.82, -2.22, -1.92], constant: [-3.48, -2.93, -2.66], trend: [-3.93, -3.4, -3.13] } as const;
    for (const [of, quantiles] of Object.entries(published)) {
      for (const [index, quantile] of quantiles.entries()) {
        // The paper's are of 50,000 walks, printed to two digits.
        assertNear(transitionProbability(quantile, of as keyof typeof published), LEVELS[index] ?? NaN, `${of} at ${quantile}`, 0.11);
      }
    }
  });

  test('Johansen is that of statsmodels: two and three columns, every deterministic order', () => {
    assert.equal(golden.johansen.length, 27);
    for (const { columns, terms: of, lags, ...wanted } of golden.johansen) {
      const what = `${columns.join(' ')}, ${of}, ${lags} lags`;
      const found = johansen(
        columns.map((name) => made[name]),
        lags,
        of,
      );
      // The witness inverts products, which costs the smallest eigenvalues of columns that lie far from 0 their last digits.
      assertAllNear(found.eigenvalues, wanted.eigenvalues, `eigenvalue of ${what}`, 1e-8, 1e-12);
      assertAllNear(found.trace, wanted.trace, `trace of ${what}`, 1e-8, 1e-9);
      assertAllNear(found.maxEigen, wanted.maxEigen, `largest of ${what}`, 1e-8, 1e-9);
      assertAllNear(found.vectors[0] ?? [], wanted.vector, `vector of ${what}`, 1e-7);
      for (const [rank, row] of wanted.traceCritical.entries()) {
        assert.deepEqual(found.traceCritical[rank], row);
        assert.deepEqual(found.maxEigenCritical[rank], wanted.maxEigenCritical[rank]);
      }
    }
  });

  test('Gregory-Hansen finds the least statistics where statsmodels and arch put them', () => {
    const step = made.follower.map((value, row) => value + 0.2 * (row >= 220 ? 1 : 0));
    const turned = made.follower.map((value, row) => value + 0.1 * (made.leader[row] ?? NaN) * (row >= 150 ? 1 : 0));
    assert.equal(golden.gregoryHansen.length, 6);
    for (const { column, shift, dickeyFuller, phillips } of golden.gregoryHansen) {
      const found = gregoryHansen(column === 'step' ? step : turned, made.leader, shift, 2, 5);
      assertNear(found.dickeyFuller.statistic, dickeyFuller[0], `${column}, ${shift}`);
      assertNear(found.phillips.statistic, phillips[0], `${column}, ${shift}, phillips`);
      assert.deepEqual([found.dickeyFuller.breakAt, found.phillips.breakAt], [dickeyFuller[1], phillips[1]], `${column}, ${shift}`);
    }
  });

  test('on the same series the very pairs are found that statsmodels finds', (context) => {
    for (const [halfLife, { memory, rejected }] of Object.entries(golden.power.halfLives)) {
      const found: number[] = [];
      for (let seed = 1; seed <= golden.power.seeds; seed++) {
        const draws = deviates(Number((2_654_435_761n * BigInt(seed)) % 4_294_967_296n));
        const x = new Float64Array(golden.power.length);
        const y = new Float64Array(golden.power.length);
        let [level, rest] = [0, 0];
        for (let row = 0; row < x.length; row++) {
          level += draws.next().value;
          rest = memory * rest + draws.next().value;
          x[row] = level;
          y[row] = 1 + 1.2 * level + rest;
        }
        if (engleGranger(y, x).pValue < 0.05) found.push(seed);
      }
      const share = (of: readonly number[]): number => (100 * of.length) / golden.power.seeds;
      context.diagnostic(`half-life ${halfLife}: found ${share(found)} % of ${golden.power.seeds}, statsmodels ${share(rejected)} %`);
      assert.deepEqual(found, rejected);
      if (halfLife === '10') assert.ok(share(found) >= 95);
    }
  });
});

describe('reversion and errors', () => {
  test('half-lives and processes are the witness’s', () => {
    const residual = relationOf(made.follower, made.leader).residuals;
    for (const [name, wanted] of Object.entries(golden.reversion.fits)) {
      const values = name === 'noise' ? made.noise : residual;
      const process = ornsteinUhlenbeckOf(values);
      const found: Readonly<Record<string, number | null | undefined>> = { ...reversionOf(values), ...process };
      for (const [figure, value] of Object.entries(wanted)) {
        if (name === 'residual' && figure === 'middle') assertNear(found[figure] ?? NaN, value, figure, 0, 1e-11);
        else assertNear(found[figure] ?? NaN, value, `${figure} of ${name}`);
      }
    }
  });

  test('Bertram’s thresholds, and the moments of a round, are those of quadrature and search', () => {
    for (const { speed, middle, volatility, cost, ...wanted } of golden.reversion.thresholds) {
      const found: Readonly<Record<string, number>> = { ...optimalThresholds({ speed, middle, volatility }, cost) };
      // A search finds the place of a flat maximum to the root of its precision; what is there depends on it.
      for (const [figure, value] of Object.entries(wanted)) assertNear(found[figure] ?? NaN, value, figure, 1e-6);
    }
  });

  test('Bertram’s published example', () => {
    const found = optimalThresholds({ speed: 180.967, middle: 0, volatility: 0.1538 }, 0.001);
    assert.ok(found !== undefined);
    assertNear(found.expectedSteps, 0.017122, 'expected time', 1e-4);
    assertNear(found.stepsVariance, 0.00015438, 'variance of time', 5e-4);
    assertNear(found.expectedReturn, 0.492358, 'expected return', 1e-4);
    assertNear(found.returnVariance, 0.0021857, 'variance of return', 5e-4);
  });

  test('false discovery rates are those of statsmodels, gamma tails those of scipy', () => {
    assertAllNear(falseDiscoveryRates(golden.falseDiscovery.pValues), golden.falseDiscovery.rates, 'rate', 1e-14);
    for (const [shape, x, tail, log] of golden.gamma) {
      assertNear(gammaTail(shape, x), tail, `tail of ${shape} at ${x}`, 1e-11);
      assertNear(logGamma(shape), log, `log gamma of ${shape}`, 1e-13);
    }
  });

  test('the p-value of a trace says at a critical value what the critical value says', () => {
    // Through the figures of the tables themselves: a statistic that is one of them.
    for (const { columns, terms: of, lags } of golden.johansen.slice(0, 27)) {
      const found = johansen(
        columns.map((name) => made[name]),
        lags,
        of,
      );
      for (const [rank, statistic] of found.trace.entries()) {
        const [ten, five, one] = found.traceCritical[rank] ?? [NaN, NaN, NaN];
        const pValue = found.tracePValues[rank] ?? NaN;
        if (Math.abs(statistic - five) < 0.02 * five || Math.abs(statistic - ten) < 0.02 * ten) continue;
        assert.equal(pValue < 0.1, statistic > ten, `${statistic} against ${ten}: ${pValue}`);
        assert.equal(pValue < 0.05, statistic > five, `${statistic} against ${five}: ${pValue}`);
        if (Math.abs(statistic - one) > 0.02 * one) assert.equal(pValue < 0.01, statistic > one, `${statistic} against ${one}: ${pValue}`);
      }
    }
  });
});

describe('golden.json', { skip: needs('shared data') }, () => {
  const shared = z
    .object({
      x_first3: z.array(z.number()),
      y_last3: z.array(z.number()),
      ols: z.object({ alpha: z.number(), beta: z.number(), r2: z.number() }),
      engle_granger_lag1: z.object({ t: z.number(), p_mackinnon1994: z.number(), crit_1_5_10: z.array(z.number()) }),
      engle_granger_crit1pct_from_paper: z.number(),
      plain_adf_on_residuals_lag1_WRONG_P: z.object({ t: z.number(), p: z.number() }),
      johansen_det0_k1: z.object({
        eig: z.array(z.number()),
        trace: z.array(z.number()),
        trace_cv_90_95_99: rows,
        maxeig: z.array(z.number()),
        maxeig_cv: rows,
        beta_norm: z.array(z.number()),
      }),
      half_life: z.object({ b: z.number(), linear_minus_ln2_over_b: z.number(), exact_minus_ln2_over_ln1pb: z.number() }),
      kss_lag1_t: z.number(),
    })
    .parse(JSON.parse(needs('shared data') === false ? readFileSync(sharedPath('golden/golden.json'), 'utf8') : '{}'));
  const draws = deviates(12_345);
  const [x, y]: [number[], number[]] = [[], []];
  for (let row = 0, a = 9, o = 0; row < 500; row++) {
    a += 0.02 * draws.next().value;
    o = 0.9 * o + 0.01 * draws.next().value;
    x.push(a);
    y.push(0.5 + 1.2 * a + o);
  }

  test('is reproduced', () => {
    assert.deepEqual([x.slice(0, 3), y.slice(-3)], [shared.x_first3, shared.y_last3]);
    const found = engleGranger(y, x, 1);
    assertAllNear([found.alpha, found.beta, found.rSquared], [shared.ols.alpha, shared.ols.beta, shared.ols.r2], 'line', 1e-9);
    const wanted = shared.engle_granger_lag1;
    assertAllNear([found.statistic, found.pValue], [wanted.t, wanted.p_mackinnon1994], 'Engle-Granger', 1e-9);
    assertNear(found.critical[0], shared.engle_granger_crit1pct_from_paper, '1 % of the paper', 1e-12);
    assertAllNear(found.critical.slice(1), wanted.crit_1_5_10.slice(1), 'critical', 1e-12);
    const plain = augmentedDickeyFuller(found.residuals, 1);
    const wrong = shared.plain_adf_on_residuals_lag1_WRONG_P;
    assertAllNear([plain.statistic, plain.pValue], [wrong.t, wrong.p], 'plain Dickey-Fuller', 1e-8);
    assert.ok(found.pValue > 6 * plain.pValue, 'the residuals’ own p-value is several times that of a plain test');
    const reversion = reversionOf(found.residuals);
    const { b, linear_minus_ln2_over_b: linear, exact_minus_ln2_over_ln1pb: exact } = shared.half_life;
    assertAllNear([reversion.slope, reversion.halfLifeLinear ?? NaN, reversion.halfLife ?? NaN], [b, linear, exact], 'half-life', 1e-9);
    assertNear(smoothTransition(found.residuals, 'residual', 1).statistic, shared.kss_lag1_t, 'KSS', 1e-9);
    const ranks = johansen([y, x], 1, 'constant');
    const by = shared.johansen_det0_k1;
    assertAllNear([...ranks.eigenvalues, ...ranks.trace, ...ranks.maxEigen], [...by.eig, ...by.trace, ...by.maxeig], 'Johansen', 1e-9);
    assertAllNear(ranks.vectors[0] ?? [], by.beta_norm, 'vector', 1e-9);
    assert.deepEqual([ranks.traceCritical, ranks.maxEigenCritical], [by.trace_cv_90_95_99, by.maxeig_cv]);
  });
});
