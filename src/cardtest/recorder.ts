import type { PcmFormat, PcmSamples, PcmSink } from '../hal/bus.ts';
import type { CardSignal } from './card-under-test.ts';

/** What becomes of blocks at other rates than the recorder's. */
export type OtherRates = 'dropped' | 'held';

/**
 * Keeps what a card model plays at one rate, block after block, as a recorder does that stops when nothing comes. Blocks at another rate
 * are dropped, or held: each of the recorder's samples is the last one that came.
 */
export class Recorder implements PcmSink {
  readonly #sampleRate: number;
  readonly #otherRates: OtherRates;
  #samples = new Int16Array(16 * 1024);
  #count = 0;
  #channels = 2;
  /** Of the recorder's next sample, how much has passed: in units of 1 ÷ (both rates' product). */
  #phase = 0;

  constructor(sampleRate: number, otherRates: OtherRates = 'dropped') {
    this.#sampleRate = sampleRate;
    this.#otherRates = otherRates;
  }

  get recording(): CardSignal {
    return {
      sampleRate: this.#sampleRate,
      channels: this.#channels,
      samples: this.#samples.subarray(0, this.#count),
    };
  }

  write(samples: PcmSamples, frames: number, format: PcmFormat): void {
    if (!(samples instanceof Int16Array)) return;
    const same = format.sampleRate === this.#sampleRate;
    if (!same && this.#otherRates === 'dropped') return;
    this.#channels = format.channels;
    if (same) this.#append(samples.subarray(0, frames * format.channels));
    else this.#hold(samples, frames, format);
  }

  #hold(samples: Int16Array, frames: number, { sampleRate, channels }: PcmFormat): void {
    for (let frame = 0; frame < frames; frame++) {
      this.#phase += this.#sampleRate;
      for (; this.#phase >= sampleRate; this.#phase -= sampleRate) {
        this.#append(samples.subarray(frame * channels, (frame + 1) * channels));
      }
    }
  }

  #append(samples: Int16Array): void {
    const needed = this.#count + samples.length;
    if (needed > this.#samples.length) {
      const grown = new Int16Array(Math.max(2 * this.#samples.length, needed));
      grown.set(this.#samples.subarray(0, this.#count));
      this.#samples = grown;
    }
    this.#samples.set(samples, this.#count);
    this.#count = needed;
  }
}
