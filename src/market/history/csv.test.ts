import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { BAR_LAYOUT } from './columns.ts';
import type { ColumnNames } from './columns.ts';
import { CsvReader, Words } from './csv.ts';
import { BarSink } from './import.ts';
import { ballastError, csvLines, sameBars, walk } from './test-bars.ts';

const HEADER = 'time,open,high,low,close,volume';

function read(text: string | Uint8Array, timeframeMs = HOUR_MS, columns: ColumnNames = {}, pieceBytes = 1 << 20): BarColumns {
  const sink = new BarSink(timeframeMs);
  const csv = new CsvReader(sink, { path: 'a.csv', layout: BAR_LAYOUT, columns, words: new Words() });
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text;
  for (let start = 0; start < bytes.length; start += pieceBytes) csv.push(bytes.subarray(start, start + pieceBytes));
  csv.end();
  return sink.columns();
}

function readTime(time: string, timeframeMs = MINUTE_MS): number {
  return read(`${HEADER}\n${time},1,1,1,1,1`, timeframeMs).openAt[0] ?? NaN;
}

async function rowError(row: string): Promise<string> {
  const error = await ballastError(() => read(`${HEADER}\n2021-01-01T00:00Z,100,110,90,105,1\n${row}\n`));
  assert.equal(error.code, 'CSV_ROW_CORRUPT');
  assert.equal(error.exitCode, 1);
  return error.message;
}

test('every number is read exactly as Number reads its text', () => {
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 25 }).map((list) => list.join(''));
  const decimal = fc.tuple(digits, digits).map(([whole, fraction]) => `${whole}.${fraction}`);
  const shortest = fc.double({ min: 0, max: 1e300, noNaN: true }).map(String);
  const fixed = fc.tuple(fc.double({ min: 0, max: 1e6, noNaN: true }), fc.nat(12)).map(([number, places]) => number.toFixed(places));
  fc.assert(
    fc.property(fc.oneof(digits, decimal, shortest, fixed), (text) => {
      const { volume } = read(`${HEADER}\n2021-01-01,1,1,1,1,${text}`);
      assert.equal(volume[0], Number(text), text);
    }),
    { numRuns: 1000 },
  );
  for (const text of ['4e-05', '1E3', '+5', '.5', '5.', ' 7 ', '"8"', '" 9.5 "', '-0', '0.1', '9007199254740993', '0.30000000000000004']) {
    const expected = Number(text.replaceAll('"', '')) + 0;
    assert.ok(Object.is(read(`${HEADER}\n2021-01-01,1,1,1,1,${text}`).volume[0], expected), text);
  }
});

test('times are read in ISO-8601 with and without a zone, and as seconds, milliseconds and microseconds', () => {
  const at = Date.parse('2021-03-04T05:06:00Z');
  const texts = [
    '2021-03-04T05:06:00Z',
    '2021-03-04T05:06Z',
    '2021-03-04 05:06:00',
    '2021-03-04 05:06',
    '2021-03-04t05:06:00.000z',
    '2021-03-04T05:06:00.000000',
    '2021-03-04T05:06:00+00:00',
    '2021-03-04T07:06:00+02:00',
    '2021-03-04T07:06:00+0200',
    '2021-03-04T07:06:00+02',
    '2021-03-03 23:36:00-05:30',
    '"2021-03-04 05:06:00"',
    ' 2021-03-04T05:06:00Z ',
    String(at / 1000),
    `${at / 1000}.0`,
    String(at),
    `${at}000`,
    `"${at}"`,
    '1.61483436e9',
  ];
  for (const text of texts) assert.equal(readTime(text), at, text);
  assert.equal(readTime('2021-03-04', DAY_MS), Date.parse('2021-03-04'));
  assert.equal(readTime('20210304', DAY_MS), Date.parse('2021-03-04'));
});

test('every instant survives its ISO text', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4e12 }), (at) => {
      assert.equal(readTime(new Date(at).toISOString(), 1), at);
    }),
  );
});

test('a time that is none, or that the calendar does not have, is named', async () => {
  const texts = [
    '2021-02-30',
    '2021-13-01',
    '2021-01-01T24:00',
    '2021-01-01T00:60',
    '2021-01-01T00:00:60',
    '2021-01-01X00:00',
    '2021-01-01T0:00',
    '2021-01-01T00:00:00ZZ',
    '2021-01-01T00:00:00+2',
    '01/02/2021',
    'yesterday',
    '',
    '12',
    '20211301',
    '1e400',
    '2021-1-1',
  ];
  for (const text of texts) {
    assert.match(
      await rowError(`${text},100,110,90,105,1`),
      /^a\.csv:3: found time ".*", expected the time the bar opened: ISO-8601/,
      text,
    );
  }
});

test('a time that is not a bar open of the timeframe is named, a close time least of all', async () => {
  const half = 'a.csv:3: found a bar that opens at 2021-01-01T00:30:00Z, expected an open time that is a multiple of 1h';
  assert.ok((await rowError('2021-01-01T00:30Z,100,110,90,105,1')).startsWith(half));
  assert.match(await rowError('2021-01-01T00:59:59.999Z,100,110,90,105,1'), /found a bar that opens at/);
  assert.match(await rowError('2021-01-01T00:59:59.9999999Z,100,110,90,105,1'), /found a bar that opens at/);
});

test('a corrupt row is named by file and line, with what was found, what was expected and what to do', async () => {
  const remedy = '(correct or remove the line; nothing was imported)';
  const price = 'expected a finite price above 0';
  const cases = [
    ['2021-01-01T01:00Z,abc,110,90,105,1', `found open "abc", ${price}`],
    ['2021-01-01T01:00Z,100,110,90,NaN,1', `found close "NaN", ${price}`],
    ['2021-01-01T01:00Z,100,110,,105,1', `found low "", ${price}`],
    ['2021-01-01T01:00Z,100,Infinity,90,105,1', `found high "Infinity", ${price}`],
    ['2021-01-01T01:00Z,100,1e999,90,105,1', `found high "1e999", ${price}`],
    ['2021-01-01T01:00Z,0x10,110,90,105,1', `found open "0x10", ${price}`],
    ['2021-01-01T01:00Z,1.2.3,110,90,105,1', `found open "1.2.3", ${price}`],
    ['2021-01-01T01:00Z,-100,110,90,105,1', `found open -100, ${price}`],
    ['2021-01-01T01:00Z,0,110,90,105,1', `found open 0, ${price}`],
    ['2021-01-01T01:00Z,100,110,90,105,-1', 'found volume -1, expected a finite volume of 0 or more'],
    ['2021-01-01T01:00Z,100,110,90,105,null', 'found volume "null", expected a finite volume of 0 or more'],
    ['2021-01-01T01:00Z,100,99,90,105,1', 'found open 100, high 99, low 90, close 105, expected low <= open, close <= high'],
    ['2021-01-01T01:00Z,100,110', 'found 3 columns, expected 6, as in the header'],
    ['2021-01-01T01:00Z,100,110,90,105,1,7,8', 'found 8 columns, expected 6, as in the header'],
    ['2021-01-01T01:00Z,"100,110,90,105,1', 'found a quote that is not closed, expected every field to end on its line'],
  ] as const;
  for (const [row, text] of cases) assert.equal(await rowError(row), `a.csv:3: ${text} ${remedy}`);
});

test('the rows do not depend on where the file is cut into pieces, nor on how its lines end', () => {
  const bars = walk('2021-01-01T00:00:00Z', 40);
  const text = csvLines(bars).join('\n');
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.constantFrom('\n', '\r\n', '\n\n'),
      fc.boolean(),
      (pieceBytes, ending, endsWithLine) => {
        sameBars(read(text.replaceAll('\n', ending) + (endsWithLine ? ending : ''), HOUR_MS, {}, pieceBytes), bars);
      },
    ),
  );
});

test('columns are found by their names in any order, among others and with any delimiter', () => {
  const row = { openAt: 1_609_459_200_000, open: 100, high: 110, low: 90, close: 105, volume: 7 };
  const texts = [
    'close;Volume;LOW;High;Open;Date;trades\n105;7;90;110;100;2021-01-01;9',
    'unix\tsymbol\topen\thigh\tlow\tclose\tvolume_base\n1609459200\tBTC/USDT\t100\t110\t90\t105\t7',
    '\uFEFF"Open time","Open","High","Low","Close","Volume","Close time"\r\n1609459200000,100,110,90,105,7,1609462799999\r\n',
    'https://www.example.org\nunix,date,symbol,open,high,low,close,vol\n1609459200000,whatever,"BTC, or so",100,110,90,105,7',
  ];
  for (const text of texts) {
    const bars = read(text);
    for (const [name, value] of Object.entries(row)) assert.equal(bars[name as keyof BarColumns][0], value, `${name} of ${text}`);
  }
  const named = read('T,o1,h1,l1,c1,Volume BTC\n2021-01-01,100,110,90,105,7', HOUR_MS, {
    time: 'T',
    open: 'o1',
    high: 'h1',
    low: 'L1',
    close: 'c1',
    volume: 'Volume BTC',
  });
  assert.equal(named.volume[0], 7);
});

test('a header that lacks a column says which, what there is and how to name it', async () => {
  const lacking = await ballastError(() => read('time,open,high,low,close,Volume BTC\n2021-01-01,1,1,1,1,1'));
  assert.equal(lacking.exitCode, 2);
  assert.equal(
    lacking.message,
    'a.csv:1: found the columns "time", "open", "high", "low", "close", "Volume BTC", ' +
      'expected one for volume, such as volume, volume_base, base_volume (name it with --columns volume=NAME)',
  );
  const misnamed = await ballastError(() => read(`${HEADER}\n`, HOUR_MS, { close: 'last' }));
  assert.match(misnamed.message, /expected a column "last" for close/);
  const text = await ballastError(() => read('once upon a time\nthere was no table\n'));
  assert.equal(text.code, 'COLUMNS_UNKNOWN');
});

test('a file without a header, without rows or without text is refused', async () => {
  const headless = await ballastError(() => read('2021-01-01T00:00:00Z,1,1,1,1,1\n2021-01-01T01:00:00Z,1,1,1,1,1\n'));
  assert.equal(headless.message.split(' (')[0], 'a.csv:1: found no header line, expected a first line that names the columns');
  assert.equal((await ballastError(() => read(''))).code, 'COLUMNS_UNKNOWN');
  assert.equal(read(`${HEADER}\n`).openAt.length, 0);
  const binary = await ballastError(() => read(new Uint8Array(200_000).fill(7)));
  assert.match(binary.message, /^a\.csv:1: found a line of more than 65536 bytes/);
});
