// Promise 6, every boundary: a run folder cut to what had reached the disk at some commit, resumed, ends as the run that was never cut.
import assert from 'node:assert/strict';
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, describe, test } from 'node:test';
import { runPaper } from '../../src/app/paper.ts';
import type { SessionResult } from '../../src/app/session.ts';
import { replayRun } from '../../src/app/replay.ts';
import { seeded, temporaryHome } from '../support/run-app.ts';
import { journalFacts, readRows } from './journal-facts.ts';
import { tapeDigest } from './killed-session.ts';

/** Some are also replayed as they were killed, before they are resumed. */
const REPLAYED_EVERY = 4;
const SEED = 5;
const UNTIL_BARS = 4_000;
/** A day of warm-up, and decisions every five minutes: many commits for few events. */
const PLAIN = `
paper:
  warmupMs: 1d
  timeframeMs: 5m
  strategies:
    - { strategy: trend, parameters: { fast: 5, slow: 15 } }
    - { strategy: mean-reversion, parameters: { window: 20 } }
`;
/** The same, with every order worked: limits that rest and are called back, slices by the clock. */
const CASES = [
  { name: 'at the market', config: PLAIN, samples: 100 },
  { name: 'by limits first', config: `${PLAIN}execution: { algorithm: limit-first, horizonMs: 2m, postOnly: true }\n`, samples: 12 },
  { name: 'by slices', config: `${PLAIN}execution: { algorithm: almgren-chriss, horizonMs: 4m, slices: 5 }\n`, samples: 6 },
] as const;
const RECORD_BYTES = 64;
const SEGMENT_RECORDS = 65_536;

/** A commit as the file has it. */
interface Boundary {
  /** Rows that were stored with it and before it. */
  readonly rows: number;
  /** Tape records that its last row, and the next commit's last row, come after. */
  readonly tapeOffset: number;
  readonly nextTapeOffset: number;
}

function session(folderHome: string): Promise<SessionResult> {
  return runPaper({
    home: folderHome,
    seed: SEED,
    speed: Infinity,
    untilBars: UNTIL_BARS,
    fresh: false,
    signal: new AbortController().signal,
  });
}

for (const { name, config, samples } of CASES) {
  describe(`a run folder cut at a commit, orders ${name}`, () => {
    const home = temporaryHome('boundaries', config);
    let whole: SessionResult;
    let boundaries: readonly Boundary[];

    before(async () => {
      whole = await session(home);
      boundaries = boundariesOf(whole.folder);
    });

    test(`resumes to the same hashes, rows and tape at ${samples} of its boundaries, the first and the last among them`, async (t) => {
      const random = seeded(SEED);
      const count = boundaries.length;
      assert.ok(count >= samples, `a run of many commits, found ${count}`);
      for (let sample = 0; sample < samples; sample++) {
        const index = Math.round((sample * (count - 1)) / (samples - 1));
        const boundary = boundaries[index];
        assert.ok(boundary !== undefined);
        const cutHome = temporaryHome('cut', config);
        const folder = join(cutHome, 'runs', basename(whole.folder));
        cpSync(whole.folder, folder, { recursive: true });
        // A kill between two commits leaves the tape anywhere between them, in the middle of a record too.
        const ahead = Math.floor(random() * (boundary.nextTapeOffset - boundary.tapeOffset + 1));
        cut(folder, boundary, boundary.tapeOffset + ahead, Math.floor(random() * RECORD_BYTES), random() < 0.5);
        const place = `boundary ${index} of ${count}, after ${boundary.rows} rows and ${boundary.tapeOffset} + ${ahead} tape records`;

        if (sample % REPLAYED_EVERY === 0) {
          const replayed = await replayRun({ home: cutHome, runId: basename(folder) });
          assert.equal(replayed.mismatch, undefined, `replay as it was killed, ${place}`);
        }
        const resumed = await session(cutHome);
        assert.equal(resumed.runId, whole.runId, place);
        assert.equal(resumed.stateHash, whole.stateHash, `state hash, ${place}`);
        assert.equal(resumed.venueHash, whole.venueHash, `hash of the venue, ${place}`);
        assert.equal(readRows(folder).head, readRows(whole.folder).head, `journal, ${place}`);
        assert.equal(tapeDigest(folder), tapeDigest(whole.folder), `tape, ${place}`);
        rmSync(cutHome, { recursive: true });
      }
      t.diagnostic(`${samples} of ${count} boundaries`);
    });

    test('that ends the run is taken up as that end: nothing is said again, and the next session is a new one', async () => {
      for (const hasHash of [true, false]) {
        const endedHome = temporaryHome('ended', config);
        const folder = join(endedHome, 'runs', basename(whole.folder));
        cpSync(whole.folder, folder, { recursive: true });
        if (!hasHash) changeDatabase(folder, (database) => database.exec("DELETE FROM meta WHERE key = 'stateHash'"));
        markAsRunning(folder);
        const taken = await session(endedHome);
        assert.deepEqual([taken.runId, taken.outcome], [whole.runId, whole.outcome]);
        assert.deepEqual([taken.stateHash, taken.venueHash], [whole.stateHash, whole.venueHash]);
        assert.deepEqual(taken.status.equity, whole.status.equity);
        assert.equal(readRows(folder).head, readRows(whole.folder).head);
        assert.equal(tapeDigest(folder), tapeDigest(whole.folder));
        assert.equal((await replayRun({ home: endedHome, runId: whole.runId })).mismatch, undefined);
        assert.notEqual((await session(endedHome)).runId, whole.runId);
      }
    });

    test('has an honest journal and replays', async () => {
      const facts = journalFacts(whole.folder, 1);
      assert.deepEqual(facts.faults, []);
      assert.ok(facts.fills > 50, `a run that trades, found ${facts.fills} fills`);
      assert.equal((await replayRun({ home, runId: whole.runId })).mismatch, undefined);
    });
  });
}

/** Read as SQLite has it: one row a commit. */
function boundariesOf(folder: string): readonly Boundary[] {
  const { rows } = readRows(folder);
  const offsetAfter = (count: number): number => rows[count - 1]?.tapeOffset ?? 0;
  const database = new DatabaseSync(join(folder, 'journal.sqlite'), { readOnly: true });
  const ends = database
    .prepare('SELECT first, rows FROM block ORDER BY first')
    .all()
    .map((block) => Number(block['first']) + Number(block['rows']));
  database.close();
  // Before the first commit too. The last one ends the run, and has a test of its own.
  return [0, ...ends.slice(0, -1)].map((count, index) => ({
    rows: count,
    tapeOffset: offsetAfter(count),
    nextTapeOffset: offsetAfter(ends[index] ?? count),
  }));
}

/** What a kill would have left: rows up to the boundary, snapshots up to there, and the tape as far as it was flushed. */
function cut(folder: string, { rows }: Boundary, records: number, tornBytes: number, isSealed: boolean): void {
  const full = Math.floor(records / SEGMENT_RECORDS);
  changeDatabase(folder, (database) => {
    database.prepare('DELETE FROM block WHERE first >= ?').run(rows);
    // One with as many rows was taken later: the tape had reached the disk up to there.
    database.prepare('DELETE FROM snapshot WHERE rows >= ?').run(rows);
    // The newest full segment may have lost its seal with the process that was about to write it.
    database.prepare('DELETE FROM segment WHERE number > ?').run(isSealed ? full : full - 1);
    database.exec("DELETE FROM meta WHERE key = 'stateHash'");
  });
  for (const name of readdirSync(join(folder, 'tape'))) {
    const path = join(folder, 'tape', name);
    const number = Number.parseInt(name, 10);
    if (number === full + 1) truncateSync(path, RECORD_BYTES * (1 + (records % SEGMENT_RECORDS)) + tornBytes);
    else if (number > full) rmSync(path);
  }
  markAsRunning(folder);
}

function changeDatabase(folder: string, change: (database: DatabaseSync) => void): void {
  const database = new DatabaseSync(join(folder, 'journal.sqlite'));
  change(database);
  database.close();
}

function markAsRunning(folder: string): void {
  const file = join(folder, 'run.json');
  const run = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
  writeFileSync(file, JSON.stringify({ ...run, status: 'running' }));
}
