import { describe, expect, it } from 'vitest';
import { CUnknown, guid, type IID } from '../../com/index.ts';
import {
  BugcheckCode,
  BugcheckError,
  type DEVICE_CAPABILITIES,
  type DEVICE_OBJECT,
  type DEVICE_POWER_STATE,
  encodeDword,
  NtError,
  ntStatusName,
  PowerDeviceD0,
  PowerDeviceD1,
  PowerDeviceD2,
  PowerDeviceD3,
  PowerSystemSleeping3,
  PowerSystemWorking,
  REG_BINARY,
  REG_DWORD,
  type RegistryAddition,
  STATUS_DEVICE_BUSY,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_SUPPORTED,
  type SYSTEM_POWER_STATE,
} from '../../kernel/index.ts';
import { KSPROPERTY_PIN_CTYPES, KSPROPSETID_Pin, KSSTATE_RUN, pcmFormat } from '../../ks/index.ts';
import {
  adapterDevice,
  type IAdapterPowerManagement3,
  IID_IAdapterPowerManagement,
  IID_IAdapterPowerManagement2,
  IID_IAdapterPowerManagement3,
  IID_IPortClsPower,
  IID_IPortClsRuntimePower,
  IID_IPowerNotify,
  type IPowerNotify,
  type PC_EXIT_LATENCY,
  PcExitLatencyFast,
  PcExitLatencyInstant,
  PcExitLatencyResponsive,
  pcRegisterAdapterPowerManagement,
  pcRegisterSubdevice,
  pcRequestNewPowerState,
  pcUnregisterAdapterPowerManagement,
} from '../index.ts';
import { FakeMachine, type FakePin, FakeWave, FakeWavePort, waveFilter } from '../test-helpers.ts';

/** An adapter object with one of the three versions of the power interface. */
class PowerAdapter extends CUnknown implements IAdapterPowerManagement3 {
  readonly log: string[];
  readonly version: 1 | 2 | 3;
  veto: NtError | null = null;
  fail: NtError | null = null;
  edit: (capabilities: DEVICE_CAPABILITIES) => void = () => {};

  constructor(log: string[], version: 1 | 2 | 3) {
    super('PowerAdapter');
    this.log = log;
    this.version = version;
  }

  powerChangeState(state: DEVICE_POWER_STATE): void {
    this.log.push(`adapter D${state - 1}`);
    if (this.fail !== null) throw this.fail;
  }

  powerChangeState2(state: DEVICE_POWER_STATE, system: SYSTEM_POWER_STATE): void {
    this.log.push(`adapter2 D${state - 1} S${system - 1}`);
  }

  powerChangeState3(state: DEVICE_POWER_STATE, system: SYSTEM_POWER_STATE, latency: PC_EXIT_LATENCY): void {
    this.log.push(`adapter3 D${state - 1} S${system - 1} latency ${latency}`);
  }

  d3ExitLatencyChanged(latency: PC_EXIT_LATENCY): void {
    this.log.push(`latency ${latency}`);
  }

  queryPowerChangeState(state: DEVICE_POWER_STATE): void {
    this.log.push(`query D${state - 1}`);
    if (this.veto !== null) throw this.veto;
  }

  queryDeviceCapabilities(capabilities: DEVICE_CAPABILITIES): void {
    this.edit(capabilities);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    const versions = [
      IID_IAdapterPowerManagement,
      IID_IAdapterPowerManagement2,
      IID_IAdapterPowerManagement3,
    ];
    if (versions.slice(0, this.version).some((known) => known.equals(iid))) return this;
    return super.nonDelegatingQueryInterface(iid);
  }
}

class Notify extends CUnknown implements IPowerNotify {
  readonly #log: string[];
  readonly #name: string;

  constructor(log: string[], name: string) {
    super('Notify');
    this.#log = log;
    this.#name = name;
  }

  powerChangeNotify(state: DEVICE_POWER_STATE): void {
    this.#log.push(`notify ${this.#name} D${state - 1}`);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IPowerNotify) ? this : super.nonDelegatingQueryInterface(iid);
  }
}

interface Rig {
  readonly machine: FakeMachine;
  readonly log: string[];
  readonly adapter: PowerAdapter;
  readonly port: FakeWavePort;
  /** Fakes that the test holds. */
  readonly held: CUnknown[];
}

function rig(version: 1 | 2 | 3 = 1, driverRegistry: readonly RegistryAddition[] = []): Rig {
  const log: string[] = [];
  const held: CUnknown[] = [];
  let adapter: PowerAdapter | null = null;
  let port: FakeWavePort | null = null;
  const machine = new FakeMachine({
    driverRegistry,
    startDevice: (deviceObject, irp, resources) => {
      adapter = new PowerAdapter(log, version);
      pcRegisterAdapterPowerManagement(adapter, deviceObject);
      using miniport = new FakeWave(waveFilter(2));
      const notify = new Notify(log, 'miniport');
      miniport.extra.set('IID_IPowerNotify', notify);
      port = new FakeWavePort(log);
      port.init(deviceObject, irp, miniport, null, resources);
      pcRegisterSubdevice(deviceObject, 'Wave', port);
      held.push(adapter, port, notify);
    },
  });
  expect(machine.node.problem).toBeNull();
  return { machine, log, adapter: adapter!, port: port!, held };
}

function endOf({ machine, held }: Rig): string[] {
  machine.process.terminate();
  machine.kernel.enter(() => {
    machine.kernel.pnp.removeAll();
    for (const object of held) object.release();
  });
  return machine.end();
}

function openRunning(it: Rig): FakePin {
  const filter = it.machine.openFilter('Wave');
  it.machine.openPin(filter, 0, pcmFormat(48000, 2, 16));
  const pin = [...it.port.pins()].at(-1) as FakePin;
  it.machine.kernel.enter(() => pin.moveTo(KSSTATE_RUN));
  return pin;
}

const request = ({ machine }: Rig, state: DEVICE_POWER_STATE) =>
  machine.kernel.enter(() => pcRequestNewPowerState(machine.deviceObject, state));

describe('device power', () => {
  it('goes down and up in the documented order', () => {
    const it = rig();
    const pin = openRunning(it);
    const streamNotify = it.machine.kernel.enter(() => new Notify(it.log, 'stream'));
    it.held.push(streamNotify);
    pin.stream!.extra.set('IID_IPowerNotify', streamNotify);
    it.log.length = 0;
    request(it, PowerDeviceD3);
    expect(it.log).toEqual([
      'query D3',
      'suspend',
      'stream state 2',
      'notify miniport D3',
      'notify stream D3',
      'adapter D3',
    ]);
    expect(it.machine.busPowerStates).toEqual([PowerDeviceD3]);
    it.log.length = 0;
    request(it, PowerDeviceD0);
    expect(it.log).toEqual([
      'query D0',
      'adapter D0',
      'notify miniport D0',
      'notify stream D0',
      'resume',
      'stream state 3',
    ]);
    expect(it.machine.busPowerStates).toEqual([PowerDeviceD3, PowerDeviceD0]);
    it.log.length = 0;
    request(it, PowerDeviceD0);
    expect(it.log).toEqual([]);
    expect(endOf(it)).toEqual([]);
  });

  it('is refused by the adapter’s veto, and not by a failing change', () => {
    const it = rig();
    it.adapter.veto = new NtError(STATUS_DEVICE_BUSY);
    expect(() => request(it, PowerDeviceD3)).toThrow(ntStatusName(STATUS_DEVICE_BUSY));
    expect(it.log).toEqual(['query D3']);
    it.adapter.veto = null;
    it.adapter.fail = new NtError(STATUS_DEVICE_BUSY);
    request(it, PowerDeviceD3);
    expect(it.machine.kernel.enter(() => adapterDevice(it.machine.deviceObject).power.deviceState)).toBe(
      PowerDeviceD3,
    );
    expect(it.machine.findings().join()).toContain('PowerChangeState failed');
    expect(endOf(it)).toEqual([]);
  });

  it('calls the newest version of the interface, with system state and exit latency', () => {
    const second = rig(2);
    request(second, PowerDeviceD3);
    expect(second.log).toEqual(['query D3', 'notify miniport D3', 'adapter2 D3 S0']);
    expect(endOf(second)).toEqual([]);
    const third = rig(3);
    third.machine.kernel.enter(() => {
      const { power } = adapterDevice(third.machine.deviceObject);
      power.setExitLatency(PcExitLatencyFast);
      pcRequestNewPowerState(third.machine.deviceObject, PowerDeviceD2);
      pcRequestNewPowerState(third.machine.deviceObject, PowerDeviceD3);
      power.setExitLatency(PcExitLatencyResponsive);
      pcRequestNewPowerState(third.machine.deviceObject, PowerDeviceD0);
    });
    expect(third.log.filter((line) => !line.startsWith('query') && !line.startsWith('notify'))).toEqual([
      `adapter3 D2 S0 latency ${PcExitLatencyInstant}`,
      `adapter3 D3 S0 latency ${PcExitLatencyFast}`,
      `latency ${PcExitLatencyResponsive}`,
      `adapter3 D0 S0 latency ${PcExitLatencyResponsive}`,
    ]);
    expect(endOf(third)).toEqual([]);
  });

  it('comes back by itself when the device is used', () => {
    const it = rig();
    const filter = it.machine.openFilter('Wave');
    request(it, PowerDeviceD3);
    it.log.length = 0;
    expect(
      it.machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 1, new Uint8Array(4)).status,
    ).toBe(0);
    expect(it.log).toEqual(['query D0', 'adapter D0', 'notify miniport D0']);
    request(it, PowerDeviceD3);
    it.log.length = 0;
    it.machine.openPin(filter, 0, pcmFormat(48000, 2, 16));
    expect(it.log[0]).toBe('query D0');
    expect(endOf(it)).toEqual([]);
  });

  it('follows the system into sleep and back, with active streams going on', () => {
    const it = rig(2);
    const pin = openRunning(it);
    it.log.length = 0;
    const { kernel } = it.machine;
    kernel.enter(() => {
      expect(kernel.pnp.setSystemPowerState(PowerSystemSleeping3).accepted).toBe(true);
    });
    expect(it.log).toContain('adapter2 D3 S3');
    expect(pin.state).toBe(2);
    kernel.enter(() => kernel.pnp.setSystemPowerState(PowerSystemWorking));
    expect(it.log.at(-1)).toBe('stream state 3');
    expect(it.log).toContain('adapter2 D0 S0');
    expect(pin.state).toBe(KSSTATE_RUN);
    expect(endOf(it)).toEqual([]);
  });
});

describe('capabilities', () => {
  it('may be deepened from AddDevice on, never made shallower', () => {
    const log: string[] = [];
    const held: PowerAdapter[] = [];
    using machine = new FakeMachine({
      startDevice: () => {},
      onAddDevice: (deviceObject) => {
        const adapter = new PowerAdapter(log, 1);
        adapter.edit = ({ deviceState }) => {
          deviceState[1] = PowerDeviceD1;
          deviceState[2] = PowerDeviceD0;
        };
        pcRegisterAdapterPowerManagement(adapter, deviceObject);
        held.push(adapter);
      },
    });
    expect(machine.node.capabilities.deviceState[1]).toBe(PowerDeviceD1);
    expect(machine.node.capabilities.deviceState[2]).toBe(PowerDeviceD3);
    expect(machine.findings().join()).toContain('shallower');
    machine.kernel.enter(() => {
      machine.kernel.pnp.removeAll();
      for (const adapter of held) adapter.release();
    });
    expect(machine.end()).toEqual([]);
  });
});

describe('registration', () => {
  it('twice, or undone without having been done, is a bugcheck; an object without the interface is refused', () => {
    const cases: ((deviceObject: DEVICE_OBJECT, adapter: PowerAdapter) => void)[] = [
      (device, adapter) => {
        pcRegisterAdapterPowerManagement(adapter, device);
        pcRegisterAdapterPowerManagement(adapter, device);
      },
      (device, adapter) => {
        pcRegisterAdapterPowerManagement(adapter, device);
        pcUnregisterAdapterPowerManagement(device);
        pcUnregisterAdapterPowerManagement(device);
      },
    ];
    for (const misuse of cases) {
      const machine = new FakeMachine({ startDevice: () => {} });
      machine.kernel.enter(() => {
        const adapter = new PowerAdapter([], 1);
        expect(() => misuse(machine.deviceObject, adapter)).toThrow(BugcheckError);
      });
      expect(machine.kernel.stopped?.code).toBe(BugcheckCode.DRIVER_VERIFIER_DETECTED_VIOLATION);
      expect(machine.kernel.stopped?.parameters[0]).toBe(0x71006);
    }
    using machine = new FakeMachine({ startDevice: () => {} });
    machine.kernel.enter(() => {
      using plain = new FakeWave(waveFilter());
      expect(() => pcRegisterAdapterPowerManagement(plain, machine.deviceObject)).toThrow(
        ntStatusName(STATUS_INVALID_PARAMETER),
      );
    });
  });
});

describe('runtime power', () => {
  it('reaches the one callback of the driver and brings back what it wrote', () => {
    const it = rig();
    const { machine, port } = it;
    const code = guid('{12345678-0000-0000-0000-000000000001}');
    machine.kernel.enter(() => {
      using runtime = port.queryInterface(IID_IPortClsRuntimePower);
      const { runtimePower } = adapterDevice(machine.deviceObject);
      const output = new Uint8Array(4);
      expect(() => runtimePower.deliver(code, null, output)).toThrow(ntStatusName(STATUS_NOT_SUPPORTED));
      runtime.registerPowerControlCallback(
        machine.deviceObject,
        (given, input, into, context) => {
          expect([given, input, context]).toEqual([code, null, 'context']);
          into?.fill(7);
          return 2;
        },
        'context',
      );
      expect(runtimePower.deliver(code, null, output)).toBe(2);
      expect(output[0]).toBe(7);
      expect(() => runtime.registerPowerControlCallback(machine.deviceObject, () => 0, null)).toThrow(
        ntStatusName(STATUS_INVALID_DEVICE_REQUEST),
      );
      expect(() => runtime.sendPowerControl(machine.deviceObject, code, null, null)).toThrow(
        ntStatusName(STATUS_NOT_SUPPORTED),
      );
    });
    expect(endOf(it)).toEqual([]);
  });
});

describe('idle detection', () => {
  const settings = (values: Record<string, number>): RegistryAddition[] =>
    Object.entries(values).map(([name, value]) => ({
      subkey: 'PowerSettings',
      name,
      value: { type: name === 'ImmediateIdle' ? REG_DWORD : REG_BINARY, data: encodeDword(value) },
    }));
  const SECOND = 10_000_000;

  it('is off without registry values', () => {
    const it = rig();
    it.machine.kernel.runFor(1000 * SECOND);
    expect(it.log).toEqual([]);
    expect(endOf(it)).toEqual([]);
  });

  it('puts the device into the idle state after the performance time without access, and counts accesses', () => {
    const it = rig(1, settings({ PerformanceIdleTime: 30, ConservationIdleTime: 5, IdlePowerState: 2 }));
    const filter = it.machine.openFilter('Wave');
    it.machine.kernel.runFor(20 * SECOND);
    it.machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 1, new Uint8Array(4));
    it.machine.kernel.runFor(29 * SECOND);
    expect(it.log).toEqual([]);
    it.machine.kernel.runFor(2 * SECOND);
    expect(it.log).toEqual(['query D2', 'notify miniport D2', 'adapter D2']);
    it.log.length = 0;
    it.machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, 1, new Uint8Array(4));
    expect(it.log).toEqual(['query D0', 'adapter D0', 'notify miniport D0']);
    expect(endOf(it)).toEqual([]);
  });

  it('waits for running streams to stop', () => {
    const it = rig(1, settings({ PerformanceIdleTime: 10 }));
    const pin = openRunning(it);
    it.log.length = 0;
    it.machine.kernel.runFor(60 * SECOND);
    expect(it.log).toEqual([]);
    it.machine.kernel.enter(() => pin.stop());
    it.log.length = 0;
    it.machine.kernel.runFor(25 * SECOND);
    expect(it.log.at(-1)).toBe('adapter D3');
    expect(endOf(it)).toEqual([]);
  });

  it('is switched by IPortClsPower, except against ImmediateIdle', () => {
    const off = rig(1, settings({ PerformanceIdleTime: 10 }));
    const setIdle = ({ machine, port }: Rig, enabled: boolean) =>
      machine.kernel.enter(() => {
        using power = port.queryInterface(IID_IPortClsPower);
        power.setIdlePowerManagement(machine.deviceObject, enabled);
      });
    setIdle(off, false);
    off.machine.kernel.runFor(60 * SECOND);
    expect(off.log).toEqual([]);
    setIdle(off, true);
    off.machine.kernel.runFor(60 * SECOND);
    expect(off.log.at(-1)).toBe('adapter D3');
    expect(endOf(off)).toEqual([]);
    const immediate = rig(1, settings({ ImmediateIdle: 1 }));
    setIdle(immediate, false);
    immediate.machine.kernel.runFor(SECOND);
    expect(immediate.log.at(-1)).toBe('adapter D3');
    expect(endOf(immediate)).toEqual([]);
  });
});
