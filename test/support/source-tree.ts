// The source files of this package, what each imports, and what can be reached from where.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { lineOf, readSource, type SourceText } from './source-text.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
  .replaceAll('\\', '/')
  .replace(/\/$/, '');

export interface Import {
  readonly specifier: string;
  /** Path of the file it names, from the root; undefined for a package or a module of Node. */
  readonly path: string | undefined;
  /** Erased before it runs: `import type`, `export type`, or only `type` names between the braces. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile extends SourceText {
  /** From the root, with forward slashes. */
  readonly path: string;
  readonly source: string;
  readonly imports: readonly Import[];
}

export function sourceFile(path: string, source: string): SourceFile {
  const read = readSource(source);
  return { path, source, ...read, imports: importsOf(path, source, read) };
}

/** Every TypeScript file below the given folders, in order of path. */
export function sourceFiles(...folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) => filesBelow(folder, '.ts')).map((path) => sourceFile(path, readFileSync(join(ROOT, path), 'utf8')));
}

/** Paths from the root of the files below a folder whose names end so, in order; none when there is no such folder. */
export function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath.replaceAll('\\', '/'), entry.name)))
    .filter((path) => !path.includes('node_modules/') && !path.includes('.venv/'))
    .toSorted();
}

/** A test beside the code, or a contract that tests share. */
export function isTest(path: string): boolean {
  return /\.(test|test-d|contract)\.ts$/.test(path) || path.startsWith('test/');
}

/** All paths that can be reached by imports from the roots, the roots included. */
export function reachable(files: readonly SourceFile[], roots: readonly string[]): ReadonlySet<string> {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const reached = new Set<string>();
  const open = [...roots];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { path: target } of byPath.get(path)?.imports ?? []) if (target !== undefined) open.push(target);
  }
  return reached;
}

/** Each import cycle once, as the paths around it; type-only imports count. */
export function importCycles(files: readonly SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const trail: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path]);
    if (start >= 0 || done.has(path)) return;
    trail.push(path);
    for (const { path: target } of byPath.get(path)?.imports ?? []) if (target !== undefined) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const path of byPath.keys()) visit(path);
  return cycles;
}

/** Offsets are of the opening quote: of `from '…'`, a bare `import '…'`, `import('…')` and `new URL('….ts', import.meta.url)`. */
const IMPORT = /\bfrom\s*(?=['"])|\bimport\s*(?=['"])|\bimport\s*\(\s*(?=['"])|\bnew URL\(\s*(?=['"][^'"]*['"],\s*import\.meta\.url)/g;

function importsOf(path: string, source: string, { code, strings }: SourceText): Import[] {
  const imports: Import[] = [];
  for (const match of code.matchAll(IMPORT)) {
    const specifier = strings.get(match.index + match[0].length);
    if (specifier === undefined) continue;
    if (match[0].startsWith('new URL') && !specifier.endsWith('.ts')) continue;
    const isRelative = specifier.startsWith('.') || match[0].startsWith('new URL');
    imports.push({
      specifier,
      path: isRelative ? relative(ROOT, resolve(ROOT, dirname(path), specifier)) : undefined,
      typeOnly: match[0].startsWith('from') && isTypeClause(code.slice(Math.max(0, match.index - 4_000), match.index)),
      line: lineOf(source, match.index),
    });
  }
  return imports;
}

/** Whether the clause that ends here begins with `import type` or names types only. */
function isTypeClause(before: string): boolean {
  const clause = /\b(?:import|export)\s+(type\s+)?([^;'"]*)$/.exec(before);
  if (clause === null) return false;
  if (clause[1] !== undefined) return true;
  const names = /^\{([^}]*)\}\s*$/.exec(clause[2] ?? '')?.[1];
  return names !== undefined && names.split(',').every((name) => name.trim() === '' || name.trim().startsWith('type '));
}
