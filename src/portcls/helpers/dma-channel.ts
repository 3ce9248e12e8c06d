import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import {
  type CommonBuffer,
  type DEVICE_DESCRIPTION,
  type DMA_ADAPTER,
  ioGetDmaAdapter,
} from '../../hal/index.ts';
import {
  type DEVICE_OBJECT,
  NtError,
  PAGE_SIZE,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  type SystemMapping,
} from '../../kernel/index.ts';
import { type IDmaChannel, IID_IDmaChannel } from '../ddi/index.ts';

/** How often a buffer that violates its constraint is allocated anew, a page further on. */
const PLACEMENT_TRIES = 256;

/**
 * IDmaChannel over an adapter object of the HAL. For a device that masters the bus that is all there is to it: a common buffer and
 * a size that port and miniport share.
 */
export class DmaChannel extends CUnknown implements IDmaChannel {
  protected readonly adapter: DMA_ADAPTER;
  protected readonly deviceDescription: DEVICE_DESCRIPTION;
  protected readonly deviceObject: DEVICE_OBJECT;
  #buffer: CommonBuffer | null = null;
  /** The whole buffer's bytes, where the machine gives them. */
  #bytes: Uint8Array | null = null;
  #bufferSize = 0;

  /** Throws what IoGetDmaAdapter throws. */
  constructor(
    outerUnknown: IUnknown | null,
    deviceObject: DEVICE_OBJECT,
    deviceDescription: DEVICE_DESCRIPTION,
    name = 'DmaChannel',
  ) {
    const adapter = ioGetDmaAdapter(deviceObject, deviceDescription);
    super(name, outerUnknown);
    this.adapter = adapter;
    this.deviceObject = deviceObject;
    this.deviceDescription = deviceDescription;
  }

  allocateBuffer(bufferSize: number, physicalAddressConstraint: number | null = null): void {
    requireIrql(PASSIVE_LEVEL, 'IDmaChannel::AllocateBuffer');
    if (this.#buffer !== null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'the channel has a buffer: FreeBuffer comes first');
    const { maximumLength } = this.deviceDescription;
    if (!(bufferSize > 0) || bufferSize > maximumLength) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `IDmaChannel::AllocateBuffer: ${bufferSize} bytes; the channel was made for 1 to ${maximumLength}`,
      );
    }
    const buffer =
      physicalAddressConstraint === null || physicalAddressConstraint === 0
        ? this.adapter.allocateCommonBuffer(bufferSize, false)
        : this.#allocateWithin(bufferSize, physicalAddressConstraint);
    this.#buffer = buffer;
    this.#bytes = buffer.view(0, bufferSize);
    this.#bufferSize = bufferSize;
  }

  freeBuffer(): void {
    requireIrql(PASSIVE_LEVEL, 'IDmaChannel::FreeBuffer');
    const buffer = this.#buffer;
    this.#buffer = null;
    this.#bytes = null;
    this.#bufferSize = 0;
    if (buffer !== null) this.adapter.freeCommonBuffer(buffer);
  }

  transferCount(): number {
    return 0;
  }

  maximumBufferSize(): number {
    const { maximumLength } = this.deviceDescription;
    const allocated = this.allocatedBufferSize();
    return allocated === 0
      ? maximumLength
      : Math.min(maximumLength, Math.ceil(allocated / PAGE_SIZE) * PAGE_SIZE);
  }

  allocatedBufferSize(): number {
    return this.#buffer?.byteLength ?? 0;
  }

  bufferSize(): number {
    return this.#bufferSize;
  }

  setBufferSize(bufferSize: number): void {
    this.#bufferSize = bufferSize;
  }

  systemAddress(): SystemMapping | null {
    return this.#buffer;
  }

  physicalAddress(): number {
    return this.#buffer?.logicalAddress ?? 0;
  }

  getAdapterObject(): DMA_ADAPTER {
    return this.adapter;
  }

  copyTo(destination: number, source: Uint8Array, byteCount: number, sourceOffset = 0): void {
    const whole = sourceOffset === 0 && byteCount === source.byteLength;
    const piece = whole ? source : source.subarray(sourceOffset, sourceOffset + byteCount);
    const bytes = this.#bytes;
    if (bytes !== null && destination >= 0 && destination + piece.byteLength <= bytes.byteLength)
      bytes.set(piece, destination);
    else this.#requireBuffer('CopyTo').write(destination, piece);
  }

  copyFrom(destination: Uint8Array, source: number, byteCount: number, destinationOffset = 0): void {
    const bytes = this.#bytes;
    if (bytes !== null && source >= 0 && source + byteCount <= bytes.byteLength)
      destination.set(bytes.subarray(source, source + byteCount), destinationOffset);
    else {
      const piece = destination.subarray(destinationOffset, destinationOffset + byteCount);
      this.#requireBuffer('CopyFrom').read(source, piece);
    }
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IDmaChannel) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    this.freeBuffer();
    this.adapter.putDmaAdapter();
  }

  #requireBuffer(method: string): SystemMapping {
    if (this.#buffer === null)
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST, `IDmaChannel::${method}: no buffer is allocated`);
    return this.#buffer;
  }

  /**
   * The adapter knows no boundaries, so memory is tried: a buffer across one is given back, and a page of its place is held while the
   * next is asked for.
   */
  #allocateWithin(bufferSize: number, constraint: number): CommonBuffer {
    if (variesOutside(0, bufferSize - 1, constraint)) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `IDmaChannel::AllocateBuffer: ${bufferSize} bytes cannot lie within the constraint 0x${constraint.toString(16)}`,
      );
    }
    const held: CommonBuffer[] = [];
    try {
      for (let tries = 0; tries < PLACEMENT_TRIES; tries++) {
        const buffer = this.adapter.allocateCommonBuffer(bufferSize, false);
        const first = buffer.logicalAddress;
        if (!variesOutside(first, first + bufferSize - 1, constraint)) return buffer;
        this.adapter.freeCommonBuffer(buffer);
        held.push(this.adapter.allocateCommonBuffer(PAGE_SIZE, false));
      }
      throw new NtError(
        STATUS_INSUFFICIENT_RESOURCES,
        `IDmaChannel::AllocateBuffer: no ${bufferSize} contiguous bytes within the constraint 0x${constraint.toString(16)}`,
      );
    } finally {
      for (const buffer of held) this.adapter.freeCommonBuffer(buffer);
    }
  }
}

/** Do address bits differ between two addresses that a constraint does not let differ? */
function variesOutside(first: number, last: number, constraint: number): boolean {
  return ((BigInt(first) ^ BigInt(last)) & ~BigInt(constraint)) !== 0n;
}
