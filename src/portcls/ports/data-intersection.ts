import type { GUID } from '../../com/index.ts';
import {
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_NO_MATCH,
  STATUS_NOT_IMPLEMENTED,
} from '../../kernel/index.ts';
import {
  decodeDataRanges,
  encodeDataFormat,
  type KSDATAFORMAT,
  KSDATAFORMAT_SPECIFIER_DSOUND,
  KSDATAFORMAT_SPECIFIER_WAVEFORMATEX,
  KSDATAFORMAT_SPECIFIER_WILDCARD,
  KSDATAFORMAT_SUBTYPE_PCM,
  KSDATAFORMAT_TYPE_AUDIO,
  type KSDATARANGE,
  type KSDATARANGE_AUDIO,
  WAVE_FORMAT_PCM,
} from '../../ks/index.ts';
import type { PCPROPERTY_REQUEST } from '../ddi/index.ts';
import type { PortBase } from './port-base.ts';

/**
 * KSPROPERTY_PIN_DATAINTERSECTION: for each range of the client's, in order, for each range of the pin's, in order, asks the
 * miniport (which may defer to the port's default). The first match ends the search; `request.instance` holds PinId,
 * Reserved, then the client's KSMULTIPLE_ITEM with its ranges.
 *
 * Throws STATUS_NO_MATCH when nothing matches, STATUS_BUFFER_OVERFLOW with the size for a zero-length buffer,
 * STATUS_BUFFER_TOO_SMALL when the format does not fit.
 */
export function answerDataIntersection(
  port: PortBase,
  pinId: number,
  pinRanges: readonly KSDATARANGE[],
  request: PCPROPERTY_REQUEST,
): void {
  const clientRanges = decodeDataRanges(request.instance ?? new Uint8Array(0), 8);
  const output = request.value;
  const room = request.valueSize;
  const miniport = port.miniport;
  for (const clientRange of clientRanges) {
    for (const pinRange of pinRanges) {
      let size: number;
      try {
        size = port.callMiniport('DataRangeIntersection', () =>
          miniport.dataRangeIntersection(pinId, clientRange, pinRange, room, room === 0 ? null : output),
        );
      } catch (error) {
        if (!(error instanceof NtError)) throw error;
        if (error.status === STATUS_NO_MATCH) continue;
        if (error.status !== STATUS_NOT_IMPLEMENTED) throw error;
        const format = defaultIntersection(clientRange, pinRange);
        if (format === null) continue;
        request.setBytes(encodeDataFormat(format));
        return;
      }
      request.valueSize = size;
      if (room === 0) throw new NtError(STATUS_BUFFER_OVERFLOW);
      if (size > room) {
        request.valueSize = 0;
        throw new NtError(STATUS_BUFFER_TOO_SMALL);
      }
      return;
    }
  }
  throw new NtError(STATUS_NO_MATCH);
}

function isAudioRange(range: KSDATARANGE): range is KSDATARANGE_AUDIO {
  return 'maximumChannels' in range;
}

function meets(wanted: GUID, mine: GUID): boolean {
  return wanted.equals(mine) || wanted.equals(KSDATAFORMAT_SPECIFIER_WILDCARD);
}

/**
 * The port driver's default handler (default-data-intersection-handlers.md): PCM in KSDATAFORMAT_WAVEFORMATEX or _DSOUND, one
 * or two channels; the highest rate and sample size of the overlap, stereo where both allow it. null when the two do not meet.
 */
export function defaultIntersection(clientRange: KSDATARANGE, pinRange: KSDATARANGE): KSDATAFORMAT | null {
  if (!isAudioRange(pinRange) || !pinRange.majorFormat.equals(KSDATAFORMAT_TYPE_AUDIO)) return null;
  if (!pinRange.subFormat.equals(KSDATAFORMAT_SUBTYPE_PCM)) return null;
  const dsound = pinRange.specifier.equals(KSDATAFORMAT_SPECIFIER_DSOUND);
  if (!dsound && !pinRange.specifier.equals(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX)) return null;
  if (
    !meets(clientRange.majorFormat, pinRange.majorFormat) ||
    !meets(clientRange.subFormat, pinRange.subFormat) ||
    !meets(clientRange.specifier, pinRange.specifier)
  ) {
    return null;
  }
  // A wild-card range of plain KSDATARANGE size says nothing of channels, bits or rates: anything will do.
  const client = isAudioRange(clientRange) ? clientRange : pinRange;
  const channels = Math.min(client.maximumChannels, pinRange.maximumChannels, 2);
  const bits = Math.min(client.maximumBitsPerSample, pinRange.maximumBitsPerSample);
  const rate = Math.min(client.maximumSampleFrequency, pinRange.maximumSampleFrequency);
  if (
    channels < 1 ||
    bits < Math.max(client.minimumBitsPerSample, pinRange.minimumBitsPerSample) ||
    rate < Math.max(client.minimumSampleFrequency, pinRange.minimumSampleFrequency) ||
    bits < 1 ||
    rate < 1
  ) {
    return null;
  }
  const blockAlign = channels * Math.ceil(bits / 8);
  return pcmFormat(dsound, channels, bits, rate, blockAlign);
}

function pcmFormat(
  dsound: boolean,
  channels: number,
  bits: number,
  rate: number,
  blockAlign: number,
): KSDATAFORMAT {
  const waveFormatEx = {
    wFormatTag: WAVE_FORMAT_PCM,
    nChannels: channels,
    nSamplesPerSec: rate,
    nAvgBytesPerSec: rate * blockAlign,
    nBlockAlign: blockAlign,
    wBitsPerSample: bits,
    cbSize: 0,
  };
  const common = {
    flags: 0,
    sampleSize: blockAlign,
    majorFormat: KSDATAFORMAT_TYPE_AUDIO,
    subFormat: KSDATAFORMAT_SUBTYPE_PCM,
  };
  return dsound
    ? {
        ...common,
        formatSize: 0,
        specifier: KSDATAFORMAT_SPECIFIER_DSOUND,
        bufferDesc: { flags: 0, control: 0, waveFormatEx },
      }
    : { ...common, formatSize: 0, specifier: KSDATAFORMAT_SPECIFIER_WAVEFORMATEX, waveFormatEx };
}
