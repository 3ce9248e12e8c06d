import type { AccessSize, BusTarget } from './bus.ts';

/** One window of memory space that is not RAM, as {@link MemorySpace.map} gives it; the key to take it out again. */
export interface MemoryRegion {
  readonly name: string;
  readonly start: number;
  readonly length: number;
  readonly target: BusTarget;
}

/**
 * Decoder of memory-mapped registers: which target answers at which physical address, 64-bit addresses included. Where windows overlap
 * the one mapped first answers, and `onConflict` hears of it.
 */
export class MemorySpace {
  readonly #regions: MemoryRegion[] = [];
  readonly #onConflict: ((added: MemoryRegion, existing: MemoryRegion) => void) | null;
  // Registers are polled and written in bursts: nearly every access goes where the one before it went.
  #last: MemoryRegion | null = null;

  constructor(onConflict?: (added: MemoryRegion, existing: MemoryRegion) => void) {
    this.#onConflict = onConflict ?? null;
  }

  /** Windows in the order in which they were mapped. */
  get regions(): readonly MemoryRegion[] {
    return this.#regions;
  }

  /** Lets `target` answer at `length` addresses from `start`. Throws a RangeError for addresses that no integer can hold. */
  map(name: string, start: number, length: number, target: BusTarget): MemoryRegion {
    if (!Number.isSafeInteger(start) || start < 0 || length < 1 || !Number.isSafeInteger(start + length)) {
      throw new RangeError(
        `${name}: address ${start.toString(16)}h, ${length} bytes, is not within memory space.`,
      );
    }
    const region: MemoryRegion = { name, start, length, target };
    const conflict = this.#regions.find(
      (other) => other.start < start + length && start < other.start + other.length,
    );
    this.#regions.push(region);
    this.#last = null;
    if (conflict) this.#onConflict?.(region, conflict);
    return region;
  }

  /** Takes a window out. Does nothing when it is not there. */
  unmap(region: MemoryRegion): void {
    const index = this.#regions.indexOf(region);
    if (index >= 0) this.#regions.splice(index, 1);
    this.#last = null;
  }

  /** The window that answers at an address, or null. */
  at(address: number): MemoryRegion | null {
    const last = this.#last;
    if (last !== null && address >= last.start && address - last.start < last.length) return last;
    for (const region of this.#regions) {
      if (address >= region.start && address - region.start < region.length) {
        this.#last = region;
        return region;
      }
    }
    return null;
  }

  /** One read cycle. Where nobody answers: all ones. An access that runs out of a window is split into bytes. */
  read(address: number, size: AccessSize): number {
    const region = this.at(address);
    if (region !== null) {
      const offset = address - region.start;
      if (offset + size <= region.length) return region.target.read(offset, size);
    }
    if (size === 1) return 0xff;
    let value = 0;
    for (let i = 0; i < size; i++) value += this.read(address + i, 1) * 2 ** (8 * i);
    return value;
  }

  write(address: number, size: AccessSize, value: number): void {
    const region = this.at(address);
    if (region !== null) {
      const offset = address - region.start;
      if (offset + size <= region.length) {
        region.target.write(offset, size, value);
        return;
      }
    }
    if (size === 1) return;
    for (let i = 0; i < size; i++) this.write(address + i, 1, (value >>> (8 * i)) & 0xff);
  }
}
