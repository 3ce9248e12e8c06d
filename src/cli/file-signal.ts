import { audioFormat, type PcmReader, Pipeline } from '../client/index.ts';
import { mulDivFloor, type PcmFormat, type PcmSource, TICKS_PER_SECOND } from '../hal/bus.ts';

/**
 * A WAV file at a jack: the signal runs in the machine's time from the moment when the card first listens. The converter's own
 * rate and channel count are taken over; a file that has them already comes through bit by bit. Silence after its end.
 */
export class FileSignal implements PcmSource {
  readonly #file: PcmReader;
  #reader: PcmReader | null = null;
  #format: PcmFormat | null = null;
  /** Samples have 32 bits, as who began to listen wanted them. */
  #wide = false;
  #startTick = 0;
  #frames = 0;
  #ended = false;

  constructor(file: PcmReader) {
    this.#file = file;
  }

  /** True when the whole file has been heard. */
  get ended(): boolean {
    return this.#ended;
  }

  read(into: Int16Array | Int32Array, frames: number, format: PcmFormat, startTick: number): void {
    const reader = this.#readerFor(into, format, startTick);
    // What passed while nobody listened is lost, as with any signal.
    const missed =
      mulDivFloor(startTick - this.#startTick, format.sampleRate, TICKS_PER_SECOND) - this.#frames;
    if (missed > 0) this.#skip(reader, missed);
    this.#pull(reader, into, frames);
  }

  #readerFor(into: Int16Array | Int32Array, format: PcmFormat, startTick: number): PcmReader {
    if (!this.#reader) {
      const { sampleRate, channels } = format;
      this.#wide = into instanceof Int32Array;
      const containerBits = this.#wide ? 32 : 16;
      this.#reader = new Pipeline(this.#file, audioFormat({ sampleRate, channels, containerBits }));
      this.#format = { sampleRate: format.sampleRate, channels: format.channels };
      this.#startTick = startTick;
    }
    const own = this.#format as PcmFormat;
    if (own.sampleRate !== format.sampleRate || own.channels !== format.channels) {
      throw new RangeError(
        `The converter changed from ${own.sampleRate} Hz × ${own.channels} to ${format.sampleRate} Hz × ${format.channels} ` +
          'while the file was playing into it.',
      );
    }
    return this.#reader;
  }

  #skip(reader: PcmReader, frames: number): void {
    const rest = this.#own(4096);
    for (let left = frames; left > 0; left -= 4096) this.#pull(reader, rest, Math.min(left, 4096));
  }

  /** Room for so many frames as the file is converted. */
  #own(frames: number): Int16Array | Int32Array {
    const count = frames * (this.#format as PcmFormat).channels;
    return this.#wide ? new Int32Array(count) : new Int16Array(count);
  }

  #pull(reader: PcmReader, into: Int16Array | Int32Array, frames: number): void {
    if (into instanceof Int32Array !== this.#wide) {
      this.#pullOther(reader, into, frames);
      return;
    }
    const wanted = frames * (this.#format as PcmFormat).channels * into.BYTES_PER_ELEMENT;
    const bytes = new Uint8Array(into.buffer, into.byteOffset, wanted);
    const got = this.#ended ? 0 : reader.read(bytes, 0, wanted);
    if (got < wanted) {
      this.#ended = true;
      bytes.fill(0, got);
    }
    this.#frames += frames;
  }

  /** Somebody listens in another size of samples than who began. */
  #pullOther(reader: PcmReader, into: Int16Array | Int32Array, frames: number): void {
    const samples = this.#own(frames);
    this.#pull(reader, samples, frames);
    for (let i = 0; i < samples.length; i++)
      into[i] = this.#wide ? (samples[i] ?? 0) >> 16 : (samples[i] ?? 0) << 16;
  }
}
