import { GUID_NULL } from '../com/index.ts';
import {
  type NTSTATUS,
  NtError,
  ntSuccess,
  STATUS_BUFFER_OVERFLOW,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_SUCCESS,
} from '../kernel/index.ts';
import { KSPROPERTY_TYPE_GET, KSPROPERTY_TYPE_SET } from './constants.ts';
import { alignUp } from './layout.ts';
import type { KSPROPERTY_ITEM, KsPropertyItemSet } from './property-item.ts';
import type { KsRequest } from './request.ts';
import { type KSIDENTIFIER, KSPROPERTY_SERIAL, KSPROPERTY_SERIALHDR } from './structs.ts';

const NO_TYPE: KSIDENTIFIER = { set: GUID_NULL, id: 0, flags: 0 };
/** KSPROPERTY_ITEM.SerializedSize: the size is not known, the property has to be asked. */
const SIZE_UNKNOWN = 1;

/**
 * KSPROPERTY_TYPE_SERIALIZESET: the values of every property of the set that has a serialized size, each behind a KSPROPERTY_SERIAL that starts
 * on 4 bytes, all behind a KSPROPERTY_SERIALHDR (KSPROPERTY page, Remarks). A zero-length buffer asks for the size.
 */
export function serializePropertySet(request: KsRequest, set: KsPropertyItemSet): NTSTATUS {
  const parts: { readonly item: KSPROPERTY_ITEM; readonly value: Uint8Array }[] = [];
  for (const item of set.items.values()) {
    const size = item.serializedSize ?? 0;
    if (size > 0 && item.getPropertyHandler) parts.push({ item, value: readValue(request, item, size) });
  }
  let size = KSPROPERTY_SERIALHDR.size;
  for (const { value } of parts) size = alignUp(size, 4) + KSPROPERTY_SERIAL.size + value.byteLength;
  const bytes = request.room(size);
  KSPROPERTY_SERIALHDR.encodeInto({ propertySet: set.set, count: parts.length }, bytes);
  let offset = KSPROPERTY_SERIALHDR.size;
  for (const { item, value } of parts) {
    const start = alignUp(offset, 4);
    bytes.fill(0, offset, start);
    KSPROPERTY_SERIAL.encodeInto(
      {
        propTypeSet: item.values?.propTypeSet ?? NO_TYPE,
        id: item.propertyId,
        propertyLength: value.byteLength,
      },
      bytes,
      start,
    );
    bytes.set(value, start + KSPROPERTY_SERIAL.size);
    offset = start + KSPROPERTY_SERIAL.size + value.byteLength;
  }
  return STATUS_SUCCESS;
}

/**
 * KSPROPERTY_TYPE_UNSERIALIZESET: sets the properties of a buffer that serializing made. Throws NtError STATUS_INVALID_PARAMETER for another
 * set's or a damaged buffer, STATUS_NOT_FOUND for a property that cannot be set; what came before it stays set.
 */
export function unserializePropertySet(request: KsRequest, set: KsPropertyItemSet): NTSTATUS {
  const bytes = request.value(KSPROPERTY_SERIALHDR.size);
  const header = KSPROPERTY_SERIALHDR.decode(bytes);
  if (!header.propertySet.equals(set.set)) throw new NtError(STATUS_INVALID_PARAMETER);
  let offset = KSPROPERTY_SERIALHDR.size;
  for (let index = 0; index < header.count; index++) {
    const start = alignUp(offset, 4);
    if (start + KSPROPERTY_SERIAL.size > bytes.byteLength) throw new NtError(STATUS_INVALID_PARAMETER);
    const serial = KSPROPERTY_SERIAL.decode(bytes, start);
    const end = start + KSPROPERTY_SERIAL.size + serial.propertyLength;
    if (end > bytes.byteLength) throw new NtError(STATUS_INVALID_PARAMETER);
    const item = set.find(serial.id);
    if (!item?.setPropertyHandler) throw new NtError(STATUS_NOT_FOUND);
    const value = bytes.slice(start + KSPROPERTY_SERIAL.size, end);
    if (value.byteLength < item.minData) throw new NtError(STATUS_INVALID_PARAMETER);
    const part = request.derive(serial.id, KSPROPERTY_TYPE_SET, value);
    const status = item.setPropertyHandler(part) ?? STATUS_SUCCESS;
    if (!ntSuccess(status)) throw new NtError(status);
    offset = end;
  }
  request.irp.ioStatus.information = 0;
  return STATUS_SUCCESS;
}

function readValue(request: KsRequest, item: KSPROPERTY_ITEM, serializedSize: number): Uint8Array {
  const handler = item.getPropertyHandler;
  if (!handler) return new Uint8Array(0);
  let size = serializedSize;
  if (serializedSize === SIZE_UNKNOWN) {
    try {
      handler(request.derive(item.propertyId, KSPROPERTY_TYPE_GET, null));
      size = 0;
    } catch (error) {
      if (!(error instanceof NtError) || error.status !== STATUS_BUFFER_OVERFLOW) throw error;
      size = request.irp.ioStatus.information;
    }
  }
  const value = new Uint8Array(size);
  const status = handler(request.derive(item.propertyId, KSPROPERTY_TYPE_GET, value)) ?? STATUS_SUCCESS;
  if (!ntSuccess(status)) throw new NtError(status);
  return value;
}
