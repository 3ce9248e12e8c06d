/** Bytes to read a file from; the owner (command line, page, test) says where they lie. */
export interface ByteSource {
  /** Length in bytes, or null when it is not known: a pipe. Then positions are asked for in rising order only. */
  readonly byteLength: number | null;
  /** Puts up to `byteLength` bytes from `position` on into `into` at `byteOffset`; returns how many, 0 at the end. */
  read(position: number, into: Uint8Array, byteOffset: number, byteLength: number): number;
}

/** Bytes to write a file to. */
export interface ByteSink {
  /** False for a pipe: then `position` only ever grows, and headers stay as they were written first. */
  readonly seekable: boolean;
  write(position: number, from: Uint8Array, byteOffset: number, byteLength: number): void;
}

/** A file in memory. */
export class MemoryByteSource implements ByteSource {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get byteLength(): number {
    return this.#bytes.byteLength;
  }

  read(position: number, into: Uint8Array, byteOffset: number, byteLength: number): number {
    if (position >= this.#bytes.byteLength) return 0;
    const piece = this.#bytes.subarray(position, position + byteLength);
    into.set(piece, byteOffset);
    return piece.byteLength;
  }
}

/** A file in memory, growing as it is written. */
export class MemoryByteSink implements ByteSink {
  readonly seekable: boolean;
  #bytes = new Uint8Array(4096);
  #length = 0;

  constructor(options: { readonly seekable?: boolean } = {}) {
    this.seekable = options.seekable ?? true;
  }

  /** What was written; a view, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  write(position: number, from: Uint8Array, byteOffset: number, byteLength: number): void {
    const end = position + byteLength;
    if (end > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(end, this.#bytes.byteLength * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(from.subarray(byteOffset, byteOffset + byteLength), position);
    this.#length = Math.max(this.#length, end);
  }
}
