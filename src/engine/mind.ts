// One source of opinion in a run: its evidence, its last opinion and how long that lives.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';
import { BallastError } from '../domain/errors.ts';
import { isJoint, timeframeOf, type AnyIndicator, type BarView } from '../domain/feature.ts';
import { abstain, type Forecast, type Opinion, type Reasons } from '../domain/opinion.ts';
import type { Forecaster, OwnSleeve } from '../domain/strategy.ts';
import { formatTime, NEVER, type TimeMs } from '../domain/time.ts';
import type { Board, Series } from '../features/board.ts';
import type { Sleeve } from '../domain/sleeve.ts';
import { readOpinion, writeOpinion } from '../domain/opinion-bytes.ts';
import type { MindPlan } from './plan.ts';

/** The mutable half of OwnSleeve, filled in before each question. */
export interface OwnSleeveState {
  side: OwnSleeve['side'];
  stance: number;
  entryPrice: number;
  heldSince: TimeMs;
}

/** What is kept of reasons: the words, and how stretched the subject is where they name a number `zScore`. */
interface Said {
  readonly because: string;
  /** NaN where there is none. */
  readonly zScore: number;
}

const NO_WORDS: Said = { because: '', zScore: NaN };
const ONE_LEG: readonly number[] = [1];
const NEUTRAL: Forecast = { kind: 'forecast', stance: 0, confidence: 0 };

export class Mind implements Stateful {
  readonly name: string;
  readonly sleeve: number;
  readonly timeframeMs: TimeMs;
  readonly weight: number;
  /** Known to answer in time, as the built-in strategies are. */
  readonly isTrusted: boolean;
  readonly #forecaster: Forecaster;
  /** By leg: the series whose closes make it due. */
  readonly series: readonly Series[];
  /** All that a declared feature lives on, the legs' own bars included, and how many bars or events of it are needed. */
  readonly #needs: readonly { readonly lives: { readonly closed: number }; readonly count: number }[];
  /** Once it is so. */
  #isWarm = false;
  readonly #defaultLegs: readonly number[];
  readonly #evidence: {
    at: TimeMs;
    bars: readonly BarView[];
    features: Readonly<Record<string, AnyIndicator>>;
    sleeve: OwnSleeveState;
  };
  /** What one that is not trusted said for its last answer; without words where nobody was going to read them. */
  #said: Said = NO_WORDS;
  /** The last answer; undefined until it has spoken. */
  opinion: Opinion | undefined = undefined;
  /** When the last forecast dies unless it is renewed; what it says counts as a voice for flat from then on. */
  expiresAt: TimeMs = NEVER;
  /** A forecast is alive: its expiry is a timer. */
  isAlive = false;
  failures = 0;
  suspended = false;
  /** Its answer of this instant was found to change nothing. Whoever has drawn the conclusion takes it back. */
  isIdle = false;
  /** When the grace of a half-filled barrier ends; NEVER when none is running. */
  graceAt: TimeMs = NEVER;
  /** Close for which it was last due, so that a barrier falls once. */
  askedFor: TimeMs = NaN;

  constructor(plan: MindPlan, sleeve: Sleeve, board: Board, baseTimeframeMs: TimeMs) {
    this.name = plan.name;
    this.sleeve = plan.sleeve;
    this.timeframeMs = plan.timeframeMs;
    this.weight = plan.weight;
    this.isTrusted = plan.isTrusted;
    this.#forecaster = plan.forecaster;
    if (plan.forecaster.legs !== sleeve.instruments.length) {
      throw new BallastError({
        code: 'SUBJECT_MISMATCH',
        place: `strategy ${plan.name}`,
        found: `a sleeve of ${sleeve.instruments.length} instruments`,
        expected: `${plan.forecaster.legs}`,
        exitCode: 2,
      });
    }
    this.series = sleeve.instruments.map((instrument) => board.series(instrument, plan.timeframeMs));
    const needs = new Map<{ readonly closed: number }, number>(this.series.map((each) => [each, 1]));
    const features: Record<string, AnyIndicator> = {};
    for (const [name, spec] of Object.entries(plan.forecaster.features)) {
      const leg = isJoint(spec) ? 0 : (spec.leg ?? 0);
      const timeframeMs = timeframeOf(spec, plan.timeframeMs);
      if (leg >= sleeve.instruments.length || timeframeMs % baseTimeframeMs !== 0) {
        throw new BallastError({
          code: 'FEATURE_IMPOSSIBLE',
          place: `strategy ${plan.name}, feature ${name}`,
          found: `leg ${leg} at ${timeframeMs} ms`,
          expected: `a leg of the subject and a multiple of the run's ${baseTimeframeMs} ms bars`,
          exitCode: 2,
        });
      }
      const { lives, indicator } = board.feature(spec, sleeve.instruments, plan.timeframeMs);
      needs.set(lives, Math.max(needs.get(lives) ?? 1, spec.warmup));
      features[name] = indicator;
    }
    this.#needs = [...needs].map(([lives, count]) => ({ lives, count }));
    this.#evidence = {
      at: NaN,
      bars: this.series.map((each) => each.bar),
      features,
      sleeve: { side: 0, stance: 0, entryPrice: NaN, heldSince: NaN },
    };
    this.#defaultLegs = sleeve.instruments.length === 1 ? ONE_LEG : sleeve.instruments.map((_, leg) => (leg === 0 ? 1 : -1));
  }

  /** Signed ratio of each leg: as the last forecast says, otherwise the first leg against the others. */
  get legs(): readonly number[] {
    return (this.opinion?.kind === 'forecast' ? this.opinion.legs : undefined) ?? this.#defaultLegs;
  }

  /** Asked at every change of its books too. */
  get looksAtBooks(): boolean {
    return this.#forecaster.cadence === 'books';
  }

  get own(): OwnSleeveState {
    return this.#evidence.sleeve;
  }

  get isWarm(): boolean {
    return this.#isWarm || this.#hasWarmed();
  }

  /** What has closed once has closed for good. */
  #hasWarmed(): boolean {
    for (let index = 0; index < this.#needs.length; index++) {
      const need = this.#needs[index];
      if (need !== undefined && need.lives.closed < need.count) return false;
    }
    this.#isWarm = true;
    return true;
  }

  /** All of its bars of this close have arrived. */
  hasAll(closeAt: TimeMs): boolean {
    for (let leg = 0; leg < this.series.length; leg++) if (this.series[leg]?.bar.at !== closeAt) return false;
    return true;
  }

  /**
   * Asks, and keeps the answer. @throws BallastError when the strategy throws or answers nonsense; the last opinion then stands.
   * @param isIdle whether a forecast changes nothing: then nobody is going to read its reasons
   */
  ask(at: TimeMs, isIdle: (mind: Mind, forecast: Forecast) => boolean): void {
    const evidence = this.#evidence;
    evidence.at = at;
    let opinion: Opinion;
    try {
      opinion = this.#forecaster.opine(evidence);
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw cause;
      throw this.#broken(at, cause instanceof Error ? `an exception: ${cause.message}` : `an exception: ${String(cause)}`, cause);
    }
    // A promise is no answer; and when it fails later, nobody is there to catch it.
    if (opinion instanceof Promise) opinion.catch(() => undefined);
    this.#mustBeSound(opinion, at);
    // Who is not known to answer in time explains himself now, under the same guard, and not when words are wanted. Before the opinion is
    // taken: a replay leaves out all of what failed.
    const idle = opinion.kind === 'forecast' && isIdle(this, opinion);
    const said = idle || this.isTrusted || opinion.kind === 'abstention' ? NO_WORDS : this.#reasonsNow();
    this.#keep(opinion, at);
    this.#said = said;
    this.isIdle = idle;
  }

  /** It is about to be acted on without being asked again, and its reasons were not wanted when it was. */
  get owesReasons(): boolean {
    return !this.isTrusted && this.#said.because === '' && this.isAlive && this.opinion?.kind === 'forecast';
  }

  /** Explains what it said last, for one that is not trusted. */
  explainLast(at: TimeMs): void {
    this.#evidence.at = at;
    this.#said = this.#reasonsNow();
  }

  /** Keeps an opinion that was formed now or came by letter. @throws BallastError when it is nonsense; the last opinion then stands. */
  take(opinion: Opinion, at: TimeMs): void {
    this.#mustBeSound(opinion, at);
    this.#keep(opinion, at);
  }

  #mustBeSound(opinion: Opinion, at: TimeMs): void {
    if (opinion === null || typeof opinion !== 'object' || (opinion.kind !== 'forecast' && opinion.kind !== 'abstention')) {
      throw this.#broken(at, `the answer ${describe(opinion)}`);
    }
    if (opinion.kind === 'forecast') this.#check(opinion, at);
    else if (typeof opinion.because !== 'string')
      throw this.#broken(at, `an abstention because of ${describe(opinion.because)}`, undefined, 'words');
  }

  #keep(opinion: Opinion, at: TimeMs): void {
    if (opinion.kind === 'abstention') return this.abstain(opinion.because, at);
    this.isAlive = true;
    this.isIdle = false;
    this.opinion = opinion;
  }

  /** A strategy is a file of somebody's: what its types promise is proven here, where `'1'` would otherwise become 10 further on. */
  #check({ stance, confidence, expectedReturn, legs, protection }: Forecast, at: TimeMs): void {
    if (!isWithin(stance, -1, 1)) throw this.#broken(at, `a stance of ${shown(stance)}`, undefined, 'a stance from -1 to 1');
    if (!isWithin(confidence, 0, 1)) throw this.#broken(at, `a confidence of ${shown(confidence)}`, undefined, 'a confidence from 0 to 1');
    if (expectedReturn !== undefined && !Number.isFinite(expectedReturn))
      throw this.#broken(at, `an expected return of ${shown(expectedReturn)}`, undefined, 'a finite ratio, or none');
    if (
      legs !== undefined &&
      !(Array.isArray(legs) && legs.length === this.series.length && legs.every(Number.isFinite) && legs.some((ratio) => ratio !== 0))
    ) {
      throw this.#broken(at, `leg ratios ${describe(legs)}`, undefined, `${this.series.length} finite ratios, not all of them zero`);
    }
    if (protection === undefined) return;
    if (protection === null || typeof protection !== 'object')
      throw this.#broken(at, `a protection of ${describe(protection)}`, undefined, 'ratios by name');
    const { stopRatio, targetRatio, trailR, trailRatio } = protection;
    for (const [name, value] of [['stop', stopRatio] as const, ['trail', trailRatio] as const]) {
      if (value === undefined || (isWithin(value, 0, 1) && value > 0 && value < 1)) continue;
      throw this.#broken(at, `a ${name} ratio of ${shown(value)}`, undefined, `a ${name} ratio between 0 and 1`);
    }
    for (const [name, value] of Object.entries({ targetRatio, trailR })) {
      if (value === undefined || (isWithin(value, 0, Number.MAX_VALUE) && value > 0)) continue;
      throw this.#broken(at, `a ${name} of ${describe(value)}`, undefined, 'a number above 0');
    }
  }

  /** Why, in words: asked only when a decision is recorded. A strategy that cannot explain itself says so. */
  explain(at: TimeMs): Said {
    const { opinion } = this;
    if (opinion === undefined) return { because: 'has not spoken yet', zScore: NaN };
    if (opinion.kind === 'abstention') return { because: opinion.because, zScore: NaN };
    if (at >= this.expiresAt) return { because: 'its last forecast has expired', zScore: NaN };
    if (!this.isTrusted) return this.#said;
    this.#evidence.at = at;
    return this.#reasonsNow();
  }

  #reasonsNow(): Said {
    try {
      const reasons: unknown = this.#forecaster.explain(this.#evidence);
      if (!isReasons(reasons)) return { because: `no reasons: ${describe(reasons)}`, zScore: NaN };
      return { because: reasons.because, zScore: numberNamed(reasons, 'zScore') };
    } catch (cause) {
      return { because: `no reasons: ${cause instanceof Error ? cause.message : String(cause)}`, zScore: NaN };
    }
  }

  /** Holds what is held, unless the forecast behind it ends at this very instant: then that counts first, or it would be held for ever. */
  abstain(because: string, at: TimeMs): void {
    this.isIdle = false;
    if (!this.isAlive && this.expiresAt === at) return;
    this.opinion = abstain(because);
  }

  /** Its time is over: what it last forecast counts for flat. */
  expire(at: TimeMs): void {
    this.opinion = NEUTRAL;
    this.isIdle = false;
    this.expiresAt = Math.min(this.expiresAt, at);
    this.isAlive = false;
  }

  #broken(at: TimeMs, found: string, cause?: unknown, expected = 'a forecast or an abstention'): BallastError {
    const bars = this.series.map((each) => formatTime(each.bar.at)).join(', ');
    return new BallastError({
      code: 'MIND_FAILED',
      place: `strategy ${this.name} at ${formatTime(at)} (bar closed ${bars})`,
      found,
      expected,
      remedy: 'mend the strategy, then run again',
      cause,
    });
  }

  save(out: ByteWriter): void {
    for (const value of [this.expiresAt, this.graceAt, this.askedFor]) out.number(value);
    out.flag(this.isAlive);
    out.flag(this.suspended);
    out.count(this.failures);
    out.text(this.#said.because);
    out.number(this.#said.zScore);
    out.flag(this.opinion !== undefined);
    if (this.opinion !== undefined) writeOpinion(out, this.opinion);
  }

  restore(from: ByteReader): void {
    this.expiresAt = from.number();
    this.graceAt = from.number();
    this.askedFor = from.number();
    this.isAlive = from.flag();
    this.suspended = from.flag();
    this.failures = from.count();
    this.#said = { because: from.text(), zScore: from.number() };
    this.opinion = from.flag() ? readOpinion(from) : undefined;
  }
}

function isWithin(value: unknown, lowest: number, highest: number): value is number {
  return typeof value === 'number' && value >= lowest && value <= highest;
}

/** A strategy is a file of somebody's, which may name no numbers at all. */
function numberNamed({ numbers }: Partial<Reasons>, name: string): number {
  const value: unknown = typeof numbers === 'object' && numbers !== null ? numbers[name] : undefined;
  return typeof value === 'number' ? value : NaN;
}

function isReasons(value: unknown): value is Reasons {
  return typeof value === 'object' && value !== null && 'because' in value && typeof value.because === 'string';
}

/** JSON has no NaN. */
function shown(value: unknown): string {
  return typeof value === 'number' ? String(value) : describe(value);
}

function describe(value: unknown): string {
  try {
    return JSON.stringify(value) ?? typeof value;
  } catch (cause) {
    return `a ${typeof value} that cannot be shown (${cause instanceof Error ? cause.message : 'unknown'})`;
  }
}
