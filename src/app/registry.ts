// Which strategies there are, by name or by path, and how their parameters are read.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { z } from 'zod';
import { BallastError } from '../domain/errors.ts';
import type { Strategy } from '../domain/strategy.ts';
import { reasonOf } from '../domain/words.ts';
import { strategies as builtIn } from '../forecasts/strategies/index.ts';
import { loadStrategy } from './load-strategy.ts';
import { describeSchema, findingsOf, formatPath, issuesOf, oneOf, shown, type Finding, type JsonSchema } from './schema-findings.ts';

/** A strategy, and the file it came from when it is a user's own. */
export interface NamedStrategy {
  readonly strategy: Strategy<unknown>;
  readonly path?: string | undefined;
  /** SHA-256 of the file. */
  readonly digest?: string | undefined;
}

const FOLDER = 'strategies';
const ENDINGS = ['.ts', '.js'];

/**
 * A built-in strategy by its name, a file of a user's by its path from the current folder or the home folder, or a file in
 * `<home>/strategies/` by its name.
 * @throws BallastError STRATEGY_UNKNOWN, STRATEGY_AMBIGUOUS, STRATEGY_MISSING, STRATEGY_BROKEN, STRATEGY_MALFORMED
 */
export async function strategyNamed(nameOrPath: string, home: string): Promise<NamedStrategy> {
  const reference = strategyReference(nameOrPath, home);
  const strategy = builtIn.find(({ name }) => name === reference);
  return strategy === undefined ? loadStrategy(reference) : { strategy };
}

/** A built-in name, or an absolute path. @throws BallastError STRATEGY_UNKNOWN, STRATEGY_AMBIGUOUS */
export function strategyReference(nameOrPath: string, home: string): string {
  const path = pathOf(nameOrPath, home);
  if (!builtIn.some(({ name }) => name === nameOrPath)) {
    if (path !== undefined) return path;
    const own = ownFiles(home).map((file) => file.replace(/\.[jt]s$/, ''));
    throw new BallastError({
      code: 'STRATEGY_UNKNOWN',
      place: 'strategy',
      found: JSON.stringify(nameOrPath),
      expected: `${oneOf([...builtIn.map(({ name }) => name), ...own])}, or the path of a file with one of your own, such as ./my-strategy.ts`,
      exitCode: 2,
    });
  }
  if (path === undefined) return nameOrPath;
  throw new BallastError({
    code: 'STRATEGY_AMBIGUOUS',
    place: `strategy ${nameOrPath}`,
    found: `a built-in strategy and ${path}`,
    expected: 'one of them',
    remedy: 'name your file by its path, or give it another name',
    exitCode: 2,
  });
}

/** Where a user's file of that name is: from the current folder, else from the home folder. Undefined when nothing says that a file is meant. */
function pathOf(nameOrPath: string, home: string): string | undefined {
  const places = [resolve(nameOrPath), resolve(home, nameOrPath)];
  const isPath = isAbsolute(nameOrPath) || /[\\/]/.test(nameOrPath);
  if (isPath) return firstThere(places) ?? places[0];
  const own = resolve(home, FOLDER, nameOrPath);
  if (ENDINGS.some((ending) => nameOrPath.endsWith(ending))) return firstThere([...places, own]) ?? places[0];
  return firstThere(ENDINGS.map((ending) => own + ending));
}

function firstThere(paths: readonly string[]): string | undefined {
  return paths.find((path) => existsSync(path));
}

function ownFiles(home: string): readonly string[] {
  const folder = join(home, FOLDER);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => ENDINGS.some((ending) => file.endsWith(ending)) && !/\.(test|d)\.[jt]s$/.test(file))
    .toSorted();
}

/** A strategy that can be named without a path; a file that does not load is listed with the reason. */
export type ListedStrategy = NamedStrategy | { readonly path: string; readonly failure: BallastError };

/** The built-in ones, then those in `<home>/strategies/`. */
export async function listStrategies(home: string): Promise<readonly ListedStrategy[]> {
  const own = ownFiles(home).map(async (file): Promise<ListedStrategy> => {
    const path = join(home, FOLDER, file);
    try {
      return await loadStrategy(path);
    } catch (failure) {
      if (failure instanceof BallastError) return { path, failure };
      throw failure;
    }
  });
  return [...builtIn.map((strategy) => ({ strategy })), ...(await Promise.all(own))];
}

/** One parameter, for help and listings. */
export interface ParameterField {
  readonly name: string;
  readonly type: string;
  readonly about: string;
  readonly default: unknown;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
}

/** What can be set, in the order of the schema; none when the schema is not one of zod 4. */
export function parameterFields(strategy: Strategy<unknown>): readonly ParameterField[] {
  const fields: Readonly<Record<string, JsonSchema>> = describeSchema(strategy.parameters)?.properties ?? {};
  return Object.entries(fields).map(([name, field]) => ({
    name,
    type: field.enum === undefined ? (field.type ?? 'value') : oneOf(field.enum.map(String)),
    about: field.description ?? '',
    default: field.default,
    minimum: field.minimum ?? field.exclusiveMinimum,
    maximum: field.maximum ?? field.exclusiveMaximum,
  }));
}

/**
 * Parameters as the strategy wants them, from `fast=5,slow=20`, a JSON file's path (`best.json` of a sweep too), or an object; what is left out has its default.
 * @throws BallastError PARAMETERS_INVALID
 */
export function parseParameters(strategy: Strategy<unknown>, given: unknown = {}): unknown {
  const input = typeof given === 'string' ? fromText(strategy, given) : given;
  try {
    return strategy.parameters.parse(input);
  } catch (cause) {
    const issues = issuesOf(cause);
    if (issues === undefined) {
      throw invalid(strategy, '', shown(input), `what its schema accepts: ${reasonOf(cause)}`, undefined, cause);
    }
    const [first, ...others] = findingsOf(issues, input, strategy.parameters);
    const { path, found, expected }: Finding = first ?? {
      path: [],
      found: shown(input),
      expected: 'valid parameters',
      isUnknownKey: false,
    };
    const also = others.map((other) => `${formatPath(other.path)} found ${other.found}, expected ${other.expected}`);
    throw invalid(strategy, formatPath(path), found, expected, also.length > 0 ? `and also: ${also.join('; ')}` : undefined, cause);
  }
}

function fromText(strategy: Strategy<unknown>, text: string): unknown {
  const trimmed = text.trim();
  if (trimmed === '') return {};
  if (trimmed.endsWith('.json')) return fromFile(strategy, trimmed);
  const fields = new Map(parameterFields(strategy).map((field) => [field.name, field]));
  const values: Record<string, unknown> = {};
  for (const part of trimmed.split(',')) {
    const equals = part.indexOf('=');
    const name = part.slice(0, equals).trim();
    if (equals < 1 || name === '') throw invalid(strategy, '', JSON.stringify(part), 'name=value, with commas between, or a .json file');
    if (name in values) throw invalid(strategy, name, 'it twice', 'each parameter once');
    const value = part.slice(equals + 1).trim();
    values[name] = fields.get(name)?.type === 'string' ? value : literal(value);
  }
  return values;
}

/** A number, true, false or null as such; everything else is a text. */
function literal(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  return /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}

function fromFile(strategy: Strategy<unknown>, path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw invalid(strategy, '', `no file ${path} that can be read`, 'a JSON file with parameters by name', undefined, cause);
  }
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw invalid(strategy, '', `${path}: ${reasonOf(cause)}`, 'JSON', undefined, cause);
  }
  const best = bestOfSweep.safeParse(found).data;
  if (best === undefined) return found;
  if (best.strategy === strategy.name) return best.params;
  throw invalid(strategy, '', `${path}: the best of a sweep of ${best.strategy}`, `that of a sweep of ${strategy.name}`);
}

/** `best.json` of a sweep: its parameters are within it. */
const bestOfSweep = z.object({ runId: z.string().startsWith('sweep-'), strategy: z.string(), params: z.record(z.string(), z.unknown()) });

function invalid(
  strategy: Strategy<unknown>,
  parameter: string,
  found: string,
  expected: string,
  remedy?: string,
  cause?: unknown,
): BallastError {
  return new BallastError({
    code: 'PARAMETERS_INVALID',
    place: parameter === '' ? `parameters of ${strategy.name}` : `parameter ${parameter} of ${strategy.name}`,
    found,
    expected,
    ...(remedy !== undefined && { remedy }),
    cause,
    exitCode: 2,
  });
}
