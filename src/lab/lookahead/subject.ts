// What is examined: a strategy, features or a function that makes columns, lived through a world as the engine lives it.
import type { BarColumns } from '../../domain/bars.ts';
import { BallastError } from '../../domain/errors.ts';
import type { MarketEvent } from '../../domain/event.ts';
import type { FeatureSpecs } from '../../domain/feature.ts';
import { abstain, type Opinion } from '../../domain/opinion.ts';
import type { Forecaster } from '../../domain/strategy.ts';
import type { TimeMs } from '../../domain/time.ts';
import { Mind } from '../../engine/mind.ts';
import { Board } from '../../features/board.ts';
import type { OutsideSeries, OutsideView } from './outside.ts';
import type { Trace } from './trace.ts';
import { closeOf, rowsOf, type World } from './world.ts';

/** Opinions are compared here, not their reasons. */
const nobodyReads = (): boolean => true;

/** A subject as it is after its module was loaded anew. */
export interface Instance {
  observe(world: World): Trace;
}

/** Under which a subject is loaded. */
export interface Circumstances {
  /** What of outside data is other than it is; all of it as it is unless said. */
  readonly outside?: OutsideView;
  /** The wall clock says another year, and randomness draws other numbers. */
  readonly otherClock?: boolean;
}

export interface Subject {
  readonly kind: 'strategy' | 'features' | 'columns';
  readonly name: string;
  /** A value of a row is used at the bar's close, or at its open already: then it may know nothing of that bar but its open. */
  readonly decidesAt: 'close' | 'open';
  /** Loads it anew: no state of another instance is left in it, but what it kept outside of this process. */
  open(circumstances: Circumstances): Promise<Instance>;
}

/** Makes columns out of whole columns: what research and the training of models do. */
export type ColumnFunction = (
  bars: BarColumns,
  outside: Readonly<Record<string, OutsideSeries>>,
) => Float64Array | Readonly<Record<string, Float64Array>>;

/** What of an opinion is compared. */
export const OPINION_COLUMNS = ['stance', 'confidence', 'expectedReturn', 'stopRatio', 'targetRatio', 'trailR'] as const;

/**
 * Lives a strategy by the engine's own board and mind: indicators are fed once a bar, higher bars exist once they are closed, and nothing is
 * asked before everything is warm. It is alone in the world: what it wants it holds from the next bar's open on.
 */
export function observeForecaster(forecaster: Forecaster, world: World): Trace {
  const { legs, timeframeMs } = world;
  const rows = rowsOf(world);
  const board = new Board(legs.length, timeframeMs);
  const instruments = legs.map((_, leg) => leg);
  const sleeve = { name: forecaster.name, shareRatio: 1, instruments, sources: [0] };
  // Trusted only not to be asked for words at every bar.
  const mind = new Mind(
    { name: forecaster.name, forecaster, sleeve: 0, timeframeMs, weight: 1, isTrusted: true },
    sleeve,
    board,
    timeframeMs,
  );
  const outputs = Object.entries(forecaster.features).flatMap(([name, spec]) => {
    // The board has made it already: asked again, it gives the same.
    const { indicator } = board.feature(spec, instruments, timeframeMs);
    return outputsOf(indicator).map((output) => ({ indicator, output, column: output === 'value' ? name : `${name}.${output}` }));
  });
  const columns = new Map<string, Float64Array>();
  const shown = outputs.map(({ column }) => column);
  for (const column of [...shown, ...OPINION_COLUMNS]) columns.set(column, new Float64Array(rows).fill(NaN));
  const features = outputs.map(({ indicator, output, column }) => ({
    indicator,
    output,
    values: columns.get(column) ?? new Float64Array(0),
  }));
  const opinions = OPINION_COLUMNS.map((column) => columns.get(column) ?? new Float64Array(0));
  let wanted = 0;
  for (let row = 0; row < rows; row++) {
    const at = closeOf(world, row);
    try {
      hold(mind, wanted, legs[0]?.open[row] ?? NaN, at - timeframeMs);
      for (const [leg, bars] of legs.entries()) {
        const event = barEvent(bars, leg, row, at);
        for (const series of board.ofInstrument(leg)) series.push(event);
      }
      for (const { indicator, output, values } of features) values[row] = Number(Reflect.get(indicator, output));
      if (!mind.isWarm) continue;
      mind.ask(at, nobodyReads);
    } catch (cause) {
      return { columns, failure: { row, words: cause instanceof Error ? cause.message : String(cause) } };
    }
    const { opinion } = mind;
    if (opinion?.kind === 'forecast') wanted = opinion.stance;
    for (const [index, value] of numbersOf(opinion).entries()) {
      const column = opinions[index];
      if (column !== undefined) column[row] = value;
    }
  }
  return { columns, failure: undefined };
}

/** Features alone, without anybody who looks at them. */
export function observeFeatures(name: string, features: FeatureSpecs, world: World): Trace {
  const opine = (): Opinion => abstain('features have no opinion');
  const explain = (): { because: string; numbers: Record<string, number> } => ({ because: '', numbers: {} });
  const { columns, failure } = observeForecaster({ name, legs: world.legs.length, features, opine, explain }, world);
  return { columns: new Map([...columns].filter(([column]) => !OPINION_COLUMNS.some((opinion) => opinion === column))), failure };
}

/** A function of columns, over the first leg. @throws BallastError LOOKAHEAD_MALFORMED when it gives no columns as long as the bars */
export function observeColumns(name: string, make: ColumnFunction, outside: Readonly<Record<string, OutsideSeries>>, world: World): Trace {
  const [bars] = world.legs;
  let made: unknown;
  try {
    made = bars === undefined ? {} : make(bars, outside);
  } catch (cause) {
    return { columns: new Map(), failure: { row: undefined, words: cause instanceof Error ? cause.message : String(cause) } };
  }
  const given = made instanceof Float64Array ? { value: made } : made;
  const found = given !== null && typeof given === 'object' ? Object.entries(given) : [];
  const wrong = found.find(([, column]) => !(column instanceof Float64Array && column.length === rowsOf(world)));
  if (found.length === 0 || wrong !== undefined) {
    throw new BallastError({
      code: 'LOOKAHEAD_MALFORMED',
      place: wrong === undefined ? name : `column ${wrong[0]} of ${name}`,
      found:
        wrong?.[1] instanceof Float64Array ? `${wrong[1].length} values for ${rowsOf(world)} bars` : `a ${typeof (wrong?.[1] ?? made)}`,
      expected: 'a Float64Array with one value a bar, or several by name',
      exitCode: 2,
    });
  }
  // A copy: it may give out the column that it was given.
  return { columns: new Map(found.map(([column, values]) => [column, Float64Array.from(values as Float64Array)])), failure: undefined };
}

/** What can be read of an indicator: numbers that it keeps, and numbers that it derives when it is asked. */
export function outputsOf(indicator: { readonly value: number }): string[] {
  const derived: string[] = [];
  for (
    let shape: unknown = Object.getPrototypeOf(indicator);
    shape !== null && shape !== Object.prototype;
    shape = Object.getPrototypeOf(shape)
  ) {
    for (const [field, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(shape as object))) {
      if (descriptor.get !== undefined) derived.push(field);
    }
  }
  const fields = [...new Set(['value', ...Object.keys(indicator), ...derived])];
  return fields.filter((field) => field !== 'warmup' && typeof Reflect.get(indicator, field) === 'number');
}

function hold({ own }: Mind, stance: number, open: number, at: TimeMs): void {
  const side = stance > 0 ? 1 : stance < 0 ? -1 : 0;
  own.stance = stance;
  if (side === own.side) return;
  own.side = side;
  own.entryPrice = side === 0 ? NaN : open;
  own.heldSince = side === 0 ? NaN : at;
}

function barEvent(bars: BarColumns, instrument: number, row: number, at: TimeMs): MarketEvent {
  return {
    kind: 'bar.closed',
    at,
    happenedAt: at,
    instrument,
    open: bars.open[row] ?? NaN,
    high: bars.high[row] ?? NaN,
    low: bars.low[row] ?? NaN,
    close: bars.close[row] ?? NaN,
    volume: bars.volume[row] ?? NaN,
    warmup: false,
  };
}

function numbersOf(opinion: Opinion | undefined): readonly number[] {
  if (opinion?.kind !== 'forecast') return OPINION_COLUMNS.map(() => NaN);
  const { stance, confidence, expectedReturn = NaN, protection: { stopRatio = NaN, targetRatio = NaN, trailR = NaN } = {} } = opinion;
  return [stance, confidence, expectedReturn, stopRatio, targetRatio, trailR];
}
