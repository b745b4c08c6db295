// A whole session in a few lines, for tests: instruments, sleeves, minds as functions of the bar's number, bars as arrays or as a
// seeded walk. Engine and venue are the real ones; everything that was said is kept.
import assert from 'node:assert/strict';
import type { BarColumns } from '../../src/domain/bars.ts';
import { ByteWriter, type ByteReader, type Stateful } from '../../src/domain/bytes.ts';
import { defaultCouncilSettings, type CouncilSettings } from '../../src/council/council.ts';
import type { RiskRule } from '../../src/domain/decision.ts';
import { amount, format, price, quantity } from '../../src/domain/decimal.ts';
import type { Entry, EntryKind, RunOutcome } from '../../src/domain/entry.ts';
import type {
  AccountReport,
  BookEvent,
  Event,
  FeedReport,
  LetterArrived,
  MarketEvent,
  OperatorCommand,
  OperatorSpoke,
  TapeEvent,
} from '../../src/domain/event.ts';
import type { FeatureSpecs } from '../../src/domain/feature.ts';
import type { Instrument } from '../../src/domain/instrument.ts';
import type { Opinion } from '../../src/domain/opinion.ts';
import type { Clock, MarketSource, Source } from '../../src/domain/ports.ts';
import type { Evidence, Forecaster } from '../../src/domain/strategy.ts';
import { MINUTE_MS, NEVER, type TimeMs } from '../../src/domain/time.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { MindPlan, RunPlan } from '../../src/engine/plan.ts';
import type { Recorder } from '../../src/engine/recorder.ts';
import { run } from '../../src/engine/run.ts';
import { SimulatedClock } from '../../src/engine/simulated-clock.ts';
import type { DeskSettings } from '../../src/execution/desk.ts';
import { BarSource } from '../../src/market/bar-source.ts';
import { Random } from '../../src/quant/random.ts';
import { defaultRiskPolicy, type RiskPolicy } from '../../src/risk/policy.ts';
import { defaultRules } from '../../src/risk/rules/default-rules.ts';
import type { SizingMethod } from '../../src/risk/sizing.ts';
import { SimulatedVenue, type SimulatedVenueSettings } from '../../src/venues/simulated/venue.ts';

/** A Monday, 00:00 UTC. */
export const START: TimeMs = Date.UTC(2026, 0, 5);

// ---- bars ----------------------------------------------------------------------------------------------------------------

/** Open, high, low, close; or a close alone, reached in a straight line from the close before; or no bar at all. */
export type Quote = number | readonly [open: number, high: number, low: number, close: number] | undefined;

export interface BarsOptions {
  readonly startAt?: TimeMs;
  readonly timeframeMs?: TimeMs;
}

export function bars(quotes: readonly Quote[], { startAt = START, timeframeMs = MINUTE_MS }: BarsOptions = {}): BarColumns {
  const rows: number[][] = [];
  let previous: number | undefined;
  quotes.forEach((quote, index) => {
    if (quote === undefined) return;
    const [open, high, low, close] =
      typeof quote === 'number'
        ? [previous ?? quote, Math.max(previous ?? quote, quote), Math.min(previous ?? quote, quote), quote]
        : quote;
    previous = close;
    rows.push([startAt + index * timeframeMs, open, high, low, close, 1]);
  });
  const column = (field: number): Float64Array => Float64Array.from(rows, (row) => row[field] ?? NaN);
  return { openAt: column(0), open: column(1), high: column(2), low: column(3), close: column(4), volume: column(5) };
}

/** So many times the same price: the quiet before something happens. */
export function flat(count: number, at: number): number[] {
  return Array.from({ length: count }, () => at);
}

export interface WalkOptions {
  readonly seed: number;
  readonly count: number;
  readonly from?: number;
  /** A bar's typical move, as a ratio. */
  readonly move?: number;
  /** Chance of a missing bar, of a price that jumps between two bars, and of a bar that falls by up to a third. */
  readonly holes?: number;
  readonly jumps?: number;
  readonly crashes?: number;
}

/** A random walk with holes, jumps and crashes. */
export function walk({ seed, count, from = 100, move = 0.004, holes = 0, jumps = 0, crashes = 0 }: WalkOptions): Quote[] {
  const random = new Random(seed);
  let last = from;
  return Array.from({ length: count }, () => {
    if (random.uniform() < jumps) last *= 1 + (random.uniform() - 0.5) * 0.12;
    const open = last;
    const drift = random.uniform() + random.uniform() + random.uniform() - 1.5;
    let close = open * (1 + drift * move * 2);
    if (random.uniform() < crashes) close *= 1 - random.uniform() / 3;
    const high = Math.max(open, close) * (1 + random.uniform() * move);
    const low = Math.min(open, close) * (1 - random.uniform() * move);
    last = close;
    const isHole = random.uniform() < holes;
    return isHole ? undefined : [open, high, low, close];
  });
}

export function slice(columns: BarColumns, start: number, end: number): BarColumns {
  const { openAt, open, high, low, close, volume } = columns;
  const part = (column: Float64Array): Float64Array => column.slice(start, end);
  return { openAt: part(openAt), open: part(open), high: part(high), low: part(low), close: part(close), volume: part(volume) };
}

/** The same bars in pieces, each of which arrives in a task of its own. */
export async function* inPieces(columns: BarColumns, rows: number): AsyncGenerator<BarColumns, void, undefined> {
  for (let start = 0; start < columns.openAt.length; start += rows) {
    await new Promise((resolve) => setImmediate(resolve));
    yield slice(columns, start, start + rows);
  }
}

// ---- minds ---------------------------------------------------------------------------------------------------------------

export interface TestMind {
  readonly name?: string;
  /**
   * A pure function of the number of the bar that closed (of its own timeframe, from 0) and of the evidence. A number is a forecast of that
   * stance; anything else is the answer as it is, nonsense included.
   */
  readonly says: (bar: number, evidence: Evidence) => unknown;
  readonly explains?: (evidence: Evidence) => unknown;
  /** Known to answer in time; so unless said otherwise. */
  readonly isTrusted?: boolean;
  readonly features?: FeatureSpecs;
  readonly timeframeMs?: TimeMs;
  readonly weight?: number;
}

export interface TestSleeve {
  readonly name?: string;
  /** One instrument unless said otherwise. */
  readonly instruments?: readonly number[];
  readonly shareRatio?: number;
  readonly minds: readonly TestMind[];
}

/** A sleeve of one instrument with one mind. */
export function single(
  instrument: number,
  says: TestMind['says'],
  more: Omit<TestMind, 'says'> & { shareRatio?: number } = {},
): TestSleeve {
  const { shareRatio, ...mind } = more;
  return { instruments: [instrument], minds: [{ says, ...mind }], ...(shareRatio === undefined ? {} : { shareRatio }) };
}

/** The stance of each bar, the last one for all that follow. */
export function stances(list: readonly number[]): (bar: number) => number {
  return (bar) => list[Math.min(bar, list.length - 1)] ?? 0;
}

export function forecast(stance: number, more: Partial<Extract<Opinion, { kind: 'forecast' }>> = {}): Opinion {
  return { kind: 'forecast', stance, confidence: 1, ...more };
}

function forecasterOf(mind: TestMind, name: string, legs: number, timeframeMs: TimeMs, startAt: TimeMs): Forecaster {
  return {
    name,
    legs,
    features: mind.features ?? {},
    opine: (evidence) => {
      const bar = Math.round(((evidence.bars[0]?.at ?? NaN) - startAt) / timeframeMs) - 1;
      const answer = mind.says(bar, evidence);
      return typeof answer === 'number' ? forecast(answer) : (answer as Opinion);
    },
    explain: (evidence) => {
      const reasons = mind.explains === undefined ? { because: `${name} says so`, numbers: {} } : mind.explains(evidence);
      return reasons as ReturnType<Forecaster['explain']>;
    },
  };
}

// ---- words from outside ----------------------------------------------------------------------------------------------------

type Word = OperatorSpoke | LetterArrived | FeedReport | BookEvent | AccountReport;

export function operator(at: TimeMs, command: OperatorCommand, argument = ''): OperatorSpoke {
  return { kind: 'operator.spoke', at, happenedAt: at, command, argument, by: 'tester' };
}

export function feed(at: TimeMs, kind: FeedReport['kind'], instrument = -1): FeedReport {
  return { kind, at, happenedAt: at, instrument, reason: 'a test' };
}

/** The venue has counted what the account holds beside the trades of this run. */
export function counted(at: TimeMs, money: string): AccountReport {
  return {
    kind: 'account.reported',
    at,
    happenedAt: at,
    instrument: -1,
    side: 'buy',
    fill: undefined,
    money: amount(money),
    reason: 'a test',
  };
}

/** What is known to be said at known times. */
class Script implements Source, Stateful {
  readonly #words: readonly Word[];
  #next = 0;

  constructor(words: readonly Word[]) {
    this.#words = words.toSorted((left, right) => left.at - right.at);
  }

  get ended(): boolean {
    return this.#next >= this.#words.length;
  }

  peekAt(): TimeMs {
    return this.#words[this.#next]?.at ?? NEVER;
  }

  take(): Word {
    const word = this.#words[this.#next++];
    assert(word !== undefined, 'taken from a script that has ended');
    return word;
  }

  save(out: ByteWriter): void {
    out.count(this.#next);
  }

  restore(from: ByteReader): void {
    this.#next = from.count();
  }
}

// ---- the session -----------------------------------------------------------------------------------------------------------

export interface SessionParts {
  /** By instrument: what is particular about it. At least as many as there are columns of bars. */
  readonly instruments?: readonly Partial<Instrument>[];
  readonly sleeves: readonly TestSleeve[];
  /** By instrument. */
  readonly bars: readonly BarColumns[];
  /** Bars arrive in pieces of so many rows, each in a task of its own; all at once unless said. */
  readonly pieceRows?: number;
  readonly words?: readonly Word[];
  readonly startAt?: TimeMs;
  /** Bars that open before this are warm-up. */
  readonly from?: TimeMs;
  readonly baseTimeframeMs?: TimeMs;
  readonly capital?: string;
  /** Every number of risk, or no rules at all. */
  readonly policy?: Partial<RiskPolicy> | 'none';
  readonly rules?: readonly RiskRule[];
  readonly sizing?: SizingMethod;
  readonly council?: Partial<CouncilSettings>;
  readonly desk?: Partial<DeskSettings>;
  readonly plan?: Partial<Pick<RunPlan, 'stanceStep' | 'allowSpotShort' | 'graceMs' | 'opinionLifeBars' | 'mindFailure'>>;
  readonly venue?: Partial<Pick<SimulatedVenueSettings, 'slippageRatio' | 'latencyMs' | 'maximumLeverage' | 'rules' | 'books'>>;
  /** Kept in memory unless said otherwise. */
  readonly recorder?: Recorder;
  readonly knownFailures?: ReadonlyMap<number, ReadonlyMap<number, string>>;
}

export interface Said {
  readonly entry: Entry;
  readonly sequence: number;
  /** How many market events and timers had been seen. */
  readonly tapeOffset: number;
}

type EntryOf<K extends EntryKind> = Entry extends infer E
  ? E extends { readonly kind: infer J }
    ? K extends J
      ? E
      : never
    : never
  : never;

function instrumentOf(index: number, more: Partial<Instrument> = {}): Instrument {
  return {
    venue: 'test',
    symbol: `${String.fromCharCode(65 + index)}/USDT:USDT`,
    kind: 'linear',
    base: String.fromCharCode(65 + index),
    quote: 'USDT',
    tick: price('0.01'),
    lot: quantity('0.001'),
    minimumQuantity: quantity('0.001'),
    minimumNotional: amount('1'),
    takerFeeRate: 0.001,
    makerFeeRate: 0.0002,
    fundingRate: 0,
    fundingIntervalMs: 0,
    ...more,
  };
}

/** The plan of such a session: default risk policy and rules, a tenth of equity for a stance of 1, no trailing unless asked for. */
export function planOf(parts: SessionParts): RunPlan {
  const { baseTimeframeMs = MINUTE_MS, startAt = START } = parts;
  const instruments = Array.from({ length: Math.max(parts.bars.length, parts.instruments?.length ?? 0) }, (_, index) =>
    instrumentOf(index, parts.instruments?.[index]),
  );
  const minds: MindPlan[] = [];
  const sleeves = parts.sleeves.map((sleeve, index) => {
    const { instruments: subject = [0], shareRatio = 1 } = sleeve;
    const sources = sleeve.minds.map((mind) => {
      const name = mind.name ?? `mind-${minds.length}`;
      const timeframeMs = mind.timeframeMs ?? baseTimeframeMs;
      const forecaster = forecasterOf(mind, name, subject.length, timeframeMs, startAt);
      return minds.push({ name, forecaster, sleeve: index, timeframeMs, weight: mind.weight ?? 1, isTrusted: mind.isTrusted ?? true }) - 1;
    });
    return { name: sleeve.name ?? `sleeve-${index}`, shareRatio, instruments: subject, sources };
  });
  const policy: RiskPolicy = { ...defaultRiskPolicy, trailR: 0, ...(parts.policy === 'none' ? {} : parts.policy) };
  return {
    instruments,
    sleeves,
    minds,
    baseTimeframeMs,
    capital: amount(parts.capital ?? '10000'),
    policy,
    rules: parts.rules ?? (parts.policy === 'none' ? [] : defaultRules(policy)),
    sizing: parts.sizing ?? 'fixed',
    council: { ...defaultCouncilSettings, ...parts.council },
    expectedSlippageRatio: 0,
    desk: {
      rebalanceBandRatio: 0.05,
      disasterRatio: 0.1,
      pairDisasterRatio: 0.3,
      disasterGapRatio: 0.05,
      maximumLeggedMs: 10_000,
      maximumLeggedLossRatio: 0.005,
      ...(parts.policy === 'none' ? {} : { mostFailedCloses: 5 }),
      ...parts.desk,
    },
    stanceStep: 0.25,
    allowSpotShort: false,
    graceMs: 2_000,
    opinionLifeBars: 3,
    mindFailure: { action: 'stop', strikes: 3 },
    ...parts.plan,
  };
}

export class TestSession implements Stateful {
  readonly plan: RunPlan;
  readonly engine: Engine;
  readonly venue: SimulatedVenue;
  /** By instrument, as the engine sees them. */
  readonly watched: readonly MarketSource[];
  readonly sources: readonly Source[];
  /** The bars' own state: how far each has been taken. */
  readonly market: Stateful;
  /** Everything for the journal, in order. */
  readonly said: Said[] = [];
  /** Everything for the tape, in order. */
  readonly tape: TapeEvent[] = [];
  /** Every event that was handled, in order. */
  readonly events: Event[] = [];
  /** Called as something is said, before it is acted on. */
  onEntry: (entry: Entry) => void = () => undefined;
  /** Called after every event, before its instant is closed. */
  onEvent: (event: Event) => void = () => undefined;
  /** Called with every price after the warm-up. */
  onPrice: (event: MarketEvent) => void = () => undefined;
  readonly #stateful: readonly Stateful[];
  readonly #lastClose: TimeMs;

  constructor(parts: SessionParts) {
    this.plan = planOf(parts);
    this.#lastClose = Math.max(...parts.bars.map(({ openAt }) => openAt.at(-1) ?? 0)) + this.plan.baseTimeframeMs;
    const { plan } = this;
    const own: Recorder = {
      market: (event) => {
        this.tape.push({ ...event });
      },
      entry: (entry, sequence) => {
        this.said.push({ entry, sequence, tapeOffset: this.tape.length });
        this.onEntry(entry);
      },
      commit: () => undefined,
    };
    const beside = parts.recorder;
    const recorder: Recorder =
      beside === undefined
        ? own
        : {
            market: (event) => {
              own.market(event);
              beside.market(event);
            },
            entry: (entry, sequence) => {
              own.entry(entry, sequence);
              beside.entry(entry, sequence);
            },
            commit: () => beside.commit(),
          };
    this.venue = new SimulatedVenue({
      instruments: plan.instruments,
      baseTimeframeMs: plan.baseTimeframeMs,
      capital: plan.capital,
      slippageRatio: 0,
      latencyMs: 1,
      maximumLeverage: 10,
      allowSpotShort: plan.allowSpotShort,
      notBefore: () => this.engine.earliestNext,
      ...parts.venue,
    });
    this.engine = new Engine({
      plan,
      recorder,
      venue: this.venue,
      onPrice: (event) => this.onPrice(event),
      ...(parts.knownFailures === undefined ? {} : { knownFailures: parts.knownFailures }),
    });
    const handle = this.engine.handle.bind(this.engine);
    // A session that never ends is a finding, not a full memory.
    const mostEvents = 10_000 + 100 * parts.bars.reduce((sum, columns) => sum + columns.openAt.length, 0);
    this.engine.handle = (event) => {
      assert.ok(
        this.events.push({ ...event }) <= mostEvents,
        `more than ${mostEvents} events, the last ${JSON.stringify(event.kind)} at ${event.at}`,
      );
      handle(event);
      this.onEvent(event);
    };
    const ring = this.engine.ring.bind(this.engine);
    this.engine.ring = () => {
      const event = { ...this.engine.takeTimer() };
      this.events.push(event);
      ring();
      this.onEvent(event);
    };
    const sources = parts.bars.map(
      (columns, instrument) =>
        new BarSource({
          instrument,
          timeframeMs: plan.baseTimeframeMs,
          chunks: parts.pieceRows === undefined ? [columns] : inPieces(columns, parts.pieceRows),
          from: parts.from ?? 0,
        }),
    );
    const script = new Script(parts.words ?? []);
    this.watched = sources.map((source) => this.venue.watching(source));
    this.sources = [this.venue, script, ...this.watched];
    this.market = {
      save: (out) => sources.forEach((source) => source.save(out)),
      restore: (from) => sources.forEach((source) => source.restore(from)),
    };
    this.#stateful = [this.engine, this.venue, script, this.market];
  }

  /** To the close of the last bar, unless told otherwise: what is decided there is sent and not answered any more. */
  run({ clock = new SimulatedClock(), until = this.#lastClose }: { clock?: Clock; until?: TimeMs } = {}): Promise<RunOutcome> {
    return run({ engine: this.engine, clock, sources: this.sources, until });
  }

  save(out: ByteWriter): void {
    for (const part of this.#stateful) part.save(out);
  }

  restore(from: ByteReader): void {
    for (const part of this.#stateful) part.restore(from);
    assert(from.ended, 'a snapshot is read to its end');
  }

  snapshot(): Uint8Array {
    const out = new ByteWriter();
    this.save(out);
    return out.view().slice();
  }

  get stateHash(): string {
    return this.engine.stateHash('test');
  }

  get entries(): readonly Entry[] {
    return this.said.map(({ entry }) => entry);
  }

  /** What was said of one kind. */
  of<K extends EntryKind>(kind: K): EntryOf<K>[] {
    return this.entries.filter((entry): entry is EntryOf<K> => entry.kind === kind);
  }

  kinds(): EntryKind[] {
    return this.entries.map((entry) => entry.kind);
  }

  /** What a sleeve holds in its leg, as a decimal string. */
  held(sleeve: number, leg = 0): string {
    const value = this.engine.portfolio.quantity[(this.engine.holdings.first[sleeve] ?? 0) + leg];
    assert(value !== undefined, `sleeve ${sleeve} has a leg ${leg}`);
    return format(value);
  }

  /** The number of the bar that closed at or last before this time, from 0. */
  barAt(at: TimeMs): number {
    return Math.floor((at - START) / this.plan.baseTimeframeMs) - 1;
  }
}

/** Close time of the bar of this number, from 0. */
export function closeOf(bar: number, timeframeMs: TimeMs = MINUTE_MS): TimeMs {
  return START + (bar + 1) * timeframeMs;
}

export async function session(parts: SessionParts): Promise<TestSession> {
  const made = new TestSession(parts);
  await made.run();
  return made;
}

/** What an entry says, in text that two runs can be compared by. */
export function textOf(entry: Entry): string {
  return JSON.stringify(entry, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
}
