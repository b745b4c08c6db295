// What `ballast doctor` looks at. A check gives the words for what it found, and throws what is wrong.
import { accessSync, constants, existsSync, readFileSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadConfig, type Config } from '../app/config.ts';
import { journalPath, listRuns } from '../app/runs.ts';
import { BallastError } from '../domain/errors.ts';
import { reasonOf } from '../domain/words.ts';
import { openStore } from '../market/history/store.ts';

export interface Place {
  readonly home: string;
  readonly configFile: string | undefined;
}

export type Check = () => Promise<string>;

/** A session writes about 100 MB a day at the speed of the market; below this a day may not fit. */
const LEAST_FREE_BYTES = 500e6;
/** Older runs than these are history. */
const RUNS_LOOKED_AT = 50;

export function all({ home, configFile }: Place): readonly (readonly [string, Check])[] {
  return [
    ['node', checkNode],
    ['home', async () => checkHome(home)],
    ['config', async () => checkConfig(home, configFile)],
    ['stored bars', () => checkStore(home)],
    ['runs', async () => checkRuns(home)],
    ['free space', async () => checkSpace(home)],
    ['port', () => checkPort(home, configFile)],
  ];
}

export function wordsOf(error: unknown): [found: string, remedy: string | null] {
  if (error instanceof BallastError) return [`${error.place}: ${error.found}, expected ${error.expected}`, error.remedy ?? null];
  return [reasonOf(error), null];
}

function wrong(place: string, found: string, expected: string, remedy: string, cause?: unknown): BallastError {
  return new BallastError({ code: 'DOCTOR_FOUND', place, found, expected, remedy, cause });
}

async function checkNode(): Promise<string> {
  const file = new URL('../../package.json', import.meta.url);
  const { dependencies } = JSON.parse(readFileSync(file, 'utf8')) as { readonly dependencies: Readonly<Record<string, string>> };
  const pinned = dependencies['node'] ?? '';
  const major = (version: string): number => Number(version.split('.')[0]);
  if (major(process.versions.node) < major(pinned)) throw wrong('Node', process.versions.node, `${pinned} or later`, 'run npm ci');
  return `${process.versions.node}, pinned ${pinned}`;
}

function checkHome(home: string): string {
  const probe = join(home, `.ballast-doctor-${process.pid}`);
  try {
    if (!existsSync(home)) {
      // It is made by the first run, if its parent allows that.
      accessSync(nearestFolder(home), constants.W_OK);
      return `${home} (made by the first run)`;
    }
    writeFileSync(probe, '');
  } catch (error) {
    const found = reasonOf(error);
    throw wrong(home, found, 'a folder that can be written', 'choose another with --home or BALLAST_HOME, or change its owner', error);
  } finally {
    rmSync(probe, { force: true });
  }
  return home;
}

function checkConfig(home: string, configFile: string | undefined): string {
  loadConfig({ home, file: configFile });
  const path = configFile ?? join(home, 'ballast.yaml');
  return existsSync(path) ? path : 'the defaults: no ballast.yaml here';
}

async function checkStore(home: string): Promise<string> {
  // Asking the store would begin to make it.
  if (!existsSync(join(home, 'data', 'bars'))) return 'none yet';
  const series = await (await openStore(home)).list();
  const rows = series.reduce((sum, each) => sum + each.rows, 0);
  return `${series.length} series, ${rows.toLocaleString('en')} bars`;
}

function checkRuns(home: string): string {
  const damaged: BallastError[] = [];
  const runs = listRuns(home, (damage) => damaged.push(damage));
  const journals = runs.slice(-RUNS_LOOKED_AT).map(({ folder }) => journalPath(folder));
  for (const path of journals) if (existsSync(path)) openJournal(path);
  const [first] = damaged;
  if (first !== undefined) throw first;
  const alive = runs.filter((run) => run.isAlive).length;
  const interrupted = runs.filter((run) => run.status === 'interrupted' || (run.status === 'running' && !run.isAlive)).length;
  return runs.length === 0 ? 'none yet' : `${runs.length}: ${alive} running, ${interrupted} to be gone on with, journals open`;
}

/** Whether SQLite can open and read it; whether it says the truth is for `ballast replay`. */
function openJournal(path: string): void {
  try {
    const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
    try {
      database.prepare('SELECT count(*) FROM sqlite_schema').get();
    } finally {
      database.close();
    }
  } catch (error) {
    const found = reasonOf(error);
    throw wrong(
      path,
      found,
      'a journal that SQLite can read',
      'keep the file; starting its session again goes on with what is clean',
      error,
    );
  }
}

function checkSpace(home: string): string {
  const { bavail, bsize } = statfsSync(nearestFolder(home));
  const free = bavail * bsize;
  const words = `${(free / 1e9).toFixed(1)} GB`;
  if (free < LEAST_FREE_BYTES) {
    throw wrong(home, `${words} free`, `at least ${LEAST_FREE_BYTES / 1e9} GB`, 'free some, or choose another disk with --home');
  }
  return words;
}

/** Undefined where the config is wrong, which its own check says. */
function apiOf(home: string, configFile: string | undefined): Config['api'] | undefined {
  try {
    return loadConfig({ home, file: configFile }).api;
  } catch (error) {
    if (error instanceof BallastError) return undefined;
    throw error;
  }
}

async function checkPort(home: string, configFile: string | undefined): Promise<string> {
  const api = apiOf(home, configFile);
  if (api === undefined) return 'not looked at: the config, which names it, is wrong';
  if (api.port === 0) return 'any free one';
  const error = await listenError(api.port);
  if (error === undefined) return `port ${api.port} is free`;
  // The page of a session that is running has it, and that is as it should be.
  const [session] = listRuns(home, () => undefined).filter((run) => run.isAlive);
  if (session !== undefined) return `port ${api.port} is taken while ${session.runId} runs`;
  throw wrong(
    `port ${api.port}`,
    reasonOf(error),
    'a port that can be listened on',
    'name another with --port or api.port in the config',
    error,
  );
}

function listenError(port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => resolve(error));
    server.listen({ host: '127.0.0.1', port }, () => server.close(() => resolve(undefined)));
  });
}

function nearestFolder(path: string): string {
  let folder = path;
  while (!(existsSync(folder) && statSync(folder).isDirectory()) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}
