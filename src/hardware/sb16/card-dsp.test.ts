import { describe, expect, test } from 'vitest';
import { BASE, DATA, FROM_CARD, Sb16Rig, TO_CARD } from '../../../test/support/sb16-rig.ts';
import { DSP_COMMANDS } from './dsp-commands.ts';

describe('reset', () => {
  test('answers AAh within 100 µs of the end of the pulse, and not before', () => {
    const rig = new Sb16Rig();
    rig.out(BASE + 6, 1);
    rig.run(30);
    rig.out(BASE + 6, 0);
    expect(rig.in(BASE + 0xe) & 0x80).toBe(0);
    expect(rig.in(BASE + 0xc) & 0x80).toBe(0x80);
    rig.run(999);
    expect(rig.in(BASE + 0xe) & 0x80).toBe(0);
    rig.run(1);
    expect(rig.in(BASE + 0xe) & 0x80).toBe(0x80);
    expect(rig.in(BASE + 0xa)).toBe(0xaa);
    expect(rig.in(BASE + 0xe) & 0x80).toBe(0);
    expect(rig.in(BASE + 0xc) & 0x80).toBe(0);
    rig.dispose();
  });

  test('ends transfers, forgets half a command and takes interrupts back', () => {
    const rig = new Sb16Rig();
    rig.dma(1, TO_CARD, 1000);
    rig.dsp(0xf2, 0x41, 0x27, 0x10, 0x14, 0xe7, 0x03, 0x40);
    expect(rig.interrupted).toBe(true);
    rig.resetDsp();
    expect(rig.interrupted).toBe(false);
    expect(rig.replies(2)).toEqual([0xaa, -1]);
    rig.run(2_000_000);
    expect(rig.interrupted).toBe(false);
    rig.dsp(0xe1);
    expect(rig.replies(2)).toEqual([4, 13]);
    rig.dispose();
  });

  test('what is written meanwhile is lost, and reported', () => {
    const rig = new Sb16Rig();
    rig.out(BASE + 6, 1);
    rig.dsp(0xe1);
    rig.out(BASE + 6, 0);
    rig.run(1000);
    expect(rig.replies(2)).toEqual([0xaa, -1]);
    expect(rig.machine.trace.findings[0]?.text).toMatch(/in reset/);
    rig.dispose();
  });
});

describe('identification', () => {
  test('version, copyright, complement, test register, speaker, internal RAM', () => {
    const rig = new Sb16Rig();
    rig.dsp(0xe3);
    const text = String.fromCharCode(...rig.replies(45));
    expect(text).toBe('COPYRIGHT (C) CREATIVE TECHNOLOGY LTD, 1992.\0');
    rig.dsp(0xe0, 0x35);
    expect(rig.replies(1)).toEqual([0xca]);
    rig.dsp(0xe4, 0x5a, 0xe8);
    expect(rig.replies(1)).toEqual([0x5a]);
    rig.dsp(0xd8, 0xd1, 0xd8, 0xd3, 0xd8);
    expect(rig.replies(3)).toEqual([0x00, 0xff, 0x00]);
    rig.dsp(0xf9, 0x0e, 0xf9, 0x37, 0xf9, 0x01);
    expect(rig.replies(3)).toEqual([0xff, 0x38, 0x00]);
    rig.dsp(0xf8);
    expect(rig.replies(1)).toEqual([0x00]);
    rig.dispose();
  });

  test('by DMA: the known sequence for the known question', () => {
    const rig = new Sb16Rig();
    const bytes: number[] = [];
    for (const operand of [0x00, 0x00, 0x00, 0x00, 0xbb, 0x17]) {
      rig.dma(1, FROM_CARD, 1);
      rig.dsp(0xe2, operand);
      bytes.push(rig.readData(1)[0]!);
    }
    // AAh, and then each operand turned over by 96h, A5h, 69h, 5Ah in turn, added up.
    expect(bytes).toEqual([0x40, 0xe5, 0x4e, 0xa8, 0xd5, 0x87]);
    rig.dispose();
  });

  test('interrupts on request, told apart and acknowledged apart', () => {
    const rig = new Sb16Rig();
    rig.dsp(0xf2);
    expect(rig.readMixer(0x82)).toBe(1);
    rig.dsp(0xf3);
    expect(rig.readMixer(0x82)).toBe(3);
    expect(rig.interrupted).toBe(true);
    rig.in(BASE + 0xe);
    expect(rig.readMixer(0x82)).toBe(2);
    expect(rig.interrupted).toBe(true);
    rig.in(BASE + 0xf);
    expect(rig.readMixer(0x82)).toBe(0);
    expect(rig.interrupted).toBe(false);
    rig.dispose();
  });
});

describe('versions', () => {
  test('each has the commands of its time', () => {
    const rig = new Sb16Rig({ dspVersion: 0x0302 });
    rig.dsp(0xe1);
    expect(rig.replies(2)).toEqual([3, 2]);
    rig.dsp(0xb0);
    expect(rig.machine.trace.findings[0]?.text).toBe('DSP 3.02 has no command B0h: it is ignored');
    rig.dsp(0xa8);
    expect(rig.machine.trace.findings).toHaveLength(1);
    rig.dispose();
  });

  test('up to 3.xx high-speed mode hears only a reset, which ends it and nothing else', () => {
    const rig = new Sb16Rig({ dspVersion: 0x0302 }).unity();
    rig.writeData(new Uint8Array(1000).fill(0xc0));
    rig.dma(1, TO_CARD, 1000);
    rig.dsp(0xd1, 0x40, 256 - 25, 0x48, 0xe7, 0x03, 0x91);
    expect(rig.in(BASE + 0xc) & 0x80).toBe(0x80);
    rig.dsp(0xe1);
    expect(rig.replies(1)).toEqual([-1]);
    rig.resetDsp();
    expect(rig.replies(1)).toEqual([0xaa]);
    rig.dsp(0xe1);
    expect(rig.replies(2)).toEqual([3, 2]);
    rig.run(1_000_000);
    expect(rig.sink.frames).toBeLessThan(100);
    rig.dispose();
  });

  test('up to 3.xx the speaker is off after a reset', () => {
    const rig = new Sb16Rig({ dspVersion: 0x0302 }).unity();
    rig.writeData(new Uint8Array(20).fill(0xc0));
    const play = () => {
      rig.dma(1, TO_CARD, 20);
      rig.dsp(0x40, 256 - 100, 0x14, 19, 0);
      rig.run(20_000);
    };
    play();
    expect(new Set(rig.sink.samples)).toEqual(new Set([0]));
    rig.sink.clear();
    rig.dsp(0xd1);
    play();
    expect(new Set(rig.sink.samples)).toEqual(new Set([0x4000]));
    rig.dispose();
  });
});

describe('the table of commands', () => {
  test('has every code once, and every operand is swallowed', () => {
    const codes = DSP_COMMANDS.map(({ code }) => code);
    expect(new Set(codes).size).toBe(codes.length);
    for (const { code, operands } of DSP_COMMANDS) {
      const rig = new Sb16Rig();
      if (code >= 0x34 && code <= 0x37) continue;
      rig.dsp(code, ...Array.from({ length: operands }, () => 0x10));
      rig.run(10_000);
      // Whatever it did, the DSP hears the next command as one.
      rig.in(BASE + 0xe);
      for (let i = 0; i < 64; i++) rig.in(BASE + 0xa);
      rig.dsp(0xe0, 0x00);
      expect([code, rig.replies(1)[0]]).toEqual([code, 0xff]);
      rig.dispose();
    }
  });
});

describe('direct mode', () => {
  test('holds each sample until the next one', () => {
    const rig = new Sb16Rig().unity();
    for (const sample of [0x80, 0xff, 0x00, 0x90]) {
      rig.dsp(0x10, sample);
      rig.run(10_000);
    }
    const values = Array.from(rig.sink.samples).filter((_, i) => (i & 1) === 0);
    const runs = values.filter((value, i) => i === 0 || value !== values[i - 1]);
    expect(runs).toEqual([0x7f00, -0x8000]);
    rig.run(10_000_000);
    expect(rig.sink.samples.at(-1)).toBe(0x1000);
    expect(rig.sink.frames).toBeLessThan(49_716);
    rig.dispose();
  });

  test.each([0x4321, -0x4321])('reads the ADC: %i', (level) => {
    const rig = new Sb16Rig({ lineIn: { read: (into, frames) => into.fill(level, 0, frames * 2) } });
    rig.mixer(0x38, 0xf8);
    rig.mixer(0x39, 0xf8);
    rig.mixer(0x3d, 0x10);
    rig.dsp(0x20);
    expect(rig.replies(1)).toEqual([(level + 0x8000) >> 8]);
    rig.dispose();
  });
});

describe('ADPCM', () => {
  /** The decoder of the VOC players, written from its published step tables. */
  function reference(bits: 4 | 3 | 2, codes: readonly number[], start: number): number[] {
    const tables = {
      4: { steps: [0, 1, 2, 4], up: 5, magnitude: 7 },
      3: { steps: [0, 1, 2, 4, 5], up: 3, magnitude: 3 },
      2: { steps: [0, 1, 2, 4, 8, 16], up: 1, magnitude: 1 },
    } as const;
    const { steps, up, magnitude } = tables[bits];
    let level = start;
    let step = 0;
    return codes.map((code) => {
      const size = code & magnitude;
      const delta = step === 0 ? size : (2 * size + 1) * steps[step]!;
      level = Math.max(0, Math.min(255, code > magnitude ? level - delta : level + delta));
      if (size >= up) step = Math.min(step + 1, steps.length - 1);
      else if (size === 0) step = Math.max(step - 1, 0);
      return level;
    });
  }

  const bytes = Uint8Array.from({ length: 40 }, (_, i) => (i * 89 + 17) & 0xff);
  const split = {
    4: (byte: number) => [byte >> 4, byte & 15],
    3: (byte: number) => [byte >> 5, (byte >> 2) & 7, (byte & 3) << 1],
    2: (byte: number) => [byte >> 6, (byte >> 4) & 3, (byte >> 2) & 3, byte & 3],
  } as const;

  test.each([
    [0x75, 4],
    [0x77, 3],
    [0x17, 2],
  ] as const)('%i with a reference byte', (command, bits) => {
    const rig = new Sb16Rig().unity();
    rig.writeData(bytes);
    rig.dma(1, TO_CARD, bytes.length);
    rig.dsp(0x40, 256 - 100, command, bytes.length - 1, 0);
    rig.run(2_000_000);
    expect(rig.interrupted).toBe(true);
    const codes = Array.from(bytes.subarray(1)).flatMap((byte) => split[bits](byte));
    const expected = reference(bits, codes, bytes[0]!).map((level) => (level - 128) << 8);
    expect(Array.from(rig.sink.samples).filter((_, i) => (i & 1) === 0)).toEqual(expected);
    rig.dispose();
  });

  test('without a reference byte the level goes on; the block ends with its last byte', () => {
    const rig = new Sb16Rig().unity();
    rig.writeData(bytes);
    rig.dma(1, TO_CARD, 20);
    rig.dsp(0x40, 256 - 100, 0x75, 9, 0);
    // Nine bytes of two samples at 10 kHz: the last byte is fetched with its first sample.
    rig.run(17_000 - 1);
    expect(rig.interrupted).toBe(false);
    rig.run(1);
    expect(rig.interrupted).toBe(true);
    rig.run(10_000);
    rig.in(BASE + 0xe);
    rig.dsp(0x74, 9, 0);
    rig.run(100_000);
    const codes = [...bytes.subarray(1, 20)].flatMap((byte) => split[4](byte));
    const expected = reference(4, codes, bytes[0]!).map((level) => (level - 128) << 8);
    const { runs } = rig.sink.takes[0]!;
    const heard = runs.flatMap(({ firstFrame, frames }) =>
      Array.from({ length: frames }, (_, i) => rig.sink.samples[(firstFrame + i) * 2]!),
    );
    expect(heard).toEqual(expected);
    expect(rig.machine.platform.isa.dma.state(1).terminalCount).toBe(true);
    expect(DATA).toBe(0x20_0000);
    rig.dispose();
  });
});
