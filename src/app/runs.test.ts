import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { newRunId } from './runs.ts';

test('runs that begin in one second have names of their own, whoever begins them', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'ballast-names-'));
  t.after(() => rmSync(home, { recursive: true }));
  const source = `
    import { parentPort } from 'node:worker_threads';
    const { newRunId } = await import(${JSON.stringify(new URL('./runs.ts', import.meta.url).href)});
    parentPort.postMessage(Array.from({ length: 50 }, () => newRunId(${JSON.stringify(home)}, 'paper')));
  `;
  const claims = Array.from(
    { length: 4 },
    () =>
      new Promise<string[]>((resolve, reject) => {
        const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
        worker.once('message', resolve);
        worker.once('error', reject);
      }),
  );
  const names = (await Promise.all(claims)).flat();
  assert.equal(new Set(names).size, 200);
  assert.match(newRunId(home, 'backtest'), /^backtest-\d{8}-\d{6}$/);
});

test('a home that cannot be written has no run', () => {
  assert.throws(() => newRunId('/proc/nowhere', 'paper'), { code: 'RUN_UNWRITABLE' });
});
