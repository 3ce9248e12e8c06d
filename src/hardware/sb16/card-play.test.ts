import { describe, expect, test } from 'vitest';
import { BASE, DATA, Sb16Rig, TO_CARD, TO_CARD_AUTO } from '../../../test/support/sb16-rig.ts';

function ramp16(frames: number): Int16Array {
  return Int16Array.from({ length: frames * 2 }, (_, i) => ((i * 7919) % 65536) - 32768);
}

/** Ticks of `frames` periods at `rate`, rounded up. */
function ticks(frames: number, rate: number): number {
  return Math.ceil((frames * 10_000_000) / rate);
}

describe('playing by DMA', () => {
  test('16-bit stereo leaves unchanged, and the block interrupts when its last frame has', () => {
    const rig = new Sb16Rig().unity();
    const samples = ramp16(441);
    rig.writeData(new Uint8Array(samples.buffer));
    rig.dma(5, TO_CARD, samples.byteLength);
    rig.dsp(0x41, 44100 >> 8, 44100 & 0xff);
    rig.dsp(0xb0, 0x30, 881 & 0xff, 881 >> 8);
    const start = rig.now;
    rig.run(ticks(441, 44100) - 1);
    expect(rig.interrupted).toBe(false);
    expect(rig.dmaCount(5)).toBe(1);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    expect(rig.readMixer(0x82)).toBe(2);
    expect(rig.dmaCount(5)).toBe(0xffff);
    expect(rig.sink.samples).toEqual(samples);
    expect(rig.sink.takes[0]!.format).toEqual({ sampleRate: 44100, channels: 2 });
    expect(rig.sink.takes[0]!.startTick).toBe(start + ticks(1, 44100));
    rig.in(BASE + 0xf);
    expect(rig.readMixer(0x82)).toBe(0);
    expect(rig.interrupted).toBe(false);
    expect(rig.machine.trace.findings).toEqual([]);
    rig.dispose();
  });

  test.each([
    ['unsigned', 0x00, 0x80],
    ['signed', 0x10, 0x00],
  ] as const)('8-bit %s mono is the upper half of sixteen bits, on both sides', (_name, mode, flip) => {
    const rig = new Sb16Rig().unity();
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    rig.writeData(bytes);
    rig.dma(1, TO_CARD, bytes.length);
    rig.dsp(0x41, 22050 >> 8, 22050 & 0xff, 0xc0, mode, 0xff, 0x00);
    rig.run(ticks(256, 22050));
    const expected = Int16Array.from({ length: 512 }, (_, i) => ((i >> 1) ^ flip) << 8);
    expect(rig.sink.samples).toEqual(expected);
    expect(rig.readMixer(0x82)).toBe(1);
    rig.in(BASE + 0xe);
    expect(rig.readMixer(0x82)).toBe(0);
    rig.dispose();
  });

  test('auto-initialize goes round the buffer with an interrupt a block until it is told to exit', () => {
    const rig = new Sb16Rig().unity();
    const samples = ramp16(400);
    rig.writeData(new Uint8Array(samples.buffer));
    rig.dma(5, TO_CARD_AUTO, samples.byteLength);
    rig.dsp(0x41, 40000 >> 8, 40000 & 0xff, 0xb4, 0x30, 399 & 0xff, 399 >> 8);
    // 200 frames at 40 kHz: 50000 ticks a block.
    for (let block = 1; block <= 5; block++) {
      rig.run(49_999);
      expect(rig.interrupted).toBe(false);
      rig.run(1);
      expect(rig.interrupted).toBe(true);
      rig.in(BASE + 0xf);
    }
    rig.dsp(0xd9);
    rig.run(50_000);
    expect(rig.interrupted).toBe(true);
    rig.in(BASE + 0xf);
    rig.run(1_000_000);
    expect(rig.interrupted).toBe(false);
    const expected = Int16Array.from({ length: 2400 }, (_, i) => samples[i % 800]!);
    expect(rig.sink.samples).toEqual(expected);
    rig.dispose();
  });

  test('a pause keeps the place, in the card and in the DMA controller', () => {
    const rig = new Sb16Rig().unity();
    const samples = ramp16(100);
    rig.writeData(new Uint8Array(samples.buffer));
    rig.dma(5, TO_CARD, samples.byteLength);
    rig.dsp(0x41, 0x27, 0x10, 0xb0, 0x30, 199, 0);
    rig.run(50_500);
    rig.dsp(0xd5);
    const count = rig.dmaCount(5);
    expect(count).toBe(99);
    rig.run(123_456);
    expect(rig.dmaCount(5)).toBe(count);
    rig.dsp(0xd6);
    rig.run(50_000);
    expect(rig.interrupted).toBe(true);
    expect(rig.sink.takes[0]!.runs.length).toBe(2);
    const { runs } = rig.sink.takes[0]!;
    const joined = runs.flatMap(({ firstFrame, frames }) =>
      Array.from(rig.sink.samples.subarray(firstFrame * 2, (firstFrame + frames) * 2)),
    );
    expect(joined).toEqual(Array.from(samples));
    rig.dispose();
  });

  test('a masked channel is waited for: DRQ shows, the DAC holds, nothing is lost', () => {
    const rig = new Sb16Rig().unity();
    rig.writeData(Uint8Array.from({ length: 20 }, (_, i) => 0x80 + i));
    rig.dma(1, TO_CARD, 20);
    rig.dsp(0x41, 0x27, 0x10, 0xc0, 0x00, 19, 0);
    rig.run(10_000);
    rig.out(0x0a, 0x05);
    rig.run(5_000);
    expect(rig.in(0x08) & 0x20).toBe(0x20);
    expect(rig.interrupted).toBe(false);
    rig.out(0x0a, 0x01);
    rig.run(10_000);
    expect(rig.interrupted).toBe(true);
    const left = Array.from(rig.sink.samples).filter((_, i) => (i & 1) === 0);
    const expected = [
      ...Array.from({ length: 10 }, (_, i) => i << 8),
      ...Array.from({ length: 5 }, () => 9 << 8),
      ...Array.from({ length: 10 }, (_, i) => (10 + i) << 8),
    ];
    expect(left).toEqual(expected);
    rig.dispose();
  });

  test('with the FIFO on, DMA and interrupt run four frames of 16-bit stereo ahead', () => {
    const rig = new Sb16Rig().unity();
    const samples = ramp16(100);
    rig.writeData(new Uint8Array(samples.buffer));
    rig.dma(5, TO_CARD, samples.byteLength);
    rig.dsp(0x41, 0x27, 0x10, 0xb2, 0x30, 199, 0);
    expect(rig.dmaCount(5)).toBe(199 - 8);
    rig.run(96_000 - 1);
    expect(rig.interrupted).toBe(false);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    rig.run(4_000);
    expect(rig.sink.samples).toEqual(samples);
    rig.dispose();
  });

  test('without a 16-bit channel sixteen bits go through the 8-bit one', () => {
    const rig = new Sb16Rig({ jumpers: { dma16: null } }).unity();
    const samples = ramp16(50);
    rig.writeData(new Uint8Array(samples.buffer));
    rig.dma(1, TO_CARD, samples.byteLength);
    rig.dsp(0x41, 0x27, 0x10, 0xb0, 0x30, 99, 0);
    rig.run(50_000);
    expect(rig.interrupted).toBe(true);
    expect(rig.readMixer(0x82)).toBe(2);
    expect(rig.sink.samples).toEqual(samples);
    rig.dispose();
  });

  test('single-cycle after auto-initialize takes over at the end of the block', () => {
    const rig = new Sb16Rig().unity();
    rig.writeData(Uint8Array.from({ length: 100 }, (_, i) => 0x80 + i));
    rig.dma(1, TO_CARD_AUTO, 100);
    rig.dsp(0x41, 0x27, 0x10, 0x48, 9, 0, 0x1c);
    rig.run(5_000);
    rig.dsp(0x14, 4, 0);
    rig.run(5_000);
    expect(rig.interrupted).toBe(true);
    rig.in(BASE + 0xe);
    rig.run(4_999);
    expect(rig.interrupted).toBe(false);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    rig.in(BASE + 0xe);
    rig.run(100_000);
    expect(rig.interrupted).toBe(false);
    expect(rig.sink.frames).toBe(15);
    rig.dispose();
  });

  test('silence lasts its block and interrupts, without DMA', () => {
    const rig = new Sb16Rig();
    rig.dsp(0x41, 0x27, 0x10, 0x80, 99, 0);
    rig.run(99_999);
    expect(rig.interrupted).toBe(false);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    rig.dispose();
  });

  test('a time constant divides 1 MHz', () => {
    const rig = new Sb16Rig().unity();
    rig.writeData(new Uint8Array(200).fill(0x90));
    rig.dma(1, TO_CARD, 200);
    rig.dsp(0x40, 256 - 125, 0x14, 199, 0);
    rig.run(200 * 1250 - 1);
    expect(rig.interrupted).toBe(false);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    expect(rig.sink.takes[0]!.format.sampleRate).toBe(8000);
    rig.dispose();
  });

  test('a transfer outside what was mapped is reported and reads as an open bus', () => {
    const rig = new Sb16Rig().unity();
    rig.dma(1, TO_CARD, 64, DATA + 0x1_0000);
    rig.dsp(0x41, 0x27, 0x10, 0xc0, 0x10, 63, 0);
    rig.run(64_000);
    expect(rig.interrupted).toBe(true);
    expect(new Set(rig.sink.samples)).toEqual(new Set([-256]));
    expect(rig.machine.trace.findings[0]?.text).toMatch(/DMA read of .* not all of it is mapped/);
    rig.dispose();
  });
});

describe('gains of the voice', () => {
  test('defaults are −14 dB of voice and master each', () => {
    const rig = new Sb16Rig();
    rig.writeData(new Uint8Array(Int16Array.from([20000, -20000, 20000, -20000]).buffer));
    rig.dma(5, TO_CARD, 8);
    rig.dsp(0x41, 0x27, 0x10, 0xb0, 0x30, 3, 0);
    rig.run(2_000);
    const expected = Math.round(20000 * 10 ** (-28 / 20));
    expect(Array.from(rig.sink.samples)).toEqual([expected, -expected, expected, -expected]);
    rig.dispose();
  });

  test('every level of master is 2 dB, output gain 6 dB', () => {
    const rig = new Sb16Rig().unity();
    const level = (): number => {
      rig.sink.clear();
      rig.writeData(new Uint8Array(Int16Array.from([10000, 10000]).buffer));
      rig.dma(5, TO_CARD, 4);
      rig.dsp(0x41, 0x27, 0x10, 0xb0, 0x30, 1, 0);
      rig.run(10_000);
      return rig.sink.samples[0]!;
    };
    for (let code = 0; code < 32; code++) {
      rig.mixer(0x30, code << 3);
      expect(level()).toBe(Math.floor(10000 * 10 ** ((2 * (code - 31)) / 20) + 0.5));
    }
    rig.mixer(0x30, 0xf8);
    for (const [code, decibels] of [
      [0x40, 6],
      [0x80, 12],
      [0xc0, 18],
    ] as const) {
      rig.mixer(0x41, code);
      expect(level()).toBe(Math.min(32767, Math.floor(10000 * 10 ** (decibels / 20) + 0.5)));
    }
    rig.dispose();
  });
});
