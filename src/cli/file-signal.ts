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
    const reader = this.#readerFor(format, startTick);
    const samples = into instanceof Int16Array ? into : new Int16Array(frames * format.channels);
    // What passed while nobody listened is lost, as with any signal.
    const missed =
      mulDivFloor(startTick - this.#startTick, format.sampleRate, TICKS_PER_SECOND) - this.#frames;
    if (missed > 0) this.#skip(reader, missed, format.channels);
    this.#pull(reader, samples, frames, format.channels);
    if (into instanceof Int32Array)
      for (let i = 0; i < samples.length; i++) into[i] = (samples[i] ?? 0) << 16;
  }

  #readerFor(format: PcmFormat, startTick: number): PcmReader {
    if (!this.#reader) {
      this.#reader = new Pipeline(
        this.#file,
        audioFormat({ sampleRate: format.sampleRate, channels: format.channels }),
      );
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

  #skip(reader: PcmReader, frames: number, channels: number): void {
    const rest = new Int16Array(Math.min(frames, 4096) * channels);
    for (let left = frames; left > 0; left -= 4096) this.#pull(reader, rest, Math.min(left, 4096), channels);
  }

  #pull(reader: PcmReader, into: Int16Array, frames: number, channels: number): void {
    const wanted = frames * channels * 2;
    const bytes = new Uint8Array(into.buffer, into.byteOffset, wanted);
    const got = this.#ended ? 0 : reader.read(bytes, 0, wanted);
    if (got < wanted) {
      this.#ended = true;
      bytes.fill(0, got);
    }
    this.#frames += frames;
  }
}
