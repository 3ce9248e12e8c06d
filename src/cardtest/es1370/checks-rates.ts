import {
  type ChannelName,
  CONTROL,
  CTL_DAC_SYNC,
  ES1370_CLOCK_HZ,
  WTSRSEL_DIVISOR,
} from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MILLISECOND, TICKS_PER_SECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import type { Es1370Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

/** Measures how fast a channel that runs goes through its ring of 16-bit stereo: a frame is a dword. */
function expectPace(bench: Es1370Bench, expect: Expectations, name: ChannelName, rate: number): void {
  const { card } = bench;
  // QEMU fills its own buffer first.
  card.letTimePass((card.realTime ? 80 : 2) * TICKS_PER_MILLISECOND);
  const began = card.now;
  const first = bench.index(name);
  card.letTimePass((card.realTime ? 250 : 100) * TICKS_PER_MILLISECOND);
  const last = bench.index(name);
  const seconds = (card.now - began) / TICKS_PER_SECOND;
  const expected = rate * seconds;
  // QEMU moves what is due every 10 ms, later on a busy computer, which it then makes up for.
  const tolerance = card.realTime ? 0.35 : 0.01;
  // What QEMU's recording back end could not hold meanwhile is lost.
  const lost = card.realTime && name === 'ADC' ? 0.3 : 0;
  expect.between(
    `frames a second at ${Math.round(rate)} Hz`,
    Math.round((last - first) / seconds),
    Math.floor((expected * (1 - tolerance - lost) - 12) / seconds),
    Math.ceil((expected * (1 + tolerance) + 12) / seconds),
  );
}

function paceOf(name: ChannelName, set: (bench: Es1370Bench) => void, rate: number): CheckRow[3] {
  return (bench, expect) => {
    set(bench);
    bench.run(name, { format: 3, dwords: 65_536, periodFrames: Math.max(2, Math.floor(rate / 20)) });
    expectPace(bench, expect, name, rate);
  };
}

const DIVIDERS: readonly (readonly [number, string])[] = [
  [62, '22050'],
  [126, '11025'],
  [174, '8018'],
  [30, '44100'],
  [27, '48662'],
];

/** How fast the channels go. */
export const RATE_CHECKS = checkTable('RATE', 'Sample rates', [
  ...WTSRSEL_DIVISOR.map((divisor, index): CheckRow => {
    const rate = ES1370_CLOCK_HZ / divisor;
    return [
      String(1 + index).padStart(3, '0'),
      `WTSRSEL ${index}: DAC1 plays ${rate} frames a second`,
      'ens1370.c ES_1370_WTSRSEL, snd_es1370_rates',
      paceOf('DAC1', (bench) => bench.setFixedRate(index), rate),
    ];
  }),
  ...DIVIDERS.map(
    ([divider, about], index): CheckRow => [
      String(5 + index).padStart(3, '0'),
      `PCLKDIV ${divider}: DAC2 plays ${about} frames a second`,
      'ens1370.c ES_1370_PCLKDIVO, snd_es1370_clock: 1411200 ÷ (value + 2)',
      paceOf('DAC2', (bench) => bench.setDivider(divider), ES1370_CLOCK_HZ / (divider + 2)),
    ],
  ),
  [
    '010',
    'PCLKDIV is the ADC’s clock as well',
    'ens1370.c snd_ensoniq_capture_prepare',
    paceOf('ADC', (bench) => bench.setDivider(62), 22_050),
    'input',
  ],
  [
    '011',
    'DAC1 does not follow PCLKDIV',
    'ens1370.c snd_ensoniq_playback1_prepare',
    paceOf('DAC1', (bench) => bench.setDivider(126), 44_100),
  ],
  [
    '012',
    'DAC2 does not follow WTSRSEL',
    'ens1370.c snd_ensoniq_playback2_prepare',
    paceOf('DAC2', (bench) => bench.setFixedRate(1), 44_100),
  ],
  [
    '013',
    'With DAC_SYNC DAC1 has the clock of DAC2',
    'ens1370.c ES_1370_DAC_SYNC; inferred (whose clock)',
    paceOf(
      'DAC1',
      (bench) => {
        bench.setDivider(62);
        bench.set(CONTROL, CTL_DAC_SYNC);
      },
      22_050,
    ),
  ],
  [
    '014',
    'A clock that changes while DAC2 is off is that of the next sound',
    'ens1370.c ES_1370_PCLKDIVM',
    (bench, expect) => {
      bench.run('DAC2', { format: 3, dwords: 65_536, periodFrames: 2205 });
      bench.card.letTimePass(20 * TICKS_PER_MILLISECOND);
      bench.disable('DAC2');
      bench.setDivider(126);
      bench.enable('DAC2');
      expectPace(bench, expect, 'DAC2', 11_025);
    },
  ],
  [
    '015',
    'A clock that changes while DAC2 plays changes its pace',
    'ens1370.c ES_1370_PCLKDIVM; inferred (at once)',
    (bench, expect) => {
      bench.run('DAC2', { format: 3, dwords: 65_536, periodFrames: 2205 });
      bench.card.letTimePass(20 * TICKS_PER_MILLISECOND);
      bench.setDivider(126);
      expectPace(bench, expect, 'DAC2', 11_025);
    },
  ],
]);
