import { describe, expect, test } from 'vitest';
import {
  MmWriteCombined,
  type NTSTATUS,
  NtError,
  STATUS_BUFFER_OVERFLOW,
  STATUS_DATA_LATE_ERROR,
  STATUS_DATA_OVERRUN,
  STATUS_DEVICE_NOT_READY,
  STATUS_INSUFFICIENT_RESOURCES,
  STATUS_INVALID_BUFFER_SIZE,
  STATUS_INVALID_DEVICE_REQUEST,
  STATUS_INVALID_DEVICE_STATE,
  STATUS_INVALID_HANDLE,
  STATUS_INVALID_PARAMETER,
  STATUS_NOT_FOUND,
  STATUS_NOT_SUPPORTED,
  STATUS_OBJECT_TYPE_MISMATCH,
  STATUS_SUCCESS,
  STATUS_UNSUCCESSFUL,
  UserProcess,
} from '../../../kernel/index.ts';
import {
  KSPROPERTY_AUDIO_LATENCY,
  KSPROPERTY_AUDIO_POSITION,
  KSPROPERTY_AUDIO_POSITIONEX,
  KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
  KSPROPERTY_RTAUDIO_BUFFER,
  KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION,
  KSPROPERTY_RTAUDIO_CLOCKREGISTER,
  KSPROPERTY_RTAUDIO_GETREADPACKET,
  KSPROPERTY_RTAUDIO_HWLATENCY,
  KSPROPERTY_RTAUDIO_PACKETCOUNT,
  KSPROPERTY_RTAUDIO_POSITIONREGISTER,
  KSPROPERTY_RTAUDIO_PRESENTATION_POSITION,
  KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT,
  KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT,
  KSPROPERTY_RTAUDIO_SETWRITEPACKET,
  KSPROPERTY_STREAM_ALLOCATOR,
  KSPROPERTY_STREAM_MASTERCLOCK,
  KSPROPERTY_TYPE_BASICSUPPORT,
  KSPROPERTY_TYPE_GET,
  KSPROPERTY_TYPE_SET,
  KSPROPSETID_Audio,
  KSPROPSETID_Connection,
  KSPROPSETID_RtAudio,
  KSPROPSETID_Stream,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
} from '../../../ks/index.ts';
import { Bytes, must, openStream, pointerAt, statusOf, type TestMachine, ulongAt } from './test-client.ts';
import { ulongProperty } from './test-driver.ts';
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

function basicSupport(machine: TestMachine, pin: number, id: number) {
  return machine.property(
    pin,
    KSPROPSETID_RtAudio,
    id,
    KSPROPERTY_TYPE_BASICSUPPORT,
    null,
    new Uint8Array(4),
  );
}

describe('cyclic buffer', () => {
  test.each([1, 4095, 4096, 4097, 12_288, 65_536])(
    'a buffer of %i bytes is shared by client, driver and device without a copy',
    (size) => {
      const { machine, pin, stream } = openStream();
      const buffer = machine.allocate(pin, size);
      expect(buffer.status).toBe(STATUS_SUCCESS);
      expect(buffer.size).toBe(Math.ceil(size / 4) * 4);
      const { client } = machine;
      client.writeMemory(buffer.address, new Uint8Array([0x12, 0x34, 0x56, 0x78]));
      expect(stream()?.mapping?.readUlong(0)).toBe(0x7856_3412);
      stream()?.mapping?.writeUlong(buffer.size - 4, 0xcafe_f00d);
      const end = new Uint8Array(4);
      client.readMemory(buffer.address + buffer.size - 4, end);
      expect(ulongAt(end, 0)).toBe(0xcafe_f00d);
      const view = client.memoryView(buffer.address, buffer.size);
      if (view === null) throw new Error('no view');
      view[1] = 0xff;
      expect(stream()?.mapping?.readUchar(1)).toBe(0xff);
      expect(machine.end()).toEqual([]);
    },
  );

  test('pages that lie apart are one buffer to the client', () => {
    const script = new TestScript();
    script.contiguous = false;
    const { machine, pin, stream } = openStream(script);
    machine.kernel.memory.scatterPages = true;
    const buffer = machine.allocate(pin, 20_000);
    const mdl = stream()?.mdl;
    expect(mdl?.pages).toHaveLength(5);
    expect(machine.platform.dmaRanges.length).toBeGreaterThan(1);
    const pattern = Uint8Array.from({ length: buffer.size }, (_, i) => (i * 7) & 0xff);
    machine.client.writeMemory(buffer.address, pattern);
    const seen = new Uint8Array(buffer.size);
    stream()?.mapping?.read(0, seen);
    expect(seen).toEqual(pattern);
    expect(machine.end()).toEqual([]);
  });

  test('a buffer that begins inside its first page is where the miniport says', () => {
    const script = new TestScript();
    script.offsetFromFirstPage = 256;
    const { machine, pin, stream } = openStream(script);
    const buffer = machine.allocate(pin, 4096);
    expect(buffer.address % 4096).toBe(256);
    machine.client.writeMemory(buffer.address, new Uint8Array([1, 2, 3, 4]));
    expect(stream()?.mapping?.readUlong(256)).toBe(0x0403_0201);
    expect(machine.end()).toEqual([]);
  });

  test('the device may reach the pages while they are allocated, and no longer', () => {
    const { machine, pin, stream } = openStream();
    machine.allocate(pin, 10_000);
    const first = (stream()?.mdl?.pages[0] ?? 0) * 4096;
    expect(machine.platform.dmaRanges).toEqual([
      { busDevice: 'test:0', physicalAddress: first, length: 12_288 },
    ]);
    machine.client.closeHandle(pin);
    expect(machine.platform.dmaRanges).toEqual([]);
    expect(machine.end()).toEqual([]);
  });

  test('without a device description there are no pages, and a finding says why', () => {
    const script = new TestScript();
    const { machine, pin } = openStream(script);
    script.onCall = (method) => {
      if (method === 'GetDeviceDescription') refuse(STATUS_UNSUCCESSFUL);
    };
    expect(machine.allocate(pin, 4096).status).toBe(STATUS_INSUFFICIENT_RESOURCES);
    expect(machine.findings).toEqual([expect.stringContaining('GetDeviceDescription')]);
    script.onCall = () => {};
    expect(machine.allocate(pin, 4096).status).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });

  test('pages lie below what the adapter can address', () => {
    const script = new TestScript();
    script.deviceDescription = { master: true, maximumLength: 4096, version: 3, dmaAddressWidth: 20 };
    const { machine, pin, stream } = openStream(script);
    const low = machine.allocate(pin, 8192);
    expect(low.status).toBe(STATUS_SUCCESS);
    for (const page of stream()?.mdl?.pages ?? []) expect(page).toBeLessThan(256);
    machine.client.closeHandle(pin);
    expect(machine.end()).toEqual([]);
  });

  test('a second request, on a pin that has its buffer, is refused and changes nothing', () => {
    const { machine, script, pin } = openStream();
    const buffer = machine.allocate(pin, 4096);
    const mark = script.calls.length;
    expect(machine.allocate(pin, 8192).status).toBe(STATUS_INVALID_DEVICE_STATE);
    expect(machine.allocate(pin, 8192, 2).status).toBe(STATUS_INVALID_DEVICE_STATE);
    expect(callsFrom(script, mark)).toEqual([]);
    machine.client.writeMemory(buffer.address, new Uint8Array(4096));
    expect(machine.end()).toEqual([]);
  });

  test('requests that cannot be meant', () => {
    const { machine, script, pin } = openStream();
    const mark = script.calls.length;
    expect(machine.allocate(pin, 0).status).toBe(STATUS_INVALID_PARAMETER);
    expect(machine.allocate(pin, 4096, 3).status).toBe(STATUS_INVALID_PARAMETER);
    const noCount = new Bytes(16).ulong(8, 4096).array;
    const withNotification = KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION;
    expect(machine.get(pin, KSPROPSETID_RtAudio, withNotification, 16, noCount).status).toBe(
      STATUS_INVALID_PARAMETER,
    );
    const atAddress = new Bytes(16).pointer(0, 0x7_0000_0000).ulong(8, 4096).array;
    const plain = KSPROPERTY_RTAUDIO_BUFFER;
    expect(machine.get(pin, KSPROPSETID_RtAudio, plain, 16, atAddress).status).toBe(STATUS_UNSUCCESSFUL);
    expect(machine.get(pin, KSPROPSETID_RtAudio, plain, 16, new Uint8Array(12)).status).toBe(
      STATUS_INVALID_BUFFER_SIZE,
    );
    expect(machine.get(pin, KSPROPSETID_RtAudio, plain, 0, new Uint8Array(16))).toMatchObject({
      status: STATUS_BUFFER_OVERFLOW,
      information: 16,
    });
    expect(machine.set(pin, KSPROPSETID_RtAudio, plain, new Uint8Array(16), noCount)).toBe(
      STATUS_INVALID_DEVICE_REQUEST,
    );
    expect(callsFrom(script, mark)).toEqual([]);
    expect(machine.end()).toEqual([]);
  });

  test('more than there is memory for is STATUS_INSUFFICIENT_RESOURCES and leaves nothing', () => {
    const { machine, pin } = openStream();
    const free = machine.kernel.memory.freePageCount;
    expect(machine.allocate(pin, 0x4000_0000).status).toBe(STATUS_INSUFFICIENT_RESOURCES);
    expect(machine.kernel.memory.freePageCount).toBe(free);
    expect(machine.allocate(pin, 4096).status).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });

  test('write-combined buffers ask the client for memory barriers', () => {
    const cached = openStream();
    expect(cached.machine.allocate(cached.pin, 4096).barrier).toBe(0);
    const script = new TestScript();
    script.cacheType = MmWriteCombined;
    const { machine, pin } = openStream(script);
    expect(machine.allocate(pin, 4096).barrier).toBe(1);
    expect(machine.end()).toEqual([]);
  });

  test('the view lies in the process that asks, not in the one that opened the pin', () => {
    const { machine, filter } = openStream();
    const other = new UserProcess(machine.kernel, 'other');
    const otherFilter = machine.openFilter(other);
    const pin = machine.openPin(otherFilter, 1, undefined, other);
    const buffer = machine.allocate(pin, 4096, 0, other);
    other.writeMemory(buffer.address, new Uint8Array(16));
    expect(statusOf(() => machine.client.writeMemory(buffer.address, new Uint8Array(16)))).not.toBe(
      STATUS_SUCCESS,
    );
    other.terminate();
    machine.client.closeHandle(filter);
    expect(machine.end()).toEqual([]);
  });

  test('a size that Windows would not play with is a finding, and succeeds', () => {
    const script = new TestScript();
    script.claimedSize = 4094;
    const { machine, pin } = openStream(script);
    expect(machine.allocate(pin, 4096)).toMatchObject({ status: STATUS_SUCCESS, size: 4094 });
    expect(machine.findings).toEqual([
      expect.stringContaining('the Windows audio engine refuses a smaller one'),
      expect.stringContaining('whole frames of 4 bytes'),
    ]);
    expect(machine.end()).toEqual([]);
  });
});

describe('notifications', () => {
  test.each([1, 2])(
    'with %i notification(s) per cycle an event is signalled so often, in RUN only',
    (count) => {
      const { machine, pin } = openStream();
      // 20 ms of sound.
      machine.allocate(pin, 20 * BYTES_PER_MS, count);
      const event = machine.client.createEvent('SynchronizationEvent');
      machine.registerEvent(pin, event);
      let signals = 0;
      const wait = machine.client.whenSignaled(event, () => {
        signals++;
        wait.arm();
      });
      machine.runMs(50);
      expect(signals).toBe(0);
      machine.setState(pin, KSSTATE_RUN);
      machine.runMs(201);
      expect(signals).toBe(10 * count);
      machine.setState(pin, KSSTATE_PAUSE);
      machine.runMs(100);
      expect(signals).toBe(10 * count);
      wait.cancel();
      expect(machine.end()).toEqual([]);
    },
  );

  test('events need a buffer with notifications, a good handle, and are registered once', () => {
    const { machine, pin, stream } = openStream();
    const event = machine.client.createEvent();
    expect(machine.registerEvent(pin, event)).toBe(STATUS_DEVICE_NOT_READY);
    machine.allocate(pin, 4096, 1);
    expect(machine.registerEvent(pin, 0x7777_7770)).toBe(STATUS_INVALID_HANDLE);
    expect(machine.registerEvent(pin, pin)).toBe(STATUS_OBJECT_TYPE_MISMATCH);
    expect(machine.registerEvent(pin, event)).toBe(STATUS_SUCCESS);
    expect(machine.registerEvent(pin, event)).toBe(STATUS_INVALID_PARAMETER);
    expect(stream()?.registeredEvents).toBe(1);
    expect(machine.unregisterEvent(pin, machine.client.createEvent())).toBe(STATUS_NOT_FOUND);
    expect(machine.unregisterEvent(pin, event)).toBe(STATUS_SUCCESS);
    expect(machine.unregisterEvent(pin, event)).toBe(STATUS_NOT_FOUND);
    expect(stream()?.registeredEvents).toBe(0);
    expect(machine.end()).toEqual([]);
  });

  test('a handle that the client closed without unregistering is no stale pointer', () => {
    const { machine, pin } = openStream();
    machine.allocate(pin, 1920, 1);
    const event = machine.client.createEvent();
    machine.registerEvent(pin, event);
    machine.client.closeHandle(event);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(50);
    machine.client.closeHandle(pin);
    expect(machine.end()).toEqual([]);
  });

  test('a set request registers as a get request does', () => {
    const { machine, pin, stream } = openStream();
    machine.allocate(pin, 4096, 1);
    const instance = new Bytes(8).pointer(0, machine.client.createEvent()).array;
    const id = KSPROPERTY_RTAUDIO_REGISTER_NOTIFICATION_EVENT;
    expect(machine.set(pin, KSPROPSETID_RtAudio, id, new Uint8Array(0), instance)).toBe(STATUS_SUCCESS);
    expect(stream()?.registeredEvents).toBe(1);
    expect(machine.end()).toEqual([]);
  });

  test('a stream without notifications says so everywhere', () => {
    const script = new TestScript();
    script.notification = false;
    const { machine, pin } = openStream(script);
    const support = machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT, 4);
    expect(ulongAt(must(support).bytes, 0)).toBe(0);
    expect(machine.allocate(pin, 4096, 1).status).toBe(STATUS_NOT_SUPPORTED);
    expect(machine.registerEvent(pin, machine.client.createEvent())).toBe(STATUS_NOT_SUPPORTED);
    expect(basicSupport(machine, pin, KSPROPERTY_RTAUDIO_BUFFER_WITH_NOTIFICATION).status).toBe(
      STATUS_NOT_SUPPORTED,
    );
    expect(machine.allocate(pin, 4096).status).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
    const with_ = openStream();
    const yes = with_.machine.get(
      with_.pin,
      KSPROPSETID_RtAudio,
      KSPROPERTY_RTAUDIO_QUERY_NOTIFICATION_SUPPORT,
      4,
    );
    expect(ulongAt(must(yes).bytes, 0)).toBe(1);
  });
});

describe('registers and latency', () => {
  test('the position register is read in the client without a request', () => {
    const { machine, pin } = openStream();
    const answer = must(
      machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_POSITIONREGISTER, 40, new Uint8Array(8)),
    );
    const address = pointerAt(answer.bytes, 0);
    expect(ulongAt(answer.bytes, 8)).toBe(32);
    expect(ulongAt(answer.bytes, 32)).toBe(4);
    machine.registers[0] = 0x1234_5678;
    const value = new Uint8Array(4);
    machine.client.readMemory(address, value);
    expect(ulongAt(value, 0)).toBe(0x1234_5678);
    machine.client.closeHandle(pin);
    expect(statusOf(() => machine.client.readMemory(address, value))).not.toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });

  test('the clock register has 64 bits and its frequency as a fraction', () => {
    const { machine, pin } = openStream();
    const { bytes } = must(
      machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_CLOCKREGISTER, 40, new Uint8Array(8)),
    );
    expect(ulongAt(bytes, 8)).toBe(64);
    expect(pointerAt(bytes, 16) / pointerAt(bytes, 24)).toBe(10_000_000);
    machine.registers[2] = 5;
    machine.registers[3] = 6;
    const value = new Uint8Array(8);
    machine.client.readMemory(pointerAt(bytes, 0), value);
    expect([ulongAt(value, 0), ulongAt(value, 4)]).toEqual([5, 6]);
    expect(machine.end()).toEqual([]);
  });

  test('a register is mapped once in the life of a pin', () => {
    const { machine, filter, pin } = openStream();
    const map = (handle: number) =>
      machine.get(handle, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_POSITIONREGISTER, 40, new Uint8Array(8))
        .status;
    expect(map(pin)).toBe(STATUS_SUCCESS);
    expect(map(pin)).toBe(STATUS_INVALID_DEVICE_STATE);
    expect(map(machine.openPin(filter))).toBe(STATUS_SUCCESS);
    expect(machine.end()).toEqual([]);
  });

  test('a register that the device keeps in memory is mapped from the pages where it lies', () => {
    const script = new TestScript();
    script.registerInMemory = true;
    const { machine, pin, stream } = openStream(script);
    const buffer = machine.allocate(pin, 4096);
    const answer = must(
      machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_POSITIONREGISTER, 40, new Uint8Array(8)),
    );
    const address = pointerAt(answer.bytes, 0);
    expect(address).not.toBe(buffer.address + 64);
    stream()?.mapping?.writeUlong(64, 1234);
    const value = new Uint8Array(8);
    machine.client.readMemory(address, value);
    expect(ulongAt(value, 0)).toBe(1234);
    machine.client.closeHandle(pin);
    expect(machine.end()).toEqual([]);
  });

  test('hardware without registers: STATUS_NOT_SUPPORTED, whichever way the miniport says it', () => {
    const script = new TestScript();
    script.registers = false;
    const { machine, pin } = openStream(script);
    for (const id of [KSPROPERTY_RTAUDIO_POSITIONREGISTER, KSPROPERTY_RTAUDIO_CLOCKREGISTER]) {
      expect(machine.get(pin, KSPROPSETID_RtAudio, id, 40, new Uint8Array(8)).status).toBe(
        STATUS_NOT_SUPPORTED,
      );
    }
    expect(machine.end()).toEqual([]);
  });

  test('hardware latency, allocator framing, and handles that are always NULL', () => {
    const { machine, filter, pin } = openStream();
    const latency = must(machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_HWLATENCY, 12)).bytes;
    expect([ulongAt(latency, 0), ulongAt(latency, 4), ulongAt(latency, 8)]).toEqual([64, 0, 5_000]);
    const framing = () =>
      ulongAt(
        must(machine.get(pin, KSPROPSETID_Connection, KSPROPERTY_CONNECTION_ALLOCATORFRAMING, 24)).bytes,
        12,
      );
    expect(framing()).toBe(10 * BYTES_PER_MS);
    machine.allocate(pin, 8000);
    expect(framing()).toBe(8000);
    for (const id of [KSPROPERTY_STREAM_ALLOCATOR, KSPROPERTY_STREAM_MASTERCLOCK]) {
      expect(pointerAt(must(machine.get(pin, KSPROPSETID_Stream, id, 8)).bytes, 0)).toBe(0);
      expect(machine.set(pin, KSPROPSETID_Stream, id, new Uint8Array(8))).toBe(STATUS_SUCCESS);
      expect(machine.set(pin, KSPROPSETID_Stream, id, new Bytes(8).pointer(0, filter).array)).toBe(
        STATUS_SUCCESS,
      );
      expect(machine.set(pin, KSPROPSETID_Stream, id, new Bytes(8).pointer(0, 0x7770).array)).toBe(
        STATUS_INVALID_HANDLE,
      );
    }
    expect(machine.end()).toEqual([]);
  });

  test('POSITIONEX brackets the position with time stamps', () => {
    const { machine, pin } = openStream();
    machine.allocate(pin, 96_000);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(12);
    const { bytes } = must(machine.get(pin, KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITIONEX, 40));
    expect(pointerAt(bytes, 0)).toBe(10_000_000);
    expect(pointerAt(bytes, 16)).toBe(12 * BYTES_PER_MS);
    expect(pointerAt(bytes, 8)).toBeLessThanOrEqual(pointerAt(bytes, 32));
    expect(machine.end()).toEqual([]);
  });

  test('what the port does not answer itself goes to the pin automation table of the miniport', () => {
    const script = new TestScript();
    script.pinAutomation = [
      ulongProperty(KSPROPSETID_Audio, KSPROPERTY_AUDIO_LATENCY, 77),
      // The port owns positions: this entry is never asked.
      ulongProperty(KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, 99),
    ];
    const { machine, pin } = openStream(script);
    expect(ulongAt(must(machine.get(pin, KSPROPSETID_Audio, KSPROPERTY_AUDIO_LATENCY, 4)).bytes, 0)).toBe(77);
    expect(machine.position(pin)).toBe(0);
    expect(machine.end()).toEqual([]);
  });
});

describe('packets', () => {
  function playing(count = 2) {
    const opened = openStream();
    // Packets of 10 ms.
    opened.machine.allocate(opened.pin, 10 * count * BYTES_PER_MS, count);
    return opened;
  }

  function write(machine: TestMachine, pin: number, packet: number, flags = 0, eos = 0) {
    const info = new Bytes(12).ulong(0, packet).ulong(4, flags).ulong(8, eos).array;
    return machine.set(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_SETWRITEPACKET, info);
  }

  function packetCount(machine: TestMachine, pin: number): number {
    return ulongAt(must(machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_PACKETCOUNT, 4)).bytes, 0);
  }

  test('packets are counted from 0 after STOP', () => {
    const { machine, pin } = playing();
    expect(packetCount(machine, pin)).toBe(0);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(55);
    expect(packetCount(machine, pin)).toBe(5);
    machine.setState(pin, KSSTATE_STOP);
    expect(packetCount(machine, pin)).toBe(0);
    expect(machine.end()).toEqual([]);
  });

  test('too late, too early, after the end, and with unknown flags: each has its status', () => {
    const { machine, pin } = playing();
    expect(write(machine, pin, 0)).toBe(STATUS_SUCCESS);
    expect(write(machine, pin, 1)).toBe(STATUS_SUCCESS);
    expect(write(machine, pin, 2)).toBe(STATUS_DATA_OVERRUN);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(25);
    // Packets 0 and 1 are done, 2 is being played.
    expect(write(machine, pin, 1)).toBe(STATUS_DATA_LATE_ERROR);
    expect(write(machine, pin, 2)).toBe(STATUS_DATA_LATE_ERROR);
    expect(write(machine, pin, 4)).toBe(STATUS_DATA_OVERRUN);
    expect(write(machine, pin, 3, 0x10)).toBe(STATUS_INVALID_PARAMETER);
    expect(write(machine, pin, 3, KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM, 400)).toBe(STATUS_SUCCESS);
    expect(write(machine, pin, 4)).toBe(STATUS_INVALID_DEVICE_STATE);
    expect(machine.end()).toEqual([]);
  });

  test('presentation position counts frames', () => {
    const { machine, pin } = playing();
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(30);
    const { bytes } = must(
      machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_PRESENTATION_POSITION, 16),
    );
    expect(pointerAt(bytes, 0)).toBe(30 * 48);
    expect(pointerAt(bytes, 8)).toBe(machine.kernel.clock.now);
    expect(machine.end()).toEqual([]);
  });

  test('a capture client reads packets in order, and is told when there is none', () => {
    const { machine, pin } = openStream(new TestScript(), 1);
    machine.allocate(pin, 20 * BYTES_PER_MS, 2);
    const read = () => machine.get(pin, KSPROPSETID_RtAudio, KSPROPERTY_RTAUDIO_GETREADPACKET, 24);
    expect(read().status).toBe(STATUS_DEVICE_NOT_READY);
    machine.setState(pin, KSSTATE_RUN);
    machine.runMs(21);
    const first = must(read()).bytes;
    expect([ulongAt(first, 0), ulongAt(first, 16)]).toEqual([0, 1]);
    const second = must(read()).bytes;
    expect([ulongAt(second, 0), ulongAt(second, 16)]).toEqual([1, 0]);
    expect(read().status).toBe(STATUS_DEVICE_NOT_READY);
    expect(machine.end()).toEqual([]);
  });

  test('a stream without packets answers neither requests nor basic support', () => {
    const { machine, filter, pin } = openStream();
    const capturePin = machine.openPin(filter, 1);
    const ids: readonly (readonly [number, number, boolean])[] = [
      [KSPROPERTY_RTAUDIO_PACKETCOUNT, 4, true],
      [KSPROPERTY_RTAUDIO_PRESENTATION_POSITION, 16, true],
      [KSPROPERTY_RTAUDIO_GETREADPACKET, 24, false],
    ];
    for (const [id, size, render] of ids) {
      const has = render ? pin : capturePin;
      const hasNot = render ? capturePin : pin;
      expect(machine.get(hasNot, KSPROPSETID_RtAudio, id, size).status).toBe(STATUS_NOT_SUPPORTED);
      expect(basicSupport(machine, hasNot, id).status).toBe(STATUS_NOT_SUPPORTED);
      expect(ulongAt(must(basicSupport(machine, has, id)).bytes, 0) & KSPROPERTY_TYPE_GET).toBe(
        KSPROPERTY_TYPE_GET,
      );
    }
    expect(basicSupport(machine, capturePin, KSPROPERTY_RTAUDIO_SETWRITEPACKET).status).toBe(
      STATUS_NOT_SUPPORTED,
    );
    expect(ulongAt(must(basicSupport(machine, pin, KSPROPERTY_RTAUDIO_SETWRITEPACKET)).bytes, 0)).toBe(
      KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT,
    );
    expect(machine.end()).toEqual([]);
  });
});
