/** A stretch of addresses in use. */
interface Allocation {
  readonly start: number;
  readonly length: number;
}

/** Hands out aligned ranges of a window of bus addresses, lowest first, so that the same cards get the same addresses every time. */
export class AddressAllocator {
  readonly start: number;
  readonly end: number;
  readonly #taken: Allocation[] = [];

  /** Window from `start` to, not including, `end`. */
  constructor(start: number, end: number) {
    this.start = start;
    this.end = end;
  }

  /**
   * The lowest free range of `length` bytes at a multiple of `alignment` whose bytes lie in `minimum`…`maximum`. Null when there is none.
   */
  allocate(length: number, alignment: number, minimum = this.start, maximum = this.end - 1): number | null {
    const last = Math.min(maximum, this.end - 1);
    let candidate = alignUp(Math.max(minimum, this.start), alignment);
    for (const { start, length: taken } of this.#taken) {
      if (candidate + length <= start) break;
      if (candidate < start + taken) candidate = alignUp(start + taken, alignment);
    }
    if (candidate + length - 1 > last) return null;
    this.#insert(candidate, length);
    return candidate;
  }

  /** Takes exactly this range when all of it is free and inside the window. */
  reserve(start: number, length: number): boolean {
    if (start < this.start || start + length > this.end) return false;
    if (this.#taken.some((other) => other.start < start + length && start < other.start + other.length))
      return false;
    this.#insert(start, length);
    return true;
  }

  /** Gives a range back; does nothing when no range begins there. */
  release(start: number): void {
    const index = this.#taken.findIndex((other) => other.start === start);
    if (index >= 0) this.#taken.splice(index, 1);
  }

  #insert(start: number, length: number): void {
    const index = this.#taken.findIndex((other) => other.start > start);
    this.#taken.splice(index < 0 ? this.#taken.length : index, 0, { start, length });
  }
}

/** The bus's addresses: who has which. */
export interface PciAddressSpace {
  readonly io: AddressAllocator;
  readonly memory: AddressAllocator;
  readonly highMemory: AddressAllocator;
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment;
}
