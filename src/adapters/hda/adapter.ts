import { ioGetDmaAdapter } from '../../hal/index.ts';
import type { DEVICE_OBJECT, DRIVER_OBJECT, DriverPackage, IRP } from '../../kernel/index.ts';
import {
  type IResourceList,
  pcAddAdapterDevice,
  pcGetPhysicalDeviceObject,
  pcInitializeAdapterDriver,
} from '../../portcls/index.ts';
import { HdaController } from './controller.ts';

/** Wave and topology for each audio function group; a link has 15 codecs at most. */
const MAX_MINIPORTS = 2 * 15;

/** DriverEntry. */
export function driverEntry(driverObject: DRIVER_OBJECT, registryPath: string): void {
  pcInitializeAdapterDriver(driverObject, registryPath, addDevice);
}

function addDevice(driverObject: DRIVER_OBJECT, physicalDeviceObject: DEVICE_OBJECT): void {
  pcAddAdapterDevice(driverObject, physicalDeviceObject, startDevice, MAX_MINIPORTS, 0);
}

function startDevice(deviceObject: DEVICE_OBJECT, _irp: IRP, resourceList: IResourceList): void {
  const physicalDeviceObject = pcGetPhysicalDeviceObject(deviceObject);
  new HdaController(resourceList, (description) => ioGetDmaAdapter(physicalDeviceObject, description));
}

/** What the INF says: which hardware the driver is for, and what it writes to the registry. */
export const install: DriverPackage = {
  name: 'hda',
  description: 'Intel High Definition Audio Controller',
  hardwareIds: ['PCI\\VEN_8086&DEV_2668', 'PCI\\VEN_8086&DEV_293E'],
  driverEntry,
};
