import { mulDivFloor, TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../../kernel/index.ts';

/** A card that is ahead by no more than this has a FIFO, and does not fetch in bursts. */
const FIFO_TICKS = TICKS_PER_MILLISECOND;

/** What a transfer is about; sizes in bytes. */
export interface PlayTransfer {
  readonly bufferBytes: number;
  readonly frameBytes: number;
  readonly sampleRate: number;
}

/**
 * Where the sample at the DAC is, when all that can be read is how far the DMA controller has fetched (DDI page
 * IMiniportWaveCyclicStream::GetPosition asks for the former). Cards that fetch ahead in bursts show it when they begin: more is
 * fetched than time has passed. From then on the DAC is where the clock says, at most that much behind the DMA controller and never
 * before it.
 */
export class PlayPosition {
  readonly #transfer: PlayTransfer;
  /** Offset in the buffer up to which was fetched, and how many bytes that is since the start. */
  #offset = 0;
  #fetched = 0;
  /** Most bytes that the card holds; null as long as it has fetched none. */
  #held: number | null = null;
  /** The DAC was at this byte at this time. */
  #anchorBytes = 0;
  #anchorTick: number;

  /** The transfer begins at the buffer's start. */
  constructor(transfer: PlayTransfer, now: number) {
    this.#transfer = transfer;
    this.#anchorTick = now;
  }

  /** The card runs again from where it was. */
  resume(now: number): void {
    this.#anchorTick = now;
  }

  /** The offset of the sample at the DAC; `fetchedOffset`: that of the byte which the DMA controller fetches next. */
  at(fetchedOffset: number, now: number): number {
    const { bufferBytes } = this.#transfer;
    const advance = (fetchedOffset - this.#offset + bufferBytes) % bufferBytes;
    this.#offset = fetchedOffset;
    this.#fetched += advance;
    const played = this.#played(advance, now);
    return (fetchedOffset - (this.#fetched - played) + bufferBytes) % bufferBytes;
  }

  #played(advance: number, now: number): number {
    const due = this.#anchorBytes + this.#bytesIn(now - this.#anchorTick);
    if (this.#held === null) {
      if (advance === 0) return this.#anchorAt(0, now);
      const ahead = Math.max(0, advance - due);
      const burst = ahead > this.#bytesIn(FIFO_TICKS);
      this.#held = burst ? advance : ahead;
      // When a burst came is not known: it may have been a moment ago.
      if (burst) return this.#anchorAt(0, now);
    }
    if (due > this.#fetched) return this.#anchorAt(this.#fetched, now);
    const least = this.#fetched - this.#held;
    return due < least ? this.#anchorAt(least, now) : due;
  }

  #anchorAt(bytes: number, now: number): number {
    this.#anchorBytes = bytes;
    this.#anchorTick = now;
    return bytes;
  }

  /** Whole frames. */
  #bytesIn(ticks: number): number {
    const { sampleRate, frameBytes } = this.#transfer;
    return mulDivFloor(ticks, sampleRate, TICKS_PER_SECOND) * frameBytes;
  }
}
