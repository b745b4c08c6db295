import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'ballast-recompute-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const document = {
  symbols: ['BTC/USDT', 'ETH/USDT:USDT'],
  capital: '1000',
  fills: [
    { at: '2021-01-01T01:00:00Z', symbol: 'BTC/USDT', side: 'buy', price: '100', quantity: '2', fee: '0.2', feeCurrency: 'USDT' },
    { at: '2021-01-01T02:00:00Z', symbol: 'BTC/USDT', side: 'sell', price: '110', quantity: '1.5', fee: '0.165', feeCurrency: 'USDT' },
    { at: '2021-01-01T02:00:00Z', symbol: 'ETH/USDT:USDT', side: 'sell', price: '10', quantity: '3', fee: '0', feeCurrency: 'USDT' },
  ],
  funding: [{ at: '2021-01-01T08:00:00Z', symbol: 'ETH/USDT:USDT', amount: '0.003' }],
  // 1000 - 200.2 + 165 - 0.165 + 30 + 0.003, then 0.5 x 120 and -3 x 9.
  metrics: { finalEquity: 1_027.638 },
};
const header = 'open_time,open,high,low,close,volume';
const bars = [
  write('btc.csv', `${header}\n2021-01-01T01:00:00Z,100,101,99,100,5\n2021-01-01T02:00:00Z,100,121,99,120,5\n`),
  write('eth.csv', `${header}\n2021-01-01T01:00:00Z,10,11,9,9,5\n`),
];

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function recompute(report: unknown, files: readonly string[] = bars): ReturnType<typeof spawnSync> {
  const script = join(import.meta.dirname, 'recompute-equity.ts');
  return spawnSync(process.execPath, [script, write('report.json', JSON.stringify(report)), ...files], { encoding: 'utf8' });
}

test('the recomputed equity of fills, funding and last closes agrees', () => {
  const { status, stdout } = recompute(document);
  assert.match(String(stdout), /^recomputed 1027\.63\d*, reported 1027\.638, relative difference /);
  assert.equal(status, 0);
});

test('a millionth off, a missing figure and a missing file of bars are failures', () => {
  assert.equal(recompute({ ...document, metrics: { finalEquity: 1_027.639 } }).status, 1);
  assert.equal(recompute({ ...document, metrics: {} }).status, 1);
  assert.equal(recompute(document, bars.slice(1)).status, 2);
});
