import { describe, expect, test } from 'vitest';
import { ShelfFilter } from './shelf-filter.ts';

/** Level of a sine of `frequencyHz` behind the filter, in dB, once it has settled. */
function levelAt(filter: ShelfFilter, frequencyHz: number, rate: number): number {
  const frames = rate;
  const samples = new Float64Array(frames * 2);
  for (let frame = 0; frame < frames; frame++) {
    const value = Math.sin((2 * Math.PI * frequencyHz * frame) / rate);
    samples[frame * 2] = value;
    samples[frame * 2 + 1] = -value;
  }
  filter.process(samples, frames, rate);
  let power = 0;
  let apart = 0;
  for (let frame = frames / 2; frame < frames; frame++) {
    apart = Math.max(apart, Math.abs(samples[frame * 2 + 1]! + samples[frame * 2]!));
    power += samples[frame * 2]! ** 2;
  }
  // The channels do not know of each other.
  expect(apart).toBeLessThan(1e-9);
  return 10 * Math.log10(power / (frames / 4));
}

describe('shelving filter', () => {
  test.each([10.5, 6, -3, -10.5])(
    'a low shelf of %f dB lifts the bass by that much, half of it at the corner, and leaves the rest',
    (decibels) => {
      const filter = new ShelfFilter('low', 100);
      filter.setDecibels(decibels);
      expect(levelAt(filter, 10, 48000)).toBeCloseTo(decibels, 1);
      expect(levelAt(filter, 100, 48000)).toBeCloseTo(decibels / 2, 1);
      expect(levelAt(filter, 5000, 48000)).toBeCloseTo(0, 1);
    },
  );

  test.each([10.5, -10.5])('a high shelf of %f dB does it to the treble', (decibels) => {
    const filter = new ShelfFilter('high', 10_000);
    filter.setDecibels(decibels);
    expect(levelAt(filter, 100, 48000)).toBeCloseTo(0, 1);
    expect(levelAt(filter, 10_000, 48000)).toBeCloseTo(decibels / 2, 1);
    expect(levelAt(filter, 23_000, 48000)).toBeCloseTo(decibels, 0);
  });

  test('at a rate below the corner it stays stable', () => {
    const filter = new ShelfFilter('high', 10_000);
    filter.setDecibels(10.5);
    expect(levelAt(filter, 100, 8000)).toBeCloseTo(0, 0);
    expect(levelAt(filter, 3900, 8000)).toBeGreaterThan(5);
  });

  test('flat, it does not touch a sample', () => {
    const filter = new ShelfFilter('low', 100);
    const samples = Float64Array.from([1, 2, 3, 4]);
    filter.process(samples, 2, 48000);
    expect(Array.from(samples)).toEqual([1, 2, 3, 4]);
    filter.setDecibels(3);
    filter.process(samples, 2, 48000);
    filter.setDecibels(0);
    const again = Float64Array.from([1, 2, 3, 4]);
    filter.process(again, 2, 48000);
    expect(Array.from(again)).toEqual([1, 2, 3, 4]);
  });
});
