// Random worlds from a seed: two instruments, two sleeves that tend to oppose each other, one on the other instrument, a pair over both;
// prices with holes, jumps and crashes; an operator and a feed that interfere. One seed is one world, in every process.
import fc from 'fast-check';
import type { AllocationMethod } from '../../src/council/allocation.ts';
import type { AccountReport } from '../../src/domain/event.ts';
import { HOUR_MS, MINUTE_MS, type TimeMs } from '../../src/domain/time.ts';
import { ema } from '../../src/features/catalog.ts';
import { EXECUTION_ALGORITHMS, type ExecutionAlgorithm, type TicketAlgorithm } from '../../src/domain/order.ts';
import type { ExecutionSettings } from '../../src/execution/tickets.ts';
import { abstain, type Protection } from '../../src/domain/opinion.ts';
import { Random } from '../../src/quant/random.ts';
import type { MarginKind } from '../../src/venues/simulated/rules.ts';
import { bars, counted, feed, forecast, operator, START, walk, type SessionParts, type TestMind } from '../support/session.ts';

export interface World {
  readonly seed: number;
  readonly count: number;
  readonly latencyMs: TimeMs;
  readonly isRuled: boolean;
  /** With margin, twentyfold: a position is liquidated long before its disaster stop. */
  readonly margin: MarginKind;
  /** One sleeve on spot that buys by budget, with a stop that trails by ratio; in some, orders fill at the close. */
  readonly isAllIn?: boolean;
  /** How orders are carried out where it is not all-in; at the market unless said. */
  readonly algorithm?: ExecutionAlgorithm;
  /** Bars of six hours, and shares of equity that are divided anew every other day. */
  readonly allocation?: AllocationMethod;
}

export const anyWorld = (longest: number): fc.Arbitrary<World> =>
  fc.record({
    seed: fc.nat({ max: 1_000_000 }),
    count: fc.integer({ min: 20, max: longest }),
    // Within a bar, and once longer than a bar, so that orders and cancels cross.
    latencyMs: fc.constantFrom(1, 1, 500, 59_999, 90_000),
    isRuled: fc.constantFrom(true, true, true, false),
    margin: fc.constantFrom('leverage', 'leverage', 'isolated', 'cross'),
    isAllIn: fc.constantFrom(false, false, false, true),
    // As often at the market as by all others together.
    algorithm: fc.oneof(fc.constant('market' as const), fc.constantFrom(...EXECUTION_ALGORITHMS)),
  });

/** How often, with what seed and how verbosely properties are tried: fixed, unless somebody hunts. */
export function trials(numRuns: number): fc.Parameters<unknown> {
  return {
    numRuns: Number(process.env['BALLAST_PROPERTY_RUNS'] ?? numRuns),
    seed: Number(process.env['BALLAST_PROPERTY_SEED'] ?? 20_261_120),
    endOnFailure: process.env['BALLAST_PROPERTY_SHRINK'] === undefined,
  };
}

/** A stance that stays for a while and then jumps; sometimes an abstention. Known from the bar's number alone. */
function moods(random: Random, count: number, jumpChance: number, protection?: Protection): TestMind['says'] {
  const list: (number | undefined)[] = [];
  let stance = 0;
  for (let bar = 0; bar <= count; bar++) {
    if (random.uniform() < jumpChance) stance = Math.round((random.uniform() * 2 - 1) * 4) / 4;
    list.push(random.uniform() < 0.03 ? undefined : stance);
  }
  return (bar) => {
    const said = list[bar];
    return said === undefined
      ? abstain('no opinion today')
      : forecast(said, { confidence: 0.5, ...(protection === undefined ? {} : { protection }) });
  };
}

/** In a third of the worlds money goes and comes: the capital is 10,000, and of what is beside it nobody in the run knows. */
function countings(random: Random, lastsMs: TimeMs): readonly AccountReport[] {
  if (!random.bernoulli(0.33)) return [];
  return Array.from({ length: 1 + random.integer(5) }, () =>
    counted(START + Math.floor(random.uniform() * lastsMs), (3_000 + 12_000 * random.uniform()).toFixed(7)),
  );
}

export function partsOf(world: World): SessionParts {
  const { seed, count, latencyMs, isRuled, margin, isAllIn, algorithm = 'market', allocation } = world;
  const barMs = allocation === undefined ? MINUTE_MS : 6 * HOUR_MS;
  const random = new Random(seed);
  const chaos = { holes: 0.02, jumps: 0.03, crashes: random.uniform() < 0.3 ? 0.01 : 0 };
  const words = Array.from({ length: random.integer(5) }, () => {
    const at = START + Math.floor(random.uniform() * count * barMs);
    const sleeve = `sleeve-${random.integer(4)}`;
    const halt = [operator(at, 'halt'), operator(at + 1 + random.integer(20 * MINUTE_MS), 'resume')];
    const lost = [feed(at, 'feed.lost', random.integer(3) - 1), feed(at + 1 + random.integer(5 * MINUTE_MS), 'feed.restored')];
    return [halt, lost, [operator(at, 'flatten')], [operator(at, 'close', sleeve)]][random.integer(4)] ?? [];
  });
  // Of its own generator, so that the worlds of before stay what they were.
  const said = [...words.flat(), ...countings(new Random(seed).fork('money'), count * barMs)];
  const trendy: TestMind['says'] = (_, { features }) => Math.sign((features['fast']?.value ?? 0) - (features['slow']?.value ?? 0));
  const chance = 0.02 + random.uniform() * 0.2;
  if (isAllIn === true) return allIn(world, moods(random, count, chance, { stopRatio: 0.01, trailRatio: 0.015 }), said);
  return {
    instruments: [{ fundingRate: 0.0003, fundingIntervalMs: 60 * MINUTE_MS }, { takerFeeRate: 0.0005 }],
    bars: [0, 1].map((instrument) =>
      bars(walk({ seed: seed * 2 + instrument, count, from: instrument === 0 ? 100 : 7, ...chaos }), { timeframeMs: barMs }),
    ),
    baseTimeframeMs: barMs,
    sleeves: [
      { instruments: [0], shareRatio: 0.3, minds: [{ says: moods(random, count, chance) }] },
      { instruments: [0], shareRatio: 0.3, minds: [{ says: trendy, features: { fast: ema(3), slow: ema(9) } }] },
      { instruments: [1], shareRatio: 0.2, minds: [{ says: moods(random, count, chance), timeframeMs: 5 * barMs }] },
      { instruments: [0, 1], shareRatio: 0.2, minds: [{ says: moods(random, count, chance) }] },
    ],
    words: said,
    ...(allocation === undefined ? {} : { council: { allocation, allocationWindowDays: 5, allocationCadenceDays: 2 } }),
    desk: algorithm === 'market' ? {} : { execution: workedBy(algorithm, seed) },
    policy: isRuled ? { trailR: random.integer(2), fixedRatio: 0.6, drawdownHaltRatio: 0.2 } : 'none',
    plan: { mindFailure: { action: 'suspend', strikes: 3 } },
    venue: { latencyMs, slippageRatio: 0.0005, ...(margin === 'leverage' ? {} : { maximumLeverage: 20, rules: { margin } }) },
  };
}

/** Within a few bars, in a few slices. */
function workedBy(algorithm: TicketAlgorithm, seed: number): ExecutionSettings {
  const horizonMs = (1 + (seed % 5)) * MINUTE_MS;
  return { algorithm, horizonMs, postOnly: seed % 2 === 0, slices: 4, urgency: 1, participationRatio: 0.5, displayRatio: 0.3 };
}

function allIn({ seed, count, latencyMs, isRuled }: World, says: TestMind['says'], words: SessionParts['words'] = []): SessionParts {
  const isAtClose = seed % 2 === 0;
  return {
    instruments: [{ symbol: 'X/USDT', kind: 'spot', takerFeeRate: 0.001 }, {}],
    bars: [0, 1].map((instrument) => bars(walk({ seed: seed * 2 + instrument, count, holes: 0.02, jumps: 0.03 }))),
    sleeves: [{ instruments: [0], minds: [{ says }] }],
    words,
    policy: isRuled ? { drawdownHaltRatio: 0.2 } : 'none',
    sizing: 'all-in',
    desk: { buysByBudget: true },
    plan: { mindFailure: { action: 'suspend', strikes: 3 } },
    venue: { latencyMs, slippageRatio: 0.0005, rules: isAtClose ? { fill: 'close', stopSlippageRatio: 0 } : {} },
  };
}
