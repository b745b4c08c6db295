// Engle and Granger's test over all pairs of fifty assets, against statsmodels in the same run where there is one; near-collinear pairs
// against a QR decomposition.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { engleGranger } from '../../src/quant/cointegration.ts';
import { leastSquares } from '../../src/quant/linear-model.ts';
import { Random } from '../../src/quant/random.ts';
import { changesOf } from '../../src/quant/unit-root.ts';
import type { Figure } from '../figure.ts';
import { medianOf, timed } from '../measure.ts';
import { ROOT } from '../programs.ts';
import type { Section } from '../section.ts';

const ASSETS = 50;
const BARS = 5_000;
const REPEATS = 3;
/** A quarter of a second each. */
const PEER_PAIRS = 16;
const TOLERANCE = 1e-8;
/** What is left of the follower beside its leader's movement, relative to it. Below these the rounding of the columns themselves is larger. */
const NEARNESS = [1e-2, 1e-3, 1e-4, 1e-5];

type Pair = readonly [number, number];

export const pairs: Section = {
  name: 'pairs',
  title: `Pairs: Engle-Granger with lags by AIC, ${ASSETS} assets, ${BARS.toLocaleString('en')} bars`,
  rows: [
    { name: 'engle-granger', measure: measureAll },
    { name: 'near-collinear', measure: () => Promise.resolve(nearCollinear()) },
  ],
};

/** Walks, every fifth bound to the one before it. */
function market(): Float64Array[] {
  const random = new Random(50);
  const columns: Float64Array[] = [];
  for (let asset = 0; asset < ASSETS; asset++) {
    const before = columns.at(-1);
    let [level, rest] = [5, 0];
    columns.push(
      Float64Array.from({ length: BARS }, (_, bar) => {
        level += 0.01 * random.normal();
        rest = 0.95 * rest + 0.005 * random.normal();
        return asset % 5 === 4 ? 0.5 + 1.1 * (before?.[bar] ?? NaN) + rest : level;
      }),
    );
  }
  return columns;
}

async function measureAll(): Promise<readonly Figure[]> {
  const columns = market();
  const all: Pair[] = columns.flatMap((_, one) => columns.slice(one + 1).map((_other, place): Pair => [one, one + 1 + place]));
  const test = ([one, other]: Pair): number => engleGranger(columns[one] ?? [], columns[other] ?? []).statistic;
  const timings = [];
  let found: number[] = [];
  for (let repeat = -1; repeat < REPEATS; repeat++) {
    const { timing, result } = await timed(() => all.map(test));
    found = result;
    if (repeat >= 0) timings.push(timing);
  }
  const { cpuMs } = medianOf(timings);
  const perPair = cpuMs / all.length;
  const figures: Figure[] = [{ name: `all ${all.length} pairs, a pair`, value: perPair, unit: 'ms', better: 'less', cpu: perPair }];
  // From all over the list, bound ones among them.
  const chosen = Array.from({ length: PEER_PAIRS }, (_, index) => Math.floor((index * all.length) / PEER_PAIRS));
  const peer = statsmodels(
    columns,
    chosen.map((index) => all[index] ?? [0, 1]),
  );
  if (peer === undefined) {
    return [...figures, { name: '  statsmodels over it', value: NaN, unit: 'x', better: 'more', note: 'no Python that has statsmodels' }];
  }
  const worst = Math.max(...peer.statistics.map((statistic, index) => Math.abs((found[chosen[index] ?? 0] ?? NaN) / statistic - 1)));
  return [
    ...figures,
    {
      name: '  statsmodels over it',
      value: peer.cpuMs / perPair,
      unit: 'x',
      better: 'more',
      floor: 100,
      goal: 400,
      isEqual: worst <= TOLERANCE ? undefined : false,
      note: `statsmodels ${peer.cpuMs.toFixed(0)} ms of CPU a pair over ${PEER_PAIRS} of them, statistics within ${worst.toExponential(1)}`,
    },
  ];
}

interface Peer {
  readonly cpuMs: number;
  readonly statistics: readonly number[];
}

/** Undefined where the Python named by BALLAST_PEER_PYTHON, else python3, has no statsmodels. */
function statsmodels(columns: readonly Float64Array[], chosen: readonly Pair[]): Peer | undefined {
  const python = process.env['BALLAST_PEER_PYTHON'] ?? 'python3';
  if (spawnSync(python, ['-c', 'import statsmodels']).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'ballast-pairs-'));
  try {
    writeFileSync(join(folder, 'job.json'), JSON.stringify({ columns: columns.length, rows: BARS, pairs: chosen }));
    writeFileSync(
      join(folder, 'columns.f64'),
      Buffer.concat(columns.map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength))),
    );
    const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
    const { status, stdout, stderr } = spawnSync(python, [join(ROOT, 'bench/peers/cointegration.py'), folder], { encoding: 'utf8', env });
    if (status !== 0) throw new Error(`bench/peers/cointegration.py ended with ${status}: ${stderr}`);
    return JSON.parse(stdout) as Peer;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The statistic by one regression of all columns, without a table of products. */
function byQr(explained: Float64Array, other: Float64Array, lags: number): number {
  const { residuals } = leastSquares(explained, [new Float64Array(explained.length).fill(1), other]);
  const changes = changesOf(residuals);
  const rows = changes.length - lags;
  const columns = [residuals.subarray(lags, lags + rows)];
  for (let lag = 1; lag <= lags; lag++) columns.push(changes.subarray(lags - lag, lags - lag + rows));
  return leastSquares(changes.subarray(lags), columns).tStatistics[0] ?? NaN;
}

function nearCollinear(): readonly Figure[] {
  const random = new Random(51);
  return NEARNESS.map((nearness) => {
    let worst = 0;
    for (let repeat = 0; repeat < 20; repeat++) {
      let [level, rest] = [9, 0];
      const leader = Float64Array.from({ length: BARS }, () => (level += 0.01 * random.normal()));
      const follower = leader.map((value) => {
        rest = 0.98 * rest + 0.01 * nearness * random.normal();
        return 0.3 + 1.2 * value + rest;
      });
      const { statistic, lags } = engleGranger(follower, leader);
      worst = Math.max(worst, Math.abs(statistic / byQr(follower, leader, lags) - 1));
    }
    return {
      name: `off QR, a spread of ${nearness} of the movement`,
      value: worst * 1e9,
      unit: 'billionths',
      better: 'less',
      floor: TOLERANCE * 1e9,
    };
  });
}
