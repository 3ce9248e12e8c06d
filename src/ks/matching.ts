import type { GUID } from '../com/index.ts';
import type { KSATTRIBUTE } from './attributes.ts';
import {
  KSATTRIBUTE_REQUIRED,
  KSDATARANGE_REQUIRED_ATTRIBUTES,
  WAVE_FORMAT_IEEE_FLOAT,
  WAVE_FORMAT_PCM,
} from './constants.ts';
import { dataFormatOfWave, dsoundFormatOfWave, type KSDATAFORMAT, waveFormatOf } from './data-format.ts';
import {
  isAudioDataRange,
  isMusicDataRange,
  type KSDATARANGE,
  type KSDATARANGE_AUDIO,
} from './data-range.ts';
import {
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SPECIFIER_WILDCARD,
  KSDATAFORMAT_SUBTYPE_WILDCARD,
  KSDATAFORMAT_TYPE_WILDCARD,
} from './guids/formats.ts';
import { ksGuidName } from './names.ts';
import {
  describeWaveFormat,
  subFormatOfWave,
  tagOfSubFormat,
  type WAVEFORMATEX,
  waveFormatEx,
} from './wave-format.ts';

/** GUID_NULL, or the same. */
function matches(wanted: GUID, offered: GUID): boolean {
  return wanted.equals(KSDATAFORMAT_TYPE_WILDCARD) || wanted.equals(offered);
}

/** Every attribute that one side requires has to be there on the other side. */
function attributesAgree(
  a: readonly KSATTRIBUTE[] | undefined,
  b: readonly KSATTRIBUTE[] | undefined,
): boolean {
  const has = (list: readonly KSATTRIBUTE[] | undefined, wanted: KSATTRIBUTE) =>
    list?.some(({ attribute }) => attribute.equals(wanted.attribute)) ?? false;
  const satisfied = (from: readonly KSATTRIBUTE[] | undefined, by: readonly KSATTRIBUTE[] | undefined) =>
    from === undefined || from.every((item) => (item.flags & KSATTRIBUTE_REQUIRED) === 0 || has(by, item));
  return satisfied(a, b) && satisfied(b, a);
}

/**
 * Does a client's range match one of a pin's? Major type, subtype and specifier are each the client's wildcard or the same (DDI page
 * KsPinDataIntersection), and required attributes are there on both sides. Sizes and bounds are the intersection handler's business.
 */
export function dataRangesMatch(client: KSDATARANGE, mine: KSDATARANGE): boolean {
  return (
    matches(client.majorFormat, mine.majorFormat) &&
    matches(client.subFormat, mine.subFormat) &&
    matches(client.specifier, mine.specifier) &&
    attributesAgree(client.attributes, mine.attributes)
  );
}

/**
 * Is a format acceptable to a range by its GUIDs alone, as KsValidateConnectRequest checks it: the range's major type is the wildcard; or it is
 * the same and the subtype is the wildcard; or all three are the same? Attributes as in {@link dataRangesMatch}; a range with
 * KSDATARANGE_REQUIRED_ATTRIBUTES wants a format with attributes.
 */
export function dataFormatMatchesRange(format: KSDATAFORMAT, range: KSDATARANGE): boolean {
  if (!attributesAgree(format.attributes, range.attributes)) return false;
  if ((range.flags & KSDATARANGE_REQUIRED_ATTRIBUTES) !== 0 && format.attributes === undefined) return false;
  if (range.majorFormat.equals(KSDATAFORMAT_TYPE_WILDCARD)) return true;
  if (!range.majorFormat.equals(format.majorFormat)) return false;
  if (range.subFormat.equals(KSDATAFORMAT_SUBTYPE_WILDCARD)) return true;
  return (
    range.subFormat.equals(format.subFormat) &&
    (range.specifier.equals(KSDATAFORMAT_SPECIFIER_WILDCARD) || range.specifier.equals(format.specifier))
  );
}

/** Does a wave format lie within the bounds of an audio range (channels, bits, frequency)? Subtypes are not compared. */
export function waveFormatWithinRange(format: WAVEFORMATEX, range: KSDATARANGE_AUDIO): boolean {
  return (
    format.nChannels > 0 &&
    format.nChannels <= range.maximumChannels &&
    format.wBitsPerSample >= range.minimumBitsPerSample &&
    format.wBitsPerSample <= range.maximumBitsPerSample &&
    format.nSamplesPerSec >= range.minimumSampleFrequency &&
    format.nSamplesPerSec <= range.maximumSampleFrequency
  );
}

/** {@link dataFormatMatchesRange}, and for wave formats also the bounds. */
export function dataFormatWithinRange(format: KSDATAFORMAT, range: KSDATARANGE): boolean {
  if (!dataFormatMatchesRange(format, range)) return false;
  const wave = waveFormatOf(format);
  return wave === null || !isAudioDataRange(range) || waveFormatWithinRange(wave, range);
}

/** What two audio ranges have in common, or null. GUIDs are not compared. */
export function intersectAudioBounds(
  a: KSDATARANGE_AUDIO,
  b: KSDATARANGE_AUDIO,
): Pick<
  KSDATARANGE_AUDIO,
  | 'maximumChannels'
  | 'minimumBitsPerSample'
  | 'maximumBitsPerSample'
  | 'minimumSampleFrequency'
  | 'maximumSampleFrequency'
> | null {
  const bounds = {
    maximumChannels: Math.min(a.maximumChannels, b.maximumChannels),
    minimumBitsPerSample: Math.max(a.minimumBitsPerSample, b.minimumBitsPerSample),
    maximumBitsPerSample: Math.min(a.maximumBitsPerSample, b.maximumBitsPerSample),
    minimumSampleFrequency: Math.max(a.minimumSampleFrequency, b.minimumSampleFrequency),
    maximumSampleFrequency: Math.min(a.maximumSampleFrequency, b.maximumSampleFrequency),
  };
  const empty =
    bounds.maximumChannels === 0 ||
    bounds.minimumBitsPerSample > bounds.maximumBitsPerSample ||
    bounds.minimumSampleFrequency > bounds.maximumSampleFrequency;
  return empty ? null : bounds;
}

/**
 * The best plain wave format that both ranges hold: highest frequency and bits, stereo where both allow it (audio docs, "Default Data-
 * Intersection Handlers", where it serves PCM only; float works the same). In the form that the pin's specifier asks for: WAVEFORMATEX or
 * DSOUND. Null when there is none: other types, subtypes or specifiers, or bounds that do not meet.
 */
export function bestAudioIntersection(client: KSDATARANGE, mine: KSDATARANGE): KSDATAFORMAT | null {
  if (!isAudioDataRange(client) || !isAudioDataRange(mine) || !dataRangesMatch(client, mine)) return null;
  const tag = tagOfSubFormat(mine.subFormat);
  if (tag !== WAVE_FORMAT_PCM && tag !== WAVE_FORMAT_IEEE_FLOAT) return null;
  const bounds = intersectAudioBounds(client, mine);
  if (bounds === null) return null;
  const bits = bounds.maximumBitsPerSample & ~7;
  if (bits === 0 || bits < bounds.minimumBitsPerSample) return null;
  const wave = waveFormatEx(tag, bounds.maximumSampleFrequency, Math.min(2, bounds.maximumChannels), bits);
  if (mine.specifier.equals(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX)) return dataFormatOfWave(wave);
  if (mine.specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND)) return dsoundFormatOfWave(wave);
  return null;
}

/** A GUID's WDK name, or its registry form. */
function nameOf(guid: GUID): string {
  return ksGuidName(guid) ?? guid.toString();
}

/** '48000 Hz, 2 channels, 16 bits'; for formats without sound, the GUIDs' names. */
export function describeFormat(format: KSDATAFORMAT): string {
  const wave = waveFormatOf(format);
  if (wave === null) {
    return `${nameOf(format.majorFormat)} / ${nameOf(format.subFormat)} / ${nameOf(format.specifier)}`;
  }
  const text = describeWaveFormat(wave);
  return format.subFormat.equals(subFormatOfWave(wave)) ? text : `${text} (as ${nameOf(format.subFormat)})`;
}

const bounds = (minimum: number, maximum: number) =>
  minimum === maximum ? `${minimum}` : `${minimum}–${maximum}`;

/** '8000–48000 Hz, up to 2 channels, 8–16 bits'; the GUIDs' names for ranges that are no plain PCM. */
export function describeDataRange(range: KSDATARANGE): string {
  if (isAudioDataRange(range)) {
    const channels =
      range.maximumChannels === 0xffffffff
        ? 'any number of channels'
        : `up to ${range.maximumChannels} channels`;
    const text =
      `${bounds(range.minimumSampleFrequency, range.maximumSampleFrequency)} Hz, ${channels}, ` +
      `${bounds(range.minimumBitsPerSample, range.maximumBitsPerSample)} bits`;
    const plain =
      tagOfSubFormat(range.subFormat) === WAVE_FORMAT_PCM &&
      range.specifier.equals(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX);
    return plain ? text : `${text} (${nameOf(range.subFormat)} / ${nameOf(range.specifier)})`;
  }
  const guids = `${nameOf(range.majorFormat)} / ${nameOf(range.subFormat)} / ${nameOf(range.specifier)}`;
  if (!isMusicDataRange(range)) return guids;
  return `${guids}, ${nameOf(range.technology)}, ${range.channels} channels, ${range.notes} notes`;
}
