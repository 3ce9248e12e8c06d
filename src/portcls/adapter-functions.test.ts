import { describe, expect, it } from 'vitest';
import { GUID_NULL, guid } from '../com/index.ts';
import {
  BugcheckError,
  type DEVICE_OBJECT,
  DevicePropertyDeviceDescription,
  DevicePropertyHardwareID,
  DISPATCH_LEVEL,
  decodeSz,
  encodeDword,
  type IRP,
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  KEY_ALL_ACCESS,
  keGetCurrentIrql,
  type NTSTATUS,
  NtError,
  ntStatusName,
  REG_DWORD,
  STATUS_INVALID_PARAMETER,
  STATUS_NO_MORE_ENTRIES,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_OBJECT_NAME_NOT_FOUND,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from '../kernel/index.ts';
import {
  KSCATEGORY_AUDIO,
  KSCATEGORY_TOPOLOGY,
  KSPROPERTY_PIN_CTYPES,
  KSPROPSETID_Pin,
} from '../ks/index.ts';
import {
  CLSID_PortDMus,
  CLSID_PortTopology,
  DeviceInterfaceRegistryKey,
  DeviceRegistryKey,
  DriverRegistryKey,
  GeneralRegistryKey,
  GTI_MILLISECONDS,
  IID_IPortClsVersion,
  type IPort,
  type IResourceList,
  kVersionWinXP,
  PORT_CLASS_DEVICE_EXTENSION,
  PORT_CLASS_DEVICE_EXTENSION_SIZE,
  pcDispatchIrp,
  pcGetDeviceProperty,
  pcGetPhysicalDeviceObject,
  pcGetTimeInterval,
  pcNewMiniport,
  pcNewPort,
  pcNewRegistryKey,
  pcRegisterIoTimeout,
  pcRegisterSubdevice,
  pcUnregisterIoTimeout,
} from './index.ts';
import { FakeMachine, FakeTopology, readUlong } from './test-helpers.ts';

function statusOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
  return ntStatusName(STATUS_SUCCESS);
}

/** A topology subdevice, as a driver's StartDevice makes one. */
export function startTopology(
  deviceObject: DEVICE_OBJECT,
  irp: IRP,
  resources: IResourceList,
  name = 'Topology',
  miniport = new FakeTopology(),
): FakeTopology {
  const port = pcNewPort(CLSID_PortTopology);
  try {
    port.init(deviceObject, irp, miniport, null, resources);
    pcRegisterSubdevice(deviceObject, name, port);
  } finally {
    miniport.release();
    port.release();
  }
  return miniport;
}

describe('starting a device', () => {
  it('binds port and miniport and offers the subdevice under every category', () => {
    let miniport: FakeTopology | null = null;
    let list: IResourceList | null = null;
    using machine = new FakeMachine({
      startDevice: (deviceObject, irp, resources) => {
        list = resources;
        expect(resources.numberOfEntriesOfType('Port')).toBe(1);
        miniport = startTopology(deviceObject, irp, resources);
      },
    });
    expect(machine.node.problem).toBeNull();
    expect(miniport!.calls).toEqual(['init', 'getDescription']);
    expect(machine.link('Topology', KSCATEGORY_AUDIO)).not.toBe(
      machine.link('Topology', KSCATEGORY_TOPOLOGY),
    );
    const filter = machine.openFilter('topology');
    const value = new Uint8Array(4);
    expect(machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 1, value).information).toBe(4);
    expect(readUlong(value)).toBe(2);
    expect(() => machine.kernel.enter(() => list!.addRef())).toThrow(BugcheckError);
  });

  it('frees everything at removal', () => {
    using machine = new FakeMachine({ startDevice: (d, irp, list) => void startTopology(d, irp, list) });
    const filter = machine.openFilter('Topology');
    machine.process.closeHandle(filter);
    expect(machine.end()).toEqual([]);
  });

  it('reports a failing StartDevice and keeps no subdevice of it', () => {
    using machine = new FakeMachine({
      startDevice: (deviceObject, irp, resources) => {
        startTopology(deviceObject, irp, resources);
        throw new NtError(STATUS_UNSUCCESSFUL);
      },
    });
    expect(machine.node.problem?.status).toBe(STATUS_UNSUCCESSFUL);
    expect(() => machine.link('Topology')).toThrow(/no interface/);
    expect(machine.end()).toEqual([]);
  });

  it('refuses an extension between 1 byte and PortCls’s own size', () => {
    using machine = new FakeMachine({
      startDevice: () => {},
      deviceExtensionSize: PORT_CLASS_DEVICE_EXTENSION_SIZE - 1,
    });
    expect(machine.node.problem?.status).toBe(STATUS_INVALID_PARAMETER);
  });

  it('gives the driver its part of the extension', () => {
    using machine = new FakeMachine({
      startDevice: () => {},
      deviceExtensionSize: PORT_CLASS_DEVICE_EXTENSION_SIZE + 64,
    });
    const extension = machine.deviceObject.deviceExtension;
    expect(extension).toBeInstanceOf(PORT_CLASS_DEVICE_EXTENSION);
    if (extension instanceof PORT_CLASS_DEVICE_EXTENSION) {
      expect(extension.driverBytes.byteLength).toBe(64);
      expect(extension.driverPointers).toHaveLength(4);
    }
  });

  it('answers misuse of the registration functions with a status each', () => {
    const seen: Record<string, string> = {};
    using machine = new FakeMachine({
      maxObjects: 2,
      startDevice: (deviceObject, irp, resources) => {
        const port = pcNewPort(CLSID_PortTopology);
        const miniport = new FakeTopology();
        seen['before init'] = statusOf(() => pcRegisterSubdevice(deviceObject, 'Early', port));
        seen['no miniport'] = statusOf(() => port.init(deviceObject, irp, resources, null, resources));
        const another = pcNewPort(CLSID_PortTopology);
        another.init(deviceObject, irp, miniport, null, resources);
        seen['second init'] = statusOf(() => another.init(deviceObject, irp, miniport, null, resources));
        pcRegisterSubdevice(deviceObject, 'Topology', another);
        seen['same name'] = statusOf(() => pcRegisterSubdevice(deviceObject, 'topology', another));
        seen['bad name'] = statusOf(() => pcRegisterSubdevice(deviceObject, 'a\\b', another));
        seen['no port'] = statusOf(() => pcRegisterSubdevice(deviceObject, 'Other', miniport));
        pcRegisterSubdevice(deviceObject, 'Second', another);
        seen['too many'] = statusOf(() => pcRegisterSubdevice(deviceObject, 'Third', another));
        for (const object of [port, another, miniport]) object.release();
      },
    });
    expect(seen).toEqual({
      'before init': 'STATUS_INVALID_DEVICE_REQUEST',
      'no miniport': 'STATUS_NOINTERFACE',
      'second init': 'STATUS_INVALID_DEVICE_REQUEST',
      'same name': 'STATUS_OBJECT_NAME_COLLISION',
      'bad name': 'STATUS_OBJECT_NAME_INVALID',
      'no port': 'STATUS_INVALID_PARAMETER',
      'too many': 'STATUS_INSUFFICIENT_RESOURCES',
    });
    expect(machine.end()).toEqual([]);
  });

  it('knows the classes of ports and miniports', () => {
    using machine = new FakeMachine({ startDevice: () => {} });
    machine.kernel.enter(() => {
      expect(statusOf(() => pcNewPort(GUID_NULL))).toBe(ntStatusName(STATUS_INVALID_PARAMETER));
      expect(statusOf(() => pcNewPort(CLSID_PortDMus))).toBe(ntStatusName(STATUS_NOT_SUPPORTED));
      expect(statusOf(() => pcNewMiniport(guid('{11111111-1111-1111-1111-111111111111}')))).toBe(
        ntStatusName(STATUS_INVALID_PARAMETER),
      );
      using port = pcNewPort(CLSID_PortTopology);
      using version = port.queryInterface(IID_IPortClsVersion);
      expect(version.getVersion()).toBeGreaterThanOrEqual(kVersionWinXP);
    });
  });
});

describe('opening filters', () => {
  it('fails for names that are not registered, and before the device runs', () => {
    using machine = new FakeMachine({ startDevice: (d, irp, list) => void startTopology(d, irp, list) });
    const path = machine.link('Topology');
    expect(statusOf(() => machine.process.createFile(path.replace(/Topology$/i, 'Nothing')))).toBe(
      ntStatusName(STATUS_OBJECT_NAME_NOT_FOUND),
    );
    const filter = machine.process.createFile(path);
    expect(statusOf(() => machine.process.createFile('{00000000-0000-0000-0000-000000000000}', filter))).toBe(
      ntStatusName(STATUS_OBJECT_NAME_NOT_FOUND),
    );
  });

  it('passes what an overriding driver does not want through PcDispatchIrp unchanged', () => {
    const majors: number[] = [];
    using machine = new FakeMachine({
      startDevice: (d, irp, list) => void startTopology(d, irp, list),
      onDriverEntry: (driver) => {
        for (const major of [IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL]) {
          driver.majorFunction[major] = (deviceObject, irp): NTSTATUS => {
            majors.push(major);
            return pcDispatchIrp(deviceObject, irp);
          };
        }
      },
    });
    const filter = machine.openFilter('Topology');
    const value = new Uint8Array(4);
    machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 1, value);
    expect(readUlong(value)).toBe(2);
    expect(majors).toEqual([IRP_MJ_CREATE, IRP_MJ_DEVICE_CONTROL]);
  });
});

describe('helper functions', () => {
  it('PcGetDeviceProperty, PcGetPhysicalDeviceObject', () => {
    using machine = new FakeMachine({ startDevice: () => {} });
    machine.kernel.enter(() => {
      expect(decodeSz(pcGetDeviceProperty(machine.deviceObject, DevicePropertyDeviceDescription))).toBe(
        'Fake Audio Device',
      );
      expect(pcGetDeviceProperty(machine.deviceObject, DevicePropertyHardwareID).byteLength).toBeGreaterThan(
        2,
      );
      const pdo = pcGetPhysicalDeviceObject(machine.deviceObject);
      expect(pdo).toBe(machine.node.physicalDeviceObject);
      expect(statusOf(() => pcGetPhysicalDeviceObject(pdo))).toBe(ntStatusName(STATUS_INVALID_PARAMETER));
    });
  });

  it('PcGetTimeInterval measures in 100-ns units', () => {
    using machine = new FakeMachine({ startDevice: () => {} });
    const start = machine.kernel.enter(() => pcGetTimeInterval(0n));
    machine.kernel.runFor(50_000);
    machine.kernel.enter(() => {
      expect(pcGetTimeInterval(start)).toBe(GTI_MILLISECONDS(5));
    });
  });

  it('I/O timeouts come once a second at DISPATCH_LEVEL while the device runs', () => {
    using machine = new FakeMachine({ startDevice: () => {} });
    const irqls: number[] = [];
    const context = {};
    const routine = (device: DEVICE_OBJECT, given: unknown) => {
      expect(device).toBe(machine.deviceObject);
      expect(given).toBe(context);
      irqls.push(keGetCurrentIrql());
    };
    machine.kernel.enter(() => pcRegisterIoTimeout(machine.deviceObject, routine, context));
    expect(
      machine.kernel.enter(() => statusOf(() => pcRegisterIoTimeout(machine.deviceObject, routine, context))),
    ).toBe(ntStatusName(STATUS_UNSUCCESSFUL));
    machine.kernel.runFor(35_000_000);
    expect(irqls).toEqual([DISPATCH_LEVEL, DISPATCH_LEVEL, DISPATCH_LEVEL]);
    machine.kernel.enter(() => pcUnregisterIoTimeout(machine.deviceObject, routine, context));
    expect(
      machine.kernel.enter(() =>
        statusOf(() => pcUnregisterIoTimeout(machine.deviceObject, routine, context)),
      ),
    ).toBe(ntStatusName(STATUS_NOT_FOUND));
    machine.kernel.runFor(35_000_000);
    expect(irqls).toHaveLength(3);
    expect(machine.end()).toEqual([]);
  });

  it('registry keys of every kind', () => {
    let port: IPort | null = null;
    using machine = new FakeMachine({
      driverRegistry: [{ subkey: 'Settings', name: 'Level', value: 7 }],
      startDevice: (deviceObject, irp, resources) => {
        port = pcNewPort(CLSID_PortTopology);
        const miniport = new FakeTopology();
        port.init(deviceObject, irp, miniport, null, resources);
        miniport.release();
        pcRegisterSubdevice(deviceObject, 'Topology', port);
      },
    });
    machine.kernel.enter(() => {
      const device = machine.deviceObject;
      using driver = pcNewRegistryKey(null, DriverRegistryKey, KEY_ALL_ACCESS, device);
      const disposition = { value: 0 };
      using settings = driver.newSubKey(null, KEY_ALL_ACCESS, 'Settings', 0, disposition);
      expect(disposition.value).toBe(2);
      expect(settings.queryValueKey('level')).toMatchObject({ type: REG_DWORD, data: encodeDword(7) });
      settings.setValueKey('More', REG_DWORD, encodeDword(9));
      expect(settings.queryKey()).toMatchObject({ values: 2, subKeys: 0, maxValueDataLength: 4 });
      expect(settings.enumerateValueKey(1).name).toBe('More');
      expect(statusOf(() => settings.enumerateValueKey(2))).toBe(ntStatusName(STATUS_NO_MORE_ENTRIES));
      expect(statusOf(() => settings.queryValueKey('None'))).toBe(ntStatusName(STATUS_OBJECT_NAME_NOT_FOUND));
      const read: [string, number][] = [];
      settings.queryRegistryValues([
        { name: 'Level', queryRoutine: (name, _type, data) => read.push([name, data[0] ?? 0]) },
        {
          name: 'Absent',
          defaultType: REG_DWORD,
          defaultData: encodeDword(3),
          queryRoutine: (name, _type, data) => read.push([name, data[0] ?? 0]),
        },
      ]);
      expect(read).toEqual([
        ['Level', 7],
        ['Absent', 3],
      ]);
      expect(
        statusOf(() =>
          settings.queryRegistryValues([{ name: 'Absent', required: true, queryRoutine: () => {} }]),
        ),
      ).toBe(ntStatusName(STATUS_OBJECT_NAME_NOT_FOUND));
      settings.deleteKey();

      using deviceKey = pcNewRegistryKey(null, DeviceRegistryKey, KEY_ALL_ACCESS, device);
      deviceKey.setValueKey('X', REG_DWORD, encodeDword(1));
      using interfaceKey = port!.newRegistryKey(null, DeviceInterfaceRegistryKey, KEY_ALL_ACCESS);
      interfaceKey.setValueKey('Y', REG_DWORD, encodeDword(1));
      using general = pcNewRegistryKey(
        null,
        GeneralRegistryKey,
        KEY_ALL_ACCESS,
        null,
        { objectName: '\\Registry\\Machine\\Software\\Fake' },
        0,
        disposition,
      );
      expect(disposition.value).toBe(1);
      expect(general.queryKey().values).toBe(0);
      expect(statusOf(() => pcNewRegistryKey(null, DriverRegistryKey, KEY_ALL_ACCESS, null))).toBe(
        ntStatusName(STATUS_INVALID_PARAMETER),
      );
      expect(statusOf(() => pcNewRegistryKey(null, DeviceInterfaceRegistryKey, KEY_ALL_ACCESS, device))).toBe(
        ntStatusName(STATUS_INVALID_PARAMETER),
      );
    });
    port!.release();
    expect(machine.end()).toEqual([]);
  });
});
