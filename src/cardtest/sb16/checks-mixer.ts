import { MIX_RESET, MIXER_REGISTERS, type MixerRegister } from '../../hardware/sb16/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import { hex } from '../check.ts';
import { SB16_RATE, type Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { S16_STEREO } from './pcm.ts';

/** Left volumes whose legacy register holds both sides, and that register. */
const LEGACY: readonly (readonly [legacy: number, left: number, name: string])[] = [
  [0x04, 0x32, 'voice'],
  [0x22, 0x30, 'master'],
  [0x26, 0x34, 'MIDI'],
  [0x28, 0x36, 'CD'],
  [0x2e, 0x38, 'line'],
];
/** The registers that are plain: 30h to 47h. */
const PLAIN: readonly MixerRegister[] = MIXER_REGISTERS.filter(({ index }) => index >= 0x30 && index < 0x80);

/** What is written to every register. */
export const STORED_VALUES: readonly number[] = [0xff, 0x00, 0x55, 0xaa];

/** The value after a reset, and which bits of the register there are. */
function stores({ index, resetValue, mask }: MixerRegister): CheckRow[3] {
  return (bench: Sb16Bench, expect: Expectations) => {
    expect.equal('after a mixer reset', bench.readMixer(index), resetValue);
    for (const value of STORED_VALUES) {
      bench.writeMixer(index, value);
      expect.equal(`after ${hex(value)}`, bench.readMixer(index), value & mask);
    }
    bench.writeMixer(MIX_RESET, 0);
    expect.equal('after another mixer reset', bench.readMixer(index), resetValue);
  };
}

function legacySets(legacy: number, left: number): CheckRow[3] {
  return (bench, expect) => {
    for (const value of [0xf1, 0x3c, 0x00, 0xff]) {
      bench.writeMixer(legacy, value);
      expect.bits(`left after ${hex(value)}`, bench.readMixer(left), 0xf0, value & 0xf0);
      expect.bits(`right after ${hex(value)}`, bench.readMixer(left + 1), 0xf0, (value << 4) & 0xf0);
    }
  };
}

function legacyShows(legacy: number, left: number): CheckRow[3] {
  return (bench, expect) => {
    for (const [l, r] of [
      [0xf8, 0x10],
      [0x20, 0xe8],
      [0x00, 0x00],
    ] as const) {
      bench.writeMixer(left, l);
      bench.writeMixer(left + 1, r);
      expect.equal(`${hex(l)} and ${hex(r)}`, bench.readMixer(legacy), (l & 0xf0) | (r >> 4));
    }
  };
}

/** Level of each side of a constant 10000, as heard with these settings. */
function levelWith(
  bench: Sb16Bench,
  settings: readonly (readonly [number, number])[],
): readonly [number, number] {
  const frames = 2048;
  const samples = new Int16Array(frames * 2).fill(10_000, 0, frames);
  bench.unity();
  for (const [index, value] of settings) bench.writeMixer(index, value);
  bench.setRate(SB16_RATE);
  const bytes = new Uint8Array(samples.buffer);
  const heard = bench.record(() => {
    bench.feed(16, bench.buffer(bytes), bytes.length, true);
    // Auto-initialize with its exit at once: one block, whose length every card counts alike.
    bench.transfer(S16_STEREO, 4, frames * 2);
    bench.dsp(0xd9);
    bench.waitInterrupt(500 * TICKS_PER_MILLISECOND);
    bench.acknowledge(16);
  });
  let left = 0;
  let right = 0;
  for (let i = 0; i + 1 < heard.length; i += 2) {
    left = Math.max(left, heard[i] as number);
    right = Math.max(right, heard[i + 1] as number);
  }
  return [left, right];
}

/** A level within half a decibel of this one. */
function expectLevel(expect: Expectations, what: string, level: number, decibels: number): void {
  const exact = Math.min(32_767, 10_000 * 10 ** (decibels / 20));
  expect.between(what, level, Math.floor(exact * 0.94), Math.ceil(exact * 1.06));
}

function volumeHeard(left: number): CheckRow[3] {
  return (bench, expect) => {
    for (const [code, decibels] of [
      [31, 0],
      [28, -6],
      [21, -20],
      [11, -40],
    ] as const) {
      const [l, r] = levelWith(bench, [[left, code << 3]]);
      expectLevel(expect, `left at ${code}`, l, decibels);
      expectLevel(expect, `right, at 31, with left at ${code}`, r, 0);
    }
    const [l, r] = levelWith(bench, [[left + 1, 21 << 3]]);
    expectLevel(expect, 'right at 21', r, -20);
    expectLevel(expect, 'left, at 31, with right at 21', l, 0);
  };
}

export const MIXER_CHECKS = [
  ...checkTable(
    'REG',
    'Mixer registers',
    PLAIN.map(
      (register): CheckRow => [
        register.index.toString(16).toUpperCase().padStart(3, '0'),
        `${hex(register.index)}: ${register.meaning}`,
        `HPG §4, ${hex(register.index)}`,
        stores(register),
      ],
    ),
  ),
  ...checkTable('MIX', 'Mixer', [
    [
      '001',
      'After power-on all registers have their defaults',
      'HPG §4, figure 4-4',
      (bench, expect) => {
        for (const { index, resetValue } of PLAIN)
          expect.equal(hex(index), bench.readMixer(index), resetValue);
      },
      { needs: 'powerOn' },
    ],
    [
      '002',
      'Registers are apart: each keeps its own value',
      'HPG §4, figure 4-4',
      (bench, expect) => {
        const written = PLAIN.map(({ index, mask }) => [index, (index * 0x29) & mask & 0xff] as const);
        for (const [index, value] of written) bench.writeMixer(index, value);
        for (const [index, value] of written) {
          const { mask } = PLAIN.find((register) => register.index === index) as MixerRegister;
          expect.bits(hex(index), bench.readMixer(index), mask, value);
        }
      },
    ],
    [
      '003',
      'A mixer reset is any write to 00h',
      'HPG §4, 00h',
      (bench, expect) => {
        for (const value of [0x00, 0x01, 0xff]) {
          bench.writeMixer(0x3c, 0x00);
          bench.writeMixer(MIX_RESET, value);
          expect.equal(`3Ch after ${hex(value)}`, bench.readMixer(0x3c), 0x1f);
        }
      },
    ],
    [
      '004',
      'Interrupt setup shows the line',
      'HPG §4, 80h',
      (bench, expect) => {
        const bit = { 2: 1, 9: 1, 5: 2, 7: 4, 10: 8 }[bench.card.resources.irq] ?? 0;
        expect.bits('80h', bench.readMixer(0x80), 0x0f, bit);
      },
    ],
    [
      '005',
      'DMA setup shows both channels',
      'HPG §4, 81h',
      (bench, expect) => {
        const { dma8, dma16 } = bench.card.resources;
        expect.bits('81h', bench.readMixer(0x81), 0xeb, (1 << dma8) | (1 << dma16));
      },
    ],
    [
      '006',
      'A mixer reset leaves interrupt and DMA setup',
      'HPG §4, 00h, 80h, 81h',
      (bench, expect) => {
        const before = [bench.readMixer(0x80), bench.readMixer(0x81)] as const;
        bench.writeMixer(MIX_RESET, 0);
        expect.equal('80h', bench.readMixer(0x80), before[0]);
        expect.equal('81h', bench.readMixer(0x81), before[1]);
      },
    ],
    [
      '007',
      'A read or write does not move the index',
      'HPG §4, mixer chip ports',
      (bench, expect) => {
        bench.writeMixer(0x32, 0x88);
        bench.writeMixer(0x33, 0x48);
        bench.write(0x4, 0x32);
        expect.equal('first read', bench.read(0x5), 0x88);
        expect.equal('second read', bench.read(0x5), 0x88);
        bench.write(0x5, 0x58);
        expect.equal('read after a write', bench.read(0x5), 0x58);
        expect.equal('33h', bench.readMixer(0x33), 0x48);
      },
    ],
    ...LEGACY.map(
      ([legacy, left, name], index): CheckRow => [
        `01${index + 1}`,
        `${hex(legacy)} sets the ${name} volume of both sides, as on the CT1345`,
        `HPG §4, ${hex(legacy)}, ${hex(left)}`,
        legacySets(legacy, left),
      ],
    ),
    ...LEGACY.map(
      ([legacy, left, name], index): CheckRow => [
        `02${index + 1}`,
        `${hex(legacy)} shows the ${name} volume of both sides`,
        `HPG §4, ${hex(legacy)}, ${hex(left)}`,
        legacyShows(legacy, left),
      ],
    ),
    [
      '016',
      '0Ah sets and shows the microphone volume, as on the CT1345',
      'HPG §4, 0Ah, 3Ah',
      (bench, expect) => {
        for (const value of [7, 0, 5]) {
          bench.writeMixer(0x0a, value);
          expect.bits(`3Ah after ${hex(value)}`, bench.readMixer(0x3a), 0xe0, value << 5);
          expect.bits(`0Ah after ${hex(value)}`, bench.readMixer(0x0a), 0x07, value);
        }
        bench.writeMixer(0x3a, 0x60);
        expect.bits('0Ah after 3Ah = 60h', bench.readMixer(0x0a), 0x07, 3);
      },
    ],
    [
      '031',
      'Every step of the master volume is 2 dB, each side by itself',
      'HPG §4, 30h, 31h',
      volumeHeard(0x30),
      { needs: 'output' },
    ],
    [
      '032',
      'Every step of the voice volume is 2 dB, each side by itself',
      'HPG §4, 32h, 33h',
      volumeHeard(0x32),
      { needs: 'output' },
    ],
    [
      '033',
      'Output gain adds 6 dB a step',
      'HPG §4, 41h, 42h',
      (bench, expect) => {
        const softer = [0x30, 21 << 3] as const;
        for (const [code, decibels] of [
          [0, -20],
          [1, -14],
          [2, -8],
          [3, -2],
        ] as const) {
          const [l, r] = levelWith(bench, [softer, [0x41, code << 6]]);
          expectLevel(expect, `left at ${code}`, l, decibels);
          expectLevel(expect, `right, at 0, with left at ${code}`, r, 0);
        }
      },
      { needs: 'output' },
    ],
    [
      '034',
      'Defaults of master and voice are −14 dB each',
      'HPG §4, 30h to 33h',
      (bench, expect) => {
        const level = 24 << 3;
        const [l, r] = levelWith(bench, [
          [0x30, level],
          [0x31, level],
          [0x32, level],
          [0x33, level],
        ]);
        expectLevel(expect, 'left', l, -28);
        expectLevel(expect, 'right', r, -28);
      },
      { needs: 'output' },
    ],
    [
      '035',
      'Bass makes low tones louder',
      'HPG §4, 46h, 47h',
      (bench, expect) => {
        // A constant is as low as tones get: the corner is far above the length of the sound, so that only the direction is clear.
        const [flat] = levelWith(bench, [[0x30, 21 << 3]]);
        const [more] = levelWith(bench, [
          [0x30, 21 << 3],
          [0x46, 0xf0],
        ]);
        expect.that('with all bass', more > flat * 1.2, `more than ${Math.round(flat * 1.2)}`, `${more}`);
      },
      { needs: 'output' },
    ],
    [
      '036',
      'The line input is heard through its switches',
      'HPG §4, 38h, 39h, 3Ch',
      (bench, expect) => {
        bench.unity();
        for (const index of [0x38, 0x39]) bench.writeMixer(index, 0xf8);
        const sounds = (switches: number) => {
          bench.writeMixer(0x3c, switches);
          const heard = bench.record(() => bench.card.letTimePass(50 * TICKS_PER_MILLISECOND));
          return [0, 1].map((side) => heard.some((sample, index) => (index & 1) === side && sample !== 0));
        };
        expect.that('both switched on', sounds(0x18).every(Boolean), 'both sides heard', 'not so');
        expect.that('left alone', `${sounds(0x10)}` === 'true,false', 'left heard', 'not so');
        expect.that('right alone', `${sounds(0x08)}` === 'false,true', 'right heard', 'not so');
        expect.that(
          'neither',
          sounds(0x00).every((heard) => !heard),
          'silence',
          'sound',
        );
      },
      { needs: 'input' },
    ],
  ]),
];
