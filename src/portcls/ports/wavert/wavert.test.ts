import { describe, expect, test } from 'vitest';
import {
  type NTSTATUS,
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_BUFFER_TOO_SMALL,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_PARAMETER,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
} from '../../../kernel/index.ts';
import {
  decodeDataFormat,
  encodeDataFormat,
  KSEVENT_CONTROL_CHANGE,
  KSEVENTSETID_AudioControlChange,
  KSINTERFACE_STANDARD_LOOPED_STREAMING,
  KSINTERFACESETID_Standard,
  KSPROPERTY_CONNECTION_DATAFORMAT,
  KSPROPERTY_CONNECTION_STATE,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  ksRequestEvent,
  ksSupportsEvent,
  pcmFormat,
  pinCreateName,
  standardPinConnect,
} from '../../../ks/index.ts';
import { must, openStream, statusOf } from './test-client.ts';
import { TestScript } from './test-stream.ts';

/** 48 kHz, stereo, 16 bits. */
const BYTES_PER_MS = 192;

function refuse(status: NTSTATUS): never {
  throw new NtError(status);
}

/** Calls since a mark, without those that only look. */
function callsFrom(script: TestScript, mark: number): readonly string[] {
  return script.calls.slice(mark);
}

describe('life of a WaveRT stream', () => {
  test('a client opens a pin, gets the buffer, plays, stops and closes; the miniport sees the documented calls only', () => {
    const { machine, script, pin } = openStream();
    expect(script.calls).toEqual(['Init', 'GetDescription', 'NewStream(0, render)']);
    const mark = script.calls.length;
    const buffer = machine.allocate(pin, 7680, 2);
    expect(buffer.status).toBe(STATUS_SUCCESS);
    expect(buffer.size).toBe(7680);
    const event = machine.client.createEvent('SynchronizationEvent');
    expect(machine.registerEvent(pin, event)).toBe(STATUS_SUCCESS);
    expect(machine.setState(pin, KSSTATE_RUN)).toBe(STATUS_SUCCESS);
    machine.runMs(10);
    expect(machine.position(pin)).toBe(10 * BYTES_PER_MS);
    expect(machine.setState(pin, KSSTATE_STOP)).toBe(STATUS_SUCCESS);
    expect(machine.unregisterEvent(pin, event)).toBe(STATUS_SUCCESS);
    machine.client.closeHandle(pin);
    expect(callsFrom(script, mark)).toEqual([
      'AllocateBufferWithNotification(2, 7680)',
      'GetDeviceDescription',
      'RegisterNotificationEvent',
      'SetState(1)',
      'SetState(2)',
      'SetState(3)',
      'GetPosition',
      'SetState(2)',
      'SetState(1)',
      'SetState(0)',
      'UnregisterNotificationEvent',
      'FreeBufferWithNotification(7680)',
      '~Stream',
    ]);
    expect(machine.end()).toEqual([]);
    expect(machine.findings).toEqual([]);
  });

  test('closing a running pin stops it step by step, takes events back, then frees the buffer and the stream', () => {
    const { machine, script, pin } = openStream();
    machine.allocate(pin, 7680, 1);
    machine.registerEvent(pin, machine.client.createEvent());
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(5);
    const mark = script.calls.length;
    machine.client.closeHandle(pin);
    expect(callsFrom(script, mark)).toEqual([
      'SetState(2)',
      'SetState(1)',
      'SetState(0)',
      'UnregisterNotificationEvent',
      'FreeBufferWithNotification(7680)',
      '~Stream',
    ]);
    expect(machine.end()).toEqual([]);
  });

  test('a filter handle that is closed first leaves its pins alive', () => {
    const { machine, filter, pin } = openStream();
    machine.client.closeHandle(filter);
    expect(machine.setState(pin, KSSTATE_ACQUIRE)).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });

  test('a process that dies while it plays leaves no stream, page, mapping or event', () => {
    const { machine, script, pin } = openStream();
    machine.allocate(pin, 7680, 2);
    machine.registerEvent(pin, machine.client.createEvent());
    machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_POSITIONREGISTER, 40, new Uint8Array(8));
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(13);
    machine.client.terminate();
    expect(script.calls.slice(-6)).toEqual([
      'SetState(2)',
      'SetState(1)',
      'SetState(0)',
      'UnregisterNotificationEvent',
      'FreeBufferWithNotification(7680)',
      '~Stream',
    ]);
    machine.runMs(50);
    expect(machine.platform.dmaRanges).toEqual([]);
    expect(machine.end()).toEqual([]);
    expect(machine.findings).toEqual([]);
  });

  test('pins take the looped interface too, and no more instances than the descriptor allows', () => {
    const { machine, filter } = openStream();
    const looped = { set: KSINTERFACESETID_Standard, id: KSINTERFACE_STANDARD_LOOPED_STREAMING, flags: 0 };
    machine.client.createFile(pinCreateName(standardPinConnect(0, pcmFormat(48_000, 2, 16), looped)), filter);
    expect(statusOf(() => machine.openPin(filter))).toBe(STATUS_INSUFFICIENT_RESOURCES);
    expect(machine.end()).toEqual([]);
  });

  test('what NewStream answers is what the client gets, and nothing is left', () => {
    const script = new TestScript();
    const { machine, filter } = openStream(script);
    script.onCall = (method) => {
      if (method === 'NewStream') refuse(STATUS_UNSUCCESSFUL);
    };
    expect(statusOf(() => machine.openPin(filter))).toBe(STATUS_UNSUCCESSFUL);
    script.onCall = () => {};
    expect(statusOf(() => machine.openPin(filter))).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });
});

describe('state', () => {
  test('position stands still in PAUSE and ACQUIRE, goes on in RUN, and is 0 in STOP', () => {
    const { machine, pin } = openStream();
    machine.allocate(pin, 96_000);
    expect(machine.position(pin)).toBe(0);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(20);
    machine.setState(pin, KSSTATE_PAUSE);
    const paused = machine.position(pin);
    expect(paused).toBe(20 * BYTES_PER_MS);
    machine.runMs(30);
    expect(machine.position(pin)).toBe(paused);
    machine.setState(pin, KSSTATE_ACQUIRE);
    machine.runMs(5);
    expect(machine.position(pin)).toBe(paused);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(7);
    expect(machine.position(pin)).toBe(27 * BYTES_PER_MS);
    machine.setState(pin, KSSTATE_STOP);
    expect(machine.position(pin)).toBe(0);
    expect(machine.end()).toEqual([]);
  });

  test('position is an offset in the cyclic buffer and wraps with it', () => {
    const { machine, pin } = openStream();
    machine.allocate(pin, 1920);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(25);
    expect(machine.position(pin)).toBe((25 * BYTES_PER_MS) % 1920);
    expect(machine.end()).toEqual([]);
  });

  test('a step up that fails keeps the state before it, and tells its status', () => {
    const { machine, script, pin } = openStream();
    // The test stream does not run without a buffer.
    expect(machine.setState(pin, KSSTATE_RUN)).toBe(STATUS_INVALID_DEVICE_STATE);
    expect(machine.getState(pin)).toBe(KSSTATE_PAUSE);
    machine.allocate(pin, 4096);
    const mark = script.calls.length;
    expect(machine.setState(pin, KSSTATE_RUN)).toBe(STATUS_SUCCESS);
    expect(callsFrom(script, mark)).toEqual(['SetState(3)']);
    expect(machine.end()).toEqual([]);
  });

  test('a step down that fails is a finding, and STOP is reached', () => {
    const { machine, script, pin } = openStream();
    machine.allocate(pin, 4096);
    machine.setState(pin, KSSTATE_RUN);
    script.onCall = (method) => {
      if (method === 'SetState') refuse(STATUS_UNSUCCESSFUL);
    };
    expect(machine.setState(pin, KSSTATE_STOP)).toBe(STATUS_UNSUCCESSFUL);
    expect(machine.getState(pin)).toBe(KSSTATE_STOP);
    expect(
      machine.findings.filter((text) => text.includes('downward transitions must succeed')),
    ).toHaveLength(3);
  });

  test('states that do not exist, and values that are too short', () => {
    const { machine, pin } = openStream();
    expect(machine.setState(pin, 4)).toBe(STATUS_INVALID_PARAMETER);
    const id = KSPROPERTY_CONNECTION_STATE;
    expect(machine.set(pin, KSPROPSETID_Connection, id, new Uint8Array(3))).toBe(STATUS_BUFFER_TOO_SMALL);
    expect(machine.get(pin, KSPROPSETID_Connection, id, 0)).toMatchObject({
      status: STATUS_BUFFER_OVERFLOW,
      information: 4,
    });
    expect(machine.end()).toEqual([]);
  });
});

describe('format', () => {
  test('the format of the open request is told, another one goes to SetFormat', () => {
    const { machine, script, pin } = openStream();
    const id = KSPROPERTY_CONNECTION_DATAFORMAT;
    const size = machine.get(pin, KSPROPSETID_Connection, id, 0);
    expect(size).toMatchObject({ status: STATUS_BUFFER_OVERFLOW, information: 82 });
    expect(decodeDataFormat(must(machine.get(pin, KSPROPSETID_Connection, id, 82)).bytes)).toMatchObject({
      waveFormatEx: { nSamplesPerSec: 48_000 },
    });
    expect(machine.get(pin, KSPROPSETID_Connection, id, 81).status).toBe(STATUS_BUFFER_TOO_SMALL);
    expect(machine.set(pin, KSPROPSETID_Connection, id, encodeDataFormat(pcmFormat(44_100, 2, 16)))).toBe(
      STATUS_SUCCESS,
    );
    expect(script.calls.at(-1)).toBe('SetFormat');
    expect(decodeDataFormat(must(machine.get(pin, KSPROPSETID_Connection, id, 82)).bytes)).toMatchObject({
      waveFormatEx: { nSamplesPerSec: 44_100 },
    });
    expect(machine.end()).toEqual([]);
  });

  test('a format that the miniport refuses while running leaves the one before', () => {
    const { machine, pin } = openStream();
    const id = KSPROPERTY_CONNECTION_DATAFORMAT;
    machine.allocate(pin, 4096);
    machine.setState(pin, KSSTATE_RUN);
    expect(machine.set(pin, KSPROPSETID_Connection, id, encodeDataFormat(pcmFormat(44_100, 2, 16)))).toBe(
      STATUS_INVALID_PARAMETER,
    );
    expect(decodeDataFormat(must(machine.get(pin, KSPROPSETID_Connection, id, 100)).bytes)).toMatchObject({
      waveFormatEx: { nSamplesPerSec: 48_000 },
    });
    expect(machine.end()).toEqual([]);
  });

  test('a format whose bytes contradict themselves never reaches the miniport', () => {
    const { machine, script, pin } = openStream();
    const id = KSPROPERTY_CONNECTION_DATAFORMAT;
    const format = encodeDataFormat(pcmFormat(44_100, 2, 16));
    format[0] = 63;
    expect(machine.set(pin, KSPROPSETID_Connection, id, format)).toBe(STATUS_INVALID_PARAMETER);
    expect(machine.set(pin, KSPROPSETID_Connection, id, format.subarray(0, 20))).toBe(
      STATUS_BUFFER_TOO_SMALL,
    );
    expect(script.calls).not.toContain('SetFormat');
    expect(machine.end()).toEqual([]);
  });
});

describe('pin events', () => {
  test('a client is told of the event that it enabled on its pin', () => {
    const { machine, pin } = openStream();
    const event = machine.client.createEvent('NotificationEvent');
    const set = KSEVENTSETID_AudioControlChange;
    expect(ksSupportsEvent(machine.client, pin, set, KSEVENT_CONTROL_CHANGE)).toBe(true);
    const enabled = ksRequestEvent(machine.client, pin, set, KSEVENT_CONTROL_CHANGE, event);
    expect(machine.client.isSignaled(event)).toBe(false);
    machine.kernel.enter(() => machine.driver.miniport?.signalPinEvent());
    expect(machine.client.isSignaled(event)).toBe(true);
    machine.client.resetEvent(event);
    enabled.disable();
    machine.kernel.enter(() => machine.driver.miniport?.signalPinEvent());
    expect(machine.client.isSignaled(event)).toBe(false);
    ksRequestEvent(machine.client, pin, set, KSEVENT_CONTROL_CHANGE, event);
    expect(machine.end()).toEqual([]);
  });
});
