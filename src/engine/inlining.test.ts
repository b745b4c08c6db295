import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';

test('a loop is compiled in larger pieces, in words that this Node knows', () => {
  const module = JSON.stringify(new URL('inlining.ts', import.meta.url).href);
  const source = `import { inlineMore } from ${module}; inlineMore(); import('node:v8').then((v8) => v8.setFlagsFromString(process.argv[1]));`;
  const told = (flag: string): string =>
    spawnSync(process.execPath, ['--input-type=module', '--eval', source, '--', flag], { encoding: 'utf8' }).stderr;
  assert.equal(told('--max-inlined-bytecode-size=1500'), '');
  // A word that V8 does not know it tells, and goes on: the silence above says something.
  assert.match(told('--max-inlined-bytecode-sighs=1'), /unrecognized flag/);
});
