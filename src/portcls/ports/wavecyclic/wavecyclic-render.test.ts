import { describe, expect, it } from 'vitest';
import {
  IOCTL_KS_READ_STREAM,
  KSALLOCATOR_FRAMING,
  KSEVENT_CONNECTION_ENDOFSTREAM,
  KSEVENTSETID_Connection,
  KSPROPERTY_CONNECTION_ALLOCATORFRAMING,
  KSPROPSETID_Connection,
  KSRESET_BEGIN,
  KSRESET_END,
  KSSTATE_ACQUIRE,
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
  KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA,
  ksRequestEvent,
  pcmFormat,
} from '../../../ks/index.ts';
import { CyclicScript } from './test-card.ts';
import { CyclicMachine, type CyclicPinClient, Packet, same, sound, statusOf } from './test-client.ts';

/** Bytes of a millisecond of 48 kHz, 16 bits, stereo. */
const MS = 192;

function open(script = new CyclicScript(), format = pcmFormat(48_000, 2, 16)) {
  const machine = new CyclicMachine(script);
  const pin = machine.openPin(0, format);
  pin.setState(KSSTATE_PAUSE);
  return { machine, pin, script };
}

function end(machine: CyclicMachine, findings: readonly string[] = []): void {
  expect(machine.findings).toEqual(findings);
  expect(machine.end()).toEqual([]);
}

const statuses = (pin: CyclicPinClient) => pin.packets.map((packet) => packet.statusName);

describe('a render pin', () => {
  it('plays what it is given, bit by bit, and completes requests in their order', () => {
    const { machine, pin } = open();
    const bytes = sound(100 * MS);
    for (let i = 0; i < 10; i++) pin.write(bytes.subarray(i * 10 * MS, (i + 1) * 10 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(200);
    expect(statuses(pin)).toEqual(new Array(10).fill('STATUS_SUCCESS'));
    expect(pin.packets.map((packet) => packet.order)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(pin.packets.every((packet) => packet.information === 10 * MS)).toBe(true);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    expect(new Set(pin.stream.played.bytes.subarray(bytes.length))).toEqual(new Set([0]));
    expect(pin.position()).toEqual({ playOffset: bytes.length, writeOffset: bytes.length });
    pin.setState(KSSTATE_STOP);
    expect(pin.position()).toEqual({ playOffset: 0, writeOffset: 0 });
    end(machine);
  });

  it('calls NewStream, asks for 10 ms and makes the buffer a multiple of their bytes', () => {
    const script = new CyclicScript();
    script.bufferBytes = 10_000;
    const { machine, pin } = open(script);
    expect(script.calls).toEqual([
      'Init',
      'GetDescription',
      'NewStream(0, render)',
      'SetNotificationFreq(10)',
      'SetState(1)',
      'SetState(2)',
    ]);
    expect(pin.stream.channel.bufferSize()).toBe(5 * 10 * MS);
    expect(pin.stream.channel.allocatedBufferSize()).toBe(10_000);
    const framing = KSALLOCATOR_FRAMING.decode(
      pin.get(KSPROPSETID_Connection, KSPROPERTY_CONNECTION_ALLOCATORFRAMING, KSALLOCATOR_FRAMING.size),
    );
    expect(framing).toMatchObject({ frames: 3, frameSize: 10 * MS });
    end(machine);
  });

  it('keeps about 40 ms ahead of the converter, and takes no more than that of a long request', () => {
    const { machine, pin } = open();
    pin.write(sound(1000 * MS));
    pin.setState(KSSTATE_RUN);
    expect(pin.position()).toEqual({ playOffset: 0, writeOffset: 40 * MS });
    for (let i = 0; i < 40; i++) {
      machine.runMs(7);
      const { playOffset, writeOffset } = pin.position();
      expect(playOffset).toBe((i + 1) * 7 * MS);
      expect(writeOffset - playOffset).toBeGreaterThan(28 * MS);
      expect(writeOffset - playOffset).toBeLessThanOrEqual(40 * MS);
    }
    expect(pin.packets[0]?.done).toBe(false);
    end(machine);
  });

  it('starts with what there is, and a request that comes in time takes the place of its silence', () => {
    const { machine, pin, script } = open();
    const bytes = sound(60 * MS);
    pin.write(bytes.subarray(0, 10 * MS));
    pin.setState(KSSTATE_RUN);
    // The rest of the 40 ms is silence.
    expect(script.silencedBytes).toBe(30 * MS);
    machine.runMs(0);
    expect(pin.packets[0]?.statusName).toBe('STATUS_SUCCESS');
    machine.runMs(8);
    pin.write(bytes.subarray(10 * MS, 30 * MS));
    machine.runMs(20);
    pin.write(bytes.subarray(30 * MS));
    machine.runMs(100);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    end(machine);
  });

  it('plays silence when starved, and what comes late as soon as it comes; positions do not count the silence', () => {
    const { machine, pin } = open();
    const bytes = sound(20 * MS);
    pin.write(bytes.subarray(0, 10 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(25);
    expect(pin.position()).toEqual({ playOffset: 10 * MS, writeOffset: 10 * MS });
    pin.write(bytes.subarray(10 * MS));
    expect(pin.position()).toEqual({ playOffset: 10 * MS, writeOffset: 20 * MS });
    machine.runMs(6);
    expect(pin.position().playOffset).toBe(15 * MS);
    machine.runMs(100);
    expect(pin.position()).toEqual({ playOffset: 20 * MS, writeOffset: 20 * MS });
    const played = pin.stream.played.bytes;
    expect(same(played.subarray(0, 10 * MS), bytes.subarray(0, 10 * MS))).toBe(true);
    expect(new Set(played.subarray(10 * MS, 26 * MS))).toEqual(new Set([0]));
    expect(same(played.subarray(26 * MS, 36 * MS), bytes.subarray(10 * MS))).toBe(true);
    expect(new Set(played.subarray(36 * MS))).toEqual(new Set([0]));
    end(machine);
  });

  it('keeps samples whole after a starvation, whatever the pieces', () => {
    const { machine, pin } = open();
    const bytes = sound(2001);
    pin.write(bytes.subarray(0, 1001));
    pin.setState(KSSTATE_RUN);
    machine.runMs(33.3);
    pin.write(bytes.subarray(1001));
    machine.runMs(100);
    const played = Buffer.from(pin.stream.played.bytes);
    const at = played.indexOf(bytes.subarray(1001, 1900), 1001);
    expect(at % 4).toBe(1001 % 4);
    end(machine);
  });

  it('fills 8-bit silence with 80h', () => {
    const { machine, pin } = open(new CyclicScript(), pcmFormat(11_025, 1, 8));
    pin.write(sound(100));
    pin.setState(KSSTATE_RUN);
    machine.runMs(200);
    expect(new Set(pin.stream.played.bytes.subarray(100))).toEqual(new Set([0x80]));
    end(machine);
  });

  it('plays several headers of a request one behind the other, empty ones too', () => {
    const { machine, pin } = open();
    const bytes = sound(30 * MS);
    const packet = pin.writeAll([
      { bytes: bytes.subarray(0, 7) },
      { bytes: new Uint8Array(0) },
      { bytes: bytes.subarray(7, 11 * MS) },
      { bytes: bytes.subarray(11 * MS) },
    ]);
    pin.setState(KSSTATE_RUN);
    machine.runMs(100);
    expect(packet.statusName).toBe('STATUS_SUCCESS');
    expect(packet.information).toBe(bytes.length);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    end(machine);
  });

  it('completes empty requests at once, but never before their turn', () => {
    const { machine, pin } = open();
    const empty = pin.write(new Uint8Array(0));
    expect([empty.statusName, empty.information]).toEqual(['STATUS_SUCCESS', 0]);
    const long = pin.write(sound(100 * MS));
    const behind = pin.write(new Uint8Array(0));
    expect(behind.done).toBe(false);
    pin.setState(KSSTATE_RUN);
    machine.runMs(200);
    expect([empty.order, long.order, behind.order]).toEqual([0, 1, 2]);
    end(machine);
  });

  it('keeps its queue in PAUSE, with the position frozen, and goes on without a gap', () => {
    const { machine, pin } = open();
    const bytes = sound(100 * MS);
    pin.write(bytes);
    pin.setState(KSSTATE_RUN);
    machine.runMs(33);
    pin.setState(KSSTATE_PAUSE);
    const { playOffset } = pin.position();
    expect(playOffset).toBe(33 * MS);
    machine.runMs(500);
    expect(pin.position().playOffset).toBe(playOffset);
    pin.setState(KSSTATE_ACQUIRE);
    expect(pin.packets[0]?.done).toBe(false);
    pin.setState(KSSTATE_RUN);
    machine.runMs(100);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    expect(pin.stream.states).toEqual([1, 2, 3, 2, 1, 2, 3]);
    end(machine);
  });

  it('cancels its queue at STOP, and starts from 0 again', () => {
    const { machine, pin } = open();
    pin.write(sound(100 * MS));
    pin.write(sound(100 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(50);
    pin.setState(KSSTATE_STOP);
    machine.runMs(0);
    expect(statuses(pin)).toEqual(['STATUS_CANCELLED', 'STATUS_CANCELLED']);
    pin.setState(KSSTATE_PAUSE);
    const played = pin.stream.played.bytes.length;
    const bytes = sound(10 * MS, 5);
    pin.write(bytes);
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    expect(pin.position().playOffset).toBe(10 * MS);
    expect(same(pin.stream.played.bytes.slice(played, played + bytes.length), bytes)).toBe(true);
    end(machine);
  });

  it('gives up single requests: the first, one half played, one in the middle', () => {
    const { machine, pin } = open();
    const bytes = sound(200 * MS);
    const packets = [0, 1, 2, 3].map((i) => pin.write(bytes.subarray(i * 50 * MS, (i + 1) * 50 * MS)));
    packets[2]?.request?.cancel();
    machine.runMs(0);
    expect(packets[2]?.statusName).toBe('STATUS_CANCELLED');
    pin.setState(KSSTATE_RUN);
    packets[0]?.request?.cancel();
    machine.runMs(300);
    expect(statuses(pin)).toEqual([
      'STATUS_CANCELLED',
      'STATUS_SUCCESS',
      'STATUS_CANCELLED',
      'STATUS_SUCCESS',
    ]);
    // What had been copied of the first is played, then the second and the fourth.
    const heard = Buffer.concat([
      bytes.subarray(0, 40 * MS),
      bytes.subarray(50 * MS, 100 * MS),
      bytes.subarray(150 * MS),
    ]);
    expect(same(pin.stream.played.bytes.subarray(0, heard.length), heard)).toBe(true);
    end(machine);
  });

  it('signals the end of the stream when it is heard, not when it is copied', () => {
    const { machine, pin } = open();
    const event = machine.client.createEvent();
    const enabled = ksRequestEvent(
      machine.client,
      pin.handle,
      KSEVENTSETID_Connection,
      KSEVENT_CONNECTION_ENDOFSTREAM,
      event,
    );
    pin.write(sound(15 * MS));
    pin.write(sound(10 * MS), KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM);
    pin.setState(KSSTATE_RUN);
    machine.runMs(19);
    expect(statuses(pin)).toEqual(['STATUS_SUCCESS', 'STATUS_SUCCESS']);
    expect(machine.client.isSignaled(event)).toBe(false);
    machine.runMs(15);
    expect(machine.client.isSignaled(event)).toBe(true);
    // The same by an empty request.
    machine.client.resetEvent(event);
    pin.write(sound(5 * MS));
    pin.write(new Uint8Array(0), KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM);
    expect(machine.client.isSignaled(event)).toBe(false);
    machine.runMs(20);
    expect(machine.client.isSignaled(event)).toBe(true);
    enabled.disable();
    end(machine);
  });

  it('gives everything back between KSRESET_BEGIN and KSRESET_END, and takes nothing', () => {
    const { machine, pin } = open();
    pin.write(sound(100 * MS));
    expect(pin.reset(KSRESET_BEGIN)).toBe(0);
    machine.runMs(0);
    expect(statuses(pin)).toEqual(['STATUS_CANCELLED']);
    expect(pin.write(sound(MS)).statusName).toBe('STATUS_DEVICE_NOT_READY');
    pin.reset(KSRESET_END);
    expect(pin.write(sound(MS)).statusName).toBe('pending');
    end(machine);
  });

  it('refuses requests that it cannot serve, and keeps no memory of them locked', () => {
    const { machine, pin } = open();
    const { client } = machine;
    expect(pin.read(100).statusName).toBe('STATUS_INVALID_DEVICE_REQUEST');
    expect(pin.write(sound(8), KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA).statusName).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    const send = (bytes: Uint8Array) => pin.send(0x2f8013, new Packet(0, 0, bytes)).statusName;
    expect(send(new Uint8Array(0))).toBe('STATUS_INVALID_BUFFER_SIZE');
    expect(send(new Uint8Array(40))).toBe('STATUS_INVALID_BUFFER_SIZE');
    const header = pin.write(new Uint8Array(0)).headers;
    const wild = header.slice();
    new DataView(wild.buffer).setUint32(32, 100, true);
    new DataView(wild.buffer).setUint32(36, 100, true);
    expect(send(wild)).toBe('STATUS_ACCESS_VIOLATION');
    const good = client.allocateMemory(100);
    const two = new Uint8Array(112);
    two.set(wild, 0);
    two.set(wild, 56);
    new DataView(two.buffer).setBigUint64(40, BigInt(good), true);
    expect(send(two)).toBe('STATUS_ACCESS_VIOLATION');
    pin.setState(KSSTATE_STOP);
    expect(pin.write(sound(8)).statusName).toBe('STATUS_INVALID_DEVICE_STATE');
    expect(pin.send(IOCTL_KS_READ_STREAM, new Packet(0, 0, header)).statusName).toBe(
      'STATUS_INVALID_DEVICE_REQUEST',
    );
    expect(pin.send(0x2f_0023, new Packet(0, 0, header)).statusName).toBe('STATUS_INVALID_DEVICE_REQUEST');
    end(machine);
  });

  it('copies memory whose pages lie apart', () => {
    const { machine, pin } = open();
    const { client } = machine;
    machine.kernel.memory.scatterPages = true;
    const bytes = sound(100 * MS);
    const packet = pin.write(bytes);
    expect(client.memoryView(packet.address, bytes.length)).toBe(null);
    pin.setState(KSSTATE_RUN);
    machine.runMs(150);
    expect(same(pin.stream.played.bytes.subarray(0, bytes.length), bytes)).toBe(true);
    end(machine);
  });

  it('two pins stream side by side from one interrupt line', () => {
    const machine = new CyclicMachine();
    const pins = [machine.openPin(), machine.openPin(0, pcmFormat(22_050, 1, 8))];
    const bytes = [sound(100 * MS, 1), sound(2205, 2)];
    pins.forEach((pin, i) => {
      pin.setState(KSSTATE_PAUSE);
      pin.write(bytes[i] ?? new Uint8Array(0));
      pin.setState(KSSTATE_RUN);
    });
    machine.runMs(150);
    pins.forEach((pin, i) => {
      const wanted = bytes[i] ?? new Uint8Array(0);
      expect(same(pin.stream.played.bytes.subarray(0, wanted.length), wanted)).toBe(true);
    });
    end(machine);
  });
});

describe('the format of a running stream', () => {
  it('goes to the miniport, and the port follows', () => {
    const { machine, pin, script } = open();
    pin.write(sound(400 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    pin.setFormat(pcmFormat(24_000, 2, 16));
    expect(script.calls.slice(-2)).toEqual(['SetFormat', 'SetNotificationFreq(10)']);
    machine.runMs(100);
    const { playOffset, writeOffset } = pin.position();
    // What was in the buffer, 40 ms, was meant for the old format: it is left out. The next comes a millisecond ahead of the device.
    expect(playOffset).toBe(60 * MS + 99 * (MS / 2));
    expect(writeOffset - playOffset).toBeLessThanOrEqual(40 * (MS / 2));
    expect(pin.stream.channel.bufferSize()).toBe(8 * 10 * MS);
    end(machine);
  });

  it('stays when the miniport refuses', () => {
    const { machine, pin, script } = open();
    script.refusesFormatInRun = true;
    pin.write(sound(400 * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    expect(statusOf(() => pin.setFormat(pcmFormat(24_000, 2, 16)))).toBe('STATUS_INVALID_PARAMETER');
    machine.runMs(20);
    expect(pin.position().playOffset).toBe(40 * MS);
    end(machine);
  });

  it('resizes the buffer of a stopped stream', () => {
    const { machine, pin } = open();
    pin.setState(KSSTATE_STOP);
    pin.setFormat(pcmFormat(8_000, 1, 8));
    expect(pin.stream.channel.bufferSize()).toBe(16_384 - (16_384 % 80));
    end(machine);
  });
});

describe('a looped render pin', () => {
  function openLooped() {
    const machine = new CyclicMachine();
    const pin = machine.openPin(0, pcmFormat(48_000, 2, 16), true);
    pin.setState(KSSTATE_PAUSE);
    return { machine, pin };
  }

  it('goes round in its one buffer until STOP, which completes it', () => {
    const { machine, pin } = openLooped();
    const bytes = sound(25 * MS);
    const packet = pin.write(bytes, KSSTREAM_HEADER_OPTIONSF_LOOPEDDATA);
    pin.setState(KSSTATE_RUN);
    machine.runMs(90);
    expect(packet.done).toBe(false);
    const played = pin.stream.played.bytes;
    for (let at = 0; at < 75 * MS; at += bytes.length) {
      expect(same(played.subarray(at, at + bytes.length), bytes)).toBe(true);
    }
    expect(pin.position().playOffset).toBe((90 % 25) * MS);
    expect(pin.position().writeOffset).toBe((130 % 25) * MS);
    pin.setState(KSSTATE_STOP);
    machine.runMs(0);
    expect([packet.statusName, packet.information]).toEqual(['STATUS_SUCCESS', bytes.length]);
    end(machine);
  });

  it('hears what the client writes into the buffer meanwhile', () => {
    const { machine, pin } = openLooped();
    const packet = pin.write(sound(100 * MS));
    pin.setState(KSSTATE_RUN);
    const { writeOffset } = pin.position();
    const fresh = sound(10 * MS, 7);
    machine.client.writeMemory(packet.address + writeOffset, fresh);
    machine.runMs(99);
    const played = pin.stream.played.bytes.subarray(writeOffset, writeOffset + fresh.length);
    expect(same(played, fresh)).toBe(true);
    end(machine);
  });

  it('takes one buffer, with bytes in it, at a time; the next begins when the first is given up', () => {
    const { machine, pin } = openLooped();
    expect(pin.write(new Uint8Array(0)).statusName).toBe('STATUS_INVALID_PARAMETER');
    expect(pin.writeAll([{ bytes: sound(8) }, { bytes: sound(8) }]).statusName).toBe(
      'STATUS_INVALID_PARAMETER',
    );
    const first = pin.write(sound(20 * MS));
    const bytes = sound(30 * MS, 3);
    const second = pin.write(bytes);
    pin.setState(KSSTATE_RUN);
    machine.runMs(50);
    first.request?.cancel();
    machine.runMs(200);
    expect([first.statusName, second.statusName]).toEqual(['STATUS_CANCELLED', 'pending']);
    expect(Buffer.from(pin.stream.played.bytes).indexOf(bytes)).toBeGreaterThan(50 * MS);
    expect(pin.position().playOffset).toBeLessThan(bytes.length);
    pin.setState(KSSTATE_STOP);
    machine.runMs(0);
    expect(second.statusName).toBe('STATUS_SUCCESS');
    end(machine);
  });
});
