import {
  type IRP,
  ioCompleteRequest,
  KDPC,
  type Kernel,
  KTIMER,
  keCancelTimer,
  keInsertQueueDpc,
  keRemoveQueueDpc,
  keSetTimer,
  type NTSTATUS,
  NtError,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  TICKS_PER_MILLISECOND,
  TICKS_PER_SECOND,
} from '../../../kernel/index.ts';
import {
  decodeMusicRecords,
  KsAcquireOnlySingleItem,
  KsIrpQueue,
  KsListEntryHead,
  ksAddIrpToCancelableQueue,
  ksReleaseIrpOnCancelableQueue,
  ksRemoveIrpFromCancelableQueue,
  ksRemoveSpecificIrpFromCancelableQueue,
  presentationTime100ns,
} from '../../../ks/index.ts';
import { lockStreamBuffers, type StreamBuffer } from '../irp-stream/index.ts';
import type { StreamTime } from './stream-time.ts';

/** Where a queued IRP keeps its {@link RenderRequest}. */
const CONTEXT = 0;
/** The timer is never set further ahead: a client's delta may be of weeks. */
const LONGEST_SLEEP_TICKS = 3600 * TICKS_PER_SECOND;
/** A device that takes nothing for so long is reported. */
const STUCK_TICKS = TICKS_PER_SECOND;

/** A record with the stream time at which it is due. */
interface DueRecord {
  readonly due100ns: number;
  readonly bytes: Uint8Array;
}

/** What a write request holds, copied from the client when it arrived. */
class RenderRequest {
  readonly records: readonly DueRecord[];
  /** Bytes of the client's buffers, heads and padding included: what the request reports as written. */
  readonly byteCount: number;
  /** MIDI bytes. */
  readonly midiBytes: number;
  record = 0;
  /** Bytes of the present record that the device has. */
  offset = 0;

  /**
   * Throws what {@link lockStreamBuffers} throws, and STATUS_INVALID_PARAMETER for records that run out of their buffer: nothing of such
   * a request is played.
   */
  constructor(irp: IRP) {
    const records: DueRecord[] = [];
    let byteCount = 0;
    let midiBytes = 0;
    const buffers = lockStreamBuffers(irp, false);
    try {
      for (const buffer of buffers) {
        byteCount += buffer.byteLength;
        // Each delta counts from where the record before was due, not from when it was played.
        let due100ns = presentationTime100ns(buffer.header.presentationTime);
        for (const { timeDeltaMs, bytes } of decodeMusicRecords(copyOf(buffer))) {
          due100ns += timeDeltaMs * TICKS_PER_MILLISECOND;
          midiBytes += bytes.byteLength;
          records.push({ due100ns, bytes });
        }
      }
    } finally {
      for (const buffer of buffers) buffer.unlock();
    }
    this.records = records;
    this.byteCount = byteCount;
    this.midiBytes = midiBytes;
  }
}

/** The client's bytes as they are now. */
function copyOf(buffer: StreamBuffer): Uint8Array {
  const bytes = new Uint8Array(buffer.byteLength);
  buffer.read(0, bytes);
  return bytes;
}

/** What the sequencer needs of its pin. */
export interface RenderTarget {
  /** IMiniportMidiStream::Write. */
  write(bytes: Uint8Array): number;
  finding(text: string, data?: Readonly<Record<string, number>>): void;
}

/**
 * The port's software sequencer (midi-and-directmusic-filters.md): plays the KSMUSICFORMAT records of a render pin's requests, in the
 * order in which they came, at the first millisecond of stream time at or after they are due; what is late at once. A request is not
 * begun before the one before it is done, and completed when the device has its last byte.
 *
 * Everything happens in one DPC, so that the miniport's write is at DISPATCH_LEVEL.
 */
export class MusicRender {
  readonly #kernel: Kernel;
  readonly #time: StreamTime;
  readonly #target: RenderTarget;
  readonly #queue = new KsIrpQueue();
  readonly #timer = new KTIMER('NotificationTimer', 'MIDI sequencer');
  readonly #dpc = new KDPC(() => this.#pump(), null, 'MidiSequencer');
  /** Since when the device has taken nothing; null while it takes bytes. */
  #busySince: number | null = null;
  #bytesPlayed = 0;
  #bytesQueued = 0;

  constructor(kernel: Kernel, time: StreamTime, target: RenderTarget) {
    this.#kernel = kernel;
    this.#time = time;
    this.#target = target;
  }

  /** MIDI bytes that the device has, since STOP. */
  get bytesPlayed(): number {
    return this.#bytesPlayed;
  }

  /** MIDI bytes that the client has given, since STOP. */
  get bytesQueued(): number {
    return this.#bytesQueued;
  }

  /** Takes a write request, which is pending from then on. Throws, and leaves it alone, when it is malformed. PASSIVE_LEVEL. */
  submit(irp: IRP): void {
    const request = new RenderRequest(irp);
    irp.driverContext[CONTEXT] = request;
    this.#bytesQueued += request.midiBytes;
    ksAddIrpToCancelableQueue(this.#queue, irp);
    this.serve();
  }

  /** The stream runs, or the device may take bytes again. Up to DISPATCH_LEVEL. */
  serve(): void {
    if (this.#time.running) keInsertQueueDpc(this.#dpc);
  }

  /** RUN is left: requests stay where they are. */
  pause(): void {
    this.#busySince = null;
    keCancelTimer(this.#timer);
    keRemoveQueueDpc(this.#dpc);
  }

  /** Ends all requests with a status. Up to DISPATCH_LEVEL. */
  abort(status: NTSTATUS): void {
    for (;;) {
      const irp = ksRemoveIrpFromCancelableQueue(this.#queue);
      if (irp === null) return;
      complete(irp, status, 0);
    }
  }

  /** STOP was reached: counters begin again. */
  reset(): void {
    this.#bytesPlayed = 0;
    this.#bytesQueued = 0;
  }

  /** At DISPATCH_LEVEL. */
  #pump(): void {
    while (this.#time.running) {
      const irp = ksRemoveIrpFromCancelableQueue(this.#queue, KsListEntryHead, KsAcquireOnlySingleItem);
      if (irp === null) return;
      const request = requestOf(irp);
      let status: NTSTATUS = STATUS_SUCCESS;
      try {
        if (!this.#play(request)) {
          ksReleaseIrpOnCancelableQueue(irp);
          return;
        }
      } catch (error) {
        if (!(error instanceof NtError)) throw error;
        status = error.status;
        this.#target.finding(
          `IMiniportMidiStream::Write failed; the rest of its request is dropped: ${error.message}`,
          {
            status,
          },
        );
      }
      ksRemoveSpecificIrpFromCancelableQueue(irp);
      complete(irp, status, status === STATUS_SUCCESS ? request.byteCount : 0);
    }
  }

  /** Plays what is due; false when there is something to wait for, and the timer is set. Throws what the miniport throws. */
  #play(request: RenderRequest): boolean {
    for (; request.record < request.records.length; request.record++, request.offset = 0) {
      const { due100ns, bytes } = request.records[request.record] as DueRecord;
      if (request.offset === 0 && due100ns > this.#time.now) {
        this.#wakeAt(due100ns);
        return false;
      }
      while (request.offset < bytes.byteLength) {
        const taken = this.#write(request.offset === 0 ? bytes : bytes.subarray(request.offset));
        if (taken === 0) {
          this.#wakeAt(this.#time.now + 1);
          return false;
        }
        request.offset += taken;
      }
    }
    return true;
  }

  /** One call of the miniport's write, its answer checked. */
  #write(bytes: Uint8Array): number {
    const answer = this.#target.write(bytes);
    let taken = answer;
    if (!(answer >= 0 && answer <= bytes.byteLength && Number.isInteger(answer))) {
      this.#target.finding('IMiniportMidiStream::Write gave a count that it was not asked to write.', {
        bytesToWrite: bytes.byteLength,
        bytesWritten: answer,
      });
      taken = answer > 0 ? bytes.byteLength : 0;
    } else if (answer < bytes.byteLength && answer % 4 !== 0) {
      this.#target.finding('IMiniportMidiStream::Write took a part that is no multiple of four bytes.', {
        bytesToWrite: bytes.byteLength,
        bytesWritten: answer,
      });
    }
    if (taken > 0) {
      this.#busySince = null;
      this.#bytesPlayed += taken;
      return taken;
    }
    const { now } = this.#kernel.clock;
    this.#busySince ??= now;
    if (now - this.#busySince > STUCK_TICKS)
      this.#target.finding('IMiniportMidiStream::Write has taken no byte for more than a second.');
    return 0;
  }

  /** The next whole millisecond of stream time at or after a time that is still to come. */
  #wakeAt(time100ns: number): void {
    const tick = Math.ceil(time100ns / TICKS_PER_MILLISECOND) * TICKS_PER_MILLISECOND;
    keSetTimer(this.#timer, -Math.min(tick - this.#time.now, LONGEST_SLEEP_TICKS), this.#dpc);
  }
}

function requestOf(irp: IRP): RenderRequest {
  const request = irp.driverContext[CONTEXT];
  if (request instanceof RenderRequest) return request;
  throw new NtError(STATUS_INVALID_PARAMETER, 'an IRP in the queue is no write request');
}

function complete(irp: IRP, status: NTSTATUS, information: number): void {
  irp.driverContext[CONTEXT] = null;
  irp.ioStatus.status = status;
  irp.ioStatus.information = information;
  ioCompleteRequest(irp);
}
