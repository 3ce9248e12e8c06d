import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { Ram } from '../../kernel/index.ts';

/** Below 1 MiB lie the VGA window and shadowed firmware: RAM begins above. */
const FIRST_USABLE = 0x10_0000;
const FILL_BLOCK_BYTES = 64 * 1024;

/**
 * Guest RAM as the file that QEMU shares (memory-backend-file, share=on): the file's offset is the physical address. Reads and
 * writes are plain file accesses on a memory file system, under a microsecond for a page.
 */
export class SharedRam implements Ram {
  readonly ranges: readonly { readonly start: number; readonly length: number }[];
  readonly #fd: number;
  readonly #word = new Uint8Array(4);
  readonly #wordView = new DataView(this.#word.buffer);

  constructor(path: string, byteLength: number) {
    this.#fd = openSync(path, 'r+');
    this.ranges = [{ start: FIRST_USABLE, length: byteLength - FIRST_USABLE }];
  }

  read(physicalAddress: number, into: Uint8Array): void {
    this.#check(physicalAddress, into.byteLength);
    readSync(this.#fd, into, 0, into.byteLength, physicalAddress);
  }

  write(physicalAddress: number, from: Uint8Array): void {
    this.#check(physicalAddress, from.byteLength);
    writeSync(this.#fd, from, 0, from.byteLength, physicalAddress);
  }

  fill(physicalAddress: number, length: number, value: number): void {
    this.#check(physicalAddress, length);
    const block = new Uint8Array(Math.min(length, FILL_BLOCK_BYTES)).fill(value);
    for (let done = 0; done < length; done += block.byteLength) {
      writeSync(this.#fd, block, 0, Math.min(block.byteLength, length - done), physicalAddress + done);
    }
  }

  readUlong(physicalAddress: number): number {
    this.read(physicalAddress, this.#word);
    return this.#wordView.getUint32(0, true);
  }

  writeUlong(physicalAddress: number, value: number): void {
    this.#wordView.setUint32(0, value, true);
    this.write(physicalAddress, this.#word);
  }

  /** The bytes live in a file: there is no window on them. */
  view(): null {
    return null;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #check(start: number, length: number): void {
    for (const range of this.ranges) {
      if (start >= range.start && start + length <= range.start + range.length) return;
    }
    throw new RangeError(`Physical addresses 0x${start.toString(16)}+0x${length.toString(16)} are not RAM.`);
  }
}
