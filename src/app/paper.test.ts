// What a session says; what it does is tested from outside, in test/e2e/.
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryHome } from '../../test/support/run-app.ts';
import { BallastError } from '../domain/errors.ts';
import { fakeTerminal } from '../cli/fake-terminal.fixture.ts';
import { runCommandLine } from '../cli/program.ts';
import { runPaper, type PaperRequest } from './paper.ts';
import { resumedWords, type SessionResult } from './session.ts';
import { replayRun } from './replay.ts';

test('a session that goes on says where market time stood, and what of the recording it went through again', () => {
  const at = Date.UTC(2026, 0, 3, 4, 5, 6);
  const words = (sequence: number, followed: number): string => resumedWords('paper-1', { at, sequence }, followed);
  const start = 'resumed paper-1 at market time 2026-01-03T04:05:06Z, where its recording of';
  const kept = 'ends: positions, orders and money are as they were then';
  assert.equal(words(0, 0), 'resumed paper-1 from its beginning: it had recorded no event yet');
  assert.equal(words(1, 1), `${start} 1 event ${kept} (all of them were gone through again to get there)`);
  assert.equal(words(900, 900), `${start} 900 events ${kept} (all of them were gone through again to get there)`);
  assert.equal(
    words(20_001, 1),
    `${start} 20,001 events ${kept} (the last 1, since its latest snapshot, was gone through again to get there)`,
  );
  assert.equal(
    words(20_345, 345),
    `${start} 20,345 events ${kept} (the last 345, since its latest snapshot, were gone through again to get there)`,
  );
  assert.equal(words(20_000, 0), `${start} 20,000 events ${kept} (they are those of its latest snapshot)`);
});

/** Ended by its first bars, so that it is unfinished. */
async function interrupted(
  request: Pick<PaperRequest, 'home'> & Partial<PaperRequest>,
): Promise<SessionResult & { readonly notices: string[] }> {
  const notices: string[] = [];
  const controller = new AbortController();
  const result = await runPaper({
    speed: Infinity,
    fresh: false,
    signal: controller.signal,
    onStart: (handle) => {
      const look = setInterval(() => {
        if (handle.status().events < 500) return;
        clearInterval(look);
        controller.abort();
      }, 5);
    },
    onNotice: (words) => notices.push(words),
    ...request,
  });
  return { ...result, notices };
}

test('an unfinished run of other settings is named with the command that goes on with it', async () => {
  const home = temporaryHome('unfinished');
  const one = await interrupted({ home, seed: 7, symbols: ['BTC/USDT:USDT'], capital: '2500', strategies: ['mean-reversion'] });
  assert.equal(one.outcome, 'stopped');
  const other = await interrupted({ home });
  const flags = '--seed 7 --strategy mean-reversion --symbols BTC/USDT:USDT --capital 2500';
  const start = `unfinished run ${one.runId} has other settings and is left as it is, a new one begins; to go on with it: `;
  assert.deepEqual(other.notices, [`${start}ballast paper --home ${home} ${flags}`]);
  const again = await interrupted({ home, seed: 7, symbols: ['BTC/USDT:USDT'], capital: '2500', strategies: ['mean-reversion'] });
  assert.equal(again.runId, one.runId);
  // What no flag brings back is not promised.
  writeFileSync(join(home, 'ballast.yaml'), 'venue:\n  slippageRatio: 0.01\n');
  const changed = await interrupted({ home });
  assert.deepEqual(changed.notices, [
    `unfinished run ${other.runId} has other settings and is left as it is, a new one begins; to go on with it: repeat its command with the config of then, which is in ${other.folder}`,
  ]);
});

test('a strategy that lives on books has no session on a feed, and none that fills at a close', async () => {
  const home = temporaryHome('bookless');
  const request = { home, strategies: ['book-imbalance'], fresh: false, signal: new AbortController().signal };
  await assert.rejects(
    runPaper({ ...request, feed: 'ws://127.0.0.1:1' }),
    (error: unknown) =>
      error instanceof BallastError &&
      error.code === 'BOOKS_MISSING' &&
      error.exitCode === 2 &&
      error.message.includes('on a feed, which has no books') &&
      error.message.includes('the synthetic market has books'),
  );
  writeFileSync(join(home, 'ballast.yaml'), 'venue:\n  fill: close\n');
  await assert.rejects(runPaper(request), { code: 'ARGUMENT_INVALID', exitCode: 2 });
  assert.equal(existsSync(join(home, 'runs')), false, 'nothing was begun');
});

test('a replay of an interrupted run says up to where it is proved', async () => {
  const home = temporaryHome('replay-interrupted');
  const { runId, stateHash } = await interrupted({ home });
  const replayed = await replayRun({ home, runId });
  assert.deepEqual([replayed.matches, replayed.status, replayed.stateHash], [true, 'interrupted', stateHash]);
  const terminal = fakeTerminal();
  assert.equal(await runCommandLine(['replay', runId, '--home', home], terminal), 0);
  const [line] = terminal.stdout.text().split('\n');
  assert.equal(line, `run ${runId}: the same up to ${replayed.comparedTo}, where it was interrupted`);
  assert.match(replayed.comparedTo ?? '', /^2026-01-\d\dT/);
});
