import { keStallExecutionProcessor } from '../../kernel/index.ts';
import { NOBODY_UCHAR, NOBODY_ULONG, type RegisterWindow } from './register-window.ts';
import * as R from './registers.ts';

/** SRST reads back within a few bus clocks; a controller that has not shown it by then never will. */
const RESET_LIMIT_US = 100;
/** The DMA engine ends what it has begun within two link frames (§3.3.35, RUN). */
const HALT_LIMIT_US = 60;
const POLL_US = 5;

/** A stream as the interrupt service routine sees it. Called at DIRQL. */
export interface StreamInterruptSink {
  /** `status` is SDnSTS as read; the write-1-to-clear bits have been cleared already. */
  streamInterrupt(status: number): void;
}

/** What a DMA engine is told before it runs. */
export interface StreamProgram {
  /** The format word, as the converters have it. */
  readonly format: number;
  /** Bus address of the descriptor list, on a 128-byte boundary. */
  readonly listAddress: number;
  readonly entries: number;
  /** Bytes of the cyclic buffer: the sum of the entries. */
  readonly cyclicBytes: number;
}

/** What descriptors of one controller have found out about it. */
export interface ControllerTraits {
  /**
   * SRST has been seen to read 1. QEMU's controller, where it never does, also begins the buffer again whenever RUN is set, so that a
   * pause costs the position: both follow from its having no state between stopped and running.
   */
  resetReadsBack: boolean | null;
}

/** One stream descriptor: a DMA engine between a cyclic buffer and a stream number on the link (§3.3.35–3.3.43). */
export class HdaStreamDescriptor {
  /** Bit in INTCTL and INTSTS. */
  readonly index: number;
  readonly direction: 'input' | 'output';
  /** Number of the stream on the link, 1–15. Streams of the two directions have numbers of their own. */
  readonly streamNumber: number;
  /** Whose interrupts these are; set with the interrupt service routine kept out. */
  sink: StreamInterruptSink | null = null;
  readonly #registers: RegisterWindow;
  readonly #base: number;
  readonly #traits: ControllerTraits;

  constructor(
    registers: RegisterWindow,
    index: number,
    direction: 'input' | 'output',
    streamNumber: number,
    traits: ControllerTraits,
  ) {
    this.#registers = registers;
    this.index = index;
    this.direction = direction;
    this.streamNumber = streamNumber;
    this.#base = R.SD_BASE + index * R.SD_BYTES;
    this.#traits = traits;
  }

  /** System address of the position in the buffer, and the same for applications where the controller has aliases. */
  get positionRegister(): number {
    const offset = this.#base + R.SD_LPIB;
    const alias = R.ALIASES + offset;
    return this.#registers.base + (alias + 4 <= this.#registers.length ? alias : offset);
  }

  /** Stops the engine and puts its registers back, as it must be before it is programmed anew. IRQL <= DISPATCH_LEVEL. */
  reset(): void {
    if (!this.#halt()) return;
    const { resetReadsBack } = this.#traits;
    this.#writeControl(R.SD_CTL_SRST);
    if (resetReadsBack !== false) {
      const seen = this.#waitFor(R.SD_CTL_SRST, R.SD_CTL_SRST, RESET_LIMIT_US);
      if (resetReadsBack === null) this.#traits.resetReadsBack = seen;
    }
    this.#writeControl(0);
    this.#waitFor(R.SD_CTL_SRST, 0, RESET_LIMIT_US);
    this.#registers.writeUchar(this.#base + R.SD_STS, R.SD_STS_W1C);
  }

  /** Programs the engine after {@link reset}. IRQL <= DISPATCH_LEVEL. */
  program({ format, listAddress, entries, cyclicBytes }: StreamProgram): void {
    const registers = this.#registers;
    registers.writeUchar(this.#base + R.SD_CTL_STRM, this.streamNumber << 4);
    registers.writeUlong(this.#base + R.SD_CBL, cyclicBytes);
    registers.writeUshort(this.#base + R.SD_LVI, entries - 1);
    registers.writeUshort(this.#base + R.SD_FMT, format);
    registers.writeAddress(this.#base + R.SD_BDPL, listAddress);
  }

  /** Any IRQL. */
  run(): void {
    this.#writeControl(R.SD_CTL_RUN | R.SD_CTL_IOCE | R.SD_CTL_DEIE);
  }

  /** Clears RUN and waits until the engine stands. False when nobody answers. Any IRQL. */
  pause(): boolean {
    return this.#halt();
  }

  /** Bytes of the cyclic buffer that passed the link; null when nobody answers. Any IRQL. */
  readPosition(): number | null {
    const position = this.#registers.readUlong(this.#base + R.SD_LPIB);
    return position === NOBODY_ULONG ? null : position;
  }

  /** Depth of the FIFO in bytes, for the format that was programmed. The register counts one less (ICH6, §18.2.39). */
  readFifoBytes(): number {
    return (this.#registers.readUshort(this.#base + R.SD_FIFOS) & 0x0fff) + 1;
  }

  /** Reads and takes back the status, and tells the stream. At DIRQL. */
  serviceInterrupt(): void {
    const status = this.#registers.readUchar(this.#base + R.SD_STS);
    this.#registers.writeUchar(this.#base + R.SD_STS, status & R.SD_STS_W1C);
    this.sink?.streamInterrupt(status);
  }

  #writeControl(value: number): void {
    this.#registers.writeUchar(this.#base + R.SD_CTL, value);
  }

  #halt(): boolean {
    const control = this.#registers.readUchar(this.#base + R.SD_CTL);
    if (control === NOBODY_UCHAR) return false;
    if ((control & (R.SD_CTL_RUN | R.SD_CTL_IOCE | R.SD_CTL_DEIE)) !== 0) this.#writeControl(0);
    this.#waitFor(R.SD_CTL_RUN, 0, HALT_LIMIT_US);
    return true;
  }

  #waitFor(mask: number, value: number, limitMicroseconds: number): boolean {
    for (let waited = 0; ; waited += POLL_US) {
      if ((this.#registers.readUchar(this.#base + R.SD_CTL) & mask) === value) return true;
      if (waited >= limitMicroseconds) return false;
      keStallExecutionProcessor(POLL_US);
    }
  }
}
