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
  type KSDATAFORMAT,
  KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA,
  KsAcquireAndRemoveOnlySingleItem,
  KsIrpQueue,
  KsListEntryHead,
  KsListEntryTail,
  ksAddIrpToCancelableQueue,
  ksRemoveIrpFromCancelableQueue,
  ksRemoveSpecificIrpFromCancelableQueue,
} from '../../../ks/index.ts';
import { type StreamBuffer, StreamRequest } from './stream-request.ts';

/** Where a queued IRP keeps its {@link StreamRequest}. */
const CONTEXT = 0;

/**
 * The data of a pin's client: stream requests one behind the other, seen as one run of bytes. On a looped pin the first buffer is
 * gone round in until the stream stops.
 *
 * Requests are done with under the port's lock, at DISPATCH_LEVEL, and completed by {@link completeFinished} when it has been given
 * back: a completion routine may send the next request at once.
 */
export class IrpStream {
  readonly capture: boolean;
  readonly looped: boolean;
  readonly #queue = new KsIrpQueue();
  readonly #finished: IRP[] = [];
  readonly #cancel: DRIVER_CANCEL = (_device, irp) => this.#cancelled(irp);
  /** The stream position right behind a buffer that was marked as the end of the stream was reached. */
  readonly #onEndOfStream: () => void;
  readonly #allowFormatChange: boolean;

  /** `allowFormatChange`: writes may carry a new format in place of data. */
  constructor(capture: boolean, looped: boolean, onEndOfStream: () => void, allowFormatChange = false) {
    this.capture = capture;
    this.looped = looped;
    this.#onEndOfStream = onEndOfStream;
    this.#allowFormatChange = allowFormatChange;
  }

  /** Requests that wait. */
  get length(): number {
    return this.#queue.length;
  }

  /**
   * Takes a request, which is pending from then on. Throws, and leaves it alone, for what {@link StreamRequest} refuses, and
   * STATUS_INVALID_PARAMETER for looped data on a pin that does not loop, and for other than one buffer with bytes in it on one that
   * does. PASSIVE_LEVEL.
   */
  submit(irp: IRP): void {
    const request = new StreamRequest(irp, this.capture, this.#allowFormatChange && !this.looped);
    const refusal = this.#refusal(request);
    if (refusal !== null) {
      for (const buffer of request.buffers) buffer.unlock();
      throw new NtError(STATUS_INVALID_PARAMETER, refusal);
    }
    irp.driverContext[CONTEXT] = request;
    ksAddIrpToCancelableQueue(this.#queue, irp, KsListEntryTail, this.#cancel);
  }

  #refusal(request: StreamRequest): string | null {
    if (this.looped) {
      const only = request.buffers[0];
      return request.buffers.length === 1 && only !== undefined && only.byteLength > 0
        ? null
        : 'a looped pin takes one buffer, and one with bytes in it';
    }
    return request.buffers.some(
      ({ header }) => (header.optionsFlags & KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA) !== 0,
    )
      ? 'looped data needs the looped streaming interface'
      : null;
  }

  /**
   * The buffer to move bytes from or to next, with at least one byte left; null when the client has given none. Empty buffers on the
   * way are done with. None, either, when a new format comes first: see {@link newFormat}. Under the port's lock.
   */
  current(): StreamBuffer | null {
    for (;;) {
      const irp = this.#queue.irps[0];
      if (irp === undefined) return null;
      const request = requestOf(irp);
      if (request.newFormat !== null) return null;
      const buffer = request.current;
      if (buffer === null) {
        if (!this.#finishHead()) return null;
      } else if (buffer.done < buffer.byteLength && !buffer.flushed) return buffer;
      else this.#endBuffer(request, buffer);
    }
  }

  /** `byteCount` bytes of the current buffer have been moved; a request whose last byte that was is finished. Under the port's lock. */
  consume(buffer: StreamBuffer, byteCount: number): void {
    buffer.done += byteCount;
    if (buffer.done < buffer.byteLength) return;
    if (this.looped) {
      buffer.done = 0;
      buffer.wrapped = true;
      return;
    }
    const irp = this.#queue.irps[0];
    if (irp === undefined) return;
    const request = requestOf(irp);
    this.#endBuffer(request, buffer);
    if (request.current === null) this.#finishHead();
  }

  /** What the data behind all that was taken is to be in; null when data come next, or nothing. Under the port's lock. */
  get newFormat(): KSDATAFORMAT | null {
    const irp = this.#queue.irps[0];
    return irp === undefined ? null : requestOf(irp).newFormat;
  }

  /** The {@link newFormat} has been taken, or refused: its request is finished. Under the port's lock. */
  finishNewFormat(status: NTSTATUS): void {
    if (this.newFormat === null) return;
    const irp = ksRemoveIrpFromCancelableQueue(
      this.#queue,
      KsListEntryHead,
      KsAcquireAndRemoveOnlySingleItem,
    );
    if (irp === null) return;
    const request = requestOf(irp);
    request.finish();
    irp.ioStatus.status = status;
    if (status === STATUS_SUCCESS) irp.ioStatus.information = request.buffers[0]?.byteLength ?? 0;
    this.#finished.push(irp);
  }

  /**
   * The stream pauses: buffers of which the client has said so (KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE) are done with, as far as they
   * came. A looped buffer stays. Under the port's lock.
   */
  flushOnPause(): void {
    if (this.looped) return;
    for (const irp of this.#queue.irps) {
      for (const buffer of requestOf(irp).buffers) if (buffer.flushOnPause) buffer.flushed = true;
    }
    this.current();
  }

  #endBuffer(request: StreamRequest, buffer: StreamBuffer): void {
    request.next();
    if (buffer.endOfStream) this.#onEndOfStream();
  }

  /** Takes the first request out, done. False when it is being cancelled at this moment. */
  #finishHead(): boolean {
    const irp = ksRemoveIrpFromCancelableQueue(
      this.#queue,
      KsListEntryHead,
      KsAcquireAndRemoveOnlySingleItem,
    );
    if (irp === null) return false;
    requestOf(irp).finish();
    irp.ioStatus.status = STATUS_SUCCESS;
    this.#finished.push(irp);
    return true;
  }

  /** Completes what was finished, in the order in which it was sent. Up to DISPATCH_LEVEL, without the port's lock. */
  completeFinished(): void {
    for (let irp = this.#finished.shift(); irp !== undefined; irp = this.#finished.shift()) complete(irp);
  }

  /**
   * The stream stops: a looped buffer has been played as it should; a read that holds something is done, with what it holds; all
   * others are cancelled. Up to DISPATCH_LEVEL, without the port's lock.
   */
  endAll(): void {
    this.#takeAll((request) =>
      request.touched && (this.looped || this.capture) ? STATUS_SUCCESS : STATUS_CANCELLED,
    );
  }

  /** Ends every request with a status. Up to DISPATCH_LEVEL, without the port's lock. */
  abortAll(status: NTSTATUS): void {
    this.#takeAll(() => status);
  }

  #takeAll(statusOf: (request: StreamRequest) => NTSTATUS): void {
    this.completeFinished();
    for (;;) {
      const irp = ksRemoveIrpFromCancelableQueue(this.#queue);
      if (irp === null) return;
      const request = requestOf(irp);
      irp.ioStatus.status = statusOf(request);
      request.finish();
      complete(irp);
    }
  }

  #cancelled(irp: IRP): void {
    ioReleaseCancelSpinLock(irp.cancelIrql);
    ksRemoveSpecificIrpFromCancelableQueue(irp);
    requestOf(irp).finish();
    irp.ioStatus.status = STATUS_CANCELLED;
    complete(irp);
  }
}

function requestOf(irp: IRP): StreamRequest {
  const request = irp.driverContext[CONTEXT];
  if (request instanceof StreamRequest) return request;
  throw new NtError(STATUS_INVALID_PARAMETER, 'an IRP in the queue is no stream request');
}

function complete(irp: IRP): void {
  irp.driverContext[CONTEXT] = null;
  ioCompleteRequest(irp);
}
