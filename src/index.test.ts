import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sourceFiles } from '../test/support/source-tree.ts';
import * as ballast from './index.ts';

test('the public API loads no package but zod: a user strategy is there at once', () => {
  const byPath = new Map(sourceFiles('src').map((file) => [file.path, file]));
  const reached = new Set<string>();
  const packages = new Set<string>();
  const open = ['src/index.ts'];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { specifier, path: target, typeOnly } of byPath.get(path)?.imports ?? []) {
      if (typeOnly) continue;
      if (target === undefined) packages.add(specifier);
      else open.push(target);
    }
  }
  assert.deepEqual(
    [...packages].filter((name) => !name.startsWith('node:')),
    ['zod'],
  );
});

test('the public API is a list of names, each of them something', () => {
  assert.ok(Object.keys(ballast).length > 60);
  for (const [name, value] of Object.entries(ballast)) assert.notEqual(value, undefined, name);
});
