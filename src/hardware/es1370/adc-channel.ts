import type { SampleClock } from '../sample-clock.ts';
import { BURST_BYTES, CHANNEL_FIFO_BYTES, Es1370Channel } from './channel.ts';
import { ADC_MAP } from './registers.ts';

/** Fills `into` with stereo frames, periods `firstFrame` … of `clock`. */
export type FrameSource = (into: Int16Array, frames: number, clock: SampleClock, firstFrame: number) => void;

const BLOCK_FRAMES = 4096;

/**
 * The recording channel: ADC → 64 bytes of sample memory → circular buffer. A half is written to memory when it is full, so that up
 * to 31 bytes wait in the chip. Mono takes the left side; eight bits are unsigned, the low byte is cut off.
 */
export class AdcChannel extends Es1370Channel {
  readonly #read: FrameSource;
  readonly #frames = new Int16Array(BLOCK_FRAMES * 2);
  readonly #fifo = new Uint8Array(BLOCK_FRAMES * 4 + CHANNEL_FIFO_BYTES);
  #fifoBytes = 0;
  /** ADC_STOP: the channel converts, and nothing is moved to memory. */
  transferStopped = false;

  constructor(read: FrameSource) {
    super(ADC_MAP);
    this.#read = read;
  }

  override advance(now: number): void {
    let periods = this.running ? this.clock.periodsBy(now) - this.handled : 0;
    while (periods > 0 && this.running) {
      const frames = this.framesBeforeStop(Math.min(periods, BLOCK_FRAMES));
      this.#read(this.#frames, frames, this.clock, this.handled);
      this.#store(frames);
      this.#drain();
      this.countFrames(frames, now);
      periods -= frames;
    }
  }

  protected override eventTickOf(frame: number): number {
    return this.clock.tickOf(frame + 1);
  }

  protected override onIndexWritten(): void {
    // Frames that wait go where the index now points.
  }

  protected override emptyFifo(): void {
    this.#fifoBytes = 0;
  }

  #store(frames: number): void {
    const from = this.#frames;
    const fifo = this.#fifo;
    const step = this.stereo ? 1 : 2;
    let at = this.#fifoBytes;
    if (this.sixteenBit) {
      for (let index = 0; index < frames * 2; index += step) {
        const value = from[index]!;
        fifo[at++] = value & 0xff;
        fifo[at++] = (value >> 8) & 0xff;
      }
    } else {
      for (let index = 0; index < frames * 2; index += step) fifo[at++] = (from[index]! >> 8) + 128;
    }
    this.#fifoBytes = at;
  }

  #drain(): void {
    if (this.transferStopped) {
      // The sample memory is full and stays so; what comes is lost.
      this.#fifoBytes = Math.min(this.#fifoBytes, CHANNEL_FIFO_BYTES);
      return;
    }
    const whole = this.#fifoBytes - (this.#fifoBytes % BURST_BYTES);
    if (whole === 0) return;
    this.moveRing(this.#fifo, 0, whole, true);
    this.#fifo.copyWithin(0, whole, this.#fifoBytes);
    this.#fifoBytes -= whole;
  }
}
