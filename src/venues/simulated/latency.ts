// How long an order is on its way, and how long the answer.
import type { TimeMs } from '../../domain/time.ts';
import { portableLog, Random } from '../../quant/random.ts';

export interface LatencyRules {
  /** Mean of what is added to the constant latency, exponentially distributed and drawn from `latencySeed`; 0 for none. */
  readonly latencyJitterMs: number;
  readonly latencySeed: number;
  /** Latencies that were measured, used in their order and again from the first; in place of the constant where there are any. */
  readonly recordedLatenciesMs: readonly TimeMs[];
}

/** The same of what the venue says: none unless it is asked for. */
export interface ResponseRules {
  /** From what happened at the venue until we hear of it; 0 is at once. */
  readonly responseLatencyMs: TimeMs;
  /** Mean of what is added to it, exponentially distributed and drawn from `latencySeed`; 0 for none. */
  readonly responseJitterMs: number;
  /** Measured, used in their order and again from the first; in place of the constant where there are any. */
  readonly recordedResponsesMs: readonly TimeMs[];
}

/** @returns what the answer of this number (from 0) takes, in whole milliseconds; undefined where every answer is heard at once */
export function responseFrom(rules: ResponseRules & Pick<LatencyRules, 'latencySeed'>): ((answer: number) => TimeMs) | undefined {
  const { responseLatencyMs, responseJitterMs, recordedResponsesMs, latencySeed } = rules;
  if (responseLatencyMs === 0 && responseJitterMs === 0 && recordedResponsesMs.length === 0) return undefined;
  return delayed(recordedResponsesMs, responseLatencyMs, responseJitterMs, new Random(latencySeed).fork('response'));
}

/** @returns the latency of the message of this number (from 0), at least 1: nothing arrives at the moment it is sent */
export function latencyFrom(rules: LatencyRules, constantMs: TimeMs): (message: number) => TimeMs {
  const { latencyJitterMs, latencySeed, recordedLatenciesMs } = rules;
  const recordedMs = recordedLatenciesMs.map((latencyMs) => Math.max(1, latencyMs));
  return delayed(recordedMs, Math.max(1, constantMs), latencyJitterMs, new Random(latencySeed).fork('latency'));
}

function delayed(recordedMs: readonly TimeMs[], constantMs: TimeMs, jitterMs: number, random: Random): (message: number) => TimeMs {
  const isRecorded = recordedMs.length > 0;
  const base = (message: number): TimeMs => (isRecorded ? (recordedMs[message % recordedMs.length] ?? constantMs) : constantMs);
  if (jitterMs === 0) return base;
  return (message) => {
    // By the message's number, so that nothing but the count is state.
    random.seek(message);
    return base(message) + Math.round(-jitterMs * portableLog(random.openUniform()));
  };
}
