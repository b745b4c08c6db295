import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { BallastError } from '../domain/errors.ts';
import type { MarketEvent, TapeEvent } from '../domain/event.ts';
import { Journal, type TapeSegment, type TapeTail } from './journal.ts';
import { RECORD_BYTES, SEGMENT_RECORDS, TapeReader, TapeWriter, type SegmentRegister } from './tape.ts';

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ballast-tape-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let folders = 0;
const freshFolder = (): string => join(folder, `tape-${++folders}`);
/** Short segments, so that a few records make several. */
const SHORT = { segmentRecords: 8 };

class MemoryRegister implements SegmentRegister {
  readonly #segments = new Map<number, TapeSegment>();
  #tail: TapeTail | undefined;

  /** As a commit of the journal keeps it. */
  keep({ from, bytes }: TapeTail): void {
    this.#tail = { from, bytes: bytes.slice() };
  }
  tapeTail(): TapeTail | undefined {
    return this.#tail;
  }
  dropTapeTail(): void {
    this.#tail = undefined;
  }

  segments(): TapeSegment[] {
    return [...this.#segments.values()];
  }
  saveSegment(segment: TapeSegment): void {
    this.#segments.set(segment.number, segment);
  }
  dropSegments(from: number, to: number): void {
    for (const number of this.#segments.keys()) if (number >= from && number <= to) this.#segments.delete(number);
  }
}

const number = fc.double();
const time = fc.integer({ min: 0, max: 4_102_444_800_000 });
const index = fc.integer({ min: 0, max: 2 ** 27 - 1 });
const anyMarketEvent: fc.Arbitrary<TapeEvent> = fc.record({
  kind: fc.constantFrom('bar.closed', 'trade.printed', 'mark.changed'),
  at: time,
  happenedAt: time,
  instrument: index,
  open: number,
  high: number,
  low: number,
  close: number,
  volume: number,
  warmup: fc.boolean(),
});
const anyTimer: fc.Arbitrary<TapeEvent> = fc.record({ kind: fc.constant('timer.rang'), at: time, happenedAt: time, timer: index });
const anyBook: fc.Arbitrary<TapeEvent> = fc.record({
  kind: fc.constant('book.changed'),
  at: time,
  happenedAt: time,
  instrument: index,
  bidPrice: number,
  bidQuantity: number,
  askPrice: number,
  askQuantity: number,
  imbalance: number,
  warmup: fc.boolean(),
});
const anyFunding: fc.Arbitrary<TapeEvent> = fc.record({
  kind: fc.constant('funding.announced'),
  at: time,
  happenedAt: time,
  instrument: index,
  rate: number,
  settlesAt: number,
  warmup: fc.boolean(),
});
const anyEvent = fc.oneof(anyMarketEvent, anyTimer, anyBook, anyFunding).map((event) => structuredClone(event));

/** The event with this number: bars, and a timer now and then. */
function eventOf(number: number): TapeEvent {
  const at = 1_700_000_000_000 + number * 60_000;
  if (number % 5 === 4) return { kind: 'timer.rang', at, happenedAt: at, timer: number };
  const kinds: readonly MarketEvent['kind'][] = ['bar.closed', 'trade.printed', 'mark.changed'];
  return {
    kind: kinds[number % 3] ?? 'bar.closed',
    at,
    happenedAt: at - 7,
    instrument: number % 4,
    open: number + 0.1,
    high: number + 0.4,
    low: number - 0.3,
    close: number + 0.2,
    volume: number * 10,
    warmup: number < 3,
  };
}

function write(tape: TapeWriter, from: number, to: number): void {
  for (let number = from; number < to; number++) tape.append(eventOf(number));
}

function read(reader: TapeReader): TapeEvent[] {
  const events: TapeEvent[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) events.push({ ...event });
  return events;
}

function readAll(directory: string, register: SegmentRegister): TapeEvent[] {
  return read(TapeReader.open(directory, register, SHORT));
}

const eventsOf = (from: number, to: number): TapeEvent[] => Array.from({ length: to - from }, (_, index) => eventOf(from + index));

/** A closed tape of 20 records in three segments, the last one not full. */
function sealedTape(): { readonly directory: string; readonly register: MemoryRegister } {
  const directory = freshFolder();
  const register = new MemoryRegister();
  const tape = TapeWriter.open(directory, register, SHORT);
  write(tape, 0, 20);
  tape.close();
  return { directory, register };
}

function refusalOf(act: () => unknown): BallastError {
  try {
    act();
  } catch (error) {
    if (error instanceof BallastError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('whatever is appended is read back, across flushes, reopenings and segments', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ event: anyEvent, next: fc.constantFrom('go on', 'go on', 'flush', 'reopen', 'close and reopen') }), {
        maxLength: 40,
      }),
      (steps) => {
        const directory = freshFolder();
        const register = new MemoryRegister();
        let tape = TapeWriter.open(directory, register, SHORT);
        for (const [done, { event, next }] of steps.entries()) {
          tape.append(event);
          assert.equal(tape.offset, done + 1);
          if (next === 'go on') continue;
          tape.flush();
          if (next === 'flush') continue;
          if (next === 'close and reopen') tape.close();
          tape = TapeWriter.open(directory, register, SHORT);
          assert.equal(tape.offset, done + 1);
          assert.equal(tape.torn, undefined);
        }
        tape.close();
        assert.deepEqual(
          readAll(directory, register),
          steps.map(({ event }) => event),
        );
        rmSync(directory, { recursive: true });
      },
    ),
    { numRuns: 100 },
  );
});

test('a sealed segment is a file whose SHA-256 any tool can confirm', () => {
  const { directory, register } = sealedTape();
  const segments = register.segments();
  assert.deepEqual(
    segments.map(({ number, firstRecord, records }) => [number, firstRecord, records]),
    [
      [1, 0, 8],
      [2, 8, 8],
      [3, 16, 4],
    ],
  );
  assert.deepEqual(readdirSync(directory), ['000001.tape', '000002.tape', '000003.tape']);
  for (const { number, records, sha256 } of segments) {
    const bytes = readFileSync(join(directory, `00000${number}.tape`));
    assert.equal(bytes.length, (records + 1) * RECORD_BYTES);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), sha256);
  }
  // The layout, read without the reader: a header of one record, then eight little-endian doubles a record.
  const first = readFileSync(join(directory, '000001.tape'));
  assert.equal(first.toString('latin1', 0, 8), 'BALLTAPE');
  assert.deepEqual([first.readUInt32LE(8), first.readUInt32LE(12), first.readUInt32LE(16)], [1, 8, 1]);
  const fields = Array.from({ length: 8 }, (_, field) => first.readDoubleLE(3 * RECORD_BYTES + field * 8));
  const { at, happenedAt, open, high, low, close, volume, instrument } = eventOf(2) as MarketEvent;
  assert.deepEqual(fields, [3 + 8 + instrument * 16, at, happenedAt, open, high, low, close, volume]);
});

test('reading begins at any record, and the event object is used again', () => {
  const { directory, register } = sealedTape();
  const reader = TapeReader.open(directory, register, SHORT);
  assert.deepEqual([reader.first, reader.end, reader.offset, reader.torn], [0, 20, 0, undefined]);
  for (const from of [19, 0, 7, 8, 9, 16, 20]) {
    reader.seek(from);
    assert.equal(reader.offset, from);
    assert.deepEqual(read(reader), eventsOf(from, 20), `from record ${from}`);
    assert.equal(reader.offset, 20);
  }
  reader.seek(0);
  assert.equal(reader.next(), reader.next());
  assert.equal(refusalOf(() => reader.seek(21)).code, 'TAPE_SHORT');
});

test('an open tape can be read up to the last flush', () => {
  const directory = freshFolder();
  const register = new MemoryRegister();
  const tape = TapeWriter.open(directory, register, SHORT);
  assert.deepEqual(readAll(directory, register), []);
  write(tape, 0, 11);
  tape.flush();
  write(tape, 11, 13);
  assert.equal(tape.offset, 13);
  assert.deepEqual(readAll(directory, register), eventsOf(0, 11));
  tape.sync();
  assert.deepEqual(readAll(directory, register), eventsOf(0, 13));
  tape.close();
});

test('F32: a tape cut at any byte gives its whole records and says what is torn', () => {
  const directory = freshFolder();
  const register = new MemoryRegister();
  const tape = TapeWriter.open(directory, register, SHORT);
  write(tape, 0, 13);
  tape.flush();
  const path = join(directory, '000002.tape');
  const bytes = readFileSync(path);
  for (let length = 0; length < bytes.length; length++) {
    writeFileSync(path, bytes.subarray(0, length));
    const whole = 8 + Math.max(0, Math.floor(length / RECORD_BYTES) - 1);
    const reader = TapeReader.open(directory, register, SHORT);
    assert.deepEqual(read(reader), eventsOf(0, whole), `cut at ${length}`);
    if (length % RECORD_BYTES === 0 && length > 0) assert.equal(reader.torn, undefined);
    else assert.match(reader.torn?.message ?? '', /000002\.tape: found \d+ bytes.* at the end, expected whole records/);
    if (length % 13 !== 0) continue;
    const again = TapeWriter.open(directory, register, SHORT);
    assert.deepEqual([again.offset, again.torn?.code], [whole, reader.torn?.code]);
    write(again, whole, 13);
    again.flush();
    assert.deepEqual(readFileSync(path), bytes, 'the tape goes on as if nothing had happened');
  }
});

test('F32: a tail of zeros, as a power cut leaves it, is no market at a price of zero', () => {
  const directory = freshFolder();
  const register = new MemoryRegister();
  const tape = TapeWriter.open(directory, register, SHORT);
  write(tape, 0, 5);
  tape.flush();
  const path = join(directory, '000001.tape');
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.alloc(2 * RECORD_BYTES)]));
  const again = TapeWriter.open(directory, register, SHORT);
  assert.equal(again.offset, 5);
  assert.match(again.torn?.message ?? '', /record 6 of no known kind at the end.*the 5 records before it are kept/);
  assert.equal(readFileSync(path).length, 6 * RECORD_BYTES);
  again.flush();
  writeFileSync(path, Buffer.alloc(4 * RECORD_BYTES));
  const empty = TapeWriter.open(directory, register, SHORT);
  assert.deepEqual([empty.offset, empty.torn?.found], [0, 'a header of zeros']);
  write(empty, 0, 3);
  empty.close();
  assert.deepEqual(readAll(directory, register), eventsOf(0, 3));
});

test('F32: a flipped bit in any byte of a sealed segment is told by the name of its file', () => {
  const { directory, register } = sealedTape();
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Uint8Array.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << ((at * 5) % 8));
      writeFileSync(path, flipped);
      const refusal = refusalOf(() => readAll(directory, register));
      assert.equal(refusal.place, path);
      assert.ok(
        refusal.code === 'TAPE_DAMAGED' || (refusal.code === 'TAPE_VERSION' && at >= 8 && at < 12),
        `${refusal.code} at byte ${at}`,
      );
    }
    writeFileSync(path, bytes);
  }
  const path = join(directory, '000002.tape');
  writeFileSync(path, readFileSync(join(directory, '000001.tape')));
  assert.match(
    refusalOf(() => readAll(directory, register)).message,
    /000002\.tape: found a header that does not verify, expected the header of segment 2/,
  );
});

test('records before a damaged segment are read; the damaged one is named with what was found and expected', () => {
  const { directory, register } = sealedTape();
  const path = join(directory, '000002.tape');
  const bytes = Uint8Array.from(readFileSync(path));
  bytes[200] = (bytes[200] ?? 0) ^ 1;
  writeFileSync(path, bytes);
  const reader = TapeReader.open(directory, register, SHORT);
  for (let number = 0; number < 8; number++) assert.deepEqual(reader.next(), eventOf(number));
  const refusal = refusalOf(() => reader.next());
  assert.match(
    refusal.message,
    /000002\.tape: found bytes with SHA-256 [0-9a-f]{64}, expected SHA-256 [0-9a-f]{64}, as the journal has it \(restore this file from a copy/,
  );
  reader.seek(16);
  assert.deepEqual(read(reader), eventsOf(16, 20), 'what comes after it can be read');
});

test('a missing, short or long sealed segment is told', () => {
  for (const [name, change, found] of [
    ['000001.tape', (path: string) => rmSync(path), 'no file'],
    ['000003.tape', (path: string) => rmSync(path), 'no file'],
    ['000002.tape', (path: string) => truncateSync(path, 5 * RECORD_BYTES), '320 bytes'],
    ['000003.tape', (path: string) => truncateSync(path, 5 * RECORD_BYTES - 1), '319 bytes'],
    ['000003.tape', (path: string) => truncateSync(path, 0), '0 bytes'],
    ['000003.tape', (path: string) => truncateSync(path, 6 * RECORD_BYTES), '384 bytes'],
    ['000001.tape', (path: string) => writeFileSync(path, 'x', { flag: 'a' }), '577 bytes'],
  ] as const) {
    const { directory, register } = sealedTape();
    const path = join(directory, name);
    change(path);
    const refusal = refusalOf(() => readAll(directory, register));
    assert.deepEqual([refusal.code, refusal.place, refusal.found], ['TAPE_DAMAGED', path, found]);
    if (name === '000003.tape')
      assert.equal(refusalOf(() => TapeWriter.open(directory, register, SHORT)).place, path, 'a writer does not go on behind it');
  }
});

test('F52: another version and another length of segment are refused', () => {
  const { directory, register } = sealedTape();
  const path = join(directory, '000003.tape');
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(2, 8);
  writeFileSync(path, bytes);
  assert.match(
    refusalOf(() => TapeWriter.open(directory, register, SHORT)).message,
    /000003\.tape: found format version 2, expected format version 1/,
  );
  const other = sealedTape();
  assert.equal(refusalOf(() => TapeWriter.open(other.directory, other.register)).code, 'TAPE_DAMAGED');
});

test('a full segment whose seal was lost gets it when the tape is opened again', () => {
  const { directory, register } = sealedTape();
  const sealed = register.segments();
  register.dropSegments(1, 2);
  const tape = TapeWriter.open(directory, register, SHORT);
  assert.deepEqual(
    register.segments().toSorted((left, right) => left.number - right.number),
    sealed.slice(0, 2),
    'and the open one has none',
  );
  write(tape, 20, 24);
  tape.close();
  assert.deepEqual(readAll(directory, register), eventsOf(0, 24));
  register.dropSegments(3, 3);
  assert.equal(TapeWriter.open(directory, register, SHORT).offset, 24);
  assert.equal(register.segments().length, 3);
});

test('a tape cut at any record goes on from there', () => {
  for (let offset = 0; offset <= 20; offset++) {
    const directory = freshFolder();
    const register = new MemoryRegister();
    let tape = TapeWriter.open(directory, register, SHORT);
    write(tape, 0, 20);
    tape.truncateTo(offset);
    assert.equal(tape.offset, offset);
    if (offset % 2 === 0) tape = TapeWriter.open(directory, register, SHORT);
    assert.equal(tape.offset, offset);
    assert.ok(
      register.segments().every(({ number }) => number * 8 <= offset),
      'no seal is left of what was cut',
    );
    for (let number = 100; number < 110; number++) tape.append(eventOf(number));
    tape.close();
    assert.deepEqual(readAll(directory, register), [...eventsOf(0, offset), ...eventsOf(100, 110)], `cut at ${offset}`);
  }
});

const cut = fc.record({
  /** Of what the disk was not known to have: how much of it is left, what of that is zeros, and whether the file shrinks. */
  left: fc.double({ min: 0, max: 1, noNaN: true }),
  zeros: fc.double({ min: 0, max: 1, noNaN: true }),
  isShort: fc.boolean(),
});

test('what a power cut takes from the file is what the journal has of it', async () => {
  const step = fc.constantFrom('append', 'append', 'append', 'flush', 'commit', 'commit', 'sync', 'start', 'arrive', 'cut');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), cut, async (steps, { left, zeros, isShort }) => {
      const directory = freshFolder();
      const register = new MemoryRegister();
      const tape = TapeWriter.open(directory, register, SHORT);
      let committed = 0;
      let expected: TapeEvent[] = [];
      for (const [number, next] of steps.entries()) {
        if (next === 'append') {
          expected.push(eventOf(number));
          tape.append(eventOf(number));
        } else if (next === 'flush') tape.flush();
        else if (next === 'sync') tape.sync();
        else if (next === 'start') tape.startSync();
        else if (next === 'arrive') await setTimeout(2);
        else if (next === 'commit') {
          register.keep(tape.tail());
          committed = tape.offset;
        } else {
          tape.truncateTo(committed);
          expected = expected.slice(0, committed);
        }
      }
      const tail = tape.tail();
      const safe = tail.from;
      // The process is gone, and of the file what had not reached the disk.
      const name = join(directory, `${String(Math.floor(safe / 8) + 1).padStart(6, '0')}.tape`);
      if (tail.bytes.length > 0) {
        const bytes = readFileSync(name);
        const known = safe % 8 === 0 ? 0 : ((safe % 8) + 1) * RECORD_BYTES;
        const kept = known + Math.floor(((bytes.length - known) * left) / RECORD_BYTES) * RECORD_BYTES;
        bytes.fill(0, known + Math.floor(((kept - known) * zeros) / RECORD_BYTES) * RECORD_BYTES);
        if (isShort && kept === 0) rmSync(name);
        else writeFileSync(name, isShort ? bytes.subarray(0, kept) : bytes);
      }
      const found = readAll(directory, register);
      assert.ok(found.length >= committed, `${found.length} records are found of ${committed} that were committed`);
      assert.deepEqual(found, expected.slice(0, found.length));
      const again = TapeWriter.open(directory, register, SHORT);
      assert.equal(again.offset, found.length);
      write(again, 100, 112);
      again.close();
      assert.deepEqual(readAll(directory, register), [...found, ...eventsOf(100, 112)]);
    }),
  );
});

test('a tail that does not join what the file has is none', () => {
  const { directory, register } = sealedTape();
  const bytes = readFileSync(join(directory, '000003.tape')).subarray(RECORD_BYTES);
  register.keep({ from: 22, bytes });
  assert.equal(TapeReader.open(directory, register, SHORT).end, 20, 'two records are missing between them');
  register.keep({ from: 18, bytes });
  assert.equal(TapeReader.open(directory, register, SHORT).end, 20, 'the segment is sealed');
});

test('more than is kept for the journal is waited for instead', () => {
  const directory = freshFolder();
  const register = new MemoryRegister();
  const tape = TapeWriter.open(directory, register);
  write(tape, 0, 5_000);
  const tail = tape.tail();
  assert.deepEqual([tail.from, tail.bytes.length], [5_000, 0]);
  write(tape, 5_000, 5_003);
  const next = tape.tail();
  assert.deepEqual([next.from, next.bytes.length], [5_000, 3 * RECORD_BYTES]);
  tape.close();
});

test('pruned segments are gone, and a request for them says so', () => {
  const directory = freshFolder();
  const register = new MemoryRegister();
  const tape = TapeWriter.open(directory, register, SHORT);
  write(tape, 0, 20);
  tape.prune(7);
  assert.equal(readdirSync(directory).length, 3, 'a segment is kept as long as one of its records is');
  tape.prune(12);
  assert.deepEqual(readdirSync(directory), ['000002.tape', '000003.tape']);
  const reader = TapeReader.open(directory, register, SHORT);
  assert.equal(reader.first, 8);
  assert.deepEqual(read(reader), eventsOf(8, 20));
  assert.match(
    refusalOf(() => reader.seek(7)).message,
    /found a request for record 7, which was pruned, expected records from 8 on \(begin at a snapshot/,
  );
  assert.equal(refusalOf(() => tape.truncateTo(5)).code, 'TAPE_PRUNED');
  tape.truncateTo(16);
  tape.prune(1_000);
  assert.equal(TapeWriter.open(directory, register, SHORT).offset, 16, 'the newest file stays, though nothing is in it');
  write(tape, 16, 24);
  tape.prune(24);
  tape.close();
  assert.equal(TapeWriter.open(directory, register, SHORT).offset, 24);
});

test('F33: a full disk stops the tape; what was written stays whole', () => {
  const directory = freshFolder();
  const register = new MemoryRegister();
  let room = 1_000;
  const tape = TapeWriter.open(directory, register, {
    ...SHORT,
    writeAt(file, bytes, position) {
      if (room === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      const count = Math.min(room, bytes.length);
      room -= count;
      return writeSync(file, bytes, 0, count, position);
    },
  });
  const refusal = refusalOf(() => write(tape, 0, 100));
  assert.match(refusal.message, /000002\.tape: found a full disk, expected room to write the tape \(.*start the run again/);
  const taken = tape.offset;
  assert.equal(
    refusalOf(() => tape.append(eventOf(0))),
    refusal,
  );
  assert.equal(
    refusalOf(() => tape.flush()),
    refusal,
  );
  assert.equal(
    refusalOf(() => tape.truncateTo(0)),
    refusal,
  );
  assert.equal(tape.offset, taken, 'nothing that was taken is forgotten');
  tape.close();
  const again = TapeWriter.open(directory, register, SHORT);
  assert.deepEqual([again.offset, again.torn?.code], [13, 'TAPE_TORN']);
  write(again, 13, 20);
  again.close();
  assert.deepEqual(readAll(directory, register), eventsOf(0, 20));

  const stuck = TapeWriter.open(freshFolder(), new MemoryRegister(), { ...SHORT, writeAt: () => 0 });
  stuck.append(eventOf(0));
  assert.match(refusalOf(() => stuck.flush()).message, /0 of 64 bytes could be written/);
  writeFileSync(join(folder, 'file'), '');
  assert.equal(refusalOf(() => TapeWriter.open(join(folder, 'file', 'tape'), register)).code, 'TAPE_WRITE_FAILED');
});

test('a journal that cannot take a seal stops the tape too', () => {
  const journal = Journal.create(join(folder, 'register.sqlite'), { durability: 'at-end' });
  const directory = freshFolder();
  const tape = TapeWriter.open(directory, journal, SHORT);
  write(tape, 0, 12);
  assert.deepEqual(
    journal.segments().map(({ number }) => number),
    [1],
  );
  journal.close();
  assert.equal(refusalOf(() => write(tape, 12, 30)).code, 'JOURNAL_REFUSES');
  tape.close();
});

test('a closed tape and an index out of range are refused', () => {
  const tape = TapeWriter.open(freshFolder(), new MemoryRegister(), SHORT);
  const bar = eventOf(0) as MarketEvent;
  assert.equal(refusalOf(() => tape.append({ ...bar, instrument: 2 ** 27 })).code, 'TAPE_INDEX');
  assert.equal(refusalOf(() => tape.append({ kind: 'timer.rang', at: 0, happenedAt: 0, timer: 2 ** 27 })).code, 'TAPE_INDEX');
  assert.throws(() => tape.truncateTo(1), /cut at one of its records/);
  tape.close();
  tape.close();
  assert.equal(refusalOf(() => tape.append(bar)).code, 'TAPE_CLOSED');
});

test('throughput', (t) => {
  const directory = freshFolder();
  const register = new MemoryRegister();
  const tape = TapeWriter.open(directory, register);
  const event = { ...(eventOf(0) as MarketEvent) };
  const records = 6 * SEGMENT_RECORDS;
  let longest = 0;
  const start = performance.now();
  for (let record = 0; record < records; record += 1_024) {
    const before = performance.now();
    for (let index = 0; index < 1_024; index++) {
      event.at += 60_000;
      tape.append(event);
    }
    longest = Math.max(longest, performance.now() - before);
  }
  const appended = performance.now();
  tape.close();
  const reader = TapeReader.open(directory, register);
  const opened = performance.now();
  let count = 0;
  while (reader.next() !== undefined) count++;
  const done = performance.now();
  assert.equal(count, records);
  const perSecond = (milliseconds: number): string => `${((records / milliseconds) * 1e-3).toFixed(1)} million records/s`;
  t.diagnostic(
    `written, hashed and sealed: ${perSecond(appended - start)}; longest stall ${longest.toFixed(1)} ms; read and verified: ${perSecond(done - opened)}`,
  );
});
