// Simulated cases without an end in sight: what breaks, how fast it goes, whether memory grows, and how long a command takes to leave.
// `npm run soak -- --seeds 100000 --seed 1`, on as many threads as the machine has.
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Part, Told } from './seeds-worker.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
const [cases, firstSeed] = [Number(values.seeds), Number(values.seed)];
const threads = Math.min(cases, availableParallelism());

/** Of resident memory, in cases. */
const EVERY = Math.max(1, Math.floor(cases / 500));
/** Until then the heap finds its size. */
const WARM_RATIO = 0.2;
const SAYS_EVERY = Math.max(1, Math.floor(cases / 20));
/** A microsecond each. */
const LATENCY_BINS = 100_000;

const memory: { readonly cases: number; readonly bytes: number }[] = [];
const latencies = new Int32Array(new SharedArrayBuffer(LATENCY_BINS * 4));
const counts = { events: 0, requests: 0, frames: 0, faults: 0, deaths: 0, orders: 0, fills: 0 };
let [done, broken] = [0, 0];

function latencyAt(ratio: number): number {
  const commands = latencies.reduce((sum, each) => sum + each, 0);
  let seen = 0;
  for (let bin = 0; bin < LATENCY_BINS; bin++) {
    seen += latencies[bin] ?? 0;
    if (seen >= ratio * commands) return (bin + 1) / 1_000;
  }
  return Infinity;
}

/** Bytes a case, by least squares. */
function slope(points: readonly { readonly cases: number; readonly bytes: number }[]): number {
  const mean = (of: (point: (typeof points)[number]) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [meanCases, meanBytes] = [mean((point) => point.cases), mean(({ bytes }) => bytes)];
  let [up, across] = [0, 0];
  for (const point of points) {
    up += (point.cases - meanCases) * (point.bytes - meanBytes);
    across += (point.cases - meanCases) ** 2;
  }
  return up / across;
}

function hear(told: Told): void {
  if ('ended' in told) {
    for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += told.ended.counts[name];
    return;
  }
  done++;
  if (told.wrong.length > 0) broken++;
  for (const words of told.wrong) console.log(`WRONG ${words}`);
  if (done % EVERY === 0) memory.push({ cases: done, bytes: process.memoryUsage().rss });
  if (done % SAYS_EVERY === 0) console.log(`${done} cases, ${((memory.at(-1)?.bytes ?? 0) / 2 ** 20).toFixed(0)} MiB`);
}

/** Resolves once all of its cases have been gone through. */
function goThrough(part: Part): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('seeds-worker.ts', import.meta.url), { workerData: part });
    worker.on('message', hear);
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}

const startedAt = performance.now();
const boundary = (thread: number): number => firstSeed + Math.floor((cases * thread) / threads);
await Promise.all(
  Array.from({ length: threads }, (_, thread) => goThrough({ firstSeed: boundary(thread), lastSeed: boundary(thread + 1) - 1, latencies })),
);
const wallMs = performance.now() - startedAt;
const { events, faults, deaths, orders, fills } = counts;
const growth = slope(memory.slice(Math.floor(memory.length * WARM_RATIO)));
console.log(
  `soak: ${done} cases on ${threads} threads, ${broken} with a broken invariant; ${faults} faults, ${deaths} deaths, ${orders} orders, ${fills} fills; ` +
    `${(wallMs / done).toFixed(1)} ms a case, ${Math.round((1_000 * events) / wallMs)} events/s; ` +
    `memory ${((memory.at(-1)?.bytes ?? 0) / 2 ** 20).toFixed(0)} MiB, slope ${(growth / 1_024).toFixed(3)} KiB a case; ` +
    `event to command p50 ${latencyAt(0.5).toFixed(3)} ms, p99 ${latencyAt(0.99).toFixed(3)} ms`,
);
process.exitCode = broken === 0 && done === cases ? 0 : 1;
