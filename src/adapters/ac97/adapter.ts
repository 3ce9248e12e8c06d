import { ioGetDmaAdapter } from '../../hal/index.ts';
import type { DEVICE_OBJECT, DRIVER_OBJECT, DriverPackage, IRP } from '../../kernel/index.ts';
import {
  CLSID_PortTopology,
  CLSID_PortWaveRT,
  type IResourceList,
  pcAddAdapterDevice,
  pcGetPhysicalDeviceObject,
  pcInitializeAdapterDriver,
  pcNewPort,
  pcRegisterAdapterPowerManagement,
  pcRegisterPhysicalConnection,
} from '../../portcls/index.ts';
import { installSubdevice } from '../common/subdevice.ts';
import { Ac97Common } from './common.ts';
import { BUS_MASTER } from './descriptor-ring.ts';
import { MEDIA_CATEGORIES } from './names.ts';
import { Ac97TopologyMiniport } from './topology-miniport.ts';
import { WavePin } from './wave-filter.ts';
import { Ac97WaveMiniport } from './wave-miniport.ts';

/** Subdevices: wave and topology. */
const MAX_MINIPORTS = 2;

/** Reference strings of the subdevices; the INF's AddInterface directives carry the same. */
export const WAVE_NAME = 'Wave';
export const TOPOLOGY_NAME = 'Topology';

/** DriverEntry. */
export function driverEntry(driverObject: DRIVER_OBJECT, registryPath: string): void {
  pcInitializeAdapterDriver(driverObject, registryPath, addDevice);
}

function addDevice(driverObject: DRIVER_OBJECT, physicalDeviceObject: DEVICE_OBJECT): void {
  pcAddAdapterDevice(driverObject, physicalDeviceObject, startDevice, MAX_MINIPORTS, 0);
}

function startDevice(deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList): void {
  const dmaAdapter = ioGetDmaAdapter(pcGetPhysicalDeviceObject(deviceObject), BUS_MASTER);
  using common = new Ac97Common(resourceList, dmaAdapter);
  common.start(resourceList);
  pcRegisterAdapterPowerManagement(common, deviceObject);

  // The topology filter first: its arrival is what makes the system build endpoints.
  using topologyMiniport = new Ac97TopologyMiniport();
  using topology = installSubdevice(
    { deviceObject, irp },
    TOPOLOGY_NAME,
    pcNewPort(CLSID_PortTopology),
    topologyMiniport,
    common,
    resourceList,
  );
  using waveMiniport = new Ac97WaveMiniport();
  using wave = installSubdevice(
    { deviceObject, irp },
    WAVE_NAME,
    pcNewPort(CLSID_PortWaveRT),
    waveMiniport,
    common,
    resourceList,
  );

  const pins = topologyMiniport.bridgePins;
  pcRegisterPhysicalConnection(deviceObject, wave, WavePin.renderBridge, topology, pins.waveOut);
  pcRegisterPhysicalConnection(deviceObject, topology, pins.record, wave, WavePin.captureBridge);
  if (pins.micRecord !== null) {
    pcRegisterPhysicalConnection(deviceObject, topology, pins.micRecord, wave, WavePin.micBridge);
  }
}

/** What the INF says: which hardware the driver is for, and what it writes to the registry. */
export const install: DriverPackage = {
  name: 'ac97',
  description: "Intel ICH AC'97 Audio Controller",
  hardwareIds: ['PCI\\VEN_8086&DEV_2415'],
  driverEntry,
  registry: { driver: MEDIA_CATEGORIES },
};
