/** A first-in first-out buffer of bytes with a fixed depth; no allocation after its making. */
export class ByteRing {
  readonly #bytes: Uint8Array;
  #first = 0;
  #count = 0;

  /** Throws RangeError unless `depth` is a positive integer. */
  constructor(depth: number) {
    if (!Number.isInteger(depth) || depth < 1) throw new RangeError(`a FIFO of ${depth} bytes`);
    this.#bytes = new Uint8Array(depth);
  }

  get count(): number {
    return this.#count;
  }

  get full(): boolean {
    return this.#count === this.#bytes.length;
  }

  /** False, and nothing stored, when the buffer is full. */
  push(byte: number): boolean {
    if (this.full) return false;
    this.#bytes[(this.#first + this.#count) % this.#bytes.length] = byte;
    this.#count++;
    return true;
  }

  /** Null when the buffer is empty. */
  shift(): number | null {
    if (this.#count === 0) return null;
    const byte = this.#bytes[this.#first]!;
    this.#first = (this.#first + 1) % this.#bytes.length;
    this.#count--;
    return byte;
  }

  clear(): void {
    this.#count = 0;
  }
}
