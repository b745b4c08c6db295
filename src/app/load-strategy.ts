// A user's own strategy: a TypeScript or JavaScript module anywhere, which may import `ballast` without installing it. What is wrong with it
// is told by file and line, never with a stack of ours.
//
// Not below a node_modules folder: Node does not strip types there. A strategy that is published as a package is published as JavaScript.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { BallastError } from '../domain/errors.ts';
import type { Strategy } from '../domain/strategy.ts';
import { reasonOf } from '../domain/words.ts';
import { shown } from './schema-findings.ts';

/** What runs anywhere once it is loaded from a file. */
export interface LoadedStrategy {
  readonly strategy: Strategy<unknown>;
  readonly path: string;
  /** SHA-256 of the file: whether a run that is resumed or replayed is still that of the same strategy. */
  readonly digest: string;
}

/** This package's sources, and what `ballast` means to a strategy. */
const OWN_FOLDER = new URL('..', import.meta.url).href;
const OWN_INDEX = `${OWN_FOLDER}index.ts`;

/** Loads a strategy from a file by its absolute path. @throws BallastError STRATEGY_MISSING, STRATEGY_BROKEN, STRATEGY_MALFORMED */
export async function loadStrategy(path: string): Promise<LoadedStrategy> {
  const { module, text } = await importFile(path, 'strategy', 'STRATEGY_BROKEN', 'STRATEGY_MISSING');
  const digest = createHash('sha256').update(text).digest('hex');
  const exported = strategyIn(path, module);
  if (exported === undefined) {
    throw malformed(
      path,
      `the exports ${Object.keys(module).join(', ') || 'none'}`,
      '`export default defineStrategy({ ... })` or `export const strategy = defineStrategy({ ... })`',
    );
  }
  return { strategy: exported, path, digest };
}

/**
 * A user's module by its absolute path, with `ballast` resolved for it. Another `query` is another instance of it.
 * @throws BallastError STRATEGY_MISSING, STRATEGY_BROKEN
 */
export async function importModule(path: string, query = ''): Promise<Readonly<Record<string, unknown>>> {
  return (await importFile(path, 'strategy', 'STRATEGY_BROKEN', 'STRATEGY_MISSING', query)).module;
}

/** The strategy that a module exports, if it exports one. @throws BallastError STRATEGY_MALFORMED */
export function strategyIn(path: string, module: Readonly<Record<string, unknown>>): Strategy<unknown> | undefined {
  const exported = module['default'] ?? module['strategy'];
  if (exported === undefined) return undefined;
  checkShape(path, exported);
  return exported;
}

/**
 * A module of a user's by its absolute path, and its text. @param what it is, for the words of an error @param missing code of an error of a
 * file that is not there, `broken` unless said
 */
export async function importFile(
  path: string,
  what: string,
  broken: string,
  missing = broken,
  query = '',
): Promise<{ readonly module: Readonly<Record<string, unknown>>; readonly text: Buffer }> {
  const text = readText(path, what, missing);
  resolveBallast();
  try {
    return { module: (await import(pathToFileURL(path).href + query)) as Readonly<Record<string, unknown>>, text };
  } catch (cause) {
    throw brokenModule(path, what, broken, cause);
  }
}

let isResolving = false;

/**
 * Lets modules outside this package import it by its name, and takes every `.ts` file for a module, whatever package.json stands above it.
 * Once in a thread: lazy imports of a strategy come later.
 */
function resolveBallast(): void {
  if (isResolving) return;
  isResolving = true;
  registerHooks({
    resolve: (specifier, context, nextResolve) =>
      specifier === 'ballast' ? { url: OWN_INDEX, shortCircuit: true } : nextResolve(specifier, context),
    load: (url, context, nextLoad) =>
      nextLoad(url, /\.ts(\?|$)/.test(url) && !url.includes('/node_modules/') ? { ...context, format: 'module-typescript' } : context),
  });
}

function readText(path: string, what: string, missing: string): Buffer {
  try {
    if (statSync(path).isFile()) return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(path, what, missing, reasonOf(cause, path), cause);
    throw unreadable(path, what, missing, 'no such file', cause);
  }
  throw unreadable(path, what, missing, 'no file but something else of that name', undefined);
}

function unreadable(path: string, what: string, code: string, found: string, cause: unknown): BallastError {
  return new BallastError({
    code,
    place: `${what} ${path}`,
    found,
    expected: `a .ts or .js file that exports a${what === 'objective' ? 'n' : ''} ${what}`,
    cause,
    exitCode: 2,
  });
}

function brokenModule(path: string, what: string, codeOfBroken: string, cause: unknown): BallastError {
  const error = cause instanceof Error ? cause : new Error(shown(cause));
  const code = 'code' in error ? error.code : undefined;
  // What a strategy throws at import may be ours already: a feature with an impossible window, for one.
  const message = error.message.replaceAll(/\s+/g, ' ').trim();
  const broken = (found: string, expected: string, remedy?: string): BallastError =>
    new BallastError({
      code: codeOfBroken,
      place: `${what} ${placeOf(error, path)}`,
      found,
      expected,
      ...(remedy !== undefined && { remedy }),
      cause,
      exitCode: 2,
    });
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') {
    return broken('TypeScript below node_modules', 'a file outside of node_modules, or JavaScript', 'Node does not strip types there');
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return broken(message, 'TypeScript whose types can be erased: no enum, namespace or parameter property');
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_UNSUPPORTED_DIR_IMPORT')
    return broken(message, 'an import that leads to a file, a module of Node, or `ballast`');
  if (/does not provide an export named/.test(message)) return broken(message, 'a name that src/index.ts exports');
  if (error instanceof SyntaxError) return broken(`a syntax error: ${message}`, 'TypeScript or JavaScript that can be parsed');
  return broken(`an exception at import: ${message}`, `a module that only declares its ${what}`);
}

/** File and line: where the error says, or where a second look at a syntax error finds it. */
function placeOf(error: Error, path: string): string {
  return (
    locationIn(error.stack ?? '') ?? importPlace(error.message) ?? (error instanceof SyntaxError ? syntaxPlace(path) : undefined) ?? path
  );
}

/** The first place in a file of a user's, which is the innermost. */
function locationIn(text: string): string | undefined {
  for (const [, url = '', line = ''] of text.matchAll(/(file:\/\/[^\s():]*(?::(?!\d)[^\s():]*)*):(\d+)/g)) {
    if (url.startsWith(OWN_FOLDER)) continue;
    return `${fileURLToPath(url)}:${line}`;
  }
  return undefined;
}

/** Node names the file that imports what is not there; its line is the first that names it. */
function importPlace(message: string): string | undefined {
  const [, missing = '', importer = ''] = /'([^']+)' (?:is not supported resolving ES modules )?imported from (.+)$/.exec(message) ?? [];
  if (importer === '') return undefined;
  const name = missing.slice(missing.lastIndexOf('/') + 1);
  const line = readFileSync(importer)
    .toString('utf8')
    .split('\n')
    .findIndex((text) => text.includes(name));
  return line < 0 ? importer : `${importer}:${line + 1}`;
}

/** V8 tells the place of a syntax error in a module only to who prints it: `node --check` does. */
function syntaxPlace(path: string): string | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', path], { encoding: 'utf8', timeout: 10_000 });
  const line = /^(?:file:\/\/)?(\/?.*):(\d+)\n/.exec(stderr);
  return line?.[2] === undefined ? undefined : `${path}:${line[2]}`;
}

const PARTS = ['features', 'opine', 'explain'] as const;

function checkShape(path: string, exported: unknown): asserts exported is Strategy<unknown> {
  const expected = 'what `defineStrategy({ name, about, legs, parameters, features, opine, explain })` gives';
  if (exported === null || typeof exported !== 'object') throw malformed(path, shown(exported), expected);
  const parts = exported as Readonly<Record<string, unknown>>;
  const { name, about, legs, parameters } = parts;
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]*$/.test(name)) {
    throw malformed(path, `name ${shown(name)}`, 'lower-case letters, digits and hyphens, a letter first, such as my-trend');
  }
  if (typeof about !== 'string' || about.trim() === '') throw malformed(path, `about ${shown(about)}`, 'one line that says what it does');
  if (!isLegs(legs)) throw malformed(path, `legs ${shown(legs)}`, '1, 2 for a pair, or { least, most } for a basket');
  const isSchema = parameters !== null && typeof parameters === 'object' && 'parse' in parameters && typeof parameters.parse === 'function';
  if (!isSchema) throw malformed(path, `parameters ${shown(parameters)}`, 'a zod schema such as z.strictObject({})');
  for (const part of PARTS) if (typeof parts[part] !== 'function') throw malformed(path, `${part} ${shown(parts[part])}`, 'a function');
}

function isLegs(legs: unknown): boolean {
  if (typeof legs === 'number') return Number.isInteger(legs) && legs >= 1;
  if (legs === null || typeof legs !== 'object' || !('least' in legs) || !('most' in legs)) return false;
  const { least, most } = legs;
  return Number.isInteger(least) && Number.isInteger(most) && Number(least) >= 1 && Number(most) >= Number(least);
}

function malformed(path: string, found: string, expected: string): BallastError {
  return new BallastError({ code: 'STRATEGY_MALFORMED', place: `strategy ${path}`, found, expected, exitCode: 2 });
}
