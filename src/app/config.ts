// Finds, reads and checks ballast.yaml. What is wrong in it is told with file, line, column and field.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml';
import { assert, BallastError } from '../domain/errors.ts';
import { reasonOf } from '../domain/words.ts';
import { configSchema, defaultConfig, type Config } from './config-schema.ts';
import { findingsOf, formatPath, type Finding } from './schema-findings.ts';

export { defaultConfig, type Config, type StrategyEntry } from './config-schema.ts';

export const CONFIG_FILE = 'ballast.yaml';

/** Where data/, runs/, models/, strategies/ and ballast.yaml are: `--home`, else BALLAST_HOME, else the current folder. */
export function homeFolder(option?: string, environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const named = environment['BALLAST_HOME'];
  return resolve(option ?? (named === undefined || named === '' ? '.' : named));
}

export interface ConfigPlace {
  readonly home: string;
  /** A file that must be there; without one `ballast.yaml` of the home folder is read if it is there. */
  readonly file?: string | undefined;
}

/** Defaults, overlaid with the file. @throws BallastError CONFIG_UNREADABLE, CONFIG_SYNTAX, CONFIG_INVALID */
export function loadConfig({ home, file }: ConfigPlace): Config {
  const path = file === undefined ? join(home, CONFIG_FILE) : resolve(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' && file === undefined) return defaultConfig();
    throw new BallastError({
      code: 'CONFIG_UNREADABLE',
      place: file === undefined ? path : `--config ${file}`,
      found: code === 'ENOENT' ? 'no such file' : reasonOf(cause, path),
      expected: 'a config file in YAML',
      remedy: 'docs/reference/config.md lists every field; without a file every field has its default',
      cause,
      exitCode: 2,
    });
  }
  return parseConfig(text, path);
}

/** @throws BallastError CONFIG_SYNTAX, CONFIG_INVALID */
export function parseConfig(text: string, path: string = CONFIG_FILE): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  // A warning is a tag that means nothing here: what it was meant to do would silently not happen.
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) throw syntaxError(at(broken.pos[0]), broken.message, broken);

  const input = withoutEmptySections(plainValue(document, path));
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return parsed.data;

  const [first, ...others] = findingsOf(parsed.error.issues, input, configSchema)
    .map((finding) => ({ finding, ...standsAt(document, finding) }))
    .toSorted((left, right) => Number(right.isWritten) - Number(left.isWritten) || left.offset - right.offset);
  assert(first !== undefined, 'a config that is refused has a finding');
  const { finding, offset } = first;
  throw new BallastError({
    code: 'CONFIG_INVALID',
    place: [at(offset), formatPath(finding.path)].filter((part) => part !== '').join(', '),
    found: finding.found,
    expected: finding.expected,
    ...(others.length > 0 && { remedy: `and also: ${others.map((other) => briefly(other.finding)).join('; ')}` }),
    exitCode: 2,
  });
}

/** The part of a config that determines results: not where pages are served, how fast the market passes or how long files are kept. */
export function resultSettings(config: Config): Readonly<Record<string, unknown>> {
  const { risk, sizing, council, desk, execution, decision, minds, venue } = config;
  // How long a mind may think is wall time: what came of it is recorded as a failure.
  const settings = { risk, sizing, council, desk, decision, minds: { strikes: minds.strikes }, venue };
  // At the market nothing of it is looked at: runs from before there was a choice keep their hash.
  return execution.algorithm === 'market' ? settings : { ...settings, execution };
}

/**
 * SHA-256 of the canonical JSON of what determines a run's results: `resultSettings`, and what the caller adds (instruments, strategies with
 * parameters and shares, capital, seed, span of time). Equal parts, equal hash, in whatever order they were written.
 */
export function configHash(parts: Readonly<Record<string, unknown>>): string {
  return createHash('sha256').update(canonicalJson(parts)).digest('hex');
}

/** Keys in order, no spaces; exact numbers as text, so that a decimal is not read as an estimate. */
function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'bigint':
      return `"${value}n"`;
    case 'number':
      // JSON has neither NaN nor infinities; adding zero makes 0 of -0, which is equal.
      return Number.isFinite(value) ? JSON.stringify(value + 0) : `"${value}"`;
    case 'string':
    case 'boolean':
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map((each) => canonicalJson(each)).join(',')}]`;
      return `{${Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .toSorted(([left], [right]) => (left < right ? -1 : 1))
        .map(([key, each]) => `${JSON.stringify(key)}:${canonicalJson(each)}`)
        .join(',')}}`;
    default:
      throw new Error(`broken invariant: ${typeof value} is hashed, expected plain data`);
  }
}

function syntaxError(place: string, found: string, cause: unknown): BallastError {
  return new BallastError({
    code: 'CONFIG_SYNTAX',
    place,
    found: `YAML that cannot be read: ${found.trim().replaceAll(/\s+/g, ' ')}`,
    expected: 'lines such as "name: value", indented with spaces',
    cause,
    exitCode: 2,
  });
}

function plainValue(document: Document, path: string): unknown {
  try {
    const value: unknown = document.toJS();
    return value ?? {};
  } catch (cause) {
    // Aliases that name nothing, or that multiply without end.
    throw syntaxError(path, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

/** A section whose lines are all commented out reads as null, and means its defaults. */
function withoutEmptySections(input: unknown): unknown {
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return input;
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null));
}

/** Where in the text a finding stands: its key when the key is wrong, otherwise its value, or the nearest place around it that is there. */
function standsAt(document: Document, { path, isUnknownKey }: Finding): { readonly offset: number; readonly isWritten: boolean } {
  if (isUnknownKey) {
    const parent: unknown = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1)) : undefined;
    if (isScalar(pair?.key)) return { offset: pair.key.range?.[0] ?? 0, isWritten: true };
  }
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return { offset: node.range?.[0] ?? 0, isWritten: length === path.length };
  }
  return { offset: document.contents?.range?.[0] ?? 0, isWritten: path.length === 0 };
}

function briefly({ path, found, expected }: Finding): string {
  return `${formatPath(path)} found ${found}, expected ${expected}`;
}

/**
 * A config with some fields replaced, by section and field or by name (`{ sizing: 'fixed', venue: { feeRate: 0.001 } }`), checked as a file
 * is. Undefined replaces nothing, so flags can be handed over as they are. @throws BallastError ARGUMENT_INVALID
 */
export function withOverrides(config: Config, overrides: Readonly<Record<string, unknown>>): Config {
  const input: Record<string, unknown> = { ...config };
  for (const [name, override] of Object.entries(overrides)) {
    if (isFields(override) && isFields(input[name])) input[name] = { ...input[name], ...definedOf(override) };
    else if (override !== undefined) input[name] = override;
  }
  const parsed = configSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [finding] = findingsOf(parsed.error.issues, input, configSchema);
  assert(finding !== undefined, 'a config that is refused has a finding');
  throw new BallastError({
    code: 'ARGUMENT_INVALID',
    place: `the argument for ${formatPath(finding.path)}`,
    found: finding.found,
    expected: finding.expected,
    exitCode: 2,
  });
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

function definedOf(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
