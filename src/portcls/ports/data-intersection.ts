import {
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_NO_MATCH,
  STATUS_NOT_IMPLEMENTED,
} from '../../kernel/index.ts';
import {
  bestAudioIntersection,
  decodeDataRanges,
  encodeDataFormat,
  type KSDATAFORMAT,
  KSDATAFORMAT_SUBTYPE_PCM,
  type KSDATARANGE,
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

/**
 * The port driver's default handler (default-data-intersection-handlers.md): plain PCM in KSDATAFORMAT_WAVEFORMATEX or _DSOUND,
 * one or two channels; the highest rate and sample size of the overlap, stereo where both allow it. null when the two do not
 * meet.
 */
export function defaultIntersection(clientRange: KSDATARANGE, pinRange: KSDATARANGE): KSDATAFORMAT | null {
  if (!pinRange.subFormat.equals(KSDATAFORMAT_SUBTYPE_PCM)) return null;
  return bestAudioIntersection(clientRange, pinRange);
}
