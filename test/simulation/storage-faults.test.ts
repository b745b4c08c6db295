// A disk that fails, a file that is locked, a process that is killed: nothing leaves the process that is not recorded, and what is recorded is
// not lost. The journal is the real one on a real disk.
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { SessionRecorder } from '../../src/app/session-recorder.ts';
import { BallastError } from '../../src/domain/errors.ts';
import type { ExecutionSettings } from '../../src/execution/tickets.ts';
import { MINUTE_MS } from '../../src/domain/time.ts';
import { connectSqlite, type Connect } from '../../src/journal/database.ts';
import { Journal } from '../../src/journal/journal.ts';
import { SAMPLES } from '../../src/journal/sample-entries.ts';
import { RECORD_BYTES, TapeReader, TapeWriter } from '../../src/journal/tape.ts';
import { startNode } from '../support/run-app.ts';
import { bars, flat, single, stances, START, TestSession, type SessionParts } from '../support/session.ts';

const folder = mkdtempSync(join(tmpdir(), 'ballast-storage-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;
const freshFolder = (): string => mkdtempSync(join(folder, `${folders++}-`));

/** Ids of orders that a journal holds. */
function intendedIn(journal: Journal): Set<string> {
  const ids = new Set<string>();
  for (const { entry } of journal.rows()) {
    if (entry.kind === 'order.intended') for (const { id } of [entry.intent, ...entry.intent.attached]) ids.add(id);
  }
  return ids;
}

interface Watched {
  readonly run: TestSession;
  readonly journal: Journal;
  readonly path: string;
  /** What left the process, in order. */
  readonly sent: string[];
  readonly cancelled: string[];
}

/** A session over a journal on disk, whose every word to the venue is seen. */
function watched(parts: SessionParts, connect: Connect = connectSqlite): Watched {
  const place = freshFolder();
  const path = join(place, 'journal.sqlite');
  const journal = Journal.create(path, { durability: 'every-commit', connect });
  const recorder = new SessionRecorder(journal, TapeWriter.open(join(place, 'tape'), journal), true);
  const run = new TestSession({ ...parts, recorder });
  const sent: string[] = [];
  const cancelled: string[] = [];
  const submit = run.venue.submit.bind(run.venue);
  const cancel = run.venue.cancel.bind(run.venue);
  run.venue.submit = (intent) => {
    sent.push(intent.id);
    submit(intent);
  };
  run.venue.cancel = (intent) => {
    cancelled.push(intent.order);
    cancel(intent);
  };
  return { run, journal, path, sent, cancelled };
}

const busy: SessionParts = { bars: [bars(flat(40, 100))], sleeves: [single(0, (bar) => (bar % 4 < 2 ? 0 : 1))] };

describe('F27: a kill before the journal has an intent', () => {
  test('F27: what a kill would leave on disk holds every order at the moment it leaves', async () => {
    const { run, journal, path } = watched(busy);
    let orders = 0;
    const submit = run.venue.submit.bind(run.venue);
    run.venue.submit = (intent) => {
      // As another process would find the file.
      const left = Journal.open(path, { readOnly: true });
      assert.ok(intendedIn(left).has(intent.id), `order ${intent.id} left before it was recorded`);
      left.close();
      orders++;
      submit(intent);
    };
    await run.run();
    journal.close();
    assert.ok(orders >= 10, `${orders} orders`);
  });

  test('F32: what a power cut would leave when an order leaves has the tape up to it, though its file was not waited for', async () => {
    const { run, journal, path } = watched(busy);
    const tape = join(dirname(path), 'tape');
    let kept = 0;
    const submit = run.venue.submit.bind(run.venue);
    run.venue.submit = (intent) => {
      const tail = journal.tapeTail();
      assert.ok(tail !== undefined);
      // Of the file there is what had arrived on the disk before.
      const left = join(freshFolder(), 'tape');
      cpSync(tape, left, { recursive: true });
      truncateSync(join(left, '000001.tape'), (tail.from + 1) * RECORD_BYTES);
      const reader = TapeReader.open(left, journal);
      assert.equal(reader.end, journal.lastTapeOffset);
      const [lost, whole] = [reader, TapeReader.open(tape, journal)].map((each) => {
        const events: unknown[] = [];
        for (let event = each.next(); event !== undefined; event = each.next()) events.push({ ...event });
        return events;
      });
      assert.deepEqual(lost, whole);
      kept += tail.bytes.length;
      submit(intent);
    };
    await run.run();
    journal.close();
    assert.ok(kept > 0);
  });

  for (const when of ['before', 'after'] as const) {
    test(`F27: SIGKILL a moment ${when} a block is stored: nothing was sent that is not in it`, { timeout: 60_000 }, async () => {
      const place = freshFolder();
      const ended = await startNode([join(import.meta.dirname, 'trade-until-killed.ts'), place, when, '13']).ended;
      assert.equal(ended.signal, 'SIGKILL', ended.stderr);
      const sent = readFileSync(join(place, 'sent.txt'), 'utf8').split('\n').filter(Boolean);
      const journal = Journal.open(join(place, 'journal.sqlite'));
      assert.deepEqual(journal.damage, []);
      const intended = intendedIn(journal);
      journal.close();
      assert.ok(sent.length > 3, 'it had traded');
      assert.deepEqual(
        sent.filter((id) => !intended.has(id)),
        [],
      );
      // A moment before, the order that was about to be recorded is neither here nor there; a moment after, it is here and has not left.
      const unsent = [...intended].filter((id) => !sent.includes(id) && !/-[23]$/.test(id));
      assert.equal(unsent.length, when === 'after' ? 1 : 0);
    });
  }
});

/** From the moment that it is told to, every write fails as SQLite says it. */
function failing(fault: 'full' | 'read-only' | 'fsync', isBroken: () => boolean): Connect {
  return (path, readOnly) => {
    const database = connectSqlite(path, readOnly);
    let isSet = false;
    const strike = (): void => {
      if (!isBroken()) return;
      if (fault === 'fsync') throw new Error('disk I/O error');
      if (!isSet) database.execute(fault === 'full' ? 'PRAGMA max_page_count = 1' : 'PRAGMA query_only = ON');
      isSet = true;
    };
    return {
      ...database,
      execute(sql) {
        if (!sql.startsWith('ROLLBACK')) strike();
        database.execute(sql);
      },
      run(sql, ...values) {
        strike();
        database.run(sql, ...values);
      },
    };
  };
}

/** So many words that their row does not fit where there is room left. */
const wordy = (): unknown => ({ because: 'because '.repeat(5_000), numbers: {} });

/** A few of them are more than may wait beside a file. */
const wordier = (): unknown => ({ because: 'because '.repeat(2 << 20), numbers: {} });

const FOUND = { full: /database or disk is full/, 'read-only': /readonly database/, fsync: /disk I\/O error/ } as const;
const RESTING: ExecutionSettings = {
  algorithm: 'limit-first',
  horizonMs: 30 * MINUTE_MS,
  postOnly: false,
  slices: 3,
  urgency: 0,
  participationRatio: 0.1,
  displayRatio: 0.5,
};

describe('F33: a journal that cannot be written', () => {
  for (const fault of ['full', 'read-only', 'fsync'] as const) {
    test(`F33: a disk that is ${fault}: trading halts, nothing unrecorded leaves, entries that rest are called back, stops stay`, async () => {
      let isBroken = false;
      const { run, journal, path, sent, cancelled } = watched(
        {
          // The first is bought at the market's open and protected; the second rests as a limit that the market has left behind.
          bars: [bars(flat(30, 100)), bars([50, 50, 50, 50, 50, [51, 52, 51, 52], ...flat(24, 52)])],
          sleeves: [
            single(0, stances([0, 1])),
            single(1, (bar) => (bar < 4 ? 0 : 1)),
            single(0, (bar) => (bar < 12 ? 0 : 1), { explains: wordy }),
          ],
          desk: { execution: RESTING },
        },
        failing(fault, () => isBroken),
      );
      run.onEvent = ({ at }) => {
        if (run.barAt(at) >= 10) isBroken = true;
      };
      const failure = await run.run().then(
        () => assert.fail('the session ends'),
        (error: unknown) => error,
      );
      assert.ok(failure instanceof BallastError && failure.code === 'JOURNAL_WRITE_FAILED', String(failure));
      assert.match(failure.message, FOUND[fault]);
      assert.throws(() => journal.append(SAMPLES['pause.ended'], 1_000_000, 1_000_000), { code: 'JOURNAL_WRITE_FAILED' });

      const recorded = Journal.open(path, { readOnly: true });
      assert.deepEqual(recorded.damage, []);
      const intended = intendedIn(recorded);
      recorded.close();
      assert.deepEqual(
        sent.filter((id) => !intended.has(id)),
        [],
        'no order that is not recorded',
      );
      const open = run.engine.desk.tracker.open;
      const entries = open.filter(({ intent }) => intent.role === 'target' && !intent.reduceOnly && sent.includes(intent.id));
      assert.ok(entries.length > 0, 'an entry was resting');
      assert.deepEqual(
        cancelled.slice(-entries.length),
        entries.map(({ intent }) => intent.id),
      );
      const stops = open.filter(({ intent }) => intent.role !== 'target').map(({ intent }) => intent.id);
      assert.ok(!stops.some((id) => cancelled.includes(id)), 'what protects stays');
    });
  }
});

interface Lock {
  /** By the clock of the machine. */
  readonly releasedAt: () => number;
  readonly ended: Promise<unknown>;
}

/** Another thread takes the file's write lock, and lets it go after so long. Resolves once it has it. */
async function lockFor(path: string, ms: number): Promise<Lock> {
  const released = new Float64Array(new SharedArrayBuffer(8));
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(workerData.path, { timeout: 10_000 });
    database.exec('BEGIN IMMEDIATE');
    parentPort.postMessage('locked');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, workerData.ms);
    workerData.released[0] = Date.now();
    database.exec('ROLLBACK');
    database.close();
  `;
  const worker = new Worker(source, { eval: true, workerData: { path, ms, released } });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  return { releasedAt: () => released[0] ?? NaN, ended };
}

describe('F34: a database that is locked or slow', () => {
  test('F34: locked for 5 s by somebody else: orders do not wait, each is recorded before it leaves, and nothing is lost', async () => {
    const { run, journal, path, sent } = watched(busy);
    await run.run({ until: START + 8 * run.plan.baseTimeframeMs });
    const before = sent.length;
    const lock = await lockFor(path, 5_000);
    const submit = run.venue.submit.bind(run.venue);
    let recorded = 0;
    run.venue.submit = (intent) => {
      // As another process would find the files, the lock among them.
      const left = Journal.open(path, { readOnly: true });
      assert.ok(intendedIn(left).has(intent.id), `order ${intent.id} left before it was recorded`);
      left.close();
      recorded++;
      submit(intent);
    };
    const began = performance.now();
    await run.run();
    const tookMs = performance.now() - began;
    assert.equal(lock.releasedAt(), 0, 'still locked');
    assert.ok(recorded > 3 && sent.length === before + recorded);
    assert.ok(tookMs < 5_000, `the rest of the session took ${tookMs.toFixed(0)} ms`);
    assert.ok(journal.isBehind);
    journal.commit();
    const rows = [...journal.rows()].length;
    // Killed here, while it is locked: what was told as recorded is.
    const place = freshFolder();
    for (const end of ['', '-wal', '-ahead']) copyFileSync(path + end, join(place, `journal.sqlite${end}`));
    const killed = Journal.open(join(place, 'journal.sqlite'));
    assert.deepEqual([killed.damage, killed.rowCount, killed.head(), killed.isBehind], [[], rows, journal.head(), false]);
    killed.close();
    assert.deepEqual(readdirSync(place), ['journal.sqlite']);
    // The end waits for the file.
    journal.close();
    assert.ok(lock.releasedAt() > 0);
    await lock.ended;
    const again = Journal.open(path, { readOnly: true });
    assert.deepEqual([again.damage, again.rowCount, again.head()], [[], rows, killed.head()]);
    again.close();
    const undisturbed = new TestSession(busy);
    await undisturbed.run();
    assert.equal(run.stateHash, undisturbed.stateHash);
  });

  test('F34: locked for longer than a file beside it may grow is a write that failed: nothing unrecorded leaves', async () => {
    const { run, journal, path, sent } = watched({ ...busy, sleeves: [single(0, (bar) => (bar % 4 < 2 ? 0 : 1), { explains: wordier })] });
    await run.run({ until: START + 8 * run.plan.baseTimeframeMs });
    const before = sent.length;
    const locking = new DatabaseSync(path);
    locking.exec('BEGIN IMMEDIATE');
    await assert.rejects(run.run(), { code: 'JOURNAL_WRITE_FAILED', found: /locked/ });
    const left = Journal.open(path, { readOnly: true });
    const intended = intendedIn(left);
    left.close();
    assert.ok(sent.length > before, 'it went on for as long as there was room');
    assert.deepEqual(
      sent.filter((id) => !intended.has(id)),
      [],
    );
    locking.exec('ROLLBACK');
    locking.close();
    journal.close();
  });

  test('F34: every write slow: the same run to the same hash', async () => {
    const slow: Connect = (path, readOnly) => {
      const database = connectSqlite(path, readOnly);
      const pause = new Int32Array(new SharedArrayBuffer(4));
      return {
        ...database,
        run(sql, ...values) {
          Atomics.wait(pause, 0, 0, 10);
          database.run(sql, ...values);
        },
      };
    };
    const { run, journal } = watched(busy, slow);
    await run.run();
    journal.close();
    const undisturbed = new TestSession(busy);
    await undisturbed.run();
    assert.equal(run.stateHash, undisturbed.stateHash);
  });
});
