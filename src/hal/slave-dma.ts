import {
  BugcheckCode,
  type DEVICE_OBJECT,
  DISPATCH_LEVEL,
  type Kernel,
  type MDL,
  NtError,
  requireIrql,
  requireIrqlAtLeast,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
} from '../kernel/index.ts';
import { BusMasterDmaAdapter } from './bus-master-dma.ts';
import {
  type CommonBuffer,
  type DEVICE_DESCRIPTION,
  type DMA_ADAPTER,
  type DRIVER_CONTROL,
  KeepObject,
  type MapRegisterBase,
  type SCATTER_GATHER_LIST,
} from './dma-types.ts';
import { ISA_DMA_BUS_DEVICE, type IsaDmaChannel, isaDmaChannel } from './isa-dma.ts';

/** The controllers drive 24 address lines. */
const HIGHEST_ADDRESS = 0xff_ffff;

/**
 * The DMA adapter of a device that the system's DMA controller moves data for (Master is FALSE). Memory is opened to the controller, as
 * bus device `isa-dma`, and lies below 16 MiB within one page of the channel: 64 KiB for channels 0–3, 128 KiB for 5–7. MapTransfer
 * programs the channel and opens it; FlushAdapterBuffers closes it. With AutoInitialize the transfer repeats until then.
 */
export class SlaveDmaAdapter implements DMA_ADAPTER {
  readonly version = 1;
  readonly #kernel: Kernel;
  readonly #memory: BusMasterDmaAdapter;
  readonly #channel: IsaDmaChannel;
  readonly #autoInitialize: boolean;
  readonly #demandMode: boolean;
  /** The channel is this adapter's: between AllocateAdapterChannel and FreeAdapterChannel. */
  #holds = false;

  /** @throws NtError STATUS_INVALID_PARAMETER for a description that makes no sense */
  constructor(kernel: Kernel, description: DEVICE_DESCRIPTION) {
    const channel = isaDmaChannel(kernel, description.dmaChannel ?? -1);
    const { maximumLength, dmaWidth } = description;
    const width = channel.unitBytes === 1 ? 'Width8Bits' : 'Width16Bits';
    if (dmaWidth !== undefined && dmaWidth !== width) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `DEVICE_DESCRIPTION.DmaWidth ${dmaWidth}: channel ${channel.channel} is ${width}.`,
      );
    }
    this.#kernel = kernel;
    this.#channel = channel;
    this.#autoInitialize = description.autoInitialize ?? false;
    this.#demandMode = description.demandMode ?? false;
    this.#memory = new BusMasterDmaAdapter(
      kernel,
      ISA_DMA_BUS_DEVICE,
      { master: true, scatterGather: false, maximumLength: Math.min(maximumLength, channel.pageBytes) },
      { highestAddress: HIGHEST_ADDRESS, boundaryBytes: channel.pageBytes },
    );
  }

  get numberOfMapRegisters(): number {
    return this.#memory.numberOfMapRegisters;
  }

  putDmaAdapter(): void {
    this.#memory.putDmaAdapter();
  }

  allocateCommonBuffer(length: number, cacheEnabled: boolean): CommonBuffer {
    return this.#memory.allocateCommonBuffer(length, cacheEnabled);
  }

  freeCommonBuffer(buffer: CommonBuffer): void {
    this.#memory.freeCommonBuffer(buffer);
  }

  getScatterGatherList(): SCATTER_GATHER_LIST {
    throw new NtError(
      STATUS_NOT_SUPPORTED,
      'GetScatterGatherList: the DMA controller takes one piece; use AllocateAdapterChannel and MapTransfer.',
    );
  }

  putScatterGatherList(list: SCATTER_GATHER_LIST, writeToDevice: boolean): void {
    this.#memory.putScatterGatherList(list, writeToDevice);
  }

  allocateAdapterChannel(
    deviceObject: DEVICE_OBJECT,
    numberOfMapRegisters: number,
    executionRoutine: DRIVER_CONTROL,
    context: unknown,
  ): void {
    requireIrql(DISPATCH_LEVEL, 'AllocateAdapterChannel');
    requireIrqlAtLeast(DISPATCH_LEVEL, 'AllocateAdapterChannel');
    this.#memory.requireMapRegisters(numberOfMapRegisters, 'AllocateAdapterChannel');
    // Devices that share the channel wait for each other here, so that this adapter's own queue is never longer than one.
    this.#channel.acquire(() => {
      this.#holds = true;
      let keeps = false;
      this.#memory.allocateAdapterChannel(
        deviceObject,
        numberOfMapRegisters,
        (device, irp, registers, itsContext) => {
          const action = executionRoutine(device, irp, registers, itsContext);
          keeps = action === KeepObject;
          return action;
        },
        context,
      );
      if (!keeps) this.#release();
    });
  }

  mapTransfer(
    mdl: MDL,
    mapRegisterBase: MapRegisterBase,
    offset: number,
    length: number,
    writeToDevice: boolean,
  ): { readonly logicalAddress: number; readonly length: number } {
    requireIrql(DISPATCH_LEVEL, 'MapTransfer');
    if (!this.#holds) {
      return this.#kernel.bugcheck(
        BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION,
        [0, 0, 0, 0],
        'MapTransfer without the channel: call AllocateAdapterChannel before and keep the object.',
      );
    }
    if (length > this.#channel.pageBytes) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `MapTransfer of ${length} bytes: DMA channel ${this.#channel.channel} moves ${this.#channel.pageBytes} at most.`,
      );
    }
    const piece = this.#memory.mapTransfer(mdl, mapRegisterBase, offset, length, writeToDevice);
    try {
      this.#channel.program({
        busAddress: piece.logicalAddress,
        lengthBytes: piece.length,
        writeToDevice,
        autoInitialize: this.#autoInitialize,
        demandMode: this.#demandMode,
      });
    } catch (error) {
      this.#memory.flushAdapterBuffers(mdl, mapRegisterBase, offset, length, writeToDevice);
      throw error;
    }
    return piece;
  }

  flushAdapterBuffers(
    mdl: MDL,
    mapRegisterBase: MapRegisterBase,
    offset: number,
    length: number,
    writeToDevice: boolean,
  ): boolean {
    requireIrql(DISPATCH_LEVEL, 'FlushAdapterBuffers');
    if (this.#holds) this.#channel.mask();
    return this.#memory.flushAdapterBuffers(mdl, mapRegisterBase, offset, length, writeToDevice);
  }

  freeAdapterChannel(): void {
    this.#memory.freeAdapterChannel();
    this.#release();
  }

  freeMapRegisters(mapRegisterBase: MapRegisterBase, numberOfMapRegisters: number): void {
    this.#memory.freeMapRegisters(mapRegisterBase, numberOfMapRegisters);
  }

  getDmaAlignment(): number {
    return this.#channel.unitBytes;
  }

  readDmaCounter(): number {
    return this.#holds ? this.#channel.remainingBytes() : 0;
  }

  #release(): void {
    if (!this.#holds) return;
    this.#holds = false;
    this.#channel.release();
  }
}
