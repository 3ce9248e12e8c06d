import type { DEVICE_OBJECT, DRIVER_OBJECT, DriverPackage, IRP } from '../../kernel/index.ts';
import {
  CLSID_MiniportDriverFmSynth,
  CLSID_MiniportDriverUart,
  CLSID_PortMidi,
  CLSID_PortTopology,
  CLSID_PortWaveCyclic,
  type IResourceList,
  pcAddAdapterDevice,
  pcInitializeAdapterDriver,
  pcNewMiniport,
  pcNewPort,
  pcNewResourceSublist,
  pcRegisterAdapterPowerManagement,
  pcRegisterPhysicalConnection,
} from '../../portcls/index.ts';
import { installSubdevice } from '../common/subdevice.ts';
import { Sb16Common } from './common.ts';
import { MEDIA_CATEGORIES } from './names.ts';
import { TopologyPin } from './topology-filter.ts';
import { Sb16TopologyMiniport } from './topology-miniport.ts';
import { WavePin } from './wave-filter.ts';
import { Sb16WaveMiniport } from './wave-miniport.ts';

/** Subdevices: wave, topology, UART, FM synthesizer. */
const MAX_MINIPORTS = 4;

/** Reference strings of the subdevices; the INF's AddInterface directives carry the same. */
export const WAVE_NAME = 'Wave';
export const TOPOLOGY_NAME = 'Topology';
export const UART_NAME = 'UART';
export const FM_NAME = 'FMSynth';

/** Port ranges of the device, in the order of its Plug and Play resources: base, MPU-401, FM synthesizer. */
const PORT_BASE = 0;
const PORT_MPU401 = 1;
const PORT_FM = 2;
/** The FM synthesizer's filter has one bridge pin, its output. */
const FM_BRIDGE_PIN = 1;

/** DriverEntry. */
export function driverEntry(driverObject: DRIVER_OBJECT, registryPath: string): void {
  pcInitializeAdapterDriver(driverObject, registryPath, addDevice);
}

function addDevice(driverObject: DRIVER_OBJECT, physicalDeviceObject: DEVICE_OBJECT): void {
  pcAddAdapterDevice(driverObject, physicalDeviceObject, startDevice, MAX_MINIPORTS, 0);
}

/** The resources of one function of the card. The list is the caller's. */
function sublist(
  parent: IResourceList,
  entries: readonly (readonly ['Port' | 'Interrupt' | 'Dma', number])[],
): IResourceList {
  const list = pcNewResourceSublist(parent, entries.length);
  for (const [type, index] of entries) list.addEntryFromParent(parent, type, index);
  return list;
}

function startDevice(deviceObject: DEVICE_OBJECT, irp: IRP, resourceList: IResourceList): void {
  using common = new Sb16Common(resourceList);
  common.start(resourceList);
  pcRegisterAdapterPowerManagement(common, deviceObject);

  const context = { deviceObject, irp };

  using topologyMiniport = new Sb16TopologyMiniport();
  using topology = installSubdevice(
    context,
    TOPOLOGY_NAME,
    pcNewPort(CLSID_PortTopology),
    topologyMiniport,
    common,
    resourceList,
  );

  const dmaEntries = Array.from(
    { length: resourceList.numberOfEntriesOfType('Dma') },
    (_, index) => ['Dma', index] as const,
  );
  using waveResources = sublist(resourceList, [['Port', PORT_BASE], ['Interrupt', 0], ...dmaEntries]);
  using waveMiniport = new Sb16WaveMiniport();
  using wave = installSubdevice(
    context,
    WAVE_NAME,
    pcNewPort(CLSID_PortWaveCyclic),
    waveMiniport,
    common,
    waveResources,
  );
  pcRegisterPhysicalConnection(deviceObject, wave, WavePin.renderBridge, topology, TopologyPin.waveOut);
  pcRegisterPhysicalConnection(deviceObject, topology, TopologyPin.waveIn, wave, WavePin.captureBridge);

  const ports = resourceList.numberOfEntriesOfType('Port');
  if (ports > PORT_MPU401) {
    // The MPU-401 shares the card's interrupt: its driver finds the one interrupt object by asking its adapter for it.
    using uartResources = sublist(resourceList, [
      ['Port', PORT_MPU401],
      ['Interrupt', 0],
    ]);
    using uartMiniport = pcNewMiniport(CLSID_MiniportDriverUart);
    installSubdevice(
      context,
      UART_NAME,
      pcNewPort(CLSID_PortMidi),
      uartMiniport,
      common.interruptSync,
      uartResources,
    ).release();
  }
  if (ports > PORT_FM) {
    using fmResources = sublist(resourceList, [['Port', PORT_FM]]);
    using fmMiniport = pcNewMiniport(CLSID_MiniportDriverFmSynth);
    using fm = installSubdevice(context, FM_NAME, pcNewPort(CLSID_PortMidi), fmMiniport, null, fmResources);
    pcRegisterPhysicalConnection(deviceObject, fm, FM_BRIDGE_PIN, topology, TopologyPin.synth);
  }
}

/** What the INF says: which hardware the driver is for, and what it writes to the registry. */
export const install: DriverPackage = {
  name: 'sb16',
  description: 'Creative Labs Sound Blaster 16',
  hardwareIds: ['ISAPNP\\CTL0031', 'ISAPNP\\CTL0001', '*CTL0031', '*CTL0001', '*PNPB003'],
  driverEntry,
  registry: { driver: MEDIA_CATEGORIES },
};
