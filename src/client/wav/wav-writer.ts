import {
  subFormatOfTag,
  WAVE_FORMAT_EXTENSIBLE,
  WAVE_FORMAT_IEEE_FLOAT,
  WAVE_FORMAT_PCM,
} from '../../ks/index.ts';
import type { AudioFormat } from '../audio-format.ts';
import {
  bytesPerSecond,
  describeFormatError,
  formatToString,
  frameBytes,
  usualChannelMask,
} from '../audio-format.ts';
import type { PcmWriter } from '../pcm.ts';
import type { ByteSink } from './bytes.ts';
import { DATA, DS64, FACT, FMT, JUNK, RF64, RIFF, SIZE_UNKNOWN, WAVE } from './chunks.ts';
import { WavError } from './wav-error.ts';

/** How a {@link WavWriter} lays a file out. */
export interface WavWriterOptions {
  /**
   * `plain`: WAVEFORMATEX; `extensible`: WAVEFORMATEXTENSIBLE with mask and valid bits; `auto` (the default): extensible where
   * the plain form leaves something open (more than two channels, more than 16 bits of integer, unused bits, unusual places).
   */
  readonly header?: 'auto' | 'plain' | 'extensible';
  /** `auto` (the default) becomes RF64 above 4 GiB; `always`; `never` throws a {@link WavError} at 4 GiB instead. */
  readonly rf64?: 'auto' | 'always' | 'never';
}

/** RIFF, 'WAVE', the ds64 place holder with its 28 bytes. */
const FMT_POSITION = 12 + 8 + 28;

/**
 * Writes a WAV file piece by piece. The sizes are put into the header by {@link end} (and by {@link flush} in between); until
 * then they say "up to the end of the file", so that a file whose program died, or that went into a pipe, can still be read.
 * Room for a ds64 chunk is kept, so that a file which grows past 4 GiB becomes RF64 without being written anew.
 * Source: EBU Tech 3306, section 3.
 */
export class WavWriter implements PcmWriter {
  readonly format: AudioFormat;
  readonly #sink: ByteSink;
  readonly #rf64: 'auto' | 'always' | 'never';
  readonly #headerBytes: number;
  readonly #factPosition: number | null;
  readonly #scratch = new Uint8Array(128);
  readonly #view = new DataView(this.#scratch.buffer);
  #dataBytes = 0;
  #ended = false;

  /** Writes the header. Throws a {@link WavError} when the format cannot stand in a WAV file as asked. */
  constructor(sink: ByteSink, format: AudioFormat, options: WavWriterOptions = {}) {
    const complaint = describeFormatError(format);
    if (complaint !== null) throw new WavError(`${complaint} Choose another format for the file.`);
    const extensible = chooseExtensible(format, options.header ?? 'auto');
    this.format = format;
    this.#sink = sink;
    this.#rf64 = options.rf64 ?? 'auto';
    const fmtBytes = extensible ? 40 : format.encoding === 'float' ? 18 : 16;
    const hasFact = format.encoding === 'float';
    this.#factPosition = hasFact ? FMT_POSITION + 8 + fmtBytes : null;
    this.#headerBytes = FMT_POSITION + 8 + fmtBytes + (hasFact ? 12 : 0) + 8;
    this.#writeHeader(extensible, fmtBytes);
  }

  /** Bytes of sound written so far. */
  get dataBytes(): number {
    return this.#dataBytes;
  }

  /** Throws a {@link WavError} after {@link end}, for a piece that is no whole number of frames, and at 4 GiB without RF64. */
  write(from: Uint8Array, byteOffset: number, byteLength: number): void {
    if (this.#ended) throw new WavError('The file has been ended; open a new one to write more.');
    if (byteLength % frameBytes(this.format) !== 0) {
      throw new WavError(
        `${byteLength} bytes are no whole number of frames of ${frameBytes(this.format)} bytes (${formatToString(this.format)}).`,
      );
    }
    if (this.#rf64 === 'never' && this.#headerBytes + this.#dataBytes + byteLength + 1 - 8 >= SIZE_UNKNOWN) {
      throw new WavError('The file has reached 4 GiB, the limit of RIFF. Allow RF64 or split the recording.');
    }
    this.#sink.write(this.#headerBytes + this.#dataBytes, from, byteOffset, byteLength);
    this.#dataBytes += byteLength;
  }

  /** Puts the sizes up to now into the header, when the sink can go back. */
  flush(): void {
    if (!this.#sink.seekable) return;
    const padding = this.#dataBytes % 2;
    const riffBytes = this.#headerBytes - 8 + this.#dataBytes + padding;
    const large = this.#rf64 === 'always' || riffBytes >= SIZE_UNKNOWN;
    const frames = this.#dataBytes / frameBytes(this.format);
    const view = this.#view;
    view.setUint32(0, large ? RF64 : RIFF, true);
    view.setUint32(4, large ? SIZE_UNKNOWN : riffBytes, true);
    view.setUint32(8, WAVE, true);
    view.setUint32(12, large ? DS64 : JUNK, true);
    view.setUint32(16, 28, true);
    this.#scratch.fill(0, 20, 48);
    if (large) {
      this.#set64(20, riffBytes);
      this.#set64(28, this.#dataBytes);
      this.#set64(36, frames);
    }
    this.#sink.write(0, this.#scratch, 0, FMT_POSITION);
    if (this.#factPosition !== null) {
      view.setUint32(0, Math.min(frames, SIZE_UNKNOWN), true);
      this.#sink.write(this.#factPosition + 8, this.#scratch, 0, 4);
    }
    view.setUint32(0, large ? SIZE_UNKNOWN : this.#dataBytes, true);
    this.#sink.write(this.#headerBytes - 4, this.#scratch, 0, 4);
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#dataBytes % 2 !== 0) {
      this.#scratch[0] = 0;
      this.#sink.write(this.#headerBytes + this.#dataBytes, this.#scratch, 0, 1);
    }
    this.flush();
  }

  #set64(offset: number, value: number): void {
    this.#view.setUint32(offset, value % 2 ** 32, true);
    this.#view.setUint32(offset + 4, Math.floor(value / 2 ** 32), true);
  }

  /** @see WAVEFORMATEX, WAVEFORMATEXTENSIBLE (mmreg.h) */
  #writeHeader(extensible: boolean, fmtBytes: number): void {
    const { format } = this;
    const view = this.#view;
    const tag = format.encoding === 'float' ? WAVE_FORMAT_IEEE_FLOAT : WAVE_FORMAT_PCM;
    view.setUint32(0, this.#rf64 === 'always' ? RF64 : RIFF, true);
    view.setUint32(4, SIZE_UNKNOWN, true);
    view.setUint32(8, WAVE, true);
    view.setUint32(12, this.#rf64 === 'always' ? DS64 : JUNK, true);
    view.setUint32(16, 28, true);
    let at = FMT_POSITION;
    view.setUint32(at, FMT, true);
    view.setUint32(at + 4, fmtBytes, true);
    at += 8;
    view.setUint16(at, extensible ? WAVE_FORMAT_EXTENSIBLE : tag, true);
    view.setUint16(at + 2, format.channels, true);
    view.setUint32(at + 4, format.sampleRate, true);
    view.setUint32(at + 8, bytesPerSecond(format), true);
    view.setUint16(at + 12, frameBytes(format), true);
    view.setUint16(at + 14, extensible ? format.containerBits : format.validBits, true);
    if (extensible) {
      view.setUint16(at + 16, 22, true);
      view.setUint16(at + 18, format.validBits, true);
      view.setUint32(at + 20, format.channelMask, true);
      subFormatOfTag(tag).write(view, at + 24);
    }
    at += fmtBytes;
    if (this.#factPosition !== null) {
      view.setUint32(at, FACT, true);
      view.setUint32(at + 4, 4, true);
      view.setUint32(at + 8, SIZE_UNKNOWN, true);
      at += 12;
    }
    view.setUint32(at, DATA, true);
    view.setUint32(at + 4, SIZE_UNKNOWN, true);
    this.#sink.write(0, this.#scratch, 0, at + 8);
  }
}

function chooseExtensible(format: AudioFormat, header: 'auto' | 'plain' | 'extensible'): boolean {
  const { encoding, channels, containerBits, validBits, channelMask } = format;
  // A plain header has one number for the bits; their container is that number rounded up to whole bytes.
  const plainHoldsBits = Math.ceil(validBits / 8) * 8 === containerBits;
  if (header === 'plain' && !plainHoldsBits) {
    throw new WavError(
      `A plain WAV header cannot say that ${validBits} bits lie in ${containerBits}. Use the extensible header, or ${Math.ceil(validBits / 8) * 8}-bit containers.`,
    );
  }
  if (header !== 'auto') return header === 'extensible';
  const usualPlaces = channels <= 2 && (channelMask === 0 || channelMask === usualChannelMask(channels));
  return !usualPlaces || validBits !== containerBits || (encoding === 'integer' && containerBits > 16);
}
