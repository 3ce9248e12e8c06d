import {
  type IRP,
  keQueryPerformanceCounter,
  type NTSTATUS,
  NtError,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
  STATUS_OBJECT_NAME_NOT_FOUND,
} from '../../kernel/index.ts';
import {
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_PROPERTY,
  KSCORRELATED_TIME,
  KSEVENT_CLOCK_INTERVAL_MARK,
  KSEVENT_CLOCK_POSITION_MARK,
  type KSEVENT_ENTRY,
  type KSEVENT_ITEM,
  KSEVENT_TIME_INTERVAL,
  KSEVENT_TIME_MARK,
  KSEVENTSETID_Clock,
  KSPROPERTY_CLOCK_CORRELATEDPHYSICALTIME,
  KSPROPERTY_CLOCK_CORRELATEDTIME,
  KSPROPERTY_CLOCK_PHYSICALTIME,
  KSPROPERTY_CLOCK_RESOLUTION,
  KSPROPERTY_CLOCK_STATE,
  KSPROPERTY_CLOCK_TIME,
  type KSPROPERTY_ITEM,
  KSPROPSETID_Clock,
  KSRESOLUTION,
  KSSTRING_Clock,
  KsEventList,
  KsEventTable,
  KsPropertyTable,
  type KsRequest,
  ksAddEvent,
  ksDisableEvent,
  ksEnableEvent,
  ksFreeEventList,
  ksGenerateEvent,
  ksPropertyHandler,
} from '../../ks/index.ts';
import { PinObject, type PinObjectCreate } from './port-handle.ts';
import type { StreamPin } from './stream-pin.ts';
import { writeUlonglong } from './value-bytes.ts';

/** A pin whose stream tells the time. */
export interface ClockedPin extends StreamPin {
  /** 100-ns units: of the client's data at the converter, or (`physical`) of all that the converter has passed. Up to DISPATCH_LEVEL. */
  clockTime(physical: boolean): number;
  /** 100-ns units between two steps of the clock. */
  readonly clockGranularity: number;
}

/** When an enabled event is due next. */
interface Due {
  time: number;
  /** 0: once. */
  readonly interval: number;
}

const LONGLONG_BYTES = 8;

/**
 * The clock of a stream (KSPROPSETID_Clock, KSEVENTSETID_Clock): what a client opens under a pin by KsCreateClock. Its time is that of
 * the sample at the converter, and stands still with it; its events are checked at the device's notifications.
 */
class PinClock extends PinObject {
  readonly #pin: ClockedPin;
  readonly #events = new KsEventList();
  readonly #due = new Map<KSEVENT_ENTRY, Due>();
  readonly #properties: KsPropertyTable;
  readonly #eventTable: KsEventTable;

  constructor(pin: ClockedPin, create: PinObjectCreate) {
    super(pin, create);
    this.#pin = pin;
    this.#properties = this.#propertyTable();
    this.#eventTable = this.#makeEventTable();
  }

  override deviceControl(ioControlCode: number, irp: IRP): NTSTATUS {
    if (ioControlCode === IOCTL_KS_DISABLE_EVENT) return ksDisableEvent(irp, this.#events);
    if (!this.#pin.present) return STATUS_DEVICE_REMOVED;
    if (this.#pin.stream === null) return STATUS_INVALID_DEVICE_STATE;
    switch (ioControlCode) {
      case IOCTL_KS_PROPERTY:
        return ksPropertyHandler(irp, this.#properties);
      case IOCTL_KS_ENABLE_EVENT:
        return ksEnableEvent(irp, this.#eventTable, { eventsList: this.#events });
      default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
  }

  override tick(): void {
    if (this.#due.size === 0) return;
    const time = this.#pin.clockTime(false);
    for (const [entry, due] of this.#due) {
      if (due.time > time) continue;
      if (due.interval > 0) due.time += (Math.floor((time - due.time) / due.interval) + 1) * due.interval;
      else due.time = Number.POSITIVE_INFINITY;
      ksGenerateEvent(entry);
    }
  }

  override cleanup(): void {
    ksFreeEventList(this.fileObject, this.#events);
  }

  #propertyTable(): KsPropertyTable {
    const item = (
      propertyId: number,
      minData: number,
      get: (request: KsRequest) => Uint8Array,
    ): KSPROPERTY_ITEM => ({
      propertyId,
      minProperty: 24,
      minData,
      getPropertyHandler: (request) => request.answer(get(request)),
      setPropertyHandler: null,
    });
    const time = (physical: boolean) => {
      const bytes = new Uint8Array(LONGLONG_BYTES);
      writeUlonglong(bytes, 0, this.#pin.clockTime(physical));
      return bytes;
    };
    const correlated = (physical: boolean) =>
      KSCORRELATED_TIME.encode({
        time: this.#pin.clockTime(physical),
        systemTime: keQueryPerformanceCounter().counter,
      });
    const state = () => new Uint8Array([this.#pin.state, 0, 0, 0]);
    const granularity = () => this.#pin.clockGranularity;
    return new KsPropertyTable([
      {
        set: KSPROPSETID_Clock,
        propertyItem: [
          item(KSPROPERTY_CLOCK_TIME, LONGLONG_BYTES, () => time(false)),
          item(KSPROPERTY_CLOCK_PHYSICALTIME, LONGLONG_BYTES, () => time(true)),
          item(KSPROPERTY_CLOCK_CORRELATEDTIME, KSCORRELATED_TIME.size, () => correlated(false)),
          item(KSPROPERTY_CLOCK_CORRELATEDPHYSICALTIME, KSCORRELATED_TIME.size, () => correlated(true)),
          item(KSPROPERTY_CLOCK_RESOLUTION, KSRESOLUTION.size, () =>
            KSRESOLUTION.encode({ granularity: granularity(), error: granularity() }),
          ),
          item(KSPROPERTY_CLOCK_STATE, 4, state),
        ],
      },
    ]);
  }

  #makeEventTable(): KsEventTable {
    const item = (eventId: number, dataInput: number, due: (eventData: Uint8Array) => Due): KSEVENT_ITEM => ({
      eventId,
      dataInput,
      addHandler: (_irp, eventData, entry) => {
        this.#due.set(entry, due(eventData));
        ksAddEvent(this.#events, entry);
        return undefined;
      },
      removeHandler: (_fileObject, entry) => {
        this.#due.delete(entry);
      },
    });
    return new KsEventTable([
      {
        set: KSEVENTSETID_Clock,
        eventItem: [
          item(KSEVENT_CLOCK_POSITION_MARK, KSEVENT_TIME_MARK.size, (eventData) => ({
            time: KSEVENT_TIME_MARK.decode(eventData).markTime,
            interval: 0,
          })),
          item(KSEVENT_CLOCK_INTERVAL_MARK, KSEVENT_TIME_INTERVAL.size, (eventData) => {
            const { timeBase, interval } = KSEVENT_TIME_INTERVAL.decode(eventData);
            if (!(interval > 0)) throw new NtError(STATUS_INVALID_PARAMETER, `an interval of ${interval}`);
            return { time: timeBase, interval };
          }),
        ],
      },
    ]);
  }
}

/** The clock under a pin; throws STATUS_OBJECT_NAME_NOT_FOUND for a create request that means something else. PASSIVE_LEVEL. */
export function createPinClock(pin: ClockedPin, create: PinObjectCreate): PinObject {
  if (create.objectClass !== KSSTRING_Clock) {
    throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, 'pins have clocks under them, nothing else');
  }
  return new PinClock(pin, create);
}
