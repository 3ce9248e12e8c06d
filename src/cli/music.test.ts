import { describe, expect, it } from 'vitest';
import { makeMusic } from './music.ts';

describe('the piece that npm start plays', () => {
  const rate = 8_000;
  const samples = makeMusic(rate);

  it('is the same every time, fills the promised length and never clips', () => {
    expect(makeMusic(rate)).toEqual(samples);
    expect(samples.length / 2 / rate).toBeCloseTo(21.5, 3);
    let peak = 0;
    for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
    expect(peak).toBeGreaterThan(26_000);
    expect(peak).toBeLessThan(26_300);
  });

  it('is music throughout: no second is silent, and both channels sound', () => {
    for (let second = 0; second < 21; second++) {
      for (const channel of [0, 1]) {
        let energy = 0;
        for (let i = 0; i < rate; i++) energy += (samples[(second * rate + i) * 2 + channel] ?? 0) ** 2;
        expect(Math.sqrt(energy / rate)).toBeGreaterThan(300);
      }
    }
  });
});
