import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHdaFormat, HDA_PCM_RATES } from '../../hardware/hda/format.ts';
import { NtError } from '../../kernel/index.ts';
import { floatFormat, type KSDATAFORMAT, pcmFormat } from '../../ks/index.ts';
import { checkStreamFormat, formatWord } from './stream-format.ts';
import { dataRanges, intersectFormats } from './wave-formats.ts';

const FORMATS = {
  rates: [44_100, 48_000, 96_000, 192_000],
  bits: [16, 20, 24],
  maximumChannels: 6,
  ac3: false,
};

function takes(format: KSDATAFORMAT): boolean {
  try {
    checkStreamFormat(format, FORMATS);
    return true;
  } catch (error) {
    if (error instanceof NtError) return false;
    throw error;
  }
}

describe('stream formats', () => {
  it('say what the hardware reads in the word, for every rate, size and number of channels', () => {
    for (const rate of HDA_PCM_RATES.filter((one) => one <= 192_000)) {
      for (const bits of [8, 16, 20, 24, 32]) {
        for (let channels = 1; channels <= 16; channels++) {
          const word = formatWord(rate, bits, channels);
          const decoded = decodeHdaFormat(word ?? -1);
          expect(decoded.rateNumerator / decoded.rateDivisor).toBe(rate);
          expect(decoded).toMatchObject({ bits, channels, reserved: false, nonPcm: false });
        }
      }
    }
    expect(formatWord(48_001, 16, 2)).toBe(null);
    expect(formatWord(48_000, 12, 2)).toBe(null);
    expect(formatWord(48_000, 16, 17)).toBe(null);
  });

  it('are taken as the converters can, and not otherwise', () => {
    expect(takes(pcmFormat(48_000, 2, 16))).toBe(true);
    expect(takes(pcmFormat(192_000, 6, 32, { validBits: 24 }))).toBe(true);
    expect(takes(pcmFormat(44_100, 1, 32, { validBits: 20 }))).toBe(true);
    expect(takes(pcmFormat(48_000, 4, 16, { channelMask: 0x107 }))).toBe(true);
    expect(takes(pcmFormat(48_000, 4, 16, { channelMask: 0 }))).toBe(true);
    for (const format of [
      pcmFormat(48_000, 8, 16),
      pcmFormat(22_050, 2, 16),
      pcmFormat(48_000, 2, 24),
      pcmFormat(48_000, 2, 32),
      pcmFormat(48_000, 2, 8),
      pcmFormat(48_000, 2, 32, { validBits: 16 }),
      pcmFormat(48_000, 4, 16, { channelMask: 0x3f }),
      floatFormat(48_000, 2),
    ])
      expect(takes(format)).toBe(false);
  });

  it('come out of every intersection in a form that the pin takes', () => {
    const ranges = dataRanges(FORMATS);
    expect(ranges).toHaveLength(8);
    fc.assert(
      fc.property(
        fc.constantFrom(...ranges),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 200_000 }),
        (mine, maximumChannels, maximumBitsPerSample, maximumSampleFrequency) => {
          const client = {
            ...mine,
            maximumChannels,
            minimumBitsPerSample: 1,
            maximumBitsPerSample,
            minimumSampleFrequency: 1,
            maximumSampleFrequency,
          };
          const meet =
            maximumBitsPerSample >= mine.maximumBitsPerSample &&
            maximumSampleFrequency >= mine.maximumSampleFrequency;
          try {
            const format = intersectFormats(client, mine, FORMATS);
            expect(meet).toBe(true);
            const { channels, bits, sampleRate } = checkStreamFormat(format, FORMATS);
            expect(channels).toBe(Math.min(maximumChannels, 6));
            expect(bits).toBe(mine.maximumBitsPerSample === 32 ? 24 : 16);
            expect(sampleRate).toBe(mine.maximumSampleFrequency);
          } catch (error) {
            if (!(error instanceof NtError)) throw error;
            expect(meet).toBe(false);
          }
        },
      ),
    );
  });
});
