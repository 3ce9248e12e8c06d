import type { SampleClock } from '../sample-clock.ts';
import { BusMasterEngine, type EngineOptions } from './bus-master-engine.ts';

/** Fills `into` from sample `offset` on with `frames` frames: periods `firstFrame` … of `clock`. */
export type CaptureSource = (
  into: Int16Array,
  offset: number,
  frames: number,
  clock: SampleClock,
  firstFrame: number,
) => void;

/** Frames taken from the converter at a time. */
const BLOCK_FRAMES = 2048;

/**
 * PCM in and mic in: ADC slots → FIFO → memory. A frame arrives at the end of its sample period; a burst is written when the
 * FIFO holds one, or holds the rest of the descriptor. With the ring exhausted, or a write refused, the FIFO fills and then
 * loses what arrives; the latter sets FIFOE (§12.2.4).
 */
export class CaptureEngine extends BusMasterEngine {
  readonly #source: CaptureSource;
  readonly #stage: Int16Array;
  readonly #bytes: Uint8Array;
  /** Samples in the stage: from `#head` to `#tail`. */
  #head = 0;
  #tail = 0;
  #framesCaptured = 0;

  constructor(options: EngineOptions, source: CaptureSource) {
    super(options);
    this.#source = source;
    this.#stage = new Int16Array(BLOCK_FRAMES * options.samplesPerFrame + this.fifoSamples);
    this.#bytes = new Uint8Array(this.#stage.buffer);
  }

  override get framesConverted(): number {
    return this.#framesCaptured;
  }

  override advance(now: number): void {
    let frames = this.running ? this.clock.periodsBy(now) - this.handled : 0;
    this.#drain();
    while (frames > 0) {
      const flows = this.state === 'active' && !this.refused;
      const room = (flows ? this.#stage.length : this.fifoSamples) - this.#tail;
      const take = Math.min(frames, Math.floor(room / this.samplesPerFrame));
      if (take <= 0) {
        this.#lose();
        this.handled += frames;
        return;
      }
      this.#source(this.#stage, this.#tail, take, this.clock, this.handled);
      this.#tail += take * this.samplesPerFrame;
      this.handled += take;
      this.#framesCaptured += take;
      frames -= take;
      this.#drain();
    }
  }

  override nextEventTick(): number | null {
    if (!this.running || !this.dmaRuns) return null;
    if (this.refused) {
      if (!this.fifoErrorAwaited) return null;
      const frames = Math.floor((this.fifoSamples - this.#tail) / this.samplesPerFrame) + 1;
      return this.clock.tickOf(this.handled + Math.max(frames, 1));
    }
    const left = this.samplesToEvent();
    if (left === null) return null;
    const frames = Math.ceil((left - this.#tail) / this.samplesPerFrame);
    return this.clock.tickOf(this.handled + Math.max(frames, 1));
  }

  protected override onPause(now: number): void {
    this.stopClock(now);
  }

  protected override emptyFifo(): void {
    this.#head = 0;
    this.#tail = 0;
    this.#framesCaptured = 0;
  }

  protected override onClock(): void {
    // The ADC is heard by nobody else.
  }

  protected override transfer(busAddress: number, samples: number): boolean {
    const bytes = this.#bytes.subarray(this.#head * 2, (this.#head + samples) * 2);
    if (this.slot?.busMaster.write(busAddress, bytes) !== true) return false;
    this.#head += samples;
    return true;
  }

  /** Writes to memory what can be written, and moves the rest to the front of the stage. */
  #drain(): void {
    while (this.dmaRuns && !this.refused && this.loadDescriptor()) {
      const left = this.length - this.moved;
      const available = this.#tail - this.#head;
      const take = left <= available ? left : this.wholeBursts(this.moved + available) - this.moved;
      if (take <= 0 && left > 0) break;
      if (take > 0 && !this.moveSamples(take)) break;
      if (this.moved === this.length) this.completeDescriptor();
    }
    if (this.#head > 0) {
      this.#stage.copyWithin(0, this.#head, this.#tail);
      this.#tail -= this.#head;
      this.#head = 0;
    }
    const blocked = this.refused || this.state !== 'active';
    if (blocked && this.#tail > this.fifoSamples) {
      // A long catch-up took more from the ADC than a FIFO that nobody empties would have held.
      const lost = Math.ceil((this.#tail - this.fifoSamples) / this.samplesPerFrame);
      this.#tail -= lost * this.samplesPerFrame;
      this.#framesCaptured -= lost;
      this.#lose();
    }
  }

  #lose(): void {
    if (this.state !== 'done' && this.dmaRuns) this.setFifoError();
  }
}
