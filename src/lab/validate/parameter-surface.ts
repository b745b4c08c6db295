// Whether good parameters stand on a plateau or on a peak: a peak that its own neighbours do not share is noise that was found.
import type { SweepPoint } from '../sweep/strategy.ts';

export interface SurfacePoint {
  readonly params: SweepPoint;
  /** Null where it cannot be said: too few returns, none that vary. */
  readonly value: number | null;
}

export interface ParameterAxis {
  readonly name: string;
  /** Numbers ascending, others in the order in which they were tried. */
  readonly values: readonly (number | boolean | string)[];
}

export interface SurfaceCell extends SurfacePoint {
  /** Of the points that differ in one parameter by one step of what was tried; null without any that has a value. */
  readonly neighbourMedian: number | null;
  readonly neighbours: number;
}

export interface ParameterSurface {
  /** Parameters of which more than one value was tried. */
  readonly axes: readonly ParameterAxis[];
  readonly cells: readonly SurfaceCell[];
  /** Share of all points with a value above 0. */
  readonly positiveShare: number;
  readonly median: number | null;
}

export function parameterSurface(points: readonly SurfacePoint[]): ParameterSurface {
  const axes = axesOf(points);
  const byPlace = new Map(points.map((point) => [placeOf(point.params, axes).join(), point]));
  const cells = points.map((point) => {
    const place = placeOf(point.params, axes);
    const values = axes.flatMap((_, axis) =>
      [-1, 1].flatMap((step) => {
        const neighbour = byPlace.get(place.with(axis, (place[axis] ?? NaN) + step).join());
        return neighbour === undefined || neighbour.value === null ? [] : [neighbour.value];
      }),
    );
    return { ...point, neighbourMedian: medianOf(values), neighbours: values.length };
  });
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  return {
    axes,
    cells,
    positiveShare: points.length === 0 ? 0 : values.filter((value) => value > 0).length / points.length,
    median: medianOf(values),
  };
}

function axesOf(points: readonly SurfacePoint[]): ParameterAxis[] {
  const names = [...new Set(points.flatMap(({ params }) => Object.keys(params)))];
  return names
    .map((name) => {
      const values = [...new Set(points.flatMap(({ params }) => (params[name] === undefined ? [] : [params[name]])))];
      const isNumeric = values.every((value) => typeof value === 'number');
      return { name, values: isNumeric ? values.toSorted((one, other) => Number(one) - Number(other)) : values };
    })
    .filter(({ values }) => values.length > 1);
}

function placeOf(params: SweepPoint, axes: readonly ParameterAxis[]): number[] {
  return axes.map(({ name, values }) => values.findIndex((value) => value === params[name]));
}

/** Of an even number the mean of the middle two; null of none. */
export function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) return null;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
