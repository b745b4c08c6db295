// The files of an import, unpacked: what is gzipped or zipped is told by its first bytes, because a name may say anything.
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { BallastError } from '../../domain/errors.ts';
import { firstLine } from './duck.ts';

/** Reads a file: `push` its bytes in pieces of any length, then `end`. */
export interface Parser {
  push(piece: Uint8Array): void;
  end(): void | Promise<void>;
}

const PIECE_BYTES = 1 << 20;

export interface ReadFilesRequest {
  readonly files: readonly string[];
  /** @param path of the file, or of a file within an archive: `a.zip/a.csv` */
  readonly parserFor: (path: string, fileIndex: number) => Parser;
  /** Bytes of the files as they are on the disk. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** One file after the other; the files of an archive in its own order. @throws BallastError FILE_UNREADABLE, and what the parsers throw */
export async function readFiles({ files, parserFor, onProgress }: ReadFilesRequest): Promise<void> {
  if (files.length === 0) throw unreadable('data import', 'no file', 'at least one file');
  const sizes = await Promise.all(files.map(sizeOf));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let before = 0;
  for (const [index, path] of files.entries()) {
    await readFile(
      path,
      (name) => parserFor(name, index),
      (bytes) => onProgress?.(before + bytes, total),
    );
    before += sizes[index] ?? 0;
  }
}

async function readFile(path: string, parserFor: (path: string) => Parser, onBytes: (bytes: number) => void): Promise<void> {
  try {
    const packing = await packingOf(path);
    if (packing === 'zip') {
      await readArchive(path, parserFor, onBytes);
      return;
    }
    const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
    const read = readInto(parserFor(path), () => onBytes(file.bytesRead));
    if (packing === 'gzip') await pipeline(file, createGunzip({ chunkSize: PIECE_BYTES }), read);
    else await pipeline(file, read);
  } catch (error) {
    if (error instanceof BallastError) throw error;
    throw unreadable(path, firstLine(error, path), 'a whole file, plain, gzipped or zipped', error);
  }
}

async function readArchive(path: string, parserFor: (path: string) => Parser, onBytes: (bytes: number) => void): Promise<void> {
  const { openPromise } = await import('yauzl');
  const archive = await openPromise(path);
  let members = 0;
  let bytes = 0;
  try {
    for await (const entry of archive.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue;
      members += 1;
      await pipeline(
        await archive.openReadStreamPromise(entry),
        readInto(parserFor(`${path}/${entry.fileName}`), () => undefined),
      );
      bytes += entry.compressedSize;
      onBytes(bytes);
    }
  } finally {
    archive.close();
  }
  if (members === 0) throw unreadable(path, 'an empty archive', 'at least one file in it');
}

function readInto(parser: Parser, onPiece: () => void): (pieces: AsyncIterable<Uint8Array>) => Promise<void> {
  return async (pieces) => {
    for await (const piece of pieces) {
      parser.push(piece);
      onPiece();
    }
    await parser.end();
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw unreadable(path, firstLine(error, path), 'a file that can be read', error);
  }
}

async function packingOf(path: string): Promise<'gzip' | 'zip' | 'none'> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(new Uint8Array(2), 0, 2);
    const [first, second] = buffer;
    if (first === 0x1f && second === 0x8b) return 'gzip';
    return first === 0x50 && second === 0x4b ? 'zip' : 'none';
  } finally {
    await file.close();
  }
}

/** For formats that cannot be read before they are whole. */
export class WholeFile implements Parser {
  readonly #pieces: Uint8Array[] = [];
  readonly #read: (bytes: Buffer) => void | Promise<void>;

  constructor(read: (bytes: Buffer) => void | Promise<void>) {
    this.#read = read;
  }

  push(piece: Uint8Array): void {
    this.#pieces.push(piece);
  }

  end(): void | Promise<void> {
    return this.#read(Buffer.concat(this.#pieces));
  }
}

export function unreadable(path: string, found: string, expected: string, cause?: unknown): BallastError {
  return new BallastError({ code: 'FILE_UNREADABLE', place: path, found, expected, cause, exitCode: 2 });
}
