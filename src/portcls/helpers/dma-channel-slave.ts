import type { IID, IUnknown } from '../../com/index.ts';
import {
  type DEVICE_DESCRIPTION,
  DeallocateObject,
  KeepObject,
  type MapRegisterBase,
} from '../../hal/index.ts';
import {
  currentKernel,
  type DEVICE_OBJECT,
  DISPATCH_LEVEL,
  ioFreeMdl,
  KEVENT,
  keLowerIrql,
  keRaiseIrql,
  keSetEvent,
  keStallExecutionProcessor,
  keWaitForSingleObject,
  type MDL,
  NtError,
  PAGE_SIZE,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_IO_TIMEOUT,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  TICKS_PER_SECOND,
} from '../../kernel/index.ts';
import { type IDmaChannel, type IDmaChannelSlave, IID_IDmaChannelSlave } from '../ddi/index.ts';
import { DmaChannel } from './dma-channel.ts';

/** How often WaitForTC looks (DDI page: rounded down to 10 microseconds). */
const POLL_MICROSECONDS = 10;
/** A channel of the DMA controller that another driver keeps for this long is not to be had. */
const CHANNEL_WAIT_TICKS = TICKS_PER_SECOND;

/** A transfer under way. */
interface Transfer {
  readonly mdl: MDL;
  readonly mapRegisterBase: MapRegisterBase;
  readonly mapSize: number;
  readonly writeToDevice: boolean;
}

/**
 * IDmaChannelSlave: the channel of the system's DMA controller is allocated when a transfer starts and given back when it stops, so
 * that several drivers can share one.
 */
export class DmaChannelSlave extends DmaChannel implements IDmaChannelSlave {
  #transfer: Transfer | null = null;

  constructor(
    outerUnknown: IUnknown | null,
    deviceObject: DEVICE_OBJECT,
    deviceDescription: DEVICE_DESCRIPTION,
  ) {
    super(outerUnknown, deviceObject, deviceDescription, 'DmaChannelSlave');
  }

  start(mapSize: number, writeToDevice: boolean): void {
    requireIrql(PASSIVE_LEVEL, 'IDmaChannelSlave::Start');
    if (this.#transfer !== null) throw new NtError(STATUS_UNSUCCESSFUL, 'the channel is started already');
    const buffer = this.systemAddress();
    if (buffer === null || !(mapSize > 0) || mapSize > this.allocatedBufferSize()) {
      throw new NtError(
        STATUS_UNSUCCESSFUL,
        `IDmaChannelSlave::Start: ${mapSize} bytes of a buffer of ${this.allocatedBufferSize()}`,
      );
    }
    const mdl = bufferMdl(this.physicalAddress(), buffer.byteLength);
    try {
      const mapRegisterBase = this.#allocateChannel(mapSize);
      const irql = keRaiseIrql(DISPATCH_LEVEL);
      try {
        this.#begin({ mdl, mapRegisterBase, mapSize, writeToDevice });
      } finally {
        keLowerIrql(irql);
      }
    } catch (error) {
      if (error instanceof NtError) ioFreeMdl(mdl);
      throw error;
    }
  }

  stop(): void {
    requireIrql(DISPATCH_LEVEL, 'IDmaChannelSlave::Stop');
    const transfer = this.#transfer;
    if (transfer === null) return;
    this.#transfer = null;
    const { mdl, mapRegisterBase, mapSize, writeToDevice } = transfer;
    const irql = keRaiseIrql(DISPATCH_LEVEL);
    try {
      this.adapter.flushAdapterBuffers(mdl, mapRegisterBase, 0, mapSize, writeToDevice);
      this.adapter.freeAdapterChannel();
    } finally {
      keLowerIrql(irql);
    }
    ioFreeMdl(mdl);
  }

  readCounter(): number {
    requireIrql(DISPATCH_LEVEL, 'IDmaChannelSlave::ReadCounter');
    return this.#transfer === null ? 0 : this.adapter.readDmaCounter();
  }

  waitForTC(timeoutMicroseconds: number): void {
    requireIrql(PASSIVE_LEVEL, 'IDmaChannelSlave::WaitForTC');
    if (this.#transfer === null) throw new NtError(STATUS_UNSUCCESSFUL, 'the channel is not started');
    let last = this.adapter.readDmaCounter();
    const polls = Math.floor(timeoutMicroseconds / POLL_MICROSECONDS);
    for (let poll = 0; last !== 0; poll++) {
      if (poll >= polls) {
        throw new NtError(
          STATUS_IO_TIMEOUT,
          `IDmaChannelSlave::WaitForTC: ${last} bytes are left after ${polls * POLL_MICROSECONDS} microseconds`,
        );
      }
      keStallExecutionProcessor(POLL_MICROSECONDS);
      const now = this.adapter.readDmaCounter();
      // An auto-initialising channel is in its next round already.
      if (now > last) return;
      last = now;
    }
  }

  override transferCount(): number {
    return this.#transfer?.mapSize ?? 0;
  }

  override freeBuffer(): void {
    this.stop();
    super.freeBuffer();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IDmaChannelSlave) ? this : super.nonDelegatingQueryInterface(iid);
  }

  #begin(transfer: Transfer): void {
    const { mdl, mapRegisterBase, mapSize, writeToDevice } = transfer;
    let length = 0;
    let failure: NtError | null = null;
    try {
      length = this.adapter.mapTransfer(mdl, mapRegisterBase, 0, mapSize, writeToDevice).length;
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      failure = error;
    }
    if (failure === null && length >= mapSize) {
      this.#transfer = transfer;
      return;
    }
    // Less than asked for would let the position run round a part of the buffer only.
    if (length > 0) this.adapter.flushAdapterBuffers(mdl, mapRegisterBase, 0, length, writeToDevice);
    this.adapter.freeAdapterChannel();
    throw failure ?? new NtError(STATUS_UNSUCCESSFUL, `only ${length} of ${mapSize} bytes could be mapped`);
  }

  /** The DMA controller's channel and map registers for the buffer; waits while another driver has it. */
  #allocateChannel(mapSize: number): MapRegisterBase {
    const granted = new KEVENT('NotificationEvent', false, 'IDmaChannelSlave::Start');
    let given: MapRegisterBase | null = null;
    let wanted = true;
    const registers = Math.ceil(mapSize / PAGE_SIZE) + 1;
    const irql = keRaiseIrql(DISPATCH_LEVEL);
    try {
      this.adapter.allocateAdapterChannel(
        this.deviceObject,
        Math.min(registers, this.adapter.numberOfMapRegisters),
        (_device, _irp, mapRegisterBase) => {
          if (!wanted) return DeallocateObject;
          given = mapRegisterBase;
          keSetEvent(granted);
          return KeepObject;
        },
        null,
      );
    } finally {
      keLowerIrql(irql);
    }
    const status = keWaitForSingleObject(granted, -CHANNEL_WAIT_TICKS);
    wanted = false;
    if (status !== STATUS_SUCCESS || given === null) {
      throw new NtError(STATUS_UNSUCCESSFUL, 'the channel of the DMA controller stays in use');
    }
    return given;
  }
}

/** Describes the common buffer for the DMA services; given back with ioFreeMdl. */
function bufferMdl(physicalAddress: number, byteCount: number): MDL {
  const byteOffset = physicalAddress % PAGE_SIZE;
  const first = (physicalAddress - byteOffset) / PAGE_SIZE;
  const pages = Array.from({ length: Math.ceil((byteOffset + byteCount) / PAGE_SIZE) }, (_, i) => first + i);
  return currentKernel().memory.newMdl('Contiguous', pages, byteCount, byteOffset);
}

/**
 * A DMA channel for a device (DDI page PcNewDmaChannel, obsolete by its own words: the wave ports' New…DmaChannel methods describe
 * the device for the caller), with one reference for the caller: an IDmaChannelSlave unless the description says that the device
 * masters the bus. `deviceObject` is any object of the device's stack. Throws what IoGetDmaAdapter throws. PASSIVE_LEVEL.
 */
export function pcNewDmaChannel(
  outerUnknown: IUnknown | null,
  deviceDescription: DEVICE_DESCRIPTION,
  deviceObject: DEVICE_OBJECT,
): IDmaChannel {
  requireIrql(PASSIVE_LEVEL, 'PcNewDmaChannel');
  return deviceDescription.master
    ? new DmaChannel(outerUnknown, deviceObject, deviceDescription)
    : new DmaChannelSlave(outerUnknown, deviceObject, deviceDescription);
}
