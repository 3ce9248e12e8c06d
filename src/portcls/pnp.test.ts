import { describe, expect, it } from 'vitest';
import { CUnknown, type IID } from '../com/index.ts';
import {
  type DEVICE_NODE,
  type DEVICE_OBJECT,
  exQueueWorkItem,
  type IRP,
  NtError,
  ntStatusName,
  STATUS_DEVICE_REMOVED,
  STATUS_NOT_FOUND,
  WORK_QUEUE_ITEM,
} from '../kernel/index.ts';
import {
  decodePhysicalConnection,
  KSCATEGORY_AUDIO,
  KSPROPERTY_PIN_CTYPES,
  KSPROPERTY_PIN_PHYSICALCONNECTION,
  KSPROPSETID_Pin,
  KSSTATE_RUN,
  pcmFormat,
} from '../ks/index.ts';
import {
  CLSID_PortTopology,
  type IAdapterPnpManagement,
  IID_IAdapterPnpManagement,
  IID_IAdapterPowerManagement,
  IID_IMiniportPnpNotify,
  IID_IUnregisterPhysicalConnection,
  IID_IUnregisterSubdevice,
  type IMiniportPnpNotify,
  type IPort,
  type IResourceList,
  type PC_REBALANCE_TYPE,
  PcRebalanceNotSupported,
  PcRebalanceRemoveSubdevices,
  pcNewPort,
  pcRegisterAdapterPnpManagement,
  pcRegisterAdapterPowerManagement,
  pcRegisterPhysicalConnection,
  pcRegisterPhysicalConnectionFromExternal,
  pcRegisterPhysicalConnectionToExternal,
  pcRegisterSubdevice,
} from './index.ts';
import type { FakePin } from './test-helpers.ts';
import {
  FakeMachine,
  FakeTopology,
  FakeWave,
  FakeWavePort,
  readUlong,
  ulongs,
  waveFilter,
} from './test-helpers.ts';

const GET = 1;
const FORMAT = pcmFormat(48000, 2, 16);

function statusOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof NtError) return ntStatusName(error.status);
    throw error;
  }
  return 'STATUS_SUCCESS';
}

/** An adapter with a wave and a topology subdevice and a log of what is called. */
class FakeAdapter {
  readonly log: string[] = [];
  wave: FakeWavePort | null = null;
  topology: IPort | null = null;
  waveMiniport: FakeWave | null = null;
  starts = 0;
  keepPorts = true;

  start(deviceObject: DEVICE_OBJECT, irp: IRP, resources: IResourceList): void {
    this.starts++;
    const topology = pcNewPort(CLSID_PortTopology);
    using topologyMiniport = new FakeTopology();
    topologyMiniport.extra.set('IID_IMiniportPnpNotify', new PnpNotify(this.log, 'topology'));
    topology.init(deviceObject, irp, topologyMiniport, null, resources);
    pcRegisterSubdevice(deviceObject, 'Topology', topology);
    const wave = new FakeWavePort(this.log);
    using miniport = new FakeWave(waveFilter(1));
    wave.init(deviceObject, irp, miniport, null, resources);
    pcRegisterSubdevice(deviceObject, 'Wave', wave);
    pcRegisterPhysicalConnection(deviceObject, wave, 1, topology, 0);
    this.wave = wave;
    this.topology = topology;
    this.waveMiniport = miniport;
  }

  /** Drops the references that start kept. */
  forget(): void {
    this.wave?.release();
    this.topology?.release();
    this.wave = null;
    this.topology = null;
  }

  /** What drivers do in PnpStop: connections and subdevices go. */
  unregister(deviceObject: DEVICE_OBJECT): void {
    if (this.wave === null || this.topology === null) return;
    using connections = this.wave.queryInterface(IID_IUnregisterPhysicalConnection);
    connections.unregisterPhysicalConnection(deviceObject, this.wave, 1, this.topology, 0);
    using subdevices = this.wave.queryInterface(IID_IUnregisterSubdevice);
    subdevices.unregisterSubdevice(deviceObject, this.wave);
    subdevices.unregisterSubdevice(deviceObject, this.topology);
    this.forget();
  }
}

/** Lives as long as its reference in the test; the port's own reference is counted on it. */
class PnpNotify extends CUnknown implements IMiniportPnpNotify {
  readonly #log: string[];
  readonly #name: string;

  constructor(log: string[], name: string) {
    super('PnpNotify');
    this.#log = log;
    this.#name = name;
  }

  pnpStop(): void {
    this.#log.push(`IMiniportPnpNotify ${this.#name}`);
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IMiniportPnpNotify) ? this : super.nonDelegatingQueryInterface(iid);
  }
}

class PnpManagement extends CUnknown implements IAdapterPnpManagement {
  readonly log: string[];
  type: PC_REBALANCE_TYPE = PcRebalanceRemoveSubdevices;
  onStop: () => void = () => {};

  constructor(log: string[]) {
    super('PnpManagement');
    this.log = log;
  }

  getSupportedRebalanceType(): PC_REBALANCE_TYPE {
    this.log.push('getSupportedRebalanceType');
    return this.type;
  }

  pnpQueryStop(): void {
    this.log.push('pnpQueryStop');
  }

  pnpCancelStop(): void {
    this.log.push('pnpCancelStop');
  }

  pnpStop(): void {
    this.log.push('adapter pnpStop');
    this.onStop();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IAdapterPnpManagement) ? this : super.nonDelegatingQueryInterface(iid);
  }
}

interface Rig {
  readonly machine: FakeMachine;
  readonly adapter: FakeAdapter;
  readonly node: DEVICE_NODE;
  pnp: PnpManagement | null;
}

function rig(options: { pnp?: boolean } = {}): Rig {
  const adapter = new FakeAdapter();
  let pnp: PnpManagement | null = null;
  const machine = new FakeMachine({
    startDevice: (deviceObject, irp, resources) => {
      adapter.start(deviceObject, irp, resources);
      if (options.pnp === true && pnp === null) {
        pnp = new PnpManagement(adapter.log);
        pcRegisterAdapterPnpManagement(pnp, deviceObject);
      }
    },
  });
  expect(machine.node.problem).toBeNull();
  return { machine, adapter, node: machine.node, pnp };
}

/** The fake interfaces that the test itself still holds; everything else must be gone. */
function endOf({ machine, adapter, pnp }: Rig): string[] {
  machine.kernel.enter(() => {
    adapter.forget();
    pnp?.release();
  });
  return machine.end().filter((leak) => !leak.includes('PnpNotify'));
}

function openStream(
  machine: FakeMachine,
  adapter: FakeAdapter,
): { filter: number; pin: number; object: FakePin } {
  const filter = machine.openFilter('Wave');
  const pin = machine.openPin(filter, 0, FORMAT);
  const object = [...adapter.wave!.pins()][0] as FakePin;
  return { filter, pin, object };
}

describe('rebalance', () => {
  it('is refused without IAdapterPnpManagement, and with PcRebalanceNotSupported', () => {
    const plain = rig();
    expect(plain.machine.kernel.enter(() => plain.machine.kernel.pnp.queryStop(plain.node).accepted)).toBe(
      false,
    );
    expect(endOf(plain)).toEqual([]);
    const unwilling = rig({ pnp: true });
    unwilling.pnp!.type = PcRebalanceNotSupported;
    expect(
      unwilling.machine.kernel.enter(() => unwilling.machine.kernel.pnp.queryStop(unwilling.node).accepted),
    ).toBe(false);
    expect(unwilling.adapter.log).toEqual(['getSupportedRebalanceType', 'pnpCancelStop']);
    expect(endOf(unwilling)).toEqual([]);
  });

  it('is refused while a stream has its registers mapped and no packet mode', () => {
    const it = rig({ pnp: true });
    const { object } = openStream(it.machine, it.adapter);
    object.allowsRebalance = false;
    expect(it.machine.kernel.enter(() => it.machine.kernel.pnp.queryStop(it.node).accepted)).toBe(false);
    object.allowsRebalance = true;
    expect(it.machine.kernel.enter(() => it.machine.kernel.pnp.queryStop(it.node).accepted)).toBe(true);
    it.machine.kernel.enter(() => it.machine.kernel.pnp.cancelStop(it.node));
    expect(endOf(it)).toEqual([]);
  });

  it('tells miniports, stops streams, then lets the adapter unregister; streams do not restart', () => {
    const it = rig({ pnp: true });
    const { machine, adapter, node } = it;
    const { filter, pin, object } = openStream(machine, adapter);
    machine.kernel.enter(() => object.moveTo(KSSTATE_RUN));
    adapter.log.length = 0;
    it.pnp!.onStop = () => adapter.unregister(machine.deviceObject);
    machine.kernel.enter(() => {
      expect(machine.kernel.pnp.queryStop(node).accepted).toBe(true);
      machine.kernel.pnp.stop(node);
    });
    expect(adapter.log).toEqual([
      'getSupportedRebalanceType',
      'pnpQueryStop',
      'IMiniportPnpNotify topology',
      'stop',
      'stream state 2',
      'stream state 1',
      'stream state 0',
      'adapter pnpStop',
    ]);
    expect(
      machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, new Uint8Array(4)).status,
    ).not.toBe(0);
    machine.kernel.enter(() => machine.kernel.pnp.startDevice(node));
    expect(adapter.starts).toBe(2);
    expect(object.state).toBe(0);
    const again = machine.openFilter('Wave');
    expect(
      machine.property(again, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, new Uint8Array(4)).status,
    ).toBe(0);
    machine.process.closeHandle(pin);
    machine.process.closeHandle(filter);
    expect(adapter.log.slice(-1)).toEqual(['close']);
    expect(machine.findings()).toEqual([]);
    expect(endOf(it)).toEqual([]);
  });

  it('holds creates while a stop is pending and lets them go on when it is cancelled', () => {
    const it = rig({ pnp: true });
    const { machine, node } = it;
    const path = machine.link('Wave');
    machine.kernel.enter(() => expect(machine.kernel.pnp.queryStop(node).accepted).toBe(true));
    // The create waits; a work item of the PnP side cancels the stop meanwhile.
    queueCancel(machine, node);
    expect(machine.process.createFile(path)).toBeGreaterThan(0);
    expect(it.adapter.log).toContain('pnpCancelStop');
    expect(endOf(it)).toEqual([]);
  });

  it('PortCls unregisters what PnpStop left behind, with a finding', () => {
    const it = rig({ pnp: true });
    it.machine.kernel.enter(() => {
      it.machine.kernel.pnp.queryStop(it.node);
      it.machine.kernel.pnp.stop(it.node);
    });
    expect(it.machine.findings().join()).toContain('PnpStop left subdevices registered');
    it.machine.kernel.enter(() => {
      it.adapter.forget();
      it.machine.kernel.pnp.startDevice(it.node);
    });
    expect(it.node.problem).toBeNull();
    expect(endOf(it)).toEqual([]);
  });
});

function queueCancel(machine: FakeMachine, node: DEVICE_NODE): void {
  machine.kernel.enter(() => {
    exQueueWorkItem(new WORK_QUEUE_ITEM(() => machine.kernel.pnp.cancelStop(node), 'cancel stop'));
  });
}

describe('starting again', () => {
  it('lets StartDevice register power management anew after a stop', () => {
    const log: string[] = [];
    const held: CUnknown[] = [];
    class Adapter extends PnpManagement {
      powerChangeState(): void {}
      queryPowerChangeState(): void {}
      queryDeviceCapabilities(): void {}
      protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
        return iid.equals(IID_IAdapterPowerManagement) ? this : super.nonDelegatingQueryInterface(iid);
      }
    }
    const machine = new FakeMachine({
      startDevice: (deviceObject) => {
        const adapter = new Adapter(log);
        pcRegisterAdapterPowerManagement(adapter, deviceObject);
        pcRegisterAdapterPnpManagement(adapter, deviceObject);
        held.push(adapter);
      },
    });
    machine.kernel.enter(() => {
      expect(machine.kernel.pnp.queryStop(machine.node).accepted).toBe(true);
      machine.kernel.pnp.stop(machine.node);
      machine.kernel.pnp.startDevice(machine.node);
    });
    expect(machine.node.problem).toBeNull();
    expect(held).toHaveLength(2);
    machine.kernel.enter(() => {
      for (const object of held) object.release();
    });
    expect(machine.end()).toEqual([]);
  });
});

describe('unregistering subdevices', () => {
  it('keeps open handles working and refuses new opens', () => {
    const it = rig();
    const { machine, adapter } = it;
    const path = machine.link('Wave');
    const { filter, pin } = openStream(machine, adapter);
    machine.kernel.enter(() => adapter.unregister(machine.deviceObject));
    expect(statusOf(() => machine.process.createFile(path))).not.toBe('STATUS_SUCCESS');
    const value = new Uint8Array(4);
    expect(machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, value).status).toBe(0);
    expect(readUlong(value)).toBe(2);
    machine.process.closeHandle(filter);
    expect(machine.property(pin, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, value).status).toBe(0);
    machine.process.closeHandle(pin);
    expect(endOf(it)).toEqual([]);
  });

  it('fails for ports that are not registered, and makes room for new ones', () => {
    const it = rig();
    const { machine, adapter } = it;
    machine.kernel.enter(() => {
      using subdevices = adapter.wave!.queryInterface(IID_IUnregisterSubdevice);
      subdevices.unregisterSubdevice(machine.deviceObject, adapter.wave!);
      expect(statusOf(() => subdevices.unregisterSubdevice(machine.deviceObject, adapter.wave!))).toBe(
        ntStatusName(STATUS_NOT_FOUND),
      );
      pcRegisterSubdevice(machine.deviceObject, 'Wave', adapter.wave!);
    });
    expect(machine.openFilter('Wave')).toBeGreaterThan(0);
    expect(endOf(it)).toEqual([]);
  });
});

describe('physical connections', () => {
  const connection = (machine: FakeMachine, filter: number, pin: number) => {
    const value = new Uint8Array(512);
    const { status, information } = machine.property(
      filter,
      KSPROPSETID_Pin,
      KSPROPERTY_PIN_PHYSICALCONNECTION,
      GET,
      value,
      { instance: ulongs(pin, 0) },
    );
    return status === 0 ? decodePhysicalConnection(value.subarray(0, information)) : ntStatusName(status);
  };

  it('are seen from both ends, by the peer’s symbolic link', () => {
    const it = rig();
    const { machine } = it;
    const wave = machine.openFilter('Wave');
    const topology = machine.openFilter('Topology');
    expect(connection(machine, wave, 1)).toEqual({
      pin: 0,
      symbolicLinkName: machine.link('Topology', KSCATEGORY_AUDIO),
    });
    expect(connection(machine, topology, 0)).toEqual({
      pin: 1,
      symbolicLinkName: machine.link('Wave', KSCATEGORY_AUDIO),
    });
    expect(connection(machine, wave, 0)).toBe(ntStatusName(STATUS_NOT_FOUND));
    expect(endOf(it)).toEqual([]);
  });

  it('to and from other devices carry the given link, and go when unregistered with the same arguments', () => {
    const it = rig();
    const { machine, adapter } = it;
    const other = '\\??\\ROOT#OTHER#{6994AD04-93EF-11D0-A3CC-00A0C9223196}\\Wave';
    machine.kernel.enter(() => {
      pcRegisterPhysicalConnectionToExternal(machine.deviceObject, adapter.topology!, 1, other, 5);
      pcRegisterPhysicalConnectionFromExternal(machine.deviceObject, other, 6, adapter.wave!, 0);
    });
    const wave = machine.openFilter('Wave');
    const topology = machine.openFilter('Topology');
    expect(connection(machine, topology, 1)).toEqual({ pin: 5, symbolicLinkName: other });
    expect(connection(machine, wave, 0)).toEqual({ pin: 6, symbolicLinkName: other });
    machine.kernel.enter(() => {
      using unregister = adapter.wave!.queryInterface(IID_IUnregisterPhysicalConnection);
      const { deviceObject } = machine;
      expect(
        statusOf(() =>
          unregister.unregisterPhysicalConnectionToExternal(deviceObject, adapter.topology!, 1, other, 4),
        ),
      ).toBe(ntStatusName(STATUS_NOT_FOUND));
      unregister.unregisterPhysicalConnectionToExternal(deviceObject, adapter.topology!, 1, other, 5);
      unregister.unregisterPhysicalConnectionFromExternal(deviceObject, other, 6, adapter.wave!, 0);
      unregister.unregisterPhysicalConnection(deviceObject, adapter.wave!, 1, adapter.topology!, 0);
    });
    expect(connection(machine, topology, 1)).toBe(ntStatusName(STATUS_NOT_FOUND));
    expect(connection(machine, wave, 1)).toBe(ntStatusName(STATUS_NOT_FOUND));
    expect(endOf(it)).toEqual([]);
  });

  it('disappear with the peer’s registration', () => {
    const it = rig();
    const { machine, adapter } = it;
    const topology = machine.openFilter('Topology');
    machine.kernel.enter(() => {
      using subdevices = adapter.wave!.queryInterface(IID_IUnregisterSubdevice);
      subdevices.unregisterSubdevice(machine.deviceObject, adapter.wave!);
    });
    expect(connection(machine, topology, 0)).toBe(ntStatusName(STATUS_NOT_FOUND));
    expect(endOf(it)).toEqual([]);
  });
});

describe('surprise removal', () => {
  it('turns interfaces off, fails requests, and closes streams in order when their handles go', () => {
    const it = rig();
    const { machine, adapter } = it;
    const path = machine.link('Wave');
    const { filter, pin, object } = openStream(machine, adapter);
    machine.kernel.enter(() => object.moveTo(KSSTATE_RUN));
    adapter.log.length = 0;
    machine.kernel.enter(() => machine.kernel.pnp.surpriseRemove('fake:1'));
    expect(statusOf(() => machine.process.createFile(path))).not.toBe('STATUS_SUCCESS');
    expect(
      machine.property(filter, KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, GET, new Uint8Array(4)).status,
    ).toBe(STATUS_DEVICE_REMOVED);
    expect(adapter.log).toEqual([]);
    machine.kernel.enter(() => adapter.forget());
    machine.process.closeHandle(pin);
    expect(adapter.log).toEqual(['close', 'stream state 2', 'stream state 1', 'stream state 0']);
    machine.process.closeHandle(filter);
    machine.kernel.drain();
    expect(endOf(it)).toEqual([]);
  });
});

describe('removal', () => {
  it('frees what a careless driver left: handles, events, power and PnP registrations, connections', () => {
    const it = rig({ pnp: true });
    const { machine, adapter } = it;
    openStream(machine, adapter);
    machine.openFilter('Topology');
    expect(endOf(it)).toEqual([]);
  });

  it('names what the driver itself never released', () => {
    const it = rig();
    it.machine.kernel.enter(() => it.adapter.wave!.addRef());
    expect(endOf(it)).toContain("COM object 'FakeWavePort'");
  });
});
