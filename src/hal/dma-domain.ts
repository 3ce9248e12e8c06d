/** Physical memory that a bus device may reach: `length` bytes from `start`. */
export interface DmaRange {
  readonly start: number;
  readonly length: number;
}

/**
 * The ranges one bus device may reach. Mappings are kept as they were made, since each is taken out by itself, and may overlap; the
 * union of them is what counts for a transfer.
 */
class DmaWindowSet {
  readonly #mappings = new Map<string, { start: number; length: number; count: number }>();
  // The union: ascending, disjoint, never touching; rebuilt when it is asked for after a change.
  #starts: number[] = [];
  #ends: number[] = [];
  #stale = false;
  #lastStart = 0;
  #lastEnd = 0;

  get ranges(): readonly DmaRange[] {
    if (this.#stale) this.#rebuild();
    return this.#starts.map((start, i) => ({ start, length: (this.#ends[i] ?? start) - start }));
  }

  get isEmpty(): boolean {
    return this.#mappings.size === 0;
  }

  add(start: number, length: number): void {
    const key = `${start}+${length}`;
    const mapping = this.#mappings.get(key);
    if (mapping) {
      mapping.count++;
      return;
    }
    this.#mappings.set(key, { start, length, count: 1 });
    this.#stale = true;
  }

  remove(start: number, length: number): boolean {
    const key = `${start}+${length}`;
    const mapping = this.#mappings.get(key);
    if (!mapping) return false;
    if (--mapping.count === 0) {
      this.#mappings.delete(key);
      this.#stale = true;
    }
    return true;
  }

  contains(start: number, end: number): boolean {
    if (this.#stale) this.#rebuild();
    if (start >= this.#lastStart && end <= this.#lastEnd) return true;
    const index = this.#rangeAtOrBefore(start);
    if (index < 0) return false;
    const rangeStart = this.#starts[index] ?? 0;
    const rangeEnd = this.#ends[index] ?? 0;
    if (end > rangeEnd) return false;
    this.#lastStart = rangeStart;
    this.#lastEnd = rangeEnd;
    return true;
  }

  /** The end of what is reachable from `start` on without a gap; `start` itself when it is not reachable. */
  reachableEnd(start: number): number {
    if (this.#stale) this.#rebuild();
    const index = this.#rangeAtOrBefore(start);
    return index < 0 ? start : Math.max(start, this.#ends[index] ?? start);
  }

  #rangeAtOrBefore(address: number): number {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #rebuild(): void {
    this.#stale = false;
    this.#lastStart = this.#lastEnd = 0;
    this.#starts = [];
    this.#ends = [];
    const sorted = [...this.#mappings.values()].sort((a, b) => a.start - b.start);
    for (const { start, length } of sorted) {
      const last = this.#ends.length - 1;
      const lastEnd = this.#ends[last];
      if (lastEnd !== undefined && start <= lastEnd) this.#ends[last] = Math.max(lastEnd, start + length);
      else {
        this.#starts.push(start);
        this.#ends.push(start + length);
      }
    }
  }
}

/**
 * DMA isolation: which bus device may reach which bytes of RAM. What an IOMMU does, to the byte rather than the page, so that a
 * transfer one sample too long is caught too. A device starts with nothing; `null` stands for every device.
 */
export class DmaDomain {
  readonly #everyone = new DmaWindowSet();
  readonly #devices = new Map<string, DmaWindowSet>();
  /** Windows of cards that were pulled out, until their drivers have closed them one by one. */
  readonly #retired: { readonly busDevice: string; readonly windows: DmaWindowSet }[] = [];

  /** Opens a range to a device. Mappings may overlap; each must be unmapped by itself. Throws a RangeError for an impossible range. */
  map(busDevice: string | null, start: number, length: number): void {
    if (!(Number.isSafeInteger(start) && start >= 0 && Number.isSafeInteger(length) && length > 0)) {
      throw new RangeError(
        `DMA range ${start}, ${length} bytes, for ${busDevice ?? 'all devices'} is not a range.`,
      );
    }
    this.#windows(busDevice).add(start, length);
  }

  /** Closes a range again. Throws a RangeError when exactly this range was not open: its owner lost count. */
  unmap(busDevice: string | null, start: number, length: number): void {
    if (!this.#windows(busDevice).remove(start, length) && !this.#removeRetired(busDevice, start, length)) {
      throw new RangeError(
        `DMA range ${start.toString(16)}h, ${length} bytes, was not mapped for ${busDevice ?? 'all devices'}; ` +
          'it must be unmapped as it was mapped, once.',
      );
    }
  }

  /**
   * The card with this id was pulled out: another one in its slot, which has the same id, reaches nothing that was opened to the old one.
   * The old one's driver closes its ranges as if nothing had happened.
   */
  retire(busDevice: string): void {
    const windows = this.#devices.get(busDevice);
    if (!windows) return;
    this.#devices.delete(busDevice);
    if (!windows.isEmpty) this.#retired.push({ busDevice, windows });
  }

  /** May the device move all bytes from `start` on? One look at the last range in the usual case. */
  allows(busDevice: string, start: number, length: number): boolean {
    const end = start + length;
    const own = this.#devices.get(busDevice);
    if (own?.contains(start, end)) return true;
    if (this.#everyone.contains(start, end)) return true;
    // Neither set alone holds it all; both together may.
    let at = start;
    while (at < end) {
      const next = Math.max(own?.reachableEnd(at) ?? at, this.#everyone.reachableEnd(at));
      if (next === at) return false;
      at = next;
    }
    return true;
  }

  /** What a device may reach on its own account: ascending, without overlaps. */
  rangesOf(busDevice: string | null): readonly DmaRange[] {
    return (busDevice === null ? this.#everyone : this.#devices.get(busDevice))?.ranges ?? [];
  }

  #removeRetired(busDevice: string | null, start: number, length: number): boolean {
    const index = this.#retired.findIndex(
      (one) => one.busDevice === busDevice && one.windows.remove(start, length),
    );
    if (index < 0) return false;
    if (this.#retired[index]?.windows.isEmpty) this.#retired.splice(index, 1);
    return true;
  }

  #windows(busDevice: string | null): DmaWindowSet {
    if (busDevice === null) return this.#everyone;
    let windows = this.#devices.get(busDevice);
    if (!windows) {
      windows = new DmaWindowSet();
      this.#devices.set(busDevice, windows);
    }
    return windows;
  }
}
