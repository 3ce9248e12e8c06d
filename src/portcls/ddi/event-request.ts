import type { IUnknown } from '../../com/index.ts';
import type { IRP } from '../../kernel/index.ts';
import type { KSEVENT_ENTRY } from '../../ks/index.ts';
import type { PCEVENT_ITEM } from './descriptors.ts';

/**
 * What a miniport's event handler gets (DDI page PCEVENT_REQUEST). On PCEVENT_VERB_ADD the handler checks the target and
 * passes `eventEntry` to IPortEvents.addEventToEventList; on PCEVENT_VERB_SUPPORT it only succeeds or fails; on
 * PCEVENT_VERB_REMOVE it is told that the entry goes.
 */
export interface PCEVENT_REQUEST {
  /** The miniport's unknown as the adapter passed it to IPort.init. */
  readonly majorTarget: IUnknown;
  /** The stream object when the request went to a pin handle, else null. */
  readonly minorTarget: IUnknown | null;
  /** Node id, 0xFFFFFFFF when no node is addressed. */
  readonly node: number;
  readonly eventItem: PCEVENT_ITEM;
  /** null for PCEVENT_VERB_SUPPORT. */
  readonly eventEntry: KSEVENT_ENTRY | null;
  /** PCEVENT_VERB_* */
  readonly verb: number;
  /** null when an entry is removed because its client's handle is closed. */
  readonly irp: IRP | null;
  /** What the client sent after KSEVENT (or KSE_NODE): e.g. the pin number of KSE_PIN. Empty when nothing follows. */
  readonly instance: Uint8Array;
}
