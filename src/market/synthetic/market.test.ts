import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { format, toNumber, type Decimal } from '../../domain/decimal.ts';
import { BallastError } from '../../domain/errors.ts';
import type { MarketEvent } from '../../domain/event.ts';
import { HOUR_MS, MINUTE_MS } from '../../domain/time.ts';
import { SYNTHETIC_ASSETS } from './assets.ts';
import { syntheticMarket, type SyntheticMarket } from './market.ts';
import type { SyntheticMarketOptions } from './options.ts';
import type { SyntheticSource } from './source.ts';

const START = Date.UTC(2026, 0, 1);
const SYMBOLS = SYNTHETIC_ASSETS.map(({ instrument }) => instrument.symbol);

function market(options: Partial<SyntheticMarketOptions> = {}): SyntheticMarket {
  return syntheticMarket({ seed: 1, startAt: START, ...options });
}

/** The next event by time, the lower index first: what a clock does. */
function takeNext({ sources }: SyntheticMarket): MarketEvent {
  const first = sources.reduce((earliest, source) => (source.peekAt() < earliest.peekAt() ? source : earliest));
  return { ...first.take() };
}

function sourceOf(of: SyntheticMarket, index: number): SyntheticSource {
  const source = of.sources[index];
  assert.ok(source !== undefined);
  return source;
}

function takeMany(from: SyntheticMarket, count: number): MarketEvent[] {
  return Array.from({ length: count }, () => takeNext(from));
}

function saved(of: SyntheticMarket): Uint8Array<ArrayBuffer> {
  const out = new ByteWriter();
  of.save(out);
  return out.view().slice();
}

function steps(value: number, step: Decimal): number {
  return value / toNumber(step);
}

function isWhole(count: number): boolean {
  return Math.abs(count - Math.round(count)) < 1e-6;
}

const tradeCounts = fc.constantFrom(0, 4, 5, 9);
const symbolSets = fc.shuffledSubarray(SYMBOLS, { minLength: 1 });

test('one seed gives one market, event for event, and another seed another', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.maxSafeNat(), tradeCounts, symbolSets, (seed, other, tradesPerBar, assets) => {
      const options = { seed, tradesPerBar, assets };
      const events = takeMany(market(options), 300);
      assert.deepEqual(takeMany(market(options), 300), events);
      if (other !== seed) assert.notDeepEqual(takeMany(market({ ...options, seed: other }), 300), events);
    }),
    { numRuns: 30 },
  );
});

test('the digits of seed 1 are the same on every machine and day', () => {
  const bytes = new ByteWriter();
  const { sources } = market();
  for (let taken = 0; taken < 5 * 2_000; taken++) {
    for (const source of sources) {
      const { at, open, high, low, close, volume } = source.take();
      for (const value of [at, open, high, low, close, volume]) bytes.number(value);
    }
  }
  // When the model is changed on purpose, raise VERSION in market.ts and put the new digest here.
  assert.equal(createHash('sha256').update(bytes.view()).digest('hex'), 'eeaae2dcad698643aa80d4c2666c6918d8801583aa97aedfb0a402a3627d1537');
});

test('a market saved and restored at any place continues bit for bit', () => {
  const cursors = fc.array(fc.nat(40), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.nat(), tradeCounts, symbolSets, fc.nat(400), cursors, (seed, tradesPerBar, assets, inStep, jumps) => {
      const options = { seed, tradesPerBar, assets };
      const running = market(options);
      takeMany(running, inStep);
      // Out of step too: nothing says that all sources are read alike.
      jumps.forEach((count, index) => {
        const source = running.sources[index % running.sources.length];
        for (let taken = 0; taken < count; taken++) source?.take();
      });
      const state = saved(running);
      const resumed = market(options);
      resumed.restore(new ByteReader(state));
      assert.deepEqual(saved(resumed), state, 'save, restore and save again changes nothing');
      assert.deepEqual(
        resumed.sources.map((source) => [source.peekAt(), { ...source.nextBar() }]),
        running.sources.map((source) => [source.peekAt(), { ...source.nextBar() }]),
      );
      assert.deepEqual(takeMany(resumed, 300), takeMany(running, 300));
      assert.deepEqual(saved(resumed), saved(running));
    }),
    { numRuns: 60 },
  );
});

test('a restored market forgets what it was before', () => {
  const running = market();
  takeMany(running, 777);
  const state = saved(running);
  const used = market();
  takeMany(used, 5_000);
  used.restore(new ByteReader(state));
  assert.deepEqual(takeMany(used, 500), takeMany(running, 500));
});

test('the saved state does not depend on who peeked or looked ahead', () => {
  const [quiet, watched] = [market(), market()];
  for (let round = 0; round < 200; round++) {
    for (const source of watched.sources) {
      source.peekAt();
      source.nextBar();
    }
    assert.deepEqual(saved(watched), saved(quiet));
    takeNext(quiet);
    takeNext(watched);
  }
});

test('the state of another market is refused, with both named', () => {
  const state = saved(market());
  for (const options of [
    { seed: 2 },
    { tradesPerBar: 0 },
    { timeframeMs: HOUR_MS },
    { startAt: START + MINUTE_MS },
    { assets: SYMBOLS.slice(1) },
  ]) {
    assert.throws(
      () => market(options).restore(new ByteReader(state)),
      (error) => error instanceof BallastError && error.code === 'SYNTHETIC_STATE_MISMATCH' && error.message.includes('seed 1'),
    );
  }
});

test('bars are consistent and on the venue steps, and each opens within a tick of the last close', () => {
  const all = market({ tradesPerBar: 0 });
  all.instruments.forEach((instrument, index) => {
    const source = sourceOf(all, index);
    let lastClose = NaN;
    for (let bar = 0; bar < 20_000; bar++) {
      const { kind, at, happenedAt, open, high, low, close, volume, warmup } = source.take();
      assert.equal(kind, 'bar.closed');
      assert.equal(at, START + (bar + 1) * MINUTE_MS);
      assert.equal(happenedAt, at);
      assert.equal(warmup, false);
      assert.ok(low > 0 && low <= open && low <= close && high >= open && high >= close && volume > 0);
      for (const value of [open, high, low, close]) {
        // Exactly the double that the venue's decimal text reads as.
        assert.equal(value, Number(value.toFixed(format(instrument.tick).length - 2)));
        assert.ok(isWhole(steps(value, instrument.tick)));
      }
      assert.ok(isWhole(steps(volume, instrument.lot)));
      if (bar > 0) assert.ok(Math.abs(steps(open - lastClose, instrument.tick)) < 1.001);
      lastClose = close;
    }
  });
});

test('trades lead to their bar: first is the open, last the close, extremes touched, quantities add up, times in order', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.constantFrom(4, 5, 7, 20, 100),
      fc.constantFrom(1000, MINUTE_MS, HOUR_MS),
      (seed, tradesPerBar, timeframeMs) => {
        const all = market({ seed, tradesPerBar, timeframeMs });
        all.instruments.forEach((instrument, index) => {
          const source = sourceOf(all, index);
          let last = START;
          for (let bar = 0; bar < 20; bar++) {
            const openAt = START + bar * timeframeMs;
            const expected = { ...source.nextBar() };
            const trades = Array.from({ length: tradesPerBar }, () => {
              const peeked = source.peekAt();
              const trade = { ...source.take() };
              assert.equal(trade.at, peeked);
              assert.deepEqual(
                { ...source.nextBar() },
                expected,
                'the next bar is known and stays the same while its trades are delivered',
              );
              return trade;
            });
            const closed = { ...source.take() };
            assert.deepEqual(closed, expected);
            assert.equal(closed.kind, 'bar.closed');
            assert.equal(closed.at, openAt + timeframeMs);
            for (const trade of trades) {
              assert.equal(trade.kind, 'trade.printed');
              assert.equal(trade.instrument, index);
              assert.equal(trade.happenedAt, trade.at);
              assert.ok(Number.isInteger(trade.at) && trade.at > openAt && trade.at <= closed.at && trade.at >= last);
              assert.ok(trade.open === trade.close && trade.high === trade.close && trade.low === trade.close);
              assert.ok(trade.volume > 0 && isWhole(steps(trade.volume, instrument.lot)));
              assert.ok(isWhole(steps(trade.close, instrument.tick)));
              last = trade.at;
            }
            const prices = trades.map(({ close }) => close);
            assert.equal(prices[0], closed.open);
            assert.equal(prices.at(-1), closed.close);
            assert.equal(Math.max(...prices), closed.high);
            assert.equal(Math.min(...prices), closed.low);
            const traded = trades.reduce(
              (sum: number, { volume }: MarketEvent): number => sum + Math.round(steps(volume, instrument.lot)),
              0,
            );
            assert.equal(traded, Math.round(steps(closed.volume, instrument.lot)));
          }
        });
      },
    ),
    { numRuns: 25 },
  );
});

test('the bars are the same with any number of trades, and for any choice of assets', () => {
  const bars = (options: Partial<SyntheticMarketOptions>, symbol: string): number[][] => {
    const all = market(options);
    const source = sourceOf(
      all,
      all.instruments.findIndex((instrument) => instrument.symbol === symbol),
    );
    return Array.from({ length: 500 }, () => {
      const ahead = source.nextBar();
      assert.ok(ahead !== undefined);
      const { at, open, high, low, close, volume } = ahead;
      const bar = [at, open, high, low, close, volume];
      while (source.take().kind !== 'bar.closed');
      return bar;
    });
  };
  for (const symbol of SYMBOLS) {
    const expected = bars({}, symbol);
    assert.deepEqual(bars({ tradesPerBar: 0 }, symbol), expected);
    assert.deepEqual(bars({ tradesPerBar: 11 }, symbol), expected);
    assert.deepEqual(bars({ assets: [symbol] }, symbol), expected);
    assert.deepEqual(bars({ assets: [...SYMBOLS].reverse() }, symbol), expected);
  }
});

test('time never falls, for a source alone and for all of them merged', () => {
  const all = market({ tradesPerBar: 6 });
  let last = 0;
  const lastOf = SYMBOLS.map(() => 0);
  for (const event of takeMany(all, 20_000)) {
    assert.ok(event.at >= last);
    assert.ok(event.at >= (lastOf[event.instrument] ?? NaN));
    last = event.at;
    lastOf[event.instrument] = event.at;
  }
  assert.ok(all.sources.every((source) => !source.ended && Number.isFinite(source.peekAt())));
});

test('a source may run far ahead of the others, and they still get every bar', () => {
  const [uneven, even] = [market({ tradesPerBar: 0 }), market({ tradesPerBar: 0 })];
  const columns = (of: SyntheticMarket, index: number): number[] => Array.from({ length: 3_000 }, () => sourceOf(of, index).take().close);
  const expected = SYMBOLS.map(() => [] as number[]);
  for (let bar = 0; bar < 3_000; bar++) even.sources.forEach((source, index) => expected[index]?.push(source.take().close));
  SYMBOLS.forEach((_, index) => assert.deepEqual(columns(uneven, index), expected[index]));
});

test('events before `from` are warm-up, from it on they are not', () => {
  const from = START + 3 * MINUTE_MS;
  const source = sourceOf(market({ from }), 0);
  for (let bar = 0; bar < 6; bar++) {
    assert.equal(source.nextBar()?.warmup, bar < 3);
    for (let taken = 0; taken < 5; taken++) assert.equal(source.take().warmup, bar < 3);
  }
});

test('the instruments are what a venue needs to know', () => {
  const { instruments } = market();
  assert.ok(instruments.length >= 5);
  assert.equal(new Set(instruments.map(({ symbol }) => symbol)).size, instruments.length);
  for (const instrument of instruments) {
    assert.equal(instrument.venue, 'simulated');
    assert.equal(instrument.kind, 'linear');
    assert.equal(instrument.symbol, `${instrument.base}/USDT:USDT`);
    assert.equal(format(instrument.minimumNotional), '5');
    assert.deepEqual([instrument.takerFeeRate, instrument.makerFeeRate, instrument.fundingRate], [0.0006, 0.0002, 0.0001]);
    assert.equal(instrument.fundingIntervalMs, 8 * HOUR_MS);
  }
});

test('wrong options are refused by name, with what was found and expected', () => {
  const wrong: readonly (readonly [Partial<SyntheticMarketOptions>, RegExp])[] = [
    [{ seed: -1 }, /seed: found -1, expected a whole number/],
    [{ seed: 1.5 }, /seed: found 1.5/],
    [{ startAt: START + 1 }, /startAt: found \d+, expected a multiple of the timeframe .* such as \d+ \(2026-01-01T00:00:00Z\)/],
    [{ startAt: NaN }, /startAt: found NaN/],
    [{ timeframeMs: 999 }, /timeframeMs: found 999/],
    [{ timeframeMs: NaN }, /timeframeMs: found NaN/],
    [{ tradesPerBar: 3 }, /tradesPerBar: found 3, expected 0, or a whole number from 4 to 100/],
    [{ tradesPerBar: 101 }, /tradesPerBar: found 101/],
    [{ from: NaN }, /from: found NaN/],
    [{ assets: [] }, /assets: found 0, expected at least one symbol/],
    [{ assets: ['BTC/USDT:USDT', 'BTC/USDT:USDT'] }, /each symbol once/],
    [{ assets: ['BTC/USDT'] }, /found "BTC\/USDT", expected one of BTC\/USDT:USDT, ETH/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(
      () => market(options),
      (error) => error instanceof BallastError && error.exitCode === 2 && message.test(error.message),
    );
  }
});

test('a million bars without a number that is none', () => {
  const { sources } = market({ seed: 99, tradesPerBar: 0 });
  const rounds = Math.ceil(1_000_000 / sources.length);
  for (let round = 0; round < rounds; round++) {
    for (const source of sources) {
      const { open, high, low, close, volume } = source.take();
      if (
        !(low > 0 && low <= open && low <= close && high >= open && high >= close && high < Infinity && volume > 0 && volume < Infinity)
      ) {
        assert.fail(`bar ${round} was ${open} ${high} ${low} ${close} ${volume}`);
      }
    }
  }
});
