/**
 * The stream format word that SDnFMT and the converters' format verb share (HDA specification 1.0a, §3.7.1), both ways.
 */

/** A stream format in numbers. */
export interface HdaFormat {
  readonly word: number;
  /** Not PCM: the bits are an encoded stream; they pass as they are. */
  readonly nonPcm: boolean;
  /** The rate is `rateNumerator` ÷ `rateDivisor` frames a second. */
  readonly rateNumerator: number;
  readonly rateDivisor: number;
  readonly bits: 8 | 16 | 20 | 24 | 32;
  /** Bytes a sample takes in memory. */
  readonly containerBytes: 1 | 2 | 4;
  readonly channels: number;
  readonly frameBytes: number;
  /** Reserved codes: bits 5–7, multipliers 4–7, bit 7. */
  readonly reserved: boolean;
}

const BITS = [8, 16, 20, 24, 32] as const;
/** The multipliers that have a code: ×1 … ×4. */
const MULTIPLIERS = [1, 2, 3, 4] as const;

/** Takes a format word apart. Reserved codes are read as the nearest valid ones. */
export function decodeHdaFormat(word: number): HdaFormat {
  const bitsCode = (word >>> 4) & 7;
  const multiplierCode = (word >>> 11) & 7;
  const bits = BITS[bitsCode] ?? 32;
  const base = (word & 0x4000) !== 0 ? 44_100 : 48_000;
  const containerBytes = bits === 8 ? 1 : bits === 16 ? 2 : 4;
  const channels = (word & 0x0f) + 1;
  return {
    word: word & 0xffff,
    nonPcm: (word & 0x8000) !== 0,
    rateNumerator: base * (MULTIPLIERS[multiplierCode] ?? 4),
    rateDivisor: ((word >>> 8) & 7) + 1,
    bits,
    containerBytes,
    channels,
    frameBytes: channels * containerBytes,
    reserved: bitsCode >= BITS.length || multiplierCode >= MULTIPLIERS.length || (word & 0x80) !== 0,
  };
}

/**
 * The format word for a rate in Hz, bits and channels; null when no base, multiplier and divisor make the rate. Where several do,
 * the plainest: base rate before multiplier, multiplier before divisor.
 */
export function encodeHdaFormat(sampleRate: number, bits: number, channels: number): number | null {
  const bitsCode = (BITS as readonly number[]).indexOf(bits);
  if (bitsCode < 0 || channels < 1 || channels > 16 || !Number.isInteger(channels)) return null;
  for (let divisor = 1; divisor <= 8; divisor++) {
    for (const multiplier of MULTIPLIERS) {
      for (const base of [48_000, 44_100]) {
        if (base * multiplier !== sampleRate * divisor) continue;
        const rate = (base === 44_100 ? 0x4000 : 0) | ((multiplier - 1) << 11) | ((divisor - 1) << 8);
        return rate | (bitsCode << 4) | (channels - 1);
      }
    }
  }
  return null;
}

/** `48000 Hz 16 bit 2 ch` */
export function describeHdaFormat(word: number): string {
  const format = decodeHdaFormat(word);
  const rate = format.rateNumerator / format.rateDivisor;
  const text = `${Math.round(rate * 100) / 100} Hz ${format.bits} bit ${format.channels} ch`;
  return format.nonPcm ? `non-PCM ${text}` : text;
}

/** Rates of the supported-PCM parameter, by bit (§7.3.4.7). */
export const HDA_PCM_RATES = [
  8000, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000, 384_000,
] as const;
/** Sample sizes of the supported-PCM parameter, from bit 16 on. */
export const HDA_PCM_BITS = BITS;

/** The supported-PCM parameter for lists of rates and sizes. Throws a RangeError for one that has no bit. */
export function pcmParameter(rates: readonly number[], bits: readonly number[]): number {
  let value = 0;
  for (const rate of rates) value |= 1 << indexIn(HDA_PCM_RATES, rate);
  for (const size of bits) value |= 1 << (16 + indexIn(HDA_PCM_BITS, size));
  return value >>> 0;
}

/** True when a supported-PCM parameter has the rate and size of a format. */
export function pcmSupports(parameter: number, format: HdaFormat): boolean {
  const rate = (HDA_PCM_RATES as readonly number[]).indexOf(format.rateNumerator / format.rateDivisor);
  const size = (HDA_PCM_BITS as readonly number[]).indexOf(format.bits);
  return rate >= 0 && (parameter & (1 << rate)) !== 0 && (parameter & (1 << (16 + size))) !== 0;
}

function indexIn(list: readonly number[], value: number): number {
  const index = list.indexOf(value);
  if (index < 0) throw new RangeError(`${value} is none of ${list.join(', ')}`);
  return index;
}
