import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type AudioFormat,
  audioFormat,
  checkDriver,
  type Endpoint,
  formatFailures,
  formatToString,
  MemoryPcmReader,
  MemoryPcmWriter,
  type StreamMode,
} from '../src/client/index.ts';
import { ArraySource } from '../src/hardware/analog.ts';
import type { HdaCodecName } from '../src/hardware/hda/index.ts';
import { dataFormatOfWave, KSSTATE_RUN, WAVE_FORMAT_DOLBY_AC3_SPDIF, waveFormatEx } from '../src/ks/index.ts';
import { setState, noise as whiteNoise } from './support/ac97-bench.ts';
import { Desktop, HdaBench } from './support/hda-bench.ts';

const CODECS: readonly HdaCodecName[] = ['desktop', 'hdmi', 'qemu-duplex', 'qemu-micro', 'qemu-output'];
const KHZ = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000];

/** Samples of a format as whole numbers of its valid bits, none of which is zero. */
function noise(format: AudioFormat, frames: number, seed: number): Int32Array {
  let x = seed;
  const shift = 32 - format.validBits;
  return Int32Array.from({ length: frames * format.channels }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) | 0;
    return (x >> shift) | 1;
  });
}

/** As they lie in the buffer: left-justified in their container. */
function bytesOf(format: AudioFormat, samples: Int32Array): Uint8Array {
  const shift = format.containerBits - format.validBits;
  if (format.containerBits === 16)
    return new Uint8Array(Int16Array.from(samples, (sample) => sample << shift).buffer);
  return new Uint8Array(Int32Array.from(samples, (sample) => sample << shift).buffer);
}

/** Sample values of the valid bits, from what a jack heard. */
function valuesOf(format: AudioFormat, heard: Int16Array | Int32Array | Float32Array): Int32Array {
  const shift = format.containerBits - format.validBits;
  return Int32Array.from(heard, (sample) => sample >> shift);
}

/** Channels `first` … of each frame. */
function channelsOf(samples: Int32Array, channels: number, first: number, count: number): Int32Array {
  const frames = samples.length / channels;
  return Int32Array.from(
    { length: frames * count },
    (_, index) => samples[Math.floor(index / count) * channels + first + (index % count)] as number,
  );
}

function play(
  bench: HdaBench,
  endpoint: Endpoint,
  format: AudioFormat,
  samples: Int32Array,
  mode: StreamMode,
  bufferMs: number,
): void {
  const stream = bench.audio.openRender(endpoint, {
    source: new MemoryPcmReader(format, bytesOf(format, samples)),
    format,
    mode,
    bufferMs,
  });
  stream.start();
  expect(bench.run(() => stream.ended, 20)).toBe(true);
  expect(stream.error).toBe(null);
  expect(stream.statistics().glitches).toBe(0);
  stream.close();
}

function expectSame(heard: Int32Array, wanted: Int32Array, what: string): void {
  const at = wanted.findIndex((sample, index) => sample !== heard[index]);
  const text =
    at < 0 ? '' : `${what}: sample ${at} of ${wanted.length} is ${heard[at]} instead of ${wanted[at]}`;
  expect(text).toBe('');
  expect(heard.subarray(wanted.length).every((sample) => sample === 0)).toBe(true);
}

const endpointOf = (bench: HdaBench, direction: 'render' | 'capture', name: string): Endpoint =>
  bench.audio.endpoint(direction, name);

describe('the HDA driver', () => {
  it.each(CODECS)(
    'keeps the rules of topology, pins, ranges, controls and jacks on the %s codec',
    (codec) => {
      using bench = new HdaBench({ codecs: [codec] });
      expect(formatFailures(checkDriver(bench.audio))).toBe('');
      expect(bench.findings).toEqual([]);
    },
  );

  it.each(['ich6', 'ich9'] as const)('runs on the %s with several codecs at once', (variant) => {
    using bench = new HdaBench({ variant, codecs: ['desktop', 'hdmi', 'qemu-duplex'] });
    expect(formatFailures(checkDriver(bench.audio))).toBe('');
    const references = bench.audio.filterPaths().map((path) => path.slice(path.lastIndexOf('\\') + 1));
    expect(references.map((one) => one.toLowerCase()).sort()).toEqual([
      'topology',
      'topology2',
      'topology3',
      'wave',
      'wave2',
      'wave3',
    ]);
    expect(bench.findings).toEqual([]);
  });
});

/** One jack of a render device and the channels that it plays, by speakers of the stream. */
interface Plays {
  readonly pin: number;
  readonly first: number;
  readonly count: number;
}

const SPEAKERS: readonly (readonly [mask: number, channels: number, jacks: readonly Plays[]])[] = [
  [0x4, 1, [{ pin: Desktop.front, first: 0, count: 1 }]],
  [0x3, 2, [{ pin: Desktop.front, first: 0, count: 2 }]],
  [
    0x33,
    4,
    [
      { pin: Desktop.front, first: 0, count: 2 },
      { pin: Desktop.surround, first: 2, count: 2 },
    ],
  ],
  [
    0x3f,
    6,
    [
      { pin: Desktop.front, first: 0, count: 2 },
      { pin: Desktop.centre, first: 2, count: 2 },
      { pin: Desktop.surround, first: 4, count: 2 },
    ],
  ],
  [
    0x60f,
    6,
    [
      { pin: Desktop.front, first: 0, count: 2 },
      { pin: Desktop.centre, first: 2, count: 2 },
      { pin: Desktop.side, first: 4, count: 2 },
    ],
  ],
  [
    0x63f,
    8,
    [
      { pin: Desktop.front, first: 0, count: 2 },
      { pin: Desktop.centre, first: 2, count: 2 },
      { pin: Desktop.surround, first: 4, count: 2 },
      { pin: Desktop.side, first: 6, count: 2 },
    ],
  ],
];
const SAMPLES = [
  [16, 16],
  [32, 20],
  [32, 24],
] as const;
const MODES: readonly StreamMode[] = ['timer', 'event', 'packet'];

describe('playback, bit by bit', () => {
  const anyFormat = fc.record({
    rate: fc.constantFrom(...KHZ),
    sample: fc.constantFrom(...SAMPLES),
    speakers: fc.constantFrom(...SPEAKERS),
    mode: fc.constantFrom(...MODES),
    bufferMs: fc.integer({ min: 3, max: 200 }),
    frames: fc.integer({ min: 1, max: 6000 }),
    seed: fc.integer(),
  });

  it('at any rate, size and number of channels, through buffers of any length', () => {
    fc.assert(
      fc.property(anyFormat, ({ rate, sample, speakers, mode, bufferMs, frames, seed }) => {
        using bench = new HdaBench();
        const [channelMask, channels, jacks] = speakers;
        const [containerBits, validBits] = sample;
        const format = audioFormat({ sampleRate: rate, channels, channelMask, containerBits, validBits });
        const samples = noise(format, frames, seed);
        play(bench, endpointOf(bench, 'render', 'Speakers'), format, samples, mode, bufferMs);
        for (const { pin, first, count } of jacks) {
          const wanted = channelsOf(samples, channels, first, count);
          const heard = valuesOf(format, bench.heard(pin));
          const mono = count === 1 ? channelsOf(heard, 2, 0, 1) : heard;
          expectSame(mono, wanted, `${formatToString(format)}, ${mode}, pin ${pin}`);
          // One channel is heard on both sides.
          if (count === 1) expect(channelsOf(heard, 2, 1, 1)).toEqual(mono);
        }
        const silent = [Desktop.front, Desktop.centre, Desktop.surround, Desktop.side].filter(
          (pin) => !jacks.some((jack) => jack.pin === pin),
        );
        for (const pin of silent) expect(bench.heard(pin)).toHaveLength(0);
        expect(bench.findings).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('recording, bit by bit', () => {
  const anyFormat = fc.record({
    rate: fc.constantFrom(...KHZ.filter((rate) => rate !== 176_400)),
    sample: fc.constantFrom(...SAMPLES),
    input: fc.constantFrom(
      ['Line In', Desktop.lineIn] as const,
      ['Front Microphone', Desktop.frontMic] as const,
    ),
    mode: fc.constantFrom<StreamMode>(...MODES),
    bufferMs: fc.integer({ min: 3, max: 200 }),
    frames: fc.integer({ min: 64, max: 6000 }),
    seed: fc.integer(),
  });

  it('at any rate and size, through buffers of any length', () => {
    fc.assert(
      fc.property(anyFormat, ({ rate, sample, input, mode, bufferMs, frames, seed }) => {
        const [endpointName, pin] = input;
        const [containerBits, validBits] = sample;
        const format = audioFormat({ sampleRate: rate, containerBits, validBits });
        // Longer than any start takes.
        const signal = noise(format, frames + rate / 2, seed);
        const atJack = Int32Array.from(signal, (value) => value << (32 - validBits));
        const source = new ArraySource(atJack, { sampleRate: rate, channels: 2 });
        using bench = new HdaBench({ jacks: { [pin]: { source } } });
        const sink = new MemoryPcmWriter(format);
        const stream = bench.audio.openCapture(endpointOf(bench, 'capture', endpointName), {
          sink,
          frames,
          format,
          mode,
          bufferMs,
        });
        stream.start();
        expect(bench.run(() => stream.ended, 20)).toBe(true);
        expect(stream.error).toBe(null);
        expect(stream.statistics().glitches).toBe(0);
        const bytes = sink.bytes.slice();
        const raw = containerBits === 16 ? new Int16Array(bytes.buffer) : new Int32Array(bytes.buffer);
        const heard = valuesOf(format, raw);
        expect(heard).toHaveLength(2 * frames);
        const at = signal.findIndex(
          (value, index) =>
            value === heard[0] && signal[index + 1] === heard[1] && signal[index + 2] === heard[2],
        );
        expect(at).toBeGreaterThanOrEqual(0);
        expectSame(heard, signal.subarray(at, at + 2 * frames), `${formatToString(format)}, ${mode}`);
        expect(bench.findings).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });

  it('from both converters at once, each from a source of its own', () => {
    const rate = 48_000;
    const format = audioFormat({ sampleRate: rate });
    const inputs = [
      { name: 'Line In', pin: Desktop.lineIn, seed: 3 },
      { name: 'Front Microphone', pin: Desktop.frontMic, seed: 4 },
    ].map((input) => ({ ...input, signal: noise(format, 2 * rate, input.seed) }));
    using bench = new HdaBench({
      jacks: Object.fromEntries(
        inputs.map(({ pin, signal }) => [
          pin,
          { source: new ArraySource(Int16Array.from(signal), { sampleRate: rate, channels: 2 }) },
        ]),
      ),
    });
    const streams = inputs.map(({ name, signal }) => {
      const sink = new MemoryPcmWriter(format);
      const stream = bench.audio.openCapture(endpointOf(bench, 'capture', name), {
        sink,
        frames: 9600,
        mode: 'event',
      });
      return { sink, stream, signal };
    });
    for (const { stream } of streams) stream.start();
    expect(bench.run(() => streams.every(({ stream }) => stream.ended))).toBe(true);
    for (const { sink, stream, signal } of streams) {
      expect(stream.error).toBe(null);
      const heard = Int32Array.from(new Int16Array(sink.bytes.slice().buffer));
      const at = signal.findIndex((value, index) => value === heard[0] && signal[index + 1] === heard[1]);
      expectSame(heard, signal.subarray(at, at + heard.length), 'recording');
    }
    expect(bench.findings).toEqual([]);
  });
});

describe('other jacks', () => {
  const DIGITAL: readonly (readonly [
    codec: HdaCodecName,
    endpoint: string,
    pin: number,
    channels: number,
  ])[] = [
    ['desktop', 'Headphones', Desktop.headphone, 2],
    ['desktop', 'S/PDIF Out', Desktop.spdif, 2],
    ['hdmi', 'HDMI', 3, 2],
    ['hdmi', 'HDMI', 3, 6],
    ['hdmi', 'HDMI', 3, 8],
  ];

  it.each(DIGITAL)(
    'of the %s codec: %s (pin %i) plays %i channels bit by bit in every format',
    (codec, name, pin, channels) => {
      for (const sampleRate of [44_100, 96_000, 192_000]) {
        for (const [containerBits, validBits] of SAMPLES) {
          using bench = new HdaBench({ codecs: [codec] });
          const format = audioFormat({ sampleRate, channels, containerBits, validBits });
          const samples = noise(format, 2000, sampleRate + validBits);
          play(bench, endpointOf(bench, 'render', name), format, samples, 'event', 20);
          expectSame(valuesOf(format, bench.heard(pin)), samples, formatToString(format));
          expect(bench.findings).toEqual([]);
        }
      }
    },
  );

  it.each([
    ['desktop', 4, Desktop.spdif],
    ['hdmi', 0, 3],
  ] as const)('of the %s codec carry AC-3 as it is', (codec, hostPin, jack) => {
    using bench = new HdaBench({ codecs: [codec] });
    const wave = waveFormatEx(WAVE_FORMAT_DOLBY_AC3_SPDIF, 48_000, 2, 16);
    const filter = bench.openFilter('Wave');
    const pin = bench.openPin(filter, hostPin, dataFormatOfWave(wave));
    const { actualBufferSize, bufferAddress } = pin.allocateBuffer(7680, 2);
    const burst = whiteNoise(actualBufferSize / 2, 5);
    bench.process.writeMemory(bufferAddress, new Uint8Array(burst.buffer));
    setState(pin, KSSTATE_RUN);
    bench.pass(30);
    bench.card.catchUp();
    const heard = bench.heard(jack);
    expect(heard.length).toBeGreaterThan(2 * 48 * 25);
    expect(heard.findIndex((sample, index) => sample !== burst[index % burst.length])).toBe(-1);
    // The channel status says that it is not sound.
    const converter = [...(bench.card.codecs.get(0)?.widgets.values() ?? [])].find(
      ({ definition }) => definition.kind === 'audio-output' && definition.digital,
    );
    expect((converter?.digitalControl ?? 0) & 0x20).toBe(0x20);
    pin.close();
    for (const wrong of [
      waveFormatEx(WAVE_FORMAT_DOLBY_AC3_SPDIF, 96_000, 2, 16),
      waveFormatEx(WAVE_FORMAT_DOLBY_AC3_SPDIF, 48_000, 6, 16),
    ])
      expect(() => bench.openPin(filter, hostPin, dataFormatOfWave(wrong))).toThrow();
    if (codec === 'desktop') expect(() => bench.openPin(filter, 0, dataFormatOfWave(wave))).toThrow();
    filter.close();
    expect(bench.findings).toEqual([]);
  });

  it('are found in the format that loses nothing of 24 packed bits', () => {
    using bench = new HdaBench();
    const format = audioFormat({ containerBits: 24 });
    const stream = bench.audio.openRender(endpointOf(bench, 'render', 'Headphones'), {
      source: new MemoryPcmReader(format, new Uint8Array(6 * 480)),
    });
    expect(formatToString(stream.format)).toBe('48000 Hz, 2 channels, 24-bit in 32');
    stream.close();
  });
});
