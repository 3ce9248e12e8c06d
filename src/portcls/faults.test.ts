import { describe, expect, it } from 'vitest';
import { CUnknown, type IID } from '../com/index.ts';
import {
  type Bugcheck,
  BugcheckError,
  type DEVICE_OBJECT,
  exQueueWorkItem,
  keDelayExecutionThread,
  NtError,
  ntStatusName,
  PowerDeviceD3,
  STATUS_DEVICE_BUSY,
  TraceKind,
  WORK_QUEUE_ITEM,
} from '../kernel/index.ts';
import {
  encodeDataRanges,
  IOCTL_KS_ENABLE_EVENT,
  IOCTL_KS_PROPERTY,
  KSEVENT_CONTROL_CHANGE,
  KSEVENTDATA,
  KSEVENTF_EVENT_HANDLE,
  KSEVENTSETID_AudioControlChange,
  KSNODETYPE_VOLUME,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_PIN_CINSTANCES,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_PIN_NAME,
  KSPROPSETID_Audio,
  KSPROPSETID_Pin,
  pcmFormat,
} from '../ks/index.ts';
import {
  IID_IAdapterPnpManagement,
  IID_IAdapterPowerManagement,
  IID_IMiniportPnpNotify,
  IID_IPinCount,
  IID_IPinName,
  IID_IPowerNotify,
  type PCPROPERTY_REQUEST,
  PcRebalanceRemoveSubdevices,
  pcRegisterAdapterPnpManagement,
  pcRegisterAdapterPowerManagement,
  pcRegisterIoTimeout,
  pcRegisterSubdevice,
  pcRequestNewPowerState,
} from './index.ts';
import {
  FakeMachine,
  FakeWave,
  FakeWavePort,
  propertyBytes,
  readUlong,
  ulongs,
  WAVE_RANGE,
  waveFilter,
} from './test-helpers.ts';

const GET = 1;

/** An object that implements every optional interface of a driver, and fails in one method. */
class Everything extends CUnknown {
  failing = '';
  error: Error = new TypeError('x is not a function');

  constructor() {
    super('Everything');
  }

  #maybe(method: string): void {
    if (this.failing === method) throw this.error;
  }

  pinCount(): void {
    this.#maybe('IPinCount::PinCount');
  }
  getPinName(): string {
    this.#maybe('IPinName::GetPinName');
    return 'name';
  }
  powerChangeNotify(): void {
    this.#maybe('IPowerNotify::PowerChangeNotify');
  }
  powerChangeState(): void {
    this.#maybe('IAdapterPowerManagement::PowerChangeState');
  }
  queryPowerChangeState(): void {
    this.#maybe('IAdapterPowerManagement::QueryPowerChangeState');
  }
  queryDeviceCapabilities(): void {
    this.#maybe('IAdapterPowerManagement::QueryDeviceCapabilities');
  }
  getSupportedRebalanceType(): number {
    this.#maybe('IAdapterPnpManagement::GetSupportedRebalanceType');
    return PcRebalanceRemoveSubdevices;
  }
  pnpQueryStop(): void {
    this.#maybe('IAdapterPnpManagement::PnpQueryStop');
  }
  pnpCancelStop(): void {
    this.#maybe('IAdapterPnpManagement::PnpCancelStop');
  }
  pnpStop(): void {
    this.#maybe('IAdapterPnpManagement::PnpStop');
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    const known = [
      IID_IPinCount,
      IID_IPinName,
      IID_IPowerNotify,
      IID_IAdapterPowerManagement,
      IID_IAdapterPnpManagement,
      IID_IMiniportPnpNotify,
    ];
    return known.some((one) => one.equals(iid)) ? this : super.nonDelegatingQueryInterface(iid);
  }
}

interface Rig {
  readonly machine: FakeMachine;
  readonly everything: Everything;
  readonly miniport: FakeWave;
  readonly port: FakeWavePort;
}

function rig(
  onStart: (deviceObject: DEVICE_OBJECT) => void = () => {},
  traceMask: number = TraceKind.Finding,
): Rig {
  let everything: Everything | null = null;
  let miniport: FakeWave | null = null;
  let port: FakeWavePort | null = null;
  const fails = (method: string) => {
    if (everything?.failing === method) throw everything.error;
  };
  const machine = new FakeMachine({
    traceMask,
    startDevice: (deviceObject, irp, resources) => {
      onStart(deviceObject);
      everything = new Everything();
      const base = waveFilter(4);
      miniport = new FakeWave({
        ...base,
        nodes: [
          {
            type: KSNODETYPE_VOLUME,
            name: null,
            automationTable: {
              properties: [
                {
                  set: KSPROPSETID_Audio,
                  id: KSPROPERTY_AUDIO_VOLUMELEVEL,
                  flags: GET,
                  handler: () => fails('PropertyHandler(KSPROPERTY_AUDIO_VOLUMELEVEL)'),
                },
              ],
              events: [
                {
                  set: KSEVENTSETID_AudioControlChange,
                  id: KSEVENT_CONTROL_CHANGE,
                  flags: 1,
                  handler: () => fails('EventHandler(KSEVENT_CONTROL_CHANGE)'),
                },
              ],
            },
          },
        ],
      });
      miniport.intersection = () => {
        fails('IMiniportFake::DataRangeIntersection');
        return 0;
      };
      for (const name of ['IID_IPinCount', 'IID_IPinName', 'IID_IPowerNotify'])
        miniport.extra.set(name, everything);
      port = new FakeWavePort();
      port.init(deviceObject, irp, miniport, null, resources);
      pcRegisterSubdevice(deviceObject, 'Wave', port);
      pcRegisterAdapterPowerManagement(everything, deviceObject);
      pcRegisterAdapterPnpManagement(everything, deviceObject);
    },
  });
  expect(machine.node.problem).toBeNull();
  return { machine, everything: everything!, miniport: miniport!, port: port! };
}

const pinQuery = (it: Rig, id: number, room: number, instance: Uint8Array = ulongs(0, 0)) =>
  it.machine.property(it.machine.openFilter('Wave'), KSPROPSETID_Pin, id, GET, new Uint8Array(room), {
    instance,
  });

const queryStop = ({ machine }: Rig) =>
  machine.kernel.enter(() => machine.kernel.pnp.queryStop(machine.node));
const powerDown = ({ machine }: Rig) =>
  machine.kernel.enter(() => pcRequestNewPowerState(machine.deviceObject, PowerDeviceD3));

/** Each method of a driver that PortCls calls, and what makes PortCls call it. */
const METHODS: readonly (readonly [method: string, provoke: (it: Rig) => unknown])[] = [
  [
    'PropertyHandler(KSPROPERTY_AUDIO_VOLUMELEVEL)',
    (it) =>
      it.machine.property(
        it.machine.openFilter('Wave'),
        KSPROPSETID_Audio,
        KSPROPERTY_AUDIO_VOLUMELEVEL,
        GET,
        new Uint8Array(4),
        { node: 0 },
      ),
  ],
  [
    'EventHandler(KSEVENT_CONTROL_CHANGE)',
    (it) => {
      const handle = it.machine.process.createEvent();
      const data = KSEVENTDATA.encode({ notificationType: KSEVENTF_EVENT_HANDLE, handle, adjustment: 0 });
      const input = propertyBytes(KSEVENTSETID_AudioControlChange, KSEVENT_CONTROL_CHANGE, 1, { node: 0 });
      return it.machine.process.deviceIoControl(
        it.machine.openFilter('Wave'),
        IOCTL_KS_ENABLE_EVENT,
        input,
        data,
      );
    },
  ],
  [
    'IMiniportFake::DataRangeIntersection',
    (it) => {
      const list = encodeDataRanges([WAVE_RANGE]);
      const instance = new Uint8Array(8 + list.byteLength);
      instance.set(list, 8);
      return pinQuery(it, KSPROPERTY_PIN_DATAINTERSECTION, 100, instance);
    },
  ],
  ['IPinCount::PinCount', (it) => pinQuery(it, KSPROPERTY_PIN_CINSTANCES, 8)],
  [
    'IPinCount::PinCount',
    (it) => it.machine.openPin(it.machine.openFilter('Wave'), 0, pcmFormat(48000, 2, 16)),
  ],
  ['IPinName::GetPinName', (it) => pinQuery(it, KSPROPERTY_PIN_NAME, 100)],
  ['IPowerNotify::PowerChangeNotify', powerDown],
  ['IAdapterPowerManagement::PowerChangeState', powerDown],
  ['IAdapterPowerManagement::QueryPowerChangeState', powerDown],
  ['IAdapterPnpManagement::GetSupportedRebalanceType', queryStop],
  ['IAdapterPnpManagement::PnpQueryStop', queryStop],
  [
    'IAdapterPnpManagement::PnpCancelStop',
    (it) => {
      queryStop(it);
      it.machine.kernel.enter(() => it.machine.kernel.pnp.cancelStop(it.machine.node));
    },
  ],
  [
    'IAdapterPnpManagement::PnpStop',
    (it) => {
      queryStop(it);
      it.machine.kernel.enter(() => it.machine.kernel.pnp.stop(it.machine.node));
    },
  ],
];

function stopOf(call: () => unknown): Bugcheck | null {
  try {
    call();
  } catch (error) {
    if (error instanceof BugcheckError) return error.bugcheck;
    if (!(error instanceof NtError)) throw error;
  }
  return null;
}

describe('a driver that throws', () => {
  for (const [method, provoke] of METHODS) {
    it(`something in ${method} ends the machine, named`, () => {
      const it = rig();
      it.everything.failing = method;
      const stop = stopOf(() => provoke(it));
      expect(stop?.driver).toBe('fake');
      expect(stop?.method).toBe(method);
      expect(stop?.text).toContain('x is not a function');
    });

    it(`a status in ${method} does not`, () => {
      const it = rig();
      it.everything.failing = method;
      it.everything.error = new NtError(STATUS_DEVICE_BUSY);
      expect(stopOf(() => provoke(it))).toBeNull();
      expect(it.machine.kernel.stopped).toBeNull();
      it.everything.failing = '';
      it.machine.process.terminate();
      it.machine.kernel.enter(() => {
        it.machine.kernel.pnp.removeAll();
        it.port.release();
        it.miniport.release();
        it.everything.release();
      });
      expect(it.machine.end()).toEqual([]);
    });
  }

  it('in StartDevice and in a timer routine is named as well', () => {
    const start = stopOf(() => new FakeMachine({ startDevice: () => JSON.parse('{') }));
    expect(start).toMatchObject({ driver: 'fake', method: 'StartDevice' });
    const it = rig();
    it.machine.kernel.enter(() => pcRegisterIoTimeout(it.machine.deviceObject, () => JSON.parse('{'), null));
    expect(stopOf(() => it.machine.kernel.runFor(20_000_000))).toMatchObject({
      driver: 'fake',
      method: 'IoTimerRoutine',
    });
  });
});

describe('the device lock', () => {
  it('keeps a second request waiting while a handler waits', () => {
    const order: string[] = [];
    let volume: ((request: PCPROPERTY_REQUEST) => void) | null = null;
    const base = waveFilter(1);
    let port: FakeWavePort | null = null;
    using machine = new FakeMachine({
      startDevice: (deviceObject, irp, resources) => {
        using miniport = new FakeWave({
          ...base,
          nodes: [
            {
              type: KSNODETYPE_VOLUME,
              name: null,
              automationTable: {
                properties: [
                  {
                    set: KSPROPSETID_Audio,
                    id: KSPROPERTY_AUDIO_VOLUMELEVEL,
                    flags: GET,
                    handler: (request) => volume?.(request),
                  },
                ],
              },
            },
          ],
        });
        port = new FakeWavePort();
        port.init(deviceObject, irp, miniport, null, resources);
        pcRegisterSubdevice(deviceObject, 'Wave', port);
        port.release();
      },
    });
    const filter = machine.openFilter('Wave');
    const input = propertyBytes(KSPROPSETID_Audio, KSPROPERTY_AUDIO_VOLUMELEVEL, GET, { node: 0 });
    const inner = new Uint8Array(4);
    volume = (request) => {
      if (order.length > 0) {
        order.push('inner handler');
        request.setUlong(2);
        return;
      }
      order.push('outer begins');
      // Another thread asks meanwhile.
      exQueueWorkItem(
        new WORK_QUEUE_ITEM(() => {
          machine.process.deviceIoControlAsync(filter, IOCTL_KS_PROPERTY, input, inner, (status) =>
            order.push(`inner ${ntStatusName(status)}`),
          );
          order.push('inner sent');
        }),
      );
      keDelayExecutionThread(-10_000);
      order.push('outer ends');
      request.setUlong(1);
    };
    const outer = new Uint8Array(4);
    expect(machine.process.deviceIoControl(filter, IOCTL_KS_PROPERTY, input, outer).status).toBe(0);
    machine.kernel.runFor(1000);
    expect(order).toEqual([
      'outer begins',
      'inner sent',
      'outer ends',
      'inner handler',
      'inner STATUS_SUCCESS',
    ]);
    expect([readUlong(outer), readUlong(inner)]).toEqual([1, 2]);
    expect(machine.end()).toEqual([]);
  });
});

describe('the trace', () => {
  it('names each call into the driver', () => {
    const it = rig(() => {}, TraceKind.Ddi);
    powerDown(it);
    const names = it.machine.kernel.trace.events().map((event) => event.name);
    for (const name of ['StartDevice', 'IMiniportFake::GetDescription', 'IPowerNotify::PowerChangeNotify']) {
      expect(names).toContain(name);
    }
  });
});
