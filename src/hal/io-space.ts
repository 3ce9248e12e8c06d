import type { AccessSize, BusTarget } from './bus.ts';

const PORT_COUNT = 0x1_0000;

/** One window of I/O space, as {@link IoSpace.map} gives it; the key to take it out again. */
export interface IoRegion {
  readonly name: string;
  readonly start: number;
  readonly length: number;
  readonly target: BusTarget;
}

/**
 * Decoder of the 64 KiB of I/O space: which target answers at which port. A table of one entry per port makes an access one look-up,
 * however many cards there are. Where windows overlap the one mapped first answers, and `onConflict` hears of it: on a real bus both
 * would drive the data lines.
 */
export class IoSpace {
  /** Index into #slots by port; 0 is nobody. */
  readonly #table = new Uint16Array(PORT_COUNT);
  readonly #slots: (IoRegion | null)[] = [null];
  readonly #onConflict: ((added: IoRegion, existing: IoRegion) => void) | null;

  constructor(onConflict?: (added: IoRegion, existing: IoRegion) => void) {
    this.#onConflict = onConflict ?? null;
  }

  /** Windows in the order in which they were mapped. */
  get regions(): readonly IoRegion[] {
    return this.#slots.filter((region) => region !== null);
  }

  /** Lets `target` answer at `length` ports from `start`. Throws a RangeError when they leave the 64 KiB of I/O space. */
  map(name: string, start: number, length: number, target: BusTarget): IoRegion {
    if (!Number.isInteger(start) || start < 0 || length < 1 || start + length > PORT_COUNT) {
      throw new RangeError(
        `${name}: ports ${start.toString(16)}h, ${length} of them, are not within I/O space.`,
      );
    }
    const region: IoRegion = { name, start, length, target };
    let conflict: IoRegion | null = null;
    for (const existing of this.#slots) {
      if (existing && existing.start < start + length && start < existing.start + existing.length)
        conflict ??= existing;
    }
    // Order decides who answers, so that a freed index is never used again before a younger one.
    this.#slots.push(region);
    this.#fill(region, this.#slots.length - 1);
    if (conflict) this.#onConflict?.(region, conflict);
    return region;
  }

  /** Takes a window out; those that it hid or that overlap it answer again. Does nothing when it is not there. */
  unmap(region: IoRegion): void {
    const index = this.#slots.indexOf(region);
    if (index <= 0) return;
    this.#slots.splice(index, 1);
    this.#table.fill(0);
    for (let i = 1; i < this.#slots.length; i++) {
      const other = this.#slots[i];
      if (other) this.#fill(other, i);
    }
  }

  #fill(region: IoRegion, index: number): void {
    const end = region.start + region.length;
    for (let port = region.start; port < end; port++) {
      if (this.#table[port] === 0) this.#table[port] = index;
    }
  }

  /** The window that answers at a port, or null. */
  at(port: number): IoRegion | null {
    return this.#slots[this.#table[port & 0xffff] ?? 0] ?? null;
  }

  /** One read cycle. Where nobody answers: all ones. An access that runs out of a window is split into bytes. */
  read(port: number, size: AccessSize): number {
    const region = this.#slots[this.#table[port] ?? 0];
    if (region) {
      const offset = port - region.start;
      if (offset + size <= region.length) return region.target.read(offset, size);
    }
    if (size === 1) return 0xff;
    return this.#readSplit(port, size);
  }

  write(port: number, size: AccessSize, value: number): void {
    const region = this.#slots[this.#table[port] ?? 0];
    if (region) {
      const offset = port - region.start;
      if (offset + size <= region.length) {
        region.target.write(offset, size, value);
        return;
      }
    }
    if (size !== 1) this.#writeSplit(port, size, value);
  }

  #readSplit(port: number, size: AccessSize): number {
    let value = 0;
    for (let i = 0; i < size; i++) value += this.read((port + i) & 0xffff, 1) * 2 ** (8 * i);
    return value;
  }

  #writeSplit(port: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size; i++) this.write((port + i) & 0xffff, 1, (value >>> (8 * i)) & 0xff);
  }
}
