import {
  BugcheckCode,
  currentKernel,
  DISPATCH_LEVEL,
  type Kernel,
  type MEMORY_CACHING_TYPE,
  MM_SYSTEM_RANGE_START,
  MmNonCached,
  type ObjectRecord,
  PAGE_SIZE,
  requireIrql,
} from '../kernel/index.ts';

/**
 * System addresses of mapped device memory are the physical address plus this, so that a translation is one subtraction, and far from
 * physical addresses, so that a driver that forgets to map is caught at its first access.
 */
const IO_SPACE_BASE = MM_SYSTEM_RANGE_START;
/** Other system addresses begin this much higher. */
const IO_SPACE_BYTES = 2 ** 48;

interface IoMapping {
  readonly start: number;
  readonly end: number;
  readonly record: ObjectRecord;
}

const mappingsOfKernel = new WeakMap<Kernel, IoMapping[]>();

// The last range that an access fell into: registers are touched in bursts, and the look-up must cost nothing.
let lastKernel: Kernel | null = null;
let lastStart = 0;
let lastEnd = 0;

/**
 * MmMapIoSpace: makes device memory (a translated resource of type Memory) reachable and returns its system address, for
 * READ_REGISTER_* and WRITE_REGISTER_*. Device registers are never cached here, whatever `cacheType` says. IRQL <= DISPATCH_LEVEL. What is never unmapped appears in the leak report.
 */
export function mmMapIoSpace(
  physicalAddress: number,
  numberOfBytes: number,
  _cacheType: MEMORY_CACHING_TYPE = MmNonCached,
): number {
  requireIrql(DISPATCH_LEVEL, 'MmMapIoSpace');
  const kernel: Kernel = currentKernel();
  if (!(numberOfBytes > 0) || physicalAddress < 0 || physicalAddress + numberOfBytes > IO_SPACE_BYTES) {
    kernel.bugcheck(
      BugcheckCode.MEMORY_MANAGEMENT,
      [physicalAddress, numberOfBytes, 0, 0],
      `MmMapIoSpace of ${numberOfBytes} bytes at physical address 0x${physicalAddress.toString(16)}: not a range of memory.`,
    );
  }
  const record = kernel.objects.register(
    'I/O mapping',
    `0x${physicalAddress.toString(16)}, ${numberOfBytes} bytes`,
  );
  const start = IO_SPACE_BASE + physicalAddress;
  let mappings = mappingsOfKernel.get(kernel);
  if (!mappings) {
    mappings = [];
    mappingsOfKernel.set(kernel, mappings);
  }
  mappings.push({ start, end: start + numberOfBytes, record });
  return start;
}

/**
 * MmUnmapIoSpace: ends what {@link mmMapIoSpace} began; address and length must be the same. IRQL <= DISPATCH_LEVEL.
 * Bugcheck MEMORY_MANAGEMENT when there is no such mapping.
 */
export function mmUnmapIoSpace(baseAddress: number, numberOfBytes: number): void {
  requireIrql(DISPATCH_LEVEL, 'MmUnmapIoSpace');
  const kernel: Kernel = currentKernel();
  const mappings = mappingsOfKernel.get(kernel) ?? [];
  const index = mappings.findIndex(
    ({ start, end }) => start === baseAddress && end - start === numberOfBytes,
  );
  const mapping = mappings[index];
  if (!mapping) {
    kernel.bugcheck(
      BugcheckCode.MEMORY_MANAGEMENT,
      [baseAddress, numberOfBytes, 0, 0],
      `MmUnmapIoSpace of ${numberOfBytes} bytes at 0x${baseAddress.toString(16)}: nothing is mapped so; pass what MmMapIoSpace took and returned.`,
    );
  }
  mappings.splice(index, 1);
  kernel.objects.remove(mapping.record);
  lastKernel = null;
}

/**
 * The physical address behind a system address that mmMapIoSpace returned, for an access of `size` bytes. Bugcheck
 * PAGE_FAULT_IN_NONPAGED_AREA when nothing is mapped there.
 */
export function ioSpaceToPhysical(kernel: Kernel, address: number, size: number): number {
  if (kernel === lastKernel && address >= lastStart && address + size <= lastEnd)
    return address - IO_SPACE_BASE;
  return findMapping(kernel, address, size);
}

function findMapping(kernel: Kernel, address: number, size: number): number {
  const mappings = mappingsOfKernel.get(kernel) ?? [];
  const mapping = mappings.find(({ start, end }) => address >= start && address + size <= end);
  if (mapping) {
    lastKernel = kernel;
    lastStart = mapping.start;
    lastEnd = mapping.end;
    return address - IO_SPACE_BASE;
  }
  // The processor maps whole pages: an access beyond the mapping but on its last page works on a PC, and is a bug all the same.
  const samePage = mappings.find(
    ({ start, end }) => address >= start && address + size <= Math.ceil(end / PAGE_SIZE) * PAGE_SIZE,
  );
  if (samePage) {
    kernel.trace.finding(
      kernel.currentDriver ?? 'driver',
      `Register access at offset 0x${(address - samePage.start).toString(16)} of a mapping of ` +
        `${samePage.end - samePage.start} bytes: beyond what MmMapIoSpace was asked for.`,
      { address: address - IO_SPACE_BASE, size },
    );
    return address - IO_SPACE_BASE;
  }
  return kernel.bugcheck(
    BugcheckCode.PAGE_FAULT_IN_NONPAGED_AREA,
    [address, 0, 0, 0],
    address < IO_SPACE_BASE
      ? `Register access at 0x${address.toString(16)}, which is no mapped address. Was a physical address used without MmMapIoSpace?`
      : `Register access at physical address 0x${(address - IO_SPACE_BASE).toString(16)}, which is not (or no longer) mapped.`,
  );
}
