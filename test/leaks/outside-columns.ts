// The same join in columns, of a series that is declared with both of its times.
import type { BarColumns } from 'ballast';
import { releases } from './releases.ts';

const column = (pick: (release: (typeof releases)[number]) => number): Float64Array => Float64Array.from(releases, pick);

export const outside = {
  releases: { happenedAt: column((each) => each.happenedAt), knownAt: column((each) => each.knownAt), value: column((each) => each.value) },
};

type Outside = typeof outside;

const joined = ({ openAt }: BarColumns, { releases: { value, ...times } }: Outside, by: 'happenedAt' | 'knownAt'): Float64Array =>
  openAt.map((at) => value[times[by].findLastIndex((time) => time <= at + 3_600_000)] ?? NaN);

export const columns = (bars: BarColumns, given: Outside): Record<string, Float64Array> => ({
  'as-of': joined(bars, given, 'happenedAt'),
  'as-known': joined(bars, given, 'knownAt'),
});
