// Canonical bytes: one encoding for snapshots, for the state hash and for journal rows.
import { BallastError } from './errors.ts';
import { fromUnits, unitsOf, type Decimal } from './decimal.ts';

const INT64_MAX = 9_223_372_036_854_775_807n;
/** The least that is written in eight bytes. By name: a negation would make it anew each time. */
const INT64_LEAST = -9_223_372_036_854_775_807n;
const encoder = new TextEncoder();
const INT32_END = 2_147_483_648;
/** Characters from which on the encoder is faster than a loop: three times so at 240. */
const LONG_TEXT = 64;
/** From here to there a text may be one of the program's own, which come again and again. */
const SHORT_TEXT = 12;
/** By length: the last such text, and its bytes. A character of a string takes three times as long as a byte of an array. */
const lastTexts: string[] = Array.from({ length: LONG_TEXT + 1 }, () => '');
const lastBytes: readonly Uint8Array[] = Array.from({ length: LONG_TEXT + 1 }, (_, length) => new Uint8Array(length));
// A leading U+FEFF is a character of the text, not a mark of its encoding.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What holds state that must survive a restart and enter the state hash. `save` then `restore` changes nothing. */
export interface Stateful {
  save(out: ByteWriter): void;
  restore(from: ByteReader): void;
}

/** An append-only buffer that grows. Equal values give equal bytes in every process. */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 1024) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#length++] = value;
  }

  flag(value: boolean): void {
    this.byte(value ? 1 : 0);
  }

  /** Any double. Every NaN is written as the same NaN. */
  number(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#length, Number.isNaN(value) ? NaN : value, true);
    this.#length += 8;
  }

  /** A whole number from 0 to 2^53 - 1, in as few bytes as it needs. */
  count(value: number): void {
    this.#room(8);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = value;
    // In whole numbers of a machine, as nearly all are.
    for (; rest >= 128 && rest < INT32_END; rest >>= 7) bytes[at++] = (rest & 127) | 128;
    while (rest >= 128) {
      bytes[at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  decimal(value: Decimal): void {
    const units = unitsOf(value);
    if (units <= INT64_MAX && units >= INT64_LEAST) {
      this.#room(9);
      this.#bytes[this.#length] = 0;
      this.#view.setBigInt64(this.#length + 1, units, true);
      this.#length += 9;
      return;
    }
    this.byte(1);
    this.text(units.toString());
  }

  text(value: string): void {
    const { length } = value;
    this.#room(length * 3 + 8);
    // Plain ASCII, nearly always: as many bytes as characters.
    const start = this.#length;
    this.count(length);
    if (this.#ascii(value)) return;
    this.#length = start;
    const encoded = encoder.encode(value);
    this.count(encoded.length);
    this.#room(encoded.length);
    this.#bytes.set(encoded, this.#length);
    this.#length += encoded.length;
  }

  /** Writes the text if it is plain ASCII. Short ones by themselves: a call into the encoder costs more than they do. */
  #ascii(value: string): boolean {
    const { length } = value;
    const bytes = this.#bytes;
    let at = this.#length;
    if (length > LONG_TEXT) {
      if (encoder.encodeInto(value, bytes.subarray(at)).written !== length) return false;
      this.#length += length;
      return true;
    }
    if (length >= SHORT_TEXT) {
      const kept = lastBytes[length];
      if (kept === undefined || (lastTexts[length] !== value && !keep(value, kept))) return false;
      for (let index = 0; index < length; index++) bytes[at++] = kept[index] ?? 0;
    } else {
      for (let index = 0; index < length; index++) {
        const code = value.charCodeAt(index);
        if (code >= 128) return false;
        bytes[at++] = code;
      }
    }
    this.#length = at;
    return true;
  }

  numbers(values: Float64Array): void {
    this.count(values.length);
    this.#room(values.length * 8);
    for (let index = 0; index < values.length; index++) this.number(values[index] ?? NaN);
  }

  bytes(value: Uint8Array): void {
    this.count(value.length);
    this.append(value);
  }

  /** As they are, without their number: what another writer has made. */
  append(value: Uint8Array): void {
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** A view of what was written. Valid until the next write or clear. */
  view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

/** The last text of its length, if it is plain ASCII. */
function keep(text: string, bytes: Uint8Array): boolean {
  const { length } = text;
  lastTexts[length] = '';
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 128) return false;
    bytes[index] = code;
  }
  lastTexts[length] = text;
  return true;
}

/** Reads what a ByteWriter wrote, in the same order. @throws BallastError BYTES_TRUNCATED */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#at;
  }
  get ended(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    this.#need(1);
    return this.#bytes[this.#at++] ?? 0;
  }

  flag(): boolean {
    return this.byte() === 1;
  }

  number(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  count(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const part = this.byte();
      value += (part & 127) * scale;
      if (part < 128) return value;
      scale *= 128;
    }
  }

  decimal<D extends Decimal>(): D {
    if (this.byte() === 1) return fromUnits<D>(BigInt(this.text()));
    this.#need(8);
    const units = this.#view.getBigInt64(this.#at, true);
    this.#at += 8;
    return fromUnits<D>(units);
  }

  text(): string {
    return decoder.decode(this.#take(this.count()));
  }

  numbers(into?: Float64Array): Float64Array {
    const length = this.count();
    this.#need(length * 8);
    const values = into ?? new Float64Array(length);
    if (values.length !== length) this.#broken(`${length} numbers`, `${values.length}`);
    for (let index = 0; index < length; index++) values[index] = this.number();
    return values;
  }

  bytes(): Uint8Array {
    return this.#take(this.count()).slice();
  }

  #take(length: number): Uint8Array {
    this.#need(length);
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #need(length: number): void {
    if (this.#at + length > this.#bytes.length) this.#broken(`${this.#bytes.length - this.#at} bytes left`, `${length}`);
  }

  #broken(found: string, expected: string): never {
    throw new BallastError({
      code: 'BYTES_TRUNCATED',
      place: `byte ${this.#at}`,
      found,
      expected,
      remedy: 'the record is damaged or of another version',
    });
  }
}

/** Records are put aside once there are so many bytes of them. */
const PAGE_BYTES = 1 << 18;

/**
 * Many small records, written at the end and read from the beginning. A single buffer would be copied each time it grew, and what it leaves
 * behind brings the garbage collector.
 */
export class RecordBytes {
  readonly #pages: Uint8Array[] = [];
  readonly #last = new ByteWriter();

  /** Where the next record is written, the whole of it. */
  next(): ByteWriter {
    if (this.#last.length >= PAGE_BYTES) {
      this.#pages.push(this.#last.view().slice());
      this.#last.clear();
    }
    return this.#last;
  }

  /** One after the other: each ends with a record. What is written meanwhile may not be among them. */
  *readers(): Generator<ByteReader, void> {
    for (const page of this.#pages) yield new ByteReader(page);
    yield new ByteReader(this.#last.view().slice());
  }
}
