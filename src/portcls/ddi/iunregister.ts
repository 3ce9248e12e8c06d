import { guid, IID, type IUnknown } from '../../com/index.ts';
import type { DEVICE_OBJECT } from '../../kernel/index.ts';

/** Takes a subdevice away while the adapter stays (DDI page IUnregisterSubdevice). PASSIVE_LEVEL. */
export interface IUnregisterSubdevice extends IUnknown {
  /**
   * Undoes pcRegisterSubdevice: interfaces off, no new opens; handles that are open live until they are closed. Throws
   * STATUS_NOT_FOUND when `unknown` is not a registered subdevice of the device.
   */
  unregisterSubdevice(deviceObject: DEVICE_OBJECT, unknown: IUnknown): void;
}

/** Takes physical connections away (DDI page IUnregisterPhysicalConnection), with the arguments of their registration. */
export interface IUnregisterPhysicalConnection extends IUnknown {
  unregisterPhysicalConnection(
    deviceObject: DEVICE_OBJECT,
    fromUnknown: IUnknown,
    fromPin: number,
    toUnknown: IUnknown,
    toPin: number,
  ): void;
  unregisterPhysicalConnectionToExternal(
    deviceObject: DEVICE_OBJECT,
    fromUnknown: IUnknown,
    fromPin: number,
    toSymbolicLink: string,
    toPin: number,
  ): void;
  unregisterPhysicalConnectionFromExternal(
    deviceObject: DEVICE_OBJECT,
    fromSymbolicLink: string,
    fromPin: number,
    toUnknown: IUnknown,
    toPin: number,
  ): void;
}

export const IID_IUnregisterSubdevice = new IID<IUnregisterSubdevice>(
  'IID_IUnregisterSubdevice',
  guid('{16738177-E199-41F9-9A87-ABB2A5432F21}'),
);
export const IID_IUnregisterPhysicalConnection = new IID<IUnregisterPhysicalConnection>(
  'IID_IUnregisterPhysicalConnection',
  guid('{6C38E231-2A0D-428D-81F8-07CC428BB9A4}'),
);
