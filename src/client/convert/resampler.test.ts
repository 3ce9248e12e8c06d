import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResamplerQuality } from './index.ts';
import { Resampler, resampledLength } from './index.ts';

function resample(
  input: Float64Array,
  inputRate: number,
  outputRate: number,
  { channels = 1, quality = 'standard' as ResamplerQuality, blockFrames = 1000 } = {},
): Float64Array {
  const resampler = new Resampler(inputRate, outputRate, channels, quality);
  const frames = input.length / channels;
  const output = new Float64Array(resampledLength(frames, inputRate, outputRate) * channels + channels);
  const block = new Float64Array(blockFrames * channels);
  let produced = 0;
  const drain = () => {
    for (;;) {
      const got = resampler.read(block, blockFrames);
      if (got === 0) return;
      output.set(block.subarray(0, got * channels), produced * channels);
      produced += got;
    }
  };
  for (let at = 0; at < frames; at += blockFrames) {
    const piece = input.subarray(at * channels, Math.min(frames, at + blockFrames) * channels);
    resampler.write(piece, piece.length / channels);
    drain();
  }
  resampler.end();
  drain();
  return output.subarray(0, produced * channels);
}

const sine = (frequencyHz: number, rate: number, frames: number, amplitude = 1) =>
  Float64Array.from(
    { length: frames },
    (_, i) => amplitude * Math.sin((2 * Math.PI * frequencyHz * i) / rate + 0.3),
  );

const rms = (samples: Float64Array) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
const decibels = (ratio: number) => 20 * Math.log10(ratio);

/** What remains when the sine of the given frequency is fitted and taken away, and the fitted amplitude and phase. */
function withoutSine(samples: Float64Array, frequencyHz: number, rate: number) {
  const w = (2 * Math.PI * frequencyHz) / rate;
  let ss = 0;
  let sc = 0;
  let cc = 0;
  let xs = 0;
  let xc = 0;
  for (const [i, x] of samples.entries()) {
    const s = Math.sin(w * i);
    const c = Math.cos(w * i);
    ss += s * s;
    sc += s * c;
    cc += c * c;
    xs += x * s;
    xc += x * c;
  }
  const determinant = ss * cc - sc * sc;
  const a = (xs * cc - xc * sc) / determinant;
  const b = (xc * ss - xs * sc) / determinant;
  const rest = samples.map((x, i) => x - a * Math.sin(w * i) - b * Math.cos(w * i));
  return { rest, amplitude: Math.hypot(a, b), phase: Math.atan2(b, a) };
}

const middle = (samples: Float64Array, margin: number) => samples.subarray(margin, samples.length - margin);

describe('the resampler', () => {
  it.each([
    [44100, 48000, 1000],
    [44100, 48000, 19000],
    [48000, 44100, 1000],
    [48000, 44100, 19500],
    [96000, 48000, 15000],
    [48000, 96000, 21000],
    [8000, 48000, 3000],
    [44100, 44101, 9000],
    [192000, 44101, 9000],
  ])(
    '%i → %i Hz: distortion and noise of a sine at %i Hz lie below −100 dB, its level within 0.01 dB',
    (from, to, frequency) => {
      const output = middle(resample(sine(frequency, from, from / 2), from, to), 600);
      const { rest, amplitude } = withoutSine(output, frequency, to);
      expect(decibels(rms(rest) / (amplitude / Math.SQRT2))).toBeLessThan(-100);
      expect(Math.abs(decibels(amplitude))).toBeLessThan(0.01);
    },
  );

  it.each([
    ['standard', 96000, 44100, 24200],
    ['standard', 96000, 44100, 40000],
    ['standard', 96000, 48000, 30000],
    ['standard', 192000, 48000, 26400],
    ['best', 48000, 44100, 22100],
    ['best', 96000, 44100, 22060],
    ['best', 96000, 48000, 24010],
  ] as const)(
    '%s, %i → %i Hz: a sine at %i Hz, which would fold, is stopped by more than 100 dB',
    (quality, from, to, frequency) => {
      const output = middle(resample(sine(frequency, from, from / 4), from, to, { quality }), 600);
      expect(decibels(rms(output) / Math.SQRT1_2)).toBeLessThan(-100);
    },
  );

  it('folds nothing into the pass band: a sine between pass and stop edge appears above 20 kHz only', () => {
    const output = middle(resample(sine(23000, 48000, 24000), 48000, 44100), 600);
    expect(decibels(rms(withoutSine(output, 44100 - 23000, 44100).rest))).toBeLessThan(-100);
  });

  it('is flat to 20 kHz at 44.1 kHz', () => {
    for (let frequency = 20; frequency <= 20000; frequency += 1665) {
      const output = middle(resample(sine(frequency, 44100, 11025), 44100, 48000), 600);
      expect(
        Math.abs(decibels(withoutSine(output, frequency, 48000).amplitude)),
        `${frequency} Hz`,
      ).toBeLessThan(0.01);
    }
  });

  it('delays nothing: the phase of a sine is kept', () => {
    for (const [from, to] of [
      [44100, 48000],
      [48000, 44100],
      [48000, 8000],
    ] as const) {
      const output = resample(sine(440, from, from), from, to);
      const frames = 1200;
      const { phase } = withoutSine(output.subarray(frames, frames + to / 2), 440, to);
      const expected = (0.3 + (2 * Math.PI * 440 * frames) / to) % (2 * Math.PI);
      expect(Math.cos(phase - expected)).toBeCloseTo(1, 9);
    }
  });

  it('does not drift: after a minute the sine is where it belongs', () => {
    const rate = 44100;
    const output = resample(sine(997, rate, rate * 60), rate, 48000, { blockFrames: 4096 });
    expect(output.length).toBe(48000 * 60);
    const frames = 48000 * 59;
    const { phase, rest } = withoutSine(output.subarray(frames, frames + 24000), 997, 48000);
    const expected = (0.3 + 2 * Math.PI * ((997 * frames) / 48000)) % (2 * Math.PI);
    expect(Math.cos(phase - expected)).toBeCloseTo(1, 8);
    expect(decibels(rms(rest))).toBeLessThan(-100);
  });

  it('keeps a constant constant', () => {
    for (const to of [48000, 8000, 44101]) {
      const output = middle(resample(new Float64Array(22050).fill(0.25), 44100, to), 600);
      for (const value of output) expect(Math.abs(value - 0.25)).toBeLessThan(1e-12);
    }
  });

  it('gives exactly round(n × out ÷ in) frames, whatever the pieces, and the same ones', () => {
    const rate = fc.oneof(
      fc.constantFrom(8000, 11025, 22050, 44100, 48000, 96000, 192000),
      fc.integer({ min: 4000, max: 200_000 }),
    );
    fc.assert(
      fc.property(
        rate,
        rate,
        fc.integer({ min: 0, max: 800 }),
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 3 }),
        (from, to, frames, blockFrames, channels) => {
          fc.pre(from / to < 30 && to / from < 30);
          const input = Float64Array.from({ length: frames * channels }, (_, i) => Math.sin(i * i));
          const output = resample(input, from, to, { channels, blockFrames });
          expect(output.length / channels).toBe(Math.round((frames * to) / from));
          expect(output).toEqual(resample(input, from, to, { channels, blockFrames: 1000 }));
        },
      ),
      { numRuns: 60 },
    );
  });

  it('treats channels alike and apart', () => {
    const left = sine(1000, 44100, 4410);
    const right = sine(3000, 44100, 4410, 0.5);
    for (const channels of [2, 3]) {
      const together = new Float64Array(4410 * channels);
      for (let i = 0; i < 4410; i++) together.set([left[i]!, right[i]!], i * channels);
      const output = resample(together, 44100, 48000, { channels });
      const alone = resample(left, 44100, 48000);
      const other = resample(right, 44100, 48000);
      for (let i = 0; i < 4800; i++) {
        expect(output[i * channels]).toBeCloseTo(alone[i]!, 12);
        expect(output[i * channels + 1]).toBeCloseTo(other[i]!, 12);
      }
    }
  });

  it('counts the frames of very long recordings exactly', () => {
    expect(resampledLength(44100 * 1e9 + 1, 44100, 48000)).toBe(48000 * 1e9 + 1);
    expect(resampledLength(0, 44100, 48000)).toBe(0);
    expect(resampledLength(1, 96000, 48000)).toBe(1);
  });
});
