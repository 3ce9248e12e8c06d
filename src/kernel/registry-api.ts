/** The registry as drivers reach it: ZwCreateKey and its family on handles. All at IRQL = PASSIVE_LEVEL. */
import { currentKernel } from './current.ts';
import { PASSIVE_LEVEL, requireIrql } from './irql.ts';
import { NtError } from './nt-error.ts';
import {
  type NTSTATUS,
  STATUS_ACCESS_DENIED,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INVALID_HANDLE,
  STATUS_INVALID_PARAMETER,
  STATUS_KEY_DELETED,
  STATUS_NO_MORE_ENTRIES,
  STATUS_OBJECT_NAME_NOT_FOUND,
  STATUS_SUCCESS,
} from './ntstatus.ts';
import type { ObjectRecord } from './object.ts';
import type { RegistryKey } from './registry.ts';
import { encodeUtf16, type RegistryValue } from './registry-values.ts';
import { keQuerySystemTime } from './time.ts';

export const KEY_QUERY_VALUE = 0x0001;
export const KEY_SET_VALUE = 0x0002;
export const KEY_CREATE_SUB_KEY = 0x0004;
export const KEY_ENUMERATE_SUB_KEYS = 0x0008;
export const KEY_NOTIFY = 0x0010;
export const KEY_CREATE_LINK = 0x0020;
export const DELETE = 0x00010000;
export const KEY_READ = 0x20019;
export const KEY_WRITE = 0x20006;
export const KEY_EXECUTE = 0x20019;
export const KEY_ALL_ACCESS = 0xf003f;
const MAXIMUM_ALLOWED = 0x02000000;
const GENERIC_MASKS: readonly (readonly [number, number])[] = [
  [0x80000000, KEY_READ],
  [0x40000000, KEY_WRITE],
  [0x20000000, KEY_EXECUTE],
  [0x10000000, KEY_ALL_ACCESS],
];

export const REG_OPTION_NON_VOLATILE = 0;
export const REG_OPTION_VOLATILE = 1;
export const REG_CREATED_NEW_KEY = 1;
export const REG_OPENED_EXISTING_KEY = 2;

/** KEY_INFORMATION_CLASS. */
export const KeyBasicInformation = 0;
export const KeyNodeInformation = 1;
export const KeyFullInformation = 2;
export const KeyNameInformation = 3;
/** KEY_VALUE_INFORMATION_CLASS. */
export const KeyValueBasicInformation = 0;
export const KeyValueFullInformation = 1;
export const KeyValuePartialInformation = 2;

/** OBJECT_ATTRIBUTES as the registry needs them: a full path, or one relative to an open key. */
export interface OBJECT_ATTRIBUTES {
  readonly rootDirectory?: RegistryHandle | null;
  readonly objectName: string;
}

/**
 * The answer to a query: STATUS_SUCCESS; STATUS_BUFFER_OVERFLOW when the fixed part and as much of the rest as fits was written;
 * STATUS_BUFFER_TOO_SMALL when nothing was. `resultLength` is the size of the whole.
 */
export interface RegistryQueryResult {
  readonly status: NTSTATUS;
  readonly resultLength: number;
}

/** An open key; in the leak report until {@link zwClose}. */
export class RegistryHandle {
  readonly key: RegistryKey;
  /** KEY_* bits granted. */
  readonly access: number;
  #record: ObjectRecord | null;

  constructor(key: RegistryKey, access: number, record: ObjectRecord) {
    this.key = key;
    this.access = access;
    this.#record = record;
  }

  get isOpen(): boolean {
    return this.#record !== null;
  }

  /** For {@link zwClose} alone: the record, once. */
  takeRecord(): ObjectRecord | null {
    const record = this.#record;
    this.#record = null;
    return record;
  }
}

/** A handle on a key. For IoOpen…RegistryKey and their like. */
export function newRegistryHandle(key: RegistryKey, desiredAccess: number): RegistryHandle {
  let access = desiredAccess;
  if ((access & MAXIMUM_ALLOWED) !== 0) access |= KEY_ALL_ACCESS;
  for (const [generic, mask] of GENERIC_MASKS) if ((access & generic) !== 0) access |= mask;
  return new RegistryHandle(
    key,
    access & KEY_ALL_ACCESS,
    currentKernel().objects.register('registry handle', key.path),
  );
}

function requireAccess(handle: RegistryHandle, access: number, ddi: string): RegistryKey {
  requireIrql(PASSIVE_LEVEL, ddi);
  if (!handle.isOpen) throw new NtError(STATUS_INVALID_HANDLE, `${ddi}: the registry handle is closed`);
  if ((handle.access & access) !== access) {
    throw new NtError(
      STATUS_ACCESS_DENIED,
      `${ddi}: the handle on ${handle.key.path} was opened without this access`,
    );
  }
  if (handle.key.deleted) throw new NtError(STATUS_KEY_DELETED, handle.key.path);
  return handle.key;
}

function rootOf(attributes: OBJECT_ATTRIBUTES, access: number, ddi: string): RegistryKey | null {
  const root = attributes.rootDirectory ?? null;
  return root === null ? null : requireAccess(root, access, ddi);
}

/**
 * ZwOpenKey. Throws STATUS_OBJECT_NAME_NOT_FOUND when the key does not exist, STATUS_OBJECT_PATH_SYNTAX_BAD for a name that is
 * neither full nor relative to a root directory.
 */
export function zwOpenKey(attributes: OBJECT_ATTRIBUTES, desiredAccess: number = KEY_READ): RegistryHandle {
  requireIrql(PASSIVE_LEVEL, 'ZwOpenKey');
  const from = rootOf(attributes, 0, 'ZwOpenKey');
  const key = currentKernel().registry.openKey(attributes.objectName, from);
  if (key === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, attributes.objectName);
  return newRegistryHandle(key, desiredAccess);
}

/**
 * ZwCreateKey: opens a key or makes it below an existing one. Throws STATUS_OBJECT_NAME_NOT_FOUND when more than the last component
 * is missing, STATUS_CHILD_MUST_BE_VOLATILE below a volatile key, STATUS_ACCESS_DENIED.
 */
export function zwCreateKey(
  attributes: OBJECT_ATTRIBUTES,
  desiredAccess: number = KEY_ALL_ACCESS,
  className = '',
  createOptions: number = REG_OPTION_NON_VOLATILE,
): { keyHandle: RegistryHandle; disposition: number } {
  requireIrql(PASSIVE_LEVEL, 'ZwCreateKey');
  const { registry } = currentKernel();
  const from = rootOf(attributes, 0, 'ZwCreateKey');
  if (from !== null && registry.openKey(attributes.objectName, from) === null) {
    rootOf(attributes, KEY_CREATE_SUB_KEY, 'ZwCreateKey');
  }
  const isVolatile = (createOptions & REG_OPTION_VOLATILE) !== 0;
  const { key, created } = registry.openOrCreateKey(attributes.objectName, from, className, isVolatile);
  if (created) touch(key);
  return {
    keyHandle: newRegistryHandle(key, desiredAccess),
    disposition: created ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY,
  };
}

/** ZwClose on a registry handle. A second time throws STATUS_INVALID_HANDLE. */
export function zwClose(handle: RegistryHandle): void {
  requireIrql(PASSIVE_LEVEL, 'ZwClose');
  const record = handle.takeRecord();
  if (record === null)
    throw new NtError(STATUS_INVALID_HANDLE, 'ZwClose: the registry handle is closed already');
  currentKernel().objects.remove(record);
}

/** ZwSetValueKey; `valueName` '' is the default value. Needs KEY_SET_VALUE. */
export function zwSetValueKey(
  handle: RegistryHandle,
  valueName: string,
  type: number,
  data: Uint8Array,
): void {
  const key = requireAccess(handle, KEY_SET_VALUE, 'ZwSetValueKey');
  key.setValue(valueName, type, data);
  touch(key);
}

/** ZwDeleteValueKey. Throws STATUS_OBJECT_NAME_NOT_FOUND. Needs KEY_SET_VALUE. */
export function zwDeleteValueKey(handle: RegistryHandle, valueName: string): void {
  const key = requireAccess(handle, KEY_SET_VALUE, 'ZwDeleteValueKey');
  if (!key.deleteValue(valueName))
    throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `${key.path}, value '${valueName}'`);
  touch(key);
}

/** ZwDeleteKey. The handle stays to be closed. Throws STATUS_CANNOT_DELETE while there are subkeys. Needs DELETE. */
export function zwDeleteKey(handle: RegistryHandle): void {
  const key = requireAccess(handle, DELETE, 'ZwDeleteKey');
  key.delete();
  if (key.parent !== null) touch(key.parent);
}

/** ZwFlushKey: the registry is in memory; only the handle is looked at. */
export function zwFlushKey(handle: RegistryHandle): void {
  requireAccess(handle, 0, 'ZwFlushKey');
}

/**
 * ZwQueryValueKey into `buffer` (null: size query) as KEY_VALUE_BASIC, _FULL or _PARTIAL_INFORMATION. Throws
 * STATUS_OBJECT_NAME_NOT_FOUND, STATUS_INVALID_PARAMETER for another class. Needs KEY_QUERY_VALUE.
 */
export function zwQueryValueKey(
  handle: RegistryHandle,
  valueName: string,
  informationClass: number,
  buffer: Uint8Array | null,
): RegistryQueryResult {
  const key = requireAccess(handle, KEY_QUERY_VALUE, 'ZwQueryValueKey');
  const value = key.value(valueName);
  requireClass(informationClass, KeyValuePartialInformation);
  if (value === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, `${key.path}, value '${valueName}'`);
  return answer(valueInformation(value, informationClass), buffer);
}

/** ZwEnumerateValueKey: the value at `index`. Throws STATUS_NO_MORE_ENTRIES beyond the last. Needs KEY_QUERY_VALUE. */
export function zwEnumerateValueKey(
  handle: RegistryHandle,
  index: number,
  informationClass: number,
  buffer: Uint8Array | null,
): RegistryQueryResult {
  const key = requireAccess(handle, KEY_QUERY_VALUE, 'ZwEnumerateValueKey');
  requireClass(informationClass, KeyValuePartialInformation);
  const value = key.values[index];
  if (value === undefined) throw new NtError(STATUS_NO_MORE_ENTRIES, `${key.path}, value ${index}`);
  return answer(valueInformation(value, informationClass), buffer);
}

/** ZwQueryKey as KEY_BASIC, _NODE, _FULL or _NAME_INFORMATION. Needs KEY_QUERY_VALUE, except for the name. */
export function zwQueryKey(
  handle: RegistryHandle,
  informationClass: number,
  buffer: Uint8Array | null,
): RegistryQueryResult {
  const access = informationClass === KeyNameInformation ? 0 : KEY_QUERY_VALUE;
  const key = requireAccess(handle, access, 'ZwQueryKey');
  requireClass(informationClass, KeyNameInformation);
  return answer(keyInformation(key, informationClass), buffer);
}

/** ZwEnumerateKey: the subkey at `index`, not by name. Throws STATUS_NO_MORE_ENTRIES. Needs KEY_ENUMERATE_SUB_KEYS. */
export function zwEnumerateKey(
  handle: RegistryHandle,
  index: number,
  informationClass: number,
  buffer: Uint8Array | null,
): RegistryQueryResult {
  const key = requireAccess(handle, KEY_ENUMERATE_SUB_KEYS, 'ZwEnumerateKey');
  requireClass(informationClass, KeyFullInformation);
  const subkey = key.subkeys[index];
  if (subkey === undefined) throw new NtError(STATUS_NO_MORE_ENTRIES, `${key.path}, subkey ${index}`);
  return answer(keyInformation(subkey, informationClass), buffer);
}

function requireClass(informationClass: number, highest: number): void {
  if (!Number.isInteger(informationClass) || informationClass < 0 || informationClass > highest) {
    throw new NtError(STATUS_INVALID_PARAMETER, `information class ${informationClass}`);
  }
}

interface Information {
  /** The whole structure. */
  readonly bytes: Uint8Array;
  /** Size up to the first member of variable length. */
  readonly fixedSize: number;
}

function answer({ bytes, fixedSize }: Information, buffer: Uint8Array | null): RegistryQueryResult {
  const length = buffer?.length ?? 0;
  if (buffer === null || length < fixedSize) {
    return { status: STATUS_BUFFER_TOO_SMALL, resultLength: bytes.length };
  }
  buffer.set(bytes.subarray(0, length));
  return {
    status: length < bytes.length ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS,
    resultLength: bytes.length,
  };
}

function valueInformation(value: RegistryValue, informationClass: number): Information {
  const name = encodeUtf16(value.name);
  switch (informationClass) {
    case KeyValueBasicInformation: {
      const { bytes, view } = newInformation(12 + name.length);
      view.setUint32(4, value.type, true);
      view.setUint32(8, name.length, true);
      bytes.set(name, 12);
      return { bytes, fixedSize: 12 };
    }
    case KeyValueFullInformation: {
      const dataOffset = 20 + name.length;
      const { bytes, view } = newInformation(dataOffset + value.data.length);
      view.setUint32(4, value.type, true);
      view.setUint32(8, dataOffset, true);
      view.setUint32(12, value.data.length, true);
      view.setUint32(16, name.length, true);
      bytes.set(name, 20);
      bytes.set(value.data, dataOffset);
      return { bytes, fixedSize: 20 };
    }
    default: {
      const { bytes, view } = newInformation(12 + value.data.length);
      view.setUint32(4, value.type, true);
      view.setUint32(8, value.data.length, true);
      bytes.set(value.data, 12);
      return { bytes, fixedSize: 12 };
    }
  }
}

function keyInformation(key: RegistryKey, informationClass: number): Information {
  const className = encodeUtf16(key.className);
  // A key without a class says so with the offset −1.
  const classOffset = (offset: number) => (className.length === 0 ? 0xffffffff : offset);
  switch (informationClass) {
    case KeyBasicInformation: {
      const name = encodeUtf16(key.name);
      const { bytes, view } = newInformation(16 + name.length);
      view.setBigInt64(0, key.lastWriteTime, true);
      view.setUint32(12, name.length, true);
      bytes.set(name, 16);
      return { bytes, fixedSize: 16 };
    }
    case KeyNodeInformation: {
      const name = encodeUtf16(key.name);
      const { bytes, view } = newInformation(24 + name.length + className.length);
      view.setBigInt64(0, key.lastWriteTime, true);
      view.setUint32(12, classOffset(24 + name.length), true);
      view.setUint32(16, className.length, true);
      view.setUint32(20, name.length, true);
      bytes.set(name, 24);
      bytes.set(className, 24 + name.length);
      return { bytes, fixedSize: 24 };
    }
    case KeyFullInformation: {
      const { bytes, view } = newInformation(44 + className.length);
      const longest = (lengths: readonly number[]) =>
        lengths.reduce((most, length) => Math.max(most, length), 0);
      view.setBigInt64(0, key.lastWriteTime, true);
      view.setUint32(12, classOffset(44), true);
      view.setUint32(16, className.length, true);
      view.setUint32(20, key.subkeys.length, true);
      view.setUint32(24, longest(key.subkeys.map((k) => k.name.length * 2)), true);
      view.setUint32(28, longest(key.subkeys.map((k) => k.className.length * 2)), true);
      view.setUint32(32, key.valueCount, true);
      view.setUint32(36, longest(key.values.map((v) => v.name.length * 2)), true);
      view.setUint32(40, longest(key.values.map((v) => v.data.length)), true);
      bytes.set(className, 44);
      return { bytes, fixedSize: 44 };
    }
    default: {
      const name = encodeUtf16(key.path);
      const { bytes, view } = newInformation(4 + name.length);
      view.setUint32(0, name.length, true);
      bytes.set(name, 4);
      return { bytes, fixedSize: 4 };
    }
  }
}

function newInformation(size: number): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

function touch(key: RegistryKey): void {
  key.lastWriteTime = keQuerySystemTime();
}
