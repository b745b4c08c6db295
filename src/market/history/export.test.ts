import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { exportBars } from './export.ts';
import { importBars } from './import.ts';
import type { BarStore } from './store.ts';
import { ballastError, HOURLY, openedStore, sameBars, temporaryFolder, walk } from './test-bars.ts';

const BARS = walk('2021-01-01T00:00:00Z', 24_000);

async function filledStore(context: TestContext): Promise<{ store: BarStore; folder: string }> {
  const store = await openedStore(context, temporaryFolder(context));
  await store.merge(HOURLY, BARS);
  return { store, folder: temporaryFolder(context) };
}

/** Collects what is written; fails from the given write on. */
function sink(failsAt = Infinity, code = 'EPIPE'): Writable & { text(): string } {
  const parts: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      if (parts.length + 1 >= failsAt) done(Object.assign(new Error(`write ${code}`), { code }));
      else {
        parts.push(text);
        done();
      }
    },
  });
  return Object.assign(stream, { text: () => parts.join('') });
}

test('an exported file has a header, ISO times and the shortest numbers, from its first instant to before its last', async (context) => {
  const { store, folder } = await filledStore(context);
  const path = join(folder, 'bars.csv');
  const fromMs = Date.parse('2021-01-01T22:00:00Z');
  const toMs = Date.parse('2021-01-02T01:00:00Z');
  assert.deepEqual(await exportBars({ store, ...HOURLY, fromMs, toMs, to: path }), { rows: 3, fromMs, toMs });
  assert.equal(
    readFileSync(path, 'utf8'),
    [
      'open_time,open,high,low,close,volume',
      '2021-01-01T22:00:00Z,99.99,100.99,97.56,98.56,6',
      '2021-01-01T23:00:00Z,98.56,99.56,96.17,97.17,43',
      '2021-01-02T00:00:00Z,97.17,98.17,94.83,95.83,80',
      '',
    ].join('\n'),
  );
});

test('what is exported imports again to the same bars', async (context) => {
  const { store, folder } = await filledStore(context);
  const odd = walk('2020-01-01T00:00:00Z', 3);
  odd.volume.set([1e-7, 0.1 + 0.2, 1.5e21]);
  await store.merge(HOURLY, odd);
  const path = join(folder, 'all.csv');
  assert.equal((await exportBars({ store, ...HOURLY, to: path })).rows, 24_003);
  const other = await openedStore(context, temporaryFolder(context));
  await importBars({ store: other, files: [path], ...HOURLY });
  sameBars(await other.load(HOURLY), await store.load(HOURLY));
});

test('a stream gets the same text as a file, and is left open', async (context) => {
  const { store, folder } = await filledStore(context);
  const path = join(folder, 'bars.csv');
  await exportBars({ store, ...HOURLY, to: path });
  const out = sink();
  await exportBars({ store, ...HOURLY, to: out });
  assert.equal(out.text(), readFileSync(path, 'utf8'));
  assert.ok(out.writable);
});

test('a range without bars gives a header and says there were none', async (context) => {
  const { store } = await filledStore(context);
  const out = sink();
  assert.deepEqual(await exportBars({ store, ...HOURLY, toMs: 0, to: out }), { rows: 0, fromMs: undefined, toMs: undefined });
  assert.equal(out.text(), 'open_time,open,high,low,close,volume\n');
});

test('a reader who has seen enough ends the export without an error', async (context) => {
  const { store } = await filledStore(context);
  assert.equal((await exportBars({ store, ...HOURLY, to: sink(2) })).rows, 8192);
});

test('an export that fails names the place, and leaves the file that was there', async (context) => {
  const { store, folder } = await filledStore(context);
  const stream = await ballastError(() => exportBars({ store, ...HOURLY, to: sink(2, 'ENOSPC') }));
  assert.equal(stream.message, 'the output stream: found a full disk, expected somewhere that can be written to');
  const nowhere = join(folder, 'absent/bars.csv');
  const missing = await ballastError(() => exportBars({ store, ...HOURLY, to: nowhere }));
  assert.equal(missing.code, 'EXPORT_FAILED');
  assert.equal(missing.place, nowhere);
  const path = join(folder, 'kept.csv');
  writeFileSync(path, 'mine');
  assert.equal((await ballastError(() => exportBars({ store, ...HOURLY, venue: 'kraken', to: path }))).code, 'SERIES_UNKNOWN');
  assert.equal(readFileSync(path, 'utf8'), 'mine');
  assert.deepEqual(readdirSync(folder), ['kept.csv']);
});

test('a device is written to and not replaced', async (context) => {
  const { store } = await filledStore(context);
  assert.equal((await exportBars({ store, ...HOURLY, to: '/dev/null' })).rows, 24_000);
  assert.equal(readFileSync('/dev/null', 'utf8'), '');
});
