import type { DEVICE_OBJECT, DRIVER_OBJECT, DriverPackage, IRP } from '../../kernel/index.ts';
import {
  CLSID_PortMidi,
  CLSID_PortTopology,
  CLSID_PortWavePci,
  type IResourceList,
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewPort,
  pcRegisterAdapterPowerManagement,
  pcRegisterPhysicalConnection,
} from '../../portcls/index.ts';
import { installSubdevice } from '../common/subdevice.ts';
import { Es1370Common } from './common.ts';
import { Es1370MidiMiniport } from './midi-miniport.ts';
import { MEDIA_CATEGORIES } from './names.ts';
import { Es1370TopologyMiniport } from './topology-miniport.ts';
import { WavePin } from './wave-filter.ts';
import { Es1370WaveMiniport } from './wave-miniport.ts';

/** Subdevices: wave, topology and MIDI. */
const MAX_MINIPORTS = 3;

/** Reference strings of the subdevices; the INF's AddInterface directives carry the same. */
export const WAVE_NAME = 'Wave';
export const TOPOLOGY_NAME = 'Topology';
export const MIDI_NAME = 'Uart';

/** DriverEntry. */
export function driverEntry(driverObject: DRIVER_OBJECT, registryPath: string): void {
  pcInitializeAdapterDriver(driverObject, registryPath, addDevice);
}

function addDevice(driverObject: DRIVER_OBJECT, physicalDeviceObject: DEVICE_OBJECT): void {
  pcAddAdapterDevice(driverObject, physicalDeviceObject, startDevice, MAX_MINIPORTS, 0);
}

function startDevice(deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList): void {
  using common = new Es1370Common(resourceList);
  common.start(resourceList);
  pcRegisterAdapterPowerManagement(common, deviceObject);

  // The topology filter first: its arrival is what makes the system build endpoints.
  using topologyMiniport = new Es1370TopologyMiniport();
  using topology = installSubdevice(
    { deviceObject, irp },
    TOPOLOGY_NAME,
    pcNewPort(CLSID_PortTopology),
    topologyMiniport,
    common,
    resourceList,
  );
  using waveMiniport = new Es1370WaveMiniport();
  using wave = installSubdevice(
    { deviceObject, irp },
    WAVE_NAME,
    pcNewPort(CLSID_PortWavePci),
    waveMiniport,
    common,
    resourceList,
  );

  const pins = topologyMiniport.bridgePins;
  pcRegisterPhysicalConnection(deviceObject, wave, WavePin.dac2Bridge, topology, pins.wave);
  pcRegisterPhysicalConnection(deviceObject, wave, WavePin.dac1Bridge, topology, pins.wave2);
  pcRegisterPhysicalConnection(deviceObject, topology, pins.record, wave, WavePin.adcBridge);

  if (!common.hasUart()) return;
  using midiMiniport = new Es1370MidiMiniport();
  using _midi = installSubdevice(
    { deviceObject, irp },
    MIDI_NAME,
    pcNewPort(CLSID_PortMidi),
    midiMiniport,
    common,
    resourceList,
  );
}

/** What the INF says: which hardware the driver is for, and what it writes to the registry. */
export const install: DriverPackage = {
  name: 'es1370',
  description: 'Ensoniq AudioPCI (ES1370)',
  hardwareIds: ['PCI\\VEN_1274&DEV_5000'],
  driverEntry,
  registry: { driver: MEDIA_CATEGORIES },
};
