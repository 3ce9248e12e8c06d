import { describe, expect, it } from 'vitest';
import { GUID_NULL } from '../com/index.ts';
import {
  BugcheckCode,
  BugcheckError,
  type DEVICE_OBJECT,
  DISPATCH_LEVEL,
  KEY_ALL_ACCESS,
  keRaiseIrql,
} from '../kernel/index.ts';
import {
  CLSID_PortTopology,
  DriverRegistryKey,
  IID_IPortClsPnp,
  IID_IPortClsPower,
  IID_IPortClsVersion,
  IID_IUnregisterPhysicalConnection,
  IID_IUnregisterSubdevice,
  type IInterruptSync,
  InterruptSyncModeNormal,
  type IPort,
  type IRegistryKey,
  type IResourceList,
  type IServiceGroup,
  pcAddAdapterDevice,
  pcForwardIrpSynchronous,
  pcGetDeviceProperty,
  pcInitializeAdapterDriver,
  pcNewInterruptSync,
  pcNewMiniport,
  pcNewPort,
  pcNewRegistryKey,
  pcNewResourceList,
  pcNewResourceSublist,
  pcNewServiceGroup,
  pcRegisterAdapterPnpManagement,
  pcRegisterAdapterPowerManagement,
  pcRegisterIoTimeout,
  pcRegisterPhysicalConnection,
  pcRegisterPhysicalConnectionFromExternal,
  pcRegisterPhysicalConnectionToExternal,
  pcRegisterSubdevice,
  pcRequestNewPowerState,
  pcUnregisterAdapterPnpManagement,
  pcUnregisterAdapterPowerManagement,
  pcUnregisterIoTimeout,
} from './index.ts';
import { FakeMachine, FakeTopology } from './test-helpers.ts';

/** What a driver has in its hands at StartDevice. */
interface Hands {
  readonly device: DEVICE_OBJECT;
  readonly port: IPort;
  readonly list: IResourceList;
  readonly sync: IInterruptSync;
  readonly group: IServiceGroup;
  readonly key: IRegistryKey;
  readonly miniport: FakeTopology;
}

const NOTHING = () => {};

/** Each DDI whose page says PASSIVE_LEVEL, as a call with plausible arguments. */
const PASSIVE: readonly (readonly [ddi: string, call: (hands: Hands) => unknown])[] = [
  ['PcInitializeAdapterDriver', ({ device }) => pcInitializeAdapterDriver(device.driverObject, '', NOTHING)],
  ['PcAddAdapterDevice', ({ device }) => pcAddAdapterDevice(device.driverObject, device, NOTHING, 1, 0)],
  ['PcNewPort', () => pcNewPort(CLSID_PortTopology)],
  ['PcNewMiniport', () => pcNewMiniport(GUID_NULL)],
  ['PcRegisterSubdevice', ({ device, port }) => pcRegisterSubdevice(device, 'X', port)],
  [
    'PcRegisterPhysicalConnection',
    ({ device, port }) => pcRegisterPhysicalConnection(device, port, 0, port, 1),
  ],
  [
    'PcRegisterPhysicalConnectionToExternal',
    ({ device, port }) => pcRegisterPhysicalConnectionToExternal(device, port, 0, 'x', 1),
  ],
  [
    'PcRegisterPhysicalConnectionFromExternal',
    ({ device, port }) => pcRegisterPhysicalConnectionFromExternal(device, 'x', 0, port, 1),
  ],
  ['PcGetDeviceProperty', ({ device }) => pcGetDeviceProperty(device, 0)],
  ['PcNewResourceList', () => pcNewResourceList(null, null)],
  ['PcNewResourceSublist', ({ list }) => pcNewResourceSublist(list, 1)],
  ['PcNewRegistryKey', ({ device }) => pcNewRegistryKey(null, DriverRegistryKey, KEY_ALL_ACCESS, device)],
  ['PcNewInterruptSync', ({ list }) => pcNewInterruptSync(null, list, 0, InterruptSyncModeNormal)],
  ['PcNewServiceGroup', () => pcNewServiceGroup()],
  ['PcRegisterIoTimeout', ({ device }) => pcRegisterIoTimeout(device, NOTHING, null)],
  ['PcUnregisterIoTimeout', ({ device }) => pcUnregisterIoTimeout(device, NOTHING, null)],
  [
    'PcRegisterAdapterPowerManagement',
    ({ device, miniport }) => pcRegisterAdapterPowerManagement(miniport, device),
  ],
  ['PcUnregisterAdapterPowerManagement', ({ device }) => pcUnregisterAdapterPowerManagement(device)],
  [
    'PcRegisterAdapterPnpManagement',
    ({ device, miniport }) => pcRegisterAdapterPnpManagement(miniport, device),
  ],
  ['PcUnregisterAdapterPnpManagement', ({ device }) => pcUnregisterAdapterPnpManagement(device)],
  ['PcRequestNewPowerState', ({ device }) => pcRequestNewPowerState(device, 1)],
  ['IPort::Init', ({ device, port, miniport, list }) => port.init(device, null, miniport, null, list)],
  ['IPort::GetDeviceProperty', ({ port }) => port.getDeviceProperty(0)],
  ['IPort::NewRegistryKey', ({ port }) => port.newRegistryKey(null, DriverRegistryKey, KEY_ALL_ACCESS)],
  ['IPortClsVersion::GetVersion', ({ port }) => port.queryInterface(IID_IPortClsVersion).getVersion()],
  [
    'IPortClsPower::SetIdlePowerManagement',
    ({ port, device }) => port.queryInterface(IID_IPortClsPower).setIdlePowerManagement(device, true),
  ],
  [
    'IPortClsPnp::UnregisterAdapterPnpManagement',
    ({ port, device }) => port.queryInterface(IID_IPortClsPnp).unregisterAdapterPnpManagement(device),
  ],
  [
    'IUnregisterSubdevice::UnregisterSubdevice',
    ({ port, device }) => port.queryInterface(IID_IUnregisterSubdevice).unregisterSubdevice(device, port),
  ],
  [
    'IUnregisterPhysicalConnection::UnregisterPhysicalConnection',
    ({ port, device }) =>
      port
        .queryInterface(IID_IUnregisterPhysicalConnection)
        .unregisterPhysicalConnection(device, port, 0, port, 1),
  ],
  ['IResourceList::FindTranslatedEntry', ({ list }) => list.findTranslatedEntry('Port', 0)],
  ['IResourceList::NumberOfEntries', ({ list }) => list.numberOfEntries()],
  ['IInterruptSync::Connect', ({ sync }) => sync.connect()],
  ['IInterruptSync::Disconnect', ({ sync }) => sync.disconnect()],
  [
    'IInterruptSync::RegisterServiceRoutine',
    ({ sync }) => sync.registerServiceRoutine(() => false, null, true),
  ],
  ['IServiceGroup::AddMember', ({ group }) => group.addMember(group)],
  ['IServiceGroup::RequestDelayedService', ({ group }) => group.requestDelayedService(-1)],
  ['IRegistryKey::QueryValueKey', ({ key }) => key.queryValueKey('x')],
  ['IRegistryKey::SetValueKey', ({ key }) => key.setValueKey('x', 4, new Uint8Array(4))],
];

function hands(): { machine: FakeMachine; given: Hands } {
  let given: Hands | null = null;
  const machine = new FakeMachine({
    startDevice: (device, irp, list) => {
      const port = pcNewPort(CLSID_PortTopology);
      const miniport = new FakeTopology();
      port.init(device, irp, miniport, null, list);
      list.addRef();
      given = {
        device,
        port,
        list,
        miniport,
        sync: pcNewInterruptSync(null, list, 0, InterruptSyncModeNormal),
        group: pcNewServiceGroup(),
        key: pcNewRegistryKey(null, DriverRegistryKey, KEY_ALL_ACCESS, device),
      };
    },
  });
  expect(machine.node.problem).toBeNull();
  return { machine, given: given! };
}

describe('DDIs for PASSIVE_LEVEL', () => {
  for (const [ddi, call] of PASSIVE) {
    it(`${ddi} stops the machine at DISPATCH_LEVEL and is named`, () => {
      const { machine, given } = hands();
      expect(() =>
        machine.kernel.enter(() => {
          keRaiseIrql(DISPATCH_LEVEL);
          call(given);
        }),
      ).toThrow(BugcheckError);
      expect(machine.kernel.stopped?.code).toBe(BugcheckCode.IRQL_NOT_LESS_OR_EQUAL);
      expect(machine.kernel.stopped?.text).toContain(`${ddi} `);
    });
  }

  it('PcForwardIrpSynchronous, too', () => {
    let stop: unknown = null;
    try {
      new FakeMachine({
        startDevice: (device, irp) => {
          keRaiseIrql(DISPATCH_LEVEL);
          pcForwardIrpSynchronous(device, irp);
        },
      });
    } catch (error) {
      stop = error;
    }
    expect(stop).toBeInstanceOf(BugcheckError);
    expect(String(stop)).toContain('PcForwardIrpSynchronous');
  });
});
