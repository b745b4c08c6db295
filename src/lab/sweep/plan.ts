// In what order a sweep does its work: each distinct indicator once, columns behind the indicators they need, and never more indicators in
// memory than there is room for.

/** Tasks in the order in which workers take them. Their number is the length of `needs`. */
export interface SweepPlan {
  /** Buffers that indicators take turns in. */
  readonly slots: number;
  /** Three numbers a task: the point, then the place of the indicator among the point's and its slot; a column has -1 and 0 there. */
  readonly tasks: Int32Array;
  /** Of each task: how many tasks must have finished before it begins, which are the first ones. */
  readonly needs: Int32Array;
  /** Slots of the indicators of each point, `width` numbers a point, -1 where it has fewer. */
  readonly slotsOf: Int32Array;
  readonly width: number;
}

export const NUMBERS_A_TASK = 3;
export const IS_COLUMN = -1;

/**
 * @param points for each point that is to be run its indicators' keys, undefined for one that is not
 * @param room buffers that there is memory for; a point that needs more gets them
 * @param waveColumns points whose indicators are computed together before the first of them is run
 *
 * A buffer is given on once its indicator is needed no more. Where room is short, the indicator goes whose next use is the furthest away, and
 * is computed again: the only case in which one is computed twice (Belady 1966).
 */
export function planSweep(points: readonly (readonly string[] | undefined)[], room: number, waveColumns: number): SweepPlan {
  const width = Math.max(0, ...points.map((keys) => keys?.length ?? 0));
  const slotsOf = shared(points.length * width).fill(-1);
  const uses = usesOf(points);
  const resident = new Map<string, number>();
  const free: number[] = [];
  const tasks: number[] = [];
  const needs: number[] = [];
  let slots = 0;
  let wave: number[] = [];
  let computations: number[] = [];
  let pinned = new Set<string>();

  const nextUse = (key: string, after: number): number => {
    const all = uses.get(key) ?? [];
    // Uses come in the order of points, so those that have passed are dropped for good.
    while ((all[0] ?? Infinity) < after) all.shift();
    return all[0] ?? Infinity;
  };
  const endWave = (): void => {
    const before = needs.length;
    for (let place = 0; place < computations.length; place += NUMBERS_A_TASK) needs.push(before);
    tasks.push(...computations);
    const after = needs.length;
    for (const point of wave) {
      tasks.push(point, IS_COLUMN, 0);
      needs.push(after);
    }
    wave = [];
    computations = [];
    pinned = new Set();
  };
  const evict = (point: number): boolean => {
    let furthest: string | undefined;
    for (const key of resident.keys()) {
      if (pinned.has(key)) continue;
      if (furthest === undefined || nextUse(key, point) > nextUse(furthest, point)) furthest = key;
    }
    if (furthest === undefined) return false;
    free.push(resident.get(furthest) ?? -1);
    resident.delete(furthest);
    return true;
  };

  for (const [point, keys] of points.entries()) {
    if (keys === undefined) continue;
    const missing = new Set(keys.filter((key) => !resident.has(key)));
    if (wave.length >= waveColumns) endWave();
    if (wave.length === 0) {
      for (const [key, slot] of resident) {
        if (nextUse(key, point) !== Infinity) continue;
        free.push(slot);
        resident.delete(key);
      }
    }
    const lacking = (): number => missing.size - free.length - Math.max(0, room - slots);
    for (const key of keys) pinned.add(key);
    while (lacking() > 0 && evict(point));
    if (lacking() > 0 && wave.length > 0) {
      endWave();
      for (const key of keys) pinned.add(key);
      while (lacking() > 0 && evict(point));
    }
    for (const [place, key] of keys.entries()) {
      let slot = resident.get(key);
      if (slot === undefined) {
        slot = free.pop() ?? slots++;
        resident.set(key, slot);
        computations.push(point, place, slot);
      }
      slotsOf[point * width + place] = slot;
    }
    wave.push(point);
  }
  endWave();
  return { slots, tasks: shared(tasks.length, tasks), needs: shared(needs.length, needs), slotsOf, width };
}

function usesOf(points: readonly (readonly string[] | undefined)[]): Map<string, number[]> {
  const uses = new Map<string, number[]>();
  for (const [point, keys] of points.entries()) {
    for (const key of keys ?? []) {
      const all = uses.get(key);
      if (all === undefined) uses.set(key, [point]);
      else all.push(point);
    }
  }
  return uses;
}

function shared(length: number, values: readonly number[] = []): Int32Array<SharedArrayBuffer> {
  const column = new Int32Array(new SharedArrayBuffer(length * Int32Array.BYTES_PER_ELEMENT));
  column.set(values);
  return column;
}
