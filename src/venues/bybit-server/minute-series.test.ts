import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { DAY_MS, MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { isInterval, MinuteSeries, nextOpenOf, openOf } from './minute-series.ts';

const INTERVALS = ['1', '3', '5', '15', '30', '60', '120', '240', '360', '720', 'D', 'W', 'M'];

describe('where bars open', () => {
  test('weeks on Mondays, months on their first, everything else by the clock', () => {
    const at = Date.UTC(2026, 10, 21, 19, 7, 30);
    const opens = Object.fromEntries(INTERVALS.map((interval) => [interval, new Date(openOf(interval, at)).toISOString().slice(0, 16)]));
    assert.deepEqual(
      [opens['1'], opens['15'], opens['240'], opens['D'], opens['W'], opens['M']],
      ['2026-11-21T19:07', '2026-11-21T19:00', '2026-11-21T16:00', '2026-11-21T00:00', '2026-11-16T00:00', '2026-11-01T00:00'],
    );
    assert.equal(new Date(nextOpenOf('M', Date.UTC(2026, 11, 1))).toISOString(), '2027-01-01T00:00:00.000Z');
    assert.equal(isInterval('7'), false);
  });

  test('every moment is in one bar, and the bar after begins where it ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(...INTERVALS), (at, interval) => {
        const openAt = openOf(interval, at);
        const next = nextOpenOf(interval, openAt);
        assert.ok(openAt <= at && at < next);
        assert.equal(openOf(interval, next), next);
      }),
    );
  });
});

describe('bars of a series', () => {
  const START = Date.UTC(2026, 0, 5);
  const part = (price: number) => ({ open: price, high: price + 1, low: price - 1, close: price + 0.5, volume: 2, turnover: 2 * price });

  test('agree with what was put in, whatever the interval', () => {
    const series = new MinuteSeries();
    const seconds = 3 * 3_600;
    for (let second = 0; second < seconds; second++) series.add(START + second * SECOND_MS, part(100 + (second % 97)));
    for (const interval of ['1', '5', '60', 'D']) {
      const bars = series.bars(interval, START, START + DAY_MS, Infinity);
      assert.equal(bars[0]?.open, 100);
      assert.equal(bars.at(-1)?.close, 100.5 + ((seconds - 1) % 97));
      assert.equal(
        bars.reduce((sum, { volume }) => sum + volume, 0),
        2 * seconds,
      );
      assert.ok(bars.every(({ high, low }) => high <= 197 && low >= 99));
    }
    assert.equal(series.bars('1', START, START + DAY_MS, Infinity).length, 180);
    assert.equal(
      series.bars('5', START + 1, START + DAY_MS, Infinity)[0]?.openAt,
      START + 5 * MINUTE_MS,
      'a start within a bar is the next bar',
    );
    assert.deepEqual(
      series.bars('1', START, START + 2 * MINUTE_MS, Infinity).map(({ openAt }) => (openAt - START) / MINUTE_MS),
      [0, 1, 2],
    );
    assert.equal(series.bars('1', START, START + DAY_MS, 7).length, 7);
  });

  test('what is forming is in its bar and not in the series', () => {
    const series = new MinuteSeries();
    series.add(START, part(100));
    const forming = { openAt: START + SECOND_MS, ...part(200) };
    const [bar] = series.bars('1', START, START, Infinity, forming);
    assert.deepEqual([bar?.open, bar?.high, bar?.close, bar?.volume], [100, 201, 200.5, 4]);
    assert.equal(series.bars('1', START, START, Infinity)[0]?.high, 101);
  });

  test('what is older than a month of minutes is forgotten', () => {
    const series = new MinuteSeries();
    for (let minute = 0; minute < 50_000; minute++) series.add(START + minute * MINUTE_MS, part(100));
    const kept = series.bars('1', 0, START + 50_000 * MINUTE_MS, Infinity).length;
    assert.ok(kept >= 43_200 && kept <= 44_640, `${kept} minutes`);
  });
});
