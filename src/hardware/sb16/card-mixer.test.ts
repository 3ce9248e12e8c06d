import { describe, expect, test } from 'vitest';
import { BASE, Sb16Rig, TO_CARD } from '../../../test/support/sb16-rig.ts';
import type { PcmSource } from '../../hal/bus.ts';
import { ToneSource } from '../analog.ts';
import { MIXER_REGISTERS } from './registers.ts';

/** The same level on every channel, for ever. */
function constant(level: number): PcmSource {
  return { read: (into, frames, format) => into.fill(level, 0, frames * format.channels) };
}

function gainOf(decibels: number): number {
  return 10 ** (decibels / 20);
}

describe('CT1745 registers', () => {
  test('have their defaults after a reset, and store the bits that exist', () => {
    const rig = new Sb16Rig();
    for (const { index, access, mask, name } of MIXER_REGISTERS) {
      if (access !== 'RW' || index >= 0x80 || index < 0x30) continue;
      for (const value of [0xff, 0x00, 0xa5]) {
        rig.mixer(index, value);
        expect([name, rig.readMixer(index)]).toEqual([name, value & mask]);
      }
    }
    rig.mixer(0, 0);
    for (const { index, access, resetValue, name } of MIXER_REGISTERS) {
      if (access === 'RW' && index < 0x80) expect([name, rig.readMixer(index)]).toEqual([name, resetValue]);
    }
    expect(rig.readMixer(0x30)).toBe(0xc0);
    expect(rig.readMixer(0x3d)).toBe(0x15);
    expect(rig.readMixer(0x3e)).toBe(0x0b);
    expect(rig.readMixer(0x60)).toBe(0xff);
    rig.dispose();
  });

  test('those of the CT1345 are windows on the finer ones', () => {
    const rig = new Sb16Rig();
    rig.mixer(0x22, 0xf0);
    expect([rig.readMixer(0x30), rig.readMixer(0x31)]).toEqual([0xf8, 0x08]);
    rig.mixer(0x32, 0x80);
    rig.mixer(0x33, 0x48);
    expect(rig.readMixer(0x04)).toBe(0x84);
    rig.mixer(0x0a, 0x07);
    expect(rig.readMixer(0x3a)).toBe(0xf8);
    expect(rig.readMixer(0x0a)).toBe(0x07);
    rig.dispose();
  });

  test('a word write reaches index and data, low byte first', () => {
    const rig = new Sb16Rig();
    rig.machine.platform.writePort(BASE + 4, 2, 0x5036);
    expect(rig.readMixer(0x36)).toBe(0x50);
    rig.dispose();
  });

  test('jumper cards move their interrupt and DMA by 80h and 81h', () => {
    const rig = new Sb16Rig();
    expect([rig.readMixer(0x80), rig.readMixer(0x81)]).toEqual([0x02, 0x22]);
    rig.mixer(0x80, 0x08);
    rig.mixer(0x81, 0x48);
    expect(rig.card.configuration).toMatchObject({ irq: 10, dma8: 3, dma16: 6 });
    rig.dsp(0xf2);
    expect(rig.machine.platform.isInterruptAsserted(10)).toBe(true);
    expect(rig.interrupted).toBe(false);
    // The mixer's reset leaves them alone.
    rig.mixer(0, 0);
    expect([rig.readMixer(0x80), rig.readMixer(0x81)]).toEqual([0x08, 0x48]);
    rig.mixer(0x80, 0x01);
    expect(rig.machine.platform.isInterruptAsserted(9)).toBe(true);
    rig.dispose();
  });
});

describe('output mixer', () => {
  test('a source is heard with its volume, its switch and the master volume', () => {
    const rig = new Sb16Rig({ lineIn: constant(8000) });
    rig.mixer(0x30, 0xf8);
    rig.mixer(0x31, 0xf0);
    rig.mixer(0x38, 0xf8);
    rig.mixer(0x39, 0xe8);
    rig.run(1_000_000);
    const { samples, takes } = rig.sink;
    expect(takes[0]!.format).toEqual({ sampleRate: 49_716, channels: 2 });
    expect(samples.at(-2)).toBe(8000);
    expect(samples.at(-1)).toBe(Math.round(8000 * gainOf(-4) * gainOf(-2)));
    rig.mixer(0x3c, 0x08);
    rig.run(100_000);
    expect(rig.sink.samples.at(-2)).toBe(0);
    expect(rig.sink.samples.at(-1)).not.toBe(0);
    rig.mixer(0x3c, 0x00);
    rig.run(100_000);
    const frames = rig.sink.frames;
    rig.run(10_000_000);
    expect(rig.sink.frames).toBe(frames);
    rig.dispose();
  });

  test('microphone: fixed at 20 dB, or brought to half of full scale', () => {
    const rig = new Sb16Rig({ micIn: constant(1000) });
    for (const index of [0x30, 0x31, 0x3a]) rig.mixer(index, 0xf8);
    rig.mixer(0x43, 1);
    rig.run(100_000);
    expect(rig.sink.samples.at(-1)).toBe(10_000);
    rig.dispose();
    const loud = new Sb16Rig({ micIn: constant(20_000) });
    for (const index of [0x30, 0x31, 0x3a]) loud.mixer(index, 0xf8);
    loud.run(100_000);
    expect(loud.sink.samples.at(-1)).toBe(20_000);
    loud.dispose();
  });

  test('PC speaker in steps of 6 dB', () => {
    const rig = new Sb16Rig({ pcSpeakerIn: constant(16_000) });
    for (const index of [0x30, 0x31]) rig.mixer(index, 0xf8);
    for (const [code, decibels] of [
      [0x00, -18],
      [0x40, -12],
      [0x80, -6],
      [0xc0, 0],
    ] as const) {
      rig.mixer(0x3b, code);
      rig.run(100_000);
      expect(rig.sink.samples.at(-1)).toBe(Math.round(16_000 * gainOf(decibels)));
    }
    rig.dispose();
  });

  test('the voice joins the mix at its own pace, and leaves alone again afterwards', () => {
    const rig = new Sb16Rig({ cdIn: constant(1000) }).unity();
    rig.mixer(0x36, 0xf8);
    rig.mixer(0x37, 0xf8);
    rig.run(100_000);
    rig.writeData(new Uint8Array(200).fill(0x90));
    rig.dma(1, TO_CARD, 200);
    rig.dsp(0x41, 0x27, 0x10, 0xc0, 0x00, 199, 0);
    rig.run(200_000);
    rig.run(10_000);
    const values = Array.from(rig.sink.samples).filter((_, i) => (i & 1) === 0);
    const loud = values.filter((value) => value === 0x1000 + 1000).length;
    // 20 ms of voice at 49716 Hz.
    expect(Math.abs(loud - 994)).toBeLessThan(6);
    expect(new Set(values)).toEqual(new Set([1000, 0x1000 + 1000]));
    expect(rig.sink.takes).toHaveLength(1);
    rig.mixer(0x3c, 0);
    rig.run(100_000);
    rig.dma(1, TO_CARD, 200);
    rig.dsp(0xc0, 0x00, 199, 0);
    rig.run(300_000);
    expect(rig.sink.takes.at(-1)!.format.sampleRate).toBe(10_000);
    expect(rig.sink.takes.at(-1)!.frames).toBe(200);
    rig.dispose();
  });

  test('tone controls lift and lower one side', () => {
    const level = (treble: number, side: 0 | 1) => {
      const rig = new Sb16Rig({ lineIn: new ToneSource(15_000, 0.1) });
      for (const index of [0x30, 0x31, 0x38, 0x39]) rig.mixer(index, 0xf8);
      rig.mixer(0x44, treble);
      rig.run(2_000_000);
      let peak = 0;
      for (let i = rig.sink.samples.length / 2 + side; i < rig.sink.samples.length; i += 2) {
        peak = Math.max(peak, Math.abs(rig.sink.samples[i]!));
      }
      rig.dispose();
      return peak;
    };
    const flat = level(0x80, 0);
    expect(level(0x70, 0)).toBe(flat);
    expect(20 * Math.log10(level(0xf0, 0) / flat)).toBeGreaterThan(8);
    expect(20 * Math.log10(level(0x00, 0) / flat)).toBeLessThan(-8);
    expect(level(0xf0, 1)).toBe(flat);
  });

  test('a fixed rate holds for everything', () => {
    const rig = new Sb16Rig({ outputRate: 48_000 }).unity();
    rig.writeData(new Uint8Array(100).fill(0x90));
    rig.dma(1, TO_CARD, 100);
    rig.dsp(0x41, 0x27, 0x10, 0xc0, 0x00, 99, 0);
    rig.run(200_000);
    expect(rig.sink.takes.map(({ format }) => format.sampleRate)).toEqual([48_000]);
    rig.dispose();
  });
});

describe('FM', () => {
  function strike(rig: Sb16Rig, port: number): void {
    const write = (register: number, value: number) => {
      rig.out(port, register);
      rig.out(port + 1, value);
    };
    for (const [register, value] of [
      [0x20, 0x21],
      [0x23, 0x21],
      [0x40, 0x3f],
      [0x43, 0x00],
      [0x60, 0xf0],
      [0x63, 0xf0],
      [0x80, 0x0f],
      [0x83, 0x0f],
      [0xc0, 0x31],
      [0xa0, 0x44],
      [0xb0, 0x32],
    ] as const) {
      write(register, value);
    }
  }

  test.each([
    ['388h', 0x388],
    ['the base', BASE],
    ['base + 8', BASE + 8],
  ])('sounds through %s', (_name, port) => {
    const rig = new Sb16Rig();
    for (const index of [0x30, 0x31, 0x34, 0x35]) rig.mixer(index, 0xf8);
    strike(rig, port);
    rig.run(2_000_000);
    const { samples } = rig.sink;
    expect(rig.sink.takes[0]!.format.sampleRate).toBe(49_716);
    let crossings = 0;
    for (let i = 2; i < samples.length; i += 2) {
      if (samples[i - 2]! < 0 && samples[i]! >= 0) crossings++;
    }
    // F-number 244h in block 4: 440 Hz.
    expect(Math.abs(crossings / (samples.length / 2 / 49_716) - 440)).toBeLessThan(6);
    rig.dispose();
  });

  test('stops costing time when its notes have ended', () => {
    const rig = new Sb16Rig();
    strike(rig, 0x388);
    rig.run(1_000_000);
    rig.out(0x388, 0xb0);
    rig.out(0x389, 0x12);
    rig.run(20_000_000);
    const frames = rig.sink.frames;
    rig.run(100_000_000);
    expect(rig.sink.frames).toBe(frames);
    rig.dispose();
  });

  test('the status shows no timer, and the game port no joystick', () => {
    const rig = new Sb16Rig();
    expect(rig.in(0x388)).toBe(0x00);
    expect(rig.in(0x201)).toBe(0xff);
    rig.out(0x201, 0);
    expect(rig.in(0x201)).toBe(0xff);
    rig.dispose();
  });
});
