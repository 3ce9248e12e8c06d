import { NtError, STATUS_INVALID_PARAMETER, STATUS_SUCCESS } from '../kernel/index.ts';
import { isKsState, type KSSTATE } from './constants.ts';
import { decodeDataFormat, encodeDataFormat, type KSDATAFORMAT, KSDATAFORMAT_SIZE } from './data-format.ts';
import { KSPROPSETID_Connection } from './guids/sets.ts';
import {
  KSPROPERTY_CONNECTION_ACQUIREORDERING,
  KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
  KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_PRIORITY,
  KSPROPERTY_CONNECTION_PROPOSEDATAFORMAT,
  KSPROPERTY_CONNECTION_STARTAT,
  KSPROPERTY_CONNECTION_STATE,
} from './property-ids.ts';
import type { KSPROPERTY_ITEM, KSPROPERTY_SET } from './property-item.ts';
import { KSIDENTIFIER_SIZE, type KsRequest, readUlong } from './request.ts';
import { KSALLOCATOR_FRAMING, KSALLOCATOR_FRAMING_EX, KSPRIORITY, KSRELATIVEEVENT } from './structs.ts';

/** What a pin answers KSPROPSETID_Connection with. An absent hook makes its access (or its property) unknown. Every hook may throw NtError. */
export interface ConnectionSetHooks {
  readonly getState?: (request: KsRequest) => KSSTATE;
  /** The target is a KSSTATE; stepping there is the pin's business. */
  readonly setState?: (state: KSSTATE, request: KsRequest) => void;
  readonly getDataFormat?: (request: KsRequest) => KSDATAFORMAT;
  readonly setDataFormat?: (format: KSDATAFORMAT, request: KsRequest) => void;
  /** Refuses a format that the pin could not be set to, by throwing; changes nothing. */
  readonly proposeDataFormat?: (format: KSDATAFORMAT, request: KsRequest) => void;
  readonly getPriority?: (request: KsRequest) => KSPRIORITY;
  readonly setPriority?: (priority: KSPRIORITY, request: KsRequest) => void;
  readonly getAllocatorFraming?: (request: KsRequest) => KSALLOCATOR_FRAMING;
  readonly getAllocatorFramingEx?: (request: KsRequest) => KSALLOCATOR_FRAMING_EX;
  /** Does the order of STOP→ACQUIRE changes matter to this pin? */
  readonly getAcquireOrdering?: (request: KsRequest) => boolean;
  /** Goes from PAUSE to RUN when that event happens. */
  readonly startAt?: (event: KSRELATIVEEVENT, request: KsRequest) => void;
}

/** KSPROPSETID_Connection for a pin, ready for a property table. */
export function connectionPropertySet(hooks: ConnectionSetHooks): KSPROPERTY_SET {
  const items: KSPROPERTY_ITEM[] = [];
  const add = (
    propertyId: number,
    minData: number,
    get: ((request: KsRequest) => Uint8Array) | null,
    set: ((request: KsRequest) => void) | null,
  ) => {
    if (get === null && set === null) return;
    items.push({
      propertyId,
      minProperty: KSIDENTIFIER_SIZE,
      minData,
      getPropertyHandler: get === null ? null : (request) => request.answer(get(request)),
      setPropertyHandler:
        set === null
          ? null
          : (request) => {
              set(request);
              return STATUS_SUCCESS;
            },
    });
  };
  const { getState, setState, getDataFormat, setDataFormat, proposeDataFormat, getPriority, setPriority } =
    hooks;
  const { getAllocatorFraming, getAllocatorFramingEx, getAcquireOrdering, startAt } = hooks;
  add(
    KSPROPERTY_CONNECTION_STATE,
    4,
    getState === undefined ? null : (request) => ulongBytes(getState(request)),
    setState === undefined ? null : (request) => setState(stateOf(request), request),
  );
  add(
    KSPROPERTY_CONNECTION_DATAFORMAT,
    0,
    getDataFormat === undefined ? null : (request) => encodeDataFormat(getDataFormat(request)),
    setDataFormat === undefined
      ? null
      : (request) => setDataFormat(decodeDataFormat(request.value(KSDATAFORMAT_SIZE)), request),
  );
  add(
    KSPROPERTY_CONNECTION_PROPOSEDATAFORMAT,
    KSDATAFORMAT_SIZE,
    null,
    proposeDataFormat === undefined
      ? null
      : (request) => proposeDataFormat(decodeDataFormat(request.value()), request),
  );
  add(
    KSPROPERTY_CONNECTION_PRIORITY,
    KSPRIORITY.size,
    getPriority === undefined ? null : (request) => KSPRIORITY.encode(getPriority(request)),
    setPriority === undefined ? null : (request) => setPriority(KSPRIORITY.decode(request.value()), request),
  );
  add(
    KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
    KSALLOCATOR_FRAMING.size,
    getAllocatorFraming === undefined
      ? null
      : (request) => KSALLOCATOR_FRAMING.encode(getAllocatorFraming(request)),
    null,
  );
  add(
    KSPROPERTY_CONNECTION_ALLOCATORFRAMING_EX,
    0,
    getAllocatorFramingEx === undefined
      ? null
      : (request) => KSALLOCATOR_FRAMING_EX.encode(getAllocatorFramingEx(request)),
    null,
  );
  add(
    KSPROPERTY_CONNECTION_ACQUIREORDERING,
    4,
    getAcquireOrdering === undefined ? null : (request) => ulongBytes(getAcquireOrdering(request) ? 1 : 0),
    null,
  );
  add(
    KSPROPERTY_CONNECTION_STARTAT,
    KSRELATIVEEVENT.size,
    null,
    startAt === undefined ? null : (request) => startAt(KSRELATIVEEVENT.decode(request.value()), request),
  );
  return { set: KSPROPSETID_Connection, propertyItem: items };
}

function ulongBytes(value: number): Uint8Array {
  return new Uint8Array([value, value >>> 8, value >>> 16, value >>> 24]);
}

function stateOf(request: KsRequest): KSSTATE {
  const state = readUlong(request.value(4), 0);
  if (!isKsState(state)) throw new NtError(STATUS_INVALID_PARAMETER, `KSSTATE ${state}`);
  return state;
}
