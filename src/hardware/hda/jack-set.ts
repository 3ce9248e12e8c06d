import { type PcmFormat, type PcmSamples, type PcmSink, TICKS_PER_SECOND } from '../../hal/bus.ts';

/** What one jack has put out and nobody has heard yet. */
class WaitingSound {
  samples: PcmSamples = new Int16Array(0);
  frames = 0;
  startTick = 0;
  format: PcmFormat = { sampleRate: 0, channels: 0 };

  /** Does a block go on where this ends, in the same form? */
  goesOn(samples: PcmSamples, format: PcmFormat, startTick: number): boolean {
    const { sampleRate, channels } = this.format;
    if (sampleRate !== format.sampleRate || channels !== format.channels) return false;
    if (samples.constructor !== this.samples.constructor) return false;
    // Within half a frame: a block's stamp is rounded up to a tick.
    const deviation = (startTick - this.startTick) * sampleRate - this.frames * TICKS_PER_SECOND;
    return 2 * Math.abs(deviation) < TICKS_PER_SECOND;
  }

  append(samples: PcmSamples, frames: number, format: PcmFormat, startTick: number): void {
    if (this.frames === 0) {
      this.format = format;
      this.startTick = startTick;
    }
    const at = this.frames * format.channels;
    const needed = at + frames * format.channels;
    if (this.samples.constructor !== samples.constructor || this.samples.length < needed) {
      const grown = likeArray(samples, Math.max(needed, 2 * at));
      if (at > 0) grown.set(this.samples.subarray(0, at));
      this.samples = grown;
    }
    const count = frames * format.channels;
    this.samples.set(samples.length === count ? samples : samples.subarray(0, count), at);
    this.frames += frames;
  }

  /** Plays at the same time as another, in the same form but for the number of channels. */
  isBeside(other: WaitingSound): boolean {
    return (
      this.startTick === other.startTick &&
      this.frames === other.frames &&
      this.format.sampleRate === other.format.sampleRate &&
      this.samples.constructor === other.samples.constructor
    );
  }
}

function likeArray(like: PcmSamples, length: number): PcmSamples {
  if (like instanceof Int16Array) return new Int16Array(length);
  return like instanceof Int32Array ? new Int32Array(length) : new Float32Array(length);
}

/**
 * One listener with a plug in each of several jacks, as a surround receiver has: what the jacks put out at the same time reaches it as one
 * block, the channels in the order of the jacks. Jacks that put out nothing are left out, so that stereo stays stereo; one that falls
 * silent while the others go on, since its plug was pulled, keeps its channels.
 *
 * Jacks are heard one after the other; {@link settle} says that all have been brought to the same time.
 */
export class HdaJackSet {
  readonly #sink: PcmSink;
  readonly #waiting: readonly WaitingSound[];
  /** Channels of each jack in what was passed on last; 0 for a jack that was left out. */
  #layout: readonly number[];
  /** The block that was passed on last. */
  #last: { readonly endTick: number; readonly sampleRate: number } | null = null;
  #merged: PcmSamples = new Int16Array(0);
  #format: PcmFormat = { sampleRate: 0, channels: 0 };

  constructor(sink: PcmSink, jacks: number) {
    this.#sink = sink;
    this.#waiting = Array.from({ length: jacks }, () => new WaitingSound());
    this.#layout = this.#waiting.map(() => 0);
  }

  /** The plug for the jack of that place, counted from 0. */
  plug(place: number): PcmSink {
    const waiting = this.#waiting[place];
    if (waiting === undefined) throw new RangeError(`jack ${place} of a set of ${this.#waiting.length}`);
    return {
      write: (samples, frames, format, startTick) => {
        if (waiting.frames > 0 && !waiting.goesOn(samples, format, startTick)) this.settle();
        waiting.append(samples, frames, format, startTick);
      },
    };
  }

  /** Passes on what has been heard. Jacks that did not play together are passed on one after the other. */
  settle(): void {
    for (const first of this.#waiting) {
      if (first.frames === 0) continue;
      this.#pass(
        first,
        this.#waiting.map((one) => one.frames > 0 && one.isBeside(first)),
      );
    }
  }

  #pass(first: WaitingSound, together: readonly boolean[]): void {
    const { frames, startTick } = first;
    const { sampleRate } = first.format;
    const goesOn =
      this.#last?.sampleRate === sampleRate &&
      2 * Math.abs(startTick - this.#last.endTick) * sampleRate < TICKS_PER_SECOND;
    const before = this.#layout;
    const layout = this.#waiting.map((one, place) => {
      if (together[place]) return one.format.channels;
      return goesOn ? (before[place] ?? 0) : 0;
    });
    this.#layout = layout;
    this.#last = { endTick: startTick + (frames * TICKS_PER_SECOND) / sampleRate, sampleRate };
    const channels = layout.reduce((sum, count) => sum + count, 0);
    if (channels === first.format.channels) this.#sink.write(first.samples, frames, first.format, startTick);
    else this.#merge(first, together, channels);
    for (const [place, one] of this.#waiting.entries()) if (together[place]) one.frames = 0;
  }

  #merge(first: WaitingSound, together: readonly boolean[], channels: number): void {
    const { frames, startTick, format } = first;
    if (this.#format.sampleRate !== format.sampleRate || this.#format.channels !== channels)
      this.#format = { sampleRate: format.sampleRate, channels };
    if (this.#merged.constructor !== first.samples.constructor || this.#merged.length < frames * channels)
      this.#merged = likeArray(first.samples, frames * channels);
    const merged = this.#merged;
    let at = 0;
    for (const [place, own] of this.#layout.entries()) {
      const { samples } = this.#waiting[place]!;
      for (let channel = 0; channel < own; channel++, at++) {
        for (let frame = 0; frame < frames; frame++)
          merged[frame * channels + at] = together[place] ? samples[frame * own + channel]! : 0;
      }
    }
    this.#sink.write(merged, frames, this.#format, startTick);
  }
}
