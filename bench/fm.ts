import { Opl3 } from '../src/hardware/opl3/index.ts';
import { VirtualClock } from '../src/kernel/index.ts';
import type { Figure } from './measure.ts';

/** How long the chip plays between two looks at it, as in a card: 10 ms. */
const BLOCK_TICKS = 100_000;

/** Offsets of the modulators of channels 0–8; the carriers are three behind. */
const MODULATORS = [0x00, 0x01, 0x02, 0x08, 0x09, 0x0a, 0x10, 0x11, 0x12] as const;

/** How many times faster than real time the chip's model makes sound, all of its two-operator channels sounding. */
export function fmSynthesisFigure(chipName: 'YMF262' | 'YM3812', seconds: number): Figure {
  const clock = new VirtualClock();
  let frames = 0;
  let loudest = 0;
  const chip = new Opl3({
    chip: chipName,
    output: {
      write: (samples, count) => {
        frames += count;
        loudest = Math.max(loudest, Math.abs(samples[0] ?? 0));
      },
    },
  });
  chip.attach({
    clock,
    interrupt: { setLevel: () => {} },
    report: {
      wantsRegisters: false,
      wantsDma: false,
      register: () => {},
      dma: () => {},
      finding: (what) => {
        throw new Error(what);
      },
    },
  });
  const write = (bank: 0 | 1, register: number, value: number) => {
    chip.write(2 * bank, 1, register);
    chip.write(2 * bank + 1, 1, value);
  };
  const banks = chipName === 'YMF262' ? ([0, 1] as const) : ([0] as const);
  if (chipName === 'YMF262') write(1, 0x05, 1);
  for (const bank of banks) {
    MODULATORS.forEach((modulator, channel) => {
      for (const operator of [modulator, modulator + 3]) {
        write(bank, 0x20 + operator, 0xe1);
        write(bank, 0x40 + operator, 0x10);
        write(bank, 0x60 + operator, 0xf0);
        write(bank, 0x80 + operator, 0x0f);
      }
      write(bank, 0xa0 + channel, 0x40 + 9 * channel);
      write(bank, 0xb0 + channel, 0x2e);
      write(bank, 0xc0 + channel, 0x34);
    });
  }
  const start = performance.now();
  for (let tick = 0; tick < seconds * 10_000_000; tick += BLOCK_TICKS) {
    clock.runNext(tick + BLOCK_TICKS);
    chip.catchUp();
  }
  const realSeconds = (performance.now() - start) / 1000;
  chip.detach();
  if (frames < 49_000 * seconds || loudest === 0) throw new Error(`${chipName}: ${frames} frames were heard`);
  return {
    name: `FM synthesis, ${chipName}, ${9 * banks.length} voices`,
    value: seconds / realSeconds,
    unit: '× real time',
    aim: null,
    higherIsBetter: true,
    ofMemoryCopy: null,
  };
}
