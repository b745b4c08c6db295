// Seeded randomness, and the elementary functions that it is made with.
//
// Everything here is built from + - * / and the square root, which IEEE 754 defines to the last bit, and from 32-bit integer arithmetic.
// `Math.log` and `Math.exp` are left to the engine by ECMAScript and have differed between engines in the last bit; one such bit would
// change every later digit of a run. With the functions below a seed gives the same stream on every engine and processor, so a state hash
// can be compared between machines.
import type { ByteReader, ByteWriter, Stateful } from '../domain/bytes.ts';

const WORD = 4_294_967_296;
/** 2^-53, the spacing of `uniform`. */
const UNIFORM_STEP = 1 / 9_007_199_254_740_992;
/** 2^-52, the spacing of `openUniform`: its midpoints still fit a double exactly, which those of 2^-53 would not. */
const OPEN_STEP = 1 / 4_503_599_627_370_496;

/**
 * A stream of random numbers: xoshiro128** by Blackman and Vigna, period 2^128 - 1.
 * A stream is known by its key. `fork` derives the key of another stream from the key and a label, never from how much was drawn,
 * so that a new consumer of randomness does not disturb the others.
 */
export class Random implements Stateful {
  #keyLow = 0;
  #keyHigh = 0;
  // Always signed 32-bit, which V8 holds without a box.
  #s0 = 0;
  #s1 = 0;
  #s2 = 0;
  #s3 = 0;

  /** @param seed a whole number from 0 to 2^53 - 1 */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`seed was ${seed}, expected a whole number from 0 to 2^53 - 1`);
    this.#setKey(mixed(seed | 0), mixed(Math.floor(seed / WORD) ^ GOLDEN));
  }

  /** An independent stream. The same label gives the same stream, however much was drawn from this one. */
  fork(label: string): Random {
    let low = mixed(this.#keyLow ^ label.length);
    let high = mixed(this.#keyHigh + GOLDEN);
    for (let index = 0; index < label.length; index++) {
      low = mixed(low ^ label.charCodeAt(index));
      high = mixed(high + low);
    }
    const child = new Random(0);
    child.#setKey(low, high);
    return child;
  }

  /** Goes to the start of the substream `index` of this key, wherever it stood: what is drawn next depends on key and index alone. */
  seek(index: number): void {
    const s0 = mixed(this.#keyLow + (index | 0));
    const s1 = mixed((s0 + GOLDEN) ^ this.#keyHigh);
    const s2 = mixed((s1 + Math.floor(index / WORD)) ^ this.#keyLow);
    this.#s0 = s0;
    this.#s1 = s1;
    this.#s2 = s2;
    // Odd, because the all-zero state is the one that xoshiro cannot leave.
    this.#s3 = mixed(s2 + s0) | 1;
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    return this.#next() >>> 0;
  }

  /** In [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = this.#next() >>> 5;
    return (high * 67_108_864 + (this.#next() >>> 6)) * UNIFORM_STEP;
  }

  /** In (0, 1), never an end: safe under a logarithm. */
  openUniform(): number {
    const high = this.#next() >>> 6;
    return (high * 67_108_864 + (this.#next() >>> 6) + 0.5) * OPEN_STEP;
  }

  /**
   * What as many calls of `openUniform` would give, into the places from `start` to before `end`.
   * For hot loops: one call, the state in registers, and no double that is handed over on the heap.
   */
  fillOpen(into: Float64Array, start: number, end: number): void {
    let s0 = this.#s0;
    let s1 = this.#s1;
    let s2 = this.#s2;
    let s3 = this.#s3;
    for (let index = start; index < end; index++) {
      // The same step as in #next, twice.
      let product = Math.imul(s1, 5);
      const high = Math.imul((product << 7) | (product >>> 25), 9) >>> 6;
      let shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = (s3 << 11) | (s3 >>> 21);

      product = Math.imul(s1, 5);
      const low = Math.imul((product << 7) | (product >>> 25), 9) >>> 6;
      shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = (s3 << 11) | (s3 >>> 21);
      into[index] = (high * 67_108_864 + low + 0.5) * OPEN_STEP;
    }
    this.#s0 = s0;
    this.#s1 = s1;
    this.#s2 = s2;
    this.#s3 = s3;
  }

  /** What as many calls of `uint32` would give, into the places from `start` to before `end`: half the work of `fillOpen`. */
  fillUint32(into: Uint32Array, start: number, end: number): void {
    let s0 = this.#s0;
    let s1 = this.#s1;
    let s2 = this.#s2;
    let s3 = this.#s3;
    for (let index = start; index < end; index++) {
      // The same step as in #next.
      const product = Math.imul(s1, 5);
      into[index] = Math.imul((product << 7) | (product >>> 25), 9);
      const shifted = s1 << 9;
      s2 ^= s0;
      s3 ^= s1;
      s1 ^= s2;
      s0 ^= s3;
      s2 ^= shifted;
      s3 = (s3 << 11) | (s3 >>> 21);
    }
    this.#s0 = s0;
    this.#s1 = s1;
    this.#s2 = s2;
    this.#s3 = s3;
  }

  /** A whole number from 0 to bound - 1, each equally likely. @param bound from 1 to 2^32 */
  integer(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > WORD)
      throw new RangeError(`bound was ${bound}, expected a whole number from 1 to 2^32`);
    const limit = WORD - (WORD % bound);
    for (;;) {
      const drawn = this.#next() >>> 0;
      if (drawn < limit) return drawn % bound;
    }
  }

  bernoulli(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Standard normal, by inversion: exactly one uniform a draw, so there is no spare half of a pair to save. */
  normal(): number {
    return normalQuantile(this.openUniform());
  }

  /** Student-t, not scaled: its variance is degrees / (degrees - 2). By Bailey's polar method (1994). */
  studentT(degrees: number): number {
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const w = u * u + v * v;
      if (w > 1 || w === 0) continue;
      // w^(-2/degrees); for the four degrees that returns of prices have, a square root is all of it.
      const power = degrees === 4 ? 1 / Math.sqrt(w) : portableExp((-2 / degrees) * portableLog(w));
      return u * Math.sqrt((degrees * (power - 1)) / w);
    }
  }

  save(out: ByteWriter): void {
    out.count(this.#keyLow >>> 0);
    out.count(this.#keyHigh >>> 0);
    out.count(this.#s0 >>> 0);
    out.count(this.#s1 >>> 0);
    out.count(this.#s2 >>> 0);
    out.count(this.#s3 >>> 0);
  }

  restore(from: ByteReader): void {
    this.#keyLow = from.count() | 0;
    this.#keyHigh = from.count() | 0;
    this.#s0 = from.count() | 0;
    this.#s1 = from.count() | 0;
    this.#s2 = from.count() | 0;
    this.#s3 = from.count() | 0;
  }

  #setKey(low: number, high: number): void {
    this.#keyLow = low;
    this.#keyHigh = high;
    this.seek(0);
  }

  #next(): number {
    const s1 = this.#s1;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const s2 = this.#s2 ^ this.#s0;
    const s3 = this.#s3 ^ s1;
    this.#s1 = s1 ^ s2;
    this.#s0 ^= s3;
    this.#s2 = s2 ^ (s1 << 9);
    this.#s3 = (s3 << 11) | (s3 >>> 21);
    return result;
  }
}

const GOLDEN = 0x9e3779b9 | 0;

/** A bijection of 32-bit words in which every input bit moves every output bit. */
function mixed(word: number): number {
  let x = (word + GOLDEN) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}

/** The standard normal's quantile of a probability in (0, 1), to about 1e-16 relative. Wichura's algorithm AS 241 (1988). */
export function normalQuantile(probability: number): number {
  const q = probability - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const r = 0.180625 - q * q;
    const above =
      ((((((2509.0809287301227 * r + 33430.57558358813) * r + 67265.7709270087) * r + 45921.95393154987) * r + 13731.69376550946) * r +
        1971.5909503065513) *
        r +
        133.14166789178438) *
        r +
      3.3871328727963665;
    const below =
      ((((((5226.495278852854 * r + 28729.085735721943) * r + 39307.89580009271) * r + 21213.794301586597) * r + 5394.196021424751) * r +
        687.1870074920579) *
        r +
        42.31333070160091) *
        r +
      1;
    return (q * above) / below;
  }
  const magnitude = tailQuantile(Math.sqrt(-portableLog(q < 0 ? probability : 1 - probability)));
  return q < 0 ? -magnitude : magnitude;
}

function tailQuantile(root: number): number {
  if (root <= 5) {
    const r = root - 1.6;
    const above =
      ((((((0.0007745450142783414 * r + 0.022723844989269184) * r + 0.2417807251774506) * r + 1.2704582524523684) * r +
        3.6478483247632045) *
        r +
        5.769497221460691) *
        r +
        4.630337846156546) *
        r +
      1.4234371107496835;
    const below =
      ((((((1.0507500716444169e-9 * r + 0.0005475938084995345) * r + 0.015198666563616457) * r + 0.14810397642748008) * r +
        0.6897673349851) *
        r +
        1.6763848301838038) *
        r +
        2.053191626637759) *
        r +
      1;
    return above / below;
  }
  const r = root - 5;
  const above =
    ((((((2.0103343992922881e-7 * r + 0.000027115555687434876) * r + 0.0012426609473880784) * r + 0.026532189526576124) * r +
      0.29656057182850487) *
      r +
      1.7848265399172913) *
      r +
      5.463784911164114) *
      r +
    6.657904643501103;
  const below =
    ((((((2.0442631033899397e-15 * r + 1.421511758316446e-7) * r + 0.000018463183175100548) * r + 0.0007868691311456133) * r +
      0.014875361290850615) *
      r +
      0.1369298809227358) *
      r +
      0.599832206555888) *
      r +
    1;
  return above / below;
}

// ln 2 in two parts, the first with its last 21 bits zero, so that a small whole number times it is exact.
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const LOG2_E = 1.4426950408889634;

// The upper bits of a double, to read its exponent. Which word that is depends on the processor's byte order.
const float = new Float64Array(1);
const words = new Int32Array(float.buffer);
const EXPONENT_WORD = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 1 : 0;

// 2^-1022 to 2^1022, exact. Scaling by a table is three times as fast as writing an exponent's bits and reading them back as a double.
const POWER_BIAS = 1022;
const powers = new Float64Array(2 * POWER_BIAS + 1).fill(1);
for (let power = 1; power <= POWER_BIAS; power++) {
  powers[POWER_BIAS + power] = (powers[POWER_BIAS + power - 1] ?? NaN) * 2;
  powers[POWER_BIAS - power] = (powers[POWER_BIAS - power + 1] ?? NaN) / 2;
}

/** The natural logarithm of a value between 2^-1022 and 2^1022, within 1 ulp: fdlibm's reduction and minimax polynomial. */
export function portableLog(value: number): number {
  float[0] = value;
  let exponent = ((words[EXPONENT_WORD] ?? 0) >> 20) - 1023;
  let mantissa = value * (powers[POWER_BIAS - exponent] ?? NaN);
  if (mantissa > Math.SQRT2) {
    mantissa *= 0.5;
    exponent++;
  }
  const f = mantissa - 1;
  const s = f / (2 + f);
  const z = s * s;
  const w = z * z;
  const even = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
  const odd = z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
  const half = 0.5 * f * f;
  return exponent * LN2_HIGH - (half - (s * (half + even + odd) + exponent * LN2_LOW) - f);
}

/** e to the power of a value between -708 and 708, within 1 ulp: fdlibm's reduction and rational approximation. */
export function portableExp(value: number): number {
  // The nearest whole number, by truncating where everything is positive: an integer at once, without a rounding call.
  const exponent = ((LOG2_E * value + 1_100.5) | 0) - 1_100;
  const high = value - exponent * LN2_HIGH;
  const low = exponent * LN2_LOW;
  const x = high - low;
  const t = x * x;
  const c =
    x -
    t *
      (0.16666666666666602 +
        t * (-0.0027777777777015593 + t * (0.00006613756321437934 + t * (-0.0000016533902205465252 + t * 4.1381367970572385e-8))));
  return (1 - (low - (x * c) / (2 - c) - high)) * (powers[POWER_BIAS + exponent] ?? NaN);
}

// The same three functions over a part of a column, in place: results that stay in a typed array are never boxed.

export function normalQuantiles(column: Float64Array, start: number, end: number): void {
  for (let index = start; index < end; index++) column[index] = normalQuantile(column[index] ?? NaN);
}

export function portableLogs(column: Float64Array, start: number, end: number): void {
  for (let index = start; index < end; index++) column[index] = portableLog(column[index] ?? NaN);
}

export function portableExps(column: Float64Array, start: number, end: number): void {
  for (let index = start; index < end; index++) column[index] = portableExp(column[index] ?? NaN);
}
