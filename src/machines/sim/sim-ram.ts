import type { Ram } from '../../kernel/index.ts';

/** Where memory above 4 GiB begins; what lies between RAM below and here is for cards. */
export const HIGH_RAM_START = 0x1_0000_0000;
/** High memory exists in the host in blocks of this size, made when first touched. */
const BLOCK_BYTES = 0x10_0000;

/** A WebAssembly.Memory, or anything else that holds an ArrayBuffer; it must not grow while the machine uses it. */
export interface RamHolder {
  readonly buffer: ArrayBufferLike;
}

/**
 * RAM of a simulated machine: one buffer from address 0 on, so that windows on it need no copy, and, when asked for, a second, sparse
 * range from 4 GiB on, whose blocks exist only where something was written.
 */
export class SimRam implements Ram {
  readonly ranges: readonly { readonly start: number; readonly length: number }[];
  readonly #low: Uint8Array;
  readonly #lowView: DataView;
  readonly #lowBytes: number;
  readonly #highBytes: number;
  readonly #blocks = new Map<number, Uint8Array>();
  readonly #scratch = new Uint8Array(4);

  /**
   * @param low the buffer for memory from address 0 on, or its size in bytes
   * @param highBytes bytes of memory from 4 GiB on
   */
  constructor(low: RamHolder | ArrayBufferLike | number, highBytes = 0) {
    const buffer = typeof low === 'number' ? new ArrayBuffer(low) : 'buffer' in low ? low.buffer : low;
    this.#low = new Uint8Array(buffer);
    this.#lowView = new DataView(buffer);
    this.#lowBytes = buffer.byteLength;
    this.#highBytes = highBytes;
    const ranges = [{ start: 0, length: this.#lowBytes }];
    if (highBytes > 0) ranges.push({ start: HIGH_RAM_START, length: highBytes });
    this.ranges = ranges;
  }

  /** Bytes of memory below 4 GiB. */
  get lowBytes(): number {
    return this.#lowBytes;
  }

  /** Is every byte of the range RAM? */
  contains(physicalAddress: number, length: number): boolean {
    if (physicalAddress < 0) return false;
    const end = physicalAddress + length;
    return (
      end <= this.#lowBytes || (physicalAddress >= HIGH_RAM_START && end <= HIGH_RAM_START + this.#highBytes)
    );
  }

  read(physicalAddress: number, into: Uint8Array): void {
    const end = physicalAddress + into.length;
    if (physicalAddress >= 0 && end <= this.#lowBytes) {
      into.set(this.#low.subarray(physicalAddress, end));
      return;
    }
    this.#eachBlock(physicalAddress, into.length, (index, start, at, length) => {
      const block = this.#blocks.get(index);
      if (block) into.set(block.subarray(start, start + length), at);
      else into.fill(0, at, at + length);
    });
  }

  write(physicalAddress: number, from: Uint8Array): void {
    if (physicalAddress >= 0 && physicalAddress + from.length <= this.#lowBytes) {
      this.#low.set(from, physicalAddress);
      return;
    }
    this.#eachBlock(physicalAddress, from.length, (index, start, at, length) => {
      this.#block(index).set(from.subarray(at, at + length), start);
    });
  }

  fill(physicalAddress: number, length: number, value: number): void {
    if (physicalAddress >= 0 && physicalAddress + length <= this.#lowBytes) {
      this.#low.fill(value, physicalAddress, physicalAddress + length);
      return;
    }
    this.#eachBlock(physicalAddress, length, (index, start, _at, part) => {
      // Zeros over nothing are still nothing.
      if (value !== 0 || this.#blocks.has(index)) this.#block(index).fill(value, start, start + part);
    });
  }

  readUlong(physicalAddress: number): number {
    if (physicalAddress >= 0 && physicalAddress + 4 <= this.#lowBytes) {
      return this.#lowView.getUint32(physicalAddress, true);
    }
    const bytes = this.#scratch;
    this.read(physicalAddress, bytes);
    return (
      ((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16) | ((bytes[3] ?? 0) << 24)) >>> 0
    );
  }

  writeUlong(physicalAddress: number, value: number): void {
    if (physicalAddress >= 0 && physicalAddress + 4 <= this.#lowBytes) {
      this.#lowView.setUint32(physicalAddress, value, true);
      return;
    }
    const bytes = this.#scratch;
    for (let i = 0; i < 4; i++) bytes[i] = value >>> (8 * i);
    this.write(physicalAddress, bytes);
  }

  /** See {@link Ram.view}. In high memory null for a range that crosses a multiple of 1 MiB. */
  view(physicalAddress: number, length: number): Uint8Array | null {
    if (physicalAddress >= 0 && physicalAddress + length <= this.#lowBytes) {
      return this.#low.subarray(physicalAddress, physicalAddress + length);
    }
    this.#requireHigh(physicalAddress, length);
    const offset = physicalAddress - HIGH_RAM_START;
    const index = Math.floor(offset / BLOCK_BYTES);
    const start = offset - index * BLOCK_BYTES;
    return start + length <= BLOCK_BYTES ? this.#block(index).subarray(start, start + length) : null;
  }

  #requireHigh(physicalAddress: number, length: number): void {
    if (physicalAddress < HIGH_RAM_START || physicalAddress + length > HIGH_RAM_START + this.#highBytes) {
      throw new RangeError(`No RAM at 0x${physicalAddress.toString(16)}, ${length} bytes.`);
    }
  }

  #eachBlock(
    physicalAddress: number,
    length: number,
    visit: (index: number, start: number, at: number, length: number) => void,
  ): void {
    this.#requireHigh(physicalAddress, length);
    let offset = physicalAddress - HIGH_RAM_START;
    for (let at = 0; at < length; ) {
      const index = Math.floor(offset / BLOCK_BYTES);
      const start = offset - index * BLOCK_BYTES;
      const part = Math.min(length - at, BLOCK_BYTES - start);
      visit(index, start, at, part);
      at += part;
      offset += part;
    }
  }

  #block(index: number): Uint8Array {
    let block = this.#blocks.get(index);
    if (!block) {
      block = new Uint8Array(BLOCK_BYTES);
      this.#blocks.set(index, block);
    }
    return block;
  }
}
