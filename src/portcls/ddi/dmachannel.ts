import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { DMA_ADAPTER } from '../../hal/index.ts';
import type { SystemMapping } from '../../kernel/index.ts';

/**
 * A DMA channel with its one common buffer (DDI page IDmaChannel): what the wave ports' New…DmaChannel methods make, and what a
 * miniport may implement itself. Pointers into the common buffer are byte offsets from its start here. Not protected against
 * calls from several threads.
 */
export interface IDmaChannel extends IUnknown {
  /**
   * Allocates the common buffer, once until {@link freeBuffer}. Of its physical addresses only the bits that are set in
   * `physicalAddressConstraint` vary from first to last byte: 0xFFFF keeps it within 64 KB, 0x1FFFF within 128 KB. Throws
   * STATUS_INVALID_DEVICE_REQUEST for a second buffer, STATUS_INVALID_PARAMETER for a size that is no size, or that the constraint
   * or the channel's maximum rules out, STATUS_INSUFFICIENT_RESOURCES. PASSIVE_LEVEL.
   */
  allocateBuffer(bufferSize: number, physicalAddressConstraint?: number | null): void;
  /** Frees the buffer; without one nothing happens. Done by the channel's end, too. PASSIVE_LEVEL. */
  freeBuffer(): void;
  /** Bytes of the transfer under way on a subordinate channel (the map size it was started with); 0 when there is none. Any IRQL. */
  transferCount(): number;
  /** Bytes of the largest buffer that can be used: as far as the channel's maximum and the allocated pages go. Any IRQL. */
  maximumBufferSize(): number;
  /** Bytes that {@link allocateBuffer} was asked for; 0 without a buffer. Any IRQL. */
  allocatedBufferSize(): number;
  /** What {@link setBufferSize} said last, else the allocated size. Any IRQL. */
  bufferSize(): number;
  /** Notes how much of the buffer is in use, for the channel's clients; the channel itself does nothing with it. Any IRQL. */
  setBufferSize(bufferSize: number): void;
  /** The buffer as the processor sees it; null without one. Any IRQL. */
  systemAddress(): SystemMapping | null;
  /** The buffer's physical address; 0 without one. Any IRQL. */
  physicalAddress(): number;
  /** The adapter object behind the channel. Any IRQL. */
  getAdapterObject(): DMA_ADAPTER;
  /**
   * Copies `byteCount` bytes of `source`, from `sourceOffset` (0) on, to the offset `destination` of the common buffer. Any IRQL.
   */
  copyTo(destination: number, source: Uint8Array, byteCount: number, sourceOffset?: number): void;
  /**
   * Copies `byteCount` bytes from the offset `source` of the common buffer into `destination`, from `destinationOffset` (0) on.
   * Any IRQL.
   */
  copyFrom(destination: Uint8Array, source: number, byteCount: number, destinationOffset?: number): void;
}

/** A channel of the system's DMA controller, for a device that has no DMA of its own (DDI page IDmaChannelSlave). */
export interface IDmaChannelSlave extends IDmaChannel {
  /**
   * Starts moving the first `mapSize` bytes of the buffer, over and over, to the device (`writeToDevice`) or from it. Throws
   * STATUS_UNSUCCESSFUL when it runs already or there is no buffer that large. PASSIVE_LEVEL.
   */
  start(mapSize: number, writeToDevice: boolean): void;
  /** Stops it; what the controller still holds is flushed. Not started: nothing happens. Up to DISPATCH_LEVEL. */
  stop(): void;
  /** Bytes left of this round: counts down from the map size and begins anew. 0 when it does not run. Up to DISPATCH_LEVEL. */
  readCounter(): number;
  /**
   * Waits until a round is done (terminal count), at most `timeoutMicroseconds`, rounded down to tens. Throws STATUS_UNSUCCESSFUL
   * when it does not run, STATUS_IO_TIMEOUT when the time is over. PASSIVE_LEVEL.
   */
  waitForTC(timeoutMicroseconds: number): void;
}

export const IID_IDmaChannel = new IID<IDmaChannel>(
  'IID_IDmaChannel',
  guid('{22C6AC61-851B-11D0-9A7F-00AA0038ACFE}'),
);
export const IID_IDmaChannelSlave = new IID<IDmaChannelSlave>(
  'IID_IDmaChannelSlave',
  guid('{22C6AC62-851B-11D0-9A7F-00AA0038ACFE}'),
);
