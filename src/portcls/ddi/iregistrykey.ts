import { guid, IID, type IUnknown } from '../../com/index.ts';

export type { OBJECT_ATTRIBUTES } from '../../kernel/index.ts';

/** Kinds of keys that pcNewRegistryKey and IPort.newRegistryKey open (portcls.h). */
export const GeneralRegistryKey = 0;
export const DeviceRegistryKey = 1;
export const DriverRegistryKey = 2;
export const HwProfileRegistryKey = 3;
export const DeviceInterfaceRegistryKey = 4;

/** A value of a key (KEY_VALUE_FULL_INFORMATION without its offsets). */
export interface RegistryKeyValue {
  readonly name: string;
  /** REG_* */
  readonly type: number;
  readonly data: Uint8Array;
}

/** What queryKey tells (KEY_FULL_INFORMATION). Lengths in bytes of UTF-16 names, as in the WDK. */
export interface RegistryKeyInformation {
  readonly name: string;
  readonly subKeys: number;
  readonly maxNameLength: number;
  readonly values: number;
  readonly maxValueNameLength: number;
  readonly maxValueDataLength: number;
}

/** One entry of queryRegistryValues (RTL_QUERY_REGISTRY_TABLE, the part audio drivers use). */
export interface RegistryQuery {
  /** Subkey to look in; absent: this key. */
  readonly subKeyName?: string;
  /** Value to read; null: every value of the key. */
  readonly name: string | null;
  /** Absent value without default and with `required`: STATUS_OBJECT_NAME_NOT_FOUND. */
  readonly required?: boolean;
  readonly defaultType?: number;
  readonly defaultData?: Uint8Array;
  readonly queryRoutine: (
    valueName: string,
    valueType: number,
    valueData: Uint8Array,
    context: unknown,
  ) => void;
}

/**
 * A registry key as an object (DDI page IRegistryKey); the last release closes it. All methods at PASSIVE_LEVEL. Results are
 * whole: the buffer-size statuses of the WDK forms cannot occur, the others are thrown as NtError.
 */
export interface IRegistryKey extends IUnknown {
  /** Deletes the key; throws STATUS_ACCESS_DENIED without DELETE access or with subkeys. Use no method but release after. */
  deleteKey(): void;
  /** Name of subkey `index`; throws STATUS_NO_MORE_ENTRIES past the end. */
  enumerateKey(index: number): { readonly name: string };
  /** Value `index`; throws STATUS_NO_MORE_ENTRIES past the end. */
  enumerateValueKey(index: number): RegistryKeyValue;
  /** Opens or creates a subkey. */
  newSubKey(
    outerUnknown: IUnknown | null,
    desiredAccess: number,
    subKeyName: string,
    createOptions?: number,
    disposition?: { value: number } | null,
  ): IRegistryKey;
  queryKey(): RegistryKeyInformation;
  /** Calls the routine of each entry; throws STATUS_OBJECT_NAME_NOT_FOUND where a required value is missing. */
  queryRegistryValues(queryTable: readonly RegistryQuery[], context?: unknown): void;
  /** A value by name; throws STATUS_OBJECT_NAME_NOT_FOUND. */
  queryValueKey(valueName: string): RegistryKeyValue;
  /** Creates or replaces a value. */
  setValueKey(valueName: string | null, type: number, data: Uint8Array): void;
}

export const IID_IRegistryKey = new IID<IRegistryKey>(
  'IID_IRegistryKey',
  guid('{E8DA4302-F304-11D0-958B-00C04FB925D3}'),
);
