import {
  isWaveFormat,
  type KSDATAFORMAT,
  KSDATAFORMAT_SPECIFIER_WILDCARD,
  type KSDATARANGE,
  type KSDATARANGE_AUDIO,
} from '../../ks/index.ts';

function isAudioRange(range: KSDATARANGE): range is KSDATARANGE_AUDIO {
  return 'maximumChannels' in range;
}

/**
 * Does a data range hold the format? Types must be equal (or wild cards), and for wave formats channels, sample size and rate
 * must lie inside; what a range without audio limits says of those is nothing.
 */
export function matchesDataRange(format: KSDATAFORMAT, range: KSDATARANGE): boolean {
  const same = (mine: KSDATARANGE['specifier'], theirs: KSDATARANGE['specifier']) =>
    mine.equals(theirs) || mine.equals(KSDATAFORMAT_SPECIFIER_WILDCARD);
  if (
    !same(range.majorFormat, format.majorFormat) ||
    !same(range.subFormat, format.subFormat) ||
    !same(range.specifier, format.specifier)
  ) {
    return false;
  }
  if (!isAudioRange(range) || !isWaveFormat(format)) return true;
  const wave = 'bufferDesc' in format ? format.bufferDesc.waveFormatEx : format.waveFormatEx;
  return (
    wave.nChannels >= 1 &&
    wave.nChannels <= range.maximumChannels &&
    wave.wBitsPerSample >= range.minimumBitsPerSample &&
    wave.wBitsPerSample <= range.maximumBitsPerSample &&
    wave.nSamplesPerSec >= range.minimumSampleFrequency &&
    wave.nSamplesPerSec <= range.maximumSampleFrequency
  );
}
