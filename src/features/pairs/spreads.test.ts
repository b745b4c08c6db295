// Against a recomputation in Python over real bars: test/golden/spreads.test.ts.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BarColumns } from '../../domain/bars.ts';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { JointIndicator } from '../../domain/feature.ts';
import { relationOf } from '../../quant/cointegration.ts';
import { augmentedDickeyFuller } from '../../quant/unit-root.ts';
import { BasketSpread } from './basket-spread.ts';
import { CopulaPair } from './copula-pair.ts';
import { DistanceSpread } from './distance-spread.ts';
import { Excursion } from './excursion.ts';
import { FLAW, flawWords } from './flaw.ts';
import { barsAt, boundLegs, columnsOf, strangers } from './legs.fixture.ts';
import type { FormedSpread } from './formed-spread.ts';
import { PairSpread } from './pair-spread.ts';

const levels = { entry: 2, exit: 0.5, stop: 3.5, longest: 50 };

/** Every way to measure a spread, in windows that fit a short test. */
const KINDS: Readonly<Record<string, { readonly legs: number; make(formation: number, every: number): FormedSpread }>> = {
  'pair by formation': {
    legs: 2,
    make: (formation, every) => new PairSpread({ formation, every, levels, test: 'engle-granger', by: { kind: 'formation' } }),
  },
  'pair by look-back': {
    legs: 2,
    make: (formation, every) => new PairSpread({ formation, every, levels, test: 'kss', by: { kind: 'look-back', halfLives: 3 } }),
  },
  'pair by Kalman': {
    legs: 2,
    make: (formation, every) => new PairSpread({ formation, every, levels, test: 'engle-granger', by: { kind: 'kalman', memory: 80 } }),
  },
  basket: { legs: 3, make: (formation, every) => new BasketSpread({ legs: 3, formation, every, levels }) },
  distance: { legs: 4, make: (formation, every) => new DistanceSpread({ legs: 4, formation, trading: every, levels }) },
  copula: { legs: 4, make: (formation, every) => new CopulaPair({ legs: 4, formation, trading: every, test: 'kss', mostPValue: 1 }) },
};

function feed(indicator: JointIndicator, legs: readonly BarColumns[], from: number, to: number): void {
  for (let bar = from; bar < to; bar++) indicator.update(barsAt(legs, bar));
}

/** How many formations so many bars take. */
function formationsOf(indicator: FormedSpread, legs: readonly BarColumns[], bars: number): number {
  let formations = 0;
  for (let bar = 0; bar < bars; bar++) {
    indicator.update(barsAt(legs, bar));
    if (indicator.age === 0) formations++;
  }
  return formations;
}

function bytesOf(indicator: FormedSpread): string {
  const out = new ByteWriter();
  indicator.save(out);
  return Buffer.from(out.view()).toString('base64');
}

for (const [name, { legs, make }] of Object.entries(KINDS)) {
  test(`${name}: what is saved and restored goes on as if nothing had been`, () => {
    const history = boundLegs({ bars: 400, legs });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 380 }), (pausedAt) => {
        const whole = make(120, 60);
        feed(whole, history, 0, pausedAt);
        const out = new ByteWriter();
        whole.save(out);
        const resumed = make(120, 60);
        resumed.restore(new ByteReader(out.view()));
        assert.equal(bytesOf(resumed), bytesOf(whole));
        feed(whole, history, pausedAt, 400);
        feed(resumed, history, pausedAt, 400);
        assert.equal(bytesOf(resumed), bytesOf(whole));
        assert.deepEqual(resumed.legs, whole.legs);
      }),
      { numRuns: name === 'copula' ? 8 : 30 },
    );
  });

  test(`${name}: prices that say nothing are told apart, by name`, () => {
    const still = (): BarColumns => columnsOf(new Float64Array(300).fill(7));
    const flat = make(120, 60);
    feed(flat, Array.from({ length: legs }, still), 0, 300);
    assert.ok(Number.isNaN(flat.value) && flat.flaw === FLAW.still, flawWords(flat.flaw) ?? 'no flaw');

    const [walk = still()] = boundLegs({ bars: 300, legs: 1 });
    const copies = make(120, 60);
    feed(
      copies,
      Array.from({ length: legs }, () => walk),
      0,
      200,
    );
    assert.ok(copies.flaw === FLAW.copy || copies.flaw === FLAW.singular || (copies instanceof CopulaPair && copies.hasPair === 0));

    const gap = make(120, 60);
    const history = boundLegs({ bars: 300, legs });
    feed(gap, history, 0, 250);
    for (const close of [NaN, 0, -1, Infinity]) {
      gap.update(barsAt(history, 250).map((bar, leg) => (leg === legs - 1 ? { ...bar, close } : bar)));
      assert.ok(Number.isNaN(gap.value) && gap.flaw === FLAW.unknown);
    }
    feed(gap, history, 251, 252);
    assert.ok(Number.isFinite(gap.value), 'one bad bar is no more than that');
  });

  test(`${name}: a bar costs the same however long the formation is`, () => {
    // Rows that formations look at, a bar: the part of the work that could grow with the window.
    const rowsOf = (formation: number): number => {
      const bars = 3 * formation;
      return (formationsOf(make(formation, formation / 4), boundLegs({ bars, legs }), bars) * formation) / bars;
    };
    for (const formation of [100, 400, ...(name === 'copula' ? [] : [1_600])]) {
      assert.ok(rowsOf(formation) <= 4, `${rowsOf(formation)} rows a bar with a formation of ${formation}`);
    }
  });
}

test('while a stretch is traded its line stands, and the figures of the test are renewed', () => {
  const history = boundLegs({ bars: 3_000, legs: 2 });
  const spread = new PairSpread({ formation: 100, every: 5, levels, test: 'engle-granger', by: { kind: 'formation' } });
  let [stood, renewed] = [0, 0];
  let before = { open: false, ratio: NaN, pValue: NaN };
  for (let bar = 0; bar < 3_000; bar++) {
    spread.update(barsAt(history, bar));
    if (before.open && spread.age === 0) {
      assert.equal(spread.hedgeRatio, before.ratio);
      stood++;
      if (spread.pValue !== before.pValue) renewed++;
    }
    before = { open: spread.stretch !== 0, ratio: spread.hedgeRatio, pValue: spread.pValue };
  }
  assert.ok(stood > 50 && renewed === stood, `${stood} formations within a stretch, ${renewed} of them renewed the test`);
});

test('a relation that has broken is found to be none, and one that holds is not', () => {
  const broken = new PairSpread({ formation: 500, every: 50, levels, test: 'engle-granger', by: { kind: 'formation' } });
  const history = boundLegs({ bars: 2_000, legs: 2, breaksAt: 1_000 });
  feed(broken, history, 0, 1_000);
  assert.ok(broken.pValue < 0.01, `p ${broken.pValue}`);
  feed(broken, history, 1_000, 2_000);
  assert.ok(broken.pValue > 0.25, `p ${broken.pValue}`);
});

test('of independent walks no more look related than were said to: residuals have a distribution of their own', () => {
  const formations = { all: 0, related: 0, plain: 0, kss: 0 };
  for (let seed = 0; seed < 600; seed++) {
    const history = strangers(300, 2, seed);
    const one = new PairSpread({ formation: 300, every: 300, levels, test: 'engle-granger', by: { kind: 'formation' } });
    const other = new PairSpread({ formation: 300, every: 300, levels, test: 'kss', by: { kind: 'formation' } });
    feed(one, history, 0, 599);
    feed(other, history, 0, 599);
    const [y, x] = history.map(({ close }) => close.map(Math.log));
    assert.ok(y !== undefined && x !== undefined);
    formations.all++;
    if (one.pValue <= 0.05) formations.related++;
    if (other.pValue <= 0.05) formations.kss++;
    if (augmentedDickeyFuller(relationOf(y, x).residuals, { by: 'aic' }).pValue <= 0.05) formations.plain++;
  }
  const { all, related, plain, kss } = formations;
  assert.ok(related / all < 0.085, `Engle and Granger: ${related} of ${all}`);
  assert.ok(kss / all < 0.085, `KSS: ${kss} of ${all}`);
  assert.ok(plain / all > 0.1, `a plain Dickey-Fuller test: ${plain} of ${all}`);
});

test('no spread asks a test of a column by itself', () => {
  const folder = new URL('.', import.meta.url);
  const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  assert.ok(sources.length > 5);
  for (const name of sources) {
    assert.doesNotMatch(readFileSync(new URL(name, folder), 'utf8'), /augmentedDickeyFuller|phillipsPerron|dickeyFullerProbability/, name);
  }
});

test('a reference is never traded, and the two coins are in the ratios of their money', () => {
  const history = boundLegs({ bars: 600, legs: 5 });
  const found = new CopulaPair({ legs: 5, formation: 300, trading: 100, test: 'engle-granger', mostPValue: 0.9 });
  let formations = 0;
  for (let bar = 0; bar < 600; bar++) {
    found.update(barsAt(history, bar));
    if (found.age === 0) formations++;
    const { pair } = found;
    if (pair === undefined) continue;
    const { legs } = found;
    assert.equal(legs[0], 0);
    assert.equal(legs.filter((ratio) => ratio !== 0).length, 2);
    assert.equal(Math.max(...legs.map(Math.abs)), 1);
    const priceOf = (leg: number): number => history[leg]?.close[bar] ?? NaN;
    const ratio = (legs[pair.one.leg] ?? NaN) / (legs[pair.other.leg] ?? NaN);
    const wanted = (-pair.one.beta * priceOf(pair.one.leg)) / (pair.other.beta * priceOf(pair.other.leg));
    assert.ok(Math.abs(ratio - wanted) < 1e-9);
    assert.ok(pair.one.tau >= pair.other.tau && Math.max(pair.one.pValue, pair.other.pValue) <= 0.9);
  }
  assert.equal(formations, 3);
  assert.equal(found.hasPair, 1);
});

const anyLevels = fc
  .record({ entry: fc.double({ min: 0.5, max: 3, noNaN: true }), longest: fc.integer({ min: 1, max: 20 }) })
  .map(({ entry, longest }) => ({ entry, exit: entry - 0.5, stop: entry + 1, longest }));

test('a stretch begins at the entry, ends at the exit, and is not traded at the stop, after too long, or again before it has ended', () => {
  fc.assert(
    fc.property(anyLevels, fc.array(fc.double({ min: -6, max: 6 }), { maxLength: 200 }), (chosen, scores) => {
      const excursion = new Excursion(chosen);
      let [wasSpent, sideBefore] = [false, 0];
      for (const score of scores) {
        excursion.push(score);
        if (Number.isNaN(score)) continue;
        const { side, isOpen, isSpent, bars } = excursion;
        if (Math.abs(score) >= chosen.entry) assert.equal(side, Math.sign(score));
        if (side !== 0) assert.ok(score * side > chosen.exit);
        if (isOpen) assert.ok(score * side < chosen.stop && bars < chosen.longest);
        if (wasSpent && side === sideBefore) assert.ok(isSpent, 'spent until it ends');
        [wasSpent, sideBefore] = [isSpent, side];
      }
    }),
  );
});
