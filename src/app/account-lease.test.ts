import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startNode, temporaryFolder, until } from '../../test/support/run-app.ts';
import { takeLease } from './account-lease.ts';

test('F51: an account is taken once, its token rises with every holder, and who was passed over finds out', () => {
  const folder = temporaryFolder('lease');
  const asked = { folder, account: 'bybit-testnet-1', home: 'here' };
  const first = takeLease(asked);
  assert.deepEqual([first.token, first.lost()], [1, undefined]);
  assert.throws(() => takeLease({ ...asked, home: 'there' }), { code: 'ACCOUNT_TAKEN', message: /of here/ });
  assert.equal(takeLease({ ...asked, account: 'bybit-testnet-2' }).token, 1, 'another account is another lease');
  // As if it had been away for so long that another one came: on a disk whose locks were lost.
  const name = readdirSync(folder).find((each) => each === 'bybit-testnet-1.json') ?? assert.fail('a file');
  const path = join(folder, name);
  writeFileSync(path, readFileSync(path, 'utf8').replace('"token":1', '"token":2'));
  assert.match(first.lost() ?? '', /the lease of the account is lost: process \d+ has it/);
  first.release();
  assert.equal(takeLease(asked).token, 3);
});

test('a lease ends with its process, however that ends', async (t) => {
  const folder = temporaryFolder('lease');
  const module = new URL('./account-lease.ts', import.meta.url).href;
  const text = `const { takeLease } = await import(${JSON.stringify(module)});
    // Kept: a lease that nobody refers to is let go of with its database.
    globalThis.lease = takeLease({ folder: ${JSON.stringify(folder)}, account: 'a', home: 'h' });
    process.stderr.write('held'); setInterval(() => {}, 1000);`;
  const holder = startNode(['--input-type=module', '-e', text]);
  t.after(() => holder.kill('SIGKILL'));
  await until('the lease is held', () => holder.said().includes('held'), 30_000);
  assert.throws(() => takeLease({ folder, account: 'a', home: 'h' }), { code: 'ACCOUNT_TAKEN' });
  holder.kill('SIGKILL');
  await holder.ended;
  const lease = takeLease({ folder, account: 'a', home: 'h' });
  assert.equal(lease.token, 2);
  lease.release();
});
