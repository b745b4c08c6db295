import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { HOUR_MS } from '../../domain/time.ts';
import type { Disk } from './publication.ts';
import type { BarStore } from './store.ts';
import { ballastError, csvLines, HOURLY, openedStore, sameBars, temporaryFolder, walk } from './test-bars.ts';

/** Three months; the new bars correct all of them and add a fourth. */
const OLD = walk('2021-01-01T00:00:00Z', 90 * 24);
const NEW = walk('2021-01-01T00:00:00Z', 100 * 24, HOUR_MS, 5);
/** 4 months and their corrections staged and synced, the seal written and named, 5 files moved, the staging folder removed. */
const STEPS = 14;
const SEALED_AFTER = 8;

/** Runs `before` with the number of each step from 1 on. */
function stepping(real: Disk, before: (step: number) => void): Disk {
  let step = 0;
  const next = (): void => before((step += 1));
  return {
    async writeFile(path, write) {
      next();
      await real.writeFile(path, write);
    },
    async sync(paths) {
      next();
      await real.sync(paths);
    },
    async writeText(path, text) {
      next();
      await real.writeText(path, text);
    },
    async rename(from, to) {
      next();
      await real.rename(from, to);
    },
    async remove(path) {
      next();
      await real.remove(path);
    },
  };
}

async function homeWithOld(context: TestContext): Promise<string> {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  await store.merge(HOURLY, OLD);
  return home;
}

async function isNew(store: BarStore): Promise<boolean> {
  const bars = await store.load(HOURLY);
  const isLonger = bars.openAt.length === NEW.openAt.length;
  sameBars(bars, isLonger ? NEW : OLD);
  return isLonger;
}

function assertSettled(home: string): void {
  const names = ['data', 'data/bars'].flatMap((folder) => readdirSync(join(home, folder))).filter((name) => !name.startsWith('.lock'));
  assert.deepEqual(names, ['bars', 'binance'], 'nothing is left beside the kinds and the venues');
}

test('an import takes these steps, and all of them', async (context) => {
  const home = await homeWithOld(context);
  let steps = 0;
  const store = await openedStore(context, home, { disk: (real) => stepping(real, (step) => (steps = step)) });
  await store.merge(HOURLY, NEW);
  assert.equal(steps, STEPS);
  assert.ok(await isNew(store));
  assertSettled(home);
});

test('dying before any step leaves the old state or, once it is sealed, the new one', async (context) => {
  for (let deadly = 1; deadly <= STEPS; deadly += 1) {
    const home = await homeWithOld(context);
    const dying = await openedStore(context, home, {
      disk: (real) =>
        stepping(real, (step) => {
          if (step >= deadly) throw new Error('the process is dead');
        }),
    });
    await assert.rejects(dying.merge(HOURLY, NEW));
    const store = await openedStore(context, home);
    assertSettled(home);
    assert.equal(await isNew(store), deadly > SEALED_AFTER, `dead at step ${deadly}`);
    await store.merge(HOURLY, NEW);
    assert.ok(await isNew(store), `imported again after step ${deadly}`);
  }
});

test('a recovery that dies half way is finished by the next', async (context) => {
  const home = await homeWithOld(context);
  const diesAt = (deadly: number) => (real: Disk) =>
    stepping(real, (step) => {
      if (step >= deadly) throw new Error('the process is dead');
    });
  const first = await openedStore(context, home, { disk: diesAt(SEALED_AFTER + 2) });
  await assert.rejects(first.merge(HOURLY, NEW));
  const error = await ballastError(() => openedStore(context, home, { disk: diesAt(2) }));
  assert.equal(error.code, 'STORE_WRITE_FAILED');
  assert.ok(await isNew(await openedStore(context, home)));
  assertSettled(home);
});

test('a disk that fills up leaves the store as it was, and says what to do', async (context) => {
  for (let full = 1; full <= SEALED_AFTER; full += 1) {
    const home = await homeWithOld(context);
    const store = await openedStore(context, home, {
      disk: (real) =>
        stepping(real, (step) => {
          if (step === full) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
        }),
    });
    const error = await ballastError(() => store.merge(HOURLY, NEW));
    assert.equal(error.code, 'STORE_WRITE_FAILED');
    assert.equal(error.exitCode, 1);
    assert.equal(
      error.message,
      `${join(home, 'data/bars/binance/BTC-USDT/1h')}: found a full disk, expected room and permission to write ` +
        '(the store is as it was: free some space or fix the permission, then import again)',
    );
    assert.equal(await isNew(store), false);
    assertSettled(home);
    await store.merge(HOURLY, NEW);
    assert.ok(await isNew(store), 'there is room again');
  }
});

test('a disk that fails among the moves does not undo an import that has happened', async (context) => {
  const home = await homeWithOld(context);
  const store = await openedStore(context, home, {
    disk: (real) =>
      stepping(real, (step) => {
        if (step === SEALED_AFTER + 2) throw new Error('EIO: i/o error, rename');
      }),
  });
  const error = await ballastError(() => store.merge(HOURLY, NEW));
  assert.match(error.message, /found EIO: i\/o error, rename, .*\(the import is complete beside the store: .* puts it in place\)/);
  assert.ok(await isNew(await openedStore(context, home)));
  assertSettled(home);
});

test('there is one import at a time, and whoever opens the store meanwhile sees the old state and disturbs nothing', async (context) => {
  const home = await homeWithOld(context);
  const { promise: mayGoOn, resolve: goOn } = Promise.withResolvers<undefined>();
  const { promise: isStaging, resolve: staging } = Promise.withResolvers<undefined>();
  const slow = await openedStore(context, home, {
    disk: (real) => ({
      ...real,
      async writeFile(path: string, write: (to: string) => Promise<void>) {
        staging(undefined);
        await mayGoOn;
        await real.writeFile(path, write);
      },
    }),
  });
  const running = slow.merge(HOURLY, NEW);
  await isStaging;
  const other = await openedStore(context, home);
  assert.equal(await isNew(other), false);
  const error = await ballastError(() => other.merge(HOURLY, NEW));
  assert.equal(error.code, 'STORE_BUSY');
  assert.match(error.message, /found another import that is still running, expected one import at a time/);
  goOn(undefined);
  assert.equal((await running).added, 10 * 24);
  assert.ok(await isNew(other));
  assertSettled(home);
});

test('a list of moves that is none, or that leads out of the store, is refused by name', async (context) => {
  const home = await homeWithOld(context);
  const staging = join(home, 'data/.import');
  const moves = join(staging, 'moves.json');
  const openBefore = await openedStore(context, home);
  for (const text of ['', '{', '{}', '[1]', '[{"from":"0.parquet"}]', '[{"from":"0.parquet","to":"../../../etc/passwd"}]']) {
    mkdirSync(staging, { recursive: true });
    writeFileSync(moves, text);
    const error = await ballastError(() => openedStore(context, home));
    assert.equal(error.code, 'STORE_JOURNAL_CORRUPT');
    assert.equal(error.place, moves);
    assert.equal((await ballastError(() => openBefore.merge(HOURLY, NEW))).code, 'STORE_JOURNAL_CORRUPT');
    assert.ok(error.message.endsWith(`(remove the folder ${staging} and import the data again)`));
  }
});

test('a store that cannot be made is an error in words', async (context) => {
  const home = temporaryFolder(context);
  writeFileSync(join(home, 'data'), 'a file where a folder should be');
  const store = await openedStore(context, home);
  const error = await ballastError(() => store.merge(HOURLY, NEW));
  assert.equal(error.code, 'STORE_WRITE_FAILED');
  assert.match(
    error.message,
    /found (a file where a folder should be|something of that name that is there already): .*, expected room and permission to write \(the store is as it was/,
  );
  assert.deepEqual(await store.list(), []);
});

/** A process that imports NEW and, given a step, kills itself before it. It says when it begins to write. */
function importer(home: string, csv: string, deadly: number): string {
  const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
  return `
    const { openStore } = await import(${url('store.ts')});
    const { importBars } = await import(${url('import.ts')});
    let step = 0;
    const deadly = (work) => async (...parts) => {
      if ((step += 1) === ${deadly}) process.kill(process.pid, 'SIGKILL');
      await work(...parts);
    };
    const disk = (real) => Object.fromEntries(Object.entries(real).map(([name, work]) => [name, deadly(work)]));
    const store = await openStore(${JSON.stringify(home)}, { disk });
    const onProgress = ({ stage }) => { if (stage === 'writing') console.log('writing'); };
    await importBars({ store, files: [${JSON.stringify(csv)}], ...${JSON.stringify(HOURLY)}, onProgress });
    // Waits for the killer, should it come late.
    setInterval(() => {}, 1000);
  `;
}

test('kill -9 of an importing process leaves the old state or the new one', async (context) => {
  const csv = join(temporaryFolder(context), 'new.csv');
  writeFileSync(csv, csvLines(NEW).join('\n'));
  // The last is killed from outside, somewhere in its writing.
  const fromOutside = 0;
  const deaths = [3, SEALED_AFTER, SEALED_AFTER + 3, STEPS, fromOutside].map(async (deadly) => {
    const home = await homeWithOld(context);
    const child = spawn(process.execPath, ['--input-type=module', '-e', importer(home, csv, deadly)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (deadly === fromOutside) child.stdout.once('data', () => child.kill('SIGKILL'));
    await once(child, 'exit');
    assert.equal(child.signalCode, 'SIGKILL');
    assert.ok(deadly === fromOutside || existsSync(join(home, 'data/.import')), 'it was killed in the middle');
    const store = await openedStore(context, home);
    assertSettled(home);
    const happened = await isNew(store);
    if (deadly !== fromOutside) assert.equal(happened, deadly > SEALED_AFTER, `killed at step ${deadly}`);
    await store.merge(HOURLY, NEW);
    assert.ok(await isNew(store), 'the lock went with the process');
  });
  await Promise.all(deaths);
});

test('the seal is written before the first file moves, and lists every move', async (context) => {
  const home = await homeWithOld(context);
  let sealed = '';
  const store = await openedStore(context, home, {
    disk: (real) =>
      stepping(real, (step) => {
        if (step === SEALED_AFTER + 1) sealed = readFileSync(join(home, 'data/.import/moves.json'), 'utf8');
      }),
  });
  await store.merge(HOURLY, NEW);
  const names = ['2021-01', '2021-02', '2021-03', '2021-04', 'corrections'];
  assert.deepEqual(
    JSON.parse(sealed),
    names.map((name, index) => ({ from: `${index}.staged`, to: `bars/binance/BTC-USDT/1h/${name}.parquet` })),
  );
});
