import { describe, expect, test } from 'vitest';
import {
  type Bugcheck,
  BugcheckError,
  DISPATCH_LEVEL,
  exQueueWorkItem,
  keDelayExecutionThread,
  keRaiseIrql,
  MmCached,
  NtError,
  ntSuccess,
  PASSIVE_LEVEL,
  STATUS_DEVICE_NOT_READY,
  STATUS_DEVICE_REMOVED,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  WORK_QUEUE_ITEM,
} from '../../../kernel/index.ts';
import {
  encodeDataFormat,
  IOCTL_KS_PROPERTY,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_RTAUDIO_CLOCKREGISTER,
  KSPROPERTY_RTAUDIO_GETREADPACKET,
  KSPROPERTY_RTAUDIO_HWLATENCY,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Audio,
  KSPROPSETID_AudioSignalProcessing,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  pcmFormat,
} from '../../../ks/index.ts';
import { IID_IPortWaveRTStream } from '../../ddi/index.ts';
import { Bytes, TestMachine } from './test-client.ts';
import { TestScript } from './test-stream.ts';

/** Runs what must stop the machine. */
function bugcheckOf(act: () => unknown): Bugcheck {
  try {
    act();
  } catch (error) {
    if (error instanceof BugcheckError) return error.bugcheck;
    throw error;
  }
  throw new Error('No bugcheck came.');
}

/** A client on a script; requests by which each method of the miniport is reached. */
class Client {
  readonly script = new TestScript();
  machine!: TestMachine;
  filter = 0;
  pin = 0;
  capturePin = 0;
  event = 0;

  start(): this {
    this.machine = new TestMachine(this.script);
    return this;
  }

  open(): this {
    this.filter = this.machine.openFilter();
    this.pin = this.machine.openPin(this.filter, 0);
    this.capturePin = this.machine.openPin(this.filter, 1);
    this.event = this.machine.client.createEvent();
    return this;
  }

  allocate(): this {
    this.machine.allocate(this.pin, 3840, 2);
    this.machine.allocate(this.capturePin, 3840, 2);
    return this;
  }

  register(): this {
    this.machine.registerEvent(this.pin, this.event);
    return this;
  }

  run(): this {
    this.machine.setState(this.pin, KSSTATE_RUN);
    this.machine.setState(this.capturePin, KSSTATE_RUN);
    this.machine.runMs(15);
    return this;
  }

  rt(id: number, bytes: number, pin = this.pin, instance: Uint8Array | null = null) {
    return this.machine.get(pin, KSPROPSETID_RtAudio, id, bytes, instance);
  }

  format() {
    const format = encodeDataFormat(pcmFormat(44_100, 2, 16));
    return this.machine.set(this.pin, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, format);
  }
}

/** Per method: how far the client gets before, and the request that calls it. */
const METHODS: readonly (readonly [string, (client: Client) => unknown, (client: Client) => unknown])[] = [
  ['IMiniportWaveRT::Init', () => {}, (c) => c.start()],
  ['IMiniportWaveRT::GetDescription', () => {}, (c) => c.start()],
  ['IMiniportWaveRT::NewStream', (c) => c.start(), (c) => c.open()],
  ['IMiniportWaveRT::GetDeviceDescription', (c) => c.start().open(), (c) => c.allocate()],
  ['IMiniportAudioSignalProcessing::GetModes', (c) => c.start(), (c) => modes(c)],
  ['IMiniportWaveRTStream::SetFormat', (c) => c.start().open(), (c) => c.format()],
  ['IMiniportWaveRTStream::SetState', (c) => c.start().open().allocate(), (c) => c.run()],
  [
    'IMiniportWaveRTStream::GetPosition',
    (c) => c.start().open(),
    (c) => c.machine.get(c.pin, KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16),
  ],
  [
    'IMiniportWaveRTStream::AllocateAudioBuffer',
    (c) => c.start().open(),
    (c) => c.machine.allocate(c.pin, 4096),
  ],
  [
    'IMiniportWaveRTStreamNotification::AllocateBufferWithNotification',
    (c) => c.start().open(),
    (c) => c.allocate(),
  ],
  [
    'IMiniportWaveRTStream::FreeAudioBuffer',
    (c) => c.start().open().machine.allocate(c.pin, 4096),
    (c) => c.machine.client.closeHandle(c.pin),
  ],
  [
    'IMiniportWaveRTStreamNotification::FreeBufferWithNotification',
    (c) => c.start().open().allocate(),
    (c) => c.machine.client.closeHandle(c.pin),
  ],
  [
    'IMiniportWaveRTStreamNotification::RegisterNotificationEvent',
    (c) => c.start().open().allocate(),
    (c) => c.register(),
  ],
  [
    'IMiniportWaveRTStreamNotification::UnregisterNotificationEvent',
    (c) => c.start().open().allocate().register(),
    (c) => c.machine.unregisterEvent(c.pin, c.event),
  ],
  [
    'IMiniportWaveRTStream::GetHWLatency',
    (c) => c.start().open(),
    (c) => c.rt(KSPROPERTY_RTAUDIO_HWLATENCY, 12),
  ],
  [
    'IMiniportWaveRTStream::GetPositionRegister',
    (c) => c.start().open(),
    (c) => c.rt(KSPROPERTY_RTAUDIO_POSITIONREGISTER, 40, c.pin, new Uint8Array(8)),
  ],
  [
    'IMiniportWaveRTStream::GetClockRegister',
    (c) => c.start().open(),
    (c) => c.rt(KSPROPERTY_RTAUDIO_CLOCKREGISTER, 40, c.pin, new Uint8Array(8)),
  ],
  [
    'IMiniportWaveRTOutputStream::GetPacketCount',
    (c) => c.start().open().allocate(),
    (c) => c.rt(KSPROPERTY_RTAUDIO_PACKETCOUNT, 4),
  ],
  [
    'IMiniportWaveRTOutputStream::SetWritePacket',
    (c) => c.start().open().allocate(),
    (c) => c.machine.set(c.pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_SETWRITEPACKET, new Uint8Array(12)),
  ],
  [
    'IMiniportWaveRTOutputStream::GetOutputStreamPresentationPosition',
    (c) => c.start().open().allocate(),
    (c) => c.rt(KSPROPERTY_RTAUDIO_PRESENTATION_POSITION, 16),
  ],
  [
    'IMiniportWaveRTInputStream::GetReadPacket',
    (c) => c.start().open().allocate(),
    (c) => c.rt(KSPROPERTY_RTAUDIO_GETREADPACKET, 24, c.capturePin),
  ],
];

function modes(client: Client) {
  const filter = client.machine.openFilter();
  return client.machine.get(filter, KSPROPSETID_AudioSignalProcessing, 0, 8, new Uint8Array(8));
}

describe('a miniport that throws an exception', () => {
  test.each(METHODS)('in %s stops the machine and is named', (method, before, act) => {
    const client = new Client();
    before(client);
    client.script.onCall = (name) => {
      if (method.endsWith(`::${name}`)) throw new TypeError('a bug in the driver');
    };
    const bugcheck = bugcheckOf(() => act(client));
    expect(bugcheck).toMatchObject({
      name: 'SYSTEM_SERVICE_EXCEPTION',
      driver: 'rtfake',
      method,
      irql: PASSIVE_LEVEL,
    });
    expect(bugcheck.text).toContain('a bug in the driver');
  });

  test.each(METHODS.slice(2))(
    'a status from %s is the answer, and the machine goes on',
    (method, before, act) => {
      const client = new Client();
      before(client);
      let thrown = 0;
      client.script.onCall = (name) => {
        if (!method.endsWith(`::${name}`) || thrown > 0) return;
        thrown++;
        throw new NtError(STATUS_UNSUCCESSFUL);
      };
      try {
        act(client);
      } catch (error) {
        // Opening a pin reports its failure by an exception of the client's call.
        expect(error).toMatchObject({ status: STATUS_UNSUCCESSFUL });
      }
      expect(thrown).toBe(1);
      client.script.onCall = () => {};
      client.machine.runMs(20);
      const leaks = client.machine.end();
      // A buffer whose release the miniport refused is the miniport's leak, and no one else's.
      const refusedFree = method.includes('::Free');
      expect(leaks.some((leak) => !leak.startsWith('MDL') && !refusedFree)).toBe(false);
    },
  );

  test('at a raised level the bugcheck names the level', () => {
    const client = new Client().start().open();
    client.script.onCall = (name) => {
      if (name !== 'GetHWLatency') return;
      keRaiseIrql(DISPATCH_LEVEL);
      throw new TypeError('a bug at DISPATCH_LEVEL');
    };
    expect(bugcheckOf(() => client.rt(KSPROPERTY_RTAUDIO_HWLATENCY, 12))).toMatchObject({
      method: 'IMiniportWaveRTStream::GetHWLatency',
      irql: DISPATCH_LEVEL,
    });
  });

  test('a method that returns at another level is stopped', () => {
    const client = new Client().start().open();
    client.script.onCall = (name) => {
      if (name === 'SetState') keRaiseIrql(DISPATCH_LEVEL);
    };
    expect(bugcheckOf(() => client.machine.setState(client.pin, KSSTATE_PAUSE))).toMatchObject({
      name: 'IRQL_UNEXPECTED_VALUE',
      method: 'IMiniportWaveRTStream::SetState',
    });
  });
});

describe('what Driver Verifier forbids about pages', () => {
  function violation(change: (script: TestScript) => void, act: (client: Client) => unknown) {
    const client = new Client();
    change(client.script);
    client.start().open();
    return bugcheckOf(() => act(client));
  }

  test('freeing pages that are mapped', () => {
    const bugcheck = violation(
      (script) => {
        script.forgetUnmap = true;
      },
      (client) => client.allocate().machine.client.closeHandle(client.pin),
    );
    expect(bugcheck).toMatchObject({ name: 'DRIVER_VERIFIER_DETECTED_VIOLATION', driver: 'rtfake' });
    expect(bugcheck.parameters[0]).toBe(0x71004);
  });

  test('mapping pages twice, and unmapping what is not mapped', () => {
    for (const again of ['map', 'unmap'] as const) {
      const bugcheck = violation(
        () => {},
        (client) => {
          client.allocate();
          const stream = client.machine.driver.miniport?.streams[0];
          client.script.onCall = (name) => {
            const { mdl, mapping, portStream } = stream ?? {};
            if (name !== 'GetPosition' || mdl == null || mapping == null) return;
            if (again === 'map') portStream?.mapAllocatedPages(mdl, MmCached);
            portStream?.unmapAllocatedPages(mapping, mdl);
            portStream?.unmapAllocatedPages(mapping, mdl);
          };
          client.machine.position(client.pin);
        },
      );
      expect(bugcheck.parameters[0]).toBe(0x71004);
      expect(bugcheck.method).toBe('IMiniportWaveRTStream::GetPosition');
    }
  });

  test('pages of another stream, nonsense sizes, and calls above PASSIVE_LEVEL', () => {
    const acts: readonly ((client: Client) => void)[] = [
      (client) => {
        const [first, second] = client.machine.driver.miniport?.streams ?? [];
        if (first?.mdl && second) second.portStream.getPhysicalPagesCount(first.mdl);
      },
      (client) =>
        void client.machine.driver.miniport?.streams[0]?.portStream.allocatePagesForMdl(0xffff_ffff, 0),
      (client) =>
        void client.machine.driver.miniport?.streams[0]?.portStream.allocateContiguousPagesForMdl(8, 4, 1),
    ];
    for (const act of acts) {
      const bugcheck = violation(
        () => {},
        (client) => {
          client.allocate();
          client.script.onCall = (name) => {
            if (name === 'GetPosition') act(client);
          };
          client.machine.position(client.pin);
        },
      );
      expect(bugcheck.parameters[0]).toBe(0x71009);
    }
    const high = violation(
      () => {},
      (client) => {
        client.script.onCall = (name) => {
          if (name !== 'GetPosition') return;
          keRaiseIrql(DISPATCH_LEVEL);
          client.machine.driver.miniport?.streams[0]?.portStream.allocatePagesForMdl(0xffff_ffff, 4096);
        };
        client.machine.position(client.pin);
      },
    );
    expect(high.name).toBe('IRQL_NOT_LESS_OR_EQUAL');
  });

  test('pages that a stream leaves behind are a finding with the rule, and in the leak report; the card cannot reach them', () => {
    const client = new Client();
    client.script.forgetFree = true;
    client.start().open();
    client.machine.allocate(client.pin, 8192);
    client.machine.client.closeHandle(client.pin);
    expect(client.machine.findings).toEqual([expect.stringContaining('0x71005')]);
    expect(client.machine.platform.dmaRanges).toEqual([]);
    expect(client.machine.end()).toEqual([expect.stringMatching(/^MDL/)]);
  });

  test('a buffer that its MDL does not hold is never mapped', () => {
    const client = new Client();
    client.script.claimedSize = 4097;
    client.start().open();
    const bugcheck = bugcheckOf(() => client.machine.allocate(client.pin, 4096));
    expect(bugcheck).toMatchObject({
      driver: 'rtfake',
      method: 'IMiniportWaveRTStream::AllocateAudioBuffer',
    });
    expect(bugcheck.text).toContain('4097 bytes');
  });

  test('physical pages are told one by one', () => {
    const client = new Client().start().open();
    client.machine.allocate(client.pin, 8192);
    const { mdl, portStream } = client.machine.driver.miniport?.streams[0] ?? {};
    if (!mdl || !portStream) throw new Error('no buffer');
    client.machine.kernel.enter(() => {
      expect(portStream.getPhysicalPagesCount(mdl)).toBe(2);
      expect(portStream.getPhysicalPageAddress(mdl, 1) - portStream.getPhysicalPageAddress(mdl, 0)).toBe(
        4096,
      );
      expect(() => portStream.getPhysicalPageAddress(mdl, 2)).toThrow(
        expect.objectContaining({ status: STATUS_INVALID_PARAMETER }),
      );
      using same = portStream.queryInterface(IID_IPortWaveRTStream);
      expect(same).toBe(portStream);
    });
    expect(client.machine.end()).toEqual([]);
  });
});

describe('a device that goes away', () => {
  test('surprise removal while playing: only the way down is left, and closing frees everything', () => {
    const client = new Client().start().open().allocate().register().run();
    const { machine, pin } = client;
    machine.unplug();
    expect(machine.setState(pin, KSSTATE_RUN)).not.toBe(STATUS_DEVICE_NOT_READY);
    expect(machine.get(pin, KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16).status).toBe(
      STATUS_DEVICE_REMOVED,
    );
    expect(machine.setState(pin, KSSTATE_STOP)).toBe(STATUS_SUCCESS);
    expect(machine.setState(pin, KSSTATE_RUN)).toBe(STATUS_DEVICE_REMOVED);
    machine.client.closeHandle(client.capturePin);
    machine.client.closeHandle(pin);
    expect(machine.end()).toEqual([]);
  });

  test('a process that dies after the removal leaves nothing either', () => {
    const client = new Client().start().open().allocate().register().run();
    client.machine.unplug();
    expect(client.machine.end()).toEqual([]);
  });

  test('what the miniport refuses on the way down does not keep the stream', () => {
    const client = new Client().start().open().allocate().run();
    client.machine.unplug();
    client.script.onCall = (name) => {
      if (name === 'SetState') throw new NtError(STATUS_DEVICE_REMOVED);
    };
    client.machine.client.closeHandle(client.pin);
    client.machine.client.closeHandle(client.capturePin);
    expect(client.script.calls.filter((call) => call === '~Stream')).toHaveLength(2);
    expect(client.machine.end()).toEqual([]);
  });
});

describe('power', () => {
  test('a running stream pauses while the device sleeps, and runs again from where it was', () => {
    const client = new Client().start().open().allocate().run();
    const { machine, pin, script } = client;
    const before = machine.position(pin);
    const mark = script.calls.length;
    machine.sleep();
    expect(script.calls.slice(mark).filter((call) => call.startsWith('SetState'))).toEqual([
      'SetState(2)',
      'SetState(2)',
    ]);
    machine.runMs(100);
    machine.wake();
    expect(script.calls.slice(mark).filter((call) => call === 'SetState(3)')).toHaveLength(2);
    machine.runMs(4);
    expect(machine.position(pin)).toBe((before + 4 * 192) % 3840);
    expect(machine.getState(pin)).toBe(KSSTATE_RUN);
    expect(machine.end()).toEqual([]);
  });

  test('a stream that was not running stays as it was', () => {
    const client = new Client().start().open().allocate().run();
    const { machine, pin } = client;
    machine.setState(pin, KSSTATE_PAUSE);
    machine.sleep();
    machine.wake();
    expect(machine.getState(pin)).toBe(KSSTATE_PAUSE);
    expect(machine.end()).toEqual([]);
  });
});

describe('rebalance', () => {
  function rebalancing(change: (script: TestScript) => void = () => {}) {
    const client = new Client();
    client.script.rebalance = true;
    change(client.script);
    client.start().open();
    const device = client.machine.kernel.pnp.findDevice('test:0');
    if (device === null) throw new Error('the card has no device');
    return { client, device, pnp: client.machine.kernel.pnp };
  }

  test('a playing stream in packet mode stops with the device, keeps its buffer, and does not start again', () => {
    const { client, device, pnp } = rebalancing();
    const { machine, pin, script } = client.allocate().register().run();
    const buffer = machine.driver.miniport?.streams[0]?.mapping;
    expect(pnp.queryStop(device)).toMatchObject({ accepted: true });
    const mark = script.calls.length;
    pnp.stop(device);
    expect(script.calls.slice(mark)).toEqual([
      'PnpStop',
      ...['SetState(2)', 'SetState(1)', 'SetState(0)'],
      ...['SetState(2)', 'SetState(1)', 'SetState(0)'],
      'Adapter PnpStop',
    ]);
    expect(buffer?.isMapped).toBe(true);
    pnp.startDevice(device);
    expect(ntSuccess(machine.setState(pin, KSSTATE_RUN))).toBe(false);
    // The old handles close as ever; the new start has a filter of its own.
    machine.client.closeHandle(pin);
    expect(buffer?.isMapped).toBe(false);
    const again = machine.openPin(machine.openFilter());
    expect(machine.allocate(again, 4096).status).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });

  test('a stream without packets whose client has mapped a register keeps the device where it is', () => {
    const { client, device, pnp } = rebalancing((script) => {
      script.packets = false;
    });
    client.allocate().run();
    expect(pnp.queryStop(device).accepted).toBe(true);
    pnp.cancelStop(device);
    client.rt(KSPROPERTY_RTAUDIO_POSITIONREGISTER, 40, client.pin, new Uint8Array(8));
    expect(pnp.queryStop(device).accepted).toBe(false);
    client.machine.setState(client.pin, KSSTATE_STOP);
    expect(pnp.queryStop(device).accepted).toBe(true);
    pnp.cancelStop(device);
    expect(client.machine.end()).toEqual([]);
  });
});

describe('the lock of position requests', () => {
  /** SetState(RUN) waits 10 ms; meanwhile another thread asks for the position. Returns the order of events. */
  function order(registry: ConstructorParameters<typeof TestMachine>[1]) {
    const script = new TestScript();
    const machine = new TestMachine(script, registry);
    const pin = machine.openPin(machine.openFilter());
    machine.allocate(pin, 4096);
    let asked = false;
    script.onCall = (name) => {
      if (name !== 'SetState' || asked) return;
      asked = true;
      const input = new Bytes(24).ulong(16, KSPROPERTY_AUDIO_POSITION).ulong(20, KSPROPERTY_TYPE_GET);
      KSPROPSETID_Audio.write(input.view, 0);
      const item = new WORK_QUEUE_ITEM(() => {
        machine.client.deviceIoControlAsync(
          pin,
          IOCTL_KS_PROPERTY,
          input.array,
          new Uint8Array(16),
          (status) => script.calls.push(ntSuccess(status) ? 'client has the position' : 'client has none'),
        );
      });
      exQueueWorkItem(item, 'DelayedWorkQueue');
      keDelayExecutionThread(-100_000);
      script.calls.push('SetState ends');
    };
    const mark = script.calls.length;
    expect(machine.setState(pin, 1)).toBe(STATUS_SUCCESS);
    machine.runMs(1);
    const calls = script.calls.slice(mark);
    expect(machine.end()).toEqual([]);
    return calls;
  }

  test('by default position requests wait for a state request of the device', () => {
    expect(order({})).toEqual(['SetState(1)', 'SetState ends', 'GetPosition', 'client has the position']);
  });

  test('with UsePositionLock they do not', () => {
    const one = { subkey: 'DispatchSettings', name: 'UsePositionLock', value: new Uint8Array([1, 0, 0, 0]) };
    expect(order({ registry: { driver: [one] } })).toEqual([
      'SetState(1)',
      'GetPosition',
      'SetState ends',
      'client has the position',
    ]);
    const zero = { ...one, value: new Uint8Array(4) };
    expect(order({ registry: { driver: [zero] } })[1]).toBe('SetState ends');
  });
});
