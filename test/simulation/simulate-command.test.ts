// `ballast simulate` as a user meets it: steps of one seed, sums of many, and what is wrong with the words.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fakeTerminal } from '../../src/cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../../src/cli/program.ts';

async function say(line: string): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const terminal = fakeTerminal();
  const exitCode = await runCommandLine(line.split(' '), terminal);
  return { exitCode, stdout: terminal.stdout.text(), stderr: terminal.stderr.text() };
}

describe('ballast simulate', () => {
  test('prints the steps of a seed, the same each time, and with --verbose the wire', async () => {
    const [one, again, all] = [await say('simulate --seed 7'), await say('simulate --seed 7'), await say('simulate --seed 7 --verbose')];
    assert.equal(one.exitCode, 0, one.stdout);
    const steps = (text: string): string[] => text.split('\n').filter((line) => /^\d\d:\d\d:\d\d\.\d{3} {2}/.test(line));
    assert.deepEqual(steps(one.stdout), steps(again.stdout));
    assert.match(one.stdout, /^00:00:00\.000 {2}life {5}life 1 begins/);
    assert.match(one.stdout, / {2}order {4}\d+-\d+: (buy|sell) /);
    assert.match(one.stdout, / {2}journal {2}order\.filled: /);
    assert.match(one.stdout, /\n1 case, 0 with something that does not hold\n/);
    assert.doesNotMatch(one.stdout, / {2}wire /);
    assert.match(all.stdout, / {2}wire {5}#1 /);
    assert.deepEqual(
      steps(all.stdout).filter((line) => !/^\S+ {2}wire /.test(line)),
      steps(one.stdout),
    );
  });

  test('sums many seeds up as one document', async () => {
    const { exitCode, stdout } = await say('simulate --seeds 1..3 --json');
    const document = JSON.parse(stdout) as { cases: number; broken: unknown[]; counts: Record<string, number> };
    assert.deepEqual([exitCode, document.cases, document.broken], [0, 3, []]);
    assert.ok((document.counts['orders'] ?? 0) > 0 && (document.counts['requests'] ?? 0) > 0);
  });

  test('names what is wrong with a range of seeds', async () => {
    for (const range of ['7', '9..3', 'a..b']) {
      const { exitCode, stderr } = await say(`simulate --seeds ${range}`);
      assert.equal(exitCode, 2);
      assert.match(stderr, new RegExp(`--seeds: found .*${range.replaceAll('.', '\\.')}.*, expected`));
    }
  });
});
