import { CONTROL, CTL_ADC_STOP, FMT_16_BIT, STAT_INTR } from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { type Expectations, hex } from '../check.ts';
import { isContiguous } from '../counting-signal.ts';
import { ES1370_INPUT_SIGNAL, type Es1370Bench, MAPS } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import {
  bytesPerFrame,
  type Es1370Format,
  FORMATS,
  formatName,
  MIDDLE,
  MIDDLE_ON_QEMU,
  recordedBytes,
  STEREO_16,
} from './pcm.ts';

const FRAMES = 2000;
const FILL = 0x5a;

function number(value: number): string {
  return String(value).padStart(3, '0');
}

/** Words of memory as samples. */
function samplesOf(bytes: Uint8Array): Int16Array {
  return new Int16Array(bytes.slice().buffer);
}

function expectContiguous(expect: Expectations, what: string, samples: Int16Array): void {
  expect.that(
    what,
    isContiguous(samples),
    'the input without a gap',
    `${samples.subarray(0, 6).join(', ')} …`,
  );
}

/** Whether these bytes are a stretch of the input in this format, wherever it begins. */
function isInput(bytes: Uint8Array, format: Es1370Format, middle?: number): boolean {
  const signal = recordedBytes(ES1370_INPUT_SIGNAL.samples, format, middle);
  const step = bytesPerFrame(format);
  for (let at = 0; at + bytes.length <= signal.length; at += step) {
    if (signal[at] !== bytes[0] || signal[at + step] !== bytes[step]) continue;
    if (bytes.every((byte, index) => signal[at + index] === byte)) return true;
  }
  return false;
}

/** What the ADC writes to memory. */
export const CAPTURE_CHECKS = checkTable('CAP', 'Recording', [
  [
    '001',
    'Samples follow each other in memory without a gap, 16-bit stereo',
    'ens1370.c ES_R1_MODEO(3)',
    (bench, expect) => expectContiguous(expect, 'samples', samplesOf(bench.record(STEREO_16, FRAMES))),
    'input',
  ],
  ...FORMATS.filter((format) => format !== STEREO_16).map(
    (format): CheckRow => [
      number(2 + format),
      `The ADC records ${formatName(format)}`,
      'ens1370.c ES_R1_MODEO; inferred (mono is the left side, 8 bits are unsigned)',
      (bench, expect) => {
        const bytes = bench.record(format, FRAMES);
        const narrow = (format & FMT_16_BIT) === 0;
        if (narrow && !isInput(bytes, format) && isInput(bytes, format, MIDDLE_ON_QEMU)) {
          expect.that('middle of the scale', false, hex(MIDDLE), hex(MIDDLE_ON_QEMU));
          return;
        }
        expect.that(
          'bytes',
          isInput(bytes, format),
          'the input in this format',
          `${bytes.subarray(0, 8).join(', ')} …`,
        );
      },
      'input',
    ],
  ),
  [
    '005',
    'Nothing around the buffer is written',
    'ens1370.c ES_REG_ADC_FRAME, ES_REG_ADC_SIZE',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(12_288, 4096);
      bench.card.writeRam(address, new Uint8Array(12_288).fill(FILL));
      bench.start('ADC', { ring: { address: address + 4096, dwords: 1024 }, format: STEREO_16 });
      bench.card.letTimePass(120 * TICKS_PER_MILLISECOND);
      bench.disable('ADC');
      const bytes = bench.card.readRam(address, 12_288);
      const untouched = (from: number, to: number) => bytes.subarray(from, to).every((byte) => byte === FILL);
      expect.that('before the buffer', untouched(0, 4096), 'as it was', 'written');
      expect.that('behind the buffer', untouched(8192, 12_288), 'as it was', 'written');
      expect.that('the buffer', !untouched(4096, 8192), 'written', 'as it was');
    },
    'input',
  ],
  [
    '006',
    'At the end of the ring recording goes on at its beginning, without a gap',
    'ens1370.c ES_R1_LOOP_SEL (loop mode)',
    (bench, expect) => {
      bench.openInput();
      const dwords = 4096;
      const address = bench.card.allocateRam(dwords * 4, 4096);
      bench.start('ADC', { ring: { address, dwords }, format: STEREO_16 });
      bench.card.waitUntil(() => bench.index('ADC') > 3000, 1000 * TICKS_PER_MILLISECOND);
      bench.card.waitUntil(() => bench.index('ADC') < 2000, 1000 * TICKS_PER_MILLISECOND);
      bench.disable('ADC');
      const at = bench.index('ADC') * 4;
      const bytes = bench.card.readRam(address, dwords * 4);
      // The oldest sample is where the next one would be.
      const inOrder = new Uint8Array([...bytes.subarray(at), ...bytes.subarray(0, at)]);
      expectContiguous(expect, 'samples across the end', samplesOf(inOrder));
    },
    'input',
  ],
  [
    '007',
    'The index tells where the next sample goes',
    'ens1370.c snd_ensoniq_capture_pointer',
    (bench, expect) => {
      bench.openInput();
      const dwords = 16_384;
      const address = bench.card.allocateRam(dwords * 4, 4096);
      bench.start('ADC', { ring: { address, dwords }, format: STEREO_16 });
      bench.card.waitUntil(() => bench.index('ADC') > 1500, 1000 * TICKS_PER_MILLISECOND);
      bench.disable('ADC');
      const at = bench.index('ADC');
      const samples = samplesOf(bench.card.readRam(address, dwords * 4));
      expectContiguous(expect, 'samples before the index', samples.subarray(0, at * 2));
      const behind = samples.subarray(at * 2).findIndex((sample) => sample !== 0);
      expect.between('first sample behind the index', behind, -1, -1);
    },
    'input',
  ],
  [
    '008',
    'Recording begins at the index that was written',
    'ens1370.c ES_REG_FCURR_COUNTO',
    (bench, expect) => {
      bench.openInput();
      const dwords = 16_384;
      const address = bench.card.allocateRam(dwords * 4, 4096);
      bench.start('ADC', { ring: { address, dwords }, format: STEREO_16, index: 1000 });
      bench.card.waitUntil(() => bench.index('ADC') > 2500, 1000 * TICKS_PER_MILLISECOND);
      bench.disable('ADC');
      const samples = samplesOf(bench.card.readRam(address, dwords * 4));
      expect.between(
        'samples in front',
        samples.subarray(0, 2000).filter((sample) => sample !== 0).length,
        0,
        0,
      );
      expectContiguous(expect, 'samples from there on', samples.subarray(2000, 5000));
    },
    'input',
  ],
  [
    '009',
    'A buffer at an address that is a multiple of four, not of more, across pages',
    'ens1370.c ES_REG_ADC_FRAME',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(32_768, 4096) + 4092;
      bench.start('ADC', { ring: { address, dwords: 4096 }, format: STEREO_16 });
      bench.card.waitUntil(() => bench.index('ADC') > 2100, 1000 * TICKS_PER_MILLISECOND);
      bench.disable('ADC');
      expectContiguous(expect, 'samples', samplesOf(bench.card.readRam(address, 8400)));
    },
    'input',
  ],
  [
    '010',
    'With ADC_STOP nothing is transferred',
    'ens1370.c ES_1370_ADC_STOP (disables transfers)',
    (bench, expect) => {
      bench.openInput();
      bench.set(CONTROL, CTL_ADC_STOP);
      const address = bench.card.allocateRam(16_384, 4096);
      bench.start('ADC', { ring: { address, dwords: 4096 }, format: STEREO_16 });
      bench.card.letTimePass(80 * TICKS_PER_MILLISECOND);
      expect.between('index', bench.index('ADC'), 0, 0);
      const written = bench.card.readRam(address, 16_384).filter((byte) => byte !== 0).length;
      expect.between('bytes written', written, 0, 0);
    },
    'input',
  ],
  [
    '011',
    'Off, the ADC writes nothing more',
    'ens1370.c ES_ADC_EN',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(65_536, 4096);
      bench.start('ADC', { ring: { address, dwords: 16_384 }, format: STEREO_16 });
      bench.card.waitUntil(() => bench.index('ADC') > 500, 1000 * TICKS_PER_MILLISECOND);
      bench.disable('ADC');
      bench.card.writeRam(address, new Uint8Array(65_536).fill(FILL));
      bench.card.letTimePass(60 * TICKS_PER_MILLISECOND);
      const written = bench.card.readRam(address, 65_536).filter((byte) => byte !== FILL).length;
      expect.between('bytes written', written, 0, 0);
    },
    'input',
  ],
  [
    '012',
    'When the request comes, a period of frames is in memory',
    'ens1370.c snd_ensoniq_capture_prepare; inferred (the sample memory is written out by then)',
    (bench, expect) => {
      bench.openInput();
      const address = bench.card.allocateRam(65_536, 4096);
      // A multiple of the 32 bytes that are written in one go.
      bench.start('ADC', {
        ring: { address, dwords: 16_384 },
        format: STEREO_16,
        periodFrames: 2048,
        serial: MAPS.ADC.interruptEnable,
      });
      bench.waitPending('ADC');
      expect.bits('STATUS', bench.status, STAT_INTR | MAPS.ADC.status, STAT_INTR | MAPS.ADC.status);
      expectContiguous(expect, 'samples of the period', samplesOf(bench.card.readRam(address, 8192)));
    },
    'input',
  ],
  [
    '013',
    'Playing and recording at the same time do not disturb each other',
    'ens1370.c: full duplex (DAC1 or DAC2 with ADC)',
    (bench, expect: Expectations) => {
      playAndRecord(bench, expect);
    },
    'input',
  ],
]);

function playAndRecord(bench: Es1370Bench, expect: Expectations): void {
  bench.run('DAC1', { format: STEREO_16, dwords: 4096, serial: MAPS.DAC1.interruptEnable });
  expectContiguous(expect, 'samples', samplesOf(bench.record(STEREO_16, FRAMES)));
  expect.that('request of DAC1', bench.isPending('DAC1'), 'pending', 'none');
}
