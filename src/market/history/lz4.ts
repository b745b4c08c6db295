// The LZ4 frame format, unpacking only: how pyarrow, and so freqtrade, packs feather files by default. Node has no LZ4 of its own.
// https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md and lz4_Block_format.md. Frames may follow each other. The checksums of
// blocks and contents are not looked at: Arrow's frames have none.

const FRAME = 0x184d2204;
const STORED = 0x8000_0000;

/** @throws RangeError when the bytes are no whole frames */
export function unpackLz4(packed: Uint8Array): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const output = new GrowingBytes(packed.length * 4);
  let at = 0;
  while (at < packed.length) {
    if (view.getUint32(at, true) !== FRAME) throw new RangeError('no LZ4 frame');
    const flags = view.getUint8(at + 4);
    const [hasBlockChecksums, hasSize, hasChecksum, hasDictionary] = [flags & 16, flags & 8, flags & 4, flags & 1].map(
      (flag) => flag !== 0,
    );
    if (hasDictionary === true) throw new RangeError('an LZ4 frame with a dictionary of its own');
    at += hasSize === true ? 15 : 7;
    for (let size = view.getUint32(at, true); size !== 0; size = view.getUint32(at, true)) {
      at += 4;
      const bytes = size & ~STORED;
      if (at + bytes > packed.length) throw new RangeError('an LZ4 block that ends too early');
      const block = packed.subarray(at, at + bytes);
      if ((size & STORED) !== 0) output.append(block);
      else unpackBlock(block, output);
      at += bytes + (hasBlockChecksums === true ? 4 : 0);
    }
    at += hasChecksum === true ? 8 : 4;
  }
  return output.bytes();
}

/** Sequences of literals and of copies of what was written before, which may reach into the block before. */
function unpackBlock(block: Uint8Array, output: GrowingBytes): void {
  let at = 0;
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    for (let byte = 255; byte === 255; length += byte) byte = block[at++] ?? 0;
    return length;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = lengthFrom(token >> 4);
    if (at + literals > block.length) throw new RangeError('an LZ4 block that ends in its literals');
    output.append(block.subarray(at, at + literals));
    at += literals;
    if (at >= block.length) return;
    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    output.repeat(distance, lengthFrom(token & 15) + 4);
  }
}

class GrowingBytes {
  #bytes: Uint8Array;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(Math.max(64, capacity));
  }

  append(piece: Uint8Array): void {
    this.#reserve(piece.length);
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** Copies `count` bytes from `distance` back, which may overlap what is being written. */
  repeat(distance: number, count: number): void {
    const from = this.#length - distance;
    if (distance === 0 || from < 0) throw new RangeError('an LZ4 block that copies from before its beginning');
    this.#reserve(count);
    if (distance >= count) this.#bytes.copyWithin(this.#length, from, from + count);
    else for (let index = 0; index < count; index += 1) this.#bytes[this.#length + index] = this.#bytes[from + index] ?? 0;
    this.#length += count;
  }

  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
