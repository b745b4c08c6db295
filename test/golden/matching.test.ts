// The simulated venue against an independent one: matching-reference.py, slow and obvious, says the same of every stream of orders, word for
// word: fills with price, fee and time, positions, funding, liquidations, refusals.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { needs, sharedPath } from '../support/needs.ts';
import { replayed, writtenStream, type Answer, type WrittenStream } from './matching-replay.ts';

const SCRIPT = fileURLToPath(new URL('matching-reference.py', import.meta.url));
const STREAMS = fileURLToPath(new URL('matching-streams.json.gz', import.meta.url));
const unzipped = (path: string): string => gunzipSync(readFileSync(path)).toString();
const streams = streamsOf(unzipped(STREAMS));

function streamsOf(lines: string): readonly WrittenStream[] {
  return lines
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => writtenStream.parse(JSON.parse(line)));
}

function mustAgree(stream: WrittenStream): void {
  const wanted: Answer = { said: stream.said ?? [], cash: stream.cash ?? '', position: stream.position ?? [] };
  const { said, cash, position } = replayed(stream);
  const place = said.findIndex((word, index) => word !== wanted.said[index]);
  if (place >= 0 || said.length !== wanted.said.length) {
    const at = place >= 0 ? place : said.length;
    const before = said.slice(Math.max(0, at - 3), at).join('\n  ');
    assert.fail(`stream ${stream.seed}, word ${at}, after\n  ${before}\nfound    ${said[at]}\nexpected ${wanted.said[at]}`);
  }
  assert.deepEqual({ cash, position }, { cash: wanted.cash, position: wanted.position }, `stream ${stream.seed}`);
}

test('a thousand random streams of orders come to the same, to the last digit', () => {
  assert.equal(streams.length, 1_000);
  for (const stream of streams) mustAgree(stream);
});

test('the committed streams are those that the reference writes', { skip: needs('python3') }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-matching-'));
  try {
    const written = join(folder, 'streams.json.gz');
    const { status, stderr } = spawnSync('python3', [SCRIPT, 'streams', written], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    // Compressed bytes may differ from zlib to zlib; what is in them may not.
    assert.ok(
      unzipped(written) === unzipped(STREAMS),
      'run "python3 test/golden/matching-reference.py streams test/golden/matching-streams.json.gz"',
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('so do streams over windows of real hours and minutes', { skip: needs('shared data') || needs('python3') }, () => {
  const { status, stdout, stderr } = spawnSync('python3', [SCRIPT, 'tapes', sharedPath('data/2_intraday')], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  assert.equal(status, 0, stderr);
  const real = streamsOf(stdout);
  assert.equal(real.length, 200);
  for (const stream of real) mustAgree(stream);
});

test('the streams have enough of everything in them', () => {
  const counts = new Map<string, number>();
  for (const { said = [] } of streams) {
    for (const words of said) {
      const [, kind = ''] = words.split(' ');
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
  }
  for (const [kind, least] of [
    ['filled', 3_000],
    ['funding', 1_500],
    ['liquidated', 100],
    ['amended', 100],
    ['repriced', 100],
    ['rejected', 1_000],
    ['cancelled', 1_000],
    ['expired', 500],
  ] as const) {
    assert.ok((counts.get(kind) ?? 0) >= least, `${kind}: ${counts.get(kind) ?? 0}`);
  }
});
