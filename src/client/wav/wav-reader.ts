import { GUID } from '../../com/guid.ts';
import {
  tagOfSubFormat,
  WAVE_FORMAT_EXTENSIBLE,
  WAVE_FORMAT_IEEE_FLOAT,
  WAVE_FORMAT_PCM,
} from '../../ks/index.ts';
import type { AudioFormat } from '../audio-format.ts';
import {
  bytesPerSecond,
  describeFormatError,
  frameBytes,
  MAXIMUM_CHANNELS,
  MAXIMUM_SAMPLE_RATE,
} from '../audio-format.ts';
import type { PcmReader } from '../pcm.ts';
import type { ByteSource } from './bytes.ts';
import {
  BW64,
  DATA,
  DS64,
  FMT,
  FORMAT_TAG_NAMES,
  fourCc,
  fourCcText,
  LIST,
  looksLikeFourCc,
  RF64,
  RIFF,
  RIFX,
  SIZE_UNKNOWN,
  WAVE,
  WAVL,
} from './chunks.ts';
import { WavError } from './wav-error.ts';

/** More chunks than this before or after the data is damage or malice, not a recording. */
const MAXIMUM_CHUNKS = 4096;
/** What a ds64 table may list. */
const MAXIMUM_DS64_ENTRIES = 4096;

/** Chunks that are likely to follow another one. */
const COMMON_CHUNKS: ReadonlySet<number> = new Set([
  DATA,
  FMT,
  LIST,
  ...['fact', 'cue ', 'bext', 'id3 ', 'smpl'].map(fourCc),
]);

/** A chunk as it lies in the file. */
export interface WavChunk {
  readonly id: string;
  /** Position of its first content byte. */
  readonly position: number;
  /** Content bytes as stated (for 'data': as they really are). */
  readonly byteLength: number;
}

/** Beginnings of files that are taken for WAV now and then. */
const OTHER_FILES: readonly (readonly [number, string])[] = [
  [fourCc('FORM'), 'an AIFF file'],
  [fourCc('fLaC'), 'a FLAC file'],
  [fourCc('OggS'), 'an Ogg file'],
  [fourCc('caff'), 'a Core Audio file'],
  [fourCc('.snd'), 'a Sun audio file'],
  [fourCc('riff'), 'a Sony Wave64 file'],
  [fourCc('MThd'), 'a MIDI file'],
  [fourCc('RIFX'), 'a big-endian RIFX file'],
];

/**
 * Reads a RIFF/WAVE, RF64 or BW64 file piece by piece. Integer PCM of 8 to 32 bits and 32/64-bit float, 1 to 8 channels, plain
 * or WAVE_FORMAT_EXTENSIBLE. Chunks that it does not know are skipped, before and after the data, whether or not an odd one
 * is padded. Sizes of 0 or FFFFFFFFh, as programs leave them that write to a pipe, mean "up to the end". A file that ends too
 * early gives what is there and a warning. Everything else that is wrong throws a {@link WavError}.
 * Sources: RIFF specification 1.0; EBU Tech 3306 (RF64); ITU-R BS.2088 (BW64).
 */
export class WavReader implements PcmReader {
  readonly format: AudioFormat;
  readonly container: 'RIFF' | 'RF64' | 'BW64';
  /** Chunks in file order; those behind the data only when the length of the source is known. */
  readonly chunks: readonly WavChunk[];
  /** Sentences about what was wrong but could be read. */
  readonly warnings: readonly string[];
  readonly #source: ByteSource;
  readonly #dataPosition: number;
  /** Whole frames only; null when it ends where the source ends. */
  readonly #dataBytes: number | null;
  #position = 0;
  #endReached = false;

  /** Parses everything up to the data. Throws a {@link WavError} that says what is wrong. */
  constructor(source: ByteSource) {
    const parsed = new WavParser(source).parse();
    this.#source = source;
    this.format = parsed.format;
    this.container = parsed.container;
    this.chunks = parsed.chunks;
    this.warnings = parsed.warnings;
    this.#dataPosition = parsed.dataPosition;
    this.#dataBytes = parsed.dataBytes;
  }

  get frameCount(): number | null {
    return this.#dataBytes === null ? null : this.#dataBytes / frameBytes(this.format);
  }

  /** Position of the next frame that {@link read} gives. */
  get framePosition(): number {
    return this.#position / frameBytes(this.format);
  }

  /** Continues reading at a frame; past the end is the end. The source must allow going back if this does. */
  seekFrame(frame: number): void {
    if (!Number.isSafeInteger(frame) || frame < 0) {
      throw new WavError(`Cannot seek to frame ${frame}: frames count from 0.`);
    }
    const position = frame * frameBytes(this.format);
    this.#endReached = false;
    this.#position = this.#dataBytes === null ? position : Math.min(position, this.#dataBytes);
  }

  read(into: Uint8Array, byteOffset: number, byteLength: number): number {
    const frame = frameBytes(this.format);
    const room = Math.max(0, Math.min(byteLength, into.byteLength - byteOffset));
    let wanted = room - (room % frame);
    if (this.#dataBytes !== null) wanted = Math.min(wanted, this.#dataBytes - this.#position);
    let got = 0;
    while (got < wanted && !this.#endReached) {
      const count = this.#source.read(
        this.#dataPosition + this.#position + got,
        into,
        byteOffset + got,
        wanted - got,
      );
      if (count > 0) got += count;
      else this.#endReached = true;
    }
    got -= got % frame;
    this.#position += got;
    return got;
  }
}

interface ParsedWav {
  readonly format: AudioFormat;
  readonly container: 'RIFF' | 'RF64' | 'BW64';
  readonly chunks: readonly WavChunk[];
  readonly warnings: readonly string[];
  readonly dataPosition: number;
  readonly dataBytes: number | null;
}

/** One walk through a file's chunks. */
class WavParser {
  readonly #source: ByteSource;
  readonly #bytes = new Uint8Array(64);
  readonly #view = new DataView(this.#bytes.buffer);
  readonly #chunks: WavChunk[] = [];
  readonly #warnings: string[] = [];
  /** 64-bit sizes by identifier, from the ds64 table. */
  readonly #largeSizes = new Map<number, number>();

  constructor(source: ByteSource) {
    this.#source = source;
  }

  parse(): ParsedWav {
    const { container, riffEnd } = this.#readRiffHeader();
    let position = 12;
    let ds64DataBytes: number | null = null;
    if (container !== 'RIFF') {
      const ds64 = this.#readDs64(position);
      ds64DataBytes = ds64.dataBytes;
      position = ds64.end;
    }
    let format: AudioFormat | null = null;
    for (let count = 0; ; count++) {
      if (count >= MAXIMUM_CHUNKS) {
        throw new WavError(
          `More than ${MAXIMUM_CHUNKS} chunks stand before the 'data' chunk; the file is damaged. Write it again from its source.`,
        );
      }
      const header = this.#readChunkHeader(position);
      if (header === null) throw this.#missing(format === null ? 'fmt ' : 'data', position);
      const { id, size } = header;
      const content = position + 8;
      if (id === DATA) {
        if (format === null) {
          throw new WavError(
            `The 'data' chunk at byte ${position} comes before any 'fmt ' chunk, so its samples have no format. Write the file again with the format first.`,
          );
        }
        const dataBytes = this.#dataBytes(content, size, riffEnd, container, ds64DataBytes, format);
        this.#chunks.push({ id: 'data', position: content, byteLength: dataBytes ?? 0 });
        if (dataBytes !== null) this.#listChunksAfter(content, dataBytes, riffEnd);
        const frame = frameBytes(format);
        const whole = dataBytes === null ? null : dataBytes - (dataBytes % frame);
        if (whole !== dataBytes && dataBytes !== null && whole !== null) {
          this.#warnings.push(
            `The data ends with ${dataBytes - whole} bytes of an unfinished frame of ${frame}; they are left out.`,
          );
        }
        return {
          format,
          container,
          chunks: this.#chunks,
          warnings: this.#warnings,
          dataPosition: content,
          dataBytes: whole,
        };
      }
      if (id === FMT) {
        if (format === null) format = this.#readFormat(content, size);
        else this.#warnings.push(`A second 'fmt ' chunk at byte ${position} is not used.`);
      } else if (
        id === LIST &&
        size >= 4 &&
        this.#readInto(content, 4) === 4 &&
        this.#view.getUint32(0, true) === WAVL
      ) {
        throw new WavError(
          `The samples lie in a 'LIST wavl' at byte ${position}, a form that is not supported. Convert the file to one with a single 'data' chunk.`,
        );
      }
      this.#chunks.push({ id: fourCcText(id), position: content, byteLength: size });
      position = this.#afterChunk(content, size);
    }
  }

  #readRiffHeader(): { container: 'RIFF' | 'RF64' | 'BW64'; riffEnd: number } {
    const got = this.#readInto(0, 12);
    const magic = got >= 4 ? this.#view.getUint32(0, true) : 0;
    for (const [id, name] of OTHER_FILES) {
      if (got >= 4 && magic === id) {
        throw new WavError(`This is ${name}, not a WAV file. Convert it to WAV first.`);
      }
    }
    if (got < 12) {
      throw new WavError(
        `The file holds ${got} ${got === 1 ? 'byte' : 'bytes'}; a WAV file has at least 44. Check that it was written completely.`,
      );
    }
    const container = magic === RIFF ? 'RIFF' : magic === RF64 ? 'RF64' : magic === BW64 ? 'BW64' : null;
    if (container === null || magic === RIFX) {
      throw new WavError(
        `The file begins with '${fourCcText(magic)}' instead of 'RIFF', 'RF64' or 'BW64': it is not a WAV file. Convert it to WAV first.`,
      );
    }
    const form = this.#view.getUint32(8, true);
    if (form !== WAVE) {
      throw new WavError(
        `The RIFF file is of type '${fourCcText(form)}', not 'WAVE': it holds something other than sound.`,
      );
    }
    const size = this.#view.getUint32(4, true);
    const unknown = size === 0 || size === SIZE_UNKNOWN || container !== 'RIFF';
    return { container, riffEnd: unknown ? Number.POSITIVE_INFINITY : 8 + size };
  }

  #readDs64(position: number): { dataBytes: number | null; end: number } {
    const header = this.#readChunkHeader(position);
    if (header === null || header.id !== DS64) {
      throw new WavError(
        `The file is an RF64 file, but the first chunk is '${header === null ? '' : fourCcText(header.id)}' instead of 'ds64', which holds its sizes. Write the file again.`,
      );
    }
    if (header.size < 28) {
      throw new WavError(`The 'ds64' chunk holds ${header.size} bytes; 28 are needed. Write the file again.`);
    }
    const content = position + 8;
    if (this.#readInto(content, 28) < 28) throw this.#missing('data', position);
    const dataBytes = this.#read64(8);
    const entries = this.#view.getUint32(24, true);
    if (entries * 12 > header.size - 28 || entries > MAXIMUM_DS64_ENTRIES) {
      throw new WavError(
        `The 'ds64' chunk states ${entries} table entries, more than its ${header.size} bytes or the limit of ${MAXIMUM_DS64_ENTRIES} allow. Write the file again.`,
      );
    }
    for (let i = 0; i < entries; i++) {
      if (this.#readInto(content + 28 + i * 12, 12) < 12) break;
      const id = this.#view.getUint32(0, true);
      const size = this.#read64(4);
      if (Number.isSafeInteger(size)) this.#largeSizes.set(id, size);
    }
    this.#chunks.push({ id: 'ds64', position: content, byteLength: header.size });
    return {
      dataBytes: Number.isSafeInteger(dataBytes) ? dataBytes : null,
      end: this.#afterChunk(content, header.size),
    };
  }

  /** Reads the format chunk. @see WAVEFORMATEXTENSIBLE (mmreg.h) */
  #readFormat(content: number, size: number): AudioFormat {
    if (size < 16) {
      throw new WavError(
        `The 'fmt ' chunk holds ${size} bytes; PCM needs at least 16. Write the file again.`,
      );
    }
    const wanted = Math.min(size, 40);
    const got = this.#readInto(content, wanted);
    if (got < wanted) throw this.#missing('data', content);
    const view = this.#view;
    let tag = view.getUint16(0, true);
    const channels = view.getUint16(2, true);
    const sampleRate = view.getUint32(4, true);
    const averageBytesPerSecond = view.getUint32(8, true);
    const blockAlign = view.getUint16(12, true);
    const bits = view.getUint16(14, true);
    let validBits = bits;
    let channelMask = 0;
    if (tag === WAVE_FORMAT_EXTENSIBLE) {
      const extra = size >= 18 ? view.getUint16(16, true) : 0;
      if (size < 40 || extra < 22) {
        throw new WavError(
          `The format is WAVE_FORMAT_EXTENSIBLE, but its chunk holds ${size} bytes (cbSize ${extra}); 40 (22) are needed. Write the file again.`,
        );
      }
      validBits = view.getUint16(18, true);
      channelMask = view.getUint32(20, true);
      const subFormatTag = tagOfSubFormat(GUID.read(view, 24));
      if (subFormatTag === null) {
        throw new WavError(
          'The sub-format of the file is neither PCM nor IEEE float. Convert it to PCM first.',
        );
      }
      tag = subFormatTag;
    }
    if (tag !== WAVE_FORMAT_PCM && tag !== WAVE_FORMAT_IEEE_FLOAT) {
      const name = FORMAT_TAG_NAMES.get(tag);
      throw new WavError(
        `The format tag is ${tag.toString(16).toUpperCase().padStart(4, '0')}h${name === undefined ? '' : ` (${name})`}; only PCM (0001h) and IEEE float (0003h) can be read. Convert the file to PCM first.`,
      );
    }
    return this.#checkedFormat(
      tag,
      channels,
      sampleRate,
      averageBytesPerSecond,
      blockAlign,
      bits,
      validBits,
      channelMask,
    );
  }

  #checkedFormat(
    tag: number,
    channels: number,
    sampleRate: number,
    averageBytesPerSecond: number,
    blockAlign: number,
    bits: number,
    statedValidBits: number,
    statedMask: number,
  ): AudioFormat {
    if (channels === 0 || channels > MAXIMUM_CHANNELS) {
      throw new WavError(
        `The file states ${channels} channels; 1 to ${MAXIMUM_CHANNELS} are supported. Mix it down or split it first.`,
      );
    }
    if (sampleRate === 0 || sampleRate > MAXIMUM_SAMPLE_RATE) {
      throw new WavError(
        `The file states a sample rate of ${sampleRate} Hz; 1 to ${MAXIMUM_SAMPLE_RATE} are supported. Correct the header or convert the file.`,
      );
    }
    if (blockAlign === 0 || blockAlign % channels !== 0) {
      throw new WavError(
        `The block alignment is ${blockAlign} bytes for ${channels} channels; it must be a multiple of the channels above 0. Correct the header.`,
      );
    }
    const containerBits = (blockAlign / channels) * 8;
    const encoding = tag === WAVE_FORMAT_PCM ? 'integer' : 'float';
    if (bits === 0 || bits > containerBits) {
      throw new WavError(
        `Samples of ${bits} bits do not fit their ${containerBits}-bit containers (block alignment ${blockAlign}, ${channels} channels). Correct the header.`,
      );
    }
    let validBits = Math.min(statedValidBits, bits);
    if (encoding === 'float') validBits = containerBits;
    else if (statedValidBits === 0 || statedValidBits > bits) {
      this.#warnings.push(`The file states ${statedValidBits} valid bits of ${bits}; ${bits} are assumed.`);
      validBits = bits;
    }
    let channelMask = statedMask;
    if (statedMask !== 0 && bitCount(statedMask) !== channels) {
      this.#warnings.push(
        `The channel mask ${statedMask.toString(16).toUpperCase()}h names ${bitCount(statedMask)} speakers for ${channels} channels and is not used.`,
      );
      channelMask = 0;
    }
    const format: AudioFormat = { encoding, sampleRate, channels, containerBits, validBits, channelMask };
    const complaint = describeFormatError(format);
    if (complaint !== null) {
      throw new WavError(`${complaint} The file cannot be read; convert it to 16-bit PCM first.`);
    }
    if (averageBytesPerSecond !== bytesPerSecond(format)) {
      this.#warnings.push(
        `The header states ${averageBytesPerSecond} bytes per second; the format makes it ${bytesPerSecond(format)}.`,
      );
    }
    return format;
  }

  /** Bytes of the data that are there, or null when only the end of the source will tell. */
  #dataBytes(
    content: number,
    size: number,
    riffEnd: number,
    container: string,
    ds64DataBytes: number | null,
    format: AudioFormat,
  ): number | null {
    const available =
      this.#source.byteLength === null ? null : Math.max(0, this.#source.byteLength - content);
    let stated: number | null = size;
    if (size === SIZE_UNKNOWN) stated = container === 'RIFF' || ds64DataBytes === 0 ? null : ds64DataBytes;
    // A program that could not go back left 0 here, and 0, FFFFFFFFh or the size of the bare header in front.
    else if (size === 0 && (riffEnd === Number.POSITIVE_INFINITY || riffEnd <= content)) stated = null;
    if (stated === null) return available;
    if (available === null) return stated;
    if (stated > available) {
      const seconds = (bytes: number) => (bytes / bytesPerSecond(format)).toFixed(1);
      this.#warnings.push(
        `The header states ${stated} bytes of sound (${seconds(stated)} s), but the file ends after ${available} (${seconds(available)} s).`,
      );
      return available;
    }
    return stated;
  }

  #listChunksAfter(dataPosition: number, dataBytes: number, riffEnd: number): void {
    const length = this.#source.byteLength;
    if (length === null) return;
    const end = Math.min(length, riffEnd);
    let position = this.#afterChunk(dataPosition, dataBytes);
    for (let count = 0; position + 8 <= end; count++) {
      if (count >= MAXIMUM_CHUNKS) {
        this.#warnings.push(`More than ${MAXIMUM_CHUNKS} chunks follow the data; the rest is not listed.`);
        return;
      }
      const header = this.#readChunkHeader(position);
      if (header === null || !looksLikeFourCc(header.id)) {
        this.#warnings.push(`What follows the data at byte ${position} is no chunk and is not read.`);
        return;
      }
      this.#chunks.push({ id: fourCcText(header.id), position: position + 8, byteLength: header.size });
      if (header.id === DATA) this.#warnings.push(`A second 'data' chunk at byte ${position} is not read.`);
      position = this.#afterChunk(position + 8, header.size);
    }
  }

  #readChunkHeader(position: number): { id: number; size: number } | null {
    if (!Number.isSafeInteger(position) || this.#readInto(position, 8) < 8) return null;
    const id = this.#view.getUint32(0, true);
    let size = this.#view.getUint32(4, true);
    if (size === SIZE_UNKNOWN && id !== DATA) size = this.#largeSizes.get(id) ?? size;
    return { id, size };
  }

  /**
   * Where the next chunk begins. An odd chunk is followed by a pad byte; some programs forget it, which shows when an
   * identifier stands where the pad should and none behind it.
   */
  #afterChunk(content: number, size: number): number {
    const end = content + size;
    if (size % 2 === 0 || this.#source.byteLength === null) return end + (size % 2);
    if (this.#readInto(end, 5) < 5 || this.#view.getUint8(0) === 0) return end + 1;
    const unpadded = this.#view.getUint32(0, true);
    const padded = this.#view.getUint32(1, true);
    const forgotten = looksLikeFourCc(unpadded) && (!looksLikeFourCc(padded) || COMMON_CHUNKS.has(unpadded));
    return forgotten && !COMMON_CHUNKS.has(padded) ? end : end + 1;
  }

  #read64(offset: number): number {
    return this.#view.getUint32(offset, true) + this.#view.getUint32(offset + 4, true) * 2 ** 32;
  }

  /** Reads into the scratch bytes; returns how many there were. */
  #readInto(position: number, byteLength: number): number {
    let got = 0;
    while (got < byteLength) {
      const count = this.#source.read(position + got, this.#bytes, got, byteLength - got);
      if (count <= 0) break;
      got += count;
    }
    return got;
  }

  #missing(id: string, position: number): WavError {
    return new WavError(
      `The file ends at byte ${this.#source.byteLength ?? position} before its '${id}' chunk${id === 'data' ? ' with the samples' : ''}. Check that it was written completely.`,
    );
  }
}

function bitCount(value: number): number {
  let count = 0;
  for (let rest = value >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
