import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOUR_MS, MINUTE_MS, parseTime } from '../../domain/time.ts';
import { syntheticHeadlines } from './headlines.ts';
import { interruptionTruth } from './interruptions.ts';
import { REGIMES } from './regimes.ts';
import { groundTruth } from './truth.ts';
import { truthDocument } from './truth-document.ts';

const START = Date.UTC(2026, 0, 1);
const OPTIONS = { seed: 4, startAt: START, timeframeMs: 5 * MINUTE_MS };
const BARS = 40 * 288;
const document = truthDocument(OPTIONS, BARS);
const columns = groundTruth({ ...OPTIONS, bars: BARS });

function barOf(at: string): number {
  return (parseTime(at) - START) / OPTIONS.timeframeMs;
}

test('the document is plain data that JSON keeps whole', () => {
  assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
  assert.deepEqual(document.range, { from: '2026-01-01T00:00:00Z', until: '2026-02-10T00:00:00Z' });
});

test('its regimes and jumps are those of the columns, none left out', () => {
  const regime = new Uint8Array(BARS).fill(255);
  for (const { regime: name, from, until } of document.regimes) {
    assert.ok(regime.subarray(barOf(from), barOf(until)).every((value) => value === 255));
    regime.fill(
      REGIMES.findIndex((of) => of.name === name),
      barOf(from),
      barOf(until),
    );
  }
  assert.deepEqual(regime, columns.regime);

  const jump = new Float64Array(BARS);
  const own = new Map(columns.assets.map(({ symbol }) => [symbol, new Float64Array(BARS)]));
  for (const { at, symbol, jump: size } of document.jumps) {
    if (symbol === undefined) jump[barOf(at)] = size;
    else own.get(symbol)?.fill(size, barOf(at), barOf(at) + 1);
  }
  assert.deepEqual(jump, columns.factor.jump);
  assert.ok(document.jumps.length > 100);
  const bitcoin = columns.assets[0]?.jump.map((value, bar) => value - (jump[bar] ?? NaN)) ?? new Float64Array(0);
  const ofDocument = own.get('BTC/USDT:USDT') ?? new Float64Array(0);
  bitcoin.forEach((value, bar) => assert.ok(Math.abs(value - (ofDocument[bar] ?? NaN)) < 1e-12));
});

test('its pairs, breaks, leads and delistings are those of the truth, its interruptions and headlines those of their streams', () => {
  assert.deepEqual(
    document.pairs.map(({ leader, follower, breaks }) => [
      leader,
      follower,
      breaks.map(({ from, until }) => [parseTime(from), parseTime(until)]),
    ]),
    [
      ...columns.pairs.map(({ leader, follower }) => [leader, follower, []]),
      ...columns.brokenPairs.map(({ leader, follower, breaks }) => [leader, follower, breaks.map(({ from, until }) => [from, until])]),
    ],
  );
  assert.equal(document.pairs.at(-1)?.breaks.length, 2);
  assert.deepEqual(document.leads, columns.leads);
  assert.deepEqual(
    document.delistings.map(({ symbol, collapseFrom, at }) => ({ symbol, collapseFrom: parseTime(collapseFrom), at: parseTime(at) })),
    columns.delistings,
  );
  const { outages, gaps } = interruptionTruth(OPTIONS, BARS);
  assert.equal(document.outages.length, 14);
  assert.deepEqual(
    document.outages.map(({ from, until }) => ({ from: parseTime(from), until: parseTime(until) })),
    outages,
  );
  assert.deepEqual(
    Object.entries(document.gaps).map(([symbol, ranges]) => [
      symbol,
      ranges.map(({ from, until }) => ({ from: parseTime(from), until: parseTime(until) })),
    ]),
    [...gaps],
  );
  const stream = syntheticHeadlines(OPTIONS);
  const found = Array.from({ length: BARS }, () => stream.step()).flat();
  assert.ok(found.length > 50);
  assert.deepEqual(
    document.headlines.map(({ id, at, kind, jump }) => [id, parseTime(at), kind, jump]),
    found.map(({ headline, truth }) => [headline.id, headline.at, truth.kind, truth.jump]),
  );
  assert.deepEqual(document.headlineTiming, { leadMs: 15 * MINUTE_MS, lagMs: 5 * MINUTE_MS, deliveryMs: 20_000 });
  assert.deepEqual(document.onChainTiming, {
    periodMs: HOUR_MS,
    inflowLeadMs: 6 * HOUR_MS,
    addressLagMs: 12 * HOUR_MS,
    publicationMs: 20 * MINUTE_MS,
  });
});
