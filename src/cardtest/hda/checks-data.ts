import {
  AMP_MUTE,
  AMP_SET_LEFT,
  AMP_SET_RIGHT,
  SET_AMP,
  SET_FORMAT,
  SET_PIN_CONTROL,
  SET_POWER_STATE,
  SET_STREAM_CHANNEL,
} from '../../hardware/hda/verbs.ts';
import type { Expectations } from '../check.ts';
import { testSignal } from '../test-signal.ts';
import { BYTES_PER_MS, FORMAT_48_16_2, type HdaBench, type HdaBufferEntry } from './bench.ts';
import { type CheckRow, checkTable } from './check-table.ts';

const OUTPUT = { need: 'output' } as const;
const TAG = 1;
const PROBE = 2400;

/** Entries over `samples`, cut into pieces of these bytes, each in a buffer of its own. */
function pieces(bench: HdaBench, samples: Int16Array, lengths: readonly number[]): readonly HdaBufferEntry[] {
  let at = 0;
  return lengths.map((bytes) => {
    const piece = samples.subarray(at / 2, (at + bytes) / 2);
    at += bytes;
    return { address: bench.buffer(piece), bytes };
  });
}

function expectPieces(lengths: readonly number[], seed: number): CheckRow[3] {
  return (bench, expect) => {
    bench.openOutput(TAG);
    const samples = testSignal(lengths.reduce((sum, bytes) => sum + bytes, 0) / 2, seed);
    const entries = pieces(bench, samples, lengths);
    const heard = bench.hear(samples, () => bench.playEntries(entries));
    expect.same('samples', heard.subarray(0, samples.length), samples);
  };
}

/** What is heard of a test signal; the way is open, and `change` may have done something to it. */
function hear(bench: HdaBench, change: () => void, seed = 7): { heard: Int16Array; samples: Int16Array } {
  bench.openOutput(TAG);
  change();
  const samples = testSignal(PROBE, seed);
  return { heard: bench.playOnce(samples), samples };
}

function expectSilence(heard: Int16Array, expect: Expectations): void {
  expect.between('samples that are heard', heard.filter((sample) => sample !== 0).length, 0, 0);
}

/** Mutes the first amplifier on the way that can. */
function muteRoute(bench: HdaBench, sides: number): void {
  const { converter, pin } = bench.graph.outputRoute;
  for (const widget of [converter, pin]) {
    if (widget.outAmpCaps >>> 31 === 0) continue;
    bench.setAmp(widget, 'out', { gain: AMP_MUTE | (widget.outAmpCaps & 0x7f), sides });
    return;
  }
  throw new Error('No amplifier on the way can mute.');
}

/** What is heard of a test signal with one side muted. */
function hearHalf(bench: HdaBench, muted: number): { heard: Int16Array; samples: Int16Array } {
  bench.openOutput(TAG);
  muteRoute(bench, muted);
  const samples = testSignal(PROBE, 7);
  const side = muted === AMP_SET_LEFT ? 1 : 0;
  const left = samples.map((sample, index) => ((index & 1) === side ? sample : 0));
  return { heard: bench.hear(left, () => bench.playOnce(samples)), samples };
}

function channels(samples: Int16Array, side: 0 | 1): Int16Array {
  return samples.filter((_, index) => (index & 1) === side);
}

/** Plays samples in a format other than 16-bit stereo, silence behind, and returns the recording from the first sound on. */
function playWide(bench: HdaBench, samples: Int32Array, format: number): ArrayLike<number> {
  const stream = bench.firstOutput;
  bench.openOutput(TAG, format);
  const sound = samples.byteLength;
  const silence = 50 * 2 * BYTES_PER_MS;
  const [after] = bench.silentEntries(1, silence);
  bench.program({
    stream,
    tag: TAG,
    format,
    entries: [{ address: bench.buffer(samples), bytes: sound }, after!],
  });
  const before = bench.card.wideOutput.samples.length;
  bench.record(() => {
    bench.run(stream);
    bench.waitBytes(stream, sound + silence / 2, sound + silence);
    bench.stop(stream);
  });
  const recorded = bench.card.wideOutput.samples.slice(before);
  const first = recorded.findIndex((sample) => sample !== 0);
  return first < 0 ? [] : recorded.subarray(first - (first % 2), first - (first % 2) + samples.length);
}

function wideSignal(count: number, keep: number, seed: number): Int32Array {
  const high = testSignal(count, seed);
  const low = testSignal(count, seed + 1);
  return Int32Array.from(
    high,
    (sample, index) => ((sample << 16) | ((low[index] as number) & 0xffff)) & keep,
  );
}

function expectWide(format: number, keep: number, seed: number): CheckRow[3] {
  return (bench, expect) => {
    const samples = wideSignal(PROBE, -1, seed);
    const heard = playWide(bench, samples, format);
    expect.same(
      'samples',
      heard,
      samples.map((sample) => sample & keep),
    );
  };
}

/** What is heard at the jack of what lies in memory. */
export const DATA_CHECKS = checkTable('DMA', 'Playback data', [
  ['001', 'One buffer comes out bit by bit', 'HDA 1.0a §4.5.1, §3.6.3', expectPieces([9600], 1), OUTPUT],
  [
    '002',
    'Buffers follow each other without a gap',
    'HDA 1.0a §3.6.2',
    expectPieces([3840, 3840, 3840, 3840], 2),
    OUTPUT,
  ],
  [
    '003',
    'Lengths of one frame, and of bursts less and more one frame',
    'HDA 1.0a §3.6.3',
    expectPieces([4, 8, 28, 32, 36, 60, 64, 68, 124, 128, 132, 188, 192, 196, 252, 256, 260], 3),
    OUTPUT,
  ],
  [
    '004',
    'Two hundred buffers of different lengths',
    'HDA 1.0a §3.6.2',
    expectPieces(
      Array.from({ length: 200 }, (_, index) => 4 * (index + 1)),
      4,
    ),
    OUTPUT,
  ],
  [
    '005',
    'Extreme values: 7FFFh, 8000h, FFFFh, 0001h',
    'HDA 1.0a §4.5.1',
    (bench, expect) => {
      bench.openOutput(TAG);
      const samples = Int16Array.from({ length: 960 }, (_, i) => [0x7fff, -0x8000, -1, 1][i & 3] as number);
      const heard = bench.hear(samples, () => bench.playOnce(samples));
      expect.same('samples', heard.subarray(0, 960), samples);
    },
    OUTPUT,
  ],
  [
    '006',
    'At the end of the list it goes on with the first entry, without a gap',
    'HDA 1.0a §3.6.2, §3.3.39',
    (bench, expect) => {
      bench.openOutput(TAG);
      const stream = bench.firstOutput;
      const samples = testSignal(19_200, 6);
      const half = samples.byteLength / 2;
      const address = bench.buffer(samples);
      const twice = new Int16Array(2 * samples.length);
      twice.set(samples);
      twice.set(samples, samples.length);
      const heard = bench.hear(twice, () => {
        bench.program({
          stream,
          tag: TAG,
          entries: [
            { address, bytes: half },
            { address: address + half, bytes: half },
          ],
        });
        return bench.record(() => {
          bench.run(stream);
          bench.waitBytes(stream, 3 * samples.byteLength, samples.byteLength);
          bench.stop(stream);
        });
      });
      bench.playSilence();
      expect.same('two turns', heard.subarray(0, twice.length), twice);
    },
    OUTPUT,
  ],
  [
    '007',
    'A pause and its end lose and repeat nothing',
    'HDA 1.0a §4.5.4, §4.5.5',
    (bench, expect) => {
      bench.openOutput(TAG);
      const stream = bench.firstOutput;
      const samples = testSignal(19_200, 12);
      const [silence] = bench.silentEntries(1, 250 * BYTES_PER_MS);
      const cbl = samples.byteLength + 250 * BYTES_PER_MS;
      bench.program({
        stream,
        tag: TAG,
        entries: [{ address: bench.buffer(samples), bytes: samples.byteLength }, silence!],
      });
      const heard = bench.record(() => {
        bench.run(stream);
        bench.wait(60);
        bench.stop(stream);
        bench.wait(20);
        const before = bench.lpib(stream);
        bench.run(stream);
        bench.waitBytes(stream, samples.byteLength - before + 100 * BYTES_PER_MS, cbl);
        bench.stop(stream);
      });
      bench.playSilence();
      expect.same(
        'samples without the silence of the pause',
        heard.filter((sample) => sample !== 0),
        samples,
      );
    },
    OUTPUT,
  ],
  [
    '008',
    'A converter of another stream number hears nothing',
    'HDA 1.0a §7.3.3.11, §5.3.3',
    (bench, expect) => {
      const { converter } = bench.graph.outputRoute;
      const { heard } = hear(bench, () => bench.verb(converter.nid, SET_STREAM_CHANNEL, 0x20));
      expectSilence(heard, expect);
    },
    OUTPUT,
  ],
  [
    '009',
    'Stream number 15 is as good as any',
    'HDA 1.0a §7.3.3.11, §3.3.35',
    (bench, expect) => {
      bench.openOutput(15);
      const samples = testSignal(PROBE, 9);
      const heard = bench.hear(samples, () => bench.playOnce(samples, 15));
      expect.same('samples', heard.subarray(0, samples.length), samples);
    },
    OUTPUT,
  ],
  [
    '010',
    'Stream number 0 is nobody’s: a converter with it hears nothing',
    'HDA 1.0a §7.3.3.11, §3.3.35',
    (bench, expect) => {
      bench.openOutput(0);
      expectSilence(bench.playOnce(testSignal(PROBE, 10), 0), expect);
    },
    OUTPUT,
  ],
  [
    '011',
    'Another output stream descriptor is heard as well',
    'HDA 1.0a §3.3.34',
    (bench, expect) => {
      bench.openOutput(5);
      const stream = bench.streams - 1;
      const samples = testSignal(PROBE, 11);
      const [silence] = bench.silentEntries(1, 250 * BYTES_PER_MS);
      const entries = [{ address: bench.buffer(samples), bytes: samples.byteLength }, silence!];
      const heard = bench.hear(samples, () => {
        bench.program({ stream, tag: 5, entries });
        return bench.record(() => {
          bench.run(stream);
          bench.waitBytes(
            stream,
            samples.byteLength + 120 * BYTES_PER_MS,
            samples.byteLength + 250 * BYTES_PER_MS,
          );
          bench.stop(stream);
        });
      });
      expect.same('samples', heard.subarray(0, samples.length), samples);
    },
    OUTPUT,
  ],
  [
    '012',
    'Of two streams the jack hears the one that its converter belongs to',
    'HDA 1.0a §5.3.3, §7.3.3.11',
    (bench, expect) => {
      bench.openOutput(TAG);
      const other = bench.firstOutput + 1;
      const noise = testSignal(9600, 99);
      const address = bench.buffer(noise);
      const half = noise.byteLength / 2;
      bench.program({
        stream: other,
        tag: 7,
        entries: [
          { address, bytes: half },
          { address: address + half, bytes: half },
        ],
      });
      bench.run(other);
      const samples = testSignal(PROBE, 13);
      const heard = bench.hear(samples, () => bench.playOnce(samples));
      bench.stop(other);
      expect.same('samples', heard.subarray(0, samples.length), samples);
    },
    OUTPUT,
  ],
  [
    '013',
    'A muted amplifier lets nothing through',
    'HDA 1.0a §7.3.3.7',
    (bench, expect) => {
      const { heard } = hear(bench, () => muteRoute(bench, AMP_SET_LEFT | AMP_SET_RIGHT));
      expectSilence(heard, expect);
    },
    { need: 'output', part: 'output amplifier' },
  ],
  [
    '014',
    'Left can be muted alone',
    'HDA 1.0a §7.3.3.7',
    (bench, expect) => {
      const { heard, samples } = hearHalf(bench, AMP_SET_LEFT);
      const length = samples.length / 2;
      expect.same('right', channels(heard, 1).subarray(0, length), channels(samples, 1));
      expect.between('sound on the left', channels(heard, 0).filter((sample) => sample !== 0).length, 0, 0);
    },
    { need: 'output', part: 'analogue output' },
  ],
  [
    '015',
    'Right can be muted alone',
    'HDA 1.0a §7.3.3.7',
    (bench, expect) => {
      const { heard, samples } = hearHalf(bench, AMP_SET_RIGHT);
      const length = samples.length / 2;
      expect.same('left', channels(heard, 0).subarray(0, length), channels(samples, 0));
      expect.between('sound on the right', channels(heard, 1).filter((sample) => sample !== 0).length, 0, 0);
    },
    { need: 'output', part: 'analogue output' },
  ],
  [
    '016',
    'Six steps of 1 dB below 0 dB halve the sound',
    'HDA 1.0a §7.3.3.7, §7.3.4.10',
    (bench, expect) => expectDecibels(bench, expect, 6),
    { need: 'output', part: 'analogue output' },
  ],
  [
    '017',
    'Twenty steps of 1 dB below 0 dB leave a tenth',
    'HDA 1.0a §7.3.3.7, §7.3.4.10',
    (bench, expect) => expectDecibels(bench, expect, 20),
    { need: 'output', part: 'analogue output' },
  ],
  [
    '018',
    'Forty steps of 1 dB below 0 dB leave a hundredth',
    'HDA 1.0a §7.3.3.7, §7.3.4.10',
    (bench, expect) => expectDecibels(bench, expect, 40),
    { need: 'output', part: 'analogue output' },
  ],
  [
    '019',
    'A pin whose output is off lets nothing through',
    'HDA 1.0a §7.3.3.13',
    (bench, expect) => {
      const { pin } = bench.graph.outputRoute;
      const { heard } = hear(bench, () => bench.verb(pin.nid, SET_PIN_CONTROL, 0));
      expectSilence(heard, expect);
    },
    OUTPUT,
  ],
  [
    '020',
    'A codec in D3 is silent',
    'HDA 1.0a §7.3.3.10',
    (bench, expect) => {
      const { functionGroupNid } = bench.graph;
      const { heard } = hear(bench, () => bench.verb(functionGroupNid, SET_POWER_STATE, 3));
      expectSilence(heard, expect);
    },
    { need: 'output', part: 'power control' },
  ],
  [
    '021',
    'A converter in D3 is silent, whatever the others are',
    'HDA 1.0a §7.3.3.10',
    (bench, expect) => {
      const { converter } = bench.graph.outputRoute;
      const { heard } = hear(bench, () => bench.verb(converter.nid, SET_POWER_STATE, 3));
      expectSilence(heard, expect);
    },
    { need: 'output', part: 'power control' },
  ],
  [
    '022',
    'A stereo converter takes the channels from its lowest one on',
    'HDA 1.0a §7.3.3.11, §4.5.1',
    (bench, expect) => {
      const stream = bench.firstOutput;
      const format = FORMAT_48_16_2 | 2;
      bench.openOutput(TAG);
      const { converter } = bench.graph.outputRoute;
      bench.verb(converter.nid, SET_FORMAT, format);
      bench.verb(converter.nid, SET_STREAM_CHANNEL, (TAG << 4) | 2);
      const frames = 1200;
      const samples = testSignal(frames * 4, 22);
      const [silence] = bench.silentEntries(1, 100 * 2 * BYTES_PER_MS);
      bench.program({
        stream,
        tag: TAG,
        format: FORMAT_48_16_2 | 3,
        entries: [{ address: bench.buffer(samples), bytes: samples.byteLength }, silence!],
      });
      bench.verb(converter.nid, SET_FORMAT, FORMAT_48_16_2 | 3);
      const heard = bench.record(() => {
        bench.run(stream);
        bench.wait(100);
        bench.stop(stream);
      });
      const third = samples.filter((_, index) => (index & 3) > 1);
      expect.same('channels 2 and 3', heard.subarray(0, 2 * frames), third);
    },
    { need: 'output', part: 'analogue output' },
  ],
  [
    '023',
    'Samples of 24 bits pass whole, and the eight bits below them do not count',
    'HDA 1.0a §4.5.1, §3.7.1',
    expectWide(0x0031, -1 << 8, 23),
    { need: 'output', part: 'samples wider than 16 bits' },
  ],
  [
    '024',
    'Samples of 20 bits pass whole, and the twelve bits below them do not count',
    'HDA 1.0a §4.5.1, §3.7.1',
    expectWide(0x0021, -1 << 12, 24),
    { need: 'output', part: 'samples wider than 16 bits' },
  ],
  [
    '025',
    'Writing into the ring in front of the position is heard',
    'HDA 1.0a §4.5.1, §3.6.2',
    (bench, expect) => {
      const stream = bench.firstOutput;
      bench.openOutput(TAG);
      const ms = bench.card.realTime ? 400 : 100;
      const entries = bench.silentEntries(2, ms * BYTES_PER_MS);
      const samples = testSignal(PROBE, 25);
      const heard = bench.hear(samples, () => {
        bench.card.writeRam(entries[1]!.address, new Uint8Array(samples.byteLength));
        bench.program({ stream, tag: TAG, entries });
        return bench.record(() => {
          bench.run(stream);
          bench.wait(20);
          bench.card.writeRam(entries[1]!.address, new Uint8Array(samples.buffer));
          bench.waitBytes(stream, 1.4 * ms * BYTES_PER_MS, 2 * ms * BYTES_PER_MS);
          bench.stop(stream);
        });
      });
      expect.same('samples', heard.subarray(0, samples.length), samples);
    },
    OUTPUT,
  ],
  [
    '026',
    'What the converter format says of one channel is heard on the left',
    'HDA 1.0a §3.7.1, §7.3.3.8',
    (bench, expect) => {
      const stream = bench.firstOutput;
      const format = 0x0010;
      bench.openOutput(TAG, format);
      const samples = testSignal(PROBE, 26);
      const [silence] = bench.silentEntries(1, (200 * BYTES_PER_MS) / 2);
      const entries = [{ address: bench.buffer(samples), bytes: samples.byteLength }, silence!];
      const heard = bench.again(
        () => {
          bench.program({ stream, tag: TAG, format, entries });
          return bench.record(() => {
            bench.run(stream);
            bench.waitBytes(
              stream,
              samples.byteLength + 60 * BYTES_PER_MS,
              samples.byteLength + 100 * BYTES_PER_MS,
            );
            bench.stop(stream);
          });
        },
        (recording) => samples.every((sample, index) => recording[2 * index] === sample),
      );
      expect.same('left', channels(heard, 0).subarray(0, samples.length), samples);
    },
    { need: 'output', part: 'analogue output' },
  ],
]);

/** A constant, `steps` of 1 dB down. */
function expectDecibels(bench: HdaBench, expect: Expectations, steps: number): void {
  const level = 20_000;
  bench.openOutput(TAG);
  const { converter } = bench.graph.outputRoute;
  const offset = converter.outAmpCaps & 0x7f;
  const stepQuarterDb = ((converter.outAmpCaps >>> 16) & 0x7f) + 1;
  bench.verb(converter.nid, SET_AMP, 0xb000 | (offset - (steps * 4) / stepQuarterDb));
  const heard = bench.playOnce(new Int16Array(PROBE).fill(level));
  const middle = Math.abs(heard[PROBE / 2] ?? 0);
  expect.between(
    'decibels × 10',
    Math.round(200 * Math.log10(Math.max(middle, 0.5) / level)),
    -10 * steps - 2,
    -10 * steps + 2,
  );
}
