import { TICKS_PER_MICROSECOND, TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Sb16Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

const STATUS = 'YMF262, status register';
const TIMERS = 'YMF262, timers 1 and 2';
const IRQ = 0x80;
const FT1 = 0x40;
const FT2 = 0x20;
const FLAGS = IRQ | FT1 | FT2;

function base(bench: Sb16Bench): number {
  return bench.card.resources.fmBase ?? 0;
}

function status(bench: Sb16Bench): number {
  return bench.card.readPort(base(bench));
}

function write(bench: Sb16Bench, register: number, value: number): void {
  const at = base(bench) + (register >= 0x100 ? 2 : 0);
  bench.card.writePort(at, register & 0xff);
  bench.card.writePort(at + 1, value);
}

/** One timer sets its flag after its preset has run out, and the IRQ bit with it. */
function timer(register: number, control: number, flag: number, unitMicroseconds: number): CheckRow[3] {
  return (bench, expect) => {
    const preset = 0xf6;
    write(bench, register, preset);
    write(bench, 0x04, control);
    const due = (256 - preset) * unitMicroseconds * TICKS_PER_MICROSECOND;
    bench.card.letTimePass(Math.floor(due * 0.97));
    if (!bench.card.realTime) expect.bits('flags before', status(bench), FLAGS, 0);
    bench.card.letTimePass(Math.ceil(due * 0.06));
    expect.bits('flags after', status(bench), FLAGS, IRQ | flag);
    write(bench, 0x04, 0x80);
    expect.bits('flags after RST', status(bench), FLAGS, 0);
  };
}

/** A sine on channel 0 of bank 0, as loud as it gets. */
function keyOn(bench: Sb16Bench, on: boolean): void {
  for (const [register, value] of [
    [0x105, 0x01],
    [0x20, 0x21],
    [0x23, 0x21],
    [0x40, 0x3f],
    [0x43, 0x00],
    [0x60, 0xf0],
    [0x63, 0xf0],
    [0x80, 0x0f],
    [0x83, 0x0f],
    [0xc0, 0x30],
    [0xa0, 0x44],
    [0xb0, on ? 0x32 : 0x12],
  ] as const) {
    write(bench, register, value);
  }
}

function loudness(bench: Sb16Bench, act: () => void): number {
  const heard = bench.record(() => {
    act();
    bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
  });
  return heard.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
}

export const FM_CHECKS = checkTable(
  'FM',
  'FM synthesizer',
  [
    [
      '001',
      'At rest all flags are 0',
      STATUS,
      (bench, expect) => expect.bits('status', status(bench), FLAGS, 0),
    ],
    [
      '002',
      'Bits 1 and 2 are 0: it is an OPL3',
      STATUS,
      (bench, expect) => expect.bits('status', status(bench), 0x06, 0),
    ],
    ['003', 'Timer 1 counts units of 80 µs', TIMERS, timer(0x02, 0x21, FT1, 80.46)],
    ['004', 'Timer 2 counts units of 320 µs', TIMERS, timer(0x03, 0x42, FT2, 321.8)],
    [
      '005',
      'Masked timers set no flag',
      TIMERS,
      (bench, expect) => {
        write(bench, 0x02, 0xff);
        write(bench, 0x03, 0xff);
        write(bench, 0x04, 0x63);
        bench.card.letTimePass(2 * TICKS_PER_MILLISECOND);
        expect.bits('status', status(bench), FLAGS, 0);
      },
    ],
    [
      '006',
      'A timer goes on after its flag was reset',
      TIMERS,
      (bench, expect) => {
        write(bench, 0x02, 0xf0);
        write(bench, 0x04, 0x21);
        for (const time of ['first', 'second', 'third']) {
          const came = bench.card.waitUntil(() => (status(bench) & FT1) !== 0, 5 * TICKS_PER_MILLISECOND);
          expect.that(`${time} flag`, came, 'it comes', 'it does not come');
          write(bench, 0x04, 0x80);
        }
      },
    ],
    [
      '007',
      'The way in which programs find the chip',
      `${STATUS}; ${TIMERS}`,
      (bench, expect) => {
        write(bench, 0x04, 0x60);
        write(bench, 0x04, 0x80);
        expect.bits('first status', status(bench), FLAGS, 0);
        write(bench, 0x02, 0xff);
        write(bench, 0x04, 0x21);
        bench.card.letTimePass(100 * TICKS_PER_MICROSECOND);
        expect.bits('second status', status(bench), FLAGS, IRQ | FT1);
        write(bench, 0x04, 0x60);
        write(bench, 0x04, 0x80);
      },
    ],
    [
      '008',
      'It answers at the first ports of the card, too',
      'HPG §2, FM ports',
      (bench, expect) => {
        write(bench, 0x02, 0xff);
        write(bench, 0x04, 0x21);
        bench.card.letTimePass(200 * TICKS_PER_MICROSECOND);
        for (const offset of [0x0, 0x8])
          expect.bits(`status at 2x${offset}h`, bench.read(offset), FLAGS, IRQ | FT1);
        bench.write(0x8, 0x04);
        bench.write(0x9, 0x80);
        expect.bits('status after RST at 2x8h', status(bench), FLAGS, 0);
      },
    ],
    [
      '009',
      'Its timers do not interrupt the card',
      'HPG §4, 82h',
      (bench, expect) => {
        write(bench, 0x02, 0xff);
        write(bench, 0x04, 0x21);
        bench.card.letTimePass(200 * TICKS_PER_MICROSECOND);
        expect.bits('82h', bench.interruptStatus, 7, 0);
        expect.that('line', !bench.asserted, 'low', 'asserted');
      },
    ],
    [
      '010',
      'A key struck is heard, and no more when it is let go',
      'YMF262, KON; HPG §4, 34h, 35h',
      (bench, expect) => {
        for (const index of [0x30, 0x31, 0x34, 0x35]) bench.writeMixer(index, 0xf8);
        expect.between(
          'while it is down',
          loudness(bench, () => keyOn(bench, true)),
          500,
          32_767,
        );
        keyOn(bench, false);
        bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
        expect.between(
          'when it was let go',
          loudness(bench, () => {}),
          0,
          40,
        );
      },
      { needs: 'output' },
    ],
    [
      '011',
      'The MIDI volume makes it softer, each side by itself',
      'HPG §4, 34h, 35h',
      (bench, expect) => {
        for (const index of [0x30, 0x31, 0x34, 0x35]) bench.writeMixer(index, 0xf8);
        const loud = loudness(bench, () => keyOn(bench, true));
        bench.writeMixer(0x34, 21 << 3);
        bench.writeMixer(0x35, 21 << 3);
        bench.card.letTimePass(20 * TICKS_PER_MILLISECOND);
        const soft = loudness(bench, () => {});
        keyOn(bench, false);
        expect.between('at 21, of 100 at 31', Math.round((100 * soft) / Math.max(loud, 1)), 8, 12);
      },
      { needs: 'output' },
    ],
    [
      '012',
      'A DSP reset does not stop its timers',
      'HPG §2, resetting the DSP',
      (bench, expect) => {
        write(bench, 0x03, 0xf0);
        write(bench, 0x04, 0x42);
        bench.resetDsp();
        const came = bench.card.waitUntil(() => (status(bench) & FT2) !== 0, 20 * TICKS_PER_MILLISECOND);
        expect.that('flag of timer 2', came, 'it comes', 'it does not come');
      },
    ],
  ],
  'fm',
);
