import { FMT_16_BIT, FMT_STEREO } from '../../hardware/es1370/registers.ts';
import { testSignal } from '../test-signal.ts';

/** A channel's two format bits: 0 is 8-bit mono, 1 8-bit stereo, 2 16-bit mono, 3 16-bit stereo. */
export type Es1370Format = 0 | 1 | 2 | 3;

export const FORMATS: readonly Es1370Format[] = [0, 1, 2, 3];
export const STEREO_16: Es1370Format = 3;

/** Unsigned bytes have their middle here. */
export const MIDDLE = 0x80;
/** And here on QEMU's cards. */
export const MIDDLE_ON_QEMU = 0x7f;

export function formatName(format: Es1370Format): string {
  return `${(format & FMT_16_BIT) !== 0 ? '16' : '8'}-bit ${(format & FMT_STEREO) !== 0 ? 'stereo' : 'mono'}`;
}

export function bytesPerFrame(format: Es1370Format): number {
  return ((format & FMT_16_BIT) !== 0 ? 2 : 1) * ((format & FMT_STEREO) !== 0 ? 2 : 1);
}

/** Bytes of a sound without a silent sample that repeats nowhere near. */
export function soundBytes(frames: number, format: Es1370Format, seed: number): Uint8Array {
  const count = frames * bytesPerFrame(format);
  if ((format & FMT_16_BIT) !== 0) {
    const samples = testSignal(count / 2, seed);
    return new Uint8Array(samples.buffer);
  }
  return Uint8Array.from(testSignal(count, seed), (sample) => {
    const value = (sample >> 8) & 0xff;
    return value === MIDDLE ? MIDDLE + 1 : value;
  });
}

/** `count` bytes of silence. */
export function silentBytes(count: number, format: Es1370Format): Uint8Array {
  return new Uint8Array(count).fill((format & FMT_16_BIT) !== 0 ? 0 : MIDDLE);
}

/** What such bytes are at a jack without loss: both sides, 16 bits. Eight bits are unsigned; mono goes to both sides. */
export function heardSamples(bytes: Uint8Array, format: Es1370Format, middle = MIDDLE): Int16Array {
  const wide = (format & FMT_16_BIT) !== 0;
  const samples = wide
    ? new Int16Array(bytes.slice().buffer)
    : Int16Array.from(bytes, (byte) => (byte - middle) << 8);
  return (format & FMT_STEREO) !== 0
    ? samples
    : Int16Array.from({ length: samples.length * 2 }, (_, i) => samples[i >> 1] ?? 0);
}

/** The other way: what a recording of these stereo samples is in memory. Mono is the left side; eight bits are the upper ones. */
export function recordedBytes(samples: Int16Array, format: Es1370Format, middle = MIDDLE): Uint8Array {
  const kept = (format & FMT_STEREO) !== 0 ? samples : samples.filter((_, index) => (index & 1) === 0);
  return (format & FMT_16_BIT) !== 0
    ? new Uint8Array(kept.slice().buffer)
    : Uint8Array.from(kept, (sample) => (sample >> 8) + middle);
}
