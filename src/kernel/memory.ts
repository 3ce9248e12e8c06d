/** Physical memory: page allocation, MDLs, contiguous memory, mappings, and who may reach which range by DMA. */
import { BugcheckCode } from './bugcheck.ts';
import { currentKernel } from './current.ts';
import { APC_LEVEL, DISPATCH_LEVEL, requireIrql } from './irql.ts';
import type { Kernel } from './kernel.ts';
import { MDL, type MdlKind, type MEMORY_CACHING_TYPE, MmCached, PAGE_SIZE } from './mdl.ts';
import { NtError } from './nt-error.ts';
import { STATUS_INVALID_PARAMETER } from './ntstatus.ts';
import type { ObjectRecord } from './object.ts';
import { PageAllocator, type PageConstraints } from './page-allocator.ts';
import type { UserProcess } from './process.ts';
import { SystemMapping } from './system-mapping.ts';

/** Flags of {@link mmAllocatePagesForMdlEx}. */
export const MM_DONT_ZERO_ALLOCATION = 0x01;
export const MM_ALLOCATE_FULLY_REQUIRED = 0x04;
export const MM_ALLOCATE_NO_WAIT = 0x08;
export const MM_ALLOCATE_PREFER_CONTIGUOUS = 0x10;
export const MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS = 0x20;

/** System addresses begin here: 2^51, above every user address and exact in a double. */
export const MM_SYSTEM_RANGE_START = 0x8_0000_0000_0000;

/** Highest physical address of the architecture (52 bits): "no upper limit". */
export const MM_HIGHEST_PHYSICAL_ADDRESS = 0xf_ffff_ffff_ffff;

interface DmaMapping {
  readonly busDevice: string | null;
  readonly physicalAddress: number;
  readonly length: number;
  count: number;
  readonly record: ObjectRecord;
}

/** The memory of one kernel. Drivers use the `mm…` functions. */
export class MemoryManager {
  readonly #kernel: Kernel;
  readonly #pages: PageAllocator;
  readonly #records = new Map<MDL | SystemMapping, ObjectRecord>();
  readonly #contiguous = new Map<SystemMapping, readonly number[]>();
  readonly #dma = new Map<string | null, Map<number, DmaMapping[]>>();
  #nextSystemAddress = MM_SYSTEM_RANGE_START + 0x1_0000_0000_0000;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#pages = new PageAllocator(kernel.platform.ram);
  }

  /** Pages of RAM that the allocator manages. */
  get totalPages(): number {
    return this.#pages.totalPages;
  }

  /** Pages that are free now. */
  get freePageCount(): number {
    return this.#pages.freePages;
  }

  /**
   * Deals out single pages so that no two neighbours of a buffer are physical neighbours, as a long-running Windows would. For
   * tests of drivers; off, buffers are contiguous when the free memory allows it, so that views need no copy.
   */
  get scatterPages(): boolean {
    return this.#pages.scatter;
  }

  set scatterPages(on: boolean) {
    this.#pages.scatter = on;
  }

  /** Is the whole range RAM? */
  isRam(physicalAddress: number, length: number): boolean {
    return this.#pages.isRam(physicalAddress, length);
  }

  /** System address space for `bytes`, on a page boundary and followed by a guard page. Never reused. */
  reserveSystemAddress(bytes: number): number {
    const address = this.#nextSystemAddress;
    this.#nextSystemAddress += (Math.ceil(bytes / PAGE_SIZE) + 1) * PAGE_SIZE;
    return address;
  }

  /** Pages for the kernel's own use (user memory, bounce buffers), zeroed; null when there are not enough. */
  allocatePages(count: number, constraints: PageConstraints = {}): number[] | null {
    const pages = this.#pages.allocate(count, constraints);
    if (pages === null || pages.length < count) {
      if (pages !== null) this.#pages.free(pages);
      return null;
    }
    this.zeroPages(pages);
    return pages;
  }

  /** Gives pages back. Bugcheck PFN_LIST_CORRUPT when one is free already. */
  releasePages(pages: readonly number[], what: string): void {
    const bad = this.#pages.free(pages);
    if (bad !== null) {
      this.#kernel.bugcheck(
        BugcheckCode.PFN_LIST_CORRUPT,
        [0x7, bad, 0, 0],
        `${what}: page 0x${bad.toString(16)} is free already.`,
      );
    }
    this.#checkDmaOfFreedPages(pages, what);
  }

  /** Fills pages with zeros. */
  zeroPages(pages: readonly number[]): void {
    const { ram } = this.#kernel.platform;
    for (let i = 0; i < pages.length; ) {
      const first = pages[i] ?? 0;
      let count = 1;
      while (pages[i + count] === first + count) count++;
      ram.fill(first * PAGE_SIZE, count * PAGE_SIZE, 0);
      i += count;
    }
  }

  /** See {@link mmAllocatePagesForMdlEx}. */
  allocateMdl(low: number, high: number, skip: number, bytes: number, flags: number): MDL | null {
    if (bytes <= 0 || skip % PAGE_SIZE !== 0 || low > high) return null;
    const count = Math.ceil(bytes / PAGE_SIZE);
    const contiguous = (flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) !== 0;
    const pages: number[] = [];
    for (let base = 0; pages.length < count; base += skip) {
      const got = this.#pages.allocate(count - pages.length, {
        lowest: low + base,
        highest: high + base,
        contiguous,
      });
      if (got !== null) pages.push(...got);
      // Without skip there is one range; with it, go on until the ranges leave the memory.
      if (skip === 0 || low + base + skip > this.#pages.highestAddress) break;
    }
    const short = pages.length < count;
    if (pages.length === 0 || (short && (flags & MM_ALLOCATE_FULLY_REQUIRED) !== 0)) {
      this.#pages.free(pages);
      return null;
    }
    if ((flags & MM_DONT_ZERO_ALLOCATION) === 0) this.zeroPages(pages);
    return this.newMdl('PagesForMdl', pages, short ? pages.length * PAGE_SIZE : bytes);
  }

  /** An MDL that the leak report lists until {@link dropMdl}. */
  newMdl(kind: MdlKind, pages: readonly number[], byteCount: number, byteOffset = 0): MDL {
    const mdl = new MDL(kind, pages, byteCount, byteOffset);
    this.#records.set(
      mdl,
      this.#kernel.objects.register(
        'MDL',
        () => `${kind}, ${pages.length} page(s) from 0x${((pages[0] ?? 0) * PAGE_SIZE).toString(16)}`,
      ),
    );
    return mdl;
  }

  /** Marks an MDL as gone. Bugchecks when it was before, or is still mapped. */
  dropMdl(mdl: MDL, ddi: string): void {
    if (mdl.freed) {
      this.#kernel.bugcheck(
        BugcheckCode.PFN_LIST_CORRUPT,
        [0x7, mdl.pages[0] ?? 0, 0, 0],
        `${ddi}: the MDL of ${mdl.pages.length} page(s) was freed before.`,
      );
    }
    if (mdl.systemMapping !== null || mdl.processMappings > 0) {
      const where =
        mdl.systemMapping !== null ? 'system space (MmUnmapLockedPages)' : 'a process (mmUnmapFromProcess)';
      this.#kernel.bugcheck(
        BugcheckCode.MEMORY_MANAGEMENT,
        [0x0, mdl.pages[0] ?? 0, mdl.processMappings, 0],
        `${ddi}: the MDL of ${mdl.pages.length} page(s) is still mapped into ${where}; unmap it first.`,
      );
    }
    mdl.freed = true;
    this.#dropRecord(mdl);
  }

  /** See {@link mmMapLockedPages}. */
  mapMdl(mdl: MDL): SystemMapping {
    if (mdl.freed) {
      this.#kernel.bugcheck(
        BugcheckCode.MEMORY_MANAGEMENT,
        [0x1, mdl.pages[0] ?? 0, 0, 0],
        'MmMapLockedPages: the MDL has been freed.',
      );
    }
    if (mdl.systemMapping !== null) {
      this.#kernel.bugcheck(
        BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
        [0x7d, mdl.systemMapping.virtualAddress, 0, 0],
        'MmMapLockedPages: the MDL is mapped into system space already; use MmGetSystemAddressForMdlSafe.',
      );
    }
    const address = this.reserveSystemAddress(mdl.byteOffset + mdl.byteCount) + mdl.byteOffset;
    const mapping = new SystemMapping(
      this.#kernel.platform,
      mdl.pages,
      mdl.byteOffset,
      mdl.byteCount,
      address,
      mdl,
      mdl.kind === 'IoSpace',
    );
    mdl.systemMapping = mapping;
    return mapping;
  }

  /** See {@link mmUnmapLockedPages}. */
  unmapMdl(mapping: SystemMapping, mdl: MDL): void {
    if (mdl.systemMapping !== mapping || !mapping.isMapped) {
      this.#kernel.bugcheck(
        BugcheckCode.MEMORY_MANAGEMENT,
        [0x2, mapping.virtualAddress, 0, 0],
        mapping.isMapped
          ? 'MmUnmapLockedPages: the mapping does not belong to this MDL.'
          : 'MmUnmapLockedPages: the mapping was unmapped before.',
      );
    }
    mapping.invalidate();
    mdl.systemMapping = null;
  }

  /** See {@link mmAllocateContiguousMemorySpecifyCache}. */
  allocateContiguous(bytes: number, lowest: number, highest: number, boundary: number): SystemMapping | null {
    if (bytes <= 0) return null;
    const pages = this.#pages.allocate(Math.ceil(bytes / PAGE_SIZE), {
      lowest,
      highest,
      boundary,
      contiguous: true,
    });
    if (pages === null) return null;
    const address = this.reserveSystemAddress(bytes);
    const mapping = new SystemMapping(this.#kernel.platform, pages, 0, bytes, address, null, false);
    this.#contiguous.set(mapping, pages);
    this.#records.set(
      mapping,
      this.#kernel.objects.register(
        'contiguous memory',
        `${bytes} bytes at 0x${((pages[0] ?? 0) * PAGE_SIZE).toString(16)}`,
      ),
    );
    return mapping;
  }

  /** See {@link mmFreeContiguousMemory}. */
  freeContiguous(mapping: SystemMapping): void {
    const pages = this.#contiguous.get(mapping);
    if (pages === undefined) {
      this.#kernel.bugcheck(
        BugcheckCode.BAD_POOL_CALLER,
        [0x7, 0, mapping.virtualAddress, 0],
        'MmFreeContiguousMemory: this is no contiguous memory, or was freed before.',
      );
    }
    this.#contiguous.delete(mapping);
    this.#dropRecord(mapping);
    mapping.invalidate();
    this.releasePages(pages, 'MmFreeContiguousMemory');
  }

  /** Lets a bus master (null: all of them) reach a range of RAM; calls nest. */
  mapForDma(busDevice: string | null, physicalAddress: number, length: number): void {
    if (length <= 0) return;
    let byAddress = this.#dma.get(busDevice);
    if (byAddress === undefined) {
      byAddress = new Map();
      this.#dma.set(busDevice, byAddress);
    }
    let mappings = byAddress.get(physicalAddress);
    if (mappings === undefined) {
      mappings = [];
      byAddress.set(physicalAddress, mappings);
    }
    const known = mappings.find((m) => m.length === length);
    if (known !== undefined) {
      known.count++;
      return;
    }
    const record = this.#kernel.objects.register(
      'DMA mapping',
      `${busDevice ?? 'every device'}: ${length} bytes at 0x${physicalAddress.toString(16)}`,
    );
    mappings.push({ busDevice, physicalAddress, length, count: 1, record });
    this.#kernel.platform.mapDma(busDevice, physicalAddress, length);
  }

  /** Takes back one {@link mapForDma} with the same arguments. Bugcheck when there was none. */
  unmapForDma(busDevice: string | null, physicalAddress: number, length: number): void {
    if (length <= 0) return;
    const mapping = this.#dma
      .get(busDevice)
      ?.get(physicalAddress)
      ?.find((m) => m.length === length);
    if (mapping === undefined) {
      this.#kernel.bugcheck(
        BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
        [0x1, physicalAddress, length, 0],
        `DMA unmap of ${length} bytes at 0x${physicalAddress.toString(16)} for ${busDevice ?? 'every device'}, which were not mapped.`,
      );
    }
    mapping.count--;
    if (mapping.count === 0) this.#removeDmaMapping(mapping);
  }

  /** The ranges that a bus master may reach now. */
  dmaMappings(): readonly {
    readonly busDevice: string | null;
    readonly physicalAddress: number;
    readonly length: number;
  }[] {
    return [...this.#dma.values()].flatMap((byAddress) => [...byAddress.values()].flat());
  }

  #removeDmaMapping(mapping: DmaMapping): void {
    const byAddress = this.#dma.get(mapping.busDevice);
    const mappings = byAddress?.get(mapping.physicalAddress);
    if (byAddress === undefined || mappings === undefined) return;
    mappings.splice(mappings.indexOf(mapping), 1);
    if (mappings.length === 0) byAddress.delete(mapping.physicalAddress);
    this.#kernel.objects.remove(mapping.record);
    this.#kernel.platform.unmapDma(mapping.busDevice, mapping.physicalAddress, mapping.length);
  }

  // A card that goes on writing into freed pages would corrupt whoever gets them next: take the mapping away and say so.
  #checkDmaOfFreedPages(pages: readonly number[], what: string): void {
    for (const byAddress of this.#dma.values()) {
      for (const mappings of byAddress.values()) {
        for (const mapping of [...mappings]) {
          const first = Math.floor(mapping.physicalAddress / PAGE_SIZE);
          const last = Math.floor((mapping.physicalAddress + mapping.length - 1) / PAGE_SIZE);
          if (!pages.some((page) => page >= first && page <= last)) continue;
          this.#kernel.trace.finding(
            'kernel',
            `${what}: pages were freed while a bus master could still reach them.`,
            {
              busDevice: mapping.busDevice,
              physicalAddress: mapping.physicalAddress,
              length: mapping.length,
            },
          );
          this.#removeDmaMapping(mapping);
        }
      }
    }
  }

  #dropRecord(of: MDL | SystemMapping): void {
    const record = this.#records.get(of);
    if (record === undefined) return;
    this.#kernel.objects.remove(record);
    this.#records.delete(of);
  }
}

/**
 * MmAllocatePagesForMdl: zeroed pages between two physical addresses (of the last byte), for `totalBytes`. The MDL may describe
 * less than was asked for; null when there is no page at all. With `skipBytes`, further ranges are tried at that distance.
 * IRQL ≤ DISPATCH_LEVEL.
 */
export function mmAllocatePagesForMdl(
  lowAddress: number,
  highAddress: number,
  skipBytes: number,
  totalBytes: number,
): MDL | null {
  return mmAllocatePagesForMdlEx(lowAddress, highAddress, skipBytes, totalBytes, MmCached, 0);
}

/** MmAllocatePagesForMdlEx: the same, with MM_* flags. IRQL ≤ DISPATCH_LEVEL. */
export function mmAllocatePagesForMdlEx(
  lowAddress: number,
  highAddress: number,
  skipBytes: number,
  totalBytes: number,
  _cacheType: MEMORY_CACHING_TYPE,
  flags: number,
): MDL | null {
  requireIrql(DISPATCH_LEVEL, 'MmAllocatePagesForMdlEx');
  return currentKernel().memory.allocateMdl(lowAddress, highAddress, skipBytes, totalBytes, flags);
}

/** Zeroed, physically contiguous pages as an MDL: all of them, or null. IRQL ≤ DISPATCH_LEVEL. */
export function mmAllocateContiguousPagesForMdl(
  lowAddress: number,
  highAddress: number,
  totalBytes: number,
): MDL | null {
  return mmAllocatePagesForMdlEx(
    lowAddress,
    highAddress,
    0,
    totalBytes,
    MmCached,
    MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS | MM_ALLOCATE_FULLY_REQUIRED,
  );
}

/**
 * MmFreePagesFromMdl: gives back the pages of an MDL made by mmAllocatePagesForMdl. Bugchecks: PFN_LIST_CORRUPT for a second
 * time, MEMORY_MANAGEMENT while they are mapped. IRQL ≤ DISPATCH_LEVEL.
 */
export function mmFreePagesFromMdl(mdl: MDL): void {
  requireIrql(DISPATCH_LEVEL, 'MmFreePagesFromMdl');
  const kernel = currentKernel();
  if (mdl.kind !== 'PagesForMdl') {
    kernel.bugcheck(
      BugcheckCode.MEMORY_MANAGEMENT,
      [0x3, mdl.pages[0] ?? 0, 0, 0],
      `MmFreePagesFromMdl: the MDL (${mdl.kind}) was not made by MmAllocatePagesForMdl.`,
    );
  }
  kernel.memory.dropMdl(mdl, 'MmFreePagesFromMdl');
  kernel.memory.releasePages(mdl.pages, 'MmFreePagesFromMdl');
}

/**
 * MmMapLockedPages(KernelMode): maps an MDL's pages into system space. One mapping per MDL: a second is a bugcheck.
 * IRQL ≤ DISPATCH_LEVEL.
 */
export function mmMapLockedPages(mdl: MDL, _cacheType: MEMORY_CACHING_TYPE = MmCached): SystemMapping {
  requireIrql(DISPATCH_LEVEL, 'MmMapLockedPages');
  return currentKernel().memory.mapMdl(mdl);
}

/** MmGetSystemAddressForMdlSafe: the MDL's system mapping, made now if there is none. IRQL ≤ DISPATCH_LEVEL. */
export function mmGetSystemAddressForMdlSafe(mdl: MDL): SystemMapping {
  return mdl.systemMapping ?? mmMapLockedPages(mdl);
}

/** MmUnmapLockedPages. Bugcheck when the mapping is not the MDL's, or gone already. IRQL ≤ DISPATCH_LEVEL. */
export function mmUnmapLockedPages(mapping: SystemMapping, mdl: MDL): void {
  requireIrql(DISPATCH_LEVEL, 'MmUnmapLockedPages');
  currentKernel().memory.unmapMdl(mapping, mdl);
}

/** MmAllocateContiguousMemory: uninitialized contiguous memory up to a physical address, or null. IRQL ≤ DISPATCH_LEVEL. */
export function mmAllocateContiguousMemory(
  numberOfBytes: number,
  highestAcceptableAddress: number,
): SystemMapping | null {
  return mmAllocateContiguousMemorySpecifyCache(numberOfBytes, 0, highestAcceptableAddress, 0, MmCached);
}

/**
 * MmAllocateContiguousMemorySpecifyCache: also with a lowest address and a power of two of which the memory crosses no multiple
 * (0: none). Null when no such memory is free. Throws STATUS_INVALID_PARAMETER for a boundary that is no power of two.
 * IRQL ≤ DISPATCH_LEVEL.
 */
export function mmAllocateContiguousMemorySpecifyCache(
  numberOfBytes: number,
  lowestAcceptableAddress: number,
  highestAcceptableAddress: number,
  boundaryAddressMultiple: number,
  _cacheType: MEMORY_CACHING_TYPE,
): SystemMapping | null {
  requireIrql(DISPATCH_LEVEL, 'MmAllocateContiguousMemory');
  if (boundaryAddressMultiple !== 0 && !Number.isInteger(Math.log2(boundaryAddressMultiple))) {
    throw new NtError(STATUS_INVALID_PARAMETER, `boundary ${boundaryAddressMultiple} is no power of two`);
  }
  return currentKernel().memory.allocateContiguous(
    numberOfBytes,
    lowestAcceptableAddress,
    highestAcceptableAddress,
    boundaryAddressMultiple,
  );
}

/** MmFreeContiguousMemory. Bugcheck BAD_POOL_CALLER for memory that is none, or was freed before. IRQL ≤ DISPATCH_LEVEL. */
export function mmFreeContiguousMemory(mapping: SystemMapping): void {
  requireIrql(DISPATCH_LEVEL, 'MmFreeContiguousMemory');
  currentKernel().memory.freeContiguous(mapping);
}

/**
 * An MDL for contiguous RAM that somebody else holds: map registers, which a port shows to a driver as the memory that its device
 * reaches. Freed with {@link ioFreeMdl}. IRQL ≤ DISPATCH_LEVEL.
 */
export function mmBuildMdlForRam(physicalAddress: number, byteCount: number): MDL {
  requireIrql(DISPATCH_LEVEL, 'MmBuildMdlForNonPagedPool');
  return mdlOfRange('Bounce', physicalAddress, byteCount);
}

/**
 * An MDL for device registers at a translated physical address (IoAllocateMdl and MmBuildMdlForNonPagedPool on what MmMapIoSpace
 * returned), to map them into a process. Freed with {@link ioFreeMdl}. IRQL ≤ DISPATCH_LEVEL.
 */
export function mmBuildMdlForIoSpace(physicalAddress: number, byteCount: number): MDL {
  requireIrql(DISPATCH_LEVEL, 'MmBuildMdlForNonPagedPool');
  return mdlOfRange('IoSpace', physicalAddress, byteCount);
}

function mdlOfRange(kind: MdlKind, physicalAddress: number, byteCount: number): MDL {
  const byteOffset = physicalAddress % PAGE_SIZE;
  const first = (physicalAddress - byteOffset) / PAGE_SIZE;
  const count = Math.ceil((byteOffset + byteCount) / PAGE_SIZE);
  const pages = Array.from({ length: count }, (_, i) => first + i);
  return currentKernel().memory.newMdl(kind, pages, byteCount, byteOffset);
}

/**
 * IoAllocateMdl and MmProbeAndLockPages for a buffer of a process: an MDL of the pages behind a user address, which stay where
 * they are until {@link mmUnlockPages}. Throws STATUS_ACCESS_VIOLATION when a byte of the range is not mapped. IRQL ≤ APC_LEVEL.
 */
export function mmProbeAndLockPages(process: UserProcess, userAddress: number, byteCount: number): MDL {
  requireIrql(APC_LEVEL, 'MmProbeAndLockPages');
  return process.lockPages(userAddress, byteCount);
}

/** MmUnlockPages and IoFreeMdl for what {@link mmProbeAndLockPages} made; undoes its system mapping too. IRQL ≤ DISPATCH_LEVEL. */
export function mmUnlockPages(mdl: MDL): void {
  requireIrql(DISPATCH_LEVEL, 'MmUnlockPages');
  const { memory } = currentKernel();
  if (mdl.systemMapping !== null) memory.unmapMdl(mdl.systemMapping, mdl);
  memory.dropMdl(mdl, 'MmUnlockPages');
  mdl.unlock?.();
}

/** IoFreeMdl for an MDL of {@link mmBuildMdlForIoSpace} or {@link mmBuildMdlForRam}. Bugcheck while it is mapped. IRQL ≤ DISPATCH_LEVEL. */
export function ioFreeMdl(mdl: MDL): void {
  requireIrql(DISPATCH_LEVEL, 'IoFreeMdl');
  currentKernel().memory.dropMdl(mdl, 'IoFreeMdl');
}

/**
 * MmMapLockedPagesSpecifyCache(UserMode): maps an MDL's pages into a process and returns the user address of the MDL's first
 * byte. A freed MDL is a bugcheck; a terminated process throws STATUS_PROCESS_IS_TERMINATING. IRQL ≤ APC_LEVEL.
 */
export function mmMapMdlToProcess(mdl: MDL, process: UserProcess): number {
  requireIrql(APC_LEVEL, 'MmMapLockedPagesSpecifyCache');
  return process.mapMdl(mdl);
}

/** MmUnmapLockedPages for a user mapping. Bugcheck when nothing of the MDL is mapped there. IRQL ≤ APC_LEVEL. */
export function mmUnmapFromProcess(process: UserProcess, userAddress: number, mdl: MDL): void {
  requireIrql(APC_LEVEL, 'MmUnmapLockedPages');
  process.unmapMdl(userAddress, mdl);
}
