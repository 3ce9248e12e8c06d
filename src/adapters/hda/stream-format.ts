import { NtError, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import {
  defaultChannelMask,
  isConsistentWaveFormat,
  isWaveFormat,
  isWaveFormatExtensible,
  type KSDATAFORMAT,
  KSDATAFORMAT_SUBTYPE_DOLBY_AC3_SPDIF,
  KSDATAFORMAT_SUBTYPE_PCM,
  validBitsOfWave,
  type WAVEFORMATEX,
} from '../../ks/index.ts';

/** A format as controller and converters take it. */
export interface HdaStreamFormat {
  readonly sampleRate: number;
  /** Bits that carry sound: 8, 16, 20, 24 or 32. */
  readonly bits: number;
  readonly channels: number;
  /** SPEAKER_* by channel; 0 when the client does not say. */
  readonly channelMask: number;
  readonly frameBytes: number;
  /** The format word of SDnFMT and of the converters' verb (§3.7.1). */
  readonly word: number;
  /** The bits are an encoded stream, and must reach the receiver as they are. */
  readonly nonPcm: boolean;
}

/** Codes of sample sizes in bits 6:4. */
const BITS_CODES: readonly number[] = [8, 16, 20, 24, 32];
const BASE_RATES: readonly (readonly [rate: number, flag: number])[] = [
  [48_000, 0],
  [44_100, 0x4000],
];
const WORD_NON_PCM = 0x8000;
/** IEC 61937 carries AC-3 in the place of two channels of 16 bits, at these rates. */
const AC3_RATES: readonly number[] = [32_000, 44_100, 48_000];
const AC3_BITS = 16;
const AC3_CHANNELS = 2;
const MOST_MULTIPLES = 4;
const MOST_DIVISIONS = 8;

/** Bytes that a sample of so many bits takes in memory: 20 and 24 bits lie left-justified in 32 (§3.7.1). */
export function containerBytes(bits: number): 1 | 2 | 4 {
  if (bits <= 8) return 1;
  return bits <= 16 ? 2 : 4;
}

/** The format word; null for what no word can say. */
export function formatWord(sampleRate: number, bits: number, channels: number): number | null {
  const bitsCode = BITS_CODES.indexOf(bits);
  if (bitsCode < 0 || channels < 1 || channels > 16) return null;
  for (let divisor = 1; divisor <= MOST_DIVISIONS; divisor++) {
    for (let multiple = 1; multiple <= MOST_MULTIPLES; multiple++) {
      for (const [base, flag] of BASE_RATES) {
        if (base * multiple !== sampleRate * divisor) continue;
        return flag | ((multiple - 1) << 11) | ((divisor - 1) << 8) | (bitsCode << 4) | (channels - 1);
      }
    }
  }
  return null;
}

/** What a pin's converters can do. */
export interface ConverterFormats {
  readonly rates: readonly number[];
  readonly bits: readonly number[];
  readonly maximumChannels: number;
  /** Digital outputs: AC-3 for a receiver that decodes it. */
  readonly ac3: boolean;
}

/** Rates at which AC-3 passes; none where it does not. */
export function ac3Rates({ ac3, rates, bits, maximumChannels }: ConverterFormats): readonly number[] {
  if (!ac3 || !bits.includes(AC3_BITS) || maximumChannels < AC3_CHANNELS) return [];
  return rates.filter((rate) => AC3_RATES.includes(rate));
}

function bitCount(mask: number): number {
  let count = 0;
  for (let rest = mask >>> 0; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** @throws NtError STATUS_INVALID_PARAMETER, naming the reason, when the converters cannot do the format */
export function checkStreamFormat(dataFormat: KSDATAFORMAT, formats: ConverterFormats): HdaStreamFormat {
  const fail = (why: string): never => {
    throw new NtError(STATUS_INVALID_PARAMETER, `HDA: ${why}.`);
  };
  if (!isWaveFormat(dataFormat)) return fail('only wave formats are converted');
  const wave = dataFormat.waveFormatEx;
  if (dataFormat.subFormat.equals(KSDATAFORMAT_SUBTYPE_DOLBY_AC3_SPDIF)) {
    return ac3Format(wave, formats) ?? fail('the converters carry no AC-3 of this kind');
  }
  if (!dataFormat.subFormat.equals(KSDATAFORMAT_SUBTYPE_PCM)) return fail('only PCM is converted');
  if (!isConsistentWaveFormat(wave)) return fail('the wave format contradicts itself');
  const { nChannels, nSamplesPerSec, wBitsPerSample } = wave;
  const bits = validBitsOfWave(wave);
  if (!formats.rates.includes(nSamplesPerSec))
    return fail(`the converters run at ${formats.rates.join(', ')} Hz, not at ${nSamplesPerSec} Hz`);
  if (!formats.bits.includes(bits) || wBitsPerSample !== 8 * containerBytes(bits))
    return fail(
      `the converters take ${formats.bits.map((size) => `${size} in ${8 * containerBytes(size)}`).join(', ')} bits, ` +
        `not ${bits} in ${wBitsPerSample}`,
    );
  if (nChannels > formats.maximumChannels)
    return fail(`the converters have ${formats.maximumChannels} channels, not ${nChannels}`);
  const extensible = isWaveFormatExtensible(wave);
  const channelMask = extensible ? wave.dwChannelMask >>> 0 : defaultChannelMask(nChannels);
  if (channelMask !== 0 && bitCount(channelMask) !== nChannels)
    return fail(`the channel mask ${channelMask.toString(16)}h does not name ${nChannels} speakers`);
  const word = formatWord(nSamplesPerSec, bits, nChannels);
  if (word === null) return fail(`no stream format word says ${nSamplesPerSec} Hz, ${bits} bits`);
  return {
    sampleRate: nSamplesPerSec,
    bits,
    channels: nChannels,
    channelMask,
    frameBytes: nChannels * containerBytes(bits),
    word,
    nonPcm: false,
  };
}

function ac3Format(wave: WAVEFORMATEX, formats: ConverterFormats): HdaStreamFormat | null {
  const { nChannels, nSamplesPerSec, wBitsPerSample, nBlockAlign } = wave;
  const frameBytes = AC3_CHANNELS * containerBytes(AC3_BITS);
  const word = formatWord(nSamplesPerSec, AC3_BITS, AC3_CHANNELS);
  const right =
    ac3Rates(formats).includes(nSamplesPerSec) &&
    nChannels === AC3_CHANNELS &&
    wBitsPerSample === AC3_BITS &&
    nBlockAlign === frameBytes;
  if (!right || word === null) return null;
  return {
    sampleRate: nSamplesPerSec,
    bits: AC3_BITS,
    channels: AC3_CHANNELS,
    channelMask: 0,
    frameBytes,
    word: word | WORD_NON_PCM,
    nonPcm: true,
  };
}
