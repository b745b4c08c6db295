// The rest of a strategy's contract: markets in which nothing moves, legs that are silent, delisted or one and the same, and numbers that
// are none. The first three run through the engine itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { session, type TestSession } from '../../../test/support/session.ts';
import type { BarColumns } from '../../domain/bars.ts';
import { isOnBars, timeframeOf, type AnyIndicator } from '../../domain/feature.ts';
import type { Opinion } from '../../domain/opinion.ts';
import type { Evidence, Forecaster } from '../../domain/strategy.ts';
import { HOUR_MS } from '../../domain/time.ts';
import { firstBars } from '../../features/indicators/bars.fixture.ts';
import { outputsOf } from '../../lab/lookahead/subject.ts';

/** Bars after the warm-up that are lived through: enough for what a strategy makes of a market that never changes. */
const BARS_AFTER = 300;

/** Evidence for which a strategy speaks, and the indicators behind it, to be tampered with. */
export interface WarmedWorld {
  readonly indicators: Readonly<Record<string, AnyIndicator>>;
  readonly evidence: Evidence;
}

/**
 * @param asked with its default parameters
 * @param history hourly bars of each leg, on which it takes a side at some time
 * @param warmed makes such a world anew
 */
export function survivesBrokenMarkets(asked: Forecaster, history: readonly BarColumns[], warmed: () => WarmedWorld): void {
  const { name } = asked;
  // Features of a longer timeframe are warm later than the same number of bars says.
  const warmup = Math.max(...Object.values(asked.features).map((spec) => (timeframeOf(spec, HOUR_MS) / HOUR_MS) * (spec.warmup + 1)));
  const still = warmup + BARS_AFTER;
  const legs = history.map((columns) => firstBars(columns, still));

  test(`${name}: numbers that are none make no forecast of them, and no exception`, () => {
    const { indicators, evidence } = warmed();
    assert.equal(asked.opine(evidence).kind, 'forecast');
    for (const nonsense of [NaN, Infinity, -Infinity]) {
      for (const indicator of Object.values(indicators)) {
        for (const output of outputsOf(indicator)) {
          const known = Object.getOwnPropertyDescriptor(indicator, output);
          Object.defineProperty(indicator, output, { value: nonsense, configurable: true, enumerable: true });
          holdsNumbers(asked.opine(evidence));
          // What is derived is not the object's own: then it is enough to take away what hides it.
          if (known === undefined) Reflect.deleteProperty(indicator, output);
          else Object.defineProperty(indicator, output, known);
        }
      }
      for (const [leg, bar] of evidence.bars.entries()) {
        const broken = { at: bar.at, open: nonsense, high: nonsense, low: nonsense, close: nonsense, volume: nonsense };
        const bars = evidence.bars.map((own, place) => (place === leg ? broken : own));
        holdsNumbers(asked.opine({ ...evidence, bars }));
        if (Number.isNaN(nonsense)) assert.equal(asked.opine({ ...evidence, bars }).kind, 'abstention', `leg ${leg} without a price`);
      }
    }
  });

  // There are neither books nor rates in these markets.
  if (!Object.values(asked.features).every(isOnBars)) return;

  test(`${name}: where nothing moves it takes no side, and what it says of that is words`, async () => {
    const { run, opinions } = await lived(asked, legs.map(constantBars));
    assert.equal(run.of('order.intended').length, 0);
    assert.ok(opinions.length > 0, 'it was asked');
    for (const opinion of opinions) {
      if (opinion.kind === 'abstention') assert.ok(opinion.because.length > 10, opinion.because);
      else assert.equal(opinion.stance, 0);
    }
  });

  if (asked.legs < 2) return;

  test(`${name}: a leg that misses bars makes it wait, never speak of two times`, async () => {
    for (let silent = 0; silent < asked.legs; silent++) {
      // Now and then a bar, and once a whole day.
      const kept = (index: number): boolean => index % 17 !== 5 && !(index > still - 100 && index <= still - 76);
      const { asked: evidences } = await lived(
        asked,
        legs.map((columns, leg) => (leg === silent ? onlyBars(columns, kept) : columns)),
      );
      assert.ok(evidences.length > 0, 'it was asked');
      for (const times of evidences) assert.equal(new Set(times).size, 1, 'bars of one close');
    }
  });

  test(`${name}: a leg that is delisted while it is held ends what is held, and nothing is opened after it`, async () => {
    const whole = await lived(asked, history);
    const entered = whole.run.of('order.filled')[0]?.at;
    assert.ok(entered !== undefined, 'it held something at some time');
    // The first bar after the entry is the last that the leg has.
    const last = Math.floor(entered / HOUR_MS) + 1;
    const known = history.map((columns) => firstBars(columns, last + 200));
    for (let gone = 0; gone < asked.legs; gone++) {
      const { run } = await lived(
        asked,
        known.map((columns, leg) => (leg === gone ? firstBars(columns, last) : columns)),
      );
      const delistedAt = last * HOUR_MS;
      const opened = run.of('decision.taken').filter(({ at, changes }) => at > delistedAt && changes.some(({ stance }) => stance !== 0));
      assert.deepEqual(opened, [], `leg ${gone} is gone`);
      for (let leg = 0; leg < asked.legs; leg++)
        if (leg !== gone) assert.equal(run.held(0, leg), '0', `leg ${leg} is closed without leg ${gone}`);
    }
  });

  test(`${name}: legs that are one and the same, or multiples, or of which one stands still, leave it with bounded words`, async () => {
    const [first] = legs;
    assert.ok(first !== undefined);
    const doubled: BarColumns = { ...first, ...scaled(first, 2) };
    for (const singular of [
      legs.map(() => first),
      legs.map((_, leg) => (leg === 0 ? first : doubled)),
      legs.map((own, leg) => (leg === 0 ? own : constantBars(own))),
    ]) {
      const { opinions } = await lived(asked, singular);
      assert.ok(opinions.length > 0, 'it was asked');
      for (const opinion of opinions) holdsNumbers(opinion);
    }
  });
}

interface Lived {
  readonly run: TestSession;
  readonly opinions: readonly Opinion[];
  /** By question: when each leg's bar closed. */
  readonly asked: readonly (readonly number[])[];
}

/** Through the engine, with its rules and the simulated venue, on perpetuals. */
async function lived(asked: Forecaster, legs: readonly BarColumns[]): Promise<Lived> {
  const opinions: Opinion[] = [];
  const times: (readonly number[])[] = [];
  const run = await session({
    bars: legs,
    baseTimeframeMs: HOUR_MS,
    startAt: 0,
    sleeves: [
      {
        instruments: legs.map((_, leg) => leg),
        minds: [
          {
            name: asked.name,
            features: asked.features,
            says: (_, evidence) => {
              const opinion = asked.opine(evidence);
              opinions.push(opinion);
              times.push(evidence.bars.map(({ at }) => at));
              return opinion;
            },
            explains: (evidence) => asked.explain(evidence),
          },
        ],
      },
    ],
  });
  return { run, opinions, asked: times };
}

/** Every number of an opinion is one, and an abstention has words. */
function holdsNumbers(opinion: Opinion): void {
  if (opinion.kind === 'abstention') return assert.ok(opinion.because.length > 10, opinion.because);
  const { stance, confidence, expectedReturn = 0, horizonMs = 1, protection = {}, legs = [1] } = opinion;
  const numbers = { stance, confidence, expectedReturn, horizonMs, ...protection };
  for (const [number, value] of Object.entries(numbers)) assert.ok(Number.isFinite(value), `${number} is ${value}`);
  assert.ok(Math.abs(stance) <= 1, `stance ${stance}`);
  assert.ok(legs.every(Number.isFinite) && legs.some((ratio) => ratio !== 0), `legs ${legs.join(', ')}`);
}

/** The first open at every price, and the volumes as they are. */
function constantBars(columns: BarColumns): BarColumns {
  const price = columns.close.map(() => columns.open[0] ?? NaN);
  return { ...columns, open: price, high: price, low: price, close: price };
}

function scaled({ open, high, low, close }: BarColumns, factor: number): Pick<BarColumns, 'open' | 'high' | 'low' | 'close'> {
  const times = (column: Float64Array): Float64Array => column.map((value) => value * factor);
  return { open: times(open), high: times(high), low: times(low), close: times(close) };
}

function onlyBars(columns: BarColumns, isKept: (index: number) => boolean): BarColumns {
  const kept = (column: Float64Array): Float64Array => column.filter((_, index) => isKept(index));
  const { openAt, open, high, low, close, volume } = columns;
  return { openAt: kept(openAt), open: kept(open), high: kept(high), low: kept(low), close: kept(close), volume: kept(volume) };
}
