import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { makeFolder } from './make-folder.ts';

describe('makeFolder', () => {
  const root = mkdtempSync(join(tmpdir(), 'ballast-make-folder-'));
  after(() => rmSync(root, { recursive: true, force: true }));

  test('makes a folder with those above it, and leaves one that is there', () => {
    const folder = join(root, 'a', 'b', 'c');
    makeFolder(folder);
    writeFileSync(join(folder, 'kept'), '');
    makeFolder(folder);
    assert.ok(statSync(join(folder, 'kept')).isFile());
  });

  test('a link to a folder is one', () => {
    makeFolder(join(root, 'target'));
    symlinkSync(join(root, 'target'), join(root, 'link'));
    makeFolder(join(root, 'link', 'below'));
    assert.ok(statSync(join(root, 'target', 'below')).isDirectory());
  });

  test('a file in its place, a file above it and a link to nowhere are the errors of the system', () => {
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
    assert.throws(() => makeFolder(join(root, 'file')), { code: 'EEXIST' });
    assert.throws(() => makeFolder(join(root, 'file', 'below')), { code: /^(ENOTDIR|EEXIST)$/ });
    assert.throws(() => makeFolder(join(root, 'dangling')), { code: 'EEXIST' });
  });
});
