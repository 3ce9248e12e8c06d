import { audioFormat, type PcmWriter, WavWriter } from '../client/index.ts';
import { type PcmFormat, type PcmSamples, type PcmSink, TICKS_PER_SECOND } from '../hal/bus.ts';
import { FileByteSink } from './files.ts';
import type { LivePlayer } from './live-player.ts';

/** Silence is written in pieces of this many frames. */
const SILENCE_FRAMES = 4096;

/**
 * Hears the card's output: to a WAV file, to the system's player, or both. The first block decides the recording's rate and
 * channels. Gaps in time become silence, so that the recording's clock is the machine's.
 */
export class RecordingSink implements PcmSink {
  readonly #player: LivePlayer | null;
  #file: FileByteSink | null = null;
  #writer: PcmWriter | null = null;
  #format: PcmFormat | null = null;
  /** When the next frame is due if the card goes on without a gap. */
  #nextTick = 0;
  #frames = 0;
  #otherFormatFrames = 0;
  #converted = new Int16Array(0);

  constructor(path: string | null, player: LivePlayer | null) {
    this.#player = player;
    // Opened now: a path that cannot be written is found before anything plays.
    if (path !== null) this.#file = new FileByteSink(path);
  }

  /** Frames recorded so far, silence included. */
  get frames(): number {
    return this.#frames;
  }

  get format(): PcmFormat | null {
    return this.#format;
  }

  /** Frames that were left out because the card changed its rate in the middle. */
  get otherFormatFrames(): number {
    return this.#otherFormatFrames;
  }

  write(samples: PcmSamples, frames: number, format: PcmFormat, startTick: number): void {
    if (!this.#format) this.#begin(format, startTick);
    const own = this.#format as PcmFormat;
    if (format.sampleRate !== own.sampleRate || format.channels !== own.channels) {
      this.#otherFormatFrames += frames;
      return;
    }
    // Against the end of the block before, since a nominal rate may be off by a few millionths (FM: 49715.9 Hz).
    const gap = Math.round(((startTick - this.#nextTick) * own.sampleRate) / TICKS_PER_SECOND);
    if (gap >= 1) this.#silence(gap);
    this.#nextTick = startTick + (frames * TICKS_PER_SECOND) / own.sampleRate;
    this.#put(this.#as16Bit(samples, frames * own.channels), frames);
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

  #begin(format: PcmFormat, startTick: number): void {
    this.#format = { sampleRate: format.sampleRate, channels: format.channels };
    this.#nextTick = startTick;
    if (this.#file) {
      this.#writer = new WavWriter(
        this.#file,
        audioFormat({ sampleRate: format.sampleRate, channels: format.channels }),
      );
    }
  }

  #silence(frames: number): void {
    const zeros = new Int16Array(Math.min(frames, SILENCE_FRAMES) * (this.#format as PcmFormat).channels);
    const channels = (this.#format as PcmFormat).channels;
    for (let left = frames; left > 0; left -= SILENCE_FRAMES) {
      const count = Math.min(left, SILENCE_FRAMES);
      this.#put(zeros.subarray(0, count * channels), count);
    }
  }

  #put(samples: Int16Array, frames: number): void {
    this.#frames += frames;
    this.#writer?.write(
      new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength),
      0,
      samples.byteLength,
    );
    this.#player?.write(samples, this.#format as PcmFormat);
  }

  #as16Bit(samples: PcmSamples, count: number): Int16Array {
    if (samples instanceof Int16Array) return samples.length === count ? samples : samples.subarray(0, count);
    if (this.#converted.length < count) this.#converted = new Int16Array(count);
    const into = this.#converted;
    if (samples instanceof Int32Array) for (let i = 0; i < count; i++) into[i] = (samples[i] ?? 0) >> 16;
    else
      for (let i = 0; i < count; i++)
        into[i] = Math.max(-32768, Math.min(32767, Math.round((samples[i] ?? 0) * 32768)));
    return into.subarray(0, count);
  }
}
