import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { KSDATARANGE } from '../../ks/index.ts';
import type { PCFILTER_DESCRIPTOR } from './descriptors.ts';

/** What every miniport implements (DDI page IMiniport). */
export interface IMiniport extends IUnknown {
  /** The filter's description; asked once, during IPort.init, and kept. PASSIVE_LEVEL. */
  getDescription(): PCFILTER_DESCRIPTOR;
  /**
   * Picks one format from the intersection of two data ranges (DDI page IMiniport::DataRangeIntersection). PASSIVE_LEVEL.
   *
   * Returns the number of bytes of the resulting KSDATAFORMAT, which it wrote to `resultantFormat`. With
   * `outputBufferLength` 0 it returns the size without writing (the port answers STATUS_BUFFER_OVERFLOW).
   * Throws NtError: STATUS_NO_MATCH when the two do not meet, STATUS_NOT_IMPLEMENTED to have the port's default handler
   * do it, STATUS_BUFFER_TOO_SMALL when the format does not fit.
   */
  dataRangeIntersection(
    pinId: number,
    clientDataRange: KSDATARANGE,
    myDataRange: KSDATARANGE,
    outputBufferLength: number,
    resultantFormat: Uint8Array | null,
  ): number;
}

export const IID_IMiniport = new IID<IMiniport>(
  'IID_IMiniport',
  guid('{B4C90A24-5791-11D0-86F9-00A0C911B544}'),
);
