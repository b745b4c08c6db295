import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../domain/bytes.ts';
import type { Entry } from '../domain/entry.ts';
import { anyEntry } from './any-entry.ts';
import { decodeRow, encodeRow, FORMAT_VERSION, KIND_BYTES, OLDEST_READABLE_VERSION } from './codec.ts';
import { SAMPLES } from './sample-entries.ts';

const samples: readonly Entry[] = Object.values(SAMPLES);

function encoded(entries: readonly Entry[]): Uint8Array {
  const out = new ByteWriter();
  for (const [index, entry] of entries.entries()) encodeRow(out, entry, index + 1, index * 1_000);
  return out.view().slice();
}

test('every entry decodes to what was encoded, and takes exactly its bytes', () => {
  fc.assert(
    fc.property(fc.array(anyEntry, { minLength: 1, maxLength: 5 }), fc.maxSafeNat(), fc.maxSafeNat(), (entries, sequence, tapeOffset) => {
      const out = new ByteWriter(16);
      for (const entry of entries) encodeRow(out, entry, sequence, tapeOffset);
      const from = new ByteReader(out.view());
      for (const entry of entries) assert.deepEqual(decodeRow(from), { sequence, tapeOffset, entry });
      assert.ok(from.ended, 'bytes are left over');
    }),
    { numRuns: 1_000 },
  );
});

test('the sample of every kind decodes to itself', () => {
  const from = new ByteReader(encoded(samples));
  for (const [index, entry] of samples.entries())
    assert.deepEqual(decodeRow(from), { sequence: index + 1, tapeOffset: index * 1_000, entry });
});

test('bytes of a format version never change', () => {
  const digest = createHash('sha256').update(encoded(samples)).digest('hex');
  const known = { version: 9, digest: 'ec2313f465b900e658897151a334a2e37926a3cb4f887725829d25692960c4e5' };
  assert.deepEqual(
    { version: FORMAT_VERSION, digest },
    known,
    'the encoding has changed: raise FORMAT_VERSION, then write the new digest here',
  );
});

test('what the format before could say is still said in the same bytes', () => {
  const before = samples.filter(({ kind }) => kind !== 'cash.transferred');
  const digest = createHash('sha256').update(encoded(before)).digest('hex');
  assert.deepEqual(
    { version: OLDEST_READABLE_VERSION, digest },
    { version: 8, digest: 'b4710ff24df7ccc8536937bf214ff0d22415e050bd13dd1604d18a16dd3b9ab6' },
    'a change to what was there is no addition: OLDEST_READABLE_VERSION rises with it',
  );
});

test('no two kinds share a byte', () => {
  assert.equal(new Set(Object.values(KIND_BYTES)).size, Object.keys(KIND_BYTES).length);
});

test('a row cut short at any byte is refused', () => {
  for (const entry of samples) {
    const bytes = encoded([entry]);
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => decodeRow(new ByteReader(bytes.subarray(0, length))),
        { name: 'BallastError', code: 'BYTES_TRUNCATED' },
        `${entry.kind} cut at ${length}`,
      );
    }
  }
});

test('a flipped bit gives another row or a refusal, never a hang', () => {
  for (const entry of samples) {
    const bytes = encoded([entry]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      try {
        decodeRow(new ByteReader(flipped));
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }
  }
});

test('unknown kinds, marks and choices are named', () => {
  const kindless = encoded([SAMPLES['pause.ended']]);
  kindless[2] = 200;
  assert.throws(() => decodeRow(new ByteReader(kindless)), { code: 'ROW_MALFORMED', found: 'kind 200' });
  const commanded = encoded([SAMPLES['operator.spoke']]);
  commanded[3 + 16] = 9;
  assert.throws(() => decodeRow(new ByteReader(commanded)), { code: 'ROW_MALFORMED', found: 'choice 9' });
  const filled = encoded([SAMPLES['order.accepted']]);
  filled[filled.length - 1] = 7;
  assert.throws(() => decodeRow(new ByteReader(filled)), { code: 'ROW_MALFORMED', found: 'fill mark 7' });
});

test('an index that is no whole number is a bug, not a row', () => {
  const out = new ByteWriter();
  for (const sleeve of [-1, 0.5, NaN]) {
    assert.throws(() => encodeRow(out, { kind: 'sleeve.rearmed', at: 0, sleeve }, 1, 0), /whole number/);
  }
});

test('an order report is encoded in well under a microsecond', (t) => {
  const out = new ByteWriter(1 << 20);
  const entries = [SAMPLES['order.accepted'], SAMPLES['order.filled']];
  const rows = 200_000;
  let best = Infinity;
  for (let round = 0; round < 3; round++) {
    out.clear();
    const start = performance.now();
    for (let row = 0; row < rows; row++) encodeRow(out, entries[row & 1] ?? SAMPLES['order.filled'], row, row);
    best = Math.min(best, performance.now() - start);
  }
  t.diagnostic(`${((best / rows) * 1_000).toFixed(3)} microseconds and ${(out.length / rows).toFixed(0)} bytes an order report`);
  assert.ok(best / rows < 0.005, 'slower than 5 microseconds a row');
});
