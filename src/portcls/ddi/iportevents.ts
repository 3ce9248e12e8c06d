import { type GUID, guid, IID, type IUnknown } from '../../com/index.ts';
import type { KSEVENT_ENTRY } from '../../ks/index.ts';

/** From every port by queryInterface: hardware events towards clients (DDI page IPortEvents). */
export interface IPortEvents extends IUnknown {
  /** Adds a client's event to the port's list; from the event handler's PCEVENT_VERB_ADD. PASSIVE_LEVEL. */
  addEventToEventList(eventEntry: KSEVENT_ENTRY): void;
  /**
   * Signals the entries with this id that match. `set` null matches every set; without `pinEvent` every pin (and none), without
   * `nodeEvent` every node matches. Any IRQL; above DISPATCH_LEVEL one DPC does it with the arguments of the last call,
   * so that a burst may collapse into one.
   */
  generateEventList(
    set: GUID | null,
    eventId: number,
    pinEvent: boolean,
    pinId: number,
    nodeEvent: boolean,
    nodeId: number,
  ): void;
}

export const IID_IPortEvents = new IID<IPortEvents>(
  'IID_IPortEvents',
  guid('{A80F29C4-5498-11D2-95D9-00C04FB925D3}'),
);
