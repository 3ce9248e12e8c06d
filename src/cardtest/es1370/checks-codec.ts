import {
  AK_LFM,
  AK_LMASTER,
  AK_LVOICE,
  AK_OUT_SW1,
  AK_OUT_SW2,
  AK_RESET,
  AK_RMASTER,
  AK_RVOICE,
  OUT_SW2_VOICER,
  RST_PD,
  RST_RST,
  SW1_FML,
} from '../../hardware/es1370/ak4531.ts';
import {
  type ChannelName,
  CODEC,
  CONTROL,
  CTL_CDC_EN,
  STAT_CSTAT,
  STAT_CWRIP,
} from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import type { Expectations } from '../check.ts';
import type { Es1370Bench } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import { heardSamples, STEREO_16, soundBytes } from './pcm.ts';

const FRAMES = 480;
const MUTED = 0x80;

type Sides = readonly [left: number, right: number];

/** Plays on a DAC with the codec set by `set`, and expects each side at this gain, or silent. */
function expectGain(name: ChannelName, set: (bench: Es1370Bench) => void, gains: Sides): CheckRow[3] {
  return (bench, expect) => {
    bench.unmute();
    set(bench);
    const samples = heardSamples(soundBytes(FRAMES, STEREO_16, 61), STEREO_16);
    const expected = samples.map((sample, index) => scaled(sample, gains[(index & 1) as 0 | 1]));
    listen(bench, expect, name, samples, expected);
  };
}

function scaled(sample: number, gain: number): number {
  return Math.max(-32_768, Math.min(32_767, Math.round(sample * gain)));
}

function listen(
  bench: Es1370Bench,
  expect: Expectations,
  name: ChannelName,
  samples: Int16Array,
  expected: Int16Array,
): void {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  if (expected.every((sample) => sample === 0)) {
    const before = bench.recorded.length;
    // What would be heard if the codec did nothing.
    bench.playBytes(name, bytes, STEREO_16, samples);
    const sounds = bench.recorded.subarray(before).filter((sample) => sample !== 0).length;
    expect.between('sound', sounds, 0, 0);
    return;
  }
  const heard = bench.playBytes(name, bytes, STEREO_16, expected);
  // The analogue path rounds where it likes: to one step.
  const same =
    heard.length === expected.length && heard.every((s, i) => Math.abs(s - (expected[i] ?? 0)) <= 1);
  const at = heard.findIndex((s, i) => Math.abs(s - (expected[i] ?? 0)) > 1);
  expect.that(
    'samples',
    same,
    `${expected.length} at their gain`,
    heard.length === 0 ? 'not heard so' : `number ${at} is ${heard[at]}, not ${expected[at]}`,
  );
}

/** 10 to the power of decibels ÷ 20. */
function gainOf(decibels: number): number {
  return 10 ** (decibels / 20);
}

/** The codec, as far as it can be seen: it has a line to write by, and is heard. */
export const CODEC_CHECKS = checkTable('MIX', 'Codec', [
  [
    '001',
    'A write to the codec takes its time: CSTAT and CWRIP are set, then clear',
    'ens1370.c ES_1370_CSTAT, ES_1370_CWRIP; snd_ak4531 write waits for CSTAT',
    (bench, expect) => {
      bench.write16(CODEC, (AK_LMASTER << 8) | 0x80);
      expect.bits('STATUS at once', bench.status, STAT_CSTAT | STAT_CWRIP, STAT_CSTAT | STAT_CWRIP);
      bench.card.letTimePass(TICKS_PER_MILLISECOND);
      expect.bits('STATUS after 1 ms', bench.status, STAT_CSTAT | STAT_CWRIP, 0);
    },
  ],
  [
    '002',
    'The line to the codec is free when nothing is written',
    'ens1370.c ES_1370_CSTAT',
    (bench, expect) => expect.bits('STATUS', bench.status, STAT_CSTAT | STAT_CWRIP, 0),
  ],
  [
    '003',
    'After the codec’s reset nothing is heard: all is muted',
    'AK4531 (RESET, register 16h; defaults)',
    (bench, expect) => {
      const samples = heardSamples(soundBytes(FRAMES, STEREO_16, 62), STEREO_16);
      listen(bench, expect, 'DAC1', samples, new Int16Array(samples.length));
    },
    'output',
  ],
  [
    '004',
    'The master volume’s mute bits silence both DACs',
    'AK4531 (LMASTER, RMASTER, registers 00h and 01h)',
    expectGain(
      'DAC2',
      (bench) => {
        bench.writeCodec(AK_LMASTER, MUTED);
        bench.writeCodec(AK_RMASTER, MUTED);
      },
      [0, 0],
    ),
    'output',
  ],
  [
    '005',
    'The master volume goes in steps of 2 dB, each side for itself',
    'AK4531 (LMASTER, RMASTER)',
    expectGain(
      'DAC1',
      (bench) => {
        bench.writeCodec(AK_LMASTER, 3);
        bench.writeCodec(AK_RMASTER, 10);
      },
      [gainOf(-6), gainOf(-20)],
    ),
    'output',
  ],
  [
    '006',
    'DAC1 comes in by the FM input, whose volume is its own',
    'AK4531 (LFM, RFM); ens1370.c (DAC1 is the synthesiser’s)',
    expectGain('DAC1', (bench) => bench.writeCodec(AK_LFM, MUTED), [0, 1]),
    'output',
  ],
  [
    '007',
    'DAC2 comes in by the voice input, whose volume is its own',
    'AK4531 (LVOICE, RVOICE)',
    expectGain('DAC2', (bench) => bench.writeCodec(AK_RVOICE, MUTED), [1, 0]),
    'output',
  ],
  [
    '008',
    'The FM volume does nothing to DAC2',
    'AK4531 (LFM, LVOICE)',
    expectGain('DAC2', (bench) => bench.writeCodec(AK_LFM, MUTED), [1, 1]),
    'output',
  ],
  [
    '009',
    'An input at code 0 is 12 dB louder: it saturates',
    'AK4531 (LVOICE: +12 dB to −50 dB)',
    expectGain('DAC2', (bench) => bench.writeCodec(AK_LVOICE, 0), [gainOf(12), 1]),
    'output',
  ],
  [
    '010',
    'The switches of the FM input',
    'AK4531 (OUT_SW1, register 10h)',
    expectGain('DAC1', (bench) => bench.writeCodec(AK_OUT_SW1, SW1_FML), [1, 0]),
    'output',
  ],
  [
    '011',
    'The switches of the voice input',
    'AK4531 (OUT_SW2, register 11h)',
    expectGain('DAC2', (bench) => bench.writeCodec(AK_OUT_SW2, OUT_SW2_VOICER), [0, 1]),
    'output',
  ],
  [
    '012',
    'Powered down, the codec is silent, and keeps its settings',
    'AK4531 (RESET: RST and PD, low active)',
    (bench, expect) => {
      expectGain('DAC1', () => bench.writeCodec(AK_RESET, RST_RST), [0, 0])(bench, expect);
      bench.writeCodec(AK_RESET, RST_RST | RST_PD);
      const samples = heardSamples(soundBytes(FRAMES, STEREO_16, 63), STEREO_16);
      const heard = bench.playBytes('DAC1', new Uint8Array(samples.buffer), STEREO_16, samples);
      expect.same('samples afterwards', heard, samples);
    },
    'output',
  ],
  [
    '013',
    'Without CDC_EN the codec is silent',
    'ens1370.c ES_1370_CDC_EN (codec interface)',
    expectGain('DAC2', (bench) => bench.clear(CONTROL, CTL_CDC_EN), [0, 0]),
    'output',
  ],
]);
