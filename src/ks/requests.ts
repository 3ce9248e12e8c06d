/**
 * The client's side of KS: requests as functions that take and return values. Layouts, size queries and statuses are their business; a failure is an
 * NtError with the driver's status.
 */
import { GUID } from '../com/index.ts';
import {
  type NTSTATUS,
  NtError,
  ntSuccess,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_PROPSET_NOT_FOUND,
} from '../kernel/index.ts';
import { encodeAttributes, signalProcessingModeAttribute } from './attributes.ts';
import {
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_METHOD,
  IOCTL_KS_PROPERTY,
  KSEVENT_TYPE_BASICSUPPORT,
  KSEVENT_TYPE_ENABLE,
  KSEVENT_TYPE_ONESHOT,
  KSEVENTF_EVENT_HANDLE,
  KSMETHOD_TYPE_SEND,
  type KSPIN_COMMUNICATION,
  type KSPIN_DATAFLOW,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_DEFAULTVALUES,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_RELATIONS,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_SETSUPPORT,
  KSPROPERTY_TYPE_TOPOLOGY,
  type KSSTATE,
  KSSTRING_Allocator,
  KSSTRING_Clock,
  KSSTRING_TopologyNode,
} from './constants.ts';
import { decodeDataFormat, encodeDataFormat, type KSDATAFORMAT } from './data-format.ts';
import { decodeDataRanges, encodeDataRanges, type KSDATARANGE } from './data-range.ts';
import { KSPROPSETID_Connection, KSPROPSETID_Pin, KSPROPSETID_Topology } from './guids/sets.ts';
import { viewOf } from './layout.ts';
import {
  decodeGuids,
  decodeIdentifiers,
  decodePhysicalConnection,
  decodeTopologyConnections,
  decodeWideString,
  type KSPIN_PHYSICALCONNECTION,
} from './multiple-item.ts';
import { createRequestName, type KSPIN_CONNECT, pinCreateName } from './pin-connect.ts';
import { decodePropertyDescription, type PropertySupport } from './property-description.ts';
import {
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_PIN_CATEGORY,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_COMMUNICATION,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_DATAFLOW,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_DATARANGES,
  KSPROPERTY_PIN_INTERFACES,
  KSPROPERTY_PIN_MEDIUMS,
  KSPROPERTY_PIN_NAME,
  KSPROPERTY_PIN_PHYSICALCONNECTION,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT,
  KSPROPERTY_PIN_PROPOSEDATAFORMAT2,
  KSPROPERTY_TOPOLOGY_CATEGORIES,
  KSPROPERTY_TOPOLOGY_CONNECTIONS,
  KSPROPERTY_TOPOLOGY_NAME,
  KSPROPERTY_TOPOLOGY_NODES,
} from './property-ids.ts';
import { readUlong, writeUlong } from './request.ts';
import {
  KSALLOCATOR_FRAMING,
  KSCLOCK_CREATE,
  KSEVENTDATA,
  type KSIDENTIFIER,
  KSNODE_CREATE,
  KSPIN_CINSTANCES,
  type KSTOPOLOGY_CONNECTION,
} from './structs.ts';

/** What requests need of a process; a {@link UserProcess} is one. */
export interface KsClient {
  deviceIoControl(
    handle: number,
    ioControlCode: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
  ): { readonly status: NTSTATUS; readonly information: number };
  createFile(path: string, rootHandle?: number | null): number;
}

/** Whom a request on a filter or pin handle is for, beyond the handle, and what follows the head of the request. */
export interface KsTarget {
  /** A node: KSNODEPROPERTY, with the topology bit. */
  readonly node?: number;
  /** A pin factory: KSP_PIN. Not together with a node. */
  readonly pin?: number;
  /** A node's channel, or −1 for all: KSNODEPROPERTY_AUDIO_CHANNEL. */
  readonly channel?: number;
  /** Bytes of the property's own behind all that. */
  readonly instance?: Uint8Array;
}

/** The bytes of a request: KSIDENTIFIER and what the target adds. */
export function encodeKsRequest(set: GUID, id: number, verb: number, target: KsTarget = {}): Uint8Array {
  const { node, pin, channel, instance } = target;
  const words: number[] = [];
  if (node !== undefined) words.push(node, 0);
  else if (pin !== undefined) words.push(pin, 0);
  if (channel !== undefined) words.push(channel, 0);
  const head = 24 + words.length * 4;
  const bytes = new Uint8Array(head + (instance?.byteLength ?? 0));
  writeUlong(bytes, 0, set.w0);
  writeUlong(bytes, 4, set.w1);
  writeUlong(bytes, 8, set.w2);
  writeUlong(bytes, 12, set.w3);
  writeUlong(bytes, 16, id);
  writeUlong(bytes, 20, node === undefined ? verb : verb | KSPROPERTY_TYPE_TOPOLOGY);
  words.forEach((word, index) => {
    writeUlong(bytes, 24 + index * 4, word);
  });
  if (instance !== undefined) bytes.set(instance, head);
  return bytes;
}

/** A value that grows between size query and request is asked again, this often. */
const SIZE_QUERY_TRIES = 4;

/** Sends a request whose answer may have any size: asks for the size, then for the answer. */
function query(client: KsClient, handle: number, code: number, input: Uint8Array): Uint8Array {
  let room = 0;
  for (let tries = 0; tries < SIZE_QUERY_TRIES; tries++) {
    const output = room === 0 ? null : new Uint8Array(room);
    const { status, information } = client.deviceIoControl(handle, code, input, output);
    if (ntSuccess(status))
      return output === null ? new Uint8Array(0) : output.subarray(0, Math.min(information, room));
    const tooSmall = status === STATUS_BUFFER_OVERFLOW || status === STATUS_BUFFER_TOO_SMALL;
    if (!tooSmall || (information <= room && status === STATUS_BUFFER_OVERFLOW)) throw new NtError(status);
    // A driver that says no more than "too small" is asked again with twice the room.
    room = information > room ? information : Math.max(256, room * 2);
  }
  throw new NtError(STATUS_BUFFER_TOO_SMALL, 'the size of the value changes with every request');
}

function send(
  client: KsClient,
  handle: number,
  code: number,
  input: Uint8Array | null,
  output: Uint8Array | null,
): number {
  const { status, information } = client.deviceIoControl(handle, code, input, output);
  if (!ntSuccess(status)) throw new NtError(status);
  return information;
}

/** Reads a property; with `size` in one request, else after asking for the size. */
export function ksGetProperty(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  target: KsTarget = {},
  size?: number,
): Uint8Array {
  const input = encodeKsRequest(set, id, KSPROPERTY_TYPE_GET, target);
  if (size === undefined) return query(client, handle, IOCTL_KS_PROPERTY, input);
  const output = new Uint8Array(size);
  const information = send(client, handle, IOCTL_KS_PROPERTY, input, output);
  return output.subarray(0, Math.min(information, size));
}

/** A property whose value is a ULONG. Throws STATUS_BUFFER_TOO_SMALL for a driver that answers with less. */
export function ksGetUlong(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  target: KsTarget = {},
): number {
  return ulongOf(ksGetProperty(client, handle, set, id, target, 4));
}

function ulongOf(bytes: Uint8Array): number {
  if (bytes.byteLength < 4)
    throw new NtError(STATUS_BUFFER_TOO_SMALL, `a ULONG in ${bytes.byteLength} bytes`);
  return readUlong(bytes, 0);
}

/** A property whose value is a LONG (BOOL, volume …). */
export function ksGetLong(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  target: KsTarget = {},
): number {
  return ksGetUlong(client, handle, set, id, target) | 0;
}

/** Sets a property. */
export function ksSetProperty(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  value: Uint8Array,
  target: KsTarget = {},
): void {
  send(client, handle, IOCTL_KS_PROPERTY, encodeKsRequest(set, id, KSPROPERTY_TYPE_SET, target), value);
}

/** Sets a property whose value is a LONG or ULONG. */
export function ksSetLong(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  value: number,
  target: KsTarget = {},
): void {
  const bytes = new Uint8Array(4);
  writeUlong(bytes, 0, value);
  ksSetProperty(client, handle, set, id, bytes, target);
}

/** Is the status one with which drivers say that they do not know an item? */
function isUnknown(status: NTSTATUS): boolean {
  return (
    status === STATUS_NOT_FOUND ||
    status === STATUS_PROPSET_NOT_FOUND ||
    status === STATUS_NOT_SUPPORTED ||
    status === STATUS_INVALID_DEVICE_REQUEST
  );
}

/** What a property says of itself (basic support): as much as the driver tells; null when it does not know the property. */
export function ksBasicSupport(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  target: KsTarget = {},
): PropertySupport | null {
  return describe(client, handle, encodeKsRequest(set, id, KSPROPERTY_TYPE_BASICSUPPORT, target));
}

/** The property's default values; null when it has none. */
export function ksDefaultValues(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  target: KsTarget = {},
): PropertySupport | null {
  return describe(client, handle, encodeKsRequest(set, id, KSPROPERTY_TYPE_DEFAULTVALUES, target));
}

function describe(client: KsClient, handle: number, input: Uint8Array): PropertySupport | null {
  const head = new Uint8Array(40);
  const first = client.deviceIoControl(handle, IOCTL_KS_PROPERTY, input, head);
  if (!ntSuccess(first.status)) {
    if (isUnknown(first.status)) return null;
    // Some drivers know the ULONG form only.
    const flags = new Uint8Array(4);
    const { status } = client.deviceIoControl(handle, IOCTL_KS_PROPERTY, input, flags);
    if (!ntSuccess(status)) throw new NtError(first.status);
    return decodePropertyDescription(flags);
  }
  if (first.information < 40)
    return decodePropertyDescription(head.subarray(0, Math.max(4, first.information)));
  const whole = viewOf(head).getUint32(4, true);
  if (whole <= 40 || whole > MAXIMUM_DESCRIPTION) return decodePropertyDescription(head);
  const bytes = new Uint8Array(whole);
  const information = send(client, handle, IOCTL_KS_PROPERTY, input, bytes);
  return decodePropertyDescription(bytes.subarray(0, Math.min(whole, information)));
}

/** A description beyond this is damage. */
const MAXIMUM_DESCRIPTION = 1 << 20;

/** The properties that may change with this one. */
export function ksRelations(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  target: KsTarget = {},
): readonly KSIDENTIFIER[] {
  const input = encodeKsRequest(set, id, KSPROPERTY_TYPE_RELATIONS, target);
  return decodeIdentifiers(query(client, handle, IOCTL_KS_PROPERTY, input));
}

/** Does the object know the property set? */
export function ksSupportsSet(client: KsClient, handle: number, set: GUID, target: KsTarget = {}): boolean {
  const input = encodeKsRequest(set, 0, KSPROPERTY_TYPE_SETSUPPORT, target);
  const { status } = client.deviceIoControl(handle, IOCTL_KS_PROPERTY, input, null);
  if (ntSuccess(status)) return true;
  if (isUnknown(status)) return false;
  throw new NtError(status);
}

/** Calls a method; `data` is read or written as the method says. Returns the bytes that came back. */
export function ksMethod(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  data: Uint8Array | null,
  target: KsTarget = {},
): number {
  return send(client, handle, IOCTL_KS_METHOD, encodeKsRequest(set, id, KSMETHOD_TYPE_SEND, target), data);
}

// ---- events ----

/** Options of {@link ksRequestEvent}. */
export interface KsEventOptions extends KsTarget {
  readonly oneShot?: boolean;
  /** Data of the event's own behind KSEVENTDATA: a position, a time. */
  readonly data?: Uint8Array;
}

/** An enabled event; its KSEVENTDATA identifies it to the driver. */
export class KsEnabledEvent {
  readonly #client: KsClient;
  readonly #handle: number;
  readonly #eventData: Uint8Array;

  constructor(client: KsClient, handle: number, eventData: Uint8Array) {
    this.#client = client;
    this.#handle = handle;
    this.#eventData = eventData;
  }

  /** IOCTL_KS_DISABLE_EVENT. Throws NtError STATUS_UNSUCCESSFUL when the driver has no such event any more. */
  disable(): void {
    send(this.#client, this.#handle, IOCTL_KS_DISABLE_EVENT, this.#eventData, null);
  }
}

/** IOCTL_KS_ENABLE_EVENT: from now on (or once) the driver sets `event`, a handle of the process's, when it happens. */
export function ksRequestEvent(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  event: number,
  options: KsEventOptions = {},
): KsEnabledEvent {
  const { oneShot = false, data, ...target } = options;
  const eventData = new Uint8Array(KSEVENTDATA.size + (data?.byteLength ?? 0));
  KSEVENTDATA.encodeInto(
    { notificationType: KSEVENTF_EVENT_HANDLE, handle: event, adjustment: 0 },
    eventData,
  );
  if (data !== undefined) eventData.set(data, KSEVENTDATA.size);
  const verb = oneShot ? KSEVENT_TYPE_ONESHOT : KSEVENT_TYPE_ENABLE;
  send(client, handle, IOCTL_KS_ENABLE_EVENT, encodeKsRequest(set, id, verb, target), eventData);
  return new KsEnabledEvent(client, handle, eventData);
}

/** Does the object know the event? */
export function ksSupportsEvent(
  client: KsClient,
  handle: number,
  set: GUID,
  id: number,
  target: KsTarget = {},
): boolean {
  const input = encodeKsRequest(set, id, KSEVENT_TYPE_BASICSUPPORT, target);
  const { status } = client.deviceIoControl(handle, IOCTL_KS_ENABLE_EVENT, input, null);
  if (ntSuccess(status)) return true;
  if (isUnknown(status)) return false;
  throw new NtError(status);
}

/** Disables every event that was enabled through the handle. */
export function ksDisableAllEvents(client: KsClient, handle: number): void {
  send(client, handle, IOCTL_KS_DISABLE_EVENT, null, null);
}

// ---- creating ----

/** KsCreatePin: opens a pin of a filter. */
export function ksCreatePin(client: KsClient, filterHandle: number, connect: KSPIN_CONNECT): number {
  return client.createFile(pinCreateName(connect), filterHandle);
}

/** KsCreateAllocator: opens the allocator of a pin. */
export function ksCreateAllocator(client: KsClient, pinHandle: number, framing: KSALLOCATOR_FRAMING): number {
  return client.createFile(
    createRequestName(KSSTRING_Allocator, KSALLOCATOR_FRAMING.encode(framing)),
    pinHandle,
  );
}

/** KsCreateClock: opens the clock of a pin. */
export function ksCreateClock(client: KsClient, pinHandle: number): number {
  return client.createFile(
    createRequestName(KSSTRING_Clock, KSCLOCK_CREATE.encode({ createFlags: 0 })),
    pinHandle,
  );
}

/** KsCreateTopologyNode: opens a node of a filter or pin. */
export function ksCreateTopologyNode(client: KsClient, parentHandle: number, node: number): number {
  const parameters = KSNODE_CREATE.encode({ createFlags: 0, node });
  return client.createFile(createRequestName(KSSTRING_TopologyNode, parameters), parentHandle);
}

// ---- filters ----

/** Number of pin factories. */
export function ksGetPinCount(client: KsClient, filterHandle: number): number {
  return ksGetUlong(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES);
}

export function ksGetPinDataFlow(client: KsClient, filterHandle: number, pin: number): KSPIN_DATAFLOW {
  return ksGetUlong(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_DATAFLOW, {
    pin,
  }) as KSPIN_DATAFLOW;
}

export function ksGetPinCommunication(
  client: KsClient,
  filterHandle: number,
  pin: number,
): KSPIN_COMMUNICATION {
  return ksGetUlong(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_COMMUNICATION, {
    pin,
  }) as KSPIN_COMMUNICATION;
}

export function ksGetPinInstances(client: KsClient, filterHandle: number, pin: number): KSPIN_CINSTANCES {
  return KSPIN_CINSTANCES.decode(
    ksGetProperty(
      client,
      filterHandle,
      KSPROPSETID_Pin,
      KSPROPERTY_PIN_CINSTANCES,
      { pin },
      KSPIN_CINSTANCES.size,
    ),
  );
}

export function ksGetPinCategory(client: KsClient, filterHandle: number, pin: number): GUID {
  const bytes = ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_CATEGORY, { pin }, 16);
  if (bytes.byteLength < 16) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  return GUID.read(viewOf(bytes), 0);
}

export function ksGetPinName(client: KsClient, filterHandle: number, pin: number): string {
  return decodeWideString(ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_NAME, { pin }));
}

export function ksGetPinDataRanges(
  client: KsClient,
  filterHandle: number,
  pin: number,
): readonly KSDATARANGE[] {
  return decodeDataRanges(
    ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_DATARANGES, { pin }),
  );
}

export function ksGetPinInterfaces(
  client: KsClient,
  filterHandle: number,
  pin: number,
): readonly KSIDENTIFIER[] {
  return decodeIdentifiers(
    ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_INTERFACES, { pin }),
  );
}

export function ksGetPinMediums(
  client: KsClient,
  filterHandle: number,
  pin: number,
): readonly KSIDENTIFIER[] {
  return decodeIdentifiers(
    ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_MEDIUMS, { pin }),
  );
}

/** To which filter's pin the pin is wired; null when to none. */
export function ksGetPinPhysicalConnection(
  client: KsClient,
  filterHandle: number,
  pin: number,
): KSPIN_PHYSICALCONNECTION | null {
  try {
    return decodePhysicalConnection(
      ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_PHYSICALCONNECTION, { pin }),
    );
  } catch (error) {
    if (error instanceof NtError && isUnknown(error.status)) return null;
    throw error;
  }
}

/** The first format that the pin has in common with the ranges. Throws NtError STATUS_NO_MATCH when there is none. */
export function ksGetDataIntersection(
  client: KsClient,
  filterHandle: number,
  pin: number,
  ranges: readonly KSDATARANGE[],
): KSDATAFORMAT {
  const instance = encodeDataRanges(ranges);
  return decodeDataFormat(
    ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_DATAINTERSECTION, { pin, instance }),
  );
}

/** Would a pin take the format? Throws NtError STATUS_NO_MATCH when not. */
export function ksProposeDataFormat(
  client: KsClient,
  filterHandle: number,
  pin: number,
  format: KSDATAFORMAT,
): void {
  const value = encodeDataFormat(format);
  ksSetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_PROPOSEDATAFORMAT, value, { pin });
}

/** The format that the driver prefers for a signal-processing mode. Throws NtError STATUS_NOT_SUPPORTED when it has no preference. */
export function ksGetPreferredDataFormat(
  client: KsClient,
  filterHandle: number,
  pin: number,
  mode: GUID,
): KSDATAFORMAT {
  const instance = encodeAttributes([signalProcessingModeAttribute(mode)]);
  return decodeDataFormat(
    ksGetProperty(client, filterHandle, KSPROPSETID_Pin, KSPROPERTY_PIN_PROPOSEDATAFORMAT2, {
      pin,
      instance,
    }),
  );
}

export function ksGetCategories(client: KsClient, filterHandle: number): readonly GUID[] {
  return decodeGuids(
    ksGetProperty(client, filterHandle, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_CATEGORIES),
  );
}

/** Types of the nodes, by node id. */
export function ksGetNodes(client: KsClient, filterHandle: number): readonly GUID[] {
  return decodeGuids(ksGetProperty(client, filterHandle, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NODES));
}

export function ksGetConnections(client: KsClient, filterHandle: number): readonly KSTOPOLOGY_CONNECTION[] {
  return decodeTopologyConnections(
    ksGetProperty(client, filterHandle, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_CONNECTIONS),
  );
}

export function ksGetNodeName(client: KsClient, filterHandle: number, node: number): string {
  return decodeWideString(
    ksGetProperty(client, filterHandle, KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_NAME, { node }),
  );
}

// ---- pins ----

export function ksGetState(client: KsClient, pinHandle: number): KSSTATE {
  return ksGetUlong(client, pinHandle, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE) as KSSTATE;
}

export function ksSetState(client: KsClient, pinHandle: number, state: KSSTATE): void {
  ksSetLong(client, pinHandle, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, state);
}

export function ksGetDataFormat(client: KsClient, pinHandle: number): KSDATAFORMAT {
  return decodeDataFormat(
    ksGetProperty(client, pinHandle, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT),
  );
}

export function ksSetDataFormat(client: KsClient, pinHandle: number, format: KSDATAFORMAT): void {
  const value = encodeDataFormat(format);
  ksSetProperty(client, pinHandle, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, value);
}
