// Many cases, one after the other: what broke, and how fast it went.
import { simulate, simulationFolder, type CaseCounts, type CaseOutcome, type Step } from './simulate.ts';
import type { StepKind } from './network.ts';

export interface SimulationRequest {
  readonly firstSeed: number;
  readonly lastSeed: number;
  /** Told of every step of these kinds. */
  readonly onStep?: (step: Step) => void;
  readonly steps?: readonly StepKind[];
  readonly onCase?: (outcome: CaseOutcome, done: number) => void;
  /** Milliseconds of the wall from an event in the loop's hand to a command that leaves because of it. */
  readonly onLatency?: (ms: number) => void;
  readonly signal?: AbortSignal;
}

export interface SimulationResult {
  /** Cases that came to their end. */
  readonly cases: number;
  /** Of them, those in which something broke. */
  readonly broken: readonly CaseOutcome[];
  /** Sums over all cases. */
  readonly counts: CaseCounts;
  readonly wallMs: number;
}

export async function runSimulations(request: SimulationRequest): Promise<SimulationResult> {
  const { firstSeed, lastSeed, onStep, steps, onCase, onLatency, signal } = request;
  const startedAt = performance.now();
  const broken: CaseOutcome[] = [];
  const counts = { events: 0, requests: 0, frames: 0, faults: 0, deaths: 0, orders: 0, fills: 0 };
  let cases = 0;
  for (let seed = firstSeed; seed <= lastSeed && signal?.aborted !== true; seed++) {
    const outcome = await simulate(seed, {
      folder: simulationFolder(),
      ...(onStep !== undefined && { onStep }),
      ...(steps !== undefined && { steps }),
      ...(onLatency !== undefined && { onLatency }),
    });
    cases++;
    if (outcome.breaks.length > 0) broken.push(outcome);
    for (const name of Object.keys(counts) as (keyof CaseCounts)[]) counts[name] += outcome.counts[name];
    onCase?.(outcome, cases);
  }
  return { cases, broken, counts, wallMs: performance.now() - startedAt };
}
