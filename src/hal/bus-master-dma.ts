import {
  ADDRESS_AND_SIZE_TO_SPAN_PAGES,
  BugcheckCode,
  currentKernel,
  type DEVICE_OBJECT,
  DISPATCH_LEVEL,
  type Kernel,
  type MDL,
  MM_HIGHEST_PHYSICAL_ADDRESS,
  MmCached,
  mdlPhysicalAddress,
  mmAllocateContiguousMemorySpecifyCache,
  mmFreeContiguousMemory,
  NtError,
  type ObjectRecord,
  PAGE_SIZE,
  PASSIVE_LEVEL,
  requireIrql,
  requireIrqlAtLeast,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_PARAMETER,
} from '../kernel/index.ts';
import {
  type CommonBuffer,
  type DEVICE_DESCRIPTION,
  DEVICE_DESCRIPTION_VERSION3,
  DeallocateObjectKeepRegisters,
  type DMA_ADAPTER,
  type DRIVER_CONTROL,
  KeepObject,
  type MapRegisterBase,
  type SCATTER_GATHER_ELEMENT,
  type SCATTER_GATHER_LIST,
} from './dma-types.ts';

/** What a bus master with 24 address lines reaches: one that drives neither 32 nor 64 address bits. */
const ISA_HIGHEST_ADDRESS = 0xff_ffff;
const HIGHEST_ADDRESS_32 = 0xffff_ffff;

/** A run of a buffer that is contiguous in RAM. */
interface BufferRun {
  /** Offset in the MDL chain. */
  readonly offset: number;
  readonly physical: number;
  readonly length: number;
}

/** Map registers: pages the device can address, standing for a run of the buffer that it cannot. */
interface Bounce {
  readonly run: BufferRun;
  readonly pages: readonly number[];
  /** Where the run's first byte lies in the pages. */
  readonly physical: number;
}

/** A part of a buffer that is open to the device. */
interface Transfer {
  readonly offset: number;
  readonly length: number;
  readonly mapRegisters: number;
  readonly elements: readonly SCATTER_GATHER_ELEMENT[];
  readonly bounces: readonly Bounce[];
}

class MapRegisters implements MapRegisterBase {
  readonly transfers: Transfer[] = [];
  readonly numberOfMapRegisters: number;

  constructor(numberOfMapRegisters: number) {
    this.numberOfMapRegisters = numberOfMapRegisters;
  }
}

interface WaitingDriver {
  readonly deviceObject: DEVICE_OBJECT;
  readonly numberOfMapRegisters: number;
  readonly executionRoutine: DRIVER_CONTROL;
  readonly context: unknown;
}

/** The highest address a device of this description can put on the bus. */
export function highestDmaAddress(description: DEVICE_DESCRIPTION): number {
  if (description.version === DEVICE_DESCRIPTION_VERSION3) {
    const bits = description.dmaAddressWidth ?? 0;
    if (!(bits >= 16 && bits <= 64)) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `DEVICE_DESCRIPTION.DmaAddressWidth ${bits}: a version 3 description needs 16 to 64.`,
      );
    }
    return Math.min(MM_HIGHEST_PHYSICAL_ADDRESS, 2 ** bits - 1);
  }
  if (description.dma64BitAddresses) return MM_HIGHEST_PHYSICAL_ADDRESS;
  return description.dma32BitAddresses ? HIGHEST_ADDRESS_32 : ISA_HIGHEST_ADDRESS;
}

/** Where memory for transfers must lie, when the description does not say it all. */
export interface DmaLimits {
  readonly highestAddress: number;
  /** No transfer crosses a multiple of this power of two; 0 for none. */
  readonly boundaryBytes: number;
}

/**
 * The DMA adapter of a device that masters the bus. Everything it opens to the device is entered in the machine's DMA isolation for
 * that device, to the byte, and taken out when it is freed.
 */
export class BusMasterDmaAdapter implements DMA_ADAPTER {
  readonly version = 1;
  readonly numberOfMapRegisters: number;
  readonly #kernel: Kernel;
  readonly #busDevice: string;
  readonly #scatterGather: boolean;
  readonly #highestAddress: number;
  readonly #boundaryBytes: number;
  readonly #record: ObjectRecord;
  readonly #lists = new Map<SCATTER_GATHER_LIST, Transfer>();
  readonly #commonBuffers = new Set<CommonBuffer>();
  readonly #waiting: WaitingDriver[] = [];
  /** The channel belongs to a driver whose AdapterControl routine is executing, or said KeepObject. */
  #channel: MapRegisters | null = null;
  #openRegisters = 0;
  #put = false;

  /**
   * @param busDevice the device's id as bus master (`pci:00:05.0`)
   * @param limits instead of what the description says of addresses
   * @throws NtError STATUS_INVALID_PARAMETER for a description that makes no sense
   */
  constructor(kernel: Kernel, busDevice: string, description: DEVICE_DESCRIPTION, limits?: DmaLimits) {
    if (!(description.maximumLength > 0)) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        'DEVICE_DESCRIPTION.MaximumLength must be the bytes of the largest transfer.',
      );
    }
    this.#kernel = kernel;
    this.#busDevice = busDevice;
    this.#scatterGather = description.scatterGather ?? false;
    this.#highestAddress = limits?.highestAddress ?? highestDmaAddress(description);
    this.#boundaryBytes = limits?.boundaryBytes ?? 0;
    // One more than the pages of the longest transfer, since it need not begin on a page boundary.
    this.numberOfMapRegisters = Math.ceil(description.maximumLength / PAGE_SIZE) + 1;
    this.#record = kernel.objects.register('DMA_ADAPTER', busDevice);
  }

  putDmaAdapter(): void {
    this.#check('PutDmaAdapter');
    const left = this.#commonBuffers.size + this.#lists.size + this.#openRegisters;
    if (left > 0) {
      this.#kernel.trace.finding(
        this.#kernel.currentDriver ?? this.#busDevice,
        `PutDmaAdapter while ${this.#commonBuffers.size} common buffer(s) and ${this.#lists.size + this.#openRegisters} ` +
          'transfer(s) of the adapter are not freed.',
        { busDevice: this.#busDevice },
      );
    }
    this.#put = true;
    this.#kernel.objects.remove(this.#record);
  }

  allocateCommonBuffer(length: number, _cacheEnabled: boolean): CommonBuffer {
    requireIrql(PASSIVE_LEVEL, 'AllocateCommonBuffer');
    this.#check('AllocateCommonBuffer');
    const mapping = mmAllocateContiguousMemorySpecifyCache(
      length,
      0,
      this.#highestAddress,
      this.#boundaryBytes,
      MmCached,
    );
    if (mapping === null) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `AllocateCommonBuffer: no ${length} contiguous bytes free up to address 0x${this.#highestAddress.toString(16)}.`,
      );
    }
    mapping.fill(0, length, 0);
    const logicalAddress = mapping.physicalAddress(0);
    const buffer = Object.assign(mapping, { logicalAddress });
    this.#kernel.memory.mapForDma(this.#busDevice, logicalAddress, length);
    this.#commonBuffers.add(buffer);
    return buffer;
  }

  freeCommonBuffer(buffer: CommonBuffer): void {
    requireIrql(PASSIVE_LEVEL, 'FreeCommonBuffer');
    this.#check('FreeCommonBuffer');
    if (!this.#commonBuffers.delete(buffer)) {
      this.#violation('FreeCommonBuffer: this is no common buffer of the adapter, or was freed before.');
    }
    this.#kernel.memory.unmapForDma(this.#busDevice, buffer.logicalAddress, buffer.byteLength);
    mmFreeContiguousMemory(buffer);
  }

  getScatterGatherList(
    mdl: MDL,
    offset: number,
    length: number,
    _writeToDevice: boolean,
  ): SCATTER_GATHER_LIST {
    requireIrql(DISPATCH_LEVEL, 'GetScatterGatherList');
    this.#check('GetScatterGatherList');
    const runs = this.#runsOf(mdl, offset, length, 'GetScatterGatherList');
    this.requireMapRegisters(spannedPages(runs), 'GetScatterGatherList');
    const transfer = this.#open(runs, offset, length);
    const list: SCATTER_GATHER_LIST = {
      numberOfElements: transfer.elements.length,
      elements: transfer.elements,
    };
    this.#lists.set(list, transfer);
    return list;
  }

  putScatterGatherList(list: SCATTER_GATHER_LIST, writeToDevice: boolean): void {
    requireIrql(DISPATCH_LEVEL, 'PutScatterGatherList');
    this.#check('PutScatterGatherList');
    const transfer = this.#lists.get(list);
    if (!transfer)
      this.#violation('PutScatterGatherList: this is no list of the adapter, or was put before.');
    this.#lists.delete(list);
    this.#close(transfer, writeToDevice);
  }

  allocateAdapterChannel(
    deviceObject: DEVICE_OBJECT,
    numberOfMapRegisters: number,
    executionRoutine: DRIVER_CONTROL,
    context: unknown,
  ): void {
    requireIrql(DISPATCH_LEVEL, 'AllocateAdapterChannel');
    requireIrqlAtLeast(DISPATCH_LEVEL, 'AllocateAdapterChannel');
    this.#check('AllocateAdapterChannel');
    this.requireMapRegisters(numberOfMapRegisters, 'AllocateAdapterChannel');
    this.#waiting.push({ deviceObject, numberOfMapRegisters, executionRoutine, context });
    this.#runWaiting();
  }

  mapTransfer(
    mdl: MDL,
    mapRegisterBase: MapRegisterBase,
    offset: number,
    length: number,
    _writeToDevice: boolean,
  ): { readonly logicalAddress: number; readonly length: number } {
    requireIrql(DISPATCH_LEVEL, 'MapTransfer');
    this.#check('MapTransfer');
    const registers = this.#registers(mapRegisterBase, 'MapTransfer');
    const runs = this.#runsOf(mdl, offset, length, 'MapTransfer');
    const first = runs[0];
    if (first === undefined) throw new NtError(STATUS_INVALID_PARAMETER, 'MapTransfer of no bytes.');
    // A device with scatter/gather gets as much as is contiguous and asks again; the other gets it all, made contiguous if need be.
    const piece = this.#scatterGather ? [first] : runs;
    const pieceLength = this.#scatterGather ? first.length : length;
    const inUse = registers.transfers.reduce((sum, transfer) => sum + transfer.mapRegisters, 0);
    if (inUse + spannedPages(piece) > registers.numberOfMapRegisters) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `MapTransfer: the transfer needs more than the ${registers.numberOfMapRegisters} map registers allocated for it.`,
      );
    }
    const transfer = this.#open(piece, offset, pieceLength);
    registers.transfers.push(transfer);
    return { logicalAddress: transfer.elements[0]?.address ?? 0, length: pieceLength };
  }

  flushAdapterBuffers(
    _mdl: MDL,
    mapRegisterBase: MapRegisterBase,
    offset: number,
    length: number,
    writeToDevice: boolean,
  ): boolean {
    requireIrql(DISPATCH_LEVEL, 'FlushAdapterBuffers');
    this.#check('FlushAdapterBuffers');
    const registers = this.#registers(mapRegisterBase, 'FlushAdapterBuffers');
    for (let i = registers.transfers.length - 1; i >= 0; i--) {
      const transfer = registers.transfers[i];
      if (!transfer || transfer.offset < offset || transfer.offset + transfer.length > offset + length)
        continue;
      registers.transfers.splice(i, 1);
      this.#close(transfer, writeToDevice);
    }
    return true;
  }

  freeAdapterChannel(): void {
    requireIrql(DISPATCH_LEVEL, 'FreeAdapterChannel');
    this.#check('FreeAdapterChannel');
    if (this.#channel === null) this.#violation('FreeAdapterChannel: no driver holds the channel.');
    this.#releaseRegisters(this.#channel, 'FreeAdapterChannel');
    this.#channel = null;
    this.#runWaiting();
  }

  freeMapRegisters(mapRegisterBase: MapRegisterBase, numberOfMapRegisters: number): void {
    requireIrql(DISPATCH_LEVEL, 'FreeMapRegisters');
    this.#check('FreeMapRegisters');
    const registers = this.#registers(mapRegisterBase, 'FreeMapRegisters');
    if (numberOfMapRegisters !== registers.numberOfMapRegisters) {
      this.#violation(
        `FreeMapRegisters of ${numberOfMapRegisters} map registers; AllocateAdapterChannel gave ${registers.numberOfMapRegisters}.`,
      );
    }
    this.#releaseRegisters(registers, 'FreeMapRegisters');
  }

  getDmaAlignment(): number {
    this.#check('GetDmaAlignment');
    return 1;
  }

  readDmaCounter(): number {
    this.#check('ReadDmaCounter');
    return 0;
  }

  #runWaiting(): void {
    while (this.#channel === null) {
      const next = this.#waiting.shift();
      if (!next) return;
      const registers = new MapRegisters(next.numberOfMapRegisters);
      this.#channel = registers;
      this.#openRegisters++;
      const driver = next.deviceObject.driverObject.shortName;
      const action = this.#kernel.callOut(driver, 'AdapterControl', () =>
        next.executionRoutine(next.deviceObject, null, registers, next.context),
      );
      if (action === KeepObject) return;
      this.#channel = null;
      if (action !== DeallocateObjectKeepRegisters) this.#releaseRegisters(registers, 'AdapterControl');
    }
  }

  #releaseRegisters(registers: MapRegisters, ddi: string): void {
    if (registers.transfers.length > 0) {
      this.#violation(`${ddi}: a transfer is still mapped; call FlushAdapterBuffers before.`);
    }
    this.#openRegisters--;
  }

  #registers(base: MapRegisterBase, ddi: string): MapRegisters {
    if (!(base instanceof MapRegisters))
      return this.#violation(`${ddi}: the map register base is none of AllocateAdapterChannel's.`);
    return base;
  }

  /** The buffer from `offset` on in runs that are contiguous in RAM, through chained MDLs. */
  #runsOf(mdl: MDL, offset: number, length: number, ddi: string): BufferRun[] {
    const runs: BufferRun[] = [];
    let skipped = 0;
    let at = offset;
    const end = offset + length;
    for (let part: MDL | null = mdl; part !== null && at < end; part = part.next) {
      const partEnd = skipped + part.byteCount;
      while (at < Math.min(partEnd, end)) {
        const physical = mdlPhysicalAddress(part, at - skipped);
        const pageLength = Math.min(PAGE_SIZE - (physical % PAGE_SIZE), partEnd - at, end - at);
        const last = runs.at(-1);
        // A run is wholly within or wholly beyond what the device can address, and split by pages beyond: a map register is one page.
        const reachable = physical + pageLength - 1 <= this.#highestAddress;
        if (
          last &&
          reachable &&
          last.physical + last.length === physical &&
          last.physical <= this.#highestAddress
        ) {
          runs[runs.length - 1] = { ...last, length: last.length + pageLength };
        } else {
          runs.push({ offset: at, physical, length: pageLength });
        }
        at += pageLength;
      }
      skipped = partEnd;
    }
    if (at < end) {
      throw new NtError(
        STATUS_BUFFER_TOO_SMALL,
        `${ddi}: ${length} bytes from offset ${offset}, but the MDL ends at ${at}.`,
      );
    }
    return runs;
  }

  #open(runs: readonly BufferRun[], offset: number, length: number): Transfer {
    const bounces: Bounce[] = [];
    const elements: SCATTER_GATHER_ELEMENT[] = [];
    try {
      const single = runs[0];
      if (!this.#scatterGather && (runs.length > 1 || (single && !this.#reaches(single)))) {
        const run: BufferRun = { offset, physical: single?.physical ?? 0, length };
        const bounce = this.#bounce(run, runs);
        bounces.push(bounce);
        elements.push({ address: bounce.physical, length });
      } else {
        for (const run of runs) {
          const bounce = this.#reaches(run) ? null : this.#bounce(run, [run]);
          if (bounce) bounces.push(bounce);
          appendElement(elements, bounce?.physical ?? run.physical, run.length);
        }
      }
    } catch (error) {
      for (const bounce of bounces) this.#kernel.memory.releasePages(bounce.pages, 'map registers');
      throw error;
    }
    for (const { address, length: bytes } of elements)
      this.#kernel.memory.mapForDma(this.#busDevice, address, bytes);
    return {
      offset,
      length,
      mapRegisters: spannedPages(runs),
      elements,
      bounces: this.#scatterGather ? bounces : splitBounces(bounces, runs),
    };
  }

  #reaches(run: BufferRun): boolean {
    const last = run.physical + run.length - 1;
    const boundary = this.#boundaryBytes;
    if (boundary !== 0 && Math.floor(run.physical / boundary) !== Math.floor(last / boundary)) return false;
    return last <= this.#highestAddress;
  }

  /**
   * Map registers for a run, filled with the buffer's present contents whatever the direction: what the device leaves unwritten comes
   * back as it was.
   */
  #bounce(run: BufferRun, sources: readonly BufferRun[]): Bounce {
    const inPage = run.physical % PAGE_SIZE;
    const count = ADDRESS_AND_SIZE_TO_SPAN_PAGES(inPage, run.length);
    const pages = this.#kernel.memory.allocatePages(count, {
      highest: this.#highestAddress,
      contiguous: true,
      boundary: this.#boundaryBytes,
    });
    if (pages === null) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `No ${count} contiguous page(s) below 0x${this.#highestAddress.toString(16)} are free for map registers.`,
      );
    }
    const physical = (pages[0] ?? 0) * PAGE_SIZE + inPage;
    for (const source of sources)
      this.#copy(source.physical, physical + (source.offset - run.offset), source.length);
    return { run, pages, physical };
  }

  #close(transfer: Transfer, writeToDevice: boolean): void {
    for (const { address, length } of transfer.elements)
      this.#kernel.memory.unmapForDma(this.#busDevice, address, length);
    if (!writeToDevice) {
      for (const { physical, run } of transfer.bounces) this.#copy(physical, run.physical, run.length);
    }
    for (const { pages } of transfer.bounces) this.#kernel.memory.releasePages(pages, 'map registers');
  }

  #copy(from: number, to: number, length: number): void {
    const { ram } = this.#kernel.platform;
    const scratch = new Uint8Array(length);
    ram.read(from, scratch);
    ram.write(to, scratch);
  }

  /** Throws STATUS_INSUFFICIENT_RESOURCES when the adapter has fewer map registers. */
  requireMapRegisters(count: number, ddi: string): void {
    if (count > this.numberOfMapRegisters) {
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `${ddi} needs ${count} map registers; the adapter has ${this.numberOfMapRegisters}. Is MaximumLength too small?`,
      );
    }
  }

  #check(ddi: string): void {
    if (this.#put) this.#violation(`${ddi} on a DMA adapter after PutDmaAdapter.`);
    if (currentKernel() !== this.#kernel) this.#violation(`${ddi} on a DMA adapter of another machine.`);
  }

  #violation(text: string): never {
    return this.#kernel.bugcheck(BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION, [0, 0, 0, 0], text);
  }
}

function spannedPages(runs: readonly BufferRun[]): number {
  return runs.reduce((sum, run) => sum + ADDRESS_AND_SIZE_TO_SPAN_PAGES(run.physical, run.length), 0);
}

/** Appends a piece, joined with the one before when they are neighbours on the bus. */
function appendElement(elements: SCATTER_GATHER_ELEMENT[], address: number, length: number): void {
  const last = elements.at(-1);
  if (last && last.address + last.length === address) {
    elements[elements.length - 1] = { address: last.address, length: last.length + length };
  } else {
    elements.push({ address, length });
  }
}

/** One bounce over many runs, as one per run for copying back; the pages stay with the first. */
function splitBounces(bounces: readonly Bounce[], runs: readonly BufferRun[]): Bounce[] {
  const whole = bounces[0];
  if (!whole) return [];
  return runs.map((run, i) => ({
    run,
    pages: i === 0 ? whole.pages : [],
    physical: whole.physical + (run.offset - whole.run.offset),
  }));
}
