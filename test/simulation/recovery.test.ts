// Killed at any boundary of the journal, recovered as the application does it, and gone on: the same rows, the same state, the same hash.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { ALLOCATION_METHODS } from '../../src/council/allocation.ts';
import { follow } from '../../src/app/recovery.ts';
import { recover, saveSnapshot, type SessionParts as AppParts } from '../../src/app/session-parts.ts';
import { ComparingRecorder, SessionRecorder } from '../../src/app/session-recorder.ts';
import { ByteReader, ByteWriter } from '../../src/domain/bytes.ts';
import { toNumber } from '../../src/domain/decimal.ts';
import type { JournalRow } from '../../src/domain/entry.ts';
import type { AccountReport, TapeEvent, VenueReport } from '../../src/domain/event.ts';
import type { MarketSource } from '../../src/domain/ports.ts';
import { NEVER } from '../../src/domain/time.ts';
import type { Recorder } from '../../src/engine/recorder.ts';
import { Engine } from '../../src/engine/engine.ts';
import { Journal, type Snapshot } from '../../src/journal/journal.ts';
import { readRecording } from '../../src/journal/recording.ts';
import { TapeReader, TapeWriter } from '../../src/journal/tape.ts';
import { EquityRecorder } from '../../src/views/equity.ts';
import { TradeLedger } from '../../src/views/trades.ts';
import { TestSession } from '../support/session.ts';
import { anyWorld, partsOf, trials, type World } from './worlds.ts';

const folder = mkdtempSync(join(tmpdir(), 'ballast-recovery-'));
after(() => rmSync(folder, { recursive: true }));
let folders = 0;

interface Disk {
  readonly journal: Journal;
  readonly tape: TapeWriter;
  readonly tapeFolder: string;
}

function freshDisk(): Disk {
  const place = join(folder, String(folders++));
  const journal = Journal.create(`${place}.db`, { durability: 'every-commit' });
  const tapeFolder = `${place}-tape`;
  return { journal, tape: TapeWriter.open(tapeFolder, journal), tapeFolder };
}

function closeDisk({ journal, tape }: Disk): void {
  tape.close();
  journal.close();
}

/** As the application puts a session together, over what the disk holds. */
function assemble(world: World, { journal, tape }: Disk, isNew: boolean): { run: TestSession; parts: AppParts } {
  const recorder = new SessionRecorder(journal, tape, true);
  const comparing = new ComparingRecorder();
  const knownFailures = new Map<number, ReadonlyMap<number, string>>();
  const whole = partsOf(world);
  // What was said from outside before the kill is in the journal; only the rest is said again.
  const isFromOutside = ({ entry: { kind } }: JournalRow): boolean =>
    kind === 'operator.spoke' || kind === 'account.reported' || kind.startsWith('feed.');
  const heard = [...journal.rows()].filter(isFromOutside).length;
  const words = whole.words?.toSorted((left, right) => left.at - right.at).slice(heard) ?? [];
  const run = new TestSession({ ...whole, words, recorder: isNew ? recorder : comparing, knownFailures });
  const { plan, engine, venue } = run;
  const equity = new EquityRecorder({ capital: toNumber(plan.capital), intervalMs: plan.baseTimeframeMs });
  const ledger = new TradeLedger({ instruments: plan.instruments, sleeves: plan.sleeves });
  journal.onEntry((entry, sequence) => ledger.entry(entry, sequence));
  run.onPrice = (event) => ledger.price(event);
  // Recovery does not look at the recipe.
  const parts = {
    plan,
    engine,
    venue: {
      save: venue.save.bind(venue),
      restore: venue.restore.bind(venue),
      see: venue.see.bind(venue),
      // What is said of the account here is not said by this venue, which has nobody's hand but ours.
      recall: (report: VenueReport | AccountReport) => report.kind !== 'account.reported' && venue.recall(report),
    },
    journal,
    tape,
    recorder,
    equity,
    ledger,
    knownFailures,
    comparing,
    configHash: 'test',
  } as unknown as AppParts;
  return { run, parts };
}

/** Everything that a ledger says of trades, what it learned from prices included. */
function storyOf(ledger: TradeLedger): string {
  const bytes = new ByteWriter();
  ledger.save(bytes);
  const told = [[...ledger.trades()], ledger.openTrades(), ledger.counts(), Buffer.from(bytes.view()).toString('hex')];
  return JSON.stringify(told, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

/** A source is asked what comes before it is taken. */
function peeked(source: MarketSource): MarketSource {
  return {
    instrument: source.instrument,
    get ended() {
      return source.ended;
    },
    peekAt: () => source.peekAt(),
    nextBar: () => source.nextBar(),
    take: () => {
      assert.notEqual(source.peekAt(), NEVER, 'the market that is made again goes on as far as the recording');
      return source.take();
    },
  };
}

interface Recording {
  readonly rows: readonly JournalRow[];
  readonly tape: readonly TapeEvent[];
  /** After which rows the journal was durable, and how long the tape was then. */
  readonly boundaries: readonly { readonly rows: number; readonly tape: number }[];
  readonly snapshot: Snapshot | undefined;
  readonly stateHash: string;
  readonly venueHash: string;
  readonly head: string;
  readonly story: string;
}

/** A run that nothing disturbs, with a snapshot after so many events; none for 0. */
async function record(world: World, snapshotAfter: number): Promise<Recording> {
  const disk = freshDisk();
  const { run, parts } = assemble(world, disk, true);
  const boundaries: { rows: number; tape: number }[] = [];
  const note = (): void => {
    const rows = disk.journal.storedRowCount;
    if (rows !== boundaries.at(-1)?.rows) boundaries.push({ rows, tape: disk.tape.offset });
  };
  run.onEvent = () => {
    // A snapshot is taken between two events, after what was flushed by them.
    note();
    if (run.events.length === snapshotAfter) saveSnapshot(parts, run.market);
  };
  await run.run();
  parts.recorder.commit();
  note();
  const { stateHash, tape } = run;
  const recording = {
    rows: [...disk.journal.rows()],
    tape,
    boundaries,
    snapshot: disk.journal.lastSnapshot(),
    stateHash,
    venueHash: run.venue.stateHash(),
    head: disk.journal.head(),
    story: storyOf(parts.ledger),
  };
  closeDisk(disk);
  return recording;
}

/** What a kill leaves: so many rows, and a tape that may have got ahead of them. */
function killedAt(recording: Recording, rows: number, tape: number): Disk {
  const disk = freshDisk();
  // A snapshot is saved with the rows and the tape before it; a kill before that finds none.
  const snapshot =
    recording.snapshot !== undefined && new ByteReader(recording.snapshot.bytes).count() <= tape ? recording.snapshot : undefined;
  for (const [index, { entry, sequence, tapeOffset }] of recording.rows.slice(0, rows).entries()) {
    if (snapshot?.rows === index) disk.journal.saveSnapshot(snapshot.sequence, snapshot.bytes);
    disk.journal.append(entry, sequence, tapeOffset);
  }
  if (snapshot?.rows === rows) disk.journal.saveSnapshot(snapshot.sequence, snapshot.bytes);
  disk.journal.commit();
  for (const event of recording.tape.slice(0, tape)) disk.tape.append(event);
  disk.tape.flush();
  return disk;
}

async function goesOn(world: World, recording: Recording, rows: number, tape: number): Promise<void> {
  const disk = killedAt(recording, rows, tape);
  const { run, parts } = assemble(world, disk, disk.journal.rowCount === 0 && disk.tape.offset === 0);
  const where = `killed after row ${rows} of ${recording.rows.length}, with ${tape} records on the tape`;
  try {
    recover(parts, run.market, run.watched.map(peeked), (words) => assert.fail(words));
    await run.run();
    parts.recorder.commit();
    assert.deepEqual([...disk.journal.rows()], recording.rows, `rows, ${where}`);
    assert.equal(disk.journal.head(), recording.head, `head, ${where}`);
    assert.equal(disk.tape.offset, recording.tape.length, `tape, ${where}`);
    assert.equal(run.stateHash, recording.stateHash, `state, ${where}`);
    assert.equal(run.venue.stateHash(), recording.venueHash, `venue, ${where}`);
    assert.equal(storyOf(parts.ledger), recording.story, `trades, ${where}`);
  } catch (error) {
    if (error instanceof Error) error.message = `${where}: ${error.message}`;
    throw error;
  } finally {
    closeDisk(disk);
  }
}

/** Some weeks of sleeves whose shares move. */
const allocatedWorld: fc.Arbitrary<World> = fc.record({
  seed: fc.nat({ max: 1_000_000 }),
  count: fc.integer({ min: 60, max: 200 }),
  latencyMs: fc.constantFrom(1, 90_000),
  isRuled: fc.boolean(),
  margin: fc.constant('leverage'),
  allocation: fc.constantFrom(...ALLOCATION_METHODS),
});

describe('a session that was killed goes on as if it had not been', () => {
  test('at every boundary of the journal of a short run', async () => {
    const world: World = { seed: 99, count: 45, latencyMs: 500, isRuled: true, margin: 'leverage' };
    const recording = await record(world, 0);
    assert.ok(recording.boundaries.length > 10, `${recording.boundaries.length} boundaries`);
    assert.match(recording.story, /"maxAdverseRatio":0\.\d/, 'trades went against their entries');
    for (const [index, { rows, tape }] of recording.boundaries.entries()) {
      // The tape is flushed before the journal: it may be as long as it was to be at the next boundary.
      await goesOn(world, recording, rows, index % 2 === 0 ? tape : (recording.boundaries[index + 1]?.tape ?? tape));
    }
  });

  test('at random boundaries of random worlds, with and without a snapshot', async (context) => {
    let kills = 0;
    const property = fc.asyncProperty(
      anyWorld(120),
      fc.nat({ max: 300 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
      async (world, snapshotAfter, places) => {
        const recording = await record(world, snapshotAfter);
        for (const place of places) {
          const index = Math.floor(place * (recording.boundaries.length - 1));
          const { rows, tape } = recording.boundaries[index] ?? { rows: 0, tape: 0 };
          const ahead = recording.boundaries[index + 1]?.tape ?? tape;
          kills++;
          await goesOn(world, recording, rows, tape + Math.floor((ahead - tape) * place));
        }
      },
    );
    const parameters = trials(12);
    await fc.assert(property, parameters);
    context.diagnostic(`seed ${parameters.seed}: ${kills} kills`);
  });

  test('where shares of equity are divided anew, whatever the method', async () => {
    const property = fc.asyncProperty(
      allocatedWorld,
      fc.nat({ max: 400 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (world, after, place) => {
        const recording = await record(world, after);
        const { rows, tape } = recording.boundaries[Math.floor(place * (recording.boundaries.length - 1))] ?? { rows: 0, tape: 0 };
        await goesOn(world, recording, rows, tape);
      },
    );
    await fc.assert(property, trials(12));
  });
});

describe('a replay is a recovery without a venue', () => {
  const worlds = fc.oneof({ weight: 3, arbitrary: anyWorld(150) }, { weight: 1, arbitrary: allocatedWorld });
  test('of random worlds, to the same state hash', async () => {
    const property = fc.asyncProperty(worlds, async (world) => {
      const recording = await record(world, 0);
      const disk = killedAt(recording, recording.rows.length, recording.tape.length);
      try {
        const { plan } = new TestSession(partsOf(world));
        const recorder = new ComparingRecorder();
        const knownFailures = new Map<number, ReadonlyMap<number, string>>();
        const engine = new Engine({
          plan,
          recorder,
          knownFailures,
          venue: { submit: () => undefined, amend: () => undefined, cancel: () => undefined },
        });
        const steps = readRecording(disk.journal.rows(), TapeReader.open(disk.tapeFolder, disk.journal));
        const handled = follow(steps, { engine, recorder, knownFailures, venue: undefined, sources: [] });
        if (engine.isOpen) engine.closeInstant();
        recorder.settle();
        assert.equal(handled, engine.sequence);
        assert.equal(engine.stateHash('test'), recording.stateHash);
      } finally {
        closeDisk(disk);
      }
    });
    await fc.assert(property, trials(15));
  });

  test('and an entry that was changed is found out, with its place', async () => {
    const world: World = { seed: 99, count: 45, latencyMs: 500, isRuled: true, margin: 'leverage' };
    const recording = await record(world, 0);
    const index = recording.rows.findIndex(({ entry }) => entry.kind === 'decision.taken');
    const rows = recording.rows.map((row, at): JournalRow =>
      at === index && row.entry.kind === 'decision.taken' ? { ...row, entry: { ...row.entry, equity: row.entry.equity + 1 } } : row,
    );
    const recorder: Recorder & ComparingRecorder = new ComparingRecorder();
    const { plan } = new TestSession(partsOf(world));
    const engine = new Engine({ plan, recorder, venue: { submit: () => undefined, amend: () => undefined, cancel: () => undefined } });
    const disk = killedAt(recording, recording.rows.length, recording.tape.length);
    const steps = readRecording(rows, TapeReader.open(disk.tapeFolder, disk.journal));
    assert.throws(
      () => follow(steps, { engine, recorder, knownFailures: new Map(), venue: undefined, sources: [] }),
      (error) =>
        error instanceof Error && 'code' in error && error.code === 'REPLAY_MISMATCH' && /event \d+ at 2026-01-05T/.test(error.message),
    );
    closeDisk(disk);
  });
});
