import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, formatSpan, formatTime, HOUR_MS, MINUTE_MS, parseSpan, parseTime, SECOND_MS, startOfDay } from './time.ts';

test('spans are read and written in their largest unit', () => {
  for (const [text, ms] of [
    ['1s', SECOND_MS],
    ['15m', 15 * MINUTE_MS],
    ['4h', 4 * HOUR_MS],
    ['30d', 30 * DAY_MS],
    ['2w', 14 * DAY_MS],
  ] as const) {
    assert.equal(parseSpan(text), ms);
    assert.equal(formatSpan(ms), text);
  }
  assert.equal(parseSpan(' 60m '), HOUR_MS);
  assert.equal(formatSpan(60 * MINUTE_MS), '1h');
  assert.equal(formatSpan(1_500), '1500ms');
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), (seconds) => parseSpan(formatSpan(seconds * SECOND_MS)) === seconds * SECOND_MS),
  );
});

test('what is no span is refused by name', () => {
  for (const text of ['', '1', 'm', '0m', '-1m', '1.5h', '1 h', '1M', '1y'])
    assert.throws(() => parseSpan(text, 'timeframe'), { code: 'SPAN_MALFORMED', place: 'timeframe' });
});

test('times are read in every spelling, in UTC unless they say otherwise', () => {
  const day = Date.UTC(2021, 0, 2);
  for (const text of [
    '20210102',
    '2021-01-02',
    '2021-01-02T00:00:00Z',
    '2021-01-02 00:00',
    '2021-01-02T00:00:00.000',
    '2021-01-02T01:00:00+01:00',
    '2021-01-01T23:00-0100',
    ' 2021-01-02 ',
    String(day),
  ]) {
    assert.equal(parseTime(text), day, text);
  }
});

test('what is no time is refused by name', () => {
  for (const text of [
    '',
    'yesterday',
    '2021',
    '2021-13-01',
    '20211301',
    '2021-1-2',
    '2021-01-02T25:00Z',
    '1.5e12',
    '2021-02-30',
    '20210230',
    '2021-02-29T00:00:00Z',
  ]) {
    assert.throws(() => parseTime(text, '--from'), { code: 'TIME_MALFORMED', place: '--from' }, text);
  }
});

test('times are written in UTC, with milliseconds only where there are any, and read back', () => {
  assert.equal(formatTime(0), '1970-01-01T00:00:00Z');
  assert.equal(formatTime(1), '1970-01-01T00:00:00.001Z');
  assert.equal(formatTime(Infinity), 'Infinity');
  fc.assert(fc.property(fc.integer({ min: 0, max: 4_102_444_800_000 }), (at) => parseTime(formatTime(at)) === at));
});

test('a day starts at midnight UTC, before the epoch too', () => {
  assert.equal(startOfDay(Date.UTC(2021, 5, 5, 23, 59, 59, 999)), Date.UTC(2021, 5, 5));
  assert.equal(startOfDay(-1), -DAY_MS);
});

test('F41: a change to or from summer time, wherever this machine is, moves no bar and no day; there is no leap second', (t) => {
  const before = process.env['TZ'];
  t.after(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
  for (const zone of ['America/New_York', 'Europe/Berlin', 'Australia/Lord_Howe']) {
    process.env['TZ'] = zone;
    let isMoved = false;
    for (let day = Date.UTC(2026, 0, 1); day < Date.UTC(2027, 0, 1); day += DAY_MS) {
      isMoved ||= new Date(day).getTimezoneOffset() !== new Date(day + DAY_MS).getTimezoneOffset();
      for (const at of [day, day + 90 * MINUTE_MS, day + DAY_MS - 1]) {
        assert.equal(startOfDay(at), day);
        assert.equal(parseTime(formatTime(at)), at);
      }
      assert.equal(parseTime(formatTime(day).slice(0, 10)), day);
    }
    assert.ok(isMoved, `${zone} has summer time`);
  }
  assert.throws(() => parseTime('2016-12-31T23:59:60Z'), { code: 'TIME_MALFORMED' });
});
