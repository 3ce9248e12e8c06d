import type { PcmFormat, PcmSamples, PcmSink } from '../hal/bus.ts';
import type { CardSignal } from './card-under-test.ts';

/** What becomes of blocks at other rates than the recorder's. */
export type OtherRates = 'dropped' | 'held';

/** A growing array of samples, each kept as exactly as a card delivers any: 16 bits, 32 bits left-justified, or floating point. */
class SampleTape {
  #samples: PcmSamples = new Int16Array(16 * 1024);
  #count = 0;

  get recording(): PcmSamples {
    return this.#samples.subarray(0, this.#count);
  }

  append(samples: PcmSamples): void {
    if (samples.constructor !== this.#samples.constructor) {
      // Another kind of sample begins another recording: a card has one kind per converter.
      this.#samples = emptyLike(samples, this.#samples.length);
      this.#count = 0;
    }
    const needed = this.#count + samples.length;
    if (needed > this.#samples.length) {
      const grown = emptyLike(samples, Math.max(2 * this.#samples.length, needed));
      grown.set(this.recording);
      this.#samples = grown;
    }
    this.#samples.set(samples, this.#count);
    this.#count = needed;
  }
}

function emptyLike(samples: PcmSamples, length: number): PcmSamples {
  if (samples instanceof Int16Array) return new Int16Array(length);
  return samples instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}

/**
 * Keeps what a card model plays at one rate, block after block, as a recorder does that stops when nothing comes. Blocks at another rate
 * are dropped, or held: each of the recorder's samples is the last one that came. Samples wider than 16 bits are kept whole beside their
 * upper 16 bits.
 */
export class Recorder implements PcmSink {
  readonly #sampleRate: number;
  readonly #otherRates: OtherRates;
  readonly #narrow = new SampleTape();
  readonly #wide = new SampleTape();
  #channels = 2;
  /** Of the recorder's next sample, how much has passed: in units of 1 ÷ (both rates' product). */
  #phase = 0;

  constructor(sampleRate: number, otherRates: OtherRates = 'dropped') {
    this.#sampleRate = sampleRate;
    this.#otherRates = otherRates;
  }

  /** In 16 bits, what is below cut off. */
  get recording(): CardSignal {
    const samples = this.#narrow.recording;
    return {
      sampleRate: this.#sampleRate,
      channels: this.#channels,
      samples: samples instanceof Int16Array ? samples : new Int16Array(0),
    };
  }

  /** As the card delivered it. */
  get wideRecording(): CardSignal<PcmSamples> {
    const wide = this.#wide.recording;
    return wide.length === 0
      ? this.recording
      : { sampleRate: this.#sampleRate, channels: this.#channels, samples: wide };
  }

  write(samples: PcmSamples, frames: number, format: PcmFormat): void {
    const same = format.sampleRate === this.#sampleRate;
    if (!same && this.#otherRates === 'dropped') return;
    this.#channels = format.channels;
    const block = samples.subarray(0, frames * format.channels);
    this.#append(same ? block : this.#held(block, frames, format));
  }

  #held(block: PcmSamples, frames: number, { sampleRate, channels }: PcmFormat): PcmSamples {
    const most = Math.ceil((frames * this.#sampleRate + this.#phase) / sampleRate) + 1;
    const held = emptyLike(block, most * channels);
    let count = 0;
    for (let frame = 0; frame < frames; frame++) {
      this.#phase += this.#sampleRate;
      for (; this.#phase >= sampleRate; this.#phase -= sampleRate) {
        held.set(block.subarray(frame * channels, (frame + 1) * channels), count);
        count += channels;
      }
    }
    return held.subarray(0, count);
  }

  #append(samples: PcmSamples): void {
    if (samples instanceof Int16Array) {
      this.#narrow.append(samples);
      return;
    }
    this.#wide.append(samples);
    this.#narrow.append(toSixteenBits(samples));
  }
}

function toSixteenBits(samples: Int32Array | Float32Array): Int16Array {
  return samples instanceof Int32Array
    ? Int16Array.from(samples, (sample) => sample >> 16)
    : Int16Array.from(samples, (sample) => Math.max(-32_768, Math.min(32_767, Math.round(sample * 32_768))));
}
