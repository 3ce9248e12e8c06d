import { defaultChannelMask, KSAUDIO_SPEAKER_5POINT0 } from '../ks/index.ts';

/**
 * PCM as the client sees it: what a WAV file holds, what a pin is opened with, what the converters turn into each other.
 * Samples are interleaved and little-endian; 8-bit integers are unsigned (80h is silence), wider ones two's complement.
 * Integers with fewer valid bits than their container are left-justified.
 */

/** Largest number of channels that files, converters and streams handle. */
export const MAXIMUM_CHANNELS = 8;

/** One layout of interleaved PCM. Immutable. */
export interface AudioFormat {
  readonly encoding: 'integer' | 'float';
  /** Frames per second. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Size of one sample in the stream: 8, 16, 24, 32 (integer) or 32, 64 (float). */
  readonly containerBits: number;
  /** Bits of the container that carry signal, 1 … containerBits; equal to it for float. */
  readonly validBits: number;
  /** SPEAKER_* bits, as many as channels; 0 when the channels have no stated place. */
  readonly channelMask: number;
}

/** Masks that ks.ts leaves open because a plain WAVEFORMATEX of so many channels stands for none: 5.0 and 6.1. */
const FURTHER_MASKS: Readonly<Record<number, number>> = { 5: KSAUDIO_SPEAKER_5POINT0, 7: 0x70f };

/** The usual mask for a number of channels, as the system assumes it for plain formats; 0 above eight. */
export function usualChannelMask(channels: number): number {
  return defaultChannelMask(channels) || (FURTHER_MASKS[channels] ?? 0);
}

/**
 * Makes an {@link AudioFormat}; what is left out takes its usual value (16-bit integer, stereo, 48 kHz, all bits valid, the
 * default mask). Throws a RangeError that names the field and its limits when a value is impossible.
 */
export function audioFormat(fields: Partial<AudioFormat> = {}): AudioFormat {
  const encoding = fields.encoding ?? 'integer';
  const containerBits = fields.containerBits ?? (encoding === 'float' ? 32 : 16);
  const channels = fields.channels ?? 2;
  const format: AudioFormat = {
    encoding,
    sampleRate: fields.sampleRate ?? 48000,
    channels,
    containerBits,
    validBits: fields.validBits ?? containerBits,
    channelMask: fields.channelMask ?? usualChannelMask(channels),
  };
  const complaint = describeFormatError(format);
  if (complaint !== null) throw new RangeError(complaint);
  return format;
}

/** A sentence about the first impossible field, or null when the format is sound. */
export function describeFormatError(format: AudioFormat): string | null {
  const { encoding, sampleRate, channels, containerBits, validBits } = format;
  if (!Number.isInteger(channels) || channels < 1 || channels > MAXIMUM_CHANNELS) {
    return `The number of channels is ${channels}; it must be 1 to ${MAXIMUM_CHANNELS}.`;
  }
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate > MAXIMUM_SAMPLE_RATE) {
    return `The sample rate is ${sampleRate}; it must be a whole number from 1 to ${MAXIMUM_SAMPLE_RATE} Hz.`;
  }
  const sizes = encoding === 'float' ? [32, 64] : [8, 16, 24, 32];
  if (!sizes.includes(containerBits)) {
    return `A sample takes ${containerBits} bits; ${encoding} samples must take ${sizes.join(', ')}.`;
  }
  if (encoding === 'float' ? validBits !== containerBits : validBits < 1 || validBits > containerBits) {
    return `${validBits} valid bits do not fit ${encoding} samples of ${containerBits} bits.`;
  }
  return null;
}

/** Highest sample rate that files, converters and streams handle. */
export const MAXIMUM_SAMPLE_RATE = 768_000;

/** Bytes of one frame (one sample of every channel). */
export function frameBytes(format: AudioFormat): number {
  return (format.containerBits >>> 3) * format.channels;
}

/** Bytes of one second. */
export function bytesPerSecond(format: AudioFormat): number {
  return frameBytes(format) * format.sampleRate;
}

/** The byte that silence is made of: 80h for 8-bit integers (unsigned), else 0. */
export function silenceByte(format: AudioFormat): number {
  return format.encoding === 'integer' && format.containerBits === 8 ? 0x80 : 0;
}

/**
 * Do the two have the same bytes for the same sound? A missing mask (0) equals the default one of the same number of channels.
 */
export function sameFormat(a: AudioFormat, b: AudioFormat): boolean {
  return sameSamples(a, b) && a.sampleRate === b.sampleRate && sameChannels(a, b);
}

/** Same encoding, container and valid bits. */
export function sameSamples(a: AudioFormat, b: AudioFormat): boolean {
  return a.encoding === b.encoding && a.containerBits === b.containerBits && a.validBits === b.validBits;
}

/** Same number of channels at the same places. */
export function sameChannels(a: AudioFormat, b: AudioFormat): boolean {
  const place = (format: AudioFormat) => format.channelMask || usualChannelMask(format.channels);
  return a.channels === b.channels && place(a) === place(b);
}

/** Does sound of one format get into the other without loss: the same rate and channels, and room for every bit? */
export function keepsEveryBit(from: AudioFormat, to: AudioFormat): boolean {
  if (from.sampleRate !== to.sampleRate || !sameChannels(from, to)) return false;
  if (from.encoding === 'float') return sameSamples(from, to);
  return to.encoding === 'integer' && to.validBits >= from.validBits;
}

/** `48000 Hz, 2 channels, 16-bit` and the like. */
export function formatToString(format: AudioFormat): string {
  const { encoding, sampleRate, channels, containerBits, validBits } = format;
  const bits = validBits === containerBits ? `${containerBits}-bit` : `${validBits}-bit in ${containerBits}`;
  return `${sampleRate} Hz, ${channels} ${channels === 1 ? 'channel' : 'channels'}, ${bits}${encoding === 'float' ? ' float' : ''}`;
}
