// How long an order is on its way.
import type { TimeMs } from '../../domain/time.ts';
import { portableLog, Random } from '../../quant/random.ts';

export interface LatencyRules {
  /** Mean of what is added to the constant latency, exponentially distributed and drawn from `latencySeed`; 0 for none. */
  readonly latencyJitterMs: number;
  readonly latencySeed: number;
  /** Latencies that were measured, used in their order and again from the first; in place of the constant where there are any. */
  readonly recordedLatenciesMs: readonly TimeMs[];
}

/** @returns the latency of the message of this number (from 0), at least 1: nothing arrives at the moment it is sent */
export function latencyFrom(rules: LatencyRules, constantMs: TimeMs): (message: number) => TimeMs {
  const { latencyJitterMs, latencySeed, recordedLatenciesMs } = rules;
  const recorded = recordedLatenciesMs.length > 0;
  const base = (message: number): TimeMs =>
    Math.max(1, recorded ? (recordedLatenciesMs[message % recordedLatenciesMs.length] ?? constantMs) : constantMs);
  if (latencyJitterMs === 0) return base;
  const random = new Random(latencySeed).fork('latency');
  return (message) => {
    // By the message's number, so that nothing but the count is state.
    random.seek(message);
    return base(message) + Math.round(-latencyJitterMs * portableLog(random.openUniform()));
  };
}
