// What "best" means to a user: one of the names, or a function of his own in a file.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { BallastError } from '../../domain/errors.ts';
import type { ColumnMetrics } from '../../lab/sweep/column-metrics.ts';
import { OBJECTIVES, objectiveNamed, type Objective } from '../../lab/sweep/objective.ts';
import { pointText, type SweepPoint } from '../../lab/sweep/strategy.ts';
import { importFile } from '../load-strategy.ts';

export interface LoadedObjective extends Objective {
  /** SHA-256 of the file, of a user's own. */
  readonly digest?: string;
}

/**
 * By name (`profit-factor` is `profitFactor`), or the path of a module whose default export is `(metrics, params) => number | null`: the more
 * the better. @param years that the columns are of
 * @throws BallastError OBJECTIVE_INVALID, and OBJECTIVE_FAILED from a user's function
 */
export async function objectiveFrom(nameOrPath: string, years: number): Promise<LoadedObjective> {
  const camel = nameOrPath.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  const name = OBJECTIVES.find((each) => each === camel);
  if (name !== undefined) return objectiveNamed(name, years);
  if (!/[\\/]|\.[jt]s$/.test(nameOrPath)) {
    throw invalid('--objective', JSON.stringify(nameOrPath), `one of ${OBJECTIVES.join(', ')}, or the path of a file with one of your own`);
  }
  const path = resolve(nameOrPath);
  const { module, text } = await importFile(path, 'objective', 'OBJECTIVE_INVALID');
  const measure = module['default'];
  if (typeof measure !== 'function')
    throw invalid(`objective ${path}`, 'no default export that is a function', '`export default (metrics, params) => number`');
  return {
    name: path,
    digest: createHash('sha256').update(text).digest('hex'),
    value: (metrics, params) => valueOf(measure as (metrics: ColumnMetrics, params: SweepPoint) => unknown, path, metrics, params),
  };
}

function valueOf(
  measure: (metrics: ColumnMetrics, params: SweepPoint) => unknown,
  path: string,
  metrics: ColumnMetrics,
  params: SweepPoint,
): number | null {
  let value: unknown;
  try {
    value = measure(metrics, params);
  } catch (cause) {
    throw failed(path, params, `an exception: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
  if (value === null || Number.isNaN(value)) return null;
  if (typeof value !== 'number') throw failed(path, params, typeof value, undefined);
  return value;
}

function failed(path: string, params: SweepPoint, found: string, cause: unknown): BallastError {
  return new BallastError({
    code: 'OBJECTIVE_FAILED',
    place: `objective ${path} of ${pointText(params)}`,
    found,
    expected: 'a number, the more the better, or null where nothing can be said',
    cause,
  });
}

function invalid(place: string, found: string, expected: string): BallastError {
  return new BallastError({ code: 'OBJECTIVE_INVALID', place, found, expected, exitCode: 2 });
}
