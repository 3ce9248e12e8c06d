import {
  type IRP,
  type NTSTATUS,
  NtError,
  PASSIVE_LEVEL,
  requireIrql,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_PROPSET_NOT_FOUND,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import {
  KSPROPERTY_MEMBER_FLAG_DEFAULT,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_DEFAULTVALUES,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_RELATIONS,
  KSPROPERTY_TYPE_SERIALIZERAW,
  KSPROPERTY_TYPE_SERIALIZESET,
  KSPROPERTY_TYPE_SERIALIZESIZE,
  KSPROPERTY_TYPE_SET,
  KSPROPERTY_TYPE_SETSUPPORT,
  KSPROPERTY_TYPE_UNSERIALIZERAW,
  KSPROPERTY_TYPE_UNSERIALIZESET,
} from './constants.ts';
import type { KsItemTable } from './item-table.ts';
import { encodeGuids, encodeIdentifiers } from './multiple-item.ts';
import { encodePropertyDescription, type KSPROPERTY_VALUES } from './property-description.ts';
import type { KSPROPERTY_ITEM, KsHandler, KsPropertyTable } from './property-item.ts';
import { KsRequest } from './request.ts';
import { serializePropertySet, unserializePropertySet } from './serialize.ts';
import type { KSIDENTIFIER } from './structs.ts';

/**
 * KsPropertyHandler: answers an IOCTL_KS_PROPERTY from property sets. Returns the status and sets Information; neither sets the IRP's status
 * nor completes it. With the topology flag the table is that of the node: `nodes[nodeId]`.
 *
 * Statuses (docs: KSPROPERTY, KSPROPERTY_ITEM; where they are silent, docs/decisions.md): input shorter than its head or than MinProperty
 * STATUS_INVALID_BUFFER_SIZE; unknown node or unknown combination of flags STATUS_INVALID_PARAMETER; unknown set STATUS_PROPSET_NOT_FOUND;
 * unknown id STATUS_NOT_FOUND; access that the item does not support STATUS_INVALID_DEVICE_REQUEST; a get into a zero-length buffer
 * STATUS_BUFFER_OVERFLOW with the size, into one that is too short STATUS_BUFFER_TOO_SMALL, as is a set from one.
 * PASSIVE_LEVEL.
 */
export function ksPropertyHandler(
  irp: IRP,
  table: KsPropertyTable,
  nodes?: readonly (KsPropertyTable | null)[],
): NTSTATUS {
  requireIrql(PASSIVE_LEVEL, 'KsPropertyHandler');
  irp.ioStatus.information = 0;
  try {
    const request = KsRequest.of(irp);
    return handleProperty(request, tableOf(request, table, nodes));
  } catch (error) {
    if (error instanceof NtError) return error.status;
    throw error;
  }
}

/**
 * The table for a request: with the topology bit that of its node; objects that keep no tables of nodes answer such requests from their own. Throws NtError for
 * a node that does not exist or has no items.
 */
export function tableOf<T>(request: KsRequest, own: T, nodes: readonly (T | null)[] | undefined): T {
  if (!request.hasNode || nodes === undefined) return own;
  const table = nodes[request.nodeId];
  if (table === undefined) throw new NtError(STATUS_INVALID_PARAMETER, `there is no node ${request.nodeId}`);
  if (table === null) throw new NtError(STATUS_PROPSET_NOT_FOUND, `node ${request.nodeId} has no items`);
  return table;
}

/** The same for a request that has been taken apart; failures are thrown as NtError. */
export function handleProperty(request: KsRequest, table: KsPropertyTable): NTSTATUS {
  const { verb } = request;
  const set = table.findSet(request);
  if (set === undefined) {
    if (verb === KSPROPERTY_TYPE_SETSUPPORT && request.isSetNull) return answerSets(request, table);
    throw new NtError(STATUS_PROPSET_NOT_FOUND);
  }
  if (verb === KSPROPERTY_TYPE_SETSUPPORT) return STATUS_SUCCESS;
  if (verb === KSPROPERTY_TYPE_SERIALIZESET) return serializePropertySet(request, set);
  if (verb === KSPROPERTY_TYPE_UNSERIALIZESET) return unserializePropertySet(request, set);
  const item = set.find(request.id);
  if (item === undefined) throw new NtError(STATUS_NOT_FOUND);
  if (verb === KSPROPERTY_TYPE_GET) return getProperty(request, item);
  if (verb === KSPROPERTY_TYPE_SET) return setProperty(request, item);
  return support(request, item);
}

/** Calls a get handler after checking sizes. */
export function getProperty(request: KsRequest, item: KSPROPERTY_ITEM): NTSTATUS {
  const handler = item.getPropertyHandler;
  if (handler === undefined || handler === null) throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
  if (request.input.byteLength < item.minProperty) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
  // Also tells handlers of fixed-size values that they need not look at the length, and presets Information.
  if (item.minData > 0) request.room(item.minData);
  return handler(request) ?? STATUS_SUCCESS;
}

/** Calls a set handler after checking sizes. */
export function setProperty(request: KsRequest, item: KSPROPERTY_ITEM): NTSTATUS {
  const handler = item.setPropertyHandler;
  if (handler === undefined || handler === null) throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
  if (request.input.byteLength < item.minProperty) throw new NtError(STATUS_INVALID_BUFFER_SIZE);
  if (request.dataLength < item.minData) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  return handler(request) ?? STATUS_SUCCESS;
}

/** KSPROPERTY_TYPE_GET and _SET as the item's handlers allow. */
export function propertyAccessFlags(item: KSPROPERTY_ITEM): number {
  const get = item.getPropertyHandler ? KSPROPERTY_TYPE_GET : 0;
  const set = item.setPropertyHandler ? KSPROPERTY_TYPE_SET : 0;
  return get | set;
}

function support(request: KsRequest, item: KSPROPERTY_ITEM): NTSTATUS {
  const { verb } = request;
  if ((verb & SUPPORT_VERBS) === 0 || (verb & (verb - 1)) !== 0) throw new NtError(STATUS_INVALID_PARAMETER);
  if (item.supportHandler) {
    const status = callSupportHandler(request, item.supportHandler);
    if (status !== STATUS_NOT_FOUND) return status;
  }
  switch (verb) {
    case KSPROPERTY_TYPE_BASICSUPPORT:
      return answerDescription(request, propertyAccessFlags(item), item.values);
    case KSPROPERTY_TYPE_DEFAULTVALUES: {
      const defaults = defaultValues(item.values);
      if (defaults === null) throw new NtError(STATUS_NOT_FOUND);
      return answerDescription(request, propertyAccessFlags(item), defaults);
    }
    case KSPROPERTY_TYPE_RELATIONS:
      return answerRelations(request, item.relations ?? []);
    case KSPROPERTY_TYPE_SERIALIZESIZE:
      return request.answerUlong(item.serializedSize ?? 0);
    default:
      // Raw serialization has a private format: without a handler of the item's own it fails.
      throw new NtError(STATUS_INVALID_DEVICE_REQUEST);
  }
}

const SUPPORT_VERBS =
  KSPROPERTY_TYPE_BASICSUPPORT |
  KSPROPERTY_TYPE_DEFAULTVALUES |
  KSPROPERTY_TYPE_RELATIONS |
  KSPROPERTY_TYPE_SERIALIZESIZE |
  KSPROPERTY_TYPE_SERIALIZERAW |
  KSPROPERTY_TYPE_UNSERIALIZERAW;

function callSupportHandler(request: KsRequest, handler: KsHandler): NTSTATUS {
  try {
    return handler(request) ?? STATUS_SUCCESS;
  } catch (error) {
    if (error instanceof NtError && error.status === STATUS_NOT_FOUND) return STATUS_NOT_FOUND;
    throw error;
  }
}

/**
 * Answers a basic-support request in the size that the client has room for (KSPROPERTY page, Remarks): a ULONG gets the access flags, a
 * KSPROPERTY_DESCRIPTION the head with the size of the whole, a larger buffer everything. A zero-length buffer is a size query.
 */
export function answerDescription(
  request: KsRequest,
  accessFlags: number,
  values: KSPROPERTY_VALUES | undefined,
): NTSTATUS {
  const whole = encodePropertyDescription(accessFlags, values);
  const length = request.dataLength;
  if (length === 0 || length >= whole.byteLength) return request.answer(whole);
  if (length >= DESCRIPTION_SIZE) return request.answer(whole.subarray(0, DESCRIPTION_SIZE));
  return request.answerUlong(accessFlags);
}

const DESCRIPTION_SIZE = 40;

/** The members that are marked as defaults, or null when none is. */
function defaultValues(values: KSPROPERTY_VALUES | undefined): KSPROPERTY_VALUES | null {
  if (values === undefined) return null;
  const membersList = values.membersList.filter(
    ({ membersHeader }) => (membersHeader.flags & KSPROPERTY_MEMBER_FLAG_DEFAULT) !== 0,
  );
  return membersList.length === 0 ? null : { ...values, membersList };
}

/** ULONG: the size needed; KSMULTIPLE_ITEM: size and count; else everything (KSPROPERTY page, KSPROPERTY_TYPE_RELATIONS). */
function answerRelations(request: KsRequest, relations: readonly KSIDENTIFIER[]): NTSTATUS {
  const list = encodeIdentifiers(relations);
  if (request.dataLength === 4) return request.answerUlong(list.byteLength);
  return request.answerList(list);
}

/** SETSUPPORT with GUID_NULL: the GUIDs of all sets, one behind the other. */
export function answerSets<T>(request: KsRequest, table: KsItemTable<T>): NTSTATUS {
  const list = encodeGuids(table.sets.map(({ set }) => set)).subarray(8);
  if (list.byteLength > 0 && request.data === null) {
    request.irp.ioStatus.information = list.byteLength;
    throw new NtError(STATUS_BUFFER_OVERFLOW);
  }
  return request.answer(list);
}
