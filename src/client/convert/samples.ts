import type { AudioFormat } from '../audio-format.ts';

/**
 * Samples as numbers: 1.0 is full scale, so an n-bit integer is its value ÷ 2^(n−1). A double holds every integer sample of up
 * to 32 bits exactly, so going there and back changes no bit.
 */
export class SampleDecoder {
  readonly #format: AudioFormat;

  constructor(format: AudioFormat) {
    this.#format = format;
  }

  /** Turns `count` samples (not frames) at byte `at` of `bytes` into numbers at `into[intoAt]` …. */
  decode(bytes: DataView, at: number, count: number, into: Float64Array, intoAt: number): void {
    const { encoding, containerBits } = this.#format;
    const end = intoAt + count;
    if (encoding === 'float') {
      if (containerBits === 32)
        for (let i = intoAt; i < end; i++, at += 4) into[i] = finite(bytes.getFloat32(at, true));
      else for (let i = intoAt; i < end; i++, at += 8) into[i] = finite(bytes.getFloat64(at, true));
    } else if (containerBits === 16) {
      for (let i = intoAt; i < end; i++, at += 2) into[i] = bytes.getInt16(at, true) / 32768;
    } else if (containerBits === 24) {
      for (let i = intoAt; i < end; i++, at += 3) {
        into[i] = (bytes.getUint16(at, true) + bytes.getInt8(at + 2) * 65536) / 8388608;
      }
    } else if (containerBits === 32) {
      for (let i = intoAt; i < end; i++, at += 4) into[i] = bytes.getInt32(at, true) / 2147483648;
    } else {
      for (let i = intoAt; i < end; i++, at += 1) into[i] = (bytes.getUint8(at) - 128) / 128;
    }
  }
}

/** A number that is none, or infinite, in a float file is silence: it must not poison filters that remember. */
function finite(value: number): number {
  return value - value === 0 ? value : 0;
}

/** How {@link SampleEncoder} rounds when bits are lost. */
export interface DitherOptions {
  /** `tpdf` adds triangular noise of ±1 step before rounding, which turns distortion into noise; `none` (default) only rounds. */
  readonly dither?: 'none' | 'tpdf';
  /** Start of the noise sequence; the same seed gives the same bytes. Default 1. */
  readonly ditherSeed?: number;
}

/** Adding and taking away 1.5 × 2^52 rounds a double to the nearest integer, ties to even, in two additions. */
const ROUNDER = 6755399441055744;

/**
 * Numbers to samples. Integers are rounded to the nearest step (ties to even, so that rounding has no offset) and saturate at
 * the ends of their range; unused low bits of a container are 0.
 */
export class SampleEncoder {
  readonly #format: AudioFormat;
  readonly #dithered: boolean;
  #noise: number;
  #lastUniform = 0;

  constructor(format: AudioFormat, options: DitherOptions = {}) {
    this.#format = format;
    this.#dithered = options.dither === 'tpdf' && format.encoding === 'integer';
    this.#noise = (options.ditherSeed ?? 1) >>> 0 || 1;
    this.#uniform();
  }

  /** Writes `count` samples from `from[fromAt]` … to byte `at` of `bytes`. */
  encode(from: Float64Array, fromAt: number, count: number, bytes: DataView, at: number): void {
    const { encoding, containerBits, validBits } = this.#format;
    const end = fromAt + count;
    if (encoding === 'float') {
      if (containerBits === 32)
        for (let i = fromAt; i < end; i++, at += 4) bytes.setFloat32(at, from[i]!, true);
      else for (let i = fromAt; i < end; i++, at += 8) bytes.setFloat64(at, from[i]!, true);
      return;
    }
    const scale = 2 ** (validBits - 1);
    const low = -scale;
    const high = scale - 1;
    const unit = 2 ** (containerBits - validBits);
    const size = containerBits >>> 3;
    for (let i = fromAt; i < end; i++, at += size) {
      let value = from[i]! * scale;
      if (this.#dithered) value += this.#triangular();
      value = value < low ? low : value > high ? high : value + ROUNDER - ROUNDER;
      value *= unit;
      if (size === 2) bytes.setInt16(at, value, true);
      else if (size === 4) bytes.setInt32(at, value, true);
      else if (size === 1) bytes.setUint8(at, value + 128);
      else {
        bytes.setUint16(at, value & 0xffff, true);
        bytes.setInt8(at + 2, value >> 16);
      }
    }
  }

  /** Sum of two independent uniform values of ±½: the next one, and the one before. Marsaglia's xorshift32. */
  #triangular(): number {
    const before = this.#lastUniform;
    return this.#uniform() - before;
  }

  #uniform(): number {
    let x = this.#noise;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#noise = x >>> 0;
    this.#lastUniform = this.#noise / 4294967296 - 0.5;
    return this.#lastUniform;
  }
}
