import { describe, expect, it } from 'vitest';
import { BugcheckError } from './bugcheck.ts';
import {
  type DEVICE_OBJECT,
  type DRIVER_OBJECT,
  FILE_DEVICE_KS,
  IRP_MJ_PNP,
  IRP_MJ_POWER,
  ioCreateDevice,
} from './device.ts';
import {
  GUID_DEVICE_INTERFACE_ARRIVAL,
  GUID_DEVICE_INTERFACE_REMOVAL,
  ioGetDeviceInterfaces,
  ioOpenDeviceInterfaceRegistryKey,
  ioRegisterDeviceInterface,
  ioRegisterPlugPlayNotification,
  ioSetDeviceInterfaceState,
  ioUnregisterPlugPlayNotification,
} from './device-interface.ts';
import { ioCompleteRequest, ioGetCurrentIrpStackLocation, ioMarkIrpPending } from './irp.ts';
import { Kernel } from './kernel.ts';
import { NtError } from './nt-error.ts';
import {
  ntStatusName,
  STATUS_DEVICE_CONFIGURATION_ERROR,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_NO_SUCH_DEVICE,
  STATUS_OBJECT_NAME_EXISTS,
  STATUS_PENDING,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from './ntstatus.ts';
import { poRequestPowerIrp, type REQUEST_POWER_COMPLETE } from './pnp-power.ts';
import {
  DevicePropertyAddress,
  DevicePropertyAllocatedResources,
  DevicePropertyBusNumber,
  DevicePropertyBusTypeGuid,
  DevicePropertyClassGuid,
  DevicePropertyClassName,
  DevicePropertyCompatibleIDs,
  DevicePropertyDeviceDescription,
  DevicePropertyDriverKeyName,
  DevicePropertyEnumeratorName,
  DevicePropertyFriendlyName,
  DevicePropertyHardwareID,
  DevicePropertyLegacyBusType,
  DevicePropertyLocationInformation,
  DevicePropertyManufacturer,
  DevicePropertyPhysicalDeviceObjectName,
  DevicePropertyUINumber,
  ioGetDeviceProperty,
  ioOpenDeviceRegistryKey,
  PLUGPLAY_REGKEY_DEVICE,
  PLUGPLAY_REGKEY_DRIVER,
} from './pnp-properties.ts';
import { pnpQueryInterface, sendPnpIrp } from './pnp-requests.ts';
import {
  type BUS_INTERFACE_STANDARD,
  type DEVICE_NODE,
  type DriverPackage,
  GUID_BUS_INTERFACE_STANDARD,
  GUID_BUS_TYPE_PCI,
  type INTERFACE,
  IRP_MN_QUERY_POWER,
  IRP_MN_QUERY_REMOVE_DEVICE,
  IRP_MN_QUERY_STOP_DEVICE,
  IRP_MN_SET_POWER,
  IRP_MN_STOP_DEVICE,
  irpMinorName,
  PNP_DEVICE_FAILED,
  PowerDeviceD0,
  PowerDeviceD3,
  PowerSystemSleeping3,
  PowerSystemWorking,
} from './pnp-types.ts';
import { UserProcess } from './process.ts';
import { Registry } from './registry.ts';
import { KEY_ALL_ACCESS, zwClose } from './registry-api.ts';
import { decodeMultiSz, decodeSz } from './registry-values.ts';
import {
  decodeResourceList,
  encodeResourceList,
  type IO_RESOURCE_REQUIREMENTS_LIST,
  makeResourceList,
  resourceDescriptors,
} from './resources.ts';
import { FakeBus, FakeDriver, KSCATEGORY_AUDIO, KSCATEGORY_RENDER, raw, translated } from './test-driver.ts';
import { TestPlatform } from './test-platform.ts';
import { exQueueWorkItem, WORK_QUEUE_ITEM } from './work-item.ts';

function machine(registry?: Registry): { kernel: Kernel; bus: FakeBus; driver: FakeDriver } {
  const kernel = new Kernel(new TestPlatform(), registry === undefined ? {} : { registry });
  const bus = new FakeBus();
  kernel.pnp.addBus(bus);
  return { kernel, bus, driver: new FakeDriver() };
}

function running(): { kernel: Kernel; bus: FakeBus; driver: FakeDriver; node: DEVICE_NODE; name: string } {
  const { kernel, bus, driver } = machine();
  const name = bus.add(5);
  kernel.pnp.installDriver(driver.package());
  kernel.pnp.start();
  driver.take();
  bus.log.length = 0;
  const node = kernel.pnp.findDevice(name);
  if (node === null) throw new Error('no device');
  return { kernel, bus, driver, node, name };
}

function statusOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
  return 'none';
}

const WAVE = '\\\\?\\PCI#VEN_8086&DEV_2415#3&0&28#{6994ad04-93ef-11d0-a3cc-00a0c9223196}\\Wave';

describe('starting devices', () => {
  it('goes through DriverEntry, AddDevice and IRP_MN_START_DEVICE with raw and translated resources', () => {
    const { kernel, bus, driver } = machine();
    const name = bus.add(5);
    kernel.pnp.installDriver(driver.package());
    kernel.pnp.start();
    expect(driver.log).toEqual(['DriverEntry fakeaudio', 'AddDevice', 'START_DEVICE']);
    expect(bus.log).toEqual([`${name} start`]);
    expect(driver.started).toEqual({ raw, translated });
    const node = kernel.pnp.findDevice('PCI\\ven_8086&dev_2415\\3&0&28');
    expect(node).toMatchObject({
      busDevice: name,
      state: 'DeviceNodeStarted',
      driverName: 'fakeaudio',
      problem: null,
      allocatedResources: raw,
    });
    expect(node?.capabilities).toMatchObject({ address: 0x50000, deviceD1: true });
    expect(kernel.pnp.report()).toBe(
      'PCI\\VEN_8086&DEV_2415\\3&0&28 (Multimedia Audio Controller): fakeaudio, DeviceNodeStarted\n',
    );
  });

  it('loads a driver once for several devices', () => {
    const { kernel, bus, driver } = machine();
    bus.add(4);
    bus.add(5);
    kernel.pnp.installDriver(driver.package());
    kernel.pnp.start();
    expect(driver.log).toEqual([
      'DriverEntry fakeaudio',
      'AddDevice',
      'START_DEVICE',
      'AddDevice',
      'START_DEVICE',
    ]);
  });

  it('prefers the package that names the more specific id', () => {
    const { kernel, bus, driver } = machine();
    bus.add(5);
    const generic = new FakeDriver();
    kernel.pnp.installDriver(generic.package({ name: 'generic', hardwareIds: ['PCI\\CC_0401'] }));
    kernel.pnp.installDriver(driver.package());
    kernel.pnp.installDriver(
      generic.package({ name: 'compatible', hardwareIds: [], compatibleIds: ['PCI\\VEN_8086&DEV_2415'] }),
    );
    kernel.pnp.start();
    expect(kernel.pnp.devices[0]?.driverName).toBe('fakeaudio');
    expect(generic.log).toEqual([]);
  });

  it('takes a driver that is installed later, and a device that is plugged in later', () => {
    const { kernel, bus, driver } = machine();
    bus.add(4);
    kernel.pnp.start();
    expect(kernel.pnp.problems[0]?.problem).toMatchObject({ code: 28, name: 'CM_PROB_FAILED_INSTALL' });
    kernel.pnp.installDriver(driver.package());
    expect(kernel.pnp.problems).toEqual([]);
    bus.add(5);
    kernel.pnp.reenumerate();
    expect(kernel.pnp.devices.map((node) => node.state)).toEqual(['DeviceNodeStarted', 'DeviceNodeStarted']);
  });

  it('lets the driver filter the resource requirements', () => {
    const { kernel, bus, driver } = machine();
    const requirements: IO_RESOURCE_REQUIREMENTS_LIST = {
      interfaceType: 'PCIBus',
      busNumber: 0,
      slotNumber: 5,
      alternativeLists: [
        [
          {
            option: 0,
            type: 'Port',
            shareDisposition: 'DeviceExclusive',
            flags: 1,
            length: 256,
            alignment: 256,
            minimum: 0,
            maximum: 0xffff,
          },
        ],
      ],
    };
    const seen: (IO_RESOURCE_REQUIREMENTS_LIST | null)[] = [];
    bus.add(5, { resourceRequirements: requirements });
    bus.assign = (list) => seen.push(list);
    driver.onFilter = (list) => (list === null ? null : { ...list, slotNumber: 6 });
    kernel.pnp.installDriver(driver.package());
    kernel.pnp.start();
    expect(seen).toEqual([{ ...requirements, slotNumber: 6 }]);
  });

  const failures: [string, (driver: FakeDriver, bus: FakeBus) => void, object, RegExp][] = [
    [
      'DriverEntry',
      (driver) => {
        driver.entryStatus = STATUS_INSUFFICIENT_RESOURCES;
      },
      { code: 37, status: STATUS_INSUFFICIENT_RESOURCES },
      /^Multimedia Audio Controller \(PCI.*\): DriverEntry of driver 'fakeaudio' failed with STATUS_INSUFFICIENT_RESOURCES\.$/,
    ],
    [
      'AddDevice',
      (driver) => {
        driver.addStatus = STATUS_UNSUCCESSFUL;
      },
      { code: 31, status: STATUS_UNSUCCESSFUL },
      /AddDevice of driver 'fakeaudio' failed with STATUS_UNSUCCESSFUL/,
    ],
    [
      'attaching',
      (driver) => {
        driver.attach = false;
      },
      { code: 31 },
      /attached no device object/,
    ],
    [
      'IRP_MN_START_DEVICE',
      (driver) => {
        driver.onStart = () => {
          throw new NtError(STATUS_DEVICE_CONFIGURATION_ERROR);
        };
      },
      { code: 10, status: STATUS_DEVICE_CONFIGURATION_ERROR },
      /IRP_MN_START_DEVICE failed with STATUS_DEVICE_CONFIGURATION_ERROR in the stack of driver 'fakeaudio'/,
    ],
    [
      'the resources',
      (_driver, bus) => {
        bus.assign = () => {
          throw new NtError(STATUS_INSUFFICIENT_RESOURCES, 'no ports left');
        };
      },
      { code: 12, status: STATUS_INSUFFICIENT_RESOURCES },
      /resources could not be assigned: STATUS_INSUFFICIENT_RESOURCES: no ports left/,
    ],
    [
      'the device after its start',
      (driver) => {
        driver.deviceState = PNP_DEVICE_FAILED;
      },
      { code: 43 },
      /said that it has failed/,
    ],
  ];
  it.each(failures)('says which step of which driver failed: %s', (_name, spoil, problem, text) => {
    const { kernel, bus, driver } = machine();
    const name = bus.add(5);
    spoil(driver, bus);
    kernel.pnp.installDriver(driver.package());
    kernel.pnp.start();
    const node = kernel.pnp.findDevice(name);
    expect(node?.problem).toMatchObject(problem);
    expect(node?.problem?.text).toMatch(text);
    expect(node?.state).toBe('DeviceNodeInitialized');
    expect(node?.physicalDeviceObject.attachedDevice).toBeNull();
    // Nothing of the driver stays behind.
    const kinds = kernel.leakReport().leaks.map((leak) => `${leak.kind} ${leak.name}`);
    expect(kinds).toEqual(['DEVICE_OBJECT \\Device\\NTPNP_PCI_00_05_0']);
  });

  it('can be tried again after a failure', () => {
    const { kernel, bus, driver } = machine();
    const name = bus.add(5);
    driver.addStatus = STATUS_UNSUCCESSFUL;
    kernel.pnp.installDriver(driver.package());
    kernel.pnp.start();
    const node = kernel.pnp.findDevice(name);
    expect(node && statusOf(() => kernel.pnp.startDevice(node))).toBe('STATUS_UNSUCCESSFUL');
    driver.addStatus = STATUS_SUCCESS;
    if (node !== null) kernel.pnp.startDevice(node);
    expect(node?.state).toBe('DeviceNodeStarted');
    expect(node?.problem).toBeNull();
  });

  it('is a bugcheck of the driver when DriverEntry throws anything but a status', () => {
    const { kernel, bus } = machine();
    bus.add(5);
    kernel.pnp.installDriver({
      name: 'broken',
      hardwareIds: ['PCI\\VEN_8086&DEV_2415'],
      driverEntry: () => {
        throw new RangeError('oops');
      },
    });
    expect(() => kernel.pnp.start()).toThrow(BugcheckError);
    expect(kernel.stopped).toMatchObject({ driver: 'broken', method: 'DriverEntry' });
  });
});

describe('what an installation writes', () => {
  const values: DriverPackage['registry'] = {
    driver: [
      { name: 'AssociatedFilters', value: 'wdmaud,swmidi,redbook' },
      { subkey: 'Drivers\\wave', name: 'Driver', value: 'wdmaud.drv' },
    ],
    device: [{ name: 'Volume', value: 7 }],
    service: [{ subkey: 'Parameters', name: 'Debug', value: 1 }],
  };

  it('is found by the driver through its keys', () => {
    const { kernel, bus, driver } = machine();
    bus.add(5);
    kernel.pnp.installDriver(
      driver.package({
        registry: values,
        interfaces: [
          {
            classGuid: KSCATEGORY_AUDIO,
            referenceString: 'Wave',
            values: [{ name: 'FriendlyName', value: 'Fake Wave' }],
          },
        ],
      }),
    );
    kernel.pnp.start();
    kernel.enter(() => {
      const [pdo] = driver.pdos;
      if (pdo === undefined) throw new Error('no PDO');
      const device = ioOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DEVICE, KEY_ALL_ACCESS);
      expect(device.key.getDword('Volume')).toBe(7);
      expect(device.key.path).toMatch(/\\Enum\\PCI\\VEN_8086&DEV_2415\\3&0&28\\Device Parameters$/);
      const software = ioOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DRIVER, KEY_ALL_ACCESS);
      expect(software.key.getString('AssociatedFilters')).toBe('wdmaud,swmidi,redbook');
      expect(software.key.subkey('Drivers')?.subkey('wave')?.getString('Driver')).toBe('wdmaud.drv');
      expect(software.key.path).toMatch(/\\Control\\Class\\\{4d36e96c-e325-11ce-bfc1-08002be10318\}\\0000$/);
      expect(statusOf(() => ioOpenDeviceRegistryKey(pdo, 3, KEY_ALL_ACCESS))).toBe(
        'STATUS_INVALID_PARAMETER',
      );
      const [wave = ''] = ioGetDeviceInterfaces(KSCATEGORY_AUDIO);
      const key = ioOpenDeviceInterfaceRegistryKey(wave, KEY_ALL_ACCESS);
      expect(key.key.getString('FriendlyName')).toBe('Fake Wave');
      for (const handle of [device, software, key]) zwClose(handle);
      expect(
        kernel.registry
          .openKey('HKLM\\SYSTEM\\CurrentControlSet\\Services\\fakeaudio\\Parameters')
          ?.getDword('Debug'),
      ).toBe(1);
    });
  });

  it('stays as changed when the same version meets the device again, and is written anew by another version', () => {
    const first = machine();
    first.bus.add(5);
    first.kernel.pnp.installDriver(first.driver.package({ registry: values }));
    first.kernel.pnp.start();
    const path = 'HKLM\\SYSTEM\\CurrentControlSet\\Enum\\PCI\\VEN_8086&DEV_2415\\3&0&28\\Device Parameters';
    first.kernel.registry.openKey(path)?.set('Volume', 3);
    const saved = JSON.stringify(first.kernel.registry);
    for (const [driverVersion, volume] of [
      ['1.0.0.0', 3],
      ['2.0.0.0', 7],
    ] as const) {
      const again = machine(Registry.fromJSON(JSON.parse(saved)));
      again.bus.add(5);
      again.kernel.pnp.installDriver(again.driver.package({ registry: values, driverVersion }));
      again.kernel.pnp.start();
      expect(again.kernel.registry.openKey(path)?.getDword('Volume')).toBe(volume);
      // The number of the software key stays.
      expect(
        again.kernel.registry.openKey(
          'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Class\\{4d36e96c-e325-11ce-bfc1-08002be10318}',
        )?.subkeys.length,
      ).toBe(1);
    }
  });
});

describe('IoGetDeviceProperty', () => {
  it('knows what bus, installation and PnP manager know', () => {
    const { kernel, node } = running();
    const pdo = node.physicalDeviceObject;
    kernel.enter(() => {
      const text = (property: number) => decodeSz(ioGetDeviceProperty(pdo, property));
      const number = (property: number) =>
        new DataView(ioGetDeviceProperty(pdo, property).buffer).getUint32(0, true);
      expect(text(DevicePropertyDeviceDescription)).toBe('Fake Audio');
      expect(text(DevicePropertyManufacturer)).toBe('Fakes');
      expect(text(DevicePropertyClassName)).toBe('MEDIA');
      expect(text(DevicePropertyClassGuid)).toBe('{4d36e96c-e325-11ce-bfc1-08002be10318}');
      expect(text(DevicePropertyDriverKeyName)).toBe('{4d36e96c-e325-11ce-bfc1-08002be10318}\\0000');
      expect(text(DevicePropertyLocationInformation)).toBe('PCI bus 0, device 5, function 0');
      expect(text(DevicePropertyEnumeratorName)).toBe('PCI');
      expect(text(DevicePropertyPhysicalDeviceObjectName)).toBe(pdo.name);
      expect(decodeMultiSz(ioGetDeviceProperty(pdo, DevicePropertyHardwareID))).toEqual(node.hardwareIds);
      expect(decodeMultiSz(ioGetDeviceProperty(pdo, DevicePropertyCompatibleIDs))).toEqual(
        node.compatibleIds,
      );
      expect(number(DevicePropertyAddress)).toBe(0x50000);
      expect(number(DevicePropertyUINumber)).toBe(0xffffffff);
      expect(number(DevicePropertyBusNumber)).toBe(0);
      expect(number(DevicePropertyLegacyBusType)).toBe(5);
      expect([...ioGetDeviceProperty(pdo, DevicePropertyBusTypeGuid)].slice(0, 6)).toEqual([
        0xb0, 0xdf, 0xeb, 0xc8, 0x10, 0xb5,
      ]);
      expect(decodeResourceList(ioGetDeviceProperty(pdo, DevicePropertyAllocatedResources))).toEqual(raw);
      expect(statusOf(() => ioGetDeviceProperty(pdo, DevicePropertyFriendlyName))).toBe(
        'STATUS_OBJECT_NAME_NOT_FOUND',
      );
      expect(statusOf(() => ioGetDeviceProperty(pdo, 99))).toBe('STATUS_INVALID_PARAMETER_2');
      const fdo = pdo.attachedDevice;
      expect(fdo && statusOf(() => ioGetDeviceProperty(fdo, DevicePropertyAddress))).toBe(
        'STATUS_INVALID_DEVICE_REQUEST',
      );
    });
  });
});

describe('IRP_MN_QUERY_INTERFACE', () => {
  it('reaches the bus through the stack', () => {
    const { kernel, bus, node, name } = running();
    kernel.enter(() => {
      const isBusInterface = (value: INTERFACE): value is BUS_INTERFACE_STANDARD => 'getBusData' in value;
      const found = pnpQueryInterface(
        node.physicalDeviceObject,
        GUID_BUS_INTERFACE_STANDARD.toLowerCase(),
        isBusInterface,
      );
      expect(bus.log).toEqual([`${name} reference`]);
      const buffer = new Uint8Array(2);
      expect(found.getBusData(0, buffer, 0, 2)).toBe(2);
      expect(buffer[1]).toBe(0x86);
      expect(
        statusOf(() => pnpQueryInterface(node.physicalDeviceObject, GUID_BUS_TYPE_PCI, isBusInterface)),
      ).toBe('STATUS_NOT_SUPPORTED');
    });
  });
});

describe('stopping a device for other resources', () => {
  it('asks, stops and starts again', () => {
    const { kernel, bus, driver, node, name } = running();
    expect(kernel.pnp.queryStop(node)).toMatchObject({ accepted: true });
    kernel.pnp.stop(node);
    expect(node.state).toBe('DeviceNodeStopped');
    kernel.pnp.startDevice(node);
    expect(driver.take()).toEqual(['QUERY_STOP_DEVICE', 'STOP_DEVICE', 'START_DEVICE']);
    expect(bus.log).toEqual([`${name} stop`, `${name} start`]);
    expect(node.state).toBe('DeviceNodeStarted');
  });

  it('goes on when the question is withdrawn', () => {
    const { kernel, driver, node } = running();
    kernel.pnp.queryStop(node);
    expect(statusOf(() => kernel.pnp.queryStop(node))).toBe('STATUS_INVALID_DEVICE_REQUEST');
    kernel.pnp.cancelStop(node);
    expect(driver.take()).toEqual(['QUERY_STOP_DEVICE', 'CANCEL_STOP_DEVICE']);
    expect(node.state).toBe('DeviceNodeStarted');
    expect(statusOf(() => kernel.pnp.stop(node))).toBe('STATUS_INVALID_DEVICE_REQUEST');
  });

  it('names the driver that refuses, and cancels', () => {
    const { kernel, driver, node } = running();
    driver.refuse.set(IRP_MN_QUERY_STOP_DEVICE, STATUS_UNSUCCESSFUL);
    const answer = kernel.pnp.queryStop(node);
    expect(answer.accepted).toBe(false);
    expect(answer.text).toMatch(
      /^Driver 'fakeaudio' of PCI.* answered IRP_MN_QUERY_STOP_DEVICE with STATUS_UNSUCCESSFUL\.$/,
    );
    expect(driver.take()).toEqual(['QUERY_STOP_DEVICE', 'CANCEL_STOP_DEVICE']);
    expect(node.state).toBe('DeviceNodeStarted');
  });
});

describe('removing a device', () => {
  it('asks, removes, unloads the driver, and may begin anew', () => {
    const { kernel, bus, driver, node, name } = running();
    expect(kernel.pnp.queryAndRemove(node).accepted).toBe(true);
    expect(driver.take()).toEqual(['QUERY_REMOVE_DEVICE', 'REMOVE_DEVICE', 'Unload']);
    expect(bus.log).toEqual([`${name} stop`]);
    expect(node.state).toBe('DeviceNodeRemoved');
    expect(kernel.enter(() => ioGetDeviceInterfaces(KSCATEGORY_AUDIO))).toEqual([]);
    expect(kernel.io.findDriver('fakeaudio')).toBeNull();
    kernel.pnp.startDevice(node);
    expect(driver.take()).toEqual(['DriverEntry fakeaudio', 'AddDevice', 'START_DEVICE']);
    kernel.pnp.removeAll();
    expect(kernel.leakReport().leaks).toEqual([]);
  });

  it('is refused while files are open, or by the driver', () => {
    const { kernel, driver, node } = running();
    const process = new UserProcess(kernel, 'player');
    const handle = process.createFile(WAVE);
    expect(kernel.pnp.queryRemove(node).text).toMatch(/has 1 open file/);
    expect(statusOf(() => kernel.pnp.remove(node))).toBe('STATUS_INVALID_DEVICE_REQUEST');
    process.closeHandle(handle);
    driver.take();
    driver.refuse.set(IRP_MN_QUERY_REMOVE_DEVICE, STATUS_UNSUCCESSFUL);
    expect(kernel.pnp.queryRemove(node).text).toMatch(/IRP_MN_QUERY_REMOVE_DEVICE with STATUS_UNSUCCESSFUL/);
    expect(driver.take()).toEqual(['QUERY_REMOVE_DEVICE', 'CANCEL_REMOVE_DEVICE']);
  });

  it('lets nobody open it between question and removal', () => {
    const { kernel, node } = running();
    const process = new UserProcess(kernel, 'player');
    kernel.pnp.queryRemove(node);
    expect(statusOf(() => process.createFile(WAVE))).toBe('STATUS_NO_SUCH_DEVICE');
    kernel.pnp.cancelRemove(node);
    process.closeHandle(process.createFile(WAVE));
  });

  it('stops the machine when the driver stays attached', () => {
    const { kernel, driver, node } = running();
    driver.forgetToDetach = true;
    expect(() => kernel.pnp.remove(node)).toThrow(BugcheckError);
    expect(kernel.stopped).toMatchObject({ driver: 'fakeaudio' });
    expect(kernel.stopped?.text).toMatch(/must call IoDetachDevice and IoDeleteDevice/);
  });

  it('by surprise sends IRP_MN_SURPRISE_REMOVAL, and IRP_MN_REMOVE_DEVICE after the last close', () => {
    const { kernel, bus, driver, node, name } = running();
    const process = new UserProcess(kernel, 'player');
    const handle = process.createFile(WAVE);
    driver.take();
    bus.unplug(name);
    kernel.pnp.reenumerate();
    expect(driver.take()).toEqual(['SURPRISE_REMOVAL']);
    expect(node.state).toBe('DeviceNodeAwaitingQueuedRemoval');
    expect(node.problem).toMatchObject({ code: 24, status: STATUS_NO_SUCH_DEVICE });
    expect(statusOf(() => process.createFile(WAVE))).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
    // The open file still reaches its driver.
    expect(process.deviceIoControl(handle, 0x2f0003, null, null).status).toBe(STATUS_SUCCESS);
    driver.take();
    process.closeHandle(handle);
    expect(driver.take()).toEqual(['cleanup \\Wave', 'close \\Wave', 'REMOVE_DEVICE', 'Unload']);
    expect(kernel.pnp.devices).toEqual([]);
    process.terminate();
    kernel.pnp.removeAll();
    expect(kernel.leakReport().leaks).toEqual([]);
    // Plugged in again, it is a new device.
    bus.add(5);
    kernel.pnp.reenumerate();
    expect(kernel.pnp.findDevice(name)).not.toBe(node);
    expect(kernel.pnp.findDevice(name)?.state).toBe('DeviceNodeStarted');
  });

  it('by surprise goes through at once when nobody has it open', () => {
    const { kernel, bus, driver, name } = running();
    bus.unplug(name);
    kernel.pnp.surpriseRemove(name);
    expect(driver.take()).toEqual(['SURPRISE_REMOVAL', 'REMOVE_DEVICE', 'Unload']);
    expect(statusOf(() => kernel.pnp.surpriseRemove(name))).toBe('STATUS_NO_SUCH_DEVICE');
    // The card went without its registers: nothing is switched off any more.
    expect(bus.log).toEqual([]);
  });
});

describe('device interfaces', () => {
  it('appear when the start is complete, and open with their reference string', () => {
    const { kernel, bus, driver } = machine();
    bus.add(5);
    const during: string[][] = [];
    driver.onStart = ({ wave }) => {
      expect(ioSetDeviceInterfaceState(wave, true)).toBe(STATUS_SUCCESS);
      expect(ioSetDeviceInterfaceState(wave, true)).toBe(STATUS_OBJECT_NAME_EXISTS);
      ioSetDeviceInterfaceState(wave, false);
      during.push(ioGetDeviceInterfaces(KSCATEGORY_AUDIO));
    };
    kernel.pnp.installDriver(driver.package());
    kernel.pnp.start();
    expect(during).toEqual([[]]);
    kernel.enter(() => {
      const [name = ''] = ioGetDeviceInterfaces(KSCATEGORY_AUDIO.toUpperCase());
      expect(name).toBe(WAVE.replace('\\\\?\\', '\\??\\'));
      expect(ioGetDeviceInterfaces(KSCATEGORY_RENDER)).toEqual([]);
      expect(ioGetDeviceInterfaces(KSCATEGORY_AUDIO, driver.pdos[0])).toEqual([name]);
    });
    const process = new UserProcess(kernel, 'player');
    driver.take();
    process.closeHandle(process.createFile(WAVE.toUpperCase()));
    expect(driver.take()).toEqual(['create \\WAVE', 'cleanup \\WAVE', 'close \\WAVE']);
  });

  it('refuse what the WDK refuses', () => {
    const { kernel, driver } = running();
    kernel.enter(() => {
      const [pdo] = driver.pdos;
      const fdo = pdo?.attachedDevice;
      if (pdo === undefined || fdo === undefined || fdo === null) throw new Error('no device');
      expect(statusOf(() => ioRegisterDeviceInterface(fdo, KSCATEGORY_AUDIO))).toBe(
        'STATUS_INVALID_DEVICE_REQUEST',
      );
      expect(statusOf(() => ioRegisterDeviceInterface(pdo, KSCATEGORY_AUDIO, 'a\\b'))).toBe(
        'STATUS_INVALID_DEVICE_REQUEST',
      );
      expect(statusOf(() => ioRegisterDeviceInterface(pdo, 'audio'))).toBe('STATUS_INVALID_PARAMETER');
      const topology = ioRegisterDeviceInterface(pdo, KSCATEGORY_AUDIO, 'Topology');
      expect(ioRegisterDeviceInterface(pdo, KSCATEGORY_AUDIO, 'Topology')).toBe(topology);
      expect(statusOf(() => ioSetDeviceInterfaceState(topology, false))).toBe('STATUS_OBJECT_NAME_NOT_FOUND');
      expect(statusOf(() => ioSetDeviceInterfaceState('\\??\\nothing', true))).toBe(
        'STATUS_OBJECT_NAME_NOT_FOUND',
      );
      expect(statusOf(() => ioOpenDeviceInterfaceRegistryKey('nothing', KEY_ALL_ACCESS))).toBe(
        'STATUS_INVALID_PARAMETER',
      );
      expect(statusOf(() => ioOpenDeviceInterfaceRegistryKey('\\??\\nothing', KEY_ALL_ACCESS))).toBe(
        'STATUS_OBJECT_PATH_NOT_FOUND',
      );
    });
  });

  it('of one class on one device share a link: one goes, the other stays', () => {
    const { kernel, driver } = running();
    const process = new UserProcess(kernel, 'player');
    kernel.enter(() => {
      const [pdo] = driver.pdos;
      const topology = ioRegisterDeviceInterface(required(pdo), KSCATEGORY_AUDIO, 'Topology');
      ioSetDeviceInterfaceState(topology, true);
      ioSetDeviceInterfaceState(topology, false);
    });
    process.closeHandle(process.createFile(WAVE));
  });

  it('announce their coming and going to drivers and applications', () => {
    const { kernel, driver, node } = running();
    const seen: string[] = [];
    const user: string[] = [];
    const stopListening = kernel.deviceInterfaces.onChange(KSCATEGORY_AUDIO, (n) => user.push(n.event));
    const entry = kernel.enter(() =>
      ioRegisterPlugPlayNotification(
        1,
        KSCATEGORY_AUDIO,
        required(kernel.io.findDriver('fakeaudio')),
        (notification, context) =>
          seen.push(`${String(context)} ${notification.event} ${notification.symbolicLinkName}`),
        'context',
      ),
    );
    const [link = ''] = kernel.enter(() => ioGetDeviceInterfaces(KSCATEGORY_AUDIO));
    kernel.runFor(1);
    expect(seen.splice(0)).toEqual([`context ${GUID_DEVICE_INTERFACE_ARRIVAL} ${link}`]);
    expect(user).toEqual([]);
    kernel.pnp.remove(node);
    kernel.runFor(1);
    expect(seen.splice(0)).toEqual([`context ${GUID_DEVICE_INTERFACE_REMOVAL} ${link}`]);
    expect(user).toEqual([GUID_DEVICE_INTERFACE_REMOVAL]);
    expect(kernel.leakReport().leaks.map((leak) => leak.kind)).toContain('PnP notification');
    kernel.enter(() => ioUnregisterPlugPlayNotification(entry));
    stopListening();
    kernel.pnp.startDevice(node);
    kernel.runFor(1);
    expect(seen).toEqual([]);
    expect(user.length).toBe(1);
    expect(driver.log).toContain('START_DEVICE');
  });
});

describe('bus drivers with function drivers of their own', () => {
  it('report children by IRP_MN_QUERY_DEVICE_RELATIONS, which get drivers too', () => {
    // The children of a function driver (as an HD Audio controller's codecs) hang below its device.
    const { kernel, bus, driver } = machine();
    bus.add(5);
    const inner = new FakeBus();
    let childPdo: DEVICE_OBJECT | null = null;
    const child = new FakeDriver();
    const base = driver.package();
    kernel.pnp.installDriver({
      ...base,
      driverEntry: (object: DRIVER_OBJECT, path: string) => {
        base.driverEntry(object, path);
        const dispatch = object.majorFunction[IRP_MJ_PNP];
        object.majorFunction[IRP_MJ_PNP] = (device, irp) => {
          const stack = ioGetCurrentIrpStackLocation(irp);
          if (device === childPdo) {
            const answers: Record<string, unknown> = {
              BusQueryDeviceID: 'HDAUDIO\\FUNC_01',
              BusQueryInstanceID: '1',
              BusQueryHardwareIDs: ['HDAUDIO\\FUNC_01&VEN_1AF4', 'HDAUDIO\\FUNC_01'],
            };
            if (stack.minorFunction === 0x13) {
              irp.ioStatus.informationPointer = answers[stack.parameters.idType] ?? [];
              irp.ioStatus.status = STATUS_SUCCESS;
            }
            if (stack.minorFunction <= 6) irp.ioStatus.status = STATUS_SUCCESS;
            ioCompleteRequest(irp);
            return irp.ioStatus.status;
          }
          if (stack.minorFunction === 7 && stack.parameters.deviceRelationType === 'BusRelations') {
            childPdo ??= ioCreateDevice(object, null, '\\Device\\hdaudio0', FILE_DEVICE_KS);
            irp.ioStatus.informationPointer = [childPdo];
            irp.ioStatus.status = STATUS_SUCCESS;
            ioCompleteRequest(irp);
            return STATUS_SUCCESS;
          }
          return required(dispatch)(device, irp);
        };
      },
    });
    kernel.pnp.installDriver(child.package({ name: 'codec', hardwareIds: ['HDAUDIO\\FUNC_01'] }));
    kernel.pnp.start();
    expect(inner.children).toEqual([]);
    expect(kernel.pnp.devices.map((node) => `${node.instancePath} ${node.driverName} ${node.state}`)).toEqual(
      [
        'PCI\\VEN_8086&DEV_2415\\3&0&28 fakeaudio DeviceNodeStarted',
        'HDAUDIO\\FUNC_01\\1 codec DeviceNodeStarted',
      ],
    );
    expect(kernel.pnp.devices[1]).toMatchObject({ busDevice: 'pci:00:05.0' });
    const parent = required(kernel.pnp.devices[0]);
    driver.take();
    child.take();
    const answer = kernel.pnp.queryRemove(parent);
    expect(answer.accepted).toBe(true);
    kernel.pnp.remove(parent);
    expect(child.take()).toEqual(['QUERY_REMOVE_DEVICE', 'REMOVE_DEVICE', 'Unload']);
    expect(driver.take()).toEqual(['QUERY_REMOVE_DEVICE', 'REMOVE_DEVICE']);
  });
});

describe('power', () => {
  it('applications do not run while the system sleeps', () => {
    const { kernel } = running();
    let ran = 0;
    kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
    kernel.queueContinuation(() => {
      ran++;
    });
    kernel.runFor(1_000_000);
    expect(ran).toBe(0);
    kernel.pnp.setSystemPowerState(PowerSystemWorking);
    kernel.runFor(1);
    expect(ran).toBe(1);
  });

  it('takes the system to sleep and back through device power requests', () => {
    const { kernel, bus, driver, node, name } = running();
    expect(kernel.pnp.setSystemPowerState(PowerSystemSleeping3).accepted).toBe(true);
    expect(driver.take()).toEqual(['QUERY_POWER S3', 'QUERY_POWER D3', 'SET_POWER S3', 'SET_POWER D3']);
    expect(bus.log.splice(0)).toEqual([`${name} D3`]);
    expect(node.physicalDeviceObject.attachedDevice?.devicePowerState).toBe(PowerDeviceD3);
    expect(kernel.pnp.systemPowerState).toBe(PowerSystemSleeping3);
    kernel.pnp.setSystemPowerState(PowerSystemWorking);
    expect(driver.take()).toEqual(['SET_POWER S0', 'SET_POWER D0']);
    expect(bus.log).toEqual([`${name} D0`]);
    expect(node.physicalDeviceObject.devicePowerState).toBe(PowerDeviceD0);
  });

  it('stays as it is when a driver refuses, and says which', () => {
    const { kernel, driver } = running();
    driver.refusePower.set(IRP_MN_QUERY_POWER, STATUS_UNSUCCESSFUL);
    const answer = kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
    expect(answer.text).toMatch(
      /^Driver 'fakeaudio' of PCI.* answered IRP_MN_QUERY_POWER with STATUS_UNSUCCESSFUL/,
    );
    expect(driver.take()).toEqual(['QUERY_POWER S3', 'SET_POWER S0', 'SET_POWER D0']);
    expect(kernel.pnp.systemPowerState).toBe(PowerSystemWorking);
    expect(kernel.pnp.setSystemPowerState(PowerSystemSleeping3, true).accepted).toBe(true);
  });
});

describe('PoRequestPowerIrp', () => {
  it('sends device power requests and wait/wake, and nothing else', () => {
    const { kernel, driver, node } = running();
    kernel.enter(() => {
      const device = node.physicalDeviceObject;
      const done: string[] = [];
      const complete: REQUEST_POWER_COMPLETE = (_device, minor, state, context, { status }) =>
        done.push(`${irpMinorName(IRP_MJ_POWER, minor)} ${state} ${String(context)} ${ntStatusName(status)}`);
      expect(poRequestPowerIrp(device, IRP_MN_SET_POWER, PowerDeviceD3, complete, 'context')).toEqual({
        status: STATUS_PENDING,
        irp: null,
      });
      expect(driver.take()).toEqual(['SET_POWER D3']);
      expect(poRequestPowerIrp(device, 0, PowerSystemSleeping3, complete, 1).irp).not.toBeNull();
      expect(done).toEqual([
        'IRP_MN_SET_POWER 4 context STATUS_SUCCESS',
        'IRP_MN_WAIT_WAKE 4 1 STATUS_NOT_SUPPORTED',
      ]);
      expect(statusOf(() => poRequestPowerIrp(device, 1, PowerDeviceD0, null, null))).toBe(
        'STATUS_INVALID_PARAMETER_2',
      );
    });
  });
});

describe('resource lists', () => {
  it('are the same after encoding and decoding', () => {
    const list = makeResourceList(
      [
        ...resourceDescriptors(raw),
        {
          type: 'Memory',
          shareDisposition: 'DeviceExclusive',
          flags: 4,
          start: 0x4_febf_0000,
          length: 0x4000,
        },
        { type: 'Dma', shareDisposition: 'DeviceExclusive', flags: 0, channel: 1, port: 0 },
        { type: 'BusNumber', shareDisposition: 'Shared', flags: 0, start: 1, length: 2 },
        { type: 'DeviceSpecific', shareDisposition: 'Undetermined', flags: 0, data: Uint8Array.of(1, 2, 3) },
      ],
      'Isa',
      3,
    );
    const bytes = encodeResourceList(list);
    expect(bytes.length).toBe(4 + 16 + 6 * 20 + 3);
    expect(decodeResourceList(bytes)).toEqual(list);
    expect(() => decodeResourceList(bytes.subarray(0, 60))).toThrow(RangeError);
    expect(() => decodeResourceList(bytes.subarray(0, bytes.length - 1))).toThrow(/device-specific/);
  });
});

describe('a PnP request', () => {
  it('comes back with STATUS_NOT_SUPPORTED when nobody knows it', () => {
    const { kernel, node } = running();
    kernel.enter(() => {
      expect(ntStatusName(sendPnpIrp(node.physicalDeviceObject, 0x11).status)).toBe('STATUS_NOT_SUPPORTED');
    });
  });

  it('may be pended by a driver', () => {
    const { kernel, driver, node } = running();
    const original = required(kernel.io.findDriver('fakeaudio'));
    const dispatch = required(original.majorFunction[IRP_MJ_PNP]);
    original.majorFunction[IRP_MJ_PNP] = (device, irp) => {
      const { minorFunction } = ioGetCurrentIrpStackLocation(irp);
      if (minorFunction !== IRP_MN_STOP_DEVICE) return dispatch(device, irp);
      ioMarkIrpPending(irp);
      exQueueWorkItem(
        new WORK_QUEUE_ITEM(() => {
          driver.log.push('later');
          irp.ioStatus.status = STATUS_SUCCESS;
          ioCompleteRequest(irp);
        }, 'stop'),
      );
      return STATUS_PENDING;
    };
    kernel.pnp.queryStop(node);
    kernel.pnp.stop(node);
    expect(driver.take()).toEqual(['QUERY_STOP_DEVICE', 'later']);
  });
});

function required<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('missing');
  return value;
}
