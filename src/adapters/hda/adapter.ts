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
import { installSubdevice, type SubdeviceContext } from '../common/subdevice.ts';
import { HdaAdapter } from './adapter-object.ts';
import type { HdaFunction } from './function.ts';
import { type CodecObserver, inspectFunction } from './inspection.ts';
import { NameList } from './names.ts';
import { HdaPciConfig } from './pci-config.ts';
import { HdaTopologyMiniport } from './topology-miniport.ts';
import { bridgePinOf } from './wave-filter.ts';
import { HdaWaveMiniport } from './wave-miniport.ts';

/** Wave and topology for each audio function group; a link has 15 codecs at most. */
const MAX_MINIPORTS = 2 * 15;

/** Reference strings of the first codec's subdevices; those of the next ones have a number behind them, from 2 on. */
export const WAVE_NAME = 'Wave';
export const TOPOLOGY_NAME = 'Topology';

/** DriverEntry. */
export function driverEntry(driverObject: DRIVER_OBJECT, registryPath: string): void {
  enter(driverObject, registryPath, null);
}

function enter(driverObject: DRIVER_OBJECT, registryPath: string, observer: CodecObserver | null): void {
  pcInitializeAdapterDriver(driverObject, registryPath, (driver, physicalDeviceObject) =>
    pcAddAdapterDevice(
      driver,
      physicalDeviceObject,
      (deviceObject, irp, resourceList) => startDevice(deviceObject, irp, resourceList, observer),
      MAX_MINIPORTS,
      0,
    ),
  );
}

function startDevice(
  deviceObject: DEVICE_OBJECT,
  irp: IRP,
  resourceList: IResourceList,
  observer: CodecObserver | null,
): void {
  const physicalDeviceObject = pcGetPhysicalDeviceObject(deviceObject);
  using adapter = new HdaAdapter(resourceList, new HdaPciConfig(physicalDeviceObject), (description) =>
    ioGetDmaAdapter(physicalDeviceObject, description),
  );
  const names = new NameList();
  const functions = adapter.start(resourceList, names);
  try {
    // Before anybody sees a filter and asks for them.
    names.write(deviceObject);
    pcRegisterAdapterPowerManagement(adapter, deviceObject);
    for (const [index, hdaFunction] of functions.entries()) {
      const number = index === 0 ? '' : String(index + 1);
      installFunction({ deviceObject, irp }, hdaFunction, number, resourceList);
      observer?.(inspectFunction(hdaFunction, TOPOLOGY_NAME + number));
    }
  } finally {
    for (const hdaFunction of functions) hdaFunction.release();
  }
}

function installFunction(
  context: SubdeviceContext,
  hdaFunction: HdaFunction,
  number: string,
  resourceList: IResourceList,
): void {
  const { deviceObject } = context;
  // The topology filter first: its arrival is what makes the system build endpoints.
  using topologyMiniport = new HdaTopologyMiniport();
  using topology = installSubdevice(
    context,
    TOPOLOGY_NAME + number,
    pcNewPort(CLSID_PortTopology),
    topologyMiniport,
    hdaFunction,
    resourceList,
  );
  using waveMiniport = new HdaWaveMiniport();
  using wave = installSubdevice(
    context,
    WAVE_NAME + number,
    pcNewPort(CLSID_PortWaveRT),
    waveMiniport,
    hdaFunction,
    resourceList,
  );
  for (const [device, { direction }] of hdaFunction.plan.devices.entries()) {
    const wavePin = bridgePinOf(device);
    const topologyPin = hdaFunction.topology.devicePins[device] as number;
    if (direction === 'render')
      pcRegisterPhysicalConnection(deviceObject, wave, wavePin, topology, topologyPin);
    else pcRegisterPhysicalConnection(deviceObject, topology, topologyPin, wave, wavePin);
  }
}

/** What the INF says: which hardware the driver is for. */
export const install: DriverPackage = {
  name: 'hda',
  description: 'Intel High Definition Audio Controller',
  hardwareIds: ['PCI\\VEN_8086&DEV_2668', 'PCI\\VEN_8086&DEV_293E'],
  driverEntry,
};

/** The same driver with somebody who hears what codecs it has found, how they are set, and which widgets its nodes stand for. */
export function observedDriver(observer: CodecObserver): DriverPackage {
  return {
    ...install,
    driverEntry: (driverObject, registryPath) => enter(driverObject, registryPath, observer),
  };
}
