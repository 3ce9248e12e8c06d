import { NtError, STATUS_INVALID_DEVICE_REQUEST, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import {
  KSEVENT_CONNECTION_ENDOFSTREAM,
  type KSEVENT_ENTRY,
  type KSEVENT_ITEM,
  KSEVENT_LOOPEDSTREAMING_POSITION,
  type KSEVENT_SET,
  KSEVENTDATA,
  KSEVENTSETID_Connection,
  KSEVENTSETID_LoopedStreaming,
  ksGenerateEvent,
  LOOPEDSTREAMING_POSITION_EVENT_DATA,
} from '../../ks/index.ts';
import type { PortPin } from './port-handle.ts';

/** Events on a stream's positions, enabled on its pin. */
export interface MarkedPin extends PortPin {
  readonly marks: StreamMarks;
  readonly looped: boolean;
}

/** A position in a looped buffer that a client waits for. */
interface LoopMark {
  readonly entry: KSEVENT_ENTRY;
  readonly position: number;
}

/** What clients of one pin want to be told of: positions in the looped buffer, the end of the stream. */
export class StreamMarks {
  readonly #loopMarks = new Set<LoopMark>();
  readonly #endEntries = new Set<KSEVENT_ENTRY>();
  #lastBytes = 0;

  /** Is anybody waiting for a position? */
  get any(): boolean {
    return this.#loopMarks.size > 0;
  }

  addLoopMark(entry: KSEVENT_ENTRY, position: number): void {
    this.#loopMarks.add({ entry, position });
  }

  addEnd(entry: KSEVENT_ENTRY): void {
    this.#endEntries.add(entry);
  }

  remove(entry: KSEVENT_ENTRY): void {
    this.#endEntries.delete(entry);
    for (const mark of this.#loopMarks) if (mark.entry === entry) this.#loopMarks.delete(mark);
  }

  /** The stream has stopped: positions count anew. */
  reset(): void {
    this.#lastBytes = 0;
  }

  /** The converter has come to `bytes` since the loop's start: signals the marks on the way. Up to DISPATCH_LEVEL. */
  passTo(bytes: number, loopBytes: number): void {
    const from = this.#lastBytes;
    this.#lastBytes = bytes;
    if (loopBytes <= 0 || bytes <= from) return;
    for (const { entry, position } of this.#loopMarks) {
      if (position >= loopBytes) continue;
      // The first time at or behind the old position that the mark comes round; the mark's own byte is reached at `first`.
      const first = position + Math.max(0, Math.ceil((from + 1 - position) / loopBytes)) * loopBytes;
      if (first <= bytes) ksGenerateEvent(entry);
    }
  }

  /** The converter has come to the end that a client marked. Up to DISPATCH_LEVEL. */
  signalEnd(): void {
    for (const entry of this.#endEntries) ksGenerateEvent(entry);
  }
}

function pinOf(entry: KSEVENT_ENTRY, isMarked: (pin: unknown) => pin is MarkedPin): MarkedPin {
  const pin = entry.fileObject.fsContext;
  if (isMarked(pin)) return pin;
  throw new NtError(STATUS_INVALID_DEVICE_REQUEST, 'the event is one of stream pins');
}

/**
 * KSEVENT_LOOPEDSTREAMING_POSITION and KSEVENT_CONNECTION_ENDOFSTREAM for the pins of a port. The first is what the WaveCyclic and
 * WavePci ports had until Windows Vista (ksevent-loopedstreaming-position.md); on a pin that does not loop it is refused.
 */
export function streamMarkEvents(isMarked: (pin: unknown) => pin is MarkedPin): readonly KSEVENT_SET[] {
  const item = (
    eventId: number,
    dataInput: number,
    add: (pin: MarkedPin, entry: KSEVENT_ENTRY, eventData: Uint8Array) => void,
  ): KSEVENT_ITEM => ({
    eventId,
    dataInput,
    addHandler: (_irp, eventData, entry) => {
      const pin = pinOf(entry, isMarked);
      add(pin, entry, eventData);
      pin.port.eventList.add(entry);
      return undefined;
    },
    removeHandler: (fileObject, entry) => {
      const pin = fileObject.fsContext;
      if (isMarked(pin)) pin.marks.remove(entry);
    },
  });
  return [
    {
      set: KSEVENTSETID_LoopedStreaming,
      eventItem: [
        item(
          KSEVENT_LOOPEDSTREAMING_POSITION,
          LOOPEDSTREAMING_POSITION_EVENT_DATA.size,
          (pin, entry, eventData) => {
            if (!pin.looped) throw new NtError(STATUS_INVALID_PARAMETER, 'the pin does not loop');
            pin.marks.addLoopMark(entry, LOOPEDSTREAMING_POSITION_EVENT_DATA.decode(eventData).position);
          },
        ),
      ],
    },
    {
      set: KSEVENTSETID_Connection,
      eventItem: [
        item(KSEVENT_CONNECTION_ENDOFSTREAM, KSEVENTDATA.size, (pin, entry) => pin.marks.addEnd(entry)),
      ],
    },
  ];
}
