import { PCI_COMMAND, PCI_COMMAND_BUS_MASTER, PCI_COMMAND_IO } from '../../hal/index.ts';
import { SR_CELV, SR_DCH, SR_LVBCI } from '../../hardware/ac97/registers.ts';
import {
  AC97_RECORD_GAIN,
  AC97_RECORD_GAIN_MIC,
  AC97_RECORD_SELECT,
} from '../../hardware/codecs/ac97-registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { isContiguous } from './bench.ts';
import { checkTable } from './check-table.ts';

const PATTERN = 0x5a5a;

/** What the ADCs write to memory. */
export const CAPTURE_CHECKS = checkTable('CAP', 'Capture', [
  [
    '001',
    'Samples go into the buffers of the descriptors, one after the other',
    'PRM §3.2.1, §3.2.3',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(8192, 4096);
      bench.describe('PI', [
        { address, samples: 960 },
        { address: address + 1920, samples: 1920 },
        { address: address + 5760, samples: 962 },
      ]);
      bench.start('PI', 2);
      bench.waitHalted('PI', 3842);
      bench.stop('PI');
      const samples = bench.samplesAt(address, 3842);
      expect.that(
        'samples',
        isContiguous(samples),
        'the input without a gap',
        samples.subarray(0, 8).join(', '),
      );
    },
    'input',
  ],
  [
    '002',
    'Nothing around the buffers is written',
    'PRM §3.2.1',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(12_288, 4096);
      bench.card.writeRam(address, new Uint8Array(12_288).fill(0x5a));
      bench.describe('PI', [
        { address: address + 4000, samples: 130 },
        { address: address + 8000, samples: 66 },
      ]);
      bench.start('PI', 1);
      bench.waitHalted('PI', 196);
      bench.stop('PI');
      const samples = bench.samplesAt(address, 6144);
      const untouched = (from: number, to: number) =>
        samples.subarray(from / 2, to / 2).every((sample) => sample === PATTERN);
      expect.that('before the first buffer', untouched(0, 4000), 'as it was', 'written');
      expect.that('between the buffers', untouched(4260, 8000), 'as it was', 'written');
      expect.that('after the second buffer', untouched(8132, 12_288), 'as it was', 'written');
      expect.that('first buffer', isContiguous(samples.subarray(2000, 2130)), 'the input', 'something else');
    },
    'input',
  ],
  [
    '003',
    'Lengths that are no whole bursts are filled to the last sample',
    'PRM §3.2.1',
    (bench, expect) => {
      bench.openInput();
      const lengths = [2, 14, 18, 30, 34, 62];
      const address = bench.card.allocateRam(4096, 4096);
      let at = address;
      bench.describe(
        'PI',
        lengths.map((samples) => {
          const descriptor = { address: at, samples };
          at += samples * 2;
          return descriptor;
        }),
      );
      bench.start('PI', lengths.length - 1);
      bench.waitHalted('PI', 160);
      bench.stop('PI');
      const samples = bench.samplesAt(address, 160);
      expect.that(
        'samples',
        isContiguous(samples),
        'the input without a gap',
        samples.subarray(0, 20).join(', '),
      );
    },
    'input',
  ],
  [
    '004',
    'After the last valid buffer the engine halts and writes nothing more',
    '82801AA §12.2.4',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(4096, 4096);
      bench.describe('PI', [
        { address, samples: 480 },
        { address: address + 960, samples: 480 },
      ]);
      bench.start('PI', 0);
      bench.waitHalted('PI', 480);
      expect.equal('PI_SR', bench.sr('PI'), SR_DCH | SR_CELV | SR_LVBCI);
      bench.card.letTimePass(40 * TICKS_PER_MILLISECOND);
      expect.equal('PI_CIV', bench.civ('PI'), 0);
      expect.that(
        'next buffer',
        bench.samplesAt(address + 960, 480).every((sample) => sample === 0),
        'untouched',
        'written',
      );
      bench.stop('PI');
    },
    'input',
  ],
  [
    '005',
    'A new LVI lets capture go on with the next buffer',
    '82801AA §12.2.3; PRM §3.2.4',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(4096, 4096);
      bench.describe('PI', [
        { address, samples: 480 },
        { address: address + 960, samples: 480 },
      ]);
      bench.start('PI', 0);
      bench.waitHalted('PI', 480);
      bench.setLvi('PI', 1);
      expect.equal('PI_CIV', bench.civ('PI'), 1);
      expect.that('halt', bench.waitHalted('PI', 480), 'DCH', 'no DCH');
      bench.stop('PI');
      expect.that(
        'second buffer',
        isContiguous(bench.samplesAt(address + 960, 480)),
        'the input',
        bench.samplesAt(address + 960, 8).join(', '),
      );
    },
    'input',
  ],
  [
    '006',
    'Paused, the engine writes nothing',
    '82801AA §12.2.7',
    (bench, expect) => {
      bench.openInput();
      const samples = 19_200;
      const address = bench.card.allocateRam(samples * 2, 4096);
      bench.describe('PI', [{ address, samples }]);
      bench.start('PI', 0);
      bench.card.letTimePass(40 * TICKS_PER_MILLISECOND);
      bench.stop('PI');
      const before = bench.samplesAt(address, samples);
      const picb = bench.picb('PI');
      bench.card.letTimePass(40 * TICKS_PER_MILLISECOND);
      expect.same('buffer', bench.samplesAt(address, samples), before);
      expect.equal('PI_PICB', bench.picb('PI'), picb);
      expect.between('samples written', samples - picb, 2, samples - 1);
    },
    'input',
  ],
  [
    '007',
    'PICB tells how many samples are in the buffer',
    '82801AA §12.2.5',
    (bench, expect) => {
      bench.openInput();
      const samples = 19_200;
      const address = bench.card.allocateRam(samples * 2, 4096);
      bench.describe('PI', [{ address, samples }]);
      bench.start('PI', 0);
      bench.card.letTimePass(50 * TICKS_PER_MILLISECOND);
      bench.stop('PI');
      const written = samples - bench.picb('PI');
      const buffer = bench.samplesAt(address, samples);
      expect.that(
        'samples before the position',
        isContiguous(buffer.subarray(0, written)),
        'the input',
        'something else',
      );
      expect.that(
        'samples behind it',
        buffer.subarray(written).every((sample) => sample === 0),
        'untouched',
        'written',
      );
    },
    'input',
  ],
  [
    '008',
    'Record gain 0000h is 0 dB: samples pass unchanged',
    'AC’97 2.3 §5.7.7',
    (bench, expect) => {
      bench.writeNam(AC97_RECORD_SELECT, 0x0404);
      bench.writeNam(AC97_RECORD_GAIN, 0x0000);
      const address = bench.card.allocateRam(4096, 4096);
      bench.describe('PI', [{ address, samples: 1920 }]);
      bench.start('PI', 0);
      bench.waitHalted('PI', 1920);
      bench.stop('PI');
      const samples = bench.samplesAt(address, 1920);
      expect.that(
        'samples',
        isContiguous(samples),
        'the input without a gap',
        samples.subarray(0, 8).join(', '),
      );
    },
    'input',
  ],
  [
    '009',
    'The mute bit of record gain silences the ADC',
    'AC’97 2.3 §5.7.7',
    (bench, expect) => {
      bench.openInput();
      bench.writeNam(AC97_RECORD_GAIN, 0x8000);
      const address = bench.card.allocateRam(4096, 4096);
      bench.card.writeRam(address, new Uint8Array(4096).fill(0x5a));
      bench.describe('PI', [{ address, samples: 960 }]);
      bench.start('PI', 0);
      bench.waitHalted('PI', 960);
      bench.stop('PI');
      const loud = bench.samplesAt(address, 960).filter((sample) => sample !== 0).length;
      expect.between('samples that are not zero', loud, 0, 0);
    },
    'input',
  ],
  [
    '010',
    'The ADC gives 48000 frames a second: 96000 samples',
    'AC’97 2.3 §4.2.1',
    (bench, expect) => {
      const pace = samplesPerSecond((samples) => {
        const address = bench.card.allocateRam(samples * 2, 8);
        bench.describe('PI', [{ address, samples }]);
        const started = bench.card.now;
        bench.start('PI', 0);
        bench.waitHalted('PI', samples);
        bench.stop('PI');
        return bench.card.now - started;
      });
      expect.between(
        'samples per second ÷ 1000',
        Math.round(pace / 1000),
        bench.card.realTime ? 15 : 95,
        bench.card.realTime ? 102 : 97,
      );
    },
    'input',
  ],
  [
    '011',
    'The mic channel is one slot wide: half as many samples as the stereo channel',
    '82801AA §12.1 (mic in: slot 6)',
    (bench, expect) => {
      bench.writeNam(AC97_RECORD_GAIN_MIC, 0x0000);
      const [stereo, mono] = [19_200, 65_534];
      bench.describe('PI', [{ address: bench.card.allocateRam(stereo * 2), samples: stereo }]);
      bench.describe('MC', [{ address: bench.card.allocateRam(mono * 2), samples: mono }]);
      bench.start('MC', 0);
      bench.start('PI', 0);
      bench.waitHalted('PI', stereo);
      bench.stop('MC');
      bench.stop('PI');
      const written = mono - bench.picb('MC');
      expect.between('mic samples for 100 stereo samples', Math.round((100 * written) / stereo), 42, 58);
    },
    'input',
  ],
  [
    '012',
    'Without bus master enable nothing is written',
    '82801AA §12.1.3; PCI 3.0 §6.2.2',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(4096, 4096);
      bench.describe('PI', [{ address, samples: 960 }]);
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO);
      bench.start('PI', 0);
      bench.card.letTimePass(60 * TICKS_PER_MILLISECOND);
      bench.stop('PI');
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_BUS_MASTER);
      expect.that(
        'buffer',
        bench.samplesAt(address, 960).every((sample) => sample === 0),
        'untouched',
        'written',
      );
    },
    'input',
  ],
]);

/** Samples per second, from how many ticks 9600 and 38400 samples take: what starting costs falls out. */
function samplesPerSecond(ticksFor: (samples: number) => number): number {
  const few = ticksFor(9600);
  const many = ticksFor(38_400);
  return (28_800 * 10_000_000) / Math.max(many - few, 1);
}
