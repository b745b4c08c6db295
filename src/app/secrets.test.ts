import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/run-app.ts';
import { mustBePrivate } from './secrets.ts';

test(
  'a .env with a secret that others may read is refused, in the current folder and in the home',
  { skip: process.platform === 'win32' },
  () => {
    const [home, current] = [temporaryFolder('home'), temporaryFolder('current')];
    mustBePrivate(home, current);
    for (const folder of [home, current]) {
      const path = join(folder, '.env');
      writeFileSync(path, 'BYBIT_API_KEY=abc\n');
      for (const mode of [0o644, 0o640, 0o604, 0o602]) {
        chmodSync(path, mode);
        assert.throws(() => mustBePrivate(home, current), {
          code: 'SECRETS_EXPOSED',
          place: path,
          found: new RegExp(`mode ${mode.toString(8)}`),
        });
      }
      for (const mode of [0o600, 0o400]) {
        chmodSync(path, mode);
        mustBePrivate(home, current);
      }
    }
  },
);

test('a .env without a secret may be read by everybody', () => {
  const home = temporaryFolder('home');
  writeFileSync(join(home, '.env'), '#BYBIT_API_KEY=\nBYBIT_API_KEY=\nBALLAST_HOME=/x\n', { mode: 0o644 });
  mustBePrivate(home, home);
});
