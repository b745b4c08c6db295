import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import type { Entry, MindFailed, OutputEntry } from '../domain/entry.ts';
import { BallastError } from '../domain/errors.ts';
import type { Event, MarketEvent } from '../domain/event.ts';
import { KIND_BYTES } from './codec.ts';
import { Journal } from './journal.ts';
import { isRecordedEvent, readRecording, type RecordedStep } from './recording.ts';
import { SAMPLES } from './sample-entries.ts';
import { TapeReader, TapeWriter } from './tape.ts';

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ballast-recording-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let runs = 0;
const SHORT = { segmentRecords: 8 };
const inputs = Object.values<Entry>(SAMPLES).filter(isRecordedEvent);
const outputs = Object.values<Entry>(SAMPLES).filter(
  (entry): entry is OutputEntry => !isRecordedEvent(entry) && entry.kind !== 'mind.failed',
);

interface Plan {
  readonly event: 'tape' | number;
  readonly outputs: readonly number[];
  readonly fails: boolean;
  readonly commits: boolean;
}

const anyPlan: fc.Arbitrary<Plan> = fc.record({
  event: fc.oneof({ weight: 2, arbitrary: fc.constant('tape' as const) }, { weight: 1, arbitrary: fc.nat({ max: inputs.length - 1 }) }),
  outputs: fc.array(fc.nat({ max: outputs.length - 1 }), { maxLength: 3 }),
  fails: fc.boolean(),
  commits: fc.boolean(),
});

function bar(number: number): MarketEvent {
  const at = number * 60_000;
  return { kind: 'bar.closed', at, happenedAt: at, instrument: 0, open: 1, high: 2, low: 0.5, close: number, volume: 3, warmup: false };
}

interface Run {
  readonly journal: Journal;
  readonly tape: TapeWriter;
  readonly expected: readonly RecordedStep[];
  readonly reader: () => TapeReader;
}

/** Does to journal and tape what the loop does: keeps each event before it is acted on, then what came of it. */
function record(plans: readonly Plan[]): Run {
  const run = join(folder, String(++runs));
  const journal = Journal.create(`${run}.sqlite`, { durability: 'every-commit' });
  const tape = TapeWriter.open(`${run}-tape`, journal, SHORT);
  const expected: RecordedStep[] = [];
  for (const [index, plan] of plans.entries()) {
    const sequence = index + 1;
    let event: Event;
    if (plan.event === 'tape') {
      event = bar(sequence);
      tape.append(event);
    } else {
      const entry = inputs[plan.event];
      assert.ok(entry !== undefined);
      journal.append(entry, sequence, tape.offset);
      event = entry;
    }
    const failures: MindFailed[] = [];
    if (plan.fails) {
      failures.push(SAMPLES['mind.failed']);
      journal.append(SAMPLES['mind.failed'], sequence, tape.offset);
    }
    const said: OutputEntry[] = [];
    let end: RecordedStep['end'];
    for (const output of plan.outputs) {
      const entry = outputs[output];
      assert.ok(entry !== undefined);
      journal.append(entry, sequence, tape.offset);
      if (entry.kind === 'run.ended') end = entry;
      else said.push(entry);
    }
    if (plan.commits) {
      tape.flush();
      journal.commit();
    }
    expected.push({ sequence, tapeOffset: tape.offset, event, failures, outputs: said, end });
  }
  tape.flush();
  journal.commit();
  return { journal, tape, expected, reader: () => TapeReader.open(`${run}-tape`, journal, SHORT) };
}

const copied = (step: RecordedStep): RecordedStep => ({ ...step, event: step.event === undefined ? undefined : { ...step.event } });

function refusalOf(act: () => unknown): BallastError {
  try {
    act();
  } catch (error) {
    if (error instanceof BallastError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

test('the kinds below the first output are events, but for mind.failed', () => {
  const events = Object.entries(KIND_BYTES).filter(([kind, byte]) => byte < KIND_BYTES['decision.taken'] && kind !== 'mind.failed');
  assert.deepEqual(events.map(([kind]) => kind).toSorted(), inputs.map(({ kind }) => kind).toSorted());
});

test('a recording is read in the order in which it happened, from the beginning and from any place', () => {
  fc.assert(
    fc.property(fc.array(anyPlan, { maxLength: 40 }), fc.nat({ max: 40 }), (plans, place) => {
      const { journal, tape, expected, reader } = record(plans);
      assert.deepEqual([...readRecording(journal.rows(), reader()).map(copied)], expected);
      const from = expected[Math.min(place, expected.length) - 1];
      if (from !== undefined) {
        const rest = [...readRecording(journal.rows(from.sequence + 1), reader(), from).map(copied)];
        assert.deepEqual(rest, expected.slice(from.sequence));
      }
      tape.close();
      journal.close();
    }),
    { numRuns: 60 },
  );
});

test('rows of the starting place itself come first, without an event', () => {
  const { journal, tape, reader } = record([{ event: 'tape', outputs: [0], fails: false, commits: true }]);
  const rows = journal.rowCount;
  journal.append(SAMPLES['halt.latched'], 1, 1);
  journal.append(SAMPLES['mind.failed'], 1, 1);
  tape.append(bar(2));
  tape.flush();
  const steps = [...readRecording(journal.rowsFrom(rows), reader(), { sequence: 1, tapeOffset: 1 }).map(copied)];
  assert.deepEqual(steps, [
    {
      sequence: 1,
      tapeOffset: 1,
      event: undefined,
      failures: [SAMPLES['mind.failed']],
      outputs: [SAMPLES['halt.latched']],
      end: undefined,
    },
    { sequence: 2, tapeOffset: 2, event: bar(2), failures: [], outputs: [], end: undefined },
  ]);
});

test('a reader that stops early leaves journal and tape free', () => {
  const { journal, tape } = record([
    { event: 'tape', outputs: [0], fails: false, commits: true },
    { event: 'tape', outputs: [1], fails: true, commits: true },
  ]);
  const run = join(folder, String(runs));
  for (const step of readRecording(
    journal.rows(),
    TapeReader.open(`${run}-tape`, { segments: () => [], tapeTail: () => undefined }, SHORT),
  )) {
    assert.equal(step.sequence, 1);
    break;
  }
  tape.close();
  journal.close();
});

test('a tape that ends before the journal does is told', () => {
  const { journal, tape, reader } = record([
    { event: 'tape', outputs: [], fails: false, commits: true },
    { event: 'tape', outputs: [0], fails: false, commits: true },
  ]);
  tape.truncateTo(1);
  const refusal = refusalOf(() => [...readRecording(journal.rows(), reader())]);
  assert.equal(refusal.code, 'TAPE_SHORT');
  assert.match(
    refusal.message,
    /tape after record 1: found its end, expected 2 records, which the journal's row at sequence 2 comes after/,
  );
  assert.equal(refusalOf(() => [...readRecording(journal.rows(), reader(), { sequence: 2, tapeOffset: 2 })]).code, 'TAPE_SHORT');
});

test('a journal and a tape that do not belong together are told', () => {
  const row = (entry: Entry, sequence: number, tapeOffset: number) => ({ sequence, tapeOffset, entry });
  const { reader } = record(Array.from({ length: 3 }, () => ({ event: 'tape', outputs: [], fails: false, commits: true }) as const));
  const output = SAMPLES['pause.ended'];
  const input = SAMPLES['funding.paid'];
  for (const [rows, place] of [
    [[row(output, 1, 0)], 'an output that does not count its own event'],
    [[row(output, 2, 3)], 'an output ahead of the tape'],
    [[row(input, 2, 0)], 'an event behind the tape'],
    [[row(input, 2, 1), row(input, 2, 1)], 'two events in one place'],
    [[row(output, 2, 2), row(output, 1, 1)], 'rows out of order'],
  ] as const) {
    const refusal = refusalOf(() => [...readRecording(rows, reader())]);
    assert.equal(refusal.code, 'RECORDING_BROKEN', place);
    assert.match(refusal.message, /journal row \S+ at sequence \d: found sequence \d after \d tape records, expected/);
  }
});
