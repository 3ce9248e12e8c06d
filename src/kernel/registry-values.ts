/** Registry value types and the bytes behind them. */

export const REG_NONE = 0;
export const REG_SZ = 1;
export const REG_EXPAND_SZ = 2;
export const REG_BINARY = 3;
export const REG_DWORD = 4;
export const REG_DWORD_LITTLE_ENDIAN = 4;
export const REG_DWORD_BIG_ENDIAN = 5;
export const REG_LINK = 6;
export const REG_MULTI_SZ = 7;
export const REG_RESOURCE_LIST = 8;
export const REG_FULL_RESOURCE_DESCRIPTOR = 9;
export const REG_RESOURCE_REQUIREMENTS_LIST = 10;
export const REG_QWORD = 11;
export const REG_QWORD_LITTLE_ENDIAN = 11;

const TYPE_NAMES: readonly string[] = [
  'REG_NONE',
  'REG_SZ',
  'REG_EXPAND_SZ',
  'REG_BINARY',
  'REG_DWORD',
  'REG_DWORD_BIG_ENDIAN',
  'REG_LINK',
  'REG_MULTI_SZ',
  'REG_RESOURCE_LIST',
  'REG_FULL_RESOURCE_DESCRIPTOR',
  'REG_RESOURCE_REQUIREMENTS_LIST',
  'REG_QWORD',
];

/** 'REG_SZ' …, or the number in hexadecimal for a type that Windows has no name for. */
export function registryTypeName(type: number): string {
  return TYPE_NAMES[type] ?? `REG_0x${type.toString(16).toUpperCase()}`;
}

/** A value as stored: its name as first written, its type, and its bytes. */
export interface RegistryValue {
  readonly name: string;
  readonly type: number;
  readonly data: Uint8Array;
}

/**
 * A value as a person writes it: a string is REG_SZ, a number REG_DWORD, a bigint REG_QWORD, an array of strings REG_MULTI_SZ,
 * bytes REG_BINARY; the object form gives the type, with a string, strings, a number or the bytes as data.
 */
export type RegistryValueData =
  | string
  | number
  | bigint
  | readonly string[]
  | Uint8Array
  | { readonly type: number; readonly data: string | number | bigint | readonly string[] | Uint8Array };

/**
 * A name as the registry compares it: in upper case, one code unit for one (so that `ß` is not `SS`), as RtlUpcaseUnicodeString does.
 */
export function upcaseName(name: string): string {
  const upper = name.toUpperCase();
  if (upper.length === name.length) return upper;
  let text = '';
  for (let i = 0; i < name.length; i++) {
    const unit = name.charAt(i).toUpperCase();
    text += unit.length === 1 ? unit : name.charAt(i);
  }
  return text;
}

/** UTF-16 code units, little-endian, without a terminator. */
export function encodeUtf16(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length * 2);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 0xff;
    bytes[2 * i + 1] = unit >> 8;
  }
  return bytes;
}

/** UTF-16 code units from bytes; an odd last byte is left out. */
export function decodeUtf16(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    text += String.fromCharCode((bytes[i] ?? 0) | ((bytes[i + 1] ?? 0) << 8));
  }
  return text;
}

/** A null-terminated WCHAR string. */
export function encodeSz(text: string): Uint8Array {
  return encodeUtf16(`${text}\0`);
}

/** Up to the first terminator, or all when there is none: writers do forget it. */
export function decodeSz(bytes: Uint8Array): string {
  const text = decodeUtf16(bytes);
  const end = text.indexOf('\0');
  return end < 0 ? text : text.slice(0, end);
}

/** Null-terminated strings and a final null. An empty string within the list would end it and is left out. */
export function encodeMultiSz(strings: readonly string[]): Uint8Array {
  return encodeUtf16(
    `${strings
      .filter((s) => s !== '')
      .map((s) => `${s}\0`)
      .join('')}\0`,
  );
}

/** The strings of a REG_MULTI_SZ, up to the empty one that ends it. */
export function decodeMultiSz(bytes: Uint8Array): string[] {
  const strings: string[] = [];
  for (const text of decodeUtf16(bytes).split('\0')) {
    if (text === '') break;
    strings.push(text);
  }
  return strings;
}

/** A 4-byte little-endian number. */
export function encodeDword(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value >>> 0, true);
  return bytes;
}

/** The number of a REG_DWORD or REG_DWORD_BIG_ENDIAN; null when the bytes are not four. */
export function decodeDword(bytes: Uint8Array, bigEndian = false): number | null {
  if (bytes.length !== 4) return null;
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, !bigEndian);
}

/** Type and bytes of a value. Throws a RangeError for a type and data that do not go together. */
export function encodeRegistryValue(value: RegistryValueData): { type: number; data: Uint8Array } {
  if (typeof value === 'string') return { type: REG_SZ, data: encodeSz(value) };
  if (typeof value === 'number') return { type: REG_DWORD, data: encodeDword(value) };
  if (typeof value === 'bigint') return { type: REG_QWORD, data: encodeQword(value) };
  if (value instanceof Uint8Array) return { type: REG_BINARY, data: value.slice() };
  if (!('type' in value)) return { type: REG_MULTI_SZ, data: encodeMultiSz(value) };
  const { type, data } = value;
  if (data instanceof Uint8Array) return { type, data: data.slice() };
  if (typeof data === 'string') return { type, data: type === REG_LINK ? encodeUtf16(data) : encodeSz(data) };
  if (typeof data === 'object') return { type, data: encodeMultiSz(data) };
  if (type === REG_QWORD) return { type, data: encodeQword(BigInt(data)) };
  if (typeof data === 'number' && type === REG_DWORD) return { type, data: encodeDword(data) };
  if (typeof data === 'number' && type === REG_DWORD_BIG_ENDIAN)
    return { type, data: encodeDword(data).reverse() };
  throw new RangeError(`A number cannot be a ${registryTypeName(type)}.`);
}

function encodeQword(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return bytes;
}
