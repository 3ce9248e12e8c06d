import { describe, expect, it } from 'vitest';
import { Ac97Common } from '../src/adapters/ac97/common.ts';
import * as ac97 from '../src/adapters/ac97/index.ts';
import { Ac97TopologyMiniport } from '../src/adapters/ac97/topology-miniport.ts';
import { Ac97WaveMiniport } from '../src/adapters/ac97/wave-miniport.ts';
import { Ac97WaveStream } from '../src/adapters/ac97/wave-stream.ts';
import { audioFormat, MemoryPcmReader } from '../src/client/index.ts';
import { encodeProperty } from '../src/client/requests/ks-object.ts';
import type { RtPin } from '../src/client/streams/rt-pin.ts';
import {
  type Bugcheck,
  BugcheckError,
  currentKernel,
  DISPATCH_LEVEL,
  type DriverPackage,
  formatBugcheck,
  KDPC,
  keInsertQueueDpc,
  type NTSTATUS,
  NtError,
  ntStatusName,
  PASSIVE_LEVEL,
  PowerSystemSleeping3,
  PowerSystemWorking,
  STATUS_DEVICE_BUSY,
  STATUS_INSUFFICIENT_RESOURCES,
} from '../src/kernel/index.ts';
import {
  encodeDataFormat,
  encodeDataRanges,
  KSDATAFORMAT_SPECIFIER_NONE,
  KSDATAFORMAT_SUBTYPE_ANALOG,
  KSDATAFORMAT_TYPE_AUDIO,
  KSPROPERTY_AUDIO_MUTE,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_PIN_DATAINTERSECTION,
  KSPROPERTY_RTAUDIO_CLOCKREGISTER,
  KSPROPERTY_RTAUDIO_HWLATENCY,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_TYPE_GET,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_Pin,
  KSPROPSETID_RtAudio,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  pcmFormat,
} from '../src/ks/index.ts';
import { pcAddAdapterDevice, pcInitializeAdapterDriver } from '../src/portcls/index.ts';
import {
  Ac97Bench,
  bytesOf,
  CAPTURE_PIN,
  expectBitExact,
  noise,
  RENDER_PIN,
  same,
  setState,
  soundIn,
} from './support/ac97-bench.ts';
import { type Sabotage, sabotage } from './support/sabotage.ts';

/** What is thrown; the text is to be found in the report. */
const bug = () => new TypeError("Cannot read properties of null (reading 'stateOfTheDriver')");
const refusal = () => new NtError(STATUS_DEVICE_BUSY);

/** Runs `action`; the bugcheck it ends in, the status it fails with, or null. */
function outcome(action: () => unknown): Bugcheck | NtError | null {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof BugcheckError) return error.bugcheck;
    if (error instanceof NtError) return error;
    // Clients explain statuses in sentences; the status is behind them.
    if (error instanceof Error && error.cause instanceof NtError) return error.cause;
    throw error;
  }
}

/** A pin with what a test needs of it. */
function openStream(bench: Ac97Bench, capture = false, notifications: 0 | 1 | 2 = 2): RtPin {
  const filter = bench.openFilter('Wave');
  const pin = bench.openPin(filter, capture ? CAPTURE_PIN : RENDER_PIN);
  filter.close();
  pin.allocateBuffer(7680, notifications);
  return pin;
}

function running(bench: Ac97Bench, capture = false): RtPin {
  const pin = openStream(bench, capture);
  setState(pin, KSSTATE_RUN);
  bench.pass(30);
  return pin;
}

const getRt = (pin: RtPin, id: number, instanceWords: readonly number[], size: number) =>
  pin.object.control(
    encodeProperty(KSPROPSETID_RtAudio, id, KSPROPERTY_TYPE_GET, instanceWords),
    new Uint8Array(size),
  );

/** One of the driver's methods: what makes the system call it, and how the report names it. */
interface Case {
  readonly name: string;
  readonly owner: { readonly name: string; readonly prototype: object };
  readonly method: string;
  readonly only?: (...args: unknown[]) => boolean;
  /** Brought about before the method is broken. */
  readonly before?: (bench: Ac97Bench) => RtPin;
  readonly provoke: (bench: Ac97Bench, pin: RtPin) => unknown;
  /** As the report names it, where that is not `name`. */
  readonly reported?: string;
  /** IRQL of the report; PASSIVE_LEVEL unless told otherwise, 'device' for the interrupt's. */
  readonly irql?: number | 'device';
  /** A status thrown here cannot be given to anybody: the request succeeds all the same. */
  readonly swallowed?: true;
  /** A status thrown here leaves what the method should have given back: the leak report names it. */
  readonly leaks?: RegExp;
  /** What the client is told, where it is not what the method threw. */
  readonly status?: NTSTATUS;
}

const INTERSECTION = (filter: 'Wave' | 'Topology') => (bench: Ac97Bench) => {
  const object = bench.openFilter(filter);
  const range = {
    flags: 0,
    sampleSize: 0,
    majorFormat: KSDATAFORMAT_TYPE_AUDIO,
    subFormat: KSDATAFORMAT_SUBTYPE_ANALOG,
    specifier: KSDATAFORMAT_SPECIFIER_NONE,
  };
  object.getPin(KSPROPSETID_Pin, KSPROPERTY_PIN_DATAINTERSECTION, 1, 200, encodeDataRanges([range]));
};
const sleep = (bench: Ac97Bench) =>
  bench.kernel.enter(() => {
    bench.kernel.pnp.setSystemPowerState(PowerSystemSleeping3);
    bench.kernel.pnp.setSystemPowerState(PowerSystemWorking);
  });

const STREAM = Ac97WaveStream;
const CASES: readonly Case[] = [
  {
    name: 'IMiniportWaveRT::NewStream',
    owner: Ac97WaveMiniport,
    method: 'newStream',
    provoke: (bench) => openStream(bench),
  },
  {
    name: 'IMiniportWaveRT::DataRangeIntersection',
    owner: Ac97WaveMiniport,
    method: 'dataRangeIntersection',
    provoke: INTERSECTION('Wave'),
  },
  {
    name: 'IMiniportTopology::DataRangeIntersection',
    owner: Ac97TopologyMiniport,
    method: 'dataRangeIntersection',
    provoke: INTERSECTION('Topology'),
  },
  {
    name: 'IMiniportWaveRT::GetDeviceDescription',
    owner: Ac97WaveMiniport,
    method: 'getDeviceDescription',
    provoke: (bench) => openStream(bench),
    // The pages are asked for by the miniport itself, which is told that there are none.
    status: STATUS_INSUFFICIENT_RESOURCES,
  },
  {
    name: 'IMiniportWaveRTStream::SetFormat',
    owner: STREAM,
    method: 'setFormat',
    before: (bench) => openStream(bench),
    provoke: (_bench, pin) =>
      pin.object.set(
        KSPROPSETID_Connection,
        KSPROPERTY_CONNECTION_DATAFORMAT,
        encodeDataFormat(pcmFormat(44_100, 2, 16)),
      ),
  },
  {
    name: 'IMiniportWaveRTStream::AllocateAudioBuffer',
    owner: STREAM,
    method: 'allocateAudioBuffer',
    provoke: (bench) => openStream(bench, false, 0),
  },
  {
    name: 'IMiniportWaveRTStreamNotification::AllocateBufferWithNotification',
    owner: STREAM,
    method: 'allocateBufferWithNotification',
    provoke: (bench) => openStream(bench, false, 2),
  },
  {
    name: 'IMiniportWaveRTStream::FreeAudioBuffer',
    owner: STREAM,
    method: 'freeAudioBuffer',
    before: (bench) => openStream(bench, false, 0),
    provoke: (_bench, pin) => pin.close(),
    swallowed: true,
    leaks: /pages|MDL/i,
  },
  {
    name: 'IMiniportWaveRTStreamNotification::FreeBufferWithNotification',
    owner: STREAM,
    method: 'freeBufferWithNotification',
    before: (bench) => openStream(bench, false, 2),
    provoke: (_bench, pin) => pin.close(),
    swallowed: true,
    leaks: /pages|MDL/i,
  },
  {
    name: 'IMiniportWaveRTStreamNotification::RegisterNotificationEvent',
    owner: STREAM,
    method: 'registerNotificationEvent',
    before: (bench) => openStream(bench),
    provoke: (bench, pin) => pin.registerEvent(bench.process.createEvent()),
  },
  {
    name: 'IMiniportWaveRTStreamNotification::UnregisterNotificationEvent',
    owner: STREAM,
    method: 'unregisterNotificationEvent',
    before: (bench) => openStream(bench),
    provoke: (bench, pin) => {
      const event = bench.process.createEvent();
      pin.registerEvent(event);
      pin.unregisterEvent(event);
    },
    swallowed: true,
  },
  {
    name: 'IMiniportWaveRTStream::GetHWLatency',
    owner: STREAM,
    method: 'getHWLatency',
    before: (bench) => openStream(bench),
    provoke: (_bench, pin) => getRt(pin, KSPROPERTY_RTAUDIO_HWLATENCY, [], 12),
  },
  {
    name: 'IMiniportWaveRTStream::GetPositionRegister',
    owner: STREAM,
    method: 'getPositionRegister',
    before: (bench) => openStream(bench),
    provoke: (_bench, pin) => getRt(pin, KSPROPERTY_RTAUDIO_POSITIONREGISTER, [0, 0], 64),
  },
  {
    name: 'IMiniportWaveRTStream::GetClockRegister',
    owner: STREAM,
    method: 'getClockRegister',
    before: (bench) => openStream(bench),
    provoke: (_bench, pin) => getRt(pin, KSPROPERTY_RTAUDIO_CLOCKREGISTER, [0, 0], 64),
  },
  ...(
    [
      ['ACQUIRE', KSSTATE_ACQUIRE],
      ['PAUSE', KSSTATE_PAUSE],
      ['RUN', KSSTATE_RUN],
    ] as const
  ).map(
    ([text, state]): Case => ({
      name: `IMiniportWaveRTStream::SetState up to ${text}`,
      reported: 'IMiniportWaveRTStream::SetState',
      owner: STREAM,
      method: 'setState',
      only: (to) => to === state,
      before: (bench) => openStream(bench),
      provoke: (_bench, pin) => setState(pin, KSSTATE_RUN),
    }),
  ),
  ...(
    [
      ['PAUSE', KSSTATE_PAUSE],
      ['ACQUIRE', KSSTATE_ACQUIRE],
      ['STOP', KSSTATE_STOP],
    ] as const
  ).map(
    ([text, state]): Case => ({
      name: `IMiniportWaveRTStream::SetState down to ${text}`,
      reported: 'IMiniportWaveRTStream::SetState',
      owner: STREAM,
      method: 'setState',
      only: (to) => to === state,
      before: (bench) => running(bench),
      provoke: (_bench, pin) => setState(pin, KSSTATE_STOP),
    }),
  ),
  {
    name: 'IMiniportWaveRTStream::GetPosition',
    owner: STREAM,
    method: 'getPosition',
    before: (bench) => running(bench),
    provoke: (_bench, pin) => pin.object.get(KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 16),
  },
  {
    name: 'IMiniportWaveRTOutputStream::SetWritePacket',
    owner: STREAM,
    method: 'setWritePacket',
    before: (bench) => openStream(bench),
    provoke: (_bench, pin) => pin.setWritePacket(0, null),
  },
  {
    name: 'IMiniportWaveRTOutputStream::GetPacketCount',
    owner: STREAM,
    method: 'getPacketCount',
    before: (bench) => running(bench),
    provoke: (_bench, pin) => pin.packetCount(),
  },
  {
    name: 'IMiniportWaveRTOutputStream::GetOutputStreamPresentationPosition',
    owner: STREAM,
    method: 'getOutputStreamPresentationPosition',
    before: (bench) => running(bench),
    provoke: (_bench, pin) => getRt(pin, KSPROPERTY_RTAUDIO_PRESENTATION_POSITION, [], 16),
  },
  {
    name: 'IMiniportWaveRTInputStream::GetReadPacket',
    owner: STREAM,
    method: 'getReadPacket',
    before: (bench) => running(bench, true),
    provoke: (_bench, pin) => pin.readPacket(),
  },
  {
    name: 'PropertyHandler(KSPROPERTY_AUDIO_MUTE), get',
    reported: 'PropertyHandler(KSPROPERTY_AUDIO_MUTE)',
    owner: Ac97Common,
    method: 'cachedCodec',
    provoke: (bench) => getMute(bench),
  },
  {
    name: 'PropertyHandler(KSPROPERTY_AUDIO_MUTE), set',
    reported: 'PropertyHandler(KSPROPERTY_AUDIO_MUTE)',
    owner: Ac97Common,
    method: 'updateCodec',
    provoke: (bench) => bench.audio.endpoint('render', 'Speakers').setMute(true),
  },
  {
    name: 'IPowerNotify::PowerChangeNotify',
    owner: STREAM,
    method: 'powerChangeNotify',
    before: (bench) => running(bench),
    provoke: sleep,
    swallowed: true,
  },
  {
    name: 'IAdapterPowerManagement::QueryPowerChangeState',
    owner: Ac97Common,
    method: 'queryPowerChangeState',
    provoke: sleep,
    swallowed: true,
  },
  {
    name: 'IAdapterPowerManagement::PowerChangeState',
    owner: Ac97Common,
    method: 'powerChangeState',
    provoke: sleep,
    swallowed: true,
  },
  {
    name: 'IMiniportWaveRTStream::Release',
    owner: STREAM,
    method: 'finalRelease',
    before: (bench) => openStream(bench),
    provoke: (_bench, pin) => pin.close(),
    swallowed: true,
    leaks: /Ac97|Stream|Common/,
  },
  {
    name: 'its service routine',
    reported: 'serviceRoutine (line 19)',
    owner: STREAM,
    method: 'engineInterrupt',
    before: (bench) => openStream(bench),
    provoke: (bench, pin) => {
      setState(pin, KSSTATE_RUN);
      bench.pass(100);
    },
    irql: 'device',
  },
];

/** The mute property of the speakers, asked for at its node: nobody looks for another node when it is refused. */
function getMute(bench: Ac97Bench): void {
  const topology = bench.openFilter('Topology');
  const node = bench.audio.controls().find('Master Mute').node.id;
  topology.getNode(KSPROPSETID_Audio, KSPROPERTY_AUDIO_MUTE, { node, channel: 0 }, 4);
}

function arm({ owner, method, only }: Case, bench: Ac97Bench, fault: () => Error): Sabotage {
  const options = { victim: () => bench.kernel, ...(only === undefined ? {} : { only }) };
  return sabotage(owner, method, fault, options);
}

function expectReport(stop: Bugcheck | NtError | null, method: string, irql: number | 'device'): void {
  expect(stop).not.toBeNull();
  expect(stop).not.toBeInstanceOf(NtError);
  if (stop === null || stop instanceof NtError) return;
  expect(stop).toMatchObject({ driver: 'ac97', method });
  expect(stop.text).toContain('stateOfTheDriver');
  if (irql === 'device') expect(stop.irql).toBeGreaterThan(DISPATCH_LEVEL);
  else expect(stop.irql).toBe(irql);
  const text = formatBugcheck(stop);
  expect(text).toContain('*** STOP: 0x');
  expect(text).toContain('driver  ac97');
  expect(text).toContain(`method  ${method}`);
  expect(text).toMatch(
    irql === PASSIVE_LEVEL ? /IRQL {4}PASSIVE_LEVEL/ : /IRQL {4}(DISPATCH_LEVEL|DIRQL|.*\d)/,
  );
  // The stack shows where in the driver.
  expect(stop.stack).toContain('sabotage');
}

describe("an AC'97 driver with a bug", () => {
  for (const one of CASES) {
    it(`in ${one.name} ends its machine with a report, and no other`, () => {
      using neighbour = new Ac97Bench({ flat: false });
      const samples = noise(2 * 4800, 5);
      const source = new MemoryPcmReader(audioFormat(), bytesOf(samples));
      const stream = neighbour.audio.openRender(neighbour.audio.endpoint('render'), { source, bufferMs: 20 });
      stream.start();
      neighbour.pass(50);

      using bench = new Ac97Bench({ flat: false });
      const pin = one.before?.(bench) ?? null;
      using fault = arm(one, bench, bug);
      const stop = outcome(() => one.provoke(bench, pin as RtPin));
      expect(fault.calls).toBe(1);
      expectReport(stop, one.reported ?? one.name, one.irql ?? PASSIVE_LEVEL);
      expect(bench.kernel.stopped).toBe(stop);
      // The machine stays down: everything on it throws the same again.
      expect(outcome(() => bench.pass(1))).toBe(stop);

      expect(neighbour.run(() => stream.ended)).toBe(true);
      expect(stream.error).toBeNull();
      stream.close();
      const { sound } = soundIn(neighbour.lineOut.samples, samples.length);
      expect(same(bytesOf(sound), bytesOf(samples))).toBe(true);
    });
  }

  it('in a DPC is named with its level', () => {
    using bench = new Ac97Bench({ flat: false });
    const pin = openStream(bench);
    using fault = sabotage(STREAM, 'engineInterrupt', bug, {
      victim: () => bench.kernel,
      only: () => {
        const routine = () => {
          throw bug();
        };
        keInsertQueueDpc(new KDPC(routine, null, 'Ac97 DPC'));
        return false;
      },
    });
    const stop = outcome(() => {
      setState(pin, KSSTATE_RUN);
      bench.pass(100);
    });
    expect(fault.calls).toBe(0);
    expect(stop).not.toBeInstanceOf(NtError);
    expect(stop).toMatchObject({ driver: 'ac97', method: 'Ac97 DPC', irql: DISPATCH_LEVEL });
  });
});

describe("an AC'97 driver that refuses", () => {
  for (const one of CASES.filter(({ irql }) => irql === undefined)) {
    it(`in ${one.name} gives its caller the status, and goes on`, () => {
      using bench = new Ac97Bench({ flat: false, checkLeaks: false });
      const pin = one.before?.(bench) ?? null;
      const fault = arm(one, bench, refusal);
      let result: Bugcheck | NtError | null;
      try {
        result = outcome(() => one.provoke(bench, pin as RtPin));
      } finally {
        fault[Symbol.dispose]();
      }
      expect(fault.calls).toBeGreaterThan(0);
      expect(bench.kernel.stopped).toBeNull();
      if (one.swallowed) expect(result).toBeNull();
      else {
        expect(result).toBeInstanceOf(NtError);
        if (result instanceof NtError)
          expect(ntStatusName(result.status)).toBe(ntStatusName(one.status ?? STATUS_DEVICE_BUSY));
      }
      // Whatever was opened is closed; then the card plays as if nothing had been.
      bench.process.terminate();
      bench.restartApplication();
      expectBitExact(bench, 'event', 2400);
      const leaks = bench.end();
      if (one.leaks === undefined) expect(leaks).toBe('');
      else expect(leaks).toMatch(one.leaks);
    });
  }
});

/** What is called while the system starts the driver. */
const BOOT_CASES: readonly {
  readonly name: string;
  readonly driver?: (fault: () => Error) => DriverPackage;
  readonly owner?: { readonly name: string; readonly prototype: object };
  readonly method?: string;
  readonly only?: (...args: unknown[]) => boolean;
  readonly reported?: string;
}[] = [
  {
    name: 'DriverEntry',
    driver: (fault) => ({
      ...ac97.install,
      driverEntry: () => {
        throw fault();
      },
    }),
  },
  {
    name: 'AddDevice',
    driver: (fault) => ({
      ...ac97.install,
      driverEntry: (driverObject, registryPath) =>
        pcInitializeAdapterDriver(driverObject, registryPath, () => {
          throw fault();
        }),
    }),
  },
  {
    name: 'StartDevice',
    driver: (fault) => ({
      ...ac97.install,
      driverEntry: (driverObject, registryPath) =>
        pcInitializeAdapterDriver(driverObject, registryPath, (driver, device) => {
          pcAddAdapterDevice(
            driver,
            device,
            () => {
              throw fault();
            },
            2,
            0,
          );
        }),
    }),
  },
  { name: 'StartDevice, bringing the card up', reported: 'StartDevice', owner: Ac97Common, method: 'start' },
  {
    name: 'StartDevice, reading the codec',
    reported: 'StartDevice',
    owner: Ac97Common,
    method: 'readCodec',
    only: (register) => register === 0x7c,
  },
  { name: 'IMiniportTopology::Init', owner: Ac97TopologyMiniport, method: 'init' },
  { name: 'IMiniportTopology::GetDescription', owner: Ac97TopologyMiniport, method: 'getDescription' },
  { name: 'IMiniportWaveRT::Init', owner: Ac97WaveMiniport, method: 'init' },
  { name: 'IMiniportWaveRT::GetDescription', owner: Ac97WaveMiniport, method: 'getDescription' },
  {
    name: 'IUnknown::QueryInterface(IID_IMiniportWaveRT)',
    owner: Ac97WaveMiniport,
    method: 'nonDelegatingQueryInterface',
  },
];

describe("an AC'97 driver that fails to start", () => {
  function boot(
    one: (typeof BOOT_CASES)[number],
    fault: () => Error,
    check: (bench: Ac97Bench | null) => void,
  ) {
    const { owner, method, only, driver } = one;
    const broken =
      owner && method ? sabotage(owner, method, fault, only === undefined ? {} : { only }) : null;
    let bench: Ac97Bench | null = null;
    let stop: Bugcheck | NtError | null;
    try {
      stop = outcome(() => {
        bench = new Ac97Bench({ flat: false, ...(driver ? { driver: driver(fault) } : {}) });
      });
      if (broken) expect(broken.calls).toBeGreaterThan(0);
    } finally {
      broken?.[Symbol.dispose]();
    }
    check(bench);
    return stop;
  }

  it.each(BOOT_CASES.map((one) => [one.name, one] as const))('a bug in %s is reported', (name, one) => {
    const stop = boot(one, bug, (bench) => expect(bench).toBeNull());
    expect(stop).not.toBeInstanceOf(NtError);
    expect(stop).toMatchObject({ driver: 'ac97', method: one.reported ?? name, irql: PASSIVE_LEVEL });
    // The next machine starts well.
    using bench = new Ac97Bench({ flat: false });
    expectBitExact(bench, 'timer', 480);
  });

  it.each(BOOT_CASES.map((one) => [one.name, one] as const))(
    'a status thrown in %s leaves a device with a problem, and nothing behind',
    (_name, one) => {
      const stop = boot(one, refusal, (bench) => {
        expect(bench?.audio.filterPaths()).toEqual([]);
        const node = bench?.kernel.pnp.findDevice(bench.slot);
        expect(node?.problem).not.toBeNull();
        expect(bench?.end()).toBe('');
      });
      expect(stop).toBeNull();
    },
  );

  it('a bug while a report is made belongs to the machine that runs', () => {
    using first = new Ac97Bench({ flat: false });
    using second = new Ac97Bench({ flat: false });
    using fault = sabotage(Ac97WaveMiniport, 'newStream', bug, { victim: () => first.kernel });
    expect(outcome(() => openStream(first))).toMatchObject({ driver: 'ac97' });
    expect(outcome(() => openStream(second))).toBeNull();
    expect(fault.calls).toBe(1);
    expect(() => second.kernel.enter(() => expect(currentKernel()).toBe(second.kernel))).not.toThrow();
  });
});
