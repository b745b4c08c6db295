import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { KIND_BYTES } from './codec.ts';
import { eventsPage, INPUT_FORMS, OUTPUT_FORMS, TAPE_FORMS } from './events-reference.ts';
import { isRecordedEvent } from './recording.ts';
import { SAMPLES } from './sample-entries.ts';

const page = join(import.meta.dirname, '../../docs/reference/events.md');
const kindsOf = (forms: typeof INPUT_FORMS): string[] => forms.flatMap(({ kinds }) => Object.keys(kinds));

test('the page of events is as the code writes it', () => {
  assert.equal(readFileSync(page, 'utf8'), eventsPage(), 'docs/reference/events.md is old: node scripts/reference.ts writes it anew');
});

test('every kind of the codec is on the page, inputs with inputs and outputs with outputs', () => {
  assert.deepEqual([...kindsOf(INPUT_FORMS), ...kindsOf(OUTPUT_FORMS)].toSorted(), Object.keys(KIND_BYTES).toSorted());
  for (const kind of kindsOf(INPUT_FORMS))
    assert.ok(kind === 'mind.failed' || isRecordedEvent(SAMPLES[kind as keyof typeof SAMPLES]), kind);
  for (const kind of kindsOf(OUTPUT_FORMS)) assert.ok(!isRecordedEvent(SAMPLES[kind as keyof typeof SAMPLES]), kind);
  assert.deepEqual(kindsOf(TAPE_FORMS), ['bar.closed', 'trade.printed', 'mark.changed', 'book.changed', 'funding.announced', 'timer.rang']);
});
