// A part of the soak's cases, on a thread of its own.
import { parentPort, workerData } from 'node:worker_threads';
import { runSimulations, type SimulationResult } from '../../src/app/simulation/run-simulations.ts';

export interface Part {
  readonly firstSeed: number;
  readonly lastSeed: number;
  /** Of all threads together: a bin a microsecond, the last one for all that took longer. */
  readonly latencies: Int32Array;
}

export type Told = { readonly wrong: readonly string[] } | { readonly ended: Pick<SimulationResult, 'cases' | 'counts'> };

const { firstSeed, lastSeed, latencies } = workerData as Part;
const tell = (told: Told): void => parentPort?.postMessage(told);
const { cases, counts } = await runSimulations({
  firstSeed,
  lastSeed,
  onLatency: (ms) => void Atomics.add(latencies, Math.min(latencies.length - 1, Math.floor(ms * 1_000)), 1),
  onCase: ({ seed, breaks }) => tell({ wrong: breaks.map(({ invariant, words }) => `seed ${seed}, ${invariant}: ${words}`) }),
});
tell({ ended: { cases, counts } });
