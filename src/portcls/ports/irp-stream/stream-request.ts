import {
  type IRP,
  type MDL,
  mmGetSystemAddressForMdlSafe,
  mmMapLockedPages,
  mmProbeAndLockPages,
  mmUnlockPages,
  NtError,
  STATUS_INVALID_PARAMETER,
  type SystemMapping,
  type UserProcess,
} from '../../../kernel/index.ts';
import {
  decodeDataFormat,
  finishStreamRead,
  type KSDATAFORMAT,
  type KSSTREAM_HEADER,
  KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY,
  KSSTREAM_HEADER_OPTIONSF_DURATIONVALID,
  KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
  KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE,
  KSSTREAM_HEADER_OPTIONSF_TIMEVALID,
  KSSTREAM_HEADER_OPTIONSF_TYPECHANGED,
  streamHeadersOfIrp,
} from '../../../ks/index.ts';

const TIME_FLAGS = KSSTREAM_HEADER_OPTIONSF_TIMEVALID | KSSTREAM_HEADER_OPTIONSF_DURATIONVALID;

/**
 * The pages behind one header: an application's, locked for as long as the request lasts, or those that a client in the kernel has
 * described in the IRP's list of MDLs (DDI page KsProbeStreamIrp).
 */
interface BufferPages {
  readonly mdl: MDL;
  readonly locked: boolean;
}

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
  /** Of a read: stream time of the first byte and of what was read, in 100-ns units; null until the port begins with the buffer. */
  presentationTime: number | null = null;
  duration = 0;
  /** The stream was paused, and the client has said that the buffer is worth nothing then: no more bytes are moved. */
  flushed = false;
  readonly #pages: BufferPages | null;
  readonly #mapping: SystemMapping | null;
  readonly #bytes: Uint8Array | null;

  /** `pages` null: a buffer without bytes. */
  constructor(header: KSSTREAM_HEADER, byteLength: number, pages: BufferPages | null) {
    this.header = header;
    this.byteLength = byteLength;
    this.#pages = pages;
    this.#mapping = pages === null ? null : mmGetSystemAddressForMdlSafe(pages.mdl);
    this.#bytes = this.#mapping?.view(0, byteLength) ?? null;
  }

  get endOfStream(): boolean {
    return (this.header.optionsFlags & KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM) !== 0;
  }

  get flushOnPause(): boolean {
    return (this.header.optionsFlags & KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE) !== 0;
  }

  /** The whole buffer's bytes; null where its pages lie apart: then {@link read} and {@link write} copy. */
  get bytes(): Uint8Array | null {
    return this.#bytes;
  }

  /** The locked pages; null for a buffer without bytes. */
  get mdl(): MDL | null {
    return this.#pages?.mdl ?? null;
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
    const dataUsed = this.wrapped ? this.byteLength : this.done;
    const lost = this.discontinuity ? KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY : 0;
    const optionsFlags = (this.header.optionsFlags | lost) >>> 0;
    const time = this.presentationTime;
    if (time === null) return { ...this.header, optionsFlags, dataUsed };
    return {
      ...this.header,
      optionsFlags: (optionsFlags | TIME_FLAGS) >>> 0,
      dataUsed,
      presentationTime: { time, numerator: 1, denominator: 1 },
      duration: this.duration,
    };
  }

  unlock(): void {
    const pages = this.#pages;
    if (pages?.locked && !pages.mdl.freed) mmUnlockPages(pages.mdl);
  }
}

/** An IOCTL_KS_READ_STREAM or IOCTL_KS_WRITE_STREAM that waits for its data to be moved. */
export class StreamRequest {
  readonly irp: IRP;
  readonly capture: boolean;
  readonly buffers: readonly StreamBuffer[];
  /** Not data but the format of the data behind it (KSSTREAM_HEADER_OPTIONSF_TYPECHANGED); null for data. */
  readonly newFormat: KSDATAFORMAT | null;
  #index = 0;

  /**
   * Reads the headers and locks the client's memory. Throws what {@link lockStreamBuffers} throws, and what decodeDataFormat throws for
   * a new format that is none. PASSIVE_LEVEL.
   */
  constructor(irp: IRP, capture: boolean, allowFormatChange = false) {
    this.irp = irp;
    this.capture = capture;
    const buffers = lockStreamBuffers(irp, capture, allowFormatChange);
    try {
      this.newFormat = newFormatOf(buffers);
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

/**
 * The buffers of a stream request with their memory locked, each to be unlocked. Throws what {@link streamHeadersOfIrp} throws,
 * STATUS_ACCESS_VIOLATION, and STATUS_INVALID_PARAMETER for a request of the kernel's without an MDL for each buffer. PASSIVE_LEVEL.
 */
export function lockStreamBuffers(irp: IRP, capture: boolean, allowFormatChange = false): StreamBuffer[] {
  const buffers: StreamBuffer[] = [];
  let mdl = irp.mdlAddress;
  try {
    for (const header of streamHeadersOfIrp(irp, 0, allowFormatChange && !capture)) {
      const byteLength = capture ? header.frameExtent : header.dataUsed;
      let pages: BufferPages | null = null;
      if (byteLength > 0) {
        pages = pagesOf(irp.requestor, header, byteLength, mdl);
        mdl = mdl?.next ?? null;
      }
      buffers.push(new StreamBuffer(header, byteLength, pages));
    }
  } catch (error) {
    for (const buffer of buffers) buffer.unlock();
    throw error;
  }
  return buffers;
}

/** @throws NtError STATUS_ACCESS_VIOLATION for memory that is not the process's, STATUS_INVALID_PARAMETER for a missing or short MDL */
function pagesOf(
  process: UserProcess | null,
  { data }: KSSTREAM_HEADER,
  byteLength: number,
  mdl: MDL | null,
): BufferPages {
  if (process !== null) {
    const locked = mmProbeAndLockPages(process, data, byteLength);
    mmMapLockedPages(locked);
    return { mdl: locked, locked: true };
  }
  if (mdl === null || mdl.byteCount < byteLength) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      'a stream request of the kernel describes each of its buffers by an MDL in Irp.MdlAddress',
    );
  }
  return { mdl, locked: false };
}

/** @throws NtError STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER for bytes that are no KSDATAFORMAT */
function newFormatOf([only]: readonly StreamBuffer[]): KSDATAFORMAT | null {
  if (only === undefined || (only.header.optionsFlags & KSSTREAM_HEADER_OPTIONSF_TYPECHANGED) === 0)
    return null;
  const bytes = new Uint8Array(only.byteLength);
  only.read(0, bytes);
  return decodeDataFormat(bytes);
}
