import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioFormat, describeFormatError, formatToString, sameFormat } from '../audio-format.ts';
import type { DataRangeModel } from '../inspect/model.ts';
import { formatCandidates, ksFormatOf, ksFormsOf, rangesCover } from './formats.ts';

const range = (
  audio: Partial<NonNullable<DataRangeModel['audio']>> = {},
  fields: Partial<DataRangeModel> = {},
): DataRangeModel => ({
  majorFormat: 'KSDATAFORMAT_TYPE_AUDIO',
  subFormat: 'KSDATAFORMAT_SUBTYPE_PCM',
  specifier: 'KSDATAFORMAT_SPECIFIER_WAVEFORMATEX',
  audio: {
    maximumChannels: 2,
    minimumBits: 16,
    maximumBits: 16,
    minimumRate: 8000,
    maximumRate: 48000,
    ...audio,
  },
  ...fields,
});
const first = (ranges: readonly DataRangeModel[], wanted: Parameters<typeof audioFormat>[0]) => {
  const [format] = formatCandidates(ranges, audioFormat(wanted));
  return format === undefined ? 'none' : formatToString(format);
};

describe('stream formats', () => {
  it('are the wanted one where a range covers it', () => {
    expect(first([range()], { sampleRate: 11025, channels: 1 })).toBe('11025 Hz, 1 channel, 16-bit');
  });

  it('else lose as little of it as possible', () => {
    expect(first([range({ minimumRate: 48000 })], { sampleRate: 44100 })).toBe(
      '48000 Hz, 2 channels, 16-bit',
    );
    expect(first([range({ maximumRate: 96000 })], { sampleRate: 192000 })).toBe(
      '96000 Hz, 2 channels, 16-bit',
    );
    expect(first([range()], { containerBits: 8 })).toBe('48000 Hz, 2 channels, 16-bit');
    expect(first([range({ maximumBits: 32 })], { containerBits: 24 })).toBe('48000 Hz, 2 channels, 24-bit');
    expect(first([range({ minimumBits: 8 })], { containerBits: 24 })).toBe('48000 Hz, 2 channels, 16-bit');
    expect(first([range()], { channels: 6 })).toBe('48000 Hz, 2 channels, 16-bit');
    expect(first([range({ maximumChannels: 1 })], { channels: 2 })).toBe('48000 Hz, 1 channel, 16-bit');
    expect(first([range({ minimumRate: 88200, maximumRate: 96000 })], { sampleRate: 44100 })).toBe(
      '88200 Hz, 2 channels, 16-bit',
    );
  });

  it('are tried with 24 and 20 of 32 bits, for converters that have no more', () => {
    const candidates = formatCandidates(
      [range({ minimumBits: 32, maximumBits: 32 })],
      audioFormat({ containerBits: 24 }),
    );
    const atRate = candidates.filter(({ sampleRate, channels }) => sampleRate === 48_000 && channels === 2);
    expect(atRate.map(({ validBits }) => validBits)).toEqual([32, 24, 20]);
  });

  it('prefer float for float where both are there, and take PCM where it is not', () => {
    const float = range(
      { minimumBits: 32, maximumBits: 32 },
      { subFormat: 'KSDATAFORMAT_SUBTYPE_IEEE_FLOAT' },
    );
    expect(first([range({ maximumBits: 32 }), float], { encoding: 'float' })).toBe(
      '48000 Hz, 2 channels, 32-bit float',
    );
    expect(first([range({ maximumBits: 32 })], { encoding: 'float' })).toBe('48000 Hz, 2 channels, 24-bit');
  });

  it('are none where no range is one of PCM or float', () => {
    const others = [
      range({}, { subFormat: 'KSDATAFORMAT_SUBTYPE_AC3_AUDIO' }),
      range({}, { specifier: 'KSDATAFORMAT_SPECIFIER_DSOUND' }),
      { ...range(), audio: null },
    ];
    expect(first(others, {})).toBe('none');
  });

  it('are always sound, covered and different ones, however odd the ranges', () => {
    const bounds = fc.record({
      maximumChannels: fc.oneof(fc.nat(10), fc.constant(0xffffffff)),
      minimumBits: fc.nat(40),
      maximumBits: fc.nat(70),
      minimumRate: fc.nat(200_000),
      maximumRate: fc.oneof(fc.nat(400_000), fc.constant(0xffffffff)),
    });
    fc.assert(
      fc.property(
        fc.array(
          bounds.map((audio) => range(audio)),
          { maxLength: 3 },
        ),
        fc.constantFrom(8, 16, 24, 32),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 768_000 }),
        (ranges, containerBits, channels, sampleRate) => {
          const candidates = formatCandidates(ranges, audioFormat({ containerBits, channels, sampleRate }));
          for (const [index, candidate] of candidates.entries()) {
            expect(describeFormatError(candidate)).toBe(null);
            expect(rangesCover(ranges, candidate)).toBe(true);
            expect(candidates.findIndex((other) => sameFormat(other, candidate))).toBe(index);
          }
        },
      ),
    );
  });

  it('are said in plain form where that says everything, and in extensible form too', () => {
    const plain = ksFormatOf(audioFormat());
    expect(plain.waveFormatEx.wFormatTag).toBe(1);
    expect(ksFormsOf(audioFormat()).map(({ waveFormatEx }) => waveFormatEx.wFormatTag)).toEqual([1, 0xfffe]);
    const wide = audioFormat({ containerBits: 32, validBits: 24, channels: 6, channelMask: 0x3f });
    const [form, ...more] = ksFormsOf(wide);
    expect(more).toEqual([]);
    expect(form?.waveFormatEx).toMatchObject({
      wFormatTag: 0xfffe,
      wBitsPerSample: 32,
      wValidBitsPerSample: 24,
      dwChannelMask: 0x3f,
    });
    expect(ksFormatOf(audioFormat({ channels: 5 })).waveFormatEx).toMatchObject({ dwChannelMask: 0x607 });
  });
});
