// Which combinations of parameters a sweep tries: a grid in words, or a list.
import { BallastError } from '../../domain/errors.ts';
import { pointText, type SweepPoint } from './strategy.ts';

const MOST_POINTS = 1_000_000;
const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)`;
const RANGE = new RegExp(`^(${NUMBER})\\.\\.(${NUMBER})(?::(${NUMBER}))?$`);
const IS_NUMBER = new RegExp(`^${NUMBER}$`);
/** Steps of a tenth are tenths: what binary fractions add beyond this is not meant. */
const DIGITS = 12;

/**
 * Reads `fast=5..50:5,slow=20|50|100,trailing=true|false`: ranges with both ends, their step 1 unless said, or alternatives. The first
 * parameter changes slowest.
 * @throws BallastError GRID_INVALID
 */
export function parseGrid(text: string, place: string): SweepPoint[] {
  const axes = axesOf(text, place).map((axis) => ({ name: axis.name, values: axis.values() }));
  const count = axes.reduce((product, axis) => product * axis.values.length, 1);
  if (count > MOST_POINTS)
    throw invalid(place, `${count.toLocaleString('en')} combinations`, `at most ${MOST_POINTS.toLocaleString('en')}`);
  let points: SweepPoint[] = [{}];
  for (const { name, values } of axes) points = points.flatMap((point) => values.map((value) => ({ ...point, [name]: value })));
  return points;
}

/** What a grid says of one parameter. */
export interface Axis {
  readonly name: string;
  /** All of them, a step of 1 apart unless another was said. @throws BallastError GRID_INVALID */
  values(): readonly (number | boolean | string)[];
  /** Undefined for alternatives. */
  readonly range: { readonly from: number; readonly to: number; readonly step: number | undefined } | undefined;
}

/** The parts of a grid in words. @throws BallastError GRID_INVALID */
export function axesOf(text: string, place: string): Axis[] {
  const axes = text.split(',').map((part) => axisOf(part, place));
  const names = axes.map((axis) => axis.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(place, `${twice} twice`, 'each parameter once');
  return axes;
}

function axisOf(part: string, place: string): Axis {
  const [, name, given] = /^\s*([A-Za-z]\w*)\s*=\s*(\S+)\s*$/.exec(part) ?? [];
  if (name === undefined || given === undefined) throw invalid(place, JSON.stringify(part), 'name=from..to:step or name=value|value');
  const range = RANGE.exec(given);
  if (range !== null) {
    const [from, to, step] = [Number(range[1]), Number(range[2]), range[3] === undefined ? undefined : Number(range[3])];
    if (!((step ?? 1) > 0) || from > to) throw invalid(place, JSON.stringify(part), 'a beginning not after its end, and a step above 0');
    return { name, range: { from, to, step }, values: () => rangeOf(from, to, step ?? 1, part, place) };
  }
  const values = given.split('|').map((word) => {
    if (IS_NUMBER.test(word)) return Number(word);
    if (word === 'true' || word === 'false') return word === 'true';
    if (/^[A-Za-z][\w-]*$/.test(word)) return word;
    throw invalid(place, JSON.stringify(part), 'numbers, true, false or words between |');
  });
  if (new Set(values).size < values.length) throw invalid(place, JSON.stringify(part), 'each value once');
  return { name, range: undefined, values: () => values };
}

function rangeOf(from: number, to: number, step: number, part: string, place: string): number[] {
  // A last step that rounding leaves a hair short of the end is the end.
  const steps = Math.floor((to - from) / step + 1e-9);
  if (steps >= MOST_POINTS) throw invalid(place, JSON.stringify(part), `at most ${MOST_POINTS.toLocaleString('en')} values`);
  return Array.from({ length: steps + 1 }, (_, index) => Number((from + index * step).toPrecision(DIGITS)));
}

function invalid(place: string, found: string, expected: string): BallastError {
  return new BallastError({
    code: 'GRID_INVALID',
    place,
    found,
    expected,
    remedy: 'for example fast=5..50:5,slow=20..200:10',
    exitCode: 2,
  });
}

/** Reads a JSON array of parameter objects. @throws BallastError POINT_INVALID */
export function parsePoints(text: string, place: string): SweepPoint[] {
  let points: unknown;
  try {
    points = JSON.parse(text);
  } catch (cause) {
    throw pointsInvalid(place, cause instanceof Error ? cause.message : String(cause));
  }
  if (!Array.isArray(points) || points.length === 0) throw pointsInvalid(place, Array.isArray(points) ? 'an empty array' : 'no array');
  return points.map((point: unknown, index) => {
    if (isPoint(point)) return point;
    throw pointsInvalid(`${place}, element ${index}`, JSON.stringify(point).slice(0, 100));
  });
}

function isPoint(value: unknown): value is SweepPoint {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject && Object.values(value).every((each) => ['number', 'boolean', 'string'].includes(typeof each));
}

function pointsInvalid(place: string, found: string): BallastError {
  return new BallastError({
    code: 'POINT_INVALID',
    place,
    found,
    expected: 'a JSON array of objects with parameters, such as [{"fast": 5, "slow": 20}]',
    exitCode: 2,
  });
}

/** What a combination must be, and a rule between parameters in words. */
export interface Constraint {
  readonly constraint: string;
  /** @throws BallastError POINT_INVALID, PARAMETERS_INVALID where no combination of others would help */
  meets(point: SweepPoint): boolean;
}

export interface Selection {
  readonly points: readonly SweepPoint[];
  /** Combinations of a grid that break the strategy's constraint. */
  readonly leftOut: number;
}

/** What of a grid makes sense. @throws BallastError POINT_INVALID, GRID_INVALID when nothing does */
export function sensible(grid: readonly SweepPoint[], strategy: Constraint, place: string): Selection {
  const points = grid.filter((point) => strategy.meets(point));
  if (points.length > 0) return { points, leftOut: grid.length - points.length };
  throw invalid(place, `no combination with ${strategy.constraint}`, 'one at least');
}

/** Points that were named one by one must all make sense. @throws BallastError POINT_INVALID */
export function demandSensible(points: readonly SweepPoint[], strategy: Constraint, place: string): Selection {
  for (const point of points) {
    if (strategy.meets(point)) continue;
    throw new BallastError({ code: 'POINT_INVALID', place, found: pointText(point), expected: strategy.constraint, exitCode: 2 });
  }
  return { points, leftOut: 0 };
}
