import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { needs, sharedPath } from '../../../test/support/needs.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { importBars } from './import.ts';
import type { ImportProgress, ImportRequest } from './import.ts';
import type { BarStore } from './store.ts';
import { ballastError, csvLines, HOURLY, openedStore, sameBars, temporaryFolder, walk } from './test-bars.ts';

const WEEKS = walk('2021-01-20T00:00:00Z', 20 * 24);
const LINES = csvLines(WEEKS);

interface Bench {
  readonly store: BarStore;
  readonly home: string;
  /** Writes a file and returns its path. */
  file(lines: readonly string[] | Uint8Array, name?: string): string;
  request(...files: string[]): ImportRequest;
}

async function bench(context: TestContext): Promise<Bench> {
  const home = temporaryFolder(context);
  const store = await openedStore(context, home);
  let files = 0;
  return {
    store,
    home,
    file(lines, name = `file${(files += 1)}.csv`) {
      const path = join(home, name);
      writeFileSync(path, lines instanceof Uint8Array ? lines : `${lines.join('\n')}\n`);
      return path;
    },
    request: (...paths) => ({ store, files: paths, ...HOURLY }),
  };
}

/** The good lines with one of them replaced; the file's line numbers start at 1, so the header is line 1. */
function spoilt(line: number, text: string): string[] {
  return LINES.map((good, index) => (index === line - 1 ? text : good));
}

const REPORT = {
  added: 480,
  unchanged: 0,
  corrected: 0,
  rowsRead: 480,
  duplicates: 0,
  fromMs: Date.parse('2021-01-20'),
  toMs: Date.parse('2021-02-09'),
  holes: 0,
  missingBars: 0,
};

test('a file is imported once: again it changes nothing and says so', async (context) => {
  const { store, file, request } = await bench(context);
  const path = file(LINES);
  assert.deepEqual(await importBars(request(path)), REPORT);
  assert.deepEqual(await importBars(request(path)), { ...REPORT, added: 0, unchanged: 480 });
  sameBars(await store.load(HOURLY), WEEKS);
});

test('gzip is told by its bytes, not by its name', async (context) => {
  const { store, file, request } = await bench(context);
  assert.deepEqual(await importBars(request(file(gzipSync(LINES.join('\n')), 'packed.csv'))), REPORT);
  sameBars(await store.load(HOURLY), WEEKS);
});

test('rows in any order are sorted, rows said twice are dropped and counted, holes are counted', async (context) => {
  const { store, file, request } = await bench(context);
  const rows = LINES.slice(1).filter((_, row) => ![5, 6, 7, 100].includes(row));
  const shuffled = rows.toSorted((a, b) => a.slice(11).localeCompare(b.slice(11)));
  const first = file([LINES[0] ?? '', ...shuffled, ...rows.slice(50, 60)]);
  const second = file([LINES[0] ?? '', ...rows.slice(300, 310).toReversed()]);
  const report = await importBars(request(first, second));
  assert.deepEqual(report, { ...REPORT, added: 476, rowsRead: 496, duplicates: 20, holes: 2, missingBars: 4 });
  const stored = await store.load(HOURLY);
  assert.equal(stored.openAt.length, 476);
  assert.ok(stored.openAt.every((at, row) => row === 0 || at > (stored.openAt[row - 1] ?? NaN)));
});

test('where a later file says otherwise its values win, and the corrections are counted', async (context) => {
  const { store, file, request } = await bench(context);
  await importBars(request(file(LINES)));
  const later = walk('2021-02-08T00:00:00Z', 48, HOUR_MS, 3);
  const report = await importBars(request(file(csvLines(later))));
  assert.deepEqual([report.added, report.unchanged, report.corrected], [24, 0, 24]);
  sameBars(await store.load({ ...HOURLY, fromMs: Date.parse('2021-02-08') }), later);
});

test('a bad file is named with its line, and the store stays as it was', async (context) => {
  const { store, file, request, home } = await bench(context);
  await importBars(request(file(LINES.slice(0, 200))));
  const before = await store.load(HOURLY);
  const good = LINES[299] ?? '';
  const [time = '', open = '', high = '', low = '', close = '', volume = ''] = good.split(',');
  const times = (factor: number, text: string): string => String(Number(text) * factor);
  const bad: Record<string, readonly [text: string, found: RegExp]> = {
    nan: [`${time},${open},${high},${low},NaN,${volume}`, /found close "NaN", expected a finite price above 0/],
    negative: [`${time},-${open},${high},${low},${close},${volume}`, /found open -\d/],
    inverted: [`${time},${open},${low},${high},${close},${volume}`, /expected low <= open, close <= high/],
    text: [`${time},${open},${high},${low},n/a,${volume}`, /found close "n\/a"/],
    misaligned: [
      `${time.replace(':00:', ':07:')},${open},${high},${low},${close},${volume}`,
      /expected an open time that is a multiple of 1h/,
    ],
    short: [`${time},${open}`, /found 2 columns, expected 6/],
    spike: [
      `${time},${times(1000, open)},${times(1000, high)},${times(1000, low)},${times(1000, close)},${volume}`,
      /a spike beside the close/,
    ],
    'spiking close': [`${time},${open},${times(1000, high)},${low},${times(1000, close)},${volume}`, /found close \d+(\.\d+)?, a spike/],
    'spiking high': [`${time},${open},${times(1000, high)},${low},${close},${volume}`, /found high \d+(\.\d+)?, a spike/],
    collapse: [
      `${time},${times(0.001, open)},${times(0.001, high)},${times(0.001, low)},${times(0.001, close)},${volume}`,
      /a spike beside/,
    ],
    contradiction: [
      LINES[298]?.replace(/,[^,]*$/, ',4242') ?? '',
      /found the bar of .* again, with volume 4242, expected volume \d+, as .*:299 says/,
    ],
  };
  for (const [name, [text, found]] of Object.entries(bad)) {
    const path = file(spoilt(300, text), `${name.replace(' ', '-')}.csv`);
    const error = await ballastError(() => importBars(request(path)));
    assert.equal(error.code, 'CSV_ROW_CORRUPT', name);
    assert.equal(error.place, `${path}:300`, name);
    assert.equal(error.exitCode, 1);
    assert.match(error.message, found, name);
    assert.match(error.message, /nothing was imported/, name);
    sameBars(await store.load(HOURLY), before);
  }
  assert.ok(!existsSync(join(home, 'data/.import')));
});

test('a spike is named on the first row, on the last, and where it lasts for several', async (context) => {
  const { file, request } = await bench(context);
  const raised = (line: string): string => {
    const [time, ...values] = line.split(',');
    return [time, ...values.map((value, index) => (index < 4 ? Number(value) * 1000 : value))].join(',');
  };
  const places = async (...lines: number[]): Promise<string> => {
    const path = file(LINES.map((line, index) => (lines.includes(index + 1) ? raised(line) : line)));
    const { place } = await ballastError(() => importBars(request(path)));
    return place.slice(path.length + 1);
  };
  assert.equal(await places(2), '2');
  assert.equal(await places(481), '481');
  assert.equal(await places(100, 101, 102), '100');
});

test('a market that truly moved is let in, and a ratio may be given where one moved further', async (context) => {
  const { file, request } = await bench(context);
  const header = LINES[0] ?? '';
  const delisted = ['2022-05-12T23:00:00Z,0.00241,0.00295,0.00028,0.00032,9e10', '2022-05-13T00:00:00Z,0.00032,0.0006,4e-05,5e-05,1e11'];
  const relisted = ['2022-05-31T06:00:00Z,1,25,1,8.5558,11492671.43', '2022-05-31T07:00:00Z,8.5558,8.7706,8.2374,8.6063,2326897.83'];
  const report = await importBars(request(file([header, ...delisted, ...relisted])));
  assert.deepEqual([report.added, report.holes, report.missingBars], [4, 1, 18 * 24 + 5]);
  const path = file([header, '2023-01-01T00:00:00Z,1,1,1,1,0', '2023-01-01T01:00:00Z,30,30,30,30,0']);
  await ballastError(() => importBars(request(path)));
  assert.equal((await importBars({ ...request(path), spikeRatio: 50 })).added, 2);
});

test('bars of another timeframe are not taken for bars with holes', async (context) => {
  const { file, request, store } = await bench(context);
  const path = file(LINES);
  const error = await ballastError(() => importBars({ ...request(path), timeframeMs: MINUTE_MS }));
  assert.equal(error.code, 'TIMEFRAME_MISMATCH');
  assert.equal(error.exitCode, 2);
  assert.equal(error.message, `${path}: found bars at least 1h apart, expected bars of 1m (give their timeframe: --timeframe 1h)`);
  assert.deepEqual(await store.list(), []);
});

test('a file that is missing, a folder, empty, cut off or packed otherwise is named', async (context) => {
  const { file, request, home } = await bench(context);
  const whole = gzipSync(LINES.join('\n'));
  const cases = [
    [join(home, 'absent.csv'), /absent\.csv: found no such file or folder, expected a file that can be read/],
    [home, /found a folder and no file/],
    [file(LINES.slice(0, 1), 'bare.csv'), /found a header and no bars, expected at least one bar/],
    [
      file(whole.subarray(0, whole.length - 200), 'cut.csv.gz'),
      /found unexpected end of file, expected a whole file, plain, gzipped or zipped/,
    ],
    [
      file(
        whole.map((byte, index) => (index === 500 ? byte ^ 64 : byte)),
        'flipped.csv.gz',
      ),
      /flipped\.csv\.gz/,
    ],
    [file(new TextEncoder().encode('PK\u0003\u0004...'), 'bars.zip'), /expected a whole file, plain, gzipped or zipped/],
  ] as const;
  for (const [path, message] of cases) {
    const error = await ballastError(() => importBars(request(path)));
    assert.match(error.message, message);
    assert.ok(error.message.startsWith(path), error.message);
  }
  assert.equal((await ballastError(() => importBars(request()))).exitCode, 2);
  assert.ok(!existsSync(join(home, 'data')), 'the store has not even been made');
});

test('progress runs through the bytes of all files and then through the months', async (context) => {
  const { file, request } = await bench(context);
  const paths = [file(LINES.slice(0, 100)), file([LINES[0] ?? '', ...LINES.slice(100)])];
  const seen: ImportProgress[] = [];
  await importBars({ ...request(...paths), onProgress: (progress) => seen.push(progress) });
  const total = paths.reduce((sum, path) => sum + statSync(path).size, 0);
  assert.deepEqual(seen.filter(({ stage }) => stage === 'reading').at(-1), { stage: 'reading', done: total, total });
  assert.deepEqual(seen.slice(-2), [
    { stage: 'writing', done: 1, total: 2 },
    { stage: 'writing', done: 2, total: 2 },
  ]);
  assert.ok(
    seen.every(({ done }, index) => index === 0 || seen[index - 1]?.stage !== seen[index]?.stage || done >= (seen[index - 1]?.done ?? 0)),
  );
});

test('seven years of real hourly bars come in with their 27 holes', { skip: needs('shared data') }, async (context) => {
  const { store, request, home } = await bench(context);
  const path = sharedPath('data/2_intraday/1h_spot/BTCUSDT_1h.csv.gz');
  assert.deepEqual(await importBars(request(path)), {
    added: 61_246,
    unchanged: 0,
    corrected: 0,
    rowsRead: 61_246,
    duplicates: 0,
    fromMs: Date.parse('2018-01-01'),
    toMs: Date.parse('2025-01-01'),
    holes: 27,
    missingBars: 122,
  });
  assert.equal(readdirSync(join(home, 'data/bars/binance/BTC-USDT/1h')).length, 84);
  const [series] = await store.list();
  assert.deepEqual(series, { ...HOURLY, fromMs: Date.parse('2018-01-01'), toMs: Date.parse('2025-01-01'), rows: 61_246, corrections: 0 });
  const bars = await store.load({ ...HOURLY, toMs: Date.parse('2018-01-01T02:00Z') });
  assert.deepEqual([...bars.open, ...bars.close], [13715.65, 13528.99, 13529.01, 13203.06]);
});

test('the wildest real bars are believed', { skip: needs('shared data') }, async (context) => {
  const { request } = await bench(context);
  for (const name of ['LUNAUSDT_1h_2021-23', 'LINKUSDT_1h']) {
    const path = sharedPath(`data/2_intraday/1h_spot/${name}.csv.gz`);
    assert.ok((await importBars({ ...request(path), symbol: `${name.slice(0, 4)}/USDT` })).added > 20_000);
  }
});
