// Clocks and medians. Wall time is what a user waits; CPU time is what is left of it when others use the machine, too.

export interface Timing {
  readonly wallMs: number;
  /** Of all threads of this process: compilation and garbage collection run beside the work. */
  readonly cpuMs: number;
}

/** What the work would have taken alone: wall time on an idle machine, the CPU time that it got on a busy one. */
export function ownMs({ wallMs, cpuMs }: Timing): number {
  return Math.min(wallMs, cpuMs);
}

export async function timed<T>(work: () => T | Promise<T>): Promise<{ readonly timing: Timing; readonly result: T }> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  const result = await work();
  const wallMs = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { timing: { wallMs, cpuMs: (user + system) / 1000 }, result };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

export function medianOf(timings: readonly Timing[]): Timing {
  return { wallMs: median(timings.map(({ wallMs }) => wallMs)), cpuMs: median(timings.map(({ cpuMs }) => cpuMs)) };
}
