import { NtError, STATUS_INVALID_PARAMETER } from '../../kernel/index.ts';
import { isWaveFormat, type KSDATAFORMAT, KSDATAFORMAT_SUBTYPE_PCM } from '../../ks/index.ts';
import * as R from './registers.ts';
import { DAC1_RATES, RATE_TOLERANCE } from './wave-filter.ts';

/** What a stream's format means to its channel. */
export interface ChannelFormat {
  readonly sampleRate: number;
  readonly bytesPerFrame: number;
  /** FORMAT_* bits. */
  readonly formatBits: number;
  /** Of 1.4112 MHz. */
  readonly divisor: number;
  readonly silence: number;
}

/** @throws NtError STATUS_INVALID_PARAMETER when the channel cannot do it */
export function channelFormat(channel: R.ChannelName, dataFormat: KSDATAFORMAT): ChannelFormat {
  if (!isWaveFormat(dataFormat) || !dataFormat.subFormat.equals(KSDATAFORMAT_SUBTYPE_PCM)) {
    throw new NtError(STATUS_INVALID_PARAMETER, 'ES1370: only PCM with a wave format is converted.');
  }
  const { nChannels, nSamplesPerSec, wBitsPerSample } = dataFormat.waveFormatEx;
  const divisor = divisorOf(channel, nSamplesPerSec);
  const sizes = (nChannels === 1 || nChannels === 2) && (wBitsPerSample === 8 || wBitsPerSample === 16);
  if (!sizes || divisor === null) {
    throw new NtError(
      STATUS_INVALID_PARAMETER,
      `ES1370: ${channel} takes 1 or 2 channels of 8 or 16 bits at rates its clock can make; ` +
        `asked for ${nChannels} × ${wBitsPerSample} bits at ${nSamplesPerSec} Hz.`,
    );
  }
  return {
    sampleRate: nSamplesPerSec,
    bytesPerFrame: (nChannels * wBitsPerSample) / 8,
    formatBits: (nChannels === 2 ? R.FORMAT_STEREO : 0) | (wBitsPerSample === 16 ? R.FORMAT_16_BIT : 0),
    divisor,
    silence: wBitsPerSample === 8 ? 0x80 : 0,
  };
}

/** The divisor that makes a rate, exactly or nearly; null when none does. */
export function divisorOf(channel: R.ChannelName, sampleRate: number): number | null {
  if (channel === 'DAC1') {
    const rates: readonly number[] = DAC1_RATES;
    const code = rates.indexOf(sampleRate);
    return R.DAC1_DIVISORS[code] ?? null;
  }
  const divisor = Math.round(R.CLOCK_HZ / sampleRate);
  const made = R.CLOCK_HZ / divisor;
  return Math.abs(made - sampleRate) <= RATE_TOLERANCE * sampleRate ? divisor : null;
}
