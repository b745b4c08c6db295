// Stored bars looked through: every flaw is found where it was put, and the real files have the flaws that their collectors counted.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { BarColumns } from '../../domain/bars.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { needs, sharedPath } from '../../../test/support/needs.ts';
import { importBars } from './import.ts';
import { Inspector, type Inspection } from './inspection.ts';
import { openStore, type BarStore } from './store.ts';

const START = Date.UTC(2024, 0, 1);
type Row = readonly [openAt: number, open: number, high: number, low: number, close: number, volume: number];

const quiet = (hour: number, price = 100, volume = 5): Row => [START + hour * HOUR_MS, price, price * 1.01, price * 0.99, price, volume];
const quietHours = (count: number, from = 0, price = 100): Row[] => Array.from({ length: count }, (_, index) => quiet(from + index, price));

function columns(rows: readonly Row[]): BarColumns {
  const column = (field: number): Float64Array => Float64Array.from(rows, (row) => row[field] ?? NaN);
  return { openAt: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) };
}

/** In chunks of every size, which must make no difference. */
function inspect(rows: readonly Row[]): Inspection {
  const results = [1, 3, rows.length].map((size) => {
    const inspector = new Inspector(HOUR_MS);
    for (let start = 0; start < rows.length; start += size) inspector.add(columns(rows.slice(start, start + size)));
    return inspector.result();
  });
  for (const result of results) assert.deepEqual(result, results[0]);
  return results[0] ?? assert.fail();
}

const found = ({ findings }: Inspection): unknown[] => findings.map(({ kind, fromMs, bars }) => [kind, (fromMs - START) / HOUR_MS, bars]);

describe('an inspection', () => {
  test('finds nothing in sound bars', () => {
    const result = inspect(quietHours(50));
    assert.deepEqual(result.findings, []);
    assert.deepEqual([result.rows, result.qualityRatio, result.coins], [50, 1, 1]);
  });

  test('of no bars gives no quality', () => {
    assert.deepEqual([inspect([quiet(0)]).qualityRatio, new Inspector(HOUR_MS).result().qualityRatio], [1, 0]);
  });

  test('counts a hole by its missing bars, and judges nobody by a neighbour on its other side', () => {
    const result = inspect([...quietHours(5), ...quietHours(5, 8, 3_000)]);
    assert.deepEqual(found(result), [['hole', 5, 3]]);
    assert.deepEqual([result.holes, result.missingBars, result.qualityRatio], [1, 3, 10 / 13]);
  });

  test('tells neighbouring flat bars once, and bars without volume that moved apart from them', () => {
    const flat = (hour: number): Row => [START + hour * HOUR_MS, 100, 100, 100, 100, 0];
    const result = inspect([...quietHours(3), flat(3), flat(4), quiet(5, 100, 0), flat(6), quiet(7)]);
    assert.deepEqual(found(result), [
      ['flat', 3, 2],
      ['flat', 6, 1],
    ]);
    assert.deepEqual([result.flatBars, result.zeroVolumeBars], [3, 4]);
  });

  test('tells a spike once, not as a way there and a way back', () => {
    const result = inspect([...quietHours(4), quiet(4, 100_000), ...quietHours(4, 5)]);
    assert.deepEqual(found(result), [['spike', 4, 1]]);
    assert.deepEqual([result.spikes, result.breaks, result.qualityRatio], [1, 0, 8 / 9]);
  });

  test('tells a price that jumps and stays as a break between two bars that are sound', () => {
    const result = inspect([...quietHours(4), ...quietHours(4, 4, 9_000)]);
    assert.deepEqual(found(result), [['break', 4, 1]]);
    assert.equal(result.qualityRatio, 1);
  });

  test('takes another price after days of silence for another coin, and gives the whole no quality', () => {
    const days = (3 * DAY_MS) / HOUR_MS;
    assert.equal(inspect([...quietHours(4), ...quietHours(4, 3 + days, 9_000)]).coins, 1, 'an hour less');
    const result = inspect([...quietHours(4), ...quietHours(4, 4 + days, 9_000)]);
    assert.deepEqual(found(result), [
      ['hole', 4, days],
      ['another-coin', 4 + days, 1],
    ]);
    assert.deepEqual([result.coins, result.qualityRatio], [2, 0]);
  });

  test('tells what is no bar, and what does not follow', () => {
    const result = inspect([quiet(0), [START + HOUR_MS, 100, 90, 110, 100, 1], [START + 2 * HOUR_MS, NaN, 1, 1, 1, 1], quiet(3), quiet(3)]);
    assert.deepEqual(found(result), [
      ['malformed', 1, 2],
      ['disorder', 3, 1],
    ]);
    assert.deepEqual([result.malformedBars, result.disorderedBars, result.qualityRatio], [2, 1, 2 / 5]);
  });
});

// ---- real files --------------------------------------------------------------------------------------------------------

interface Counted {
  readonly file: string;
  readonly holes: number;
  readonly missingBars: number;
  /** Open, high, low and close are one price, whatever the volume. */
  readonly flatBars: number;
  readonly coins: number;
}

/** What the collectors of the files counted with tools of their own, from the README beside them. */
function countedIn(readme: string): Counted[] {
  const sections = readFileSync(sharedPath(readme), 'utf8').split(/^## /m).slice(1);
  return sections.flatMap((section) => {
    const [, file] = /^(\S+(?:USDT|PERP)\S*\.csv(?:\.gz)?)/.exec(section) ?? [];
    const [, holes, missing] = /gaps: (\d+) holes, (\d+) missing bars/.exec(section) ?? [];
    const [, flat] = /flat bars (\d+)/.exec(section) ?? [];
    if (file === undefined || flat === undefined) return [];
    const coins = section.includes('two different coins') ? 2 : 1;
    return [{ file, holes: Number(holes), missingBars: Number(missing), flatBars: Number(flat), coins }];
  });
}

const TIMEFRAMES = [
  [/_1d\./, DAY_MS],
  [/_1h[._]/, HOUR_MS],
  [/_5m[._]/, 5 * MINUTE_MS],
  [/_1m[._]/, MINUTE_MS],
] as const;

describe('the real files have the flaws that their collectors counted, and no others', { skip: needs('shared data') }, () => {
  let home = '';
  let store: BarStore;
  before(async () => {
    home = mkdtempSync(join(tmpdir(), 'ballast-inspection-'));
    store = await openStore(home);
  });
  after(async () => {
    await store.close();
    rmSync(home, { recursive: true });
  });

  for (const readme of needs('shared data') === false ? ['data/1_daily/README.md', 'data/2_intraday/README.md'] : []) {
    for (const counted of countedIn(readme)) {
      test(counted.file, async () => {
        const [, timeframeMs] =
          TIMEFRAMES.find(([pattern]) => pattern.test(counted.file)) ?? assert.fail(`the timeframe of ${counted.file}`);
        const series = { venue: counted.file.toLowerCase().replaceAll(/[^a-z0-9]/g, '-'), symbol: 'AAA/USDT', timeframeMs };
        // The README names the file, which may have been packed since.
        const path = sharedPath(join('data', counted.file));
        await importBars({ store, files: [existsSync(path) ? path : `${path}.gz`], ...series });
        const inspector = new Inspector(timeframeMs);
        let flatBars = 0;
        for await (const chunk of store.stream(series, 10_000)) {
          inspector.add(chunk);
          for (let row = 0; row < chunk.openAt.length; row++) if (chunk.high[row] === chunk.low[row]) flatBars++;
        }
        const result = inspector.result();
        assert.deepEqual([result.holes, result.missingBars, result.coins], [counted.holes, counted.missingBars, counted.coins]);
        assert.equal(flatBars, counted.flatBars);
        // With a volume a flat bar is a quiet one.
        assert.ok(result.flatBars <= flatBars, `${result.flatBars} without a trade of ${flatBars} flat`);
        if (counted.file.includes('5m_perp')) assert.equal(result.flatBars, 16);
        assert.deepEqual([result.malformedBars, result.spikes, result.breaks, result.disorderedBars], [0, 0, 0, 0]);
      });
    }
  }
});
