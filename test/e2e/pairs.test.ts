// `ballast pairs` as its users have it: the rows of another program on real bars, a universe of which little is stored, and pictures.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { HOUR_MS } from '../../src/domain/time.ts';
import { openStore } from '../../src/market/history/store.ts';
import { needs, sharedPath } from '../support/needs.ts';
import { ballast, document, seeded, temporaryHome } from '../support/run-app.ts';

const direction = z.object({
  alpha: z.number(),
  beta: z.number(),
  rSquared: z.number(),
  statistic: z.number(),
  pValue: z.number(),
  critical: z.array(z.number()),
  lambda: z.number(),
  halfLifeBarsLinear: z.number().nullable(),
});
const row = z.object({
  a: z.string(),
  b: z.string(),
  bars: z.number(),
  aOnB: direction,
  bOnA: direction,
  johansen: z.object({
    trace: z.array(z.number()),
    maxEigen: z.array(z.number()),
    traceCritical95: z.array(z.number()),
    eigenvalues: z.array(z.number()),
  }),
});
const series = z.object({
  symbol: z.string(),
  bars: z.number(),
  adf: z.object({ statistic: z.number(), pValue: z.number(), lags: z.number() }),
  kpss: z.object({ statistic: z.number(), lags: z.number() }),
});
const goldenSchema = z.object({ from: z.string(), to: z.string(), pairs: z.array(row), series: z.array(series) });
const scanSchema = z.object({
  rankedBy: z.string(),
  pairs: z.array(
    row.extend({
      pValue: z.number(),
      qValue: z.number(),
      isCointegrated: z.boolean(),
      stability: z.number().nullable(),
      spreadCost: z.number(),
    }),
  ),
  missing: z.array(z.object({ a: z.string(), b: z.string(), because: z.string() })),
  series: z.array(series),
});

/** Hourly bars that stay at their close, as an import leaves them. */
async function store(home: string, symbol: string, openAt: readonly number[], close: readonly number[]): Promise<void> {
  const opened = await openStore(home);
  const column = (): Float64Array => Float64Array.from(close);
  try {
    await opened.merge(
      { venue: 'binance', symbol, timeframeMs: HOUR_MS },
      { openAt: Float64Array.from(openAt), open: column(), high: column(), low: column(), close: column(), volume: column() },
    );
  } finally {
    await opened.close();
  }
}

function assertNear(found: number, wanted: number, what: string, tolerance = 1e-8): void {
  assert.ok(Math.abs(found - wanted) <= tolerance * Math.abs(wanted), `${what} was ${found}, the witness says ${wanted}`);
}

/** A home with the bars of the golden pairs, stored once for all tests that read it. */
let goldenHome: Promise<string> | undefined;

async function storeGoldenBars(symbols: readonly string[]): Promise<string> {
  const home = temporaryHome('pairs-golden');
  for (const symbol of symbols) {
    const [header = '', ...bars] = gunzipSync(readFileSync(sharedPath(`data/2_intraday/1h_spot/${symbol.replace('/', '')}_1h.csv.gz`)))
      .toString()
      .split('\n');
    assert.match(header, /^timestamp,open,high,low,close/);
    // Some bars before and after the range are there as well, and must not matter.
    const rows = bars.filter((line) => line > '2021-12-28' && line < '2022-07-05').map((line) => line.split(','));
    await store(
      home,
      symbol,
      rows.map(([at = '']) => Date.parse(at)),
      rows.map((cells) => Number(cells[4])),
    );
  }
  return home;
}

function goldenPairs(): z.infer<typeof goldenSchema> {
  return goldenSchema.parse(JSON.parse(readFileSync(sharedPath('golden/pairs-goldens.json'), 'utf8')));
}

test('every row of the golden pairs is reproduced', { skip: needs('shared data') }, async () => {
  const golden = goldenPairs();
  const symbols = golden.series.map(({ symbol }) => symbol);
  const home = await (goldenHome ??= storeGoldenBars(symbols));
  const range = ['--timeframe', '1h', '--from', golden.from, '--to', golden.to];
  const found = scanSchema.parse(await document(home, 'pairs', 'scan', '--symbols', symbols.join(','), ...range));
  assert.equal(found.pairs.length, 28);
  assert.equal(golden.pairs.length, 28);
  for (const wanted of golden.pairs) {
    const pair = found.pairs.find(({ a, b }) => a === wanted.a && b === wanted.b);
    assert.ok(pair !== undefined, `${wanted.a} ${wanted.b}`);
    assert.equal(pair.bars, wanted.bars);
    for (const way of ['aOnB', 'bOnA'] as const) {
      const one: z.infer<typeof direction> = pair[way];
      const other = wanted[way];
      const what = `${wanted.a} ${wanted.b} ${way}`;
      for (const figure of ['alpha', 'beta', 'rSquared', 'statistic', 'lambda'] as const)
        assertNear(one[figure], other[figure], `${what} ${figure}`);
      assertNear(one.pValue, other.pValue, `${what} p`, 1e-6);
      assertNear(one.critical[0] ?? NaN, -3.89644 - 10.9519 / (pair.bars - 1) - 22.527 / (pair.bars - 1) ** 2, `${what} 1 %`, 1e-12);
      for (const index of [1, 2]) assertNear(one.critical[index] ?? NaN, other.critical[index] ?? NaN, `${what} critical ${index}`);
      if (other.lambda >= 0) assert.equal(one.halfLifeBarsLinear, null, what);
      else assertNear(one.halfLifeBarsLinear ?? NaN, other.halfLifeBarsLinear ?? NaN, `${what} half-life`);
    }
    for (const figure of ['trace', 'maxEigen', 'traceCritical95', 'eigenvalues'] as const) {
      wanted.johansen[figure].forEach((value, rank) =>
        assertNear(pair.johansen[figure][rank] ?? NaN, value, `${wanted.a} ${wanted.b} ${figure} ${rank}`),
      );
    }
  }
  assert.deepEqual(
    found.series.map(({ symbol }) => symbol),
    symbols,
  );
  golden.series.forEach((wanted, index) => {
    const each = found.series[index];
    assert.ok(each !== undefined);
    assert.deepEqual([each.bars, each.adf.lags, each.kpss.lags], [wanted.bars, wanted.adf.lags, wanted.kpss.lags]);
    assertNear(each.adf.statistic, wanted.adf.statistic, `${wanted.symbol} adf`);
    assertNear(each.adf.pValue, wanted.adf.pValue, `${wanted.symbol} adf p`, 1e-6);
    assertNear(each.kpss.statistic, wanted.kpss.statistic, `${wanted.symbol} kpss`);
  });
  // Ranked by twice the smaller p-value of both directions; Benjamini and Hochberg by hand.
  const ranks = found.pairs.map(({ aOnB, bOnA }) => Math.min(1, 2 * Math.min(aOnB.pValue, bOnA.pValue)));
  ranks.forEach((pValue, index) => {
    assert.equal(found.pairs[index]?.pValue, pValue);
    assert.ok(index === 0 || pValue >= (ranks[index - 1] ?? NaN));
    const rate = Math.min(...ranks.slice(index).map((later, place) => Math.min(1, (later * ranks.length) / (index + place + 1))));
    assertNear(found.pairs[index]?.qValue ?? NaN, rate, `q of rank ${index}`, 1e-12);
  });
});

const leg = z.object({ alpha: z.number(), beta: z.number(), statistic: z.number(), pValue: z.number(), tauWithReference: z.number() });
const copulaGoldenSchema = z.object({
  from: z.string(),
  to: z.string(),
  reference: z.string(),
  legs: z.record(z.string(), leg),
  pairs: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      bars: z.number(),
      tau: z.number(),
      family: z.string(),
      rotation: z.number(),
      aic: z.number(),
      first: z.number(),
      second: z.number(),
    }),
  ),
});
const copulaScanSchema = z.object({
  rankedBy: z.literal('copula'),
  reference: z.string(),
  pairs: z.array(
    z.object({
      a: z.string(),
      b: z.string(),
      bars: z.number(),
      legs: z.object({ a: leg, b: leg }),
      pValue: z.number(),
      qValue: z.number(),
      isCointegrated: z.boolean(),
      tau: z.number(),
      copula: z.object({ family: z.string(), rotation: z.number().optional() }),
      aic: z.number(),
      last: z.object({ first: z.number(), second: z.number() }),
      hedgeRatio: z.number(),
      stability: z.number().nullable(),
    }),
  ),
  missing: z.array(z.object({ a: z.string(), b: z.string(), because: z.string() })),
});

test('the copulas of real bars are those of statsmodels, scipy and pyvinecopulib', { skip: needs('shared data') }, async () => {
  const golden = copulaGoldenSchema.parse(JSON.parse(readFileSync(new URL('../golden/pairs-copula.json', import.meta.url), 'utf8')));
  const home = await (goldenHome ??= storeGoldenBars(goldenPairs().series.map(({ symbol }) => symbol)));
  const words = ['pairs', 'scan', '--timeframe', '1h', '--from', golden.from, '--to', golden.to, '--method', 'copula'];
  const symbols = [golden.reference, ...Object.keys(golden.legs)].join(',');
  const found = copulaScanSchema.parse(await document(home, ...words, '--symbols', symbols));
  assert.equal(found.reference, golden.reference);
  assert.deepEqual(
    found.missing.map(({ because }) => because),
    Object.keys(golden.legs).map(() => 'BTC/USDT is the reference'),
  );
  assert.equal(found.pairs.length, golden.pairs.length);
  for (const wanted of golden.pairs) {
    const row = found.pairs.find(({ a, b }) => a === wanted.a && b === wanted.b);
    assert.ok(row !== undefined, `${wanted.a} ${wanted.b}`);
    const what = `${wanted.a} ${wanted.b}`;
    assert.equal(row.bars, wanted.bars);
    for (const side of ['a', 'b'] as const) {
      const own = row.legs[side];
      const other: z.infer<typeof leg> | undefined = golden.legs[wanted[side]];
      assert.ok(other !== undefined);
      for (const figure of ['alpha', 'beta', 'statistic'] as const) assertNear(own[figure], other[figure], `${what} ${figure}`);
      // Returns of few ticks are equal or not by the last bit of a logarithm.
      assertNear(own.tauWithReference, other.tauWithReference, `${what} tau with the reference`, 1e-5);
      assertNear(own.pValue, other.pValue, `${what} p`, 1e-6);
    }
    assertNear(row.tau, wanted.tau, `${what} tau`, 1e-10);
    // Its fits end near where they began, ours at the top.
    assert.ok(row.aic < wanted.aic + 0.1, `${what}: AIC ${row.aic}, the witness says ${wanted.aic}`);
    if (row.aic < wanted.aic - 0.1) continue;
    assert.deepEqual([row.copula.family, row.copula.rotation ?? 0], [wanted.family, wanted.rotation], what);
    assertNear(row.last.first, wanted.first, `${what} first`, 1e-2);
    assertNear(row.last.second, wanted.second, `${what} second`, 1e-2);
  }
  // Coins of that winter fell together against BTC: a large tau of spreads that wander. None is a pair, and they are ranked by p-value.
  assert.ok(found.pairs.every(({ isCointegrated }) => !isCointegrated) && Math.max(...found.pairs.map(({ tau }) => tau)) > 0.6);
  const ranks = found.pairs.map(({ pValue }) => pValue);
  assert.deepEqual(
    ranks,
    ranks.toSorted((one, other) => one - other),
  );
  const text = await ballast(home, ...words, '--symbols', 'ETH/USDT,LTC/USDT', '--reference', 'BTC/USDT');
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /ranked by the tau of both spreads to BTC\/USDT/);
  assert.match(text.stdout, /ETH\/USDT +LTC\/USDT +4344 +0\.258 .*clayton 180/);
});

/** Hourly closes of a walk, or of what follows it. */
function closes(follows: boolean): number[] {
  const random = seeded(11);
  let [log, rest] = [4, 0];
  return Array.from({ length: 500 }, () => {
    log += 0.02 * (random() - 0.5);
    rest = 0.8 * rest + 0.01 * (random() - 0.5);
    return Math.exp(follows ? 1.3 * log + rest : log);
  });
}

test('a universe of which little is stored says what is missing; a pair is drawn; what is wrong is told', async () => {
  const home = temporaryHome('pairs');
  for (const [symbol, follows] of [
    ['BTC/USDT', false],
    ['ETH/USDT', true],
  ] as const) {
    const prices = closes(follows);
    await store(
      home,
      symbol,
      prices.map((_, bar) => Date.UTC(2023, 0, 1) + bar * HOUR_MS),
      prices,
    );
  }
  const found = scanSchema.parse(await document(home, 'pairs', 'scan', '--timeframe', '1h'));
  assert.deepEqual(
    found.pairs.map(({ a, b, isCointegrated }) => [a, b, isCointegrated]),
    [['BTC/USDT', 'ETH/USDT', true]],
  );
  assert.equal(found.missing.length, 9);
  assert.deepEqual(found.missing[0], { a: 'BTC/USDT', b: 'LTC/USDT', because: 'no bars of LTC/USDT' });
  const text = await ballast(home, 'pairs', 'scan', '--timeframe', '1h');
  assert.equal(text.code, 0);
  assert.match(text.stdout, /\* +BTC\/USDT +ETH\/USDT +500/);
  assert.match(text.stdout, /1 of 1 pairs at a false discovery rate of 5\.00 %/);
  assert.match(text.stdout, /missing: MATIC\/USDT and ARB\/USDT: no bars of MATIC\/USDT and ARB\/USDT/);

  const drawn = await ballast(home, 'pairs', 'show', 'BTC/USDT', 'ETH/USDT', '--timeframe', '1h', '--window', '50');
  assert.equal(drawn.code, 0, drawn.stderr);
  assert.match(drawn.stdout, /z-score over 50 bars\n.*│/);
  const page = readFileSync(join(home, 'pairs', 'BTC_USDT-ETH_USDT-1h.html'), 'utf8');
  assert.match(page, /<svg .*viewBox/);
  const out = join(home, 'deep', 'pair.svg');
  const shown = await document<{ readonly spread: readonly (number | null)[]; readonly zScore: readonly (number | null)[] }>(
    home,
    ...['pairs', 'show', 'BTC/USDT', 'ETH/USDT', '--timeframe', '1h', '--out', out],
  );
  assert.deepEqual([shown.spread.length, shown.zScore.filter((each) => each === null).length], [500, 99]);
  assert.ok(existsSync(out) && readFileSync(out, 'utf8').startsWith('<svg'));

  for (const [words, said] of [
    [['pairs', 'scan', '--symbols', 'BTC/USDT,LTC/USDT', '--timeframe', '1h'], /LTC\/USDT/],
    [['pairs', 'scan', '--timeframe', '1h', '--reference', 'BTC/USDT'], /--reference: found no method, expected --method copula/],
    [
      ['pairs', 'scan', '--timeframe', '1h', '--method', 'copula', '--symbols', 'ETH/USDT,LTC/USDT'],
      /--reference: found nothing, and no symbol whose base is BTC/,
    ],
    [['pairs', 'scan', '--symbols', 'BTC/USDT', '--timeframe', '1h'], /--symbols: found one symbol, expected at least two/],
    [['pairs', 'show', 'BTC/USDT', 'ETH/USDT', '--timeframe', '1h', '--window', '900'], /500 bars in common, expected at least 900/],
  ] as const) {
    const { code, stderr } = await ballast(home, ...words);
    assert.equal(code, 2, words.join(' '));
    assert.match(stderr, said);
  }
});
