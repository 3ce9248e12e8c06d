import { testSignal } from '../test-signal.ts';

/** How samples lie in memory, as the mode byte of a transfer command says. */
export interface PcmKind {
  readonly bits: 8 | 16;
  readonly signed: boolean;
  readonly stereo: boolean;
}

export const U8_MONO: PcmKind = { bits: 8, signed: false, stereo: false };
export const U8_STEREO: PcmKind = { bits: 8, signed: false, stereo: true };
export const S8_MONO: PcmKind = { bits: 8, signed: true, stereo: false };
export const S8_STEREO: PcmKind = { bits: 8, signed: true, stereo: true };
export const U16_MONO: PcmKind = { bits: 16, signed: false, stereo: false };
export const U16_STEREO: PcmKind = { bits: 16, signed: false, stereo: true };
export const S16_MONO: PcmKind = { bits: 16, signed: true, stereo: false };
export const S16_STEREO: PcmKind = { bits: 16, signed: true, stereo: true };

export function kindName({ bits, signed, stereo }: PcmKind): string {
  return `${bits}-bit ${signed ? 'signed' : 'unsigned'} ${stereo ? 'stereo' : 'mono'}`;
}

/** Bytes of one frame in memory. */
export function frameBytes({ bits, stereo }: PcmKind): number {
  return (bits >> 3) * (stereo ? 2 : 1);
}

/** A byte that is silence, or nearly so, in either half of a sample. */
export function silenceByte({ signed }: PcmKind): number {
  return signed ? 0 : 0x80;
}

/** A test sound in memory, and what is to leave the output: 16-bit stereo. */
export interface TestSound {
  readonly bytes: Uint8Array;
  readonly expected: Int16Array;
}

/** Samples that repeat nowhere near, `frames` frames of them, with `tailFrames` of silence behind; `seed` makes another one. */
export function testSound(kind: PcmKind, frames: number, seed: number, tailFrames = 0): TestSound {
  const { bits, signed, stereo } = kind;
  const channels = stereo ? 2 : 1;
  const values = testSignal(frames * channels, seed);
  const expected = new Int16Array(frames * 2);
  const bytes = new Uint8Array((frames + tailFrames) * frameBytes(kind));
  const flip = signed ? 0 : 0x80;
  for (let i = 0; i < values.length; i++) {
    let value = values[i] as number;
    // The upper half must not be 0, or the beginning would not be heard; a step below full scale leaves room for a middle that is off.
    if (bits === 8) value = value >> 8 === 0 ? 0x100 : Math.min(value & ~0xff, 0x7e00);
    else value = Math.min(value, 0x7ffe);
    if (stereo) expected[i] = value;
    else expected.fill(value, 2 * i, 2 * i + 2);
    if (bits === 8) bytes[i] = ((value >> 8) & 0xff) ^ flip;
    else {
      bytes[2 * i] = value & 0xff;
      bytes[2 * i + 1] = ((value >> 8) & 0xff) ^ flip;
    }
  }
  for (let i = frames * frameBytes(kind); i < bytes.length; i++) {
    bytes[i] = bits === 8 ? flip : (i & 1) === 1 ? flip : 0;
  }
  return { bytes, expected };
}
