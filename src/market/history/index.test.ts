// The second entry of the package: every name of it is something, and no database is loaded before a row is read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import * as history from './index.ts';

test('every name is something', () => {
  assert.ok(Object.keys(history).length >= 8);
  for (const [name, value] of Object.entries(history)) assert.notEqual(value, undefined, name);
});

test('the database is loaded with the first row that is read, and not before', () => {
  const entry = new URL('./index.ts', import.meta.url).href;
  const isLoaded = `process.report.getReport().sharedObjects.some((path) => path.includes('duckdb'))`;
  const program = `
    const { mkdtempSync, rmSync } = await import('node:fs');
    const { openBars, listFilters } = await import('${entry}');
    const home = mkdtempSync((await import('node:os')).tmpdir() + '/ballast-entry-');
    const store = await openBars(home);
    const before = [await store.list(), listFilters(home), ${isLoaded}];
    const column = () => Float64Array.of(1);
    await store.merge(
      { venue: 'mine', symbol: 'BTC/USDT', timeframeMs: 60_000 },
      { openAt: Float64Array.of(0), open: column(), high: column(), low: column(), close: column(), volume: column() },
    );
    console.log(JSON.stringify([...before, (await store.list()).length, ${isLoaded}]));
    await store.close();
    rmSync(home, { recursive: true });`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8' });
  assert.equal(stdout.trim(), '[[],[],false,1,true]', stderr);
});
