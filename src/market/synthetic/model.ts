// How the synthetic market moves: one step makes one bar of every asset. The formulae, with the reasons for the numbers, are in
// docs/reference/synthetic-market.md. Not modelled here: order book, open interest, news, delistings, outages, hours of the day.
//
// The hot loop makes no objects: state is number fields, random draws go into typed arrays, bars into the caller's array.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { format, type Decimal } from '../../domain/decimal.ts';
import { HOUR_MS, type TimeMs } from '../../domain/time.ts';
import { normalQuantiles, portableExp, portableExps, portableLog, portableLogs, Random } from '../../quant/random.ts';
import { SYNTHETIC_ASSETS, type SyntheticAsset } from './assets.ts';
import { chanceWithin, meanDriftPerHour, REGIMES, type RegimeParameters } from './regimes.ts';

/** Numbers that one bar takes in the caller's array: open, high, low, close, volume. */
export const BAR_WIDTH = 5;

const HOURS_PER_YEAR = 8_760;
/** Annual volatility of the factor's lasting moves when its regime's multiple is 1. */
export const FACTOR_VOLATILITY = 0.38;
/** Beside them the factor swings: moves this many times as large, which fade with the half-life below. A range trades back. */
export const SWING_RATIO = 0.8;
export const SWING_HALF_LIFE_HOURS = 2;
/** Volatility clusters: the log of it reverts with this half-life, about its regime's level. */
export const FACTOR_VOLATILITY_HALF_LIFE_HOURS = 5;
export const OWN_VOLATILITY_HALF_LIFE_HOURS = 10;
/** Stationary standard deviation of log volatility. */
export const VOLATILITY_DEVIATION = 0.4;
/** How much of the factor's log volatility an asset's own volatility and a pair's spread take over: fear is contagious. */
export const VOLATILITY_CONTAGION = 0.5;
/** A jump raises log volatility by this much: aftershocks. */
export const JUMP_AFTERSHOCK = 0.25;
/** Own jumps of an asset, beside the factor's. */
export const OWN_JUMPS_PER_DAY = 0.4;
export const OWN_JUMP_DEVIATION = 0.01;
/** Log levels return to where they began with this half-life, so that ticks stay meaningful in a market of a thousand years. */
export const LEVEL_HALF_LIFE_DAYS = 120;
/** Part of the typical volume that is traded without any move; the rest is in proportion to the move. */
export const STILL_VOLUME = 0.4;
/** Standard deviation of log volume about what the move explains. */
export const VOLUME_DEVIATION = 0.45;
/** Chance of a gap of one tick up, and as much of one down, between a close and the next open. */
export const GAP_CHANCE = 0.06;

/** In standard deviations. A Student-t of four degrees reaches 40 once in a million draws; no real minute does. */
const SHOCK_LIMIT = 30;
/** The factor's whole deviation over that of its lasting moves. */
const SWING_WIDENING = Math.sqrt(1 + SWING_RATIO * SWING_RATIO);
/** Prices do not fall below this many ticks, nor volumes below this many lots. */
const FLOOR_TICKS = 10;
export const FLOOR_LOTS = 100;
/** Beyond this multiple a move no longer raises the volume. */
const VOLUME_MOVE_LIMIT = 25;
/** Keeps log volatility where its exponential is a sane number. */
const LOG_VOLATILITY_LIMIT = 4;

/**
 * A Student-t of four degrees, scaled to variance 1: a normal over the root of a chi-squared of four, which is minus twice the logarithm
 * of a product of two uniforms. No rejection, so every bar draws equally often.
 */
function shock(normal: number, logOfProduct: number): number {
  const drawn = normal * Math.sqrt(-1 / logOfProduct);
  return drawn > SHOCK_LIMIT ? SHOCK_LIMIT : drawn < -SHOCK_LIMIT ? -SHOCK_LIMIT : drawn;
}

/** What is left of a deviation after `hours`. */
function remaining(hours: number, halfLifeHours: number): number {
  return portableExp((-hours * Math.LN2) / halfLifeHours);
}

/** A step of the venue (tick or lot) as a fraction of whole numbers, so that count x numerator / denominator is the double nearest to the decimal. */
export interface Step {
  readonly numerator: number;
  readonly denominator: number;
}

export function stepOf(decimal: Decimal): Step {
  const [whole = '', fraction = ''] = format(decimal).split('.');
  return { numerator: Number(whole + fraction), denominator: Number(`1e${fraction.length}`) };
}

/** A regime with everything that depends on the length of a bar worked out. */
interface RegimePace {
  readonly drift: number;
  readonly logVolatility: number;
  readonly leaveChance: number;
  readonly jumpChance: number;
  readonly jumpMean: number;
  readonly jumpDeviation: number;
  /** Cumulative probabilities over REGIMES. */
  readonly next: readonly number[];
  readonly isCrash: boolean;
}

function paceOf(regime: RegimeParameters, hours: number): RegimePace {
  let sum = 0;
  return {
    drift: regime.driftPerHour * hours,
    logVolatility: portableLog(regime.volatilityFactor),
    leaveChance: chanceWithin(1 / regime.meanHours, hours),
    jumpChance: chanceWithin(regime.jumpsPerDay / 24, hours),
    jumpMean: regime.jumpMean,
    jumpDeviation: regime.jumpDeviation,
    next: REGIMES.map(({ name }) => (sum += regime.next[name] ?? 0)),
    isCrash: regime.name === 'crash',
  };
}

// Places in a factor's draws. Normals first, then the product under the shock's root, then plain chances.
const F_VOLATILITY = 0;
const F_SHOCK = 1;
const F_SWING = 2;
const F_PRODUCT = 3;
const F_SECOND = 4;
const F_LEAVE = 5;
const F_JUMP = 6;
const FACTOR_DRAWS = 7;

// Places in an asset's draws, so ordered that a follower uses the first of each kind: normals, logarithms, chances.
const A_VOLUME = 0;
/** Of an own path: its volatility. Of a follower: its spread. */
const A_OWN = 1;
const A_SHOCK = 2;
const A_UP = 3;
const A_DOWN = 4;
const A_PRODUCT = 5;
const A_GAP = 6;
const A_JUMP = 7;
const A_SECOND = 8;
const ASSET_DRAWS = 9;

/** What moves everything: regime, volatility and level that all assets share. */
class Factor implements Stateful {
  readonly #random: Random;
  readonly #draws = new Float64Array(FACTOR_DRAWS);
  readonly #paces: readonly RegimePace[];
  readonly #drift: number;
  readonly #volatilityMemory: number;
  readonly #volatilityNoise: number;
  readonly #baseDeviation: number;
  readonly #levelMemory: number;
  readonly #swingMemory: number;
  #pace: RegimePace;
  #strength = NaN;

  // State and, below it, what the last step made. NaN first, so that V8 keeps the fields as doubles.
  regime = 0;
  logVolatility = NaN;
  /** The lasting part of the log level, and the part that fades. */
  lasting = NaN;
  swing = NaN;
  level = NaN;
  /** Standard deviation of this bar's diffusion, both parts. */
  deviation = NaN;
  jump = NaN;
  /** What the assets' own volatility and the pairs' spreads are multiplied by; near 1 in quiet times. */
  fear = NaN;

  constructor(random: Random, hours: number) {
    this.#random = random;
    this.#paces = REGIMES.map((regime) => paceOf(regime, hours));
    this.#drift = -meanDriftPerHour() * hours;
    this.#volatilityMemory = remaining(hours, FACTOR_VOLATILITY_HALF_LIFE_HOURS);
    this.#volatilityNoise = VOLATILITY_DEVIATION * Math.sqrt(1 - this.#volatilityMemory * this.#volatilityMemory);
    this.#baseDeviation = FACTOR_VOLATILITY * Math.sqrt(hours / HOURS_PER_YEAR);
    this.#levelMemory = remaining(hours, LEVEL_HALF_LIFE_DAYS * 24);
    this.#swingMemory = remaining(hours, SWING_HALF_LIFE_HOURS);
    this.#pace = this.#paceAt(0);
    this.#strength = 1;
    this.logVolatility = this.#pace.logVolatility;
    this.lasting = 0;
    this.swing = 0;
    this.level = 0;
  }

  step(): void {
    const draws = this.#draws;
    this.#random.fillOpen(draws, 0, FACTOR_DRAWS);
    if ((draws[F_LEAVE] ?? NaN) < this.#pace.leaveChance) this.#leave();
    const pace = this.#pace;
    normalQuantiles(draws, F_VOLATILITY, F_PRODUCT);
    draws[F_PRODUCT] = portableLog((draws[F_PRODUCT] ?? NaN) * (draws[F_SECOND] ?? NaN));

    let logVolatility = pace.logVolatility + (this.logVolatility - pace.logVolatility) * this.#volatilityMemory;
    logVolatility += this.#volatilityNoise * (draws[F_VOLATILITY] ?? NaN);
    // Less the variance of the log: the mean square of the volatility is then the regime's, not 38 % above it.
    const deviation = this.#baseDeviation * portableExp(logVolatility - VOLATILITY_DEVIATION * VOLATILITY_DEVIATION);
    this.deviation = deviation * SWING_WIDENING;
    this.fear = portableExp(VOLATILITY_CONTAGION * logVolatility);
    this.jump = 0;
    if ((draws[F_JUMP] ?? NaN) < pace.jumpChance) {
      this.jump = pace.jumpMean + pace.jumpDeviation * this.#random.normal();
      logVolatility += JUMP_AFTERSHOCK;
    }
    this.logVolatility = logVolatility > LOG_VOLATILITY_LIMIT ? LOG_VOLATILITY_LIMIT : logVolatility;
    const moved = deviation * shock(draws[F_SHOCK] ?? NaN, draws[F_PRODUCT] ?? NaN);
    this.lasting = this.lasting * this.#levelMemory + this.#drift + pace.drift * this.#strength + moved + this.jump;
    this.swing = this.swing * this.#swingMemory + SWING_RATIO * deviation * (draws[F_SWING] ?? NaN);
    this.level = this.lasting + this.swing;
  }

  save(out: ByteWriter): void {
    out.count(this.regime);
    out.number(this.#strength);
    out.number(this.logVolatility);
    out.number(this.lasting);
    out.number(this.swing);
    this.#random.save(out);
  }

  restore(from: ByteReader): void {
    this.regime = from.count();
    this.#pace = this.#paceAt(this.regime);
    this.#strength = from.number();
    this.logVolatility = from.number();
    this.lasting = from.number();
    this.swing = from.number();
    this.level = this.lasting + this.swing;
    this.#random.restore(from);
  }

  #leave(): void {
    const drawn = this.#random.uniform();
    // Rounding may leave the last cumulative sum a hair below 1: then nothing is found and the regime goes on for another stay.
    const found = this.#pace.next.findIndex((cumulative) => drawn < cumulative);
    if (found >= 0) this.regime = found;
    this.#pace = this.#paceAt(this.regime);
    this.#strength = 0.5 + this.#random.uniform();
    // Fear comes at once and goes slowly.
    if (this.#pace.isCrash) this.logVolatility = Math.max(this.logVolatility, this.#pace.logVolatility);
  }

  #paceAt(regime: number): RegimePace {
    const pace = this.#paces[regime];
    if (pace === undefined) throw new RangeError(`regime was ${regime}, expected an index of REGIMES`);
    return pace;
  }
}

/** One asset's price. Either driven by the factor and on its own, or by its leader and a spread. */
class AssetPath implements Stateful {
  readonly asset: SyntheticAsset;
  readonly leader: AssetPath | undefined;
  readonly #random: Random;
  readonly #draws = new Float64Array(ASSET_DRAWS);
  /** What is about to be raised to a power of e: the price, the volume. */
  readonly #powers = new Float64Array(2);
  readonly #tick: Step;
  readonly #lot: Step;
  readonly #startTicks: number;
  readonly #barLots: number;
  readonly #typicalMove: number;
  // Of an own path: beta, own deviation of a bar, memory and noise of its volatility, chance of a jump, memory of its level.
  readonly #beta: number;
  readonly #ownDeviation: number;
  readonly #volatilityMemory: number;
  readonly #volatilityNoise: number;
  readonly #jumpChance: number;
  readonly #levelMemory: number;
  // Of a follower: memory and noise of its spread.
  readonly #spreadMemory: number;
  readonly #spreadNoise: number;

  // State and, below it, what the last step made.
  #own = NaN;
  #ownLogVolatility = NaN;
  /** Of a follower: log deviation from its leader; 0 for the others. */
  spread = NaN;
  /** Log of the unrounded price over the start price. */
  logPrice = NaN;
  #closeTicks = NaN;
  #logBefore = NaN;
  /** Standard deviation of this bar's diffusion. */
  deviation = NaN;
  jump = NaN;

  constructor(asset: SyntheticAsset, leader: AssetPath | undefined, random: Random, hours: number) {
    const { drive, instrument } = asset;
    this.asset = asset;
    this.leader = leader;
    this.#random = random;
    this.#tick = stepOf(instrument.tick);
    this.#lot = stepOf(instrument.lot);
    this.#startTicks = Math.round((asset.startPrice * this.#tick.denominator) / this.#tick.numerator);
    this.#barLots = ((asset.minuteVolume * this.#lot.denominator) / this.#lot.numerator) * hours * 60;
    const yearRoot = Math.sqrt(hours / HOURS_PER_YEAR);
    const isOwn = drive.kind === 'factor';
    this.#beta = isOwn ? drive.beta : drive.hedgeRatio;
    this.#ownDeviation = isOwn ? drive.ownVolatility * yearRoot : 0;
    this.#volatilityMemory = remaining(hours, OWN_VOLATILITY_HALF_LIFE_HOURS);
    this.#volatilityNoise = VOLATILITY_DEVIATION * Math.sqrt(1 - this.#volatilityMemory * this.#volatilityMemory);
    this.#jumpChance = isOwn ? chanceWithin(OWN_JUMPS_PER_DAY / 24, hours) : 0;
    this.#levelMemory = remaining(hours, LEVEL_HALF_LIFE_DAYS * 24);
    this.#spreadMemory = isOwn ? 0 : remaining(hours, drive.spreadHalfLifeMs / HOUR_MS);
    this.#spreadNoise = isOwn ? 0 : drive.spreadDeviation * Math.sqrt(1 - this.#spreadMemory * this.#spreadMemory);
    const drivenMove = isOwn ? this.#beta * FACTOR_VOLATILITY * SWING_WIDENING * yearRoot : this.#beta * (leader?.typicalMove ?? 0);
    const ownMove = isOwn ? this.#ownDeviation : this.#spreadNoise;
    this.#typicalMove = Math.sqrt(drivenMove * drivenMove + ownMove * ownMove);
    this.#own = 0;
    this.#ownLogVolatility = 0;
    this.spread = 0;
    this.logPrice = 0;
    this.#closeTicks = this.#startTicks;
  }

  /** Standard deviation of a bar's move in quiet times: what volume measures a move by. */
  get typicalMove(): number {
    return this.#typicalMove;
  }

  /** Moves the price and writes the bar at `offset` of `out`; nowhere when `offset` is negative. */
  step(factor: Factor, out: Float64Array, offset: number): void {
    this.#logBefore = this.logPrice;
    if (this.leader === undefined) this.#stepOwn(factor);
    else this.#stepBeside(this.leader, factor);
    this.#writeBar(out, offset);
  }

  save(out: ByteWriter): void {
    out.number(this.#own);
    out.number(this.#ownLogVolatility);
    out.number(this.spread);
    out.number(this.logPrice);
    out.number(this.#closeTicks);
    this.#random.save(out);
  }

  restore(from: ByteReader): void {
    this.#own = from.number();
    this.#ownLogVolatility = from.number();
    this.spread = from.number();
    this.logPrice = from.number();
    this.#closeTicks = from.number();
    this.#random.restore(from);
  }

  #stepOwn(factor: Factor): void {
    const draws = this.#draws;
    this.#random.fillOpen(draws, 0, ASSET_DRAWS);
    draws[A_PRODUCT] = (draws[A_PRODUCT] ?? NaN) * (draws[A_SECOND] ?? NaN);
    normalQuantiles(draws, A_VOLUME, A_SHOCK + 1);
    portableLogs(draws, A_UP, A_PRODUCT + 1);

    let logVolatility = this.#ownLogVolatility * this.#volatilityMemory + this.#volatilityNoise * (draws[A_OWN] ?? NaN);
    const ownDeviation = this.#ownDeviation * factor.fear * portableExp(logVolatility - VOLATILITY_DEVIATION * VOLATILITY_DEVIATION);
    let ownJump = 0;
    if ((draws[A_JUMP] ?? NaN) < this.#jumpChance) {
      ownJump = OWN_JUMP_DEVIATION * this.#random.normal();
      logVolatility += JUMP_AFTERSHOCK;
    }
    this.#ownLogVolatility = logVolatility > LOG_VOLATILITY_LIMIT ? LOG_VOLATILITY_LIMIT : logVolatility;
    this.#own = this.#own * this.#levelMemory + ownDeviation * shock(draws[A_SHOCK] ?? NaN, draws[A_PRODUCT] ?? NaN) + ownJump;
    this.logPrice = this.#beta * factor.level + this.#own;
    const drivenDeviation = this.#beta * factor.deviation;
    this.deviation = Math.sqrt(drivenDeviation * drivenDeviation + ownDeviation * ownDeviation);
    this.jump = this.#beta * factor.jump + ownJump;
  }

  #stepBeside(leader: AssetPath, factor: Factor): void {
    const draws = this.#draws;
    this.#random.fillOpen(draws, 0, A_GAP + 1);
    normalQuantiles(draws, A_VOLUME, A_OWN + 1);
    portableLogs(draws, A_UP, A_DOWN + 1);

    // Wider in fear, with the same pull back.
    const noise = this.#spreadNoise * factor.fear;
    this.spread = this.spread * this.#spreadMemory + noise * (draws[A_OWN] ?? NaN);
    this.logPrice = this.#beta * leader.logPrice + this.spread;
    const drivenDeviation = this.#beta * leader.deviation;
    this.deviation = Math.sqrt(drivenDeviation * drivenDeviation + noise * noise);
    this.jump = this.#beta * leader.jump;
  }

  #writeBar(out: Float64Array, offset: number): void {
    const draws = this.#draws;
    const powers = this.#powers;
    powers[0] = this.logPrice;
    powers[1] = VOLUME_DEVIATION * (draws[A_VOLUME] ?? NaN);
    portableExps(powers, 0, 2);

    const gap = draws[A_GAP] ?? NaN;
    let open = this.#closeTicks;
    if (gap < GAP_CHANCE) open++;
    else if (gap > 1 - GAP_CHANCE && open > FLOOR_TICKS) open--;
    const close = Math.max(FLOOR_TICKS, Math.round(this.#startTicks * (powers[0] ?? NaN)));
    this.#closeTicks = close;

    // The exact distribution of the extremes of a Brownian path from open to close, given its deviation.
    const move = close - open;
    const deviation = this.deviation * open;
    const square = move * move;
    const twice = 2 * deviation * deviation;
    const reachUp = 0.5 * (move + Math.sqrt(square - twice * (draws[A_UP] ?? NaN)));
    const reachDown = 0.5 * (move - Math.sqrt(square - twice * (draws[A_DOWN] ?? NaN)));
    const top = move > 0 ? close : open;
    const bottom = move > 0 ? open : close;
    const high = Math.max(top, Math.round(open + reachUp));
    const low = Math.min(bottom, Math.max(FLOOR_TICKS, Math.round(open + reachDown)));

    const relative = Math.min(VOLUME_MOVE_LIMIT, Math.abs(this.logPrice - this.#logBefore) / this.#typicalMove);
    const lots = Math.round(this.#barLots * (STILL_VOLUME + (1 - STILL_VOLUME) * relative) * (powers[1] ?? NaN));

    if (offset < 0) return;
    const { numerator, denominator } = this.#tick;
    out[offset] = (open * numerator) / denominator;
    out[offset + 1] = (high * numerator) / denominator;
    out[offset + 2] = (low * numerator) / denominator;
    out[offset + 3] = (close * numerator) / denominator;
    out[offset + 4] = (Math.max(FLOOR_LOTS, lots) * this.#lot.numerator) / this.#lot.denominator;
  }
}

/**
 * The whole market, one bar at a time. An asset's path depends on the seed and on its own name alone, not on which others are chosen:
 * every asset draws from a stream of its own, and a leader is stepped even where only its follower is wanted.
 */
export class Model implements Stateful {
  readonly factor: Factor;
  /** The chosen assets and the leaders they need, leaders first. */
  readonly paths: readonly AssetPath[];
  /** For each path the place of its bar in a row, or negative. */
  readonly #offsets: readonly number[];
  /** Bars a year: turns a bar's variance into a year's. */
  readonly barsPerYear: number;

  /** @param assets the chosen ones, in the order in which their bars are wanted */
  constructor(seed: number, timeframeMs: TimeMs, assets: readonly SyntheticAsset[]) {
    const hours = timeframeMs / HOUR_MS;
    this.barsPerYear = HOURS_PER_YEAR / hours;
    const root = new Random(seed);
    this.factor = new Factor(root.fork('factor'), hours);
    const needed = new Set(assets.map(({ instrument }) => instrument.symbol));
    for (const { drive } of assets) if (drive.kind === 'pair') needed.add(drive.leader);
    const bySymbol = new Map<string, AssetPath>();
    for (const asset of SYNTHETIC_ASSETS) {
      const { symbol } = asset.instrument;
      if (!needed.has(symbol)) continue;
      const leader = asset.drive.kind === 'pair' ? bySymbol.get(asset.drive.leader) : undefined;
      bySymbol.set(symbol, new AssetPath(asset, leader, root.fork(`asset ${symbol}`), hours));
    }
    this.paths = [...bySymbol.values()];
    this.#offsets = this.paths.map(({ asset }) => assets.indexOf(asset) * BAR_WIDTH);
  }

  /** Makes the next bar of every asset and writes those of the chosen ones into `out`, one after the other from `start`. */
  step(out: Float64Array, start: number): void {
    this.factor.step();
    for (let index = 0; index < this.paths.length; index++) {
      const offset = this.#offsets[index] ?? -1;
      this.paths[index]?.step(this.factor, out, offset < 0 ? -1 : start + offset);
    }
  }

  save(out: ByteWriter): void {
    this.factor.save(out);
    for (const path of this.paths) path.save(out);
  }

  restore(from: ByteReader): void {
    this.factor.restore(from);
    for (const path of this.paths) path.restore(from);
  }
}
