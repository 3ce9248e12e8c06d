import { pollRegister, READ_PORT_UCHAR, WRITE_PORT_UCHAR } from '../../../hal/index.ts';
import { NtError, STATUS_IO_TIMEOUT } from '../../../kernel/index.ts';
import type { IInterruptSync } from '../../ddi/index.ts';
import { ByteFifo } from '../byte-fifo.ts';
import {
  MPU_ACK,
  MPU_CMD_ENTER_UART,
  MPU_CMD_RESET,
  MPU_COMMAND,
  MPU_DATA,
  MPU_STATUS,
  MPU_STATUS_DRR,
  MPU_STATUS_DSR,
} from './mpu401-registers.ts';

/** A Roland MPU-401 takes up to 14 ms for a reset; ten times that is a dead one. */
const COMMAND_LIMIT_MICROSECONDS = 140_000;
/** Bytes taken at a time: an interface that always says "a byte waits" is broken, and must not hold the processor. */
const DRAIN_LIMIT = 1024;
/** Bytes that wait to be read by the port: 160 ms of a full wire. */
const RECEIVE_BYTES = 512;

/** An MPU-401 at its two ports, in UART mode once {@link reset} has succeeded. */
export class Mpu401 {
  readonly #base: number;
  readonly #received = new ByteFifo(RECEIVE_BYTES);
  /** Keeps the interrupt routine out while registers are read; null while there is none. */
  #sync: IInterruptSync | null = null;
  #acknowledge: 'unexpected' | 'awaited' | 'seen' = 'unexpected';
  /** Whether bytes from outside are kept. */
  receiving = false;
  #overruns = 0;

  constructor(base: number) {
    this.#base = base;
  }

  /** Bytes lost because nobody read them. */
  get overruns(): number {
    return this.#overruns;
  }

  set interruptSync(sync: IInterruptSync | null) {
    this.#sync = sync;
  }

  /**
   * Resets the interface and switches it to UART mode. Throws STATUS_IO_TIMEOUT, naming register and bit, when it does not answer.
   * PASSIVE_LEVEL.
   */
  reset(): void {
    this.#received.clear();
    try {
      this.#command('reset', MPU_CMD_RESET);
    } catch (error) {
      // An interface that was in UART mode leaves it without an answer; the second reset is answered (Roland's reference).
      if (!(error instanceof NtError) || error.status !== STATUS_IO_TIMEOUT) throw error;
      this.#command('reset', MPU_CMD_RESET);
    }
    this.#command('enter UART mode', MPU_CMD_ENTER_UART);
    this.#received.clear();
  }

  #command(name: string, code: number): void {
    pollRegister(
      'MPU_STATUS.DRR (ready for a command)',
      () => READ_PORT_UCHAR(this.#base + MPU_STATUS),
      MPU_STATUS_DRR,
      0,
      COMMAND_LIMIT_MICROSECONDS,
    );
    this.#acknowledge = 'awaited';
    try {
      WRITE_PORT_UCHAR(this.#base + MPU_COMMAND, code);
      pollRegister(
        `MPU_DATA (acknowledgement FEh of the command '${name}')`,
        () => {
          this.drain();
          return this.#acknowledge === 'seen' ? MPU_ACK : 0;
        },
        0xff,
        MPU_ACK,
        COMMAND_LIMIT_MICROSECONDS,
      );
    } finally {
      this.#acknowledge = 'unexpected';
    }
  }

  /** Takes over what has come in, apart from the interrupt routine. True when there was something. Up to the interrupt's IRQL. */
  drain(): boolean {
    const sync = this.#sync;
    if (sync === null || sync.getKInterrupt() === null) return this.drainInIsr();
    let found = false;
    sync.callSynchronizedRoutine(() => {
      found = this.drainInIsr();
    }, null);
    return found;
  }

  /** The same, from the interrupt routine: this is what lets go of the interrupt line. */
  drainInIsr(): boolean {
    let found = false;
    for (let bytes = 0; bytes < DRAIN_LIMIT; bytes++) {
      if ((READ_PORT_UCHAR(this.#base + MPU_STATUS) & MPU_STATUS_DSR) !== 0) break;
      const byte = READ_PORT_UCHAR(this.#base + MPU_DATA);
      found = true;
      if (byte === MPU_ACK && this.#acknowledge === 'awaited') this.#acknowledge = 'seen';
      else if (this.receiving && !this.#received.put(byte)) this.#overruns++;
    }
    return found;
  }

  /** Moves bytes that came in to `buffer`; returns how many. */
  read(buffer: Uint8Array): number {
    let count = 0;
    for (; count < buffer.byteLength; count++) {
      const byte = this.#received.take();
      if (byte === null) break;
      buffer[count] = byte;
    }
    return count;
  }

  forgetReceived(): void {
    this.#received.clear();
  }

  /** Sends a byte if the interface takes it now. Any IRQL. */
  trySend(byte: number): boolean {
    if ((READ_PORT_UCHAR(this.#base + MPU_STATUS) & MPU_STATUS_DRR) !== 0) return false;
    WRITE_PORT_UCHAR(this.#base + MPU_DATA, byte);
    return true;
  }
}
