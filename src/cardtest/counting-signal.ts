import type { CardSignal } from './card-under-test.ts';

const PERIOD = 30_000;

/** A signal whose every sample tells its place: left counts 1, 2, 3 … 30000 and begins again, right is its negative. */
export function countingSignal(sampleRate: number): CardSignal {
  return {
    sampleRate,
    channels: 2,
    samples: Int16Array.from({ length: PERIOD * 2 }, (_, i) => ((i >> 1) + 1) * ((i & 1) === 0 ? 1 : -1)),
  };
}

/** True when these stereo samples are a stretch of a {@link countingSignal} without a gap. */
export function isContiguous(samples: Int16Array): boolean {
  if (samples.length < 2) return false;
  for (let i = 0; i + 1 < samples.length; i += 2) {
    const left = samples[i] as number;
    if (left < 1 || left > PERIOD || samples[i + 1] !== -left) return false;
    const before = i === 0 ? null : (samples[i - 2] as number);
    if (before !== null && left !== (before % PERIOD) + 1) return false;
  }
  return true;
}
