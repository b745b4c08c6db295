// What strategies on a spread share: from a measured spread to a side, what it may bring, and where it is given up.
import { z } from 'zod';
import type { BarView } from '../../domain/feature.ts';
import { abstain, type Abstention, type Opinion, type Reasons } from '../../domain/opinion.ts';
import type { TimeMs } from '../../domain/time.ts';
import type { ExcursionLevels } from '../../features/pairs/excursion.ts';
import { flawWords } from '../../features/subject-catalog.ts';
import type { FormedSpread } from '../../features/pairs/formed-spread.ts';
import { UNCALIBRATED, type Side } from './level.ts';

export const LONGEST_FORMATION = 20_000;
/** A stop at which the first leg's whole notional is lost protects nothing. */
const WIDEST_STOP_RATIO = 0.95;
/** A return is forecast over so many half-lives: three quarters of a deviation are gone after two. */
const HORIZON_HALF_LIVES = 2;

export interface LevelParameters {
  readonly entryZ: number;
  readonly exitZ: number;
  readonly stopZ: number;
  readonly maximumHolding: number;
}

/** Those of every strategy on a z-score, with the defaults of the field. */
export function levelParameters({ exitZ, stopZ, maximumHolding }: Omit<LevelParameters, 'entryZ'>) {
  return {
    entryZ: z.number().min(0.1).max(20).default(2).describe('deviations of the spread from its middle from which it is traded'),
    exitZ: z.number().min(-20).max(19).default(exitZ).describe('deviations at which the trade is closed; below 0 is beyond the middle'),
    stopZ: z.number().min(0.2).max(100).default(stopZ).describe('deviations at which it is given up'),
    maximumHolding: z
      .int()
      .min(1)
      .max(1_000_000)
      .default(maximumHolding)
      .describe('bars of a stretch after which it is given up: it is not traded again before it has come back'),
  };
}

/** Those of every strategy whose relation is estimated anew some times within a formation. */
export function formationParameters({ shortest, formation, formations }: { shortest: number; formation: number; formations: number }) {
  return {
    formation: z
      .int()
      .min(shortest)
      .max(LONGEST_FORMATION)
      .default(formation)
      .describe('bars on which the relation is estimated and tested'),
    formations: z.int().min(1).max(100).default(formations).describe('how often within so many bars it is estimated anew'),
  };
}

/** Words for what contradicts itself, for a schema's refinement. */
export const LEVELS_ASCEND = { path: ['entryZ'], error: 'expected above exitZ and below stopZ' };

export function doLevelsAscend({ entryZ, exitZ, stopZ }: LevelParameters): boolean {
  return exitZ < entryZ && entryZ < stopZ;
}

export function levelsOf({ entryZ, exitZ, stopZ, maximumHolding }: LevelParameters): ExcursionLevels {
  return { entry: entryZ, exit: exitZ, stop: stopZ, longest: maximumHolding };
}

/** Bars from one formation to the next, where there are so many within a formation: what a bar costs does not grow with it. */
export function barsBetween(formation: number, formations: number): number {
  return Math.max(1, Math.round(formation / formations));
}

/** What is read of a spread. */
export type ShownSpread = Readonly<FormedSpread>;

/** Why a spread is not entered, or not held any longer; undefined where nothing is against it. */
export interface SpreadGate<Spread extends ShownSpread> {
  readonly entry: (spread: Spread) => string | undefined;
  readonly hold: (spread: Spread) => string | undefined;
}

export interface Judgement {
  readonly kind: 'judgement';
  readonly stance: Side;
  /** What is to be thought of it. */
  readonly because: string;
  readonly expectedReturn: number;
  readonly horizonMs: TimeMs;
  readonly stopRatio: number;
}

/** Every leg has a price. */
export function hasPrices(bars: readonly BarView[], legs: number): boolean {
  for (let leg = 0; leg < legs; leg++) {
    const close = bars[leg]?.close ?? NaN;
    if (!(close > 0 && close < Infinity)) return false;
  }
  return true;
}

const UNPRICED = abstain('the close of a leg is not known');
const UNMEASURED = abstain('the spread is not known');

/** The step between a spread and a side: for the spread below its middle, against it above. */
export function judge<Spread extends ShownSpread>(
  spread: Spread,
  bars: readonly BarView[],
  held: Side,
  chosen: LevelParameters,
  gate: SpreadGate<Spread>,
): Judgement | Abstention {
  if (!hasPrices(bars, spread.legs.length)) return UNPRICED;
  const words = flawWords(spread.flaw);
  if (Number.isNaN(spread.value)) return words === undefined ? UNMEASURED : abstain(words);
  const { stance, because } = sideOfSpread(spread, held, chosen, gate);
  const stopRatio = Math.min((chosen.stopZ - chosen.entryZ) * spread.deviation, WIDEST_STOP_RATIO);
  return outlookOf(spread, stance, because, stopRatio, chosen.maximumHolding - spread.stretchBars);
}

/** @param barsLeft until the trade ends by itself */
export function outlookOf(
  { spread, halfLife, barMs, legs, value }: ShownSpread,
  stance: Side,
  because: string,
  stopRatio: number,
  barsLeft: number,
): Judgement | Abstention {
  const hasHalfLife = halfLife > 0 && halfLife < Infinity;
  const horizonBars = Math.max(1, Math.min(barsLeft, hasHalfLife ? HORIZON_HALF_LIVES * halfLife : Infinity));
  const horizonMs = horizonBars * barMs;
  // What a deviation loses of itself on the way back, by an Ornstein-Uhlenbeck process: nothing where it has no half-life.
  const part = hasHalfLife ? -Math.expm1((-Math.LN2 * horizonBars) / halfLife) : 0;
  // Of the spread, whichever side is held: one that is past its middle and not closed yet expects a loss.
  const expectedReturn = stance === 0 ? 0 : 0 - spread * part;
  const isKnown = Number.isFinite(value + expectedReturn + horizonMs) && horizonMs > 0 && stopRatio > 0 && legs.every(Number.isFinite);
  return isKnown ? { kind: 'judgement', stance, because, expectedReturn, horizonMs, stopRatio } : UNMEASURED;
}

function sideOfSpread<Spread extends ShownSpread>(
  spread: Spread,
  held: Side,
  { entryZ, exitZ, stopZ, maximumHolding }: LevelParameters,
  gate: SpreadGate<Spread>,
): { readonly stance: Side; readonly because: string } {
  const { value, stretch } = spread;
  const side: Side = stretch > 0 ? -1 : stretch < 0 ? 1 : 0;
  const where = `the spread is ${Math.abs(value).toFixed(2)} deviations ${value < 0 ? 'below' : 'above'} its middle`;
  const flat = (why: string): { stance: Side; because: string } => ({ stance: 0, because: `${where}: ${why}` });
  if (side === 0 && spread.isSpent === 1) {
    return flat(`given up at ${stopZ} deviations or after ${maximumHolding} bars, and not back at ${exitZ} yet`);
  }
  if (side === 0) return flat(held === 0 ? `no stretch, which takes ${entryZ}` : `it has come back to ${exitZ}`);
  if (held === side) {
    const broken = gate.hold(spread);
    return broken === undefined ? { stance: side, because: `${where}: not back at ${exitZ} yet` } : flat(broken);
  }
  const against = Math.abs(value) < entryZ ? `less than the ${entryZ} that it takes to enter` : gate.entry(spread);
  return against === undefined ? { stance: side, because: `${where}, beyond ${entryZ}: its way back is bet on` } : flat(against);
}

export function forecastOf({ legs }: ShownSpread, judged: Judgement | Abstention): Opinion {
  if (judged.kind === 'abstention') return judged;
  const { stance, expectedReturn, horizonMs, stopRatio } = judged;
  return { kind: 'forecast', stance, confidence: UNCALIBRATED, expectedReturn, horizonMs, protection: { stopRatio }, legs };
}

export function reasonsOf(spread: ShownSpread, judged: Judgement | Abstention, more: Readonly<Record<string, number>>): Reasons {
  if (judged.kind === 'abstention') return { because: judged.because, numbers: {} };
  const { stance, because, expectedReturn, horizonMs, stopRatio } = judged;
  const named = {
    zScore: spread.value,
    ...more,
    halfLife: spread.halfLife,
    spread: spread.spread,
    deviation: spread.deviation,
    stopRatio,
    expectedReturn,
    horizonMs,
    stance,
  };
  const stop = stance === 0 ? '' : `; the stop is ${(100 * stopRatio).toFixed(2)} % of the first leg away`;
  return { because: `${because}${stop}`, numbers: Object.fromEntries(Object.entries(named).filter(([, value]) => Number.isFinite(value))) };
}

/** Of a test and a half-life: what strategies that test for cointegration ask of a spread. */
export interface TestParameters {
  readonly entryPValue: number;
  readonly exitPValue: number;
  readonly minimumHalfLife: number;
  readonly maximumHalfLife: number;
}

export const TEST_PARAMETERS = {
  entryPValue: z.number().min(0).max(1).default(0.05).describe('the largest probability of no relation at which a spread is entered'),
  exitPValue: z
    .number()
    .min(0)
    .max(1)
    .default(0.25)
    .describe('the probability of no relation above which a held spread is closed: it has broken'),
  minimumHalfLife: z.number().min(0).max(100_000).default(2).describe('bars; a spread that comes back faster is noise'),
  maximumHalfLife: z
    .number()
    .min(0.1)
    .max(100_000)
    .default(120)
    .describe('bars; one that comes back slower costs more time than it brings'),
};

export const TESTS_ASCEND = {
  path: ['exitPValue'],
  error: 'expected at least entryPValue: a spread cannot be broken before it is entered',
};

export function againstEntry({ pValue, halfLife }: ShownSpread, chosen: TestParameters): string | undefined {
  const { entryPValue, minimumHalfLife, maximumHalfLife } = chosen;
  if (!(pValue <= entryPValue)) return `not shown to be cointegrated${known(pValue, 'p')}, which takes ${entryPValue}`;
  if (!(halfLife >= minimumHalfLife && halfLife <= maximumHalfLife)) {
    return Number.isFinite(halfLife)
      ? `its half-life of ${halfLife.toFixed(1)} bars is not within ${minimumHalfLife} and ${maximumHalfLife}`
      : 'it has no half-life';
  }
  return undefined;
}

/** Two legs that stand against each other are what a pair is. */
export function againstOneSide({ hedgeRatio }: { readonly hedgeRatio: number }): string | undefined {
  return hedgeRatio > 0 ? undefined : 'the two move against each other: both legs would be on one side';
}

export function againstHolding({ pValue }: ShownSpread, { exitPValue }: TestParameters): string | undefined {
  return pValue > exitPValue ? `the relation has broken${known(pValue, 'p')}, above ${exitPValue}` : undefined;
}

function known(value: number, name: string): string {
  return Number.isFinite(value) ? ` (${name} ${value.toFixed(3)})` : '';
}
