// bin/ballast.js under a Node that is too old, which is played by a Node that says so, and under the pinned one.
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ROOT } from './support/source-tree.ts';

/** A command line that says what reaches it, and drains when its launcher is gone. */
const PROGRAM = `
const words: readonly string[] = process.argv.slice(2);
console.log('pid', process.pid);
console.log('major', process.versions.node.split('.')[0]);
console.log('words', JSON.stringify(words));
if (words[0] === 'exit') process.exit(Number(words[1]));
if (words[0] === 'stay') {
  const timer = setInterval(() => {}, 1000);
  const drain = (why: string): void => {
    console.log('heard', why);
    setTimeout(() => clearInterval(timer), 300);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, drain);
  process.on('disconnect', () => drain('disconnect'));
}
if (words[0] === 'deaf') setInterval(() => {}, 1000);
console.log('ready');
`;
const OLD = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })`;
const PINNED_MAJOR = readFileSync(join(ROOT, 'package.json'), 'utf8').match(/"node": "(\d+)\.\d+\.\d+"/)?.[1];

let clone = '';
before(() => {
  clone = mkdtempSync(join(tmpdir(), 'ballast-launcher-'));
  cpSync(join(ROOT, 'bin'), join(clone, 'bin'), { recursive: true });
  writeFileSync(join(clone, 'package.json'), '{"type":"module"}');
  mkdirSync(join(clone, 'src/cli'), { recursive: true });
  writeFileSync(join(clone, 'src/cli/main.ts'), PROGRAM);
  symlinkSync(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
});
after(() => rmSync(clone, { recursive: true }));

interface Launched {
  readonly process: ChildProcess;
  readonly output: () => string;
  /** Resolves once the output has a line that begins so, with the rest of that line. */
  readonly says: (word: string) => Promise<string>;
  /** Resolves with the exit code once the launcher and all that holds its output are gone. */
  readonly ends: Promise<number | null>;
}

function launch(words: readonly string[], { old = true, detached = false, folder = clone } = {}): Launched {
  const launcher = spawn(process.execPath, [...(old ? ['--import', OLD] : []), join(folder, 'bin/ballast.js'), ...words], { detached });
  let output = '';
  for (const stream of [launcher.stdout, launcher.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const says = async (word: string): Promise<string> => {
    for (;;) {
      const line = output.split('\n').find((one) => one === word || one.startsWith(`${word} `));
      if (line !== undefined) return line.slice(word.length + 1);
      await Promise.race([once(launcher.stdout, 'data'), once(launcher, 'close')]);
      assert.ok(launcher.exitCode === null || output.includes(word), `found the end without "${word}" in: ${output}`);
    }
  };
  const ends = once(launcher, 'close').then(([code]: (number | null)[]) => code ?? null);
  return { process: launcher, output: () => output, says, ends };
}

describe('the launcher', { timeout: 60_000 }, () => {
  for (const old of [true, false]) {
    test(`under ${old ? 'an older' : 'the pinned'} Node the program runs on the pinned one with its words and its exit code`, async () => {
      const launched = launch(['exit', '7', '--seed', 'a b'], { old });
      assert.equal(await launched.ends, 7);
      assert.equal(await launched.says('major'), PINNED_MAJOR);
      assert.equal(await launched.says('words'), '["exit","7","--seed","a b"]');
    });
  }

  test('a program that ends by a signal gives 128 and the number of the signal', async () => {
    const launched = launch(['deaf']);
    await launched.says('ready');
    process.kill(Number(await launched.says('pid')), 'SIGKILL');
    assert.equal(await launched.ends, 128 + constants.signals.SIGKILL);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`${signal} to the launcher alone reaches the program once`, async () => {
      const launched = launch(['stay']);
      await launched.says('ready');
      launched.process.kill(signal);
      assert.equal(await launched.ends, 0);
      assert.deepEqual(launched.output().match(/heard .*/g), [`heard ${signal}`]);
    });
  }

  test('Ctrl-C, a signal to the whole group, reaches the program once', async () => {
    const launched = launch(['stay'], { detached: true });
    await launched.says('ready');
    process.kill(-(launched.process.pid ?? NaN), 'SIGINT');
    assert.equal(await launched.ends, 0);
    assert.deepEqual(launched.output().match(/heard .*/g), ['heard SIGINT']);
  });

  test('a program that does not listen ends by the signal', async () => {
    const launched = launch(['deaf']);
    await launched.says('ready');
    launched.process.kill('SIGTERM');
    assert.equal(await launched.ends, 128 + constants.signals.SIGTERM);
  });

  test('when the launcher is killed, the program hears it and drains', async () => {
    const launched = launch(['stay']);
    await launched.says('ready');
    launched.process.kill('SIGKILL');
    await launched.ends;
    assert.match(launched.output(), /heard disconnect/);
  });

  test('without the pinned Node it says what to do', async (t) => {
    const bare = mkdtempSync(join(tmpdir(), 'ballast-bare-'));
    t.after(() => rmSync(bare, { recursive: true }));
    cpSync(join(ROOT, 'bin'), join(bare, 'bin'), { recursive: true });
    writeFileSync(join(bare, 'package.json'), '{"type":"module"}');
    const launched = launch(['--help'], { folder: bare });
    assert.equal(await launched.ends, 1);
    assert.match(
      launched.output(),
      /^ballast: npm package "node": found none, expected version \d+ \(run "npm ci" with install scripts allowed/,
    );
    assert.doesNotMatch(launched.output(), /\n\s+at /);
  });

  test('the version it asks for is the one that package.json pins', () => {
    assert.match(readFileSync(join(ROOT, 'bin/ballast.js'), 'utf8'), new RegExp(`^const PINNED_MAJOR = ${PINNED_MAJOR};$`, 'm'));
  });
});
