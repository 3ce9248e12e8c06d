import type { PcmReader, PcmWriter } from '../pcm.ts';
import type { ClientProcess } from '../requests/client-process.ts';

/**
 * Memory of the process through which sound is exchanged with a driver: the driver's cyclic buffer, mapped, or the client's own.
 * Where the machine can give the bytes themselves, sound goes straight between source and buffer; otherwise through one block and the process's memory functions.
 */
export class ClientBuffer {
  readonly byteLength: number;
  readonly #process: ClientProcess;
  readonly #address: number;
  /** The mapped bytes, or the block that stands in for them. */
  readonly #bytes: Uint8Array;
  readonly #mapped: boolean;

  constructor(process: ClientProcess, address: number, byteLength: number) {
    this.byteLength = byteLength;
    this.#process = process;
    this.#address = address;
    const view = process.memoryView(address, byteLength);
    this.#mapped = view !== null;
    this.#bytes = view ?? new Uint8Array(byteLength);
  }

  /** Lets `source` write up to `byteLength` bytes from `at` on; they must not pass the end. Returns how many it gave. */
  fillFrom(source: PcmReader, at: number, byteLength: number): number {
    const got = source.read(this.#bytes, at, byteLength);
    this.#commit(at, got);
    return got;
  }

  /** Writes the same byte over a piece. */
  fill(value: number, at: number, byteLength: number): void {
    this.#bytes.fill(value, at, at + byteLength);
    this.#commit(at, byteLength);
  }

  /** Gives a piece to `sink`; it must not pass the end. */
  drainTo(sink: PcmWriter, at: number, byteLength: number): void {
    if (byteLength === 0) return;
    if (!this.#mapped) {
      this.#process.readMemory(this.#address + at, this.#bytes.subarray(at, at + byteLength));
    }
    sink.write(this.#bytes, at, byteLength);
  }

  #commit(at: number, byteLength: number): void {
    if (this.#mapped || byteLength === 0) return;
    this.#process.writeMemory(this.#address + at, this.#bytes.subarray(at, at + byteLength));
  }
}
