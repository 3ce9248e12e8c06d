import {
  type IRP,
  type MDL,
  mmMapLockedPages,
  mmProbeAndLockPages,
  mmUnlockPages,
  NtError,
  STATUS_INVALID_PARAMETER,
  type SystemMapping,
  type UserProcess,
} from '../../../kernel/index.ts';
import {
  finishStreamRead,
  type KSSTREAM_HEADER,
  KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY,
  KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
  streamHeadersOfIrp,
} from '../../../ks/index.ts';

/** One header of a stream request with the client's memory behind it, locked and mapped as KsProbeStreamIrp does. */
export class StreamBuffer {
  readonly header: KSSTREAM_HEADER;
  /** Bytes to move: DataUsed of a write, FrameExtent of a read. */
  readonly byteLength: number;
  /** Bytes moved; of a looped buffer in this round. */
  done = 0;
  /** Of a looped buffer: it has been gone through at least once. */
  wrapped = false;
  /** Stream position of the first byte; null until the port begins with the buffer. */
  streamStart: number | null = null;
  /** What had been recorded right before the first byte is lost. */
  discontinuity = false;
  readonly #mdl: MDL | null;
  readonly #mapping: SystemMapping | null;
  readonly #bytes: Uint8Array | null;

  /** Throws STATUS_ACCESS_VIOLATION for memory that is not the process's. */
  constructor(process: UserProcess, header: KSSTREAM_HEADER, byteLength: number) {
    this.header = header;
    this.byteLength = byteLength;
    this.#mdl = byteLength === 0 ? null : mmProbeAndLockPages(process, header.data, byteLength);
    this.#mapping = this.#mdl === null ? null : mmMapLockedPages(this.#mdl);
    this.#bytes = this.#mapping?.view(0, byteLength) ?? null;
  }

  get endOfStream(): boolean {
    return (this.header.optionsFlags & KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM) !== 0;
  }

  /** The whole buffer's bytes; null where its pages lie apart: then {@link read} and {@link write} copy. */
  get bytes(): Uint8Array | null {
    return this.#bytes;
  }

  /** The locked pages; null for a buffer without bytes. */
  get mdl(): MDL | null {
    return this.#mdl;
  }

  /** The memory in system space; null for a buffer without bytes. */
  get mapping(): SystemMapping | null {
    return this.#mapping;
  }

  /** Copies from the client's memory, from `offset` on. */
  read(offset: number, into: Uint8Array): void {
    this.#mapping?.read(offset, into);
  }

  /** Copies to the client's memory, from `offset` on. */
  write(offset: number, from: Uint8Array): void {
    this.#mapping?.write(offset, from);
  }

  /** The header as the client gets it back from a read. */
  get finishedHeader(): KSSTREAM_HEADER {
    const optionsFlags = this.discontinuity
      ? (this.header.optionsFlags | KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY) >>> 0
      : this.header.optionsFlags;
    return { ...this.header, optionsFlags, dataUsed: this.wrapped ? this.byteLength : this.done };
  }

  unlock(): void {
    if (this.#mdl !== null && !this.#mdl.freed) mmUnlockPages(this.#mdl);
  }
}

/** An IOCTL_KS_READ_STREAM or IOCTL_KS_WRITE_STREAM that waits for its data to be moved. */
export class StreamRequest {
  readonly irp: IRP;
  readonly capture: boolean;
  readonly buffers: readonly StreamBuffer[];
  #index = 0;

  /**
   * Reads the headers and locks the client's memory. Throws what {@link streamHeadersOfIrp} throws, STATUS_INVALID_PARAMETER for a
   * request of no process, STATUS_ACCESS_VIOLATION. PASSIVE_LEVEL.
   */
  constructor(irp: IRP, capture: boolean) {
    this.irp = irp;
    this.capture = capture;
    const process = irp.requestor;
    if (process === null) {
      throw new NtError(STATUS_INVALID_PARAMETER, 'KSSTREAM_HEADER.Data is an address in a process');
    }
    const buffers: StreamBuffer[] = [];
    try {
      for (const header of streamHeadersOfIrp(irp)) {
        buffers.push(new StreamBuffer(process, header, capture ? header.frameExtent : header.dataUsed));
      }
    } catch (error) {
      for (const buffer of buffers) buffer.unlock();
      throw error;
    }
    this.buffers = buffers;
  }

  /** The buffer that is next; null when all are done. */
  get current(): StreamBuffer | null {
    return this.buffers[this.#index] ?? null;
  }

  /** The current buffer is done. */
  next(): void {
    this.#index++;
  }

  /** Has anything been moved? */
  get touched(): boolean {
    return this.#index > 0 || this.buffers.some((buffer) => buffer.streamStart !== null);
  }

  /**
   * Gives the memory back and sets what the client learns: a read's headers and their size, a write's bytes. A read that is cancelled
   * half-way shows what it holds all the same.
   */
  finish(): void {
    for (const buffer of this.buffers) buffer.unlock();
    if (this.capture) {
      finishStreamRead(
        this.irp,
        this.buffers.map((buffer) => buffer.finishedHeader),
      );
      return;
    }
    let bytes = 0;
    for (const buffer of this.buffers) bytes += buffer.wrapped ? buffer.byteLength : buffer.done;
    this.irp.ioStatus.information = bytes;
  }
}
