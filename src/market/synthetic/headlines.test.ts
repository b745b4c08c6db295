import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../domain/time.ts';
import { syntheticHeadlines, type PublishedHeadline, type SyntheticHeadlines } from './headlines.ts';
import type { SyntheticMarketOptions } from './options.ts';
import { groundTruth } from './truth.ts';

const START = Date.UTC(2026, 0, 1);
const HOURLY = { startAt: START, timeframeMs: HOUR_MS };
const SYMBOLS = ['BTC/USDT:USDT', 'SOL/USDT:USDT'];

function take(from: SyntheticHeadlines, bars: number): PublishedHeadline[] {
  return Array.from({ length: bars }, () => from.step()).flat();
}

test('every headline stands where its kind says, and belongs to a jump of the truth or to none', () => {
  const cases = fc.record({
    seed: fc.maxSafeNat(),
    timeframeMs: fc.constantFrom(MINUTE_MS, 7 * MINUTE_MS, HOUR_MS),
    leadMinutes: fc.constantFrom(1, 15, 90),
    lagMinutes: fc.constantFrom(0, 5, 200),
  });
  const seen = { lead: 0, lag: 0, decoy: 0 };
  fc.assert(
    fc.property(cases, ({ seed, timeframeMs, leadMinutes, lagMinutes }) => {
      const startAt = Math.ceil(START / timeframeMs) * timeframeMs;
      const headlines = { leadMinutes, lagMinutes, leadChance: 1, lagChance: 1, minimumJump: 0.003 };
      const bars = 2_000;
      const found = take(syntheticHeadlines({ seed, startAt, timeframeMs, assets: SYMBOLS, headlines }), bars);
      // The stream knows of jumps after its last bar; so does this truth.
      const truth = groundTruth({ seed, startAt, timeframeMs, bars: bars + 200 });
      let last = 0;
      for (const { headline, truth: of } of found) {
        assert.ok(headline.at >= last && headline.at > startAt && headline.at <= startAt + bars * timeframeMs);
        assert.equal(headline.at - headline.happenedAt, 20 * SECOND_MS);
        assert.ok(!/[{}]/.test(headline.title) && headline.title.length > 15, headline.title);
        assert.match(headline.id, /^[0-9a-f]{16}$/);
        last = headline.at;
        seen[of.kind]++;
        assert.ok(Math.abs(of.sentiment) > 0.3 && Math.abs(of.sentiment) <= 1);
        if (of.kind === 'decoy') {
          assert.deepEqual([of.jump, of.jumpBarAt], [0, undefined]);
          continue;
        }
        assert.equal(Math.sign(of.sentiment), Math.sign(of.jump));
        assert.ok(of.jumpBarAt !== undefined);
        const expected = of.kind === 'lead' ? of.jumpBarAt - leadMinutes * MINUTE_MS : of.jumpBarAt + timeframeMs + lagMinutes * MINUTE_MS;
        assert.equal(headline.at, expected);
        const bar = (of.jumpBarAt - startAt) / timeframeMs;
        const factor = truth.factor.jump[bar] ?? NaN;
        if (headline.symbol === undefined) assert.equal(of.jump, factor);
        else {
          const asset = truth.assets.find(({ symbol }) => symbol === headline.symbol);
          const beta = headline.symbol === 'BTC/USDT:USDT' ? 1 : 1.15;
          assert.ok(Math.abs((asset?.jump[bar] ?? NaN) - beta * factor - of.jump) < 1e-12);
        }
      }
      // With chances of one every jump of the factor has both, as far as they fall into the stream.
      const jumps = Array.from(truth.factor.jump.entries()).filter(([, jump]) => Math.abs(jump) >= 0.003);
      const ofMarket = found.filter(({ headline }) => headline.symbol === undefined);
      for (const [kind, offset] of [
        ['lead', -leadMinutes * MINUTE_MS],
        ['lag', timeframeMs + lagMinutes * MINUTE_MS],
      ] as const) {
        const wanted = jumps.filter(([bar]) => {
          const at = startAt + bar * timeframeMs + offset;
          return at > startAt && at <= startAt + bars * timeframeMs;
        });
        const had = ofMarket.filter(({ truth: of }) => of.kind === kind);
        assert.deepEqual(
          had.map(({ truth: of }) => of.jump),
          wanted.map(([, jump]) => jump),
        );
      }
    }),
    { numRuns: 25 },
  );
  assert.ok(seen.lead > 100 && seen.lag > 100 && seen.decoy > 100, JSON.stringify(seen));
});

test('the share of decoys is what was asked for, in the long run', () => {
  for (const decoyShare of [0, 0.4, 0.8]) {
    let [decoys, all] = [0, 0];
    for (let seed = 0; seed < 6; seed++) {
      const found = take(syntheticHeadlines({ ...HOURLY, seed, headlines: { decoyShare } }), 365 * 24);
      decoys += found.filter(({ truth }) => truth.kind === 'decoy').length;
      all += found.length;
    }
    assert.ok(all > 3_000 && Math.abs(decoys / all - decoyShare) < 0.03, `${decoys} of ${all}, asked for ${decoyShare}`);
  }
});

test('nothing but the truth tells a decoy from a leading headline', () => {
  const found = take(syntheticHeadlines({ startAt: START, seed: 9, assets: SYMBOLS }), 30 * 1440);
  const of = (kind: string): PublishedHeadline[] => found.filter(({ truth }) => truth.kind === kind);
  const form = ({ headline }: PublishedHeadline): string => headline.title.replaceAll(/[\d.]+/g, '#');
  assert.ok(of('lead').length > 10 && of('decoy').length > 10);
  for (const { headline } of found) {
    assert.equal((headline.at - START) % MINUTE_MS, 0);
    assert.deepEqual(Object.keys(headline), ['id', 'at', 'happenedAt', 'symbol', 'outlet', 'title']);
  }
  const leading = new Set(
    of('lead')
      .map(form)
      .map((title) => title.split(' ').at(-1)),
  );
  assert.ok(
    of('decoy').some((decoy) => leading.has(form(decoy).split(' ').at(-1))),
    'they share their endings',
  );
  assert.equal(new Set(found.map(({ headline }) => headline.id)).size, found.length);
});

test('a headline is the same whichever other assets are chosen', () => {
  const options = { ...HOURLY, seed: 3 };
  const all = take(syntheticHeadlines(options), 1_000);
  for (const symbol of SYMBOLS) {
    const alone = take(syntheticHeadlines({ ...options, assets: [symbol] }), 1_000);
    assert.deepEqual(
      alone,
      all.filter(({ headline }) => headline.symbol === undefined || headline.symbol === symbol),
    );
  }
});

test('headlines saved and restored at any bar continue', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(400), (seed, bars) => {
      const options: SyntheticMarketOptions = { ...HOURLY, seed, headlines: { leadMinutes: 600, lagMinutes: 600 } };
      const running = syntheticHeadlines(options);
      take(running, bars);
      const saved = new ByteWriter();
      running.save(saved);
      const resumed = syntheticHeadlines(options);
      resumed.restore(new ByteReader(saved.view()));
      assert.deepEqual(take(resumed, 300), take(running, 300));
    }),
    { numRuns: 20 },
  );
});

test('what waits to be known does not grow with time', () => {
  const running = syntheticHeadlines({ ...HOURLY, seed: 2, headlines: { leadMinutes: 1440, lagMinutes: 1440 } });
  const sizes = Array.from({ length: 10 }, () => {
    take(running, (100 * DAY_MS) / HOUR_MS);
    const out = new ByteWriter();
    running.save(out);
    return out.length;
  });
  assert.ok(Math.max(...sizes) < 20_000, sizes.join(', '));
});
