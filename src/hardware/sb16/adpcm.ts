/**
 * Creative's ADPCM, which the DSP decodes by itself: codes of 4, 2.6 or 2 bits move an eight-bit level by a step whose size follows the
 * codes. The guide gives the commands and no arithmetic; the steps are those that decoders of Creative's VOC files share.
 */

/** 4 bits: two codes a byte; 2.6 bits: codes of 3, 3 and 2 bits; 2 bits: four codes. */
export type AdpcmKind = '4' | '2.6' | '2';

interface AdpcmFormat {
  /** Bits of each code in a byte, highest first. */
  readonly codeBits: readonly number[];
  /** Bits of a code's magnitude when all of it is there. */
  readonly magnitudeBits: number;
  /** Multipliers of 2 × magnitude + 1 by step; the first step takes the magnitude itself. */
  readonly multipliers: readonly number[];
  /** Magnitudes from this on make the step larger; 0 makes it smaller. */
  readonly growsFrom: number;
}

const FORMATS: Readonly<Record<AdpcmKind, AdpcmFormat>> = {
  '4': { codeBits: [4, 4], magnitudeBits: 3, multipliers: [0, 1, 2, 4], growsFrom: 5 },
  '2.6': { codeBits: [3, 3, 2], magnitudeBits: 2, multipliers: [0, 1, 2, 4, 5], growsFrom: 3 },
  '2': { codeBits: [2, 2, 2, 2], magnitudeBits: 1, multipliers: [0, 1, 2, 4, 8, 16], growsFrom: 1 },
};

/** Samples in one byte. */
export function adpcmSamplesPerByte(kind: AdpcmKind): number {
  return FORMATS[kind].codeBits.length;
}

/** State of the decoder: it lives on from command to command, until a reference byte or a reset. */
export class AdpcmDecoder {
  #level = 0x80;
  #step = 0;

  /** The last sample, 0–255 with 128 in the middle. */
  get level(): number {
    return this.#level;
  }

  /** A reference byte: the level itself, and the smallest step. */
  setReference(level: number): void {
    this.#level = level & 0xff;
    this.#step = 0;
  }

  reset(): void {
    this.setReference(0x80);
  }

  /** Decodes one byte; unsigned samples go to `into` from `at` on. Returns how many. */
  decode(kind: AdpcmKind, byte: number, into: Uint8Array, at: number): number {
    const { codeBits, magnitudeBits } = FORMATS[kind];
    let left = 8;
    for (let i = 0; i < codeBits.length; i++) {
      const bits = codeBits[i]!;
      left -= bits;
      const raw = (byte >> left) & ((1 << bits) - 1);
      // The third code of 2.6 bits lacks its lowest bit.
      into[at + i] = this.#next(kind, raw << (magnitudeBits + 1 - bits));
    }
    return codeBits.length;
  }

  #next(kind: AdpcmKind, code: number): number {
    const { magnitudeBits, multipliers, growsFrom } = FORMATS[kind];
    const magnitude = code & ((1 << magnitudeBits) - 1);
    const step = Math.min(this.#step, multipliers.length - 1);
    const delta = step === 0 ? magnitude : (2 * magnitude + 1) * multipliers[step]!;
    const moved = code >> magnitudeBits !== 0 ? this.#level - delta : this.#level + delta;
    this.#level = Math.max(0, Math.min(255, moved));
    if (magnitude >= growsFrom) this.#step = Math.min(step + 1, multipliers.length - 1);
    else if (magnitude === 0) this.#step = Math.max(step - 1, 0);
    else this.#step = step;
    return this.#level;
  }
}
