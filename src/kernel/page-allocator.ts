/** Which pages of RAM are free. */
import { PAGE_SIZE } from './mdl.ts';
import type { Ram } from './platform.ts';

/** Where pages may lie. Addresses are physical; `highest` is that of the last byte. */
export interface PageConstraints {
  readonly lowest?: number;
  readonly highest?: number;
  /** All pages in one run, or none. */
  readonly contiguous?: boolean;
  /** With `contiguous`: bytes, a power of two of which the run crosses no multiple; 0 for none. */
  readonly boundary?: number;
}

const FREE = 0;
const USED = 1;
const RESERVED = 2;

interface PageRange {
  readonly firstPage: number;
  readonly states: Uint8Array;
  free: number;
  /** No page at or above this index is free. */
  ceiling: number;
}

/**
 * Hands out pages from the top down, so that memory above 4 GiB goes first (a driver that forgets its limit meets it at once) and
 * memory below 16 MiB is kept for ISA DMA. Page 0 is never given out.
 */
export class PageAllocator {
  /** See {@link MemoryManager.scatterPages}. */
  scatter = false;
  readonly #ranges: PageRange[];
  readonly totalPages: number;
  /** Physical address of the last byte of RAM. */
  readonly highestAddress: number;

  constructor(ram: Ram) {
    this.#ranges = ram.ranges.map(({ start, length }) => {
      const firstPage = Math.ceil(start / PAGE_SIZE);
      const states = new Uint8Array(Math.floor((start + length) / PAGE_SIZE) - firstPage);
      if (firstPage === 0) states[0] = RESERVED;
      return { firstPage, states, free: states.length - (firstPage === 0 ? 1 : 0), ceiling: states.length };
    });
    this.totalPages = this.#ranges.reduce((sum, range) => sum + range.states.length, 0);
    const last = ram.ranges.at(-1);
    this.highestAddress = last === undefined ? 0 : last.start + last.length - 1;
  }

  get freePages(): number {
    return this.#ranges.reduce((sum, range) => sum + range.free, 0);
  }

  isRam(physicalAddress: number, length: number): boolean {
    return this.#ranges.some((range) => {
      const start = range.firstPage * PAGE_SIZE;
      return physicalAddress >= start && physicalAddress + length <= start + range.states.length * PAGE_SIZE;
    });
  }

  /** Up to `count` page numbers (exactly `count` when contiguous); null when there is none. */
  allocate(count: number, constraints: PageConstraints): number[] | null {
    if (!this.scatter || constraints.contiguous === true) {
      const run = this.#allocateRun(count, constraints);
      if (run !== null || constraints.contiguous === true) return run;
    }
    const pages: number[] = [];
    if (this.scatter) this.#gather(pages, count, constraints, 2);
    if (pages.length < count) this.#gather(pages, count, constraints, 1);
    return pages.length === 0 ? null : pages;
  }

  /** Frees pages. When one is not allocated, none from there on is freed and that one is returned, else null. */
  free(pages: readonly number[]): number | null {
    for (const page of pages) {
      const range = this.#ranges.find((r) => page >= r.firstPage && page < r.firstPage + r.states.length);
      const index = range === undefined ? 0 : page - range.firstPage;
      if (range === undefined || range.states[index] !== USED) return page;
      range.states[index] = FREE;
      range.free++;
      if (index >= range.ceiling) range.ceiling = index + 1;
    }
    return null;
  }

  #window(range: PageRange, constraints: PageConstraints): { low: number; high: number } {
    const lowest = constraints.lowest ?? 0;
    const highest = constraints.highest ?? Number.MAX_SAFE_INTEGER;
    const low = Math.max(0, Math.ceil(lowest / PAGE_SIZE) - range.firstPage);
    // The page's last byte must not lie above `highest`.
    const high = Math.min(range.ceiling, Math.floor((highest + 1) / PAGE_SIZE) - range.firstPage) - 1;
    return { low, high };
  }

  #allocateRun(count: number, constraints: PageConstraints): number[] | null {
    const boundaryPages = (constraints.boundary ?? 0) / PAGE_SIZE;
    // A boundary smaller than the run (or than a page) can never be kept.
    if (boundaryPages !== 0 && boundaryPages < count) return null;
    for (let r = this.#ranges.length - 1; r >= 0; r--) {
      const range = this.#ranges[r];
      if (range === undefined || range.free < count) continue;
      const { low, high } = this.#window(range, constraints);
      const start = this.#findRun(range, low, high, count, boundaryPages);
      if (start === null) continue;
      range.states.fill(USED, start, start + count);
      this.#taken(range, count);
      return Array.from({ length: count }, (_, i) => range.firstPage + start + i);
    }
    return null;
  }

  #findRun(range: PageRange, low: number, high: number, count: number, boundaryPages: number): number | null {
    let start = high - count + 1;
    while (start >= low) {
      if (boundaryPages !== 0) {
        const firstBlock = Math.floor((range.firstPage + start) / boundaryPages);
        const lastBlock = Math.floor((range.firstPage + start + count - 1) / boundaryPages);
        if (firstBlock !== lastBlock) {
          start = lastBlock * boundaryPages - range.firstPage - count;
          continue;
        }
      }
      let busy = start + count - 1;
      while (busy >= start && range.states[busy] === FREE) busy--;
      if (busy < start) return start;
      start = busy - count;
    }
    return null;
  }

  #gather(pages: number[], count: number, constraints: PageConstraints, stride: number): void {
    for (let r = this.#ranges.length - 1; r >= 0 && pages.length < count; r--) {
      const range = this.#ranges[r];
      if (range === undefined || range.free === 0) continue;
      const { low, high } = this.#window(range, constraints);
      for (let index = high; index >= low && pages.length < count; index--) {
        if (range.states[index] !== FREE) continue;
        range.states[index] = USED;
        pages.push(range.firstPage + index);
        this.#taken(range, 1);
        index -= stride - 1;
      }
    }
  }

  #taken(range: PageRange, count: number): void {
    range.free -= count;
    while (range.ceiling > 0 && range.states[range.ceiling - 1] !== FREE) range.ceiling--;
  }
}
