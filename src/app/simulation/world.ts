// What a seed is: a market, what is traded in it and how, and everything that goes wrong and when. All of it is drawn before anything happens,
// so that what one part draws later cannot change the weather of another.
import { defaultCouncilSettings } from '../../council/council.ts';
import { amount } from '../../domain/decimal.ts';
import type { Instrument } from '../../domain/instrument.ts';
import { EXECUTION_ALGORITHMS, type ExecutionAlgorithm } from '../../domain/order.ts';
import type { Sleeve } from '../../domain/sleeve.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS, type TimeMs } from '../../domain/time.ts';
import type { MindPlan, RunPlan } from '../../engine/plan.ts';
import { syntheticMarket } from '../../market/synthetic/market.ts';
import { Random } from '../../quant/random.ts';
import { defaultRiskPolicy, type RiskPolicy } from '../../risk/policy.ts';
import { defaultRules } from '../../risk/rules/default-rules.ts';
import { defaultBybitVenueSettings, type BybitVenueSettings } from '../../venues/ccxt/bybit-venue.ts';

/** What the network, the venue, the clocks and the disk can do. */
export const FAULTS = [
  'requests-lost',
  'requests-reset-and-late',
  'requests-doubled',
  'answers-lost',
  'answers-cut',
  'slow',
  'link-cut',
  'frames-doubled',
  'frames-late',
  'frames-reordered',
  'frames-garbled',
  'stream-closed',
  'stream-deaf',
  'venue-silent-after-accepting',
  'venue-stalls',
  'venue-answers-html',
  'venue-answers-nothing',
  'venue-503',
  'venue-429',
  'venue-403',
  'venue-error',
  'venue-too-many',
  'venue-clock-code',
  'venue-says-no-positions',
  'venue-refuses-sockets',
  'venue-silent-to-subscriptions',
  'venue-silent-to-pings',
  'orders-unsaid',
  'executions-unsaid',
  'bars-unsaid',
  'private-doubled',
  'private-reordered',
  'venue-restarted',
  'venue-deleverages',
  'venue-pays-funding',
  'delisted',
  'machine-clock-stepped',
  'disk-full',
] as const;
export type FaultName = (typeof FAULTS)[number];

export interface Fault {
  readonly name: FaultName;
  /** Milliseconds of the world. */
  readonly at: number;
  readonly forMs: number;
  /** Of each message that it could touch. */
  readonly chance: number;
  /** Signed, of what has a size: milliseconds of a clock, quote currency of a payment. */
  readonly size: number;
}

/** How far a commit gets before the process dies in it. */
export const COMMIT_PHASES = ['before', 'tape-torn', 'tape-only', 'journal-torn', 'after'] as const;

/** How a life of the process ends. */
export type Death = { readonly downMs: number } & (
  | { readonly kind: 'at-time'; readonly at: number }
  /** In its commit of this number, counted from the start of the life. */
  | { readonly kind: 'in-commit'; readonly number: number; readonly phase: (typeof COMMIT_PHASES)[number]; readonly tear: number }
  /** With this order, cancel or amendment in its hand, which is recorded and does not leave. */
  | { readonly kind: 'before-send'; readonly number: number }
  /** Recovered, and dead before it has spoken to anybody. */
  | { readonly kind: 'recovered' }
  /** The disk fails under this commit, and may or may not have it. */
  | { readonly kind: 'disk-error'; readonly number: number; readonly isWritten: boolean }
);

export interface SleeveLayout {
  readonly instruments: readonly number[];
  readonly shareRatio: number;
}

/** What an operator says: a word that finds no process alive is not said. */
export interface Word {
  readonly at: number;
  readonly command: 'halt' | 'resume' | 'flatten';
}

/** Another hand moves money of the account. */
export interface MoneyMove {
  /** Milliseconds of the world. */
  readonly at: number;
  /** In quote currency: negative is a withdrawal. */
  readonly amount: string;
}

export interface World {
  readonly seed: number;
  readonly instruments: readonly Instrument[];
  readonly bars: number;
  /** The weather is clear from here to the end. */
  readonly clearFrom: number;
  readonly endsAt: number;
  readonly firstPrices: readonly number[];
  readonly volatility: number;
  readonly jumpChance: number;
  readonly tradesPerBar: number;
  readonly latencyMs: readonly [least: number, most: number];
  readonly sleeves: readonly SleeveLayout[];
  /** By sleeve: the stance of each bar. */
  readonly stances: readonly (readonly number[])[];
  readonly algorithm: ExecutionAlgorithm;
  readonly policy: RiskPolicy;
  readonly settings: BybitVenueSettings;
  readonly snapshotEvents: number;
  readonly faults: readonly Fault[];
  readonly deaths: readonly Death[];
  readonly words: readonly Word[];
  readonly moneyMoves: readonly MoneyMove[];
}

/** A Monday, a few bars before funding is paid. */
export const WORLD_STARTS: TimeMs = Date.UTC(2026, 0, 5, 7, 56);
const MONEY = 100_000;
export const CAPITAL = amount(String(MONEY));
/** Bars before anything goes wrong, and after everything that did. */
const CALM_BARS = 1;
const CLEAR_BARS = 4;
/** Of these the market stands still in the last. */
export const QUIET_BARS = 2;
const SYMBOLS = ['BTC/USDT:USDT', 'ETH/USDT:USDT'];
const FIRST_PRICES = [60_000, 3_000];

let listed: readonly Instrument[] | undefined;

function instrumentsOf(count: number): readonly Instrument[] {
  listed ??= syntheticMarket({ seed: 1, startAt: 0, assets: SYMBOLS }).instruments.map((each) => ({
    ...each,
    fundingRate: 0.0001,
    fundingIntervalMs: HOUR_MS,
  }));
  return listed.slice(0, count);
}

export function worldOf(seed: number): World {
  const random = new Random(seed).fork('world');
  const pick = <Value>(values: readonly Value[]): Value => values[random.integer(values.length)] as Value;
  const count = random.bernoulli(0.3) ? 2 : 1;
  const bars = CALM_BARS + CLEAR_BARS + 4 + random.integer(6);
  const clearFrom = (bars - CLEAR_BARS) * MINUTE_MS;
  const change = 0.15 + 0.5 * random.uniform();
  const sleeves = sleevesOf(count, random);
  const stances = sleeves.map((_, index) => moods(bars, change, random.fork(`stance ${index}`)));
  return {
    seed,
    instruments: instrumentsOf(count),
    bars,
    clearFrom,
    endsAt: bars * MINUTE_MS - 10 * SECOND_MS,
    firstPrices: FIRST_PRICES,
    volatility: pick([0.0005, 0.001, 0.003]),
    jumpChance: pick([0, 0.02, 0.1]),
    tradesPerBar: 1 + random.integer(2),
    latencyMs: pick([
      [1, 5],
      [5, 40],
      [20, 400],
    ] as const),
    sleeves,
    stances,
    algorithm: random.bernoulli(0.6) ? 'market' : pick(EXECUTION_ALGORITHMS),
    policy: {
      ...defaultRiskPolicy,
      stopRatio: pick([0.002, 0.005, 0.02]),
      trailR: random.integer(2),
      fixedRatio: 0.3,
    },
    settings: {
      ...defaultBybitVenueSettings,
      reconcileMs: pick([30 * SECOND_MS, 2 * MINUTE_MS, 2 * MINUTE_MS, 2 * MINUTE_MS]),
      pingMs: 60 * SECOND_MS,
      // Of its own generator, so that the worlds of before stay what they were.
      orderEntry: new Random(seed).fork('order entry').bernoulli(0.3) ? 'socket' : 'rest',
    },
    snapshotEvents: random.bernoulli(0.5) ? 20 + random.integer(80) : Infinity,
    faults: Array.from({ length: random.integer(7) }, () => faultOf(random, clearFrom)).toSorted((one, other) => one.at - other.at),
    deaths: Array.from({ length: pick([0, 0, 1, 1, 2]) }, () => deathOf(random, clearFrom)),
    words: wordsOf(clearFrom, random),
    // Of its own generator, as the way of orders.
    moneyMoves: moneyMovesOf(clearFrom, new Random(seed).fork('money')),
  };
}

/** A stance that stays for a while and then is another. */
function moods(bars: number, change: number, random: Random): number[] {
  let stance = 0;
  return Array.from({ length: bars }, (_, bar) => {
    if (bar < bars - CLEAR_BARS && random.bernoulli(change)) stance = (random.integer(5) - 2) / 2;
    return stance;
  });
}

/** Most faults begin with a bar's close, when orders leave. */
function faultOf(random: Random, clearFrom: number): Fault {
  const name = FAULTS[random.integer(FAULTS.length)] ?? 'slow';
  const bars = clearFrom / MINUTE_MS;
  const bar = CALM_BARS + random.integer(bars - CALM_BARS);
  const at = bar * MINUTE_MS + (random.bernoulli(0.7) ? random.integer(300) - 250 : random.integer(MINUTE_MS));
  const longest = random.integer(3);
  const forMs = 100 + random.integer([2 * SECOND_MS, 20 * SECOND_MS, 4 * MINUTE_MS][longest] ?? SECOND_MS);
  return {
    name,
    at,
    forMs: Math.max(1, Math.min(forMs, clearFrom - at)),
    chance: random.bernoulli(0.5) ? 1 : 0.2 + 0.6 * random.uniform(),
    size: (random.bernoulli(0.5) ? 1 : -1) * (100 + random.integer(8_000)),
  };
}

function deathOf(random: Random, clearFrom: number): Death {
  const downMs = 200 + random.integer(random.bernoulli(0.2) ? 90 * SECOND_MS : 10 * SECOND_MS);
  const number = 1 + random.integer(12);
  switch (random.integer(8)) {
    case 0:
    case 1:
    case 2:
      return {
        kind: 'in-commit',
        number,
        phase: COMMIT_PHASES[random.integer(COMMIT_PHASES.length)] ?? 'after',
        tear: random.uniform(),
        downMs,
      };
    case 3:
    case 4:
      return { kind: 'before-send', number, downMs };
    case 5:
      return { kind: 'recovered', downMs };
    case 6:
      return { kind: 'disk-error', number, isWritten: random.bernoulli(0.5), downMs };
    default: {
      // A little after a close: orders are on their way.
      const bar = CALM_BARS + random.integer(clearFrom / MINUTE_MS - CALM_BARS);
      return { kind: 'at-time', at: bar * MINUTE_MS + random.integer(random.bernoulli(0.7) ? 1_500 : MINUTE_MS), downMs };
    }
  }
}

/** In a quarter of the worlds somebody interferes, mostly while orders are on their way. */
function wordsOf(clearFrom: number, random: Random): readonly Word[] {
  if (!random.bernoulli(0.25)) return [];
  const bar = CALM_BARS + random.integer(clearFrom / MINUTE_MS - CALM_BARS);
  const at = bar * MINUTE_MS + random.integer(random.bernoulli(0.7) ? 800 : MINUTE_MS);
  if (random.bernoulli(0.3)) return [{ at, command: 'flatten' }];
  const halt: Word = { at, command: 'halt' };
  return random.bernoulli(0.5) ? [halt] : [halt, { at: at + random.integer(3 * MINUTE_MS), command: 'resume' }];
}

/** In a quarter of the worlds money goes and comes: all that there is was given to the run, so that what goes first is the run's own. */
function moneyMovesOf(clearFrom: number, random: Random): readonly MoneyMove[] {
  if (!random.bernoulli(0.25)) return [];
  let beside = 0;
  return Array.from({ length: 1 + random.integer(3) }, () => Math.floor(random.uniform() * clearFrom))
    .toSorted((one, other) => one - other)
    .map((at) => {
      // Mostly out, and never more than leaves the run something to trade with.
      const least = -0.6 * MONEY - beside;
      const change = random.bernoulli(0.6) ? least * random.uniform() : 0.5 * MONEY * random.uniform();
      const amount = change.toFixed(2);
      beside += Number(amount);
      return { at, amount };
    });
}

/** Each on one instrument, the first of them with an opponent, so that sleeves cross; and sometimes a pair over both. */
function sleevesOf(count: number, random: Random): readonly SleeveLayout[] {
  const sleeves: SleeveLayout[] = Array.from({ length: count }, (_, instrument) => ({ instruments: [instrument], shareRatio: 0.3 }));
  if (random.bernoulli(0.5)) sleeves.push({ instruments: [0], shareRatio: 0.2 });
  if (count > 1 && random.bernoulli(0.4)) sleeves.push({ instruments: [0, 1], shareRatio: 0.2 });
  return sleeves;
}

/** The same plan in every life of the process. */
export function planOf(world: World): RunPlan {
  const { seed, instruments, sleeves: layout, stances, algorithm, policy } = world;
  const minds: MindPlan[] = layout.map(({ instruments: legs }, sleeve) => ({
    name: `mind-${sleeve}`,
    sleeve,
    timeframeMs: MINUTE_MS,
    weight: 1,
    isTrusted: true,
    forecaster: {
      name: `mind-${sleeve}`,
      legs: legs.length,
      features: {},
      opine: ({ bars }) => {
        const bar = Math.round(((bars[0]?.at ?? NaN) - WORLD_STARTS) / MINUTE_MS) - 1;
        return { kind: 'forecast', stance: stances[sleeve]?.[bar] ?? 0, confidence: 1 };
      },
      explain: () => ({ because: 'the seed says so', numbers: {} }),
    },
  }));
  const sleeves: Sleeve[] = layout.map((each, sleeve) => ({ name: `sleeve-${sleeve}`, ...each, sources: [sleeve] }));
  return {
    instruments,
    sleeves,
    minds,
    baseTimeframeMs: MINUTE_MS,
    capital: CAPITAL,
    policy,
    rules: defaultRules(policy),
    sizing: 'fixed',
    council: defaultCouncilSettings,
    desk: {
      rebalanceBandRatio: 0.05,
      disasterRatio: 0.1,
      pairDisasterRatio: 0.3,
      disasterGapRatio: 0.05,
      maximumLeggedMs: 10 * SECOND_MS,
      maximumLeggedLossRatio: 0.005,
      ...(algorithm === 'market'
        ? {}
        : {
            execution: {
              algorithm,
              horizonMs: 2 * MINUTE_MS,
              postOnly: seed % 2 === 0,
              slices: 4,
              urgency: 1,
              participationRatio: 0.5,
              displayRatio: 0.3,
            },
          }),
    },
    expectedSlippageRatio: 0,
    stanceStep: 0.25,
    allowSpotShort: false,
    graceMs: 2 * SECOND_MS,
    opinionLifeBars: 3,
    mindFailure: { action: 'stop', strikes: 3 },
  };
}
