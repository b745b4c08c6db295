// Spans of time as sorted lists without overlaps: what is wanted, what is there, what is known to be nowhere.
import type { TimeMs } from '../../domain/time.ts';

/** From inclusive, to exclusive. */
export interface Span {
  readonly fromMs: TimeMs;
  readonly toMs: TimeMs;
}

/** Sorted, and joined where they touch or overlap. Empty ones go. */
export function joined(spans: readonly Span[]): Span[] {
  const result: { fromMs: TimeMs; toMs: TimeMs }[] = [];
  for (const { fromMs, toMs } of spans.toSorted((one, other) => one.fromMs - other.fromMs)) {
    const last = result.at(-1);
    if (fromMs >= toMs) continue;
    if (last === undefined || fromMs > last.toMs) result.push({ fromMs, toMs });
    else last.toMs = Math.max(last.toMs, toMs);
  }
  return result;
}

/** What of the spans is in none of the others. */
export function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  const taken = joined(others);
  return joined(spans).flatMap(({ fromMs, toMs }) => {
    const rest: Span[] = [];
    let next = fromMs;
    for (const other of taken) {
      if (other.toMs <= next || other.fromMs >= toMs) continue;
      if (other.fromMs > next) rest.push({ fromMs: next, toMs: other.fromMs });
      next = other.toMs;
    }
    return next < toMs ? [...rest, { fromMs: next, toMs }] : rest;
  });
}

/** The parts of at most `longestMs` that the spans are cut into, in order. */
export function cut(spans: readonly Span[], longestMs: TimeMs): Span[] {
  return spans.flatMap(({ fromMs, toMs }) =>
    Array.from({ length: Math.ceil((toMs - fromMs) / longestMs) }, (_, index) => ({
      fromMs: fromMs + index * longestMs,
      toMs: Math.min(toMs, fromMs + (index + 1) * longestMs),
    })),
  );
}

export function lengthMs(spans: readonly Span[]): TimeMs {
  return spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}
