import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { DEVICE_OBJECT, IRP, OBJECT_ATTRIBUTES } from '../../kernel/index.ts';
import type { IRegistryKey } from './iregistrykey.ts';
import type { IResourceList } from './iresourcelist.ts';

/** What every port driver implements (DDI page IPort). All methods at PASSIVE_LEVEL. */
export interface IPort extends IUnknown {
  /**
   * Binds the port to its miniport: asks `unknownMiniport` for the interface this port needs, calls the miniport's init and
   * getDescription. Throws NtError: STATUS_NOINTERFACE when the miniport lacks the interface, what the miniport threw, or
   * STATUS_INVALID_DEVICE_REQUEST on a second call.
   */
  init(
    deviceObject: DEVICE_OBJECT,
    irp: IRP | null,
    unknownMiniport: IUnknown,
    unknownAdapter: IUnknown | null,
    resourceList: IResourceList,
  ): void;
  /** A PnP device property of the adapter; see {@link pcGetDeviceProperty}. */
  getDeviceProperty(deviceProperty: number): Uint8Array;
  /** Opens (or for GeneralRegistryKey creates) a registry key; see {@link pcNewRegistryKey}. */
  newRegistryKey(
    outerUnknown: IUnknown | null,
    registryKeyType: number,
    desiredAccess: number,
    objectAttributes?: OBJECT_ATTRIBUTES | null,
    createOptions?: number,
    disposition?: { value: number } | null,
  ): IRegistryKey;
}

export const IID_IPort = new IID<IPort>('IID_IPort', guid('{B4C90A25-5791-11D0-86F9-00A0C911B544}'));
