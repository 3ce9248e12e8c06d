import { CUnknown, type IID, type IUnknown } from '../../com/index.ts';
import {
  currentKernel,
  decodeSz,
  ioOpenDeviceInterfaceRegistryKey,
  ioOpenDeviceRegistryKey,
  KEY_READ,
  KeyBasicInformation,
  KeyValueBasicInformation,
  NtError,
  PASSIVE_LEVEL,
  PLUGPLAY_REGKEY_CURRENT_HWPROFILE,
  PLUGPLAY_REGKEY_DEVICE,
  PLUGPLAY_REGKEY_DRIVER,
  REG_OPENED_EXISTING_KEY,
  REG_SZ,
  type RegistryHandle,
  type RegistryValue,
  requireIrql,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MORE_ENTRIES,
  STATUS_OBJECT_NAME_NOT_FOUND,
  zwClose,
  zwCreateKey,
  zwDeleteKey,
  zwEnumerateKey,
  zwEnumerateValueKey,
  zwOpenKey,
  zwQueryKey,
  zwQueryValueKey,
  zwSetValueKey,
} from '../../kernel/index.ts';
import type { AdapterDevice } from '../adapter-device.ts';
import {
  DeviceInterfaceRegistryKey,
  DeviceRegistryKey,
  DriverRegistryKey,
  GeneralRegistryKey,
  HwProfileRegistryKey,
  IID_IRegistryKey,
  type IRegistryKey,
  type OBJECT_ATTRIBUTES,
  type RegistryKeyInformation,
  type RegistryKeyValue,
  type RegistryQuery,
} from '../ddi/index.ts';
import type { Subdevice } from '../subdevice.ts';

/** IRegistryKey over an open handle, which the last release closes. */
class RegistryKeyObject extends CUnknown implements IRegistryKey {
  readonly #handle: RegistryHandle;

  constructor(outerUnknown: IUnknown | null, handle: RegistryHandle) {
    super('RegistryKey', outerUnknown);
    this.#handle = handle;
  }

  deleteKey(): void {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::DeleteKey');
    zwDeleteKey(this.#handle);
  }

  enumerateKey(index: number): { readonly name: string } {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::EnumerateKey');
    // The query checks access and range; what it would lay out in a buffer is read from the key.
    zwEnumerateKey(this.#handle, index, KeyBasicInformation, null);
    const subkey = this.#handle.key.subkeys[index];
    if (subkey === undefined) throw new NtError(STATUS_NO_MORE_ENTRIES);
    return { name: subkey.name };
  }

  enumerateValueKey(index: number): RegistryKeyValue {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::EnumerateValueKey');
    zwEnumerateValueKey(this.#handle, index, KeyValueBasicInformation, null);
    const value = this.#handle.key.values[index];
    if (value === undefined) throw new NtError(STATUS_NO_MORE_ENTRIES);
    return copyValue(value);
  }

  newSubKey(
    outerUnknown: IUnknown | null,
    desiredAccess: number,
    subKeyName: string,
    createOptions = 0,
    disposition: { value: number } | null = null,
  ): IRegistryKey {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::NewSubKey');
    const created = zwCreateKey(
      { rootDirectory: this.#handle, objectName: subKeyName },
      desiredAccess,
      '',
      createOptions,
    );
    if (disposition !== null) disposition.value = created.disposition;
    return new RegistryKeyObject(outerUnknown, created.keyHandle);
  }

  queryKey(): RegistryKeyInformation {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::QueryKey');
    zwQueryKey(this.#handle, KeyBasicInformation, null);
    const { name, subkeys, values } = this.#handle.key;
    const longest = (lengths: readonly number[]) =>
      lengths.reduce((most, length) => Math.max(most, length), 0);
    return {
      name,
      subKeys: subkeys.length,
      maxNameLength: longest(subkeys.map((subkey) => subkey.name.length * 2)),
      values: values.length,
      maxValueNameLength: longest(values.map((value) => value.name.length * 2)),
      maxValueDataLength: longest(values.map((value) => value.data.byteLength)),
    };
  }

  queryRegistryValues(queryTable: readonly RegistryQuery[], context: unknown = null): void {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::QueryRegistryValues');
    const kernel = currentKernel();
    const driver = kernel.currentDriver ?? 'PortCls';
    for (const query of queryTable) {
      const values = this.#valuesFor(query);
      for (const { name, type, data } of values) {
        kernel.callOut(driver, 'QueryRoutine', () => query.queryRoutine(name, type, data, context));
      }
    }
  }

  queryValueKey(valueName: string): RegistryKeyValue {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::QueryValueKey');
    zwQueryValueKey(this.#handle, valueName, KeyValueBasicInformation, null);
    const value = this.#handle.key.value(valueName);
    if (value === null) throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, valueName);
    return copyValue(value);
  }

  setValueKey(valueName: string | null, type: number, data: Uint8Array): void {
    requireIrql(PASSIVE_LEVEL, 'IRegistryKey::SetValueKey');
    zwSetValueKey(this.#handle, valueName ?? '', type, data);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IRegistryKey) ? this : super.nonDelegatingQueryInterface(iid);
  }

  protected override finalRelease(): void {
    zwClose(this.#handle);
  }

  #valuesFor(query: RegistryQuery): readonly RegistryKeyValue[] {
    let handle = this.#handle;
    let opened: RegistryHandle | null = null;
    if (query.subKeyName !== undefined) {
      opened = openOrNull(() =>
        zwOpenKey({ rootDirectory: this.#handle, objectName: query.subKeyName ?? '' }, KEY_READ),
      );
      if (opened === null) return this.#absent(query);
      handle = opened;
    }
    try {
      if (query.name === null) return handle.key.values.map(copyValue);
      const value = handle.key.value(query.name);
      return value === null ? this.#absent(query) : [copyValue(value)];
    } finally {
      if (opened !== null) zwClose(opened);
    }
  }

  #absent(query: RegistryQuery): readonly RegistryKeyValue[] {
    if (query.defaultData !== undefined && query.name !== null) {
      return [{ name: query.name, type: query.defaultType ?? REG_SZ, data: query.defaultData }];
    }
    if (query.required === true)
      throw new NtError(STATUS_OBJECT_NAME_NOT_FOUND, query.name ?? query.subKeyName);
    return [];
  }
}

function copyValue(value: RegistryValue): RegistryKeyValue {
  return { name: value.name, type: value.type, data: value.data.slice() };
}

function openOrNull(open: () => RegistryHandle): RegistryHandle | null {
  try {
    return open();
  } catch (error) {
    if (error instanceof NtError) return null;
    throw error;
  }
}

/**
 * What pcNewRegistryKey and IPort.newRegistryKey do. `device` may be null for GeneralRegistryKey only; `subdevice` is the one
 * whose interface a DeviceInterfaceRegistryKey means.
 */
export function newRegistryKey(
  outerUnknown: IUnknown | null,
  registryKeyType: number,
  desiredAccess: number,
  device: AdapterDevice | null,
  subdevice: Subdevice | null,
  objectAttributes: OBJECT_ATTRIBUTES | null,
  createOptions: number,
  disposition: { value: number } | null,
): IRegistryKey {
  if (registryKeyType === GeneralRegistryKey) {
    if (objectAttributes === null || objectAttributes.objectName === '') {
      throw new NtError(STATUS_INVALID_PARAMETER, 'GeneralRegistryKey needs object attributes with a name');
    }
    const created = zwCreateKey(objectAttributes, desiredAccess, '', createOptions);
    if (disposition !== null) disposition.value = created.disposition;
    return new RegistryKeyObject(outerUnknown, created.keyHandle);
  }
  if (device === null) throw new NtError(STATUS_INVALID_PARAMETER, 'this kind of key needs a device object');
  const { physicalDeviceObject } = device;
  let handle: RegistryHandle;
  switch (registryKeyType) {
    case DeviceRegistryKey:
      handle = ioOpenDeviceRegistryKey(physicalDeviceObject, PLUGPLAY_REGKEY_DEVICE, desiredAccess);
      break;
    case DriverRegistryKey:
      handle = ioOpenDeviceRegistryKey(physicalDeviceObject, PLUGPLAY_REGKEY_DRIVER, desiredAccess);
      break;
    case HwProfileRegistryKey:
      handle = ioOpenDeviceRegistryKey(
        physicalDeviceObject,
        PLUGPLAY_REGKEY_DRIVER | PLUGPLAY_REGKEY_CURRENT_HWPROFILE,
        desiredAccess,
      );
      break;
    case DeviceInterfaceRegistryKey: {
      const symbolicLink = subdevice?.symbolicLink ?? null;
      if (symbolicLink === null) {
        throw new NtError(
          STATUS_INVALID_PARAMETER,
          'the port is not registered, so it has no device interface',
        );
      }
      handle = ioOpenDeviceInterfaceRegistryKey(symbolicLink, desiredAccess);
      break;
    }
    default:
      throw new NtError(STATUS_INVALID_PARAMETER, `no such kind of registry key: ${registryKeyType}`);
  }
  if (disposition !== null) disposition.value = REG_OPENED_EXISTING_KEY;
  return new RegistryKeyObject(outerUnknown, handle);
}

/** A value below the device's software key, or null when key or value is missing. */
export function readDriverKeyValue(
  device: AdapterDevice,
  subkey: string,
  valueName: string,
): RegistryKeyValue | null {
  const driverKey = openOrNull(() =>
    ioOpenDeviceRegistryKey(device.physicalDeviceObject, PLUGPLAY_REGKEY_DRIVER, KEY_READ),
  );
  if (driverKey === null) return null;
  try {
    return valueBelow(driverKey, subkey, valueName);
  } finally {
    zwClose(driverKey);
  }
}

function valueBelow(
  rootDirectory: RegistryHandle | null,
  key: string,
  valueName: string,
): RegistryKeyValue | null {
  const handle = openOrNull(() => zwOpenKey({ rootDirectory, objectName: key }, KEY_READ));
  if (handle === null) return null;
  try {
    const value = handle.key.value(valueName);
    return value === null ? null : copyValue(value);
  } finally {
    zwClose(handle);
  }
}

/** A REG_SZ by the key's full path, or null. */
export function readStringValue(key: string, valueName: string): string | null {
  const value = valueBelow(null, key, valueName);
  return value !== null && value.type === REG_SZ ? decodeSz(value.data) : null;
}
