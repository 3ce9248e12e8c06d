import type { GUID } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import { KSJACK_DESCRIPTION, KSJACK_DESCRIPTION2, KSJACK_DESCRIPTION3 } from './audio-structs.ts';
import { alignUp, type FieldType, guidField, POINTER_SIZE_64, viewOf } from './layout.ts';
import { KSIDENTIFIER, KSMULTIPLE_ITEM, KSTOPOLOGY_CONNECTION } from './structs.ts';

const HEAD_SIZE = 8;

/**
 * KSMULTIPLE_ITEM and items that are encoded already, each on a multiple of `alignment` (data ranges and identifiers: 8). The whole is a
 * multiple of it, too.
 */
export function encodeMultipleItem(items: readonly Uint8Array[], alignment = 1): Uint8Array {
  let size = HEAD_SIZE;
  for (const item of items) size = alignUp(size, alignment) + item.byteLength;
  const bytes = new Uint8Array(alignUp(size, alignment));
  const view = viewOf(bytes);
  view.setUint32(0, bytes.byteLength, true);
  view.setUint32(4, items.length, true);
  let at = HEAD_SIZE;
  for (const item of items) {
    at = alignUp(at, alignment);
    bytes.set(item, at);
    at += item.byteLength;
  }
  return bytes;
}

/**
 * A list as most multi-valued properties return it: KSMULTIPLE_ITEM (whole size, count), then the items one behind the other. Data ranges
 * have a list of their own, since they vary in size.
 */
export function encodeItems<T>(item: FieldType<T>, items: readonly T[]): Uint8Array {
  const itemSize = item.sizeOf(POINTER_SIZE_64);
  const bytes = new Uint8Array(HEAD_SIZE + itemSize * items.length);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.byteLength, true);
  view.setUint32(4, items.length, true);
  items.forEach((value, index) => {
    item.write(view, HEAD_SIZE + index * itemSize, value, POINTER_SIZE_64);
  });
  return bytes;
}

/**
 * The items of a list. Throws NtError STATUS_BUFFER_TOO_SMALL when Size reaches past the bytes, STATUS_INVALID_PARAMETER when Size does not
 * hold Count items.
 */
export function decodeItems<T>(item: FieldType<T>, bytes: Uint8Array, offset = 0): readonly T[] {
  const { size, count } = KSMULTIPLE_ITEM.decode(bytes, offset);
  if (offset + size > bytes.byteLength) {
    throw new NtError(STATUS_BUFFER_TOO_SMALL, `list of ${size} bytes at ${offset} of ${bytes.byteLength}`);
  }
  const itemSize = item.sizeOf(POINTER_SIZE_64);
  if (size < HEAD_SIZE + count * itemSize) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `${count} items of ${itemSize} bytes do not fit a list of ${size}`,
    );
  }
  const view = viewOf(bytes);
  return Array.from({ length: count }, (_, index) =>
    item.read(view, offset + HEAD_SIZE + index * itemSize, POINTER_SIZE_64),
  );
}

export const encodeGuids = (guids: readonly GUID[]): Uint8Array => encodeItems(guidField, guids);
export const decodeGuids = (bytes: Uint8Array): readonly GUID[] => decodeItems(guidField, bytes);

export const encodeIdentifiers = (items: readonly KSIDENTIFIER[]): Uint8Array =>
  encodeItems(KSIDENTIFIER, items);
export const decodeIdentifiers = (bytes: Uint8Array): readonly KSIDENTIFIER[] =>
  decodeItems(KSIDENTIFIER, bytes);

export const encodeTopologyConnections = (items: readonly KSTOPOLOGY_CONNECTION[]): Uint8Array =>
  encodeItems(KSTOPOLOGY_CONNECTION, items);
export const decodeTopologyConnections = (bytes: Uint8Array): readonly KSTOPOLOGY_CONNECTION[] =>
  decodeItems(KSTOPOLOGY_CONNECTION, bytes);

/** The value of KSPROPERTY_JACK_DESCRIPTION: one entry a jack. */
export const encodeJackDescriptions = (jacks: readonly KSJACK_DESCRIPTION[]): Uint8Array =>
  encodeItems(KSJACK_DESCRIPTION, jacks);
export const decodeJackDescriptions = (bytes: Uint8Array): readonly KSJACK_DESCRIPTION[] =>
  decodeItems(KSJACK_DESCRIPTION, bytes);

/** The value of KSPROPERTY_JACK_DESCRIPTION2. */
export const encodeJackDescription2s = (jacks: readonly KSJACK_DESCRIPTION2[]): Uint8Array =>
  encodeItems(KSJACK_DESCRIPTION2, jacks);
export const decodeJackDescription2s = (bytes: Uint8Array): readonly KSJACK_DESCRIPTION2[] =>
  decodeItems(KSJACK_DESCRIPTION2, bytes);

/** The value of KSPROPERTY_JACK_DESCRIPTION3. */
export const encodeJackDescription3s = (jacks: readonly KSJACK_DESCRIPTION3[]): Uint8Array =>
  encodeItems(KSJACK_DESCRIPTION3, jacks);
export const decodeJackDescription3s = (bytes: Uint8Array): readonly KSJACK_DESCRIPTION3[] =>
  decodeItems(KSJACK_DESCRIPTION3, bytes);

/** A zero-terminated UTF-16 string, as name properties return it. */
export function encodeWideString(text: string): Uint8Array {
  const bytes = new Uint8Array((text.length + 1) * 2);
  const view = viewOf(bytes);
  for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index), true);
  return bytes;
}

/** The string up to its zero, or to the end of the bytes. */
export function decodeWideString(bytes: Uint8Array, offset = 0): string {
  const view = viewOf(bytes);
  let text = '';
  for (let at = offset; at + 2 <= bytes.byteLength; at += 2) {
    const unit = view.getUint16(at, true);
    if (unit === 0) break;
    text += String.fromCharCode(unit);
  }
  return text;
}

/** KSPIN_PHYSICALCONNECTION: the filter, by its symbolic link, and the pin on it to which a pin is wired. */
export interface KSPIN_PHYSICALCONNECTION {
  readonly pin: number;
  readonly symbolicLinkName: string;
}

/** Size, Pin, then the zero-terminated name; Size is rounded up to the structure's alignment of 4. */
export function encodePhysicalConnection(connection: KSPIN_PHYSICALCONNECTION): Uint8Array {
  const name = encodeWideString(connection.symbolicLinkName);
  const bytes = new Uint8Array((HEAD_SIZE + name.byteLength + 3) & ~3);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.byteLength, true);
  view.setUint32(4, connection.pin, true);
  bytes.set(name, HEAD_SIZE);
  return bytes;
}

/** Throws NtError STATUS_BUFFER_TOO_SMALL when the head or the bytes that Size names are missing. */
export function decodePhysicalConnection(bytes: Uint8Array): KSPIN_PHYSICALCONNECTION {
  const { size, count: pin } = KSMULTIPLE_ITEM.decode(bytes);
  if (size < HEAD_SIZE) throw new NtError(STATUS_INVALID_PARAMETER, `KSPIN_PHYSICALCONNECTION.Size ${size}`);
  if (size > bytes.byteLength) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  return { pin, symbolicLinkName: decodeWideString(bytes.subarray(0, size), HEAD_SIZE) };
}
