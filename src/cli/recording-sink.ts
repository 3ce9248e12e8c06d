import { type AudioFormat, audioFormat, type PcmWriter, WavWriter } from '../client/index.ts';
import { type PcmFormat, type PcmSamples, type PcmSink, TICKS_PER_SECOND } from '../hal/bus.ts';
import { FileByteSink } from './files.ts';
import type { LivePlayer } from './live-player.ts';

/** Silence is written in pieces of this many frames. */
const SILENCE_FRAMES = 4096;
/** What a converter of more than 16 bits is recorded with unless the played file says otherwise. */
const WIDE_BITS = 24;
const ONE_16 = 32_768;

/**
 * Hears the card's output: to a WAV file, to the system's player, or both. The first block decides the recording's rate, channels and
 * size of samples: 16 bits as they are, more as in the file that is played, so that it comes out as it went in. Gaps in time become
 * silence, so that the recording's clock is the machine's.
 */
export class RecordingSink implements PcmSink {
  readonly #player: LivePlayer | null;
  /** What is played. */
  readonly #like: AudioFormat | null;
  #file: FileByteSink | null = null;
  #writer: PcmWriter | null = null;
  #format: PcmFormat | null = null;
  #fileFormat: AudioFormat | null = null;
  /** When the next frame is due if the card goes on without a gap. */
  #nextTick = 0;
  #frames = 0;
  #otherFormatFrames = 0;
  #converted = new Int16Array(0);
  #packed = new Uint8Array(0);

  constructor(path: string | null, player: LivePlayer | null, like: AudioFormat | null = null) {
    this.#player = player;
    this.#like = like;
    // Opened now: a path that cannot be written is found before anything plays.
    if (path !== null) this.#file = new FileByteSink(path);
  }

  /** Frames recorded so far, silence included. */
  get frames(): number {
    return this.#frames;
  }

  /** What is recorded; null until the card has played. */
  get format(): AudioFormat | null {
    return this.#fileFormat;
  }

  /** Frames that were left out because the card changed its rate or channels in the middle. */
  get otherFormatFrames(): number {
    return this.#otherFormatFrames;
  }

  write(samples: PcmSamples, frames: number, format: PcmFormat, startTick: number): void {
    if (!this.#format) this.#begin(samples, format, startTick);
    const own = this.#format as PcmFormat;
    if (format.sampleRate !== own.sampleRate || format.channels !== own.channels) {
      this.#otherFormatFrames += frames;
      return;
    }
    // Against the end of the block before, since a nominal rate may be off by a few millionths (FM: 49715.9 Hz).
    const gap = Math.round(((startTick - this.#nextTick) * own.sampleRate) / TICKS_PER_SECOND);
    if (gap >= 1) this.#silence(gap);
    this.#nextTick = startTick + (frames * TICKS_PER_SECOND) / own.sampleRate;
    this.#put(samples, frames);
  }

  /** Completes the file. A card that never played leaves a valid, empty file. */
  close(): void {
    if (this.#file && !this.#writer)
      this.#writer = new WavWriter(this.#file, audioFormat({ sampleRate: 48_000, channels: 2 }));
    this.#writer?.end();
    this.#file?.close();
    this.#writer = null;
    this.#file = null;
  }

  /** The run came to nothing: a file in which nothing was recorded yet is left as it was found. */
  discard(): void {
    if (this.#writer) {
      this.close();
      return;
    }
    this.#file?.discard();
    this.#file = null;
  }

  #begin(samples: PcmSamples, format: PcmFormat, startTick: number): void {
    this.#format = { sampleRate: format.sampleRate, channels: format.channels };
    this.#nextTick = startTick;
    this.#fileFormat = audioFormat({
      ...this.#format,
      ...this.#sampleForm(samples),
      ...this.#places(format),
    });
    if (this.#file) this.#writer = new WavWriter(this.#file, this.#fileFormat);
  }

  /** How many bits a sample has in the file. */
  #sampleForm(samples: PcmSamples): Partial<AudioFormat> {
    if (!(samples instanceof Int32Array)) return { containerBits: 16 };
    const { encoding, containerBits, validBits } = this.#like ?? audioFormat();
    return encoding === 'integer' && validBits > 16
      ? { containerBits, validBits }
      : { containerBits: WIDE_BITS };
  }

  /** Where its channels are, if the file that is played says so. */
  #places({ channels }: PcmFormat): Partial<AudioFormat> {
    const like = this.#like;
    return like?.channels === channels && like.channelMask !== 0 ? { channelMask: like.channelMask } : {};
  }

  #silence(frames: number): void {
    const { channels } = this.#format as PcmFormat;
    const zeros = new Int16Array(Math.min(frames, SILENCE_FRAMES) * channels);
    for (let left = frames; left > 0; left -= SILENCE_FRAMES) {
      const count = Math.min(left, SILENCE_FRAMES);
      this.#put(zeros.subarray(0, count * channels), count);
    }
  }

  #put(samples: PcmSamples, frames: number): void {
    const count = frames * (this.#format as PcmFormat).channels;
    this.#frames += frames;
    const { containerBits } = this.#fileFormat as AudioFormat;
    if (containerBits === 16 || this.#player !== null) {
      const narrow = this.#as16Bit(samples, count);
      this.#player?.write(narrow, this.#format as PcmFormat);
      if (containerBits === 16) {
        this.#writer?.write(
          new Uint8Array(narrow.buffer, narrow.byteOffset, narrow.byteLength),
          0,
          narrow.byteLength,
        );
        return;
      }
    }
    if (this.#writer)
      this.#writer.write(this.#pack(samples, count, containerBits), 0, (count * containerBits) / 8);
  }

  #as16Bit(samples: PcmSamples, count: number): Int16Array {
    if (samples instanceof Int16Array) return samples.length === count ? samples : samples.subarray(0, count);
    if (this.#converted.length < count) this.#converted = new Int16Array(count);
    const into = this.#converted;
    if (samples instanceof Int32Array) for (let i = 0; i < count; i++) into[i] = (samples[i] ?? 0) >> 16;
    else
      for (let i = 0; i < count; i++)
        into[i] = Math.max(-ONE_16, Math.min(ONE_16 - 1, Math.round((samples[i] ?? 0) * ONE_16)));
    return into.subarray(0, count);
  }

  /** As 24 or 32 bits; what is below them is cut off. */
  #pack(samples: PcmSamples, count: number, containerBits: number): Uint8Array {
    const bytes = containerBits / 8;
    if (this.#packed.length < count * bytes) this.#packed = new Uint8Array(count * bytes);
    const view = new DataView(this.#packed.buffer);
    const narrow = samples instanceof Int32Array ? null : this.#as16Bit(samples, count);
    for (let i = 0; i < count; i++) {
      const wide = narrow === null ? (samples[i] ?? 0) : (narrow[i] ?? 0) << 16;
      if (bytes === 4) view.setInt32(i * 4, wide, true);
      else {
        view.setUint16(i * 3, (wide >> 8) & 0xffff, true);
        view.setInt8(i * 3 + 2, wide >> 24);
      }
    }
    return this.#packed;
  }
}
