import { GUID } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL, STATUS_INVALID_PARAMETER } from '../kernel/index.ts';
import { KSATTRIBUTEID_AUDIOSIGNALPROCESSING_MODE } from './guids/audio.ts';
import { alignUp, viewOf } from './layout.ts';

/**
 * Something more about a data format or range (DDI page KSATTRIBUTE): a GUID that says what, and data of its own. In memory:
 * Size, Flags, Attribute, data; in a list each starts on 8 bytes.
 */
export interface KSATTRIBUTE {
  /** KSATTRIBUTE_REQUIRED or 0. */
  readonly flags: number;
  readonly attribute: GUID;
  /** What follows the 24 bytes of the head; absent when nothing does. */
  readonly data?: Uint8Array;
}

/** sizeof(KSATTRIBUTE) */
export const KSATTRIBUTE_SIZE = 24;
/** sizeof(KSATTRIBUTE_AUDIOSIGNALPROCESSING_MODE) */
export const KSATTRIBUTE_AUDIOSIGNALPROCESSING_MODE_SIZE = 40;
const MULTIPLE_ITEM_SIZE = 8;

/** An attribute that asks for, or offers, a signal-processing mode (KSATTRIBUTE_AUDIOSIGNALPROCESSING_MODE). */
export function signalProcessingModeAttribute(mode: GUID, flags = 0): KSATTRIBUTE {
  const data = new Uint8Array(16);
  mode.write(viewOf(data), 0);
  return { flags, attribute: KSATTRIBUTEID_AUDIOSIGNALPROCESSING_MODE, data };
}

/** The mode that the attributes name, or null. A range's bare KSATTRIBUTE (without a mode) names none: it takes every mode. */
export function signalProcessingMode(attributes: readonly KSATTRIBUTE[] | undefined): GUID | null {
  for (const { attribute, data } of attributes ?? []) {
    if (
      data !== undefined &&
      data.byteLength >= 16 &&
      attribute.equals(KSATTRIBUTEID_AUDIOSIGNALPROCESSING_MODE)
    ) {
      return GUID.read(viewOf(data), 0);
    }
  }
  return null;
}

/** Bytes of the encoded list: KSMULTIPLE_ITEM and the attributes, each (but the last) padded to 8 bytes. */
export function attributesSize(attributes: readonly KSATTRIBUTE[]): number {
  let size = MULTIPLE_ITEM_SIZE;
  for (const { data } of attributes) size = alignUp(size, 8) + KSATTRIBUTE_SIZE + (data?.byteLength ?? 0);
  return size;
}

/** Writes the list; the caller made room. */
export function writeAttributes(view: DataView, offset: number, attributes: readonly KSATTRIBUTE[]): void {
  view.setUint32(offset, attributesSize(attributes), true);
  view.setUint32(offset + 4, attributes.length, true);
  let at = MULTIPLE_ITEM_SIZE;
  for (const { flags, attribute, data } of attributes) {
    at = alignUp(at, 8);
    view.setUint32(offset + at, KSATTRIBUTE_SIZE + (data?.byteLength ?? 0), true);
    view.setUint32(offset + at + 4, flags, true);
    attribute.write(view, offset + at + 8);
    at += KSATTRIBUTE_SIZE;
    if (data !== undefined) {
      new Uint8Array(view.buffer, view.byteOffset + offset + at, data.byteLength).set(data);
      at += data.byteLength;
    }
  }
}

/** The list as bytes of its own. */
export function encodeAttributes(attributes: readonly KSATTRIBUTE[]): Uint8Array {
  const bytes = new Uint8Array(attributesSize(attributes));
  writeAttributes(viewOf(bytes), 0, attributes);
  return bytes;
}

/** The list at `offset` and its size in bytes. Throws NtError STATUS_BUFFER_TOO_SMALL or, for sizes that contradict, STATUS_INVALID_PARAMETER. */
export function decodeAttributes(
  bytes: Uint8Array,
  offset = 0,
): { readonly attributes: readonly KSATTRIBUTE[]; readonly size: number } {
  const view = viewOf(bytes);
  if (offset < 0 || offset + MULTIPLE_ITEM_SIZE > bytes.byteLength) {
    throw new NtError(
      STATUS_BUFFER_TOO_SMALL,
      `KSMULTIPLE_ITEM of attributes at ${offset} of ${bytes.byteLength}`,
    );
  }
  const size = view.getUint32(offset, true);
  const count = view.getUint32(offset + 4, true);
  if (size < MULTIPLE_ITEM_SIZE)
    throw new NtError(STATUS_INVALID_PARAMETER, `attribute list of ${size} bytes`);
  if (offset + size > bytes.byteLength) {
    throw new NtError(
      STATUS_BUFFER_TOO_SMALL,
      `attribute list of ${size} bytes at ${offset} of ${bytes.byteLength}`,
    );
  }
  const attributes: KSATTRIBUTE[] = [];
  let at = MULTIPLE_ITEM_SIZE;
  for (let index = 0; index < count; index++) {
    at = alignUp(at, 8);
    if (at + KSATTRIBUTE_SIZE > size) {
      throw new NtError(
        STATUS_INVALID_PARAMETER,
        `attribute ${index} of ${count} lies outside its list of ${size} bytes`,
      );
    }
    const attributeSize = view.getUint32(offset + at, true);
    if (attributeSize < KSATTRIBUTE_SIZE || at + attributeSize > size) {
      throw new NtError(STATUS_INVALID_PARAMETER, `attribute ${index} has size ${attributeSize}`);
    }
    const head = {
      flags: view.getUint32(offset + at + 4, true),
      attribute: GUID.read(view, offset + at + 8),
    };
    const dataStart = offset + at + KSATTRIBUTE_SIZE;
    attributes.push(
      attributeSize === KSATTRIBUTE_SIZE
        ? head
        : { ...head, data: bytes.slice(dataStart, offset + at + attributeSize) },
    );
    at += attributeSize;
  }
  return { attributes, size };
}
