import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AudioFormat } from '../audio-format.ts';
import { audioFormat, frameBytes } from '../audio-format.ts';
import { MemoryPcmReader, MemoryPcmWriter } from '../pcm.ts';
import {
  ChannelMatrix,
  ConvertingPcmWriter,
  channelMatrix,
  describeConversion,
  Pipeline,
  SampleDecoder,
  SampleEncoder,
} from './index.ts';

const noise = (length: number): Uint8Array => {
  let x = 0x2545f491;
  return Uint8Array.from({ length }, () => {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    return x >>> 24;
  });
};

function readAll(
  reader: { read(into: Uint8Array, at: number, length: number): number },
  step: number,
): Uint8Array {
  const bytes: number[] = [];
  const block = new Uint8Array(step);
  for (;;) {
    const got = reader.read(block, 0, step);
    if (got === 0) return Uint8Array.from(bytes);
    bytes.push(...block.subarray(0, got));
  }
}

const through = (from: AudioFormat, to: AudioFormat, bytes: Uint8Array, step = 4096) =>
  readAll(new Pipeline(new MemoryPcmReader(from, bytes), to), step);

const int16 = (values: readonly number[]) => new Uint8Array(Int16Array.from(values).buffer);
const asInt16 = (bytes: Uint8Array) => Array.from(new Int16Array(bytes.slice().buffer));
const encoded = (
  format: AudioFormat,
  values: readonly number[],
  dither: 'none' | 'tpdf' = 'none',
  seed = 1,
) => {
  const bytes = new Uint8Array((values.length * format.containerBits) / 8);
  const encoder = new SampleEncoder(format, { dither, ditherSeed: seed });
  encoder.encode(Float64Array.from(values), 0, values.length, new DataView(bytes.buffer), 0);
  return bytes;
};

describe('sample formats', () => {
  const widening = [
    [8, 16],
    [8, 24],
    [16, 24],
    [16, 32],
    [24, 32],
    [32, 32],
  ] as const;
  it.each(widening)('%i bits go to %i bits and back without loss', (narrow, wide) => {
    const a = audioFormat({ containerBits: narrow });
    const b = audioFormat({ containerBits: wide });
    const bytes = noise(480 * frameBytes(a));
    expect(through(b, a, through(a, b, bytes))).toEqual(bytes);
  });

  it.each([
    [8, 32],
    [16, 32],
    [24, 32],
    [32, 64],
  ] as const)('%i-bit integers go to %i-bit float and back without loss', (bits, floatBits) => {
    const a = audioFormat({ containerBits: bits });
    const b = audioFormat({ encoding: 'float', containerBits: floatBits });
    const bytes = noise(480 * frameBytes(a));
    expect(through(b, a, through(a, b, bytes))).toEqual(bytes);
  });

  it('have their full scale at ±1', () => {
    const into = new Float64Array(2);
    const bytes = new DataView(Int16Array.of(-32768, 16384).buffer);
    new SampleDecoder(audioFormat()).decode(bytes, 0, 2, into, 0);
    expect(Array.from(into)).toEqual([-1, 0.5]);
    new SampleDecoder(audioFormat({ containerBits: 8 })).decode(
      new DataView(Uint8Array.of(0, 128).buffer),
      0,
      2,
      into,
      0,
    );
    expect(Array.from(into)).toEqual([-1, 0]);
  });

  it('round to the nearest step, ties to even, and saturate', () => {
    const steps = [0.5, 1.5, 2.5, -0.5, -1.5, 0.49, -0.51, 99999, -99999, 32766.6].map(
      (value) => value / 32768,
    );
    expect(asInt16(encoded(audioFormat(), steps))).toEqual([0, 2, 2, 0, -2, 0, -1, 32767, -32768, 32767]);
  });

  it('leave unused bits of the container zero', () => {
    const bytes = encoded(audioFormat({ containerBits: 32, validBits: 20 }), [0.123456789, -0.987654321]);
    for (const value of new Int32Array(bytes.buffer)) expect(value & 0xfff).toBe(0);
  });

  it('treat what is no number, and infinity, as silence', () => {
    const source = new Uint8Array(Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, 0.5, -0.5).buffer);
    expect(asInt16(through(audioFormat({ encoding: 'float' }), audioFormat(), source))).toEqual([
      0, 0, 16384, -16384,
    ]);
  });

  it('dither with triangular noise: no offset, 1/4 step² above rounding, the same bytes for the same seed', () => {
    const values = Array.from({ length: 40_000 }, () => 0.3 / 32768);
    const format = audioFormat({ channels: 1 });
    const steps = asInt16(encoded(format, values, 'tpdf', 7));
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
    const variance = steps.reduce((sum, step) => sum + (step - 0.3) ** 2, 0) / steps.length;
    expect(mean).toBeCloseTo(0.3, 2);
    expect(variance).toBeCloseTo(1 / 4, 1);
    expect(Math.max(...steps)).toBeLessThanOrEqual(1);
    expect(asInt16(encoded(format, values, 'tpdf', 7))).toEqual(steps);
    expect(asInt16(encoded(format, values, 'tpdf', 8))).not.toEqual(steps);
    // A conversion that loses nothing is not dithered.
    const bytes = noise(400);
    const wide = new Pipeline(
      new MemoryPcmReader(format, bytes),
      audioFormat({ channels: 1, containerBits: 24 }),
      { dither: 'tpdf' },
    );
    expect(through(audioFormat({ channels: 1, containerBits: 24 }), format, readAll(wide, 999))).toEqual(
      bytes,
    );
  });
});

describe('channels', () => {
  const layout = (channels: number, channelMask?: number) =>
    audioFormat({ channels, ...(channelMask === undefined ? {} : { channelMask }) });
  const gains = (from: AudioFormat, to: AudioFormat) =>
    Array.from(channelMatrix(from, to).gains, (gain) => Number(gain.toFixed(4)));

  it('mono goes to both sides at full level, stereo to mono as the mean', () => {
    expect(gains(layout(1), layout(2))).toEqual([1, 1]);
    expect(gains(layout(2), layout(1))).toEqual([0.5, 0.5]);
  });

  it('stereo keeps its places in larger layouts', () => {
    expect(gains(layout(2), layout(4))).toEqual([1, 0, 0, 1, 0, 0, 0, 0]);
  });

  it('5.1 folds into stereo after BS.775, scaled so that nothing clips', () => {
    const [left, right] = [gains(layout(6), layout(2)).slice(0, 6), gains(layout(6), layout(2)).slice(6)];
    expect(left).toEqual([0.4142, 0, 0.2929, 0, 0.2929, 0]);
    expect(right).toEqual([0, 0.4142, 0.2929, 0, 0, 0.2929]);
  });

  it('5.1 with side speakers and 5.1 with back speakers stand in for each other', () => {
    expect(channelMatrix(layout(6, 0x60f), layout(6, 0x3f)).isIdentity).toBe(true);
  });

  it('a 7.1 layout gives 5.1 its backs', () => {
    const rows = gains(layout(8), layout(6));
    expect(rows.slice(4 * 8, 5 * 8).filter((gain) => gain !== 0)).toHaveLength(2);
  });

  it('masks that name too few places map by number', () => {
    expect(gains(layout(3, 0x3), layout(2, 0))).toEqual([1, 0, 0, 0, 1, 0]);
  });

  it('never amplify, whatever the layouts', () => {
    const mask = (channels: number) =>
      fc
        .uniqueArray(fc.integer({ min: 0, max: 17 }), { minLength: channels, maxLength: channels })
        .map((bits) => bits.reduce((sum, bit) => sum + 2 ** bit, 0));
    const anyLayout = fc
      .integer({ min: 1, max: 8 })
      .chain((channels) => mask(channels).map((bits) => layout(channels, bits)));
    fc.assert(
      fc.property(anyLayout, anyLayout, (from, to) => {
        const matrix = channelMatrix(from, to);
        for (let row = 0; row < matrix.outputs; row++) {
          const sum = matrix.gains
            .subarray(row * matrix.inputs, (row + 1) * matrix.inputs)
            .reduce((a, b) => a + b, 0);
          expect(sum).toBeLessThanOrEqual(1 + 1e-12);
        }
      }),
    );
  });

  it('can be given gains of one’s own, of the right size', () => {
    const source = new MemoryPcmReader(layout(2), int16([100, 200]));
    const swapped = new Pipeline(source, layout(2), { matrix: new ChannelMatrix(2, 2, [0, 1, 1, 0]) });
    expect(asInt16(readAll(swapped, 64))).toEqual([200, 100]);
    expect(() => new ChannelMatrix(2, 2, [1])).toThrow(/1 gains given; 2 × 2 channels need 4/);
    expect(() => new Pipeline(source, layout(1), { matrix: new ChannelMatrix(2, 2, [0, 1, 1, 0]) })).toThrow(
      /2 to 1 are needed/,
    );
  });
});

describe('the pipeline', () => {
  it('hands bytes on untouched when nothing is to be done, NaNs and all', () => {
    const format = audioFormat({ encoding: 'float', channelMask: 0 });
    const bytes = noise(8000);
    const pipeline = new Pipeline(new MemoryPcmReader(format, bytes), audioFormat({ encoding: 'float' }));
    expect(pipeline.passThrough).toBe(true);
    expect(readAll(pipeline, 1000)).toEqual(bytes);
  });

  it('gives the same whichever pieces are asked for, pulled or pushed', () => {
    const anyFormat = fc
      .record({
        containerBits: fc.constantFrom(8, 16, 24, 32),
        channels: fc.integer({ min: 1, max: 6 }),
        sampleRate: fc.constantFrom(8000, 11025, 44100, 48000, 96000, 44101),
      })
      .map(audioFormat);
    fc.assert(
      fc.property(
        anyFormat,
        anyFormat,
        fc.integer({ min: 0, max: 700 }),
        fc.integer({ min: 1, max: 977 }),
        (from, to, frames, step) => {
          const bytes = noise(frames * frameBytes(from));
          const whole = through(from, to, bytes, 1 << 20);
          expect(whole.length).toBe(
            new Pipeline(new MemoryPcmReader(from, bytes), to).frameCount! * frameBytes(to),
          );
          expect(through(from, to, bytes, step + frameBytes(to))).toEqual(whole);
          const sink = new MemoryPcmWriter(to);
          const writer = new ConvertingPcmWriter(from, sink);
          for (let at = 0; at < bytes.length; at += step * frameBytes(from)) {
            writer.write(bytes, at, Math.min(step * frameBytes(from), bytes.length - at));
          }
          writer.end();
          writer.end();
          expect(sink.bytes).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('says what it does', () => {
    const mono = audioFormat({ channels: 1, sampleRate: 44100 });
    expect(describeConversion(mono, audioFormat({ containerBits: 24 }))).toBe(
      '44100 Hz, 1 channel, 16-bit → 48000 Hz, 2 channels, 24-bit: resampled, mixed, requantised',
    );
    expect(new Pipeline(new MemoryPcmReader(mono, noise(2)), mono).describe()).toBe(
      '44100 Hz, 1 channel, 16-bit, unchanged',
    );
  });
});
