// A user's module, loaded anew and watched: what it reads from files it reads through here, so that rows of after a moment can be others; and
// the clock and the randomness that it sees can be others too. Its own relative imports are loaded anew with it.
import fs, { readFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { builtinModules, registerHooks } from 'node:module';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { resolve } from 'node:path';
import type { OutsideTimes, OutsideView } from '../lab/lookahead/outside.ts';
import { outsideText } from '../lab/lookahead/outside.ts';
import { Random } from '../quant/random.ts';
import { importModule } from './load-strategy.ts';

/** What the module read, by path: the times of its rows, or undefined where none were found. */
export interface Readings {
  readonly files: Map<string, OutsideTimes | undefined>;
  /** Ways to data that cannot be watched, such as `node:sqlite`, `fetch` or a package. */
  readonly unwatched: Set<string>;
}

/** A loaded module and what it does while it is asked. */
export interface WatchedModule {
  readonly exports: Readonly<Record<string, unknown>>;
  /** Runs code of the module: whatever it reads, and the clock it sees, are as they were when it was loaded. */
  within<Result>(question: () => Result): Result;
}

/** A module below node_modules: what it imports, and the ways to data among that. */
interface PackageModule {
  readonly ways: Set<string>;
  readonly imports: Set<string>;
}

interface Watch {
  readonly view: OutsideView | undefined;
  readonly readings: Readings;
  readonly fs: object;
  readonly promises: object;
  /** Packages that it imports, with the module that each begins with. */
  readonly packages: Map<string, string>;
}

const QUERY = 'ballast-watch';
const WATCHED_SCHEME = 'ballast-watched:';
const REGISTER = Symbol.for('ballast.watched modules');
const watches = new Map<number, Watch>();
/** By address. A package is loaded once for all instances of a module, and never anew: what it keeps, `module state` shows. */
const packageModules = new Map<string, PackageModule>();
let count = 0;
let isHooked = false;

/** Modules of Node through which data can come by another way than a file that is read as text. */
const OTHER_WAYS = /^(child_process|cluster|dgram|dns|http|http2|https|inspector|module|net|sqlite|tls|worker_threads|vm|wasi)(\/|$)/;
const OWN_FOLDER = new URL('..', import.meta.url).href;

/**
 * @param readings is added to
 * @throws BallastError STRATEGY_MISSING, STRATEGY_BROKEN
 */
export async function watchedModule(
  path: string,
  readings: Readings,
  circumstances: { readonly outside?: OutsideView; readonly otherClock?: boolean },
): Promise<WatchedModule> {
  hook();
  const number = ++count;
  const packages = new Map<string, string>();
  const watch = { view: circumstances.outside, readings, packages, ...watchedFiles(readings, circumstances.outside) };
  watches.set(number, watch);
  const isOther = circumstances.otherClock === true;
  const leave = enter(readings, isOther);
  try {
    const exports = await importModule(path, `?${QUERY}=${number}`);
    for (const [name, url] of packages) {
      const ways = waysFrom(url);
      if (ways.length > 0) readings.unwatched.add(`the package ${name}, which has ${ways.join(', ')}`);
    }
    return {
      exports,
      within(question) {
        const leaveAgain = enter(readings, isOther);
        try {
          return question();
        } finally {
          leaveAgain();
        }
      },
    };
  } finally {
    leave();
  }
}

function hook(): void {
  if (isHooked) return;
  isHooked = true;
  Object.defineProperty(globalThis, REGISTER, { value: watches });
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const name = specifier.replace(/^node:/, '');
      const parent = packageModules.get(context.parentURL ?? '');
      if (parent !== undefined) {
        const resolved = nextResolve(specifier, context);
        if (resolved.url.endsWith('.node')) parent.ways.add('native code');
        else if (resolved.url.startsWith('file:')) parent.imports.add(known(resolved.url));
        else if (/^fs(\/|$)/.test(name) || isOtherWay(name)) parent.ways.add(`node:${name}`);
        return resolved;
      }
      const number = numberIn(context.parentURL);
      const watch = number === undefined ? undefined : watches.get(number);
      if (watch === undefined || specifier === 'ballast') return nextResolve(specifier, context);
      if (name === 'fs' || name === 'fs/promises') return { url: `${WATCHED_SCHEME}${name}?${QUERY}=${number}`, shortCircuit: true };
      const resolved = nextResolve(specifier, context);
      if (resolved.url.startsWith('node:')) {
        if (isOtherWay(name)) watch.readings.unwatched.add(`node:${name}`);
        return resolved;
      }
      if (!resolved.url.startsWith('file:') || resolved.url.startsWith(OWN_FOLDER)) return resolved;
      if (resolved.url.includes('/node_modules/')) {
        watch.packages.set(specifier, known(resolved.url));
        return resolved;
      }
      return { ...resolved, url: `${resolved.url}${resolved.url.includes('?') ? '&' : '?'}${QUERY}=${number}` };
    },
    load(url, context, nextLoad) {
      const number = numberIn(url);
      const watch = number === undefined ? undefined : watches.get(number);
      if (watch === undefined) return nextLoad(url, context);
      if (url.startsWith(WATCHED_SCHEME)) return { format: 'module', shortCircuit: true, source: sourceOf(url, number) };
      if (context.importAttributes['type'] !== 'json') return nextLoad(url, context);
      return { format: 'json', shortCircuit: true, source: textThrough(fileURLToPath(url), watch.readings, watch.view) };
    },
  });
}

function isOtherWay(name: string): boolean {
  return OTHER_WAYS.test(name) || !builtinModules.includes(name);
}

function known(url: string): string {
  if (!packageModules.has(url)) packageModules.set(url, { ways: new Set(), imports: new Set() });
  return url;
}

/** All ways to data that a module of a package has, or any module that it imports. */
function waysFrom(url: string): readonly string[] {
  const ways = new Set<string>();
  const seen = new Set([url]);
  for (const each of seen) {
    const found = packageModules.get(each);
    for (const way of found?.ways ?? []) ways.add(way);
    for (const next of found?.imports ?? []) seen.add(next);
  }
  return [...ways].toSorted();
}

function numberIn(url: string | undefined): number | undefined {
  const found = new RegExp(`[?&]${QUERY}=(\\d+)`).exec(url ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

/** The module of files as this one sees it: the real one, with other ways to read. */
function sourceOf(url: string, number: number | undefined): string {
  const isPromises = url.startsWith(`${WATCHED_SCHEME}fs/promises`);
  const names = Object.keys(isPromises ? fsPromises : fs).filter((name) => /^[A-Za-z_]\w*$/.test(name));
  return [
    `const watched = globalThis[Symbol.for('ballast.watched modules')].get(${number}).${isPromises ? 'promises' : 'fs'};`,
    'export default watched;',
    `export const { ${names.join(', ')} } = watched;`,
  ].join('\n');
}

function watchedFiles(readings: Readings, view: OutsideView | undefined): Pick<Watch, 'fs' | 'promises'> {
  /** A strategy may read its file at every bar. */
  const shown = new Map<string, Buffer | string>();
  const read = (file: unknown, options: unknown, really: () => unknown): unknown => {
    const path = pathOf(file);
    if (path === undefined) {
      readings.unwatched.add('a file descriptor');
      return really();
    }
    const text = shown.get(path) ?? textThrough(path, readings, view);
    shown.set(path, text);
    const bytes = Buffer.from(text);
    const encoding = typeof options === 'string' ? options : (options as { encoding?: BufferEncoding } | undefined)?.encoding;
    return encoding === undefined || encoding === null ? bytes : bytes.toString(encoding as BufferEncoding);
  };
  const readFile = (
    file: Parameters<typeof fsPromises.readFile>[0],
    options?: Parameters<typeof fsPromises.readFile>[1],
  ): Promise<unknown> => Promise.resolve().then(() => read(file, options, () => fsPromises.readFile(file, options ?? null)));
  const promises = { ...fsPromises, ...otherWays(fsPromises, ['open'], readings), readFile };
  const own = {
    readFileSync: (file: Parameters<typeof readFileSync>[0], options?: BufferEncoding) =>
      read(file, options, () => (options === undefined ? readFileSync(file) : readFileSync(file, options))),
    readFile: (file: Parameters<typeof fsPromises.readFile>[0], ...rest: readonly unknown[]): void => {
      const answer = rest.at(-1) as (error: unknown, found?: unknown) => void;
      const options = rest.length > 1 ? rest[0] : undefined;
      readFile(file, options as BufferEncoding).then((found) => answer(null, found), answer);
    },
    createReadStream: (file: unknown, options?: unknown) => Readable.from([read(file, options, () => '')]),
    promises,
  };
  return { promises, fs: { ...fs, ...otherWays(fs, ['openSync', 'open', 'openAsBlob', 'readSync', 'read'], readings), ...own } };
}

/** Left as they are, and told: bytes that are read piece by piece are no table. */
function otherWays(module: object, names: readonly string[], { unwatched }: Readings): object {
  return Object.fromEntries(
    names.map((name) => {
      const real = Reflect.get(module, name) as (...words: readonly unknown[]) => unknown;
      const told = (...words: readonly unknown[]): unknown => {
        unwatched.add(`fs.${name}`);
        return real(...words);
      };
      return [name, told];
    }),
  );
}

function pathOf(file: unknown): string | undefined {
  if (typeof file === 'string') return resolve(file);
  if (file instanceof URL) return fileURLToPath(file);
  return Buffer.isBuffer(file) ? resolve(file.toString()) : undefined;
}

/** The texts of files that were examined, with their tables: each is read once for all views. */
const tables = new Map<string, { readonly bytes: Buffer; readonly table: ReturnType<typeof outsideText> }>();

function textThrough(path: string, { files }: Readings, view: OutsideView | undefined): Buffer | string {
  let known = tables.get(path);
  if (known === undefined) {
    const bytes = readFileSync(path);
    const text = bytes.toString('utf8');
    // What is no text stays as it is.
    known = { bytes, table: Buffer.from(text).equals(bytes) ? outsideText(text) : undefined };
    tables.set(path, known);
  }
  const { bytes, table } = known;
  files.set(path, table);
  return view === undefined || table === undefined || (view.only !== undefined && view.only !== path) ? bytes : table.through(view);
}

/** Years away from any, and at another moment of the hour. */
const CLOCK_SHIFT_MS = 1_234_567_891_234;

/** Makes `fetch` and WebSocket tell of themselves, and the clock and randomness others where that is asked for. Gives the way back. */
function enter({ unwatched }: Readings, isOtherClock: boolean): () => void {
  const { Date: RealDate, fetch: realFetch, WebSocket: RealSocket } = globalThis;
  const realRandom = Math.random;
  const realNow = performance.now.bind(performance);
  globalThis.fetch = (...words) => {
    unwatched.add('fetch');
    return realFetch(...words);
  };
  globalThis.WebSocket = class extends RealSocket {
    constructor(...words: ConstructorParameters<typeof RealSocket>) {
      unwatched.add('WebSocket');
      super(...words);
    }
  };
  if (isOtherClock) {
    const random = new Random(20_261_121);
    const now = (): number => RealDate.now() - CLOCK_SHIFT_MS;
    globalThis.Date = class extends RealDate {
      constructor(...words: readonly unknown[]) {
        super(...((words.length === 0 ? [now()] : words) as [number]));
      }
      static override now(): number {
        return now();
      }
    } as DateConstructor;
    Math.random = () => random.uniform();
    performance.now = () => realNow() + CLOCK_SHIFT_MS;
  }
  return () => {
    Object.assign(globalThis, { Date: RealDate, fetch: realFetch, WebSocket: RealSocket });
    Math.random = realRandom;
    performance.now = realNow;
  };
}
