import { describe, expect, test } from 'vitest';
import { BASE, Sb16Rig } from '../../../test/support/sb16-rig.ts';
import { MIDI_BYTE_TICKS, MidiMemorySink, MidiMemorySource } from '../midi-memory.ts';

const MPU = 0x330;

function rigWithMidi() {
  const midiOut = new MidiMemorySink();
  const midiIn = new MidiMemorySource();
  const rig = new Sb16Rig({ midiOut, midiIn });
  return { rig, midiOut, midiIn };
}

function enterMpuUart(rig: Sb16Rig): void {
  rig.out(MPU + 1, 0x3f);
  rig.run(200);
  expect(rig.in(MPU)).toBe(0xfe);
}

describe('MPU-401', () => {
  test('sends at 31250 baud, receives with an interrupt of its own in 82h', () => {
    const { rig, midiOut, midiIn } = rigWithMidi();
    enterMpuUart(rig);
    const start = rig.now;
    for (const byte of [0x90, 0x3c, 0x40]) {
      while ((rig.in(MPU + 1) & 0x40) !== 0) rig.run(100);
      rig.out(MPU, byte);
    }
    rig.run(20_000);
    expect(Array.from(midiOut.bytes)).toEqual([0x90, 0x3c, 0x40]);
    expect(midiOut.startTicks[0]).toBe(start);
    midiIn.send([0xf8], rig.now);
    rig.run(MIDI_BYTE_TICKS - 1);
    expect(rig.interrupted).toBe(false);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    expect(rig.readMixer(0x82)).toBe(4);
    expect(rig.in(MPU)).toBe(0xf8);
    expect(rig.readMixer(0x82)).toBe(0);
    expect(rig.interrupted).toBe(false);
    rig.dispose();
  });
});

describe('MIDI of the DSP', () => {
  test('38h sends one byte, and the DSP is busy while it is on the wire', () => {
    const { rig, midiOut } = rigWithMidi();
    const start = rig.now;
    rig.dsp(0x38, 0xfe);
    expect(rig.in(BASE + 0xc) & 0x80).toBe(0x80);
    rig.run(MIDI_BYTE_TICKS);
    expect(rig.in(BASE + 0xc) & 0x80).toBe(0);
    expect(midiOut.recorded).toEqual([{ byte: 0xfe, startTick: start }]);
    rig.dispose();
  });

  test('31h interrupts for each byte until it is given again', () => {
    const { rig, midiIn } = rigWithMidi();
    rig.dsp(0x31);
    midiIn.send([0x90, 0x40], rig.now);
    rig.run(MIDI_BYTE_TICKS);
    expect(rig.readMixer(0x82)).toBe(1);
    expect(rig.replies(2)).toEqual([0x90, -1]);
    rig.run(MIDI_BYTE_TICKS);
    expect(rig.interrupted).toBe(true);
    expect(rig.replies(1)).toEqual([0x40]);
    rig.dsp(0x31);
    midiIn.send([0xf8], rig.now);
    rig.run(10_000);
    expect(rig.replies(1)).toEqual([-1]);
    expect(rig.interrupted).toBe(false);
    rig.dispose();
  });

  test('with time stamps each byte follows its milliseconds', () => {
    const { rig, midiIn } = rigWithMidi();
    rig.dsp(0x33);
    midiIn.send([0x90], rig.now + 3_000_000 - MIDI_BYTE_TICKS);
    rig.run(3_000_000);
    expect(rig.replies(5)).toEqual([300 & 0xff, 300 >> 8, 0, 0x90, -1]);
    rig.dispose();
  });

  test('UART mode passes both ways until a reset, which does nothing else', () => {
    const { rig, midiOut, midiIn } = rigWithMidi();
    rig.dsp(0xd1, 0x35);
    rig.out(BASE + 0xc, 0xe1);
    rig.run(MIDI_BYTE_TICKS);
    midiIn.send([0xf8], rig.now);
    rig.run(MIDI_BYTE_TICKS);
    expect(rig.interrupted).toBe(true);
    expect(rig.replies(1)).toEqual([0xf8]);
    expect(Array.from(midiOut.bytes)).toEqual([0xe1]);
    rig.resetDsp();
    expect(rig.replies(1)).toEqual([0xaa]);
    rig.dsp(0xd8);
    expect(rig.replies(1)).toEqual([0xff]);
    rig.dispose();
  });

  test('both receivers hear what arrives, and share one wire out', () => {
    const { rig, midiOut, midiIn } = rigWithMidi();
    enterMpuUart(rig);
    rig.dsp(0x31);
    midiIn.send([0x91, 0x92, 0x93], rig.now);
    rig.run(5 * MIDI_BYTE_TICKS);
    expect(rig.readMixer(0x82)).toBe(5);
    expect([rig.in(MPU), rig.in(MPU), rig.in(MPU)]).toEqual([0x91, 0x92, 0x93]);
    expect(rig.replies(4)).toEqual([0x91, 0x92, 0x93, -1]);
    const start = rig.now;
    rig.out(MPU, 0x01);
    rig.dsp(0x38, 0x02);
    rig.run(10_000);
    expect(midiOut.recorded).toEqual([
      { byte: 0x01, startTick: start },
      { byte: 0x02, startTick: start + MIDI_BYTE_TICKS },
    ]);
    rig.dispose();
  });
});
