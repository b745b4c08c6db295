// One column of a sweep by the engine itself: a backtest without journal, tape and report, whose figures are those of `ballast backtest`.
import { toNumber } from '../../domain/decimal.ts';
import type { BarColumns } from '../../domain/bars.ts';
import { BallastError } from '../../domain/errors.ts';
import { Engine } from '../../engine/engine.ts';
import type { RunPlan } from '../../engine/plan.ts';
import { run } from '../../engine/run.ts';
import { SimulatedClock } from '../../engine/simulated-clock.ts';
import { METRIC_NAMES, type ColumnMetrics } from '../../lab/sweep/column-metrics.ts';
import { stoppedWords, type ColumnOutcome } from '../../lab/sweep/column-pool.ts';
import { BarSource } from '../../market/bar-source.ts';
import { EquityRecorder } from '../../views/equity.ts';
import { metrics } from '../../views/metrics.ts';
import { TradeLedger } from '../../views/trades.ts';
import { guarded, isTimeout, SLICE_TIMEOUT_MS } from '../guard.ts';
import type { Recipe } from '../recipe.ts';
import { equityTold, venueOf } from '../session-parts.ts';
import { fundingSeen } from '../stored-funding.ts';

export interface EngineColumn {
  readonly recipe: Recipe;
  readonly plan: RunPlan;
  /** By instrument, over more than the recipe's range: what it does not ask for is not looked at. */
  readonly bars: readonly BarColumns[];
  /** A column that falls further than this part from its peak is given up; Infinity never. */
  readonly drawdownLimit: number;
  /** Asked between slices of 20 ms: true ends it without an outcome. */
  readonly isStopping: () => boolean;
}

export interface EngineColumnRun {
  readonly outcome: ColumnOutcome;
  readonly ledger: TradeLedger;
}

/** Undefined where it was asked to stop. @throws BallastError where a strategy breaks its contract or does not return */
export async function runEngineColumn({
  recipe,
  plan,
  bars,
  drawdownLimit,
  isStopping,
}: EngineColumn): Promise<EngineColumnRun | undefined> {
  if (recipe.market.source !== 'history') throw new Error('broken invariant: a sweep runs on history');
  const { from, to, warmupFrom } = recipe.market;
  const timeframeMs = recipe.baseTimeframeMs;
  const ledger = new TradeLedger({ instruments: plan.instruments, sleeves: plan.sleeves });
  const equity = new EquityRecorder({ capital: toNumber(plan.capital), intervalMs: timeframeMs });
  const fall = new Fall(toNumber(plan.capital), drawdownLimit);
  const place = { notBefore: (): number => 0 };
  const venue = venueOf(recipe, plan, () => place.notBefore());
  const engine = new Engine({
    plan,
    // Nothing is kept but what the figures are made of.
    recorder: { market: () => undefined, entry: (entry, sequence) => ledger.entry(entry, sequence), commit: () => undefined },
    venue,
    ...equityTold(recipe, equity),
    onBar(at, value) {
      equity.record(at, value);
      fall.see(value);
    },
    onPrice: (event) => ledger.price(event),
  });
  place.notBefore = () => engine.earliestNext;
  const sources = bars.map((columns, instrument) =>
    venue.watching(new BarSource({ instrument, timeframeMs, from, chunks: [between(columns, warmupFrom, to)] })),
  );
  try {
    const ended = await run({
      engine,
      clock: new SimulatedClock(),
      sources: [venue, ...sources, ...fundingSeen(recipe, plan, to)],
      isStopping: () => fall.isTooDeep || isStopping(),
      ...(plan.minds.every((mind) => mind.isTrusted) ? {} : { guard: (slice: () => void) => guarded(slice, SLICE_TIMEOUT_MS) }),
    });
    // Whenever it was noticed: whether a column is hopeless must not depend on how long a slice is.
    if (fall.isTooDeep) return { outcome: { stopped: stoppedWords(drawdownLimit) }, ledger };
    if (ended === 'stopped') return undefined;
  } catch (cause) {
    if (!isTimeout(cause)) throw cause;
    throw new BallastError({
      code: 'MIND_ENDLESS',
      place: 'the strategy',
      found: `no answer within ${SLICE_TIMEOUT_MS / 1000} s`,
      expected: 'an answer within microseconds',
      cause,
    });
  }
  const marks = plan.instruments.map(() => ({ first: NaN, last: NaN }));
  const figures = metrics({ equity: equity.summary(), ledger, timeframeMs, from, to, marks });
  // The names of a column's figures are some of those.
  return {
    outcome: { metrics: Object.fromEntries(METRIC_NAMES.map((name) => [name, figures[name]])) as unknown as ColumnMetrics },
    ledger,
  };
}

/** Watches for a fall from the peak, the capital included. */
class Fall {
  isTooDeep = false;
  readonly #keptRatio: number;
  #peak = NaN;

  constructor(capital: number, limit: number) {
    this.#keptRatio = 1 - limit;
    this.#peak = capital;
  }

  see(value: number): void {
    if (value > this.#peak) this.#peak = value;
    else if (value < this.#peak * this.#keptRatio) this.isTooDeep = true;
  }
}

/** The bars that open in a range, without a copy. */
function between({ openAt, open, high, low, close, volume }: BarColumns, from: number, to: number): BarColumns {
  const first = firstAtOrAfter(openAt, from);
  const end = firstAtOrAfter(openAt, to);
  const part = (column: Float64Array): Float64Array => column.subarray(first, end);
  return { openAt: part(openAt), open: part(open), high: part(high), low: part(low), close: part(close), volume: part(volume) };
}

function firstAtOrAfter(openAt: Float64Array, at: number): number {
  let low = 0;
  let high = openAt.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((openAt[middle] ?? NaN) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
