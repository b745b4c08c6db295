// Two lists of orders, side by side: the same symbol, the same side, stops with stops, as near in time as can be.
import type { TimeMs } from '../../domain/time.ts';
import type { Execution } from './run-record.ts';

/** An order of one run and its counterpart in the other; undefined where there is none. */
export interface Pair {
  readonly a: Execution | undefined;
  readonly b: Execution | undefined;
}

/**
 * Orders of the same instant are one pair; of the others the nearest are, within the tolerance and without two pairs crossing in time.
 * @returns by time
 */
export function align(a: readonly Execution[], b: readonly Execution[], toleranceMs: TimeMs): readonly Pair[] {
  // Where two are equally near the list that goes first decides: which one that is must not depend on who asks.
  if (isAfter(a, b)) return align(b, a, toleranceMs).map((pair) => ({ a: pair.b, b: pair.a }));
  const others = groups(b);
  const pairs: Pair[] = [];
  for (const [key, list] of groups(a)) {
    pairs.push(...alignGroup(list, others.get(key) ?? [], toleranceMs));
    others.delete(key);
  }
  for (const list of others.values()) pairs.push(...list.map((each) => ({ a: undefined, b: each })));
  return pairs.toSorted((left, right) => timeOf(left) - timeOf(right));
}

/** By length, then by what distinguishes one order from another. */
function isAfter(a: readonly Execution[], b: readonly Execution[]): boolean {
  if (a.length !== b.length) return a.length > b.length;
  for (const [index, one] of a.entries()) {
    for (const field of ['at', 'sentAt', 'lastFillAt', 'quantity', 'filled', 'price', 'fee', 'reference'] as const) {
      const other = b[index]?.[field] ?? NaN;
      if (one[field] !== other && !(Number.isNaN(one[field]) && Number.isNaN(other))) return Number.isNaN(one[field]) || one[field] > other;
    }
  }
  return false;
}

export function timeOf({ a, b }: Pair): TimeMs {
  return Math.min(a?.at ?? Infinity, b?.at ?? Infinity);
}

function groups(executions: readonly Execution[]): Map<string, Execution[]> {
  return Map.groupBy(executions, ({ symbol, side, role }) => `${symbol} ${side} ${role === 'target' ? 'target' : 'stop'}`);
}

function alignGroup(a: readonly Execution[], b: readonly Execution[], toleranceMs: TimeMs): Pair[] {
  const partner = new Map<number, number>();
  let next = 0;
  // Those of one instant, in their order: the fixed points between which the others are.
  for (const [index, { at }] of a.entries()) {
    while (next < b.length && (b[next]?.at ?? 0) < at) next++;
    if (b[next]?.at === at) partner.set(index, next++);
  }
  const taken = new Set(partner.values());
  let lowest = 0;
  for (const [index, { at }] of a.entries()) {
    const known = partner.get(index);
    if (known !== undefined) {
      lowest = known + 1;
      continue;
    }
    let nearest: number | undefined;
    for (let other = lowest; other < b.length && !taken.has(other); other++) {
      const distance = Math.abs((b[other]?.at ?? NaN) - at);
      if (distance <= toleranceMs && distance < Math.abs((b[nearest ?? -1]?.at ?? Infinity) - at)) nearest = other;
    }
    const found = b[nearest ?? -1];
    if (nearest === undefined || found === undefined) continue;
    // The next one of this run that is free may be nearer still.
    let rival = index + 1;
    while (partner.has(rival)) rival++;
    if (Math.abs((a[rival]?.at ?? Infinity) - found.at) < Math.abs(at - found.at)) continue;
    partner.set(index, nearest);
    taken.add(nearest);
    lowest = nearest + 1;
  }
  return [
    ...a.map((each, index) => ({ a: each, b: b[partner.get(index) ?? -1] })),
    ...b.filter((_, index) => !taken.has(index)).map((each) => ({ a: undefined, b: each })),
  ];
}
