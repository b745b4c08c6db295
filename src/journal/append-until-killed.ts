// A process for a test to kill: it appends and commits, and says how many rows are committed, for ever.
import { writeSync } from 'node:fs';
import type { JournalRow } from '../domain/entry.ts';
import { assert } from '../domain/errors.ts';
import { Journal } from './journal.ts';
import { SAMPLES } from './sample-entries.ts';

const samples = Object.values(SAMPLES);
const ROWS_A_COMMIT = 5;

/** The row with this number, from 1. */
export function childRow(number: number): JournalRow {
  const entry = samples[number % samples.length];
  assert(entry !== undefined, 'there is a sample for every number');
  return { sequence: number, tapeOffset: number * 2, entry };
}

function appendUntilKilled(path: string): never {
  const journal = Journal.create(path, { durability: 'every-commit' });
  for (;;) {
    for (let count = 0; count < ROWS_A_COMMIT; count++) {
      const { entry, sequence, tapeOffset } = childRow(journal.rowCount + 1);
      journal.append(entry, sequence, tapeOffset);
    }
    journal.commit();
    writeSync(1, `${journal.rowCount}\n`);
  }
}

if (import.meta.main) appendUntilKilled(process.argv[2] ?? '');
