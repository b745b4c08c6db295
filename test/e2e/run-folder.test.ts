// A run folder in the hands of another process, or written by another version: refused by name or taken over whole, never read in part.
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { runPaper } from '../../src/app/paper.ts';
import type { SessionResult } from '../../src/app/session.ts';
import { replayRun } from '../../src/app/replay.ts';
import { STATE_VERSION } from '../../src/app/session-parts.ts';
import { ByteReader, ByteWriter } from '../../src/domain/bytes.ts';
import { BallastError } from '../../src/domain/errors.ts';
import { FORMAT_VERSION, OLDEST_READABLE_VERSION } from '../../src/journal/codec.ts';
import { Journal } from '../../src/journal/journal.ts';
import { temporaryHome } from '../support/run-app.ts';

const CONFIG = 'paper:\n  timeframeMs: 5m\n  warmupMs: 1d\n  symbols: [BTC/USDT:USDT]\n';
const SEED = 5;
const BARS = 4_000;

function session(home: string, words: string[] = [], stopsAfter = Infinity): Promise<SessionResult> {
  const controller = new AbortController();
  return runPaper({
    home,
    seed: SEED,
    speed: Infinity,
    untilBars: BARS,
    fresh: false,
    signal: controller.signal,
    onNotice: (notice) => words.push(notice),
    onStart: (handle) => {
      const look = setInterval(() => {
        const { events, state } = handle.status();
        if (events < stopsAfter && state !== 'ended') return;
        clearInterval(look);
        controller.abort();
      }, 1);
    },
  });
}

test('F51: a second session on a run that lives is refused by name, and the first trades on', async () => {
  const home = temporaryHome('lease', CONFIG);
  const end = new AbortController();
  let started = (): void => undefined;
  const isStarted = new Promise<void>((resolve) => (started = resolve));
  const request = { home, seed: SEED, speed: 60, fresh: false };
  const first = runPaper({ ...request, signal: end.signal, onStart: () => started() });
  await isStarted;
  await assert.rejects(runPaper({ ...request, signal: new AbortController().signal }), (error) => {
    assert.ok(error instanceof BallastError && error.code === 'RUN_ALIVE', String(error));
    assert.match(error.message, /the same session running in process \d+, expected one process for a run/);
    return true;
  });
  end.abort();
  assert.equal((await first).outcome, 'stopped');
});

describe('a run folder of another version', () => {
  let whole: SessionResult;
  let interrupted: SessionResult;
  const interruptedHome = temporaryHome('upgrade', CONFIG);

  before(async () => {
    whole = await session(temporaryHome('whole', CONFIG));
    interrupted = await session(interruptedHome, [], 2_000);
    assert.ok(interrupted.outcome === 'stopped' && interrupted.status.events < whole.status.events, 'a run that was not at its end');
  });

  function copy(): { readonly home: string; readonly journal: string; readonly runFile: string } {
    const home = temporaryHome('upgrade-copy', CONFIG);
    const folder = join(home, 'runs', basename(interrupted.folder));
    cpSync(interrupted.folder, folder, { recursive: true });
    return { home, journal: join(folder, 'journal.sqlite'), runFile: join(folder, 'run.json') };
  }

  test('F52: a journal of an older and of a newer format is refused with both versions and what to do, and is left as it is', async () => {
    for (const version of [OLDEST_READABLE_VERSION - 1, FORMAT_VERSION + 1]) {
      const { home, journal } = copy();
      const database = new DatabaseSync(journal);
      database.exec(`PRAGMA user_version = ${version}; PRAGMA journal_mode = DELETE`);
      database.close();
      const bytes = readFileSync(journal);
      for (const attempt of [() => session(home), () => replayRun({ home, runId: interrupted.runId })]) {
        await assert.rejects(attempt(), (error) => {
          assert.ok(error instanceof BallastError && error.code === 'JOURNAL_VERSION', String(error));
          assert.match(
            error.message,
            new RegExp(
              `format version ${version}, expected format version ${OLDEST_READABLE_VERSION} to ${FORMAT_VERSION}.*nothing of it was read`,
            ),
          );
          return true;
        });
      }
      assert.deepEqual(readFileSync(journal), bytes);
    }
  });

  test('F52: a state that another version has saved is not read: the run is put together from its recording, and ends as it would have', async () => {
    const { home, journal: path } = copy();
    const journal = Journal.open(path);
    const snapshot = journal.lastSnapshot() ?? assert.fail('an interrupted run has a snapshot');
    const state = new ByteReader(snapshot.bytes);
    const out = new ByteWriter();
    out.count(state.count());
    assert.equal(state.count(), STATE_VERSION);
    out.count(STATE_VERSION - 1);
    out.bytes(new Uint8Array(5_000).fill(7));
    journal.saveSnapshot(snapshot.sequence + 1, out.view());
    journal.close();
    const words: string[] = [];
    const resumed = await session(home, words);
    assert.equal(resumed.runId, interrupted.runId);
    assert.match(words.join('\n'), /saved by another version of Ballast: it is put together again from the whole recording/);
    assert.match(words.join('\n'), /all of them were gone through again/);
    assert.deepEqual([resumed.stateHash, resumed.venueHash], [whole.stateHash, whole.venueHash]);
  });

  test('F52: a run.json of another version is named with what differs, and nothing of its run is taken up', async () => {
    const { home, runFile } = copy();
    const file = JSON.parse(readFileSync(runFile, 'utf8')) as { recipe: { config: { risk: Record<string, unknown> } } };
    file.recipe.config.risk['aRuleOfTomorrow'] = 1;
    writeFileSync(runFile, JSON.stringify(file));
    const words: string[] = [];
    const started = await session(home, words);
    assert.notEqual(started.runId, interrupted.runId, 'another run begins');
    assert.match(words.join('\n'), /run\.json: found .*aRuleOfTomorrow.*expected the run\.json of this version/);
    await assert.rejects(replayRun({ home, runId: interrupted.runId }), { code: 'RUN_FILE_DAMAGED' });
  });
});
