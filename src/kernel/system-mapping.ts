/** Pages as kernel code sees them: at a system address, readable and writable through typed accessors. */
import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { type MDL, PAGE_SIZE } from './mdl.ts';
import type { Platform } from './platform.ts';

/** A run of physically contiguous bytes within a mapping. */
interface Segment {
  /** Offset of the run's first byte in the mapping. */
  readonly offset: number;
  readonly physical: number;
  readonly length: number;
}

/**
 * A mapping of physical pages into system space, contiguous in `virtualAddress` whether or not the pages are. An access outside
 * it, or after it was unmapped, is the bugcheck PAGE_FAULT_IN_NONPAGED_AREA. Accessors may be used at any IRQL.
 */
export class SystemMapping {
  /** System address of the first byte. */
  readonly virtualAddress: number;
  readonly byteLength: number;
  /** The MDL whose pages these are; null for contiguous memory. */
  readonly mdl: MDL | null;
  /** Pages are device registers, not RAM: accesses go to the bus, in the width of the accessor. */
  readonly isIoSpace: boolean;
  readonly #platform: Platform;
  readonly #segments: readonly Segment[];
  #bytes: Uint8Array | null;
  #data: DataView | null;
  #mapped = true;
  readonly #scratch = new Uint8Array(4);

  /** For the memory manager alone. */
  constructor(
    platform: Platform,
    pages: readonly number[],
    byteOffset: number,
    byteLength: number,
    virtualAddress: number,
    mdl: MDL | null,
    isIoSpace: boolean,
  ) {
    this.virtualAddress = virtualAddress;
    this.byteLength = byteLength;
    this.mdl = mdl;
    this.isIoSpace = isIoSpace;
    this.#platform = platform;
    this.#segments = segmentsOf(pages, byteOffset, byteLength);
    const only = this.#segments[0];
    this.#bytes =
      isIoSpace || only === undefined || this.#segments.length !== 1
        ? null
        : platform.ram.view(only.physical, only.length);
    this.#data =
      this.#bytes === null
        ? null
        : new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
  }

  /** False after it was unmapped. */
  get isMapped(): boolean {
    return this.#mapped;
  }

  /** Physically contiguous from first to last byte. */
  get isContiguous(): boolean {
    return this.#segments.length <= 1;
  }

  /** For the memory manager alone: accesses from now on are page faults. */
  invalidate(): void {
    this.#mapped = false;
    this.#bytes = null;
    this.#data = null;
  }

  /** The physical address of the byte at `offset`. */
  physicalAddress(offset: number): number {
    const segment = this.#segmentAt(offset, 1, 'physicalAddress');
    return segment.physical + (offset - segment.offset);
  }

  readUchar(offset: number): number {
    const data = this.#data;
    return data !== null && offset >= 0 && offset < this.byteLength
      ? data.getUint8(offset)
      : this.#readSlow(offset, 1);
  }

  readUshort(offset: number): number {
    const data = this.#data;
    return data !== null && offset >= 0 && offset + 2 <= this.byteLength
      ? data.getUint16(offset, true)
      : this.#readSlow(offset, 2);
  }

  readUlong(offset: number): number {
    const data = this.#data;
    return data !== null && offset >= 0 && offset + 4 <= this.byteLength
      ? data.getUint32(offset, true)
      : this.#readSlow(offset, 4);
  }

  writeUchar(offset: number, value: number): void {
    const data = this.#data;
    if (data !== null && offset >= 0 && offset < this.byteLength) data.setUint8(offset, value);
    else this.#writeSlow(offset, 1, value);
  }

  writeUshort(offset: number, value: number): void {
    const data = this.#data;
    if (data !== null && offset >= 0 && offset + 2 <= this.byteLength) data.setUint16(offset, value, true);
    else this.#writeSlow(offset, 2, value);
  }

  writeUlong(offset: number, value: number): void {
    const data = this.#data;
    if (data !== null && offset >= 0 && offset + 4 <= this.byteLength) data.setUint32(offset, value, true);
    else this.#writeSlow(offset, 4, value);
  }

  /** Copies `into.length` bytes from `offset`. */
  read(offset: number, into: Uint8Array): void {
    const bytes = this.#bytes;
    if (bytes !== null && offset >= 0 && offset + into.length <= this.byteLength) {
      into.set(bytes.subarray(offset, offset + into.length));
      return;
    }
    this.#eachRun(offset, into.length, 'read', (physical, at, length) => {
      if (this.isIoSpace) readIoBytes(this.#platform, physical, into.subarray(at, at + length));
      else this.#platform.ram.read(physical, into.subarray(at, at + length));
    });
  }

  /** Copies all of `from` to `offset`. */
  write(offset: number, from: Uint8Array): void {
    const bytes = this.#bytes;
    if (bytes !== null && offset >= 0 && offset + from.length <= this.byteLength) {
      bytes.set(from, offset);
      return;
    }
    this.#eachRun(offset, from.length, 'write', (physical, at, length) => {
      if (this.isIoSpace) writeIoBytes(this.#platform, physical, from.subarray(at, at + length));
      else this.#platform.ram.write(physical, from.subarray(at, at + length));
    });
  }

  /** Sets `length` bytes from `offset` to `value`. */
  fill(offset: number, length: number, value: number): void {
    const bytes = this.#bytes;
    if (bytes !== null && offset >= 0 && offset + length <= this.byteLength) {
      bytes.fill(value, offset, offset + length);
      return;
    }
    this.#eachRun(offset, length, 'fill', (physical, _at, run) => {
      if (this.isIoSpace) writeIoBytes(this.#platform, physical, new Uint8Array(run).fill(value));
      else this.#platform.ram.fill(physical, run, value);
    });
  }

  /**
   * The bytes themselves, without a copy; null when the range is not contiguous in RAM, is register space, or the machine cannot
   * give a view.
   */
  view(offset: number, length: number): Uint8Array | null {
    const bytes = this.#bytes;
    if (bytes !== null && offset >= 0 && length >= 0 && offset + length <= this.byteLength) {
      return bytes.subarray(offset, offset + length);
    }
    const segment = this.#segmentAt(offset, length, 'view');
    if (this.isIoSpace || offset + length > segment.offset + segment.length) return null;
    return this.#platform.ram.view(segment.physical + (offset - segment.offset), length);
  }

  #segmentAt(offset: number, length: number, what: string): Segment {
    if (!this.#mapped || offset < 0 || offset + length > this.byteLength) this.#fault(offset, length, what);
    // Few segments in practice; binary search keeps long scattered buffers cheap.
    const segments = this.#segments;
    let low = 0;
    let high = segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((segments[middle]?.offset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return segments[low] ?? this.#fault(offset, length, what);
  }

  #eachRun(
    offset: number,
    length: number,
    what: string,
    run: (physical: number, at: number, length: number) => void,
  ): void {
    let done = 0;
    // A zero-length access still faults outside the mapping.
    if (length === 0) this.#segmentAt(offset, 0, what);
    while (done < length) {
      const segment = this.#segmentAt(offset + done, length - done, what);
      const skip = offset + done - segment.offset;
      const part = Math.min(length - done, segment.length - skip);
      run(segment.physical + skip, done, part);
      done += part;
    }
  }

  #readSlow(offset: number, size: 1 | 2 | 4): number {
    if (this.isIoSpace) {
      const segment = this.#segmentAt(offset, size, 'read');
      return this.#platform.readMemory(segment.physical + (offset - segment.offset), size);
    }
    const scratch = this.#scratch;
    this.#eachRun(offset, size, 'read', (physical, at, length) => {
      this.#platform.ram.read(physical, scratch.subarray(at, at + length));
    });
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (scratch[i] ?? 0);
    return value;
  }

  #writeSlow(offset: number, size: 1 | 2 | 4, value: number): void {
    if (this.isIoSpace) {
      const segment = this.#segmentAt(offset, size, 'write');
      this.#platform.writeMemory(segment.physical + (offset - segment.offset), size, value);
      return;
    }
    const scratch = this.#scratch;
    for (let i = 0; i < size; i++) scratch[i] = value >>> (8 * i);
    this.#eachRun(offset, size, 'write', (physical, at, length) => {
      this.#platform.ram.write(physical, scratch.subarray(at, at + length));
    });
  }

  #fault(offset: number, length: number, what: string): never {
    return currentKernel().bugcheck(
      BugcheckCode.PAGE_FAULT_IN_NONPAGED_AREA,
      [this.virtualAddress + offset, what === 'write' || what === 'fill' ? 1 : 0, 0, 0],
      this.#mapped
        ? `${what} of ${length} bytes at offset ${offset} of a system mapping of ${this.byteLength} bytes.`
        : `${what} of ${length} bytes at offset ${offset} of a system mapping that was unmapped.`,
    );
  }
}

function segmentsOf(pages: readonly number[], byteOffset: number, byteLength: number): Segment[] {
  const segments: Segment[] = [];
  let offset = 0;
  let index = 0;
  while (offset < byteLength) {
    const first = pages[index];
    if (first === undefined) break;
    let last = index;
    while (pages[last + 1] === (pages[last] ?? 0) + 1) last++;
    const skip = index === 0 ? byteOffset : 0;
    const length = Math.min((last - index + 1) * PAGE_SIZE - skip, byteLength - offset);
    segments.push({ offset, physical: first * PAGE_SIZE + skip, length });
    offset += length;
    index = last + 1;
  }
  return segments;
}

/** Reads register space in the widest aligned cycles that fit. */
export function readIoBytes(platform: Platform, physicalAddress: number, into: Uint8Array): void {
  let at = 0;
  while (at < into.length) {
    const address = physicalAddress + at;
    const size = cycleSize(address, into.length - at);
    let value = platform.readMemory(address, size);
    for (let i = 0; i < size; i++) {
      into[at + i] = value & 0xff;
      value = Math.floor(value / 256);
    }
    at += size;
  }
}

/** Writes register space in the widest aligned cycles that fit. */
export function writeIoBytes(platform: Platform, physicalAddress: number, from: Uint8Array): void {
  let at = 0;
  while (at < from.length) {
    const address = physicalAddress + at;
    const size = cycleSize(address, from.length - at);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + (from[at + i] ?? 0);
    platform.writeMemory(address, size, value);
    at += size;
  }
}

function cycleSize(address: number, left: number): 1 | 2 | 4 {
  if (address % 4 === 0 && left >= 4) return 4;
  if (address % 2 === 0 && left >= 2) return 2;
  return 1;
}
