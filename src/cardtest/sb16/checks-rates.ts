import { TICKS_PER_SECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import type { Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { type PcmKind, S16_MONO, U8_MONO } from './pcm.ts';

/** Length of the blocks whose time is taken. */
const SECONDS = 0.25;

/** A block takes as long as its samples at this rate. */
function lasts(kind: PcmKind, rate: number, set: (bench: Sb16Bench) => void): CheckRow[3] {
  return (bench: Sb16Bench, expect: Expectations) => {
    const frames = Math.round(rate * SECONDS);
    bench.feedSilence(kind, frames * (kind.bits >> 3));
    set(bench);
    bench.transfer(kind, 0, frames);
    bench.expectInterruptAfter(
      expect,
      `block at ${Math.round(rate)} Hz`,
      Math.ceil((frames * TICKS_PER_SECOND) / rate),
    );
  };
}

function byConstant(constant: number): number {
  return 1_000_000 / (256 - constant);
}

export const RATE_CHECKS = checkTable('RATE', 'Sample rates', [
  ...[5000, 8000, 11_025, 22_050, 32_000, 44_100, 45_000].map(
    (rate, index): CheckRow => [
      `00${index + 1}`,
      `41h: 8-bit samples at ${rate} Hz`,
      'HPG §6, 41h',
      lasts(U8_MONO, rate, (bench) => bench.setRate(rate)),
    ],
  ),
  ...[8000, 44_100].map(
    (rate, index): CheckRow => [
      `01${index + 1}`,
      `41h: 16-bit samples at ${rate} Hz`,
      'HPG §6, 41h',
      lasts(S16_MONO, rate, (bench) => bench.setRate(rate)),
    ],
  ),
  ...[131, 165, 211, 233].map(
    (constant, index): CheckRow => [
      `02${index + 1}`,
      `40h: time constant ${constant} is ${Math.round(byConstant(constant))} Hz`,
      'HPG §6, 40h; §3, time constant',
      lasts(U8_MONO, byConstant(constant), (bench) => bench.dsp(0x40, constant)),
    ],
  ),
  [
    '031',
    'A time constant after a rate replaces it',
    'HPG §6, 40h, 41h',
    lasts(U8_MONO, byConstant(131), (bench) => {
      bench.setRate(44_100);
      bench.dsp(0x40, 131);
    }),
  ],
  [
    '032',
    'A rate after a time constant replaces it',
    'HPG §6, 40h, 41h',
    lasts(U8_MONO, 22_050, (bench) => {
      bench.dsp(0x40, 131);
      bench.setRate(22_050);
    }),
  ],
  [
    '033',
    'The rate stays for the transfers that follow',
    'HPG §6, 41h',
    (bench, expect) => {
      bench.setRate(11_025);
      const frames = 2756;
      for (const time of ['first', 'second']) {
        bench.feedSilence(U8_MONO, frames);
        bench.transfer(U8_MONO, 0, frames);
        bench.expectInterruptAfter(expect, `${time} block`, bench.ticksOf(frames, 11_025));
        bench.acknowledge(8);
      }
    },
  ],
  [
    '034',
    'The rate commands of both directions set the one rate that DSP 4.xx has',
    'HPG §6, 42h',
    lasts(U8_MONO, 11_025, (bench) => bench.dsp(0x42, 11_025 >> 8, 11_025 & 0xff)),
  ],
]);
