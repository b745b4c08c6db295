// The messages of one book, recorded: an append-only file of frames. A frame is the length of a message, the message, and a CRC-32 of
// both, so that what a killed writer left unfinished is seen and cut off. Bytes only: who writes them knows the files.
import { crc32 } from 'node:zlib';
import { ByteReader, ByteWriter } from '../../domain/bytes.ts';
import type { BookMessage } from '../../domain/book.ts';
import { BallastError } from '../../domain/errors.ts';
import { decodeBookMessage, emptyBookMessage, encodeBookMessage } from './book-message.ts';

const MAGIC = 'BALLBOOK';
export const BOOK_TAPE_VERSION = 1;
const HEADER_BYTES = MAGIC.length + 1;
const CHECK_BYTES = 4;

/** What a tape begins with. */
export function bookTapeHeader(): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(HEADER_BYTES);
  for (let index = 0; index < MAGIC.length; index++) header[index] = MAGIC.charCodeAt(index);
  header[MAGIC.length] = BOOK_TAPE_VERSION;
  return header;
}

/** Makes frames. The writer is the caller's: it says when what has gathered there goes to the file, and clears it. */
export class BookTapeEncoder {
  readonly #payload = new ByteWriter();

  append(out: ByteWriter, message: BookMessage): void {
    const payload = this.#payload;
    payload.clear();
    encodeBookMessage(payload, message);
    const start = out.length;
    out.bytes(payload.view());
    const check = crc32(out.view().subarray(start));
    for (let shift = 0; shift < 32; shift += 8) out.byte((check >>> shift) & 255);
  }
}

/** Reads a tape, as much of it as is whole. */
export class BookTapeReader {
  readonly #bytes: Uint8Array;
  readonly #message = emptyBookMessage();
  #cleanBytes = HEADER_BYTES;

  /** @throws BallastError TAPE_VERSION */
  constructor(bytes: Uint8Array, place = 'book tape') {
    this.#bytes = bytes;
    const expected = bookTapeHeader();
    const found = bytes.subarray(0, HEADER_BYTES);
    if (found.length === HEADER_BYTES && found.every((byte, index) => byte === expected[index])) return;
    throw new BallastError({
      code: 'TAPE_VERSION',
      place,
      found: JSON.stringify(String.fromCharCode(...found)),
      expected: `${MAGIC} and version ${BOOK_TAPE_VERSION}`,
    });
  }

  /** Bytes of the header and of all messages read so far: where a tape that is torn is to be cut. */
  get cleanBytes(): number {
    return this.#cleanBytes;
  }

  /** After the last message: whether bytes are left that are no whole frame. */
  get isTorn(): boolean {
    return this.#cleanBytes < this.#bytes.length;
  }

  /** The next message, reused for the one after; undefined at the end, and at the first frame that is not whole. */
  next(): BookMessage | undefined {
    const start = this.#cleanBytes;
    const end = frameEnd(this.#bytes, start);
    if (end === undefined) return undefined;
    const frame = new ByteReader(this.#bytes.subarray(start, end));
    frame.count();
    decodeBookMessage(frame, this.#message);
    this.#cleanBytes = end + CHECK_BYTES;
    return this.#message;
  }
}

/** Where the message of the frame at `start` ends; undefined when there is no whole frame. */
function frameEnd(bytes: Uint8Array, start: number): number | undefined {
  let length = 0;
  let scale = 1;
  let at = start;
  for (;;) {
    const part = bytes[at++];
    if (part === undefined || scale > Number.MAX_SAFE_INTEGER) return undefined;
    length += (part & 127) * scale;
    if (part < 128) break;
    scale *= 128;
  }
  const end = at + length;
  if (length === 0 || end + CHECK_BYTES > bytes.length) return undefined;
  let check = 0;
  for (let index = 0; index < CHECK_BYTES; index++) check |= (bytes[end + index] ?? 0) << (8 * index);
  return crc32(bytes.subarray(start, end)) === check >>> 0 ? end : undefined;
}
