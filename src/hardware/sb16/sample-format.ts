/** How samples lie in memory, and what they are on the way to and from the converters: interleaved 16-bit stereo. */

/** PCM as a transfer command's mode byte says. */
export interface PcmCoding {
  readonly bits: 8 | 16;
  readonly signed: boolean;
  readonly stereo: boolean;
}

/** Bytes of one frame in memory. */
export function frameBytes({ bits, stereo }: PcmCoding): number {
  return (bits >> 3) * (stereo ? 2 : 1);
}

/**
 * Decodes `frames` frames of little-endian PCM into 16-bit stereo from frame `at` on. Eight bits become the upper half of sixteen; mono
 * goes to both sides.
 */
export function decodePcm(
  coding: PcmCoding,
  bytes: Uint8Array,
  frames: number,
  into: Int16Array,
  at: number,
): void {
  const { bits, signed, stereo } = coding;
  let to = at * 2;
  if (bits === 8) {
    const flip = signed ? 0 : 0x80;
    if (stereo) {
      const end = to + frames * 2;
      for (let from = 0; to < end; from++, to++) into[to] = (bytes[from]! ^ flip) << 8;
    } else {
      for (let from = 0; from < frames; from++, to += 2) {
        const sample = (bytes[from]! ^ flip) << 8;
        into[to] = sample;
        into[to + 1] = sample;
      }
    }
    return;
  }
  const flip = signed ? 0 : 0x8000;
  if (stereo) {
    const end = to + frames * 2;
    for (let from = 0; to < end; from += 2, to++) into[to] = (bytes[from]! | (bytes[from + 1]! << 8)) ^ flip;
  } else {
    for (let from = 0; from < frames * 2; from += 2, to += 2) {
      const sample = (bytes[from]! | (bytes[from + 1]! << 8)) ^ flip;
      into[to] = sample;
      into[to + 1] = sample;
    }
  }
}

/** Encodes 16-bit stereo as {@link decodePcm} decodes it; mono is the left side, eight bits are the upper half. Returns the bytes written. */
export function encodePcm(
  coding: PcmCoding,
  samples: Int16Array,
  frames: number,
  into: Uint8Array,
  at: number,
): number {
  const { bits, signed, stereo } = coding;
  const step = stereo ? 1 : 2;
  const count = frames * 2;
  let to = at;
  if (bits === 8) {
    const flip = signed ? 0 : 0x80;
    for (let from = 0; from < count; from += step) into[to++] = (samples[from]! >> 8) ^ flip;
    return to - at;
  }
  const flip = signed ? 0 : 0x8000;
  for (let from = 0; from < count; from += step) {
    const sample = samples[from]! ^ flip;
    into[to++] = sample & 0xff;
    into[to++] = (sample >> 8) & 0xff;
  }
  return to - at;
}
