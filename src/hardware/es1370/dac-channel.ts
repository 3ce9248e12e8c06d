import type { SampleClock } from '../sample-clock.ts';
import { BURST_BYTES, CHANNEL_FIFO_BYTES, Es1370Channel } from './channel.ts';
import type { ChannelMap } from './registers.ts';

/** Where the frames of a playing channel go: stereo, 16 bits; the array is reused after the call. */
export type FrameTaker = (
  samples: Int16Array,
  frames: number,
  clock: SampleClock,
  firstFrame: number,
) => void;

/** Frames converted at a time. */
const BLOCK_FRAMES = 4096;

/**
 * A playing channel: circular buffer → 64 bytes of sample memory → DAC. A half of the sample memory is read ahead as soon as it is
 * empty, so that the dword index is 32 to 64 bytes ahead of the converter. Eight bits are unsigned; mono goes to both sides.
 */
export class DacChannel extends Es1370Channel {
  readonly #take: FrameTaker;
  readonly #fifo = new Uint8Array(BLOCK_FRAMES * 4 + CHANNEL_FIFO_BYTES);
  readonly #words = new Int16Array(this.#fifo.buffer);
  readonly #frames = new Int16Array(BLOCK_FRAMES * 2);
  #fifoBytes = 0;

  constructor(map: ChannelMap, take: FrameTaker) {
    super(map);
    this.#take = take;
  }

  /** Frames of {@link clock} that have been played. */
  get handledFrames(): number {
    return this.handled;
  }

  override advance(now: number): void {
    if (this.enabled) this.#fill(CHANNEL_FIFO_BYTES);
    let slots = this.running ? this.clock.slotsBy(now) - this.handled : 0;
    while (slots > 0 && this.running) {
      const bytesPerFrame = this.bytesPerFrame;
      const frames = this.framesBeforeStop(Math.min(slots, BLOCK_FRAMES));
      this.#fill(frames * bytesPerFrame + CHANNEL_FIFO_BYTES);
      this.#play(frames, bytesPerFrame);
      this.countFrames(frames, now);
      slots -= frames;
    }
  }

  protected override eventTickOf(frame: number): number {
    return this.clock.tickOf(frame);
  }

  protected override onIndexWritten(): void {
    // What was read before is played before.
  }

  protected override emptyFifo(): void {
    this.#fifoBytes = 0;
  }

  /** Reads halves as long as they leave `limit` bytes or less waiting. */
  #fill(limit: number): void {
    const bytes = limit - this.#fifoBytes;
    const whole = bytes - (bytes % BURST_BYTES);
    if (whole <= 0) return;
    this.moveRing(this.#fifo, this.#fifoBytes, whole, false);
    this.#fifoBytes += whole;
  }

  #play(frames: number, bytesPerFrame: number): void {
    const used = frames * bytesPerFrame;
    const clock = this.clock;
    if (this.stereo && this.sixteenBit) {
      this.#take(this.#words, frames, clock, this.handled);
    } else {
      this.#convert(frames);
      this.#take(this.#frames, frames, clock, this.handled);
    }
    this.#fifo.copyWithin(0, used, this.#fifoBytes);
    this.#fifoBytes -= used;
  }

  #convert(frames: number): void {
    const out = this.#frames;
    const fifo = this.#fifo;
    const words = this.#words;
    if (this.sixteenBit) {
      for (let frame = 0; frame < frames; frame++) {
        out[frame * 2] = words[frame]!;
        out[frame * 2 + 1] = words[frame]!;
      }
    } else if (this.stereo) {
      for (let index = 0; index < frames * 2; index++) out[index] = (fifo[index]! - 128) << 8;
    } else {
      for (let frame = 0; frame < frames; frame++) {
        const value = (fifo[frame]! - 128) << 8;
        out[frame * 2] = value;
        out[frame * 2 + 1] = value;
      }
    }
  }
}
