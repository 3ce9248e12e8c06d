import { GUID } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import {
  defaultChannelMask,
  WAVE_FORMAT_EXTENSIBLE,
  WAVE_FORMAT_IEEE_FLOAT,
  WAVE_FORMAT_PCM,
} from './constants.ts';
import { KSDATAFORMAT_SUBTYPE_PCM, KSDATAFORMAT_SUBTYPE_WAVEFORMATEX } from './guids/formats.ts';
import { viewOf } from './layout.ts';

/** A wave format as Windows has it since 3.1 (mmreg.h). Packed: 18 bytes, then `cbSize` bytes that depend on the tag. */
export interface WAVEFORMATEX {
  /** WAVE_FORMAT_* */
  readonly wFormatTag: number;
  readonly nChannels: number;
  readonly nSamplesPerSec: number;
  readonly nAvgBytesPerSec: number;
  /** Bytes of one frame: a sample of every channel. */
  readonly nBlockAlign: number;
  /** Bits of the container of one sample. */
  readonly wBitsPerSample: number;
  /** Bytes behind the first 18; 22 for WAVEFORMATEXTENSIBLE. */
  readonly cbSize: number;
  /** What follows (after the extensible members, when it is one), for tags with data of their own. */
  readonly extra?: Uint8Array;
}

/** A wave format that names valid bits, speakers and subtype (ksmedia.h); wFormatTag is WAVE_FORMAT_EXTENSIBLE. */
export interface WAVEFORMATEXTENSIBLE extends WAVEFORMATEX {
  /** Also wSamplesPerBlock for compressed formats. */
  readonly wValidBitsPerSample: number;
  /** SPEAKER_*; as many bits as channels, or KSAUDIO_SPEAKER_DIRECTOUT. */
  readonly dwChannelMask: number;
  readonly subFormat: GUID;
}

/** sizeof(WAVEFORMATEX), packed. */
export const WAVEFORMATEX_SIZE = 18;
/** sizeof(WAVEFORMATEXTENSIBLE), packed. */
export const WAVEFORMATEXTENSIBLE_SIZE = 40;
/** cbSize of a WAVEFORMATEXTENSIBLE without data of its own. */
export const WAVEFORMATEXTENSIBLE_CBSIZE = WAVEFORMATEXTENSIBLE_SIZE - WAVEFORMATEX_SIZE;

/** The 18 bytes at `offset`: packed, so that nothing but the offsets would be in a layout. */
function readWaveHeader(view: DataView, offset: number): WAVEFORMATEX {
  return {
    wFormatTag: view.getUint16(offset, true),
    nChannels: view.getUint16(offset + 2, true),
    nSamplesPerSec: view.getUint32(offset + 4, true),
    nAvgBytesPerSec: view.getUint32(offset + 8, true),
    nBlockAlign: view.getUint16(offset + 12, true),
    wBitsPerSample: view.getUint16(offset + 14, true),
    cbSize: view.getUint16(offset + 16, true),
  };
}

/** Is it a WAVEFORMATEXTENSIBLE? */
export function isWaveFormatExtensible(format: WAVEFORMATEX): format is WAVEFORMATEXTENSIBLE {
  return format.wFormatTag === WAVE_FORMAT_EXTENSIBLE && 'subFormat' in format;
}

/** Bytes of the encoded format: 18 + cbSize, where cbSize follows from what the object holds. */
export function waveFormatSize(format: WAVEFORMATEX): number {
  const extra = format.extra?.byteLength ?? 0;
  return (isWaveFormatExtensible(format) ? WAVEFORMATEXTENSIBLE_SIZE : WAVEFORMATEX_SIZE) + extra;
}

/** Writes the format at `offset`; the caller made room for {@link waveFormatSize}. */
export function writeWaveFormat(view: DataView, offset: number, format: WAVEFORMATEX): void {
  const size = waveFormatSize(format);
  view.setUint16(offset, format.wFormatTag, true);
  view.setUint16(offset + 2, format.nChannels, true);
  view.setUint32(offset + 4, format.nSamplesPerSec, true);
  view.setUint32(offset + 8, format.nAvgBytesPerSec, true);
  view.setUint16(offset + 12, format.nBlockAlign, true);
  view.setUint16(offset + 14, format.wBitsPerSample, true);
  view.setUint16(offset + 16, size - WAVEFORMATEX_SIZE, true);
  let end = offset + WAVEFORMATEX_SIZE;
  if (isWaveFormatExtensible(format)) {
    view.setUint16(end, format.wValidBitsPerSample, true);
    view.setUint32(end + 2, format.dwChannelMask, true);
    format.subFormat.write(view, end + 6);
    end += WAVEFORMATEXTENSIBLE_CBSIZE;
  }
  if (format.extra !== undefined) new Uint8Array(view.buffer, view.byteOffset + end).set(format.extra);
}

/** The format as bytes of its own. */
export function encodeWaveFormat(format: WAVEFORMATEX): Uint8Array {
  const bytes = new Uint8Array(waveFormatSize(format));
  writeWaveFormat(viewOf(bytes), 0, format);
  return bytes;
}

/**
 * The format at `offset`, of which `end` (default: the end of the bytes) is the limit. Throws NtError STATUS_BUFFER_TOO_SMALL when
 * 18 bytes are missing, STATUS_INVALID_PARAMETER when cbSize points past the limit or is too small for an extensible format.
 */
export function decodeWaveFormat(
  bytes: Uint8Array,
  offset = 0,
  end: number = bytes.byteLength,
): WAVEFORMATEX | WAVEFORMATEXTENSIBLE {
  if (offset < 0 || offset + WAVEFORMATEX_SIZE > end || end > bytes.byteLength) {
    throw new NtError(STATUS_BUFFER_TOO_SMALL, `WAVEFORMATEX at ${offset} of ${end} bytes`);
  }
  const view = viewOf(bytes);
  const format = readWaveHeader(view, offset);
  const dataEnd = offset + WAVEFORMATEX_SIZE + format.cbSize;
  if (dataEnd > end) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `WAVEFORMATEX.cbSize ${format.cbSize} points past the format`,
    );
  }
  let start = offset + WAVEFORMATEX_SIZE;
  if (format.wFormatTag === WAVE_FORMAT_EXTENSIBLE) {
    if (format.cbSize < WAVEFORMATEXTENSIBLE_CBSIZE) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `WAVEFORMATEXTENSIBLE.cbSize ${format.cbSize}, at least ${WAVEFORMATEXTENSIBLE_CBSIZE} expected`,
      );
    }
    const extensible: WAVEFORMATEXTENSIBLE = {
      ...format,
      wValidBitsPerSample: view.getUint16(start, true),
      dwChannelMask: view.getUint32(start + 2, true),
      subFormat: GUID.read(view, start + 6),
    };
    start += WAVEFORMATEXTENSIBLE_CBSIZE;
    return start === dataEnd ? extensible : { ...extensible, extra: bytes.slice(start, dataEnd) };
  }
  return start === dataEnd ? format : { ...format, extra: bytes.slice(start, dataEnd) };
}

/** Format tag → subtype: the tag in the first word of KSDATAFORMAT_SUBTYPE_WAVEFORMATEX (DEFINE_WAVEFORMATEX_GUID). */
export function subFormatOfTag(formatTag: number): GUID {
  const { w1, w2, w3 } = KSDATAFORMAT_SUBTYPE_WAVEFORMATEX;
  return new GUID(formatTag & 0xffff, w1, w2, w3);
}

/** Subtype → format tag (EXTRACT_WAVEFORMATEX_ID); null for a subtype that stands for no tag. */
export function tagOfSubFormat(subFormat: GUID): number | null {
  const { w1, w2, w3 } = KSDATAFORMAT_SUBTYPE_WAVEFORMATEX;
  const isTag = subFormat.w1 === w1 && subFormat.w2 === w2 && subFormat.w3 === w3 && subFormat.w0 <= 0xffff;
  return isTag ? subFormat.w0 : null;
}

/** The subtype of a wave format: that of an extensible one, else the one its tag stands for. */
export function subFormatOfWave(format: WAVEFORMATEX): GUID {
  return isWaveFormatExtensible(format) ? format.subFormat : subFormatOfTag(format.wFormatTag);
}

/** Bits of a sample that carry sound: wValidBitsPerSample, or all. */
export function validBitsOfWave(format: WAVEFORMATEX): number {
  return isWaveFormatExtensible(format) ? format.wValidBitsPerSample : format.wBitsPerSample;
}

/** A plain WAVEFORMATEX of PCM or IEEE float. */
export function waveFormatEx(
  wFormatTag: number,
  nSamplesPerSec: number,
  nChannels: number,
  wBitsPerSample: number,
): WAVEFORMATEX {
  const nBlockAlign = (nChannels * wBitsPerSample) >>> 3;
  return {
    wFormatTag,
    nChannels,
    nSamplesPerSec,
    nAvgBytesPerSec: nSamplesPerSec * nBlockAlign,
    nBlockAlign,
    wBitsPerSample,
    cbSize: 0,
  };
}

/** A WAVEFORMATEXTENSIBLE; by default all bits are valid, and the speakers are the usual ones. */
export function waveFormatExtensible(
  nSamplesPerSec: number,
  nChannels: number,
  wBitsPerSample: number,
  wValidBitsPerSample: number = wBitsPerSample,
  dwChannelMask: number = defaultChannelMask(nChannels),
  subFormat: GUID = KSDATAFORMAT_SUBTYPE_PCM,
): WAVEFORMATEXTENSIBLE {
  return {
    ...waveFormatEx(WAVE_FORMAT_EXTENSIBLE, nSamplesPerSec, nChannels, wBitsPerSample),
    cbSize: WAVEFORMATEXTENSIBLE_CBSIZE,
    wValidBitsPerSample,
    dwChannelMask,
    subFormat,
  };
}

/**
 * Do both describe the same stream? A plain format equals the extensible one that says the same (audio docs, "Extensible Wave-
 * Format Descriptors"): same subtype, channels, rate, block and container, valid bits; speaker masks are compared only when both
 * give one.
 */
export function waveFormatEquals(a: WAVEFORMATEX, b: WAVEFORMATEX): boolean {
  return (
    a.nChannels === b.nChannels &&
    a.nSamplesPerSec === b.nSamplesPerSec &&
    a.nBlockAlign === b.nBlockAlign &&
    a.wBitsPerSample === b.wBitsPerSample &&
    validBitsOfWave(a) === validBitsOfWave(b) &&
    subFormatOfWave(a).equals(subFormatOfWave(b)) &&
    (!isWaveFormatExtensible(a) || !isWaveFormatExtensible(b) || a.dwChannelMask === b.dwChannelMask)
  );
}

/**
 * Is a PCM or float format consistent in itself: at least one channel, whole bytes, block and rate as channels, bits and
 * frequency say, no more valid bits than bits? Drivers that check less accept formats that Windows' own clients never send.
 */
export function isConsistentWaveFormat(format: WAVEFORMATEX): boolean {
  const { nChannels, wBitsPerSample, nBlockAlign, nSamplesPerSec, nAvgBytesPerSec } = format;
  const tag = tagOfSubFormat(subFormatOfWave(format));
  if (tag !== WAVE_FORMAT_PCM && tag !== WAVE_FORMAT_IEEE_FLOAT) return true;
  return (
    nChannels > 0 &&
    nSamplesPerSec > 0 &&
    wBitsPerSample > 0 &&
    wBitsPerSample % 8 === 0 &&
    nBlockAlign === (nChannels * wBitsPerSample) / 8 &&
    nAvgBytesPerSec === nSamplesPerSec * nBlockAlign &&
    validBitsOfWave(format) <= wBitsPerSample
  );
}

/** '48000 Hz, 2 channels, 16 bits', '96000 Hz, 6 channels (mask 0x60f), 24 of 32 bits', '44100 Hz, 1 channel, 32 bits float'. */
export function describeWaveFormat(format: WAVEFORMATEX): string {
  const { nSamplesPerSec, nChannels, wBitsPerSample } = format;
  const valid = validBitsOfWave(format);
  const usualMask = defaultChannelMask(nChannels);
  const mask =
    isWaveFormatExtensible(format) && format.dwChannelMask !== usualMask
      ? ` (mask 0x${format.dwChannelMask.toString(16)})`
      : '';
  const bits = valid === wBitsPerSample ? `${wBitsPerSample} bits` : `${valid} of ${wBitsPerSample} bits`;
  const subFormat = subFormatOfWave(format);
  const tag = tagOfSubFormat(subFormat);
  let kind = '';
  if (tag === WAVE_FORMAT_IEEE_FLOAT) kind = ' float';
  else if (tag === null) kind = ` ${subFormat}`;
  else if (tag !== WAVE_FORMAT_PCM) kind = ` (format tag 0x${tag.toString(16)})`;
  return `${nSamplesPerSec} Hz, ${nChannels} channel${nChannels === 1 ? '' : 's'}${mask}, ${bits}${kind}`;
}
