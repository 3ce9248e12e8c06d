import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArraySource, MemorySink, ToneSource } from './analog.ts';
import { SampleClock } from './sample-clock.ts';

const STEREO_48 = { sampleRate: 48000, channels: 2 };
const MONO_44 = { sampleRate: 44100, channels: 1 };

describe('MemorySink', () => {
  test('keeps what it is given, though the array is used again', () => {
    const sink = new MemorySink();
    const block = Int16Array.from([1, 2, 3, 4, 99, 99]);
    sink.write(block, 2, STEREO_48, 0);
    block.fill(7);
    expect(sink.samples).toEqual(Int16Array.from([1, 2, 3, 4]));
    expect(sink.frames).toBe(2);
  });

  test('a gap is filled with as many frames as time had', () => {
    const sink = new MemorySink();
    sink.write(Int16Array.from([1, 1]), 1, STEREO_48, 1000);
    sink.write(Int16Array.from([2, 2]), 1, STEREO_48, 1000 + 10_000_000);
    expect(sink.frames).toBe(48001);
    expect(sink.samples[2 * 48000]).toBe(2);
    expect(new Set(sink.samples.subarray(2, 96000))).toEqual(new Set([0]));
    expect(sink.takes[0]!.runs).toEqual([
      { startTick: 1000, firstFrame: 0, frames: 1 },
      { startTick: 10_001_000, firstFrame: 48000, frames: 1 },
    ]);
  });

  test('blocks of one sample grid join without a seam, however they are cut (property)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 8000, max: 48000 }),
        fc.nat(10_000_000),
        (cuts, rate, start) => {
          const sink = new MemorySink();
          const clock = new SampleClock();
          clock.start(start, rate);
          let frame = 0;
          for (const frames of cuts) {
            const block = Int16Array.from({ length: frames }, (_, index) => (frame + index) % 30000);
            sink.write(block, frames, { sampleRate: rate, channels: 1 }, clock.tickOf(frame));
            frame += frames;
          }
          expect(sink.takes[0]!.runs.length).toBe(1);
          expect(sink.samples).toEqual(Int16Array.from({ length: frame }, (_, index) => index % 30000));
        },
      ),
    );
  });

  test('gaps add up exactly: after any number of runs a frame lies where its time is (property)', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            gapTicks: fc.integer({ min: 1000, max: 3_000_000 }),
            frames: fc.integer({ min: 1, max: 50 }),
          }),
          { maxLength: 30 },
        ),
        (runs) => {
          const sink = new MemorySink();
          let tick = 500;
          for (const { gapTicks, frames } of runs) {
            sink.write(new Int16Array(frames).fill(1), frames, MONO_44, tick);
            tick += Math.ceil((frames * 1e7) / 44100) + gapTicks;
          }
          for (const run of sink.takes[0]?.runs ?? []) {
            expect(Math.abs(run.firstFrame - ((run.startTick - 500) * 44100) / 1e7)).toBeLessThanOrEqual(
              0.51,
            );
          }
        },
      ),
    );
  });

  test('another format begins another take', () => {
    const sink = new MemorySink();
    sink.write(Int16Array.from([1, 1]), 1, STEREO_48, 0);
    sink.write(Int16Array.from([2]), 1, MONO_44, 10);
    sink.write(Float32Array.from([0.5]), 1, MONO_44, 500);
    sink.write(Int32Array.from([5]), 1, MONO_44, 800);
    expect(sink.takes.map((take) => [take.format.sampleRate, take.samples.constructor.name])).toEqual([
      [48000, 'Int16Array'],
      [44100, 'Int16Array'],
      [44100, 'Float32Array'],
      [44100, 'Int32Array'],
    ]);
    expect(sink.frames).toBe(4);
    expect(() => sink.samples).toThrow('4 takes');
    sink.clear();
    expect(sink.samples.length).toBe(0);
  });
});

describe('ArraySource', () => {
  test('blocks of one sample grid follow each other, whatever its distance to the signal’s (property)', () => {
    const samples = Int16Array.from({ length: 20_000 }, (_, frame) => frame);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 600_000 }), fc.integer({ min: 1, max: 9 }), (start, frames) => {
        const source = new ArraySource(samples, MONO_44);
        source.read(new Int16Array(1), 1, MONO_44, 0);
        const clock = new SampleClock();
        clock.start(start, 44_100);
        const heard: number[] = [];
        for (let block = 0; block < 20; block++) {
          const into = new Int16Array(frames);
          source.read(into, frames, MONO_44, clock.tickOf(block * frames));
          heard.push(...into);
        }
        const first = heard[0] ?? -1;
        expect(heard).toEqual(heard.map((_, index) => first + index));
      }),
      // Half a frame beside the signal's grid.
      {
        examples: [
          [113, 1],
          [340, 3],
          [342, 8],
          [2608, 3],
          [2381, 8],
        ],
      },
    );
  });

  const samples = Int16Array.from({ length: 20 }, (_, index) => 10 * (index + 1));

  test('gives its samples as they are, by time, and silence after them', () => {
    const source = new ArraySource(samples, { sampleRate: 48000, channels: 2 });
    const clock = new SampleClock();
    clock.start(12_345, 48000);
    const into = new Int16Array(12);
    for (let frame = 0; frame < 12; frame += 6) {
      source.read(into, 6, STEREO_48, clock.tickOf(frame));
      const expected = Array.from({ length: 12 }, (_, index) => samples[frame * 2 + index] ?? 0);
      expect(Array.from(into)).toEqual(expected);
    }
    source.read(into, 1, STEREO_48, clock.tickOf(3));
    expect(Array.from(into.subarray(0, 2))).toEqual([70, 80]);
  });

  test('starts when it is told, loops when it is told', () => {
    const source = new ArraySource(
      Int16Array.from([1, 2, 3]),
      { sampleRate: 10_000, channels: 1 },
      { startTick: 2000, loop: true },
    );
    const into = new Int16Array(5);
    source.read(into, 5, { sampleRate: 10_000, channels: 1 }, 1000);
    expect(Array.from(into)).toEqual([3, 1, 2, 3, 1]);
  });

  test('channels: mono to all, several to their mean; 16 and 32 bits are left-justified', () => {
    const mono = new ArraySource(Int16Array.from([5, -6]), { sampleRate: 48000, channels: 1 });
    const into = new Int32Array(4);
    mono.read(into, 2, STEREO_48, 0);
    expect(Array.from(into)).toEqual([5 * 65536, 5 * 65536, -6 * 65536, -6 * 65536]);
    const stereo = new ArraySource(Int32Array.from([65536, 3 * 65536]), { sampleRate: 48000, channels: 2 });
    const one = new Int16Array(1);
    stereo.read(one, 1, { sampleRate: 48000, channels: 1 }, 0);
    expect(one[0]).toBe(2);
    const quad = new Int16Array(4);
    new ArraySource(Int16Array.from([1, 2]), { sampleRate: 48000, channels: 2 }).read(
      quad,
      1,
      { sampleRate: 48000, channels: 4 },
      0,
    );
    expect(Array.from(quad)).toEqual([1, 2, 0, 0]);
  });

  test('another rate interpolates between the samples', () => {
    const source = new ArraySource(
      Int16Array.from([0, 100, 200, 300]),
      { sampleRate: 24000, channels: 1 },
      { startTick: 0 },
    );
    const into = new Int16Array(6);
    source.read(into, 6, { sampleRate: 48000, channels: 1 }, 0);
    expect(Array.from(into)).toEqual([0, 50, 100, 150, 200, 250]);
  });

  test('an empty array is silence', () => {
    const into = Int16Array.from([9]);
    new ArraySource(new Int16Array(0), MONO_44, { loop: true }).read(into, 1, MONO_44, 0);
    expect(into[0]).toBe(0);
  });
});

describe('ToneSource', () => {
  test('reads that follow each other make one sine, however they are cut', () => {
    const whole = new Int16Array(2000);
    new ToneSource(997, 0.8).read(whole, 1000, STEREO_48, 0);
    const tone = new ToneSource(997, 0.8);
    const clock = new SampleClock();
    for (let frame = 0; frame < 1000; frame += 50) {
      const part = new Int16Array(100);
      tone.read(part, 50, STEREO_48, clock.tickOf(frame));
      expect(part).toEqual(whole.subarray(frame * 2, frame * 2 + 100));
    }
    expect(Math.abs(Math.max(...whole) - 0.8 * 32767)).toBeLessThanOrEqual(1);
  });

  test('its phase is that of the time: a read elsewhere begins there', () => {
    const tone = new ToneSource(1000, 1);
    const into = new Int16Array(1);
    tone.read(into, 1, MONO_44, 20_000);
    expect(into[0]).toBe(0);
    tone.read(into, 1, MONO_44, 17_500);
    expect(into[0]).toBe(-32767);
    tone.read(into, 1, MONO_44, 52_500);
    expect(into[0]).toBe(32767);
  });
});
