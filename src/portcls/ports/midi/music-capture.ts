import {
  type DRIVER_CANCEL,
  type IRP,
  ioCompleteRequest,
  KDPC,
  keInsertQueueDpc,
  keRemoveQueueDpc,
  type NTSTATUS,
  NtError,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  TICKS_PER_MILLISECOND,
} from '../../../kernel/index.ts';
import {
  finishStreamRead,
  KSMUSICFORMAT,
  type KSSTREAM_HEADER,
  KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY,
  KSSTREAM_HEADER_OPTIONSF_TIMEVALID,
  KsIrpQueue,
  ksAddIrpToCancelableQueue,
  ksCancelRoutine,
  ksRemoveIrpFromCancelableQueue,
  musicRecordSize,
  writeMusicRecord,
} from '../../../ks/index.ts';
import { lockStreamBuffers, type StreamBuffer } from '../irp-stream/index.ts';
import type { StreamTime } from './stream-time.ts';

/** Where a queued IRP keeps its {@link CaptureRequest}. */
const CONTEXT = 0;
/** A record's head and the four bytes that its data take at least. */
const SMALLEST_RECORD = musicRecordSize(1);
/** Bytes that IMiniportMidiStream::Read is asked for at a time. */
const READ_BYTES = 256;
/** Calls of Read in one service after which a driver that never says 0 is stopped. */
const READ_LIMIT = 4096;
/** What is kept for a client that has no request waiting: two seconds of a full wire. */
const BACKLOG_BYTES = 8192;

/** Bytes that came in together, and when. */
interface Packet {
  readonly time100ns: number;
  bytes: Uint8Array;
  /** What came right before it was lost. */
  readonly afterLoss: boolean;
}

/** One buffer of a read request and the records that it holds so far. */
class CaptureBuffer {
  readonly #buffer: StreamBuffer;
  readonly #room: number;
  #used = 0;
  #start100ns = 0;
  /** Milliseconds after the start at which the last record lies. */
  #lastMs = 0;
  discontinuity = false;

  constructor(buffer: StreamBuffer) {
    this.#buffer = buffer;
    this.#room = buffer.byteLength;
  }

  get used(): number {
    return this.#used;
  }

  /** MIDI bytes that one more record could hold. */
  get room(): number {
    return Math.max(0, Math.floor((this.#room - this.#used - KSMUSICFORMAT.size) / 4) * 4);
  }

  /**
   * Adds a record. The buffer's presentation time is its first record's; the others are whole milliseconds after it, rounded down from
   * their own times, so that errors do not add up.
   */
  add(time100ns: number, bytes: Uint8Array): void {
    if (this.#used === 0) this.#start100ns = time100ns;
    const ms = Math.floor((time100ns - this.#start100ns) / TICKS_PER_MILLISECOND);
    const record = new Uint8Array(musicRecordSize(bytes.byteLength));
    writeMusicRecord(record, 0, ms - this.#lastMs, bytes);
    this.#buffer.write(this.#used, record);
    this.#lastMs = ms;
    this.#used += record.byteLength;
  }

  /** The header as the client gets it back. */
  get header(): KSSTREAM_HEADER {
    const { header } = this.#buffer;
    if (this.#used === 0) return { ...header, dataUsed: 0 };
    const flags =
      KSSTREAM_HEADER_OPTIONSF_TIMEVALID |
      (this.discontinuity ? KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY : 0);
    return {
      ...header,
      dataUsed: this.#used,
      presentationTime: { time: this.#start100ns, numerator: 1, denominator: 1 },
      optionsFlags: (header.optionsFlags | flags) >>> 0,
    };
  }

  unlock(): void {
    this.#buffer.unlock();
  }
}

/** What a read request offers. */
class CaptureRequest {
  readonly irp: IRP;
  readonly buffers: readonly CaptureBuffer[];
  #index = 0;

  /**
   * Throws what {@link lockStreamBuffers} throws, and STATUS_BUFFER_TOO_SMALL for a buffer that holds no record. PASSIVE_LEVEL.
   */
  constructor(irp: IRP) {
    this.irp = irp;
    const buffers = lockStreamBuffers(irp, true);
    const small = buffers.find(({ byteLength }) => byteLength < SMALLEST_RECORD);
    if (small !== undefined) {
      for (const buffer of buffers) buffer.unlock();
      throw new NtError(
        STATUS_BUFFER_TOO_SMALL,
        `a buffer of ${small.byteLength} bytes; the smallest record takes ${SMALLEST_RECORD}`,
      );
    }
    this.buffers = buffers.map((buffer) => new CaptureBuffer(buffer));
  }

  /** The buffer with room for at least a byte; null when the request is full. */
  get current(): CaptureBuffer | null {
    while ((this.buffers[this.#index]?.room ?? 1) === 0) this.#index++;
    return this.buffers[this.#index] ?? null;
  }

  get touched(): boolean {
    return this.buffers.some((buffer) => buffer.used > 0);
  }

  complete(status: NTSTATUS): void {
    const { irp, buffers } = this;
    for (const buffer of buffers) buffer.unlock();
    if (status === STATUS_SUCCESS) {
      finishStreamRead(
        irp,
        buffers.map(({ header }) => header),
      );
    } else irp.ioStatus.information = 0;
    irp.driverContext[CONTEXT] = null;
    irp.ioStatus.status = status;
    ioCompleteRequest(irp);
  }
}

/** What capture needs of its pin. */
export interface CaptureTarget {
  /** IMiniportMidiStream::Read. */
  read(buffer: Uint8Array): number;
  finding(text: string, data?: Readonly<Record<string, number>>): void;
}

/**
 * The capture side of the port: on each service it takes what the miniport has read, stamps it with the stream's time and packs it into
 * the client's requests as KSMUSICFORMAT records with rising times. A request is completed at the end of the service that put
 * something into it, so that a key is heard of at once; what comes while no request waits is kept, and packed into the next one.
 * Where a message ends is the client's business: a record may hold several, or a part.
 */
export class MusicCapture {
  readonly #time: StreamTime;
  readonly #target: CaptureTarget;
  readonly #queue = new KsIrpQueue();
  readonly #scratch = new Uint8Array(READ_BYTES);
  readonly #backlog: Packet[] = [];
  readonly #deliver = new KDPC(() => this.#pack(), null, 'MidiCapture');
  readonly #cancel: DRIVER_CANCEL = (device, irp) => {
    requestOf(irp).buffers.forEach((buffer) => {
      buffer.unlock();
    });
    irp.driverContext[CONTEXT] = null;
    ksCancelRoutine(device, irp);
  };
  #backlogBytes = 0;
  #bytesRead = 0;
  #lost = false;
  /** PAUSE and RUN: data count (imxf-setstate). Below they are thrown away. */
  #open = false;

  constructor(time: StreamTime, target: CaptureTarget) {
    this.#time = time;
    this.#target = target;
  }

  /** MIDI bytes that came in, since STOP. */
  get bytesRead(): number {
    return this.#bytesRead;
  }

  /** Takes a read request, which is pending from then on. Throws, and leaves it alone, when it is malformed. PASSIVE_LEVEL. */
  submit(irp: IRP): void {
    irp.driverContext[CONTEXT] = new CaptureRequest(irp);
    ksAddIrpToCancelableQueue(this.#queue, irp, undefined, this.#cancel);
    if (this.#backlog.length > 0) keInsertQueueDpc(this.#deliver);
  }

  /** PAUSE was entered from below, or left downwards. */
  setOpen(open: boolean): void {
    this.#open = open;
    if (open) return;
    keRemoveQueueDpc(this.#deliver);
    this.#backlog.length = 0;
    this.#backlogBytes = 0;
    this.#lost = false;
  }

  /** Reads until the miniport has nothing more, and delivers. At DISPATCH_LEVEL. */
  service(): void {
    for (let calls = 0; ; calls++) {
      const bytes = this.#read();
      if (bytes === 0) break;
      if (this.#open) this.#keep(this.#scratch.slice(0, bytes));
      if (calls === READ_LIMIT) {
        this.#target.finding(
          'IMiniportMidiStream::Read never says that it has no more; the port stopped asking.',
          {
            calls,
          },
        );
        break;
      }
    }
    this.#pack();
  }

  /** Ends all requests with a status. Up to DISPATCH_LEVEL. */
  abort(status: NTSTATUS): void {
    for (;;) {
      const irp = ksRemoveIrpFromCancelableQueue(this.#queue);
      if (irp === null) return;
      requestOf(irp).complete(status);
    }
  }

  reset(): void {
    this.#bytesRead = 0;
  }

  #read(): number {
    let answer: number;
    try {
      answer = this.#target.read(this.#scratch);
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
      this.#target.finding(`IMiniportMidiStream::Read failed: ${error.message}`, { status: error.status });
      return 0;
    }
    if (answer >= 0 && answer <= READ_BYTES && Number.isInteger(answer)) return answer;
    this.#target.finding('IMiniportMidiStream::Read gave more bytes than it was asked for.', {
      bufferLength: READ_BYTES,
      bytesRead: answer,
    });
    return answer > 0 ? READ_BYTES : 0;
  }

  /** Bytes of one moment make one packet. */
  #keep(bytes: Uint8Array): void {
    if (this.#backlogBytes + bytes.byteLength > BACKLOG_BYTES) {
      this.#lost = true;
      return;
    }
    this.#bytesRead += bytes.byteLength;
    this.#backlogBytes += bytes.byteLength;
    const time100ns = this.#time.now;
    const afterLoss = this.#lost;
    this.#lost = false;
    const last = this.#backlog[this.#backlog.length - 1];
    if (last !== undefined && !afterLoss && last.time100ns === time100ns)
      last.bytes = joined(last.bytes, bytes);
    else this.#backlog.push({ time100ns, bytes, afterLoss });
  }

  /** From the backlog into requests. At DISPATCH_LEVEL. */
  #pack(): void {
    while (this.#backlog.length > 0) {
      const irp = ksRemoveIrpFromCancelableQueue(this.#queue);
      if (irp === null) return;
      const request = requestOf(irp);
      this.#fill(request);
      request.complete(STATUS_SUCCESS);
    }
  }

  #fill(request: CaptureRequest): void {
    for (;;) {
      const packet = this.#backlog[0];
      const buffer = request.current;
      if (packet === undefined || buffer === null) return;
      if (packet.afterLoss) {
        // A buffer says that something is missing before its first byte: data behind a gap begin a new request.
        if (request.touched && !buffer.discontinuity) return;
        buffer.discontinuity = true;
      }
      const length = Math.min(packet.bytes.byteLength, buffer.room);
      buffer.add(packet.time100ns, packet.bytes.subarray(0, length));
      this.#backlogBytes -= length;
      if (length < packet.bytes.byteLength) packet.bytes = packet.bytes.subarray(length);
      else this.#backlog.shift();
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.byteLength + b.byteLength);
  bytes.set(a);
  bytes.set(b, a.byteLength);
  return bytes;
}

function requestOf(irp: IRP): CaptureRequest {
  const request = irp.driverContext[CONTEXT];
  if (request instanceof CaptureRequest) return request;
  throw new NtError(STATUS_INVALID_PARAMETER, 'an IRP in the queue is no read request');
}
