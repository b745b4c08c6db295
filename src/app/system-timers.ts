// Waiting in wall time, by the monotonic clock: a step of the wall clock must not shorten a pause that a venue asked for.
import { setTimeout } from 'node:timers/promises';
import type { Timers } from '../domain/ports.ts';

export const systemTimers: Timers = {
  now: () => performance.now(),
  sleep: (ms, signal) => setTimeout(ms, undefined, signal === undefined ? {} : { signal }),
};
