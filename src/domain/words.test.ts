import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { counted, fixed, percent, reasonOf } from './words.ts';

test('a ratio is a percentage with two decimals, and nothing has no sign', () => {
  assert.deepEqual([0.125, -0.5, 0, -0.00001, 1].map(percent), ['12.50 %', '-50.00 %', '0.00 %', '0.00 %', '100.00 %']);
  assert.deepEqual([fixed(-0.04, 1), fixed(-0.05, 2)], ['0.0', '-0.05']);
});

test('one is not many', () => {
  assert.deepEqual(
    [0, 1, 2, 1_234_567].map((count) => counted(count, 'row')),
    ['0 rows', '1 row', '2 rows', '1,234,567 rows'],
  );
});

test('a refusal of the system is said in words with its path, and every other reason as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-words-'));
  const reason = (work: () => unknown): string => {
    try {
      work();
    } catch (error) {
      return reasonOf(error);
    }
    return assert.fail('nothing was thrown');
  };
  try {
    assert.equal(
      reason(() => readFileSync(join(folder, 'absent'))),
      `no such file or folder: ${join(folder, 'absent')}`,
    );
    writeFileSync(join(folder, 'file'), '');
    assert.equal(
      reason(() => readFileSync(join(folder, 'file', 'below'))),
      `a file where a folder should be: ${join(folder, 'file', 'below')}`,
    );
    assert.equal(reasonOf(Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', path: '/x' }), '/x'), 'no permission');
    // Node does not say the path of a read.
    assert.equal(
      reason(() => readFileSync(folder)),
      'a folder and no file',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
  assert.equal(reasonOf(new Error('no JSON')), 'no JSON');
  assert.equal(reasonOf('thrown as it is'), 'thrown as it is');
});
