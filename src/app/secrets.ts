// Files with secrets are for their owner's eyes: whoever else may read a key may trade with it.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BallastError } from '../domain/errors.ts';

/** A variable with a value. */
const SECRET = /^[ \t]*(?:export[ \t]+)?[A-Z_]*(?:API_KEY|API_SECRET|TOKEN|PASSWORD)[ \t]*=[ \t]*\S/m;
const OTHERS_BITS = 0o077;

/** `.env` of the current folder, which is read, and of the home, which looks as if it were. @throws BallastError SECRETS_EXPOSED */
export function mustBePrivate(home: string, current: string = process.cwd()): void {
  // There are no such bits on Windows, where a file of a user's folder is that user's.
  if (process.platform === 'win32') return;
  for (const path of new Set([join(current, '.env'), join(resolve(home), '.env')])) {
    if (!existsSync(path)) continue;
    const mode = statSync(path).mode & 0o777;
    if ((mode & OTHERS_BITS) === 0 || !SECRET.test(readFileSync(path, 'utf8'))) continue;
    throw new BallastError({
      code: 'SECRETS_EXPOSED',
      place: path,
      found: `mode ${mode.toString(8)}: others of this machine may read its secrets`,
      expected: 'mode 600',
      remedy: `chmod 600 ${path}, and make new keys where others were here`,
      exitCode: 2,
    });
  }
}
