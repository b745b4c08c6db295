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
  const digest = createHash('sha256').update(readText(path)).digest('hex');
  const module = await importModule(path);
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
  readText(path);
  resolveBallast();
  try {
    return (await import(pathToFileURL(path).href + query)) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw brokenModule(path, cause);
  }
}

/** The strategy that a module exports, if it exports one. @throws BallastError STRATEGY_MALFORMED */
export function strategyIn(path: string, module: Readonly<Record<string, unknown>>): Strategy<unknown> | undefined {
  const exported = module['default'] ?? module['strategy'];
  if (exported === undefined) return undefined;
  checkShape(path, exported);
  return exported;
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

function readText(path: string): Buffer {
  try {
    if (statSync(path).isFile()) return readFileSync(path);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(path, `a file that cannot be read (${String(code ?? cause)})`, cause);
    throw unreadable(path, 'no such file', cause);
  }
  throw unreadable(path, 'no file but something else of that name', undefined);
}

function unreadable(path: string, found: string, cause: unknown): BallastError {
  return new BallastError({
    code: 'STRATEGY_MISSING',
    place: `strategy ${path}`,
    found,
    expected: 'a .ts or .js file that exports a strategy',
    cause,
    exitCode: 2,
  });
}

function brokenModule(path: string, cause: unknown): BallastError {
  const error = cause instanceof Error ? cause : new Error(shown(cause));
  const code = 'code' in error ? error.code : undefined;
  // What a strategy throws at import may be ours already: a feature with an impossible window, for one.
  const message = error.message.replaceAll(/\s+/g, ' ').trim();
  const broken = (found: string, expected: string, remedy?: string): BallastError =>
    new BallastError({
      code: 'STRATEGY_BROKEN',
      place: `strategy ${placeOf(error, path)}`,
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
  return broken(`an exception at import: ${message}`, 'a module that only declares its strategy');
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
  const line = readText(importer)
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
  if (legs !== 1 && legs !== 2) throw malformed(path, `legs ${shown(legs)}`, '1, or 2 for a pair');
  const isSchema = parameters !== null && typeof parameters === 'object' && 'parse' in parameters && typeof parameters.parse === 'function';
  if (!isSchema) throw malformed(path, `parameters ${shown(parameters)}`, 'a zod schema such as z.strictObject({})');
  for (const part of PARTS) if (typeof parts[part] !== 'function') throw malformed(path, `${part} ${shown(parts[part])}`, 'a function');
}

function malformed(path: string, found: string, expected: string): BallastError {
  return new BallastError({ code: 'STRATEGY_MALFORMED', place: `strategy ${path}`, found, expected, exitCode: 2 });
}
