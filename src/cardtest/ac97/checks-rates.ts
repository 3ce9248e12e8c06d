import {
  AC97_EXTENDED_AUDIO_CONTROL,
  AC97_PCM_FRONT_DAC_RATE,
  EA_VRA,
} from '../../hardware/codecs/ac97-registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { type Expectations, hex } from '../check.ts';
import type { Ac97Bench } from './bench.ts';
import { checkTable } from './check-table.ts';

/** Rates of the converters: registers, and what they do. */
export const RATE_CHECKS = checkTable('RATE', 'Sample rates', [
  [
    '001',
    'All rates are 48000 by default',
    'AC’97 2.3 §5.8.3',
    (bench, expect) => {
      for (const offset of [AC97_PCM_FRONT_DAC_RATE, 0x32, 0x34])
        expect.equal(hex(offset), bench.readNam(offset), 48_000);
    },
  ],
  [
    '002',
    'Without VRA the rates of DAC and ADC cannot be written',
    'AC’97 2.3 §5.8.2, §5.8.3',
    (bench, expect) => {
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0);
      for (const offset of [AC97_PCM_FRONT_DAC_RATE, 0x32]) {
        bench.writeNam(offset, 44_100);
        expect.equal(hex(offset), bench.readNam(offset), 48_000);
      }
    },
  ],
  [
    '003',
    'Without VRM the rate of the mic ADC cannot be written',
    'AC’97 2.3 §5.8.2, §5.8.3',
    (bench, expect) => {
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA);
      bench.writeNam(0x34, 16_000);
      expect.equal('34h', bench.readNam(0x34), 48_000);
    },
  ],
  [
    '004',
    'With VRA the usual rates are stored as they are',
    'AC’97 2.3 §5.8.3',
    (bench, expect) => {
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA);
      for (const rate of [8_000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000]) {
        bench.writeNam(AC97_PCM_FRONT_DAC_RATE, rate);
        expect.equal(`DAC rate ${rate}`, bench.readNam(AC97_PCM_FRONT_DAC_RATE), rate);
        bench.writeNam(0x32, rate);
        expect.equal(`ADC rate ${rate}`, bench.readNam(0x32), rate);
      }
    },
  ],
  [
    '005',
    'With VRM the mic ADC has a rate of its own',
    'AC’97 2.3 §5.8.3',
    (bench, expect) => {
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0x0008);
      bench.writeNam(0x34, 16_000);
      expect.equal('mic ADC rate', bench.readNam(0x34), 16_000);
      expect.equal('ADC rate', bench.readNam(0x32), 48_000);
      expect.equal('DAC rate', bench.readNam(AC97_PCM_FRONT_DAC_RATE), 48_000);
    },
  ],
  [
    '006',
    'A rate that no converter has becomes the nearest that it has',
    'AC’97 2.3 §5.8.3',
    (bench, expect) => {
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA);
      bench.writeNam(AC97_PCM_FRONT_DAC_RATE, 0);
      expect.between('DAC rate after 0', bench.readNam(AC97_PCM_FRONT_DAC_RATE), 1, 48_000);
      bench.writeNam(AC97_PCM_FRONT_DAC_RATE, 48_000);
    },
  ],
  [
    '007',
    'Clearing VRA puts DAC and ADC back to 48000',
    'AC’97 2.3 §5.8.2',
    (bench, expect) => {
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA);
      bench.writeNam(AC97_PCM_FRONT_DAC_RATE, 22_050);
      bench.writeNam(0x32, 22_050);
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0);
      expect.equal('DAC rate', bench.readNam(AC97_PCM_FRONT_DAC_RATE), 48_000);
      expect.equal('ADC rate', bench.readNam(0x32), 48_000);
    },
  ],
  [
    '008',
    'Clearing VRM puts the mic ADC back to 48000',
    'AC’97 2.3 §5.8.2',
    (bench, expect) => {
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0x0008);
      bench.writeNam(0x34, 16_000);
      bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, 0);
      expect.equal('mic ADC rate', bench.readNam(0x34), 48_000);
    },
  ],
  [
    '009',
    'The DAC takes 48000 frames a second',
    'AC’97 2.3 §4.2.1',
    (bench, expect) => expectPace(bench, expect, 48_000),
  ],
  [
    '010',
    'The DAC takes 44100 frames a second at that rate',
    'AC’97 2.3 §4.2.1, §5.8.3',
    (bench, expect) => expectPace(bench, expect, 44_100),
  ],
  [
    '011',
    'The DAC takes 8000 frames a second at that rate',
    'AC’97 2.3 §4.2.1, §5.8.3',
    (bench, expect) => expectPace(bench, expect, 8_000),
  ],
]);

/** Measures how long the DAC takes for a third of a second of frames, between two descriptors' ends. */
function expectPace(bench: Ac97Bench, expect: Expectations, rate: number): void {
  const { card } = bench;
  bench.writeNam(AC97_EXTENDED_AUDIO_CONTROL, EA_VRA);
  bench.writeNam(AC97_PCM_FRONT_DAC_RATE, rate);
  const frames = Math.floor(rate / 30);
  const address = card.allocateRam(frames * 4);
  bench.describe(
    'PO',
    Array.from({ length: 13 }, () => ({ address, samples: frames * 2 })),
  );
  bench.start('PO', 12);
  const limit = 1000 * TICKS_PER_MILLISECOND;
  // A look every millisecond is as exact as QEMU's bursts of ten.
  card.waitUntil(() => bench.civ('PO') >= 2, limit);
  const started = card.now;
  card.waitUntil(() => bench.civ('PO') >= 12, limit);
  const milliseconds = (card.now - started) / TICKS_PER_MILLISECOND;
  bench.stop('PO');
  // Ten descriptors of a thirtieth of a second. A busy computer runs QEMU's timer late, which then catches up.
  expect.between(
    'milliseconds for a third of a second',
    Math.round(milliseconds),
    card.realTime ? 200 : 331,
    card.realTime ? 700 : 336,
  );
}
