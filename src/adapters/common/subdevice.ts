import type { IUnknown } from '../../com/index.ts';
import type { DEVICE_OBJECT, IRP } from '../../kernel/index.ts';
import { type IPort, type IResourceList, pcRegisterSubdevice } from '../../portcls/index.ts';

/** What StartDevice has in hand when it makes a subdevice. */
export interface SubdeviceContext {
  readonly deviceObject: DEVICE_OBJECT;
  readonly irp: IRP;
}

/**
 * Binds a port to its miniport and makes the pair visible under `name`. Returns the port, whose reference is the caller's; when something
 * fails it has been released. PASSIVE_LEVEL.
 */
export function installSubdevice(
  { deviceObject, irp }: SubdeviceContext,
  name: string,
  port: IPort,
  miniport: IUnknown,
  adapter: IUnknown | null,
  resourceList: IResourceList,
): IPort {
  try {
    port.init(deviceObject, irp, miniport, adapter, resourceList);
    pcRegisterSubdevice(deviceObject, name, port);
    return port;
  } catch (error) {
    port.release();
    throw error;
  }
}
