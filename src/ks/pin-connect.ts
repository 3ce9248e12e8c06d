import { type GUID, guid } from '../com/index.ts';
import { NtError, STATUS_BUFFER_TOO_SMALL } from '../kernel/index.ts';
import {
  KSINTERFACE_STANDARD_STREAMING,
  KSMEDIUM_STANDARD_DEVIO,
  KSPRIORITY_NORMAL,
  KSSTRING_Pin,
} from './constants.ts';
import {
  decodeDataFormat,
  encodedDataFormatSize,
  type KSDATAFORMAT,
  writeDataFormat,
} from './data-format.ts';
import { KSINTERFACESETID_Standard, KSMEDIUMSETID_Standard } from './guids/sets.ts';
import { viewOf } from './layout.ts';
import { KSPIN_CONNECT_HEADER, type KSPIN_INTERFACE, type KSPIN_MEDIUM } from './structs.ts';

/** What a client opens a pin with (DDI page KSPIN_CONNECT), the format that follows it in memory included. */
export interface KSPIN_CONNECT extends KSPIN_CONNECT_HEADER {
  readonly dataFormat: KSDATAFORMAT;
}

/** sizeof(KSPIN_CONNECT) on 64-bit Windows: without the format. */
export const KSPIN_CONNECT_SIZE = 72;

/** IRP-based streaming through standard read and write requests. */
export const STANDARD_STREAMING_INTERFACE: KSPIN_INTERFACE = {
  set: KSINTERFACESETID_Standard,
  id: KSINTERFACE_STANDARD_STREAMING,
  flags: 0,
};
/** Communication by IRPs. */
export const STANDARD_DEVIO_MEDIUM: KSPIN_MEDIUM = {
  set: KSMEDIUMSETID_Standard,
  id: KSMEDIUM_STANDARD_DEVIO,
  flags: 0,
};

/** The usual request for a pin: standard streaming over IRPs, normal priority, no other pin. */
export function standardPinConnect(
  pinId: number,
  dataFormat: KSDATAFORMAT,
  pinInterface: KSPIN_INTERFACE = STANDARD_STREAMING_INTERFACE,
): KSPIN_CONNECT {
  return {
    interface: pinInterface,
    medium: STANDARD_DEVIO_MEDIUM,
    pinId,
    pinToHandle: 0,
    priority: { priorityClass: KSPRIORITY_NORMAL, prioritySubClass: 1 },
    dataFormat,
  };
}

/** KSPIN_CONNECT and its format as they stand behind the class name in a create request. */
export function encodePinConnect(connect: KSPIN_CONNECT): Uint8Array {
  const bytes = new Uint8Array(KSPIN_CONNECT_SIZE + encodedDataFormatSize(connect.dataFormat));
  KSPIN_CONNECT_HEADER.write(viewOf(bytes), 0, connect);
  writeDataFormat(bytes, KSPIN_CONNECT_SIZE, connect.dataFormat);
  return bytes;
}

/** Throws NtError as {@link decodeDataFormat} does, and STATUS_BUFFER_TOO_SMALL when the 72 bytes are missing. */
export function decodePinConnect(bytes: Uint8Array): KSPIN_CONNECT {
  const header = KSPIN_CONNECT_HEADER.decode(bytes);
  return { ...header, dataFormat: decodeDataFormat(bytes, KSPIN_CONNECT_SIZE) };
}

/**
 * The name under which an object is created relative to another: its class, a backslash, and the parameters as UTF-16 code
 * units of their bytes (KsCreatePin and its kin do the same). An odd count of bytes gets one zero more.
 */
export function createRequestName(objectClass: string, parameters: Uint8Array): string {
  const units: string[] = [];
  for (let at = 0; at < parameters.byteLength; at += 2) {
    units.push(String.fromCharCode((parameters[at] ?? 0) | ((parameters[at + 1] ?? 0) << 8)));
  }
  return `${objectClass}\\${units.join('')}`;
}

/** The name that opens a pin. */
export function pinCreateName(connect: KSPIN_CONNECT): string {
  return createRequestName(KSSTRING_Pin, encodePinConnect(connect));
}

/**
 * Splits a create request's name into its class and the parameters behind the backslash, as bytes; parameters are null when there is no
 * backslash. The inverse of {@link createRequestName}.
 */
export function splitCreateRequestName(name: string): {
  readonly objectClass: string;
  readonly parameters: Uint8Array | null;
} {
  const start = name.startsWith('\\') ? 1 : 0;
  const slash = name.indexOf('\\', start);
  if (slash < 0) return { objectClass: name.slice(start), parameters: null };
  const objectClass = name.slice(start, slash);
  const parameters = new Uint8Array((name.length - slash - 1) * 2);
  for (let index = 0; index * 2 < parameters.byteLength; index++) {
    const unit = name.charCodeAt(slash + 1 + index);
    parameters[index * 2] = unit & 0xff;
    parameters[index * 2 + 1] = unit >>> 8;
  }
  return { objectClass, parameters };
}

/** A create request's name as a class GUID and the parameters behind it (empty when there are none); null for another kind of name. */
export function decodeCreateName(
  name: string,
): { readonly objectClass: GUID; readonly parameters: Uint8Array } | null {
  const { objectClass, parameters } = splitCreateRequestName(name);
  if (!/^\{[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\}$/i.test(objectClass)) return null;
  return { objectClass: guid(objectClass), parameters: parameters ?? new Uint8Array(0) };
}

/** The parameters of a create request, at least `size` bytes of them. Throws NtError STATUS_BUFFER_TOO_SMALL. */
export function requireCreateParameters(parameters: Uint8Array | null, size: number): Uint8Array {
  if (parameters === null || parameters.byteLength < size) throw new NtError(STATUS_BUFFER_TOO_SMALL);
  return parameters;
}
