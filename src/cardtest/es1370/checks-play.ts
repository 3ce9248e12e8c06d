import { PCI_COMMAND, PCI_COMMAND_IO } from '../../hal/index.ts';
import { type ChannelName, FMT_16_BIT, SERIAL } from '../../hardware/es1370/registers.ts';
import { TICKS_PER_MILLISECOND } from '../../kernel/index.ts';
import { type Expectations, hex } from '../check.ts';
import { DACS, type Es1370Bench, MAPS } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';
import {
  bytesPerFrame,
  type Es1370Format,
  FORMATS,
  formatName,
  heardSamples,
  MIDDLE,
  MIDDLE_ON_QEMU,
  STEREO_16,
  silentBytes,
  soundBytes,
} from './pcm.ts';

const FRAMES = 960;

function expectSound(
  bench: Es1370Bench,
  expect: Expectations,
  name: ChannelName,
  bytes: Uint8Array,
  format: Es1370Format,
  options: { readonly alignment?: number; readonly offset?: number } = {},
): void {
  bench.unmute();
  const expected = heardSamples(bytes, format);
  const heard = bench.playBytes(name, bytes, format, expected, options);
  if (heard.length === 0 && (format & FMT_16_BIT) === 0) {
    // Heard with another middle, everything is one step off.
    const other = heardSamples(bytes, format, MIDDLE_ON_QEMU);
    expect.that('middle of the scale', false, hex(MIDDLE), 'another');
    expect.same('samples', bench.playBytes(name, bytes, format, other, options), other);
    return;
  }
  expect.same('samples', heard, expected);
}

function number(value: number): string {
  return String(value).padStart(3, '0');
}

/** A ring without silence, heard for two turns and more. */
function expectTurns(bench: Es1370Bench, expect: Expectations, name: ChannelName, frames: number): void {
  bench.unmute();
  const bytes = soundBytes(frames, STEREO_16, 31);
  const ring = bench.ring(bytes);
  const before = bench.recorded.length;
  bench.start(name, { ring, format: STEREO_16 });
  const once = heardSamples(bytes, STEREO_16);
  const turns = Math.ceil(5000 / frames);
  const expected = new Int16Array(once.length * turns);
  for (let turn = 0; turn < turns; turn++) expected.set(once, turn * once.length);
  const heard = bench.hear(before, expected, frames * turns);
  bench.silence(name, ring.address, bytes.length, STEREO_16);
  expect.same('samples', heard, expected);
}

/** What leaves the DACs of what lies in memory. */
export const PLAY_CHECKS = checkTable('PLAY', 'Playback data', [
  ...DACS.flatMap((name, dac) =>
    FORMATS.map(
      (format): CheckRow => [
        number(1 + dac * 4 + format),
        `${name} plays ${formatName(format)} bit by bit`,
        'ens1370.c ES_P1_MODEO, ES_P2_MODEO; inferred (8 bits are unsigned, mono goes to both sides)',
        (bench, expect) =>
          expectSound(bench, expect, name, soundBytes(FRAMES, format, 1 + format + 10 * dac), format),
        'output',
      ],
    ),
  ),
  ...DACS.map(
    (name, dac): CheckRow => [
      number(9 + dac),
      `${name} plays a ring again and again without a gap`,
      'ens1370.c ES_P1_LOOP_SEL, ES_P2_LOOP_SEL (loop mode)',
      (bench, expect) => expectTurns(bench, expect, name, 2000),
      'output',
    ],
  ),
  [
    '011',
    'A ring shorter than the sample memory',
    'ens1370.c ES_REG_FSIZEO; inferred',
    (bench, expect) => expectTurns(bench, expect, 'DAC1', 10),
    'output',
  ],
  [
    '012',
    'Extreme values: 7FFFh, 8000h, FFFFh, 0001h',
    'ens1370.c ES_P2_MODEO (16 bits)',
    (bench, expect) => {
      const samples = Int16Array.from({ length: 960 }, (_, i) => [0x7fff, -0x8000, -1, 1][i & 3] as number);
      expectSound(bench, expect, 'DAC2', new Uint8Array(samples.buffer), STEREO_16);
    },
    'output',
  ],
  [
    '013',
    'All values of eight bits',
    'ens1370.c ES_P1_MODEO (8 bits); inferred (unsigned)',
    (bench, expect) => {
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => (i * 89 + 7) & 0xff);
      expectSound(bench, expect, 'DAC1', bytes, 1);
    },
    'output',
  ],
  [
    '014',
    'A buffer that begins four bytes before a page ends',
    'ens1370.c ES_REG_DAC1_FRAME',
    (bench, expect) =>
      expectSound(bench, expect, 'DAC1', soundBytes(FRAMES, STEREO_16, 41), STEREO_16, { offset: 4092 }),
    'output',
  ],
  [
    '015',
    'A buffer at an address that is a multiple of four, not of more',
    'ens1370.c ES_REG_DAC2_FRAME',
    (bench, expect) =>
      expectSound(bench, expect, 'DAC2', soundBytes(FRAMES, STEREO_16, 42), STEREO_16, { offset: 20 }),
    'output',
  ],
  [
    '016',
    'Played from an index in the middle of the buffer',
    'ens1370.c ES_REG_FCURR_COUNTO',
    (bench, expect) => {
      bench.unmute();
      const bytes = soundBytes(FRAMES, STEREO_16, 43);
      const expected = heardSamples(bytes.subarray(400 * 4), STEREO_16);
      expect.same('samples', bench.playBytes('DAC2', bytes, STEREO_16, expected, { index: 400 }), expected);
    },
    'output',
  ],
  ...DACS.map(
    (name, dac): CheckRow => [
      number(17 + dac),
      `A pause of ${name} loses nothing and repeats nothing`,
      'ens1370.c ES_P1_PAUSE, ES_P2_PAUSE; snd_ensoniq_trigger',
      (bench, expect) => {
        bench.unmute();
        const bytes = soundBytes(6000, STEREO_16, 44 + dac);
        const expected = heardSamples(bytes, STEREO_16);
        const ring = bench.ring(bytes);
        const before = bench.recorded.length;
        bench.start(name, { ring, format: STEREO_16 });
        bench.card.waitUntil(() => bench.index(name) > 2500, 500 * TICKS_PER_MILLISECOND);
        bench.set(SERIAL, MAPS[name].pause);
        bench.card.letTimePass(30 * TICKS_PER_MILLISECOND);
        bench.clear(SERIAL, MAPS[name].pause);
        const heard = bench.hear(before, expected, 5500);
        bench.silence(name, ring.address, bytes.length, STEREO_16);
        // A recorder may keep running while the card is silent.
        expect.same('samples', withoutGap(heard, expected), expected.subarray(0, 5500 * 2));
      },
      'output',
    ],
  ),
  [
    '019',
    'Both DACs are heard together',
    'ens1370.c: DAC1 and DAC2 play at the same time; AK4531 (mixer)',
    (bench, expect) => {
      bench.unmute();
      // DAC2 plays a constant, so that it does not matter when it began.
      const level = new Int16Array(8820).fill(1000);
      const ring = bench.ring(new Uint8Array(level.buffer));
      bench.start('DAC2', { ring, format: STEREO_16 });
      bench.card.letTimePass(bench.recorderDelayTicks);
      const samples = heardSamples(soundBytes(FRAMES, STEREO_16, 46), STEREO_16).map((sample) => sample >> 2);
      const sum = samples.map((sample) => sample + 1000);
      const heard = bench.playBytes('DAC1', new Uint8Array(samples.buffer), STEREO_16, sum);
      bench.silence('DAC2', ring.address, level.byteLength, STEREO_16);
      expect.same('samples', heard, sum);
    },
    'output',
  ],
  [
    '020',
    'A sum that is too loud stays at its end of the scale',
    'AK4531 (mixer); inferred (saturates)',
    (bench, expect) => {
      bench.unmute();
      const level = new Int16Array(8820).fill(30_000);
      const ring = bench.ring(new Uint8Array(level.buffer));
      bench.start('DAC2', { ring, format: STEREO_16 });
      bench.card.letTimePass(bench.recorderDelayTicks);
      const samples = heardSamples(soundBytes(FRAMES, STEREO_16, 47), STEREO_16);
      const sum = samples.map((sample) => Math.min(sample + 30_000, 32_767));
      const heard = bench.playBytes('DAC1', new Uint8Array(samples.buffer), STEREO_16, sum);
      bench.silence('DAC2', ring.address, level.byteLength, STEREO_16);
      expect.same('samples', heard, sum);
    },
    'output',
  ],
  [
    '021',
    'A DAC that is switched off is silent',
    'ens1370.c ES_DAC1_EN',
    (bench, expect) => {
      bench.unmute();
      const bytes = soundBytes(4410, STEREO_16, 48);
      const ring = bench.ring(bytes);
      bench.start('DAC1', { ring, format: STEREO_16 });
      bench.card.letTimePass(60 * TICKS_PER_MILLISECOND);
      bench.disable('DAC1');
      // What was on its way is played out.
      bench.card.letTimePass((bench.card.realTime ? 200 : 1) * TICKS_PER_MILLISECOND);
      const before = bench.recorded.length;
      bench.card.letTimePass(60 * TICKS_PER_MILLISECOND);
      const sounds = bench.recorded.subarray(before).filter((sample) => sample !== 0).length;
      expect.between('sound after it was off', sounds, 0, 0);
    },
    'output',
  ],
  [
    '022',
    'Nothing in the buffer is written by playing it',
    'ens1370.c snd_ensoniq_playback1_prepare',
    (bench, expect) => {
      const bytes = soundBytes(2000, STEREO_16, 49);
      const ring = bench.ring(bytes);
      bench.start('DAC2', { ring, format: STEREO_16 });
      bench.card.letTimePass(80 * TICKS_PER_MILLISECOND);
      bench.disable('DAC2');
      expect.same('bytes', bench.card.readRam(ring.address, bytes.length), bytes);
    },
  ],
  [
    '023',
    'Without bus mastering no sound comes out of memory',
    'PCI 3.0 §6.2.2 (bus master)',
    (bench, expect) => {
      bench.unmute();
      const bytes = soundBytes(FRAMES, STEREO_16, 50);
      bench.card.writeConfig(PCI_COMMAND, 2, PCI_COMMAND_IO);
      const expected = heardSamples(bytes, STEREO_16);
      const heard = bench.playBytes('DAC1', bytes, STEREO_16, expected);
      expect.between('samples heard', heard.length, 0, 0);
    },
    'output',
  ],
  [
    '024',
    'Sound that is written just ahead of the card is heard',
    'ens1370.c snd_ensoniq_playback2_pointer; inferred (64 bytes are read ahead)',
    (bench, expect) => {
      bench.unmute();
      const silence = silentBytes(65_536, STEREO_16);
      const ring = bench.ring(silence);
      const before = bench.recorded.length;
      bench.start('DAC2', { ring, format: STEREO_16 });
      bench.card.waitUntil(() => bench.index('DAC2') > 1000, 500 * TICKS_PER_MILLISECOND);
      const bytes = soundBytes(FRAMES, STEREO_16, 51);
      const at = bench.index('DAC2') + (bench.card.realTime ? 4000 : 17);
      bench.card.writeRam(ring.address + at * bytesPerFrame(STEREO_16), bytes);
      const expected = heardSamples(bytes, STEREO_16);
      const heard = bench.hear(before, expected, FRAMES);
      bench.silence('DAC2', ring.address, silence.length, STEREO_16);
      expect.same('samples', heard, expected);
    },
    'output',
  ],
]);

/** What was heard without one stretch of silence in its middle. */
function withoutGap(heard: Int16Array, expected: Int16Array): Int16Array {
  const at = heard.findIndex((sample, index) => sample !== expected[index]);
  if (at < 0 || heard[at] !== 0) return heard;
  let end = at;
  while (end < heard.length && heard[end] === 0) end++;
  const joined = new Int16Array(heard.length - (end - at));
  joined.set(heard.subarray(0, at));
  joined.set(heard.subarray(end), at);
  return joined;
}
