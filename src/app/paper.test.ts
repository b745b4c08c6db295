// What a session says; what it does is tested from outside, in test/e2e/.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resumedWords } from './paper.ts';

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
    `${start} 20001 events ${kept} (the last 1, since its latest snapshot, was gone through again to get there)`,
  );
  assert.equal(
    words(20_345, 345),
    `${start} 20345 events ${kept} (the last 345, since its latest snapshot, were gone through again to get there)`,
  );
  assert.equal(words(20_000, 0), `${start} 20000 events ${kept} (they are those of its latest snapshot)`);
});
