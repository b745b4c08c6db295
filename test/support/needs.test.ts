import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { absence } from './needs.ts';

const nowhere = { PATH: join(tmpdir(), 'no-such-folder'), BALLAST_SHARED: join(tmpdir(), 'no-such-folder') };

test('an absent program is a skip that says how to get it', () => {
  assert.match(String(absence('python3', nowhere)), /^needs python3: run "npm run provision"/);
});

test('an absent program is a failure when every test is asked for', () => {
  assert.throws(
    () => absence('python3', { ...nowhere, BALLAST_TEST_ALL: '1' }),
    /python3: found none, expected it with BALLAST_TEST_ALL=1/,
  );
});

test('absent shared data is a skip and never a failure', () => {
  assert.match(String(absence('shared data', { ...nowhere, BALLAST_TEST_ALL: '1' })), /^needs shared data: set BALLAST_SHARED/);
});

test('what is there is no reason to skip', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-shared-'));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'data'));
  assert.equal(absence('shared data', { BALLAST_SHARED: folder }), false);
});
