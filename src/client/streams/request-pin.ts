import type { NTSTATUS } from '../../kernel/index.ts';
import {
  IOCTL_KS_READ_STREAM,
  IOCTL_KS_WRITE_STREAM,
  KSSTREAM_HEADER,
  KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY,
  KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
  streamHeader,
} from '../../ks/index.ts';
import type { ClientProcess } from '../requests/client-process.ts';
import type { KsObject } from '../requests/ks-object.ts';
import { StreamingPin } from './streaming-pin.ts';

/** What streaming by requests uses of a process besides (see `UserProcess` of the kernel). Failures throw an NtError. */
export interface RequestProcess extends ClientProcess {
  /** Sends the request; `completed` runs from the machine's outermost loop when the driver is done with it. */
  deviceIoControlAsync(
    handle: number,
    ioControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
    completed: (status: NTSTATUS, information: number) => void,
  ): { cancel(): void };
  /** Zeroed memory that drivers can lock. */
  allocateMemory(bytes: number): number;
  freeMemory(address: number): void;
}

/** One buffer of a client's with its stream header: sent, completed, filled or emptied, sent again. */
export class StreamPacket {
  /** Offset of the buffer in the stream's memory. */
  readonly offset: number;
  readonly byteLength: number;
  /** KSSTREAM_HEADER as the driver sees it, and as it comes back. */
  readonly header = new Uint8Array(KSSTREAM_HEADER.size);
  /** The driver has it. */
  pending = false;
  /** How the last request ended. */
  status: NTSTATUS | null = null;
  readonly completed: (status: NTSTATUS, information: number) => void;
  readonly #address: number;

  /** `onCompleted` runs from the machine's outermost loop. */
  constructor(address: number, offset: number, byteLength: number, onCompleted: () => void) {
    this.#address = address;
    this.offset = offset;
    this.byteLength = byteLength;
    this.completed = (status) => {
      this.pending = false;
      this.status = status;
      onCompleted();
    };
  }

  /** Makes the header for a write of so many bytes, or for a read into the whole buffer. */
  prepare(dataUsed: number, endOfStream: boolean): void {
    KSSTREAM_HEADER.encodeInto(
      streamHeader({
        data: this.#address + this.offset,
        frameExtent: this.byteLength,
        dataUsed,
        optionsFlags: endOfStream ? KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM : 0,
      }),
      this.header,
    );
  }

  /** Bytes that a read has put into the buffer. */
  get dataUsed(): number {
    return KSSTREAM_HEADER.decode(this.header).dataUsed;
  }

  /** What had been recorded right before these bytes is lost. */
  get discontinuity(): boolean {
    const { optionsFlags } = KSSTREAM_HEADER.decode(this.header);
    return (optionsFlags & KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY) !== 0;
  }
}

/** A pin instance that streams by IOCTL_KS_WRITE_STREAM or IOCTL_KS_READ_STREAM. Failures throw an NtError. */
export class RequestPin extends StreamingPin {
  readonly process: RequestProcess;

  constructor(process: RequestProcess, object: KsObject) {
    super(object);
    this.process = process;
  }

  /** Sends a packet that was prepared. */
  send(packet: StreamPacket, capture: boolean): void {
    packet.pending = true;
    packet.status = null;
    this.process.deviceIoControlAsync(
      this.object.handle,
      capture ? IOCTL_KS_READ_STREAM : IOCTL_KS_WRITE_STREAM,
      null,
      packet.header,
      packet.completed,
    );
  }
}
