// Walk-forward and stress through the command line, on a market that can be known: bars of made-up crises and of a wave.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { runBacktest } from '../../src/app/backtest.ts';
import { demandHistory, rerunRange, storedBars } from '../../src/app/rerun.ts';
import { readRunReport } from '../../src/app/run-report.ts';
import { runNamed } from '../../src/app/runs.ts';
import { validateRun } from '../../src/app/validation.ts';
import { runWalkForward, type WalkForwardRequest } from '../../src/app/walk-forward.ts';
import { BallastError } from '../../src/domain/errors.ts';
import { trialsOn } from '../../src/lab/validate/trial-ledger.ts';
import { document, seeded, temporaryHome } from '../support/run-app.ts';

const HOUR = 3_600_000;

interface Fold {
  readonly train: { readonly from: string; readonly to: string; readonly bars: number };
  readonly test: { readonly from: string; readonly to: string; readonly bars: number };
  readonly chosen: unknown;
  readonly outOfSample: { readonly totalReturn: number; readonly trades: number } | null;
}
interface Walk {
  readonly runId: string;
  readonly triedBy: string;
  readonly folds: readonly Fold[];
  readonly outOfSample: { readonly totalReturn: number; readonly trades: number };
  readonly combinations: { readonly tried: number; readonly leftOut: number };
  readonly whole: { readonly trials: { readonly count: number } };
  readonly verdict: readonly string[];
}
interface StressRow {
  readonly name: string;
  readonly totalReturn: number;
  readonly maxDrawdown: number;
  readonly holdReturn: number;
  readonly holdDrawdown: number;
}
interface Stress {
  readonly base: StressRow;
  readonly rows: readonly StressRow[];
  readonly leftOut: readonly { readonly name: string; readonly why: string }[];
  readonly gaps: readonly { readonly at: string; readonly dayReturn: number }[];
  readonly beatRate: { readonly crises: { readonly rows: number; readonly returned: number } };
  readonly verdict: readonly string[];
}
interface Validation {
  readonly verdict: { readonly kind: string; readonly headline: string };
  readonly rerun: {
    readonly metrics: { readonly finalEquity: number };
    readonly costs: { readonly feeRate: number; readonly points: readonly { readonly feeRate: number; readonly totalReturn: number }[] };
    readonly lag: readonly { readonly lagBars: number; readonly totalReturn: number }[];
  } | null;
  readonly notRerun: string | null;
}

/** Hours from the 15th of April to the 15th of June 2021: a wave around a line that falls by half in May. */
function csv(): string {
  const random = seeded(8);
  const lines = ['time,open,high,low,close,volume'];
  let open = 100;
  for (let hour = 0; hour < 61 * 24; hour++) {
    const level = hour < 33 * 24 ? 100 : Math.max(50, 100 - 2 * ((hour - 33 * 24) / 6));
    const close = level * (1 + 0.06 * Math.sin((2 * Math.PI * hour) / 110) + 0.004 * (random() - 0.5));
    lines.push(
      [Date.UTC(2021, 3, 15) + hour * HOUR, open, Math.max(open, close) * 1.001, Math.min(open, close) * 0.999, close, 1_000].join(','),
    );
    open = close;
  }
  return lines.join('\n');
}

const TREND = { strategy: 'trend', parameters: 'fast=6,slow=24', symbols: ['BTC/USDT'], timeframeMs: HOUR } as const;
const PLAIN = { noRisk: false, warmup: 'auto', seed: 1, allowSpotShort: false } as const;
const ON = ['--symbols', 'BTC/USDT', '--timeframe', '1h'];

let home: string;
before(async () => {
  home = temporaryHome('walkforward');
  await importBars(csv());
});

async function importBars(text: string): Promise<void> {
  const file = join(home, 'bars.csv');
  writeFileSync(file, text);
  await document(home, 'data', 'import', file, '--symbol', 'BTC/USDT', '--timeframe', '1h', '--venue', 'mine');
}

/** As the command asks for it. */
function walkBy(strategy: string, grid: string | undefined, changes: Partial<WalkForwardRequest> = {}): ReturnType<typeof runWalkForward> {
  const windows = { folds: 4, trainTests: 2, isAnchored: false, embargoBars: 6 } as const;
  const { symbols, timeframeMs } = TREND;
  return runWalkForward({
    home,
    strategy,
    grid,
    symbol: symbols[0],
    timeframeMs,
    ...PLAIN,
    ...windows,
    objective: 'sharpe',
    workers: 1,
    ...changes,
  });
}

describe('ballast walkforward', () => {
  test('kernels and the engine walk the same windows, and every combination is a trial once', async () => {
    const windows = ['--folds', '4', '--train', '2', '--embargo', '6'];
    const kernel = await document<Walk>(
      home,
      'walkforward',
      '--strategy',
      'sma-cross',
      '--grid',
      'fast=4|8|30,slow=24|48',
      ...ON,
      ...windows,
    );
    const engine = await walkBy('trend', 'fast=4|8|30,slow=24');
    assert.deepEqual([kernel.triedBy, engine.triedBy], ['kernel', 'engine']);
    assert.deepEqual(
      [kernel.combinations, engine.combinations],
      [
        { tried: 5, leftOut: 1 },
        { tried: 2, leftOut: 1 },
      ],
    );
    const spans = ({ folds }: Pick<Walk, 'folds'>): unknown =>
      folds.map(({ train, test: tested }) => [train.from, train.to, tested.from, tested.to]);
    assert.deepEqual(spans(kernel), spans(engine));
    for (const { train, test: tested } of kernel.folds) {
      // The embargo, the purged bar, and the bar whose label it would have been.
      assert.equal((Date.parse(tested.from) - Date.parse(train.to)) / HOUR, 6 + 1);
      assert.equal(tested.bars, 244);
    }
    assert.equal(kernel.folds.at(-1)?.test.to, '2021-06-15T00:00:00Z');
    for (const { folds, outOfSample } of [kernel, engine]) {
      const whole = folds.reduce((product, fold) => product * (1 + (fold.outOfSample?.totalReturn ?? 0)), 1) - 1;
      assert.ok(Math.abs(outOfSample.totalReturn - whole) < 1e-9, `${outOfSample.totalReturn}, expected ${whole}`);
      assert.ok(outOfSample.trades > 0);
    }
    assert.deepEqual([kernel.whole.trials.count, engine.whole.trials.count], [5, 7]);
    assert.deepEqual(JSON.parse(readFileSync(join(home, 'runs', kernel.runId, 'walkforward.json'), 'utf8')), kernel);
    // Other windows over the same bars are no other trials.
    const anchored = await walkBy('trend', 'fast=4|8|30,slow=24', { folds: 3, isAnchored: true });
    assert.equal(anchored.whole.trials.count, 7);
    assert.equal(new Set(anchored.folds.map(({ train }) => train.from)).size, 1);
    // A sweep counts as well, and once however often it is run.
    for (const _ of [1, 2]) await document(home, 'sweep', '--strategy', 'sma-cross', '--grid', 'fast=5|9|60,slow=30', ...ON);
    assert.equal(trialsOn(join(home, 'data', 'trials.jsonl'), ['mine:BTC/USDT'], 24 * HOUR).count, 7 + 2);
  });

  test('what is wrong is said with exit 2', async () => {
    const cases = [
      [() => walkBy('sma-cross', undefined), /--grid, --points: found neither/],
      [() => walkBy('sma-cross', 'fast=4,slow=24', { parameters: 'fast=4' }), /--params: found parameters beside the grid/],
      [() => walkBy('trend', 'fast=60,slow=24'), /no combination that trend accepts/],
      [() => walkBy('sma-cross', 'fast=4,slow=24', { folds: 1_000, trainTests: 900 }), /windows that the bars can fill/],
      [() => walkBy('nobody', 'fast=4'), /strategy: found "nobody"/],
    ] as const;
    for (const [walk, message] of cases) {
      await assert.rejects(walk(), (error) => error instanceof BallastError && error.exitCode === 2 && message.test(error.message));
    }
  });
});

describe('ballast stress and validate', () => {
  test('a crisis that is stored is gone through, the others are named, and shocks do what they say', async () => {
    const { runId, metrics } = await runBacktest({ home, ...TREND, ...PLAIN });
    const found = await document<Stress>(home, 'stress', runId);
    assert.equal(found.base.totalReturn, metrics.totalReturn);
    assert.deepEqual(
      found.rows.map((row) => row.name),
      ['May 2021', 'gap -30.00 %', 'liquidity gone', 'fees doubled', 'exchange down'],
    );
    assert.deepEqual(
      found.leftOut.map(({ name }) => name),
      ['March 2020', 'Luna and 3AC 2022', 'FTX 2022'],
    );
    const row = (name: string): StressRow => {
      const each = found.rows.find((candidate) => candidate.name === name);
      assert.ok(each !== undefined, name);
      return each;
    };
    // Holding through the month, by hand.
    const month = csv()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number))
      .filter(([time]) => (time ?? 0) >= Date.UTC(2021, 4, 1) && (time ?? 0) < Date.UTC(2021, 5, 1));
    assert.ok(Math.abs(row('May 2021').holdReturn - ((month.at(-1)?.[4] ?? NaN) / (month[0]?.[1] ?? NaN) - 1)) < 1e-9);
    assert.ok(row('fees doubled').totalReturn < metrics.totalReturn);
    assert.ok(row('liquidity gone').totalReturn < metrics.totalReturn);
    assert.ok(Math.abs((1 + row('gap -30.00 %').holdReturn) / (1 + found.base.holdReturn) - 0.7) < 1e-9);
    assert.ok(found.gaps.length > 0 && found.gaps.every((gap, index) => gap.dayReturn >= (found.gaps[index - 1]?.dayReturn ?? -1)));
    assert.ok((found.gaps[0]?.dayReturn ?? 0) < 0);
    assert.deepEqual(JSON.parse(readFileSync(join(home, 'runs', runId, 'stress.json'), 'utf8')), found);

    const validation = await document<Validation>(home, 'validate', runId);
    assert.equal(validation.rerun?.metrics.finalEquity, metrics.finalEquity);
    assert.deepEqual(
      validation.rerun?.lag.map((point) => point.lagBars),
      [0, 1, 2, 3],
    );
    // Its own fee is its own return, and twice that is what stress says of it.
    const at = (times: number): number | undefined =>
      validation.rerun?.costs.points.find(({ feeRate }) => feeRate === times * (validation.rerun?.costs.feeRate ?? NaN))?.totalReturn;
    assert.equal(at(1), metrics.totalReturn);
    assert.equal(at(2), row('fees doubled').totalReturn);
    assert.deepEqual(JSON.parse(readFileSync(join(home, 'runs', runId, 'validation.json'), 'utf8')), validation);
  });

  test('what fills at the close and slips at stops is run again to the last digit, and without costs it has none', async () => {
    const costly = { ...TREND, ...PLAIN, fill: 'close', slippageRatio: 0.001, stopSlippageRatio: 0.01 } as const;
    const { runId, metrics } = await runBacktest({ home, ...costly });
    const { recipe } = runNamed(home, runId);
    const again = demandHistory(recipe, runId);
    const found = await rerunRange(again, home, await storedBars(again, home), again.market);
    assert.deepEqual(found.returns, readRunReport(home, runId).returns);
    assert.deepEqual({ ...found.metrics, buyAndHoldReturn: 0 }, { ...metrics, buyAndHoldReturn: 0 });
    const free = await runBacktest({ home, ...costly, feeRate: 0, slippageRatio: 0, stopSlippageRatio: 0 });
    const { rerun } = await validateRun({ home, runId, seed: 1, drawdownLimit: 0.3 });
    assert.equal(rerun?.costs.freeReturn, free.metrics.totalReturn);
  });

  test('random entries pay what the trades of the run paid, by tiers too, and so the costs are told', async () => {
    const configFile = join(home, 'tiers.yaml');
    writeFileSync(configFile, 'venue:\n  feeTiers: [{ turnover: 0, takerFeeRate: 0.004, makerFeeRate: 0.004 }]\n');
    const figures = async (run: { configFile: string } | { feeRate: number }): Promise<readonly (number | undefined)[]> => {
      const { runId } = await runBacktest({ home, ...TREND, ...PLAIN, ...run });
      const { rerun } = await validateRun({ home, runId, seed: 1, drawdownLimit: 0.3 });
      return [rerun?.randomEntry?.randomMean, rerun?.costs.feeRate];
    };
    const byRate = await figures({ feeRate: 0.004 });
    for (const [index, byTier] of (await figures({ configFile })).entries())
      assert.ok(Math.abs((byTier ?? NaN) - (byRate[index] ?? NaN)) < 1e-9, `${byTier}, expected ${byRate[index]}`);
  });

  test('bars that were corrected since leave the report to speak alone', async () => {
    const { runId } = await runBacktest({ home, ...TREND, ...PLAIN });
    const lines = csv().split('\n');
    await importBars([lines[0], ...lines.slice(400, 420).map((line) => line.replace(/^(\d+),.*/, '$1,80,81,79,80,1'))].join('\n'));
    const { rerun, notRerun, verdict } = await validateRun({ home, runId, seed: 1, drawdownLimit: 0.3 });
    assert.equal(rerun, null);
    assert.match(notRerun ?? '', /run again: found a final equity of .*its bars were corrected or completed since/);
    assert.ok(verdict.headline.length > 0);
    assert.ok(existsSync(join(home, 'runs', runId, 'validation.json')));
  });
});
