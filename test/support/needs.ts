// What a suite needs from outside this package. Absent, it is skipped with one visible line that says how to get it;
// with BALLAST_TEST_ALL=1 it fails instead. Shared data alone may be absent anywhere.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from './source-tree.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface OutsideNeed {
  isThere(environment: Environment): boolean;
  readonly remedy: string;
  /** Its absence is never a failure. */
  readonly mayBeAbsent: boolean;
}

/** One line for each program: how to see that it is there. */
const NEEDS = {
  python3: {
    isThere: (environment) => runs(environment, 'python3', '-c', 'import sys; sys.exit(sys.version_info < (3, 9))'),
    remedy: 'run "npm run provision", or install Python 3.9 or later as python3',
    mayBeAbsent: false,
  },
  'shared data': {
    isThere: (environment) => existsSync(join(sharedFolder(environment), 'data')),
    remedy: 'set BALLAST_SHARED to the folder that holds data/, or put it beside the clone as ../shared',
    mayBeAbsent: true,
  },
} as const satisfies Record<string, OutsideNeed>;

export type Need = keyof typeof NEEDS;

const answers = new Map<Need, false | string>();

/**
 * For the `skip` of a test or a suite: false when it is there, otherwise why the test is skipped.
 * @throws when it is absent and BALLAST_TEST_ALL=1, unless it may be absent
 */
export function needs(need: Need): false | string {
  const known = answers.get(need);
  if (known !== undefined) return known;
  const why = absence(need, process.env);
  if (why !== false) console.log(`SKIPPED: ${why}`);
  answers.set(need, why);
  return why;
}

/** The same without a word, and for any environment. */
export function absence(need: Need, environment: Environment): false | string {
  const outside: OutsideNeed = NEEDS[need];
  if (outside.isThere(environment)) return false;
  if (!outside.mayBeAbsent && environment['BALLAST_TEST_ALL'] === '1') {
    throw new Error(`${need}: found none, expected it with BALLAST_TEST_ALL=1 (${outside.remedy})`);
  }
  return `needs ${need}: ${outside.remedy}`;
}

/** A path in the shared folder, which is BALLAST_SHARED or `../shared` beside the clone. */
export function sharedPath(relative: string): string {
  return join(sharedFolder(process.env), relative);
}

function sharedFolder(environment: Environment): string {
  return resolve(environment['BALLAST_SHARED'] ?? join(ROOT, '..', 'shared'));
}

function runs(environment: Environment, program: string, ...args: string[]): boolean {
  return spawnSync(program, args, { env: { ...environment }, stdio: 'ignore' }).status === 0;
}
