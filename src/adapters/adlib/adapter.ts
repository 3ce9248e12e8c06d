import type { DEVICE_OBJECT, DRIVER_OBJECT, DriverPackage, IRP } from '../../kernel/index.ts';
import {
  CLSID_MiniportDriverFmSynthWithVol,
  CLSID_PortMidi,
  type IResourceList,
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewMiniport,
  pcNewPort,
} from '../../portcls/index.ts';
import { installSubdevice } from '../common/subdevice.ts';

/** Reference string of the one subdevice; the INF's AddInterface directive carries the same. */
export const FM_NAME = 'FMSynth';
const MAX_MINIPORTS = 1;

/** DriverEntry. */
export function driverEntry(driverObject: DRIVER_OBJECT, registryPath: string): void {
  pcInitializeAdapterDriver(driverObject, registryPath, addDevice);
}

function addDevice(driverObject: DRIVER_OBJECT, physicalDeviceObject: DEVICE_OBJECT): void {
  pcAddAdapterDevice(driverObject, physicalDeviceObject, startDevice, MAX_MINIPORTS, 0);
}

/** All there is to do is to give the card's ports to the FM synthesizer that PortCls has; the card has no mixer, hence the volume. */
function startDevice(deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList): void {
  using miniport = pcNewMiniport(CLSID_MiniportDriverFmSynthWithVol);
  installSubdevice(
    { deviceObject, irp },
    FM_NAME,
    pcNewPort(CLSID_PortMidi),
    miniport,
    null,
    resourceList,
  ).release();
}

/** What the INF says: which hardware the driver is for, and what it writes to the registry. */
export const install: DriverPackage = {
  name: 'adlib',
  description: 'AdLib Music Synthesizer Card',
  hardwareIds: ['*PNPB020'],
  driverEntry,
};
