import {
  type NTSTATUS,
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_NO_MATCH,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import { decodeDataRanges, type KSDATARANGE } from './data-range.ts';
import { dataRangesMatch } from './matching.ts';
import type { KsRequest } from './request.ts';

/**
 * Looks for a format that a client's range and one of the pin's have in common, and writes it to `data` (null: only the size is asked). Returns the
 * bytes written, or those that it takes; a size beyond `room` counts as too small a buffer. Throws NtError STATUS_NO_MATCH to go on with the next pair;
 * any other failure ends the search.
 */
export type IntersectHandler = (
  pinId: number,
  clientRange: KSDATARANGE,
  pinRange: KSDATARANGE,
  room: number,
  data: Uint8Array | null,
) => number;

/** KSP_PIN, in front of the client's ranges. */
const KSP_PIN_SIZE = 32;

/**
 * KsPinDataIntersection: answers KSPROPERTY_PIN_DATAINTERSECTION. For each of the client's ranges, in order, and each of the pin's, in order, whose types
 * match ({@link dataRangesMatch}), the handler is asked; the first match ends the search.
 *
 * Throws NtError STATUS_NO_MATCH when there is none, STATUS_BUFFER_OVERFLOW with the size in Information for a zero-length buffer, STATUS_BUFFER_TOO_SMALL
 * when the format does not fit, and what {@link decodeDataRanges} says of a damaged list.
 */
export function ksPinDataIntersection(
  request: KsRequest,
  pinId: number,
  pinRanges: readonly KSDATARANGE[],
  handler: IntersectHandler,
): NTSTATUS {
  const clientRanges = decodeDataRanges(request.input, KSP_PIN_SIZE);
  const { data, dataLength, irp } = request;
  for (const clientRange of clientRanges) {
    for (const pinRange of pinRanges) {
      if (!dataRangesMatch(clientRange, pinRange)) continue;
      const size = intersect(handler, pinId, clientRange, pinRange, dataLength, data);
      if (size === null) continue;
      if (data === null) {
        irp.ioStatus.information = size;
        throw new NtError(STATUS_BUFFER_OVERFLOW);
      }
      if (size > dataLength) throw new NtError(STATUS_BUFFER_TOO_SMALL);
      irp.ioStatus.information = size;
      return STATUS_SUCCESS;
    }
  }
  throw new NtError(STATUS_NO_MATCH);
}

function intersect(
  handler: IntersectHandler,
  pinId: number,
  clientRange: KSDATARANGE,
  pinRange: KSDATARANGE,
  room: number,
  data: Uint8Array | null,
): number | null {
  try {
    return handler(pinId, clientRange, pinRange, room, data);
  } catch (error) {
    if (error instanceof NtError && error.status === STATUS_NO_MATCH) return null;
    throw error;
  }
}
