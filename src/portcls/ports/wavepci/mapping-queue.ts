import type { DMA_ADAPTER } from '../../../hal/index.ts';
import {
  type DRIVER_CANCEL,
  type IRP,
  ioCompleteRequest,
  ioReleaseCancelSpinLock,
  type NTSTATUS,
  NtError,
  STATUS_CANCELLED,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
} from '../../../kernel/index.ts';
import {
  KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA,
  KsAcquireAndRemoveOnlySingleItem,
  KsIrpQueue,
  KsListEntryHead,
  KsListEntryTail,
  ksAddIrpToCancelableQueue,
  ksRemoveIrpFromCancelableQueue,
  ksRemoveSpecificIrpFromCancelableQueue,
} from '../../../ks/index.ts';
import { MappedPacket, type Mapping } from './mapped-packet.ts';

/** Where a queued IRP keeps its {@link MappedPacket}. */
const CONTEXT = 0;

/** What the queue asks of its pin. Called at DISPATCH_LEVEL. */
export interface MappingOwner {
  readonly adapter: DMA_ADAPTER;
  /** Bytes of the longest transfer that the adapter object was made for. */
  readonly maximumTransferBytes: number;
  /** IMiniportWavePciStream::RevokeMappings: how many of `held` mappings the miniport says that it gave up. */
  revoke(firstTag: unknown, lastTag: unknown, held: number): void;
  /** The device is done with a buffer that its client marked as the end of the stream. */
  endOfStream(): void;
  /** A request cannot be opened to the device. */
  unmappable(status: NTSTATUS): void;
}

/**
 * The requests of a pin's client as a sequence of mappings. Requests complete in the order in which they came, each when the miniport
 * has released the last mapping of it.
 */
export class MappingQueue {
  readonly capture: boolean;
  readonly looped: boolean;
  readonly #owner: MappingOwner;
  readonly #queue = new KsIrpQueue();
  /** Mappings that the miniport holds, in the order in which it took them. */
  readonly #held: Mapping[] = [];
  readonly #cancel: DRIVER_CANCEL = (_device, irp) => this.#cancelled(irp);
  /** Runs something at DISPATCH_LEVEL. */
  readonly #raised: <T>(act: () => T) => T;
  /** Bytes of all mappings taken since the last stop. */
  mappedBytes = 0;
  /** Bytes of all mappings that came back. */
  releasedBytes = 0;

  constructor(capture: boolean, looped: boolean, owner: MappingOwner, raised: <T>(act: () => T) => T) {
    this.capture = capture;
    this.looped = looped;
    this.#owner = owner;
    this.#raised = raised;
  }

  /** Requests that wait, mapped or not. */
  get length(): number {
    return this.#queue.length;
  }

  /** Mappings that the miniport holds. */
  get heldMappings(): number {
    return this.#held.length;
  }

  /** Where in the stream the looped buffer began, and its bytes; null before it is mapped. */
  get loop(): { readonly start: number; readonly byteLength: number } | null {
    const irp = this.looped ? this.#queue.irps[0] : undefined;
    const buffer = irp === undefined ? undefined : packetOf(irp).request.buffers[0];
    if (buffer === undefined || buffer.streamStart === null) return null;
    return { start: buffer.streamStart, byteLength: buffer.byteLength };
  }

  /**
   * Takes a request, which is pending from then on. Throws, and leaves it alone, what {@link MappedPacket} throws, and
   * STATUS_INVALID_PARAMETER for looped data on a pin that does not loop, and for other than one buffer with bytes on one that does.
   * PASSIVE_LEVEL.
   */
  submit(irp: IRP): void {
    const packet = new MappedPacket(
      irp,
      this.capture,
      this.looped,
      () => this.#owner.adapter,
      () => this.#owner.maximumTransferBytes,
    );
    const refusal = this.#refusal(packet);
    if (refusal !== null) {
      for (const buffer of packet.request.buffers) buffer.unlock();
      throw new NtError(STATUS_INVALID_PARAMETER, refusal);
    }
    irp.driverContext[CONTEXT] = packet;
    ksAddIrpToCancelableQueue(this.#queue, irp, KsListEntryTail, this.#cancel);
    // Requests without a byte need no device.
    this.completeFinished();
  }

  #refusal(packet: MappedPacket): string | null {
    const { buffers } = packet.request;
    if (this.looped) {
      return buffers.length === 1 && (buffers[0]?.byteLength ?? 0) > 0
        ? null
        : 'a looped pin takes one buffer, and one with bytes in it';
    }
    return buffers.some(({ header }) => (header.optionsFlags & KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA) !== 0)
      ? 'looped data needs the looped streaming interface'
      : null;
  }

  /** Something can be mapped. */
  get available(): boolean {
    return this.#next() !== null;
  }

  #next(): MappedPacket | null {
    for (const irp of this.#queue.irps) {
      const packet = packetOf(irp);
      if (!packet.mappedOut) return packet;
    }
    return null;
  }

  /** The next mapping; null when there is none now. Up to DISPATCH_LEVEL. */
  take(tag: unknown): Mapping | null {
    return this.#raised(() => {
      for (;;) {
        const packet = this.#next();
        if (packet === null) return null;
        try {
          const mapping = packet.map(tag, this.mappedBytes);
          this.#held.push(mapping);
          this.mappedBytes += mapping.byteCount;
          return mapping;
        } catch (error) {
          if (!(error instanceof NtError)) throw error;
          this.#failPacket(packet, error.status);
        }
      }
    });
  }

  /** Is a mapping with this tag out? */
  holds(tag: unknown): boolean {
    return this.#held.some((mapping) => mapping.tag === tag);
  }

  /** The oldest mapping that is out has this tag. */
  isOldest(tag: unknown): boolean {
    return this.#held[0]?.tag === tag;
  }

  /** The miniport gave a mapping back; false when it does not hold one of this tag. Up to DISPATCH_LEVEL. */
  release(tag: unknown): boolean {
    return this.#raised(() => {
      const index = this.#held.findIndex((mapping) => mapping.tag === tag);
      const mapping = this.#held[index];
      if (mapping === undefined) return false;
      this.#held.splice(index, 1);
      this.releasedBytes += mapping.byteCount;
      mapping.packet.unmap(mapping, mapping.byteCount);
      const { buffer } = mapping;
      if (buffer.endOfStream && mapping.offset + mapping.byteCount === buffer.byteLength)
        this.#owner.endOfStream();
      return true;
    });
  }

  /** Ends the request that is being mapped; false when none is. Up to DISPATCH_LEVEL. */
  terminate(): boolean {
    const packet = this.#next();
    if (packet?.partlyMapped !== true || this.looped) return false;
    packet.terminate();
    return true;
  }

  /** Completes the requests at the head that the device is done with. Up to DISPATCH_LEVEL. */
  completeFinished(): void {
    for (;;) {
      const head = this.#queue.irps[0];
      if (head === undefined || !packetOf(head).finished) return;
      const irp = ksRemoveIrpFromCancelableQueue(
        this.#queue,
        KsListEntryHead,
        KsAcquireAndRemoveOnlySingleItem,
      );
      // It is being cancelled at this moment.
      if (irp === null) return;
      this.#complete(irp, STATUS_SUCCESS);
    }
  }

  /**
   * The stream has stopped, its converter at `positionBytes`: takes back all mappings. A looped buffer has been played as it should; a
   * read that holds something is done, with what was recorded up to the position; all others are cancelled. PASSIVE_LEVEL.
   */
  endAll(positionBytes: number): void {
    this.completeFinished();
    this.#revokeAll(positionBytes);
    this.#takeAll(({ request }) => {
      const done = this.capture
        ? request.buffers.some((buffer) => buffer.done > 0 || buffer.wrapped)
        : this.looped && request.touched;
      return done ? STATUS_SUCCESS : STATUS_CANCELLED;
    });
    this.mappedBytes = 0;
    this.releasedBytes = 0;
  }

  /** Ends every request with a status. PASSIVE_LEVEL. */
  abortAll(status: NTSTATUS): void {
    this.completeFinished();
    this.#revokeAll(0);
    this.#takeAll(() => status);
  }

  #takeAll(statusOf: (packet: MappedPacket) => NTSTATUS): void {
    for (;;) {
      const irp = ksRemoveIrpFromCancelableQueue(this.#queue);
      if (irp === null) return;
      this.#complete(irp, statusOf(packetOf(irp)));
    }
  }

  #revokeAll(positionBytes: number): void {
    this.#raised(() => this.#revoke(this.#held.slice(), positionBytes));
  }

  /** Takes mappings, neighbours in the order of taking, back from the miniport. DISPATCH_LEVEL. */
  #revoke(mappings: readonly Mapping[], positionBytes: number): void {
    const first = mappings[0];
    const last = mappings.at(-1);
    if (first === undefined || last === undefined) return;
    this.#owner.revoke(first.tag, last.tag, mappings.length);
    for (const mapping of mappings) {
      const index = this.#held.indexOf(mapping);
      if (index < 0) continue;
      this.#held.splice(index, 1);
      const filled = Math.max(0, Math.min(positionBytes - mapping.streamStart, mapping.byteCount));
      mapping.packet.unmap(mapping, this.capture ? filled : 0);
    }
  }

  #cancelled(irp: IRP): void {
    ioReleaseCancelSpinLock(irp.cancelIrql);
    const packet = packetOf(irp);
    this.#raised(() => {
      const mappings = this.#held.filter((mapping) => mapping.packet === packet);
      // Nothing more of it can be taken from here on.
      packet.terminate();
      this.#revoke(mappings, 0);
    });
    ksRemoveSpecificIrpFromCancelableQueue(irp);
    this.#complete(irp, STATUS_CANCELLED);
    // What came behind it may be done already.
    this.completeFinished();
  }

  #failPacket(packet: MappedPacket, status: NTSTATUS): void {
    packet.terminate();
    this.#owner.unmappable(status);
    const irp = packet.request.irp;
    if (packet.held > 0) return;
    ksRemoveSpecificIrpFromCancelableQueue(irp);
    this.#complete(irp, status);
  }

  #complete(irp: IRP, status: NTSTATUS): void {
    const packet = packetOf(irp);
    packet.release();
    packet.request.finish();
    irp.ioStatus.status = status;
    irp.driverContext[CONTEXT] = null;
    ioCompleteRequest(irp);
  }
}

function packetOf(irp: IRP): MappedPacket {
  const packet = irp.driverContext[CONTEXT];
  if (packet instanceof MappedPacket) return packet;
  throw new NtError(STATUS_INVALID_PARAMETER, 'an IRP in the queue is no stream request');
}
