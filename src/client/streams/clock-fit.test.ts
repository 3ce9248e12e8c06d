import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ClockFitter } from './clock-fit.ts';

it('finds the rate of a position that runs straight, wherever it begins', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 4000, max: 400_000 }),
      fc.nat(1e12),
      fc.integer({ min: 2, max: 300 }),
      (rate, start, count) => {
        const fitter = new ClockFitter(rate);
        for (let i = 0; i < count; i++) fitter.add(start + i * 100_000, (i * rate) / 100);
        const { rateHz, rmsErrorFrames, samples } = fitter.result();
        expect(rateHz / rate).toBeCloseTo(1, 9);
        expect(rmsErrorFrames).toBeLessThan(0.1);
        expect(samples).toBe(count);
      },
    ),
  );
});

it('tells jitter from drift', () => {
  const fitter = new ClockFitter(48000);
  for (let i = 0; i < 1000; i++) fitter.add(i * 100_000, i * 480.48 + (i % 2 === 0 ? 5 : -5));
  const { rateHz, rmsErrorFrames, maxStepErrorFrames } = fitter.result();
  expect(rateHz).toBeCloseTo(48048, 1);
  expect(rmsErrorFrames).toBeCloseTo(5, 1);
  expect(maxStepErrorFrames).toBeCloseTo(10.48, 6);
});

it('knows no rate before two readings, nor right after a pause', () => {
  const fitter = new ClockFitter(48000);
  expect(fitter.result()).toEqual({ samples: 0, rateHz: 0, rmsErrorFrames: 0, maxStepErrorFrames: 0 });
  fitter.add(5, 5);
  expect(fitter.result().rateHz).toBe(0);
  fitter.add(10_000_005, 48_005);
  expect(fitter.result().rateHz).toBeCloseTo(48000, 6);
  fitter.restart();
  expect(fitter.result().rateHz).toBe(0);
});
