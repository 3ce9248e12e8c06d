import type { AudioFormat } from './audio-format.ts';
import { frameBytes, silenceByte } from './audio-format.ts';

/** Where PCM comes from: a WAV file, memory, a generator, a converter. */
export interface PcmReader {
  readonly format: AudioFormat;
  /** Frames in all, or null when that is not known (a pipe, a generator). */
  readonly frameCount: number | null;
  /**
   * Puts whole frames into `into` from `byteOffset` on, at most `byteLength` bytes, and returns the number of bytes. Fewer
   * than asked, 0 included, means that the end is reached.
   */
  read(into: Uint8Array, byteOffset: number, byteLength: number): number;
}

/** Where PCM goes: a WAV file, memory, a converter. */
export interface PcmWriter {
  readonly format: AudioFormat;
  /** Takes `byteLength` bytes (whole frames) of `from`; the array is the caller's and may change after the call. */
  write(from: Uint8Array, byteOffset: number, byteLength: number): void;
  /** No more will come: what is held back goes out. A second call does nothing. */
  end(): void;
}

/** PCM held in memory, as a source. A last piece that is no whole frame is left out. */
export class MemoryPcmReader implements PcmReader {
  readonly format: AudioFormat;
  readonly frameCount: number;
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(format: AudioFormat, bytes: Uint8Array) {
    this.format = format;
    this.frameCount = Math.floor(bytes.byteLength / frameBytes(format));
    this.#bytes = bytes.subarray(0, this.frameCount * frameBytes(format));
  }

  read(into: Uint8Array, byteOffset: number, byteLength: number): number {
    const frame = frameBytes(this.format);
    const left = this.#bytes.byteLength - this.#position;
    const count = Math.min(left, Math.floor(byteLength / frame) * frame);
    into.set(this.#bytes.subarray(this.#position, this.#position + count), byteOffset);
    this.#position += count;
    return count;
  }
}

/** PCM gathered in memory. */
export class MemoryPcmWriter implements PcmWriter {
  readonly format: AudioFormat;
  #bytes: Uint8Array;
  #length = 0;

  constructor(format: AudioFormat, expectedBytes = 65536) {
    this.format = format;
    this.#bytes = new Uint8Array(expectedBytes);
  }

  write(from: Uint8Array, byteOffset: number, byteLength: number): void {
    if (this.#length + byteLength > this.#bytes.byteLength) {
      const larger = new Uint8Array(Math.max(this.#bytes.byteLength * 2, this.#length + byteLength));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(from.subarray(byteOffset, byteOffset + byteLength), this.#length);
    this.#length += byteLength;
  }

  end(): void {}

  /** What was written so far; a view, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get frameCount(): number {
    return this.#length / frameBytes(this.format);
  }
}

/** Passes on a number of frames and drops the rest. */
export class LimitedPcmWriter implements PcmWriter {
  readonly format: AudioFormat;
  readonly #sink: PcmWriter;
  #bytesLeft: number;

  constructor(sink: PcmWriter, frames: number) {
    this.format = sink.format;
    this.#sink = sink;
    this.#bytesLeft = frames * frameBytes(sink.format);
  }

  write(from: Uint8Array, byteOffset: number, byteLength: number): void {
    const count = Math.min(byteLength, this.#bytesLeft);
    if (count > 0) this.#sink.write(from, byteOffset, count);
    this.#bytesLeft -= count;
  }

  end(): void {
    this.#sink.end();
  }
}

/** Silence of a given number of frames. */
export class SilencePcmReader implements PcmReader {
  readonly format: AudioFormat;
  readonly frameCount: number;
  #framesLeft: number;

  constructor(format: AudioFormat, frameCount: number) {
    this.format = format;
    this.frameCount = frameCount;
    this.#framesLeft = frameCount;
  }

  read(into: Uint8Array, byteOffset: number, byteLength: number): number {
    const frame = frameBytes(this.format);
    const frames = Math.min(this.#framesLeft, Math.floor(byteLength / frame));
    into.fill(silenceByte(this.format), byteOffset, byteOffset + frames * frame);
    this.#framesLeft -= frames;
    return frames * frame;
  }
}

/** A sine of `frequencyHz` at `amplitude` (1 = full scale), the same in every channel; integer formats are rounded. */
export class SinePcmReader implements PcmReader {
  readonly format: AudioFormat;
  readonly frameCount: number;
  readonly #frequencyHz: number;
  readonly #amplitude: number;
  #frame = 0;

  constructor(format: AudioFormat, frameCount: number, frequencyHz: number, amplitude = 0.5) {
    this.format = format;
    this.frameCount = frameCount;
    this.#frequencyHz = frequencyHz;
    this.#amplitude = amplitude;
  }

  read(into: Uint8Array, byteOffset: number, byteLength: number): number {
    const { containerBits, validBits, encoding, channels, sampleRate } = this.format;
    const size = frameBytes(this.format);
    const frames = Math.min(this.frameCount - this.#frame, Math.floor(byteLength / size));
    const view = new DataView(into.buffer, into.byteOffset + byteOffset, frames * size);
    const scale = 2 ** (validBits - 1);
    const shift = 2 ** (containerBits - validBits);
    let at = 0;
    for (let i = 0; i < frames; i++) {
      // The phase comes from the integer frame number modulo one second, so that it stays exact for ever.
      const turns = ((this.#frame + i) % sampleRate) * (this.#frequencyHz / sampleRate);
      const value = this.#amplitude * Math.sin(2 * Math.PI * turns);
      const integer = Math.max(-scale, Math.min(scale - 1, Math.round(value * scale))) * shift;
      for (let channel = 0; channel < channels; channel++) {
        if (encoding === 'float') {
          if (containerBits === 32) view.setFloat32(at, value, true);
          else view.setFloat64(at, value, true);
        } else if (containerBits === 8) view.setUint8(at, integer + 128);
        else if (containerBits === 16) view.setInt16(at, integer, true);
        else if (containerBits === 24) {
          view.setUint16(at, integer & 0xffff, true);
          view.setInt8(at + 2, integer >> 16);
        } else view.setInt32(at, integer, true);
        at += containerBits >>> 3;
      }
    }
    this.#frame += frames;
    return frames * size;
  }
}
