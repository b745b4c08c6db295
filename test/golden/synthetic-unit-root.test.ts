// What statsmodels says of the same columns. See synthetic-unit-root-golden.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { z } from 'zod';
import { linearFit } from '../../src/quant/statistics.ts';
import { dickeyFullerCritical, type SignificanceLevel } from '../../src/quant/unit-root-distribution.ts';
import { augmentedDickeyFuller } from '../../src/quant/unit-root.ts';

const names = z.enum(['walk', 'reverting', 'follower']);
const golden = z
  .object({
    length: z.number(),
    last: z.record(names, z.number()),
    dickeyFuller: z.array(
      z.object({
        column: names,
        lags: z.number(),
        constant: z.boolean(),
        statistic: z.number(),
        observations: z.number(),
        critical: z.record(z.string(), z.number()).optional(),
      }),
    ),
    engleGranger: z.array(z.object({ lags: z.number(), statistic: z.number() })),
    twoVariables: z.object({ observations: z.number(), '5%': z.number(), '10%': z.number() }),
  })
  .parse(JSON.parse(readFileSync(new URL('synthetic-unit-root.json', import.meta.url), 'utf8')));

function* deviates(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    let z = -6;
    for (let draw = 0; draw < 12; draw++) {
      state = (Math.imul(1_664_525, state) + 1_013_904_223) >>> 0;
      z += (state + 0.5) / 4_294_967_296;
    }
    yield z;
  }
}

const made = ((): Record<z.infer<typeof names>, Float64Array> => {
  const draws = deviates(20_261_121);
  const column = (): Float64Array => new Float64Array(golden.length);
  const columns = { walk: column(), reverting: column(), follower: column() };
  let [walk, residual, reverting] = [9, 0, 0];
  for (let row = 0; row < golden.length; row++) {
    walk += 0.02 * draws.next().value;
    residual = 0.9 * residual + 0.01 * draws.next().value;
    reverting = 100 + 0.8 * (reverting - 100) + draws.next().value;
    columns.walk[row] = walk;
    columns.reverting[row] = reverting;
    columns.follower[row] = 0.5 + 1.2 * walk + residual;
  }
  return columns;
})();

const LEVELS: readonly (readonly [string, SignificanceLevel])[] = [
  ['1%', 0.01],
  ['5%', 0.05],
  ['10%', 0.1],
];

function assertNear(found: number, wanted: number, what: string): void {
  assert.ok(Math.abs(found - wanted) <= 1e-9 * Math.abs(wanted), `${what} was ${found}, the witness says ${wanted}`);
}

test('the witness and the tests speak of the same columns, to the last bit', () => {
  for (const name of names.options) assert.equal(made[name].at(-1), golden.last[name]);
});

test('the augmented Dickey-Fuller statistic and its critical values are those of statsmodels, to 1e-9', () => {
  assert.equal(golden.dickeyFuller.length, 16);
  for (const { column, lags, constant, statistic, observations, critical } of golden.dickeyFuller) {
    const found = augmentedDickeyFuller(made[column], lags, constant ? 'constant' : 'none');
    const what = `${column}, ${lags} lags${constant ? '' : ', no constant'}`;
    assertNear(found.statistic, statistic, what);
    assert.equal(found.observations, observations);
    if (critical === undefined) continue;
    for (const [name, level] of LEVELS) assertNear(dickeyFullerCritical(1, level, observations), critical[name] ?? NaN, `${what}, ${name}`);
  }
});

test('on the residuals of a regression, without a constant, it is the Engle-Granger statistic', () => {
  const { slope, intercept } = linearFit(made.walk, made.follower);
  const residuals = made.follower.map((value, row) => value - intercept - slope * (made.walk[row] ?? NaN));
  for (const { lags, statistic } of golden.engleGranger) {
    assertNear(augmentedDickeyFuller(residuals, lags, 'none').statistic, statistic, `${lags} lags`);
  }
  const { observations } = golden.twoVariables;
  assertNear(dickeyFullerCritical(2, 0.05, observations), golden.twoVariables['5%'], '5 %');
  assertNear(dickeyFullerCritical(2, 0.1, observations), golden.twoVariables['10%'], '10 %');
  // From the paper's table: the library's 1 % row has an error.
  assertNear(dickeyFullerCritical(2, 0.01, 499), -3.918478164906968, '1 %');
});
