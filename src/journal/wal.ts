// Reads SQLite's write-ahead log beside a journal, as bytes. SQLite itself stops at the first frame that does not verify and
// drops the rest without a word: right for a write that a kill cut short, wrong for commits that stood behind a flipped bit.
import { existsSync, readFileSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC_LITTLE_ENDIAN = 0x377f0682;
const MAGIC_BIG_ENDIAN = 0x377f0683;
/** Where a process is writing the log, it looks different each time; then nothing of it has been lost. */
const LOOKS = 10;

export interface LogDamage {
  readonly place: string;
  readonly found: string;
  readonly expected: string;
}

/** What a log would silently lose: undefined where everything up to a torn end verifies, or where there is no log. */
export function inspectLog(path: string): LogDamage | undefined {
  const log = `${path}-wal`;
  let before: Buffer | undefined;
  for (let look = 0; look < LOOKS && existsSync(log); look++) {
    const bytes = readFileSync(log);
    const damage = findDamage(log, bytes);
    if (damage === undefined || before?.equals(bytes) === true) return damage;
    before = bytes;
  }
  return undefined;
}

function findDamage(place: string, bytes: Buffer): LogDamage | undefined {
  // Written first and in one piece: without it there is no commit yet.
  if (bytes.length < HEADER_BYTES + FRAME_HEADER_BYTES) return undefined;
  const magic = bytes.readUInt32BE(0);
  const pageBytes = bytes.readUInt32BE(8);
  const sum = new Checksum(bytes, magic === MAGIC_BIG_ENDIAN);
  sum.add(0, 24);
  const isHeaderSound = (magic === MAGIC_LITTLE_ENDIAN || magic === MAGIC_BIG_ENDIAN) && sum.equalsAt(24);
  if (!isHeaderSound) {
    return {
      place,
      found: 'a header that does not verify',
      expected: `the header of a SQLite log before its ${bytes.length - HEADER_BYTES} bytes of commits`,
    };
  }
  const frameBytes = FRAME_HEADER_BYTES + pageBytes;
  const frames = Math.floor((bytes.length - HEADER_BYTES) / frameBytes);
  let broken = -1;
  for (let frame = 0; frame < frames; frame++) {
    const at = HEADER_BYTES + frame * frameBytes;
    // Frames of an earlier round of the log stay behind the current ones, under other salts.
    const isCurrent = bytes.compare(bytes, 16, 24, at + 8, at + 16) === 0;
    if (broken >= 0) {
      const isCommit = bytes.readUInt32BE(at + 4) !== 0;
      if (isCurrent && isCommit) {
        return {
          place,
          found: `frame ${broken + 1} of ${frames} does not verify`,
          expected: `sound frames up to the commit in frame ${frame + 1}`,
        };
      }
      continue;
    }
    if (isCurrent) {
      sum.add(at, 8);
      sum.add(at + FRAME_HEADER_BYTES, pageBytes);
    }
    if (!isCurrent || !sum.equalsAt(at + 16)) broken = frame;
  }
  return undefined;
}

/** SQLite's running checksum over pairs of 32-bit words. */
class Checksum {
  readonly #bytes: Buffer;
  readonly #isBigEndian: boolean;
  #first = 0;
  #second = 0;

  constructor(bytes: Buffer, isBigEndian: boolean) {
    this.#bytes = bytes;
    this.#isBigEndian = isBigEndian;
  }

  add(from: number, length: number): void {
    const bytes = this.#bytes;
    let first = this.#first;
    let second = this.#second;
    for (let at = from; at < from + length; at += 8) {
      first = (first + (this.#isBigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)) + second) >>> 0;
      second = (second + (this.#isBigEndian ? bytes.readUInt32BE(at + 4) : bytes.readUInt32LE(at + 4)) + first) >>> 0;
    }
    this.#first = first;
    this.#second = second;
  }

  equalsAt(at: number): boolean {
    return this.#bytes.readUInt32BE(at) === this.#first && this.#bytes.readUInt32BE(at + 4) === this.#second;
  }
}
