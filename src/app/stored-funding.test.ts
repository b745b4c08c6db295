// Funding as it was settled, from files to the account: on prices that never move, so that funding is all that there is.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ballast, document, temporaryHome } from '../../test/support/run-app.ts';
import { HOUR_MS, parseTime } from '../domain/time.ts';
import type { ReportDocument } from '../views/report.ts';

const START = Date.UTC(2024, 0, 1);
const HOURS = 720;
/** Settled every eight hours; one is missing, and from a day on every four. */
const MISSING = 400;
const FOUR_HOURLY_FROM = 480;

function rateAt(hour: number): number | undefined {
  if (hour === MISSING || hour % (hour > FOUR_HOURLY_FROM ? 4 : 8) !== 0) return undefined;
  return hour > 560 ? -0.0002 : 0.0003 + (hour % 24) / 1e6;
}

async function homeWith(name: string, withRates: boolean): Promise<string> {
  const home = temporaryHome(name);
  const write = (file: string, rows: readonly string[]): string => {
    const path = join(home, file);
    writeFileSync(path, rows.join('\n'));
    return path;
  };
  const hours = Array.from({ length: HOURS }, (_, hour) => hour);
  const bars = write('bars.csv', [
    'time,open,high,low,close,volume',
    ...hours.map((hour) => `${START + hour * HOUR_MS},100,100.1,99.9,100,1000`),
  ]);
  await document(home, 'data', 'import', bars, '--symbol', 'ABC/USDT', '--timeframe', '1h', '--venue', 'mine');
  await document(home, 'data', 'import', bars, '--symbol', 'ABC/USDT:USDT', '--timeframe', '1h', '--venue', 'mine');
  if (!withRates) return home;
  const known = hours.flatMap((hour) => (rateAt(hour) === undefined ? [] : [[hour, rateAt(hour)] as const]));
  // A few milliseconds late, as venues stamp them.
  const rates = write('rates.csv', [
    'timestamp,funding_rate',
    ...known.map(([hour, rate]) => `${START + hour * HOUR_MS + (hour % 7)},${rate}`),
  ]);
  await document(home, 'data', 'import', rates, '--kind', 'funding', '--symbol', 'ABC/USDT:USDT', '--venue', 'mine');
  return home;
}

const COMMAND = [
  'backtest',
  '--strategy',
  'funding-carry',
  '--symbols',
  'ABC/USDT,ABC/USDT:USDT',
  '--timeframe',
  '1h',
  '--fee',
  '0',
  '--slippage',
  '0',
];

test('a carry is paid what was settled while it was held, at every settlement that there was, and no other', async () => {
  const home = await homeWith('funding', true);
  const run = await document<ReportDocument>(home, ...COMMAND);
  const short = run.trades.filter(({ symbol }) => symbol === 'ABC/USDT:USDT');
  assert.equal(short.length, 1, 'collected once, and left where longs are paid');
  const [trade] = short;
  const [opened, closed] = [trade?.openedAt, trade?.closedAt].map((at) => parseTime(at ?? ''));
  const expected = Array.from({ length: HOURS }, (_, hour) => START + hour * HOUR_MS).flatMap((at) => {
    const rate = rateAt((at - START) / HOUR_MS);
    return rate === undefined || at < (opened ?? NaN) || at > (closed ?? NaN) ? [] : [[at, rate * 100 * Number(trade?.quantity)] as const];
  });
  assert.ok(expected.length > 40);
  assert.deepEqual(
    run.funding.map(({ at }) => parseTime(at)),
    expected.map(([at]) => at),
  );
  run.funding.forEach(({ amount }, index) =>
    assert.ok(Math.abs(Number(amount) - (expected[index]?.[1] ?? NaN)) < 1e-9, `${index}: ${amount}`),
  );
  const sum = expected.reduce((total, [, paid]) => total + paid, 0);
  assert.ok(Math.abs(run.metrics.totalReturn * 10_000 - sum) < 1e-6, `${run.metrics.totalReturn}`);
  assert.ok(run.warnings.every((warning) => !warning.includes('assumed')));
  // Proved again from its recording, rates and all.
  assert.match((await ballast(home, 'replay', run.runId)).stdout, /the same/);
});

test('a strategy that lives on funding is refused where none is stored, and another is told what was assumed', async () => {
  const home = await homeWith('no-funding', false);
  const { code, stderr } = await ballast(home, ...COMMAND);
  assert.equal(code, 2);
  assert.match(stderr, /found no stored funding rates of ABC\/USDT:USDT, expected settled rates in the range/);
});
