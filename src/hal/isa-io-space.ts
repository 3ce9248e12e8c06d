import type { AccessSize, BusTarget } from './bus.ts';
import { type IoRegion, IoSpace } from './io-space.ts';

/** Ports that ten address lines tell apart. */
const ALIAS_PORTS = 0x400;
const ALIAS_MASK = ALIAS_PORTS - 1;
const ALL_ONES: Readonly<Record<AccessSize, number>> = { 1: 0xff, 2: 0xffff, 4: 0xffff_ffff };

/** A window on the ISA bus, as {@link IsaIoSpace.map} gives it; the key to take it out again. */
export interface IsaRegion extends IoRegion {
  readonly addressLines: 10 | 16;
}

/**
 * Decoder of the ISA bus. A card that looks at all sixteen address lines answers at its own ports; one that looks at ten answers again
 * every 400h. The board's chips and cards with sixteen lines go before aliases of the others, as their decoding is the exact one.
 * The bus is eight bits wide for I/O: wider accesses are one cycle a byte, ascending, unless nobody answers at any of them.
 */
export class IsaIoSpace {
  readonly #full: IoSpace;
  /** Windows of ten-line cards, at their lowest alias. */
  readonly #partial: IoSpace;
  readonly #onConflict: ((added: IoRegion, existing: IoRegion) => void) | null;

  constructor(onConflict?: (added: IoRegion, existing: IoRegion) => void) {
    this.#onConflict = onConflict ?? null;
    this.#full = new IoSpace(onConflict);
    this.#partial = new IoSpace(onConflict);
  }

  /** Windows in the order in which they were mapped: those of sixteen lines first. */
  get regions(): readonly IoRegion[] {
    return [...this.#full.regions, ...this.#partial.regions];
  }

  /**
   * Lets `target` answer at `length` ports from `start` on. Throws a RangeError when they leave I/O space, or when a ten-line window
   * leaves its 400h ports.
   */
  map(name: string, start: number, length: number, target: BusTarget, addressLines: 10 | 16 = 10): IsaRegion {
    if (addressLines === 16) {
      const conflict = this.#overlapping(this.#partial, start, length);
      const region = { ...this.#full.map(name, start, length, target), addressLines };
      if (conflict) this.#onConflict?.(region, conflict);
      return region;
    }
    const base = start & ALIAS_MASK;
    if (base + length > ALIAS_PORTS) {
      throw new RangeError(
        `${name}: ports ${start.toString(16)}h, ${length} of them, cross a multiple of 400h.`,
      );
    }
    const conflict = this.#overlapping(this.#full, base, length);
    const region = { ...this.#partial.map(name, base, length, target), addressLines };
    if (conflict) this.#onConflict?.(region, conflict);
    return region;
  }

  unmap(region: IsaRegion): void {
    const space = region.addressLines === 16 ? this.#full : this.#partial;
    const mapped = space.regions.find(
      ({ target, start, length, name }) =>
        target === region.target &&
        start === region.start &&
        length === region.length &&
        name === region.name,
    );
    if (mapped) space.unmap(mapped);
  }

  /** The window that answers at a port, or null. */
  at(port: number): IoRegion | null {
    return this.#full.at(port) ?? this.#partial.at(port & ALIAS_MASK);
  }

  read(port: number, size: AccessSize): number {
    if (size === 1) return this.#readByte(port);
    if (!this.#anyAt(port, size)) return ALL_ONES[size];
    let value = 0;
    for (let i = 0; i < size; i++) value += this.#readByte((port + i) & 0xffff) * 2 ** (8 * i);
    return value;
  }

  write(port: number, size: AccessSize, value: number): void {
    for (let i = 0; i < size; i++) this.#writeByte((port + i) & 0xffff, (value >>> (8 * i)) & 0xff);
  }

  #readByte(port: number): number {
    const exact = this.#full.at(port);
    if (exact) return exact.target.read(port - exact.start, 1);
    const alias = port & ALIAS_MASK;
    const region = this.#partial.at(alias);
    return region ? region.target.read(alias - region.start, 1) : 0xff;
  }

  #writeByte(port: number, value: number): void {
    const exact = this.#full.at(port);
    if (exact) {
      exact.target.write(port - exact.start, 1, value);
      return;
    }
    const alias = port & ALIAS_MASK;
    const region = this.#partial.at(alias);
    region?.target.write(alias - region.start, 1, value);
  }

  #anyAt(port: number, size: number): boolean {
    for (let i = 0; i < size; i++) if (this.at((port + i) & 0xffff)) return true;
    return false;
  }

  /** A window that answers at one of these very ports, not at an alias of them. */
  #overlapping(space: IoSpace, start: number, length: number): IoRegion | null {
    return (
      space.regions.find((other) => other.start < start + length && start < other.start + other.length) ??
      null
    );
  }
}
