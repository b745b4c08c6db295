// Sweeps through the public entry, against vectorbt in the same run where there is one, a plain loop always, and the same loops in C.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY_MS, MINUTE_MS } from '../../src/domain/time.ts';
import { ALL_IN, type SweepAccount, type SweepBars } from '../../src/lab/sweep/account.ts';
import type { SweepRow } from '../../src/lab/sweep/column-pool.ts';
import { sharedNumbers, Sweeper, type SweepRequest } from '../../src/lab/sweep/sweeper.ts';
import type { SweepPath } from '../../src/lab/sweep/column-runner.ts';
import type { SweepPoint } from '../../src/lab/sweep/strategy.ts';
import type { Figure } from '../figure.ts';
import { median, medianOf, timed, type Timing } from '../measure.ts';
import { plainCross, plainRsiStop, type PlainFigures } from '../peers/plain-sweep.ts';
import type { Section } from '../section.ts';
import { Walk } from '../walk.ts';

const WARMUPS = 3;
const REPEATS = 7;
const PEER_REPEATS = 3;
const TOLERANCE = 1e-9;
const CHUNK_ROWS = 65_536;
const ACCOUNT: SweepAccount = { capital: 10_000, feeRate: 1e-4, slippageRatio: 5e-5, stopSlippageRatio: 0, fill: 'close', sizing: ALL_IN };
const PER_YEAR = (365 * DAY_MS) / MINUTE_MS;
const MOST_MEGABYTES = 500;

interface Subject {
  readonly name: string;
  readonly strategy: 'sma-cross' | 'rsi-stop';
  readonly bars: number;
  readonly points: readonly SweepPoint[];
  readonly levels: readonly { readonly path: SweepPath; readonly floor: number; readonly goal: number }[];
}

const CROSS_LEVELS: Subject['levels'] = [
  { path: 'general', floor: 12, goal: 30 },
  { path: 'fused', floor: 25, goal: 60 },
];

const MILLION: Subject = {
  name: 'crosses, 1,000,000 bars x 10',
  strategy: 'sma-cross',
  bars: 1_000_000,
  points: Array.from({ length: 10 }, (_, index) => ({ fast: 5 + 5 * index, slow: 60 + 20 * index })),
  levels: CROSS_LEVELS,
};

const HUNDRED: Subject = {
  name: 'crosses, 100,000 bars x 100',
  strategy: 'sma-cross',
  bars: 100_000,
  points: Array.from({ length: 100 }, (_, index) => ({
    fast: 5 + 2 * Math.floor(index / 5),
    slow: 50 + 25 * (index % 5) + 5 * Math.floor(index / 20),
  })),
  levels: CROSS_LEVELS,
};

const STOPS: Subject = {
  name: 'RSI with stops, 100,000 bars x 100',
  strategy: 'rsi-stop',
  bars: 100_000,
  points: Array.from({ length: 100 }, (_, index) => ({
    window: 8 + 2 * Math.floor(index / 10),
    entryBelow: 20 + 5 * (index % 5),
    exitAbove: 70,
    stop: [0.005, 0.01, 0.02, 0.03, 0.05][Math.floor(index / 2) % 5] ?? NaN,
    trailing: index % 2 === 0,
  })),
  levels: [
    { path: 'general', floor: 8, goal: 20 },
    { path: 'fused', floor: 8, goal: 20 },
  ],
};

export const sweep: Section = {
  name: 'sweep',
  title: 'Parameter sweeps on one thread; CPU time of the peer over ours',
  rows: [
    { name: 'million', measure: () => measure(MILLION) },
    { name: 'hundred', measure: () => measure(HUNDRED) },
    { name: 'stops', measure: () => measure(STOPS) },
    { name: 'limit', measure: measureLimit },
    { name: 'threads', measure: measureThreads },
    { name: 'memory', measure: measureMemory },
  ],
};

/** In shared memory, made chunk by chunk: what is measured has one copy. A cross needs the closes only, as it does for the peer. */
function barsOf({ bars, strategy }: Pick<Subject, 'bars' | 'strategy'>): SweepBars {
  const close = sharedNumbers(bars);
  const isClose = strategy === 'sma-cross';
  const [open, high, low] = [0, 1, 2].map(() => (isClose ? close : sharedNumbers(bars)));
  if (open === undefined || high === undefined || low === undefined) throw new Error('broken invariant: three of three');
  const walk = new Walk(7);
  for (let row = 0; row < bars; row += CHUNK_ROWS) {
    const chunk = walk.next(Math.min(CHUNK_ROWS, bars - row));
    open.set(chunk.open, row);
    high.set(chunk.high, row);
    low.set(chunk.low, row);
    close.set(chunk.close, row);
  }
  return { open, high, low, close };
}

interface Measured {
  readonly timing: Timing;
  /** Of the repeat that was disturbed least. */
  readonly leastWallMs: number;
  readonly rows: readonly SweepRow[];
}

async function repeated(sweeper: Sweeper, request: SweepRequest): Promise<Measured> {
  const timings: Timing[] = [];
  let rows: readonly SweepRow[] = [];
  for (let repeat = -WARMUPS; repeat < REPEATS; repeat++) {
    const ran = await timed(() => sweeper.run(request));
    rows = ran.result;
    if (repeat >= 0) timings.push(ran.timing);
  }
  return { timing: medianOf(timings), leastWallMs: Math.min(...timings.map(({ wallMs }) => wallMs)), rows };
}

async function onThreads<T>(workers: number, work: (sweeper: Sweeper) => Promise<T>): Promise<T> {
  const sweeper = new Sweeper(workers);
  try {
    return await work(sweeper);
  } finally {
    await sweeper.close();
  }
}

async function measure(subject: Subject): Promise<readonly Figure[]> {
  const { name, strategy, points, levels } = subject;
  const bars = barsOf(subject);
  const request = { bars, timeframeMs: MINUTE_MS, strategy, points, account: ACCOUNT };
  const measured: Measured[] = [];
  await onThreads(1, async (sweeper) => {
    for (const { path } of levels) measured.push(await repeated(sweeper, { ...request, path }));
  });
  // Before anything else has been done in this process.
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const plains: Timing[] = [];
  let plainRows: readonly PlainFigures[] = [];
  for (let repeat = 0; repeat < PEER_REPEATS; repeat++) {
    const ran = await timed(() => points.map((point) => plainFigures(strategy, bars, point)));
    plains.push(ran.timing);
    plainRows = ran.result;
  }
  const plainMs = medianOf(plains).cpuMs;
  const peer = runPeer(subject, bars);
  const peerMs = peer === undefined ? undefined : median(peer.cpuMs);
  const figures = measured.map(({ timing: { cpuMs }, rows }, index): Figure => {
    const level = levels[index];
    const isEqual = areEqual(rows, plainRows) && (peer === undefined || areEqual(rows, peer.columns));
    const common = { better: 'more', timesPlain: cpuMs / plainMs, isEqual } as const;
    if (peerMs === undefined) {
      return {
        ...common,
        name: `${name}, ${level?.path}`,
        value: plainMs / cpuMs,
        unit: 'x plain loop',
        note: `${cpuMs.toFixed(0)} ms of CPU; no vectorbt`,
      };
    }
    return {
      ...common,
      name: `${name}, ${level?.path}`,
      value: peerMs / cpuMs,
      unit: 'x vectorbt',
      floor: level?.floor,
      goal: level?.goal,
      note: `and to vectorbt; ${cpuMs.toFixed(0)} ms of CPU against ${peerMs.toFixed(0)}`,
    };
  });
  const memory = { name: `${name}, memory`, better: 'more', note: `${(peakBytes / 1e6).toFixed(0)} MB` } as const;
  if (peer === undefined) return [...figures, { ...memory, value: peakBytes / 1e6, unit: 'MB', better: 'less', note: 'no vectorbt' }];
  const note = `${memory.note} at most, against ${(peer.peakBytes / 1e6).toFixed(0)}`;
  return [...figures, { ...memory, value: peer.peakBytes / peakBytes, unit: 'x less than vectorbt', floor: 10, goal: 30, note }];
}

function plainFigures(strategy: Subject['strategy'], bars: SweepBars, point: SweepPoint): PlainFigures {
  const account = { ...ACCOUNT, perYear: PER_YEAR };
  const number = (name: string): number => Number(point[name]);
  if (strategy === 'sma-cross') return plainCross(bars, number('fast'), number('slow'), account);
  const levels = { window: number('window'), entryBelow: number('entryBelow'), exitAbove: number('exitAbove'), stop: number('stop') };
  return plainRsiStop(bars, { ...levels, trailing: point['trailing'] === true }, account);
}

function areEqual(rows: readonly SweepRow[], others: readonly PlainFigures[]): boolean {
  return (
    rows.length === others.length &&
    rows.every(({ metrics }, column) => {
      const other = others[column];
      if (metrics === undefined || other === undefined || metrics.orders !== other.orders) return false;
      const isNear = (found: number, expected: number): boolean =>
        Math.abs(found - expected) <= TOLERANCE * Math.max(Math.abs(expected), 1e-3);
      return (
        isNear(metrics.totalReturn, other.totalReturn) &&
        isNear(metrics.sharpe ?? NaN, other.sharpe) &&
        isNear(metrics.maxDrawdown, other.maxDrawdown)
      );
    })
  );
}

interface PeerAnswer {
  readonly cpuMs: readonly number[];
  readonly peakBytes: number;
  readonly columns: readonly PlainFigures[];
}

/** Undefined where no Python has vectorbt: bench/peers/README.md says how to get it. */
function runPeer({ strategy, points }: Subject, bars: SweepBars): PeerAnswer | undefined {
  const python = process.env['BALLAST_PEER_PYTHON'] ?? 'python3';
  if (spawnSync(python, ['-c', 'import vectorbt'], { stdio: 'ignore' }).status !== 0) return undefined;
  return inFolder((folder) => {
    for (const name of ['open', 'high', 'low', 'close'] as const) writeColumn(folder, `${name}.f64`, bars[name]);
    const { capital, feeRate, slippageRatio } = ACCOUNT;
    const job = { strategy, points, bars: bars.close.length, capital, feeRate, slippageRatio, repeats: PEER_REPEATS };
    writeFileSync(join(folder, 'job.json'), JSON.stringify(job));
    const ran = spawnSync(python, [join(import.meta.dirname, '../peers/vectorbt-sweep.py'), folder], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    if (ran.status !== 0) throw new Error(`vectorbt ended with ${ran.status}: ${ran.stderr}`);
    return JSON.parse(ran.stdout) as PeerAnswer;
  });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-peer-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeColumn(folder: string, name: string, column: Float64Array | Int32Array): void {
  writeFileSync(join(folder, name), new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
}

/** The same loops in C, indicators included. */
async function measureLimit(): Promise<readonly Figure[]> {
  const compiler = ['cc', 'gcc'].find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0);
  if (compiler === undefined) return [];
  const figures: Figure[] = [];
  for (const subject of [MILLION, HUNDRED]) {
    const bars = barsOf(subject);
    const request = { bars, timeframeMs: MINUTE_MS, strategy: subject.strategy, points: subject.points, account: ACCOUNT };
    const limits = inFolder((folder) => {
      writeColumn(folder, 'close.f64', bars.close);
      writeColumn(folder, 'pairs.i32', Int32Array.from(subject.points.flatMap((point) => [Number(point['fast']), Number(point['slow'])])));
      const program = join(folder, 'limit');
      const built = spawnSync(compiler, ['-O3', '-march=native', '-o', program, join(import.meta.dirname, '../limit.c'), '-lm'], {
        encoding: 'utf8',
      });
      if (built.status !== 0) throw new Error(`${compiler} ended with ${built.status}: ${built.stderr}`);
      const ran = spawnSync(program, [folder, String(REPEATS)], { encoding: 'utf8' });
      if (ran.status !== 0) throw new Error(`limit ended with ${ran.status}: ${ran.stderr}`);
      return ran.stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
    });
    for (const [path, ms, orders, returns] of limits) {
      if (path !== 'general' && path !== 'fused') throw new Error(`broken invariant: limit has no path ${path}`);
      const { timing, rows } = await onThreads(1, (sweeper) => repeated(sweeper, { ...request, path }));
      const sum = (figure: 'orders' | 'totalReturn'): number => rows.reduce((total, row) => total + (row.metrics?.[figure] ?? NaN), 0);
      const isEqual =
        sum('orders') === Number(orders) && Math.abs(sum('totalReturn') - Number(returns)) <= TOLERANCE * Math.abs(Number(returns));
      const note = `${isEqual ? 'equal' : 'NOT equal'} to it; ${timing.cpuMs.toFixed(0)} ms of CPU against ${Number(ms).toFixed(0)}`;
      figures.push({
        name: `${subject.name}, ${path}`,
        value: timing.cpuMs / Number(ms),
        unit: 'x C',
        better: 'less',
        floor: 4,
        goal: 2,
        note,
      });
      if (!isEqual)
        throw new Error(
          `${subject.name}, ${path}: C has ${orders} fills and ${returns}, we have ${sum('orders')} and ${sum('totalReturn')}`,
        );
    }
  }
  return figures;
}

/** Wall time, so an idle machine is what it needs. */
async function measureThreads(): Promise<readonly Figure[]> {
  const points: SweepPoint[] = [];
  for (let fast = 5; fast < 25; fast++) for (let slow = 50; slow < 250; slow += 10) points.push({ fast, slow });
  const bars = barsOf(HUNDRED);
  const request: SweepRequest = { bars, timeframeMs: MINUTE_MS, strategy: 'sma-cross', points, account: ACCOUNT, path: 'general' };
  const one = await onThreads(1, (sweeper) => repeated(sweeper, request));
  const two = await onThreads(2, (sweeper) => repeated(sweeper, request));
  const isEqual = JSON.stringify(one.rows) === JSON.stringify(two.rows);
  if (!isEqual) throw new Error('two threads have other rows than one');
  return [
    {
      name: `two threads, 100,000 bars x ${points.length}, general`,
      value: one.leastWallMs / two.leastWallMs,
      unit: 'x one, wall',
      better: 'more',
      floor: 1.5,
      goal: 1.8,
      note: `the best of ${REPEATS}: ${one.leastWallMs.toFixed(0)} ms against ${two.leastWallMs.toFixed(0)}; the same rows, ${one.timing.cpuMs.toFixed(0)} and ${two.timing.cpuMs.toFixed(0)} ms of CPU`,
    },
  ];
}

async function measureMemory(): Promise<readonly Figure[]> {
  const points: SweepPoint[] = [];
  for (let fast = 2; fast < 102; fast++) for (let slow = 110; slow < 310; slow += 2) points.push({ fast, slow });
  const bars = barsOf(STOPS);
  const request: SweepRequest = { bars, timeframeMs: MINUTE_MS, strategy: 'sma-cross', points, account: ACCOUNT, path: 'general' };
  const figures: Figure[] = [];
  await onThreads(2, async (sweeper) => {
    for (const columns of [1_000, 10_000]) {
      const { timing } = await timed(() => sweeper.run({ ...request, points: points.slice(0, columns) }));
      const isLast = columns === points.length;
      figures.push({
        name: `100,000 bars x ${columns.toLocaleString('en')}, general, two threads`,
        value: process.resourceUsage().maxRSS / 1e3,
        unit: 'MB at most',
        better: 'less',
        ...(isLast ? { floor: MOST_MEGABYTES } : {}),
        note: `${timing.cpuMs.toFixed(0)} ms of CPU`,
      });
    }
  });
  return figures;
}
