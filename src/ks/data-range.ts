import type { GUID } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import { attributesSize, decodeAttributes, type KSATTRIBUTE, writeAttributes } from './attributes.ts';
import { KSDATARANGE_ATTRIBUTES } from './constants.ts';
import { KSDATAFORMAT_SIZE, readDataFormatHeader, writeDataFormatHeader } from './data-format.ts';
import {
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SUBTYPE_PCM,
  KSDATAFORMAT_TYPE_AUDIO,
  KSDATAFORMAT_TYPE_MUSIC,
  KSDATAFORMAT_TYPE_WILDCARD,
} from './guids/formats.ts';
import { alignUp, guidField, Layout, ulong, viewOf } from './layout.ts';

/**
 * A range of data formats (KSDATARANGE): like a format, with GUID_NULL as wildcard. Its FormatSize follows from its kind. A range that
 * has `attributes` carries KSDATARANGE_ATTRIBUTES in memory, and the list follows as an item of its own.
 */
export interface KSDATARANGE {
  /** KSDATARANGE_ATTRIBUTES, KSDATARANGE_REQUIRED_ATTRIBUTES */
  readonly flags: number;
  readonly sampleSize: number;
  readonly majorFormat: GUID;
  readonly subFormat: GUID;
  readonly specifier: GUID;
  readonly attributes?: readonly KSATTRIBUTE[];
  /** Bytes behind the 64 of the head, for kinds that are not decoded; absent when there are none. */
  readonly data?: Uint8Array;
}

/** A range of wave formats (KSDATARANGE_AUDIO): every combination within the bounds. */
export interface KSDATARANGE_AUDIO extends KSDATARANGE {
  /** 0xFFFFFFFF: any number. */
  readonly maximumChannels: number;
  readonly minimumBitsPerSample: number;
  readonly maximumBitsPerSample: number;
  /** Hertz. */
  readonly minimumSampleFrequency: number;
  readonly maximumSampleFrequency: number;
}

/** A range of MIDI formats (KSDATARANGE_MUSIC). */
export interface KSDATARANGE_MUSIC extends KSDATARANGE {
  /** KSMUSIC_TECHNOLOGY_* */
  readonly technology: GUID;
  readonly channels: number;
  readonly notes: number;
  readonly channelMask: number;
}

/** sizeof(KSDATARANGE) */
export const KSDATARANGE_SIZE = KSDATAFORMAT_SIZE;
/** sizeof(KSDATARANGE_AUDIO): 84 bytes of members, padded to the alignment of 8. */
export const KSDATARANGE_AUDIO_SIZE = 88;
/** sizeof(KSDATARANGE_MUSIC): 92 bytes of members, padded. */
export const KSDATARANGE_MUSIC_SIZE = 96;
const MULTIPLE_ITEM_SIZE = 8;

type AudioBounds = Pick<
  KSDATARANGE_AUDIO,
  | 'maximumChannels'
  | 'minimumBitsPerSample'
  | 'maximumBitsPerSample'
  | 'minimumSampleFrequency'
  | 'maximumSampleFrequency'
>;
const AUDIO_BOUNDS = new Layout<AudioBounds>('KSDATARANGE_AUDIO', {
  maximumChannels: ulong,
  minimumBitsPerSample: ulong,
  maximumBitsPerSample: ulong,
  minimumSampleFrequency: ulong,
  maximumSampleFrequency: ulong,
});

type MusicBounds = Pick<KSDATARANGE_MUSIC, 'technology' | 'channels' | 'notes' | 'channelMask'>;
const MUSIC_BOUNDS = new Layout<MusicBounds>('KSDATARANGE_MUSIC', {
  technology: guidField,
  channels: ulong,
  notes: ulong,
  channelMask: ulong,
});

export function isAudioDataRange(range: KSDATARANGE): range is KSDATARANGE_AUDIO {
  return 'maximumChannels' in range;
}

export function isMusicDataRange(range: KSDATARANGE): range is KSDATARANGE_MUSIC {
  return 'technology' in range;
}

/** FormatSize of the encoded range. */
export function dataRangeSize(range: KSDATARANGE): number {
  if (isAudioDataRange(range)) return KSDATARANGE_AUDIO_SIZE;
  if (isMusicDataRange(range)) return KSDATARANGE_MUSIC_SIZE;
  return KSDATARANGE_SIZE + (range.data?.byteLength ?? 0);
}

/** Bytes of the encoded range, attributes included. */
export function encodedDataRangeSize(range: KSDATARANGE): number {
  const size = dataRangeSize(range);
  return range.attributes === undefined ? size : alignUp(size, 8) + attributesSize(range.attributes);
}

/** Writes the range at `offset`; the caller made room. Returns the bytes written. */
export function writeDataRange(bytes: Uint8Array, offset: number, range: KSDATARANGE): number {
  const view = viewOf(bytes);
  const formatSize = dataRangeSize(range);
  const flags =
    range.attributes === undefined
      ? range.flags & ~KSDATARANGE_ATTRIBUTES
      : range.flags | KSDATARANGE_ATTRIBUTES;
  bytes.fill(0, offset, offset + formatSize);
  writeDataFormatHeader(view, offset, range, formatSize, flags);
  const start = offset + KSDATARANGE_SIZE;
  if (isAudioDataRange(range)) AUDIO_BOUNDS.write(view, start, range);
  else if (isMusicDataRange(range)) MUSIC_BOUNDS.write(view, start, range);
  else if (range.data !== undefined) bytes.set(range.data, start);
  if (range.attributes === undefined) return formatSize;
  const listAt = alignUp(formatSize, 8);
  bytes.fill(0, offset + formatSize, offset + listAt);
  writeAttributes(view, offset + listAt, range.attributes);
  return listAt + attributesSize(range.attributes);
}

/** The range as bytes of its own, with its attributes. */
export function encodeDataRange(range: KSDATARANGE): Uint8Array {
  const bytes = new Uint8Array(encodedDataRangeSize(range));
  writeDataRange(bytes, 0, range);
  return bytes;
}

/**
 * The range at `offset`, with the attribute list behind it when its flags say so. It becomes a KSDATARANGE_AUDIO or _MUSIC by its major
 * type (audio also for the wildcard) when it is large enough for one. Throws NtError STATUS_BUFFER_TOO_SMALL for missing
 * bytes, STATUS_INVALID_PARAMETER for sizes that contradict each other.
 */
export function decodeDataRange(bytes: Uint8Array, offset = 0): KSDATARANGE {
  return decodeRangeAt(bytes, offset).range;
}

function decodeRangeAt(
  bytes: Uint8Array,
  offset: number,
): { readonly range: KSDATARANGE; readonly next: number; readonly items: number } {
  if (offset < 0 || offset + KSDATARANGE_SIZE > bytes.byteLength) {
    throw new NtError(STATUS_BUFFER_TOO_SMALL, `KSDATARANGE at ${offset} of ${bytes.byteLength}`);
  }
  const view = viewOf(bytes);
  const { formatSize, flags, sampleSize, majorFormat, subFormat, specifier } = readDataFormatHeader(
    view,
    offset,
  );
  const head: KSDATARANGE = { flags, sampleSize, majorFormat, subFormat, specifier };
  if (formatSize < KSDATARANGE_SIZE) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `KSDATARANGE.FormatSize ${formatSize}, at least ${KSDATARANGE_SIZE} expected`,
    );
  }
  const end = offset + formatSize;
  if (end > bytes.byteLength) {
    throw new NtError(
      STATUS_BUFFER_TOO_SMALL,
      `KSDATARANGE.FormatSize ${formatSize} at ${offset} of ${bytes.byteLength}`,
    );
  }
  const start = offset + KSDATARANGE_SIZE;
  const isAudio =
    head.majorFormat.equals(KSDATAFORMAT_TYPE_AUDIO) || head.majorFormat.equals(KSDATAFORMAT_TYPE_WILDCARD);
  let range: KSDATARANGE = head;
  if (isAudio && formatSize >= KSDATARANGE_SIZE + AUDIO_BOUNDS.size) {
    const audio: KSDATARANGE_AUDIO = {
      flags,
      sampleSize,
      majorFormat,
      subFormat,
      specifier,
      maximumChannels: view.getUint32(start, true),
      minimumBitsPerSample: view.getUint32(start + 4, true),
      maximumBitsPerSample: view.getUint32(start + 8, true),
      minimumSampleFrequency: view.getUint32(start + 12, true),
      maximumSampleFrequency: view.getUint32(start + 16, true),
    };
    range = audio;
  } else if (
    head.majorFormat.equals(KSDATAFORMAT_TYPE_MUSIC) &&
    formatSize >= KSDATARANGE_SIZE + MUSIC_BOUNDS.size
  ) {
    const music: KSDATARANGE_MUSIC = { ...head, ...MUSIC_BOUNDS.read(view, start) };
    range = music;
  } else if (formatSize > KSDATARANGE_SIZE) {
    range = { ...head, data: bytes.slice(start, end) };
  }
  const next = offset + alignUp(formatSize, 8);
  if ((head.flags & KSDATARANGE_ATTRIBUTES) === 0) return { range, next, items: 1 };
  const { attributes, size } = decodeAttributes(bytes, next);
  return { range: { ...range, attributes }, next: next + alignUp(size, 8), items: 2 };
}

/**
 * A list of ranges: KSMULTIPLE_ITEM, then each range on a multiple of 8. An attribute list counts as an item of its own, as it is one in
 * a pin descriptor's DataRanges.
 */
export function encodeDataRanges(ranges: readonly KSDATARANGE[]): Uint8Array {
  let size = MULTIPLE_ITEM_SIZE;
  let count = 0;
  for (const range of ranges) {
    size += alignUp(encodedDataRangeSize(range), 8);
    count += range.attributes === undefined ? 1 : 2;
  }
  const bytes = new Uint8Array(size);
  const view = viewOf(bytes);
  view.setUint32(0, size, true);
  view.setUint32(4, count, true);
  let offset = MULTIPLE_ITEM_SIZE;
  for (const range of ranges) offset = alignUp(offset + writeDataRange(bytes, offset, range), 8);
  return bytes;
}

/** The list at `offset`. Throws NtError as {@link decodeDataRange} does; a Size below 8 is STATUS_INVALID_PARAMETER. */
export function decodeDataRanges(bytes: Uint8Array, offset = 0): readonly KSDATARANGE[] {
  if (offset < 0 || offset + MULTIPLE_ITEM_SIZE > bytes.byteLength) {
    throw new NtError(
      STATUS_BUFFER_TOO_SMALL,
      `KSMULTIPLE_ITEM of data ranges at ${offset} of ${bytes.byteLength}`,
    );
  }
  const view = viewOf(bytes);
  const size = view.getUint32(offset, true);
  const count = view.getUint32(offset + 4, true);
  if (size < MULTIPLE_ITEM_SIZE)
    throw new NtError(STATUS_INVALID_PARAMETER, `list of data ranges of ${size} bytes`);
  if (offset + size > bytes.byteLength) {
    throw new NtError(
      STATUS_BUFFER_TOO_SMALL,
      `list of data ranges of ${size} bytes at ${offset} of ${bytes.byteLength}`,
    );
  }
  const list = bytes.subarray(offset, offset + size);
  const ranges: KSDATARANGE[] = [];
  let at = MULTIPLE_ITEM_SIZE;
  for (let item = 0; item < count; ) {
    const { range, next, items } = decodeRangeAt(list, at);
    ranges.push(range);
    at = next;
    item += items;
  }
  return ranges;
}

/** Bounds of {@link audioDataRange}. */
export interface AudioDataRangeOptions {
  readonly maximumChannels: number;
  readonly minimumBitsPerSample: number;
  readonly maximumBitsPerSample: number;
  readonly minimumSampleFrequency: number;
  readonly maximumSampleFrequency: number;
  /** Default: PCM. */
  readonly subFormat?: GUID;
  /** Default: WAVEFORMATEX. */
  readonly specifier?: GUID;
  readonly flags?: number;
  readonly attributes?: readonly KSATTRIBUTE[];
}

/** A range of wave formats, PCM unless told otherwise. */
export function audioDataRange(options: AudioDataRangeOptions): KSDATARANGE_AUDIO {
  const { attributes, subFormat, specifier, flags, ...bounds } = options;
  const range: KSDATARANGE_AUDIO = {
    flags: flags ?? 0,
    sampleSize: 0,
    majorFormat: KSDATAFORMAT_TYPE_AUDIO,
    subFormat: subFormat ?? KSDATAFORMAT_SUBTYPE_PCM,
    specifier: specifier ?? KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
    ...bounds,
  };
  return attributes === undefined ? range : { ...range, attributes };
}
