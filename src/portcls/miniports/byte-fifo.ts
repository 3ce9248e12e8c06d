/** A first-in first-out buffer of bytes between an interrupt routine and everybody else: one side puts, the other takes. */
export class ByteFifo {
  readonly #bytes: Uint8Array;
  #first = 0;
  #count = 0;

  constructor(depth: number) {
    this.#bytes = new Uint8Array(depth);
  }

  get count(): number {
    return this.#count;
  }

  get room(): number {
    return this.#bytes.length - this.#count;
  }

  /** False, and nothing stored, when it is full. */
  put(byte: number): boolean {
    if (this.room === 0) return false;
    this.#bytes[(this.#first + this.#count) % this.#bytes.length] = byte;
    this.#count++;
    return true;
  }

  /** Null when it is empty. */
  take(): number | null {
    if (this.#count === 0) return null;
    const byte = this.#bytes[this.#first] as number;
    this.#first = (this.#first + 1) % this.#bytes.length;
    this.#count--;
    return byte;
  }

  clear(): void {
    this.#count = 0;
  }
}
