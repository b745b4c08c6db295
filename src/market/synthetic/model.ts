// How the synthetic market moves: one step makes one bar of every asset. The formulae, with the reasons for the numbers, are in
// docs/reference/synthetic-market.md. What is no price stands in files of its own and reads the model: book.ts, derivatives.ts,
// headlines.ts, on-chain.ts, interruptions.ts. Not modelled anywhere: hours of the day.
//
// The hot loop makes no objects: state is number fields, random draws go into typed arrays, bars into the caller's array.
import type { ByteReader, ByteWriter, Stateful } from '../../domain/bytes.ts';
import { format, type Decimal } from '../../domain/decimal.ts';
import { DAY_MS, HOUR_MS, type TimeMs } from '../../domain/time.ts';
import { normalQuantiles, portableExp, portableExps, portableLog, portableLogs, Random } from '../../quant/random.ts';
import { ALL_ASSETS, leaderOf, type SyntheticAsset } from './assets.ts';
import type { StudyParameters } from './parameters.ts';
import { chanceWithin, meanDriftPerHour, REGIMES, type RegimeParameters } from './regimes.ts';
import { breakSpells, type Spells } from './spells.ts';

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
/** A pair's constant that has moved this far moves back in the next break. */
const BREAK_LIMIT = 0.4;
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
export class AssetPath implements Stateful {
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
  // Of an asset for studies: what it does beside that.
  readonly #breaks: Breaks | undefined;
  readonly #past: Past | undefined;
  readonly #doom: Doom | undefined;

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
  /** What of the jump is the asset's alone. */
  ownJump = NaN;

  constructor(asset: SyntheticAsset, leader: AssetPath | undefined, random: Random, hours: number, studies: StudyParameters) {
    const { drive, instrument } = asset;
    this.asset = asset;
    this.leader = leader;
    this.#random = random;
    this.#tick = stepOf(instrument.tick);
    this.#lot = stepOf(instrument.lot);
    this.#startTicks = Math.round((asset.startPrice * this.#tick.denominator) / this.#tick.numerator);
    this.#barLots = ((asset.minuteVolume * this.#lot.denominator) / this.#lot.numerator) * hours * 60;
    const yearRoot = Math.sqrt(hours / HOURS_PER_YEAR);
    const isOwn = 'ownVolatility' in drive;
    this.#beta = isOwn ? drive.beta : drive.hedgeRatio;
    this.#ownDeviation = isOwn ? drive.ownVolatility * yearRoot : 0;
    this.#volatilityMemory = remaining(hours, OWN_VOLATILITY_HALF_LIFE_HOURS);
    this.#volatilityNoise = VOLATILITY_DEVIATION * Math.sqrt(1 - this.#volatilityMemory * this.#volatilityMemory);
    this.#jumpChance = isOwn ? chanceWithin(OWN_JUMPS_PER_DAY / 24, hours) : 0;
    this.#levelMemory = remaining(hours, LEVEL_HALF_LIFE_DAYS * 24);
    this.#spreadMemory = isOwn ? 0 : remaining(hours, drive.spreadHalfLifeMs / HOUR_MS);
    this.#spreadNoise = isOwn ? 0 : drive.spreadDeviation * Math.sqrt(1 - this.#spreadMemory * this.#spreadMemory);
    const drivenMove = this.#beta * (leader === undefined ? FACTOR_VOLATILITY * SWING_WIDENING * yearRoot : leader.typicalMove);
    const ownMove = isOwn ? this.#ownDeviation : this.#spreadNoise;
    this.#typicalMove = Math.sqrt(drivenMove * drivenMove + ownMove * ownMove);
    this.#breaks = drive.kind === 'breaking pair' ? new Breaks(random, hours, studies) : undefined;
    this.#past = drive.kind === 'lagging' ? new Past(studies.lagBars) : undefined;
    this.#doom = drive.kind === 'doomed' ? new Doom(hours, studies) : undefined;
    this.#own = 0;
    this.#ownLogVolatility = 0;
    this.spread = 0;
    this.logPrice = 0;
    this.#closeTicks = this.#startTicks;
    this.ownJump = 0;
  }

  /** Standard deviation of a bar's move in quiet times: what volume measures a move by. */
  get typicalMove(): number {
    return this.#typicalMove;
  }

  /** By how much a broken pair's constant has moved, in log price; 0 for every other asset. */
  get anchor(): number {
    return this.#breaks?.anchor ?? 0;
  }

  /** Moves the price and writes the bar at `offset` of `out`; nowhere when `offset` is negative. */
  step(factor: Factor, out: Float64Array, offset: number): void {
    this.#logBefore = this.logPrice;
    if (this.leader === undefined || this.#past !== undefined) this.#stepOwn(factor);
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
    this.#breaks?.save(out);
    this.#past?.save(out);
    this.#doom?.save(out);
  }

  restore(from: ByteReader): void {
    this.#own = from.number();
    this.#ownLogVolatility = from.number();
    this.spread = from.number();
    this.logPrice = from.number();
    this.#closeTicks = from.number();
    this.#random.restore(from);
    this.#breaks?.restore(from);
    this.#past?.restore(from);
    this.#doom?.restore(from);
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
    if (this.#doom !== undefined) this.#own += this.#doom.step();
    const past = this.#past;
    if (past !== undefined && this.leader !== undefined) past.step(this.leader);
    const driver = past ?? factor;
    this.logPrice = this.#beta * driver.level + this.#own;
    const drivenDeviation = this.#beta * driver.deviation;
    this.deviation = Math.sqrt(drivenDeviation * drivenDeviation + ownDeviation * ownDeviation);
    this.jump = this.#beta * driver.jump + ownJump;
    this.ownJump = ownJump;
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
    if (this.#breaks !== undefined) this.logPrice += this.#breaks.step(noise);
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
 * A pair's relation breaks: during a spell its constant wanders off, by a drift and a random walk; afterwards it holds again, about the
 * level at which it stands.
 */
class Breaks implements Stateful {
  readonly #random: Random;
  readonly #spells: Spells;
  readonly #barMs: TimeMs;
  readonly #drift: number;
  #bar = 0;
  #spell = -1;
  #direction = 0;
  anchor = NaN;

  constructor(random: Random, hours: number, studies: StudyParameters) {
    this.#random = random.fork('break');
    this.#barMs = Math.round(hours * HOUR_MS);
    this.#spells = breakSpells(random, this.#barMs, studies);
    this.#drift = studies.breakDriftPerHour * hours;
    this.anchor = 0;
  }

  /** The constant after another bar. @param noise standard deviation of the spread's own innovation in this bar */
  step(noise: number): number {
    const bar = this.#bar++;
    const spell = this.#spells.spellAt(bar * this.#barMs);
    if (spell >= 0) {
      this.#random.seek(bar);
      const drawn = this.#random.normal();
      if (spell !== this.#spell) this.#begin(spell);
      this.anchor += this.#direction * this.#drift + noise * drawn;
    }
    return this.anchor;
  }

  save(out: ByteWriter): void {
    out.count(this.#bar);
    out.number(this.#spell);
    out.number(this.#direction);
    out.number(this.anchor);
  }

  restore(from: ByteReader): void {
    this.#bar = from.count();
    this.#spell = from.number();
    this.#direction = from.number();
    this.anchor = from.number();
  }

  /** Either way, but back where the constant is already far away: prices stay meaningful in a market of any length. */
  #begin(spell: number): void {
    this.#spell = spell;
    const isUp = this.#random.uniform() < 0.5;
    this.#direction = Math.abs(this.anchor) > BREAK_LIMIT ? -Math.sign(this.anchor) : isUp ? 1 : -1;
  }
}

/** What the leader did some bars ago. Before there was one, nothing moved. */
class Past implements Stateful {
  /** As a ring: level, deviation and jump of each bar. */
  readonly #bars: Float64Array;
  #at = 0;
  level = NaN;
  deviation = NaN;
  jump = NaN;

  constructor(lagBars: number) {
    this.#bars = new Float64Array(lagBars * 3);
  }

  step(leader: { readonly logPrice: number; readonly deviation: number; readonly jump: number }): void {
    const bars = this.#bars;
    const at = this.#at;
    this.level = bars[at] ?? NaN;
    this.deviation = bars[at + 1] ?? NaN;
    this.jump = bars[at + 2] ?? NaN;
    bars[at] = leader.logPrice;
    bars[at + 1] = leader.deviation;
    bars[at + 2] = leader.jump;
    this.#at = (at + 3) % bars.length;
  }

  save(out: ByteWriter): void {
    out.numbers(this.#bars);
    out.count(this.#at);
  }

  restore(from: ByteReader): void {
    from.numbers(this.#bars);
    this.#at = from.count();
  }
}

/** How many bars a doomed asset has. */
export function barsUntilDelisting({ delistedAfterDays }: StudyParameters, timeframeMs: TimeMs): number {
  return Math.max(1, Math.floor((delistedAfterDays * DAY_MS) / timeframeMs));
}

/** The last days of an asset. */
class Doom implements Stateful {
  readonly #drift: number;
  readonly #fromBar: number;
  readonly #untilBar: number;
  #bar = 0;

  constructor(hours: number, studies: StudyParameters) {
    this.#drift = -studies.collapseDriftPerHour * hours;
    this.#untilBar = barsUntilDelisting(studies, Math.round(hours * HOUR_MS));
    this.#fromBar = this.#untilBar - Math.round(studies.collapseHours / hours);
  }

  /** What the collapse adds to the log price in this bar. */
  step(): number {
    const bar = this.#bar++;
    return bar >= this.#fromBar && bar < this.#untilBar ? this.#drift : 0;
  }

  save(out: ByteWriter): void {
    out.count(this.#bar);
  }

  restore(from: ByteReader): void {
    this.#bar = from.count();
  }
}

export interface ModelParameters {
  readonly seed: number;
  readonly timeframeMs: TimeMs;
  readonly studies: StudyParameters;
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
  constructor({ seed, timeframeMs, studies }: ModelParameters, assets: readonly SyntheticAsset[]) {
    const hours = timeframeMs / HOUR_MS;
    this.barsPerYear = HOURS_PER_YEAR / hours;
    const root = new Random(seed);
    this.factor = new Factor(root.fork('factor'), hours);
    const needed = new Set(assets.map(({ instrument }) => instrument.symbol));
    for (const asset of assets) needed.add(leaderOf(asset) ?? asset.instrument.symbol);
    const bySymbol = new Map<string, AssetPath>();
    for (const asset of ALL_ASSETS) {
      const { symbol } = asset.instrument;
      if (!needed.has(symbol)) continue;
      const leader = bySymbol.get(leaderOf(asset) ?? '');
      bySymbol.set(symbol, new AssetPath(asset, leader, root.fork(`asset ${symbol}`), hours, studies));
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

/** How many bars an asset has: Infinity unless it is delisted. */
export function lifeOf({ drive }: SyntheticAsset, { timeframeMs, studies }: ModelParameters): number {
  return drive.kind === 'doomed' ? barsUntilDelisting(studies, timeframeMs) : Infinity;
}

/** The path of one asset of a model. @throws RangeError where the model was made without it */
export function pathOf(model: Model, symbol: string): AssetPath {
  const path = model.paths.find(({ asset }) => asset.instrument.symbol === symbol);
  if (path === undefined) throw new RangeError(`there was no path of ${symbol}, expected one of the model's`);
  return path;
}
