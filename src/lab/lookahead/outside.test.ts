import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOUR_MS } from '../../domain/time.ts';
import { outsideText, seriesThrough, type OutsideView } from './outside.ts';

const hour = (count: number): number => Date.UTC(2026, 0, 1) + count * HOUR_MS;
const view = (more: Partial<OutsideView>): OutsideView => ({ after: hour(2), by: 'known', manner: 'rising', ...more });
const at = (count: number): string => new Date(hour(count)).toISOString();

/** One table in every form in which it is met with: measured each hour, published two hours later. */
const rows = [0, 1, 2, 3].map((count) => ({ measured: at(count), published: at(count + 2), value: 10 + count, name: `row ${count}` }));
const header = 'measured,published,value,name';
const lines = rows.map(({ measured, published, value, name }) => `${measured},${published},${value},${name}`);
const forms: Readonly<Record<string, string>> = {
  'CSV with a header': [header, ...lines, ''].join('\n'),
  'CSV of Windows': [header, ...lines, ''].join('\r\n'),
  'CSV without a header': lines.join('\n'),
  'CSV with semicolons': [header, ...lines].join('\n').replaceAll(',', ';'),
  'CSV with quotes': [
    header,
    ...lines.map((line) =>
      line
        .split(',')
        .map((cell) => `"${cell}"`)
        .join(','),
    ),
  ].join('\n'),
  seconds: lines.map((_, row) => `${hour(row) / 1_000},${hour(row + 2) / 1_000},${10 + row}`).join('\n'),
  'milliseconds, microseconds and nanoseconds': lines
    .map((_, row) => `${hour(row)},${hour(row + 2) * 1_000},${10 + row},${hour(row)}000000`)
    .join('\n'),
  JSON: JSON.stringify(rows),
  'JSON below a name': JSON.stringify({ source: { rows } }),
  'JSON arrays': JSON.stringify(rows.map((row) => Object.values(row))),
  'JSON lines': rows.map((row) => JSON.stringify(row)).join('\n'),
};

describe('the times of rows in a text', () => {
  for (const [form, text] of Object.entries(forms)) {
    test(`${form}: both times of every row, and rows after a moment are others or none`, () => {
      const table = outsideText(text);
      assert.ok(table !== undefined);
      assert.deepEqual([...table.happenedAt], [0, 1, 2, 3].map(hour));
      assert.deepEqual([...table.knownAt], [2, 3, 4, 5].map(hour));
      const value = (row: number): string => String(10 + row);
      const rising = table.through(view({}));
      assert.ok(rising.includes(value(0)), 'known at two o’clock, so it stays');
      for (const later of [1, 2, 3]) assert.ok(!new RegExp(`\\b${value(later)}\\b`).test(withoutTimes(rising)), `row ${later} is another`);
      assert.equal(outsideText(rising)?.knownAt.length, 4, 'and still a table with the same times');
      const happened = withoutTimes(table.through(view({ by: 'happened' })));
      for (const kept of [0, 1, 2]) assert.ok(new RegExp(`\\b${value(kept)}\\b`).test(happened), `row ${kept} had happened`);
      assert.equal(outsideText(table.through(view({ manner: 'cut', after: hour(3) })))?.knownAt.length, 2);
      assert.equal(
        withoutTimes(table.through(view({ after: hour(9) }))),
        withoutTimes(table.through(view({ manner: 'cut', after: hour(9) }))),
      );
    });
  }

  test('bars with an open time alone are known one bar later', () => {
    const bars = ['time,open,high,low,close,volume', ...[0, 1, 2, 3].map((row) => `${hour(row)},1,2,0.5,1.5,100`)].join('\n');
    assert.deepEqual([...(outsideText(bars)?.knownAt ?? [])], [1, 2, 3, 4].map(hour));
    const bare = outsideText(JSON.stringify([0, 1, 2, 3].map((row) => [hour(row), 1, 2, 0.5, 1.5, 100])));
    assert.deepEqual([...(bare?.knownAt ?? [])], [1, 2, 3, 4].map(hour), 'without a header they look like bars');
    const metrics = bars.replace('close', 'rate').replaceAll(',2,', ',0,');
    assert.deepEqual([...(outsideText(metrics)?.knownAt ?? [])], [0, 1, 2, 3].map(hour), 'others when they say');
  });

  test('large numbers that rise and fall are no times, and a text without times is no table', () => {
    const volumes = [5, 3, 4, 1, 2].map((count) => `1${count}00000000,7`).join('\n');
    for (const text of ['', 'hello', '{"weights":[0.1,0.2]}', '[1,2,3]', 'a,b\n1,2\n3,4', volumes])
      assert.equal(outsideText(text), undefined, text);
  });
});

describe('a declared series', () => {
  const series = {
    happenedAt: Float64Array.of(hour(0), hour(1)),
    knownAt: Float64Array.of(hour(2), hour(3)),
    value: Float64Array.of(5, -6),
  };

  test('is another after a moment, by either of its times, and never the same object', () => {
    assert.deepEqual(seriesThrough(series, undefined), series);
    assert.notEqual(seriesThrough(series, undefined).value, series.value);
    const [rising, falling] = [seriesThrough(series, view({})), seriesThrough(series, view({ manner: 'falling' }))];
    assert.equal(rising['value']?.[0], 5);
    assert.ok((rising['value']?.[1] ?? -6) > -6 && (falling['value']?.[1] ?? -6) < -6);
    assert.deepEqual(rising.knownAt, series.knownAt);
    assert.deepEqual(seriesThrough(series, view({ by: 'happened' })), series);
    assert.deepEqual([...(seriesThrough(series, view({ manner: 'cut' }))['value'] ?? [])], [5]);
  });
});

function withoutTimes(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '')
    .replaceAll(/\d{9,}/g, '')
    .replaceAll(/row \d/g, '');
}
