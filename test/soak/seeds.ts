// Simulated cases without an end in sight: what breaks, how fast it goes, whether memory grows, and how long a command takes to leave.
// `npm run soak -- --seeds 100000 --seed 1`
import { parseArgs } from 'node:util';
import { runSimulations } from '../../src/app/simulation/run-simulations.ts';

const { values } = parseArgs({ options: { seeds: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
const [cases, firstSeed] = [Number(values.seeds), Number(values.seed)];

/** Of resident memory, in cases. */
const EVERY = Math.max(1, Math.floor(cases / 500));
/** Until then the heap finds its size. */
const WARM_RATIO = 0.2;
const SAYS_EVERY = Math.max(1, Math.floor(cases / 20));
const LATENCY_BINS = 100_000;
const BIN_MS = 0.001;

const memory: { readonly cases: number; readonly bytes: number }[] = [];
/** Counted, not kept: a histogram of microseconds. */
const latencies = new Float64Array(LATENCY_BINS);
let commands = 0;

function latencyAt(ratio: number): number {
  let seen = 0;
  for (let bin = 0; bin < LATENCY_BINS; bin++) {
    seen += latencies[bin] ?? 0;
    if (seen >= ratio * commands) return (bin + 1) * BIN_MS;
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

const { broken, counts, wallMs } = await runSimulations({
  firstSeed,
  lastSeed: firstSeed + cases - 1,
  onLatency: (ms) => {
    commands++;
    const bin = Math.min(LATENCY_BINS - 1, Math.floor(ms / BIN_MS));
    latencies[bin] = (latencies[bin] ?? 0) + 1;
  },
  onCase: ({ seed, breaks }, done) => {
    for (const { invariant, words } of breaks) console.log(`WRONG seed ${seed}, ${invariant}: ${words}`);
    if (done % EVERY === 0) memory.push({ cases: done, bytes: process.memoryUsage().rss });
    if (done % SAYS_EVERY === 0) console.log(`${done} cases, ${((memory.at(-1)?.bytes ?? 0) / 2 ** 20).toFixed(0)} MiB`);
  },
});
const { events, faults, deaths, orders, fills } = counts;
const growth = slope(memory.slice(Math.floor(memory.length * WARM_RATIO)));
console.log(
  `soak: ${cases} cases, ${broken.length} with a broken invariant; ${faults} faults, ${deaths} deaths, ${orders} orders, ${fills} fills; ` +
    `${(wallMs / cases).toFixed(1)} ms a case, ${Math.round((1_000 * events) / wallMs)} events/s; ` +
    `memory ${((memory.at(-1)?.bytes ?? 0) / 2 ** 20).toFixed(0)} MiB, slope ${(growth / 1_024).toFixed(3)} KiB a case; ` +
    `event to command p50 ${latencyAt(0.5).toFixed(3)} ms, p99 ${latencyAt(0.99).toFixed(3)} ms`,
);
process.exitCode = broken.length === 0 ? 0 : 1;
