// Engle and Granger's test over all pairs of fifty assets, against statsmodels in the same run where there is one; near-collinear pairs
// against a QR decomposition.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JointIndicator } from '../../src/domain/feature.ts';
import { HOUR_MS } from '../../src/domain/time.ts';
import { basketSpread, copulaPair, distanceSpread, pairSpread } from '../../src/features/pairs/catalog.ts';
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
    { name: 'spreads', measure: spreadsByWindow },
  ],
};

/** Bars that a formation of a strategy looks at. */
const FORMATIONS = [250, 1_000, 4_000];
/** Legs of the strategies that choose a pair among them. */
const CHOICE = 6;
const LEVELS = { entry: 2, exit: 0.5, stop: 3.5, longest: 240 };

/** With as many formations within a window as the strategies have by default. */
const SPREADS: readonly { readonly name: string; readonly legs: number; create(formation: number): JointIndicator }[] = [
  {
    name: 'pairs',
    legs: 2,
    create: (formation) =>
      pairSpread({ formation, every: formation / 10, levels: LEVELS, test: 'engle-granger', by: { kind: 'formation' } }).create(),
  },
  {
    name: 'pairs by Kalman',
    legs: 2,
    create: (formation) =>
      pairSpread({
        formation,
        every: formation / 10,
        levels: LEVELS,
        test: 'engle-granger',
        by: { kind: 'kalman', memory: 1_000 },
      }).create(),
  },
  {
    name: 'dynamic-pairs',
    legs: 2,
    create: (formation) => {
      const every = Math.round(formation / 20);
      return pairSpread({ formation, every, levels: LEVELS, test: 'kss', by: { kind: 'look-back', halfLives: 5 } }).create();
    },
  },
  {
    name: 'basket of 3',
    legs: 3,
    create: (formation) => basketSpread({ legs: 3, formation, every: formation / 10, levels: LEVELS }).create(),
  },
  {
    name: `distance-pairs of ${CHOICE}`,
    legs: CHOICE,
    create: (formation) => distanceSpread({ legs: CHOICE, formation, trading: formation / 2, levels: LEVELS }).create(),
  },
  {
    name: `copula-pairs of ${CHOICE}`,
    legs: CHOICE,
    create: (formation) => {
      return copulaPair({ legs: CHOICE, formation, trading: Math.round(formation / 3), test: 'engle-granger', mostPValue: 1 }).create();
    },
  },
];

/** What a bar costs on average, formations included, once a window is full. */
async function spreadsByWindow(): Promise<readonly Figure[]> {
  const random = new Random(52);
  const figures: Figure[] = [];
  for (const each of SPREADS) {
    const { name, legs } = each;
    for (const formation of FORMATIONS) {
      const bars = Math.max(20_000, 4 * formation);
      let walk = 0;
      const rests = new Float64Array(legs);
      const rows = Array.from({ length: bars }, (_, row) => {
        walk += 0.01 * random.normal();
        return Array.from({ length: legs }, (_leg, leg) => {
          rests[leg] = 0.95 * (rests[leg] ?? NaN) + 0.004 * random.normal();
          const close = 100 * Math.exp(walk + (rests[leg] ?? NaN));
          return { at: (row + 1) * HOUR_MS, open: close, high: close, low: close, close, volume: 1 };
        });
      });
      const spread = each.create(formation);
      const warm = 2 * formation;
      for (const row of rows.slice(0, warm)) spread.update(row);
      const { timing } = await timed(() => {
        for (let row = warm; row < bars; row++) spread.update(rows[row] ?? []);
      });
      const perBar = (timing.cpuMs * 1_000) / (bars - warm);
      figures.push({ name: `${name}, a bar, formation of ${formation}`, value: perBar, unit: 'us', better: 'less', cpu: perBar });
    }
  }
  return figures;
}

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
