/** What a driver and the DMA services say to each other (wdm.h: DEVICE_DESCRIPTION, DMA_ADAPTER with its operations, SCATTER_GATHER_LIST). */
import type { DEVICE_OBJECT, INTERFACE_TYPE, IRP, MDL, SystemMapping } from '../kernel/index.ts';

export const DEVICE_DESCRIPTION_VERSION = 0;
export const DEVICE_DESCRIPTION_VERSION1 = 1;
export const DEVICE_DESCRIPTION_VERSION2 = 2;
export const DEVICE_DESCRIPTION_VERSION3 = 3;

/** DMA_WIDTH, for devices that use the system's DMA controller. */
export type DMA_WIDTH = 'Width8Bits' | 'Width16Bits' | 'Width32Bits';
/** DMA_SPEED, for devices that use the system's DMA controller. */
export type DMA_SPEED = 'Compatible' | 'TypeA' | 'TypeB' | 'TypeC' | 'TypeF';

/** DEVICE_DESCRIPTION: what a device can do, for {@link ioGetDmaAdapter}. What is left out is zero or FALSE, as in C. */
export interface DEVICE_DESCRIPTION {
  /** DEVICE_DESCRIPTION_VERSION*. Version 3 describes the address width by `dmaAddressWidth`. */
  readonly version?: number;
  /** The device masters the bus. */
  readonly master: boolean;
  /** It takes lists of pieces; otherwise every transfer must be one piece of bus addresses. */
  readonly scatterGather?: boolean;
  readonly demandMode?: boolean;
  readonly autoInitialize?: boolean;
  readonly dma32BitAddresses?: boolean;
  readonly ignoreCount?: boolean;
  readonly dma64BitAddresses?: boolean;
  readonly busNumber?: number;
  /** Channel of the system's DMA controller. */
  readonly dmaChannel?: number;
  readonly interfaceType?: INTERFACE_TYPE;
  readonly dmaWidth?: DMA_WIDTH;
  readonly dmaSpeed?: DMA_SPEED;
  /** Bytes of the largest transfer. */
  readonly maximumLength: number;
  readonly dmaPort?: number;
  /** Version 3: number of address bits that the device drives. */
  readonly dmaAddressWidth?: number;
}

/** One piece of a transfer, contiguous in bus addresses. */
export interface SCATTER_GATHER_ELEMENT {
  /** Logical (bus) address. */
  readonly address: number;
  /** Bytes. */
  readonly length: number;
}

/** SCATTER_GATHER_LIST: a buffer as the device sees it. */
export interface SCATTER_GATHER_LIST {
  readonly numberOfElements: number;
  readonly elements: readonly SCATTER_GATHER_ELEMENT[];
}

/** A common buffer: processor and device reach it at the same time; `logicalAddress` is where the device does. */
export type CommonBuffer = SystemMapping & { readonly logicalAddress: number };

/** What an AdapterControl routine returns (IO_ALLOCATION_ACTION): who keeps what until when. */
export const KeepObject = 1;
export const DeallocateObject = 2;
export const DeallocateObjectKeepRegisters = 3;
export type IO_ALLOCATION_ACTION = 1 | 2 | 3;

/** Map registers of one transfer, from allocateAdapterChannel. */
export interface MapRegisterBase {
  readonly numberOfMapRegisters: number;
}

/** AdapterControl: called at DISPATCH_LEVEL when the adapter and the map registers are the driver's. `irp` is null here. */
export type DRIVER_CONTROL = (
  deviceObject: DEVICE_OBJECT,
  irp: IRP | null,
  mapRegisterBase: MapRegisterBase,
  context: unknown,
) => IO_ALLOCATION_ACTION;

/**
 * DMA_ADAPTER with its DMA_OPERATIONS as methods. Unless a method says otherwise it may be called up to DISPATCH_LEVEL, and using an
 * adapter after {@link putDmaAdapter} is a bugcheck.
 */
export interface DMA_ADAPTER {
  /** Always 1 (DDI page IoGetDmaAdapter). */
  readonly version: number;
  /** The largest number of map registers of one transfer: IoGetDmaAdapter's out-parameter. */
  readonly numberOfMapRegisters: number;

  /** PutDmaAdapter: the driver is done with the adapter; its common buffers and transfers are freed before. */
  putDmaAdapter(): void;

  /**
   * AllocateCommonBuffer: contiguous memory, zeroed, within the device's address range and open to its DMA. PASSIVE_LEVEL.
   * Throws STATUS_INSUFFICIENT_RESOURCES.
   */
  allocateCommonBuffer(length: number, cacheEnabled: boolean): CommonBuffer;

  /** FreeCommonBuffer. The device's access ends before the memory is free. PASSIVE_LEVEL. */
  freeCommonBuffer(buffer: CommonBuffer): void;

  /**
   * GetScatterGatherList, without the detour over an AdapterListControl routine: opens `length` bytes of a buffer from `offset` on to
   * the device and says where it finds them. Pages that the device cannot address are replaced by map registers (pages that it can),
   * filled first when `writeToDevice`. Adjacent pieces are one element; a device without scatter/gather gets one element always.
   *
   * @throws NtError STATUS_BUFFER_TOO_SMALL when the MDL is shorter; STATUS_INSUFFICIENT_RESOURCES when it needs more map registers
   * than the adapter has, or memory for them is short
   */
  getScatterGatherList(mdl: MDL, offset: number, length: number, writeToDevice: boolean): SCATTER_GATHER_LIST;

  /** PutScatterGatherList: closes the access again and, when the device wrote, copies map registers to the buffer. */
  putScatterGatherList(list: SCATTER_GATHER_LIST, writeToDevice: boolean): void;

  /**
   * AllocateAdapterChannel: calls `executionRoutine` at DISPATCH_LEVEL as soon as the adapter is free, at once when it is. DISPATCH_LEVEL.
   * Throws STATUS_INSUFFICIENT_RESOURCES for more map registers than the adapter has.
   */
  allocateAdapterChannel(
    deviceObject: DEVICE_OBJECT,
    numberOfMapRegisters: number,
    executionRoutine: DRIVER_CONTROL,
    context: unknown,
  ): void;

  /**
   * MapTransfer: opens the next piece of a transfer to the device. Returns the piece's logical address and its length, which may be
   * less than asked for: a device with scatter/gather calls again for the rest. DISPATCH_LEVEL.
   */
  mapTransfer(
    mdl: MDL,
    mapRegisterBase: MapRegisterBase,
    offset: number,
    length: number,
    writeToDevice: boolean,
  ): { readonly logicalAddress: number; readonly length: number };

  /**
   * FlushAdapterBuffers: ends the pieces that mapTransfer opened with these map registers and, when the device wrote, copies its data to
   * the buffer. Returns true: nothing here can fail to be flushed.
   */
  flushAdapterBuffers(
    mdl: MDL,
    mapRegisterBase: MapRegisterBase,
    offset: number,
    length: number,
    writeToDevice: boolean,
  ): boolean;

  /** FreeAdapterChannel, after an AdapterControl routine returned KeepObject. */
  freeAdapterChannel(): void;

  /** FreeMapRegisters, after an AdapterControl routine returned DeallocateObjectKeepRegisters. */
  freeMapRegisters(mapRegisterBase: MapRegisterBase, numberOfMapRegisters: number): void;

  /** GetDmaAlignment: addresses and lengths of transfers are multiples of this. */
  getDmaAlignment(): number;

  /** ReadDmaCounter: bytes left to transfer, where the system's DMA controller does it; 0 for a bus master. */
  readDmaCounter(): number;
}
