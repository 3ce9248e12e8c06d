import { GUID } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import {
  attributesSize,
  decodeAttributes,
  type KSATTRIBUTE,
  signalProcessingModeAttribute,
  writeAttributes,
} from './attributes.ts';
import {
  defaultChannelMask,
  KSDATAFORMAT_ATTRIBUTES,
  WAVE_FORMAT_EXTENSIBLE,
  WAVE_FORMAT_IEEE_FLOAT,
  WAVE_FORMAT_PCM,
} from './constants.ts';
import {
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SUBTYPE_IEEE_FLOAT,
  KSDATAFORMAT_SUBTYPE_PCM,
  KSDATAFORMAT_TYPE_AUDIO,
} from './guids/formats.ts';
import { alignUp, viewOf } from './layout.ts';
import {
  decodeWaveFormat,
  isWaveFormatExtensible,
  subFormatOfWave,
  type WAVEFORMATEX,
  WAVEFORMATEX_SIZE,
  type WAVEFORMATEXTENSIBLE,
  waveFormatEquals,
  waveFormatEx,
  waveFormatExtensible,
  waveFormatSize,
  writeWaveFormat,
} from './wave-format.ts';

/**
 * One data format (DDI page KSDATAFORMAT): 64 bytes, then what the specifier says, then, with KSDATAFORMAT_ATTRIBUTES, a list
 * of attributes on the next multiple of 8. Encoding derives sizes and the attribute flag from what the object holds.
 */
export interface KSDATAFORMAT {
  /** Bytes without the attributes, as decoded. */
  readonly formatSize: number;
  /** KSDATAFORMAT_TEMPORAL_COMPRESSION, KSDATAFORMAT_ATTRIBUTES */
  readonly flags: number;
  /** Bytes of a sample (a frame of sound), 0 when it varies. */
  readonly sampleSize: number;
  readonly majorFormat: GUID;
  readonly subFormat: GUID;
  readonly specifier: GUID;
  readonly attributes?: readonly KSATTRIBUTE[];
  /** The specifier's bytes, for specifiers other than WAVEFORMATEX and DSOUND; absent when there are none. */
  readonly data?: Uint8Array;
}

/** Specifier KSDATAFORMAT_SPECIFIER_WAVEFORMATEX. */
export interface KSDATAFORMAT_WAVEFORMATEX extends KSDATAFORMAT {
  readonly waveFormatEx: WAVEFORMATEX | WAVEFORMATEXTENSIBLE;
}

/** What a DirectSound buffer wants besides its wave format. */
export interface KSDSOUND_BUFFERDESC {
  /** KSDSOUND_BUFFER_* */
  readonly flags: number;
  /** KSDSOUND_BUFFER_CTRL_* */
  readonly control: number;
  readonly waveFormatEx: WAVEFORMATEX | WAVEFORMATEXTENSIBLE;
}

/** Specifier KSDATAFORMAT_SPECIFIER_DSOUND. */
export interface KSDATAFORMAT_DSOUND extends KSDATAFORMAT {
  readonly bufferDesc: KSDSOUND_BUFFERDESC;
}

/** sizeof(KSDATAFORMAT) */
export const KSDATAFORMAT_SIZE = 64;
/** sizeof(KSDATAFORMAT_WAVEFORMATEX), packed. */
export const KSDATAFORMAT_WAVEFORMATEX_SIZE = KSDATAFORMAT_SIZE + WAVEFORMATEX_SIZE;
const DSOUND_HEAD_SIZE = 8;
/** sizeof(KSDATAFORMAT_DSOUND), packed. */
export const KSDATAFORMAT_DSOUND_SIZE = KSDATAFORMAT_SIZE + DSOUND_HEAD_SIZE + WAVEFORMATEX_SIZE;

/** The 64 bytes that formats and ranges begin with. */
export interface DataFormatHeader {
  readonly formatSize: number;
  readonly flags: number;
  readonly sampleSize: number;
  readonly majorFormat: GUID;
  readonly subFormat: GUID;
  readonly specifier: GUID;
}

/** Reads the 64 bytes at `offset`; the caller made sure that they are there. Written out, since formats are decoded often. */
export function readDataFormatHeader(view: DataView, offset: number): DataFormatHeader {
  return {
    formatSize: view.getUint32(offset, true),
    flags: view.getUint32(offset + 4, true),
    sampleSize: view.getUint32(offset + 8, true),
    majorFormat: GUID.read(view, offset + 16),
    subFormat: GUID.read(view, offset + 32),
    specifier: GUID.read(view, offset + 48),
  };
}

/** Writes the 64 bytes at `offset`, the reserved member as zero. */
export function writeDataFormatHeader(
  view: DataView,
  offset: number,
  header: Omit<DataFormatHeader, 'formatSize' | 'flags'>,
  formatSize: number,
  flags: number,
): void {
  view.setUint32(offset, formatSize, true);
  view.setUint32(offset + 4, flags, true);
  view.setUint32(offset + 8, header.sampleSize, true);
  view.setUint32(offset + 12, 0, true);
  header.majorFormat.write(view, offset + 16);
  header.subFormat.write(view, offset + 32);
  header.specifier.write(view, offset + 48);
}

/** Does the format carry a WAVEFORMATEX directly? */
export function isWaveFormat(format: KSDATAFORMAT): format is KSDATAFORMAT_WAVEFORMATEX {
  return 'waveFormatEx' in format;
}

/** Does the format describe a DirectSound buffer? */
export function isDsoundFormat(format: KSDATAFORMAT): format is KSDATAFORMAT_DSOUND {
  return 'bufferDesc' in format;
}

/** The wave format in either form, or null. */
export function waveFormatOf(format: KSDATAFORMAT): WAVEFORMATEX | WAVEFORMATEXTENSIBLE | null {
  if (isWaveFormat(format)) return format.waveFormatEx;
  if (isDsoundFormat(format)) return format.bufferDesc.waveFormatEx;
  return null;
}

/** FormatSize of the encoded format: without attributes. */
export function dataFormatSize(format: KSDATAFORMAT): number {
  if (isWaveFormat(format)) return KSDATAFORMAT_SIZE + waveFormatSize(format.waveFormatEx);
  if (isDsoundFormat(format)) {
    return KSDATAFORMAT_SIZE + DSOUND_HEAD_SIZE + waveFormatSize(format.bufferDesc.waveFormatEx);
  }
  return KSDATAFORMAT_SIZE + (format.data?.byteLength ?? 0);
}

/** Bytes of the encoded format, attributes included. */
export function encodedDataFormatSize(format: KSDATAFORMAT): number {
  const size = dataFormatSize(format);
  return format.attributes === undefined ? size : alignUp(size, 8) + attributesSize(format.attributes);
}

/** The format as bytes of its own. */
export function encodeDataFormat(format: KSDATAFORMAT): Uint8Array {
  const bytes = new Uint8Array(encodedDataFormatSize(format));
  writeDataFormat(bytes, 0, format);
  return bytes;
}

/** Writes the format at `offset` and returns the bytes written. Throws NtError STATUS_BUFFER_TOO_SMALL when it does not fit. */
export function writeDataFormat(bytes: Uint8Array, offset: number, format: KSDATAFORMAT): number {
  const whole = encodedDataFormatSize(format);
  if (offset < 0 || offset + whole > bytes.byteLength) {
    throw new NtError(
      STATUS_BUFFER_TOO_SMALL,
      `format of ${whole} bytes at ${offset} of ${bytes.byteLength}`,
    );
  }
  const view = viewOf(bytes);
  const formatSize = dataFormatSize(format);
  const flags =
    format.attributes === undefined
      ? format.flags & ~KSDATAFORMAT_ATTRIBUTES
      : format.flags | KSDATAFORMAT_ATTRIBUTES;
  writeDataFormatHeader(view, offset, format, formatSize, flags);
  const start = offset + KSDATAFORMAT_SIZE;
  if (isWaveFormat(format)) {
    writeWaveFormat(view, start, format.waveFormatEx);
  } else if (isDsoundFormat(format)) {
    view.setUint32(start, format.bufferDesc.flags, true);
    view.setUint32(start + 4, format.bufferDesc.control, true);
    writeWaveFormat(view, start + DSOUND_HEAD_SIZE, format.bufferDesc.waveFormatEx);
  } else if (format.data !== undefined) {
    bytes.set(format.data, start);
  }
  if (format.attributes !== undefined) {
    bytes.fill(0, offset + formatSize, offset + alignUp(formatSize, 8));
    writeAttributes(view, offset + alignUp(formatSize, 8), format.attributes);
  }
  return whole;
}

/**
 * The format at `offset`. Throws NtError STATUS_BUFFER_TOO_SMALL when bytes are missing (also: when FormatSize or the attribute list
 * reaches past the end), STATUS_INVALID_PARAMETER for sizes that contradict each other.
 */
export function decodeDataFormat(bytes: Uint8Array, offset = 0): KSDATAFORMAT {
  if (offset < 0 || offset + KSDATAFORMAT_SIZE > bytes.byteLength) {
    throw new NtError(STATUS_BUFFER_TOO_SMALL, `KSDATAFORMAT at ${offset} of ${bytes.byteLength}`);
  }
  const view = viewOf(bytes);
  const header = readDataFormatHeader(view, offset);
  const { formatSize, flags, specifier } = header;
  if (formatSize < KSDATAFORMAT_SIZE) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `KSDATAFORMAT.FormatSize ${formatSize}, at least ${KSDATAFORMAT_SIZE} expected`,
    );
  }
  const end = offset + formatSize;
  if (end > bytes.byteLength) {
    throw new NtError(
      STATUS_BUFFER_TOO_SMALL,
      `KSDATAFORMAT.FormatSize ${formatSize} at ${offset} of ${bytes.byteLength}`,
    );
  }
  const start = offset + KSDATAFORMAT_SIZE;
  const base: KSDATAFORMAT =
    (flags & KSDATAFORMAT_ATTRIBUTES) === 0
      ? header
      : { ...header, attributes: decodeAttributes(bytes, offset + alignUp(formatSize, 8)).attributes };
  if (specifier.equals(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX)) {
    const format: KSDATAFORMAT_WAVEFORMATEX = { ...base, waveFormatEx: waveFormatAt(bytes, start, end) };
    return format;
  }
  if (specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND)) {
    const waveFormat = waveFormatAt(bytes, start + DSOUND_HEAD_SIZE, end);
    const format: KSDATAFORMAT_DSOUND = {
      ...base,
      bufferDesc: {
        flags: view.getUint32(start, true),
        control: view.getUint32(start + 4, true),
        waveFormatEx: waveFormat,
      },
    };
    return format;
  }
  return formatSize === KSDATAFORMAT_SIZE ? base : { ...base, data: bytes.slice(start, end) };
}

/** A wave format inside a format whose FormatSize is too small for it is a contradiction, not a short buffer. */
function waveFormatAt(bytes: Uint8Array, start: number, end: number): WAVEFORMATEX | WAVEFORMATEXTENSIBLE {
  if (start + WAVEFORMATEX_SIZE > end) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      'KSDATAFORMAT.FormatSize leaves no room for the WAVEFORMATEX of its specifier',
    );
  }
  return decodeWaveFormat(bytes, start, end);
}

/** Makes a KSDATAFORMAT_WAVEFORMATEX of a wave format. */
export function dataFormatOfWave(
  waveFormat: WAVEFORMATEX | WAVEFORMATEXTENSIBLE,
  attributes?: readonly KSATTRIBUTE[],
): KSDATAFORMAT_WAVEFORMATEX {
  const format: KSDATAFORMAT_WAVEFORMATEX = {
    formatSize: KSDATAFORMAT_SIZE + waveFormatSize(waveFormat),
    flags: attributes === undefined ? 0 : KSDATAFORMAT_ATTRIBUTES,
    sampleSize: waveFormat.nBlockAlign,
    majorFormat: KSDATAFORMAT_TYPE_AUDIO,
    subFormat: subFormatOfWave(waveFormat),
    specifier: KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
    waveFormatEx: waveFormat,
  };
  return attributes === undefined ? format : { ...format, attributes };
}

/** Makes a KSDATAFORMAT_DSOUND of a wave format. */
export function dsoundFormatOfWave(
  waveFormat: WAVEFORMATEX | WAVEFORMATEXTENSIBLE,
  flags = 0,
  control = 0,
): KSDATAFORMAT_DSOUND {
  return {
    formatSize: KSDATAFORMAT_SIZE + DSOUND_HEAD_SIZE + waveFormatSize(waveFormat),
    flags: 0,
    sampleSize: waveFormat.nBlockAlign,
    majorFormat: KSDATAFORMAT_TYPE_AUDIO,
    subFormat: subFormatOfWave(waveFormat),
    specifier: KSDATAFORMAT_SPECIFIER_DSOUND,
    bufferDesc: { flags, control, waveFormatEx: waveFormat },
  };
}

/** More about the format that {@link pcmFormat} and {@link floatFormat} make. */
export interface WaveFormatOptions {
  /** Bits that carry sound, when fewer than the container's. */
  readonly validBits?: number;
  /** SPEAKER_*; default: the usual ones for so many channels. */
  readonly channelMask?: number;
  /** Forces (or forbids) WAVEFORMATEXTENSIBLE; by default it is used where the audio docs demand it. */
  readonly extensible?: boolean;
  /** Signal-processing mode to ask for, as a KSATTRIBUTE. */
  readonly mode?: GUID;
}

/**
 * A PCM format: `pcmFormat(48000, 2, 16)`. More than two channels, more than 16 bits, unused bits or a speaker mask make it
 * WAVEFORMATEXTENSIBLE, for only that describes such streams completely (audio docs, "Extensible Wave-Format Descriptors").
 */
export function pcmFormat(
  samplesPerSecond: number,
  channels: number,
  bitsPerSample: number,
  options: WaveFormatOptions = {},
): KSDATAFORMAT_WAVEFORMATEX {
  return makeWave(
    KSDATAFORMAT_SUBTYPE_PCM,
    WAVE_FORMAT_PCM,
    samplesPerSecond,
    channels,
    bitsPerSample,
    options,
  );
}

/** An IEEE float format of 32 (or 64) bits. */
export function floatFormat(
  samplesPerSecond: number,
  channels: number,
  bitsPerSample = 32,
  options: WaveFormatOptions = {},
): KSDATAFORMAT_WAVEFORMATEX {
  return makeWave(
    KSDATAFORMAT_SUBTYPE_IEEE_FLOAT,
    WAVE_FORMAT_IEEE_FLOAT,
    samplesPerSecond,
    channels,
    bitsPerSample,
    options,
  );
}

function makeWave(
  subFormat: GUID,
  tag: number,
  rate: number,
  channels: number,
  bits: number,
  options: WaveFormatOptions,
): KSDATAFORMAT_WAVEFORMATEX {
  const { validBits = bits, channelMask = defaultChannelMask(channels), mode } = options;
  const needsExtensible =
    channels > 2 ||
    (bits > 16 && tag === WAVE_FORMAT_PCM) ||
    validBits !== bits ||
    options.channelMask !== undefined;
  const wave =
    (options.extensible ?? needsExtensible)
      ? waveFormatExtensible(rate, channels, bits, validBits, channelMask, subFormat)
      : waveFormatEx(tag, rate, channels, bits);
  return dataFormatOfWave(wave, mode === undefined ? undefined : [signalProcessingModeAttribute(mode)]);
}

/**
 * Do both formats describe the same stream? Wave formats are compared by {@link waveFormatEquals}, whatever the specifier; others by
 * their GUIDs and bytes. Attributes do not count.
 */
export function dataFormatEquals(a: KSDATAFORMAT, b: KSDATAFORMAT): boolean {
  const waveA = waveFormatOf(a);
  const waveB = waveFormatOf(b);
  if (waveA !== null && waveB !== null) return waveFormatEquals(waveA, waveB);
  if (waveA !== null || waveB !== null) return false;
  if (!a.majorFormat.equals(b.majorFormat) || !a.subFormat.equals(b.subFormat)) return false;
  if (!a.specifier.equals(b.specifier)) return false;
  const left = a.data ?? new Uint8Array(0);
  const right = b.data ?? new Uint8Array(0);
  return left.byteLength === right.byteLength && left.every((value, index) => value === right[index]);
}

/**
 * Does the subtype of the format agree with the wave format inside it? WAVE_FORMAT_EXTENSIBLE's own subtype, or the one that the tag
 * stands for, has to be that of the KSDATAFORMAT. True for formats without a wave format.
 */
export function isConsistentDataFormat(format: KSDATAFORMAT): boolean {
  const wave = waveFormatOf(format);
  if (wave === null) return true;
  if (wave.wFormatTag === WAVE_FORMAT_EXTENSIBLE && !isWaveFormatExtensible(wave)) return false;
  return subFormatOfWave(wave).equals(format.subFormat);
}
