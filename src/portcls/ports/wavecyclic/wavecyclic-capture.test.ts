import { describe, expect, it } from 'vitest';
import {
  KSSTATE_PAUSE,
  KSSTATE_RUN,
  KSSTATE_STOP,
  KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY,
  KSSTREAM_HEADER_OPTIONSF_DURATIONVALID,
  KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE,
  KSSTREAM_HEADER_OPTIONSF_TIMEVALID,
  pcmFormat,
} from '../../../ks/index.ts';
import { CyclicScript, recordedAt } from './test-card.ts';
import { CyclicMachine, same } from './test-client.ts';

/** Bytes of a millisecond of 48 kHz, 16 bits, stereo. */
const MS = 192;
/** Every header that holds data says when they were recorded, and how long they are. */
const TIMES = KSSTREAM_HEADER_OPTIONSF_TIMEVALID | KSSTREAM_HEADER_OPTIONSF_DURATIONVALID;

function open(script = new CyclicScript(), looped = false) {
  const machine = new CyclicMachine(script);
  const pin = machine.openPin(1, pcmFormat(48_000, 2, 16), looped);
  pin.setState(KSSTATE_PAUSE);
  return { machine, pin, script };
}

function end(machine: CyclicMachine): void {
  expect(machine.findings).toEqual([]);
  expect(machine.end()).toEqual([]);
}

const recorded = (from: number, length: number) =>
  Uint8Array.from({ length }, (_, i) => recordedAt(from + i));

describe('a capture pin', () => {
  it('fills requests in their order, to the last byte, and says how much they hold', () => {
    const { machine, pin } = open();
    const packets = [7 * MS, 1, 0, 13 * MS + 3, 30 * MS].map((length) => pin.read(length));
    pin.setState(KSSTATE_RUN);
    machine.runMs(80);
    let at = 0;
    for (const [index, packet] of packets.entries()) {
      expect([packet.statusName, packet.order]).toEqual(['STATUS_SUCCESS', index]);
      expect(packet.information).toBe(packet.headers.length);
      expect(packet.header.dataUsed).toBe(packet.byteLength);
      expect(same(pin.bytesOf(packet), recorded(at, packet.byteLength))).toBe(true);
      at += packet.byteLength;
    }
    end(machine);
  });

  it('completes a request when it is full, at the notification behind its last byte', () => {
    const { machine, pin } = open();
    const packet = pin.read(20 * MS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(19);
    expect(packet.done).toBe(false);
    machine.runMs(2);
    expect(packet.statusName).toBe('STATUS_SUCCESS');
    end(machine);
  });

  it('tells record and read position', () => {
    const { machine, pin } = open();
    pin.read(1000 * MS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(25);
    expect(pin.position()).toEqual({ playOffset: 25 * MS, writeOffset: 20 * MS });
    pin.setState(KSSTATE_PAUSE);
    expect(pin.position()).toEqual({ playOffset: 25 * MS, writeOffset: 25 * MS });
    machine.runMs(50);
    expect(pin.position()).toEqual({ playOffset: 25 * MS, writeOffset: 25 * MS });
    pin.setState(KSSTATE_STOP);
    expect(pin.position()).toEqual({ playOffset: 0, writeOffset: 0 });
    end(machine);
  });

  it('hands over at PAUSE what was recorded, and gives a half-filled request back at STOP', () => {
    const { machine, pin } = open();
    const first = pin.read(100 * MS);
    const second = pin.read(100 * MS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(33);
    pin.setState(KSSTATE_PAUSE);
    pin.setState(KSSTATE_STOP);
    machine.runMs(0);
    expect([first.statusName, first.header.dataUsed]).toEqual(['STATUS_SUCCESS', 33 * MS]);
    expect(same(pin.bytesOf(first), recorded(0, 33 * MS))).toBe(true);
    expect([second.statusName, second.header.dataUsed]).toEqual(['STATUS_CANCELLED', 0]);
    end(machine);
  });

  it('leaves what a cancelled request holds in it, and goes on with the next behind that', () => {
    const { machine, pin } = open();
    const first = pin.read(100 * MS);
    const second = pin.read(20 * MS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(31);
    first.request?.cancel();
    machine.runMs(40);
    expect([first.statusName, first.header.dataUsed]).toEqual(['STATUS_CANCELLED', 30 * MS]);
    expect(same(pin.bytesOf(first), recorded(0, 30 * MS))).toBe(true);
    expect(same(pin.bytesOf(second), recorded(30 * MS, 20 * MS))).toBe(true);
    end(machine);
  });

  it('keeps what nobody asks for, up to the length of its buffer', () => {
    const { machine, pin } = open();
    pin.setState(KSSTATE_RUN);
    machine.runMs(70);
    const packet = pin.read(60 * MS);
    machine.runMs(0);
    expect(packet.statusName).toBe('STATUS_SUCCESS');
    expect(packet.header.optionsFlags).toBe(TIMES);
    expect(same(pin.bytesOf(packet), recorded(0, 60 * MS))).toBe(true);
    end(machine);
  });

  it('says so when something was overwritten, and goes on with what is not', () => {
    const { machine, pin } = open();
    pin.setState(KSSTATE_RUN);
    machine.runMs(205);
    const packet = pin.read(10 * MS);
    machine.runMs(0);
    expect(packet.statusName).toBe('STATUS_SUCCESS');
    expect(packet.header.optionsFlags).toBe(KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY | TIMES);
    // The buffer holds 80 ms; the oldest 10 of them are about to be overwritten.
    expect(same(pin.bytesOf(packet), recorded((205 - 70) * MS, 10 * MS))).toBe(true);
    const next = pin.read(10 * MS);
    machine.runMs(0);
    expect(next.header.optionsFlags).toBe(TIMES);
    // Lost bytes are in no buffer, and in no position.
    expect(pin.position()).toEqual({ playOffset: 70 * MS, writeOffset: 20 * MS });
    end(machine);
  });

  it('finds out by the clock that the position went round unseen', () => {
    const script = new CyclicScript();
    script.interrupts = false;
    const { machine, pin } = open(script);
    pin.read(10 * MS);
    pin.setState(KSSTATE_RUN);
    // One and a half rounds of 80 ms without a notification.
    machine.runMs(120);
    expect(pin.position().playOffset).toBeGreaterThanOrEqual(120 * MS - 80 * MS);
    const packet = pin.read(10 * MS);
    machine.runMs(0);
    expect(pin.packets[0]?.header.optionsFlags).toBe(KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY | TIMES);
    expect(same(pin.bytesOf(packet), recorded((120 - 60) * MS, 10 * MS))).toBe(true);
    end(machine);
  });

  it('writes into memory whose pages lie apart', () => {
    const { machine, pin } = open();
    machine.kernel.memory.scatterPages = true;
    const packet = pin.read(100 * MS);
    expect(machine.client.memoryView(packet.address, 100 * MS)).toBe(null);
    pin.setState(KSSTATE_RUN);
    machine.runMs(150);
    expect(same(pin.bytesOf(packet), recorded(0, 100 * MS))).toBe(true);
    end(machine);
  });

  it('refuses writes, and reads that say they hold something', () => {
    const { machine, pin } = open();
    expect(pin.write(new Uint8Array(4)).statusName).toBe('STATUS_INVALID_DEVICE_REQUEST');
    const packet = pin.read(100);
    new DataView(packet.headers.buffer).setUint32(36, 4, true);
    expect(pin.send(0x2f_4017, packet).statusName).toBe('STATUS_INVALID_PARAMETER');
    end(machine);
  });
});

describe('a looped capture pin', () => {
  it('records round its one buffer until STOP', () => {
    const { machine, pin } = open(new CyclicScript(), true);
    const packet = pin.read(25 * MS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(60);
    expect(packet.done).toBe(false);
    expect(pin.position()).toEqual({ playOffset: 10 * MS, writeOffset: 10 * MS });
    const bytes = pin.bytesOf(packet, 25 * MS);
    expect(same(bytes.subarray(0, 10 * MS), recorded(50 * MS, 10 * MS))).toBe(true);
    expect(same(bytes.subarray(10 * MS), recorded(35 * MS, 15 * MS))).toBe(true);
    pin.setState(KSSTATE_STOP);
    machine.runMs(0);
    expect([packet.statusName, packet.header.dataUsed]).toEqual(['STATUS_SUCCESS', 25 * MS]);
    end(machine);
  });
});

describe('the headers of reads', () => {
  it('come back with the stream time of their first byte and their length, over pauses and in any format', () => {
    const { machine, pin } = open();
    const packets = [10, 25, 5].map((ms) => pin.read(ms * MS));
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    pin.setState(KSSTATE_PAUSE);
    machine.runMs(500);
    pin.setState(KSSTATE_RUN);
    machine.runMs(30);
    const times = packets.map(({ header: { presentationTime, duration } }) => [
      presentationTime.time / 10_000,
      presentationTime.numerator / presentationTime.denominator,
      duration / 10_000,
    ]);
    expect(times).toEqual([
      [0, 1, 10],
      [10, 1, 25],
      [35, 1, 5],
    ]);
    // From here on a millisecond has half the bytes.
    pin.setFormat(pcmFormat(24_000, 2, 16));
    const next = pin.read(10 * MS);
    machine.runMs(40);
    expect(next.header.presentationTime.time / 10_000).toBeGreaterThanOrEqual(40);
    expect(next.header.duration / 10_000).toBe(20);
    end(machine);
  });

  it('of which the client has said so come back at a pause with what they hold', () => {
    const { machine, pin } = open();
    const flagged = pin.read(50 * MS, 0, KSSTREAM_HEADER_OPTIONSF_FLUSHONPAUSE);
    const other = pin.read(50 * MS);
    pin.setState(KSSTATE_RUN);
    machine.runMs(20);
    pin.setState(KSSTATE_PAUSE);
    expect([flagged.statusName, flagged.header.dataUsed]).toEqual(['STATUS_SUCCESS', 20 * MS]);
    expect(other.statusName).toBe('pending');
    pin.setState(KSSTATE_RUN);
    machine.runMs(50);
    expect([other.statusName, other.header.dataUsed]).toEqual(['STATUS_SUCCESS', 50 * MS]);
    expect(same(pin.bytesOf(other), recorded(20 * MS, 50 * MS))).toBe(true);
    end(machine);
  });
});
