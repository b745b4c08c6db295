// Rows that are durable beside the journal because somebody else holds its file: appended here, one wait for the disk each, until the file is free
// and takes them over. Whoever opens the journal reads both.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, existsSync, fdatasyncSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { syncFolder } from './sync-folder.ts';

/** Rows that were written in one go. */
export interface Frame {
  /** Rows before it. */
  readonly first: number;
  readonly rows: number;
  /** SHA-256 of all row bytes from the beginning of the journal to the end of these. */
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface AheadDamage {
  readonly place: string;
  readonly found: string;
  readonly expected: string;
}

/** `BALF`. */
const MAGIC = 0x42414c46;
const DIGEST_BYTES = 32;
const SEAL_BYTES = 8;
/** Magic, length of the rows, rows before them, rows, digest; and a seal over those. */
const HEAD_BYTES = 4 + 4 + 8 + 4 + DIGEST_BYTES;
const FRAME_BYTES = HEAD_BYTES + SEAL_BYTES;

export function aheadPath(journalPath: string): string {
  return `${journalPath}-ahead`;
}

/** What of the file is to be believed. */
export interface Ahead {
  readonly frames: readonly Frame[];
  /** From its beginning, to the end of the last frame that is whole. */
  readonly soundBytes: number;
  readonly damage: AheadDamage | undefined;
}

/** Appends frames; every one is on the disk when `append` returns. */
export class AheadFile {
  readonly #path: string;
  #descriptor: number | undefined;
  /** Frames in it, also those that the journal has taken over. */
  #bytes: number;

  /** @param soundBytes what follows them is overwritten */
  constructor(path: string, soundBytes: number) {
    this.#path = path;
    this.#bytes = soundBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append({ first, rows, digest, bytes }: Frame): void {
    const frame = Buffer.alloc(FRAME_BYTES + bytes.length);
    frame.writeUInt32LE(MAGIC, 0);
    frame.writeUInt32LE(bytes.length, 4);
    frame.writeDoubleLE(first, 8);
    frame.writeUInt32LE(rows, 16);
    frame.set(digest, 20);
    frame.set(sealOf(frame), HEAD_BYTES);
    frame.set(bytes, FRAME_BYTES);
    const descriptor = this.#open();
    let written = 0;
    while (written < frame.length) written += writeSync(descriptor, frame, written, frame.length - written, this.#bytes + written);
    fdatasyncSync(descriptor);
    this.#bytes += frame.length;
  }

  /** The journal has taken all of it over. */
  clear(): void {
    if (this.#bytes > 0) ftruncateSync(this.#open(), 0);
    this.#bytes = 0;
  }

  close(): void {
    if (this.#descriptor === undefined) return;
    closeSync(this.#descriptor);
    if (this.#bytes === 0) rmSync(this.#path, { force: true });
    this.#descriptor = undefined;
  }

  #open(): number {
    if (this.#descriptor !== undefined) return this.#descriptor;
    const isNew = !existsSync(this.#path);
    this.#descriptor = openSync(this.#path, isNew ? 'w' : 'r+');
    if (isNew) syncFolder(this.#path);
    ftruncateSync(this.#descriptor, this.#bytes);
    return this.#descriptor;
  }
}

/** The file's content, empty where there is none: to be read before the journal is, so that what that takes over meanwhile is passed over. */
export function readAhead(path: string): Buffer {
  return existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
}

/**
 * The frames that follow `rows` rows whose bytes have this digest. Those that the journal has taken over are passed over, and so is an end that a
 * kill tore: nobody was told that it was written.
 */
export function verifyAhead(path: string, file: Buffer, rows: number, hash: Hash): Ahead {
  const frames: Frame[] = [];
  let running = hash;
  let next = rows;
  let at = 0;
  while (at < file.length) {
    const broken = (found: string, expected: string): Ahead => {
      return { frames, soundBytes: at, damage: { place: `${path}, byte ${at}`, found, expected } };
    };
    const head = file.subarray(at, at + FRAME_BYTES);
    // Where a machine stopped, the length of a file may be there before its content.
    if (head.length < FRAME_BYTES || head.every((byte) => byte === 0)) break;
    if (head.readUInt32LE(0) !== MAGIC || !sealOf(head).equals(head.subarray(HEAD_BYTES)))
      return broken('the head of a block that does not match its seal', 'a head as it was written');
    const end = at + FRAME_BYTES + head.readUInt32LE(4);
    if (end > file.length) break;
    const frame = {
      first: head.readDoubleLE(8),
      rows: head.readUInt32LE(16),
      digest: head.subarray(20, HEAD_BYTES),
      bytes: file.subarray(at + FRAME_BYTES, end),
    };
    if (frame.first + frame.rows > rows) {
      if (frame.first !== next) return broken(`a block that begins at row ${frame.first + 1}`, `one that begins at row ${next + 1}`);
      const after = running.copy().update(frame.bytes);
      if (!after.copy().digest().equals(frame.digest)) {
        // The last one may have been torn.
        if (end === file.length) break;
        return broken('rows that do not match their digest', 'rows as they were written');
      }
      frames.push(frame);
      next += frame.rows;
      running = after;
    }
    at = end;
  }
  return { frames, soundBytes: at, damage: undefined };
}

function sealOf(frame: Buffer): Buffer {
  return createHash('sha256').update(frame.subarray(0, HEAD_BYTES)).digest().subarray(0, SEAL_BYTES);
}
