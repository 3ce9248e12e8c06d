import { describe, expect, it } from 'vitest';
import {
  BugcheckCode,
  BugcheckError,
  NtError,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_UNSUCCESSFUL,
  TraceKind,
} from '../../../kernel/index.ts';
import {
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_DRMAUDIOSTREAM_CONTENTID,
  KSPROPSETID_Connection,
  KSPROPSETID_DrmAudioStream,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksSetProperty,
  pcmFormat,
} from '../../../ks/index.ts';
import { CyclicScript, recordedAt } from './test-card.ts';
import { CyclicMachine, same, sound, statusOf } from './test-client.ts';

const MS = 192;

function running(script = new CyclicScript(), traceMask: number = TraceKind.Finding) {
  const machine = new CyclicMachine(script, { traceMask });
  const pin = machine.openPin();
  pin.setState(KSSTATE_PAUSE);
  const bytes = sound(200 * MS);
  pin.write(bytes);
  pin.setState(KSSTATE_RUN);
  return { machine, pin, script, bytes };
}

describe('a miniport that gives no whole stream', () => {
  it.each([
    ['stream', 'STATUS_UNSUCCESSFUL', /NewStream succeeded without Stream\./],
    ['dmaChannel', 'STATUS_UNSUCCESSFUL', /NewStream succeeded without DmaChannel\./],
    ['serviceGroup', 'STATUS_UNSUCCESSFUL', /NewStream succeeded without ServiceGroup\./],
    ['buffer', 'STATUS_INSUFFICIENT_RESOURCES', /DMA channel that NewStream gave has no buffer/],
  ] as const)('without %s: the open fails, a finding says why, nothing stays', (without, status, text) => {
    const script = new CyclicScript();
    script.without = without;
    const machine = new CyclicMachine(script);
    expect(statusOf(() => machine.openPin())).toBe(status);
    expect(machine.findings.filter((finding) => text.test(finding))).toHaveLength(1);
    expect(machine.end()).toEqual([]);
  });

  it.each(['NewStream', 'SetNotificationFreq', 'Init', 'GetDescription'])('refusing %s', (method) => {
    const script = new CyclicScript();
    script.onCall = (called) => {
      if (called === method) throw new NtError(STATUS_INSUFFICIENT_RESOURCES);
    };
    const machine = new CyclicMachine(script);
    if (method.startsWith('N') || method.startsWith('S')) {
      expect(statusOf(() => machine.openPin())).toBe('STATUS_INSUFFICIENT_RESOURCES');
      script.onCall = () => {};
      machine.openPin();
    } else expect(() => machine.openFilter()).toThrow(/no filter/);
    expect(machine.end()).toEqual([]);
  });

  it('with a buffer of less than two periods is told so, and served as well as may be', () => {
    const script = new CyclicScript();
    script.bufferBytes = 15 * MS;
    const { machine, pin } = running(script);
    machine.runMs(50);
    expect(pin.stream.channel.bufferSize()).toBe(15 * MS);
    expect(machine.findings[0]).toMatch(/less than two notification intervals/);
    expect(machine.end()).toEqual([]);
  });
});

describe('a miniport that refuses a state', () => {
  it.each([1, 2, 3])('on the way up, at %i: the client hears it, the state before stays', (refused) => {
    const script = new CyclicScript();
    let refuses = true;
    script.onCall = (called) => {
      if (refuses && called === 'SetState' && script.calls.at(-1) === `SetState(${refused})`) {
        throw new NtError(STATUS_UNSUCCESSFUL);
      }
    };
    const machine = new CyclicMachine(script);
    const pin = machine.openPin();
    expect(statusOf(() => pin.setState(KSSTATE_RUN))).toBe('STATUS_UNSUCCESSFUL');
    const state = () => pin.get(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, 4)[0];
    expect(state()).toBe(refused - 1);
    machine.runMs(50);
    refuses = false;
    pin.setState(KSSTATE_RUN);
    expect(state()).toBe(KSSTATE_RUN);
    machine.runMs(50);
    expect(machine.end()).toEqual([]);
  });

  it('on the way down: the port goes on all the same, and requests end', () => {
    const { machine, pin, script } = running();
    machine.runMs(15);
    script.onCall = (called) => {
      if (called === 'SetState') throw new NtError(STATUS_UNSUCCESSFUL);
    };
    expect(statusOf(() => pin.setState(KSSTATE_STOP))).toBe('STATUS_UNSUCCESSFUL');
    machine.runMs(0);
    expect(pin.get(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, 4)[0]).toBe(KSSTATE_STOP);
    expect(pin.packets[0]?.statusName).toBe('STATUS_CANCELLED');
    expect(machine.findings.filter((text) => /downward transitions must succeed/.test(text))).toHaveLength(3);
    script.onCall = () => {};
    expect(machine.end()).toEqual([]);
  });
});

describe('a miniport that throws', () => {
  it.each([
    ['NewStream', 'IMiniportWaveCyclic::NewStream'],
    ['SetNotificationFreq', 'IMiniportWaveCyclicStream::SetNotificationFreq'],
    ['SetState', 'IMiniportWaveCyclicStream::SetState'],
    ['GetPosition', 'IMiniportWaveCyclicStream::GetPosition'],
    ['Silence', 'IMiniportWaveCyclicStream::Silence'],
    ['SetFormat', 'IMiniportWaveCyclicStream::SetFormat'],
  ])('in %s stops the machine, and the report names it', (method, name) => {
    const script = new CyclicScript();
    const machine = new CyclicMachine(script);
    script.onCall = (called) => {
      if (called === method) throw new TypeError('a bug');
    };
    const use = () => {
      const pin = machine.openPin();
      pin.setState(KSSTATE_PAUSE);
      pin.write(sound(MS));
      pin.setFormat(pcmFormat(44_100, 2, 16));
      pin.setState(KSSTATE_RUN);
      machine.runMs(50);
    };
    expect(use).toThrow(BugcheckError);
    expect(machine.kernel.stopped).toMatchObject({ driver: 'wcfake', method: name });
    expect([BugcheckCode.SYSTEM_SERVICE_EXCEPTION, BugcheckCode.KMODE_EXCEPTION_NOT_HANDLED]).toContain(
      machine.kernel.stopped?.code,
    );
  });

  it('in the DPC of a notification stops it too', () => {
    const { machine, script } = running();
    machine.runMs(5);
    script.onCall = (called) => {
      if (called === 'GetPosition') throw new TypeError('a bug');
    };
    expect(() => machine.runMs(50)).toThrow(BugcheckError);
    expect(machine.kernel.stopped?.method).toBe('IMiniportWaveCyclicStream::GetPosition');
  });
});

describe('a miniport whose position is wrong', () => {
  it('beyond the buffer: a finding, and no harm', () => {
    for (const position of [20_000, -1, Number.NaN]) {
      const { machine, script } = running();
      machine.runMs(20);
      script.falsePosition = position;
      machine.runMs(300);
      expect(machine.findings[0]).toMatch(/offset beyond the cyclic buffer/);
      expect(machine.end()).toEqual([]);
    }
    const { machine } = running();
    expect(machine.end()).toEqual([]);
  });

  it('going back a little: the port waits until it has caught up, and plays on', () => {
    const { machine, pin, script, bytes } = running();
    machine.runMs(50);
    script.positionError = -12 * MS;
    machine.runMs(5);
    expect(pin.position().playOffset).toBe(50 * MS);
    machine.runMs(3);
    expect(machine.findings).toEqual([
      'GetPosition went back in KSSTATE_RUN; the port waits until it has caught up.',
    ]);
    script.positionError = 0;
    machine.runMs(200);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    expect(machine.end()).toEqual([]);
  });
});

describe('sleep', () => {
  it('pauses a running stream with its queue, and goes on without a gap when power is back', () => {
    const { machine, pin, bytes } = running();
    machine.runMs(50);
    machine.sleep();
    expect(pin.stream.states.at(-1)).toBe(KSSTATE_PAUSE);
    machine.runMs(1000);
    machine.wake();
    expect(pin.stream.states.at(-1)).toBe(KSSTATE_RUN);
    machine.runMs(300);
    expect(pin.packets[0]?.statusName).toBe('STATUS_SUCCESS');
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    expect(machine.findings).toEqual([]);
    expect(machine.end()).toEqual([]);
  });
});

describe('a device that begins at the start of its buffer after a pause', () => {
  it.each([13, 33, 77, 131])(
    '%i ms on: plays on without a gap when power was off, and says nothing',
    (ms) => {
      const script = new CyclicScript();
      const { machine, pin, bytes } = running(script);
      machine.runMs(ms);
      script.forgetsPosition = true;
      machine.sleep();
      machine.runMs(500);
      machine.wake();
      expect(pin.position().playOffset).toBe(ms * MS);
      machine.runMs(300);
      expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
      expect(pin.position()).toEqual({ playOffset: bytes.length, writeOffset: bytes.length });
      expect(machine.findings).toEqual([]);
      expect(machine.end()).toEqual([]);
    },
  );

  it('does so with a finding when it was only paused', () => {
    const script = new CyclicScript();
    const { machine, pin, bytes } = running(script);
    machine.runMs(50);
    script.forgetsPosition = true;
    pin.setState(KSSTATE_PAUSE);
    pin.setState(KSSTATE_RUN);
    machine.runMs(300);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    expect(machine.findings).toEqual([
      'GetPosition went on from another place in KSSTATE_RUN than where it had been frozen.',
    ]);
    expect(machine.end()).toEqual([]);
  });

  it('records on, and what nobody had asked for is said to be lost', () => {
    const script = new CyclicScript();
    const machine = new CyclicMachine(script);
    const pin = machine.openPin(1);
    pin.setState(KSSTATE_PAUSE);
    pin.read(20 * MS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(50);
    script.forgetsPosition = true;
    machine.sleep();
    machine.wake();
    const packet = pin.read(10 * MS);
    machine.runMs(30);
    expect(packet.header.optionsFlags & 4).toBe(4);
    expect(
      same(
        pin.bytesOf(packet),
        Uint8Array.from({ length: 10 * MS }, (_, i) => recordedAt(50 * MS + i)),
      ),
    ).toBe(true);
    expect(machine.end()).toEqual([]);
  });
});

describe('removal', () => {
  it('ends waiting requests at once; the way down and closing still work', () => {
    const { machine, pin } = running();
    const second = pin.write(sound(MS));
    machine.runMs(50);
    machine.unplug();
    machine.runMs(0);
    expect(pin.packets[0]?.statusName).toBe('STATUS_DEVICE_REMOVED');
    expect(second.statusName).toBe('STATUS_DEVICE_REMOVED');
    expect(statusOf(() => pin.position())).toBe('STATUS_DEVICE_REMOVED');
    expect(pin.write(sound(MS)).statusName).toBe('STATUS_DEVICE_REMOVED');
    pin.setState(KSSTATE_STOP);
    expect(pin.stream.states.slice(-3)).toEqual([2, 1, 0]);
    pin.close();
    expect(machine.end()).toEqual([]);
  });

  it('a process that ends in the middle leaves nothing', () => {
    const { machine } = running();
    machine.runMs(33);
    expect(machine.end()).toEqual([]);
  });
});

describe('content ids', () => {
  const contentId = new Uint8Array([7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

  it('are refused to applications', () => {
    const script = new CyclicScript();
    script.drm = true;
    const { machine, pin } = running(script);
    expect(
      statusOf(() =>
        ksSetProperty(
          machine.client,
          pin.handle,
          KSPROPSETID_DrmAudioStream,
          KSPROPERTY_DRMAUDIOSTREAM_CONTENTID,
          contentId,
        ),
      ),
    ).toBe('STATUS_ACCESS_DENIED');
    expect(machine.end()).toEqual([]);
  });
});

describe('the trace', () => {
  it('tells of a starvation once, and not of the end of a stream', () => {
    const { machine, pin } = running(new CyclicScript(), TraceKind.Finding | TraceKind.State);
    machine.runMs(300);
    const starved = () =>
      machine.kernel.trace.events().filter(({ name }) => name === 'Starved: silence is played').length;
    expect(starved()).toBe(1);
    pin.write(sound(10 * MS), 0x200);
    machine.runMs(100);
    expect(starved()).toBe(1);
    expect(machine.end()).toEqual([]);
  });
});
