import { describe, expect, test } from 'vitest';
import {
  BASE,
  DATA,
  FROM_CARD,
  FROM_CARD_AUTO,
  Sb16Rig,
  TO_CARD_AUTO,
} from '../../../test/support/sb16-rig.ts';
import { ArraySource } from '../analog.ts';
import type { Sb16CardOptions } from './card.ts';

function rig16(rate: number, samples: Int16Array, options: Sb16CardOptions = {}) {
  const rig = new Sb16Rig({
    lineIn: new ArraySource(samples, { sampleRate: rate, channels: 2 }),
    ...options,
  });
  rig.mixer(0x38, 0xf8);
  rig.mixer(0x39, 0xf8);
  rig.mixer(0x3c, 0);
  rig.mixer(0x3d, 0x10);
  rig.mixer(0x3e, 0x08);
  return rig;
}

const samples = Int16Array.from({ length: 2000 }, (_, i) => ((i * 7919) % 65536) - 32768);

describe('recording by DMA', () => {
  test('16-bit stereo arrives unchanged, and the block interrupts when its last frame has', () => {
    const rig = rig16(40_000, samples);
    rig.dma(5, FROM_CARD, 2000);
    rig.dsp(0x42, 40_000 >> 8, 40_000 & 0xff);
    const start = rig.now;
    rig.dsp(0xb8, 0x30, 999 & 0xff, 999 >> 8);
    rig.run(500 * 250 - 1);
    expect(rig.interrupted).toBe(false);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    const recorded = new Int16Array(rig.readData(2000).buffer);
    const first = samples.indexOf(recorded[0]!);
    expect(recorded).toEqual(samples.slice(first, first + 1000));
    expect(rig.card.position(16)).toEqual({
      dmaBytes: 2000,
      converterFrames: 500,
      blockBytesLeft: 0,
      running: true,
    });
    expect(start).toBeLessThan(rig.now);
    rig.dispose();
  });

  test.each([
    ['unsigned', 0x00, 0x80],
    ['signed', 0x10, 0x00],
  ] as const)('8-bit %s mono is the upper half of the left side', (_name, mode, flip) => {
    const rig = rig16(20_000, samples);
    rig.dma(1, FROM_CARD, 400);
    rig.dsp(0x42, 20_000 >> 8, 20_000 & 0xff, 0xc8, mode, 399 & 0xff, 399 >> 8);
    rig.run(400 * 500);
    expect(rig.interrupted).toBe(true);
    const bytes = rig.readData(400);
    const left = Array.from({ length: 1000 }, (_, i) => (samples[2 * i]! >> 8) & 0xff);
    const expected = Array.from(bytes, (byte) => byte ^ flip);
    const first = left.findIndex((_, i) => expected.every((value, j) => left[i + j] === value));
    expect(first).toBeGreaterThanOrEqual(0);
    rig.dispose();
  });

  test('goes round in auto-initialize mode', () => {
    const rig = rig16(40_000, samples);
    rig.dma(5, FROM_CARD_AUTO, 800);
    rig.dsp(0x42, 40_000 >> 8, 40_000 & 0xff, 0xbc, 0x30, 199, 0);
    let interrupts = 0;
    for (let block = 0; block < 8; block++) {
      rig.run(100 * 250);
      if (rig.interrupted) interrupts++;
      rig.in(BASE + 0xf);
    }
    expect(interrupts).toBe(8);
    const buffer = new Int16Array(rig.readData(800).buffer);
    const at = samples.indexOf(buffer[0]!);
    expect(buffer).toEqual(samples.slice(at, at + 400));
    rig.dispose();
  });

  test('while the channel is closed samples are lost, and the block does not get shorter', () => {
    const rig = rig16(40_000, samples);
    rig.dma(5, FROM_CARD, 400);
    rig.out(0xd4, 0x05);
    rig.dsp(0x42, 40_000 >> 8, 40_000 & 0xff, 0xb8, 0x30, 199, 0);
    rig.run(100 * 250);
    expect(rig.interrupted).toBe(false);
    expect(rig.in(0xd0) & 0x20).toBe(0x20);
    rig.out(0xd4, 0x01);
    rig.run(100 * 250);
    expect(rig.interrupted).toBe(true);
    rig.dispose();
  });

  test('sides can be exchanged and summed, with gain and saturation', () => {
    const rig = rig16(
      40_000,
      Int16Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 10_000 : -3000)),
    );
    const record = (): readonly number[] => {
      rig.dma(5, FROM_CARD, 4);
      rig.dsp(0x42, 40_000 >> 8, 40_000 & 0xff, 0xb8, 0x30, 1, 0);
      rig.run(1000);
      rig.in(BASE + 0xf);
      return Array.from(new Int16Array(rig.readData(4).buffer));
    };
    expect(record()).toEqual([10_000, -3000]);
    rig.mixer(0x3d, 0x08);
    rig.mixer(0x3e, 0x10);
    expect(record()).toEqual([-3000, 10_000]);
    rig.mixer(0x3d, 0x18);
    rig.mixer(0x3e, 0x00);
    expect(record()).toEqual([7000, 0]);
    rig.mixer(0x3f, 0xc0);
    expect(record()).toEqual([32767, 0]);
    rig.mixer(0x3d, 0x08);
    rig.mixer(0x3f, 0x40);
    expect(record()).toEqual([Math.round(-3000 * 10 ** (6 / 20)), 0]);
    rig.dispose();
  });

  test('eight bits play while sixteen record, each on its own channel and interrupt flag', () => {
    const rig = rig16(20_000, samples).unity();
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
    rig.writeData(bytes, DATA + 0x8000);
    rig.dma(1, TO_CARD_AUTO, 200, DATA + 0x8000);
    rig.dma(5, FROM_CARD_AUTO, 800);
    rig.dsp(0x41, 20_000 >> 8, 20_000 & 0xff);
    rig.dsp(0xc4, 0x00, 99, 0);
    rig.dsp(0xbc, 0x30, 199, 0);
    let flags = 0;
    for (let block = 0; block < 10; block++) {
      rig.run(100 * 500);
      flags |= rig.readMixer(0x82);
      expect(rig.readMixer(0x82)).toBe(3);
      rig.in(BASE + 0xe);
      rig.in(BASE + 0xf);
    }
    expect(flags).toBe(3);
    const left = Array.from(rig.sink.samples).filter((_, i) => (i & 1) === 0);
    expect(left).toEqual(Array.from({ length: 1000 }, (_, i) => ((((i % 200) ^ 0x80) << 8) << 16) >> 16));
    rig.dispose();
  });

  test('FM is recorded', () => {
    const rig = new Sb16Rig();
    rig.mixer(0x34, 0xf8);
    rig.mixer(0x35, 0xf8);
    rig.mixer(0x3d, 0x40);
    rig.mixer(0x3e, 0x20);
    for (const [register, value] of [
      [0x23, 0x21],
      [0x43, 0x00],
      [0x63, 0xf0],
      [0x83, 0x0f],
      [0xc0, 0x31],
      [0xa0, 0x44],
      [0xb0, 0x32],
    ] as const) {
      rig.out(0x388, register);
      rig.out(0x389, value);
    }
    rig.dma(5, FROM_CARD, 8000);
    rig.dsp(0x42, 44_100 >> 8, 44_100 & 0xff, 0xb8, 0x30, 3999 & 0xff, 3999 >> 8);
    rig.run(500_000);
    expect(rig.interrupted).toBe(true);
    const recorded = new Int16Array(rig.readData(8000).buffer);
    expect(Math.max(...recorded)).toBeGreaterThan(1000);
    rig.dispose();
  });
});
