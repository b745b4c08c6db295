// What a search may try: one dimension for each parameter, seen as the interval [0, 1).
import { BallastError } from '../../domain/errors.ts';
import { axesOf, type Axis } from './grid.ts';
import type { SweepPoint } from './strategy.ts';

/** The part of a JSON schema that says what a parameter may be: `z.toJSONSchema` gives it. */
export interface ParameterField {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  /** By `meta({ search: [from, to] })`: what is worth trying, where what is allowed is far wider. */
  readonly search?: unknown;
}

export interface Dimension {
  readonly name: string;
  /** Distinct values; Infinity for real numbers. */
  readonly size: number;
  /** Whether neighbours in [0, 1) are alike: numbers are, words and booleans are not. */
  readonly isOrdered: boolean;
  /** @param place in [0, 1) */
  at(place: number): number | boolean | string;
}

export interface SweepSpace {
  readonly dimensions: readonly Dimension[];
  /** How many combinations; Infinity where a parameter is a real number. */
  readonly size: number;
}

/** From this ratio of its ends on, a range of numbers above 0 is searched by its logarithm: windows of 5 and 10 differ as 500 and 1,000 do. */
const LOGARITHMIC_RATIO = 100;
/** Of real numbers: more digits than any strategy can tell apart would only make parameters unreadable. */
const DIGITS = 6;

/**
 * The ranges in words where there are some, and nothing else is searched; otherwise all that the schema bounds on both sides. A range with a
 * step has its values alone, one without has every whole number, or every number where the parameter need not be whole.
 * @throws BallastError GRID_INVALID, SPACE_EMPTY
 */
export function spaceOf(fields: Readonly<Record<string, ParameterField>>, ranges: string | undefined, place: string): SweepSpace {
  const dimensions = ranges === undefined ? boundedFields(fields) : axesOf(ranges, place).map((axis) => ofAxis(axis, fields[axis.name]));
  if (dimensions.length === 0) {
    throw new BallastError({
      code: 'SPACE_EMPTY',
      place,
      found: 'no parameter with both a minimum and a maximum',
      expected: 'something to search',
      remedy: 'name ranges, such as --grid fast=5..50,slow=20..200',
      exitCode: 2,
    });
  }
  return { dimensions, size: dimensions.reduce((product, { size }) => product * size, 1) };
}

/** @param places one in [0, 1) for each dimension */
export function pointAt({ dimensions }: SweepSpace, places: Float64Array): SweepPoint {
  return Object.fromEntries(dimensions.map((dimension, index) => [dimension.name, dimension.at(places[index] ?? NaN)]));
}

function boundedFields(fields: Readonly<Record<string, ParameterField>>): Dimension[] {
  return Object.entries(fields).flatMap(([name, field]): Dimension[] => {
    if (field.enum !== undefined) return [ofValues(name, field.enum.filter(isValue))];
    if (field.type === 'boolean') return [ofValues(name, [false, true])];
    if (field.type !== 'integer' && field.type !== 'number') return [];
    const [least, most] = boundsOf(field);
    if (!Number.isSafeInteger(Math.floor(least)) || !Number.isSafeInteger(Math.ceil(most)) || !(least < most)) return [];
    // Of what zod calls whole the ends are those of exact doubles: no bounds that anybody meant.
    if (most >= Number.MAX_SAFE_INTEGER || least <= Number.MIN_SAFE_INTEGER) return [];
    return [field.type === 'integer' ? ofWholes(name, Math.ceil(least), Math.floor(most)) : ofReals(name, least, most)];
  });
}

function isValue(value: unknown): value is number | boolean | string {
  return ['number', 'boolean', 'string'].includes(typeof value);
}

function boundsOf({ search, minimum, maximum, exclusiveMinimum, exclusiveMaximum }: ParameterField): [least: number, most: number] {
  if (Array.isArray(search) && search.length === 2 && search.every((end) => typeof end === 'number'))
    return [Number(search[0]), Number(search[1])];
  return [Math.max(minimum ?? -Infinity, exclusiveMinimum ?? -Infinity), Math.min(maximum ?? Infinity, exclusiveMaximum ?? Infinity)];
}

function ofAxis(axis: Axis, field: ParameterField | undefined): Dimension {
  const { name, range } = axis;
  if (range === undefined || range.step !== undefined) return ofValues(name, axis.values());
  if (range.from === range.to) return ofValues(name, [range.from]);
  const isWhole = field?.type === 'integer' || field?.type === undefined;
  return isWhole ? ofWholes(name, Math.ceil(range.from), Math.floor(range.to)) : ofReals(name, range.from, range.to);
}

function ofValues(name: string, values: readonly (number | boolean | string)[]): Dimension {
  const isOrdered = values.every((value) => typeof value === 'number');
  const listed = isOrdered ? values.toSorted((one, other) => Number(one) - Number(other)) : values;
  return { name, size: listed.length, isOrdered, at: (place) => listed[cellOf(place, listed.length)] ?? '' };
}

function cellOf(place: number, size: number): number {
  return Math.min(size - 1, Math.max(0, Math.floor(place * size)));
}

function isLogarithmic(least: number, most: number): boolean {
  return least > 0 && most / least >= LOGARITHMIC_RATIO;
}

function ofWholes(name: string, least: number, most: number): Dimension {
  const size = most - least + 1;
  const at = isLogarithmic(least, most)
    ? (place: number): number => Math.min(most, Math.floor(least * ((most + 1) / least) ** place))
    : (place: number): number => least + cellOf(place, size);
  return { name, size, isOrdered: true, at };
}

function ofReals(name: string, least: number, most: number): Dimension {
  const at = isLogarithmic(least, most)
    ? (place: number): number => least * (most / least) ** place
    : (place: number): number => least + place * (most - least);
  const rounded = (place: number): number => Math.min(most, Math.max(least, Number(at(place).toPrecision(DIGITS))));
  return { name, size: Infinity, isOrdered: true, at: rounded };
}
