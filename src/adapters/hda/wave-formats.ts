/** Formats of a host pin as the client sees them: data ranges, intersection, proposals. */
import type { GUID } from '../../com/index.ts';
import { NtError, STATUS_INVALID_PARAMETER, STATUS_NO_MATCH } from '../../kernel/index.ts';
import {
  dataFormatOfWave,
  dataRangesMatch,
  decodeDataFormat,
  defaultChannelMask,
  dsoundFormatOfWave,
  intersectAudioBounds,
  isAudioDataRange,
  type KSDATAFORMAT,
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SUBTYPE_DOLBY_AC3_SPDIF,
  KSDATAFORMAT_SUBTYPE_PCM,
  KSDATAFORMAT_TYPE_AUDIO,
  type KSDATARANGE,
  type KSDATARANGE_AUDIO,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Pin,
  pcmFormat,
  WAVE_FORMAT_DOLBY_AC3_SPDIF,
  waveFormatEx,
} from '../../ks/index.ts';
import {
  type PCPROPERTY_ITEM,
  PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
  PCPROPERTY_ITEM_FLAG_SET,
} from '../../portcls/index.ts';
import { ac3Rates, type ConverterFormats, checkStreamFormat, containerBytes } from './stream-format.ts';

/** Bits that carry sound in a container of so many bits: the most that the converters have. Null when they have none. */
function finestBits(formats: ConverterFormats, containerBits: number): number | null {
  const fitting = formats.bits.filter((bits) => 8 * containerBytes(bits) === containerBits);
  return fitting.length === 0 ? null : Math.max(...fitting);
}

/**
 * A range for each rate and container: ranges with bounds would promise the rates between. Bits are the container's, as in
 * wBitsPerSample. The highest rate and the largest container come first, since clients take the first that will do.
 */
export function dataRanges(formats: ConverterFormats): KSDATARANGE_AUDIO[] {
  const containers = [32, 16, 8].filter((bits) => finestBits(formats, bits) !== null);
  const rates = [...formats.rates].sort((a, b) => b - a);
  return [
    ...rates.flatMap((rate) =>
      containers.map((bits) => rangeOf(KSDATAFORMAT_SUBTYPE_PCM, formats.maximumChannels, bits, rate)),
    ),
    ...ac3Rates(formats).map((rate) => rangeOf(KSDATAFORMAT_SUBTYPE_DOLBY_AC3_SPDIF, 2, 16, rate)),
  ];
}

function rangeOf(subFormat: GUID, channels: number, bits: number, rate: number): KSDATARANGE_AUDIO {
  return {
    flags: 0,
    sampleSize: 0,
    majorFormat: KSDATAFORMAT_TYPE_AUDIO,
    subFormat,
    specifier: KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
    maximumChannels: channels,
    minimumBitsPerSample: bits,
    maximumBitsPerSample: bits,
    minimumSampleFrequency: rate,
    maximumSampleFrequency: rate,
  };
}

/**
 * The best format that a client's range and one of {@link dataRanges} have in common: as many channels and valid bits as both allow. The
 * port's own choice ends at two channels and knows no valid bits.
 *
 * @throws NtError STATUS_NO_MATCH when there is none
 */
export function intersectFormats(
  client: KSDATARANGE,
  mine: KSDATARANGE,
  formats: ConverterFormats,
): KSDATAFORMAT {
  if (!isAudioDataRange(client) || !isAudioDataRange(mine) || !dataRangesMatch(client, mine))
    throw new NtError(STATUS_NO_MATCH);
  const bounds = intersectAudioBounds(client, mine);
  const dsound = mine.specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND);
  if (mine.subFormat.equals(KSDATAFORMAT_SUBTYPE_DOLBY_AC3_SPDIF)) {
    if (bounds === null || bounds.maximumChannels < 2) throw new NtError(STATUS_NO_MATCH);
    const wave = waveFormatEx(WAVE_FORMAT_DOLBY_AC3_SPDIF, mine.maximumSampleFrequency, 2, 16);
    return dsound ? dsoundFormatOfWave(wave) : dataFormatOfWave(wave);
  }
  const bits = finestBits(formats, mine.maximumBitsPerSample);
  if (bounds === null || bits === null) throw new NtError(STATUS_NO_MATCH);
  const channels = bounds.maximumChannels;
  const format = pcmFormat(mine.maximumSampleFrequency, channels, mine.maximumBitsPerSample, {
    ...(bits === mine.maximumBitsPerSample ? {} : { validBits: bits }),
    ...(channels > 2 ? { channelMask: defaultChannelMask(channels) } : {}),
  });
  return dsound ? dsoundFormatOfWave(format.waveFormatEx) : format;
}

/**
 * KSPROPERTY_PIN_PROPOSEDATAFORMAT, for a filter's automation table: would the pin take the format? STATUS_NO_MATCH when not.
 *
 * @param formatsOf what a host pin's converters do; null for pins that are none
 */
export function proposeFormatItem(formatsOf: (pinId: number) => ConverterFormats | null): PCPROPERTY_ITEM {
  return {
    set: KSPROPSETID_Pin,
    id: KSPROPERTY_PIN_PROPOSEDATAFORMAT,
    flags: PCPROPERTY_ITEM_FLAG_SET | PCPROPERTY_ITEM_FLAG_BASICSUPPORT,
    handler: (request) => {
      if (request.verb === KSPROPERTY_TYPE_BASICSUPPORT) {
        request.answerBasicSupport({ accessFlags: KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT });
        return;
      }
      const formats = formatsOf(request.instanceUlong(0));
      if (formats === null) throw new NtError(STATUS_INVALID_PARAMETER);
      const format = decodeDataFormat(request.getBytes());
      try {
        checkStreamFormat(format, formats);
      } catch (error) {
        if (error instanceof NtError) throw new NtError(STATUS_NO_MATCH, error.message);
        throw error;
      }
    },
  };
}
