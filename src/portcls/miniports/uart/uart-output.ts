import {
  KDPC,
  KTIMER,
  keCancelTimer,
  keDelayExecutionThread,
  keQueryInterruptTime,
  keRemoveQueueDpc,
  keSetTimer,
  NtError,
  STATUS_IO_DEVICE_ERROR,
  TICKS_PER_MICROSECOND,
  TICKS_PER_MILLISECOND,
} from '../../../kernel/index.ts';
import { ByteFifo } from '../byte-fifo.ts';
import type { Mpu401 } from './mpu401.ts';

/** Bytes taken from the port ahead of the wire: 5 ms, so that the wire does not wait for the sequencer's next millisecond. */
const FIFO_BYTES = 16;
/** A byte is on the wire for 320 µs: how soon it is worth looking again. */
const BYTE_TICKS = 320 * TICKS_PER_MICROSECOND;
/** No byte in so long: the interface is stuck. */
const STUCK_TICKS = 100 * TICKS_PER_MILLISECOND;

/**
 * The way from the port to the wire. The interface has room for a byte or two, and a byte takes 320 µs: what it does not take at once
 * is sent from a timer's DPC, so that the processor is never held up.
 */
export class UartOutput {
  readonly #mpu: Mpu401;
  readonly #fifo = new ByteFifo(FIFO_BYTES);
  readonly #timer = new KTIMER('NotificationTimer', 'MPU-401 transmitter');
  readonly #dpc = new KDPC(() => this.#send(), null, 'UartTransmit');
  #waiting: number | null = null;
  /** When the interface last took a byte, or was first asked to. */
  #lastProgress = 0;

  constructor(mpu: Mpu401) {
    this.#mpu = mpu;
  }

  /**
   * Takes all bytes, or a multiple of four, or none, as there is room. Throws STATUS_IO_DEVICE_ERROR when the interface has not taken a
   * byte for 100 ms; what waits is dropped then. DISPATCH_LEVEL.
   */
  write(bytes: Uint8Array): number {
    const now = keQueryInterruptTime();
    if (this.#fifo.count === 0) this.#lastProgress = now;
    else if (now - this.#lastProgress > STUCK_TICKS) {
      this.clear();
      throw new NtError(
        STATUS_IO_DEVICE_ERROR,
        'MPU_STATUS.DRR has said busy for 100 ms: the MPU-401 takes no bytes',
      );
    }
    this.#send();
    const room = this.#fifo.room;
    const taken = bytes.byteLength <= room ? bytes.byteLength : room & ~3;
    for (let index = 0; index < taken; index++) this.#fifo.put(bytes[index] as number);
    this.#send();
    return taken;
  }

  /** Waits until what was taken has been sent, for 10 ms at most. PASSIVE_LEVEL. */
  flush(): void {
    const deadline = keQueryInterruptTime() + 10 * TICKS_PER_MILLISECOND;
    while ((this.#fifo.count > 0 || this.#waiting !== null) && keQueryInterruptTime() < deadline)
      keDelayExecutionThread(-TICKS_PER_MILLISECOND);
    this.clear();
  }

  /** Drops what has not been sent. */
  clear(): void {
    keCancelTimer(this.#timer);
    keRemoveQueueDpc(this.#dpc);
    this.#fifo.clear();
    this.#waiting = null;
  }

  /** As many bytes as the interface takes; the rest later. At DISPATCH_LEVEL. */
  #send(): void {
    for (;;) {
      this.#waiting ??= this.#fifo.take();
      if (this.#waiting === null) {
        keCancelTimer(this.#timer);
        return;
      }
      if (!this.#mpu.trySend(this.#waiting)) break;
      this.#waiting = null;
      this.#lastProgress = keQueryInterruptTime();
    }
    keSetTimer(this.#timer, -BYTE_TICKS, this.#dpc);
  }
}
