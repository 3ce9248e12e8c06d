import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CUnknown, type IID } from '../com/index.ts';
import {
  type DEVICE_OBJECT,
  type DEVICE_POWER_STATE,
  type IRP,
  NtError,
  ntStatusName,
  PowerSystemSleeping3,
  PowerSystemWorking,
} from '../kernel/index.ts';
import {
  IOCTL_KS_DISABLE_EVENT,
  IOCTL_KS_ENABLE_EVENT,
  KSEVENT_CONTROL_CHANGE,
  KSEVENTDATA,
  KSEVENTF_EVENT_HANDLE,
  KSEVENTSETID_AudioControlChange,
  KSNODETYPE_VOLUME,
  KSPROPERTY_AUDIO_VOLUMELEVEL,
  KSPROPERTY_PIN_GLOBALCINSTANCES,
  KSPROPSETID_Audio,
  KSPROPSETID_Pin,
  type KSSTATE,
  pcmFormat,
} from '../ks/index.ts';
import {
  IID_IAdapterPnpManagement,
  IID_IAdapterPowerManagement,
  IID_IPortEvents,
  IID_IUnregisterSubdevice,
  type IResourceList,
  PCEVENT_VERB_ADD,
  PcRebalanceRemoveSubdevices,
  pcRegisterAdapterPnpManagement,
  pcRegisterAdapterPowerManagement,
  pcRegisterSubdevice,
  pcRequestNewPowerState,
} from './index.ts';
import type { FakePin } from './test-helpers.ts';
import {
  FakeMachine,
  FakeWave,
  FakeWavePort,
  propertyBytes,
  readUlong,
  ulongs,
  waveFilter,
} from './test-helpers.ts';

/** An adapter that takes part in power and PnP and unregisters its subdevices at a stop. */
class Adapter extends CUnknown {
  port: FakeWavePort | null = null;
  device: DEVICE_OBJECT | null = null;
  /** What the hardware believes; drivers must never see a stream made while it is down. */
  powered = true;

  constructor() {
    super('Adapter');
  }

  start(deviceObject: DEVICE_OBJECT, irp: IRP, resources: IResourceList): void {
    this.device = deviceObject;
    pcRegisterAdapterPowerManagement(this, deviceObject);
    pcRegisterAdapterPnpManagement(this, deviceObject);
    const base = waveFilter(3);
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
                flags: 1,
                handler: (request) => {
                  expect(this.powered).toBe(true);
                  request.setLong(7);
                },
              },
            ],
            events: [
              {
                set: KSEVENTSETID_AudioControlChange,
                id: KSEVENT_CONTROL_CHANGE,
                flags: 3,
                handler: (request) => {
                  if (request.verb !== PCEVENT_VERB_ADD || request.eventEntry === null) return;
                  using events = this.port!.queryInterface(IID_IPortEvents);
                  events.addEventToEventList(request.eventEntry);
                },
              },
            ],
          },
        },
      ],
    });
    const port = new FakeWavePort();
    port.init(deviceObject, irp, miniport, this, resources);
    this.port = port;
    this.register();
  }

  register(): void {
    if (this.port !== null && this.device !== null) pcRegisterSubdevice(this.device, 'Wave', this.port);
  }

  unregister(): void {
    if (this.port === null || this.device === null) return;
    using subdevices = this.port.queryInterface(IID_IUnregisterSubdevice);
    subdevices.unregisterSubdevice(this.device, this.port);
  }

  dropPort(): void {
    const { port } = this;
    this.port = null;
    port?.release();
  }

  powerChangeState(state: DEVICE_POWER_STATE): void {
    this.powered = state === 1;
  }
  queryPowerChangeState(): void {}
  queryDeviceCapabilities(): void {}
  getSupportedRebalanceType(): number {
    return PcRebalanceRemoveSubdevices;
  }
  pnpQueryStop(): void {}
  pnpCancelStop(): void {}
  pnpStop(): void {
    try {
      this.unregister();
    } catch (error) {
      if (!(error instanceof NtError)) throw error;
    }
    this.dropPort();
  }

  protected override nonDelegatingQueryInterface(iid: IID<unknown>): object | null {
    return iid.equals(IID_IAdapterPowerManagement) || iid.equals(IID_IAdapterPnpManagement)
      ? this
      : super.nonDelegatingQueryInterface(iid);
  }
}

/** A machine and what a client of it holds. */
class World {
  readonly adapter: Adapter[] = [];
  readonly machine: FakeMachine;
  readonly filters: number[] = [];
  readonly pins: number[] = [];
  readonly events: { filter: number; data: Uint8Array }[] = [];
  removed = false;

  constructor() {
    this.machine = new FakeMachine({
      startDevice: (deviceObject, irp, resources) => {
        const adapter = new Adapter();
        this.adapter.push(adapter);
        adapter.start(deviceObject, irp, resources);
      },
    });
  }

  get current(): Adapter {
    return this.adapter.at(-1)!;
  }

  /** Runs an action; a status is an answer like any other. */
  attempt(action: () => void): string {
    try {
      this.machine.kernel.enter(action);
    } catch (error) {
      if (error instanceof NtError) return ntStatusName(error.status);
      if (error instanceof Error && error.message.startsWith('no interface')) return error.message;
      throw error;
    }
    return 'STATUS_SUCCESS';
  }

  end(): string[] {
    this.machine.process.terminate();
    this.machine.kernel.enter(() => {
      this.machine.kernel.pnp.removeAll();
      for (const adapter of this.adapter) {
        adapter.dropPort();
        adapter.release();
      }
    });
    return this.machine.end();
  }
}

type Action = readonly [name: string, run: (world: World, pick: number) => void];

const at = <T>(list: readonly T[], pick: number): T | undefined => list[pick % Math.max(1, list.length)];

const ACTIONS: readonly Action[] = [
  ['open filter', (w) => void w.attempt(() => w.filters.push(w.machine.openFilter('Wave')))],
  [
    'open pin',
    (w, pick) => {
      const filter = at(w.filters, pick);
      if (filter === undefined) return;
      w.attempt(() => w.pins.push(w.machine.openPin(filter, 0, pcmFormat(48000, 2, 16))));
    },
  ],
  [
    'close filter',
    (w, pick) => {
      const [filter] = w.filters.splice(pick % Math.max(1, w.filters.length), 1);
      if (filter !== undefined) w.machine.process.closeHandle(filter);
    },
  ],
  [
    'close pin',
    (w, pick) => {
      const [pin] = w.pins.splice(pick % Math.max(1, w.pins.length), 1);
      if (pin !== undefined) w.machine.process.closeHandle(pin);
    },
  ],
  [
    'move stream',
    (w, pick) => {
      const pins = [...(w.current.port?.pins() ?? [])];
      const pin = at(pins, pick) as FakePin | undefined;
      w.attempt(() => pin?.moveTo((pick % 4) as KSSTATE));
    },
  ],
  [
    'volume',
    (w, pick) => {
      const handle = at([...w.filters, ...w.pins], pick);
      if (handle === undefined) return;
      const value = new Uint8Array(4);
      const { status } = w.machine.property(
        handle,
        KSPROPSETID_Audio,
        KSPROPERTY_AUDIO_VOLUMELEVEL,
        1,
        value,
        {
          node: 0,
        },
      );
      if (status === 0) expect(readUlong(value)).toBe(7);
    },
  ],
  [
    'count pins',
    (w, pick) => {
      const handle = at(w.filters, pick);
      if (handle === undefined) return;
      const value = new Uint8Array(8);
      const { status } = w.machine.property(
        handle,
        KSPROPSETID_Pin,
        KSPROPERTY_PIN_GLOBALCINSTANCES,
        1,
        value,
        {
          instance: ulongs(0, 0),
        },
      );
      if (status === 0) expect(readUlong(value, 4)).toBeLessThanOrEqual(3);
    },
  ],
  [
    'enable event',
    (w, pick) => {
      const filter = at(w.filters, pick);
      if (filter === undefined) return;
      const handle = w.machine.process.createEvent();
      const data = KSEVENTDATA.encode({ notificationType: KSEVENTF_EVENT_HANDLE, handle, adjustment: 0 });
      const input = propertyBytes(KSEVENTSETID_AudioControlChange, KSEVENT_CONTROL_CHANGE, 1 + (pick & 1), {
        node: 0,
      });
      w.machine.process.deviceIoControl(filter, IOCTL_KS_ENABLE_EVENT, input, data);
      w.events.push({ filter, data });
    },
  ],
  [
    'generate event',
    (w) => {
      const { port } = w.current;
      w.attempt(() => port?.generateEventList(null, KSEVENT_CONTROL_CHANGE, false, 0, false, 0));
    },
  ],
  [
    'disable event',
    (w, pick) => {
      const event = at(w.events, pick);
      if (event === undefined || !w.filters.includes(event.filter)) return;
      w.machine.process.deviceIoControl(event.filter, IOCTL_KS_DISABLE_EVENT, event.data, null);
    },
  ],
  [
    'power',
    (w, pick) => {
      if (w.removed) return;
      w.attempt(() => pcRequestNewPowerState(w.machine.deviceObject, ((pick % 4) + 1) as DEVICE_POWER_STATE));
    },
  ],
  [
    'sleep and wake',
    (w) => {
      w.attempt(() => {
        w.machine.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
        w.machine.kernel.pnp.setSystemPowerState(PowerSystemWorking);
      });
    },
  ],
  ['unregister', (w) => void w.attempt(() => w.current.unregister())],
  ['register', (w) => void w.attempt(() => w.current.register())],
  [
    'rebalance',
    (w, pick) => {
      if (w.removed) return;
      w.attempt(() => {
        const { pnp } = w.machine.kernel;
        const { node } = w.machine;
        if (!pnp.queryStop(node).accepted) return;
        if (pick % 3 === 0) {
          pnp.cancelStop(node);
          return;
        }
        pnp.stop(node);
        pnp.startDevice(node);
      });
    },
  ],
  ['run', (w, pick) => w.machine.kernel.runFor(pick * 1000)],
  [
    'surprise removal',
    (w, pick) => {
      // Rare, or sequences would end too early.
      if (w.removed || pick % 5 !== 0) return;
      w.removed = true;
      w.attempt(() => w.machine.kernel.pnp.surpriseRemove('fake:1'));
    },
  ],
];

describe('any order of requests, power and Plug and Play', () => {
  it('ends without a bugcheck and without a leak', () => {
    const steps = fc.array(fc.tuple(fc.nat({ max: ACTIONS.length - 1 }), fc.nat({ max: 1000 })), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(steps, (sequence) => {
        const world = new World();
        for (const [which, pick] of sequence) ACTIONS[which]?.[1](world, pick);
        expect(world.machine.kernel.stopped).toBeNull();
        expect(world.end()).toEqual([]);
      }),
      { numRuns: 250 },
    );
  });
});
