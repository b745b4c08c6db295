import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { ByteWriter } from '../domain/bytes.ts';
import type { Entry, JournalRow } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import { anyEntry } from './any-entry.ts';
import { childRow } from './append-until-killed.ts';
import { encodeRow, FORMAT_VERSION, OLDEST_READABLE_VERSION } from './codec.ts';
import { connectSqlite, type Connect, type Database } from './database.ts';
import { Journal, type Durability } from './journal.ts';
import { SAMPLES } from './sample-entries.ts';

const samples: readonly Entry[] = Object.values(SAMPLES);
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ballast-journal-'));
let files = 0;
const freshPath = (): string => join(folder, `journal-${++files}.sqlite`);

after(() => rmSync(folder, { recursive: true, force: true }));

test('rows come back as they were appended, before and after they are stored', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'every-commit', meta: { config: '{"a":1}' } });
  const rows = appendSamples(journal, 0, 10);
  assert.equal(journal.storedRowCount, 0);
  assert.deepEqual([...journal.rows()], rows, 'rows that wait in memory can be read');
  journal.commit();
  rows.push(...appendSamples(journal, 10, 28));
  assert.deepEqual([...journal.rows()], rows);
  assert.deepEqual([journal.rowCount, journal.storedRowCount, journal.lastSequence, journal.lastTapeOffset], [28, 10, 14, 270]);
  const head = journal.head();
  journal.close();
  assert.equal(existsSync(`${path}-wal`), false, 'a closed journal is one file');

  const again = Journal.open(path);
  assert.deepEqual(again.damage, []);
  assert.deepEqual([...again.rows()], rows);
  assert.deepEqual([again.rowCount, again.storedRowCount, again.lastSequence, again.lastTapeOffset, again.head()], [28, 28, 14, 270, head]);
  assert.equal(again.getMeta('config'), '{"a":1}');
  again.append(SAMPLES['pause.ended'], 99, 270);
  again.close();
  assert.notEqual(Journal.open(path, { readOnly: true }).head(), head);
});

test('rows can be read from any sequence and from any row on', () => {
  const journal = Journal.create(freshPath(), { durability: 'every-commit' });
  const rows: JournalRow[] = [];
  for (let from = 0; from < 28; from += 3) {
    rows.push(...appendSamples(journal, from, Math.min(28, from + 3)));
    if (from < 21) journal.commit();
  }
  for (let sequence = 0; sequence <= 16; sequence++) {
    assert.deepEqual(
      [...journal.rows(sequence)],
      rows.filter((row) => row.sequence >= sequence),
      `from sequence ${sequence}`,
    );
  }
  for (let count = 0; count <= 29; count++) assert.deepEqual([...journal.rowsFrom(count)], rows.slice(count), `from row ${count}`);
  journal.close();
});

test('a reader sees rows that are appended while it reads, and may stop early', () => {
  const journal = Journal.create(freshPath(), { durability: 'every-commit' });
  appendSamples(journal, 0, 4);
  journal.commit();
  const reader = journal.rows();
  assert.equal(reader.next().value?.entry.kind, samples[0]?.kind);
  appendSamples(journal, 4, 8);
  journal.commit();
  assert.equal([...reader].length, 7);
  for (const row of journal.rows()) if (row.sequence > 0) break;
  journal.close();
});

test('observers are handed every entry', () => {
  const journal = Journal.create(freshPath(), { durability: 'at-end' });
  const seen: Omit<JournalRow, 'tapeOffset'>[] = [];
  journal.onEntry((entry, sequence) => seen.push({ entry, sequence }));
  const rows = appendSamples(journal, 0, 28);
  assert.deepEqual(
    seen,
    rows.map(({ entry, sequence }) => ({ entry, sequence })),
  );
  journal.close();
});

test('the digest is the SHA-256 of all row bytes, however they were grouped', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ entry: anyEntry, commits: fc.boolean() }), { maxLength: 30 }), (steps) => {
      const out = new ByteWriter();
      for (const [index, { entry }] of steps.entries()) encodeRow(out, entry, index + 1, index);
      const expected = createHash('sha256').update(out.view()).digest('hex');
      for (const durability of ['every-commit', 'at-end'] as const) {
        const path = freshPath();
        let journal = Journal.create(path, { durability });
        for (const [index, { entry, commits }] of steps.entries()) {
          journal.append(entry, index + 1, index);
          if (!commits) continue;
          journal.commit();
          if (index % 7 === 3) {
            journal.close();
            journal = Journal.open(path, { durability });
          }
        }
        assert.equal(journal.head(), expected);
        journal.close();
        assert.equal(independentDigest(path), expected);
        rmSync(path);
      }
    }),
    { numRuns: 25 },
  );
});

test('F26: at-end writes in blocks of about a megabyte and never holds more than a few', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'at-end' });
  let most = 0;
  for (let row = 1; row <= 60_000; row++) {
    journal.append(SAMPLES['order.filled'], row, row);
    if (row < 30_000) journal.commit();
    most = Math.max(most, journal.rowCount - journal.storedRowCount);
  }
  assert.ok(most * 60 < 5 << 20, `${most} rows waited`);
  journal.close();
  const database = new DatabaseSync(path, { readOnly: true });
  const { blocks } = database.prepare('SELECT count(*) AS blocks FROM block').get() ?? {};
  database.close();
  assert.ok(Number(blocks) >= 2 && Number(blocks) <= 4, `${String(blocks)} blocks`);
  assert.equal(Journal.open(path, { readOnly: true }).rowCount, 60_000);
});

test('meta values and segments are kept', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'every-commit', meta: { status: 'running' } });
  journal.setMeta('status', 'finished');
  assert.equal(journal.getMeta('nothing'), undefined);
  const segments = [1, 2, 3].map((number) => ({ number, firstRecord: (number - 1) * 8, records: 8, sha256: 'ab'.repeat(32) }));
  for (const segment of segments) journal.saveSegment(segment);
  journal.dropSegments(3, Infinity);
  journal.close();
  const again = Journal.open(path);
  assert.equal(again.getMeta('status'), 'finished');
  assert.deepEqual(again.segments(), segments.slice(0, 2));
  again.dropSegments(1, 1);
  assert.deepEqual(again.segments(), segments.slice(1, 2));
  again.close();
});

test('the last two snapshots are kept, and a damaged one gives way to the one before it', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'at-end' });
  assert.equal(journal.lastSnapshot(), undefined);
  for (let sequence = 1; sequence <= 4; sequence++) {
    journal.append(SAMPLES['day.started'], sequence, sequence);
    journal.saveSnapshot(sequence, Uint8Array.of(sequence, 1, 2, 3));
  }
  journal.append(SAMPLES['pause.ended'], 5, 5);
  assert.deepEqual(journal.lastSnapshot(), { sequence: 4, rows: 4, bytes: Uint8Array.of(4, 1, 2, 3) });
  journal.close();

  const database = new DatabaseSync(path);
  assert.deepEqual(
    database
      .prepare('SELECT sequence FROM snapshot ORDER BY sequence')
      .all()
      .map(({ sequence }) => sequence),
    [3, 4],
  );
  database.exec("UPDATE snapshot SET bytes = x'04010204' WHERE sequence = 4");
  database.close();
  const again = Journal.open(path);
  const told: BallastError[] = [];
  assert.equal(again.lastSnapshot((damage) => told.push(damage))?.sequence, 3);
  assert.match(told[0]?.message ?? '', /snapshot: found a row \(sequence 4.*does not match its seal/);
  assert.deepEqual(
    [...again.rowsFrom(3)].map(({ sequence }) => sequence),
    [4, 5],
  );
  again.append(SAMPLES['pause.ended'], 6, 6);
  again.saveSnapshot(6, Uint8Array.of(6));
  assert.equal(again.lastSnapshot()?.sequence, 6);
  again.close();
  const rest = new DatabaseSync(path, { readOnly: true });
  assert.deepEqual(
    rest
      .prepare('SELECT sequence FROM snapshot ORDER BY sequence')
      .all()
      .map(({ sequence }) => sequence),
    [3, 6],
    'the damaged one is gone',
  );
  rest.close();
});

test('F52: what is no journal of this version is refused by name', () => {
  assert.throws(() => Journal.open(join(folder, 'nothing')), { code: 'JOURNAL_MISSING' });
  const empty = freshPath();
  writeFileSync(empty, '');
  assert.throws(() => Journal.open(empty), { code: 'JOURNAL_UNREADABLE', place: empty, found: 'an empty file' });
  const text = freshPath();
  writeFileSync(text, 'no database at all, but long enough to look like one '.repeat(20));
  assert.throws(() => Journal.open(text), { code: 'JOURNAL_UNREADABLE', place: text, found: 'file is not a database' });
  const other = freshPath();
  alter(other, 'CREATE TABLE t(a)');
  assert.throws(() => Journal.open(other), { code: 'JOURNAL_UNREADABLE', found: 'a database that is no journal of Ballast' });

  const newer = smallJournal();
  alter(newer, `PRAGMA user_version = ${FORMAT_VERSION + 1}`);
  assert.throws(() => Journal.open(newer), { code: 'JOURNAL_VERSION', place: newer, found: `format version ${FORMAT_VERSION + 1}` });
  const older = smallJournal();
  alter(older, `PRAGMA user_version = ${OLDEST_READABLE_VERSION - 1}`);
  assert.throws(() => Journal.open(older), { code: 'JOURNAL_VERSION', found: `format version ${OLDEST_READABLE_VERSION - 1}` });
  const changed = smallJournal();
  alter(changed, 'ALTER TABLE meta ADD COLUMN more');
  assert.throws(() => Journal.open(changed), { code: 'JOURNAL_UNREADABLE', found: 'other tables than a journal has' });
  const path = smallJournal();
  assert.throws(() => Journal.create(path, { durability: 'at-end' }), { code: 'JOURNAL_EXISTS', place: path });
  assert.throws(() => Journal.create(join(folder, 'no', 'such', 'folder'), { durability: 'at-end' }), { code: 'JOURNAL_WRITE_FAILED' });
});

test('F52: a journal of the format before is read as it is, and is of this format once it is gone on with', () => {
  const path = smallJournal();
  const versionOf = (): unknown => {
    const database = new DatabaseSync(path, { readOnly: true });
    const { user_version: version } = database.prepare('PRAGMA user_version').get() ?? {};
    database.close();
    return version;
  };
  alter(path, `PRAGMA user_version = ${OLDEST_READABLE_VERSION}`);
  const reading = Journal.open(path, { readOnly: true });
  const rows = [...reading.rows()];
  reading.close();
  assert.ok(rows.length > 0);
  assert.equal(versionOf(), OLDEST_READABLE_VERSION);
  const journal = Journal.open(path);
  assert.deepEqual([...journal.rows()], rows);
  journal.append(SAMPLES['cash.transferred'], journal.lastSequence + 1, 1_000);
  journal.close();
  assert.equal(versionOf(), FORMAT_VERSION);
  const again = Journal.open(path, { readOnly: true });
  assert.deepEqual(
    [...again.rows()].map(({ entry }) => entry),
    [...rows.map(({ entry }) => entry), SAMPLES['cash.transferred']],
  );
  again.close();
});

test('nothing is written to a journal that is read-only, closed, or out of order', () => {
  const path = smallJournal();
  const before = readFileSync(path);
  const reading = Journal.open(path, { readOnly: true });
  assert.throws(() => reading.append(SAMPLES['pause.ended'], 99, 99), { code: 'JOURNAL_REFUSES' });
  assert.throws(() => reading.setMeta('a', 'b'), { code: 'JOURNAL_REFUSES' });
  reading.close();
  reading.close();
  assert.deepEqual(readFileSync(path), before);
  assert.equal(existsSync(`${path}-shm`) || existsSync(`${path}-wal`), false, 'reading leaves no file behind');
  const journal = Journal.open(path);
  assert.throws(() => journal.append(SAMPLES['pause.ended'], journal.lastSequence - 1, 99), /order of events/);
  assert.throws(() => journal.append(SAMPLES['pause.ended'], 99, journal.lastTapeOffset - 1), /order of events/);
  assert.throws(() => journal.quarantine(), /only a damaged journal/);
  journal.close();
  assert.throws(() => journal.append(SAMPLES['pause.ended'], 99, 99), { code: 'JOURNAL_REFUSES', found: 'a closed journal' });
});

test('an entry that cannot be encoded is a bug that costs no row before it', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'at-end' });
  const rows = appendSamples(journal, 0, 3);
  assert.throws(() => journal.append({ kind: 'sleeve.rearmed', at: 0, sleeve: -1 }, 50, 50), /whole number/);
  assert.throws(() => journal.append(SAMPLES['pause.ended'], 50, 50), { code: 'JOURNAL_REFUSES' });
  journal.close();
  assert.deepEqual([...Journal.open(path, { readOnly: true }).rows()], rows);
});

test('F32: a file cut at any byte is refused by name or opens with a clean prefix and says so', () => {
  const path = smallJournal();
  const sound = contents(path);
  const { bytes } = sound;
  for (let length = 0; length < bytes.length; length++) {
    const outcome = openDamaged(bytes.subarray(0, length), sound, `cut at ${length}`);
    assert.notEqual(outcome, 'sound', `nobody noticed that the file ends at byte ${length} of ${bytes.length}`);
  }
});

test('F32: a flipped bit in any byte is refused by name, or told with the clean rows before it, or changes nothing that is read', (t) => {
  const path = smallJournal();
  const sound = contents(path);
  const { bytes } = sound;
  const outcomes = { refused: 0, told: 0, sound: 0 };
  for (let at = 0; at < bytes.length; at++) {
    const flipped = bytes.slice();
    flipped[at] = (flipped[at] ?? 0) ^ (1 << ((at * 5) % 8));
    outcomes[openDamaged(flipped, sound, `byte ${at}`)]++;
  }
  t.diagnostic(`${bytes.length} bytes: ${outcomes.refused} refused, ${outcomes.told} told as damage, ${outcomes.sound} in unused space`);
  assert.ok(outcomes.told > bytes.length / 3);
});

test('damage is told by block and row, with what was found and expected', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'every-commit' });
  for (const [from, to] of [
    [0, 5],
    [5, 8],
    [8, 20],
  ] as const) {
    appendSamples(journal, from, to);
    journal.commit();
  }
  const rows = [...journal.rows()];
  journal.close();
  const sound = readFileSync(path);

  alter(path, 'UPDATE block SET bytes = CAST(substr(bytes, 1, length(bytes) - 1) AS BLOB) WHERE first = 5');
  const opened = Journal.open(path, { readOnly: true });
  assert.equal(opened.damage.length, 1);
  assert.match(
    opened.damage[0]?.message ?? '',
    /sqlite, block 2 \(rows 6 to 8\): found bytes with digest [0-9a-f]{64}, row 8 of them not even readable.*expected digest [0-9a-f]{64}.*the 5 rows before it are clean/,
  );
  assert.deepEqual([...opened.rows()], rows.slice(0, 5));
  assert.equal(opened.rowCount, 5);
  opened.close();

  for (const [sql, message] of [
    [
      'UPDATE block SET rows = 4 WHERE first = 5',
      /block 2 \(from row 6 on\): found a row \(first 5, rows 4, sequence \d+\) that does not match its seal/,
    ],
    [
      'DELETE FROM block WHERE first = 5',
      /block 2 \(from row 6 on\): found a block that begins at row 9, expected one that begins at row 6/,
    ],
    ['UPDATE block SET digest = NULL WHERE first = 0', /block 1 \(from row 1 on\)/],
  ] as const) {
    writeFileSync(path, sound);
    alter(path, sql);
    const damaged = Journal.open(path, { readOnly: true });
    assert.match(damaged.damage[0]?.message ?? '', message);
    damaged.close();
  }
});

test('F32: quarantine keeps the damaged file aside and goes on with the clean rows', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'every-commit', meta: { config: 'kept', status: 'lost' } });
  const rows = appendSamples(journal, 0, 12);
  journal.commit();
  journal.saveSnapshot(6, Uint8Array.of(1));
  appendSamples(journal, 12, 20);
  journal.saveSnapshot(10, Uint8Array.of(2));
  journal.saveSegment({ number: 1, firstRecord: 0, records: 8, sha256: 'ab' });
  journal.close();
  alter(path, "UPDATE block SET sequence = 1 WHERE first = 12; UPDATE meta SET value = 'x' WHERE key = 'status'");
  const damagedBytes = readFileSync(path);

  const opened = Journal.open(path);
  assert.equal(opened.damage.length, 2);
  assert.throws(() => opened.append(SAMPLES['pause.ended'], 99, 999), { code: 'JOURNAL_DAMAGED' });
  assert.deepEqual(readFileSync(path), damagedBytes, 'opening a damaged journal changes nothing');
  assert.equal(opened.quarantine(), `${path}.damaged-1`);
  assert.deepEqual(readFileSync(`${path}.damaged-1`), damagedBytes);
  assert.deepEqual(opened.damage, []);
  rows.push(...appendSamples(opened, 12, 14));
  opened.commit();
  assert.deepEqual([...opened.rows()], rows);
  const head = opened.head();
  opened.close();

  const again = Journal.open(path);
  assert.deepEqual([again.damage.length, again.head(), again.getMeta('config'), again.getMeta('status')], [0, head, 'kept', undefined]);
  assert.deepEqual(
    again.lastSnapshot(),
    { sequence: 6, rows: 12, bytes: Uint8Array.of(1) },
    'a snapshot from behind the damage is not kept',
  );
  assert.equal(again.segments().length, 1);
  again.close();
  alter(path, 'UPDATE block SET sequence = 2');
  const twice = Journal.open(path);
  assert.equal(twice.quarantine(), `${path}.damaged-2`);
  twice.close();
});

test('F32: a quarantine that a kill interrupted is finished by the next open', () => {
  const path = smallJournal();
  const expected = contents(path);
  const copy = `${path}.recovering`;
  copyFileSync(path, copy);
  // Killed before the damaged file was moved.
  writeFileSync(path, 'damaged');
  writeFileSync(`${path}-wal`, 'its log');
  const first = Journal.open(path);
  assert.deepEqual([...first.rows()], expected.rows);
  assert.equal(readFileSync(`${path}.damaged-1`, 'utf8') + readFileSync(`${path}.damaged-1-wal`, 'utf8'), 'damagedits log');
  first.close();
  // Killed between the moves.
  renameSync(path, copy);
  assert.throws(() => Journal.open(path, { readOnly: true }), { code: 'JOURNAL_MISSING' }, 'reading changes no file');
  const second = Journal.open(path);
  assert.deepEqual([...second.rows()], expected.rows);
  second.close();
});

test('F32: a log that a kill cut short opens cleanly with all commits before the cut', () => {
  const { path, log, commits } = journalWithLog();
  const main = readFileSync(path);
  const counts = new Set<number>();
  for (const length of [
    ...Array(Math.ceil(log.length / 11))
      .keys()
      .map((step) => step * 11),
    log.length,
  ]) {
    const opened = openWith(main, log.subarray(0, length));
    assert.deepEqual(opened.damage, [], `log cut at ${length}`);
    counts.add(opened.rowCount);
    opened.close();
  }
  assert.deepEqual([...counts], commits, 'a cut log holds whole commits');
});

test('F32: a flipped bit in the log does not silently cost the commits behind it', (t) => {
  const { path, log, commits } = journalWithLog();
  const main = readFileSync(path);
  const all = commits.at(-1);
  const outcomes = { told: 0, torn: 0, sound: 0 };
  for (let at = 0; at < log.length; at += 3) {
    const flipped = Uint8Array.from(log);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << ((at * 5) % 8));
    const opened = openWith(main, flipped);
    if (opened.damage.length > 0) {
      outcomes.told++;
      assert.match(opened.damage[0]?.message ?? '', /-wal: found .* does not verify/, `byte ${at}`);
    } else if (opened.rowCount === all) outcomes.sound++;
    else {
      // The last commit's own frames: not to be told from one that the kill interrupted.
      outcomes.torn++;
      assert.equal(opened.rowCount, commits.at(-2), `byte ${at}`);
    }
    opened.close();
  }
  t.diagnostic(
    `${Math.ceil(log.length / 3)} bytes: ${outcomes.told} told as damage, ${outcomes.torn} like a torn last commit, ${outcomes.sound} without effect`,
  );
  assert.ok(outcomes.told > outcomes.torn);

  const broken = Uint8Array.from(log);
  broken[20] = (broken[20] ?? 0) ^ 1;
  const opened = openWith(main, broken);
  opened.quarantine();
  assert.equal(opened.rowCount, commits[0], 'without its log a journal has what was folded into its file');
  appendSamples(opened, 27, 28);
  opened.commit();
  opened.close();
});

test('F26, F33: a full disk is told once and refused ever after, and loses nothing that was stored', () => {
  for (const durability of ['every-commit', 'at-end'] as const) {
    const path = freshPath();
    Journal.create(path, { durability }).close();
    const journal = Journal.open(path, { durability, connect: onDiskOfPages(20) });
    let stored = 0;
    const error = caught(() => {
      for (let row = 1; row < 100_000; row++) {
        journal.append(SAMPLES['decision.taken'], row, row);
        journal.commit();
        stored = journal.storedRowCount;
      }
    });
    assert.equal(error.code, 'JOURNAL_WRITE_FAILED');
    assert.match(error.message, /journal-\d+\.sqlite: found database or disk is full, expected room to write row \d+.*start the run again/);
    assert.throws(() => journal.append(SAMPLES['pause.ended'], 100_000, 100_000), { code: 'JOURNAL_WRITE_FAILED' });
    assert.throws(() => journal.commit(), { code: 'JOURNAL_WRITE_FAILED' });
    assert.throws(() => journal.setMeta('status', 'x'), { code: 'JOURNAL_WRITE_FAILED' });
    const head = journal.rowCount;
    assert.ok(head > stored, 'the rows that could not be written are still known');
    journal.close();
    const again = Journal.open(path);
    assert.deepEqual([again.damage.length, again.rowCount], [0, stored]);
    again.append(SAMPLES['pause.ended'], 100_000, 100_000);
    again.close();
  }
});

test('a snapshot, a meta value or a close that cannot be written is told as well', () => {
  const acts: readonly ((journal: Journal) => void)[] = [
    (journal) => journal.saveSnapshot(9, new Uint8Array(100)),
    (journal) => journal.setMeta('a', 'b'),
    (journal) => journal.saveSegment({ number: 1, firstRecord: 0, records: 1, sha256: '' }),
    (journal) => journal.close(),
  ];
  for (const act of acts) {
    const path = freshPath();
    let isBroken = false;
    const journal = Journal.create(path, { durability: 'at-end', connect: brokenWhen(() => isBroken) });
    appendSamples(journal, 0, 3);
    isBroken = true;
    assert.throws(() => act(journal), { code: 'JOURNAL_WRITE_FAILED', found: 'disk I/O error' });
    isBroken = false;
    assert.throws(() => journal.append(SAMPLES['pause.ended'], 99, 99), { code: /JOURNAL_WRITE_FAILED/ });
    journal.close();
  }
  assert.throws(() => Journal.create(freshPath(), { durability: 'at-end', connect: brokenWhen(() => true) }), {
    code: 'JOURNAL_WRITE_FAILED',
  });
  const damaged = smallJournal();
  alter(damaged, 'UPDATE block SET sequence = 9');
  let isBroken = false;
  const journal = Journal.open(damaged, { connect: brokenWhen(() => isBroken) });
  isBroken = true;
  assert.throws(() => journal.quarantine(), { code: 'JOURNAL_WRITE_FAILED' });
  assert.equal(existsSync(damaged), true, 'a quarantine that fails leaves the file where it was');
});

test('a commit with the end of the tape stores both or neither, and a cut forgets it', () => {
  const path = freshPath();
  const broken = { isBroken: false };
  const connect: Connect = (file, readOnly) => {
    const database = connectSqlite(file, readOnly);
    return {
      ...database,
      run(sql, ...values) {
        if (broken.isBroken && sql.includes('INTO meta')) throw new Error('database or disk is full');
        database.run(sql, ...values);
      },
    };
  };
  const journal = Journal.create(path, { durability: 'every-commit', connect });
  assert.equal(journal.tapeTail(), undefined);
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => 255 - index);
  appendSamples(journal, 0, 3);
  journal.commit({ from: 7, bytes });
  assert.deepEqual([journal.storedRowCount, journal.tapeTail()], [3, { from: 7, bytes: Buffer.from(bytes) }]);
  journal.commitWith('place', '9', { from: 8, bytes: bytes.subarray(0, 8) });
  assert.deepEqual([journal.getMeta('place'), journal.tapeTail()?.from], ['9', 8]);
  appendSamples(journal, 3, 5);
  broken.isBroken = true;
  assert.throws(() => journal.commit({ from: 9, bytes }), { code: 'JOURNAL_WRITE_FAILED' });
  journal.close();
  const again = Journal.open(path);
  assert.deepEqual([again.damage, again.rowCount, again.tapeTail()?.from], [[], 3, 8]);
  again.dropTapeTail();
  assert.equal(again.tapeTail(), undefined);
  again.close();
});

test('the log is folded where it is asked for, so that no commit has to', () => {
  const path = freshPath();
  const folds: string[] = [];
  const connect: Connect = (file, readOnly) => {
    const database = connectSqlite(file, readOnly);
    return {
      ...database,
      execute(sql) {
        if (sql.includes('wal_checkpoint(PASSIVE)')) folds.push(sql);
        database.execute(sql);
      },
    };
  };
  const journal = Journal.create(path, { durability: 'every-commit', connect });
  const bytes = new Uint8Array(16_384).fill(1);
  for (let commit = 0; commit < 300; commit++) {
    journal.commit({ from: commit, bytes });
    if (commit % 10 === 9) journal.foldLog();
  }
  assert.equal(folds.length, 4);
  const most = statSync(`${path}-wal`).size;
  assert.ok(most < 3 << 20, `${most} bytes: it never grew to where SQLite folds it by itself`);
  journal.close();
});

test('rows and a value of meta that are committed together are both there, or neither is, and nothing follows', () => {
  const path = freshPath();
  let failing = '';
  const connect: Connect = (place, readOnly) => {
    const database = connectSqlite(place, readOnly);
    return wrapped(database, {
      run(sql, ...values) {
        if (failing !== '' && sql.includes(failing)) throw new Error('disk I/O error');
        database.run(sql, ...values);
      },
    });
  };
  const journal = Journal.create(path, { durability: 'every-commit', connect });
  const rows = appendSamples(journal, 0, 5);
  journal.commitWith('place', '5');
  assert.deepEqual([journal.storedRowCount, journal.getMeta('place')], [5, '5']);
  // Without rows it is the value alone.
  journal.commitWith('place', '6');
  assert.deepEqual([journal.storedRowCount, journal.getMeta('place')], [5, '6']);
  appendSamples(journal, 5, 8);
  failing = 'INTO meta';
  assert.throws(() => journal.commitWith('place', '8'), { code: 'JOURNAL_WRITE_FAILED' });
  failing = '';
  assert.throws(() => journal.commit(), { code: 'JOURNAL_WRITE_FAILED' });
  journal.close();
  const again = Journal.open(path);
  assert.deepEqual([again.damage, [...again.rows()], again.getMeta('place')], [[], rows, '6']);
  again.close();
});

test('a value of meta that does not verify is not given out', () => {
  const path = smallJournal();
  alter(path, "UPDATE meta SET value = 'crashed' WHERE key = 'status'");
  const journal = Journal.open(path);
  assert.match(journal.damage[0]?.message ?? '', /table meta: found a row \(key "status", value "crashed"\) that does not match its seal/);
  assert.deepEqual([journal.getMeta('status'), journal.getMeta('config')], [undefined, '{"seed":1}']);
  journal.close();
});

test('a second writer is told, and neither overwrites the other', () => {
  const path = smallJournal();
  const one = Journal.open(path);
  const two = Journal.open(path);
  appendSamples(one, 27, 28);
  one.commit();
  appendSamples(two, 27, 28);
  assert.throws(() => two.commit(), { code: 'JOURNAL_WRITE_FAILED', found: /another process/ });
  two.close();
  one.close();
  assert.equal(Journal.open(path, { readOnly: true }).damage.length, 0);
});

test('rows that were committed survive kill -9', { timeout: 60_000 }, async (t) => {
  let total = 0;
  for (const milliseconds of [0, 5, 20, 40]) {
    const path = freshPath();
    const child = await startChild(path);
    await setTimeout(milliseconds);
    await child.kill();
    const journal = Journal.open(path);
    assert.deepEqual(journal.damage, []);
    assert.ok(journal.rowCount >= child.committed(), `${journal.rowCount} rows are left of ${child.committed()}`);
    let number = 0;
    for (const row of journal.rows()) assert.deepEqual(row, childRow(++number));
    total += child.committed();
    journal.close();
  }
  t.diagnostic(`${total} committed rows survived four kills`);
});

test('a journal can be read while another process writes it', { timeout: 60_000 }, async () => {
  const path = freshPath();
  const child = await startChild(path);
  let rows = 0;
  for (let look = 0; look < 15; look++) {
    const journal = Journal.open(path, { readOnly: true });
    assert.deepEqual(journal.damage, []);
    assert.ok(journal.rowCount >= rows && journal.rowCount % 5 === 0, `${journal.rowCount} rows after ${rows}`);
    rows = journal.rowCount;
    assert.equal([...journal.rows()].length, rows);
    journal.close();
    await setTimeout(1);
  }
  await child.kill();
});

test('throughput', (t) => {
  for (const [durability, rows] of [
    ['every-commit', 12_000],
    ['at-end', 200_000],
  ] as const satisfies readonly (readonly [Durability, number])[]) {
    const path = freshPath();
    const journal = Journal.create(path, { durability });
    const start = performance.now();
    for (let row = 1; row <= rows; row++) {
      journal.append(SAMPLES['order.filled'], row, row);
      if (row % 6 === 0) journal.commit();
    }
    journal.close();
    const written = performance.now();
    const again = Journal.open(path, { readOnly: true });
    const opened = performance.now();
    t.diagnostic(
      `${durability}, a commit every 6 rows: ${Math.round((rows / (written - start)) * 1_000)} rows/s, ${(statSync(path).size / rows).toFixed(0)} bytes a row, ` +
        `read through in ${(opened - written).toFixed(0)} ms`,
    );
    again.close();
    assert.ok(written - start < 30_000);
  }
});

/** Rows `from` to `to` of the samples, two to a sequence and ten tape records apart. */
function appendSamples(journal: Journal, from: number, to: number): JournalRow[] {
  const rows: JournalRow[] = [];
  for (let index = from; index < to; index++) {
    const entry = samples[index];
    assert.ok(entry !== undefined);
    const row = { sequence: (index >> 1) + 1, tapeOffset: index * 10, entry };
    journal.append(row.entry, row.sequence, row.tapeOffset);
    rows.push(row);
  }
  return rows;
}

/** All parts of a journal on pages as small as they get. */
function smallJournal(): string {
  const path = freshPath();
  const journal = Journal.create(path, {
    durability: 'every-commit',
    meta: { config: '{"seed":1}', status: 'running' },
    connect: onSmallPages,
  });
  for (let from = 0; from < 27; from += 9) {
    appendSamples(journal, from, from + 9);
    journal.commit();
  }
  journal.saveSnapshot(13, new TextEncoder().encode('a snapshot of the state'));
  journal.saveSegment({ number: 1, firstRecord: 0, records: 8, sha256: 'ab'.repeat(32) });
  journal.close();
  return path;
}

interface Contents {
  readonly rows: readonly JournalRow[];
  readonly bytes: Uint8Array;
  readonly rest: unknown;
}

function contents(path: string): Contents {
  const journal = Journal.open(path, { readOnly: true });
  const rows = [...journal.rows()];
  const rest = restOf(journal);
  journal.close();
  return { rows, bytes: Uint8Array.from(readFileSync(path)), rest };
}

function restOf(journal: Journal): unknown {
  return [journal.getMeta('config'), journal.getMeta('status'), journal.segments(), journal.lastSnapshot(), journal.head()];
}

/** Opens bytes as a journal: whatever is wrong with them, only rows that were written come out, and only silence means that all is there. */
function openDamaged(bytes: Uint8Array, { rows, rest }: Contents, what: string): 'refused' | 'told' | 'sound' {
  const path = join(folder, 'damaged.sqlite');
  writeFileSync(path, bytes);
  let journal: Journal;
  try {
    journal = Journal.open(path, { readOnly: true });
  } catch (error) {
    assert.ok(
      error instanceof BallastError && error.code.startsWith('JOURNAL_') && error.message.includes(path),
      `${what}: ${String(error)}`,
    );
    return 'refused';
  }
  try {
    const damage = [...journal.damage];
    const found = [...journal.rows()];
    assert.deepEqual(found, rows.slice(0, found.length), `${what}: rows that were never written`);
    if (damage.length === 0) journal.lastSnapshot((told) => damage.push(told));
    if (damage.length > 0) {
      for (const { message } of damage) assert.ok(message.includes(path), message);
      return 'told';
    }
    assert.equal(found.length, rows.length, `${what}: rows are missing and nobody said so`);
    assert.deepEqual(restOf(journal), rest, `${what}: something else has changed`);
    return 'sound';
  } finally {
    journal.close();
  }
}

/** A journal as a kill leaves it: some commits in the file, more in the log. */
function journalWithLog(): { readonly path: string; readonly log: Uint8Array; readonly commits: readonly number[] } {
  const path = smallJournal();
  const left = freshPath();
  const journal = Journal.open(path);
  const commits = [journal.rowCount];
  for (let commit = 1; commit <= 3; commit++) {
    journal.append(SAMPLES['order.filled'], 20 + commit, 1_000);
    journal.commit();
    commits.push(journal.rowCount);
  }
  copyFileSync(path, left);
  const log = readFileSync(`${path}-wal`);
  journal.close();
  return { path: left, log, commits };
}

function openWith(main: Uint8Array, log: Uint8Array): Journal {
  const path = join(folder, 'with-log.sqlite');
  rmSync(`${path}-shm`, { force: true });
  writeFileSync(path, main);
  writeFileSync(`${path}-wal`, log);
  return Journal.open(path);
}

/** No line of `src/` in it: SQLite's own command would do the same. */
function independentDigest(path: string): string {
  const database = new DatabaseSync(path, { readOnly: true });
  const hash = createHash('sha256');
  for (const { bytes, digest } of database.prepare('SELECT bytes, digest FROM block ORDER BY first').all()) {
    assert.ok(bytes instanceof Uint8Array && digest instanceof Uint8Array);
    hash.update(bytes);
    assert.deepEqual(Buffer.from(digest), hash.copy().digest());
  }
  database.close();
  return hash.digest('hex');
}

function alter(path: string, sql: string): void {
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
}

function wrapped(database: Database, change: Partial<Database>): Database {
  return {
    execute: (sql) => database.execute(sql),
    run: (sql, ...values) => database.run(sql, ...values),
    rows: (sql, ...values) => database.rows(sql, ...values),
    close: () => database.close(),
    ...change,
  };
}

const onSmallPages: Connect = (path, readOnly) => {
  const database = connectSqlite(path, readOnly);
  return wrapped(database, { execute: (sql) => database.execute(sql.replace(/page_size = \d+/, 'page_size = 512')) });
};

/** A file system on which the file cannot grow beyond so many pages: SQLite itself says that the disk is full. */
function onDiskOfPages(pages: number): Connect {
  return (path, readOnly) => {
    const database = connectSqlite(path, readOnly);
    if (!readOnly) database.execute(`PRAGMA max_page_count = ${pages}`);
    return database;
  };
}

function brokenWhen(isBroken: () => boolean): Connect {
  const fail = (): void => {
    if (isBroken()) throw new Error('disk I/O error');
  };
  return (path, readOnly) => {
    const database = connectSqlite(path, readOnly);
    return wrapped(database, {
      execute(sql) {
        if (!sql.startsWith('ROLLBACK')) fail();
        database.execute(sql);
      },
      run(sql, ...values) {
        fail();
        database.run(sql, ...values);
      },
    });
  };
}

function caught(act: () => void): BallastError {
  try {
    act();
  } catch (error) {
    if (error instanceof BallastError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

interface Child {
  /** The last number of rows that it said were committed. */
  readonly committed: () => number;
  readonly kill: () => Promise<void>;
}

/** Resolves once the child has committed something. */
async function startChild(path: string): Promise<Child> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'append-until-killed.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const end = new Promise<unknown[]>((resolve) => child.once('close', (...how) => resolve(how)));
  let said = '';
  await new Promise<void>((resolve) => {
    child.stdout.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-100);
      resolve();
    });
  });
  return {
    committed: () => Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1)),
    async kill() {
      child.kill('SIGKILL');
      assert.deepEqual(await end, [null, 'SIGKILL']);
    },
  };
}

/** The file's write lock, in another connection's hand. */
function hold(path: string): () => void {
  const holder = new DatabaseSync(path);
  holder.exec('BEGIN IMMEDIATE');
  return () => {
    holder.exec('ROLLBACK');
    holder.close();
  };
}

/** As a kill leaves them. */
function filesAt(path: string): Map<string, Uint8Array> {
  return new Map(['', '-wal', '-ahead'].flatMap((end) => (existsSync(path + end) ? [[end, readFileSync(path + end)] as const] : [])));
}

function openOver(files: ReadonlyMap<string, Uint8Array>, readOnly = false): Journal {
  const path = freshPath();
  for (const [end, bytes] of files) writeFileSync(path + end, bytes);
  return Journal.open(path, { readOnly });
}

test('F34: while another process holds the file, rows are durable beside it, and the file takes them and all else over in order', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'every-commit' });
  const rows = appendSamples(journal, 0, 5);
  journal.commit();
  const release = hold(path);
  // What rows name of the tape is to be safe before they are.
  const sizes: number[] = [];
  journal.beforeAhead(() => sizes.push(existsSync(`${path}-ahead`) ? statSync(`${path}-ahead`).size : 0));
  rows.push(...appendSamples(journal, 5, 8));
  journal.commit({ from: 70, bytes: new Uint8Array(80) });
  assert.deepEqual([journal.isBehind, journal.storedRowCount, journal.tapeTail(), sizes], [true, 8, undefined, [0]]);
  journal.setMeta('status', 'a');
  journal.saveSnapshot(9, new Uint8Array([1, 2, 3]));
  journal.saveSegment({ number: 1, firstRecord: 0, records: 1, sha256: '' });
  journal.setMeta('status', 'b');
  rows.push(...appendSamples(journal, 8, 12));
  assert.equal(journal.storedRowCount, 8, 'nobody has asked for more');
  journal.commitWith('place', '12');
  assert.deepEqual([journal.storedRowCount, [...journal.rows()], journal.getMeta('place')], [12, rows, undefined]);
  const seen = Journal.open(path, { readOnly: true });
  assert.deepEqual(
    [seen.damage, [...seen.rows()], seen.rowCount, seen.lastSequence, seen.head()],
    [[], rows, 12, journal.lastSequence, journal.head()],
  );
  seen.close();
  release();
  rows.push(...appendSamples(journal, 12, 13));
  journal.commit();
  assert.equal(journal.isBehind, false);
  assert.deepEqual(
    [journal.getMeta('status'), journal.getMeta('place'), journal.segments().length, journal.lastSnapshot()?.rows],
    ['b', '12', 1, 8],
  );
  const head = journal.head();
  assert.equal(statSync(`${path}-ahead`).size, 0);
  journal.close();
  assert.equal(existsSync(`${path}-ahead`), false, 'a closed journal is one file');
  const again = Journal.open(path);
  assert.deepEqual([again.damage, [...again.rows()], again.head()], [[], rows, head]);
  again.close();
});

test('F34: what a kill leaves beside a file that was held is read, taken over once, and goes on from there', () => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'every-commit' });
  const rows = appendSamples(journal, 0, 5);
  journal.commit();
  const release = hold(path);
  for (const to of [7, 8, 11]) {
    rows.push(...appendSamples(journal, rows.length, to));
    journal.commit();
  }
  const files = filesAt(path);
  const beside = Buffer.from(files.get('-ahead') ?? []);
  const looking = openOver(files, true);
  assert.deepEqual([looking.damage, [...looking.rows()], [...looking.rowsFrom(6)]], [[], rows, rows.slice(6)]);
  looking.close();
  // Killed a second time, after the file had taken them over and before they were removed.
  const again = openOver(files);
  assert.deepEqual([again.storedRowCount, again.isBehind, again.head()], [11, false, journal.head()]);
  const taken = filesAt(again.path);
  again.close();
  const third = openOver(new Map([...taken, ['-ahead', beside]]));
  rows.push(...appendSamples(third, 11, 13));
  third.commit();
  assert.deepEqual([third.damage, [...third.rows()]], [[], rows]);
  third.close();
  release();
  journal.close();
});

test('F34, F32: every flipped byte beside a file that was held is told, or is a torn end, or has no effect', (t) => {
  const path = freshPath();
  const journal = Journal.create(path, { durability: 'every-commit' });
  appendSamples(journal, 0, 5);
  journal.commit();
  const release = hold(path);
  const rowsAt = [5];
  for (const to of [7, 8, 11]) {
    appendSamples(journal, rowsAt.at(-1) ?? 0, to);
    journal.commit();
    rowsAt.push(to);
  }
  const files = filesAt(path);
  const beside = Buffer.from(files.get('-ahead') ?? []);
  for (let length = 0; length <= beside.length; length++) {
    const opened = openOver(new Map([...files, ['-ahead', beside.subarray(0, length)]]), true);
    assert.deepEqual(opened.damage, [], `${length} bytes`);
    assert.ok(rowsAt.includes(opened.rowCount), `${opened.rowCount} rows of ${length} bytes`);
    opened.close();
  }
  let [told, torn] = [0, 0];
  for (let at = 0; at < beside.length; at++) {
    const flipped = Uint8Array.from(beside);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << ((at * 5) % 8));
    const opened = openOver(new Map([...files, ['-ahead', flipped]]), true);
    if (opened.damage.length > 0) {
      told++;
      assert.match(opened.damage[0]?.message ?? '', /-ahead, byte \d+: found .* do(es)? not match/, `byte ${at}`);
    } else {
      // In the last one: not to be told from a write that the kill interrupted.
      torn++;
      assert.equal(opened.rowCount, rowsAt.at(-2), `byte ${at}`);
    }
    opened.close();
  }
  t.diagnostic(`${beside.length} bytes: ${told} told as damage, ${torn} like a torn end`);
  assert.ok(told > 0 && torn > 0);

  const broken = Uint8Array.from(beside);
  const second = beside.indexOf(beside.subarray(0, 4), 4);
  broken[second + 5] = (broken[second + 5] ?? 0) ^ 1;
  const opened = openOver(new Map([...files, ['-ahead', broken]]));
  assert.deepEqual([opened.damage.length, opened.rowCount], [1, 7]);
  const aside = opened.quarantine();
  assert.deepEqual([opened.storedRowCount, existsSync(`${aside}-ahead`)], [7, true]);
  appendSamples(opened, 7, 9);
  opened.commit();
  opened.close();
  release();
  journal.close();
});
