// What zod found wrong, in the words of this program: where, what was found, what is expected. For config, parameters and arguments.
import { z } from 'zod';

export interface Finding {
  readonly path: readonly (string | number)[];
  readonly found: string;
  readonly expected: string;
  /** The key itself is wrong, not what stands under it. */
  readonly isUnknownKey: boolean;
}

/** The parts of a zod issue that are read here: a user's strategy may bring a zod of its own. */
interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly expected?: unknown;
  readonly minimum?: unknown;
  readonly maximum?: unknown;
  readonly inclusive?: unknown;
  readonly origin?: unknown;
  readonly values?: unknown;
  readonly keys?: unknown;
}

/** The issues of an error that zod threw; undefined when it is another error. */
export function issuesOf(error: unknown): readonly Issue[] | undefined {
  if (!(error instanceof Error) || !('issues' in error) || !Array.isArray(error.issues)) return undefined;
  return error.issues as readonly Issue[];
}

/** One finding for each issue, and one for each key that is not known. `schema` tells the keys that are. */
export function findingsOf(issues: readonly Issue[], input: unknown, schema: unknown): readonly Finding[] {
  const described = describeSchema(schema);
  return issues.flatMap((issue): Finding[] => {
    const path = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
    if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) {
      const known = Object.keys(fieldAt(described, path)?.properties ?? {});
      return issue.keys.map((key) => ({
        path: [...path, String(key)],
        found: `an unknown name ${JSON.stringify(key)}`,
        expected: known.length === 0 ? 'none of that name' : nearestFirst(String(key), known),
        isUnknownKey: true,
      }));
    }
    const value = valueAt(input, path);
    const fallback = fieldAt(described, path)?.default;
    // Fields that contradict each other may be told of the one that is not written.
    const found = value === undefined && fallback !== undefined ? `${shown(fallback)}, its default` : shown(value);
    return [{ path, found, expected: expectedBy(issue), isUnknownKey: false }];
  });
}

/** `risk.antiKnife.percentB`, `strategies[0].symbols`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.map((key, position) => (typeof key === 'number' ? `[${key}]` : position === 0 ? key : `.${key}`)).join('');
}

/** Messages of our own schemas say what is expected; zod's own do not, so they are rebuilt from what zod checked. */
function expectedBy(issue: Issue): string {
  const own = /^expected (.+)$/s.exec(issue.message)?.[1];
  if (own !== undefined) return own;
  const bound = (value: unknown): string => `${String(value)}${countedBy(issue.origin)}`;
  switch (issue.code) {
    case 'invalid_type':
      return typeName(String(issue.expected));
    case 'too_small':
      return `${issue.inclusive === true ? 'at least' : 'above'} ${bound(issue.minimum)}`;
    case 'too_big':
      return `${issue.inclusive === true ? 'at most' : 'below'} ${bound(issue.maximum)}`;
    case 'invalid_value':
      return Array.isArray(issue.values) ? oneOf(issue.values.map(String)) : issue.message;
    default:
      return issue.message;
  }
}

function countedBy(origin: unknown): string {
  if (origin === 'array') return ' entries';
  return origin === 'string' ? ' characters' : '';
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  number: 'a number',
  int: 'a whole number',
  string: 'a text',
  boolean: 'true or false',
  array: 'a list',
  tuple: 'a list',
  object: 'names with values',
  record: 'names with values',
};

function typeName(type: string): string {
  return TYPE_NAMES[type] ?? type;
}

export function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : `one of ${values.join(', ')}`;
}

/** As it would be written in a file; long values are cut, and a password within an address is not shown. */
export function shown(value: unknown): string {
  const text = written(value).replaceAll(/:\/\/[^/\s"]*@/g, '://***@');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

function written(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`;
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    // It holds itself, or something else that has no form in JSON.
    return 'something that cannot be written down';
  }
}

function valueAt(input: unknown, path: readonly (string | number)[]): unknown {
  let value = input;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[key];
  }
  return value;
}

/** A schema as plain data, from outside: for names, limits, defaults and descriptions. Undefined when it is no schema of zod 4. */
export function describeSchema(schema: unknown): JsonSchema | undefined {
  if (schema === null || typeof schema !== 'object' || !('_zod' in schema)) return undefined;
  // Whatever has no form in JSON is left open: this is for reading, not for checking.
  return z.toJSONSchema(schema as z.ZodType, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

/** The part of JSON schema that is read here. */
export interface JsonSchema {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  /** Ours, by `meta`: what a number counts, and what is allowed where types cannot say it. */
  readonly unit?: string;
  readonly allowed?: string;
}

function fieldAt(schema: JsonSchema | undefined, path: readonly (string | number)[]): JsonSchema | undefined {
  let field = schema;
  for (const key of path) field = typeof key === 'number' ? field?.items : field?.properties?.[key];
  return field;
}

/** All known names, the likely one first: a slip of the pen is the usual reason. */
function nearestFirst(name: string, known: readonly string[]): string {
  const ranked = known.map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }));
  const nearest = ranked.toSorted((left, right) => left.distance - right.distance)[0];
  const isLikely = nearest !== undefined && nearest.distance <= Math.max(2, Math.floor(name.length / 3));
  if (known.length === 1) return known[0] ?? '';
  return `${isLikely ? `${nearest.each}, or another ` : ''}one of ${known.join(', ')}`;
}

/** Letters to add, take away or change: Levenshtein's distance, by rows. */
function editDistance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const changed = (above[column - 1] ?? 0) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(changed, (above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    above = current;
  }
  return above[right.length] ?? 0;
}
