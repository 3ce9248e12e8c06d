import { CUnknown, type IID } from '../../../com/index.ts';
import {
  BugcheckCode,
  type MDL,
  type MEMORY_CACHING_TYPE,
  MmCached,
  MmNonCached,
  MmWriteCombined,
  mmAllocateContiguousPagesForMdl,
  mmAllocatePagesForMdl,
  mmFreePagesFromMdl,
  mmMapLockedPages,
  mmUnmapLockedPages,
  NtError,
  PAGE_SIZE,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INVALID_PARAMETER,
  type SystemMapping,
} from '../../../kernel/index.ts';
import { IID_IPortWaveRTStream, type IPortWaveRTStream } from '../../ddi/index.ts';
import type { PortWaveRT } from './port-wavert.ts';

/**
 * Parameters of bugcheck 0xC4 (DRIVER_VERIFIER_DETECTED_VIOLATION) as the audio rules of Driver Verifier number them (WDK,
 * devtest: PcUnmapAllocatedPages, PcAllocatedPages, PcAllocateAndMapPages).
 */
const RULE_UNMAP_ALLOCATED_PAGES = 0x71004;
const RULE_ALLOCATED_PAGES = 0x71005;
const RULE_ALLOCATE_AND_MAP_PAGES = 0x71009;

/** A run of physically contiguous bytes that the device was given access to. */
interface DmaRange {
  readonly physicalAddress: number;
  readonly length: number;
}

/**
 * The port's half of a WaveRT stream: pages for its cyclic buffer (DDI page IPortWaveRTStream). All methods at PASSIVE_LEVEL.
 *
 * Pages lie below the address that the adapter's DEVICE_DESCRIPTION can reach, and are open to the adapter's DMA from their
 * allocation until they are freed. What Driver Verifier's audio rules forbid is a bugcheck in every build; pages that are left
 * when the last reference to this object goes are a finding and stay in the leak report.
 */
export class PortWaveRTStream extends CUnknown implements IPortWaveRTStream {
  readonly #port: PortWaveRT;
  readonly #busDevice: string | null;
  readonly #driverName: string;
  readonly #allocated = new Map<MDL, readonly DmaRange[]>();

  /** The port is referenced until this object's end: miniports may free their pages in their streams' destructors. */
  constructor(port: PortWaveRT) {
    super('PortWaveRTStream');
    this.#port = port;
    this.#busDevice = port.busDevice;
    this.#driverName = port.driverName;
    port.addRef();
  }

  /** Where a system address lies in the pages that this stream allocated and mapped, or null. */
  findMapped(address: number): { readonly mdl: MDL; readonly offset: number } | null {
    for (const mdl of this.#allocated.keys()) {
      const mapping = mdl.systemMapping;
      if (mapping === null) continue;
      const offset = address - mapping.virtualAddress;
      if (offset >= 0 && offset < mapping.byteLength) return { mdl, offset };
    }
    return null;
  }

  /** Bytes of pages that are allocated now. */
  get allocatedBytes(): number {
    let pages = 0;
    for (const mdl of this.#allocated.keys()) pages += mdl.pages.length;
    return pages * PAGE_SIZE;
  }

  allocatePagesForMdl(highAddress: number, totalBytes: number): MDL | null {
    const bytes = this.#checkAllocation('AllocatePagesForMdl', 0, highAddress, totalBytes);
    const high = Math.min(highAddress, this.#highestDmaAddress());
    return high < 0 ? null : this.#keep(mmAllocatePagesForMdl(0, high, 0, bytes));
  }

  allocateContiguousPagesForMdl(lowAddress: number, highAddress: number, totalBytes: number): MDL | null {
    const bytes = this.#checkAllocation('AllocateContiguousPagesForMdl', lowAddress, highAddress, totalBytes);
    const high = Math.min(highAddress, this.#highestDmaAddress());
    return lowAddress > high ? null : this.#keep(mmAllocateContiguousPagesForMdl(lowAddress, high, bytes));
  }

  mapAllocatedPages(memoryDescriptorList: MDL, cacheType: MEMORY_CACHING_TYPE): SystemMapping {
    this.#checkOwn('MapAllocatedPages', memoryDescriptorList);
    if (cacheType !== MmNonCached && cacheType !== MmCached && cacheType !== MmWriteCombined) {
      this.#violation(
        RULE_ALLOCATE_AND_MAP_PAGES,
        `IPortWaveRTStream::MapAllocatedPages: ${String(cacheType)} is no MEMORY_CACHING_TYPE.`,
      );
    }
    if (memoryDescriptorList.systemMapping !== null) {
      this.#violation(
        RULE_UNMAP_ALLOCATED_PAGES,
        'IPortWaveRTStream::MapAllocatedPages: the MDL is mapped already; unmap it first.',
      );
    }
    return mmMapLockedPages(memoryDescriptorList, cacheType);
  }

  unmapAllocatedPages(baseAddress: SystemMapping, memoryDescriptorList: MDL): void {
    this.#checkOwn('UnmapAllocatedPages', memoryDescriptorList);
    if (memoryDescriptorList.systemMapping === null || memoryDescriptorList.systemMapping !== baseAddress) {
      this.#violation(
        RULE_UNMAP_ALLOCATED_PAGES,
        'IPortWaveRTStream::UnmapAllocatedPages: this mapping of the MDL does not exist.',
      );
    }
    mmUnmapLockedPages(baseAddress, memoryDescriptorList);
  }

  freePagesFromMdl(memoryDescriptorList: MDL): void {
    const ranges = this.#checkOwn('FreePagesFromMdl', memoryDescriptorList);
    if (memoryDescriptorList.systemMapping !== null) {
      this.#violation(
        RULE_UNMAP_ALLOCATED_PAGES,
        'IPortWaveRTStream::FreePagesFromMdl: the MDL is still mapped; UnmapAllocatedPages comes first.',
      );
    }
    if (memoryDescriptorList.processMappings > 0) {
      this.#violation(
        RULE_UNMAP_ALLOCATED_PAGES,
        'IPortWaveRTStream::FreePagesFromMdl: the client has the buffer mapped; it may be freed when the port calls ' +
          'FreeAudioBuffer or FreeBufferWithNotification.',
      );
    }
    this.#allocated.delete(memoryDescriptorList);
    this.#closeDma(ranges);
    mmFreePagesFromMdl(memoryDescriptorList);
  }

  getPhysicalPageAddress(memoryDescriptorList: MDL, index: number): number {
    this.#checkOwn('GetPhysicalPageAddress', memoryDescriptorList);
    const page = memoryDescriptorList.pages[index];
    if (page === undefined) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `IPortWaveRTStream::GetPhysicalPageAddress: page ${index} of an MDL of ${memoryDescriptorList.pages.length} pages`,
      );
    }
    return page * PAGE_SIZE;
  }

  getPhysicalPagesCount(memoryDescriptorList: MDL): number {
    this.#checkOwn('GetPhysicalPagesCount', memoryDescriptorList);
    return memoryDescriptorList.pages.length;
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPortWaveRTStream) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    for (const [mdl, ranges] of this.#allocated) {
      // The pages stay allocated, as on Windows, so that the leak report names them; the device can no longer reach them.
      this.#closeDma(ranges);
      this.#port.kernel.trace.finding(
        this.#driverName,
        `A stream ended without freeing ${mdl.pages.length} page(s) that it had allocated: ` +
          `IPortWaveRTStream::FreePagesFromMdl is missing (Driver Verifier: 0xC4, 0x${RULE_ALLOCATED_PAGES.toString(16)}).`,
        { pages: mdl.pages.length, bytes: mdl.byteCount },
      );
    }
    this.#allocated.clear();
    this.#port.release();
  }

  /** Checks an allocation's arguments and returns its size in whole pages, in bytes. */
  #checkAllocation(method: string, low: number, high: number, totalBytes: number): number {
    requireIrql(PASSIVE_LEVEL, `IPortWaveRTStream::${method}`);
    this.requireAlive(method);
    if (!(totalBytes > 0) || !(low >= 0) || !(high >= low)) {
      this.#violation(
        RULE_ALLOCATE_AND_MAP_PAGES,
        `IPortWaveRTStream::${method}: ${totalBytes} bytes between addresses ${low} and ${high} cannot be meant.`,
      );
    }
    return Math.ceil(totalBytes / PAGE_SIZE) * PAGE_SIZE;
  }

  /** The adapter's limit; −1, so that nothing can be allocated, when its miniport does not tell it. */
  #highestDmaAddress(): number {
    try {
      return this.#port.highestDmaAddress;
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.#port.kernel.trace.finding(
        this.#driverName,
        'Pages cannot be allocated without a valid DEVICE_DESCRIPTION from IMiniportWaveRT::GetDeviceDescription.',
        { status: error.status },
      );
      return -1;
    }
  }

  #checkOwn(method: string, mdl: MDL): readonly DmaRange[] {
    requireIrql(PASSIVE_LEVEL, `IPortWaveRTStream::${method}`);
    this.requireAlive(method);
    return (
      this.#allocated.get(mdl) ??
      this.#violation(
        RULE_ALLOCATE_AND_MAP_PAGES,
        `IPortWaveRTStream::${method}: the MDL is not (or no longer) one that this stream allocated.`,
      )
    );
  }

  #keep(mdl: MDL | null): MDL | null {
    if (mdl === null) return null;
    const ranges = contiguousRuns(mdl);
    if (this.#busDevice !== null) {
      const { memory } = this.#port.kernel;
      for (const { physicalAddress, length } of ranges)
        memory.mapForDma(this.#busDevice, physicalAddress, length);
    }
    this.#allocated.set(mdl, ranges);
    return mdl;
  }

  #closeDma(ranges: readonly DmaRange[]): void {
    if (this.#busDevice === null) return;
    const { memory } = this.#port.kernel;
    for (const { physicalAddress, length } of ranges)
      memory.unmapForDma(this.#busDevice, physicalAddress, length);
  }

  #violation(rule: number, text: string): never {
    return this.#port.kernel.bugcheck(
      BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
      [rule, 0, 0, 0],
      text,
      {
        driver: this.#driverName,
      },
    );
  }
}

function contiguousRuns(mdl: MDL): readonly DmaRange[] {
  const ranges: DmaRange[] = [];
  const { pages } = mdl;
  for (let i = 0; i < pages.length; ) {
    const first = pages[i] as number;
    let count = 1;
    while (pages[i + count] === first + count) count++;
    ranges.push({ physicalAddress: first * PAGE_SIZE, length: count * PAGE_SIZE });
    i += count;
  }
  return ranges;
}
